"""Which provider and model a call goes to first, and which come after it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Callable, Optional

import msgspec
from msgspec.structs import replace

from specado import capabilities
from specado.capabilities import Model, Provider
from specado.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from specado.config import Settings

__all__ = ["Route", "Weigh", "configured_fallbacks", "known_provider", "routes", "stand_in"]


class Route(msgspec.Struct, frozen=True):
    """A provider and the model to ask there; `model` is `None` if none is known for it.

    `named` tells that the caller chose the model, `is_retired` that its last day is over.
    """

    provider: Provider
    model: Optional[str]
    facts: Optional[Model]
    named: bool = False
    is_retired: bool = False


# How much a request loses at a model: less is better.
Weigh = Callable[["Provider", "Model"], tuple[int, int]]


def _equal(_provider: Provider, _model: Model) -> tuple[int, int]:
    return 0, 0


def known_provider(name: str, key: str) -> Provider:
    """Return a registered provider; *key* is the setting to blame if there is none of the name."""
    found = capabilities.provider(name)
    if found is None:
        known = ", ".join(capabilities.list_providers())
        raise ConfigurationError(
            f"{key}: {name!r} is not a provider; known: {known} (register_manifest adds one)",
            key=key,
        )
    return found


def configured_fallbacks(settings: Settings) -> tuple[str, ...]:
    """Return the names of the providers that may follow the primary one."""
    if settings.fallback_providers is not None:
        return settings.fallback_providers
    return (settings.fallback_provider,) if settings.fallback_provider else ()


def routes(
    model: str,
    settings: Settings,
    fallback_models: Sequence[str] | None,
    today: date,
    weigh: Weigh = _equal,
) -> list[Route]:
    """Return the call's routes in order, the first candidate's first; equal ones collapse.

    Where nothing else says which model stands in, the one of least *weigh* does.

    Raises:
        ConfigurationError: the model's name is empty, or a provider is not registered.
    """
    fallbacks = configured_fallbacks(settings)
    configured = list(dict.fromkeys((settings.primary_provider, *fallbacks)))
    first = _named_route(model, configured)
    found = [first]
    if fallback_models is not None:
        found += [_named_route(name, configured) for name in fallback_models]
    elif settings.enable_fallback:
        listed = settings.fallback_providers is not None
        key = "fallback_providers" if listed else "fallback_provider"
        found += [
            _fallback(model, first, known_provider(name, key), settings, today, weigh)
            for name in configured
            if name != first.provider.name or name in fallbacks
        ]
    # By the id as it would be sent: two snapshots have one entry in the manifest, yet differ.
    unique: dict[tuple[str, str | None], Route] = {}
    for route in found:
        unique.setdefault((route.provider.name, route.model), route)
    return [
        replace(route, is_retired=route.facts is not None and route.facts.is_retired(today))
        for route in unique.values()
    ]


def _named_route(model: str, configured: Sequence[str]) -> Route:
    """Return the route for a model as a caller names it, with or without its provider."""
    prefix, slash, rest = model.partition("/")
    if slash and rest:
        named = capabilities.provider(prefix)
        if named is not None:
            return Route(named, rest, named.find(rest), named=True)
    if not model.strip():
        raise ConfigurationError("model is empty: name one, such as 'gpt-4o'", key="model")
    for name in configured:
        facts = capabilities.find_model(name, model)
        if facts is not None:
            return Route(known_provider(name, "primary_provider"), model, facts, named=True)
    return Route(known_provider(configured[0], "primary_provider"), model, None, named=True)


def _fallback(
    asked: str,
    first: Route,
    provider: Provider,
    settings: Settings,
    today: date,
    weigh: Weigh,
) -> Route:
    """Return what *provider* is asked for when the first candidate fails."""
    bare = first.model or asked
    names = [asked, bare] + ([first.facts.id, *first.facts.aliases] if first.facts else [])
    for name in names:
        mapped = settings.model_map.get(name, {}).get(provider.name)
        if mapped is not None:
            mapped = mapped.removeprefix(f"{provider.name}/")
            return Route(provider, mapped, provider.find(mapped), named=True)
    if provider.name == first.provider.name:
        return first
    return stand_in(bare, first.facts, provider, today, weigh)


def stand_in(
    model: str, facts: Model | None, provider: Provider, today: date, weigh: Weigh = _equal
) -> Route:
    """Return the route at *provider* for another provider's *model*, whose facts are *facts*."""
    found = provider.find(model)
    if found is not None:
        return Route(provider, model, found)
    target = provider.counterpart(model, facts)
    if target is not None:
        return Route(provider, target, provider.find(target))
    found = _least_loss(facts, provider, today, weigh)
    return Route(provider, None if found is None else found.id, found)


def _least_loss(asked: Model | None, provider: Provider, today: date, weigh: Weigh) -> Model | None:
    """Return the current general model that loses least; of equals the nearest in price.

    Where the price of the model that was asked for is unknown the cheapest counts as nearest.
    """
    known = [
        model for model in provider.models.values() if model.general and not model.is_retired(today)
    ]
    wanted = 0.0 if asked is None else _price(asked, unknown=0.0)
    return min(
        known,
        key=lambda model: (
            weigh(provider, model),
            abs(_price(model, unknown=math.inf) - wanted),
            model.id,
        ),
        default=None,
    )


def _price(model: Model, *, unknown: float) -> float:
    """Return dollars for a million tokens in and a million out, *unknown* if none are known."""
    pricing = model.pricing
    if pricing is None or pricing.input is None or pricing.output is None:
        return unknown
    return pricing.input + pricing.output
