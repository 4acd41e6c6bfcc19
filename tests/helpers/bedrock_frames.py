"""Frames of AWS event streams, written with `struct` and `zlib` instead of the library's own."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

__all__ = ["event", "exception", "frame", "reply_stream", "text_stream"]


def frame(payload: bytes, *headers: tuple[str, str], raw_headers: bytes = b"") -> bytes:
    """Return a frame with *headers* of type text, and *raw_headers* after them."""
    head = b"".join(
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", 7, len(value.encode()))
        + value.encode()
        for name, value in headers
    ) + raw_headers  # fmt: skip
    sizes = struct.pack(">II", 12 + len(head) + len(payload) + 4, len(head))
    made = sizes + struct.pack(">I", zlib.crc32(sizes)) + head + payload
    return made + struct.pack(">I", zlib.crc32(made))


def event(name: str, /, **members: Any) -> bytes:
    """Return the frame of an event, with padding as AWS adds it."""
    return frame(
        json.dumps({**members, "p": "abcdefgh"}).encode(),
        (":event-type", name),
        (":content-type", "application/json"),
        (":message-type", "event"),
    )


def exception(name: str, /, **members: Any) -> bytes:
    """Return the frame of an exception."""
    return frame(
        json.dumps(members).encode(),
        (":exception-type", name),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    )


def reply_stream(*events: bytes, stop: str = "end_turn", **usage: Any) -> bytes:
    """Return a whole stream with these events of blocks."""
    counts = {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5, **usage}
    return b"".join(
        [
            event("messageStart", role="assistant"),
            *events,
            event("messageStop", stopReason=stop),
            event("metadata", usage=counts, metrics={"latencyMs": 9}),
        ]
    )


def text_stream(*pieces: str) -> bytes:
    """Return a whole stream of one text block."""
    deltas = [
        event("contentBlockDelta", contentBlockIndex=0, delta={"text": piece}) for piece in pieces
    ]
    return reply_stream(*deltas, event("contentBlockStop", contentBlockIndex=0))
