"""Which transports the transport's tests run on: each that is installed."""

from __future__ import annotations

import importlib.util

import pytest

from specado import transport as t


def needs(library):
    """Return the mark that skips, visibly, where *library* is not installed."""
    is_missing = importlib.util.find_spec(library) is None
    return pytest.mark.skipif(is_missing, reason=f"{library} is not installed")


LIBRARIES = [
    "httpx",
    pytest.param("httpx2", marks=needs("httpx2")),
    pytest.param("httptools", marks=needs("httptools")),
]
_current = ["httpx"]


def settings(**given):
    """Return settings with the library that the test runs on."""
    return t.TransportSettings(**{"library": _current[-1], **given})


def _run_on(request, monkeypatch):
    monkeypatch.setenv("SPECADO_TRANSPORT", request.param)
    _current.append(request.param)
    yield request.param
    _current.pop()


@pytest.fixture(params=LIBRARIES)
def library(request, monkeypatch):
    """Run a test on each library: what `settings` returns names it, and clients take it."""
    yield from _run_on(request, monkeypatch)


@pytest.fixture(params=[LIBRARIES[0], LIBRARIES[2]])
def stack(request, monkeypatch):
    """The same on one library of each stack, for long tables: httpx2 runs what httpx runs."""
    yield from _run_on(request, monkeypatch)
