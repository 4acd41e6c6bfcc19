"""Compiled core (Cython): the functions and classes that Python code may use.

- `normalize`: messages as Structs, dicts or text, read once into a checked `Conversation`.
- `read_messages`: the same straight from a request's JSON text, if its messages are simple;
  `read_*_request`: decode a request of another API into the same form, with the losses.
- `write_tool_schemas`, `write_format_schema`: parameters with their schemas as JSON, written once
  for all candidates of a call; `frozen_parameters`: a copy that later changes do not reach.
- `encode_*_request`: encodes a conversation and parameters straight to a provider's bytes, with the
  losses; `decode_*_reply`: decodes bytes straight to the reply's Structs.
- `effort_for`, `thinking_budget`, `nearest_effort`: convert a reasoning effort by the rules of the
  encoders.
- `AnthropicRequestRules`, `media_type_of`, `places_of_roles`, `user_to_send`: the rules of the
  Anthropic encoder, for a request of Anthropic's API that is adapted to another model.
- `error_facts`: type, code and message of an error body; `unwrap_emulated`: turns the call of the
  tool that emulates structured output into content.
- `FrameDecoder`: splits the bytes of a stream into events (SSE); `*Stream`: decodes them straight
  to chunks, and assembles the reply.
- `encode_*_reply`: encodes a reply's Structs straight to the bytes of a provider's API, with the
  losses; `*StreamEncoder`: encodes chunks as a stream of that API.
- `ReplyEvents`: callbacks of the HTTP parser, collected for one reply.
- `compare_capabilities`, `check_capability`: compare two capability dicts; check one.
- `dumps`: a value as JSON bytes; `NotJson` is raised for one that JSON cannot hold, such as one
  nested deeper than `MAX_DEPTH`.

Every call uses them, and the same in Python is several times slower (`benchmarks/`). Nothing here
does I/O or keeps mutable state. What belongs to one dialect is imported at its first use.
"""

from __future__ import annotations

import importlib
from typing import Any

from specado._core.compare import check_capability, compare_capabilities
from specado._core.conversation import Conversation
from specado._core.emulation import unwrap_emulated
from specado._core.error_bodies import error_facts
from specado._core.exports import EXPORTS
from specado._core.frames import FrameDecoder
from specado._core.json_writer import MAX_DEPTH, NotJson, dumps
from specado._core.normalize import normalize
from specado._core.parameters import effort_for, nearest_effort, thinking_budget
from specado._core.replies import ReportedFailure
from specado._core.reply_events import ReplyEvents
from specado._core.schema import frozen_parameters, write_format_schema, write_tool_schemas

__all__ = [
    "MAX_DEPTH",
    "AnthropicRequestRules",
    "AnthropicStream",
    "AnthropicStreamEncoder",
    "BedrockStream",
    "BedrockStreamEncoder",
    "Conversation",
    "FrameDecoder",
    "GeminiStream",
    "GeminiStreamEncoder",
    "NotJson",
    "OpenAIStream",
    "OpenAIStreamEncoder",
    "ReplyEvents",
    "Reported",
    "ReportedFailure",
    "ResponsesStream",
    "ResponsesStreamEncoder",
    "check_capability",
    "compare_capabilities",
    "decode_anthropic_reply",
    "decode_bedrock_reply",
    "decode_gemini_reply",
    "decode_openai_reply",
    "decode_responses_reply",
    "dumps",
    "effort_for",
    "encode_anthropic_reply",
    "encode_anthropic_request",
    "encode_bedrock_reply",
    "encode_bedrock_request",
    "encode_gemini_reply",
    "encode_gemini_request",
    "encode_openai_reply",
    "encode_openai_request",
    "encode_responses_reply",
    "encode_responses_request",
    "error_facts",
    "frozen_parameters",
    "media_type_of",
    "nearest_effort",
    "normalize",
    "places_of_roles",
    "read_anthropic_request",
    "read_bedrock_request",
    "read_gemini_request",
    "read_messages",
    "read_responses_request",
    "thinking_budget",
    "unwrap_emulated",
    "user_to_send",
    "write_format_schema",
    "write_tool_schemas",
]

# A loss that an encoder reports: the row in `specado.losses.rows`, the path in the caller's
# request, and the values before and after.
Reported = tuple[str, str, Any, Any]


def __getattr__(name: str) -> Any:
    """Return what a dialect's folder exports; see `exports`."""
    if name not in EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, own_name = EXPORTS[name]
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{module}"), own_name)
    return value
