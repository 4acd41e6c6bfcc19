"""Responses error encoder: an exception as the status, headers and body of the Responses API."""

from __future__ import annotations

from typing import Any, Optional

from specado._core import dumps
from specado.dialects.error_replies import (
    ErrorForm,
    as_utf8,
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

__all__ = ["encode_responses_error"]

# Recorded replies and OpenAI's "Error codes" guide, read 2026-11-30: an unknown model has the
# status 400 here. A gateway's own failures to reach a provider are 502 and 504 (RFC 9110, section
# 15.6).
_FORMS: dict[type[SpecadoError], ErrorForm] = {
    SpecadoError: ErrorForm(500, "server_error"),
    ConfigurationError: ErrorForm(400, "invalid_request_error"),
    MessageFormatError: ErrorForm(400, "invalid_request_error"),
    ProviderError: ErrorForm(500, "server_error"),
    AuthenticationError: ErrorForm(401, "invalid_request_error", "invalid_api_key"),
    RateLimitError: ErrorForm(429, "requests", "rate_limit_exceeded"),
    QuotaExceededError: ErrorForm(429, "insufficient_quota", "insufficient_quota"),
    OverloadedError: ErrorForm(503, "server_error", "server_is_overloaded"),
    InvalidRequestError: ErrorForm(400, "invalid_request_error"),
    ModelNotFoundError: ErrorForm(400, "invalid_request_error", "model_not_found"),
    ContextLengthError: ErrorForm(400, "invalid_request_error", "context_length_exceeded"),
    ContentPolicyError: ErrorForm(400, "invalid_request_error", "invalid_prompt"),
    ServerError: ErrorForm(500, "server_error", "server_error"),
    MalformedResponseError: ErrorForm(502, "server_error", "server_error"),
    ConnectionFailedError: ErrorForm(502, "server_error", "server_error"),
    DeadlineExceededError: ErrorForm(504, "server_error", "server_error"),
    StreamInterruptedError: ErrorForm(502, "server_error", "server_error"),
}
_FORBIDDEN = ErrorForm(403, "permission_error")
# The members of the request that errors of these codes are about.
_PARAMETERS = {"model_not_found": "model", "context_length_exceeded": "input"}


def encode_responses_error(error: SpecadoError) -> tuple[int, dict[str, str], bytes]:
    """Return the HTTP status, the headers and the body for *error*.

    OpenAI's client raises its class for the status; the body has the type and the code. The
    provider's request id becomes the header `x-request-id`. No key is in any of them.
    """
    form = form_of(error, _FORMS, _FORBIDDEN)
    body: dict[str, Any] = {
        "message": message_of(error),
        "type": form.type,
        "param": _parameter(error) or _PARAMETERS.get(form.code or ""),
        "code": form.code,
    }
    headers = {"content-type": "application/json", **retry_headers(error, form.status)}
    request_id = request_id_of(error)
    if request_id is not None:
        headers["x-request-id"] = request_id
    return form.status, headers, dumps({"error": body})


def _parameter(error: SpecadoError) -> Optional[str]:
    """Return the parameter that an error is about, as a path in the request."""
    path = error.key if isinstance(error, ConfigurationError) else None
    if isinstance(error, MessageFormatError):
        path = error.field
    return None if path is None else as_utf8(path)
