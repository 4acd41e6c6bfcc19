"""HTTP transports over connection pools that the whole process shares.

Other packages use only `Transport`, `AsyncTransport` and the types of `exchange`, so that another
HTTP library can replace the default one. This is the only module that imports httpx, and only for
a caller's own client that does not build its requests itself.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from specado.errors import ConfigurationError
from specado.transport.exchange import (
    AsyncOpenReply,
    AsyncTransport,
    CommonHeaders,
    InsecureTransportWarning,
    Limits,
    OpenReply,
    StreamBody,
    Transport,
    TransportFailure,
    TransportSettings,
    WireReply,
    WireRequest,
    read_whole,
    read_whole_async,
    until_after,
)

if TYPE_CHECKING:
    from specado.transport.direct import DirectTransport
    from specado.transport.direct_async import AsyncDirectTransport
    from specado.transport.pooled import PooledTransport
    from specado.transport.pooled_async import AsyncPooledTransport

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
    "library_for",
    "read_whole",
    "read_whole_async",
    "shared_async_transport",
    "shared_transport",
    "shutdown",
    "until_after",
]

_INSTALLS = {
    "httpx": "pip install 'httpx>=0.28.1,<1' 'httpcore==1.*'",
    "httpx2": "pip install 'httpx2==2.*'",
    "httptools": "pip install 'specado[fast]'",
}

_transports: dict[TransportSettings, PooledTransport | DirectTransport] = {}
_async_transports: dict[TransportSettings, AsyncPooledTransport | AsyncDirectTransport] = {}


@functools.cache
def library_for(choice: str) -> str:
    """Return the HTTP library for the setting `transport`.

    That is *choice*, or for `auto` the fastest installed one.

    Raises:
        ConfigurationError: the library *choice* is not installed.
    """
    if choice == "auto":
        return "httptools" if importlib.util.find_spec("httptools") is not None else "httpx"
    if choice != "httpx" and importlib.util.find_spec(choice) is None:
        message = f"transport: {choice!r} is not installed: {_INSTALLS[choice]}"
        raise ConfigurationError(message, key="transport")
    return choice


def shared_transport(settings: TransportSettings) -> PooledTransport | DirectTransport:
    """Return the shared transport of the process for *settings*; it connects lazily."""
    found = _transports.get(settings)
    if found is None:
        made: PooledTransport | DirectTransport
        if settings.library == "httptools":
            from specado.transport.direct import DirectTransport

            made = DirectTransport(settings, lambda: shared_transport(_on_httpx(settings)))
        else:
            _require_core(settings.library)
            from specado.transport.pooled import PooledTransport

            made = PooledTransport(settings)
        found = _transports.setdefault(settings, made)
    return found


def shared_async_transport(
    settings: TransportSettings,
) -> AsyncPooledTransport | AsyncDirectTransport:
    """Return the shared transport for asyncio: one, with a pool for each running loop."""
    found = _async_transports.get(settings)
    if found is None:
        made: AsyncPooledTransport | AsyncDirectTransport
        if settings.library == "httptools":
            from specado.transport.direct_async import AsyncDirectTransport

            made = AsyncDirectTransport(
                settings, lambda: shared_async_transport(_on_httpx(settings))
            )
        else:
            _require_core(settings.library)
            from specado.transport.pooled_async import AsyncPooledTransport

            made = AsyncPooledTransport(settings)
        found = _async_transports.setdefault(settings, made)
    return found


def _on_httpx(settings: TransportSettings) -> TransportSettings:
    return msgspec.structs.replace(settings, library="httpx")


def _require_core(library: str) -> None:
    name, major = ("httpcore2", "2") if library == "httpx2" else ("httpcore", "1")
    install = _INSTALLS[library]
    try:
        core = importlib.import_module(name)
    except ImportError as error:
        missing = f"{name} cannot be imported ({error}); it comes with {library}"
        raise ConfigurationError(f"{missing}: {install}") from None
    if core.__version__.partition(".")[0] != major:
        wrong = f"{name} {core.__version__} is installed, and specado needs {name} {major}"
        raise ConfigurationError(f"{wrong}: {install}")


def client_transport(http_client: Any) -> Transport:
    """Return a transport that sends through the caller's own `httpx.Client` or a similar one.

    Its time-outs limit each operation, not the whole request.
    """
    from specado.transport.own_client import ClientTransport

    return ClientTransport(http_client, _plain_request)


def async_client_transport(async_http_client: Any) -> AsyncTransport:
    """Return a transport that sends through the caller's own `httpx.AsyncClient`."""
    from specado.transport.own_client import AsyncClientTransport

    return AsyncClientTransport(async_http_client, _plain_request)


def _plain_request(method: str, url: str, *, timeout: tuple[float, ...], **parts: Any) -> Any:
    import httpx

    timeouts = dict(zip(("connect", "read", "write", "pool"), timeout))
    return httpx.Request(method, url, extensions={"timeout": timeouts}, **parts)


def _all() -> list[Any]:
    return [*_transports.values(), *_async_transports.values()]


@atexit.register
def shutdown() -> None:
    """Close the process's shared pools.

    Idle connections are closed now, those in use when their exchange ends. A transport
    that is used again makes a new pool.
    """
    for transport in _all():
        transport.close()


def _start_afresh_in_child() -> None:
    for transport in _all():
        transport.forget()
    network = sys.modules.get("specado.transport.network")
    if network is not None:
        network.drop_sockets_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_afresh_in_child)
