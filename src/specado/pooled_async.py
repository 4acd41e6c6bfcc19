"""The default transport for asyncio: httpcore over sockets under one clock."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import anyio
import httpcore

from specado.connections import (
    LONGEST_TIMEOUT_S,
    PIECE_BYTES,
    Connection,
    Exchange,
    Pool,
    failure_of,
    head_of,
    no_slot,
    outgoing,
    proxy_of,
)
from specado.exchange import Limits, ReplyBody, TransportSettings, WireReply, WireRequest
from specado.network_async import AsyncTlsStream, connect_async
from specado.route import address_of, warn_if_readable

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine

    from specado.network_async import AsyncStream

__all__ = ["AsyncOpenReply", "AsyncPooledTransport"]

_left_behind: list[Any] = []


class AsyncPooledTransport:
    """An `AsyncTransport`, for any number of loops in any threads.

    A pool lives as long as its loop: when a loop is gone, its sockets are closed, and those
    of closed loops that are still referred to when the next pool is made.
    """

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        self._new_books()

    async def send(self, request: WireRequest, timeout_s: float, limits: Limits) -> WireReply:
        """Return the whole reply; all of it has to happen within *timeout_s*."""
        until = time.monotonic() + min(timeout_s, LONGEST_TIMEOUT_S)
        reply = await self.open(request, until, limits)
        try:
            body = ReplyBody(reply.status, reply.headers, limits)
            while True:
                data = await reply.read()
                if not data or not body.add(data):
                    break
            return WireReply(reply.status, reply.headers, body.finish())
        finally:
            reply.close()

    async def open(self, request: WireRequest, until: float, limits: Limits) -> AsyncOpenReply:
        """Send *request* and return its reply as soon as status and headers are there.

        *until*, a time of `time.monotonic`, also bounds all reads unless the reply is
        told otherwise.
        """
        address = address_of(request.url)
        warn_if_readable(address, request)
        proxy = proxy_of(self._settings, address)
        exchange = Exchange(address, proxy, until, limits)
        pool = self._pools.get(asyncio.get_running_loop()) or self._new_pool()
        core = pool.core(address.scheme, proxy)
        core_request = outgoing(request, exchange, is_proxied=proxy is not None)
        await pool.take_slot(until)
        failure: Exception | None
        try:
            response = await core.handle_async_request(core_request)
            return AsyncOpenReply(pool, exchange, response)
        except Exception as error:
            pool.slots.release()
            failure = failure_of(error, exchange)
            if failure is None:
                raise
        except BaseException:
            pool.slots.release()
            raise
        raise failure

    def close(self) -> None:
        """Close the pools, from any thread; the next use makes a new one."""
        with self._lock:
            pools = list(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.close()

    def forget(self) -> None:
        """Leave pools and lock behind, in a forked child: they are the parent's."""
        _left_behind.append(self._pools)
        self._new_books()

    def _new_books(self) -> None:
        self._pools: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, TaskPool] = (
            weakref.WeakKeyDictionary()
        )
        self._lock = threading.Lock()

    def _new_pool(self) -> TaskPool:
        with self._lock:
            for loop in [loop for loop in self._pools if loop.is_closed()]:
                self._pools.pop(loop).close()
            pool = TaskPool(self._settings)
            self._pools[asyncio.get_running_loop()] = pool
            return pool


class TaskPool(Pool):
    """A `Pool` of the running loop; for its thread only, but for `drop` and `close`."""

    def __init__(self, settings: TransportSettings) -> None:
        super().__init__(settings, AsyncBackend())
        self.slots = anyio.Semaphore(self.max_slots)
        self._loop = weakref.ref(asyncio.get_running_loop())

    async def take_slot(self, until: float) -> None:
        """Wait for the right to send; raise `TransportFailure` at *until*."""
        while self.dropped:
            _run(self.dropped.popleft().response.aclose())
        with contextlib.suppress(anyio.WouldBlock):
            self.slots.acquire_nowait()
            return
        with anyio.move_on_after(max(0.0, until - time.monotonic())) as scope:
            await self.slots.acquire()
        if scope.cancelled_caught:
            raise no_slot(self.settings)

    def release(self, connection: Connection) -> None:
        """Take back a connection and its slot."""
        connection.stream.disarm()
        try:
            _run(connection.response.aclose())
        finally:
            self.settle(connection, self.max_slots - self.slots.value - 1)
            self.slots.release()

    def drop(self, connection: Connection) -> None:
        """Close a connection for a finalizer, in whatever thread."""
        connection.lose()
        self.dropped.append(connection)
        loop = self._loop()
        if loop is not None:
            loop.call_soon_threadsafe(self.slots.release)


def _run(steps: Coroutine[Any, Any, None]) -> None:
    """Run to its end what never waits, without the event loop.

    httpcore's closing only lets other tasks run, where it takes a lock that is free; a
    cancellation there would leave its books wrong.
    """
    with contextlib.suppress(StopIteration):
        while steps.send(None) is None:
            pass


class AsyncOpenReply:
    """A reply whose body is still to be read, by one task at a time.

    Dropping it frees the connection as `close` does.
    """

    _connection: Connection | None = None

    def __init__(self, pool: TaskPool, exchange: Exchange, response: httpcore.Response) -> None:
        connection = exchange.connection
        try:
            self.status, self.headers = head_of(response, exchange)
        except BaseException:
            connection.lose()
            _run(response.aclose())
            raise
        connection.response = response
        connection.pieces = response.stream.__aiter__()  # type: ignore[union-attr]
        self._pool = pool
        self._exchange = exchange
        self._is_reading = False
        self._connection = connection

    def arm(self, until: float) -> None:
        """Let further reads end at *until*, a time of `time.monotonic`."""
        self._exchange.until = until

    async def read(self) -> bytes:
        """Return the next bytes of the body as they came, `b""` at its end."""
        connection = self._connection
        if connection is None:
            return b""
        self._is_reading = True
        failure: Exception | None
        try:
            data: bytes = await connection.pieces.__anext__()
        except StopAsyncIteration:
            self._is_reading = False
            self._close(connection)
            return b""
        except BaseException as error:
            self._is_reading = False
            self.close()
            if not isinstance(error, Exception):
                raise
            failure = failure_of(error, self._exchange)
            if failure is None:
                raise
        else:
            self._is_reading = False
            return data
        raise failure

    def close(self) -> None:
        """Free the connection: for another request if the body was read to its end."""
        connection = self._connection
        if connection is None:
            return
        if self._is_reading:
            connection.stream.abort()  # the reading task sees it, and closes
            return
        connection.lose()
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        self._connection = None
        self._pool.release(connection)

    def __del__(self) -> None:
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(Exception):
                self._pool.drop(connection)


class AsyncCoreStream(httpcore.AsyncNetworkStream):
    """A stream as httpcore uses it, as `pooled.CoreStream`."""

    def __init__(self, stream: AsyncStream, tls_layers: int, connect_until: float) -> None:
        self._stream = stream
        self._tls_layers = tls_layers
        self._connect_until = connect_until
        self._waiting: list[bytes] = []

    async def read(self, max_bytes: int, timeout: Any = None) -> bytes:  # noqa: ARG002
        """Return the next bytes, `b""` at the end."""
        if self._waiting:
            await self._send(timeout)
        if timeout is None or self._tls_layers != timeout.tls_layers:
            self._stream.arm(self._connect_until)
            return await self._stream.read()
        self._stream.arm(timeout.until)
        data = await self._stream.read()
        if data:
            timeout.has_answer = True
        else:
            timeout.has_ended = True
        return data

    async def write(self, buffer: bytes, timeout: Any = None) -> None:
        """Send *buffer*, a small one with what is written next."""
        if buffer:
            self._waiting.append(buffer)
            if len(buffer) < PIECE_BYTES:
                return
        if self._waiting:
            await self._send(timeout)

    async def aclose(self) -> None:
        """Free the socket."""
        self._stream.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: Any = None,  # noqa: ARG002
    ) -> AsyncCoreStream:
        """Return the stream with TLS on it."""
        stream = AsyncTlsStream(self._stream, ssl_context, server_hostname or "")
        stream.arm(self._connect_until)
        await stream.handshake()
        return AsyncCoreStream(stream, self._tls_layers + 1, self._connect_until)

    def get_extra_info(self, info: str) -> Any:
        """Tell whether an idle connection `is_readable`; nothing else is asked for."""
        return self._stream.has_news() if info == "is_readable" else None

    async def _send(self, timeout: Any) -> None:
        data = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
        self._waiting.clear()
        until = self._connect_until
        if timeout is not None and self._tls_layers == timeout.tls_layers:
            timeout.has_sent = True
            until = timeout.until
        self._stream.arm(until)
        try:
            await self._stream.write(data)
        except OSError as error:
            raise httpcore.WriteError(str(error)) from None


class AsyncBackend(httpcore.AsyncNetworkBackend):
    """Connects for httpcore."""

    async def connect_tcp(
        self, host: str, port: int, timeout: Any = None, *_: object, **__: object
    ) -> AsyncCoreStream:
        """Return a connected stream, which the exchange's connection knows too."""
        stream = await connect_async(host, port, timeout.begin_to_connect())
        timeout.connection.stream = stream
        return AsyncCoreStream(stream, 0, timeout.connect_until)
