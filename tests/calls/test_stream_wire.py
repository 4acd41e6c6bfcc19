"""Streams over sockets: time, limits, encodings, and providers that stream in their own way."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import threading
import time
import zlib

import httpx
import pytest

import sockets
from played_streams import (
    CALLERS,
    HEAD,
    HELLO,
    OTHER_TEXT,
    USAGE,
    chunk,
    client,
    hello,
    piece,
    play,
    streamed,
)
from specado import (
    Client,
    DeadlineExceededError,
    MalformedResponseError,
    register_manifest,
)
from stream_readers import joined, sse

EACH_CALLER = pytest.mark.parametrize("caller", CALLERS)
PING = b": ping\n\n"
ROLE, HEL, LO, STOP, COUNTS = (sse(event, done=False) for event in HELLO)
DONE = b"data: [DONE]\n\n"
SHORT_S = 0.3


def says(*parts, every_s=0.0, then_pings=False):
    """Stream *parts* with a pause before each, and pings for ever after if so asked."""

    def script(peer):
        peer.request()
        peer.send(HEAD)
        pause = threading.Event()
        for part in itertools.chain(parts, itertools.repeat(PING) if then_pings else ()):
            pause.wait(every_s)
            peer.send(piece(part))
        peer.wait_until_gone()

    return script


# Time


@EACH_CALLER
@pytest.mark.parametrize(
    "setting", ["timeout_seconds", "first_token_timeout_seconds", "attempt_timeout_seconds"]
)
@pytest.mark.parametrize("pings", [False, True], ids=["silence", "pings"])
def test_time_is_bounded_until_the_first_content(elsewhere, caller, setting, pings):
    """Pings and the first, empty event do not extend it."""
    script = says(ROLE, every_s=0.02, then_pings=pings)
    is_alone = setting == "timeout_seconds"
    with sockets.ScriptedServer(script) as server:
        urls = [server.url] if is_alone else [server.url, elsewhere.url]
        began = time.monotonic()
        if is_alone:
            with pytest.raises(DeadlineExceededError) as raised:
                play(client(*urls, **{setting: SHORT_S}), caller)
            assert raised.value.attempts == 1
        else:
            played = play(client(*urls, **{setting: SHORT_S}), caller)
            assert (played.text, played.stream.extensions.attempts) == (OTHER_TEXT, 2)
        took_s = time.monotonic() - began
        server.wait_for_end()

    assert took_s + 0.01 >= SHORT_S
    assert took_s < SHORT_S + sockets.SLACK_S


@EACH_CALLER
def test_a_stalled_stream_leaves_half_the_time_to_the_fallback(elsewhere, caller):
    with sockets.ScriptedServer(says(ROLE)) as server:
        played = play(client(server.url, elsewhere.url, timeout_seconds=0.6), caller)

    assert played.text == OTHER_TEXT
    assert played.stream.extensions.metadata["time_to_first_content_ms"] >= 290


@EACH_CALLER
def test_silence_after_the_first_content_is_bounded(caller):
    with sockets.ScriptedServer(says(ROLE, HEL)) as server:
        played = play(client(server.url, idle_timeout_seconds=0.1), caller)
        server.wait_for_end()

    assert (played.text, played.error.code) == ("Hel", "timeout")
    assert isinstance(played.error.errors[-1], DeadlineExceededError)


@EACH_CALLER
def test_pings_are_life_after_the_first_content(caller):
    parts = [ROLE, HEL, *[PING] * 12, LO, STOP, DONE]
    with sockets.ScriptedServer(says(*parts, every_s=0.05)) as server:
        played = play(client(server.url, idle_timeout_seconds=0.4), caller)

    assert (played.text, played.error) == ("Hello", None)


@EACH_CALLER
@pytest.mark.parametrize("place", ["setting", "argument"])
def test_pings_are_no_content(caller, place):
    limit = {"content_timeout_seconds": SHORT_S}
    script = says(ROLE, HEL, every_s=0.02, then_pings=True)
    with sockets.ScriptedServer(script) as server:
        one = client(server.url, **(limit if place == "setting" else {}))
        began = time.monotonic()
        played = play(one, caller, **(limit if place == "argument" else {}))
        took_s = time.monotonic() - began
        server.wait_for_end()

    assert (played.text, played.error.code) == ("Hel", "content_timeout")
    assert played.error.partial.choices[0].message.content == "Hel"
    assert isinstance(played.error.errors[-1], DeadlineExceededError)
    assert "no content came for 0.3 s (content_timeout_seconds)" in str(played.error)
    assert took_s + 0.01 >= SHORT_S
    assert took_s < SHORT_S + sockets.SLACK_S


@EACH_CALLER
@pytest.mark.parametrize(
    "idle",
    [ROLE, sse(chunk({}), done=False), sse(chunk({"content": ""}), done=False), b": x\n\n"],
    ids=["role", "nothing", "empty text", "comment"],
)
def test_chunks_without_content_are_no_content(caller, idle):
    def script(peer):
        peer.request()
        peer.send(HEAD + piece(HEL))
        pause = threading.Event()
        while True:
            pause.wait(0.02)
            peer.send(piece(idle))

    with sockets.ScriptedServer(script) as server:
        played = play(client(server.url, content_timeout_seconds=SHORT_S), caller)

    assert (played.text, played.error.code) == ("Hel", "content_timeout")


@EACH_CALLER
def test_silence_of_content_before_the_first_is_a_failed_attempt(elsewhere, caller):
    script = says(ROLE, every_s=0.02, then_pings=True)
    with sockets.ScriptedServer(script) as server:
        one = client(server.url, elsewhere.url, content_timeout_seconds=SHORT_S)
        played = play(one, caller)
        server.wait_for_end()

    assert (played.text, played.stream.extensions.attempts) == (OTHER_TEXT, 2)


@EACH_CALLER
def test_a_lone_candidate_that_only_pings_is_retried(caller):
    with sockets.ScriptedServer(says(ROLE, every_s=0.02, then_pings=True)) as server:
        one = client(server.url, content_timeout_seconds=0.1, max_retries=1)
        with pytest.raises(DeadlineExceededError) as raised:
            play(one, caller)

    assert (raised.value.attempts, raised.value.code) == (2, "content_timeout")
    assert raised.value.stopped_by == "max_retries"


@EACH_CALLER
def test_content_in_time_keeps_a_stream_alive(caller):
    parts = [ROLE, *[HEL, PING] * 12, STOP, DONE]
    with sockets.ScriptedServer(says(*parts, every_s=0.04)) as server:
        played = play(client(server.url, content_timeout_seconds=0.5), caller)

    assert (played.text, played.error) == ("Hel" * 12, None)


@EACH_CALLER
def test_the_deadline_of_the_call_ends_with_the_first_content(caller):
    parts = [ROLE, HEL, *[PING] * 10, LO, STOP, DONE]
    with sockets.ScriptedServer(says(*parts, every_s=0.05)) as server:
        played = play(client(server.url, timeout_seconds=SHORT_S), caller)

    assert (played.text, played.error) == ("Hello", None)


@EACH_CALLER
def test_content_is_handed_on_as_it_comes(caller):
    """`create` returns at the first content: the server sends the rest only after that."""
    got_first = threading.Event()

    def script(peer):
        peer.request()
        peer.send(HEAD + piece(ROLE + HEL))
        assert got_first.wait(sockets.PATIENCE_S)
        peer.send(piece(LO + STOP + DONE) + b"0\r\n\r\n")

    one = None
    with sockets.ScriptedServer(script) as server:
        one = client(server.url, hooks={"on_attempt": lambda _event: got_first.set()})
        assert play(one, caller).text == "Hello"


# Limits and encodings


@EACH_CALLER
def test_a_frame_has_a_limit(elsewhere, caller):
    endless = sockets.answers(streamed(b"data: " + b"x" * 5000))
    with sockets.ScriptedServer(endless) as server:
        with pytest.raises(MalformedResponseError) as raised:
            play(client(server.url, max_frame_bytes=2000), caller)
        played = play(client(server.url, elsewhere.url, max_frame_bytes=2000), caller)

    assert raised.value.code == "frame_too_large"
    assert played.text == OTHER_TEXT


@EACH_CALLER
def test_the_text_of_a_stream_has_a_limit(caller):
    much = [sse(chunk({"content": "x" * 500}), done=False)] * 20
    with sockets.ScriptedServer(sockets.answers(streamed(ROLE, *much, STOP, DONE))) as server:
        played = play(client(server.url, max_reply_bytes=4000), caller)

    assert played.error.code == "too_large"
    assert 0 < len(played.text) <= 4000
    assert played.error.partial.choices[0].message.content.startswith(played.text)


def in_pieces(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


DEFLATE = zlib.compressobj(wbits=-zlib.MAX_WBITS)
ENCODINGS = {
    "gzip": gzip.compress(sse(*HELLO)),
    "x-gzip": gzip.compress(sse(*HELLO[:2], done=False)) + gzip.compress(sse(*HELLO[2:])),
    "deflate": zlib.compress(sse(*HELLO)),
    "Deflate": DEFLATE.compress(sse(*HELLO)) + DEFLATE.flush(),
    "identity": sse(*HELLO),
}


@EACH_CALLER
@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_compressed_streams_are_read(encoding, size, caller):
    pieces = in_pieces(ENCODINGS[encoding], size)
    answer = streamed(*pieces, headers=f"Content-Encoding: {encoding}\r\n")
    with sockets.ScriptedServer(sockets.answers(answer)) as server:
        assert play(client(server.url), caller).text == "Hello"


@EACH_CALLER
@pytest.mark.parametrize("committed", [False, True])
def test_a_compression_bomb_is_refused(elsewhere, committed, caller):
    press = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    head = press.compress(ROLE + HEL if committed else ROLE) + press.flush(zlib.Z_FULL_FLUSH)
    bomb = press.compress(b": " + b"x" * 50_000_000) + press.flush()
    answer = streamed(head, bomb, headers="Content-Encoding: gzip\r\n")
    with sockets.ScriptedServer(sockets.answers(answer)) as server:
        played = play(client(server.url, elsewhere.url, max_frame_bytes=1_000_000), caller)

    if committed:
        assert (played.text, played.error.code) == ("Hel", "too_large")
    else:
        assert (played.text, played.error) == (OTHER_TEXT, None)


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_an_encoding_that_cannot_be_undone_is_no_answer(elsewhere, encoding):
    answer = streamed(sse(*HELLO), headers=f"Content-Encoding: {encoding}\r\n")
    with sockets.ScriptedServer(sockets.answers(answer)) as server:
        played = play(client(server.url, elsewhere.url), "sync")

    assert played.text == OTHER_TEXT
    assert played.stream.extensions.attempts == 2


# Servers of this dialect with ways of their own


@pytest.fixture
def manifest():
    def register(url, **more):
        register_manifest({"name": "local", "base_url": url, **more})
        return Client({"simulate": False, "enable_fallback": False, "max_retries": 0})

    return register


@EACH_CALLER
def test_a_server_without_done_ends_with_the_finish_reason(manifest, caller):
    whole = sockets.answers(streamed(ROLE, HEL, LO, STOP))
    cut = sockets.answers(streamed(ROLE, HEL, LO))
    with sockets.ScriptedServer(whole) as server, sockets.ScriptedServer(cut) as cutting:
        one = manifest(server.url, stream_end="finish_reason")
        ended = play(one, caller, "local/m", "Hi")
        manifest(server.url)
        strict = play(one, caller, "local/m", "Hi")
        manifest(cutting.url, stream_end="finish_reason")
        broken = play(one, caller, "local/m", "Hi")

    assert (ended.text, ended.error) == ("Hello", None)
    assert ended.stream.response().choices[0].finish_reason == "stop"
    assert broken.error.code == "truncated"
    assert strict.error.code == "truncated"


def test_usage_is_not_asked_of_a_server_that_cannot_give_it(manifest):
    with sockets.ScriptedServer(sockets.answers(hello())) as server:
        one = manifest(server.url, stream_usage=False)
        played = play(one, "sync", "local/m", "Hi")
        manifest(server.url)
        play(one, "sync", "local/m", "Hi")

    bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in server.requests]
    assert bodies[0]["stream"] is True
    assert "stream_options" not in bodies[0]
    assert bodies[1]["stream_options"] == {"include_usage": True}
    assert played.stream.response().usage.total_tokens == USAGE["total_tokens"]


# A caller's own HTTP client


@EACH_CALLER
def test_an_own_client_streams(caller):
    answers = sockets.answers(hello())
    given = {"model": "gpt-4.1", "messages": "Hi", "stream": True}

    async def several(config):
        async with httpx.AsyncClient() as own:
            one = Client(config, async_http_client=own)
            found = []
            for _ in range(3):
                stream = await one.chat.completions.create_async(**given)
                found.append([each async for each in stream])
            return found

    with sockets.ScriptedServer(answers) as server:
        config = {
            "simulate": False,
            "providers": {"openai": {"api_key": "k", "base_url": server.url}},
        }
        if caller == "async":
            found = asyncio.run(several(config))
        else:
            with httpx.Client() as own:
                one = Client(config, http_client=own)
                found = [list(one.chat.completions.create(**given)) for _ in range(3)]

        assert [joined(chunks, "content") for chunks in found] == ["Hello"] * 3
        assert server.connections == 1


def test_an_own_client_gets_its_connection_back():
    with sockets.ScriptedServer(says(ROLE, HEL)) as server:
        with httpx.Client(limits=httpx.Limits(max_connections=1)) as own:
            one = Client(
                {
                    "simulate": False,
                    "providers": {"openai": {"api_key": "k", "base_url": server.url}},
                },
                http_client=own,
            )
            for _ in range(5):
                for found in one.chat.completions.create("gpt-4.1", "Hi", stream=True):
                    assert found.model
                    break
                server.wait_for_end()
        assert server.connections == 5
