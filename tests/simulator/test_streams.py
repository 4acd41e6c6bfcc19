"""Streams in process: every event as the provider writes it, every fault where it should be."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

import official
from specado.simulator import FAULTS, AsyncInProcessTransport, InProcessTransport, handle
from specado.transport import Limits, TransportFailure, WireRequest

MESSAGES = [{"role": "user", "content": "Hello, Wörld"}]
TEXT = "Simulated reply to: Hello, Wörld"
PARAMETERS = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
TOOLS = {
    "openai": [{"type": "function", "function": {"name": "run", "parameters": PARAMETERS}}],
    "anthropic": [{"name": "run", "input_schema": PARAMETERS}],
}
# What a stream of the fault says before it ends, and how it ends; "" is a good end.
FAULTY = {
    "stream-error-test-model": (0, "error"),
    "stream-overloaded-test-model": (0, "error"),
    "stream-late-error-test-model": (1, "error"),
    "stream-early-cut-test-model": (0, "truncated"),
    "stream-cut-test-model": (1, "truncated"),
    "stream-stall-test-model": (0, "timeout"),
    "stream-idle-test-model": (1, "timeout"),
    "stream-malformed-test-model": (1, "not JSON"),
    "stream-unterminated-test-model": (2, "no end"),
    "truncated-test-model": (0, "truncated"),
    "malformed-test-model": (0, "not JSON"),
    "empty-test-model": (0, ""),
    "slow-test-model": (2, ""),
    "stream-bytewise-test-model": (2, ""),
    "stream-crlf-test-model": (2, ""),
    "stream-cr-test-model": (2, ""),
    "stream-ping-test-model": (2, ""),
}


def openai_request(**fields):
    body = {"model": "gpt-4o", "messages": MESSAGES, "stream": True, **fields}
    url = "https://api.openai.com/v1/chat/completions"
    return WireRequest("POST", url, (), json.dumps(body).encode())


def anthropic_request(**fields):
    model = "claude-sonnet-4-5"
    body = {"model": model, "max_tokens": 2000, "messages": MESSAGES, "stream": True, **fields}
    headers = (("Anthropic-Version", "2023-06-01"),)
    url = "https://api.anthropic.com/v1/messages"
    return WireRequest("POST", url, headers, json.dumps(body).encode())


REQUESTS = {"openai": openai_request, "anthropic": anthropic_request}


def read_sync(request):
    """Return status, headers, the pieces that came, and the kind of failure after them."""
    pieces = []
    reply = InProcessTransport().open(request, time.monotonic() + 5, Limits())
    try:
        while piece := reply.read(time.monotonic() + 5):
            pieces.append(piece)
    except TransportFailure as failure:
        return reply.status, reply.headers, pieces, failure.kind
    finally:
        reply.close()
    return reply.status, reply.headers, pieces, ""


def read_async(request):
    async def read():
        pieces = []
        reply = await AsyncInProcessTransport().open(request, time.monotonic() + 5, Limits())
        try:
            while piece := await reply.read(time.monotonic() + 5):
                pieces.append(piece)
        except TransportFailure as failure:
            return reply.status, reply.headers, pieces, failure.kind
        finally:
            reply.close()
        return reply.status, reply.headers, pieces, ""

    return asyncio.run(read())


@pytest.fixture(params=[read_sync, read_async], ids=["sync", "async"])
def read(request):
    return request.param


def events(body):
    """Return the name and the data of each event; what a blank line does not end is left out."""
    text = body.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    found = []
    for frame in text.split("\n\n")[:-1]:
        lines = dict(line.split(": ", 1) for line in frame.split("\n"))
        if "data" in lines:
            found.append((lines.get("event"), lines["data"]))
    return found


def data_of(body):
    return [json.loads(data) for _, data in events(body) if data != "[DONE]"]


def told(body):
    """Return the text that the events bring, and how they end."""
    said, end = "", "no end"
    for name, data in events(body):
        if data == "[DONE]" or name == "message_stop":
            return said, end if end == "not JSON" else ""
        try:
            value = json.loads(data)
        except ValueError:
            end = "not JSON"
            continue
        if "error" in value:
            return said, "error"
        for choice in value.get("choices") or ():
            said += choice["delta"].get("content") or ""
        if name == "content_block_delta":
            said += value["delta"].get("text", "")
    return said, end


def test_every_fault_of_streams_is_covered_here():
    assert {name for name in FAULTS if name.startswith("stream-")} <= set(FAULTY)
    assert all(name.startswith("stream-") == FAULTS[name].is_of_streams for name in FAULTS)


@pytest.mark.parametrize("model", FAULTY)
def test_streamed_faults(read, provider, model):
    status, headers, pieces, failure = read(REQUESTS[provider](model=model))
    said, end = told(b"".join(pieces))
    how_much, expected = FAULTY[model]

    assert status == 200
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (failure or end) == expected
    assert TEXT.startswith(said) or expected == "not JSON"
    assert said == ("", said, TEXT)[how_much]
    assert bool(said) == bool(how_much)


@pytest.mark.parametrize(
    ("model", "kind", "sent"),
    [
        ("timeout-test-model", "timeout", True),
        ("connection-refused-test-model", "connect", False),
        ("connection-reset-test-model", "reset", True),
    ],
)
def test_what_has_no_reply_has_no_stream(read, provider, model, kind, sent):
    with pytest.raises(TransportFailure) as caught:
        read(REQUESTS[provider](model=model))

    assert (caught.value.kind, caught.value.sent) == (kind, sent)


def test_a_timeout_says_how_long(provider):
    with pytest.raises(TransportFailure, match="no reply within 30 s"):
        InProcessTransport().open(
            REQUESTS[provider](model="timeout-test-model"), time.monotonic() + 30, Limits()
        )


def test_error_statuses_are_not_streamed(read, provider):
    status, headers, pieces, failure = read(REQUESTS[provider](model="rate-limit-test-model"))

    assert (status, failure) == (429, "")
    assert headers["content-type"] == "application/json"
    assert official.problems(f"{provider}-error", b"".join(pieces)) == []


def test_an_unstreamed_reply_opens_too(read, provider):
    _, headers, pieces, failure = read(REQUESTS[provider](stream=False))
    *_, broken = read(REQUESTS[provider](stream=False, model="truncated-test-model"))

    assert headers["content-type"] == "application/json"
    assert official.problems(f"{provider}-response", b"".join(pieces)) == []
    assert (failure, broken) == ("", "truncated")


@pytest.mark.parametrize("model", [name for name in FAULTS if name.startswith("stream-")])
def test_stream_faults_answer_well_without_stream(provider, model):
    request = REQUESTS[provider](stream=False, model=model)
    reply = InProcessTransport().send(request, 5.0, Limits())

    assert reply.status == 200
    assert official.problems(f"{provider}-response", reply.body) == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"tools": "TOOLS", "tool_choice": "FORCED"},
        {"model": "stream-error-test-model"},
        {"model": "stream-overloaded-test-model"},
        {"model": "stream-late-error-test-model"},
        {"model": "stream-ping-test-model"},
        {"model": "empty-test-model"},
    ],
)
def test_every_event_is_of_the_official_types(provider, fields):
    if "tools" in fields:
        forced = {"openai": "required", "anthropic": {"type": "any"}}[provider]
        fields = {"tools": TOOLS[provider], "tool_choice": forced}
    body = b"".join(read_sync(REQUESTS[provider](**fields))[2])
    kind = {"openai": "openai-chunk", "anthropic": "anthropic-event"}[provider]

    for value in data_of(body):
        if provider == "openai" and "error" in value:
            assert official.problems("openai-error", value) == []
        else:
            assert official.problems(kind, value) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"n": 3, "logprobs": True, "top_logprobs": 2},
        {"stream_options": {"include_usage": True}},
        {"response_format": {"type": "json_object"}, "stream_options": {}},
    ],
)
def test_chunks_are_of_the_official_type(fields):
    for chunk in data_of(b"".join(read_sync(openai_request(**fields))[2])):
        assert official.problems("openai-chunk", chunk) == []


def test_events_of_thoughts_are_of_the_official_types():
    thinking = {"type": "enabled", "budget_tokens": 1024}
    for event in data_of(b"".join(read_sync(anthropic_request(thinking=thinking))[2])):
        assert official.problems("anthropic-event", event) == []


def test_the_order_of_openais_chunks():
    body = b"".join(read_sync(openai_request(stream_options={"include_usage": True}))[2])
    chunks = data_of(body)

    assert body.endswith(b"data: [DONE]\n\n")
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-2]["choices"][0]["delta"] == {}
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] > 0
    assert len({chunk["id"] for chunk in chunks}) == 1


def test_usage_and_obfuscation_as_asked_for():
    plain = data_of(b"".join(read_sync(openai_request())[2]))
    bare = data_of(
        b"".join(read_sync(openai_request(stream_options={"include_obfuscation": False}))[2])
    )

    assert all("usage" not in chunk and "obfuscation" in chunk for chunk in plain)
    assert all("usage" not in chunk and "obfuscation" not in chunk for chunk in bare)


def test_choices_are_interleaved():
    chunks = data_of(b"".join(read_sync(openai_request(n=3))[2]))
    order = [choice["index"] for chunk in chunks for choice in chunk["choices"]]

    assert order[:9] == [0, 1, 2] * 3
    assert order[-1] != 0


def test_arguments_come_in_several_deltas():
    fields = {"tools": TOOLS["openai"], "tool_choice": "required"}
    chunks = data_of(b"".join(read_sync(openai_request(**fields))[2]))
    deltas = [chunk["choices"][0]["delta"].get("tool_calls") for chunk in chunks]
    calls = [call for (call,) in filter(None, deltas)]

    assert chunks[0]["choices"][0]["delta"]["content"] is None
    assert calls[0]["type"] == "function"
    assert calls[0]["function"] == {"name": "run", "arguments": ""}
    assert all(set(call) == {"index", "function"} for call in calls[1:])
    assert [call["function"]["arguments"] for call in calls[1:]] == ['{"a"', ":1}"]
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_the_order_of_anthropics_events():
    thinking = {"type": "enabled", "budget_tokens": 1024}
    found = events(b"".join(read_sync(anthropic_request(thinking=thinking))[2]))
    names = [name for name, _ in found]
    kinds = [json.loads(data).get("delta", {}).get("type") for _, data in found]

    assert names[:4] == ["message_start", "content_block_start", "ping", "content_block_delta"]
    assert names[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert all(name == json.loads(data)["type"] for name, data in found)
    assert list(dict.fromkeys(filter(None, kinds))) == [
        "thinking_delta",
        "signature_delta",
        "text_delta",
    ]
    assert json.loads(found[0][1])["message"]["content"] == []
    assert json.loads(found[-2][1])["usage"]["output_tokens"] > 1


def test_the_pieces_are_what_the_fault_says(provider):
    def pieces(kind):
        return read_sync(REQUESTS[provider](model=f"stream-{kind}-test-model"))[2]

    assert {len(piece) for piece in pieces("bytewise")} == {1}
    assert b"\n" not in b"".join(pieces("cr"))
    crlf = pieces("crlf")
    whole = b"".join(crlf)
    assert whole.count(b"\r\n") == whole.count(b"\n") == whole.count(b"\r") > 10
    assert all(piece.endswith(b"\r") for piece in crlf[:-1])
    pinged = pieces("ping")
    assert all(b"ping" in piece for piece in pinged[::2])
    assert len(pinged) > 10


def test_a_cut_is_within_an_event(provider):
    pieces = read_sync(REQUESTS[provider](model="stream-cut-test-model"))[2]

    assert not pieces[-1].endswith(b"\n")


def test_an_answer_without_text_takes_every_fault(provider):
    stops = {"openai": {"stop": ["Simulated"]}, "anthropic": {"stop_sequences": ["Simulated"]}}
    for model in FAULTY:
        status, _, pieces, _ = read_sync(REQUESTS[provider](model=model, **stops[provider]))

        assert status == 200
        assert told(b"".join(pieces))[0] == ""


def test_a_closed_reply_brings_nothing_more(provider):
    for model in ("slow-test-model", "stream-cut-test-model", "stream-idle-test-model"):
        request = REQUESTS[provider](model=model)
        reply = InProcessTransport().open(request, time.monotonic() + 5, Limits())
        assert reply.read(time.monotonic() + 5) != b""
        reply.close()

        assert reply.read(time.monotonic() + 5) == b""


def test_a_fault_is_told_once(provider):
    request = REQUESTS[provider](model="stream-stall-test-model")
    reply = InProcessTransport().open(request, time.monotonic() + 5, Limits())
    with pytest.raises(TransportFailure):
        reply.read(time.monotonic() + 5)

    assert reply.read(time.monotonic() + 5) == b""


def test_a_streamed_request_is_checked_as_any_other(provider):
    reply = handle(
        "POST",
        REQUESTS[provider]().url,
        {"anthropic-version": "2023-06-01"},
        REQUESTS[provider](messages=[]).body,
    )

    assert reply.status == 400
    assert reply.stream is None


def test_counting_tokens_is_never_streamed():
    body = json.dumps({"model": "truncated-test-model", "messages": MESSAGES, "stream": True})
    reply = handle(
        "POST",
        "/v1/messages/count_tokens",
        {"anthropic-version": "2023-06-01"},
        body.encode(),
    )

    assert reply.stream is None
