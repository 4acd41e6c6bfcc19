"""Which provider and model a call goes to first, and which come after it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, Optional

from specado import capabilities
from specado.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from specado.capabilities import Model, Provider
    from specado.config import Settings

__all__ = ["Route", "known_provider", "routes"]


class Route(NamedTuple):
    """A provider and the model to ask there; `model` is `None` if none is known for it."""

    provider: Provider
    model: Optional[str]
    facts: Optional[Model]


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
    model: str, settings: Settings, fallback_models: Sequence[str] | None, today: date
) -> list[Route]:
    """Return the call's routes in order, the first candidate's first; equal ones collapse.

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
            _fallback(model, first, known_provider(name, key), settings, today)
            for name in configured
            if name != first.provider.name or name in fallbacks
        ]
    # By the id as it would be sent: two snapshots have one entry in the manifest, yet differ.
    unique: dict[tuple[str, str | None], Route] = {}
    for route in found:
        unique.setdefault((route.provider.name, route.model), route)
    return list(unique.values())


def _named_route(model: str, configured: Sequence[str]) -> Route:
    """Return the route for a model as a caller names it, with or without its provider."""
    prefix, slash, rest = model.partition("/")
    if slash and rest:
        named = capabilities.provider(prefix)
        if named is not None:
            return Route(named, rest, named.find(rest))
    if not model.strip():
        raise ConfigurationError("model is empty: name one, such as 'gpt-4o'", key="model")
    for name in configured:
        facts = capabilities.find_model(name, model)
        if facts is not None:
            return Route(known_provider(name, "primary_provider"), model, facts)
    return Route(known_provider(configured[0], "primary_provider"), model, None)


def _fallback(
    asked: str, first: Route, provider: Provider, settings: Settings, today: date
) -> Route:
    """Return what *provider* is asked for when the first candidate fails."""
    bare = first.model or asked
    names = [asked, bare] + ([first.facts.id, *first.facts.aliases] if first.facts else [])
    for name in names:
        mapped = settings.model_map.get(name, {}).get(provider.name)
        if mapped is not None:
            mapped = mapped.removeprefix(f"{provider.name}/")
            return Route(provider, mapped, provider.find(mapped))
    if provider.name == first.provider.name:
        return first
    facts = provider.find(bare)
    if facts is not None:
        return Route(provider, bare, facts)
    target = provider.counterpart(bare, first.facts)
    if target is not None:
        return Route(provider, target, provider.find(target))
    facts = _nearest(first.facts, provider, today)
    return Route(provider, None if facts is None else facts.id, facts)


def _nearest(asked: Model | None, provider: Provider, today: date) -> Model | None:
    """Return the current general model nearest in price, the cheapest if no price is known."""
    known = [
        model for model in provider.models.values() if model.general and not model.is_retired(today)
    ]
    wanted = 0.0 if asked is None else _price(asked, unknown=0.0)
    return min(
        known,
        key=lambda model: (abs(_price(model, unknown=math.inf) - wanted), model.id),
        default=None,
    )


def _price(model: Model, *, unknown: float) -> float:
    """Return dollars for a million tokens in and a million out, *unknown* if none are known."""
    pricing = model.pricing
    if pricing is None or pricing.input is None or pricing.output is None:
        return unknown
    return pricing.input + pricing.output
