"""Parses a request's address, selects its proxy, and builds the TLS context."""

from __future__ import annotations

import functools
import ipaddress
import ssl
import warnings
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from specado.errors import ConfigurationError, caller_stacklevel
from specado.transport.causes import resource_cause
from specado.transport.exchange import (
    InsecureTransportWarning,
    TransportFailure,
    TransportSettings,
    WireRequest,
    without_query,
)

__all__ = ["Address", "Proxy", "address_of", "proxy_for", "tls_context", "warn_if_readable"]

_KEY_HEADERS = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key"})
_tls_contexts: dict[str | None, ssl.SSLContext] = {}
_warned_origins: set[tuple[str, str, int]] = set()

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PROXY_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
# RFC 1035, 2.3.4.
MAX_HOST_CHARACTERS = 253
# RFC 1929, 2: each has one byte for its length.
MAX_SOCKS_CREDENTIAL_BYTES = 255
# What may stand in a path or query as it is (RFC 3986, 3.3 and 3.4), "%" for what is encoded.
_URL_SAFE = "/?%:@!$&'()*+,;=~-._"


class Address(NamedTuple):
    """A URL taken apart: `target` is path and query, `authority` the Host header's value."""

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


class Proxy(NamedTuple):
    """A proxy; `credentials` are user and password, never shown."""

    scheme: str
    host: str
    port: int
    credentials: tuple[str, str] | None

    def __repr__(self) -> str:
        return f"Proxy({self.scheme}://{self.host}:{self.port})"

    def __rich_repr__(self) -> list[Any]:  # rich shows every field of a tuple otherwise
        return [f"{self.scheme}://{self.host}:{self.port}"]


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
        port = parts.port
        host = _ascii_host(parts.hostname or "")
    except (ValueError, UnicodeError) as error:
        raise ConfigurationError(f"{shown!r} is not a URL: {error}") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise ConfigurationError(f"{shown!r} is not a URL that begins with http:// or https://")
    if parts.username is not None:
        raise ConfigurationError(f"{shown!r}: credentials go into the headers, not into the URL")
    default = _DEFAULT_PORTS[parts.scheme]
    target = quote(parts.path or "/", safe=_URL_SAFE)
    name = f"[{host}]" if ":" in host else host
    authority = name if port in (None, default) else f"{name}:{port}"
    return Address(
        parts.scheme, host, port or default, target.encode("ascii"), authority, _is_loopback(host)
    )


def _ascii_host(host: str) -> str:
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    if not host or len(host) > MAX_HOST_CHARACTERS:
        raise ValueError("it has no host, or too long a one")
    if any(character <= " " or character in '\x7f\\^`{|}<>"%' for character in host):
        raise ValueError("its host has a character that no name has")
    return host


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _ip_address(host)
    return address is not None and address.is_loopback


def _ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
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


@functools.lru_cache(maxsize=512)
def proxy_for(settings: TransportSettings, scheme: str, host: str, port: int) -> Proxy | None:
    """Return the proxy for an address: the scheme's own, else the one for `all`.

    This machine has no exception: where a proxy is set, `no_proxy` names what goes past it,
    as httpx, urllib and curl have it.
    """
    proxies = dict(settings.proxies)
    url = proxies.get(scheme) or proxies.get("all")
    if not url or _is_excluded(settings.no_proxy, host, port):
        return None
    return _parse_proxy(url)


def _parse_proxy(url: str) -> Proxy:
    if "://" not in url:
        url = f"http://{url}"
    try:
        parts = urlsplit(url)
        host = _ascii_host(parts.hostname or "")
        port = parts.port
    except (ValueError, UnicodeError):
        # What is wrong may be within the password: nothing of it is shown.
        message = "proxy: not a URL such as http://user:password@host:port"
        raise ConfigurationError(message, key="proxy") from None
    if parts.scheme not in _PROXY_PORTS:
        known = ", ".join(_PROXY_PORTS)
        message = f"proxy: {parts.scheme[:20]!r} is not a kind of proxy; known: {known}"
        raise ConfigurationError(message, key="proxy")
    credentials = None
    if parts.username is not None:
        credentials = (unquote(parts.username), unquote(parts.password or ""))
        longest = max(len(part.encode()) for part in credentials)
        if parts.scheme.startswith("socks") and longest > MAX_SOCKS_CREDENTIAL_BYTES:
            message = f"proxy: user and password have {MAX_SOCKS_CREDENTIAL_BYTES} bytes at most"
            raise ConfigurationError(message, key="proxy")
    return Proxy(parts.scheme, host, port or _PROXY_PORTS[parts.scheme], credentials)


def _is_excluded(no_proxy: str, host: str, port: int) -> bool:
    """Tell whether NO_PROXY names the address.

    A list of host names (with all that end in them), addresses, networks (`10.0.0.0/8`),
    each with or without a port, or `*`: as curl 8 and httpx 0.28 read it.
    """
    address = _ip_address(host)
    for entry in no_proxy.lower().replace(",", " ").split():
        if entry == "*":
            return True
        name = entry.partition("://")[2] or entry
        if "/" in name:
            if address is not None and _is_in_network(address, name):
                return True
            continue
        name, entry_port = _split_port(name)
        if entry_port not in ("", str(port)):
            continue
        if address is not None:
            if _ip_address(name) == address:
                return True
        elif host == name.lstrip(".") or host.endswith("." + name.lstrip("*.")):
            return True
    return False


def _is_in_network(address: ipaddress.IPv4Address | ipaddress.IPv6Address, network: str) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _split_port(name: str) -> tuple[str, str]:
    if name.startswith("["):
        inner, _, rest = name[1:].partition("]")
        return inner, rest.lstrip(":")
    if name.count(":") == 1:
        host, _, port = name.partition(":")
        return host, port
    return name, ""


def tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    """Return the process's context for *ca_bundle*.

    Without one, the system's certificates and certifi's are trusted. A `TransportFailure` says
    that this machine cannot read them now.
    """
    found = _tls_contexts.get(ca_bundle)
    if found is not None:
        return found
    try:
        return _tls_contexts.setdefault(ca_bundle, _new_tls_context(ca_bundle))
    except (OSError, ValueError) as error:
        lacking = resource_cause(error)
        if lacking is not None:
            message = f"the trusted certificates cannot be read: {lacking}"
            raise TransportFailure("resources", message, sent=False) from None
        if ca_bundle is None:
            raise
        message = f"ca_bundle: {ca_bundle!r} is no file or folder of certificates: {error}"
        raise ConfigurationError(message, key="ca_bundle") from None


def _new_tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    if ca_bundle is None:
        import certifi

        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        return context
    if Path(ca_bundle).is_dir():
        return ssl.create_default_context(capath=ca_bundle)
    return ssl.create_default_context(cafile=ca_bundle)
