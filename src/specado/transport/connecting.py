"""Opens connections for threads: addresses, proxy and TLS within one connect time-out."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING, Any

from specado.errors import ConfigurationError, redact
from specado.transport.addresses import host_and_port
from specado.transport.contract import TransportFailure
from specado.transport.failure_causes import RefusedCertificateError, resource_cause
from specado.transport.happy_eyeballs import connect
from specado.transport.network import QuietSocket, SocketStream, TimeUp, TlsStream, left_s
from specado.transport.trust import tls_context
from specado.transport.tunnels import http_tunnel, socks_tunnel

if TYPE_CHECKING:
    from specado.transport.contract import TransportSettings
    from specado.transport.proxies import Proxy
    from specado.transport.trust import Trust
    from specado.transport.tunnels import Handshake

__all__ = ["UNIX_RETRY_S", "Opening", "open_stream", "open_unix_socket"]

MAX_REASON_CHARACTERS = 200
# A Unix socket whose queue is full does not say when it has room.
UNIX_RETRY_S = 0.01


class Opening:
    """The steps that open one connection, and what a failure in them means (no I/O).

    `peer` is what the first step connects to; `tls` and `proxy_tls` are what the connection to
    the server and to its proxy are secured with. `until` ends all steps: it is when the attempt's
    time or the connect time-out is over.
    """

    def __init__(
        self,
        settings: TransportSettings,
        key: tuple[str, str, int],
        proxy: Proxy | None,
        until: float,
        connect_timeout_s: float,
    ) -> None:
        scheme, self.host, self.port = key
        self.proxy = proxy
        self.is_unix = scheme == "http+unix"
        self.peer = key[1:] if proxy is None else (proxy.host, proxy.port)
        self.is_past_proxy = proxy is None
        # Certificates take long to load: before the time begins to run.
        self.tls = tls_context(settings) if scheme == "https" else None
        self.proxy_tls: Trust | None = None
        self.tunnel: Handshake | None = None
        if proxy is not None:
            self.proxy_tls = tls_context(settings) if proxy.scheme == "https" else None
            if proxy.is_socks:
                self.tunnel = socks_tunnel(proxy, self.host, self.port)
            elif scheme == "https":
                self.tunnel = http_tunnel(proxy, self.host, self.port)
        connect_until = time.monotonic() + connect_timeout_s
        self._is_attempt_shorter = until <= connect_until
        self.until = min(until, connect_until)

    def failure_of(self, error: TimeUp | OSError) -> TransportFailure:
        """Return what to raise for *error*, with no reference to it."""
        if isinstance(error, RefusedCertificateError):
            return TransportFailure("certificate", str(error), sent=False)
        where = self._where()
        if isinstance(error, OSError):
            lacking = resource_cause(error)
            kind = "connect" if lacking is None else "resources"
            reason = lacking or redact(str(error.strerror or error))[:MAX_REASON_CHARACTERS]
            return TransportFailure(kind, f"no connection to {where}: {reason}", sent=False)
        if self._is_attempt_shorter:
            message = f"the attempt's time was up before there was a connection to {where}"
            return TransportFailure("timeout", message, sent=False)
        return TransportFailure("connect", f"no connection to {where} in time", sent=False)

    def _where(self) -> str:
        server = self.host if self.is_unix else host_and_port(self.host, self.port)
        if self.proxy is None:
            return server
        proxy = f"the proxy {self.proxy.place}"
        return f"{server} through {proxy}" if self.is_past_proxy else proxy


def open_unix_socket(path: str) -> QuietSocket | None:
    """Return a socket connected to *path*, `None` if the server's queue is full now."""
    if not hasattr(socket, "AF_UNIX"):
        raise ConfigurationError("http+unix:// needs Unix sockets, which this system has not")
    sock = QuietSocket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        sock.connect(path)
    except BlockingIOError:
        sock.close()
        return None
    except OSError:
        sock.close()
        raise
    return sock


def open_stream(
    settings: TransportSettings,
    key: tuple[str, str, int],
    proxy: Proxy | None,
    until: float,
    connect_timeout_s: float,
) -> SocketStream | TlsStream:
    """Return a new connection to the server of *key* (scheme, host, port), through *proxy*.

    *until* is the end of the attempt's time, by `time.monotonic`.

    Raises:
        TransportFailure: `connect`, `timeout`, `certificate` or `resources`; nothing was sent.
        ConfigurationError: a certificate file or the library for SOCKS is missing.
    """
    opening = Opening(settings, key, proxy, until, connect_timeout_s)
    try:
        return _open(opening)
    except (TimeUp, OSError) as error:
        failure = opening.failure_of(error)
    try:
        raise failure
    finally:
        del failure  # it refers to this frame: a cycle would keep the settings alive


def _open(opening: Opening) -> SocketStream | TlsStream:
    until, proxy = opening.until, opening.proxy
    sock = _unix_socket(opening) if opening.is_unix else connect(*opening.peer, until)
    stream: SocketStream | TlsStream = SocketStream(sock)
    try:
        if proxy is not None:
            if opening.proxy_tls is not None:
                stream = _secured(stream, opening.proxy_tls, proxy.host, until)
            if opening.tunnel is not None:
                _pass(opening.tunnel, stream, until)
            opening.is_past_proxy = True
        if opening.tls is not None:
            stream = _secured(stream, opening.tls, opening.host, until)
    except BaseException:
        stream.close()
        raise
    return stream


def _unix_socket(opening: Opening) -> QuietSocket:
    while True:
        left = left_s(opening.until)
        sock = open_unix_socket(opening.host)
        if sock is not None:
            return sock
        time.sleep(min(UNIX_RETRY_S, left))


def _secured(stream: SocketStream | TlsStream, trust: Trust, host: str, until: float) -> TlsStream:
    secured = TlsStream(stream, trust.context, host, trust.source)
    secured.handshake(until)
    return secured


def _pass(tunnel: Handshake, stream: SocketStream | TlsStream, until: float) -> None:
    answer: Any = None  # a generator begins so
    with contextlib.suppress(StopIteration):
        while True:
            stream.write(tunnel.send(answer), until)
            answer = stream.read(until)
