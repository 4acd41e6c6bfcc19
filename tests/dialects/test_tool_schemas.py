"""Input schemas of tools: adapted to the forms that a provider accepts."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from example_inputs import CLAUDE, USER
from specado.errors import MessageFormatError
from specado.simulator import handle

CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


def tool_sent(parameters: Any, **more: Any) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    function = {"name": "f", "parameters": parameters, **more}
    request = {"model": "gpt-4.1", "max_tokens": 9, "messages": [USER]}
    sent = specado.translate({**request, "tools": [{"type": "function", "function": function}]},
                             CLAUDE)  # fmt: skip
    reply = handle("POST", "/v1/messages", {"anthropic-version": "2023-06-01"}, sent.body)

    assert reply.status == 200, reply.body
    losses = [(item.code, item.severity, item.path) for item in sent.report.items]
    tool: dict[str, Any] = json.loads(sent.body)["tools"][0]
    return tool, losses


def test_properties_without_a_type_are_an_objects() -> None:
    tool, losses = tool_sent({"properties": {"a": {"type": "string"}}})

    assert tool["input_schema"] == {"type": "object", "properties": {"a": {"type": "string"}}}
    assert losses == []


def test_alternatives_at_the_root_are_said_in_the_description() -> None:
    tool, losses = tool_sent({"description": "d", "anyOf": [{"required": ["a"]}]})

    assert tool["input_schema"] == {
        "type": "object",
        "description": 'd\n\n{anyOf: [{"required":["a"]}]}',
    }
    assert losses == [("Emulate", "Low", "tools[0].function.parameters.anyOf")]


def test_an_array_is_said_in_the_description_of_an_object() -> None:
    tool, losses = tool_sent({"type": "array", "items": {"type": "string"}})

    assert tool["input_schema"] == {
        "type": "object",
        "description": '{"type":"array","items":{"type":"string"}}',
    }
    assert losses == [("Emulate", "Medium", "tools[0].function.parameters")]


@pytest.mark.parametrize("to", [CLAUDE, "openai/gpt-4.1"])
def test_parameters_that_are_a_list_are_refused(to: str) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": [1]}}]

    with pytest.raises(MessageFormatError, match=r"tools\[0\]\.function\.parameters: must be a"):
        specado.translate({"model": "gpt-4.1", "messages": [USER], "tools": tools}, to)


def test_a_strict_schema_goes_in_the_form_that_is_enforced() -> None:
    ranged = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}},
              "required": ["a"], "additionalProperties": False}  # fmt: skip

    tool, losses = tool_sent(ranged, strict=True)

    assert tool["strict"] is True
    assert tool["input_schema"]["properties"] == {
        "a": {"type": "integer", "description": "{minimum: 1}"}
    }
    assert losses == [("Emulate", "Low", "tools[0].function.parameters.properties.a.minimum")]


def test_a_strict_schema_without_such_a_form_is_not_strict() -> None:
    tool, losses = tool_sent({"type": "object", "properties": {"a": {}}}, strict=True)

    assert tool["strict"] is False
    assert losses == [("Drop", "Low", "tools[0].function.strict")]


@pytest.mark.parametrize(("schema", "strict"), [(CLOSED, True), ({"type": "object"}, False)])
def test_a_strict_tool_is_strict_at_openai_where_the_schema_is_taken(
    schema: Any, strict: bool
) -> None:
    tool = {"name": "f", "input_schema": schema, "strict": True}
    request = {"model": "claude-opus-4-5", "max_tokens": 9, "messages": [USER], "tools": [tool]}

    sent = specado.translate(request, "openai/gpt-4.1", source="anthropic")

    assert handle("POST", "/v1/chat/completions", {}, sent.body).status == 200
    assert json.loads(sent.body)["tools"][0]["function"]["strict"] is strict
    assert [item.path for item in sent.report.items] == (
        [] if strict else ["tools[0].strict", "tools[0].input_schema.properties"]
    )


@pytest.mark.parametrize("schema", [{"type": "array", "items": {}}, {"anyOf": [CLOSED]}])
def test_an_answer_that_is_no_object_has_no_stand_in(schema: Any) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    request = {"model": "gpt-4.1", "messages": [USER], "response_format": form}

    sent = specado.translate(request, "anthropic/claude-3-5-haiku")

    assert "tools" not in json.loads(sent.body)
    assert ("Unsupported", "response_format") in [
        (item.code, item.path) for item in sent.report.items
    ]


NONE_TAKEN = {"type": "object", "properties": {}}
STRICT_NONE = {**NONE_TAKEN, "required": [], "additionalProperties": False}


def to_openai(function: dict[str, Any], to: str = "openai/gpt-5.4") -> tuple[Any, list[Any]]:
    tools = [{"type": "function", "function": {"name": "f", **function}}]
    request = {"model": "gpt-5.4", "messages": [USER], "tools": tools}
    for form in (request, json.dumps(request)):
        found = specado.translate(form, to)
        sent = json.loads(found.body)["tools"][0]["function"]
        losses = [(i.severity, i.path) for i in found.report.items if "tools" in i.path]
    return sent, losses


@pytest.mark.parametrize(
    ("given", "expected", "path"),
    [
        ({"parameters": {}}, NONE_TAKEN, ""),
        ({"parameters": None}, NONE_TAKEN, ""),
        ({"parameters": {}, "strict": False}, NONE_TAKEN, ""),
        ({"parameters": {}, "strict": True}, STRICT_NONE, ""),
        ({"parameters": None, "strict": True}, STRICT_NONE, ""),
        ({"strict": True}, STRICT_NONE, ""),
        ({"parameters": {"type": "object"}}, NONE_TAKEN, ".properties"),
        ({"parameters": {"properties": {}}}, NONE_TAKEN, ".type"),
        (
            {"parameters": {"properties": {"a": {"type": "string"}}}},
            {"type": "object", "properties": {"a": {"type": "string"}}},
            ".type",
        ),
    ],
)
def test_a_function_without_parameters_has_openais_form(
    given: Any, expected: Any, path: str
) -> None:
    sent, losses = to_openai(given)
    as_given, none = to_openai(given, "own/m")

    assert sent["parameters"] == expected
    assert losses == [("None", f"tools[0].function.parameters{path}")]
    assert as_given == {"name": "f", **given}
    assert none == []


@pytest.mark.parametrize("given", [{}, {"strict": False}, {"parameters": NONE_TAKEN}])
def test_a_function_that_openai_takes_stays(given: Any) -> None:
    sent, losses = to_openai(given)

    assert sent == {"name": "f", **given}
    assert losses == []


@pytest.fixture(autouse=True)
def own() -> None:
    specado.register_manifest({"name": "own", "base_url": "https://own.example"})
