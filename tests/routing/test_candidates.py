"""Routes of a call: first provider and model, and the fallbacks."""

from __future__ import annotations

from datetime import date

import pytest

from shipped_providers import KNOWN
from specado import register_manifest
from specado.errors import ConfigurationError
from specado.routing.candidates import configured_fallbacks, routes
from specado.settings.client_settings import resolve

TODAY = date(2026, 11, 22)


def add_provider(name, models=(), **more):
    """Register a provider; a model is an id, or (id, entry)."""
    entries = dict(one if isinstance(one, tuple) else (one, {}) for one in models)
    register_manifest(
        {"name": name, "base_url": f"https://{name}.example/v1", "models": entries, **more}
    )


def general(input_, output, **more):
    """A manifest's entry for a model that may stand in for others, with its two prices."""
    return {"general": True, "pricing": {"input": input_, "output": output}, **more}


def order(model, config=None, fallback_models=None, today=TODAY):
    """The candidates of a call as `provider/model`."""
    found = routes(model, resolve(config), fallback_models, today)
    return [f"{route.provider.name}/{route.model}" for route in found]


def first(model, config=None):
    return order(model, {"enable_fallback": False, **(config or {})})


# The first candidate


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-4o", "openai/gpt-4o"),
        ("gpt-4o-2024-08-06", "openai/gpt-4o-2024-08-06"),
        ("claude-opus-4-5", "anthropic/claude-opus-4-5"),
        ("claude-opus-4-5-20251101", "anthropic/claude-opus-4-5-20251101"),
        ("claude-3-5-sonnet-latest", "anthropic/claude-3-5-sonnet-latest"),
        ("nobody-knows-it", "openai/nobody-knows-it"),
        ("openai/gpt-4o", "openai/gpt-4o"),
        ("anthropic/claude-opus-4-5", "anthropic/claude-opus-4-5"),
        ("anthropic/gpt-4o", "anthropic/gpt-4o"),
        ("openai/nobody-knows-it", "openai/nobody-knows-it"),
        ("openai/ft:gpt-4o/mine/1", "openai/ft:gpt-4o/mine/1"),
        ("openai/openai/gpt-4o", "openai/openai/gpt-4o"),
        ("openai/meta-llama/llama-4", "openai/meta-llama/llama-4"),
        ("模型-1", "openai/模型-1"),
    ],
)
def test_the_first_candidate(model, expected):
    assert first(model) == [expected]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-opus-4-5", "anthropic/claude-opus-4-5"),
        ("gpt-4o", "openai/gpt-4o"),
        ("nobody-knows-it", "anthropic/nobody-knows-it"),
    ],
)
def test_the_first_candidate_where_anthropic_is_primary(model, expected):
    assert first(model, {"primary_provider": "anthropic"}) == [expected]


def test_a_prefix_counts_once_its_provider_is_registered():
    with pytest.raises(ConfigurationError, match="'corp' is not a provider"):
        first("corp/llama/3")

    add_provider("corp")
    assert first("corp/llama/3") == ["corp/llama/3"]


def test_a_prefix_names_a_provider_that_is_not_configured():
    add_provider("corp", ["llama-3"])

    assert first("corp/llama-3") == ["corp/llama-3"]


def test_a_bare_id_does_not_go_to_a_provider_that_is_not_configured():
    add_provider("corp", ["llama-3"])

    with pytest.raises(ConfigurationError, match="say 'corp/llama-3'"):
        first("llama-3")
    assert first("llama-3", {"fallback_provider": "corp"}) == ["corp/llama-3"]


def test_a_bare_id_that_two_providers_have_goes_to_the_primary_one():
    add_provider("branch", ["gpt-4o"])

    assert first("gpt-4o", {"fallback_provider": "branch"}) == ["openai/gpt-4o"]
    assert first("gpt-4o", {"primary_provider": "branch"}) == ["branch/gpt-4o"]


def test_of_the_other_providers_the_first_in_order_counts():
    add_provider("one", ["shared"])
    add_provider("two", ["shared"])

    assert first("shared", {"fallback_providers": ["two", "one"]}) == ["two/shared"]


@pytest.mark.parametrize("model", ["", " ", "\n\t"])
def test_an_empty_model_is_refused(model):
    with pytest.raises(ConfigurationError, match="model is empty") as caught:
        order(model)

    assert caught.value.key == "model"


def test_a_retired_model_that_the_caller_names_is_asked_for():
    assert first("claude-3-opus") == ["anthropic/claude-3-opus"]
    assert order("gpt-4", fallback_models=["claude-3-opus"]) == [
        "openai/gpt-4",
        "anthropic/claude-3-opus",
    ]


# Which providers follow


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, ("anthropic",)),
        ({"primary_provider": "openai"}, ("anthropic",)),
        ({"primary_provider": "anthropic"}, ("openai",)),
        ({"primary_provider": "corp"}, ()),
        ({"fallback_provider": "corp"}, ("corp",)),
        ({"fallback_providers": ["corp", "openai"]}, ("corp", "openai")),
        ({"fallback_provider": "openai", "fallback_providers": ["corp"]}, ("corp",)),
        ({"fallback_providers": []}, ()),
    ],
)
def test_the_configured_fallbacks(config, expected):
    assert configured_fallbacks(resolve(config)) == expected


def test_the_environment_names_providers_too(monkeypatch):
    monkeypatch.setenv("SPECADO_PRIMARY_PROVIDER", "anthropic")
    monkeypatch.setenv("SPECADO_FALLBACK_PROVIDER", "anthropic")

    assert order("claude-opus-4-5") == ["anthropic/claude-opus-4-5"]


def test_the_remaining_providers_follow_in_order():
    add_provider("one", ["m"])
    add_provider("two", ["m"])
    add_provider("three", ["m"])
    config = {"primary_provider": "one", "fallback_providers": ["three", "two"]}

    assert order("m", config) == ["one/m", "three/m", "two/m"]


def test_the_primary_provider_follows_where_another_has_the_model():
    assert order("claude-opus-4-6") == ["anthropic/claude-opus-4-6", "openai/gpt-5.4"]


def test_a_provider_that_is_listed_twice_is_asked_once():
    config = {"fallback_providers": ["anthropic", "openai", "anthropic"]}

    assert order("gpt-4o", config) == ["openai/gpt-4o", "anthropic/claude-sonnet-4-6"]


def test_without_fallback_only_the_first_is_asked():
    assert order("gpt-4o", {"enable_fallback": False}) == ["openai/gpt-4o"]
    assert order("gpt-4o", {"fallback_providers": []}) == ["openai/gpt-4o"]


@pytest.mark.parametrize("key", ["primary_provider", "fallback_provider"])
def test_a_provider_that_is_not_registered_is_refused(key):
    with pytest.raises(ConfigurationError) as caught:
        order("nobody-knows-it", {key: "mammoth"})

    assert str(caught.value) == (
        f"Configuration error: {key}: 'mammoth' is not a provider; known: {KNOWN} "
        "(register_manifest adds one)"
    )
    assert caught.value.key == key


def test_an_unregistered_provider_in_the_list_is_blamed_on_the_list():
    with pytest.raises(ConfigurationError, match="fallback_providers: 'grok' is not a provider"):
        order("gpt-4o", {"fallback_providers": ["anthropic", "grok"]})


# Which models they get


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-4", "anthropic/claude-opus-4-6"),
        ("gpt-4-0613", "anthropic/claude-opus-4-6"),
        ("gpt-4o-mini", "anthropic/claude-haiku-4-5"),
        ("gpt-4o-2024-11-20", "anthropic/claude-sonnet-4-6"),
        ("gpt-4-vision-preview", "anthropic/claude-opus-4-6"),
        ("claude-opus-4-5", "openai/gpt-5.4"),
        ("claude-opus-4-5-20251101", "openai/gpt-5.4"),
        ("claude-3-5-haiku-latest", "openai/gpt-5.4-mini"),
    ],
)
def test_the_fallback_is_what_the_other_manifest_states(model, expected):
    assert order(model)[1:] == [expected]


@pytest.mark.parametrize("key", ["openai/gpt-4o-2024-08-06", "gpt-4o-2024-08-06", "gpt-4o"])
def test_model_map_may_name_what_was_asked_for_the_bare_id_or_an_alias(key):
    config = {"model_map": {key: {"anthropic": "claude-opus-5"}}}

    assert order("openai/gpt-4o-2024-08-06", config)[1:] == ["anthropic/claude-opus-5"]


def test_the_nearest_name_in_model_map_counts():
    config = {
        "model_map": {
            "openai/gpt-4o": {"anthropic": "by-full-name"},
            "gpt-4o": {"anthropic": "by-bare-id"},
        }
    }

    assert order("openai/gpt-4o", config)[1:] == ["anthropic/by-full-name"]
    assert order("gpt-4o", config)[1:] == ["anthropic/by-bare-id"]
    assert order("gpt-4o-2024-08-06", config)[1:] == ["anthropic/by-bare-id"]


def test_model_map_counts_before_the_same_id():
    add_provider("branch", ["gpt-4o", "mine"])
    config = {"fallback_provider": "branch", "model_map": {"gpt-4o": {"branch": "mine"}}}

    assert order("gpt-4o", config)[1:] == ["branch/mine"]


def test_model_map_for_another_provider_changes_nothing():
    config = {"model_map": {"gpt-4o": {"branch": "mine"}, "gpt-4": {"anthropic": "other"}}}

    assert order("gpt-4o", config)[1:] == ["anthropic/claude-sonnet-4-6"]


def test_model_map_does_not_change_the_first_candidate():
    add_provider("branch")
    config = {"fallback_provider": "branch", "model_map": {"gpt-4o": {"openai": "other"}}}

    assert order("gpt-4o", {**config, "enable_fallback": False}) == ["openai/gpt-4o"]


def test_the_same_id_counts_before_the_manifests_table():
    add_provider("branch", ["gpt-4o", "x"], fallback_for={"gpt-4o": "x"})

    assert order("gpt-4o", {"fallback_provider": "branch"})[1:] == ["branch/gpt-4o"]


def test_the_same_id_may_be_an_alias_there():
    add_provider("branch", [("deployed", {"aliases": ["gpt-4o"]})])

    assert order("gpt-4o", {"fallback_provider": "branch"})[1:] == ["branch/gpt-4o"]


def test_the_manifests_table_counts_before_the_price():
    models = [("dear", general(50, 50)), ("near", general(2.5, 10))]
    add_provider("corp", models, fallback_for={"gpt-4o": "dear"})

    assert order("gpt-4o", {"fallback_provider": "corp"})[1:] == ["corp/dear"]


PRICED = [
    ("b-cheap", general(1, 1)),
    ("a-cheap", general(1, 1)),
    ("middle", general(5, 7)),
    ("dear", general(40, 60)),
    ("no-price", {"general": True}),
    ("half-a-price", {"general": True, "pricing": {"input": 0.1}}),
    ("free-audio", {"pricing": {"input": 0, "output": 0}}),
    ("retired", general(0, 0, deprecation_date="2026-11-22")),
    ("retired-middle", general(5, 7.5, deprecation_date="2020-01-01")),
    ("leaving-middle", general(5, 7.5, deprecation_date="2999-01-01")),
]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-4o", "middle"),  # 2.5 + 10
        ("gpt-4", "dear"),  # 30 + 60
        ("gpt-6-luna", "a-cheap"),  # 0.1 + 0.5: two as near, by id
        ("nobody-knows-it", "a-cheap"),
    ],
)
def test_else_it_is_the_general_model_nearest_in_price(model, expected):
    add_provider("corp", PRICED)

    assert order(model, {"fallback_provider": "corp"})[1:] == [f"corp/{expected}"]


def test_without_any_price_it_is_the_first_by_id():
    add_provider("corp", [("b", {"general": True}), ("a", {"general": True})])

    assert order("gpt-4o", {"fallback_provider": "corp"})[1:] == ["corp/a"]


def test_a_model_retires_on_its_last_day():
    add_provider("corp", [("old", general(1, 1, deprecation_date="2026-11-23"))])
    config = {"fallback_provider": "corp"}

    assert order("nobody-knows-it", config, today=date(2026, 11, 22))[1:] == ["corp/old"]
    assert order("nobody-knows-it", config, today=date(2026, 11, 23))[1:] == ["corp/None"]


def test_a_provider_without_a_general_model_has_none_to_offer():
    add_provider("corp", ["special"])

    assert order("gpt-4o", {"fallback_provider": "corp"})[1:] == ["corp/None"]


# Identical candidates


def test_a_fallback_on_the_own_provider_collapses():
    assert order("gpt-4o", {"fallback_provider": "openai"}) == ["openai/gpt-4o"]
    assert order("openai/gpt-4o", {"fallback_provider": "openai"}) == ["openai/gpt-4o"]
    assert order("claude-opus-5", {"primary_provider": "anthropic"})[0] == "anthropic/claude-opus-5"


def test_model_map_gives_the_own_provider_another_model():
    config = {"fallback_provider": "openai", "model_map": {"gpt-4o": {"openai": "gpt-4o-mini"}}}

    assert order("gpt-4o", config) == ["openai/gpt-4o", "openai/gpt-4o-mini"]


def test_a_map_onto_itself_collapses():
    config = {"fallback_provider": "openai", "model_map": {"gpt-4o": {"openai": "gpt-4o"}}}

    assert order("gpt-4o", config) == ["openai/gpt-4o"]


def test_two_snapshots_of_one_model_are_two_candidates():
    found = order("gpt-4o-2024-08-06", fallback_models=["gpt-4o-2024-11-20"])

    assert found == ["openai/gpt-4o-2024-08-06", "openai/gpt-4o-2024-11-20"]


# Models named per call


def test_fallback_models_replace_the_providers_fallbacks():
    found = order("gpt-4o", fallback_models=["gpt-4o-mini", "anthropic/claude-opus-5", "unknown"])

    assert found == [
        "openai/gpt-4o",
        "openai/gpt-4o-mini",
        "anthropic/claude-opus-5",
        "openai/unknown",
    ]


def test_fallback_models_count_where_the_config_has_no_fallback():
    found = order("gpt-4o", {"enable_fallback": False}, ["claude-opus-5"])

    assert found == ["openai/gpt-4o", "anthropic/claude-opus-5"]


def test_an_empty_list_of_fallback_models_means_none():
    assert order("gpt-4o", fallback_models=[]) == ["openai/gpt-4o"]


def test_equal_fallback_models_collapse():
    found = order("gpt-4o", fallback_models=["openai/gpt-4o", "claude-opus-5", "claude-opus-5"])

    assert found == ["openai/gpt-4o", "anthropic/claude-opus-5"]


def test_an_empty_fallback_model_is_refused():
    with pytest.raises(ConfigurationError, match="empty"):
        order("gpt-4o", fallback_models=[""])


def test_what_is_known_of_a_model_comes_with_the_route():
    settings = resolve({"fallback_providers": []})

    known = routes("gpt-4o-2024-08-06", settings, None, TODAY)[0].facts
    unknown = routes("nobody-knows-it", settings, None, TODAY)[0].facts

    assert known is not None
    assert known.id == "gpt-4o"
    assert unknown is None
