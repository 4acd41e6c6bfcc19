"""Pools: shared by threads, tasks, loops; left behind by a fork; closed without a sound."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import sockets
from reference_files import REPOSITORY
from specado import transport as t

LIMITS = t.Limits()


def single():
    return t.TransportSettings(max_connections=1)


@pytest.fixture
def unraisable(monkeypatch):
    """Collect what a finalizer could not raise, a ResourceWarning among it."""
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", lambda problem: seen.append(problem.exc_value))
    yield seen
    gc.collect()


def post(server, body=b"{}"):
    return t.WireRequest("POST", server.url, (), body)


def test_equal_settings_share_a_transport():
    assert t.shared_transport(t.TransportSettings()) is t.shared_transport(t.TransportSettings())
    assert t.shared_transport(single()) is not t.shared_transport(t.TransportSettings())
    assert t.shared_async_transport(single()) is t.shared_async_transport(single())


def test_importing_the_transport_imports_no_http_library():
    code = (
        "import sys, specado.transport\n"
        "print(sorted({'httpx', 'httpcore', 'anyio', 'h11'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_sixty_four_threads_get_their_own_replies():
    with sockets.ScriptedServer(sockets.echoes) as server:
        transport = t.shared_transport(t.TransportSettings())

        def calls(number):
            bodies = [b"%d.%d" % (number, turn) for turn in range(10)]
            return all(transport.send(post(server, b), 10, LIMITS).body == b for b in bodies)

        with ThreadPoolExecutor(64) as threads:
            results = list(threads.map(calls, range(64)))

    assert results == [True] * 64
    assert server.connections <= 64


@pytest.mark.parametrize("max_connections", [1000, 7])
def test_many_tasks_get_their_own_replies(max_connections):
    async def main():
        transport = t.shared_async_transport(t.TransportSettings(max_connections=max_connections))
        sends = [transport.send(post(server, b"%d" % n), 10, LIMITS) for n in range(256)]
        return [reply.body for reply in await asyncio.gather(*sends)]

    with sockets.ScriptedServer(sockets.echoes) as server:
        bodies = asyncio.run(main())

    assert bodies == [b"%d" % n for n in range(256)]
    assert server.connections <= max_connections


def test_few_connections_serve_many_threads():
    with sockets.ScriptedServer(sockets.echoes) as server:
        transport = t.shared_transport(t.TransportSettings(max_connections=3))

        with ThreadPoolExecutor(32) as threads:
            sends = [threads.submit(transport.send, post(server), 10, LIMITS) for _ in range(200)]
            statuses = {send.result().status for send in sends}

    assert statuses == {200}
    assert server.connections <= 3


def test_waiting_for_a_connection_ends_at_the_deadline_with_nothing_sent():
    def hold(transport):
        transport.send(post(server), sockets.PATIENCE_S, LIMITS)

    def script(peer):
        peer.request()
        is_held.set()
        is_over.wait(sockets.PATIENCE_S)
        peer.send(sockets.reply())

    is_held, is_over = threading.Event(), threading.Event()
    with sockets.ScriptedServer(script) as server:
        transport = t.shared_transport(single())
        holder = threading.Thread(target=hold, args=(transport,))
        holder.start()
        assert is_held.wait(sockets.PATIENCE_S)
        began = time.monotonic()
        with pytest.raises(t.TransportFailure) as caught:
            transport.send(post(server), 0.2, LIMITS)
        took_s = time.monotonic() - began
        is_over.set()
        holder.join()

    assert (caught.value.kind, caught.value.sent) == ("timeout", False)
    assert took_s < 0.2 + sockets.SLACK_S


def test_waiting_tasks_end_at_the_deadline_and_the_connection_is_free_again():
    async def main():
        transport = t.shared_async_transport(single())
        waits_s = [0.5] + [0.2] * 9  # who has the connection has it until the others gave up
        sends = [transport.send(post(server), wait_s, LIMITS) for wait_s in waits_s]
        failures = await asyncio.gather(*sends, return_exceptions=True)
        return failures, await transport.send(post(server), 5, LIMITS)

    with sockets.ScriptedServer(sockets.never_answers, sockets.echoes) as server:
        failures, reply = asyncio.run(main())

    assert sorted((failure.kind, failure.sent) for failure in failures) == [
        *[("timeout", False)] * 9,
        ("timeout", True),
    ]
    assert reply.status == 200


@pytest.mark.parametrize("turns", range(8))
def test_a_cancelled_task_leaves_nothing_checked_out(turns):
    async def main():
        transport = t.shared_async_transport(single())
        tasks = [asyncio.ensure_future(transport.send(post(server), 5, LIMITS)) for _ in range(3)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        return ended, await transport.send(post(server, b"after"), 5, LIMITS)

    def script(peer):
        while True:
            if peer.request().endswith(b"after"):
                peer.send(sockets.reply(b"after"))

    with sockets.ScriptedServer(script) as server:
        ended, reply = asyncio.run(main())

    assert reply.body == b"after"
    assert [type(one) for one in ended] == [asyncio.CancelledError] * 3


def test_a_task_cancelled_in_mid_reply_frees_the_connection():
    async def main():
        transport = t.shared_async_transport(single())
        task = asyncio.ensure_future(transport.send(post(server), 5, LIMITS))
        while not server.requests:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await transport.send(post(server, b"after"), 5, LIMITS)

    drip = sockets.drips(sockets.reply(b"x" * 1000), 0.001)
    with sockets.ScriptedServer(drip, sockets.echoes) as server:
        assert asyncio.run(main()).body == b"after"


def test_a_connection_that_was_closed_while_idle_is_not_used():
    def once(peer):
        peer.request()
        peer.send(sockets.reply(b"one"))

    with sockets.ScriptedServer(once, sockets.answers(sockets.reply(b"two"))) as server:
        transport = t.shared_transport(single())
        first = transport.send(post(server), 5, LIMITS).body
        server.wait_for_end()
        second = transport.send(post(server), 5, LIMITS).body

    assert (first, second) == (b"one", b"two")


def test_a_connection_closed_in_the_race_is_a_reset():
    def once(peer):
        peer.request()
        peer.send(sockets.reply(b"one"))
        peer.request()

    with sockets.ScriptedServer(once) as server:
        transport = t.shared_transport(single())
        transport.send(post(server), 5, LIMITS)
        with pytest.raises(t.TransportFailure) as caught:
            transport.send(post(server), 5, LIMITS)

    assert (caught.value.kind, caught.value.sent) == ("reset", True)


STOLEN = sockets.reply(b"stolen")


@pytest.mark.parametrize(
    ("early", "late"),
    [(STOLEN, b""), (b"", STOLEN), (STOLEN[:-3], STOLEN[-3:]), (STOLEN[:9], b""), (b"\r\n", b"")],
    ids=["with", "apart", "in two", "not whole", "a line end"],
)
@pytest.mark.parametrize("whole", [sockets.reply(b"one"), sockets.chunked(b"one")])
def test_bytes_that_nobody_asked_for_are_no_reply(early, late, whole):
    def script(peer):
        peer.request()
        peer.send(whole + early)
        peer.send(late)
        sent.set()
        peer.request()  # on a connection that is not to be used again
        peer.send(STOLEN[-3:])

    sent = threading.Event()
    with sockets.ScriptedServer(script, sockets.echoes) as server:
        transport = t.shared_transport(single())
        first = transport.send(post(server), 5, LIMITS).body
        sent.wait(5)
        rest = [transport.send(post(server, body), 5, LIMITS).body for body in (b"two", b"three")]

    assert (first, rest) == (b"one", [b"two", b"three"])


def test_an_idle_connection_expires():
    with sockets.ScriptedServer(sockets.echoes) as server:
        transport = t.shared_transport(t.TransportSettings(keepalive_s=0.0))
        for _ in range(3):
            transport.send(post(server), 5, LIMITS)

    assert server.connections == 3


def test_an_idle_connection_makes_room_for_another_origin():
    with (
        sockets.ScriptedServer(sockets.echoes) as one,
        sockets.ScriptedServer(sockets.echoes) as two,
    ):
        transport = t.shared_transport(single())
        bodies = [transport.send(post(s, b"%d" % s.port), 5, LIMITS).body for s in (one, two, one)]

    assert bodies == [b"%d" % one.port, b"%d" % two.port, b"%d" % one.port]


def test_one_loop_after_another_without_a_warning(unraisable):
    async def calls():
        transport = t.shared_async_transport(t.TransportSettings())
        await asyncio.gather(*[transport.send(post(server), 5, LIMITS) for _ in range(5)])

    with sockets.ScriptedServer(sockets.echoes) as server:
        for _ in range(3):
            asyncio.run(calls())
        gc.collect()

    assert unraisable == []
    assert server.connections >= 3


def test_a_loop_closed_without_its_shutdown_steps(unraisable):
    async def call():
        transport = t.shared_async_transport(t.TransportSettings())
        return (await transport.send(post(server), 5, LIMITS)).status

    with sockets.ScriptedServer(sockets.echoes) as server:
        kept = []
        for _ in range(3):
            loop = asyncio.new_event_loop()
            assert loop.run_until_complete(call()) == 200
            loop.close()
            kept.append(loop)
        # The sockets of the closed loops went when the next pool was made.
        server.wait_for_end()
        server.wait_for_end()
        t.shutdown()
        server.wait_for_end()
        del kept, loop
        gc.collect()

    assert unraisable == []


def test_a_loop_that_ends_closes_its_connections():
    async def call():
        await t.shared_async_transport(t.TransportSettings()).send(post(server), 5, LIMITS)

    with sockets.ScriptedServer(sockets.echoes) as server:
        asyncio.run(call())
        gc.collect()
        server.wait_for_end()

    assert server.connections == 1


def test_loops_in_several_threads_have_pools_of_their_own():
    async def calls(number):
        transport = t.shared_async_transport(t.TransportSettings())
        sends = [transport.send(post(server, b"%d" % number), 10, LIMITS) for _ in range(20)]
        return {reply.body for reply in await asyncio.gather(*sends)}

    with sockets.ScriptedServer(sockets.echoes) as server, ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda n: asyncio.run(calls(n)), range(8)))

    assert results == [{b"%d" % n} for n in range(8)]


def test_exchanges_on_uvloop(unraisable):
    uvloop = pytest.importorskip("uvloop")

    async def calls():
        transport = t.shared_async_transport(t.TransportSettings())
        sends = [transport.send(post(server, b"%d" % n), 10, LIMITS) for n in range(50)]
        bodies = [reply.body for reply in await asyncio.gather(*sends)]
        cancelled = asyncio.ensure_future(transport.send(post(silent), 10, LIMITS))
        await asyncio.sleep(0)
        cancelled.cancel()
        began = time.monotonic()
        with pytest.raises(t.TransportFailure) as caught:
            await transport.send(post(silent), 0.2, LIMITS)
        return bodies, caught.value.kind, time.monotonic() - began

    with (
        sockets.ScriptedServer(sockets.echoes) as server,
        sockets.ScriptedServer(sockets.never_answers) as silent,
    ):
        for _ in range(2):
            loop = uvloop.new_event_loop()
            bodies, kind, took_s = loop.run_until_complete(calls())
            loop.close()
            assert bodies == [b"%d" % n for n in range(50)]
            assert kind == "timeout"
            # uvloop's clock counts whole milliseconds.
            assert 0.199 <= took_s < 0.2 + sockets.SLACK_S
        del loop
        gc.collect()

    assert unraisable == []


def test_shutdown_closes_what_is_idle_and_a_later_call_connects_again():
    async def call():
        await t.shared_async_transport(single()).send(post(server), 5, LIMITS)
        t.shutdown()
        server.wait_for_end()
        return (await t.shared_async_transport(single()).send(post(server), 5, LIMITS)).status

    with sockets.ScriptedServer(sockets.echoes) as server:
        t.shared_transport(single()).send(post(server), 5, LIMITS)
        t.shutdown()
        server.wait_for_end()
        assert t.shared_transport(single()).send(post(server), 5, LIMITS).status == 200
        assert asyncio.run(call()) == 200


def test_an_open_reply_that_is_dropped_frees_its_connection():
    data = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100
    stay = threading.Event()

    def script(peer):
        peer.request()
        peer.send(data)
        stay.wait(5)

    with sockets.ScriptedServer(script, sockets.echoes) as server:
        transport = t.shared_transport(single())
        opened = transport.open(post(server), time.monotonic() + 5, LIMITS)
        first = opened.read(time.monotonic() + 5)
        del opened
        again = transport.send(post(server, b"again"), 5, LIMITS)
        stay.set()

    assert first.startswith(b"x")
    assert again.body == b"again"


def test_an_open_reply_can_be_closed_from_another_thread():
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        peer.wait_until_gone()

    with sockets.ScriptedServer(script, sockets.echoes) as server:
        transport = t.shared_transport(single())
        opened = transport.open(post(server), time.monotonic() + 5, LIMITS)
        closer = threading.Timer(0.1, opened.close)
        closer.start()
        began = time.monotonic()
        opened.read(time.monotonic() + 5)
        opened.close()
        closer.join()

        assert time.monotonic() - began < 2
        assert transport.send(post(server, b"again"), 5, LIMITS).body == b"again"


def run_in_child(work):
    """Run *work* in a forked child; return its exit status: 0 if it returned True."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if work() else 2
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
# Python 3.12 warns of every fork of a process that has threads; that is what is tested here.
with_threads = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


@forks
@with_threads
def test_a_forked_child_has_connections_of_its_own():
    with sockets.ScriptedServer(sockets.echoes) as server:
        transport = t.shared_transport(single())
        transport.send(post(server), 5, LIMITS)

        def work():
            return transport.send(post(server, b"child"), 5, LIMITS).body == b"child"

        assert run_in_child(work) == 0
        assert transport.send(post(server, b"parent"), 5, LIMITS).body == b"parent"
        assert server.connections == 2


@forks
@with_threads
def test_a_fork_in_the_middle_of_other_threads_calls():
    stop = threading.Event()
    failures = []

    def keep_calling():
        while not stop.is_set():
            body = os.urandom(8)
            if transport.send(post(server, body), 5, LIMITS).body != body:
                failures.append(body)

    def work():
        async def call():
            return await t.shared_async_transport(single()).send(post(server, b"2"), 5, LIMITS)

        one = transport.send(post(server, b"1"), 5, LIMITS).body
        return one == b"1" and asyncio.run(call()).body == b"2"

    with sockets.ScriptedServer(sockets.echoes) as server:
        transport = t.shared_transport(t.TransportSettings(max_connections=3))
        callers = [threading.Thread(target=keep_calling) for _ in range(6)]
        for caller in callers:
            caller.start()
        statuses = [run_in_child(work) for _ in range(10)]
        stop.set()
        for caller in callers:
            caller.join()

    assert statuses == [0] * 10
    assert failures == []


def test_the_interpreter_ends_without_a_word():
    code = """
import asyncio, sockets, sys
from specado import transport as t
server = sockets.ScriptedServer(sockets.echoes)
request = t.WireRequest("POST", server.url, (), b"")
settings = t.TransportSettings()
t.shared_transport(settings).send(request, 5, t.Limits())
loop = asyncio.new_event_loop()
loop.run_until_complete(t.shared_async_transport(settings).send(request, 5, t.Limits()))
server.__exit__()
loop.close()
"""
    search = [str(REPOSITORY / "tests" / "helpers"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(search)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, env=environment
    )

    assert (done.returncode, done.stderr) == (0, b"")
