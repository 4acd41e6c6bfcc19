"""Streams of Bedrock: their blocks, their end, and what deviates from the documentation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bedrock_frames import event, exception, frame, reply_stream, text_stream
from specado._core import BedrockStream
from specado.errors import MalformedResponseError
from specado.types import ReasoningBlock

LIMITS = {"max_frame_bytes": 10_000, "max_reply_bytes": 100_000}
WEB = {"title": "A", "location": {"web": {"url": "https://a.example"}}}
SIZES = pytest.mark.parametrize("size", [1, 7, 1 << 20])


def decoder(**options: Any) -> BedrockStream:
    return BedrockStream("bedrock", "m", 7, **{"include_usage": True, **LIMITS, **options})


def read(body: bytes, size: int = 1 << 20, **options: Any) -> tuple[Any, list[Any]]:
    stream = decoder(**options)
    chunks = []
    for start in range(0, len(body), size):
        chunks += stream.feed(body[start : start + size])
    return stream, chunks + stream.finish()


def delta(index: int, **kind: Any) -> bytes:
    return event("contentBlockDelta", contentBlockIndex=index, delta=kind)


def start(index: int, name: str = "f", id_: str = "t1", **more: Any) -> bytes:
    use = {"toolUseId": id_, "name": name, **more}
    return event("contentBlockStart", contentBlockIndex=index, start={"toolUse": use})


def stop(index: int) -> bytes:
    return event("contentBlockStop", contentBlockIndex=index)


def pieces(index: int, *texts: str) -> bytes:
    return b"".join(delta(index, toolUse={"input": each}) for each in texts)


def message_of(stream: Any) -> Any:
    return stream.response()[0].choices[0].message


@SIZES
def test_text_comes_in_chunks(size: int) -> None:
    stream, chunks = read(text_stream("Hel", "lo"), size, reply_id="r1")

    assert stream.is_over
    assert [chunk.choices[0].delta.content for chunk in chunks[:-1]] == ["", "Hel", "lo", None]
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None, None, None, "stop"]
    assert {(chunk.id, chunk.model, chunk.created) for chunk in chunks} == {("r1", "m", 7)}
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].usage.total_tokens == 5
    reply, notes = stream.response()
    assert (reply.id, message_of(stream).content, notes) == ("r1", "Hello", [])


@SIZES
def test_calls_come_with_their_own_numbers(size: int) -> None:
    body = reply_stream(
        delta(0, text="Now"), stop(0),
        start(2), pieces(2, '{"a"', ": 1}"), stop(2),
        start(5, "g", "t2"), stop(5),
        stop="tool_use",
    )  # fmt: skip
    stream, chunks = read(body, size)

    told = [call for chunk in chunks for each in chunk.choices
            for call in each.delta.tool_calls or ()]  # fmt: skip
    assert [(call.index, call.id, call.function.arguments) for call in told] == [
        (0, "t1", ""), (0, None, '{"a"'), (0, None, ": 1}"), (1, "t2", ""), (1, None, "{}"),
    ]  # fmt: skip
    message = message_of(stream)
    assert [each.function.arguments for each in message.tool_calls] == ['{"a": 1}', "{}"]
    assert stream.response()[0].choices[0].finish_reason == "tool_calls"


@SIZES
def test_reasoning_is_joined_with_its_signature(size: int) -> None:
    body = reply_stream(
        delta(0, reasoningContent={"text": "h"}), delta(0, reasoningContent={"text": "m"}),
        delta(0, reasoningContent={"signature": "s1"}), stop(0),
        delta(1, reasoningContent={"redactedContent": "AAAA"}), stop(1),
        delta(2, reasoningContent={"signature": "alone"}), stop(2),
        delta(3, text="Hi"), stop(3),
    )  # fmt: skip
    stream, chunks = read(body, size)

    expected = [
        ReasoningBlock("thinking", "hm", "s1", model="m"),
        ReasoningBlock("redacted_thinking", data="AAAA", model="m"),
        ReasoningBlock("thinking", "", "alone", model="m"),
    ]
    message = message_of(stream)
    assert (message.reasoning, message.reasoning_details) == ("hm", expected)
    told = [block for chunk in chunks for each in chunk.choices
            for block in each.delta.reasoning_details or ()]  # fmt: skip
    assert told == expected
    assert [json.loads(block.raw) for block in message.native.blocks] == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s1"}}},
        {"reasoningContent": {"redactedContent": "AAAA"}},
        {"reasoningContent": {"reasoningText": {"text": "", "signature": "alone"}}},
        {"text": "Hi"},
    ]


def test_citations_become_annotations() -> None:
    body = reply_stream(
        delta(0, text="It is "), stop(0), delta(1, text="cited"), delta(1, citation=WEB), stop(1)
    )
    stream, chunks = read(body)

    expected = [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": 6, "end_index": 11, "url": "https://a.example", "title": "A",
            },
        }
    ]  # fmt: skip
    message = message_of(stream)
    assert (message.content, message.annotations) == ("It is cited", expected)
    assert chunks[-2].choices[0].delta.annotations == expected
    assert json.loads(message.native.blocks[1].raw) == {
        "citationsContent": {"content": [{"text": "cited"}], "citations": [WEB]}
    }


def test_the_services_own_calls_are_kept_for_it() -> None:
    body = reply_stream(
        start(0, "nova_code_interpreter", type="server_tool_use"), pieces(0, '{"a":', "1}"),
        stop(0),
        event("contentBlockStart", contentBlockIndex=1,
              start={"toolResult": {"toolUseId": "t1", "status": "success"}}),
        delta(1, toolResult=[{"json": {"b": 1}}]), delta(1, toolResult=[{"text": "c"}]), stop(1),
        delta(2, text="Done"), stop(2),
    )  # fmt: skip
    stream, _ = read(body)

    message = message_of(stream)
    assert (message.content, message.tool_calls) == ("Done", None)
    assert [json.loads(block.raw) for block in message.native.blocks[:2]] == [
        {
            "toolUse": {
                "toolUseId": "t1", "name": "nova_code_interpreter", "type": "server_tool_use",
                "input": {"a": 1},
            }
        },
        {
            "toolResult": {
                "toolUseId": "t1", "status": "success",
                "content": [{"json": {"b": 1}}, {"text": "c"}],
            }
        },
    ]  # fmt: skip


def test_a_stream_is_whole_only_with_its_metadata() -> None:
    whole = text_stream("Hello")
    last = len(event("metadata", usage={"inputTokens": 3, "outputTokens": 2, "totalTokens": 5},
                     metrics={"latencyMs": 9}))  # fmt: skip

    for end in range(len(whole)):
        stream, chunks = read(whole[:end])
        assert not stream.is_over
        assert all(chunk.usage is None for chunk in chunks)
    stream, _ = read(whole[:-last])
    assert not stream.is_over
    assert stream.response()[0].choices[0].message.content == "Hello"


def test_metadata_without_a_stop_reason_makes_no_whole_stream() -> None:
    body = event("messageStart", role="assistant") + delta(0, text="a") + event(
        "metadata", usage={"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
    )  # fmt: skip
    stream, _ = read(body)

    assert not stream.is_over
    assert stream.response()[1] == ["metadata: before messageStop"]


def test_a_failed_answer_is_a_failure() -> None:
    stream, _ = read(reply_stream(delta(0, text="a"), stop="malformed_tool_use"))

    assert not stream.is_over
    assert b"malformed_tool_use" in stream.failure


@pytest.mark.parametrize("stop_", ["guardrail_intervened", "content_filtered"])
def test_a_filtered_answer_without_content_is_a_refusal(stop_: str) -> None:
    stream, _ = read(reply_stream(stop=stop_))

    assert (stream.is_over, stream.is_refusal) == (True, True)
    assert stream.response()[0].choices[0].finish_reason == "content_filter"


def test_an_exception_ends_the_stream_with_its_body() -> None:
    body = text_stream("Hello")
    stream = decoder()
    stream.feed(body[: body.index(b"messageStop")][:-40])
    first = decoder()

    first.feed(exception("throttlingException", message="Slow down") + body)

    assert json.loads(first.failure) == {"message": "Slow down", "__type": "throttlingException"}
    assert (first.has_content, first.is_over) == (False, False)
    assert first.feed(body) == []


def test_an_exception_after_content_is_a_failure_too() -> None:
    stream = decoder()
    stream.feed(event("messageStart", role="assistant") + delta(0, text="a"))
    stream.feed(exception("modelStreamErrorException", message="x", originalStatusCode=500))

    assert stream.has_content
    assert json.loads(stream.failure)["originalStatusCode"] == 500


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (start(0, "structured_output") + pieces(0, '{"a":', "1}") + stop(0), '{"a":1}'),
        (delta(0, text="I ") + delta(0, text="cannot") + stop(0), "I cannot"),
    ],
)
def test_the_forced_tools_input_is_the_answer(answer: bytes, expected: str) -> None:
    stream, chunks = read(reply_stream(answer, stop="tool_use"), emulated=True)

    told = [each for chunk in chunks for each in chunk.choices]
    assert "".join(each.delta.content or "" for each in told) == expected
    assert message_of(stream).content == expected
    assert all(each.delta.tool_calls is None for each in told)


@pytest.mark.parametrize(
    ("events", "note"),
    [
        (event("sparkle", a=1), "sparkle: an unknown event, left out of the stream"),
        (event("messageStart", role="assistant"), "messageStart: a second one"),
        (delta(0, sparkle=1), "contentBlockDelta: an unknown one, left out of the stream"),
        (event("contentBlockDelta", contentBlockIndex=0, delta=5), "contentBlockDelta: without"),
        (pieces(3, "{}"), "contentBlockDelta: of a call without a start, left out"),
        (start(4) + start(4), "contentBlockStart: a second one"),
        (
            delta(0, text="a") + stop(0) + delta(0, text="b"),
            "contentBlockDelta: text in a block of",
        ),
    ],
)
def test_what_deviates_costs_only_itself(events: bytes, note: str) -> None:
    stream, _ = read(reply_stream(delta(9, text="Hi"), events, stop(9)))

    assert stream.is_over
    assert "Hi" in message_of(stream).content
    assert any(each.startswith(note) for each in stream.response()[1])


def test_an_input_that_is_no_text_is_read_as_json() -> None:
    stream, _ = read(
        reply_stream(start(0), delta(0, toolUse={"input": {"a": 1}}), stop(0), stop="tool_use")
    )

    assert message_of(stream).tool_calls[0].function.arguments == '{"a":1}'


def test_an_event_that_is_no_json_is_an_error() -> None:
    broken = frame(b"{", (":event-type", "contentBlockDelta"), (":message-type", "event"))
    stream = decoder()

    with pytest.raises(MalformedResponseError) as raised:
        stream.feed(broken)

    assert raised.value.code == "not_json"


@pytest.mark.parametrize(
    ("limit", "code"), [("max_frame_bytes", "frame_too_large"), ("max_reply_bytes", "too_large")]
)
def test_the_size_of_a_stream_is_bounded(limit: str, code: str) -> None:
    stream = decoder(**{limit: 200})
    body = delta(0, text="a" * 150) + delta(0, text="b" * 150)

    with pytest.raises(MalformedResponseError) as raised:
        [stream.feed(body), stream.feed(b"")]

    assert raised.value.code == code


@pytest.mark.parametrize(
    "block", [delta(0, text=""), delta(0, reasoningContent={"text": ""}), start(0) + stop(0)]
)
def test_content_is_what_the_caller_can_use(block: bytes) -> None:
    stream = decoder()

    stream.feed(event("messageStart", role="assistant") + block)

    assert stream.has_content is (b"toolUse" in block)


def test_only_a_setting_makes_the_stop_reason_the_end() -> None:
    body = text_stream("Hello")
    cut = body[: body.index(b"metadata") - 27]  # before the sizes and the header's name

    for stream_end, is_over in (("", False), ("unknown", False), ("finish_reason", True)):
        stream, _ = read(cut, stream_end=stream_end)
        assert stream.is_over is is_over
