"""Connection pool over httpcore, shared by the thread and asyncio transports.

httpcore connects, tunnels through proxies and speaks HTTP; its pool only makes connections
here. Which one a request gets is decided here, in a step, whatever their number: httpcore 1.0.9
(read 2026-11-22) looks at all of its connections several times for each request, and

- loses the slot of one that fails in a tunnel's TLS (encode/httpcore issue 1023),
- loses that of one whose task is cancelled before it connects (issue 1093),
- may close one as idle that it has just given to another thread (issue 1110).

All three are open on that day.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from specado.transport.httpcore_terms import (
    PIECE_BYTES,
    PooledExchange,
    core_proxy,
    head_of,
    library_of,
)
from specado.transport.trust import tls_context

if TYPE_CHECKING:
    import httpcore

    from specado.transport.exchange import TransportSettings
    from specado.transport.proxies import Proxy
    from specado.transport.route import Address

__all__ = ["BasePooledReply", "Connection", "CoreStream", "Pool"]

MAX_IDLE_CONNECTIONS = 100
# The first bytes of what is said to a SOCKS proxy (RFC 1928, RFC 1929); no method begins so.
_SOCKS_VERSIONS = (b"\x05", b"\x01")


class Connection:
    """One of httpcore's connections, and whose it is: whoever took it from the pool."""

    def __init__(self, inner: Any, idle: deque[Connection]) -> None:
        self.inner = inner
        self.idle = idle  # where it waits for its next request
        self.idle_since_s = 0.0
        self.is_lost = False
        self.is_reused = False
        self.stream: Any = None
        self.response: Any = None
        self.pieces: Any = None

    def lose(self) -> None:
        """Close the socket and count as closed. Takes no lock."""
        self.is_lost = True
        if self.stream is not None:
            self.stream.close()

    def is_usable(self) -> bool:
        """Tell whether an idle one can take a request: neither expired nor closed meanwhile."""
        return bool(self.inner.is_available() and not self.inner.has_expired())

    def has_leftover(self) -> bool:
        """Tell whether bytes came with the reply that are not its own.

        h11 keeps them, and httpcore would read them as the answer to the next request.
        """
        inner = self.inner
        while inner is not None:
            state = getattr(inner, "_h11_state", None)
            if state is not None:
                return bool(state.trailing_data[0])
            inner = getattr(inner, "_connection", None)
        return False


class Pool:
    """Connections by where they lead; no two requests ever share one.

    `dropped` are connections whose reply nobody finished; they are closed already, but a
    finalizer must not run httpcore's code: it may run in the middle of it.
    """

    def __init__(self, settings: TransportSettings, backend: Any, slots: Any) -> None:
        self.settings = settings
        self.slots = slots
        self.library = library_of(settings)
        self.dropped: deque[Connection] = deque()
        self._backend = backend
        self._makers: dict[tuple[str, Proxy | None], Any] = {}
        self._idle: dict[tuple[str, str, int, Proxy | None], deque[Connection]] = {}
        self._is_closed = False

    def take(
        self,
        maker: Any,
        address: Address,
        proxy: Proxy | None,
        origin: httpcore.Origin,
        *,
        is_fresh: bool,
    ) -> Connection:
        """Return a connection that leads there: one that is idle, or a new one of *maker*'s.

        With *is_fresh* a new one in any case.
        """
        key = address.scheme, address.host, address.port, proxy
        idle = self._idle.get(key)
        if idle is None:
            idle = self._idle.setdefault(key, deque())
        # The last one used comes first: the others can expire. Each step is one of C's: two
        # threads never get the same.
        while idle and not is_fresh:
            with contextlib.suppress(IndexError):
                connection = idle.pop()
                if connection.is_usable():
                    connection.is_reused = True
                    return connection
                connection.lose()
        self._make_room(self.slots.count - 1)
        return Connection(maker.create_connection(origin), idle)

    def maker(self, scheme: str, proxy: Proxy | None) -> Any:
        """Return what makes connections for that scheme and proxy."""
        found = self._makers.get((scheme, proxy))
        if found is None:
            library, is_async = self.library, self._backend.is_async
            # Certificates take long to load: not where they are not needed.
            context = tls_context(self.settings).context if scheme == "https" else None
            found = (library.AsyncConnectionPool if is_async else library.ConnectionPool)(
                ssl_context=context,
                proxy=None if proxy is None else core_proxy(proxy, self.settings),
                keepalive_expiry=self.settings.keepalive_s,
                network_backend=self._backend,
            )
            found = self._makers.setdefault((scheme, proxy), found)
        return found

    def _make_room(self, most: int) -> None:
        """Close the connections that are idle for longest, until *most* are open."""
        while self._idle_count() + self.slots.used - 1 > most and self._close_oldest():
            pass

    def _idle_count(self) -> int:
        return sum(map(len, list(self._idle.values())))

    def _close_oldest(self) -> bool:
        for idle in list(self._idle.values()):
            with contextlib.suppress(IndexError):
                idle.popleft().lose()
                return True
        return False

    def settle(self, connection: Connection) -> None:
        """Keep *connection*, whose reply is closed, if it can take another; free its slot."""
        try:
            self._keep(connection)
        finally:
            self.slots.give()

    def drop(self, connection: Connection) -> None:
        """Close a connection for a finalizer, in whatever thread."""
        connection.lose()
        self.dropped.append(connection)
        self.slots.give_from_finalizer()

    def _keep(self, connection: Connection) -> None:
        connection.response = connection.pieces = None
        if connection.is_lost or not connection.inner.is_available() or connection.has_leftover():
            connection.lose()
            return
        idle = connection.idle
        now_s = connection.idle_since_s = time.monotonic()
        idle.append(connection)
        with contextlib.suppress(IndexError):
            while idle[0].idle_since_s < now_s - self.settings.keepalive_s:
                idle.popleft().lose()
        if self._is_closed:
            self._close_idle()
        elif self._idle_count() > MAX_IDLE_CONNECTIONS:
            self._close_oldest()

    def abandon(self, exchange: PooledExchange, response: httpcore.Response | None) -> None:
        """Free what an exchange holds that came to no `BasePooledReply`."""
        connection: Connection | None = exchange.connection
        if connection is not None:
            connection.lose()
            if response is not None:
                connection.response = response
                self.release(connection)
                return
        if exchange.slots:
            self.slots.give()

    def release(self, connection: Connection) -> None:
        """Take back a connection and its slot."""
        raise NotImplementedError

    def close(self) -> None:
        """Close what is idle now, and the others when they come back."""
        self._is_closed = True
        self._close_idle()

    def _close_idle(self) -> None:
        while self._close_oldest():
            pass


class BasePooledReply:
    """A reply whose body is still to be read. Not for two users at once, but for `close`.

    Dropping it frees the connection as `close` does.
    """

    _connection: Connection | None = None

    def __init__(self, pool: Any, exchange: PooledExchange, response: httpcore.Response) -> None:
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
    """A stream as httpcore uses it; the time-outs it is given are `PooledExchange`s.

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

    def _bound(self, exchange: PooledExchange | None) -> float:
        if exchange is None or not self._reaches_provider(exchange):
            return self._connect_until
        exchange.has_sent = True
        return exchange.until

    def _reaches_provider(self, exchange: PooledExchange) -> bool:
        return self._tls_layers == exchange.tls_layers and not self._is_greeting

    def _seen(self, data: bytes, exchange: PooledExchange | None) -> bytes:
        if exchange is not None and self._reaches_provider(exchange):
            if data:
                exchange.has_answer = True
            else:
                exchange.has_ended = True
        return data

    def _note_end(self, buffer: bytes, exchange: PooledExchange | None) -> None:
        """Note when the whole request was written: httpcore ends each with an empty write."""
        if not buffer and exchange is not None and self._reaches_provider(exchange):
            exchange.written_at = time.monotonic()

    def _is_held_back(self, buffer: bytes, exchange: PooledExchange | None) -> bool:
        """Keep *buffer* for `_joined`; tell whether it waits for more: head and body are one."""
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
