"""The schema of an answer on its way: enforced where it can be, and reported where it is not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from specado._core.answer_schemas import anthropic_form, openai_enforces

import specado
from answer_schemas import answer_schemas
from reference_schemas import enforced, is_strict
from specado.simulator import handle

USER = {"role": "user", "content": "How old is Ada?"}
TEXT = {"type": "string"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
OPUS = "anthropic/claude-opus-4-5"
SCHEMA_PATH = "response_format.json_schema.schema"


def closed(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = {"type": "object", "properties": properties, "required": list(properties)}
    return {**made, "additionalProperties": False, **more}


def to_openai(schema: Any) -> tuple[Any, list[tuple[str, str, str, str]]]:
    request = {"model": "claude-opus-4-5", "max_tokens": 100, "messages": [USER],
               "output_config": {"format": {"type": "json_schema", "schema": schema}}}  # fmt: skip
    found = specado.translate(request, "openai/gpt-4o", source="anthropic")
    return json.loads(found.body)["response_format"]["json_schema"], lost(found)


def to_anthropic(
    schema: Any, strict: Any = True, **more: Any
) -> tuple[dict[str, Any], list[tuple[str, str, str, str]]]:
    inner = {"name": "answer", "schema": schema, "strict": strict}
    answer = {"type": "json_schema", "json_schema": inner}
    request = {"model": "gpt-4o", "messages": [USER], "response_format": answer, **more}
    found = specado.translate(request, OPUS)
    return json.loads(found.body), lost(found)


def lost(found: specado.Translation) -> list[tuple[str, str, str, str]]:
    return [
        (item.code, item.kind, item.severity, item.path)
        for item in found.report.items
        if item.severity != "None"
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
        closed({"a": {"type": "array", "items": {"type": "string", "format": "uri"}}}),
        closed({"a": {"type": "string", "default": "x"}}),
        closed({"a": {"$ref": "#/$defs/A", "description": "a"}}, **{"$defs": {"A": TEXT}}),
        closed({"a": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": {"not": TEXT}}}),
    ],
)
def test_a_schema_that_strict_mode_refuses_goes_unenforced_and_is_reported(schema: Any) -> None:
    sent, losses = to_openai(schema)

    assert sent == {"name": "response", "schema": schema, "strict": False}
    assert losses == [("Unsupported", "contract", "Medium", "output_config.format.schema")]


def test_warn_refuses_to_send_a_schema_unenforced() -> None:
    request = {"model": "claude-opus-4-5", "max_tokens": 100, "messages": [USER],
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


@pytest.mark.parametrize(("strict", "kind"), [(True, "contract"), (False, "tuning")])
def test_a_refused_keyword_is_said_in_the_description(strict: bool, kind: str) -> None:
    age = {"type": "integer", "minimum": 0, "maximum": 150, "description": "Years"}

    body, losses = to_anthropic(closed({"age": age}), strict=strict, tools=[TOOL])

    assert body["output_config"]["format"]["schema"] == closed(
        {"age": {"type": "integer", "description": "Years\n\n{minimum: 0, maximum: 150}"}}
    )
    severity = "Medium" if strict else "Low"
    assert losses == [
        ("Emulate", kind, severity, f"{SCHEMA_PATH}.properties.age.minimum"),
        ("Emulate", kind, severity, f"{SCHEMA_PATH}.properties.age.maximum"),
    ]


def test_alternatives_of_which_one_must_hold_become_any_of_them() -> None:
    body, losses = to_anthropic(closed({"a": {"oneOf": [TEXT, {"type": "null"}]}}))

    schema = body["output_config"]["format"]["schema"]
    assert schema["properties"] == {"a": {"anyOf": [TEXT, {"type": "null"}]}}
    assert losses == [("Emulate", "contract", "Medium", f"{SCHEMA_PATH}.properties.a.oneOf")]


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
    assert anthropic_form(closed({"a": deep}), "s") == (None, False, [])
    assert not openai_enforces(closed({"a": deep}))
    while "items" in deep:
        deep = deep.pop("items")


@pytest.mark.no_cover
@settings(max_examples=300, deadline=None)
@given(answer_schemas())
def test_core_and_twin_agree(schema: dict[str, Any]) -> None:
    form, shut, moved = anthropic_form(schema, "")
    twin = enforced(schema)

    assert openai_enforces(schema) == is_strict(schema)
    assert form == (twin and twin.form)
    said = sorted(path for path, _, _ in moved)
    assert (shut, said) == ((twin.closed, sorted(twin.said)) if twin else (False, []))


@pytest.mark.no_cover
@settings(max_examples=200, deadline=None)
@given(answer_schemas(), st.booleans())
def test_the_simulator_takes_what_is_sent_and_refuses_what_was_changed(
    schema: dict[str, Any], strict: bool
) -> None:
    body, losses = to_anthropic(schema, strict)
    sent = body.get("output_config", {}).get("format", {}).get("schema")
    told = {path for _, _, _, path in losses}
    openai, lost_there = to_openai(schema)

    assert answered("anthropic", body)
    assert (sent == schema) is (told == set())
    assert answered("anthropic", {**given_to_anthropic(schema)}) is (sent == schema)
    assert answered("openai", given_to_openai({**openai, "schema": schema}))
    assert answered("openai", given_to_openai({**openai, "strict": True})) is (not lost_there)


def given_to_anthropic(schema: Any) -> dict[str, Any]:
    answer = {"format": {"type": "json_schema", "schema": schema}}
    return {"model": "claude-opus-4-5", "max_tokens": 100, "messages": [USER],
            "output_config": answer}  # fmt: skip


def given_to_openai(inner: Any) -> dict[str, Any]:
    answer = {"type": "json_schema", "json_schema": inner}
    return {"model": "gpt-4o", "messages": [USER], "response_format": answer}


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
    request = {"model": model, "messages": [USER], "web_search_options": {}}

    found = specado.translate(request, f"openai/{model}")

    assert (b'"web_search_options":{}' in found.body, lost(found)) == (sent, losses)
