"""Sockets and TLS with one deadline for all operations, for threads.

Every operation takes `until`, a time of `time.monotonic`, and raises `TimeUp` when it is
reached; other failures are `OSError`s. `happy_eyeballs` connects sockets, `connecting` opens
streams.
"""

from __future__ import annotations

import _socket
import contextlib
import functools
import os
import select
import socket
import ssl
import sys
import time
import weakref
from typing import Any, Callable, TypeVar, Union

from specado.errors import ConfigurationError
from specado.transport.failure_causes import RefusedCertificateError, certificate_cause

__all__ = [
    "QuietSocket",
    "Readiness",
    "SocketStream",
    "Stream",
    "TimeUp",
    "Tls",
    "TlsStream",
    "drop_sockets_after_fork",
    "left_s",
    "tune",
]

READ_BYTES = 65_536
# Longer waits are cut into these: poll counts milliseconds in an int.
LONGEST_WAIT_S = 86_400.0
# Bounds what is encrypted ahead of the socket.
WRITE_BYTES = 65_536
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

T = TypeVar("T")
Buffer = Union[bytes, memoryview]


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


def tune(sock: socket.socket) -> None:
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

    @property
    def is_there(self) -> bool:
        """True if an idle connection is readable: the peer closed it, or sent unasked data."""
        try:
            return self.comes_within(0)
        except OSError:
            return True


class SocketStream:
    """A connected socket. Not for two threads at once, but for `abort`."""

    def __init__(self, sock: socket.socket) -> None:
        tune(sock)
        self._sock = sock
        self._readable = Readiness(sock)

    def read(self, until: float) -> bytes:
        """Return the next bytes, `b""` at the end."""
        while True:
            if self._readable.comes_within(left_s(until)):
                try:
                    return self._sock.recv(READ_BYTES)
                except BlockingIOError:
                    continue

    def write(self, data: Buffer, until: float) -> None:
        """Send all of *data*."""
        with memoryview(data) as view:
            sent = 0
            while sent < len(view):
                left_s(until)
                try:
                    sent += self._sock.send(view[sent:])
                except BlockingIOError:
                    Readiness(self._sock, to_write=True).comes_within(left_s(until))

    def is_stale(self) -> bool:
        """Tell whether an idle connection can take no request: it was closed, or bytes came."""
        return self._readable.is_there

    def abort(self) -> None:
        """End the connection under a read or write in progress, from any thread."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Free the socket."""
        self._sock.close()


class Tls:
    """One side of a TLS connection, in memory; *trusted* names the trusted certificates."""

    def __init__(self, context: ssl.SSLContext, host: str, trusted: str = "") -> None:
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self._host = host
        self._trusted = trusted
        try:
            name = host.rstrip(".")  # a certificate's names have no final dot (RFC 6066, 3)
            self.session = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)
        except (ValueError, UnicodeError) as error:
            raise ssl.SSLError(f"{host[:255]!r} is not a name for TLS: {error}") from None

    def handshake(self) -> None:
        """Go on with the handshake; `SSLWantReadError` asks for more."""
        try:
            self.session.do_handshake()
        except ssl.SSLWantReadError:
            raise
        except ssl.SSLError as error:
            raise self._cause_of(error) from None
        if self.session.selected_alpn_protocol() not in (None, "http/1.1"):
            message = "ssl_context: it offers HTTP/2; call its set_alpn_protocols(['http/1.1'])"
            raise ConfigurationError(message, key="ssl_context")

    def receive(self, data: bytes) -> None:
        """Take what came from the peer; `b""` is the end."""
        if data:
            self.incoming.write(data)
        else:
            self.incoming.write_eof()

    def read(self) -> bytes:
        """Return decrypted bytes, `b""` at the end; `SSLWantReadError` asks for more."""
        try:
            return self.session.read(READ_BYTES)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""  # many servers leave the closing alert out; HTTP's framing tells the end
        except ssl.SSLWantReadError:
            raise
        except ssl.SSLError as error:
            # With TLS 1.3 a client certificate is refused after the client's handshake.
            raise self._cause_of(error) from None

    def _cause_of(self, error: ssl.SSLError) -> OSError:
        """Return what to raise for *error*."""
        is_agreed = self.session.cipher() is not None
        cause = certificate_cause(error, self._host, is_agreed=is_agreed, trusted=self._trusted)
        return error if cause is None else RefusedCertificateError(cause)


class TlsStream:
    """TLS over a stream; also over another TLS stream, to a proxy that speaks it."""

    def __init__(
        self, stream: Stream, context: ssl.SSLContext, host: str, trusted: str = ""
    ) -> None:
        self._stream = stream
        self._tls = Tls(context, host, trusted)

    def handshake(self, until: float) -> None:
        """Agree with the peer, and check who it is."""
        self._drive(self._tls.handshake, until)

    def read(self, until: float) -> bytes:
        """Return the next bytes, `b""` at the end."""
        return self._drive(self._tls.read, until)

    def write(self, data: Buffer, until: float) -> None:
        """Send all of *data*."""
        with memoryview(data) as view:
            for start in range(0, len(view), WRITE_BYTES):
                piece = view[start : start + WRITE_BYTES]
                self._drive(functools.partial(self._tls.session.write, piece), until)

    def is_stale(self) -> bool:
        """Tell whether an idle connection can take no request: it was closed, or bytes came."""
        return self._tls.incoming.pending > 0 or self._stream.is_stale()

    def abort(self) -> None:
        """End the connection under a read or write in progress, from any thread."""
        self._stream.abort()

    def close(self) -> None:
        """Free the socket."""
        self._stream.close()

    def _drive(self, operation: Callable[[], T], until: float) -> T:
        while True:
            with contextlib.suppress(ssl.SSLWantReadError):
                result = operation()
                self._flush(until)
                return result
            self._flush(until)
            self._tls.receive(self._stream.read(until))

    def _flush(self, until: float) -> None:
        if self._tls.outgoing.pending:
            self._stream.write(self._tls.outgoing.read(), until)


Stream = Union[SocketStream, TlsStream]
