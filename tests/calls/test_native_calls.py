"""Conversations of several calls: what a provider said goes back to it, and once without."""

from __future__ import annotations

import json

import httpx
import pytest

import specado
from specado import Client, InvalidRequestError

OPUS = "claude-opus-4-8"
BLOCKS = [
    {"type": "thinking", "thinking": "a", "signature": "s1"},
    {"type": "text", "text": "x"},
    {"type": "thinking", "thinking": "b", "signature": "s2"},
    {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"q": 1}},
]
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": OPUS,
    "content": BLOCKS,
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
RESULT = {"role": "tool", "tool_call_id": "toolu_1", "content": "ok"}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
REFUSED = "messages.1.content.0: Invalid `signature` in `thinking` block"


def sse(*events):
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()


def anthropic_events():
    yield {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}}
    for index, block in enumerate(BLOCKS):
        yield {"type": "content_block_start", "index": index, "content_block": block}
        yield {"type": "content_block_stop", "index": index}
    delta = {"stop_reason": "tool_use", "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 1}}
    yield {"type": "message_stop"}


class Server:
    """Answers with the scripted replies, one a request, and keeps the requests' bodies."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.bodies = []

    def __call__(self, request):
        self.bodies.append(json.loads(request.read()))
        reply = self.replies.pop(0)
        if isinstance(reply, bytes):
            headers = {"content-type": "text/event-stream"}
            return httpx.Response(200, headers=headers, content=reply)
        status = 400 if "error" in reply else 200
        return httpx.Response(status, json=reply)


def client(server, **settings):
    given = {"providers": {"anthropic": {"api_key": "sk-for-tests"}}}
    own = httpx.Client(transport=httpx.MockTransport(server))
    return Client({**given, "primary_provider": "anthropic", **settings}, http_client=own)


def error(message):
    return {"type": "error", "error": {"type": "invalid_request_error", "message": message}}


def ask(one, *messages, model=OPUS, **more):
    return one.chat.completions.create(
        model, [{"role": "user", "content": "hi"}, *messages], tools=TOOLS, **more
    )


def test_the_second_turn_has_the_blocks_of_the_first():
    server = Server(MESSAGE, MESSAGE)
    one = client(server)

    first = ask(one).choices[0].message
    ask(one, first, RESULT)

    assert server.bodies[1]["messages"][1]["content"] == BLOCKS


def test_a_streamed_answer_goes_back_as_it_came():
    server = Server(sse(*anthropic_events()), MESSAGE)
    one = client(server)

    stream = ask(one, stream=True)
    for _ in stream:
        pass
    ask(one, stream.response().choices[0].message, RESULT)

    assert server.bodies[1]["messages"][1]["content"] == BLOCKS


PIECES = [
    {"role": "assistant", "reasoning_content": "H"},
    {"reasoning_content": "m."},
    {
        "reasoning_details": [
            {"type": "reasoning.text", "text": "H", "format": "f", "id": "i", "index": 0}
        ]
    },
    {"reasoning_details": [{"type": "reasoning.text", "text": "m.", "index": 0}]},
    {"reasoning_details": [{"type": "reasoning.text", "signature": "s", "index": 0}]},
    {"reasoning_details": [{"type": "reasoning.encrypted", "data": "d", "index": 1}]},
    {
        "tool_calls": [
            {
                "index": 0,
                "id": "call_1",
                "type": "function",
                "function": {"name": "f", "arguments": "{}"},
                "extra_content": {"google": {"thought_signature": "c2ln"}},
            }
        ]
    },
]


def test_members_of_a_compatible_stream_go_back():
    specado.register_manifest({"name": "compatible", "base_url": "http://compatible.example/v1"})
    chunk = {"id": "a", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    pieces = [{**chunk, "choices": [{"index": 0, "delta": piece}]} for piece in PIECES]
    end = {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    streamed = sse(*pieces, end) + b"data: [DONE]\n\n"
    whole = {
        **chunk,
        "object": "chat.completion",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}
        ],
    }
    server = Server(streamed, whole)
    one = client(server)

    stream = ask(one, model="compatible/m", stream=True)
    for _ in stream:
        pass
    message = stream.response().choices[0].message
    ask(one, message, {**RESULT, "tool_call_id": "call_1"}, model="compatible/m")

    assert server.bodies[1]["messages"][1] == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "f", "arguments": "{}"},
                "extra_content": {"google": {"thought_signature": "c2ln"}},
            }
        ],
        "reasoning_content": "Hm.",
        "reasoning_details": [
            {
                "type": "reasoning.text",
                "text": "Hm.",
                "signature": "s",
                "id": "i",
                "format": "f",
                "index": 0,
            },
            {"type": "reasoning.encrypted", "data": "d", "index": 1},
        ],
    }


@pytest.mark.parametrize(
    "refusal",
    [
        REFUSED,
        "messages.1.content.0: Invalid `data` in `redacted_thinking` block",
        "The `thinking` blocks in the latest assistant message cannot be modified",
        "Thought signature is not valid",
        "Corrupted thought signature.",
        "The encrypted content gAAA could not be verified.",
    ],
)
def test_a_refused_signature_is_left_out_once(refusal):
    server = Server(MESSAGE, error(refusal), MESSAGE)
    one = client(server, max_retries=0)
    first = ask(one).choices[0].message

    reply = ask(one, first, RESULT)

    assert server.bodies[1]["messages"][1]["content"] == BLOCKS
    assert server.bodies[2]["messages"][1]["content"] == [BLOCKS[1], BLOCKS[3]]
    assert reply.extensions.attempts == 2
    (note,) = reply.extensions.metadata["reply_notes"]
    assert note.startswith("reasoning: the provider refused a signature")
    items = reply.extensions.metadata["lossiness"].items
    assert ("messages[1]", "Low") in [(item.path, item.severity) for item in items]


def test_a_stored_conversation_survives_a_refused_signature():
    server = Server(MESSAGE, error(REFUSED), MESSAGE)
    one = client(server)
    stored = json.loads(json.dumps(ask(one).choices[0].message.to_dict(native=True)))

    ask(one, stored, RESULT)

    assert server.bodies[2]["messages"][1]["content"] == [BLOCKS[1], BLOCKS[3]]


def test_a_second_refusal_ends_the_call():
    server = Server(MESSAGE, error(REFUSED), error(REFUSED))
    one = client(server)
    first = ask(one).choices[0].message

    with pytest.raises(InvalidRequestError):
        ask(one, first, RESULT)

    assert server.replies == []


@pytest.mark.parametrize(
    ("message", "settings"),
    [("max_tokens: too large", {}), (REFUSED, {"strictness": "strict"})],
)
def test_other_errors_and_the_strictest_setting_repeat_nothing(message, settings):
    server = Server(MESSAGE, error(message))
    one = client(server)
    first = ask(one).choices[0].message

    with pytest.raises(InvalidRequestError):
        ask(one, first, RESULT, max_tokens=100, **settings)


def test_a_request_without_signed_content_is_not_repeated():
    server = Server(error(REFUSED))

    with pytest.raises(InvalidRequestError):
        ask(client(server))

    assert len(server.bodies) == 1


def test_a_refused_signature_before_a_stream_is_left_out_once():
    server = Server(MESSAGE, error(REFUSED), sse(*anthropic_events()))
    one = client(server)
    first = ask(one).choices[0].message

    stream = ask(one, first, RESULT, stream=True)
    for _ in stream:
        pass

    assert server.bodies[2]["messages"][1]["content"] == [BLOCKS[1], BLOCKS[3]]
    (note,) = stream.extensions.metadata["reply_notes"]
    assert note.startswith("reasoning: the provider refused a signature")


def test_an_answer_goes_through_the_simulator_and_back():
    one = Client({"primary_provider": "anthropic", "simulate": True})
    first = ask(one, reasoning_effort="high")

    second = ask(one, first.choices[0].message, {"role": "user", "content": "go on"})

    assert first.choices[0].message.reasoning
    assert second.choices[0].message.text
