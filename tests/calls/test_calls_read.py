"""State of one call: unusual replies, and failures caused by the caller."""

from __future__ import annotations

import json

import pytest

from example_inputs import KEYS
from played_calls import call, drive, ok
from specado import register_manifest
from specado.calls import call as call_module
from specado.calls.call import check_providers
from specado.errors import (
    AuthenticationError,
    ConfigurationError,
    MalformedResponseError,
    RateLimitError,
    ServerError,
    SimulatedReplyWarning,
)
from specado.settings.client_settings import resolve
from specado.transport import WireReply

# Errors inside a reply of status 200


def in_success(error):
    return WireReply(200, {}, json.dumps(error).encode())


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": "boom"}, MalformedResponseError),
        ({"error": {"message": "boom"}}, MalformedResponseError),
        ({"success": False, "message": "no"}, MalformedResponseError),
        ({"error": {"message": "x", "code": 502}}, ServerError),
        ({"error": {"message": "x", "code": 429}}, RateLimitError),
        ({"error": {"message": "x", "code": 401}}, AuthenticationError),
    ],
)
def test_an_error_in_a_success_has_the_class_that_it_tells(body, kind):
    one = call()
    candidate = one.plan.candidates[0]

    outcome = one.read(candidate, one.request_of(candidate), in_success(body))

    assert type(outcome) is kind


def test_a_success_without_an_answer_goes_to_the_next_candidate():
    anthropic = json.dumps(
        {
            "id": "msg_1",
            "model": "claude",
            "content": [{"type": "text", "text": "Hi"}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
    )

    reply = drive(call(), [in_success({"error": "boom"}), WireReply(200, {}, anthropic.encode())])

    assert reply.extensions.fallback_triggered is True
    assert reply.extensions.attempts == 2


def test_a_reply_that_begins_with_a_byte_order_mark_is_read():
    found = ok()
    marked = WireReply(200, found.headers, b"\xef\xbb\xbf" + found.body)

    assert drive(call(), [marked]).choices[0].message.content == "Hi"


# What counts from the caller's side


def test_the_deadline_counts_from_the_call_not_from_the_first_attempt(monkeypatch):
    one = call(timeout_seconds=5.0, fallback_models=[])
    started = one.started_s
    monkeypatch.setattr(call_module.time, "monotonic", lambda: started + 2.0)

    send = next(one.steps())

    assert send.timeout_s == 3.0


def test_a_simulated_call_asks_for_no_key():
    def asked():
        raise AssertionError("a simulated call asked for a key")

    config = {"providers": {"openai": {"api_key": asked}, "anthropic": {"api_key": asked}}}
    one = call("rate-limit-test-model", config=config)

    assert all(
        one.request_of(candidate).url.startswith("https://") for candidate in one.plan.candidates
    )


class Name(str):
    __slots__ = ()


def test_a_model_of_a_subclass_of_str_is_its_text():
    one = call(Name("gpt-4o"), fallback_models=[Name("claude-opus-4-5")])

    assert [type(each.model) for each in one.plan.candidates] == [str, str]


def test_a_keyless_provider_ends_simulation_only_where_it_is_named():
    register_manifest({"name": "mine", "base_url": "http://127.0.0.1:1/v1"})

    with pytest.warns(SimulatedReplyWarning):
        assert call(config={}).simulated is True
    assert call("mine/m", config={}).simulated is False
    assert call(config={"primary_provider": "mine"}).simulated is False


def test_a_model_map_names_registered_providers_and_may_repeat_the_prefix():
    mapped = {"gpt-4o": {"anthropic": "anthropic/claude-haiku-4-5"}}

    with pytest.raises(ConfigurationError, match="'antropic' is not a provider"):
        check_providers(resolve({"model_map": {"gpt-4o": {"antropic": "x"}}}))
    found = call(config={**KEYS, "model_map": mapped})
    assert found.plan.candidates[1].model == "claude-haiku-4-5"


@pytest.mark.parametrize("ending", [None, "zzz"])
def test_a_finish_reason_that_is_unknown_or_missing_is_never_shown_as_stop(ending):
    reply = drive(call(), [ok(finish_reason=ending)])

    assert reply.choices[0].finish_reason == ending
    assert reply.to_dict()["choices"][0]["finish_reason"] == ending
    assert len(reply.extensions.metadata["reply_notes"]) == 1
