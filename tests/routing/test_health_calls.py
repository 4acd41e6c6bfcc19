"""Effect of shared health on a call: skipped candidates, waits, retry tokens.

The rules are played on the generator, with a clock that only the test moves.
"""

from __future__ import annotations

import pytest

from deployment_health import ONE, attempt, diverts, fail, take_token
from scripted_attempts import (
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
    ConfigurationError,
    ConnectionFailedError,
    ContentPolicyError,
    ContextLengthError,
    InvalidRequestError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from specado.routing.attempts import CallLimits, attempts
from specado.routing.health import Attempt, Deployment


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
