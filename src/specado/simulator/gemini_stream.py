"""Splits a simulated Gemini answer into the chunks of its stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from specado.simulator.stream_faults import Events, StreamFormat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specado.simulator.faults import Fault

__all__ = ["ARRAY", "STREAM", "array_of", "events_of"]

PIECE_CHARACTERS = 20
_DATA = b"data: "


def events_of(reply: dict[str, Any]) -> Events:
    """Return the chunks that make up *reply*, the answer to the same request without a stream.

    Each is a whole reply with the new parts only; the last has the finish reason. The usage is a
    running count. There is no event after the last chunk.
    """
    candidates = reply.get("candidates") or []
    if not candidates:
        return Events([_frame(reply)], 1, 1)
    candidate = candidates[0]
    pieces = list(_pieces(candidate["content"].get("parts") or []))
    if not pieces:
        return Events([_frame(reply)], 0, 0)
    frames = []
    for place, part in enumerate(pieces):
        content = {"parts": [part], "role": "model"}
        if place + 1 == len(pieces):
            chunk = {**candidate, "content": content}
            usage = reply["usageMetadata"]
        else:
            chunk = {"content": content}
            if "index" in candidate:
                chunk["index"] = candidate["index"]
            usage = _counted(reply["usageMetadata"], place + 1, len(pieces))
        frames.append(_frame({**reply, "candidates": [chunk], "usageMetadata": usage}))
    return Events(frames, 0, len(frames) - 1)


def _counted(usage: dict[str, Any], number: int, of: int) -> dict[str, Any]:
    """Return the usage as it is counted after *number* chunks *of* all."""
    made = dict(usage)
    whole = made.pop("candidatesTokenCount", 0)
    made.pop("candidatesTokensDetails", None)
    so_far = whole * number // of
    if so_far:
        made["candidatesTokenCount"] = so_far
    made["totalTokenCount"] -= whole - so_far
    return made


def _pieces(parts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for part in parts:
        text = part.get("text")
        if text is None:
            yield part
            if "thoughtSignature" in part:
                # The newest models end the stream of a call with an empty text.
                yield {"text": ""}
        else:
            for start in range(0, max(len(text), 1), PIECE_CHARACTERS):
                yield {**part, "text": text[start : start + PIECE_CHARACTERS]}


def _frame(value: dict[str, Any]) -> bytes:
    return _DATA + orjson.dumps(value) + b"\n\n"


def array_of(events: Events) -> Events:
    """Return the chunks as one JSON array, which is sent without `alt=sse`."""
    frames = []
    for place, frame in enumerate(events.frames):
        opening = b"[" if place == 0 else b",\r\n"
        frames.append(opening + frame[len(_DATA) :].strip())
    return Events([*frames, b"]"], events.first, events.end)


def error_of(fault: Fault) -> dict[str, Any] | None:
    """Return the error object of a fault."""
    error = fault.gemini
    if error is None:
        return None
    return {"error": {"code": error.status, "message": error.message, "status": error.type}}


def _error_frames(fault: Fault, _mark: str, _number: int) -> bytes:
    """Return an error within a stream.

    After the first chunks it comes as plain JSON in several lines (theopenco/llmgateway#3616, read
    2026-11-30).
    """
    value = error_of(fault)
    if value is None:
        return b""
    if fault.kind == "stream_late_error":
        return orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n"
    return _frame(value)


def _error_item(fault: Fault, _mark: str, number: int) -> bytes:
    value = error_of(fault)
    opening = b"," if number else b"["
    return opening + orjson.dumps(value) + b"]"


# Google sends lines that end with CRLF.
STREAM = StreamFormat(error=_error_frames, ping=b": ping\n\n", opening=b"", line_end=b"\r\n")
ARRAY = StreamFormat(error=_error_item, ping=b" ", opening=b"")
