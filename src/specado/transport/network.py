"""Sockets and TLS with one deadline for all operations, for threads and for asyncio.

Every operation takes `until`, a time of `time.monotonic`, and raises `TimeUp` when it is
reached; other failures are `OSError`s. `happy_eyeballs` connects sockets, `connecting` opens
streams. The streams for asyncio use the loop's socket methods, not its transports, so that
closing a stream needs no running loop.
"""

from __future__ import annotations

import _socket
import asyncio
import contextlib
import functools
import os
import select
import socket
import ssl
import sys
import time
import weakref
from typing import TYPE_CHECKING, Any, Callable

from specado.errors import ConfigurationError
from specado.transport.failure_causes import RefusedCertificateError, certificate_cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specado.transport.trust import Trust

__all__ = [
    "AsyncSocketStream",
    "AsyncTlsStream",
    "QuietSocket",
    "Readiness",
    "SocketStream",
    "TimeUp",
    "TlsStream",
    "drop_sockets_after_fork",
    "left_s",
]

READ_BYTES = 65_536
# Longer waits are cut into these: poll counts milliseconds in an int.
LONGEST_WAIT_S = 86_400.0
# Bounds what is encrypted ahead of the socket.
WRITE_BYTES = 65_536
# Copying so much to the system takes some 0.1 ms; then the loop's other tasks have their turn.
BURST_BYTES = 262_144
# A peer that is gone without a word is given up after some 20 s, whether it owes an answer (two
# probes) or the receipt of what was sent (RFC 5482; Linux applies the latter's bound to the
# probes too: tcp(7)). Probes also keep address translation on the way from forgetting a connection
# that waits for a long answer. Only what the platform has: macOS calls the first TCP_KEEPALIVE.
_TCP_OPTIONS = (
    ("TCP_NODELAY", 1),
    ("TCP_KEEPALIVE" if sys.platform == "darwin" else "TCP_KEEPIDLE", 10),
    ("TCP_KEEPINTVL", 5),
    ("TCP_KEEPCNT", 2),
    ("TCP_USER_TIMEOUT", 20_000),
)


class TimeUp(Exception):  # noqa: N818 - said by a clock, not by a fault
    """The time that an operation was given is over."""


def left_s(until: float) -> float:
    """Return the seconds until *until*; raise `TimeUp` when there are none."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeUp
    return left


class QuietSocket(socket.socket):
    """Closes without a warning when it is dropped, and is known to `drop_sockets_after_fork`."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        _sockets[self.fileno()] = weakref.ref(self)

    # Not in Python: a signal handler's exception, or the interpreter's end, would break it off.
    __del__ = _socket.socket.close


# By descriptor: a number that is used again takes the place of a socket that is closed. No set of
# weak references: it has callbacks in Python, which swallow a signal handler's exception.
_sockets: dict[int, weakref.ref[QuietSocket]] = {}


def drop_sockets_after_fork() -> None:
    """Close this process's copies of its parent's sockets; the connections stay the parent's."""
    for weak_sock in list(_sockets.values()):
        sock = weak_sock()
        descriptor = -1 if sock is None else sock.detach()
        if descriptor >= 0:
            with contextlib.suppress(OSError):  # the rest is closed all the same
                os.close(descriptor)
    _sockets.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=drop_sockets_after_fork)


def _tune(sock: socket.socket) -> None:
    """Make a connected socket non-blocking, prompt, and alive through long waits."""
    sock.setblocking(False)
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _TCP_OPTIONS:
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class Readiness:
    """Waits until a socket can be read (or written); not for two threads at once."""

    __slots__ = ("_poll", "_sock", "_to_write")

    def __init__(self, sock: socket.socket, *, to_write: bool = False) -> None:
        self._sock = sock
        self._to_write = to_write
        self._poll: Any = None
        if hasattr(select, "poll"):  # not on Windows
            self._poll = select.poll()
            self._poll.register(sock, select.POLLOUT if to_write else select.POLLIN)

    def comes_within(self, wait_s: float) -> bool:
        """Tell whether the socket is ready before *wait_s* are over."""
        descriptor = self._sock.fileno()
        if descriptor < 0:  # its number may be another socket's by now
            raise OSError("the connection is closed")
        if wait_s > LONGEST_WAIT_S:
            wait_s = LONGEST_WAIT_S
        if self._poll is None:
            chosen = ([], [descriptor], [descriptor]) if self._to_write else ([descriptor], [], [])
            return any(select.select(*chosen, wait_s))
        # Poll counts whole milliseconds and rounds down: one more, or it would spin at the end.
        return bool(self._poll.poll(int(wait_s * 1000) + 1 if wait_s else 0))


class _Stream:
    """A connected socket. Not for two users at once, but for `abort`."""

    def __init__(self, sock: socket.socket) -> None:
        _tune(sock)
        self._sock = sock
        self._readable = Readiness(sock)

    def is_stale(self) -> bool:
        """Tell whether an idle connection can take no request: it was closed, or bytes came."""
        try:
            return self._readable.comes_within(0)
        except OSError:
            return True

    def abort(self) -> None:
        """End the connection under a read or write in progress, from any thread."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Free the socket."""
        self._sock.close()


class SocketStream(_Stream):
    """A connected socket for threads."""

    def read(self, until: float) -> bytes:
        """Return the next bytes, `b""` at the end."""
        while True:
            if self._readable.comes_within(left_s(until)):
                try:
                    return self._sock.recv(READ_BYTES)
                except BlockingIOError:
                    continue

    def write(self, data: bytes, until: float) -> None:
        """Send all of *data*."""
        rest: bytes | memoryview = data
        while rest:
            left_s(until)
            try:
                sent = self._sock.send(rest)
                if sent == len(rest):  # as a rule
                    return
                rest = memoryview(rest)[sent:]
            except BlockingIOError:
                Readiness(self._sock, to_write=True).comes_within(left_s(until))


class AsyncSocketStream(_Stream):
    """A connected socket on the running loop.

    One timer bounds any number of operations. When it fires the socket is shut down, which ends
    whatever waits for it on every kind of loop.
    """

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._loop = weakref.ref(asyncio.get_running_loop())
        self._timer: asyncio.TimerHandle | None = None
        self._until: float | None = None
        self._is_time_up = False
        self._burst_bytes = 0  # written at once since other tasks last had their turn

    async def read(self, until: float) -> bytes:
        """Return the next bytes, `b""` at the end."""
        if until != self._until:
            self._arm(until)
        try:
            data = await asyncio.get_running_loop().sock_recv(self._sock, READ_BYTES)
        except (OSError, ValueError) as error:
            raise self._reason(error) from None
        if not data and self._is_time_up:
            raise TimeUp
        return data

    async def write(self, data: bytes, until: float) -> None:
        """Send all of *data*."""
        if until != self._until:
            self._arm(until)
        view = memoryview(data)
        try:
            for start in range(0, len(view), BURST_BYTES):
                piece = view[start : start + BURST_BYTES]
                try:
                    sent = self._sock.send(piece)
                except BlockingIOError:
                    sent = 0
                if sent < len(piece):
                    await asyncio.get_running_loop().sock_sendall(self._sock, piece[sent:])
                self._burst_bytes += sent
                if self._burst_bytes > BURST_BYTES:
                    self._burst_bytes = 0
                    await asyncio.sleep(0)
        except (OSError, ValueError) as error:
            raise self._reason(error) from None

    def _arm(self, until: float) -> None:
        self.disarm()
        self._until = until
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.0, until - time.monotonic()), self._expire)

    def disarm(self) -> None:
        """Stop the timer: an idle one would refer to its loop, and keep it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self._until = None

    def is_stale(self) -> bool:
        """Tell whether an idle connection can take no request: it was closed, or bytes came."""
        return self._is_time_up or super().is_stale()

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


_MORE = object()


class _TlsStream:
    """TLS over a stream; also over another TLS stream, to a proxy that speaks it."""

    def __init__(self, stream: Any, trust: Trust, host: str) -> None:
        self._stream = stream
        self._host = host
        self._trusted = trust.source
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        try:
            self._session = trust.context.wrap_bio(
                self._incoming,
                self._outgoing,
                server_hostname=host.rstrip("."),  # a certificate's have none (RFC 6066, 3)
            )
        except (ValueError, UnicodeError) as error:
            raise ssl.SSLError(f"{host[:255]!r} is not a name for TLS: {error}") from None

    def handshake(self, until: float) -> Any:
        """Agree with the peer, and check who it is."""
        return self._drive(self._shake_hands, until)

    def read(self, until: float) -> Any:
        """Return the next bytes, `b""` at the end."""
        return self._drive(self._decrypt, until)

    def is_stale(self) -> bool:
        """Tell whether an idle connection can take no request: it was closed, or bytes came."""
        return self._incoming.pending > 0 or self._stream.is_stale()

    def abort(self) -> None:
        """End the connection under a read or write in progress, from any thread."""
        self._stream.abort()

    def close(self) -> None:
        """Free the socket."""
        self._stream.close()

    def _drive(self, operation: Callable[[], Any], until: float) -> Any:
        """Return the result of *operation* once enough bytes came; an awaitable on asyncio."""
        raise NotImplementedError

    def _attempt(self, operation: Callable[[], Any]) -> tuple[Any, bytes]:
        """Return the result of *operation*, or `_MORE` if it needs bytes, and the bytes to send."""
        try:
            result = operation()
        except ssl.SSLWantReadError:
            result = _MORE
        except ssl.SSLError as error:
            # With TLS 1.3 a client certificate is refused after the client's handshake.
            is_agreed = self._session.cipher() is not None
            cause = certificate_cause(error, self._host, is_agreed=is_agreed, trusted=self._trusted)
            raise error if cause is None else RefusedCertificateError(cause) from None
        return result, self._outgoing.read()

    def _shake_hands(self) -> None:
        self._session.do_handshake()
        if self._session.selected_alpn_protocol() not in (None, "http/1.1"):
            message = "ssl_context: it offers HTTP/2; call its set_alpn_protocols(['http/1.1'])"
            raise ConfigurationError(message, key="ssl_context")

    def _decrypt(self) -> bytes:
        try:
            return self._session.read(READ_BYTES)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""  # many servers leave the closing alert out; HTTP's framing tells the end

    def _encryptions(self, data: bytes) -> Iterator[Callable[[], int]]:
        """Return the operations that encrypt *data*, of which each is sent before the next."""
        view = memoryview(data)
        for start in range(0, len(view), WRITE_BYTES):
            yield functools.partial(self._session.write, view[start : start + WRITE_BYTES])

    def _receive(self, data: bytes) -> None:
        """Take what came from the peer; `b""` is the end."""
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()


class TlsStream(_TlsStream):
    """TLS for threads."""

    def write(self, data: bytes, until: float) -> None:
        """Send all of *data*."""
        for operation in self._encryptions(data):
            self._drive(operation, until)

    def _drive(self, operation: Callable[[], Any], until: float) -> Any:
        while True:
            result, to_send = self._attempt(operation)
            if to_send:
                self._stream.write(to_send, until)
            if result is not _MORE:
                return result
            self._receive(self._stream.read(until))


class AsyncTlsStream(_TlsStream):
    """TLS for asyncio."""

    def disarm(self) -> None:
        """Stop the timer."""
        self._stream.disarm()

    async def write(self, data: bytes, until: float) -> None:
        """Send all of *data*."""
        for operation in self._encryptions(data):
            await self._drive(operation, until)

    async def _drive(self, operation: Callable[[], Any], until: float) -> Any:
        while True:
            result, to_send = self._attempt(operation)
            if to_send:
                await self._stream.write(to_send, until)
            if result is not _MORE:
                return result
            self._receive(await self._stream.read(until))
