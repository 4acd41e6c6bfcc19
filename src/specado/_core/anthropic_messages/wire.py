"""Structs of replies in Anthropic's wire format (anthropic.types.Message 0.125.0, 2026-11-22)."""

from __future__ import annotations

from typing import Optional

import msgspec

__all__ = [
    "AppliedEdits",
    "Block",
    "CacheCreation",
    "OtherReply",
    "OutputDetails",
    "RawContent",
    "Reply",
    "ServerToolUse",
    "TokenUsage",
]


class Caller(msgspec.Struct):
    """The caller of a tool: the model directly, or a server tool."""

    type: str = ""


class ServerToolUse(msgspec.Struct, forbid_unknown_fields=True):
    """Counts of the server tools' requests, which are billed in addition to the tokens."""

    web_search_requests: int = 0
    web_fetch_requests: int = 0


class CacheCreation(msgspec.Struct, forbid_unknown_fields=True):
    """The tokens that were written to the prompt cache, for one hour and for five minutes."""

    ephemeral_1h_input_tokens: int = 0
    ephemeral_5m_input_tokens: int = 0


class Block(msgspec.Struct):
    """A content block of any type; members of the other types are `None` or empty."""

    type: str
    text: Optional[str] = None
    id: Optional[str] = None
    name: Optional[str] = None
    input: msgspec.Raw = msgspec.Raw(b"")
    thinking: Optional[str] = None
    signature: Optional[str] = None
    data: Optional[str] = None
    citations: msgspec.Raw = msgspec.Raw(b"")
    caller: Optional[Caller] = None


class OutputDetails(msgspec.Struct, forbid_unknown_fields=True):
    """The part of the output tokens that went into thinking."""

    thinking_tokens: Optional[int] = None


class TokenUsage(msgspec.Struct, forbid_unknown_fields=True):
    """The `usage` of a reply: tokens, and other billed facts."""

    input_tokens: Optional[int] = None
    output_tokens: Optional[int] = None
    cache_read_input_tokens: Optional[int] = None
    cache_creation_input_tokens: Optional[int] = None
    output_tokens_details: Optional[OutputDetails] = None
    service_tier: Optional[str] = None
    server_tool_use: Optional[ServerToolUse] = None
    cache_creation: Optional[CacheCreation] = None
    inference_geo: Optional[str] = None
    iterations: Optional[list[msgspec.Raw]] = None
    speed: Optional[str] = None


class AppliedEdits(msgspec.Struct):
    """The edits of context management that were applied to the prompt."""

    applied_edits: list[msgspec.Raw] = []


class Reply(msgspec.Struct):
    """A message as Anthropic documents it."""

    content: list[Block]
    id: str = ""
    model: str = ""
    stop_reason: Optional[str] = None
    stop_sequence: Optional[str] = None
    usage: Optional[TokenUsage] = None
    container: Optional[dict[str, msgspec.Raw]] = None
    context_management: Optional[AppliedEdits] = None
    stop_details: Optional[dict[str, msgspec.Raw]] = None


class OtherReply(Reply):
    """A message that is as documented but for its usage, which is JSON text."""

    usage: msgspec.Raw = msgspec.Raw(b"null")  # type: ignore[assignment]


class RawContent(msgspec.Struct):
    """The content blocks of a reply as JSON text."""

    content: list[msgspec.Raw]
