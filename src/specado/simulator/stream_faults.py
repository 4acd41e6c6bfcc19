"""Applies stream faults (cut, stall, error, malformed) to the frames of a streamed answer."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from specado.simulator.faults import Fault
from specado.simulator.reply import EventStream

__all__ = ["Events", "StreamFormat", "play", "without_answer"]


class Events(msgspec.Struct):
    """Frames of a complete streamed answer, each with its final blank line.

    `first` is the place of the first frame with content, `end` the place after the last one; they
    are equal where the answer is empty.
    """

    frames: list[bytes]
    first: int
    end: int

    @property
    def middle(self) -> int:
        """Index of the frame at which a fault in mid-stream happens."""
        return self.first + (self.end - self.first) // 2


class StreamFormat(msgspec.Struct, frozen=True):
    """Stream format of one API, as far as a fault needs it.

    `error` picks a fault's error and writes it, with a mark for its id and the number of frames
    before it; `ping` is what keeps a connection open, `opening` the name line of a first event,
    `line_end` the end of each line unless a fault changes it.
    """

    error: Callable[[Fault, str, int], bytes]
    ping: bytes
    opening: bytes
    line_end: bytes = b"\n"


def play(events: Events, fault: Fault | None, dialect: StreamFormat, mark: str) -> EventStream:
    """Return the stream after the *fault*; *mark* becomes part of an error's id."""
    kind = fault.kind if fault is not None else ""
    frames, middle = events.frames, events.middle
    if dialect.line_end != b"\n" and kind not in ("stream_cr", "stream_crlf"):
        frames = [frame.replace(b"\n", dialect.line_end) for frame in frames]
    early, late, rest = frames[: events.first], frames[:middle], frames[middle:]
    if fault is not None and kind in ("stream_error", "stream_late_error"):
        before = early if kind == "stream_error" else late
        return _stream([*before, dialect.error(fault, mark, len(before))])
    if kind == "stream_early_cut":
        return _stream(early, "cut")
    if kind == "stream_cut":
        return _stream([*late, rest[0][: len(rest[0]) // 2]], "cut")
    if kind == "stream_stall":
        return _stream([], "silent")
    if kind == "stream_idle":
        return _stream(late, "silent")
    if kind == "stream_malformed":
        return _stream([*late, rest[0][: len(rest[0]) // 2] + b"\n\n", *rest[1:]])
    if kind == "stream_unterminated":
        # Without its usage too: a finish reason and the usage prove an end where no sentinel does.
        return _stream([frame for frame in frames[:-1] if b'"prompt_tokens"' not in frame])
    return _stream(_spelled(frames, kind, dialect))


def without_answer(kind: str, dialect: StreamFormat) -> EventStream:
    """Return the stream of the faults `malformed` and `truncated`, which have no answer."""
    if kind == "malformed":
        return _stream([dialect.opening + b'data: {"id": "malformed", "choices": [{"index"\n\n'])
    return _stream([], "cut")


def _spelled(frames: list[bytes], kind: str, dialect: StreamFormat) -> list[bytes]:
    """Return the same answer in other bytes, as the fault *kind* requires."""
    if kind == "stream_ping":
        return [piece for frame in frames for piece in (dialect.ping, frame)]
    if kind == "stream_cr":
        return [frame.replace(b"\n", b"\r") for frame in frames]
    body = b"".join(frames)
    if kind == "stream_crlf":
        # Cut where it is hardest to read: within the line end that ends a frame.
        cut = body.replace(b"\n", b"\r\n").split(b"\r\n\r\n")
        heads = [b"", *[b"\n"] * (len(cut) - 1)]
        tails = [*[b"\r\n\r"] * (len(cut) - 1), b""]
        return [head + part + tail for head, part, tail in zip(heads, cut, tails)]
    if kind == "stream_bytewise":
        return [body[place : place + 1] for place in range(len(body))]
    return frames


def _stream(pieces: list[bytes], ends: str = "whole") -> EventStream:
    return EventStream(tuple(pieces), ends)
