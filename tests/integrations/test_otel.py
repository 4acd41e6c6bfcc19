"""Spans and metrics of calls, as OpenTelemetry's SDK collects them in memory."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

import specado
from played_calls import KEYS
from sockets import refusing_url
from specado.integrations import otel

SIMULATED = {"simulate": True, "max_retries": 0}
SECRET = "json-that-nobody-may-read"
DURATION = "gen_ai.client.operation.duration"
FIRST_CHUNK = "gen_ai.client.operation.time_to_first_chunk"
TOKENS = "gen_ai.client.token.usage"


class Collected:
    def __init__(self):
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider([self.reader])

    @property
    def spans(self):
        return self.exporter.get_finished_spans()

    @property
    def span(self):
        (one,) = self.spans
        return one

    def points(self):
        """Return each metric's points: attributes and sum, in the order of their attributes."""
        data = self.reader.get_metrics_data()
        if data is None:
            return {}
        return {
            metric.name: sorted(
                ((dict(point.attributes), point) for point in metric.data.data_points),
                key=lambda pair: str(pair[0]),
            )
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def collected():
    found = Collected()
    otel.instrument(found.tracers, found.meters)
    yield found
    otel.uninstrument()


def create(model, **given):
    return specado.Client(SIMULATED).chat.completions.create(model, SECRET, **given)


def events(span):
    return [(event.name, dict(event.attributes)) for event in span.events]


def test_a_call_is_one_client_span(collected):
    reply = create(
        "openai/gpt-4o",
        temperature=0.5,
        top_p=1,
        max_tokens=50,
        seed=7,
        n=2,
        stop=[SECRET],
        response_format={"type": "json_object"},
    )

    span = collected.span
    assert (span.name, span.kind) == ("chat gpt-4o", SpanKind.CLIENT)
    assert span.status.status_code is StatusCode.UNSET
    assert dict(span.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 1.0,
        "gen_ai.request.max_tokens": 50,
        "gen_ai.request.seed": 7,
        "gen_ai.request.choice.count": 2,
        "gen_ai.output.type": "json",
        "gen_ai.response.id": reply.id,
        "gen_ai.response.model": "gpt-4o",
        "gen_ai.response.finish_reasons": ("stop", "stop"),
        "gen_ai.usage.input_tokens": reply.usage.prompt_tokens,
        "gen_ai.usage.output_tokens": reply.usage.completion_tokens,
        "specado.attempts": 1,
        "specado.cost.usd": reply.extensions.metadata["cost"]["usd"],
        "specado.cost.certainty": "exact",
        "specado.calls.simulation": True,
    }


def test_hops_and_losses_are_events(collected):
    create("server-error-test-model", fallback_models=["claude-haiku-4-5"], seed=7)

    span = collected.span
    found = [(name, attributes.pop("specado.attempt.duration", None) is not None, attributes)
             for name, attributes in events(span)]  # fmt: skip
    answered = {"gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-haiku-4-5"}
    assert found[:3] == [
        (
            "specado.attempt",
            True,
            {
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "server-error-test-model",
                "specado.attempt.number": 1,
                "error.type": "ServerError",
                "http.response.status_code": 500,
            },
        ),
        ("specado.attempt", True, {**answered, "specado.attempt.number": 2}),
        ("specado.fallback", False, {**answered, "specado.fallback.index": 0}),
    ]
    assert [attributes for _, _, attributes in found[3:]] == [
        {
            "specado.loss.code": "Default",
            "specado.loss.severity": "None",
            "specado.loss.kind": "tuning",
        },
        {
            "specado.loss.code": "Drop",
            "specado.loss.severity": "Low",
            "specado.loss.kind": "tuning",
        },
    ]
    assert span.name == "chat server-error-test-model"
    assert span.attributes["gen_ai.request.model"] == "server-error-test-model"
    assert span.attributes["gen_ai.provider.name"] == "anthropic"
    assert span.attributes["gen_ai.response.model"] == "claude-haiku-4-5"
    assert span.attributes["specado.attempts"] == 2


def test_a_call_that_fails_has_an_error_without_the_providers_words(collected):
    with pytest.raises(specado.ServerError):
        create("server-error-test-model", fallback_models=[])

    span = collected.span
    assert span.attributes["error.type"] == "ServerError"
    assert span.attributes["specado.stopped_by"] == "max_retries"
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "ServerError, HTTP 500, server_error"
    assert [name for name, _ in events(span)] == ["specado.attempt"]
    ((attributes, _),) = collected.points()[DURATION]
    assert attributes["error.type"] == "ServerError"


def test_the_address_of_a_real_call_is_told(collected):
    with refusing_url() as url:
        host, _, port = url.partition("://")[2].rpartition(":")
        config = {"providers": {"openai": {"api_key": "key-one", "base_url": f"{url}/v1"}}}
        client = specado.Client({**config, "max_retries": 0})
        with pytest.raises(specado.ConnectionFailedError):
            client.chat.completions.create("gpt-4o", SECRET, fallback_models=[])

    assert collected.span.attributes["server.address"] == host
    assert collected.span.attributes["server.port"] == int(port)


def test_the_address_of_a_unix_socket_is_its_path(collected):
    entry = {"api_key": "key-one", "base_url": "http+unix://%2Fnowhere%2FLlm.sock/v1"}
    client = specado.Client({"providers": {"openai": entry}, "max_retries": 0})
    with pytest.raises(specado.ConnectionFailedError):
        client.chat.completions.create("gpt-4o", SECRET, fallback_models=[])

    assert collected.span.attributes["server.address"] == "/nowhere/Llm.sock"
    assert "server.port" not in collected.span.attributes


def test_the_metrics_of_a_call(collected):
    reply = create("gpt-4o")

    points = collected.points()
    known = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o",
    }
    assert set(points) == {DURATION, TOKENS}
    ((attributes, point),) = points[DURATION]
    assert attributes == known
    assert 0 < point.sum < 60
    assert point.explicit_bounds[:3] == (0.01, 0.02, 0.04)
    assert point.explicit_bounds[-1] == 81.92
    assert [(told, point.sum) for told, point in points[TOKENS]] == [
        ({**known, "gen_ai.token.type": "input"}, reply.usage.prompt_tokens),
        ({**known, "gen_ai.token.type": "output"}, reply.usage.completion_tokens),
    ]
    assert points[TOKENS][0][1].explicit_bounds[-1] == 67108864


# Streams


def test_the_span_of_a_stream_ends_with_the_stream(collected):
    stream = create("gpt-4o", stream=True)
    before = collected.spans

    list(stream)

    span = collected.span
    assert before == ()
    assert span.attributes["gen_ai.request.stream"] is True
    assert span.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    first_s = stream.extensions.metadata["time_to_first_content_ms"] / 1000
    assert span.attributes["gen_ai.response.time_to_first_chunk"] == first_s
    points = collected.points()
    assert set(points) == {DURATION, TOKENS, FIRST_CHUNK}
    assert points[FIRST_CHUNK][0][1].sum == first_s


def leave_by_close(stream):
    next(stream)
    stream.close()


def leave_by_break(stream):
    for _ in stream:
        break


def leave_by_with(stream):
    with stream:
        pass


@pytest.mark.parametrize("leave", [leave_by_close, leave_by_break, leave_by_with])
def test_a_stream_that_is_left_ends_its_span_without_an_error(collected, leave):
    leave(create("gpt-4o", stream=True))

    assert collected.span.attributes["specado.stream.left"] == "closed"
    assert collected.span.status.status_code is StatusCode.UNSET


def test_a_stream_that_is_dropped_unread_ends_its_span(collected):
    create("gpt-4o", stream=True)

    assert collected.span.attributes["specado.stream.left"] == "closed"


def test_a_stream_that_breaks_off_ends_its_span_with_the_error(collected):
    stream = create("stream-cut-test-model", stream=True)

    with pytest.raises(specado.StreamInterruptedError):
        list(stream)

    assert collected.span.attributes["error.type"] == "MalformedResponseError"
    assert collected.span.status.status_code is StatusCode.ERROR


# Context


def test_the_span_is_current_in_the_call_and_a_child_of_the_callers(collected):
    inside = []
    hooks = {"on_attempt": lambda _: inside.append(trace.get_current_span())}
    client = specado.Client({**SIMULATED, "hooks": hooks})

    with collected.tracers.get_tracer("mine").start_as_current_span("mine") as mine:
        client.chat.completions.create("gpt-4o", SECRET)
        after = trace.get_current_span()

    chat, outer = collected.spans
    assert (chat.parent.span_id, outer.name) == (mine.get_span_context().span_id, "mine")
    assert inside[0].get_span_context().span_id == chat.get_span_context().span_id
    assert after is mine


def test_a_stream_leaves_the_readers_context_alone(collected):
    stream = create("gpt-4o", stream=True)

    assert trace.get_current_span() is trace.INVALID_SPAN
    for _ in stream:
        assert trace.get_current_span() is trace.INVALID_SPAN


def test_calls_of_many_tasks_do_not_mix(collected):
    async def main():
        client = specado.AsyncClient(SIMULATED)
        models = ["gpt-4o", "claude-haiku-4-5"] * 10
        await asyncio.gather(*(client.chat.completions.create(name, SECRET) for name in models))

    asyncio.run(main())

    assert sorted(span.name for span in collected.spans) == (
        ["chat claude-haiku-4-5"] * 10 + ["chat gpt-4o"] * 10
    )
    assert all(span.parent is None for span in collected.spans)


def test_a_cancelled_call_ends_its_span(collected):
    class Hanging:
        async def send(self, *args, **options):
            await asyncio.Event().wait()

        def build_request(self, *args, **options):
            return object()

    async def main():
        client = specado.AsyncClient(KEYS, http_client=Hanging())
        task = asyncio.ensure_future(client.chat.completions.create("gpt-4o", SECRET))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    assert collected.span.attributes["error.type"] == "CancelledError"


# What is never there, and what is never in the way


def test_no_span_or_metric_shows_content_or_a_key(collected):
    with pytest.raises(specado.SpecadoError):
        specado.Client({**KEYS, **SIMULATED}).chat.completions.create(
            "auth-error-test-model", SECRET, user=SECRET, metadata={"a": SECRET}
        )
    create("claude-haiku-4-5", seed=7, stop=[SECRET], tools=None, user=SECRET)
    list(create("gpt-4o", stream=True))

    shown = "".join(span.to_json() for span in collected.spans) + str(collected.points())
    assert SECRET not in shown
    assert "key-" not in shown


def test_an_instrumentation_that_fails_changes_nothing(caplog):
    class Broken(TracerProvider):
        def get_tracer(self, *args, **options):
            return None

    otel.instrument(Broken(), MeterProvider())
    try:
        with caplog.at_level(logging.ERROR, "specado"):
            reply = create("gpt-4o")
            list(create("gpt-4o", stream=True))
    finally:
        otel.uninstrument()

    assert reply.choices[0].message.content == f"Simulated reply to: {SECRET}"
    assert "the instrumentation failed" in caplog.text


def test_a_call_that_is_not_sampled_is_measured_all_the_same(collected):
    unsampled = TracerProvider(sampler=ALWAYS_OFF)
    unsampled.add_span_processor(SimpleSpanProcessor(collected.exporter))
    otel.instrument(unsampled, collected.meters)

    list(create("server-error-test-model", stream=True))

    assert collected.spans == ()
    assert set(collected.points()) == {DURATION, TOKENS, FIRST_CHUNK}


def test_after_uninstrument_nothing_is_recorded(collected):
    otel.uninstrument()

    create("gpt-4o")

    assert collected.spans == ()
    assert collected.points() == {}


def test_without_instrument_nothing_of_opentelemetry_is_imported():
    code = (
        "import sys, specado\n"
        "specado.Client({'simulate': True}).chat.completions.create('gpt-4o', 'Hi')\n"
        "print(any(name.startswith('opentelemetry') for name in sys.modules))"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout == "False\n"
