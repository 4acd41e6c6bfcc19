"""Ids of tool calls that the other provider would refuse."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

import specado
from example_inputs import USER
from specado._core import AnthropicStream
from specado.simulator import handle

FUNCTION = {"name": "f", "arguments": "{}"}
TOOLS = [{"type": "function", "function": {"name": "f"}}]


def history(*ids: str) -> list[dict[str, Any]]:
    calls = [{"id": made, "type": "function", "function": FUNCTION} for made in ids]
    results = [{"role": "tool", "tool_call_id": made, "content": made} for made in ids]
    return [USER, {"role": "assistant", "content": None, "tool_calls": calls}, *results]


def anthropic_ids(*ids: str) -> tuple[list[str], list[str], specado.Translation]:
    request = {"model": "gpt-4.1", "messages": history(*ids), "tools": TOOLS}
    sent = specado.translate(request, "anthropic/claude-opus-4-5")
    turns = json.loads(sent.body)["messages"]
    calls = [block["id"] for block in turns[1]["content"]]
    return calls, [block["tool_use_id"] for block in turns[2]["content"]], sent


@pytest.mark.parametrize("given", ["functions.f:0", "a b", "é", "", "a\nb", "x" * 100 + "."])
def test_an_id_with_other_characters_is_renamed_on_call_and_result(given: str) -> None:
    calls, results, sent = anthropic_ids(given)

    reply = handle("POST", "/v1/messages", {"anthropic-version": "2023-06-01"}, sent.body)
    assert calls == results != [given]
    assert reply.status == 200, reply.body
    renames = {(item.path, item.before, item.after) for item in sent.report.items}
    assert renames >= {
        ("messages[1].tool_calls[0].id", given, calls[0]),
        ("messages[2].tool_call_id", given, calls[0]),
    }


def test_ids_stay_distinct_and_are_the_same_in_every_request() -> None:
    calls, results, _ = anthropic_ids("functions.f:0", "functions_f_0", "functions f:0")

    assert calls == results
    assert calls == [
        "functions_f_0-d6bdd4de328a22ed",
        "functions_f_0",
        "functions_f_0-782f198ecd351ec3",
    ]


def test_an_id_that_is_taken_stays() -> None:
    calls, results, sent = anthropic_ids("call_" + "a" * 80)

    assert calls == results == ["call_" + "a" * 80]
    assert "tool_call.id" not in str(sent.report)


def test_an_id_too_long_for_openai_is_shortened() -> None:
    given = "toolu_" + "a" * 60
    use = {"type": "tool_use", "id": given, "name": "f", "input": {}}
    answer = {"type": "tool_result", "tool_use_id": given, "content": "r"}
    request = {
        "model": "claude-opus-4-5",
        "max_tokens": 9,
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "messages": [
            USER,
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [answer]},
        ],
    }

    sent = specado.translate(request, "openai/gpt-4.1", source="anthropic")

    turns = json.loads(sent.body)["messages"]
    assert len(turns[1]["tool_calls"][0]["id"]) == 40
    assert turns[1]["tool_calls"][0]["id"] == turns[2]["tool_call_id"]
    assert handle("POST", "/v1/chat/completions", {}, sent.body).status == 200
    assert [item.path for item in sent.report.items if item.before == given] == [
        "messages[1].content[0]",
        "messages[2].content[0]",
    ]


# Repeated ids: renamed on call and result alike.


def rounds(*ids: str) -> list[dict[str, Any]]:
    """Return a conversation with one call and its result for each id."""
    return [USER, *(message for made in ids for message in history(made)[1:])]


def ids_sent(to: str, messages: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """Return the ids of calls and of results in the body for a provider, which takes it."""
    request = {"model": "gpt-4.1", "messages": messages, "tools": TOOLS}
    sent = specado.translate(request, to)
    path = sent.url.partition(".com")[2]
    reply = handle("POST", path, {"anthropic-version": "2023-06-01"}, sent.body)
    assert reply.status == 200, reply.body
    turns = json.loads(sent.body)["messages"]
    if to.startswith("openai"):
        calls = [call["id"] for turn in turns for call in turn.get("tool_calls") or ()]
        return calls, [turn["tool_call_id"] for turn in turns if turn["role"] == "tool"]
    blocks = [block for turn in turns if isinstance(turn["content"], list) for block in
              turn["content"]]  # fmt: skip
    return (
        [block["id"] for block in blocks if block["type"] == "tool_use"],
        [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"],
    )


BOTH = ["openai/gpt-4.1", "anthropic/claude-opus-4-5"]


@pytest.mark.parametrize("to", BOTH)
@pytest.mark.parametrize(
    "messages",
    [
        rounds("call_0", "call_0"),
        rounds("call_0", "call_0", "call_1", "call_0"),
        rounds("a.b", "a.b"),
        rounds("x" * 60, "x" * 60),
        history("call_0", "call_0"),
        rounds("call_0", "call_0", "call_0_1-afa71b0f3e679144"),
    ],
)
def test_repeated_ids_become_distinct_on_call_and_result(to: str, messages: Any) -> None:
    calls, results = ids_sent(to, messages)

    assert calls == results
    assert len(set(calls)) == len(calls)


@pytest.mark.parametrize("to", BOTH)
def test_a_repeated_id_is_noted_where_it_stands(to: str) -> None:
    request = {"model": "gpt-4.1", "messages": rounds("call_0", "call_0"), "tools": TOOLS}

    items = [item for item in specado.translate(request, to).report.items if item.before]

    assert [(item.severity, item.path, item.before) for item in items] == [
        ("None", "messages[3].tool_calls[0].id", "call_0"),
        ("None", "messages[4].tool_call_id", "call_0"),
    ]
    assert items[0].after == items[1].after == "call_0_1-afa71b0f3e679144"


@pytest.mark.parametrize("to", BOTH)
def test_new_ids_depend_on_what_came_before_only(to: str) -> None:
    ids = ["call_0", "call_0", "call_1", "call_0"]

    for count in range(1, len(ids)):
        assert ids_sent(to, rounds(*ids[:count]))[0] == ids_sent(to, rounds(*ids))[0][:count]


def test_ids_that_a_server_leaves_out_are_distinct_over_replies() -> None:
    function = {"name": "f", "arguments": "{}"}
    message = {"role": "assistant", "content": None, "tool_calls": [{"function": function}] * 2}
    body = json.dumps({"choices": [{"index": 0, "message": message}]})

    replies = [specado.parse_response(body, "openai") for _ in range(2)]

    made = [call.id for reply in replies for call in reply.choices[0].message.tool_calls or ()]
    assert len(set(made)) == len(made) == 4
    assert all(each.startswith("call_") for each in made)


WITHOUT_ID: list[dict[str, Any]] = [{}, {"id": ""}, {"id": None}, {"id": 7}, {"id": {"a": 1}}]


def anthropic_answer(*blocks: dict[str, Any]) -> dict[str, Any]:
    facts = {"id": "m", "type": "message", "role": "assistant", "model": "claude-opus-4-8"}
    usage = {"input_tokens": 1, "output_tokens": 1}
    return {**facts, "content": list(blocks), "stop_reason": "tool_use", "usage": usage}


def read_whole(*blocks: dict[str, Any]) -> tuple[Any, list[str]]:
    body = json.dumps(anthropic_answer(*blocks))
    reply = specado.parse_response(body, "anthropic")
    return reply.choices[0].message, reply.extensions.metadata.get("reply_notes", [])


def read_streamed(*blocks: dict[str, Any]) -> tuple[Any, list[str]]:
    stream = AnthropicStream("anthropic", "m", 1, max_frame_bytes=9999, max_reply_bytes=9999)
    events: list[dict[str, Any]] = [{"type": "message_start", "message": anthropic_answer()}]
    for index, block in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": "tool_use"}})
    events.append({"type": "message_stop"})
    chunks = [chunk for event in events for chunk in stream.feed(sse(event))]
    reply, notes = stream.response()
    message = reply.choices[0].message
    sent = [call.id for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    assert [id_ for id_ in sent if id_] == [call.id for call in message.tool_calls or ()]
    return message, notes


def sse(event: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\n\n"


@pytest.mark.parametrize("read", [read_whole, read_streamed])
@pytest.mark.parametrize("given", WITHOUT_ID)
def test_a_tool_use_without_an_id_gets_a_unique_one(given: Any, read: Any) -> None:
    block = {"type": "tool_use", "name": "f", "input": {"x": 1.0}, **given}

    message, notes = read(block, {"type": "text", "text": "and"}, block)
    again, _ = read(block)

    ids = [call.id for call in message.tool_calls]
    assert len({*ids, again.tool_calls[0].id}) == 3
    assert all(re.fullmatch("call_[0-9a-f]{24}", id_) for id_ in ids)
    assert [call.function.arguments.replace(" ", "") for call in message.tool_calls] == [
        '{"x":1.0}'
    ] * 2
    for place, id_ in zip((0, 2), ids):
        assert f"content[{place}].id: missing, called {id_}" in notes
    assert message.native is not None
    kept = [json.loads(each.raw) for each in message.native.blocks]
    assert [each["id"] for each in kept if each["type"] == "tool_use"] == ids


@pytest.mark.parametrize("read", [read_whole, read_streamed])
def test_a_made_up_id_goes_back_with_its_result(read: Any) -> None:
    block = {"type": "tool_use", "name": "f", "input": {}}
    message, _ = read({"type": "thinking", "thinking": "a", "signature": "s"}, block)
    id_ = message.tool_calls[0].id
    stored = message.to_dict(native=True)
    result = {"role": "tool", "tool_call_id": id_, "content": "1"}

    for answer in (message, stored):
        request = {"model": "claude-opus-4-8", "messages": [USER, answer, result], "tools": TOOLS}
        sent = specado.translate(request, "anthropic/claude-opus-4-8")

        turns = json.loads(sent.body)["messages"]
        assert [each.get("id") for each in turns[1]["content"]][-1] == id_
        assert turns[2]["content"][0]["tool_use_id"] == id_
