"""Compare: a whole call over a loopback socket, beside plain httpx in the same run.

The server is specado's simulator in a process of its own; both sides send the same request on a
connection that is kept open, and read the same reply. Not a measure of the network: a real call
takes a second, of which these are microseconds.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import httpx
import pytest

import specado

MESSAGES = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "Why does the fox rest?"},
]
AT_ONCE = 64


@pytest.fixture(scope="module")
def base_url():
    """Run the simulator in another process; give its OpenAI address."""
    code = (
        "from specado.simulator.server import running\n"
        "import sys\n"
        "with running() as server:\n"
        "    print(server.openai_base_url, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process.stdout.readline().strip()
    finally:
        process.communicate()


def specado_client(base_url: str) -> specado.Client:
    return specado.Client(
        {
            "enable_fallback": False,
            "providers": {"openai": {"api_key": "benchmark", "base_url": base_url}},
        }
    )


def httpx_arguments(base_url: str) -> dict:
    return {
        "url": f"{base_url}/chat/completions",
        "json": {"model": "gpt-4o", "messages": MESSAGES},
        "headers": {"authorization": "Bearer benchmark"},
    }


@pytest.mark.benchmark(group="a call over loopback, one after another", timer=time.process_time)
@pytest.mark.parametrize("by", ["specado", "httpx.Client.post + json"])
def test_call(benchmark, base_url, by):
    """CPU seconds of this process."""
    if by == "specado":
        create = specado_client(base_url).chat.completions.create

        def call() -> str:
            return create("gpt-4o", MESSAGES).choices[0].message.content

        expected = call()
        benchmark(call)
    else:
        with httpx.Client() as client:
            arguments = httpx_arguments(base_url)

            def call() -> str:
                reply = client.post(**arguments).json()
                return reply["choices"][0]["message"]["content"]

            expected = call()
            benchmark(call)
    assert expected == "Simulated reply to: Why does the fox rest?"


@pytest.mark.benchmark(
    group=f"{AT_ONCE} calls at once over loopback, async", timer=time.process_time
)
@pytest.mark.parametrize("by", ["specado", "httpx.AsyncClient.post + json"])
def test_calls_at_once(benchmark, base_url, by):
    """CPU seconds of this process for all of them."""
    loop = asyncio.new_event_loop()
    limits = httpx.Limits(max_connections=1000, max_keepalive_connections=100)
    client = httpx.AsyncClient(limits=limits)
    create = specado_client(base_url).chat.completions.create_async
    arguments = httpx_arguments(base_url)

    async def by_httpx() -> str:
        reply = (await client.post(**arguments)).json()
        return reply["choices"][0]["message"]["content"]

    async def by_specado() -> str:
        return (await create("gpt-4o", MESSAGES)).choices[0].message.content

    one = by_specado if by == "specado" else by_httpx

    async def all_at_once() -> list[str]:
        return await asyncio.gather(*(one() for _ in range(AT_ONCE)))

    try:
        expected = "Simulated reply to: Why does the fox rest?"
        assert loop.run_until_complete(all_at_once()) == [expected] * AT_ONCE

        benchmark(lambda: loop.run_until_complete(all_at_once()))
    finally:
        loop.run_until_complete(client.aclose())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
