"""Recorded replies are read as the official `openai` package reads them, however they arrive."""

from __future__ import annotations

from typing import Any, Optional

import msgspec
import pytest

import specado
from official import problems
from responses_core import OPENAI, TAG, encode_responses_request
from responses_recordings import RECORDINGS, Reading, Recording, official_reading
from specado._core import ResponsesStream, decode_responses_reply, normalize
from specado.errors import MalformedResponseError
from specado.types import ChatCompletionResponse, Choice

IDS = [recording.id for recording in RECORDINGS]
STREAMS = [recording for recording in RECORDINGS if recording.is_stream]
WHOLE = [recording for recording in RECORDINGS if not recording.is_stream]
ANSWERS = [recording for recording in WHOLE if recording.status == 200]
# Asked for in the background: the replies say that they wait.
WAITING = {
    "c6aeac7e11993f88",
    "3dcb6697bb2321d4",
    "fe77ee2978734c97",
    "b5453c613cba288e",
    "c853b86e54b8a8a6",
}
FINISHED = [recording for recording in ANSWERS if recording.id not in WAITING]
LIMITS = {"max_frame_bytes": 1 << 20, "max_reply_bytes": 1 << 24}


def stream_of(recording: Recording, size: int, end: Optional[int] = None) -> Any:
    """Return the decoder of a recorded stream, read *size* bytes at a time, and its chunks."""
    stream = ResponsesStream("openai", recording.model, 1, include_usage=True, **LIMITS)
    chunks = []
    body = recording.body[:end]
    for start in range(0, len(body), size):
        chunks += stream.feed(body[start : start + size])
    return stream, chunks + stream.finish()


def assert_read_as(reply: ChatCompletionResponse, official: Reading) -> None:
    choice = reply.choices[0]
    message, usage = choice.message, reply.usage
    assert usage is not None
    prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
    calls = [
        (call.id, call.function.name, call.function.arguments)
        for call in message.tool_calls or ()
        if call.function is not None
    ]
    thoughts = [(each.id, each.text, each.data) for each in message.reasoning_details or ()]
    cited = [each["url_citation"] for each in message.annotations or () if "url_citation" in each]

    assert (reply.id, reply.model) == (official.id, official.model)
    assert (message.content or "", message.refusal or "") == (official.text, official.refusal)
    assert calls == official.calls
    assert thoughts == [
        (id_, "\n\n".join(summary) or None, data) for id_, summary, data in official.thoughts
    ]
    assert [(each["url"], each["start_index"], each["end_index"]) for each in cited] == (
        official.citations
    )
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (
        official.tokens[:3]
    )
    assert prompt is not None
    assert completion is not None
    assert (prompt.cached_tokens, completion.reasoning_tokens) == official.tokens[3:]
    assert choice.finish_reason == ("tool_calls" if calls else "stop")


def joined(chunks: list[Any]) -> Choice:
    """Return the choice that chunks add up to, of what is sent in pieces."""
    text, reasoning, calls, details, annotations = "", "", [], [], []
    reason = None
    for chunk in chunks:
        for choice in chunk.choices:
            delta = choice.delta
            text += delta.content or ""
            reasoning += delta.reasoning or ""
            details += delta.reasoning_details or []
            annotations += delta.annotations or []
            reason = choice.finish_reason or reason
            for piece in delta.tool_calls or ():
                if piece.id is not None:
                    calls.append([piece.id, piece.function.name, ""])
                calls[piece.index][2] += piece.function.arguments
    found = [specado.ToolCall(id_, specado.FunctionCall(name, said)) for id_, name, said in calls]
    message = specado.Message(
        "assistant",
        text or None,
        tool_calls=found or None,
        reasoning=reasoning or None,
        reasoning_details=details or None,
        annotations=annotations or None,
    )
    return Choice(0, message, reason)


@pytest.mark.parametrize("recording", FINISHED, ids=lambda each: each.id)
def test_a_whole_reply_is_read_as_the_package_reads_it(recording: Recording) -> None:
    reply, _ = decode_responses_reply(recording.body, "openai", recording.model, 1)

    assert_read_as(reply, official_reading(recording))


@pytest.mark.parametrize("recording", [r for r in ANSWERS if r.id in WAITING], ids=lambda r: r.id)
def test_a_reply_that_waits_is_no_answer(recording: Recording) -> None:
    with pytest.raises(MalformedResponseError, match="not finished: its status is 'queued'"):
        decode_responses_reply(recording.body, "openai", recording.model, 1)


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize("recording", STREAMS, ids=lambda each: each.id)
def test_a_stream_is_read_as_the_package_reads_it(recording: Recording, size: int) -> None:
    stream, chunks = stream_of(recording, size)
    reply, _ = stream.response()
    told = joined(chunks)

    assert stream.is_over
    assert_read_as(reply, official_reading(recording))
    assert told.message == reply.choices[0].message
    assert told.finish_reason == reply.choices[0].finish_reason
    assert chunks[-1].usage == reply.usage


@pytest.mark.parametrize("recording", STREAMS, ids=lambda each: each.id)
def test_a_stream_that_is_cut_is_never_whole(recording: Recording) -> None:
    whole = len(recording.body.rstrip())
    stream = ResponsesStream("openai", recording.model, 1, **LIMITS)
    for place in range(whole - 1):
        stream.feed(recording.body[place : place + 1])
        assert not stream.is_over

    stream.finish()

    assert not stream.is_over


def ends(recording: Recording) -> list[int]:
    """Return places in a stream: every byte of its last events, else some of each event."""
    size = len(recording.body.rstrip())
    return [*range(0, size - 400, 97), *range(max(size - 400, 0), size - 1)]


@pytest.mark.parametrize("recording", STREAMS[:6], ids=lambda each: each.id)
def test_a_clean_end_at_any_byte_is_never_whole(recording: Recording) -> None:
    for end in ends(recording):
        stream, _ = stream_of(recording, 1 << 20, end)
        reply, _ = stream.response()

        assert not stream.is_over
        assert reply.choices[0].finish_reason is None
        assert reply.choices[0].message.native is None


def said(recording: Recording) -> specado.Message:
    if recording.is_stream:
        reply = stream_of(recording, 1 << 20)[0].response()[0]
    else:
        reply = decode_responses_reply(recording.body, "openai", recording.model, 1)[0]
    message: specado.Message = reply.choices[0].message
    if message.native is not None:
        message.native = msgspec.structs.replace(message.native, tag=TAG)
    return message


@pytest.mark.parametrize("target", [OPENAI, None])
@pytest.mark.parametrize("recording", [*FINISHED, *STREAMS], ids=lambda each: each.id)
def test_an_answer_goes_back_as_the_package_types_say(recording: Recording, target: Any) -> None:
    message = said(recording)
    results = [specado.Message("tool", "ok", tool_call_id=c.id) for c in message.tool_calls or ()]
    user = specado.Message("user", "hi")
    history = normalize([user, message, *results, user])

    body, _ = encode_responses_request(history, recording.model, {}, None, None, target)

    # What the provider wrote goes back to it, also where the package has no type for it.
    is_untyped = target is not None and b'{"type":"api","name":"oai-weather"}' in body
    assert is_untyped or problems("responses-request", body) == []
