"""Limits concurrent requests to `max_connections`, for threads and asyncio."""

from __future__ import annotations

import contextlib
import queue
import time
import weakref
from asyncio import get_running_loop

import anyio

from specado.transport.exchange import TransportFailure

__all__ = ["TaskSlots", "ThreadSlots"]

# More than there are ports: a bound for the bookkeeping of a limit that is none.
MAX_SLOTS = 100_000


class _Slots:
    def __init__(self, max_connections: int) -> None:
        self.count = max(1, min(max_connections, MAX_SLOTS))
        self._max_connections = max_connections

    def _none_free(self) -> TransportFailure:
        message = (
            f"the attempt's time was up while all {self._max_connections} connections "
            "were in use (max_connections)"
        )
        return TransportFailure("timeout", message, sent=False)


class ThreadSlots(_Slots):
    """Slots for threads: a `SimpleQueue`, since a finalizer may give one whatever it interrupts."""

    def __init__(self, max_connections: int) -> None:
        super().__init__(max_connections)
        self._free: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(self.count):
            self._free.put(None)

    def take(self, taken: list[None], until: float) -> None:
        """Note a slot in *taken* as soon as one is free, or raise `TransportFailure`."""
        wait_s = until - time.monotonic()
        try:
            # Taken and noted in one step of C: an interrupt between the two would lose it.
            taken.extend(map(self._free.get, (wait_s > 0,), (max(wait_s, 0),)))
        except queue.Empty:
            raise self._none_free() from None

    def give(self) -> None:
        """Give a slot back, from wherever."""
        self._free.put(None)

    give_from_finalizer = give

    @property
    def used(self) -> int:
        """How many are in use."""
        return self.count - self._free.qsize()


class TaskSlots(_Slots):
    """Slots for the tasks of the running loop."""

    def __init__(self, max_connections: int) -> None:
        super().__init__(max_connections)
        self._free = anyio.Semaphore(self.count)
        self._loop = weakref.ref(get_running_loop())

    async def take(self, taken: list[None], until: float) -> None:
        """Note a slot in *taken* as soon as one is free, or raise `TransportFailure`."""
        try:
            self._free.acquire_nowait()
        except anyio.WouldBlock:
            await self._wait(taken, until)
        else:
            taken.append(None)

    async def _wait(self, taken: list[None], until: float) -> None:
        with anyio.move_on_after(max(0.0, until - time.monotonic())) as scope:
            await self._free.acquire()
            taken.append(None)
        if scope.cancelled_caught:
            raise self._none_free()

    def give(self) -> None:
        """Give a slot back, on the loop's thread."""
        self._free.release()

    def give_from_finalizer(self) -> None:
        """Give a slot back in whatever thread."""
        loop = self._loop()
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(self.give)

    @property
    def used(self) -> int:
        """How many are in use."""
        return self.count - self._free.value
