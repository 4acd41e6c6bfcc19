"""Deployments, and attempts at them that settle in a `Health` as a test wants."""

from __future__ import annotations

from scripted_attempts import error
from specado.endpoints.account import Account
from specado.errors import ServerError
from specado.routing.health import Deployment

__all__ = [
    "ONE",
    "OTHER_KEY",
    "OTHER_MODEL",
    "OTHER_PATH",
    "attempt",
    "diverts",
    "fail",
    "take_token",
]

ONE = Deployment("one", Account("https://one.invalid/v1", "key"), "m")
OTHER_MODEL = Deployment("one", ONE.account, "another model")
OTHER_KEY = Deployment("one", Account("https://one.invalid/v1", "another key"), "m")
OTHER_PATH = Deployment("one", Account("https://one.invalid/other", "key"), "m")


def attempt(health, outcome, clock, deployment=ONE, took_s=0.0, **facts):
    begun = health.begin(deployment, clock())
    clock.now_s += took_s
    health.settle(begun, outcome, clock(), **facts)


def fail(health, clock, times=5, kind=ServerError, span_s=1.0, deployment=ONE, **facts):
    """Let *times* attempts fail one after the other within *span_s* seconds."""
    for place in range(times):
        if place:
            clock.now_s += span_s / (times - 1)
        attempt(health, error(kind, **facts), clock, deployment)


def take_token(health, clock, deployment=ONE, may_queue=True):
    """Take a token; return the seconds until its turn, `None` if there is none."""
    token = health.take_token(deployment, clock(), may_queue=may_queue)
    return None if token is None else health.token_wait_s(token, clock())


def diverts(health, clock, deployment=ONE):
    hold = health.hold(deployment, clock())
    return hold is not None and hold.diverting
