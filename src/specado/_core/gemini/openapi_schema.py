"""Converts schemas in Gemini's OpenAPI form to JSON Schema, and closes their objects.

The OpenAPI form (google.genai.types.Schema 3.6.1, read 2026-11-30) writes types in upper case, has
`nullable` and `propertyOrdering`, and may write names in snake_case and whole numbers as text.
"""

from __future__ import annotations

from typing import Any, Callable

from specado._core.json_writer import MAX_DEPTH, NotJson

__all__ = ["closed_schema", "json_schema"]

_COUNTS = frozenset(
    ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
)
_NAMES = {
    "any_of": "anyOf",
    "additional_properties": "additionalProperties",
    "max_items": "maxItems",
    "max_length": "maxLength",
    "max_properties": "maxProperties",
    "min_items": "minItems",
    "min_length": "minLength",
    "min_properties": "minProperties",
    "property_ordering": "propertyOrdering",
    "defs": "$defs",
    "ref": "$ref",
}
# A format that says nothing beside the keyword `enum`.
_ENUM_FORMAT = "enum"


def json_schema(given: Any, depth: int = 0) -> Any:
    """Convert a schema to JSON Schema; a schema that is JSON Schema already is returned equal.

    Raises:
        NotJson: the schema is nested too deep.
    """
    if not isinstance(given, dict):
        return given
    if depth > MAX_DEPTH:
        raise NotJson(f"nested deeper than {MAX_DEPTH} levels")
    made: dict[str, Any] = {}
    is_nullable = False
    ordering = None
    for key, value in given.items():
        name = str(_NAMES.get(key, key))
        if name == "nullable" and isinstance(value, bool):
            is_nullable = value
        elif name == "propertyOrdering":
            ordering = value
        elif name == "type" and isinstance(value, str):
            if value != "TYPE_UNSPECIFIED":
                made[name] = value.lower() if value.isupper() else value
        elif name == "example":
            made["examples"] = [value]
        elif name == "format" and value == _ENUM_FORMAT and "enum" in given:
            continue
        else:
            made[name] = _keyword(name, value, depth, json_schema)
    if isinstance(ordering, (list, tuple)) and isinstance(made.get("properties"), dict):
        made["properties"] = _ordered(made["properties"], ordering)
    if is_nullable:
        _add_null(made)
    return made


def closed_schema(given: Any, depth: int = 0) -> Any:
    """Return a JSON Schema whose objects forbid properties that it does not name.

    Gemini's models, which follow a schema token by token, write no other properties anyway. An
    object with `additionalProperties` is unchanged.
    """
    if not isinstance(given, dict) or depth > MAX_DEPTH:
        return given
    made = {
        name: _keyword(name, value, depth, closed_schema) if isinstance(name, str) else value
        for name, value in given.items()
    }
    if isinstance(made.get("properties"), dict) and "additionalProperties" not in made:
        made["additionalProperties"] = False
    return made


def _keyword(name: str, value: Any, depth: int, convert: Callable[[Any, int], Any]) -> Any:
    """Return the value of a keyword, with the schemas in it converted."""
    if name in ("properties", "$defs") and isinstance(value, dict):
        return {key: convert(item, depth + 1) for key, item in value.items()}
    if name in ("items", "additionalProperties"):
        return convert(value, depth + 1)
    if name in ("anyOf", "oneOf", "allOf", "prefixItems") and isinstance(value, (list, tuple)):
        return [convert(item, depth + 1) for item in value]
    if name in _COUNTS and isinstance(value, str) and value.isdecimal():
        return int(value)
    return value


def _ordered(properties: dict[str, Any], ordering: Any) -> dict[str, Any]:
    """Return the properties in the order that the schema asks for, the others after them."""
    first = {name: properties[name] for name in ordering if name in properties}
    return {**first, **properties}


def _add_null(schema: dict[str, Any]) -> None:
    """Let a schema accept null too."""
    if isinstance(schema.get("anyOf"), list):
        schema["anyOf"].append({"type": "null"})
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    if isinstance(schema.get("enum"), (list, tuple)):
        schema["enum"] = [*schema["enum"], None]
