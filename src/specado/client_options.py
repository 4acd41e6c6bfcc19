"""Keyword arguments of a client, and the merge of `with_options` into its settings.

A key is sent only to the host that it was configured for: where `with_options` changes the host
of a provider, it must bring a key too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Optional
from urllib.parse import urlsplit

from msgspec.structs import asdict

from specado.endpoints.access import address_of
from specado.endpoints.authentication import key_headers, needs_key
from specado.errors import ConfigurationError, ConfigurationWarning
from specado.routing.candidates import known_provider
from specado.settings.client_settings import (
    CLIENT_KEYWORDS,
    MISPLACED_KEYS,
    SETTINGS,
    ProviderSettings,
    checked_config,
    checked_provider_setting,
    checked_providers,
    checked_setting,
    effective_settings,
    provider_settings,
)
from specado.settings.validators import (
    HiddenArguments,
    HiddenPairs,
    closest,
    duplicate_option,
    timeouts,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from specado.catalog.lookup import Provider
    from specado.catalog.manifests import Authentication
    from specado.settings.secrets import Secret

__all__ = ["checked_keywords", "merge_options", "unknown_keyword"]

_OF_PROVIDER = ("api_key", "base_url")
_KEYS = ("api_key", "credentials")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NOTHING = ProviderSettings()
# Headers that select the account: they belong to a key, and are dropped with it.
_ACCOUNT_HEADERS = frozenset({
    "authorization", "api-key", "x-api-key", "x-goog-api-key", "x-goog-user-project",
    "openai-organization", "openai-project",
})  # fmt: skip
# Words in the names of headers that may hold a secret, which no other host may see.
_CONFIDENTIAL_HEADER = r"auth|cookie|credential|key|passw|secret|session|signature|token"


def checked_keywords(config: Any, keywords: HiddenArguments) -> HiddenArguments:
    """Return the checked settings of a client's *config* and *keywords*.

    A keyword takes precedence over the config.

    Raises:
        ConfigurationError: a value is wrong, or a key would go to a host it was not given for.
        TypeError: both `timeout` and `timeout_seconds` are given.
    """
    try:
        return _checked_keywords({} if config is None else config, keywords)
    except (ConfigurationError, ConfigurationWarning, TypeError) as error:
        del config  # neither this frame nor one below it shows a key where locals are shown
        raise error.with_traceback(None) from None


def _checked_keywords(config: Any, keywords: HiddenArguments) -> HiddenArguments:
    found = checked_config(config)
    keywords = HiddenArguments(
        {name: value for name, value in keywords.items() if value is not None}
    )
    if "timeout" in keywords:
        if "timeout_seconds" in found:
            raise duplicate_option("Client", "timeout", "timeout_seconds")
        found.update(timeouts("timeout", keywords["timeout"]))
    if "max_retries" in keywords:
        found["max_retries"] = checked_setting("max_retries", keywords["max_retries"])
    change = _of_provider(keywords)
    if change:
        name = effective_settings(found).primary_provider
        providers = dict(found.get("providers", {}))
        old = providers.get(name, _NOTHING)
        authentication = known_provider(name, "primary_provider").authentication
        in_headers = key_headers(old.headers, authentication)
        if "api_key" in change:  # it counts before a key of the config, in a header too
            change["credentials"] = None
            replaced = {header for header, _ in in_headers}
            kept = [pair for pair in old.headers if pair[0].lower() not in replaced]
            change["headers"] = HiddenPairs(kept)
        elif old.base_url is not None and (_own_key(old) is not None or in_headers):
            _refuse_other_host(name, old.base_url, change["base_url"])
        providers[name] = provider_settings({**asdict(old), **change})
        found["providers"] = providers
    return found


def _of_provider(keywords: Mapping[str, Any]) -> HiddenArguments:
    """Return the checked keywords of the primary provider (`api_key`, `base_url`)."""
    return HiddenArguments(
        {
            name: None if keywords[name] is None else checked_provider_setting(name, keywords[name])
            for name in _OF_PROVIDER
            if name in keywords
        }
    )


def merge_options(given: HiddenArguments, options: HiddenArguments) -> HiddenArguments:
    """Return the settings *given* to a client with the *options* of `with_options` merged in.

    An option that is `None` takes a setting back to the environment or the default. `providers`
    are merged deeply: settings that are not named are inherited.

    Raises:
        ConfigurationError: a value is wrong, or a key would go to a host it was not given for.
        TypeError: an option is not known, or given under both of its names.
    """
    try:
        return _merge_options(given, options)
    except (ConfigurationError, ConfigurationWarning, TypeError) as error:
        raise error.with_traceback(None) from None


def _merge_options(given: HiddenArguments, options: HiddenArguments) -> HiddenArguments:
    for name in options:
        if name not in SETTINGS and name not in CLIENT_KEYWORDS:
            unknown_keyword("with_options", name)
    if options.get("timeout") is not None and options.get("timeout_seconds") is not None:
        raise duplicate_option("with_options", "timeout", "timeout_seconds")
    found = HiddenArguments(given)
    for name, value in options.items():
        if name == "providers" or name not in SETTINGS:
            continue
        if value is None:
            found.pop(name, None)
        else:
            found[name] = checked_setting(name, value)
    if options.get("timeout") is not None:
        limits = timeouts("timeout", options["timeout"])
        found.update({name: limit for name, limit in limits.items() if options.get(name) is None})
    elif "timeout" in options and options.get("timeout_seconds") is None:
        found.pop("timeout_seconds", None)
    changes = _changes(found, options)
    if changes:
        providers = dict(found.get("providers", {}))
        for name, change in changes.items():
            provider = known_provider(name, "providers")
            if change is None:
                providers.pop(name, None)
            else:
                providers[name] = _merged_provider(provider, providers.get(name), change)
        found["providers"] = providers
    return found


def _changes(
    found: HiddenArguments, options: HiddenArguments
) -> dict[str, Optional[HiddenArguments]]:
    """Return the changes of each provider's settings; `None` removes them."""
    changes: dict[str, Optional[HiddenArguments]] = {}
    if "providers" in options:
        if options["providers"] is None:
            changes = dict.fromkeys(found.get("providers", ()))
        else:
            changes = checked_providers("providers", options["providers"], takes_unknown=False)
    own = _of_provider(options)
    if own:
        primary = effective_settings(found).primary_provider
        named = changes.get(primary) or HiddenArguments()
        for name in own:
            if name in named:
                raise duplicate_option("with_options", name, f"providers[{primary!r}][{name!r}]")
        changes[primary] = HiddenArguments({**named, **own})
    return changes


def _merged_provider(
    provider: Provider, old: Optional[ProviderSettings], change: HiddenArguments
) -> ProviderSettings:
    """Return a provider's settings with *change* merged in; `None` removes a setting."""
    old = _NOTHING if old is None else old
    authentication = provider.authentication
    change = HiddenArguments({**_replaced_keys(change, authentication), **change})
    new = provider_settings({**asdict(old), **change})
    key = _key_change(old, change, authentication)
    address, new_address = address_of(provider, old), address_of(provider, new)
    # All locations of a cloud belong to one provider: another location is not another host.
    is_new_host = _origin(address) != _origin(new_address) and (
        old.base_url is not None or new.base_url is not None
    )
    if not key.is_brought and (is_new_host or key.is_lost):
        # Without a setting left the provider is reached as its environment variables say.
        wants_key = needs_key(authentication) and new.base_url is not None
        if _own_key(new) is not None or wants_key:
            _refuse_other_host(provider.name, None if key.is_lost else address, new_address)
    headers = {}
    if change.get("headers", ()) is not None:
        headers = _inherited_headers(provider, old, is_new_key=key.is_new, is_new_host=is_new_host)
    if key.is_new and key.is_brought:
        # The environment's organisation and project are those of the environment's key.
        for header in authentication.optional_headers:
            headers[header.name.lower()] = (header.name, None)
    for name, text in change.get("headers") or ():
        headers[name.lower()] = (name, text)
    return provider_settings({**asdict(new), "headers": HiddenPairs(headers.values())})


def _replaced_keys(change: HiddenArguments, authentication: Authentication) -> dict[str, None]:
    """Return, as removed (`None`), the settings that a key in *change* replaces."""
    if key_headers(change.get("headers") or (), authentication):
        return dict.fromkeys(_KEYS)
    return dict.fromkeys(_KEYS) if any(change.get(name) for name in _KEYS) else {}


def _own_key(settings: ProviderSettings) -> Optional[Secret]:
    """Return the credentials of a cloud in the settings, else the key."""
    found: Optional[Secret] = settings.credentials or settings.api_key
    return found


class _KeyChange(NamedTuple):
    """Effect of changed settings on a provider's key, which a header may carry too.

    `is_new`: the key is another one, or none. `is_brought`: the change has a key. `is_lost`: the
    change removes the key.
    """

    is_new: bool
    is_brought: bool = False
    is_lost: bool = False


def _key_change(
    old: ProviderSettings, change: HiddenArguments, authentication: Authentication
) -> _KeyChange:
    headers, key = change.get("headers", ()), change.get("credentials") or change.get("api_key")
    in_headers = key_headers(old.headers, authentication)
    brought = key_headers(headers or (), authentication)
    if brought:
        return _KeyChange(not brought <= in_headers, is_brought=True)
    if key is not None:
        return _KeyChange(not key.is_same(_own_key(old)), is_brought=True)
    stays = any(getattr(old, name) is not None and name not in change for name in _KEYS)
    if headers is not None:
        removed = {name.lower() for name, _ in headers}
        stays = stays or any(name not in removed for name, _ in in_headers)
    is_lost = not stays and (_own_key(old) is not None or bool(in_headers))
    return _KeyChange(is_lost, is_lost=is_lost)


def _inherited_headers(
    provider: Provider, old: ProviderSettings, *, is_new_key: bool, is_new_host: bool
) -> dict[str, tuple[str, Optional[str]]]:
    """Return the headers that a change of key or host keeps, by lower-case name."""
    authentication = provider.authentication
    of_account = {authentication.name.lower()}.union(
        _ACCOUNT_HEADERS, (header.name.lower() for header in authentication.optional_headers)
    )
    kept = {}
    for name, text in old.headers:
        lowered = name.lower()
        if (is_new_key or is_new_host) and lowered in of_account:
            continue
        if is_new_host and re.search(_CONFIDENTIAL_HEADER, lowered):
            continue
        kept[lowered] = (name, text)
    return kept


def _refuse_other_host(name: str, address: Optional[str], new_address: str) -> None:
    """Raise if a new address is on another host than the one that the key was given for."""
    if address is not None and _origin(address) == _origin(new_address):
        return
    place = f"providers[{name!r}]"
    raise ConfigurationError(
        f"{place}['base_url']: no key that was configured for another host is sent to "
        f"{new_address}: give {place}['api_key'] with it",
        key=f"{place}['base_url']",
    )


def _origin(url: str) -> tuple[str, Optional[str], Optional[int]]:
    """Return scheme, host and port of a URL, with the default port where it has none."""
    parts = urlsplit(url)
    if parts.scheme == "http+unix":  # upper and lower case are different sockets
        return parts.scheme, parts.netloc, None
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)


def unknown_keyword(function: str, name: str) -> NoReturn:
    """Raise the error for an unknown keyword of a client's *function*, with a suggestion."""
    if name in SETTINGS:
        hint = f"it is a setting: Client({{{name!r}: …}})"
    else:
        near = closest(name, [*CLIENT_KEYWORDS, *SETTINGS])
        hint = MISPLACED_KEYS.get(name) or (f"did you mean {near!r}?" if near else "")
    hint = f"; {hint}" if hint else ""
    raise TypeError(f"{function}() got an unexpected keyword argument {name!r}{hint}")
