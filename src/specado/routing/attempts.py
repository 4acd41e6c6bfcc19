"""The course of one call, as a generator: what to send and when to wait, until it is over.

The generator yields effects and is sent their outcomes; it does no I/O and reads no clock but
the one passed in. A driver runs it so, and always closes it:

    effect = next(steps)
    while True:
        outcome = <carry out the effect>
        effect = steps.send(outcome)      # StopIteration carries the `Result`
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Callable, NamedTuple, Optional, Union

import msgspec

from specado.errors import (
    ConfigurationError,
    DeadlineExceededError,
    ProviderError,
    QuotaExceededError,
)
from specado.incoming import Incoming
from specado.routing.plan import Candidate, Plan, Skipped
from specado.routing.retry import (
    ALWAYS,
    IF_ALLOWED,
    LARGER_WINDOW,
    MAX_LONE_WAIT_S,
    MAX_WAIT_BEFORE_NEXT_S,
    backoff_s,
    rule_for,
)
from specado.routing.state import Block, State, Ticket
from specado.types import ChatCompletionResponse

__all__ = [
    "Answer",
    "CallLimits",
    "Course",
    "Effect",
    "Outcome",
    "Result",
    "Send",
    "Success",
    "Wait",
    "attempts",
]


class Send(msgspec.Struct, frozen=True):
    """Ask *candidate*, for at most *timeout_s* seconds; the outcome is a reply or an error."""

    candidate: Candidate
    timeout_s: float


class Wait(msgspec.Struct, frozen=True):
    """Wait *delay_s* seconds; the outcome is `None`."""

    delay_s: float


class CallLimits(msgspec.Struct, frozen=True):
    """The bounds of one call; the time to the first token is bounded for a stream only."""

    timeout_s: float
    attempt_timeout_s: Optional[float] = None
    first_token_timeout_s: Optional[float] = None
    max_retries: int = 2
    fallback_on_content_policy: bool = False


class Course(msgspec.Struct):
    """What happened in a call so far."""

    errors: list[ProviderError] = []
    skipped: list[Skipped] = []
    attempts: int = 0
    waited_s: float = 0.0
    # Candidates that are not to be asked for now, and why.
    held: dict[int, tuple[Candidate, Block]] = {}
    asked_one_held: bool = False

    def not_asked(self) -> list[Skipped]:
        """Return the candidates that were held back to the end."""
        return [
            Skipped(candidate.provider, candidate.model, f"{block.reason}, for {block.for_s:.1f} s")
            for candidate, block in self.held.values()
        ]


# A stream ends a call well when its first content has come.
Success = Union[ChatCompletionResponse, Incoming]


class Answer(msgspec.Struct, frozen=True):
    """What ended a call well, and who gave it."""

    reply: Success
    candidate: Candidate
    ticket: Optional[Ticket] = None


class Result(NamedTuple):
    """How a call ended: with an answer or an error."""

    course: Course
    ended: Union[Answer, ProviderError, ConfigurationError]


Effect = Union[Send, Wait]
Outcome = Union[Success, ProviderError, ConfigurationError, None]
Steps = Generator[Effect, Outcome, Result]


def attempts(
    plan: Plan,
    limits: CallLimits,
    now: Callable[[], float],
    random: Callable[[], float],
    started_s: Optional[float] = None,
    state: Optional[State] = None,
) -> Steps:
    """Yield the effects of one call; return its `Result`.

    *now* gives seconds of a clock that never goes back, *random* a number from [0, 1);
    *started_s* is when the call began by that clock, by default now. *state* is what the
    process remembers of the candidates; without it every call is the first.
    """
    course = Course()
    deadline = (now() if started_s is None else started_s) + limits.timeout_s
    clock = _Clock(now, random, deadline)
    waiting = list(plan.candidates)
    while waiting:
        candidate, ticket = _next(waiting, course, state, now)
        if candidate is None:
            break
        ended = yield from _ask(candidate, ticket, waiting, course, limits, clock, state)
        if ended is None:
            return Result(course, _out_of_time(course, limits))
        if isinstance(ended, Answer):
            return Result(course, ended)
        if isinstance(ended, ConfigurationError):
            if not waiting and not course.errors:
                return Result(course, ended)
            continue
        waiting = _after(ended, candidate, waiting, limits)
    return Result(course, _failure(course))


class _Clock(msgspec.Struct, frozen=True):
    """What a call's course takes from outside: the time, chance, and when it must be over."""

    now: Callable[[], float]
    random: Callable[[], float]
    deadline: float

    def left_s(self) -> float:
        return self.deadline - self.now()


def _next(
    waiting: list[Candidate],
    course: Course,
    state: Optional[State],
    now: Callable[[], float],
) -> tuple[Candidate | None, Ticket | None]:
    """Take the candidate to ask next out of *waiting*, with the ticket of its first attempt.

    `None` if none may be asked. One that is held back is asked only where no other is left, and
    then only the first.
    """
    if state is None:
        return waiting.pop(0), None
    now_s = now()
    held: list[Candidate] = []
    for candidate in waiting:
        admitted = state.admit(candidate.account, candidate.model, now_s)
        if isinstance(admitted, Ticket):
            waiting.remove(candidate)
            return candidate, admitted
        course.held[candidate.index] = candidate, admitted
        if not admitted.final:
            held.append(candidate)
    if not held or course.asked_one_held:
        return None, None
    course.asked_one_held = True
    chosen = held[0]
    waiting.remove(chosen)
    return chosen, state.begin(chosen.account, chosen.model, now_s)


def _ask(
    candidate: Candidate,
    ticket: Optional[Ticket],
    others: list[Candidate],
    course: Course,
    limits: CallLimits,
    clock: _Clock,
    state: Optional[State],
) -> Generator[Effect, Outcome, Union[Answer, ProviderError, ConfigurationError, None]]:
    """Ask one candidate until there is no more to do; return how it ended.

    `None` means that the call's time was up when it was the candidate's turn (again).
    """
    held = course.held.pop(candidate.index, None)
    retries = 0
    while True:
        left_s = clock.left_s()
        if left_s <= 0:
            if state is not None and ticket is not None:
                state.abandon(ticket)
            return None
        eligible = _eligible(others, state, clock)
        timeout_s = _attempt_timeout_s(candidate, left_s, limits, alone=not eligible)
        outcome, ticket = yield from _attempt(candidate, ticket, timeout_s, clock, state)
        if isinstance(outcome, ConfigurationError):  # it cannot be asked: nothing was sent
            if held is not None:
                course.asked_one_held = False
            course.skipped.append(Skipped(candidate.provider, candidate.model, outcome.message))
            return outcome
        course.attempts += 1
        if not isinstance(outcome, ProviderError):
            return Answer(outcome, candidate, ticket)
        outcome.attempts = course.attempts
        course.errors.append(outcome)
        same = rule_for(outcome).same
        if held is not None and not held[1].retries:
            same = 0
        if retries >= limits.max_retries or (same is not None and retries >= same):
            return outcome
        if not _may_be_asked_again(candidate, state, clock):
            return outcome
        delay_s = backoff_s(outcome, retries, clock.random())
        following = _after(outcome, candidate, _eligible(others, state, clock), limits)
        longest_s = MAX_WAIT_BEFORE_NEXT_S if following else MAX_LONE_WAIT_S
        if delay_s > longest_s or delay_s >= clock.left_s():
            return outcome
        if state is not None and not state.may_retry(candidate.account, outcome):
            return outcome
        if delay_s > 0:
            yield Wait(delay_s)
            course.waited_s += delay_s
            if not _may_be_asked_again(candidate, state, clock):
                return outcome
        retries += 1
        ticket = None


def _attempt(
    candidate: Candidate,
    ticket: Optional[Ticket],
    timeout_s: float,
    clock: _Clock,
    state: Optional[State],
) -> Generator[
    Effect, Outcome, tuple[Union[Success, ProviderError, ConfigurationError], Optional[Ticket]]
]:
    """Ask once; return the outcome, of which the state is told, and the attempt's ticket."""
    if state is not None and ticket is None:
        ticket = state.begin(candidate.account, candidate.model, clock.now())
    outcome: Outcome = None
    try:
        outcome = yield Send(candidate, timeout_s)
    finally:
        nothing_was_sent = outcome is None or isinstance(outcome, ConfigurationError)
        if state is not None and ticket is not None and nothing_was_sent:
            state.abandon(ticket)
    if outcome is None:
        raise TypeError("the outcome of a Send is a reply or an error")
    if state is not None and ticket is not None and not isinstance(outcome, ConfigurationError):
        _note(state, ticket, outcome, timeout_s, clock.now())
    return outcome, ticket


def _eligible(others: list[Candidate], state: Optional[State], clock: _Clock) -> list[Candidate]:
    """Return those of *others* that nothing holds back now."""
    if state is None or not others:
        return others
    now_s = clock.now()
    return [one for one in others if state.block(one.account, one.model, now_s) is None]


def _may_be_asked_again(candidate: Candidate, state: Optional[State], clock: _Clock) -> bool:
    """Return whether a retry may go there: this call or another may have learned more since."""
    if state is None:
        return True
    block = state.block(candidate.account, candidate.model, clock.now())
    return block is None or block.retries


def _note(
    state: State, ticket: Ticket, outcome: Success | ProviderError, timeout_s: float, now_s: float
) -> None:
    """Tell the state of an outcome; a stream is settled at its end, by whoever reads it."""
    if isinstance(outcome, Incoming):
        state.commit(ticket)
    else:
        error = outcome if isinstance(outcome, ProviderError) else None
        state.settle(ticket, error, timeout_s, now_s)


def _attempt_timeout_s(
    candidate: Candidate, left_s: float, limits: CallLimits, *, alone: bool
) -> float:
    timeout_s = left_s
    if not alone:
        timeout_s = min(left_s, limits.attempt_timeout_s or left_s / 2)
    if limits.first_token_timeout_s is not None:
        timeout_s = min(timeout_s, limits.first_token_timeout_s)
    if candidate.endpoint.timeout_s is not None:
        timeout_s = min(timeout_s, candidate.endpoint.timeout_s)
    return timeout_s


def _after(
    error: ProviderError, candidate: Candidate, others: list[Candidate], limits: CallLimits
) -> list[Candidate]:
    """Return those of *others* that may be tried after *candidate* ended in *error*."""
    following = rule_for(error).next
    if following == ALWAYS or (following == IF_ALLOWED and limits.fallback_on_content_policy):
        return others
    if following == LARGER_WINDOW:
        window = candidate.context_window
        return [
            other
            for other in others
            if window is None or other.context_window is None or other.context_window > window
        ]
    return []


def _facts(course: Course, error: ProviderError) -> dict[str, object]:
    facts = {name: value for name, value in vars(error).items() if name != "message"}
    return {**facts, "attempts": course.attempts, "errors": tuple(course.errors)}


def _failure(course: Course) -> ProviderError:
    """Return the call's error: the class and the facts of the last one, every attempt in it."""
    held = [
        f"{candidate.provider}/{candidate.model}: {block.reason}, for {block.for_s:.1f} s yet"
        for candidate, block in course.held.values()
    ]
    if not course.errors:
        return QuotaExceededError(
            "; ".join(held),
            code="not_asked",
            retry_after_s=min(block.for_s for _, block in course.held.values()),
            sent=False,
        )
    decisive = course.errors[-1]
    text = "; ".join(dict.fromkeys([*(error.message for error in course.errors), *held]))
    return type(decisive)(text, **_facts(course, decisive))


def _out_of_time(course: Course, limits: CallLimits) -> DeadlineExceededError:
    told = "; ".join(dict.fromkeys(error.message for error in course.errors))
    text = f"the call's {limits.timeout_s:g} s (timeout_seconds) are over"
    return DeadlineExceededError(
        f"{text}: {told}" if told else text,
        attempts=course.attempts,
        errors=tuple(course.errors),
    )
