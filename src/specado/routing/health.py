"""Health of deployments, process-wide: circuit breakers, pauses, avoided keys, retry budgets.

Sans-I/O: every rule is a method that is given the time, in seconds of a monotonic clock. One lock
guards all of them.

The state decides which candidate a call asks *next*. No rule here refuses an attempt: with
no other candidate left a call asks the one that it would have avoided.

Four scopes, the narrowest first:

- deployment (address, key and model): circuit breaker, pause that the provider announced, retry
  budget, latencies;
- key: avoided for a while after a used-up quota or a refused key;
- address (scheme, host and port): circuit breaker for connections that cannot be made;
- clients whose settings `breaker` and `retry_budget` differ share none of these.

Sources, read 2026-11-22: the retry budget is the token bucket of the AWS SDKs' standard retry
mode ("Retry behavior"), with a refill by time; the circuit breaker is that of Nygard's
"Release It!", with the pair of conditions that Resilience4j and Polly use.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections import deque
from typing import Any, Optional, Union

import msgspec

from specado.endpoints.account import Account
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
from specado.settings.client_settings import BreakerSettings

__all__ = [
    "Attempt",
    "Deployment",
    "Health",
    "Hold",
    "Token",
    "announced_wait_s",
    "health",
    "reset_state",
    "shared_health",
]

# Attempts of a tenth of a second are counted together: memory does not grow with load.
STEP_S = 0.1
# Failures in a row count towards opening a breaker for this long, and must span this long.
CONSECUTIVE_WITHIN_S = 60.0
CONSECUTIVE_SPAN_S = 1.0
# A probe that has no outcome yet keeps other calls away for this long.
PROBE_HOLD_S = 5.0
# A pause that a provider announces: shorter ones are one call's own wait, longer ones are cut.
MIN_PAUSE_S = 1.0
MAX_PAUSE_S = 60.0
# During a pause one call in so many seconds is let through as a probe.
PAUSE_PROBE_EVERY_S = 1.0
# A pause up to this long is waited for; a longer one sends a call to another candidate.
MAX_PREFERRED_PAUSE_S = 2.0
# How long another candidate is preferred to one whose quota is used up or whose key is refused.
AVOID_KEY_S = 60.0
MAX_AVOID_KEY_S = 300.0
# Weight of the newest value in the moving averages of latencies.
LATENCY_WEIGHT = 0.1
# Bounds of the tables. Keys come and go (one for each user of a gateway), models are named by
# callers.
MAX_ACCOUNTS = 10_000
MAX_ADDRESSES = 10_000
MAX_MODELS = 1_000


# The meaning of an error for the health of a deployment.
# UNREACHABLE: no connection to the address. NOTHING: not the provider's failure. KEY: quota used
# up, or key refused. PROPER: the provider works and refuses this request. THROTTLED: rate limit.
# OVERLOADED: no capacity. BROKEN: server error or malformed reply. TIMED_OUT: no reply in time.
UNREACHABLE, NOTHING, KEY, PROPER, THROTTLED, OVERLOADED, BROKEN, TIMED_OUT = range(8)
_MEANINGS: dict[type[ProviderError], int] = {
    AuthenticationError: KEY,
    ConnectionFailedError: UNREACHABLE,
    ContentPolicyError: PROPER,
    ContextLengthError: PROPER,
    DeadlineExceededError: TIMED_OUT,
    InvalidRequestError: PROPER,
    MalformedResponseError: BROKEN,
    ModelNotFoundError: PROPER,
    OverloadedError: OVERLOADED,
    ProviderError: NOTHING,
    QuotaExceededError: KEY,
    RateLimitError: THROTTLED,
    ServerError: BROKEN,
}


class Deployment(msgspec.Struct, frozen=True):
    """Identity of a deployment: an account and a model; it holds no key."""

    provider: str
    account: Account
    model: str


class Hold(msgspec.Struct, frozen=True):
    """Reason to prefer another candidate to a deployment, or to wait before asking it.

    Attributes:
        reason: text for people.
        for_s: how long the reason holds, in seconds.
        pause_s: seconds left of a pause that the provider announced, 0 without a pause.
        is_key: the key is avoided (used-up quota, refused key).
        diverting: another candidate is preferred; if false, the pause is short enough that calls
            wait for it.
    """

    reason: str
    for_s: float
    pause_s: float = 0.0
    is_key: bool = False
    diverting: bool = True


class Attempt(msgspec.Struct, eq=False):
    """One attempt in flight; `settle` or `abandon` ends it, once."""

    record: _Deployment
    began_s: float
    is_probe: bool = False  # of a breaker, or of a pause
    is_settled: bool = False


class Token(msgspec.Struct, eq=False):
    """A retry token, or a place in the queue for one; `number` counts the places of a queue."""

    record: _Deployment
    number: int
    is_granted: bool = False
    is_returned: bool = False


class _Window(msgspec.Struct, eq=False):
    """Attempts and failures of the last *length_s* seconds, counted in steps of `STEP_S`."""

    length_s: float
    attempts: int = 0
    failures: int = 0
    step_attempts: int = 0
    step_failures: int = 0
    step_start_s: float = -math.inf
    step_until_s: float = -math.inf
    # (start in seconds, attempts, failures) of each step but the current one.
    older: Optional[deque[tuple[float, int, int]]] = None

    def failed(self, now_s: float) -> None:
        """Count a failure."""
        if now_s >= self.step_until_s:
            self.move(now_s)
        self.attempts += 1
        self.step_attempts += 1
        self.failures += 1
        self.step_failures += 1

    def move(self, now_s: float) -> None:
        """Begin a step, and forget those that are older than the window."""
        older = self.older
        if self.step_attempts:
            if older is None:
                older = self.older = deque()
            older.append((self.step_start_s, self.step_attempts, self.step_failures))
        self.step_start_s, self.step_until_s = now_s, now_s + STEP_S
        self.step_attempts = self.step_failures = 0
        while older and older[0][0] <= now_s - self.length_s:
            _, attempts, failures = older.popleft()
            self.attempts -= attempts
            self.failures -= failures

    @property
    def oldest_s(self) -> float:
        """When the oldest step began that is remembered."""
        return self.older[0][0] if self.older else self.step_start_s


class _Breaker(msgspec.Struct, eq=False):
    """Circuit breaker of a deployment or an address; *settings* has its numbers."""

    settings: BreakerSettings
    recent: _Window
    open_s: float
    open_until: Optional[float] = None
    probe: Optional[Attempt] = None
    probe_until: float = 0.0
    # Failures since the last success, `None` if there are none.
    in_a_row: Optional[_Window] = None

    def open_for_s(self, now_s: float) -> float:
        """Return for how long the breaker diverts calls yet, in seconds; 0 if it does not."""
        if self.open_until is None:
            return 0.0
        if self.open_until > now_s:
            return self.open_until - now_s
        if self.probe is not None and self.probe_until > now_s:
            return self.probe_until - now_s
        return 0.0

    def begin(self, attempt: Attempt, now_s: float) -> None:
        """Make *attempt* the probe if the breaker waits for one."""
        if self.open_until is not None and self.open_for_s(now_s) == 0.0:
            self.probe = attempt
            self.probe_until = now_s + PROBE_HOLD_S
            attempt.is_probe = True

    def succeeded(self, attempt: Attempt, now_s: float) -> None:
        """Count a success; that of a probe closes the breaker."""
        if attempt.is_probe and self.open_until is not None and self.open_until <= attempt.began_s:
            self.close()
        self.in_a_row = None
        recent = self.recent
        if now_s >= recent.step_until_s:
            recent.move(now_s)
        recent.attempts += 1
        recent.step_attempts += 1

    def failed(self, attempt: Attempt, now_s: float) -> bool:
        """Count a failure; return whether it opened the breaker."""
        if self.probe is attempt:
            self.probe = None
            self.open_s = min(2 * self.open_s, self.settings.max_open_seconds)
            self.open_until = now_s + self.open_s
            return True
        self.recent.failed(now_s)
        in_a_row = self.in_a_row
        if in_a_row is None:
            in_a_row = self.in_a_row = _Window(CONSECUTIVE_WITHIN_S)
        in_a_row.failed(now_s)
        if self.open_until is not None or not self._is_over_limit(in_a_row, now_s):
            return False
        self.open_until = now_s + self.open_s
        return True

    def _is_over_limit(self, in_a_row: _Window, now_s: float) -> bool:
        settings, recent = self.settings, self.recent
        if (
            recent.attempts >= settings.min_attempts
            and recent.failures > recent.attempts * settings.failure_rate
        ):
            return True
        return (
            in_a_row.failures >= settings.consecutive_failures
            and now_s - in_a_row.oldest_s >= CONSECUTIVE_SPAN_S
        )

    def release(self, attempt: Attempt) -> None:
        """Let another attempt be the probe if *attempt* was it."""
        if self.probe is attempt:
            self.probe = None

    def close(self) -> None:
        """Close the breaker and forget what opened it."""
        self.open_until = None
        self.open_s = self.settings.open_seconds
        self.probe = self.in_a_row = None
        self.recent = _Window(self.settings.window_seconds)

    def is_idle(self) -> bool:
        """Return whether the breaker is closed, and may be evicted."""
        return self.open_until is None

    def as_dict(self, now_s: float) -> dict[str, Any]:
        """Return the breaker's state as plain data."""
        self.recent.move(now_s)
        open_for_s = self.open_for_s(now_s)
        if self.open_until is None:
            state = "closed"
        else:
            state = "open" if self.open_until > now_s else "half_open"
        return {
            "state": state,
            "attempts": self.recent.attempts,
            "failures": self.recent.failures,
            "open_for_s": open_for_s,
        }


def _new_breaker(settings: Optional[BreakerSettings]) -> Optional[_Breaker]:
    """Return a closed breaker, `None` where it is turned off."""
    if settings is None:
        return None
    return _Breaker(settings, _Window(settings.window_seconds), settings.open_seconds)


class _Address(msgspec.Struct, eq=False):
    """Health of an address: whether connections to it can be made."""

    address: str
    breaker: Optional[_Breaker]
    is_clear: bool = True  # nothing diverts calls from it


class _Account(msgspec.Struct, eq=False):
    """Health of a key at an address, with its deployments by model."""

    account: Account
    address: _Address
    models: dict[str, Any] = {}  # of _Deployment, by name
    avoid_since: float = -math.inf
    avoid_until: float = -math.inf
    avoid_s: float = AVOID_KEY_S

    def avoid(self, now_s: float) -> None:
        """Prefer other keys for a while; failures of concurrent attempts count once."""
        if self.avoid_until <= now_s:
            self.avoid_since, self.avoid_until = now_s, now_s + self.avoid_s
            self.avoid_s = min(2 * self.avoid_s, MAX_AVOID_KEY_S)

    def works(self, attempt: Attempt) -> None:
        """Trust the key again, unless *attempt* began before the key was refused."""
        if attempt.began_s >= self.avoid_since:
            self.avoid_until = -math.inf
            self.avoid_s = AVOID_KEY_S

    def is_idle(self, now_s: float) -> bool:
        """Return whether the account may be evicted: nothing diverts calls from it."""
        return self.avoid_until <= now_s and all(
            each.is_idle(now_s) for each in self.models.values()
        )


class _Deployment(msgspec.Struct, eq=False):
    """Health of one model behind one key."""

    provider: str
    model: str
    account: _Account
    breaker: Optional[_Breaker]
    tokens: float
    tokens_s: float  # when tokens last came back
    queued: deque[Token] = msgspec.field(default_factory=deque)  # for a token, in order
    places_given: int = 0
    lacks_tokens: bool = False
    is_clear: bool = True  # neither an open breaker nor a pause
    pause_since: float = -math.inf
    pause_until: float = -math.inf
    pause_probed_s: float = -math.inf
    last_error: Optional[str] = None
    latency_ms: Optional[float] = None
    first_content_ms: Optional[float] = None

    def pause(self, wait_s: float, attempt: Attempt, now_s: float) -> None:
        """Begin a cool-down of as many seconds as the provider announced, at most 60.

        Of concurrent attempts the longest wait counts. What an attempt learns that began during
        the pause (a probe) replaces the old end of the pause.
        """
        if wait_s < MIN_PAUSE_S:
            return
        until = now_s + min(wait_s, MAX_PAUSE_S)
        if self.pause_until > now_s:
            if attempt.began_s <= self.pause_since:
                until = max(until, self.pause_until)
        else:
            self.pause_since = self.pause_probed_s = now_s
        self.pause_until = until
        self.is_clear = False

    def refill(self, now_s: float) -> None:
        """Put the retry tokens back that have come since the last look."""
        budget = self.account.account.settings.retry_budget
        if budget is not None and now_s > self.tokens_s:
            earned = (now_s - self.tokens_s) * budget.refill_per_second
            self.tokens = min(budget.capacity, self.tokens + earned)
            self.tokens_s = now_s

    def earn_token(self, now_s: float) -> None:
        """Put back the retry token that the first attempt of a call earns."""
        budget = self.account.account.settings.retry_budget
        if budget is not None:
            self.refill(now_s)
            self.tokens = min(budget.capacity, self.tokens + 1)
            self.grant_tokens()
            self.lacks_tokens = self.tokens < budget.capacity

    def grant_tokens(self) -> None:
        """Hand the tokens that are there to the calls that wait for one, first come, first served.

        A place that its call has returned is passed over.
        """
        queued = self.queued
        while queued and (queued[0].is_returned or self.tokens >= 1):
            token = queued.popleft()
            if not token.is_returned:
                token.is_granted = True
                self.tokens -= 1

    def tokens_left(self) -> float:
        """Return the retry tokens, less those for which calls wait."""
        return self.tokens - sum(not token.is_returned for token in self.queued)

    def is_idle(self, now_s: float) -> bool:
        """Return whether the deployment may be evicted: neither a pause nor an open breaker."""
        return self.pause_until <= now_s and (self.breaker is None or self.breaker.is_idle())

    def as_dict(self, now_s: float) -> dict[str, Any]:
        """Return the deployment's health as plain data."""
        settings = self.account.account.settings
        self.refill(now_s)
        return {
            "provider": self.provider,
            "address": self.account.account.base_url,
            "key": self.account.account.digest,
            "model": self.model,
            "breaker": None if self.breaker is None else self.breaker.as_dict(now_s),
            "pause_s": max(0.0, self.pause_until - now_s),
            "retry_budget": None if settings.retry_budget is None else self.tokens_left(),
            "last_error": self.last_error,
            "latency_ms": self.latency_ms,
            "time_to_first_content_ms": self.first_content_ms,
        }


def _new_lock() -> threading.RLock:
    # Reentrant: the garbage collector may end a dropped stream, which settles its attempt, in the
    # middle of any of the methods below.
    return threading.RLock()


class Health:
    """Health of every deployment. Safe between threads."""

    def __init__(self) -> None:
        self._lock = _new_lock()
        self._accounts: dict[Account, _Account] = {}
        self._addresses: dict[tuple[str, Any], _Address] = {}

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._accounts.clear()
            self._addresses.clear()

    def start_afresh(self) -> None:
        """Forget everything and take a new lock, in a forked child.

        Another thread of the parent may hold the old lock, and the parent records its own health.
        """
        self._lock = _new_lock()
        self._accounts = {}
        self._addresses = {}

    # Before an attempt

    def hold(self, deployment: Deployment, now_s: float) -> Hold | None:
        """Return why another candidate is preferred to *deployment*, `None` if none is."""
        account = self._accounts.get(deployment.account)
        record = None if account is None else account.models.get(deployment.model)
        if record is None or record.is_clear:
            if account is None or (account.address.is_clear and account.avoid_until <= now_s):
                return None
            if record is None:
                record = _new_record(deployment, account, now_s)
        with self._lock:
            return _hold(record, now_s)

    def admit(self, deployment: Deployment, now_s: float) -> Union[Attempt, Hold]:
        """Begin a call's first attempt unless another candidate is preferred, or a pause holds.

        Of several threads one gets the probe of a breaker, or of a pause.
        """
        with self._lock:
            record = self._find(deployment) or self._add(deployment, now_s)
            account = record.account
            if not record.is_clear or not account.address.is_clear or account.avoid_until > now_s:
                hold = _hold(record, now_s)
                if hold is not None and not _may_probe_pause(record, hold, now_s):
                    return hold
            return self._begin(record, now_s)

    def begin(self, deployment: Deployment, now_s: float, *, is_retry: bool = False) -> Attempt:
        """Note that an attempt begins; a call's first one at a deployment earns a retry token."""
        with self._lock:
            record = self._find(deployment) or self._add(deployment, now_s)
            return self._begin(record, now_s, is_retry=is_retry)

    def _begin(self, record: _Deployment, now_s: float, *, is_retry: bool = False) -> Attempt:
        if not is_retry and record.lacks_tokens:
            record.earn_token(now_s)
        attempt = Attempt(record, now_s)
        if not (record.is_clear and record.account.address.is_clear):
            for breaker in _breakers(record):
                breaker.begin(attempt, now_s)
            if record.pause_until > now_s:
                attempt.is_probe = True
                record.pause_probed_s = now_s
        return attempt

    def take_token(self, deployment: Deployment, now_s: float, *, may_queue: bool) -> Token | None:
        """Take a token of the retry budget, for a retry that no provider announced.

        Where none is left, the token is a place in the queue (`token_wait_s`); `None` if the call
        may not queue.
        """
        with self._lock:
            record = self._find(deployment) or self._add(deployment, now_s)
            token = Token(record, record.places_given)
            if deployment.account.settings.retry_budget is None:
                token.is_granted = True
                return token
            record.lacks_tokens = True
            record.refill(now_s)
            record.queued.append(token)
            record.places_given += 1
            record.grant_tokens()
            if not token.is_granted and not may_queue:
                record.queued.pop()
                return None
            return token

    def token_wait_s(self, token: Token, now_s: float) -> float:
        """Return in how many seconds it is a token's turn at the latest; 0 if the call has it.

        First attempts bring tokens too, and calls return theirs: then its turn comes earlier.
        """
        if token.is_granted:
            return 0.0
        record = token.record
        budget = record.account.account.settings.retry_budget
        with self._lock:
            record.refill(now_s)
            record.grant_tokens()
            if token.is_granted:
                return 0.0
            missing = token.number - record.queued[0].number + 1 - record.tokens
        if budget is None or budget.refill_per_second <= 0:
            return math.inf
        return missing / budget.refill_per_second

    def return_token(self, token: Token) -> None:
        """Give back the token of a retry that was not made, or leave the queue for it."""
        record = token.record
        budget = record.account.account.settings.retry_budget
        with self._lock:
            token.is_returned = True
            if token.is_granted and budget is not None:
                record.tokens = min(budget.capacity, record.tokens + 1)
            record.grant_tokens()

    # Outcome of an attempt

    def commit(self, attempt: Attempt, now_s: float) -> None:
        """Note a stream's first content, which counts as the success of a probe.

        From then on the stream is no probe any more: its end may come minutes later.
        """
        with self._lock:
            record = attempt.record
            first_ms, average_ms = (now_s - attempt.began_s) * 1000, record.first_content_ms
            if average_ms is not None:
                first_ms = average_ms + LATENCY_WEIGHT * (first_ms - average_ms)
            record.first_content_ms = first_ms
            if attempt.is_probe:
                self._note_success(attempt, now_s)
                attempt.is_probe = False

    def abandon(self, attempt: Attempt) -> None:
        """Note that an attempt was cancelled: it counts as nothing, and frees its probe."""
        with self._lock:
            if not attempt.is_settled:
                attempt.is_settled = True
                for breaker in _breakers(attempt.record):
                    breaker.release(attempt)

    def settle(
        self,
        attempt: Attempt,
        error: ProviderError | None,
        now_s: float,
        *,
        is_own_deadline: bool = False,
    ) -> None:
        """Note an attempt's outcome; only the first one counts.

        *is_own_deadline*: the caller's deadline was so short that a time-out says nothing about
        the provider.
        """
        with self._lock:
            if attempt.is_settled:
                return
            attempt.is_settled = True
            record = attempt.record
            if error is None:
                latency_ms, average_ms = (now_s - attempt.began_s) * 1000, record.latency_ms
                if average_ms is not None:
                    latency_ms = average_ms + LATENCY_WEIGHT * (latency_ms - average_ms)
                record.latency_ms = latency_ms
                self._note_success(attempt, now_s)
                return
            self._note_failure(attempt, error, now_s, is_own_deadline=is_own_deadline)

    def _note_success(self, attempt: Attempt, now_s: float) -> None:
        record = attempt.record
        account = record.account
        if record.breaker is not None:
            record.breaker.succeeded(attempt, now_s)
        if account.address.breaker is not None:
            account.address.breaker.succeeded(attempt, now_s)
        if account.avoid_s != AVOID_KEY_S:
            account.works(attempt)
        if record.pause_until > now_s and attempt.began_s > record.pause_since:
            record.pause_until = now_s

    def _note_failure(
        self, attempt: Attempt, error: ProviderError, now_s: float, *, is_own_deadline: bool
    ) -> None:
        record = attempt.record
        record.last_error = type(error).__name__
        address, breaker = record.account.address, record.breaker
        meaning = _meaning_of(error)
        if meaning == UNREACHABLE:
            if breaker is not None:
                breaker.release(attempt)
            if address.breaker is not None and address.breaker.failed(attempt, now_s):
                address.is_clear = False
            return
        if meaning == NOTHING or (meaning == TIMED_OUT and is_own_deadline):
            for each in _breakers(record):
                each.release(attempt)
            return
        wait_s = None
        if meaning == TIMED_OUT:  # it does not say whether the address was reached
            if address.breaker is not None:
                address.breaker.release(attempt)
        else:
            if address.breaker is not None:
                address.breaker.succeeded(attempt, now_s)
            wait_s = announced_wait_s(error)
            if meaning == KEY:
                record.account.avoid(now_s)
            elif meaning in (THROTTLED, OVERLOADED) and wait_s is not None:
                record.pause(wait_s, attempt, now_s)
        if breaker is None:
            return
        if meaning in (KEY, PROPER):
            breaker.succeeded(attempt, now_s)
        elif meaning == THROTTLED or wait_s is not None:
            breaker.release(attempt)
        elif breaker.failed(attempt, now_s):
            record.is_clear = False

    # The tables

    def _find(self, deployment: Deployment) -> _Deployment | None:
        account = self._accounts.get(deployment.account)
        return None if account is None else account.models.get(deployment.model)

    def _add(self, deployment: Deployment, now_s: float) -> _Deployment:
        account = self._accounts.get(deployment.account)
        if account is None:
            account = self._add_account(deployment.account, now_s)
        if len(account.models) >= MAX_MODELS:
            idle = [name for name, each in account.models.items() if each.is_idle(now_s)]
            for name in (idle or list(account.models))[: MAX_MODELS // 2]:
                del account.models[name]
        record = account.models[deployment.model] = _new_record(deployment, account, now_s)
        return record

    def _add_account(self, account: Account, now_s: float) -> _Account:
        if len(self._accounts) >= MAX_ACCOUNTS:
            idle = [key for key, each in self._accounts.items() if each.is_idle(now_s)]
            for key in (idle or list(self._accounts))[: MAX_ACCOUNTS // 2]:
                del self._accounts[key]
        where = account.address, account.settings.breaker
        address = self._addresses.get(where)
        if address is None:
            if len(self._addresses) >= MAX_ADDRESSES:
                for each in list(self._addresses)[: MAX_ADDRESSES // 2]:
                    del self._addresses[each]
            address = self._addresses[where] = _Address(
                account.address, _new_breaker(account.settings.breaker)
            )
        found = self._accounts[account] = _Account(account, address)
        return found

    def as_dict(self, now_s: float) -> dict[str, list[dict[str, Any]]]:
        """Return the health of everything as plain data; keys are shown by an opaque tag."""
        with self._lock:
            accounts = list(self._accounts.values())
            return {
                "deployments": [
                    record.as_dict(now_s) for each in accounts for record in each.models.values()
                ],
                "keys": [
                    {
                        "address": each.account.base_url,
                        "key": each.account.digest,
                        "avoided_for_s": max(0.0, each.avoid_until - now_s),
                    }
                    for each in accounts
                ],
                "addresses": [
                    {
                        "address": each.address,
                        "breaker": None if each.breaker is None else each.breaker.as_dict(now_s),
                    }
                    for each in self._addresses.values()
                ],
            }


def _new_record(deployment: Deployment, account: _Account, now_s: float) -> _Deployment:
    settings = deployment.account.settings
    return _Deployment(
        deployment.provider,
        deployment.model,
        account,
        _new_breaker(settings.breaker),
        0 if settings.retry_budget is None else settings.retry_budget.capacity,
        now_s,
    )


def _breakers(record: _Deployment) -> list[_Breaker]:
    found = (record.breaker, record.account.address.breaker)
    return [breaker for breaker in found if breaker is not None]


def _hold(record: _Deployment, now_s: float) -> Hold | None:
    """Return the reason to prefer another candidate now; mark the deployment clear without one."""
    account, address = record.account, record.account.address
    pause_s = max(0.0, record.pause_until - now_s)
    if account.avoid_until > now_s:
        text = "its quota is used up, or its key was refused"
        return Hold(text, account.avoid_until - now_s, pause_s, is_key=True)
    breaker = address.breaker
    if breaker is not None and not address.is_clear:
        open_s = breaker.open_for_s(now_s)
        if open_s > 0:
            return Hold("connections to it failed lately (circuit breaker)", open_s, pause_s)
        address.is_clear = breaker.is_idle()
    breaker = record.breaker
    if breaker is not None and not record.is_clear:
        open_s = breaker.open_for_s(now_s)
        if open_s > 0:
            return Hold("it failed too often lately (circuit breaker)", open_s, pause_s)
    if pause_s > 0:
        diverting = pause_s > MAX_PREFERRED_PAUSE_S
        return Hold("it asked for a pause", pause_s, pause_s, diverting=diverting)
    record.is_clear = record.is_idle(now_s)
    return None


def _may_probe_pause(record: _Deployment, hold: Hold, now_s: float) -> bool:
    """Return whether a call may probe a pause: once a second, if nothing else diverts calls."""
    is_only_pause = hold.for_s == hold.pause_s and not hold.is_key
    return is_only_pause and now_s - record.pause_probed_s >= PAUSE_PROBE_EVERY_S


def announced_wait_s(error: ProviderError) -> float | None:
    """Return the wait in seconds that a provider asked for, `None` if it asked for none.

    A negative, infinite or undefined one is none, nor is zero.
    """
    wait_s = error.retry_after_s
    return wait_s if wait_s is not None and 0 < wait_s < math.inf else None


def _meaning_of(error: ProviderError) -> int:
    """Return what an error means for a deployment's health, one of the constants above."""
    meaning = _MEANINGS.get(type(error))
    if meaning is None:
        meaning = next(_MEANINGS[base] for base in type(error).__mro__ if base in _MEANINGS)
    if meaning == UNREACHABLE and isinstance(error, ConnectionFailedError):
        # A local fault, or an idle connection that was closed.
        return NOTHING if not error.retryable or error.is_reused_connection else UNREACHABLE
    if meaning == BROKEN:
        if error.code == "too_large":  # the bound is the caller's
            return NOTHING
        if error.status_code in (408, 409):  # these concern a single request
            return PROPER
    return meaning


shared_health = Health()


def health() -> dict[str, list[dict[str, Any]]]:
    """Return the health of all providers as plain data without keys.

    `deployments` (address, key and model): `breaker` (its `state`, `closed`, `open` or
    `half_open`; attempts and failures of its window; for how many seconds it diverts calls),
    `pause_s` (seconds left of a pause that the provider announced), `retry_budget` (retries left;
    below 0 that many calls wait for one), `last_error` (a class), `latency_ms` and
    `time_to_first_content_ms` (moving averages in milliseconds). `keys`: for how many seconds
    another candidate is preferred. `addresses`: the breaker for connections. A part that a setting
    turns off is `None`. A key is shown as a tag that differs in each process.
    """
    return shared_health.as_dict(time.monotonic())


def reset_state() -> None:
    """Reset the health of all providers: breakers, pauses, avoided keys, retry budgets."""
    shared_health.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=shared_health.start_afresh)
