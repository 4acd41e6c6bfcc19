"""State of one HTTP exchange (sans-I/O): deadline, connection, parser, facts for a failure."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from specado.transport.addresses import address_of, warn_if_readable
from specado.transport.contract import TransportFailure, WireReply, has_marked_end
from specado.transport.failure_causes import RefusedCertificateError
from specado.transport.http1 import JOINED_BYTES, ReplyParser, head_of
from specado.transport.network import TimeUp
from specado.transport.proxies import proxy_for

if TYPE_CHECKING:
    from specado.transport.connection_pool import ConnectionPool
    from specado.transport.contract import Limits, WireRequest

__all__ = ["BaseReply", "Exchange"]


class Exchange:
    """One request and its reply; shows nothing.

    It holds one permit of its pool's `limit` and one connection, until `finish`, or until it is
    collected.
    """

    __slots__ = (
        "__weakref__",
        "_body",
        "_head",
        "is_reused",
        "key",
        "parser",
        "pool",
        "stream",
        "written_at",
    )

    def __init__(self, pool: ConnectionPool, request: WireRequest) -> None:
        address = address_of(request.url)
        warn_if_readable(address, request)
        proxy = proxy_for(pool.settings, *address[:3]) if pool.settings.proxies else None
        self.pool = pool
        self.key = (*address[:3], proxy)
        self.parser = ReplyParser()
        self.stream: Any = None
        self.is_reused = False
        self.written_at: float | None = None
        self._head = head_of(request, address, proxy)
        self._body = request.body

    def take_idle(self, *, is_fresh: bool) -> Any:
        """Return an idle connection; `None`, after making room for another, if there is none."""
        stream = self.stream = None if is_fresh else self.pool.take(self.key)
        self.is_reused = stream is not None
        if stream is None:
            self.pool.make_room()
        return stream

    def take_unsent(self) -> tuple[bytes, ...]:
        """Return what is to be written, once: head and body, as one where that is cheap."""
        head, body = self._head, self._body
        self._head = self._body = b""
        return (head + body,) if len(body) <= JOINED_BYTES else (head, body)

    def check_proxy(self) -> None:
        """Raise a `TransportFailure` if a proxy demands credentials in place of the reply."""
        proxy = self.key[3]
        if proxy is not None and self.parser.status == 407 and proxy.forwards(self.key[0]):
            where = f"the proxy {proxy.place}"
            message = f"no connection to {where}: {proxy.demand}"
            raise TransportFailure("connect", message, sent=False)

    def is_whole(self, limits: Limits) -> bool:
        """Return whether all of a reply came with its head, so that none of it is to be read.

        Not for the body of an error, a compressed one and one above its limit.
        """
        parser = self.parser
        return (
            parser.is_complete
            and parser.status < 300
            and "content-encoding" not in parser.headers
            and sum(map(len, parser.pieces)) <= limits.max_reply_bytes
        )

    def take_whole(self) -> WireReply:
        """Return a reply that `is_whole`; the connection is freed."""
        parser = self.parser
        self.finish(can_reuse=self.can_reuse)
        return WireReply(parser.status, parser.headers, b"".join(parser.pieces))

    @property
    def can_reuse(self) -> bool:
        """True if another request may follow on the connection, once the reply is complete."""
        return self.parser.can_reuse and self.written_at is not None

    def finish(self, *, can_reuse: bool) -> None:
        """Give back the connection, for another exchange or to be closed, and the permit.

        Harmless when repeated.
        """
        stream, self.stream = self.stream, None
        self.parser.drop()
        try:
            if stream is not None:
                if can_reuse:
                    self.pool.keep(self.key, stream)
                else:
                    stream.close()
        finally:
            self.pool.limit.release(self)

    def fail(self, error: BaseException) -> list[TransportFailure]:
        """Finish, and return what *error* means, with no reference to it.

        The list is empty for an error that neither the transport nor the network raised: the caller
        re-raises it. Raise the failure by `pop`, so that no frame refers to it: such a cycle would
        keep the request.
        """
        self.finish(can_reuse=False)
        kind, message, sent = "reset", "the connection was closed before any reply", True
        if isinstance(error, TransportFailure):
            kind, message, sent = error.kind, str(error), error.sent
        elif isinstance(error, TimeUp):
            kind, message = "timeout", "the attempt's time is up"
        elif not isinstance(error, OSError):
            return []
        elif self.parser.has_answer:
            kind, message = "truncated", "the reply broke off"
        elif isinstance(error, RefusedCertificateError):
            kind, message, sent = "certificate", str(error), False
        written_at = self.written_at
        failure = TransportFailure(
            kind,
            message,
            sent=sent,
            is_reused=self.is_reused,
            is_written=written_at is not None,
            since_written_s=None if written_at is None else time.monotonic() - written_at,
        )
        return [failure]


class BaseReply:
    """A reply whose body is still to be read. Not for two users at once, but for `close`."""

    _exchange: Exchange | None = None

    def __init__(self, exchange: Exchange) -> None:
        self.status = exchange.parser.status
        self.headers = exchange.parser.headers
        self.has_marked_end = has_marked_end(self.headers)
        self._is_reading = False
        self._exchange = exchange  # from here on the reply frees it

    def close(self) -> None:
        """Free the connection: for another request if the whole reply has come."""
        exchange = self._exchange
        if exchange is None:
            return
        if self._is_reading:
            stream = exchange.stream
            if stream is not None:
                stream.abort()  # the reader sees it, and closes
            return
        self._finish(exchange)

    def _take(self, exchange: Exchange) -> bytes:
        """Return what has come of the body; at its end the connection is freed.

        What is compressed comes as it was cut: its decoder stops where it grows too large.
        """
        parser = exchange.parser
        pieces = parser.pieces
        if len(pieces) > 1 and "content-encoding" in self.headers:
            return pieces.pop(0)
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        if parser.is_complete:
            self._finish(exchange)
        return data

    def _finish(self, exchange: Exchange) -> None:
        self._exchange = None
        exchange.finish(can_reuse=exchange.can_reuse)
