"""Gemini error encoder: an exception as the status, headers and body of Google's API."""

from __future__ import annotations

import math
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

__all__ = ["encode_gemini_error"]

# Statuses of `google.rpc.Code`, read 2026-11-30. A gateway's own failures to reach a provider are
# 502 and 504 (RFC 9110, section 15.6).
_FORMS: dict[type[SpecadoError], ErrorForm] = {
    SpecadoError: ErrorForm(500, "INTERNAL"),
    ConfigurationError: ErrorForm(400, "INVALID_ARGUMENT"),
    MessageFormatError: ErrorForm(400, "INVALID_ARGUMENT"),
    ProviderError: ErrorForm(500, "INTERNAL"),
    AuthenticationError: ErrorForm(401, "UNAUTHENTICATED"),
    RateLimitError: ErrorForm(429, "RESOURCE_EXHAUSTED"),
    QuotaExceededError: ErrorForm(402, "RESOURCE_EXHAUSTED"),
    OverloadedError: ErrorForm(503, "UNAVAILABLE"),
    InvalidRequestError: ErrorForm(400, "INVALID_ARGUMENT"),
    ModelNotFoundError: ErrorForm(404, "NOT_FOUND"),
    ContextLengthError: ErrorForm(400, "INVALID_ARGUMENT"),
    ContentPolicyError: ErrorForm(400, "INVALID_ARGUMENT"),
    ServerError: ErrorForm(500, "INTERNAL"),
    MalformedResponseError: ErrorForm(502, "INTERNAL"),
    ConnectionFailedError: ErrorForm(502, "INTERNAL"),
    DeadlineExceededError: ErrorForm(504, "DEADLINE_EXCEEDED"),
    StreamInterruptedError: ErrorForm(502, "INTERNAL"),
}
_FORBIDDEN = ErrorForm(403, "PERMISSION_DENIED")
# Google has no status for a prompt that is too long: clients recognise it by this message.
_TOO_LONG = "The input token count exceeds the maximum number of tokens allowed"
_TYPE = "type.googleapis.com/google.rpc."


def encode_gemini_error(error: SpecadoError) -> tuple[int, dict[str, str], bytes]:
    """Return the HTTP status, the headers and the body for *error*.

    The body has the status's name in `google.rpc.Code`, and in its details the retry delay.
    A prompt that a filter refused has the reason `PROMPT_BLOCKED`. No key is in any of them.
    """
    form = form_of(error, _FORMS, _FORBIDDEN)
    message = message_of(error)
    if type(error) is ContextLengthError and _TOO_LONG not in message:
        message = f"{_TOO_LONG}: {message}"
    body: dict[str, Any] = {"code": form.status, "message": message, "status": form.type}
    details = _details_of(error)
    if details:
        body["details"] = details
    headers = {"content-type": "application/json", **retry_headers(error, form.status)}
    request_id = request_id_of(error)
    if request_id is not None:
        headers["x-request-id"] = request_id
    return form.status, headers, dumps({"error": body})


def _details_of(error: SpecadoError) -> list[dict[str, Any]]:
    found = []
    if isinstance(error, ContentPolicyError):
        found.append({"@type": f"{_TYPE}ErrorInfo", "reason": "PROMPT_BLOCKED"})
    delay_s = getattr(error, "retry_after_s", None)
    if delay_s is not None and math.isfinite(delay_s):
        found.append({"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{delay_s:.9g}s"})
    return found
