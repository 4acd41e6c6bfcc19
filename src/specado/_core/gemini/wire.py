"""Structs of replies in Gemini's wire format (google.genai.types 3.6.1, 2026-11-30).

A whole reply and each event of a stream have the same form, `GenerateContentResponse`. Members
with the value 0 or an empty list are left out on the wire.
"""

from __future__ import annotations

from typing import Optional

import msgspec

__all__ = [
    "NO_JSON",
    "Blob",
    "Candidate",
    "Content",
    "FunctionCall",
    "OtherReply",
    "Part",
    "PromptFeedback",
    "RawCandidate",
    "RawContent",
    "RawReply",
    "Reply",
    "TokenCount",
    "TokenUsage",
]

# The JSON of a member that is not there.
NO_JSON = msgspec.Raw(b"")


class _Wire(msgspec.Struct, rename="camel", gc=False):
    """Base of the Structs: their names are camelCase on the wire, and they form no cycles."""


class Blob(_Wire):
    """Media as base64 data."""

    mime_type: str = ""
    data: str = ""


class FunctionCall(_Wire):
    """A call of a function; `args` is a JSON object, and may be missing."""

    name: str = ""
    id: Optional[str] = None
    args: msgspec.Raw = NO_JSON
    partial_args: msgspec.Raw = NO_JSON
    will_continue: bool = False


class Part(_Wire):
    """A part of a content: one kind of data, and the members beside the data."""

    text: Optional[str] = None
    thought: bool = False
    thought_signature: Optional[str] = None
    function_call: Optional[FunctionCall] = None
    inline_data: Optional[Blob] = None
    file_data: msgspec.Raw = NO_JSON
    executable_code: msgspec.Raw = NO_JSON
    code_execution_result: msgspec.Raw = NO_JSON
    function_response: msgspec.Raw = NO_JSON
    tool_call: msgspec.Raw = NO_JSON
    tool_response: msgspec.Raw = NO_JSON


class Content(_Wire):
    """The content of a candidate; a model that wrote nothing leaves `parts` out."""

    parts: list[Part] = []
    role: Optional[str] = None


class Candidate(_Wire):
    """One answer of a reply."""

    content: Optional[Content] = None
    finish_reason: Optional[str] = None
    finish_message: Optional[str] = None
    index: Optional[int] = None
    safety_ratings: msgspec.Raw = NO_JSON
    citation_metadata: msgspec.Raw = NO_JSON
    grounding_metadata: msgspec.Raw = NO_JSON
    url_context_metadata: msgspec.Raw = NO_JSON
    logprobs_result: msgspec.Raw = NO_JSON


class PromptFeedback(_Wire):
    """The verdict on the prompt; with a `block_reason` there are no candidates."""

    block_reason: Optional[str] = None
    block_reason_message: Optional[str] = None


class TokenCount(_Wire):
    """The tokens of one modality."""

    modality: str = ""
    token_count: int = 0


class TokenUsage(_Wire, forbid_unknown_fields=True):
    """Token counts: the prompt's include cached tokens, the candidates' exclude thoughts."""

    prompt_token_count: Optional[int] = None
    cached_content_token_count: Optional[int] = None
    candidates_token_count: Optional[int] = None
    thoughts_token_count: Optional[int] = None
    tool_use_prompt_token_count: Optional[int] = None
    total_token_count: Optional[int] = None
    prompt_tokens_details: Optional[list[TokenCount]] = None
    cache_tokens_details: Optional[list[TokenCount]] = None
    candidates_tokens_details: Optional[list[TokenCount]] = None
    thoughts_tokens_details: Optional[list[TokenCount]] = None
    tool_use_prompt_tokens_details: Optional[list[TokenCount]] = None
    traffic_type: Optional[str] = None
    service_tier: Optional[str] = None


class Reply(_Wire):
    """A reply, or an event of a stream, as Google documents it."""

    candidates: list[Candidate] = []
    prompt_feedback: Optional[PromptFeedback] = None
    usage_metadata: Optional[TokenUsage] = None
    model_version: str = ""
    response_id: str = ""
    create_time: Optional[str] = None
    error: msgspec.Raw = NO_JSON


class OtherReply(Reply):
    """A reply that follows the documentation except in its usage, which is kept as JSON text."""

    usage_metadata: msgspec.Raw = NO_JSON  # type: ignore[assignment]


class RawContent(_Wire):
    """The parts of a content as JSON text."""

    parts: list[msgspec.Raw] = []


class RawCandidate(_Wire):
    """A candidate whose parts are JSON text."""

    content: Optional[RawContent] = None


class RawReply(_Wire):
    """A reply whose parts are JSON text."""

    candidates: list[RawCandidate] = []
