"""Reply and stream encoder for Anthropic's API: bytes, and losses of each reply row."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import official
import reference_streams
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
    custom_piece,
    function_calls,
    piece,
    reply,
    some_text,
    texts,
    usages,
)
from specado._core import AnthropicStreamEncoder, decode_anthropic_reply, encode_anthropic_reply
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

# What every reply of OpenAI's form loses, as notes.
CREATED = ("reply.created", "created", 1_700_000_000, None)


def decoded(body):
    found, notes = decode_anthropic_reply(body, "openai", "asked-for", 7)
    found.raw = b""
    return found, notes


def streamed(chunks):
    """Return the bytes of a whole stream, and the losses."""
    encoder = AnthropicStreamEncoder()
    data = b"".join([encoder.encode(each) for each in chunks]) + encoder.finish()
    return data, encoder.losses


def events(data):
    return [json.loads(frame) for _, frame in reference_streams.frames(data)]


choices = st.builds(
    answer,
    st.none() | texts,
    st.sampled_from(["stop", "length", "tool_calls", "content_filter", None]),
    tool_calls=st.none() | st.lists(function_calls | custom_calls, max_size=3),
    reasoning=st.none() | some_text,
    reasoning_details=st.none() | st.lists(blocks, min_size=1, max_size=3),
    refusal=st.none() | texts,
)


@st.composite
def replies(draw):
    """Replies whose reasoning blocks, if there are any, say the same as the reasoning."""
    choice = draw(choices)
    message = choice.message
    if message.reasoning_details is not None:
        message.reasoning = "".join(block.text or "" for block in message.reasoning_details) or None
    return ChatCompletionResponse(
        draw(some_text),
        MODEL,
        [choice],
        Extensions("openai"),
        draw(st.integers(1, 1 << 40)),
        usage=draw(st.none() | usages),
        system_fingerprint=draw(st.none() | some_text),
        service_tier=draw(st.sampled_from([None, "default", "priority", "flex"])),
    )


def expected_of(given_reply):
    """Return a reply less what its losses name, in the form that reading a message gives."""
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
    details = message.reasoning_details
    if details is None and message.reasoning:
        details = [ReasoningBlock("thinking", message.reasoning, "", None, MODEL)]
    reason = choice.finish_reason
    if reason == "stop" and message.refusal:
        reason = "content_filter"
    elif reason == "stop" and calls:
        reason = "tool_calls"
    elif reason == "tool_calls" and not calls:
        reason = "stop"
    usage = given_reply.usage or Usage(0, 0, 0)
    cached, spent = usage.prompt_tokens_details, usage.completion_tokens_details
    return ChatCompletionResponse(
        given_reply.id,
        MODEL,
        [
            Choice(
                0,
                Message(
                    "assistant",
                    (message.content or "") + (message.refusal or "") or None,
                    tool_calls=calls or None,
                    reasoning=message.reasoning,
                    reasoning_details=details,
                ),
                reason,
            )
        ],
        given_reply.extensions,
        7,
        usage=Usage(
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.total_tokens,
            cached if cached and (cached.cached_tokens or cached.cache_write_tokens) else None,
            spent if spent and spent.reasoning_tokens else None,
        ),
        service_tier=None if given_reply.service_tier == "flex" else given_reply.service_tier,
    )


def comparable(found):
    """Return a reply whose calls' arguments are values: a custom call's text has two forms."""
    for call in found.choices[0].message.tool_calls or ():
        call.function.arguments = json.loads(call.function.arguments)
    return found


def rows_of(given_reply):
    """Return the rows that a reply is to report."""
    (choice,) = given_reply.choices
    message, rows = choice.message, {"reply.created"}
    if given_reply.system_fingerprint is not None:
        rows.add("reply.fingerprint")
    if given_reply.service_tier == "flex":
        rows.add("reply.service_tier")
    if given_reply.usage is None:
        rows.add("reply.usage_missing")
    if message.refusal:
        rows.add("reply.refusal")
    if message.reasoning and message.reasoning_details is None:
        rows.add("reply.reasoning_unsigned")
    if any(call.custom is not None for call in message.tool_calls or ()):
        rows.add("reply.custom_call")
    if choice.finish_reason == "stop" and message.tool_calls and not message.refusal:
        rows.add("reply.tool_use")
    if choice.finish_reason == "tool_calls" and not message.tool_calls:
        rows.add("reply.finish_reason")
    return rows


def notes_of(given_reply):
    return [] if given_reply.choices[0].finish_reason else ["stop_reason: missing"]


@given(replies())
def test_a_reply_is_read_back_but_for_what_is_reported(given_reply):
    body, losses = encode_anthropic_reply(given_reply)
    found, notes = decoded(body)

    assert comparable(found) == comparable(expected_of(given_reply))
    assert notes == notes_of(given_reply)
    assert {row for row, *_ in losses} == rows_of(given_reply)


@given(replies(), st.sampled_from([1, 7, 1 << 20]))
def test_a_stream_is_read_back_but_for_what_is_reported(given_reply, size):
    data, losses = streamed(chunks_of(given_reply))
    stream, _ = read(
        "anthropic",
        [data[start : start + size] for start in range(0, len(data), size)],
    )
    found, notes = stream.response()
    found.extensions.provider_used = "openai"

    assert stream.is_over
    assert comparable(found) == comparable(expected_of(given_reply))
    assert notes == notes_of(given_reply)
    assert {row for row, *_ in losses} == rows_of(given_reply)


def test_the_body_is_that_of_the_documentation():
    given_reply = reply(
        answer(
            "It is sunny.",
            "tool_calls",
            reasoning="Let me think.",
            reasoning_details=[SIGNED, REDACTED],
            tool_calls=[CALL],
        ),
        usage=Usage(
            90,
            30,
            120,
            PromptTokensDetails(cached_tokens=20, cache_write_tokens=10, cache_write_1h_tokens=4),
            CompletionTokensDetails(reasoning_tokens=12),
        ),
        service_tier="default",
    )

    body, losses = encode_anthropic_reply(given_reply)

    assert b'"input":{"city": "Paris", "n": 1e400}' in body
    assert json.loads(body.replace(b"1e400", b"1")) == {
        "id": "chatcmpl-1",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [
            {"type": "thinking", "thinking": "Let me think.", "signature": "c2lnbmVk"},
            {"type": "redacted_thinking", "data": "ZGF0YQ=="},
            {"type": "text", "text": "It is sunny."},
            {
                "type": "tool_use",
                "id": "call_1",
                "name": "get_weather",
                "input": {"city": "Paris", "n": 1},
            },
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 60,
            "cache_creation_input_tokens": 10,
            "cache_read_input_tokens": 20,
            "cache_creation": {"ephemeral_5m_input_tokens": 6, "ephemeral_1h_input_tokens": 4},
            "output_tokens": 30,
            "output_tokens_details": {"thinking_tokens": 12},
            "service_tier": "standard",
        },
    }
    assert losses == [CREATED]


FINITE_CALL = ToolCall("call_1", FunctionCall("get_weather", '{"city": "Paris"}'))
VALID = {
    "text": reply(),
    "thinking": reply(
        answer("Hi", reasoning="Let me think.", reasoning_details=[SIGNED, REDACTED])
    ),
    "unsigned": reply(answer("Hi", reasoning="Let me think.")),
    "calls": reply(answer("Hi", "tool_calls", tool_calls=[FINITE_CALL, OTHER_CALL, CUSTOM_CALL])),
    "refusal": reply(answer(None, "stop", refusal="No.")),
    "length": reply(answer("Hi", "length")),
    "no reason": reply(answer("Hi", None)),
    "nothing": reply(answer(None), usage=None),
    "tier": reply(service_tier="priority"),
}


@pytest.mark.parametrize("name", VALID)
def test_a_reply_is_valid_by_the_official_types(name):
    body, _ = encode_anthropic_reply(VALID[name])

    assert official.problems("anthropic-response", body) == []


@pytest.mark.parametrize("name", VALID)
def test_a_stream_is_valid_by_the_official_types(name):
    data, _ = streamed(chunks_of(VALID[name]))

    frames = reference_streams.frames(data)
    assert [official.problems("anthropic-event", frame) for _, frame in frames] == [[]] * len(
        frames
    )
    assert [name for name, _ in frames] == [json.loads(frame)["type"] for _, frame in frames]


@pytest.mark.parametrize("name", VALID)
def test_a_stream_adds_up_to_the_reply_by_the_official_package(name):
    body, _ = encode_anthropic_reply(VALID[name])
    data, _ = streamed(chunks_of(VALID[name]))

    whole, streamed_whole = decoded(body)[0], decoded(reference_streams.anthropic_reply(data))[0]

    assert comparable(streamed_whole) == comparable(whole)


def test_nothing_private_is_written():
    given_reply = reply()
    given_reply.extensions.metadata["secret"] = "private"
    given_reply.raw = b"private"
    given_reply.headers = {"x-private": "private"}

    assert b"private" not in encode_anthropic_reply(given_reply)[0]


IMAGE = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
OTHERS_BLOCK = ReasoningBlock("thinking", "Hm.", "c2lnbmVk", None, "another-model")
ENCRYPTED = ReasoningBlock("reasoning.encrypted", None, None, "ZGF0YQ==")
BROKEN_CALL = ToolCall("call_1", FunctionCall("f", '{"city": "Pa'))
SECOND = answer("b", index=1)
MESSAGE = "choices[0].message"
LOSSES = {
    "reply.choices": (reply(answer("a"), SECOND), ("choices[1]", SECOND, None)),
    "reply.content_part": (
        reply(answer([{"type": "text", "text": "Hi"}, IMAGE])),
        (f"{MESSAGE}.content[1]", IMAGE, None),
    ),
    "reply.role": (reply(answer("Hi", role="model")), (f"{MESSAGE}.role", "model", "assistant")),
    "reply.refusal": (reply(answer(refusal="No.")), (f"{MESSAGE}.refusal", "No.", "No.")),
    "reply.annotations": (
        reply(answer("Hi", annotations=[CITATION])),
        (f"{MESSAGE}.annotations", [CITATION], None),
    ),
    "reply.audio": (reply(answer("Hi", audio=AUDIO)), (f"{MESSAGE}.audio", AUDIO, None)),
    "reply.logprobs": (
        reply(answer("Hi", logprobs=LOGPROBS)),
        ("choices[0].logprobs", LOGPROBS, None),
    ),
    "reply.reasoning": (
        reply(answer("Hi", reasoning="Shorter.", reasoning_details=[SIGNED])),
        (f"{MESSAGE}.reasoning", "Shorter.", "Let me think."),
    ),
    "reply.reasoning_unsigned": (
        reply(answer("Hi", reasoning="Hm.")),
        (f"{MESSAGE}.reasoning", "Hm.", "Hm."),
    ),
    "reply.reasoning_block": (
        reply(answer("Hi", reasoning_details=[ENCRYPTED])),
        (f"{MESSAGE}.reasoning_details[0]", ENCRYPTED, None),
    ),
    "reply.reasoning_model": (
        reply(answer("Hi", reasoning_details=[OTHERS_BLOCK])),
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
        reply(answer(None, tool_calls=[FINITE_CALL])),
        ("choices[0].finish_reason", "stop", "tool_use"),
    ),
    "reply.finish_reason": (
        reply(answer("Hi", "pause")),
        ("choices[0].finish_reason", "pause", "end_turn"),
    ),
    "reply.fingerprint": (reply(system_fingerprint="fp_1"), ("system_fingerprint", "fp_1", None)),
    "reply.service_tier": (reply(service_tier="flex"), ("service_tier", "flex", None)),
    "reply.usage": (
        reply(usage=Usage(5, 1, 6, PromptTokensDetails(audio_tokens=2))),
        ("usage.prompt_tokens_details.audio_tokens", 2, None),
    ),
    "reply.usage_cached": (
        reply(usage=Usage(5, 1, 6, PromptTokensDetails(cached_tokens=8))),
        ("usage.prompt_tokens", 5, 8),
    ),
    "reply.usage_missing": (reply(usage=None), ("usage", None, 0)),
}


@pytest.mark.parametrize("row", LOSSES)
def test_a_loss_is_reported(row):
    given_reply, expected = LOSSES[row]

    body, losses = encode_anthropic_reply(given_reply)

    assert sorted(losses, key=repr) == sorted([(row, *expected), CREATED], key=repr)
    assert official.problems("anthropic-response", body) == []


def test_every_row_of_replies_has_a_case():
    of_replies = {row for row in ROWS if row.startswith("reply.")}

    # The time is lost by every reply above; late pieces are a stream's: see below. Reasoning is
    # carried in OpenAI's Responses only; replies of Bedrock name neither themselves nor a model.
    elsewhere = {
        "reply.created",
        "reply.tool_call_piece",
        "reply.reasoning_carried",
        "reply.id",
        "reply.model",
    }
    assert {*LOSSES, *elsewhere} == of_replies


@pytest.mark.parametrize(
    ("usage", "lost"),
    [
        (Usage(5, 1, 7), {"usage.total_tokens": 7}),
        (
            Usage(5, 1, 6, None, CompletionTokensDetails(0, 1, 2, 3, 4)),
            {
                "usage.completion_tokens_details.audio_tokens": 1,
                "usage.completion_tokens_details.accepted_prediction_tokens": 2,
                "usage.completion_tokens_details.rejected_prediction_tokens": 3,
                "usage.completion_tokens_details.text_tokens": 4,
            },
        ),
        (Usage(5, 1, 6, PromptTokensDetails(0, 0, 0, 0, 0, 0), CompletionTokensDetails(0)), {}),
    ],
)
def test_counts_without_a_place_are_reported_unless_they_are_zero(usage, lost):
    _, losses = encode_anthropic_reply(reply(usage=usage))

    assert {path: before for row, path, before, _ in losses if row == "reply.usage"} == lost


@pytest.mark.parametrize("text", ["[1]", "1", '{"a":1}x', '{"a":01}', "{'a':1}", " ", "null"])
def test_arguments_that_are_no_object_become_a_member_of_one(text):
    call = ToolCall("call_1", FunctionCall("f", text))

    body, _ = encode_anthropic_reply(reply(answer(None, "tool_calls", tool_calls=[call])))

    assert json.loads(body)["content"][0]["input"] == {"arguments": text}


def test_a_reply_without_a_choice_is_refused():
    given_reply = reply()
    given_reply.choices = []

    with pytest.raises(ValueError, match="without a choice"):
        encode_anthropic_reply(given_reply)


# Streams


def test_the_events_are_those_of_the_documentation():
    chunks = [
        chunk(ChoiceDelta("", "assistant")),
        chunk(ChoiceDelta(reasoning="Let me ")),
        chunk(ChoiceDelta(reasoning="think.")),
        chunk(ChoiceDelta(reasoning_details=[SIGNED])),
        chunk(ChoiceDelta("It is")),
        chunk(piece(0, "call_1", "f", "")),
        chunk(piece(0, text='{"a":')),
        chunk(piece(0, text="1}")),
        chunk(ChoiceDelta(), "tool_calls"),
        chunk(usage=USAGE),
    ]

    data, losses = streamed(chunks)

    message = {
        "id": "chatcmpl-1",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }
    call = {"type": "tool_use", "id": "call_1", "name": "f", "input": {}}
    assert events(data) == [
        {"type": "message_start", "message": message},
        start(0, {"type": "thinking", "thinking": "", "signature": ""}),
        delta(0, "thinking_delta", thinking="Let me "),
        delta(0, "thinking_delta", thinking="think."),
        delta(0, "signature_delta", signature="c2lnbmVk"),
        {"type": "content_block_stop", "index": 0},
        start(1, {"type": "text", "text": ""}),
        delta(1, "text_delta", text="It is"),
        {"type": "content_block_stop", "index": 1},
        start(2, call),
        delta(2, "input_json_delta", partial_json='{"a":'),
        delta(2, "input_json_delta", partial_json="1}"),
        {"type": "content_block_stop", "index": 2},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use", "stop_sequence": None},
            "usage": {
                "input_tokens": 60,
                "cache_creation_input_tokens": 10,
                "cache_read_input_tokens": 20,
                "output_tokens": 30,
                "output_tokens_details": {"thinking_tokens": 12},
            },
        },
        {"type": "message_stop"},
    ]
    assert losses == [CREATED]


def start(index, block):
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index, kind, **fields):
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def content_of(*deltas):
    """Return the content blocks that the official package adds a stream of deltas up to."""
    data, _ = streamed([chunk(each) for each in deltas])
    return [
        {name: value for name, value in block.items() if value is not None}
        for block in json.loads(reference_streams.anthropic_reply(data))["content"]
    ]


def use(name, given_input):
    return {"type": "tool_use", "id": name, "name": name, "input": given_input}


def test_calls_whose_pieces_take_turns_come_one_after_another():
    found = content_of(
        piece(0, "f", "f", ""),
        piece(1, "g", "g", ""),
        piece(0, text='{"a":'),
        piece(1, text='{"b":"}'),
        piece(0, text="1}"),
        piece(1, text='{"}'),
        piece(2, "h", "h", "{}"),
    )

    assert found == [use("f", {"a": 1}), use("g", {"b": "}{"}), use("h", {})]


def test_a_call_is_written_as_soon_as_the_one_before_is_complete():
    encoder = AnthropicStreamEncoder()
    for each in (piece(0, "f", "f", '{"a":"\\"}"}'), piece(1, "g", "g", "")):
        encoder.encode(chunk(each))

    data = encoder.encode(chunk(piece(1, text="{")))

    assert events(data) == [
        start(1, use("g", {})),
        delta(1, "input_json_delta", partial_json="{"),
    ]


def test_text_and_thinking_after_an_incomplete_call_wait_for_its_end():
    encoder = AnthropicStreamEncoder()
    encoder.encode(chunk(piece(0, "f", "f", '{"a":')))

    waiting = [
        encoder.encode(chunk(each))
        for each in (ChoiceDelta("Hi "), ChoiceDelta("there"), ChoiceDelta(reasoning="Hm."))
    ]
    data = encoder.encode(chunk(piece(0, text="1}"))) + encoder.encode(chunk(ChoiceDelta("!")))

    assert waiting == [b"", b"", b""]
    assert [each["delta"] for each in events(data) if "delta" in each] == [
        {"type": "input_json_delta", "partial_json": "1}"},
        {"type": "text_delta", "text": "Hi there"},
        {"type": "thinking_delta", "thinking": "Hm."},
        {"type": "text_delta", "text": "!"},
    ]


@st.composite
def turns(draw):
    """Deltas of every kind in any order; those of one call are in order."""
    wanted = draw(st.lists(function_calls, max_size=4))
    lanes = [
        [
            piece(place, call.id, call.function.name, ""),
            *[piece(place, text=text) for text in pieces_of(draw, call.function.arguments)],
        ]
        for place, call in enumerate(wanted)
    ]
    lanes.append([ChoiceDelta(text) for text in draw(st.lists(some_text, max_size=4))])
    lanes.append([ChoiceDelta(reasoning=text) for text in draw(st.lists(some_text, max_size=4))])
    deltas = []
    while any(lanes):
        lane = draw(st.sampled_from([lane for lane in lanes if lane]))
        deltas.append(lane.pop(0))
    return wanted, deltas


def pieces_of(draw, text):
    places = draw(st.lists(st.integers(0, len(text)), max_size=3).map(sorted))
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)])]


@given(turns())
def test_whatever_takes_turns_adds_up_to_the_same_answer(given_turns):
    wanted, deltas = given_turns

    data, _ = streamed([chunk(delta) for delta in [ChoiceDelta("", "assistant"), *deltas]])
    stream, _ = read("anthropic", data)
    reply, notes = stream.response()
    message = reply.choices[0].message

    assert notes == ["stop_reason: missing"]
    assert message.text == "".join(delta.content or "" for delta in deltas)
    assert (message.reasoning or "") == "".join(delta.reasoning or "" for delta in deltas)
    assert sorted(message.tool_calls or [], key=repr) == sorted(wanted, key=repr)
    indexes = [each["index"] for each in events(data) if each["type"] == "content_block_start"]
    assert indexes == list(range(len(indexes)))


def test_kinds_that_take_turns_open_and_close_blocks():
    found = content_of(
        ChoiceDelta("a"),
        ChoiceDelta(reasoning="b"),
        ChoiceDelta(reasoning_details=[REDACTED]),
        ChoiceDelta("c"),
        piece(0, "f", "f", "{}"),
        ChoiceDelta("d"),
    )

    assert found == [
        {"type": "text", "text": "a"},
        {"type": "thinking", "thinking": "b", "signature": ""},
        {"type": "redacted_thinking", "data": "ZGF0YQ=="},
        {"type": "text", "text": "c"},
        use("f", {}),
        {"type": "text", "text": "d"},
    ]


def thought(text=None, signature=None, kind="thinking"):
    return ReasoningBlock(kind, text, signature)


SIGNED_THOUGHT = {"type": "thinking", "thinking": "Hm. So.", "signature": "c2ln"}


@pytest.mark.parametrize(
    "deltas",
    [
        [
            ChoiceDelta(reasoning="Hm. So."),
            ChoiceDelta(reasoning_details=[thought("Hm. So.", "c2ln")]),
        ],
        [ChoiceDelta(reasoning_details=[thought("Hm. So.", "c2ln")])],
        [
            ChoiceDelta(reasoning_details=[thought("Hm. ")]),
            ChoiceDelta(reasoning_details=[thought("So.")]),
            ChoiceDelta(reasoning_details=[thought(None, "c2ln")]),
        ],
        [
            ChoiceDelta(reasoning="Hm. ", reasoning_details=[thought("Hm. ")]),
            ChoiceDelta(reasoning="So.", reasoning_details=[thought("So.")]),
            ChoiceDelta(reasoning_details=[thought("", "c2ln")]),
        ],
    ],
    ids=["text, then the block", "the block", "pieces of the block", "both in pieces"],
)  # fmt: skip
def test_a_thought_is_written_once_however_it_comes(deltas):
    assert content_of(*deltas) == [SIGNED_THOUGHT]


def test_a_name_in_pieces_is_written_whole():
    found = content_of(piece(0, "c", "get_", ""), piece(0, name="time"), piece(0, text="{}"))

    assert [block["name"] for block in found] == ["get_time"]


def test_a_piece_of_a_call_that_has_ended_is_reported():
    data, losses = streamed(
        [
            chunk(piece(0, "f", "f", "{}")),
            chunk(ChoiceDelta("Hi")),
            chunk(piece(0, text=" ")),
            chunk(piece(0, text="more")),
        ]
    )

    assert ("reply.tool_call_piece", "choices[0].delta.tool_calls[0].arguments", "more", None) in (
        losses
    )
    assert b"more" not in data


@pytest.mark.parametrize("pieces", [[], ["pri", 'nt("\\é'], ["", "\n"]])
def test_a_custom_calls_text_becomes_a_member(pieces):
    deltas = [custom_piece(0, "c", name="run", input="")]
    deltas += [custom_piece(0, None, input=text) for text in pieces]

    found = content_of(*deltas, piece(1, "f", "f", "{}"))

    assert found == [
        {"type": "tool_use", "id": "c", "name": "run", "input": {"input": "".join(pieces)}},
        use("f", {}),
    ]


def test_losses_of_a_stream_are_reported_once():
    lossy = ChoiceDelta("a", "model", annotations=[CITATION], audio=AUDIO, refusal="No.")
    chunks = [chunk(lossy, logprobs=LOGPROBS) for _ in range(2)]
    chunks += [
        chunk(ChoiceDelta("b"), index=1),
        chunk(ChoiceDelta(), "pause", system_fingerprint="fp_1", service_tier="flex"),
        chunk(usage=Usage(9, 1, 10, PromptTokensDetails(None, 5, cache_write_1h_tokens=5))),
    ]

    _, losses = streamed(chunks)

    assert [(row, path) for row, path, *_ in losses] == [
        ("reply.created", "created"),
        ("reply.logprobs", "choices[0].logprobs"),
        ("reply.role", "choices[0].delta.role"),
        ("reply.refusal", "choices[0].delta.refusal"),
        ("reply.annotations", "choices[0].delta.annotations"),
        ("reply.audio", "choices[0].delta.audio"),
        ("reply.choices", "choices[1]"),
        ("reply.service_tier", "service_tier"),
        ("reply.fingerprint", "system_fingerprint"),
        ("reply.finish_reason", "choices[0].finish_reason"),
        ("reply.usage", "usage.prompt_tokens_details.cache_write_1h_tokens"),
    ]


def test_a_stream_without_a_chunk_is_an_empty_message():
    data, losses = streamed([])

    assert [event["type"] for event in events(data)] == [
        "message_start",
        "message_delta",
        "message_stop",
    ]
    assert losses == [("reply.usage_missing", "usage", None, 0)]


@pytest.mark.parametrize("wrong", [None, "text", {}, reply()])
def test_what_is_no_chunk_is_refused(wrong):
    with pytest.raises(TypeError, match="ChatCompletionChunk expected"):
        AnthropicStreamEncoder().encode(wrong)
