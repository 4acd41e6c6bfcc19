"""What an error and a stream show of the provider's reply: its headers, its body, no secret."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from typing import TYPE_CHECKING

import pytest

import sockets
from played_streams import CALLERS, HELLO, client, play, streamed
from specado import (
    ConnectionFailedError,
    ContentPolicyError,
    MalformedResponseError,
    ProviderError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
    parse_error,
)
from stream_readers import sse

if TYPE_CHECKING:
    from collections.abc import Mapping

EACH_CALLER = pytest.mark.parametrize("caller", CALLERS)
KEY = "sk-test-key-one"  # of `client`
LIMITS = (
    "X-RateLimit-Remaining-Tokens: 7\r\n"
    "Anthropic-RateLimit-Tokens-Reset: 2026-12-01T00:00:00Z\r\n"
    "Retry-After: 30\r\n"
    "X-Request-Id: req_1\r\n"
)
SECRETS = (
    "Set-Cookie: session=1\r\n"
    "Set-Cookie2: session=2\r\n"
    "Authorization: Bearer abc\r\n"
    "Proxy-Authorization: Basic abc\r\n"
    "Authentication-Info: nextnonce=1\r\n"
    "X-Api-Key: abc\r\n"
    "X-Auth-Token: abc\r\n"
    "X-Client-Secret: abc\r\n"
)
SHOWN = {
    "x-ratelimit-remaining-tokens": "7",
    "anthropic-ratelimit-tokens-reset": "2026-12-01T00:00:00Z",
    "retry-after": "30",
    "x-request-id": "req_1",
}
LIMITED = b'{"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}}'


def failure(reply: bytes, caller: str = "sync", kind: type = ProviderError, **config: object):
    """Return the error of a stream's call that gets this reply."""
    with sockets.ScriptedServer(sockets.answers(reply)) as server, pytest.raises(kind) as caught:
        play(client(server.url, **config), caller)
    return caught.value


def without_length(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in headers.items() if name != "content-length"}


@EACH_CALLER
def test_an_error_has_the_headers_and_the_body_of_its_reply(caller):
    error = failure(sockets.reply(LIMITED, 429, LIMITS + SECRETS), caller, RateLimitError)

    assert without_length(error.headers) == SHOWN
    assert error.body == LIMITED.decode()
    assert error.request_id == "req_1"
    assert error.errors[0].headers == error.headers
    assert error.errors[0].body == error.body


def test_copies_and_pickles_keep_them():
    error = failure(sockets.reply(LIMITED, 429, LIMITS))

    for copied in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert copied.headers == error.headers
        assert copied.headers["retry-after"] == "30"
        assert copied.body == error.body
    assert error.with_addition("more").body == error.body


def test_without_a_reply_there_are_none():
    with sockets.refusing_url() as url, pytest.raises(ConnectionFailedError) as caught:
        play(client(url), "sync")

    error = caught.value
    assert (dict(error.headers), error.body) == ({}, None)
    copied = pickle.loads(pickle.dumps(error))
    assert (dict(copied.headers), copied.body) == ({}, None)


@pytest.mark.parametrize(
    "written",
    [KEY, "sk-other-key-2", KEY.replace("-", "\\u002d"), KEY.replace("-", "\\u002D")],
    ids=["the key", "another key", "escaped", "escaped in capitals"],
)
def test_no_key_stands_in_them(written):
    body = f'{{"error": {{"message": "no", "key": "{written}"}}}}'.encode()

    error = failure(sockets.reply(body, 400, f"X-Echo: got {KEY}\r\n"))

    assert error.body == '{"error": {"message": "no", "key": "***"}}'
    assert error.headers["x-echo"] == "got ***"


def test_a_key_with_an_escaped_slash_is_redacted_and_other_escapes_stay():
    body = b'{"error": {"message": "a\\/b+c= \\u0022 \\\\/ \\n \\u00e9 \\u003c", "code": "x"}}'

    with sockets.ScriptedServer(sockets.answers(sockets.reply(body, 400))) as server:
        one = client(
            server.url, providers={"openai": {"api_key": "a/b+c=", "base_url": server.url}}
        )
        with pytest.raises(ProviderError) as caught:
            one.chat.completions.create("gpt-4.1", "Hi")

    expected = '{"error": {"message": "*** \\u0022 \\\\/ \\n \\u00e9 <", "code": "x"}}'
    assert caught.value.body == expected
    assert json.loads(expected)["error"]["message"] == '*** " \\/ \n é <'


def test_a_body_is_redacted_before_it_is_cut():
    body = b"x" * 7_995 + KEY.encode() + b"y" * 10_000

    error = failure(sockets.reply(body, 500), kind=ServerError)

    assert error.body == "x" * 7_995 + "***yy" + "…"


def test_a_body_that_is_no_text_is_shown_as_far_as_it_is():
    error = failure(sockets.reply(b"\xff down", 503))

    assert error.body == "� down"


@EACH_CALLER
def test_a_reply_that_cannot_be_read_is_shown(caller):
    page = b"<html>Sign in</html>"

    error = failure(
        sockets.reply(page, 200, LIMITS + "Content-Type: text/html\r\n"),
        caller,
        MalformedResponseError,
    )

    assert error.body == page.decode()
    assert error.headers["x-ratelimit-remaining-tokens"] == "7"


@EACH_CALLER
def test_an_error_event_before_the_first_content_is_the_body(caller):
    event = b'{"error": {"message": "too busy", "type": "server_error", "code": null}}'

    error = failure(streamed(b"data: " + event + b"\n\n", headers=LIMITS), caller, ServerError)

    assert error.body == event.decode()
    assert error.headers["x-ratelimit-remaining-tokens"] == "7"


@EACH_CALLER
def test_an_interrupted_stream_has_the_headers_of_its_reply(caller):
    reply = streamed(sse(*HELLO[:2], done=False), headers=LIMITS + SECRETS)
    with sockets.ScriptedServer(sockets.answers(reply)) as server:
        played = play(client(server.url), caller)

    error = played.error
    assert isinstance(error, StreamInterruptedError)
    for each in (error, error.errors[-1]):
        assert each.headers["x-ratelimit-remaining-tokens"] == "7"
        assert "set-cookie" not in each.headers
        assert each.request_id == "req_1"
        assert each.body is None


@EACH_CALLER
def test_a_connection_that_breaks_in_a_stream_leaves_its_headers(caller):
    reply = streamed(sse(*HELLO[:2], done=False), headers=LIMITS).removesuffix(b"0\r\n\r\n")
    script = sockets.answers_then_closes(reply)
    with sockets.ScriptedServer(script) as server:
        error = play(client(server.url), caller).error

    assert error is not None
    assert (error.code, error.status_code) == ("truncated", None)
    assert error.errors[-1].headers["retry-after"] == "30"


def test_a_refusal_that_counts_as_an_error_has_those_of_its_reply():
    message = {"role": "assistant", "content": None, "refusal": "No."}
    body = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4.1",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }
    reply = sockets.reply(json.dumps(body).encode(), 200, LIMITS)

    with sockets.ScriptedServer(sockets.answers(reply)) as server:
        one = client(server.url, fallback_on_content_policy=True)
        with pytest.raises(ContentPolicyError) as caught:
            one.chat.completions.create("gpt-4.1", "Hi", max_tokens=20)

    assert json.loads(caught.value.body or "") == body
    assert caught.value.headers["x-ratelimit-remaining-tokens"] == "7"
    assert caught.value.request_id == "req_1"


def test_an_error_that_is_parsed_has_them_too():
    error = parse_error(429, {"X-RateLimit-Remaining": "0", "Set-Cookie": "a"}, LIMITED, "openai")

    assert (error.headers, error.body) == ({"x-ratelimit-remaining": "0"}, LIMITED.decode())


# Streams


@EACH_CALLER
def test_a_streams_headers_and_request_id_are_there_from_the_start(caller):
    reply = streamed(sse(*HELLO), headers=LIMITS)
    seen = []

    async def main(one):
        async with await one.chat.completions.create_async("gpt-4.1", "Hi", stream=True) as stream:
            seen.append((stream.headers, stream.request_id))
            async for _ in stream:
                pass
        return stream

    with sockets.ScriptedServer(sockets.answers(reply)) as server:
        one = client(server.url)
        if caller == "async":
            stream = asyncio.run(main(one))
        else:
            stream = one.chat.completions.create("gpt-4.1", "Hi", stream=True)
            seen.append((stream.headers, stream.request_id))
            list(stream)

    [(headers, request_id)] = seen
    assert {name: headers[name] for name in SHOWN} == SHOWN
    assert request_id == "req_1"
    assert stream.response().headers == headers


def test_a_stream_whose_provider_gives_no_id_has_none():
    with sockets.ScriptedServer(sockets.answers(streamed(sse(*HELLO)))) as server:
        stream = client(server.url).chat.completions.create("gpt-4.1", "Hi", stream=True)

        assert stream.request_id is None
        list(stream)
