"""Plays the attempts of a call against scripted outcomes and a clock that only it moves."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from specado.catalog import lookup as catalog
from specado.catalog.manifests import Model
from specado.dialects.contract import Encoded
from specado.dialects.framing import FRAMINGS
from specado.dialects.registry import DIALECTS
from specado.endpoints.account import Account
from specado.endpoints.authentication import NoKey
from specado.endpoints.endpoint import Endpoint
from specado.errors import ProviderError
from specado.routing.attempts import Answer, CallHistory, CallLimits, Send, Wait, attempts
from specado.routing.dialect_routes import DialectRoute
from specado.routing.health import Deployment
from specado.routing.plan import NOT_ENCODED, Candidate, Ineligible, Plan, Skipped
from specado.types import ChatCompletionResponse, Extensions

HALF = 0.5
NO_KEY = NoKey("Authorization", "Bearer ")


class Clock:
    """Seconds, moved by hand, and by *tick_s* whenever they are read."""

    def __init__(self, now_s: float = 1000.0, tick_s: float = 0.0) -> None:
        self.now_s = now_s
        self.tick_s = tick_s

    def __call__(self) -> float:
        self.now_s += self.tick_s
        return self.now_s


class Played(NamedTuple):
    """What a call did: effects as text, and how it ended."""

    effects: list[str]
    history: CallHistory
    ended: Any


def candidate(name, index=0, window=None, timeout_s=None):
    """A candidate of a made-up provider; *window* is its model's context window."""
    provider = msgspec.structs.replace(catalog.provider("openai"), name=name)
    url = f"https://{name}.invalid"
    endpoint = Endpoint(provider, url, NO_KEY, (), timeout_s, None, Account(url, ""))
    facts = None if window is None else Model(name, "m", context_window=window)
    deployment = Deployment(name, endpoint.account, "m")
    dialect = DialectRoute("openai_chat", DIALECTS["openai_chat"], url, url, FRAMINGS["sse"])
    written = Encoded(b"{}", [])
    return Candidate(index, endpoint, "m", facts, written, deployment, (dialect,), dialect)


def plan_of(*names, **windows):
    """A plan whose candidates are called *names*, with their context windows where given."""
    found = [candidate(name, place, windows.get(name)) for place, name in enumerate(names)]
    return Plan(found, {}, names[0], names[1] if len(names) > 1 else None)


class _Refuses:
    """Judges the candidates of a plan: those called *names* are not eligible."""

    def __init__(self, names):
        self.names = names
        self.judged = []

    def judge(self, candidate):
        self.judged.append(candidate.provider)
        if candidate.provider in self.names:
            return Ineligible(Skipped(candidate.provider, candidate.model, "refused"))
        candidate.encoded = Encoded(b"{}", [])
        return None

    def choose_model(self, candidate):
        """Every candidate has its model."""


def unjudged_plan(*names, refused=(), **windows):
    """A plan of which only the first candidate is judged; those called *refused* will not be."""
    plan = plan_of(*names, **windows)
    plan.judge = _Refuses(refused)
    for each in plan.candidates[1:]:
        each.encoded = NOT_ENCODED
    return plan


def judge_all(plan):
    """Judge every candidate of *plan*, as if the turn of each had come."""
    for each in list(plan.candidates):
        plan.is_eligible(each)


def reply():
    return ChatCompletionResponse("chatcmpl-1", "m", [], Extensions("a"))


def error(kind=ProviderError, text="failed", **facts):
    return kind(text, **facts)


def play(plan, outcomes, clock=None, random=HALF, late_s=0.0, health=None, **limits):
    """Run a call; an outcome is a reply, an error, or (outcome, seconds it took).

    *late_s* is how much longer than asked every wait takes. Outcomes that are left over fail
    the test: the call was expected to go on.
    """
    clock = clock or Clock()
    left = list(outcomes)
    effects = []
    bounds = CallLimits(**{"timeout_s": 600.0, **limits})
    steps = attempts(plan, bounds, clock, lambda: random, None, health)
    try:
        effect = next(steps)
        while True:
            if isinstance(effect, Send):
                fresh = " fresh" if effect.fresh_connection else ""
                effects.append(f"{effect.candidate.provider} {effect.timeout_s:g}{fresh}")
                assert left, f"an attempt too many: {effects}"
                outcome = left.pop(0)
                outcome, took_s = outcome if isinstance(outcome, tuple) else (outcome, 0.0)
                clock.now_s += took_s
                effect = steps.send(outcome)
            else:
                assert isinstance(effect, Wait)
                effects.append(f"wait {effect.delay_s:g}")
                clock.now_s += effect.delay_s + late_s
                effect = steps.send(None)
    except StopIteration as stop:
        history, ended = stop.value
    assert not left, f"attempts that were not made: {left}; {effects}"
    return Played(effects, history, ended)


def asked(played):
    """The providers that were asked, in order."""
    return [effect.split()[0] for effect in played.effects if not effect.startswith("wait")]


def answered_by(played):
    assert isinstance(played.ended, Answer), played.ended
    return played.ended.candidate.provider
