"""What holds for every course of a call, whatever providers, clocks and settings do."""

from __future__ import annotations

import hypothesis
from hypothesis import given
from hypothesis import strategies as st

from routing_course import Clock, candidate, reply
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
from specado.incoming import Incoming, WholeReply
from specado.routing.attempts import Answer, CallLimits, Send, attempts
from specado.routing.plan import Plan
from specado.routing.state import State

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


# Calls side by side that share what the process remembers


class WatchedState(State):
    """Notes what was known of every candidate when an attempt began."""

    def __init__(self):
        super().__init__()
        self.blocks = {}
        self.known = []

    def look(self, now_s):
        self.blocks = {
            place: self.block(one.account, one.model, now_s) for place, one in self.known
        }

    def admit(self, account, model, now_s):
        self.look(now_s)
        return super().admit(account, model, now_s)

    def begin(self, account, model, now_s):
        self.look(now_s)
        return super().begin(account, model, now_s)


class Shared(Watch):
    """The effects of one of several calls, on a clock that the others move too."""

    def __init__(self, found, settings, script, clock, oversleeps_s, state):
        super().__init__(found, settings, script, clock, oversleeps_s)
        self.state = state
        self.left = list(found)
        self.asked_one_held = False

    def send(self, effect):
        asked = effect.candidate
        assert 0 < effect.timeout_s <= self.deadline - self.clock.now_s
        blocks = self.state.blocks
        block = blocks[asked.index]
        if self.sent and self.sent[-1][0] is asked:
            failure = self.sent[-1][1]
            assert not isinstance(failure, NEVER_TWICE)
            assert failure.should_retry is not False
            assert block is None or block.retries
        else:
            self.leave_last()
            assert asked in self.left
            self.left.remove(asked)
            if block is not None:
                assert not block.final
                assert not self.asked_one_held
                assert all(blocks[other.index] is not None for other in self.left)
                self.asked_one_held = True
        outcome, took_s = self.script.pop(0) if self.script else (reply(), 0.0)
        if isinstance(outcome, ConfigurationError):
            if block is not None:
                self.asked_one_held = False
            self.sent.append((None, None))
            return outcome
        self.clock.now_s += min(took_s, effect.timeout_s)
        self.sent.append((asked, outcome))
        assert len(self.sent) <= len(self.found) * (self.settings.max_retries + 2)
        return outcome

    def leave_last(self):
        if self.sent and self.sent[-1][0] is not None:
            before, failure = self.sent[-1]
            self.left = [other for other in self.left if self.allows(failure, before, other)]

    def carry_out(self, effect):
        if isinstance(effect, Send):
            return self.send(effect)
        assert 0 < effect.delay_s <= 60
        assert self.clock.now_s + effect.delay_s < self.deadline
        self.clock.now_s += effect.delay_s + self.oversleeps_s
        return None

    def failures(self):
        return [outcome for who, outcome in self.sent if isinstance(outcome, ProviderError)]

    def check(self, course, ended):
        """Assert how the call ended."""
        sent = [each for each in self.sent if each[0] is not None]
        assert course.attempts == len(sent)
        assert course.errors == self.failures()
        if isinstance(ended, Answer):
            assert (ended.candidate, ended.reply) == sent[-1]
        elif isinstance(ended, ConfigurationError):
            assert not sent
        else:
            assert ended.attempts == len(sent)
            assert ended.errors == tuple(self.failures())
            nothing_sent = {QuotaExceededError} if not sent else set()
            last = set(map(type, self.failures()[-1:]))
            assert type(ended) in {DeadlineExceededError, *last, *nothing_sent}
            if not sent and isinstance(ended, QuotaExceededError):
                assert ended.retry_after_s >= 0


def account(which):
    return candidate(f"p{which}").account


def stream():
    """A stream that is committed, as a call's outcome."""
    return Incoming(
        WholeReply(reply(), include_usage=False),
        provider="p",
        model="m",
        status=200,
        headers={},
        secrets=(),
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
FIVE_FAILED = [ServerError] * 5
pasts = st.lists(
    st.sampled_from([[], FIVE_FAILED[1:], FIVE_FAILED, [RateLimitError], [QuotaExceededError]]),
    min_size=4,
    max_size=4,
)
LONGER_THAN_ANY_PAUSE_S = 1000.0


@hypothesis.settings(deadline=None)
@given(calls, turns, pasts, st.lists(st.floats(0, 1, exclude_max=True), min_size=1), st.data())
def test_calls_that_share_a_state_keep_their_promises(made, order, past, randoms, data):
    clock, state, number = Clock(), WatchedState(), iter(range(10**9))
    for which, kinds in enumerate(past):
        for kind in kinds:
            failure = kind("earlier", retry_after_s=7.0)
            state.settle(state.begin(account(which), "m", clock.now_s), failure, 60.0, clock.now_s)
    clock.now_s += data.draw(st.sampled_from([0.0, 4.0, 5.0, 8.0, 60.0]))
    running = {}
    for name, (providers, script, settings) in enumerate(made):
        found = [candidate(f"p{which}", place) for place, which in enumerate(providers)]
        oversleeps_s = data.draw(st.sampled_from([0.0, 0.001, 5.0]))
        watch = Shared(found, settings, script, clock, oversleeps_s, state)
        steps = attempts(
            Plan(found, [], "p0", None),
            settings,
            clock,
            lambda: randoms[next(number) % len(randoms)],
            clock.now_s,
            state,
        )
        running[name] = steps, watch, None
    committed = []

    def go_on(name):
        steps, watch, outcome = running.pop(name)
        state.known = [(one.index, one) for one in watch.found]
        try:
            effect = steps.send(outcome)
        except StopIteration as stop:
            course, ended = stop.value
            watch.check(course, ended)
            if isinstance(ended, Answer) and isinstance(ended.reply, Incoming):
                committed.append(ended.ticket)
            return
        running[name] = steps, watch, watch.carry_out(effect)

    for name, is_closed in order:
        if name in running:
            go_on(name)
            if is_closed and name in running:  # cancelled, or left by an exception
                running.pop(name)[0].close()
        if committed and data.draw(st.booleans()):
            failed = data.draw(st.none() | errors)
            state.settle(committed.pop(), failed, 60.0, clock.now_s)
    for name in list(running):
        while name in running:
            go_on(name)

    clock.now_s += LONGER_THAN_ANY_PAUSE_S
    for which in range(4):
        assert state.block(account(which), "m", clock.now_s) is None
