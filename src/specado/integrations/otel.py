"""OpenTelemetry instrumentation: traces and metrics of calls (`specado[otel]`).

Names and buckets are those of the GenAI semantic conventions as of semconv 1.43
(opentelemetry-semantic-conventions 0.66b2; status: development), read 2026-11-22. Neither content
nor keys nor a provider's words are recorded.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Optional, Union
from urllib.parse import unquote, urlsplit

from opentelemetry import context, metrics, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from specado._version import __version__
from specado.calls.events import outline, set_instrumentation
from specado.calls.stream_state import is_abandoned
from specado.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from specado.calls.events import ObservedCall
    from specado.endpoints.endpoint import Endpoint
    from specado.losses.report import LossinessReport
    from specado.routing.plan import Candidate
    from specado.types import AttemptEvent, ChatCompletionResponse, FallbackEvent, Usage

    Attributes = dict[str, Union[str, bool, int, float, list[str]]]

__all__ = ["instrument", "uninstrument"]

logger = logging.getLogger("specado")

SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS = tuple(4**power for power in range(14))

# The numbers of a request that say nothing of its content, by their names here and there.
_NUMBERS = {
    "temperature": ("gen_ai.request.temperature", float),
    "top_p": ("gen_ai.request.top_p", float),
    "frequency_penalty": ("gen_ai.request.frequency_penalty", float),
    "presence_penalty": ("gen_ai.request.presence_penalty", float),
    "seed": ("gen_ai.request.seed", int),
    "max_tokens": ("gen_ai.request.max_tokens", int),
    "max_completion_tokens": ("gen_ai.request.max_tokens", int),
}
_OUTPUT_TYPES = {"text": "text", "json_object": "json", "json_schema": "json"}
_PORTS = {"http": 80, "https": 443}


class _Instruments:
    """A tracer and the instruments of a meter."""

    def __init__(
        self, tracer_provider: Optional[TracerProvider], meter_provider: Optional[MeterProvider]
    ) -> None:
        self.tracer = trace.get_tracer("specado", __version__, tracer_provider)
        meter = metrics.get_meter("specado", __version__, meter_provider)
        self.duration = meter.create_histogram(
            "gen_ai.client.operation.duration",
            unit="s",
            description="GenAI operation duration.",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self.tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=TOKENS,
        )
        self.first_chunk = meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            unit="s",
            description="Time to receive the first chunk.",
            explicit_bucket_boundaries_advisory=SECONDS,
        )


class _CallSpan:
    """One call's span, from its beginning to its reply's or its stream's end."""

    def __init__(self, call: ObservedCall, instruments: _Instruments) -> None:
        self._call = call
        self._instruments = instruments
        self._span: Optional[Span] = None
        self._token: Any = None
        self._known: Attributes = {}

    def __enter__(self) -> None:
        call = self._call
        try:
            self._known = _known_at_start(call)
            began_ns = time.time_ns() - int((time.monotonic() - call.started_s) * 1e9)
            self._span = self._instruments.tracer.start_span(
                f"chat {self._known['gen_ai.request.model']}",
                kind=SpanKind.CLIENT,
                attributes={**self._known, **_asked_for(call)},
                start_time=began_ns,
            )
            self._token = context.attach(trace.set_span_in_context(self._span))
        except Exception:
            logger.exception("the instrumentation failed")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._token is not None:
                context.detach(self._token)
            if self._span is not None and error is not None:
                if isinstance(error, ProviderError):
                    self._span.set_attribute("specado.attempts", error.attempts)
                    if error.stopped_by is not None:
                        self._span.set_attribute("specado.stopped_by", error.stopped_by)
                self._end(error)
        except Exception:
            logger.exception("the instrumentation failed")

    def attempted(self, event: AttemptEvent) -> None:
        """Record an attempt as an event."""
        if self._span is None or not self._span.is_recording():
            return
        attributes: Attributes = {
            "gen_ai.provider.name": event.provider,
            "gen_ai.request.model": event.model,
            "specado.attempt.number": event.number,
            "specado.attempt.duration": event.duration_ms / 1000,
        }
        if event.error is not None:
            attributes["error.type"] = type(event.error).__name__
            if event.error.status_code is not None:
                attributes["http.response.status_code"] = event.error.status_code
        self._span.add_event("specado.attempt", attributes)

    def fell_back(self, event: FallbackEvent) -> None:
        """Record a fallback as an event."""
        if self._span is not None and self._span.is_recording():
            attributes: Attributes = {
                "gen_ai.provider.name": event.provider,
                "gen_ai.request.model": event.model,
                "specado.fallback.index": event.index,
            }
            self._span.add_event("specado.fallback", attributes)

    def ended(
        self, candidate: Candidate, reply: ChatCompletionResponse, error: ProviderError | None
    ) -> None:
        """Record the reply, and end the span."""
        if self._span is None:
            return
        metadata = reply.extensions.metadata
        self._known.update(_server(candidate.endpoint, simulated=self._call.simulated))
        self._known["gen_ai.provider.name"] = candidate.provider
        if reply.model:
            self._known["gen_ai.response.model"] = reply.model
        first_s = None
        if "time_to_first_content_ms" in metadata:
            first_s = metadata["time_to_first_content_ms"] / 1000
            self._instruments.first_chunk.record(first_s, self._known)
        if self._span.is_recording():
            self._span.set_attributes({**self._known, **_answered(reply)})
            if first_s is not None:
                self._span.set_attribute("gen_ai.response.time_to_first_chunk", first_s)
            self._record_losses(self._span, metadata.get("lossiness"))
        if reply.usage is not None:
            self._record_tokens(reply.usage)
        self._end(error)

    def _record_losses(self, span: Span, report: Optional[LossinessReport]) -> None:
        for loss in () if report is None else report.items:
            lost: Attributes = {
                "specado.loss.code": loss.code,
                "specado.loss.severity": loss.severity,
                "specado.loss.kind": loss.kind,
            }
            span.add_event("specado.loss", lost)

    def _record_tokens(self, usage: Usage) -> None:
        for kind, tokens in (("input", usage.prompt_tokens), ("output", usage.completion_tokens)):
            self._instruments.tokens.record(tokens, {**self._known, "gen_ai.token.type": kind})

    def _end(self, error: BaseException | None) -> None:
        span, self._span = self._span, None
        if span is None:
            return
        if isinstance(error, ProviderError) and is_abandoned(error):
            span.set_attribute("specado.stream.left", error.code)  # nothing failed
        elif error is not None:
            kind = type(error).__name__
            self._known["error.type"] = kind
            span.set_attribute("error.type", kind)
            span.set_status(Status(StatusCode.ERROR, outline(error)))
        self._instruments.duration.record(time.monotonic() - self._call.started_s, self._known)
        span.end()


def _known_at_start(call: ObservedCall) -> Attributes:
    """Return the attributes for the sampler and the metrics, known at the start."""
    plan = call.plan
    known: Attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": plan.primary_provider,
        "gen_ai.request.model": call.request.model.removeprefix(f"{plan.primary_provider}/"),
    }
    if plan.candidates:
        known.update(_server(plan.candidates[0].endpoint, simulated=call.simulated))
    return known


def _server(endpoint: Endpoint, *, simulated: bool) -> Attributes:
    if simulated:
        return {}
    url = urlsplit(endpoint.base_url)
    if url.hostname is None:
        return {}
    if url.scheme == "http+unix":
        return {"server.address": unquote(url.netloc)}
    return {"server.address": url.hostname, "server.port": url.port or _PORTS.get(url.scheme, 443)}


def _asked_for(call: ObservedCall) -> Attributes:
    """Return the request parameters that reveal nothing of its content, as attributes."""
    given: Mapping[str, Any] = call.request.parameters
    found: Attributes = {}
    for name, (attribute, type_) in _NUMBERS.items():
        if given.get(name) is not None:
            found[attribute] = type_(given[name])
    if given.get("n") not in (None, 1):
        found["gen_ai.request.choice.count"] = given["n"]
    if call.is_stream:
        found["gen_ai.request.stream"] = True
    wanted = given.get("response_format")
    output = _OUTPUT_TYPES.get(wanted.get("type", "")) if isinstance(wanted, dict) else None
    if output is not None:
        found["gen_ai.output.type"] = output
    if call.simulated:
        found["specado.calls.simulation"] = True
    return found


def _answered(reply: ChatCompletionResponse) -> Attributes:
    """Return the attributes of a reply, without its content."""
    found: Attributes = {"specado.attempts": reply.extensions.attempts}
    if reply.id:
        found["gen_ai.response.id"] = reply.id
    reasons = [choice.finish_reason for choice in reply.choices if choice.finish_reason]
    if reasons:
        found["gen_ai.response.finish_reasons"] = reasons
    usage = reply.usage
    if usage is not None:
        found["gen_ai.usage.input_tokens"] = usage.prompt_tokens
        found["gen_ai.usage.output_tokens"] = usage.completion_tokens
        prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
        for name, tokens in (
            ("cache_read.input_tokens", prompt and prompt.cached_tokens),
            ("cache_creation.input_tokens", prompt and prompt.cache_write_tokens),
            ("reasoning.output_tokens", completion and completion.reasoning_tokens),
        ):
            if tokens:
                found[f"gen_ai.usage.{name}"] = tokens
    cost = reply.extensions.metadata.get("cost", {})
    if cost.get("usd") is not None:
        found["specado.cost.usd"] = cost["usd"]
        found["specado.cost.certainty"] = cost["certainty"]
    return found


def instrument(
    tracer_provider: Optional[TracerProvider] = None,
    meter_provider: Optional[MeterProvider] = None,
) -> None:
    """Trace and measure every call of this process from now on.

    Args:
        tracer_provider: where spans go; by default the process's own.
        meter_provider: where metrics go; by default the process's own.
    """
    instruments = _Instruments(tracer_provider, meter_provider)
    set_instrumentation(lambda call: _CallSpan(call, instruments))


def uninstrument() -> None:
    """Stop tracing and measuring new calls; running ones are recorded to their end."""
    set_instrumentation(None)
