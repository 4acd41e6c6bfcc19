"""HTTP server of the simulator: a small HTTP/1.1 server on asyncio and h11.

Faults are real here: a time-out is silence, a reset is a TCP reset. A connection that the TCP stack
has accepted cannot be refused any more, so `connection-refused-test-model` resets too.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Optional

import h11

from specado.simulator.endpoints import MAX_BODY_BYTES, handle
from specado.simulator.family import FAMILY
from specado.simulator.faults import SLOW_REPLY_S
from specado.simulator.reply import EventStream, SimulatedReply

__all__ = ["Server", "running", "serve"]

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8089
BACKLOG = 512
READ_BYTES = 65_536
MAX_HEADER_BYTES = 65_536
IDLE_S = 75.0
SILENCE_S = 600.0
LINGER_S = 2.0
GRACE_S = 2.0
SETTLING_STEPS = 10
MAX_DRAINED_BYTES = 256_000_000

OnRequest = Callable[[str, str, int], None]
Pair = tuple[str, str]


class _Gone(Exception):  # noqa: N818 - the end of a connection, not a failure
    """The client has disconnected or timed out."""


class _Exchange:
    """Serves the requests of one connection, one after the other."""

    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.server = server
        self.reader = reader
        self.writer = writer
        self.wire = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEADER_BYTES)
        self.busy = False
        self.bodiless = False

    async def run(self) -> None:
        """Serve the requests of the connection until it ends."""
        while True:
            try:
                request = await self._event()
                if not isinstance(request, h11.Request):
                    return
                self.busy = True
                self.bodiless = request.method == b"HEAD"
                body = await self._body()
            except h11.RemoteProtocolError as error:
                await self._protocol_error(error)
                return
            reply = self._reply(request, body)
            if not await self._carry_out(reply):
                return
            if len(body) > MAX_BODY_BYTES or self.wire.our_state is h11.MUST_CLOSE:
                await self._drain()
                return
            if self.wire.our_state is not h11.DONE or self.wire.their_state is not h11.DONE:
                return
            self.wire.start_next_cycle()
            self.busy = False
            if self.server.stopping:
                return

    async def _event(self) -> Any:
        while True:
            event = self.wire.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self.wire.they_are_waiting_for_100_continue:
                await self._write(h11.InformationalResponse(status_code=100, headers=[]))
            try:
                data = await asyncio.wait_for(self.reader.read(READ_BYTES), self.server.idle_s)
            except asyncio.TimeoutError:
                raise _Gone from None
            self.wire.receive_data(data)

    async def _body(self) -> bytes:
        """Return the body; reading stops as soon as it is known to be too large."""
        parts = bytearray()
        while len(parts) <= MAX_BODY_BYTES:
            event = await self._event()
            if not isinstance(event, h11.Data):
                break
            parts += event.data
        return bytes(parts)

    def _reply(self, request: h11.Request, body: bytes) -> SimulatedReply:
        method = request.method.decode("ascii", "replace")
        target = request.target.decode("ascii", "replace")
        if method == "OPTIONS":
            reply = SimulatedReply(204, (("allow", "GET, HEAD, POST, OPTIONS"),), b"")
        else:
            headers = {
                bytes(name).decode("latin-1"): bytes(value).decode("latin-1")
                for name, value in request.headers
            }
            asked = "GET" if method == "HEAD" else method
            reply = handle(asked, target, headers, body, keys=True)
        if self.server.on_request is not None:
            self.server.on_request(method, target, reply.status)
        return reply

    async def _carry_out(self, reply: SimulatedReply) -> bool:
        """Send *reply* or simulate its fault; return whether the connection can be kept."""
        kind = reply.fault.kind if reply.fault is not None else ""
        if kind == "timeout":
            await self._stay_silent()
            return False
        if kind in ("refused", "reset"):
            self._reset()
            return False
        if reply.stream is not None:
            return await self._send_stream(reply, reply.stream)
        if kind == "slow":
            await asyncio.sleep(SLOW_REPLY_S)
        await self._send_head(reply)
        if kind == "truncated":
            await self._send_pieces([reply.body[: len(reply.body) // 2]])
            return False
        await self._send_pieces([reply.body])
        await self._write(h11.EndOfMessage())
        return True

    async def _send_stream(self, reply: SimulatedReply, stream: EventStream) -> bool:
        """Send each piece in its own chunk and packet."""
        await self._send_head(reply)
        if reply.fault is not None and reply.fault.kind == "slow":
            await asyncio.sleep(SLOW_REPLY_S)
        for piece in stream.pieces:
            await self._send_pieces([piece])
            await asyncio.sleep(0)  # streams take turns
        if stream.ends == "silent":
            await self._stay_silent()
        if stream.ends != "whole":
            return False
        await self._write(h11.EndOfMessage())
        return True

    async def _send_head(self, reply: SimulatedReply) -> None:
        headers: list[Pair] = [("date", formatdate(usegmt=True)), *reply.headers]
        # h11 sends a body without a length in chunks; to an HTTP/1.0 client until the close.
        if reply.status != HTTPStatus.NO_CONTENT and reply.stream is None:
            headers.append(("content-length", str(len(reply.body))))
        if self.server.stopping:
            headers.append(("connection", "close"))
        await self._write(h11.Response(status_code=reply.status, headers=headers))

    async def _send_pieces(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            if piece and not self.bodiless:
                await self._write(h11.Data(data=piece))

    async def _write(self, event: Any) -> None:
        data = self.wire.send(event)
        if data:
            self.writer.write(data)
            await self.writer.drain()

    async def _protocol_error(self, error: h11.RemoteProtocolError) -> None:
        if self.wire.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        body = b'{"error":{"message":"Bad request","type":"invalid_request_error",'
        body += b'"param":null,"code":null}}'
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        status = error.error_status_hint
        await self._write(h11.Response(status_code=status, headers=headers))
        await self._write(h11.Data(data=body))
        await self._write(h11.EndOfMessage())
        await self._drain()

    async def _stay_silent(self) -> None:
        self.busy = False  # there is no end to wait for when the server stops

        async def until_gone() -> None:
            while await self.reader.read(READ_BYTES):
                pass

        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(until_gone(), self.server.silence_s)

    def _reset(self) -> None:
        sock = self.writer.get_extra_info("socket")
        # With a linger time of zero, closing sends RST instead of FIN.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def _drain(self) -> None:
        """Read the rest of the request: an early close would reset the client's connection."""

        async def until_end() -> None:
            taken = 0
            while taken < MAX_DRAINED_BYTES:
                data = await self.reader.read(READ_BYTES)
                if not data:
                    return
                taken += len(data)

        with contextlib.suppress(OSError, asyncio.TimeoutError):
            if self.writer.can_write_eof():
                self.writer.write_eof()
            await asyncio.wait_for(until_end(), LINGER_S)


class Server:
    """A simulator that listens on a port; 0 takes a free one, known after `start()`.

    One event loop's. `on_request` is called with method, target and status of each request, just
    before it is answered. `silence_s` bounds how long a timeout stays silent.
    """

    def __init__(
        self,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        *,
        on_request: Optional[OnRequest] = None,
        idle_s: float = IDLE_S,
        silence_s: float = SILENCE_S,
    ) -> None:
        self.host = host
        self.port = port
        self.on_request = on_request
        self.idle_s = idle_s
        self.silence_s = silence_s
        self.stopping = False
        self._listener: asyncio.Server | None = None
        self._open: dict[asyncio.Task[Any], _Exchange] = {}

    @property
    def url(self) -> str:
        """The server's address, without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def openai_base_url(self) -> str:
        """The `base_url` for the `openai` package and for provider `openai`."""
        return f"{self.url}/v1"

    @property
    def anthropic_base_url(self) -> str:
        """The `base_url` for the `anthropic` package and for provider `anthropic`."""
        return self.url

    @property
    def gemini_base_url(self) -> str:
        """The `base_url` for the `google-genai` package, for AI Studio and for Vertex AI."""
        return self.url

    @property
    def bedrock_base_url(self) -> str:
        """The `endpoint_url` for `boto3`, and the `base_url` for provider `bedrock`."""
        return self.url

    def base_url(self, provider: str) -> str:
        """Return the `base_url` for an OpenAI-compatible *provider* that the simulator plays."""
        return f"{self.url}/{provider}{FAMILY[provider].root}"

    async def start(self) -> None:
        """Listen; raises `OSError` if the address is taken."""
        listener = await asyncio.start_server(self._accept, self.host, self.port, backlog=BACKLOG)
        self._listener = listener
        self.port = listener.sockets[0].getsockname()[1]

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Stop listening; wait up to *grace_s* for running requests, then close them."""
        self.stopping = True
        if self._listener is not None:
            await self._stop_listening(self._listener)
        for task, exchange in list(self._open.items()):
            if not exchange.busy:
                task.cancel()
        if self._open:
            await asyncio.wait(list(self._open), timeout=grace_s)
        for task in list(self._open):
            task.cancel()
        if self._open:
            await asyncio.wait(list(self._open), timeout=grace_s)
        if self._listener is not None:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._listener.wait_closed(), grace_s)

    async def _stop_listening(self, listener: asyncio.Server) -> None:
        # asyncio leaves a connection open that it has accepted but not yet attached to a server
        # that is closed then (python/cpython#109564): stop accepting, and let those arrive first.
        with contextlib.suppress(NotImplementedError):
            for sock in listener.sockets:
                asyncio.get_running_loop().remove_reader(sock)
        for _step in range(SETTLING_STEPS):
            await asyncio.sleep(0)
        listener.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or self.stopping:
            writer.transport.abort()
            return
        exchange = _Exchange(self, reader, writer)
        self._open[task] = exchange
        try:
            await exchange.run()
        except (OSError, _Gone):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            del self._open[task]
            writer.close()
            with contextlib.suppress(OSError, asyncio.TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(writer.wait_closed(), GRACE_S)


async def serve(
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    *,
    on_start: Optional[Callable[[Server], None]] = None,
    on_request: Optional[OnRequest] = None,
) -> None:
    """Run a simulator until the task is cancelled.

    *on_start* is called once it listens; *on_request* as `Server` says.
    """
    server = Server(host, port, on_request=on_request)
    await server.start()
    try:
        if on_start is not None:
            on_start(server)
        await asyncio.Event().wait()
    finally:
        await server.stop()


@contextlib.contextmanager
def running(host: str = DEFAULT_HOST, port: int = 0, **options: Any) -> Iterator[Server]:
    """Run a simulator in a thread of its own while the `with` block lasts.

    Gives the `Server`, whose `url` and base URLs are known by then. *options* are `Server`'s.
    Leaving the block stops it and waits until it has stopped.
    """
    server = Server(host, port, **options)
    ready = threading.Event()
    failures: list[BaseException] = []
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def main() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        await server.start()
        ready.set()
        await stop.wait()
        await server.stop()

    def run() -> None:
        try:
            asyncio.run(main())
        except OSError as error:
            failures.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="specado-simulator", daemon=True)
    thread.start()
    ready.wait()
    if failures:
        thread.join()
        raise failures[0]
    try:
        yield server
    finally:
        loop, stop = loops[0]
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(stop.set)
        thread.join()
