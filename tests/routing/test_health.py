"""Health that calls share: the numbers of breakers, pauses, keys and retry budgets, and in calls.

The rules are played on the generator, with a clock that only the test moves.
"""

from __future__ import annotations

import math
import threading

import pytest

from scripted_attempts import (
    Clock,
    answered_by,
    asked,
    candidate,
    error,
    plan_of,
    play,
    reply,
    unjudged_plan,
)
from specado.endpoints.account import Account
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
from specado.routing import health as health_module
from specado.routing.attempts import CallLimits, attempts
from specado.routing.health import Attempt, Deployment, Health
from specado.settings.client_settings import BreakerSettings, HealthSettings, RetryBudgetSettings

ONE = Deployment("one", Account("https://one.invalid/v1", "key"), "m")
OTHER_MODEL = Deployment("one", ONE.account, "another model")
OTHER_KEY = Deployment("one", Account("https://one.invalid/v1", "another key"), "m")
OTHER_PATH = Deployment("one", Account("https://one.invalid/other", "key"), "m")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def health():
    return Health()


def attempt(health, outcome, clock, deployment=ONE, took_s=0.0, **facts):
    begun = health.begin(deployment, clock())
    clock.now_s += took_s
    health.settle(begun, outcome, clock(), **facts)


def fail(health, clock, times=5, kind=ServerError, span_s=1.0, deployment=ONE, **facts):
    """Let *times* attempts fail one after the other within *span_s* seconds."""
    for place in range(times):
        if place:
            clock.now_s += span_s / (times - 1)
        attempt(health, error(kind, **facts), clock, deployment)


def take_token(health, clock, deployment=ONE, may_queue=True):
    """Take a token; return the seconds until its turn, `None` if there is none."""
    token = health.take_token(deployment, clock(), may_queue=may_queue)
    return None if token is None else health.token_wait_s(token, clock())


def diverts(health, clock, deployment=ONE):
    hold = health.hold(deployment, clock())
    return hold is not None and hold.diverting


# The breaker


def test_five_failures_in_a_row_over_a_second_open_the_breaker_for_five(health, clock):
    fail(health, clock, 5, span_s=1.0)

    assert health.hold(ONE, clock()).for_s == 5.0
    clock.now_s += 4.999
    assert diverts(health, clock)
    clock.now_s += 0.002
    assert not diverts(health, clock)


def test_five_failures_at_once_do_not_open_it(health, clock):
    """As when every call in flight is reset by one restart of the provider."""
    fail(health, clock, 19, span_s=0.5)

    assert not diverts(health, clock)


def test_twenty_attempts_of_which_more_than_half_failed_open_it(health, clock):
    for _ in range(9):
        attempt(health, None, clock)
    fail(health, clock, 10, span_s=0.5)
    assert not diverts(health, clock)

    attempt(health, error(ServerError), clock)

    assert diverts(health, clock)


def test_half_of_the_attempts_failing_does_not_open_it(health, clock):
    for _ in range(200):
        attempt(health, None, clock)
        attempt(health, error(ServerError), clock)

    assert not diverts(health, clock)


def test_every_fourth_attempt_failing_does_not_open_it(health, clock):
    for _ in range(300):
        clock.now_s += 0.1
        fail(health, clock, 1)
        for _ in range(3):
            attempt(health, None, clock)

    assert not diverts(health, clock)


def test_failures_in_a_row_count_for_a_minute(health, clock):
    fail(health, clock, 4)
    clock.now_s += 60.0
    fail(health, clock, 1)
    assert not diverts(health, clock)

    fail(health, clock, 4, span_s=1.5)

    assert diverts(health, clock)


def test_a_success_ends_a_row_of_failures(health, clock):
    fail(health, clock, 4)
    attempt(health, None, clock)
    fail(health, clock, 4)

    assert not diverts(health, clock)


def test_after_the_pause_one_probe_at_a_time(health, clock):
    fail(health, clock)
    clock.now_s += 5.0

    probe = health.admit(ONE, clock())

    assert isinstance(probe, Attempt)
    assert diverts(health, clock)
    health.settle(probe, None, clock())
    assert not diverts(health, clock)
    fail(health, clock, 4)
    assert not diverts(health, clock)


def test_a_probes_hold_lapses_after_five_seconds(health, clock):
    fail(health, clock)
    clock.now_s += 5.0
    slow = health.admit(ONE, clock())
    clock.now_s += 4.9
    assert diverts(health, clock)
    clock.now_s += 0.1

    second = health.admit(ONE, clock())

    assert isinstance(second, Attempt)
    assert diverts(health, clock)
    health.settle(slow, error(ServerError), clock())
    assert health.hold(ONE, clock()).for_s <= 5.0, "only the probe that holds reopens the breaker"
    health.settle(second, None, clock())
    assert not diverts(health, clock)


@pytest.mark.parametrize(("probes", "pause_s"), [(1, 10), (2, 20), (3, 40), (4, 60), (9, 60)])
def test_a_probe_that_fails_doubles_the_pause_up_to_a_minute(health, clock, probes, pause_s):
    fail(health, clock)
    for _ in range(probes):
        clock.now_s += 60.0
        fail(health, clock, 1)

    assert health.hold(ONE, clock()).for_s == pause_s


def test_an_abandoned_probe_lets_the_next_one_try(health, clock):
    fail(health, clock)
    clock.now_s += 5.0

    health.abandon(health.begin(ONE, clock()))

    assert not diverts(health, clock)


def test_a_streams_first_content_ends_the_probe(health, clock):
    fail(health, clock)
    clock.now_s += 5.0

    health.commit(health.begin(ONE, clock()), clock())

    assert not diverts(health, clock)


def test_the_end_of_a_stream_that_was_a_probe_is_one_outcome_of_many(health, clock):
    fail(health, clock)
    clock.now_s += 5.0
    probe = health.begin(ONE, clock())
    health.commit(probe, clock())
    clock.now_s += 120.0

    health.settle(probe, error(ServerError), clock())

    assert not diverts(health, clock)


def test_an_attempt_counts_once(health, clock):
    begun = health.begin(ONE, clock())
    for _ in range(5):
        clock.now_s += 1.0
        health.settle(begun, error(ServerError), clock())

    assert not diverts(health, clock)


COUNTED = {
    "500": error(ServerError, status_code=500),
    "504": error(ServerError, status_code=504),
    "529 without a wait": error(OverloadedError, status_code=529),
    "overloaded in a stream": error(OverloadedError, status_code=200),
    "not JSON": error(MalformedResponseError, status_code=200, code="not_json"),
    "cut off": error(MalformedResponseError, code="truncated"),
    "attempt timed out": error(DeadlineExceededError),
}
NOT_COUNTED = {
    "529 with a wait": error(OverloadedError, status_code=529, retry_after_s=0.5),
    "503 with a wait": error(OverloadedError, status_code=503, retry_after_s=0.5),
    "500 with a wait": error(ServerError, status_code=500, retry_after_s=0.5),
    "429": error(RateLimitError, status_code=429),
    "408": error(ServerError, status_code=408),
    "409": error(ServerError, status_code=409),
    "400": error(InvalidRequestError, status_code=400),
    "404": error(ModelNotFoundError, status_code=404),
    "too long": error(ContextLengthError, status_code=400),
    "refused content": error(ContentPolicyError, status_code=400),
    "larger than max_reply_bytes": error(MalformedResponseError, code="too_large"),
    "unknown": error(ProviderError),
}


@pytest.mark.parametrize("outcome", COUNTED.values(), ids=list(COUNTED))
def test_a_deployments_failures_open_its_breaker(health, clock, outcome):
    for _ in range(6):
        attempt(health, outcome, clock)
        clock.now_s += 0.5

    assert diverts(health, clock)
    assert not diverts(health, clock, OTHER_MODEL)
    assert not diverts(health, clock, OTHER_KEY)


@pytest.mark.parametrize("outcome", NOT_COUNTED.values(), ids=list(NOT_COUNTED))
def test_what_says_nothing_of_a_deployment_opens_no_breaker(health, clock, outcome):
    for _ in range(40):
        attempt(health, outcome, clock)
        clock.now_s += 0.1

    assert not diverts(health, clock)


def test_a_time_out_by_a_callers_own_short_deadline_does_not_count(health, clock):
    for _ in range(40):
        attempt(health, error(DeadlineExceededError), clock, is_own_deadline=True)
        clock.now_s += 0.1

    assert not diverts(health, clock)


@pytest.mark.parametrize(
    ("limits", "counts"),
    [
        ({"timeout_s": 9.9}, False),
        ({"timeout_s": 10.0}, True),
        ({"timeout_s": 60.0, "attempt_timeout_s": 2.0, "max_retries": 0}, True),
        ({"timeout_s": 9.9, "attempt_timeout_s": 2.0, "max_retries": 0}, True),
    ],
)
def test_which_time_outs_of_calls_count(health, clock, limits, counts):
    plan = plan_of("a")
    for _ in range(5):
        took_s = limits.get("attempt_timeout_s", limits["timeout_s"])
        play(plan, [(error(DeadlineExceededError), took_s)], clock, health=health, **limits)

    assert diverts(health, clock, plan.candidates[0].deployment) is counts


@pytest.mark.parametrize(("timeout_s", "counts"), [(9.9, False), (10.0, True), (18.0, True)])
def test_a_time_out_at_half_of_a_deadline_counts_by_the_whole(health, clock, timeout_s, counts):
    plan = plan_of("a", "b")
    for _ in range(5):
        timeout = (error(DeadlineExceededError), timeout_s / 2)
        play(plan, [timeout, reply()], clock, health=health, timeout_s=timeout_s)

    assert diverts(health, clock, plan.candidates[0].deployment) is counts


# Addresses


UNREACHABLE = {
    "refused": error(ConnectionFailedError, sent=False),
    "reset on a fresh connection": error(ConnectionFailedError, sent=True),
}
LOCAL = {
    "no descriptors, certificates": error(ConnectionFailedError, sent=False, retryable=False),
    "reset on a reused connection": error(ConnectionFailedError, is_reused_connection=True),
}


@pytest.mark.parametrize("outcome", UNREACHABLE.values(), ids=list(UNREACHABLE))
def test_an_address_that_cannot_be_reached_is_avoided_for_every_key_and_model(
    health, clock, outcome
):
    for each in (OTHER_MODEL, OTHER_KEY, OTHER_PATH):
        attempt(health, None, clock, each)
    for _ in range(6):
        attempt(health, outcome, clock)
        clock.now_s += 0.5

    assert all(diverts(health, clock, each) for each in (ONE, OTHER_MODEL, OTHER_KEY, OTHER_PATH))
    deployment = health.as_dict(clock())["deployments"][-1]
    assert deployment["breaker"]["state"] == "closed"


@pytest.mark.parametrize("outcome", LOCAL.values(), ids=list(LOCAL))
def test_local_faults_are_counted_nowhere(health, clock, outcome):
    for _ in range(40):
        attempt(health, outcome, clock)
        clock.now_s += 0.1

    assert not diverts(health, clock)


def test_a_probe_of_an_address_that_times_out_lets_another_one_probe(health, clock):
    for _ in range(6):
        attempt(health, error(ConnectionFailedError, sent=False), clock)
        clock.now_s += 0.5
    clock.now_s += 5.0

    attempt(health, error(DeadlineExceededError), clock, took_s=1.0)

    assert isinstance(health.admit(ONE, clock()), Attempt)


def test_an_answer_of_any_kind_shows_that_an_address_is_reached(health, clock):
    for place in range(20):
        attempt(health, error(ConnectionFailedError, sent=False), clock)
        if place % 2:
            attempt(health, error(RateLimitError), clock, OTHER_KEY)
        attempt(health, error(ServerError), clock, OTHER_MODEL)
        clock.now_s += 0.6

    assert not diverts(health, clock)


# Pauses


@pytest.mark.parametrize(
    ("kind", "status"), [(RateLimitError, 429), (OverloadedError, 503), (OverloadedError, 529)]
)
def test_a_deployment_pauses_for_as_long_as_was_announced(health, clock, kind, status):
    attempt(health, error(kind, status_code=status, retry_after_s=7.0), clock)

    hold = health.hold(ONE, clock())
    assert (hold.for_s, hold.pause_s, hold.diverting) == (7.0, 7.0, True)
    assert health.hold(OTHER_MODEL, clock()) is None
    clock.now_s += 7.0
    assert health.hold(ONE, clock()) is None


@pytest.mark.parametrize("asked_s", [None, 0.0, -1.0, float("nan"), float("inf"), 0.999])
def test_an_unannounced_limit_or_a_short_wait_is_no_pause(health, clock, asked_s):
    attempt(health, error(RateLimitError, retry_after_s=asked_s), clock)

    assert health.hold(ONE, clock()) is None


def test_a_pause_is_at_most_a_minute(health, clock):
    attempt(health, error(RateLimitError, retry_after_s=4_294_967.0), clock)

    assert health.hold(ONE, clock()).pause_s == 60.0


def test_of_answers_side_by_side_the_longest_pause_counts(health, clock):
    first, second = (health.begin(ONE, clock()) for _ in range(2))
    health.settle(first, error(RateLimitError, retry_after_s=30.0), clock())
    health.settle(second, error(RateLimitError, retry_after_s=2.0), clock())

    assert health.hold(ONE, clock()).pause_s == 30.0


def test_one_call_a_second_passes_as_a_probe_and_its_success_ends_the_pause(health, clock):
    attempt(health, error(RateLimitError, retry_after_s=30.0), clock)
    clock.now_s += 0.9
    assert not isinstance(health.admit(ONE, clock()), Attempt)
    clock.now_s += 0.1

    probe = health.admit(ONE, clock())

    assert isinstance(probe, Attempt)
    assert not isinstance(health.admit(ONE, clock()), Attempt)
    health.settle(probe, None, clock())
    assert health.hold(ONE, clock()) is None


def test_a_success_that_began_before_the_pause_does_not_end_it(health, clock):
    before = health.begin(ONE, clock())
    clock.now_s += 1.0
    attempt(health, error(RateLimitError, retry_after_s=30.0), clock)

    health.settle(before, None, clock())

    assert health.hold(ONE, clock()).pause_s == 30.0


# Keys


@pytest.mark.parametrize(
    ("kind", "status"),
    [(QuotaExceededError, 429), (AuthenticationError, 401), (AuthenticationError, 403)],
)
def test_a_key_is_avoided_for_60_120_240_300_seconds(health, clock, kind, status):
    pauses = []
    for _ in range(5):
        attempt(health, error(kind, status_code=status), clock)
        hold = health.hold(OTHER_MODEL, clock()) or health.hold(ONE, clock())
        pauses.append(hold.for_s)
        assert (hold.is_key, hold.diverting) == (True, True)
        clock.now_s += hold.for_s

    assert pauses == [60.0, 120.0, 240.0, 300.0, 300.0]
    assert health.hold(OTHER_KEY, clock()) is None
    attempt(health, None, clock)
    attempt(health, error(kind), clock)
    assert health.hold(ONE, clock()).for_s == 60.0


def test_a_key_that_works_again_is_trusted_at_once(health, clock):
    attempt(health, error(QuotaExceededError), clock)
    clock.now_s += 1.0

    attempt(health, None, clock)

    assert health.hold(ONE, clock()) is None


def test_attempts_side_by_side_use_up_a_quota_once(health, clock):
    first, *failing, last = [health.begin(ONE, clock()) for _ in range(4)]
    clock.now_s += 1.0
    for begun in (first, *failing):
        health.settle(begun, error(QuotaExceededError), clock())
    health.settle(last, None, clock())

    assert health.hold(ONE, clock()).for_s == 60.0


# The retry budget


def test_a_retry_costs_one_of_500_tokens(health, clock):
    attempt(health, None, clock)

    waits = [take_token(health, clock, ONE) for _ in range(503)]

    assert waits[:500] == [0.0] * 500
    assert waits[500:] == pytest.approx([0.1, 0.2, 0.3])


def test_ten_tokens_a_second_come_back_and_one_with_every_first_attempt(health, clock):
    attempt(health, None, clock)
    for _ in range(500):
        take_token(health, clock, ONE, may_queue=False)
    assert take_token(health, clock, ONE, may_queue=False) is None

    clock.now_s += 0.2
    attempt(health, None, clock)
    retry = health.begin(ONE, clock(), is_retry=True)
    health.settle(retry, None, clock())

    waits = [take_token(health, clock, ONE, may_queue=False) for _ in range(4)]
    assert waits == [0.0, 0.0, 0.0, None]


def test_a_token_that_is_given_back_counts_again(health, clock):
    attempt(health, None, clock)
    *_, last = [health.take_token(ONE, clock(), may_queue=False) for _ in range(500)]

    health.return_token(last)

    assert take_token(health, clock, ONE, may_queue=False) == 0.0


def test_a_budget_has_the_numbers_that_were_set(health, clock):
    numbers = HealthSettings(retry_budget=RetryBudgetSettings(capacity=1, refill_per_second=0))
    one = Deployment("one", Account("https://one.invalid", "key", numbers), "m")
    attempt(health, None, clock, one)

    assert take_token(health, clock, one) == 0.0
    assert take_token(health, clock, one) == math.inf


def test_a_budget_that_is_off_never_ends(health, clock):
    one = Deployment("one", Account("u", "key", HealthSettings(retry_budget=None)), "m")
    attempt(health, None, clock, one)

    assert {take_token(health, clock, one, may_queue=False) for _ in range(1000)} == {0.0}


def test_a_breaker_that_is_off_never_opens(health, clock):
    one = Deployment("one", Account("u", "key", HealthSettings(breaker=None)), "m")

    for _ in range(50):
        attempt(health, error(ServerError), clock, one)
        attempt(health, error(ConnectionFailedError), clock, one)
        clock.now_s += 0.1

    assert health.hold(one, clock()) is None


def test_clients_with_other_numbers_share_nothing(health, clock):
    numbers = HealthSettings(breaker=BreakerSettings(min_attempts=2, open_seconds=30))
    sensitive = Deployment("one", Account(ONE.account.base_url, "key", numbers), "m")

    fail(health, clock, 2, deployment=sensitive)

    assert health.hold(sensitive, clock()).for_s == 30.0
    assert health.hold(ONE, clock()) is None


# In a call


def open_breaker(health, clock, one):
    fail(health, clock, 20, deployment=one.deployment)


def test_an_open_candidate_is_passed_over_while_another_is_eligible(health, clock):
    plan = plan_of("a", "b")
    open_breaker(health, clock, plan.candidates[0])

    played = play(plan, [reply()], clock, health=health)

    assert answered_by(played) == "b"
    assert [(each.provider, each.reason) for each in played.history.not_asked(plan)] == [
        ("a", "it failed too often lately (circuit breaker), for 5.0 s")
    ]


def test_a_lone_candidate_is_asked_as_if_there_were_no_breaker(health, clock):
    plan = plan_of("a")
    open_breaker(health, clock, plan.candidates[0])

    played = play(plan, [error(ServerError), error(ServerError), reply()], clock, health=health)

    assert answered_by(played) == "a"
    assert played.history.attempts == 3


def test_where_all_are_open_they_are_asked_in_order_as_if_there_were_no_breaker(health, clock):
    plan = plan_of("a", "b")
    for one in plan.candidates:
        open_breaker(health, clock, one)

    played = play(plan, [error(ServerError)] * 5 + [reply()], clock, health=health)

    assert asked(played) == ["a"] * 3 + ["b"] * 3
    assert played.effects[0] == "a 300", "b remains: half of the time is for it"


def test_an_open_candidate_is_asked_when_the_others_have_failed(health, clock):
    plan = plan_of("a", "b")
    open_breaker(health, clock, plan.candidates[0])

    played = play(plan, [error(ServerError), reply()], clock, health=health, max_retries=0)

    assert asked(played) == ["b", "a"]
    assert played.history.not_asked(plan) == []


def test_an_open_candidate_is_asked_where_those_that_follow_are_refused(health, clock):
    plan = unjudged_plan("a", "b", refused=["b"])
    open_breaker(health, clock, plan.candidates[0])

    played = play(plan, [reply()], clock, health=health)

    assert asked(played) == ["a"]
    assert played.history.not_asked(plan) == []
    assert [each.provider for each in plan.skipped] == ["b"]


def test_an_open_candidate_is_not_judged_while_another_is_eligible(health, clock):
    plan = unjudged_plan("a", "b", "c")
    open_breaker(health, clock, plan.candidates[1])

    played = play(plan, [error(QuotaExceededError), reply()], clock, health=health)

    assert asked(played) == ["a", "c"]
    assert plan.judge.judged == ["c"]
    assert [each.provider for each in played.history.not_asked(plan)] == ["b"]


def test_a_refused_candidate_gives_its_probe_back(health, clock):
    plan = unjudged_plan("a", "b", refused=["b"])
    deployment = plan.candidates[1].deployment
    open_breaker(health, clock, plan.candidates[1])
    clock.now_s += 6.0

    play(plan, [error(QuotaExceededError)], clock, health=health)

    assert isinstance(health.admit(deployment, clock()), Attempt)


def test_a_short_pause_that_is_known_is_waited_for_at_the_preferred_candidate(health, clock):
    plan = plan_of("a", "b")
    announced = error(RateLimitError, retry_after_s=2.0)
    attempt(health, announced, clock, plan.candidates[0].deployment)
    clock.now_s += 0.5

    played = play(plan, [reply()], clock, random=0.0, health=health)

    assert played.effects == ["wait 1.5", "a 299.25"]


def test_a_longer_pause_sends_the_call_to_another_candidate(health, clock):
    plan = plan_of("a", "b")
    announced = error(RateLimitError, retry_after_s=3.0)
    attempt(health, announced, clock, plan.candidates[0].deployment)
    clock.now_s += 0.5

    played = play(plan, [reply()], clock, health=health)

    assert asked(played) == ["b"]


@pytest.mark.parametrize(
    ("pauses_s", "expected"),
    [
        ((50.0, 5.0), ["wait 5.25", "b 297.375"]),
        ((5.0, 50.0), ["wait 5.25", "a 297.375"]),
        ((7.0, 5.0), ["wait 7.35", "a 296.325"]),
    ],
)
def test_where_all_pause_the_call_waits_for_the_one_that_is_back_much_sooner(
    health, clock, pauses_s, expected
):
    plan = plan_of("a", "b")
    for each, pause_s in zip(plan.candidates, pauses_s):
        busy = error(RateLimitError, retry_after_s=pause_s)
        attempt(health, busy, clock, each.deployment)

    played = play(plan, [reply()], clock, health=health)

    assert played.effects == expected


def test_a_lone_candidates_pause_is_waited_out_with_jitter(health, clock):
    plan = plan_of("a")
    attempt(health, error(RateLimitError, retry_after_s=30.0), clock, plan.candidates[0].deployment)
    clock.now_s += 0.5

    played = play(plan, [reply()], clock, random=0.5, health=health)

    assert played.effects == ["wait 30.975", "a 569.025"]
    assert played.history.waited_s == pytest.approx(30.975)


def steps_of(plan, clock, health, **limits):
    return attempts(plan, CallLimits(timeout_s=100.0, **limits), clock, lambda: 0.5, None, health)


def pause(health, clock, plan, wait_s):
    busy = error(RateLimitError, retry_after_s=wait_s)
    attempt(health, busy, clock, plan.candidates[0].deployment)


def test_a_lone_call_waits_for_a_pause_once(health, clock):
    plan = plan_of("a")
    pause(health, clock, plan, 5.0)
    steps = steps_of(plan, clock, health)
    clock.now_s += next(steps).delay_s - 0.5
    pause(health, clock, plan, 20.0)
    clock.now_s += 0.5

    # Where every refused call made all others wait anew, some would never be asked.
    assert steps.send(None).candidate is plan.candidates[0]


@pytest.mark.parametrize("is_retry", [False, True])
def test_a_short_pause_that_grows_long_sends_the_call_to_another_candidate(health, clock, is_retry):
    plan = plan_of("a", "b")
    if not is_retry:
        pause(health, clock, plan, 1.5)
    steps = steps_of(plan, clock, health)
    first = next(steps)
    if is_retry:
        first = steps.send(error(RateLimitError, retry_after_s=1.5))
    clock.now_s += 1.0
    pause(health, clock, plan, 20.0)
    clock.now_s += first.delay_s - 1.0

    then = steps.send(None)

    assert (first.delay_s, then.candidate.provider) == (1.75, "b")
    assert steps.send(error(QuotaExceededError)).delay_s > 18.0


def test_a_retry_that_goes_elsewhere_for_a_pause_gives_its_token_back(health, clock):
    plan = plan_of("a", "b")
    steps = steps_of(plan, clock, health)
    next(steps)
    assert steps.send(error(ServerError)).delay_s == 0.5
    pause(health, clock, plan, 20.0)

    assert steps.send(None).candidate.provider == "b"
    assert health.as_dict(clock())["deployments"][0]["retry_budget"] == 500.0


def test_a_lone_call_that_a_pause_does_not_fit_is_asked_once(health, clock):
    plan = plan_of("a")
    throttled = error(RateLimitError, retry_after_s=1.5)
    attempt(health, error(RateLimitError, retry_after_s=30.0), clock, plan.candidates[0].deployment)
    clock.now_s += 0.5

    played = play(plan, [throttled], clock, health=health, timeout_s=10.0)

    assert played.effects == ["a 10"]
    assert type(played.ended) is RateLimitError
    assert played.ended.stopped_by == "deadline"


def test_jitter_never_moves_a_wait_past_the_deadline(health, clock):
    played = play(
        plan_of("a"),
        [error(RateLimitError, retry_after_s=9.9), reply()],
        clock,
        random=1.0,
        health=health,
        timeout_s=10.0,
    )

    assert played.effects == ["a 10", "wait 9.95", "a 0.05"]


def test_a_candidate_left_for_its_long_pause_is_asked_again_when_the_other_fails(health, clock):
    plan = plan_of("a", "b")
    outcomes = [error(RateLimitError, retry_after_s=5.0), error(QuotaExceededError), reply()]

    played = play(plan, outcomes, clock, random=0.0, health=health)

    # While b is asked a remains: half of the time is for it.
    assert played.effects == ["a 300", "b 300", "wait 5", "a 595"]


@pytest.mark.parametrize(
    "failure",
    [
        error(InvalidRequestError, status_code=400),
        error(ContentPolicyError, status_code=400),
        error(ConnectionFailedError, sent=False, code="certificate", retryable=False),
        error(ProviderError),
    ],
    ids=lambda failure: f"{type(failure).__name__} {failure.code}",
)
def test_what_a_fallback_says_of_a_request_does_not_rule_out_the_candidate_before(
    health, clock, failure
):
    plan = plan_of("left", "b", "c")
    passed_over = plan_of("open", "b", "c")
    busy = error(RateLimitError, retry_after_s=5.0)

    back = play(plan, [busy, failure, reply()], clock, health=health)
    open_breaker(health, clock, passed_over.candidates[0])
    first = play(passed_over, [failure, reply()], clock, health=health)

    assert (asked(back), answered_by(back)) == (["left", "b", "left"], "left")
    assert (asked(first), answered_by(first)) == (["b", "open"], "open")


def test_a_candidate_that_is_left_early_rules_out_what_its_error_rules_out(health, clock):
    too_long = error(ContextLengthError, should_retry=True, retry_after_s=5.0)
    plan = plan_of("a", "small", "large", a=1000, small=500, large=2000)

    played = play(plan, [too_long, reply()], clock, health=health)

    assert asked(played) == ["a", "large"]


def test_a_key_that_fails_before_a_retry_brings_back_nobody_who_was_ruled_out(health, clock):
    plan = plan_of("a", "b", "c")
    again = error(ProviderError, should_retry=True)
    outcomes = [error(QuotaExceededError), again, ConfigurationError("no key")]

    played = play(plan, outcomes, clock, health=health)

    assert asked(played) == ["a", "b", "b"]
    assert type(played.ended) is QuotaExceededError


def test_a_request_that_a_larger_window_refuses_is_no_request_for_a_smaller_one(health, clock):
    plan = plan_of("a", "b", a=1000, b=2000)
    open_breaker(health, clock, plan.candidates[0])

    played = play(plan, [error(ContextLengthError)], clock, health=health)

    assert type(played.ended) is ContextLengthError


def test_without_shared_health_such_a_candidate_is_waited_for_as_well(clock):
    outcomes = [error(RateLimitError, retry_after_s=5.0), error(QuotaExceededError), reply()]

    played = play(plan_of("a", "b"), outcomes, clock, random=0.0)

    assert played.effects == ["a 300", "b 300", "wait 5", "a 595"]


def test_returning_to_a_candidate_counts_against_its_retries(health, clock):
    plan = plan_of("a", "b")
    throttled = error(RateLimitError, retry_after_s=5.0)

    played = play(
        plan, [throttled, throttled, throttled, throttled], clock, health=health, max_retries=1
    )

    assert sorted(asked(played)) == ["a", "a", "b", "b"]
    assert played.ended.stopped_by == "max_retries"


def test_a_used_up_quota_is_preferred_against_and_asked_when_alone(health, clock):
    plan = plan_of("a", "b")
    attempt(health, error(QuotaExceededError), clock, plan.candidates[0].deployment)

    with_other = play(plan, [reply()], clock, health=health)
    alone = play(plan_of("a"), [reply()], clock, health=health)

    assert answered_by(with_other) == "b"
    assert answered_by(alone) == "a"


def test_where_every_key_is_avoided_each_is_asked(health, clock):
    plan = plan_of("a", "b")
    for one in plan.candidates:
        attempt(health, error(QuotaExceededError), clock, one.deployment)

    played = play(plan, [error(QuotaExceededError), reply()], clock, health=health)

    assert asked(played) == ["a", "b"]


def empty_budget(health, clock, one):
    health.abandon(health.begin(one.deployment, clock()))
    while take_token(health, clock, one.deployment, may_queue=False) is not None:
        pass


def test_without_budget_the_next_candidate_is_asked_at_once(health, clock):
    plan = plan_of("a", "b")
    empty_budget(health, clock, plan.candidates[0])
    for _ in range(20):
        take_token(health, clock, plan.candidates[0].deployment)

    played = play(plan, [error(ServerError), reply()], clock, health=health)

    assert asked(played) == ["a", "b"]


def test_alone_a_retry_waits_for_a_token_in_turn(health, clock):
    plan = plan_of("a")
    empty_budget(health, clock, plan.candidates[0])
    for _ in range(20):
        take_token(health, clock, plan.candidates[0].deployment)

    played = play(plan, [error(ServerError), reply()], clock, health=health)

    # Of 20 that wait before it the call's own first attempt has let one go.
    assert played.effects == ["a 600", "wait 0.5", "wait 1", "wait 0.5", "a 598"]


def test_first_attempts_move_the_queue_for_tokens_on(health, clock):
    plan = plan_of("a")
    deployment = plan.candidates[0].deployment
    empty_budget(health, clock, plan.candidates[0])
    for _ in range(100):
        take_token(health, clock, deployment)
    steps = steps_of(plan, clock, health)
    next(steps)
    clock.now_s += steps.send(error(ServerError)).delay_s
    clock.now_s += steps.send(None).delay_s
    for _ in range(100):
        attempt(health, None, clock, deployment)

    # Of the ten seconds that the queue would have taken 1.5 have passed.
    assert steps.send(None).candidate is plan.candidates[0]


def test_who_comes_later_is_served_later_though_tokens_came_early(health, clock):
    attempt(health, None, clock)
    for _ in range(500):
        take_token(health, clock)
    first, second = (health.take_token(ONE, clock(), may_queue=True) for _ in range(2))

    attempt(health, None, clock)
    third = health.take_token(ONE, clock(), may_queue=True)

    waits = [health.token_wait_s(token, clock()) for token in (first, second, third)]
    assert waits == pytest.approx([0.0, 0.1, 0.2])


def test_a_place_in_the_queue_that_is_given_up_brings_nobody_a_token(health, clock):
    attempt(health, None, clock)
    for _ in range(500):
        take_token(health, clock)
    first, *left, last = (health.take_token(ONE, clock(), may_queue=True) for _ in range(7))

    for token in left:
        health.return_token(token)

    assert health.as_dict(clock())["deployments"][0]["retry_budget"] == -2
    assert health.token_wait_s(first, clock()) == pytest.approx(0.1)
    clock.now_s += 0.11
    assert health.token_wait_s(first, clock()) == 0.0
    assert health.token_wait_s(last, clock()) == pytest.approx(0.09)


def test_a_lone_call_queues_for_a_token_as_long_as_its_deadline_allows(health, clock):
    plan = plan_of("a")
    deployment = plan.candidates[0].deployment
    empty_budget(health, clock, plan.candidates[0])
    for _ in range(200):
        take_token(health, clock, deployment)

    played = play(plan, [error(ServerError)], clock, health=health, timeout_s=10.0)

    assert 8.5 <= played.history.waited_s <= 10.0
    assert played.ended.stopped_by == "retry_budget"
    before = health.as_dict(clock())["deployments"][0]["retry_budget"]
    assert before == pytest.approx(-199 + 10 * played.history.waited_s)


def test_a_retry_that_gets_no_token_before_the_deadline_ends_the_call(health, clock):
    plan = plan_of("a")
    empty_budget(health, clock, plan.candidates[0])
    for _ in range(200):
        take_token(health, clock, plan.candidates[0].deployment)

    played = play(plan, [error(ServerError)], clock, health=health, timeout_s=10.0)

    assert type(played.ended) is ServerError
    assert played.ended.stopped_by == "retry_budget"


def test_an_announced_retry_costs_no_token(health, clock):
    plan = plan_of("a")
    empty_budget(health, clock, plan.candidates[0])
    outcomes = [error(RateLimitError, retry_after_s=1.0)] * 2 + [reply()]

    played = play(plan, outcomes, clock, random=0.0, health=health)

    assert played.effects == ["a 600", "wait 1", "a 599", "wait 1", "a 598"]


def test_a_call_that_is_left_while_it_waits_gives_its_token_back(health, clock):
    plan = plan_of("a")
    deployment = plan.candidates[0].deployment
    steps = attempts(plan, CallLimits(timeout_s=60.0), clock, lambda: 0.5, None, health)
    next(steps)
    steps.send(error(ServerError))
    assert health.as_dict(clock())["deployments"][0]["retry_budget"] == 499

    steps.close()

    assert health.as_dict(clock())["deployments"][0]["retry_budget"] == 500
    assert take_token(health, clock, deployment, may_queue=False) == 0.0


def test_a_fallback_that_is_not_to_be_asked_takes_no_time_from_the_first(health, clock):
    plan = plan_of("a", "b")
    attempt(health, error(QuotaExceededError), clock, plan.candidates[1].deployment)
    throttled = error(RateLimitError, retry_after_s=5.0)

    played = play(plan, [throttled, reply()], clock, random=0.0, health=health)

    assert played.effects == ["a 600", "wait 5", "a 595"]


def test_a_breaker_that_opens_in_a_call_sends_it_to_the_other_candidate(health, clock):
    plan = plan_of("a", "b")
    failures = [(error(ServerError), 0.3)] * 3
    fail(health, clock, 2, deployment=plan.candidates[0].deployment)

    played = play(plan, [*failures, reply()], clock, health=health, max_retries=9)

    assert asked(played) == ["a", "a", "a", "b"]


def test_another_model_at_the_same_provider_is_another_deployment(health, clock):
    overloaded = candidate("a", 0)
    plan = plan_of("a", "b")
    for _ in range(3):
        fail(health, clock, 20, OverloadedError, deployment=overloaded.deployment)
    healthy = Deployment("a", overloaded.deployment.account, "haiku")

    assert diverts(health, clock, plan.candidates[0].deployment)
    assert health.hold(healthy, clock()) is None


def test_a_candidate_without_a_key_is_skipped_and_gives_its_probe_back(health, clock):
    plan = plan_of("a", "b")
    for one in plan.candidates:
        open_breaker(health, clock, one)

    played = play(plan, [ConfigurationError("no key"), reply()], clock, health=health)

    assert answered_by(played) == "b"
    assert played.history.attempts == 1


def test_a_call_that_is_closed_gives_its_probe_back(health, clock):
    plan = plan_of("a")
    deployment = plan.candidates[0].deployment
    open_breaker(health, clock, plan.candidates[0])
    clock.now_s += 5.0
    steps = attempts(plan, CallLimits(timeout_s=60.0), clock, lambda: 0.5, None, health)
    next(steps)
    assert diverts(health, clock, deployment)

    steps.close()

    assert not diverts(health, clock, deployment)


# The repeat on a fresh connection


def stale():
    return error(
        ConnectionFailedError, sent=True, is_reused_connection=True, is_stale_connection=True
    )


def test_a_stale_connection_is_repeated_at_once_outside_of_retries(health, clock):
    plan = plan_of("a")

    played = play(plan, [(stale(), 1.0), reply()], clock, health=health, max_retries=0)

    assert played.effects == ["a 600", "a 599 fresh"]
    assert played.history.attempts == 2
    shown = health.as_dict(clock())["deployments"][0]
    assert (shown["retry_budget"], shown["breaker"]["failures"]) == (500, 0)


def test_it_is_repeated_once_for_each_attempt(health, clock):
    outcomes = [stale(), error(ServerError), stale(), reply()]

    played = play(plan_of("a"), outcomes, clock, health=health, max_retries=1)

    assert asked(played) == ["a"] * 4
    assert [effect.endswith("fresh") for effect in played.effects if "wait" not in effect] == [
        False,
        True,
        False,
        True,
    ]


def test_a_second_failure_of_the_kind_is_an_ordinary_one(health, clock):
    outcomes = [stale(), stale()]

    played = play(plan_of("a"), outcomes, clock, health=health, max_retries=0)

    assert type(played.ended) is ConnectionFailedError
    assert len(played.ended.errors) == 2


# Bounds, threads, forks


def test_accounts_that_come_and_go_do_not_add_up(health, clock, monkeypatch):
    monkeypatch.setattr(health_module, "MAX_ACCOUNTS", 100)
    monkeypatch.setattr(health_module, "MAX_ADDRESSES", 50)
    attempt(health, error(QuotaExceededError), clock)

    for number in range(1000):
        account = Account(f"https://{number}.invalid", "key")
        attempt(health, None, clock, Deployment("p", account, "m"))

    shown = health.as_dict(clock())
    assert len(shown["keys"]) <= 100
    assert len(shown["addresses"]) <= 50
    assert health.hold(ONE, clock()).is_key


def test_models_that_callers_name_do_not_add_up(health, clock, monkeypatch):
    monkeypatch.setattr(health_module, "MAX_MODELS", 100)
    fail(health, clock)

    for number in range(1000):
        attempt(health, None, clock, Deployment("one", ONE.account, f"m{number}"))

    assert len(health.as_dict(clock())["deployments"]) <= 100
    assert diverts(health, clock)


def test_sixty_four_threads_count_every_attempt(health, clock):
    attempt(health, None, clock)

    def work():
        for _ in range(200):
            attempt(health, None, clock)
            attempt(health, error(InvalidRequestError), clock)
            take_token(health, clock, ONE)

    threads = [threading.Thread(target=work) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    breaker = health.as_dict(clock())["deployments"][0]["breaker"]
    assert breaker["attempts"] == 1 + 64 * 400


def test_a_forked_child_starts_with_fresh_state_and_a_fresh_lock(health, clock):
    fail(health, clock)
    other = threading.Thread(target=health._lock.acquire)
    other.start()
    other.join(10)

    health.start_afresh()

    assert health.hold(ONE, clock()) is None
    attempt(health, None, clock)


def test_an_attempt_may_be_settled_in_the_middle_of_another_look(health, clock):
    """As when the garbage collector ends a dropped stream."""
    begun = health.begin(ONE, clock())

    class Dropping(Account):
        def __hash__(self):
            health.settle(begun, None, clock())
            return super().__hash__()

    account = Dropping("a", "b")
    looking = threading.Thread(
        target=health.begin, args=(Deployment("a", account, "m"), clock()), daemon=True
    )
    looking.start()
    looking.join(10)

    assert not looking.is_alive()
    assert begun.is_settled


def test_an_attempt_from_before_a_reset_counts_for_nothing(health, clock):
    fail(health, clock)
    clock.now_s += 5.0
    probe = health.begin(ONE, clock())

    health.reset()
    attempt(health, None, clock)
    health.settle(probe, error(ServerError), clock())

    assert not diverts(health, clock)


def test_of_two_calls_that_look_at_once_one_probes(health, clock):
    fail(health, clock)
    clock.now_s += 5.0

    first, second = (health.admit(ONE, clock()) for _ in range(2))

    assert isinstance(first, Attempt)
    assert second.reason == "it failed too often lately (circuit breaker)"


# What is shown


def test_health_is_plain_data_without_keys(health, clock):
    attempt(health, None, clock, took_s=0.5)
    attempt(health, error(RateLimitError, retry_after_s=4.0), clock)

    assert health.as_dict(clock()) == {
        "deployments": [
            {
                "provider": "one",
                "address": "https://one.invalid/v1",
                "key": "key",
                "model": "m",
                "breaker": {
                    "state": "closed",
                    "attempts": 1,
                    "failures": 0,
                    "open_for_s": 0.0,
                },
                "pause_s": 4.0,
                "retry_budget": 500,
                "last_error": "RateLimitError",
                "latency_ms": 500.0,
                "time_to_first_content_ms": None,
            }
        ],
        "keys": [{"address": "https://one.invalid/v1", "key": "key", "avoided_for_s": 0.0}],
        "addresses": [
            {
                "address": "https://one.invalid",
                "breaker": {
                    "state": "closed",
                    "attempts": 2,
                    "failures": 0,
                    "open_for_s": 0.0,
                },
            }
        ],
    }


def test_latencies_are_moving_averages(health, clock):
    attempt(health, None, clock, took_s=1.0)
    attempt(health, None, clock, took_s=2.0)
    stream = health.begin(ONE, clock())
    clock.now_s += 0.25
    health.commit(stream, clock())

    shown = health.as_dict(clock())["deployments"][0]
    assert shown["latency_ms"] == pytest.approx(1100.0)
    assert shown["time_to_first_content_ms"] == 250.0
