"""Ten thousand abandoned streams over real sockets, and more, leave nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import threading
from pathlib import Path

import pytest

from specado import AsyncClient, Client

pytestmark = [pytest.mark.no_cover, pytest.mark.heavy]

# By threads and by tasks each: ten thousand together.
EACH = 5_000
SETTLING_ROUNDS = 500
# A stream that is kept keeps dozens of objects and more than 10 KB.
MAX_MORE_OBJECTS = 0.1
# Whose objects count: a measuring tool keeps some of its own for each of the server's threads.
OURS = {"specado", "httptools", "asyncio", "socket", "_socket", "ssl"}
MAX_GROWTH_BYTES = 25_000_000


def config(server):
    return {"simulate": False, "providers": {"openai": {"api_key": "k", "base_url": server.url}}}


def descriptors():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def leave(create, way):
    stream = create("gpt-4.1", "hi", stream=True)
    if way == 0:
        for _ in stream:
            break
    elif way == 1:
        next(stream)
        stream.close()
    elif way == 2:
        with stream:
            next(iter(stream))
    elif way == 3:
        iterator = iter(stream)
        next(iterator)
        del iterator
    elif way == 4:
        with contextlib.suppress(ZeroDivisionError):
            for _ in stream:
                raise ZeroDivisionError
    else:
        del stream


async def leave_async(create, way):
    stream = await create("gpt-4.1", "hi", stream=True)
    if way == 0:
        async for _ in stream:
            break
    elif way == 1:
        await stream.__anext__()
        await stream.aclose()
    elif way == 2:
        async with stream:
            await stream.__anext__()
    elif way == 3:
        await stream.__anext__()

        async def wait_for_more():
            async for _ in stream:
                pass

        task = asyncio.ensure_future(wait_for_more())
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    elif way == 4:
        with contextlib.suppress(ZeroDivisionError):
            async for _ in stream:
                raise ZeroDivisionError
    else:
        del stream


class Books:
    """What a process holds, before and after."""

    def __init__(self):
        gc.collect()
        self.objects = sum(
            str(type(each).__module__).split(".")[0] in OURS for each in gc.get_objects()
        )
        self.descriptors = descriptors()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.memory = pages * os.sysconf("SC_PAGE_SIZE")

    def assert_nothing_is_left_since(self, before, each):
        assert self.descriptors <= before.descriptors + 2
        assert self.objects - before.objects < MAX_MORE_OBJECTS * each
        assert self.memory - before.memory < MAX_GROWTH_BYTES


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts by /proc")
def test_streams_that_threads_leave(server):
    create = Client(config(server)).chat.completions.create
    ours, each = threading.active_count, EACH
    for number in range(SETTLING_ROUNDS):
        leave(create, number % 6)
    server.forget_ended(SETTLING_ROUNDS)
    threads, before = ours(), Books()

    for number in range(each):
        leave(create, number % 6)

    server.forget_ended(each)
    Books().assert_nothing_is_left_since(before, each)
    assert ours() <= threads + 1


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts by /proc")
def test_streams_that_tasks_leave(server):
    async def main():
        create, each = AsyncClient(config(server)).chat.completions.create, EACH
        for number in range(SETTLING_ROUNDS):
            await leave_async(create, number % 6)
        await asyncio.to_thread(server.forget_ended, SETTLING_ROUNDS)
        before = Books()

        for number in range(each):
            await leave_async(create, number % 6)

        await asyncio.sleep(0)
        await asyncio.to_thread(server.forget_ended, each)
        Books().assert_nothing_is_left_since(before, each)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
