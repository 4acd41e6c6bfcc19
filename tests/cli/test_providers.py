"""`specado providers`, and `specado models --live`: what servers list, in each one's form."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

import specado
from json_server import serving as answering
from shipped_providers import LOCAL, SHIPPED
from specado.catalog.lookup import provider
from specado.cli import main
from specado.simulator.server import running as simulator


@pytest.fixture
def run(capsys):
    """Run the command line; give the exit code and the lines of stdout and of stderr."""

    def run(*argv):
        code = main(argv)
        captured = capsys.readouterr()
        return code, captured.out.splitlines(), captured.err.splitlines()

    return run


@pytest.fixture
def listed(run):
    """Run `specado models --live --json`; give the entries."""

    def listed(*argv):
        code, out, err = run("models", "--live", "--json", *argv)
        assert (code, err) == (0, [])
        return json.loads("\n".join(out))

    return listed


@contextmanager
def serving(*bodies, status=200):
    """Serve JSON bodies; give the base URL, and the target and key of each request that came."""
    with answering(*bodies, status=status) as (address, seen):
        yield f"{address}/v1", SeenKeys(seen)


class SeenKeys:
    """The requests that came, as pairs of target and key."""

    def __init__(self, seen):
        self._seen = seen

    def __iter__(self):
        return ((each.target, each.headers.get("authorization")) for each in self._seen)

    def __eq__(self, other):
        return list(self) == other

    def __len__(self):
        return len(self._seen)


# providers


def test_providers_are_listed_within_80_columns(run):
    code, out, err = run("providers")
    rows = {line.split()[0]: line.split()[1:] for line in out[1:]}

    assert (code, err) == (0, [])
    assert list(rows) == SHIPPED
    assert rows["groq"][0] == "openai_chat"
    assert rows["groq"][-3:] == ["GROQ_API_KEY", "-", "recording"]
    assert rows["ollama"][-3] == "(OLLAMA_API_KEY)"
    assert max(map(len, out)) <= 80


def test_a_key_that_is_set_is_told_and_never_shown(run, monkeypatch):
    monkeypatch.setenv("DEEPINFRA_TOKEN", "a-secret-key")

    code, out, _ = run("providers")
    row = next(line.split() for line in out if line.startswith("deepinfra "))

    assert (code, row[-2]) == (0, "yes")
    assert "a-secret-key" not in "\n".join(out)


def test_providers_as_json_have_addresses_and_evidence(run, monkeypatch):
    monkeypatch.setenv("XAI_BASE_URL", "https://x.example/v1")
    entries = {
        each["provider"]: each for each in json.loads("\n".join(run("providers", "--json")[1]))
    }

    assert list(entries) == SHIPPED
    groq = entries["groq"]
    assert groq["name"] == "Groq"
    assert groq["dialects"][0] == "openai_chat"
    assert groq["base_url"] == "https://api.groq.com/openai/v1"
    assert groq["key_env"] == ["GROQ_API_KEY"]
    assert (groq["needs_key"], groq["has_key"], groq["has_own_address"]) == (True, False, False)
    assert groq["ids_have_slashes"] is True
    assert groq["verification"]["address"]["by"] == "recording"
    assert entries["xai"]["has_own_address"] is True
    assert [name for name, each in entries.items() if not each["needs_key"]] == LOCAL


def test_a_registered_provider_is_listed_too(run):
    specado.register_manifest({"name": "corp", "base_url": "https://llm.corp.example/v1"})

    rows = [line.split() for line in run("providers")[1]]

    assert ["corp", "openai_chat", "(-)", "-", "-"] in rows


# models of one provider


def test_a_provider_may_be_named_by_an_option(run):
    assert run("models", "--provider", "anthropic") == run("models", "anthropic")


def test_a_provider_is_named_once(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["models", "anthropic", "--provider", "openai"])

    assert stop.value.code == 2


# models --live


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"object": "list", "data": [{"id": "a"}, {"id": "org/b"}]}, ["a", "org/b"]),
        ([{"id": "a"}, {"id": "org/b"}], ["a", "org/b"]),  # Together
        ({"models": [{"name": "models/a"}, {"name": "models/b"}]}, ["a", "b"]),  # Google
        ({"models": [{"name": "a:latest", "model": "a:latest"}]}, ["a:latest"]),  # Ollama's own
        ({"endpoints": [{"name": "databricks-a"}]}, ["databricks-a"]),
        ({"object": "list", "data": None}, []),  # an Ollama without models
        ({"data": [{"id": "a"}, {"id": "a"}, "b", {"id": 5}, {}]}, ["a"]),
    ],
)
def test_each_form_of_a_list_is_read(listed, monkeypatch, body, expected):
    with serving(body) as (base_url, seen):
        monkeypatch.setenv("VLLM_BASE_URL", base_url)
        found = listed("--provider", "vllm")

    assert [each["id"] for each in found] == expected
    assert seen == [("/v1/models", None)]


@pytest.mark.parametrize(
    ("entry", "window", "output"),
    [
        ({"context_window": 131072, "max_completion_tokens": 65536}, 131072, 65536),  # Groq
        ({"max_model_len": 32768}, 32768, None),  # vLLM
        ({"context_length": 8192, "top_provider": {"max_completion_tokens": 4096}}, 8192, 4096),
        ({"max_context_length": 4096}, 4096, None),  # Mistral
        ({"meta": {"n_ctx_train": 2048}}, 2048, None),  # llama.cpp
        ({"metadata": {"context_length": 1024}}, 1024, None),  # DeepInfra
        ({"context_length": "8192", "max_model_len": True, "context_window": 0}, None, None),
    ],
)
def test_limits_that_a_server_states_are_shown(listed, monkeypatch, entry, window, output):
    with serving({"data": [{"id": "m", **entry}]}) as (base_url, _):
        monkeypatch.setenv("VLLM_BASE_URL", base_url)
        (found,) = listed("vllm")

    tokens = found["capabilities"]["constraints"]["tokens"]
    assert (tokens.get("max_context_window"), tokens.get("max_output_tokens")) == (window, output)
    assert found["listed"] == {"id": "m", **entry}
    assert found["is_known"] is False


def test_what_the_manifest_knows_stands_beside(run, monkeypatch):
    with serving({"data": [{"id": "gpt-5.5"}, {"id": "gpt-none"}]}) as (base_url, seen):
        monkeypatch.setenv("OPENAI_BASE_URL", base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "any-key")
        code, out, err = run("models", "openai", "--live")

    assert (code, err) == (0, [])
    assert out[0] == "openai, live: 2 models"
    rows = [line.split() for line in out[2:4]]
    assert rows == [
        ["gpt-5.5", "1050000", "128000", "5.00", "30.00", "TJSID-R", "-"],
        ["gpt-none", "-", "-", "-", "-", "-------", "-"],
    ]
    assert seen == [("/v1/models", "Bearer any-key")]


def test_all_pages_are_asked_for(listed, monkeypatch):
    pages = (
        {"data": [{"id": "a"}], "has_more": True, "last_id": "a"},
        {"data": [{"id": "b"}], "nextPageToken": "t/1"},
        {"data": [{"id": "c"}], "has_more": False, "last_id": "c"},
    )
    with serving(*pages) as (base_url, seen):
        monkeypatch.setenv("VLLM_BASE_URL", base_url)
        found = listed("vllm")

    assert [each["id"] for each in found] == ["a", "b", "c"]
    assert [path for path, _ in seen] == [
        "/v1/models",
        "/v1/models?after_id=a",
        "/v1/models?pageToken=t%2F1",
    ]


def test_a_server_that_repeats_a_page_is_asked_no_more(listed, monkeypatch):
    page = {"data": [{"id": "a"}], "has_more": True, "last_id": "a"}
    with serving(page, page) as (base_url, seen):
        monkeypatch.setenv("VLLM_BASE_URL", base_url)
        found = listed("vllm")

    assert [each["id"] for each in found] == ["a"]
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("name", "some"),
    [("openai", "gpt-5.5"), ("anthropic", "claude-opus-5-5"), ("gemini", "gemini-3.8-flash")],
)
def test_the_simulated_apis_list_their_models(listed, monkeypatch, name, some):
    with simulator() as server:
        authentication = provider(name).authentication
        monkeypatch.setenv(authentication.base_url_env, getattr(server, f"{name}_base_url"))
        monkeypatch.setenv(authentication.env[0], "any-key")
        found = {each["id"]: each for each in listed("--provider", name)}

    assert found[some]["is_known"] is True
    assert found[some]["pricing"]["input"] > 0


def test_a_key_of_a_local_server_is_sent(listed, monkeypatch):
    with serving({"data": []}) as (base_url, seen):
        monkeypatch.setenv("LMSTUDIO_BASE_URL", base_url)
        monkeypatch.setenv("LM_API_TOKEN", "any-key")
        assert listed("lmstudio") == []

    assert seen == [("/v1/models", "Bearer any-key")]


def test_without_a_name_the_providers_with_a_key_are_asked(run, monkeypatch):
    with serving({"data": [{"id": "a"}]}, {"data": [{"id": "b"}]}) as (base_url, seen):
        monkeypatch.setenv("GROQ_API_BASE", base_url)
        monkeypatch.setenv("GROQ_API_KEY", "any-key")
        monkeypatch.setenv("XAI_BASE_URL", base_url)
        monkeypatch.setenv("XAI_API_KEY", "another-key")
        code, out, err = run("models", "--live")

    assert (code, err) == (0, [])
    assert [line for line in out if "live" in line] == ["groq, live: 1 model", "xai, live: 1 model"]
    assert [key for _, key in seen] == ["Bearer any-key", "Bearer another-key"]


def test_one_that_fails_does_not_hide_the_others(run, monkeypatch):
    with serving({"data": [{"id": "a"}]}, b"<html>") as (base_url, _):
        monkeypatch.setenv("GROQ_API_BASE", base_url)
        monkeypatch.setenv("GROQ_API_KEY", "any-key")
        monkeypatch.setenv("XAI_BASE_URL", base_url)
        monkeypatch.setenv("XAI_API_KEY", "another-key")
        code, out, err = run("models", "--live")

    assert code == 1
    assert out[0] == "groq, live: 1 model"
    assert err == ["specado: xai/models: the reply is no list of models"]


def test_without_any_key_a_provider_must_be_named(run):
    assert run("models", "--live") == (
        1,
        [],
        [
            (
                "specado: no provider has an API key or an address: set one, or name a provider, "
                "as in --live --provider ollama"
            )
        ],
    )


def test_a_missing_key_names_its_variable(run):
    assert run("models", "groq", "--live") == (
        1,
        [],
        [
            "specado: no API key for 'groq': set GROQ_API_KEY, or providers['groq']['api_key']",
        ],
    )


def test_a_provider_without_a_list_says_so(run, monkeypatch):
    monkeypatch.setenv("GOOGLE_VERTEX_API_KEY", "any-key")

    assert run("models", "vertex", "--live")[2] == [
        "specado: the manifest of 'vertex' names no path at which its models are listed"
    ]


@pytest.mark.parametrize("body", [b"<html>", {"error": None}, "text", {"data": {"id": "a"}}])
def test_what_is_no_list_is_an_error(run, monkeypatch, body):
    with serving(body) as (base_url, _):
        monkeypatch.setenv("VLLM_BASE_URL", base_url)
        code, out, err = run("models", "vllm", "--live")

    assert (code, out) == (1, [])
    assert err == ["specado: vllm/models: the reply is no list of models"]


def test_a_refusal_is_told_in_the_servers_words_without_the_key(run, monkeypatch):
    body = {"error": {"message": "Invalid key a-very-secret-key", "code": "invalid_api_key"}}
    with serving(body, status=401) as (base_url, _):
        monkeypatch.setenv("GROQ_API_BASE", base_url)
        monkeypatch.setenv("GROQ_API_KEY", "a-very-secret-key")
        code, out, err = run("models", "groq", "--live")

    assert (code, out) == (1, [])
    assert err == ["specado: groq/models: Invalid key *** (HTTP 401, invalid_api_key)"]


def test_a_server_that_is_not_there_is_an_error(run, monkeypatch):
    with serving() as (base_url, _):
        pass
    monkeypatch.setenv("VLLM_BASE_URL", base_url)

    code, _, err = run("models", "vllm", "--live")

    assert code == 1
    assert err[0].startswith("specado: vllm/models: no connection to 127.0.0.1:")
