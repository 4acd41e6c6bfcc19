"""Semaphore that limits concurrent exchanges to `max_connections`, for threads and asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
import time
import weakref
from collections import OrderedDict
from typing import Any, Callable

from specado.transport.contract import TransportFailure

__all__ = ["ConcurrencyLimit"]

# A wake-up that an interrupt loses (an exception out of a signal handler, in the middle of
# `release`) delays a waiter by this much, and no longer.
RECHECK_S = 1.0


class ConcurrencyLimit:
    """Semaphore whose permits are held by objects, and end with them.

    The limit has a weak reference to each holder, whose callback is a method of C: a holder that
    an interrupt loses between any two steps gives its permit back when it is collected.
    `release` takes no lock: a finalizer may call it, in whatever thread.
    """

    def __init__(self, max_connections: int) -> None:
        self.max_connections = max(1, max_connections)
        self._holders: set[weakref.ref[Any]] = set()
        self._waiters: OrderedDict[Callable[[], Any], None] = OrderedDict()
        # Reentrant, here and wherever a call passes: a signal handler may make a call of its own.
        self._lock = threading.RLock()

    @property
    def in_use(self) -> int:
        """Number of permits in use."""
        return len(self._holders)

    def acquire(self, holder: Any, until: float) -> None:
        """Give *holder* a permit as soon as one is free, or raise `TransportFailure` at *until*."""
        if not self._waiters and self._try_acquire(holder):
            return
        woken = threading.Lock()
        woken.acquire()
        wake = woken.release
        is_acquired = False
        try:
            self._waiters[wake] = None
            while not self._try_acquire(holder):
                woken.acquire(timeout=min(self._left_s(until), RECHECK_S))
                self._stay_first(wake)
            is_acquired = True
        finally:
            self._stop_waiting(wake, is_acquired=is_acquired)

    async def acquire_async(self, holder: Any, until: float) -> None:
        """Do what `acquire` does, for a task of the running loop."""
        if not self._waiters and self._try_acquire(holder):
            return
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        wake = functools.partial(loop.call_soon_threadsafe, woken.set)
        timer = loop.call_later(max(0.0, until - time.monotonic()), woken.set)
        is_acquired = False
        try:
            self._waiters[wake] = None
            while not self._try_acquire(holder):
                self._left_s(until)
                await woken.wait()
                woken.clear()
                self._stay_first(wake)
            is_acquired = True
        finally:
            timer.cancel()
            self._stop_waiting(wake, is_acquired=is_acquired)

    def release(self, holder: Any) -> None:
        """End *holder*'s permit, if it has one."""
        self._holders.discard(weakref.ref(holder))
        if self._waiters:
            self._wake_next()

    def _try_acquire(self, holder: Any) -> bool:
        with self._lock:
            if len(self._holders) >= self.max_connections:
                return False
            self._holders.add(weakref.ref(holder, self._holders.discard))
            return True

    def _wake_next(self) -> None:
        while self._waiters:
            with contextlib.suppress(KeyError, RuntimeError):  # none is left; its loop was closed
                wake, _ = self._waiters.popitem(last=False)
                wake()
                return

    def _stay_first(self, wake: Callable[[], Any]) -> None:
        """Put a waiter that was woken back at the head of the queue, before it tries again."""
        if wake not in self._waiters:
            self._waiters[wake] = None
            self._waiters.move_to_end(wake, last=False)

    def _stop_waiting(self, wake: Callable[[], Any], *, is_acquired: bool) -> None:
        """Leave the queue; if it was woken and has not acquired, wake the next one instead."""
        was_woken = self._waiters.pop(wake, self) is self
        if was_woken and not is_acquired:
            self._wake_next()

    def _left_s(self, until: float) -> float:
        left_s = until - time.monotonic()
        if left_s <= 0:
            message = (
                f"the attempt's time was up while all {self.max_connections} connections "
                "were in use (max_connections)"
            )
            raise TransportFailure("timeout", message, sent=False)
        return left_s
