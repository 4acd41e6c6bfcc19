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


@pytest.fixture(params=LIBRARIES)
def library(request, monkeypatch):
    """Run a test on each library: what `settings` returns names it, and clients take it."""
    monkeypatch.setenv("SPECADO_TRANSPORT", request.param)
    _current.append(request.param)
    yield request.param
    _current.pop()
    t.shutdown()
