"""Encoded replies, streams and errors, read by the official packages' clients over loopback."""

from __future__ import annotations

import contextlib
import json

import anthropic
import openai
import pytest

from canonical_replies import (
    MODEL,
    OTHER_CALL,
    SIGNED,
    answer,
    chunk,
    chunks_of,
    reply,
)
from encoded_errors import ERRORS
from sockets import ScriptedServer
from specado._core import (
    AnthropicStreamEncoder,
    OpenAIStreamEncoder,
    ResponsesStreamEncoder,
    encode_anthropic_reply,
    encode_openai_reply,
    encode_responses_reply,
)
from specado.dialects.anthropic_messages.error_encoder import encode_anthropic_error
from specado.dialects.openai_chat.error_encoder import encode_openai_error
from specado.dialects.openai_responses.error_encoder import encode_responses_error
from specado.types import ChoiceDelta, FunctionCall, ToolCall

MESSAGES = [{"role": "user", "content": "Hello"}]
CALL = ToolCall("call_1", FunctionCall("get_weather", '{"city": "Paris"}'))
ANSWER = reply(
    answer(
        "It is súnny 🌦\u2028.",
        "tool_calls",
        reasoning="Let me think.",
        reasoning_details=[SIGNED],
        tool_calls=[CALL, OTHER_CALL],
    )
)


@contextlib.contextmanager
def serving(status, headers, body):
    """Run a server that gives every request this answer; yield its URL."""

    def script(peer):
        peer.request()
        headers.setdefault("content-type", "application/json")
        lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", "connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        peer.send("\r\n".join([*lines, "", ""]).encode() + body)

    with ScriptedServer(script) as server:
        yield server.url


@contextlib.contextmanager
def openai_client(body, status=200, **headers):
    with serving(status, headers, body) as url, openai.OpenAI(
        api_key="k", base_url=url, max_retries=0, timeout=10
    ) as client:  # fmt: skip
        yield client


@contextlib.contextmanager
def anthropic_client(body, status=200, **headers):
    with serving(status, headers, body) as url, anthropic.Anthropic(
        api_key="k", base_url=url, max_retries=0, timeout=10
    ) as client:  # fmt: skip
        yield client


EVENTS = {"content-type": "text/event-stream"}


def openai_stream(chunks, **options):
    encoder = OpenAIStreamEncoder(**options)
    return b"".join([encoder.encode(each) for each in chunks]), encoder


def anthropic_stream(chunks):
    encoder = AnthropicStreamEncoder()
    return b"".join([encoder.encode(each) for each in chunks]), encoder


def responses_stream(chunks):
    encoder = ResponsesStreamEncoder()
    return b"".join([encoder.encode(each) for each in chunks]), encoder


def test_openais_client_reads_a_reply():
    with openai_client(encode_openai_reply(ANSWER)[0]) as client:
        found = client.chat.completions.create(model="m", messages=MESSAGES)

    (choice,) = found.choices
    assert (found.id, found.model, found.created) == ("chatcmpl-1", MODEL, 1_700_000_000)
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", "It is súnny 🌦\u2028.")
    assert [call.function.name for call in choice.message.tool_calls] == ["get_weather", "get_time"]
    assert choice.message.tool_calls[0].function.arguments == '{"city": "Paris"}'
    assert found.usage.prompt_tokens_details.cached_tokens == 20


def test_openais_client_reads_a_stream():
    begun, encoder = openai_stream(chunks_of(ANSWER), include_usage=True)
    with (
        openai_client(begun + encoder.finish(), **EVENTS) as client,
        client.chat.completions.stream(model="m", messages=MESSAGES) as stream,
    ):
        found = stream.get_final_completion()

    (choice,) = found.choices
    assert (found.id, found.model, choice.finish_reason) == ("chatcmpl-1", MODEL, "tool_calls")
    assert choice.message.content == "It is súnny 🌦\u2028."
    assert [(call.id, call.function.arguments) for call in choice.message.tool_calls] == [
        ("call_1", '{"city": "Paris"}'),
        ("call_2", '{"zone":"CET"}'),
    ]
    assert found.usage.total_tokens == 120


def test_openais_client_raises_for_a_stream_that_fails():
    begun, encoder = openai_stream([chunk(ChoiceDelta("Hi"))])
    _, _, body = encode_openai_error(ERRORS["interrupted"])
    texts = []
    with openai_client(begun + encoder.fail(body), **EVENTS) as client:
        stream = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        with pytest.raises(openai.APIError, match="refused"):
            texts += [each.choices[0].delta.content for each in stream]


OPENAI_CLASSES = {
    "authentication": openai.AuthenticationError,
    "permission": openai.PermissionDeniedError,
    "rate limit": openai.RateLimitError,
    "quota": openai.RateLimitError,
    "overloaded": openai.InternalServerError,
    "unprocessable": openai.UnprocessableEntityError,
    "model": openai.NotFoundError,
    "context": openai.BadRequestError,
    "policy": openai.BadRequestError,
    "server": openai.InternalServerError,
    "connection": openai.InternalServerError,
    "deadline": openai.InternalServerError,
    "lossy": openai.BadRequestError,
    "message": openai.BadRequestError,
}


@pytest.mark.parametrize("name", OPENAI_CLASSES)
def test_openais_client_raises_its_class(name):
    status, headers, body = encode_openai_error(ERRORS[name])
    with openai_client(body, status, **headers) as client, pytest.raises(openai.APIError) as caught:
        client.chat.completions.create(model="m", messages=MESSAGES)

    error = json.loads(body)["error"]
    assert type(caught.value) is OPENAI_CLASSES[name]
    assert (caught.value.code, caught.value.param) == (error["code"], error["param"])
    assert caught.value.request_id == headers.get("x-request-id")


def test_anthropics_client_reads_a_reply():
    with anthropic_client(encode_anthropic_reply(ANSWER)[0]) as client:
        found = client.messages.create(model="m", max_tokens=9, messages=MESSAGES)

    thinking, text, first, second = found.content
    assert (found.id, found.model, found.stop_reason) == ("chatcmpl-1", MODEL, "tool_use")
    assert (thinking.thinking, thinking.signature) == ("Let me think.", "c2lnbmVk")
    assert text.text == "It is súnny 🌦\u2028."
    assert (first.name, first.input) == ("get_weather", {"city": "Paris"})
    assert (second.name, second.input) == ("get_time", {"zone": "CET"})
    assert (found.usage.input_tokens, found.usage.cache_read_input_tokens) == (60, 20)


def test_anthropics_client_reads_a_stream():
    begun, encoder = anthropic_stream(chunks_of(ANSWER))
    with (
        anthropic_client(begun + encoder.finish(), **EVENTS) as client,
        client.messages.stream(model="m", max_tokens=9, messages=MESSAGES) as stream,
    ):
        found = stream.get_final_message()

    thinking, text, first, second = found.content
    assert (found.id, found.model, found.stop_reason) == ("chatcmpl-1", MODEL, "tool_use")
    assert (thinking.thinking, thinking.signature) == ("Let me think.", "c2lnbmVk")
    assert text.text == "It is súnny 🌦\u2028."
    assert (first.name, first.input) == ("get_weather", {"city": "Paris"})
    assert (second.name, second.input) == ("get_time", {"zone": "CET"})
    assert (found.usage.input_tokens, found.usage.output_tokens) == (60, 30)


def test_anthropics_client_raises_for_a_stream_that_fails():
    begun, encoder = anthropic_stream([chunk(ChoiceDelta("Hi"))])
    _, _, body = encode_anthropic_error(ERRORS["interrupted"])
    with (
        anthropic_client(begun + encoder.fail(body), **EVENTS) as client,
        client.messages.stream(model="m", max_tokens=9, messages=MESSAGES) as stream,
        pytest.raises(anthropic.APIStatusError, match="refused"),
    ):
        stream.get_final_message()


ANTHROPIC_CLASSES = {
    "authentication": anthropic.AuthenticationError,
    "permission": anthropic.PermissionDeniedError,
    "rate limit": anthropic.RateLimitError,
    "quota": anthropic.APIStatusError,
    "overloaded": anthropic._exceptions.OverloadedError,
    "unprocessable": anthropic.UnprocessableEntityError,
    "model": anthropic.NotFoundError,
    "context": anthropic.BadRequestError,
    "policy": anthropic.BadRequestError,
    "server": anthropic.InternalServerError,
    "connection": anthropic.InternalServerError,
    "deadline": anthropic.InternalServerError,
    "lossy": anthropic.BadRequestError,
    "message": anthropic.BadRequestError,
}


@pytest.mark.parametrize("name", ANTHROPIC_CLASSES)
def test_anthropics_client_raises_its_class(name):
    status, headers, body = encode_anthropic_error(ERRORS[name])
    with (
        anthropic_client(body, status, **headers) as client,
        pytest.raises(anthropic.APIError) as caught,
    ):
        client.messages.create(model="m", max_tokens=9, messages=MESSAGES)

    assert type(caught.value) is ANTHROPIC_CLASSES[name]
    assert caught.value.body == json.loads(body)
    assert caught.value.request_id == headers.get("request-id")


def check_response(found):
    *thoughts, said, first, second = found.output
    assert (found.id, found.model, found.status) == ("chatcmpl-1", MODEL, "completed")
    assert [each.summary[0].text for each in thoughts] == ["Let me think."]
    assert found.output_text == said.content[0].text == "It is súnny 🌦\u2028."
    assert (first.call_id, first.name, first.arguments) == (
        "call_1",
        "get_weather",
        '{"city": "Paris"}',
    )
    assert (second.call_id, second.name, second.arguments) == (
        "call_2",
        "get_time",
        '{"zone":"CET"}',
    )
    assert (found.usage.input_tokens, found.usage.input_tokens_details.cached_tokens) == (90, 20)


def test_openais_client_reads_a_response():
    with openai_client(encode_responses_reply(ANSWER)[0]) as client:
        found = client.responses.create(model="m", input="Hello")

    check_response(found)


def test_openais_client_adds_a_stream_of_a_response_up():
    begun, encoder = responses_stream(chunks_of(ANSWER))
    with (
        openai_client(begun + encoder.finish(), **EVENTS) as client,
        client.responses.stream(model="m", input="Hello") as stream,
    ):
        events = list(stream)
        found = stream.get_final_response()

    check_response(found)
    texts = [each.delta for each in events if each.type == "response.output_text.delta"]
    assert "".join(texts) == "It is súnny 🌦\u2028."
    done = [each for each in events if each.type == "response.function_call_arguments.done"]
    assert [each.arguments for each in done] == ['{"city": "Paris"}', '{"zone":"CET"}']


def test_openais_client_finds_no_response_in_a_stream_that_fails():
    begun, encoder = responses_stream([chunk(ChoiceDelta("Hi"))])
    _, _, body = encode_responses_error(ERRORS["interrupted"])
    with (
        openai_client(begun + encoder.fail(body), **EVENTS) as client,
        client.responses.stream(model="m", input="Hello") as stream,
    ):
        *_, error, last = list(stream)
        with pytest.raises(RuntimeError, match=r"response\.completed"):
            stream.get_final_response()

    assert (error.type, last.type) == ("error", "response.failed")
    assert last.response.error.code == "server_error"


@pytest.mark.parametrize("name", OPENAI_CLASSES)
def test_openais_client_raises_its_class_for_a_response(name):
    status, headers, body = encode_responses_error(ERRORS[name])
    with openai_client(body, status, **headers) as client, pytest.raises(openai.APIError) as caught:
        client.responses.create(model="m", input="Hello")

    # The Responses API answers 400 where chat completions answer 404.
    expected = openai.BadRequestError if name == "model" else OPENAI_CLASSES[name]
    error = json.loads(body)["error"]
    assert type(caught.value) is expected
    assert (caught.value.code, caught.value.param) == (error["code"], error["param"])
    assert caught.value.request_id == headers.get("x-request-id")
