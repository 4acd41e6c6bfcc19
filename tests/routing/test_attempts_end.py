"""How a call ends: its error, and its generator wherever it is left."""

from __future__ import annotations

import pickle

import pytest

from scripted_attempts import (
    Clock,
    answered_by,
    asked,
    error,
    plan_of,
    play,
    reply,
)
from specado.errors import (
    AuthenticationError,
    ConnectionFailedError,
    ContentPolicyError,
    ContextLengthError,
    DeadlineExceededError,
    InvalidRequestError,
    ModelNotFoundError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from specado.routing.attempts import CallLimits, Send, Wait, attempts

# The error of the call


def test_the_last_error_of_the_candidate_that_was_meant_decides():
    first = error(
        RateLimitError,
        "a: too many",
        provider="a",
        model="m2",
        status_code=429,
        code="rate_limit_exceeded",
        retry_after_s=90.0,
        request_id="req-2",
    )
    last = error(
        AuthenticationError, "b: wrong key", provider="b", model="m1", status_code=401, code="x"
    )

    played = play(plan_of("a", "b"), [first, last], max_retries=0)
    ended = played.ended

    assert type(ended) is RateLimitError
    assert str(ended) == "Provider error: Routing failed: a: too many; b: wrong key"
    assert (ended.provider, ended.model, ended.status_code) == ("a", "m2", 429)
    assert (ended.code, ended.retry_after_s, ended.request_id) == (
        "rate_limit_exceeded",
        90.0,
        "req-2",
    )
    assert ended.retryable
    assert ended.attempts == 2
    assert ended.errors == (first, last)


def test_a_text_that_comes_twice_is_said_once():
    played = play(plan_of("a"), [error(ServerError, "a: broke")] * 3)

    assert str(played.ended) == "Provider error: a: broke"
    assert len(played.ended.errors) == 3


def test_the_error_of_the_call_survives_pickling():
    played = play(
        plan_of("a", "b"),
        [error(ServerError, "a", provider="a"), error(RateLimitError, "b", provider="b")],
        max_retries=0,
    )

    again = pickle.loads(pickle.dumps(played.ended))

    assert type(again) is ServerError
    assert str(again) == "Provider error: Routing failed: a; b"
    assert [type(each) for each in again.errors] == [ServerError, RateLimitError]
    assert again.stopped_by == "max_retries"


@pytest.mark.parametrize(
    ("failures", "limits", "expected"),
    [
        ([error(ServerError)] * 3, {}, "max_retries"),
        ([error(ServerError)], {"max_retries": 0}, "max_retries"),
        ([error(AuthenticationError)], {}, "not_retryable"),
        ([error(InvalidRequestError)], {}, "not_retryable"),
        ([error(ContentPolicyError)], {}, "not_retryable"),
        ([error(ConnectionFailedError, retryable=False)], {}, "not_retryable"),
        ([error(ServerError, should_retry=False)], {}, "not_retryable"),
        ([error(QuotaExceededError)], {}, "no_candidate"),
        ([error(ContextLengthError)], {}, "no_candidate"),
        ([error(RateLimitError, retry_after_s=90.0)], {}, "no_candidate"),
        ([error(RateLimitError, retry_after_s=9.0)], {"timeout_s": 9.0}, "deadline"),
        ([(error(DeadlineExceededError), 9.0)], {"timeout_s": 9.0}, "deadline"),
        ([(error(ServerError), 9.0)], {"timeout_s": 9.0, "max_retries": 0}, "max_retries"),
    ],
)
def test_every_error_says_why_there_was_no_further_attempt(failures, limits, expected):
    played = play(plan_of("a"), failures, **limits)

    assert played.ended.stopped_by == expected


def test_with_fallbacks_the_candidate_asked_last_says_why():
    failures = [error(ServerError), error(QuotaExceededError)]

    played = play(plan_of("a", "b"), failures, max_retries=0)

    assert type(played.ended) is ServerError
    assert played.ended.stopped_by == "no_candidate"


def test_an_error_is_retryable_if_any_attempts_failure_was_passing():
    failures = [error(QuotaExceededError), error(ServerError)]

    played = play(plan_of("a", "b"), failures, max_retries=0)

    assert type(played.ended) is QuotaExceededError
    assert played.ended.retryable


@pytest.mark.parametrize("kind", [AuthenticationError, ModelNotFoundError])
def test_a_wrong_key_or_an_unknown_model_at_a_fallback_passes_over_it(kind):
    played = play(plan_of("a", "b", "c"), [error(ServerError), error(kind), reply()], max_retries=0)

    assert asked(played) == ["a", "b", "c"]
    assert answered_by(played) == "c"


def test_a_refusal_lets_the_last_error_decide_only_where_a_setting_says_so():
    failures = [error(ContentPolicyError), error(ServerError)]

    played = play(plan_of("a", "b"), failures, max_retries=0, fallback_on_content_policy=True)

    assert type(played.ended) is ServerError


# The generator


def test_it_may_be_closed_before_it_starts():
    steps = attempts(plan_of("a"), CallLimits(timeout_s=1.0), Clock(), lambda: 0.0)

    steps.close()

    assert list(steps) == []


@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_it_may_be_closed_at_any_point(after):
    steps = attempts(
        plan_of("a", "b"), CallLimits(timeout_s=60.0, max_retries=1), Clock(), lambda: 0.5
    )
    effect = next(steps)
    for _ in range(after - 1):
        effect = steps.send(error(ServerError) if isinstance(effect, Send) else None)

    steps.close()

    assert isinstance(effect, (Send, Wait))
    with pytest.raises(StopIteration):
        next(steps)


def test_what_a_driver_throws_in_comes_out():
    steps = attempts(plan_of("a"), CallLimits(timeout_s=60.0), Clock(), lambda: 0.5)
    next(steps)

    with pytest.raises(KeyboardInterrupt):
        steps.throw(KeyboardInterrupt())


def test_a_send_without_an_outcome_is_a_drivers_mistake():
    steps = attempts(plan_of("a"), CallLimits(timeout_s=60.0), Clock(), lambda: 0.5)
    next(steps)

    with pytest.raises(TypeError, match="a reply or an error"):
        steps.send(None)


def test_the_deadline_starts_with_the_call_and_runs_with_every_reading():
    clock = Clock(1000.0, tick_s=1.0)
    steps = attempts(plan_of("a"), CallLimits(timeout_s=1.5), clock, lambda: 0.5)

    assert next(steps).timeout_s == 0.5
