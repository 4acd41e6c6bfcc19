"""Reader of AWS event streams: frames, checksums, limits, and any cut of the bytes."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from specado._core.event_stream import EventStreamReader

from bedrock_frames import event, exception, frame
from specado.errors import MalformedResponseError

HELLO = frame(b"Hello", (":event-type", "a"), (":message-type", "event"))
# One header of each type: true, false, byte, short, int, long, bytes, text, timestamp, uuid.
EVERY_TYPE = b"".join(
    b"\x01" + name + bytes([kind]) + value
    for kind, (name, value) in enumerate([
        (b"a", b""), (b"b", b""), (b"c", b"1"), (b"d", b"12"), (b"e", b"1234"),
        (b"f", b"12345678"), (b"g", b"\x00\x03abc"), (b"h", b"\x00\x01z"), (b"i", b"12345678"),
        (b"j", b"1234567890123456"),
    ])
)  # fmt: skip


def read(body: bytes, size: int = 1 << 20, limit: int = 10_000) -> list[tuple[Any, bytes]]:
    reader = EventStreamReader(limit)
    found = []
    for start in range(0, len(body), size):
        found += reader.feed(body[start : start + size])
    assert reader.finish() == []
    return found


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_frames_are_read_however_the_bytes_are_cut(size: int) -> None:
    body = HELLO + frame(b"", (":event-type", "b")) + HELLO

    assert read(body, size) == [("a", b"Hello"), ("b", b""), ("a", b"Hello")]


@given(st.lists(st.tuples(st.text(max_size=40), st.binary(max_size=300)), max_size=5), st.data())
def test_any_frames_are_read_in_any_pieces(given_frames: list[Any], data: Any) -> None:
    body = b"".join(frame(payload, (":event-type", name)) for name, payload in given_frames)

    size = data.draw(st.integers(1, max(1, len(body))))

    assert read(body, size) == given_frames


def test_each_frame_tells_its_kind_and_its_name() -> None:
    reader = EventStreamReader(10_000)
    error = frame(
        b"", (":error-code", "Busy"), (":error-message", "wait"), (":message-type", "error")
    )

    found = []
    for each in (HELLO, exception("throttlingException", message="m"), error):
        [(name, _)] = reader.feed(each)
        found.append((reader.kind, name, reader.error_message))

    assert found == [
        ("event", "a", None),
        ("exception", "throttlingException", None),
        ("error", "Busy", "wait"),
    ]


def test_headers_of_every_type_are_passed_over() -> None:
    body = frame(b"{}", (":event-type", "a"), raw_headers=EVERY_TYPE)

    assert read(body) == [("a", b"{}")]


@pytest.mark.parametrize("place", range(len(HELLO)))
def test_a_damaged_byte_is_an_error(place: int) -> None:
    damaged = bytearray(HELLO)
    damaged[place] ^= 0x20
    reader = EventStreamReader(10_000)

    with pytest.raises(MalformedResponseError) as raised:
        reader.feed(bytes(damaged) + b"\0" * 100)

    assert raised.value.code == "damaged_frame"
    with pytest.raises(MalformedResponseError):
        reader.feed(HELLO)


def test_the_frames_before_a_damaged_one_are_returned() -> None:
    reader = EventStreamReader(10_000)

    assert reader.feed(HELLO + b"\0" * 20) == [("a", b"Hello")]
    with pytest.raises(MalformedResponseError, match="checksum of its sizes"):
        reader.feed(b"")


@pytest.mark.parametrize("end", range(1, len(HELLO)))
def test_a_frame_that_is_cut_off_is_no_frame(end: int) -> None:
    reader = EventStreamReader(10_000)

    assert reader.feed(HELLO + HELLO[:end]) == [("a", b"Hello")]
    assert reader.finish() == []


def test_a_frame_above_the_limit_is_refused_before_its_payload_has_come() -> None:
    large = frame(b"a" * 2000, (":event-type", "a"))
    reader = EventStreamReader(1000)

    with pytest.raises(MalformedResponseError) as raised:
        reader.feed(large[:12])

    assert raised.value.code == "frame_too_large"


@pytest.mark.parametrize(
    ("size", "headers_size"), [(15, 0), (0, 0), (16, 1), (200_000, 131_073), (2**32 - 1, 2**32 - 1)]
)
def test_impossible_sizes_are_refused(size: int, headers_size: int) -> None:
    import zlib

    sizes = struct.pack(">II", size, headers_size)
    reader = EventStreamReader(1 << 30)

    with pytest.raises(MalformedResponseError) as raised:
        reader.feed(sizes + struct.pack(">I", zlib.crc32(sizes)))

    assert raised.value.code == "damaged_frame"


@pytest.mark.parametrize(
    "raw", [b"\x05ab", b"\x01a", b"\x01a\x07\x00", b"\x01a\x07\x00\x09ab", b"\x01a\x0a", b"\xff"]
)
def test_headers_that_do_not_fit_are_refused(raw: bytes) -> None:
    with pytest.raises(MalformedResponseError, match="header"):
        read(frame(b"", raw_headers=raw))


def test_botocore_reads_the_same_frames() -> None:
    eventstream = pytest.importorskip("botocore.eventstream", reason="needs Python 3.10")
    body = event("messageStart", role="assistant") + exception("a", message="m") + HELLO
    buffer = eventstream.EventStreamBuffer()
    buffer.add_data(body)

    payloads = [each.payload for each in buffer]

    assert [payload for _, payload in read(body, 3)] == payloads
