"""Bounds of a JSON Schema that an answer breaks: found where they are, and never invented."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any, Optional

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specado.json_schema import AnswerCheck, check_answer, check_value, has_bounds, is_checked

VALIDATOR = jsonschema.Draft202012Validator
FORMATS = jsonschema.FormatChecker(("date", "ipv4", "ipv6", "uuid"))


def broken(schema: Any, value: Any) -> list[tuple[str, str]]:
    """Return (path, keyword) of each breach."""
    return broken_by_text(schema, json.dumps(value))


def broken_by_text(schema: Any, text: str) -> list[tuple[str, str]]:
    found = check_answer(schema, text)
    assert found is not None
    assert found.is_whole
    return [(breach.path, breach.keyword) for breach in found.breaches]


@pytest.mark.parametrize(
    ("keyword", "bound", "kept", "broken_by"),
    [
        ("minimum", 1, [1, 1.0, 2, "0", None, True, [0]], [0, -1, 0.999, -1e300]),
        ("maximum", 1.5, [1.5, -3, "9"], [1.6, 2, 1e300]),
        ("exclusiveMinimum", 0, [0.1, 1e-300], [0, -0.0, -1]),
        ("exclusiveMaximum", 10, [9.99], [10, 10.0, 1e1]),
        ("multipleOf", 3, [0, 9, -3, 6.0, "1"], [1, 3.5]),
        ("multipleOf", 0.1, [0.3, 1, 4.35e1, 0.30000000000000004, 1e300], [0.35, 0.05]),
        ("multipleOf", 0.01, [19.99, 1.1, 1e20], [19.999]),
        ("minLength", 2, ["ab", "éé", "😀😀", 1], ["a", "😀", ""]),
        ("maxLength", 2, ["ab", "😀😀", [1, 2, 3]], ["abc", "e\u0301e"]),
        ("pattern", "^a", ["ab", 5], ["ba"]),
        ("format", "date", ["2026-11-30", 5], ["30.11.2026"]),
        ("minItems", 1, [[0], "", {}], [[]]),
        ("maxItems", 1, [[0], "ab"], [[0, 0]]),
        ("uniqueItems", True, [[], [1, True, "1", None, False, 0], [[1], [2]], "aa"],
         [[1, 1], [1, 1.0], [{"a": 1, "b": 2}, {"b": 2, "a": 1}], [[1], [1.0]], [None, None]]),
        ("uniqueItems", False, [[1, 1]], []),
        ("minProperties", 1, [{"a": 1}, []], [{}]),
        ("maxProperties", 1, [{"a": 1}], [{"a": 1, "b": 2}]),
        ("not", {"type": "string"}, [1, None], ["a"]),
        ("contains", {"type": "string"}, [[1, "a"], "b"], [[], [1]]),
        ("propertyNames", {"pattern": "^[a-z]$"}, [{"a": 1}, "A"], [{"A": 1}]),
        ("dependentRequired", {"a": ["b"]}, [{}, {"b": 1}, {"a": 1, "b": 1}], [{"a": 1}]),
        ("oneOf", [{"type": "integer"}, {"type": "number"}], [1.5], [1]),
    ],
)  # fmt: skip
def test_a_bound_is_broken_by_what_breaks_it(
    keyword: str, bound: Any, kept: list[Any], broken_by: list[Any]
) -> None:
    schema = {keyword: bound}

    assert [value for value in kept if broken(schema, value)] == []
    assert [value for value in broken_by if broken(schema, value) != [("", keyword)]] == []
    assert is_checked(keyword, bound)


@pytest.mark.parametrize(
    ("schema", "text", "expected"),
    [
        ({"maximum": 10}, "1" + "0" * 5000, "maximum"),
        ({"maximum": 10}, "1e999999", "maximum"),
        ({"minimum": 0}, "1e-999999", None),
        ({"multipleOf": 7}, "1" + "0" * 600, "multipleOf"),
        ({"multipleOf": 0.1}, "1e999999", None),  # too large to be told
        ({"multipleOf": 0.1}, "10000000000000.05", "multipleOf"),
        ({"exclusiveMaximum": 1}, "0." + "9" * 50, None),
        ({"exclusiveMinimum": 0}, "1e-400", None),
        ({"maximum": 1.5}, "1.50000000000000000001", "maximum"),
        ({"const": 1, "minimum": 2}, "1.0", "minimum"),
        ({"anyOf": [{"const": 0.1, "minimum": 1}]}, "0.10", "minimum"),
    ],
)
def test_numbers_are_exact(schema: Any, text: str, expected: Optional[str]) -> None:
    assert broken_by_text(schema, text) == ([] if expected is None else [("", expected)])


def test_a_value_may_hold_floats_and_decimals() -> None:
    schema = {"items": {"multipleOf": 0.1, "maximum": 1}}

    found = check_value(schema, [0.3, Decimal("0.3"), 0.35, Decimal("1.1"), float("nan")])

    assert [(breach.path, breach.keyword, breach.bound) for breach in found.breaches] == [
        ("[2]", "multipleOf", 0.1),
        ("[3]", "maximum", 1),
    ]


POSITIVE = {"type": "integer", "minimum": 0}
SHORT = {"type": "string", "maxLength": 2}
SHORTEST = {"type": "string", "maxLength": 0}


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        # Where it stands.
        ({"properties": {"a": {"items": {"properties": {"b": POSITIVE}}}}},
         {"a": [{"b": 1}, {"b": -1}]}, [("a[1].b", "minimum")]),
        ({"items": POSITIVE}, [-1, 0, -2], [("[0]", "minimum"), ("[2]", "minimum")]),
        ({"additionalProperties": POSITIVE}, {"a b": -1, "c": 1}, [('["a b"]', "minimum")]),
        ({"patternProperties": {"^n": POSITIVE}, "additionalProperties": SHORT},
         {"n1": -1, "s": "abc"}, [("n1", "minimum"), ("s", "maxLength")]),
        ({"prefixItems": [POSITIVE, SHORT], "items": SHORT}, [-1, "abc", "abc"],
         [("[0]", "minimum"), ("[1]", "maxLength"), ("[2]", "maxLength")]),
        ({"properties": {"a\n": POSITIVE}}, {"a\n": -1}, [('["a\\n"]', "minimum")]),
        # A shape that does not fit breaks no bound, but the bounds elsewhere hold.
        ({"type": "string", "properties": {"a": POSITIVE}}, {"a": -1}, [("a", "minimum")]),
        ({"properties": {"a": {"type": "string", "minLength": 1}}}, {"a": 1}, []),
        # What providers do not enforce is a bound, whatever it asks for.
        ({"prefixItems": [{"type": "string"}]}, [1], [("[0]", "prefixItems")]),
        ({"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"a": 1}, [("", "then")]),
        ({"if": {"required": ["a"]}, "else": {"minProperties": 2}}, {"b": 1},
         [("", "minProperties")]),
        ({"if": {"required": ["a"]}}, {"a": 1}, []),
        ({"dependentSchemas": {"a": {"required": ["b"]}}}, {"a": 1}, [("", "dependentSchemas")]),
        ({"contains": POSITIVE, "minContains": 2}, [1, -1], [("", "minContains")]),
        ({"contains": POSITIVE, "maxContains": 1}, [1, 2], [("", "maxContains")]),
        ({"contains": POSITIVE, "minContains": 0}, [-1], []),
        # Alternatives: a bound counts where the rest of the alternative matches.
        ({"anyOf": [SHORT, {"type": "null"}]}, "abc", [("", "maxLength")]),
        ({"anyOf": [SHORT, {"type": "null"}]}, 5, []),
        ({"anyOf": [SHORT, {"type": "string"}]}, "abc", []),
        ({"anyOf": [{"maximum": -9}, {"minimum": 9}]}, 0, [("", "anyOf")]),
        ({"oneOf": [SHORT, POSITIVE]}, -1, [("", "minimum")]),
        ({"oneOf": [SHORT, POSITIVE]}, 1, []),
        ({"oneOf": [SHORT, POSITIVE]}, None, []),
        ({"anyOf": [
            {"properties": {"kind": {"const": "a"}, "n": POSITIVE}, "required": ["kind"]},
            {"properties": {"kind": {"enum": ["b"]}, "n": SHORT}, "required": ["kind"]}]},
         {"kind": "b", "n": "abc"}, [("n", "maxLength")]),
        ({"allOf": [SHORT, {"pattern": "^b"}]}, "abc", [("", "maxLength"), ("", "pattern")]),
        # References.
        ({"properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": POSITIVE}}, {"a": -1},
         [("a", "minimum")]),
        ({"items": {"$ref": "#/definitions/A~1b%20c"}, "definitions": {"A/b c": POSITIVE}}, [-1],
         [("[0]", "minimum")]),
        ({"$ref": "#/$defs/A", "maximum": 5, "$defs": {"A": POSITIVE}}, 6, [("", "maximum")]),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/A",
          "maximum": 5, "definitions": {"A": POSITIVE}}, 6, []),
        ({"properties": {"next": {"$ref": "#"}, "n": POSITIVE}}, {"next": {"next": {"n": -1}}},
         [("next.next.n", "minimum")]),
        ({"prefixItems": [POSITIVE], "items": {"$ref": "#/prefixItems/0"}}, [1, -1],
         [("[1]", "minimum")]),
    ],
)  # fmt: skip
def test_bounds_are_found_where_they_apply(
    schema: Any, value: Any, expected: list[tuple[str, str]]
) -> None:
    assert broken(schema, value) == expected


@pytest.mark.parametrize(
    "schema",
    [
        None, [], "x", {"minimum": "1"}, {"minimum": True}, {"minLength": -1}, {"minLength": 1.5},
        {"multipleOf": 0}, {"multipleOf": -1}, {"uniqueItems": "yes"}, {"pattern": "("},
        {"pattern": "(?=x)"}, {"pattern": 1}, {"format": "phone"}, {"format": ["date"]},
        {"type": "animal", "minLength": 0}, {"anyOf": {}}, {"oneOf": 1}, {"allOf": None},
        {"properties": []}, {"items": [{"minimum": 9}]}, {"prefixItems": {}}, {"required": "a"},
        {"dependentRequired": {"a": "b"}}, {"dependentSchemas": []}, {"enum": 1}, {"$ref": 1},
        {"$ref": "#/gone", "anyOf": [{"$ref": "#/gone"}]}, {"$ref": "other.json"},
        {"$ref": "#/a/0", "a": 1}, {"unevaluatedItems": False},
        {"not": {"$ref": "#/gone"}},
        {"not": {"unevaluatedProperties": False}}, {"not": {"dependencies": {}}},
        {"anyOf": [{"minimum": 9}, {"format": "phone"}]},
        {"if": {"format": "phone"}, "then": {"minLength": 9}},
        {"contains": {"$ref": "#/gone"}, "maxContains": 1},
        {"allOf": [{"$id": "https://example.com/a", "$ref": "#/x"}], "x": {"minLength": 9}},
        {"contains": {}, "minContains": "a"},
        {"patternProperties": {"(?=x)": {"minLength": 9}}, "additionalProperties": SHORTEST},
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", ["a", 1, [1, 2], {"a": "b"}, None])
def test_what_is_not_known_breaks_nothing(schema: Any, value: Any) -> None:
    assert broken(schema, value) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"not": {"format": "phone"}},
        {"not": {"pattern": "(?=.)"}},
        {"oneOf": [True, {"format": "phone"}]},
        {"oneOf": [{"format": "phone"}, {"maxLength": 0}]},
        {"propertyNames": {"format": "phone"}},
    ],
)
def test_what_is_not_known_of_text_breaks_nothing(schema: Any) -> None:
    assert broken(schema, "a") == []
    assert broken({"propertyNames": schema}, {"a": 1}) == []


@pytest.mark.parametrize(
    ("keyword", "bound"),
    [
        ("minimum", "1"), ("maximum", None), ("multipleOf", 0), ("minLength", -1),
        ("maxItems", True), ("pattern", "(?=a)"), ("pattern", 1), ("format", "phone"),
        ("format", None), ("uniqueItems", 1), ("minContains", "a"), ("unevaluatedItems", False),
        ("dependentRequired", {"a": "b"}), ("oneOf", {}), ("not", {"pattern": "\\b"}),
        ("not", {"properties": {"a": {"format": "phone"}}}), ("not", None),
        ("oneOf", [{"allOf": [{"unevaluatedProperties": False}]}]), ("type", "string"),
    ],
)  # fmt: skip
def test_what_is_not_checked_is_known(keyword: str, bound: Any) -> None:
    assert not is_checked(keyword, bound)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (None, False),
        ({"type": "object", "properties": {"a": {"type": "string", "enum": ["b"]}}}, False),
        ({"type": "object", "properties": {"a": {"type": "string", "minLength": 1}}}, True),
        ({"anyOf": [{"items": {"not": {}}}]}, True),
        ({"$defs": {"A": {"oneOf": []}}}, True),
    ],
)
def test_bounds_are_seen_anywhere_in_a_schema(schema: Any, expected: bool) -> None:
    assert has_bounds(schema) is expected


@pytest.mark.parametrize(
    "text", ["", "{", "Hello", "```json\n{}\n```", "NaN", "[Infinity]", "1e99999999999999999999"]
)
def test_what_is_not_json_is_not_checked(text: str) -> None:
    assert check_answer({"minimum": 5}, text) is None


def test_a_large_answer_is_checked_in_part_and_says_so() -> None:
    schema = {"items": {"items": POSITIVE, "uniqueItems": True}}
    text = json.dumps([[-1, *range(300_000)]])

    found = check_answer(schema, text)

    assert found is not None
    assert not found.is_whole


def test_many_breaches_are_told_in_part() -> None:
    found = check_answer({"items": POSITIVE}, json.dumps([-1] * 10_000))

    assert found is not None
    assert (len(found.breaches), found.is_whole) == (100, False)


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"$ref": "#"}, "1"),
        ({"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}, "1"),
        ({"allOf": [{"$ref": "#/$defs/A"}] * 2, "$defs": {"A": {"allOf": [{"$ref": "#"}] * 2}}},
         "1"),
        ({"items": {"$ref": "#"}}, "[" * 500 + "]" * 500),
        ({"uniqueItems": True}, "[" * 500 + "]" * 500),
        ({"minimum": 0}, "[" * 100_000 + "]" * 100_000),
        ({"oneOf": [{"items": {"$ref": "#"}}, {"items": {"$ref": "#"}}]},
         "[" * 60 + "]" * 60),
    ],
)  # fmt: skip
def test_what_goes_round_or_too_deep_ends(schema: Any, text: str) -> None:
    assert check_answer(schema, text) == AnswerCheck([], is_whole=False)


def test_a_deep_stack_is_no_error() -> None:
    def at_depth(left: int) -> Any:
        if left:
            return at_depth(left - 1)
        return check_answer({"items": {"$ref": "#"}}, "[" * 60 + "]" * 60)

    here = 0
    frame = sys._getframe()
    while frame is not None:
        here, frame = here + 1, frame.f_back  # type: ignore[assignment]

    assert at_depth(sys.getrecursionlimit() - here - 100) == AnswerCheck([], is_whole=False)


def test_a_breach_says_where_it_is_and_what_it_breaks() -> None:
    schema = {
        "properties": {
            "age": {"minimum": 0},
            "names": {"items": {"pattern": "^[A-Z]"}, "uniqueItems": True},
            "x" * 300: {"not": {"enum": ["a" * 100]}},
        },
        "maxProperties": 2,
    }
    value = {"age": -1, "names": ["Ada", "Ada", "bob"], "x" * 300: None}

    found = check_value(schema, {**value, "x" * 300: "a" * 100})

    assert [str(breach) for breach in found.breaches] == [
        "the answer breaks maxProperties: 2",
        "age breaks minimum: 0",
        "names breaks uniqueItems: true",
        'names[2] breaks pattern: "^[A-Z]"',
        "x" * 200 + '… breaks not: {"enum": ["' + "a" * 69 + "…",
    ]


# An independent validator, on small schemas and values.

NUMBERS = st.sampled_from([-1, 0, 1, 2, 3, 0.5, 1.0, 2.25])
TEXTS = st.sampled_from(["", "a", "ab", "b", "😀", "2026-11-30", "2026-02-30", "::1", "1.2.3.4"])
VALUES = st.recursive(
    NUMBERS | TEXTS | st.sampled_from([None, True, False]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)
COUNTS = st.integers(0, 3)
BOUNDS: dict[str, Any] = {
    "minimum": NUMBERS, "maximum": NUMBERS, "exclusiveMinimum": NUMBERS,
    "exclusiveMaximum": NUMBERS, "multipleOf": st.sampled_from([1, 2, 0.5, 0.25]),
    "minLength": COUNTS, "maxLength": COUNTS, "minItems": COUNTS, "maxItems": COUNTS,
    "minProperties": COUNTS, "maxProperties": COUNTS, "uniqueItems": st.booleans(),
    "pattern": st.sampled_from(["a", "^a", "b$", "^[ab]{2}$", "^(a|b)*$", "."]),
    "format": st.sampled_from(["date", "ipv4", "ipv6", "uuid"]),
}  # fmt: skip
SHAPES: dict[str, Any] = {
    "type": st.sampled_from(["string", "integer", "number", "object", "array", "null",
                             ["boolean", "string"]]),
    "enum": st.lists(VALUES, min_size=1, max_size=2), "const": VALUES,
    "required": st.lists(st.sampled_from("abc"), unique=True, max_size=2),
    "additionalProperties": st.just(False),
}  # fmt: skip
REFERENCES = st.sampled_from([{"$ref": "#/$defs/N"}, {"$ref": "#/$defs/R"}])


def one_or_two(keywords: dict[str, Any]) -> Any:
    """A schema of a few of the keywords."""
    return st.lists(st.sampled_from(sorted(keywords)), max_size=3, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: keywords[name] for name in names})
    )


def around(inner: Any) -> dict[str, Any]:
    """Keywords that hold other schemas, each of which a value must meet."""
    return {
        "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
        "additionalProperties": inner,
        "patternProperties": st.dictionaries(st.sampled_from(["a", "[bc]"]), inner, max_size=1),
        "items": inner,
        "allOf": st.lists(inner, min_size=1, max_size=2),
    }


def beside(inner: Any) -> dict[str, Any]:
    """The other keywords that hold schemas."""
    several = st.lists(inner, min_size=1, max_size=3)
    return {
        "anyOf": several, "oneOf": several, "not": inner, "if": inner, "then": inner,
        "else": inner, "contains": inner, "minContains": COUNTS, "maxContains": COUNTS,
        "propertyNames": inner, "prefixItems": several,
        "dependentSchemas": st.dictionaries(st.sampled_from("ab"), inner, max_size=1),
        "dependentRequired": st.just({"a": ["b"]}),
    }  # fmt: skip


def whole(leaf: dict[str, Any], holders: Any) -> Any:
    """A schema with definitions, one of which names itself."""
    inner = st.recursive(
        one_or_two(leaf) | REFERENCES,
        lambda found: one_or_two({**leaf, **holders(found)}),
        max_leaves=5,
    )
    return st.builds(
        lambda root, plain, own: {
            **root,
            "$defs": {"N": plain, "R": {**own, "properties": {"a": {"$ref": "#/$defs/R"}}}},
        },
        inner,
        one_or_two(leaf),
        one_or_two(leaf),
    )


def errors_of(schema: Any, value: Any) -> list[Any]:
    return list(VALIDATOR(schema, format_checker=FORMATS).iter_errors(value))


def path_of(error: Any) -> str:
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path]
    return "".join(steps).removeprefix(".")


@pytest.mark.no_cover
@given(whole(BOUNDS, around), VALUES)
def test_each_bound_that_a_validator_finds_broken_is_found(schema: Any, value: Any) -> None:
    expected = {(path_of(error), error.validator) for error in errors_of(schema, value)}

    assert set(broken(schema, value)) == expected


@pytest.mark.no_cover
@given(whole(BOUNDS, lambda inner: {**around(inner), **beside(inner)}), VALUES)
def test_with_bounds_alone_an_answer_breaks_one_if_a_validator_refuses_it(
    schema: Any, value: Any
) -> None:
    assert bool(broken(schema, value)) is bool(errors_of(schema, value))


@pytest.mark.no_cover
@given(whole({**BOUNDS, **SHAPES}, lambda inner: {**around(inner), **beside(inner)}), VALUES)
def test_nothing_is_found_in_what_a_validator_takes(schema: Any, value: Any) -> None:
    if broken(schema, value):
        assert errors_of(schema, value)


ANY_KEYWORD = st.sampled_from(
    ["$ref", "$schema", "$id", "$defs", "allOf", "anyOf", "oneOf", "not", "if", "then", "else",
     "properties", "patternProperties", "additionalProperties", "required", "dependentRequired",
     "dependentSchemas", "propertyNames", "items", "prefixItems", "contains", "minContains",
     "maxContains", "uniqueItems", "minItems", "maxItems", "minLength", "maxLength", "pattern",
     "format", "minimum", "maximum", "exclusiveMinimum", "multipleOf", "minProperties", "type",
     "enum", "const", "a", "(", "#", "date", "string"]
)  # fmt: skip
ANYTHING = st.recursive(
    st.sampled_from(
        [None, True, False, 0, 1, -1, 0.5, 1e300, 10**400, "", "a", "#", "#/$defs/a", "#/items",
         "(", "date", "string", "integer"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(ANY_KEYWORD, inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.no_cover
@given(ANYTHING, ANYTHING)
def test_no_schema_and_no_value_is_an_error(schema: Any, value: Any) -> None:
    found = check_answer(schema, json.dumps(value))

    assert found is not None
    assert all(str(breach) for breach in found.breaches)
    assert has_bounds(schema) or found.breaches == []
    if isinstance(schema, dict):
        assert all(is_checked(keyword, bound) in (True, False) for keyword, bound in schema.items())
