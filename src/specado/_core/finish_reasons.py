"""Finish reasons that OpenAI-compatible servers and gateways document, and what they mean.

Each word maps to OpenAI's finish reason, to `""` while the answer goes on, or to an error class if
the answer failed.
Words are in lower case with underscores; `MAX_TOKENS` and `content-filter` are found as well.

Sources, read 2026-11-30: the API references of OpenAI, Azure OpenAI, OpenRouter, Mistral, DeepSeek,
Z.ai (GLM), Together, Groq, Cohere, xAI, watsonx.ai, Gemini (24 reasons, also through its compatible
endpoint), Anthropic and Bedrock (their words come through gateways); the source of vLLM, SGLang
and Text Generation Inference.
"""

from __future__ import annotations

from typing import Union

import msgspec

from specado import types
from specado.errors import (
    ContentPolicyError,
    InvalidRequestError,
    MalformedResponseError,
    OverloadedError,
    ProviderError,
    ServerError,
)

__all__ = [
    "FINISH_REASONS",
    "OPENAI_REASONS",
    "ends_without_message",
    "failure_body",
    "meaning_of",
    "stop_beside_calls",
]

OPENAI_REASONS = frozenset(types.FINISH_REASONS)

Meaning = Union[str, type[ProviderError]]

FINISH_REASONS: dict[str, Meaning] = {
    # OpenAI, and every compatible server
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "function_call": "function_call",
    # Together `eos`; TGI and Hugging Face `eos_token`, `stop_sequence`; xAI and Anthropic
    # `end_turn`; Cohere `complete`; Ollama and LM Studio have been seen with `end`
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "stop_token": "stop",
    "end_turn": "stop",
    "end": "stop",
    "pause_turn": "stop",
    "complete": "stop",
    "completed": "stop",
    "normal": "stop",
    # Mistral `model_length`; Gemini and Anthropic `max_tokens`; Responses `max_output_tokens`;
    # Cohere `error_limit` (the model's context is full); watsonx `token_limit`; Z.ai and Anthropic
    # `model_context_window_exceeded`; vLLM `repetition` (the model repeats itself: cut off)
    "model_length": "length",
    "max_tokens": "length",
    "max_length": "length",
    "max_output_tokens": "length",
    "max_completion_tokens": "length",
    "token_limit": "length",
    "error_limit": "length",
    "repetition": "length",
    "model_context_window_exceeded": "length",
    # Cohere `tool_call`; Anthropic and Bedrock `tool_use`
    "tool_call": "tool_calls",
    "tool_use": "tool_calls",
    # Z.ai `sensitive`; Anthropic `refusal`; Bedrock `content_filtered`, `guardrail_intervened`;
    # Cohere `error_toxic`; Gemini the others
    "sensitive": "content_filter",
    "refusal": "content_filter",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
    "guardrails": "content_filter",
    "error_toxic": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "language": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
    "spii": "content_filter",
    "model_armor": "content_filter",
    "image_safety": "content_filter",
    "image_prohibited_content": "content_filter",
    "image_recitation": "content_filter",
    # OpenRouter, Mistral, Cohere and vLLM `error`; Z.ai `network_error`; vLLM and SGLang `abort`;
    # Cohere `timeout`, `user_cancel`; watsonx `time_limit`, `cancelled`
    "error": ServerError,
    "network_error": ServerError,
    "abort": ServerError,
    "aborted": ServerError,
    "cancelled": ServerError,
    "canceled": ServerError,
    "user_cancel": ServerError,
    "timeout": ServerError,
    "time_limit": ServerError,
    # DeepSeek
    "insufficient_system_resource": OverloadedError,
    # Gemini and Bedrock: the model wrote a call that cannot be read
    "malformed_function_call": MalformedResponseError,
    "malformed_response": MalformedResponseError,
    "malformed_model_output": MalformedResponseError,
    "malformed_tool_use": MalformedResponseError,
    "unexpected_tool_call": MalformedResponseError,
    "too_many_tool_calls": MalformedResponseError,
    # Gemini: the history lacks a signature, so the request is invalid
    "missing_thought_signature": InvalidRequestError,
    # Gateways that write the error's code
    "content_policy_violation": ContentPolicyError,
    # Alibaba writes the word `null` in each chunk but the last; watsonx `not_finished`
    "": "",
    "null": "",
    "none": "",
    "not_finished": "",
    "finish_reason_unspecified": "",
}


def meaning_of(reason: str) -> Meaning | None:
    """Return the meaning of a finish reason, `None` for a word that no vendor documents."""
    return FINISH_REASONS.get(_word(reason))


def ends_without_message(reason: str) -> bool:
    """Return whether an answer that ended so may have no message: filtered, cut off or failed."""
    return meaning_of(reason) not in (None, "", "stop", "tool_calls", "function_call")


def failure_body(reason: str, name: str = "finish_reason") -> bytes:
    """Return an error body for a finish reason that says that the answer failed.

    *name* is the reply's member that holds the reason.
    """
    text = f"the answer failed: its {name} is {reason!r}"
    return msgspec.json.encode({"error": {"code": _word(reason), "message": text}})


def stop_beside_calls(index: int) -> str:
    """Return the note on a choice whose `stop` is read as `tool_calls`."""
    return f"choices[{index}].finish_reason: 'stop' beside tool calls, read as 'tool_calls'"


def _word(reason: str) -> str:
    return reason.strip().lower().replace("-", "_")
