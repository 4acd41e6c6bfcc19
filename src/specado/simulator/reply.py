"""Replies of the simulator: whole, streamed, or the error that becomes an error reply."""

from __future__ import annotations

from typing import Any, Optional

import msgspec

from specado.simulator.faults import Fault

__all__ = ["EventStream", "SimulatedError", "SimulatedReply", "streamed"]


class EventStream(msgspec.Struct, frozen=True):
    """A streamed body, as its pieces.

    After the last piece it `ends`: `whole`, `cut` (the connection breaks) or `silent` (nothing more
    comes, and the connection stays open).
    """

    pieces: tuple[bytes, ...]
    ends: str = "whole"


class SimulatedReply(msgspec.Struct, frozen=True):
    """A simulated reply; `fault` is a failure to simulate while, or instead of, sending it.

    `stream` has the pieces of a streamed body; `body` is then all of them joined.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    fault: Optional[Fault] = None
    stream: Optional[EventStream] = None


def streamed(
    headers: tuple[tuple[str, str], ...],
    stream: EventStream,
    content_type: str = "text/event-stream; charset=utf-8",
) -> SimulatedReply:
    """Return a reply with the body *stream*; *content_type* replaces that in *headers*."""
    kept = tuple(pair for pair in headers if pair[0] != "content-type")
    typed = (("content-type", content_type), *kept)
    return SimulatedReply(200, typed, b"".join(stream.pieces), stream=stream)


class SimulatedError(Exception):
    """An error that the provider would answer with HTTP *status*.

    `type` and `code` are OpenAI's and Anthropic's words for the error, `type` is the name of
    Google's status; `param` and `code` go into OpenAI's body only, `details` into Google's.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # noqa: A002 - the wire's name
        param: str | None = None,
        code: str | None = None,
        details: tuple[dict[str, Any], ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type
        self.param = param
        self.code = code
        self.details = details
