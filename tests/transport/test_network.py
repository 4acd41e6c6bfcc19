"""Sockets of our own: what a fork leaves of them, and large bodies."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time

from specado.transport import network


def test_one_socket_that_cannot_be_closed_does_not_keep_the_others(monkeypatch):
    closed = []

    def close(descriptor):
        closed.append(descriptor)
        raise OSError(errno.EIO, "not now")

    monkeypatch.setattr(network, "_sockets", {})
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
        stream = network.AsyncSocketStream(Swallowing())
        task = asyncio.ensure_future(others())
        await stream.write(bytes(size), time.monotonic() + 10)
        task.cancel()
        stream.close()

    asyncio.run(send(1_000))
    assert turns == []
    asyncio.run(send(4_000_000))
    assert len(turns) > 4_000_000 / network.BURST_BYTES / 2
