"""Providers that may receive a prompt, by the names in the call and the settings."""

from __future__ import annotations

import logging
import pickle
import re
from datetime import date

import msgspec
import pytest

import specado
from example_inputs import KEYS
from played_calls import call, drive, ok, refused
from reference_files import REPOSITORY
from specado import register_manifest
from specado.errors import (
    ConfigurationError,
    ConnectionFailedError,
    DeadlineExceededError,
    InvalidRequestError,
    LossyTranslationError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)
from specado.routing.candidates import routes
from specado.settings.client_settings import CLIENT_KEYWORDS, resolve
from specado.settings.parameters import OPTIONS

TODAY = date(2026, 11, 30)
OWN = {"base_url": "https://gateway.example/v1", "api_key": "any-key"}


@pytest.fixture(autouse=True)
def with_a_server_of_ones_own():
    register_manifest(
        {"name": "local", "base_url": "http://127.0.0.1:9/v1", "models": {"llama-3": {}}}
    )


def who(model, config=None, fallback_models=None):
    """The providers that may see the prompt of a call, in order."""
    found = routes(model, resolve(config), fallback_models, TODAY)
    return list(dict.fromkeys(route.provider.name for route in found))


# Bare names: the default pair


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-4o", ["openai", "anthropic"]),
        ("unheard-of", ["openai", "anthropic"]),
        ("claude-opus-4-5", ["anthropic", "openai"]),
    ],
)
def test_the_default_pair_sees_calls_for_bare_names(model, expected):
    assert who(model) == expected


def test_a_bare_name_goes_on_from_a_named_fallback_to_the_primary_provider():
    config = {"primary_provider": "openai", "fallback_provider": "anthropic"}

    assert who("claude-opus-4-5", config) == ["anthropic", "openai"]


# A prefix: who is named


@pytest.mark.parametrize("model", ["openai/gpt-4o", "anthropic/claude-opus-4-5", "local/llama-3"])
@pytest.mark.parametrize("primary", ["openai", "anthropic"])
def test_a_prefix_keeps_a_call_at_its_provider(model, primary):
    assert who(model, {"primary_provider": primary}) == [model.partition("/")[0]]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"fallback_provider": "anthropic"}, ["openai", "anthropic"]),
        ({"fallback_provider": "openai"}, ["openai"]),
        ({"fallback_providers": ["local", "anthropic"]}, ["openai", "local", "anthropic"]),
        ({"fallback_providers": []}, ["openai"]),
        ({"model_map": {"gpt-4o": {"anthropic": "claude-opus-5"}}}, ["openai", "anthropic"]),
        ({"model_map": {"openai/gpt-4o": {"anthropic": "claude-opus-5"}}}, ["openai", "anthropic"]),
        ({"model_map": {"gpt-4": {"anthropic": "claude-opus-5"}}}, ["openai"]),
        (
            {"primary_provider": "anthropic", "model_map": {"gpt-4o": {"anthropic": "x"}}},
            ["openai", "anthropic"],
        ),
        ({"fallback_provider": "anthropic", "enable_fallback": False}, ["openai"]),
    ],
)
def test_a_call_with_a_prefix_goes_on_to_those_that_the_settings_name(config, expected):
    assert who("openai/gpt-4o", config) == expected


def test_the_environment_names_a_fallback_too(monkeypatch):
    monkeypatch.setenv("SPECADO_FALLBACK_PROVIDER", "anthropic")

    assert who("openai/gpt-4o") == ["openai", "anthropic"]


def test_a_primary_provider_that_is_named_is_no_fallback():
    assert who("anthropic/claude-opus-4-5", {"primary_provider": "openai"}) == ["anthropic"]


def test_the_call_names_its_own_fallbacks():
    found = who("local/llama-3", None, ["anthropic/claude-opus-4-5", "gpt-4o"])

    assert found == ["local", "anthropic", "openai"]


# A provider of one's own


@pytest.mark.parametrize(
    ("config", "model", "expected"),
    [
        ({"primary_provider": "local"}, "llama-3", ["local"]),
        ({"primary_provider": "local", "fallback_provider": "openai"}, "m", ["local", "openai"]),
        ({"fallback_provider": "local"}, "llama-3", ["local"]),
        ({"providers": {"openai": OWN}}, "gpt-4o", ["openai"]),
        ({"providers": {"openai": OWN}}, "claude-opus-4-5", ["openai"]),
        (
            {"providers": {"openai": OWN}, "fallback_provider": "anthropic"},
            "gpt-4o",
            ["openai", "anthropic"],
        ),
        (
            {
                "providers": {"openai": OWN},
                "model_map": {"gpt-4o": {"anthropic": "claude-opus-5"}},
            },
            "gpt-4o",
            ["openai", "anthropic"],
        ),
        ({"providers": {"anthropic": OWN}}, "claude-opus-4-5", ["anthropic"]),
        ({"providers": {"anthropic": OWN}}, "gpt-4o", ["openai", "anthropic"]),
    ],
)
def test_a_call_leaves_ones_own_provider_only_for_those_that_are_named(config, model, expected):
    assert who(model, config) == expected


def test_an_address_in_the_environment_is_ones_own_too(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")

    assert who("gpt-4o") == ["openai"]
    assert who("claude-opus-4-5") == ["openai"]


def test_an_address_that_is_set_after_the_client_was_made_counts(monkeypatch):
    settings = resolve(None)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")

    assert [each.provider.name for each in routes("gpt-4o", settings, None, TODAY)] == ["openai"]


def test_a_shipped_provider_that_is_replaced_is_ones_own():
    register_manifest({"name": "openai", "base_url": "http://127.0.0.1:9/v1"}, replace=True)

    assert who("gpt-4o") == ["openai"]
    assert who("claude-opus-4-5") == ["openai"]


def test_a_prompt_for_ones_own_server_is_not_sent_elsewhere():
    config = {"providers": {**KEYS["providers"], "local": {}}}
    one = call("local/llama-3", config)

    assert [str(each) for each in one.plan.candidates] == ["Candidate(local/llama-3)"]
    assert one.plan.skipped == []


# A first candidate that is skipped


SKIPPED = (
    "anthropic/claude-opus-4-5 was not asked: "
    "strictness 'warn' refuses a loss: n: one answer a request"
)


@pytest.fixture
def skipping(caplog):
    """A call whose first candidate is not asked, and what the log says of it."""
    with caplog.at_level(logging.WARNING, "specado"):
        made = call("anthropic/claude-opus-4-5", KEYS, n=2, fallback_models=["gpt-4o"])
    return made, [(each.levelname, each.getMessage()) for each in caplog.records]


def test_a_first_candidate_that_is_skipped_for_a_loss_is_logged_once(skipping):
    made, logged = skipping

    assert logged == [("WARNING", SKIPPED)]
    assert str(made.plan.first_skipped) == SKIPPED


def test_the_metadata_has_it(skipping):
    reply = drive(skipping[0], [ok()])

    assert reply.extensions.metadata["skipped"] == [
        {
            "provider": "anthropic",
            "model": "claude-opus-4-5",
            "reason": "strictness 'warn' refuses a loss: n: one answer a request",
        }
    ]


def test_every_later_error_of_the_call_says_so(skipping):
    with pytest.raises(InvalidRequestError) as caught:
        drive(skipping[0], [refused(400, "bad request")])

    error = caught.value
    assert error.message == f"openai/gpt-4o: bad request (HTTP 400, x); {SKIPPED}"
    assert str(error).endswith(error.message)
    assert (error.provider, error.status_code, error.attempts) == ("openai", 400, 1)
    assert [each.message for each in error.errors] == ["openai/gpt-4o: bad request (HTTP 400, x)"]
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("timeout-test-model", DeadlineExceededError),
        ("rate-limit-test-model", RateLimitError),
        ("connection-refused-test-model", ConnectionFailedError),
        ("stream-error-test-model", ServerError),
        ("stream-cut-test-model", StreamInterruptedError),
    ],
)
def test_so_do_the_errors_of_streams_and_of_time(model, kind):
    client = specado.Client({"simulate": True, "max_retries": 0})

    with pytest.raises(kind) as caught:
        list(
            client.chat.completions.create(
                "anthropic/claude-opus-4-5",
                "Tell me about the sea",
                stream=True,
                logit_bias={"1": 1},
                strictness="strict",
                fallback_models=[model],
            )
        )

    assert "; anthropic/claude-opus-4-5 was not asked: strictness 'strict'" in str(caught.value)


def test_so_does_the_error_of_a_key_that_cannot_be_had():
    def no_key():
        raise OSError("locked")

    keys = {"openai": {"api_key": no_key}, "anthropic": {"api_key": "k"}}

    with pytest.raises(
        ConfigurationError, match=r"failed with OSError; anthropic/.* was not asked"
    ):
        specado.Client({"providers": keys}).chat.completions.create(
            "anthropic/claude-opus-4-5", "Hello", n=2, fallback_models=["gpt-4o"]
        )


def test_a_prompt_that_is_too_long_for_the_first_is_logged_too(caplog):
    with caplog.at_level(logging.WARNING, "specado"):
        found = specado.Client({"simulate": True}).chat.completions.create(
            "gpt-4", "word " * 100_000, fallback_models=["claude-opus-4-5"]
        )

    assert found.extensions.provider_used == "anthropic"
    assert caplog.messages[0].startswith("openai/gpt-4 was not asked: the prompt has about")


def test_a_later_candidate_that_is_skipped_is_not_logged(caplog):
    with caplog.at_level(logging.WARNING, "specado"):
        made = call("gpt-4o", {"providers": {"openai": {"api_key": "k"}}}, n=2)

    assert [each.provider for each in made.plan.skipped] == ["anthropic"]
    assert made.plan.first_skipped is None
    assert caplog.records == []


def test_a_plan_logs_nothing(caplog):
    with caplog.at_level(logging.WARNING, "specado"):
        specado.Client(KEYS).chat.completions.plan(
            "anthropic/claude-opus-4-5", "Hello", n=2, fallback_models=["gpt-4o"]
        )

    assert caplog.records == []


def test_where_nobody_is_left_the_error_is_the_losses(caplog):
    with pytest.raises(LossyTranslationError):
        call("anthropic/claude-opus-4-5", KEYS, n=2)

    assert caplog.records == []


# The page


def test_the_page_has_a_row_for_every_setting():
    page = (REPOSITORY / "docs/who-sees-a-prompt.md").read_text(encoding="utf-8")
    rows = "\n".join(re.findall(r"^\| (.+?) \|", page, re.MULTILINE))
    settings = [key for key in msgspec.structs.asdict(resolve(None)) if key != "is_fallback_named"]

    missing = [key for key in settings if f"`{key}`" not in rows]

    assert missing == []


def test_the_page_names_every_option_of_a_call_and_every_keyword_of_a_client():
    page = (REPOSITORY / "docs/who-sees-a-prompt.md").read_text(encoding="utf-8")
    rows = "\n".join(re.findall(r"^\| (.+?) \|", page, re.MULTILINE))

    assert [name for name in OPTIONS if f"`{name}`" not in rows] == []
    assert [name for name in CLIENT_KEYWORDS if f"`{name}`" not in page] == []
