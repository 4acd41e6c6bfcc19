"""Happy eyeballs (RFC 8305): connects to the first of a host's addresses that answers.

`Race` has the order and the times of the attempts; `connect` and `connect_async` wait for them.
"""

from __future__ import annotations

import asyncio
import errno
import os
import selectors
import socket
import time
from collections import deque
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from specado.transport.failure_causes import has_local_address
from specado.transport.network import LONGEST_WAIT_S, QuietSocket, left_s
from specado.transport.resolver import resolve, resolve_async

if TYPE_CHECKING:
    from specado.transport.resolver import SocketAddress

__all__ = ["Race", "connect", "connect_async"]

# RFC 8305, 8: the Connection Attempt Delay.
ATTEMPT_DELAY_S = 0.25
# A dead address is tried last for so long.
DEAD_FOR_S = 60.0
MAX_DEAD_ADDRESSES = 256

_IN_PROGRESS = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR)

# One that needs no descriptor of its own.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)

_dead_until: dict[SocketAddress, float] = {}


class Race:
    """Connection attempts to the addresses of one host, of which the first to succeed wins."""

    def __init__(self, addresses: list[SocketAddress], until: float) -> None:
        self._waiting = deque(_in_order(addresses))
        self._until = until
        # So that a short time leaves some for each address.
        self._delay_s = min(ATTEMPT_DELAY_S, left_s(until) / max(1, len(addresses)))
        self._next_at = 0.0
        self._failure: OSError = socket.gaierror("the name has no address")
        self.pending: dict[QuietSocket, SocketAddress] = {}

    def begin_due(self) -> QuietSocket | None:
        """Return the socket of the next attempt if it is time for one; it is not connected yet."""
        while self._waiting and time.monotonic() >= self._next_at:
            address = self._waiting.popleft()
            try:
                sock = QuietSocket(*address[:3])
            except OSError as error:  # no descriptor left, or no such family
                self._failure = error
                continue
            sock.setblocking(False)
            self.pending[sock] = address
            self._next_at = time.monotonic() + self._delay_s
            return sock
        if not self.pending and not self._waiting:
            raise self._failure
        return None

    def wait_s(self) -> float:
        """Return how long to wait for a pending attempt; `TimeUp` when the time is over."""
        left = left_s(self._until)
        return min(left, max(0.0, self._next_at - time.monotonic())) if self._waiting else left

    def lose(self, sock: QuietSocket, code: int) -> None:
        """Note that an attempt has failed, with a number of `errno`; the next begins at once."""
        address = self.pending.pop(sock)
        sock.close()
        self._failure = _connect_error(code, address)
        self._next_at = 0.0
        _remember_dead(address)

    def win(self, sock: QuietSocket) -> QuietSocket:
        """Return the connected socket; addresses that had more time than it count as dead."""
        winner = self.pending[sock]
        _dead_until.pop(winner, None)
        for other, address in self.pending.items():
            if other is sock:
                break
            _remember_dead(address)
        del self.pending[sock]
        return sock

    def close(self) -> None:
        """Close the attempts that are still pending."""
        for sock in self.pending:
            sock.close()
        self.pending.clear()


def _in_order(addresses: list[SocketAddress]) -> list[SocketAddress]:
    """Return addresses with their families interleaved (RFC 8305, 4), dead ones last."""
    by_family: dict[int, list[SocketAddress]] = {}
    for address in dict.fromkeys(addresses):
        by_family.setdefault(address.family, []).append(address)
    mixed = chain.from_iterable(zip_longest(*by_family.values()))
    now = time.monotonic()
    return sorted(filter(None, mixed), key=lambda each: _dead_until.get(each, 0.0) > now)


def _remember_dead(address: SocketAddress) -> None:
    _dead_until.pop(address, None)  # so that it is the newest
    _dead_until[address] = time.monotonic() + DEAD_FOR_S
    while len(_dead_until) > MAX_DEAD_ADDRESSES:
        _dead_until.pop(next(iter(list(_dead_until))), None)


def _connect_error(code: int, address: SocketAddress) -> OSError:
    """Return the error for a number of `errno`.

    EADDRNOTAVAIL means that no local port is left; but it also comes for an IPv6 address where
    this machine has none.
    """
    if code == errno.EADDRNOTAVAIL and not has_local_address(address.family, address.address):
        code = errno.ENETUNREACH
    return OSError(code, os.strerror(code))


def connect(host: str, port: int, until: float) -> QuietSocket:
    """Return a non-blocking socket that is connected to *host*.

    Raises:
        TimeUp: no address has answered at *until*, a time of `time.monotonic`.
        OSError: the last failure, if each address has failed.
    """
    race = Race(resolve(host, port, until), until)
    try:
        while True:
            sock = race.begin_due()
            if sock is not None:
                outcomes = [(sock, sock.connect_ex(race.pending[sock].address))]
            else:
                ready = _writable(list(race.pending), race.wait_s())
                outcomes = [(s, s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)) for s in ready]
            for sock, code in outcomes:
                if not code:
                    return race.win(sock)
                if code not in _IN_PROGRESS:
                    race.lose(sock, code)
    finally:
        race.close()


def _writable(socks: list[QuietSocket], wait_s: float) -> list[Any]:
    """Return the sockets whose attempts have ended, at latest after *wait_s*."""
    with _Selector() as selector:
        for sock in socks:
            selector.register(sock, selectors.EVENT_WRITE)
        return [key.fileobj for key, _ in selector.select(min(wait_s, LONGEST_WAIT_S))]


async def connect_async(host: str, port: int, until: float) -> QuietSocket:
    """Do what `connect` does, for a task of the running loop."""
    loop = asyncio.get_running_loop()
    race = Race(await resolve_async(host, port, until), until)
    attempts: dict[asyncio.Task[None], QuietSocket] = {}
    try:
        while True:
            sock = race.begin_due()
            if sock is not None:
                attempt = loop.sock_connect(sock, race.pending[sock].address)
                attempts[asyncio.ensure_future(attempt)] = sock
                continue
            ended, _ = await asyncio.wait(
                attempts, timeout=race.wait_s(), return_when=asyncio.FIRST_COMPLETED
            )
            for task in ended:
                sock = attempts.pop(task)
                error = task.exception()
                if error is None:
                    return race.win(sock)
                if not isinstance(error, OSError):
                    raise error
                race.lose(sock, error.errno or errno.EIO)
    finally:
        await _stop(list(attempts))
        race.close()


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel attempts, and wait until the loop watches their sockets no more."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.exception()
