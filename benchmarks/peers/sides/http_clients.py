"""httpx and httpx2 as one uses them by hand: post, then decode."""

from __future__ import annotations

import importlib
import itertools
import json
import ssl
from typing import Any

from peers.conversations import LARGE_COUNT, huge_messages, request
from peers.gauges import longest_stall_ms, peak_bytes
from peers.job import MESSAGES, Job, no_outcome
from peers.tls_server import served_over_tls

KEY = {"authorization": "Bearer benchmark"}


def _arguments(url: str, *, stream: bool = False) -> dict[str, Any]:
    asked: dict[str, Any] = {"model": "gpt-4o", "messages": MESSAGES}
    if stream:
        asked["stream"] = True
    return {"url": f"{url}/v1/chat/completions", "json": asked, "headers": KEY}


def _client(library: str, kind: str, **settings: Any) -> Any:
    module = importlib.import_module(library)
    limits = module.Limits(max_connections=20_000, max_keepalive_connections=20_000)
    return getattr(module, kind)(limits=limits, timeout=60, **settings)


def call(url: str, library: str) -> Job:
    client, arguments = _client(library, "Client"), _arguments(url)

    def run() -> str:
        return client.post(**arguments).json()["choices"][0]["message"]["content"]

    return Job(run)


def call_tls(library: str) -> Job:
    url, trusted = served_over_tls()
    context = ssl.create_default_context(cafile=trusted)
    client, arguments = _client(library, "Client", verify=context), _arguments(url)

    def run() -> str:
        return client.post(**arguments).json()["choices"][0]["message"]["content"]

    return Job(run)


def call_async(url: str, library: str) -> Job:
    client, arguments = _client(library, "AsyncClient"), _arguments(url)

    async def run() -> str:
        return (await client.post(**arguments)).json()["choices"][0]["message"]["content"]

    return Job(run)


class _Reader:
    """Cuts lines out of bytes and keeps what the content chunks say."""

    def __init__(self) -> None:
        self._tail = b""
        self._text: list[str] = []

    def feed(self, data: bytes) -> None:
        lines = (self._tail + data).split(b"\n")
        self._tail = lines.pop()
        for line in lines:
            if line.startswith(b"data: {"):
                piece = json.loads(line[6:])["choices"][0]["delta"].get("content")
                if piece:
                    self._text.append(piece)

    def outcome(self) -> list[Any]:
        return ["".join(self._text), len(self._text)]


def stream(url: str, library: str) -> Job:
    client, arguments = _client(library, "Client"), _arguments(url, stream=True)

    def run() -> list[Any]:
        reader = _Reader()
        with client.stream("POST", **arguments) as reply:
            for data in reply.iter_bytes():
                reader.feed(data)
        return reader.outcome()

    return Job(run)


def stream_async(url: str, library: str) -> Job:
    client, arguments = _client(library, "AsyncClient"), _arguments(url, stream=True)

    async def run() -> list[Any]:
        reader = _Reader()
        async with client.stream("POST", **arguments) as reply:
            async for data in reply.aiter_bytes():
                reader.feed(data)
        return reader.outcome()

    return Job(run)


def clients(url: str, count: int, library: str) -> Job:
    made, arguments = [_client(library, "Client") for _ in range(count)], _arguments(url)
    turns = itertools.cycle(made)

    def run() -> str:
        return next(turns).post(**arguments).json()["choices"][0]["message"]["content"]

    for _ in made:
        run()
    return Job(run)


def clients_memory(url: str, count: int, library: str) -> Job:
    clients(url, 1, library)

    def run() -> float:
        made = []
        return peak_bytes(lambda: made.append(clients(url, count, library))) / count / 1024

    return Job(run, no_outcome)


def stall(url: str, library: str) -> Job:
    client = _client(library, "AsyncClient")
    arguments = {**_arguments(url), "json": request(LARGE_COUNT)}

    async def post() -> None:
        reply = await client.post(**arguments)
        assert reply.json()["choices"]

    async def run() -> float:
        return await longest_stall_ms(post())

    return Job(run, no_outcome)


def peak(url: str, library: str) -> Job:
    client, messages = _client(library, "Client"), huge_messages()
    arguments = {**_arguments(url), "json": {"model": "benchmark", "messages": messages}}

    def run() -> float:
        return peak_bytes(lambda: client.post(**arguments)) / len(messages[0]["content"])

    return Job(run, no_outcome)
