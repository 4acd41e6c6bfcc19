"""Reply and stream encoder for OpenAI's API: bytes, and losses of each reply row."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import official
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
    USAGE,
    answer,
    blocks,
    chunk,
    chunks_of,
    custom_calls,
    full_usages,
    function_calls,
    json_objects,
    piece,
    reply,
    some_text,
    texts,
)
from specado._core import OpenAIStreamEncoder, decode_openai_reply, encode_openai_reply
from specado.types import (
    ChatCompletionResponse,
    ChoiceDelta,
    CompletionTokensDetails,
    Extensions,
    PromptTokensDetails,
    Usage,
)
from stream_readers import read

REASONS = ["stop", "length", "tool_calls", "content_filter"]


def decoded(body):
    found, notes = decode_openai_reply(body, "openai", "asked-for", 7)
    found.raw = b""
    return found, notes


def streamed(chunks, **options):
    """Return the bytes of a whole stream, and the losses."""
    encoder = OpenAIStreamEncoder(**options)
    data = b"".join([encoder.encode(each) for each in chunks]) + encoder.finish()
    return data, encoder.losses


def events(data):
    return [text.removeprefix(b"data: ") for text in data.split(b"\n\n")[:-1]]


choices = st.builds(
    answer,
    st.none() | texts,
    st.sampled_from(REASONS),
    tool_calls=st.none() | st.lists(function_calls | custom_calls, max_size=3),
    reasoning=st.none() | texts,
    reasoning_details=st.none() | st.lists(blocks, max_size=3),
    refusal=st.none() | texts,
    annotations=st.none() | st.lists(json_objects, max_size=2),
    audio=st.none() | json_objects,
    logprobs=st.none() | json_objects,
)


@st.composite
def replies(draw):
    drawn = draw(st.lists(choices, min_size=1, max_size=3))
    for index, choice in enumerate(drawn):
        choice.index = index
    return ChatCompletionResponse(
        draw(some_text),
        draw(some_text),
        drawn,
        Extensions("openai"),
        draw(st.integers(1, 1 << 40)),
        usage=draw(full_usages),
        system_fingerprint=draw(st.none() | texts),
        service_tier=draw(st.sampled_from([None, "default", "priority", "flex"])),
    )


@given(replies())
def test_a_reply_is_read_back_as_it_was(given_reply):
    body, losses = encode_openai_reply(given_reply)

    assert losses == []
    assert decoded(body) == (given_reply, [])


@given(replies(), st.sampled_from([1, 7, 1 << 20]))
def test_a_stream_is_read_back_as_it_was(given_reply, size):
    chunks = chunks_of(given_reply)

    data, losses = streamed(chunks, include_usage=True)
    stream, found = read(
        "openai",
        [data[start : start + size] for start in range(0, len(data), size)],
        include_usage=True,
    )

    assert losses == []
    assert stream.is_over
    assert found == chunks_of(given_reply)


def test_the_body_is_that_of_the_documentation():
    given_reply = reply(
        answer("Hi", "stop", annotations=[CITATION], logprobs=LOGPROBS),
        answer(None, "tool_calls", index=1, tool_calls=[CALL, CUSTOM_CALL]),
        answer(None, "content_filter", index=2, refusal="No."),
        service_tier="default",
        system_fingerprint="fp_1",
    )

    body, losses = encode_openai_reply(given_reply)

    assert json.loads(body) == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hi",
                    "refusal": None,
                    "annotations": [CITATION],
                },
                "logprobs": LOGPROBS,
                "finish_reason": "stop",
            },
            {
                "index": 1,
                "message": {
                    "role": "assistant",
                    "content": None,
                    "refusal": None,
                    "annotations": None,
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {
                                "name": "get_weather",
                                "arguments": '{"city": "Paris", "n": 1e400}',
                            },
                        },
                        {
                            "id": "call_3",
                            "type": "custom",
                            "custom": {"name": "run", "input": 'print("hi")'},
                        },
                    ],
                },
                "logprobs": None,
                "finish_reason": "tool_calls",
            },
            {
                "index": 2,
                "message": {
                    "role": "assistant",
                    "content": None,
                    "refusal": "No.",
                    "annotations": None,
                },
                "logprobs": None,
                "finish_reason": "content_filter",
            },
        ],
        "usage": {
            "prompt_tokens": 90,
            "completion_tokens": 30,
            "total_tokens": 120,
            "prompt_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 10},
            "completion_tokens_details": {"reasoning_tokens": 12},
        },
        "service_tier": "default",
        "system_fingerprint": "fp_1",
    }
    assert losses == []


VALID = {
    "text": reply(),
    "calls": reply(answer(None, "tool_calls", tool_calls=[CALL, OTHER_CALL, CUSTOM_CALL])),
    "choices": reply(answer("a"), answer("b", index=1)),
    "audio": reply(answer("Hello", audio=AUDIO)),
    "logprobs and citations": reply(answer("Hi", annotations=[CITATION], logprobs=LOGPROBS)),
    "no usage": reply(usage=None),
    "another dialect's words": reply(
        answer("Hi", "pause"), service_tier="batch", usage=Usage(
            5, 1, 6, PromptTokensDetails(cache_write_tokens=5, cache_write_1h_tokens=5)
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VALID)
def test_a_reply_is_valid_by_the_official_types(name):
    body, _ = encode_openai_reply(VALID[name])

    assert official.problems("openai-response", body) == []


@pytest.mark.parametrize("name", [name for name in VALID if name != "calls"])
def test_a_stream_is_valid_by_the_official_types(name):
    # The types of chunks have no custom calls and no annotations, which the API streams too.
    given_reply = VALID[name]
    given_reply.choices[0].message.annotations = None

    data, _ = streamed(chunks_of(given_reply), include_usage=True)

    *found, done = events(data)
    assert done == b"[DONE]"
    assert [official.problems("openai-chunk", each) for each in found] == [[]] * len(found)


def test_reasoning_has_the_names_of_openrouters_api():
    given_reply = reply(answer("Hi", reasoning="Hm.", reasoning_details=[SIGNED, REDACTED]))

    message = json.loads(encode_openai_reply(given_reply)[0])["choices"][0]["message"]

    assert message["reasoning"] == "Hm."
    assert message["reasoning_details"] == [
        {"type": "thinking", "text": "Let me think.", "signature": "c2lnbmVk", "model": MODEL},
        {"type": "redacted_thinking", "data": "ZGF0YQ==", "model": MODEL},
    ]


def test_nothing_private_is_written():
    given_reply = reply()
    given_reply.extensions.metadata["secret"] = "private"
    given_reply.raw = b"private"
    given_reply.headers = {"x-private": "private"}

    assert b"private" not in encode_openai_reply(given_reply)[0]


IMAGE = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
HOUR = PromptTokensDetails(cache_write_tokens=5, cache_write_1h_tokens=5)
LOSSES = {
    "reply.finish_reason": (
        reply(answer("Hi", "pause")),
        ("choices[0].finish_reason", "pause", "stop"),
    ),
    "reply.service_tier": (reply(service_tier="batch"), ("service_tier", "batch", None)),
    "reply.usage": (
        reply(usage=Usage(5, 1, 6, HOUR)),
        ("usage.prompt_tokens_details.cache_write_1h_tokens", 5, None),
    ),
    "reply.role": (
        reply(answer("Hi", role="model")),
        ("choices[0].message.role", "model", "assistant"),
    ),
    "reply.content_part": (
        reply(answer([{"type": "text", "text": "Hi"}, IMAGE])),
        ("choices[0].message.content[1]", IMAGE, None),
    ),
}


@pytest.mark.parametrize("row", LOSSES)
def test_a_loss_is_reported(row):
    given_reply, expected = LOSSES[row]

    body, losses = encode_openai_reply(given_reply)

    assert losses == [(row, *expected)]
    assert official.problems("openai-response", body) == []


def test_a_reason_that_is_missing_is_reported():
    assert encode_openai_reply(reply(answer("Hi", None)))[1] == [
        ("reply.finish_reason", "choices[0].finish_reason", None, "stop")
    ]


# Streams


def test_a_chunk_is_that_of_the_documentation():
    encoder = OpenAIStreamEncoder()

    data = encoder.encode(chunk(ChoiceDelta("Hi\u2028"), service_tier="default"))

    assert data.startswith(b"data: {")
    assert data.endswith(b"}\n\n")
    assert json.loads(data[6:]) == {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": MODEL,
        "service_tier": "default",
        "system_fingerprint": None,
        "choices": [
            {"index": 0, "delta": {"content": "Hi\u2028"}, "logprobs": None, "finish_reason": None}
        ],
    }
    assert encoder.finish() == b"data: [DONE]\n\n"


def test_facts_that_change_in_a_stream_are_written_as_they_are():
    encoder = OpenAIStreamEncoder()

    found = [
        json.loads(encoder.encode(chunk(ChoiceDelta("a"), system_fingerprint=fingerprint))[6:])
        for fingerprint in (None, "fp_1", "fp_1", "fp_2")
    ]

    assert [each["system_fingerprint"] for each in found] == [None, "fp_1", "fp_1", "fp_2"]


def test_the_usage_comes_last_and_only_if_the_client_asked():
    chunks = [chunk(ChoiceDelta("a"), usage=USAGE), chunk(ChoiceDelta(), "stop")]

    without, _ = streamed(chunks)
    asked, _ = streamed(chunks, include_usage=True)

    assert b"usage" not in without
    *first, last = [json.loads(each) for each in events(asked)[:-1]]
    assert [each["usage"] for each in first] == [None, None]
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == 120


def test_pieces_of_parallel_calls_keep_their_indexes():
    chunks = [
        chunk(piece(0, "a", "f", "")),
        chunk(piece(1, "b", "g", "")),
        chunk(piece(0, text="{}")),
        chunk(ChoiceDelta(), "tool_calls"),
    ]

    found = [json.loads(each) for each in events(streamed(chunks)[0])[:-1]]

    assert [each["choices"][0]["delta"].get("tool_calls") for each in found] == [
        [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}],
        [{"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": ""}}],
        [{"index": 0, "function": {"arguments": "{}"}}],
        None,
    ]


def test_a_loss_of_a_stream_is_reported_once():
    chunks = [chunk(ChoiceDelta("a", "model"), service_tier="batch") for _ in range(3)]
    chunks.append(chunk(ChoiceDelta(), "pause", usage=Usage(5, 1, 6, HOUR)))

    _, losses = streamed(chunks, include_usage=True)

    assert losses == [
        ("reply.service_tier", "service_tier", "batch", None),
        ("reply.role", "choices[0].delta.role", "model", "assistant"),
        ("reply.finish_reason", "choices[0].finish_reason", "pause", "stop"),
        ("reply.usage", "usage.prompt_tokens_details.cache_write_1h_tokens", 5, None),
    ]


def test_a_chunk_that_cannot_be_written_leaves_nothing_half_written():
    encoder = OpenAIStreamEncoder()
    with pytest.raises(TypeError):
        encoder.encode(chunk(ChoiceDelta(content=5)))

    assert json.loads(encoder.encode(chunk(ChoiceDelta("a")))[6:])["choices"][0]["delta"] == {
        "content": "a"
    }


@pytest.mark.parametrize("wrong", [None, "text", {}, reply()])
def test_what_is_no_chunk_is_refused(wrong):
    with pytest.raises(TypeError, match="ChatCompletionChunk expected"):
        OpenAIStreamEncoder().encode(wrong)


def test_an_unset_count_and_a_huge_one_are_written_as_they_are():
    usage = Usage(1 << 80, 0, 1 << 80, None, CompletionTokensDetails())

    found = json.loads(encode_openai_reply(reply(usage=usage))[0])["usage"]

    assert found == {
        "prompt_tokens": 1 << 80,
        "completion_tokens": 0,
        "total_tokens": 1 << 80,
        "completion_tokens_details": {},
    }
