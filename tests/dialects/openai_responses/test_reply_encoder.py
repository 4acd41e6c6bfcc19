"""Reply and stream encoder for the Responses API: bytes, and losses of each reply row."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import official
import reference_streams
import specado
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
    chunk,
    chunks_of,
    custom_calls,
    custom_piece,
    function_calls,
    piece,
    reply,
    some_text,
    usages,
)
from responses_recordings import RECORDINGS
from specado._core import (
    ResponsesStreamEncoder,
    decode_responses_reply,
    encode_responses_reply,
)
from specado._core.openai_responses.carried import read_block
from specado.dialects.openai_responses.error_encoder import encode_responses_error
from specado.errors import QuotaExceededError, StreamInterruptedError
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
from stream_readers import read

FORMAT = "openai-responses-v1"
OWN = ReasoningBlock("reasoning.encrypted", None, None, "gAAA", MODEL, "rs_1", FORMAT)
SUMMED = ReasoningBlock("reasoning.encrypted", "So.", None, "gBBB", MODEL, "rs_2", FORMAT)
FINITE_CALL = ToolCall("call_1", FunctionCall("get_weather", '{"city": "Paris"}'))


def decoded(body):
    found, notes = decode_responses_reply(body, "openai", MODEL, 7)
    found.raw = b""
    return found, notes


def streamed(chunks):
    """Return the bytes of a whole stream, and the losses."""
    encoder = ResponsesStreamEncoder()
    data = b"".join([encoder.encode(each) for each in chunks]) + encoder.finish()
    return data, encoder.losses


def events(data):
    return [json.loads(frame) for _, frame in reference_streams.frames(data)]


def final(data):
    """Return the response in the terminal event, as the body of a reply."""
    return json.dumps(events(data)[-1]["response"]).encode()


own_blocks = st.builds(
    ReasoningBlock,
    type=st.just("reasoning.encrypted"),
    text=st.none() | some_text,
    data=some_text.filter(lambda text: not text.startswith("specado")),
    model=st.just(MODEL),
    id=st.uuids().map(lambda made: f"rs_{made}"),
    format=st.just(FORMAT),
)


@st.composite
def replies(draw):
    """Replies with reasoning of this API, whose text is that of its blocks."""
    details = draw(st.none() | st.lists(own_blocks, min_size=1, max_size=3))
    thoughts = "".join(block.text or "" for block in details or ()) or None
    choice = answer(
        draw(st.none() | some_text),
        draw(st.sampled_from(["stop", "length", "tool_calls", "content_filter", None])),
        tool_calls=draw(st.none() | st.lists(function_calls | custom_calls, max_size=3)),
        reasoning=thoughts,
        reasoning_details=details,
        refusal=draw(st.none() | some_text),
    )
    return ChatCompletionResponse(
        draw(some_text),
        MODEL,
        [choice],
        Extensions("openai"),
        draw(st.integers(1, 1 << 40)),
        usage=draw(usages),
        system_fingerprint=draw(st.none() | some_text),
        service_tier=draw(st.sampled_from([None, "default", "priority", "batch"])),
    )


def expected_of(given_reply):
    """Return a reply less what its losses name."""
    (choice,) = given_reply.choices
    message = choice.message
    reason = choice.finish_reason
    if reason == "stop" and message.tool_calls:
        reason = "tool_calls"
    elif reason == "tool_calls" and not message.tool_calls:
        reason = "stop"
    tier = given_reply.service_tier
    return ChatCompletionResponse(
        given_reply.id,
        MODEL,
        [
            Choice(
                0,
                Message(
                    "assistant",
                    message.content,
                    tool_calls=message.tool_calls or None,
                    reasoning=message.reasoning,
                    reasoning_details=message.reasoning_details,
                    refusal=message.refusal,
                ),
                "incomplete" if reason is None else reason,
            )
        ],
        given_reply.extensions,
        given_reply.created,
        usage=given_reply.usage,
        service_tier=None if tier == "batch" else tier,
    )


def rows_of(given_reply):
    """Return the rows that a reply is to report."""
    (choice,) = given_reply.choices
    message, reason, rows = choice.message, choice.finish_reason, set()
    if given_reply.system_fingerprint is not None:
        rows.add("reply.fingerprint")
    if given_reply.service_tier == "batch":
        rows.add("reply.service_tier")
    if reason == "stop" and message.tool_calls:
        rows.add("reply.tool_use")
    if reason is None or (reason == "tool_calls" and not message.tool_calls):
        rows.add("reply.finish_reason")
    return rows


@given(replies())
def test_a_reply_is_read_back_but_for_what_is_reported(given_reply):
    body, losses = encode_responses_reply(given_reply)
    found, _ = decoded(body)

    expected = expected_of(given_reply)
    if found.choices[0].finish_reason is None:
        expected.choices[0].finish_reason = None
    assert found == expected
    assert {row for row, *_ in losses} == rows_of(given_reply)


@given(replies(), st.sampled_from([1, 7, 1 << 20]))
def test_a_stream_says_the_same_as_the_reply(given_reply, size):
    data, losses = streamed(chunks_of(given_reply))
    stream, _ = read("responses", [data[at : at + size] for at in range(0, len(data), size)])
    found, _ = stream.response()
    whole, _ = decoded(encode_responses_reply(given_reply)[0])

    assert stream.is_over
    found.raw, found.extensions.provider_used = b"", "openai"
    shown, expected = found.choices[0].message, whole.choices[0].message
    assert [carried(block) for block in shown.reasoning_details or ()] == (
        expected.reasoning_details or []
    )
    shown.reasoning_details = expected.reasoning_details
    assert found == whole
    assert {row for row, *_ in losses} - {"reply.reasoning_carried"} == rows_of(given_reply)


def carried(block):
    """Return the block that a client's next request has for one in a stream."""
    return read_block(block.id, block.data, [block.text] if block.text else [], [], MODEL)


def test_the_body_is_that_of_the_documentation():
    given_reply = reply(
        answer(
            "It is sunny.",
            "tool_calls",
            reasoning="So.",
            reasoning_details=[OWN, SUMMED],
            tool_calls=[CALL, CUSTOM_CALL],
            annotations=[CITATION],
            refusal="No.",
            logprobs=LOGPROBS,
        ),
        service_tier="default",
    )

    body, losses = encode_responses_reply(given_reply)

    assert json.loads(body) == {
        "id": "chatcmpl-1",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": MODEL,
        "output": [
            {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
            {
                "id": "rs_2",
                "type": "reasoning",
                "summary": [{"type": "summary_text", "text": "So."}],
                "encrypted_content": "gBBB",
            },
            {
                "id": "msg_chatcmpl-1_2",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [
                    {
                        "type": "output_text",
                        "text": "It is sunny.",
                        "annotations": [
                            {
                                "type": "url_citation",
                                "start_index": 0,
                                "end_index": 2,
                                "title": "T",
                                "url": "https://a.example",
                            }
                        ],
                        "logprobs": LOGPROBS["content"],
                    },
                    {"type": "refusal", "refusal": "No."},
                ],
            },
            {
                "id": "fc_chatcmpl-1_3",
                "type": "function_call",
                "call_id": "call_1",
                "name": "get_weather",
                "arguments": '{"city": "Paris", "n": 1e400}',
                "status": "completed",
            },
            {
                "id": "ctc_chatcmpl-1_4",
                "type": "custom_tool_call",
                "call_id": "call_3",
                "name": "run",
                "input": 'print("hi")',
            },
        ],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 90,
            "input_tokens_details": {"cache_write_tokens": 10, "cached_tokens": 20},
            "output_tokens": 30,
            "output_tokens_details": {"reasoning_tokens": 12},
            "total_tokens": 120,
        },
        "user": None,
        "metadata": {},
    }
    assert losses == []


VALID = {
    "text": reply(),
    "reasoning": reply(answer("Hi", reasoning="So.", reasoning_details=[OWN, SUMMED])),
    "reasoning text": reply(answer("Hi", reasoning="Let me think.")),
    "foreign": reply(answer("Hi", reasoning="Let me think.", reasoning_details=[SIGNED, REDACTED])),
    "calls": reply(answer("Hi", "tool_calls", tool_calls=[FINITE_CALL, OTHER_CALL, CUSTOM_CALL])),
    "refusal": reply(answer(None, "stop", refusal="No.")),
    "text and refusal": reply(answer("Hi", "stop", refusal="No.")),
    "citation": reply(answer("Hi", annotations=[CITATION])),
    "logprobs": reply(answer("Hi", logprobs=LOGPROBS)),
    "length": reply(answer("Hi", "length")),
    "cut call": reply(answer(None, "length", tool_calls=[ToolCall("c", FunctionCall("f", '{"a'))])),
    "filtered": reply(answer("Hi", "content_filter")),
    "no reason": reply(answer("Hi", None)),
    "nothing": reply(answer(None), usage=None),
    "tier": reply(service_tier="priority"),
}


@pytest.mark.parametrize("name", VALID)
def test_a_reply_is_valid_by_the_official_types(name):
    body, _ = encode_responses_reply(VALID[name])

    assert official.problems("responses-response", body) == []


@pytest.mark.parametrize("name", VALID)
def test_a_stream_is_valid_by_the_official_types(name):
    data, _ = streamed(chunks_of(VALID[name]))

    frames = reference_streams.frames(data)
    assert [official.problems("responses-event", frame) for _, frame in frames] == [[]] * len(
        frames
    )
    assert [name for name, _ in frames] == [each["type"] for each in events(data)]
    assert [each["sequence_number"] for each in events(data)] == list(range(len(frames)))


@pytest.mark.parametrize("name", VALID)
def test_the_terminal_event_has_the_whole_reply(name):
    body, _ = encode_responses_reply(VALID[name])
    data, _ = streamed(chunks_of(VALID[name]))

    whole, told = json.loads(body), events(data)[-1]["response"]
    for each in (*whole["output"], *told["output"]):
        if each["type"] == "reasoning":  # in a stream its id comes before its block
            each.pop("id")
            each.pop("encrypted_content", None)
    assert told == whole


def test_the_events_of_an_item_come_in_the_order_of_the_documentation():
    data, _ = streamed(
        [
            chunk(ChoiceDelta(reasoning="So")),
            chunk(ChoiceDelta(reasoning=".")),
            chunk(ChoiceDelta("Hi")),
            chunk(ChoiceDelta(annotations=[CITATION])),
            chunk(piece(0, "call_1", "f", "")),
            chunk(piece(0, text="{}")),
            chunk(custom_piece(1, "call_2", name="run", input="")),
            chunk(custom_piece(1, None, input="ls")),
            chunk(ChoiceDelta(), "tool_calls"),
            chunk(usage=USAGE),
        ]
    )

    assert [each["type"].removeprefix("response.") for each in events(data)] == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.annotation.added",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "output_item.added",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
        "completed",
    ]


def test_text_after_a_call_is_another_message():
    data, losses = streamed(
        [
            chunk(ChoiceDelta("A")),
            chunk(piece(0, "call_1", "f", "{}")),
            chunk(ChoiceDelta("Bc")),
            chunk(
                ChoiceDelta(
                    annotations=[
                        {
                            "type": "url_citation",
                            "url_citation": {
                                "start_index": 1,
                                "end_index": 3,
                                "title": "T",
                                "url": "https://a.example",
                            },
                        }
                    ]
                )
            ),
            chunk(ChoiceDelta(), "tool_calls"),
        ]
    )

    output = events(data)[-1]["response"]["output"]
    assert [each["type"] for each in output] == ["message", "function_call", "message"]
    (cited,) = output[2]["content"][0]["annotations"]
    assert (cited["start_index"], cited["end_index"]) == (0, 2)
    assert losses == []


def test_pieces_of_calls_that_take_turns_stay_apart():
    data, _ = streamed(
        [
            chunk(piece(0, "call_1", "f", '{"a"')),
            chunk(piece(1, "call_2", "g", '{"b"')),
            chunk(piece(0, text=": 1}")),
            chunk(piece(1, text=": 2}")),
            chunk(ChoiceDelta(), "tool_calls"),
        ]
    )

    calls = events(data)[-1]["response"]["output"]
    assert [(each["name"], each["arguments"]) for each in calls] == [
        ("f", '{"a": 1}'),
        ("g", '{"b": 2}'),
    ]


def test_a_name_in_pieces_is_whole_in_the_item():
    data, _ = streamed(
        [
            chunk(piece(0, "call_1", "get_", None)),
            chunk(piece(0, None, "weather", None)),
            chunk(piece(0, text="{}")),
            chunk(ChoiceDelta(), "tool_calls"),
        ]
    )

    added = next(each for each in events(data) if each["type"] == "response.output_item.added")
    assert added["item"]["name"] == "get_weather"


# Answers of a Responses API

ANSWERS = [
    each
    for each in RECORDINGS
    if not each.is_stream and json.loads(each.body).get("status") in ("completed", "incomplete")
]


@pytest.mark.parametrize("recording", ANSWERS, ids=lambda each: each.id)
def test_the_items_of_a_recorded_reply_are_written_as_they_came(recording):
    found, _ = decode_responses_reply(recording.body, "openai", recording.model, 7)
    encoded, _ = encode_responses_reply(found)

    expected, made = json.loads(recording.body)["output"], json.loads(encoded)["output"]
    if found.choices[0].message.native is None:  # only ids and the like are new
        assert [each["type"] for each in made] == [each["type"] for each in expected]
    else:
        assert made == expected


def test_an_edited_answer_is_written_anew():
    item = {"id": "rs_9", "type": "reasoning", "summary": [], "encrypted_content": "x"}
    said = {
        "id": "msg_9",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "Secret", "annotations": []}],
    }
    body = json.loads(encode_responses_reply(reply())[0]) | {"output": [item, said]}
    found, _ = decode_responses_reply(json.dumps(body).encode(), "openai", MODEL, 7)
    found.choices[0].message.content = "***"

    encoded, _ = encode_responses_reply(found)

    assert b"Secret" not in encoded
    assert [each.get("id") for each in json.loads(encoded)["output"]] == [
        "rs_9",
        "msg_chatcmpl-1_1",
    ]


# Reasoning of other APIs


@pytest.mark.parametrize("is_stream", [False, True])
def test_reasoning_of_another_api_comes_back_as_it_was(is_stream):
    given_reply = reply(
        answer("Hi", reasoning="Let me think.", reasoning_details=[SIGNED, REDACTED])
    )
    if is_stream:
        data, losses = streamed(chunks_of(given_reply))
        output = events(data)[-1]["response"]["output"]
    else:
        body, losses = encode_responses_reply(given_reply)
        output = json.loads(body)["output"]
    request = {"model": MODEL, "input": [{"role": "user", "content": "a"}, *output]}

    sent = specado.translate(request, f"anthropic/{MODEL}", source="openai_responses")

    assert {row for row, *_ in losses} == {"reply.reasoning_carried"}
    assert [each.get("summary") for each in output[:2]] == [
        [{"type": "summary_text", "text": "Let me think."}],
        [],
    ]
    assert json.loads(sent.body)["messages"][1]["content"][:2] == [
        {"type": "thinking", "thinking": "Let me think.", "signature": "c2lnbmVk"},
        {"type": "redacted_thinking", "data": "ZGF0YQ=="},
    ]


def test_reasoning_of_the_api_goes_back_to_it_with_its_own_id():
    data, _ = streamed(chunks_of(reply(answer("Hi", reasoning="So.", reasoning_details=[SUMMED]))))
    output = events(data)[-1]["response"]["output"]
    request = {"model": MODEL, "input": [{"role": "user", "content": "a"}, *output]}

    sent = specado.translate(request, f"openai_responses/{MODEL}", source="openai_responses")

    _, thought, said = json.loads(sent.body)["input"]
    assert thought == {
        "type": "reasoning",
        "id": "rs_2",
        "summary": [{"type": "summary_text", "text": "So."}],
        "encrypted_content": "gBBB",
    }
    assert "id" not in said
    assert sent.report.items == []


# Losses


IMAGE = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
OTHERS_BLOCK = replace(OWN, model="another-model")
SECOND = answer("b", index=1)
MESSAGE = "choices[0].message"
PLACE = {"type": "place", "place": "x"}
LOSSES = {
    "reply.choices": (reply(answer("a"), SECOND), ("choices[1]", SECOND, None)),
    "reply.content_part": (
        reply(answer([{"type": "text", "text": "Hi"}, IMAGE])),
        (f"{MESSAGE}.content[1]", IMAGE, None),
    ),
    "reply.role": (reply(answer("Hi", role="bot")), (f"{MESSAGE}.role", "bot", "assistant")),
    "reply.annotations": (
        reply(answer("Hi", annotations=[PLACE])),
        (f"{MESSAGE}.annotations[0]", PLACE, None),
    ),
    "reply.audio": (reply(answer("Hi", audio=AUDIO)), (f"{MESSAGE}.audio", AUDIO, None)),
    "reply.logprobs": (
        reply(answer(None, logprobs=LOGPROBS)),
        ("choices[0].logprobs", LOGPROBS, None),
    ),
    "reply.reasoning": (
        reply(answer("Hi", reasoning="Other.", reasoning_details=[SUMMED])),
        (f"{MESSAGE}.reasoning", "Other.", "So."),
    ),
    "reply.reasoning_carried": (
        reply(answer("Hi", reasoning="Let me think.", reasoning_details=[SIGNED])),
        (f"{MESSAGE}.reasoning_details[0]", SIGNED, None),
    ),
    "reply.reasoning_model": (
        reply(answer("Hi", reasoning_details=[OTHERS_BLOCK])),
        (f"{MESSAGE}.reasoning_details[0].model", "another-model", MODEL),
    ),
    "reply.tool_use": (
        reply(answer(None, "stop", tool_calls=[FINITE_CALL])),
        ("choices[0].finish_reason", "stop", "tool_calls"),
    ),
    "reply.finish_reason": (
        reply(answer("Hi", "eos")),
        ("choices[0].finish_reason", "eos", "stop"),
    ),
    "reply.fingerprint": (
        reply(system_fingerprint="fp_1"),
        ("system_fingerprint", "fp_1", None),
    ),
    "reply.service_tier": (reply(service_tier="batch"), ("service_tier", "batch", None)),
    "reply.usage": (
        reply(usage=Usage(1, 2, 3, None, CompletionTokensDetails(audio_tokens=2))),
        ("usage.completion_tokens_details.audio_tokens", 2, None),
    ),
}


@pytest.mark.parametrize("row", LOSSES)
def test_each_loss_is_reported(row):
    given_reply, expected = LOSSES[row]

    body, losses = encode_responses_reply(given_reply)

    assert losses == [(row, *expected)]
    assert row in ROWS
    assert official.problems("responses-response", body) == []


def test_a_piece_after_the_end_of_a_call_is_reported():
    _, losses = streamed(
        [
            chunk(piece(0, "call_1", "f", "{}")),
            chunk(piece(1, "call_2", "g", "{}")),
            chunk(piece(0, text="{")),
            chunk(ChoiceDelta(), "tool_calls"),
        ]
    )

    assert losses == [
        ("reply.tool_call_piece", "choices[0].delta.tool_calls[0].arguments", "{", None)
    ]


def test_the_hour_long_cache_has_no_count_of_its_own():
    usage = Usage(9, 1, 10, PromptTokensDetails(cache_write_1h_tokens=4))

    _, losses = encode_responses_reply(reply(usage=usage))

    assert losses == [("reply.usage", "usage.prompt_tokens_details.cache_write_1h_tokens", 4, None)]


# Failures


def test_an_error_before_the_first_chunk_is_one_event():
    _, _, body = encode_responses_error(QuotaExceededError("No credit.", provider="p"))

    (found,) = events(ResponsesStreamEncoder().fail(body))

    assert found == {
        "type": "error",
        "code": "insufficient_quota",
        "message": "No credit.",
        "param": None,
        "sequence_number": 0,
    }
    assert official.problems("responses-event", found) == []


def test_an_error_in_a_response_ends_it_as_failed():
    _, _, body = encode_responses_error(StreamInterruptedError("Broken off.", provider="p"))
    encoder = ResponsesStreamEncoder()
    begun = encoder.encode(chunk(ChoiceDelta(reasoning="So.")))
    begun += encoder.encode(chunk(ChoiceDelta("Hi")))

    *_, error, last = events(begun + encoder.fail(body))

    assert (error["type"], last["type"]) == ("error", "response.failed")
    assert last["response"]["status"] == "failed"
    assert last["response"]["error"] == {"code": "server_error", "message": "Broken off."}
    assert [each["type"] for each in last["response"]["output"]] == ["reasoning"]
    assert [official.problems("responses-event", each) for each in (error, last)] == [[], []]


def test_nothing_private_is_written():
    given_reply = reply()
    given_reply.extensions.metadata["secret"] = "private"
    given_reply.raw = b"private"
    given_reply.headers = {"x-private": "private"}

    assert b"private" not in encode_responses_reply(given_reply)[0]
