"""Whatever a server sends, in whatever pieces: a reply or a `TransportFailure`, nothing else."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from specado import transport as t
from specado.transport import connecting

LIMITS = t.Limits(max_reply_bytes=200, max_error_bytes=20)
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


class Pieces:
    """A connection whose peer says *pieces*, then ends it."""

    def __init__(self, pieces):
        self._pieces = [piece for piece in pieces if piece]

    def read(self, until):
        return self._pieces.pop(0) if self._pieces else b""

    def write(self, data, until):
        pass

    def is_stale(self):
        return bool(self._pieces)

    def close(self):
        self._pieces = []


def outcome(pieces, url="http://localhost/v1", **given):
    """Return (status, body), or the kind of the failure."""
    t.shutdown()
    transport = t.shared_transport(t.TransportSettings(max_connections=1, **given))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connecting, "connect", lambda *_: None)
        patch.setattr(connecting, "SocketStream", lambda _: Pieces(pieces))
        try:
            reply = transport.send(t.WireRequest("POST", url, (), b""), 5, LIMITS)
        except t.TransportFailure as failure:
            return failure.kind
    return reply.status, reply.body


@given(streams)
@example([b"HTTP/1.1 200 OK\r\n", b"Content-Length: 3\r\n", b"\r\n", b"abc"])
def test_any_bytes_are_a_reply_or_a_failure(pieces):
    found = outcome(pieces)

    if isinstance(found, tuple):
        status, body = found
        assert len(body) <= (200 if status < 300 else 20)
    else:
        assert found in {"reset", "truncated", "protocol", "too_large"}


@given(streams, st.integers(1, 7))
def test_the_pieces_make_no_difference(pieces, size):
    whole = b"".join(pieces)
    cut = [whole[start : start + size] for start in range(0, len(whole), size)]

    assert outcome([whole]) == outcome(cut)


@given(
    st.lists(st.one_of(st.sampled_from(PARTS), st.binary(max_size=12)), max_size=8),
    st.sampled_from(["http://u:p@proxy", "socks5://u:p@proxy", "socks5://proxy"]),
)
def test_any_bytes_from_a_proxy_are_a_way_or_no_connection(pieces, proxy):
    if proxy.startswith("socks"):
        pytest.importorskip("socksio")

    assert outcome(pieces, "https://localhost/v1", proxies=(("all", proxy),)) == "connect"
