"""Splits a simulated OpenAI answer into the chunks of its stream."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import orjson

from specado.simulator.answers import CHARACTERS_PER_TOKEN
from specado.simulator.faults import error_object
from specado.simulator.stream_faults import Events, StreamFormat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specado.simulator.faults import Fault

__all__ = ["STREAM", "events_of"]

DONE = b"data: [DONE]\n\n"
# A chunk is filled up to this many characters, to hide how long its text is.
OBFUSCATED_CHARACTERS = 16


class _Writer:
    """Writes the chunks of one answer with their common members."""

    def __init__(self, reply: dict[str, Any], *, include_usage: bool, obfuscated: bool) -> None:
        self.shared = {
            "id": reply["id"],
            "object": "chat.completion.chunk",
            "created": reply["created"],
            "model": reply["model"],
            "service_tier": reply["service_tier"],
            "system_fingerprint": reply["system_fingerprint"],
        }
        self.include_usage = include_usage
        self.noise = reply["id"][-OBFUSCATED_CHARACTERS:] if obfuscated else None

    def chunk(self, choices: list[dict[str, Any]], text: str = "", usage: Any = None) -> bytes:
        """Return one frame; the length of *text* determines its obfuscation."""
        value = {**self.shared, "choices": choices}
        if self.include_usage:
            value["usage"] = usage
        if self.noise is not None:
            value["obfuscation"] = self.noise[len(text) :]
        return b"data: " + orjson.dumps(value) + b"\n\n"

    def delta(
        self,
        index: int,
        delta: dict[str, Any],
        text: str = "",
        *,
        logprobs: Any = None,
        ended: str | None = None,
    ) -> bytes:
        """Return the frame of one choice's *delta*."""
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": ended}
        return self.chunk([choice], text)


def events_of(
    reply: dict[str, Any], *, include_usage: bool = False, obfuscated: bool = True
) -> Events:
    """Return the chunks that make up *reply*, the answer to the same request without `stream`."""
    writer = _Writer(reply, include_usage=include_usage, obfuscated=obfuscated)
    choices = reply["choices"]
    frames = [writer.delta(choice["index"], _opening(choice["message"])) for choice in choices]
    if not choices:
        frames.append(writer.chunk([]))
    first = len(frames)
    lanes = [list(_content(choice, writer)) for choice in choices]
    frames += [frame for row in zip_longest(*lanes) for frame in row if frame is not None]
    end = len(frames)
    if include_usage:
        frames.append(writer.chunk([], usage=reply["usage"]))
    return Events([*frames, DONE], first, end)


def _opening(message: dict[str, Any]) -> dict[str, Any]:
    content = None if message["content"] is None else ""
    return {"role": "assistant", "content": content, "refusal": None}


def _content(choice: dict[str, Any], writer: _Writer) -> Iterator[bytes]:
    """Yield the frames of one choice, its finish reason last."""
    index, message = choice["index"], choice["message"]
    text = message["content"] or ""
    tokens = (choice["logprobs"] or {}).get("content")
    for place, piece in enumerate(_pieces(text)):
        logprobs = None if tokens is None else {"content": [tokens[place]], "refusal": None}
        yield writer.delta(index, {"content": piece}, piece, logprobs=logprobs)
    for place, call in enumerate(message.get("tool_calls") or ()):
        kind = call["type"]
        grown = "arguments" if kind == "function" else "input"
        named = {**call, "index": place, kind: {**call[kind], grown: ""}}
        yield writer.delta(index, {"tool_calls": [named]})
        for piece in _pieces(call[kind][grown]):
            grows = {"tool_calls": [{"index": place, kind: {grown: piece}}]}
            yield writer.delta(index, grows, piece)
    yield writer.delta(index, {}, ended=choice["finish_reason"])


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), CHARACTERS_PER_TOKEN):
        yield text[start : start + CHARACTERS_PER_TOKEN]


def _error_frames(fault: Fault, _mark: str, _number: int) -> bytes:
    if fault.openai is None:
        return DONE
    # The error, and then the end as if nothing were wrong (sashabaranov/go-openai#396, read
    # 2026-11-22).
    return b"data: " + orjson.dumps({"error": error_object(fault.openai)}) + b"\n\n" + DONE


STREAM = StreamFormat(error=_error_frames, ping=b": ping\n\n", opening=b"")
