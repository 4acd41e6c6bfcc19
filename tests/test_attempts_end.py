"""How a call ends: its error, and its generator wherever it is left."""

from __future__ import annotations

import pickle

import pytest

from routing_course import (
    Clock,
    error,
    plan_of,
    play,
)
from specado.errors import (
    RateLimitError,
    ServerError,
)
from specado.routing.attempts import CallLimits, Send, Wait, attempts

# The error of the call


def test_the_error_has_the_class_and_the_facts_of_the_decisive_one():
    first = error(
        ServerError, "a: broke", provider="a", model="m1", status_code=500, request_id="1"
    )
    last = error(
        RateLimitError,
        "b: too many",
        provider="b",
        model="m2",
        status_code=429,
        code="rate_limit_exceeded",
        retry_after_s=90.0,
        request_id="req-2",
    )

    played = play(plan_of("a", "b"), [first, last], max_retries=0)
    ended = played.ended

    assert type(ended) is RateLimitError
    assert str(ended) == "Provider error: Routing failed: a: broke; b: too many"
    assert (ended.provider, ended.model, ended.status_code) == ("b", "m2", 429)
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

    assert str(played.ended) == "Provider error: Routing failed: a: broke"
    assert len(played.ended.errors) == 3


def test_the_error_of_the_call_survives_pickling():
    played = play(
        plan_of("a", "b"), [error(ServerError, "a"), error(RateLimitError, "b")], max_retries=0
    )

    again = pickle.loads(pickle.dumps(played.ended))

    assert type(again) is RateLimitError
    assert str(again) == "Provider error: Routing failed: a; b"
    assert [type(each) for each in again.errors] == [ServerError, RateLimitError]


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
    clock = Clock(0.0, tick_s=1.0)
    steps = attempts(plan_of("a"), CallLimits(timeout_s=1.5), clock, lambda: 0.5)
    clock.now_s = 1000.0

    assert next(steps).timeout_s == 0.5
