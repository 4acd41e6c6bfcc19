"""Parses a request's address, and warns of a key that goes out unencrypted."""

from __future__ import annotations

import functools
import ipaddress
import os
import warnings
from typing import Any, NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

from specado.errors import ConfigurationError, caller_stacklevel
from specado.transport.contract import (
    InsecureTransportWarning,
    WireRequest,
    without_query,
)

__all__ = ["Address", "address_of", "ascii_host", "host_and_port", "ip_address", "warn_if_readable"]

_KEY_HEADERS = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key"})
_warned_origins: set[tuple[str, str, int]] = set()

_DEFAULT_PORTS = {"http": 80, "https": 443}
# RFC 1035, 2.3.4.
MAX_HOST_CHARACTERS = 253
# unix(7): a path has 108 bytes with its final zero; fewer on other systems.
MAX_SOCKET_PATH_BYTES = 107
# What may stand in a path or query as it is (RFC 3986, 3.3 and 3.4), "%" for what is encoded.
_URL_SAFE = "/?%:@!$&'()*+,;=~-._"


class Address(NamedTuple):
    """A URL taken apart: `target` is path and query, `authority` the Host header's value.

    Of a URL such as http+unix://%2Frun%2Fllm.sock/v1 the `host` is the socket's path.
    """

    scheme: str
    host: str
    port: int
    target: bytes
    authority: str
    is_loopback: bool

    def __repr__(self) -> str:
        return f"Address({self.scheme}://{self.authority})"

    def __rich_repr__(self) -> list[Any]:  # rich shows every field of a tuple otherwise
        return [f"{self.scheme}://{self.authority}"]


def address_of(url: str) -> Address:
    """Return the parts of *url*, or raise a `ConfigurationError` that does not show its query."""
    base, _, query = url.partition("#")[0].partition("?")
    try:
        address = _address_of(base)  # kept for the next call; the query is not: it may be a key
    except ConfigurationError as error:
        del url, base, query  # nor does a traceback that shows locals have it
        raise error.with_traceback(None) from None
    if not query:
        return address
    return address._replace(
        target=address.target + b"?" + quote(query, safe=_URL_SAFE).encode("ascii")
    )


@functools.lru_cache(maxsize=512)
def _address_of(url: str) -> Address:
    shown = without_query(url)[:200]
    try:
        parts = urlsplit(url)
        if parts.scheme == "http+unix":
            return _unix_address(parts)
        port = parts.port
        host = ascii_host(parts.hostname or "")
    except (ValueError, UnicodeError) as error:
        raise ConfigurationError(f"{shown!r} is not a URL: {error}") from None
    if parts.scheme not in _DEFAULT_PORTS:
        known = "http://, https:// or http+unix://"
        raise ConfigurationError(f"{shown!r} is not a URL that begins with {known}")
    if parts.username is not None:
        raise ConfigurationError(f"{shown!r}: credentials go into the headers, not into the URL")
    default = _DEFAULT_PORTS[parts.scheme]
    target = quote(parts.path or "/", safe=_URL_SAFE)
    name = f"[{host}]" if ":" in host else host
    authority = name if port in (None, default) else f"{name}:{port}"
    return Address(
        parts.scheme, host, port or default, target.encode("ascii"), authority, _is_loopback(host)
    )


def _unix_address(parts: SplitResult) -> Address:
    path = unquote(parts.netloc)
    if path[:1] not in ("/", "\0") or len(os.fsencode(path)) > MAX_SOCKET_PATH_BYTES:
        raise ValueError(
            "between http+unix:// and the next slash there is a socket's whole path, at most "
            f"{MAX_SOCKET_PATH_BYTES} bytes, with %2F for each slash"
        )
    target = quote(parts.path or "/", safe=_URL_SAFE)
    return Address("http+unix", path, 0, target.encode("ascii"), "localhost", True)


def ascii_host(host: str) -> str:
    """Return a host name as it is sent; raise `ValueError` for what is none."""
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    if not host or len(host) > MAX_HOST_CHARACTERS:
        raise ValueError("it has no host, or too long a one")
    if any(character <= " " or character in '\x7f\\^`{|}<>"%' for character in host):
        raise ValueError("its host has a character that no name has")
    return host


def host_and_port(host: str, port: int) -> str:
    """Return both as a URL has them: an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = ip_address(host)
    return address is not None and address.is_loopback


def ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the IP address that *host* is, `None` for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def warn_if_readable(address: Address, request: WireRequest) -> None:
    """Warn, once per origin, of a key that goes over plain HTTP to another machine."""
    if address.scheme == "https" or address.is_loopback or address[:3] in _warned_origins:
        return
    if request.carries_key or any(name.lower() in _KEY_HEADERS for name, _ in request.headers):
        message = (
            f"a key is sent to http://{address.authority} without encryption: "
            "everybody on the way can read it; use https://"
        )
        warnings.warn(message, InsecureTransportWarning, stacklevel=caller_stacklevel())
        _warned_origins.add(address[:3])
