"""Strategies for the schemas of answers: what a provider enforces, and what it does not."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

NAMES = st.sampled_from(["a", "b"])
KEYWORDS: dict[str, st.SearchStrategy[Any]] = {
    "minimum": st.integers(0, 5), "minLength": st.just(1), "pattern": st.just("^a$"),
    "minItems": st.integers(0, 2), "maxItems": st.just(3), "uniqueItems": st.just(True),
    "format": st.sampled_from(["date", "uri", "phone"]), "description": st.just("told"),
    "default": st.none(), "title": st.just("A"), "not": st.just({"type": "null"}),
    "enum": st.sampled_from([["a", "b"], [{"a": 1}]]),
}  # fmt: skip
KINDS = st.sampled_from(["string", "integer", "array", ["string", "null"]])
LEAVES = (
    st.fixed_dictionaries({"type": KINDS}, optional=KEYWORDS)
    | st.sampled_from(["#/$defs/N", "#/$defs/M", "#/gone"]).map(lambda name: {"$ref": name})
    | st.fixed_dictionaries({"type": st.just("integer")})
    | st.sampled_from([{}, {"const": 1}, {"type": "object"}, {"$ref": "#/$defs/N", "minLength": 1}])
)


@st.composite
def objects(draw: Any, inner: Any) -> dict[str, Any]:
    properties = draw(st.dictionaries(NAMES, inner, max_size=2))
    required = draw(st.sampled_from([list(properties), list(properties)[:1]]))
    made = {"type": "object", "properties": properties, "required": required}
    extra = draw(st.sampled_from([None, False, False, True, {"type": "string"}]))
    if extra is not None:
        made["additionalProperties"] = extra
    return made


def several(inner: Any) -> Any:
    return (
        objects(inner)
        | st.builds(lambda item: {"type": "array", "items": item}, inner)
        | st.dictionaries(
            st.sampled_from(["anyOf", "oneOf", "allOf"]),
            st.lists(inner, min_size=1, max_size=2),
            min_size=1,
            max_size=1,
        )
    )


@st.composite
def answer_schemas(draw: Any) -> dict[str, Any]:
    """A schema whose root is an object, some with definitions that name each other."""
    inner = st.recursive(LEAVES, several, max_leaves=4)
    made: dict[str, Any] = draw(objects(inner))
    if draw(st.booleans()):
        made["$defs"] = {"N": draw(inner), "M": draw(inner)}
    return made
