"""Transport contract: HTTP request, reply, limits, failure, and the transport protocols.

The types between the calls and the transports; no I/O, no HTTP library.
"""

from __future__ import annotations

import time
import zlib
from typing import Any, Optional, Protocol

import msgspec

from specado.errors import redact

__all__ = [
    "AsyncOpenReply",
    "AsyncTransport",
    "CommonHeaders",
    "InsecureTransportWarning",
    "Limits",
    "OpenReply",
    "Progress",
    "ReplyBody",
    "StreamBody",
    "Transport",
    "TransportFailure",
    "TransportSettings",
    "WireReply",
    "WireRequest",
    "read_whole",
    "read_whole_async",
    "until_after",
    "without_query",
]

# A reply has one gzip member; each further one costs a copy of what is left of its piece.
MAX_GZIP_MEMBERS = 100
# RFC 9110, 8.6: the length is decimal digits; the first ones say enough to refuse one.
MAX_LENGTH_DIGITS = 18
MAX_ENCODING_CHARACTERS = 40
# A year: what is longer does not fit the system's calls.
LONGEST_TIMEOUT_S = 31_536_000.0


class CommonHeaders(tuple[tuple[str, str], ...]):
    """Headers shared by all requests to an endpoint; `lines` caches their encoded form.

    The cache is here and not in the transport: it holds a key, and is freed with its client.
    """

    lines: str | None = None


class WireRequest(msgspec.Struct, frozen=True):
    """An HTTP request to send. `headers` or the URL's query hold the key: never shown.

    `carries_key`: the request has a key, whatever its header or parameter is called; the usual
    headers of keys are recognised without it.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    carries_key: bool = False

    def __repr__(self) -> str:
        return f"WireRequest({self.method} {without_query(self.url)}, {len(self.body)} bytes)"

    def __rich_repr__(self) -> list[Any]:  # msgspec's own shows every field
        return [self.method, without_query(self.url), f"{len(self.body)} bytes"]

    def __reduce__(self) -> Any:
        raise TypeError("a request holds a key and is not pickled")


class WireReply(msgspec.Struct, frozen=True):
    """A complete HTTP reply: status, headers (names in lower case), decompressed body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Limits(msgspec.Struct, frozen=True):
    """Limits of one request: bytes after decompression, seconds.

    A reply larger than `max_reply_bytes` fails; a reply with a status from 300 up is truncated at
    `max_error_bytes` instead.
    """

    connect_timeout_s: float = 5.0
    max_reply_bytes: int = 64_000_000
    max_error_bytes: int = 64_000


class TransportSettings(msgspec.Struct, frozen=True, cache_hash=True):
    """Settings of a connection pool; equal settings share one pool.

    `proxies` are pairs of scheme (`http`, `https` or `all`) and proxy URL; a password in
    one is never shown. `no_proxy` is a list as in the variable NO_PROXY. `ca_bundle` is a
    file or a folder of certificates, trusted instead of the system's. `client_certificate` has
    the path of a certificate, then of its key if that is another file, then the key's password.
    `ssl_context` is a caller's own `ssl.SSLContext`, used instead of all these; it is equal only
    to itself. `library` is the HTTP library, as `transport.library_for` returns it.
    """

    proxies: tuple[tuple[str, str], ...] = ()
    no_proxy: str = ""
    ca_bundle: Optional[str] = None
    max_connections: int = 1000
    keepalive_s: float = 90.0
    library: str = "httpx"
    client_certificate: Optional[tuple[str, ...]] = None
    ssl_context: Any = None

    def __repr__(self) -> str:
        proxies = ", ".join(self._shown_proxies())
        return (
            f"TransportSettings(proxies=({proxies}), no_proxy={self.no_proxy!r}, "
            f"ca_bundle={self.ca_bundle!r}, max_connections={self.max_connections}, "
            f"keepalive_s={self.keepalive_s}, library={self.library!r})"
        )

    def __rich_repr__(self) -> list[Any]:  # msgspec's own shows every field
        return [
            ("proxies", self._shown_proxies()),
            ("no_proxy", self.no_proxy),
            ("ca_bundle", self.ca_bundle),
            ("max_connections", self.max_connections),
            ("keepalive_s", self.keepalive_s),
            ("library", self.library),
        ]

    def __reduce__(self) -> Any:
        raise TypeError("transport settings may hold a proxy's password and are not pickled")

    def _shown_proxies(self) -> list[str]:
        return [f"{scheme}={_without_userinfo(url)}" for scheme, url in self.proxies]


class TransportFailure(Exception):  # noqa: N818 - an outcome that the routing maps to an error
    """A request failed without a usable reply.

    `kind` is one of `connect` (nothing was sent: refused, name, TLS, proxy, connect timeout),
    `timeout` (the attempt's time is up), `reset` (sent, no byte came back),
    `truncated` (the reply is incomplete), `protocol` (not HTTP), `too_large`; and two with which a
    retry cannot succeed: `certificate` (the server's certificate does not verify, or the server
    requires one of the client; nothing was processed) and `resources` (this machine has no file
    descriptor, port or memory left).
    `sent` tells whether the provider may have got the request.

    `is_reused`: the connection had served a request before. `is_written`: the whole request
    was written to it, and `since_written_s` are the seconds from then to the failure (`None`
    where it was not wholly written). A caller's own HTTP client and the decoding of a body do not
    provide these facts: then they have their defaults.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        sent: bool,
        is_reused: bool = False,
        is_written: bool = False,
        since_written_s: Optional[float] = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.sent = sent
        self.is_reused = is_reused
        self.is_written = is_written
        self.since_written_s = since_written_s

    def __reduce__(self) -> tuple[Any, ...]:
        return _failure, (self.kind, str(self)), vars(self)


def _failure(kind: str, message: str) -> TransportFailure:
    return TransportFailure(kind, message, sent=True)


class Progress:
    """Progress of one request (sent, written, connection reused), for the facts of a failure.

    `written_at` is the time of `time.monotonic` at which the whole request was written.
    """

    has_sent = False
    is_reused = False
    written_at: float | None = None

    def failure(self, kind: str, message: str, *, sent: bool) -> TransportFailure:
        """Return a failure with the facts of this moment."""
        written_at = self.written_at
        return TransportFailure(
            kind,
            message,
            sent=sent,
            is_reused=self.is_reused,
            is_written=written_at is not None,
            since_written_s=None if written_at is None else time.monotonic() - written_at,
        )


class InsecureTransportWarning(UserWarning):
    """A key is sent over plain http:// to another machine: anybody on the network can read it."""


class OpenReply(Protocol):
    """An open reply, whose body is read in pieces; `headers` have lower-case names.

    Its finalizer frees the connection, as `close` does.
    """

    status: int
    headers: dict[str, str]

    def read(self, until: float) -> bytes:
        """Return the next bytes of the body as they came, `b""` at its end.

        *until* is a time of `time.monotonic`; past it, or if the body is incomplete, a
        `TransportFailure` is raised.
        """

    def close(self) -> None:
        """Free the connection: for another request if the body was read to its end."""


class AsyncOpenReply(Protocol):
    """An open reply for the tasks of one event loop; `close` does not wait."""

    status: int
    headers: dict[str, str]

    async def read(self, until: float) -> bytes:
        """Return the next bytes of the body as they came, `b""` at its end."""

    def close(self) -> None:
        """Free the connection."""


class Transport(Protocol):
    """Protocol of a transport for threads.

    With *is_fresh* a request is sent on a new connection, not on an idle one. A caller's own HTTP
    client and the simulator ignore it: they cannot choose.
    """

    def send(
        self, request: WireRequest, timeout_s: float, limits: Limits, *, is_fresh: bool = False
    ) -> WireReply:
        """Send one request and return its whole reply, or raise `TransportFailure`."""

    def open(
        self, request: WireRequest, until: float, limits: Limits, *, is_fresh: bool = False
    ) -> OpenReply:
        """Send one request and return its reply as soon as status and headers are there."""


class AsyncTransport(Protocol):
    """Protocol of a transport for asyncio."""

    async def send(
        self, request: WireRequest, timeout_s: float, limits: Limits, *, is_fresh: bool = False
    ) -> WireReply:
        """Send one request and return its whole reply, or raise `TransportFailure`."""

    async def open(
        self, request: WireRequest, until: float, limits: Limits, *, is_fresh: bool = False
    ) -> AsyncOpenReply:
        """Send one request and return its reply as soon as status and headers are there."""


def until_after(timeout_s: float) -> float:
    """Return the time of `time.monotonic` in *timeout_s* seconds."""
    return time.monotonic() + min(timeout_s, LONGEST_TIMEOUT_S)


def read_whole(reply: OpenReply, until: float, limits: Limits) -> WireReply:
    """Return an open reply with its whole body, and free its connection."""
    try:
        body = ReplyBody(reply.status, reply.headers, limits)
        try:
            while body.add(reply.read(until)):
                pass
        except TransportFailure:
            if not body.is_error:
                raise
        return WireReply(reply.status, reply.headers, body.finish())
    finally:
        reply.close()


async def read_whole_async(reply: AsyncOpenReply, until: float, limits: Limits) -> WireReply:
    """Return an open reply with its whole body, and free its connection."""
    try:
        body = ReplyBody(reply.status, reply.headers, limits)
        try:
            while body.add(await reply.read(until)):
                pass
        except TransportFailure:
            if not body.is_error:
                raise
        return WireReply(reply.status, reply.headers, body.finish())
    finally:
        reply.close()


def without_query(url: str) -> str:
    """Return *url* up to its query: some providers take the key there."""
    return _without_userinfo(url.partition("?")[0].partition("#")[0])


def _without_userinfo(url: str) -> str:
    scheme, separator, rest = url.rpartition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"


class ReplyBody:
    """Collects one reply's body, decompressed, within its limits.

    Raises `TransportFailure`: `too_large`, or `protocol` for an encoding that is
    unknown or broken. But the status of an error (300 and above) says enough without its
    body: it is cut at its limit, empty where its encoding is unknown or broken, and whoever
    reads it passes over a failure where it `is_error`: the body is then what came before.
    """

    def __init__(self, status: int, headers: dict[str, str], limits: Limits) -> None:
        self.is_error = status >= 300
        self._max_bytes = limits.max_error_bytes if self.is_error else limits.max_reply_bytes
        self._room = self._max_bytes
        self._pieces: list[bytes] = []
        self._inflater: _Inflater | None = None
        try:
            self._inflater = _inflater_for(headers)
        except TransportFailure as failure:
            self._give_up(failure)
        length = headers.get("content-length", "")
        if not self.is_error and length.isdecimal():
            self._refuse_above(int(length[:MAX_LENGTH_DIGITS]))

    def add(self, data: bytes) -> bool:
        """Take the next piece, `b""` for the end; return whether more is wanted."""
        if not data:
            return False
        if self._inflater is not None:
            # One byte past the room tells that there is more, whatever the data expands to.
            try:
                data = self._inflater.decode(data, self._room + 1)
            except zlib.error:
                self._give_up(_broken())
                return False
        if len(data) > self._room:
            self._refuse_above(self._max_bytes + 1)
            self._pieces.append(data[: self._room])
            self._room = 0
            self._inflater = None
            return False
        self._room -= len(data)
        self._pieces.append(data)
        return True

    def finish(self) -> bytes:
        """Return the whole body."""
        if self._inflater is not None and not self._inflater.is_whole and not self.is_error:
            raise _broken()
        return b"".join(self._pieces)

    def _give_up(self, failure: TransportFailure) -> None:
        if not self.is_error:
            raise failure from None
        self._pieces.clear()
        self._inflater = None
        self._max_bytes = self._room = 0

    def _refuse_above(self, size: int) -> None:
        if size > self._max_bytes and not self.is_error:
            message = f"the reply is larger than {self._max_bytes} bytes (max_reply_bytes)"
            raise TransportFailure("too_large", message, sent=True)


class StreamBody:
    """Undoes the encoding of a body that is read as it comes; raises as `ReplyBody` does."""

    def __init__(self, headers: dict[str, str], max_piece_bytes: int) -> None:
        self._max_bytes = max_piece_bytes
        self._inflater = _inflater_for(headers)

    def decode(self, data: bytes) -> bytes:
        """Return what *data* stands for."""
        if self._inflater is None:
            return data
        try:
            data = self._inflater.decode(data, self._max_bytes + 1)
        except zlib.error:
            raise _broken() from None
        if len(data) > self._max_bytes:
            message = f"a piece of the stream expands to more than {self._max_bytes} bytes"
            raise TransportFailure("too_large", f"{message} (max_frame_bytes)", sent=True)
        return data


def _inflater_for(headers: dict[str, str]) -> _Inflater | None:
    """Return what undoes a reply's encoding, `None` for none; raises for an unknown one."""
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _Inflater(is_gzip=encoding != "deflate")
    if encoding not in ("", "identity"):
        raise _unknown(encoding)
    return None


def _unknown(encoding: str) -> TransportFailure:
    shown = redact(encoding)[:MAX_ENCODING_CHARACTERS]
    message = f"the reply's content-encoding {shown!r} is not one that was asked for"
    return TransportFailure("protocol", message, sent=True)


class _Inflater:
    """Undoes gzip or deflate piece by piece, never past a bound; raises `zlib.error`.

    Zero bytes after a gzip member are padding, as for Python's gzip module.
    """

    def __init__(self, *, is_gzip: bool) -> None:
        self._is_gzip = is_gzip
        self._head = b""
        self._members = 0
        self._stream: Any = None

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        """Return what *data* expands to, at most *max_bytes* (then no more may be fed)."""
        if self._stream is None:
            self._head += data
            if len(self._head) < 2:
                return b""
            data, self._head = self._head, b""
            self._start(data)
        out = b""
        while data and len(out) < max_bytes:
            if self._stream.eof:
                # After a "deflate" stream nothing is looked at: it is no member of a row.
                data = data.lstrip(b"\0") if self._is_gzip else b""
                if not data:
                    break
                self._start(data)
            out += self._stream.decompress(data, max_bytes - len(out))
            data = self._stream.unused_data
        return out

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is missing at the end."""
        return not self._head and (self._stream is None or self._stream.eof)

    def _start(self, data: bytes) -> None:
        self._members += 1
        if self._members > MAX_GZIP_MEMBERS:
            raise zlib.error("too many members")
        if self._is_gzip:
            window_bits = zlib.MAX_WBITS | 16
        else:
            # "deflate" is zlib's format (RFC 9110, 8.4.1.2); some servers leave its header out.
            has_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
            window_bits = zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS
        self._stream = zlib.decompressobj(window_bits)


def _broken() -> TransportFailure:
    return TransportFailure("protocol", "the reply's compressed body is broken", sent=True)
