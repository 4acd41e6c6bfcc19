"""Structs of OpenAI's wire format where it differs from the public types.

Sources: openai.types.chat 3.54 (2026-11-22). The lenient ones take what OpenAI-compatible servers
commonly leave out of a chunk.
"""

from __future__ import annotations

from typing import Any, Optional, Union

import msgspec

from specado.types import (
    Choice,
    ChoiceDeltaToolCallFunction,
    ReasoningBlock,
    Usage,
)

__all__ = [
    "NO_JSON",
    "Completion",
    "LenientChunk",
    "OtherCompletion",
    "ReasoningChunk",
    "ReasoningCompletion",
]

# The JSON of a member that is not there.
NO_JSON = msgspec.Raw(b"")


class Completion(msgspec.Struct):
    """A reply as OpenAI documents it."""

    choices: list[Choice]
    id: str = ""
    model: str = ""
    created: Union[int, float] = 0
    object: str = "chat.completion"
    usage: Optional[Usage] = None
    system_fingerprint: Optional[str] = None
    service_tier: Optional[str] = None
    moderation: Optional[dict[str, msgspec.Raw]] = None
    # Members by which servers say that an answer failed.
    base_resp: msgspec.Raw = NO_JSON
    errors: msgspec.Raw = NO_JSON
    status: msgspec.Raw = NO_JSON


class OtherCompletion(Completion):
    """A reply that is as documented but for its usage, which is JSON text."""

    usage: msgspec.Raw = NO_JSON  # type: ignore[assignment]


class LenientCall(msgspec.Struct):
    """A piece of a tool call that may lack its index."""

    index: Optional[int] = None
    id: Optional[str] = None
    function: Optional[ChoiceDeltaToolCallFunction] = None
    type: Optional[str] = None
    custom: Optional[dict[str, Any]] = None


class LenientDelta(msgspec.Struct):
    """A delta with lenient tool calls."""

    content: Optional[str] = None
    role: Optional[str] = None
    tool_calls: Optional[list[LenientCall]] = None
    reasoning: Optional[str] = None
    reasoning_details: Optional[list[ReasoningBlock]] = None
    refusal: Optional[str] = None
    annotations: Optional[list[Any]] = None
    audio: Optional[dict[str, Any]] = None


class LenientChoice(msgspec.Struct):
    """A choice of a chunk that may lack its index and its delta."""

    index: Optional[int] = None
    delta: Optional[LenientDelta] = None
    finish_reason: Optional[str] = None
    logprobs: Optional[dict[str, Any]] = None


class LenientChunk(msgspec.Struct):
    """A chunk that may lack, or have as null, every field but `choices`; its usage is JSON text."""

    choices: list[LenientChoice]
    id: Optional[str] = None
    model: Optional[str] = None
    created: Optional[int] = None
    usage: msgspec.Raw = NO_JSON
    system_fingerprint: Optional[str] = None
    service_tier: Optional[str] = None


class _ReasoningText(msgspec.Struct):
    reasoning_content: Optional[str] = None


class _ReasoningChoice(msgspec.Struct):
    delta: _ReasoningText


class ReasoningChunk(msgspec.Struct):
    """The `reasoning_content` of a chunk."""

    choices: list[_ReasoningChoice]


class _ReasoningMessage(msgspec.Struct):
    message: _ReasoningText


class ReasoningCompletion(msgspec.Struct):
    """The `reasoning_content` of a reply."""

    choices: list[_ReasoningMessage]
