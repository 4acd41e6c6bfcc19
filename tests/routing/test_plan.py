"""Plan of a call: eligible candidates, their bodies, and the reasons of the others."""

from __future__ import annotations

import json
from datetime import date

import pytest

from example_inputs import KEYS
from scripted_attempts import judge_all
from specado import register_manifest
from specado._core import normalize
from specado.endpoints.access import Access
from specado.errors import ConfigurationError, LossyTranslationError, MessageFormatError
from specado.routing.plan import Request, make_plan
from specado.settings.client_settings import resolve
from specado.settings.parameters import check

TODAY = date(2026, 11, 22)
OPENAI_ONLY = {"providers": {"openai": {"api_key": "sk-openai"}}}
ANTHROPIC_ONLY = {"providers": {"anthropic": {"api_key": "sk-ant-key"}}}
TUNING = {"seed": 7}  # Low on Anthropic, of kind tuning
CONTRACT = {"n": 2}  # High on Anthropic, of kind contract


def plan(model="gpt-4o", config=KEYS, messages="Hello", simulated=False, **given):
    settings = resolve(config)
    parameters, options = check(given)
    request = Request(model, normalize(messages), parameters, options)
    found = make_plan(request, settings, Access(settings), TODAY, simulated=simulated)
    judge_all(found)
    return found


def names(found):
    return [f"{each.provider}/{each.model}" for each in found.candidates]


def body(candidate):
    return json.loads(candidate.encoded.body)


def test_both_candidates_stand_ready():
    found = plan()

    assert names(found) == ["openai/gpt-4o", "anthropic/claude-sonnet-4-6"]
    assert [each.index for each in found.candidates] == [0, 1]
    assert [each.fallback_index for each in found.candidates] == [None, 0]
    assert found.skipped == []
    assert (found.primary_provider, found.fallback_provider) == ("openai", "anthropic")
    assert body(found.candidates[0])["model"] == "gpt-4o"
    assert body(found.candidates[1])["model"] == "claude-sonnet-4-6"


def test_the_primary_provider_is_the_first_candidates():
    found = plan("claude-opus-4-5")

    assert (found.primary_provider, found.fallback_provider) == ("anthropic", "openai")


def test_a_call_without_fallback_has_no_fallback_provider():
    found = plan(config={**KEYS, "enable_fallback": False})

    assert names(found) == ["openai/gpt-4o"]
    assert found.fallback_provider is None


# Credentials


def test_a_first_candidate_without_credentials_names_the_variable():
    with pytest.raises(ConfigurationError) as caught:
        plan(config=ANTHROPIC_ONLY)

    assert str(caught.value) == (
        "Configuration error: no API key for 'openai': set OPENAI_API_KEY, "
        "or providers['openai']['api_key']"
    )
    assert not isinstance(caught.value, LossyTranslationError)


def test_a_fallback_without_credentials_is_skipped_with_the_reason():
    found = plan(config=OPENAI_ONLY)

    assert names(found) == ["openai/gpt-4o"]
    assert [(each.provider, each.model, each.reason) for each in found.skipped] == [
        (
            "anthropic",
            "claude-sonnet-4-6",
            (
                "no API key for 'anthropic': set ANTHROPIC_API_KEY, "
                "or providers['anthropic']['api_key']"
            ),
        )
    ]
    assert found.fallback_provider == "anthropic"


def test_a_simulated_call_needs_no_credentials():
    assert names(plan(config={}, simulated=True)) == [
        "openai/gpt-4o",
        "anthropic/claude-sonnet-4-6",
    ]


def test_a_broken_key_of_a_fallback_only_skips_it(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-“quoted”")

    found = plan(config=OPENAI_ONLY)

    assert names(found) == ["openai/gpt-4o"]
    assert "ANTHROPIC_API_KEY has characters" in found.skipped[0].reason
    assert "quoted" not in found.skipped[0].reason


def test_a_broken_key_of_the_first_candidate_is_raised(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-“quoted”")

    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY has characters") as caught:
        plan(config=ANTHROPIC_ONLY)

    assert "quoted" not in str(caught.value)


def test_a_provider_with_nothing_to_offer_is_skipped_with_what_to_do():
    register_manifest({"name": "corp", "base_url": "https://corp.example/v1"})

    found = plan(config={**KEYS, "fallback_providers": ["corp", "anthropic"]})

    assert names(found) == ["openai/gpt-4o", "anthropic/claude-sonnet-4-6"]
    assert (found.skipped[0].provider, found.skipped[0].model) == ("corp", None)
    assert "name one in model_map" in found.skipped[0].reason
    assert [each.fallback_index for each in found.candidates] == [None, 1]


# Strictness


@pytest.mark.parametrize(
    ("strictness", "given", "candidates"),
    [
        ("strict", {}, 2),
        ("strict", TUNING, 1),
        ("strict", CONTRACT, 1),
        ("warn", TUNING, 2),
        ("warn", CONTRACT, 1),
        ("coerce", TUNING, 2),
        ("coerce", CONTRACT, 2),
    ],
)
def test_strictness_leaves_out_a_fallback_that_loses_too_much(strictness, given, candidates):
    by_config = plan(config={**KEYS, "strictness": strictness}, **given)
    by_call = plan(strictness=strictness, **given)

    assert len(by_config.candidates) == candidates
    assert names(by_call) == names(by_config)


def test_the_calls_strictness_counts_before_the_configs():
    found = plan(config={**KEYS, "strictness": "strict"}, strictness="coerce", **CONTRACT)

    assert len(found.candidates) == 2


def test_a_refused_candidate_is_skipped_with_the_reason():
    found = plan(**CONTRACT)

    assert [(each.provider, each.model, each.reason) for each in found.skipped] == [
        (
            "anthropic",
            "claude-sonnet-4-6",
            "strictness 'warn' refuses a loss: n: one answer a request",
        )
    ]


def test_strictness_refuses_the_first_candidate_too():
    found = plan("claude-opus-4-5", **CONTRACT)

    assert names(found) == ["openai/gpt-5.4"]
    assert found.candidates[0].fallback_index == 0
    assert found.skipped[0].provider == "anthropic"
    assert found.primary_provider == "anthropic"


@pytest.mark.parametrize(
    ("given", "strictness", "setting", "severity"),
    [
        (CONTRACT, "warn", "strictness='coerce'", "High"),
        (CONTRACT, "strict", "strictness='coerce'", "High"),
        (TUNING, "strict", "strictness='warn'", "Low"),
        ({**TUNING, **CONTRACT}, "strict", "strictness='coerce'", "High"),
    ],
)
def test_when_all_are_refused_the_error_has_the_report_and_the_setting(
    given, strictness, setting, severity
):
    config = {**KEYS, "enable_fallback": False}

    with pytest.raises(LossyTranslationError) as caught:
        plan("claude-opus-4-5", config, strictness=strictness, **given)

    assert caught.value.setting == setting
    assert caught.value.report.is_lossy
    assert caught.value.report.severity == severity
    assert str(caught.value).startswith("Configuration error: anthropic/claude-opus-4-5: ")
    assert str(caught.value).endswith(f"; {setting} would let the request through")
    assert isinstance(caught.value, ValueError)


def test_when_all_are_refused_the_setting_is_the_mildest_that_lets_one_through():
    given = {"model": "claude-opus-4-5", "n": 2, "max_tokens": 10**6}

    with pytest.raises(LossyTranslationError) as caught:
        plan(config=KEYS, strictness="strict", **given)

    assert caught.value.setting == "strictness='warn'"
    assert str(caught.value) == (
        "Configuration error: openai/gpt-5.4: max_tokens: the model's limit is lower; "
        "strictness='warn' would let the request through"
    )
    assert len(plan(config=KEYS, strictness="warn", **given).candidates) == 1


def test_the_loss_that_is_named_is_the_one_that_needs_the_setting():
    config = {**KEYS, "enable_fallback": False}

    with pytest.raises(LossyTranslationError) as caught:
        plan("claude-opus-4-5", config, strictness="strict", **TUNING, **CONTRACT)

    assert str(caught.value) == (
        "Configuration error: anthropic/claude-opus-4-5: n: one answer a request; "
        "strictness='coerce' would let the request through"
    )


def test_the_setting_that_is_named_lets_the_request_through():
    config = {**KEYS, "enable_fallback": False}

    assert names(plan("claude-opus-4-5", config, strictness="coerce", **CONTRACT))
    assert names(plan("claude-opus-4-5", config, strictness="warn", **TUNING))


def test_notes_never_refuse():
    found = plan("claude-opus-4-5", messages=[{"role": "system", "content": "Be brief."},
                                              {"role": "user", "content": "Hi"}],
                 strictness="strict")  # fmt: skip

    assert found.candidates[0].provider == "anthropic"
    assert found.candidates[0].encoded.losses != []
    assert found.candidates[0].report is None


def test_a_candidate_that_loses_something_says_what():
    found = plan(**TUNING)

    assert found.candidates[0].report is None
    assert [item.path for item in found.candidates[1].report.items if item.severity != "None"] == [
        "seed"
    ]


def test_credentials_are_asked_for_before_losses():
    with pytest.raises(ConfigurationError, match="ANTHROPIC_API_KEY"):
        plan("claude-opus-4-5", OPENAI_ONLY, **CONTRACT)


# What goes to the first candidate only


def test_extras_go_to_the_first_candidate_only():
    found = plan(
        extra_headers={"X-Trace": "1"},
        extra_query={"version": "2"},
        extra_body={"custom": True},
    )
    first, second = (each.wire_request() for each in found.candidates)

    assert dict(first.headers)["X-Trace"] == "1"
    assert first.url.endswith("/chat/completions?version=2")
    assert json.loads(first.body)["custom"] is True
    assert "X-Trace" not in dict(second.headers)
    assert second.url.endswith("/v1/messages")
    assert "custom" not in json.loads(second.body)


def test_extras_do_not_move_to_a_fallback_when_the_first_is_refused():
    found = plan("claude-opus-4-5", extra_headers={"X-Trace": "1"}, extra_body={"a": 1}, **CONTRACT)

    assert names(found) == ["openai/gpt-5.4"]
    assert "X-Trace" not in dict(found.candidates[0].wire_request().headers)
    assert "a" not in body(found.candidates[0])


def test_extra_body_replaces_and_adds_members_and_keeps_the_rest_verbatim():
    plain = plan(messages='é \u2028 "q" 1.0', temperature=0.10, seed=2**60).candidates[0]
    extended = plan(
        messages='é \u2028 "q" 1.0',
        temperature=0.10,
        seed=2**60,
        extra_body={"temperature": 1, "new": {"deep": [1.5, None]}, "nothing": None},
    ).candidates[0]

    expected = plain.encoded.body.replace(b'"temperature":0.1', b'"temperature":1')
    expected = expected[:-1] + b',"new":{"deep":[1.5,null]},"nothing":null}'
    assert extended.encoded.body == expected


def test_an_empty_extra_body_changes_nothing():
    assert plan(extra_body={}).candidates[0].encoded.body == plan().candidates[0].encoded.body


@pytest.mark.parametrize(
    ("extra_body", "problem"),
    [
        ({"x": object()}, "a value of type object has no JSON form"),
        ({"x": [float("nan")]}, "nan is not a JSON number"),
        ({None: 1}, "a key of type NoneType: keys are text"),
    ],
)
def test_an_extra_body_without_a_json_form_is_refused(extra_body, problem):
    with pytest.raises(MessageFormatError, match=problem) as caught:
        plan(extra_body=extra_body)

    assert caught.value.field == "extra_body"


# Bad requests


@pytest.mark.parametrize(
    "given",
    [
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": object()}}]},
        {"metadata": {"x": float("nan")}},
    ],
    ids=["not JSON", "not a number"],
)
def test_a_request_without_a_json_form_is_refused_at_once(given):
    with pytest.raises(MessageFormatError):
        plan(**given)


# What a candidate shows


def test_no_repr_shows_a_key_or_a_header():
    config = {"providers": {"openai": {"api_key": "sk-hidden", "headers": {"X-A": "hidden"}}}}

    found = plan(config=config, extra_headers={"X-B": "hidden"})

    assert "hidden" not in repr(found)
    assert "hidden" not in repr(found.candidates[0].wire_request())
    assert repr(found.candidates[0]) == "Candidate(openai/gpt-4o)"


def test_the_context_window_is_the_models():
    assert plan("gpt-4o").candidates[0].context_window == 128_000
    assert plan("nobody-knows-it").candidates[0].context_window is None
