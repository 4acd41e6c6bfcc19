"""Structs of the events in Anthropic's streams (anthropic 0.125.0, 2026-11-22)."""

from __future__ import annotations

from typing import Any, Optional, Union

import msgspec

from specado._core.anthropic_messages.wire import AppliedEdits, Block

__all__ = [
    "KNOWN_DELTAS",
    "KNOWN_EVENTS",
    "NO_INDEX",
    "BlockDelta",
    "BlockStart",
    "BlockStop",
    "CitationsDelta",
    "ErrorEvent",
    "Event",
    "InputDelta",
    "MessageDelta",
    "MessageStart",
    "MessageStop",
    "SignatureDelta",
    "TextDelta",
    "ThinkingDelta",
]

# The index of an event that came without one: it concerns the block that began last.
NO_INDEX = -1


class TextDelta(msgspec.Struct, tag="text_delta"):
    """A piece of a text block."""

    text: str


class InputDelta(msgspec.Struct, tag="input_json_delta"):
    """A piece of a tool's input, as JSON text."""

    partial_json: str


class ThinkingDelta(msgspec.Struct, tag="thinking_delta"):
    """A piece of a thinking block."""

    thinking: str


class SignatureDelta(msgspec.Struct, tag="signature_delta"):
    """The signature of a thinking block, at its end."""

    signature: str


class CitationsDelta(msgspec.Struct, tag="citations_delta"):
    """A citation of a text block; the chunks leave it out."""


class MessageStart(msgspec.Struct, tag="message_start"):
    """The beginning of the message: a reply with empty content."""

    message: msgspec.Raw


class BlockStart(msgspec.Struct, tag="content_block_start"):
    """The beginning of a content block."""

    content_block: Block
    index: int = NO_INDEX


class BlockDelta(msgspec.Struct, tag="content_block_delta"):
    """A piece of a content block."""

    delta: Union[TextDelta, InputDelta, ThinkingDelta, SignatureDelta, CitationsDelta]
    index: int = NO_INDEX


class BlockStop(msgspec.Struct, tag="content_block_stop"):
    """The end of a content block."""

    index: int = NO_INDEX


class MessageDelta(msgspec.Struct, tag="message_delta"):
    """The stop reason and the usage of the message, near its end."""

    delta: msgspec.Raw = msgspec.Raw(b"{}")
    usage: msgspec.Raw = msgspec.Raw(b"null")
    context_management: Optional[AppliedEdits] = None


class MessageStop(msgspec.Struct, tag="message_stop"):
    """The end of the message."""


class Ping(msgspec.Struct, tag="ping"):
    """An event without content that keeps the connection alive."""


class ErrorEvent(msgspec.Struct, tag="error"):
    """A failure in the middle of the stream."""


Event = Union[
    MessageStart, BlockStart, BlockDelta, BlockStop, MessageDelta, MessageStop, Ping, ErrorEvent
]


def _tags(*types: Any) -> frozenset[str]:
    return frozenset(type_.__struct_config__.tag for type_ in types)


KNOWN_EVENTS = _tags(
    MessageStart, BlockStart, BlockDelta, BlockStop, MessageDelta, MessageStop, Ping, ErrorEvent
)
KNOWN_DELTAS = _tags(TextDelta, InputDelta, ThinkingDelta, SignatureDelta, CitationsDelta)
