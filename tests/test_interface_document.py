"""Every Python example of the interface document: it runs unchanged, without a key.

The examples run in document order in one namespace. Nine are signatures or fragments and are
held against what the package has instead. Each test can run alone: what stands above an example
in the document is run first, once per session.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import textwrap
import unittest

import pytest

import specado
from interface_document import DOCUMENT, EXAMPLES, FRAGMENT_AT, FRAGMENT_LINES, FRAGMENTS
from markdown_examples import ExamplePage
from reference_files import require_reference

require_reference()
pytestmark = pytest.mark.filterwarnings("ignore::specado.SimulatedReplyWarning")

RUNNABLE = [example for example in EXAMPLES if example.line not in FRAGMENT_LINES]


def line_of(text):
    """Return the line of the one runnable example that holds *text*."""
    (line,) = [example.line for example in RUNNABLE if text in example.source]
    return line


@pytest.fixture(scope="session")
def page(tmp_path_factory):
    return ExamplePage(DOCUMENT, tmp_path_factory.mktemp("document"), fragments=FRAGMENT_LINES)


@pytest.fixture
def defined(page):
    """Give what an example defines, in the surroundings that the examples run in."""

    def look_up(name):
        example = next(
            example
            for example in RUNNABLE
            if re.search(rf"^(async def|def|class) {name}\b", example.source, re.MULTILINE)
        )
        return page.outcome(example.line).names[name]

    with page.surroundings():
        yield look_up


@pytest.fixture
def response():
    return specado.Client().chat.completions.create(
        model="gpt-4", messages=[specado.Message("user", "Hello")]
    )


def documented(start):
    """Return the syntax tree of a signature example, its `def` lines given a body."""
    source = re.sub(
        r"(-> [\w\[\], .]+)$", r"\1: ...", FRAGMENT_AT[start].source, flags=re.MULTILINE
    )
    return ast.parse(textwrap.dedent(source)).body[0]


def fields(start):
    """Return the documented attributes of a class: name -> annotation text."""
    return {
        node.target.id: ast.unparse(node.annotation)
        for node in documented(start).body
        if isinstance(node, ast.AnnAssign)
    }


def parameters(function):
    """Return a documented signature's parameters: (name, default or `required`)."""
    arguments = [argument.arg for argument in function.args.args if argument.arg != "self"]
    defaults = [ast.literal_eval(default) for default in function.args.defaults]
    required = ["required"] * (len(arguments) - len(defaults))
    return list(zip(arguments, [*required, *defaults]))


def accepted(function, names):
    """Return the first parameters of *function*, and whether those beyond *names* may be left."""
    found = [
        (parameter.name, "required" if parameter.default is parameter.empty else parameter.default)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        and parameter.name != "self"
    ]
    assert all(default != "required" for _, default in found[len(names) :])
    return found[: len(names)]


# --- the examples -----------------------------------------------------------------------------


def test_the_document_has_the_examples_that_these_tests_know():
    assert len(EXAMPLES) == 47
    assert len(FRAGMENT_LINES) == 9


@pytest.mark.parametrize("line", [example.line for example in RUNNABLE])
def test_example_runs_unchanged(line, page):
    outcome = page.outcome(line)

    assert outcome.error is None


def test_quick_start_says_who_answered(page):
    output = page.outcome(line_of("# Create a client with default providers")).output.splitlines()

    assert len(output[0]) > len("Response: ")
    assert output[-2:] == ["Provider used: openai", "Fallback triggered: False"]


def test_configuration_reads_back_as_text(page):
    names = page.outcome(line_of("keys = client.config_keys()")).names

    assert names["primary"] == "openai"
    assert {"primary_provider", "fallback_provider"} <= set(names["keys"])
    assert {type(key) for key in names["keys"]} == {str}


def test_messages_keep_role_and_content(page):
    names = page.outcome(line_of("user_msg =")).names

    assert (names["system_msg"].role, names["user_msg"].content) == ("system", "Hello!")
    assert repr(specado.Message("user", "Hello")) == "Message(role='user', content='Hello')"


def test_manifests_name_their_providers_and_the_documented_models(page):
    openai = page.outcome(line_of("print(f\"Models: {list(manifest['models'].keys())}\")")).names
    anthropic = specado.get_anthropic_manifest()

    assert {"gpt-4", "gpt-4-turbo", "gpt-3.5-turbo"} <= set(openai["manifest"]["models"])
    assert "claude-3-opus" in anthropic["models"]


def test_model_capabilities_are_what_the_document_prints(page):
    output = page.outcome(line_of("# Get GPT-4 capabilities")).output

    assert output == "Function calling: True\nVision: True\nMax context: 128000\n"


def test_a_migration_to_a_model_without_json_mode_is_lossy(page):
    output = page.outcome(line_of("Comparison Results:")).output

    assert "  Lossy migration: True\n" in output
    assert "  Severity: None\n" not in output
    assert "\nMissing in target:\n  - " in output


def test_version_is_the_attribute(page):
    version = page.outcome(line_of("version = specado.version()")).names["version"]

    assert version == specado.__version__


def test_every_documented_fault_falls_back(page):
    output = page.outcome(line_of("# Test different failure scenarios")).output

    told = re.findall(
        r"Testing: (.+)\n  Provider: (\w+)\n  Fallback: (\w+)\n  Attempts: \d+", output
    )
    assert told == [
        ("Normal request", "openai", "False"),
        ("Triggers timeout", "anthropic", "True"),
        ("Triggers rate limit", "anthropic", "True"),
        ("Triggers server error", "anthropic", "True"),
    ]


def test_conversation_holds_what_was_said(page):
    conversation = page.outcome(line_of("# Build conversation history")).names["conversation"]

    assert [message.role for message in conversation] == ["system", "user", "assistant", "user"]


def test_batch_completes_every_request(page):
    output = page.outcome(line_of("# Process multiple requests concurrently")).output

    assert output == "Completed 10 requests\n"


# --- the nine signatures and fragments --------------------------------------------------------


def test_client_takes_a_config():
    (init,) = documented("class Client:").body

    assert accepted(specado.Client, ["config"]) == parameters(init) == [("config", None)]
    assert hasattr(specado.Client().chat, "completions")


def test_message_takes_role_and_content():
    init = documented("class Message:").body[0]
    message = specado.Message("user", "Hello")

    assert accepted(specado.Message, ["role", "content"])[0] == parameters(init)[0]
    assert accepted(specado.Message, ["role", "content"])[1][0] == parameters(init)[1][0]
    assert fields("class Message:") == {"role": "str", "content": "str"}
    assert (message.role, message.content) == ("user", "Hello")


def test_response_has_the_documented_attributes(response):
    kinds = {
        name: type(getattr(response, name)) for name in fields("class ChatCompletionResponse:")
    }

    assert kinds == {
        "id": str,
        "object": str,
        "created": int,
        "model": str,
        "choices": list,
        "extensions": specado.Extensions,
    }
    assert response.object == "chat.completion"
    assert [type(choice) for choice in response.choices] == [specado.Choice]


def test_response_fragment_prints_what_it_names(response, capsys):
    example = FRAGMENT_AT["response = client.chat.completions.create(...)"]
    shown = example.source.partition("\n")[2]

    exec(shown, {"response": response})

    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"ID: {response.id}",
        f"Model: {response.model}",
        f"Created: {response.created}",
    ]


def test_choice_has_the_documented_attributes(response):
    (choice,) = response.choices
    kinds = {name: type(getattr(choice, name)) for name in fields("class Choice:")}

    assert kinds == {"index": int, "message": specado.Message, "finish_reason": str}
    assert (choice.index, choice.finish_reason) == (0, "stop")


def test_extensions_have_the_documented_attributes_and_metadata(response):
    kinds = {name: type(getattr(response.extensions, name)) for name in fields("class Extensions:")}
    metadata = response.extensions.metadata

    assert kinds == {
        "provider_used": str,
        "fallback_triggered": bool,
        "attempts": int,
        "metadata": dict,
    }
    assert {name: metadata[name] for name in ("primary_provider", "fallback_provider")} == {
        "primary_provider": "openai",
        "fallback_provider": "anthropic",
    }
    assert metadata["fallback_used"] is False
    assert "fallback_index" not in metadata


def test_metadata_of_a_fallback_names_its_index_and_the_errors():
    response = specado.Client().chat.completions.create(
        model="timeout-test-model", messages=[specado.Message("user", "Hello")]
    )

    metadata = response.extensions.metadata
    assert (metadata["fallback_used"], metadata["fallback_index"]) == (True, 0)
    assert metadata["provider_errors"]
    assert {type(error) for error in metadata["provider_errors"]} == {str}


@pytest.mark.parametrize(
    ("start", "method"), [("def create(", "create"), ("async def create_async(", "create_async")]
)
def test_create_takes_the_documented_parameters(start, method):
    function = documented(start)
    names = [name for name, _ in parameters(function)]
    bound = getattr(specado.Client().chat.completions, method)

    assert names == ["model", "messages", "temperature", "max_tokens"]
    assert accepted(bound, names) == parameters(function)
    assert inspect.iscoroutinefunction(bound) == isinstance(function, ast.AsyncFunctionDef)


def test_isinstance_fragment_is_true():
    fragment = FRAGMENT_AT[FRAGMENTS[-1]].source

    assert eval(fragment, {"specado": specado, "msg": specado.Message("user", "Hello")}) is True


# --- what the examples define -----------------------------------------------------------------

HELLO = [specado.Message("user", "Hello")]
CALLED = {
    "CircuitBreaker",
    "Conversation",
    "SpecadoManager",
    "TestSpecadoIntegration",
    "async_completion",
    "completion_with_backoff",
    "create_configured_client",
    "get_development_client",
    "get_production_client",
    "monitored_completion",
    "process_completion",
    "protected_completion",
    "safe_completion",
    "smart_model_selection",
}


def test_everything_that_examples_define_is_called_below():
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

    found = {
        node.name
        for example in RUNNABLE
        for node in ast.parse(example.source).body
        if isinstance(node, definitions)
    }

    assert found == CALLED


@pytest.mark.parametrize(
    "name",
    [
        "completion_with_backoff",
        "monitored_completion",
        "process_completion",
        "protected_completion",
        "safe_completion",
    ],
)
def test_a_completion_function_gives_a_reply(name, defined):
    reply = defined(name)(HELLO)

    assert isinstance(reply.choices[0].message.content, str)
    assert reply.extensions.provider_used == "openai"


def test_the_async_function_gives_a_reply(defined):
    reply = asyncio.run(defined("async_completion")(HELLO))

    assert isinstance(reply.choices[0].message.content, str)


@pytest.mark.parametrize(
    "name", ["completion_with_backoff", "monitored_completion", "safe_completion"]
)
def test_a_completion_function_passes_a_message_error_on(name, defined):
    with pytest.raises(TypeError, match="Message format error"):
        defined(name)([42])


@pytest.mark.parametrize(
    ("task", "model"),
    [("vision", "gpt-4-turbo"), ("function_calling", "gpt-4-turbo"), ("other", "gpt-4")],
)
def test_smart_model_selection(task, model, defined):
    assert defined("smart_model_selection")(task) == model


def test_configured_client_reads_the_environment(defined, monkeypatch):
    monkeypatch.setenv("SPECADO_PRIMARY_PROVIDER", "anthropic")
    monkeypatch.setenv("SPECADO_FALLBACK_PROVIDER", "openai")

    client = defined("create_configured_client")()

    settings = ("primary_provider", "fallback_provider", "max_retries", "enable_fallback")
    assert [client.get_config(key) for key in settings] == ["anthropic", "openai", "3", "True"]
    assert float(client.get_config("timeout_seconds")) == 30


@pytest.mark.parametrize(
    ("name", "fallback", "timeout_s", "retries"),
    [
        ("get_production_client", "anthropic", 30, "3"),
        ("get_development_client", "openai", 10, "1"),
    ],
)
def test_client_of_an_environment(name, fallback, timeout_s, retries, defined):
    client = defined(name)()

    assert client.get_config("fallback_provider") == fallback
    assert float(client.get_config("timeout_seconds")) == timeout_s
    assert client.get_config("max_retries") == retries


def test_manager_completes(defined):
    reply = defined("SpecadoManager")().complete(HELLO, model="gpt-4", temperature=0.5)

    assert reply.extensions.provider_used == "openai"


def test_conversation_grows_and_is_cut(defined):
    conversation = defined("Conversation")("You are a helpful assistant")
    for turn in range(3):
        conversation.add_user_message(f"Question {turn}")
        conversation.get_response(temperature=0.2)

    conversation.truncate_if_needed(max_messages=3)

    roles = [message.role for message in conversation.messages]
    assert roles == ["system", "user", "assistant"]


def test_circuit_breaker_opens_on_failures_and_stays_closed_on_replies(defined):
    breaker = defined("CircuitBreaker")(failure_threshold=2)
    create = specado.Client().chat.completions.create

    reply = breaker.call(create, model="gpt-4", messages=HELLO)
    assert (reply.extensions.provider_used, breaker.state) == ("openai", "CLOSED")

    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"^Provider error: openai/auth-error-test-model: "):
            breaker.call(create, model="auth-error-test-model", messages=HELLO)
    assert breaker.state == "OPEN"


def test_the_documents_own_test_case_passes(defined):
    case = defined("TestSpecadoIntegration")
    outcome = unittest.TestResult()

    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(outcome)

    assert outcome.testsRun == 3
    assert outcome.failures == outcome.errors == []
