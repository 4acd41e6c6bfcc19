"""Transport for threads: HTTP/1.1 over sockets, with one deadline for each request."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from specado.transport.connecting import open_stream
from specado.transport.connection_pool import ConnectionPool
from specado.transport.contract import until_after
from specado.transport.exchange import BaseReply, Exchange
from specado.transport.reply_body import read_whole

if TYPE_CHECKING:
    from specado.transport.contract import (
        Limits,
        OpenReply,
        TransportFailure,
        TransportSettings,
        WireReply,
        WireRequest,
    )
    from specado.transport.idle_reaper import IdleReaper

__all__ = ["ThreadTransport"]


class ThreadTransport:
    """A `Transport` whose connections are the process's. Safe between threads."""

    is_recent = True

    def __init__(self, settings: TransportSettings, reaper: IdleReaper) -> None:
        self._settings = settings
        self._reaper = reaper
        self._pool: ConnectionPool | None = None
        self._lock = threading.RLock()

    def send(
        self, request: WireRequest, timeout_s: float, limits: Limits, *, is_fresh: bool = False
    ) -> WireReply:
        """Send *request* and return its whole reply, within *timeout_s*."""
        until = until_after(timeout_s)
        return read_whole(self.open(request, until, limits, is_fresh=is_fresh), until, limits)

    def open(
        self, request: WireRequest, until: float, limits: Limits, *, is_fresh: bool = False
    ) -> OpenReply:
        """Send *request* and return its reply as soon as status and headers are there.

        *until* is a time of `time.monotonic`. With *is_fresh* it goes out on a new connection.
        """
        exchange = Exchange(self._connections(), request, until, limits)
        failure: TransportFailure | None
        try:
            _exchange_heads(exchange, is_fresh=is_fresh)
            return ThreadReply(exchange)
        except BaseException as error:
            failure = exchange.fail(error)
            if failure is None:
                raise
        try:
            raise failure
        finally:
            del failure  # it refers to this frame: a cycle would keep the body alive

    def close(self) -> None:
        """Close the connections; the next use makes new ones."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def forget(self) -> list[ConnectionPool]:
        """Leave the connections behind, in a forked child: they are the parent's. Return them."""
        pool, self._pool = self._pool, None
        self._lock = threading.RLock()
        return [] if pool is None else [pool]

    def _connections(self) -> ConnectionPool:
        pool = self._pool
        if pool is not None:
            return pool
        with self._lock:
            if self._pool is None:
                self._pool = ConnectionPool(self._settings, self._reaper.watch)
            return self._pool


def _exchange_heads(exchange: Exchange, *, is_fresh: bool) -> None:
    """Send the request and read until the reply's head is there."""
    until = exchange.until
    exchange.pool.limit.acquire(exchange, until)
    stream = exchange.take_idle(is_fresh=is_fresh)
    if stream is None:
        stream = exchange.stream = open_stream(*exchange.where_to())
    _write(stream, exchange)
    parser = exchange.parser
    while not parser.has_head:
        parser.feed(stream.read(until))


def _write(stream: Any, exchange: Exchange) -> None:
    try:
        for piece in exchange.take_unsent():
            stream.write(piece, exchange.until)
    except OSError:  # the peer may have answered before it had read all
        return
    exchange.written_at = time.monotonic()


class ThreadReply(BaseReply):
    """A `BaseReply` for threads; `close` also ends another thread's `read`."""

    def read(self, until: float) -> bytes:
        """Return the next bytes of the body as they came, `b""` at its end."""
        exchange = self._exchange
        if exchange is None:
            return b""
        parser = exchange.parser
        failure: TransportFailure | None
        self._is_reading = True
        try:
            while not parser.pieces and not parser.is_complete:
                parser.feed(exchange.stream.read(until))
            return self._take(exchange)
        except BaseException as error:
            self._exchange = None
            failure = exchange.fail(error)
            if failure is None:
                raise
        finally:
            self._is_reading = False
        try:
            raise failure
        finally:
            del failure
