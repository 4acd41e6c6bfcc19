"""Fixtures for every test: environment, process-wide state, the day; and the reference folder."""

from __future__ import annotations

import datetime as dt
import gc
import os
from typing import TYPE_CHECKING

import hypothesis
import pytest

import specado
from certificates import certificates, server_tls
from package_builds import PackageBuild, tracked_files
from reference_files import require_reference
from specado.calls import call, simulation
from specado.catalog import lookup
from specado.catalog.index import shipped_outlines
from specado.catalog.manifests import Model
from specado.routing import retry
from specado.transport import addresses

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["certificates", "server_tls"]

# How long an example takes says more about a shared machine than about the code. With
# `--hypothesis-profile thorough` each property is tried with more examples, the same in each run:
# a check of a change must not fail for what the change has not touched.
hypothesis.settings.register_profile("quick", deadline=None, max_examples=50)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=400, derandomize=True)
hypothesis.settings.load_profile("quick")

PREFIXES = ("SPECADO_", "OPENAI_", "ANTHROPIC_", "AWS_", "AZURE_", "GOOGLE_", "OLLAMA_")
KEY_SUFFIXES = ("_API_KEY", "_BASE_URL")
FACTS_READ_ON = dt.date(2026, 11, 22)
NETWORK_SETTINGS = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE")


BUILD = pytest.StashKey[PackageBuild]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Prepare for the tests that were collected.

    What was imported and collected stays to the end, and is taken out of every later garbage
    collection: many tests collect, and each would look through millions of objects. The package
    is built in the background where a test needs it.
    """
    gc.collect()
    gc.freeze()
    needs_build = any(
        "package_build" in getattr(item, "fixturenames", ()) for item in session.items
    )
    if needs_build and not session.config.option.collectonly and tracked_files() is not None:
        build = session.config.stash[BUILD] = PackageBuild()
        session.config.add_cleanup(build.stop)


@pytest.fixture(scope="session")
def package_build(request: pytest.FixtureRequest) -> PackageBuild:
    return request.config.stash[BUILD]


@pytest.fixture(autouse=True)
def environment_without_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide a developer's own keys, settings and proxies from a test."""
    named = {
        name
        for each in shipped_outlines().values()
        for name in (
            *each.authentication.env,
            *each.authentication.token_env,
            each.authentication.base_url_env,
            each.authentication.host_env,
        )
    }
    for name in list(os.environ):
        upper = name.upper()
        is_key = upper.startswith(PREFIXES) or upper.endswith(KEY_SUFFIXES)
        if is_key or upper in NETWORK_SETTINGS or upper in named:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Reset the state that a process shares: each test is the first that it runs.

    That is: registered providers, warnings that are given once, circuit breakers with all else
    that is known of providers' health, and, after the test, connection pools.
    """
    monkeypatch.setattr(lookup, "_registered", {})
    monkeypatch.setattr(call, "_warned", set())
    monkeypatch.setattr(simulation, "_logged", set())
    monkeypatch.setattr(addresses, "_warned_origins", set())
    specado.reset_state()
    yield
    specado.shutdown()


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry at once where the provider names no wait."""
    monkeypatch.setattr(retry, "BASE_S", 0.0)
    monkeypatch.setattr(retry, "THROTTLED_BASE_S", 0.0)


@pytest.fixture(autouse=True)
def models_of_the_day_of_the_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read model retirements on a fixed day: no test fails when its model retires."""
    is_retired = Model.is_retired

    def is_retired_then(model: Model, day: dt.date) -> bool:
        is_today = day == dt.datetime.now(dt.timezone.utc).date()
        return is_retired(model, FACTS_READ_ON if is_today else day)

    monkeypatch.setattr(Model, "is_retired", is_retired_then)


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of reference documents; the test is skipped where there is none."""
    return require_reference()
