"""Sending through a client that the caller made: httpx, or what has its `send`."""

from __future__ import annotations

import inspect
import time
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from specado.errors import ConfigurationError
from specado.transport.exchange import Limits, ReplyBody, TransportFailure, WireReply, WireRequest
from specado.transport.route import address_of, warn_if_readable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AsyncClientTransport", "ClientTransport", "failure_from"]

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
}
# httpcore says only in words that it was no bytes, not wrong ones, that came.
_DISCONNECTED = ("disconnected", "closed connection", "connection closed")


def failure_from(error: Exception, *, has_reply: bool) -> TransportFailure | None:
    """Return what an error of the caller's client means; `None` if it is none of httpx's.

    The failure keeps no reference to *error*, which holds the request and its key.
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
        return TransportFailure(kind, message, sent=meaning.sent or has_reply)
    return None


def _reply_in(error: Exception, limits: Limits) -> WireReply | None:
    """Return the reply that a hook of the caller's client raised as an error for its status."""
    response = getattr(error, "response", None)
    if type(error).__name__ != "HTTPStatusError" or response is None:
        return None
    try:
        content = response.content[: limits.max_error_bytes]
    except RuntimeError:  # the hook had not read it
        content = b""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return WireReply(response.status_code, headers, content)


def _left_by(error: Exception, body: _Body | None, limits: Limits) -> WireReply | Exception:
    """Return what *error* leaves of the exchange: a reply to be judged, or what to raise."""
    refused = _reply_in(error, limits)
    if refused is not None:
        return refused
    failure: Exception | None = error
    if not isinstance(error, TransportFailure):
        failure = failure_from(error, has_reply=body is not None)
    if body is not None and isinstance(failure, body.forgives):
        return body.reply()
    return failure or error


class _Own:
    """A caller's client, checked: its `send` and `build_request`."""

    argument = "http_client"
    example = "httpx.Client"
    is_async = False

    def __init__(self, client: Any, plain_request: BuildRequest) -> None:
        send = getattr(client, "send", None)
        if isinstance(client, type) or not callable(send):
            raise self._wrong(f"{type(client).__name__!r} has no send()")
        if inspect.iscoroutinefunction(send) is not self.is_async:
            raise self._wrong(f"send() of {type(client).__name__!r} is of the other kind")
        self._client = client
        self._build: BuildRequest = getattr(client, "build_request", None) or plain_request

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
            headers=[*request.headers, ("accept-encoding", "gzip, deflate")],
            content=request.body,
            timeout=(connect_s, timeout_s, timeout_s, timeout_s),
        )


class ClientTransport(_Own):
    """A `Transport` through the caller's client; its time-outs bound each operation."""

    def send(self, request: WireRequest, timeout_s: float, limits: Limits) -> WireReply:
        """Return the whole reply."""
        until = time.monotonic() + timeout_s
        response: Any = None
        body: _Body | None = None
        try:
            response = self._client.send(
                self._request(request, timeout_s, limits), stream=True, follow_redirects=False
            )
            body = _Body(response, limits)
            for data in body.pieces or response.iter_raw():
                if not body.add(data, until):
                    break
            return body.reply()
        except Exception as error:
            left = _left_by(error, body, limits)
            if left is error:
                raise
        finally:
            if response is not None:
                response.close()
        if isinstance(left, WireReply):
            return left
        try:
            raise left
        finally:
            del left  # it refers to this frame: a cycle would keep the body alive


class AsyncClientTransport(_Own):
    """An `AsyncTransport` through the caller's client."""

    argument = "async_http_client"
    example = "httpx.AsyncClient"
    is_async = True

    async def send(self, request: WireRequest, timeout_s: float, limits: Limits) -> WireReply:
        """Return the whole reply."""
        until = time.monotonic() + timeout_s
        response: Any = None
        body: _Body | None = None
        try:
            response = await self._client.send(
                self._request(request, timeout_s, limits), stream=True, follow_redirects=False
            )
            body = _Body(response, limits)
            if body.pieces is not None:
                for data in body.pieces:
                    body.add(data, until)
                return body.reply()
            async for data in response.aiter_raw():
                if not body.add(data, until):
                    break
            return body.reply()
        except Exception as error:
            left = _left_by(error, body, limits)
            if left is error:
                raise
        finally:
            if response is not None:
                await response.aclose()
        if isinstance(left, WireReply):
            return left
        try:
            raise left
        finally:
            del left  # it refers to this frame: a cycle would keep the body alive


class _Body:
    """The body of a client's response, within the limits."""

    def __init__(self, response: Any, limits: Limits) -> None:
        self._status: int = response.status_code
        self._headers = {name.lower(): value for name, value in response.headers.items()}
        headers = self._headers
        self.pieces: Iterator[bytes] | None = None
        if getattr(response, "is_stream_consumed", False):
            # A hook, or a mock, has read it already, and undone its encoding.
            self.pieces = iter((response.content,))
            headers = {}
        self._body = ReplyBody(self._status, headers, limits)
        self.forgives = self._body.forgives

    def add(self, data: bytes, until: float) -> bool:
        if time.monotonic() > until:
            raise TransportFailure("timeout", "the attempt's time is up", sent=True)
        return self._body.add(data)

    def reply(self) -> WireReply:
        return WireReply(self._status, self._headers, self._body.finish())
