"""Prefixes of model names: a provider, a part of the id, or a mistake."""

from __future__ import annotations

from datetime import date

import pytest

import specado
from example_inputs import KEYS
from shipped_providers import KNOWN
from specado import register_manifest
from specado.catalog import lookup as catalog
from specado.errors import ConfigurationError
from specado.routing.candidates import routes
from specado.settings.client_settings import resolve

TODAY = date(2026, 11, 30)
GATEWAY = {"base_url": "https://gateway.example/v1", "api_key": "any-key"}
AT_A_GATEWAY = {"providers": {"openai": GATEWAY}}


def add_provider(name, *models, **more):
    entries = {model: {} for model in models}
    register_manifest(
        {"name": name, "base_url": f"https://{name}.example/v1", "models": entries, **more}
    )


def first(model, config=None):
    route = routes(model, resolve(config), [], TODAY)[0]
    return route.provider.name, route.model


def refusal(call, *arguments, **more):
    with pytest.raises(ConfigurationError) as caught:
        call(*arguments, **more)
    return str(caught.value).removeprefix("Configuration error: ")


# Where no provider takes ids with slashes


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            "antropic/claude-opus-4-5",
            (
                "model 'antropic/claude-opus-4-5': 'antropic' is not a provider; "
                "did you mean 'anthropic/claude-opus-4-5'? "
                "(register_manifest adds a provider); "
                "'openai/antropic/claude-opus-4-5' asks 'openai' for the id with this slash"
            ),
        ),
        (
            "mammoth/large-3",
            (
                "model 'mammoth/large-3': 'mammoth' is not a provider; "
                f"known: {KNOWN} (register_manifest adds one); "
                "'openai/mammoth/large-3' asks 'openai' for the id with this slash"
            ),
        ),
    ],
)
def test_an_unknown_prefix_is_an_error_that_says_what_to_do(model, expected):
    assert refusal(first, model) == expected


@pytest.mark.parametrize("model", ["OpenAI/gpt-4o", "meta-llama/llama-4", "/gpt-4o", "gpt-4o/"])
def test_every_unknown_prefix_is_an_error(model):
    assert "is not a provider" in refusal(first, model)


@pytest.mark.parametrize("model", ["openai/", "anthropic/ "])
@pytest.mark.parametrize("config", [None, AT_A_GATEWAY])
def test_a_provider_without_a_model_is_an_error(model, config):
    assert refusal(first, model, config) == f"model {model!r} names no model after the slash"


def test_an_id_that_a_configured_provider_lists_needs_no_prefix():
    add_provider("corp", "meta-llama/llama-4")

    assert first("meta-llama/llama-4", {"fallback_provider": "corp"}) == (
        "corp",
        "meta-llama/llama-4",
    )


def test_an_id_that_the_primary_provider_lists_is_its_own():
    add_provider("mine", "anthropic/claude-opus-4-5")

    found = first("anthropic/claude-opus-4-5", {"primary_provider": "mine"})

    assert found == ("mine", "anthropic/claude-opus-4-5")


# Where the primary provider takes them


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("meta-llama/llama-4", "meta-llama/llama-4"),
        ("anthropic/claude-opus-4-5", "anthropic/claude-opus-4-5"),
        ("openai/gpt-4o", "gpt-4o"),
        ("openai/openai/gpt-4o", "openai/gpt-4o"),
        ("gpt-4o", "gpt-4o"),
        ("claude-opus-4-5", "claude-opus-4-5"),
        ("org/team/model", "org/team/model"),
    ],
)
def test_ids_are_whole_at_an_address_of_ones_own(monkeypatch, model, expected):
    assert first(model, AT_A_GATEWAY) == ("openai", expected)
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gateway.example/v1")
    assert first(model) == ("openai", expected)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("meta-llama/llama-4", "meta-llama/llama-4"),
        ("anthropic/claude-opus-4-5", "anthropic/claude-opus-4-5"),
        ("hub/meta-llama/llama-4", "meta-llama/llama-4"),
        ("hub/auto", "hub/auto"),
        ("unheard-of", "unheard-of"),
    ],
)
def test_ids_are_whole_where_the_manifest_says_that_they_have_slashes(model, expected):
    add_provider("hub", "hub/auto", ids_have_slashes=True)

    assert first(model, {"primary_provider": "hub"}) == ("hub", expected)


def test_another_provider_with_slashes_in_its_ids_needs_its_prefix():
    add_provider("hub", ids_have_slashes=True)

    assert first("hub/meta-llama/llama-4") == ("hub", "meta-llama/llama-4")
    assert "is not a provider" in refusal(first, "meta-llama/llama-4")


def test_the_address_of_a_fallback_changes_no_prefix():
    config = {"providers": {"anthropic": {"base_url": "https://gateway.example"}}}

    assert first("anthropic/claude-opus-4-5", config) == ("anthropic", "claude-opus-4-5")
    assert "is not a provider" in refusal(first, "meta-llama/llama-4", config)


@pytest.mark.parametrize("value", ["yes", 1])
def test_ids_have_slashes_is_true_or_false(value):
    assert refusal(add_provider, "hub", ids_have_slashes=value) == (
        f"manifest: ids_have_slashes must be true or false, not {value!r}"
    )


# Ids without a slash


def test_an_id_of_one_provider_that_is_not_configured_is_an_error_that_names_it():
    add_provider("corp", "llama-3")

    assert refusal(first, "llama-3") == (
        "model 'llama-3': no configured provider lists it, and 'corp' does: say 'corp/llama-3', "
        "or 'openai/llama-3' to ask 'openai' for it"
    )


def test_it_holds_for_the_shipped_providers_too():
    config = {"fallback_provider": "openai"}

    assert "say 'anthropic/claude-opus-4-5'" in refusal(first, "claude-opus-4-5", config)


def test_where_a_prefix_would_be_part_of_the_id_the_error_names_the_setting():
    add_provider("hub", "meta-llama/llama-4", ids_have_slashes=True)
    # As if it came with the package: it is not the caller's own.
    hub = catalog._registered.pop("hub")
    catalog._shipped["hub"] = hub

    try:
        found = refusal(first, "gpt-4o", {"primary_provider": "hub"})
    finally:
        del catalog._shipped["hub"]

    assert found == (
        "model 'gpt-4o': no configured provider lists it, and 'openai' does: name 'openai' as "
        "primary_provider or fallback_provider, or 'hub/gpt-4o' to ask 'hub' for it"
    )


def test_an_id_of_two_providers_that_are_not_configured_goes_to_the_primary_one():
    add_provider("corp", "llama-3")
    add_provider("other", "llama-3")

    assert first("llama-3") == ("openai", "llama-3")


def test_an_id_in_no_manifest_goes_to_the_primary_provider_as_it_is():
    assert first("unheard-of") == ("openai", "unheard-of")


@pytest.mark.parametrize("model", ["anthropic:claude-opus-5-5", "openai:gpt-5.4"])
def test_a_provider_before_a_colon_is_an_error_that_says_how_to_write_it(model):
    provider, _, rest = model.partition(":")

    said = refusal(first, model)

    assert said == (
        f"model {model!r}: a provider is named before a slash: say '{provider}/{rest}', or "
        f"'openai/{model}' to ask 'openai' for the id with this colon"
    )
    assert first(f"openai/{model}") == ("openai", model)


@pytest.mark.parametrize("model", ["ft:gpt-4o:org::id", "llama4:8b", "anthropic.claude-v2:0"])
def test_other_ids_with_a_colon_go_to_the_primary_provider_as_they_are(model):
    assert first(model) == ("openai", model)


def test_a_server_of_ones_own_is_asked_for_ids_that_others_list():
    add_provider("local", "llama-3")

    assert first("gpt-4.1", {"primary_provider": "local"}) == ("local", "gpt-4.1")


# The same everywhere

TYPO = "antropic/claude-opus-4-5"
MEANT = "did you mean 'anthropic/claude-opus-4-5'"


@pytest.mark.parametrize("method", ["create", "plan"])
def test_a_call_and_its_plan_refuse_an_unknown_prefix(method):
    completions = specado.Client(KEYS).chat.completions

    assert MEANT in refusal(getattr(completions, method), TYPO, "Hello")
    found = refusal(
        getattr(completions, method), "gpt-4o", "Hello", fallback_models=["gpt-4.1", TYPO]
    )
    assert found.startswith("fallback_models[1] 'antropic/claude-opus-4-5': 'antropic' is not")


@pytest.mark.filterwarnings("error")
def test_a_call_without_keys_is_refused_before_it_is_simulated():
    assert MEANT in refusal(specado.Client().chat.completions.create, TYPO, "Hello")


def test_fallback_models_are_whole_where_the_primary_provider_takes_ids_whole():
    found = routes("m", resolve(AT_A_GATEWAY), ["anthropic/claude-opus-4-5"], TODAY)

    assert [(each.provider.name, each.model) for each in found] == [
        ("openai", "m"),
        ("openai", "anthropic/claude-opus-4-5"),
    ]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (
            TYPO,
            (
                "model_map['gpt-4o']['anthropic'] 'antropic/claude-opus-4-5': 'antropic' is not a "
                "provider; did you mean 'anthropic/claude-opus-4-5'? (register_manifest adds a "
                "provider); "
                "'anthropic/antropic/claude-opus-4-5' asks "
                "'anthropic' for the id with this slash"
            ),
        ),
        (
            "openai/gpt-4.1",
            (
                "model_map['gpt-4o']['anthropic']: 'openai/gpt-4.1' is a model of 'openai', not of "
                "'anthropic'; 'anthropic/openai/gpt-4.1' asks 'anthropic' for the id with this "
                "slash"
            ),
        ),
    ],
)
def test_model_map_refuses_the_models_of_others(target, expected):
    config = {"model_map": {"gpt-4o": {"anthropic": target}}}

    assert refusal(specado.Client, config) == expected


def test_model_map_refuses_a_name_that_nothing_can_have():
    config = {"model_map": {TYPO: {"openai": "gpt-4o"}}}

    assert refusal(specado.Client, config).startswith(f"model_map {TYPO!r}: 'antropic' is not")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("meta-llama/llama-4", "meta-llama/llama-4"),
        ("anthropic/claude", "anthropic/claude"),
        ("hub/meta-llama/llama-4", "meta-llama/llama-4"),
        ("plain", "plain"),
    ],
)
def test_model_map_takes_ids_whole_for_a_provider_that_does(target, expected):
    add_provider("hub", ids_have_slashes=True)
    config = {"fallback_provider": "hub", "model_map": {"gpt-4o": {"hub": target}}}

    specado.Client(config)
    found = routes("gpt-4o", resolve(config), None, TODAY)

    assert [(each.provider.name, each.model) for each in found][1:] == [("hub", expected)]


def test_model_map_may_name_the_model_with_its_provider_whatever_the_call_says():
    config = {"model_map": {"openai/gpt-4o": {"anthropic": "claude-opus-5"}}}

    found = routes("gpt-4o", resolve(config), None, TODAY)

    assert found[1].model == "claude-opus-5"


REQUEST = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}


def test_translate_refuses_an_unknown_provider_and_the_models_of_others():
    assert refusal(specado.translate, REQUEST, TYPO) == (
        "to: 'antropic' is not a provider; did you mean 'anthropic'? (register_manifest adds a "
        "provider)"
    )
    found = refusal(specado.translate, REQUEST, "anthropic", model="openai/gpt-4.1")
    assert found.startswith("model: 'openai/gpt-4.1' is a model of 'openai', not of 'anthropic'")
    assert MEANT in refusal(specado.translate, REQUEST, "anthropic", model=TYPO)


def test_translate_finds_no_stand_in_for_a_model_of_nobody():
    request = {**REQUEST, "model": TYPO}

    assert refusal(specado.translate, request, "anthropic") == (
        "request: model 'antropic/claude-opus-4-5': 'antropic' is not a provider; did you mean "
        "'anthropic/claude-opus-4-5'? (register_manifest adds a provider); or name the model to "
        "ask, as in "
        "to='anthropic/…'"
    )
    assert specado.translate(request, "anthropic/claude-opus-4-5").model == "claude-opus-4-5"


def test_translate_strips_only_the_providers_own_name():
    add_provider("hub", ids_have_slashes=True)

    assert specado.translate(REQUEST, "hub/meta-llama/llama-4").model == "meta-llama/llama-4"
    assert specado.translate(REQUEST, "hub", model="openai/gpt-4o").model == "openai/gpt-4o"
    assert specado.translate(REQUEST, "hub", model="hub/openai/gpt-4o").model == "openai/gpt-4o"


def test_the_command_line_refuses_an_unknown_prefix(capsys, tmp_path):
    from specado.cli import main

    request = tmp_path / "request.json"
    request.write_text('{"model": "gpt-4o", "messages": []}', encoding="utf-8")

    for command in (
        ["chat", "--model", TYPO, "Hello"],
        ["preview", str(request), "--to", TYPO],
        ["compare", TYPO, "gpt-4o"],
        ["models", "antropic"],
    ):
        assert main(command) == 1
        said = capsys.readouterr().err
        assert "'antropic" in said
        assert "did you mean 'anthropic" in said
