"""Finish reasons as vendors document them, and their meanings."""

from __future__ import annotations

from specado.errors import (
    ContentPolicyError,
    InvalidRequestError,
    MalformedResponseError,
    OverloadedError,
    ProviderError,
    ServerError,
)

# What vendors document (2026-11-30): the word and OpenAI's, or the class of the error.
READ = {
    "stop": [
        "eos",
        "eos_token",
        "stop_sequence",
        "end_turn",
        "end",
        "COMPLETE",
        "STOP_SEQUENCE",
        "STOP",
        "pause_turn",
    ],
    "length": [
        "model_length",
        "max_tokens",
        "MAX_TOKENS",
        "max_output_tokens",
        "token_limit",
        "ERROR_LIMIT",
        "repetition",
        "model_context_window_exceeded",
    ],
    "tool_calls": ["tool_use", "TOOL_CALL", "tool-calls"],
    "content_filter": [
        "sensitive",
        "refusal",
        "content-filter",
        "content_filtered",
        "guardrail_intervened",
        "ERROR_TOXIC",
        "SAFETY",
        "RECITATION",
        "LANGUAGE",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "MODEL_ARMOR",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
    ],
}
FAILED: list[tuple[str, type[ProviderError]]] = [
    ("error", ServerError),
    ("ERROR", ServerError),
    ("network_error", ServerError),
    ("abort", ServerError),
    ("cancelled", ServerError),
    ("USER_CANCEL", ServerError),
    ("TIMEOUT", ServerError),
    ("time_limit", ServerError),
    ("insufficient_system_resource", OverloadedError),
    ("MALFORMED_FUNCTION_CALL", MalformedResponseError),
    ("UNEXPECTED_TOOL_CALL", MalformedResponseError),
    ("TOO_MANY_TOOL_CALLS", MalformedResponseError),
    ("MALFORMED_RESPONSE", MalformedResponseError),
    ("malformed_model_output", MalformedResponseError),
    ("malformed_tool_use", MalformedResponseError),
    ("MISSING_THOUGHT_SIGNATURE", InvalidRequestError),
    ("content_policy_violation", ContentPolicyError),
]
