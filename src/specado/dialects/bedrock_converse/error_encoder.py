"""Bedrock error encoder: an exception as the status, headers and body of AWS's API."""

from __future__ import annotations

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

__all__ = ["encode_bedrock_error"]

# Names and statuses of botocore 1.44.8 (`data/bedrock-runtime/2023-09-30`) and AWS's "Common
# errors" page, read 2026-11-30. A gateway's own failures to reach a provider are 502 and 504 (RFC
# 9110, section 15.6).
_FORMS: dict[type[SpecadoError], ErrorForm] = {
    SpecadoError: ErrorForm(500, "InternalServerException"),
    ConfigurationError: ErrorForm(400, "ValidationException"),
    MessageFormatError: ErrorForm(400, "ValidationException"),
    ProviderError: ErrorForm(500, "InternalServerException"),
    AuthenticationError: ErrorForm(403, "UnrecognizedClientException"),
    RateLimitError: ErrorForm(429, "ThrottlingException"),
    QuotaExceededError: ErrorForm(400, "ServiceQuotaExceededException"),
    OverloadedError: ErrorForm(503, "ServiceUnavailableException"),
    InvalidRequestError: ErrorForm(400, "ValidationException"),
    ModelNotFoundError: ErrorForm(404, "ResourceNotFoundException"),
    ContextLengthError: ErrorForm(400, "ValidationException"),
    ContentPolicyError: ErrorForm(400, "ValidationException"),
    ServerError: ErrorForm(500, "InternalServerException"),
    MalformedResponseError: ErrorForm(502, "InternalServerException"),
    ConnectionFailedError: ErrorForm(502, "InternalServerException"),
    DeadlineExceededError: ErrorForm(504, "ModelTimeoutException"),
    StreamInterruptedError: ErrorForm(502, "ModelStreamErrorException"),
}
_FORBIDDEN = ErrorForm(403, "AccessDeniedException")
# AWS has no names for these: clients recognise them by their messages.
_WORDING: dict[type[SpecadoError], str] = {
    ContextLengthError: "Input is too long for requested model",
    ContentPolicyError: "This request has been blocked by our content filters",
}


def encode_bedrock_error(error: SpecadoError) -> tuple[int, dict[str, str], bytes]:
    """Return the HTTP status, the headers and the body for *error*.

    The exception's name stands in the header `x-amzn-errortype` and in the body's `__type`, by
    which AWS's clients choose their class. No key is in any of them.
    """
    form = form_of(error, _FORMS, _FORBIDDEN)
    message = message_of(error)
    wording = _WORDING.get(type(error))
    if wording is not None and wording.lower() not in message.lower():
        message = f"{wording}: {message}"
    headers = {
        "content-type": "application/json",
        "x-amzn-errortype": form.type,
        **retry_headers(error, form.status),
    }
    request_id = request_id_of(error)
    if request_id is not None:
        headers["x-amzn-requestid"] = request_id
    return form.status, headers, dumps({"__type": form.type, "message": message})
