"""Faults in streams: error, attempts and fallback for each.

Every row is played in each dialect, by threads and by asyncio, in process (the reserved name)
and over a socket (the same name put into the request for a usual model, or into its address).
"""

from __future__ import annotations

import asyncio
import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Optional

import pytest

from specado import (
    AuthenticationError,
    Client,
    DeadlineExceededError,
    MalformedResponseError,
    OverloadedError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)
from specado.simulator.faults import FAULT_MODELS
from specado.simulator.server import running

pytestmark = pytest.mark.usefixtures("no_backoff")

WHOLE = "Simulated reply to: Tell me about the sea"
USUAL = {"openai": "gpt-4.1", "anthropic": "claude-sonnet-4-6", "responses": "gpt-4.1"}
OTHER = {
    "openai": "anthropic",
    "anthropic": "openai",
    "responses": "anthropic",
    "gemini": "anthropic",
    "bedrock": "anthropic",
}
# The Responses API is a dialect of provider openai.
PROVIDER = {**{name: name for name in OTHER}, "responses": "openai"}


class Expected(NamedTuple):
    """What a call comes to with one retry: alone, and with a fallback that answers.

    `error` is what `create` raises alone; the fallback answers unless `is_final`. `interrupted`
    is the code of the `StreamInterruptedError` that the iteration raises, fallback or not.
    `attempts_alone` is how often the first is asked where there is no fallback, if not the same.
    """

    attempts: int
    error: Optional[type] = None
    is_final: bool = False
    interrupted: Optional[str] = None
    attempts_alone: Optional[int] = None


WELL = Expected(1)
TABLE = {
    # before the first content: retried or handed on like any other failure
    "stream-error-test-model": Expected(2, ServerError),
    "stream-overloaded-test-model": Expected(2, OverloadedError),
    "stream-early-cut-test-model": Expected(2, MalformedResponseError),
    "stream-stall-test-model": Expected(1, DeadlineExceededError, attempts_alone=2),
    "timeout-test-model": Expected(1, DeadlineExceededError, attempts_alone=2),
    "rate-limit-test-model": Expected(2, RateLimitError),
    "server-error-test-model": Expected(2, ServerError),
    "overloaded-test-model": Expected(2, OverloadedError),
    "auth-error-test-model": Expected(1, AuthenticationError, is_final=True),
    "truncated-test-model": Expected(2, MalformedResponseError),
    "malformed-test-model": Expected(2, MalformedResponseError),
    # after it: neither retried nor handed on, never taken for an answer
    "stream-late-error-test-model": Expected(1, interrupted="server_error"),
    "stream-cut-test-model": Expected(1, interrupted="truncated"),
    "stream-idle-test-model": Expected(1, interrupted="timeout"),
    "stream-malformed-test-model": Expected(1, interrupted="not_json"),
    "stream-unterminated-test-model": Expected(1, interrupted="truncated"),
    # no faults, only other bytes
    "stream-bytewise-test-model": WELL,
    "stream-crlf-test-model": WELL,
    "stream-cr-test-model": WELL,
    "stream-ping-test-model": WELL,
}
# For a time-out or before the retry: played in all ways at once.
WAITING = {
    "stream-stall-test-model",
    "timeout-test-model",
    "rate-limit-test-model",
    "stream-idle-test-model",
}
LATE_ERROR_CODES = {
    "openai": "server_error",
    "anthropic": "api_error",
    "responses": "server_error",
    "gemini": "INTERNAL",
    "bedrock": "modelStreamErrorException",
}
# A frame whose checksum is wrong is no event at all.
SPOILED_CODES = {"bedrock": "damaged_frame"}


@pytest.fixture(scope="module")
def simulator():
    with running(silence_s=3.0) as found:
        yield found


def client(simulator, dialect, keys=("key-one", "key-two"), **config):
    return Client(
        {
            "primary_provider": PROVIDER[dialect],
            "fallback_provider": OTHER[dialect],
            "simulate": False,
            "max_retries": 1,
            "first_token_timeout_seconds": 0.6,
            "idle_timeout_seconds": 0.6,
            "providers": {
                "openai": {
                    "api_key": keys[0],
                    "base_url": simulator.openai_base_url,
                    "dialects": ["openai_responses" if dialect == "responses" else "openai_chat"],
                },
                "anthropic": {"api_key": keys[1], "base_url": simulator.anthropic_base_url},
                "gemini": {"api_key": keys[0], "base_url": simulator.gemini_base_url},
                "bedrock": {"api_key": keys[0], "base_url": simulator.bedrock_base_url},
            },
            **config,
        }
    )


def arguments(fault, dialect, way, *, fallback):
    given = {"model": f"{PROVIDER[dialect]}/{fault}", "messages": "Tell me about the sea"}
    given["stream"], given["max_tokens"] = True, 100
    given["fallback_models"] = [USUAL[OTHER[dialect]]] if fallback else []
    if way == "socket" and dialect in USUAL:
        given["model"] = USUAL[dialect]
        given["extra_body"] = {"model": fault}
    return given


def play(one, given, caller):
    """Return (the stream, its text, the error of its iteration); `create`'s errors come out."""
    if caller == "sync":
        stream = one.chat.completions.create(**given)
        text, error = "", None
        try:
            for chunk in stream:
                text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        except StreamInterruptedError as caught:
            error = caught
        return stream, text, error

    async def main():
        stream = await one.chat.completions.create_async(**given)
        text, error = "", None
        try:
            async for chunk in stream:
                text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        except StreamInterruptedError as caught:
            error = caught
        return stream, text, error

    return asyncio.run(main())


WAYS = list(itertools.product(["sync", "async"], ["in process", "socket"], [False, True]))


@pytest.mark.parametrize("dialect", OTHER)
@pytest.mark.parametrize("fault", TABLE)
def test_a_fault(simulator, fault, dialect):
    with ThreadPoolExecutor(len(WAYS) if fault in WAITING else 1) as threads:
        plays = {way: threads.submit(check, simulator, fault, dialect, *way) for way in WAYS}

    failed = {way: played.exception() for way, played in plays.items() if played.exception()}
    assert not failed, failed


def check(simulator, fault, dialect, caller, way, fallback):
    """Play one row in one way, and hold what comes of it against the row."""
    expected = TABLE[fault]
    given = arguments(fault, dialect, way, fallback=fallback)
    # With keys of its own, so that no other play's failures count against it.
    keys = (f"1-{caller}-{way}-{fallback}", f"2-{caller}-{way}-{fallback}")
    one = client(simulator, dialect, keys, simulate=way == "in process")

    if expected.error is not None and (expected.is_final or not fallback):
        with pytest.raises(expected.error) as raised:
            play(one, given, caller)
        attempts = expected.attempts if fallback else expected.attempts_alone or expected.attempts
        assert raised.value.attempts == attempts
        assert len(raised.value.errors) == attempts
        return

    stream, text, error = play(one, given, caller)
    extensions = stream.extensions
    if expected.error is not None:
        assert (text, error) == (WHOLE, None)
        assert extensions.provider_used == OTHER[dialect]
        assert extensions.fallback_triggered
        assert extensions.attempts == expected.attempts + 1
        assert len(extensions.metadata["provider_errors"]) == expected.attempts
        assert stream.response().choices[0].message.content == WHOLE
        return

    assert extensions.provider_used == PROVIDER[dialect]
    assert not extensions.fallback_triggered
    assert extensions.attempts == 1
    if expected.interrupted is None:
        assert (text, error) == (WHOLE, None)
        assert stream.response().choices[0].finish_reason == "stop"
        return

    code = expected.interrupted
    code = SPOILED_CODES.get(dialect, code) if code == "not_json" else code
    assert error.code == (LATE_ERROR_CODES[dialect] if code == "server_error" else code)
    assert WHOLE.startswith(text)
    assert text
    assert error.partial.choices[0].message.content == text
    assert (error.provider, error.attempts, len(error.errors)) == (PROVIDER[dialect], 1, 1)
    with pytest.raises(StreamInterruptedError) as again:
        stream.response()
    assert again.value is error


@pytest.mark.parametrize("caller", ["sync", "async"])
def test_a_stream_without_a_choice_is_no_answer(simulator, caller):
    given = arguments("empty-test-model", "openai", "socket", fallback=True)

    stream, text, error = play(client(simulator, "openai"), given, caller)

    assert (text, error) == (WHOLE, None)
    assert stream.extensions.provider_used == "anthropic"
    assert stream.extensions.attempts == 2


@pytest.mark.parametrize("caller", ["sync", "async"])
def test_a_message_without_content_is_an_answer(simulator, caller):
    given = arguments("empty-test-model", "anthropic", "socket", fallback=True)

    stream, text, error = play(client(simulator, "anthropic"), given, caller)

    assert (text, error) == ("", None)
    assert stream.extensions.provider_used == "anthropic"
    assert stream.response().choices[0].message.content is None


def test_every_stream_fault_has_a_row():
    assert {name for name in FAULT_MODELS if name.startswith("stream-")} <= set(TABLE)
