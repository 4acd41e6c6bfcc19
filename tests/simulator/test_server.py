"""The server as HTTP sees it: keep-alive, slow and hostile clients, faults, stopping."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import socket
import threading
import time
from contextlib import closing

import httpx
import pytest

from specado.simulator import FAULT_MODELS
from specado.simulator.server import Server, running, serve

KEY = {"authorization": "Bearer k"}
BODY = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}).encode()
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer k\r\n"
REQUEST = HEAD + f"content-length: {len(BODY)}\r\n\r\n".encode() + BODY


@pytest.fixture
def connection(server):
    with closing(socket.create_connection((server.host, server.port), timeout=10)) as made:
        yield made


def fault(name):
    body = json.dumps({"model": name, "messages": [{"role": "user", "content": "Hi"}]}).encode()
    return HEAD + f"content-length: {len(body)}\r\n\r\n".encode() + body


def replies(connection, count=1):
    """Read *count* whole replies; return their statuses and bodies."""
    stream = connection.makefile("rb")
    read = []
    with closing(stream):
        for _number in range(count):
            status = int(stream.readline().split()[1])
            size = 0
            while (line := stream.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    size = int(value)
            read.append((status, stream.read(size)))
    return read


def ended(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_addresses(server):
    assert server.openai_base_url == f"http://127.0.0.1:{server.port}/v1"
    assert server.anthropic_base_url == f"http://127.0.0.1:{server.port}"


def test_one_connection_takes_many_requests(connection):
    for _number in range(3):
        connection.sendall(REQUEST)

        assert replies(connection)[0][0] == 200


def test_pipelined_requests_are_answered_in_order(connection):
    connection.sendall(REQUEST + HEAD + b"content-length: 2\r\n\r\n{}" + REQUEST)

    assert [status for status, _ in replies(connection, 3)] == [200, 400, 200]


def test_a_request_may_come_byte_by_byte(connection):
    for place in range(len(REQUEST)):
        connection.sendall(REQUEST[place : place + 1])

    assert replies(connection)[0][0] == 200


def test_a_chunked_body_is_read(connection):
    half = len(BODY) // 2
    connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n")
    for piece in (BODY[:half], BODY[half:], b""):
        connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))

    assert replies(connection)[0][0] == 200


def test_a_client_that_waits_for_100_is_told_to_go_on(connection):
    size = f"content-length: {len(BODY)}\r\n".encode()
    connection.sendall(HEAD + size + b"expect: 100-continue\r\n\r\n")
    told = replies(connection)
    connection.sendall(BODY)

    assert told == [(100, b"")]
    assert replies(connection)[0][0] == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"HELLO\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: a\r\na: " + b"b" * 200_000 + b"\r\n\r\n", 431),
        (HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n", 400),
    ],
)
def test_what_is_not_http_is_refused_and_closed(connection, sent, status):
    connection.sendall(sent)

    assert replies(connection)[0][0] == status
    assert connection.recv(1) == b""


def test_a_body_over_the_limit_is_refused_before_it_has_all_come(connection):
    connection.sendall(HEAD + b"content-length: 999999999\r\n\r\n")
    piece = b" " * 1_000_000
    for _number in range(33):
        connection.sendall(piece)

    assert replies(connection)[0][0] == 413


def test_head_options_and_unknown_methods(server):
    with httpx.Client(base_url=server.url, headers=KEY, trust_env=False) as client:
        head = client.head("/v1/models")
        options = client.options("/v1/chat/completions")
        wrong = client.put("/v1/chat/completions")

    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 1000
    assert options.status_code == 204
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")


def test_http_1_0_closes(connection):
    connection.sendall(REQUEST.replace(b"HTTP/1.1", b"HTTP/1.0"))

    assert replies(connection)[0][0] == 200
    assert connection.recv(1) == b""


def test_a_timeout_is_silence(connection):
    connection.sendall(fault("timeout-test-model"))
    connection.settimeout(0.2)

    with pytest.raises(OSError, match="timed out"):
        connection.recv(1)


def test_silence_ends_at_its_bound():
    with (
        running(silence_s=0.1) as server,
        closing(socket.create_connection((server.host, server.port), timeout=10)) as connection,
    ):
        connection.sendall(fault("timeout-test-model"))

        assert connection.recv(1) == b""


@pytest.mark.parametrize("model", ["connection-reset-test-model", "connection-refused-test-model"])
def test_a_reset_is_a_reset(connection, model):
    connection.sendall(fault(model))

    with pytest.raises(ConnectionResetError):
        connection.recv(1)


def test_a_truncated_reply_ends_within_its_body(server):
    with (
        httpx.Client(base_url=server.url, headers=KEY, trust_env=False) as client,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        client.post(
            "/v1/chat/completions",
            json={"model": "truncated-test-model", "messages": [{"role": "user", "content": "Hi"}]},
        )


def test_an_idle_connection_is_closed():
    with (
        running(idle_s=0.1) as server,
        closing(socket.create_connection((server.host, server.port), timeout=10)) as connection,
    ):
        connection.sendall(HEAD)

        assert connection.recv(1) == b""


def test_256_connections_at_once(server):
    gate = threading.Barrier(256)

    def ask(_number):
        address = (server.host, server.port)
        with closing(socket.create_connection(address, timeout=30)) as connection:
            gate.wait(30)
            connection.sendall(REQUEST)
            return replies(connection)[0][0]

    with concurrent.futures.ThreadPoolExecutor(256) as pool:
        assert list(pool.map(ask, range(256))) == [200] * 256


def test_requests_are_reported():
    seen = []

    with running(on_request=lambda *facts: seen.append(facts)) as server:
        httpx.get(f"{server.url}/v1/models?a=b", trust_env=False)

    assert seen == [("GET", "/v1/models?a=b", 401)]


def test_stopping_closes_idle_and_silent_connections():
    with running() as server:
        address = (server.host, server.port)
        idle = socket.create_connection(address, timeout=10)
        silent = socket.create_connection(address, timeout=10)
        silent.sendall(fault("timeout-test-model"))
        started = time.monotonic()

    with closing(idle), closing(silent):
        assert time.monotonic() - started < 10
        assert [ended(connection) for connection in (idle, silent)] == [True, True]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=10)


def test_a_taken_port_is_an_oserror(server):
    with pytest.raises(OSError, match="in use"), running(port=server.port):
        raise AssertionError("must not run")


def test_serve_runs_until_cancelled():
    async def main():
        started = asyncio.Future()
        task = asyncio.create_task(serve(port=0, on_start=started.set_result))
        server = await started
        async with httpx.AsyncClient(base_url=server.url, headers=KEY, trust_env=False) as client:
            reply = await client.get("/v1/models")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return server, reply.status_code

    server, status = asyncio.run(main())

    assert isinstance(server, Server)
    assert status == 200


def test_slow_is_late(server, monkeypatch):
    monkeypatch.setattr("specado.simulator.server.SLOW_REPLY_S", 0.2)
    body = {"model": "slow-test-model", "messages": [{"role": "user", "content": "Hi"}]}
    started = time.monotonic()
    reply = httpx.post(
        f"{server.openai_base_url}/chat/completions", json=body, headers=KEY, trust_env=False
    )

    assert reply.status_code == 200
    assert time.monotonic() - started >= 0.2


def test_every_fault_ends_the_exchange(server):
    with httpx.Client(base_url=server.url, headers=KEY, timeout=5, trust_env=False) as client:
        for model in FAULT_MODELS - {"timeout-test-model", "slow-test-model"}:
            body = {"model": model, "messages": [{"role": "user", "content": "Hi"}]}
            try:
                status = client.post("/v1/chat/completions", json=body).status_code
            except httpx.TransportError:
                continue

            assert status >= 200
