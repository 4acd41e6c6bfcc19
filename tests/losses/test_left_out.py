"""What a report says is left out is not in the body, and the body is accepted."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from example_inputs import CLAUDE, USER
from specado.errors import MessageFormatError
from specado.simulator import handle

ANTHROPIC = {"anthropic-version": "2023-06-01"}
AGAIN = {"role": "user", "content": "r"}
PNG = "iVBORw0KGgo="


def sent(messages: Any, to: str, **params: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the body, which the simulator takes, and the code and path of each loss."""
    request = {"model": "gpt-4.1", "messages": messages, **params}
    found = specado.translate(request, to)
    path = found.url.partition(".com")[2]
    reply = handle("POST", path, ANTHROPIC, found.body)

    assert reply.status == 200, reply.body
    return json.loads(found.body), [(item.code, item.path) for item in found.report.items]


def image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def file(data: str) -> dict[str, Any]:
    return {"type": "file", "file": {"file_data": data}}


def says(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": ["Hello", *parts]}


@pytest.mark.parametrize("media", ["image/bmp", "image/svg+xml", "text/plain"])
def test_an_image_of_another_type_is_left_out(media: str) -> None:
    body, losses = sent([says(image(f"data:{media};base64,AAAA"))], CLAUDE)

    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]
    assert ("Unsupported", "messages[0].content[1]") in losses


def test_a_message_of_such_an_image_alone_makes_room_for_its_neighbours() -> None:
    answer = {"role": "assistant", "content": "a"}
    alone = {"role": "user", "content": [image("data:image/bmp;base64,AAAA")]}

    body, losses = sent([USER, answer, alone, answer, USER], CLAUDE)

    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert ("Unsupported", "messages[2].content[0]") in losses


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("data:text/plain;base64,w6kK", "é\n"),
        ("data:text/csv;charset=utf-8;base64,YSxi", "a,b"),
        ("data:application/json;base64,e30=", "{}"),
    ],
)
def test_a_text_file_is_a_plain_text_document(data: str, text: str) -> None:
    body, losses = sent([says(file(data))], CLAUDE)

    source = body["messages"][0]["content"][1]["source"]
    assert source == {"type": "text", "media_type": "text/plain", "data": text}
    assert ("Relocate", "messages[0].content[1].file.file_data") in losses


@pytest.mark.parametrize(
    "data", ["data:text/plain;base64,/w==", "data:application/zip;base64,AA=="]
)
def test_a_file_that_is_no_text_and_no_pdf_is_left_out(data: str) -> None:
    body, losses = sent([says(file(data))], CLAUDE)

    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]
    assert ("Unsupported", "messages[0].content[1]") in losses


@pytest.mark.parametrize(
    ("part", "to"),
    [
        (image(f"data:image/png;base64,{PNG}"), "openai/gpt-4"),
        (image(f"data:image/png;base64,{PNG}"), "openai/o3-mini"),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            "openai/gpt-4o",
        ),
        (file("data:application/pdf;base64,JVBERi0="), "openai/gpt-4"),
    ],
)
def test_a_part_that_the_model_does_not_take_is_left_out(part: Any, to: str) -> None:
    body, losses = sent([says(part), {"role": "user", "content": [part]}], to)

    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
        {"role": "user", "content": ""},
    ]
    assert ("Unsupported", "messages[0].content[1]") in losses
    assert ("Unsupported", "messages[1].content[0]") in losses


@pytest.mark.parametrize("model", ["gpt-4", "gpt-3.5-turbo"])
def test_a_schema_is_left_out_where_the_model_has_none(model: str) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}

    body, losses = sent([USER], f"openai/{model}", response_format=form)

    assert "response_format" not in body
    assert ("Unsupported", "response_format") in losses


def test_tools_are_left_out_with_their_choice_where_the_model_has_none() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]

    body, losses = sent([USER], "openai/gpt-5-chat", tool_choice="required", tools=tools)

    assert set(body) == {"model", "messages"}
    assert ("Unsupported", "tools") in losses


@pytest.mark.parametrize("before", [[USER], [{"role": "system", "content": "s"}, USER]])
def test_assistant_messages_at_the_end_are_left_out_where_they_are_refused(before: Any) -> None:
    given = [*before, {"role": "assistant", "content": "a"}, {"role": "user", "content": " "},
             {"role": "assistant", "content": "b"}]  # fmt: skip

    body, losses = sent(given, "anthropic/claude-opus-5")

    assert body["messages"] == [{"role": "user", "content": "Hello"}]
    first = len(before)
    assert set(losses) >= {
        ("Unsupported", f"messages[{first}]"),
        ("Drop", f"messages[{first + 1}].content"),
        ("Unsupported", f"messages[{first + 2}]"),
    }


def test_a_dropped_function_message_leaves_no_other_trace() -> None:
    function = {"role": "function", "name": "f", "content": "r"}

    body, losses = sent([USER, {"role": "assistant", "content": "a"}, USER, function], CLAUDE)

    assert body["messages"][2] == {"role": "user", "content": [{"type": "text", "text": "Hello"}]}
    assert [found for found in losses if found[1].startswith("messages[")] == [
        ("Unsupported", "messages[3]")
    ]


def test_an_answer_of_foreign_thinking_alone_lets_its_neighbours_become_one_turn() -> None:
    thought = {"type": "thinking", "text": "hm", "signature": "s", "model": "claude-opus-4-5"}
    answer = {"role": "assistant", "content": None, "reasoning_details": [thought]}

    body, losses = sent([USER, answer, AGAIN], "anthropic/claude-sonnet-4-5")

    assert [turn["role"] for turn in body["messages"]] == ["user"]
    assert ("Relocate", "messages[2].role") in losses


@pytest.mark.parametrize(
    ("part", "field"),
    [
        (image("data:;base64,AAAA"), "image_url.url"),
        (image("data: ;base64,AAAA"), "image_url.url"),
        (image("data:image/png,AAAA"), "image_url.url"),
        (file("data:;base64,AAAA"), "file.file_data"),
    ],
)
def test_a_data_uri_without_a_type_or_base64_is_refused(part: Any, field: str) -> None:
    with pytest.raises(MessageFormatError, match="data:<media type>;base64,<data>") as caught:
        sent([says(part)], CLAUDE)

    assert caught.value.field == f"content[1].{field}"


@pytest.mark.parametrize("to", [CLAUDE, "openai/gpt-4.1"])
@pytest.mark.parametrize(
    ("part", "known"),
    [
        (image(f"DATA:image/png;BASE64,{PNG}"), image(f"data:image/png;base64,{PNG}")),
        (image("HTTPS://Example.com/A.png"), image("https://Example.com/A.png")),
        (
            file("Data:application/pdf;Base64,JVBERi0="),
            file("data:application/pdf;base64,JVBERi0="),
        ),
    ],
)
def test_schemes_are_known_in_either_case(part: Any, known: Any, to: str) -> None:
    body, losses = sent([says(part)], to)

    assert (body, losses) == sent([says(known)], to)
    assert "Unsupported" not in [code for code, _ in losses]
