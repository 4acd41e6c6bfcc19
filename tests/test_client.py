"""A client as a user drives it, without a network."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import weakref

import pytest

import specado
from example_inputs import KEYS
from specado.catalog import lookup as catalog
from specado.errors import ConfigurationError


def test_hooks_are_told_of_every_attempt_the_fallback_and_the_reply():
    told = {"on_attempt": [], "on_fallback": [], "on_reply": []}
    hooks = {name: events.append for name, events in told.items()}
    client = specado.Client({"simulate": True, "hooks": hooks, "max_retries": 1})

    response = client.chat.completions.create("server-error-test-model", "Hi")

    attempts = told["on_attempt"]
    assert [(each.provider, each.number) for each in attempts] == [
        ("openai", 1),
        ("openai", 2),
        ("anthropic", 3),
    ]
    assert [type(each.error) for each in attempts] == [
        specado.ServerError,
        specado.ServerError,
        type(None),
    ]
    (fallback,) = told["on_fallback"]
    assert (fallback.provider, fallback.model, fallback.index) == ("anthropic", response.model, 0)
    assert told["on_reply"] == [response]


def test_a_hook_that_raises_is_logged_and_changes_nothing(caplog):
    def fail(event):
        raise ValueError("no")

    client = specado.Client({"simulate": True, "hooks": {"on_attempt": fail}})

    response = client.chat.completions.create("gpt-4o", "Hi")

    assert response.choices[0].message.content == "Simulated reply to: Hi"
    assert "the hook on_attempt failed" in caplog.text


# A caller's own HTTP client


@pytest.mark.parametrize("mine", ["http_client", "async_http_client"])
def test_a_call_never_passes_the_callers_own_http_client_by(mine):
    client = specado.Client(KEYS, **{mine: object()})
    other = "async_http_client" if mine == "http_client" else "http_client"

    completions = client.chat.completions

    def call() -> object:
        if mine == "http_client":
            return asyncio.run(completions.create_async("gpt-4o", "Hi"))
        return completions.create("gpt-4o", "Hi")

    with pytest.raises(ConfigurationError, match=other) as caught:
        call()

    assert caught.value.key == other


def test_a_fault_among_the_fallback_models_simulates_the_whole_route():
    client = specado.Client({**KEYS, "max_retries": 0})

    response = client.chat.completions.create(
        "quota-test-model", "Hi", fallback_models=["overloaded-test-model", "claude-opus-4-5"]
    )

    metadata = response.extensions.metadata
    assert (response.model, metadata["fallback_index"]) == ("claude-opus-4-5", 1)
    assert metadata["simulated"] is True


def test_two_names_of_the_deadline_at_once_are_refused():
    client = specado.Client({"simulate": True})

    with pytest.raises(TypeError, match="give one"):
        client.chat.completions.create("gpt-4o", "Hi", timeout=3, timeout_seconds=4)


def test_extensions_as_json_objects_hold_the_report():
    client = specado.Client({"simulate": True})

    response = client.chat.completions.create("claude-opus-4-5", "Hi", seed=7)

    data = json.loads(json.dumps(response.extensions.to_dict()))
    assert data["metadata"]["lossiness"]["details"] == [
        "Low Drop seed: there is no seed (7 -> None)"
    ]


def test_a_stop_iteration_of_a_callers_function_is_theirs():
    keys = iter(())
    client = specado.Client({"providers": {"openai": {"api_key": lambda: next(keys)}}})

    with pytest.raises(StopIteration):
        client.chat.completions.create("gpt-4o", "Hi")


def test_a_dropped_client_is_freed_at_once():
    client = specado.Client(KEYS)
    assert client.chat.completions is client.chat.completions
    gone = weakref.ref(client)

    del client

    assert gone() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_fork_while_another_thread_looks_keys_up_leaves_no_lock_held(monkeypatch):
    entered, leave = threading.Event(), threading.Event()
    listed = catalog.list_providers

    def slow():
        entered.set()
        leave.wait(10)
        return listed()

    monkeypatch.setattr(catalog, "list_providers", slow)
    driver = specado.Client()._driver
    looking = threading.Thread(target=lambda: driver.access.is_real)
    looking.start()
    entered.wait(10)
    child = os.fork()
    if child == 0:
        catalog.list_providers = listed
        os._exit(0 if specado.Client(KEYS)._driver.access.is_real else 1)
    leave.set()
    looking.join(10)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_coroutine_function_is_no_hook():
    async def later(event):
        pass

    with pytest.raises(ConfigurationError, match="coroutine"):
        specado.Client({"hooks": {"on_reply": later}})
