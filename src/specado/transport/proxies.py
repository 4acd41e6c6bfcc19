"""Selects the proxy for an address (by scheme and NO_PROXY); handshakes: HTTP CONNECT and SOCKS5.

A handshake is a generator, for threads and for asyncio. It yields what each operation of the stream
returned, on asyncio an awaitable, and receives the operation's result.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from specado.errors import ConfigurationError
from specado.transport.addresses import ascii_host, host_and_port, ip_address

if TYPE_CHECKING:
    from collections.abc import Generator

    from specado.transport.addresses import Address
    from specado.transport.contract import TransportSettings

    T = TypeVar("T")
    Handshake = Generator[Any, Any, T]

__all__ = [
    "Proxy",
    "forwarded_head",
    "http_tunnel",
    "proxy_for",
    "socks_library",
    "socks_tunnel",
]

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
# RFC 1929, 2: each has one byte for its length.
MAX_SOCKS_CREDENTIAL_BYTES = 255
MAX_HEAD_BYTES = 65_536
# RFC 9112, 4: the phrase after the status may be left out.
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)( .*)?")
_HEADER_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:.*")
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


class ProxyError(OSError):
    """A proxy refuses the connection, or its reply is not valid; the message quotes no reply."""


def http_tunnel(stream: Any, until: float, proxy: Proxy, host: str, port: int) -> Handshake[None]:
    """Let an HTTP proxy connect to the host (CONNECT: RFC 9110, 9.3.6)."""
    authority = host_and_port(host, port).encode("ascii")
    request = b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n" % (authority, authority)
    yield stream.write(request + proxy.authorization + b"\r\n", until)
    answer = b""
    status = 100
    while status < 200:  # RFC 9110, 15.2: any number of interim answers may come before
        while b"\r\n\r\n" not in answer:
            answer += yield from _more(stream, until, len(answer))
        head, _, answer = answer.partition(b"\r\n\r\n")
        status = _status_of(head)
    if status == 407:
        raise ProxyError(proxy.demand)
    if status >= 300:
        raise ProxyError(f"it answered with the status {status}")
    if answer:
        raise _too_much()


def _more(stream: Any, until: float, size: int) -> Handshake[bytes]:
    """Return the next bytes of an answer of which *size* have come."""
    if size > MAX_HEAD_BYTES:
        raise ProxyError(f"its answer has no end within {MAX_HEAD_BYTES} bytes")
    data = yield stream.read(until)
    if not data:
        raise ProxyError("it closed the connection before its answer was whole")
    return data  # type: ignore[no-any-return]


def _status_of(head: bytes) -> int:
    status_line, *lines = head.split(b"\r\n")
    match = _STATUS_LINE.fullmatch(status_line)
    if match is None or not all(map(_HEADER_LINE.fullmatch, lines)):
        raise ProxyError("its answer is not valid HTTP")
    return int(match[1])


def _too_much() -> ProxyError:
    return ProxyError("its answer is followed by bytes that nobody asked for")


def socks_tunnel(stream: Any, until: float, proxy: Proxy, host: str, port: int) -> Handshake[None]:
    """Let a SOCKS5 proxy resolve the host and connect to it (RFC 1928, RFC 1929)."""
    socks = socks_library()
    connection = socks.SOCKS5Connection()
    method = socks.SOCKS5AuthMethod.NO_AUTH_REQUIRED
    if proxy.credentials is not None:
        method = socks.SOCKS5AuthMethod.USERNAME_PASSWORD
    try:
        reply = yield from _ask(stream, until, connection, socks.SOCKS5AuthMethodsRequest([method]))
        if reply.method != method:
            wrong = "its user and password" if proxy.credentials else "a caller without credentials"
            raise ProxyError(f"it does not take {wrong}; its URL is socks5://user:password@host")
        if proxy.credentials is not None:
            user, password = (part.encode() for part in proxy.credentials)
            login = socks.SOCKS5UsernamePasswordRequest(user, password)
            reply = yield from _ask(stream, until, connection, login)
            if not reply.success:
                raise ProxyError("it refuses the user and password")
        command = socks.SOCKS5CommandRequest.from_address(socks.SOCKS5Command.CONNECT, (host, port))
        reply = yield from _ask(stream, until, connection, command)
        if reply.reply_code != socks.SOCKS5ReplyCode.SUCCEEDED:
            raise ProxyError(reply.reply_code.name.replace("_", " ").capitalize())
    except socks.ProtocolError:
        raise ProxyError("its answer is not valid SOCKS5") from None


def _ask(stream: Any, until: float, connection: Any, request: Any) -> Handshake[Any]:
    """Send one message and return the answer to it, once all of that has come."""
    connection.send(request)
    yield stream.write(connection.data_to_send(), until)
    is_command = hasattr(request, "command")
    answer, size = b"", 5 if is_command else 2
    while len(answer) < size:
        answer += yield from _more(stream, until, len(answer))
        if is_command and len(answer) >= 5:
            # Version, code, a zero, kind of address; address; two bytes of the port.
            size = 6 + {1: 4, 3: 1 + answer[4], 4: 16}.get(answer[3], 0)
    if len(answer) > size:
        raise _too_much()
    return connection.receive_data(answer)


def socks_library() -> Any:
    """Return the module socksio, or raise a `ConfigurationError` that says what to install."""
    try:
        import socksio
    except ImportError:
        message = "proxy: a SOCKS proxy needs the package socksio: pip install 'specado[socks]'"
        raise ConfigurationError(message, key="proxy") from None
    return socksio
