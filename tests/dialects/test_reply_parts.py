"""Replies whose arguments are empty, or whose content is not text: whole and streamed alike."""

from __future__ import annotations

import json

import pytest

import specado
from specado._core import AnthropicStream, OpenAIStream

USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
SIZES = {"max_frame_bytes": 99999, "max_reply_bytes": 99999}


def whole(message, **choice):
    message = {"role": "assistant", "content": None, **message}
    body = {
        "id": "c",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", **choice}],
        "usage": USAGE,
    }
    reply = specado.parse_response(body, "openai")
    return reply.choices[0].message, reply.extensions.metadata.get("reply_notes", [])


def stream_of(*deltas, reason="stop", **options):
    """Return the chunks of a stream, the message that they add up to, and its notes."""
    stream = OpenAIStream("local", "m", 1, **SIZES, **options)
    chunks = []
    ends = [None] * len(deltas[:-1]) + [reason]
    for delta, finish in zip(deltas, ends):
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        data = {"id": "c", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}
        chunks += stream.feed(b"data: " + json.dumps(data).encode() + b"\n\n")
    stream.feed(b"data: [DONE]\n\n")
    reply, notes = stream.response()
    return chunks, reply.choices[0].message, notes


def call(arguments, *, id_="c1"):
    return {"id": id_, "type": "function", "function": {"name": "f", "arguments": arguments}}


EMPTY = ["", " ", "\n\t ", "\u00a0"]


@pytest.mark.parametrize("text", EMPTY)
def test_empty_arguments_of_a_reply_are_an_empty_object(text):
    message, notes = whole({"tool_calls": [call('{"a":1}'), call(text, id_="c2")]})

    assert [each.function.arguments for each in message.tool_calls] == ['{"a":1}', "{}"]
    assert notes == [
        "choices[0].message.tool_calls[1].function.arguments: empty, read as {}",
    ]


def test_the_input_of_a_custom_call_may_be_empty():
    custom = {"id": "c1", "type": "custom", "custom": {"name": "f", "input": ""}}
    message, notes = whole({"tool_calls": [custom]})

    assert message.tool_calls[0].custom == {"name": "f", "input": ""}
    assert notes == []


@pytest.mark.parametrize("text", EMPTY)
def test_empty_arguments_of_a_stream_are_an_empty_object(text):
    given = [{**call(""), "index": 0}, {**call(text, id_="c2"), "index": 1}]
    more = {"index": 0, "function": {"arguments": '{"a":1}'}}
    chunks, message, notes = stream_of({"tool_calls": given}, {"tool_calls": [more]}, {})

    assert [each.function.arguments for each in message.tool_calls] == ['{"a":1}', "{}"]
    assert notes == ["tool_calls[1].function.arguments: empty, read as {}"]
    pieces = ["", ""]
    for chunk in chunks:
        for piece in chunk.choices[0].delta.tool_calls or ():
            pieces[piece.index] += piece.function.arguments or ""
    assert [json.loads(piece.strip()) for piece in pieces] == [{"a": 1}, {}]


def test_a_stream_whose_call_has_no_arguments_at_all_sends_an_empty_object():
    given = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f"}}
    chunks, message, notes = stream_of({"tool_calls": [given]}, {}, reason="tool_calls")

    assert chunks[-1].choices[0].delta.tool_calls[0].function.arguments == "{}"
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    assert message.tool_calls[0].function.arguments == "{}"
    assert notes == ["tool_calls[0].function.arguments: missing, read as {}"]


@pytest.mark.parametrize(
    ("given", "noted"),
    [
        ("", ["content[0].input: empty, read as {}"]),
        (" \n", ["content[0].input: empty, read as {}"]),
        (None, ["content[0].input: null, read as {}"]),
        ([], ["content[0].input: empty, read as {}"]),
        ({}, []),
    ],
)
def test_an_empty_input_of_anthropics_is_an_empty_object(given, noted):
    use = {"type": "tool_use", "id": "t", "name": "f", "input": given}
    usage = {"input_tokens": 1, "output_tokens": 1}
    begun = {"id": "m", "type": "message", "role": "assistant", "model": "m", "usage": usage}
    reply = specado.parse_response(
        {**begun, "content": [use], "stop_reason": "tool_use"}, "anthropic"
    )
    stream = AnthropicStream("anthropic", "m", 1, **SIZES)
    blank = {"type": "input_json_delta", "partial_json": " "}
    events = [
        {"type": "message_start", "message": {**begun, "content": []}},
        {"type": "content_block_start", "index": 0, "content_block": use},
        {"type": "content_block_delta", "index": 0, "delta": blank},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
        {"type": "message_stop"},
    ]
    pieces = ""
    for event in events:
        for chunk in stream.feed(f"data: {json.dumps(event)}\n\n".encode()):
            for piece in chunk.choices[0].delta.tool_calls or ():
                pieces += piece.function.arguments or ""

    assert reply.choices[0].message.tool_calls[0].function.arguments == "{}"
    assert reply.extensions.metadata.get("reply_notes", []) == noted
    streamed = stream.response()[0].choices[0].message.tool_calls[0]
    assert streamed.function.arguments == "{}"
    assert json.loads(pieces) == {}


@pytest.mark.parametrize("given", [[1], [{"a": 1}], 5, "a"])
def test_an_input_of_anthropics_that_is_no_object_is_kept_and_noted(given):
    use = {"type": "tool_use", "id": "t", "name": "f", "input": given}
    usage = {"input_tokens": 1, "output_tokens": 1}
    body = {"id": "m", "type": "message", "role": "assistant", "model": "m", "usage": usage}

    reply = specado.parse_response(
        {**body, "content": [use], "stop_reason": "tool_use"}, "anthropic"
    )

    call = reply.choices[0].message.tool_calls[0]
    assert json.loads(call.function.arguments) == given
    assert reply.extensions.metadata["reply_notes"] == [
        "content[0].input: not an object, kept as JSON text"
    ]


TEXT = {"type": "text", "text": "Hi"}
PARTS = [
    (  # Magistral
        [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, TEXT],
        "Hi",
        "hm",
    ),
    (
        [
            {
                "type": "thinking",
                "thinking": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
                "closed": True,
            }
        ],
        None,
        "ab",
    ),
    ([{"type": "thinking", "thinking": "hm"}, TEXT, TEXT], "HiHi", "hm"),
    (  # Databricks
        [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}, TEXT],
        "Hi",
        "hm",
    ),
    ([{"type": "reasoning", "text": "hm"}, TEXT], "Hi", "hm"),
    ([{"type": "reasoning", "reasoning": "hm"}, TEXT], "Hi", "hm"),
    (
        [{"type": "reasoning", "summary": [], "content": [{"type": "text", "text": "hm"}]}],
        None,
        "hm",
    ),
    ([{"type": "thinking", "thinking": 5}, TEXT], "Hi", None),
    ([TEXT], "Hi", None),
]


@pytest.mark.parametrize(("content", "text", "reasoning"), PARTS)
def test_parts_of_a_content_that_are_reasoning_are_reasoning(content, text, reasoning):
    message, notes = whole({"content": content})
    chunks, streamed, noted = stream_of({"role": "assistant"}, {"content": content}, {})

    assert (message.content, message.reasoning) == (text, reasoning)
    assert (streamed.content, streamed.reasoning) == (text, reasoning)
    assert notes == ["choices[0].message.content: a list of parts, its text joined"]
    assert noted == ["choices[0].delta.content: a list of parts, its text joined"]
    delta = chunks[1].choices[0].delta
    assert (delta.content, delta.reasoning) == (text, reasoning)


def test_reasoning_that_has_its_own_member_is_kept():
    message, _ = whole({"content": PARTS[0][0], "reasoning": "said"})

    assert (message.content, message.reasoning) == ("Hi", "said")


def test_reasoning_in_parts_of_a_stream_is_joined():
    parts = [[{"type": "thinking", "thinking": [{"type": "text", "text": each}]}] for each in "ab"]
    _, message, _ = stream_of(*[{"content": part} for part in parts], {"content": "Hi"}, {})

    assert (message.content, message.reasoning) == ("Hi", "ab")


@pytest.mark.parametrize(
    ("content", "text"),
    [({"a": [1, "é"]}, '{"a":[1,"é"]}'), ({}, "{}")],
)
def test_a_content_that_is_an_object_is_its_json_text(content, text):
    message, notes = whole({"content": content})
    _, streamed, noted = stream_of({"content": content}, {})

    assert message.content == streamed.content == text
    said = "content: an object where text is documented, written as JSON text"
    assert notes == [f"choices[0].message.{said}"]
    assert noted == [f"choices[0].delta.{said}"]


def test_arguments_that_are_null_are_an_empty_object():
    message, notes = whole({"tool_calls": [call("null")]}, finish_reason="tool_calls")
    _, streamed, stream_notes = stream_of({"tool_calls": [{"index": 0, **call("null")}]}, {})

    assert message.tool_calls[0].function.arguments == "{}"
    assert streamed.tool_calls[0].function.arguments == "{}"
    assert "choices[0].message.tool_calls[0].function.arguments: null, read as {}" in notes
    assert "tool_calls[0].function.arguments: null, read as {}" in stream_notes


@pytest.mark.parametrize("to", ["openai/gpt-5.4", "anthropic/claude-opus-4-8"])
def test_arguments_of_a_history_that_are_null_are_an_empty_object(to):
    result = {"role": "tool", "tool_call_id": "c1", "content": "r"}
    called = {"role": "assistant", "content": None, "tool_calls": [call("null")]}
    messages = [{"role": "user", "content": "u"}, called, result]

    found = specado.translate({"model": "gpt-5.4", "messages": messages}, to)

    answer = json.loads(found.body)["messages"][1]
    if to.startswith("openai"):
        assert answer["tool_calls"][0]["function"]["arguments"] == "{}"
    else:
        assert answer["content"][0]["input"] == {}
    assert "messages[1].tool_calls[0].function.arguments" in [i.path for i in found.report.items]
