"""Exceptions out of signal handlers, at any moment of an exchange: nothing stays checked out."""

from __future__ import annotations

import contextlib
import gc
import random
import signal
import sys
import time

import pytest

import sockets
from specado import transport as t

LIMITS = t.Limits()
INTERRUPTS = 400
CONNECTIONS = 3

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer signals"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.no_cover,
]


class SoftLimit(Exception):
    """What a task queue raises in a worker that takes too long."""


@pytest.fixture
def interrupts():
    """Return a context in which `SoftLimit` is raised once, after some microseconds."""

    def interrupt(*_):
        raise SoftLimit

    @contextlib.contextmanager
    def within(seconds):
        # pytest-timeout has the signal otherwise: its time does not run meanwhile.
        before = signal.signal(signal.SIGALRM, interrupt)
        left_s, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            signal.setitimer(signal.ITIMER_REAL, left_s)

    return within


def exchange(transport, request):
    reply = transport.open(request, time.monotonic() + 5, LIMITS)
    while reply.read(time.monotonic() + 5):
        pass
    reply.close()


def test_no_later_exchange_fails_and_no_permit_is_gone(interrupts):
    chance, hits = random.Random(4711), 0
    with sockets.ScriptedServer(sockets.echoes) as server:
        transport = t.shared_transport(t.TransportSettings(max_connections=CONNECTIONS))
        request = t.WireRequest("POST", server.url, (), b"{}")
        exchange(transport, request)
        while hits < INTERRUPTS:
            with contextlib.suppress(SoftLimit), interrupts(chance.uniform(1e-6, 400e-6)):
                try:
                    for _ in range(20):
                        exchange(transport, request)
                except SoftLimit:
                    hits += 1
                    raise
            if hits % 50 == 0:
                assert transport.send(request, 5, LIMITS).body == b"{}"
        gc.collect()
        # as many replies at once as connections are allowed.
        replies = [
            transport.open(request, time.monotonic() + 5, LIMITS) for _ in range(CONNECTIONS)
        ]
        bodies = [reply.read(time.monotonic() + 5) for reply in replies]

    assert bodies == [b"{}"] * CONNECTIONS


def test_a_signal_handler_may_make_a_call_of_its_own():
    made = []

    def handler(*_):
        signal.setitimer(signal.ITIMER_REAL, 0)
        made.append(transport.send(request, 5, LIMITS).status)

    with sockets.ScriptedServer(sockets.echoes) as server:
        transport = t.shared_transport(t.TransportSettings())
        request = t.WireRequest("POST", server.url, (), b"{}")
        before = signal.signal(signal.SIGALRM, handler)
        left_s, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        try:
            for microseconds in range(1, 200):
                signal.setitimer(signal.ITIMER_REAL, microseconds * 1e-6)
                assert transport.send(request, 5, LIMITS).status == 200
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            signal.setitimer(signal.ITIMER_REAL, left_s)

    assert set(made) == {200}


@pytest.mark.parametrize("reads", [False, True], ids=["unread", "read"])
def test_no_interrupt_is_swallowed_where_a_reply_is_dropped(interrupts, monkeypatch, reads):
    swallowed = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: swallowed.append(str(told.object)))
    chance, hits = random.Random(42), 0
    with sockets.ScriptedServer(sockets.echoes) as server:
        transport = t.shared_transport(t.TransportSettings(max_connections=CONNECTIONS))
        request = t.WireRequest("POST", server.url, (), b"{}")
        while hits < INTERRUPTS:
            with contextlib.suppress(SoftLimit), interrupts(chance.uniform(1e-6, 400e-6)):
                try:
                    for _ in range(20):
                        reply = transport.open(request, time.monotonic() + 5, LIMITS)
                        if reads:
                            reply.read(time.monotonic() + 5)
                        del reply
                except SoftLimit:
                    hits += 1
                    raise
        reply = None
        gc.collect()
        status = transport.send(request, 5, LIMITS).status

    assert [where for where in swallowed if "Reply" in where] == []
    assert status == 200
