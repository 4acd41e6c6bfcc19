"""Server-sent events parser, compared with a reference at every cut of the bytes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference_streams
from specado._core import FrameDecoder, OpenAIStream
from specado.errors import MalformedResponseError

ENOUGH = 1 << 20

# (bytes, frames)
STREAMS = [
    (b"data: a\n\ndata: b\n\n", [(None, b"a"), (None, b"b")]),
    (b"data: a\r\n\r\ndata: b\r\n\r\n", [(None, b"a"), (None, b"b")]),
    (b"data: a\r\rdata: b\r\r", [(None, b"a"), (None, b"b")]),
    (b"data: a\r\n\rdata: b\n\r\n", [(None, b"a"), (None, b"b")]),
    (b"event: ping\ndata: a\n\ndata: b\n\n", [("ping", b"a"), (None, b"b")]),
    (b"event: x\nevent: y\ndata: a\n\n", [("y", b"a")]),
    (b"event: x\nevent:\ndata: a\n\n", [(None, b"a")]),
    (b"event: x\nevent\ndata: a\n\n", [(None, b"a")]),
    (b"event: x\n\ndata: a\n\n", [(None, b"a")]),
    (b"data: a\nevent: late\n\n", [("late", b"a")]),
    ("event: é☃\ndata: é\n\n".encode(), [("é☃", "é".encode())]),
    (b"event: \xff\ndata: a\n\n", [("\ufffd", b"a")]),
    (b"data: a\ndata:b\ndata:  c\ndata\n\n", [(None, b"a\nb\n c\n")]),
    (b"data\n\n", [(None, b"")]),
    (b"data:\n\n", [(None, b"")]),
    (b"data: \n\n", [(None, b"")]),
    (b"data\n\ndata\ndata\n\ndata:", [(None, b""), (None, b"\n"), (None, b"")]),
    (b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n", [(None, b"a")]),
    (b"\xef\xbb\xbf\ndata: a\n\n", [(None, b"a")]),
    (b"\xef\xbb", []),
    (b": comment\n\n:\n\ndata: a\n: in between\n\n", [(None, b"a")]),
    (b"id: 1\nretry: 5\ndata: a\nfoo\nfoo: bar\ndatax: no\nDATA: no\ndat\n\n", [(None, b"a")]),
    (b" data: no\ndata : no\n\n", []),
    (
        "data: {\"t\":\"a\u2028b\u2029c\x85d\x0be\x0cf\x1c\"}\n\n".encode(),
        [(None, "{\"t\":\"a\u2028b\u2029c\x85d\x0be\x0cf\x1c\"}".encode())],
    ),
    (b"data: a\x00b\n\n", [(None, b"a\x00b")]),
    (b"data: a\n\ndata: the end", [(None, b"a"), (None, b"the end")]),
    (b"data: a\n\nevent: x\ndata: the end\n", [(None, b"a"), ("x", b"the end")]),
    (b"event: alone\n", []),
    (b"\n\r\n\r\r\n", []),
    (b"", []),
]  # fmt: skip


def read(pieces, limit=ENOUGH):
    decoder = FrameDecoder(limit)
    found = [frame for piece in pieces for frame in decoder.feed(piece)]
    return found + decoder.finish()


def read_until_refused(decoder, pieces):
    found = []
    try:
        for piece in [*pieces, b""]:
            found += decoder.feed(piece)
    except MalformedResponseError as error:
        return found, error.code
    return found, None


def cut(data, places):
    edges = [0, *sorted(places), len(data)]
    return [data[start:end] for start, end in zip(edges, edges[1:])]


@pytest.mark.parametrize(("data", "expected"), STREAMS)
def test_a_stream_gives_its_frames_at_every_cut(data, expected):
    assert reference_streams.frames(data) == expected
    assert read([data]) == expected
    assert read([data[i : i + 1] for i in range(len(data))]) == expected
    for place in range(len(data) + 1):
        assert read(cut(data, [place])) == expected


@given(
    st.lists(
        st.sampled_from(
            [b"data", b"event", b"id", b":", b" ", b"\n", b"\r", b"\r\n", b"\n\n", b"a", b"\xc3",
             b"\xa9", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"data: x", b"event: y"]
        )
    ).map(b"".join),
    st.data(),
)  # fmt: skip
def test_any_bytes_cut_anywhere_give_the_frames_of_the_twin(data, draw):
    places = draw.draw(st.lists(st.integers(0, len(data)), max_size=8))

    assert read(cut(data, places)) == reference_streams.frames(data)


@given(st.binary(max_size=60), st.integers(0, 60))
def test_arbitrary_bytes_give_the_frames_of_the_twin(data, place):
    assert read([data[:place], data[place:]]) == reference_streams.frames(data)


@pytest.mark.parametrize(
    ("data", "limit"),
    [
        (b"data: 0123456789", 15),
        (b"data: 0123456789\n\n", 15),
        (b"data: 01\ndata: 23\n\n", 15),
        (b"event: 01\ndata: 23\n\n", 16),
        (b": 0123456789abcd\n\n", 15),
        (b"data: 0123\n: 012345\n\n", 17),
    ],
)
def test_a_frame_past_the_limit_is_refused_after_the_frames_before_it(data, limit):
    for place in range(len(data) + 1):
        decoder = FrameDecoder(limit)

        found, code = read_until_refused(decoder, cut(b"data: ok\n\n" + data, [10 + place]))

        assert found == [(None, b"ok")]
        assert code == "frame_too_large"
        with pytest.raises(MalformedResponseError):
            decoder.feed(b"data: more\n\n")
        with pytest.raises(MalformedResponseError):
            decoder.finish()


def test_a_frame_of_just_the_limit_is_read_and_comments_do_not_add_up():
    data = b"data: 0123456789\n" + b": 01234567\n" * 50 + b"\n"

    assert read([data], limit=26) == [(None, b"0123456789")]
    assert read([data[i : i + 1] for i in range(len(data))], limit=26) == [(None, b"0123456789")]


@pytest.mark.parametrize("ending", [b"\n", b"\r", b"\r\n"])
def test_many_lines_in_one_piece_take_time_in_proportion(ending):
    def taken_s(count):
        data = (b"data: x" + ending) * count + ending
        start = time.process_time()  # another process must not count
        FrameDecoder(1 << 30).feed(data)
        return time.process_time() - start

    taken_s(1000)
    small = min(taken_s(20_000) for _ in range(5))
    large = min(taken_s(320_000) for _ in range(3))

    assert large < 16 * small * 8


def test_a_large_frame_byte_by_byte_takes_time_in_proportion():
    def taken_s(size):
        decoder = FrameDecoder(1 << 30)
        start = time.perf_counter()
        for _ in range(size):
            decoder.feed(b"x")
        return time.perf_counter() - start

    taken_s(1000)
    small = min(taken_s(50_000) for _ in range(3))
    large = taken_s(800_000)

    assert large < 16 * small * 8


def test_only_bytes_are_taken():
    with pytest.raises(TypeError):
        FrameDecoder(ENOUGH).feed(None)
    with pytest.raises(TypeError):
        FrameDecoder(ENOUGH).feed("data: a\n\n")


def test_a_stream_decoder_refuses_an_unknown_framing():
    with pytest.raises(ValueError, match="'aws' is not a framing; known: sse"):
        OpenAIStream("openai", "m", 0, framing="aws", max_frame_bytes=9, max_reply_bytes=9)
