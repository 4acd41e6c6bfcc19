"""Guard: what specado's own parts cost, each beside the best ordinary way to the same result.

Every case checks first that both sides do the same work. Ratios within one run are what counts.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Optional

import msgspec
import orjson
import pytest

import specado
from specado import _core
from specado._core.gemini.wire import Reply as GeminiReply
from specado._core.openai_responses import events, wire
from specado.catalog import lookup as catalog
from specado.dialects.anthropic_messages.fields import REQUEST_PARAMETERS
from specado.dialects.gemini.fields import REQUEST_PARAMETERS as GEMINI_PARAMETERS
from specado.dialects.openai_responses.fields import (
    REQUEST_PARAMETERS as RESPONSES_PARAMETERS,
)

TWIN = Path(__file__).parent.parent / "tests" / "helpers" / "reference.py"
_spec = importlib.util.spec_from_file_location("compare_twin", TWIN)
_twin = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_twin)

SOURCE = catalog.get_model_capabilities("openai", "gpt-4-turbo")
TARGET = catalog.get_model_capabilities("anthropic", "claude-3-opus")


def conversation(count: int) -> list[dict[str, str]]:
    """Return *count* alternating messages of about 333 characters after a system message."""
    text = (
        "The quick brown fox jumps over the lazy dog; then it rests. " * 5 + "Why does it rest so?"
    )
    turns = [
        {"role": "assistant" if place % 2 else "user", "content": text}
        for place in range(count - 1)
    ]
    return [{"role": "system", "content": "You are a helpful assistant."}, *turns]


def openai_core(messages: list[dict[str, str]]) -> bytes:
    return _core.encode_openai_request(_core.normalize(messages), "gpt-4o", {}, None)[0]


def anthropic_core(messages: list[dict[str, str]]) -> bytes:
    return _core.encode_anthropic_request(
        _core.normalize(messages), "claude-opus-4-5", {"max_tokens": 100}, None, REQUEST_PARAMETERS
    )[0]


def openai_orjson(messages: list[dict[str, str]]) -> bytes:
    return orjson.dumps({"model": "gpt-4o", "messages": messages})


def openai_msgspec(messages: list[dict[str, str]]) -> bytes:
    return msgspec.json.encode({"model": "gpt-4o", "messages": messages})


def anthropic_dicts(messages: list[dict[str, str]]) -> bytes:
    """Return the body as a minimal translation by hand gives it: nothing checked or reported."""
    system = [each["content"] for each in messages if each["role"] == "system"]
    turns = [
        {"role": each["role"], "content": each["content"]}
        for each in messages
        if each["role"] != "system"
    ]
    return orjson.dumps(
        {
            "model": "claude-opus-4-5",
            "system": "\n".join(system),
            "messages": turns,
            "max_tokens": 100,
        }
    )


def gemini_core(messages: list[dict[str, str]]) -> bytes:
    return _core.encode_gemini_request(
        _core.normalize(messages), "gemini-3.5-flash", {}, None, GEMINI_PARAMETERS
    )[0]


def gemini_dicts(messages: list[dict[str, str]]) -> bytes:
    """Return the body as a minimal translation by hand gives it: nothing checked or reported."""
    roles = {"user": "user", "assistant": "model"}
    system = [{"text": each["content"]} for each in messages if each["role"] == "system"]
    contents = [
        {"role": roles[each["role"]], "parts": [{"text": each["content"]}]}
        for each in messages
        if each["role"] != "system"
    ]
    return orjson.dumps({"systemInstruction": {"parts": system}, "contents": contents})


@pytest.mark.parametrize("count", [10, 1_000, 10_000])
@pytest.mark.parametrize("encode", [openai_core, openai_orjson, openai_msgspec])
def test_openai_body(benchmark, encode, count):
    benchmark.group = f"messages to an OpenAI body, {count} messages"
    messages = conversation(count)
    assert json.loads(encode(messages)) == {"model": "gpt-4o", "messages": messages}

    benchmark(encode, messages)


@pytest.mark.parametrize("count", [10, 1_000, 10_000])
@pytest.mark.parametrize("encode", [anthropic_core, anthropic_dicts])
def test_anthropic_body(benchmark, encode, count):
    benchmark.group = f"messages to an Anthropic body, {count} messages"
    messages = conversation(count)
    assert json.loads(encode(messages)) == json.loads(anthropic_dicts(messages))

    benchmark(encode, messages)


def responses_core(messages: list[dict[str, str]]) -> bytes:
    return _core.encode_responses_request(
        _core.normalize(messages), "gpt-5.4", {}, None, RESPONSES_PARAMETERS
    )[0]


def responses_orjson(messages: list[dict[str, str]]) -> bytes:
    return orjson.dumps({"model": "gpt-5.4", "input": messages, "store": False})


@pytest.mark.parametrize("count", [10, 1_000, 10_000])
@pytest.mark.parametrize("encode", [responses_core, responses_orjson])
def test_responses_body(benchmark, encode, count):
    benchmark.group = f"messages to a Responses body, {count} messages"
    messages = conversation(count)
    assert json.loads(encode(messages)) == json.loads(responses_orjson(messages))

    benchmark(encode, messages)


@pytest.mark.parametrize("count", [10, 1_000, 10_000])
@pytest.mark.parametrize("encode", [gemini_core, gemini_dicts])
def test_gemini_body(benchmark, encode, count):
    benchmark.group = f"messages to a Gemini body, {count} messages"
    messages = conversation(count)
    assert json.loads(encode(messages)) == json.loads(gemini_dicts(messages))

    benchmark(encode, messages)


OPENAI_REPLY = orjson.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-4o-2024-08-06",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "It rests because it is tired. " * 10,
                    "refusal": None,
                    "annotations": [],
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 90,
            "completion_tokens": 80,
            "total_tokens": 170,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": "fp_1",
    }
)
ANTHROPIC_REPLY = orjson.dumps(
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-4-5",
        "content": [{"type": "text", "text": "It rests because it is tired. " * 10}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 90, "output_tokens": 80},
    }
)


RESPONSES_REPLY = orjson.dumps(
    {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_764_000_000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": "gpt-5.4-2026-03-05",
        "output": [
            {
                "id": "msg_1",
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [
                    {
                        "type": "output_text",
                        "annotations": [],
                        "logprobs": [],
                        "text": "It rests because it is tired. " * 10,
                    }
                ],
            }
        ],
        "parallel_tool_calls": True,
        "reasoning": {"effort": "none", "summary": None},
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 90,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 80,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 170,
        },
    }
)


def gemini_event(text: str) -> dict[str, object]:
    """Return an event of a stream, or with a finish reason a whole reply."""
    content = {"parts": [{"text": text}], "role": "model"}
    usage = {"promptTokenCount": 90, "candidatesTokenCount": 80, "totalTokenCount": 170}
    return {
        "candidates": [{"content": content, "index": 0}],
        "usageMetadata": usage,
        "modelVersion": "gemini-3.5-flash",
        "responseId": "r1",
    }


GEMINI_WHOLE = gemini_event("It rests because it is tired. " * 10)
GEMINI_WHOLE["candidates"][0]["finishReason"] = "STOP"
GEMINI_REPLY = orjson.dumps(GEMINI_WHOLE)


class PlainReply(msgspec.Struct):
    """The same reply as Structs alone: the floor for reading it."""

    id: str
    model: str
    choices: list[specado.Choice]
    created: int
    usage: Optional[specado.Usage] = None


plain_decoder = msgspec.json.Decoder(PlainReply)


@pytest.mark.benchmark(group="an OpenAI reply to Structs")
@pytest.mark.parametrize("by", ["core", "msgspec alone"])
def test_openai_reply(benchmark, by):
    def core(body: bytes) -> object:
        return _core.decode_openai_reply(body, "openai", "gpt-4o", 0)[0]

    decode = core if by == "core" else plain_decoder.decode
    assert decode(OPENAI_REPLY).choices[0].message.content.startswith("It rests")

    benchmark(decode, OPENAI_REPLY)


@pytest.mark.benchmark(group="an Anthropic reply to Structs")
def test_anthropic_reply(benchmark):
    reply, notes = _core.decode_anthropic_reply(ANTHROPIC_REPLY, "anthropic", "claude", 0)
    assert (reply.choices[0].finish_reason, notes) == ("stop", [])

    benchmark(_core.decode_anthropic_reply, ANTHROPIC_REPLY, "anthropic", "claude", 0)


responses_decoder = msgspec.json.Decoder(wire.Reply)


@pytest.mark.benchmark(group="a Responses reply to Structs")
@pytest.mark.parametrize("by", ["core", "msgspec alone"])
def test_responses_reply(benchmark, by):
    def core(body: bytes) -> object:
        return _core.decode_responses_reply(body, "openai", "gpt-5.4", 0)[0]

    decode = core if by == "core" else responses_decoder.decode
    assert decode(RESPONSES_REPLY).id == "resp_1"

    benchmark(decode, RESPONSES_REPLY)


gemini_decoder = msgspec.json.Decoder(GeminiReply)


@pytest.mark.benchmark(group="a Gemini reply to Structs")
@pytest.mark.parametrize("by", ["core", "msgspec alone"])
def test_gemini_reply(benchmark, by):
    def core(body: bytes) -> object:
        return _core.decode_gemini_reply(body, "gemini", "gemini-3.5-flash", 0)[0]

    decode = core if by == "core" else gemini_decoder.decode
    found = decode(GEMINI_REPLY)
    assert (found.choices if by == "core" else found.candidates)[0].finish_reason.lower() == "stop"

    benchmark(decode, GEMINI_REPLY)


WRITERS = {
    "openai": (_core.encode_openai_reply, _core.decode_openai_reply),
    "anthropic": (_core.encode_anthropic_reply, _core.decode_anthropic_reply),
}


@pytest.mark.benchmark(group="a reply's Structs to a body")
@pytest.mark.parametrize("by", [*WRITERS, "msgspec alone"])
def test_write_reply(benchmark, by):
    reply, _ = _core.decode_openai_reply(OPENAI_REPLY, "openai", "gpt-4o", 0)
    reply.raw = b""
    if by == "msgspec alone":
        write = msgspec.json.Encoder().encode
        assert json.loads(write(reply))["id"] == "chatcmpl-1"
    else:
        write, read = WRITERS[by]
        found, _ = read(write(reply)[0], "openai", "gpt-4o", 0)
        assert found.choices[0].message.content == reply.choices[0].message.content

    benchmark(write, reply)


STREAM_TEXTS = ["", *(f" word{place}" for place in range(499))]
OPENAI_EVENTS = [
    orjson.dumps(
        {
            "id": "chatcmpl-C2P1wP1damHwC6sXvGAIh5PMvH6wM",
            "object": "chat.completion.chunk",
            "created": 1_754_688_908,
            "model": "gpt-4o-2024-08-06",
            "service_tier": "default",
            "system_fingerprint": "fp_ff25b2783a",
            "choices": [
                {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": None}
            ],
            "usage": None,
            "obfuscation": "68kWLPsNVG6FC",
        }
    )
    for text in STREAM_TEXTS
]
ANTHROPIC_EVENTS = [
    orjson.dumps(
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": text},
        }
    )
    for text in STREAM_TEXTS[1:]
]
RESPONSES_EVENTS = [
    orjson.dumps(
        {
            "type": "response.output_text.delta",
            "sequence_number": place + 4,
            "item_id": "msg_0fabc13af1ee0049006a691dfebdc881a1ae18d027c313d8ce",
            "output_index": 0,
            "content_index": 0,
            "delta": text,
            "logprobs": [],
            "obfuscation": "68kWLPsNVG6FC",
        }
    )
    for place, text in enumerate(STREAM_TEXTS[1:])
]
RESPONSES_STREAM = b"".join(
    b"event: " + orjson.loads(event)["type"].encode() + b"\ndata: " + event + b"\n\n"
    for event in [
        orjson.dumps({"type": "response.created", "response": orjson.loads(RESPONSES_REPLY)}),
        orjson.dumps(
            {
                "type": "response.output_item.added",
                "output_index": 0,
                "item": {"id": "msg_1", "type": "message", "role": "assistant", "content": []},
            }
        ),
        *RESPONSES_EVENTS,
    ]
)
OPENAI_STREAM = b"".join(b"data: " + event + b"\n\n" for event in [*OPENAI_EVENTS, b"[DONE]"])
ANTHROPIC_STREAM = b"".join(
    b"event: " + name + b"\ndata: " + event + b"\n\n"
    for name, event in [
        (
            b"message_start",
            orjson.dumps(
                {
                    "type": "message_start",
                    "message": {**orjson.loads(ANTHROPIC_REPLY), "content": []},
                }
            ),
        ),
        *((b"content_block_delta", event) for event in ANTHROPIC_EVENTS),
        (b"message_stop", b'{"type":"message_stop"}'),
    ]
)


class PlainText(msgspec.Struct, tag="text_delta"):
    """The delta of a text event alone."""

    text: str


class PlainEvent(msgspec.Struct, tag="content_block_delta"):
    """A text event alone: the floor for reading it."""

    delta: PlainText
    index: int


STREAM_LIMITS = {"max_frame_bytes": 1 << 24, "max_reply_bytes": 1 << 26}


def openai_stream() -> list[specado.ChatCompletionChunk]:
    return _core.OpenAIStream("openai", "gpt-4o", 0, **STREAM_LIMITS).feed(OPENAI_STREAM)


def openai_lines() -> list[specado.ChatCompletionChunk]:
    """Decode what stands in the stream's lines, the lines already cut."""
    decode = msgspec.json.Decoder(specado.ChatCompletionChunk).decode
    return [decode(event) for event in OPENAI_EVENTS]


def anthropic_stream() -> list[specado.ChatCompletionChunk]:
    return _core.AnthropicStream("anthropic", "claude", 0, **STREAM_LIMITS).feed(ANTHROPIC_STREAM)


def anthropic_lines() -> list[specado.ChatCompletionChunk]:
    """Decode what stands in the stream's lines, and make the same chunks."""
    decode = msgspec.json.Decoder(PlainEvent).decode
    return [
        specado.ChatCompletionChunk(
            "msg_1",
            "claude-opus-4-5",
            [specado.ChunkChoice(0, specado.ChoiceDelta(decode(event).delta.text))],
            0,
        )
        for event in [*ANTHROPIC_EVENTS[:1], *ANTHROPIC_EVENTS]
    ]


def responses_stream() -> list[specado.ChatCompletionChunk]:
    return _core.ResponsesStream("openai", "gpt-5.4", 0, **STREAM_LIMITS).feed(RESPONSES_STREAM)


def responses_lines() -> list[specado.ChatCompletionChunk]:
    """Decode what stands in the stream's lines, and make the same chunks."""
    decode = msgspec.json.Decoder(events.TextDelta).decode
    return [
        specado.ChatCompletionChunk(
            "resp_1",
            "gpt-5.4",
            [specado.ChunkChoice(0, specado.ChoiceDelta(decode(event).delta))],
            0,
        )
        for event in [*RESPONSES_EVENTS[:1], *RESPONSES_EVENTS]
    ]


@pytest.mark.benchmark(group="a Responses stream's bytes to 500 chunks")
@pytest.mark.parametrize("read", [responses_stream, responses_lines])
def test_responses_stream(benchmark, read):
    chunks = read()
    assert [chunk.choices[0].delta.content for chunk in chunks][1:] == STREAM_TEXTS[1:]
    assert len(chunks) == len(STREAM_TEXTS)

    benchmark(read)


GEMINI_EVENTS = [orjson.dumps(gemini_event(text)) for text in STREAM_TEXTS[1:]]
GEMINI_STREAM = b"".join(b"data: " + event + b"\r\n\r\n" for event in GEMINI_EVENTS)


def gemini_stream() -> list[specado.ChatCompletionChunk]:
    return _core.GeminiStream("gemini", "gemini", 0, **STREAM_LIMITS).feed(GEMINI_STREAM)


def gemini_lines() -> list[specado.ChatCompletionChunk]:
    """Decode what stands in the stream's lines, and make the same chunks."""
    return [
        specado.ChatCompletionChunk(
            found.response_id,
            found.model_version,
            [
                specado.ChunkChoice(
                    0, specado.ChoiceDelta(found.candidates[0].content.parts[0].text)
                )
            ],
            0,
        )
        for found in map(gemini_decoder.decode, GEMINI_EVENTS)
    ]


@pytest.mark.benchmark(group="a Gemini stream's bytes to 499 chunks")
@pytest.mark.parametrize("read", [gemini_stream, gemini_lines])
def test_gemini_stream(benchmark, read):
    chunks = read()
    assert [chunk.choices[0].delta.content for chunk in chunks] == STREAM_TEXTS[1:]

    benchmark(read)


@pytest.mark.benchmark(group="an OpenAI stream's bytes to 500 chunks")
@pytest.mark.parametrize("read", [openai_stream, openai_lines])
def test_openai_stream(benchmark, read):
    chunks = read()
    assert [chunk.choices[0].delta.content for chunk in chunks] == STREAM_TEXTS

    benchmark(read)


@pytest.mark.benchmark(group="an Anthropic stream's bytes to 500 chunks")
@pytest.mark.parametrize("read", [anthropic_stream, anthropic_lines])
def test_anthropic_stream(benchmark, read):
    chunks = read()
    assert [chunk.choices[0].delta.content for chunk in chunks][1:] == STREAM_TEXTS[1:]
    assert len(chunks) == len(STREAM_TEXTS)

    benchmark(read)


def written_by(encoder) -> list[bytes]:
    encode = encoder.encode
    return [encode(chunk) for chunk in TEXT_CHUNKS]


def openai_events() -> list[bytes]:
    return written_by(_core.OpenAIStreamEncoder())


def anthropic_events() -> list[bytes]:
    return written_by(_core.AnthropicStreamEncoder())


def msgspec_events() -> list[bytes]:
    """Encode the same Structs with msgspec alone: the floor for writing them."""
    return written_by(msgspec.json.Encoder())


TEXT_CHUNKS = openai_stream()


@pytest.mark.benchmark(group="500 chunks to a stream's bytes")
@pytest.mark.parametrize("write", [openai_events, anthropic_events, msgspec_events])
def test_write_stream(benchmark, write):
    events = write()
    assert len(events) == len(STREAM_TEXTS)
    assert all(text.encode() in event for text, event in zip(STREAM_TEXTS, events))

    benchmark(write)


@pytest.mark.benchmark(group="compare gpt-4-turbo with claude-3-opus, dict to dict")
@pytest.mark.parametrize(
    "compare",
    [catalog.compare_capabilities, _twin.compare_capabilities],
    ids=["core", "reference"],
)
def test_compare(benchmark, compare):
    assert compare(SOURCE, TARGET)["lossiness_report"]["severity"] == "Medium"

    benchmark(compare, SOURCE, TARGET)


@pytest.mark.benchmark(group="look up a model's capabilities")
def test_get_model_capabilities(benchmark):
    assert catalog.get_model_capabilities("openai", "gpt-4-turbo") == SOURCE

    benchmark(catalog.get_model_capabilities, "openai", "gpt-4-turbo")


@pytest.mark.benchmark(group="make a client, after the first")
def test_client(benchmark):
    assert specado.Client().get_config("primary_provider") == "openai"

    benchmark(specado.Client)


@pytest.mark.benchmark(group="a whole call, simulated in process")
@pytest.mark.parametrize("model", ["gpt-4o", "claude-opus-4-5"])
def test_simulated_call(benchmark, model):
    create = specado.Client({"simulate": True}).chat.completions.create
    assert create(model, "Hello").extensions.metadata["simulated"] is True

    benchmark(create, model, "Hello")


FIELDS = {
    f"field_{place}": {"type": "string", "description": "What it is for. " * 6, "enum": ["a", "b"]}
    for place in range(14)
}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": f"tool_{place}",
            "parameters": {"type": "object", "properties": FIELDS, "required": list(FIELDS)},
        },
    }
    for place in range(20)
]


@pytest.mark.benchmark(group="plan a call with 20 tools of 2 KB, by candidates")
@pytest.mark.parametrize("fallbacks", [[], ["anthropic/claude-opus-4-5"], ["gpt-4.1"] * 3])
def test_plan_with_tools(benchmark, fallbacks):
    plan = specado.Client({"simulate": True}).chat.completions.plan
    found = plan("gpt-4o", "Hello", tools=TOOLS, fallback_models=fallbacks)
    assert all(candidate.eligible for candidate in found)

    benchmark(plan, "gpt-4o", "Hello", tools=TOOLS, fallback_models=fallbacks)


@pytest.mark.benchmark(group="import in a new process (the interpreter's start is in both)")
@pytest.mark.parametrize(
    "statement", ["pass", "import specado", "import specado; specado.Client()"]
)
def test_import(benchmark, statement):
    command = [sys.executable, "-c", statement]
    assert subprocess.run(command, check=False).returncode == 0

    benchmark.pedantic(subprocess.run, args=(command,), rounds=15, iterations=1)


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", specado.SimulatedReplyWarning)
        yield
