"""All of specado but its transport: whole calls whose replies are there at once, in memory.

No setting takes a client off HTTP, so the driver below the client is given a carrier.
"""

from __future__ import annotations

import json
from typing import Any

import specado
from peers.conversations import reply as reply_of
from peers.job import MESSAGES, Job
from specado.calls.driver import Driver
from specado.client import Chat
from specado.endpoints.access import Access
from specado.settings.client_settings import resolve
from specado.transport import WireReply

OPENAI, ANTHROPIC = "gpt-4o", "claude-opus-4-5"
REPLY = json.loads(reply_of(300))
TEXT = REPLY["choices"][0]["message"]["content"]
ANTHROPIC_REPLY = {
    "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-4-5-20251101",
    "content": [{"type": "text", "text": TEXT}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 90, "output_tokens": 80, "service_tier": "standard"},
}
FAILURE = {"error": {"message": "The server is overloaded.", "type": "server_error"}}
CHUNK = {
    "id": "chatcmpl-C2P1wP1damHwC6sXvGAIh5PMvH6wM",
    "object": "chat.completion.chunk",
    "created": 1754688908,
    "model": "gpt-4o-2024-08-06",
    "service_tier": "default",
    "system_fingerprint": "fp_ff25b2783a",
}
PIECE_BYTES = 16_384


def _headers(kind: str) -> dict[str, str]:
    more = {f"x-ratelimit-{number}": "9999" for number in range(17)}
    return {"content-type": kind, "x-request-id": "req_0123456789abcdef0123456789abcdef", **more}


def _reply(status: int, body: Any) -> WireReply:
    return WireReply(status, _headers("application/json"), json.dumps(body).encode())


def _events(count: int) -> bytes:
    """Return an OpenAI stream of *count* content chunks."""

    def event(delta: dict[str, str], reason: Any) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return f"data: {json.dumps({**CHUNK, 'choices': [choice]}, separators=(',', ':'))}\n\n"

    texts = ({"content": f" word{place % 1000:03}"} for place in range(count))
    events = [event({"role": "assistant", "content": ""}, None), *(event(t, None) for t in texts)]
    return "".join([*events, event({}, "stop"), "data: [DONE]\n\n"]).encode()


class _Stream:
    """A reply whose body comes in pieces, each of them there at once."""

    status = 200
    has_marked_end = True

    def __init__(self, body: bytes) -> None:
        self.headers = _headers("text/event-stream")
        self._pieces = iter(
            [body[start : start + PIECE_BYTES] for start in range(0, len(body), PIECE_BYTES)]
        )

    def read(self, until: float) -> bytes:
        return next(self._pieces, b"")

    def close(self) -> None:
        pass


class _Memory:
    """A transport that answers at once."""

    def __init__(self, openai: WireReply, events: bytes) -> None:
        self._openai, self._anthropic = openai, _reply(200, ANTHROPIC_REPLY)
        self._events = events

    def send(
        self, request: Any, timeout_s: float, limits: Any, *, is_fresh: bool = False
    ) -> WireReply:
        return self._anthropic if request.url.endswith("/messages") else self._openai

    def open(self, request: Any, until: float, limits: Any, *, is_fresh: bool = False) -> _Stream:
        return _Stream(self._events)


class _AsyncMemory(_Memory):
    async def send(
        self, request: Any, timeout_s: float, limits: Any, *, is_fresh: bool = False
    ) -> WireReply:
        return super().send(request, timeout_s, limits)


class _Carried(Driver):
    """A driver that hands its requests to a transport in memory."""

    carrier: _Memory
    async_carrier: _AsyncMemory

    def _transport(self, call: Any) -> Any:
        return self.carrier

    def _async_transport(self, call: Any) -> Any:
        return self.async_carrier


def _completions(*, fails: bool = False, chunks: int = 0) -> Any:
    config = {
        "simulate": False,
        "fallback_provider": "anthropic",
        "max_retries": 0,
        "providers": {name: {"api_key": "benchmark"} for name in ("openai", "anthropic")},
    }
    settings = resolve(config)
    driver = _Carried(settings, Access(settings), None, None)
    openai = _reply(503, FAILURE) if fails else _reply(200, REPLY)
    driver.carrier = _Memory(openai, _events(chunks))
    driver.async_carrier = _AsyncMemory(openai, b"")
    return Chat(driver).completions


def call() -> Job:
    create = _completions().create

    def run() -> str:
        return create(OPENAI, MESSAGES).choices[0].message.content

    return Job(run)


def call_async() -> Job:
    create = _completions().create_async

    async def run() -> str:
        return (await create(OPENAI, MESSAGES)).choices[0].message.content

    return Job(run)


# What both of the following begin with: else the breaker would spare the provider that fails.
forget = specado.reset_state


def two_calls() -> Job:
    """One to each provider."""
    create = _completions().create

    def run() -> str:
        forget()
        create(OPENAI, MESSAGES)
        return create(ANTHROPIC, MESSAGES).choices[0].message.content

    return Job(run)


def failover() -> Job:
    create = _completions(fails=True).create

    def run() -> str:
        forget()
        response = create(OPENAI, MESSAGES)
        assert response.extensions.fallback_triggered
        return response.choices[0].message.content

    return Job(run)


def two_calls_async() -> Job:
    create = _completions().create_async

    async def run() -> str:
        forget()
        await create(OPENAI, MESSAGES)
        return (await create(ANTHROPIC, MESSAGES)).choices[0].message.content

    return Job(run)


def failover_async() -> Job:
    create = _completions(fails=True).create_async

    async def run() -> str:
        forget()
        response = await create(OPENAI, MESSAGES)
        assert response.extensions.fallback_triggered
        return response.choices[0].message.content

    return Job(run)


def stream(chunks: int) -> Job:
    create = _completions(chunks=chunks).create

    def run() -> int:
        return sum(1 for chunk in create(OPENAI, MESSAGES, stream=True) if chunk.choices)

    return Job(run)
