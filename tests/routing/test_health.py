"""Health that calls share: the numbers of breakers, pauses, keys and retry budgets.

The rules are played with a clock that only the test moves.
"""

from __future__ import annotations

import math

import pytest

from deployment_health import (
    ONE,
    OTHER_KEY,
    OTHER_MODEL,
    OTHER_PATH,
    attempt,
    diverts,
    fail,
    take_token,
)
from scripted_attempts import error, plan_of, play, reply
from specado.endpoints.account import Account
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
from specado.routing.health import Attempt, Deployment
from specado.settings.client_settings import BreakerSettings, HealthSettings, RetryBudgetSettings

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
