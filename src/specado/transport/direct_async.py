"""Fast transport for asyncio: httptools over sockets with one deadline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Callable

from specado.transport.kept import BaseDirectReply, DirectExchange, KeptConnections
from specado.transport.lifetimes import KeptForLoops
from specado.transport.network_async import AsyncSocketStream, AsyncTlsStream, connect_async
from specado.transport.proxies import proxy_for
from specado.transport.slots import TaskSlots
from specado.transport.trust import tls_context

if TYPE_CHECKING:
    from specado.transport.exchange import (
        AsyncOpenReply,
        AsyncTransport,
        Limits,
        TransportSettings,
        WireRequest,
    )

__all__ = ["AsyncDirectReply", "AsyncDirectTransport"]


class AsyncDirectTransport(KeptForLoops[KeptConnections]):
    """An `AsyncTransport`, for any number of loops in any threads.

    Connections live as long as their loop, as in `pooled_async`. *through_proxies* takes what
    a proxy is set for.
    """

    def __init__(
        self, settings: TransportSettings, through_proxies: Callable[[], AsyncTransport]
    ) -> None:
        super().__init__(settings)
        self._through_proxies = through_proxies

    def _make(self) -> KeptConnections:
        return KeptConnections(self._settings, TaskSlots(self._settings.max_connections))

    async def open(
        self, request: WireRequest, until: float, limits: Limits, *, is_fresh: bool = False
    ) -> AsyncOpenReply:
        """Send *request* and return its reply as soon as status and headers are there.

        *until* is a time of `time.monotonic`. With *is_fresh* it goes out on a new connection.
        """
        exchange = DirectExchange(request, until, limits)
        if proxy_for(self._settings, *exchange.key) is not None:
            proxied = self._through_proxies()
            return await proxied.open(request, until, limits, is_fresh=is_fresh)
        kept = self._connections()
        failure: Exception | None
        try:
            await _exchange_heads(kept, exchange, is_fresh=is_fresh)
            return AsyncDirectReply(kept, exchange)
        except BaseException as error:
            kept.settle(exchange, keeps=False)
            failure = exchange.failure_of(error)
            if failure is None:
                raise
        try:
            raise failure
        finally:
            del failure  # it refers to this frame: a cycle would keep the body alive


async def _exchange_heads(
    kept: KeptConnections, exchange: DirectExchange, *, is_fresh: bool
) -> None:
    """Send the request and read until the reply's head is there."""
    exchange.prepare()
    await kept.slots.take(exchange.slots, exchange.until)
    stream = exchange.stream = kept.take(exchange.key, is_fresh=is_fresh)
    exchange.is_reused = stream is not None
    if stream is None:
        stream = exchange.stream = await _connect(kept.settings, exchange)
    exchange.has_sent = True
    stream.arm(exchange.until)
    await _write(stream, exchange)
    parser = exchange.parser
    while not parser.has_head:
        parser.feed(await stream.read())


async def _write(stream: Any, exchange: DirectExchange) -> None:
    try:
        for piece in exchange.unsent():
            await stream.write(piece)
    except OSError:  # the peer may have answered before it had read all
        return
    exchange.written_at = time.monotonic()


async def _connect(
    settings: TransportSettings, exchange: DirectExchange
) -> AsyncSocketStream | AsyncTlsStream:
    scheme, host, port = exchange.key
    # Certificates take long to load: before the time begins to run.
    context = tls_context(settings).context if scheme == "https" else None
    until = exchange.begin_to_connect()
    stream = await connect_async(host, port, until)
    if context is None:
        return stream
    try:
        secured = AsyncTlsStream(stream, context, host)
        secured.arm(until)
        await secured.handshake()
    except BaseException:
        stream.close()
        raise
    return secured


class AsyncDirectReply(BaseDirectReply):
    """A `BaseDirectReply` for tasks of one loop."""

    async def read(self, until: float) -> bytes:
        """Return the next bytes of the body as they came, `b""` at its end."""
        exchange = self._exchange
        if exchange is None:
            return b""
        exchange.until = until
        parser = exchange.parser
        self._is_reading = True
        failure: Exception | None
        try:
            if not parser.pieces and not parser.is_complete:
                exchange.stream.arm(until)
                while not parser.pieces and not parser.is_complete:
                    parser.feed(await exchange.stream.read())
        except BaseException as error:
            self._is_reading = False
            self.close()
            failure = exchange.failure_of(error)
            if failure is None:
                raise
        else:
            self._is_reading = False
            return self._take(exchange)
        try:
            raise failure
        finally:
            del failure

    def _free(self, exchange: DirectExchange) -> None:
        exchange.stream.disarm()
        super()._free(exchange)
