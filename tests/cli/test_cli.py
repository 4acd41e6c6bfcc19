"""The `specado` command in this process: stdout, stderr, exit codes."""

from __future__ import annotations

import io
import json
import sys

import pytest

import specado
from specado.cli import arguments, main, output
from specado.settings.validators import STRICTNESSES
from specado.simulator.server import running

NO_KEY = (
    "specado: warning: no provider has an API key or an address: replies are simulated in this "
    "process. Set {}; simulate=True or False decides for good."
)
NO_KEY_IN_A_SCRIPT = (
    "specado: no provider has an API key or an address: set {}, or say --simulate for a "
    "simulated reply"
)


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Bytes(io.TextIOWrapper):
    """A stream with bytes below it, as stdin and a redirected stdout are."""

    def __init__(self, data=b"", **options):
        super().__init__(io.BytesIO(data), **options)


@pytest.fixture
def run(capsys):
    """Run the command line; give the exit code and the lines of stdout and of stderr."""

    def run(*argv):
        code = main(argv)
        captured = capsys.readouterr()
        return code, captured.out.splitlines(), captured.err.splitlines()

    return run


@pytest.fixture
def chat(run):
    """Run `specado chat --simulate`; give what `run` gives."""
    return lambda *argv: run("chat", "--simulate", *argv)


# chat


def test_chat_prints_the_answer_and_what_happened(chat):
    code, out, err = chat("Hello")

    assert code == 0
    assert out == ["Simulated reply to: Hello"]
    assert err == ["specado: answered by openai/gpt-5.4, no fallback, 1 attempt, simulated"]


IN_USE = [
    ([], "OPENAI_API_KEY"),
    (["-m", "openai/gpt-5.4"], "OPENAI_API_KEY"),
    (["-m", "nobody-knows-it"], "OPENAI_API_KEY"),
    (["-m", "claude-opus-5-5"], "ANTHROPIC_API_KEY"),
    (["-m", "anthropic/claude-opus-5-5"], "ANTHROPIC_API_KEY"),
    (["-m", "anthropic/nobody-knows-it", "--fallback", "openai"], "ANTHROPIC_API_KEY"),
    (["-m", "corp/plain"], "CORP_KEY"),
    (["-m", "bare/plain"], "providers['bare']['api_key']"),
    (["--stream"], "OPENAI_API_KEY"),
    (["--json", "-m", "claude-opus-5-5"], "ANTHROPIC_API_KEY"),
]


@pytest.fixture
def two_more_providers():
    corp = {"name": "corp", "base_url": "https://llm.corp.example", "api_key_env": "CORP_KEY"}
    specado.register_manifest(corp)
    specado.register_manifest({**corp, "name": "bare", "api_key_env": []})


@pytest.mark.usefixtures("two_more_providers")
@pytest.mark.parametrize(("argv", "variable"), IN_USE)
def test_chat_without_a_key_is_an_error_where_stdout_is_no_terminal(run, argv, variable):
    code, out, err = run("chat", *argv, "Hello")

    assert (code, out, err) == (1, [], [NO_KEY_IN_A_SCRIPT.format(variable)])


@pytest.mark.usefixtures("two_more_providers")
@pytest.mark.parametrize(("argv", "variable"), IN_USE)
def test_chat_without_a_key_warns_on_a_terminal(monkeypatch, capsys, argv, variable):
    monkeypatch.setattr(sys, "stdout", Terminal())

    main(["chat", *argv, "Hello"])

    assert capsys.readouterr().err.splitlines()[0] == NO_KEY.format(variable)


def test_chat_without_a_key_is_an_error_where_stdout_is_closed(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", None)

    assert main(["chat", "Hello"]) == 1

    assert capsys.readouterr().err == NO_KEY_IN_A_SCRIPT.format("OPENAI_API_KEY") + "\n"


def test_the_warning_about_simulation_comes_once_a_process(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", Terminal())

    for model in ("gpt-5.4", "gpt-5.4", "claude-opus-5-5"):
        assert main(["chat", "-m", model, "Hello"]) == 0

    warned = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert warned == [NO_KEY.format("OPENAI_API_KEY")]


@pytest.mark.parametrize(
    ("value", "status", "shown"),
    [
        ("true", 0, "specado: answered by openai/gpt-5.4, no fallback, 1 attempt, simulated"),
        (
            "false",
            1,
            "specado: no API key for 'openai': set OPENAI_API_KEY",
        ),
    ],
)
def test_the_environment_decides_about_simulation(run, monkeypatch, value, status, shown):
    monkeypatch.setenv("SPECADO_SIMULATE", value)

    code, out, err = run("chat", "Hello")

    assert (code, len(out), len(err)) == (status, 1 - status, 1)
    assert err[0].startswith(shown)


def test_the_primary_provider_of_the_environment_is_the_one_in_use(run, monkeypatch):
    monkeypatch.setenv("SPECADO_PRIMARY_PROVIDER", "anthropic")

    found = run("chat", "-m", "nobody-knows-it", "Hello")

    assert found == (1, [], [NO_KEY_IN_A_SCRIPT.format("ANTHROPIC_API_KEY")])


@pytest.mark.parametrize("argv", [[], ["--stream"]])
def test_a_key_that_is_missing_for_the_model_is_an_error_that_says_simulate(run, monkeypatch, argv):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "any")

    code, out, err = run("chat", *argv, "-m", "gpt-5.4", "Hello")

    assert (code, out) == (1, [])
    assert err[0].startswith("specado: no API key for 'openai': set OPENAI_API_KEY")
    assert err[0].endswith("; or say --simulate for a simulated reply")


@pytest.mark.parametrize(
    ("primary", "keys", "asked"),
    [
        (None, (), "openai/gpt-5.4"),
        (None, ("ANTHROPIC",), "anthropic/claude-sonnet-5"),
        (None, ("ANTHROPIC", "OPENAI"), "openai/gpt-5.4"),
        ("anthropic", (), "anthropic/claude-sonnet-5"),
        ("anthropic", ("ANTHROPIC", "OPENAI"), "anthropic/claude-sonnet-5"),
        ("anthropic", ("OPENAI",), "openai/gpt-5.4"),
        (None, ("GEMINI",), "gemini/gemini-3.8-flash"),
        ("gemini", ("GEMINI", "OPENAI"), "gemini/gemini-3.8-flash"),
    ],
)
def test_the_default_model_is_one_of_the_primary_provider(chat, monkeypatch, primary, keys, asked):
    if primary is not None:
        monkeypatch.setenv("SPECADO_PRIMARY_PROVIDER", primary)
    for name in keys:
        monkeypatch.setenv(f"{name}_API_KEY", "any")

    _, _, err = chat("Hello")

    assert err == [f"specado: answered by {asked}, no fallback, 1 attempt, simulated"]


def test_simulate_asks_no_provider_even_with_a_key(chat, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")

    assert chat("Hello")[:2] == (0, ["Simulated reply to: Hello"])


@pytest.mark.parametrize("argv", [["models"], ["compare", "gpt-5.4", "claude-opus-5-5"]])
def test_what_asks_no_provider_needs_no_key(run, argv):
    code, out, err = run(*argv)

    assert (code, err) == (0, [])
    assert out


def test_chat_tells_of_a_fallback_and_why(run):
    code, out, err = run("chat", "--model", "timeout-test-model", "Hello")

    assert code == 0
    assert out == ["Simulated reply to: Hello"]
    assert err[0].startswith("specado: answered by anthropic/claude-")
    assert err[0].endswith(", fallback from openai, 2 attempts, simulated")
    assert err[1:] == [
        "specado: failed: openai/timeout-test-model: no reply within 300 s (simulated)"
    ]


def test_chat_tells_what_was_lost(chat):
    code, _, err = chat("-m", "claude-opus-4-5", "-t", "1.5", "Hello")

    assert code == 0
    assert [line for line in err if line.startswith("specado: lost: ")] == [
        "specado: lost: Low Clamp temperature: 1 is the highest temperature there (1.5 -> 1)"
    ]


def test_strictness_reaches_the_call(chat):
    code, out, err = chat("--strictness", "strict", "-m", "claude-opus-4-5", "-t", "1.5", "Hello")

    assert (code, out) == (0, ["Simulated reply to: Hello"])
    assert "fallback from anthropic, 1 attempt, simulated" in err[-2]
    assert err[-1].startswith("specado: skipped: anthropic/claude-opus-4-5: ")
    assert "temperature" in err[-1]


def test_chat_tells_that_an_answer_was_cut_off(chat):
    _, _, err = chat("--max-tokens", "2", "Tell me a long story")

    assert err[-1] == (
        "specado: answered by openai/gpt-5.4, no fallback, 1 attempt, "
        "cut off at the token limit, simulated"
    )


def test_chat_as_json_is_the_reply_and_its_extensions(chat):
    code, out, _ = chat(
        "--json", "-m", "claude-opus-4-5", "-t", "1.5", "--fallback", "openai", "Hello"
    )
    reply = json.loads("\n".join(out))

    assert code == 0
    assert reply["choices"][0]["message"]["content"] == "Simulated reply to: Hello"
    assert reply["model"] == "claude-opus-4-5"
    assert reply["extensions"]["provider_used"] == "anthropic"
    assert reply["extensions"]["attempts"] == 1
    assert reply["extensions"]["metadata"]["fallback_provider"] == "openai"
    assert "temperature" in [
        item["path"] for item in reply["extensions"]["metadata"]["lossiness"]["items"]
    ]


def test_json_is_valid_where_stdout_is_not_utf_8(monkeypatch):
    stream = Bytes(encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)

    assert main(["chat", "--simulate", "--json", "héllo"]) == 0

    reply = json.loads(stream.buffer.getvalue())
    assert reply["choices"][0]["message"]["content"] == "Simulated reply to: héllo"


def test_an_answer_is_escaped_where_stdout_is_ascii(monkeypatch):
    stream = Bytes(encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)

    assert main(["chat", "--simulate", "hé"]) == 0

    assert stream.buffer.getvalue() == b"Simulated reply to: h\\xe9\n"


@pytest.mark.parametrize("given", [[], ["-"]])
def test_the_prompt_may_come_from_stdin(chat, monkeypatch, given):
    monkeypatch.setattr(sys, "stdin", Bytes("\ufeffgrüezi\r\n".encode()))

    _, out, _ = chat(*given)

    assert out == ["Simulated reply to: grüezi"]


def test_a_terminal_is_not_read_unless_asked_for(chat, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal("typed\n"))

    code, out, err = chat()

    assert (code, out) == (2, [])
    assert err == ['specado: no prompt: give one (specado chat "Hello"), or pipe it in']
    assert chat("-")[1] == ["Simulated reply to: typed"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "specado: the prompt is empty"),
        (b" \n", "specado: the prompt is empty"),
        (b"ab\xff", "specado: the prompt on stdin is not UTF-8 text (byte 2)"),
    ],
)
def test_a_prompt_that_is_no_text_is_refused(chat, monkeypatch, data, problem):
    monkeypatch.setattr(sys, "stdin", Bytes(data))

    assert chat() == (1, [], [problem])


def test_the_system_message_and_the_key_reach_the_provider(run, monkeypatch):
    with running() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai_base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "any")
        code, out, err = run("chat", "--json", "--system", "Be brief.", "--timeout", "20", "Hello")
        with_system = json.loads("\n".join(out))["usage"]["prompt_tokens"]
        without_system = json.loads("\n".join(run("chat", "--json", "Hello")[1]))["usage"][
            "prompt_tokens"
        ]

    assert code == 0
    assert err[-1] == "specado: answered by openai/gpt-5.4, no fallback, 1 attempt"
    assert with_system > without_system


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (["--fallback", "opnai"], "fallback_providers: 'opnai' is not a provider"),
        (["--temperature", "nan"], "temperature must be a finite number"),
        (["--max-tokens", "0"], "max_tokens must be 1 or more"),
        (["--timeout", "0"], "timeout_seconds is 0.0; allowed: a number of seconds above 0"),
        (["--model", ""], "model is empty: name one"),
        (["--model", "auth-error-test-model"], "openai/auth-error-test-model: Incorrect API key"),
    ],
)
def test_an_error_of_the_library_is_one_line(chat, argv, problem):
    code, out, err = chat(*argv, "Hello")

    assert (code, out) == (1, [])
    assert err[-1].startswith(f"specado: {problem}")
    assert err[:-1] == []


def test_an_interrupt_gives_130(chat, monkeypatch):
    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("specado.client.Completions.create", interrupted)

    assert chat("Hello")[0] == 130


def test_an_answer_does_not_command_the_terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)

    main(["chat", "a\x1b[2Jb\x9bc\r\n\td"])

    assert terminal.getvalue() == "Simulated reply to: a\\x1b[2Jb\\x9bc\\x0d\n\td\n"


def test_a_notice_is_one_line_without_control_characters(capsys):
    output.notice("first\nsecond \x1b[31mred")

    assert capsys.readouterr().err == "specado: first second \\x1b[31mred\n"


# models


def test_models_lists_the_current_ones(run):
    code, out, err = run("models")
    rows = [line.split() for line in out]

    assert (code, err) == (0, [])
    assert ["gpt-5.5", "1050000", "128000", "5.00", "30.00", "TJSID-R", "-"] in rows
    assert ["claude-opus-5-5", "1000000", "128000", "4.00", "20.00", "T-SID-R", "-"] in rows
    assert not any(line.startswith(("gpt-4-turbo ", "claude-3-opus ")) for line in out)


@pytest.mark.parametrize("name", ["openai", "anthropic", "gemini", "vertex"])
def test_the_models_of_a_provider_fit_80_columns(run, name):
    assert max(map(len, run("models", name, "--all")[1])) <= 80


def test_models_of_one_provider_and_the_retired_ones(run):
    _, out, _ = run("models", "anthropic", "--all")
    rows = [line.split() for line in out]

    assert ["claude-3-opus", "200000", "4096", "15.00", "75.00", "T--ID--", "2026-01-05"] in rows
    assert out[0].startswith("anthropic: ")
    assert [line for line in out if line.startswith("anthropic, retired: ")]
    assert not any(line.startswith("gpt-") for line in out)


def test_models_as_json_are_the_manifests_entries(run):
    entries = json.loads("\n".join(run("models", "--json")[1]))
    every = json.loads("\n".join(run("models", "--all", "--json")[1]))
    found = {(entry["provider"], entry["id"]): entry for entry in entries}

    assert found["openai", "gpt-5.5"]["pricing"]["input"] == 5.0
    assert found["openai", "gpt-5.5"]["capabilities"]["features"]["vision"] is True
    assert "retired" not in {entry["status"] for entry in entries}
    assert ("openai", "gpt-4-turbo") not in found
    assert "retired" in {entry["status"] for entry in every}


def test_models_with_few_facts_are_listed(run):
    specado.register_manifest(
        {
            "name": "corp",
            "base_url": "https://llm.corp.example",
            "models": {"[bold]": {"pricing": {"input": 0.0375}}, "plain": {}},
        }
    )

    assert run("models", "corp")[1][:5] == [
        "corp: 2 models",
        "MODEL   CONTEXT  OUTPUT    $ IN  $ OUT  ABILITIES  RETIRES",
        "[bold]        -       -  0.0375      -  -------    -",
        "plain         -       -       -      -  -------    -",
        "",
    ]


def test_an_unknown_provider_is_named_with_the_nearest(run):
    code, out, err = run("models", "antropic")

    assert (code, out, len(err)) == (1, [], 1)
    assert err[0].startswith("specado: no provider is named 'antropic'; did you mean 'anthropic'?")


def test_a_terminal_gets_the_same_cells_from_rich(run, monkeypatch):
    pytest.importorskip("rich")
    plain = run("models", "openai", "--all")[1]
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "80")

    main(["models", "openai", "--all"])

    assert [line.split() for line in terminal.getvalue().splitlines()] == [
        line.split() for line in plain
    ]


def test_a_terminal_without_rich_gets_plain_text(run, monkeypatch):
    plain = run("models", "openai")[1]
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setitem(sys.modules, "rich.console", None)

    main(["models", "openai"])

    assert terminal.getvalue().splitlines() == plain


# compare


def test_compare_is_readable(run):
    code, out, err = run("compare", "gpt-4-turbo", "claude-3-opus")

    assert (code, err) == (0, [])
    assert out[:11] == [
        "Source      openai/gpt-4-turbo (retired 2026-10-23)",
        "Target      anthropic/claude-3-opus (retired 2026-01-05)",
        "Severity    Medium",
        "Missing     json_mode, function_role",
        "Additional  input_Document, prompt_caching, top_k, cache_control",
        "",
        "CONSTRAINED        SOURCE      TARGET         IMPACT",
        "temperature        0.0 to 2.0  -> 0.0 to 1.0  Minor",
        "n                  yes         -> no          Major",
        "seed               yes         -> no          Major",
        "frequency_penalty  yes         -> no          Major",
    ]
    assert "- Ask for JSON in the prompt and check that the reply parses." in out
    assert max(map(len, out)) <= 80


def test_compare_takes_prefixes_and_dated_ids(run):
    _, out, _ = run("compare", "anthropic/claude-3-opus", "claude-3-opus-20240229")

    assert out == [
        "Source      anthropic/claude-3-opus (retired 2026-01-05)",
        "Target      anthropic/claude-3-opus (retired 2026-01-05)",
        "Severity    None",
        "Missing     none",
        "Additional  none",
    ]


def test_compare_as_json_is_the_comparison_and_the_two_models(run):
    code, out, _ = run("compare", "gpt-4-turbo", "anthropic/claude-3-opus-20240229", "--json")
    comparison = json.loads("\n".join(out))

    assert code == 0
    assert comparison.pop("source") == {"provider": "openai", "id": "gpt-4-turbo"}
    assert comparison.pop("target") == {"provider": "anthropic", "id": "claude-3-opus"}
    assert comparison == specado.compare_capabilities(
        specado.get_model_capabilities("openai", "gpt-4-turbo"),
        specado.get_model_capabilities("anthropic", "claude-3-opus"),
    )


def test_compare_tells_what_is_not_compared(run):
    specado.register_manifest(
        {"name": "corp", "base_url": "https://llm.corp.example", "models": {"org/plain": {}}}
    )

    _, out, _ = run("compare", "gpt-4o", "corp/org/plain")

    assert "Not compared" in out
    assert any(line.startswith("- The target does not state") for line in out)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("gpt-4oo", "'gpt-4oo' is not a known model; did you mean 'gpt-4o'?"),
        ("GPT-4o", "'GPT-4o' is not a known model; did you mean 'gpt-4o'?"),
        ("opnai/gpt-4o", "'opnai/gpt-4o' is not a known model; did you mean 'openai/gpt-4o'?"),
        ("openai/", "'openai/' is not a known model; "),
        ("x", """'x' is not a known model; "specado models" lists those that are"""),
    ],
)
def test_an_unknown_model_is_named_with_the_nearest(run, name, problem):
    code, out, err = run("compare", "gpt-4o", name)

    assert (code, out) == (1, [])
    assert err[0].startswith(f"specado: {problem}")


def test_a_model_that_two_providers_have_must_be_told_apart(run):
    specado.register_manifest(
        {"name": "corp", "base_url": "https://llm.corp.example", "models": {"gpt-4o": {}}}
    )

    assert run("compare", "gpt-4o", "gpt-5") == (
        1,
        [],
        ["specado: 'gpt-4o' could be corp/gpt-4o or openai/gpt-4o: name one"],
    )


# the grammar


def test_the_simulator_says_that_its_port_is_in_use(run):
    with running() as server:
        code, out, err = run("simulate", "--port", str(server.port))

    assert (code, out) == (1, [])
    where = f"port {server.port} on 127.0.0.1 is in use"
    assert err == [f"specado: {where}: choose another with --port (0: a free one)"]


def test_the_simulator_says_that_an_address_is_not_this_machines(run):
    assert run("simulate", "--host", "192.0.2.1", "--port", "0") == (
        1,
        [],
        ["specado: '192.0.2.1' is not an address of this machine: choose one with --host"],
    )


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["frobnicate"],
        ["chat", "--frobnicate", "Hello"],
        ["chat", "--max-tok", "5", "Hello"],
        ["chat", "--temperature", "warm", "Hello"],
        ["chat", "--strictness", "lax", "Hello"],
        ["compare", "gpt-4o"],
        ["simulate", "--port", "65536"],
        ["simulate", "--host", ""],
    ],
)
def test_a_wrong_command_line_gives_2(argv, capsys):
    with pytest.raises(SystemExit) as stop:
        main(argv)

    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("usage: specado")


@pytest.mark.parametrize(
    "command", [[], ["chat"], ["providers"], ["models"], ["compare"], ["preview"], ["simulate"]]
)
def test_help_has_examples_and_fits_80_columns(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    with pytest.raises(SystemExit) as stop:
        main([*command, "--help"])

    text = capsys.readouterr().out
    assert stop.value.code == 0
    assert f"examples:\n  specado {' '.join(command)}" in text
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80


def test_the_choices_of_strictness_are_the_settings():
    assert arguments.STRICTNESSES == STRICTNESSES


def test_chat_without_a_model_asks_the_provider_that_has_a_key(monkeypatch, capsys):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key")
    monkeypatch.setenv("SPECADO_SIMULATE", "true")

    assert main(["chat", "Hello"]) == 0

    assert "answered by anthropic/claude-sonnet-5," in capsys.readouterr().err
