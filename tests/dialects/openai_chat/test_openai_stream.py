"""Streams of OpenAI's dialect: as documented, and as servers like it send them."""

from __future__ import annotations

import json
import re

import pytest

from specado._core import error_facts
from specado.errors import MalformedResponseError
from specado.types import ChatCompletionChunk, ChoiceDelta, ReasoningBlock, Usage
from stream_readers import calls, joined, read, reader, sse

USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def chunk(delta=None, finish=None, index=0, **more):
    choice = {"index": index, "delta": delta or {}, "finish_reason": finish}
    return {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 5,
        "model": "gpt-1",
        "choices": [choice],
        **more,
    }


def call(index, id_=None, name=None, arguments=None):
    piece = {"index": index, "id": id_, "function": {"name": name, "arguments": arguments}}
    return {key: value for key, value in piece.items() if value is not None}


ROLE = chunk({"role": "assistant", "content": ""})
STOP = chunk(finish="stop")
HELLO = [ROLE, chunk({"content": "Hel"}), chunk({"content": "lo"}), STOP]


def message_of(stream):
    return stream.response()[0].choices[0].message


def test_a_documented_stream_gives_its_chunks_and_adds_up():
    stream, chunks = read("openai", sse(*HELLO, chunk(choices=[], usage=USAGE)))

    assert [found.to_dict() for found in chunks] == [
        {**given, "choices": [{**given["choices"][0], "logprobs": None}]} for given in HELLO
    ]
    assert stream.is_over
    assert stream.has_content
    assert not stream.is_refusal
    assert stream.failure is None
    reply, notes = stream.response()
    assert reply.choices[0].message.content == "Hello"
    assert reply.choices[0].finish_reason == "stop"
    assert (reply.id, reply.model, reply.created, reply.raw) == ("c1", "gpt-1", 5, b"")
    assert reply.usage == Usage(1, 2, 3)
    assert reply.extensions.provider_used == "openai"
    assert notes == []


def test_the_usage_chunk_is_delivered_only_if_asked_for():
    data = sse(*HELLO, chunk(choices=[], usage=USAGE))

    _, without = read("openai", data)
    _, chunks = read("openai", data, include_usage=True)

    assert len(without) == 4
    assert chunks[:-1] == without
    assert chunks[-1] == ChatCompletionChunk("c1", "gpt-1", [], 5, usage=Usage(1, 2, 3))


def test_usage_on_content_chunks_is_kept_and_delivered_only_if_asked_for():
    data = sse(ROLE, chunk({"content": "a"}, usage=USAGE), STOP)

    stream, chunks = read("openai", data)
    _, asked = read("openai", data, include_usage=True)

    assert [found.usage for found in chunks] == [None] * 3
    assert [found.usage for found in asked] == [None, Usage(1, 2, 3), None]
    assert stream.response()[0].usage == Usage(1, 2, 3)


@pytest.mark.parametrize(
    ("delta", "refusal"),
    [
        ({"content": "a"}, False),
        ({"reasoning": "a"}, False),
        ({"reasoning_content": "a"}, False),
        ({"refusal": "a"}, True),
        ({"tool_calls": [call(0, "i", "f", "")]}, False),
        ({"reasoning_details": [{"type": "reasoning.text", "text": "a"}]}, False),
        ({"audio": {"id": "a"}}, False),
    ],
)
def test_the_first_content_is_told(delta, refusal):
    stream = reader("openai")
    stream.feed(sse(ROLE, chunk({"content": "", "refusal": ""}), done=False))
    before = stream.has_content
    stream.feed(sse(chunk(delta), done=False))

    assert (before, stream.has_content, stream.is_refusal) == (False, True, refusal)


def test_a_normal_end_without_text_counts_as_content():
    stream, _ = read("openai", sse(ROLE, STOP))
    filtered, _ = read("openai", sse(ROLE, chunk(finish="content_filter")))

    assert (stream.has_content, stream.is_refusal) == (True, False)
    assert (filtered.has_content, filtered.is_refusal) == (True, True)


def test_a_stream_without_a_terminal_event_is_not_over():
    data = sse(*HELLO, done=False)

    stream, chunks = read("openai", data)
    ended, same = read("openai", data, stream_end="finish_reason")
    early, _ = read("openai", sse(*HELLO[:-1], done=False), stream_end="finish_reason")

    assert chunks == same
    assert (stream.is_over, ended.is_over, early.is_over) == (False, True, False)
    assert message_of(early).content == "Hello"


def test_every_choice_needs_its_finish_reason_where_that_ends_a_stream():
    data = sse(chunk({"content": "a"}), chunk({"content": "b"}, index=1), STOP, done=False)

    one, _ = read("openai", data, stream_end="finish_reason")
    both, _ = read(
        "openai", data + sse(chunk(finish="stop", index=1), done=False), stream_end="finish_reason"
    )

    assert (one.is_over, both.is_over) == (False, True)


def test_what_comes_after_the_end_is_not_read():
    stream, chunks = read("openai", sse(*HELLO) + b"data: {broken\n\n")

    assert len(chunks) == 4
    assert stream.feed(b"data: {broken\n\n") == []
    assert stream.finish() == []
    assert stream.is_over


def test_a_last_frame_without_its_blank_line_is_read_and_one_cut_off_is_left_out():
    whole, chunks = read("openai", sse(*HELLO).rstrip(b"\n"))
    cut_off, fewer = read("openai", sse(*HELLO, done=False)[:-30])

    assert whole.is_over
    assert (len(chunks), len(fewer)) == (4, 3)
    assert not cut_off.is_over


def test_several_choices_are_kept_apart():
    stream, _ = read(
        "openai",
        sse(
            chunk({"content": "b"}, index=1),
            chunk({"content": "a"}),
            chunk({"content": "B"}, "length", index=1),
            chunk({"content": "A"}, "stop"),
        ),
    )

    assert [
        (choice.index, choice.message.content, choice.finish_reason)
        for choice in stream.response()[0].choices
    ] == [(0, "aA", "stop"), (1, "bB", "length")]


def test_the_rarer_parts_of_a_message_add_up():
    logprob = {"token": "a", "logprob": -1.0, "bytes": None, "top_logprobs": []}
    first = chunk(
        {"audio": {"id": "s", "transcript": "o", "data": "AA"}, "annotations": [{"a": 1}]}
    )
    first["choices"][0]["logprobs"] = {"content": [logprob], "refusal": None}
    second = chunk({"audio": {"transcript": "k", "data": "BB"}, "annotations": [{"b": 2}]})
    second["choices"][0]["logprobs"] = {"content": [logprob], "refusal": [logprob]}
    stream, _ = read(
        "openai",
        sse(first, second, chunk({"audio": {"expires_at": 9}, "refusal": "no"}, "stop",
                                 system_fingerprint="fp", service_tier="flex")),
    )  # fmt: skip

    reply = stream.response()[0]
    message = reply.choices[0].message
    assert message.audio == {"id": "s", "transcript": "ok", "data": "AABB", "expires_at": 9}
    assert message.annotations == [{"a": 1}, {"b": 2}]
    assert message.refusal == "no"
    assert reply.choices[0].logprobs == {"content": [logprob] * 2, "refusal": [logprob]}
    assert (reply.system_fingerprint, reply.service_tier) == ("fp", "flex")


def test_reasoning_blocks_join_until_their_signature():
    pieces = [
        {"type": "reasoning.text", "text": "a", "index": 0},
        {"type": "reasoning.text", "text": "b", "signature": "s"},
        {"type": "reasoning.text", "text": "c"},
        {"type": "reasoning.encrypted", "data": "d"},
    ]
    stream, _ = read("openai", sse(*[chunk({"reasoning_details": [p]}) for p in pieces], STOP))

    assert message_of(stream).reasoning_details == [
        ReasoningBlock("reasoning.text", "ab", "s", index=0),
        ReasoningBlock("reasoning.text", "c"),
        ReasoningBlock("reasoning.encrypted", data="d"),
    ]


MADE = "an id that was made up"
# (pieces of tool calls as they come, calls by stable index as they are delivered and kept)
CALLS = [
    ([call(0, "a", "f", ""), call(0, arguments='{"x"'), call(0, arguments=":1}")],
     [("a", "f", '{"x":1}')]),
    ([call(0, "a", "f", "1"), call(1, "b", "g", "2"), call(0, arguments="3")],
     [("a", "f", "13"), ("b", "g", "2")]),
    ([call(1, "a", "f", "1"), call(2, "b", "g", "2")], [("a", "f", "1"), ("b", "g", "2")]),
    ([call(0, "a", "f", "1"), call(0, "b", "g", "2"), call(0, arguments="3")],
     [("a", "f", "1"), ("b", "g", "23")]),
    ([call(0, "a", "f", "1"), call(0, "a", "f", "2")], [("a", "f", "12")]),
    ([call(0, "a", "get_", "1"), call(0, None, "time", "2")], [("a", "get_time", "12")]),
    ([call(None, "a", "f", "1"), call(None, "b", "g", "2"), call(None, arguments="3")],
     [("a", "f", "1"), ("b", "g", "23")]),
    ([call(None, "a", "f", "1"), call(None, "b", "g", "2"), call(None, "a", None, "3")],
     [("a", "f", "13"), ("b", "g", "2")]),
    ([call(None, "", "f", "1"), call(None, "", "g", "2")],
     [(MADE, "f", "1"), (MADE, "g", "2")]),
    ([call(0, None, "f", "1")], [(MADE, "f", "1")]),
    ([call("0", "a", "f", "1"), call(0.0, None, None, "2")], [("a", "f", "12")]),
    ([{**call(0, "a", "f"), "function": {"name": "f", "arguments": {"x": 1}}}],
     [("a", "f", '{"x":1}')]),
]  # fmt: skip


@pytest.mark.parametrize(("pieces", "expected"), CALLS)
def test_tool_calls_have_stable_indexes_however_they_are_told_apart(pieces, expected):
    for deltas in ([{"tool_calls": [piece]} for piece in pieces], [{"tool_calls": pieces}]):
        stream, chunks = read(
            "openai", sse(*[chunk(delta) for delta in deltas], chunk(finish="tool_calls"))
        )

        assert [
            (
                MADE if re.fullmatch("call_[0-9a-f]{24}", kept.id) else kept.id,
                kept.function.name,
                kept.function.arguments,
            )
            for kept in message_of(stream).tool_calls
        ] == expected
        assert len({kept.id for kept in message_of(stream).tool_calls}) == len(expected)
        assert {place: kept[1:] for place, kept in calls(chunks).items()} == {
            place: [name, arguments] for place, (_, name, arguments) in enumerate(expected)
        }


def test_a_call_without_arguments_or_a_name_is_mended_or_left_out():
    stream, _ = read(
        "openai", sse(chunk({"tool_calls": [call(0, "a", "f"), call(1, "b", None, "x")]}), STOP)
    )

    (kept,) = message_of(stream).tool_calls
    assert (kept.id, kept.function.arguments) == ("a", "{}")
    assert stream.response()[1][:2] == [
        "tool_calls[0].function.arguments: missing, read as {}",
        "tool_calls[1]: not a tool call, left out",
    ]


def test_a_custom_tool_call_adds_up():
    first = {"index": 0, "id": "a", "type": "custom", "custom": {"name": "sh", "input": "l"}}
    stream, chunks = read(
        "openai",
        sse(chunk({"tool_calls": [first]}),
            chunk({"tool_calls": [{"index": 0, "custom": {"input": "s"}}]}), STOP),
    )  # fmt: skip

    emulated, _ = read("openai", sse(chunk({"tool_calls": [first]}), STOP), emulated=True)

    (kept,) = message_of(stream).tool_calls
    assert message_of(emulated).tool_calls[0].custom["name"] == "sh"
    assert (kept.type, kept.custom) == ("custom", {"name": "sh", "input": "ls"})
    assert chunks[0].to_dict()["choices"][0]["delta"]["tool_calls"] == [first]


def test_the_stand_in_tool_streams_as_content():
    name = "structured_output"
    data = sse(
        chunk({"role": "assistant", "content": None, "tool_calls": [call(0, "a", name, "")]}),
        chunk({"tool_calls": [call(0, arguments='{"x"')]}),
        chunk({"tool_calls": [call(0, arguments=":1}")]}),
        chunk(finish="tool_calls"),
    )

    stream, chunks = read("openai", data, emulated=True)
    plain, _ = read("openai", data)

    assert joined(chunks, "content") == '{"x":1}'
    assert calls(chunks) == {}
    assert chunks[-1].choices[0].finish_reason == "stop"
    (choice,) = stream.response()[0].choices
    assert (choice.message.content, choice.message.tool_calls) == ('{"x":1}', None)
    assert choice.finish_reason == "stop"
    assert message_of(plain).tool_calls[0].function.name == name


# (a chunk changed, the delta as it is delivered, what a note begins with or None)
MENDED = [
    ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
     ChoiceDelta("ab"), "choices[0].delta.content: a list of parts"),
    ({"content": 5}, ChoiceDelta(), "choices[0].delta.content: int"),
    ({"content": "a", "role": 5}, ChoiceDelta("a"), "choices[0].delta.role"),
    ({"reasoning_content": "hm", "content": None}, ChoiceDelta(reasoning="hm"), None),
    ({"reasoning_content": None, "content": "a"}, ChoiceDelta("a"), None),
    ({"reasoning": "x", "reasoning_content": "y"}, ChoiceDelta(reasoning="x"), None),
    ({"reasoning_content": 5}, ChoiceDelta(), "choices[0].delta.reasoning_content"),
    ({"reasoning_details": "x"}, ChoiceDelta(), "choices[0].delta.reasoning_details"),
    ({"tool_calls": "x"}, ChoiceDelta(), "choices[0].delta.tool_calls"),
    ({"tool_calls": [5]}, ChoiceDelta(), "choices[0].delta.tool_calls"),
    ({"tool_calls": [{"index": 0, "id": "a", "function": 5}]}, None,
     "choices[0].delta.tool_calls[0].function: int"),
    ({"content": "a\ud800"}, ChoiceDelta("a\ufffd"), "not quite JSON"),
]  # fmt: skip


@pytest.mark.parametrize(("delta", "expected", "note"), MENDED)
def test_a_delta_that_is_not_quite_as_documented_is_mended(delta, expected, note):
    stream, chunks = read("openai", sse(chunk(delta), chunk(delta), STOP))

    assert len(chunks) == 3
    if expected is not None:
        assert chunks[0].choices[0].delta == expected
    notes = [found for found in stream.response()[1] if found != "usage: missing"]
    assert len(notes) == len(set(notes))
    assert note is None or any(found.startswith(note) for found in notes)
    assert note is not None or notes == []


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"created": 5.7}, "created: a float"),
        ({"id": None}, "id: missing"),
        ({"model": None}, "model: missing"),
        ({"created": None}, "created: missing"),
        ({"system_fingerprint": 5}, "system_fingerprint"),
        ({"usage": {}}, None),
        ({"usage": "x"}, "usage: str"),
        ({"error": None}, None),
        ({"object": ""}, None),
    ],
)
def test_a_chunk_that_is_not_quite_as_documented_is_mended(change, note):
    given = {**chunk({"content": "a"}), **change}

    stream, chunks = read("openai", sse(given, {**given, **STOP, **change}))

    assert joined(chunks, "content") == "a"
    assert chunks[0].object == "chat.completion.chunk"
    assert all(isinstance(found.created, int) and found.created for found in chunks)
    assert all(found.model in ("gpt-1", "asked-for") for found in chunks)
    assert stream.is_over
    assert note is None or any(found.startswith(note) for found in stream.response()[1])


def test_what_a_chunk_does_not_name_is_taken_from_those_before():
    bare = {"choices": [{"index": 0, "delta": {"content": "b"}}]}
    _, chunks = read("openai", sse(chunk({"content": "a"}), bare, {**bare, "id": "", "model": ""}))

    assert {(found.id, found.model, found.created) for found in chunks} == {("c1", "gpt-1", 5)}


def without(given, *names):
    choices = [
        {name: value for name, value in choice.items() if name not in names}
        for choice in given["choices"]
    ]
    return {name: value for name, value in given.items() if name not in names} | {
        "choices": choices
    }


@pytest.mark.parametrize(
    ("missing", "notes"),
    [
        (("index",), ["choices[0].index: missing, read as 0"]),
        (("object",), []),
        (("created",), ["created: missing"]),
        (("model",), ["model: missing"]),
        (("id",), ["id: missing"]),
        (("finish_reason",), []),
        (
            ("index", "object", "created", "model", "id", "finish_reason"),
            [
                "choices[0].index: missing, read as 0",
                "id: missing",
                "model: missing",
                "created: missing",
            ],
        ),
    ],
)
def test_a_server_that_leaves_out_a_field_in_every_chunk_is_read(missing, notes):
    pieces = [call(0, "a", "f", '{"x":'), call(0, None, None, "1}")]
    given = [ROLE, *(chunk({"content": "o", "tool_calls": [piece]}) for piece in pieces)]
    given.append(chunk({"content": "k"}))

    stream, chunks = read("openai", sse(*(without(each, *missing) for each in given)))

    assert len(chunks) == 4
    assert {type(found) for found in chunks} == {ChatCompletionChunk}
    assert {type(found.choices[0].delta) for found in chunks} == {ChoiceDelta}
    assert [found.choices[0].index for found in chunks] == [0, 0, 0, 0]
    assert joined(chunks, "content") == "ook"
    assert calls(chunks) == {0: ["a", "f", '{"x":1}']}
    assert sorted(stream.response()[1]) == sorted(
        [*notes, "choices[0].finish_reason: missing", "usage: missing"]
    )


@pytest.mark.parametrize(
    "event",
    [b"", b"  ", {"choices": None}, {"choices": []}, {"choices": "x"}, {"other": 1},
     chunk(choices=[], prompt_filter_results=[{"prompt_index": 0}], id="", model="")],
)  # fmt: skip
def test_an_event_without_choices_is_passed_over(event):
    stream, chunks = read("openai", sse(event, *HELLO))

    assert joined(chunks, "content") == "Hello"
    assert len(chunks) == 4
    assert stream.is_over
    assert stream.response()[0].id == "c1"


def test_choices_that_are_none_are_left_out_or_mended():
    given = {**chunk(), "choices": [5, {"delta": {"content": "a"}}, {"index": 2}]}

    stream, chunks = read("openai", sse(given))

    assert [choice.index for choice in chunks[0].choices] == [1, 2]
    assert stream.response()[1][:2] == [
        "choices[0]: not an object, left out",
        "choices[1].index: missing, read as 1",
    ]


def test_an_empty_finish_reason_is_none_and_an_unknown_one_is_kept():
    stream, chunks = read("openai", sse(chunk({"content": "a"}, ""), chunk(finish="zzz")))

    assert [found.choices[0].finish_reason for found in chunks] == [None, "zzz"]
    assert chunks[1].to_dict()["choices"][0]["finish_reason"] == "zzz"
    assert stream.response()[0].choices[0].finish_reason == "zzz"


def test_a_legacy_function_call_is_noted():
    stream, _ = read(
        "openai", sse(chunk({"function_call": {"name": "f"}}), chunk(finish="function_call"))
    )

    assert stream.response()[1][0] == ("choices[0].message.function_call: left out of the stream")


ERROR = {"error": {"message": "busy", "type": "overloaded", "code": 529}}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (sse(ERROR), "busy"),
        (sse({"error": "busy"}), "busy"),
        (b"event: error\n" + sse(ERROR["error"]), "busy"),
        (b"event: error\n" + sse(ERROR), "busy"),
        (b"event: error\ndata: busy\n\n", "busy"),
        (sse({"object": "error", "message": "busy", "code": 500}), "busy"),
        (sse({**chunk(finish="error"), **ERROR}), "busy"),
        (sse({**chunk(choices=[]), **ERROR}), "busy"),
    ],
)
@pytest.mark.parametrize("before", [[], HELLO[:2]])
def test_an_error_event_is_the_failure_and_nothing_after_it_is_read(data, message, before):
    stream, chunks = read("openai", sse(*before, done=False) + data + sse(*HELLO))

    assert len(chunks) == len(before)
    assert error_facts(stream.failure)[2] == message
    assert json.loads(stream.failure)["error"]
    assert not stream.is_over
    assert stream.has_content == bool(before)
    assert stream.feed(sse(*HELLO)) == []


@pytest.mark.parametrize("event", [b"{", b"nonsense", b"5", b"[5]", b"true", b'"x"', b"\xff",
                                   b"[" * 100_000])  # fmt: skip
def test_an_event_that_is_no_object_is_malformed_after_the_chunks_before_it(event):
    data = sse(*HELLO[:2], done=False) + b"data: " + event + b"\n\n" + sse(*HELLO)
    stream = reader("openai")

    chunks = stream.feed(data)

    assert len(chunks) == 2
    for ask in (lambda: stream.feed(b""), stream.finish):
        with pytest.raises(MalformedResponseError) as caught:
            ask()
        assert caught.value.code == "not_json"
    assert not stream.is_over
    assert message_of(stream).content == "Hel"


def test_what_is_nested_too_deep_is_malformed_or_the_failures_text():
    deep = b'{"a":' * 300 + b"1" + b"}" * 300
    given = json.dumps(chunk({"tool_calls": [call(0, "a", "f", "@")]})).encode()

    with pytest.raises(MalformedResponseError) as caught:
        read("openai", sse(given.replace(b'"@"', deep)))
    stream, _ = read("openai", b"event: error\n" + sse(deep))

    assert caught.value.code == "not_json"
    assert error_facts(stream.failure)[2] == deep.decode()


@pytest.mark.parametrize("events", [[], [chunk(choices=[], usage=USAGE)]])
def test_an_end_without_a_choice_is_malformed(events):
    with pytest.raises(MalformedResponseError) as caught:
        read("openai", sse(*events))

    assert caught.value.code == "no_choice"


def test_a_frame_and_a_reply_past_their_limits_are_refused_after_what_was_good():
    for limit, code in (("max_frame_bytes", "frame_too_large"), ("max_reply_bytes", "too_large")):
        stream = reader("openai", **{limit: 400})
        chunks = stream.feed(sse(*HELLO[:2], chunk({"content": "x" * 500})))
        with pytest.raises(MalformedResponseError) as caught:
            stream.finish()

        assert len(chunks) == 2
        assert caught.value.code == code
        assert limit in str(caught.value)


def test_small_pieces_without_end_reach_the_limit_too():
    for delta in ({"content": "x"}, {"reasoning": "é"}, {"refusal": "x"},
                  {"tool_calls": [call(0, None, None, "x")]}, {"audio": {"data": "x"}},
                  {"annotations": [1]}):  # fmt: skip
        pieces = [sse(chunk(delta), done=False)] * 4000
        with pytest.raises(MalformedResponseError) as caught:
            read("openai", pieces, max_reply_bytes=3000)
        assert caught.value.code == "too_large"


def test_before_anything_arrived_there_is_an_empty_reply():
    reply, _ = reader("openai").response()

    assert (reply.model, reply.created) == ("asked-for", 7)
    assert reply.choices[0].message.content is None
    assert reply.choices[0].finish_reason is None
