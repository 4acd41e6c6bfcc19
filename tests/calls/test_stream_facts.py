"""Facts of a stream: usage, extensions, hooks, refusals, state."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle

import pytest

import sockets
from played_streams import CALLERS, chunk, client, play, reply_json, simulated, streamed
from specado import AsyncStream, Client, ContentPolicyError, Stream, StreamInterruptedError
from stream_readers import joined, sse

MODELS = {"openai": "gpt-4.1", "anthropic": "claude-sonnet-4-6"}
EACH_CALLER = pytest.mark.parametrize("caller", CALLERS)
EACH_DIALECT = pytest.mark.parametrize("dialect", MODELS)


# Usage


@EACH_CALLER
@EACH_DIALECT
@pytest.mark.parametrize("asked", [True, False])
def test_the_usage_chunk_comes_only_when_asked_for(dialect, caller, asked):
    options = {"stream_options": {"include_usage": True}} if asked else {}

    played = play(simulated(), caller, MODELS[dialect], "Tell me", **options)

    usage = played.stream.response().usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0
    found = [each.usage for each in played.chunks if each.usage is not None]
    assert found == ([usage] if asked else [])
    assert [each for each in played.chunks if not each.choices] == (
        [played.chunks[-1]] if asked else []
    )


def test_stream_options_without_stream_are_what_the_provider_makes_of_them():
    with sockets.ScriptedServer(sockets.answers(sockets.reply(reply_json()))) as server:
        found = client(server.url).chat.completions.create(
            "gpt-4.1", "Hi", stream=False, max_tokens=20
        )

    assert found.choices[0].message.content == "Hello"
    assert b"stream" not in server.requests[0]


# What a stream tells


@EACH_CALLER
def test_extensions_are_there_from_the_start(caller):
    seen = []

    async def main():
        stream = await simulated().chat.completions.create_async("gpt-4.1", "Hi", stream=True)
        seen.append(copy.deepcopy(stream.extensions))
        async for _ in stream:
            pass
        return stream

    if caller == "async":
        stream = asyncio.run(main())
    else:
        stream = simulated().chat.completions.create("gpt-4.1", "Hi", stream=True)
        seen.append(copy.deepcopy(stream.extensions))
        list(stream)
    extensions = seen[0]
    assert (extensions.provider_used, extensions.fallback_triggered, extensions.attempts) == (
        "openai",
        False,
        1,
    )
    metadata = extensions.metadata
    assert metadata["simulated"] is True
    assert metadata["request_id"]
    assert 0 < metadata["time_to_first_content_ms"] <= metadata["latency_ms"]
    later = stream.extensions.metadata
    assert later["time_to_first_content_ms"] == metadata["time_to_first_content_ms"]
    assert later["latency_ms"] >= metadata["latency_ms"]
    json.dumps(stream.response().extensions.to_dict())


@EACH_CALLER
def test_a_fallback_is_told(caller):
    one = Client({"simulate": True, "max_retries": 0})

    played = play(
        one,
        caller,
        "stream-error-test-model",
        "Hi",
        fallback_models=["claude-sonnet-4-6"],
    )

    extensions = played.stream.extensions
    assert extensions.provider_used == "anthropic"
    assert extensions.fallback_triggered
    assert extensions.attempts == 2
    assert len(extensions.metadata["provider_errors"]) == 1
    assert extensions.metadata["primary_provider"] == "openai"
    assert played.stream.response().choices[0].message.content == "Simulated reply to: Hi"


def test_hooks_are_told_once_each():
    told = []
    hooks = {
        name: lambda event, name=name: told.append((name, event))
        for name in ("on_attempt", "on_fallback", "on_reply")
    }
    one = Client({"simulate": True, "max_retries": 0, "hooks": hooks})

    stream = one.chat.completions.create(
        "stream-error-test-model",
        "Hi",
        stream=True,
        max_tokens=50,
        fallback_models=["claude-sonnet-4-6"],
    )
    names = [name for name, _ in told]
    assert names == ["on_attempt", "on_attempt", "on_fallback"]
    assert told[0][1].error is not None
    assert told[1][1].error is None
    list(stream)
    stream.close()

    assert [name for name, _ in told[3:]] == ["on_reply"]
    assert told[-1][1] is stream.response()


def test_a_stream_that_breaks_off_is_no_reply_to_a_hook():
    told = []
    one = simulated(hooks={"on_reply": told.append})

    played = play(one, "sync", "stream-cut-test-model", "Tell me about the sea")

    assert played.error is not None
    assert told == []


def test_a_hook_that_fails_changes_nothing():
    def fail(_event):
        raise ZeroDivisionError

    one = simulated(hooks={"on_attempt": fail, "on_reply": fail})

    assert play(one, "sync").text == "Simulated reply to: Hi"


def test_a_streamed_refusal_may_go_to_the_fallback():
    refusing = [
        chunk({"role": "assistant", "content": "", "refusal": None}),
        chunk({"refusal": "I can"}),
        chunk({"refusal": "not."}),
        chunk({}, "stop"),
    ]
    with sockets.ScriptedServer(sockets.answers(streamed(sse(*refusing)))) as server:
        as_reply = play(client(server.url), "sync")
        with pytest.raises(ContentPolicyError):
            play(client(server.url, fallback_on_content_policy=True), "sync")

    message = as_reply.stream.response().choices[0].message
    assert (message.content, message.refusal) == (None, "I cannot.")
    assert joined(as_reply.chunks, "refusal") == "I cannot."


def test_a_filtered_answer_counts_as_a_refusal():
    filtered = [chunk({"role": "assistant", "content": ""}), chunk({}, "content_filter")]
    with sockets.ScriptedServer(sockets.answers(streamed(sse(*filtered)))) as server:
        assert play(client(server.url), "sync").error is None
        with pytest.raises(ContentPolicyError):
            play(client(server.url, fallback_on_content_policy=True), "sync")


# Iterating, and what a stream is


def test_a_stream_is_iterated_once():
    stream = simulated().chat.completions.create("gpt-4.1", "Hi", stream=True)

    assert len(list(stream)) > 2
    assert list(stream) == []
    with pytest.raises(StopIteration):
        next(stream)


def test_next_and_for_read_the_same_chunks():
    stream = simulated().chat.completions.create("gpt-4.1", "Hi", stream=True)

    first = next(stream)
    rest = list(stream)

    assert first.choices[0].delta.role == "assistant"
    assert joined([first, *rest], "content") == "Simulated reply to: Hi"


def test_anext_and_async_for_read_the_same_chunks():
    async def main():
        stream = await simulated().chat.completions.create_async("gpt-4.1", "Hi", stream=True)
        first = await stream.__anext__()
        rest = [found async for found in stream]
        with pytest.raises(StopAsyncIteration):
            await stream.__anext__()
        assert [found async for found in stream] == []
        return [first, *rest]

    assert joined(asyncio.run(main()), "content") == "Simulated reply to: Hi"


@EACH_CALLER
def test_the_response_is_not_to_be_had_before_the_end(caller):
    async def begun():
        return await simulated().chat.completions.create_async("gpt-4.1", "Hi", stream=True)

    if caller == "async":
        stream = asyncio.run(begun())
    else:
        stream = simulated().chat.completions.create("gpt-4.1", "Hi", stream=True)
        next(stream)
    with pytest.raises(RuntimeError, match="has not ended") as raised:
        stream.response()
    assert not isinstance(raised.value, StreamInterruptedError)


def test_what_a_stream_shows_of_itself():
    stream = simulated().chat.completions.create("gpt-4.1", "Hi", stream=True)
    assert repr(stream) == "Stream(openai/gpt-4.1, open)"
    list(stream)
    assert repr(stream) == "Stream(openai/gpt-4.1, ended)"
    broken = play(simulated(), "async", "stream-cut-test-model", "Tell me about the sea").stream
    assert repr(broken) == "AsyncStream(openai/stream-cut-test-model, broken off)"
    assert isinstance(stream, Stream)
    assert isinstance(broken, AsyncStream)
    for each in (stream, broken):
        with pytest.raises(TypeError, match="is not pickled"):
            pickle.dumps(each)
        with pytest.raises(TypeError, match="is not pickled"):
            copy.copy(each)


def test_an_interruption_can_be_pickled():
    error = play(simulated(), "sync", "stream-cut-test-model", "Tell me about the sea").error

    again = pickle.loads(pickle.dumps(error))

    assert str(again) == str(error)
    assert again.partial.to_dict() == error.partial.to_dict()
    assert (again.code, again.attempts, again.provider) == ("truncated", 1, "openai")
