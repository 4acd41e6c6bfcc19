"""Default transport for asyncio: httpcore over sockets with one deadline."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from specado.transport.connections import BasePooledReply, Connection, CoreStream, Pool
from specado.transport.httpcore_terms import PooledExchange, failure_of, outgoing
from specado.transport.lifetimes import KeptForLoops
from specado.transport.network_async import AsyncTlsStream, connect_async
from specado.transport.proxies import proxy_for
from specado.transport.route import address_of, warn_if_readable
from specado.transport.slots import TaskSlots

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine

    import httpcore

    from specado.transport.exchange import (
        Limits,
        TransportSettings,
        WireRequest,
    )

__all__ = ["AsyncPooledReply", "AsyncPooledTransport"]


class AsyncPooledTransport(KeptForLoops["TaskPool"]):
    """An `AsyncTransport`, for any number of loops in any threads."""

    def _make(self) -> TaskPool:
        return TaskPool(self._settings)

    async def open(
        self, request: WireRequest, until: float, limits: Limits, *, is_fresh: bool = False
    ) -> AsyncPooledReply:
        """Send *request* and return its reply as soon as status and headers are there.

        *until* is a time of `time.monotonic`. With *is_fresh* it goes out on a new connection.
        """
        address = address_of(request.url)
        warn_if_readable(address, request)
        proxy = proxy_for(self._settings, *address[:3])
        pool = self._connections()
        exchange = PooledExchange(address, proxy, until, limits, pool.library)
        maker = pool.maker(address.scheme, proxy)
        core_request = outgoing(request, exchange, is_proxied=proxy is not None)
        response: httpcore.Response | None = None
        failure: Exception | None
        try:
            await pool.take_slot(exchange)
            connection = exchange.connection = pool.take(
                maker, address, proxy, core_request.url.origin, is_fresh=is_fresh
            )
            exchange.is_reused = connection.is_reused
            response = await connection.inner.handle_async_request(core_request)
            return AsyncPooledReply(pool, exchange, response)
        except BaseException as error:
            pool.abandon(exchange, response)
            failure = failure_of(error, exchange)
            if failure is None:
                raise
        try:
            raise failure
        finally:
            del failure  # it refers to this frame: a cycle would keep the body alive


class TaskPool(Pool):
    """A `Pool` of the running loop; for its thread only, but for `drop` and `close`."""

    def __init__(self, settings: TransportSettings) -> None:
        super().__init__(settings, AsyncBackend(), TaskSlots(settings.max_connections))

    async def take_slot(self, exchange: PooledExchange) -> None:
        """Wait for the right to send; raise `TransportFailure` when the time is up."""
        while self.dropped:
            _run(self.dropped.popleft().response.aclose())
        await self.slots.take(exchange.slots, exchange.until)

    def release(self, connection: Connection) -> None:
        """Take back a connection and its slot."""
        connection.stream.disarm()
        try:
            _run(connection.response.aclose())
        except BaseException:
            connection.lose()
            raise
        finally:
            self.settle(connection)


def _run(steps: Coroutine[Any, Any, None]) -> None:
    """Run to its end what never waits, without the event loop.

    httpcore's closing only lets other tasks run, where it takes a lock that is free; a
    cancellation there would leave its books wrong.
    """
    with contextlib.suppress(StopIteration):
        while steps.send(None) is None:
            pass


class AsyncPooledReply(BasePooledReply):
    """A `BasePooledReply` for tasks of one loop."""

    async def read(self, until: float) -> bytes:
        """Return the next bytes of the body as they came, `b""` at its end."""
        connection = self._connection
        if connection is None:
            return b""
        self._exchange.until = until
        self._is_reading = True
        failure: Exception | None
        try:
            if connection.pieces is None:
                connection.pieces = connection.response.stream.__aiter__()
            data: bytes = await connection.pieces.__anext__()
        except StopAsyncIteration:
            self._is_reading = False
            self._free(connection)
            return b""
        except BaseException as error:
            self._is_reading = False
            self.close()
            failure = failure_of(error, self._exchange)
            if failure is None:
                raise
        else:
            self._is_reading = False
            return data
        try:
            raise failure
        finally:
            del failure


class TaskStream(CoreStream):
    """A `CoreStream` for asyncio."""

    async def read(self, max_bytes: int, timeout: Any = None) -> bytes:  # noqa: ARG002
        """Return the next bytes, `b""` at the end."""
        if self._waiting:
            await self._send(timeout)
        self._stream.arm(self._bound(timeout))
        return self._seen(await self._stream.read(), timeout)

    async def write(self, buffer: bytes, timeout: Any = None) -> None:
        """Send *buffer*, a small one with what is written next."""
        if not self._is_held_back(buffer, timeout):
            await self._send(timeout)
        self._note_end(buffer, timeout)

    async def aclose(self) -> None:
        """Free the socket."""
        self._stream.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: Any = None,  # noqa: ARG002
    ) -> TaskStream:
        """Return the stream with TLS on it."""
        stream = AsyncTlsStream(self._stream, ssl_context, server_hostname or "")
        stream.arm(self._connect_until)
        await stream.handshake()
        return TaskStream(stream, self._tls_layers + 1, self._connect_until, self._library)

    async def _send(self, timeout: Any) -> None:
        self._stream.arm(self._bound(timeout))
        try:
            await self._stream.write(self._joined())
        except OSError as error:
            raise self._library.WriteError(str(error)) from None


class AsyncBackend:
    """Connects for httpcore."""

    is_async = True

    async def connect_tcp(
        self, host: str, port: int, timeout: Any = None, *_: object, **__: object
    ) -> TaskStream:
        """Return a connected stream, which the exchange's connection knows too."""
        stream = await connect_async(host, port, timeout.begin_to_connect())
        timeout.connection.stream = stream
        return TaskStream(stream, 0, timeout.connect_until, timeout.library)
