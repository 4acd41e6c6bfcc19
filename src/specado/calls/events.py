"""Dispatches call events to the logger, the caller's hooks and tracing."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Callable, Optional, Protocol

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

# What a provider names an error by; anything else that stands there may quote the request.
_CODE = re.compile(r"[A-Za-z0-9_.\-]{1,64}")


class Instrumentation(Protocol):
    """One call as an instrumentation follows it; it stands around the call as a context manager.

    What its methods raise is logged and changes nothing.
    """

    def __enter__(self) -> object: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def attempted(self, event: AttemptEvent) -> None:
        """Take note of a request that was answered, failed or was abandoned."""

    def fell_back(self, event: FallbackEvent) -> None:
        """Take note of a fallback that answered."""

    def ended(
        self, candidate: Candidate, reply: ChatCompletionResponse, error: ProviderError | None
    ) -> None:
        """Take note of the whole reply, or of a stream's end and the error that it broke off by.

        A stream ends long after the call, in whatever thread or task leaves it.
        """


class ObservedCall(Protocol):
    """What an instrumentation sees of a call; `started_s` is a time of `time.monotonic`."""

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
    """Return what kind of error it is, without any text that could quote a request or a reply."""
    parts = [type(error).__name__]
    if isinstance(error, ProviderError):
        if error.status_code is not None:
            parts.append(f"HTTP {error.status_code}")
        if isinstance(error.code, str) and _CODE.fullmatch(error.code):
            parts.append(error.code)
    return ", ".join(parts)


def _is_heard(level: int) -> bool:
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


class Observers:
    """Receivers of one call's events: what they raise is logged and changes nothing."""

    def __init__(self, hooks: dict[str, Any], instrumentation: Instrumentation | None) -> None:
        self._hooks = hooks
        self._instrumentation = instrumentation

    def attempted(
        self, candidate: Candidate, number: int, duration_ms: float, error: ProviderError | None
    ) -> None:
        """Report the end of one attempt."""
        if _is_heard(logging.DEBUG):
            logger.debug(
                "attempt %d, %s/%s, %.1f ms: %s",
                number,
                candidate.provider,
                candidate.model,
                duration_ms,
                "answered" if error is None else outline(error),
            )
        if self._instrumentation is not None or "on_attempt" in self._hooks:
            event = AttemptEvent(candidate.provider, candidate.model, number, duration_ms, error)
            self._tell("on_attempt", event)
            if self._instrumentation is not None:
                self._call("the instrumentation", self._instrumentation.attempted, event)

    def fell_back(self, candidate: Candidate, why: str, last: ProviderError | None) -> None:
        """Report that a fallback has answered; *last* is the error of the attempt before."""
        if _is_heard(logging.WARNING):
            logger.warning(
                "fell back to %s/%s: %s",
                candidate.provider,
                candidate.model,
                "those before it were not asked" if last is None else outline(last),
            )
        event = FallbackEvent(candidate.provider, candidate.model, candidate.index - 1, why)
        self._tell("on_fallback", event)
        if self._instrumentation is not None:
            self._call("the instrumentation", self._instrumentation.fell_back, event)

    def failed(self, error: ProviderError) -> None:
        """Report a call that ends in an error, and why it made no further attempt."""
        if _is_heard(logging.WARNING):
            logger.warning(
                "the call failed (attempts: %d, stopped by: %s): %s",
                error.attempts,
                error.stopped_by,
                outline(error),
            )
        self._tell("on_error", error)

    def replied(self, candidate: Candidate, reply: ChatCompletionResponse) -> None:
        """Report the whole reply."""
        self._tell("on_reply", reply)
        if self._instrumentation is not None:
            self._call("the instrumentation", self._instrumentation.ended, candidate, reply, None)

    def broke_off(
        self, candidate: Candidate, state: StreamState, error: ProviderError, *, is_abandoned: bool
    ) -> None:
        """Report a stream that broke off, or that its reader left."""
        logger.log(
            logging.DEBUG if is_abandoned else logging.WARNING,
            "the stream of %s/%s broke off: %s",
            state.provider,
            state.model,
            outline(error),
        )
        if self._instrumentation is not None:
            partial = state.response()
            self._call(
                "the instrumentation", self._instrumentation.ended, candidate, partial, error
            )

    def _tell(self, name: str, event: Any) -> None:
        hook = self._hooks.get(name)
        if hook is not None:
            self._call(f"the hook {name}", hook, event)

    def _call(self, who: str, told: Callable[..., Any], *what: Any) -> None:
        try:
            told(*what)
        except Exception:
            logger.exception("%s failed", who)
