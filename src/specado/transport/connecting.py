"""Opens connections: addresses, proxy and TLS within one connect time-out.

The steps are the same for threads and for asyncio: a generator that yields what each operation
returned, and receives the operation's result. In a thread the operation returns the result itself;
on asyncio it returns an awaitable, which the caller of the generator awaits.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from typing import TYPE_CHECKING, Any, Callable

from specado.errors import ConfigurationError, redact
from specado.transport.addresses import host_and_port
from specado.transport.contract import TransportFailure
from specado.transport.failure_causes import (
    RefusedCertificateError,
    plain_http_cause,
    resource_cause,
)
from specado.transport.happy_eyeballs import connect, connect_async
from specado.transport.network import (
    AsyncSocketStream,
    AsyncTlsStream,
    QuietSocket,
    SocketStream,
    TimeUp,
    TlsStream,
    left_s,
)
from specado.transport.proxies import http_tunnel, socks_library, socks_tunnel
from specado.transport.trust import tls_context

if TYPE_CHECKING:
    from collections.abc import Generator

    from specado.transport.contract import TransportSettings
    from specado.transport.proxies import Proxy

__all__ = ["Opening", "open_stream", "open_stream_async"]

MAX_REASON_CHARACTERS = 200
# A Unix socket whose queue is full does not say when it has room.
UNIX_RETRY_S = 0.01


def open_stream(opening: Opening) -> SocketStream | TlsStream:
    """Return a new connection, for threads.

    Raises:
        TransportFailure: `connect`, `timeout`, `certificate` or `resources`; nothing was sent.
    """
    steps = opening.steps(connect, time.sleep, SocketStream, TlsStream)
    try:
        result = None
        while True:
            result = steps.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    except (TimeUp, OSError) as error:
        failures = [opening.failure_of(error)]
    raise failures.pop()  # no frame refers to it: a cycle would keep the settings alive


async def open_stream_async(opening: Opening) -> AsyncSocketStream | AsyncTlsStream:
    """Return a new connection, for tasks of the running loop; raise as `open_stream` does."""
    steps = opening.steps(connect_async, asyncio.sleep, AsyncSocketStream, AsyncTlsStream)
    try:
        result = None
        while True:
            result = await steps.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    except (TimeUp, OSError) as error:
        failures = [opening.failure_of(error)]
    finally:
        steps.close()  # an awaited operation may have failed
    raise failures.pop()


class Opening:
    """The steps that open one connection, and the failure that an error in them stands for.

    *key* is the server's scheme, host and port, and the proxy; *until* is the end of the attempt's
    time, by `time.monotonic`. Raises a `ConfigurationError` if a certificate file or the library
    for SOCKS is missing.
    """

    def __init__(
        self,
        settings: TransportSettings,
        key: tuple[str, str, int, Proxy | None],
        until: float,
        connect_timeout_s: float,
    ) -> None:
        self._scheme, self._host, self._port, proxy = key
        self._proxy = proxy
        self._is_past_proxy = proxy is None
        # Certificates take long to load: before the time begins to run.
        self._trust: Any = None
        if self._scheme == "https" or (proxy is not None and proxy.scheme == "https"):
            self._trust = tls_context(settings)
        if proxy is not None and proxy.is_socks:
            socks_library()
        connect_until = time.monotonic() + connect_timeout_s
        self._is_attempt_shorter = until <= connect_until
        self._until = min(until, connect_until)

    def steps(
        self,
        connect: Callable[[str, int, float], Any],
        sleep: Callable[[float], Any],
        plain: Callable[[QuietSocket], Any],
        secured: Callable[..., Any],
    ) -> Generator[Any, Any, Any]:
        """Open the connection: *plain* makes the stream of a socket, *secured* adds TLS to one."""
        proxy, until = self._proxy, self._until
        if self._scheme == "http+unix":
            sock = yield from _unix_socket(self._host, until, sleep)
        elif proxy is None:
            sock = yield connect(self._host, self._port, until)
        else:
            sock = yield connect(proxy.host, proxy.port, until)
        stream = plain(sock)
        try:
            if proxy is not None:
                if proxy.scheme == "https":
                    stream = secured(stream, self._trust, proxy.host)
                    yield stream.handshake(until)
                if proxy.is_socks:
                    yield from socks_tunnel(stream, until, proxy, self._host, self._port)
                elif self._scheme == "https":
                    yield from http_tunnel(stream, until, proxy, self._host, self._port)
                self._is_past_proxy = True
            if self._scheme == "https":
                stream = secured(stream, self._trust, self._host)
                yield stream.handshake(until)
        except BaseException:
            stream.close()
            raise
        return stream

    def failure_of(self, error: TimeUp | OSError) -> TransportFailure:
        """Return what to raise for *error*, with no reference to it."""
        if isinstance(error, RefusedCertificateError):
            return TransportFailure("certificate", str(error), sent=False)
        where = self._where()
        if isinstance(error, OSError):
            lacking = resource_cause(error)
            kind = "connect" if lacking is None else "resources"
            reason = lacking or plain_http_cause(error)
            reason = reason or redact(str(error.strerror or error))[:MAX_REASON_CHARACTERS]
            return TransportFailure(kind, f"no connection to {where}: {reason}", sent=False)
        if self._is_attempt_shorter:
            message = f"the attempt's time was up before there was a connection to {where}"
            return TransportFailure("timeout", message, sent=False)
        return TransportFailure("connect", f"no connection to {where} in time", sent=False)

    def _where(self) -> str:
        server = self._host
        if self._scheme != "http+unix":
            server = host_and_port(self._host, self._port)
        if self._proxy is None:
            return server
        proxy = f"the proxy {self._proxy.place}"
        return f"{server} through {proxy}" if self._is_past_proxy else proxy


def _unix_socket(
    path: str, until: float, sleep: Callable[[float], Any]
) -> Generator[Any, Any, QuietSocket]:
    """Return a socket connected to *path*; wait while the server's queue is full."""
    if not hasattr(socket, "AF_UNIX"):
        raise ConfigurationError("http+unix:// needs Unix sockets, which this system has not")
    while True:
        wait_s = min(UNIX_RETRY_S, left_s(until))
        sock = QuietSocket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.setblocking(False)
        code = sock.connect_ex(path)
        if not code:
            return sock
        sock.close()
        if code not in (errno.EAGAIN, errno.EINPROGRESS, errno.EWOULDBLOCK):
            raise OSError(code, os.strerror(code))
        yield sleep(wait_s)
