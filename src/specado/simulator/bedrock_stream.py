"""Splits a simulated Converse answer into the binary frames of its stream.

Source: AWS's "Event stream encoding" page and recorded streams, read 2026-11-30.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import orjson

from specado.simulator.reply import EventStream
from specado.simulator.stream_faults import Events, StreamFormat, play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specado.simulator.faults import Fault

__all__ = ["broken_frames", "events_of", "play_frames"]

PIECE_CHARACTERS = 20
PRELUDE_BYTES = 8
_TEXT_TYPE = 7
# Every payload has a member of random length, to hide how long its text is; here it follows from
# the place of the frame.
_PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def _frame(headers: tuple[tuple[str, str], ...], payload: bytes) -> bytes:
    head = b"".join(
        bytes((len(name),))
        + name.encode()
        + struct.pack(">BH", _TEXT_TYPE, len(value.encode()))
        + value.encode()
        for name, value in headers
    )
    size = PRELUDE_BYTES + 4 + len(head) + len(payload) + 4
    prelude = struct.pack(">II", size, len(head))
    begin = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + payload
    return begin + struct.pack(">I", zlib.crc32(begin))


def _event(name: str, value: dict[str, Any], place: int) -> bytes:
    padding = _PADDING[: 1 + place * 7 % len(_PADDING)]
    headers = (
        (":event-type", name),
        (":content-type", "application/json"),
        (":message-type", "event"),
    )
    return _frame(headers, orjson.dumps({**value, "p": padding}))


def _exception(name: str, value: dict[str, Any]) -> bytes:
    # A modelled exception is named as the stream's member, with a small first letter.
    headers = (
        (":exception-type", name[:1].lower() + name[1:]),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    )
    return _frame(headers, orjson.dumps(value))


def events_of(reply: dict[str, Any]) -> Events:
    """Return the frames that make up *reply*, the answer to the same request of `/converse`."""
    message = reply["output"]["message"]
    named: list[tuple[str, dict[str, Any]]] = [("messageStart", {"role": message["role"]})]
    for index, block in enumerate(message["content"]):
        named += _block(index, block)
    first, end = (1, len(named)) if message["content"] else (1, 1)
    stop: dict[str, Any] = {
        name: reply[name]
        for name in ("stopReason", "additionalModelResponseFields")
        if name in reply
    }
    named.append(("messageStop", stop))
    kept = ("usage", "metrics", "performanceConfig", "serviceTier")
    named.append(("metadata", {name: reply[name] for name in kept if name in reply}))
    frames = [_event(name, value, place) for place, (name, value) in enumerate(named)]
    return Events(frames, first, end)


def _block(index: int, block: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the events of one block; only that of a call has a start."""
    kind, value = next(iter(block.items()))
    at = {"contentBlockIndex": index}
    deltas: list[dict[str, Any]]
    if kind == "text":
        deltas = [{"text": piece} for piece in _pieces(value)]
    elif kind == "toolUse":
        named = {"toolUseId": value["toolUseId"], "name": value["name"]}
        yield "contentBlockStart", {"start": {"toolUse": named}, **at}
        arguments = orjson.dumps(value["input"]).decode()
        deltas = [{"toolUse": {"input": piece}} for piece in _pieces(arguments)]
    elif "redactedContent" in value:
        deltas = [{"reasoningContent": {"redactedContent": value["redactedContent"]}}]
    else:
        text = value["reasoningText"]
        deltas = [{"reasoningContent": {"text": piece}} for piece in _pieces(text["text"])]
        if "signature" in text:
            deltas.append({"reasoningContent": {"signature": text["signature"]}})
    for delta in deltas:
        yield "contentBlockDelta", {"delta": delta, **at}
    yield "contentBlockStop", at


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, max(len(text), 1), PIECE_CHARACTERS):
        yield text[start : start + PIECE_CHARACTERS]


def _error_frame(fault: Fault, _mark: str, _number: int) -> bytes:
    error = fault.bedrock
    return b"" if error is None else _exception(error.type, {"message": error.message})


_STREAM = StreamFormat(error=_error_frame, ping=b"", opening=b"")


def play_frames(events: Events, fault: Fault | None, mark: str) -> EventStream:
    """Return the stream after the *fault*; frames have no line ends and there is no ping."""
    kind = fault.kind if fault is not None else ""
    frames = events.frames
    if kind == "stream_malformed":
        place = events.middle
        spoiled = bytearray(frames[place])
        spoiled[-5] ^= 1  # the last byte of the payload: its checksum no longer fits
        return EventStream((*frames[:place], bytes(spoiled), *frames[place + 1 :]))
    if kind == "stream_cr":
        return EventStream((b"".join(frames),))
    if kind == "stream_crlf":
        # Cut within the prelude, where it is hardest to read.
        halves = [(frame[:PRELUDE_BYTES], frame[PRELUDE_BYTES:]) for frame in frames]
        return EventStream(tuple(half for pair in halves for half in pair))
    if kind == "stream_ping":
        return EventStream(tuple(frames))
    return play(events, fault, _STREAM, mark)


def broken_frames(kind: str) -> EventStream:
    """Return a stream without an answer in it: `malformed` or `truncated`."""
    if kind == "truncated":
        return EventStream((), "cut")
    spoiled = bytearray(_event("messageStart", {"role": "assistant"}, 0))
    spoiled[9] ^= 1  # within the checksum of the prelude
    return EventStream((bytes(spoiled),))
