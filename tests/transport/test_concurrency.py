"""Whatever happens to an exchange, its connection is free for the next one."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

import sockets
from specado import transport as t
from specado.errors import ConfigurationError
from specado.transport import network

LIMITS = t.Limits(connect_timeout_s=0.3)


def single():
    return t.TransportSettings(max_connections=1)


def post(url, body=b"{}"):
    return t.WireRequest("POST", url, (), body)


def send_sync(url, settings=None, timeout_s=5.0, limits=LIMITS):
    return t.shared_transport(settings or single()).send(post(url), timeout_s, limits)


def send_async(url, settings=None, timeout_s=5.0, limits=LIMITS):
    return asyncio.run(
        t.shared_async_transport(settings or single()).send(post(url), timeout_s, limits)
    )


both = pytest.mark.parametrize("send", [send_sync, send_async], ids=["sync", "async"])


@pytest.mark.parametrize("turns", range(16))
@pytest.mark.parametrize("again", [None, 0, 1, 2])
def test_a_task_cancelled_at_any_turn_and_once_more(turns, again):
    async def main():
        shared = t.shared_async_transport(single())
        await shared.send(post(server.url), 5, LIMITS)
        for _ in range(3):
            task = asyncio.ensure_future(shared.send(post(server.url), 5, LIMITS))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            if again is not None:
                for _ in range(again):
                    await asyncio.sleep(0)
                task.cancel()
            await asyncio.wait({task})
        return (await shared.send(post(server.url), 1, LIMITS)).status

    with sockets.ScriptedServer(sockets.echoes) as server:
        assert asyncio.run(main()) == 200


@pytest.mark.parametrize("operation", ["read", "write"])
def test_an_interrupt_in_mid_exchange_frees_the_connection(monkeypatch, operation):
    def interrupted(*_):
        raise KeyboardInterrupt

    with sockets.ScriptedServer(sockets.echoes) as server:
        with monkeypatch.context() as patch:
            patch.setattr(network.SocketStream, operation, interrupted)
            for _ in range(3):
                with pytest.raises(KeyboardInterrupt):
                    send_sync(server.url)
        assert send_sync(server.url, timeout_s=1).status == 200


def test_threads_that_take_each_others_connections_lose_no_exchange():
    def calls(number):
        for turn in range(60):
            url = servers[(number + turn) % 4].url
            assert t.shared_transport(settings).send(post(url), 20, LIMITS).status == 200

    settings = t.TransportSettings(max_connections=3)
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(sockets.ScriptedServer(sockets.echoes)) for _ in range(4)]
        with ThreadPoolExecutor(12) as threads:
            list(threads.map(calls, range(12)))


def test_a_failure_keeps_nothing_of_its_exchange_alive():
    class Key(str):
        pass

    gc.collect()
    gc.disable()
    try:
        with sockets.ScriptedServer(sockets.answers_then_closes(b"")) as server:
            key = Key("sk-secret")
            gone = weakref.ref(key)
            with contextlib.suppress(t.TransportFailure):
                request = t.WireRequest("POST", server.url, (("x-api-key", key),), b"{}")
                t.shared_transport(single()).send(request, 5, LIMITS)
            del key, request
            assert gone() is None
    finally:
        gc.enable()


@both
def test_time_outs_one_after_another(send):
    with sockets.ScriptedServer(sockets.never_answers) as server:
        for _ in range(4):
            with pytest.raises(t.TransportFailure) as caught:
                send(server.url, timeout_s=0.05)

            assert (caught.value.kind, caught.value.sent) == ("timeout", True)
    assert server.connections == 4


# The functions of an exchange from its permit to its end.
INTERRUPTED = {"send", "_answered", "take", "take_whole", "finish"}


def interrupting_line(number, names):
    """Return a trace function that interrupts the functions *names* at a line."""
    left = [number]

    def at_line(frame, event, _):
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
        return at_line

    def at_call(frame, *_):
        code = frame.f_code
        is_there = "/specado/transport/" in code.co_filename.replace("\\", "/")
        return at_line if is_there and code.co_name in names else None

    return at_call


@both
def test_an_interrupt_at_any_line_loses_no_slot(send):
    interrupts = 0
    with sockets.ScriptedServer(sockets.echoes) as server:
        send(server.url)
        for number in range(1, 60):
            before = sys.gettrace()
            sys.settrace(interrupting_line(number, INTERRUPTED))
            try:
                send(server.url)
            except KeyboardInterrupt:
                interrupts += 1
            finally:
                sys.settrace(before)
            assert send(server.url, timeout_s=1).status == 200

    assert 10 < interrupts < 59


def accepts_the_tunnel(peer):
    peer.request()
    peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")


def says(*answers):
    def script(peer):
        for answer in answers:
            peer.sock.recv(4096)
            peer.send(answer)
        peer.wait_until_gone()

    return script


@both
@pytest.mark.parametrize(
    ("scheme", "script"),
    [
        ("http", sockets.never_answers),
        ("http", accepts_the_tunnel),
        ("http", says(b"HTTP/1.1 200 OK\r\n\r\n", b"this is no TLS" * 10)),
        ("https", sockets.never_answers),
        ("socks5", sockets.never_answers),
        ("socks5", says(b"\x05\xff")),
        ("socks5", says(b"nonsense")),
        ("socks5", says(b"\x05\x00", b"\x05")),
        ("socks5", says(b"\x05\x00", b"\x05\x00\x00\x01\x7f\0\0\1\0\x50", b"no TLS" * 20)),
    ],
    ids=range(9),
)
def test_a_proxy_that_fails_in_any_way_is_no_connection(send, scheme, script):
    if scheme == "socks5":
        pytest.importorskip("socksio")
    with sockets.ScriptedServer(script) as proxy:
        url = f"{scheme}://127.0.0.1:{proxy.port}"
        settings = t.TransportSettings(proxies=(("all", url),), max_connections=1)
        began = time.monotonic()
        for _ in range(2):
            with pytest.raises(t.TransportFailure, match="the proxy") as caught:
                send("https://localhost:4443/", settings, limits=t.Limits(connect_timeout_s=0.1))
            assert (caught.value.kind, caught.value.sent) == ("connect", False)

    assert proxy.connections == 2
    assert time.monotonic() - began < 2


@both
def test_an_ipv6_address_through_a_proxy_has_brackets(send):
    with sockets.ScriptedServer(sockets.echoes) as proxy:
        settings = t.TransportSettings(proxies=(("all", proxy.url),))
        with pytest.raises(t.TransportFailure):
            send("https://[::1]:4443/", settings, limits=t.Limits(connect_timeout_s=0.1))
        send("http://[::1]:81/v1", settings)

    assert proxy.requests[0].startswith(b"CONNECT [::1]:4443 HTTP/1.1\r\n")
    assert proxy.requests[1].startswith(b"POST http://[::1]:81/v1 HTTP/1.1\r\n")


@both
def test_socks_without_its_package_tells_what_to_install(send, monkeypatch):
    monkeypatch.setitem(sys.modules, "socksio", None)

    with pytest.raises(ConfigurationError, match="socksio") as caught:
        send("https://localhost/", t.TransportSettings(proxies=(("all", "socks5://u:sec@h"),)))

    assert caught.value.key == "proxy"
    assert "sec@" not in str(caught.value)


def test_a_hundred_connections_are_kept_and_no_more():
    async def main():
        shared = t.shared_async_transport(t.TransportSettings())
        sends = [shared.send(post(server.url), 20, LIMITS) for _ in range(130)]
        await asyncio.gather(*sends)
        for _ in range(30):
            server.wait_for_end()
        assert not server.ended.acquire(blocking=False)
        assert (await shared.send(post(server.url), 5, LIMITS)).status == 200

    gate = threading.Barrier(130)

    def script(peer):
        peer.request()
        gate.wait(20)
        peer.send(sockets.reply(b"{}"))
        sockets.echoes(peer)

    with sockets.ScriptedServer(script) as server:
        asyncio.run(main())

    assert server.connections == 130


def unfinished(peer):
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\n\r\nx")
    peer.wait_until_gone()


def test_a_dropped_reply_of_a_task_frees_its_connection():
    async def main():
        shared = t.shared_async_transport(single())
        reply = await shared.open(post(server.url), time.monotonic() + 5, LIMITS)
        assert await reply.read(time.monotonic() + 5) == b"x"
        reply.itself = reply
        waiting = asyncio.ensure_future(shared.send(post(server.url), 5, LIMITS))
        await asyncio.sleep(0)
        del reply
        gc.collect()
        return (await waiting).status

    with sockets.ScriptedServer(unfinished, sockets.echoes) as server:
        assert asyncio.run(main()) == 200


def test_a_dropped_reply_wakes_a_waiting_thread():
    results = []
    with sockets.ScriptedServer(unfinished, sockets.echoes) as server:
        reply = t.shared_transport(single()).open(post(server.url), time.monotonic() + 5, LIMITS)
        reply.itself = reply
        waiting = threading.Thread(target=lambda: results.append(send_sync(server.url).status))
        waiting.start()
        del reply
        gc.collect()
        waiting.join(5)

    assert results == [200]


def test_a_reply_in_use_at_shutdown_is_read_to_its_end_and_then_closed():
    with sockets.ScriptedServer(sockets.echoes) as server:
        reply = t.shared_transport(single()).open(post(server.url), time.monotonic() + 5, LIMITS)
        t.shutdown()
        assert reply.read(time.monotonic() + 5) == b"{}"
        assert reply.read(time.monotonic() + 5) == b""
        server.wait_for_end()
