"""The default transport for threads: httpcore over sockets under one clock."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import TYPE_CHECKING, Any

import httpcore

from specado.connections import (
    LONGEST_TIMEOUT_S,
    PIECE_BYTES,
    Connection,
    Exchange,
    Pool,
    failure_of,
    head_of,
    no_slot,
    outgoing,
    proxy_of,
)
from specado.exchange import (
    Limits,
    ReplyBody,
    TransportSettings,
    WireReply,
    WireRequest,
)
from specado.network import TlsStream, connect
from specado.route import address_of, warn_if_readable

if TYPE_CHECKING:
    import ssl

    from specado.network import Stream

__all__ = ["OpenReply", "PooledTransport"]

# A forked child's copies of its parent's pools: a finalizer in them could wait for a lock
# whose holder was not forked.
_left_behind: list[Any] = []


class PooledTransport:
    """A `Transport`. Safe between threads."""

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        self._pool: ThreadPool | None = None
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
        proxy = proxy_of(self._settings, address)
        exchange = Exchange(address, proxy, until, limits)
        pool = self._pool or self._new_pool()
        core = pool.core(address.scheme, proxy)
        core_request = outgoing(request, exchange, is_proxied=proxy is not None)
        pool.take_slot(until)
        failure: Exception | None
        try:
            response = core.handle_request(core_request)
            return OpenReply(pool, exchange, response)
        except Exception as error:
            pool.slots.put(None)
            failure = failure_of(error, exchange)
            if failure is None:
                raise
        except BaseException:
            pool.slots.put(None)
            raise
        raise failure

    def close(self) -> None:
        """Close the pool; the next use makes a new one."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def forget(self) -> None:
        """Leave pool and lock behind, in a forked child: they are the parent's."""
        _left_behind.append(self._pool)
        self._pool = None
        self._lock = threading.Lock()

    def _new_pool(self) -> ThreadPool:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPool(self._settings)
            return self._pool


class ThreadPool(Pool):
    """A `Pool` for threads. `slots` has one entry for each exchange that may begin.

    A `SimpleQueue`, since a finalizer may put into it whatever it interrupts.
    """

    def __init__(self, settings: TransportSettings) -> None:
        super().__init__(settings, Backend())
        self.slots: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(self.max_slots):
            self.slots.put(None)

    def take_slot(self, until: float) -> None:
        """Wait for the right to send; raise `TransportFailure` at *until*."""
        while self.dropped:
            with contextlib.suppress(IndexError):
                self.dropped.popleft().response.close()
        try:
            wait_s = until - time.monotonic()
            self.slots.get(wait_s > 0, max(wait_s, 0))
        except queue.Empty:
            pass
        else:
            return
        raise no_slot(self.settings)

    def release(self, connection: Connection) -> None:
        """Take back a connection and its slot."""
        try:
            connection.response.close()
        finally:
            self.settle(connection, self.max_slots - self.slots.qsize() - 1)
            self.slots.put(None)

    def drop(self, connection: Connection) -> None:
        """Close a connection for a finalizer."""
        connection.lose()
        self.dropped.append(connection)
        self.slots.put(None)


class OpenReply:
    """A reply whose body is still to be read. Not for two threads at once, but for `close`.

    Dropping it frees the connection as `close` does.
    """

    _connection: Connection | None = None

    def __init__(self, pool: ThreadPool, exchange: Exchange, response: httpcore.Response) -> None:
        connection = exchange.connection
        connection.response = response
        try:
            self.status, self.headers = head_of(response, exchange)
        except BaseException:
            connection.lose()
            response.close()
            raise
        connection.pieces = iter(response.stream)  # type: ignore[arg-type]
        self._pool = pool
        self._exchange = exchange
        self._is_reading = False
        self._connection = connection

    def read(self, until: float) -> bytes:
        """Return the next bytes of the body as they came, `b""` at its end."""
        connection = self._connection
        if connection is None:
            return b""
        self._exchange.until = until
        self._is_reading = True
        failure: Exception | None
        try:
            data: bytes = next(connection.pieces, b"")
        except BaseException as error:
            self._is_reading = False
            connection.lose()
            self.close()
            if not isinstance(error, Exception):
                raise
            failure = failure_of(error, self._exchange)
            if failure is None:
                raise
        else:
            self._is_reading = False
            if not data:
                self._close(connection)
            return data
        raise failure

    def close(self) -> None:
        """Free the connection: for another request if the body was read to its end."""
        connection = self._connection
        if connection is None:
            return
        if self._is_reading:
            connection.stream.abort()  # the reading thread sees it, and closes
            return
        connection.lose()
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        self._connection = None
        self._pool.release(connection)

    def __del__(self) -> None:
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(Exception):
                self._pool.drop(connection)


class CoreStream(httpcore.NetworkStream):
    """A stream as httpcore uses it; the time-outs it is given are `Exchange`s.

    It is given none where it speaks to a SOCKS proxy.
    """

    def __init__(self, stream: Stream, tls_layers: int, connect_until: float) -> None:
        self._stream = stream
        self._tls_layers = tls_layers
        self._connect_until = connect_until
        self._waiting: list[bytes] = []

    def read(self, max_bytes: int, timeout: Any = None) -> bytes:  # noqa: ARG002
        """Return the next bytes, `b""` at the end."""
        if self._waiting:
            self._send(timeout)
        if timeout is None or self._tls_layers != timeout.tls_layers:
            return self._stream.read(self._connect_until)
        data = self._stream.read(timeout.until)
        if data:
            timeout.has_answer = True
        else:
            timeout.has_ended = True
        return data

    def write(self, buffer: bytes, timeout: Any = None) -> None:
        """Send *buffer*, a small one with what is written next: head and body leave as one.

        httpcore ends each request with an empty write.
        """
        if buffer:
            self._waiting.append(buffer)
            if len(buffer) < PIECE_BYTES:
                return
        if self._waiting:
            self._send(timeout)

    def close(self) -> None:
        """Free the socket."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: Any = None,  # noqa: ARG002
    ) -> CoreStream:
        """Return the stream with TLS on it."""
        stream = TlsStream(self._stream, ssl_context, server_hostname or "")
        stream.handshake(self._connect_until)
        return CoreStream(stream, self._tls_layers + 1, self._connect_until)

    def get_extra_info(self, info: str) -> Any:
        """Tell whether an idle connection `is_readable`; nothing else is asked for."""
        return self._stream.has_news() if info == "is_readable" else None

    def _send(self, timeout: Any) -> None:
        data = self._waiting[0] if len(self._waiting) == 1 else b"".join(self._waiting)
        self._waiting.clear()
        until = self._connect_until
        if timeout is not None and self._tls_layers == timeout.tls_layers:
            timeout.has_sent = True
            until = timeout.until
        try:
            self._stream.write(data, until)
        except OSError as error:
            raise httpcore.WriteError(str(error)) from None


class Backend(httpcore.NetworkBackend):
    """Connects for httpcore."""

    def connect_tcp(
        self, host: str, port: int, timeout: Any = None, *_: object, **__: object
    ) -> CoreStream:
        """Return a connected stream, which the exchange's connection knows too."""
        stream = connect(host, port, timeout.begin_to_connect())
        timeout.connection.stream = stream
        return CoreStream(stream, 0, timeout.connect_until)
