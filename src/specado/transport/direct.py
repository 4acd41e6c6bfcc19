"""Fast transport for threads: httptools over sockets with one deadline.

It connects directly; requests through a proxy use the default transport.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Callable

from specado.transport.kept import BaseDirectReply, DirectExchange, KeptConnections
from specado.transport.lifetimes import KeptForProcess
from specado.transport.network import SocketStream, TlsStream, connect
from specado.transport.proxies import proxy_for
from specado.transport.slots import ThreadSlots
from specado.transport.trust import tls_context

if TYPE_CHECKING:
    from specado.transport.exchange import (
        Limits,
        OpenReply,
        Transport,
        TransportSettings,
        WireRequest,
    )

__all__ = ["DirectReply", "DirectTransport"]


class DirectTransport(KeptForProcess[KeptConnections]):
    """A `Transport`. Safe between threads. *through_proxies* takes what a proxy is set for."""

    def __init__(
        self, settings: TransportSettings, through_proxies: Callable[[], Transport]
    ) -> None:
        super().__init__(settings)
        self._through_proxies = through_proxies

    def _make(self) -> KeptConnections:
        return KeptConnections(self._settings, ThreadSlots(self._settings.max_connections))

    def open(
        self, request: WireRequest, until: float, limits: Limits, *, is_fresh: bool = False
    ) -> OpenReply:
        """Send *request* and return its reply as soon as status and headers are there.

        *until* is a time of `time.monotonic`. With *is_fresh* it goes out on a new connection.
        """
        exchange = DirectExchange(request, until, limits)
        if proxy_for(self._settings, *exchange.key) is not None:
            proxied = self._through_proxies()
            return proxied.open(request, until, limits, is_fresh=is_fresh)
        kept = self._connections()
        failure: Exception | None
        try:
            _exchange_heads(kept, exchange, is_fresh=is_fresh)
            return DirectReply(kept, exchange)
        except BaseException as error:
            kept.settle(exchange, keeps=False)
            failure = exchange.failure_of(error)
            if failure is None:
                raise
        try:
            raise failure
        finally:
            del failure  # it refers to this frame: a cycle would keep the body alive


def _exchange_heads(kept: KeptConnections, exchange: DirectExchange, *, is_fresh: bool) -> None:
    """Send the request and read until the reply's head is there."""
    exchange.prepare()
    kept.slots.take(exchange.slots, exchange.until)
    stream = exchange.stream = kept.take(exchange.key, is_fresh=is_fresh)
    exchange.is_reused = stream is not None
    if stream is None:
        stream = exchange.stream = _connect(kept.settings, exchange)
    exchange.has_sent = True
    _write(stream, exchange)
    parser = exchange.parser
    while not parser.has_head:
        parser.feed(stream.read(exchange.until))


def _write(stream: Any, exchange: DirectExchange) -> None:
    try:
        for piece in exchange.unsent():
            stream.write(piece, exchange.until)
    except OSError:  # the peer may have answered before it had read all
        return
    exchange.written_at = time.monotonic()


def _connect(settings: TransportSettings, exchange: DirectExchange) -> SocketStream | TlsStream:
    scheme, host, port = exchange.key
    # Certificates take long to load: before the time begins to run.
    context = tls_context(settings).context if scheme == "https" else None
    until = exchange.begin_to_connect()
    stream = connect(host, port, until)
    if context is None:
        return stream
    try:
        secured = TlsStream(stream, context, host)
        secured.handshake(until)
    except BaseException:
        stream.close()
        raise
    return secured


class DirectReply(BaseDirectReply):
    """A `BaseDirectReply` for threads; `close` also ends another thread's `read`."""

    def read(self, until: float) -> bytes:
        """Return the next bytes of the body as they came, `b""` at its end."""
        exchange = self._exchange
        if exchange is None:
            return b""
        exchange.until = until
        parser = exchange.parser
        self._is_reading = True
        failure: Exception | None
        try:
            while not parser.pieces and not parser.is_complete:
                parser.feed(exchange.stream.read(until))
        except BaseException as error:
            self._is_reading = False
            self.close()
            failure = exchange.failure_of(error)
            if failure is None:
                raise
        else:
            self._is_reading = False
            return self._take(exchange)
        try:
            raise failure
        finally:
            del failure
