"""Retry rules: whether each class of error allows a retry or a fallback; backoff with jitter."""

from __future__ import annotations

import math
from typing import Optional

import msgspec

from specado.errors import (
    AuthenticationError,
    ConnectionFailedError,
    ContentPolicyError,
    ContextLengthError,
    DeadlineExceededError,
    InvalidRequestError,
    MalformedResponseError,
    ModelNotFoundError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)

__all__ = [
    "ALWAYS",
    "IF_ALLOWED",
    "LARGER_WINDOW",
    "MAX_LONE_WAIT_S",
    "MAX_WAIT_BEFORE_NEXT_S",
    "NO_LIMIT",
    "Rule",
    "jittered_s",
    "nominal_wait_s",
    "rule_for",
]

# With another candidate at hand a caller is better served there than by a longer wait.
MAX_WAIT_BEFORE_NEXT_S = 2.0
# Past this a caller is better served by the error, which says how long the provider asked for.
MAX_LONE_WAIT_S = 60.0
MAX_BACKOFF_S = 8.0
BASE_S = 0.5
THROTTLED_BASE_S = 1.0
# A backoff is drawn from this range around its nominal value. Full jitter spends its retries too
# early: in an outage of 1 s with 2 retries 30 of 40 calls would fail, with this none.
MIN_BACKOFF_FACTOR, MAX_BACKOFF_FACTOR = 0.75, 1.25
# Calls with the same announced wait are spread over this share of it, or over these seconds.
ANNOUNCED_JITTER_SHARE, MIN_ANNOUNCED_JITTER_S = 0.1, 0.5

NO_LIMIT = None
NEVER, ALWAYS, LARGER_WINDOW, IF_ALLOWED = "never", "always", "larger window", "if allowed"


class Rule(msgspec.Struct, frozen=True):
    """Retry rule of an error: whether a retry and another candidate may follow.

    `same` bounds how often the same candidate is asked again after an error of this class
    (`None`: `max_retries` alone does); `next` says whether the next candidate may be asked.
    """

    same: Optional[int]
    next: str


_RULES: dict[type[ProviderError], Rule] = {
    RateLimitError: Rule(NO_LIMIT, ALWAYS),
    QuotaExceededError: Rule(0, ALWAYS),
    OverloadedError: Rule(NO_LIMIT, ALWAYS),
    ServerError: Rule(NO_LIMIT, ALWAYS),
    AuthenticationError: Rule(0, NEVER),
    ModelNotFoundError: Rule(0, NEVER),
    InvalidRequestError: Rule(0, NEVER),
    ContextLengthError: Rule(0, LARGER_WINDOW),
    ContentPolicyError: Rule(0, IF_ALLOWED),
    MalformedResponseError: Rule(1, ALWAYS),
    ConnectionFailedError: Rule(NO_LIMIT, ALWAYS),
    DeadlineExceededError: Rule(0, ALWAYS),
    ProviderError: Rule(0, NEVER),
}
# A retry that a provider asks for cannot succeed after these.
_HOPELESS = (AuthenticationError, QuotaExceededError, InvalidRequestError)


def _inherited(kind: type[ProviderError]) -> Rule:
    return next(_RULES[base] for base in kind.__mro__ if base in _RULES)


def rule_for(error: ProviderError, *, is_fallback: bool = False) -> Rule:
    """Return the rule for *error*, of a fallback or of the candidate that the caller meant.

    A fallback whose key or model is wrong is skipped; the same error of the candidate that the
    caller meant ends the call, since the caller has to know.
    """
    rule = _RULES.get(type(error)) or _inherited(type(error))
    if isinstance(error, ConnectionFailedError):
        if not error.retryable:  # a local fault: every candidate would meet it
            return Rule(0, NEVER)
        if error.sent:
            rule = Rule(1, ALWAYS)
    elif isinstance(error, MalformedResponseError) and error.code == "no_choice":
        rule = Rule(0, ALWAYS)
    elif is_fallback and isinstance(error, (AuthenticationError, ModelNotFoundError)):
        rule = Rule(rule.same, ALWAYS)
    if error.should_retry is False:
        return Rule(0, rule.next)
    if error.should_retry is True and rule.same == 0 and not isinstance(error, _HOPELESS):
        return Rule(NO_LIMIT, rule.next)
    return rule


def nominal_wait_s(error: ProviderError, retry: int) -> float:
    """Return the wait before retry number *retry* (from 0) of a candidate, without its jitter.

    In seconds. The wait that the provider announced counts first, else exponential backoff.
    Bounds on waits are held against this value.
    """
    asked_s = error.retry_after_s
    if asked_s is not None and 0 <= asked_s < math.inf:
        return asked_s
    throttled = isinstance(error, (RateLimitError, OverloadedError))
    base = THROTTLED_BASE_S if throttled else BASE_S
    return min(MAX_BACKOFF_S, base * 2.0 ** min(retry, 10))


def jittered_s(wait_s: float, random: float, *, announced: bool) -> float:
    """Return a wait in seconds with its jitter; *random* is a number from [0, 1).

    Jitter only makes an announced wait longer: a request before its end would be too early, and
    without jitter all callers with the same wait would return at the same moment.
    """
    if announced:
        return wait_s + random * max(ANNOUNCED_JITTER_SHARE * wait_s, MIN_ANNOUNCED_JITTER_S)
    return wait_s * (MIN_BACKOFF_FACTOR + random * (MAX_BACKOFF_FACTOR - MIN_BACKOFF_FACTOR))
