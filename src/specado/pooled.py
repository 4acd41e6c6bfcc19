"""The default transport for threads: HTTP/1.1 over connections that are kept open."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specado.errors import ConfigurationError
from specado.exchange import (
    InsecureTransportWarning,
    Limits,
    ReplyBody,
    TransportFailure,
    TransportSettings,
    WireReply,
    WireRequest,
)
from specado.http1 import basic_authorization, connect_tunnel, socks_tunnel
from specado.network import TimeUp, TlsStream, connect
from specado.pool import Connection, Origin, Pool, ThreadWaiter
from specado.route import Address, Proxy, address_of, proxy_for

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from specado.network import Stream

__all__ = ["OpenReply", "PooledTransport"]

LONGEST_TIMEOUT_S = 31_536_000.0
_KEY_HEADERS = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key"})
# These follow from the address, the body and what can be decoded.
_OWN_HEADERS = frozenset({"accept-encoding", "content-length", "host", "transfer-encoding"})

_tls_contexts: dict[str | None, ssl.SSLContext] = {}
_warned_origins: set[Origin] = set()


class PooledTransport:
    """A `Transport`. Safe between threads."""

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        self._pool: Pool | None = None
        self._lock = threading.Lock()

    def send(self, request: WireRequest, timeout_s: float, limits: Limits) -> WireReply:
        """Return the whole reply; all of it has to happen within *timeout_s*.

        Only a host name that resolves slowly can take longer.
        """
        until = time.monotonic() + min(timeout_s, LONGEST_TIMEOUT_S)
        reply = self.open(request, until, limits)
        try:
            body = ReplyBody(reply.status, reply.headers, limits)
            while True:
                data = reply.read(until)
                if not data or not body.add(data):
                    break
            return WireReply(reply.status, reply.headers, body.finish())
        finally:
            reply.close()

    def open(self, request: WireRequest, until: float, limits: Limits) -> OpenReply:
        """Send *request* and return its reply as soon as status and headers are there.

        *until* is a time of `time.monotonic`.
        """
        address = address_of(request.url)
        warn_if_readable(address, request)
        pool = self._pool or self._new_pool()
        connection = self._checkout(pool, address, until, limits)
        try:
            head = self._start(connection, address, request, until)
        except BaseException as error:
            connection.stream.close()
            pool.give_back(address[:3], None)
            if isinstance(error, (OSError, TimeUp)):
                raise exchange_failure(error, connection) from None
            raise
        return OpenReply(pool, address[:3], connection, *head)

    def close(self) -> None:
        """Close the pool; the next use makes a new one."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def forget(self) -> None:
        """Leave pool and lock behind, in a forked child: they are the parent's."""
        self._pool = None
        self._lock = threading.Lock()

    def _new_pool(self) -> Pool:
        with self._lock:
            if self._pool is None:
                self._pool = Pool(self._settings.max_connections, self._settings.keepalive_s)
            return self._pool

    def _checkout(self, pool: Pool, address: Address, until: float, limits: Limits) -> Connection:
        waiter = ThreadWaiter(address[:3])
        pool.take(waiter)
        if not waiter.is_granted:
            try:
                waiter.wait(max(0.0, until - time.monotonic()))
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
            return Connection(self._reach(address, until, limits))
        except BaseException:
            pool.give_back(address[:3], None)
            raise

    def _reach(self, address: Address, until: float, limits: Limits) -> Stream:
        bound = min(until, time.monotonic() + limits.connect_timeout_s)
        proxy = proxy_for(self._settings, *address[:3])
        first = proxy or address
        stream: Stream | None = None
        try:
            stream = connect(first.host, first.port, bound)
            for host, steps in way_through(address, proxy):
                if steps is not None:
                    _run_tunnel(stream, steps, bound)
                else:
                    stream = TlsStream(stream, tls_context(self._settings.ca_bundle), host)
                    stream.handshake(bound)
        except BaseException as error:
            if stream is not None:
                stream.close()
            if isinstance(error, (OSError, TimeUp)):
                raise connect_failure(error, first, bound, until) from None
            raise
        return stream

    def _start(
        self, connection: Connection, address: Address, request: WireRequest, until: float
    ) -> tuple[int, dict[str, str]]:
        http, stream = connection.http, connection.stream
        # A server may answer, and close, before it has read the whole request.
        with contextlib.suppress(OSError):
            for piece in outgoing(connection, address, request, self._settings):
                stream.write(piece, until)
        head = http.head()
        while head is None:
            http.receive(stream.read(until))
            head = http.head()
        return head


class OpenReply:
    """A reply whose body is still to be read. Not for two threads at once, but for `close`.

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

    def read(self, until: float) -> bytes:
        """Return the next bytes of the body as they came, `b""` at its end."""
        connection = self._connection
        if connection is None:
            return b""
        self._is_reading = True
        try:
            data = connection.http.body()
            while data is None:
                connection.http.receive(connection.stream.read(until))
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
            connection.stream.abort()  # the reading thread sees it, and closes
            return
        self._connection = None
        if connection.http.recycle():
            self._pool.give_back(self._origin, connection)
        else:
            connection.stream.close()
            self._pool.give_back(self._origin, None)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()


# --- what both kinds of transport need -----------------------------------------------------


def outgoing(
    connection: Connection, address: Address, request: WireRequest, settings: TransportSettings
) -> list[memoryview]:
    """Return the pieces of *request* as they go onto the wire."""
    target = address.target
    headers = [
        (b"host", address.authority.encode("ascii")),
        (b"accept-encoding", b"gzip, deflate"),
        (b"content-length", b"%d" % len(request.body)),
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
    if address.scheme == "http" and settings.proxies:
        proxy = proxy_for(settings, *address[:3])
        if proxy is not None and proxy.scheme in ("http", "https"):
            target = f"http://{address.authority}".encode("ascii") + target
            if proxy.credentials is not None:
                headers.append((b"proxy-authorization", basic_authorization(proxy.credentials)))
    return connection.http.request(request.method, target, headers, request.body)


def way_through(
    address: Address, proxy: Proxy | None
) -> Iterator[tuple[str, Generator[bytes, bytes, None] | None]]:
    """Give what has to happen on a fresh connection: a tunnel's steps, or TLS with a host."""
    if proxy is not None:
        if proxy.scheme == "https":
            yield proxy.host, None
        if proxy.scheme.startswith("socks"):
            yield "", socks_tunnel(address.host, address.port, proxy.credentials)
        elif address.scheme == "https":
            yield "", connect_tunnel(address.host, address.port, proxy.credentials)
    if address.scheme == "https":
        yield address.host, None


def _run_tunnel(stream: Stream, steps: Generator[bytes, bytes, None], until: float) -> None:
    with contextlib.suppress(StopIteration):
        out = next(steps)
        while True:
            stream.write(out, until)
            out = steps.send(stream.read(until))


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
    context.set_alpn_protocols(["http/1.1"])
    return _tls_contexts.setdefault(ca_bundle, context)


def warn_if_readable(address: Address, request: WireRequest) -> None:
    """Warn, once per origin, of a key that goes over plain HTTP to another machine."""
    if address.scheme == "https" or address.is_loopback or address[:3] in _warned_origins:
        return
    if any(name.lower() in _KEY_HEADERS for name, _ in request.headers):
        message = (
            f"a key is sent to http://{address.authority} without encryption: "
            "everybody on the way can read it; use https://"
        )
        warnings.warn(message, InsecureTransportWarning, stacklevel=2)
        _warned_origins.add(address[:3])


def exchange_failure(error: Exception, connection: Connection) -> TransportFailure:
    """Return what *error* means once a request has begun to go out."""
    if isinstance(error, TimeUp):
        return TransportFailure("timeout", "the attempt's time is up", sent=True)
    return connection.http.broken_off()


def connect_failure(
    error: Exception, first: Address | Proxy, bound: float, until: float
) -> TransportFailure:
    """Return what *error* means before a connection was there."""
    where = f"{'the proxy ' if isinstance(first, Proxy) else ''}{first.host}:{first.port}"
    if not isinstance(error, TimeUp):
        reason: Any = getattr(error, "strerror", None) or error
        return TransportFailure("connect", f"no connection to {where}: {reason}", sent=False)
    if bound < until:
        return TransportFailure("connect", f"no connection to {where} in time", sent=False)
    message = f"the attempt's time was up before there was a connection to {where}"
    return TransportFailure("timeout", message, sent=False)


def no_slot_failure(settings: TransportSettings) -> TransportFailure:
    """Return the failure for a wait that no connection ended."""
    message = (
        f"the attempt's time was up while all {settings.max_connections} connections "
        "were in use (max_connections)"
    )
    return TransportFailure("timeout", message, sent=False)
