"""Decodes Anthropic's error replies; the error classes for their types and messages.

Sources: Anthropic's "Errors" page and `anthropic.types.shared` (0.125.0), read 2026-11-22.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Union

import msgspec
from msgspec.structs import replace

from specado.dialects.contract import ErrorFacts, ErrorTable
from specado.dialects.error_objects import decode_error_object
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

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ERRORS", "REQUEST_ID_HEADERS", "decode_error"]

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
    refused_signed=(
        r"invalid `?(signature|data)`? in `?(redacted_)?thinking",
        r"thinking`? blocks .{0,100}cannot be modified",
    ),
)


class _Details(msgspec.Struct):
    error_code: Union[str, int]


class _Error(msgspec.Struct):
    details: _Details


class _ErrorBody(msgspec.Struct):
    """The part of an error body that has the code."""

    error: _Error


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> ErrorFacts:
    """Return the facts in an error body; the code is in `error.details.error_code`.

    Servers of other makers that speak this dialect may have the code in `error.code`.
    """
    facts = decode_error_object(status, headers, body)
    if facts.code is not None:
        return facts
    try:
        found = msgspec.json.decode(body, type=_ErrorBody)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return facts
    return replace(facts, code=str(found.error.details.error_code))
