"""Health under load: bounds of its tables, threads, forks and calls that look at once."""

from __future__ import annotations

import threading

from deployment_health import ONE, attempt, diverts, fail, take_token
from scripted_attempts import error
from specado.endpoints.account import Account
from specado.errors import InvalidRequestError, QuotaExceededError, ServerError
from specado.routing import health as health_module
from specado.routing.health import Attempt, Deployment


def test_accounts_that_come_and_go_do_not_add_up(health, clock, monkeypatch):
    monkeypatch.setattr(health_module, "MAX_ACCOUNTS", 100)
    monkeypatch.setattr(health_module, "MAX_ADDRESSES", 50)
    attempt(health, error(QuotaExceededError), clock)

    for number in range(1000):
        account = Account(f"https://{number}.invalid", "key")
        attempt(health, None, clock, Deployment("p", account, "m"))

    shown = health.as_dict(clock())
    assert len(shown["keys"]) <= 100
    assert len(shown["addresses"]) <= 50
    assert health.hold(ONE, clock()).is_key


def test_models_that_callers_name_do_not_add_up(health, clock, monkeypatch):
    monkeypatch.setattr(health_module, "MAX_MODELS", 100)
    fail(health, clock)

    for number in range(1000):
        attempt(health, None, clock, Deployment("one", ONE.account, f"m{number}"))

    assert len(health.as_dict(clock())["deployments"]) <= 100
    assert diverts(health, clock)


def test_sixty_four_threads_count_every_attempt(health, clock):
    attempt(health, None, clock)

    def work():
        for _ in range(200):
            attempt(health, None, clock)
            attempt(health, error(InvalidRequestError), clock)
            take_token(health, clock, ONE)

    threads = [threading.Thread(target=work) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    breaker = health.as_dict(clock())["deployments"][0]["breaker"]
    assert breaker["attempts"] == 1 + 64 * 400


def test_a_forked_child_starts_with_fresh_state_and_a_fresh_lock(health, clock):
    fail(health, clock)
    other = threading.Thread(target=health._lock.acquire)
    other.start()
    other.join(10)

    health.start_afresh()

    assert health.hold(ONE, clock()) is None
    attempt(health, None, clock)


def test_an_attempt_may_be_settled_in_the_middle_of_another_look(health, clock):
    """As when the garbage collector ends a dropped stream."""
    begun = health.begin(ONE, clock())

    class Dropping(Account):
        def __hash__(self):
            health.settle(begun, None, clock())
            return super().__hash__()

    account = Dropping("a", "b")
    looking = threading.Thread(
        target=health.begin, args=(Deployment("a", account, "m"), clock()), daemon=True
    )
    looking.start()
    looking.join(10)

    assert not looking.is_alive()
    assert begun.is_settled


def test_an_attempt_from_before_a_reset_counts_for_nothing(health, clock):
    fail(health, clock)
    clock.now_s += 5.0
    probe = health.begin(ONE, clock())

    health.reset()
    attempt(health, None, clock)
    health.settle(probe, error(ServerError), clock())

    assert not diverts(health, clock)


def test_of_two_calls_that_look_at_once_one_probes(health, clock):
    fail(health, clock)
    clock.now_s += 5.0

    first, second = (health.admit(ONE, clock()) for _ in range(2))

    assert isinstance(first, Attempt)
    assert second.reason == "it failed too often lately (circuit breaker)"
