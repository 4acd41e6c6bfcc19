"""Lookup of providers and models in the manifests, shipped or registered.

A shipped manifest is read once, at its first use, which is a call or a setting that names its
provider. What concerns all providers is answered by their `outlines`, from an index. The public
functions return fresh plain dicts: changing one does not change the routing. Routing and the
encoders use `provider` and `find_model`, which return shared frozen Structs.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import orjson
from msgspec import Struct

from specado._core import compare_capabilities
from specado.catalog.index import (
    ProviderOutline,
    outline_of,
    shipped_outlines,
    shipped_with_model,
)
from specado.catalog.manifests import (
    NO_HOST,
    NO_RULES,
    Authentication,
    CloudAddress,
    Endpoints,
    Model,
    OptionalHeader,
    Pricing,
    Provider,
    ProviderDialect,
    RequestRules,
    Traits,
    build_provider,
    check_dialects_are_known,
    is_shipped,
    normalise,
    read_shipped,
)
from specado.errors import ConfigurationError
from specado.settings.validators import closest

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "NO_HOST",
    "NO_RULES",
    "Authentication",
    "CloudAddress",
    "Endpoints",
    "Model",
    "OptionalHeader",
    "Pricing",
    "Provider",
    "ProviderDialect",
    "ProviderOutline",
    "RequestRules",
    "Traits",
    "compare_capabilities",
    "find_model",
    "get_anthropic_manifest",
    "get_manifest",
    "get_model_capabilities",
    "get_openai_manifest",
    "is_provider",
    "list_providers",
    "outlines",
    "provider",
    "providers_with",
    "register",
    "unknown_provider",
]


class _Entry(Struct, frozen=True):
    """A decoded provider, and the JSON text of its manifest."""

    provider: Provider
    text: bytes


# Both grow by single assignments, which need no lock and so leave none held across a fork. Two
# threads that read a shipped manifest at once do the same work twice; the first result stays.
_shipped: dict[str, _Entry] = {}
_registered: dict[str, _Entry] = {}
_registrations = 0


def _entry(name: str) -> _Entry | None:
    found = _registered.get(name) or _shipped.get(name)
    if found is None:
        text = read_shipped(name)
        if text is not None:
            made = _Entry(_with_facts(build_provider(name, orjson.loads(text))), text)
            found = _shipped.setdefault(name, made)
    return found


def _with_facts(made: Provider) -> Provider:
    """Return a provider with the facts of the models that it takes from another one."""
    if made.facts_of is None:
        return made
    other = None if made.facts_of == made.name else provider(made.facts_of)
    if other is None:
        raise ConfigurationError(
            f"manifest: facts_of {made.facts_of!r} is not another provider; "
            f"{unknown_provider(made.facts_of, list_providers())}",
            key="facts_of",
        )
    return made.with_facts_of(other)


def _require_text(value: object, what: str) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a str, not {type(value).__name__}")


def provider(name: str) -> Provider | None:
    """Return a registered or shipped provider, `None` if the name is not known."""
    found = _entry(name)
    return None if found is None else found.provider


def is_provider(name: str) -> bool:
    """Return whether a provider has that name, registered or shipped, without reading it."""
    return name in _registered or name in _shipped or is_shipped(name)


def find_model(provider_name: str, model_id: str) -> Model | None:
    """Return a provider's model by id or alias, `None` if the manifest does not list it."""
    found = _entry(provider_name)
    return None if found is None else found.provider.find(model_id)


def registrations() -> int:
    """Return how many manifests were registered; use it as the generation of cached lookups."""
    return _registrations


def is_registered(name: str) -> bool:
    """Return whether the caller has added the provider with `register_manifest`."""
    return name in _registered


def list_providers() -> list[str]:
    """Return the names of all providers, shipped and registered, sorted."""
    return sorted(shipped_outlines().keys() | _registered.keys())


def outlines() -> list[ProviderOutline]:
    """Return what is known of all providers, by name, without reading their manifests."""
    found = dict(shipped_outlines())
    found.update((name, outline_of(each.provider)) for name, each in _registered.items())
    return [found[name] for name in sorted(found)]


def providers_with(model_id: str) -> list[ProviderOutline]:
    """Return the providers that list a model by this id or alias: its makers, then its hosts."""
    names = {name for name in shipped_with_model(model_id) if name not in _registered}
    names.update(name for name, each in _registered.items() if each.provider.find(model_id))
    found = [each for each in outlines() if each.name in names]
    return sorted(found, key=lambda each: each.hosts_others)


def unknown_provider(name: str, known: Sequence[str], rest: str = "") -> str:
    """Return what to say of a name that is no provider's: the nearest one, or all that are known.

    *rest* is what follows the name where it is used, such as the slash and a model's id.
    """
    near = closest(name, known) if name else None
    if near is not None:
        return f"did you mean {f'{near}{rest}'!r}? (register_manifest adds a provider)"
    return f"known: {', '.join(known)} (register_manifest adds one)"


def get_manifest(provider: str) -> dict[str, Any]:
    """Return a fresh copy of a provider's manifest, with each model's `status` as of today.

    Raises:
        ConfigurationError: no provider has that name; the message names the nearest, or all.
    """
    _require_text(provider, "provider")
    found = _entry(provider)
    if found is None:
        said = unknown_provider(provider, list_providers())
        raise ConfigurationError(f"no provider is named {provider!r}; {said}", key="provider")
    manifest: dict[str, Any] = orjson.loads(found.text)
    today = dt.datetime.now(dt.timezone.utc).date()
    for model_id, entry in manifest["models"].items():
        entry["status"] = found.provider.models[model_id].status(today)
    return manifest


def get_openai_manifest() -> dict[str, Any]:
    """Return a fresh copy of OpenAI's manifest."""
    return get_manifest("openai")


def get_anthropic_manifest() -> dict[str, Any]:
    """Return a fresh copy of Anthropic's manifest."""
    return get_manifest("anthropic")


def get_model_capabilities(provider: str, model_id: str) -> dict[str, Any] | None:
    """Return a fresh copy of a model's capabilities, by id or alias; `None` if it is not known."""
    _require_text(provider, "provider")
    _require_text(model_id, "model_id")
    model = find_model(provider, model_id)
    if model is None:
        return None
    capabilities: dict[str, Any] = orjson.loads(model.capabilities)
    return capabilities


def register(
    manifest: dict[str, Any], name: str | None, known_dialects: Sequence[str], *, replace: bool
) -> str:
    """Register a provider's manifest, or replace a registered one; return the provider's name.

    The public function `register_manifest` gives the *known_dialects*; the first of them is the
    dialect of a manifest that names none.

    Raises:
        ConfigurationError: something in the manifest is missing or wrong, at the path named.
    """
    if not isinstance(manifest, dict):
        raise TypeError(f"manifest must be a dict, not {type(manifest).__name__}")
    if name is not None:
        _require_text(name, "name")
    chosen, full = normalise(manifest, name, known_dialects[0])
    if is_shipped(chosen) and not replace:
        raise ConfigurationError(
            f"manifest: {chosen!r} is a shipped provider; give another name, or replace=True",
            key="name",
        )
    try:
        text = orjson.dumps(full)
    except TypeError as error:
        raise ConfigurationError(f"manifest: is not plain JSON data: {error}") from None
    full = orjson.loads(text)
    for model_id, entry in full["models"].items():
        if isinstance(entry, dict):
            entry.setdefault("name", model_id)
            entry.setdefault("version", model_id)
            entry.setdefault("capabilities", {})
    built = build_provider(chosen, full)
    check_dialects_are_known(built, known_dialects)
    built = _with_facts(built)
    global _registrations
    _registrations += 1
    _registered[chosen] = _Entry(built, orjson.dumps(full))
    return chosen
