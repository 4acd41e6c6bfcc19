"""Streams with several readers, closed by others, and at the end of their process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading

import httpx
import pytest

import sockets
from played_streams import (
    BEGINNING,
    CALLERS,
    EVENT_STREAM,
    HEAD,
    HELLO,
    assert_interrupted,
    begin,
    begin_async,
    chunk,
    is_being_read,
    piece,
    read_all,
    until_reading,
    wait_until,
)
from specado import Client, StreamInterruptedError
from stream_readers import joined, sse

EACH_CALLER = pytest.mark.parametrize("caller", CALLERS)


# Threads


def test_another_thread_may_close_while_one_reads(server):
    stream = begin(server)
    begun = threading.Event()
    caught = []

    def read():
        try:
            for found in stream:
                if found.choices[0].delta.content:
                    begun.set()
        except StreamInterruptedError as error:
            caught.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    assert begun.wait(sockets.PATIENCE_S)
    wait_until(lambda: is_being_read(stream))
    stream.close()
    thread.join(sockets.PATIENCE_S)

    assert not thread.is_alive()
    server.wait_for_end()
    assert [error.code for error in caught] == ["closed"]
    assert_interrupted(stream)


def test_closing_races_with_reading():
    """Whatever the moment, the reader sees the end of a whole stream or that it was closed."""

    def drip(peer):
        peer.request()
        peer.send(HEAD)
        for _ in range(2000):
            peer.send(piece(sse(chunk({"content": "x"}), done=False)))
        peer.wait_until_gone()

    ended = []

    def read(stream):
        try:
            for _ in stream:
                pass
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is looked at below
            ended.append(error)

    with sockets.ScriptedServer(drip) as server:
        for number in range(60):
            stream = begin(server)
            thread = threading.Thread(target=read, args=(stream,))
            thread.start()
            for _ in range(number * 20):
                pass
            stream.close()
            thread.join(sockets.PATIENCE_S)
            assert not thread.is_alive()

    assert {(type(error), getattr(error, "code", error)) for error in ended} == {
        (StreamInterruptedError, "closed")
    }
    assert len(ended) == 60


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that has the stream closed while its next piece is being read."""

    def __init__(self, rest):
        self.rest = rest
        self.stream = None

    def __iter__(self):
        yield BEGINNING
        closing = threading.Thread(target=self.stream.close)
        closing.start()
        closing.join(sockets.PATIENCE_S)
        yield from self.rest

    async def __aiter__(self):
        yield BEGINNING
        closing = asyncio.ensure_future(self.stream.aclose())
        await asyncio.wait([closing], timeout=sockets.PATIENCE_S)
        for data in self.rest:
            yield data


@EACH_CALLER
@pytest.mark.parametrize(
    "rest", [[], [sse(*HELLO[2:])], [b"data: {}}\n\n"], [b'data: {"error": "late"}\n\n']]
)
def test_what_comes_after_close_does_not_count(caller, rest):
    body = _Body(rest)

    def answer(_request):
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=body)

    transport = httpx.MockTransport(answer)
    one = Client(
        {"simulate": False, "providers": {"openai": {"api_key": "k"}}},
        http_client=httpx.Client(transport=transport),
        async_http_client=httpx.AsyncClient(transport=transport),
    )

    async def read():
        body.stream = await one.chat.completions.create_async("gpt-4.1", "Hi", stream=True)
        await read_all(body.stream)

    def read_in_a_thread():
        body.stream = one.chat.completions.create("gpt-4.1", "Hi", stream=True)
        list(body.stream)

    with pytest.raises(StreamInterruptedError, match="closed before its end"):
        asyncio.run(read()) if caller == "async" else read_in_a_thread()
    assert_interrupted(body.stream)


def test_a_second_reader_is_refused(server):
    stream = begin(server)
    next(stream)
    next(stream)

    def read():
        with contextlib.suppress(StreamInterruptedError):
            next(stream)

    thread = threading.Thread(target=read)
    thread.start()
    wait_until(lambda: is_being_read(stream))
    with pytest.raises(RuntimeError, match="read by another thread or task"):
        next(stream)

    assert thread.is_alive()
    stream.close()
    thread.join(sockets.PATIENCE_S)
    assert not thread.is_alive()


def test_a_second_reading_task_is_refused(server):
    async def main():
        stream = await begin_async(server)
        task = asyncio.ensure_future(read_all(stream))
        await until_reading(stream)
        with pytest.raises(RuntimeError, match="read by another thread or task"):
            await read_all(stream)
        await stream.aclose()
        with pytest.raises(StreamInterruptedError, match="closed before its end"):
            await task

    asyncio.run(main())


def test_a_refused_or_dropped_iterator_leaves_the_stream_to_its_reader():
    go_on = threading.Event()

    def script(peer):
        peer.request()
        peer.send(HEAD + piece(BEGINNING))
        go_on.wait(sockets.PATIENCE_S)
        peer.send(piece(sse(*HELLO[2:])) + b"0\r\n\r\n")

    async def main():
        stream = await begin_async(server)
        dropped = stream.__aiter__()
        task = asyncio.ensure_future(read_all(stream))
        await until_reading(stream)
        del dropped
        with pytest.raises(RuntimeError, match="read by another"):
            await read_all(stream)
        go_on.set()
        return await task

    def read_in_threads():
        stream = begin(server)
        found = []
        thread = threading.Thread(target=lambda: found.extend(stream))
        thread.start()
        wait_until(lambda: is_being_read(stream) and len(found) >= 2)
        with pytest.raises(RuntimeError, match="read by another"):
            list(stream)
        go_on.set()
        thread.join(sockets.PATIENCE_S)
        return found

    with sockets.ScriptedServer(script) as server:
        assert joined(asyncio.run(main()), "content") == "Hello"
        go_on.clear()
        assert joined(read_in_threads(), "content") == "Hello"


def test_threads_that_share_a_stream_lose_no_chunk():
    events = [chunk({"content": f"{number},"}) for number in range(500)]
    whole = sockets.chunked(
        *[sse(event, done=False) for event in events],
        sse(chunk({}, "stop")),
        headers=EVENT_STREAM,
    )
    found, wrong = [], []
    lock = threading.Lock()

    def read(stream):
        try:
            while True:
                with lock:
                    found.append(next(stream))
        except StopIteration:
            pass
        except Exception as error:  # noqa: BLE001 - it is looked at below
            wrong.append(error)

    with sockets.ScriptedServer(sockets.answers(whole)) as server:
        stream = begin(server)
        threads = [threading.Thread(target=read, args=(stream,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(sockets.PATIENCE_S)

    assert wrong == []
    assert joined(found, "content") == "".join(f"{number}," for number in range(500))


# The end of the process

LEFT_OPEN = """
import asyncio, sys
from specado import Client
providers = {"openai": {"api_key": "k", "base_url": sys.argv[1]}}
one = Client({"simulate": False, "providers": providers})
create = one.chat.completions.create
"""
WAYS_OUT = {
    "kept": "stream = create('gpt-4.1', 'Hi', stream=True); next(stream)",
    "iterating": "iterator = iter(create('gpt-4.1', 'Hi', stream=True)); next(iterator)",
    "sys.exit": "stream = create('gpt-4.1', 'Hi', stream=True)\nfor _ in stream: sys.exit(0)",
    "in a cycle": "a = [create('gpt-4.1', 'Hi', stream=True)]; a.append(a)",
    "async, kept": """
async def main():
    global stream
    stream = await one.chat.completions.create_async('gpt-4.1', 'Hi', stream=True)
    await stream.__anext__()
asyncio.run(main())
""",
    "async, reading": """
async def read():
    async for _ in await one.chat.completions.create_async('gpt-4.1', 'Hi', stream=True):
        begun.set()
async def main():
    global begun, task
    begun = asyncio.Event()
    task = asyncio.ensure_future(read())
    await begun.wait()
asyncio.run(main())
""",
    "async, iterating": """
async def main():
    global iterator
    stream = await one.chat.completions.create_async('gpt-4.1', 'Hi', stream=True)
    iterator = stream.__aiter__()
    await iterator.__anext__()
asyncio.run(main())
""",
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_a_process_may_end_in_the_middle_of_a_stream(server, way):
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().endswith(("_PROXY", "_KEY"))
    }
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", LEFT_OPEN + WAYS_OUT[way], server.url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )

    said = [  # the event loop's debug mode tells of each slow step
        line for line in ended.stderr.splitlines() if not line.startswith("Executing <")
    ]
    assert (ended.returncode, ended.stdout, said) == (0, "", [])
    server.wait_for_end()
