"""Simulation mode: calls that the simulator answers, and calls that go to a provider."""

from __future__ import annotations

import logging
import warnings

import pytest

import specado
from example_inputs import KEYS
from played_calls import call
from shipped_providers import FAMILY, LOCAL
from specado import register_manifest
from specado.catalog.lookup import provider
from specado.errors import (
    ConfigurationError,
    DeadlineExceededError,
    RateLimitError,
    SimulatedReplyWarning,
)
from specado.simulator import FAULT_MODELS
from specado.simulator.server import running

AMBIENT = [
    "AWS_ACCESS_KEY_ID",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_PROFILE",
    "AWS_SECRET_ACCESS_KEY",
    "AZURE_CLIENT_SECRET",
    "AZURE_TENANT_ID",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_PROJECT",
]


def add_provider(name, **more):
    register_manifest({"name": name, "base_url": f"https://{name}.example/v1", **more})


def refusal(*arguments, **more):
    with pytest.raises(ConfigurationError) as caught:
        call(*arguments, **more)
    return str(caught.value).removeprefix("Configuration error: ")


# simulate=True and simulate=False


@pytest.mark.parametrize("model", sorted(FAULT_MODELS))
@pytest.mark.parametrize("prefix", ["", "openai/", "anthropic/"])
def test_simulate_false_is_absolute(model, prefix):
    assert not call(prefix + model, {**KEYS, "simulate": False}).simulated
    assert not call("gpt-4o", {**KEYS, "simulate": False}, fallback_models=[model]).simulated


@pytest.mark.parametrize("model", ["gpt-4o", "timeout-test-model"])
def test_simulate_false_from_the_environment_is_absolute(monkeypatch, model):
    monkeypatch.setenv("SPECADO_SIMULATE", "false")

    assert not call(model).simulated
    assert "no API key for 'openai'" in refusal(model, config=None)


def test_simulate_true_counts_before_keys_and_addresses():
    address = {"providers": {"openai": {"base_url": "https://x.example", "api_key": "k"}}}

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert call("gpt-4o", {**KEYS, "simulate": True}).simulated
        assert call("timeout-test-model", {**address, "simulate": True}).simulated
        assert call("gpt-4o", {"simulate": True}, fallback_models=["timeout-test-model"]).simulated


# Reserved names


@pytest.mark.parametrize("config", [KEYS, {}])
@pytest.mark.parametrize("prefix", ["", "openai/", "anthropic/"])
@pytest.mark.parametrize("model", sorted(FAULT_MODELS))
def test_a_reserved_name_simulates_the_whole_route_keys_or_not(config, prefix, model):
    found = call(prefix + model, config, fallback_models=["claude-opus-4-5"])

    assert found.simulated
    assert len(found.plan.candidates) == 2


@pytest.mark.parametrize(
    "model", ["timeout-test-model-2", "Timeout-test-model", "openai/x/timeout-test-model"]
)
def test_only_the_exact_names_are_reserved(model):
    assert not call(model, KEYS).simulated


@pytest.mark.parametrize(
    "given",
    [
        {"fallback_models": ["timeout-test-model"]},
        {"fallback_models": ["claude-opus-4-5", "openai/timeout-test-model"]},
        {"config": {"model_map": {"gpt-4o": {"anthropic": "timeout-test-model"}}}},
    ],
)
@pytest.mark.parametrize("keys", [KEYS, {}])
def test_a_reserved_name_behind_a_real_model_is_refused(given, keys):
    config = {**keys, **given.get("config", {})}
    named = {key: value for key, value in given.items() if key != "config"}

    found = refusal("gpt-4o", config, **named)

    assert "/timeout-test-model is a reserved name" in found
    assert "openai/gpt-4o is none" in found
    assert "simulate=True simulates all of it, simulate=False sends the name as it is" in found


def test_a_model_map_for_another_model_is_of_no_concern():
    config = {**KEYS, "model_map": {"gpt-4": {"anthropic": "timeout-test-model"}}}

    assert not call("gpt-4o", config).simulated


def test_a_reserved_name_is_really_asked_for_at_an_address_of_its_own():
    with running() as server:
        at = {"base_url": server.openai_base_url, "api_key": "any-key"}
        config = {"providers": {"openai": at}, "max_retries": 0}
        completions = specado.Client(config).chat.completions

        with pytest.raises(RateLimitError) as limited:
            completions.create("rate-limit-test-model", "Hello")
        with pytest.raises(DeadlineExceededError) as late:
            completions.create("timeout-test-model", "Hello", timeout_seconds=0.2)

    assert limited.value.status_code == 429
    assert "simulated" not in str(late.value)


def test_a_real_time_out_can_be_staged_before_a_real_fallback(monkeypatch):
    with running() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai_base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "any-key")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.anthropic_base_url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "any-key")
        client = specado.Client({"fallback_provider": "anthropic", "attempt_timeout_seconds": 0.2})
        reply = client.chat.completions.create("timeout-test-model", "Hello")

    assert (reply.extensions.provider_used, reply.extensions.attempts) == ("anthropic", 2)
    assert reply.extensions.metadata["simulated"] is False


def test_a_reserved_name_is_really_asked_for_at_a_registered_server():
    with running() as server:
        register_manifest({"name": "staged", "base_url": server.openai_base_url})
        config = {"providers": {"staged": {"headers": {"Authorization": "Bearer any"}}}}
        client = specado.Client({**config, "max_retries": 0})

        with pytest.raises(RateLimitError) as limited:
            client.chat.completions.create("staged/rate-limit-test-model", "Hello")

    assert limited.value.status_code == 429


def test_a_reserved_name_elsewhere_behind_a_staged_one_is_refused():
    config = {"providers": {**KEYS["providers"], "anthropic": {"api_key": "k"}}}
    add_provider("staged")

    found = refusal(
        "staged/timeout-test-model", config, fallback_models=["anthropic/timeout-test-model"]
    )

    assert found.startswith("anthropic/timeout-test-model is a reserved name")


# What counts where nothing is said


@pytest.mark.parametrize("variable", AMBIENT)
def test_ambient_credentials_never_count(monkeypatch, variable):
    monkeypatch.setenv(variable, "AKIA-any")
    add_provider("cloud", api_key_env=variable)

    with pytest.warns(SimulatedReplyWarning):
        assert call("gpt-4o", None).simulated


@pytest.mark.parametrize("variable", AMBIENT)
def test_a_provider_with_ambient_credentials_is_asked_where_it_is_named(monkeypatch, variable):
    monkeypatch.setenv(variable, "AKIA-any")
    add_provider("cloud", api_key_env=variable)

    assert not call("cloud/m", None).simulated
    assert not call("m", {"primary_provider": "cloud"}).simulated


def test_default_local_addresses_and_their_variables_never_count(monkeypatch):
    monkeypatch.setenv("SHED_HOST", "http://127.0.0.1:11434")
    add_provider("shed", authentication={"kind": "none", "base_url_env": "SHED_HOST"})

    with pytest.warns(SimulatedReplyWarning):
        assert call("gpt-4o", None).simulated
    assert not call("shed/llama-3", None).simulated


@pytest.mark.parametrize("name", LOCAL)
def test_the_addresses_of_local_servers_never_count(monkeypatch, name):
    variable = provider(name).authentication.base_url_env
    if variable is not None:
        monkeypatch.setenv(variable, "http://127.0.0.1:9999/v1")

    with pytest.warns(SimulatedReplyWarning):
        assert call("gpt-4o", None).simulated
    assert not call(f"{name}/any-model", None).simulated
    assert not call("any-model", {"primary_provider": name}).simulated


@pytest.mark.parametrize(
    "config", [{"fallback_provider": "local"}, {"providers": {"local": {"timeout_seconds": 9}}}]
)
def test_a_server_without_keys_counts_where_the_settings_name_it(config):
    add_provider("local")

    assert "no API key for 'openai'" in refusal("gpt-4o", config)


def test_a_key_outside_the_candidates_neither_simulates_nor_is_used(monkeypatch):
    monkeypatch.setenv("GROQ_API_KEY", "gsk-any")

    assert refusal("gpt-4o", None) == (
        "no API key for 'openai': set OPENAI_API_KEY, or providers['openai']['api_key']; "
        "GROQ_API_KEY is set: say groq/…"
    )
    assert not call("groq/m", None).simulated


@pytest.mark.parametrize("variable", ["DATABRICKS_HOST", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"])
def test_an_address_that_other_programs_know_too_does_not_count(monkeypatch, variable):
    monkeypatch.setenv(variable, "https://corp.example")

    with pytest.warns(SimulatedReplyWarning):
        assert call("gpt-4o", None).simulated


def test_a_provider_with_such_an_address_is_asked_where_it_is_named(monkeypatch):
    monkeypatch.setenv("DATABRICKS_HOST", "https://corp.example")

    assert "no API key for 'databricks'" in refusal("databricks/m", None)


@pytest.mark.parametrize("name", FAMILY)
def test_each_providers_key_counts(monkeypatch, name):
    if "{host}" in provider(name).base_url:
        monkeypatch.setenv(provider(name).authentication.host_env, "corp.example")
    for variable in provider(name).authentication.env:
        with monkeypatch.context() as environment:
            environment.setenv(variable, "any-key")

            assert f"; {variable} is set: say {name}/…" in refusal("gpt-4o", None)
            assert not call(f"{name}/any-model", None).simulated


def test_every_such_key_is_named_and_never_shown():
    keys = {"groq": {"api_key": "gsk-secret"}, "anthropic": {"api_key": "sk-ant-secret"}}

    found = refusal("openai/gpt-4o", {"providers": keys})

    assert found == (
        "no API key for 'openai': set OPENAI_API_KEY, or providers['openai']['api_key']; "
        "providers['anthropic']['api_key'] is set: say anthropic/…; "
        "providers['groq']['api_key'] is set: say groq/…"
    )


def test_where_a_prefix_would_be_part_of_the_id_the_error_names_the_setting(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-any")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gateway.example/v1")

    assert refusal("gpt-4o", None).endswith(
        "; ANTHROPIC_API_KEY is set: set primary_provider to 'anthropic'"
    )


def test_the_plan_says_it_too(monkeypatch):
    monkeypatch.setenv("GROQ_API_KEY", "gsk-any")

    shown = specado.Client().chat.completions.plan("gpt-4o", "Hello")

    assert shown[0].reasons[0].endswith("; GROQ_API_KEY is set: say groq/…")
    assert "GROQ" not in shown[1].reasons[0]


def test_a_key_for_a_provider_that_is_registered_later_counts(monkeypatch):
    client = specado.Client()
    with pytest.warns(SimulatedReplyWarning):
        client.chat.completions.create("gpt-4o", "Hello")
    monkeypatch.setenv("CORP_API_KEY", "any-key")
    add_provider("corp", api_key_env="CORP_API_KEY")

    with pytest.raises(ConfigurationError, match="CORP_API_KEY is set: say corp/…"):
        client.chat.completions.create("gpt-4o", "Hello")


def test_a_refused_name_gives_no_word_of_simulation(caplog):
    with caplog.at_level(logging.WARNING, "specado"), warnings.catch_warnings():
        warnings.simplefilter("error")
        refusal("gpt-4o", None, fallback_models=["timeout-test-model"])

    assert caplog.records == []
