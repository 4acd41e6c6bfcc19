"""Settings: what a client may be told, where each value comes from, and how it is checked.

Precedence: call > config > environment > default. Secrets are wrapped in `Secret`, which no
repr, log, pickle or traceback shows.
"""

from __future__ import annotations

import difflib
import json
import math
import os
import re
import warnings
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Optional, Union

import msgspec

from specado.errors import REDACTED, ConfigurationError, ConfigurationWarning

__all__ = [
    "ProviderSettings",
    "Secret",
    "Settings",
    "closest",
    "environment_proxies",
    "environment_value",
    "resolve",
]

STRICTNESS = ("strict", "warn", "coerce")
TRANSPORTS = ("auto", "httpx")
HOOKS = ("on_attempt", "on_fallback", "on_reply")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2


class Secret:
    """A key. Only `reveal` shows it; it cannot be pickled."""

    __slots__ = ("_source",)

    def __init__(self, source: Union[str, Callable[[], str]]) -> None:
        self._source = source

    def reveal(self) -> str:
        """Return the key; a callable is asked each time.

        Raises:
            ConfigurationError: the callable gave something else than visible ASCII text.
        """
        if isinstance(self._source, str):
            return self._source
        return checked_header_value(self._source(), "api_key")

    def __repr__(self) -> str:
        return REDACTED

    def __reduce__(self) -> Any:
        raise TypeError("a key is not pickled: configure it again in the other process")


class ProviderSettings(msgspec.Struct, frozen=True):
    """What one provider was told: each value `None` where nothing was."""

    api_key: Optional[Any] = None  # a Secret
    base_url: Optional[str] = None
    headers: tuple[tuple[str, str], ...] = ()
    timeout_seconds: Optional[float] = None

    def __repr__(self) -> str:
        return f"ProviderSettings(base_url={self.base_url!r})"


class Settings(msgspec.Struct, frozen=True):
    """The effective settings of a client; the documentation ("Configuration") explains each."""

    primary_provider: str = "openai"
    fallback_provider: Optional[str] = None
    fallback_providers: Optional[tuple[str, ...]] = None
    enable_fallback: bool = True
    max_retries: int = 2
    timeout_seconds: float = 600
    attempt_timeout_seconds: Optional[float] = None
    connect_timeout_seconds: float = 5
    first_token_timeout_seconds: Optional[float] = None
    idle_timeout_seconds: float = 60
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
    max_connections: int = 1000
    keepalive_seconds: float = 90

    def __repr__(self) -> str:
        return f"Settings(primary_provider={self.primary_provider!r})"

    def as_text(self, key: str) -> Optional[str]:
        """Return the effective value of *key* as text, `None` if it has none; no secrets."""
        if key not in self.__struct_fields__:
            return None
        value = getattr(self, key)
        if value is None:
            return None
        if key == "proxy":
            return without_userinfo(value)
        if key == "providers":
            return json.dumps({name: _shown(entry) for name, entry in value.items()})
        if key == "hooks":
            return json.dumps(sorted(value))
        if isinstance(value, (dict, tuple)):
            return json.dumps(value)
        return str(value)

    def keys(self) -> list[str]:
        """Return the keys that have an effective value."""
        return [key for key in self.__struct_fields__ if getattr(self, key) is not None]


def _shown(entry: ProviderSettings) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if entry.api_key is not None:
        shown["api_key"] = REDACTED
    if entry.base_url is not None:
        shown["base_url"] = without_userinfo(entry.base_url)
    if entry.headers:
        shown["headers"] = {name: REDACTED for name, _ in entry.headers}
    if entry.timeout_seconds is not None:
        shown["timeout_seconds"] = entry.timeout_seconds
    return shown


def without_userinfo(url: str) -> str:
    """Return *url* without the name and password that may stand in it."""
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    if "@" not in authority:
        return url
    return f"{scheme}{separator}{REDACTED}@{authority.rpartition('@')[2]}{slash}{path}"


def closest(name: str, known: Any) -> Optional[str]:
    """Return the member of *known* that *name* most likely meant, if any is near."""
    found = difflib.get_close_matches(str(name).lower(), list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def _wrong(key: str, value: Any, allowed: str) -> ConfigurationError:
    hidden = isinstance(value, (dict, list, tuple, set)) or key.startswith("providers")
    shown = f"a {type(value).__name__}" if hidden else repr(value)
    return ConfigurationError(f"{key} is {shown}; allowed: {allowed}", key=key)


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _wrong(key, value, "text that is not empty")
    return value.strip()


def _names(key: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, (list, tuple)):
        raise _wrong(key, value, "a list of provider names")
    return tuple(_text(f"{key}[{place}]", item) for place, item in enumerate(value))


def _flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(key, value, "True or False")
    return value


def _count(least: int) -> Callable[[str, Any], int]:
    def check(key: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise _wrong(key, value, f"a whole number from {least} up")
        return value

    return check


def seconds(key: str, value: Any) -> float:
    """Return *value* if it is a time above zero."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or value <= 0
    ):
        raise _wrong(key, value, "a number of seconds above 0")
    return value


def one_of(*allowed: str) -> Callable[[str, Any], str]:
    """Return a check that a value is one of *allowed*."""

    def check(key: str, value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise _wrong(key, value, ", ".join(map(repr, allowed)))
        return value

    return check


def _simulate(key: str, value: Any) -> Union[bool, str]:
    if isinstance(value, bool):
        return value
    known = {"auto": "auto", "true": True, "1": True, "false": False, "0": False}
    found = known.get(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise _wrong(key, value, "'auto', True or False")
    return found  # type: ignore[return-value]


def _model_map(key: str, value: Any) -> dict[str, dict[str, str]]:
    if not isinstance(value, Mapping):
        raise _wrong(key, value, "{model: {provider: model}}")
    found = {}
    for model, targets in value.items():
        if not isinstance(targets, Mapping):
            raise _wrong(f"{key}[{model!r}]", targets, "{provider: model}")
        found[_text(key, model)] = {
            _text(f"{key}[{model!r}]", name): _text(f"{key}[{model!r}][{name!r}]", target)
            for name, target in targets.items()
        }
    return found


def _hooks(key: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(key, value, "{name: callable}")
    for name, hook in value.items():
        if name not in HOOKS:
            raise _wrong(key, name, ", ".join(HOOKS))
        if not callable(hook):
            raise _wrong(f"{key}[{name!r}]", hook, "a callable")
    return dict(value)


def checked_header_value(value: Any, key: str) -> str:
    """Return a header value stripped; what is not visible ASCII is refused without showing it."""
    if not isinstance(value, str):
        raise ConfigurationError(f"{key} is a {type(value).__name__}; allowed: text", key=key)
    text = value.strip()
    if not text or not text.isascii() or not text.isprintable():
        raise ConfigurationError(
            f"{key} has characters that a header cannot carry; allowed: visible ASCII text, "
            "not empty (check for line breaks and typographic quotes)",
            key=key,
        )
    return text


def checked_url(key: str, value: Any) -> str:
    """Return an http(s) URL without a slash at its end."""
    if not isinstance(value, str) or not value.strip().lower().startswith(("http://", "https://")):
        raise ConfigurationError(
            f"{key} must be a URL that begins with http:// or https://", key=key
        )
    url = value.strip().rstrip("/")
    if not url.isascii() or not url.isprintable() or " " in url or not url.partition("://")[2]:
        raise ConfigurationError(f"{key} is not a URL: use ASCII without spaces", key=key)
    return url


def _provider(key: str, value: Any) -> ProviderSettings:
    if not isinstance(value, Mapping):
        raise _wrong(key, value, "{'api_key', 'base_url', 'headers', 'timeout_seconds'}")
    for name in value:
        if name not in ProviderSettings.__struct_fields__:
            _warn_unknown(f"{key}[{name!r}]", name, ProviderSettings.__struct_fields__)
    api_key = value.get("api_key")
    if api_key is not None and not callable(api_key):
        if isinstance(api_key, Secret):
            api_key = api_key.reveal()
        api_key = checked_header_value(api_key, f"{key}['api_key']")
    base_url = value.get("base_url")
    timeout = value.get("timeout_seconds")
    return ProviderSettings(
        api_key=None if api_key is None else Secret(api_key),
        base_url=None if base_url is None else checked_url(f"{key}['base_url']", base_url),
        headers=checked_headers(f"{key}['headers']", value.get("headers") or {}),
        timeout_seconds=None if timeout is None else seconds(f"{key}['timeout_seconds']", timeout),
    )


def checked_headers(key: str, value: Any) -> tuple[tuple[str, str], ...]:
    """Return headers as pairs, names and values checked."""
    if not isinstance(value, Mapping):
        raise _wrong(key, value, "{name: text}")
    pairs = []
    for name, text in value.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise ConfigurationError(f"{key}: {name!r} is not a header name", key=key)
        pairs.append((name, checked_header_value(text, f"{key}[{name!r}]")))
    return tuple(pairs)


def _providers(key: str, value: Any) -> dict[str, ProviderSettings]:
    if not isinstance(value, Mapping):
        raise _wrong(key, value, "{provider: {'api_key': …, 'base_url': …}}")
    return {_text(key, name): _provider(f"{key}[{name!r}]", entry) for name, entry in value.items()}


class _Key(NamedTuple):
    check: Callable[[str, Any], Any]
    variable: Optional[str] = None


_KEYS: dict[str, _Key] = {
    "primary_provider": _Key(_text, "SPECADO_PRIMARY_PROVIDER"),
    "fallback_provider": _Key(_text, "SPECADO_FALLBACK_PROVIDER"),
    "fallback_providers": _Key(_names),
    "enable_fallback": _Key(_flag),
    "max_retries": _Key(_count(0)),
    "timeout_seconds": _Key(seconds),
    "attempt_timeout_seconds": _Key(seconds),
    "connect_timeout_seconds": _Key(seconds),
    "first_token_timeout_seconds": _Key(seconds),
    "idle_timeout_seconds": _Key(seconds),
    "strictness": _Key(one_of(*STRICTNESS), "SPECADO_STRICTNESS"),
    "model_map": _Key(_model_map),
    "simulate": _Key(_simulate, "SPECADO_SIMULATE"),
    "providers": _Key(_providers),
    "fallback_on_content_policy": _Key(_flag),
    "max_reply_bytes": _Key(_count(1)),
    "max_frame_bytes": _Key(_count(1)),
    "max_error_bytes": _Key(_count(1)),
    "transport": _Key(one_of(*TRANSPORTS), "SPECADO_TRANSPORT"),
    "hooks": _Key(_hooks),
    "proxy": _Key(_text),
    "ca_bundle": _Key(_text),
    "max_connections": _Key(_count(1)),
    "keepalive_seconds": _Key(seconds),
}
_VARIABLES = tuple((name, key.variable) for name, key in _KEYS.items() if key.variable)
_DEFAULT_FALLBACK = {"openai": "anthropic", "anthropic": "openai"}


def environment_value(variable: str) -> Optional[str]:
    """Return an environment variable stripped, `None` if it is unset or blank."""
    value = os.environ.get(variable)
    return (value.strip() or None) if value is not None else None


def _warn_unknown(path: str, name: Any, known: Any) -> None:
    near = closest(str(name), known)
    hint = f" Did you mean {near!r}?" if near else f" Known: {', '.join(known)}."
    warnings.warn(
        f"{path} is not a known setting and has no effect.{hint}",
        ConfigurationWarning,
        stacklevel=5,
    )


def environment_proxies() -> tuple[tuple[tuple[str, str], ...], str]:
    """Return the environment's proxies as (scheme, URL) pairs, and what NO_PROXY says.

    As in curl and httpx the lower-case name counts first; HTTP_PROXY in capitals is not read
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
        ConfigurationError: a value has a wrong type or range.
    """
    found: dict[str, Any] = {}
    for name, variable in _VARIABLES:
        text = environment_value(variable)
        if text is not None:
            found[name] = _KEYS[name].check(variable, text)
    if config is not None:
        if not isinstance(config, Mapping):
            raise ConfigurationError(f"config must be a dict, not {type(config).__name__}")
        for name, value in config.items():
            if name not in _KEYS:
                _warn_unknown(f"config key {name!r}", name, _KEYS)
            elif value is not None:
                found[name] = _KEYS[name].check(name, value)
    if "fallback_provider" not in found:
        primary = found.get("primary_provider", "openai")
        found["fallback_provider"] = _DEFAULT_FALLBACK.get(primary, "anthropic")
    return Settings(**found)
