"""Who may use which connection: the bookkeeping of one pool, without I/O but closing.

A *slot* is the right to have one connection open. Whoever gets a slot gets an idle
connection with it, or has to open one; both are given back together.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any, Protocol

from specado.http1 import Http1

__all__ = ["Connection", "Origin", "Pool", "ThreadWaiter", "Waiter"]

MAX_IDLE_CONNECTIONS = 100

Origin = tuple[str, str, int]


class _Closable(Protocol):
    def close(self) -> None: ...

    def has_news(self) -> bool: ...


class Connection:
    """A stream and the protocol state on it."""

    __slots__ = ("expires_at", "http", "stream")

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.http = Http1()
        self.expires_at = 0.0

    def is_usable(self) -> bool:
        """Tell whether an idle connection can take another request."""
        return time.monotonic() < self.expires_at and not self.stream.has_news()


class ThreadWaiter:
    """A thread's place in the queue for a slot."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.is_granted = False
        self.connection: Connection | None = None
        self._turn = threading.Lock()
        self._turn.acquire()

    def grant(self, connection: Connection | None) -> None:
        """Hand over a slot, with its connection if it has one."""
        self.connection = connection
        self.is_granted = True
        self._turn.release()

    def wait(self, wait_s: float) -> None:
        """Return when the slot is there, or the time is up."""
        self._turn.acquire(timeout=min(wait_s, threading.TIMEOUT_MAX))


class Waiter(Protocol):
    """A place in the queue for a slot."""

    origin: Origin
    is_granted: bool
    connection: Connection | None

    def grant(self, connection: Connection | None) -> None:
        """Hand over a slot, with its connection if it has one."""


class Pool:
    """Slots and idle connections. Safe between threads.

    `give_back` may be called from anywhere, also by the garbage collector in the middle of
    another call: it never waits for the lock.
    """

    def __init__(self, max_connections: int, keepalive_s: float) -> None:
        self._max_connections = max_connections
        self._keepalive_s = keepalive_s
        self._lock = threading.Lock()
        self._open_count = 0
        self._idle_count = 0
        self._idle: dict[Origin, deque[Connection]] = {}
        self._waiters: deque[Waiter] = deque()
        self._returned: deque[tuple[Origin, Connection | None]] = deque()
        self._is_closed = False

    def take(self, waiter: Waiter) -> None:
        """Grant *waiter* a slot at once if there is one, else queue it."""
        closing: list[Connection] = []
        with self._lock:
            if self._idle_count:
                self._drop_expired(waiter.origin, closing)
            stack = self._idle.get(waiter.origin)
            if stack:
                waiter.grant(self._pop(waiter.origin, stack.pop))
            elif self._open_count < self._max_connections:
                self._open_count += 1
                waiter.grant(None)
            elif self._idle_count:
                origin, stack = next(iter(self._idle.items()))
                closing.append(self._pop(origin, stack.popleft))
                waiter.grant(None)
            else:
                self._waiters.append(waiter)
        self._settle(closing)

    def abandon(self, waiter: Waiter) -> None:
        """Take *waiter* out of the queue, or back what it was granted meanwhile."""
        with self._lock:
            if not waiter.is_granted:
                self._waiters.remove(waiter)
                return
        self.give_back(waiter.origin, waiter.connection)

    def give_back(self, origin: Origin, connection: Connection | None) -> None:
        """Return a slot, with its connection if that can be used again."""
        if connection is not None:
            connection.expires_at = time.monotonic() + self._keepalive_s
        self._returned.append((origin, connection))
        self._settle([])

    def close(self) -> None:
        """Close the idle connections now, the others when they come back."""
        with self._lock:
            self._is_closed = True
            closing = [connection for stack in self._idle.values() for connection in stack]
            self._idle.clear()
            self._open_count -= self._idle_count
            self._idle_count = 0
        self._settle(closing)

    def _settle(self, closing: list[Connection]) -> None:
        # Who fails to get the lock leaves the work to its holder, who looks again after it.
        while self._returned and self._lock.acquire(blocking=False):
            try:
                while self._returned:
                    self._place(*self._returned.popleft(), closing)
            finally:
                self._lock.release()
        for connection in closing:
            connection.stream.close()

    def _place(
        self, origin: Origin, connection: Connection | None, closing: list[Connection]
    ) -> None:
        if connection is not None and self._is_closed:
            closing.append(connection)
            connection = None
        if self._waiters:
            waiter = self._waiters.popleft()
            if connection is not None and waiter.origin != origin:
                closing.append(connection)
                connection = None
            waiter.grant(connection)
        elif connection is None:
            self._open_count -= 1
        elif self._idle_count >= MAX_IDLE_CONNECTIONS:
            closing.append(connection)
            self._open_count -= 1
        else:
            self._idle.setdefault(origin, deque()).append(connection)
            self._idle_count += 1

    def _drop_expired(self, origin: Origin, closing: list[Connection]) -> None:
        stack = self._idle.get(origin)
        now = time.monotonic()
        while stack and stack[0].expires_at <= now:
            closing.append(self._pop(origin, stack.popleft))
            self._open_count -= 1

    def _pop(self, origin: Origin, pop: Any) -> Connection:
        connection: Connection = pop()
        self._idle_count -= 1
        if not self._idle[origin]:
            del self._idle[origin]
        return connection
