"""litellm: its function, its router, and its translation to Anthropic's shape."""

from __future__ import annotations

import copy
import json
from typing import Any

import litellm
from litellm.llms.anthropic.chat.transformation import AnthropicConfig

from peers.conversations import request, what_is_in
from peers.job import MESSAGES, Job

litellm.telemetry = False
litellm.suppress_debug_info = True


def _arguments(url: str) -> dict[str, Any]:
    return {
        "model": "openai/gpt-4o",
        "messages": MESSAGES,
        "api_key": "benchmark",
        "api_base": f"{url}/v1",
        "num_retries": 0,
    }


def call(url: str) -> Job:
    arguments = _arguments(url)

    def run() -> str:
        return litellm.completion(**arguments).choices[0].message.content

    return Job(run)


def call_async(url: str) -> Job:
    arguments = _arguments(url)

    async def run() -> str:
        return (await litellm.acompletion(**arguments)).choices[0].message.content

    return Job(run)


def _router(url: str, **settings: Any) -> Any:
    def deployment(name: str, model: str, base: str) -> dict[str, Any]:
        params = {"model": model, "api_key": "benchmark", "api_base": base}
        return {"model_name": name, "litellm_params": params}

    models = [
        deployment("good", "openai/gpt-4o", f"{url}/v1"),
        deployment("failing", "openai/gpt-4o", f"{url}/fail/v1"),
        deployment("other", "anthropic/claude-opus-4-5", f"{url}/v1/messages"),
    ]
    return litellm.Router(model_list=models, num_retries=0, **settings)


def router_call(url: str) -> Job:
    completion = _router(url).completion

    def run() -> str:
        return completion(model="good", messages=MESSAGES).choices[0].message.content

    return Job(run)


def router_call_async(url: str) -> Job:
    completion = _router(url).acompletion

    async def run() -> str:
        reply = await completion(model="good", messages=MESSAGES)
        return reply.choices[0].message.content

    return Job(run)


def failover(url: str) -> Job:
    router = _router(url, fallbacks=[{"failing": ["other"]}], disable_cooldowns=True)

    def run() -> str:
        reply = router.completion(model="failing", messages=MESSAGES)
        return reply.choices[0].message.content

    return Job(run)


def stream(url: str) -> Job:
    arguments = _arguments(url)

    def run() -> list[Any]:
        chunks = litellm.completion(**arguments, stream=True)
        text = [piece for piece in (chunk.choices[0].delta.content for chunk in chunks) if piece]
        return ["".join(text), len(text)]

    return Job(run)


def stream_async(url: str) -> Job:
    arguments = _arguments(url)

    async def run() -> list[Any]:
        chunks = await litellm.acompletion(**arguments, stream=True)
        pieces = [chunk.choices[0].delta.content async for chunk in chunks]
        text = [piece for piece in pieces if piece]
        return ["".join(text), len(text)]

    return Job(run)


def translate(count: int, rich: bool = False, text: bool = False) -> Job:
    asked = request(count, rich=rich)
    model, data = "claude-opus-4-5", json.dumps(asked)
    config = AnthropicConfig()

    def run() -> Any:
        # It changes the messages that it is given: a deep copy is taken outside the list only.
        given = json.loads(data) if text else {**asked, "messages": list(asked["messages"])}
        others = {key: given[key] for key in ("max_tokens", "tools") if key in given}
        optional = config.map_openai_params(others, {}, model, drop_params=False)
        body = config.transform_request(
            model=model,
            messages=given["messages"],
            optional_params=optional,
            litellm_params={},
            headers={},
        )
        return json.dumps(body) if text else body

    return Job(run, lambda body: what_is_in(copy.deepcopy(body)))
