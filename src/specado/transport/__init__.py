"""HTTP transports over connection pools that the whole process shares.

Two kinds: specado's own connections (the default), and an HTTP client of the httpx family, a
caller's own or one made for `transport="httpx"`. Other packages use only `Transport`,
`AsyncTransport` and the types of `contract`. Nothing is imported before it is used: no socket,
no TLS, no event loop, and httpx only where somebody asks for it.
"""

from __future__ import annotations

import atexit
import os
import weakref
from typing import Any

from specado.transport.contract import (
    AsyncOpenReply,
    AsyncTransport,
    CommonHeaders,
    InsecureTransportWarning,
    Limits,
    OpenReply,
    Transport,
    TransportFailure,
    TransportSettings,
    WireReply,
    WireRequest,
    until_after,
)
from specado.transport.reply_body import (
    StreamBody,
    ignored_encoding,
    read_whole,
    read_whole_async,
)

__all__ = [
    "AsyncOpenReply",
    "AsyncTransport",
    "CommonHeaders",
    "InsecureTransportWarning",
    "Limits",
    "OpenReply",
    "StreamBody",
    "Transport",
    "TransportFailure",
    "TransportSettings",
    "WireReply",
    "WireRequest",
    "async_client_transport",
    "client_transport",
    "ignored_encoding",
    "library_for",
    "read_whole",
    "read_whole_async",
    "shared_async_transport",
    "shared_transport",
    "shutdown",
    "until_after",
]

# More settings than a process has in use: whoever has a proxy address of its own for each call
# would otherwise leave a pool behind for each.
MAX_TRANSPORTS = 64

_transports: dict[TransportSettings, Any] = {}
_async_transports: dict[TransportSettings, Any] = {}
_made: weakref.WeakSet[Any] = weakref.WeakSet()
# A forked child's copies of its parent's pools: a finalizer in them could wait for a lock whose
# holder was not forked.
_left_behind: list[Any] = []


def library_for(choice: str) -> str:
    """Return whose connections the setting `transport` stands for: "own" or "httpx"."""
    return "httpx" if choice in ("httpx", "httpx2") else "own"


def shared_transport(settings: TransportSettings) -> Transport:
    """Return the shared transport of the process for *settings*; it connects lazily."""
    found = _transports.get(settings)
    if found is None:
        if settings.library == "httpx":
            from specado.transport import httpx_client

            found = httpx_client.HttpxTransport(settings)
        else:
            from specado.transport import threads

            found = threads.ThreadTransport(settings)
        found = _share(_transports, settings, found)
    found.is_recent = True
    return found  # type: ignore[no-any-return]


def shared_async_transport(settings: TransportSettings) -> AsyncTransport:
    """Return the shared transport for asyncio: one, with a pool for each running loop."""
    found = _async_transports.get(settings)
    if found is None:
        if settings.library == "httpx":
            from specado.transport import httpx_client

            found = httpx_client.AsyncHttpxTransport(settings)
        else:
            from specado.transport import event_loops

            found = event_loops.LoopTransport(settings)
        found = _share(_async_transports, settings, found)
    found.is_recent = True
    return found  # type: ignore[no-any-return]


def _share(transports: dict[TransportSettings, Any], settings: TransportSettings, made: Any) -> Any:
    """Share *made*, unless another thread was faster; close one not used recently if too many.

    A second-chance queue: the oldest goes, unless it was asked for since it was last looked at.
    """
    found = transports.setdefault(settings, made)
    _made.add(found)
    while len(transports) > MAX_TRANSPORTS:
        oldest = next(iter(list(transports)))
        transport = transports.pop(oldest, None)
        if transport is not None and transport.is_recent:
            transport.is_recent = False
            transports[oldest] = transport
        elif transport is not None and oldest.library != "httpx":
            transport.close()  # a client of httpx would break off what is in use: it only goes
    return found


def client_transport(http_client: Any) -> Transport:
    """Return a transport that sends through the caller's own `httpx.Client` or a similar one.

    Its time-outs limit each operation, not the whole request.
    """
    from specado.transport.httpx_client import ClientTransport

    return ClientTransport(http_client)


def async_client_transport(async_http_client: Any) -> AsyncTransport:
    """Return a transport that sends through the caller's own `httpx.AsyncClient`."""
    from specado.transport.httpx_client import AsyncClientTransport

    return AsyncClientTransport(async_http_client)


@atexit.register
def shutdown() -> None:
    """Close the process's shared pools.

    Idle connections are closed now, those in use when their exchange ends. A transport
    that is used again makes a new pool.
    """
    for transport in list(_made):
        transport.close()


def _start_afresh_in_child() -> None:
    _left_behind.extend(transport.forget() for transport in list(_made))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_afresh_in_child)
