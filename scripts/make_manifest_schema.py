"""Write docs/manifest.schema.json, the JSON Schema of providers' manifests.

    python scripts/make_manifest_schema.py

Members and types come from the Structs of `specado.catalog.manifests`, the rules below from the
checks of its conversion. What no JSON Schema can say (a fallback is one of the models, an alias
names one model) only `register_manifest` checks.
"""

import json
from pathlib import Path
from typing import Any, Optional, Union

import msgspec
from msgspec import Struct

from specado.catalog import manifests
from specado.catalog.manifests import (
    Authentication,
    Endpoints,
    ProviderDialect,
    ProviderErrors,
    RequestRules,
    ReturnedMember,
    StreamEnd,
    UsageCost,
    Verification,
)
from specado.dialects.registry import DIALECTS
from specado.settings.validators import HEADER_NAME

DESTINATION = Path(__file__).parent.parent / "docs" / "manifest.schema.json"
Schema = dict[str, Any]


class Info(Struct):
    """The provider's name as people write it, the manifest's version, and where it is from."""

    name: Optional[str] = None
    version: Optional[str] = None
    description: Optional[str] = None
    documentation: Optional[str] = None
    source: Optional[str] = None
    date: Optional[str] = None


class Manifest(Struct, forbid_unknown_fields=True):
    """A provider as data: its address, its dialects, how to authenticate, and its models by id.

    `name`, `base_url` and `api_key_env` are short for `info.name`, `endpoints.base_url` and
    `authentication.env`. `dialect`, with `endpoints.chat`, `stream_end`, `stream_usage` and
    `returns`, is the short form for a provider with one dialect.
    """

    name: Optional[str] = None
    base_url: Optional[str] = None
    api_key_env: Union[str, list[str], None] = None
    info: Optional[Info] = None
    dialect: Optional[str] = None
    dialects: Optional[list[ProviderDialect]] = None
    request_rules: Optional[RequestRules] = None
    authentication: Optional[Authentication] = None
    endpoints: Optional[Endpoints] = None
    models: Optional[dict[str, manifests._ModelEntry]] = None
    fallback_for: Optional[dict[str, str]] = None
    stream_end: Optional[StreamEnd] = None
    stream_usage: Optional[bool] = None
    returns: Optional[list[ReturnedMember]] = None
    ids_have_slashes: Optional[bool] = None
    hosts_others: Optional[bool] = None
    facts_of: Optional[str] = None
    usage_cost: Optional[UsageCost] = None
    verification: Optional[Verification] = None
    errors: Optional[ProviderErrors] = None


def whole(pattern: str) -> Schema:
    return {"pattern": f"^{pattern}$"}


def any_case(word: str) -> str:
    """Return a pattern of a word in any case, which JSON Schema's patterns have no flag for."""
    return "".join(f"[{each.upper()}{each}]" if each.isalpha() else each for each in word)


CLOUD_URL = whole(r"https?://[^\s/?#@{}]*(\{location\})?[^\s/?#@{}]+(/[^\s?#{}]*)?")
URL = whole(r"(https?|http\+unix)://(\{host\}|[^\s/?#@{}]+)(/[^\s?#{}]*)?")
PATH = whole(r"/([!-z|~]|\{(model|parent)\})*")  # ASCII, no other placeholder
DATE = whole(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
VARIABLE = whole(r"[A-Za-z_][A-Za-z0-9_]*")
HEADER = whole(HEADER_NAME.pattern)
VISIBLE = whole("[ -~]*")
NO_SECRET_HEADER = {
    "allOf": [
        HEADER,
        {"not": whole(f"({'|'.join(map(any_case, sorted(manifests._SECRET_HEADERS)))})")},
    ]
}
NOT_EMPTY = {"minLength": 1}

# What the conversion asks of a member beside its type, by Struct and member. A pattern leaves
# alone what is no text, a limit what is no number: a member that may be null stays so.
RULES: dict[tuple[str, str], Schema] = {
    ("Manifest", "name"): NOT_EMPTY,
    ("Manifest", "base_url"): URL,
    ("Manifest", "api_key_env"): {**VARIABLE, "items": {"type": "string", **VARIABLE}},
    ("Manifest", "dialect"): {"enum": [*DIALECTS, None]},
    ("Manifest", "dialects"): {"minItems": 1, "uniqueItems": True},
    ("Manifest", "models"): {"propertyNames": whole(r"\S+")},
    ("Info", "name"): NOT_EMPTY,
    ("Endpoints", "base_url"): URL,
    ("Endpoints", "chat"): PATH,
    ("Endpoints", "models"): PATH,
    ("CloudAddress", "base_urls"): {
        "required": ["*"],
        "additionalProperties": {"type": "string", **CLOUD_URL},
    },
    ("CloudAddress", "project_env"): {"items": {"type": "string", **VARIABLE}},
    ("CloudAddress", "location_env"): {"items": {"type": "string", **VARIABLE}},
    ("ProviderDialect", "name"): {"enum": list(DIALECTS)},
    ("ProviderDialect", "path"): PATH,
    ("ProviderDialect", "stream_path"): PATH,
    ("ProviderDialect", "versioned_path"): PATH,
    ("Authentication", "env"): {"items": {"type": "string", **VARIABLE}},
    ("Authentication", "token_env"): {"items": {"type": "string", **VARIABLE}},
    ("Authentication", "ambient_env"): {"items": {"type": "string", **VARIABLE}},
    ("Authentication", "base_url_env"): VARIABLE,
    ("Authentication", "host_env"): VARIABLE,
    ("Authentication", "prefix"): VISIBLE,
    ("Authentication", "headers"): {
        "propertyNames": NO_SECRET_HEADER,
        "additionalProperties": {"type": "string", **VISIBLE},
    },
    ("OptionalHeader", "name"): HEADER,
    ("UsageCost", "per_usd"): {"exclusiveMinimum": 0},
    ("Evidence", "date"): DATE,
    ("PriceChange", "from_date"): DATE,
    ("ModelEntry", "release_date"): DATE,
    ("ModelEntry", "deprecation_date"): DATE,
    ("ModelEntry", "dialects"): {"minItems": 1},
}
# The name of the query's parameter may be any; a header's may not.
HEADER_KEY = {
    "if": {"properties": {"kind": {"enum": ["query", "none"]}}, "required": ["kind"]},
    "else": {"properties": {"name": HEADER}},
}
# Either an address and a name in full, or in short; either a list of dialects, or one in short.
FORMS = [
    {
        "anyOf": [
            {"required": ["base_url"]},
            {"required": ["endpoints"], "properties": {"endpoints": {"required": ["base_url"]}}},
        ]
    },
    *(
        {"not": {"required": ["dialects", short]}}
        for short in ("dialect", "stream_end", "stream_usage", "returns")
    ),
    {
        "not": {
            "required": ["dialects", "endpoints"],
            "properties": {
                "endpoints": {"required": ["chat"], "properties": {"chat": {"type": "string"}}}
            },
        }
    },
]


def named(of: Schema) -> Schema:
    """Return the schema of a dict of *of* by name; it may be absent or null."""
    return {"type": ["object", "null"], "additionalProperties": of}


COUNT = {"type": ["integer", "null"], "exclusiveMinimum": 0}
TEXTS = {"type": ["array", "null"], "items": {"type": "string"}}
FLAG = {"type": ["boolean", "null"]}
PARAMETER = {
    "type": ["object", "null"],
    "properties": {
        "supported": {"type": "boolean"},
        "min": {"type": ["number", "null"]},
        "max": {"type": ["number", "null"]},
        "values": TEXTS,
    },
}
CAPABILITIES: Schema = {
    "description": "What the model can do, in the structure of docs/capabilities.md. What is "
    "absent is unknown.",
    "type": ["object", "null"],
    "additionalProperties": False,
    "properties": {
        "version": {"type": ["string", "null"]},
        "modalities": {
            "type": ["object", "null"],
            "additionalProperties": False,
            "properties": {"input": TEXTS, "output": TEXTS, "configs": named({})},
        },
        "features": named(FLAG),
        "parameters": named(PARAMETER),
        "roles": {
            "type": ["object", "null"],
            "properties": {"custom_roles": TEXTS},
            "additionalProperties": FLAG,
        },
        "constraints": {
            "type": ["object", "null"],
            "additionalProperties": False,
            "properties": {
                "tokens": {
                    "type": ["object", "null"],
                    "properties": {"max_context_window": COUNT, "max_output_tokens": COUNT},
                },
                "rate_limits": named({"type": ["number", "null"]}),
                "messages": named({}),
                "timeouts": named({}),
            },
        },
        "extensions": named({}),
    },
}


def make_schema() -> bytes:
    """Return the file's bytes."""
    made = msgspec.json.schema(Manifest)
    definitions = {name.lstrip("_"): each for name, each in made["$defs"].items()}
    for (struct, member), rule in RULES.items():
        definitions[struct]["properties"][member].update(rule)
    definitions["Authentication"].update(HEADER_KEY)
    definitions["ModelEntry"]["properties"]["capabilities"] = CAPABILITIES
    manifest = definitions.pop("Manifest")
    manifest["allOf"] = FORMS
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **manifest,
        "title": "Manifest of a provider of language models, for specado",
        "$defs": definitions,
    }
    text = json.dumps(schema, indent=1, ensure_ascii=False).replace("/$defs/_", "/$defs/")
    return f"{text}\n".encode()


if __name__ == "__main__":
    DESTINATION.write_bytes(make_schema())
