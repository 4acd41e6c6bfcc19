"""Sockets and TLS with one deadline for all operations, for asyncio.

As `network`, with one timer for any number of operations. The streams stand on the loop's
socket methods, not on its transports, so that closing needs no running loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
import time
import weakref
from typing import TYPE_CHECKING, Callable, TypeVar, Union

from specado.transport.network import (
    READ_BYTES,
    WRITE_BYTES,
    Readiness,
    TimeUp,
    Tls,
    tune,
)

if TYPE_CHECKING:
    from specado.transport.network import Buffer

__all__ = ["AsyncSocketStream", "AsyncStream", "AsyncTlsStream"]

# Copying so much to the system takes some 0.1 ms; then the loop's other tasks have their turn.
BURST_BYTES = 262_144

T = TypeVar("T")


class AsyncSocketStream:
    """A connected socket on the running loop. One task at a time, but for `abort`.

    One timer bounds any number of operations: `arm` it first. When it fires the socket
    is shut down, which ends whatever waits for it on every kind of loop.
    """

    def __init__(self, sock: socket.socket) -> None:
        tune(sock)
        self._sock = sock
        self._readable = Readiness(sock)
        self._loop = weakref.ref(asyncio.get_running_loop())
        self._timer: asyncio.TimerHandle | None = None
        self._until: float | None = None
        self._is_time_up = False
        self._burst_bytes = 0  # written at once since other tasks last had their turn

    def arm(self, until: float) -> None:
        """Let all further operations end at *until*."""
        if until == self._until:
            return
        self.disarm()
        self._until = until
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.0, until - time.monotonic()), self._expire)

    def disarm(self) -> None:
        """Stop the timer: an idle one would refer to its loop, and keep it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self._until = None

    async def read(self) -> bytes:
        """Return the next bytes, `b""` at the end."""
        try:
            data = await asyncio.get_running_loop().sock_recv(self._sock, READ_BYTES)
        except (OSError, ValueError) as error:
            raise self._reason(error) from None
        if not data and self._is_time_up:
            raise TimeUp
        return data

    async def write(self, data: Buffer) -> None:
        """Send all of *data*."""
        try:
            with memoryview(data) as view:
                for start in range(0, len(view), BURST_BYTES):
                    await self._write(view[start : start + BURST_BYTES])
        except (OSError, ValueError) as error:
            raise self._reason(error) from None

    async def _write(self, piece: memoryview) -> None:
        sent = self._send(piece)
        if sent < len(piece):
            await asyncio.get_running_loop().sock_sendall(self._sock, piece[sent:])
        self._burst_bytes += sent
        if self._burst_bytes > BURST_BYTES:
            self._burst_bytes = 0
            await asyncio.sleep(0)

    def _send(self, data: memoryview) -> int:
        """Send what there is room for now; return how many bytes."""
        try:
            return self._sock.send(data)
        except BlockingIOError:
            return 0

    def is_stale(self) -> bool:
        """Tell whether an idle connection can take no request: it was closed, or bytes came."""
        return self._is_time_up or self._readable.is_there

    def abort(self) -> None:
        """End the connection under a read or write in progress, from any thread."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Free the socket, on its loop's thread or when its loop does not use it."""
        self.disarm()
        if self._sock.fileno() < 0:
            return
        loop = self._loop()
        if loop is not None and loop is asyncio._get_running_loop():
            # A cancelled read leaves its reader for one more turn of the loop: by then the
            # descriptor's number may be another connection's.
            with contextlib.suppress(NotImplementedError, RuntimeError, OSError):
                loop.remove_reader(self._sock)
                loop.remove_writer(self._sock)
        self._sock.close()

    def _expire(self) -> None:
        self._is_time_up = True
        self.abort()

    def _reason(self, error: Exception) -> Exception:
        if self._is_time_up:
            return TimeUp()
        return error if isinstance(error, OSError) else OSError("the connection is closed")


class AsyncTlsStream:
    """TLS over an asynchronous stream, also over another TLS stream."""

    def __init__(
        self, stream: AsyncStream, context: ssl.SSLContext, host: str, trusted: str = ""
    ) -> None:
        self._stream = stream
        self._tls = Tls(context, host, trusted)

    async def handshake(self) -> None:
        """Agree with the peer, and check who it is."""
        await self._drive(self._tls.handshake)

    def arm(self, until: float) -> None:
        """Let all further operations end at *until*."""
        self._stream.arm(until)

    def disarm(self) -> None:
        """Stop the timer."""
        self._stream.disarm()

    async def read(self) -> bytes:
        """Return the next bytes, `b""` at the end."""
        return await self._drive(self._tls.read)

    async def write(self, data: Buffer) -> None:
        """Send all of *data*."""
        with memoryview(data) as view:
            for start in range(0, len(view), WRITE_BYTES):
                piece = view[start : start + WRITE_BYTES]
                await self._drive(functools.partial(self._tls.session.write, piece))

    def is_stale(self) -> bool:
        """Tell whether an idle connection can take no request: it was closed, or bytes came."""
        return self._tls.incoming.pending > 0 or self._stream.is_stale()

    def abort(self) -> None:
        """End the connection under a read or write in progress, from any thread."""
        self._stream.abort()

    def close(self) -> None:
        """Free the socket."""
        self._stream.close()

    async def _drive(self, operation: Callable[[], T]) -> T:
        while True:
            with contextlib.suppress(ssl.SSLWantReadError):
                result = operation()
                await self._flush()
                return result
            await self._flush()
            self._tls.receive(await self._stream.read())

    async def _flush(self) -> None:
        if self._tls.outgoing.pending:
            await self._stream.write(self._tls.outgoing.read())


AsyncStream = Union[AsyncSocketStream, AsyncTlsStream]
