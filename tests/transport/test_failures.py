"""What a failed exchange tells of its connection, and exchanges on a new one."""

from __future__ import annotations

import asyncio
import copy
import pickle
import time

import httpx
import pytest

import sockets
from specado import (
    ConnectionFailedError,
    DeadlineExceededError,
    MalformedResponseError,
)
from specado import transport as t
from specado.dialects.errors import ReplySource, error_from_failure
from specado.dialects.registry import DIALECTS
from specado.transport import network

OPENAI = ReplySource("openai", "gpt-4o", DIALECTS["openai_chat"])
LIMITS = t.Limits()
# More than the sockets of both ends take while nobody reads.
HUGE = b"x" * 30_000_000


class Threads:
    """Exchanges through `shared_transport`, one after another."""

    def run(self, server, *bodies, settings=None, **options):
        transport = t.shared_transport(settings or t.TransportSettings())
        return [self._one(transport, post(server, body), options) for body in bodies]

    def _one(self, transport, request, options):
        try:
            return transport.send(request, 10.0, LIMITS, **options)
        except t.TransportFailure as failure:
            return failure

    def run_then_fresh(self, server, bodies, **options):
        return self.run(server, *bodies, **options) + self.run(
            server, b"fresh", is_fresh=True, **options
        )


class Tasks:
    """The same through `shared_async_transport`, on one loop."""

    def run(self, server, *bodies, **options):
        return asyncio.run(self._run(server, bodies, **options))

    def run_then_fresh(self, server, bodies, **options):
        async def main():
            first = await self._run(server, bodies, **options)
            return first + await self._run(server, [b"fresh"], is_fresh=True, **options)

        return asyncio.run(main())

    async def _run(self, server, bodies, settings=None, **options):
        transport = t.shared_async_transport(settings or t.TransportSettings())
        return [await self._one(transport, post(server, body), options) for body in bodies]

    async def _one(self, transport, request, options):
        try:
            return await transport.send(request, 10.0, LIMITS, **options)
        except t.TransportFailure as failure:
            return failure


@pytest.fixture(params=[Threads, Tasks], ids=["sync", "async"])
def caller(request):
    return request.param()


def post(server, body):
    return t.WireRequest("POST", server.url, (("x-api-key", "sk-secret"),), body)


def answers_once_then(end):
    """Answer one request, and do *end* in place of an answer to the next one."""

    def script(peer):
        peer.request()
        peer.send(sockets.reply(b"one"))
        end(peer)

    return script


def closes_at_the_request(peer):
    peer.request()


def resets_at_the_request(peer):
    peer.request()
    peer.reset()


def resets_in_the_request(peer):
    peer.take(100_000)
    peer.reset()


@pytest.fixture
def each_read_takes_s(monkeypatch):
    """Return what lets each read of a socket take so many seconds, by a clock moved by hand."""
    ahead_s = [0.0]
    now = time.monotonic

    def takes_s(seconds):
        for stream in (network.SocketStream, network.AsyncSocketStream):
            monkeypatch.setattr(stream, "read", later(stream.read, seconds))

    def later(read, seconds):
        def read_later(*arguments):
            ahead_s[0] += seconds
            return read(*arguments)

        return read_later

    monkeypatch.setattr(time, "monotonic", lambda: now() + ahead_s[0])
    return takes_s


@pytest.mark.parametrize("end", [closes_at_the_request, resets_at_the_request])
@pytest.mark.parametrize("body", [b"{}", b"x" * 300_000], ids=["small", "large"])
def test_an_idle_connection_that_ends_when_it_is_used_again(caller, end, body):
    with sockets.ScriptedServer(answers_once_then(end)) as server:
        first, failure = caller.run(server, b"{}", body)

    assert first.body == b"one"
    assert (failure.kind, failure.sent) == ("reset", True)
    assert (failure.is_reused, failure.is_written) == (True, True)
    assert 0 <= failure.since_written_s < sockets.SLACK_S
    assert server.connections == 1


def test_an_idle_connection_that_ends_in_the_middle_of_the_request(caller):
    with sockets.ScriptedServer(answers_once_then(resets_in_the_request)) as server:
        _, failure = caller.run(server, b"{}", HUGE)

    assert (failure.kind, failure.sent) == ("reset", True)
    assert (failure.is_reused, failure.is_written) == (True, False)
    assert failure.since_written_s is None


def test_the_time_since_the_last_byte_was_written_is_told(caller, each_read_takes_s):
    each_read_takes_s(3.5)
    with sockets.ScriptedServer(answers_once_then(closes_at_the_request)) as server:
        _, failure = caller.run(server, b"{}", b"{}")

    assert (failure.kind, failure.is_reused, failure.is_written) == ("reset", True, True)
    assert 3.5 <= failure.since_written_s < 3.5 + sockets.SLACK_S


@pytest.mark.parametrize(
    ("end", "body", "is_written"),
    [
        (closes_at_the_request, b"{}", True),
        (resets_at_the_request, b"{}", True),
        (resets_in_the_request, HUGE, False),
    ],
)
def test_a_new_connection_that_ends_is_none_that_was_used_before(caller, end, body, is_written):
    with sockets.ScriptedServer(end) as server:
        (failure,) = caller.run(server, body)

    assert failure.kind == "reset"
    assert (failure.is_reused, failure.is_written) == (False, is_written)
    assert (failure.since_written_s is not None) == is_written


def answers_not_http(peer):
    peer.request()
    peer.send(b"SSH-2.0-x\r\n\r\n")
    peer.wait_until_gone()


def answers_half(peer):
    peer.request()
    peer.send(sockets.reply(b"whole")[:-2])


@pytest.mark.parametrize(
    ("end", "kind"), [(answers_not_http, "protocol"), (answers_half, "truncated")]
)
def test_other_failures_of_a_used_connection_tell_the_same(caller, end, kind):
    with sockets.ScriptedServer(answers_once_then(end)) as server:
        _, failure = caller.run(server, b"{}", b"{}")

    assert (failure.kind, failure.is_reused, failure.is_written) == (kind, True, True)
    assert 0 <= failure.since_written_s < sockets.SLACK_S


def test_a_used_connection_that_falls_silent(caller, each_read_takes_s):
    def end(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        peer.wait_until_gone()

    each_read_takes_s(6.0)
    with sockets.ScriptedServer(answers_once_then(end)) as server:
        _, failure = caller.run(server, b"{}", b"{}")

    assert (failure.kind, failure.is_reused, failure.is_written) == ("timeout", True, True)
    assert 10.0 <= failure.since_written_s < 12.0 + sockets.SLACK_S


def test_without_a_connection_nothing_was_written(caller):
    with sockets.refusing_url() as url:
        server = type("Nobody", (), {"url": url})
        (failure,) = caller.run(server, b"{}")

    assert (failure.kind, failure.sent) == ("connect", False)
    assert (failure.is_reused, failure.is_written, failure.since_written_s) == (False, False, None)


def test_a_fresh_exchange_leaves_idle_connections_alone(caller):
    with sockets.ScriptedServer(sockets.echoes) as server:
        outcomes = caller.run_then_fresh(server, [b"1", b"2"])

    assert [outcome.body for outcome in outcomes] == [b"1", b"2", b"fresh"]
    assert server.connections == 2


def test_a_fresh_exchange_has_room_where_one_connection_is_allowed(caller):
    with sockets.ScriptedServer(sockets.echoes) as server:
        settings = t.TransportSettings(max_connections=1)
        outcomes = caller.run_then_fresh(server, [b"1"], settings=settings)

    assert [outcome.body for outcome in outcomes] == [b"1", b"fresh"]
    assert server.connections == 2


def test_a_fresh_exchange_through_a_proxy(caller):
    with sockets.ScriptedServer(sockets.echoes) as proxy:
        server = type("Elsewhere", (), {"url": "http://api.localhost/v1"})
        settings = t.TransportSettings(proxies=(("http", proxy.url),))
        outcomes = caller.run_then_fresh(server, [b"1", b"2"], settings=settings)

    assert [outcome.body for outcome in outcomes] == [b"1", b"2", b"fresh"]
    assert proxy.connections == 2


def test_the_failure_of_a_fresh_exchange_is_one_of_a_new_connection(caller):
    with sockets.ScriptedServer(sockets.echoes, closes_at_the_request) as server:
        *_, failure = caller.run_then_fresh(server, [b"1"])

    assert (failure.kind, failure.is_reused, failure.is_written) == ("reset", False, True)


def test_a_client_of_the_callers_own_does_not_tell():
    script = answers_once_then(closes_at_the_request)
    with sockets.ScriptedServer(script) as server, httpx.Client() as client:
        transport = t.client_transport(client)
        transport.send(post(server, b"{}"), 5.0, LIMITS)
        with pytest.raises(t.TransportFailure) as caught:
            transport.send(post(server, b"{}"), 5.0, LIMITS, is_fresh=True)
    failure = caught.value

    assert failure.kind == "reset"
    assert (failure.is_reused, failure.is_written, failure.since_written_s) == (False, False, None)


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy]
    + [
        lambda failure, protocol=protocol: pickle.loads(pickle.dumps(failure, protocol))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ],
)
def test_a_copy_of_a_failure_tells_the_same(copied):
    failure = t.TransportFailure(
        "reset", "closed", sent=False, is_reused=True, is_written=True, since_written_s=0.25
    )

    found = copied(failure)

    assert type(found) is t.TransportFailure
    assert str(found) == "closed"
    assert vars(found) == {
        "kind": "reset",
        "sent": False,
        "is_reused": True,
        "is_written": True,
        "since_written_s": 0.25,
    }


def error_of(kind, **facts):
    failure = t.TransportFailure(kind, "what happened", **{"sent": True, **facts})
    return error_from_failure(OPENAI, failure)


@pytest.mark.parametrize("kind", ["certificate", "resources"])
def test_what_no_retry_cures_is_not_retryable(kind):
    error = error_of(kind, sent=False)

    assert type(error) is ConnectionFailedError
    assert (error.code, error.retryable, error.sent) == (kind, False, False)
    assert error.message == "openai/gpt-4o: what happened"
    assert pickle.loads(pickle.dumps(error)).retryable is False


@pytest.mark.parametrize(
    ("kind", "cls"),
    [
        ("connect", ConnectionFailedError),
        ("reset", ConnectionFailedError),
        ("timeout", DeadlineExceededError),
        ("truncated", MalformedResponseError),
        ("protocol", MalformedResponseError),
        ("too_large", MalformedResponseError),
    ],
)
def test_every_other_failure_may_pass(kind, cls):
    error = error_of(kind)

    assert type(error) is cls
    assert (error.code, error.retryable, error.sent) == (kind, True, True)


@pytest.mark.parametrize(
    ("facts", "is_reused", "is_stale"),
    [
        ({}, False, False),
        ({"is_written": True, "since_written_s": 0.0}, False, False),
        ({"is_reused": True}, True, True),
        ({"is_reused": True, "is_written": True, "since_written_s": 0.0}, True, True),
        ({"is_reused": True, "is_written": True, "since_written_s": 1.0}, True, True),
        ({"is_reused": True, "is_written": True, "since_written_s": 1.001}, True, False),
        ({"is_reused": True, "is_written": True, "since_written_s": 60.0}, True, False),
    ],
)
def test_a_reset_says_whether_its_connection_was_stale(facts, is_reused, is_stale):
    error = error_of("reset", **facts)

    assert (error.is_reused_connection, error.is_stale_connection) == (is_reused, is_stale)
    copied = pickle.loads(pickle.dumps(error))
    assert (copied.is_reused_connection, copied.is_stale_connection) == (is_reused, is_stale)


@pytest.mark.parametrize("kind", ["connect", "certificate", "resources"])
def test_only_a_reset_has_a_stale_connection(kind):
    error = error_of(kind, is_reused=True, is_written=True, since_written_s=0.0)

    assert (error.is_reused_connection, error.is_stale_connection) == (False, False)


@pytest.mark.parametrize(
    ("seconds", "is_stale"), [(0.0, True), (3.5, False)], ids=["at once", "late"]
)
def test_an_idle_connection_that_ends_is_stale_if_it_ends_at_once(
    caller, each_read_takes_s, seconds, is_stale
):
    each_read_takes_s(seconds)
    with sockets.ScriptedServer(answers_once_then(closes_at_the_request)) as server:
        _, failure = caller.run(server, b"{}", b"{}")
    error = error_from_failure(OPENAI, failure)

    assert (error.is_reused_connection, error.is_stale_connection) == (True, is_stale)
