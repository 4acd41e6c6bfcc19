"""Recorded replies are read as the official `google-genai` package reads them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Optional

import pytest

import specado
from gemini_recordings import RECORDINGS, Reading, Recording, official_reading, signature_bytes
from specado._core import GeminiStream, ReportedFailure, decode_gemini_reply

if TYPE_CHECKING:
    from specado.types import ChatCompletionResponse, Choice

STREAMS = [recording for recording in RECORDINGS if recording.is_stream]
WHOLE = [recording for recording in RECORDINGS if not recording.is_stream]
# Replies of status 200 that say that the answer failed, or that the prompt was blocked.
FAILED = {
    "eff647613a062a10": specado.ContentPolicyError,
    "8c5f68faee6a799c": specado.MalformedResponseError,
    "0493e19f7a9ecfff": specado.MalformedResponseError,
    "2a17aa59e376a457": specado.MalformedResponseError,
    "9b73d69c1062ee3f": specado.MalformedResponseError,
    "849d8a7f7c594cf2": specado.MalformedResponseError,
}
ANSWERS = [each for each in WHOLE if each.status == 200 and each.id not in FAILED]
FINISH_REASONS = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "MODEL_ARMOR": "content_filter",
}
LIMITS = {"max_frame_bytes": 1 << 20, "max_reply_bytes": 1 << 24}


def ids(recordings: list[Recording]) -> list[str]:
    return [recording.id for recording in recordings]


def stream_of(recording: Recording, size: int, end: Optional[int] = None) -> Any:
    """Return the decoder of a recorded stream, read *size* bytes at a time, and its chunks."""
    stream = GeminiStream("gemini", recording.model, 1, include_usage=True, **LIMITS)
    chunks = []
    body = recording.body[:end]
    for start in range(0, len(body), size):
        chunks += stream.feed(body[start : start + size])
    return stream, chunks + stream.finish()


def check_choice(choice: Choice, reading: Reading) -> None:
    """Hold a choice against what the official package read."""
    answer = reading.answers[choice.index]
    message = choice.message
    assert message.content == (answer.text or (None if answer.calls else ""))
    assert (message.reasoning or "") == answer.thoughts
    calls = message.tool_calls or []
    assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == [
        (name, args) for _, name, args in answer.calls
    ]
    for call, (own_id, _, _) in zip(calls, answer.calls):
        assert call.id == own_id or (own_id is None and call.id.startswith("call_"))
    assert len({call.id for call in calls}) == len(calls)
    signatures = [
        signature_bytes(block.data or block.signature or "")
        for block in message.reasoning_details or ()
        if block.data or block.signature
    ]
    assert signatures == answer.signatures
    expected = FINISH_REASONS[answer.finish or ""]
    assert choice.finish_reason == ("tool_calls" if calls and expected == "stop" else expected)


def check_reply(reply: ChatCompletionResponse, reading: Reading) -> None:
    assert (reply.id, reply.model) == (reading.id, reading.model)
    assert [choice.index for choice in reply.choices] == sorted(reading.answers)
    for choice in reply.choices:
        check_choice(choice, reading)
    assert reply.usage is not None
    prompt, completion = reply.usage.prompt_tokens_details, reply.usage.completion_tokens_details
    assert reply.usage.prompt_tokens == reading.prompt_tokens
    assert reply.usage.completion_tokens == reading.completion_tokens
    assert ((prompt and prompt.cached_tokens) or 0) == reading.cached_tokens
    assert ((completion and completion.reasoning_tokens) or 0) == reading.reasoning_tokens


@pytest.mark.parametrize("recording", ANSWERS, ids=ids(ANSWERS))
def test_a_reply_is_read_as_the_official_package_reads_it(recording: Recording) -> None:
    reading = official_reading(recording)

    reply, _ = decode_gemini_reply(recording.body, "gemini", recording.model, 1)

    check_reply(reply, reading)


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize("recording", STREAMS, ids=ids(STREAMS))
def test_a_stream_is_read_as_the_official_package_reads_it(recording: Recording, size: int) -> None:
    reading = official_reading(recording)

    stream, chunks = stream_of(recording, size)

    assert stream.is_over
    reply, _ = stream.response()
    check_reply(reply, reading)
    told = [choice for chunk in chunks for choice in chunk.choices]
    for choice in reply.choices:
        own = [each for each in told if each.index == choice.index]
        assert "".join(each.delta.content or "" for each in own) == (choice.message.content or "")
        assert "".join(each.delta.reasoning or "" for each in own) == (
            choice.message.reasoning or ""
        )
        assert [each.finish_reason for each in own if each.finish_reason] == [choice.finish_reason]
        assert own[0].delta.role == "assistant"
        details = [block for each in own for block in each.delta.reasoning_details or ()]
        assert details == (choice.message.reasoning_details or [])
        calls = [call for each in own for call in each.delta.tool_calls or ()]
        assert [call.index for call in calls] == list(range(len(calls)))
        assert [call.id for call in calls] == [call.id for call in choice.message.tool_calls or ()]
    assert chunks[-1].usage == reply.usage


@pytest.mark.parametrize("recording", STREAMS, ids=ids(STREAMS))
def test_a_stream_that_is_cut_off_is_never_whole(recording: Recording) -> None:
    # At each byte near the end and at every 97th before it; the last event needs no blank line.
    size = len(recording.body.rstrip(b"\r\n"))
    last = recording.body.rfind(b"data:")
    for end in [*range(0, last, 97), *range(last, size)]:
        stream, _ = stream_of(recording, 1 << 20, end)

        assert not stream.is_over, end


@pytest.mark.parametrize("recording", STREAMS, ids=ids(STREAMS))
def test_a_stream_whose_connection_broke_at_its_end_is_not_whole(recording: Recording) -> None:
    stream = GeminiStream("gemini", recording.model, 1, **LIMITS)
    stream.feed(recording.body)

    stream.finish(is_clean=False)

    assert not stream.is_over


@pytest.mark.parametrize("id_", FAILED)
def test_an_answer_that_failed_is_an_error(id_: str) -> None:
    body = next(recording.body for recording in WHOLE if recording.id == id_)

    with pytest.raises(ReportedFailure) as caught:
        decode_gemini_reply(body, "gemini", "m", 1)

    error = specado.parse_error(200, {}, caught.value.body, "gemini")
    assert type(error) is FAILED[id_]


@pytest.mark.parametrize(
    ("id_", "expected"),
    [
        (each.id, specado.ModelNotFoundError if each.status == 404 else specado.InvalidRequestError)
        for each in WHOLE
        if each.status != 200
    ],
)
def test_an_error_has_its_class(id_: str, expected: type[specado.ProviderError]) -> None:
    recording = next(each for each in WHOLE if each.id == id_)

    error = specado.parse_error(recording.status, {}, recording.body, "gemini")

    assert type(error) is expected
    assert json.loads(recording.body)["error"]["message"][:100] in str(error)
