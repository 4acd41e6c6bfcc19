"""What threads and event loops share of the pools: httpcore's, with exact books.

httpcore speaks HTTP, tunnels through proxies and keeps connections open. Above it here: who
may send (so that nothing ever waits inside httpcore, whose queue is scanned as a whole at
each step), and a guard around each connection, because httpcore 1.0.9 (read 2026-11-22)

- loses the slot of one that fails in a tunnel's TLS (encode/httpcore issue 1023),
- loses that of one whose task is cancelled before it connects (issue 1093),
- may close one as idle that it has just given to another thread (issue 1110).

All three are open on that day. The guard can go when the oldest httpcore that httpx allows
has none of them: what tests/test_transport_slots.py asserts holds without it then.
"""

from __future__ import annotations

import functools
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from specado.transport.httpcore_terms import (
    PIECE_BYTES,
    Exchange,
    core_proxy,
    head_of,
    library_of,
)
from specado.transport.route import tls_context

if TYPE_CHECKING:
    import httpcore

    from specado.transport.exchange import TransportSettings
    from specado.transport.route import Proxy

__all__ = ["Connection", "CoreStream", "Pool", "Reply"]

MAX_IDLE_CONNECTIONS = 100
# The first bytes of what is said to a SOCKS proxy (RFC 1928, RFC 1929); no method begins so.
_SOCKS_VERSIONS = (b"\x05", b"\x01")


class Connection:
    """A guard around one of httpcore's connections: what both kinds have in common.

    Whoever holds `turn` uses it; a lost one is closed, whatever httpcore thinks of it.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.turn = threading.Lock()
        self.is_lost = False
        self.is_unwanted = False
        self.has_served = False
        self.stream: Any = None
        self.response: Any = None
        self.pieces: Any = None

    def lose(self) -> None:
        """Close the socket and count as closed. Takes no lock."""
        self.is_lost = True
        if self.stream is not None:
            self.stream.close()

    def retire(self) -> None:
        """Close now, or when its exchange ends."""
        self.is_unwanted = True
        if self.is_lost or self.turn.acquire(blocking=False):
            self.lose()

    def can_handle_request(self, origin: httpcore.Origin) -> bool:
        """Tell whether it is free, and goes to *origin*."""
        return not self.turn.locked() and self.inner.can_handle_request(origin)

    def is_available(self) -> bool:
        """Tell whether it is free and open."""
        return not self.turn.locked() and self.inner.is_available()

    def has_expired(self) -> bool:
        """Tell whether it was idle for too long, or was closed meanwhile: then it is lost.

        Under its turn: a thread that was given it could begin to use it while it is looked at.
        """
        if not self.turn.acquire(blocking=False):
            return False
        self.is_lost = self.inner.has_expired()
        if not self.is_lost:
            self.turn.release()
        return self.is_lost

    def is_connected(self) -> bool:
        """Tell whether it has a socket; httpcore2 forgets one that has none."""
        connected: bool = self.inner.is_connected()
        return connected

    def can_multiplex(self) -> bool:
        """Tell that it takes one exchange at a time; httpcore2 asks."""
        return False

    def is_idle(self) -> bool:
        """Tell whether it could be closed for another.

        Without asking: httpcore 1 asks each idle connection once for each other one.
        """
        return self.has_served and not self.turn.locked()

    def is_closed(self) -> bool:
        """Tell whether it is of no more use."""
        return self.is_lost or (not self.turn.locked() and self.inner.is_closed())

    def _take(self, request: httpcore.Request) -> None:
        exchange: Exchange = request.extensions["timeout"]["read"]
        if not self.turn.acquire(blocking=False):
            raise exchange.library.ConnectionNotAvailable
        exchange.connection = self


class ThreadConnection(Connection):
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
        """Close for the pool."""
        self.retire()


class TaskConnection(Connection):
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
        """Close for the pool."""
        self.retire()


@functools.cache
def _guarded(library_pool: Any, guard: type[Connection]) -> Any:
    """Return the library's class of pools, with *guard* around each connection."""

    class GuardedPool(library_pool):  # type: ignore[misc]
        def create_connection(self, origin: httpcore.Origin) -> Connection:
            return guard(super().create_connection(origin))

    return GuardedPool


class Pool:
    """One of httpcore's pools for each scheme, and each proxy on the way.

    `dropped` are connections whose reply nobody finished; they are closed already, but a
    finalizer must not touch httpcore's books: it may run in the middle of them.
    """

    def __init__(self, settings: TransportSettings, backend: Any, slots: Any) -> None:
        self.settings = settings
        self.slots = slots
        self.library = library_of(settings)
        self.dropped: deque[Connection] = deque()
        self._backend = backend
        self._cores: dict[tuple[str, Proxy | None], Any] = {}
        self._is_closed = False

    def core(self, scheme: str, proxy: Proxy | None) -> Any:
        """Return httpcore's pool for that scheme and proxy."""
        found = self._cores.get((scheme, proxy))
        if found is None:
            library = self.library
            pool_class = (
                _guarded(library.AsyncConnectionPool, TaskConnection)
                if self._backend.is_async
                else _guarded(library.ConnectionPool, ThreadConnection)
            )
            # Certificates take long to load: not where they are not needed.
            context = tls_context(self.settings.ca_bundle) if scheme == "https" else None
            found = pool_class(
                ssl_context=context,
                proxy=None if proxy is None else core_proxy(proxy, self.settings),
                max_connections=self.slots.count,
                keepalive_expiry=self.settings.keepalive_s,
                network_backend=self._backend,
            )
            found = self._cores.setdefault((scheme, proxy), found)
        return found

    def settle(self, connection: Connection) -> None:
        """Free *connection*, whose reply is closed, and its slot."""
        try:
            connection.response = connection.pieces = None
            connection.has_served = True
            connection.turn.release()
            others = self.slots.used - 1
            idle = sum(len(core.connections) for core in list(self._cores.values())) - others
            if self._is_closed or connection.is_unwanted or idle > MAX_IDLE_CONNECTIONS:
                connection.retire()
        finally:
            self.slots.give()

    def drop(self, connection: Connection) -> None:
        """Close a connection for a finalizer, in whatever thread."""
        connection.lose()
        self.dropped.append(connection)
        self.slots.give_from_finalizer()

    def abandon(self, exchange: Exchange, response: httpcore.Response | None) -> None:
        """Free what an exchange holds that came to no `Reply`."""
        if response is not None:
            connection: Connection = exchange.connection
            connection.response = response
            connection.lose()
            self.release(connection)
        elif exchange.slots:
            self.slots.give()

    def release(self, connection: Connection) -> None:
        """Take back a connection and its slot."""
        raise NotImplementedError

    def close(self) -> None:
        """Close what is idle now, and the others when they come back."""
        self._is_closed = True
        for core in list(self._cores.values()):
            for connection in core.connections:
                connection.retire()


class Reply:
    """A reply whose body is still to be read. Not for two users at once, but for `close`.

    Dropping it frees the connection as `close` does.
    """

    _connection: Connection | None = None

    def __init__(self, pool: Any, exchange: Exchange, response: httpcore.Response) -> None:
        connection: Connection = exchange.connection
        connection.response = response
        self._pool = pool
        self._exchange = exchange
        self._is_reading = False
        self.status, self.headers = head_of(response, exchange)
        self._connection = connection  # from here on the reply frees it

    def close(self) -> None:
        """Free the connection: for another request if the body was read to its end."""
        connection = self._connection
        if connection is None:
            return
        if self._is_reading:
            connection.stream.abort()  # the reader sees it, and closes
            return
        connection.lose()
        self._free(connection)

    def _free(self, connection: Connection) -> None:
        self._connection = None
        self._pool.release(connection)

    def __del__(self) -> None:
        if self._connection is not None:
            self._pool.drop(self._connection)


class CoreStream:
    """A stream as httpcore uses it; the time-outs it is given are `Exchange`s.

    Where it speaks to a SOCKS proxy httpcore gives it none, and httpcore2 the exchange's.
    """

    def __init__(self, stream: Any, tls_layers: int, connect_until: float, library: Any) -> None:
        self._stream = stream
        self._library = library
        self._tls_layers = tls_layers
        self._connect_until = connect_until
        self._waiting: list[bytes] = []
        self._is_greeting = False

    def get_extra_info(self, info: str) -> Any:
        """Tell whether an idle connection `is_readable`; nothing else is asked for."""
        return self._stream.has_news() if info == "is_readable" else None

    def _bound(self, exchange: Exchange | None) -> float:
        if exchange is None or not self._reaches_provider(exchange):
            return self._connect_until
        exchange.has_sent = True
        return exchange.until

    def _reaches_provider(self, exchange: Exchange) -> bool:
        return self._tls_layers == exchange.tls_layers and not self._is_greeting

    def _seen(self, data: bytes, exchange: Exchange | None) -> bytes:
        if exchange is not None and self._reaches_provider(exchange):
            if data:
                exchange.has_answer = True
            else:
                exchange.has_ended = True
        return data

    def _is_held_back(self, buffer: bytes, exchange: Exchange | None) -> bool:
        """Keep *buffer* for `_joined`; tell whether it waits for more: head and body are one.

        httpcore ends each request with an empty write.
        """
        if exchange is not None and not (exchange.has_sent or self._waiting):
            is_socks = exchange.way.scheme.startswith("socks")
            self._is_greeting = is_socks and bytes(buffer[:1]) in _SOCKS_VERSIONS
        if buffer:
            self._waiting.append(buffer)
            return len(buffer) < PIECE_BYTES
        return not self._waiting

    def _joined(self) -> bytes:
        data = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
        self._waiting.clear()
        return data
