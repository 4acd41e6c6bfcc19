"""Schemas of answers: enforced by the provider where possible, else reported."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from specado._core.schema import anthropic_form, openai_enforces, openai_form

import specado
from answer_schemas import answer_schemas
from reference_schemas import enforced, is_strict, opened, strict_rows
from specado.simulator import handle

QUESTION = {"role": "user", "content": "How old is Ada?"}
TEXT = {"type": "string"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
OPUS = "anthropic/claude-opus-4-5"
SCHEMA_PATH = "response_format.json_schema.schema"


def closed(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = {"type": "object", "properties": properties, "required": list(properties)}
    return {**made, "additionalProperties": False, **more}


def to_openai(schema: Any) -> tuple[Any, list[tuple[str, str, str, str]]]:
    request = {"model": "claude-opus-4-5", "max_tokens": 100, "messages": [QUESTION],
               "output_config": {"format": {"type": "json_schema", "schema": schema}}}  # fmt: skip
    found = specado.translate(request, "openai/gpt-4o", source="anthropic")
    return json.loads(found.body)["response_format"]["json_schema"], lost(found)


def to_anthropic(
    schema: Any, strict: Any = True, **more: Any
) -> tuple[dict[str, Any], list[tuple[str, str, str, str]]]:
    inner = {"name": "answer", "schema": schema, "strict": strict}
    answer = {"type": "json_schema", "json_schema": inner}
    request = {"model": "gpt-4o", "messages": [QUESTION], "response_format": answer, **more}
    found = specado.translate(request, OPUS)
    return json.loads(found.body), lost(found)


def within_openai(
    schema: Any, strict: Any = True, model: str = "gpt-4o"
) -> tuple[dict[str, Any], list[tuple[str, str, str, str]]]:
    inner = {"name": "answer", "schema": schema, "strict": strict}
    answer = {"type": "json_schema", "json_schema": inner}
    request = {"model": "gpt-4.1", "messages": [QUESTION], "response_format": answer}
    found = specado.translate(request, f"openai/{model}")
    return json.loads(found.body)["response_format"]["json_schema"], bounds(found)


def lost(found: specado.Translation) -> list[tuple[str, str, str, str]]:
    return [
        (item.code, item.kind, item.severity, item.path)
        for item in found.report.items
        if item.severity != "None"
    ]


def bounds(found: specado.Translation) -> list[tuple[str, str, str, str]]:
    """What is reported of the schema's keywords, notes too."""
    return [
        (item.code, item.kind, item.severity, item.path)
        for item in found.report.items
        if ".schema." in item.path
    ]


def test_a_schema_that_strict_mode_takes_stays_enforced() -> None:
    schema = closed({"age": {"type": "integer", "minimum": 0}})

    assert to_openai(schema) == ({"name": "response", "schema": schema, "strict": True}, [])


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": TEXT}, "required": ["a"]},
        closed({"a": TEXT}, additionalProperties=True),
        closed({"a": TEXT}, required=[]),
        closed({"a": TEXT}, required=["a", "b"]),
        closed({"a": {}}),
        closed({"a": {"type": "object", "additionalProperties": False}}),
        closed({"a": {"type": "array"}}),
        closed({"a": {"allOf": [TEXT]}}),
        closed({"a": {"anyOf": [TEXT, {"oneOf": [TEXT]}]}}),
        closed({"a": {"type": "string", "default": "x"}}),
        closed({"a": {"$ref": "#/$defs/A", "description": "a"}}, **{"$defs": {"A": TEXT}}),
        closed({"a": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": {"not": TEXT}}}),
        closed({"a": {"type": "string", "minLength": 1, "default": "x"}}),
    ],
)
def test_a_schema_that_strict_mode_refuses_goes_unenforced_and_is_reported(schema: Any) -> None:
    sent, losses = to_openai(schema)

    assert sent == {"name": "response", "schema": schema, "strict": False}
    assert losses == [("Unsupported", "contract", "Medium", "output_config.format.schema")]


def test_warn_refuses_to_send_a_schema_unenforced() -> None:
    request = {"model": "claude-opus-4-5", "max_tokens": 100, "messages": [QUESTION],
               "output_config": {"format": {"type": "json_schema",
                                            "schema": {"type": "object"}}}}  # fmt: skip

    with pytest.raises(specado.LossyTranslationError, match=r"output_config\.format\.schema"):
        specado.translate(request, "openai/gpt-4o", source="anthropic", strictness="warn")


def test_a_schema_that_anthropic_takes_is_sent_as_it_is() -> None:
    schema = closed({"a": TEXT, "b": {"$ref": "#/$defs/B"}}, required=["a"],
                    **{"$defs": {"B": {"type": ["string", "null"], "format": "uri"}}})  # fmt: skip

    body, losses = to_anthropic(schema)

    assert body["output_config"] == {"format": {"type": "json_schema", "schema": schema}}
    assert losses == []


def test_an_open_object_is_closed() -> None:
    body, losses = to_anthropic({"type": "object", "properties": {"a": TEXT}}, strict=False)

    assert body["output_config"]["format"]["schema"] == {
        "type": "object",
        "properties": {"a": TEXT},
        "additionalProperties": False,
    }
    assert losses == [("Emulate", "tuning", "Low", SCHEMA_PATH)]


AGE = {"type": "integer", "minimum": 0, "maximum": 150, "description": "Years"}
NAME = {"type": "string", "minLength": 1, "maxLength": 40, "description": "In full"}
PHONE = {"type": "string", "format": "phone"}
NOTE = ("Emulate", "tuning", "None")
LOW = ("Emulate", "tuning", "Low")


@pytest.mark.parametrize("strict", [True, False, None])
def test_a_bound_that_anthropic_does_not_enforce_is_a_note(strict: Any) -> None:
    answer = {"name": "answer", "schema": closed({"age": AGE}), "strict": strict}
    request = {"model": "gpt-4o", "messages": [QUESTION], "tools": [TOOL],
               "response_format": {"type": "json_schema", "json_schema": answer}}  # fmt: skip

    for strictness in ("coerce", "warn"):
        found = specado.translate(request, OPUS, strictness=strictness)

        assert json.loads(found.body)["output_config"]["format"]["schema"] == closed(
            {"age": {"type": "integer", "description": "Years\n\n{minimum: 0, maximum: 150}"}}
        )
        assert bounds(found) == [
            (*NOTE, f"{SCHEMA_PATH}.properties.age.minimum"),
            (*NOTE, f"{SCHEMA_PATH}.properties.age.maximum"),
        ]
        assert not found.report.is_lossy


@pytest.mark.parametrize("to", ["openai/gpt-4o", OPUS])
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("strictness", ["strict", "warn", "coerce"])
@pytest.mark.parametrize(
    "schema",
    [
        closed({"a": {**NAME, "minimum": 1, "pattern": "^[A-Z]"}}),
        closed({"a": {"type": "array", "items": AGE, "minItems": 3, "maxItems": 5,
                      "uniqueItems": True}}),
        closed({"a": {"type": "string", "format": "uri", "not": {"const": "x"}}}),
        closed({"a": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1,
                      "multipleOf": 0.1}}),
        closed({"a": {"anyOf": [NAME, {"type": "null"}]}}, minProperties=1, maxProperties=2),
        closed({"a": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": NAME}}),
    ],
)  # fmt: skip
def test_a_bound_makes_no_strictness_refuse(
    schema: Any, strictness: str, strict: bool, to: str
) -> None:
    answer = {"schema": schema, "strict": strict, "name": "answer"}
    request = {"model": "gpt-4o", "messages": [QUESTION],
               "response_format": {"type": "json_schema", "json_schema": answer}}  # fmt: skip

    found = specado.translate(request, to, strictness=strictness)

    assert answered(to.partition("/")[0], json.loads(found.body))
    assert lost(found) == []


@pytest.mark.parametrize("strictness", ["strict", "warn"])
def test_a_bound_that_strict_mode_refuses_is_a_note(strictness: str) -> None:
    schema = closed({"names": {"type": "array", "items": NAME, "maxItems": 3, "uniqueItems": True}})

    sent, losses = within_openai(schema)

    assert sent == {
        "name": "answer",
        "strict": True,
        "schema": closed(
            {
                "names": {
                    "type": "array",
                    "items": {
                        "type": "string",
                        "description": "In full\n\n{minLength: 1, maxLength: 40}",
                    },
                    "maxItems": 3,
                    "description": "{uniqueItems: true}",
                }
            }
        ),
    }
    assert losses == [
        (*NOTE, f"{SCHEMA_PATH}.properties.names.items.minLength"),
        (*NOTE, f"{SCHEMA_PATH}.properties.names.items.maxLength"),
        (*NOTE, f"{SCHEMA_PATH}.properties.names.uniqueItems"),
    ]


def test_bounds_that_strict_mode_enforces_stay() -> None:
    schema = closed({"age": AGE, "a": {"type": "string", "pattern": "^a", "format": "date"}})

    assert within_openai(schema) == ({"name": "answer", "schema": schema, "strict": True}, [])


def test_a_bound_beside_a_reference_stands_beside_an_alternative() -> None:
    schema = closed({"a": {"$ref": "#/$defs/A", "minLength": 2}}, **{"$defs": {"A": TEXT}})

    sent, losses = within_openai(schema)

    assert sent["schema"]["properties"]["a"] == {
        "anyOf": [{"$ref": "#/$defs/A"}],
        "description": "{minLength: 2}",
    }
    assert losses == [(*NOTE, f"{SCHEMA_PATH}.properties.a.minLength")]
    assert answered("openai", given_to_openai(sent))


@pytest.mark.parametrize(
    ("schema", "strict", "model"),
    [
        (closed({"a": NAME}), False, "gpt-4o"),  # nothing is refused there
        (closed({"a": NAME}), None, "gpt-4o"),
        (closed({"a": NAME}), True, "a-model-of-tomorrow"),  # nor known to be
        (closed({"a": NAME}, additionalProperties=True), True, "gpt-4o"),  # refused all the same
        (closed({"a": {**NAME, "default": "x"}}), True, "gpt-4o"),
    ],
)
def test_a_schema_for_openai_stays_where_no_bound_is_all_that_is_refused(
    schema: Any, strict: Any, model: str
) -> None:
    sent, losses = within_openai(schema, strict, model)

    assert sent["schema"] == schema
    assert losses == []


def test_a_bound_of_an_anthropic_request_is_a_note_where_it_stands() -> None:
    link = {"type": "string", "format": "uri"}
    request = given_to_anthropic(closed({"links": {"type": "array", "items": link}}))

    found = specado.translate(request, "openai/gpt-4o", source="anthropic", strictness="strict")

    sent = json.loads(found.body)["response_format"]["json_schema"]
    items = {"type": "string", "description": '{format: "uri"}'}
    assert (sent["strict"], sent["schema"]) == (
        True,
        closed({"links": {"type": "array", "items": items}}),
    )
    assert bounds(found) == [(*NOTE, "output_config.format.schema.properties.links.items.format")]


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("format", "phone"),
        ("pattern", "^(?=.*a)"),
        ("unevaluatedProperties", False),
        ("minLength", "one"),
        ("not", {"pattern": "\\bx"}),
    ],
)
def test_a_keyword_that_is_not_checked_is_a_low_loss(
    keyword: str, value: Any, strict: bool
) -> None:
    body, losses = to_anthropic(closed({"a": {"type": "string", keyword: value}}), strict)

    assert losses == [(*LOW, f"{SCHEMA_PATH}.properties.a.{keyword}")]
    assert body["output_config"]["format"]["schema"]["properties"]["a"].keys() == {
        "type",
        "description",
    }


def test_a_format_that_nobody_knows_is_a_low_loss_in_strict_mode_too() -> None:
    sent, losses = within_openai(closed({"a": PHONE}))

    assert sent["schema"]["properties"] == {
        "a": {"type": "string", "description": '{format: "phone"}'}
    }
    assert losses == [(*LOW, f"{SCHEMA_PATH}.properties.a.format")]


def test_alternatives_of_which_one_must_hold_become_any_of_them() -> None:
    answer = {"name": "a", "schema": closed({"a": {"oneOf": [TEXT, {"type": "null"}]}})}
    request = {"model": "gpt-4o", "messages": [QUESTION],
               "response_format": {"type": "json_schema", "json_schema": answer}}  # fmt: skip

    found = specado.translate(request, OPUS, strictness="warn")

    schema = json.loads(found.body)["output_config"]["format"]["schema"]
    assert schema["properties"] == {"a": {"anyOf": [TEXT, {"type": "null"}]}}
    assert bounds(found) == [(*NOTE, f"{SCHEMA_PATH}.properties.a.oneOf")]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        closed({"a": {"type": "object", "additionalProperties": TEXT}}),
        closed(
            {"a": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": closed({"a": {"$ref": "#/$defs/A"}})}}
        ),
        closed({"a": {"$ref": "https://example.com/a.json"}}),
        closed({"a": {"enum": [{"b": 1}]}}),
        closed({f"p{number}": TEXT for number in range(25)}, required=[]),
        closed({f"p{number}": {"type": ["string", "null"]} for number in range(17)}),
    ],
)
def test_a_schema_without_a_form_there_goes_as_a_forced_tool(schema: Any) -> None:
    body, losses = to_anthropic(schema)

    assert "output_config" not in body
    assert [tool["input_schema"] for tool in body["tools"]] == [schema]
    assert body["tool_choice"] == {"type": "tool", "name": "structured_output"}
    assert losses == [("Emulate", "tuning", "Low", "response_format")]


@pytest.mark.parametrize("more", [{"tools": [TOOL]}, {"reasoning_effort": "low"}])
def test_beside_tools_or_thinking_such_a_schema_is_a_conflict(more: dict[str, Any]) -> None:
    _, losses = to_anthropic({"type": "object"}, **more)

    assert ("Unsupported", "contract", "High", "response_format") in losses


def test_cyclic_and_deep_schemas_are_refused_and_not_followed() -> None:
    cyclic: dict[str, Any] = {"type": "object", "additionalProperties": False}
    cyclic["properties"] = {"a": cyclic, "b": cyclic}
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(100_000):
        deep = {"type": "array", "items": deep}

    assert anthropic_form(cyclic, "s") == (None, False, [])
    assert not openai_enforces(cyclic)
    assert openai_form(cyclic, "s") == (None, [])
    assert anthropic_form(closed({"a": deep}), "s") == (None, False, [])
    assert not openai_enforces(closed({"a": deep}))
    assert openai_form(closed({"a": deep}), "s") == (None, [])
    while "items" in deep:
        deep = deep.pop("items")


@pytest.mark.no_cover
@given(answer_schemas())
def test_core_and_twin_agree(schema: dict[str, Any]) -> None:
    form, shut, moved = anthropic_form(schema, "")
    twin = enforced(schema)
    strict_form, _ = openai_form(schema, "")

    assert openai_enforces(schema) == is_strict(schema)
    assert strict_form == (opened(schema) if is_strict(opened(schema)) else None)
    assert form == (twin and twin.form)
    said = sorted(path for path, _, _, _ in moved)
    expected = sorted(path for _, path in twin.said) if twin else []
    assert (shut, said) == (twin.closed if twin else False, expected)


@pytest.mark.no_cover
@given(answer_schemas(), st.booleans())
def test_the_simulator_takes_what_is_sent_and_refuses_what_was_changed(
    schema: dict[str, Any], strict: bool
) -> None:
    inner = {"name": "answer", "schema": schema, "strict": strict}
    answer = {"type": "json_schema", "json_schema": inner}
    found = specado.translate(
        {"model": "m", "messages": [QUESTION], "response_format": answer}, OPUS
    )
    body = json.loads(found.body)
    sent = body.get("output_config", {}).get("format", {}).get("schema")
    openai, lost_there = to_openai(schema)

    assert answered("anthropic", body)
    assert (sent == schema) is (lost(found) == bounds(found) == [])
    assert answered("anthropic", {**given_to_anthropic(schema)}) is (sent == schema)
    assert answered("openai", given_to_openai(openai))
    assert openai["strict"] is not any(severity == "Medium" for _, _, severity, _ in lost_there)
    assert answered("openai", given_to_openai({**openai, "schema": schema, "strict": True})) is (
        openai["strict"] and strict_rows(schema) == []
    )


def given_to_anthropic(schema: Any) -> dict[str, Any]:
    answer = {"format": {"type": "json_schema", "schema": schema}}
    return {"model": "claude-opus-4-5", "max_tokens": 100, "messages": [QUESTION],
            "output_config": answer}  # fmt: skip


def given_to_openai(inner: Any) -> dict[str, Any]:
    answer = {"type": "json_schema", "json_schema": inner}
    return {"model": "gpt-4o", "messages": [QUESTION], "response_format": answer}


def answered(provider: str, body: dict[str, Any]) -> bool:
    """Whether the simulator answers; a refusal must be of the schema."""
    path = "/v1/messages" if provider == "anthropic" else "/v1/chat/completions"
    headers = {"anthropic-version": "2023-06-01"} if provider == "anthropic" else {}
    reply = handle("POST", path, headers, json.dumps(body).encode())
    if reply.status != 200:
        assert b"chema" in reply.body, reply.body
    return reply.status == 200


@pytest.mark.parametrize(
    ("model", "sent", "losses"),
    [
        ("gpt-4o", False, [("Unsupported", "contract", "High", "web_search_options")]),
        ("gpt-5-search-api", True, []),
        ("a-model-of-tomorrow", True, []),
    ],
)
def test_web_search_goes_to_models_that_search(
    model: str, sent: bool, losses: list[tuple[str, str, str, str]]
) -> None:
    request = {"model": model, "messages": [QUESTION], "web_search_options": {}}

    found = specado.translate(request, f"openai/{model}", dialect="openai_chat")

    assert (b'"web_search_options":{}' in found.body, lost(found)) == (sent, losses)
