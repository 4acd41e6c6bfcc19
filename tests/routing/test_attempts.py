"""Retry and fallback of a call: attempts, order of candidates, waits, results."""

from __future__ import annotations

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
from specado.routing.attempts import CallLimits, attempts
from specado.routing.plan import Plan
from specado.routing.retry import jittered_s, nominal_wait_s, rule_for

# Every row of the error table: how often one candidate is asked in all where `max_retries` is 2,
# and whether the next candidate is asked then.
ROWS = {
    "nothing sent": (ConnectionFailedError, {"sent": False}, 3, True),
    "sent, reset": (ConnectionFailedError, {"sent": True}, 2, True),
    "attempt timed out": (DeadlineExceededError, {}, 1, True),
    "rate limit": (RateLimitError, {"status_code": 429}, 3, True),
    "quota": (QuotaExceededError, {"status_code": 429}, 1, True),
    "overloaded": (OverloadedError, {"status_code": 529}, 3, True),
    "overloaded inside a 200": (OverloadedError, {"status_code": 200}, 3, True),
    "server": (ServerError, {"status_code": 500}, 3, True),
    "authentication": (AuthenticationError, {"status_code": 401}, 1, False),
    "not found": (ModelNotFoundError, {"status_code": 404}, 1, False),
    "redirect": (InvalidRequestError, {"status_code": 307}, 1, False),
    "invalid request": (InvalidRequestError, {"status_code": 400}, 1, False),
    "content policy": (ContentPolicyError, {"status_code": 400}, 1, False),
    "not JSON": (MalformedResponseError, {"status_code": 200, "code": "not_json"}, 2, True),
    "too large": (MalformedResponseError, {"code": "too_large"}, 2, True),
    "no usable choice": (
        MalformedResponseError,
        {"status_code": 200, "code": "no_choice"},
        1,
        True,
    ),
    "unknown": (ProviderError, {}, 1, False),
}


@pytest.mark.parametrize(("kind", "facts", "times", "goes_on"), ROWS.values(), ids=list(ROWS))
def test_each_row_of_the_error_table(kind, facts, times, goes_on):
    failures = [error(kind, **facts) for _ in range(times)]

    played = play(plan_of("a", "b"), failures + [reply()] * goes_on, max_retries=2)

    assert asked(played) == ["a"] * times + ["b"] * goes_on
    assert played.history.errors == failures
    assert played.history.attempts == times + goes_on
    if not goes_on:
        assert type(played.ended) is kind


@pytest.mark.parametrize(("kind", "facts", "times", "_goes_on"), ROWS.values(), ids=list(ROWS))
def test_without_another_candidate_each_row_ends_in_its_class(kind, facts, times, _goes_on):
    failures = [error(kind, **facts) for _ in range(times)]

    played = play(plan_of("a"), failures, max_retries=2)

    assert type(played.ended) is kind
    assert played.ended.attempts == times


class UnheardOfError(RateLimitError):
    """An error of a class that the table does not name."""


@pytest.mark.parametrize(
    ("before", "failure"),
    [
        (ConnectionFailedError, error(ConnectionFailedError, sent=True)),
        (ServerError, error(MalformedResponseError)),
    ],
)
def test_what_is_retried_once_is_so_after_other_failures_too(before, failure):
    earlier = [error(before, sent=False) for _ in range(2)]

    played = play(plan_of("a"), [*earlier, failure, failure], max_retries=5)

    assert asked(played) == ["a"] * 4
    assert played.ended.stopped_by == "no_candidate"


def test_a_class_without_a_row_has_that_of_its_base():
    assert rule_for(UnheardOfError("x")) == rule_for(RateLimitError("x"))


@pytest.mark.parametrize("max_retries", [0, 1, 2, 5])
def test_max_retries_does_not_count_the_first_attempt(max_retries):
    failures = [error(ServerError)] * (max_retries + 1)

    played = play(plan_of("a"), failures, max_retries=max_retries)

    assert asked(played) == ["a"] * (max_retries + 1)


def test_each_candidate_has_retries_of_its_own():
    played = play(plan_of("a", "b"), [error(ServerError)] * 4, max_retries=1)

    assert asked(played) == ["a", "a", "b", "b"]


def test_an_answer_ends_the_call():
    played = play(plan_of("a", "b"), [reply()])

    assert answered_by(played) == "a"
    assert played.history.errors == []
    assert played.history.attempts == 1


# x-should-retry


@pytest.mark.parametrize("kind", [ServerError, RateLimitError, OverloadedError])
def test_should_retry_false_goes_to_the_next_at_once(kind):
    played = play(plan_of("a", "b"), [error(kind, should_retry=False), reply()])

    assert asked(played) == ["a", "b"]


def test_should_retry_false_ends_a_call_without_a_next():
    played = play(plan_of("a"), [error(ServerError, should_retry=False)])

    assert isinstance(played.ended, ServerError)


@pytest.mark.parametrize(
    ("kind", "times"),
    [
        (ModelNotFoundError, 3),
        (ContextLengthError, 3),
        (ProviderError, 3),
        (ServerError, 3),
        (AuthenticationError, 1),
        (QuotaExceededError, 1),
        (InvalidRequestError, 1),
    ],
)
def test_should_retry_true_tries_again_what_can_be_mended(kind, times):
    failures = [error(kind, should_retry=True)] * times

    played = play(plan_of("a"), failures, max_retries=2)

    assert asked(played) == ["a"] * times


def test_should_retry_true_does_not_open_the_way_to_the_next():
    failures = [error(ModelNotFoundError, should_retry=True)] * 2

    played = play(plan_of("a", "b"), failures, max_retries=1)

    assert asked(played) == ["a", "a"]


# Waits


@pytest.mark.parametrize(
    ("retry", "nominal_s"),
    [(0, 0.5), (1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 8.0), (9999, 8.0)],
)
def test_backoff_doubles_up_to_eight_seconds(retry, nominal_s):
    assert nominal_wait_s(error(ServerError), retry) == nominal_s


@pytest.mark.parametrize(("retry", "nominal_s"), [(0, 1.0), (1, 2.0), (2, 4.0), (3, 8.0), (4, 8.0)])
def test_the_base_is_a_second_when_throttled(retry, nominal_s):
    assert nominal_wait_s(error(RateLimitError), retry) == nominal_s


@pytest.mark.parametrize(("random", "expected_s"), [(0.0, 1.5), (0.5, 2.0), (1.0, 2.5)])
def test_backoff_has_jitter_of_a_quarter_both_ways(random, expected_s):
    assert jittered_s(2.0, random, announced=False) == expected_s


@pytest.mark.parametrize(
    ("announced_s", "random", "expected_s"),
    [(1.0, 0.0, 1.0), (1.0, 1.0, 1.5), (4.0, 0.5, 4.25), (30.0, 1.0, 33.0), (0.0, 1.0, 0.5)],
)
def test_an_announced_wait_has_jitter_upwards_only(announced_s, random, expected_s):
    assert jittered_s(announced_s, random, announced=True) == expected_s


@pytest.mark.parametrize("asked_s", [float("nan"), -1.0, float("inf"), float("-inf")])
def test_an_announced_wait_that_is_no_time_leaves_it_to_the_backoff(asked_s):
    assert nominal_wait_s(error(ServerError, retry_after_s=asked_s), 0) == 0.5


def test_the_providers_own_wait_counts_before_the_backoff():
    failure = error(ServerError, retry_after_s=7.5)

    played = play(plan_of("a"), [failure, reply()], random=0.0)

    assert played.effects == ["a 600", "wait 7.5", "a 592.5"]
    assert played.history.waited_s == 7.5


def test_the_backoff_grows_with_each_retry():
    played = play(plan_of("a"), [error(ServerError)] * 4, max_retries=3)

    assert [effect for effect in played.effects if "wait" in effect] == [
        "wait 0.5",
        "wait 1",
        "wait 2",
    ]
    assert played.history.waited_s == 3.5


def test_the_backoff_starts_anew_with_the_next_candidate():
    played = play(plan_of("a", "b"), [error(ServerError)] * 4, max_retries=1)

    assert [effect for effect in played.effects if "wait" in effect] == ["wait 0.5", "wait 0.5"]


def test_a_wait_of_zero_has_jitter_all_the_same():
    played = play(plan_of("a"), [error(RateLimitError, retry_after_s=0.0), reply()])

    assert played.effects == ["a 600", "wait 0.25", "a 599.75"]


@pytest.mark.parametrize(("asked_s", "expected"), [(2.0, ["a", "a"]), (2.001, ["a", "b"])])
def test_with_another_candidate_a_wait_is_two_seconds_at_most(asked_s, expected):
    outcomes = [error(RateLimitError, retry_after_s=asked_s), reply()]

    played = play(plan_of("a", "b"), outcomes, random=1.0)

    assert asked(played) == expected


@pytest.mark.parametrize(("asked_s", "times"), [(60.0, 2), (60.001, 1), (4294967.0, 1)])
def test_alone_a_wait_is_a_minute_at_most(asked_s, times):
    failures = [error(RateLimitError, retry_after_s=asked_s)] * times

    played = play(plan_of("a"), failures, max_retries=1)

    assert asked(played) == ["a"] * times
    assert type(played.ended) is RateLimitError
    assert played.ended.retry_after_s == asked_s


def test_the_last_candidate_waits_as_one_that_is_alone():
    outcomes = [error(QuotaExceededError), error(RateLimitError, retry_after_s=30.0), reply()]

    played = play(plan_of("a", "b"), outcomes)

    assert asked(played) == ["a", "b", "b"]
    assert "wait 31.5" in played.effects


def test_a_candidate_that_the_error_rules_out_is_no_reason_to_hurry():
    failure = error(ModelNotFoundError, should_retry=True, retry_after_s=30.0)

    played = play(plan_of("a", "b"), [failure, reply()])

    assert asked(played) == ["a", "a"]


@pytest.mark.parametrize(("asked_s", "times"), [(9.9, 2), (10.0, 1), (11.0, 1)])
def test_a_wait_that_does_not_fit_the_deadline_is_not_begun(asked_s, times):
    failures = [error(RateLimitError, retry_after_s=asked_s)] * times

    played = play(plan_of("a"), failures, timeout_s=10.0, max_retries=1)

    assert asked(played) == ["a"] * times
    assert type(played.ended) is RateLimitError
    assert played.ended.retry_after_s == asked_s


# Deadline and the cap of an attempt


def test_an_attempt_gets_half_of_what_is_left_while_another_remains():
    outcomes = [(error(DeadlineExceededError), 40.0), (error(DeadlineExceededError), 30.0), reply()]

    played = play(plan_of("a", "b", "c"), outcomes, timeout_s=100.0)

    assert played.effects == ["a 50", "b 30", "c 30"]


def test_an_explicit_attempt_timeout_caps_every_attempt():
    outcomes = [error(DeadlineExceededError), reply()]

    played = play(plan_of("a", "b"), outcomes, timeout_s=100.0, attempt_timeout_s=20.0)

    assert played.effects == ["a 20", "b 20"]


def test_an_attempt_at_its_explicit_limit_is_retried_where_there_is_no_other_candidate():
    outcomes = [(error(DeadlineExceededError), 15.0), (error(DeadlineExceededError), 15.0), reply()]

    played = play(plan_of("a"), outcomes, timeout_s=45.0, attempt_timeout_s=15.0)

    assert played.effects == ["a 15", "wait 0.5", "a 15", "wait 1", "a 13.5"]
    assert answered_by(played) == "a"


def test_a_providers_own_limit_is_as_explicit():
    plan = Plan([candidate("a", 0, timeout_s=7.0)], {}, "a", None)

    played = play(plan, [(error(DeadlineExceededError), 7.0), reply()], timeout_s=100.0)

    assert played.effects == ["a 7", "wait 0.5", "a 7"]


def test_an_attempt_cut_by_the_deadline_ends_the_call():
    played = play(plan_of("a"), [(error(DeadlineExceededError), 45.0)], timeout_s=45.0)

    assert played.effects == ["a 45"]
    assert type(played.ended) is DeadlineExceededError
    assert played.ended.stopped_by == "deadline"


def test_the_candidate_left_at_its_explicit_limit_is_asked_again_when_the_other_has_failed():
    outcomes = [(error(DeadlineExceededError), 20.0), error(QuotaExceededError), reply()]

    played = play(plan_of("a", "b"), outcomes, timeout_s=100.0, attempt_timeout_s=20.0)

    assert asked(played) == ["a", "b", "a"]
    assert answered_by(played) == "a"


def test_attempt_timeout_is_never_more_than_what_is_left():
    outcomes = [(error(DeadlineExceededError), 95.0), reply()]

    played = play(plan_of("a", "b", "c"), outcomes, timeout_s=100.0, attempt_timeout_s=200.0)

    assert played.effects == ["a 100", "b 5"]


def test_the_providers_own_timeout_caps_each_of_its_attempts():
    slow = [candidate("a", 0, timeout_s=7.0), candidate("b", 1, timeout_s=9.0)]

    played = play(Plan(slow, {}, "a", "b"), [error(QuotaExceededError), reply()], timeout_s=100.0)

    assert played.effects == ["a 7", "b 9"]


def test_the_deadline_holds_over_attempts_waits_and_hops():
    clock = Clock(0.0)
    outcomes = [(error(ServerError), 20.0), (error(ServerError), 10.0), (error(ServerError), 9.0)]

    played = play(plan_of("a", "b"), outcomes, clock, timeout_s=40.0, max_retries=1)

    # Of the 40 s 0.5 s are left: not enough for the wait of 0.5 s before b's retry.
    assert played.effects == ["a 20", "wait 0.5", "a 9.75", "b 9.5"]
    assert clock.now_s == 39.5
    assert type(played.ended) is ServerError


def test_at_the_deadline_the_error_lists_every_attempt():
    failures = [error(ServerError, "a: broke"), error(ServerError, "a: broke again")]
    outcomes = [(failures[0], 50.0), (failures[1], 50.0)]

    played = play(plan_of("a", "b"), outcomes, timeout_s=100.0, random=0.0)

    assert type(played.ended) is DeadlineExceededError
    assert isinstance(played.ended, TimeoutError)
    assert str(played.ended) == (
        "Provider error: the call's 100 s (timeout_seconds) are over: a: broke; a: broke again"
    )
    assert played.ended.errors == tuple(failures)
    assert played.ended.attempts == 2


def test_a_wait_that_oversleeps_ends_at_the_deadline():
    failure = error(RateLimitError, retry_after_s=5.0)

    played = play(plan_of("a"), [failure], timeout_s=10.0, late_s=30.0)

    assert asked(played) == ["a"]
    assert type(played.ended) is DeadlineExceededError
    assert played.ended.errors == (failure,)


def test_a_deadline_that_passes_before_the_first_attempt_is_a_deadline():
    ticks = iter(range(1000))
    steps = attempts(
        plan_of("a"), CallLimits(timeout_s=0.5), lambda: float(next(ticks)), lambda: 0.0
    )

    with pytest.raises(StopIteration) as stopped:
        next(steps)

    history, ended = stopped.value.value
    assert type(ended) is DeadlineExceededError
    assert str(ended) == (
        "Provider error: Routing failed: the call's 0.5 s (timeout_seconds) are over"
    )
    assert history.attempts == 0


def test_a_repeat_on_a_fresh_connection_gets_the_time_that_was_found_to_be_left():
    closed = error(
        ConnectionFailedError, sent=True, is_reused_connection=True, is_stale_connection=True
    )

    played = play(plan_of("a"), [closed, reply()], Clock(tick_s=0.5), timeout_s=1.5)

    assert played.effects == ["a 1", "a 0.5 fresh"]


def test_an_error_that_ends_the_call_stays_itself_after_the_deadline():
    played = play(plan_of("a", "b"), [(error(AuthenticationError), 500.0)], timeout_s=100.0)

    assert type(played.ended) is AuthenticationError


# Context windows and content policy


def test_context_length_goes_to_larger_windows_only():
    plan = plan_of("a", "b", "c", "d", a=100, b=100, c=99, d=101)

    played = play(plan, [error(ContextLengthError), reply()])

    assert asked(played) == ["a", "d"]


def test_context_length_goes_where_the_window_is_not_known():
    played = play(plan_of("a", "b", a=100), [error(ContextLengthError), reply()])

    assert asked(played) == ["a", "b"]


def test_context_length_of_a_model_with_an_unknown_window_goes_on():
    played = play(plan_of("a", "b", b=100), [error(ContextLengthError), reply()])

    assert asked(played) == ["a", "b"]


def test_context_length_without_a_larger_window_is_raised():
    played = play(plan_of("a", "b", a=100, b=100), [error(ContextLengthError)])

    assert type(played.ended) is ContextLengthError


def test_a_window_that_was_ruled_out_stays_out():
    plan = plan_of("a", "b", "c", a=100, b=200, c=100)

    played = play(plan, [error(ContextLengthError), error(QuotaExceededError)])

    assert asked(played) == ["a", "b"]
    assert type(played.ended) is ContextLengthError
    assert played.ended.stopped_by == "no_candidate"


def test_content_policy_goes_on_only_when_allowed():
    outcomes = [error(ContentPolicyError), reply()]

    played = play(plan_of("a", "b"), outcomes, fallback_on_content_policy=True)

    assert asked(played) == ["a", "b"]


# Candidates that are judged when their turn comes


def test_a_candidate_is_judged_when_its_turn_comes():
    plan = unjudged_plan("a", "b", "c")

    played = play(plan, [error(QuotaExceededError), reply()])

    assert asked(played) == ["a", "b"]
    assert plan.judge.judged == ["b"]


def test_a_candidate_that_is_not_judged_yet_counts_as_eligible():
    plan = unjudged_plan("a", "b", refused=["b"])

    played = play(plan, [reply()], timeout_s=100.0)

    assert played.effects == ["a 50"]
    assert plan.skipped == []


def test_a_refused_candidate_is_passed_over():
    plan = unjudged_plan("a", "b", "c", refused=["b"])

    played = play(plan, [error(QuotaExceededError), reply()])

    assert asked(played) == ["a", "c"]
    assert [each.provider for each in plan.skipped] == ["b"]
    assert [each.provider for each in plan.candidates] == ["a", "c"]


def test_a_candidate_that_was_left_for_refused_ones_goes_on_alone():
    plan = unjudged_plan("a", "b", "c", refused=["b", "c"])
    failure = error(ServerError, retry_after_s=5.0)

    played = play(plan, [failure, failure, reply()], random=0.0, timeout_s=100.0)

    assert played.effects == ["a 50", "wait 5", "a 95", "wait 5", "a 90"]


def test_a_candidate_that_was_cut_off_for_refused_ones_goes_on_alone():
    plan = unjudged_plan("a", "b", refused=["b"])

    played = play(plan, [(error(DeadlineExceededError), 50.0), reply()], timeout_s=100.0)

    assert played.effects == ["a 50", "a 50"]
    assert answered_by(played) == "a"


def test_a_candidate_without_retries_is_not_asked_again_after_it_was_cut_off():
    plan = unjudged_plan("a", "b", refused=["b"])
    outcomes = [(error(DeadlineExceededError), 50.0)]

    played = play(plan, outcomes, timeout_s=100.0, max_retries=0)

    assert played.effects == ["a 50"]
    assert type(played.ended) is DeadlineExceededError


def test_a_candidate_whose_error_forbids_a_retry_is_not_asked_again_after_it_was_cut_off():
    plan = unjudged_plan("a", "b", refused=["b"])
    outcomes = [(error(DeadlineExceededError, should_retry=False), 50.0)]

    played = play(plan, outcomes, timeout_s=100.0)

    assert played.effects == ["a 50"]
    assert type(played.ended) is DeadlineExceededError


def test_a_candidate_that_was_cut_off_for_one_that_was_asked_is_not_asked_again():
    plan = unjudged_plan("a", "b", "c", refused=["c"])
    outcomes = [(error(DeadlineExceededError), 50.0), error(QuotaExceededError)]

    played = play(plan, outcomes, timeout_s=100.0)

    assert asked(played) == ["a", "b"]
    assert type(played.ended) is DeadlineExceededError


def test_an_error_that_ends_a_call_judges_nobody():
    plan = unjudged_plan("a", "b")

    play(plan, [error(InvalidRequestError)])

    assert plan.judge.judged == []
