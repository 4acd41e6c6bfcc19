"""The way to the provider: TLS and whom it trusts, proxies and what goes past them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import pickle
import socket
import ssl
import threading
import traceback
import warnings

import pytest

import sockets
from specado import transport as t
from specado.errors import ConfigurationError
from specado.transport.addresses import Address, address_of
from specado.transport.proxies import Proxy, proxy_for

LIMITS = t.Limits(connect_timeout_s=2.0)
KEY = (("x-api-key", "sk-secret"),)


@pytest.fixture(params=["sync", "async"])
def send(request):
    def send_sync(url, settings, limits=LIMITS):
        wire = t.WireRequest("POST", url, KEY, b"{}")
        return t.shared_transport(settings).send(wire, 5, limits)

    def send_async(url, settings, limits=LIMITS):
        wire = t.WireRequest("POST", url, KEY, b"{}")

        async def main():
            return await t.shared_async_transport(settings).send(wire, 5, limits)

        return asyncio.run(main())

    return send_sync if request.param == "sync" else send_async


def trusting(certificates, **more):
    return t.TransportSettings(ca_bundle=str(certificates / "ca.pem"), **more)


def test_a_server_that_the_bundle_vouches_for(send, certificates, server_tls):
    with sockets.ScriptedServer(sockets.echoes, tls=server_tls) as server:
        settings = trusting(certificates)
        assert send(server.url, settings).body == b"{}"
        assert send(f"https://localhost:{server.port}", settings).body == b"{}"


def test_a_large_body_through_tls(certificates, server_tls):
    body = bytes(range(256)) * 20_000
    with sockets.ScriptedServer(sockets.echoes, tls=server_tls) as server:
        wire = t.WireRequest("POST", server.url, KEY, body)
        sync = t.shared_transport(trusting(certificates)).send(wire, 10, LIMITS)
        transport = t.shared_async_transport(trusting(certificates))
        by_task = asyncio.run(transport.send(wire, 10, LIMITS))

    assert sync.body == by_task.body == body


@pytest.mark.parametrize("script", [sockets.never_answers, sockets.answers_then_closes(b"")])
def test_a_server_that_speaks_no_tls(send, script):
    limits = t.Limits(connect_timeout_s=0.3)
    with sockets.ScriptedServer(script) as server, pytest.raises(t.TransportFailure) as caught:
        send(f"https://127.0.0.1:{server.port}", t.TransportSettings(), limits)

    assert (caught.value.kind, caught.value.sent) == ("connect", False)


def once_with_one(peer):
    peer.request()
    peer.send(sockets.reply(b"one"))


def test_a_tls_connection_is_used_again_until_the_server_closes_it(certificates, server_tls):
    with sockets.ScriptedServer(once_with_one, sockets.echoes, tls=server_tls) as server:
        transport = t.shared_transport(trusting(certificates))
        wire = t.WireRequest("POST", server.url, KEY, b"x")
        first = transport.send(wire, 5, LIMITS).body
        server.wait_for_end()
        bodies = [transport.send(wire, 5, LIMITS).body for _ in range(3)]
        t.shutdown()

    assert (first, bodies) == (b"one", [b"x", b"x", b"x"])
    assert server.connections == 2


def test_a_tls_connection_of_a_loop_is_used_again(certificates, server_tls):
    async def main():
        transport = t.shared_async_transport(trusting(certificates))
        wire = t.WireRequest("POST", server.url, KEY, b"x")
        first = (await transport.send(wire, 5, LIMITS)).body
        server.wait_for_end()
        return first, [(await transport.send(wire, 5, LIMITS)).body for _ in range(3)]

    with sockets.ScriptedServer(once_with_one, sockets.echoes, tls=server_tls) as server:
        outcome = asyncio.run(main())

    assert outcome == (b"one", [b"x", b"x", b"x"])
    assert server.connections == 2


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_a_ca_bundle_that_is_none(send, tmp_path, content):
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    with (
        sockets.ScriptedServer(sockets.echoes) as server,
        pytest.raises(ConfigurationError, match=r"ca_bundle: .*bundle\.pem"),
    ):
        send(f"https://127.0.0.1:{server.port}", t.TransportSettings(ca_bundle=str(bundle)))


# --- proxies -------------------------------------------------------------------------------


def via(proxy_url, no_proxy="", **more):
    return t.TransportSettings(proxies=(("all", proxy_url),), no_proxy=no_proxy, **more)


def joins(target_port, greet):
    """Be a proxy: *greet* the client, then pass bytes both ways to 127.0.0.1."""

    def pump(source, sink):
        try:
            while data := source.recv(65_536):
                sink.sendall(data)
            sink.shutdown(1)
        except OSError:
            pass

    def script(peer):
        greet(peer)
        with socket.create_connection(("127.0.0.1", target_port)) as onward:
            back = threading.Thread(target=pump, args=(onward, peer.sock))
            back.start()
            pump(peer.sock, onward)
            back.join(5)

    return script


def take_connect(peer):
    peer.request()
    peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")


def test_http_through_a_proxy_names_the_whole_url(send):
    with sockets.ScriptedServer(sockets.echoes) as proxy:
        url = f"http://user:pass%20word@127.0.0.1:{proxy.port}"
        reply = send("http://localhost:9/v1/chat?x=1", via(url))

    lines = proxy.requests[0].split(b"\r\n")
    assert reply.body == b"{}"
    assert lines[0] == b"POST http://localhost:9/v1/chat?x=1 HTTP/1.1"
    assert lines[1] == b"host: localhost:9"
    assert b"proxy-authorization: Basic " + base64.b64encode(b"user:pass word") in lines


def test_https_through_a_proxy_is_a_tunnel(send, certificates, server_tls):
    with (
        sockets.ScriptedServer(sockets.echoes, tls=server_tls) as server,
        sockets.ScriptedServer(joins(server.port, take_connect)) as proxy,
    ):
        settings = trusting(
            certificates, proxies=(("https", f"http://u:p@127.0.0.1:{proxy.port}"),)
        )
        reply = send("https://localhost:4443/v1", settings)

    head = proxy.requests[0]
    assert reply.body == b"{}"
    assert head.startswith(b"CONNECT localhost:4443 HTTP/1.1\r\n")
    assert base64.b64encode(b"u:p") in head
    assert b"sk-secret" not in head
    assert server.requests[0].startswith(b"POST /v1 HTTP/1.1\r\n")
    assert b"roxy" not in server.requests[0]


def test_https_through_a_proxy_that_speaks_tls_itself(send, certificates, server_tls):
    def script(peer):
        take_connect(peer)
        inner = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = server_tls.wrap_bio(*inner, server_side=True)

        def drive(operation):
            while True:
                with contextlib.suppress(ssl.SSLWantReadError):
                    result = operation()
                    peer.send(inner[1].read())
                    return result
                peer.send(inner[1].read())
                inner[0].write(peer.sock.recv(65_536))

        drive(session.do_handshake)
        drive(lambda: session.read(65_536))
        drive(lambda: session.write(sockets.reply(b"inner")))
        peer.wait_until_gone()

    with sockets.ScriptedServer(script, tls=server_tls) as proxy:
        settings = trusting(certificates, proxies=(("all", f"https://127.0.0.1:{proxy.port}"),))
        assert send("https://localhost:4443/v1", settings).body == b"inner"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 502 Bad\r\n\r\n",
        b"HTTP/1.1 403 key-sk-secret is not yours\r\n\r\n",
        b"nonsense sk-secret\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nsk-secret\r\n\r\n",
        b"",
    ],
    ids=range(6),
)
def test_a_proxy_that_refuses_is_no_connection_and_keeps_no_slot(send, answer):
    with sockets.ScriptedServer(sockets.answers_then_closes(answer)) as proxy:
        settings = via(f"http://u:sk-secret@127.0.0.1:{proxy.port}", max_connections=1)
        for _ in range(3):
            with pytest.raises(t.TransportFailure, match="the proxy") as caught:
                send("https://localhost:4443/", settings)

    assert (caught.value.kind, caught.value.sent) == ("connect", False)
    assert "sk-secret" not in str(caught.value)


def test_a_proxy_that_demands_credentials_for_a_plain_request(send):
    answer = sockets.reply(b"sk-secret", 407)
    with sockets.ScriptedServer(sockets.answers(answer)) as proxy:
        with pytest.raises(
            t.TransportFailure, match=r"it demands credentials \(status 407\)"
        ) as one:
            send("http://localhost:9/v1", via(proxy.url))
        with pytest.raises(t.TransportFailure, match="it refuses the user and password") as two:
            send("http://localhost:9/v1", via(f"http://u:p@127.0.0.1:{proxy.port}"))

    assert [(each.value.kind, each.value.sent) for each in (one, two)] == [("connect", False)] * 2


def socks(*, credentials=False, code=0, address=b"\x01\x7f\x00\x00\x01\x00\x50"):
    pytest.importorskip("socksio")

    def greet(peer):
        assert peer.take(3) == (b"\x05\x01\x02" if credentials else b"\x05\x01\x00")
        peer.send(b"\x05\x02" if credentials else b"\x05\x00")
        if credentials:
            assert peer.take(5) == b"\x01\x01u\x01p"
            peer.send(b"\x01\x00")
        head = peer.take(4)
        size = {1: 4, 3: None, 4: 16}[head[3]]
        host = peer.take(size or peer.take(1)[0])
        peer.server.requests.append(host + b":%d" % int.from_bytes(peer.take(2), "big"))
        peer.send(b"\x05" + bytes([code]) + b"\x00" + address)

    return greet


@pytest.mark.parametrize(
    "address", [b"\x01\x7f\0\0\1\0\x50", b"\x03\x02ab\0\x50", b"\x04" + b"\0" * 18]
)
@pytest.mark.parametrize("credentials", [False, True])
def test_through_a_socks_proxy(send, address, credentials):
    greet = socks(credentials=credentials, address=address)
    with (
        sockets.ScriptedServer(sockets.echoes) as server,
        sockets.ScriptedServer(joins(server.port, greet)) as proxy,
    ):
        user = "u:p@" if credentials else ""
        reply = send("http://localhost:81/v1", via(f"socks5://{user}127.0.0.1:{proxy.port}"))

    assert reply.body == b"{}"
    assert proxy.requests == [b"localhost:81"]
    assert server.requests[0].startswith(b"POST /v1 HTTP/1.1\r\nhost: localhost:81\r\n")


def test_a_socks_proxy_that_refuses(send):
    with (
        sockets.ScriptedServer(socks(code=5)) as proxy,
        pytest.raises(t.TransportFailure, match="Connection refused") as caught,
    ):
        send("http://127.0.0.1:81/v1", via(f"socks5://127.0.0.1:{proxy.port}"))

    assert (caught.value.kind, caught.value.sent) == ("connect", False)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://sk-secret@h",
        "http://u:sk-secret@",
        "http://u:sk-secret@h:x",
        f"socks5://u:{'sk-secret' * 40}@h",
    ],
)
def test_a_wrong_proxy_is_told_without_its_password(url):
    with pytest.raises(ConfigurationError, match="proxy: ") as caught:
        proxy_for(via(url), "https", "api.openai.com", 443)

    assert "sk-secret" not in str(caught.value)
    assert "sk-secret" not in repr(via(url))
    assert caught.value.key == "proxy"


def test_a_proxy_shows_no_password():
    found = proxy_for(via("http://u:sk-secret@proxy:3128"), "https", "api.openai.com", 443)

    assert repr(found) == "Proxy(http://proxy:3128)"
    assert found == Proxy("http", "proxy", 3128, ("u", "sk-secret"))


@pytest.mark.parametrize(
    ("no_proxy", "url", "is_direct"),
    [
        ("", "https://api.openai.com", False),
        ("", "http://localhost", False),
        ("*", "https://api.openai.com", True),
        ("openai.com", "https://api.openai.com", True),
        (".openai.com", "https://openai.com", True),
        ("*.openai.com", "https://api.openai.com", True),
        ("penai.com", "https://api.openai.com", False),
        ("x, OpenAI.com ,y", "https://API.openai.com", True),
        ("localhost", "http://localhost:8089", True),
        ("localhost:8089", "http://localhost:8089", True),
        ("localhost:8090", "http://localhost:8089", False),
        ("127.0.0.1", "http://127.0.0.1:1", True),
        ("0.0.1", "http://127.0.0.1:1", False),
        ("127.0.0.0/8,10.0.0.0/8", "http://127.9.9.9", True),
        ("10.0.0.0/8", "http://localhost", False),
        ("::1", "http://[::1]:80", True),
        ("[::1]:80", "http://[::1]:80", True),
        ("https://api.openai.com", "https://api.openai.com", True),
        ("nonsense/x", "https://api.openai.com", False),
        ("https://api.openai.com/", "https://api.openai.com", True),
        ("api.openai.com.", "https://api.openai.com", True),
        ("api.openai.com", "https://api.openai.com.", True),
        ("fd00::/8", "http://[fd00::1]", True),
        ("[fd00::]/8", "http://[fd00::1]", True),
        ("10.0.0.0/8", "http://[fd00::1]", False),
        ("*:8080", "http://llm:8080", True),
        ("*:8080", "http://llm:8081", False),
        (".", "http://llm", False),
        (",, ,", "http://llm", False),
    ],
)
def test_what_goes_past_the_proxy(no_proxy, url, is_direct):
    address = address_of(url)

    found = proxy_for(via("proxy:3128", no_proxy), *address[:3])

    assert (found is None) is is_direct


def test_each_scheme_has_its_proxy():
    settings = t.TransportSettings(proxies=(("http", "a:1"), ("https", "b:2")))

    assert proxy_for(settings, "http", "h", 80).host == "a"
    assert proxy_for(settings, "https", "h", 443).host == "b"


# --- keys in plain sight -------------------------------------------------------------------


def test_a_key_over_plain_http_to_another_machine_warns_once(send):
    with sockets.ScriptedServer(sockets.echoes) as proxy:
        settings = via(proxy.url)
        host = f"provider-{proxy.port}.test"
        with pytest.warns(t.InsecureTransportWarning, match=host) as seen:
            send(f"http://{host}/v1", settings)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            send(f"http://{host}/v2", settings)
            for name in ("localhost", "127.0.0.1", "127.1.2.3", "[::1]", "api.localhost"):
                send(f"http://{name}:81/", settings)

    assert len(seen) == 1
    assert "sk-secret" not in str(seen[0].message)
    assert seen[0].filename == __file__


@pytest.mark.parametrize(
    ("carries_key", "headers", "query"),
    [(True, (("X-Auth-Token", "sk-secret"),), ""), (True, (), "?key=sk-secret"), (False, KEY, "")],
)
def test_a_key_of_any_name_is_warned_of(carries_key, headers, query):
    with sockets.ScriptedServer(sockets.echoes) as proxy:
        url = f"http://provider-{proxy.port}.test/v1{query}"
        request = t.WireRequest("POST", url, headers, b"", carries_key=carries_key)
        with pytest.warns(t.InsecureTransportWarning) as seen:
            t.shared_transport(via(proxy.url)).send(request, 5, LIMITS)

    assert "sk-secret" not in str(seen[0].message)


def test_what_carries_no_key_is_not_warned_of():
    with sockets.ScriptedServer(sockets.echoes) as proxy, warnings.catch_warnings():
        warnings.simplefilter("error")
        request = t.WireRequest("POST", f"http://provider-{proxy.port}.test/", (), b"")
        assert t.shared_transport(via(proxy.url)).send(request, 5, LIMITS).status == 200


# --- what is shown of it -------------------------------------------------------------------


@pytest.mark.parametrize(
    "held",
    [
        t.WireRequest("POST", "http://u:sk-secret@h/v1?key=sk-secret", KEY, b"sk-secret"),
        via("http://u:sk-secret@proxy:3128"),
        Proxy("http", "proxy", 3128, ("u", "sk-secret")),
        address_of("http://h/v1?key=sk-secret"),
    ],
    ids=lambda held: type(held).__name__,
)
def test_rich_shows_no_secret(held):
    pretty = pytest.importorskip("rich.pretty")

    assert "sk-secret" not in repr(held) + pretty.pretty_repr(held)


@pytest.mark.parametrize(
    "held",
    [t.WireRequest("POST", "http://h", KEY, b""), via("http://u:sk-secret@proxy:3128")],
    ids=lambda held: type(held).__name__,
)
def test_what_holds_secrets_is_not_pickled(held):
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(held)


def test_no_address_that_is_kept_has_the_query():
    address = address_of("http://kept.test/v1?key=sk-secret#x")

    assert address.target == b"/v1?key=sk-secret"
    del address
    gc.collect()
    held = [each for each in gc.get_objects() if type(each) is Address]
    assert not [each for each in held if b"sk-secret" in each.target and each.host == "kept.test"]


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("ftp://x/?sk-secret", KEY),
        ("http://u:sk-secret@h/", KEY),
        ("http://h:99999/?sk-secret#sk-secret", KEY),
        ("http://localhost/?sk-secret", (*KEY, ("x-other", "sk-secret€"))),
    ],
)
def test_no_traceback_with_locals_has_a_key(url, headers):
    request = t.WireRequest("POST", url, headers, b"")
    with pytest.raises(ConfigurationError) as caught:
        t.shared_transport(t.TransportSettings()).send(request, 5, LIMITS)

    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in shown.stack if frame.filename != __file__]
    assert ours
    assert "sk-secret" not in "".join(str(frame.locals) for frame in ours)
