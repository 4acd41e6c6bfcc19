"""Checks of JSON Schemas for structured output, with the providers' error messages.

OpenAI: the "Structured outputs" guide's supported schemas; Anthropic: its "Structured outputs"
guide's JSON Schema limitations. Wording: error bodies that users of the APIs report. All read
2026-11-22.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "anthropic_problem",
    "compiled_problem",
    "incomplete_problem",
    "malformed_problem",
    "openai_problem",
]

_FORMATS = ("date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid")
# Keywords that strict mode refuses.
_NOT_STRICT = frozenset(
    [
        "allOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "dependentRequired",
        "dependentSchemas",
        "patternProperties",
        "propertyNames",
        "minProperties",
        "maxProperties",
        "unevaluatedProperties",
        "unevaluatedItems",
        "contains",
        "minContains",
        "maxContains",
        "uniqueItems",
        "minLength",
        "maxLength",
        "default",
    ]
)
# Keywords that Anthropic refuses; `minItems` and `format` go by their values.
_NOT_ANTHROPIC = frozenset(
    [
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "pattern",
        "maxItems",
        "uniqueItems",
        "contains",
        "minContains",
        "maxContains",
        "prefixItems",
        "unevaluatedItems",
        "minProperties",
        "maxProperties",
        "propertyNames",
        "patternProperties",
        "unevaluatedProperties",
        "dependentRequired",
        "dependentSchemas",
        "not",
        "if",
        "then",
        "else",
        "oneOf",
    ]
)
_SHAPES = ("type", "anyOf", "oneOf", "allOf", "$ref", "enum", "const")
# Anthropic compiles at most so many optional properties and unions in one request.
_MOST_OPTIONAL = 24
_MOST_UNIONS = 16
# Deeper than either provider takes.
_MOST_DEPTH = 64


_MAPS = ("properties", "$defs", "definitions", "patternProperties")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems", "required", "enum")


def malformed_problem(schema: Any, depth: int = 0) -> Optional[str]:
    """Return why a value is no JSON Schema by the types of its keywords, `None` if it is one."""
    if isinstance(schema, bool) or depth > _MOST_DEPTH:
        return None
    if not isinstance(schema, dict):
        return f"{schema!r} is not of type 'object', 'boolean'."
    for name, kind, word in (
        *((name, dict, "object") for name in _MAPS),
        *((name, list, "array") for name in _LISTS),
        ("$ref", str, "string"),
    ):
        if name in schema and not isinstance(schema[name], kind):
            return f"{schema[name]!r} is not of type '{word}'."
    kinds = schema.get("type", "object")
    texts = [*(kinds if isinstance(kinds, list) else [kinds]), *schema.get("required", ())]
    wrong = next((text for text in texts if not isinstance(text, str)), None)
    if wrong is not None:
        return f"{wrong!r} is not of type 'string'."
    children = [child for name in _MAPS for child in schema.get(name, {}).values()]
    children += [child for name in _LISTS[:4] for child in schema.get(name, ())]
    children += [schema[name] for name in ("items", "additionalProperties") if name in schema]
    for child in children:
        problem = malformed_problem(child, depth + 1)
        if problem is not None:
            return problem
    return None


def openai_problem(schema: Any, context: tuple[str, ...] = ()) -> Optional[str]:
    """Return why OpenAI's strict mode refuses *schema*, `None` if it accepts it."""
    where = f"In context={context}, "
    if not isinstance(schema, dict):
        return f"{where}schema must be an object."
    if len(context) > _MOST_DEPTH:
        return "the schema exceeds 10 levels of nesting."
    refused = next((name for name in schema if name in _NOT_STRICT), None)
    if refused is not None:
        return f"{where}'{refused}' is not permitted."
    if "$ref" in schema and len(schema) > 1:
        others = sorted(set(schema) - {"$ref"})
        return f"{where}$ref cannot have keywords {set(others)}."
    problem = _openai_object_problem(schema) if _is_object(schema) else None
    if problem is not None:
        return where + problem
    if not any(name in schema for name in _SHAPES):
        return f"{where}schema must have a 'type' key."
    if schema.get("type") == "array" and "items" not in schema:
        return f"{where}array schema missing items."
    if schema.get("format", "date") not in _FORMATS:
        return f"{where}'{schema['format']}' is not a valid format."
    for step, child in _children(schema):
        problem = openai_problem(child, (*context, *step))
        if problem is not None:
            return problem
    return None


def _openai_object_problem(schema: dict[str, Any]) -> Optional[str]:
    if schema.get("additionalProperties") is not False:
        return "'additionalProperties' is required to be supplied and to be false."
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return "object schema missing properties."
    required = schema.get("required") or ()
    missing = [name for name in properties if name not in required]
    if missing:
        return (
            "'required' is required to be supplied and to be an array including every key in "
            f"properties. Missing '{missing[0]}'."
        )
    extra = [name for name in required if name not in properties]
    return f"'required' has the extra key '{extra[0]}'." if extra else None


def anthropic_problem(schema: dict[str, Any]) -> Optional[str]:
    """Return why Anthropic refuses *schema* for structured output, `None` if it accepts it."""
    for node in _walk(schema):
        problem = _anthropic_node_problem(node)
        if problem is not None:
            return problem
    return compiled_problem([schema]) or _reference_problem(schema)


def compiled_problem(schemas: list[dict[str, Any]]) -> Optional[str]:
    """Return why Anthropic refuses to compile the strict schemas of one request, or `None`."""
    optional = unions = 0
    for node in (node for schema in schemas for node in _walk(schema)):
        required = node.get("required") or ()
        optional += sum(name not in required for name in node.get("properties") or ())
        unions += "anyOf" in node or isinstance(node.get("type"), list)
    if optional > _MOST_OPTIONAL:
        return (
            f"Schemas contains too many optional parameters ({optional}), which would make grammar "
            f"compilation inefficient. Reduce the number of optional parameters in your tool "
            f"schemas (limit: {_MOST_OPTIONAL})."
        )
    if unions > _MOST_UNIONS:
        return (
            f"Schemas contains too many parameters with union types ({unions} parameters with type "
            f"arrays or anyOf). Reduce the number of union-typed parameters (limit: {_MOST_UNIONS})"
        )
    return None


def incomplete_problem(schema: Any, context: tuple[str, ...] = ()) -> Optional[str]:
    """Return why OpenAI refuses any tool's *schema*, strict or not, `None` if it accepts it."""
    if not isinstance(schema, dict) or len(context) > _MOST_DEPTH:
        return None
    if not context and not any(word in schema for word in _SHAPES):
        return """schema must be a JSON Schema of 'type: "object"', got 'type: "None"'."""
    if not context and schema.get("type") == "object" and "properties" not in schema:
        return "In context=(), object schema missing properties."
    kind = schema.get("type")
    is_array = kind == "array" or (isinstance(kind, list) and "array" in kind)
    if is_array and "items" not in schema and "prefixItems" not in schema:
        return f"In context={context}, array schema missing items."
    for step, child in _children(schema):
        problem = incomplete_problem(child, (*context, *step))
        if problem is not None:
            return problem
    return None


def _anthropic_node_problem(node: Any) -> Optional[str]:
    if not isinstance(node, dict):
        return "Schema must be an object"
    kind = node.get("type")
    refused = sorted(name for name in node if name in _NOT_ANTHROPIC)
    if refused:
        names = ", ".join(refused)
        what = f"properties {names} are" if len(refused) > 1 else f"property '{names}' is"
        return f"For '{kind}' type, {what} not supported"
    if node.get("minItems", 0) not in (0, 1):
        return "For 'array' type, 'minItems' values other than 0 or 1 are not supported"
    if node.get("format", "date") not in (*_FORMATS, "uri"):
        return f"For 'string' type, format '{node['format']}' is not supported"
    if _is_object(node) and node.get("additionalProperties") is not False:
        return "For 'object' type, 'additionalProperties' must be explicitly set to false"
    if any(isinstance(member, (dict, list)) for member in node.get("enum") or ()):
        return "Complex types within enums are not supported"
    if not any(name in node for name in _SHAPES):
        return "Schema must have a type"
    return None


def _reference_problem(schema: dict[str, Any]) -> Optional[str]:
    known = {
        f"#/{part}/{name}": child
        for part in ("$defs", "definitions")
        for name, child in (schema.get(part) or {}).items()
    }
    reached = {
        name: {str(node["$ref"]) for node in _walk(child) if "$ref" in node}
        for name, child in known.items()
    }
    for node in _walk(schema):
        if "$ref" in node and node["$ref"] not in known:
            return f"External $ref '{node['$ref']}' is not supported"
    while reached:
        ended = [name for name, names in reached.items() if not names & reached.keys()]
        if not ended:
            return "Circular reference detected in schema definitions"
        for name in ended:
            del reached[name]
    return None


def _is_object(schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    return (
        "properties" in schema or kind == "object" or (isinstance(kind, list) and "object" in kind)
    )


def _children(schema: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key in ("properties", "$defs", "definitions"):
        children = schema.get(key)
        if isinstance(children, dict):
            for name, child in children.items():
                yield (key, name), child
    for key in ("anyOf", "allOf"):
        alternatives = schema.get(key)
        if isinstance(alternatives, list):
            for place, child in enumerate(alternatives):
                yield (key, str(place)), child
    if "items" in schema:
        yield ("items",), schema["items"]


def _walk(schema: Any, depth: int = 0) -> Iterator[Any]:
    """Yield a schema and all schemas in it, `None` for one that is nested too deep."""
    if depth > _MOST_DEPTH:
        yield None
        return
    yield schema
    if isinstance(schema, dict):
        for _, child in _children(schema):
            yield from _walk(child, depth + 1)
