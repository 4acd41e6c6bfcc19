"""Anthropic error encoder: an exception as the status, headers and body of Anthropic's API."""

from __future__ import annotations

from typing import Any

from specado._core import dumps
from specado.dialects.error_replies import (
    ErrorForm,
    form_of,
    message_of,
    request_id_of,
    retry_headers,
)
from specado.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    ContentPolicyError,
    ContextLengthError,
    DeadlineExceededError,
    InvalidRequestError,
    MalformedResponseError,
    MessageFormatError,
    ModelNotFoundError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    SpecadoError,
    StreamInterruptedError,
)

__all__ = ["encode_anthropic_error"]

# Anthropic's "Errors" page and anthropic.types.shared 0.125.0, read 2026-11-22. A gateway's own
# failures to reach a provider are 502 and 504 (RFC 9110, section 15.6).
_FORMS: dict[type[SpecadoError], ErrorForm] = {
    SpecadoError: ErrorForm(500, "api_error"),
    ConfigurationError: ErrorForm(400, "invalid_request_error"),
    MessageFormatError: ErrorForm(400, "invalid_request_error"),
    ProviderError: ErrorForm(500, "api_error"),
    AuthenticationError: ErrorForm(401, "authentication_error"),
    RateLimitError: ErrorForm(429, "rate_limit_error"),
    QuotaExceededError: ErrorForm(402, "billing_error"),
    OverloadedError: ErrorForm(529, "overloaded_error"),
    InvalidRequestError: ErrorForm(400, "invalid_request_error"),
    ModelNotFoundError: ErrorForm(404, "not_found_error"),
    ContextLengthError: ErrorForm(400, "invalid_request_error"),
    ContentPolicyError: ErrorForm(400, "invalid_request_error"),
    ServerError: ErrorForm(500, "api_error"),
    MalformedResponseError: ErrorForm(502, "api_error"),
    ConnectionFailedError: ErrorForm(502, "api_error"),
    DeadlineExceededError: ErrorForm(504, "timeout_error"),
    StreamInterruptedError: ErrorForm(502, "api_error"),
}
_FORBIDDEN = ErrorForm(403, "permission_error")
# Errors without a type of their own, which clients recognise by the beginning of the message: an
# agent shortens its context at the first.
_WORDING: dict[type[SpecadoError], str] = {
    ContextLengthError: "prompt is too long",
    ContentPolicyError: "Output blocked by content filtering policy",
}


def encode_anthropic_error(error: SpecadoError) -> tuple[int, dict[str, str], bytes]:
    """Return the HTTP status, the headers and the body for *error*.

    Anthropic's client raises its class for the status; the body has the type and the provider's
    request id, which is the header `request-id` too. No key is in any of them.
    """
    form = form_of(error, _FORMS, _FORBIDDEN)
    message = message_of(error)
    wording = _WORDING.get(type(error))
    if wording is not None and wording not in message:
        message = f"{wording}: {message}"
    body: dict[str, Any] = {"type": "error", "error": {"type": form.type, "message": message}}
    headers = {"content-type": "application/json", **retry_headers(error, form.status)}
    request_id = request_id_of(error)
    if request_id is not None:
        body["request_id"] = headers["request-id"] = request_id
    return form.status, headers, dumps(body)
