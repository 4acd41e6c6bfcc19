"""Resolves model names to routes: the first provider and model of a call, and its fallbacks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Callable, Optional

import msgspec
from msgspec.structs import replace

from specado.catalog import lookup as catalog
from specado.catalog.lookup import Model, Provider, ProviderOutline
from specado.endpoints.access import has_own_address
from specado.endpoints.endpoint import Endpoint
from specado.errors import ConfigurationError
from specado.routing.dialect_routes import DialectRoute, dialect_routes
from specado.routing.health import Deployment
from specado.settings.client_settings import DEFAULT_FALLBACKS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from specado.endpoints.access import Access
    from specado.settings.client_settings import Settings

__all__ = [
    "ModelResolver",
    "Route",
    "Weigh",
    "check_name",
    "choose_model",
    "configured_fallbacks",
    "counterpart_route",
    "known_provider",
    "routes",
]


# How many of the providers that list a model an error names.
MOST_NAMED = 3


class Route(msgspec.Struct, frozen=True):
    """A provider and a model of it; `model` is `None` if no fallback model is known.

    `named`: the caller chose the model. `is_retired`: the model's last day is over. An open route
    has no model yet: `choose_model` finds the one that loses least of the request. `endpoint`,
    `dialects` and `deployment` are those of one client, and `None` or empty before it is known.
    """

    provider: Provider
    model: Optional[str]
    facts: Optional[Model]
    named: bool = False
    is_retired: bool = False
    is_open: bool = False
    endpoint: Optional[Endpoint] = None
    dialects: tuple[DialectRoute, ...] = ()
    deployment: Optional[Deployment] = None

    def at(self, access: Access) -> Route:
        """Return the route as one client reaches it.

        Raises:
            ConfigurationError: a key or a base URL in the environment, or `dialects`, is wrong.
        """
        provider, model = self.provider, self.model or ""
        endpoint = access.endpoint(provider)
        dialects = dialect_routes(provider, model, self.facts, endpoint, access)
        deployment = Deployment(provider.name, endpoint.account, model)
        return replace(self, endpoint=endpoint, dialects=dialects, deployment=deployment)


# Measures the losses of a request at a model: (worst severity, number of losses).
Weigh = Callable[["Provider", "Model"], tuple[int, int]]


def _equal(_provider: Provider, _model: Model) -> tuple[int, int]:
    return 0, 0


def known_provider(name: str, key: str) -> Provider:
    """Return a provider by name; an unknown name is an error about the setting *key*."""
    found = catalog.provider(name)
    if found is None:
        raise _unknown_name(name, key)
    return found


def check_name(name: str, key: str) -> None:
    """Refuse a name that is no provider's as `known_provider` does, without reading a manifest."""
    if not catalog.is_provider(name):
        raise _unknown_name(name, key)


def _unknown_name(name: str, key: str) -> ConfigurationError:
    said = catalog.unknown_provider(name, catalog.list_providers())
    return ConfigurationError(f"{key}: {name!r} is not a provider; {said}", key=key)


def configured_fallbacks(settings: Settings) -> tuple[str, ...]:
    """Return the names of the fallback providers in the settings, the default one included."""
    if settings.fallback_providers is not None:
        return settings.fallback_providers
    return (settings.fallback_provider,) if settings.fallback_provider else ()


def _named_fallbacks(settings: Settings) -> tuple[str, ...]:
    """Return the fallback providers that a setting or a variable names, without the default."""
    if settings.fallback_providers is None and not settings.is_fallback_named:
        return ()
    return configured_fallbacks(settings)


class ModelResolver:
    """Resolves a model name to a provider and the model's id there, for one client.

    *own_address* returns whether a setting or a variable overrides a provider's base URL; by
    default the environment is read at each call.
    """

    def __init__(
        self,
        settings: Settings,
        own_address: Callable[[Provider | ProviderOutline], bool] | None = None,
    ) -> None:
        self._settings = settings
        self._own_address = own_address

    def _has_own_address(self, provider: Provider | ProviderOutline) -> bool:
        if self._own_address is None:
            return has_own_address(provider, self._settings)
        return self._own_address(provider)

    @property
    def primary(self) -> Provider:
        """The primary provider."""
        return known_provider(self._settings.primary_provider, "primary_provider")

    def is_own(self, provider: Provider | ProviderOutline) -> bool:
        """Return whether a provider is the caller's own: registered, or with a custom base URL."""
        return catalog.is_registered(provider.name) or self._has_own_address(provider)

    def takes_ids_whole(self, provider: Provider | ProviderOutline) -> bool:
        """Return whether the provider takes ids with a slash as they are: no part is a prefix."""
        return provider.ids_have_slashes or self._has_own_address(provider)

    def configured(self) -> list[str]:
        """Return the providers to search for a model without a prefix, the primary one first.

        A primary provider that is the caller's own has no default fallback.
        """
        fallbacks = configured_fallbacks(self._settings)
        if self.is_own(self.primary):
            fallbacks = _named_fallbacks(self._settings)
        return list(dict.fromkeys((self._settings.primary_provider, *fallbacks)))

    def route(self, model: str, key: str = "model") -> tuple[Route, bool]:
        """Return the route for a model name, and whether its prefix chose the provider.

        Raises:
            ConfigurationError: the name is empty, its prefix is no provider, or only a provider
                that is not configured lists the model; *key* is the setting in the error.
        """
        if not model.strip():
            raise ConfigurationError(f"{key} is empty: name one, such as 'gpt-5.4'", key=key)
        primary = self.primary
        if "/" not in model:
            return self._bare(model, key), False
        if primary.find(model) is not None:
            return _named_route(primary, model), False
        prefix, _, rest = model.partition("/")
        is_named = catalog.is_provider(prefix)
        if is_named and not rest.strip():
            raise ConfigurationError(f"{key} {model!r} names no model after the slash", key=key)
        if self.takes_ids_whole(primary):
            id_ = _without_own_name(model, primary)
            return _named_route(primary, id_), id_ != model
        if not is_named:
            return self._bare(model, key), False
        return _named_route(known_provider(prefix, key), rest), True

    def _bare(self, model: str, key: str) -> Route:
        """Return the route for a model id without a provider prefix."""
        configured = self.configured()
        for name in configured:
            if catalog.find_model(name, model) is not None:
                return _named_route(known_provider(name, "primary_provider"), model)
        primary = self.primary
        if "/" not in model and self.is_own(primary):
            return _named_route(primary, model)  # the caller's own server knows its models
        own = f"{primary.name}/{model}"
        having = catalog.providers_with(model)
        # Many hosts list other makers' models: a maker that lists the model too is meant.
        makers = [each for each in having if not each.hosts_others]
        if len(having) == 1 or len(makers) == 1:
            raise self._elsewhere(model, having[:MOST_NAMED], own, key)
        if "/" in model:
            raise _unknown_prefix(model, own, key)
        before, colon, rest = model.partition(":")  # as other libraries write a provider
        if colon and catalog.is_provider(before):
            raise ConfigurationError(
                f"{key} {model!r}: a provider is named before a slash: say {f'{before}/{rest}'!r}, "
                f"or {own!r} to ask {primary.name!r} for the id with this colon",
                key=key,
            )
        return _named_route(primary, model)

    def _elsewhere(
        self, model: str, having: Sequence[ProviderOutline], own: str, key: str
    ) -> ConfigurationError:
        """Return the error for an id of other providers; *own* is the id at the primary one."""
        primary = self.primary
        others = " and ".join(repr(each.name) for each in having)
        say = "say " + " or ".join(repr(f"{each.name}/{model}") for each in having)
        if self.takes_ids_whole(primary):
            say = f"name {having[0].name!r} as primary_provider or fallback_provider"
        return ConfigurationError(
            f"{key} {model!r}: no configured provider lists it, and {others} "
            f"{'does' if len(having) == 1 else 'do'}: {say}, or {own!r} to ask {primary.name!r} "
            "for it",
            key=key,
        )

    def id_at(self, provider: Provider, model: str, key: str) -> str:
        """Return the model id at a given provider, without the provider's prefix.

        Raises:
            ConfigurationError: the prefix is another provider, or no provider.
        """
        if "/" not in model or provider.find(model) is not None:
            return model
        id_ = _without_own_name(model, provider)
        if id_ != model or self.takes_ids_whole(provider):
            return id_
        own = f"{provider.name}/{model}"
        prefix = model.partition("/")[0]
        if not catalog.is_provider(prefix):
            raise _unknown_prefix(model, own, key)
        raise ConfigurationError(
            f"{key}: {model!r} is a model of {prefix!r}, not of {provider.name!r}; {own!r} asks "
            f"{provider.name!r} for the id with this slash",
            key=key,
        )

    def check_model_map(self) -> None:
        """Refuse a `model_map` with a name whose prefix is no provider or the wrong one."""
        for model, targets in self._settings.model_map.items():
            if "/" in model and not self._may_be_asked_for(model):
                raise _unknown_prefix(model, f"{self.primary.name}/{model}", "model_map")
            for name, target in targets.items():
                key = f"model_map[{model!r}]"
                self.id_at(known_provider(name, key), target, f"{key}[{name!r}]")

    def _may_be_asked_for(self, model: str) -> bool:
        """Return whether an id with a slash has a provider prefix or may be a provider's own id."""
        asked = {*self.configured(), *self._settings.providers}
        return bool(catalog.providers_with(model)) or any(
            model.startswith(f"{each.name}/")
            or self.is_own(each)
            or (each.name in asked and self.takes_ids_whole(each))
            for each in catalog.outlines()
        )


def _named_route(provider: Provider, model: str) -> Route:
    return Route(provider, model, provider.find(model), named=True)


def _without_own_name(model: str, provider: Provider) -> str:
    """Return an id without the provider's own prefix."""
    return model.removeprefix(f"{provider.name}/") or model


def _unknown_prefix(model: str, own: str, key: str) -> ConfigurationError:
    """Return the error for an id with an unknown prefix; *own* is the id with a known one."""
    prefix, _, rest = model.partition("/")
    said = catalog.unknown_provider(prefix, catalog.list_providers(), f"/{rest}")
    return ConfigurationError(
        f"{key} {model!r}: {prefix!r} is not a provider; {said}; {own!r} asks "
        f"{own.partition('/')[0]!r} for the id with this slash",
        key=key,
    )


def routes(
    model: str,
    settings: Settings,
    fallback_models: Sequence[str] | None,
    today: date,
    weigh: Weigh | None = _equal,
    lookup: ModelResolver | None = None,
) -> list[Route]:
    """Return the routes of a call in order, without duplicates.

    A fallback model that neither the caller nor a manifest names is chosen by `_least_loss`, with
    *weigh* as the measure of losses; with `None` for *weigh* the route is open.

    Raises:
        ConfigurationError: the model's name is empty, or a provider is not known.
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
    # Compared by the id that is sent: two snapshots share one entry in the manifest, yet differ.
    unique: dict[tuple[str, str | None], Route] = {}
    for route in found:
        unique.setdefault((route.provider.name, route.model), route)
    return [
        replace(route, is_retired=route.facts is not None and route.facts.is_retired(today))
        for route in unique.values()
    ]


def _mapped_names(asked: str, first: Route) -> list[str]:
    """Return the keys under which `model_map` may list the asked model, in order of precedence."""
    bare = first.model or asked
    names = [asked, f"{first.provider.name}/{bare}", bare]
    return names + ([first.facts.id, *first.facts.aliases] if first.facts else [])


def _following(
    names: Sequence[str], settings: Settings, lookup: ModelResolver, *, keeps_to_named: bool
) -> list[str]:
    """Return the names of the fallback providers for the first candidate, in order.

    If a prefix chose the provider or it is the caller's own, only providers that the settings name
    may get the prompt.
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
    weigh: Weigh | None,
    lookup: ModelResolver,
) -> Route:
    """Return the route to the fallback *provider*: its model for the asked one."""
    for name in names:
        mapped = settings.model_map.get(name, {}).get(provider.name)
        if mapped is not None:
            key = f"model_map[{name!r}][{provider.name!r}]"
            return _named_route(provider, lookup.id_at(provider, mapped, key))
    if provider.name == first.provider.name:
        return first
    return counterpart_route(first.model or names[0], first.facts, provider, today, weigh)


def counterpart_route(
    model: str, facts: Model | None, provider: Provider, today: date, weigh: Weigh | None = _equal
) -> Route:
    """Return the route to the counterpart at *provider* of another provider's *model*.

    That is the same model, else the one that the manifest names (`fallback_for`), else the general
    model of `_least_loss`; where that one is to be chosen and *weigh* is `None`, the route is
    open. *facts* are the facts about *model*.
    """
    found = provider.find(model)
    if found is not None:
        return Route(provider, model, found)
    target = provider.counterpart(model, facts)
    if target is not None:
        return Route(provider, target, provider.find(target))
    known = _general_models(provider, today)
    if weigh is None and known:
        return Route(provider, None, None, is_open=True)
    found = _least_loss(facts, provider, known, weigh or _equal)
    return Route(provider, None if found is None else found.id, found)


def choose_model(provider: Provider, asked: Model | None, today: date, weigh: Weigh) -> Model:
    """Return the model of an open route at *provider*; *asked* are the first candidate's facts."""
    found = _least_loss(asked, provider, _general_models(provider, today), weigh)
    if found is None:
        raise LookupError(f"{provider.name!r} has no general model: its route is not open")
    return found


def _general_models(provider: Provider, today: date) -> list[Model]:
    """Return the provider's models for general use that are not retired."""
    return [
        model for model in provider.models.values() if model.general and not model.is_retired(today)
    ]


def _least_loss(
    asked: Model | None, provider: Provider, known: Sequence[Model], weigh: Weigh
) -> Model | None:
    """Return the best of the *known* models for a fallback, `None` if there is none.

    Models are compared by: no announced last day, least losses (*weigh*), nearest price, id.
    If the price of *asked* is unknown, the cheapest is the nearest.
    """
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
    """Return the dollars for a million tokens in and a million out, *unknown* if not known."""
    pricing = model.pricing
    if pricing is None or pricing.input is None or pricing.output is None:
        return unknown
    return pricing.input + pricing.output
