"""The providers' own packages."""

from __future__ import annotations

import itertools
from typing import Any

from peers.conversations import huge_messages
from peers.gauges import peak_bytes
from peers.job import MESSAGES, SYSTEM, USER, Job, no_outcome

LIMITS = {"max_connections": 20_000, "max_keepalive_connections": 20_000}


def _openai(url: str, kind: str) -> Any:
    import httpx2
    import openai

    limits = httpx2.Limits(**LIMITS)
    own = {"OpenAI": httpx2.Client, "AsyncOpenAI": httpx2.AsyncClient}[kind]
    http_client = own(limits=limits, timeout=60)
    return getattr(openai, kind)(
        api_key="benchmark", base_url=f"{url}/v1", max_retries=0, http_client=http_client
    )


def openai_call(url: str) -> Job:
    create = _openai(url, "OpenAI").chat.completions.create

    def run() -> str:
        return create(model="gpt-4o", messages=MESSAGES).choices[0].message.content

    return Job(run)


def openai_call_async(url: str) -> Job:
    create = _openai(url, "AsyncOpenAI").chat.completions.create

    async def run() -> str:
        return (await create(model="gpt-4o", messages=MESSAGES)).choices[0].message.content

    return Job(run)


def openai_stream(url: str) -> Job:
    create = _openai(url, "OpenAI").chat.completions.create

    def run() -> list[Any]:
        chunks = create(model="gpt-4o", messages=MESSAGES, stream=True)
        pieces = [chunk.choices[0].delta.content for chunk in chunks]
        text = [piece for piece in pieces if piece]
        return ["".join(text), len(text)]

    return Job(run)


def openai_stream_async(url: str) -> Job:
    create = _openai(url, "AsyncOpenAI").chat.completions.create

    async def run() -> list[Any]:
        chunks = await create(model="gpt-4o", messages=MESSAGES, stream=True)
        pieces = [chunk.choices[0].delta.content async for chunk in chunks]
        text = [piece for piece in pieces if piece]
        return ["".join(text), len(text)]

    return Job(run)


def openai_clients(url: str, count: int) -> Job:
    import openai

    made = [
        openai.OpenAI(api_key="benchmark", base_url=f"{url}/v1", max_retries=0)
        for _ in range(count)
    ]
    turns = itertools.cycle(client.chat.completions.create for client in made)

    def run() -> str:
        return next(turns)(model="gpt-4o", messages=MESSAGES).choices[0].message.content

    for _ in made:
        run()
    return Job(run)


def openai_clients_memory(url: str, count: int) -> Job:
    openai_clients(url, 1)

    def run() -> float:
        made = []
        return peak_bytes(lambda: made.append(openai_clients(url, count))) / count / 1024

    return Job(run, no_outcome)


def openai_peak(url: str) -> Job:
    create, messages = _openai(url, "OpenAI").chat.completions.create, huge_messages()

    def run() -> float:
        took = peak_bytes(lambda: create(model="benchmark", messages=messages))
        return took / len(messages[0]["content"])

    return Job(run, no_outcome)


def _anthropic(url: str, kind: str) -> Any:
    import anthropic

    return getattr(anthropic, kind)(api_key="benchmark", base_url=url, max_retries=0)


ASKED: dict[str, Any] = {
    "model": "claude-opus-4-5",
    "max_tokens": 1000,
    "system": SYSTEM,
    "messages": [{"role": "user", "content": USER}],
}


def anthropic_call(url: str) -> Job:
    create = _anthropic(url, "Anthropic").messages.create

    def run() -> str:
        return create(**ASKED).content[0].text

    return Job(run)


def anthropic_call_async(url: str) -> Job:
    create = _anthropic(url, "AsyncAnthropic").messages.create

    async def run() -> str:
        return (await create(**ASKED)).content[0].text

    return Job(run)


def _texts(events: list[Any]) -> list[Any]:
    text = [event.delta.text for event in events if event.type == "content_block_delta"]
    return ["".join(text), len(text)]


def anthropic_stream(url: str) -> Job:
    create = _anthropic(url, "Anthropic").messages.create

    def run() -> list[Any]:
        return _texts(list(create(**ASKED, stream=True)))

    return Job(run)


def anthropic_stream_async(url: str) -> Job:
    create = _anthropic(url, "AsyncAnthropic").messages.create

    async def run() -> list[Any]:
        return _texts([event async for event in await create(**ASKED, stream=True)])

    return Job(run)
