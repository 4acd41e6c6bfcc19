"""Ends of streams: the connection is freed at once, and the state is right."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import sys
import threading

import pytest

import sockets
from played_streams import (
    BEGINNING,
    CALLERS,
    HEAD,
    HELLO,
    assert_interrupted,
    begin,
    begin_async,
    client,
    endless,
    hello,
    piece,
    play,
    read_all,
    until_reading,
)
from specado import StreamInterruptedError
from stream_readers import joined, sse

EACH_CALLER = pytest.mark.parametrize("caller", CALLERS)


def endless_after_the_end(peer):
    endless(peer, sse(*HELLO))


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
            yield found.choices

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

    async def read_in_a_group():
        async with asyncio.TaskGroup() as group:
            group.create_task(read_all(stream))
            group.create_task(fail())

    with pytest.raises(ExceptionGroup):  # noqa: F821 - from Python 3.11 on
        await read_in_a_group()


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

    with sockets.ScriptedServer(endless_after_the_end) as server:
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
    with sockets.ScriptedServer(endless, sockets.answers(hello())) as server:
        one = client(server.url, max_connections=1)
        stream = one.chat.completions.create("gpt-4.1", "Hi", stream=True)
        stream.close()
        assert play(one, "sync").text == "Hello"
        assert server.connections == 2


@EACH_CALLER
def test_a_server_that_does_not_end_the_body_delays_the_end_shortly(caller):
    with sockets.ScriptedServer(endless_after_the_end) as server:
        played = play(client(server.url), caller)

        assert (played.text, played.error) == ("Hello", None)
        server.wait_for_end()
