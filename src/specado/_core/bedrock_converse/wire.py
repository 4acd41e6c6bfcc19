"""Structs of replies in Bedrock's Converse format (botocore 1.44.8, bedrock-runtime, 2026-11-30).

A block of content has one member, its kind. A stream's events have the same names as members of a
whole reply; the event's name stands in its frame, and each has a padding member `p`.
"""

from __future__ import annotations

from typing import Optional, Union

import msgspec

__all__ = [
    "BLOCK_KINDS",
    "EVENTS",
    "NO_JSON",
    "Block",
    "BlockDelta",
    "BlockStart",
    "BlockStop",
    "CacheDetail",
    "Delta",
    "MessageStart",
    "MessageStop",
    "Metadata",
    "OtherReply",
    "Output",
    "Performance",
    "RawOutput",
    "RawReply",
    "Reasoning",
    "ReasoningDelta",
    "ReasoningText",
    "Reply",
    "ReplyMessage",
    "Start",
    "Tier",
    "TokenUsage",
    "ToolUse",
]

# The JSON of a member that is not there.
NO_JSON = msgspec.Raw(b"")


class _Wire(msgspec.Struct, rename="camel", gc=False):
    """Base of the Structs: their names are camelCase on the wire, and they form no cycles."""


class ToolUse(_Wire):
    """A call of a tool; `input` is a JSON object, and comes in pieces of text in a stream.

    A `type` of `server_tool_use` says that the service runs the tool itself.
    """

    tool_use_id: str = ""
    name: str = ""
    input: msgspec.Raw = NO_JSON
    type: Optional[str] = None


class ReasoningText(_Wire):
    """Reasoning that can be read, and its signature."""

    text: Optional[str] = None
    signature: Optional[str] = None


class Reasoning(_Wire):
    """Reasoning: readable text, or encrypted as base64 data."""

    reasoning_text: Optional[ReasoningText] = None
    redacted_content: Optional[str] = None


class Block(_Wire):
    """A content block of an answer; one member is there."""

    text: Optional[str] = None
    tool_use: Optional[ToolUse] = None
    reasoning_content: Optional[Reasoning] = None
    citations_content: msgspec.Raw = NO_JSON
    tool_result: msgspec.Raw = NO_JSON
    image: msgspec.Raw = NO_JSON
    document: msgspec.Raw = NO_JSON
    video: msgspec.Raw = NO_JSON
    audio: msgspec.Raw = NO_JSON
    guard_content: msgspec.Raw = NO_JSON
    search_result: msgspec.Raw = NO_JSON


# The members of a block that have no canonical form, and their names on the wire.
BLOCK_KINDS = (
    ("tool_result", "toolResult"),
    ("image", "image"),
    ("document", "document"),
    ("video", "video"),
    ("audio", "audio"),
    ("guard_content", "guardContent"),
    ("search_result", "searchResult"),
)


class ReplyMessage(_Wire):
    """The message of a reply."""

    content: list[Block] = []
    role: Optional[str] = None


class Output(_Wire):
    """The result of a request."""

    message: Optional[ReplyMessage] = None


class CacheDetail(_Wire):
    """The tokens written into the cache for one time to live."""

    ttl: str = ""
    input_tokens: int = 0


class TokenUsage(_Wire, forbid_unknown_fields=True):
    """Token counts: the input excludes cached tokens, the total includes them.

    The members that end in `_count` are not documented, and repeat those without it.
    """

    input_tokens: Optional[int] = None
    output_tokens: Optional[int] = None
    total_tokens: Optional[int] = None
    cache_read_input_tokens: Optional[int] = None
    cache_write_input_tokens: Optional[int] = None
    cache_details: Optional[list[CacheDetail]] = None
    cache_read_input_token_count: Optional[int] = None
    cache_write_input_token_count: Optional[int] = None
    server_tool_usage: Optional[dict[str, int]] = None


class Tier(_Wire):
    """A service tier."""

    type: str = ""


class Performance(_Wire):
    """The latency class in which the answer was made; the price depends on it."""

    latency: str = "standard"


class Reply(_Wire):
    """A whole reply, as AWS documents it. Its request id stands in a header."""

    output: Optional[Output] = None
    stop_reason: Optional[str] = None
    usage: Optional[TokenUsage] = None
    service_tier: Optional[Tier] = None
    performance_config: Optional[Performance] = None
    additional_model_response_fields: msgspec.Raw = NO_JSON
    trace: msgspec.Raw = NO_JSON


class OtherReply(Reply):
    """A reply that follows the documentation except in its usage, which is kept as JSON text."""

    usage: msgspec.Raw = NO_JSON  # type: ignore[assignment]


class RawMessage(_Wire):
    """A message whose blocks are JSON text."""

    content: list[msgspec.Raw] = []


class RawOutput(_Wire):
    """The result of a request whose blocks are JSON text."""

    message: Optional[RawMessage] = None


class RawReply(_Wire):
    """A reply whose blocks are JSON text."""

    output: Optional[RawOutput] = None


# The events of a stream.


class ReasoningDelta(_Wire):
    """A piece of reasoning; the signature comes after the text."""

    text: Optional[str] = None
    signature: Optional[str] = None
    redacted_content: Optional[str] = None


class InputDelta(_Wire):
    """A piece of a call's input, as JSON text."""

    input: Union[str, msgspec.Raw] = ""


class Delta(_Wire):
    """A piece of a block; one member is there."""

    text: Optional[str] = None
    tool_use: Optional[InputDelta] = None
    reasoning_content: Optional[ReasoningDelta] = None
    citation: msgspec.Raw = NO_JSON
    tool_result: msgspec.Raw = NO_JSON
    image: msgspec.Raw = NO_JSON


class BlockDelta(_Wire):
    """A piece of the block with this index; indexes may skip numbers."""

    delta: Delta
    content_block_index: int = 0


class Start(_Wire):
    """The beginning of a block; blocks of text and reasoning have none."""

    tool_use: Optional[ToolUse] = None
    tool_result: msgspec.Raw = NO_JSON
    image: msgspec.Raw = NO_JSON


class BlockStart(_Wire):
    """The event that begins a block."""

    start: Start
    content_block_index: int = 0


class BlockStop(_Wire):
    """The event that ends a block."""

    content_block_index: int = 0


class MessageStart(_Wire):
    """The first event."""

    role: Optional[str] = None


class MessageStop(_Wire):
    """The event that ends the message."""

    stop_reason: Optional[str] = None
    additional_model_response_fields: msgspec.Raw = NO_JSON


class Metadata(_Wire):
    """The last event: the usage."""

    usage: msgspec.Raw = NO_JSON
    service_tier: Optional[Tier] = None
    performance_config: Optional[Performance] = None
    trace: msgspec.Raw = NO_JSON


EVENTS = {
    "messageStart": MessageStart,
    "contentBlockStart": BlockStart,
    "contentBlockDelta": BlockDelta,
    "contentBlockStop": BlockStop,
    "messageStop": MessageStop,
    "metadata": Metadata,
}
