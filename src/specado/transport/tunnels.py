"""Handshakes with proxies: HTTP CONNECT and SOCKS5, for threads and for asyncio.

A handshake is a generator. It yields what an operation of the stream returned, which may be an
awaitable, and is sent its result.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from specado.errors import ConfigurationError
from specado.transport.addresses import host_and_port

if TYPE_CHECKING:
    from collections.abc import Generator

    from specado.transport.proxies import Proxy

    T = TypeVar("T")
    Handshake = Generator[Any, Any, T]

__all__ = ["ProxyError", "http_tunnel", "socks_library", "socks_tunnel"]

MAX_HEAD_BYTES = 65_536
# RFC 9112, 4: the phrase after the status may be left out.
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)( .*)?")
_HEADER_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:.*")


class ProxyError(OSError):
    """A proxy refuses the connection, or its answer is not valid; the text quotes no answer."""


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
