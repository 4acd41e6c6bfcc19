"""Fuzz targets: functions of a provider's bytes that fail if a promise is broken.

Hypothesis calls them in the test suite, atheris in `make fuzz`.
"""

from __future__ import annotations

import math
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Callable

from specado import (
    ChatCompletionResponse,
    ProviderError,
    StreamInterruptedError,
    parse_error,
    parse_response,
)
from specado.calls.stream_state import StreamState
from specado.dialects.errors import ReplySource, error_from_reply
from specado.dialects.registry import DIALECTS
from specado.routing.retry import jittered_s, nominal_wait_s, rule_for
from specado.transport import Limits, TransportFailure, WireReply
from specado.transport.reply_body import ReplyBody

PROVIDERS = tuple(DIALECTS)
SOURCES = tuple(ReplySource("p", "m", dialect) for dialect in DIALECTS.values())
ENCODINGS = ("", "gzip", "deflate", "br", "identity", "x-gzip")
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
MAX_BYTES = 100_000
HEADERS = ("retry-after", "retry-after-ms", "x-should-retry", "x-request-id")


def _taken(data: bytes) -> tuple[int, bytes]:
    return (data[0] if data else 0), data[1:]


def response(data: bytes) -> None:
    """A reply's body is a completion or a `ProviderError`."""
    choice, body = _taken(data)
    try:
        found = parse_response(body, PROVIDERS[choice % len(PROVIDERS)])
    except ProviderError as raised:
        repr(raised)
    else:
        assert isinstance(found, ChatCompletionResponse)
        assert found.choices
        repr(found)


def error(data: bytes) -> None:
    """An error's status, headers and body are a `ProviderError` with a sane wait and rule."""
    choice, rest = _taken(data)
    name, value, body = [*rest.split(b"\n", 2), b"", b""][:3]
    headers = {HEADERS[choice % 4]: name.decode("latin-1"), "retry-after": value.decode("latin-1")}
    found = parse_error(100 + 2 * choice, headers, body, PROVIDERS[choice % len(PROVIDERS)])
    assert isinstance(found, ProviderError)
    wait_s = jittered_s(nominal_wait_s(found, choice), 0.5, announced=True)
    assert 0 <= wait_s < math.inf
    assert rule_for(found).next
    assert found.retry_after_s is None or found.retry_after_s >= 0


def stream(data: bytes) -> None:
    """A stream, in pieces of any size, is whole, or interrupted with what had come."""
    choice, rest = _taken(data)
    size, rest = _taken(rest)
    source = SOURCES[choice % len(SOURCES)]
    reader = source.dialect.stream_decoder(
        "p", "m", 7, max_frame_bytes=MAX_BYTES, max_reply_bytes=MAX_BYTES
    )
    incoming = StreamState(
        reader,
        source,
        status=200,
        headers={"content-encoding": ENCODINGS[choice // 2 % 3]},
        idle_timeout_s=1.0,
        max_frame_bytes=MAX_BYTES,
        opened=SimpleNamespace(has_marked_end=True),
    )
    step = 1 + size
    pieces = [rest[start : start + step] for start in range(0, len(rest), step)]
    for piece in [*pieces, b""]:
        incoming.take(piece)
        if incoming.error is not None or incoming.is_over:
            break
    repr(list(incoming.ready))
    if incoming.error is None:
        assert incoming.is_over
        assert isinstance(incoming.response(), ChatCompletionResponse)
    else:
        interrupted = incoming.interruption()
        assert isinstance(interrupted, StreamInterruptedError)
        repr(interrupted.partial)


def body(data: bytes) -> None:
    """An encoded body comes out within its limit, or as a `TransportFailure`."""
    choice, rest = _taken(data)
    status = 200 if choice & 1 else 500
    encoding = ENCODINGS[choice // 2 % len(ENCODINGS)]
    limits = Limits(max_reply_bytes=1000, max_error_bytes=100)
    try:
        found = ReplyBody(status, {"content-encoding": encoding}, limits)
        for start in range(0, len(rest), 7):
            if not found.add(rest[start : start + 7]):
                break
        text = found.finish()
    except TransportFailure:
        assert status == 200
    else:
        assert len(text) <= (1000 if status == 200 else 100)
        reply = WireReply(status, {}, text)
        error_from_reply(SOURCES[choice % len(SOURCES)], reply, NOW)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "response": response,
    "error": error,
    "stream": stream,
    "body": body,
}
