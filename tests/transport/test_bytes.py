"""Whatever a server sends, in whatever pieces: a reply or a `TransportFailure`, nothing else."""

from __future__ import annotations

import gzip
import importlib.util
import inspect

import httpcore
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import transports
from specado import transport as t
from specado.errors import ConfigurationError
from specado.transport.httpcore_terms import PooledExchange, failure_of
from specado.transport.network import TimeUp
from specado.transport.proxies import Proxy
from specado.transport.route import address_of

CONNECTING = ["pooled"]
if importlib.util.find_spec("httptools") is not None:
    CONNECTING.append("direct")
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

    def has_news(self):
        return bool(self._pieces)

    def close(self):
        self._pieces = []


def outcome(pieces, url="http://localhost/v1", **given):
    """Return (status, body), or the kind of the failure."""
    t.shutdown()
    transport = t.shared_transport(transports.settings(max_connections=1, **given))
    with pytest.MonkeyPatch.context() as patch:
        for name in CONNECTING:
            module = importlib.import_module(f"specado.transport.{name}")
            patch.setattr(module, "connect", lambda host, port, until: Pieces(pieces))
        try:
            reply = transport.send(t.WireRequest("POST", url, (), b""), 5, LIMITS)
        except t.TransportFailure as failure:
            return failure.kind
    return reply.status, reply.body


on_each = pytest.mark.usefixtures("library")


@on_each
@given(streams)
@example([b"HTTP/1.1 200 OK\r\n", b"Content-Length: 3\r\n", b"\r\n", b"abc"])
def test_any_bytes_are_a_reply_or_a_failure(pieces):
    found = outcome(pieces)

    if isinstance(found, tuple):
        status, body = found
        assert len(body) <= (200 if status < 300 else 20)
    else:
        assert found in {"reset", "truncated", "protocol", "too_large"}


@on_each
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


def every_error_of(library):
    classes = {cls for _, cls in inspect.getmembers(library, inspect.isclass)}
    return sorted((cls for cls in classes if issubclass(cls, Exception)), key=lambda c: c.__name__)


EXPECTED = {
    "ConnectError": ("connect", "reset", "truncated"),
    "ConnectTimeout": ("timeout", "timeout", "timeout"),
    "ConnectionNotAvailable": None,
    "LocalProtocolError": ConfigurationError,
    "NetworkError": ("connect", "reset", "truncated"),
    "PoolTimeout": ("timeout", "timeout", "timeout"),
    "ProtocolError": ("connect", "reset", "truncated"),
    "ProxyError": ("connect", "reset", "truncated"),
    "ReadError": ("connect", "reset", "truncated"),
    "ReadTimeout": ("timeout", "timeout", "timeout"),
    "RemoteProtocolError": ("connect", "protocol", "protocol"),
    "TimeoutException": ("timeout", "timeout", "timeout"),
    "UnsupportedProtocol": ("connect", "reset", "truncated"),
    "WriteError": ("connect", "reset", "truncated"),
    "WriteTimeout": ("timeout", "timeout", "timeout"),
    # Ours, and the system's.
    "ConnectionResetError": ("connect", "reset", "truncated"),
    "TimeUp": ("timeout", "timeout", "timeout"),
}


def meanings(error, library=httpcore):
    """Return what *error* means before anything was sent, after it, and within the reply."""
    found = []
    for has_sent, has_answer in ((False, False), (True, False), (True, True)):
        exchange = PooledExchange(
            address_of("http://h/"), Proxy("http", "p", 1, None), 1.0, LIMITS, library
        )
        exchange.has_sent, exchange.has_answer = has_sent, has_answer
        failure = failure_of(error, exchange)
        assert getattr(failure, "sent", has_sent) == has_sent
        found.append(getattr(failure, "kind", type(failure)))
    return tuple(found)


@pytest.mark.parametrize(
    "cls",
    [*every_error_of(httpcore), ConnectionResetError, TimeUp],
    ids=lambda cls: cls.__name__,
)
def test_each_error_is_mapped(cls):
    expected = EXPECTED[cls.__name__]
    if not isinstance(expected, tuple):
        expected = (expected or type(None),) * 3

    assert meanings(cls("what happened")) == expected


@transports.needs("httpcore2")
def test_httpcore2_has_the_same_errors_with_the_same_meanings():
    httpcore2 = importlib.import_module("httpcore2")
    ours, theirs = every_error_of(httpcore), every_error_of(httpcore2)

    assert [cls.__name__ for cls in theirs] == [cls.__name__ for cls in ours]
    for one, two in zip(ours, theirs):
        assert meanings(two("what happened"), httpcore2) == meanings(one("what happened"))
