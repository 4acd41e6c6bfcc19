"""Which provider and model a call goes to first, and which come after it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Callable, Optional

import msgspec
from msgspec.structs import replace

from specado.catalog import lookup as catalog
from specado.catalog.lookup import Model, Provider
from specado.endpoints.access import has_own_address
from specado.errors import ConfigurationError
from specado.settings.client_settings import DEFAULT_FALLBACKS
from specado.settings.validators import closest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from specado.settings.client_settings import Settings

__all__ = [
    "ModelResolver",
    "Route",
    "Weigh",
    "configured_fallbacks",
    "counterpart_route",
    "known_provider",
    "routes",
]


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
    found = catalog.provider(name)
    if found is None:
        known = catalog.list_providers()
        near = closest(name, known)
        hint = f"; did you mean {near!r}?" if near else ""
        raise ConfigurationError(
            f"{key}: {name!r} is not a provider; known: {', '.join(known)} "
            f"(register_manifest adds one){hint}",
            key=key,
        )
    return found


def configured_fallbacks(settings: Settings) -> tuple[str, ...]:
    """Return the names of the providers that may follow the primary one."""
    if settings.fallback_providers is not None:
        return settings.fallback_providers
    return (settings.fallback_provider,) if settings.fallback_provider else ()


def _named_fallbacks(settings: Settings) -> tuple[str, ...]:
    """Return the fallback providers that a setting or a variable names: without the default."""
    if settings.fallback_providers is None and not settings.is_fallback_named:
        return ()
    return configured_fallbacks(settings)


class ModelResolver:
    """Finds the provider and the id that a model's name means, for one client.

    *own_address* tells of a provider whether a setting or a variable gives it an address; by
    default the environment is read anew each time.
    """

    def __init__(
        self, settings: Settings, own_address: Callable[[Provider], bool] | None = None
    ) -> None:
        self._settings = settings
        self._own_address = own_address

    def _has_own_address(self, provider: Provider) -> bool:
        if self._own_address is None:
            return has_own_address(provider, self._settings)
        return self._own_address(provider)

    @property
    def primary(self) -> Provider:
        """The primary provider."""
        return known_provider(self._settings.primary_provider, "primary_provider")

    def is_own(self, provider: Provider) -> bool:
        """Return whether a provider is the caller's own: by its address, or registered."""
        return catalog.is_registered(provider.name) or self._has_own_address(provider)

    def takes_ids_whole(self, provider: Provider) -> bool:
        """Return whether every id with a slash is the provider's own, whatever its first part."""
        return provider.ids_have_slashes or self._has_own_address(provider)

    def configured(self) -> list[str]:
        """Return the names of the providers that a bare id may mean, the primary one first.

        Where a registered manifest replaces the primary one, no provider stands in by default.
        """
        fallbacks = configured_fallbacks(self._settings)
        if self.is_own(self.primary):
            fallbacks = _named_fallbacks(self._settings)
        return list(dict.fromkeys((self._settings.primary_provider, *fallbacks)))

    def route(self, model: str, key: str = "model") -> tuple[Route, bool]:
        """Return the route for a model as a caller names it, and whether a prefix chose it.

        Raises:
            ConfigurationError: the name is empty, or means no provider, or another one than those
                that are configured; *key* is what the error blames.
        """
        if not model.strip():
            raise ConfigurationError(f"{key} is empty: name one, such as 'gpt-5.4'", key=key)
        primary = self.primary
        if "/" not in model:
            return self._bare(model, key), False
        if primary.find(model) is not None:
            return _named_route(primary, model), False
        prefix, _, rest = model.partition("/")
        named = catalog.provider(prefix)
        if named is not None and not rest.strip():
            raise ConfigurationError(f"{key} {model!r} names no model after the slash", key=key)
        if self.takes_ids_whole(primary):
            id_ = _without_own_name(model, primary)
            return _named_route(primary, id_), id_ != model
        if named is None:
            return self._bare(model, key), False
        return _named_route(named, rest), True

    def _bare(self, model: str, key: str) -> Route:
        """Return the route for an id without a provider's name before it."""
        configured = self.configured()
        for name in configured:
            if catalog.find_model(name, model) is not None:
                return _named_route(known_provider(name, "primary_provider"), model)
        primary = self.primary
        if "/" not in model and self.is_own(primary):
            return _named_route(primary, model)  # its server says what it has
        having = [
            name for name in catalog.list_providers() if catalog.find_model(name, model) is not None
        ]
        own = f"{primary.name}/{model}"
        if len(having) == 1:
            other = having[0]
            say = f"say {f'{other}/{model}'!r}"
            if self.takes_ids_whole(primary):
                say = f"name {other!r} as primary_provider or fallback_provider"
            raise ConfigurationError(
                f"{key} {model!r}: no configured provider lists it, and {other!r} does: {say}, or "
                f"{own!r} to ask {primary.name!r} for it",
                key=key,
            )
        if "/" in model:
            raise _unknown_prefix(model, own, key)
        before, colon, rest = model.partition(":")  # as other libraries write a provider
        if colon and catalog.provider(before) is not None:
            raise ConfigurationError(
                f"{key} {model!r}: a provider is named before a slash: say {f'{before}/{rest}'!r}, "
                f"or {own!r} to ask {primary.name!r} for the id with this colon",
                key=key,
            )
        return _named_route(primary, model)

    def id_at(self, provider: Provider, model: str, key: str) -> str:
        """Return the id that *model* means where the provider is already said.

        Raises:
            ConfigurationError: the id begins with another provider's name, or with no one's.
        """
        if "/" not in model or provider.find(model) is not None:
            return model
        id_ = _without_own_name(model, provider)
        if id_ != model or self.takes_ids_whole(provider):
            return id_
        own = f"{provider.name}/{model}"
        prefix = model.partition("/")[0]
        if catalog.provider(prefix) is None:
            raise _unknown_prefix(model, own, key)
        raise ConfigurationError(
            f"{key}: {model!r} is a model of {prefix!r}, not of {provider.name!r}; {own!r} asks "
            f"{provider.name!r} for the id with this slash",
            key=key,
        )

    def check_model_map(self) -> None:
        """Refuse a `model_map` whose names begin with no provider, or with another one's."""
        for model, targets in self._settings.model_map.items():
            if "/" in model and not self._may_be_asked_for(model):
                raise _unknown_prefix(model, f"{self.primary.name}/{model}", "model_map")
            for name, target in targets.items():
                key = f"model_map[{model!r}]"
                self.id_at(known_provider(name, key), target, f"{key}[{name!r}]")

    def _may_be_asked_for(self, model: str) -> bool:
        """Return whether an id with a slash may be somebody's, or begins with a provider's name."""
        found = (catalog.provider(name) for name in catalog.list_providers())
        return any(
            model.startswith(f"{each.name}/")
            or self.is_own(each)
            or self.takes_ids_whole(each)
            or each.find(model) is not None
            for each in found
            if each is not None
        )


def _named_route(provider: Provider, model: str) -> Route:
    return Route(provider, model, provider.find(model), named=True)


def _without_own_name(model: str, provider: Provider) -> str:
    """Return an id without the provider's own name before it."""
    return model.removeprefix(f"{provider.name}/") or model


def _unknown_prefix(model: str, own: str, key: str) -> ConfigurationError:
    """Return the error for an id whose first part is no provider; *own* asks the one meant."""
    prefix, _, rest = model.partition("/")
    known = catalog.list_providers()
    near = closest(prefix, known) if prefix else None
    hint = f"did you mean {f'{near}/{rest}'!r}? " if near else ""
    return ConfigurationError(
        f"{key} {model!r}: {prefix!r} is not a provider; {hint}Known: {', '.join(known)} "
        f"(register_manifest adds one); {own!r} asks {own.partition('/')[0]!r} for the id with "
        "this slash",
        key=key,
    )


def routes(
    model: str,
    settings: Settings,
    fallback_models: Sequence[str] | None,
    today: date,
    weigh: Weigh = _equal,
    lookup: ModelResolver | None = None,
) -> list[Route]:
    """Return the call's routes in order, the first candidate's first; equal ones collapse.

    Where nothing else says which model stands in, the one of least *weigh* does.

    Raises:
        ConfigurationError: the model's name is empty, or a provider is not registered.
    """
    if lookup is None:
        lookup = ModelResolver(settings)
    first, is_prefixed = lookup.route(model)
    found = [first]
    if fallback_models is not None:
        found += [
            lookup.route(name, f"fallback_models[{place}]")[0]
            for place, name in enumerate(fallback_models)
        ]
    elif settings.enable_fallback:
        listed = settings.fallback_providers is not None
        key = "fallback_providers" if listed else "fallback_provider"
        names = _mapped_names(model, first)
        keeps_to_named = is_prefixed or lookup.is_own(first.provider)
        found += [
            _fallback(names, first, known_provider(name, key), settings, today, weigh, lookup)
            for name in _following(names, settings, lookup, keeps_to_named=keeps_to_named)
            if name != first.provider.name or name in configured_fallbacks(settings)
        ]
    # By the id as it would be sent: two snapshots have one entry in the manifest, yet differ.
    unique: dict[tuple[str, str | None], Route] = {}
    for route in found:
        unique.setdefault((route.provider.name, route.model), route)
    return [
        replace(route, is_retired=route.facts is not None and route.facts.is_retired(today))
        for route in unique.values()
    ]


def _mapped_names(asked: str, first: Route) -> list[str]:
    """Return what `model_map` may call the model of the first candidate, the nearest first."""
    bare = first.model or asked
    names = [asked, f"{first.provider.name}/{bare}", bare]
    return names + ([first.facts.id, *first.facts.aliases] if first.facts else [])


def _following(
    names: Sequence[str], settings: Settings, lookup: ModelResolver, *, keeps_to_named: bool
) -> list[str]:
    """Return the providers that may follow the first candidate, in order.

    A prompt that was meant for one provider, by a prefix or because it is the caller's own, goes
    on only to those that the settings name.
    """
    if not keeps_to_named:
        return lookup.configured()
    mapped = {name for model in names for name in settings.model_map.get(model, ())}
    usual = (settings.primary_provider, *DEFAULT_FALLBACKS)
    return list(
        dict.fromkeys((*_named_fallbacks(settings), *(name for name in usual if name in mapped)))
    )


def _fallback(
    names: Sequence[str],
    first: Route,
    provider: Provider,
    settings: Settings,
    today: date,
    weigh: Weigh,
    lookup: ModelResolver,
) -> Route:
    """Return what *provider* is asked for when the first candidate fails."""
    for name in names:
        mapped = settings.model_map.get(name, {}).get(provider.name)
        if mapped is not None:
            key = f"model_map[{name!r}][{provider.name!r}]"
            return _named_route(provider, lookup.id_at(provider, mapped, key))
    if provider.name == first.provider.name:
        return first
    return counterpart_route(first.model or names[0], first.facts, provider, today, weigh)


def counterpart_route(
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
    """Return the general model that loses least; of equals the nearest in price.

    A model whose last day is announced comes after all others. Where the price of the model that
    was asked for is unknown the cheapest counts as nearest.
    """
    known = [
        model for model in provider.models.values() if model.general and not model.is_retired(today)
    ]
    wanted = 0.0 if asked is None else _price(asked, unknown=0.0)
    return min(
        known,
        key=lambda model: (
            model.deprecation_date is not None,
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
