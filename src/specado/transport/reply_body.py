"""Decodes reply bodies (gzip, deflate, brotli, zstd) piece by piece, within byte limits."""

from __future__ import annotations

import contextlib
import functools
import importlib
import zlib
from typing import TYPE_CHECKING, Any

from specado.errors import redact
from specado.transport.contract import TransportFailure, WireReply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from specado.transport.contract import AsyncOpenReply, Limits, OpenReply

__all__ = [
    "ReplyBody",
    "StreamBody",
    "accepted_encodings",
    "ignored_encoding",
    "read_whole",
    "read_whole_async",
]

# The codings that exist (IANA's "HTTP Content Coding Registry", read 2026-11-30), by the names that
# servers use; `None` for those that change nothing.
_CODINGS = {
    "": None,
    "identity": None,
    "x-gzip": "gzip",
    "x-compress": "compress",
    **{
        name: name
        for name in (
            "aes128gcm", "br", "compress", "dcb", "dcz", "deflate", "exi", "gzip", "pack200-gzip",
            "zstd",
        )
    },
}  # fmt: skip

# A reply has one gzip member; each further one costs a copy of what is left of its piece.
MAX_MEMBERS = 100
# RFC 9110, 8.6: the length is decimal digits; the first ones say enough to refuse one.
MAX_LENGTH_DIGITS = 18
MAX_ENCODING_CHARACTERS = 40
# Python 3.14's own module, and the package with the same interface for older ones.
_ZSTD_MODULES = ("compression.zstd", "backports.zstd")


def read_whole(reply: OpenReply, until: float, limits: Limits) -> WireReply:
    """Return an open reply with its whole body, and free its connection."""
    try:
        body = ReplyBody(reply.status, reply.headers, limits)
        try:
            while body.add(reply.read(until)):
                pass
        except TransportFailure:
            if not body.is_error:
                raise
        return WireReply(reply.status, reply.headers, body.finish())
    finally:
        reply.close()


async def read_whole_async(reply: AsyncOpenReply, until: float, limits: Limits) -> WireReply:
    """Return an open reply with its whole body, and free its connection."""
    try:
        body = ReplyBody(reply.status, reply.headers, limits)
        try:
            while body.add(await reply.read(until)):
                pass
        except TransportFailure:
            if not body.is_error:
                raise
        return WireReply(reply.status, reply.headers, body.finish())
    finally:
        reply.close()


class ReplyBody:
    """Collects one reply's body, decompressed, within its limits.

    Raises `TransportFailure`: `too_large`, or `protocol` for an encoding that is
    unknown or broken. But the status of an error (300 and above) says enough without its
    body: it is cut at its limit, empty where its encoding is unknown or broken, and whoever
    reads it passes over a failure where it `is_error`: the body is then what came before.
    """

    def __init__(self, status: int, headers: dict[str, str], limits: Limits) -> None:
        self.is_error = status >= 300
        self._max_bytes = limits.max_error_bytes if self.is_error else limits.max_reply_bytes
        self._room = self._max_bytes
        self._pieces: list[bytes] = []
        self._decoder: _Decoder | None = None
        try:
            self._decoder = _decoder_for(headers)
        except TransportFailure as failure:
            self._give_up(failure)
        length = headers.get("content-length", "")
        if not self.is_error and length.isdecimal():
            self._refuse_above(int(length[:MAX_LENGTH_DIGITS]))

    def add(self, data: bytes) -> bool:
        """Take the next piece, `b""` for the end; return whether more is wanted."""
        if not data:
            return False
        if self._decoder is not None:
            # One byte past the room tells that there is more, whatever the data expands to.
            try:
                data = self._decoder.decode(data, self._room + 1)
            except TransportFailure as failure:
                self._give_up(failure)
                return False
        if len(data) > self._room:
            self._refuse_above(self._max_bytes + 1)
            self._pieces.append(data[: self._room])
            self._room = 0
            self._decoder = None
            return False
        self._room -= len(data)
        self._pieces.append(data)
        return True

    def finish(self) -> bytes:
        """Return the whole body."""
        if self._decoder is not None and not self._decoder.is_whole and not self.is_error:
            raise _broken()
        return b"".join(self._pieces)

    def _give_up(self, failure: TransportFailure) -> None:
        if not self.is_error:
            raise failure from None
        self._pieces.clear()
        self._decoder = None
        self._max_bytes = self._room = 0

    def _refuse_above(self, size: int) -> None:
        if size > self._max_bytes and not self.is_error:
            message = f"the reply is larger than {self._max_bytes} bytes (max_reply_bytes)"
            raise TransportFailure("too_large", message, sent=True)


class StreamBody:
    """Decodes a streamed body piece by piece; raises as `ReplyBody` does."""

    def __init__(self, headers: dict[str, str], max_piece_bytes: int) -> None:
        self._max_bytes = max_piece_bytes
        self._decoder = _decoder_for(headers)

    def decode(self, data: bytes) -> bytes:
        """Return what *data* decodes to."""
        if self._decoder is None:
            return data
        data = self._decoder.decode(data, self._max_bytes + 1)
        if len(data) > self._max_bytes:
            message = f"a piece of the stream expands to more than {self._max_bytes} bytes"
            raise TransportFailure("too_large", f"{message} (max_frame_bytes)", sent=True)
        return data


@functools.cache
def accepted_encodings() -> str:
    """Return the value of `accept-encoding`: the encodings that this process can decode."""
    found = ["gzip", "deflate"]
    if _brotli() is not None:
        found.append("br")
    if _zstd() is not None:
        found.append("zstd")
    return ", ".join(found)


@functools.cache
def _brotli() -> Any:
    """Return the module brotli, `None` without one that can bound its output (1.2 and later)."""
    with contextlib.suppress(ImportError):
        module = importlib.import_module("brotli")
        if hasattr(module.Decompressor, "can_accept_more_data"):
            return module
    return None


@functools.cache
def _zstd() -> Any:
    """Return the module for zstd, `None` where none is installed."""
    for name in _ZSTD_MODULES:
        with contextlib.suppress(ImportError):
            return importlib.import_module(name)
    return None


def ignored_encoding(headers: Mapping[str, str]) -> str | None:
    """Return the value of `content-encoding` if it names anything but codings, else `None`.

    Some gateways put a character set there, or `none`.
    """
    given = headers.get("content-encoding")
    if given is None or all(word in _CODINGS for word in _words_of(given)):
        return None
    return redact(given)[:MAX_ENCODING_CHARACTERS]


def _words_of(encoding: str) -> list[str]:
    return [word.strip().lower() for word in encoding.split(",")]


def _decoder_for(headers: dict[str, str]) -> _Decoder | None:
    """Return the decoder of a reply's encoding, `None` for none; raises for one not asked for."""
    given = headers.get("content-encoding")
    if given is None:
        return None
    words = [word for word in _words_of(given) if _CODINGS.get(word)]
    if not words:
        return None
    encoding = ", ".join(str(_CODINGS[word]) for word in words)
    if encoding not in accepted_encodings().split(", "):
        shown = redact(given)[:MAX_ENCODING_CHARACTERS]
        message = f"the reply's content-encoding {shown!r} is not one that was asked for"
        raise TransportFailure("protocol", message, sent=True)
    return _Decoder(encoding)


class _Decoder:
    """Decodes piece by piece, never past a bound.

    Members of gzip and frames of zstd may follow each other. Zero bytes after a gzip member are
    padding, as for Python's gzip module.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._head = b""
        self._members = 0
        self._stream: Any = None
        self._error: type[Exception] = zlib.error

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        """Return what *data* expands to, at most *max_bytes* (then no more may be fed)."""
        if self._stream is None:
            self._head += data
            if len(self._head) < 2:
                return b""
            data, self._head = self._head, b""
            self._start(data)
        out = b""
        while data and len(out) < max_bytes:
            if self._stream.eof:
                if self._encoding == "gzip":
                    data = data.lstrip(b"\0")
                if not data or self._encoding not in ("gzip", "zstd"):
                    break  # the others are never several in a row
                self._start(data)
            try:
                out += self._stream.decompress(data, max_bytes - len(out))
            except self._error:
                raise _broken() from None
            data = self._stream.unused_data
        return out

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is missing at the end."""
        return not self._head and (self._stream is None or self._stream.eof)

    def _start(self, data: bytes) -> None:
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise _broken()
        if self._encoding == "br":
            self._stream, self._error = _BrotliStream(), _brotli().error
        elif self._encoding == "zstd":
            self._stream, self._error = _zstd().ZstdDecompressor(), _zstd().ZstdError
        elif self._encoding == "gzip":
            self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
        else:
            # "deflate" is zlib's format (RFC 9110, 8.4.1.2); some servers leave its header out.
            has_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
            self._stream = zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)


class _BrotliStream:
    """A brotli decompressor with the interface of zlib's."""

    unused_data = b""

    def __init__(self) -> None:
        self._stream = _brotli().Decompressor()

    @property
    def eof(self) -> bool:
        return self._stream.is_finished()  # type: ignore[no-any-return]

    def decompress(self, data: bytes, max_bytes: int) -> bytes:
        out: bytes = self._stream.process(data, output_buffer_limit=max_bytes)
        while len(out) < max_bytes and not self._stream.can_accept_more_data():
            out += self._stream.process(b"", output_buffer_limit=max_bytes - len(out))
        return out


def _broken() -> TransportFailure:
    return TransportFailure("protocol", "the reply's compressed body is broken", sent=True)
