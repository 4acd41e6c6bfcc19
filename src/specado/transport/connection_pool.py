"""Pool of idle keep-alive connections with a limit on concurrent exchanges (sans-I/O)."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Callable

from specado.transport.concurrency_limit import ConcurrencyLimit

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from specado.transport.contract import TransportSettings

__all__ = ["MAX_IDLE_CONNECTIONS", "ConnectionPool", "PooledTransport"]

MAX_IDLE_CONNECTIONS = 100


class ConnectionPool:
    """Idle connections by where they lead, the one last used first.

    No lock: each step is one of a deque's own, so that neither a thread nor an interrupt between
    two steps finds a connection twice; one that an interrupt loses is closed when it is collected.
    *expires* is called with the pool when it has something that `close_expired` has to close.
    """

    def __init__(
        self, settings: TransportSettings, expires: Callable[[ConnectionPool], None]
    ) -> None:
        self.settings = settings
        self.limit = ConcurrencyLimit(settings.max_connections)
        self.is_watched = False  # somebody will call `close_expired` in time
        self._expires = expires
        self._idle: dict[Any, deque[tuple[float, Any]]] = {}
        self._is_closed = False

    def take(self, key: Any) -> Any:
        """Return an idle connection that leads to *key*, or `None`."""
        idle = self._idle.get(key)
        while idle:
            try:
                idle_until, stream = idle.pop()
            except IndexError:  # another thread took the last one
                break
            if idle_until > time.monotonic() and not stream.is_stale():
                return stream
            stream.close()
        return None

    def make_room(self) -> None:
        """Close idle connections, the oldest first, until one more may be made."""
        self._close_oldest_above(self.limit.max_connections - self.limit.in_use)

    def close(self) -> None:
        """Close what is idle now, and the others when they come back."""
        self._is_closed = True
        self._close_oldest_above(0)

    def close_expired(self) -> float | None:
        """Close what was idle for too long; return the seconds until the next is, or `None`."""
        self.is_watched = False  # first: a connection that becomes idle meanwhile counts
        now = time.monotonic()
        earliest = math.inf
        for key, idle in list(self._idle.items()):
            while _oldest_until(idle) <= now:
                self._close_oldest(idle)
            if not idle:
                # An exchange that keeps a connection there now makes the entry anew: see `keep`.
                self._idle.pop(key, None)
            earliest = min(earliest, _oldest_until(idle))
        if earliest == math.inf:
            return None
        self.is_watched = True
        return earliest - now

    def keep(self, key: Any, stream: Any) -> None:
        """Keep a connection for another exchange."""
        idle = self._idle.get(key)
        if idle is None:
            idle = self._idle.setdefault(key, deque())
        idle.append((time.monotonic() + self.settings.keepalive_s, stream))
        if self._idle.get(key) is not idle:  # `close_expired` took the empty one away meanwhile
            self._idle[key] = idle
        if self._is_closed:
            self._close_oldest_above(0)
        elif len(idle) > MAX_IDLE_CONNECTIONS or len(self._idle) > 1:
            self._close_oldest_above(MAX_IDLE_CONNECTIONS)
        if not self.is_watched:
            self._expires(self)

    def _close_oldest_above(self, count: int) -> None:
        while sum(map(len, list(self._idle.values()))) > count:
            self._close_oldest(min(list(self._idle.values()), key=_oldest_until))

    def _close_oldest(self, idle: deque[tuple[float, Any]]) -> None:
        # Another thread took the last one; what closing it says does not matter.
        with contextlib.suppress(IndexError, OSError):
            idle.popleft()[1].close()


def _oldest_until(idle: deque[tuple[float, Any]]) -> float:
    """Return until when the oldest connection may be idle."""
    try:
        return idle[0][0]
    except IndexError:
        return math.inf


class PooledTransport:
    """Keeps the pools of a transport: one for threads (`None`), or one for each event loop.

    *make_pool* is given the loop.
    """

    is_recent = True

    def __init__(self, pools: MutableMapping[Any, Any], make_pool: Callable[[Any], Any]) -> None:
        self._pools = pools
        self._make_pool = make_pool
        self._lock = threading.RLock()

    def close(self) -> None:
        """Close the connections, from any thread; the next use makes new ones."""
        with self._lock:
            pools = list(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.close()

    def forget(self) -> list[Any]:
        """Return and drop the pools in a forked child: the connections belong to the parent."""
        pools = list(self._pools.values())
        self._pools = type(self._pools)()
        self._lock = threading.RLock()
        return pools

    def _new_pool(self, loop: Any = None) -> Any:
        """Make the pool of *loop*, unless there is one by now; close those of closed loops."""
        with self._lock:
            for closed in [each for each in self._pools if each is not None and each.is_closed()]:
                self._pools.pop(closed).close()
            if loop not in self._pools:
                self._pools[loop] = self._make_pool(loop)
            return self._pools[loop]
