"""Reply and stream encoder for Bedrock's API: read by botocore, and losses of each reply row."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import official_bedrock
from bedrock_recordings import REPLIES
from canonical_replies import (
    AUDIO,
    CALL,
    CITATION,
    CUSTOM_CALL,
    LOGPROBS,
    MODEL,
    OTHER_CALL,
    REDACTED,
    SIGNED,
    answer,
    chunk,
    chunks_of,
    custom_calls,
    custom_piece,
    function_calls,
    piece,
    reply,
    some_text,
    texts,
    usages,
)
from specado._core import (
    BedrockStream,
    BedrockStreamEncoder,
    NotJson,
    decode_bedrock_reply,
    encode_bedrock_reply,
)
from specado.losses.rows import ROWS
from specado.types import (
    ChoiceDelta,
    CompletionTokensDetails,
    FunctionCall,
    Message,
    PromptTokensDetails,
    ReasoningBlock,
    ToolCall,
    Usage,
)

# What every reply loses: a header has its id, and it names neither its model nor its time.
ALWAYS = {"reply.id", "reply.model", "reply.created"}


def encoded(whole):
    """Return what botocore reads from an encoded reply, and the losses besides `ALWAYS`."""
    body, losses = encode_bedrock_reply(whole)
    json.loads(body)
    found = official_bedrock.reply_of(body)
    assert found.pop("ResponseMetadata")
    return found, [loss for loss in losses if loss[0] not in ALWAYS]


def message_in(whole):
    found, losses = encoded(whole)
    return found["output"]["message"], losses


def decoded(body):
    found, notes = decode_bedrock_reply(body, "bedrock", MODEL, 7)
    found.raw = b""
    return found, notes


def encoded_stream(chunks):
    """Return the bytes of a whole stream, and the losses besides `ALWAYS`."""
    encoder = BedrockStreamEncoder()
    data = b"".join([encoder.encode(each) for each in chunks]) + encoder.finish()
    return data, [loss for loss in encoder.losses if loss[0] not in ALWAYS]


def events(data, size=1 << 20):
    found = official_bedrock.events_of(data, size)
    assert found.error is None
    return found.events


def read_stream(data, size=1 << 20):
    stream = BedrockStream("bedrock", MODEL, 7, max_frame_bytes=1 << 20, max_reply_bytes=1 << 20)
    for start in range(0, len(data), size):
        stream.feed(data[start : start + size])
    stream.feed(b"")
    stream.finish()
    assert stream.is_over
    return stream


def blocks_of(found):
    """Return the content blocks that the events of a stream add up to."""
    blocks = {}
    for event in found:
        if "contentBlockStart" in event:
            start = event["contentBlockStart"]
            blocks[start["contentBlockIndex"]] = {"toolUse": {**start["start"]["toolUse"]}}
        if "contentBlockDelta" in event:
            delta = event["contentBlockDelta"]["delta"]
            block = blocks.setdefault(event["contentBlockDelta"]["contentBlockIndex"], {})
            if "text" in delta:
                block["text"] = block.get("text", "") + delta["text"]
            elif "toolUse" in delta:
                use = block["toolUse"]
                use["input"] = use.get("input", "") + delta["toolUse"]["input"]
            elif "redactedContent" in delta["reasoningContent"]:
                block["reasoningContent"] = delta["reasoningContent"]
            else:
                inner = block.setdefault("reasoningContent", {"reasoningText": {"text": ""}})
                for name, value in delta["reasoningContent"].items():
                    said = inner["reasoningText"]
                    said[name] = said.get(name, "") + value
    made = [blocks[index] for index in sorted(blocks)]
    assert sorted(blocks) == list(range(len(blocks)))
    for block in made:
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"].get("input", "{}"))
    return made


# Whole replies.


def test_a_reply_has_its_text_its_reason_and_its_usage():
    found, losses = encoded(reply(answer("Hello"), service_tier="priority"))

    assert found == {
        "output": {"message": {"role": "assistant", "content": [{"text": "Hello"}]}},
        "stopReason": "end_turn",
        "usage": {
            "inputTokens": 60,
            "outputTokens": 30,
            "totalTokens": 120,
            "cacheReadInputTokens": 20,
            "cacheWriteInputTokens": 10,
        },
        "metrics": {"latencyMs": 0},
        "serviceTier": {"type": "priority"},
    }
    assert losses == [("reply.usage", "usage.completion_tokens_details.reasoning_tokens", 12, None)]


def test_tool_calls_have_their_input():
    message, losses = message_in(
        reply(answer("I ask.", "tool_calls", tool_calls=[OTHER_CALL, CUSTOM_CALL]), usage=None)
    )

    assert message["content"] == [
        {"text": "I ask."},
        {"toolUse": {"toolUseId": "call_2", "name": "get_time", "input": {"zone": "CET"}}},
        {"toolUse": {"toolUseId": "call_3", "name": "run", "input": {"input": 'print("hi")'}}},
    ]
    assert [row for row, *_ in losses] == ["reply.custom_call", "reply.usage_missing"]


def test_the_arguments_are_those_that_the_model_wrote():
    body, _ = encode_bedrock_reply(reply(answer(None, "tool_calls", tool_calls=[CALL])))

    assert b'"input":{"city": "Paris", "n": 1e400}}' in body


def test_reasoning_comes_first_signed_encrypted_or_as_text():
    open_ = ReasoningBlock("reasoning.text", "And so.", None, None, MODEL)
    message, losses = message_in(reply(answer("Hi", reasoning_details=[SIGNED, REDACTED, open_])))

    assert message["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "Let me think.", "signature": "c2lnbmVk"}}},
        {"reasoningContent": {"redactedContent": b"data"}},
        {"reasoningContent": {"reasoningText": {"text": "And so."}}},
        {"text": "Hi"},
    ]
    assert [row for row, *_ in losses] == ["reply.usage"]


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage(5, 2, 7), {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}),
        (
            Usage(9, 1, 10, PromptTokensDetails(cached_tokens=0, cache_write_tokens=8,
                                                cache_write_1h_tokens=3)),
            {
                "inputTokens": 1,
                "outputTokens": 1,
                "totalTokens": 10,
                "cacheReadInputTokens": 0,
                "cacheWriteInputTokens": 8,
                "cacheDetails": [
                    {"ttl": "5m", "inputTokens": 5},
                    {"ttl": "1h", "inputTokens": 3},
                ],
            },
        ),
    ],
)  # fmt: skip
def test_the_input_excludes_cached_tokens(usage, expected):
    found, losses = encoded(reply(usage=usage))

    assert found["usage"] == expected
    assert losses == []


FOREIGN = ReasoningBlock("reasoning.text", "hm", "c2ln", None, MODEL)
LOSSES = {
    "reply.choices": (reply(answer("a"), answer("b", index=1)), "choices[1]"),
    "reply.content_part": (
        reply(answer([{"type": "image_url", "image_url": {}}])),
        "choices[0].message.content[0]",
    ),
    "reply.role": (reply(answer("a", role="tool")), "choices[0].message.role"),
    "reply.refusal": (reply(answer(None, refusal="No.")), "choices[0].message.refusal"),
    "reply.annotations": (
        reply(answer("a", annotations=[CITATION])),
        "choices[0].message.annotations",
    ),
    "reply.audio": (reply(answer(None, audio=AUDIO)), "choices[0].message.audio"),
    "reply.logprobs": (reply(answer("a", logprobs=LOGPROBS)), "choices[0].logprobs"),
    "reply.reasoning": (
        reply(answer("a", reasoning="another", reasoning_details=[SIGNED])),
        "choices[0].message.reasoning",
    ),
    "reply.reasoning_block": (
        reply(answer("a", reasoning_details=[FOREIGN])),
        "choices[0].message.reasoning_details[0].signature",
    ),
    "reply.reasoning_model": (
        reply(answer("a", reasoning_details=[ReasoningBlock("thinking", "t", "s", None, "other")])),
        "choices[0].message.reasoning_details[0].model",
    ),
    "reply.custom_call": (
        reply(answer(None, "tool_calls", tool_calls=[CUSTOM_CALL])),
        "choices[0].message.tool_calls[0].custom.input",
    ),
    "reply.arguments": (
        reply(answer(None, "tool_calls", tool_calls=[ToolCall("c", FunctionCall("f", "[1]"))])),
        "choices[0].message.tool_calls[0].function.arguments",
    ),
    "reply.tool_use": (
        reply(answer(None, "stop", tool_calls=[CALL])),
        "choices[0].finish_reason",
    ),
    "reply.finish_reason": (reply(answer("a", "other_reason")), "choices[0].finish_reason"),
    "reply.id": (reply(), "id"),
    "reply.model": (reply(), "model"),
    "reply.created": (reply(), "created"),
    "reply.fingerprint": (reply(system_fingerprint="fp"), "system_fingerprint"),
    "reply.service_tier": (reply(service_tier="scale"), "service_tier"),
    "reply.usage": (
        reply(usage=Usage(1, 2, 3, None, CompletionTokensDetails(audio_tokens=1))),
        "usage.completion_tokens_details.audio_tokens",
    ),
    "reply.usage_cached": (
        reply(usage=Usage(1, 2, 3, PromptTokensDetails(cached_tokens=4))),
        "usage.prompt_tokens",
    ),
    "reply.usage_missing": (reply(usage=None), "usage"),
}


@pytest.mark.parametrize("row", LOSSES)
def test_what_a_reply_loses_is_reported(row):
    whole, path = LOSSES[row]

    losses = encode_bedrock_reply(whole)[1]

    assert row in ROWS
    assert (row, path) in [loss[:2] for loss in losses]


def test_reasoning_that_the_api_cannot_hold_is_reported():
    unreadable = ReasoningBlock("redacted_thinking", None, None, "no base64", MODEL)
    block = ReasoningBlock("reasoning.encrypted", None, None, "ZGF0YQ==", MODEL)

    message, losses = message_in(reply(answer("a", reasoning_details=[unreadable, block])))

    assert message["content"] == [{"text": "a"}]
    assert [loss[:2] for loss in losses][:2] == [
        ("reply.reasoning_block", "choices[0].message.reasoning_details[0]"),
        ("reply.reasoning_block", "choices[0].message.reasoning_details[1]"),
    ]


def test_a_reply_without_an_answer_has_no_form():
    whole = reply()
    whole.choices = []

    with pytest.raises(ValueError, match="without a choice"):
        encode_bedrock_reply(whole)


REASONS = [
    ("stop", "end_turn"),
    ("length", "max_tokens"),
    ("content_filter", "content_filtered"),
    (None, "end_turn"),
]


@pytest.mark.parametrize(("reason", "expected"), REASONS)
def test_each_finish_reason_has_its_word(reason, expected):
    assert encoded(reply(answer("a", reason)))[0]["stopReason"] == expected
    data, _ = encoded_stream([chunk(ChoiceDelta("a")), chunk(ChoiceDelta(), reason)])
    assert events(data)[-2]["messageStop"] == {"stopReason": expected}


# Streams.


def test_only_tool_calls_have_an_event_that_begins_them():
    chunks = [
        chunk(ChoiceDelta("", "assistant")),
        chunk(ChoiceDelta(reasoning="Let me ")),
        chunk(ChoiceDelta(reasoning="think.")),
        chunk(ChoiceDelta(reasoning_details=[SIGNED])),
        chunk(ChoiceDelta("Hel")),
        chunk(ChoiceDelta("lo")),
        chunk(piece(0, "c1", "f", "")),
        chunk(piece(0, text='{"a"')),
        chunk(piece(0, text=":1}")),
        chunk(ChoiceDelta(), "tool_calls"),
        chunk(usage=Usage(5, 2, 7), service_tier="flex"),
    ]

    data, losses = encoded_stream(chunks)

    def delta(index, value):
        return {"contentBlockDelta": {"contentBlockIndex": index, "delta": value}}

    def thought(value):
        return delta(0, {"reasoningContent": value})

    assert events(data) == [
        {"messageStart": {"role": "assistant"}},
        thought({"text": "Let me "}),
        thought({"text": "think."}),
        thought({"signature": "c2lnbmVk"}),
        {"contentBlockStop": {"contentBlockIndex": 0}},
        delta(1, {"text": "Hel"}),
        delta(1, {"text": "lo"}),
        {"contentBlockStop": {"contentBlockIndex": 1}},
        {
            "contentBlockStart": {
                "contentBlockIndex": 2,
                "start": {"toolUse": {"toolUseId": "c1", "name": "f"}},
            }
        },
        delta(2, {"toolUse": {"input": '{"a"'}}),
        delta(2, {"toolUse": {"input": ":1}"}}),
        {"contentBlockStop": {"contentBlockIndex": 2}},
        {"messageStop": {"stopReason": "tool_use"}},
        {
            "metadata": {
                "usage": {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7},
                "metrics": {"latencyMs": 0},
                "serviceTier": {"type": "flex"},
            }
        },
    ]
    assert losses == []


def test_the_calls_of_a_stream_come_one_after_another():
    chunks = [
        chunk(piece(0, "c1", "f", "{")),
        chunk(piece(1, "c2", "g", '{"b":')),
        chunk(ChoiceDelta("text")),
        chunk(piece(1, text="2}")),
        chunk(piece(0, text='"a":1}')),
        chunk(custom_piece(2, "c3", name="h", input="raw")),
        chunk(piece(3, "c4", "k", "")),
        chunk(ChoiceDelta(), "tool_calls"),
    ]

    data, losses = encoded_stream(chunks)

    assert blocks_of(events(data)) == [
        {"toolUse": {"toolUseId": "c1", "name": "f", "input": {"a": 1}}},
        {"toolUse": {"toolUseId": "c2", "name": "g", "input": {"b": 2}}},
        {"text": "text"},
        {"toolUse": {"toolUseId": "c3", "name": "h", "input": {"input": "raw"}}},
        {"toolUse": {"toolUseId": "c4", "name": "k", "input": {}}},
    ]
    assert [row for row, *_ in losses] == ["reply.custom_call", "reply.usage_missing"]


STREAM_LOSSES = {
    "reply.choices": [chunk(ChoiceDelta("a")), chunk(ChoiceDelta("b"), index=1)],
    "reply.role": [chunk(ChoiceDelta("a", "tool"))],
    "reply.refusal": [chunk(ChoiceDelta(refusal="No."))],
    "reply.annotations": [chunk(ChoiceDelta(annotations=[CITATION]))],
    "reply.audio": [chunk(ChoiceDelta(audio=AUDIO))],
    "reply.logprobs": [chunk(ChoiceDelta("a"), logprobs=LOGPROBS)],
    "reply.reasoning_block": [
        chunk(
            ChoiceDelta(
                reasoning_details=[
                    ReasoningBlock("redacted_thinking", None, None, "no base64", MODEL)
                ]
            )
        )
    ],
    "reply.tool_call_piece": [
        chunk(piece(0, "c1", "f", "{}")),
        chunk(ChoiceDelta("a")),
        chunk(piece(0, text="{}")),
    ],
    "reply.fingerprint": [chunk(ChoiceDelta("a"), system_fingerprint="fp")],
    "reply.service_tier": [chunk(ChoiceDelta("a"), service_tier="scale")],
}


@pytest.mark.parametrize("row", STREAM_LOSSES)
def test_what_a_stream_loses_is_reported_once(row):
    chunks = [*STREAM_LOSSES[row], *STREAM_LOSSES[row][-1:], chunk(ChoiceDelta(), "stop")]

    _, losses = encoded_stream(chunks)

    assert [loss[0] for loss in losses].count(row) == 1


def test_a_foreign_signature_in_a_stream_is_reported():
    data, losses = encoded_stream(
        [chunk(ChoiceDelta(reasoning="hm", reasoning_details=[FOREIGN])), chunk(ChoiceDelta("a"))]
    )

    assert blocks_of(events(data)) == [
        {"reasoningContent": {"reasoningText": {"text": "hm"}}},
        {"text": "a"},
    ]
    assert "reply.reasoning_block" in [row for row, *_ in losses]


def test_a_stream_without_chunks_is_whole():
    data, _ = encoded_stream([])

    assert [next(iter(event)) for event in events(data)] == [
        "messageStart",
        "messageStop",
        "metadata",
    ]


def test_a_value_without_a_json_form_leaves_no_half_event():
    encoder = BedrockStreamEncoder()
    encoder.encode(chunk(ChoiceDelta("a")))
    with pytest.raises(NotJson, match="surrogate"):
        encoder.encode(chunk(ChoiceDelta("\ud800")))

    rest = encoder.encode(chunk(ChoiceDelta("b"))) + encoder.finish()

    assert events(rest)[0]["contentBlockDelta"]["delta"] == {"text": "b"}


# Replies made up, and recorded ones.


def base64_text(text):
    return base64.b64encode(text.encode()).decode()


blocks = st.builds(
    ReasoningBlock,
    type=st.just("thinking"),
    text=some_text,
    signature=some_text,
    model=st.just(MODEL),
) | st.builds(
    ReasoningBlock,
    type=st.just("redacted_thinking"),
    data=some_text.map(base64_text),
    model=st.just(MODEL),
)


@st.composite
def answers(draw):
    calls = draw(
        st.lists(function_calls | custom_calls, max_size=3, unique_by=lambda call: call.id)
    )
    details = draw(st.lists(blocks, max_size=3))
    reasoning = "".join(block.text or "" for block in details) or None
    return answer(
        draw(texts),
        "tool_calls" if calls else draw(st.sampled_from(["stop", "length", "content_filter"])),
        tool_calls=calls or None,
        reasoning=reasoning,
        reasoning_details=details or None,
    )


def shown(message: Message):
    """Return what a message says; the input of a custom call as the member that it became."""
    calls = [
        (call.id, call.function.name, json.loads(call.function.arguments))
        if call.function
        else (call.id, call.custom["name"], {"input": call.custom["input"]})
        for call in message.tool_calls or ()
    ]
    return message.text, message.reasoning, message.reasoning_details or [], calls


@pytest.mark.no_cover
@given(answers(), usages, st.integers(1, 7), st.integers(1, 60))
def test_whole_and_streamed_say_the_same(choice, usage, size, pace):
    whole = reply(choice, usage=usage)

    found, _ = encoded(whole)
    data, _ = encoded_stream(chunks_of(whole, size))
    stream = events(data, pace)

    assert blocks_of(stream) == found["output"]["message"]["content"]
    assert stream[-2]["messageStop"]["stopReason"] == found["stopReason"]
    assert stream[-1]["metadata"]["usage"] == found["usage"]
    again, notes = decoded(encode_bedrock_reply(whole)[0])
    streamed, _ = read_stream(data, pace).response()
    assert shown(again.choices[0].message) == shown(choice.message)
    assert shown(streamed.choices[0].message) == shown(choice.message)
    assert again.usage.total_tokens == streamed.usage.total_tokens == usage.total_tokens
    assert notes == []


RECORDED = [
    pytest.param(each, id=each.id) for each in REPLIES if each.status == 200 and not each.is_stream
]
STREAMS = [
    pytest.param(each, id=each.id) for each in REPLIES if each.status == 200 and each.is_stream
]


@pytest.mark.parametrize("recorded", RECORDED)
def test_a_recorded_reply_goes_back_block_by_block(recorded):
    given_ = json.loads(recorded.body)
    whole, _ = decoded(recorded.body)

    body, _ = encode_bedrock_reply(whole)

    made = json.loads(body)
    assert made["output"] == given_["output"]
    assert made["usage"]["totalTokens"] == given_["usage"]["totalTokens"]
    assert official_bedrock.reply_of(body)["output"] == official_bedrock.reply_of(
        recorded.body
    )["output"]  # fmt: skip


@pytest.mark.parametrize("recorded", STREAMS)
def test_a_recorded_stream_says_the_same_when_it_is_written_again(recorded):
    stream = BedrockStream(
        "bedrock",
        MODEL,
        7,
        include_usage=True,
        max_frame_bytes=1 << 20,
        max_reply_bytes=1 << 20,
    )
    chunks = [*stream.feed(recorded.body), *stream.finish()]
    expected = stream.response()[0].choices[0]

    data, _ = encoded_stream(chunks)

    found = read_stream(data, 7).response()[0].choices[0]
    assert shown(found.message) == shown(expected.message)
    assert found.finish_reason == expected.finish_reason
