"""Events of a call: log lines and hooks, for streams too."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest

import specado
from example_inputs import KEYS
from played_calls import call, drive, ok, refused
from specado.calls.events import outline
from specado.errors import (
    ConfigurationError,
    ProviderError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)
from specado.simulator.server import running

SIMULATED = {"simulate": True, "max_retries": 0}
QUESTION = "what-is-asked"


@pytest.fixture
def told():
    return {"on_attempt": [], "on_fallback": [], "on_reply": []}


def client(told, kind=specado.Client, **config):
    hooks = {name: events.append for name, events in told.items()}
    return kind({**SIMULATED, "hooks": hooks, **config})


def lines(caplog):
    return [(record.levelname, record.getMessage()) for record in caplog.records]


# The log


def test_each_attempt_has_a_debug_line_and_a_fallback_a_warning(caplog, monkeypatch):
    monkeypatch.setattr("time.monotonic", lambda: 5.0)
    caplog.set_level(logging.DEBUG, "specado")

    specado.Client(SIMULATED).chat.completions.create(
        "server-error-test-model", QUESTION, fallback_models=["claude-haiku-4-5"]
    )

    name = "openai/server-error-test-model"
    assert lines(caplog) == [
        (
            "DEBUG",
            f"attempt 1, {name}, 0.0 ms: ServerError, HTTP 500, server_error",
        ),
        ("DEBUG", "attempt 2, anthropic/claude-haiku-4-5, 0.0 ms: answered"),
        (
            "WARNING",
            "fell back to anthropic/claude-haiku-4-5: ServerError, HTTP 500, server_error",
        ),
    ]


def test_a_fallback_because_the_first_was_not_asked_is_a_warning_too(caplog):
    with caplog.at_level(logging.WARNING, "specado"):
        specado.Client(SIMULATED).chat.completions.create(
            "claude-opus-4-5", QUESTION, n=2, fallback_models=["gpt-4o"]
        )

    assert lines(caplog) == [
        (
            "WARNING",
            (
                "anthropic/claude-opus-4-5 was not asked: "
                "strictness 'warn' refuses a loss: n: one answer a request"
            ),
        ),
        ("WARNING", "fell back to openai/gpt-4o: those before it were not asked"),
    ]


def test_no_line_shows_content_or_a_key(caplog):
    caplog.set_level(logging.DEBUG)
    quoted = f"bad request: {QUESTION} (key-one)"
    one = call(config={**KEYS, "max_retries": 2}, stop=[QUESTION])

    drive(one, [refused(500, quoted), refused(429, quoted), ok(QUESTION)])

    assert len(caplog.records) == 3
    assert QUESTION not in caplog.text
    assert "key-" not in caplog.text


def test_a_stream_has_the_same_lines_and_one_for_breaking_off(caplog, monkeypatch):
    monkeypatch.setattr("time.monotonic", lambda: 5.0)
    caplog.set_level(logging.DEBUG, "specado")
    stream = specado.Client(SIMULATED).chat.completions.create(
        "stream-cut-test-model", QUESTION, stream=True
    )

    with pytest.raises(StreamInterruptedError):
        list(stream)

    name = "openai/stream-cut-test-model"
    assert lines(caplog) == [
        ("DEBUG", f"attempt 1, {name}, 0.0 ms: answered"),
        (
            "WARNING",
            f"the stream of {name} broke off: MalformedResponseError, truncated",
        ),
    ]


def test_a_stream_that_its_reader_leaves_is_no_warning(caplog):
    caplog.set_level(logging.DEBUG, "specado")
    stream = specado.Client(SIMULATED).chat.completions.create("gpt-4o", QUESTION, stream=True)

    stream.close()

    assert lines(caplog)[1:] == [
        ("DEBUG", "the stream of openai/gpt-4o broke off: ProviderError, closed")
    ]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ServerError("text"), "ServerError"),
        (
            RateLimitError("text", status_code=429, code="tokens"),
            "RateLimitError, HTTP 429, tokens",
        ),
        (ProviderError("text", code="said: hello"), "ProviderError"),
        (ProviderError("text", code=7), "ProviderError"),
        (ProviderError("text", code="x" * 65), "ProviderError"),
        (ValueError("text"), "ValueError"),
    ],
)
def test_an_outline_has_no_text_of_the_error(error, expected):
    assert outline(error) == expected


# The hooks, for streams


def test_the_hooks_of_a_stream(told):
    stream = client(told).chat.completions.create(
        "stream-error-test-model",
        "Hi",
        stream=True,
        fallback_models=["claude-haiku-4-5"],
    )
    at_commit = {name: len(events) for name, events in told.items()}

    list(stream)

    assert at_commit == {"on_attempt": 2, "on_fallback": 1, "on_reply": 0}
    assert [(each.provider, type(each.error)) for each in told["on_attempt"]] == [
        ("openai", ServerError),
        ("anthropic", type(None)),
    ]
    assert told["on_fallback"][0].model == "claude-haiku-4-5"
    assert told["on_reply"] == [stream.response()]
    assert told["on_reply"][0].extensions.metadata["cost"]["certainty"] == "at_least"


def test_a_stream_that_breaks_off_is_no_reply(told):
    stream = client(told).chat.completions.create("stream-cut-test-model", "Hi", stream=True)

    with pytest.raises(StreamInterruptedError):
        list(stream)

    assert (len(told["on_attempt"]), told["on_reply"]) == (1, [])


@pytest.mark.parametrize("kind", [specado.Client, specado.AsyncClient])
def test_a_stream_that_is_dropped_unread_ends(told, caplog, kind):
    caplog.set_level(logging.DEBUG, "specado")
    made = client(told, kind).chat.completions.create("gpt-4o", "Hi", stream=True)
    stream = asyncio.run(made) if kind is specado.AsyncClient else made
    extensions = stream.extensions

    del stream, made
    gc.collect()

    assert extensions.metadata["cost"]["certainty"] == "unknown"
    assert lines(caplog)[-1] == (
        "DEBUG",
        "the stream of openai/gpt-4o broke off: ProviderError, closed",
    )


# Attempts that come to no outcome


@pytest.mark.parametrize("stream", [False, True])
def test_a_cancelled_attempt_is_told_once(told, stream):
    async def play():
        came = asyncio.Event()
        loop = asyncio.get_running_loop()
        with running(on_request=lambda *_: loop.call_soon_threadsafe(came.set)) as server:
            config = {
                "simulate": False,
                "providers": {"openai": {"api_key": "key-one", "base_url": f"{server.url}/v1"}},
            }
            one = client(told, specado.AsyncClient, **config)
            task = asyncio.ensure_future(
                one.chat.completions.create(
                    "gpt-4.1",
                    "Hi",
                    stream=stream,
                    fallback_models=[],
                    extra_body={"model": "timeout-test-model"},
                )
            )
            await came.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(play())

    (event,) = told["on_attempt"]
    assert (event.provider, event.model, event.number) == ("openai", "gpt-4.1", 1)
    assert (type(event.error), event.error.code) == (ProviderError, "cancelled")
    assert told["on_reply"] == []


def test_an_interrupted_attempt_is_told_once(told):
    class Interrupting:
        def build_request(self, *args, **options):
            raise KeyboardInterrupt

        send = build_request

    hooks = {name: events.append for name, events in told.items()}
    one = specado.Client({**KEYS, "hooks": hooks}, http_client=Interrupting())

    with pytest.raises(KeyboardInterrupt):
        one.chat.completions.create("gpt-4o", "Hi")

    (event,) = told["on_attempt"]
    assert event.error.code == "cancelled"


def test_a_key_that_cannot_be_had_is_no_attempt(told):
    def no_key():
        raise ConfigurationError("no key")

    hooks = {name: events.append for name, events in told.items()}
    one = specado.Client({"providers": {"openai": {"api_key": no_key}}, "hooks": hooks})

    with pytest.raises(ConfigurationError, match="no key"):
        one.chat.completions.create("gpt-4o", "Hi")

    assert told["on_attempt"] == []


# Calls that fail


@pytest.mark.parametrize("is_async", [False, True])
def test_a_call_that_fails_says_why_in_log_hook_and_error(caplog, is_async):
    told = {"on_error": [], "on_reply": []}
    completions = client(told).chat.completions
    given = {"model": "server-error-test-model", "messages": QUESTION, "fallback_models": []}

    def ask():
        if is_async:
            return asyncio.run(completions.create_async(**given))
        return completions.create(**given)

    with pytest.raises(ServerError) as caught:
        ask()

    assert told == {"on_error": [caught.value], "on_reply": []}
    assert caught.value.stopped_by == "max_retries"
    text = "the call failed (attempts: 1, stopped by: max_retries): ServerError, HTTP 500"
    assert lines(caplog)[-1] == ("WARNING", f"{text}, server_error")


def test_a_record_that_only_a_null_handler_would_get_is_not_made(monkeypatch):
    made = []
    monkeypatch.setattr(logging.getLogger("specado"), "propagate", False)
    monkeypatch.setattr(logging.getLogger("specado"), "makeRecord", made.append, raising=False)

    with pytest.raises(ServerError):
        client({}).chat.completions.create("server-error-test-model", QUESTION, fallback_models=[])

    assert made == []


def test_a_filter_of_the_logger_sees_every_record(monkeypatch):
    seen = []
    logger = logging.getLogger("specado")
    monkeypatch.setattr(logger, "propagate", False)
    monkeypatch.setattr(logger, "filters", [lambda record: bool(seen.append(record)) or True])

    with pytest.raises(ServerError):
        client({}).chat.completions.create("server-error-test-model", QUESTION, fallback_models=[])

    assert [record.levelname for record in seen] == ["WARNING"]
