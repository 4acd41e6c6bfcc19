"""Streams as a caller reads them: chunks, response, extensions."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

import official
import sockets
from played_streams import CALLERS, chunk, client, hello, play, simulated, streamed
from stream_readers import calls, joined, sse

MODELS = {"openai": "gpt-4.1", "anthropic": "claude-sonnet-4-6"}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
        },
    },
}
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
AS_SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "person", "schema": SCHEMA, "strict": True},
}
CUSTOM = [{"type": "custom", "custom": {"name": "run_code"}}]
REQUESTS = {
    "text": {},
    "a tool": {"tools": [WEATHER], "tool_choice": "required"},
    "an answer by a schema": {"response_format": AS_SCHEMA},
    "a cut answer": {"max_tokens": 3},
    "a stop text": {"stop": ["about"]},
}
OPENAI_REQUESTS = {
    "n": {"n": 3},
    "logprobs": {"logprobs": True, "top_logprobs": 2},
    "a custom tool": {
        "tools": CUSTOM,
        "tool_choice": "required",
        "model": "gpt-5",
        "max_tokens": None,
        "max_completion_tokens": 500,
    },
}
ANTHROPIC_REQUESTS = {
    "reasoning": {"reasoning_effort": "high", "max_tokens": 8000},
    "an emulated schema": {"response_format": AS_SCHEMA, "model": "anthropic/claude-sonnet-4-0"},
}
CASES = [
    *[("openai", name, given) for name, given in {**REQUESTS, **OPENAI_REQUESTS}.items()],
    *[("anthropic", name, given) for name, given in {**REQUESTS, **ANTHROPIC_REQUESTS}.items()],
]
EACH_CASE = pytest.mark.parametrize(
    ("dialect", "given"),
    [(dialect, given) for dialect, _, given in CASES],
    ids=[f"{dialect}, {name}" for dialect, name, _ in CASES],
)
EACH_CALLER = pytest.mark.parametrize("caller", CALLERS)


def arguments(dialect, given):
    given = {"max_tokens": 200, **given}
    model = given.pop("model", MODELS[dialect])
    messages = [{"role": "user", "content": "Tell me about the sea, please"}]
    given["strictness"] = "coerce"
    return (model, messages), {name: value for name, value in given.items() if value is not None}


def problems(kind, data):
    """Return what the official type refuses; a provider may send more than it asks for."""
    return [each for each in official.problems(kind, data) if "always sent" not in each]


def comparable(response):
    """Return a reply without what differs between two requests, and what streams leave out."""
    data = response.to_dict()
    data.pop("id")
    data.pop("created")
    for choice in data["choices"]:
        if choice["message"].get("annotations") == []:
            del choice["message"]["annotations"]
        for call in choice["message"].get("tool_calls") or ():
            call.pop("id")
    for choice in response.choices:
        data.setdefault("reasoning", []).append(choice.message.reasoning)
    return data


# Chunks and the response


@EACH_CALLER
@EACH_CASE
def test_the_response_is_that_of_the_call_without_stream(dialect, given, caller):
    args, given = arguments(dialect, given)
    whole = simulated().chat.completions.create(*args, **given)

    played = play(simulated(), caller, *args, **{"max_tokens": None, **given})

    found = played.stream.response()
    assert comparable(found) == comparable(whole)
    assert problems("openai-response", found.to_json()) == []
    assert found is played.stream.response()
    assert found.raw == b""
    assert found.extensions is played.stream.extensions
    notes = whole.extensions.metadata.get("reply_notes")
    assert found.extensions.metadata.get("reply_notes") == notes


@EACH_CASE
def test_every_chunk_is_an_official_one(dialect, given):
    args, given = arguments(dialect, given)

    played = play(simulated(), "sync", *args, **{"max_tokens": None, **given})

    assert len({found.id for found in played.chunks}) == 1
    assert played.chunks[0].choices[0].delta.role == "assistant"
    for found in played.chunks:
        data = found.to_dict()
        assert json.loads(found.to_json()) == data == found.model_dump()
        if given.get("tools") != CUSTOM:  # the official type of a chunk knows functions only
            assert problems("openai-chunk", data) == []
    reasons = {
        choice.index: choice.finish_reason
        for found in played.chunks
        for choice in found.choices
        if choice.finish_reason is not None
    }
    response = played.stream.response()
    assert reasons == {choice.index: choice.finish_reason for choice in response.choices}


@EACH_CASE
def test_chunks_add_up_to_the_response(dialect, given):
    args, given = arguments(dialect, given)

    played = play(simulated(), "sync", *args, **{"max_tokens": None, **given})

    messages = [choice.message for choice in played.stream.response().choices]
    for name in ("content", "reasoning", "refusal"):
        if len(messages) == 1:
            assert joined(played.chunks, name) == (getattr(messages[0], name) or "")
    made = messages[0].tool_calls or []
    assert calls(played.chunks) == {
        index: [
            call.id,
            call.function.name if call.function else "",
            call.function.arguments if call.function else "",
        ]
        for index, call in enumerate(made)
    }


def test_emulated_structured_output_streams_as_content():
    args, given = arguments("anthropic", ANTHROPIC_REQUESTS["an emulated schema"])

    played = play(simulated(), "sync", *args, **given)

    assert set(json.loads(played.text)) == {"name", "age"}
    assert calls(played.chunks) == {}
    assert played.stream.response().choices[0].finish_reason == "stop"
    assert played.stream.extensions.metadata["lossiness"].is_lossy


def test_reasoning_streams_apart_from_the_answer():
    args, given = arguments("anthropic", ANTHROPIC_REQUESTS["reasoning"])

    played = play(simulated(), "sync", *args, **given)

    message = played.stream.response().choices[0].message
    assert message.reasoning
    assert joined(played.chunks, "reasoning") == message.reasoning
    assert message.reasoning not in played.text
    blocks = [
        block
        for found in played.chunks
        for choice in found.choices
        for block in choice.delta.reasoning_details or ()
    ]
    assert blocks == message.reasoning_details


PARALLEL = [
    chunk({"role": "assistant", "content": None}),
    *[
        chunk(
            {
                "tool_calls": [
                    {
                        "index": index,
                        "id": f"call_{index}",
                        "type": "function",
                        "function": {"name": "look", "arguments": ""},
                    }
                ]
            }
        )
        for index in (0, 1)
    ],
    *[
        chunk({"tool_calls": [{"index": index, "function": {"arguments": text}}]})
        for text in ('{"a":', " 1}")
        for index in (1, 0)
    ],
    chunk({}, "tool_calls"),
]


@EACH_CALLER
def test_parallel_calls_keep_their_indexes(caller):
    with sockets.ScriptedServer(sockets.answers(streamed(sse(*PARALLEL)))) as server:
        played = play(client(server.url), caller)

    text = '{"a": 1}'
    assert calls(played.chunks) == {0: ["call_0", "look", text], 1: ["call_1", "look", text]}
    made = played.stream.response().choices[0].message.tool_calls
    assert [(call.id, call.function.arguments) for call in made] == [
        ("call_0", text),
        ("call_1", text),
    ]


# Many at once


def test_streams_in_many_threads_are_not_mixed_up():
    with sockets.ScriptedServer(sockets.answers(hello())) as server:
        one = client(server.url)

        def text(number):
            simulated_one = simulated() if number % 2 else one
            return play(simulated_one, "sync", "gpt-4.1", f"number {number}").text

        with ThreadPoolExecutor(64) as threads:
            texts = list(threads.map(text, range(256)))

    for number, found in enumerate(texts):
        assert found == (f"Simulated reply to: number {number}" if number % 2 else "Hello")
    assert len(server.requests) == 128


def test_streams_in_many_tasks_are_not_mixed_up():
    async def main():
        create = simulated().chat.completions.create_async
        wired = client(server.url).chat.completions.create_async

        async def text(number):
            stream = await (create if number % 2 else wired)(
                "gpt-4.1", f"number {number}", stream=True
            )
            return joined([found async for found in stream], "content")

        return await asyncio.gather(*[text(number) for number in range(256)])

    with sockets.ScriptedServer(sockets.answers(hello())) as server:
        texts = asyncio.run(main())

    for number, found in enumerate(texts):
        assert found == (f"Simulated reply to: number {number}" if number % 2 else "Hello")
