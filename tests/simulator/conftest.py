"""A simulator that listens, the official packages' clients of it, and the providers to play."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anthropic
import openai
import pytest

from specado.simulator.server import Server, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(idle_s=5.0) as server:
        yield server


@pytest.fixture(scope="module")
def openai_client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="k", base_url=server.openai_base_url, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def anthropic_client(server: Server) -> Iterator[anthropic.Anthropic]:
    url = server.anthropic_base_url
    with anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as client:
        yield client


@pytest.fixture(params=["openai", "anthropic"])
def provider(request: pytest.FixtureRequest) -> str:
    """Run a test for each provider."""
    name: str = request.param
    return name
