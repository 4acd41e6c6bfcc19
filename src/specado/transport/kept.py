"""Pool of idle keep-alive connections of the httptools transport, for threads and asyncio."""

from __future__ import annotations

import contextlib
import math
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from specado.errors import redact
from specado.transport.causes import RefusedCertificateError, resource_cause
from specado.transport.exchange import Progress, TransportFailure
from specado.transport.httptools_terms import JOINED_BYTES, ReplyParser, head_of
from specado.transport.network import TimeUp
from specado.transport.route import address_of, warn_if_readable

if TYPE_CHECKING:
    from specado.transport.exchange import Limits, TransportSettings, WireRequest
    from specado.transport.route import Address

__all__ = ["BaseDirectReply", "DirectExchange", "KeptConnections"]

MAX_IDLE_CONNECTIONS = 100
MAX_REASON_CHARACTERS = 200
Key = tuple[str, str, int]


class DirectExchange(Progress):
    """One request's clock, connection and parser, and what has become of it; shows nothing."""

    def __init__(self, request: WireRequest, until: float, limits: Limits) -> None:
        self.address: Address = address_of(request.url)
        warn_if_readable(self.address, request)
        self.key: Key = self.address[:3]
        self.request = request
        self.until = until
        self.connect_until = until
        self.connect_timeout_s = limits.connect_timeout_s
        self.slots: list[None] = []
        self.stream: Any = None
        self.parser = ReplyParser()
        self._head = b""

    def prepare(self) -> None:
        """Make the head, or raise a `ConfigurationError` before anything is taken."""
        self._head = head_of(self.request, self.address)

    def unsent(self) -> list[bytes]:
        """Return what is to be written, once: head and body, as one where that is cheap."""
        head, self._head, body = self._head, b"", self.request.body
        return [head + body] if len(body) <= JOINED_BYTES else [head, body]

    def begin_to_connect(self) -> float:
        """Start the connect time; return when it ends."""
        self.connect_until = min(self.until, time.monotonic() + self.connect_timeout_s)
        return self.connect_until

    def failure_of(self, error: BaseException) -> TransportFailure | None:
        """Return what *error* means, with no reference to it; `None` if it is not the network's."""
        if isinstance(error, TransportFailure):
            return self.failure(error.kind, str(error), sent=error.sent)
        if not isinstance(error, (TimeUp, OSError)):
            return None
        if isinstance(error, RefusedCertificateError) and not self.parser.has_answer:
            return self.failure("certificate", str(error), sent=False)
        if not self.has_sent:
            return self._connect_failure(error)
        if isinstance(error, TimeUp):
            return self.failure("timeout", "the attempt's time is up", sent=True)
        if self.parser.has_answer:
            return self.failure("truncated", "the reply broke off", sent=True)
        message = "the connection was closed before any reply"
        return self.failure("reset", message, sent=True)

    def _connect_failure(self, error: TimeUp | OSError) -> TransportFailure:
        where = f"{self.address.host}:{self.address.port}"
        lacking = resource_cause(error)
        if lacking is not None:
            return self.failure("resources", f"no connection to {where}: {lacking}", sent=False)
        if isinstance(error, OSError):
            text = redact(str(error.strerror or error))[:MAX_REASON_CHARACTERS]
            return self.failure("connect", f"no connection to {where}: {text}", sent=False)
        if self.connect_until < self.until:
            return self.failure("connect", f"no connection to {where} in time", sent=False)
        message = f"the attempt's time was up before there was a connection to {where}"
        return self.failure("timeout", message, sent=False)


class KeptConnections:
    """Idle connections by where they go, the one last used first.

    *slots* has the right to begin exchanges. No lock: each step is one of a deque's own, and a
    finalizer touches none of them.
    """

    def __init__(self, settings: TransportSettings, slots: Any) -> None:
        self.settings = settings
        self.slots = slots
        self._idle: dict[Key, deque[tuple[float, Any]]] = {}
        self._is_closed = False

    def take(self, key: Key, *, is_fresh: bool) -> Any:
        """Return an open stream to *key*, `None` if there is none: then one may be made.

        With *is_fresh* none that is idle is returned.
        """
        idle = None if is_fresh else self._idle.get(key)
        while idle:
            try:
                idle_until, stream = idle.pop()
            except IndexError:  # another thread took the last one
                break
            if idle_until > time.monotonic() and not stream.has_news():
                return stream
            stream.close()
        self._close_oldest_above(self.slots.count - self.slots.used)
        return None

    def keep(self, key: Key, stream: Any) -> None:
        """Keep *stream* for another exchange."""
        now = time.monotonic()
        for each in list(self._idle.values()):
            while _oldest_until(each) <= now:
                self._close_oldest(each)
        idle = self._idle.get(key)
        if idle is None:
            idle = self._idle.setdefault(key, deque())
        idle.append((now + self.settings.keepalive_s, stream))
        self._close_oldest_above(0 if self._is_closed else MAX_IDLE_CONNECTIONS)

    def settle(self, exchange: DirectExchange, *, keeps: bool) -> None:
        """Free what *exchange* holds: its connection is kept or closed, its slot given back."""
        stream, exchange.stream = exchange.stream, None
        exchange.parser.drop()
        try:
            if stream is not None:
                if keeps:
                    self.keep(exchange.key, stream)
                else:
                    stream.close()
        finally:
            if exchange.slots:
                exchange.slots.clear()
                self.slots.give()

    def close(self) -> None:
        """Close what is idle now, and the others when they come back."""
        self._is_closed = True
        self._close_oldest_above(0)

    def _close_oldest_above(self, count: int) -> None:
        while sum(map(len, list(self._idle.values()))) > count:
            self._close_oldest(min(list(self._idle.values()), key=_oldest_until))

    def _close_oldest(self, idle: deque[tuple[float, Any]]) -> None:
        with contextlib.suppress(IndexError):  # another thread took the last one
            idle.popleft()[1].close()


def _oldest_until(idle: deque[tuple[float, Any]]) -> float:
    """Return until when the oldest connection may be idle."""
    try:
        return idle[0][0]
    except IndexError:
        return math.inf


class BaseDirectReply:
    """A reply whose body is still to be read. Not for two users at once, but for `close`.

    Dropping it frees the connection as `close` does.
    """

    _exchange: DirectExchange | None = None

    def __init__(self, kept: KeptConnections, exchange: DirectExchange) -> None:
        self.status = exchange.parser.status
        self.headers = exchange.parser.headers
        self._kept = kept
        self._is_reading = False
        self._exchange = exchange  # from here on the reply frees it

    def close(self) -> None:
        """Free the connection: for another request if the whole reply has come."""
        exchange = self._exchange
        if exchange is None:
            return
        if self._is_reading:
            exchange.stream.abort()  # the reader sees it, and closes
            return
        self._free(exchange)

    def _take(self, exchange: DirectExchange) -> bytes:
        """Return what has come of the body; at its end the connection is freed.

        What is compressed comes as it was cut: who expands it stops where it grows too large.
        """
        pieces = exchange.parser.pieces
        if len(pieces) > 1 and "content-encoding" in self.headers:
            return pieces.pop(0)
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        if exchange.parser.is_complete:
            self._free(exchange)
        return data

    def _free(self, exchange: DirectExchange) -> None:
        self._exchange = None
        is_written = exchange.written_at is not None
        self._kept.settle(exchange, keeps=exchange.parser.can_reuse and is_written)

    def __del__(self) -> None:
        exchange = self._exchange
        if exchange is not None:
            exchange.stream.close()
            exchange.parser.drop()
            self._kept.slots.give_from_finalizer()
