"""The bound on the time without content, on a played clock."""

from __future__ import annotations

import types
from typing import Any

import pytest

from played_streams import HELLO, chunk
from specado.calls.stream_state import StreamState
from specado.dialects.errors import ReplySource
from specado.dialects.registry import DIALECTS
from specado.errors import DeadlineExceededError
from stream_readers import sse

ROLE, HEL, LO, STOP, COUNTS = (sse(event, done=False) for event in HELLO)
PING = b": ping\n\n"
CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def stream(clock: Clock) -> StreamState:
    source = ReplySource("openai", "gpt-4.1", DIALECTS["openai_chat"])
    return StreamState(
        source.dialect.stream_decoder(
            "openai", "gpt-4.1", 7, max_frame_bytes=100_000, max_reply_bytes=100_000
        ),
        source,
        status=200,
        headers={},
        idle_timeout_s=60.0,
        max_frame_bytes=100_000,
        opened=types.SimpleNamespace(has_marked_end=True),  # type: ignore[arg-type]
        content_timeout_s=100.0,
        now=clock,
    )


def read(state: StreamState, clock: Clock, data: bytes, took_s: float) -> None:
    state.next_read()
    clock.now_s += took_s
    state.take(data)


def test_the_waits_between_two_contents_add_up() -> None:
    clock = Clock()
    state = stream(clock)
    for data in (HEL, PING, ROLE):
        read(state, clock, data, 49.0)
    assert state.error is None
    read(state, clock, PING, 2.0)

    assert isinstance(state.error, DeadlineExceededError)
    assert state.error.code == "content_timeout"


def test_the_time_of_the_caller_does_not_count() -> None:
    clock = Clock()
    state = stream(clock)
    for data in (HEL, PING, PING, LO, STOP):
        read(state, clock, data, 30.0)
        clock.now_s += 1_000.0

    assert state.error is None


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "x"},
        {"refusal": "x"},
        {"reasoning_content": "x"},
        {"tool_calls": [CALL]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]},
    ],
    ids=["text", "refusal", "reasoning", "call", "arguments"],
)
def test_each_kind_of_content_begins_the_time_anew(delta: Any) -> None:
    clock = Clock()
    state = stream(clock)
    read(state, clock, sse(chunk({"tool_calls": [CALL]}), done=False), 90.0)
    read(state, clock, sse(chunk(delta), done=False), 90.0)
    read(state, clock, PING, 90.0)

    assert state.error is None


def test_empty_arguments_are_no_content() -> None:
    clock = Clock()
    state = stream(clock)
    read(state, clock, sse(chunk({"tool_calls": [CALL]}), done=False), 90.0)
    empty = chunk({"tool_calls": [{"index": 0, "function": {"arguments": ""}}]})
    for _ in range(2):
        read(state, clock, sse(empty, done=False), 60.0)

    assert state.error is not None


def test_content_that_came_late_counts() -> None:
    clock = Clock()
    state = stream(clock)
    read(state, clock, HEL, 500.0)

    assert state.error is None
