"""Background thread that closes idle connections of threads after `keepalive_seconds`.

One for the process, and only while there are idle connections. Event loops have a timer instead.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specado.transport.connection_pool import ConnectionPool

__all__ = ["IdleReaper"]


class IdleReaper:
    """Calls `close_expired` of the pools that it was given, each when its time has come.

    A pool whose connections are all in use at that moment is given up: it comes back with the next
    idle one. Until then nobody looks: a call costs neither a thread nor a wake-up.
    """

    def __init__(self) -> None:
        self.start_afresh()

    def start_afresh(self) -> None:
        """Forget pools and thread: a forked child has its parent's, and no thread of it."""
        # When to look at each pool, in seconds of `time.monotonic`.
        self._due: dict[weakref.ref[ConnectionPool], float] = {}
        self._changed = threading.Event()
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None

    def watch(self, pool: ConnectionPool) -> None:
        """Look after *pool*, from when its idle connection expires until it has none."""
        with self._lock:
            due = time.monotonic() + pool.settings.keepalive_s
            is_next = due < min(self._due.values(), default=math.inf)
            self._due[weakref.ref(pool)] = due
            if self._thread is None or not self._thread.is_alive():  # an interrupt can start none
                self._thread = threading.Thread(
                    target=self._run, name="specado-idle-connections", daemon=True
                )
                # Without a thread (at the interpreter's end, at a limit) the next call closes.
                with contextlib.suppress(RuntimeError):
                    self._thread.start()
            pool.is_watched = True  # last: if this is interrupted, the next call begins anew
        if is_next:
            self._changed.set()

    def look_again(self) -> None:
        """Look at the pools now; the thread ends if none has anything idle."""
        with self._lock:
            self._due = dict.fromkeys(self._due, 0.0)
        self._changed.set()

    def _run(self) -> None:
        while (wait_s := self._reap()) is not None:
            self._changed.wait(min(wait_s, threading.TIMEOUT_MAX))
            self._changed.clear()

    def _reap(self) -> float | None:
        """Close what has expired; return the seconds until there is more, `None` for never."""
        with self._lock:
            now = time.monotonic()
            for weak_pool in [each for each, due in self._due.items() if due <= now]:
                wait_s, pool = None, weak_pool()
                if pool is not None:
                    pool.is_watched = False  # before it is looked at: what comes meanwhile counts
                    wait_s = pool.close_expired()
                if pool is None or wait_s is None:
                    del self._due[weak_pool]
                else:
                    pool.is_watched = True
                    self._due[weak_pool] = now + wait_s
            if not self._due:
                self._thread = None
                return None
            return max(0.0, min(self._due.values()) - now)
