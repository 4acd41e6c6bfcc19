"""Hints in error messages: the path, the model, the message's content."""

from __future__ import annotations

import asyncio
import datetime as dt
import json

import pytest

import sockets
from specado import (
    AsyncClient,
    Client,
    MalformedResponseError,
    Message,
    MessageFormatError,
    ModelNotFoundError,
    ProviderError,
    StreamInterruptedError,
    parse_error,
    parse_response,
    register_manifest,
    translate,
)
from specado.simulator.server import running

HELLO = [{"role": "user", "content": "Hello"}]
OPENAI_PATH = (
    "; check base_url: /chat/completions is added to it (OpenAI's is https://api.openai.com/v1)"
)
ANTHROPIC_PATH = (
    "; check base_url: /v1/messages is added to it (Anthropic's is https://api.anthropic.com)"
)


def openai_error(message, type_="invalid_request_error", code=None):
    return json.dumps({"error": {"message": message, "type": type_, "code": code}}).encode()


def raised(body, status, model, **config):
    """The error of a call that gets this reply, and of a stream: both are the same."""
    reply = sockets.reply(body, status)
    with sockets.ScriptedServer(sockets.answers(reply)) as server:
        client = Client(api_key="k", base_url=f"{server.url}/wrong", max_retries=0, **config)
        with pytest.raises(ModelNotFoundError) as whole:
            client.chat.completions.create(model, HELLO)
        with pytest.raises(ModelNotFoundError) as stream:
            client.chat.completions.create(model, HELLO, stream=True)
    assert str(whole.value) == str(stream.value)
    return str(whole.value)


# Whether the routing failed


def text_of(client, model="gpt-4o", **given):
    with pytest.raises(ProviderError) as caught:
        client.chat.completions.create(model, HELLO, **given)
    return str(caught.value)


def test_an_error_of_the_one_candidate_is_told_as_its_own():
    text = text_of(Client(), "server-error-test-model", max_retries=1, fallback_models=[])

    assert text.startswith("Provider error: openai/server-error-test-model: ")


def test_routing_failed_where_several_candidates_were_asked():
    text = text_of(
        Client(), "server-error-test-model", max_retries=0, fallback_models=["quota-test-model"]
    )

    assert text.startswith("Provider error: Routing failed: openai/server-error-test-model: ")
    assert "; openai/quota-test-model: " in text


def test_a_first_error_that_no_other_candidate_can_mend_is_told_as_its_own():
    text = text_of(Client(), "auth-error-test-model", fallback_models=["gpt-4o"])

    assert text.startswith("Provider error: openai/auth-error-test-model: ")


def test_a_stream_that_broke_off_is_told_of_the_candidate_that_broke_off():
    given = {"fallback_models": ["stream-cut-test-model"], "max_retries": 0, "stream": True}
    stream = Client().chat.completions.create("server-error-test-model", HELLO, **given)

    with pytest.raises(StreamInterruptedError) as caught:
        list(stream)

    assert len(caught.value.errors) == 2
    assert str(caught.value).startswith("Provider error: openai/stream-cut-test-model: ")


# The path

WRONG_PATHS = [
    b"<!doctype html><title>404</title>",
    b'{"detail":"Not Found"}',
    b"404 page not found",
    b"",
    openai_error("Invalid URL (POST /v1/models/gpt-4o/chat/completions)"),
    openai_error("Unknown request URL: POST /wrong. Please check the URL for typos"),
    openai_error("Not Found: POST /v1/v1/messages. Served: GET /v1/models/{id}."),
]


@pytest.mark.parametrize("body", WRONG_PATHS)
def test_a_404_of_no_model_says_to_check_the_address(body):
    assert raised(body, 404, "gpt-4o").endswith(f"){OPENAI_PATH}")


def test_the_path_and_the_example_are_those_of_the_dialect():
    body = b'{"type":"error","error":{"type":"not_found_error","message":"Not Found"}}'

    error = parse_error(404, {}, body, "anthropic")

    assert str(error).endswith(f"anthropic/: Not Found (HTTP 404, not_found_error){ANTHROPIC_PATH}")


@pytest.mark.parametrize(
    ("provider", "path"), [("openai", "/v2"), ("anthropic", "/v1"), ("openai", "")]
)
def test_a_wrong_path_of_the_simulator_says_so_too(provider, path):
    with running() as server:
        client = Client(
            {"primary_provider": provider}, base_url=f"{server.url}{path}", api_key="any-key"
        )

        text = text_of(client, "mine")

    assert text.endswith(OPENAI_PATH if provider == "openai" else ANTHROPIC_PATH)


def test_a_server_of_ones_own_has_its_own_path():
    register_manifest({"name": "mine", "base_url": "http://a", "endpoints": {"chat": "/chat"}})

    assert str(parse_error(404, {}, b"", "mine")).endswith(
        "; check base_url: /chat is added to it (OpenAI's is https://api.openai.com/v1)"
    )


def test_a_method_that_is_not_allowed_is_a_wrong_path():
    assert str(parse_error(405, {}, b'{"detail":"Method Not Allowed"}', "openai")).endswith(
        f"(HTTP 405){OPENAI_PATH}"
    )


def test_a_page_in_place_of_a_reply_says_to_check_the_address():
    with pytest.raises(MalformedResponseError) as caught:
        parse_response(b"\n<html>Welcome</html>", "openai")

    assert str(caught.value).endswith(f"the reply is not JSON (HTTP 200){OPENAI_PATH}")
    with pytest.raises(MalformedResponseError) as other:
        parse_response(b"Welcome", "openai")
    assert str(other.value).endswith("the reply is not JSON (HTTP 200)")


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_other_errors_say_nothing_of_the_address(status):
    assert "base_url" not in str(parse_error(status, {}, b"<html>", "openai"))


# The model

NOT_THE_PATH = [
    openai_error("The model `gpt-4oo` does not exist", code="model_not_found"),
    openai_error('model "gpt-4oo" not found, try pulling it first', "api_error"),
    openai_error("gpt-4oo is not here", "NotFoundError"),
    openai_error("The API deployment for this resource does not exist.", code="DeploymentNotFound"),
]


@pytest.mark.parametrize("body", NOT_THE_PATH)
def test_an_unknown_model_names_the_nearest_that_is_known(body):
    text = raised(body, 404, "gpt-4oo")

    assert text.endswith("; the nearest model known for 'openai' is 'gpt-4o'")
    assert "base_url" not in text


def test_the_nearest_model_is_one_of_the_same_provider_and_not_retired():
    manifest = {
        "name": "mine",
        "base_url": "https://mine.example",
        "models": {"llama-9": {"deprecation_date": "2020-01-01"}, "llama-8": {}},
    }
    register_manifest(manifest)
    body = openai_error("no such model", code="model_not_found")

    with sockets.ScriptedServer(sockets.answers(sockets.reply(body, 404))) as server:
        client = AsyncClient({"primary_provider": "mine"}, api_key="k", base_url=server.url)
        with pytest.raises(ModelNotFoundError, match="nearest model known for 'mine' is 'llama-8'"):
            asyncio.run(client.chat.completions.create("llama-9b", HELLO))


@pytest.mark.parametrize("model", ["gpt-4o", "nothing-like-it"])
def test_a_model_that_is_known_or_like_none_names_no_other(model):
    body = openai_error(f"The model `{model}` does not exist", code="model_not_found")

    assert "nearest" not in raised(body, 404, model)


# What stands in a message


class Odd:
    def __repr__(self):
        return "<Odd " + "x" * 1000 + ">"


class Raises:
    def __repr__(self):
        raise ValueError("no repr")


LONG = 80
SHOWN = [
    (123, "int (123)"),
    (1.5, "float (1.5)"),
    (b"abc", "bytes (b'abc')"),
    pytest.param(b"a" * 10_000_000, f"bytes (b'{'a' * (LONG - 2)}…)", id="long"),
    (dt.date(2026, 11, 30), "date (datetime.date(2026, 11, 30))"),
    (Odd(), f"Odd (<Odd {'x' * (LONG - 5)}…)"),
    (Raises(), "Raises"),
    pytest.param(10**5000, "int", id="huge"),
    ({"text": "a\nb"}, "dict ({'text': 'a\\nb'})"),
    (f"sk-{'a' * 30}".encode(), "bytes (b'***')"),
]


def refused(content):
    with pytest.raises(MessageFormatError) as caught:
        Client().chat.completions.plan("gpt-4o", [{"role": "user", "content": content}])
    return caught.value


@pytest.mark.parametrize(("value", "shown"), SHOWN)
def test_content_that_is_none_shows_its_type_and_how_it_begins(value, shown):
    error = refused(value)

    assert str(error) == (
        "Message format error: messages[0].content: must be a str, a list of content parts or "
        f"None, not {shown}"
    )
    assert (error.index, error.field) == (0, "content")


@pytest.mark.parametrize(("value", "shown"), SHOWN)
def test_a_message_shows_it_when_it_is_made(value, shown):
    with pytest.raises(MessageFormatError) as caught:
        Message("user", value)

    assert str(caught.value).endswith(f"a list of content parts or None, not {shown}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([5], "content[0]: must be a dict with a type, not int (5)"),
        ([{"type": "text", "text": b"hi"}], "content[0].text: must be a str, not bytes (b'hi')"),
        ([{"type": "text"}], "content[0].text: must be a str, not None"),
        (
            [{"type": "text", "text": "a", "more": {"when": {1, 2}}}],
            "content[0].more.when: set ({1, 2}) has no JSON form",
        ),
        (
            [{"type": "image_url", "image_url": 5}],
            "content[0].image_url: must be a dict, not int (5)",
        ),
        (
            [{"type": "image_url", "image_url": {"url": dt.date(2026, 1, 1)}}],
            "content[0].image_url.url: must be a str, not date (datetime.date(2026, 1, 1))",
        ),
        ([{"type": "file", "file": [1]}], "content[0].file: must be a dict, not list ([1])"),
    ],
)
def test_a_part_of_the_content_shows_it_too(content, said):
    assert str(refused(content)) == f"Message format error: messages[0].{said}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (5, "content: must be a str or a list of content blocks, not int (5)"),
        ([5], "content[0]: must be a dict, not int (5)"),
        ([{"type": "text", "text": b"hi"}], "content[0].text: must be a str, not bytes (b'hi')"),
    ],
)
def test_content_in_the_shape_of_anthropic_shows_it_too(content, said):
    request = {"model": "claude-opus-4-6", "messages": [{"role": "user", "content": content}]}

    with pytest.raises(MessageFormatError) as caught:
        translate({**request, "max_tokens": 5}, "openai", source="anthropic")

    assert str(caught.value) == f"Message format error: messages[0].{said}"
