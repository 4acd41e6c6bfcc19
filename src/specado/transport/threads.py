"""Transport for threads: HTTP/1.1 over sockets, with one deadline for each request."""

from __future__ import annotations

import contextlib
import math
import os
import queue
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from specado.transport.connecting import Opening, open_stream
from specado.transport.connection_pool import ConnectionPool, PooledTransport
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

__all__ = ["ThreadTransport"]


class ThreadTransport(PooledTransport):
    """A `Transport` whose connections are the process's. Safe between threads."""

    def __init__(self, settings: TransportSettings) -> None:
        super().__init__({}, lambda _: ConnectionPool(settings, _reaper.watch))

    def send(
        self, request: WireRequest, timeout_s: float, limits: Limits, *, is_fresh: bool = False
    ) -> WireReply:
        """Send *request* and return its whole reply, within *timeout_s*."""
        until = until_after(timeout_s)
        exchange = self._answered(request, until, limits, is_fresh=is_fresh)
        if exchange.is_whole(limits):
            return exchange.take_whole()
        return read_whole(ThreadReply(exchange), until, limits)

    def open(
        self, request: WireRequest, until: float, limits: Limits, *, is_fresh: bool = False
    ) -> OpenReply:
        """Send *request* and return its reply as soon as status and headers are there."""
        return ThreadReply(self._answered(request, until, limits, is_fresh=is_fresh))

    def _answered(
        self, request: WireRequest, until: float, limits: Limits, *, is_fresh: bool
    ) -> Exchange:
        """Send *request* and return its exchange as soon as the reply's head is there."""
        pool = self._pools.get(None) or self._new_pool()
        exchange = Exchange(pool, request)
        try:
            pool.limit.acquire(exchange, until)
            stream = exchange.take_idle(is_fresh=is_fresh)
            if stream is None:
                where = Opening(pool.settings, exchange.key, until, limits.connect_timeout_s)
                stream = exchange.stream = open_stream(where)
            _write(stream, exchange, until)
            parser = exchange.parser
            while not parser.has_head:
                parser.feed(stream.read(until))
            exchange.check_proxy()
            return exchange
        except BaseException as error:
            failures = exchange.fail(error)
            if not failures:
                raise
        raise failures.pop()

    def close(self) -> None:
        """Close the connections; the next use makes new ones."""
        super().close()
        _reaper.look_again()


def _write(stream: Any, exchange: Exchange, until: float) -> None:
    try:
        for piece in exchange.take_unsent():  # not in the frame of a failure: it holds a key
            stream.write(piece, until)
        exchange.written_at = time.monotonic()
    except OSError:
        pass  # the peer may have answered before it had read all


class ThreadReply(BaseReply):
    """A `BaseReply` for threads; `close` also ends another thread's `read`.

    Dropping a reply frees socket and permit without Python code, which would swallow the exception
    of a signal handler. A thread that waits for a permit sees the free permit when it polls again.
    """

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


class _IdleReaper:
    """Background thread that closes idle connections after `keepalive_seconds`.

    The process has one such thread, only while there are idle connections. A pool whose connections
    are all in use when it is due is no longer watched until a connection becomes idle again, so a
    call costs neither a thread nor a wake-up.
    """

    def __init__(self) -> None:
        self.start_afresh()

    def start_afresh(self) -> None:
        """Drop pools and thread, in a forked child: they belong to the parent."""
        # When to look at each pool, in seconds of `time.monotonic`.
        self._due: dict[weakref.ref[ConnectionPool], float] = {}
        # Not an Event: a signal handler's exception within `set` would leave its lock taken.
        self._changes: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None

    def watch(self, pool: ConnectionPool) -> None:
        """Watch *pool* from the time its idle connection expires until it has no idle one."""
        with self._lock:
            due = time.monotonic() + pool.settings.keepalive_s
            is_next = due < min(self._due.values(), default=math.inf)
            self._due[weakref.ref(pool)] = due
            if (
                self._thread is None or not self._thread.is_alive()
            ):  # an interrupt may prevent the start
                self._thread = threading.Thread(
                    target=self._run, name="specado-idle-connections", daemon=True
                )
                try:
                    self._thread.start()
                except RuntimeError:
                    pass  # at the interpreter's end, or at a limit: the next call closes
                except KeyError as error:  # in `start` it hides a signal handler's exception
                    raise error.__context__ or error from None
            pool.is_watched = True  # last: if this is interrupted, the next call begins anew
        if is_next:
            self._changes.put(None)

    def look_again(self) -> None:
        """Check the pools now; the thread ends if none has an idle connection."""
        with self._lock:
            self._due = dict.fromkeys(self._due, 0.0)
        self._changes.put(None)

    def _run(self) -> None:
        while (wait_s := self._reap()) is not None:
            with contextlib.suppress(queue.Empty):
                self._changes.get(timeout=min(wait_s, threading.TIMEOUT_MAX))

    def _reap(self) -> float | None:
        """Close expired connections; return the seconds until the next, `None` without one."""
        with self._lock:
            now = time.monotonic()
            for weak_pool in [each for each, due in self._due.items() if due <= now]:
                pool = weak_pool()
                wait_s = None if pool is None else pool.close_expired()
                if wait_s is None:
                    del self._due[weak_pool]
                else:
                    self._due[weak_pool] = now + wait_s
            if not self._due:
                self._thread = None
                return None
            return max(0.0, min(self._due.values()) - now)


_reaper = _IdleReaper()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reaper.start_afresh)
