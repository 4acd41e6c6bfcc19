"""Addresses of a name, and the clock, at the level of sockets."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
import time

import pytest

import sockets
from specado.transport import network, network_async


def connect(name, port, wait_s):
    network.connect(name, port, time.monotonic() + wait_s).close()


def connect_async(name, port, wait_s):
    async def main():
        (await network_async.connect_async(name, port, time.monotonic() + wait_s)).close()

    asyncio.run(main())


both = pytest.mark.parametrize("connect", [connect, connect_async], ids=["sync", "async"])


@pytest.fixture
def names(monkeypatch):
    """Let names resolve to what a test says; addresses resolve to themselves."""
    table = {}
    real = socket.getaddrinfo

    def getaddrinfo(host, port, *args, **kwargs):
        if host not in table:
            return real(host, port, *args, **kwargs)
        if kwargs.get("flags", 0) & socket.AI_NUMERICHOST:
            raise socket.gaierror("not an address")
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, (address, port)) for address in table[host]]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return table


@both
def test_the_next_address_is_tried_when_one_refuses(connect, names):
    names["two.test"] = ["127.0.0.2", "127.0.0.1"]
    with sockets.ScriptedServer(sockets.echoes) as server:
        connect("two.test", server.port, 5)
        server.wait_for_end()

    assert server.connections == 1


@both
def test_the_last_refusal_is_told(connect, names):
    names["two.test"] = ["127.0.0.2", "127.0.0.3"]
    with sockets.refusing_url() as url, pytest.raises(ConnectionRefusedError):
        connect("two.test", int(url.rpartition(":")[2]), 5)


@both
def test_a_silent_address_leaves_time_for_the_next(connect, names):
    # 127.0.0.2's listener has a full queue: connections to it hang.
    names["two.test"] = ["127.0.0.2", "127.0.0.1"]
    with sockets.ScriptedServer(sockets.echoes) as server, socket.socket() as full:
        full.bind(("127.0.0.2", server.port))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        began = time.monotonic()
        connect("two.test", server.port, 1.0)  # or the time is up: it was shared
        took_s = time.monotonic() - began
        for sock in waiting:
            sock.close()

    assert took_s >= 0.45


@both
def test_no_time_is_no_connection(connect):
    with sockets.ScriptedServer(sockets.echoes) as server, pytest.raises(network.TimeUp):
        connect("127.0.0.1", server.port, -1)


def test_a_slow_name_does_not_hold_a_task(monkeypatch):
    real = socket.getaddrinfo
    resolved = threading.Event()

    def slow(host, port, *args, **kwargs):
        if kwargs.get("flags", 0) & socket.AI_NUMERICHOST:
            raise socket.gaierror("not an address")
        resolved.wait(sockets.PATIENCE_S)
        return real("127.0.0.1", port, type=socket.SOCK_STREAM)

    async def main():
        began = time.monotonic()
        with pytest.raises(network.TimeUp):
            await network_async.connect_async("slow.test", 1, time.monotonic() + 0.1)
        took_s = time.monotonic() - began
        resolved.set()
        return took_s

    monkeypatch.setattr(socket, "getaddrinfo", slow)

    assert asyncio.run(main()) < 0.1 + sockets.SLACK_S


def test_one_socket_that_cannot_be_closed_does_not_keep_the_others(monkeypatch):
    closed = []

    def close(descriptor):
        closed.append(descriptor)
        raise OSError(errno.EIO, "not now")

    monkeypatch.setattr(network, "_sockets", set())
    kept = [network.QuietSocket() for _ in range(3)]
    descriptors = {sock.fileno() for sock in kept}
    with monkeypatch.context() as patch:
        patch.setattr(os, "close", close)
        network.drop_sockets_after_fork()
    for descriptor in descriptors:
        os.close(descriptor)

    assert set(closed) == descriptors
    assert [sock.fileno() for sock in kept] == [-1, -1, -1]


class Swallowing(socket.socket):
    """A socket that takes whatever it is given at once."""

    def send(self, data, flags=0):
        return len(data)


def test_other_tasks_have_their_turn_while_a_large_body_leaves():
    turns = []

    async def others():
        while True:
            turns.append(None)
            await asyncio.sleep(0)

    async def send(size):
        stream = network_async.AsyncSocketStream(Swallowing())
        task = asyncio.ensure_future(others())
        await stream.write(bytes(size))
        task.cancel()
        stream.close()

    asyncio.run(send(1_000))
    assert turns == []
    asyncio.run(send(4_000_000))
    assert len(turns) > 4_000_000 / network_async.BURST_BYTES / 2
