"""A caller's own HTTP client: used through its `send`, its errors mapped by class."""

from __future__ import annotations

import asyncio
import errno
import gzip
import inspect
import ssl
import threading
import traceback

import httpx
import pytest

import sockets
from specado import transport as t
from specado.errors import ConfigurationError
from specado.transport.httpx_client import failure_from

LIMITS = t.Limits()


def send_sync(handler, request, limits=LIMITS, timeout_s=5.0, **options):
    with httpx.Client(transport=handler, **options) as client:
        return t.client_transport(client).send(request, timeout_s, limits)


def send_async(handler, request, limits=LIMITS, timeout_s=5.0, **options):
    async def main():
        async with httpx.AsyncClient(transport=handler, **options) as client:
            return await t.async_client_transport(client).send(request, timeout_s, limits)

    return asyncio.run(main())


both = pytest.mark.parametrize("send", [send_sync, send_async], ids=["sync", "async"])


def post(url="http://localhost/v1", body=b"{}"):
    return t.WireRequest("POST", url, (("x-api-key", "sk-secret"),), body)


@both
def test_a_real_exchange(send):
    with sockets.ScriptedServer(sockets.echoes) as server:
        reply = send(None, post(f"{server.url}/v1/messages", b"hello"), headers={"x-team": "a"})

    assert (reply.status, reply.body) == (200, b"hello")
    head = server.requests[0].lower()
    assert head.startswith(b"post /v1/messages http/1.1\r\n")
    assert b"\r\nx-api-key: sk-secret\r\n" in head
    assert b"\r\naccept-encoding: gzip, deflate" in head
    assert b"\r\nx-team: a\r\n" in head


def test_a_client_of_httpx2():
    httpx2 = pytest.importorskip("httpx2")

    async def main():
        async with httpx2.AsyncClient() as client:
            transport = t.async_client_transport(client)
            return [await transport.send(post(url), 5.0, LIMITS) for url in urls]

    with sockets.ScriptedServer(sockets.echoes) as server, httpx2.Client() as client:
        urls = [server.url, f"{server.url}/again"]
        by_thread = [t.client_transport(client).send(post(url), 5.0, LIMITS) for url in urls]
        by_task = asyncio.run(main())
        with sockets.refusing_url() as nobody, pytest.raises(t.TransportFailure) as caught:
            t.client_transport(client).send(post(nobody), 5.0, LIMITS)

    assert [reply.body for reply in by_thread + by_task] == [b"{}"] * 4
    assert server.connections == 2
    assert (caught.value.kind, caught.value.sent) == ("connect", False)


@both
def test_a_mock_transport_and_a_redirect(send):
    seen = []

    def handler(request):
        seen.append(request.url.path)
        return httpx.Response(307, json={"a": 1}, headers={"location": "/other"})

    reply = send(httpx.MockTransport(handler), post(), follow_redirects=True)

    assert (reply.status, reply.body) == (307, b'{"a":1}')
    assert seen == ["/v1"]


@both
def test_an_encoded_body_and_the_limits(send):
    data = sockets.reply(gzip.compress(b"x" * 5000), headers="Content-Encoding: gzip\r\n")
    error = sockets.reply(gzip.compress(b"x" * 5000), 500, "Content-Encoding: gzip\r\n")
    with sockets.ScriptedServer(sockets.answers(data), sockets.answers(error)) as server:
        with pytest.raises(t.TransportFailure) as caught:
            send(None, post(server.url), t.Limits(max_reply_bytes=4999))
        cut = send(None, post(server.url), t.Limits(max_error_bytes=100))
    with sockets.ScriptedServer(sockets.answers(data)) as server:
        whole = send(None, post(server.url), t.Limits(max_reply_bytes=5000))

    assert (caught.value.kind, caught.value.sent) == ("too_large", True)
    assert (cut.status, cut.body) == (500, b"x" * 100)
    assert whole.body == b"x" * 5000


@both
def test_a_mocked_body_above_the_limit(send):
    handler = httpx.MockTransport(lambda request: httpx.Response(200, content=b"x" * 101))

    with pytest.raises(t.TransportFailure) as caught:
        send(handler, post(), t.Limits(max_reply_bytes=100))

    assert caught.value.kind == "too_large"


@both
@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (sockets.answers_then_closes(b""), "reset"),
        (sockets.answers_then_closes(b"", reset=True), "reset"),
        (sockets.answers_then_closes(sockets.reply(b"whole")[:-2]), "truncated"),
        (sockets.answers_then_closes(b"SSH-2.0-x\r\n\r\n"), "protocol"),
    ],
)
def test_failures_over_a_socket(send, script, kind):
    with sockets.ScriptedServer(script) as server, pytest.raises(t.TransportFailure) as caught:
        send(None, post(server.url))

    assert (caught.value.kind, caught.value.sent) == (kind, True)


@both
def test_nobody_listens(send):
    with sockets.refusing_url() as url, pytest.raises(t.TransportFailure) as caught:
        send(None, post(url))

    assert (caught.value.kind, caught.value.sent) == ("connect", False)


@both
def test_a_server_without_tls_behind_an_https_address(send):
    def script(peer):
        peer.sock.recv(10_000)
        peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        peer.wait_until_gone()

    with sockets.ScriptedServer(script) as server, pytest.raises(t.TransportFailure) as caught:
        send(None, post(f"https://127.0.0.1:{server.port}/v1"))

    assert (caught.value.kind, caught.value.sent) == ("connect", False)
    assert str(caught.value) == (
        "the HTTP client failed with ConnectError: "
        f"https://127.0.0.1:{server.port}/v1: it answered without TLS, and seems to speak plain "
        "HTTP (WRONG_VERSION_NUMBER); if it does, its URL begins with http://"
    )


@both
def test_a_unix_socket_needs_a_client_that_is_made_for_it(send):
    with pytest.raises(ConfigurationError) as caught:
        send(None, post("http+unix://%2Frun%2Fllm.sock/v1"))

    argument = "http_client" if send is send_sync else "async_http_client"
    assert caught.value.key == argument
    assert f"{argument}: it does not know http+unix://; leave it out" in str(caught.value)


def test_a_dripping_body_ends_at_the_deadline():
    drip = sockets.drips(sockets.reply(b"x" * 500), 0.005)
    with sockets.ScriptedServer(drip) as server, pytest.raises(t.TransportFailure) as caught:
        send_sync(None, post(server.url), timeout_s=0.4)

    assert (caught.value.kind, caught.value.sent) == ("timeout", True)


@both
@pytest.mark.parametrize("status", [401, 429, 500])
@pytest.mark.parametrize(
    ("headers", "data", "body"),
    [
        ("Content-Length: 100", b"what came", b"what came"),
        ("Content-Encoding: compress", b"\x0b\x02\x80text\x03", b""),
        ("Content-Encoding: gzip", b"not gzip at all", b""),
        ("Transfer-Encoding: chunked", b"9\r\nwhat came\r\nzz\r\n", b"what came"),
    ],
    ids=["cut", "unknown", "broken", "chunks"],
)
def test_a_broken_body_does_not_hide_an_error_status(send, status, headers, data, body):
    head = f"HTTP/1.1 {status} No\r\nRetry-After: 30\r\n{headers}\r\n\r\n".encode()
    with sockets.ScriptedServer(sockets.answers_then_closes(head + data)) as server:
        reply = send(None, post(server.url))

    assert (reply.status, reply.headers["retry-after"], reply.body) == (status, "30", body)


@both
@pytest.mark.parametrize("every_s", [0.01, 10.0], ids=["dripping", "silent"])
def test_an_error_body_past_the_deadline_is_what_came_until_then(send, every_s):
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 429 No\r\nContent-Length: 5000\r\n\r\n")
        while not peer.server.gone.wait(every_s):
            peer.send(b"x")

    with sockets.ScriptedServer(script) as server:
        server.gone = threading.Event()
        reply = send(None, post(server.url), timeout_s=0.3)
        server.gone.set()

    assert reply.status == 429
    assert reply.body.strip(b"x") == b""


def every_httpx_error():
    classes = [cls for _, cls in inspect.getmembers(httpx, inspect.isclass)]
    return sorted(
        (cls for cls in classes if issubclass(cls, Exception)), key=lambda cls: cls.__name__
    )


EXPECTED = {
    "CloseError": ("reset", "truncated", True),
    "ConnectError": ("connect", "truncated", False),
    "ConnectTimeout": ("connect", "timeout", False),
    "CookieConflict": ("protocol", "protocol", True),
    "DecodingError": ("protocol", "protocol", True),
    "HTTPError": ("protocol", "protocol", True),
    "HTTPStatusError": ("protocol", "protocol", True),
    "InvalidURL": ("connect", "protocol", False),
    "LocalProtocolError": ("protocol", "protocol", False),
    "NetworkError": ("reset", "truncated", True),
    "PoolTimeout": ("timeout", "timeout", False),
    "ProtocolError": ("protocol", "protocol", True),
    "ProxyError": ("connect", "truncated", False),
    "ReadError": ("reset", "truncated", True),
    "ReadTimeout": ("timeout", "timeout", True),
    "RemoteProtocolError": ("protocol", "protocol", True),
    "RequestError": ("protocol", "protocol", True),
    "RequestNotRead": ("protocol", "protocol", True),
    "ResponseNotRead": ("protocol", "protocol", True),
    "StreamClosed": ("protocol", "protocol", True),
    "StreamConsumed": ("protocol", "protocol", True),
    "StreamError": ("protocol", "protocol", True),
    "TimeoutException": ("timeout", "timeout", True),
    "TooManyRedirects": ("protocol", "protocol", True),
    "TransportError": ("protocol", "protocol", True),
    "UnsupportedProtocol": ("connect", "protocol", False),
    "WriteError": ("reset", "truncated", True),
    "WriteTimeout": ("timeout", "timeout", True),
}


@pytest.mark.parametrize("cls", every_httpx_error(), ids=lambda cls: cls.__name__)
def test_each_httpx_error_is_mapped(cls):
    error = cls.__new__(cls)
    Exception.__init__(error, "x sk-secret")

    early = failure_from(error, has_reply=False)
    late = failure_from(error, has_reply=True)

    assert (early.kind, late.kind, early.sent) == EXPECTED[cls.__name__]
    assert late.sent
    assert "sk-secret" not in str(early)


def test_an_error_of_tls_that_httpx_does_not_map_is_a_broken_connection():
    error = ssl.SSLError(1, "[SSL: BAD_RECORD_MAC] bad record mac")

    early = failure_from(error, has_reply=False)
    late = failure_from(error, has_reply=True)

    assert (early.kind, early.sent) == ("reset", True)
    assert (late.kind, late.sent) == ("truncated", True)


def test_causes_of_every_shape_are_looked_through():
    class Odd(Exception):
        exceptions = 7
        __hash__ = None

    class Group(Exception):
        exceptions = (OSError(errno.ECONNREFUSED, "no"), OSError(errno.EMFILE, "none left"))

    error = httpx.ConnectError("x")
    error.__cause__ = Odd()
    error.__cause__.__context__ = Group()
    error.__cause__.__context__.__context__ = error
    failure = failure_from(error, has_reply=False)

    assert (failure.kind, failure.sent) == ("resources", False)
    assert failure_from(error, has_reply=True).kind == "truncated"


def test_every_httpx_error_is_known():
    assert {cls.__name__ for cls in every_httpx_error()} == set(EXPECTED)


@both
def test_no_failure_shows_the_key(send):
    def handler(request):
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(t.TransportFailure) as caught:
        send(httpx.MockTransport(handler), post())

    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [frame for frame in shown.stack if "specado" in frame.filename]
    assert "sk-secret" not in "".join(str(frame.locals) for frame in ours)


@pytest.mark.parametrize(("reads", "body"), [(True, b"no"), (False, b"")])
def test_a_hook_that_raises_for_the_status_hides_no_reply(reads, body):
    def raise_for_status(response):
        if reads:
            response.read()
        response.raise_for_status()

    hooks = {"response": [raise_for_status]}
    with sockets.ScriptedServer(sockets.answers(sockets.reply(b"no", 401))) as server:
        reply = send_sync(None, post(server.url), event_hooks=hooks)

    assert (reply.status, reply.body) == (401, body)


@both
def test_what_is_no_error_of_httpx_is_left_alone(send):
    def handler(request):
        raise LookupError("a mistake in the caller's own hook")

    with pytest.raises(LookupError):
        send(httpx.MockTransport(handler), post())


def test_a_client_of_the_wrong_kind():
    class NoSend:
        pass

    with httpx.Client() as client:
        with pytest.raises(ConfigurationError, match="async_http_client") as caught:
            t.async_client_transport(client)
        assert caught.value.key == "async_http_client"
    for wrong in (httpx.AsyncClient(), NoSend(), None, httpx.Client):
        with pytest.raises(ConfigurationError, match="http_client"):
            t.client_transport(wrong)


def test_a_closed_client():
    client = httpx.Client()
    client.close()

    with pytest.raises(ConfigurationError, match="http_client: it was closed"):
        t.client_transport(client).send(post(), 5.0, LIMITS)


def test_what_has_only_send_is_given_an_httpx_request():
    class OnlySend:
        def send(self, request, *, stream, follow_redirects):
            self.request = request
            return httpx.Response(200, content=b"ok")

    client = OnlySend()
    reply = t.client_transport(client).send(post(body=b"text"), 5.0, LIMITS)

    assert (reply.status, reply.body) == (200, b"ok")
    assert (client.request.method, client.request.content) == ("POST", b"text")
    assert 4.5 < client.request.extensions["timeout"]["read"] <= 5.0
