"""Exception classes.

    SpecadoError(Exception)
    ├── ConfigurationError(ValueError)
    │   └── LossyTranslationError
    ├── MessageFormatError(TypeError)
    └── ProviderError(RuntimeError)
        ├── AuthenticationError  RateLimitError  QuotaExceededError  OverloadedError
        ├── InvalidRequestError  ModelNotFoundError  ContextLengthError  ContentPolicyError
        ├── ServerError  MalformedResponseError  ConnectionFailedError
        └── DeadlineExceededError(TimeoutError)

Each class stands for one decision that a caller can make; facts are attributes.
No message holds a key: `redact` removes keys from text of a provider.
"""

from __future__ import annotations

import re
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Optional, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from typing_extensions import Self

__all__ = [
    "AuthenticationError",
    "ConfigurationError",
    "ConfigurationWarning",
    "ConnectionFailedError",
    "ContentPolicyError",
    "ContextLengthError",
    "DeadlineExceededError",
    "InvalidRequestError",
    "LossyTranslationError",
    "MalformedResponseError",
    "MessageFormatError",
    "ModelNotFoundError",
    "OverloadedError",
    "ProviderError",
    "QuotaExceededError",
    "RateLimitError",
    "RetiredModelWarning",
    "ServerError",
    "SimulatedReplyWarning",
    "SpecadoError",
    "caller_stacklevel",
    "redact",
    "type_and_beginning",
]

Error = TypeVar("Error", bound="SpecadoError")

# The `code` of a stream that brought no content for `content_timeout_seconds`.
CONTENT_TIMEOUT = "content_timeout"
MAX_QUOTED_CHARACTERS = 500
MAX_BEGINNING = 80
REDACTED = "***"

# The form of keys: OpenAI's and Anthropic's begin with "sk-"; a bearer token is in a header.
_KEY_SHAPED = re.compile(r"\bsk-[A-Za-z0-9_\-*.]{4,}|(?<=Bearer )[^\s\"',]+", re.ASCII)


class SpecadoError(Exception):
    """Base class of all errors of specado."""

    prefix = ""

    def __init__(self, message: str, **facts: Any) -> None:
        """Keep *facts* as attributes; the text is the prefix and *message*."""
        super().__init__(self.prefix_for(facts) + message)
        self.message = message
        self.__dict__.update(facts)

    @classmethod
    def prefix_for(cls, _facts: Mapping[str, Any]) -> str:
        """Return the prefix of the message of an error with these facts."""
        return cls.prefix

    def with_addition(self, text: str) -> Self:
        """Return a copy with *text* appended to the message and the same facts."""
        error = _rebuild(type(self), (f"{self}; {text}",), self.__dict__)
        error.message = f"{self.message}; {text}"
        return error

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[Error], args: tuple[Any, ...], facts: dict[str, Any]) -> Error:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(facts)
    return error


class ConfigurationError(SpecadoError, ValueError):
    """A setting is wrong or missing; `key` is its name if it is one setting."""

    prefix = "Configuration error: "
    key: Optional[str] = None


class LossyTranslationError(ConfigurationError):
    """Every candidate's translation has a loss that `strictness` refuses.

    `report` is the loss report; `setting` is the setting that would accept the losses.
    """

    report: Any = None
    setting: Optional[str] = None


class MessageFormatError(SpecadoError, TypeError):
    """An argument of a call has a wrong type or shape.

    `index` is the position of the invalid message, if it is in one message, and `field` the path of
    the value in it (or of the parameter).
    """

    prefix = "Message format error: "
    index: Optional[int] = None
    field: Optional[str] = None


class ProviderError(SpecadoError, RuntimeError):
    """A provider, or the connection to it, failed.

    Attributes:
        provider: the provider's name, `None` if no provider was asked.
        model: the model id in the request.
        status_code: the HTTP status, `None` if no reply came.
        code: the provider's own code or type for the error.
        retryable: whether the same request may succeed later.
        retry_after_s: seconds the provider asked to wait, `None` if it named none.
        request_id: the provider's id of the request.
        attempts: requests sent in the whole call.
        errors: the errors of all attempts, in order. The last error of the first candidate
            determines this error's class and facts.
        stopped_by: why the call made no further attempt: `max_retries`, `deadline` (the time was
            up, or a wait did not fit), `retry_budget` (no token before the deadline),
            `not_retryable`, or `no_candidate` (the failure leaves only other candidates, and
            there was none); `None` in an attempt's own error.
        sent: whether the provider may have got (and billed) the request.
        should_retry: the provider's `x-should-retry` header, `None` without one.
        headers: the reply's headers, names in lower case, without those that hold a secret; empty
            if no reply came.
        body: the reply's body as text, or the error event of a stream, redacted and truncated;
            `None` if no reply came, and if a stream failed without such an event.
    """

    prefix = "Provider error: "
    provider: Optional[str] = None
    model: Optional[str] = None
    status_code: Optional[int] = None
    code: Optional[str] = None
    retryable: bool = False
    retry_after_s: Optional[float] = None
    request_id: Optional[str] = None
    attempts: int = 0
    errors: Sequence[ProviderError] = ()
    stopped_by: Optional[str] = None
    sent: bool = True
    should_retry: Optional[bool] = None
    headers: Mapping[str, str] = MappingProxyType({})
    body: Optional[str] = None

    @classmethod
    def prefix_for(cls, facts: Mapping[str, Any]) -> str:
        """Return the prefix, with "Routing failed" if several candidates were asked, or none."""
        asked = {(each.provider, each.model) for each in facts.get("errors", ())}
        routing_failed = len(asked) > 1 or facts.get("attempts") == 0
        return cls.prefix + ("Routing failed: " if routing_failed else "")


class AuthenticationError(ProviderError):
    """The key is missing, invalid or lacks the permission (401, 403)."""


class RateLimitError(ProviderError):
    """The rate limit is exceeded (429); `retry_after_s` is the delay to wait, if known."""

    retryable = True


class QuotaExceededError(ProviderError):
    """The account's credit or spending limit is used up (402, `insufficient_quota`)."""


class OverloadedError(ProviderError):
    """The provider has no capacity for now (503, 529, `overloaded_error`)."""

    retryable = True


class InvalidRequestError(ProviderError):
    """The provider refused the request as invalid (400, 413, 422, a redirect)."""


class ModelNotFoundError(ProviderError):
    """The provider does not know the model, or the address (404)."""


class ContextLengthError(ProviderError):
    """The request is longer than the model's context window."""


class ContentPolicyError(ProviderError):
    """The provider refused the content by its policy."""


class ServerError(ProviderError):
    """The provider failed (500, 502, 504, 408, 409)."""

    retryable = True


class MalformedResponseError(ProviderError):
    """The reply does not have the documented form, is incomplete or too large."""

    retryable = True


class ConnectionFailedError(ProviderError):
    """The connection could not be made, or broke before the reply; see `sent`.

    Its `code` is `connect` or `reset`, or one with which a retry cannot succeed (`retryable` is
    false): `certificate` (the server's certificate does not verify, or the server requires a client
    certificate) and `resources` (this machine has no file descriptor, port or memory left).

    Attributes:
        is_reused_connection: whether a `reset` hit a connection that had served a request before.
        is_stale_connection: whether the `reset` hit a reused connection while the request was
            written, or so soon after its last byte that the server had most likely closed it.
    """

    retryable = True
    is_reused_connection: bool = False
    is_stale_connection: bool = False


class DeadlineExceededError(ProviderError, TimeoutError):
    """The deadline of the call, or the time limit of an attempt, was exceeded."""

    retryable = True

    def __new__(cls, *args: Any, **_facts: Any) -> DeadlineExceededError:
        """Allocate as a TimeoutError: of the built-in bases only its memory layout fits both."""
        return TimeoutError.__new__(cls, *args)


class StreamInterruptedError(ProviderError):
    """A stream failed or was closed after its commit point: the answer is incomplete.

    `partial` is a `ChatCompletionResponse` with the content so far; the last of `errors` is the
    cause. There is no retry and no fallback: the caller has already got a part of the answer.
    """

    partial: Any = None

    @classmethod
    def prefix_for(cls, _facts: Mapping[str, Any]) -> str:
        """Return the prefix without "Routing failed": the stream had begun."""
        return cls.prefix


class ConfigurationWarning(UserWarning):
    """A setting is unknown or has no effect."""


class RetiredModelWarning(UserWarning):
    """The caller named a model that its provider has retired; the request is sent nevertheless."""


class SimulatedReplyWarning(UserWarning):
    """No provider has a key or an address: replies come from the simulator in this process.

    `key_setting` is the environment variable or setting for the key of the provider.
    """

    key_setting: str = ""


def caller_stacklevel() -> int:
    """Return the `stacklevel` for a warning that points at the code that called the library."""
    level, frame = 0, sys._getframe(1)
    while frame.f_back is not None and _is_own(frame.f_globals.get("__name__", "")):
        level, frame = level + 1, frame.f_back
    return level + 1


def _is_own(module: str) -> bool:
    return module.partition(".")[0] == "specado"


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return *text* with *secrets* and everything of the form of a key redacted."""
    # The longest first: one secret may be the beginning of another.
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    # Most texts hold neither beginning: a search for them takes a hundredth of the pattern's time.
    if "sk-" not in text and "Bearer " not in text:
        return text
    return _KEY_SHAPED.sub(REDACTED, text)


def type_and_beginning(value: Any) -> str:
    """Return a value's type and the redacted beginning of its `repr`, for an error message."""
    kind = type(value).__name__
    if value is None:
        return "None"
    try:
        cut = value[: MAX_BEGINNING + 1] if isinstance(value, (str, bytes, bytearray)) else value
        shown = " ".join(redact(repr(cut)).split())
    except Exception:  # noqa: BLE001 - a caller's own class may raise anything there
        return kind
    return f"{kind} ({shown if len(shown) <= MAX_BEGINNING else shown[:MAX_BEGINNING] + '…'})"
