"""Transport for threads: HTTP/1.1 over sockets, with one deadline for each request."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from specado.transport.connecting import open_stream
from specado.transport.connection_pool import PooledTransport
from specado.transport.contract import until_after
from specado.transport.exchange import BaseReply, Exchange
from specado.transport.reply_body import read_whole

if TYPE_CHECKING:
    from specado.transport.contract import (
        Limits,
        OpenReply,
        TransportSettings,
        WireReply,
        WireRequest,
    )
    from specado.transport.idle_reaper import IdleReaper

__all__ = ["ThreadTransport"]


class ThreadTransport(PooledTransport):
    """A `Transport` whose connections are the process's. Safe between threads."""

    def __init__(self, settings: TransportSettings, reaper: IdleReaper) -> None:
        super().__init__(settings, {}, reaper.watch)

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
        pool = self._pools.get(None) or self._make_pool()
        exchange = Exchange(pool, request)
        try:
            pool.limit.acquire(exchange, until)
            stream = exchange.take_idle(is_fresh=is_fresh)
            if stream is None:
                stream = exchange.stream = open_stream(
                    pool.settings, exchange.key[:3], exchange.proxy, until, limits.connect_timeout_s
                )
            _write(stream, exchange, until)
            parser = exchange.parser
            while not parser.has_head:
                parser.feed(stream.read(until))
            return ThreadReply(exchange)
        except BaseException as error:
            failures = exchange.fail(error)
            if not failures:
                raise
        raise failures.pop()


def _write(stream: Any, exchange: Exchange, until: float) -> None:
    try:
        for piece in exchange.take_unsent():  # not in the frame of a failure: it holds a key
            stream.write(piece, until)
        exchange.written_at = time.monotonic()
    except OSError:
        pass  # the peer may have answered before it had read all


class ThreadReply(BaseReply):
    """A `BaseReply` for threads; `close` also ends another thread's `read`."""

    def read(self, until: float) -> bytes:
        """Return the next bytes of the body as they came, `b""` at its end."""
        exchange = self._exchange
        if exchange is None:
            return b""
        parser = exchange.parser
        self._is_reading = True
        try:
            while not parser.pieces and not parser.is_complete:
                parser.feed(exchange.stream.read(until))
            return self._take(exchange)
        except BaseException as error:
            self._exchange = None
            failures = exchange.fail(error)
            if not failures:
                raise
        finally:
            self._is_reading = False
        raise failures.pop()
