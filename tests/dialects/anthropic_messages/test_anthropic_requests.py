"""Anthropic requests read into the canonical form, seen as the OpenAI requests they become."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from anthropic_core import encode_anthropic_request, read_anthropic_request
from example_inputs import USER
from specado.errors import MessageFormatError

USE = {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}
ASKED = {"role": "assistant", "content": [USE]}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="}
SCHEMA = {"type": "object"}
CLOSED = {"type": "object", "properties": {}, "additionalProperties": False}


def translated(messages: Any, **more: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    request = {"model": "claude-opus-4-6", "max_tokens": 4000, "messages": messages, **more}
    made = specado.translate(request, "openai/unheard-of", source="anthropic")
    return json.loads(made.body), [(loss.code, loss.path) for loss in made.report.items]


def messages_of(messages: Any, **more: Any) -> tuple[Any, list[tuple[str, str]]]:
    body, losses = translated(messages, **more)
    return body["messages"], losses


def result(content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "t1", "content": content, **more}


def test_system_text_becomes_the_first_message() -> None:
    blocks = [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]

    assert messages_of([USER], system="s")[0][0] == {"role": "system", "content": "s"}
    assert messages_of([USER], system=blocks) == (
        [{"role": "system", "content": [{"type": "text", "text": "a"}]}, USER],
        [("Drop", "system[0].cache_control")],
    )
    assert messages_of([USER], system="")[0] == [USER]


def test_images_and_documents_become_parts() -> None:
    content = [
        {"type": "image", "source": PNG},
        {"type": "image", "source": {"type": "url", "url": "https://example.org/a"}},
        {"type": "document", "source": PDF, "title": "a.pdf"},
        {"type": "document", "source": PDF},
    ]

    (message,), losses = messages_of([{"role": "user", "content": content}])

    uri = "data:application/pdf;base64,JVBERg=="
    assert message["content"] == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "image_url", "image_url": {"url": "https://example.org/a"}},
        {"type": "file", "file": {"file_data": uri, "filename": "a.pdf"}},
        {"type": "file", "file": {"file_data": uri, "filename": "document.pdf"}},
    ]
    assert losses == [("Default", "messages[0].content[3].title")]


def test_an_answer_with_calls_becomes_one_message() -> None:
    content = [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": "a"},
        USE,
        {"type": "text", "text": "b"},
    ]

    messages, losses = messages_of([USER, {"role": "assistant", "content": content}])

    assert messages[1] == {
        "role": "assistant",
        "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        "tool_calls": [
            {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
        ],
    }
    assert losses == [
        ("Relocate", "messages[1].content[3]"),
        ("Drop", "messages[1].content[0]"),
    ]


def test_reasoning_alone_becomes_an_empty_answer() -> None:
    content = [{"type": "redacted_thinking", "data": "x"}]

    messages, losses = messages_of([USER, {"role": "assistant", "content": content}, USER])

    assert messages[1] == {"role": "assistant", "content": ""}
    assert losses == [("Drop", "messages[1].content[0]")]


@pytest.mark.parametrize(
    ("block", "said", "losses"),
    [
        (result("r"), "r", []),
        (result([{"type": "text", "text": "r"}]), "r", []),
        (result(None), "", []),
        ({"type": "tool_result", "tool_use_id": "t1"}, "", []),
        (
            result([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
            [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            [],
        ),
        (
            result("r", is_error=True),
            "Error: r",
            [("Relocate", "messages[2].content[0].is_error")],
        ),
        (result("r", is_error=False), "r", []),
        (
            result("", is_error=True),
            "Error: ",
            [("Relocate", "messages[2].content[0].is_error")],
        ),
    ],
)
def test_results_become_tool_messages(block: Any, said: Any, losses: Any) -> None:
    messages, found = messages_of([USER, ASKED, {"role": "user", "content": [block]}])

    assert messages[2] == {"role": "tool", "content": said, "tool_call_id": "t1"}
    assert found == losses


def test_images_of_a_result_move_to_the_user_turn_behind_a_line_that_says_whose_they_are() -> None:
    blocks = [result([{"type": "image", "source": PNG}, {"type": "text", "text": "r"}])]
    blocks.append({"type": "text", "text": "and?"})

    messages, losses = messages_of([USER, ASKED, {"role": "user", "content": blocks}])

    assert messages[2]["content"] == "r"
    assert [part["type"] for part in messages[3]["content"]] == ["text", "image_url", "text"]
    assert messages[3]["content"][0]["text"] == "From the result of the tool call t1:"
    assert messages[3]["content"][2]["text"] == "and?"
    assert losses == [("Relocate", "messages[2].content[0].content[0]")]


@pytest.mark.parametrize(
    ("more", "expected", "losses"),
    [
        ({"stop_sequences": list("abcde")}, {"stop": list("abcd")}, ["stop_sequences[4]"]),
        ({"metadata": {"user_id": "u"}}, {"user": "u"}, []),
        ({"service_tier": "standard_only"}, {"service_tier": "default"}, []),
        ({"thinking": {"type": "disabled"}}, {"reasoning_effort": "none"}, []),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 3200}},
            {"reasoning_effort": "high"},
            ["thinking.budget_tokens"],
        ),
        ({"thinking": {"type": "adaptive"}}, {}, ["thinking"]),
        ({"output_config": {"effort": "max"}}, {"reasoning_effort": "max"}, []),
        (
            {"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}},
            {"reasoning_effort": "none"},
            ["output_config.effort"],
        ),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": CLOSED}}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "response", "schema": CLOSED, "strict": True},
                }
            },
            ["output_config.format"],
        ),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "response", "schema": SCHEMA, "strict": False},
                }
            },
            ["output_config.format", "output_config.format.schema"],
        ),
        ({"tool_choice": {"type": "any"}}, {}, ["tool_choice"]),
        ({"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}, {}, []),
    ],
)
def test_parameters(more: dict[str, Any], expected: dict[str, Any], losses: list[str]) -> None:
    body, found = translated([USER], **more)

    assert {name: body[name] for name in set(body) - {"model", "messages", "max_tokens"}} == (
        expected
    )
    assert [path for _, path in found] == losses


@pytest.mark.parametrize(
    ("choice", "expected", "parallel"),
    [
        ({"type": "auto"}, "auto", None),
        ({"type": "any", "disable_parallel_tool_use": True}, "required", False),
        ({"type": "none"}, "none", None),
        ({"type": "tool", "name": "f"}, {"type": "function", "function": {"name": "f"}}, None),
    ],
)
def test_tools_and_the_choice_among_them(choice: Any, expected: Any, parallel: Any) -> None:
    tools = [
        {"type": "bash_20250124", "name": "bash"},
        {"name": "f", "input_schema": CLOSED, "strict": True, "defer_loading": True},
    ]

    body, losses = translated([USER], tools=tools, tool_choice=choice)

    function = {"name": "f", "parameters": CLOSED, "strict": True}
    assert body["tools"] == [{"type": "function", "function": function}]
    assert (body["tool_choice"], body.get("parallel_tool_calls")) == (expected, parallel)
    assert losses == [("Unsupported", "tools[0]"), ("Drop", "tools[1].defer_loading")]


def test_paths_are_those_of_the_callers_request() -> None:
    content = [{"type": "server_tool_use", "id": "s", "name": "w", "input": {}},
               {"type": "image", "source": PNG}]  # fmt: skip
    messages = [USER, {"role": "user", "content": content}]
    request = {"model": "claude-opus-4-6", "max_tokens": 10**7, "system": "s",
               "messages": messages, "thinking": {"type": "disabled"},
               "tools": [{"type": "bash_20250124", "name": "bash"},
                         {"name": "f", "input_schema": SCHEMA}]}  # fmt: skip

    made = specado.translate(request, "openai/gpt-3.5-turbo", source="anthropic")

    assert [(loss.code, loss.path) for loss in made.report.items] == [
        ("Unsupported", "messages[1].content[0]"),
        ("Unsupported", "tools[0]"),
        ("Drop", "thinking"),
        ("Unsupported", "messages[1].content[1]"),
        ("Clamp", "max_tokens"),
        ("Default", "tools[1].input_schema.properties"),
    ]


def test_a_conversation_of_nothing_that_can_be_said_is_reported() -> None:
    upload = {"type": "container_upload", "file_id": "f"}

    messages, losses = messages_of([{"role": "user", "content": [upload]}])

    assert messages == [{"role": "user", "content": ""}]
    assert losses == [("Unsupported", "messages[0].content[0]"), ("Unsupported", "messages")]


@pytest.mark.parametrize(
    ("messages", "index", "field"),
    [
        ("Hi", None, "messages"),
        ([], None, "messages"),
        ([5], 0, None),
        ([{"role": "tool", "content": "a"}], 0, "role"),
        ([{"role": "user"}], 0, "content"),
        ([{"role": "user", "content": [5]}], 0, "content[0]"),
        ([{"role": "user", "content": [{"type": "zz"}]}], 0, "content[0].type"),
        ([{"role": "user", "content": [{"type": "text"}]}], 0, "content[0].text"),
        ([{"role": "user", "content": [{"type": "image"}]}], 0, "content[0].source"),
        (
            [{"role": "user", "content": [{"type": "image", "source": {"type": "zz"}}]}],
            0,
            "content[0].source.type",
        ),
        (
            [{"role": "user", "content": [{"type": "image", "source": {**PNG, "data": "!"}}]}],
            0,
            "content[0].source.data",
        ),
        (
            [{"role": "user", "content": [{"type": "document", "source": {**PDF, "data": "a"}}]}],
            0,
            "content[0].source.data",
        ),
        ([USER, {"role": "user", "content": [result("r")]}], 1, "content[0].tool_use_id"),
        ([USER, {"role": "assistant", "content": [{**USE, "id": 5}]}], 1, "content[0].id"),
        ([USER, {"role": "assistant", "content": [{**USE, "input": []}]}], 1, "content[0].input"),
        (
            [USER, {"role": "assistant", "content": [{**USE, "input": {"a": float("nan")}}]}],
            1,
            "content[0].input.a",
        ),
        (
            [USER, {"role": "assistant", "content": [{"type": "thinking", "thinking": 5}]}],
            1,
            "content[0].thinking",
        ),
    ],
)
def test_bad_messages_are_refused_by_place(
    messages: Any, index: int | None, field: str | None
) -> None:
    with pytest.raises(MessageFormatError) as caught:
        translated(messages)

    assert (caught.value.index, caught.value.field) == (index, field)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"system": 5}, "system"),
        ({"system": [{"type": "image"}]}, "system[0].type"),
        ({"metadata": "u"}, "metadata"),
        ({"metadata": {"user_id": 5}}, "metadata.user_id"),
        ({"stop_sequences": "END"}, "stop_sequences"),
        ({"stop_sequences": [5]}, "stop_sequences[0]"),
        ({"thinking": {"type": "zz"}}, "thinking.type"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "enabled", "budget_tokens": "5"}}, "thinking.budget_tokens"),
        ({"output_config": {"effort": 5}}, "output_config.effort"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"input_schema": {}}]}, "tools[0].name"),
        ({"tool_choice": {"type": "zz"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"max_tokens": "5"}, "max_tokens"),
        ({"temperature": []}, "temperature"),
        ({"top_p": "x"}, "top_p"),
        ({"stream": "yes"}, "stream"),
        ({"service_tier": 5}, "service_tier"),
        ({"tools": [{"name": "f", "description": 5}]}, "tools[0].description"),
        ({"tools": [{"name": "f", "strict": "x"}]}, "tools[0].strict"),
    ],
)
def test_bad_parameters_are_refused_by_place(more: dict[str, Any], field: str) -> None:
    with pytest.raises(MessageFormatError) as caught:
        translated([USER], **more)

    assert caught.value.field == field


def test_only_known_service_tiers_go_to_openai() -> None:
    request = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}

    found = {
        tier: read_anthropic_request({**request, "service_tier": tier})
        for tier in ("auto", "standard_only", "zz")
    }

    assert {tier: made[1].get("service_tier") for tier, made in found.items()} == {
        "auto": "auto",
        "standard_only": "default",
        "zz": None,
    }
    assert [(row, path, before) for row, path, before, _ in found["zz"][2]] == [
        ("service_tier", "service_tier", "zz")
    ]


def test_stop_sequences_beyond_four_are_reported_where_they_stand() -> None:
    request = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}

    _, params, losses, _ = read_anthropic_request({**request, "stop_sequences": list("abcdef")})

    assert params["stop"] == list("abcd")
    assert [(row, path) for row, path, _, _ in losses] == [
        ("stop.too_many", "stop_sequences[4]"),
        ("stop.too_many", "stop_sequences[5]"),
    ]


@pytest.mark.parametrize("more", ["", ',"x', ';base64,"x', '; a="b"', ";BASE64"])
def test_an_images_data_is_what_was_given_whatever_its_media_type_says(more: str) -> None:
    source = {"type": "base64", "media_type": f"image/png{more}", "data": "iVBORw0KGgo="}
    asked = {"role": "user", "content": [{"type": "image", "source": source}]}
    conversation = read_anthropic_request({"model": "m", "max_tokens": 1, "messages": [asked]})[0]

    body = json.loads(encode_anthropic_request(conversation, "m", {}, None)[0])

    (block,) = body["messages"][0]["content"]
    assert block["source"] == {**source, "media_type": "image/png"}


def test_an_output_format_in_json_text_becomes_a_response_format() -> None:
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    given = {
        "model": "claude-opus-4-5",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "Hello"}],
        "output_format": {"type": "json_schema", "schema": schema},
    }

    made = specado.translate(json.dumps(given, indent=1), "openai/gpt-4o", source="anthropic")

    assert json.loads(made.body)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "response", "schema": schema, "strict": True},
    }
