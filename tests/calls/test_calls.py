"""State of one call: simulation, outcomes, metadata of the reply."""

from __future__ import annotations

import json
import warnings

import pytest

from example_inputs import KEYS
from played_calls import call, drive, ok, refused
from specado import register_manifest
from specado.calls.call import check_providers
from specado.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    ContentPolicyError,
    DeadlineExceededError,
    MalformedResponseError,
    MessageFormatError,
    RateLimitError,
    RetiredModelWarning,
    ServerError,
    SimulatedReplyWarning,
)
from specado.settings.client_settings import resolve
from specado.transport import TransportFailure, WireReply


def claude():
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-6",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    return WireReply(200, {"request-id": "req-2"}, json.dumps(body).encode())


# Simulation


def test_without_any_credential_a_call_is_simulated_with_a_warning():
    with pytest.warns(SimulatedReplyWarning, match="OPENAI_API_KEY"):
        assert call(config=None).simulated


def test_the_warning_comes_once_a_process_and_names_the_provider_in_use():
    with pytest.warns(SimulatedReplyWarning) as warned:
        call("anthropic/claude-opus-5-5", config=None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        call("anthropic/claude-opus-5-5", config=None)
        call("gpt-5.4", config=None)

    assert str(warned[0].message) == (
        "no provider has an API key or an address: replies are simulated in this process. "
        "Set ANTHROPIC_API_KEY; simulate=True or False decides for good."
    )


def test_the_warning_as_an_error_stops_every_call():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            with pytest.raises(SimulatedReplyWarning):
                call(config=None)


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_with_any_credential_nothing_is_simulated(name):
    model = {"openai": "gpt-4o", "anthropic": "claude-opus-4-6"}[name]

    assert not call(model, {"providers": {name: {"api_key": "k"}}}).simulated


@pytest.mark.parametrize("config", [KEYS, {}])
def test_simulate_decides_for_good_and_silently(config):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert call(config={**config, "simulate": True}).simulated


def test_simulate_false_asks_for_a_key():
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        call(config={"simulate": False})


# Retired models


def test_a_retired_model_that_is_named_warns_once():
    with pytest.warns(RetiredModelWarning) as warned:
        call("claude-3-opus")

    assert [str(each.message) for each in warned] == [
        "anthropic retired 'claude-3-opus' on 2026-01-05; use 'claude-opus-4-8' instead"
    ]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        call("claude-3-opus-20240229")


OLD = {"deprecation_date": "2020-01-01", "pricing": {"input": 2.0, "output": 6.0}}
SERVED = {
    "dear": {"general": True, "pricing": {"input": 5.0, "output": 25.0}},
    "near": {"general": True, "pricing": {"input": 2.0, "output": 7.0}},
    "special": {"pricing": {"input": 2.0, "output": 6.0}},
    "leaving": {
        "general": True,
        "deprecation_date": "2999-01-01",
        "pricing": {"input": 2.0, "output": 6.0},
    },
    "unpriced": {"general": True},
}


@pytest.mark.parametrize(
    ("models", "advice"),
    [
        ({"old": OLD, **SERVED}, "; use 'near' instead"),
        ({"old": {**OLD, "successor": "dear"}, **SERVED}, "; use 'dear' instead"),
        ({"old": {**OLD, "successor": "leaving"}, **SERVED}, "; use 'leaving' instead"),
        (
            {"old": {**OLD, "successor": "older"}, "older": OLD, **SERVED},
            "; use 'near' instead",
        ),
        ({"old": {"deprecation_date": "2020-01-01"}, **SERVED}, "; use 'near' instead"),
        ({"old": OLD, "special": SERVED["special"]}, ""),
    ],
    ids=["nearest in price", "stated", "stated with a last day", "retired too", "unpriced", "none"],
)
def test_the_warning_names_a_successor(models, advice):
    register_manifest({"name": "mine", "base_url": "https://mine.example", "models": models})

    with pytest.warns(RetiredModelWarning) as warned:
        call("mine/old")

    assert str(warned[0].message) == f"mine retired 'old' on 2020-01-01{advice}"


def test_a_successor_is_a_model_of_its_manifest():
    models = {"old": {"deprecation_date": "2020-01-01", "successor": "new"}}

    with pytest.raises(ConfigurationError, match=r"models\.old\.successor 'new' is not in models"):
        register_manifest({"name": "mine", "base_url": "https://mine.example", "models": models})


def test_a_retired_model_among_the_fallback_models_warns():
    with pytest.warns(RetiredModelWarning, match="claude-3-opus"):
        call(fallback_models=["claude-3-opus"])


def test_a_retired_model_that_the_caller_did_not_name_is_skipped():
    register_manifest(
        {
            "name": "mine",
            "base_url": "https://mine.example",
            "models": {"old": {"deprecation_date": "2020-01-01"}},
            "fallback_for": {"gpt-4o": "old"},
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = call(config={**KEYS, "fallback_provider": "mine"})

    assert [each.model for each in found.plan.candidates] == ["gpt-4o"]
    assert found.plan.skipped[0].reason == "'old' was retired on 2020-01-01"


# What is checked before


@pytest.mark.parametrize("model", [None, 5, b"gpt-4o", ["gpt-4o"]])
def test_a_model_is_text(model):
    with pytest.raises(MessageFormatError, match="model must be a str"):
        call(model)


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"primary_provider": "opnai"}, "primary_provider"),
        ({"fallback_provider": "opnai"}, "fallback_provider"),
        ({"fallback_providers": ["openai", "opnai"]}, "fallback_providers"),
        ({"providers": {"opnai": {}}}, "providers"),
    ],
)
def test_a_setting_that_names_no_provider_is_refused(config, key):
    with pytest.raises(ConfigurationError, match=f"{key}: 'opnai' is not a provider") as caught:
        check_providers(resolve(config))

    assert caught.value.key == key


@pytest.mark.parametrize(
    ("given", "expected_s"),
    [({}, 600), ({"timeout": 9}, 9), ({"timeout_seconds": 8}, 8)],
)
def test_the_calls_timeout_counts_before_the_configs(given, expected_s):
    steps = call(config={**KEYS, "enable_fallback": False}, **given).steps()

    assert next(steps).timeout_s == pytest.approx(expected_s, abs=1)
    steps.close()


def test_the_calls_retries_count_before_the_configs():
    with pytest.raises(ConnectionFailedError) as caught:
        drive(
            call(config={**KEYS, "max_retries": 5}, max_retries=0, fallback_models=[]),
            [TransportFailure("connect", "refused", sent=False)],
        )

    assert caught.value.attempts == 1


# Outcomes


@pytest.mark.parametrize(
    ("kind", "sent", "expected"),
    [
        ("connect", False, ConnectionFailedError),
        ("reset", True, ConnectionFailedError),
        ("timeout", True, DeadlineExceededError),
        ("truncated", True, MalformedResponseError),
        ("protocol", True, MalformedResponseError),
        ("too_large", True, MalformedResponseError),
    ],
)
def test_each_failure_of_an_exchange_has_its_class(kind, sent, expected):
    one = call()

    candidate = one.plan.candidates[0]
    failure = TransportFailure(kind, "broke", sent=sent)
    error = one.failed(candidate, one.request_of(candidate), failure, 5.0)

    assert type(error) is expected
    assert (error.code, error.sent) == (kind, sent)
    assert (error.provider, error.model) == ("openai", "gpt-4o")
    assert error.message == "openai/gpt-4o: broke"


@pytest.mark.parametrize(
    "more",
    [
        {"finish_reason": "content_filter"},
        {"message": {"role": "assistant", "content": None, "refusal": "I will not."}},
    ],
)
def test_a_refusal_is_a_reply_unless_it_may_fall_back(more):
    plain = drive(call(), [ok(**more)])
    fallen_back = drive(
        call(config={**KEYS, "fallback_on_content_policy": True}), [ok(**more), claude()]
    )

    assert plain.extensions.provider_used == "openai"
    assert fallen_back.extensions.provider_used == "anthropic"
    with pytest.raises(ContentPolicyError):
        drive(
            call(config={**KEYS, "fallback_on_content_policy": True}, fallback_models=[]),
            [ok(**more)],
        )


def test_a_refusal_that_is_a_reply_is_told_as_an_answer():
    told = []
    config = {**KEYS, "hooks": {"on_attempt": told.append}}

    drive(call(config=config), [ok("No.", finish_reason="content_filter")])

    assert [(event.number, event.error) for event in told] == [(1, None)]


def test_a_key_that_a_provider_echoes_is_masked():
    keys = iter(["opaque-1", "opaque-2"])
    config = {"providers": {"openai": {"api_key": lambda: next(keys)}}}

    with pytest.raises(AuthenticationError) as caught:
        drive(call(config=config), [refused(401, "Incorrect API key provided: opaque-1")])

    assert str(caught.value).endswith("Incorrect API key provided: *** (HTTP 401, x)")
    assert next(keys) == "opaque-2"


# The reply


def test_an_answer_of_the_first_candidate():
    reply = drive(call(), [ok()])

    metadata = reply.extensions.metadata
    latency = metadata.pop("latency_ms")
    assert latency >= 0
    assert metadata == {
        "primary_provider": "openai",
        "fallback_provider": "anthropic",
        "fallback_used": False,
        "attempts": 1,
        "retry_delay_ms": 0.0,
        "dialect": "openai_chat",
        "simulated": False,
        "request_id": "req-1",
        "cost": {"usd": 0.0000125, "certainty": "exact"},
    }
    assert reply.extensions.provider_used == "openai"
    assert not reply.extensions.fallback_triggered
    assert reply.extensions.attempts == 1


def test_an_answer_of_the_fallback_tells_what_failed():
    replies = [refused(429, "slow down", retry_after="30", x_request_id="req-0"), claude()]

    reply = drive(call(seed=7), replies)

    metadata = reply.extensions.metadata
    assert reply.extensions.fallback_triggered
    assert reply.extensions.provider_used == "anthropic"
    assert metadata["fallback_used"]
    assert metadata["fallback_index"] == 0
    assert metadata["attempts"] == 2
    assert metadata["request_id"] == "req-2"
    assert metadata["provider_errors"] == ["openai/gpt-4o: slow down (HTTP 429, x)"]
    assert metadata["lossiness"].is_lossy


def test_a_skipped_candidate_is_named():
    reply = drive(call(config={"providers": {"openai": {"api_key": "k"}}}), [ok()])

    assert [(each["provider"], each["model"]) for each in reply.extensions.metadata["skipped"]] == [
        ("anthropic", "claude-sonnet-4-6")
    ]


def test_an_answer_after_a_refused_first_candidate_is_a_fallback():
    reply = drive(call("claude-opus-4-6", n=2), [ok()])

    assert reply.extensions.fallback_triggered
    assert reply.extensions.metadata["primary_provider"] == "anthropic"
    assert reply.extensions.metadata["fallback_provider"] == "openai"


def test_when_all_fail_the_error_lists_them():
    with pytest.raises(RateLimitError) as caught:
        drive(call(), [refused(429, "slow", retry_after="99"), refused(402, "pay")])

    assert str(caught.value) == (
        "Provider error: Routing failed: openai/gpt-4o: slow (HTTP 429, x); "
        "anthropic/claude-sonnet-4-6: pay (HTTP 402, x)"
    )
    assert caught.value.retry_after_s == 99.0
    assert [error.status_code for error in caught.value.errors] == [429, 402]
    assert caught.value.stopped_by == "no_candidate"


# What a peer echoes


def test_a_key_that_the_peer_sends_back_is_masked_whatever_the_failure():
    config = {
        "providers": {"openai": {"api_key": "key-one-4711", "headers": {"X-Gate": "gate-4711"}}}
    }
    one = call(config=config)
    candidate = one.plan.candidates[0]
    request = one.request_of(candidate)

    failed = one.failed(
        candidate,
        request,
        TransportFailure("protocol", "illegal status line: key-one-4711 gate-4711", sent=True),
        5.0,
    )
    refusal = one.read(candidate, request, refused(400, "you sent key-one-4711 and gate-4711"))

    assert failed.message == "openai/gpt-4o: illegal status line: *** ***"
    assert refusal.message == "openai/gpt-4o: you sent *** and *** (HTTP 400, x)"


# A key's callable that fails


def broken_key():
    raise OSError("the vault does not answer")


def test_a_fallback_whose_key_cannot_be_had_is_skipped_and_the_first_error_kept():
    config = {"providers": {"openai": {"api_key": "key"}, "anthropic": {"api_key": broken_key}}}
    one = call(config=config, max_retries=0)

    with pytest.raises(ServerError, match="HTTP 500") as caught:
        drive(one, [refused(500)])

    assert caught.value.attempts == 1


def test_a_later_candidate_is_asked_where_a_key_cannot_be_had():
    config = {
        "providers": {"openai": {"api_key": "key"}, "anthropic": {"api_key": broken_key}},
        "max_retries": 0,
    }
    one = call(config=config, fallback_models=["claude-opus-4-5", "gpt-4o-mini"])

    reply = drive(one, [refused(500), ok()])

    metadata = reply.extensions.metadata
    assert (metadata["attempts"], metadata["fallback_index"]) == (2, 1)
    assert metadata["skipped"] == [
        {
            "provider": "anthropic",
            "model": "claude-opus-4-5",
            "reason": "providers['anthropic']['api_key']: the callable failed with OSError",
        }
    ]


def test_what_the_first_candidates_callable_raises_comes_out_as_it_is():
    one = call(config={"providers": {"openai": {"api_key": broken_key}}})

    with pytest.raises(OSError, match="vault"):
        drive(one, [])
