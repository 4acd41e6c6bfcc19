"""The default transport for asyncio: HTTP/1.1 over connections that are kept open."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import weakref
from typing import TYPE_CHECKING

from specado.exchange import Limits, ReplyBody, TransportSettings, WireReply, WireRequest
from specado.network import TimeUp
from specado.network_async import AsyncTlsStream, connect_async
from specado.pool import Connection, Origin, Pool
from specado.pooled import (
    LONGEST_TIMEOUT_S,
    connect_failure,
    exchange_failure,
    no_slot_failure,
    outgoing,
    tls_context,
    warn_if_readable,
    way_through,
)
from specado.route import Address, address_of, proxy_for

if TYPE_CHECKING:
    from collections.abc import Generator

    from specado.network_async import AsyncStream

__all__ = ["AsyncOpenReply", "AsyncPooledTransport"]


class AsyncPooledTransport:
    """An `AsyncTransport`, for any number of loops in any threads.

    A pool lives as long as its loop: when a loop is gone, its sockets are closed, and those
    of closed loops that are still referred to when the next pool is made.
    """

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        self.forget()

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
        pool = self._pools.get(asyncio.get_running_loop()) or self._new_pool()
        connection = await self._checkout(pool, address, until, limits)
        try:
            connection.stream.arm(until)
            head = await self._start(connection, address, request)
        except BaseException as error:
            connection.stream.close()
            pool.give_back(address[:3], None)
            if isinstance(error, (OSError, TimeUp)):
                raise exchange_failure(error, connection) from None
            raise
        return AsyncOpenReply(pool, address[:3], connection, *head)

    def close(self) -> None:
        """Close the pools, from any thread; the next use makes a new one."""
        with self._lock:
            pools = list(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.close()

    def forget(self) -> None:
        """Leave pools and lock behind, in a forked child: they are the parent's."""
        self._pools: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Pool] = (
            weakref.WeakKeyDictionary()
        )
        self._lock = threading.Lock()

    def _new_pool(self) -> Pool:
        with self._lock:
            for loop in [loop for loop in self._pools if loop.is_closed()]:
                self._pools.pop(loop).close()
            pool = Pool(self._settings.max_connections, self._settings.keepalive_s)
            self._pools[asyncio.get_running_loop()] = pool
            return pool

    async def _checkout(
        self, pool: Pool, address: Address, until: float, limits: Limits
    ) -> Connection:
        waiter = TaskWaiter(address[:3])
        pool.take(waiter)
        if not waiter.is_granted:
            try:
                await waiter.wait(max(0.0, until - time.monotonic()))
            except BaseException:
                pool.abandon(waiter)
                raise
            if not waiter.is_granted:
                pool.abandon(waiter)
                raise no_slot_failure(self._settings)
        try:
            connection = waiter.connection
            if connection is not None:
                if connection.is_usable():
                    return connection
                connection.stream.close()
            return Connection(await self._reach(address, until, limits))
        except BaseException:
            pool.give_back(address[:3], None)
            raise

    async def _reach(self, address: Address, until: float, limits: Limits) -> AsyncStream:
        bound = min(until, time.monotonic() + limits.connect_timeout_s)
        proxy = proxy_for(self._settings, *address[:3])
        first = proxy or address
        stream: AsyncStream | None = None
        try:
            stream = await connect_async(first.host, first.port, bound)
            stream.arm(bound)
            for host, steps in way_through(address, proxy):
                if steps is not None:
                    await _run_tunnel(stream, steps)
                else:
                    stream = AsyncTlsStream(stream, tls_context(self._settings.ca_bundle), host)
                    await stream.handshake()
            stream.disarm()
        except BaseException as error:
            if stream is not None:
                stream.close()
            if isinstance(error, (OSError, TimeUp)):
                raise connect_failure(error, first, bound, until) from None
            raise
        return stream

    async def _start(
        self, connection: Connection, address: Address, request: WireRequest
    ) -> tuple[int, dict[str, str]]:
        http, stream = connection.http, connection.stream
        # A server may answer, and close, before it has read the whole request.
        with contextlib.suppress(OSError):
            for piece in outgoing(connection, address, request, self._settings):
                await stream.write(piece)
        head = http.head()
        while head is None:
            http.receive(await stream.read())
            head = http.head()
        return head


class TaskWaiter:
    """A task's place in the queue for a slot."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.is_granted = False
        self.connection: Connection | None = None
        self._loop = asyncio.get_running_loop()
        self._turn: asyncio.Future[None] = self._loop.create_future()

    def grant(self, connection: Connection | None) -> None:
        """Hand over a slot, with its connection if it has one."""
        self.connection = connection
        self.is_granted = True
        if asyncio._get_running_loop() is self._loop:
            self._wake()
        else:
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._wake)

    async def wait(self, wait_s: float) -> None:
        """Return when the slot is there, or the time is up."""
        timer = self._loop.call_later(wait_s, self._wake)
        try:
            await self._turn
        finally:
            timer.cancel()

    def _wake(self) -> None:
        if not self._turn.done():
            self._turn.set_result(None)


class AsyncOpenReply:
    """A reply whose body is still to be read, by one task at a time.

    Dropping it frees the connection as `close` does.
    """

    def __init__(
        self,
        pool: Pool,
        origin: Origin,
        connection: Connection,
        status: int,
        headers: dict[str, str],
    ) -> None:
        self.status = status
        self.headers = headers
        self._pool = pool
        self._origin = origin
        self._connection: Connection | None = connection
        self._is_reading = False

    def arm(self, until: float) -> None:
        """Let further reads end at *until*, a time of `time.monotonic`."""
        if self._connection is not None:
            self._connection.stream.arm(until)

    async def read(self) -> bytes:
        """Return the next bytes of the body as they came, `b""` at its end."""
        connection = self._connection
        if connection is None:
            return b""
        self._is_reading = True
        try:
            data = connection.http.body()
            while data is None:
                connection.http.receive(await connection.stream.read())
                data = connection.http.body()
        except BaseException as error:
            self._is_reading = False
            self.close()
            if isinstance(error, (OSError, TimeUp)):
                raise exchange_failure(error, connection) from None
            raise
        self._is_reading = False
        if not data:
            self.close()
        return data

    def close(self) -> None:
        """Free the connection: for another request if the body was read to its end."""
        connection = self._connection
        if connection is None:
            return
        if self._is_reading:
            connection.stream.abort()  # the reading task sees it, and closes
            return
        self._connection = None
        connection.stream.disarm()
        if connection.http.recycle():
            self._pool.give_back(self._origin, connection)
        else:
            connection.stream.close()
            self._pool.give_back(self._origin, None)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()


async def _run_tunnel(stream: AsyncStream, steps: Generator[bytes, bytes, None]) -> None:
    with contextlib.suppress(StopIteration):
        out = next(steps)
        while True:
            await stream.write(out)
            out = steps.send(await stream.read())
