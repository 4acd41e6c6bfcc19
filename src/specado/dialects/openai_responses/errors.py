"""Error classes for the codes of OpenAI's Responses API that chat completions lack.

The tables of all dialects apply to every reply, so those of chat completions are not repeated.
Sources: `openai.types.responses.ResponseError` (3.57) and recorded replies, read 2026-11-30.
"""

from __future__ import annotations

from specado.dialects.contract import ErrorTable
from specado.errors import (
    ContentPolicyError,
    ContextLengthError,
    InvalidRequestError,
    ModelNotFoundError,
    RateLimitError,
    ServerError,
)

__all__ = ["ERRORS", "REQUEST_ID_HEADERS"]

# Compatible servers and proxies use the second name.
REQUEST_ID_HEADERS = ("x-request-id", "request-id")

ERRORS = ErrorTable(
    codes={
        "rate_limit_exceeded": RateLimitError,
        "model_not_found": ModelNotFoundError,
        "context_length_exceeded": ContextLengthError,
        "bio_policy": ContentPolicyError,
        "image_content_policy_violation": ContentPolicyError,
        "invalid_prompt": ContentPolicyError,
        "misalignment_policy_violation": ContentPolicyError,
    },
    general_types={
        "invalid_request_error": InvalidRequestError,
        "server_error": ServerError,
    },
    unknown_model=frozenset({"model_not_found"}),
)
