"""Properties of every call, for any providers, clocks and settings."""

from __future__ import annotations

import math

import hypothesis
from hypothesis import given
from hypothesis import strategies as st

from scripted_attempts import Clock, candidate, reply
from specado.calls.stream_state import StreamState, WholeReply
from specado.dialects.errors import ReplySource
from specado.dialects.registry import DIALECTS
from specado.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    ContentPolicyError,
    ContextLengthError,
    DeadlineExceededError,
    InvalidRequestError,
    MalformedResponseError,
    ModelNotFoundError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from specado.routing.attempts import Answer, CallLimits, Send, attempts
from specado.routing.health import Health
from specado.routing.plan import Plan

KINDS = [
    AuthenticationError,
    ConnectionFailedError,
    ContentPolicyError,
    ContextLengthError,
    DeadlineExceededError,
    InvalidRequestError,
    MalformedResponseError,
    ModelNotFoundError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
]
ENDS_THE_CALL = (AuthenticationError, InvalidRequestError, ModelNotFoundError)
PASSED_OVER_AT_A_FALLBACK = (AuthenticationError, ModelNotFoundError)
NEVER_TWICE = (AuthenticationError, InvalidRequestError, QuotaExceededError)
# A minute, and the jitter of an announced wait.
LONGEST_WAIT_S = 66.0
STOPS = {"max_retries", "deadline", "retry_budget", "not_retryable", "no_candidate"}

times_s = st.floats(0, 1e4) | st.sampled_from([0.0, 1e-9, 1e6])
asked_waits_s = st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 100)
errors = st.builds(
    lambda kind, wait_s, sent, code, retry, local, stale: kind(
        f"{kind.__name__}",
        retry_after_s=wait_s,
        sent=sent,
        code=code,
        should_retry=retry,
        is_stale_connection=stale,
        **({"retryable": False} if local and kind is ConnectionFailedError else {}),
    ),
    st.sampled_from(KINDS),
    asked_waits_s,
    st.booleans(),
    st.sampled_from([None, "no_choice"]),
    st.sampled_from([None, True, False]),
    st.booleans(),
    st.booleans(),
)
outcomes = st.tuples(errors | st.builds(reply), times_s)
limits = st.builds(
    CallLimits,
    timeout_s=st.floats(1e-6, 1e6),
    attempt_timeout_s=st.none() | st.floats(1e-6, 1e6),
    max_retries=st.integers(0, 4),
    fallback_on_content_policy=st.booleans(),
)
candidates = st.lists(
    st.tuples(st.none() | st.integers(1, 5), st.none() | st.floats(1e-6, 1e6)),
    min_size=1,
    max_size=4,
)


class Watch:
    """Carries out a call's effects, and asserts of each that it may happen."""

    def __init__(self, found, settings, script, clock, oversleeps_s):
        self.found = found
        self.settings = settings
        self.script = list(script)
        self.clock = clock
        self.oversleeps_s = oversleeps_s
        self.deadline = clock.now_s + clock.tick_s + settings.timeout_s
        self.sent = []
        self.left = {one.index for one in found}
        self.last = None  # the candidate that failed last, its error, and whether it may go on

    def carry_out(self, effect):
        if isinstance(effect, Send):
            return self.send(effect)
        assert 0 < effect.delay_s <= LONGEST_WAIT_S
        # The wait was found to fit at a look at the clock that may be one tick ago.
        assert self.clock.now_s + effect.delay_s < self.deadline + self.clock.tick_s
        self.clock.now_s += effect.delay_s + self.oversleeps_s
        return None

    def send(self, effect):
        asked = effect.candidate
        left_s = self.deadline - self.clock.now_s
        rounding_s = 2 * math.ulp(self.deadline)
        assert 0 < effect.timeout_s <= left_s + self.clock.tick_s + rounding_s
        self.check_turn(asked)
        assert effect.fresh_connection == self.is_repeat(asked)
        outcome, took_s = self.script.pop(0) if self.script else (reply(), 0.0)
        self.clock.now_s += min(took_s, effect.timeout_s)
        self.sent.append((asked, outcome, effect.fresh_connection))
        if isinstance(outcome, ConfigurationError):
            self.left.discard(asked.index)
        elif isinstance(outcome, ProviderError) and not self.is_repeat(asked):
            self.last = asked, outcome, self.may_go_on(asked, outcome, effect)
        return outcome

    def check_turn(self, asked):
        """Assert that the last failure allows a request to *asked*, and note whom it rules out."""
        if self.last is not None and not self.is_repeat(asked):
            before, failure, may_go_on = self.last
            if asked is before:
                assert may_go_on
            else:
                self.left = {
                    other.index
                    for other in self.found
                    if other.index in self.left
                    and (may_go_on if other is before else self.allows(failure, before, other))
                }
        assert asked.index in self.left

    def is_repeat(self, asked):
        """Whether the next request is the repeat of one on a stale connection."""
        if not self.sent or self.clock.now_s >= self.deadline:
            return False
        before, failure, was_fresh = self.sent[-1]
        return (
            before is asked
            and isinstance(failure, ConnectionFailedError)
            and failure.is_stale_connection
            and not was_fresh
        )

    def may_go_on(self, asked, failure, effect):
        """Return whether *asked* may be asked again after *failure*."""
        times = sum(one is asked and not fresh for one, _, fresh in self.sent)
        is_cut = isinstance(failure, DeadlineExceededError) and failure.should_retry is not True
        explicit = [self.settings.attempt_timeout_s, asked.endpoint.attempt_timeout_s]
        return (
            not isinstance(failure, NEVER_TWICE)
            and failure.should_retry is not False
            and times <= self.settings.max_retries
            and (not is_cut or effect.timeout_s in explicit)
        )

    def allows(self, failure, before, after):
        if isinstance(failure, ContextLengthError):
            sizes = before.context_window, after.context_window
            return None in sizes or sizes[1] > sizes[0]
        if after.index < before.index:
            return True
        if isinstance(failure, ConnectionFailedError) and not failure.retryable:
            return False
        if isinstance(failure, ContentPolicyError):
            return self.settings.fallback_on_content_policy
        if before.index and isinstance(failure, PASSED_OVER_AT_A_FALLBACK):
            return True
        return not isinstance(failure, ENDS_THE_CALL) and type(failure) is not ProviderError

    def failures(self):
        return [outcome for _, outcome, _ in self.sent if isinstance(outcome, ProviderError)]

    def check(self, history, ended):
        """Assert how the call ended."""
        sent = [each for each in self.sent if not isinstance(each[1], ConfigurationError)]
        assert history.attempts == len(sent)
        assert history.errors == self.failures()
        if isinstance(ended, Answer):
            assert (ended.candidate, ended.reply) == sent[-1][:2]
        elif isinstance(ended, ConfigurationError):
            assert not sent
        else:
            assert ended.attempts == len(sent)
            assert ended.errors == tuple(self.failures())
            assert ended.stopped_by in STOPS
            assert type(ended) in {DeadlineExceededError, self.decisive()}
            assert ended.retryable == (
                type(ended) is DeadlineExceededError
                or any(each.retryable for each in self.failures())
            )
            assert str(ended).startswith("Provider error: ")

    def decisive(self):
        """The class of the last error of the first candidate that was asked, by its place."""
        failed = [(one.index, failure) for one, failure, _ in self.sent if self.is_failure(failure)]
        if not failed:
            return None
        meant = min(index for index, _ in failed)
        last = [failure for index, failure in failed if index == meant][-1]
        if self.settings.fallback_on_content_policy and isinstance(last, ContentPolicyError):
            last = failed[-1][1]
        return type(last)

    def is_failure(self, outcome):
        return isinstance(outcome, ProviderError)


@hypothesis.settings(deadline=None)
@given(candidates, st.lists(outcomes, max_size=30), limits, st.data())
def test_every_call_keeps_its_promises(shapes, script, settings, data):
    found = [
        candidate(f"p{place}", place, window, timeout_s)
        for place, (window, timeout_s) in enumerate(shapes)
    ]
    clock = Clock(data.draw(st.floats(0, 1e6)), data.draw(st.sampled_from([0.0, 1e-6, 0.5])))
    watch = Watch(found, settings, script, clock, data.draw(st.sampled_from([0.0, 0.001, 5.0])))
    randoms = data.draw(st.lists(st.floats(0, 1, exclude_max=True), min_size=20, max_size=20))
    steps = attempts(Plan(found, {}, "p0", None), settings, clock, lambda: randoms.pop())

    try:
        effect = next(steps)
        while True:
            effect = steps.send(watch.carry_out(effect))
    except StopIteration as stop:
        history, ended = stop.value

    watch.check(history, ended)


# Calls side by side that share what the process remembers


def deployment(which):
    return candidate(f"p{which}").deployment


def stream():
    """A stream that is committed, as a call's outcome."""
    return StreamState(
        WholeReply(reply(), include_usage=False),
        ReplySource("p", "m", DIALECTS["openai_chat"]),
        status=200,
        headers={},
        idle_timeout_s=60.0,
        max_frame_bytes=1,
        opened=None,
    )


unsent = st.builds(ConfigurationError, st.just("no key"))
quick = st.floats(0, 20) | st.just(0.0)
shared_outcomes = st.tuples(errors | st.builds(reply) | st.builds(stream) | unsent, quick)
calls = st.lists(
    st.tuples(
        st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True),
        st.lists(shared_outcomes, max_size=12),
        limits,
    ),
    min_size=1,
    max_size=6,
)
# Which call goes on, and whether it is closed there.
turns = st.lists(st.tuples(st.integers(0, 5), st.sampled_from([False] * 9 + [True])), max_size=80)
# What the process knew of a provider before: failures in the last seconds, or an error.
FAILED = [ServerError] * 20
pasts = st.lists(
    st.sampled_from(
        [[], FAILED[1:], FAILED, [RateLimitError], [QuotaExceededError], [AuthenticationError]]
    ),
    min_size=4,
    max_size=4,
)
LONGER_THAN_ANY_PAUSE_S = 1000.0


@hypothesis.settings(deadline=None)
@given(calls, turns, pasts, st.lists(st.floats(0, 1, exclude_max=True), min_size=1), st.data())
def test_calls_that_share_a_state_keep_their_promises(made, order, past, randoms, data):
    clock, health, number = Clock(), Health(), iter(range(10**9))
    for which, kinds in enumerate(past):
        for kind in kinds:
            failure = kind("earlier", retry_after_s=7.0 if kind is RateLimitError else None)
            health.settle(health.begin(deployment(which), clock.now_s), failure, clock.now_s)
    clock.now_s += data.draw(st.sampled_from([0.0, 4.0, 5.0, 8.0, 60.0]))
    running = {}
    for name, (providers, script, settings) in enumerate(made):
        found = [candidate(f"p{which}", place) for place, which in enumerate(providers)]
        oversleeps_s = data.draw(st.sampled_from([0.0, 0.001, 5.0]))
        watch = Watch(found, settings, script, clock, oversleeps_s)
        steps = attempts(
            Plan(found, {}, "p0", None),
            settings,
            clock,
            lambda: randoms[next(number) % len(randoms)],
            clock.now_s,
            health,
        )
        running[name] = steps, watch, None
    committed = []

    def go_on(name):
        steps, watch, outcome = running.pop(name)
        try:
            effect = steps.send(outcome)
        except StopIteration as stop:
            history, ended = stop.value
            watch.check(history, ended)
            # Nothing that calls share refuses a call unasked: only its own time does.
            is_late = clock.now_s >= watch.deadline
            assert watch.sent or is_late
            if isinstance(ended, Answer) and isinstance(ended.reply, StreamState):
                committed.append(ended.attempt)
            return
        running[name] = steps, watch, watch.carry_out(effect)

    for name, is_closed in order:
        if name in running:
            go_on(name)
            if is_closed and name in running:  # cancelled, or left by an exception
                running.pop(name)[0].close()
        if committed and data.draw(st.booleans()):
            failed = data.draw(st.none() | errors)
            health.settle(committed.pop(), failed, clock.now_s)
    for name in list(running):
        while name in running:
            go_on(name)

    clock.now_s += LONGER_THAN_ANY_PAUSE_S
    for which in range(4):
        assert health.hold(deployment(which), clock.now_s) is None
