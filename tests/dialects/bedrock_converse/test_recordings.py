"""Recorded replies and streams of Bedrock are read as botocore reads them."""

from __future__ import annotations

import base64
import json
from typing import Any, Optional

import pytest

import official_bedrock
import specado
from bedrock_facts import own
from bedrock_recordings import REPLIES, REQUESTS, RecordedReply, RecordedRequest
from specado._core import BedrockStream, decode_bedrock_reply
from specado.dialects.bedrock_converse.requests import path

STREAMS = [each for each in REPLIES if each.is_stream]
ANSWERS = [each for each in REPLIES if not each.is_stream and each.status == 200]
ERRORS = [each for each in REPLIES if each.status != 200]
LIMITS = {"max_frame_bytes": 1 << 20, "max_reply_bytes": 1 << 24}
FINISH_REASONS = {
    "end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls",
}  # fmt: skip


def ids(recordings: Any) -> list[str]:
    return [each.id for each in recordings]


def read(recording: RecordedReply, size: int, end: Optional[int] = None) -> Any:
    """Return the decoder of a recorded stream, read *size* bytes at a time, and its chunks."""
    stream = BedrockStream("bedrock", recording.model, 1, include_usage=True, **LIMITS)
    chunks = []
    body = recording.body[:end]
    for start in range(0, len(body), size):
        chunks += stream.feed(body[start : start + size])
    return stream, chunks + stream.finish()


def check_content(message: Any, blocks: list[Any]) -> None:
    """Hold a message against the content blocks that botocore read."""
    texts = "".join(block["text"] for block in blocks if "text" in block)
    calls = [
        block["toolUse"]
        for block in blocks
        if "toolUse" in block and block["toolUse"].get("type") != "server_tool_use"
    ]
    thoughts = [block["reasoningContent"] for block in blocks if "reasoningContent" in block]
    assert message.content == (texts or (None if calls else ""))
    assert [
        (call.id, call.function.name, json.loads(call.function.arguments))
        for call in message.tool_calls or ()
    ] == [(call["toolUseId"], call["name"], call["input"]) for call in calls]
    told = [each.get("reasoningText", {}) for each in thoughts]
    assert (message.reasoning or "") == "".join(each.get("text", "") for each in told)
    assert [block.signature for block in message.reasoning_details or ()] == [
        each.get("signature") for each in told
    ]
    assert [base64.b64decode(block.data or "") for block in message.reasoning_details or ()] == [
        each.get("redactedContent", b"") for each in thoughts
    ]


def check_usage(usage: Any, counts: dict[str, int]) -> None:
    cached = counts.get("cacheReadInputTokens", 0) + counts.get("cacheWriteInputTokens", 0)
    assert usage.prompt_tokens == counts["inputTokens"] + cached
    assert usage.completion_tokens == counts["outputTokens"]
    assert usage.total_tokens == counts["totalTokens"]


@pytest.mark.parametrize("recording", ANSWERS, ids=ids(ANSWERS))
def test_a_reply_is_read_as_botocore_reads_it(recording: RecordedReply) -> None:
    official = official_bedrock.reply_of(recording.body, 200, recording.headers)

    reply, _ = decode_bedrock_reply(recording.body, "bedrock", recording.model, 1)

    [choice] = reply.choices
    check_content(choice.message, official["output"]["message"]["content"])
    assert choice.finish_reason == FINISH_REASONS[official["stopReason"]]
    check_usage(reply.usage, official["usage"])


def blocks_of(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the content blocks that a stream's events add up to, as a whole reply has them."""
    blocks: dict[int, dict[str, Any]] = {}
    for each in events:
        [(name, event)] = each.items()
        block = blocks.setdefault(event.get("contentBlockIndex", -1), {})
        if name == "contentBlockStart" and "toolUse" in event["start"]:
            block["toolUse"] = {**event["start"]["toolUse"], "input": ""}
        elif name == "contentBlockDelta":
            [(kind, delta)] = event["delta"].items()
            if kind == "text":
                block["text"] = block.get("text", "") + delta
            elif kind == "toolUse":
                block["toolUse"]["input"] += delta["input"]
            elif kind == "reasoningContent" and "redactedContent" in delta:
                block["reasoningContent"] = delta
            elif kind == "reasoningContent":
                told = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {})
                for part, text in delta.items():
                    told[part] = told.get(part, "") + text
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"] or "{}")
    return [block for _, block in sorted(blocks.items()) if block]


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize("recording", STREAMS, ids=ids(STREAMS))
def test_a_stream_is_read_as_botocore_reads_it(recording: RecordedReply, size: int) -> None:
    official = official_bedrock.events_of(recording.body)

    stream, chunks = read(recording, size)

    assert stream.is_over
    reply, _ = stream.response()
    [choice] = reply.choices
    check_content(choice.message, blocks_of(official.events))
    [stop] = [event["messageStop"] for event in official.events if "messageStop" in event]
    assert choice.finish_reason == FINISH_REASONS[stop["stopReason"]]
    check_usage(reply.usage, official.events[-1]["metadata"]["usage"])
    told = [each for chunk in chunks for each in chunk.choices]
    assert told[0].delta.role == "assistant"
    assert "".join(each.delta.content or "" for each in told) == (choice.message.content or "")
    assert "".join(each.delta.reasoning or "" for each in told) == (choice.message.reasoning or "")
    assert [each.finish_reason for each in told if each.finish_reason] == [choice.finish_reason]
    details = [block for each in told for block in each.delta.reasoning_details or ()]
    assert details == (choice.message.reasoning_details or [])
    calls = [call for each in told for call in each.delta.tool_calls or ()]
    assert [call.id for call in calls if call.id] == [
        call.id for call in choice.message.tool_calls or ()
    ]
    assert chunks[-1].usage == reply.usage


@pytest.mark.parametrize("recording", STREAMS, ids=ids(STREAMS))
def test_a_stream_that_is_cut_off_is_never_whole(recording: RecordedReply) -> None:
    # At each byte of the last two events, and at every 97th before them.
    last = recording.body.rfind(b"messageStop")
    for end in [*range(0, last, 97), *range(last, len(recording.body))]:
        stream, _ = read(recording, 1 << 20, end)

        assert not stream.is_over, end


@pytest.mark.parametrize("recording", ERRORS, ids=ids(ERRORS))
def test_an_error_has_its_class(recording: RecordedReply) -> None:
    message = json.loads(recording.body)["message"]
    is_unknown = "model identifier is invalid" in message

    error = specado.parse_error(recording.status, recording.headers, recording.body, own())

    assert type(error) is (
        specado.ModelNotFoundError if is_unknown else specado.InvalidRequestError
    )
    assert message[:100] in str(error)


@pytest.mark.parametrize("recording", REQUESTS, ids=ids(REQUESTS))
def test_the_path_is_that_of_the_recording(recording: RecordedRequest) -> None:
    assert path(recording.model, recording.is_stream) == recording.path


@pytest.mark.parametrize("recording", REQUESTS, ids=ids(REQUESTS))
def test_botocores_model_accepts_what_was_recorded(recording: RecordedRequest) -> None:
    body = json.dumps(recording.body).encode()

    assert official_bedrock.problems(body, is_stream=recording.is_stream) == []
