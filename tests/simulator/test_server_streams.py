"""Streams as the server sends them: chunk by chunk, faults on the wire, stopping."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from contextlib import closing

import httpx
import pytest

from specado.simulator.server import GRACE_S, running

PATIENCE_S = 10.0
TEXT = "Simulated reply to: Hello"
HEADERS = {
    "openai": {"authorization": "Bearer k"},
    "anthropic": {"x-api-key": "k", "anthropic-version": "2023-06-01"},
}
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
MODELS = {"openai": "gpt-4o", "anthropic": "claude-sonnet-4-5"}
TERMINAL = {"openai": b"data: [DONE]\n\n", "anthropic": b"event: message_stop\n"}
SILENT = ("stream-stall-test-model", "stream-idle-test-model")
CUT = ("stream-early-cut-test-model", "stream-cut-test-model", "truncated-test-model")


@pytest.fixture
def client(server):
    with httpx.Client(base_url=server.url, timeout=PATIENCE_S, trust_env=False) as client:
        yield client


def body_of(provider, **fields):
    messages = [{"role": "user", "content": "Hello"}]
    base = {"model": MODELS[provider], "max_tokens": 4000, "messages": messages, "stream": True}
    return {**base, **fields}


def opened(client, provider, **fields):
    body = body_of(provider, **fields)
    return client.stream("POST", PATHS[provider], json=body, headers=HEADERS[provider])


def raw_request(version=b"1.1", **fields):
    body = json.dumps(body_of("openai", **fields)).encode()
    head = b"POST /v1/chat/completions HTTP/%b\r\nhost: a\r\nauthorization: Bearer k\r\n" % version
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


def connected(server):
    return closing(socket.create_connection((server.host, server.port), timeout=PATIENCE_S))


def chunks(stream):
    """Read one reply in chunks from a file of the connection; return status, headers, chunks."""
    status = int(stream.readline().split()[1])
    headers = {}
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip()
    found = []
    while size := int(stream.readline(), 16):
        found.append(stream.read(size))
        stream.readline()
    stream.readline()
    return status, headers, found


def test_a_stream_comes_in_chunks_and_leaves_the_connection_open(server):
    with connected(server) as connection, closing(connection.makefile("rb")) as stream:
        for _number in range(2):
            connection.sendall(raw_request())
            status, headers, found = chunks(stream)

            assert status == 200
            assert headers[b"transfer-encoding"] == b"chunked"
            assert headers[b"content-type"] == b"text/event-stream; charset=utf-8"
            assert b"content-length" not in headers
            assert len(found) > 5
            assert all(chunk.startswith(b"data: ") for chunk in found)


def test_each_byte_has_a_chunk_of_its_own(server):
    with connected(server) as connection, closing(connection.makefile("rb")) as stream:
        connection.sendall(raw_request(model="stream-bytewise-test-model"))
        _, _, found = chunks(stream)

    assert {len(chunk) for chunk in found} == {1}
    assert b"".join(found).endswith(b"data: [DONE]\n\n")


def test_a_client_of_http_1_0_reads_until_the_end(server):
    with connected(server) as connection, closing(connection.makefile("rb")) as stream:
        connection.sendall(raw_request(b"1.0"))
        reply = stream.read()

    assert b"chunked" not in reply
    assert reply.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("model", CUT)
def test_a_cut_breaks_the_connection(client, provider, model):
    came = []
    with (
        opened(client, provider, model=model) as reply,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        came.extend(reply.iter_raw())

    assert reply.status_code == 200
    assert TERMINAL[provider] not in b"".join(came)
    assert (b"Simu" in b"".join(came)) == (model == "stream-cut-test-model")


@pytest.mark.parametrize("model", SILENT)
def test_silence_keeps_the_connection_open(client, provider, model):
    came = []
    request = client.build_request(
        "POST",
        PATHS[provider],
        json=body_of(provider, model=model),
        headers=HEADERS[provider],
        timeout=httpx.Timeout(PATIENCE_S, read=0.3),
    )
    reply = client.send(request, stream=True)
    with closing(reply), pytest.raises(httpx.ReadTimeout):
        came.extend(reply.iter_raw())

    assert reply.status_code == 200
    assert (b"Simu" in b"".join(came)) == (model == "stream-idle-test-model")


@pytest.mark.parametrize("kind", ["error", "overloaded", "late-error", "malformed", "unterminated"])
def test_what_ends_well_by_http_leaves_the_connection_open(client, provider, kind):
    with opened(client, provider, model=f"stream-{kind}-test-model") as reply:
        body = reply.read()
    with opened(client, provider) as reply:
        after = reply.read()

    assert body.endswith(b"\n\n")
    assert (b'"error"' in body) == ("error" in kind or kind == "overloaded")
    assert TERMINAL[provider] in after


def test_slow_streams_are_late_with_their_first_event(client, provider, monkeypatch):
    monkeypatch.setattr("specado.simulator.server.SLOW_REPLY_S", 0.2)
    with opened(client, provider, model="slow-test-model") as reply:
        opened_at = time.monotonic()
        next(reply.iter_raw())
        first_at = time.monotonic()

    assert first_at - opened_at >= 0.1


def test_a_client_that_leaves_disturbs_nobody(server, client):
    for _number in range(20):
        with connected(server) as connection:
            connection.sendall(raw_request(n=128))
            connection.recv(100)
    with opened(client, "openai") as reply:
        assert reply.read().endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("model", SILENT)
def test_stopping_ends_silent_streams_at_once(model):
    with contextlib.ExitStack() as outlives:
        with running() as server:
            connection = outlives.enter_context(connected(server))
            connection.sendall(raw_request(model=model))
            assert connection.recv(12) == b"HTTP/1.1 200"
            stopping_at = time.monotonic()
        took_s = time.monotonic() - stopping_at
        stream = outlives.enter_context(closing(connection.makefile("rb")))
        came = stream.read()

    assert took_s < GRACE_S
    assert not came.endswith(b"0\r\n\r\n")


def test_stopping_lets_a_stream_end():
    with contextlib.ExitStack() as outlives:
        with running() as server:
            connection = outlives.enter_context(connected(server))
            connection.sendall(raw_request(n=50))
            assert connection.recv(12) == b"HTTP/1.1 200"
        stream = outlives.enter_context(closing(connection.makefile("rb")))

        assert stream.read().endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")


def test_stopping_breaks_off_a_stream_that_nobody_reads():
    with contextlib.ExitStack() as outlives:
        with running() as server:
            connection = outlives.enter_context(connected(server))
            content = "Hello " * 200
            connection.sendall(raw_request(n=128, messages=[{"role": "user", "content": content}]))
            assert connection.recv(12) == b"HTTP/1.1 200"
            stopping_at = time.monotonic()
        took_s = time.monotonic() - stopping_at

    assert took_s < GRACE_S + PATIENCE_S
