"""Fixtures of the tests of routing: a clock that only the test moves, and health of its own."""

from __future__ import annotations

import pytest

from scripted_attempts import Clock
from specado.routing.health import Health


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def health():
    return Health()
