"""What this machine lacks: no file descriptor, port or memory left for a connection."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import subprocess
import sys

import httpx
import pytest

import sockets
from specado import transport as t
from specado.transport import happy_eyeballs, network, trust

LIMITS = t.Limits()


def failure_of(send):
    with pytest.raises(t.TransportFailure) as caught:
        send()
    return caught.value


@pytest.fixture(params=["sync", "async"])
def fail(request):
    """Return what sends a request that fails, and gives its `TransportFailure`."""

    def fail_sync(url, **settings):
        transport = t.shared_transport(t.TransportSettings(**settings))
        return failure_of(lambda: transport.send(get(url), 5, LIMITS))

    def fail_async(url, **settings):
        async def main():
            transport = t.shared_async_transport(t.TransportSettings(**settings))
            return await transport.send(get(url), 5, LIMITS)

        return failure_of(lambda: asyncio.run(main()))

    return fail_sync if request.param == "sync" else fail_async


def get(url):
    return t.WireRequest("GET", url, (), b"")


@pytest.fixture
def sockets_fail(monkeypatch):
    """Return what lets every new socket (or its `connect`) of a transport fail with a number."""

    def fail_with(number, step="__init__"):
        def fails(*_):
            raise OSError(number, os.strerror(number))

        steps = {step: fails, "connect_ex": lambda *_: number}
        failing = type("FailingSocket", (network.QuietSocket,), steps)
        monkeypatch.setattr(happy_eyeballs, "QuietSocket", failing)

    return fail_with


WORDS = {
    errno.EMFILE: "this process has no file descriptor left (EMFILE); close what it does not use, "
    "send fewer requests at once, or raise its limit (ulimit -n)",
    errno.ENFILE: "this system has no file descriptor left (ENFILE); close what it does not use, "
    "or raise its limit",
    errno.ENOBUFS: "this system has no memory for another socket (ENOBUFS)",
    errno.ENOMEM: "this system has no memory for another connection (ENOMEM)",
    errno.EADDRNOTAVAIL: "this machine has no free local port left (EADDRNOTAVAIL); send fewer "
    "requests at once, or let connections be reused",
}


@pytest.mark.parametrize("step", ["__init__", "connect"])
@pytest.mark.parametrize("number", WORDS, ids=errno.errorcode.get)
def test_what_is_lacking_is_told(fail, sockets_fail, number, step):
    sockets_fail(number, step)
    failure = fail("http://127.0.0.1:9")

    assert (failure.kind, failure.sent, failure.is_written) == ("resources", False, False)
    assert str(failure) == f"no connection to 127.0.0.1:9: {WORDS[number]}"


@pytest.mark.parametrize(
    "number", [errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES]
)
def test_other_failures_to_connect_lack_nothing(fail, sockets_fail, number):
    sockets_fail(number, "connect")
    failure = fail("http://127.0.0.1:9")

    assert (failure.kind, failure.sent) == ("connect", False)


def test_a_proxy_that_cannot_be_reached_for_lack_of_descriptors(fail, sockets_fail):
    sockets_fail(errno.EMFILE)
    failure = fail("http://provider.localhost", proxies=(("http", "http://127.0.0.1:9"),))

    assert (failure.kind, failure.sent) == ("resources", False)
    assert str(failure).startswith("no connection to the proxy 127.0.0.1:9: this process has no ")


def test_a_machine_without_an_address_of_that_family_lacks_no_port(fail, sockets_fail, monkeypatch):
    class NoWay(socket.socket):
        def connect(self, address):
            raise OSError(errno.EADDRNOTAVAIL, "no")

    sockets_fail(errno.EADDRNOTAVAIL, "connect")
    monkeypatch.setattr(socket, "socket", NoWay)
    failure = fail("http://[::1]:9")

    assert (failure.kind, failure.sent) == ("connect", False)
    assert str(failure) == "no connection to [::1]:9: Network is unreachable"


@pytest.mark.parametrize("ca_bundle", [None, "bundle.pem"])
def test_certificates_that_cannot_be_read_for_lack_of_descriptors(fail, monkeypatch, ca_bundle):
    def fails(**_):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(trust, "_shared", trust._shared.__wrapped__)
    monkeypatch.setattr(trust.ssl, "create_default_context", fails)
    failure = fail("https://127.0.0.1:9", ca_bundle=ca_bundle)

    assert (failure.kind, failure.sent) == ("resources", False)
    assert str(failure).startswith("the trusted certificates cannot be read: this process has no ")


EXHAUSTED = """
import asyncio, os, resource, sys
from specado import transport as t

limits, settings = t.Limits(), t.TransportSettings()
urls = ["http://127.0.0.1:9", "http://provider.invalid"]

def told(failure):
    print(failure.kind, failure.sent, "(EMFILE)" in str(failure))

def sync(url):
    try:
        t.shared_transport(settings).send(t.WireRequest("GET", url, (), b""), 5, limits)
    except t.TransportFailure as failure:
        return failure

async def by_task(url):
    try:
        request = t.WireRequest("GET", url, (), b"")
        await t.shared_async_transport(settings).send(request, 5, limits)
    except t.TransportFailure as failure:
        return failure

async def main():
    await by_task(urls[0])
    sync(urls[0])
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    held = []
    try:
        while True:
            held.append(os.dup(0))
    except OSError:
        pass
    for url in urls:
        told(sync(url))
        told(await by_task(url))
    for descriptor in held:
        os.close(descriptor)

asyncio.run(main())
"""


def test_a_process_without_descriptors_says_so_for_addresses_and_names():
    pytest.importorskip("resource")
    command = [sys.executable, "-c", EXHAUSTED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n") == ["resources False True"] * 4 + [""]


@pytest.fixture
def no_descriptors(monkeypatch):
    """Let no further socket be opened in this process."""

    class NoMore(socket.socket):
        def __init__(self, *args, fileno=None, **kwargs):
            if fileno is None:
                raise OSError(errno.EMFILE, "Too many open files")
            super().__init__(*args, fileno=fileno, **kwargs)

    return lambda: monkeypatch.setattr(socket, "socket", NoMore)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://localhost:9"])
def test_a_client_of_the_callers_own_without_descriptors(no_descriptors, url):
    with httpx.Client() as client:
        no_descriptors()
        failure = failure_of(lambda: t.client_transport(client).send(get(url), 5, LIMITS))

    assert (failure.kind, failure.sent) == ("resources", False)
    assert str(failure) == f"the HTTP client failed with ConnectError: {WORDS[errno.EMFILE]}"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://localhost:9"])
def test_an_asynchronous_client_of_the_callers_own_without_descriptors(no_descriptors, url):
    async def main():
        async with httpx.AsyncClient() as client:
            no_descriptors()
            return await t.async_client_transport(client).send(get(url), 5, LIMITS)

    failure = failure_of(lambda: asyncio.run(main()))

    assert (failure.kind, failure.sent) == ("resources", False)
    assert str(failure) == f"the HTTP client failed with ConnectError: {WORDS[errno.EMFILE]}"


def test_a_refusal_that_a_client_of_the_callers_own_meets_lacks_nothing():
    with sockets.refusing_url() as url, httpx.Client() as client:
        failure = failure_of(lambda: t.client_transport(client).send(get(url), 5, LIMITS))

    assert (failure.kind, failure.sent) == ("connect", False)
