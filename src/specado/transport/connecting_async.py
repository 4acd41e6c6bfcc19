"""Opens connections for asyncio, as `connecting` does for threads."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import time
from typing import TYPE_CHECKING, Any

from specado.transport.connecting import UNIX_RETRY_S, Opening, open_unix_socket
from specado.transport.happy_eyeballs import Race
from specado.transport.network import TimeUp, left_s
from specado.transport.network_async import AsyncSocketStream, AsyncTlsStream
from specado.transport.resolver import look_up

if TYPE_CHECKING:
    from specado.transport.contract import TransportSettings
    from specado.transport.network import QuietSocket
    from specado.transport.proxies import Proxy
    from specado.transport.resolver import SocketAddress
    from specado.transport.trust import Trust
    from specado.transport.tunnels import Handshake

__all__ = ["open_stream_async"]


async def open_stream_async(
    settings: TransportSettings,
    key: tuple[str, str, int],
    proxy: Proxy | None,
    until: float,
    connect_timeout_s: float,
) -> AsyncSocketStream | AsyncTlsStream:
    """Return a new connection on the running loop, as `connecting.open_stream` does.

    Its timer stands at the end of the time for connecting: `arm` it for what follows.
    """
    opening = Opening(settings, key, proxy, until, connect_timeout_s)
    try:
        return await _open(opening)
    except (TimeUp, OSError) as error:
        failure = opening.failure_of(error)
    try:
        raise failure
    finally:
        del failure  # it refers to this frame: a cycle would keep the settings alive


async def _open(opening: Opening) -> AsyncSocketStream | AsyncTlsStream:
    until, proxy = opening.until, opening.proxy
    if opening.is_unix:
        sock = await _unix_socket(opening)
    else:
        sock = await _connect(*opening.peer, until)
    stream: AsyncSocketStream | AsyncTlsStream = AsyncSocketStream(sock)
    try:
        stream.arm(until)
        if proxy is not None:
            if opening.proxy_tls is not None:
                stream = await _secured(stream, opening.proxy_tls, proxy.host)
            if opening.tunnel is not None:
                await _pass(opening.tunnel, stream)
            opening.is_past_proxy = True
        if opening.tls is not None:
            stream = await _secured(stream, opening.tls, opening.host)
    except BaseException:
        stream.close()
        raise
    return stream


async def _unix_socket(opening: Opening) -> QuietSocket:
    while True:
        left = left_s(opening.until)
        sock = open_unix_socket(opening.host)
        if sock is not None:
            return sock
        await asyncio.sleep(min(UNIX_RETRY_S, left))


async def _secured(
    stream: AsyncSocketStream | AsyncTlsStream, trust: Trust, host: str
) -> AsyncTlsStream:
    secured = AsyncTlsStream(stream, trust.context, host, trust.source)
    await secured.handshake()
    return secured


async def _pass(tunnel: Handshake, stream: AsyncSocketStream | AsyncTlsStream) -> None:
    answer: Any = None  # a generator begins so
    with contextlib.suppress(StopIteration):
        while True:
            await stream.write(tunnel.send(answer))
            answer = await stream.read()


async def _connect(host: str, port: int, until: float) -> QuietSocket:
    loop = asyncio.get_running_loop()
    race = Race(await _resolve(host, port, until), until)
    attempts: dict[asyncio.Task[None], QuietSocket] = {}
    try:
        while True:
            sock = race.begin_due()
            if sock is not None:
                attempt = loop.sock_connect(sock, race.pending[sock].address)
                attempts[asyncio.ensure_future(attempt)] = sock
                continue
            ended, _ = await asyncio.wait(
                attempts, timeout=race.wait_s(), return_when=asyncio.FIRST_COMPLETED
            )
            for task in ended:
                sock = attempts.pop(task)
                error = task.exception()
                if error is None:
                    return race.win(sock)
                if not isinstance(error, OSError):
                    raise error
                race.lose(sock, error.errno or errno.EIO)
    finally:
        await _stop(list(attempts))
        race.close()


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel attempts, and wait until the loop watches their sockets no more."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.exception()


async def _resolve(host: str, port: int, until: float) -> list[SocketAddress]:
    left_s(until)
    lookup = look_up(host, port)
    if not lookup.is_done:
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        lookup.when_done(lambda: loop.call_soon_threadsafe(done.set))
        timer = loop.call_later(max(0.0, until - time.monotonic()), done.set)
        try:
            await done.wait()
        finally:
            timer.cancel()
    return lookup.result()
