"""What each class of error allows, and how long to wait: the table and the waits."""

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

__all__ = ["MAX_LONE_WAIT_S", "MAX_WAIT_BEFORE_NEXT_S", "Rule", "backoff_s", "rule_for"]

# With another candidate at hand a caller is better served there than by a longer wait.
MAX_WAIT_BEFORE_NEXT_S = 2.0
# Past this a caller is better served by the error, which says how long the provider asked for.
MAX_LONE_WAIT_S = 60.0
MAX_BACKOFF_S = 8.0
BASE_S = 0.5
THROTTLED_BASE_S = 1.0

NO_LIMIT = None
NEVER, ALWAYS, LARGER_WINDOW, IF_ALLOWED = "never", "always", "larger window", "if allowed"


class Rule(msgspec.Struct, frozen=True):
    """What may follow an error.

    `same` bounds the retries of the same candidate (`None`: `max_retries` alone does); `next`
    says whether the next candidate may be tried.
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
# A retry that a provider asks for cannot mend these.
_HOPELESS = (AuthenticationError, QuotaExceededError, InvalidRequestError)


def _inherited(kind: type[ProviderError]) -> Rule:
    return next(_RULES[base] for base in kind.__mro__ if base in _RULES)


def rule_for(error: ProviderError) -> Rule:
    """Return what may follow *error*."""
    rule = _RULES.get(type(error)) or _inherited(type(error))
    if isinstance(error, ConnectionFailedError) and error.sent:
        rule = Rule(1, ALWAYS)
    elif isinstance(error, MalformedResponseError) and error.code == "no_choice":
        rule = Rule(0, ALWAYS)
    if error.should_retry is False:
        return Rule(0, rule.next)
    if error.should_retry is True and rule.same == 0 and not isinstance(error, _HOPELESS):
        return Rule(NO_LIMIT, rule.next)
    return rule


def backoff_s(error: ProviderError, retry: int, random: float) -> float:
    """Return the wait before retry number *retry* (from 0) of a candidate, in seconds.

    The provider's own wait counts first, if it can be one; else full jitter, *random* being
    from [0, 1).
    """
    asked_s = error.retry_after_s
    if asked_s is not None and 0 <= asked_s < math.inf:
        return asked_s
    throttled = isinstance(error, (RateLimitError, OverloadedError))
    base = THROTTLED_BASE_S if throttled else BASE_S
    return random * min(MAX_BACKOFF_S, base * 2.0 ** min(retry, 10))
