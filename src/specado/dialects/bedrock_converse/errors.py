"""Decodes Bedrock's error replies and exceptions; the error classes for their names and messages.

Sources: botocore 1.44.8 (`data/bedrock-runtime`), AWS's "Troubleshooting Amazon Bedrock API error
codes" and "Common errors" pages, error bodies that users report, read 2026-11-30.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional, Union

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

REQUEST_ID_HEADERS = ("x-amzn-requestid",)
_NAME_HEADER = "x-amzn-errortype"

ERRORS = ErrorTable(
    codes={
        "UnrecognizedClientException": AuthenticationError,
        "InvalidSignatureException": AuthenticationError,
        "SignatureDoesNotMatch": AuthenticationError,
        "MissingAuthenticationToken": AuthenticationError,
        "MissingAuthenticationTokenException": AuthenticationError,
        "IncompleteSignature": AuthenticationError,
        "IncompleteSignatureException": AuthenticationError,
        "InvalidClientTokenId": AuthenticationError,
        "ExpiredToken": AuthenticationError,
        "ExpiredTokenException": AuthenticationError,
        "RequestExpired": AuthenticationError,
        "AccessDeniedException": AuthenticationError,
        "ResourceNotFoundException": ModelNotFoundError,
        "ModelNotReadyException": OverloadedError,
        "ModelTimeoutException": ServerError,
        "ServiceQuotaExceededException": QuotaExceededError,
        "ServiceUnavailableException": OverloadedError,
        "ThrottlingException": RateLimitError,
        "TooManyRequestsException": RateLimitError,
        "InternalServerException": ServerError,
        # Of every service of AWS ("Common errors").
        "InternalFailure": ServerError,
        "ServiceUnavailable": OverloadedError,
        "Throttling": RateLimitError,
    },
    general_types={
        "ModelErrorException": ServerError,
        "ModelStreamErrorException": ServerError,
        "SerializationException": InvalidRequestError,
        "ValidationException": InvalidRequestError,
    },
    messages=(
        (InvalidRequestError, "provided model identifier is invalid", ModelNotFoundError),
        (InvalidRequestError, "on-demand throughput isn", ModelNotFoundError),
        (InvalidRequestError, "input is too long for requested model", ContextLengthError),
        (InvalidRequestError, "prompt is too long", ContextLengthError),
        (InvalidRequestError, "exceed context limit", ContextLengthError),
        (InvalidRequestError, "too many total text bytes", ContextLengthError),
        (InvalidRequestError, "too many input tokens", ContextLengthError),
        (InvalidRequestError, "input tokens exceeded", ContextLengthError),
        (InvalidRequestError, "maximum context length is", ContextLengthError),
        (InvalidRequestError, "blocked by our content filters", ContentPolicyError),
        # The account may not use the model: another one may be asked with the same credentials.
        (AuthenticationError, "have access to the model", ModelNotFoundError),
        (AuthenticationError, "model access is denied", ModelNotFoundError),
        (RateLimitError, "too many tokens per day", QuotaExceededError),
    ),
    unknown_model=frozenset({"ResourceNotFoundException"}),
    expired=frozenset({"ExpiredToken", "ExpiredTokenException"}),
)


class _Upstream(msgspec.Struct, rename="camel"):
    """The status with which a model answered the service."""

    original_status_code: Union[int, str, None] = None


_decode_upstream = msgspec.json.Decoder(_Upstream).decode
# The model's own statuses that mean the same for the caller; others are the service's affair.
_SHOWN_STATUSES = frozenset({"400", "408", "422", "429", "500", "503", "504", "529"})


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> ErrorFacts:
    """Return the facts in an error body: `{"message"}`; its name stands in a header.

    In a stream the name of an exception stands in its frame: it comes as `__type`. An error of the
    model itself has the model's status as its code.
    """
    facts = decode_error_object(status, headers, body)
    name = _plain_name(headers.get(_NAME_HEADER) or facts.type)
    if name is not None and name.lower() in ("modelerrorexception", "modelstreamerrorexception"):
        facts = replace(facts, code=_upstream_status(body) or facts.code)
    return replace(facts, type=name)


def _plain_name(given: Optional[str]) -> Optional[str]:
    """Return an exception's name without the namespace before it and the address after it."""
    if not given:
        return None
    return given.partition(":")[0].rpartition("#")[2].strip() or None


def _upstream_status(body: bytes) -> Optional[str]:
    try:
        found = str(_decode_upstream(body).original_status_code)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return found if found in _SHOWN_STATUSES else None
