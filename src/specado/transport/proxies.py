"""Selects the proxy for an address: by its scheme, and by what NO_PROXY names."""

from __future__ import annotations

import functools
import ipaddress
from base64 import b64encode
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from specado.errors import ConfigurationError
from specado.transport.addresses import ascii_host, host_and_port, ip_address

if TYPE_CHECKING:
    from specado.transport.addresses import Address
    from specado.transport.contract import TransportSettings

__all__ = ["Proxy", "forwarded_head", "proxy_for"]

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
# RFC 1929, 2: each has one byte for its length.
MAX_SOCKS_CREDENTIAL_BYTES = 255
_NO_BRACKETS = str.maketrans("", "", "[]")


class Proxy(NamedTuple):
    """A proxy; `credentials` are user and password, never shown."""

    scheme: str
    host: str
    port: int
    credentials: tuple[str, str] | None

    @property
    def place(self) -> str:
        """Host and port."""
        return host_and_port(self.host, self.port)

    @property
    def is_socks(self) -> bool:
        """True for a SOCKS5 proxy, False for an HTTP proxy."""
        return self.scheme.startswith("socks")

    @property
    def authorization(self) -> bytes:
        """The header line with the credentials (RFC 7617), empty without any."""
        if self.credentials is None:
            return b""
        return b"proxy-authorization: Basic %b\r\n" % b64encode(":".join(self.credentials).encode())

    @property
    def demand(self) -> str:
        """Explanation of the proxy's status 407 (RFC 9110, 15.5.8)."""
        wrong = "refuses the user and password" if self.credentials else "demands credentials"
        return f"it {wrong} (status 407); a proxy's URL is http://user:password@host:port"

    def forwards(self, scheme: str) -> bool:
        """Tell whether requests to a URL of *scheme* are the proxy's to read, and to answer."""
        return scheme == "http" and not self.is_socks

    def __repr__(self) -> str:
        return f"Proxy({self.scheme}://{self.place})"

    def __rich_repr__(self) -> list[Any]:  # rich shows every field of a tuple otherwise
        return [f"{self.scheme}://{self.place}"]


def forwarded_head(address: Address, proxy: Proxy | None) -> tuple[bytes, bytes]:
    """Return the request target and the proxy's header line for a request's head.

    An HTTP proxy forwards a plain http:// request, whose target is then the whole URL
    (RFC 9112, 3.2.2); any other connection leads to the server itself.
    """
    if proxy is None or not proxy.forwards(address.scheme):
        return address.target, b""
    return b"http://" + address.authority.encode("ascii") + address.target, proxy.authorization


@functools.lru_cache(maxsize=512)
def proxy_for(settings: TransportSettings, scheme: str, host: str, port: int) -> Proxy | None:
    """Return the proxy for an address: the scheme's own, else the one for `all`.

    This machine has no exception: where a proxy is set, `no_proxy` names what goes past it,
    as httpx, urllib and curl have it. A Unix socket has no proxy.
    """
    if scheme == "http+unix":
        return None
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
        host = ascii_host(parts.hostname or "")
        port = parts.port
    except (ValueError, UnicodeError):
        # What is wrong may be within the password: nothing of it is shown.
        message = "proxy: not a URL such as http://user:password@host:port"
        raise ConfigurationError(message, key="proxy") from None
    if parts.scheme not in _PORTS:
        known = ", ".join(_PORTS)
        message = f"proxy: {parts.scheme[:20]!r} is not a kind of proxy; known: {known}"
        raise ConfigurationError(message, key="proxy")
    credentials = None
    if parts.username is not None:
        credentials = (unquote(parts.username), unquote(parts.password or ""))
        longest = max(len(part.encode()) for part in credentials)
        if parts.scheme.startswith("socks") and longest > MAX_SOCKS_CREDENTIAL_BYTES:
            message = f"proxy: user and password have {MAX_SOCKS_CREDENTIAL_BYTES} bytes at most"
            raise ConfigurationError(message, key="proxy")
    return Proxy(parts.scheme, host, port or _PORTS[parts.scheme], credentials)


def _is_excluded(no_proxy: str, host: str, port: int) -> bool:
    """Tell whether NO_PROXY names the address.

    A list of host names (with all that end in them), addresses, networks (`10.0.0.0/8`),
    each with or without a port, or `*`: as curl 8 and httpx 0.28 read it.
    """
    host = host.rstrip(".")
    address = ip_address(host)
    for entry in no_proxy.lower().replace(",", " ").split():
        name = (entry.partition("://")[2] or entry).rstrip("/.")
        if "/" in name:
            if address is not None and _is_in_network(address, name):
                return True
            continue
        name, entry_port = _split_port(name)
        if entry_port not in ("", str(port)):
            continue
        if name == "*":
            return True
        if address is not None:
            if ip_address(name) == address:
                return True
        elif host == name.lstrip(".") or host.endswith("." + name.lstrip("*.")):
            return True
    return False


def _is_in_network(address: ipaddress.IPv4Address | ipaddress.IPv6Address, network: str) -> bool:
    try:
        return address in ipaddress.ip_network(network.translate(_NO_BRACKETS), strict=False)
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
