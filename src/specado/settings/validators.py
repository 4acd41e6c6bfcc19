"""Validators of settings and options.

A validator takes the key and the value. It returns the normalised value or raises a
`ConfigurationError` that names the key, the value and the allowed values. It does not show a
value that may hold a secret.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Any, Callable, Optional
from urllib.parse import SplitResult, unquote, urlsplit

from specado.errors import ConfigurationError, ConfigurationWarning, caller_stacklevel

__all__ = [
    "HEADER_NAME",
    "STRICTNESSES",
    "api_version",
    "checked_header_value",
    "checked_headers",
    "checked_url",
    "client_certificate",
    "close_matches",
    "closest",
    "cloud_location",
    "cloud_project",
    "count",
    "dialect_names",
    "duplicate_option",
    "fraction",
    "headers_or_none",
    "invalid_value",
    "non_empty_text",
    "one_of",
    "provider_names",
    "proxy_url",
    "rate",
    "seconds",
    "short_repr",
    "ssl_context",
    "timeouts",
    "true_or_false",
]

STRICTNESSES = ("strict", "warn", "coerce")
# Ten days: no call takes longer, and sockets refuse time-outs above some 24 days.
MAX_SECONDS = 864_000
MAX_SHOWN_BITS = 64
MAX_SHOWN_CHARACTERS = 100
# Similarity from which a name counts as a misspelling of another: of the whole names, of one word,
# and of all letters where the words are divided differently (`toolchoice`).
MISSPELLED_RATIO = 0.8
SAME_WORD_RATIO = 0.7
MIN_STEM = 3
SAME_LETTERS_RATIO = 0.9
_WORD = re.compile(r"[^\W_]+")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2


def invalid_value(key: str, value: Any, allowed: str) -> ConfigurationError:
    """Return the error for a value that is not allowed."""
    # A provider's settings and a proxy's URL may hold a key or a password.
    secret = isinstance(value, str) and key.startswith(("providers", "proxy"))
    kind = f"a {type(value).__name__}"
    shown = kind if secret else short_repr(value, kind)
    return ConfigurationError(f"{key} is {shown}; allowed: {allowed}", key=key)


def short_repr(value: Any, otherwise: str) -> str:
    """Return a short `repr` of a number or a text for an error, *otherwise* for anything else."""
    if isinstance(value, int):
        return repr(value) if value.bit_length() <= MAX_SHOWN_BITS else otherwise
    if isinstance(value, str):
        cut = len(value) > MAX_SHOWN_CHARACTERS
        return repr(value[:MAX_SHOWN_CHARACTERS]) + ("…" if cut else "")
    return repr(value) if isinstance(value, float) else otherwise


def non_empty_text(key: str, value: Any) -> str:
    """Return the stripped text; refuse blank text."""
    if not isinstance(value, str) or not value.strip():
        raise invalid_value(key, value, "text that is not empty")
    return value.strip()


# Both become parts of a URL. A project is named by its id or number; old ids are "domain.tld:id".
_CLOUD_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,99}")
_API_VERSION = re.compile(r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*")
_CLOUD_LOCATION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def cloud_project(key: str, value: Any) -> str:
    """Return the id or the number of a cloud's project."""
    text = non_empty_text(key, value)
    if not _CLOUD_PROJECT.fullmatch(text):
        raise invalid_value(key, value, "the id of a project, such as 'my-project-123'")
    return text


def cloud_location(key: str, value: Any) -> str:
    """Return the name of a cloud's location."""
    text = non_empty_text(key, value)
    if len(text) > MAX_SHOWN_CHARACTERS or not _CLOUD_LOCATION.fullmatch(text):
        raise invalid_value(
            key, value, "the name of a location or region, such as 'europe-west4' or 'us-east-1'"
        )
    return text


def api_version(key: str, value: Any) -> str:
    """Return the version of an API: a date such as `2025-04-01-preview`, or a word."""
    text = non_empty_text(key, value)
    if len(text) > MAX_SHOWN_CHARACTERS or not _API_VERSION.fullmatch(text):
        raise invalid_value(key, value, "the version of an API, such as '2024-10-21' or 'preview'")
    return text


def _names_of(kind: str) -> Callable[[str, Any], tuple[str, ...]]:
    """Return a check that a value is a list of names of a *kind*; it strips them."""

    def check(key: str, value: Any) -> tuple[str, ...]:
        if isinstance(value, str) or not isinstance(value, (list, tuple)):
            raise invalid_value(key, value, f"a list of {kind} names")
        return tuple(non_empty_text(f"{key}[{place}]", item) for place, item in enumerate(value))

    return check


provider_names = _names_of("provider")
_some_names = _names_of("dialect")


def dialect_names(key: str, value: Any) -> tuple[str, ...]:
    """Return a list of at least one name as a tuple of stripped names, each once."""
    found = tuple(dict.fromkeys(_some_names(key, value)))
    if not found:
        raise invalid_value(key, value, "a list of at least one dialect name, or None")
    return found


def true_or_false(key: str, value: Any) -> bool:
    """Return *value* if it is a bool."""
    if not isinstance(value, bool):
        raise invalid_value(key, value, "True or False")
    return value


def count(least: int) -> Callable[[str, Any], int]:
    """Return a check that a value is a whole number from *least* up."""

    def check(key: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise invalid_value(key, value, f"a whole number from {least} up")
        return value

    return check


def seconds(key: str, value: Any) -> float:
    """Return *value* if it is a number of seconds above 0, up to `MAX_SECONDS`."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not 0 < value <= MAX_SECONDS
    ):
        raise invalid_value(key, value, f"a number of seconds above 0, at most {MAX_SECONDS:,}")
    return value


def fraction(key: str, value: Any) -> float:
    """Return *value* if it is a number from 0 up, below 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
        raise invalid_value(key, value, "a number from 0 up, below 1")
    return value


def rate(key: str, value: Any) -> float:
    """Return *value* if it is a finite number from 0 up."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1e9:
        raise invalid_value(key, value, "a number from 0 up")
    return value


_TIMEOUT_PARTS = ("connect", "read", "write", "pool")


def timeouts(key: str, value: Any) -> dict[str, float]:
    """Return the settings that a `timeout=` argument means, checked.

    A number of seconds is the deadline of the whole call. An `httpx.Timeout` is known by its
    attributes: `connect` is the limit for connecting, `read` the limit between two events of a
    stream; a part that is `None` sets nothing.

    Warns:
        ConfigurationWarning: `write` or `pool` are given, and have no effect.
    """
    if not all(hasattr(value, part) for part in _TIMEOUT_PARTS):
        if not isinstance(value, (int, float)):
            raise invalid_value(key, value, "a number of seconds, or an httpx.Timeout")
        return {"timeout_seconds": seconds(key, value)}
    limits = {"connect_timeout_seconds": value.connect, "idle_timeout_seconds": value.read}
    ignored = [part for part in ("write", "pool") if getattr(value, part) is not None]
    if ignored:
        warnings.warn(
            f"{key}: {' and '.join(ignored)} of an httpx.Timeout {'have' if ignored[1:] else 'has'}"
            " no effect: connect and read are the limits for connecting and between two events of "
            "a stream, and timeout_seconds is the deadline of the call.",
            ConfigurationWarning,
            stacklevel=caller_stacklevel(),
        )
    return {
        name: seconds(f"{key}.{part}", limit)
        for part, (name, limit) in zip(_TIMEOUT_PARTS, limits.items())
        if limit is not None
    }


def duplicate_option(function: str, one: str, other: str) -> TypeError:
    """Return the error for an option that was given under both of its names."""
    return TypeError(
        f"{function}() got both {one!r} and {other!r}, two names of one option: give one"
    )


def one_of(*allowed: str) -> Callable[[str, Any], str]:
    """Return a check that a value is one of *allowed*."""

    def check(key: str, value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise invalid_value(key, value, ", ".join(map(repr, allowed)))
        return value

    return check


def closest(name: str, known: Any) -> Optional[str]:
    """Return the member of *known* that *name* misspells, `None` if there is none.

    Similarity is not enough: `top_k` is not `top_p`, `system` not `stream` and `gpt-4` not `gpt-5`.
    """
    wanted = str(name).lower()
    found = close_matches(wanted, known, MISSPELLED_RATIO)
    return next((each for each in found if _is_misspelling(wanted, each)), None)


def close_matches(name: str, known: Any, ratio: float) -> list[str]:
    """Return up to three members of *known* that are similar to *name*, the closest first."""
    # Imported here: most processes never need it.
    import difflib

    return difflib.get_close_matches(name, [str(each) for each in known], n=3, cutoff=ratio)


def _is_misspelling(name: str, known: str) -> bool:
    """Return whether similar names differ only by misspelt words, not by other words."""
    words, others = _WORD.findall(name), _WORD.findall(known.lower())
    if len(words) != len(others):
        return _ratio("".join(words), "".join(others)) >= SAME_LETTERS_RATIO
    return all(word == other or _is_misspelt(word, other) for word, other in zip(words, others))


def _is_misspelt(word: str, other: str) -> bool:
    if max(len(word), len(other)) == 1:
        return False
    same_stem = len(word) >= MIN_STEM and other.startswith(word[:-1])  # as "retry" and "retries"
    return same_stem or _ratio(word, other) >= SAME_WORD_RATIO


def _ratio(one: str, other: str) -> float:
    import difflib

    return difflib.SequenceMatcher(None, one, other).ratio()


def checked_header_value(value: Any, key: str) -> str:
    """Return a stripped header value; refuse other than visible ASCII without showing it."""
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


_URL_SCHEMES = ("http://", "https://", "http+unix://")


def checked_url(key: str, value: Any) -> str:
    """Return a server's URL without its final slash; an invalid one is not shown.

    http+unix://%2Fpath%2Fto.sock/v1 is a server on a Unix socket.
    """
    if not isinstance(value, str) or not value.strip().lower().startswith(_URL_SCHEMES):
        raise ConfigurationError(
            f"{key} must be a URL that begins with http:// or https:// (or http+unix://)", key=key
        )
    url = value.strip().rstrip("/")
    if "?" in url or "#" in url:
        raise ConfigurationError(f"{key} is followed by a path: no '?' and no '#'", key=key)
    parts = _split(key, url)
    if parts.scheme == "http+unix":
        if not unquote(parts.netloc).startswith(("/", "\0")):
            message = f"{key}: the socket's path is written as in http+unix://%2Fpath%2Fto.sock"
            raise ConfigurationError(message, key=key)
    elif parts.username is not None:
        raise ConfigurationError(f"{key}: credentials go into the headers, not the URL", key=key)
    return url


def _split(key: str, url: str) -> SplitResult:
    """Return the parts of a URL; refuse a URL without a host or with an invalid port."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigurationError(f"{key} is not a URL: use ASCII without spaces", key=key)
    try:
        parts = urlsplit(url)
        named = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        named = False
    if not named:
        raise ConfigurationError(f"{key} is not a URL: check its host and port", key=key)
    return parts


def client_certificate(key: str, value: Any) -> tuple[str, ...]:
    """Return the paths of a certificate and its key, and the key's password, as far as given.

    The value is a path, or (certificate, key), or (certificate, key, password).
    """
    parts = (value,) if isinstance(value, str) else value
    if (
        not isinstance(parts, (list, tuple))
        or not 1 <= len(parts) <= 3
        or not all(isinstance(part, str) and part for part in parts)
    ):
        allowed = "a file's path, (certificate, key) or (certificate, key, password)"
        raise ConfigurationError(f"{key} is a {type(value).__name__}; allowed: {allowed}", key=key)
    return tuple(parts)


def ssl_context(key: str, value: Any) -> Any:
    """Return *value* if it is an `ssl.SSLContext`."""
    import ssl  # not where nobody gives one: it takes long

    if not isinstance(value, ssl.SSLContext):
        raise invalid_value(key, value, "an ssl.SSLContext")
    return value


def proxy_url(key: str, value: Any) -> str:
    """Return a proxy's URL with its scheme (default: http); errors do not show it."""
    text = non_empty_text(key, value)
    url = text if "://" in text else f"http://{text}"
    parts = _split(key, url)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigurationError(
            f"{key} must be a URL such as http://user:password@host:port", key=key
        )
    return url


class HiddenArguments(dict[str, Any]):
    """Arguments that may hold keys: the `repr` shows only their names."""

    def __repr__(self) -> str:
        return f"HiddenArguments({list(self)!r})"

    def __rich_repr__(self) -> list[Any]:
        return list(self)


class HiddenPairs(tuple[tuple[str, Any], ...]):
    """Checked headers that may hold keys: the `repr` shows only their names."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"HiddenPairs({[name for name, _ in self]!r})"

    def __rich_repr__(self) -> list[Any]:
        return [name for name, _ in self]


def checked_headers(key: str, value: Any) -> tuple[tuple[str, str], ...]:
    """Return checked headers as pairs of name and value."""
    if not isinstance(value, Mapping):
        raise invalid_value(key, value, "{name: text}")
    pairs = []
    for name, text in value.items():
        if not isinstance(name, str) or not HEADER_NAME.fullmatch(name):
            raise ConfigurationError(f"{key}: {name!r} is not a header name", key=key)
        pairs.append((name, checked_header_value(text, f"{key}[{name!r}]")))
    return HiddenPairs(pairs)


def headers_or_none(key: str, value: Any) -> tuple[tuple[str, Optional[str]], ...]:
    """Return checked headers as pairs; a header with the value `None` is not sent."""
    if not isinstance(value, Mapping):
        raise invalid_value(key, value, "{name: text}")
    pairs: list[Any] = []
    for name, text in value.items():
        pairs += [(name, None)] if text is None else checked_headers(key, {name: text})
    return HiddenPairs(pairs)
