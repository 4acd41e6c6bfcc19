"""Error classes for the types and messages of Anthropic's error replies.

Sources: Anthropic's "Errors" page and `anthropic.types.shared` (0.125.0), read 2026-11-22.
"""

from __future__ import annotations

from specado.dialects.contract import ErrorTable
from specado.errors import (
    AuthenticationError,
    ContentPolicyError,
    ContextLengthError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)

__all__ = ["ERRORS", "REQUEST_ID_HEADERS"]

# Compatible servers and proxies use the second name.
REQUEST_ID_HEADERS = ("request-id", "x-request-id")

ERRORS = ErrorTable(
    codes={
        "authentication_error": AuthenticationError,
        "permission_error": AuthenticationError,
        "rate_limit_error": RateLimitError,
        "billing_error": QuotaExceededError,
        "overloaded_error": OverloadedError,
        "conflict_error": ServerError,
        "timeout_error": ServerError,
        "not_found_error": ModelNotFoundError,
        "request_too_large": InvalidRequestError,
    },
    general_types={
        "api_error": ServerError,
        "invalid_request_error": InvalidRequestError,
    },
    messages=(
        (InvalidRequestError, "prompt is too long", ContextLengthError),
        (InvalidRequestError, "exceed context limit", ContextLengthError),
        (InvalidRequestError, "credit balance is too low", QuotaExceededError),
        (InvalidRequestError, "usage limits", QuotaExceededError),
        (InvalidRequestError, "content filtering policy", ContentPolicyError),
        (RateLimitError, "spend limit", QuotaExceededError),
    ),
)
