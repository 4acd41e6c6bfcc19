"""Transport for asyncio: HTTP/1.1 over sockets, with one deadline for each request."""

from __future__ import annotations

import asyncio
import time
import weakref
from typing import TYPE_CHECKING, Any

from specado.transport.connecting import Opening, open_stream_async
from specado.transport.connection_pool import ConnectionPool, PooledTransport
from specado.transport.contract import until_after
from specado.transport.exchange import BaseReply, Exchange
from specado.transport.reply_body import read_whole_async

if TYPE_CHECKING:
    from specado.transport.contract import (
        AsyncOpenReply,
        Limits,
        TransportSettings,
        WireReply,
        WireRequest,
    )

__all__ = ["LoopTransport"]


class LoopTransport(PooledTransport):
    """An `AsyncTransport`, for any number of event loops in any threads.

    Connections live as long as their loop: when a loop is gone, its sockets are closed, and
    those of closed loops that are still referred to when the next loop makes some.
    """

    def __init__(self, settings: TransportSettings) -> None:
        super().__init__(weakref.WeakKeyDictionary(), lambda _: ConnectionPool(settings, _watch))

    async def send(
        self, request: WireRequest, timeout_s: float, limits: Limits, *, is_fresh: bool = False
    ) -> WireReply:
        """Send *request* and return its whole reply, within *timeout_s*."""
        until = until_after(timeout_s)
        exchange = await self._answered(request, until, limits, is_fresh=is_fresh)
        if exchange.is_whole(limits):
            exchange.stream.disarm()
            return exchange.take_whole()
        return await read_whole_async(LoopReply(exchange), until, limits)

    async def open(
        self, request: WireRequest, until: float, limits: Limits, *, is_fresh: bool = False
    ) -> AsyncOpenReply:
        """Send *request* and return its reply as soon as status and headers are there."""
        return LoopReply(await self._answered(request, until, limits, is_fresh=is_fresh))

    async def _answered(
        self, request: WireRequest, until: float, limits: Limits, *, is_fresh: bool
    ) -> Exchange:
        """Send *request* and return its exchange as soon as the reply's head is there."""
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop) or self._new_pool(loop)
        exchange = Exchange(pool, request)
        try:
            await pool.limit.acquire_async(exchange, until)
            stream = exchange.take_idle(is_fresh=is_fresh)
            if stream is None:
                where = Opening(pool.settings, exchange.key, until, limits.connect_timeout_s)
                stream = exchange.stream = await open_stream_async(where)
            await _write(stream, exchange, until)
            parser = exchange.parser
            while not parser.has_head:
                parser.feed(await stream.read(until))
            exchange.check_proxy()
            return exchange
        except BaseException as error:
            failures = exchange.fail(error)
            if not failures:
                raise
        raise failures.pop()


async def _write(stream: Any, exchange: Exchange, until: float) -> None:
    try:
        for piece in exchange.take_unsent():  # not in the frame of a failure: it holds a key
            await stream.write(piece, until)
        exchange.written_at = time.monotonic()
    except OSError:
        pass  # the peer may have answered before it had read all


class LoopReply(BaseReply):
    """A `BaseReply` for tasks of one loop; dropping it closes the connection."""

    async def read(self, until: float) -> bytes:
        """Return the next bytes of the body as they came, `b""` at its end."""
        exchange = self._exchange
        if exchange is None:
            return b""
        parser = exchange.parser
        self._is_reading = True
        try:
            while not parser.pieces and not parser.is_complete:
                parser.feed(await exchange.stream.read(until))
            return self._take(exchange)
        except BaseException as error:
            self._exchange = None
            failures = exchange.fail(error)
            if not failures:
                raise
        finally:
            self._is_reading = False
        raise failures.pop()

    def _finish(self, exchange: Exchange) -> None:
        exchange.stream.disarm()
        super()._finish(exchange)

    def __del__(self) -> None:
        exchange = self._exchange
        if exchange is not None:
            exchange.finish(can_reuse=False)


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
        wait_s = pool.close_expired()
        if wait_s is not None:
            asyncio.get_running_loop().call_later(wait_s, _close_expired, weak_pool)
