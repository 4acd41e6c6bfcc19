"""HTTP/1.1 on one connection, without I/O: bytes out, bytes in (on h11, which httpx brings)."""

from __future__ import annotations

import base64
import ipaddress
from typing import TYPE_CHECKING

import h11

from specado.errors import ConfigurationError
from specado.exchange import TransportFailure

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Http1", "connect_tunnel", "socks_tunnel"]

# h11 refuses a head (or a chunk's header) above this; httpcore's bound.
MAX_HEAD_BYTES = 102_400
# Below this, head and body leave in one write.
JOINED_BYTES = 262_144


class Http1:
    """The protocol state of one connection, over any number of exchanges.

    After `request` the caller writes what it gave, then asks `head` and `body` in turn,
    with `receive` whenever they give `None`. Not for two threads at once.
    """

    def __init__(self) -> None:
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._has_answer = False
        self._has_ended = False

    def request(
        self, method: str, target: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> list[memoryview]:
        """Return the pieces to write; *headers* tell the body's length.

        Raises `ConfigurationError` for what HTTP does not allow. Views, since their `repr`
        shows nothing in a traceback.
        """
        self._has_answer = False
        try:
            event = h11.Request(method=method, target=target, headers=headers)
        except h11.LocalProtocolError:
            event = None  # the error quotes a header: it must not become a context
        if event is None:
            message = "a header of the request has a character that HTTP does not allow"
            raise ConfigurationError(message)
        head = self._h11.send(event) or b""
        if body:
            self._h11.send_with_data_passthrough(h11.Data(data=body))
        self._h11.send(h11.EndOfMessage())
        if len(body) <= JOINED_BYTES:
            return [memoryview(head + body)]
        return [memoryview(head), memoryview(body)]

    def receive(self, data: bytes) -> None:
        """Take what was read; `b""` is the end of the connection."""
        if data:
            self._has_answer = True
        else:
            self._has_ended = True
        self._h11.receive_data(data)

    def head(self) -> tuple[int, dict[str, str]] | None:
        """Return status and headers (names in lower case, repeated ones joined)."""
        while True:
            event = self._next()
            if event is h11.NEED_DATA:
                return None
            if isinstance(event, h11.Response):
                break
            if not isinstance(event, h11.InformationalResponse) or event.status_code == 101:
                raise TransportFailure("protocol", "the reply is not an HTTP reply", sent=True)
        headers: dict[str, str] = {}
        for raw_name, raw_value in event.headers:
            name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return event.status_code, headers

    def body(self) -> bytes | None:
        """Return the next bytes of the body, `b""` at its end."""
        while True:
            event = self._next()
            if event is h11.NEED_DATA:
                return None
            if not isinstance(event, h11.Data):
                return b""
            if event.data:
                return bytes(event.data)

    def recycle(self) -> bool:
        """Make ready for the next exchange; return whether there can be one."""
        state = self._h11
        if state.our_state is not h11.DONE or state.their_state is not h11.DONE:
            return False
        if self._has_ended or state.trailing_data[0]:
            return False  # what came unasked would be taken for the next reply
        state.start_next_cycle()
        return True

    def broken_off(self) -> TransportFailure:
        """Return the failure for a connection that ended or failed here."""
        if self._has_answer:
            return TransportFailure("truncated", "the reply broke off", sent=True)
        message = "the connection was closed before any reply"
        return TransportFailure("reset", message, sent=True)

    def _next(self) -> object:
        try:
            return self._h11.next_event()
        except h11.RemoteProtocolError as error:
            if self._has_ended:
                raise self.broken_off() from None
            message = f"the reply is not valid HTTP: {str(error)[:100]}"
            raise TransportFailure("protocol", message, sent=True) from None


def connect_tunnel(
    host: str, port: int, credentials: tuple[str, str] | None
) -> Generator[bytes, bytes, None]:
    """Ask an HTTP proxy for a way through: yields what to write, is sent what was read.

    Raises `ConnectionError` when the proxy refuses.
    """
    http = Http1()
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    headers = [(b"host", target.encode("ascii"))]
    if credentials is not None:
        headers.append((b"proxy-authorization", basic_authorization(credentials)))
    out = b"".join(http.request("CONNECT", target.encode("ascii"), headers, b""))
    try:
        while True:
            head = http.head()
            if head is not None:
                break
            http.receive((yield out))
            out = b""
    except TransportFailure as failure:
        raise ConnectionError(f"the proxy failed: {failure}") from None
    if not 200 <= head[0] < 300:
        raise ConnectionError(f"the proxy answered {head[0]}")


def basic_authorization(credentials: tuple[str, str]) -> bytes:
    """Return the value of a (Proxy-)Authorization header (RFC 7617)."""
    return b"Basic " + base64.b64encode(":".join(credentials).encode())


def socks_tunnel(
    host: str, port: int, credentials: tuple[str, str] | None
) -> Generator[bytes, bytes, None]:
    """Ask a SOCKS 5 proxy (RFC 1928, 1929) for a way through, as `connect_tunnel` does.

    The proxy resolves the name, also for `socks5://`.
    """
    buffer = b""
    out = b"\x05\x01\x00" if credentials is None else b"\x05\x02\x00\x02"

    def take(size: int) -> Generator[bytes, bytes, bytes]:
        nonlocal buffer, out
        while len(buffer) < size:
            data = yield out
            out = b""
            if not data:
                raise ConnectionError("the proxy closed the connection")
            buffer += data
        taken, buffer = buffer[:size], buffer[size:]
        return taken

    version, method = yield from take(2)
    if version != 5 or method not in (0, 2) or (method == 2 and credentials is None):
        raise ConnectionError("the proxy offers no way to log in that is configured")
    if method == 2 and credentials is not None:
        name, password = (part.encode() for part in credentials)
        out = b"\x01" + bytes([len(name)]) + name + bytes([len(password)]) + password
        if (yield from take(2))[1] != 0:
            raise ConnectionError("the proxy refused the credentials")
    out = b"\x05\x01\x00" + _socks_address(host) + port.to_bytes(2, "big")
    reply = yield from take(4)
    if reply[1] != 0:
        raise ConnectionError(f"the proxy answered {reply[1]} (RFC 1928, 6)")
    sizes = {1: 4, 4: 16}
    size = sizes[reply[3]] if reply[3] in sizes else (yield from take(1))[0]
    yield from take(size + 2)


def _socks_address(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        encoded = host.encode("ascii")
        return b"\x03" + bytes([len(encoded)]) + encoded
    return (b"\x01" if address.version == 4 else b"\x04") + address.packed
