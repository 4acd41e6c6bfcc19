"""Reading streams of each dialect in tests: whole, cut, and as one comparable outcome."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from specado._core import AnthropicStream, OpenAIStream, ResponsesStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from specado.types import ChatCompletionChunk

READERS = {
    "openai": OpenAIStream,
    "anthropic": AnthropicStream,
    "responses": ResponsesStream,
}


def reader(provider: str, **options: Any) -> Any:
    limits = {"max_frame_bytes": 1 << 20, "max_reply_bytes": 1 << 20}
    return READERS[provider](provider, "asked-for", 7, **{**limits, **options})


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(places), len(data)]
    return [data[start:end] for start, end in zip(edges, edges[1:])]


def read(
    provider: str, data: bytes | list[bytes], **options: Any
) -> tuple[Any, list[ChatCompletionChunk]]:
    """Return the reader after all of *data*, and its chunks."""
    stream = reader(provider, **options)
    pieces = [data] if isinstance(data, bytes) else data
    chunks = [chunk for piece in pieces for chunk in stream.feed(piece)]
    return stream, chunks + stream.finish()


def sse(*events: Any, done: bool = True) -> bytes:
    """Return a stream of OpenAI's dialect; bytes stand as they are."""
    texts = [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]
    return b"".join(b"data: " + text + b"\n\n" for text in [*texts, *[b"[DONE]"] * done])


def named(*events: Any) -> bytes:
    """Return a stream of Anthropic's dialect."""
    return b"".join(
        b"event: " + event["type"].encode() + b"\ndata: " + json.dumps(event).encode() + b"\n\n"
        for event in events
    )


def joined(chunks: list[ChatCompletionChunk], name: str) -> str:
    """Return what the deltas' texts called *name* add up to."""
    return "".join(
        getattr(choice.delta, name) or "" for chunk in chunks for choice in chunk.choices
    )


def calls(chunks: list[ChatCompletionChunk]) -> dict[int, list[str]]:
    """Return id, name and arguments by index, as a caller adds them up."""
    found: dict[int, list[str]] = {}
    for chunk in chunks:
        for choice in chunk.choices:
            for call in choice.delta.tool_calls or ():
                kept = found.setdefault(call.index, ["", "", ""])
                function = call.function
                pieces = (call.id, function and function.name, function and function.arguments)
                for place, text in enumerate(pieces):
                    kept[place] += text or ""
    return found
