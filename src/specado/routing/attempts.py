"""Retry and fallback of one call, as a generator of its steps: send a request, or wait.

Sans-I/O: the generator yields effects and is sent their outcomes; the only clock it reads is the
one that it was given. A driver runs it so, and always closes it:

    effect = next(steps)
    while True:
        outcome = <carry out the effect>
        effect = steps.send(outcome)      # StopIteration carries the `Result`

The rules (`docs/fallback.md` explains them): candidates are asked in order. Each is judged when its
turn comes; until then it counts as eligible. One that the process has reason to avoid (`health`)
comes after the others, and is asked all the same where no other is left. A call may leave a
candidate early, because another one is the better choice at that moment; it asks the first one
again when the others have failed or are not eligible.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Callable, NamedTuple, Optional, Protocol, Union

import msgspec

from specado.dialects.errors import names_expired, refuses_signed
from specado.errors import (
    CONTENT_TIMEOUT,
    ConfigurationError,
    ConnectionFailedError,
    ContentPolicyError,
    DeadlineExceededError,
    ProviderError,
)
from specado.routing.health import Attempt, Health, Hold, Token, announced_wait_s
from specado.routing.plan import Candidate, Plan, Skipped
from specado.routing.retry import (
    ALWAYS,
    IF_ALLOWED,
    LARGER_WINDOW,
    MAX_LONE_WAIT_S,
    MAX_WAIT_BEFORE_NEXT_S,
    Rule,
    jittered_s,
    nominal_wait_s,
    rule_for,
)
from specado.types import ChatCompletionResponse, Extensions

__all__ = [
    "Answer",
    "CallHistory",
    "CallLimits",
    "Effect",
    "Outcome",
    "Result",
    "Send",
    "Success",
    "Wait",
    "attempts",
]

# A time-out says nothing about the provider where the call's deadline was nearer than this when
# the attempt began. (An attempt may have got half of that time only.)
MIN_TELLING_DEADLINE_S = 10.0
# A call that queues for a retry token looks so often whether one has come early.
TOKEN_LOOK_S = 1.0
# Values of `ProviderError.stopped_by`.
MAX_RETRIES = "max_retries"
DEADLINE = "deadline"
RETRY_BUDGET = "retry_budget"
NOT_RETRYABLE = "not_retryable"
NO_CANDIDATE = "no_candidate"


class Send(msgspec.Struct, frozen=True):
    """Ask *candidate*, for at most *timeout_s* seconds; the outcome is a reply or an error.

    With *fresh_connection* no idle connection of the pool is used.
    """

    candidate: Candidate
    timeout_s: float
    fresh_connection: bool = False


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


class CallHistory(msgspec.Struct):
    """History of a call so far: errors, attempts, waits, and the candidates not asked.

    `errors` has every attempt's error in order, `last_errors` each candidate's last one by its
    index. `stopped_by` is the reason why the candidate asked last got no further attempt.
    """

    errors: list[ProviderError] = []
    last_errors: dict[int, ProviderError] = {}
    skipped: list[Skipped] = []
    attempts: int = 0
    waited_s: float = 0.0
    # The candidates to which another one was preferred, with the reason.
    held: dict[int, Hold] = {}
    stopped_by: str = NO_CANDIDATE
    # Whether a request was repeated without the signed content that the provider refused.
    is_unsigned: bool = False

    def failed(self, candidate: Candidate, error: ProviderError) -> None:
        """Note the error of an attempt."""
        error.attempts = self.attempts
        self.errors.append(error)
        self.last_errors[candidate.index] = error

    def not_asked(self, plan: Plan) -> list[Skipped]:
        """Return the candidates of *plan* that were not asked because others were preferred."""
        return [
            Skipped(each.provider, each.model, f"{hold.reason}, for {hold.for_s:.1f} s")
            for each in plan.candidates
            if (hold := self.held.get(each.index)) is not None
        ]


class BegunStream(Protocol):
    """A stream past its commit point, which counts as success just as a whole reply does."""

    @property
    def extensions(self) -> Extensions:
        """Metadata of the call."""


Success = Union[ChatCompletionResponse, BegunStream]


class Answer(msgspec.Struct, frozen=True):
    """Successful result of a call: the reply, its candidate and its attempt."""

    reply: Success
    candidate: Candidate
    attempt: Optional[Attempt] = None


class Result(NamedTuple):
    """Result of a call: its history, and the answer or error that ended it."""

    history: CallHistory
    ended: Union[Answer, ProviderError, ConfigurationError]


Effect = Union[Send, Wait]
Outcome = Union[Success, ProviderError, ConfigurationError, None]
Steps = Generator[Effect, Outcome, Result]


class _Clock(msgspec.Struct, frozen=True):
    """Time, randomness and deadline of a call."""

    now: Callable[[], float]
    random: Callable[[], float]
    deadline: float

    def left_s(self) -> float:
        return self.deadline - self.now()


class _Limit(msgspec.Struct, frozen=True):
    """Time limit of an attempt, and whether a setting or only the deadline sets it.

    A shared limit leaves time for the candidates that have not been asked.
    """

    timeout_s: float
    is_explicit: bool
    is_shared: bool = False


class _Unfinished(msgspec.Struct):
    """State of a candidate that a call has left early for another one: errors, next retry."""

    errors: list[ProviderError] = []
    ready_s: float = 0.0  # when its next retry is due


# Markers of the other ways in which a candidate's turn ends, without an answer or an error.
_LEFT = ProviderError("another candidate is the better choice now")
_PASSED_OVER = ProviderError("its pause grew while the call waited: another is the better choice")
_OUT_OF_TIME = DeadlineExceededError("the call's time was up when it was the candidate's turn")
_Ended = Union[Answer, ProviderError, ConfigurationError]
_NO_ERROR = Rule(0, ALWAYS)  # before the first error


def attempts(
    plan: Plan,
    limits: CallLimits,
    now: Callable[[], float],
    random: Callable[[], float],
    started_s: Optional[float] = None,
    health: Optional[Health] = None,
) -> Steps:
    """Return the generator of one call's effects, which returns its `Result`.

    *now* gives seconds of a clock that never goes back, *random* a number from [0, 1);
    *started_s* is the time by that clock when the call began, by default now. *health* has the
    process-wide health of the candidates; without it no earlier call affects this one.
    """
    deadline = (now() if started_s is None else started_s) + limits.timeout_s
    clock = _Clock(now, random, deadline)
    return _Router(plan, limits, clock, health, CallHistory(), list(plan.candidates)).run()


class _Router(msgspec.Struct, eq=False):
    """State machine of one call: candidates that may still be asked, and the history so far."""

    plan: Plan
    limits: CallLimits
    clock: _Clock
    health: Optional[Health]
    history: CallHistory
    waiting: list[Candidate]
    unfinished: dict[int, _Unfinished] = {}
    # The candidate whose last attempt had less time than the call, for the sake of others.
    cut_off: Optional[tuple[Candidate, list[ProviderError]]] = None
    # Every candidate that is left has a hold: from then on breakers are ignored.
    all_are_held: bool = False
    # What may follow the last error.
    rule: Rule = _NO_ERROR

    def run(self) -> Steps:
        """Ask one candidate after the other."""
        history = self.history
        ended: Optional[_Ended] = None
        while (chosen := self._next()) is not None:
            candidate, attempt = chosen
            ended = yield from self._ask(candidate, attempt)
            if isinstance(ended, Answer):
                return Result(history, ended)
            if ended is _LEFT:
                self.waiting = [*self._allowed(candidate, self.waiting), candidate]
            elif ended is _PASSED_OVER:
                self.waiting.insert(0, candidate)
            elif ended is _OUT_OF_TIME:
                return Result(history, _out_of_time(history, self.limits))
            elif candidate.index in history.last_errors:
                self.waiting = self._allowed(candidate, self.waiting)
        if isinstance(ended, ConfigurationError) and not history.errors:
            return Result(history, ended)
        return Result(history, _failure(history, self.limits))

    def _next(self) -> Optional[tuple[Candidate, Optional[Attempt]]]:
        """Choose the next candidate that is eligible, `None` if there is none; begin its attempt.

        Candidates are judged here. Where no later one is eligible, one that was cut off for their
        sake goes on alone.
        """
        while self.waiting:
            candidate, attempt = self._preferred()
            if self.plan.is_eligible(candidate):
                return candidate, attempt
            self._abandon(attempt)
            self.history.held.pop(candidate.index, None)
            if not self.waiting and self.cut_off is not None:
                cut_off, errors = self.cut_off
                if len(errors) <= self.limits.max_retries:
                    self._leave(cut_off, errors, self.clock.now())
                    self.waiting.append(cut_off)
        return None

    def _preferred(self) -> tuple[Candidate, Optional[Attempt]]:
        """Choose the candidate to ask next, and begin its first attempt.

        No attempt is begun where the call has to wait first, or for a retry.
        """
        health, waiting = self.health, self.waiting
        if health is None:
            return waiting.pop(0), None
        now_s = self.clock.now()
        held: list[tuple[int, float, Candidate]] = []
        for candidate in waiting:
            if not candidate.model:  # of an open route
                self.plan.choose_model(candidate)
            if candidate.index in self.unfinished:
                hold = health.hold(candidate.deployment, now_s)
            else:
                admitted = health.admit(candidate.deployment, now_s)
                if isinstance(admitted, Attempt):
                    waiting.remove(candidate)
                    return candidate, admitted
                hold = self.history.held[candidate.index] = admitted
            if hold is None or (not hold.diverting and hold.pause_s < self.clock.left_s()):
                waiting.remove(candidate)
                return candidate, None
            # A key that is avoided most likely fails again, but at once; a pause takes time.
            rank = 2 if hold.pause_s > 0 else int(hold.is_key)
            held.append((rank, hold.pause_s, candidate))
        self.all_are_held = True
        chosen = _least_held(held)
        waiting.remove(chosen)
        return chosen, None

    def _ask(
        self, candidate: Candidate, attempt: Optional[Attempt]
    ) -> Generator[Effect, Outcome, _Ended]:
        """Ask one candidate, with retries, until it answers, fails or is left; return the end."""
        self.history.held.pop(candidate.index, None)
        self.cut_off = None
        unfinished = self.unfinished.pop(candidate.index, None)
        errors = [] if unfinished is None else unfinished.errors
        may_retry = True
        if unfinished is not None:
            self.rule = rule_for(errors[-1], is_fallback=candidate.index > 0)
            refused = yield from self._wait_to_retry(candidate, errors, unfinished.ready_s, ())
            if refused is not None:
                return refused
        elif attempt is None and self.health is not None:
            pause_s = self._pause_s(candidate)
            # A candidate whose pause does not fit the deadline is asked at once, and only once.
            may_retry = pause_s < self.clock.left_s()
            if may_retry and pause_s > 0:
                yield from self._wait(pause_s, self._longer(pause_s))
                if self._is_avoided(candidate, self.clock.now()) and self._others():
                    return _PASSED_OVER
        while True:
            others = self._others(at_any_time=True)
            left_s = self.clock.left_s()
            if left_s <= 0:
                self._abandon(attempt)
                self.history.stopped_by = DEADLINE
                return _OUT_OF_TIME
            limit = _limit_of(candidate, left_s, self.limits, alone=not others)
            ended = yield from self._attempt(candidate, attempt, limit, is_retry=bool(errors))
            if not isinstance(ended, ProviderError):
                return ended
            errors.append(ended)
            attempt = None
            self.rule = rule_for(ended, is_fallback=candidate.index > 0)
            stopped_by = self._why_no_retry(errors, limit, may_retry=may_retry)
            if stopped_by is not None:
                self.history.stopped_by = stopped_by
                is_cut_off = limit.is_shared and isinstance(ended, DeadlineExceededError)
                if is_cut_off and may_retry and ended.should_retry is not False:
                    self.cut_off = candidate, errors
                return ended
            refused = yield from self._retry(candidate, errors)
            if refused is not None:
                return refused

    # Attempts

    def _attempt(
        self,
        candidate: Candidate,
        attempt: Optional[Attempt],
        limit: _Limit,
        *,
        is_retry: bool,
    ) -> Generator[Effect, Outcome, _Ended]:
        """Send one request, and record its outcome in the shared health.

        A request on an idle connection that the server has just closed is repeated at once, on a
        fresh one: nothing has failed but the connection (RFC 9112, section 9.3.1). One with a
        signature that the provider refuses is repeated once without it, so that a stored
        conversation can go on after a key was rotated; one with temporary credentials that have
        expired, once with those that their source gives then.
        """
        history, health = self.history, self.health
        if health is not None and attempt is None:
            attempt = health.begin(candidate.deployment, self.clock.now(), is_retry=is_retry)
        timeout_s, is_fresh, is_renewed = limit.timeout_s, False, False
        while True:
            outcome: Outcome = None
            try:
                outcome = yield Send(candidate, timeout_s, is_fresh)
            finally:
                if outcome is None:
                    self._abandon(attempt)
            if isinstance(outcome, ProviderError):
                history.attempts += 1
                history.failed(candidate, outcome)
                if (
                    type(outcome) is ConnectionFailedError
                    and outcome.is_stale_connection
                    and not is_fresh
                    and (left_s := self.clock.left_s()) > 0
                ):
                    timeout_s, is_fresh = min(timeout_s, left_s), True
                    continue
                if self.clock.left_s() > 0 and (
                    self._leaves_out_signed(candidate, outcome)
                    or (not is_renewed and names_expired(outcome) and candidate.renew_key())
                ):
                    timeout_s = min(timeout_s, self.clock.left_s())
                    is_renewed = is_renewed or names_expired(outcome)
                    continue
                self._record(attempt, outcome, limit)
                return outcome
            if outcome is None:
                raise TypeError("the outcome of a Send is a reply or an error")
            if isinstance(outcome, ConfigurationError):  # it cannot be asked: nothing was sent
                self._abandon(attempt)
                history.skipped.append(
                    Skipped(candidate.provider, candidate.model, outcome.message)
                )
                return outcome
            history.attempts += 1
            self._record(attempt, outcome, limit)
            return Answer(outcome, candidate, attempt)

    def _leaves_out_signed(self, candidate: Candidate, error: ProviderError) -> bool:
        """Return whether a repeated request has no signature like the one that was refused."""
        if not (refuses_signed(error) and self.plan.leave_out_signed(candidate)):
            return False
        self.history.is_unsigned = True
        return True

    def _record(
        self, attempt: Optional[Attempt], outcome: Union[Success, ProviderError], limit: _Limit
    ) -> None:
        """Record the outcome of an attempt in the shared health; a stream settles at its end."""
        health = self.health
        if health is None or attempt is None:
            return
        now_s = self.clock.now()
        if isinstance(outcome, ProviderError):
            had_s = self.clock.deadline - attempt.began_s
            is_explicit = limit.is_explicit or outcome.code == CONTENT_TIMEOUT
            is_short = had_s < MIN_TELLING_DEADLINE_S and not is_explicit
            health.settle(attempt, outcome, now_s, is_own_deadline=is_short)
        elif isinstance(outcome, ChatCompletionResponse):
            health.settle(attempt, None, now_s)
        else:
            health.commit(attempt, now_s)

    def _abandon(self, attempt: Optional[Attempt]) -> None:
        if self.health is not None and attempt is not None:
            self.health.abandon(attempt)

    # Retries

    def _why_no_retry(
        self, errors: list[ProviderError], limit: _Limit, *, may_retry: bool
    ) -> Optional[str]:
        """Return a value of `stopped_by` if the last of *errors* allows no retry, else `None`."""
        error, rule = errors[-1], self.rule
        same = rule.same
        is_explicit = limit.is_explicit or error.code == CONTENT_TIMEOUT
        if same == 0 and isinstance(error, DeadlineExceededError) and is_explicit:
            same = None if error.should_retry is not False else 0
        if same == 0 or (same and _how_often(error, same, errors) > same):
            if self.clock.left_s() <= 0:
                return DEADLINE
            goes_on = rule.next == ALWAYS or rule.next == LARGER_WINDOW
            return NO_CANDIDATE if goes_on and error.should_retry is not False else NOT_RETRYABLE
        if not may_retry:
            return DEADLINE
        return MAX_RETRIES if len(errors) > self.limits.max_retries else None

    def _retry(
        self, candidate: Candidate, errors: list[ProviderError]
    ) -> Generator[Effect, Outcome, Optional[_Ended]]:
        """Wait for the next retry of a candidate; return `None` then, else how its turn ends.

        Another eligible candidate is the better choice where this one is held, has timed out,
        wants a longer wait, or has used up its retry budget.
        """
        error = errors[-1]
        now_s = self.clock.now()
        wait_s = nominal_wait_s(error, len(errors) - 1)
        others = self._allowed(candidate, self._others())
        if others and (
            wait_s > MAX_WAIT_BEFORE_NEXT_S
            or isinstance(error, DeadlineExceededError)
            or self._is_avoided(candidate, now_s)
        ):
            return self._leave(candidate, errors, now_s + wait_s)
        return (yield from self._wait_to_retry(candidate, errors, now_s + wait_s, others))

    def _wait_to_retry(
        self,
        candidate: Candidate,
        errors: list[ProviderError],
        ready_s: float,
        others: Sequence[Candidate],
    ) -> Generator[Effect, Outcome, Optional[_Ended]]:
        """Wait for a retry due at *ready_s*; return `None` then, else how the turn ends.

        A pause that is known is waited for where it fits the deadline. A retry that no provider
        announced takes a token of the retry budget; where there is none one of *others* is the
        better choice.
        """
        error, clock, health = errors[-1], self.clock, self.health
        now_s = clock.now()
        left_s = clock.deadline - now_s
        nominal_s = max(0.0, ready_s - now_s)
        if nominal_s >= left_s or nominal_s > MAX_LONE_WAIT_S:
            self.history.stopped_by = DEADLINE if nominal_s >= left_s else NO_CANDIDATE
            return error
        wait_s = jittered_s(nominal_s, clock.random(), announced=error.retry_after_s is not None)
        token: Optional[Token] = None
        if health is not None:
            pause_s = self._pause_s(candidate)
            if nominal_s < pause_s < left_s:
                nominal_s, wait_s = pause_s, self._longer(pause_s)
            if announced_wait_s(error) is None:
                token = health.take_token(candidate.deployment, now_s, may_queue=not others)
                if token is None:
                    return self._leave(candidate, errors, ready_s)
        is_due = False
        try:
            yield from self._wait(nominal_s, wait_s)
            if others and self._is_avoided(candidate, clock.now()):
                return self._leave(candidate, errors, clock.now())
            if token is not None and health is not None:
                is_due = yield from self._wait_for_token(token, health)
            else:
                is_due = True
        finally:
            if token is not None and health is not None and not is_due:  # no retry is made
                health.return_token(token)
        if not is_due:
            self.history.stopped_by = RETRY_BUDGET
            return error
        return None

    def _wait_for_token(self, token: Token, health: Health) -> Generator[Effect, Outcome, bool]:
        """Wait until it is the turn of a retry's token; return whether the deadline leaves time.

        First attempts bring tokens too, so the call looks again once a second.
        """
        while (token_s := health.token_wait_s(token, self.clock.now())) > 0:
            wait_s = min(token_s, TOKEN_LOOK_S)
            if wait_s >= self.clock.left_s():
                return False
            yield from self._wait(wait_s, wait_s)
        return True

    def _pause_s(self, candidate: Candidate) -> float:
        """Return the seconds left of a pause that the provider announced; 0 without a pause."""
        health = self.health
        hold = None if health is None else health.hold(candidate.deployment, self.clock.now())
        return 0.0 if hold is None else hold.pause_s

    def _longer(self, wait_s: float) -> float:
        """Return an announced wait with its jitter."""
        return jittered_s(wait_s, self.clock.random(), announced=True)

    def _wait(self, nominal_s: float, wait_s: float) -> Generator[Effect, Outcome, None]:
        """Wait *wait_s* seconds; shorten the jitter beyond *nominal_s* to fit the deadline."""
        wait_s = min(wait_s, (nominal_s + self.clock.left_s()) / 2)
        if wait_s > 0:
            yield Wait(wait_s)
            self.history.waited_s += wait_s

    def _leave(self, candidate: Candidate, errors: list[ProviderError], ready_s: float) -> _Ended:
        """Leave a candidate for another one; its retries go on when the others have failed."""
        self.unfinished[candidate.index] = _Unfinished(errors, ready_s)
        return _LEFT

    def _others(self, *, at_any_time: bool = False) -> list[Candidate]:
        """Return the other candidates that could be asked now.

        With *at_any_time* also those that pause or whose breaker is open, which may be asked
        later; only candidates whose key is avoided are left out.
        """
        health, waiting = self.health, self.waiting
        if not waiting or (health is None and not self.unfinished):
            return waiting
        now_s = self.clock.now()
        found = []
        for each in waiting:
            if at_any_time:
                hold = None if health is None else health.hold(each.deployment, now_s)
                may_ask = hold is None or not hold.is_key
            else:
                unfinished = self.unfinished.get(each.index)
                is_due = unfinished is None or unfinished.ready_s <= now_s
                may_ask = is_due and not self._is_avoided(each, now_s)
            if may_ask:
                found.append(each)
        return found

    def _is_avoided(self, candidate: Candidate, now_s: float) -> bool:
        """Return whether another candidate is preferred now; `all_are_held` ignores breakers."""
        hold = None if self.health is None else self.health.hold(candidate.deployment, now_s)
        if hold is None or not hold.diverting:
            return False
        return not self.all_are_held or hold.is_key or hold.pause_s > MAX_WAIT_BEFORE_NEXT_S

    def _allowed(self, candidate: Candidate, others: list[Candidate]) -> list[Candidate]:
        """Return those of *others* that may be asked after the last error of *candidate*.

        An error that ends the call rules out the candidates after it in order. A candidate before
        it may still be asked: it was skipped or left early for one that then failed.
        """
        following = self.rule.next
        if following == ALWAYS:
            return others
        if following == IF_ALLOWED and self.limits.fallback_on_content_policy:
            return others
        if following == LARGER_WINDOW:
            window = candidate.context_window
            for other in others:
                self.plan.choose_model(other)
            return [
                other
                for other in others
                if window is None or other.context_window is None or other.context_window > window
            ]
        return [other for other in others if other.index < candidate.index]


def _least_held(held: list[tuple[int, float, Candidate]]) -> Candidate:
    """Return the first of the candidates of the lowest rank whose pause is about the shortest.

    Each is a rank, the seconds of a pause and the candidate. The order that the caller gave is
    worth as long a wait as it is where only one candidate pauses.
    """
    lowest = min(rank for rank, _, _ in held)
    equals = [(pause_s, candidate) for rank, pause_s, candidate in held if rank == lowest]
    shortest_s = min(pause_s for pause_s, _ in equals)
    return next(
        candidate for pause_s, candidate in equals if pause_s <= shortest_s + MAX_WAIT_BEFORE_NEXT_S
    )


def _how_often(error: ProviderError, same: int, errors: list[ProviderError]) -> int:
    """Return how many of *errors* are of the class of *error* and have its bound on retries.

    A refused connection is of the class of a reset, and no part of the bound on resets.
    """
    return sum(type(each) is type(error) and rule_for(each).same == same for each in errors)


def _limit_of(candidate: Candidate, left_s: float, limits: CallLimits, *, alone: bool) -> _Limit:
    """Return how long an attempt may take: the settings' limit, else half of what is left.

    Half only while another candidate remains.
    """
    explicit_s = limits.attempt_timeout_s
    for limit_s in (limits.first_token_timeout_s, candidate.endpoint.attempt_timeout_s):
        if limit_s is not None and (explicit_s is None or limit_s < explicit_s):
            explicit_s = limit_s
    if explicit_s is not None and explicit_s < left_s:
        return _Limit(explicit_s, is_explicit=True)
    if alone or explicit_s is not None:
        return _Limit(left_s, is_explicit=False)
    return _Limit(left_s / 2, is_explicit=False, is_shared=True)


def _failure(history: CallHistory, limits: CallLimits) -> ProviderError:
    """Return the call's error: class and facts of the decisive one, every attempt's text in it.

    The last error of the candidate that the caller meant decides. A fallback's error may have
    nothing to do with the request (its key is wrong, for example).
    """
    decisive = history.last_errors[min(history.last_errors)]
    if limits.fallback_on_content_policy and isinstance(decisive, ContentPolicyError):
        decisive = history.errors[-1]
    text = "; ".join(dict.fromkeys(error.message for error in history.errors))
    facts = {name: value for name, value in vars(decisive).items() if name != "message"}
    facts.update(
        attempts=history.attempts,
        errors=tuple(history.errors),
        retryable=any(error.retryable for error in history.errors),
        stopped_by=history.stopped_by,
    )
    return type(decisive)(text, **facts)


def _out_of_time(history: CallHistory, limits: CallLimits) -> DeadlineExceededError:
    causes = "; ".join(dict.fromkeys(error.message for error in history.errors))
    text = f"the call's {limits.timeout_s:g} s (timeout_seconds) are over"
    return DeadlineExceededError(
        f"{text}: {causes}" if causes else text,
        attempts=history.attempts,
        errors=tuple(history.errors),
        stopped_by=DEADLINE,
    )
