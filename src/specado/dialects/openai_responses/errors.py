"""Error classes for the codes of OpenAI's Responses API that chat completions lack.

The tables of all dialects apply to every reply, so those of chat completions are not repeated.
A failed response has the status 200, and only its code.
Sources: `openai.types.responses.ResponseError` (3.57) and recorded replies, read 2026-11-30.
"""

from __future__ import annotations

from specado.dialects.contract import ErrorTable
from specado.errors import (
    ContentPolicyError,
    ContextLengthError,
    InvalidRequestError,
    ModelNotFoundError,
    ProviderError,
    RateLimitError,
    ServerError,
)

__all__ = ["ERRORS", "REQUEST_ID_HEADERS"]

# Compatible servers and proxies use the second name.
REQUEST_ID_HEADERS = ("x-request-id", "request-id")

_IMAGES: dict[str, type[ProviderError]] = dict.fromkeys(
    (
        "empty_image_file",
        "failed_to_download_image",
        "image_file_not_found",
        "image_file_too_large",
        "image_parse_error",
        "image_too_large",
        "image_too_small",
        "invalid_base64_image",
        "invalid_image",
        "invalid_image_format",
        "invalid_image_mode",
        "invalid_image_url",
        "unsupported_image_media_type",
    ),
    InvalidRequestError,
)

ERRORS = ErrorTable(
    codes={
        **_IMAGES,
        "bio_policy": ContentPolicyError,
        "context_length_exceeded": ContextLengthError,
        "data_residency_mismatch": InvalidRequestError,
        "image_content_policy_violation": ContentPolicyError,
        "invalid_encrypted_content": InvalidRequestError,
        "invalid_prompt": ContentPolicyError,
        "misalignment_policy_violation": ContentPolicyError,
        "model_not_found": ModelNotFoundError,
        "rate_limit_exceeded": RateLimitError,
        "vector_store_timeout": ServerError,
    },
    general_types={
        "invalid_request_error": InvalidRequestError,
        "server_error": ServerError,
    },
    unknown_model=frozenset({"model_not_found"}),
    # What a request names is not stored: "Item with id 'rs_…' not found" (recorded, 2025-09).
    messages=tuple(
        (ModelNotFoundError, f"{kind} with id", InvalidRequestError)
        for kind in ("conversation", "item", "prompt", "response")
    ),
    # "The encrypted content … could not be verified", as users report it (2026-11-30). Reasoning
    # that was neither stored nor encrypted is an item that is not found.
    refused_signed=(
        r"invalid_encrypted_content",
        r"encrypted.content.{0,4000}(could not be|is not valid|is invalid)",
        r"encrypted.content.{0,4000}cannot be (verified|decrypted|parsed|read)",
        r"invalid .{0,20}encrypted.content",
        r"item with id '?rs_.{0,200}not found",
    ),
)
