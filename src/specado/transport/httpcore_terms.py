"""Adapter to httpcore: requests, replies, proxies and failures (sans-I/O).

`library` is httpcore, or httpcore2, which httpx2 is built on: the same in all that is used here.

As httpcore 1.0.9 has them (read 2026-11-22): it hands a request's time-outs on as they are,
but none where it speaks to a SOCKS proxy (encode/httpcore issue 1089, open on that day).
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import time
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from specado.errors import ConfigurationError, redact
from specado.transport.causes import RefusedCertificateError, resource_cause
from specado.transport.exchange import Progress, TransportFailure
from specado.transport.network import TimeUp
from specado.transport.proxies import Proxy
from specado.transport.trust import tls_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import httpcore

    from specado.transport.exchange import Limits, TransportSettings, WireRequest
    from specado.transport.route import Address

__all__ = [
    "CORES",
    "PIECE_BYTES",
    "PooledExchange",
    "core_proxy",
    "failure_of",
    "head_of",
    "library_of",
    "outgoing",
]

# What each library is built on.
CORES = {"httpx": "httpcore", "httpx2": "httpcore2"}


# Larger bodies leave in pieces: httpcore would copy what a partial write left, each time.
JOINED_BYTES = 262_144
PIECE_BYTES = 65_536
MAX_REASON_CHARACTERS = 200
# These follow from the address, the body and what can be decoded.
_OWN_HEADERS = frozenset({"accept-encoding", "content-length", "host", "transfer-encoding"})


class PooledExchange(Progress):
    """One request's clock, and what has become of it; httpcore hands it on as its time-out.

    `slots` has one entry when the exchange may begin. `tls_layers` tells the connection that
    reaches the provider from one that only reaches its proxy: until then `connect_until`
    holds, and nothing counts as sent.
    """

    def __init__(
        self, address: Address, proxy: Proxy | None, until: float, limits: Limits, library: Any
    ) -> None:
        self.address = address
        self.library = library
        self.until = until
        self.connect_timeout_s = limits.connect_timeout_s
        self.connect_until = until
        self.tls_layers = (address.scheme == "https") + (
            proxy is not None and proxy.scheme == "https"
        )
        self.way = proxy or address
        self.connection: Any = None
        self.slots: list[None] = []
        self.has_answer = False
        self.has_ended = False

    def begin_to_connect(self) -> float:
        """Start the connect time; return when it ends."""
        self.connect_until = min(self.until, time.monotonic() + self.connect_timeout_s)
        return self.connect_until


class _Pieces:
    """A large body, for both kinds of httpcore."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[memoryview]:
        view = memoryview(self._body)
        for start in range(0, len(view), PIECE_BYTES):
            yield view[start : start + PIECE_BYTES]

    async def __aiter__(self) -> AsyncIterator[memoryview]:
        for piece in self:
            yield piece


def outgoing(
    request: WireRequest, exchange: PooledExchange, *, is_proxied: bool
) -> httpcore.Request:
    """Return *request* as httpcore takes it."""
    body = request.body
    wrong = _wrong_header(request)
    if wrong is not None:
        raise ConfigurationError(f"the header {wrong!r} has characters that HTTP does not allow")
    timeouts: dict[str, Any] = dict.fromkeys(("connect", "read", "write"), exchange)
    timeouts["pool"] = max(0.0, exchange.until - time.monotonic())
    library = exchange.library
    return library.Request(  # type: ignore[no-any-return]
        request.method,
        _core_url(exchange, is_proxied=is_proxied),
        headers=[
            (b"host", exchange.address.authority.encode("ascii")),
            (b"accept-encoding", b"gzip, deflate"),
            (b"content-length", b"%d" % len(body)),
            *(
                (name.encode("ascii"), value.encode("latin-1"))
                for name, value in request.headers
                if name.lower() not in _OWN_HEADERS
            ),
        ],
        content=body if len(body) <= JOINED_BYTES else _Pieces(body),
        extensions={"timeout": timeouts},
    )


def _wrong_header(request: WireRequest) -> str | None:
    """Return the name of a header that no bytes stand for.

    Looked at before it is encoded: that error would quote the value.
    """
    for name, value in request.headers:
        if not name.isascii() or max(value, default="") > "\xff":
            return name
    return None


def _core_url(exchange: PooledExchange, *, is_proxied: bool) -> httpcore.URL:
    address = exchange.address
    # To a proxy httpcore writes the host as it is: an IPv6 address needs its brackets.
    host = f"[{address.host}]" if is_proxied and ":" in address.host else address.host
    port = None if address.authority == host else address.port
    return exchange.library.URL(  # type: ignore[no-any-return]
        scheme=address.scheme, host=host, port=port, target=address.target
    )


def head_of(response: httpcore.Response, exchange: PooledExchange) -> tuple[int, dict[str, str]]:
    """Return status and headers (names in lower case, repeated ones joined)."""
    if response.status < 200:
        raise TransportFailure("protocol", "the reply is not an HTTP reply", sent=True)
    if not exchange.has_answer:
        # It lay there before the request: the end of the last reply was not its end.
        raise TransportFailure("reset", "the connection had bytes nobody asked for", sent=True)
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("ascii").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return response.status, headers


def library_of(settings: TransportSettings) -> Any:
    """Return the module that speaks HTTP for *settings*."""
    return importlib.import_module(CORES[settings.library])


def core_proxy(proxy: Proxy, settings: TransportSettings) -> httpcore.Proxy:
    """Return *proxy* as httpcore takes it."""
    return _core_proxy(proxy, settings, library_of(settings))  # type: ignore[no-any-return]


def _core_proxy(proxy: Proxy, settings: TransportSettings, library: Any) -> Any:
    is_socks = proxy.scheme.startswith("socks")
    if is_socks and importlib.util.find_spec("socksio") is None:
        message = "proxy: a SOCKS proxy needs the package socksio: pip install 'specado[socks]'"
        raise ConfigurationError(message, key="proxy")
    url = library.URL(scheme=proxy.scheme, host=proxy.host, port=proxy.port, target=b"/")
    context = tls_context(settings).context if proxy.scheme == "https" else None
    if proxy.credentials is None:
        return library.Proxy(url, ssl_context=context)
    user, password = (part.encode() for part in proxy.credentials)
    if is_socks:
        return library.Proxy(url, auth=(user, password))
    # RFC 7617.
    authorization = b"Basic " + b64encode(user + b":" + password)
    return library.Proxy(
        url, headers=[(b"proxy-authorization", authorization)], ssl_context=context
    )


def failure_of(error: BaseException, exchange: PooledExchange) -> Exception | None:
    """Return what *error* means, with no reference to it: it may hold the request.

    `None` for what neither a transport, nor httpcore, nor the network raised.
    """
    library = exchange.library
    if isinstance(error, TransportFailure):
        return exchange.failure(error.kind, str(error), sent=error.sent)
    if isinstance(error, library.LocalProtocolError):
        return ConfigurationError(
            "a header of the request has a character that HTTP does not allow"
        )
    if isinstance(error, RefusedCertificateError) and not exchange.has_answer:
        return exchange.failure("certificate", str(error), sent=False)
    if not exchange.has_sent:
        return _connect_failure(error, exchange)
    if isinstance(error, (TimeUp, library.TimeoutException)):
        return exchange.failure("timeout", "the attempt's time is up", sent=True)
    if isinstance(error, library.RemoteProtocolError) and not exchange.has_ended:
        message = f"the reply is not valid HTTP: {_complaint(error)}"
        return exchange.failure("protocol", message, sent=True)
    if not isinstance(error, _network_errors(library)):
        return None
    if exchange.has_answer:
        return exchange.failure("truncated", "the reply broke off", sent=True)
    return exchange.failure("reset", "the connection was closed before any reply", sent=True)


def _network_errors(library: Any) -> tuple[type[Exception], ...]:
    return (
        OSError,
        library.NetworkError,
        library.ProtocolError,
        library.ProxyError,
        library.UnsupportedProtocol,
    )


def _connect_failure(error: BaseException, exchange: PooledExchange) -> TransportFailure | None:
    way, library = exchange.way, exchange.library
    where = f"{'the proxy ' if isinstance(way, Proxy) else ''}{way.host}:{way.port}"
    if isinstance(error, (TimeUp, library.TimeoutException)):
        if exchange.connect_until < exchange.until:
            return exchange.failure("connect", f"no connection to {where} in time", sent=False)
        message = f"the attempt's time was up before there was a connection to {where}"
        return exchange.failure("timeout", message, sent=False)
    lacking = resource_cause(error)
    if lacking is not None:
        return exchange.failure("resources", f"no connection to {where}: {lacking}", sent=False)
    # socksio 1.0 and httpcore's use of it tell of a broken answer in errors of any class.
    is_socks = way.scheme.startswith("socks") and isinstance(error, Exception)
    if not isinstance(error, _network_errors(library)) and not is_socks:
        return None
    reason = _reason(error, library, is_socks=is_socks)
    return exchange.failure("connect", f"no connection to {where}: {reason}", sent=False)


def _complaint(error: Exception) -> str:
    """Return what h11 0.16 complains of, without the peer's bytes that it quotes after it."""
    words = re.match(r"[A-Za-z' -]*", str(error))
    return words[0].strip()[:MAX_REASON_CHARACTERS] if words is not None else ""


def _reason(error: BaseException, library: Any, *, is_socks: bool) -> str:
    if isinstance(error, library.RemoteProtocolError):
        return _complaint(error)
    if isinstance(error, library.ProxyError) and not is_socks:
        # httpcore 1.0.9 gives status and reason phrase; the phrase is the peer's.
        return f"it answered {str(error)[:3]}"
    text = getattr(error, "strerror", None) or error
    return redact(str(text))[:MAX_REASON_CHARACTERS]
