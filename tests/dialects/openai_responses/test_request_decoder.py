"""Responses requests read into the canonical form, seen as the requests they become."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from specado.errors import ConfigurationError, MessageFormatError

HELLO = {"role": "user", "content": "Hello"}
CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":  1.50}'}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "done"}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
SAID = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
}
CHAT_CALL = {
    "id": "c1",
    "type": "function",
    "function": {"name": "f", "arguments": '{"a":  1.50}'},
}


def translated(
    items: Any, to: str = "openai_chat/unheard-of", **more: Any
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    request = {"model": "gpt-5.4", "input": items, **more}
    made = specado.translate(request, to, source="openai_responses")
    lost = [(loss.code, loss.path) for loss in made.report.items if loss.severity != "None"]
    return json.loads(made.body), lost


def messages_of(items: Any, **more: Any) -> Any:
    return translated(items, **more)[0]["messages"]


def test_text_is_a_user_message() -> None:
    assert messages_of("Hello") == [HELLO]


def test_instructions_are_the_first_message() -> None:
    assert messages_of([HELLO], instructions="Be brief.") == [
        {"role": "system", "content": "Be brief."},
        HELLO,
    ]
    assert messages_of([HELLO], instructions="") == [HELLO]


def test_roles_stay() -> None:
    items = [{"role": role, "content": role} for role in ("system", "developer", "user")]

    assert messages_of(items) == items


def test_parts_are_parts() -> None:
    content = [
        {"type": "input_text", "text": "See:"},
        {"type": "input_image", "image_url": "https://a.example/b.png", "detail": "high"},
        {
            "type": "input_file",
            "file_data": "data:application/pdf;base64,JVBERg==",
            "filename": "a.pdf",
        },
        {"type": "input_file", "file_id": "file_1"},
    ]

    (message,) = messages_of([{"role": "user", "content": content}])

    assert message["content"] == [
        {"type": "text", "text": "See:"},
        {"type": "image_url", "image_url": {"url": "https://a.example/b.png", "detail": "high"}},
        {
            "type": "file",
            "file": {"file_data": "data:application/pdf;base64,JVBERg==", "filename": "a.pdf"},
        },
        {"type": "file", "file": {"file_id": "file_1"}},
    ]


def test_text_and_calls_of_an_answer_are_one_message() -> None:
    assert messages_of([HELLO, THOUGHT, SAID, CALL, OUTPUT]) == [
        HELLO,
        {"role": "assistant", "content": "Hi", "tool_calls": [CHAT_CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
    ]


def test_an_answer_that_goes_on_after_its_text_is_another_message() -> None:
    items = [HELLO, THOUGHT, SAID, {**THOUGHT, "id": "rs_2"}, CALL, OUTPUT]

    body, lost = translated(items, "openai_responses/gpt-5.4")
    messages = messages_of(items)

    assert body["input"] == items
    assert lost == []
    assert messages[1:3] == [
        {"role": "assistant", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [CHAT_CALL]},
    ]


def test_an_output_is_moved_behind_its_call() -> None:
    other = {**CALL, "call_id": "c2"}
    items = [HELLO, CALL, other, OUTPUT, SAID, {**OUTPUT, "call_id": "c2"}, HELLO]

    body, lost = translated(items)

    assert [message["role"] for message in body["messages"]] == [
        "user",
        "assistant",
        "tool",
        "tool",
        "assistant",
        "user",
    ]
    assert ("Relocate", "input[5]") in lost


def test_custom_calls_stay_custom() -> None:
    items = [
        HELLO,
        {"type": "custom_tool_call", "call_id": "c1", "name": "run", "input": "ls"},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "a"},
    ]

    assert messages_of(items)[1:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "custom", "custom": {"name": "run", "input": "ls"}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "a"},
    ]


def test_an_output_with_an_image_is_a_result_with_one() -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}
    items = [HELLO, CALL, {**OUTPUT, "output": [{"type": "input_text", "text": "a"}, image]}]

    body, lost = translated(items, "anthropic/unheard-of", max_output_tokens=99)

    (result,) = body["messages"][2]["content"]
    assert result["content"] == [
        {"type": "text", "text": "a"},
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
        },
    ]
    assert lost == []


@pytest.mark.parametrize(
    "item",
    [
        {"type": "item_reference", "id": "msg_1"},
        {"id": "msg_1"},
    ],
)
def test_what_is_stored_elsewhere_is_a_critical_loss(item: dict[str, Any]) -> None:
    made = specado.translate(
        {"model": "gpt-5.4", "input": [HELLO, item]},
        "anthropic/unheard-of",
        source="openai_responses",
    )

    assert made.report.severity == "Critical"
    assert "input[1]" in [loss.path for loss in made.report.items]


def test_an_output_of_a_stored_call_is_reported() -> None:
    body, lost = translated([OUTPUT, HELLO], previous_response_id="resp_1")

    assert body["messages"] == [HELLO]
    assert lost == [("Unsupported", "input[0]"), ("Unsupported", "previous_response_id")]


def test_an_item_that_nobody_knows_yet_is_reported() -> None:
    assert translated([{"type": "hologram", "id": "h"}, HELLO]) == (
        {"model": "unheard-of", "messages": [HELLO]},
        [("Unsupported", "input[0]")],
    )


CLOSED = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
FUNCTION = {"type": "function", "name": "f", "parameters": CLOSED}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"max_output_tokens": 99}, {"max_completion_tokens": 99}),
        ({"reasoning": {"effort": "low"}}, {"reasoning_effort": "low"}),
        ({"text": {"verbosity": "low"}}, {"verbosity": "low"}),
        ({"text": {"format": {"type": "text"}}}, {}),
        (
            {"text": {"format": {"type": "json_object"}}},
            {"response_format": {"type": "json_object"}},
        ),
        (
            {"text": {"format": {"type": "json_schema", "name": "a", "schema": CLOSED}}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "a", "schema": CLOSED},
                }
            },
        ),
        ({"include": ["reasoning.encrypted_content"]}, {}),
        ({"include": ["message.output_text.logprobs"]}, {"logprobs": True}),
        ({"top_logprobs": 2}, {"top_logprobs": 2, "logprobs": True}),
        ({"top_logprobs": 0}, {}),
        ({"truncation": "disabled", "background": False}, {}),
        ({"store": True, "metadata": {"a": "b"}}, {"store": True, "metadata": {"a": "b"}}),
        (
            {"tools": [{**FUNCTION, "strict": False}], "tool_choice": "required"},
            {
                "tools": [
                    {
                        "type": "function",
                        "function": {"name": "f", "parameters": CLOSED, "strict": False},
                    }
                ],
                "tool_choice": "required",
            },
        ),
        (
            {"tools": [FUNCTION]},  # strict by default
            {
                "tools": [
                    {
                        "type": "function",
                        "function": {"name": "f", "parameters": CLOSED, "strict": True},
                    }
                ]
            },
        ),
        (
            {
                "tools": [{**FUNCTION, "strict": True}],
                "tool_choice": {"type": "function", "name": "f"},
            },
            {
                "tools": [
                    {
                        "type": "function",
                        "function": {"name": "f", "parameters": CLOSED, "strict": True},
                    }
                ],
                "tool_choice": {"type": "function", "function": {"name": "f"}},
            },
        ),
        (
            {
                "tools": [
                    {
                        "type": "custom",
                        "name": "c",
                        "format": {"type": "grammar", "syntax": "lark", "definition": "x"},
                    }
                ],
                "tool_choice": {
                    "type": "allowed_tools",
                    "mode": "auto",
                    "tools": [{"type": "custom", "name": "c"}],
                },
            },
            {
                "tools": [
                    {
                        "type": "custom",
                        "custom": {
                            "name": "c",
                            "format": {
                                "type": "grammar",
                                "grammar": {"syntax": "lark", "definition": "x"},
                            },
                        },
                    }
                ],
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {
                        "mode": "auto",
                        "tools": [{"type": "custom", "custom": {"name": "c"}}],
                    },
                },
            },
        ),
        (
            {
                "tools": [
                    {
                        "type": "web_search",
                        "search_context_size": "low",
                        "user_location": {"type": "approximate", "city": "Paris"},
                    }
                ]
            },
            {
                "web_search_options": {
                    "search_context_size": "low",
                    "user_location": {"type": "approximate", "approximate": {"city": "Paris"}},
                }
            },
        ),
        ({"parallel_tool_calls": False, "tool_choice": "auto"}, {}),  # without tools
    ],
)
def test_a_parameter_has_its_canonical_form(
    given: dict[str, Any], expected: dict[str, Any]
) -> None:
    body, lost = translated([HELLO], **given)

    assert {name: body[name] for name in body if name not in ("model", "messages")} == expected
    assert lost == []


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"input": 5}, "input"),
        ({}, "input"),
        ({"input": ["a"]}, "input[0]"),
        ({"input": [{"role": "critic", "content": "a"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": None}]}, "input[0].content"),
        (
            {"input": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]},
            "input[0].content[0].type",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_text"}]}]},
            "input[0].content[0].text",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image"}]}]},
            "input[0].content[0]",
        ),
        (
            {
                "input": [
                    {
                        "role": "user",
                        "content": [{"type": "input_image", "image_url": "data:image/png,AAAA"}],
                    }
                ]
            },
            "input[0].content[0].image_url",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_data": "%"}]}]},
            "input[0].content[0].file_data",
        ),
        (
            {"input": [{"role": "assistant", "content": [{"type": "input_image"}]}]},
            "input[0].content[0].type",
        ),
        ({"input": [HELLO, OUTPUT]}, "input[1].call_id"),
        ({"input": [{**CALL, "arguments": {}}]}, "input[0].arguments"),
        ({"input": [{**CALL, "call_id": None}]}, "input[0].call_id"),
        ({"input": [HELLO, CALL, {**OUTPUT, "output": 5}]}, "input[2].output"),
        ({"input": [{**THOUGHT, "summary": "a"}]}, "input[0].summary"),
        ({"input": "a", "instructions": 5}, "instructions"),
        ({"input": "a", "tools": {}}, "tools"),
        ({"input": "a", "tools": [{"type": "function"}]}, "tools[0].name"),
        ({"input": "a", "tools": [{**FUNCTION, "strict": 1}]}, "tools[0].strict"),
        ({"input": "a", "tools": [FUNCTION], "tool_choice": "any"}, "tool_choice"),
        ({"input": "a", "include": "all"}, "include"),
        ({"input": "a", "text": {"format": {"type": "json_schema"}}}, "text.format"),
        ({"input": "a", "reasoning": "low"}, "reasoning"),
        ({"input": "a", "max_output_tokens": "9"}, "max_output_tokens"),
        ({"input": "a", "zz": float("nan")}, "zz"),
    ],
)
def test_a_malformed_request_is_refused_with_its_path(request_: dict[str, Any], field: str) -> None:
    with pytest.raises(MessageFormatError) as caught:
        specado.translate(
            {"model": "gpt-5.4", **request_}, "openai_chat/gpt-4o", source="openai_responses"
        )

    assert caught.value.field == field
    assert field in str(caught.value)


def test_a_request_names_its_model() -> None:
    with pytest.raises(ConfigurationError, match="model"):
        specado.translate({"input": "a"}, "openai_chat/gpt-4o", source="openai_responses")


def test_later_changes_of_the_request_do_not_reach_what_was_read() -> None:
    from specado.dialects.registry import DIALECTS

    request = {"model": "m", "input": [HELLO], "metadata": {"a": "b"}, "tools": [dict(FUNCTION)]}
    read = DIALECTS["openai_responses"].decode_request(request)
    request["metadata"]["a"] = "c"  # type: ignore[index]

    assert read.parameters["metadata"] == {"a": "b"}


# Another model of the API

MODELS = {
    "name": "own",
    "base_url": "https://own.example",
    "dialect": "openai_responses",
    "models": {
        "m": {
            "capabilities": {
                "constraints": {"tokens": {"max_output_tokens": 100}},
                "modalities": {"input": ["Text"], "output": ["Text"]},
            },
            "traits": {
                "sampling": False,
                "reasoning_efforts": ["low"],
                "strict_tools": False,
                "structured_output": False,
            },
        }
    },
}


def test_a_request_is_adapted_to_another_model() -> None:
    specado.register_manifest(MODELS)
    request = {
        "model": "gpt-5.4",
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "a"},
                    {"type": "input_image", "image_url": "https://a.example/b.png"},
                ],
            },
            THOUGHT,
            SAID,
        ],
        "temperature": 0.5,
        "max_output_tokens": 1000,
        "reasoning": {"effort": "high", "summary": "auto"},
        "text": {"format": {"type": "json_schema", "name": "a", "schema": CLOSED}},
        "tools": [{**FUNCTION, "strict": True}],
        "previous_response_id": "resp_1",
    }

    made = specado.translate(request, "own/m", source="openai_responses")

    assert json.loads(made.body) == {
        "model": "m",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "a"}]},
            {name: value for name, value in SAID.items() if name != "id"},
        ],
        "max_output_tokens": 100,
        "reasoning": {"effort": "low", "summary": "auto"},
        "tools": [{**FUNCTION, "strict": False}],
        "previous_response_id": "resp_1",
    }
    assert sorted((loss.code, loss.path) for loss in made.report.items) == [
        ("Clamp", "max_output_tokens"),
        ("Clamp", "reasoning.effort"),
        ("Drop", "input[1]"),
        ("Drop", "temperature"),
        ("Drop", "tools[0].strict"),
        ("Unsupported", "input[0].content[1]"),
        ("Unsupported", "text.format"),
    ]


def test_a_model_that_nothing_is_known_of_gets_the_request_unchanged() -> None:
    request = {"model": "gpt-5.4", "input": [HELLO], "temperature": 0.5, "zz": {"a": 1}}

    made = specado.translate(request, "openai_responses/gpt-99", source="openai_responses")

    assert json.loads(made.body) == {**request, "model": "gpt-99"}
    assert made.report.items == []


# Names of dialects


def test_a_reply_and_an_error_are_read_by_the_name_of_the_dialect() -> None:
    body = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "m",
        "status": "completed",
        "output": [SAID],
    }

    found = specado.parse_response(body, "openai_responses")
    error = specado.parse_error(
        400, {}, {"error": {"message": "no", "code": "model_not_found"}}, "openai_responses"
    )

    assert (found.choices[0].message.content, found.extensions.provider_used) == ("Hi", "openai")
    assert type(error) is specado.ModelNotFoundError


def test_a_name_that_is_neither_a_provider_nor_a_dialect_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'openai_response' is not a provider"):
        specado.translate({"model": "m", "input": "a"}, "openai", source="openai_response")


def test_a_model_that_does_not_reason_is_asked_for_no_reasoning() -> None:
    request = {
        "model": "gpt-5.4",
        "input": [HELLO],
        "include": ["reasoning.encrypted_content", "file_search_call.results"],
        "reasoning": {"effort": "none", "context": "all_turns", "mode": "standard"},
    }

    made = specado.translate(request, "openai_responses/gpt-4o", source="openai_responses")

    assert json.loads(made.body) == {
        "model": "gpt-4o",
        "input": [HELLO],
        "include": ["file_search_call.results"],
    }
    assert [loss.path for loss in made.report.items] == [
        "reasoning.effort",
        "reasoning.context",
        "reasoning.mode",
        "include[0]",
    ]


def test_a_model_without_json_mode_and_probabilities_gets_neither() -> None:
    traits = {"logprobs": False, "parallel_tool_calls": False}
    capabilities = {"features": {"function_calling": False, "json_mode": False}}
    specado.register_manifest(
        {**MODELS, "models": {"m": {"traits": traits, "capabilities": capabilities}}}
    )
    request = {
        "model": "gpt-5.4",
        "input": [HELLO],
        "text": {"format": {"type": "json_object"}},
        "include": ["message.output_text.logprobs"],
        "top_logprobs": 2,
        "tools": [FUNCTION],
        "tool_choice": "required",
        "parallel_tool_calls": True,
    }

    made = specado.translate(request, "own/m", source="openai_responses")

    assert json.loads(made.body) == {"model": "m", "input": [HELLO]}
    assert [loss.path for loss in made.report.items] == [
        "include[0]",
        "top_logprobs",
        "tools",
        "text.format",
    ]
