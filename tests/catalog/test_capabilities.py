"""Lookup of manifests: capabilities, copies, registered providers."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import specado
from shipped_providers import KNOWN, SHIPPED
from specado.catalog import lookup as catalog
from specado.catalog.lookup import (
    ProviderDialect,
    find_model,
    get_anthropic_manifest,
    get_manifest,
    get_model_capabilities,
    get_openai_manifest,
    list_providers,
    provider,
)
from specado.dialects.registration import register_manifest
from specado.errors import ConfigurationError

LOCAL = {"name": "Local", "base_url": "http://127.0.0.1:8000/v1"}


def test_importing_reads_no_manifest():
    code = """
import sys
opened = []
sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == "open" else None)
import specado
before = [name for name in opened if name.endswith(".json")]
specado.get_manifest("openai")
print(before, sorted({name[-11:] for name in opened if name.endswith(".json")}))
"""

    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert seen.stdout == "[] ['openai.json']\n"


def test_the_documented_fields_are_there():
    for manifest, title in (
        (get_openai_manifest(), "OpenAI"),
        (get_anthropic_manifest(), "Anthropic"),
    ):
        assert manifest["info"]["name"] == title
        assert manifest["info"]["version"]
        for entry in manifest["models"].values():
            assert entry["name"]
            assert entry["version"]
            assert entry["status"] in ("current", "deprecated", "retired")
            assert set(entry["capabilities"]) == {
                "version",
                "modalities",
                "features",
                "parameters",
                "roles",
                "constraints",
                "extensions",
            }


def test_the_documented_models_have_the_documented_abilities():
    gpt = get_model_capabilities("openai", "gpt-4-turbo")
    claude = get_model_capabilities("anthropic", "claude-3-opus")

    assert gpt["features"]["function_calling"] is True
    assert gpt["features"]["vision"] is True
    assert gpt["features"]["json_mode"] is True
    assert gpt["features"]["tool_use"] is False
    assert gpt["constraints"]["tokens"] == {"max_context_window": 128000, "max_output_tokens": 4096}
    assert claude["features"]["tool_use"] is True
    assert claude["features"]["json_mode"] is False
    assert claude["constraints"]["tokens"]["max_context_window"] == 200000
    assert claude["parameters"]["temperature"]["max"] == 1.0


@pytest.mark.parametrize(
    ("name", "alias", "key"),
    [
        ("anthropic", "claude-3-opus-20240229", "claude-3-opus"),
        ("anthropic", "claude-3-5-sonnet-20241022", "claude-3-5-sonnet"),
        ("anthropic", "claude-3-haiku-20240307", "claude-3-haiku"),
        ("anthropic", "claude-3-sonnet-20240229", "claude-3-sonnet"),
        ("anthropic", "claude-sonnet-4-20250514", "claude-sonnet-4-0"),
        ("anthropic", "claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("openai", "gpt-4-0613", "gpt-4"),
        ("openai", "gpt-4-turbo-2024-04-09", "gpt-4-turbo"),
        ("openai", "gpt-4o-2024-11-20", "gpt-4o"),
    ],
)
def test_a_dated_id_and_its_alias_are_one_entry(name, alias, key):
    assert find_model(name, alias) is find_model(name, key)
    assert find_model(name, alias).id == key
    assert get_model_capabilities(name, alias) == get_model_capabilities(name, key)


def test_a_snapshot_on_other_terms_is_its_own_entry():
    assert find_model("openai", "gpt-4o-2024-05-13").max_output_tokens == 4096
    assert find_model("openai", "gpt-4o").max_output_tokens == 16384


def test_what_is_not_known_is_none():
    assert get_model_capabilities("openai", "no-such-model") is None
    assert get_model_capabilities("no-such-provider", "gpt-4") is None
    assert find_model("openai", "no-such-model") is None
    assert find_model("no-such-provider", "gpt-4") is None
    assert provider("no-such-provider") is None


def test_an_unknown_provider_has_no_manifest():
    with pytest.raises(ConfigurationError, match="'opnai'; did you mean 'openai'"):
        get_manifest("opnai")
    with pytest.raises(ConfigurationError) as caught:
        get_manifest("mammoth")

    assert f"no provider is named 'mammoth'; known: {KNOWN} (" in str(caught.value)


@pytest.mark.parametrize("wrong", [None, 1, b"openai", ["openai"]])
def test_a_name_of_a_wrong_type_is_a_type_error(wrong):
    with pytest.raises(TypeError, match="provider must be a str"):
        get_manifest(wrong)
    with pytest.raises(TypeError, match="provider must be a str"):
        get_model_capabilities(wrong, "gpt-4")
    with pytest.raises(TypeError, match="model_id must be a str"):
        get_model_capabilities("openai", wrong)


def test_changing_a_copy_changes_no_routing():
    manifest = get_openai_manifest()
    manifest["models"].clear()
    manifest["endpoints"]["base_url"] = "https://example.com"
    get_model_capabilities("openai", "gpt-4")["features"]["vision"] = True

    assert "gpt-4" in get_openai_manifest()["models"]
    assert provider("openai").base_url == "https://api.openai.com/v1"
    assert get_model_capabilities("openai", "gpt-4")["features"]["vision"] is False


def test_the_typed_view_is_made_once_and_frozen():
    first = provider("anthropic")

    with pytest.raises(AttributeError):
        first.base_url = "https://example.com"
    assert provider("anthropic") is first


def test_the_typed_view_is_short_in_a_log():
    assert repr(find_model("openai", "gpt-4-0613")) == "Model(provider='openai', id='gpt-4')"
    assert repr(provider("anthropic")) == (
        "Provider(name='anthropic', base_url='https://api.anthropic.com')"
    )


def test_the_typed_view_holds_what_routing_asks_for():
    openai, anthropic = provider("openai"), provider("anthropic")

    assert [(each.name, each.path) for each in openai.dialects] == [
        ("openai_chat", "/chat/completions"),
        ("openai_responses", "/responses"),
    ]
    assert [(each.name, each.path) for each in anthropic.dialects] == [
        ("anthropic_messages", "/v1/messages")
    ]
    assert openai.authentication.env == ("OPENAI_API_KEY",)
    assert anthropic.authentication.name == "x-api-key"
    assert anthropic.authentication.headers == {"anthropic-version": "2023-06-01"}
    model = openai.find("gpt-4-turbo")
    assert model.pricing.input == 10.0
    assert "function_calling" in model.features
    assert model.input_modalities == {"Text", "Image"}
    assert model.output_modalities == {"Text"}


@pytest.mark.parametrize(
    ("today", "status"),
    [
        (dt.date(2026, 10, 22), "deprecated"),
        (dt.date(2026, 10, 23), "retired"),
    ],
)
def test_status_follows_from_the_date(today, status):
    model = find_model("openai", "gpt-4")

    assert model.status(today) == status
    assert model.is_retired(today) is (status == "retired")
    assert find_model("openai", "gpt-5.4").status(today) == "current"


def test_a_counterpart_is_found_for_an_alias_too():
    original = find_model("openai", "gpt-4o-2024-11-20")

    assert provider("anthropic").counterpart("gpt-4o") == "claude-sonnet-4-6"
    assert provider("anthropic").counterpart("gpt-4o-2024-11-20", original) == "claude-sonnet-4-6"
    assert provider("anthropic").counterpart("no-such-model") is None


def test_a_compatible_server_is_two_lines():
    assert register_manifest(LOCAL) == "local"

    local = provider("local")
    assert local.base_url == "http://127.0.0.1:8000/v1"
    assert local.dialects == (ProviderDialect("openai_chat"),)
    assert local.authentication.kind == "none"
    assert local.models == {}
    assert list_providers() == sorted([*SHIPPED, "local"])
    assert get_manifest("local")["info"]["name"] == "Local"


def test_a_key_in_the_environment_is_one_line_more():
    register_manifest({**LOCAL, "api_key_env": "LOCAL_API_KEY"}, name="mine")

    authentication = provider("mine").authentication
    assert (authentication.kind, authentication.name, authentication.prefix) == (
        "header",
        "Authorization",
        "Bearer ",
    )
    assert authentication.env == ("LOCAL_API_KEY",)


def test_models_may_state_little():
    register_manifest({**LOCAL, "models": {"tiny": {}, "big": {"aliases": ["huge"]}}})

    assert get_model_capabilities("local", "tiny") == {}
    assert get_manifest("local")["models"]["tiny"]["version"] == "tiny"
    assert find_model("local", "huge").id == "big"
    assert find_model("local", "tiny").features is None
    assert find_model("local", "tiny").traits.sampling is None


def test_a_manifest_in_full_comes_back_as_given():
    manifest = {
        "info": {"name": "Corp", "version": "2", "owner": "us"},
        "dialect": "openai_chat",
        "authentication": {"kind": "query", "name": "key", "prefix": "", "env": ["CORP_KEY"]},
        "endpoints": {"base_url": "https://corp.example/", "chat": "/models/{model}/chat"},
        "stream_end": "finish_reason",
        "models": {
            "m": {
                "general": True,
                "pricing": {"input": 1.0},
                "capabilities": {"features": {"streaming": True}},
                "traits": {"sampling": False},
                "source": "https://corp.example/models",
                "date": "2026-11-22",
            }
        },
        "fallback_for": {"gpt-4": "m"},
    }

    register_manifest(manifest)

    corp = provider("corp")
    assert corp.base_url == "https://corp.example"
    assert corp.authentication.kind == "query"
    assert corp.dialects == (
        ProviderDialect("openai_chat", "/models/{model}/chat", stream_end="finish_reason"),
    )
    assert corp.counterpart("gpt-4") == "m"
    assert get_manifest("corp")["info"] == {"name": "Corp", "version": "2", "owner": "us"}
    manifest["models"].clear()
    assert find_model("corp", "m").traits.sampling is False


@pytest.mark.parametrize("name", ["anthropic", "openai"])
def test_a_shipped_manifest_can_be_registered_under_another_name(name):
    register_manifest(get_manifest(name), name="proxy")

    assert provider("proxy").models.keys() == provider(name).models.keys()
    assert provider("proxy").authentication == provider(name).authentication
    assert get_manifest("proxy") == get_manifest(name)


def test_registering_again_replaces():
    register_manifest(LOCAL)
    register_manifest({**LOCAL, "base_url": "http://127.0.0.1:9000/v1"})

    assert provider("local").base_url == "http://127.0.0.1:9000/v1"


def test_a_shipped_provider_is_not_replaced_unasked():
    with pytest.raises(ConfigurationError, match="replace=True"):
        register_manifest({"name": "OpenAI", "base_url": "https://example.com"})

    register_manifest({"name": "OpenAI", "base_url": "https://example.com"}, replace=True)

    assert provider("openai").base_url == "https://example.com"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": None}, "name is missing"),
        ({"name": "a b"}, "cannot be a provider's name"),
        ({"name": "a/b"}, "cannot be a provider's name"),
        ({"base_url": None}, "endpoints.*base_url"),
        ({"base_url": 5}, r"endpoints.base_url is not right: expected `str`, got `int`"),
        ({"base_url": "ftp://x"}, "endpoints.base_url must begin with http"),
        ({"base_url": "http://"}, "endpoints.base_url must begin with http"),
        ({"base_url": "http://user:pass@x"}, "endpoints.base_url may hold no user name"),
        ({"base_url": "http://x/v1?key=1"}, "endpoints.base_url may hold no"),
        ({"base_url": "http://x:99999"}, "endpoints.base_url is not a URL"),
        ({"base_url": "http://x\n"}, "endpoints.base_url may hold only"),
        ({"base_urls": "http://x"}, "base_urls is not a key.*did you mean 'base_url'"),
        ({"dialect": "soap"}, "dialect 'soap' is not known; known: openai_chat"),
        ({"dialect": ["x"]}, "dialect"),
        ({"stream_end": 5}, "stream_end"),
        ({"endpoints": {"chat": "chat"}}, "endpoints.chat 'chat' must be a path"),
        ({"endpoints": {"chat": "/{name}"}}, "no placeholder but {model}"),
        ({"endpoints": {"chats": "/x"}}, "endpoints is not right.*chats"),
        ({"api_key_env": "sk-abc"}, "authentication.env must name environment variables"),
        ({"authentication": []}, "authentication must be a dict, not list"),
        ({"authentication": {"kind": "magic"}}, "authentication.kind is not right"),
        (
            {"authentication": {"headers": {"Authorization": "Bearer x"}}},
            "authentication.headers.Authorization would hold a key",
        ),
        ({"authentication": {"headers": {"x\n": "y"}}}, "is not a header's name"),
        ({"authentication": {"headers": {"x": "y\n"}}}, "must be visible ASCII"),
        ({"models": []}, "models must be a dict, not list"),
        ({"models": {"m": 1}}, "models.m is not right: expected `object`, got `int`"),
        ({"models": {"": {}}}, "cannot be a model's id"),
        ({"models": {1: {}}}, "models must have str keys"),
        ({"models": {"m": {"trait": {}}}}, "models.m is not right.*trait"),
        ({"models": {"m": {"traits": {"sampling": 1}}}}, "models.m.traits.sampling is not right"),
        ({"models": {"m": {"traits": {"temp": True}}}}, "models.m.traits is not right.*temp"),
        ({"models": {"m": {"release_date": "soon"}}}, "models.m.release_date 'soon' must be"),
        ({"models": {"m": {"pricing": {"input": "1"}}}}, "models.m.pricing.input is not right"),
        (
            {"models": {"m": {"capabilities": {"features": {"vision": "yes"}}}}},
            "models.m.capabilities.features.vision must be True or False, not str",
        ),
        (
            {
                "models": {
                    "m": {"capabilities": {"constraints": {"tokens": {"max_context_window": 0}}}}
                }
            },
            "models.m.capabilities.constraints.tokens.max_context_window must be a whole number",
        ),
        ({"models": {"m": {"aliases": ["n"]}, "n": {}}}, "models.m.aliases 'n' names another"),
        ({"models": {"m": {}}, "fallback_for": {"gpt-4": "x"}}, "fallback_for.gpt-4 'x' is not in"),
        ({"fallback_for": {"gpt-4": 1}}, "fallback_for"),
        ({"info": {"logo": object()}}, "is not plain JSON"),
    ],
)
def test_a_wrong_manifest_is_refused_at_its_path(change, message):
    with pytest.raises(ConfigurationError, match=message):
        register_manifest({**LOCAL, **change})

    assert list_providers() == SHIPPED


def test_a_key_given_for_a_variables_name_is_not_shown():
    with pytest.raises(ConfigurationError) as caught:
        register_manifest({**LOCAL, "api_key_env": "sk-very-secret-key"})

    assert "secret" not in str(caught.value)


def test_a_manifest_that_holds_itself_is_refused():
    loop = {}
    loop["loop"] = loop

    with pytest.raises(ConfigurationError, match="is not plain JSON"):
        register_manifest({**LOCAL, "info": loop})


@pytest.mark.parametrize("wrong", [None, [], "x"])
def test_a_manifest_that_is_no_dict_is_a_type_error(wrong):
    with pytest.raises(TypeError, match="manifest must be a dict"):
        register_manifest(wrong)
    with pytest.raises(TypeError, match="name must be a str"):
        register_manifest(LOCAL, name=5)


def test_threads_that_ask_first_get_one_provider(monkeypatch):
    monkeypatch.setattr(catalog, "_shipped", {})

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: provider("openai"), range(64)))

    assert all(one is found[0] for one in found)


def test_registering_and_reading_at_once_keeps_both_whole():
    def work(number):
        name = register_manifest({**LOCAL, "models": {f"m{number}": {}}}, name=f"p{number % 4}")
        return provider(name).base_url, len(list_providers()) >= 3

    with ThreadPoolExecutor(16) as pool:
        results = set(pool.map(work, range(200)))

    assert results == {("http://127.0.0.1:8000/v1", True)}


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        (
            {"pricing": {"changes": [{"from_date": "soon", "source": "x", "date": "2026-11-30"}]}},
            "models.m.pricing.changes[0].from_date",
        ),
        ({"traits_by_dialect": {"gemini": {}}}, "models.m.traits_by_dialect"),
        ({"traits_by_dialect": {"openai_chat": {"zz": 1}}}, "models.m.traits_by_dialect"),
    ],
)
def test_a_wrong_price_change_or_trait_is_refused_at_its_path(entry, path):
    with pytest.raises(ConfigurationError) as caught:
        register_manifest({**LOCAL, "models": {"m": entry}})

    assert path in str(caught.value)


# Among the shipped providers


@pytest.mark.parametrize(
    ("source", "target", "missing", "severity"),
    [
        (("gemini", "gemini-4-argon"), ("openai", "gpt-5.4"), "input_Video", "Critical"),
        (("gemini", "gemini-4-argon"), ("anthropic", "claude-opus-4-8"), "input_Audio", "Critical"),
        (("openai", "gpt-5.4"), ("gemini", "gemini-4-argon"), "function_role", "High"),
        (("gemini", "gemini-4-hydrogen"), ("vertex", "gemini-4-hydrogen"), None, "None"),
        (("openai", "gpt-5.4"), ("openai", "gpt-5.4-pro"), "json_mode", "Medium"),
    ],
)
def test_what_a_move_between_shipped_models_loses(source, target, missing, severity):
    found = specado.compare_capabilities(
        get_model_capabilities(*source), get_model_capabilities(*target)
    )

    assert found["lossiness_report"]["severity"] == severity
    assert missing in (found["missing_capabilities"] or [None])


@pytest.mark.parametrize(
    ("model", "extension"),
    [
        ("gemini-2.5-pro", {"mode": "budget", "min_budget": 128, "max_budget": 32768}),
        ("gemini-2.5-flash", {"mode": "budget", "min_budget": 0, "max_budget": 24576}),
        ("gemini-3.8-flash", {"mode": "level"}),
    ],
)
def test_a_gemini_model_states_how_it_thinks(model, extension):
    assert get_model_capabilities("gemini", model)["extensions"]["thinking"] == extension
