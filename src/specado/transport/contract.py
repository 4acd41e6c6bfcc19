"""Transport contract: HTTP request, reply, limits, failure, and the transport protocols.

The types between the calls and the transports; no I/O, no HTTP library.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any, Optional, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AsyncOpenReply",
    "AsyncTransport",
    "CommonHeaders",
    "InsecureTransportWarning",
    "Limits",
    "OpenReply",
    "Transport",
    "TransportFailure",
    "TransportSettings",
    "WireReply",
    "WireRequest",
    "has_marked_end",
    "until_after",
    "without_query",
]

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
    to itself. `library` is whose connections carry the requests, as `transport.library_for`
    returns it.
    """

    proxies: tuple[tuple[str, str], ...] = ()
    no_proxy: str = ""
    ca_bundle: Optional[str] = None
    max_connections: int = 1000
    keepalive_s: float = 90.0
    library: str = "own"
    client_certificate: Optional[tuple[str, ...]] = None
    ssl_context: Any = None

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"TransportSettings({shown})"

    def __rich_repr__(self) -> list[Any]:  # msgspec's own shows every field
        proxies = [f"{scheme}={_without_userinfo(url)}" for scheme, url in self.proxies]
        names = ("no_proxy", "ca_bundle", "max_connections", "keepalive_s", "library")
        return [("proxies", proxies), *((name, getattr(self, name)) for name in names)]

    def __reduce__(self) -> Any:
        raise TypeError("transport settings may hold a proxy's password and are not pickled")


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
        made = functools.partial(TransportFailure, sent=self.sent)
        return made, (self.kind, str(self)), vars(self)


class InsecureTransportWarning(UserWarning):
    """A key is sent over plain http:// to another machine: anybody on the network can read it."""


def has_marked_end(headers: Mapping[str, str]) -> bool:
    """Return whether a length or a last chunk marks the end of an HTTP/1.1 body.

    Without them the connection's closing ends the body, and nothing tells a cut from an end.
    """
    return "content-length" in headers or "transfer-encoding" in headers


class _OpenHead(Protocol):
    """Status and headers of an open reply; `headers` have lower-case names.

    `has_marked_end`: the end of the body is marked, and not only the closing of the connection.
    One that is dropped frees the connection.
    """

    status: int
    headers: dict[str, str]
    has_marked_end: bool

    def close(self) -> None:
        """Free the connection, for another request if the body was read to its end; do not wait."""


class OpenReply(_OpenHead, Protocol):
    """An open reply, whose body is read in pieces."""

    def read(self, until: float) -> bytes:
        """Return the next bytes of the body as they came, `b""` at its end.

        *until* is a time of `time.monotonic`; past it, or if the body is incomplete, a
        `TransportFailure` is raised.
        """


class AsyncOpenReply(_OpenHead, Protocol):
    """An `OpenReply` for the tasks of one event loop."""

    async def read(self, until: float) -> bytes:
        """Return the next bytes of the body as they came, `b""` at its end."""


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
        """Send one request and return its reply as soon as status and headers are there.

        *until* is a time of `time.monotonic`.
        """


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


def without_query(url: str) -> str:
    """Return *url* up to its query: some providers take the key there."""
    return _without_userinfo(url.partition("?")[0].partition("#")[0])


def _without_userinfo(url: str) -> str:
    scheme, separator, rest = url.rpartition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"
