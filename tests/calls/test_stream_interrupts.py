"""An interrupt that comes while a stream is dropped is raised; no finalizer swallows it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys

import pytest

import specado


class Interrupting(logging.Handler):
    """Sends this process the signal of Ctrl+C when a dropped stream is logged."""

    def emit(self, record):
        if "broke off" in record.getMessage():
            signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def handler():
    logger, handler = logging.getLogger("specado"), Interrupting()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield
    logger.removeHandler(handler)
    logger.setLevel(level)


def stream_of(client):
    return client.chat.completions.create("openai/gpt-4.1", "Hi", stream=True, fallback_models=[])


def dropping_it():
    stream = stream_of(specado.Client({"simulate": True}))
    next(stream)
    del stream


def leaving_its_loop():
    stream = stream_of(specado.Client({"simulate": True}))
    for _ in stream:
        break
    assert stream.extensions.metadata["cost"]["certainty"] == "unknown"


def leaving_its_loop_by_an_error():
    stream = stream_of(specado.Client({"simulate": True}))
    with contextlib.suppress(ZeroDivisionError):
        for _ in stream:
            raise ZeroDivisionError


def dropping_one_of_a_loop():
    async def main():
        return await stream_of(specado.AsyncClient({"simulate": True}))

    stream = asyncio.run(main())
    del stream


def and_go_on(leave):
    leave()
    for _ in range(2):  # a signal's exception is raised where Python next looks for one
        str(leave)


@pytest.mark.parametrize(
    "leave",
    [
        dropping_it,
        leaving_its_loop,
        leaving_its_loop_by_an_error,
        dropping_one_of_a_loop,
    ],
)
def test_an_interrupt_of_the_finalizer_is_raised(monkeypatch, leave):
    swallowed = []
    monkeypatch.setattr(sys, "unraisablehook", swallowed.append)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            and_go_on(leave)
    finally:
        signal.signal(signal.SIGINT, before)

    assert swallowed == []
