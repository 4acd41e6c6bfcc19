"""Transport over a client of the httpx family: a caller's own, or one made for `transport="httpx"`.

Only what httpx documents is used: `send`, `build_request`, and what a response offers. Its
time-outs limit each operation: a whole request can take longer than its deadline where an
operation never stops to make progress.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import importlib
import inspect
import sys
import time
from typing import TYPE_CHECKING, Any

from specado.errors import ConfigurationError
from specado.transport.addresses import address_of, warn_if_readable
from specado.transport.connection_pool import MAX_IDLE_CONNECTIONS, PooledTransport
from specado.transport.contract import (
    TransportFailure,
    has_marked_end,
    until_after,
    without_query,
)
from specado.transport.failure_causes import certificate_cause, plain_http_cause, resource_cause
from specado.transport.proxies import proxy_for, socks_library
from specado.transport.reply_body import accepted_encodings, read_whole, read_whole_async
from specado.transport.trust import tls_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specado.transport.contract import Limits, TransportSettings, WireReply, WireRequest
    from specado.transport.proxies import Proxy

__all__ = [
    "AsyncClientTransport",
    "AsyncHttpxTransport",
    "ClientTransport",
    "HttpxTransport",
    "failure_from",
]

# By the name of httpx's exception class: the kind of failure before a reply, the kind within a
# reply, and whether a request without a reply was sent. Names (of its _exceptions.py, 0.28.1), not
# classes: a client of the same shape, or httpx under another name, has classes of its own.
_MEANINGS = {
    "ConnectError": ("connect", "truncated", False),
    "ConnectTimeout": ("connect", "timeout", False),
    "PoolTimeout": ("timeout", "timeout", False),
    "ProxyError": ("connect", "truncated", False),
    "UnsupportedProtocol": ("connect", "protocol", False),
    "LocalProtocolError": ("protocol", "protocol", False),
    "InvalidURL": ("connect", "protocol", False),
    "TimeoutException": ("timeout", "timeout", True),
    "NetworkError": ("reset", "truncated", True),
    "RemoteProtocolError": ("protocol", "protocol", True),
    "HTTPError": ("protocol", "protocol", True),
    "CookieConflict": ("protocol", "protocol", True),
    "StreamError": ("protocol", "protocol", True),
    # httpcore 1.0.9 on anyio maps none that comes while it reads (read 2026-11-30).
    "SSLError": ("reset", "truncated", True),
}
# httpcore says only in words that it was no bytes, not wrong ones, that came.
_DISCONNECTED = ("disconnected", "closed connection", "connection closed")


def failure_from(
    error: Exception, *, has_reply: bool, peer: str = "the server", handled: Any = None
) -> TransportFailure | None:
    """Return what an error of the caller's client means; `None` if it is none of httpx's or of TLS.

    The failure keeps no reference to *error*, which holds the request and its key. *peer* is
    the server's URL; *handled* is an exception that the caller was handling before: no cause.
    """
    for cls in type(error).__mro__:
        meaning = _MEANINGS.get(cls.__name__)
        if meaning is None:
            continue
        before_reply, in_reply, is_sent = meaning
        kind = in_reply if has_reply else before_reply
        if cls.__name__ == "RemoteProtocolError":
            text = str(error).lower()
            if any(words in text for words in _DISCONNECTED):
                kind = "truncated" if has_reply else "reset"
        message = f"the HTTP client failed with {type(error).__name__}"
        for cause in () if has_reply else _causes_of(error, handled):
            refused = certificate_cause(
                cause,
                peer,
                trust="the verify of your HTTP client",
                certificate="the cert of your HTTP client",
            )
            if refused is not None:
                return TransportFailure("certificate", f"{message}: {refused}", sent=False)
            plain = plain_http_cause(cause)
            if plain is not None:
                return TransportFailure("connect", f"{message}: {peer}: {plain}", sent=False)
            lacking = resource_cause(cause) if kind == "connect" else None
            # EADDRNOTAVAIL also comes for an IPv6 address where this machine has none.
            if lacking is not None and getattr(cause, "errno", None) != errno.EADDRNOTAVAIL:
                return TransportFailure("resources", f"{message}: {lacking}", sent=False)
        return TransportFailure(kind, message, sent=is_sent or has_reply)
    return None


def _causes_of(error: BaseException, handled: BaseException | None) -> Iterator[BaseException]:
    """Give *error* and what it came from, each once; nothing of what was *handled* before.

    httpcore 1.0.9's pool raises its errors "from None" (read 2026-11-30): only the context has
    their cause. anyio collects the failures of a name's addresses in an ExceptionGroup.
    """
    waiting: list[Any] = [error]
    seen = {id(handled)}  # an exception of somebody's own may have no hash
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            members = getattr(each, "exceptions", ())
            waiting += members if isinstance(members, tuple) else ()
            waiting += each.__context__, each.__cause__


class _Mapped:
    """Maps the exceptions of a caller's client, and keeps none of them: they hold the key.

    *peer* is the server's URL, `None` once there is a reply.
    """

    def __init__(self, peer: str | None = None) -> None:
        self._peer = peer
        self._handled = sys.exc_info()[1]
        self._failures: list[TransportFailure] = []
        self._response: Any = None

    def __enter__(self) -> _Mapped:
        return self

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> bool:
        handled, self._handled = self._handled, None
        if not isinstance(error, Exception):
            return False
        if self._peer is None:
            failure = failure_from(error, has_reply=True)
        else:
            if type(error).__name__ == "HTTPStatusError":
                self._response = getattr(error, "response", None)
            failure = failure_from(error, has_reply=False, peer=self._peer, handled=handled)
        if failure is not None:
            self._failures.append(failure)
        return failure is not None

    def failure(self) -> TransportFailure:
        """Return the failure to raise after the block, without a context; no frame refers to it."""
        return self._failures.pop()

    def response(self) -> Any:
        """Return the response whose status a hook raised as an error, or raise the failure."""
        if self._response is None:
            raise self.failure()
        return self._response


class _Sender:
    """Sends through a caller's client, for threads and for tasks."""

    argument = "http_client"
    example = "httpx.Client"
    is_async = False

    def __init__(self, client: Any) -> None:
        send = getattr(client, "send", None)
        if isinstance(client, type) or not callable(send):
            raise self._wrong(f"{type(client).__name__!r} has no send()")
        if inspect.iscoroutinefunction(send) is not self.is_async:
            raise self._wrong(f"send() of {type(client).__name__!r} is of the other kind")
        self._client = client

    def _wrong(self, what: str) -> ConfigurationError:
        message = f"{self.argument}: {what}; give it an {self.example}, or what works like one"
        return ConfigurationError(message, key=self.argument)

    def _client_for(self, request: WireRequest) -> Any:
        if getattr(self._client, "is_closed", False) is True:
            raise ConfigurationError(f"{self.argument}: it was closed", key=self.argument)
        if address_of(request.url).scheme == "http+unix":
            message = (
                f"{self.argument}: it does not know http+unix://; leave it out, or make it with "
                "httpx's HTTPTransport(uds=...) and give a base_url with http://localhost"
            )
            raise ConfigurationError(message, key=self.argument)
        return self._client

    def _response_to(self, request: WireRequest, until: float, limits: Limits) -> Any:
        """Return what the client's `send` returns: a response, or a coroutine of one."""
        warn_if_readable(address_of(request.url), request)
        client = self._client_for(request)
        timeout_s = until - time.monotonic()
        build = getattr(client, "build_request", None) or _plain_request
        built = build(
            request.method,
            request.url,
            headers=[*request.headers, ("accept-encoding", accepted_encodings())],
            content=request.body,
            timeout=(min(timeout_s, limits.connect_timeout_s), timeout_s, timeout_s, timeout_s),
        )
        return client.send(built, stream=True, follow_redirects=False)


class ClientTransport(_Sender):
    """A `Transport` through the caller's client; its time-outs bound each operation."""

    def send(
        self, request: WireRequest, timeout_s: float, limits: Limits, *, is_fresh: bool = False
    ) -> WireReply:
        """Return the whole reply."""
        until = until_after(timeout_s)
        return read_whole(self.open(request, until, limits), until, limits)

    def open(
        self, request: WireRequest, until: float, limits: Limits, *, is_fresh: bool = False
    ) -> ClientReply:
        """Return the reply as soon as status and headers are there."""
        with _Mapped(without_query(request.url)) as mapped:
            return ClientReply(self._response_to(request, until, limits))
        return ClientReply(mapped.response())


class AsyncClientTransport(_Sender):
    """An `AsyncTransport` through the caller's client."""

    argument = "async_http_client"
    example = "httpx.AsyncClient"
    is_async = True

    async def send(
        self, request: WireRequest, timeout_s: float, limits: Limits, *, is_fresh: bool = False
    ) -> WireReply:
        """Return the whole reply."""
        until = until_after(timeout_s)
        reply = await self.open(request, until, limits)
        try:
            return await read_whole_async(reply, until, limits)
        finally:
            await reply.wait_closed()

    async def open(
        self, request: WireRequest, until: float, limits: Limits, *, is_fresh: bool = False
    ) -> AsyncClientReply:
        """Return the reply as soon as status and headers are there."""
        with _Mapped(without_query(request.url)) as mapped:
            return AsyncClientReply(await self._response_to(request, until, limits))
        return AsyncClientReply(mapped.response())


class _Reply:
    """A client's response, whose body is still to be read."""

    _response: Any = None

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        # HTTP/2 ends a body with a frame.
        self.has_marked_end = has_marked_end(self.headers) or (
            getattr(response, "http_version", "") not in ("", "HTTP/1.0", "HTTP/1.1")
        )
        self._pieces: Any = None
        self._content: bytes | None = None
        if getattr(response, "is_stream_consumed", False) or getattr(response, "is_closed", False):
            # A hook, or a mock, has read it already, and undone its encoding.
            self.headers.pop("content-encoding", None)
            self._content = b""
            with contextlib.suppress(RuntimeError):  # the hook had not read it
                self._content = response.content
            self.has_marked_end = True
        self._response = response

    def _has_pieces(self) -> bool:
        return self._content is None and self._response is not None

    def _read_already(self) -> bytes:
        data, self._content = self._content or b"", b""
        return data

    def close(self) -> None:
        """Close the response."""
        response, self._response, self._pieces = self._response, None, None
        if response is not None:
            self._end(response)

    def _end(self, response: Any) -> None:
        response.close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()


class ClientReply(_Reply):
    """An `OpenReply` of a caller's client."""

    def read(self, until: float) -> bytes:
        """Return the next bytes of the body, `b""` at its end."""
        if not self._has_pieces():
            return self._read_already()
        with _Mapped() as mapped:
            self._pieces = self._pieces or self._response.iter_raw()
            return _in_time(next(self._pieces, b""), until)
        raise mapped.failure()


class AsyncClientReply(_Reply):
    """An `AsyncOpenReply` of a caller's client."""

    def __init__(self, response: Any) -> None:
        super().__init__(response)
        self._loop = asyncio.get_running_loop()
        self._closing: asyncio.Task[None] | None = None

    async def read(self, until: float) -> bytes:
        """Return the next bytes of the body, `b""` at its end."""
        if not self._has_pieces():
            return self._read_already()
        with _Mapped() as mapped:
            self._pieces = self._pieces or self._response.aiter_raw()
            async for data in self._pieces:
                return _in_time(data, until)
            return b""
        raise mapped.failure()

    def _end(self, response: Any) -> None:
        """Have the response closed by a task of its loop."""
        if self._loop.is_closed():
            return
        closing = _close(response)
        try:
            if asyncio.get_running_loop() is self._loop:
                self._closing = self._loop.create_task(closing)
                return
        except RuntimeError:  # called from outside an event loop
            pass
        self._loop.call_soon_threadsafe(self._loop.create_task, closing)

    async def wait_closed(self) -> None:
        """Wait until the response is closed."""
        if self._closing is not None:
            await self._closing


async def _close(response: Any) -> None:
    await response.aclose()


def _in_time(data: bytes, until: float) -> bytes:
    if time.monotonic() > until:
        raise TransportFailure("timeout", "the attempt's time is up", sent=True)
    return data


def _plain_request(method: str, url: str, *, timeout: tuple[float, ...], **parts: Any) -> Any:
    """Return a request for a client that has no `build_request`."""
    import httpx

    timeouts = dict(zip(("connect", "read", "write", "pool"), timeout))
    return httpx.Request(method, url, extensions={"timeout": timeouts}, **parts)


class _OwnClients:
    """httpx clients of specado's own, one for each proxy: for threads, or for one event loop."""

    def __init__(
        self, settings: TransportSettings, loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        self._settings = settings
        self._loop = loop
        self._clients: dict[Proxy | None, Any] = {}

    def client_for(self, request: WireRequest) -> Any:
        address = address_of(request.url)
        if address.scheme == "http+unix":
            message = "http+unix:// is not for transport='httpx'; leave the setting transport out"
            raise ConfigurationError(message, key="transport")
        proxy = proxy_for(self._settings, *address[:3])
        client = self._clients.get(proxy)
        if client is None:
            make = _httpx().Client if self._loop is None else _httpx().AsyncClient
            client = self._clients.setdefault(proxy, make(**_options(self._settings, proxy)))
        return client

    def close(self) -> None:
        for client in self._clients.values():
            if self._loop is None:
                client.close()
                continue
            closing = client.aclose()
            try:
                asyncio.run_coroutine_threadsafe(closing, self._loop)
            except RuntimeError:  # the loop was closed, and its sockets with it
                closing.close()


class HttpxTransport(PooledTransport, ClientTransport):
    """A `Transport` through `httpx.Client`s of specado's own."""

    def __init__(self, settings: TransportSettings) -> None:
        super().__init__({}, lambda _: _OwnClients(settings))

    def _client_for(self, request: WireRequest) -> Any:
        return (self._pools.get(None) or self._new_pool()).client_for(request)


class AsyncHttpxTransport(PooledTransport, AsyncClientTransport):
    """An `AsyncTransport` through `httpx.AsyncClient`s of specado's own."""

    def __init__(self, settings: TransportSettings) -> None:
        super().__init__({}, functools.partial(_OwnClients, settings))

    def _client_for(self, request: WireRequest) -> Any:
        # A client refers to its loop: those of closed loops go when the next loop makes some.
        loop = asyncio.get_running_loop()
        return (self._pools.get(loop) or self._new_pool(loop)).client_for(request)


def _httpx() -> Any:
    try:
        return importlib.import_module("httpx")
    except ImportError:
        message = "transport: 'httpx' is not installed: pip install 'httpx>=0.28.1,<1'"
        raise ConfigurationError(message, key="transport") from None


def _options(settings: TransportSettings, proxy: Proxy | None) -> dict[str, Any]:
    """Return what httpx calls the same settings."""
    httpx = _httpx()
    context = tls_context(settings).context
    options: dict[str, Any] = {
        "verify": context,
        "trust_env": False,
        "limits": httpx.Limits(
            max_connections=settings.max_connections,
            max_keepalive_connections=MAX_IDLE_CONNECTIONS,
            keepalive_expiry=settings.keepalive_s,
        ),
    }
    if proxy is not None:
        if proxy.is_socks:
            socks_library()  # httpx raises an ImportError, in the middle of a call
        url = f"{proxy.scheme}://{proxy.place}"
        secured = context if proxy.scheme == "https" else None
        options["proxy"] = httpx.Proxy(url, auth=proxy.credentials, ssl_context=secured)
    return options
