"""Transport for asyncio: HTTP/1.1 over sockets, with one deadline for each request."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from specado.transport.connecting import open_stream_async
from specado.transport.connection_pool import ConnectionPool
from specado.transport.contract import until_after
from specado.transport.exchange import BaseReply, Exchange
from specado.transport.reply_body import read_whole_async

if TYPE_CHECKING:
    from specado.transport.contract import (
        AsyncOpenReply,
        Limits,
        TransportFailure,
        TransportSettings,
        WireReply,
        WireRequest,
    )

__all__ = ["LoopTransport"]


class LoopTransport:
    """An `AsyncTransport`, for any number of event loops in any threads.

    Connections live as long as their loop: when a loop is gone, its sockets are closed, and
    those of closed loops that are still referred to when the next loop makes some.
    """

    is_recent = True

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        self._pools: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, ConnectionPool] = (
            weakref.WeakKeyDictionary()
        )
        self._lock = threading.RLock()

    async def send(
        self, request: WireRequest, timeout_s: float, limits: Limits, *, is_fresh: bool = False
    ) -> WireReply:
        """Send *request* and return its whole reply, within *timeout_s*."""
        until = until_after(timeout_s)
        opened = await self.open(request, until, limits, is_fresh=is_fresh)
        return await read_whole_async(opened, until, limits)

    async def open(
        self, request: WireRequest, until: float, limits: Limits, *, is_fresh: bool = False
    ) -> AsyncOpenReply:
        """Send *request* and return its reply as soon as status and headers are there.

        *until* is a time of `time.monotonic`. With *is_fresh* it goes out on a new connection.
        """
        exchange = Exchange(self._connections(), request, until, limits)
        failure: TransportFailure | None
        try:
            await _exchange_heads(exchange, is_fresh=is_fresh)
            return LoopReply(exchange)
        except BaseException as error:
            failure = exchange.fail(error)
            if failure is None:
                raise
        try:
            raise failure
        finally:
            del failure  # it refers to this frame: a cycle would keep the body alive

    def close(self) -> None:
        """Close the connections, from any thread; the next use makes new ones."""
        with self._lock:
            pools = list(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.close()

    def forget(self) -> list[ConnectionPool]:
        """Leave the connections behind, in a forked child: they are the parent's. Return them."""
        pools = list(self._pools.values())
        self._pools = weakref.WeakKeyDictionary()
        self._lock = threading.RLock()
        return pools

    def _connections(self) -> ConnectionPool:
        loop = asyncio.get_running_loop()
        found = self._pools.get(loop)
        if found is not None:
            return found
        with self._lock:
            for closed in [each for each in self._pools if each.is_closed()]:
                self._pools.pop(closed).close()
            pool = self._pools[loop] = ConnectionPool(self._settings, _watch)
            return pool


def _watch(pool: ConnectionPool) -> None:
    """Let the running loop close what is idle in *pool* for too long."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # a reply that is closed from outside of its loop
        return
    pool.is_watched = True
    # Weak: the pool must not live on in a timer of its loop.
    loop.call_later(pool.settings.keepalive_s, _close_expired, weakref.ref(pool))


def _close_expired(weak_pool: weakref.ref[ConnectionPool]) -> None:
    pool = weak_pool()
    if pool is not None:
        pool.is_watched = False
        wait_s = pool.close_expired()
        if wait_s is not None:
            pool.is_watched = True
            asyncio.get_running_loop().call_later(wait_s, _close_expired, weak_pool)


async def _exchange_heads(exchange: Exchange, *, is_fresh: bool) -> None:
    """Send the request and read until the reply's head is there."""
    await exchange.pool.limit.acquire_async(exchange, exchange.until)
    stream = exchange.take_idle(is_fresh=is_fresh)
    if stream is None:
        stream = exchange.stream = await open_stream_async(*exchange.where_to())
    await _write(stream, exchange)
    parser = exchange.parser
    while not parser.has_head:
        parser.feed(await stream.read(exchange.until))


async def _write(stream: Any, exchange: Exchange) -> None:
    try:
        for piece in exchange.take_unsent():
            await stream.write(piece, exchange.until)
    except OSError:  # the peer may have answered before it had read all
        return
    exchange.written_at = time.monotonic()


class LoopReply(BaseReply):
    """A `BaseReply` for tasks of one loop."""

    async def read(self, until: float) -> bytes:
        """Return the next bytes of the body as they came, `b""` at its end."""
        exchange = self._exchange
        if exchange is None:
            return b""
        parser = exchange.parser
        failure: TransportFailure | None
        self._is_reading = True
        try:
            while not parser.pieces and not parser.is_complete:
                parser.feed(await exchange.stream.read(until))
            return self._take(exchange)
        except BaseException as error:
            self._exchange = None
            failure = exchange.fail(error)
            if failure is None:
                raise
        finally:
            self._is_reading = False
        try:
            raise failure
        finally:
            del failure

    def _finish(self, exchange: Exchange) -> None:
        exchange.stream.disarm()
        super()._finish(exchange)
