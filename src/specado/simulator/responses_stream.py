"""Splits a simulated response of OpenAI's Responses API into the events of its stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from specado.simulator.answers import CHARACTERS_PER_TOKEN
from specado.simulator.stream_faults import Events, StreamFormat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specado.simulator.faults import Fault

__all__ = ["STREAM", "events_of"]

# A delta is filled up to this many characters, to hide how long its text is.
OBFUSCATED_CHARACTERS = 16
_NOT_YET: dict[str, Any] = {
    "status": "in_progress",
    "completed_at": None,
    "incomplete_details": None,
    "output": [],
    "usage": None,
}
# The events that carry the input of each kind of call.
_CALLS = {
    "function_call": ("arguments", "response.function_call_arguments"),
    "custom_tool_call": ("input", "response.custom_tool_call_input"),
}


class _Writer:
    """Writes the events of one response, each with its number."""

    def __init__(self, reply: dict[str, Any], *, obfuscated: bool) -> None:
        self.number = 0
        self.noise = reply["id"][-OBFUSCATED_CHARACTERS:] if obfuscated else None

    def event(self, kind: str, **fields: Any) -> bytes:
        """Return one frame."""
        value = {"type": kind, "sequence_number": self.number, **fields}
        self.number += 1
        return _frame(kind, value)

    def delta(self, kind: str, text: str, **fields: Any) -> bytes:
        """Return the frame of a piece of text; its length determines the obfuscation."""
        if self.noise is not None:
            fields["obfuscation"] = self.noise[len(text) :]
        return self.event(f"{kind}.delta", **fields, delta=text)


def _frame(kind: str, value: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), orjson.dumps(value))


def events_of(reply: dict[str, Any], *, obfuscated: bool = True) -> Events:
    """Return the events that make up *reply*, the answer to the same request without `stream`."""
    writer = _Writer(reply, obfuscated=obfuscated)
    beginning = {**reply, **_NOT_YET}
    frames = [writer.event("response.created", response=beginning)]
    if reply["background"]:
        queued = {**beginning, "status": "queued"}
        frames.append(writer.event("response.queued", response=queued))
    frames.append(writer.event("response.in_progress", response=beginning))
    first = 0
    for place, item in enumerate(reply["output"]):
        for frame, has_content in _item(place, item, writer):
            if has_content and not first:
                first = len(frames)
            frames.append(frame)
    end = len(frames)
    frames.append(writer.event(f"response.{reply['status']}", response=reply))
    return Events(frames, first or end, end)


def _item(place: int, item: dict[str, Any], writer: _Writer) -> Iterator[tuple[bytes, bool]]:
    """Yield the frames of one output item, and whether each has content."""
    kind = item["type"]
    opening = {**item, "status": "in_progress"}
    if kind == "reasoning":
        opening = {**item, "summary": []}
        # It is complete only when the item is done.
        if "encrypted_content" in item:
            opening["encrypted_content"] = item["encrypted_content"][:64]
        inner = _reasoning(place, item, writer)
    elif kind == "message":
        opening["content"] = []
        inner = _message(place, item, writer)
    else:
        opening[_CALLS[kind][0]] = ""
        inner = _call(place, item, writer)
    added = writer.event("response.output_item.added", output_index=place, item=opening)
    yield added, kind in _CALLS
    yield from inner
    yield writer.event("response.output_item.done", output_index=place, item=item), False


def _reasoning(place: int, item: dict[str, Any], writer: _Writer) -> Iterator[tuple[bytes, bool]]:
    for number, part in enumerate(item["summary"]):
        where = {"item_id": item["id"], "output_index": place, "summary_index": number}
        kind = "response.reasoning_summary_part"
        yield writer.event(f"{kind}.added", **where, part={**part, "text": ""}), False
        text_kind = "response.reasoning_summary_text"
        for piece in _pieces(part["text"]):
            yield writer.delta(text_kind, piece, **where), True
        yield writer.event(f"{text_kind}.done", **where, text=part["text"]), False
        yield writer.event(f"{kind}.done", **where, part=part), False


def _message(place: int, item: dict[str, Any], writer: _Writer) -> Iterator[tuple[bytes, bool]]:
    for number, part in enumerate(item["content"]):
        where = {"item_id": item["id"], "output_index": place, "content_index": number}
        kind, tokens = "response.output_text", part["logprobs"]
        opening = {**part, "text": "", "logprobs": []}
        yield writer.event("response.content_part.added", **where, part=opening), False
        for index, piece in enumerate(_pieces(part["text"])):
            logprobs = tokens[index : index + 1]
            yield writer.delta(kind, piece, **where, logprobs=logprobs), True
        done = {**where, "text": part["text"], "logprobs": tokens}
        yield writer.event(f"{kind}.done", **done), False
        yield writer.event("response.content_part.done", **where, part=part), False


def _call(place: int, item: dict[str, Any], writer: _Writer) -> Iterator[tuple[bytes, bool]]:
    grown, kind = _CALLS[item["type"]]
    where = {"item_id": item["id"], "output_index": place}
    for piece in _pieces(item[grown]):
        yield writer.delta(kind, piece, **where), True
    done = {**where, grown: item[grown]}
    if grown == "arguments":
        done["name"] = item["name"]
    yield writer.event(f"{kind}.done", **done), False


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), CHARACTERS_PER_TOKEN):
        yield text[start : start + CHARACTERS_PER_TOKEN]


def _error_frames(fault: Fault, mark: str, number: int) -> bytes:
    """Return the end of a failed response: `response.failed`, or the bare `error` event."""
    error = fault.responses or fault.openai
    if error is None:
        return b""
    if fault.kind == "stream_error" and error.code is None:
        failed = {
            "id": f"resp_sim_{mark}",
            "object": "response",
            "created_at": 0,
            "status": "failed",
            "background": False,
            "error": {"code": error.type, "message": error.message},
            "incomplete_details": None,
            "instructions": None,
            "max_output_tokens": None,
            "metadata": {},
            "model": fault.model,
            "output": [],
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "store": False,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "usage": None,
        }
        value = {
            "type": "response.failed",
            "sequence_number": number,
            "response": failed,
        }
        return _frame("response.failed", value)
    value = {
        "type": "error",
        "sequence_number": number,
        "code": error.code or error.type,
        "message": error.message,
        "param": error.param,
    }
    return _frame("error", value)


_KEEPALIVE = _frame("keepalive", {"type": "keepalive", "sequence_number": 0})
STREAM = StreamFormat(error=_error_frames, ping=_KEEPALIVE, opening=b"event: response.created\n")
