"""Checks of the two kinds of schemas that Gemini takes, with Google's error messages.

Source: Google's "Structured outputs" and "Function calling" pages, and error bodies that users
report, read 2026-11-30.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from specado.simulator.gemini_requests import invalid_argument
from specado.simulator.schema_checks import malformed_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["as_json_schema", "check_json_schema", "check_schema"]

_TEXT_FORMATS = ("enum", "date-time")
_DESCRIPTIONS = ("title", "description", "default")
_MOST_DEPTH = 64


def check_schema(schema: dict[str, Any], where: str) -> None:
    """Raise the `SimulatedError` for a `Schema` message that Google would refuse."""
    kind = schema.get("type")
    properties = schema.get("properties") or {}
    if kind is None and "anyOf" not in schema:
        raise _problem(f"{where}.type", "must be specified")
    if kind == "ARRAY" and "items" not in schema:
        raise _problem(f"{where}.items", "missing field.")
    if properties and kind not in ("OBJECT", None):
        raise _problem(f"{where}.properties", "only allowed for OBJECT type")
    if schema.get("enum") and kind != "STRING":
        raise _problem(f"{where}.enum", "only allowed for STRING type")
    if kind == "STRING" and schema.get("format") not in (None, "", *_TEXT_FORMATS):
        raise _problem(
            f"{where}.format", "only 'enum' and 'date-time' are supported for STRING type"
        )
    for place, name in enumerate(schema.get("required") or ()):
        if name not in properties:
            raise _problem(f"{where}.required[{place}]", "property is not defined")
    for name, child in properties.items():
        check_schema(child, f"{where}.properties[{name}]")
    if "items" in schema:
        check_schema(schema["items"], f"{where}.items")
    for place, child in enumerate(schema.get("anyOf") or ()):
        check_schema(child, f"{where}.any_of[{place}]")


def check_json_schema(schema: Any, where: str) -> None:
    """Raise the `SimulatedError` for a JSON Schema that Google would refuse.

    Google ignores unknown keywords, so they raise no error.
    """
    problem = malformed_problem(schema)
    if problem is not None or not isinstance(schema, dict):
        raise _problem(where, problem or "must be an object")
    known = _definitions(schema)
    for node, depth in _nodes(schema, 0):
        if depth > _MOST_DEPTH:
            raise _problem(where, "schema is nested too deeply")
        reference = node.get("$ref")
        if reference is None:
            continue
        if not isinstance(reference, str) or reference not in known:
            raise _problem(where, f"reference to undefined schema: {reference}")
        # Descriptive keywords beside $ref are accepted, as recorded requests show.
        beside = sorted(name for name in node if name[0] != "$" and name not in _DESCRIPTIONS)
        if beside:
            raise _problem(where, f"$ref cannot be used with other keywords: {', '.join(beside)}")
    _check_cycles(known, where)


def _definitions(schema: dict[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {"#": schema}
    for part in ("$defs", "definitions"):
        for name, child in (schema.get(part) or {}).items():
            known[f"#/{part}/{name}"] = child
    return known


def _check_cycles(known: dict[str, Any], where: str) -> None:
    """Refuse schemas that refer to themselves by properties that are required."""
    reached = {name: set(_required_references(child, 0)) for name, child in known.items()}
    while reached:
        ended = [name for name, names in reached.items() if not names & reached.keys()]
        if not ended:
            raise _problem(where, "schema has a reference cycle through required properties")
        for name in ended:
            del reached[name]


def _required_references(node: Any, depth: int) -> Iterator[str]:
    if not isinstance(node, dict) or depth > _MOST_DEPTH:
        return
    if isinstance(node.get("$ref"), str):
        yield node["$ref"]
    required = node.get("required") or ()
    for name, child in (node.get("properties") or {}).items():
        if name in required:
            yield from _required_references(child, depth + 1)


def _nodes(node: Any, depth: int) -> Iterator[tuple[dict[str, Any], int]]:
    if not isinstance(node, dict):
        return
    yield node, depth
    if depth > _MOST_DEPTH:
        return
    for name, child in node.items():
        if name in ("properties", "$defs", "definitions"):
            children = list(child.values()) if isinstance(child, dict) else []
        elif name in ("anyOf", "oneOf", "prefixItems", "allOf"):
            children = child if isinstance(child, list) else []
        elif name in ("items", "additionalProperties"):
            children = [child]
        else:
            children = []
        for one in children:
            yield from _nodes(one, depth + 1)


def as_json_schema(schema: Any) -> Any:
    """Return a `Schema` message as JSON Schema: its types are in lower case there."""
    if not isinstance(schema, dict):
        return schema
    made = dict(schema)
    if isinstance(made.get("type"), str):
        made["type"] = made["type"].lower()
    for name in ("properties", "defs"):
        if name in made:
            made[name] = {key: as_json_schema(child) for key, child in made[name].items()}
    if "items" in made:
        made["items"] = as_json_schema(made["items"])
    if "anyOf" in made:
        made["anyOf"] = [as_json_schema(child) for child in made["anyOf"]]
    return made


def _problem(where: str, what: str) -> Exception:
    return invalid_argument(f"* {where}: {what}\n")
