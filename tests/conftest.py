"""What every test gets: an environment without keys, and the reference folder when there is one."""

from __future__ import annotations

import datetime as dt
import gc
import os
from typing import TYPE_CHECKING

import hypothesis
import pytest

from certificates import certificates, server_tls
from reference_files import REFERENCE, WHY_ABSENT
from specado.calls import simulation
from specado.catalog.manifests import Model
from specado.routing.health import reset_state
from transports import library, stack

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["certificates", "library", "server_tls", "stack"]

# How long an example takes says more about a shared machine than about the code.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

KEYS_AND_SETTINGS = ("SPECADO_", "OPENAI_", "ANTHROPIC_", "AWS_", "AZURE_", "GOOGLE_", "OLLAMA_")
KEYS = ("_API_KEY", "_BASE_URL")
FACTS_READ_ON = dt.date(2026, 11, 22)
NETWORK_SETTINGS = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE")


def pytest_collection_finish() -> None:
    """Take what was imported and collected out of every later garbage collection.

    It stays to the end. Many tests collect, and each would look through millions of objects.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def environment_without_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own keys, settings and proxies must not reach a test."""
    for name in list(os.environ):
        upper = name.upper()
        is_key = upper.startswith(KEYS_AND_SETTINGS) or upper.endswith(KEYS)
        if is_key or upper in NETWORK_SETTINGS:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def process_without_a_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier test's provider did must not decide where a request goes.

    The warning about simulated replies, which a process gives once, is still to come.
    """
    reset_state()
    monkeypatch.setattr(simulation, "_logged", set())


@pytest.fixture(autouse=True)
def models_of_the_day_of_the_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that is right today must not fail on the day on which its model retires."""
    is_retired = Model.is_retired

    def is_retired_then(model: Model, day: dt.date) -> bool:
        is_today = day == dt.datetime.now(dt.timezone.utc).date()
        return is_retired(model, FACTS_READ_ON if is_today else day)

    monkeypatch.setattr(Model, "is_retired", is_retired_then)


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of reference documents; the test is skipped where there is none."""
    if REFERENCE is None:
        pytest.skip(WHY_ABSENT)
    return REFERENCE
