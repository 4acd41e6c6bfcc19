"""Plays the attempts of a call against scripted outcomes and a clock that only it moves."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from specado.catalog import lookup as catalog
from specado.catalog.manifests import Model
from specado.dialects.contract import Encoded
from specado.endpoints.account import Account
from specado.endpoints.endpoint import Endpoint
from specado.errors import ProviderError
from specado.routing.attempts import Answer, CallHistory, CallLimits, Send, Wait, attempts
from specado.routing.health import Deployment
from specado.routing.plan import Candidate, Plan
from specado.types import ChatCompletionResponse, Extensions

HALF = 0.5


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
    endpoint = Endpoint(provider, url, None, (), timeout_s, None, Account(url, ""))
    facts = None if window is None else Model(name, "m", context_window=window)
    deployment = Deployment(name, endpoint.account, "m")
    return Candidate(index, endpoint, "m", facts, Encoded(b"{}", []), deployment)


def plan_of(*names, **windows):
    """A plan whose candidates are called *names*, with their context windows where given."""
    found = [candidate(name, place, windows.get(name)) for place, name in enumerate(names)]
    return Plan(found, [], names[0], names[1] if len(names) > 1 else None)


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
