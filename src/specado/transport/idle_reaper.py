"""Background thread that closes idle connections of threads after `keepalive_seconds`.

One for the process, and only while there are idle connections. Event loops have a timer instead.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specado.transport.connection_pool import ConnectionPool

__all__ = ["IdleReaper"]


class IdleReaper:
    """Calls `close_expired` of the pools that it was given, each when its time has come."""

    def __init__(self) -> None:
        self.start_afresh()

    def start_afresh(self) -> None:
        """Forget pools and thread: a forked child has its parent's, and no thread of it."""
        self._pools: set[weakref.ref[ConnectionPool]] = set()
        self._changed = threading.Event()
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None

    def watch(self, pool: ConnectionPool) -> None:
        """Look after *pool* until it has nothing idle."""
        with self._lock:
            self._pools.add(weakref.ref(pool))
            if self._thread is None or not self._thread.is_alive():  # an interrupt can start none
                self._thread = threading.Thread(
                    target=self._run, name="specado-idle-connections", daemon=True
                )
                # Without a thread (at the interpreter's end, at a limit) the next call closes.
                with contextlib.suppress(RuntimeError):
                    self._thread.start()
            pool.is_watched = True  # last: if this is interrupted, the next call begins anew
        self._changed.set()

    def look_again(self) -> None:
        """Look at the pools now; the thread ends if none has anything idle."""
        self._changed.set()

    def _run(self) -> None:
        wait_s: float | None = 0.0
        while wait_s is not None:
            self._changed.wait(min(wait_s, threading.TIMEOUT_MAX))
            self._changed.clear()
            wait_s = self._reap()

    def _reap(self) -> float | None:
        """Close what has expired; return the seconds until there is more, `None` for never."""
        waits_s = []
        with self._lock:
            for weak_pool in list(self._pools):
                pool = weak_pool()
                if pool is not None:
                    pool.is_watched = False  # before it is looked at: what comes meanwhile counts
                    wait_s = pool.close_expired()
                    if wait_s is not None:
                        pool.is_watched = True
                        waits_s.append(wait_s)
                        continue
                self._pools.discard(weak_pool)
            if not waits_s:
                self._thread = None
        return min(waits_s, default=None)
