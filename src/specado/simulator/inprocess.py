"""The simulator as a transport: no socket, no thread, no wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specado.simulator.endpoints import handle
from specado.simulator.models import find_rules
from specado.transport import TransportFailure, WireReply

if TYPE_CHECKING:
    from specado.simulator.models import ModelLookup
    from specado.transport import Limits, WireRequest

__all__ = ["AsyncInProcessTransport", "InProcessTransport"]


def _exchange(
    request: WireRequest, timeout_s: float, limits: Limits, models: ModelLookup
) -> WireReply:
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
    if kind == "truncated":
        raise TransportFailure("truncated", "the reply broke off (simulated)", sent=True)
    body = reply.body
    if reply.status >= 400:
        body = body[: limits.max_error_bytes]
    elif len(body) > limits.max_reply_bytes:
        raise TransportFailure(
            "too_large", f"the reply is larger than {limits.max_reply_bytes} bytes", sent=True
        )
    return WireReply(reply.status, dict(reply.headers), body)


class InProcessTransport:
    """A `Transport` that answers by itself.

    A fault costs no time: a timeout is raised at once, a slow reply comes at once. May be shared
    by threads: it has no state.
    """

    def __init__(self, models: ModelLookup = find_rules) -> None:
        self._models = models

    def send(self, request: WireRequest, timeout_s: float, limits: Limits) -> WireReply:
        """Return the simulated reply, or raise the `TransportFailure` that the model stands for."""
        return _exchange(request, timeout_s, limits, self._models)


class AsyncInProcessTransport:
    """The same for an event loop; it never gives up control."""

    def __init__(self, models: ModelLookup = find_rules) -> None:
        self._models = models

    async def send(self, request: WireRequest, timeout_s: float, limits: Limits) -> WireReply:
        """Return the simulated reply, or raise the `TransportFailure` that the model stands for."""
        return _exchange(request, timeout_s, limits, self._models)
