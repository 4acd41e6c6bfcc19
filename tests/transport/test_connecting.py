"""Opening a connection: names, several addresses, proxies, TLS, Unix sockets, one deadline."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import importlib.util
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest

import sockets
from certificates import server_context
from specado import transport as t
from specado.errors import ConfigurationError
from specado.transport import happy_eyeballs, network, resolver, trust
from specado.transport.addresses import address_of
from specado.transport.connecting import Opening, open_stream, open_stream_async
from specado.transport.proxies import proxy_for

MISSING = importlib.util.find_spec("uvloop") is None
LOOPS = [
    "sync",
    "async",
    pytest.param("uvloop", marks=pytest.mark.skipif(MISSING, reason="uvloop is not installed")),
]


def opening(url, settings, wait_s, connect_timeout_s):
    key = address_of(url)[:3]
    until = time.monotonic() + wait_s
    return Opening(settings, (*key, proxy_for(settings, *key)), until, connect_timeout_s)


def ask(url, settings, wait_s, connect_timeout_s, said):
    stream = open_stream(opening(url, settings, wait_s, connect_timeout_s))
    try:
        stream.write(said, time.monotonic() + sockets.PATIENCE_S)
        return stream.read(time.monotonic() + sockets.PATIENCE_S)
    finally:
        stream.close()


async def ask_async(url, settings, wait_s, connect_timeout_s, said):
    stream = await open_stream_async(opening(url, settings, wait_s, connect_timeout_s))
    try:
        await stream.write(said, time.monotonic() + sockets.PATIENCE_S)
        return await stream.read(time.monotonic() + sockets.PATIENCE_S)
    finally:
        stream.close()


@pytest.fixture(params=LOOPS)
def opened(request):
    """Return what opens a connection, says GET and gives the answer: on threads and on loops."""

    def call(url, wait_s=5.0, connect_timeout_s=10.0, **given):
        settings = t.TransportSettings(**given)
        said = b"GET / HTTP/1.1\r\n\r\n"
        if request.param == "sync":
            return ask(url, settings, wait_s, connect_timeout_s, said)
        work = ask_async(url, settings, wait_s, connect_timeout_s, said)
        if request.param == "async":
            return asyncio.run(work)
        loop = importlib.import_module("uvloop").new_event_loop()
        try:
            return loop.run_until_complete(work)
        finally:
            loop.close()

    return call


@pytest.fixture
def failed(opened):
    """Return the same for a failure, which it gives."""

    def call(url, **given):
        with pytest.raises(t.TransportFailure) as caught:
            opened(url, **given)
        assert caught.value.sent is False
        return caught.value

    return call


hello = sockets.answers(b"hello")


@pytest.fixture(autouse=True)
def no_address_is_dead(monkeypatch):
    monkeypatch.setattr(happy_eyeballs, "_dead_until", {})


@pytest.fixture
def names(monkeypatch):
    """Let names resolve to what a test says: addresses, or a function."""
    table = {}
    real = socket.getaddrinfo

    def getaddrinfo(host, port, *args, **kwargs):
        if host not in table:
            return real(host, port, *args, **kwargs)
        if kwargs.get("flags", 0) & socket.AI_NUMERICHOST:
            raise socket.gaierror("not an address")
        found = table[host]
        found = found() if callable(found) else found
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                socket.IPPROTO_TCP,
                "",
                (address, port, 0, 0) if ":" in address else (address, port),
            )
            for address in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return table


def open_sockets():
    """Return those of our sockets that are still open."""
    gc.collect()
    known = [weak_sock() for weak_sock in list(network._sockets.values())]
    return [sock for sock in known if sock is not None and sock.fileno() >= 0]


# --- names ---------------------------------------------------------------------------------


@pytest.fixture
def silent(names, monkeypatch):
    """Let names that end in .silent resolve when the test ends; count how often they were asked."""
    over, asked = threading.Event(), []
    real = socket.getaddrinfo

    def getaddrinfo(host, port, *args, **kwargs):
        if not host.endswith(".silent"):
            return real(host, port, *args, **kwargs)
        if kwargs.get("flags", 0) & socket.AI_NUMERICHOST:
            raise socket.gaierror("not an address")
        asked.append(host)
        over.wait(30)
        raise socket.gaierror("nothing known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(resolver, "_resolver", resolver._Resolver())
    yield asked
    over.set()


def test_whoever_waits_for_a_name_leaves_at_the_deadline(failed, silent):
    began = time.monotonic()
    at_deadline = failed("http://a.silent", wait_s=0.1)
    at_timeout = failed("http://a.silent", connect_timeout_s=0.1)

    assert time.monotonic() - began < 0.2 + sockets.SLACK_S
    assert at_deadline.kind == "timeout"
    assert str(at_deadline) == (
        "the attempt's time was up before there was a connection to a.silent:80"
    )
    assert at_timeout.kind == "connect"
    assert str(at_timeout) == "no connection to a.silent:80 in time"


def test_one_silent_name_holds_one_thread_and_no_other_name(opened, failed, silent, names):
    with sockets.ScriptedServer(hello) as server:
        for _ in range(20):
            failed("http://a.silent", wait_s=0.01)
        answer = opened(f"http://localhost:{server.port}")

    assert answer == b"hello"
    assert silent == ["a.silent"]


def test_names_are_resolved_in_a_bounded_number_of_threads(silent):
    for number in range(40):
        resolver.look_up(f"{number}.silent", 80)
    ours = [each for each in threading.enumerate() if each.name == "specado-resolver"]

    # Those of the tests before, whose names resolve by now, are no more than these.
    assert len(resolver._resolver._threads) == 16
    assert len(ours) <= 32


def test_a_process_that_cannot_start_a_thread(failed, silent, monkeypatch):
    def fails(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fails)
        failure = failed("http://localhost")

    assert failure.kind == "resources"
    assert str(failure) == "no thread can be started to resolve a name: can't start new thread"


def test_a_process_that_cannot_start_another_thread_waits_for_one(opened, silent, monkeypatch):
    with sockets.ScriptedServer(hello) as server:
        resolver.resolve("localhost", server.port, time.monotonic() + sockets.PATIENCE_S)
        monkeypatch.setattr(resolver, "MAX_THREADS", 1)
        answers = [opened(f"http://localhost:{server.port}") for _ in range(3)]

    assert answers == [b"hello"] * 3
    assert len(resolver._resolver._threads) == 1


def test_a_name_that_is_not_known(failed, names):
    def unknown():
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    names["gone.test"] = unknown
    failure = failed("http://gone.test")

    assert failure.kind == "connect"
    assert str(failure) == "no connection to gone.test:80: Name or service not known"


def run(script, *arguments):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout.split(), done.stderr


HANGING = """
import os, socket, threading, time
from specado.transport import resolver

real = socket.getaddrinfo
def getaddrinfo(host, port, *args, **kwargs):
    if kwargs.get("flags", 0) & socket.AI_NUMERICHOST or host == "localhost":
        return real(host, port, *args, **kwargs)
    time.sleep(600)
socket.getaddrinfo = getaddrinfo
for number in range(40):
    resolver.look_up(f"{number}.test", 80)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_threads_of_its_own():
    script = f"""{HANGING}
child = os.fork()
if child == 0:
    print(len(resolver.resolve("localhost", 80, time.monotonic() + 30)) > 0, flush=True)
    os._exit(0)
print(os.waitpid(child, 0)[1])
"""
    printed, complaint = run(script)

    assert (printed, complaint) == (["True", "0"], "")


def test_a_silent_name_does_not_hold_the_exit():
    began = time.monotonic()
    printed, complaint = run(f"{HANGING}\nprint('ends')")

    assert (printed, complaint) == (["ends"], "")
    assert time.monotonic() - began < 30


def test_no_time_is_no_connection(failed):
    with sockets.ScriptedServer(hello) as server:
        failures = [failed(server.url, wait_s=-1), failed(server.url, connect_timeout_s=-1)]

    assert [failure.kind for failure in failures] == ["timeout", "connect"]


# --- several addresses ---------------------------------------------------------------------


@contextlib.contextmanager
def blackhole(port):
    """Let connections to 127.0.0.2 hang: its listener's queue is full."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.2", port))
        full.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield


def test_a_dead_address_costs_a_quarter_of_a_second_once(opened, names):
    names["two.test"] = ["127.0.0.2", "127.0.0.1"]
    took_s = []
    with sockets.ScriptedServer(hello) as server, blackhole(server.port):
        for _ in range(3):
            began = time.monotonic()
            assert opened(f"http://two.test:{server.port}") == b"hello"
            took_s.append(time.monotonic() - began)

    assert took_s[0] >= 0.24
    assert min(took_s[1:]) < 0.24
    assert open_sockets() == []


def test_after_a_refusal_the_next_address_is_tried_at_once(opened, names):
    names["two.test"] = ["127.0.0.2", "127.0.0.3", "127.0.0.1"]
    with sockets.ScriptedServer(hello) as server:
        began = time.monotonic()
        assert opened(f"http://two.test:{server.port}") == b"hello"

    assert time.monotonic() - began < 0.5
    assert open_sockets() == []


def test_when_each_address_refuses_the_failure_says_why(failed, names):
    names["two.test"] = ["127.0.0.2", "127.0.0.3"]
    with sockets.refusing_url() as url:
        port = url.rpartition(":")[2]
        failure = failed(f"http://two.test:{port}")

    assert failure.kind == "connect"
    assert str(failure) == f"no connection to two.test:{port}: Connection refused"
    assert open_sockets() == []


def test_addresses_that_are_all_silent_take_no_longer_than_the_time(failed, names):
    names["dead.test"] = ["127.0.0.2"]
    with sockets.ScriptedServer(hello) as server, blackhole(server.port):
        began = time.monotonic()
        failure = failed(f"http://dead.test:{server.port}", wait_s=0.2)

    assert 0.2 <= time.monotonic() - began < 0.2 + sockets.SLACK_S
    assert failure.kind == "timeout"
    assert open_sockets() == []


def test_a_cancelled_task_closes_its_attempts(names):
    names["two.test"] = ["127.0.0.2", "127.0.0.2"]

    async def main():
        work = ask_async(f"http://two.test:{server.port}", t.TransportSettings(), 30, 30, b"")
        task = asyncio.ensure_future(work)
        while len(open_sockets()) < 1:
            await asyncio.sleep(0.01)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    with sockets.ScriptedServer(hello) as server, blackhole(server.port):
        asyncio.run(main())

    assert open_sockets() == []


def v4(address):
    return resolver.SocketAddress(socket.AF_INET, socket.SOCK_STREAM, 6, (address, 9))


def v6(address):
    return resolver.SocketAddress(socket.AF_INET6, socket.SOCK_STREAM, 6, (address, 9, 0, 0))


def order_of(addresses):
    """Return in which order a race tries addresses that refuse at once."""
    race = happy_eyeballs.Race(addresses, time.monotonic() + 30)
    tried = []
    for _ in addresses:
        sock = race.begin_due()
        tried.append(race.pending[sock])
        race.lose(sock, errno.ECONNREFUSED)
    with pytest.raises(ConnectionRefusedError):
        race.begin_due()
    return tried


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_families_take_turns_and_the_system_says_which_is_first():
    assert order_of([v6("::1"), v6("::2"), v6("::3"), v4("127.0.0.1")]) == [
        v6("::1"), v4("127.0.0.1"), v6("::2"), v6("::3"),
    ]  # fmt: skip
    assert order_of([v4("127.0.1.1"), v4("127.0.1.2"), v6("::4")]) == [
        v4("127.0.1.1"), v6("::4"), v4("127.0.1.2"),
    ]  # fmt: skip


def test_dead_addresses_come_last_and_their_number_is_bounded(monkeypatch):
    monkeypatch.setattr(happy_eyeballs, "MAX_DEAD_ADDRESSES", 2)
    order_of([v4("127.0.0.1"), v4("127.0.0.2"), v4("127.0.0.3")])

    assert list(happy_eyeballs._dead_until) == [v4("127.0.0.2"), v4("127.0.0.3")]
    assert order_of([v4("127.0.0.3"), v4("127.0.0.4"), v4("127.0.0.1")]) == [
        v4("127.0.0.4"), v4("127.0.0.1"), v4("127.0.0.3"),
    ]  # fmt: skip


def test_ipv6(opened):
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    with listener, serving(listener):
        assert opened(f"http://[::1]:{listener.getsockname()[1]}") == b"hello"


@contextlib.contextmanager
def serving(listener, answer=b"hello", heard=None):
    """Say *answer* to each connection of *listener*; note what it said in *heard*."""

    def work():
        with contextlib.suppress(OSError):
            while True:
                peer, _ = listener.accept()
                with peer, contextlib.suppress(ConnectionError):
                    said = peer.recv(10_000)
                    if heard is not None:
                        heard.append(said)
                    peer.sendall(answer)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(sockets.PATIENCE_S)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="needs TCP_USER_TIMEOUT")
def test_a_connection_is_prompt_and_ends_when_its_peer_is_gone():
    with sockets.ScriptedServer(sockets.never_answers) as server:
        stream = open_stream(opening(server.url, t.TransportSettings(), 5, 5))
        option = stream._sock.getsockopt

        assert option(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert option(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert option(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
        stream.close()


# --- proxies -------------------------------------------------------------------------------


def via(proxy, user=""):
    return {"proxies": (("all", f"http://{user}127.0.0.1:{proxy.port}"),)}


REFUSALS = [
    (
        b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n",
        "it refuses the user and password (status 407); a proxy's URL is http://user:password@host:port",
    ),
    (b"HTTP/1.0 502\r\n\r\n", "it answered with the status 502"),
    (b"HTTP/1.1 403 sk-secret\r\n\r\nsk-secret", "it answered with the status 403"),
    (b"nonsense sk-secret\r\n\r\n", "its answer is not valid HTTP"),
    (b"HTTP/1.1 200 OK\r\nsk-secret\r\n\r\n", "its answer is not valid HTTP"),
    (b"HTTP/1.1 200 OK\r\n\r\nsk-secret", "its answer is followed by bytes that nobody asked for"),
    (b"HTTP/1.1 200 OK\r\nX: y", "it closed the connection before its answer was whole"),
    (b"", "it closed the connection before its answer was whole"),
    (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 30_000, "its answer has no end within 65536 bytes"),
]


@pytest.mark.parametrize(("answer", "said"), REFUSALS, ids=range(len(REFUSALS)))
def test_what_a_proxy_may_say_instead(failed, answer, said):
    with sockets.ScriptedServer(sockets.answers_then_closes(answer)) as proxy:
        failure = failed("https://provider.test", **via(proxy, "u:sk-secret@"))

    assert failure.kind == "connect"
    assert str(failure) == f"no connection to the proxy 127.0.0.1:{proxy.port}: {said}"


def test_a_proxy_that_demands_credentials(failed):
    answer = b"HTTP/1.1 407 No\r\n\r\n"
    with sockets.ScriptedServer(sockets.answers_then_closes(answer)) as proxy:
        failure = failed("https://provider.test", **via(proxy))

    assert "it demands credentials (status 407)" in str(failure)


def tunnel(tls, *pieces):
    """Be a proxy that answers in pieces, and the server behind itself."""

    def script(peer):
        peer.request()
        for piece in pieces:
            peer.send(piece)
            peer.pause(0.005)
        with tls.wrap_socket(peer.sock, server_side=True) as secured:
            secured.recv(1000)
            secured.sendall(b"hello")

    return script


def test_a_proxys_answer_may_come_in_pieces_and_after_interim_ones(
    opened, certificates, server_tls
):
    answer = b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200\r\nVia: p\r\n\r\n"
    pieces = [answer[start : start + 7] for start in range(0, len(answer), 7)]
    with sockets.ScriptedServer(tunnel(server_tls, *pieces)) as proxy:
        answer = opened(
            "https://localhost:4443", **via(proxy), ca_bundle=str(certificates / "ca.pem")
        )

    assert answer == b"hello"
    assert proxy.requests == [b"CONNECT localhost:4443 HTTP/1.1\r\nhost: localhost:4443\r\n\r\n"]


def test_one_deadline_over_proxy_and_tls(failed, server_tls):
    """Each step takes less than the time, all together more."""
    slow = [b"HTTP/1.1 200 OK\r\n"] + [b"x: y\r\n"] * 1000
    with sockets.ScriptedServer(tunnel(server_tls, *slow)) as proxy:
        began = time.monotonic()
        failure = failed("https://localhost:4443", **via(proxy), wait_s=0.3)

    assert time.monotonic() - began < 0.3 + sockets.SLACK_S
    assert failure.kind == "timeout"
    assert open_sockets() == []


def socks(*answers):
    """Be a SOCKS proxy that answers in single bytes, whatever is said."""

    def script(peer):
        for answer in answers:
            peer.sock.recv(1000)
            for byte in answer:
                peer.send(bytes([byte]))
                peer.pause(0.002)
        peer.sock.recv(1000)
        peer.send(b"hello")

    return script


CONNECTED = b"\x05\x00\x00\x03\x04name\x00\x50"
SOCKS_REFUSALS = [
    ((b"\x05\xff",), "it does not take its user and password"),
    ((b"\x05\x02", b"\x01\x01"), "it refuses the user and password"),
    ((b"\x05\x02", b"\x01\x00", b"\x05\x04\x00\x01" + b"\0" * 6), "Host unreachable"),
    ((b"\x05\x02", b"\x01\x00", b"\x05\x63\x00\x01" + b"\0" * 6), "its answer is not valid SOCKS5"),
    ((b"HTTP/1.1 400 Bad\r\n\r\n",), "its answer is not valid SOCKS5"),
]


def test_a_socks_proxys_answers_may_come_in_pieces(opened):
    pytest.importorskip("socksio")
    with sockets.ScriptedServer(socks(b"\x05\x00", CONNECTED)) as proxy:
        answer = opened(
            "http://provider.test", proxies=(("http", f"socks5h://127.0.0.1:{proxy.port}"),)
        )

    assert answer == b"hello"


@pytest.mark.parametrize(("answers", "said"), SOCKS_REFUSALS, ids=range(len(SOCKS_REFUSALS)))
def test_what_a_socks_proxy_may_say_instead(failed, answers, said):
    pytest.importorskip("socksio")
    with sockets.ScriptedServer(socks(*answers)) as proxy:
        url = f"socks5://u:sk-secret@127.0.0.1:{proxy.port}"
        failure = failed("http://provider.test", proxies=(("all", url),))

    assert failure.kind == "connect"
    assert said in str(failure)
    assert "sk-secret" not in str(failure)


def test_socks_without_its_library_names_the_extra(opened, monkeypatch):
    monkeypatch.setitem(sys.modules, "socksio", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'specado\[socks\]'") as caught:
        opened("http://provider.test", proxies=(("all", "socks5://u:sk-secret@127.0.0.1:9"),))

    assert caught.value.key == "proxy"
    assert "sk-secret" not in str(caught.value)


# --- TLS -----------------------------------------------------------------------------------


def says_hello(peer):
    peer.sock.recv(1000)
    peer.send(b"hello")


@pytest.fixture
def demanding(certificates):
    """Give the TLS of a server that demands a certificate of our authority."""
    tls = server_context(certificates)
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(certificates / "ca.pem")
    return tls


@pytest.fixture
def encrypted_key(certificates, tmp_path):
    file = tmp_path / "encrypted.key"
    command = ["openssl", "ec", "-aes256", "-passout", "pass:sk-secret", "-out", str(file)]
    key = certificates / "key.pem"
    subprocess.run([*command, "-in", str(key)], check=True, capture_output=True, timeout=30)
    return str(file)


def test_a_client_certificate(opened, certificates, demanding, encrypted_key):
    both, ca = str(certificates / "server.pem"), str(certificates / "ca.pem")
    own = ssl.create_default_context(cafile=ca)
    own.load_cert_chain(both)
    with sockets.ScriptedServer(says_hello, tls=demanding) as server:
        for given in (
            {"ca_bundle": ca, "client_certificate": (both,)},
            {"ca_bundle": ca, "client_certificate": (both, str(certificates / "key.pem"))},
            {"ca_bundle": ca, "client_certificate": (both, encrypted_key, "sk-secret")},
            {"ssl_context": own},
        ):
            assert opened(server.url, **given) == b"hello"


@pytest.mark.parametrize("password", [(), ("sk-wrong",)])
def test_a_client_certificate_that_cannot_be_used(opened, certificates, encrypted_key, password):
    given = (str(certificates / "server.pem"), encrypted_key, *password)
    with pytest.raises(ConfigurationError, match=r"client_certificate: .*server\.pem") as caught:
        opened("https://127.0.0.1:9", client_certificate=given)

    assert caught.value.key == "client_certificate"
    assert "sk-" not in str(caught.value)
    assert "sk-" not in repr(t.TransportSettings(client_certificate=given))


def test_http_1_alone_is_offered(opened, certificates):
    tls = server_context(certificates)
    tls.set_alpn_protocols(["h2", "http/1.1"])

    def script(peer):
        says = peer.sock.selected_alpn_protocol()
        peer.sock.recv(1000)
        peer.send(says.encode())

    own = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    own.set_alpn_protocols(["h2", "http/1.1"])
    with sockets.ScriptedServer(script, tls=tls) as server:
        assert opened(server.url, ca_bundle=str(certificates / "ca.pem")) == b"http/1.1"
        with pytest.raises(ConfigurationError, match="offers HTTP/2") as caught:
            opened(server.url, ssl_context=own)

    assert caught.value.key == "ssl_context"


def said_of_trust(failed, url, **given):
    failure = failed(url, **given)
    assert failure.kind == "certificate"
    return str(failure).partition(" (trusted are ")[2].partition(");")[0]


def answers_in_plain_http(peer):
    peer.sock.recv(10_000)
    peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    peer.wait_until_gone()


@pytest.mark.parametrize("is_proxy", [False, True], ids=["server", "proxy"])
def test_a_server_without_tls_behind_an_https_address(failed, is_proxy):
    with sockets.ScriptedServer(answers_in_plain_http) as server:
        url, given = f"https://127.0.0.1:{server.port}", {}
        where = f"127.0.0.1:{server.port}"
        if is_proxy:
            url, given = "https://provider.localhost", {"proxies": (("all", url),)}
            where = f"the proxy {where}"
        failure = failed(url, **given)

    assert failure.kind == "connect"
    assert str(failure) == (
        f"no connection to {where}: it answered without TLS, and seems to speak plain HTTP "
        "(WRONG_VERSION_NUMBER); if it does, its URL begins with http://"
    )


def test_a_certificate_error_says_whom_we_trust(failed, certificates, server_tls, monkeypatch):
    other, empty = str(certificates / "other.pem"), str(certificates / "ca.key")
    with sockets.ScriptedServer(says_hello, tls=server_tls) as server:
        by_bundle = said_of_trust(failed, server.url, ca_bundle=other)
        by_context = said_of_trust(failed, server.url, ssl_context=ssl.create_default_context())
        trust._shared.cache_clear()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
        assert trust.tls_context(t.TransportSettings()).source == "the system's certificates"
        trust._shared.cache_clear()
        monkeypatch.setenv("SSL_CERT_FILE", empty)
        monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
        by_certifi = said_of_trust(failed, server.url)
        trust._shared.cache_clear()
        monkeypatch.setitem(sys.modules, "certifi", None)
        by_nothing = said_of_trust(failed, server.url)
        trust._shared.cache_clear()

    assert by_bundle == f"the certificates in {other!r}"
    assert by_context == "what the setting ssl_context trusts"
    assert by_certifi == "the certificates of the package certifi"
    assert by_nothing == "no certificates: the system has none, and certifi is not installed"


@pytest.fixture
def folder(certificates, tmp_path):
    """Give a folder that OpenSSL finds our authority's certificate in."""
    command = ["openssl", "x509", "-hash", "-noout", "-in", str(certificates / "ca.pem")]
    name = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout
    (tmp_path / f"{name.strip()}.0").write_text((certificates / "ca.pem").read_text())
    return tmp_path


def test_a_folder_of_certificates(opened, server_tls, folder):
    with sockets.ScriptedServer(says_hello, tls=server_tls) as server:
        assert opened(server.url, ca_bundle=str(folder)) == b"hello"


@pytest.mark.parametrize("is_complete", [True, False])
def test_the_systems_file_is_not_read_where_its_folder_has_all_of_it(
    opened, certificates, server_tls, folder, monkeypatch, is_complete
):
    file, certificate = folder / "all.pem", (certificates / "ca.pem").read_text()
    file.write_text(certificate if is_complete else certificate * 2)
    paths = ssl.get_default_verify_paths()._replace(openssl_cafile=str(file), capath=str(folder))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    trust._shared.cache_clear()
    with sockets.ScriptedServer(says_hello, tls=server_tls) as server:
        if is_complete:
            assert opened(server.url) == b"hello"
            assert trust.tls_context(t.TransportSettings()).source == "the system's certificates"
        else:
            with pytest.raises(t.TransportFailure, match="does not verify"):
                opened(server.url)
    trust._shared.cache_clear()


def test_a_system_whose_certificates_cannot_be_read(opened, monkeypatch):
    def fails(**_):
        raise ssl.SSLError("broken")

    monkeypatch.setattr(ssl, "create_default_context", fails)
    trust._shared.cache_clear()
    with pytest.raises(ConfigurationError, match="ca_bundle: this system has no usable trusted"):
        opened("https://127.0.0.1:9")


def test_contexts_are_shared_between_settings_that_trust_the_same(certificates):
    ca = str(certificates / "ca.pem")
    one = trust.tls_context(t.TransportSettings(ca_bundle=ca, max_connections=1))
    two = trust.tls_context(t.TransportSettings(ca_bundle=ca, max_connections=2))

    assert one.context is two.context


# --- Unix sockets --------------------------------------------------------------------------


@pytest.fixture
def unix_path(tmp_path):
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("needs Unix sockets")
    return str(tmp_path / "Llm.sock")


def unix_url(path):
    return f"http+unix://{path.replace('/', '%2F')}/v1/chat"


def test_a_server_on_a_unix_socket(opened, unix_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(unix_path)
        listener.listen(5)
        with serving(listener):
            # No proxy is asked: it could not reach the socket.
            assert opened(unix_url(unix_path), proxies=(("all", "http://127.0.0.1:9"),)) == b"hello"


def test_the_address_of_a_unix_socket(unix_path):
    address = address_of(f"{unix_url(unix_path)}?x=1")

    assert address.host == unix_path
    assert (address.authority, address.target) == ("localhost", b"/v1/chat?x=1")
    with pytest.raises(ConfigurationError, match="at most 107 bytes"):
        address_of(unix_url("/" + "x" * 108))


def test_a_unix_socket_that_is_not_there(failed, unix_path):
    failure = failed(unix_url(unix_path))

    assert failure.kind == "connect"
    assert str(failure) == f"no connection to {unix_path}: No such file or directory"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse at once")
def test_a_unix_socket_whose_queue_is_full(opened, failed, unix_path):
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as waiting:
        listener.bind(unix_path)
        listener.listen(0)
        waiting.connect(unix_path)
        began = time.monotonic()
        failure = failed(unix_url(unix_path), wait_s=0.1)
        took_s = time.monotonic() - began
        with serving(listener):
            waiting.close()
            assert opened(unix_url(unix_path)) == b"hello"

    assert failure.kind == "timeout"
    assert took_s < 0.1 + sockets.SLACK_S
    assert open_sockets() == []


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_call_to_a_server_on_a_unix_socket(kind, unix_path):
    wire = t.WireRequest("POST", unix_url(unix_path), (("x-api-key", "k"),), b"{}")
    settings, heard = t.TransportSettings(), []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(unix_path)
        listener.listen(5)
        with serving(listener, sockets.reply(b"[]"), heard):
            if kind == "sync":
                reply = t.shared_transport(settings).send(wire, 5, t.Limits())
            else:
                reply = asyncio.run(t.shared_async_transport(settings).send(wire, 5, t.Limits()))

    assert reply.body == b"[]"
    assert heard[0].startswith(b"POST /v1/chat HTTP/1.1\r\nhost: localhost\r\n")


# --- interrupts ----------------------------------------------------------------------------


class Interrupt(BaseException):
    pass


# One that comes while another test's objects are collected is told and dropped.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers that send signals")
def test_an_exception_out_of_a_signal_handler_loses_no_socket_and_no_later_call(
    certificates, server_tls
):
    def interrupt(*_):
        if is_asking:
            interrupts.append(is_asking.pop())
            raise Interrupt

    interrupts, is_asking = [], []
    ours = signal.signal(signal.SIGALRM, interrupt)
    chance = random.Random(5)
    try:
        with sockets.ScriptedServer(says_hello, tls=server_tls) as server:
            settings = t.TransportSettings(ca_bundle=str(certificates / "ca.pem"))
            url = f"https://localhost:{server.port}"
            assert ask(url, settings, 5, 5, b"GET") == b"hello"
            for _ in range(300):
                with contextlib.suppress(Interrupt):
                    signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-5, 3e-3))
                    is_asking.append(True)
                    ask(url, settings, 5, 5, b"GET")
                    is_asking.clear()
            left = open_sockets()
            again = ask(url, settings, 5, 5, b"GET")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, ours)

    assert len(interrupts) > 50
    assert left == []
    assert again == b"hello"
