"""What threads and event loops share of the pools: httpcore's, with exact books.

httpcore speaks HTTP, tunnels through proxies and keeps connections open. Above it here: who
may send (so that nothing ever waits inside httpcore, whose queue is scanned as a whole at
each step), and a guard around each connection, because httpcore 1.0.9 loses the slot of one
that fails in a tunnel's TLS, or whose task is cancelled where it takes a lock.
"""

from __future__ import annotations

import functools
import importlib.util
import ssl
import threading
import time
from base64 import b64encode
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpcore

from specado.errors import ConfigurationError
from specado.exchange import TransportFailure
from specado.network import TimeUp
from specado.route import Proxy, address_of, proxy_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from specado.exchange import Limits, TransportSettings, WireRequest
    from specado.route import Address

__all__ = ["Connection", "Exchange", "Pool", "failure_of", "head_of", "no_slot", "outgoing"]

LONGEST_TIMEOUT_S = 31_536_000.0
MAX_IDLE_CONNECTIONS = 100
# More than there are ports: a bound for the bookkeeping of a limit that is none.
MAX_SLOTS = 100_000
# Larger bodies leave in pieces: httpcore would copy what a partial write left, each time.
JOINED_BYTES = 262_144
PIECE_BYTES = 65_536
# These follow from the address, the body and what can be decoded.
_OWN_HEADERS = frozenset({"accept-encoding", "content-length", "host", "transfer-encoding"})

_tls_contexts: dict[str | None, ssl.SSLContext] = {}


class Exchange:
    """One request's clock, and what has become of it; httpcore hands it on as its time-out.

    `tls_layers` tells the connection that reaches the provider from one that only reaches
    its proxy: until then `connect_until` holds, and nothing counts as sent.
    """

    __slots__ = (
        "connect_timeout_s",
        "connect_until",
        "connection",
        "has_answer",
        "has_ended",
        "has_sent",
        "tls_layers",
        "until",
        "way",
    )

    def __init__(self, address: Address, proxy: Proxy | None, until: float, limits: Limits) -> None:
        self.until = until
        self.connect_timeout_s = limits.connect_timeout_s
        self.connect_until = until
        self.tls_layers = (address.scheme == "https") + (
            proxy is not None and proxy.scheme == "https"
        )
        self.way = proxy or address
        self.connection: Any = None
        self.has_sent = False
        self.has_answer = False
        self.has_ended = False

    def begin_to_connect(self) -> float:
        """Start the connect time; return when it ends."""
        self.connect_until = min(self.until, time.monotonic() + self.connect_timeout_s)
        return self.connect_until


class Connection:
    """A guard around one of httpcore's connections: what both kinds have in common.

    Whoever holds `turn` uses it; a lost one is closed, whatever httpcore thinks of it.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.turn = threading.Lock()
        self.is_lost = False
        self.stream: Any = None
        self.response: Any = None
        self.pieces: Any = None

    def lose(self) -> None:
        """Close the socket and count as closed. Takes no lock."""
        self.is_lost = True
        if self.stream is not None:
            self.stream.close()

    def retire(self) -> None:
        """Close unless it is in use."""
        if self.turn.acquire(blocking=False):
            self.lose()

    def info(self) -> str:
        """Return httpcore's words for its state."""
        return str(self.inner.info())

    def can_handle_request(self, origin: httpcore.Origin) -> bool:
        """Tell whether it is free, and goes to *origin*."""
        return not self.turn.locked() and self.inner.can_handle_request(origin)

    def is_available(self) -> bool:
        """Tell whether it is free and open."""
        return not self.turn.locked() and self.inner.is_available()

    def has_expired(self) -> bool:
        """Tell whether it was idle for too long, or was closed meanwhile."""
        return not self.turn.locked() and self.inner.has_expired()

    def is_idle(self) -> bool:
        """Tell whether it could be closed for another."""
        return not self.turn.locked() and self.inner.is_idle()

    def is_closed(self) -> bool:
        """Tell whether it is of no more use."""
        return self.is_lost or (not self.turn.locked() and self.inner.is_closed())

    def _take(self, request: httpcore.Request) -> None:
        if not self.turn.acquire(blocking=False):
            raise httpcore.ConnectionNotAvailable
        request.extensions["timeout"]["read"].connection = self


class ThreadConnection(Connection, httpcore.ConnectionInterface):
    """The guard for threads."""

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send, or be lost."""
        self._take(request)
        try:
            return self.inner.handle_request(request)  # type: ignore[no-any-return]
        except BaseException:
            self.lose()
            raise

    def close(self) -> None:
        """Close; only what is idle is closed by the pool."""
        self.inner.close()


class TaskConnection(Connection, httpcore.AsyncConnectionInterface):
    """The guard for asyncio."""

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send, or be lost."""
        self._take(request)
        try:
            return await self.inner.handle_async_request(request)  # type: ignore[no-any-return]
        except BaseException:
            self.lose()
            raise

    async def aclose(self) -> None:
        """Close; only what is idle is closed by the pool."""
        await self.inner.aclose()


class _ThreadCore(httpcore.ConnectionPool):
    def create_connection(self, origin: httpcore.Origin) -> httpcore.ConnectionInterface:
        return ThreadConnection(super().create_connection(origin))


class _TaskCore(httpcore.AsyncConnectionPool):
    def create_connection(self, origin: httpcore.Origin) -> httpcore.AsyncConnectionInterface:
        return TaskConnection(super().create_connection(origin))


class Pool:
    """One of httpcore's pools for each scheme, and each proxy on the way.

    `dropped` are connections whose reply nobody finished; they are closed already, but a
    finalizer must not touch httpcore's books: it may run in the middle of them.
    """

    def __init__(self, settings: TransportSettings, backend: Any) -> None:
        self.settings = settings
        self.max_slots = max(1, min(settings.max_connections, MAX_SLOTS))
        self.dropped: deque[Connection] = deque()
        self._backend = backend
        self._cores: dict[tuple[str, Proxy | None], Any] = {}
        self._is_closed = False

    def core(self, scheme: str, proxy: Proxy | None) -> Any:
        """Return httpcore's pool for that scheme and proxy."""
        found = self._cores.get((scheme, proxy))
        if found is None:
            is_async = isinstance(self._backend, httpcore.AsyncNetworkBackend)
            # Certificates take long to load: not where they are not needed.
            context = tls_context(self.settings.ca_bundle) if scheme == "https" else None
            found = (_TaskCore if is_async else _ThreadCore)(
                ssl_context=context,
                proxy=None if proxy is None else _core_proxy(proxy, self.settings),
                max_connections=self.max_slots,
                keepalive_expiry=self.settings.keepalive_s,
                network_backend=self._backend,
            )
            found = self._cores.setdefault((scheme, proxy), found)
        return found

    def settle(self, connection: Connection, used: int) -> None:
        """Free *connection* when its reply is closed; *used* others are in use."""
        connection.response = connection.pieces = None
        connection.turn.release()
        idle = sum(len(core.connections) for core in self._cores.values()) - used
        if self._is_closed or idle > MAX_IDLE_CONNECTIONS:
            connection.retire()

    def close(self) -> None:
        """Close what is idle now, and the others when they come back."""
        self._is_closed = True
        for core in list(self._cores.values()):
            for connection in core.connections:
                connection.retire()


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


def outgoing(request: WireRequest, exchange: Exchange, *, is_proxied: bool) -> httpcore.Request:
    """Return *request* as httpcore takes it."""
    url, authority = _core_url(request.url, is_proxied)
    body = request.body
    headers = [
        (b"host", authority),
        (b"accept-encoding", b"gzip, deflate"),
        (b"content-length", b"%d" % len(body)),
    ]
    wrong = None
    for name, value in request.headers:
        if name.lower() not in _OWN_HEADERS:
            try:
                headers.append((name.encode("ascii"), value.encode("latin-1")))
            except UnicodeEncodeError:
                wrong = name  # the error quotes the value: it must not become a context
    if wrong is not None:
        raise ConfigurationError(f"the header {wrong!r} has characters that HTTP does not allow")
    timeouts = dict.fromkeys(("connect", "read", "write"), exchange)
    return httpcore.Request(
        request.method,
        url,
        headers=headers,
        content=body if len(body) <= JOINED_BYTES else _Pieces(body),  # type: ignore[arg-type]
        extensions={"timeout": timeouts},
    )


@functools.lru_cache(maxsize=512)
def _core_url(url: str, is_proxied: bool) -> tuple[httpcore.URL, bytes]:
    address = address_of(url)
    # To a proxy httpcore writes the host as it is: an IPv6 address needs its brackets.
    host = f"[{address.host}]" if is_proxied and ":" in address.host else address.host
    port = None if address.authority == host else address.port
    core_url = httpcore.URL(scheme=address.scheme, host=host, port=port, target=address.target)
    return core_url, address.authority.encode("ascii")


def head_of(response: httpcore.Response, exchange: Exchange) -> tuple[int, dict[str, str]]:
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


def proxy_of(settings: TransportSettings, address: Address) -> Proxy | None:
    """Return the proxy on the way to *address*."""
    return proxy_for(settings, *address[:3]) if settings.proxies else None


def _core_proxy(proxy: Proxy, settings: TransportSettings) -> httpcore.Proxy:
    is_socks = proxy.scheme.startswith("socks")
    if is_socks and importlib.util.find_spec("socksio") is None:
        message = "proxy: a SOCKS proxy needs the package socksio: pip install 'httpx[socks]'"
        raise ConfigurationError(message, key="proxy")
    url = httpcore.URL(scheme=proxy.scheme, host=proxy.host, port=proxy.port, target=b"/")
    context = tls_context(settings.ca_bundle) if proxy.scheme == "https" else None
    if proxy.credentials is None:
        return httpcore.Proxy(url, ssl_context=context)
    user, password = (part.encode() for part in proxy.credentials)
    if is_socks:
        return httpcore.Proxy(url, auth=(user, password))
    # RFC 7617.
    authorization = b"Basic " + b64encode(user + b":" + password)
    return httpcore.Proxy(
        url, headers=[(b"proxy-authorization", authorization)], ssl_context=context
    )


def tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    """Return the process's context for *ca_bundle*.

    Without one, the system's certificates and certifi's are trusted.
    """
    found = _tls_contexts.get(ca_bundle)
    if found is not None:
        return found
    if ca_bundle is None:
        import certifi

        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
    else:
        try:
            if Path(ca_bundle).is_dir():
                context = ssl.create_default_context(capath=ca_bundle)
            else:
                context = ssl.create_default_context(cafile=ca_bundle)
        except (OSError, ValueError) as error:
            message = f"ca_bundle: {ca_bundle!r} is no file or folder of certificates: {error}"
            raise ConfigurationError(message, key="ca_bundle") from None
    return _tls_contexts.setdefault(ca_bundle, context)


def no_slot(settings: TransportSettings) -> TransportFailure:
    """Return the failure for a wait that no connection ended."""
    message = (
        f"the attempt's time was up while all {settings.max_connections} connections "
        "were in use (max_connections)"
    )
    return TransportFailure("timeout", message, sent=False)


def failure_of(error: Exception, exchange: Exchange) -> Exception | None:
    """Return what *error* means, with no reference to it: it may hold the request.

    `None` for what neither httpcore nor the network raised.
    """
    if isinstance(error, httpcore.LocalProtocolError):
        return ConfigurationError(
            "a header of the request has a character that HTTP does not allow"
        )
    if not exchange.has_sent:
        return _connect_failure(error, exchange)
    if isinstance(error, TimeUp):
        return TransportFailure("timeout", "the attempt's time is up", sent=True)
    if isinstance(error, httpcore.RemoteProtocolError) and not exchange.has_ended:
        message = f"the reply is not valid HTTP: {str(error)[:100]}"
        return TransportFailure("protocol", message, sent=True)
    if not isinstance(error, _NETWORK_ERRORS):
        return None
    if exchange.has_answer:
        return TransportFailure("truncated", "the reply broke off", sent=True)
    return TransportFailure("reset", "the connection was closed before any reply", sent=True)


_NETWORK_ERRORS = (
    OSError,
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


def _connect_failure(error: Exception, exchange: Exchange) -> TransportFailure | None:
    way = exchange.way
    where = f"{'the proxy ' if isinstance(way, Proxy) else ''}{way.host}:{way.port}"
    if isinstance(error, TimeUp):
        if exchange.connect_until < exchange.until:
            return TransportFailure("connect", f"no connection to {where} in time", sent=False)
        message = f"the attempt's time was up before there was a connection to {where}"
        return TransportFailure("timeout", message, sent=False)
    # socksio 1.0 and httpcore's use of it tell of a broken answer in errors of any class.
    if not isinstance(error, _NETWORK_ERRORS) and not way.scheme.startswith("socks"):
        return None
    reason: Any = getattr(error, "strerror", None) or error
    return TransportFailure("connect", f"no connection to {where}: {reason}", sent=False)
