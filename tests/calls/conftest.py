"""Servers that the tests of calls and streams share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import sockets
from played_streams import endless, other

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[sockets.ScriptedServer]:
    """A server that begins an answer and says no more until the client has gone."""
    with sockets.ScriptedServer(endless) as found:
        yield found


@pytest.fixture
def elsewhere() -> Iterator[sockets.ScriptedServer]:
    """A server of the other provider, which answers."""
    with sockets.ScriptedServer(sockets.answers(other())) as found:
        yield found
