"""Streams of Gemini: their parts, their end, and the errors that come in a status of success."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from specado._core import GeminiStream
from specado.errors import MalformedResponseError
from specado.types import ReasoningBlock

LIMITS = {"max_frame_bytes": 10_000, "max_reply_bytes": 100_000}
USAGE = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
QUOTA = {"error": {"code": 429, "message": "Too many", "status": "RESOURCE_EXHAUSTED"}}


def event(*parts: Any, finish: str | None = None, index: int | None = 0, **more: Any) -> Any:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}}
    if index is not None:
        candidate["index"] = index
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "responseId": "r1", "modelVersion": "gemini-x", **more}


def sse(*events: Any, end: str = "\r\n\r\n") -> bytes:
    return "".join(f"data: {json.dumps(each)}{end}" for each in events).encode()


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"text": words, **more}


def call(name: str, **more: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": {"q": name}, **more}}


def decoder(**options: Any) -> GeminiStream:
    return GeminiStream("gemini", "asked", 1, include_usage=True, **LIMITS, **options)


def read(body: bytes, size: int = 1 << 20, **options: Any) -> tuple[Any, list[Any]]:
    stream = decoder(**options)
    chunks = []
    for start in range(0, len(body), size):
        chunks += stream.feed(body[start : start + size])
    return stream, chunks + stream.finish()


def answer_of(stream: Any) -> Any:
    return stream.response()[0].choices[0]


SIZES = pytest.mark.parametrize("size", [1, 7, 1 << 20])


@SIZES
@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r"])
def test_lines_may_end_in_any_way(end: str, size: int) -> None:
    stream, chunks = read(sse(event(text("Hel")), event(text("lo"), finish="STOP"), end=end), size)

    assert stream.is_over
    assert answer_of(stream).message.content == "Hello"
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["Hel", "lo", None]


@SIZES
def test_the_json_of_an_event_may_stand_in_several_lines(size: int) -> None:
    lines = json.dumps(event(text("Hello"), finish="STOP"), indent=1).splitlines()
    body = "".join(f"data: {line}\n" for line in lines) + "\n"

    stream, _ = read(body.encode(), size)

    assert stream.is_over
    assert answer_of(stream).message.content == "Hello"


def test_a_finish_reason_in_every_event_counts_at_the_end() -> None:
    body = sse(event(text("a"), finish="STOP"), event(text("b"), finish="STOP"))

    stream, chunks = read(body)

    assert stream.is_over
    assert answer_of(stream).message.content == "ab"
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None, None, "stop"]


def test_a_call_before_the_event_that_ends_makes_it_tool_calls() -> None:
    stream, chunks = read(sse(event(call("f")), event(text(""), finish="STOP")))

    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    assert answer_of(stream).finish_reason == "tool_calls"
    assert answer_of(stream).message.content is None


@pytest.mark.parametrize(
    ("reason", "expected"), [("MAX_TOKENS", "length"), ("SAFETY", "content_filter")]
)
def test_only_stop_becomes_tool_calls(reason: str, expected: str) -> None:
    stream, _ = read(sse(event(call("f")), event(finish=reason)))

    assert answer_of(stream).finish_reason == expected


def test_parallel_calls_in_events_of_their_own_have_their_own_ids_and_indexes() -> None:
    body = sse(event(call("f")), event(call("f"), call("g", id="own")), event(finish="STOP"))

    stream, chunks = read(body)

    told = [each for chunk in chunks for each in chunk.choices[0].delta.tool_calls or ()]
    assert [each.index for each in told] == [0, 1, 2]
    assert [each.function.name for each in told] == ["f", "f", "g"]
    assert [each.function.arguments for each in told] == ['{"q": "f"}', '{"q": "f"}', '{"q": "g"}']
    assert len({each.id for each in told}) == 3
    assert told[2].id == "own"
    assert [each.id for each in answer_of(stream).message.tool_calls] == [each.id for each in told]


def test_arguments_that_come_in_pieces_are_one_call() -> None:
    pieces = [
        {"name": "f", "id": "own", "willContinue": True},
        {"partialArgs": [{"jsonPath": "$.a.b[0]", "stringValue": "x"}], "willContinue": True},
        {"partialArgs": [{"jsonPath": "$.a.b[0]", "stringValue": "y"}], "willContinue": True},
        {"partialArgs": [{"jsonPath": "$.n", "numberValue": 2.5}], "willContinue": True},
        {},
    ]
    events = [event({"functionCall": piece}) for piece in pieces]
    events[0]["candidates"][0]["content"]["parts"][0]["thoughtSignature"] = "c2ln"

    stream, chunks = read(sse(*events, event(finish="STOP")))

    message = answer_of(stream).message
    assert message.tool_calls == [
        specado.ToolCall("own", specado.FunctionCall("f", '{"a":{"b":["xy"]},"n":2.5}'))
    ]
    assert message.reasoning_details[0].data == "c2ln"
    assert len(chunks) == 2


def test_a_call_whose_arguments_do_not_end_leaves_the_stream_unfinished() -> None:
    stream, _ = read(
        sse(event({"functionCall": {"name": "f", "willContinue": True}}), event(finish="STOP"))
    )

    assert not stream.is_over


def test_a_signature_belongs_to_its_part() -> None:
    body = sse(
        event(text("think", thought=True)),
        event(text("ing", thought=True)),
        event(text("Hello")),
        event(text("", thoughtSignature="c2ln")),
        event(text("again"), finish="STOP"),
    )

    stream, chunks = read(body)

    message = answer_of(stream).message
    assert message.content == "Helloagain"
    assert message.reasoning == "thinking"
    assert message.reasoning_details == [
        ReasoningBlock("reasoning.text", "thinking", model="gemini-x", format="google-gemini-v1"),
        ReasoningBlock(
            "reasoning.encrypted", data="c2ln", model="gemini-x", format="google-gemini-v1"
        ),
    ]
    assert [json.loads(block.raw) for block in message.native.blocks] == [
        {"text": "thinking", "thought": True},
        {"text": "Hello"},
        {"thoughtSignature": "c2ln"},
        {"text": ""},
        {"text": "again"},
    ]
    told = [b for chunk in chunks for b in chunk.choices[0].delta.reasoning_details or ()]
    assert told == message.reasoning_details


def test_several_candidates_are_several_choices() -> None:
    body = sse(
        event(text("a"), index=0),
        event(text("b"), index=1, finish="STOP"),
        event(text("c"), index=0, finish="MAX_TOKENS"),
    )

    stream, chunks = read(body)

    assert stream.is_over
    assert [
        (choice.index, choice.message.content, choice.finish_reason)
        for choice in stream.response()[0].choices
    ] == [(0, "ac", "length"), (1, "b", "stop")]
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [
        None, None, None, "length", "stop",
    ]  # fmt: skip


def test_a_stream_is_whole_when_every_candidate_has_a_reason() -> None:
    stream, _ = read(sse(event(text("a"), index=0), event(text("b"), index=1, finish="STOP")))

    assert not stream.is_over


def test_a_usage_is_merged_member_by_member() -> None:
    first = {**USAGE, "cachedContentTokenCount": 1}
    last = {"promptTokenCount": 3, "candidatesTokenCount": 4, "thoughtsTokenCount": 7}
    body = sse(
        event(text("a"), usageMetadata=first),
        event(finish="STOP", usageMetadata={**last, "serviceTier": "standard"}),
    )

    stream, chunks = read(body)

    usage = chunks[-1].usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (3, 11, 14)
    assert usage.prompt_tokens_details.cached_tokens == 1
    assert usage.completion_tokens_details.reasoning_tokens == 7
    assert stream.response()[0].usage == usage
    assert chunks[-1].service_tier == "default"


@pytest.mark.parametrize("reason", ["CONTINUATION", "FINISH_REASON_UNSPECIFIED"])
def test_an_answer_that_goes_on_is_not_whole(reason: str) -> None:
    stream, _ = read(sse(event(text("a"), finish=reason)))

    assert not stream.is_over


def test_a_clean_end_without_a_finish_reason_is_not_whole() -> None:
    stream, chunks = read(sse(event(text("a"))))

    assert not stream.is_over
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None]


def test_a_usage_may_be_part_of_the_proof() -> None:
    body = event(text("a"), finish="STOP")

    without, _ = read(sse(body), stream_end="finish_and_usage")
    with_usage, _ = read(sse({**body, "usageMetadata": USAGE}), stream_end="finish_and_usage")

    assert (without.is_over, with_usage.is_over) == (False, True)


def test_an_empty_answer_is_whole() -> None:
    stream, chunks = read(sse({"candidates": [{"finishReason": "STOP", "index": 0}]}))

    assert stream.is_over
    assert answer_of(stream).message.content == ""
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[0].choices[0].finish_reason == "stop"


def test_a_filtered_answer_without_content_is_a_refusal() -> None:
    stream, _ = read(sse(event(finish="SAFETY")))

    assert stream.is_over
    assert stream.is_refusal


# Errors

ERROR_FORMS = {
    "an event": sse(QUOTA),
    "a list in an event": sse([QUOTA]),
    "plain JSON": json.dumps(QUOTA).encode(),
    "indented JSON": json.dumps(QUOTA, indent=2).encode(),
    "an indented list": json.dumps([QUOTA], indent=2).encode() + b"\n",
    "indented JSON after a blank line": b"\r\n" + json.dumps(QUOTA, indent=2).encode(),
}


@SIZES
@pytest.mark.parametrize("form", ERROR_FORMS)
@pytest.mark.parametrize("before", [b"", sse(event(text("a"), finish="STOP"))])
def test_an_error_in_a_stream_is_a_failure(before: bytes, form: str, size: int) -> None:
    stream, chunks = read(before + ERROR_FORMS[form], size)

    assert not stream.is_over
    assert len(chunks) == bool(before)
    error = specado.parse_error(200, {}, stream.failure, "gemini")
    assert (type(error), error.code) == (specado.RateLimitError, "RESOURCE_EXHAUSTED")
    assert "Too many" in str(error)


def test_an_error_that_is_cut_off_leaves_the_stream_unfinished() -> None:
    tail = json.dumps(QUOTA, indent=2).encode()

    for end in range(1, len(tail)):
        stream, _ = read(sse(event(text("a"), finish="STOP")) + tail[:end])

        assert not stream.is_over
        assert stream.failure is None


@SIZES
def test_replies_without_data_lines_are_read_at_the_end(size: int) -> None:
    body = json.dumps([event(text("a")), event(text("b"), finish="STOP")], indent=1).encode()

    stream, chunks = read(body, size)

    assert stream.is_over
    assert answer_of(stream).message.content == "ab"
    assert stream.response()[1][0] == "the events have no data: lines"
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["a", "b", None]


def test_a_blocked_prompt_is_a_failure() -> None:
    feedback = {"blockReason": "PROHIBITED_CONTENT"}

    stream, _ = read(sse({"promptFeedback": feedback, "usageMetadata": USAGE}))

    error = specado.parse_error(200, {}, stream.failure, "gemini")
    assert type(error) is specado.ContentPolicyError
    assert "PROHIBITED_CONTENT" in str(error)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("MALFORMED_FUNCTION_CALL", specado.MalformedResponseError),
        ("MALFORMED_RESPONSE", specado.MalformedResponseError),
        ("UNEXPECTED_TOOL_CALL", specado.MalformedResponseError),
        ("TOO_MANY_TOOL_CALLS", specado.MalformedResponseError),
        ("MISSING_THOUGHT_SIGNATURE", specado.InvalidRequestError),
    ],
)
def test_an_answer_that_failed_is_a_failure(reason: str, expected: Any) -> None:
    body = event(finish=reason)
    body["candidates"][0]["finishMessage"] = "It said why."

    stream, _ = read(sse(body))

    error = specado.parse_error(200, {}, stream.failure, "gemini")
    assert type(error) is expected
    assert "It said why." in str(error)


# Deviations


def test_keep_alives_and_a_sentinel_are_left_out() -> None:
    body = b"data: {}\n\n" + sse(event(text("a"), finish="STOP")) + b"data: [DONE]\n\n"

    stream, _ = read(body)

    assert stream.is_over
    assert answer_of(stream).message.content == "a"


def test_what_cannot_be_read_is_left_out_with_a_note() -> None:
    body = event(text("a"), {"text": 5}, finish="STOP")
    body["usageMetadata"] = {"promptTokenCount": "3", "candidatesTokenCount": 1, "newTokens": 4}

    stream, _ = read(sse(body))

    reply, notes = stream.response()
    assert reply.choices[0].message.content == "a"
    assert reply.usage.prompt_tokens == 3
    assert reply.usage_certainty == "unknown"
    assert notes == [
        "candidates[0].content.parts[1]: not a part, left out",
        "usageMetadata.newTokens: not priced",
        "usageMetadata.promptTokenCount: a str, read as a whole number",
    ]


def test_an_event_that_is_no_object_is_malformed() -> None:
    stream = decoder()

    with pytest.raises(MalformedResponseError) as caught:
        stream.feed(b"data: nonsense\n\n")

    assert caught.value.code == "not_json"


def test_a_reply_that_is_too_large_is_refused() -> None:
    stream = decoder()
    events = sse(*[event(text("a" * 5000))] * 30)

    stream.feed(events)
    with pytest.raises(MalformedResponseError) as caught:
        stream.feed(b"")

    assert caught.value.code == "too_large"


def test_plain_json_after_the_events_is_bounded_too() -> None:
    stream = decoder()

    stream.feed(b'{"error": "' + b"a" * 150_000)
    with pytest.raises(MalformedResponseError) as caught:
        stream.feed(b"")

    assert caught.value.code == "too_large"
