"""any-llm with a client that is kept, and by its function."""

from __future__ import annotations

from typing import Any

import any_llm

from peers.job import MESSAGES, Job


def _client(url: str) -> Any:
    return any_llm.AnyLLM.create("openai", api_key="benchmark", api_base=f"{url}/v1")


def call(url: str) -> Job:
    completion = _client(url).completion

    def run() -> str:
        return completion(model="gpt-4o", messages=MESSAGES).choices[0].message.content

    return Job(run)


def call_async(url: str) -> Job:
    completion = _client(url).acompletion

    async def run() -> str:
        reply = await completion(model="gpt-4o", messages=MESSAGES)
        return reply.choices[0].message.content

    return Job(run)


def stream(url: str) -> Job:
    completion = _client(url).completion

    def run() -> list[Any]:
        chunks = completion(model="gpt-4o", messages=MESSAGES, stream=True)
        text = [piece for piece in (chunk.choices[0].delta.content for chunk in chunks) if piece]
        return ["".join(text), len(text)]

    return Job(run)


def stream_async(url: str) -> Job:
    completion = _client(url).acompletion

    async def run() -> list[Any]:
        chunks = await completion(model="gpt-4o", messages=MESSAGES, stream=True)
        pieces = [chunk.choices[0].delta.content async for chunk in chunks]
        text = [piece for piece in pieces if piece]
        return ["".join(text), len(text)]

    return Job(run)
