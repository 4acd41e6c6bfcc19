"""Reply and stream encoder for Gemini's API: bytes, and losses of each reply row."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gemini_types
from canonical_replies import (
    AUDIO,
    CALL,
    CUSTOM_CALL,
    LOGPROBS,
    MODEL,
    OTHER_CALL,
    USAGE,
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
    GeminiStream,
    GeminiStreamEncoder,
    decode_gemini_reply,
    encode_gemini_reply,
)
from specado._core.gemini.native import SIGNATURE_FORMAT
from specado.losses.rows import ROWS
from specado.types import (
    ChatCompletionResponse,
    Choice,
    ChoiceDelta,
    CompletionTokensDetails,
    Extensions,
    FunctionCall,
    Message,
    PromptTokensDetails,
    ReasoningBlock,
    ToolCall,
    Usage,
)

SIGNATURE = "c2lnbmVk"


def thought(text, signature=SIGNATURE):
    return ReasoningBlock("reasoning.text", text, signature, model=MODEL, format=SIGNATURE_FORMAT)


def signed(call_id, data=SIGNATURE):
    return ReasoningBlock(
        "reasoning.encrypted", data=data, model=MODEL, id=call_id, format=SIGNATURE_FORMAT
    )


def decoded(body):
    found, notes = decode_gemini_reply(body, "openai", "asked-for", 7)
    found.raw = b""
    return found, notes


def encoded_stream(chunks):
    """Return the bytes of a whole stream, and the losses."""
    encoder = GeminiStreamEncoder()
    data = b"".join([encoder.encode(each) for each in chunks]) + encoder.finish()
    return data, encoder.losses


def read_stream(data, size=1 << 20):
    stream = GeminiStream(
        "openai",
        "asked-for",
        7,
        stream_end="finish_reason",
        max_frame_bytes=1 << 20,
        max_reply_bytes=1 << 20,
    )
    for start in range(0, len(data), size):
        stream.feed(data[start : start + size])
    stream.feed(b"")
    stream.finish()
    return stream


def events(data):
    assert data.endswith(b"\r\n\r\n")
    found = data[:-4].split(b"\r\n\r\n")
    assert all(event.startswith(b"data: ") for event in found)
    return [json.loads(event[6:]) for event in found]


@st.composite
def choices(draw):
    """Answers whose reasoning blocks stand in the order in which the API writes them."""
    calls = draw(
        st.none()
        | st.lists(
            function_calls | custom_calls, min_size=1, max_size=3, unique_by=lambda call: call.id
        )
    )
    content = draw(st.none() | texts)
    thoughts = draw(st.lists(some_text.map(thought), max_size=2))
    if draw(st.booleans()):
        thoughts.append(thought(draw(some_text), None))
    signatures = [signed(None)] if content and draw(st.booleans()) else []
    signatures += [signed(call.id) for call in calls or () if draw(st.booleans())]
    reasoning = "".join(block.text for block in thoughts) or None
    if not thoughts and not signatures:  # told by text alone
        reasoning = draw(st.none() | some_text)
    return answer(
        content,
        draw(st.sampled_from(["stop", "length", "tool_calls", "content_filter", "OTHER"])),
        tool_calls=calls,
        reasoning=reasoning,
        reasoning_details=thoughts + signatures or None,
    )


@st.composite
def replies(draw):
    return ChatCompletionResponse(
        draw(some_text),
        MODEL,
        [draw(choices())],
        Extensions("openai"),
        draw(st.integers(1, 1 << 35)),
        usage=draw(st.none() | usages),
        system_fingerprint=draw(st.none() | some_text),
        service_tier=draw(st.sampled_from([None, "default", "priority", "flex", "batch"])),
    )


def expected_usage(usage):
    """Return a usage as the API counts it: the completion is what is visible, and the thoughts."""
    if usage is None:
        return None
    prompt, spent = usage.prompt_tokens_details, usage.completion_tokens_details
    thoughts = spent.reasoning_tokens
    completion = usage.completion_tokens
    if thoughts > completion:
        completion += thoughts
    return Usage(
        usage.prompt_tokens,
        completion,
        usage.prompt_tokens + completion,
        PromptTokensDetails(cached_tokens=prompt.cached_tokens) if prompt.cached_tokens else None,
        CompletionTokensDetails(reasoning_tokens=thoughts) if thoughts else None,
    )


def expected_of(given_reply):
    """Return a reply less what its losses name, in the form that reading a reply gives."""
    (choice,) = given_reply.choices
    message = choice.message
    calls = [
        ToolCall(
            call.id,
            FunctionCall(call.custom["name"], json.dumps({"input": call.custom["input"]}))
            if call.function is None
            else call.function,
        )
        for call in message.tool_calls or ()
    ]
    details = message.reasoning_details or []
    if message.reasoning and not any(block.text for block in details):
        details = [thought(message.reasoning, None), *details]
    reason = choice.finish_reason
    if reason in ("stop", "tool_calls"):
        reason = "tool_calls" if calls else "stop"
    tier = given_reply.service_tier if given_reply.usage is not None else None
    return ChatCompletionResponse(
        given_reply.id,
        MODEL,
        [
            Choice(
                0,
                Message(
                    "assistant",
                    message.content or (None if calls else ""),
                    tool_calls=calls or None,
                    reasoning=message.reasoning,
                    reasoning_details=details or None,
                ),
                reason,
            )
        ],
        given_reply.extensions,
        given_reply.created,
        usage=expected_usage(given_reply.usage),
        service_tier=None if tier == "batch" else tier,
    )


def comparable(found):
    """Return a reply whose calls' arguments are values: a custom call's text has two forms."""
    for call in found.choices[0].message.tool_calls or ():
        call.function.arguments = json.loads(call.function.arguments)
    found.extensions.provider_used = "openai"
    return found


def rows_of(given_reply):
    """Return the rows that a reply is to report."""
    (choice,) = given_reply.choices
    message, usage, rows = choice.message, given_reply.usage, set()
    if given_reply.system_fingerprint is not None:
        rows.add("reply.fingerprint")
    if given_reply.service_tier == "batch" or (given_reply.service_tier and usage is None):
        rows.add("reply.service_tier")
    if usage is not None and (
        usage.prompt_tokens_details.cache_write_tokens
        or usage.completion_tokens_details.reasoning_tokens > usage.completion_tokens
    ):
        rows.add("reply.usage")
    if any(call.custom is not None for call in message.tool_calls or ()):
        rows.add("reply.custom_call")
    if choice.finish_reason == "stop" and message.tool_calls:
        rows.add("reply.tool_use")
    if choice.finish_reason == "tool_calls" and not message.tool_calls:
        rows.add("reply.finish_reason")
    return rows


@given(replies())
def test_a_reply_is_read_back_but_for_what_is_reported(given_reply):
    body, losses = encode_gemini_reply(given_reply)
    found, _ = decoded(body)

    assert comparable(found) == comparable(expected_of(given_reply))
    assert {row for row, *_ in losses} == rows_of(given_reply)


@given(replies(), st.sampled_from([1, 7, 1 << 20]))
def test_a_stream_is_read_back_but_for_what_is_reported(given_reply, size):
    data, losses = encoded_stream(chunks_of(given_reply))
    stream = read_stream(data, size)
    found, _ = stream.response()

    assert stream.is_over
    assert comparable(found) == comparable(expected_of(given_reply))
    assert {row for row, *_ in losses} == rows_of(given_reply)


FULL = reply(
    answer(
        "It is sunny.",
        "tool_calls",
        reasoning="Let me think.",
        reasoning_details=[thought("Let me think."), signed(None, "dGV4dA=="), signed("call_1")],
        tool_calls=[CALL, OTHER_CALL],
    ),
    usage=Usage(
        90,
        30,
        120,
        PromptTokensDetails(cached_tokens=20, image_tokens=5),
        CompletionTokensDetails(reasoning_tokens=12),
    ),
    service_tier="default",
)


def test_the_body_is_that_of_the_documentation():
    body, losses = encode_gemini_reply(FULL)

    assert b'"args":{"city": "Paris", "n": 1e400}' in body
    assert json.loads(body.replace(b"1e400", b"1")) == {
        "candidates": [
            {
                "content": {
                    "parts": [
                        {"text": "Let me think.", "thought": True, "thoughtSignature": SIGNATURE},
                        {"text": "It is sunny.", "thoughtSignature": "dGV4dA=="},
                        {
                            "functionCall": {
                                "id": "call_1",
                                "name": "get_weather",
                                "args": {"city": "Paris", "n": 1},
                            },
                            "thoughtSignature": SIGNATURE,
                        },
                        {
                            "functionCall": {
                                "id": "call_2",
                                "name": "get_time",
                                "args": {"zone": "CET"},
                            }
                        },
                    ],
                    "role": "model",
                },
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 90,
            "cachedContentTokenCount": 20,
            "candidatesTokenCount": 18,
            "thoughtsTokenCount": 12,
            "totalTokenCount": 120,
            "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": 5}],
            "serviceTier": "standard",
        },
        "modelVersion": MODEL,
        "createTime": "2023-11-14T22:13:20Z",
        "responseId": "chatcmpl-1",
    }
    assert losses == []


def test_a_stream_has_its_calls_and_its_usage_in_the_last_event():
    data, losses = encoded_stream(chunks_of(FULL, size=8))

    *first, last = events(data.replace(b"1e400", b"1"))
    said = [event["candidates"][0]["content"]["parts"] for event in first]
    assert said == [
        [{"text": "Let me t", "thought": True}],
        [{"text": "hink.", "thought": True}],
        [{"text": "", "thought": True, "thoughtSignature": SIGNATURE}],
        [{"text": "", "thoughtSignature": "dGV4dA=="}],
        [{"text": "It is su"}],
        [{"text": "nny."}],
    ]
    (candidate,) = last["candidates"]
    assert [part["functionCall"]["name"] for part in candidate["content"]["parts"]] == [
        "get_weather",
        "get_time",
    ]
    assert candidate["finishReason"] == "STOP"
    assert last["usageMetadata"]["totalTokenCount"] == 120
    assert losses == []


FINITE_CALL = ToolCall("call_1", FunctionCall("get_weather", '{"city": "Paris"}'))
CITED = "Zoë says hello."
CITATIONS = [
    {
        "type": "url_citation",
        "url_citation": {
            "start_index": 0,
            "end_index": 3,
            "title": "A",
            "url": "https://a.example",
        },
    },
    {
        "type": "url_citation",
        "url_citation": {
            "start_index": 4,
            "end_index": 8,
            "title": "B",
            "url": "https://b.example",
        },
    },
    {
        "type": "url_citation",
        "url_citation": {
            "start_index": 4,
            "end_index": 8,
            "title": "A",
            "url": "https://a.example",
        },
    },
]
VALID = {
    "text": reply(),
    "thinking": reply(answer("Hi", reasoning="Hm.", reasoning_details=[thought("Hm.")])),
    "unsigned": reply(answer("Hi", reasoning="Let me think.")),
    "signed": reply(answer("Hi", reasoning_details=[signed(None)])),
    "calls": reply(answer("Hi", "tool_calls", tool_calls=[FINITE_CALL, OTHER_CALL, CUSTOM_CALL])),
    "refusal": reply(answer(None, "stop", refusal="No.")),
    "length": reply(answer("Hi", "length")),
    "filter": reply(answer("", "content_filter")),
    "own reason": reply(answer("Hi", "NO_IMAGE")),
    "no reason": reply(answer("Hi", None)),
    "nothing": reply(answer(None), usage=None),
    "tier": reply(service_tier="priority"),
    "citations": reply(answer(CITED, annotations=CITATIONS), usage=None),
    "logprobs": reply(answer("Hi", logprobs=LOGPROBS)),
    "several": reply(answer("a"), answer("b", "length", index=1)),
}


@pytest.mark.parametrize("name", VALID)
def test_a_reply_is_valid_by_the_official_types(name):
    body, _ = encode_gemini_reply(VALID[name])

    assert gemini_types.response_problems(body) == []


@pytest.mark.parametrize("name", VALID)
def test_a_stream_is_valid_by_the_official_types(name):
    data, _ = encoded_stream(chunks_of(VALID[name]))

    found = events(data)
    assert [gemini_types.response_problems(event) for event in found] == [[]] * len(found)
    assert [bool(event["candidates"][0].get("finishReason")) for event in found] == [
        *[False] * (len(found) - 1),
        True,
    ]


@pytest.mark.parametrize("name", VALID)
def test_a_stream_adds_up_to_the_reply(name):
    whole, _ = decoded(encode_gemini_reply(VALID[name])[0])
    stream = read_stream(encoded_stream(chunks_of(VALID[name]))[0])

    found, _ = stream.response()
    if name == "no reason":  # a stream without one would not be whole
        whole.choices[0].finish_reason = "stop"
    if name == "calls":
        found, whole = comparable(found), comparable(whole)
    found.extensions.provider_used = "openai"
    assert found == whole


def test_offsets_of_citations_count_bytes():
    body, losses = encode_gemini_reply(VALID["citations"])

    grounding = json.loads(body)["candidates"][0]["groundingMetadata"]
    assert grounding == {
        "groundingChunks": [
            {"web": {"uri": "https://a.example", "title": "A"}},
            {"web": {"uri": "https://b.example", "title": "B"}},
        ],
        "groundingSupports": [
            {
                "segment": {"startIndex": 0, "endIndex": 4, "text": "Zoë"},
                "groundingChunkIndices": [0],
            },
            {
                "segment": {"startIndex": 5, "endIndex": 9, "text": "says"},
                "groundingChunkIndices": [1, 0],
            },
        ],
    }
    assert decoded(body)[0].choices[0].message.annotations == CITATIONS
    assert losses == []


def test_nothing_private_is_written():
    given_reply = reply()
    given_reply.extensions.metadata["secret"] = "private"
    given_reply.raw = b"private"
    given_reply.headers = {"x-private": "private"}

    assert b"private" not in encode_gemini_reply(given_reply)[0]


# Answers of Gemini's own.

OWN = {
    "candidates": [
        {
            "content": {
                "parts": [
                    {"text": "Hm.", "thought": True},
                    {"text": "First", "thoughtSignature": SIGNATURE},
                    {"functionCall": {"name": "f", "args": {"a": 1}}},
                    {"executableCode": {"language": "PYTHON", "code": "1"}},
                    {"text": " second"},
                ],
                "role": "model",
            },
            "finishReason": "STOP",
            "index": 0,
        }
    ],
    "modelVersion": "gemini-3",
    "responseId": "r",
}


def test_an_answer_of_geminis_goes_on_part_by_part():
    given_reply, _ = decoded(json.dumps(OWN).encode())

    (candidate,) = json.loads(encode_gemini_reply(given_reply)[0])["candidates"]

    call_id = given_reply.choices[0].message.tool_calls[0].id
    parts = [dict(part) for part in OWN["candidates"][0]["content"]["parts"]]
    parts[2] = {"functionCall": {"id": call_id, "name": "f", "args": {"a": 1}}}
    assert candidate["content"]["parts"] == parts


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"content": "Other"}, ["Hm.", "Other", "f"]),
        ({"tool_calls": None}, ["Hm.", "First second"]),
        ({"reasoning": None, "reasoning_details": None}, ["First second", "f"]),
    ],
)
def test_an_answer_that_was_changed_is_written_anew(change, expected):
    given_reply, _ = decoded(json.dumps(OWN).encode())
    for name, value in change.items():
        setattr(given_reply.choices[0].message, name, value)

    body = encode_gemini_reply(given_reply)[0]

    parts = json.loads(body)["candidates"][0]["content"]["parts"]
    assert [part.get("text") or part["functionCall"]["name"] for part in parts] == expected
    assert b"executableCode" not in body


# Losses.

IMAGE = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
OTHERS_BLOCK = ReasoningBlock("thinking", "Hm.", SIGNATURE, None, "another-model")
UNUSABLE = ReasoningBlock("thinking", "Hm.", "not base64", None, MODEL)
ENCRYPTED = ReasoningBlock("reasoning.encrypted", None, None, "ZGF0YQ==")
BROKEN_CALL = ToolCall("call_1", FunctionCall("f", '{"city": "Pa'))
MESSAGE = "choices[0].message"
REFUSED = [{"token": "No", "logprob": -1.0, "bytes": None, "top_logprobs": []}]
LOSSES = {
    "reply.content_part": (
        reply(answer([{"type": "text", "text": "Hi"}, IMAGE])),
        (f"{MESSAGE}.content[1]", IMAGE, None),
    ),
    "reply.role": (reply(answer("Hi", role="user")), (f"{MESSAGE}.role", "user", "assistant")),
    "reply.refusal": (reply(answer(refusal="No.")), (f"{MESSAGE}.refusal", "No.", "No.")),
    "reply.annotations": (
        reply(answer("Hi", annotations=[{"type": "file_citation"}])),
        (f"{MESSAGE}.annotations[0]", {"type": "file_citation"}, None),
    ),
    "reply.audio": (reply(answer("Hi", audio=AUDIO)), (f"{MESSAGE}.audio", AUDIO, None)),
    "reply.logprobs": (
        reply(answer("Hi", logprobs={"content": None, "refusal": REFUSED})),
        ("choices[0].logprobs.refusal", REFUSED, None),
    ),
    "reply.reasoning": (
        reply(answer("Hi", reasoning="Other.", reasoning_details=[thought("Hm.")])),
        (f"{MESSAGE}.reasoning", "Other.", "Hm."),
    ),
    "reply.reasoning_block": (
        reply(answer("Hi", reasoning_details=[ENCRYPTED])),
        (f"{MESSAGE}.reasoning_details[0]", ENCRYPTED, None),
    ),
    "reply.reasoning_model": (
        reply(answer("Hi", reasoning="Hm.", reasoning_details=[OTHERS_BLOCK])),
        (f"{MESSAGE}.reasoning_details[0].model", "another-model", MODEL),
    ),
    "reply.custom_call": (
        reply(answer(None, "tool_calls", tool_calls=[CUSTOM_CALL])),
        (
            f"{MESSAGE}.tool_calls[0].custom.input",
            'print("hi")',
            {"input": 'print("hi")'},
        ),
    ),
    "reply.arguments": (
        reply(answer(None, "tool_calls", tool_calls=[BROKEN_CALL])),
        (
            f"{MESSAGE}.tool_calls[0].function.arguments",
            '{"city": "Pa',
            {"arguments": '{"city": "Pa'},
        ),
    ),
    "reply.tool_use": (
        reply(answer(None, "stop", tool_calls=[FINITE_CALL])),
        ("choices[0].finish_reason", "stop", "STOP"),
    ),
    "reply.finish_reason": (
        reply(answer("Hi", "eos")),
        ("choices[0].finish_reason", "eos", "OTHER"),
    ),
    "reply.fingerprint": (reply(system_fingerprint="fp"), ("system_fingerprint", "fp", None)),
    "reply.service_tier": (reply(service_tier="batch"), ("service_tier", "batch", None)),
    "reply.usage": (
        reply(usage=USAGE),
        ("usage.prompt_tokens_details.cache_write_tokens", 10, None),
    ),
}


@pytest.mark.parametrize("row", LOSSES)
def test_what_a_reply_loses_is_reported(row):
    given_reply, expected = LOSSES[row]

    body, losses = encode_gemini_reply(given_reply)

    assert row in ROWS
    assert (row, *expected) in losses
    assert gemini_types.response_problems(body) == []


@pytest.mark.parametrize("row", sorted({*LOSSES} - {"reply.content_part", "reply.reasoning"}))
def test_what_a_stream_loses_is_reported(row):
    given_reply, (_, before, after) = LOSSES[row]
    chunks = chunks_of(given_reply)
    if row == "reply.role":
        chunks[0].choices[0].delta.role = "user"

    data, losses = encoded_stream(chunks)

    found = [loss for loss in losses if loss[0] == row]
    assert [loss[2:] for loss in found] == [(before, after)]
    assert [gemini_types.response_problems(event) for event in events(data)] != []


def test_a_signature_that_is_not_base64_is_left_out():
    given_reply = reply(answer("Hi", reasoning="Hm.", reasoning_details=[UNUSABLE]))

    body, losses = encode_gemini_reply(given_reply)

    path = f"{MESSAGE}.reasoning_details[0].signature"
    assert ("reply.reasoning_block", path, "not base64", None) in losses
    assert b"thoughtSignature" not in body


def test_reasoning_counted_beside_the_completion_is_added_to_it():
    usage = Usage(10, 5, 35, None, CompletionTokensDetails(reasoning_tokens=20))

    body, losses = encode_gemini_reply(reply(usage=usage))

    assert json.loads(body)["usageMetadata"] == {
        "promptTokenCount": 10,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 20,
        "totalTokenCount": 35,
    }
    assert losses == [("reply.usage", "usage.completion_tokens", 5, 25)]


# Streams.


def test_a_stream_without_chunks_ends_as_one():
    data, _ = encoded_stream([])

    (event,) = events(data)
    assert event["candidates"] == [
        {
            "content": {"parts": [{"text": ""}], "role": "model"},
            "finishReason": "STOP",
            "index": 0,
        }
    ]


def test_pieces_of_calls_are_joined_by_their_index():
    chunks = [
        chunk(piece(0, "call_1", "get_", "")),
        chunk(piece(1, "call_2", "g", '{"b"')),
        chunk(piece(0, None, "time", '{"a": 1')),
        chunk(piece(1, None, None, ": 2}")),
        chunk(piece(0, None, None, "}")),
        chunk(custom_piece(2, "call_3", name="run", input="x")),
        chunk(ChoiceDelta(), "tool_calls"),
    ]
    encoder = GeminiStreamEncoder()

    assert [encoder.encode(each) for each in chunks] == [b""] * len(chunks)
    (event,) = events(encoder.finish())

    assert [part["functionCall"] for part in event["candidates"][0]["content"]["parts"]] == [
        {"id": "call_1", "name": "get_time", "args": {"a": 1}},
        {"id": "call_2", "name": "g", "args": {"b": 2}},
        {"id": "call_3", "name": "run", "args": {"input": "x"}},
    ]


def test_a_call_without_an_id_gets_one():
    encoder = GeminiStreamEncoder()
    encoder.encode(chunk(piece(0, None, "f", "{}")))

    (event,) = events(encoder.finish())

    call = event["candidates"][0]["content"]["parts"][0]["functionCall"]
    assert call["id"].startswith("call_")


def test_reasoning_that_a_block_repeats_is_written_once():
    block = ReasoningBlock("thinking", "Let me think.", SIGNATURE, None, MODEL)
    chunks = [
        chunk(ChoiceDelta(reasoning="Let me ")),
        chunk(ChoiceDelta(reasoning="think.")),
        chunk(ChoiceDelta(reasoning_details=[block])),
        chunk(ChoiceDelta(reasoning="More.", reasoning_details=[thought("More.")])),
    ]

    data, _ = encoded_stream(chunks)

    *first, _ = events(data)
    assert [event["candidates"][0]["content"]["parts"] for event in first] == [
        [{"text": "Let me ", "thought": True}],
        [{"text": "think.", "thought": True}],
        [{"text": "", "thought": True, "thoughtSignature": SIGNATURE}],
        [{"text": "More.", "thought": True, "thoughtSignature": SIGNATURE}],
    ]


def test_a_stream_that_fails_ends_with_the_error():
    encoder = GeminiStreamEncoder()
    begun = encoder.encode(chunk(ChoiceDelta("Hi")))

    data = begun + encoder.fail(b'{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}')

    stream = read_stream(data)
    assert stream.failure == b'{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}'
    assert not stream.is_over


def test_an_encoder_goes_on_after_a_chunk_that_it_refused():
    encoder = GeminiStreamEncoder()
    with pytest.raises(TypeError):
        encoder.encode(chunk(ChoiceDelta(3)))

    (event,) = events(encoder.encode(chunk(ChoiceDelta("Hi"))))

    assert event["candidates"][0]["content"]["parts"] == [{"text": "Hi"}]
