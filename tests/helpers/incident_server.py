"""A chat completions server on loopback that answers as an incident's rule says, and counts.

One event loop in one thread serves all connections, so that hundreds of callers cost little. The
text of a request's last message names the call that the request belongs to.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time
from collections import Counter
from typing import Any, Callable, NamedTuple

KEY = "sk-test"
START_LIMIT_S = 10.0
BACKLOG = 1024


class Arrival(NamedTuple):
    """One request: `number` counts all requests, `nth` those of its call, each from 1."""

    number: int
    call: str
    nth: int
    on_connection: int
    at_s: float
    since_s: float  # since the first request
    path: str
    model: str
    is_stream: bool
    headers: dict[str, str]


class Action(NamedTuple):
    """What the server does with a request: send *data* after *delay_s*, then `end`.

    `end` is `"keep"`, `"close"` or `"reset"`: what becomes of the connection.
    """

    data: bytes = b""
    end: str = "keep"
    delay_s: float = 0.0


Rule = Callable[[Arrival], Action]

RESET = Action(end="reset")
CLOSE = Action(end="close")
HANG = Action()


def answer(arrival: Arrival) -> Action:
    """Answer as the model that was asked for, whole or as a stream."""
    text = f"reply to {arrival.call}"
    kind = "chat.completion.chunk" if arrival.is_stream else "chat.completion"
    common = {"id": f"c-{arrival.number}", "object": kind, "created": 1, "model": arrival.model}
    if arrival.is_stream:
        start = {"index": 0, "delta": {"role": "assistant", "content": text}}
        end = {"index": 0, "delta": {}, "finish_reason": "stop"}
        events = [json.dumps({**common, "choices": [choice]}) for choice in (start, end)]
        body = "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"])
        return Action(_reply(200, body.encode(), {}, "text/event-stream"))
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4}
    body = json.dumps({**common, "choices": [choice], "usage": usage})
    return Action(_reply(200, body.encode(), {}))


def failure(status: int, code: str | None = None, **headers: Any) -> Action:
    """Answer with an error; underscores in the names of *headers* become hyphens."""
    error = {"message": f"status {status} of the incident", "type": None, "code": code}
    return Action(_reply(status, json.dumps({"error": error}).encode(), headers))


def _reply(
    status: int, body: bytes, headers: dict[str, Any], kind: str = "application/json"
) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Type: {kind}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


class IncidentServer:
    """Answers each request with `rule(arrival)`; `arrivals` has all requests in order.

    For the first *refuses_s* seconds connections are refused. The answers to the first
    *together* requests are held back until all of these have arrived.
    """

    def __init__(self, rule: Rule, *, refuses_s: float = 0.0, together: int = 0) -> None:
        self.rule = rule
        self.arrivals: list[Arrival] = []
        self.connections = 0
        self.url = ""
        self._refuses_s = refuses_s
        self._together = together
        self._held: list[tuple[_Connection, Action]] = []
        self._by_call: Counter[str] = Counter()
        self._open: set[_Connection] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> IncidentServer:
        self._thread.start()
        if not self._ready.wait(START_LIMIT_S):
            raise TimeoutError("the server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(START_LIMIT_S)

    def of_call(self, call: str) -> list[Arrival]:
        """Return the requests of one call."""
        return [arrival for arrival in self.arrivals if arrival.call == call]

    def of_model(self, model: str) -> list[Arrival]:
        """Return the requests for one model."""
        return [arrival for arrival in self.arrivals if arrival.model == model]

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        # A port that is bound and not listened on refuses connections, and nothing else takes it.
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{sock.getsockname()[1]}/v1"
        server = await self._loop.create_server(
            lambda: _Connection(self), sock=sock, backlog=BACKLOG, start_serving=False
        )
        if self._refuses_s:
            self._ready.set()
            await asyncio.wait([asyncio.ensure_future(self._stop.wait())], timeout=self._refuses_s)
        if not self._stop.is_set():
            await server.start_serving()
            self._ready.set()
            await self._stop.wait()
        server.close()
        for connection in list(self._open):
            connection.transport.abort()
        await asyncio.sleep(0)

    def _take(self, connection: _Connection, head: bytes, body: bytes) -> None:
        arrival = self._arrival(connection, head, body)
        self.arrivals.append(arrival)
        action = self.rule(arrival)
        if arrival.number > self._together:
            connection.act(action)
            return
        self._held.append((connection, action))
        if arrival.number == self._together:
            for held, its_action in self._held:
                held.act(its_action)

    def _arrival(self, connection: _Connection, head: bytes, body: bytes) -> Arrival:
        request = json.loads(body)
        content = request["messages"][-1]["content"]
        call = content if isinstance(content, str) else content[0]["text"]
        self._by_call[call] += 1
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in lines)
        now_s = time.monotonic()
        return Arrival(
            number=len(self.arrivals) + 1,
            call=call,
            nth=self._by_call[call],
            on_connection=connection.requests,
            at_s=now_s,
            since_s=now_s - (self.arrivals[0].at_s if self.arrivals else now_s),
            path=first.split(" ")[1],
            model=request["model"],
            is_stream=bool(request.get("stream")),
            headers={name.strip().lower(): value.strip() for name, _, value in fields},
        )


class _Connection(asyncio.Protocol):
    """The server's end of one connection."""

    def __init__(self, server: IncidentServer) -> None:
        self._server = server
        self._buffer = b""
        self.requests = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._server.connections += 1
        self._server._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server._open.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self.requests += 1
        self._server._take(self, head, rest[:length])

    def act(self, action: Action) -> None:
        """Carry out *action*, at once or after its delay."""
        if action.delay_s:
            later = action._replace(delay_s=0.0)
            asyncio.get_running_loop().call_later(action.delay_s, self.act, later)
            return
        if action.data and not self.transport.is_closing():
            self.transport.write(action.data)
        if action.end == "close":
            self.transport.close()
        elif action.end == "reset":
            sock = self.transport.get_extra_info("socket")
            linger = struct.pack("ii", 1, 0)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.transport.abort()
