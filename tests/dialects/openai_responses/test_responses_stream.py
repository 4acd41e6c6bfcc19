"""Streams of the Responses dialect: as documented, and as servers like it send them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from specado._core import ResponsesStream, decode_responses_reply, error_facts
from specado.errors import MalformedResponseError
from specado.types import PromptTokensDetails, ReasoningBlock
from stream_readers import calls, joined

USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 15,
}


def response(*items: Any, status: str | None = "completed", **more: Any) -> dict[str, Any]:
    made = {"id": "resp_1", "object": "response", "created_at": 3, "model": "m-1", "error": None}
    return {**made, "status": status, "output": list(items), "usage": USAGE, **more}


CREATED = {"type": "response.created", "response": response(status="in_progress", usage=None)}


def message(*texts: str, id_: str = "msg_1", **part: Any) -> dict[str, Any]:
    parts = [{"type": "output_text", "text": text, "annotations": [], **part} for text in texts]
    made = {"id": id_, "type": "message", "role": "assistant", "status": "completed"}
    return {**made, "content": parts}


def function(arguments: str, id_: str = "call_1", **more: Any) -> dict[str, Any]:
    made = {"id": f"fc_{id_}", "type": "function_call", "status": "completed", "call_id": id_}
    return {**made, "name": "f", "arguments": arguments, **more}


def custom(text: str) -> dict[str, Any]:
    return {"id": "ctc_1", "type": "custom_tool_call", "call_id": "c", "name": "g", "input": text}


def reasoning(*summary: str, content: Any = None, id_: str = "rs_1") -> dict[str, Any]:
    made: dict[str, Any] = {"id": id_, "type": "reasoning", "encrypted_content": "enc"}
    made["summary"] = [{"type": "summary_text", "text": each} for each in summary]
    if content is not None:
        made["content"] = [{"type": "reasoning_text", "text": each} for each in content]
    return made


def added(item: Any, index: int = 0) -> dict[str, Any]:
    begun = {**item, "status": "in_progress"}
    begun.update({name: "" for name in ("arguments", "input") if name in item})
    begun.update({name: [] for name in ("content", "summary") if name in item})
    begun.pop("encrypted_content", None)
    return {"type": "response.output_item.added", "output_index": index, "item": begun}


def done(item: Any, index: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def piece(kind: str, text: str, index: int = 0, **more: Any) -> dict[str, Any]:
    made = {"type": f"response.{kind}.delta", "output_index": index, "delta": text, "item_id": "x"}
    if kind.startswith(("output_text", "refusal", "reasoning_text")):
        made["content_index"] = 0
    return {**made, **more}


def whole(kind: str, name: str, text: str, index: int = 0, **more: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}.done", "output_index": index, name: text, **more}


def ended(*items: Any, kind: str = "completed", **more: Any) -> dict[str, Any]:
    more.setdefault("status", kind)
    return {"type": f"response.{kind}", "response": response(*items, **more)}


def written(*events: Any) -> bytes:
    return b"".join(
        event
        if isinstance(event, bytes)
        else f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
        for event in events
    )


def read(*events: Any, **options: Any) -> tuple[Any, list[Any]]:
    """Return the decoder after these events, and its chunks."""
    limits = {"max_frame_bytes": 1 << 20, "max_reply_bytes": 1 << 20, **options}
    stream = ResponsesStream("openai", "asked-for", 7, **limits)
    chunks = stream.feed(written(*events))
    chunks += stream.feed(b"")
    return stream, chunks + stream.finish()


def answer(stream: Any) -> Any:
    return stream.response()[0].choices[0]


def notes(stream: Any) -> list[str]:
    found: list[str] = stream.response()[1]
    return found


HELLO = [
    CREATED,
    added(message("Hello.")),
    piece("output_text", "Hel"),
    piece("output_text", "lo."),
    whole("output_text", "text", "Hello.", content_index=0),
    done(message("Hello.")),
    ended(message("Hello.")),
]


def test_a_text() -> None:
    stream, chunks = read(*HELLO, include_usage=True)
    reply, said = stream.response()

    assert [chunk.choices[0].delta.content for chunk in chunks[:-1]] == ["", "Hel", "lo.", None]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert {(chunk.id, chunk.model, chunk.created) for chunk in chunks} == {("resp_1", "m-1", 3)}
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert (chunks[-1].choices, chunks[-1].usage) == ([], reply.usage)
    assert stream.is_over
    assert (reply.id, reply.model, reply.created) == ("resp_1", "m-1", 3)
    assert reply.choices[0].message.content == "Hello."
    assert reply.usage.prompt_tokens_details == PromptTokensDetails(4, 1)
    assert (reply.usage.total_tokens, reply.usage.completion_tokens_details.reasoning_tokens) == (
        15,
        2,
    )
    assert said == []


def test_the_stream_and_the_whole_response_say_the_same() -> None:
    items = [
        reasoning("**One**", "**Two**"),
        message("Look.", " Here."),
        function('{"a":1}'),
        custom("1+1"),
        reasoning("Three", id_="rs_2"),
    ]
    stream, chunks = read(CREATED, *[done(item, at) for at, item in enumerate(items)],
                          ended(*items))  # fmt: skip
    body = json.dumps(response(*items)).encode()
    expected, _ = decode_responses_reply(body, "openai", "asked-for", 7)

    assert stream.response()[0].choices == expected.choices
    assert joined(chunks, "content") == "Look. Here."
    assert joined(chunks, "reasoning") == "**One**\n\n**Two**Three"
    assert expected.choices[0].message.reasoning == "**One**\n\n**Two**Three"


def test_reasoning_comes_as_text_and_at_its_end_as_a_block() -> None:
    item = reasoning("One", "Two")
    stream, chunks = read(
        CREATED,
        added(item),
        piece("reasoning_summary_text", "On", summary_index=0),
        piece("reasoning_summary_text", "e", summary_index=0),
        whole("reasoning_summary_text", "text", "One", summary_index=0),
        piece("reasoning_summary_text", "Two", summary_index=1),
        done(item),
        done(message("x"), 1),
        ended(item, message("x")),
    )
    blocks = [block for chunk in chunks for block in chunk.choices[0].delta.reasoning_details or ()]

    assert joined(chunks, "reasoning") == "One\n\nTwo"
    assert blocks == [
        ReasoningBlock(
            "reasoning.encrypted",
            "One\n\nTwo",
            None,
            "enc",
            "asked-for",
            "rs_1",
            "openai-responses-v1",
        )
    ]
    assert answer(stream).message.reasoning_details == blocks


def test_reasoning_that_open_models_show() -> None:
    item = reasoning(content=["hm, yes"])
    stream, chunks = read(
        CREATED,
        added(item),
        piece("reasoning_text", "hm, "),
        done(item),
        ended(item, message("x")),
    )

    assert joined(chunks, "reasoning") == "hm, yes"
    assert answer(stream).message.reasoning == "hm, yes"
    assert answer(stream).message.content == "x"


def test_a_refusal() -> None:
    part = {"type": "refusal", "refusal": "I can't."}
    item = {**message(), "content": [part]}
    stream, chunks = read(
        CREATED,
        added(item),
        piece("refusal", "I ca"),
        whole("refusal", "refusal", "I can't.", content_index=0),
        done(item),
        ended(item),
    )

    assert joined(chunks, "refusal") == "I can't."
    assert stream.is_refusal
    assert (answer(stream).message.content, answer(stream).message.refusal) == (None, "I can't.")


# Calls.


@pytest.mark.parametrize("with_ids", [True, False])
def test_the_pieces_of_calls_may_come_by_turns(with_ids: bool) -> None:
    items = [function('{"a":1}'), function('{"b":2}', "call_2")]
    events = [
        piece("function_call_arguments", '{"a"'),
        piece("function_call_arguments", '{"b"', 1),
        piece("function_call_arguments", ":1}"),
        piece("function_call_arguments", ":2}", 1),
    ]
    if not with_ids:
        for event in events:
            del event["item_id"]
    stream, chunks = read(
        CREATED,
        added(items[0]),
        added(items[1], 1),
        *events,
        done(items[0]),
        done(items[1], 1),
        ended(*items),
    )

    assert calls(chunks) == {
        0: ["call_1", "f", '{"a":1}'],
        1: ["call_2", "f", '{"b":2}'],
    }
    assert answer(stream).finish_reason == "tool_calls"
    assert [call.function.arguments for call in answer(stream).message.tool_calls] == [
        '{"a":1}',
        '{"b":2}',
    ]


def test_events_without_an_index_are_of_the_item_that_they_name() -> None:
    items = [function('{"a":1}'), function('{"b":2}', "call_2")]
    events: list[Any] = [added(items[0]), added(items[1], 1)]
    for item in items:
        event = piece("function_call_arguments", item["arguments"], item_id=item["id"])
        del event["output_index"]
        events.append(event)
    _, chunks = read(CREATED, *events, ended(*items))

    assert [said for _, _, said in calls(chunks).values()] == ['{"a":1}', '{"b":2}']


@pytest.mark.parametrize("by_turns", [False, True])
def test_items_that_all_have_the_same_index_are_told_by_their_ids(by_turns: bool) -> None:
    items = [reasoning("hm"), message("Hi."), function('{"a":1}'), function('{"b":2}', "call_2")]
    pieces = [
        piece("reasoning_summary_text", "hm", summary_index=0, item_id="rs_1"),
        piece("output_text", "Hi.", item_id="msg_1"),
        piece("function_call_arguments", '{"a":1}', item_id="fc_call_1"),
        piece("function_call_arguments", '{"b":2}', item_id="fc_call_2"),
    ]
    parts = [[added(item) for item in items], pieces, [done(item) for item in items]]
    events = [event for part in (parts if by_turns else zip(*parts)) for event in part]
    stream, chunks = read(CREATED, *events, ended(*items))

    assert (joined(chunks, "reasoning"), joined(chunks, "content")) == ("hm", "Hi.")
    assert calls(chunks) == {0: ["call_1", "f", '{"a":1}'], 1: ["call_2", "f", '{"b":2}']}
    assert [block.kind for block in answer(stream).message.native.blocks] == [
        "reasoning",
        "text",
        "call",
        "call",
    ]


def test_ids_may_change_between_the_events_of_an_item() -> None:
    events = [
        CREATED,
        added(message("Hi.", id_="a")),
        piece("output_text", "Hi", item_id="b"),
        piece("output_text", ".", item_id="c"),
        done(message("Hi.", id_="d")),
        ended(message("Hi.", id_="e")),
    ]
    stream, chunks = read(*events)

    assert joined(chunks, "content") == "Hi."
    assert answer(stream).message.content == "Hi."
    assert notes(stream) == []


def test_the_pieces_of_a_custom_call() -> None:
    stream, chunks = read(
        CREATED,
        added(custom("1+1")),
        piece("custom_tool_call_input", "1+"),
        whole("custom_tool_call_input", "input", "1+1"),
        done(custom("1+1")),
        ended(custom("1+1")),
    )
    pieces = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]

    assert [(each.index, each.id, each.type, each.custom) for each in pieces] == [
        (0, "c", "custom", {"name": "g", "input": ""}),
        (0, None, None, {"input": "1+"}),
        (0, None, None, {"input": "1"}),
    ]
    assert answer(stream).message.tool_calls[0].custom == {"name": "g", "input": "1+1"}


@pytest.mark.parametrize("arguments", ["", " "])
def test_blank_arguments_are_an_empty_object(arguments: str) -> None:
    item = function(arguments)
    stream, chunks = read(
        CREATED, added(item), piece("function_call_arguments", arguments), done(item), ended(item)
    )

    assert answer(stream).message.tool_calls[0].function.arguments == "{}"
    assert calls(chunks)[0][2].strip() == "{}"


def test_a_call_that_is_named_only_at_its_end() -> None:
    begun = added(function("{}"))
    del begun["item"]["name"]
    stream, chunks = read(
        CREATED,
        begun,
        piece("function_call_arguments", '{"a"'),
        done(function('{"a":1}')),
        ended(function('{"a":1}')),
    )

    assert calls(chunks) == {0: ["call_1", "f", '{"a":1}']}
    assert answer(stream).message.tool_calls[0].function.arguments == '{"a":1}'


# Texts that come whole.


@pytest.mark.parametrize("count", range(1, len(HELLO)))
def test_what_the_pieces_lack_comes_once_from_what_is_whole(count: int) -> None:
    events = HELLO[:count] + HELLO[-1:]
    stream, chunks = read(*events)

    assert joined(chunks, "content") == "Hello."
    assert answer(stream).message.content == "Hello."


# All but the first piece, without which the text is another one.
@pytest.mark.parametrize("left_out", [0, 1, 3, 4, 5])
def test_each_event_before_the_end_may_be_missing(left_out: int) -> None:
    events = [event for place, event in enumerate(HELLO) if place != left_out]
    stream, chunks = read(*events)

    assert joined(chunks, "content") == "Hello."
    assert answer(stream).message.content == "Hello."
    assert stream.is_over


def test_pieces_that_differ_from_the_whole_are_kept_with_a_note() -> None:
    stream, chunks = read(
        CREATED, added(message("x")), piece("output_text", "Hi"), ended(message("Hello."))
    )

    assert joined(chunks, "content") == "Hi"
    assert answer(stream).message.content == "Hi"
    assert notes(stream) == ["output[0]: the pieces differ from the whole, kept"]


def test_empty_pieces_do_not_end_a_stream() -> None:
    events = [*HELLO[:2], piece("output_text", ""), *HELLO[2:]]

    assert joined(read(*events)[1], "content") == "Hello."


@pytest.mark.parametrize("output", [None, []])
def test_a_whole_response_without_its_output_is_taken_as_streamed(output: Any) -> None:
    last = ended()
    last["response"]["output"] = output
    stream, _ = read(*HELLO[:-1], last)

    assert stream.is_over
    assert answer(stream).message.content == "Hello."
    assert stream.response()[0].usage.total_tokens == 15
    assert "the whole response lacks 1 streamed items: message" in notes(stream)


# Citations and log probabilities.


def test_citations_have_their_place_in_the_whole_content() -> None:
    cited = {"type": "url_citation", "url": "u", "title": "t", "start_index": 1, "end_index": 2}
    kept = {"type": "file_citation", "file_id": "f", "filename": "n", "index": 0}
    items = [message("One."), message("Two.", id_="msg_2", annotations=[cited, kept])]
    event = {
        "type": "response.output_text.annotation.added",
        "output_index": 1,
        "content_index": 0,
        "annotation_index": 0,
        "annotation": cited,
    }
    stream, chunks = read(
        CREATED,
        added(items[0]),
        piece("output_text", "One."),
        added(items[1], 1),
        piece("output_text", "Two.", 1),
        event,
        done(items[1], 1),
        ended(*items),
    )
    told = [each for chunk in chunks for each in chunk.choices[0].delta.annotations or ()]
    body = json.dumps(response(*items)).encode()

    assert told == [
        {
            "type": "url_citation",
            "url_citation": {"url": "u", "title": "t", "start_index": 5, "end_index": 6},
        },
        kept,
    ]
    assert answer(stream).message.annotations == told
    assert decode_responses_reply(body, "openai", "m", 1)[0].choices[0].message.annotations == told


def test_log_probabilities() -> None:
    token = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}
    stream, chunks = read(
        CREATED,
        added(message("Hi")),
        piece("output_text", "Hi", logprobs=[token]),
        ended(message("Hi", logprobs=[token])),
    )
    expected = {"content": [token], "refusal": None}

    assert chunks[1].choices[0].logprobs == expected
    assert answer(stream).logprobs == expected


# The end.


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("max_output_tokens", "length"),
        ("max_messages", "length"),
        ("content_filter", "content_filter"),
        ("steered", "stop"),
        ("zz", "zz"),
        (None, None),
    ],
)
@pytest.mark.parametrize("items", [[], [message("Hel")], [function('{"a')]])
def test_an_incomplete_response(reason: Any, finish: Any, items: Any) -> None:
    last = ended(*items, kind="incomplete", incomplete_details={"reason": reason})
    stream, chunks = read(CREATED, last)
    reply, _ = stream.response()
    whole, _ = decode_responses_reply(json.dumps(last["response"]).encode(), "openai", "m", 1)

    assert stream.is_over
    assert chunks[-1].choices[0].finish_reason == finish
    assert reply.choices[0].finish_reason == whole.choices[0].finish_reason == finish
    assert reply.usage.total_tokens == 15


def test_the_status_in_the_response_counts() -> None:
    details = {"reason": "max_output_tokens"}
    last = ended(message("Hel"), status="incomplete", incomplete_details=details)

    assert answer(read(CREATED, last)[0]).finish_reason == "length"


@pytest.mark.parametrize("status", [None, "in_progress"])
def test_without_a_final_status_the_event_counts(status: Any) -> None:
    stream, _ = read(CREATED, ended(message("x"), status=status))

    assert answer(stream).finish_reason == "stop"
    assert f"status: {status!r} at the end, read as that of response.completed" in notes(stream)


def test_a_filtered_answer_without_content_is_a_refusal() -> None:
    details = {"reason": "content_filter"}
    stream, _ = read(CREATED, ended(kind="incomplete", incomplete_details=details))

    assert stream.is_refusal


@pytest.mark.parametrize(
    "events",
    [
        HELLO[:-1],
        [*HELLO[:-1], b"data: [DONE]\n\n"],
        [*HELLO[:-1], {"type": "response.completed"}],
        [*HELLO[:-1], {"type": "response.completed", "response": None}],
    ],
)
@pytest.mark.parametrize("stream_end", ["", "finish_reason", "unknown", "finish_and_usage"])
def test_only_the_whole_response_ends_a_stream(events: Any, stream_end: str) -> None:
    stream, _ = read(*events, stream_end=stream_end)

    assert not stream.is_over
    assert answer(stream).finish_reason is None
    assert answer(stream).message.content == "Hello."
    assert stream.response()[0].usage is None


def test_nothing_is_read_after_the_end() -> None:
    stream, chunks = read(*HELLO, piece("output_text", "more"), b"data: [DONE]\n\n")

    assert joined(chunks, "content") == "Hello."
    assert stream.is_over


# Failures.


@pytest.mark.parametrize(
    ("event", "code", "message"),
    [
        (
            ended(kind="failed", error={"code": "server_error", "message": "sorry"}),
            "server_error",
            "sorry",
        ),
        (
            ended(kind="failed", status="completed", error={"code": "bio_policy", "message": "x"}),
            "bio_policy",
            "x",
        ),
        (ended(kind="failed"), None, "the response has failed"),
        (ended(kind="failed", status=None), None, "the response has failed"),
        (
            {"type": "error", "code": "rate_limit_exceeded", "message": "slow", "param": None,
             "sequence_number": 3},
            "rate_limit_exceeded",
            "slow",
        ),
        (
            {"type": "error", "error": {"type": "t", "code": "c", "message": "m"}},
            "c",
            "m",
        ),
        (b'data: {"error": {"message": "upstream", "code": 502}}\n\n', "502", "upstream"),
        (b"event: error\ndata: out of memory\n\n", None, "out of memory"),
    ],
)  # fmt: skip
def test_a_failure_is_the_body_of_an_error(event: Any, code: Any, message: str) -> None:
    stream, chunks = read(*HELLO[:3], event, piece("output_text", "more"))

    assert not stream.is_over
    assert error_facts(stream.failure)[1:] == (code, message)
    assert joined(chunks, "content") == "Hel"


def test_a_cancelled_response_is_no_answer() -> None:
    with pytest.raises(MalformedResponseError, match="cancelled"):
        read(CREATED, ended(status="cancelled"))


def test_an_event_that_is_not_json_is_malformed() -> None:
    with pytest.raises(MalformedResponseError) as caught:
        read(b"data: {not json\n\n")

    assert caught.value.code == "not_json"


@pytest.mark.parametrize(
    "event",
    [
        piece("output_text", "x" * 2000),
        piece("function_call_arguments", "x" * 2000),
        piece("reasoning_summary_text", "x" * 2000),
        done(message("x" * 2000)),
    ],
)
def test_a_reply_has_a_largest_size(event: Any) -> None:
    with pytest.raises(MalformedResponseError) as caught:
        read(CREATED, added(function("")), event, max_reply_bytes=1000)

    assert caught.value.code == "too_large"


# Events of no consequence.


@pytest.mark.parametrize(
    ("event", "note"),
    [
        ({"type": "keepalive", "sequence_number": 5}, None),
        (b": ping\n\n", None),
        (b"event: ping\ndata: {}\n\n", "a keep-alive event: left out of the stream"),
        (b"data: {}\n\n", "a keep-alive event: left out of the stream"),
        (b"data: \n\n", None),
        ({"type": "response.new"}, "response.new: not a known event, left out of the stream"),
        ({"type": "response.web_search_call.searching", "output_index": 0, "item_id": "x"}, None),
        ({"type": "response.in_progress", "response": response(status="in_progress")}, None),
        ({"type": "response.queued", "response": response(status="queued")}, None),
        (CREATED, None),
        (
            {"type": "response.output_item.added", "output_index": 5, "item": "x"},
            "output[5]: not an output item, left out",
        ),
        (
            b'event: new\ndata: {"type": ["x"]}\n\n',
            "new: not a known event, left out of the stream",
        ),
        (
            piece("output_text", "x", 10**30),
            "response.output_text.delta: not as documented, left out of the stream",
        ),
        (
            piece("function_call_arguments", "x", 9),
            "output_item.added: missing for a call",
        ),
    ],
)
@pytest.mark.parametrize("place", [1, 3, 5])
def test_events_that_are_no_part_of_the_answer(event: Any, note: Any, place: int) -> None:
    stream, chunks = read(*HELLO[:place], event, *HELLO[place:])

    assert joined(chunks, "content") == "Hello."
    assert notes(stream) == ([] if note is None else [note])
    assert stream.is_over


def test_an_event_whose_type_is_only_its_name() -> None:
    events = []
    for event in HELLO:
        data = {name: value for name, value in event.items() if name != "type"}
        events.append(f"event: {event['type']}\ndata: {json.dumps(data)}\n\n".encode())
    stream, chunks = read(*events)

    assert joined(chunks, "content") == "Hello."
    assert stream.is_over


def test_members_of_other_types_are_repaired() -> None:
    odd = piece("output_text", "Hel", "0", logprobs="none", item_id=5, content_index=None)
    stream, chunks = read(*HELLO[:2], odd, *HELLO[3:])

    assert joined(chunks, "content") == "Hello."
    assert "response.output_text.delta.output_index: a str, read as a whole number" in notes(stream)


def test_hosted_tools_are_noted() -> None:
    search = {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {}}
    stream, _ = read(CREATED, added(search), done(search), done(message("x"), 1),
                     ended(search, message("x")))  # fmt: skip

    assert answer(stream).message.content == "x"
    assert notes(stream) == ["output[0]: web_search_call, left out of the stream"]
