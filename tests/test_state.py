"""What the process remembers of its providers: the numbers of budgets, breakers and cool-downs."""

from __future__ import annotations

import threading

import pytest

from routing_course import Clock, answered_by, asked, error, plan_of, play, reply
from specado.endpoints import Account
from specado.errors import (
    ConfigurationError,
    ConnectionFailedError,
    DeadlineExceededError,
    InvalidRequestError,
    OverloadedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from specado.routing import state as states
from specado.routing.attempts import CallLimits, attempts
from specado.routing.state import State

ONE = Account("https://one.invalid", "digest")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def state():
    return State()


def attempt(state, outcome, clock, account=ONE, model="m", timeout_s=600.0):
    ticket = state.begin(account, model, clock())
    state.settle(ticket, outcome, timeout_s, clock())


def fail(state, clock, times=5, kind=ServerError):
    for _ in range(times):
        attempt(state, error(kind), clock)


def is_open(state, clock, model="m"):
    return state.block(ONE, model, clock()) is not None


# The breaker


def test_five_failures_in_ten_seconds_open_the_breaker_for_five(state, clock):
    fail(state, clock, 4)
    assert not is_open(state, clock)

    fail(state, clock, 1)

    block = state.block(ONE, "m", clock())
    assert (block.for_s, block.final, block.retries) == (5.0, False, False)
    clock.now_s += 4.999
    assert is_open(state, clock)
    clock.now_s += 0.002
    assert not is_open(state, clock)


def test_half_of_the_attempts_failing_does_not_open_it(state, clock):
    for _ in range(10):
        attempt(state, None, clock)
        attempt(state, error(ServerError), clock)

    assert not is_open(state, clock)


def test_failures_older_than_ten_seconds_do_not_count(state, clock):
    fail(state, clock, 4)
    clock.now_s += 10.0
    fail(state, clock, 4)

    assert not is_open(state, clock)


def test_only_one_probe_at_a_time_after_the_pause(state, clock):
    fail(state, clock)
    clock.now_s += 5.0

    probe = state.begin(ONE, "m", clock())

    assert probe.is_probe
    assert is_open(state, clock)
    state.settle(probe, None, 600.0, clock())
    assert not is_open(state, clock)
    fail(state, clock, 4)
    assert not is_open(state, clock)


@pytest.mark.parametrize(("probes", "pause_s"), [(1, 10), (2, 20), (3, 40), (4, 60), (9, 60)])
def test_a_probe_that_fails_doubles_the_pause_up_to_a_minute(state, clock, probes, pause_s):
    fail(state, clock)
    for _ in range(probes):
        clock.now_s += 60.0
        fail(state, clock, 1)

    assert state.block(ONE, "m", clock()).for_s == pause_s


def test_an_abandoned_probe_lets_the_next_one_try(state, clock):
    fail(state, clock)
    clock.now_s += 5.0

    state.abandon(state.begin(ONE, "m", clock()))

    assert not is_open(state, clock)
    assert state.begin(ONE, "m", clock()).is_probe


def test_a_streams_first_content_ends_the_probe(state, clock):
    fail(state, clock)
    clock.now_s += 5.0
    probe = state.begin(ONE, "m", clock())

    state.commit(probe)

    assert not is_open(state, clock)


@pytest.mark.parametrize("broken", [False, True])
def test_the_end_of_a_stream_that_was_a_probe_is_one_outcome_of_many(state, clock, broken):
    fail(state, clock)
    clock.now_s += 5.0
    probe = state.begin(ONE, "m", clock())
    state.commit(probe)
    if not broken:
        fail(state, clock)

    state.settle(probe, error(ServerError) if broken else None, 600.0, clock())

    assert is_open(state, clock) is not broken


def test_an_attempt_counts_once(state, clock):
    ticket = state.begin(ONE, "m", clock())
    for _ in range(5):
        state.settle(ticket, error(ServerError), 600.0, clock())

    assert not is_open(state, clock)


@pytest.mark.parametrize("kind", [InvalidRequestError, QuotaExceededError])
def test_what_is_the_callers_fault_is_no_failure_of_the_provider(state, clock, kind):
    fail(state, clock, 9, kind)

    block = state.block(ONE, "m", clock())
    assert block is None or block.final


@pytest.mark.parametrize(("timeout_s", "opens"), [(9.9, False), (10.0, True)])
def test_a_timeout_counts_only_where_there_was_time(state, clock, timeout_s, opens):
    for _ in range(5):
        attempt(state, error(DeadlineExceededError), clock, timeout_s=timeout_s)

    assert is_open(state, clock) is opens


# Cool-downs and quotas


def test_a_rate_limited_model_cools_down_for_as_long_as_was_asked(state, clock):
    attempt(state, error(RateLimitError, retry_after_s=7.0), clock)

    block = state.block(ONE, "m", clock())
    assert (block.for_s, block.final, block.retries) == (7.0, False, True)
    assert state.block(ONE, "another model", clock()) is None
    clock.now_s += 7.0
    assert state.block(ONE, "m", clock()) is None


def test_a_success_ends_a_cool_down_only_if_it_was_asked_for_after_it_began(state, clock):
    before = state.begin(ONE, "m", clock())
    clock.now_s += 1.0
    attempt(state, error(RateLimitError, retry_after_s=30.0), clock)
    state.settle(before, None, 600.0, clock())
    assert is_open(state, clock)

    clock.now_s += 1.0
    attempt(state, None, clock)

    assert not is_open(state, clock)


@pytest.mark.parametrize("asked_s", [None, 0.0, -1.0, float("nan")])
def test_no_wait_asked_for_is_no_cool_down(state, clock, asked_s):
    attempt(state, error(RateLimitError, retry_after_s=asked_s), clock)

    assert state.block(ONE, "m", clock()) is None


def test_a_cool_down_is_bounded(state, clock):
    attempt(state, error(RateLimitError, retry_after_s=4_294_967.0), clock)

    assert state.block(ONE, "m", clock()).for_s == 300.0


def test_a_used_up_quota_is_asked_about_again_after_60_120_240_300_seconds(state, clock):
    pauses = []
    for _ in range(5):
        attempt(state, error(QuotaExceededError), clock)
        block = state.block(ONE, "any model", clock())
        pauses.append(block.for_s)
        assert block.final
        clock.now_s += block.for_s

    assert pauses == [60.0, 120.0, 240.0, 300.0, 300.0]
    attempt(state, None, clock)
    attempt(state, error(QuotaExceededError), clock)
    assert state.block(ONE, "m", clock()).for_s == 60.0


# The retry budget


def test_attempts_side_by_side_use_up_a_quota_once(state, clock):
    tickets = [state.begin(ONE, "m", clock()) for _ in range(4)]
    *failing, last = tickets
    for ticket in failing:
        clock.now_s += 1.0
        state.settle(ticket, error(QuotaExceededError), 600.0, clock())
    state.settle(last, None, 600.0, clock())

    assert state.block(ONE, "m", clock()).for_s == 58.0
    clock.now_s += 58.0
    attempt(state, error(QuotaExceededError), clock)
    assert state.block(ONE, "m", clock()).for_s == 120.0


@pytest.mark.parametrize(("kind", "retries"), [(ServerError, 35), (OverloadedError, 100)])
def test_the_budget_of_retries(state, clock, kind, retries):
    attempt(state, error(InvalidRequestError), clock)
    failed = error(kind)

    granted = 0
    while state.may_retry(ONE, failed):
        granted += 1

    assert granted == retries


def test_a_success_earns_a_fourteenth_of_a_retry(state, clock):
    attempt(state, error(InvalidRequestError), clock)
    while state.may_retry(ONE, error(ServerError)):
        pass
    left = 500 - 35 * 14
    for _ in range(14 - left):
        assert not state.may_retry(ONE, error(ServerError))
        attempt(state, None, clock)

    assert state.may_retry(ONE, error(ServerError))


# In a call


def test_an_open_candidate_is_passed_over_while_another_is_eligible(state, clock):
    plan = plan_of("a", "b")
    account = plan.candidates[0].account
    for _ in range(5):
        attempt(state, error(ServerError), clock, account)

    played = play(plan, [reply()], clock, state=state)

    assert answered_by(played) == "b"
    assert [(each.provider, each.reason) for each in played.course.not_asked()] == [
        ("a", "it failed too often lately (breaker open), for 5.0 s")
    ]


def test_if_all_are_open_the_first_is_asked_once(state, clock):
    plan = plan_of("a", "b")
    for one in plan.candidates:
        for _ in range(5):
            attempt(state, error(ServerError), clock, one.account)

    played = play(plan, [error(ServerError)], clock, state=state)

    assert asked(played) == ["a"]
    assert "b/m: it failed too often lately" in played.ended.message


def test_a_candidate_that_cools_down_is_asked_when_the_others_have_failed(state, clock):
    plan = plan_of("a", "b")
    attempt(state, error(RateLimitError, retry_after_s=30.0), clock, plan.candidates[0].account)

    played = play(plan, [error(ServerError), reply()], clock, state=state, max_retries=0)

    assert asked(played) == ["b", "a"]
    assert played.course.not_asked() == []


def test_a_used_up_quota_is_not_asked_at_all(state, clock):
    plan = plan_of("a", "b")
    for one, wait_s in zip(plan.candidates, (0.0, 20.0)):
        clock.now_s += wait_s
        attempt(state, error(QuotaExceededError), clock, one.account)

    played = play(plan, [], clock, state=state)

    assert isinstance(played.ended, QuotaExceededError)
    assert (played.ended.attempts, played.ended.sent) == (0, False)
    assert played.ended.retry_after_s == 40.0
    assert played.ended.message == (
        "a/m: its quota or spending limit is used up, for 40.0 s yet; "
        "b/m: its quota or spending limit is used up, for 60.0 s yet"
    )


def test_without_budget_the_next_candidate_is_asked_at_once(state, clock):
    plan = plan_of("a", "b")
    account = plan.candidates[0].account
    attempt(state, error(InvalidRequestError), clock, account)
    while state.may_retry(account, error(ServerError)):
        pass

    played = play(plan, [error(ConnectionFailedError, sent=False), reply()], clock, state=state)

    assert played.effects == ["a 300", "b 600"]


def test_a_fallback_that_is_not_to_be_asked_takes_no_time_from_the_first(state, clock):
    plan = plan_of("a", "b")
    attempt(state, error(QuotaExceededError), clock, plan.candidates[1].account)
    throttled = error(RateLimitError, retry_after_s=5.0)

    played = play(plan, [throttled, reply()], clock, state=state)

    assert played.effects == ["a 600", "wait 5", "a 595"]


def test_a_breaker_that_opens_in_a_call_ends_its_retries(state, clock):
    plan = plan_of("a", "b")
    failures = [error(ServerError)] * 5

    played = play(plan, [*failures, reply()], clock, random=0.0, state=state, max_retries=9)

    assert asked(played) == ["a"] * 5 + ["b"]


def test_a_quota_that_another_call_used_up_meanwhile_ends_the_retries(state, clock):
    plan = plan_of("a", "b")
    steps = attempts(plan, CallLimits(timeout_s=60.0), clock, lambda: 0.5, None, state)
    next(steps)
    wait = steps.send(error(ServerError))
    attempt(state, error(QuotaExceededError), clock, plan.candidates[0].account)
    clock.now_s += wait.delay_s

    assert steps.send(None).candidate.provider == "b"
    steps.close()


def test_a_held_candidate_without_a_key_does_not_count_as_the_one_that_was_asked(state, clock):
    plan = plan_of("a", "b")
    for one in plan.candidates:
        for _ in range(5):
            attempt(state, error(ServerError), clock, one.account)

    played = play(plan, [ConfigurationError("no key"), reply()], clock, state=state)

    assert answered_by(played) == "b"
    assert played.course.attempts == 1


def test_a_call_that_is_closed_gives_its_probe_back(state, clock):
    plan = plan_of("a")
    account = plan.candidates[0].account
    for _ in range(5):
        attempt(state, error(ServerError), clock, account)
    clock.now_s += 5.0
    steps = attempts(plan, CallLimits(timeout_s=60.0), clock, lambda: 0.5, None, state)
    next(steps)
    assert state.block(account, "m", clock()) is not None

    steps.close()

    assert state.block(account, "m", clock()) is None


# Bounds


def test_accounts_that_come_and_go_do_not_add_up(state, clock, monkeypatch):
    monkeypatch.setattr(states, "MAX_ACCOUNTS", 100)
    attempt(state, error(QuotaExceededError), clock)

    for number in range(1000):
        attempt(state, None, clock, Account("https://one.invalid", str(number)))

    assert len(state._accounts) <= 100
    assert state.block(ONE, "m", clock()).final


def test_sixty_four_threads_count_every_attempt(state, clock):
    def work():
        for _ in range(200):
            attempt(state, None, clock)
            attempt(state, error(InvalidRequestError), clock)
            state.may_retry(ONE, error(OverloadedError))

    threads = [threading.Thread(target=work) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 0 <= state._accounts[ONE].budget <= 500


def test_after_a_fork_the_lock_is_a_new_one(state, clock):
    other = threading.Thread(target=state._lock.acquire)
    other.start()
    other.join()

    state.start_afresh()

    assert state.block(ONE, "m", clock()) is None


def test_an_attempt_may_be_settled_in_the_middle_of_another_look(state, clock):
    """As when the garbage collector ends a dropped stream."""
    ticket = state.begin(ONE, "m", clock())

    class Dropping(Account):
        def __hash__(self):
            state.settle(ticket, None, 600.0, clock())
            return super().__hash__()

    looking = threading.Thread(
        target=state.block, args=(Dropping("a", "b"), "m", clock()), daemon=True
    )
    looking.start()
    looking.join(10)

    assert not looking.is_alive()
    assert ticket.is_settled


def test_an_attempt_from_before_a_reset_counts_for_nothing(state, clock):
    fail(state, clock)
    clock.now_s += 5.0
    probe = state.begin(ONE, "m", clock())

    state.reset()
    attempt(state, None, clock)
    state.settle(probe, error(ServerError), 600.0, clock())

    assert not is_open(state, clock)


def test_of_two_calls_that_look_at_once_one_probes(state, clock):
    plan = plan_of("a", "b")
    account = plan.candidates[0].account
    for _ in range(5):
        attempt(state, error(ServerError), clock, account)
    clock.now_s += 5.0

    first, second = (state.admit(account, "m", clock()) for _ in range(2))

    assert first.is_probe
    assert second.reason == "it failed too often lately (breaker open)"
