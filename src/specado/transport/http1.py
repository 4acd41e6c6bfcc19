"""HTTP/1.1 codec: serialises requests, parses replies with httptools (sans-I/O).

httptools wraps llhttp, the parser of Node.js. What it accepts is strict (read 2026-11-22, 0.9.0):
no line ends without CR, no Content-Length twice or beside Transfer-Encoding. It does not bound a
head, nor end a body without a length with its connection, nor tell of line ends after a reply:
all that is done here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httptools

from specado._core import ReplyEvents
from specado.errors import ConfigurationError
from specado.transport.contract import CommonHeaders, TransportFailure
from specado.transport.proxies import forwarded_head
from specado.transport.reply_body import accepted_encodings

if TYPE_CHECKING:
    from specado.transport.addresses import Address
    from specado.transport.contract import WireRequest
    from specado.transport.proxies import Proxy

__all__ = ["JOINED_BYTES", "ReplyParser", "head_of"]

# A larger body leaves by itself: joining it to its head would copy it.
JOINED_BYTES = 262_144
# Bounds everything that is no body: heads, also of 1xx replies, trailers, extensions of chunks.
MAX_IDLE_BYTES = 102_400
MAX_COMPLAINT_CHARACTERS = 200
# These follow from the address, the body and what can be decoded.
_OWN_HEADERS = frozenset({"accept-encoding", "content-length", "host", "transfer-encoding"})
# RFC 9110, 5.1 and 5.5.
_HEADER = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e\x80-\xff]*\r\n"
_ONE_HEADER, _HEADERS = re.compile(_HEADER), re.compile(f"(?:{_HEADER})*")


def head_of(request: WireRequest, address: Address, proxy: Proxy | None) -> bytes:
    """Return what comes before the body of *request*; raise a `ConfigurationError` for a header."""
    lines = _lines_of(request.headers)
    if lines is None:
        raise ConfigurationError(_wrong_header(request))
    target, authorization = address.target, b""
    if proxy is not None:
        target, authorization = forwarded_head(address, proxy)
    return (
        (
            f"{request.method} {target.decode('ascii')} HTTP/1.1\r\n"
            f"host: {address.authority}\r\naccept-encoding: {accepted_encodings()}\r\n"
            f"content-length: {len(request.body)}\r\n{lines}"
        ).encode("latin-1")
        + authorization
        + b"\r\n"
    )


def _lines_of(headers: tuple[tuple[str, str], ...]) -> str | None:
    """Return the lines of *headers*, `None` if one is no header.

    Whoever raises for it has no value in its frame.
    """
    if isinstance(headers, CommonHeaders) and headers.lines is not None:
        return headers.lines
    lines = [f"{name}: {value}\r\n" for name, value in headers if name.lower() not in _OWN_HEADERS]
    text = "".join(lines)
    # As many line ends as lines: none is within a value.
    if text.count("\n") != len(lines) or _HEADERS.fullmatch(text) is None:
        return None
    if isinstance(headers, CommonHeaders):
        headers.lines = text
    return text


def _wrong_header(request: WireRequest) -> str:
    for name, value in request.headers:
        if _ONE_HEADER.fullmatch(f"{name}: {value}\r\n") is None:
            return f"the header {name!r} has characters that HTTP does not allow"
    return "a header of the request has a character that HTTP does not allow"


class ReplyParser(ReplyEvents):
    """Takes one reply apart, as it is fed."""

    __slots__ = ("_tail", "has_answer")

    def __init__(self) -> None:
        self.has_answer = False
        self._tail = b""
        self.parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the connection, `b""` for its end.

        `pieces` have been taken away before.
        """
        if not data:
            self._end()
            return
        self.has_answer = True
        self.idle_bytes += len(data)
        complaint, had_head = "", self.has_head
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.can_reuse = False  # what follows a whole reply makes it no worse
            # Ours, or llhttp's own words: neither quotes anything.
            complaint = self.refusal or str(error)[:MAX_COMPLAINT_CHARACTERS]
        if self.is_complete:
            self.parser = None  # it refers to this object: a cycle
            self.can_reuse = self.can_reuse and self._ends_with(data, had_head=had_head)
            return
        self._tail = data[-6:] if len(data) >= 6 else (self._tail + data)[-6:]
        if complaint or self.idle_bytes > MAX_IDLE_BYTES:
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
            self.parser = None

    def drop(self) -> None:
        """Let go of the parser, for a reply that nobody reads on."""
        self.parser = None


def _not_http(complaint: str) -> TransportFailure:
    return TransportFailure("protocol", f"the reply is not valid HTTP: {complaint}", sent=True)
