"""Keys that a callable gives: awaited or called in a thread by async calls, never shown."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
import traceback
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import specado
from played_streams import ANTHROPIC_HELLO, EVENT_STREAM, HELLO, reply_json
from specado import AsyncClient, Client, ConfigurationError, register_manifest
from stream_readers import sse

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_S = 10.0
KEY = "sk-of-a-callable-1"


class Provider:
    """Answers of a provider, and the keys that it saw."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.keys: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        headers = request.headers
        key = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
        self.keys.append(key or request.url.params.get("key", ""))
        status = self.statuses.pop(0) if self.statuses else 200
        if status != 200:
            return httpx.Response(status, json={"error": {"message": f"no, {key}"}})
        if b'"stream":true' in request.content.replace(b" ", b""):
            body = ANTHROPIC_HELLO if "anthropic" in request.url.host else sse(*HELLO)
            name, _, text = EVENT_STREAM.strip().partition(": ")
            return httpx.Response(200, content=body, headers={name: text})
        return httpx.Response(200, content=reply_json())


def client(answer: Provider, kind: Any = Client, **keys: Any) -> Any:
    transport = httpx.MockTransport(answer)
    own = {"async_http_client": httpx.AsyncClient(transport=transport)}
    if kind is Client:
        own["http_client"] = httpx.Client(transport=transport)
    else:
        own = {"http_client": own["async_http_client"]}
    providers = {name: {"api_key": key} for name, key in keys.items()}
    config = {"simulate": False, "max_retries": 0, "providers": providers}
    return kind({**config, "fallback_provider": None, "enable_fallback": False}, **own)


async def ask(one: Any, model: str = "gpt-4.1", **given: Any) -> str:
    create = getattr(one.chat.completions, "create_async", None) or one.chat.completions.create
    reply = await create(model, "Hi", max_tokens=20, **given)
    if given.get("stream"):
        async for _ in reply:
            pass
        reply = reply.response()
    return str(reply.choices[0].message.content)


def async_function(key: str = KEY) -> Callable[[], Any]:
    async def fetch() -> str:
        await asyncio.sleep(0)
        return key

    return fetch


class AsyncObject:
    async def __call__(self) -> str:
        await asyncio.sleep(0)
        return KEY


async def with_argument(key: str) -> str:
    return key


ASYNC = {
    "function": async_function(),
    "object": AsyncObject(),
    "method": AsyncObject().__call__,
    "partial": functools.partial(with_argument, KEY),
    "lambda": lambda: with_argument(KEY),
}
EACH_ASYNC = pytest.mark.parametrize("source", ASYNC.values(), ids=ASYNC)
EACH_STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


# Async callables


@EACH_ASYNC
@EACH_STREAM
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_an_async_callable_is_awaited(source: Any, stream: bool, kind: Any) -> None:
    provider = Provider()

    text = asyncio.run(ask(client(provider, kind, openai=source), stream=stream))

    assert (text, provider.keys) == ("Hello", [KEY])


@EACH_STREAM
def test_a_fallbacks_async_callable_is_awaited(stream: bool) -> None:
    provider = Provider(500)
    one = client(provider, openai="key-one", anthropic=async_function())

    text = asyncio.run(ask(one, fallback_models=["gpt-4o-mini"], stream=stream))
    assert (text, provider.keys) == ("Hello", ["key-one", "key-one"])

    provider = Provider(500)
    one = client(provider, openai=async_function(), anthropic=async_function("key-two"))
    asyncio.run(ask(one, fallback_models=["claude-sonnet-4-6"], stream=True))
    assert provider.keys == [KEY, "key-two"]


def test_it_is_asked_for_every_request() -> None:
    keys = iter(["key-one", "key-two", "key-three"])

    async def fetch() -> str:
        return next(keys)

    provider = Provider(500)
    one = client(provider, openai=fetch).with_options(max_retries=1)

    async def main() -> None:
        await ask(one)
        await ask(one)

    asyncio.run(main())

    assert provider.keys == ["key-one", "key-two", "key-three"]


@EACH_ASYNC
@EACH_STREAM
def test_a_synchronous_call_says_that_it_cannot_await_it(source: Any, stream: bool) -> None:
    provider = Provider()
    one = client(provider, openai=source)

    with pytest.raises(ConfigurationError, match="use create_async") as caught:
        one.chat.completions.create("gpt-4.1", "Hi", stream=stream)

    assert caught.value.key == "providers['openai']['api_key']"
    assert provider.keys == []


def test_a_fallback_that_a_synchronous_call_cannot_await_is_passed_over() -> None:
    provider = Provider(500)
    one = client(provider, openai="key-one", anthropic=async_function())

    reply = one.chat.completions.create(
        "gpt-4.1", "Hi", fallback_models=["claude-sonnet-4-6", "gpt-4o-mini"], max_tokens=20
    )

    [skipped] = reply.extensions.metadata["skipped"]
    assert skipped["provider"] == "anthropic"
    assert "use create_async" in skipped["reason"]
    assert provider.keys == ["key-one", "key-one"]


def test_a_key_in_the_query_is_awaited_too() -> None:
    register_manifest(
        {
            "name": "mine",
            "base_url": "https://mine.example/v1",
            "authentication": {"kind": "query", "name": "key", "env": ["MINE_KEY"]},
        }
    )
    provider = Provider()

    asyncio.run(ask(client(provider, mine=async_function()), "mine/m"))

    assert provider.keys == [KEY]


def test_a_header_of_the_call_takes_its_place_and_it_is_not_asked() -> None:
    async def fetch() -> str:
        raise AssertionError("asked")

    provider = Provider()
    headers = {"Authorization": "Bearer another", "X-Trace": "1"}

    asyncio.run(ask(client(provider, openai=fetch), extra_headers=headers))

    assert provider.keys == ["another"]


def test_other_headers_of_the_call_go_beside_it() -> None:
    provider = Provider()

    asyncio.run(ask(client(provider, openai=async_function()), extra_headers={"X-Trace": "1"}))

    assert provider.keys == [KEY]


def test_a_simulated_call_does_not_ask_it() -> None:
    async def fetch() -> str:
        raise AssertionError("asked")

    one = Client({"simulate": True, "providers": {"openai": {"api_key": fetch}}})

    assert "Simulated" in asyncio.run(ask(one))


# Callables that take their time


def test_a_slow_callable_does_not_stall_the_loop() -> None:
    may_go_on = threading.Event()

    def fetch() -> str:
        assert may_go_on.wait(PATIENCE_S)
        return KEY

    async def main() -> str:
        task = asyncio.ensure_future(ask(client(Provider(), openai=fetch)))
        await asyncio.sleep(0)
        may_go_on.set()  # only a loop that runs meanwhile comes here
        return await task

    assert asyncio.run(main()) == "Hello"


def test_it_sees_the_context_variables_of_the_call() -> None:
    tenant = contextvars.ContextVar("tenant", default="none")
    provider = Provider()

    async def main() -> None:
        tenant.set("key-of-a")
        await ask(client(provider, openai=tenant.get))

    asyncio.run(main())

    assert provider.keys == ["key-of-a"]


@pytest.mark.parametrize("is_async", [True, False])
def test_a_callable_that_never_ends_has_the_time_of_its_attempt(is_async: bool) -> None:
    release = threading.Event()

    async def never() -> str:
        await asyncio.Event().wait()
        return KEY

    def blocks() -> str:
        release.wait(PATIENCE_S)
        return KEY

    async def main() -> None:
        one = client(Provider(), openai=never if is_async else blocks)
        try:
            await ask(one, timeout=0.1)
        finally:
            release.set()

    with pytest.raises(ConfigurationError, match=r"gave no key within 0\.\d+ s"):
        asyncio.run(main())


def test_a_fallback_whose_key_does_not_come_is_passed_over() -> None:
    async def never() -> str:
        await asyncio.Event().wait()
        return KEY

    provider = Provider(500)
    one = client(provider, openai="key-one", anthropic=never)
    models = ["claude-sonnet-4-6", "gpt-4o-mini"]

    text = asyncio.run(ask(one, fallback_models=models, attempt_timeout_seconds=0.1))

    assert (text, provider.keys) == ("Hello", ["key-one", "key-one"])


def test_a_cancelled_call_cancels_the_callable() -> None:
    seen: list[str] = []

    async def main() -> None:
        asked = asyncio.Event()

        async def never() -> str:
            asked.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise
            return KEY

        task = asyncio.ensure_future(ask(client(Provider(), openai=never)))
        await asyncio.wait_for(asked.wait(), PATIENCE_S)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)

    asyncio.run(main())

    assert seen == ["cancelled"]


# Failures and secrets


@pytest.mark.parametrize("is_async", [True, False])
@pytest.mark.parametrize("kind", [OSError, TimeoutError, KeyError])
def test_what_the_first_candidates_callable_raises_comes_out_as_it_is(
    is_async: bool, kind: type[Exception]
) -> None:
    failure = kind("vault")

    def fails() -> str:
        raise failure

    async def fails_later() -> str:
        raise failure

    with pytest.raises(kind) as caught:
        asyncio.run(ask(client(Provider(), openai=fails_later if is_async else fails)))

    assert caught.value is failure


@pytest.mark.parametrize("is_async", [True, False])
def test_a_callable_that_raises_stop_iteration_ends_the_call(is_async: bool) -> None:
    def fails() -> str:
        raise StopIteration

    async def fails_later() -> str:
        return next(iter(()))

    with pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(ask(client(Provider(), openai=fails_later if is_async else fails)))


@pytest.mark.parametrize("value", [f"{KEY}\nx", f"“{KEY}”"])
@pytest.mark.parametrize("is_async", [True, False])
def test_a_wrong_key_is_refused_and_not_shown(value: str, is_async: bool) -> None:
    source = async_function(value) if is_async else lambda: value

    with pytest.raises(ConfigurationError, match=r"\['api_key'\] has characters") as caught:
        asyncio.run(ask(client(Provider(), openai=source)))

    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert not any(KEY in line for line in frames.format() if "test_key_callables" not in line)


def test_an_error_that_echoes_the_key_does_not_show_it() -> None:
    with pytest.raises(specado.ProviderError) as caught:
        asyncio.run(ask(client(Provider(401), openai=async_function("hush-4711-key"))))

    assert caught.value.message == "openai/gpt-4.1: no, *** (HTTP 401)"
    assert "4711" not in (caught.value.body or "")


def test_a_key_that_changes_stays_one_account() -> None:
    keys = iter([f"key-{number}" for number in range(10)])

    async def fetch() -> str:
        return next(keys)

    provider = Provider()
    one = client(provider, openai=fetch)

    async def main() -> None:
        for _ in range(3):
            await ask(one)

    asyncio.run(main())

    assert provider.keys == ["key-0", "key-1", "key-2"]
    deployments = specado.health()["deployments"]
    assert len({each["key"] for each in deployments if each["provider"] == "openai"}) == 1
