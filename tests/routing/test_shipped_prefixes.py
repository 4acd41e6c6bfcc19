"""The rules of prefixes and bare ids, with each shipped provider as the primary one."""

from __future__ import annotations

from datetime import date

import pytest

from shipped_providers import SHIPPED
from specado import get_manifest, list_providers, register_manifest
from specado.catalog.lookup import outlines, provider, providers_with
from specado.errors import ConfigurationError
from specado.routing.candidates import routes
from specado.settings.client_settings import resolve

TODAY = date(2026, 11, 30)
# Their ids have slashes, as "meta-llama/llama-4" has.
WITH_SLASHES = [
    "deepinfra",
    "fireworks",
    "groq",
    "huggingface",
    "llamacpp",
    "lmstudio",
    "nvidia",
    "ollama",
    "openrouter",
    "sglang",
    "together",
    "vllm",
]
WITHOUT = [name for name in SHIPPED if name not in WITH_SLASHES]
# Their models are other makers', too.
HOSTS = sorted([*WITH_SLASHES, "azure", "bedrock", "cerebras", "databricks", "sambanova", "vertex"])


def first(model, primary, **config):
    route = routes(model, resolve({"primary_provider": primary, **config}), [], TODAY)[0]
    return route.provider.name, route.model


def refusal(model, primary, **config):
    with pytest.raises(ConfigurationError) as caught:
        first(model, primary, **config)
    return str(caught.value).removeprefix("Configuration error: ")


def others(name):
    return [each for each in SHIPPED if each != name]


def test_which_ids_have_slashes_and_who_hosts_others():
    assert [each.name for each in outlines() if each.ids_have_slashes] == WITH_SLASHES
    assert [each.name for each in outlines() if each.hosts_others] == HOSTS


@pytest.mark.parametrize("primary", SHIPPED)
def test_its_own_name_is_taken_off(primary):
    assert first(f"{primary}/any-model", primary) == (primary, "any-model")
    assert first(f"{primary}/org/any-model", primary) == (primary, "org/any-model")


@pytest.mark.parametrize("primary", WITH_SLASHES)
def test_ids_are_whole_where_the_primary_providers_ids_have_slashes(primary):
    assert first("meta-llama/llama-4", primary) == (primary, "meta-llama/llama-4")
    for other in others(primary):
        assert first(f"{other}/any-model", primary) == (primary, f"{other}/any-model")


@pytest.mark.parametrize("primary", WITHOUT)
def test_elsewhere_a_prefix_names_any_provider_or_is_an_error(primary):
    for other in others(primary):
        assert first(f"{other}/any-model", primary) == (other, "any-model")
        assert first(f"{other}/org/any-model", primary) == (other, "org/any-model")
    said = refusal("meta-llama/llama-4", primary)
    assert said.startswith("model 'meta-llama/llama-4': 'meta-llama' is not a provider; known: ")
    assert f"'{primary}/meta-llama/llama-4' asks '{primary}' for the id with this slash" in said


@pytest.mark.parametrize("primary", SHIPPED)
def test_ids_are_whole_at_an_address_of_ones_own(primary):
    at = {primary: {"base_url": "https://gateway.example/v1", "api_key": "any-key"}}

    assert first("openai/gpt-5.4", primary, providers=at) == (
        primary,
        "gpt-5.4" if primary == "openai" else "openai/gpt-5.4",
    )
    assert first("gpt-5.4", primary, providers=at) == (primary, "gpt-5.4")


@pytest.mark.parametrize("primary", SHIPPED)
def test_an_id_in_no_manifest_goes_to_the_primary_provider(primary):
    assert first("nobody-knows-it", primary) == (primary, "nobody-knows-it")


MAKERS = [("gpt-5.4", "openai"), ("gpt-5.6", "openai"), ("claude-opus-4-5", "anthropic")]


@pytest.mark.parametrize(("model", "maker"), MAKERS)
@pytest.mark.parametrize("primary", SHIPPED)
def test_a_bare_id_means_its_maker_whoever_hosts_it(model, maker, primary):
    if provider(primary).find(model) is not None:
        assert first(model, primary) == (primary, model)
        return
    if {primary, maker} == {"openai", "anthropic"}:  # each is the default fallback of the other
        assert first(model, primary) == (maker, model)
        return
    said = refusal(model, primary)
    assert f"no configured provider lists it, and '{maker}'" in said
    if primary in WITH_SLASHES:
        assert f"name '{maker}' as primary_provider or fallback_provider" in said
    else:
        assert f"say '{maker}/{model}'" in said
    assert f"'{primary}/{model}' to ask '{primary}' for it" in said
    assert first(model, primary, fallback_provider=maker) == (maker, model)


@pytest.mark.parametrize("primary", SHIPPED)
def test_each_model_of_the_primary_provider_is_its_own(primary):
    for model_id in (*provider(primary).models, *provider(primary).by_alias):
        assert first(model_id, primary) == (primary, model_id)
        assert first(f"{primary}/{model_id}", primary) == (primary, model_id)


@pytest.mark.parametrize("name", [name for name in SHIPPED if name not in HOSTS])
def test_each_id_of_a_maker_leads_to_it(name):
    """No two makers list one id: the error for the bare id names one provider to ask."""
    for model_id in (*provider(name).models, *provider(name).by_alias):
        makers = [each.name for each in providers_with(model_id) if not each.hosts_others]
        assert makers == [name]


# Who may see a prompt


def all_of(model, **config):
    found = routes(model, resolve(config), None, TODAY)
    return [(each.provider.name, each.model) for each in found]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_call_that_names_a_provider_reaches_no_other_one(name):
    assert all_of(f"{name}/any-model") == [(name, "any-model")]


@pytest.mark.parametrize("name", [name for name in SHIPPED if name not in ("openai", "anthropic")])
def test_a_primary_provider_beside_the_default_pair_has_no_fallback(name):
    assert all_of("any-model", primary_provider=name) == [(name, "any-model")]


# Registered anew: they are the caller's own


@pytest.fixture
def all_registered():
    for name in SHIPPED:
        assert register_manifest(get_manifest(name), name=name, replace=True) == name


@pytest.mark.usefixtures("all_registered")
def test_every_shipped_manifest_can_be_registered_and_keeps_the_rules():
    assert list_providers() == SHIPPED
    for primary in SHIPPED:
        whole = primary in WITH_SLASHES
        other = "openai" if primary != "openai" else "anthropic"
        expected = (primary, f"{other}/any-model") if whole else (other, "any-model")
        assert first(f"{other}/any-model", primary) == expected
        assert first(f"{primary}/any-model", primary) == (primary, "any-model")
        # A server of the caller's own is asked for ids that others list, unless a default
        # fallback lists them.
        assert first("nobody-knows-it", primary) == (primary, "nobody-knows-it")
        assert first("gpt-5.4", primary) == (primary, "gpt-5.4")
        if whole:
            assert first("meta-llama/llama-4", primary) == (primary, "meta-llama/llama-4")
        else:
            assert "'meta-llama' is not a provider" in refusal("meta-llama/llama-4", primary)
