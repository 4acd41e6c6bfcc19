"""Streams of Anthropic's dialect: as documented, and as servers like it send them."""

from __future__ import annotations

import json

import pytest

from specado._core import decode_anthropic_reply, error_facts, unwrap_emulated
from specado.errors import MalformedResponseError
from specado.types import (
    ChatCompletionChunk,
    ChoiceDelta,
    ChunkChoice,
    PromptTokensDetails,
    ReasoningBlock,
    Usage,
)
from stream_readers import calls, joined, named, read, reader

MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-1",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 1},
}
START = {"type": "message_start", "message": MESSAGE}
PING = {"type": "ping"}
END = {"type": "message_stop"}


def begin(index, **block):
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index, kind, **fields):
    return {
        "type": "content_block_delta",
        "index": index,
        "delta": {"type": f"{kind}_delta", **fields},
    }


def stop(index):
    return {"type": "content_block_stop", "index": index}


def message_delta(reason="end_turn", usage=None, **more):
    return {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None},
        "usage": {"output_tokens": 5} if usage is None else usage,
        **more,
    }


def text_block(index, *pieces):
    return [
        begin(index, type="text", text=""),
        *(delta(index, "text", text=piece) for piece in pieces),
        stop(index),
    ]


def tool_block(index, *pieces, key="t1", name="f", given=None):
    return [
        begin(index, type="tool_use", id=key, name=name, input=given or {}),
        *(delta(index, "input_json", partial_json=piece) for piece in pieces),
        stop(index),
    ]


HELLO = [START, PING, *text_block(0, "Hel", "lo"), message_delta(), END]


def message_of(stream):
    return stream.response()[0].choices[0].message


def test_a_documented_stream_gives_its_chunks_and_adds_up():
    stream, chunks = read("anthropic", named(*HELLO))

    assert chunks == [
        ChatCompletionChunk("msg_1", "claude-1", [ChunkChoice(0, given, reason)], 7)
        for given, reason in [
            (ChoiceDelta("", "assistant"), None),
            (ChoiceDelta("Hel"), None),
            (ChoiceDelta("lo"), None),
            (ChoiceDelta(), "stop"),
        ]
    ]
    assert (stream.is_over, stream.has_content, stream.is_refusal) == (True, True, False)
    assert stream.failure is None
    body = {**MESSAGE, "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn",
            "usage": {"input_tokens": 3, "output_tokens": 5}}  # fmt: skip
    expected, notes = decode_anthropic_reply(json.dumps(body).encode(), "anthropic", "asked-for", 7)
    expected.raw = b""
    assert stream.response() == (expected, notes)


def test_the_usage_chunk_is_delivered_only_if_asked_for():
    _, without = read("anthropic", named(*HELLO))
    _, chunks = read("anthropic", named(*HELLO), include_usage=True)

    assert chunks[:-1] == without
    assert chunks[-1] == ChatCompletionChunk("msg_1", "claude-1", [], 7, usage=Usage(3, 5, 8))


def test_usage_is_that_of_the_last_message_delta_where_it_has_any():
    later = {"output_tokens": 9, "input_tokens": 20, "cache_read_input_tokens": 2,
             "cache_creation_input_tokens": None}  # fmt: skip
    stream, chunks = read(
        "anthropic", named(START, *text_block(0, "a"), message_delta(None), message_delta(),
                           message_delta(usage=later), END),
    )  # fmt: skip

    assert stream.response()[0].usage == Usage(
        22, 9, 31, PromptTokensDetails(cached_tokens=2, cache_write_tokens=0)
    )
    assert [found.choices[0].finish_reason for found in chunks].count("stop") == 1


def test_tool_calls_are_counted_from_0_whatever_stands_before_them():
    data = named(
        START,
        *text_block(0, "Let me see."),
        *tool_block(1, "", '{"a":', " 1.0}"),
        *tool_block(2, key="t2", name="g"),
        *tool_block(3, key="t3", name="h", given={"b": [1]}),
        message_delta("tool_use"),
        END,
    )

    stream, chunks = read("anthropic", data)

    expected = {0: ["t1", "f", '{"a": 1.0}'], 1: ["t2", "g", "{}"], 2: ["t3", "h", '{"b": [1]}']}
    assert calls(chunks) == expected
    assert [
        [call.id, call.function.name, call.function.arguments]
        for call in message_of(stream).tool_calls
    ] == list(expected.values())
    assert message_of(stream).content == "Let me see."
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    first = next(chunk for chunk in chunks if chunk.choices[0].delta.tool_calls)
    assert first.to_dict()["choices"][0]["delta"] == {
        "tool_calls": [
            {"index": 0, "id": "t1", "type": "function",
             "function": {"name": "f", "arguments": ""}}
        ]
    }  # fmt: skip


def test_reasoning_streams_as_text_and_then_as_a_whole_block():
    data = named(
        START,
        begin(0, type="thinking", thinking="", signature=""),
        delta(0, "thinking", thinking="Hm"),
        delta(0, "thinking", thinking="m."),
        delta(0, "signature", signature="s1"),
        stop(0),
        begin(1, type="redacted_thinking", data="xyz"),
        stop(1),
        *text_block(2, "a"),
        message_delta(),
        END,
    )

    stream, chunks = read("anthropic", data)

    assert [chunk.choices[0].delta for chunk in chunks[1:5]] == [
        ChoiceDelta(reasoning="Hm"),
        ChoiceDelta(reasoning="m."),
        ChoiceDelta(reasoning_details=[ReasoningBlock("thinking", "Hmm.", "s1", None, "claude-1")]),
        ChoiceDelta(
            reasoning_details=[ReasoningBlock("redacted_thinking", None, None, "xyz", "claude-1")]
        ),
    ]
    message = message_of(stream)
    assert message.reasoning == "Hmm."
    assert [block.type for block in message.reasoning_details] == [
        "thinking",
        "redacted_thinking",
    ]


@pytest.mark.parametrize(
    "events",
    [
        [begin(0, type="text", text="a")],
        [begin(0, type="text", text=""), delta(0, "text", text="a")],
        [begin(0, type="thinking", thinking=""), delta(0, "thinking", thinking="a")],
        [begin(0, type="thinking", thinking=""), delta(0, "signature", signature="a")],
        [begin(0, type="redacted_thinking", data="a")],
        [begin(0, type="tool_use", id="a", name="f", input={})],
    ],
)
def test_the_first_content_is_told(events):
    stream = reader("anthropic")
    stream.feed(named(START, PING))
    before = stream.has_content
    stream.feed(named(*events))

    assert (before, stream.has_content, stream.is_refusal) == (False, True, False)


def test_empty_pieces_are_no_content_but_a_normal_end_is():
    stream = reader("anthropic")
    stream.feed(named(START, begin(0, type="text", text=""), delta(0, "text", text="")))
    before = stream.has_content
    stream.feed(named(stop(0), message_delta(), END))

    assert (before, stream.has_content, stream.is_refusal) == (False, True, False)
    assert message_of(stream).content == ""


def test_a_refusal_before_any_text_is_told():
    early, chunks = read("anthropic", named(START, message_delta("refusal"), END))
    late, _ = read("anthropic", named(START, *text_block(0, "a"), message_delta("refusal"), END))

    assert (early.is_refusal, late.is_refusal) == (True, False)
    assert chunks[-1].choices[0].finish_reason == "content_filter"


@pytest.mark.parametrize(
    ("reason", "finish", "note"),
    [
        ("max_tokens", "length", None),
        ("pause_turn", "stop", "stop_reason: pause_turn"),
        ("brand_new", "brand_new", "stop_reason: 'brand_new'"),
    ],
)
def test_stop_reasons_are_told_as_in_a_whole_reply(reason, finish, note):
    stream, chunks = read(
        "anthropic", named(START, *text_block(0, "a"), message_delta(reason), END)
    )

    assert chunks[-1].choices[0].finish_reason == finish
    assert stream.response()[0].choices[0].finish_reason == finish
    assert [found.startswith(note) for found in stream.response()[1]] == [True] * bool(note)


def test_what_has_no_place_in_a_chunk_is_noted_once():
    server = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    data = named(
        START,
        begin(0, type="text", text="", citations=None),
        delta(0, "text", text="a"),
        delta(0, "citations", citation={"type": "char_location"}),
        delta(0, "citations", citation={"type": "char_location"}),
        delta(0, "brand_new", x=1),
        delta(0, "brand_new", x=1),
        stop(0),
        begin(1, **server),
        delta(1, "input_json", partial_json='{"q": 1}'),
        stop(1),
        {"type": "brand_new_event", "x": 1},
        message_delta(usage={"output_tokens": 1, "server_tool_use": {"web_search_requests": 1}}),
        END,
    )

    stream, chunks = read("anthropic", data)

    assert joined(chunks, "content") == "a"
    assert calls(chunks) == {}
    assert stream.response()[1] == [
        "brand_new_delta: not a known delta, left out of the stream",
        "brand_new_event: not a known event, left out of the stream",
        "usage.server_tool_use: left out of the stream",
        "content[0].citations: left out of the stream",
        "content[1]: server_tool_use, left out of the stream",
    ]


EMULATED = tool_block(1, '{"a"', ":1}", name="structured_output")


@pytest.mark.parametrize(
    "blocks",
    [
        EMULATED,
        [*text_block(0, "Here it is:"), *EMULATED],
        tool_block(0, name="structured_output", given={"a": 1}),
        text_block(0, "No ", "tool."),
        [*text_block(0, "a"), *tool_block(1, name="f")],
    ],
)
def test_the_stand_in_tool_streams_as_content(blocks):
    reason = "tool_use" if any(
        event.get("content_block", {}).get("type") == "tool_use" for event in blocks
    ) else "end_turn"  # fmt: skip
    data = named(START, *blocks, message_delta(reason), END)

    stream, chunks = read("anthropic", data, emulated=True)

    plain, _ = read("anthropic", data)
    expected = plain.response()[0]
    unwrap_emulated(expected)
    assert stream.response()[0] == expected
    (choice,) = expected.choices
    assert joined(chunks, "content") == choice.message.content
    assert len(calls(chunks)) == len(choice.message.tool_calls or ())
    assert chunks[-1].choices[0].finish_reason == choice.finish_reason


def test_a_stream_without_a_terminal_event_is_not_over():
    data = named(*HELLO[:-1])

    stream, chunks = read("anthropic", data)
    ended, same = read("anthropic", data, stream_end="finish_reason")
    early, _ = read("anthropic", named(*HELLO[:-2]), stream_end="finish_reason")

    assert chunks == same
    assert (stream.is_over, ended.is_over, early.is_over) == (False, True, False)
    assert message_of(early).content == "Hello"


def test_what_comes_after_the_end_is_not_read():
    stream, chunks = read("anthropic", named(*HELLO) + b"data: {broken\n\ndata: [DONE]\n\n")

    assert len(chunks) == 4
    assert stream.feed(b"data: {broken\n\n") == []


def test_a_partial_reply_has_what_came():
    data = named(START, begin(0, type="thinking", thinking=""), delta(0, "thinking", thinking="H"),
                 *text_block(1, "a"), *tool_block(2, '{"a":')[:-1])  # fmt: skip

    message = message_of(read("anthropic", data)[0])

    assert (message.reasoning, message.content) == ("H", "a")
    assert message.tool_calls[0].function.arguments == '{"a":'


ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


@pytest.mark.parametrize(
    "data",
    [
        named(ERROR),
        b"data: " + json.dumps(ERROR).encode() + b"\n\n",
        b'data: {"error": {"message": "Overloaded"}}\n\n',
        b'data: {"error": "Overloaded"}\n\n',
        b'event: error\ndata: {"message": "Overloaded"}\n\n',
        b"event: error\ndata: Overloaded\n\n",
    ],
)
@pytest.mark.parametrize("before", [[], HELLO[:4]])
def test_an_error_event_is_the_failure_and_nothing_after_it_is_read(data, before):
    stream, chunks = read("anthropic", named(*before) + data + named(*HELLO))

    assert error_facts(stream.failure)[2] == "Overloaded"
    assert len(chunks) == (2 if before else 0)
    assert stream.has_content == bool(before)
    assert not stream.is_over


@pytest.mark.parametrize("event", [b"{", b"nonsense", b"5", b"[5]", b"\xff",
                                   b'{"type":' * 100_000])  # fmt: skip
def test_an_event_that_is_no_object_is_malformed_after_the_chunks_before_it(event):
    stream = reader("anthropic")

    chunks = stream.feed(named(*HELLO[:4]) + b"data: " + event + b"\n\n" + named(*HELLO))

    assert joined(chunks, "content") == "Hel"
    for ask in (lambda: stream.feed(b""), stream.finish):
        with pytest.raises(MalformedResponseError) as caught:
            ask()
        assert caught.value.code == "not_json"
    assert message_of(stream).content == "Hel"


@pytest.mark.parametrize(
    "event",
    [
        b"data: null\n\n",
        b"data: {}\n\n",
        b"data: []\n\n",
        b"data: ping\n\n",
        b"event: ping\ndata: null\n\n",
        b"event: heartbeat\ndata: 12:00\n\n",
    ],
)
def test_keep_alive_events_of_gateways_are_left_out_with_a_note(event):
    events = [event + named(each) for each in HELLO]
    stream, chunks = read("anthropic", b"".join(events) + event)

    assert joined(chunks, "content") == "Hello"
    assert stream.is_over
    assert stream.response()[1] == ["a keep-alive event: left out of the stream"]


@pytest.mark.parametrize("event", [b": ping\n\n", b"data:\n\n", named(PING)])
def test_comments_and_documented_pings_are_no_note(event):
    events = [event + named(each) for each in HELLO]
    stream, chunks = read("anthropic", b"".join(events) + event)

    assert joined(chunks, "content") == "Hello"
    assert stream.response()[1] == []


def test_an_end_without_a_message_is_malformed():
    with pytest.raises(MalformedResponseError) as caught:
        read("anthropic", named(PING, END))

    assert caught.value.code == "no_choice"


def test_a_frame_and_a_reply_past_their_limits_are_refused_after_what_was_good():
    for limit, code in (("max_frame_bytes", "frame_too_large"), ("max_reply_bytes", "too_large")):
        stream = reader("anthropic", **{limit: 400})
        chunks = stream.feed(named(START, *text_block(0, "a", "x" * 500)))
        with pytest.raises(MalformedResponseError) as caught:
            stream.finish()

        assert joined(chunks, "content") == "a"
        assert caught.value.code == code


# (events between start and end that are not quite as documented, the content)
ODD = [
    ([{"type": "content_block_start", "content_block": {"type": "text", "text": ""}},
      {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "a"}},
      {"type": "content_block_stop"}], "a"),
    ([{"delta": {"text": "a", "type": "text_delta"}, "index": 0, "type": "content_block_delta"}],
     "a"),
    ([*text_block("0", "a")], "a"),
    ([*text_block(0.0, "a")], "a"),
    ([*text_block(0, "a"), *text_block(0, "b")], "ab"),
    ([begin(0, type="text", text="a"), delta(0, "text", text="b")], "ab"),
    ([begin(0, type="text"), delta(0, "text", text="b")], "b"),
    ([*text_block(0, "a"), delta(0, "text", text=5), delta(7, "input_json", partial_json="x")],
     "a"),
    ([*text_block(0, "a\ud800")], "a\ufffd"),
    ([begin(0, type="text", text="a"), delta(0, "input_json", partial_json="{"),
      delta(0, "thinking", thinking="b"), delta(0, "signature", signature="c")], "a"),
    ([begin(0, type=5), *text_block(1, "a")], "a"),
    ([{"type": "content_block_delta", "index": 0}, *text_block(0, "a")], "a"),
    ([START, *text_block(0, "a")], "a"),
    ([PING, {"type": "message_delta"}, *text_block(0, "a")], "a"),
    ([message_delta(5, usage="many"), *text_block(0, "a")], "a"),
]  # fmt: skip


@pytest.mark.parametrize(("events", "content"), ODD)
def test_what_is_not_quite_as_documented_is_read_as_far_as_it_goes(events, content):
    stream, chunks = read("anthropic", named(START, *events, message_delta(), END))

    assert joined(chunks, "content") == content
    assert message_of(stream).content == content
    assert stream.is_over
    assert chunks[-1].choices[0].finish_reason == "stop"


@pytest.mark.parametrize("message", [{}, 5, None, {"content": None, "id": 5}, {"usage": "x"}])
def test_a_start_that_is_not_quite_as_documented_is_read_as_far_as_it_goes(message):
    start = {"type": "message_start", "message": message}

    stream, chunks = read("anthropic", named(start, *HELLO[2:]))
    without, _ = read("anthropic", named(*HELLO[2:]))

    assert joined(chunks, "content") == "Hello"
    assert (stream.is_over, without.is_over) == (True, True)
    assert {chunk.model for chunk in chunks} == {"asked-for"}


def test_before_anything_arrived_there_is_an_empty_reply():
    reply, _ = reader("anthropic").response()

    assert (reply.model, reply.created) == ("asked-for", 7)
    assert reply.choices[0].message.content is None
