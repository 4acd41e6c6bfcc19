"""Streams played in tests by either kind of caller, and the bytes that scripts answer with."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

import pytest

import sockets
from specado import Client, StreamInterruptedError
from specado.types import ChatCompletionChunk  # noqa: TC001 - read by NamedTuple
from stream_readers import named, sse

if TYPE_CHECKING:
    from collections.abc import Callable

CALLERS = ["sync", "async"]
EVENT_STREAM = "Content-Type: text/event-stream; charset=utf-8\r\n"


class Played(NamedTuple):
    """A stream that was iterated, what it gave, and the error that ended it."""

    stream: Any
    chunks: list[ChatCompletionChunk]
    error: Optional[StreamInterruptedError]

    @property
    def text(self) -> str:
        return "".join(
            choice.delta.content or "" for chunk in self.chunks for choice in chunk.choices
        )


def play(client: Client, caller: str, *args: Any, **given: Any) -> Played:
    """Iterate a stream to its end; what `create` raises comes out."""
    given = {"stream": True, "max_tokens": 200, **given}
    args = args or ("gpt-4.1", "Hi")
    chunks: list[ChatCompletionChunk] = []
    error = None

    async def main() -> Any:
        nonlocal error
        stream = await client.chat.completions.create_async(*args, **given)
        try:
            async for chunk in stream:
                chunks.append(chunk)  # noqa: PERF401 - those before an error count
        except StreamInterruptedError as caught:
            error = caught
        return stream

    if caller == "async":
        return Played(asyncio.run(main()), chunks, error)
    stream = client.chat.completions.create(*args, **given)
    try:
        for chunk in stream:
            chunks.append(chunk)  # noqa: PERF402 - those before an error count
    except StreamInterruptedError as caught:
        error = caught
    return Played(stream, chunks, error)


def client(*urls: str, **config: Any) -> Client:
    """Return a client of OpenAI's dialect at the first URL, which falls back to the second."""
    providers = {"openai": {"api_key": "sk-test-key-one", "base_url": urls[0]}}
    if len(urls) > 1:
        providers["anthropic"] = {"api_key": "sk-test-key-two", "base_url": urls[1]}
    return Client(
        {
            "simulate": False,
            "primary_provider": "openai",
            "fallback_provider": "anthropic",
            "enable_fallback": len(urls) > 1,
            "max_retries": 0,
            "timeout_seconds": 10,
            "providers": providers,
            **config,
        }
    )


def simulated(**config: Any) -> Client:
    """Return a client that the simulator in this process answers, without a fallback."""
    return Client({"simulate": True, "enable_fallback": False, **config})


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    """Return an event of OpenAI's dialect."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4.1-2025",
        "choices": [choice],
        **more,
    }


USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
HELLO = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Hel"}),
    chunk({"content": "lo"}),
    chunk({}, "stop"),
    {**chunk({}), "choices": [], "usage": USAGE},
]
ANTHROPIC_HELLO = named(
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-6",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 3, "output_tokens": 1},
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "Hello from the other"},
    },
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 2},
    },
    {"type": "message_stop"},
)
OTHER_TEXT = "Hello from the other"


def streamed(*pieces: bytes, headers: str = "") -> bytes:
    """Return a whole reply that streams *pieces*."""
    return sockets.chunked(*pieces, headers=EVENT_STREAM + headers)


def hello() -> bytes:
    return streamed(sse(*HELLO))


def other() -> bytes:
    return streamed(ANTHROPIC_HELLO)


def reply_json(**message: Any) -> bytes:
    """Return a whole reply of OpenAI's dialect that is no stream."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "Hello", **message},
        "finish_reason": "stop",
        "logprobs": None,
    }
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4.1-2025",
        "choices": [choice],
        "usage": USAGE,
    }
    return json.dumps(body).encode()


HEAD = f"HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n{EVENT_STREAM}\r\n".encode()
BEGINNING = sse(*HELLO[:2], done=False)


def piece(data: bytes) -> bytes:
    """Return one piece of a body in chunks."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def endless(peer: sockets.Peer, events: bytes = BEGINNING) -> None:
    """Begin an answer and say no more until the client has gone."""
    peer.request()
    peer.send(HEAD + piece(events))
    peer.wait_until_gone()


def begin(server: sockets.ScriptedServer, **config: Any) -> Any:
    return client(server.url, **config).chat.completions.create("gpt-4.1", "Hi", stream=True)


async def begin_async(server: sockets.ScriptedServer, **config: Any) -> Any:
    create = client(server.url, **config).chat.completions.create_async
    return await create("gpt-4.1", "Hi", stream=True)


async def read_all(stream: Any) -> list[ChatCompletionChunk]:
    return [found async for found in stream]


def is_being_read(stream: Any) -> bool:
    """Return whether another thread or task is in `next`. There is no public way to ask."""
    locked: bool = stream._reading.locked()
    return locked


def wait_until(condition: Callable[[], bool]) -> None:
    """Return when *condition* holds, which another thread brings about."""
    ends_s = time.monotonic() + sockets.PATIENCE_S
    while not condition():
        assert time.monotonic() < ends_s, "it does not come about"
        time.sleep(0)


async def until_reading(stream: Any) -> None:
    """Return when another task reads the stream."""
    ends_s = time.monotonic() + sockets.PATIENCE_S
    while not is_being_read(stream):
        assert time.monotonic() < ends_s, "nobody reads"
        await asyncio.sleep(0)


def assert_interrupted(stream: Any, code: str = "closed", text: str = "Hel") -> None:
    """Assert that a stream of `endless` was left, and says so."""
    with pytest.raises(StreamInterruptedError) as raised:
        stream.response()
    error = raised.value
    assert (error.code, error.partial.choices[0].message.content) == (code, text)
    assert (error.provider, error.model, error.attempts) == ("openai", "gpt-4.1", 1)
    assert error.partial.extensions is stream.extensions
    assert repr(stream).endswith("broken off)")
