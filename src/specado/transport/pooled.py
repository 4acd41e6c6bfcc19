"""Default transport for threads: httpcore over sockets with one deadline."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from specado.transport.connections import BasePooledReply, Connection, CoreStream, Pool
from specado.transport.httpcore_terms import PooledExchange, failure_of, outgoing
from specado.transport.lifetimes import KeptForProcess
from specado.transport.network import TlsStream, connect
from specado.transport.proxies import proxy_for
from specado.transport.route import address_of, warn_if_readable
from specado.transport.slots import ThreadSlots

if TYPE_CHECKING:
    import ssl

    import httpcore

    from specado.transport.exchange import (
        Limits,
        TransportSettings,
        WireRequest,
    )

__all__ = ["PooledReply", "PooledTransport"]


class PooledTransport(KeptForProcess["ThreadPool"]):
    """A `Transport`. Safe between threads."""

    def _make(self) -> ThreadPool:
        return ThreadPool(self._settings)

    def open(
        self, request: WireRequest, until: float, limits: Limits, *, is_fresh: bool = False
    ) -> PooledReply:
        """Send *request* and return its reply as soon as status and headers are there.

        *until* is a time of `time.monotonic`. With *is_fresh* it goes out on a new connection.
        """
        address = address_of(request.url)
        warn_if_readable(address, request)
        proxy = proxy_for(self._settings, *address[:3])
        pool = self._connections()
        exchange = PooledExchange(address, proxy, until, limits, pool.library)
        maker = pool.maker(address.scheme, proxy)
        core_request = outgoing(request, exchange, is_proxied=proxy is not None)
        response: httpcore.Response | None = None
        failure: Exception | None
        try:
            pool.take_slot(exchange)
            connection = exchange.connection = pool.take(
                maker, address, proxy, core_request.url.origin, is_fresh=is_fresh
            )
            exchange.is_reused = connection.is_reused
            response = connection.inner.handle_request(core_request)
            return PooledReply(pool, exchange, response)
        except BaseException as error:
            pool.abandon(exchange, response)
            failure = failure_of(error, exchange)
            if failure is None:
                raise
        try:
            raise failure
        finally:
            del failure  # it refers to this frame: a cycle would keep the body alive


class ThreadPool(Pool):
    """A `Pool` for threads."""

    def __init__(self, settings: TransportSettings) -> None:
        super().__init__(settings, Backend(), ThreadSlots(settings.max_connections))

    def take_slot(self, exchange: PooledExchange) -> None:
        """Wait for the right to send; raise `TransportFailure` when the time is up."""
        while self.dropped:
            with contextlib.suppress(IndexError):
                self.dropped.popleft().response.close()
        self.slots.take(exchange.slots, exchange.until)

    def release(self, connection: Connection) -> None:
        """Take back a connection and its slot."""
        try:
            connection.response.close()
        except BaseException:
            connection.lose()
            raise
        finally:
            self.settle(connection)


class PooledReply(BasePooledReply):
    """A `BasePooledReply` for threads; `close` also ends another thread's `read`."""

    def read(self, until: float) -> bytes:
        """Return the next bytes of the body as they came, `b""` at its end."""
        connection = self._connection
        if connection is None:
            return b""
        self._exchange.until = until
        self._is_reading = True
        failure: Exception | None
        try:
            if connection.pieces is None:
                connection.pieces = iter(connection.response.stream)
            data: bytes = next(connection.pieces, b"")
        except BaseException as error:
            self._is_reading = False
            self.close()
            failure = failure_of(error, self._exchange)
            if failure is None:
                raise
        else:
            self._is_reading = False
            if not data:
                self._free(connection)
            return data
        try:
            raise failure
        finally:
            del failure


class ThreadStream(CoreStream):
    """A `CoreStream` for threads."""

    def read(self, max_bytes: int, timeout: Any = None) -> bytes:  # noqa: ARG002
        """Return the next bytes, `b""` at the end."""
        if self._waiting:
            self._send(timeout)
        return self._seen(self._stream.read(self._bound(timeout)), timeout)

    def write(self, buffer: bytes, timeout: Any = None) -> None:
        """Send *buffer*, a small one with what is written next."""
        if not self._is_held_back(buffer, timeout):
            self._send(timeout)
        self._note_end(buffer, timeout)

    def close(self) -> None:
        """Free the socket."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: Any = None,  # noqa: ARG002
    ) -> ThreadStream:
        """Return the stream with TLS on it."""
        stream = TlsStream(self._stream, ssl_context, server_hostname or "")
        stream.handshake(self._connect_until)
        return ThreadStream(stream, self._tls_layers + 1, self._connect_until, self._library)

    def _send(self, timeout: Any) -> None:
        try:
            self._stream.write(self._joined(), self._bound(timeout))
        except OSError as error:
            raise self._library.WriteError(str(error)) from None


class Backend:
    """Connects for httpcore."""

    is_async = False

    def connect_tcp(
        self, host: str, port: int, timeout: Any = None, *_: object, **__: object
    ) -> ThreadStream:
        """Return a connected stream, which the exchange's connection knows too."""
        stream = connect(host, port, timeout.begin_to_connect())
        timeout.connection.stream = stream
        return ThreadStream(stream, 0, timeout.connect_until, timeout.library)
