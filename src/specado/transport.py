"""One HTTP exchange at a time over pools that the process shares.

The only module that imports httpx. What stands above it sees `Transport`, `AsyncTransport`
and the types they speak in, so that another HTTP library can stand in.
"""

from __future__ import annotations

from typing import Optional, Protocol, Tuple

import msgspec

__all__ = [
    "AsyncTransport",
    "Transport",
    "TransportFailure",
    "TransportSettings",
    "WireReply",
    "WireRequest",
]


class WireRequest(msgspec.Struct, frozen=True):
    """A request as it goes out. `headers` hold the key: never shown by `repr`."""

    method: str
    url: str
    headers: Tuple[Tuple[str, str], ...]
    body: bytes

    def __repr__(self) -> str:
        return f"WireRequest({self.method} {self.url}, {len(self.body)} bytes)"


class WireReply(msgspec.Struct, frozen=True):
    """A whole reply as it came in: status, headers (names in lower case), decoded body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Limits(msgspec.Struct, frozen=True):
    """Bounds of one exchange: bytes after decompression, seconds."""

    connect_timeout_s: float = 5.0
    max_reply_bytes: int = 64_000_000
    max_error_bytes: int = 64_000


class TransportSettings(msgspec.Struct, frozen=True):
    """What a pool is made from; equal settings share one pool."""

    proxies: Tuple[Tuple[str, str], ...] = ()
    no_proxy: str = ""
    ca_bundle: Optional[str] = None
    max_connections: int = 1000
    keepalive_s: float = 90.0


class TransportFailure(Exception):  # noqa: N818 - an outcome that the routing maps to an error
    """No usable reply came.

    `kind` is one of `connect` (nothing was sent: refused, name, TLS, connect timeout),
    `timeout` (the attempt's time is up), `reset` (sent, no byte came back),
    `truncated` (the reply broke off), `protocol` (not HTTP), `too_large`.
    `sent` tells whether the provider may have got the request.
    """

    def __init__(self, kind: str, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.kind = kind
        self.sent = sent


class Transport(Protocol):
    """Sends one request and gives its whole reply, or raises `TransportFailure`."""

    def send(self, request: WireRequest, timeout_s: float, limits: Limits) -> WireReply: ...


class AsyncTransport(Protocol):
    """The same for an event loop."""

    async def send(self, request: WireRequest, timeout_s: float, limits: Limits) -> WireReply: ...
