"""The twin of what the core makes of an answer's schema: every rule stated once, slowly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
LOGIC = ["not", "if", "then", "else", "dependentRequired", "dependentSchemas"]
SIZES = [
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "contains",
    "minContains",
    "maxContains",
    "unevaluatedItems",
    "minProperties",
    "maxProperties",
    "propertyNames",
    "unevaluatedProperties",
]
SAID = {*NUMBERS, *LOGIC, *SIZES, "pattern", "prefixItems"}
STRICT = {*LOGIC, *SIZES, "allOf", "oneOf", "patternProperties", "default"} - {"maxItems"}
FORMATS = ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"]
KINDS = ("type", "anyOf", "oneOf", "allOf", "$ref", "enum", "const")


BOUNDS = STRICT - {"allOf", "oneOf", "patternProperties", "default"}


class Enforced(NamedTuple):
    form: Any
    closed: bool
    said: list[tuple[str, str]]  # the row and the place of each keyword that is not enforced


def children(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("properties", "$defs", "definitions"):
        for key, child in schema.get(name, {}).items():
            yield f".{name}.{key}", child
    for name in ("anyOf", "allOf", "oneOf"):
        for place, child in enumerate(schema.get(name, ())):
            yield f".{name}[{place}]", child
    if "items" in schema:
        yield ".items", schema["items"]


def nodes(schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    yield path, schema
    if isinstance(schema, dict):
        for place, child in children(schema):
            yield from nodes(child, path + place)


def is_object(schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    return "properties" in schema or kind == "object" or (type(kind) is list and "object" in kind)


def is_strict(schema: Any) -> bool:
    """Whether OpenAI's strict mode takes a schema."""
    return (
        schema.get("type") == "object"
        and "anyOf" not in schema
        and all(is_strict_node(node) for _, node in nodes(schema))
    )


def is_strict_node(node: Any) -> bool:
    if not isinstance(node, dict) or not set(KINDS) & set(node) or STRICT & set(node):
        return False
    listed = set(node.get("required", ())) == set(node.get("properties", ()))
    whole = "properties" in node and node.get("additionalProperties") is False and listed
    return (
        (whole or not is_object(node))
        and ("$ref" not in node or len(node) == 1)
        and (node.get("type") != "array" or "items" in node)
        and node.get("format", "date") in FORMATS
    )


def is_strict_bound(name: str, value: Any) -> bool:
    """Whether strict mode refuses a keyword that an answer can be held to afterwards."""
    return name in BOUNDS or (name == "format" and value not in FORMATS)


def opened(node: Any) -> Any:
    """A schema for strict mode: what it refuses of the bounds is in the descriptions."""
    made: dict[str, Any] = {}
    for name, value in node.items():
        if name in ("properties", "$defs", "definitions"):
            made[name] = {key: opened(child) for key, child in value.items()}
        elif name == "anyOf":
            made[name] = [opened(child) for child in value]
        elif name == "items":
            made[name] = opened(value)
        elif not is_strict_bound(name, value):
            made[name] = value
    tell(made, node, is_strict_bound)
    if "$ref" in made and "description" in made and "description" not in node:
        made["anyOf"] = [{"$ref": made.pop("$ref")}]
    return made


def strict_rows(schema: Any) -> list[tuple[str, str]]:
    """The row and the place of each bound that is moved for strict mode, if it takes the rest."""
    if not is_strict(opened(schema)):
        return []
    return [
        (row_of(name, value), f"{path}.{name}")
        for path, node in nodes(schema)
        for name, value in node.items()
        if is_strict_bound(name, value)
    ]


def row_of(name: str, value: Any) -> str:
    """The row of a keyword that is not enforced: of those here all but one are checked."""
    unchecked = name == "format" and value == "phone"
    return "response_format.hint" if unchecked else "response_format.bound"


def is_said(name: str, value: Any) -> bool:
    return (
        name in SAID
        or (name == "format" and value not in (*FORMATS, "uri"))
        or (name == "minItems" and value not in (0, 1))
    )


def enforced(schema: Any) -> Optional[Enforced]:
    """What Anthropic enforces of a schema, None if nothing."""
    found = list(nodes(schema))
    if not all(is_takeable(node) for _, node in found) or comes_back(schema):
        return None
    optional = [
        name
        for _, node in found
        for name in node.get("properties", ())
        if name not in node.get("required", ())
    ]
    unions = [
        node
        for _, node in found
        if {"anyOf", "oneOf"} & set(node) or type(node.get("type")) is list
    ]
    if len(optional) > 24 or len(unions) > 16:
        return None
    said = [
        (row_of(name, value), f"{path}.{name}")
        for path, node in found
        for name, value in node.items()
        if name == "oneOf" or is_said(name, value)
    ]
    closed = any(is_object(n) and n.get("additionalProperties", True) for _, n in found)
    return Enforced(form(schema), closed, said)


def is_takeable(node: Any) -> bool:
    if not isinstance(node, dict) or not set(KINDS) & set(node) or "patternProperties" in node:
        return False
    extra = node.get("additionalProperties", True)
    shut = extra is False or (extra is True and bool(node.get("properties")))
    plain = not any(isinstance(member, (dict, list)) for member in node.get("enum", ()))
    return plain and (shut or not is_object(node)) and not {"anyOf", "oneOf"} <= set(node)


def form(node: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in node.items():
        if name in ("properties", "$defs", "definitions"):
            made[name] = {key: form(child) for key, child in value.items()}
        elif name in ("anyOf", "allOf", "oneOf"):
            made["anyOf" if name == "oneOf" else name] = [form(child) for child in value]
        elif name == "items":
            made[name] = form(value)
        elif not is_said(name, value):
            made[name] = value
    if is_object(node):
        made["additionalProperties"] = False
    tell(made, node, is_said)
    return made


def tell(made: dict[str, Any], node: dict[str, Any], is_told: Callable[[str, Any], bool]) -> None:
    """Add what is told of a schema to its description."""
    said = [f"{k}: {json.dumps(v, separators=(',', ':'))}"
            for k, v in node.items() if is_told(k, v)]  # fmt: skip
    if said:
        text = "{" + ", ".join(said) + "}"
        made["description"] = (f"{node['description']}\n\n" if "description" in node else "") + text


def comes_back(schema: dict[str, Any]) -> bool:
    """Whether a reference leads to itself, or nowhere."""
    known = {
        f"#/{part}/{name}": child
        for part in ("$defs", "definitions")
        for name, child in schema.get(part, {}).items()
    }

    def follows(node: Any, passed: tuple[str, ...]) -> bool:
        for _, inner in nodes(node):
            if "$ref" in inner:
                name = inner["$ref"]
                if name not in known or name in passed or follows(known[name], (*passed, name)):
                    return True
        return False

    return follows(schema, ())
