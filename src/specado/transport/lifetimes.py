"""Lifetimes of connection pools: for the process or for an event loop; reset after a fork.

Base classes of the transports, which differ in their pools and in how they open a reply.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from specado.transport.exchange import read_whole, read_whole_async, until_after

if TYPE_CHECKING:
    from specado.transport.exchange import (
        AsyncOpenReply,
        Limits,
        OpenReply,
        TransportSettings,
        WireReply,
        WireRequest,
    )

__all__ = ["KeptForLoops", "KeptForProcess"]

# A forked child's copies of its parent's connections: a finalizer in them could wait for a lock
# whose holder was not forked.
_left_behind: list[Any] = []


class _Closable(Protocol):
    def close(self) -> None: ...


Kept = TypeVar("Kept", bound=_Closable)


class KeptForProcess(Generic[Kept]):
    """A transport for threads, whose connections are the process's."""

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        self._kept: Kept | None = None
        self._lock = threading.Lock()

    def _make(self) -> Kept:
        """Return new connections, none of them made yet."""
        raise NotImplementedError

    def open(
        self, request: WireRequest, until: float, limits: Limits, *, is_fresh: bool = False
    ) -> OpenReply:
        """Send *request* and return its reply as soon as status and headers are there."""
        raise NotImplementedError

    def send(
        self, request: WireRequest, timeout_s: float, limits: Limits, *, is_fresh: bool = False
    ) -> WireReply:
        """Return the whole reply; all of it has to happen within *timeout_s*.

        Only a host name that resolves slowly can take longer.
        """
        until = until_after(timeout_s)
        return read_whole(self.open(request, until, limits, is_fresh=is_fresh), until, limits)

    def close(self) -> None:
        """Close the connections; the next use makes new ones."""
        with self._lock:
            kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

    def forget(self) -> None:
        """Leave connections and lock behind, in a forked child: they are the parent's."""
        _left_behind.append(self._kept)
        self._kept = None
        self._lock = threading.Lock()

    def _connections(self) -> Kept:
        kept = self._kept
        if kept is not None:
            return kept
        with self._lock:
            if self._kept is None:
                self._kept = self._make()
            return self._kept


class KeptForLoops(Generic[Kept]):
    """A transport for asyncio, for any number of loops in any threads.

    Connections live as long as their loop: when a loop is gone, its sockets are closed, and
    those of closed loops that are still referred to when the next loop makes some.
    """

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        self._new_books()

    def _make(self) -> Kept:
        """Return new connections for the running loop, none of them made yet."""
        raise NotImplementedError

    async def open(
        self, request: WireRequest, until: float, limits: Limits, *, is_fresh: bool = False
    ) -> AsyncOpenReply:
        """Send *request* and return its reply as soon as status and headers are there."""
        raise NotImplementedError

    async def send(
        self, request: WireRequest, timeout_s: float, limits: Limits, *, is_fresh: bool = False
    ) -> WireReply:
        """Return the whole reply; all of it has to happen within *timeout_s*."""
        until = until_after(timeout_s)
        opened = await self.open(request, until, limits, is_fresh=is_fresh)
        return await read_whole_async(opened, until, limits)

    def close(self) -> None:
        """Close the connections, from any thread; the next use makes new ones."""
        with self._lock:
            all_kept = list(self._kept.values())
            self._kept.clear()
        for kept in all_kept:
            kept.close()

    def forget(self) -> None:
        """Leave connections and lock behind, in a forked child: they are the parent's."""
        _left_behind.append(self._kept)
        self._new_books()

    def _connections(self) -> Kept:
        loop = asyncio.get_running_loop()
        found = self._kept.get(loop)
        if found is not None:
            return found
        with self._lock:
            for closed in [each for each in self._kept if each.is_closed()]:
                self._kept.pop(closed).close()
            kept = self._kept[loop] = self._make()
            return kept

    def _new_books(self) -> None:
        self._kept: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Kept] = (
            weakref.WeakKeyDictionary()
        )
        self._lock = threading.Lock()
