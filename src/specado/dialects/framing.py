"""Framings of streams (SSE, AWS event streams): recognised by the reply's content type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FRAMINGS", "Framing"]


class Framing(msgspec.Struct, frozen=True):
    """One framing: its name, and by which replies it is recognised.

    `media_type` is the documented type of such a stream. Servers state others, or none: every
    success is a stream but for the types in `no_streams`.
    """

    name: str
    media_type: str
    no_streams: tuple[str, ...]

    def is_stream(self, status: int, headers: Mapping[str, str]) -> bool:
        """Return whether a reply is a stream, by its status and its headers."""
        if not 200 <= status < 300:
            return False
        kind = headers.get("content-type", "")
        if kind == self.media_type:
            return True
        return kind.partition(";")[0].strip().lower() not in self.no_streams


# A success of one of these types is a whole reply, or a proxy's page instead of a stream.
_WHOLE_REPLIES = ("application/json", "text/html")

FRAMINGS = {
    each.name: each
    for each in (
        Framing("sse", "text/event-stream", _WHOLE_REPLIES),
        Framing("aws_event_stream", "application/vnd.amazon.eventstream", _WHOLE_REPLIES),
    )
}
