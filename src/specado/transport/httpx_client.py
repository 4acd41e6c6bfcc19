"""Transport over a client of the httpx family: a caller's own, or one made for `transport="httpx"`.

Only what httpx documents is used: `send`, `build_request`, and what a response offers. Its
time-outs limit each operation: a whole request can take longer than its deadline where an
operation never stops to make progress.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import importlib
import inspect
import sys
import time
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from specado.errors import ConfigurationError
from specado.transport.addresses import address_of, warn_if_readable
from specado.transport.connection_pool import MAX_IDLE_CONNECTIONS
from specado.transport.contract import (
    TransportFailure,
    has_marked_end,
    until_after,
    without_query,
)
from specado.transport.failure_causes import certificate_cause, resource_cause
from specado.transport.proxies import proxy_for
from specado.transport.reply_body import accepted_encodings, read_whole, read_whole_async
from specado.transport.trust import tls_context
from specado.transport.tunnels import socks_library

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

BuildRequest = Callable[..., Any]


class _Meaning(NamedTuple):
    before_reply: str
    in_reply: str
    sent: bool = True


# By the names of httpx's classes (its _exceptions.py, 0.28.1): a client that only has the same
# shape, or httpx under another name, has classes of its own.
_MEANINGS = {
    "ConnectError": _Meaning("connect", "truncated", sent=False),
    "ConnectTimeout": _Meaning("connect", "timeout", sent=False),
    "PoolTimeout": _Meaning("timeout", "timeout", sent=False),
    "ProxyError": _Meaning("connect", "truncated", sent=False),
    "UnsupportedProtocol": _Meaning("connect", "protocol", sent=False),
    "LocalProtocolError": _Meaning("protocol", "protocol", sent=False),
    "InvalidURL": _Meaning("connect", "protocol", sent=False),
    "TimeoutException": _Meaning("timeout", "timeout"),
    "NetworkError": _Meaning("reset", "truncated"),
    "RemoteProtocolError": _Meaning("protocol", "protocol"),
    "HTTPError": _Meaning("protocol", "protocol"),
    "CookieConflict": _Meaning("protocol", "protocol"),
    "StreamError": _Meaning("protocol", "protocol"),
    # httpcore 1.0.9 on anyio maps none that comes while it reads (read 2026-11-30).
    "SSLError": _Meaning("reset", "truncated"),
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
        kind = meaning.in_reply if has_reply else meaning.before_reply
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
            lacking = _lacking(cause) if kind == "connect" else None
            if lacking is not None:
                return TransportFailure("resources", f"{message}: {lacking}", sent=False)
        return TransportFailure(kind, message, sent=meaning.sent or has_reply)
    return None


def _lacking(cause: BaseException) -> str | None:
    if isinstance(cause, OSError) and cause.errno == errno.EADDRNOTAVAIL:
        return None  # it also comes for an IPv6 address where this machine has none
    return resource_cause(cause)


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


def _reply_in(error: Exception) -> Any:
    """Return the response that a hook of the caller's client raised as an error for its status."""
    return getattr(error, "response", None) if type(error).__name__ == "HTTPStatusError" else None


class _Own:
    """A caller's client, checked: its `send` and `build_request`."""

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
        self._build: BuildRequest = getattr(client, "build_request", None) or _plain_request

    def _wrong(self, what: str) -> ConfigurationError:
        message = f"{self.argument}: {what}; give it an {self.example}, or what works like one"
        return ConfigurationError(message, key=self.argument)

    def _request(self, request: WireRequest, timeout_s: float, limits: Limits) -> Any:
        warn_if_readable(address_of(request.url), request)
        if getattr(self._client, "is_closed", False) is True:
            raise ConfigurationError(f"{self.argument}: it was closed", key=self.argument)
        connect_s = min(timeout_s, limits.connect_timeout_s)
        return self._build(
            request.method,
            request.url,
            headers=[*request.headers, ("accept-encoding", accepted_encodings())],
            content=request.body,
            timeout=(connect_s, timeout_s, timeout_s, timeout_s),
        )


class ClientTransport(_Own):
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
        failure: Exception | None
        handled = sys.exc_info()[1]
        try:
            return ClientReply(
                self._client.send(
                    self._request(request, until - time.monotonic(), limits),
                    stream=True,
                    follow_redirects=False,
                )
            )
        except Exception as error:
            refused = _reply_in(error)
            if refused is not None:
                return ClientReply(refused)
            peer = without_query(request.url)
            failure = failure_from(error, has_reply=False, peer=peer, handled=handled)
            if failure is None:
                raise
        try:
            raise failure
        finally:
            del failure, handled  # they refer to this frame: a cycle would keep the body alive


class AsyncClientTransport(_Own):
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
        failure: Exception | None
        handled = sys.exc_info()[1]
        try:
            response = await self._client.send(
                self._request(request, until - time.monotonic(), limits),
                stream=True,
                follow_redirects=False,
            )
            return AsyncClientReply(response)
        except Exception as error:
            refused = _reply_in(error)
            if refused is not None:
                return AsyncClientReply(refused)
            peer = without_query(request.url)
            failure = failure_from(error, has_reply=False, peer=peer, handled=handled)
            if failure is None:
                raise
        try:
            raise failure
        finally:
            del failure, handled


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
            self._content = _content_of(response)
            self.has_marked_end = True
        self._response = response

    def _read_already(self) -> bytes:
        data, self._content = self._content or b"", b""
        return data


class ClientReply(_Reply):
    """An `OpenReply` of a caller's client."""

    def read(self, until: float) -> bytes:
        """Return the next bytes of the body, `b""` at its end."""
        if self._content is not None:
            return self._read_already()
        if self._response is None:
            return b""
        failure: Exception | None
        try:
            if self._pieces is None:
                self._pieces = self._response.iter_raw()
            data: bytes = next(self._pieces, b"")
        except Exception as error:
            failure = failure_from(error, has_reply=True)
            if failure is None:
                raise
        else:
            _check(until)
            return data
        try:
            raise failure
        finally:
            del failure

    def close(self) -> None:
        """Close the response."""
        response, self._response, self._pieces = self._response, None, None
        if response is not None:
            response.close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()


class AsyncClientReply(_Reply):
    """An `AsyncOpenReply` of a caller's client."""

    def __init__(self, response: Any) -> None:
        super().__init__(response)
        self._loop = asyncio.get_running_loop()
        self._closing: asyncio.Task[None] | None = None

    async def read(self, until: float) -> bytes:
        """Return the next bytes of the body, `b""` at its end."""
        if self._content is not None:
            return self._read_already()
        if self._response is None:
            return b""
        failure: Exception | None
        try:
            if self._pieces is None:
                self._pieces = self._response.aiter_raw()
            data: bytes = await self._pieces.__anext__()
        except StopAsyncIteration:
            return b""
        except Exception as error:
            failure = failure_from(error, has_reply=True)
            if failure is None:
                raise
        else:
            _check(until)
            return data
        try:
            raise failure
        finally:
            del failure

    def close(self) -> None:
        """Have the response closed by a task of its loop."""
        response, self._response, self._pieces = self._response, None, None
        if response is None or self._loop.is_closed():
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

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()


async def _close(response: Any) -> None:
    await response.aclose()


def _check(until: float) -> None:
    if time.monotonic() > until:
        raise TransportFailure("timeout", "the attempt's time is up", sent=True)


def _content_of(response: Any) -> bytes:
    try:
        content: bytes = response.content
    except RuntimeError:  # the hook had not read it
        return b""
    return content


def _plain_request(method: str, url: str, *, timeout: tuple[float, ...], **parts: Any) -> Any:
    """Return a request for a client that has no `build_request`."""
    import httpx

    timeouts = dict(zip(("connect", "read", "write", "pool"), timeout))
    return httpx.Request(method, url, extensions={"timeout": timeouts}, **parts)


class HttpxTransport:
    """A `Transport` through an `httpx.Client` of specado's own, one for each proxy."""

    is_recent = True

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        self._clients: dict[Proxy | None, Any] = {}

    def send(
        self, request: WireRequest, timeout_s: float, limits: Limits, *, is_fresh: bool = False
    ) -> WireReply:
        """Return the whole reply."""
        return self._through(request).send(request, timeout_s, limits, is_fresh=is_fresh)

    def open(
        self, request: WireRequest, until: float, limits: Limits, *, is_fresh: bool = False
    ) -> ClientReply:
        """Return the reply as soon as status and headers are there."""
        return self._through(request).open(request, until, limits, is_fresh=is_fresh)

    def close(self) -> None:
        """Close the clients; the next use makes new ones."""
        for client in self.forget():
            client.close()

    def forget(self) -> list[Any]:
        """Leave the clients behind, in a forked child: they are the parent's. Return them."""
        clients, self._clients = self._clients, {}
        return list(clients.values())

    def _through(self, request: WireRequest) -> ClientTransport:
        proxy = _proxy_of(request, self._settings)
        client = self._clients.get(proxy)
        if client is None:
            made = _httpx().Client(**_options(self._settings, proxy))
            client = self._clients.setdefault(proxy, made)
        return ClientTransport(client)


class AsyncHttpxTransport:
    """An `AsyncTransport` through `httpx.AsyncClient`s, one for each event loop and proxy."""

    is_recent = True

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        self.forget()

    async def send(
        self, request: WireRequest, timeout_s: float, limits: Limits, *, is_fresh: bool = False
    ) -> WireReply:
        """Return the whole reply."""
        return await self._through(request).send(request, timeout_s, limits, is_fresh=is_fresh)

    async def open(
        self, request: WireRequest, until: float, limits: Limits, *, is_fresh: bool = False
    ) -> AsyncClientReply:
        """Return the reply as soon as status and headers are there."""
        return await self._through(request).open(request, until, limits, is_fresh=is_fresh)

    def close(self) -> None:
        """Have the clients of running loops closed there; the next use makes new ones."""
        for loop, clients in self.forget():
            for client in clients.values():
                closing = client.aclose()
                try:
                    asyncio.run_coroutine_threadsafe(closing, loop)
                except RuntimeError:  # the loop was closed, and its sockets with it
                    closing.close()

    def forget(self) -> list[Any]:
        """Leave the clients behind, in a forked child: they are the parent's. Return them."""
        found = list(getattr(self, "_clients", {}).items())
        self._clients: dict[asyncio.AbstractEventLoop, dict[Proxy | None, Any]] = {}
        return found

    def _through(self, request: WireRequest) -> AsyncClientTransport:
        proxy = _proxy_of(request, self._settings)
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            # A client refers to its loop: those of closed loops would stay for ever.
            for closed in [each for each in list(self._clients) if each.is_closed()]:
                self._clients.pop(closed, None)
        clients = self._clients.setdefault(loop, {})
        client = clients.get(proxy)
        if client is None:
            client = clients[proxy] = _httpx().AsyncClient(**_options(self._settings, proxy))
        return AsyncClientTransport(client)


def _proxy_of(request: WireRequest, settings: TransportSettings) -> Proxy | None:
    address = address_of(request.url)
    if address.scheme == "http+unix":
        message = "http+unix:// is not for transport='httpx'; leave the setting transport out"
        raise ConfigurationError(message, key="transport")
    return proxy_for(settings, *address[:3])


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
