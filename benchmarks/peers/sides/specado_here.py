"""specado as it stands in this tree."""

from __future__ import annotations

import importlib
import itertools
import sys
from typing import Any, Callable

import orjson

import specado
from peers.conversations import LARGE_COUNT, huge_messages, request, what_is_in
from peers.conversations import reply as reply_of
from peers.gauges import longest_stall_ms, peak_bytes
from peers.job import MESSAGES, Job, no_outcome
from peers.tls_server import served_over_tls
from specado import _core
from specado.catalog import lookup as catalog
from specado.dialects.anthropic_messages.fields import REQUEST_PARAMETERS
from specado.settings.parameters import check

MODELS = {"openai": "gpt-4o", "anthropic": "claude-opus-4-5"}
# The settings of the transports that are measured, and the library that each stands on.
LIBRARIES = {"httpx": "httpx", "auto": "httptools"}


def _by(transport: str) -> Callable[[], None]:
    """Return the check that calls went through *transport* and no other.

    Sides of one process follow each other: what the others imported before does not count.
    """
    before = set(sys.modules)

    def check() -> None:
        found = {name for name in LIBRARIES.values() if name in sys.modules}
        assert found - before <= {LIBRARIES[transport]} <= found, f"calls went through {found}"

    return check


def _client(url: str, failing: str = "", **settings: Any) -> specado.Client:
    address = f"{url}{failing}"
    return specado.Client(
        {
            "enable_fallback": False,
            "simulate": False,
            "max_connections": 20_000,
            "connect_timeout_seconds": 60,
            "providers": {
                "openai": {"api_key": "benchmark", "base_url": f"{address}/v1"},
                "anthropic": {"api_key": "benchmark", "base_url": url},
            },
            **settings,
        }
    )


def call(url: str, provider: str = "openai", transport: str = "auto") -> Job:
    create = _client(url, transport=transport, primary_provider=provider).chat.completions.create
    model = f"{provider}/{MODELS[provider]}"

    def run() -> str:
        return create(model, MESSAGES).choices[0].message.content

    return Job(run, check=_by(transport))


def call_tls() -> Job:
    url, trusted = served_over_tls()
    create = _client(url, ca_bundle=trusted).chat.completions.create

    def run() -> str:
        return create("openai/gpt-4o", MESSAGES).choices[0].message.content

    return Job(run, check=_by("auto"))


def call_async(
    url: str, provider: str = "openai", transport: str = "auto", loop: str = "asyncio"
) -> Job:
    if loop == "uvloop":
        importlib.import_module("uvloop").install()
    create = _client(
        url, transport=transport, primary_provider=provider
    ).chat.completions.create_async
    model = f"{provider}/{MODELS[provider]}"

    async def run() -> str:
        return (await create(model, MESSAGES)).choices[0].message.content

    return Job(run, check=_by(transport))


def stream(url: str, provider: str = "openai", transport: str = "auto") -> Job:
    create = _client(url, transport=transport, primary_provider=provider).chat.completions.create
    model = f"{provider}/{MODELS[provider]}"

    def run() -> list[Any]:
        chunks = create(model, MESSAGES, stream=True)
        pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
        text = [piece for piece in pieces if piece]
        return ["".join(text), len(text)]

    return Job(run, check=_by(transport))


def stream_async(url: str, provider: str = "openai", transport: str = "auto") -> Job:
    create = _client(
        url, transport=transport, primary_provider=provider
    ).chat.completions.create_async
    model = f"{provider}/{MODELS[provider]}"

    async def run() -> list[Any]:
        chunks = await create(model, MESSAGES, stream=True)
        pieces = [chunk.choices[0].delta.content async for chunk in chunks if chunk.choices]
        text = [piece for piece in pieces if piece]
        return ["".join(text), len(text)]

    return Job(run, check=_by(transport))


def clients(url: str, count: int, transport: str = "auto") -> Job:
    made = [_client(url, transport=transport) for _ in range(count)]
    turns = itertools.cycle(client.chat.completions.create for client in made)
    model = f"openai/{MODELS['openai']}"

    def run() -> str:
        return next(turns)(model, MESSAGES).choices[0].message.content

    for _ in made:
        run()
    return Job(run, check=_by(transport))


def clients_memory(url: str, count: int, transport: str = "auto") -> Job:
    # What only the first client takes is not counted.
    first = clients(url, 1, transport)

    def run() -> float:
        made = []
        return peak_bytes(lambda: made.append(clients(url, count, transport))) / count / 1024

    return Job(run, no_outcome, first.check)


def stall(url: str, provider: str = "openai", transport: str = "auto") -> Job:
    create = _client(
        url, transport=transport, primary_provider=provider
    ).chat.completions.create_async
    # A model that is not known: the known ones' contexts do not hold so much.
    model, messages = f"{provider}/benchmark", request(LARGE_COUNT)["messages"]

    async def run() -> float:
        return await longest_stall_ms(create(model, messages, max_tokens=1000))

    return Job(run, no_outcome, _by(transport))


def peak(url: str, provider: str = "openai", transport: str = "auto") -> Job:
    create = _client(url, transport=transport, primary_provider=provider).chat.completions.create
    model, messages = f"{provider}/benchmark", huge_messages()

    def run() -> float:
        took = peak_bytes(lambda: create(model, messages, max_tokens=1000))
        return took / len(messages[0]["content"])

    return Job(run, no_outcome, _by(transport))


def failover(url: str, transport: str = "auto") -> Job:
    routing = {"enable_fallback": True, "fallback_provider": "anthropic", "max_retries": 0}
    create = _client(url, "/fail", transport=transport, **routing).chat.completions.create

    def run() -> str:
        specado.reset_state()  # or the breaker would spare the provider that fails
        response = create("gpt-4o", MESSAGES)
        assert response.extensions.fallback_triggered
        return response.choices[0].message.content

    return Job(run, check=_by(transport))


def translate(count: int, rich: bool = False, text: bool = False) -> Job:
    asked: Any = request(count, rich=rich)
    if text:
        asked = orjson.dumps(asked)

    def run() -> bytes:
        return specado.translate(asked, "anthropic/claude-opus-4-5").body

    return Job(run, what_is_in)


def body(count: int, rich: bool = False) -> Job:
    """What a call does: all of it checked, to bytes and losses for a model that is known."""
    asked = request(count, rich=rich)
    messages = asked.pop("messages")
    asked.pop("model")
    facts = catalog.find_model("anthropic", MODELS["anthropic"])

    def run() -> bytes:
        parameters, _ = check(asked)
        conversation = _core.normalize(messages)
        return _core.encode_anthropic_request(
            conversation, MODELS["anthropic"], parameters, facts, REQUEST_PARAMETERS
        )[0]

    return Job(run, what_is_in)


def client() -> Job:
    settings = {"providers": {"openai": {"api_key": "benchmark"}}}

    def run() -> bool:
        return specado.Client(settings).chat is not None

    return Job(run)


def compare() -> Job:
    source = specado.get_model_capabilities("openai", "gpt-4-turbo")
    target = specado.get_model_capabilities("anthropic", "claude-3-opus")

    def run() -> Any:
        return specado.compare_capabilities(source, target)

    return Job(run)


def reply(length: int = 300) -> Job:
    data = reply_of(length)

    def run() -> str:
        found = _core.decode_openai_reply(data, "openai", "gpt-4o", 0)[0]
        return found.choices[0].message.content

    return Job(run)
