"""Replies cut anywhere, and what may follow them: the parser by itself."""

from __future__ import annotations

import pytest

import sockets
from specado.transport.contract import TransportFailure
from specado.transport.http1 import ReplyParser

WHOLE = {
    "length": sockets.reply(b"abc"),
    "line ends": sockets.reply(b"\r\n\r\n\r\n"),
    "empty": sockets.reply(b""),
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "chunks": sockets.chunked(b"ab", b"c"),
    "trailer": sockets.chunked(b"abc")[:-2] + b"X: y\r\n\r\n",
    "interim": b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" + sockets.reply(b"abc"),
}


def parsed(*pieces):
    """Return the parser after *pieces*, and the body."""
    parser, body = ReplyParser(), b""
    for piece in pieces:
        parser.feed(piece)
        body += b"".join(parser.pieces)
        parser.pieces.clear()
    return parser, body


def cuts(data):
    return [(data[:place], data[place:]) for place in range(1, len(data))]


@pytest.mark.parametrize("whole", WHOLE.values(), ids=WHOLE)
def test_a_connection_is_good_for_another_request_wherever_the_reply_is_cut(whole):
    bytewise = [whole[place : place + 1] for place in range(len(whole))]
    for pieces in [(whole,), bytewise, *cuts(whole)]:
        parser, _ = parsed(*pieces)

        assert (parser.is_complete, parser.can_reuse) == (True, True)


@pytest.mark.parametrize("more", [b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"x", b"HTTP/1.1 200 OK"])
@pytest.mark.parametrize("whole", WHOLE.values(), ids=WHOLE)
def test_a_connection_with_more_bytes_is_not(whole, more):
    for first, last in [(b"", whole), *cuts(whole)]:
        parser, _ = parsed(*filter(None, [first, last + more]))

        assert (parser.is_complete, parser.can_reuse) == (True, False)


def test_the_body_is_whole_wherever_the_reply_is_cut():
    for name, whole in WHOLE.items():
        expected = {"line ends": b"\r\n\r\n\r\n", "empty": b"", "no content": b""}
        for pieces in cuts(whole):
            assert parsed(*pieces)[1] == expected.get(name, b"abc")


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (
            b"HTTP/1.1 101 Up\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            "it switches to another protocol (status 101)",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "its transfer-encoding is not chunked",
        ),
        (b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", "Missing expected CR after response line"),
    ],
)
def test_a_reply_that_is_not_valid_is_told_in_words(reply, complaint):
    with pytest.raises(TransportFailure) as caught:
        ReplyParser().feed(reply)

    assert str(caught.value) == f"the reply is not valid HTTP: {complaint}"
