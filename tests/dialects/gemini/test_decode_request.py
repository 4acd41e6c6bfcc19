"""Gemini requests to chat completions: each form of a request, and what is malformed."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from lossy_gemini import CALLED, TOOLS

HELLO = {"role": "user", "parts": [{"text": "Hello"}]}
SAID = [{"role": "user", "content": "Hello"}]
URL_SAFE = {"inlineData": {"mimeType": "image/png", "data": "-_8"}}


def translated(request: Any) -> Any:
    return specado.translate(request, "openai_chat/gpt-4o", source="gemini")


def sent(**request: Any) -> Any:
    found: Any = json.loads(translated({"model": "gemini-2.5-flash", **request}).body)
    del found["model"]
    return found


@pytest.mark.parametrize(
    "contents",
    [
        "Hello",
        ["Hello"],
        {"text": "Hello"},
        [{"text": "Hello"}],
        HELLO,
        [HELLO],
        [{"parts": [{"text": "Hello"}]}],
        {"parts": {"text": "Hello"}},
        [{"role": "user", "parts": ["Hello"]}],
    ],
)
def test_contents_may_be_short(contents: Any) -> None:
    assert sent(contents=contents) == {"messages": SAID}


@pytest.mark.parametrize(
    "system", ["Be brief", {"parts": [{"text": "Be brief"}]}, [{"text": "Be brief"}]]
)
@pytest.mark.parametrize("name", ["systemInstruction", "system_instruction"])
def test_a_system_instruction_comes_first(name: str, system: Any) -> None:
    assert sent(contents="Hello", **{name: system})["messages"] == [
        {"role": "system", "content": "Be brief"},
        *SAID,
    ]


def test_lone_parts_between_contents_are_the_users() -> None:
    found = sent(contents=["a", "b", {"role": "model", "parts": [{"text": "c"}]}, "d"])

    assert found["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": "c"},
        {"role": "user", "content": "d"},
    ]


def test_either_spelling_of_names_says_the_same() -> None:
    config = {"max_output_tokens": 5.0, "top_p": 0.5, "stop_sequences": ["x"]}

    found = sent(
        contents=[{"parts": [{"inline_data": {"mime_type": "image/png", "data": "AAAA"}}]}],
        generation_config=config,
    )

    assert found == {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
                ],
            }
        ],
        "max_tokens": 5,
        "top_p": 0.5,
        "stop": ["x"],
    }


def test_url_safe_base64_gets_the_usual_letters_and_padding() -> None:
    (message,) = sent(contents=[{"parts": [URL_SAFE]}])["messages"]

    assert message["content"][0]["image_url"]["url"] == "data:image/png;base64,+/8="


def test_arguments_and_results_keep_their_text() -> None:
    text = (
        '{"model": "m", "contents": [{"role": "user", "parts": [{"text": "Hello"}]},'
        '{"role": "model", "parts": [{"functionCall": {"id": "c1", "name": "f",'
        ' "args": {"n": 1e400,  "b": 123456789012345678901234567890}}}]},'
        '{"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"x":  1.10}}}]}'
        "]}"
    )

    _, called, answer = json.loads(translated(text).body)["messages"]

    assert called["tool_calls"][0]["function"]["arguments"] == (
        '{"n": 1e400,  "b": 123456789012345678901234567890}'
    )
    assert answer["content"] == '{"x":  1.10}'


def call(name: str, id_: str | None = None) -> dict[str, Any]:
    given = {} if id_ is None else {"id": id_}
    return {"functionCall": {**given, "name": name, "args": {}}}


def result(name: str, text: str, id_: str | None = None) -> dict[str, Any]:
    given = {} if id_ is None else {"id": id_}
    return {"functionResponse": {**given, "name": name, "response": {"output": text}}}


def test_results_go_to_their_calls_by_id_or_name() -> None:
    calls = {"role": "model", "parts": [call("f"), call("g"), call("f", "mine")]}
    answers = {
        "role": "user",
        "parts": [result("f", "third", "mine"), result("g", "second"), result("f", "first")],
    }

    found = sent(contents=[HELLO, calls, answers], tools=TOOLS)["messages"]

    ids = [each["id"] for each in found[1]["tool_calls"]]
    assert ids == ["call_gemini_1", "call_gemini_2", "mine"]
    assert {each["tool_call_id"]: each["content"] for each in found[2:]} == {
        ids[0]: "first",
        ids[1]: "second",
        ids[2]: "third",
    }


def test_the_same_history_has_the_same_ids_on_every_turn() -> None:
    turn = [HELLO, {"role": "model", "parts": [call("f")]},
            {"role": "user", "parts": [result("f", "done")]}]  # fmt: skip

    first, second = sent(contents=turn), sent(contents=[*turn, *turn])

    assert second["messages"][: len(first["messages"])] == first["messages"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"mode": "ANY"}, "required"),
        ({"mode": "NONE"}, "none"),
        ({"mode": "AUTO"}, "auto"),
        (
            {"mode": "ANY", "allowedFunctionNames": ["f"]},
            {"type": "function", "function": {"name": "f"}},
        ),
    ],
)
def test_a_calling_mode_is_a_tool_choice(config: Any, expected: Any) -> None:
    found = sent(contents="Hello", tools=TOOLS, toolConfig={"functionCallingConfig": config})

    assert found["tool_choice"] == expected


def test_an_openapi_schema_becomes_a_json_schema() -> None:
    schema = {
        "type": "OBJECT",
        "properties": {
            "a": {"type": "STRING", "nullable": True, "example": "x"},
            "b": {"any_of": [{"type": "INTEGER"}, {"type": "NULL"}], "min_items": "2"},
        },
        "propertyOrdering": ["b", "a"],
    }
    tools = [{"functionDeclarations": [{"name": "f", "parameters": schema}]}]

    (tool,) = sent(contents="Hello", tools=tools)["tools"]

    assert tool["function"]["parameters"] == {
        "type": "object",
        "properties": {
            "b": {"anyOf": [{"type": "integer"}, {"type": "null"}], "minItems": 2},
            "a": {"type": ["string", "null"], "examples": ["x"]},
        },
    }
    assert list(tool["function"]["parameters"]["properties"]) == ["b", "a"]


def test_the_answers_schema_is_closed_for_strict_mode() -> None:
    schema = {
        "title": "City",
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
    }

    found = sent(contents="Hello", generationConfig={"responseJsonSchema": schema})

    assert found["response_format"] == {
        "type": "json_schema",
        "json_schema": {
            "name": "City",
            "schema": {**schema, "additionalProperties": False},
            "strict": True,
        },
    }


@pytest.mark.parametrize(
    ("contents", "problem"),
    [
        ([], "contents must have at least one content"),
        (3, "contents: must be a dict, not int"),
        ([{"role": "assistant", "parts": []}], r"contents\[0\].role: must be user or model"),
        ([{"parts": [{}]}], r"contents\[0\].parts\[0\]: has no data"),
        (
            [{"parts": [{"text": "a", "functionCall": {}}]}],
            "has text and functionCall: a part has one",
        ),
        ([{"parts": [call("f")]}], r"parts\[0\].functionCall: a user makes no function calls"),
        ([{"parts": [result("f", "x")]}], "answers no call of 'f' before it"),
        ([HELLO, CALLED, {"parts": [result("g", "x", "c1")]}], "the call 'c1' is one of 'f'"),
        (
            [{"role": "model", "parts": [result("f", "x")]}],
            "a model gives no function responses",
        ),
        (
            [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "%"}}]}],
            r"contents\[0\].parts\[0\].inlineData.data: the data is not base64",
        ),
        (
            [{"role": "model", "parts": [{"text": "a", "thoughtSignature": "%"}]}],
            "thoughtSignature: the signature is not base64",
        ),
        (
            [{"role": "model", "parts": [{"functionCall": {"name": "f", "args": [1]}}]}],
            r"functionCall.args: must be a dict, not",
        ),
    ],
)
def test_malformed_contents_are_refused_with_their_place(contents: Any, problem: str) -> None:
    with pytest.raises(specado.MessageFormatError, match=problem):
        sent(contents=contents)


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"generationConfig": {"temperature": "hot"}}, "generationConfig.temperature must be"),
        ({"generation_config": {"top_p": "x"}}, "generation_config.top_p must be"),
        ({"generationConfig": {"stopSequences": "x"}}, "stopSequences: must be a list of str"),
        (
            {"generationConfig": {"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "LOW"}}},
            "thinkingBudget or thinkingLevel, not both",
        ),
        (
            {"generationConfig": {"responseSchema": {}, "responseJsonSchema": {}}},
            "responseSchema or responseJsonSchema, not both",
        ),
        (
            {"toolConfig": {"functionCallingConfig": {"mode": "SOME"}}},
            "must be AUTO, ANY, NONE or VALIDATED, not 'SOME'",
        ),
        ({"tools": [{"functionDeclarations": [{}]}]}, r"functionDeclarations\[0\].name: must be"),
    ],
)
def test_malformed_members_are_refused_with_their_path(
    members: dict[str, Any], problem: str
) -> None:
    with pytest.raises(specado.MessageFormatError, match=problem):
        sent(contents="Hello", **members)


def test_a_request_without_a_model_is_refused() -> None:
    with pytest.raises(specado.ConfigurationError, match="model is missing"):
        translated({"contents": "Hello"})


def test_a_models_collection_is_no_part_of_its_id() -> None:
    found = specado.translate(
        {"model": "models/gemini-2.5-flash", "contents": "Hello"}, "gemini", source="gemini"
    )

    assert found.model == "gemini-2.5-flash"
