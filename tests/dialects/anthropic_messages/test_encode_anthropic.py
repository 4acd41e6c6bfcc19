"""The Anthropic dialect's requests, held against the twin, the package's types, and in bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anthropic_core import encode_anthropic_request
from conversations import MESSAGES, PARAMS
from example_inputs import USER
from official import problems
from reference_anthropic import anthropic_body
from reference_core import plain_blocks
from specado._core import normalize
from specado.catalog import lookup as catalog
from specado.errors import MessageFormatError
from specado.losses.rows import ROWS

MODELS = (
    "claude-3-haiku",
    "claude-haiku-4-5",
    "claude-opus-4-6",
    "claude-opus-5",
    "claude-opus-5-5",
)
FACTS = [None, *(catalog.find_model("anthropic", model) for model in MODELS)]
CACHE = {"type": "ephemeral"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def encoded(
    messages: Any, parameters: Any = None, model: str | None = None
) -> tuple[Any, list[Any]]:
    facts = None if model is None else catalog.find_model("anthropic", model)
    body, losses = encode_anthropic_request(normalize(messages), "m", parameters or {}, facts)[:2]
    return json.loads(body), [(row, path) for row, path, _, _ in losses]


@pytest.mark.no_cover
@given(MESSAGES, PARAMS, st.sampled_from(FACTS))
def test_core_and_twin_agree(messages: Any, parameters: Any, facts: Any) -> None:
    expected, losses = anthropic_body(messages, "m", parameters, facts)

    found, reported = encode_anthropic_request(normalize(messages), "m", parameters, facts)[:2]

    assert plain_blocks(json.loads(found)) == plain_blocks(expected)
    assert sorted((row, path) for row, path, _, _ in reported) == sorted(losses)
    assert {row for row, _ in losses} <= set(ROWS)


@pytest.mark.no_cover
@given(MESSAGES, PARAMS, st.sampled_from(FACTS))
def test_bodies_are_what_the_package_types_say(messages: Any, parameters: Any, facts: Any) -> None:
    body = json.loads(encode_anthropic_request(normalize(messages), "m", parameters, facts)[0])
    # 0.125.0 has the role for the beta API only.
    body["messages"] = [turn for turn in body["messages"] if turn["role"] != "system"]

    assert problems("anthropic-request", json.dumps(body)) == []


def test_arguments_are_inserted_as_the_same_text() -> None:
    arguments = '{"b":1,  "a": 123456789012345678901234567890, "b": 2 }'
    call = {**CALL, "function": {"name": "f", "arguments": f" {arguments}\n"}}
    asked = {"role": "assistant", "content": None, "tool_calls": [call]}

    body = encode_anthropic_request(normalize([USER, asked]), "m", {}, None)[0]

    assert b'"input":' + arguments.encode() + b"}" in body


def test_a_number_past_any_floats_range_travels_as_it_stands() -> None:
    call = {**CALL, "function": {"name": "f", "arguments": '{"a":1e400}'}}

    body = encode_anthropic_request(
        normalize([USER, {"role": "assistant", "content": None, "tool_calls": [call]}]),
        "m", {}, None,
    )[0]  # fmt: skip

    assert b'"input":{"a":1e400}' in body


@pytest.mark.parametrize(
    "arguments",
    [
        '{"a":1e400,"b":NaN}',
        '{"a":1e400',
        "x",
        "[1]",
        "1",
        "{",
        '{"a":}',
        "{}{}",
        '{"a":NaN}',
        '{"a":' * 100_000,
    ],
)
def test_arguments_that_are_no_json_object_are_refused_by_call(arguments: str) -> None:
    call = {**CALL, "function": {"name": "f", "arguments": arguments}}

    with pytest.raises(MessageFormatError, match="the arguments of call 'c1'") as caught:
        encoded([USER, {"role": "assistant", "content": None, "tool_calls": [CALL, call]}])

    assert caught.value.index == 1
    assert caught.value.field == "tool_calls[1].function.arguments"


def test_merged_assistant_messages_at_the_end_lose_trailing_space() -> None:
    answers = [{"role": "assistant", "content": text} for text in ("a", "b ")]

    body, losses = encoded([USER, *answers])

    assert body["messages"][1]["content"] == [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b"},
    ]
    assert ("assistant.trailing_space", "messages[2].content") in losses


@pytest.mark.parametrize("content", ["a", [{"type": "text", "text": "a"}]])
@pytest.mark.parametrize("after", [[], [{"role": "user", "content": " "}]])
def test_an_assistant_message_at_the_end_is_reported_where_it_is_refused(
    content: Any, after: Any
) -> None:
    messages = [USER, {"role": "assistant", "content": content}, *after]

    assert ("assistant.last", "messages[1]") in encoded(messages, None, "claude-opus-5")[1]
    assert "assistant.last" not in [row for row, _ in encoded(messages)[1]]


def test_a_refusal_beside_empty_text_stays_the_assistants() -> None:
    refusal = {"role": "assistant", "content": "", "refusal": "No."}

    body, _ = encoded([USER, refusal, USER])

    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][1]["content"] == [{"type": "text", "text": "No."}]


@pytest.mark.parametrize(
    ("message", "last"),
    [
        ({"role": "user", "content": "Hello"}, {"type": "text", "text": "Hello"}),
        (
            {"role": "user", "content": [{"type": "text", "text": t} for t in ("a", "b", "")]},
            {"type": "text", "text": "b"},
        ),
        (
            {"role": "assistant", "content": "x", "tool_calls": [CALL]},
            {"type": "tool_use", "id": "c1", "name": "f", "input": {}},
        ),
    ],
)
def test_a_messages_own_cache_control_goes_on_its_last_block(message: Any, last: Any) -> None:
    body, losses = encoded([USER, {**message, "cache_control": CACHE}])

    assert body["messages"][-1]["content"][-1] == {**last, "cache_control": CACHE}
    assert "message.unknown_key" not in [row for row, _ in losses]


def test_a_thinking_block_takes_no_cache_control() -> None:
    block = {"type": "thinking", "text": "hm", "signature": "s", "model": "m"}
    message = {"role": "assistant", "content": "", "reasoning_details": [block]}

    body, losses = encoded([USER, {**message, "cache_control": CACHE}, USER])

    assert body["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "s"}
    ]
    assert ("cache_control.blank", "messages[1].cache_control") in losses


def test_the_cache_control_of_a_system_message_is_kept() -> None:
    body, _ = encoded([{"role": "system", "content": "s", "cache_control": CACHE}, USER])

    assert body["system"] == [{"type": "text", "text": "s", "cache_control": CACHE}]


def test_blank_system_text_is_left_out() -> None:
    body, losses = encoded([{"role": "system", "content": " "}, USER])

    assert "system" not in body
    assert ("text.blank", "messages[0].content") in losses


def test_keys_that_only_say_none_lose_nothing() -> None:
    dumped = {"role": "assistant", "content": "a", "annotations": [], "audio": None, "zz": None}

    _, losses = encoded([USER, {**dumped, "function_call": None, "refusal": None}, USER])

    assert losses == [("max_tokens.default", "max_tokens")]


def test_unknown_keys_are_reported_at_every_level() -> None:
    call = {**CALL, "zz": 1, "function": {"name": "f", "arguments": "{}", "zz": 2}}
    tool = {"type": "function", "zz": 1, "function": {"name": "f", "zz": 2}}

    _, losses = encoded(
        [USER, {"role": "assistant", "content": None, "tool_calls": [call], "zz": 3}],
        {"tools": [tool], "zz": 4},
    )

    assert set(losses) >= {
        ("part.unknown_key", "messages[1].tool_calls[0].zz"),
        ("part.unknown_key", "messages[1].tool_calls[0].function.zz"),
        ("message.unknown_key", "messages[1].zz"),
        ("param.unknown", "tools[0].zz"),
        ("param.unknown", "tools[0].function.zz"),
        ("param.unknown", "zz"),
    }


def test_no_tools_are_written_where_none_can_be() -> None:
    custom = {"type": "custom", "custom": {"name": "c"}}

    body, losses = encoded([USER], {"tools": [custom], "tool_choice": "required"})

    assert set(body) == {"model", "messages", "max_tokens"}
    assert losses[1:] == [("tool.custom", "tools[0]"), ("tool_choice.without_tools", "tool_choice")]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"function": {"name": 5}}]}, "tools[0].function"),
        (
            {"tools": [{"function": {"name": "f"}}], "tool_choice": {"function": {}}},
            "tool_choice.function.name",
        ),
        (
            {"response_format": {"type": "json_schema"}},
            "response_format.json_schema",
        ),
    ],
)
def test_malformed_parameters_are_refused(parameters: Any, field: str) -> None:
    with pytest.raises(MessageFormatError) as caught:
        encoded([USER], parameters)

    assert caught.value.field == field


def test_the_same_leading_messages_give_the_same_leading_bytes() -> None:
    turns = [{"role": "system", "content": "s"}]
    turns += [{"role": r, "content": f"{i}"} for i, r in enumerate(["user", "assistant"] * 3)]
    shorter, longer = (
        encode_anthropic_request(normalize(turns[:count]), "m", {"temperature": 1}, None)[0]
        for count in (4, 6)
    )

    assert longer.startswith(shorter[: shorter.index(b"]")])


def test_a_limit_of_any_size_is_written() -> None:
    assert encoded([USER], {"max_tokens": 10**30})[0]["max_tokens"] == 10**30


def test_results_come_first_and_in_order() -> None:
    calls = [{**CALL, "id": name} for name in ("a", "b")]
    results = [
        {"role": "tool", "tool_call_id": name, "content": f"result {name}"} for name in ("a", "b")
    ]

    body, losses = encoded(
        [USER, {"role": "assistant", "content": None, "tool_calls": calls}, *results, USER]
    )

    assert body["messages"][2] == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "a", "content": "result a"},
            {"type": "tool_result", "tool_use_id": "b", "content": "result b"},
            {"type": "text", "text": "Hello"},
        ],
    }
    assert body["tools"] == [{"name": "f", "input_schema": {"type": "object"}}]
    assert body["tool_choice"] == {"type": "none"}
    assert losses == [
        ("max_tokens.default", "max_tokens"),
        ("turns.merged", "messages[4].role"),
        ("tools.called", "tools"),
    ]


THOUGHT = {"type": "thinking", "text": "hm", "signature": "s", "model": "m"}
ASKED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "r"}
SAID = {"role": "assistant", "content": "a"}


@pytest.mark.parametrize(
    ("messages", "thinks"),
    [
        ([USER], True),
        ([USER, SAID, USER], True),
        ([USER, ASKED, RESULT, SAID, USER], True),
        ([USER, SAID], False),
        ([USER, {**SAID, "reasoning_details": [THOUGHT]}], True),
        ([USER, ASKED, RESULT], False),
        ([USER, ASKED, RESULT, USER], False),
        ([USER, ASKED, RESULT, {"role": "assistant", "content": " "}], False),
        ([USER, {**ASKED, "reasoning_details": [THOUGHT]}, RESULT], True),
        ([USER, {**ASKED, "reasoning_details": [{**THOUGHT, "model": "x"}]}, RESULT], False),
        # Without interleaved thinking only the first call of an answer follows thinking.
        ([USER, {**ASKED, "reasoning_details": [THOUGHT]}, RESULT, ASKED, RESULT], True),
        ([USER, {**SAID, "reasoning_details": [THOUGHT]}, USER, ASKED, RESULT], False),
    ],
)
def test_an_answer_goes_on_with_thinking_only_if_it_began_so(messages: Any, thinks: bool) -> None:
    parameters = {"reasoning_effort": "high", "max_tokens": 8000}

    body, losses = encoded(messages, parameters, "claude-opus-4-5")

    assert ("thinking" in body) == thinks
    assert (("reasoning_effort.history", "reasoning_effort") in losses) != thinks


def test_the_encoder_names_the_forced_tool_whose_input_is_the_answer():
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    parameters = {"response_format": wanted}
    tools = [{"type": "function", "function": {"name": "f"}}]

    emulated = encode_anthropic_request(normalize([USER]), "m", parameters, None)
    refused = encode_anthropic_request(normalize([USER]), "m", {**parameters, "tools": tools}, None)

    assert emulated[2] == "structured_output"
    assert json.loads(emulated[0])["tool_choice"] == {"type": "tool", "name": "structured_output"}
    assert refused[2] is None
