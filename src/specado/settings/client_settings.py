"""Client settings: the keys of a config, their checks, environment variables and defaults.

Precedence: call > config > environment > default. Keys are wrapped in `Secret`, which no
repr, log, pickle or traceback shows.
"""

from __future__ import annotations

import inspect
import json
import os
import warnings
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Optional, Union

import msgspec

from specado.errors import (
    REDACTED,
    ConfigurationError,
    ConfigurationWarning,
    caller_stacklevel,
)
from specado.settings.aws_credentials import AwsSource, aws_text, is_aws_credentials
from specado.settings.google_tokens import GoogleTokens, is_google_credentials
from specado.settings.secrets import Secret
from specado.settings.validators import (
    STRICTNESSES,
    HiddenArguments,
    api_version,
    checked_header_value,
    checked_url,
    client_certificate,
    closest,
    cloud_location,
    cloud_project,
    count,
    dialect_names,
    fraction,
    headers_or_none,
    invalid_value,
    non_empty_text,
    one_of,
    provider_names,
    proxy_url,
    rate,
    seconds,
    ssl_context,
    true_or_false,
)

__all__ = [
    "CLIENT_KEYWORDS",
    "DEFAULT_FALLBACKS",
    "MISPLACED_KEYS",
    "SETTINGS",
    "BreakerSettings",
    "HealthSettings",
    "ProviderSettings",
    "RetryBudgetSettings",
    "Settings",
    "checked_config",
    "checked_provider_setting",
    "checked_providers",
    "checked_setting",
    "effective_settings",
    "environment_proxies",
    "environment_value",
    "provider_settings",
    "resolve",
]


TRANSPORTS = ("auto", "httpx")


# What older releases called the transports, and what stands for it now.
_RENAMED_TRANSPORTS = {"httptools": "auto", "httpx2": "httpx"}


_YES, _NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


HOOKS = ("on_attempt", "on_fallback", "on_reply", "on_error")


class BreakerSettings(msgspec.Struct, frozen=True, cache_hash=True):
    """Thresholds and times of a circuit breaker; the page "Fallback" explains each."""

    min_attempts: int = 20
    window_seconds: float = 10.0
    failure_rate: float = 0.5
    consecutive_failures: int = 5
    open_seconds: float = 5.0
    max_open_seconds: float = 60.0


class RetryBudgetSettings(msgspec.Struct, frozen=True, cache_hash=True):
    """Size of a retry budget (token bucket): capacity in retries, and refill per second."""

    capacity: int = 500
    refill_per_second: float = 10.0


class HealthSettings(msgspec.Struct, frozen=True, cache_hash=True):
    """Settings of a provider's circuit breaker and retry budget; `None` switches one off."""

    breaker: Optional[BreakerSettings] = BreakerSettings()
    retry_budget: Optional[RetryBudgetSettings] = RetryBudgetSettings()


class ProviderSettings(msgspec.Struct, frozen=True):
    """Settings of one provider; a value of `None` is not set.

    `timeout_seconds` is the limit of one attempt, `attempt_timeout_seconds` another name for it.
    `dialects` are the names of the dialects to use there, in order of preference.
    `breaker` and `retry_budget` are `False` to switch them off, `True` for their defaults.
    `credentials` is the source of a cloud's access tokens; `project` and `location` name where the
    cloud runs the request, `api_version` the version of its API.
    """

    api_key: Optional[Any] = None  # a Secret
    credentials: Optional[Any] = None  # a Secret
    project: Optional[str] = None
    location: Optional[str] = None
    api_version: Optional[str] = None
    base_url: Optional[str] = None
    headers: tuple[tuple[str, Optional[str]], ...] = ()  # `None`: not to be sent
    timeout_seconds: Optional[float] = None
    breaker: Union[BreakerSettings, bool, None] = None
    retry_budget: Union[RetryBudgetSettings, bool, None] = None
    dialects: Optional[tuple[str, ...]] = None

    def __repr__(self) -> str:
        return f"ProviderSettings(base_url={self.base_url!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # msgspec's own shows every field
        return [("base_url", self.base_url)]

    def __reduce__(self) -> Any:
        raise TypeError("settings may hold keys and are not pickled")


class Settings(msgspec.Struct, frozen=True):
    """Effective settings of a client; the page "Configuration" explains each."""

    primary_provider: str = "openai"
    fallback_provider: Optional[str] = None
    fallback_providers: Optional[tuple[str, ...]] = None
    enable_fallback: bool = True
    max_retries: int = 2
    timeout_seconds: float = 600
    attempt_timeout_seconds: Optional[float] = None
    breaker: Union[BreakerSettings, bool] = True
    retry_budget: Union[RetryBudgetSettings, bool] = True
    connect_timeout_seconds: float = 5
    first_token_timeout_seconds: Optional[float] = None
    idle_timeout_seconds: float = 60
    content_timeout_seconds: float = 600
    strictness: str = "warn"
    model_map: dict[str, dict[str, str]] = {}
    simulate: Union[bool, str] = "auto"
    providers: dict[str, ProviderSettings] = {}
    fallback_on_content_policy: bool = False
    max_reply_bytes: int = 64_000_000
    max_frame_bytes: int = 16_000_000
    max_error_bytes: int = 64_000
    transport: str = "auto"
    hooks: dict[str, Any] = {}
    proxy: Optional[str] = None
    ca_bundle: Optional[str] = None
    client_certificate: Optional[tuple[str, ...]] = None  # certificate, key, the key's password
    ssl_context: Optional[Any] = None
    max_connections: int = 1000
    keepalive_seconds: float = 90
    # Not a key: whether `fallback_provider` was named, by a setting or the environment.
    is_fallback_named: bool = False

    def __repr__(self) -> str:
        return f"Settings(primary_provider={self.primary_provider!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # msgspec's own shows every field
        return [("primary_provider", self.primary_provider)]

    def __reduce__(self) -> Any:
        raise TypeError("settings may hold keys and are not pickled")

    def as_text(self, key: str) -> Optional[str]:
        """Return the effective value of *key* as text without secrets, `None` if it is not set."""
        if key not in _KEYS:
            return None
        value = getattr(self, key)
        if value is None:
            return None
        if key == "proxy":
            return without_userinfo(value)
        if key == "client_certificate":
            return json.dumps([*value[:2], *(REDACTED for _ in value[2:])])
        if key == "providers":
            return json.dumps({name: _shown(entry) for name, entry in value.items()})
        if key == "hooks":
            return json.dumps(sorted(value))
        if isinstance(value, (BreakerSettings, RetryBudgetSettings)):
            return json.dumps(msgspec.structs.asdict(value))
        if isinstance(value, (dict, tuple)):
            return json.dumps(value)
        return str(value)

    def keys(self) -> list[str]:
        """Return the keys that have an effective value."""
        return [key for key in _KEYS if getattr(self, key) is not None]


def _shown(entry: ProviderSettings) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if entry.api_key is not None:
        shown["api_key"] = REDACTED
    if entry.credentials is not None:
        shown["credentials"] = REDACTED
    for name in ("project", "location", "api_version"):
        if getattr(entry, name) is not None:
            shown[name] = getattr(entry, name)
    if entry.base_url is not None:
        shown["base_url"] = without_userinfo(entry.base_url)
    headers = {name: REDACTED for name, text in entry.headers if text is not None}
    if headers:
        shown["headers"] = headers
    if entry.timeout_seconds is not None:
        shown["timeout_seconds"] = entry.timeout_seconds
    for name in ("breaker", "retry_budget"):
        numbers = getattr(entry, name)
        if numbers is not None:
            shown[name] = numbers if isinstance(numbers, bool) else msgspec.structs.asdict(numbers)
    if entry.dialects is not None:
        shown["dialects"] = list(entry.dialects)
    return shown


def without_userinfo(url: str) -> str:
    """Return *url* with its user name and password redacted, if it has them."""
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    if "@" not in authority:
        return url
    return f"{scheme}{separator}{REDACTED}@{authority.rpartition('@')[2]}{slash}{path}"


def _simulate(key: str, value: Any) -> Union[bool, str]:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word == "auto":
        return word
    if word in _YES or word in _NO:
        return word in _YES
    raise invalid_value(
        key, value, "'auto', True or False (in the environment also 1, 0, yes, no, on, off)"
    )


def _model_map(key: str, value: Any) -> dict[str, dict[str, str]]:
    if not isinstance(value, Mapping):
        raise invalid_value(key, value, "{model: {provider: model}}")
    found = {}
    for model, targets in value.items():
        if not isinstance(targets, Mapping):
            raise invalid_value(f"{key}[{model!r}]", targets, "{provider: model}")
        found[non_empty_text(key, model)] = {
            non_empty_text(f"{key}[{model!r}]", name): non_empty_text(
                f"{key}[{model!r}][{name!r}]", target
            )
            for name, target in targets.items()
        }
    return found


def _hooks(key: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise invalid_value(key, value, "{name: callable}")
    for name, hook in value.items():
        if name not in HOOKS:
            raise invalid_value(key, name, ", ".join(HOOKS))
        if not callable(hook) or inspect.iscoroutinefunction(hook):
            raise invalid_value(
                f"{key}[{name!r}]", hook, "a callable that is no coroutine function"
            )
    return dict(value)


def _api_key(key: str, value: Any) -> Secret:
    return Secret(value if callable(value) else checked_header_value(value, key), key)


def _credentials(key: str, value: Any) -> Secret:
    """Return the source of a cloud's credentials: text, a callable, or an object that has them."""
    if is_google_credentials(value):
        return Secret(GoogleTokens(value), key)
    if is_aws_credentials(value):
        if isinstance(value, Mapping):
            return Secret(checked_header_value(aws_text(value), key), key)
        return Secret(AwsSource(value), key)
    if callable(value):
        return Secret(value, key, aws_text)
    if not isinstance(value, str):
        allowed = (
            "an access token, a callable that returns one, credentials of google-auth, or those of "
            "AWS: a dict with access_key_id and secret_access_key, or an object of botocore"
        )
        raise invalid_value(key, value, allowed)
    return _api_key(key, value)


_NUMBER_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "min_attempts": count(1),
    "window_seconds": seconds,
    "failure_rate": fraction,
    "consecutive_failures": count(1),
    "open_seconds": seconds,
    "max_open_seconds": seconds,
    "capacity": count(0),
    "refill_per_second": rate,
}


def _numbers(kind: Any) -> Callable[[str, Any], Any]:
    """Return a check of a setting: False (off), True (default numbers), or a dict of numbers."""

    def check(key: str, value: Any) -> Any:
        if isinstance(value, bool):
            return value
        if not isinstance(value, Mapping) or not set(value) <= set(kind.__struct_fields__):
            names = ", ".join(kind.__struct_fields__)
            raise invalid_value(key, value, f"True, False, or a dict of any of {names}")
        return kind(
            **{name: _NUMBER_CHECKS[name](f"{key}[{name!r}]", each) for name, each in value.items()}
        )

    return check


_breaker, _retry_budget = _numbers(BreakerSettings), _numbers(RetryBudgetSettings)


_PROVIDER_KEYS: dict[str, Callable[[str, Any], Any]] = {
    "api_key": _api_key,
    "base_url": checked_url,
    "headers": headers_or_none,
    "timeout_seconds": seconds,
    "breaker": _breaker,
    "retry_budget": _retry_budget,
    "dialects": dialect_names,
    "credentials": _credentials,
    "project": cloud_project,
    "location": cloud_location,
    "api_version": api_version,
}


# The name that a client and a call use for a provider's `timeout_seconds`.
_ATTEMPT_TIMEOUT = "attempt_timeout_seconds"


# What others call a provider's setting. To ignore one of them could ask another host, or with
# another key.
_MISPLACED_PROVIDER_KEYS = {
    "api_base": "write 'base_url'",
    "endpoint": "write 'base_url'",
    "host": "write 'base_url'",
    "key": "write 'api_key'",
    "token": "write 'api_key', or 'credentials' for an access token of a cloud",
    "url": "write 'base_url'",
    "default_headers": "write 'headers'",
    "extra_headers": "write 'headers'",
    "organization": "write 'headers': {'OpenAI-Organization': …}",
    "region": "write 'location'",
    "timeout": "write 'timeout_seconds'",
    "max_retries": "it is a setting of the client",
}


def _checked_provider(key: str, value: Any, *, takes_unknown: bool) -> HiddenArguments:
    if not isinstance(value, Mapping):
        raise invalid_value(key, value, f"a dict of any of {', '.join(map(repr, _PROVIDER_KEYS))}")
    if _ATTEMPT_TIMEOUT in value:
        if "timeout_seconds" in value:
            raise ConfigurationError(
                f"{key}: timeout_seconds and {_ATTEMPT_TIMEOUT} are two names for the limit of one "
                "attempt: give one",
                key=f"{key}[{_ATTEMPT_TIMEOUT!r}]",
            )
        limit = value[_ATTEMPT_TIMEOUT]
        if limit is not None:
            limit = seconds(f"{key}[{_ATTEMPT_TIMEOUT!r}]", limit)
        value = {**value, "timeout_seconds": limit}
        del value[_ATTEMPT_TIMEOUT]
    for name in value:
        if name in _PROVIDER_KEYS:
            continue
        path, elsewhere = f"{key}[{name!r}]", _MISPLACED_PROVIDER_KEYS.get(name)
        near = closest(str(name), _PROVIDER_KEYS)
        if elsewhere is None and near in ("api_key", "base_url"):
            elsewhere = f"write {near!r}"
        if elsewhere is not None:
            raise ConfigurationError(f"{path} is not a setting: {elsewhere}", key=path)
        if not takes_unknown:
            hint = f"did you mean {near!r}?" if near else f"known: {', '.join(_PROVIDER_KEYS)}"
            raise ConfigurationError(f"{path} is not a setting; {hint}", key=path)
        _warn_unknown(path, name, _PROVIDER_KEYS)
    return HiddenArguments(
        {
            name: None if value[name] is None else check(f"{key}[{name!r}]", value[name])
            for name, check in _PROVIDER_KEYS.items()
            if name in value
        }
    )


def checked_provider_setting(name: str, value: Any) -> Any:
    """Return the checked value of a provider's setting that is a keyword of a client."""
    return _PROVIDER_KEYS[name](name, value)


def checked_providers(
    key: str, value: Any, *, takes_unknown: bool = True
) -> dict[str, Optional[HiddenArguments]]:
    """Return the checked settings of each provider; `None` stays, since it may remove a setting.

    An unknown name of a provider's setting is a warning where *takes_unknown*, else an error.
    """
    if not isinstance(value, Mapping):
        raise invalid_value(key, value, "{provider: {'api_key': …, 'base_url': …}}")
    return {
        non_empty_text(key, name): (
            None
            if entry is None
            else _checked_provider(f"{key}[{name!r}]", entry, takes_unknown=takes_unknown)
        )
        for name, entry in value.items()
    }


def _providers(key: str, value: Any) -> dict[str, ProviderSettings]:
    return {
        name: provider_settings(stated)
        for name, stated in checked_providers(key, value).items()
        if stated is not None
    }


def provider_settings(stated: Mapping[str, Any]) -> ProviderSettings:
    """Return the settings of one provider; `None` counts as not set."""
    return ProviderSettings(**{name: each for name, each in stated.items() if each is not None})


def _transport(key: str, value: Any) -> str:
    """Return a choice of transport; one that was renamed is taken with a warning."""
    if not isinstance(value, str) or value not in _RENAMED_TRANSPORTS:
        return one_of(*TRANSPORTS)(key, value)
    renamed = _RENAMED_TRANSPORTS[value]
    warnings.warn(
        f"{key}: {value!r} is now {renamed!r}; write that, or leave the setting out for 'auto'",
        ConfigurationWarning,
        stacklevel=caller_stacklevel(),
    )
    return renamed


class _Key(NamedTuple):
    """A key of the config: its check, and the environment variable that sets it."""

    check: Callable[[str, Any], Any]
    variable: Optional[str] = None


_KEYS: dict[str, _Key] = {
    "primary_provider": _Key(non_empty_text, "SPECADO_PRIMARY_PROVIDER"),
    "fallback_provider": _Key(non_empty_text, "SPECADO_FALLBACK_PROVIDER"),
    "fallback_providers": _Key(provider_names),
    "enable_fallback": _Key(true_or_false),
    "max_retries": _Key(count(0)),
    "timeout_seconds": _Key(seconds),
    "attempt_timeout_seconds": _Key(seconds),
    "breaker": _Key(_breaker),
    "retry_budget": _Key(_retry_budget),
    "connect_timeout_seconds": _Key(seconds),
    "first_token_timeout_seconds": _Key(seconds),
    "idle_timeout_seconds": _Key(seconds),
    "content_timeout_seconds": _Key(seconds),
    "strictness": _Key(one_of(*STRICTNESSES), "SPECADO_STRICTNESS"),
    "model_map": _Key(_model_map),
    "simulate": _Key(_simulate, "SPECADO_SIMULATE"),
    "providers": _Key(_providers),
    "fallback_on_content_policy": _Key(true_or_false),
    "max_reply_bytes": _Key(count(1)),
    "max_frame_bytes": _Key(count(1)),
    "max_error_bytes": _Key(count(1)),
    "transport": _Key(_transport, "SPECADO_TRANSPORT"),
    "hooks": _Key(_hooks),
    "proxy": _Key(proxy_url),
    "ca_bundle": _Key(non_empty_text),
    "client_certificate": _Key(client_certificate),
    "ssl_context": _Key(ssl_context),
    "max_connections": _Key(count(1)),
    "keepalive_seconds": _Key(seconds),
}


SETTINGS = tuple(_KEYS)


# Keys that are not settings of the client, and what to write instead. Some users know them from
# other libraries. Ignoring one of them could send a key to another host.
MISPLACED_KEYS = {
    name: f"it belongs to a provider: providers={{'openai': {place}}}"
    for name, place in {
        "api_key": "{'api_key': …}",
        "base_url": "{'base_url': …}",
        "api_base": "{'base_url': …}",
        "headers": "{'headers': {…}}",
        "default_headers": "{'headers': {…}}",
        "organization": "{'headers': {'OpenAI-Organization': …}}",
        "project": "{'headers': {'OpenAI-Project': …}}",
    }.items()
}


MISPLACED_KEYS.update({
    "timeout": "write 'timeout_seconds'",
    "num_retries": "write 'max_retries'",
    "drop_params": "write 'strictness': 'coerce'",
    "model": "it is an argument of a call",
    "fallback_models": "it is an option of a call; see 'fallback_providers' and 'model_map'",
    "fallbacks": "write 'fallback_providers', or fallback_models in a call",
})  # fmt: skip


# Keywords of `Client` and `AsyncClient`.
CLIENT_KEYWORDS = (
    "api_key", "base_url", "timeout", "max_retries", "http_client", "async_http_client",
)  # fmt: skip


_VARIABLE_PREFIX = "SPECADO_"


_VARIABLES = tuple((name, key.variable) for name, key in _KEYS.items() if key.variable)


# The default fallback provider of each primary provider, and the environment variable that may give
# the primary provider another address.
DEFAULT_FALLBACKS = {
    "openai": ("anthropic", "OPENAI_BASE_URL"),
    "anthropic": ("openai", "ANTHROPIC_BASE_URL"),
}


def environment_value(variable: str) -> Optional[str]:
    """Return the stripped value of an environment variable, `None` if it is unset or blank."""
    value = os.environ.get(variable)
    return (value.strip() or None) if value is not None else None


def _warn_unknown(path: str, name: Any, known: Any) -> None:
    near = closest(str(name), known)
    hint = f" Did you mean {near!r}?" if near else f" Known: {', '.join(known)}."
    warnings.warn(
        f"{path} is not a known setting and has no effect.{hint}",
        ConfigurationWarning,
        stacklevel=caller_stacklevel(),
    )


# What was said of the environment: looked through once a process.
_environment_checked: set[str] = set()


def _warn_of_variables() -> None:
    """Warn once a process of variables that look as if they set something, and do not.

    Those are a misspelt name of a setting's variable, and the name of a setting that has none.
    """
    if _environment_checked:
        return
    known = [variable for _, variable in _VARIABLES]
    for name in os.environ:
        if not name.startswith(_VARIABLE_PREFIX) or name in known:
            continue
        setting = name[len(_VARIABLE_PREFIX) :].lower()
        near = closest(setting, [each[len(_VARIABLE_PREFIX) :].lower() for each in known])
        if near is not None:
            hint = f"did you mean {_VARIABLE_PREFIX}{near.upper()}?"
        elif setting in _KEYS:
            hint = f"{setting!r} is set in the client's config only"
        else:
            continue
        warnings.warn(
            f"the environment variable {name} has no effect: {hint}",
            ConfigurationWarning,
            stacklevel=caller_stacklevel(),
        )
    _environment_checked.add("checked")  # after the warnings: a filter may raise them each time


def environment_proxies() -> tuple[tuple[tuple[str, str], ...], str]:
    """Return the environment's proxies as (scheme, URL) pairs, and the value of NO_PROXY.

    As in curl and httpx the lower-case name takes precedence; HTTP_PROXY in capitals is not read
    where a CGI server sets REQUEST_METHOD (anybody's `Proxy:` header would become it).
    """
    found = []
    for scheme in ("http", "https", "all"):
        value = environment_value(f"{scheme}_proxy")
        if value is None and not (scheme == "http" and "REQUEST_METHOD" in os.environ):
            value = environment_value(f"{scheme.upper()}_PROXY")
        if value is not None:
            found.append((scheme, value if "://" in value else f"http://{value}"))
    return tuple(found), environment_value("no_proxy") or environment_value("NO_PROXY") or ""


def resolve(config: Optional[Mapping[str, Any]]) -> Settings:
    """Return the effective settings of *config*, the environment and the defaults.

    Warns:
        ConfigurationWarning: a key is not known; the nearest known one is named.

    Raises:
        ConfigurationError: a value has a wrong type or range, or a key belongs elsewhere.
    """
    try:
        return effective_settings(checked_config({} if config is None else config))
    except (ConfigurationError, ConfigurationWarning) as error:
        del config  # neither this frame nor one below it shows a key where locals are shown
        raise error.with_traceback(None) from None


def checked_config(config: Any) -> HiddenArguments:
    """Return the checked settings of *config* by name; a value of `None` is left out."""
    if not isinstance(config, Mapping):
        raise ConfigurationError(f"config must be a dict, not {type(config).__name__}")
    found = HiddenArguments()
    for name, value in config.items():
        if name not in _KEYS:
            _refuse_misplaced(name)
            _warn_unknown(f"config key {name!r}", name, _KEYS)
        elif value is not None:
            found[name] = checked_setting(name, value)
    return found


def checked_setting(name: str, value: Any) -> Any:
    """Return the checked value of a setting."""
    return _KEYS[name].check(name, value)


def _refuse_misplaced(name: Any) -> None:
    """Raise if a key of a config is a name that belongs elsewhere, or a misspelling of one."""
    meant = name
    if name not in MISPLACED_KEYS and name not in CLIENT_KEYWORDS:
        meant = closest(str(name), [*_KEYS, *MISPLACED_KEYS, *CLIENT_KEYWORDS])
        if meant is None or meant in _KEYS:
            return
    places = [MISPLACED_KEYS[meant]] if meant in MISPLACED_KEYS else []
    if meant in CLIENT_KEYWORDS:
        places.append(f"the client takes it as a keyword: Client({meant}=…)")
    raise ConfigurationError(
        f"config key {name!r} is not a setting: {'; or '.join(places)}", key=name
    )


def effective_settings(given: Mapping[str, Any]) -> Settings:
    """Return the settings of a client for which *given* is stated, checked."""
    _warn_of_variables()
    found = dict(given)
    for name, variable in _VARIABLES:
        text = None if name in found else environment_value(variable)
        if text is not None:
            found[name] = _KEYS[name].check(variable, text)
    _refuse_beside_ssl_context(found)
    if "fallback_provider" in found:
        found["is_fallback_named"] = True
    else:
        found["fallback_provider"] = _default_fallback(found)
    return Settings(**found)


def _refuse_beside_ssl_context(found: Mapping[str, Any]) -> None:
    """Raise if settings are given that an `ssl.SSLContext` of the caller's own has already."""
    for name in ("ca_bundle", "client_certificate"):
        if found.get("ssl_context") is not None and found.get(name) is not None:
            message = f"{name} has no effect beside ssl_context: load it into that context"
            raise ConfigurationError(message, key=name)


def _default_fallback(found: dict[str, Any]) -> Optional[str]:
    """Return the default fallback provider; `None` if the primary one has a custom address."""
    primary = found.get("primary_provider", "openai")
    other, variable = DEFAULT_FALLBACKS.get(primary, (None, None))
    own = found.get("providers", {}).get(primary)
    has_address = own is not None and own.base_url is not None
    if variable is None or has_address or environment_value(variable) is not None:
        return None
    return other
