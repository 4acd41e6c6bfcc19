"""Asynchronous calls where no event loop of asyncio runs."""

from __future__ import annotations

from typing import Any

import pytest

from specado import AsyncClient, Client, ConfigurationError

CONFIG = {"simulate": False, "providers": {"openai": {"api_key": "k"}}}
EACH_CALL = pytest.mark.parametrize(
    "call",
    [
        lambda **given: Client(CONFIG).chat.completions.create_async("gpt-4.1", "Hi", **given),
        lambda **given: AsyncClient(CONFIG).chat.completions.create("gpt-4.1", "Hi", **given),
    ],
    ids=["Client", "AsyncClient"],
)
EACH_STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
SAID = "need asyncio, and no event loop of asyncio is running"


@EACH_CALL
@EACH_STREAM
def test_trio_is_refused(call: Any, stream: bool) -> None:
    trio = pytest.importorskip("trio")

    async def main() -> None:
        await call(stream=stream)

    with pytest.raises(ConfigurationError, match=f"{SAID}.*trio"):
        trio.run(main)


@EACH_CALL
@EACH_STREAM
def test_a_coroutine_that_no_loop_runs_is_refused(call: Any, stream: bool) -> None:
    coroutine = call(stream=stream)

    with pytest.raises(ConfigurationError, match=SAID):
        coroutine.send(None)
