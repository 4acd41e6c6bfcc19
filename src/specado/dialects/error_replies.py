"""Common parts of the error encoders: the message, and the headers that tell a client to retry."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, Optional

from specado.errors import (
    AuthenticationError,
    InvalidRequestError,
    LossyTranslationError,
    SpecadoError,
    redact,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ErrorForm",
    "as_utf8",
    "form_of",
    "message_of",
    "request_id_of",
    "retry_headers",
]

MAX_REQUEST_ID_CHARACTERS = 200
_INVALID_STATUSES = (400, 413, 422)

# Statuses that the official clients retry on their own (openai 3.57, anthropic 0.125.0).
_RETRIED = frozenset({408, 409, 429})


class ErrorForm(NamedTuple):
    """The HTTP status of an exception class, and the type and code in the error's body."""

    status: int
    type: str
    code: Optional[str] = None


def form_of(
    error: SpecadoError, forms: Mapping[type[SpecadoError], ErrorForm], forbidden: ErrorForm
) -> ErrorForm:
    """Return the form of the error's class, else that of its nearest base class.

    A provider's status 403 has the form *forbidden*. An invalid request keeps the status and the
    code that the provider gave it, if that is a status of such requests.
    """
    status_code = getattr(error, "status_code", None)
    if isinstance(error, AuthenticationError) and status_code == forbidden.status:
        return forbidden
    form = forms[next(kind for kind in type(error).__mro__ if kind in forms)]
    if type(error) is InvalidRequestError and status_code in _INVALID_STATUSES:
        return form._replace(status=status_code, code=error.code)
    return form


def message_of(error: SpecadoError) -> str:
    """Return the error's text without keys; of a lossy translation with the list of losses."""
    text = error.message
    if isinstance(error, LossyTranslationError) and error.report is not None:
        text = f"{text}\n{error.report}"
    return as_utf8(redact(text))


def as_utf8(text: str) -> str:
    """Return *text* with a question mark for each lone surrogate, which UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()


def request_id_of(error: SpecadoError) -> Optional[str]:
    """Return the provider's request id, `None` where a header cannot hold it."""
    found: Optional[str] = getattr(error, "request_id", None)
    if not found or not (found.isascii() and found.isprintable()):
        return None
    return found if len(found) <= MAX_REQUEST_ID_CHARACTERS else None


def retry_headers(error: SpecadoError, status: int) -> dict[str, str]:
    """Return the headers with the delay to wait, or with the advice not to retry.

    `retry-after` has whole seconds (RFC 9110, section 10.2.3), `retry-after-ms` the exact delay;
    the official clients read both, and `x-should-retry` (openai 3.57, anthropic 0.125.0).
    """
    headers = {}
    delay_s = getattr(error, "retry_after_s", None)
    if delay_s is not None and math.isfinite(delay_s):
        headers["retry-after"] = str(math.ceil(delay_s))
        headers["retry-after-ms"] = str(math.ceil(delay_s * 1000))
    is_retryable = getattr(error, "retryable", False)
    if not is_retryable and (status in _RETRIED or status >= 500):
        headers["x-should-retry"] = "false"
    return headers
