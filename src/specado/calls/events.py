"""Dispatches the events of a call to the logger, the user's hooks and the instrumentation."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Callable, Optional, Protocol

import msgspec

from specado.errors import ProviderError
from specado.types import AttemptEvent, FallbackEvent

if TYPE_CHECKING:
    from types import TracebackType

    from specado.calls.stream_state import StreamState
    from specado.routing.plan import Candidate, Plan, Request
    from specado.types import ChatCompletionResponse

__all__ = [
    "Instrumentation",
    "ObservedCall",
    "Observers",
    "instrumentation_for",
    "logger",
    "outline",
    "set_instrumentation",
]

logger = logging.getLogger("specado")
logger.addHandler(logging.NullHandler())

# The form of a provider's error code; other text in its place may quote the request.
_CODE = re.compile(r"[A-Za-z0-9_.\-]{1,64}")


class Instrumentation(Protocol):
    """Instrumentation (tracing, metrics) of one call, entered around it as a context manager.

    An exception in one of its methods is logged and does not affect the call.
    """

    def __enter__(self) -> object: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def attempted(self, event: AttemptEvent) -> None:
        """Record an attempt that was answered, failed or was abandoned."""

    def fell_back(self, event: FallbackEvent) -> None:
        """Record that a fallback has answered."""

    def ended(
        self, candidate: Candidate, reply: ChatCompletionResponse, error: ProviderError | None
    ) -> None:
        """Record the whole reply, or the end of a stream and the error that interrupted it.

        A stream ends long after the call, in the thread or task that closes it.
        """


class ObservedCall(Protocol):
    """The part of a call that instrumentation may read; `started_s` is `time.monotonic` time."""

    started_s: float
    request: Request
    plan: Plan
    is_stream: bool
    simulated: bool


_instrumentation: Optional[Callable[[ObservedCall], Instrumentation]] = None


def set_instrumentation(factory: Callable[[ObservedCall], Instrumentation] | None) -> None:
    """Use *factory* to make the instrumentation of every later call; `None` switches it off."""
    global _instrumentation
    _instrumentation = factory


def instrumentation_for(call: ObservedCall) -> Instrumentation | None:
    """Return the instrumentation of *call*, `None` where none is set."""
    return None if _instrumentation is None else _instrumentation(call)


def outline(error: BaseException) -> str:
    """Return an error's class, status and code, without text that could quote request or reply."""
    parts = [type(error).__name__]
    if isinstance(error, ProviderError):
        if error.status_code is not None:
            parts.append(f"HTTP {error.status_code}")
        if isinstance(error.code, str) and _CODE.fullmatch(error.code):
            parts.append(error.code)
    return ", ".join(parts)


def _reaches_handler(level: int) -> bool:
    """Return whether a log record of *level* would reach a handler.

    Making a record that only a `NullHandler` gets costs a tenth of a call that falls back.
    """
    if not logger.isEnabledFor(level):
        return False
    if logger.filters:
        return True
    each: Optional[logging.Logger] = logger
    while each is not None:
        for handler in each.handlers:
            if type(handler) is not logging.NullHandler:
                return True
        each = each.parent if each.propagate else None
    return False


class Observers(msgspec.Struct, eq=False):
    """The logger, hooks and instrumentation of one call.

    An exception in a hook or in the instrumentation is logged and does not affect the call.
    """

    hooks: dict[str, Any]
    instrumentation: Optional[Any]  # an Instrumentation

    def attempted(
        self, candidate: Candidate, number: int, duration_ms: float, error: ProviderError | None
    ) -> None:
        """Report an attempt that is over."""
        if _reaches_handler(logging.DEBUG):
            logger.debug(
                "attempt %d, %s/%s, %.1f ms: %s",
                number,
                candidate.provider,
                candidate.model,
                duration_ms,
                "answered" if error is None else outline(error),
            )
        if self.instrumentation is not None or "on_attempt" in self.hooks:
            event = AttemptEvent(candidate.provider, candidate.model, number, duration_ms, error)
            self._call_hook("on_attempt", event)
            if self.instrumentation is not None:
                self._call("the instrumentation", self.instrumentation.attempted, event)

    def fell_back(self, candidate: Candidate, why: str, last: ProviderError | None) -> None:
        """Report that a fallback has answered; *last* is the error of the attempt before."""
        if _reaches_handler(logging.WARNING):
            logger.warning(
                "fell back to %s/%s: %s",
                candidate.provider,
                candidate.model,
                "those before it were not asked" if last is None else outline(last),
            )
        event = FallbackEvent(candidate.provider, candidate.model, candidate.index - 1, why)
        self._call_hook("on_fallback", event)
        if self.instrumentation is not None:
            self._call("the instrumentation", self.instrumentation.fell_back, event)

    def failed(self, error: ProviderError) -> None:
        """Report a call that ends in an error, and why it made no further attempt."""
        if _reaches_handler(logging.WARNING):
            logger.warning(
                "the call failed (attempts: %d, stopped by: %s): %s",
                error.attempts,
                error.stopped_by,
                outline(error),
            )
        self._call_hook("on_error", error)

    def replied(self, candidate: Candidate, reply: ChatCompletionResponse) -> None:
        """Report a complete reply."""
        if self.hooks:
            self._call_hook("on_reply", reply)
        if self.instrumentation is not None:
            self._call("the instrumentation", self.instrumentation.ended, candidate, reply, None)

    def broke_off(
        self, candidate: Candidate, state: StreamState, error: ProviderError, *, is_abandoned: bool
    ) -> None:
        """Report an incomplete stream, whether it failed or the caller abandoned it."""
        logger.log(
            logging.DEBUG if is_abandoned else logging.WARNING,
            "the stream of %s/%s broke off: %s",
            state.source.provider,
            state.source.model,
            outline(error),
        )
        if self.instrumentation is not None:
            partial = state.response()
            self._call("the instrumentation", self.instrumentation.ended, candidate, partial, error)

    def _call_hook(self, name: str, event: Any) -> None:
        hook = self.hooks.get(name)
        if hook is not None:
            self._call(f"the hook {name}", hook, event)

    def _call(self, name: str, function: Callable[..., Any], *arguments: Any) -> None:
        try:
            function(*arguments)
        except Exception:
            logger.exception("%s failed", name)
