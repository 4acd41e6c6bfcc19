"""What becomes of idle connections: closed in time, bounded, silent at the interpreter's end."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time

import pytest

import sockets
from reference_files import REPOSITORY
from specado import transport as t

LIMITS = t.Limits()
BRIEF = {"keepalive_s": 0.05}


def post(server, body=b"{}"):
    return t.WireRequest("POST", server.url, (), body)


def test_an_idle_connection_of_threads_is_closed_in_time_without_another_call():
    with sockets.ScriptedServer(sockets.echoes) as server:
        transport = t.shared_transport(t.TransportSettings(**BRIEF))
        for _ in range(2):  # the second time by a new thread
            transport.send(post(server), 5, LIMITS)
            server.wait_for_end()

    assert server.connections == 2


def test_an_idle_connection_of_a_loop_is_closed_in_time_without_another_call():
    async def main():
        transport = t.shared_async_transport(t.TransportSettings(**BRIEF))
        for _ in range(2):
            await transport.send(post(server), 5, LIMITS)
            await asyncio.get_running_loop().run_in_executor(None, server.wait_for_end)

    with sockets.ScriptedServer(sockets.echoes) as server:
        asyncio.run(main())

    assert server.connections == 2


def test_connections_that_expire_at_different_times_are_each_closed_in_theirs():
    with sockets.ScriptedServer(sockets.echoes) as server:
        long = t.shared_transport(t.TransportSettings(keepalive_s=60.0))
        short = t.shared_transport(t.TransportSettings(**BRIEF))
        long.send(post(server), 5, LIMITS)
        short.send(post(server), 5, LIMITS)
        server.wait_for_end()
        long.send(post(server), 5, LIMITS)

    assert server.connections == 2


def test_the_thread_that_closes_them_ends_with_the_last_one():
    def names():
        return [thread.name for thread in threading.enumerate()]

    with sockets.ScriptedServer(sockets.echoes) as server:
        t.shared_transport(t.TransportSettings()).send(post(server), 5, LIMITS)
        assert "specado-idle-connections" in names()
        t.shutdown()
        for _ in range(500):
            if "specado-idle-connections" not in names():
                break
            time.sleep(0.01)

    assert "specado-idle-connections" not in names()


def test_calls_one_after_another_start_no_thread_each(monkeypatch):
    started, start = [], threading.Thread.start

    def counted(thread):
        started.append(thread.name)
        start(thread)

    with sockets.ScriptedServer(sockets.echoes) as server:
        transport = t.shared_transport(t.TransportSettings())
        transport.send(post(server), 5, LIMITS)
        monkeypatch.setattr(threading.Thread, "start", counted)
        for _ in range(200):
            transport.send(post(server), 5, LIMITS)

    assert "specado-idle-connections" not in started


@pytest.mark.parametrize("shared", [t.shared_transport, t.shared_async_transport])
def test_settings_of_each_call_leave_no_pool_each(shared):
    first = shared(t.TransportSettings(proxies=(("all", "http://u:0@proxy"),)))
    for number in range(1, 200):
        shared(t.TransportSettings(proxies=(("all", f"http://u:{number}@proxy"),)))
    gc.collect()
    kept = [each for each in gc.get_objects() if type(each) is type(first)]

    assert len(kept) <= 2 * 64 + 1
    assert shared(t.TransportSettings(proxies=(("all", "http://u:0@proxy"),))) is not first


def test_a_proxy_address_of_each_call_leaves_no_connection_each():
    with sockets.ScriptedServer(sockets.echoes) as proxy:
        for number in range(150):
            url = f"http://user:{number}@127.0.0.1:{proxy.port}"
            settings = t.TransportSettings(proxies=(("all", url),))
            request = t.WireRequest("POST", "http://provider.localhost/", (), b"{}")
            t.shared_transport(settings).send(request, 5, LIMITS)
        for _ in range(150 - 64):
            proxy.wait_for_end()

    assert proxy.connections == 150


def test_settings_in_use_are_not_the_ones_that_make_room():
    with sockets.ScriptedServer(sockets.echoes) as server:
        for number in range(200):
            t.shared_transport(t.TransportSettings()).send(post(server), 5, LIMITS)
            t.shared_transport(t.TransportSettings(no_proxy=str(number)))

    assert server.connections == 1


ENDINGS = {
    "idle connections": "",
    "a reply in use": "held = transport.open(request, until, t.Limits())",
    "a reply of a loop": "loop = asyncio.new_event_loop()\n"
    "held = loop.run_until_complete(shared.open(request, until, t.Limits()))\n"
    "loop.close()",
    "a thread in a call": "threading.Thread(target=calls, daemon=True).start()",
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_the_interpreter_ends_without_a_word(ending):
    code = f"""
import asyncio, sockets, sys, threading, time
from specado import transport as t
server = sockets.ScriptedServer(sockets.echoes)
request, until = t.WireRequest("POST", server.url, (), b""), time.monotonic() + 5
transport = t.shared_transport(t.TransportSettings())
shared = t.shared_async_transport(t.TransportSettings())
def calls():
    while True:
        try:
            transport.send(request, 5, t.Limits())
        except t.TransportFailure:
            pass
transport.send(request, 5, t.Limits())
asyncio.run(shared.send(request, 5, t.Limits()))
{ending}
"""
    search = [str(REPOSITORY / "tests" / "helpers"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(search)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")


PENDING = """
import asyncio, gc, sockets, sys
from specado import transport as t

def silent(peer):
    peer.request()
    if sys.argv[1] == "reply":
        peer.send(b"HTTP/1.1 200 OK\\r\\n\\r\\n")
    peer.wait_until_gone()

server = sockets.ScriptedServer(silent)
request = t.WireRequest("POST", server.url, (), b"{}")
settings = t.TransportSettings(max_connections=2)

async def call():
    await t.shared_async_transport(settings).send(request, 30, t.Limits())

async def main():
    tasks = [asyncio.ensure_future(call()) for _ in range(3)]
    await asyncio.sleep(0)
    while len(server.requests) < 2:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    return tasks

loop = asyncio.new_event_loop()
tasks = loop.run_until_complete(main())
for task in tasks:
    task._log_destroy_pending = False  # what asyncio itself says of each
loop.close()
del tasks, task, loop
gc.collect()
print("over")
"""


@pytest.mark.parametrize("stage", ["head", "reply"])
def test_a_loop_that_ends_with_calls_pending_adds_no_traceback(stage):
    search = [str(REPOSITORY / "tests" / "helpers"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(search)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PENDING, stage],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "over\n", "")
