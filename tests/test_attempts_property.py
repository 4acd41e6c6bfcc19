"""What holds for every course of a call, whatever providers, clocks and settings do."""

from __future__ import annotations

import hypothesis
from hypothesis import given
from hypothesis import strategies as st

from routing_course import Clock, candidate, reply
from specado.errors import (
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
)
from specado.routing.attempts import Answer, CallLimits, Send, attempts
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
NEVER_TWICE = (AuthenticationError, InvalidRequestError, QuotaExceededError)

times_s = st.floats(0, 1e4) | st.sampled_from([0.0, 1e-9, 1e6])
asked_waits_s = st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 100)
errors = st.builds(
    lambda kind, wait_s, sent, code, retry: kind(
        f"{kind.__name__}", retry_after_s=wait_s, sent=sent, code=code, should_retry=retry
    ),
    st.sampled_from(KINDS),
    asked_waits_s,
    st.booleans(),
    st.sampled_from([None, "no_choice"]),
    st.sampled_from([None, True, False]),
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

    def carry_out(self, effect):
        if isinstance(effect, Send):
            return self.send(effect)
        assert 0 < effect.delay_s <= 60
        assert effect.delay_s <= 2 or not self.may_go_on()
        assert self.clock.now_s + effect.delay_s < self.deadline
        self.clock.now_s += effect.delay_s + self.oversleeps_s
        return None

    def send(self, effect):
        assert 0 < effect.timeout_s <= self.deadline - self.clock.now_s
        if self.sent:
            self.check_order(*self.sent[-1], effect.candidate)
        outcome, took_s = self.script.pop(0) if self.script else (reply(), 0.0)
        self.clock.now_s += min(took_s, effect.timeout_s)
        self.sent.append((effect.candidate, outcome))
        assert len(self.sent) <= len(self.found) * (self.settings.max_retries + 1)
        return outcome

    def check_order(self, before, failure, after):
        """Assert that *failure* of candidate *before* allows an attempt at *after*."""
        if after is before:
            assert not isinstance(failure, NEVER_TWICE)
            assert failure.should_retry is not False
        else:
            assert after.index > before.index
            assert self.allows(failure, before, after)

    def allows(self, failure, before, after):
        if isinstance(failure, ContentPolicyError):
            return self.settings.fallback_on_content_policy
        if isinstance(failure, ContextLengthError):
            sizes = before.context_window, after.context_window
            return None in sizes or sizes[1] > sizes[0]
        return not isinstance(failure, ENDS_THE_CALL) and type(failure) is not ProviderError

    def may_go_on(self):
        """Whether the last failure leaves another candidate, after all that came before it."""
        last, failure = self.sent[-1]
        return any(
            self.allows(failure, last, other)
            and all(
                self.allows(earlier, before, other)
                for before, earlier in self.sent
                if before is not last and isinstance(earlier, ContextLengthError)
            )
            for other in self.found[last.index + 1 :]
        )

    def failures(self):
        return [outcome for _, outcome in self.sent if isinstance(outcome, ProviderError)]


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
    steps = attempts(Plan(found, [], "p0", None), settings, clock, lambda: randoms.pop())

    try:
        effect = next(steps)
        while True:
            effect = steps.send(watch.carry_out(effect))
    except StopIteration as stop:
        course, ended = stop.value

    assert course.attempts == len(watch.sent)
    assert course.errors == watch.failures()
    if isinstance(ended, Answer):
        assert (ended.candidate, ended.reply) == watch.sent[-1]
    else:
        assert ended.attempts == len(watch.sent)
        assert ended.errors == tuple(watch.failures())
        assert type(ended) in {DeadlineExceededError, *map(type, watch.failures()[-1:])}
        assert str(ended).startswith("Provider error: Routing failed: ")
