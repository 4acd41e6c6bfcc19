"""Structs of OpenAI's wire format where it differs from the public types.

Sources: openai.types.chat 3.54 (2026-11-22); the deviations are those of OpenAI-compatible servers.
"""

from __future__ import annotations

from typing import Any, Optional, Union

import msgspec

from specado.types import Choice, ChoiceDelta, Usage

__all__ = ["Completion", "LenientChoice", "LenientChunk", "ReasoningChunk", "ReasoningCompletion"]


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


class LenientChoice(msgspec.Struct):
    """A choice of a chunk that may lack its index and its delta."""

    index: Optional[int] = None
    delta: Optional[ChoiceDelta] = None
    finish_reason: Optional[str] = None
    logprobs: Optional[dict[str, Any]] = None


class LenientChunk(msgspec.Struct):
    """A chunk that may lack, or have as null, every field but `choices`."""

    choices: list[LenientChoice]
    id: Optional[str] = None
    model: Optional[str] = None
    created: Union[int, float, None] = None
    usage: Optional[Usage] = None
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
