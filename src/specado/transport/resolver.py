"""Name resolution in a bounded pool of threads: the caller leaves at its deadline."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import socket
import threading
import time
from typing import Any, Callable, NamedTuple

from specado.transport.contract import TransportFailure
from specado.transport.network import TimeUp, left_s

__all__ = ["Lookup", "SocketAddress", "look_up", "resolve", "resolve_async"]

# A name whose servers are silent holds one thread until the system gives up on it.
MAX_THREADS = 16


class SocketAddress(NamedTuple):
    """Socket address: family, kind, protocol and address, as `socket.getaddrinfo` returns them."""

    family: int
    kind: int
    protocol: int
    address: Any


class Lookup:
    """The resolution of one name, shared by all that wait for it."""

    def __init__(self, host: str, port: int) -> None:
        self.key = host, port
        self._outcome: list[SocketAddress] | Exception | None = None
        self._wakers: list[Callable[[], object]] = []

    @property
    def is_done(self) -> bool:
        """True once `result` holds the answer."""
        return self._outcome is not None

    def run(self, flags: int = 0) -> None:
        """Ask the system, which may take long."""
        host, port = self.key
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
            self._outcome = [
                SocketAddress(family, kind, protocol, address)
                for family, kind, protocol, _, address in found
            ]
        except UnicodeError as error:
            self._outcome = socket.gaierror(f"{host[:255]!r} is not a host name: {error}")
        except Exception as error:  # noqa: BLE001 - raised where the result is waited for
            self._outcome = error.with_traceback(None)
        for wake in self._wakers:
            with contextlib.suppress(RuntimeError):  # the waiting task's loop is closed
                wake()

    def when_done(self, wake: Callable[[], object]) -> None:
        """Call *wake* at the end, perhaps twice, from any thread."""
        self._wakers.append(wake)
        if self.is_done:
            wake()

    def result(self) -> list[SocketAddress]:
        """Return the addresses, or raise the system's error; `TimeUp` before the end."""
        outcome = self._outcome
        if outcome is None:
            raise TimeUp
        if isinstance(outcome, Exception):
            # A copy: the callers that share it raise it each with a traceback of its own.
            raise type(outcome)(*outcome.args)
        return outcome


class _Resolver:
    """Threads that resolve names. They are daemons: a silent name does not hold the exit.

    `_idle` has an entry for each thread that waits for work. A lookup is in `_running` from when
    a thread is sure to get it, so that an exception out of a signal handler leaves none there
    that nobody works on.
    """

    def __init__(self) -> None:
        self._lookups: queue.SimpleQueue[Lookup] = queue.SimpleQueue()
        self._running: dict[tuple[str, int], Lookup] = {}
        self._idle: list[None] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def look_up(self, host: str, port: int) -> Lookup:
        """Return the running lookup of a name, or begin one."""
        running = self._running.get((host, port))
        if running is not None and not running.is_done:
            return running
        lookup = Lookup(host, port)
        self._require_thread()
        self._lookups.put(lookup)
        self._running[host, port] = lookup
        if lookup.is_done:
            self._running.pop((host, port), None)
        return lookup

    def _require_thread(self) -> None:
        """Start a thread if none is idle and there may be one more."""
        with contextlib.suppress(IndexError):
            return self._idle.pop()
        with self._lock:
            if len(self._threads) < MAX_THREADS:
                thread = threading.Thread(target=self._work, name="specado-resolver", daemon=True)
                try:
                    thread.start()
                    self._threads.append(thread)
                except RuntimeError as error:
                    if not self._threads:
                        message = f"no thread can be started to resolve a name: {error}"
                        raise TransportFailure("resources", message, sent=False) from None
        return None

    def _work(self) -> None:
        lookup = self._lookups.get()  # the one that the thread was started for
        while True:
            lookup.run()
            self._running.pop(lookup.key, None)
            del lookup
            try:
                lookup = self._lookups.get_nowait()
            except queue.Empty:
                self._idle.append(None)
                lookup = self._lookups.get()


_resolver = _Resolver()


def _begin_anew() -> None:
    """Replace the pool in a forked child, which has none of the parent's threads."""
    global _resolver
    _resolver = _Resolver()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def look_up(host: str, port: int) -> Lookup:
    """Return the lookup of a name; an IP address needs no thread, and is done at once."""
    literal = Lookup(host, port)
    literal.run(socket.AI_NUMERICHOST)
    with contextlib.suppress(socket.gaierror):
        literal.result()
        return literal
    return _resolver.look_up(host, port)


def resolve(host: str, port: int, until: float) -> list[SocketAddress]:
    """Return the addresses of *host* in the system's order (RFC 6724).

    Raises:
        TimeUp: there is no answer at *until*, a time of `time.monotonic`.
        socket.gaierror: the name has no address.
        TransportFailure: no thread can be started.
    """
    left_s(until)
    lookup = look_up(host, port)
    if not lookup.is_done:
        done: queue.SimpleQueue[None] = queue.SimpleQueue()
        lookup.when_done(lambda: done.put(None))
        with contextlib.suppress(queue.Empty):
            done.get(timeout=max(0.0, until - time.monotonic()))
    return lookup.result()


async def resolve_async(host: str, port: int, until: float) -> list[SocketAddress]:
    """Do what `resolve` does, for a task of the running loop."""
    left_s(until)
    lookup = look_up(host, port)
    if not lookup.is_done:
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        lookup.when_done(lambda: loop.call_soon_threadsafe(done.set))
        timer = loop.call_later(max(0.0, until - time.monotonic()), done.set)
        try:
            await done.wait()
        finally:
            timer.cancel()
    return lookup.result()
