"""Streams however they are left: the connection is free at once, and what is said then is true."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import subprocess
import sys
import threading

import httpx
import pytest

import sockets
from played_streams import CALLERS, EVENT_STREAM, HELLO, chunk, client, hello, play
from specado import Client, StreamInterruptedError, shutdown
from stream_readers import joined, sse

EACH_CALLER = pytest.mark.parametrize("caller", CALLERS)
BEGINNING = sse(*HELLO[:2], done=False)
HEAD = f"HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n{EVENT_STREAM}\r\n".encode()


def piece(data):
    return b"%x\r\n%b\r\n" % (len(data), data)


def endless(peer):
    """Begin an answer and say no more until the client has gone."""
    peer.request()
    peer.send(HEAD + piece(BEGINNING))
    peer.wait_until_gone()


def endless_after(events):
    def script(peer):
        peer.request()
        peer.send(HEAD + piece(events))
        peer.wait_until_gone()

    return script


@pytest.fixture(autouse=True)
def no_pools_left():
    yield
    shutdown()


@pytest.fixture
def server():
    with sockets.ScriptedServer(endless) as found:
        yield found


def begin(server, **config):
    return client(server.url, **config).chat.completions.create("gpt-4.1", "Hi", stream=True)


async def begin_async(server, **config):
    create = client(server.url, **config).chat.completions.create_async
    return await create("gpt-4.1", "Hi", stream=True)


def assert_interrupted(stream, code="closed", text="Hel"):
    with pytest.raises(StreamInterruptedError) as raised:
        stream.response()
    error = raised.value
    assert (error.code, error.partial.choices[0].message.content) == (code, text)
    assert (error.provider, error.model, error.attempts) == ("openai", "gpt-4.1", 1)
    assert error.partial.extensions is stream.extensions
    assert repr(stream).endswith("broken off)")
    return error


# Leaving


def by_break(stream):
    for _ in stream:
        break


def by_close(stream):
    next(stream)
    stream.close()
    stream.close()


def by_with(stream):
    with stream as same:
        assert same is stream
        next(stream)


def by_an_error(stream):
    with contextlib.suppress(ZeroDivisionError):
        for _ in stream:
            raise ZeroDivisionError


def by_a_generator_that_is_closed(stream):
    def texts():
        for found in stream:
            yield found

    generator = texts()
    next(generator)
    generator.close()


def by_dropping_the_iterator(stream):
    iterator = iter(stream)
    next(iterator)
    del iterator


def unread(stream):
    stream.close()


@pytest.mark.parametrize(
    "leave",
    [
        by_break,
        by_close,
        by_with,
        by_an_error,
        by_a_generator_that_is_closed,
        by_dropping_the_iterator,
        unread,
    ],
)
def test_leaving_frees_the_connection(server, leave):
    stream = begin(server)

    leave(stream)

    server.wait_for_end()
    assert_interrupted(stream)


def test_a_dropped_stream_frees_the_connection(server):
    stream = begin(server)
    next(stream)

    del stream

    server.wait_for_end()


async def by_break_async(stream):
    async for _ in stream:
        break


async def by_close_async(stream):
    await stream.__anext__()
    await stream.close()
    await stream.aclose()


async def by_with_async(stream):
    async with stream as same:
        assert same is stream
        await stream.__anext__()


async def by_an_error_async(stream):
    with contextlib.suppress(ZeroDivisionError):
        async for _ in stream:
            raise ZeroDivisionError


async def by_aclosing(stream):
    async def texts():
        async for found in stream:
            yield found

    generator = texts()
    await generator.__anext__()
    await generator.aclose()


@pytest.mark.parametrize(
    "leave", [by_break_async, by_close_async, by_with_async, by_an_error_async, by_aclosing]
)
def test_leaving_frees_the_connection_of_a_task(server, leave):
    async def main():
        stream = await begin_async(server)
        await leave(stream)
        await asyncio.to_thread(server.wait_for_end)
        return stream

    assert_interrupted(asyncio.run(main()))


async def read_all(stream):
    return [found async for found in stream]


async def until_reading(stream):
    while not stream._reading.locked():
        await asyncio.sleep(0)


async def by_cancelling(stream):
    task = asyncio.ensure_future(read_all(stream))
    await until_reading(stream)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def by_wait_for(stream):
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(read_all(stream), 0.05)


async def by_gather(stream):
    async def fail():
        await until_reading(stream)
        raise ZeroDivisionError

    reading = asyncio.ensure_future(read_all(stream))
    with pytest.raises(ZeroDivisionError):
        await asyncio.gather(reading, fail())
    reading.cancel()
    await asyncio.wait([reading])


async def by_a_task_group(stream):
    async def fail():
        await until_reading(stream)
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):  # noqa: F821 - from Python 3.11 on
        async with asyncio.TaskGroup() as group:
            group.create_task(read_all(stream))
            group.create_task(fail())


async def by_timeout(stream):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await read_all(stream)


FROM_3_11 = pytest.mark.skipif(sys.version_info < (3, 11), reason="new in Python 3.11")


@pytest.mark.parametrize(
    "cancel",
    [
        by_cancelling,
        by_wait_for,
        by_gather,
        pytest.param(by_a_task_group, marks=FROM_3_11),
        pytest.param(by_timeout, marks=FROM_3_11),
    ],
)
def test_cancelling_the_reader_frees_the_connection(server, cancel):
    async def main():
        stream = await begin_async(server)
        await cancel(stream)
        await asyncio.to_thread(server.wait_for_end)
        assert len(asyncio.all_tasks()) == 1
        return stream

    assert_interrupted(asyncio.run(main()), "cancelled")


def test_cancelling_before_the_first_content_frees_the_connection():
    def silent(peer):
        peer.request()
        peer.send(HEAD)
        asked.set()
        peer.wait_until_gone()

    asked = threading.Event()

    async def main():
        task = asyncio.ensure_future(begin_async(server))
        await asyncio.to_thread(asked.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(server.wait_for_end)

    with sockets.ScriptedServer(silent) as server:
        asyncio.run(main())


def test_cancelling_at_the_end_leaves_a_whole_answer():
    """The terminal event is there; only the end of the body, which nobody needs, is not."""

    async def main():
        stream = await begin_async(server)
        task = asyncio.ensure_future(read_all(stream))
        await until_reading(stream)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(server.wait_for_end)
        return stream

    with sockets.ScriptedServer(endless_after(sse(*HELLO))) as server:
        told = []
        stream = asyncio.run(main())

    assert stream.response().choices[0].message.content == "Hello"
    assert told == []


def test_the_loop_may_end_before_the_stream(server):
    stream = asyncio.run(begin_async(server))

    del stream
    gc.collect()

    server.wait_for_end()


def test_leaving_is_no_warning_in_the_log(server, caplog):
    with caplog.at_level(logging.DEBUG, "specado"):
        begin(server).close()

    broken = [record for record in caplog.records if "broke off" in record.message]
    assert [record.levelno for record in broken] == [logging.DEBUG]


def test_breaking_off_is_a_warning_in_the_log(caplog):
    script = sockets.answers_then_closes(HEAD + piece(BEGINNING))
    with caplog.at_level(logging.DEBUG, "specado"), sockets.ScriptedServer(script) as server:
        assert play(client(server.url), "sync").error.code == "truncated"

    broken = [record for record in caplog.records if "broke off" in record.message]
    assert [record.levelno for record in broken] == [logging.WARNING]
    assert "Hel" not in caplog.text


# After the end


def test_reading_on_after_close_says_so(server):
    stream = begin(server)
    stream.close()

    with pytest.raises(StreamInterruptedError, match="closed before its end") as raised:
        list(stream)
    with pytest.raises(StreamInterruptedError) as again:
        next(stream)
    assert again.value is raised.value


@EACH_CALLER
def test_closing_a_whole_stream_changes_nothing(caller):
    with sockets.ScriptedServer(sockets.answers(hello())) as server:
        stream = play(client(server.url), caller).stream

    if caller == "async":
        asyncio.run(stream.aclose())
    else:
        stream.close()
    assert stream.response().choices[0].message.content == "Hello"


def test_leaving_after_the_terminal_event_is_no_interruption():
    with sockets.ScriptedServer(sockets.answers(hello())) as server:
        stream = begin(server)
        for found in stream:
            if found.choices[0].finish_reason is not None:
                break

    assert stream.response().choices[0].message.content == "Hello"


# Connections


@EACH_CALLER
def test_whole_streams_share_one_connection(caller):
    async def several(one):
        found = []
        for _ in range(5):
            stream = await one.chat.completions.create_async("gpt-4.1", "Hi", stream=True)
            found.append(joined(await read_all(stream), "content"))
        return found

    with sockets.ScriptedServer(sockets.answers(hello())) as server:
        one = client(server.url)
        if caller == "async":
            texts = asyncio.run(several(one))
        else:
            texts = [play(one, caller).text for _ in range(5)]
        assert texts == ["Hello"] * 5
        assert (server.connections, len(server.requests)) == (1, 5)


def test_a_closed_stream_takes_its_connection_along():
    def script(peer):
        peer.request()
        peer.send(HEAD + piece(BEGINNING))
        peer.wait_until_gone()

    with sockets.ScriptedServer(script, sockets.answers(hello())) as server:
        one = client(server.url, max_connections=1)
        stream = one.chat.completions.create("gpt-4.1", "Hi", stream=True)
        stream.close()
        assert play(one, "sync").text == "Hello"
        assert server.connections == 2


@EACH_CALLER
def test_a_server_that_does_not_end_the_body_delays_the_end_shortly(caller):
    with sockets.ScriptedServer(endless_after(sse(*HELLO))) as server:
        played = play(client(server.url), caller)

        assert (played.text, played.error) == ("Hello", None)
        server.wait_for_end()


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
    while not stream._reading.locked():
        pass
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
        self.stream._stop("closed", "the stream was closed before its end")
        yield from self.rest

    async def __aiter__(self):
        for data in self:
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

    with pytest.raises(StreamInterruptedError, match="closed before its end"):
        if caller == "async":
            asyncio.run(read())
        else:
            body.stream = one.chat.completions.create("gpt-4.1", "Hi", stream=True)
            list(body.stream)
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
    while not stream._reading.locked():
        pass
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
        while not stream._reading.locked() or len(found) < 2:
            pass
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
        while True:
            try:
                with lock:
                    found.append(next(stream))
            except StopIteration:
                return
            except Exception as error:  # noqa: BLE001
                wrong.append(error)
                return

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
one = Client({"simulate": False, "providers": {"openai": {"api_key": "k", "base_url": sys.argv[1]}}})
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
