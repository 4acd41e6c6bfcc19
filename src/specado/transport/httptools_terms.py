"""Requests as bytes, replies out of bytes, with the parser of the package httptools; no I/O.

httptools wraps llhttp, the parser of Node.js. What it accepts is strict (read 2026-11-22, 0.9.0):
no line ends without CR, no Content-Length twice or beside Transfer-Encoding. It does not bound a
head, nor end a body without a length with its connection, nor tell of line ends after a reply:
all that is done here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httptools

from specado.errors import ConfigurationError
from specado.transport.exchange import TransportFailure

if TYPE_CHECKING:
    from specado.transport.exchange import WireRequest
    from specado.transport.route import Address

__all__ = ["JOINED_BYTES", "ReplyParser", "head_of"]

# A larger body leaves by itself: joining it to its head would copy it.
JOINED_BYTES = 262_144
# What httpcore allows for a head, here for everything that is no body: also 1xx, trailers and
# the extensions of chunks.
MAX_IDLE_BYTES = 102_400
MAX_COMPLAINT_CHARACTERS = 200
# These follow from the address, the body and what can be decoded.
_OWN_HEADERS = frozenset({"accept-encoding", "content-length", "host", "transfer-encoding"})
# RFC 9110, 5.1 and 5.5.
_HEADER = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e\x80-\xff]*\r\n"
_ONE_HEADER, _HEADERS = re.compile(_HEADER), re.compile(f"(?:{_HEADER})*")


def head_of(request: WireRequest, address: Address) -> bytes:
    """Return what comes before the body of *request*."""
    lines = _lines_of(request.headers)
    if lines is None:
        raise ConfigurationError(_wrong_header(request))
    return (
        f"{request.method} {address.target.decode('ascii')} HTTP/1.1\r\n"
        f"host: {address.authority}\r\naccept-encoding: gzip, deflate\r\n"
        f"content-length: {len(request.body)}\r\n{lines}\r\n"
    ).encode("latin-1")


def _lines_of(headers: tuple[tuple[str, str], ...]) -> str | None:
    """Return the lines of *headers*, `None` if one is no header.

    Whoever raises for it has no value in its frame.
    """
    lines = [f"{name}: {value}\r\n" for name, value in headers if name.lower() not in _OWN_HEADERS]
    text = "".join(lines)
    # As many line ends as lines: none is within a value.
    is_right = text.count("\n") == len(lines) and _HEADERS.fullmatch(text) is not None
    return text if is_right else None


def _wrong_header(request: WireRequest) -> str:
    for name, value in request.headers:
        if _ONE_HEADER.fullmatch(f"{name}: {value}\r\n") is None:
            return f"the header {name!r} has characters that HTTP does not allow"
    return "a header of the request has a character that HTTP does not allow"


class ReplyParser:
    """Takes one reply apart: `status` and `headers` (names in lower case, repeated ones joined)
    once `has_head`, the body's `pieces` as they come.

    `can_reuse` tells, once it `is_complete`, whether another request may follow. Its methods
    `on_…` are what httptools calls.
    """  # noqa: D205 - the attributes belong together

    __slots__ = (
        "_idle_bytes", "_is_interim", "_parser", "_raw_headers", "_tail", "can_reuse",
        "has_answer", "has_head", "headers", "is_complete", "pieces", "status",
    )  # fmt: skip

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.pieces: list[bytes] = []
        self.has_answer = self.has_head = self.is_complete = self.can_reuse = False
        self._raw_headers: list[tuple[bytes, bytes]] = []
        self._is_interim = False
        self._idle_bytes = 0
        self._tail = b""
        self._parser: Any = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the connection, `b""` for its end.

        `pieces` have been taken away before.
        """
        if not data:
            self._end()
            return
        self.has_answer = True
        self._idle_bytes += len(data)
        complaint, had_head = "", self.has_head
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.can_reuse = False  # what follows a whole reply makes it no worse
            # llhttp's own words: it quotes nothing.
            complaint = str(error)[:MAX_COMPLAINT_CHARACTERS]
        if self.is_complete:
            self._parser = None  # it refers to this object: a cycle
            self.can_reuse = self.can_reuse and self._ends_with(data, had_head=had_head)
            return
        self._tail = data[-6:] if len(data) >= 6 else (self._tail + data)[-6:]
        if complaint or self._idle_bytes > MAX_IDLE_BYTES:
            raise _not_http(complaint or "its head is too long")

    def _ends_with(self, data: bytes, *, had_head: bool) -> bool:
        """Tell whether the reply's last byte is the last of *data*: llhttp passes over line ends.

        Head and chunks end with an empty line, before which there is no other one.
        """
        is_chunked = "transfer-encoding" in self.headers
        body_bytes = 0 if is_chunked else sum(map(len, self.pieces))
        if had_head and not is_chunked:
            return body_bytes == len(data)
        frame = self._tail + data
        frame = frame[max(0, len(frame) - body_bytes - 6) : len(frame) - body_bytes]
        return frame.endswith(b"\r\n\r\n") and frame != b"\r\n\r\n\r\n"

    def _end(self) -> None:
        if not self.has_answer:
            message = "the connection was closed before any reply"
            raise TransportFailure("reset", message, sent=True)
        if not self.is_complete:
            lengths = {"content-length", "transfer-encoding"}
            if not self.has_head or lengths & self.headers.keys():
                raise TransportFailure("truncated", "the reply broke off", sent=True)
            self.is_complete = True
            self._parser = None

    def drop(self) -> None:
        """Let go of the parser, for a reply that nobody reads on."""
        self._parser = None

    def on_message_begin(self) -> None:
        """Refuse what follows a whole reply: nobody asked for it."""
        if self.is_complete:
            raise ValueError("bytes after the reply")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; trailers are passed over."""
        if not self.has_head:
            self._raw_headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Take the head of an interim reply, or of the reply."""
        raw_headers, self._raw_headers = self._raw_headers, []
        status: int = self._parser.get_status_code()
        self._is_interim = status < 200
        if self._is_interim:
            if status == 101:  # nobody asked for another protocol
                raise ValueError("an upgrade")
            self._idle_bytes = 0
            return
        headers: dict[str, str] = {}
        for raw_name, raw_value in raw_headers:
            name = raw_name.decode("ascii").lower()
            value = raw_value.strip(b" \t").decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        if headers.get("transfer-encoding", "chunked").lower() != "chunked":
            raise ValueError("an unknown transfer-encoding")
        self.status, self.headers, self.has_head = status, headers, True

    def on_body(self, data: bytes) -> None:
        """Keep a piece of the body."""
        self._idle_bytes = 0
        self.pieces.append(data)

    def on_message_complete(self) -> None:
        """Note the end of the reply."""
        if not self._is_interim:
            self.is_complete = True
            self.can_reuse = self._parser.should_keep_alive()


def _not_http(complaint: str) -> TransportFailure:
    return TransportFailure("protocol", f"the reply is not valid HTTP: {complaint}", sent=True)
