"""Generates an example JSON value that a JSON Schema accepts."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["example"]

MAX_DEPTH = 24
# Past this depth an optional branch is left out, so that recursive schemas come to an end.
LEAN_DEPTH = 3
MAX_ITEMS = 100
MAX_VALUES = 5000
MAX_TEXT_LENGTH = 4096

_BY_FORMAT = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "user@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_BY_TYPE: dict[str, Any] = {"boolean": True, "null": None}


class _Frame:
    """State of one generation: root schema, text of strings, remaining number of values."""

    def __init__(self, root: Any, text: str) -> None:
        self.root = root
        self.text = text
        self.left = MAX_VALUES


def example(schema: Any, text: str = "example") -> Any:
    """Return a value that *schema* accepts; free strings are *text*.

    Bounded in depth and size whatever the schema asks for. Knows types, enums, constants, bounds,
    formats, required properties, items, `$ref` within the schema, `allOf` and the first possible
    branch of `anyOf` and `oneOf`. Patterns are not solved: a string with one gets the schema's
    own example or default, else *text*.
    """
    return _value(schema, _Frame(schema, text), 0)


def _value(schema: Any, frame: _Frame, depth: int) -> Any:
    schema = _resolved(schema, frame.root)
    frame.left -= 1
    if not isinstance(schema, dict) or not schema or depth > MAX_DEPTH or frame.left < 0:
        return {} if depth == 0 else frame.text
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for name in ("default", "examples"):
        if name in schema and "properties" not in schema:
            given = schema[name]
            if name == "default" and given is not None:
                return given
            if name == "examples" and isinstance(given, list) and given:
                return given[0]
    for name in ("anyOf", "oneOf"):
        branches = schema.get(name)
        if isinstance(branches, list) and branches:
            rest = {key: value for key, value in schema.items() if key != name}
            branch = _branch(branches, frame.root, depth)
            return _value(_merged([rest, branch], frame.root), frame, depth + 1)
    if isinstance(schema.get("allOf"), list):
        rest = {key: value for key, value in schema.items() if key != "allOf"}
        return _value(_merged([rest, *schema["allOf"]], frame.root), frame, depth + 1)
    kind = _type_of(schema, depth)
    if kind == "object":
        return _object(schema, frame, depth)
    if kind == "array":
        return _array(schema, frame, depth)
    if kind in ("integer", "number"):
        try:
            return _number(schema, integer=kind == "integer")
        except OverflowError:
            return 1
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    return _text(schema, frame.text)


def _resolved(schema: Any, root: Any) -> Any:
    for _hop in range(MAX_DEPTH):
        if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
            return schema
        target: Any = root
        for step in schema["$ref"].lstrip("#").strip("/").split("/"):
            if step:
                name = step.replace("~1", "/").replace("~0", "~")
                target = target.get(name) if isinstance(target, dict) else None
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**target, **rest} if isinstance(target, dict) else rest
    return {}


def _merged(schemas: list[Any], root: Any) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for part in schemas:
        resolved = _resolved(part, root)
        if not isinstance(resolved, dict):
            continue
        for key, value in resolved.items():
            if key == "properties" and isinstance(value, dict):
                merged[key] = {**merged.get(key, {}), **value}
            elif key == "required" and isinstance(value, list):
                merged[key] = [*merged.get(key, []), *value]
            else:
                merged[key] = value
    return merged


def _branch(branches: list[Any], root: Any, depth: int) -> Any:
    resolved = [_resolved(branch, root) for branch in branches]
    if depth > LEAN_DEPTH:
        for branch in resolved:
            if isinstance(branch, dict) and branch.get("type") not in ("object", "array", None):
                return branch
    for branch in resolved:
        if not (isinstance(branch, dict) and branch.get("type") == "null"):
            return branch
    return resolved[0]


def _type_of(schema: dict[str, Any], depth: int) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        if depth > LEAN_DEPTH and "null" in kind:
            return "null"
        kind = next((name for name in kind if name != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in schema or "required" in schema or depth == 0:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    return "number" if "minimum" in schema or "maximum" in schema else "string"


def _object(schema: dict[str, Any], frame: _Frame, depth: int) -> dict[str, Any]:
    properties = schema.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    required = schema.get("required")
    names = required if isinstance(required, list) else []
    if not names and depth <= LEAN_DEPTH:
        names = list(properties)
    open_schema = schema.get("additionalProperties", {})
    made = {
        name: _value(properties.get(name, open_schema), frame, depth + 1)
        for name in names
        if isinstance(name, str)
    }
    missing = _count(schema.get("minProperties"), 0, MAX_ITEMS) - len(made)
    for number in range(1, missing + 1):
        made[f"key{number}"] = _value(open_schema, frame, depth + 1)
    return made


def _array(schema: dict[str, Any], frame: _Frame, depth: int) -> list[Any]:
    prefix = schema.get("prefixItems")
    made = [_value(item, frame, depth + 1) for item in (prefix if isinstance(prefix, list) else [])]
    items = schema.get("items", {})
    least = _count(schema.get("minItems"), 0, MAX_ITEMS)
    wanted = least if depth > LEAN_DEPTH else max(least, 1)
    wanted = min(wanted, _count(schema.get("maxItems"), MAX_ITEMS, MAX_ITEMS))
    if items is False:
        return made
    for number in range(len(made), wanted):
        if schema.get("uniqueItems"):
            made.append(_distinct(items, frame, depth, number))
        else:
            made.append(_value(items, frame, depth + 1))
    return made


def _distinct(items: Any, frame: _Frame, depth: int, number: int) -> Any:
    resolved = _resolved(items, frame.root)
    choices = resolved.get("enum") if isinstance(resolved, dict) else None
    if isinstance(choices, list) and number < len(choices):
        return choices[number]
    value = _value(items, frame, depth + 1)
    if isinstance(value, str):
        return f"{value}{number}" if number else value
    if _number_or_none(value) is not None:
        return value + number
    return value


def _count(value: Any, otherwise: int, most: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return min(value, most)
    return otherwise


def _number_or_none(value: Any) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    return None


def _number(schema: dict[str, Any], *, integer: bool) -> float:
    step = _number_or_none(schema.get("multipleOf"))
    if step is None or step <= 0:
        step = 1
    value = step
    low, high = _number_or_none(schema.get("minimum")), _number_or_none(schema.get("maximum"))
    above = _number_or_none(schema.get("exclusiveMinimum"))
    under = _number_or_none(schema.get("exclusiveMaximum"))
    if high is not None and value > high:
        value = math.floor(high / step) * step
    if under is not None and value >= under:
        value = (math.ceil(under / step) - 1) * step
    if low is not None and value < low:
        value = math.ceil(low / step) * step
    if above is not None and value <= above:
        value = (math.floor(above / step) + 1) * step
    if integer:
        return int(value)
    if "multipleOf" not in schema:
        bottom = low if low is not None else above
        top = high if high is not None else under
        if bottom is not None and top is not None and not bottom < value < top:
            return bottom + (top - bottom) / 2
    return value


def _text(schema: dict[str, Any], text: str) -> str:
    made = _BY_FORMAT.get(str(schema.get("format")), text)
    least = _count(schema.get("minLength"), 0, MAX_TEXT_LENGTH)
    most = _count(schema.get("maxLength"), MAX_TEXT_LENGTH, MAX_TEXT_LENGTH)
    if len(made) < least:
        made = (made or "x") * (least // max(len(made), 1) + 1)
        return made[:least]
    return made[:most]
