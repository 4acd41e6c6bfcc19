"""Decodes Gemini's error replies; the error classes for their reasons, statuses and messages.

Sources: Google's `google.rpc.Status`, `error_details.proto` and "Troubleshooting" pages, and
error bodies that users report, read 2026-11-30.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Optional, Union

import msgspec
from msgspec.structs import replace

from specado._core.gemini.finish_reasons import FINISH_REASONS
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

# Google's own replies have no request id; gateways in front of Google add this one.
REQUEST_ID_HEADERS = ("x-request-id",)

# Codes for a used-up quota that no short wait refills; Google's status is the same as for a rate.
_DAILY_QUOTA = "quota_per_day"
_NO_QUOTA = "quota_zero"
# The code of a used-up prepaid credit, whose status word is that of a rate limit too.
_NO_CREDIT = "credit_used_up"

ERRORS = ErrorTable(
    codes={
        # Reasons in `ErrorInfo`.
        "api_key_invalid": AuthenticationError,
        "api_key_expired": AuthenticationError,
        "api_key_service_blocked": AuthenticationError,
        "access_token_expired": AuthenticationError,
        "access_token_scope_insufficient": AuthenticationError,
        "consumer_suspended": AuthenticationError,
        "service_disabled": AuthenticationError,
        "billing_disabled": QuotaExceededError,
        # Statuses. A failed precondition is a location that is not supported, or missing billing.
        "failed_precondition": AuthenticationError,
        "permission_denied": AuthenticationError,
        "unauthenticated": AuthenticationError,
        "not_found": ModelNotFoundError,
        # Codes of this library.
        _DAILY_QUOTA: QuotaExceededError,
        _NO_QUOTA: QuotaExceededError,
        _NO_CREDIT: QuotaExceededError,
        "prompt_blocked": ContentPolicyError,
        **{
            reason.lower(): meaning
            for reason, meaning in FINISH_REASONS.items()
            if not isinstance(meaning, str)
        },
    },
    general_types={
        "aborted": ServerError,
        "cancelled": ServerError,
        "deadline_exceeded": ServerError,
        "internal": ServerError,
        "unknown": ServerError,
        "data_loss": ServerError,
        "unavailable": OverloadedError,
        "resource_exhausted": RateLimitError,
        "invalid_argument": InvalidRequestError,
        "out_of_range": InvalidRequestError,
        "unimplemented": InvalidRequestError,
    },
    messages=(
        (InvalidRequestError, "exceeds the maximum number of tokens", ContextLengthError),
        (InvalidRequestError, "content polic", ContentPolicyError),
        (InvalidRequestError, "api key not valid", AuthenticationError),
        (InvalidRequestError, "api key expired", AuthenticationError),
        (RateLimitError, "credits are depleted", QuotaExceededError),
        (RateLimitError, "limit: 0", QuotaExceededError),
        # Google's message for every quota, per-minute ones too; other providers mean the account.
        (RateLimitError, "check your plan and billing", RateLimitError),
        (ServerError, "model is overloaded", OverloadedError),
    ),
    # "Thought signature is not valid" (Vertex), "Corrupted thought signature" (AI Studio), as users
    # report them (2026-11-30).
    refused_signed=(
        r"thought.signature.{0,40}(not valid|invalid|corrupt)",
        r"(corrupt\w*|invalid) .{0,20}thought.signature",
    ),
)

_STATUSES = frozenset((*ERRORS.general_types, *ERRORS.codes))
_SECONDS = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,9})?)s")
_WAIT_IN_MESSAGE = re.compile(r"retry in ([0-9]{1,6}(?:\.[0-9]{1,9})?)s", re.IGNORECASE)


class _Violation(msgspec.Struct, rename="camel"):
    """A quota that was exceeded."""

    quota_id: str = ""
    quota_value: Union[str, int, None] = None


class _Detail(msgspec.Struct, rename="camel"):
    """An error detail of any type: its reason, its retry delay and its quotas."""

    reason: Optional[str] = None
    retry_delay: Optional[str] = None
    violations: list[_Violation] = []
    request_id: Optional[str] = None


class _Error(msgspec.Struct):
    message: Optional[str] = None
    status: Optional[str] = None
    code: Union[int, str, None] = None
    details: list[msgspec.Raw] = []


class _ErrorBody(msgspec.Struct):
    error: _Error


_decode = msgspec.json.Decoder(_ErrorBody).decode
_decode_list = msgspec.json.Decoder(list[_ErrorBody]).decode
_decode_detail = msgspec.json.Decoder(_Detail).decode
_UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> ErrorFacts:
    """Return the facts in an error body: `{"error": …}`, or a list with it, from Google's servers.

    The code is the reason in the details, else the number in the body if it differs from the HTTP
    status (gateways answer a provider's 429 with a 500). An error in a reply of status 200 is
    classified by its status word. Bodies of other forms are read as those of any server.
    """
    error = _error_in(body)
    if error is None or error.message is None:
        return _without_status(decode_error_object(status, headers, body), status)
    reason = retry_after_s = request_id = None
    quota: Optional[str] = None
    for raw in error.details:
        detail = _detail(raw)
        if detail is None:
            continue
        if detail.reason is not None and detail.reason.lower() in ERRORS.codes:
            reason = detail.reason
        request_id = detail.request_id or request_id
        found = _SECONDS.fullmatch(detail.retry_delay or "")
        if found is not None:
            retry_after_s = float(found[1])
        quota = _used_up(detail.violations) or quota
    if retry_after_s is None:
        found = _WAIT_IN_MESSAGE.search(error.message)
        retry_after_s = None if found is None else float(found[1])
    if 402 in (status, error.code):
        quota = _NO_CREDIT
    is_told = status < 300 and (error.status or "").lower() in _STATUSES
    code = reason or quota or (None if is_told else _other_code(error.code, status))
    return ErrorFacts(error.status, code, error.message, retry_after_s, request_id)


def _error_in(body: bytes) -> Optional[_Error]:
    try:
        if body.lstrip()[:1] == b"[":
            found = _decode_list(body)
            return found[0].error if found else None
        return _decode(body).error
    except _UNREADABLE:
        return None


def _detail(raw: msgspec.Raw) -> Optional[_Detail]:
    try:
        return _decode_detail(raw)
    except _UNREADABLE:
        return None


def _used_up(violations: list[_Violation]) -> Optional[str]:
    """Return the code of a quota that a short wait does not refill, `None` for another one."""
    for each in violations:
        if "perday" in each.quota_id.lower():
            return _DAILY_QUOTA
        if str(each.quota_value) == "0":
            return _NO_QUOTA
    return None


def _other_code(code: Any, status: int) -> Optional[str]:
    """Return the code of a body, `None` if it only repeats the HTTP status."""
    if code is None or code == status or str(code) == str(status):
        return None
    return str(code)


def _without_status(facts: ErrorFacts, status: int) -> ErrorFacts:
    return replace(facts, code=_other_code(facts.code, status))
