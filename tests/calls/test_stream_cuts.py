"""Streams that break off, and replies that are no stream."""

from __future__ import annotations

import json

import pytest

import sockets
from played_streams import (
    CALLERS,
    EVENT_STREAM,
    HEAD,
    HELLO,
    OTHER_TEXT,
    client,
    piece,
    play,
    reply_json,
    streamed,
)
from specado import (
    AuthenticationError,
    MalformedResponseError,
    OverloadedError,
    ProviderError,
    RateLimitError,
    StreamInterruptedError,
    reset_state,
)
from stream_readers import joined, sse

EACH_CALLER = pytest.mark.parametrize("caller", CALLERS)
PING = b": ping\n\n"
ROLE, HEL, LO, STOP, COUNTS = (sse(event, done=False) for event in HELLO)
DONE = b"data: [DONE]\n\n"
SHORT_S = 0.3


# Providers that do not stream


@EACH_CALLER
@pytest.mark.parametrize("asked", [True, False])
def test_a_whole_reply_in_place_of_a_stream_is_read(caller, asked):
    calls = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    answer = sockets.reply(
        reply_json(tool_calls=calls, reasoning_content="so"),
        headers="Content-Type: application/json; charset=utf-8\r\n",
    )
    with sockets.ScriptedServer(sockets.answers(answer)) as server:
        played = play(client(server.url), caller, stream_options={"include_usage": asked})
        whole = client(server.url).chat.completions.create("gpt-4.1", "Hi", max_tokens=200)

    found = played.stream.response()
    assert (played.text, played.error) == ("Hello", None)
    assert found.to_dict() == whole.to_dict()
    assert joined(played.chunks, "reasoning") == found.choices[0].message.reasoning
    assert played.chunks[0].choices[0].delta.tool_calls[0].index == 0
    assert played.chunks[0].choices[0].finish_reason == "tool_calls"
    assert [each.usage for each in played.chunks[1:]] == ([found.usage] if asked else [])
    assert found.extensions.metadata["reply_notes"] == [
        "stream: the provider answered with a whole reply",
        *whole.extensions.metadata.get("reply_notes", []),
    ]


def error_json(message="boom", **more):
    return json.dumps({"error": {"message": message, **more}}).encode()


JSON = "Content-Type: application/json\r\n"
NO_STREAMS = {
    "an HTTP error": (
        sockets.reply(error_json(type="rate_limit_error"), 429, JSON),
        RateLimitError,
    ),
    "an error in a stream's clothes": (
        sockets.reply(b"data: " + error_json() + b"\n\n", 503, EVENT_STREAM),
        OverloadedError,
    ),
    "an error with 200": (sockets.reply(error_json(code=429), headers=JSON), RateLimitError),
    "a page": (
        sockets.reply(b"<html>Sign in</html>", headers="Content-Type: text/html\r\n"),
        MalformedResponseError,
    ),
    "nothing": (sockets.reply(b"", headers=EVENT_STREAM), MalformedResponseError),
    "no choice": (streamed(DONE), MalformedResponseError),
    "an error event": (
        streamed(ROLE, b"data: " + error_json(type="overloaded_error") + b"\n\n"),
        OverloadedError,
    ),
    "a bare error event": (
        streamed(b'event: error\ndata: {"message": "boom", "code": 429}\n\n'),
        ProviderError,
    ),
    "a cut": (streamed(ROLE, HEL[:30]), MalformedResponseError),
    "no JSON": (streamed(ROLE, b"data: {]\n\n"), MalformedResponseError),
    "deep JSON": (streamed(b"data: " + b"[" * 100_000 + b"\n\n"), MalformedResponseError),
}


@EACH_CALLER
@pytest.mark.parametrize("case", NO_STREAMS)
def test_what_is_no_stream_is_an_attempt_that_failed(elsewhere, case, caller):
    answer, expected = NO_STREAMS[case]
    with sockets.ScriptedServer(sockets.answers(answer)) as server:
        with pytest.raises(expected) as raised:
            play(client(server.url), caller)
        reset_state()
        played = play(client(server.url, elsewhere.url), caller)

    assert not isinstance(raised.value, StreamInterruptedError)
    assert raised.value.attempts == 1
    assert (played.text, played.error) == (OTHER_TEXT, None)
    assert len(played.stream.extensions.metadata["provider_errors"]) == 1


def test_a_page_is_told_as_what_it_is():
    answer, _ = NO_STREAMS["a page"]
    with (
        sockets.ScriptedServer(sockets.answers(answer)) as server,
        pytest.raises(MalformedResponseError) as raised,
    ):
        play(client(server.url), "sync")

    assert raised.value.code == "not_json"


def test_an_authentication_error_is_final(elsewhere):
    answer = sockets.reply(error_json(), 401, JSON)
    with (
        sockets.ScriptedServer(sockets.answers(answer)) as server,
        pytest.raises(AuthenticationError),
    ):
        play(client(server.url, elsewhere.url), "sync")


# Cuts

WIRE = sse(*HELLO)
# The end of the usage: at a server that is not OpenAI's it ends a stream without [DONE] as well.
END = WIRE[: -len(b"data: [DONE]\n\n")].rstrip()[-40:]
# From here on the first content is whole: its event's blank line is there.
FIRST_CONTENT = len(ROLE + HEL)


@pytest.mark.parametrize("way", ["clean", "reset", "announced"])
def test_every_cut_is_seen(elsewhere, way):
    """Before the first content the next provider answers; after it the answer is not whole."""
    cut = [0]

    def script(peer):
        peer.request()
        data = WIRE[: cut[0]]
        if way == "announced":
            peer.send(f"HTTP/1.1 200 Fine\r\n{EVENT_STREAM}Content-Length: 9999\r\n\r\n".encode())
            peer.send(data)
        else:
            head = HEAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
            peer.send(head + (piece(data) if data else b""))
            if way == "clean":
                peer.send(b"0\r\n\r\n")
        if way == "reset":
            peer.sock.shutdown(1)

    with sockets.ScriptedServer(script) as server:
        one = client(server.url, elsewhere.url)
        for cut[0] in range(0, len(WIRE) + 1, 1 if way == "clean" else 7):
            reset_state()  # so many failures in a row take a provider out
            played = play(one, "sync")
            sent = WIRE[: cut[0]].rstrip()
            is_whole = sent.endswith(b"[DONE]") or (way == "clean" and sent.endswith(END))
            if is_whole:
                assert (played.text, played.error) == ("Hello", None)
            elif played.stream.extensions.fallback_triggered:
                assert cut[0] < FIRST_CONTENT
                assert (played.text, played.error) == (OTHER_TEXT, None)
            else:
                assert cut[0] >= FIRST_CONTENT - 2
                assert played.error.code == "truncated"
                assert played.text in ("Hel", "Hello")
                assert played.error.partial.choices[0].message.content == played.text
                assert played.stream.extensions.attempts == 1


@EACH_CALLER
@pytest.mark.parametrize("late", [b"data: {]\n\n", b"data: " + error_json() + b"\n\n", b""])
def test_content_and_its_failure_at_once_are_as_one_after_the_other(elsewhere, caller, late):
    with sockets.ScriptedServer(sockets.answers(streamed(ROLE + HEL + late))) as server:
        played = play(client(server.url, elsewhere.url), caller)

    assert played.text == "Hel"
    assert played.error.partial.choices[0].message.content == "Hel"
    assert played.stream.extensions.attempts == 1


def test_the_key_in_an_error_event_is_masked():
    told = b"data: " + error_json("bad key sk-test-key-one, not sk-abcdefghijklmnop1234") + b"\n\n"
    with sockets.ScriptedServer(sockets.answers(streamed(ROLE + HEL + told))) as late:
        error = play(client(late.url), "sync").error
    with (
        sockets.ScriptedServer(sockets.answers(streamed(told))) as early,
        pytest.raises(ProviderError) as raised,
    ):
        play(client(early.url), "sync")

    for each in (error, raised.value):
        for text in (str(each), repr(each), *map(repr, each.errors), repr(vars(each))):
            assert "sk-test-key-one" not in text
            assert "sk-abcdefghijklmnop" not in text
        assert "bad key" in str(each)
