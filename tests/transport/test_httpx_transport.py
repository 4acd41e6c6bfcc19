"""`transport="httpx"`: the same settings carried out by httpx clients of specado's own."""

from __future__ import annotations

import asyncio
import base64
import gc
import sys
import threading

import pytest

import sockets
from specado import transport as t
from specado.errors import ConfigurationError

LIMITS = t.Limits(connect_timeout_s=2.0)
# A loop that ends before its connections are closed leaves that to asyncio, which warns of each.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
KEY = (("x-api-key", "sk-secret"),)


def settings(**given):
    return t.TransportSettings(library="httpx", **given)


def post(url, body=b"{}"):
    return t.WireRequest("POST", url, KEY, body)


@pytest.fixture(params=["sync", "async"])
def send(request):
    """Return what sends bodies to a URL, one after another, and gives the replies."""

    def send_sync(url, *bodies, **given):
        transport = t.shared_transport(settings(**given))
        return [transport.send(post(url, body), 5, LIMITS) for body in bodies]

    def send_async(url, *bodies, **given):
        async def main():
            transport = t.shared_async_transport(settings(**given))
            replies = [await transport.send(post(url, body), 5, LIMITS) for body in bodies]
            t.shutdown()
            await asyncio.sleep(0)  # lets the loop close the clients
            return replies

        return asyncio.run(main())

    return send_sync if request.param == "sync" else send_async


def test_connections_are_used_again(send):
    with sockets.ScriptedServer(sockets.echoes) as server:
        replies = send(server.url, b"1", b"2", b"3")

    assert [reply.body for reply in replies] == [b"1", b"2", b"3"]
    assert server.connections == 1


def test_through_a_proxy_with_credentials(send):
    with sockets.ScriptedServer(sockets.echoes) as proxy:
        url = f"http://user:pass%20word@127.0.0.1:{proxy.port}"
        (reply,) = send("http://localhost:9/v1", b"{}", proxies=(("all", url),))

    assert reply.body == b"{}"
    assert proxy.requests[0].startswith(b"POST http://localhost:9/v1 HTTP/1.1\r\n")
    assert base64.b64encode(b"user:pass word") in proxy.requests[0]


def test_past_the_proxy(send):
    with sockets.ScriptedServer(sockets.echoes) as server, sockets.refusing_url() as nobody:
        (reply,) = send(server.url, b"{}", proxies=(("all", nobody),), no_proxy="127.0.0.1")

    assert reply.body == b"{}"


def test_certificates(send, certificates, server_tls):
    with sockets.ScriptedServer(sockets.echoes, tls=server_tls) as server:
        (reply,) = send(server.url, b"{}", ca_bundle=str(certificates / "ca.pem"))
        with pytest.raises(t.TransportFailure) as caught:
            send(server.url, b"{}")

    assert reply.body == b"{}"
    assert (caught.value.kind, caught.value.sent) == ("certificate", False)


def test_a_unix_socket_is_not_for_it(send):
    with pytest.raises(ConfigurationError, match="http\\+unix") as caught:
        send("http+unix://%2Frun%2Fllm.sock/v1", b"{}")

    assert caught.value.key == "transport"


def test_each_operation_has_the_time_that_is_left():
    with sockets.ScriptedServer(sockets.never_answers) as server:
        transport = t.shared_transport(settings())
        with pytest.raises(t.TransportFailure) as caught:
            transport.send(post(server.url), 0.2, LIMITS)

    assert (caught.value.kind, caught.value.sent) == ("timeout", True)


def test_loops_in_several_threads_have_clients_of_their_own():
    async def main(results):
        transport = t.shared_async_transport(settings())
        sends = [transport.send(post(server.url, b"%d" % n), 10, LIMITS) for n in range(5)]
        results.append([reply.body for reply in await asyncio.gather(*sends)])
        t.shutdown()
        await asyncio.sleep(0)

    results = []
    with sockets.ScriptedServer(sockets.echoes) as server:
        for _ in range(3):
            thread = threading.Thread(target=lambda: asyncio.run(main(results)))
            thread.start()
            thread.join(sockets.PATIENCE_S)
    gc.collect()

    assert results == [[b"0", b"1", b"2", b"3", b"4"]] * 3


def test_a_proxy_with_an_ipv6_address(send):
    with sockets.refusing_url() as url:
        proxies = (("all", url.replace("127.0.0.1", "[::1]")),)
        with pytest.raises(t.TransportFailure, match="ConnectError"):
            send("http://localhost:9/v1", b"{}", proxies=proxies)


def test_socks_without_its_package_tells_what_to_install(send, monkeypatch):
    monkeypatch.setitem(sys.modules, "socksio", None)

    with pytest.raises(ConfigurationError, match=r"specado\[socks\]"):
        send("http://localhost:9/v1", b"{}", proxies=(("all", "socks5://127.0.0.1:9"),))
