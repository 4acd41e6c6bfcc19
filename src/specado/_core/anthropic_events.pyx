"""Anthropic stream decoder: types of its events (anthropic 0.125.0, 2026-11-22)."""

from typing import Optional, Union

import msgspec

from specado._core.anthropic_replies import AppliedEdits, Block

# The index of an event that came without one: the block that was begun last.
NO_INDEX = -1


class TextDelta(msgspec.Struct, tag="text_delta"):
    text: str


class InputDelta(msgspec.Struct, tag="input_json_delta"):
    partial_json: str


class ThinkingDelta(msgspec.Struct, tag="thinking_delta"):
    thinking: str


class SignatureDelta(msgspec.Struct, tag="signature_delta"):
    signature: str


class CitationsDelta(msgspec.Struct, tag="citations_delta"):
    pass


class MessageStart(msgspec.Struct, tag="message_start"):
    message: msgspec.Raw


class BlockStart(msgspec.Struct, tag="content_block_start"):
    content_block: Block
    index: int = NO_INDEX


class BlockDelta(msgspec.Struct, tag="content_block_delta"):
    delta: Union[TextDelta, InputDelta, ThinkingDelta, SignatureDelta, CitationsDelta]
    index: int = NO_INDEX


class BlockStop(msgspec.Struct, tag="content_block_stop"):
    index: int = NO_INDEX


class MessageDelta(msgspec.Struct, tag="message_delta"):
    delta: msgspec.Raw = msgspec.Raw(b"{}")
    usage: msgspec.Raw = msgspec.Raw(b"null")
    context_management: Optional[AppliedEdits] = None


class MessageStop(msgspec.Struct, tag="message_stop"):
    pass


class Ping(msgspec.Struct, tag="ping"):
    pass


class ErrorEvent(msgspec.Struct, tag="error"):
    pass


Event = Union[
    MessageStart, BlockStart, BlockDelta, BlockStop, MessageDelta, MessageStop, Ping, ErrorEvent
]
KNOWN = frozenset(kind.__struct_config__.tag for kind in Event.__args__)
KNOWN_DELTAS = frozenset([
    kind.__struct_config__.tag
    for kind in (TextDelta, InputDelta, ThinkingDelta, SignatureDelta, CitationsDelta)
])
