"""The published JSON Schema of manifests: it is current, and says what registration checks."""

from __future__ import annotations

import copy
import json
import runpy

import jsonschema
import pytest

from reference_files import REPOSITORY
from shipped_providers import SHIPPED
from specado import register_manifest
from specado.catalog import manifests
from specado.catalog.manifests import FOLDER
from specado.errors import ConfigurationError

SCRIPT = REPOSITORY / "scripts" / "make_manifest_schema.py"
PUBLISHED = REPOSITORY / "docs" / "manifest.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_bytes()))

FULL = {
    "info": {"name": "Corp", "version": "1"},
    "dialects": [
        {"name": "openai_chat", "path": "/serve/{model}/chat", "stream_end": "sentinel"},
        {"name": "anthropic_messages", "path": "/messages"},
    ],
    "request_rules": {"cache_control": False, "tool_name_characters": 64},
    "authentication": {
        "kind": "header",
        "name": "X-Corp-Key",
        "prefix": "",
        "env": ["CORP_KEY"],
        "headers": {"corp-version": "1"},
        "optional_headers": [{"name": "Corp-Team", "env": "CORP_TEAM"}],
    },
    "endpoints": {"base_url": "https://llm.corp.example/v1", "models": "/models"},
    "models": {
        "large": {
            "aliases": ["large-1"],
            "general": True,
            "release_date": "2026-01-31",
            "pricing": {"input": 1, "output": 3.5},
            "capabilities": {
                "modalities": {"input": ["Text"]},
                "features": {"function_calling": True, "vision": None},
                "constraints": {"tokens": {"max_context_window": 1000}},
            },
            "traits": {"logprobs": False, "reasoning_efforts": ["low"]},
            "dialects": ["openai_chat"],
        }
    },
    "fallback_for": {"gpt-5.4": "large"},
    "ids_have_slashes": True,
    "hosts_others": False,
    "usage_cost": {"member": "price", "per_usd": 100},
    "verification": {
        "replies": {"by": "recording", "source": "https://corp.example", "date": "2026-11-30"}
    },
}
SHORT = {"name": "Corp", "base_url": "http://127.0.0.1:8000/v1"}
IN_SHORT = [
    SHORT,
    {**SHORT, "api_key_env": "CORP_KEY"},
    {**SHORT, "api_key_env": ["CORP_KEY", "OTHER_KEY"]},
    {**SHORT, "dialect": "openai_responses", "stream_usage": False, "returns": ["reasoning"]},
    {**SHORT, "endpoints": {"base_url": "https://corp.example", "chat": "/chat"}},
    {**SHORT, "base_url": "http+unix://%2Frun%2Fllm.sock/v1"},
    {**SHORT, "base_url": "https://{host}/v1"},
]


def is_valid(manifest):
    return VALIDATOR.is_valid(manifest)


def is_registered(manifest):
    try:
        register_manifest(manifest, name="corp")
    except ConfigurationError:
        return False
    return True


def with_change(path, value):
    """FULL with another value at a path."""
    made = copy.deepcopy(FULL)
    place = made
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return made


def test_the_published_schema_is_current():
    assert PUBLISHED.read_bytes() == runpy.run_path(str(SCRIPT))["make_schema"]()


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(VALIDATOR.schema)


def test_it_has_each_key_of_a_manifest():
    assert set(VALIDATOR.schema["properties"]) == {*manifests._KEYS, *manifests._SHORTHAND}


@pytest.mark.parametrize("name", SHIPPED)
def test_each_shipped_manifest_is_valid(name):
    VALIDATOR.validate(json.loads((FOLDER / f"{name}.json").read_bytes()))


@pytest.mark.parametrize("manifest", [FULL, *IN_SHORT])
def test_a_right_manifest_is_valid_and_is_registered(manifest):
    VALIDATOR.validate(manifest)
    assert is_registered(manifest)


WRONG = [
    (["base_urls"], "https://corp.example"),
    (["info"], []),
    (["info", "name"], ""),
    (["dialects"], []),
    (["dialects"], {"name": "openai_chat"}),
    (["dialects", 0, "name"], "soap"),
    (["dialects", 0, "name"], 5),
    (["dialects", 0, "path"], "chat"),
    (["dialects", 0, "path"], "/a b"),
    (["dialects", 0, "path"], "/é"),
    (["dialects", 0, "path"], "/{deployment}/chat"),
    (["dialects", 0, "stream_path"], "chat"),
    (["dialects", 0, "stream_end"], "never"),
    (["dialects", 0, "stream_usage"], "no"),
    (["dialects", 0, "returns"], ["thoughts"]),
    (["dialects", 0, "paths"], "/chat"),
    (["dialect"], "openai_chat"),
    (["stream_end"], "sentinel"),
    (["stream_usage"], False),
    (["returns"], []),
    (["endpoints", "chat"], "/chat"),
    (["endpoints"], {}),
    (["endpoints", "base_url"], 5),
    (["endpoints", "base_url"], "llm.corp.example"),
    (["endpoints", "base_url"], "ftp://llm.corp.example"),
    (["endpoints", "base_url"], "https://me:secret@llm.corp.example"),
    (["endpoints", "base_url"], "https://llm.corp.example/v1?key=1"),
    (["endpoints", "base_url"], "https://llm.corp.example/v1#top"),
    (["endpoints", "base_url"], "https://llm.corp.example/a b"),
    (["endpoints", "base_url"], "https://{host}.example/v1"),
    (["endpoints", "base_url"], "https://{resource}/v1"),
    (["endpoints", "base_url"], "https://corp.example/{host}"),
    (["endpoints", "self_hosted"], "yes"),
    (["endpoints", "models"], "models"),
    (["endpoints", "chats"], "/chat"),
    (["endpoints", "cloud"], {"base_urls": {}, "default_location": "eu"}),
    (["endpoints", "cloud"], {"base_urls": {"*": "eu.example"}, "default_location": "eu"}),
    (
        ["endpoints", "cloud"],
        {"base_urls": {"*": "https://a"}, "default_location": "eu", "project_env": ["A-B"]},
    ),
    (["authentication"], []),
    (["authentication", "kind"], "magic"),
    (["authentication", "name"], "X Corp"),
    (["authentication", "prefix"], "Bearer\t"),
    (["authentication", "env"], ["sk-very-secret-key"]),
    (["authentication", "env"], "CORP_KEY"),
    (["authentication", "ambient_env"], ["1AWS"]),
    (["authentication", "base_url_env"], "https://corp.example"),
    (["authentication", "host_env"], "corp.example"),
    (["authentication", "headers"], {"Authorization": "Bearer secret"}),
    (["authentication", "headers"], {"X-API-KEY": "secret"}),
    (["authentication", "headers"], {"a b": "c"}),
    (["authentication", "headers"], {"corp-version": "é"}),
    (["authentication", "headers"], {"corp-version": 1}),
    (["authentication", "optional_headers"], [{"name": "a b"}]),
    (["request_rules", "cache_control"], "no"),
    (["request_rules", "tool_name_characters"], 8),
    (["request_rules", "cache_controls"], False),
    (["models"], []),
    (["models"], {"a b": {}}),
    (["models"], {"": {}}),
    (["models", "large"], 5),
    (["models", "large", "trait"], {}),
    (["models", "large", "aliases"], "large-1"),
    (["models", "large", "release_date"], "soon"),
    (["models", "large", "release_date"], "2026-13-01"),
    (["models", "large", "deprecation_date"], "2026-1-1"),
    (["models", "large", "pricing"], {"input": "1"}),
    (["models", "large", "pricing"], {"inputs": 1}),
    (["models", "large", "pricing"], {"changes": [{"from_date": "x", "source": "", "date": ""}]}),
    (["models", "large", "traits"], {"sampling": "yes"}),
    (["models", "large", "traits"], {"temp": True}),
    (["models", "large", "traits"], {"thinking": "maybe"}),
    (["models", "large", "dialects"], []),
    (["models", "large", "capabilities"], []),
    (["models", "large", "capabilities", "features"], {"vision": "yes"}),
    (["models", "large", "capabilities", "features"], []),
    (["models", "large", "capabilities", "modalities"], {"input": "Text"}),
    (["models", "large", "capabilities", "roles"], {"system": "yes"}),
    (["models", "large", "capabilities", "parameters"], {"n": {"supported": 1}}),
    (
        ["models", "large", "capabilities", "constraints"],
        {"tokens": {"max_context_window": 0}},
    ),
    (
        ["models", "large", "capabilities", "constraints"],
        {"tokens": {"max_output_tokens": "many"}},
    ),
    (["fallback_for"], {"gpt-5.4": 5}),
    (["fallback_for"], []),
    (["ids_have_slashes"], "yes"),
    (["hosts_others"], 1),
    (["usage_cost"], {}),
    (["usage_cost", "per_usd"], 0),
    (["usage_cost", "per"], 1),
    (["verification", "replies", "by"], "hearsay"),
    (["verification", "replies", "date"], "yesterday"),
    (["verification", "answers"], {}),
    (["verification"], {"replies": {"by": "recording", "source": "x"}}),
]


@pytest.mark.parametrize(("path", "value"), WRONG, ids=lambda each: str(each)[:60])
def test_a_wrong_manifest_is_neither_valid_nor_registered(path, value):
    manifest = with_change(path, value)

    assert not is_valid(manifest)
    assert not is_registered(manifest)


@pytest.mark.parametrize("missing", ["info", "endpoints"])
def test_a_manifest_without_an_address_is_not_valid(missing):
    manifest = {key: value for key, value in FULL.items() if key != missing}

    assert is_valid(manifest) is is_registered(manifest) is (missing == "info")


@pytest.mark.parametrize("wrong", [{**SHORT, "base_url": "corp"}, {**SHORT, "api_key_env": "a-b"}])
def test_the_short_form_is_checked_too(wrong):
    assert not is_valid(wrong)
    assert not is_registered(wrong)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_manifest_with_an_unknown_member_anywhere_is_not_valid(name):
    manifest = json.loads((FOLDER / f"{name}.json").read_bytes())

    for part in (manifest, manifest["authentication"], manifest["endpoints"]):
        part["no_such_member"] = True
        assert not is_valid(manifest)
        assert not is_registered(manifest)
        del part["no_such_member"]
    assert is_valid(manifest)
