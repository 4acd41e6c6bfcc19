"""Finish reasons of Gemini's candidates, and what they mean in the canonical form.

Each reason maps to OpenAI's finish reason, to `""` while the answer goes on, or to an error class
if the answer failed. Source: `google.genai.types.FinishReason` and `BlockedReason` (3.6.1, read
2026-11-30).
"""

from __future__ import annotations

from typing import Union

from specado.errors import InvalidRequestError, MalformedResponseError, ProviderError

__all__ = ["FINISH_REASONS", "STOP"]

Meaning = Union[str, type[ProviderError]]

STOP = "STOP"
FINISH_REASONS: dict[str, Meaning] = {
    STOP: "stop",  # `tool_calls` where the answer has a call; no other reason is replaced so
    "MAX_TOKENS": "length",
    # Filtered: not every one of them is harmful.
    "SAFETY": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    # The model wrote an unreadable answer, or calls that the request does not allow.
    "MALFORMED_FUNCTION_CALL": MalformedResponseError,
    "MALFORMED_RESPONSE": MalformedResponseError,
    "UNEXPECTED_TOOL_CALL": MalformedResponseError,
    "TOO_MANY_TOOL_CALLS": MalformedResponseError,
    # The history lacks a signature: an invalid request.
    "MISSING_THOUGHT_SIGNATURE": InvalidRequestError,
    # The answer ended for a reason of the provider's own: kept as it is, with a note.
    "OTHER": "OTHER",
    "NO_IMAGE": "NO_IMAGE",
    "IMAGE_OTHER": "IMAGE_OTHER",
    "ESCALATION": "ESCALATION",
    "PUP_LIMITED_DISABLED": "PUP_LIMITED_DISABLED",
    # The answer goes on in another reply, which `continuationToken` asks for.
    "CONTINUATION": "",
    "FINISH_REASON_UNSPECIFIED": "",
}
