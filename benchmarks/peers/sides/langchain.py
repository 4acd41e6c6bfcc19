"""langchain-anthropic: a call, and its translation to Anthropic's shape."""

from __future__ import annotations

import json
from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_core.messages import convert_to_messages

from peers.conversations import request, what_is_in
from peers.job import MESSAGES, Job


def _chat(url: str = "http://127.0.0.1:9") -> Any:
    return ChatAnthropic(
        model="claude-opus-4-5", api_key="benchmark", base_url=url, max_tokens=1000, max_retries=0
    )


def call(url: str) -> Job:
    chat = _chat(url)

    def run() -> str:
        return chat.invoke(MESSAGES).content

    return Job(run)


def call_async(url: str) -> Job:
    chat = _chat(url)

    async def run() -> str:
        return (await chat.ainvoke(MESSAGES)).content

    return Job(run)


def stream(url: str) -> Job:
    chat = _chat(url)

    def run() -> list[Any]:
        text = [piece for piece in (chunk.text for chunk in chat.stream(MESSAGES)) if piece]
        return ["".join(text), len(text)]

    return Job(run)


def translate(count: int, rich: bool = False, text: bool = False) -> Job:
    asked = request(count, rich=rich)
    chat, data = _chat(), json.dumps(asked)

    def run() -> Any:
        given = json.loads(data) if text else asked
        bound = chat.bind_tools(given["tools"]).kwargs if rich else {}
        body = chat._get_request_payload(convert_to_messages(given["messages"]), **bound)
        return json.dumps(body) if text else body

    return Job(run, what_is_in)
