"""One client under many threads, loops and processes: no mix-up, no hang, nothing left open."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import fault_scripts as f
import sockets
from specado import Client, shutdown
from specado.routing.health import shared_health

EACH = 5


def answers_itself(peer):
    """Answer each request with the text that it asked with."""
    while True:
        text = json.loads(peer.request().partition(b"\r\n\r\n")[2])["messages"][-1]["content"]
        peer.send(sockets.reply(f.ANSWER.replace(b"from the first", text.encode())))


@pytest.fixture
def unraisable(monkeypatch):
    """Collect what a finalizer could not raise, a ResourceWarning among it."""
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", lambda problem: seen.append(problem.exc_value))
    yield seen
    gc.collect()
    assert seen == []


@pytest.fixture
def server(unraisable):
    with sockets.ScriptedServer(answers_itself) as found:
        yield found
        shutdown()


@pytest.fixture
def client(server):
    providers = {"openai": {"api_key": "k-1", "base_url": server.url}}
    return Client({"simulate": False, "max_retries": 0, "providers": providers})


def said(client, text):
    return client.chat.completions.create("gpt-4.1", text).choices[0].message.content


async def said_async(client, text):
    reply = await client.chat.completions.create_async("gpt-4.1", text)
    return reply.choices[0].message.content


def all_in_a_loop(client, name):
    async def main():
        texts = [f"{name}.{turn}" for turn in range(EACH)]
        return await asyncio.gather(*[said_async(client, text) for text in texts]) == texts

    return asyncio.run(main())


def test_sixty_four_threads_half_of_them_with_loops(client):
    def work(number):
        if number % 2:
            return all_in_a_loop(client, number)
        texts = [f"{number}.{turn}" for turn in range(EACH)]
        return [said(client, text) for text in texts] == texts

    with ThreadPoolExecutor(64) as threads:
        assert list(threads.map(work, range(64))) == [True] * 64


def test_loops_one_after_another_with_threads_between(client):
    for number in range(6):
        assert all_in_a_loop(client, number)
        assert said(client, f"between {number}") == f"between {number}"


def test_tasks_that_are_cancelled_leave_the_client_as_it_was(client):
    async def main():
        for turn in range(20):
            task = asyncio.ensure_future(said_async(client, "left"))
            for _ in range(turn):
                await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):  # it may have ended before
                await task
        return await said_async(client, "after")

    assert asyncio.run(main()) == "after"


def in_a_child(work):
    """Return what *work* returns in a forked child, `False` if it fails or hangs."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, b"1" if work() else b"0")
        finally:
            os._exit(0)
    os.close(writing)
    watch = threading.Timer(sockets.PATIENCE_S, os.kill, (child, 9))
    watch.start()
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    watch.cancel()
    return told == b"1"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_child_uses_its_parents_client(client):
    assert said(client, "parent") == "parent"
    assert all_in_a_loop(client, "parent")
    with shared_health._lock:  # as if another thread were in the middle of a call
        assert in_a_child(lambda: said(client, "child") == "child")
        assert in_a_child(lambda: all_in_a_loop(client, "child"))

    assert said(client, "parent again") == "parent again"
    assert all_in_a_loop(client, "parent again")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_forks_in_the_middle_of_other_threads_calls(client):
    is_over = threading.Event()

    def work(number):
        while not is_over.is_set():
            said(client, f"{number}")

    with ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(work, number) for number in range(4)]
        try:
            assert all(in_a_child(lambda: said(client, "child") == "child") for _ in range(5))
        finally:
            is_over.set()
        for call in calls:
            call.result(sockets.PATIENCE_S)
