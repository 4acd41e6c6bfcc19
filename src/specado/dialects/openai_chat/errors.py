"""Error classes for the codes, types and messages of OpenAI's error replies.

Sources: OpenAI's "Error codes" guide and `openai.types` (3.54), read 2026-11-22.
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
REQUEST_ID_HEADERS = ("x-request-id", "request-id")

ERRORS = ErrorTable(
    codes={
        "account_deactivated": AuthenticationError,
        "invalid_api_key": AuthenticationError,
        "invalid_organization": AuthenticationError,
        "ip_not_authorized": AuthenticationError,
        "unsupported_country_region_territory": AuthenticationError,
        "rate_limit_error": RateLimitError,
        "rate_limit_exceeded": RateLimitError,
        "requests": RateLimitError,
        "tokens": RateLimitError,
        "billing_hard_limit_reached": QuotaExceededError,
        "billing_not_active": QuotaExceededError,
        "enforced_spend_limit_reached": QuotaExceededError,
        "insufficient_quota": QuotaExceededError,
        "engine_overloaded": OverloadedError,
        "server_is_overloaded": OverloadedError,
        "server_overloaded": OverloadedError,
        "service_unavailable_error": OverloadedError,
        "slow_down": OverloadedError,
        "model_not_found": ModelNotFoundError,
        "context_length_exceeded": ContextLengthError,
        "bio_policy": ContentPolicyError,
        "content_filter": ContentPolicyError,
        "content_policy_violation": ContentPolicyError,
        "cyber_policy_violation": ContentPolicyError,
        "image_content_policy_violation": ContentPolicyError,
        "invalid_prompt": ContentPolicyError,
        "misalignment_policy_violation": ContentPolicyError,
        "moderation_blocked": ContentPolicyError,
    },
    general_types={
        "internal_server_error": ServerError,
        "invalid_request_error": InvalidRequestError,
        "server_error": ServerError,
    },
    messages=(
        (InvalidRequestError, "maximum context length", ContextLengthError),
        (RateLimitError, "exceeded your current quota", QuotaExceededError),
    ),
    unknown_model=frozenset({"model_not_found"}),
)
