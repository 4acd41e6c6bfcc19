"""What the process remembers of its providers: retry budgets, breakers, cool-downs.

The only state that calls share. Every rule is a plain method to which the time is passed; one
lock stands around all of them. Accounts are known by address and a digest of their key.

Sources, read 2026-11-22: the retry budget's numbers are those of the AWS SDKs' standard mode
("Retry behavior"); the breaker's shape that of the circuit breaker in Nygard's "Release It!".
"""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import Optional

import msgspec

from specado.endpoints import Account
from specado.errors import (
    AuthenticationError,
    ContentPolicyError,
    ContextLengthError,
    DeadlineExceededError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
)

__all__ = ["Block", "State", "Ticket", "reset_state", "shared_state"]

BUDGET = 500
TRANSIENT_COST = 14
THROTTLED_COST = 5
WINDOW_S = 10.0
# What comes within a step of the window is counted together: the memory does not grow with load.
STEP_S = 0.1
MIN_ATTEMPTS = 5
MAX_FAILED_SHARE = 0.5
OPEN_S = 5.0
MAX_OPEN_S = 60.0
QUOTA_S = 60.0
MAX_QUOTA_S = 300.0
# A provider that asks for more is asked again sooner; its answer then counts.
MAX_COOL_DOWN_S = 300.0
# A time-out that the caller chose shorter than this says nothing about the provider.
TELLING_TIMEOUT_S = 10.0
# Keys that come and go (one for each user of a gateway) must not add up.
MAX_ACCOUNTS = 10_000

# What the caller is to blame for: the provider works.
_CALLERS_FAULT = (
    AuthenticationError,
    ContentPolicyError,
    ContextLengthError,
    InvalidRequestError,
    ModelNotFoundError,
    QuotaExceededError,
)


class Block(msgspec.Struct, frozen=True):
    """Why a candidate is not asked for now; `for_s` is how long yet.

    One that is `final` is not asked even where it is the only one left; without `retries` it
    is asked only once then.
    """

    reason: str
    for_s: float
    final: bool = False
    retries: bool = False


class Ticket(msgspec.Struct, eq=False):
    """One attempt that has begun; settled once."""

    account: Account
    health: _Health
    model: str
    began_s: float
    is_probe: bool = False
    is_settled: bool = False


class _Step:
    """The attempts of a short while."""

    __slots__ = ("attempts", "failed", "start_s")

    def __init__(self, start_s: float) -> None:
        self.start_s = start_s
        self.attempts = 0
        self.failed = 0


class _Pause(msgspec.Struct, frozen=True):
    """From when until when a model cools down."""

    since_s: float
    until_s: float


class _Health:
    """What is known of one account."""

    __slots__ = (
        "attempts",
        "budget",
        "cooling",
        "failed",
        "is_clear",
        "is_probed",
        "open_s",
        "open_until",
        "quota_s",
        "quota_until",
        "recent",
    )

    def __init__(self) -> None:
        self.is_clear = True  # nothing keeps it from being asked
        self.budget = BUDGET
        self.recent: deque[_Step] = deque()
        self.attempts = 0
        self.failed = 0
        self.open_until: Optional[float] = None
        self.open_s = OPEN_S
        self.is_probed = False
        self.quota_until = 0.0
        self.quota_s = QUOTA_S
        self.cooling: dict[str, _Pause] = {}

    def count(self, now_s: float, *, is_failure: bool) -> None:
        """Count an attempt, and forget those that the window has left behind."""
        recent = self.recent
        while recent and recent[0].start_s <= now_s - WINDOW_S:
            old = recent.popleft()
            self.attempts -= old.attempts
            self.failed -= old.failed
        if not recent or now_s - recent[-1].start_s >= STEP_S:
            recent.append(_Step(now_s))
        recent[-1].attempts += 1
        recent[-1].failed += is_failure
        self.attempts += 1
        self.failed += is_failure

    def quota_ended(self, now_s: float) -> None:
        """Ask for nothing for a while; of attempts that ran side by side only the first counts."""
        if self.quota_until <= now_s:
            self.is_clear = False
            self.quota_until = now_s + self.quota_s
            self.quota_s = min(2 * self.quota_s, MAX_QUOTA_S)

    def cool_down(self, model: str, asked_s: float | None, now_s: float) -> None:
        """Keep a model from being asked for as long as was asked, within bounds."""
        if asked_s is None or not asked_s > 0:
            return
        for name in [name for name, pause in self.cooling.items() if pause.until_s <= now_s]:
            del self.cooling[name]
        self.is_clear = False
        self.cooling[model] = _Pause(now_s, now_s + min(asked_s, MAX_COOL_DOWN_S))

    def forgive(self, ticket: Ticket) -> None:
        """End a pause by a success, unless that was asked for before the pause began."""
        if self.quota_until <= ticket.began_s:
            self.quota_s = QUOTA_S
        pause = self.cooling.get(ticket.model)
        if pause is not None and pause.since_s < ticket.began_s:
            del self.cooling[ticket.model]

    def close_breaker(self) -> None:
        """Begin anew."""
        self.open_until = None
        self.is_probed = False
        self.open_s = OPEN_S
        self.recent.clear()
        self.attempts = self.failed = 0

    def is_idle(self, now_s: float) -> bool:
        """Tell whether forgetting it would change nothing that matters now."""
        return (
            self.open_until is None
            and self.quota_until <= now_s
            and all(pause.until_s <= now_s for pause in self.cooling.values())
        )


def _new_lock() -> threading.RLock:
    # Reentrant: the garbage collector may end a dropped stream, which settles its ticket, in the
    # middle of any of the methods below.
    return threading.RLock()


class State:
    """Budgets, breakers and cool-downs of every account. Safe between threads."""

    def __init__(self) -> None:
        self._lock = _new_lock()
        self._accounts: dict[Account, _Health] = {}

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._accounts.clear()

    def start_afresh(self) -> None:
        """Take a new lock: in a forked child another thread of the parent's may hold it."""
        self._lock = _new_lock()

    def block(self, account: Account, model: str, now_s: float) -> Block | None:
        """Return why an account's model is not to be asked for now, `None` if it is."""
        health = self._accounts.get(account)
        if health is None or health.is_clear:
            return None
        with self._lock:
            if health.quota_until > now_s:
                left_s = health.quota_until - now_s
                return Block("its quota or spending limit is used up", left_s, final=True)
            pause = health.cooling.get(model)
            if pause is not None and pause.until_s > now_s:
                cool_s = pause.until_s - now_s
                return Block("it asked for a pause (rate limit)", cool_s, retries=True)
            until = health.open_until
            if until is not None and (until > now_s or health.is_probed):
                return Block("it failed too often lately (breaker open)", max(until - now_s, 0.0))
            health.is_clear = health.is_idle(now_s)
            return None

    def admit(self, account: Account, model: str, now_s: float) -> Ticket | Block:
        """Begin an attempt unless something holds it back: of two threads one gets the probe."""
        with self._lock:
            health = self._accounts.get(account)
            if health is not None and health.is_clear:
                return Ticket(account, health, model, now_s)
            return self.block(account, model, now_s) or self.begin(account, model, now_s)

    def begin(self, account: Account, model: str, now_s: float) -> Ticket:
        """Note that an attempt begins. The first one after a breaker's pause is its probe."""
        with self._lock:
            health = self._accounts.get(account) or self._new(account, now_s)
            is_probe = (
                health.open_until is not None
                and health.open_until <= now_s
                and not health.is_probed
            )
            if is_probe:
                health.is_probed = True
            return Ticket(account, health, model, now_s, is_probe)

    def commit(self, ticket: Ticket) -> None:
        """Note a stream's first content: a probe has shown by then what it was to show.

        From then on it is an attempt like any other: its end, maybe minutes later, neither opens
        nor closes a breaker on its own.
        """
        with self._lock:
            if ticket.is_probe and self._is_known(ticket):
                ticket.health.close_breaker()
            ticket.is_probe = False

    def abandon(self, ticket: Ticket) -> None:
        """Give back what an attempt held that came to no outcome."""
        with self._lock:
            health = self._settled(ticket)
            if health is not None and ticket.is_probe:
                health.is_probed = False

    def settle(
        self, ticket: Ticket, error: ProviderError | None, timeout_s: float, now_s: float
    ) -> None:
        """Note how an attempt ended that had *timeout_s*; only the first time counts."""
        with self._lock:
            health = self._settled(ticket)
            if health is None:
                return
            if error is None:
                health.budget = min(BUDGET, health.budget + 1)
                health.forgive(ticket)
            elif isinstance(error, QuotaExceededError):
                health.quota_ended(now_s)
            elif isinstance(error, RateLimitError):
                health.cool_down(ticket.model, error.retry_after_s, now_s)
            if error is not None and _says_nothing(error, timeout_s):
                if ticket.is_probe:
                    health.is_probed = False
                return
            self._count(health, ticket, is_failure=_is_failure(error), now_s=now_s)

    def may_retry(self, account: Account, error: ProviderError) -> bool:
        """Take a retry of the same candidate out of the budget; tell whether there was enough."""
        throttled = isinstance(error, (RateLimitError, OverloadedError))
        cost = THROTTLED_COST if throttled else TRANSIENT_COST
        with self._lock:
            health = self._accounts.get(account)
            if health is None:
                return True
            if health.budget < cost:
                return False
            health.budget -= cost
            return True

    def _new(self, account: Account, now_s: float) -> _Health:
        if len(self._accounts) >= MAX_ACCOUNTS:
            idle = [key for key, health in self._accounts.items() if health.is_idle(now_s)]
            for key in idle[: MAX_ACCOUNTS // 2] or list(self._accounts)[: MAX_ACCOUNTS // 2]:
                del self._accounts[key]
        health = self._accounts[account] = _Health()
        return health

    def _settled(self, ticket: Ticket) -> _Health | None:
        if ticket.is_settled:
            return None
        ticket.is_settled = True
        return ticket.health if self._is_known(ticket) else None

    def _is_known(self, ticket: Ticket) -> bool:
        # What was forgotten since, by a reset or for want of room, says nothing of what is new.
        return self._accounts.get(ticket.account) is ticket.health

    def _count(self, health: _Health, ticket: Ticket, *, is_failure: bool, now_s: float) -> None:
        if ticket.is_probe:
            if not is_failure:
                health.close_breaker()
                return
            health.is_probed = False
            health.open_s = min(2 * health.open_s, MAX_OPEN_S)
            health.is_clear = False
            health.open_until = now_s + health.open_s
            return
        health.count(now_s, is_failure=is_failure)
        if (
            health.open_until is None
            and health.attempts >= MIN_ATTEMPTS
            and health.failed > health.attempts * MAX_FAILED_SHARE
        ):
            health.is_clear = False
            health.open_until = now_s + health.open_s


def _is_failure(error: ProviderError | None) -> bool:
    return error is not None and not isinstance(error, _CALLERS_FAULT)


def _says_nothing(error: ProviderError, timeout_s: float) -> bool:
    """Return whether an outcome tells nothing about the provider."""
    return isinstance(error, DeadlineExceededError) and timeout_s < TELLING_TIMEOUT_S


shared_state = State()


def reset_state() -> None:
    """Forget what the process remembers of its providers: breakers, budgets and cool-downs."""
    shared_state.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=shared_state.start_afresh)
