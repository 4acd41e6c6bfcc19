"""Splits a simulated Anthropic answer into the events of its stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from specado.simulator.stream_faults import Events, StreamFormat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specado.simulator.faults import Fault

__all__ = ["STREAM", "events_of"]

PING = b'event: ping\ndata: {"type": "ping"}\n\n'
PIECE_CHARACTERS = 12
# Spaces before the last brace bring the data to a multiple of this, to hide how long its text is.
PADDED_BYTES = 16
_CUMULATIVE = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
    "output_tokens_details",
)


def events_of(message: dict[str, Any]) -> Events:
    """Return the events that make up *message*, the answer to the same request without `stream`."""
    usage = message["usage"]
    counted = {name: usage[name] for name in usage if name != "output_tokens_details"}
    opening = {
        **message,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**counted, "output_tokens": 1},
    }
    frames = [_frame("message_start", message=opening)]
    first = 0
    for index, block in enumerate(message["content"]):
        for frame, has_content in _block(index, block):
            if has_content and not first:
                first = len(frames)
            frames.append(frame)
            if len(frames) == 2:
                frames.append(PING)
    if not message["content"]:
        frames.append(PING)
    end = len(frames)
    delta = {name: message[name] for name in ("stop_reason", "stop_sequence", "stop_details")}
    total = {name: usage[name] for name in _CUMULATIVE}
    frames.append(_frame("message_delta", delta=delta, usage=total))
    frames.append(_frame("message_stop"))
    return Events(frames, first or end, end)


def _block(index: int, block: dict[str, Any]) -> Iterator[tuple[bytes, bool]]:
    """Yield the frames of one content block, and whether each has content."""
    kind = block["type"]
    deltas: list[tuple[dict[str, Any], bool]]
    if kind == "text":
        empty = {**block, "text": ""}
        deltas = [({"type": "text_delta", "text": text}, True) for text in _pieces(block["text"])]
    elif kind == "thinking":
        empty = {**block, "thinking": "", "signature": ""}
        thoughts = _pieces(block["thinking"])
        deltas = [({"type": "thinking_delta", "thinking": text}, True) for text in thoughts]
        deltas.append(({"type": "signature_delta", "signature": block["signature"]}, False))
    else:
        empty = {**block, "input": {}}
        arguments = _pieces(orjson.dumps(block["input"]).decode())
        deltas = [
            ({"type": "input_json_delta", "partial_json": text}, True) for text in ("", *arguments)
        ]
    yield _frame("content_block_start", index=index, content_block=empty), kind == "tool_use"
    for delta, has_content in deltas:
        yield _frame("content_block_delta", index=index, delta=delta), has_content
    yield _frame("content_block_stop", index=index), False


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), PIECE_CHARACTERS):
        yield text[start : start + PIECE_CHARACTERS]


def _frame(kind: str, **fields: Any) -> bytes:
    data = orjson.dumps({"type": kind, **fields})
    padding = b" " * (-len(data) % PADDED_BYTES)
    return b"event: %b\ndata: %b%b}\n\n" % (kind.encode(), data[:-1], padding)


def _error_frame(fault: Fault, mark: str, _number: int) -> bytes:
    error = fault.anthropic
    if error is None:
        return b""
    body = {
        "type": "error",
        "error": {"type": error.type, "message": error.message},
        "request_id": f"req_sim_{mark}",
    }
    return b"event: error\ndata: " + orjson.dumps(body) + b"\n\n"


STREAM = StreamFormat(error=_error_frame, ping=PING, opening=b"event: message_start\n")
