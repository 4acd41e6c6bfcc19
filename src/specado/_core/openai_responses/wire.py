"""Structs of replies in OpenAI's Responses format (openai.types.responses 3.57, 2026-11-30)."""

from __future__ import annotations

from typing import Any, Optional, Union

import msgspec

__all__ = [
    "ContentPart",
    "IncompleteDetails",
    "InputTokensDetails",
    "Item",
    "OtherReply",
    "OutputTokensDetails",
    "RawOutput",
    "Reply",
    "SummaryPart",
    "TokenUsage",
]


class SummaryPart(msgspec.Struct):
    """A part of a reasoning item's summary, or of its content."""

    text: str = ""
    type: str = ""


class ContentPart(msgspec.Struct):
    """A part of a message or of reasoning; members of the other types are `None` or empty."""

    type: str
    text: Optional[str] = None
    refusal: Optional[str] = None
    annotations: Optional[list[Any]] = None
    logprobs: Optional[list[Any]] = None


class Item(msgspec.Struct):
    """An output item of any type; members of the other types are `None`.

    `arguments` is JSON text in the calls of functions, and an object in some items of other types.
    """

    type: str
    id: Optional[str] = None
    status: Optional[str] = None
    content: Optional[list[ContentPart]] = None
    phase: Optional[str] = None
    call_id: Optional[str] = None
    name: Optional[str] = None
    namespace: Optional[str] = None
    arguments: Any = None
    input: Any = None
    summary: Optional[list[SummaryPart]] = None
    encrypted_content: Optional[str] = None


class InputTokensDetails(msgspec.Struct, forbid_unknown_fields=True):
    """Breakdown of the input's tokens, which include them."""

    cached_tokens: Optional[int] = None
    cache_write_tokens: Optional[int] = None


class OutputTokensDetails(msgspec.Struct, forbid_unknown_fields=True):
    """Breakdown of the output's tokens, which include them."""

    reasoning_tokens: Optional[int] = None


class TokenUsage(msgspec.Struct, forbid_unknown_fields=True):
    """The `usage` of a reply."""

    input_tokens: Optional[int] = None
    output_tokens: Optional[int] = None
    total_tokens: Optional[int] = None
    input_tokens_details: Optional[InputTokensDetails] = None
    output_tokens_details: Optional[OutputTokensDetails] = None


class IncompleteDetails(msgspec.Struct):
    """Why a reply is incomplete."""

    reason: Optional[str] = None


class Reply(msgspec.Struct):
    """A response as OpenAI documents it; members that only repeat the request are not read."""

    output: list[Item]
    id: str = ""
    model: str = ""
    created_at: Union[int, float] = 0
    status: Optional[str] = None
    error: Any = None
    incomplete_details: Optional[IncompleteDetails] = None
    usage: Optional[TokenUsage] = None
    service_tier: Optional[str] = None
    input_transformations: Optional[list[Any]] = None
    tool_usage: Optional[dict[str, Any]] = None
    moderation: Optional[dict[str, msgspec.Raw]] = None


class OtherReply(Reply):
    """A response that follows the documentation except in its usage, which is kept as JSON text."""

    usage: msgspec.Raw = msgspec.Raw(b"null")  # type: ignore[assignment]


class RawOutput(msgspec.Struct):
    """The output items of a reply as JSON text."""

    output: list[msgspec.Raw]
