"""Ordinary incidents over real sockets: in none is a caller worse off than with a plain retry.

Numbers and waits are small; the kinds are those of outages: resets, bad gateways, rate limits,
overload of one model, lost idle connections, hanging servers, a fallback with a wrong key.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Optional

import pytest

import incident_server as s
import specado
from incident_server import IncidentServer
from reference_files import REPOSITORY

MODEL = "gpt-4.1"
OTHER_MODEL = "gpt-4.1-mini"
TO_OTHER_MODEL = [f"openai/{OTHER_MODEL}"]
TO_OTHER_PROVIDER = ["claude-sonnet-4-6"]
PATIENCE_S = 30.0
OVERRUN_S = 0.05
# How long a test may take beyond the waits that it is about, on a busy machine.
SLACK_S = 2.0
WAYS = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


class Ended(NamedTuple):
    """How a call ended, and how long it took."""

    reply: Optional[Any]
    error: Optional[specado.ProviderError]
    took_s: float


def client_of(server, *, other=None, key=s.KEY, **settings):
    """Return a client whose provider is *server*; *other* is Anthropic's address."""
    providers = {"openai": {"api_key": key, "base_url": server.url}}
    if other is not None:
        providers["anthropic"] = {"api_key": "sk-wrong-4711", "base_url": other}
    providers["openai"].update(settings.pop("provider", {}))
    common = {"simulate": False, "enable_fallback": False, "timeout_seconds": 20}
    common["fallback_provider"] = "anthropic"
    return specado.Client({**common, "providers": providers, **settings})


def ask(client, call="call 0", **given):
    """Make one call from this thread."""
    began_s = time.monotonic()
    model = given.pop("model", f"openai/{MODEL}")
    try:
        reply = client.chat.completions.create(model=model, messages=call, **given)
    except specado.ProviderError as error:
        return Ended(None, error, time.monotonic() - began_s)
    return Ended(reply, None, time.monotonic() - began_s)


async def ask_async(client, call="call 0", **given):
    """Make one call from this task."""
    began_s = time.monotonic()
    model = given.pop("model", f"openai/{MODEL}")
    try:
        reply = await client.chat.completions.create_async(model=model, messages=call, **given)
    except specado.ProviderError as error:
        return Ended(None, error, time.monotonic() - began_s)
    return Ended(reply, None, time.monotonic() - began_s)


def ask_many(client, count, *, is_async, at_once=None, header=None, **given):
    """Make *count* calls, *at_once* side by side; *header* names one whose value is the call's."""

    def arguments(number):
        call = f"call {number}"
        return {"call": call, **({"extra_headers": {header: call}} if header else {}), **given}

    if not is_async:
        with ThreadPoolExecutor(at_once or count) as threads:
            return list(
                threads.map(
                    lambda number: ask(client, **arguments(number)),
                    range(count),
                    timeout=PATIENCE_S,
                )
            )

    async def main():
        turn = asyncio.Semaphore(at_once or count)

        async def one(number):
            async with turn:
                return await ask_async(client, **arguments(number))

        tasks = [one(number) for number in range(count)]
        return await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE_S)

    return asyncio.run(main())


def errors_of(ended):
    """Return the errors of the calls that failed, as text."""
    return [str(each.error) for each in ended if each.error is not None]


def deployment(model=MODEL):
    """Return what is known of the one deployment of *model*."""
    (found,) = [each for each in specado.health()["deployments"] if each["model"] == model]
    return found


def side_by_side(play, ways):
    """Run *play* with the arguments of each way at once: most of its time is waiting."""
    with ThreadPoolExecutor(len(ways)) as threads:
        running = [threads.submit(play, *way) for way in ways]
        for each in running:
            each.result(PATIENCE_S)


def first_then(action, times=1):
    """Return the rule that answers the first *times* requests of each call with *action*."""
    return lambda arrival: action if arrival.nth <= times else s.answer(arrival)


# Twenty calls in flight, each met by one failure


@pytest.mark.parametrize("action", [s.RESET, s.failure(502)], ids=["reset", "502"])
def test_calls_in_flight_that_fail_once_all_succeed(action):
    def play(is_async):
        with IncidentServer(first_then(action), together=20) as server:
            ended = ask_many(client_of(server), 20, is_async=is_async)

        assert errors_of(ended) == []
        assert [each.reply.extensions.attempts for each in ended] == [2] * 20
        assert len(server.arrivals) == 40

    side_by_side(play, [(False,), (True,)])


def test_an_outage_of_connections_shorter_than_the_retries_fails_no_call():
    with IncidentServer(s.answer, refuses_s=0.7) as server:
        ended = ask_many(client_of(server, max_retries=4), 30, is_async=True)

    assert errors_of(ended) == []
    assert len(server.arrivals) == 30


def test_an_outage_of_service_shorter_than_the_retries_fails_no_call():
    def rule(arrival):
        return s.failure(503) if arrival.since_s < 0.7 else s.answer(arrival)

    with IncidentServer(rule) as server:
        ended = ask_many(client_of(server, max_retries=4), 30, is_async=False)

    assert errors_of(ended) == []


def test_calls_after_a_breaker_opened_are_made_and_retried_where_there_is_no_other():
    """The breaker only makes a call prefer another candidate."""

    def rule(arrival):
        is_failing = arrival.call == "call of the outage" or arrival.nth == 1
        return s.failure(500) if is_failing else s.answer(arrival)

    with IncidentServer(rule) as server:
        client = client_of(server)
        for _ in range(25):
            ask(client, "call of the outage", max_retries=0)
        state = deployment()["breaker"]["state"]
        ended = ask_many(client, 5, is_async=False)

    assert state == "open"
    assert errors_of(ended) == []
    assert [each.reply.extensions.attempts for each in ended] == [2] * 5


# Rate limits


def test_a_rate_limit_that_names_its_wait_fails_no_call():
    with IncidentServer(first_then(s.failure(429, retry_after=1), times=2)) as server:
        ended = ask_many(client_of(server, max_retries=8), 20, is_async=False)

    assert errors_of(ended) == []
    assert len(server.arrivals) == 60


def test_callers_told_to_wait_come_back_spread_and_never_early():
    rule = first_then(s.failure(429, retry_after=1))
    with IncidentServer(rule, together=50) as server:
        ended = ask_many(client_of(server), 50, is_async=True)

    assert errors_of(ended) == []
    told_s = server.arrivals[49].at_s  # all are told when the last of them has come
    back_s = [arrival.at_s - told_s for arrival in server.arrivals[50:]]
    assert len(back_s) == 50
    assert min(back_s) >= 1.0
    assert 0.2 <= max(back_s) - min(back_s) <= 0.5 + SLACK_S


def test_a_call_into_a_known_pause_of_a_lone_provider_waits_it_out():
    def rule(arrival):
        return s.failure(429, retry_after=1) if arrival.call == "told" else s.answer(arrival)

    def play(is_async):
        with IncidentServer(rule) as server:
            client = client_of(server)
            told = ask(client, "told", max_retries=0)
            ended = ask_many(client, 1, is_async=is_async)

        assert isinstance(told.error, specado.RateLimitError)
        assert errors_of(ended) == []
        assert ended[0].reply.extensions.attempts == 1
        waited_s = server.arrivals[1].at_s - server.arrivals[0].at_s
        assert 1.0 <= waited_s <= 1.5 + SLACK_S

    side_by_side(play, [(False,), (True,)])


@WAYS
def test_a_call_that_a_pause_does_not_fit_is_asked_once(is_async):
    def rule(arrival):
        return s.answer(arrival) if arrival.call == "call 1" else s.failure(429, retry_after=30)

    with IncidentServer(rule) as server:
        client = client_of(server, max_retries=5, timeout_seconds=3)
        ask(client, "told", max_retries=0)
        refused, answered = ask_many(client, 2, is_async=is_async, at_once=1)

    assert isinstance(refused.error, specado.RateLimitError)
    assert refused.error.attempts == 1
    assert refused.error.stopped_by == "deadline"
    assert refused.error.retry_after_s == pytest.approx(30, abs=1)
    assert refused.took_s < 1.0
    assert answered.error is None
    assert answered.reply.extensions.attempts == 1
    assert answered.took_s < 1.0
    assert len(server.arrivals) == 3


def test_a_short_pause_is_waited_for_and_a_long_one_sends_the_call_to_the_fallback():
    def rule(arrival):
        waits = {"short": 1, "long": 20}
        is_told = arrival.model == MODEL and arrival.nth == 1 and arrival.call in waits
        return s.failure(429, retry_after=waits[arrival.call]) if is_told else s.answer(arrival)

    with IncidentServer(rule) as server:
        client = client_of(server)
        short = ask(client, "short", fallback_models=TO_OTHER_MODEL)
        long = ask(client, "long", fallback_models=TO_OTHER_MODEL)
        later = ask(client, "later", fallback_models=TO_OTHER_MODEL)

    assert (short.error, short.reply.model) == (None, MODEL)
    assert (long.error, long.reply.model) == (None, OTHER_MODEL)
    assert long.took_s < 1.0
    assert (later.error, later.reply.model) == (None, OTHER_MODEL)


@pytest.mark.parametrize("apart_s", [3600, -3600], ids=["ahead", "behind"])
def test_a_date_to_come_back_at_is_measured_by_the_replys_own_clock(apart_s):
    now_s = time.time() + apart_s
    said = {
        "Date": email.utils.formatdate(now_s, usegmt=True),
        "Retry-After": email.utils.formatdate(now_s + 1, usegmt=True),
    }
    with IncidentServer(lambda _: s.failure(429, **said)) as server:
        ended = ask(client_of(server, max_retries=0))

    assert ended.error.retry_after_s == 1.0


def test_an_exhausted_quota_of_a_lone_provider_is_asked_about_every_time():
    with IncidentServer(lambda _: s.failure(429, "insufficient_quota")) as server:
        ended = ask_many(client_of(server), 4, is_async=False, at_once=1)

    assert [type(each.error) for each in ended] == [specado.QuotaExceededError] * 4
    assert [each.error.attempts for each in ended] == [1] * 4
    assert len(server.arrivals) == 4


# Failures that go on


def test_an_error_in_every_fourth_call_for_long_fails_no_call():
    """One call in four meets a 500, one in sixteen two of them."""

    def rule(arrival):
        number = int(arrival.call.split()[1])
        fails = (number % 4 == 0) + (number % 16 == 0)
        return s.failure(500) if arrival.nth <= fails else s.answer(arrival)

    def play(is_async):
        with IncidentServer(rule) as server:
            client = client_of(server, max_retries=3)
            ended = ask_many(client, 400, is_async=is_async, at_once=64)

        assert errors_of(ended) == []
        assert len(server.arrivals) == 400 + 100 + 25

    side_by_side(play, [(False,), (True,)])


def test_an_overloaded_model_leaves_another_of_the_same_provider_alone():
    def rule(arrival):
        return s.failure(529) if arrival.model == MODEL else s.answer(arrival)

    with IncidentServer(rule) as server:
        client = client_of(server, max_retries=1)
        ended = ask_many(client, 16, is_async=False, at_once=4, fallback_models=TO_OTHER_MODEL)

    assert errors_of(ended) == []
    assert [each.reply.model for each in ended] == [OTHER_MODEL] * 16
    assert deployment(OTHER_MODEL)["breaker"]["state"] == "closed"
    assert deployment(OTHER_MODEL)["breaker"]["failures"] == 0
    assert len(server.of_model(OTHER_MODEL)) == 16


@pytest.mark.parametrize("header", [None, "X-Request-Id", "traceparent"])
def test_a_header_that_differs_by_call_shares_the_state(header):
    """Twenty failures in ten seconds open the breaker; the calls after it go to the fallback."""

    def rule(arrival):
        return s.failure(500) if arrival.model == MODEL else s.answer(arrival)

    with IncidentServer(rule) as server:
        client = client_of(server, max_retries=0)
        given = {"fallback_models": TO_OTHER_MODEL, "header": header}
        ended = ask_many(client, 40, is_async=False, at_once=1, **given)

    assert errors_of(ended) == []
    assert 5 <= len(server.of_model(MODEL)) <= 20
    assert len(server.of_model(OTHER_MODEL)) == 40
    assert Counter(each["model"] for each in specado.health()["deployments"]) == {
        MODEL: 1,
        OTHER_MODEL: 1,
    }


def test_what_authenticates_makes_a_key_and_other_headers_do_not():
    with IncidentServer(lambda _: s.failure(500)) as server:
        settings = {"max_retries": 0}
        of_a_team = {"headers": {"X-Team": "search"}}
        of_an_organisation = {"headers": {"OpenAI-Organization": "org-4711"}}
        ask(client_of(server, **settings))
        ask(client_of(server, **settings), extra_headers={"X-Request-Id": "4711"})
        ask(client_of(server, provider=of_a_team, **settings))
        ask(client_of(server, key="sk-another-4711", **settings))
        ask(client_of(server, provider=of_an_organisation, **settings))
        health = specado.health()

    assert [each["breaker"]["attempts"] for each in health["deployments"]] == [3, 1, 1]
    assert len({each["key"] for each in health["deployments"]}) == 3
    assert "4711" not in json.dumps(health)


# Retries that add up


def test_callers_of_a_failing_server_do_not_become_a_storm():
    lasts_s = 2.0
    with IncidentServer(lambda _: s.failure(500)) as server:
        client = client_of(server, max_retries=2, timeout_seconds=4)
        began_s = time.monotonic()
        calls = []

        def caller(number):
            while time.monotonic() - began_s < lasts_s:
                calls.append(ask(client, f"caller {number}"))

        with ThreadPoolExecutor(200) as threads:
            list(threads.map(caller, range(200), timeout=PATIENCE_S))
        took_s = time.monotonic() - began_s

    assert len(calls) >= 200
    assert {type(each.error) for each in calls} <= {
        specado.ServerError,
        specado.DeadlineExceededError,
    }
    assert len(server.arrivals) <= 2 * len(calls) + 500 + 10 * took_s


def test_an_empty_retry_budget_delays_retries_and_says_so_at_the_deadline():
    """300 calls would make 600 retries: 500 are in the budget, ten a second come back."""
    with IncidentServer(lambda _: s.failure(500), together=300) as server:
        client = client_of(server, max_retries=2, timeout_seconds=4)
        began_s = time.monotonic()
        ended = ask_many(client, 300, is_async=True)
        took_s = time.monotonic() - began_s

    reasons = Counter(each.error.stopped_by for each in ended)
    assert set(reasons) - {"deadline"} == {"max_retries", "retry_budget"}
    assert reasons["deadline"] <= 20  # a retry that came just before it, on a busy machine
    assert 800 <= len(server.arrivals) <= 800 + 10 * took_s
    assert all(each.error.attempts == 3 for each in ended if each.error.stopped_by == "max_retries")
    assert deployment()["retry_budget"] < 20


def test_a_lone_call_waits_for_the_retry_budget_and_succeeds():
    """Twelve retries more than the budget has: ten a second come back."""
    with IncidentServer(first_then(s.failure(500)), together=512) as server:
        ended = ask_many(client_of(server, max_retries=1), 512, is_async=True)

    assert errors_of(ended) == []
    assert len(server.arrivals) == 1024
    assert server.arrivals[-1].at_s - server.arrivals[511].at_s >= 1.2


def test_a_retry_budget_that_is_off_delays_nothing():
    """Sixty retries more than the budget has would take six seconds."""
    with IncidentServer(first_then(s.failure(500)), together=560) as server:
        client = client_of(server, max_retries=1, retry_budget=False)
        ended = ask_many(client, 560, is_async=True)

    assert errors_of(ended) == []
    assert server.arrivals[-1].at_s - server.arrivals[559].at_s < 0.625 + SLACK_S


@pytest.mark.parametrize("place", ["client", "provider"])
def test_a_breaker_that_is_off_never_diverts_a_call(place):
    def rule(arrival):
        return s.failure(500) if arrival.model == MODEL else s.answer(arrival)

    setting = {"breaker": False}
    settings = setting if place == "client" else {"provider": setting}
    with IncidentServer(rule) as server:
        client = client_of(server, max_retries=0, **settings)
        given = {"fallback_models": TO_OTHER_MODEL}
        ended = ask_many(client, 30, is_async=False, at_once=1, **given)

    assert errors_of(ended) == []
    assert len(server.of_model(MODEL)) == 30


# Connections that the server has left


def loses_kept_connections(action):
    """Return the rule that gives *action* to every request on a connection used before."""
    return lambda arrival: action if arrival.on_connection > 1 else s.answer(arrival)


@WAYS
@pytest.mark.parametrize("action", [s.RESET, s.CLOSE], ids=["reset", "close"])
def test_an_idle_connection_that_was_lost_costs_a_call_nothing(action, is_async):
    with IncidentServer(loses_kept_connections(action)) as server:
        client = client_of(server, max_retries=0)
        ended = ask_many(client, 8, is_async=is_async, at_once=1)
        found = deployment()
        health = specado.health()

    assert errors_of(ended) == []
    assert [each.reply.extensions.attempts for each in ended] == [1] + [2] * 7
    notes = [each.reply.extensions.metadata.get("reply_notes", []) for each in ended]
    assert notes[0] == []
    assert all(any("connection" in str(note) for note in each) for each in notes[1:])
    assert (found["breaker"]["state"], found["breaker"]["failures"]) == ("closed", 0)
    assert found["retry_budget"] == 500
    assert found["last_error"] is None
    assert all(each["breaker"]["failures"] == 0 for each in health["addresses"])


@WAYS
def test_an_idle_connection_that_was_lost_costs_a_stream_nothing(is_async):
    with IncidentServer(loses_kept_connections(s.RESET)) as server:
        client = client_of(server, max_retries=0)

        async def main():
            await ask_async(client, "first")
            ended = await ask_async(client, stream=True)
            assert ended.error is None
            return ended.reply, [chunk async for chunk in ended.reply]

        if is_async:
            stream, chunks = asyncio.run(main())
        else:
            ask(client, "first")
            ended = ask(client, stream=True)
            assert ended.error is None
            stream, chunks = ended.reply, list(ended.reply)

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == "reply to call 0"
    assert stream.extensions.attempts == 2


@WAYS
def test_the_repeat_goes_over_a_fresh_connection_though_others_are_idle(is_async):
    with IncidentServer(loses_kept_connections(s.RESET), together=5) as server:
        client = client_of(server, max_retries=0)

        async def main():
            calls = [ask_async(client, f"first {number}") for number in range(5)]
            await asyncio.wait_for(asyncio.gather(*calls), PATIENCE_S)
            return await ask_async(client)

        if is_async:
            ended = asyncio.run(main())
        else:
            ask_many(client, 5, is_async=False)
            ended = ask(client)

    assert ended.error is None
    assert ended.reply.extensions.attempts == 2
    assert (server.connections, len(server.arrivals)) == (6, 7)


@WAYS
def test_the_repeat_is_made_once(is_async):
    def rule(arrival):
        return s.answer(arrival) if arrival.number == 1 else s.RESET

    with IncidentServer(rule) as server:
        ended = ask_many(client_of(server, max_retries=0), 2, is_async=is_async, at_once=1)

    assert ended[0].error is None
    assert type(ended[1].error) is specado.ConnectionFailedError
    assert ended[1].error.attempts == 2
    assert ended[1].error.stopped_by == "max_retries"
    assert len(server.arrivals) == 3


def test_a_kept_connection_that_closes_late_is_a_reset_after_sending():
    late = s.CLOSE._replace(delay_s=1.3)
    with IncidentServer(loses_kept_connections(late)) as server:
        ended = ask_many(client_of(server, max_retries=0), 2, is_async=False, at_once=1)

    assert ended[0].error is None
    assert type(ended[1].error) is specado.ConnectionFailedError
    assert (ended[1].error.attempts, ended[1].error.sent) == (1, True)
    assert len(server.arrivals) == 2


def test_a_connection_that_falls_silent_is_left_for_another_attempt():
    limit = {"attempt_timeout_seconds": 0.2}

    def play(place, is_async):
        settings = {"client": limit, "call": {}, "provider": {"provider": limit}}[place]
        given = limit if place == "call" else {}
        with IncidentServer(loses_kept_connections(s.HANG)) as server:
            client = client_of(server, max_retries=2, timeout_seconds=10, **settings)
            ended = ask_many(client, 2, is_async=is_async, at_once=1, **given)

        assert errors_of(ended) == []
        assert ended[1].reply.extensions.attempts == 2
        assert 0.2 <= ended[1].took_s <= 0.2 + 0.625 + SLACK_S
        assert len(server.arrivals) == 3

    places = ("client", "call", "provider")
    side_by_side(play, [(place, is_async) for place in places for is_async in (False, True)])


# Which error decides


@WAYS
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429, 500, 529])
def test_the_error_of_the_candidate_that_was_meant_decides(status, is_async):
    with (
        IncidentServer(lambda _: s.failure(503)) as server,
        IncidentServer(lambda _: s.failure(status)) as other,
    ):
        client = client_of(server, other=other.url, max_retries=0)
        (ended,) = ask_many(client, 1, is_async=is_async, fallback_models=TO_OTHER_PROVIDER)

    error = ended.error
    assert type(error) is specado.OverloadedError
    assert (error.provider, error.status_code, error.retryable) == ("openai", 503, True)
    assert [each.status_code for each in error.errors] == [503, status]
    assert [each.provider for each in error.errors] == ["openai", "anthropic"]
    assert "anthropic" in str(error)
    assert error.stopped_by in ("no_candidate", "max_retries", "not_retryable")
    assert "sk-wrong-4711" not in str(error)


def test_a_wrong_key_of_a_fallback_skips_it_and_the_call_goes_on():
    def rule(arrival):
        return s.failure(503) if arrival.model == MODEL else s.answer(arrival)

    with IncidentServer(rule) as server, IncidentServer(lambda _: s.failure(401)) as other:
        client = client_of(server, other=other.url, max_retries=0)
        ended = ask(client, fallback_models=[*TO_OTHER_PROVIDER, *TO_OTHER_MODEL])

    assert ended.error is None
    assert ended.reply.model == OTHER_MODEL
    assert ended.reply.extensions.attempts == 3


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "AuthenticationError"), (404, "ModelNotFoundError")]
)
def test_a_wrong_key_or_model_that_was_meant_raises_at_once(status, kind):
    def rule(arrival):
        return s.failure(status) if arrival.model == MODEL else s.answer(arrival)

    with IncidentServer(rule) as server:
        ended = ask(client_of(server), fallback_models=TO_OTHER_MODEL)

    assert type(ended.error).__name__ == kind
    assert ended.error.stopped_by == "not_retryable"
    assert len(server.arrivals) == 1


def test_an_error_is_retryable_if_any_attempt_failed_in_passing():
    with (
        IncidentServer(lambda _: s.failure(402)) as server,
        IncidentServer(lambda _: s.failure(503)) as other,
    ):
        client = client_of(server, other=other.url, max_retries=0)
        ended = ask(client, fallback_models=TO_OTHER_PROVIDER)

    assert type(ended.error) is specado.QuotaExceededError
    assert ended.error.retryable is True


# Why there was no further attempt


@WAYS
@pytest.mark.parametrize(
    ("reason", "action", "given", "attempts"),
    [
        ("max_retries", s.failure(500, retry_after_ms=20), {"max_retries": 1}, 2),
        ("max_retries", s.failure(500), {"max_retries": 0}, 1),
        ("deadline", s.HANG, {"timeout_seconds": 0.3}, 1),
        ("deadline", s.failure(503, retry_after=9), {"timeout_seconds": 3}, 1),
        ("not_retryable", s.failure(400), {}, 1),
        ("not_retryable", s.failure(401), {}, 1),
    ],
)
def test_an_error_says_why_there_was_no_further_attempt(reason, action, given, attempts, is_async):
    with IncidentServer(lambda _: action) as server:
        (ended,) = ask_many(client_of(server), 1, is_async=is_async, **given)

    assert ended.error.stopped_by == reason
    assert ended.error.attempts == len(server.arrivals) == attempts


def test_an_error_says_that_no_candidate_is_left():
    with IncidentServer(lambda _: s.failure(402)) as server:
        client = client_of(server, other=server.url)
        ended = ask(client, fallback_models=TO_OTHER_PROVIDER)

    assert ended.error.stopped_by == "no_candidate"
    assert ended.error.attempts == len(server.arrivals) == 2


# The deadline


def timer_lateness_s(seconds, *, is_async):
    """Return by how much a bare timer is late."""

    async def main():
        began_s = time.monotonic()
        await asyncio.sleep(seconds)
        return time.monotonic() - began_s - seconds

    if is_async:
        return asyncio.run(main())
    began_s = time.monotonic()
    threading.Event().wait(seconds)
    return time.monotonic() - began_s - seconds


HANGING = {
    "silent": s.HANG,
    "half a reply": s.Action(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"),
    "failing, with waits": s.failure(500, retry_after_ms=50),
}


@WAYS
@pytest.mark.parametrize("name", HANGING)
def test_a_deadline_is_kept_as_well_as_a_bare_timer_keeps_it(name, is_async):
    deadline_s = 0.4
    settings = {"max_retries": 20, "timeout_seconds": deadline_s}
    overruns = []
    with IncidentServer(lambda _: HANGING[name]) as server, ThreadPoolExecutor(1) as other:
        for _ in range(3):  # another process may have had the processor
            timer = other.submit(timer_lateness_s, deadline_s, is_async=is_async)
            (ended,) = ask_many(client_of(server, **settings), 1, is_async=is_async)
            late_s = max(timer.result(PATIENCE_S), 0.0)
            overruns.append(ended.took_s - deadline_s - late_s)
            if overruns[-1] <= OVERRUN_S:
                break

    assert ended.error.stopped_by == "deadline"
    assert min(overruns) <= OVERRUN_S


# What is known of the providers


def test_health_is_plain_data_without_keys():
    def rule(arrival):
        return s.failure(500) if arrival.call == "fails" else s.answer(arrival)

    key = "sk-secret-0815"
    with IncidentServer(rule) as server:
        client = client_of(server, key=key, max_retries=0)
        ask(client, "works")
        ask(client, "fails")
        health = specado.health()
        found = deployment()

    assert set(health) >= {"deployments", "addresses", "keys"}
    assert json.loads(json.dumps(health)) == health
    assert key not in json.dumps(health)
    assert "0815" not in json.dumps(health)
    assert found["provider"] == "openai"
    assert server.url.startswith(found["address"]) or found["address"] == server.url
    assert (found["breaker"]["state"], found["breaker"]["failures"]) == ("closed", 1)
    assert found["breaker"]["attempts"] == 2
    assert (found["pause_s"], found["last_error"]) == (0, "ServerError")
    assert found["retry_budget"] == 500


def test_health_shows_a_pause_and_a_refused_key():
    def rule(arrival):
        is_throttled = arrival.call == "throttled"
        return s.failure(429, retry_after=20) if is_throttled else s.failure(401)

    with IncidentServer(rule) as server:
        client = client_of(server, max_retries=0)
        ask(client, "throttled")
        paused = deployment()["pause_s"]
        ask(client, "refused", timeout_seconds=5)
        (key,) = specado.health()["keys"]

    assert 18 <= paused <= 20
    assert 55 <= key["avoided_for_s"] <= 60


def test_resetting_the_state_forgets_everything_and_simulation_leaves_none():
    with IncidentServer(lambda _: s.failure(500)) as server:
        ask(client_of(server, max_retries=0))
    before = specado.health()

    specado.reset_state()
    simulated = specado.Client({"simulate": True, "max_retries": 0})
    with pytest.raises(specado.ServerError):
        simulated.chat.completions.create("server-error-test-model", "hi", fallback_models=[])

    assert len(before["deployments"]) == 1
    after = specado.health()
    assert (after["deployments"], after["addresses"], after["keys"]) == ([], [], [])


# The script


SCRIPT = REPOSITORY / "scripts" / "incidents.py"


@pytest.mark.skipif(not SCRIPT.exists(), reason="only in a checkout")
def test_the_script_plays_an_incident_against_both_libraries():
    command = [sys.executable, str(SCRIPT), "--only", "bad-gateway", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")
    rows = [line for line in done.stdout.splitlines() if line.startswith("| 20 calls in flight")]
    assert [row.split(" | ")[1] for row in rows] == ["**specado**", "openai"]
