"""In-process transport of the simulator: no socket, no thread, no delay."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from specado.simulator.endpoints import handle
from specado.simulator.models import find_rules
from specado.simulator.reply import EventStream
from specado.transport import TransportFailure, WireReply

if TYPE_CHECKING:
    from specado.simulator.models import ModelLookup
    from specado.simulator.reply import SimulatedReply
    from specado.transport import Limits, WireRequest

__all__ = ["AsyncInProcessTransport", "InProcessTransport"]


def _answer(request: WireRequest, timeout_s: float, models: ModelLookup) -> SimulatedReply:
    """Return the simulated reply, or raise the simulated `TransportFailure`."""
    reply = handle(
        request.method,
        request.url,
        {name.lower(): value for name, value in request.headers},
        request.body,
        models=models,
        any_prefix=True,
    )
    kind = reply.fault.kind if reply.fault is not None else ""
    if kind == "timeout":
        raise TransportFailure("timeout", f"no reply within {timeout_s:g} s (simulated)", sent=True)
    if kind == "refused":
        raise TransportFailure("connect", "connection refused (simulated)", sent=False)
    if kind == "reset":
        raise TransportFailure("reset", "connection reset before the reply (simulated)", sent=True)
    return reply


def _body_of(reply: SimulatedReply) -> EventStream:
    """Return how the body comes, for one that is not streamed too."""
    if reply.stream is not None:
        return reply.stream
    if reply.fault is not None and reply.fault.kind == "truncated":
        return EventStream((reply.body[: len(reply.body) // 2],), "cut")
    return EventStream((reply.body,) if reply.body else ())


def _ended(ends: str) -> TransportFailure | None:
    if ends == "cut":
        return TransportFailure("truncated", "the reply broke off (simulated)", sent=True)
    if ends == "silent":
        return TransportFailure("timeout", "the reply fell silent (simulated)", sent=True)
    return None


def _exchange(
    request: WireRequest, timeout_s: float, limits: Limits, models: ModelLookup
) -> WireReply:
    reply = _answer(request, timeout_s, models)
    failure = _ended(_body_of(reply).ends)
    if failure is not None:
        raise failure
    body = reply.body
    if reply.status >= 400:
        body = body[: limits.max_error_bytes]
    elif len(body) > limits.max_reply_bytes:
        raise TransportFailure(
            "too_large", f"the reply is larger than {limits.max_reply_bytes} bytes", sent=True
        )
    return WireReply(reply.status, dict(reply.headers), body)


class _Opened:
    """An open simulated reply, whose body is read in pieces."""

    def __init__(self, reply: SimulatedReply) -> None:
        self.status = reply.status
        self.headers = dict(reply.headers)
        self.has_marked_end = True
        body = _body_of(reply)
        self._pieces = iter(body.pieces)
        self._ends = body.ends

    def close(self) -> None:
        """End the reply: nothing more comes."""
        self._pieces = iter(())
        self._ends = "whole"

    def _next(self) -> bytes:
        piece = next(self._pieces, b"")
        if not piece:
            failure = _ended(self._ends)
            self.close()
            if failure is not None:
                raise failure
        return piece


class InProcessReply(_Opened):
    """An open simulated reply, for threads."""

    def read(self, until: float) -> bytes:  # noqa: ARG002
        """Return the next piece of the body, `b""` at its end; raise a simulated failure."""
        return self._next()


class AsyncInProcessReply(_Opened):
    """An open simulated reply, for an event loop."""

    async def read(self, until: float) -> bytes:  # noqa: ARG002
        """Return the next piece of the body, `b""` at its end; raise a simulated failure."""
        return self._next()


class InProcessTransport:
    """A `Transport` that returns simulated replies.

    A fault costs no time: a timeout is raised at once, a slow reply comes at once. May be shared
    by threads: it has no state.
    """

    def __init__(self, models: ModelLookup = find_rules) -> None:
        self._models = models

    def send(
        self,
        request: WireRequest,
        timeout_s: float,
        limits: Limits,
        *,
        is_fresh: bool = False,  # noqa: ARG002
    ) -> WireReply:
        """Return the simulated reply, or raise the `TransportFailure` of a fault model."""
        return _exchange(request, timeout_s, limits, self._models)

    def open(
        self,
        request: WireRequest,
        until: float,
        limits: Limits,  # noqa: ARG002
        *,
        is_fresh: bool = False,  # noqa: ARG002
    ) -> InProcessReply:
        """Return the simulated reply with its body still to be read, or raise as `send` does.

        *until* is a time of `time.monotonic`. The reader of the body keeps to the *limits*.
        """
        return InProcessReply(_answer(request, _seconds_until(until), self._models))


class AsyncInProcessTransport:
    """An `AsyncTransport` that returns simulated replies; it never yields to the event loop."""

    def __init__(self, models: ModelLookup = find_rules) -> None:
        self._models = models

    async def send(
        self,
        request: WireRequest,
        timeout_s: float,
        limits: Limits,
        *,
        is_fresh: bool = False,  # noqa: ARG002
    ) -> WireReply:
        """Return the simulated reply, or raise the `TransportFailure` of a fault model."""
        return _exchange(request, timeout_s, limits, self._models)

    async def open(
        self,
        request: WireRequest,
        until: float,
        limits: Limits,  # noqa: ARG002
        *,
        is_fresh: bool = False,  # noqa: ARG002
    ) -> AsyncInProcessReply:
        """Return the simulated reply with its body still to be read, or raise as `send` does."""
        return AsyncInProcessReply(_answer(request, _seconds_until(until), self._models))


def _seconds_until(until: float) -> float:
    return round(max(until - time.monotonic(), 0.0), 1)
