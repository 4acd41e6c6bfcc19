"""Whatever a server sends, in whatever pieces: a reply or a `TransportFailure`, nothing else."""

from __future__ import annotations

import gzip

from hypothesis import example, given
from hypothesis import strategies as st

from specado.exchange import Limits, ReplyBody, TransportFailure
from specado.http1 import Http1, connect_tunnel, socks_tunnel

LIMITS = Limits(max_reply_bytes=200, max_error_bytes=20)
PARTS = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 429 No\r\n",
    b"HTTP/1.1 100 C\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 204 No\r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Content-Encoding: deflate\r\n",
    b"Connection: close\r\n",
    b"X-\xff: \xff\r\n",
    b"\r\n",
    b"3\r\nabc\r\n",
    b"0\r\n\r\n",
    b"ffffffffffffffffffff\r\n",
    gzip.compress(b"x" * 1000),
    gzip.compress(b"x"),
]
streams = st.lists(st.one_of(st.sampled_from(PARTS), st.binary(max_size=8)), max_size=12)


def exchange(pieces):
    """Return (status, body, whether the connection can be used again)."""
    waiting = [piece for piece in pieces if piece]
    http = Http1()
    http.request("POST", b"/", [(b"host", b"h"), (b"content-length", b"0")], b"")

    def receive():
        http.receive(waiting.pop(0) if waiting else b"")

    head = http.head()
    while head is None:
        receive()
        head = http.head()
    body = ReplyBody(*head, LIMITS)
    while True:
        data = http.body()
        if data is None:
            receive()
        elif not data or not body.add(data):
            break
    return head[0], body.finish(), http.recycle()


def outcome(pieces):
    try:
        return exchange(pieces)
    except TransportFailure as failure:
        return failure.kind


@given(streams)
@example([b"HTTP/1.1 200 OK\r\n", b"Content-Length: 3\r\n", b"\r\n", b"abc"])
def test_any_bytes_are_a_reply_or_a_failure(pieces):
    found = outcome(pieces)

    if isinstance(found, tuple):
        status, body, _ = found
        assert len(body) <= (200 if status < 300 else 20)
    else:
        assert found in {"reset", "truncated", "protocol", "too_large"}


@given(streams, st.integers(1, 7))
def test_the_pieces_make_no_difference(pieces, size):
    whole = b"".join(pieces)
    cut = [whole[start : start + size] for start in range(0, len(whole), size)]
    one, many = outcome([whole]), outcome(cut)

    # Bytes after the end are seen only if they came with it.
    assert (one[:2] if isinstance(one, tuple) else one) == (
        many[:2] if isinstance(many, tuple) else many
    )


@given(st.lists(st.binary(max_size=12), max_size=8), st.sampled_from([None, ("u", "p")]))
def test_any_bytes_from_a_proxy_are_a_way_or_a_refusal(pieces, credentials):
    for tunnel in (connect_tunnel, socks_tunnel):
        steps = tunnel("localhost", 443, credentials)
        waiting = [piece for piece in pieces if piece]
        try:
            next(steps)
            while True:
                steps.send(waiting.pop(0) if waiting else b"")
        except (StopIteration, ConnectionError):
            pass
