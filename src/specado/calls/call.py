"""State of one completion call, shared by the synchronous and the asynchronous driver.

Builds the plan, reads replies into outcomes, and fills the metadata or raises the final error.
"""

from __future__ import annotations

import functools
import random
import time
import warnings
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Optional, TypeVar, Union, cast

from specado._core import normalize
from specado.calls import metadata
from specado.calls.events import Observers, instrumentation_for, logger
from specado.calls.simulation import SimulatedClock, is_simulated
from specado.calls.stream_state import StreamState, WholeReply, is_abandoned
from specado.catalog.prices import cost_of
from specado.dialects.errors import ReplySource, error_from_failure
from specado.dialects.replies import read_reply
from specado.dialects.tool_names import RestoringDecoder
from specado.endpoints.request import RequestSecrets
from specado.errors import (
    ConfigurationError,
    ContentPolicyError,
    MessageFormatError,
    ProviderError,
    RetiredModelWarning,
    caller_stacklevel,
)
from specado.routing.attempts import Answer, CallLimits, attempts
from specado.routing.candidates import ModelResolver, check_name, known_provider
from specado.routing.dialect_routes import named_dialects
from specado.routing.health import Attempt, shared_health
from specado.routing.plan import Plan, PlannedCandidate, Request, make_plan, show_plan
from specado.settings.parameters import check
from specado.transport import ignored_encoding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from specado.dialects.contract import StreamDecoder
    from specado.endpoints.access import Access
    from specado.routing.attempts import CallHistory, Outcome, Result, Steps
    from specado.routing.plan import Candidate
    from specado.settings.client_settings import Settings
    from specado.settings.secrets import Secret
    from specado.transport import (
        AsyncOpenReply,
        OpenReply,
        TransportFailure,
        WireReply,
        WireRequest,
    )
    from specado.types import ChatCompletionResponse, Extensions

__all__ = ["CompletionCall", "check_providers", "planned"]

Error = TypeVar("Error", bound=Optional[ProviderError])

# Warnings that this process has given: each is given once. Two threads may both give one.
_warned: set[str] = set()


def check_providers(settings: Settings) -> None:
    """Refuse settings that name a provider which is not registered."""
    check_name(settings.primary_provider, "primary_provider")
    if settings.fallback_provider is not None:
        check_name(settings.fallback_provider, "fallback_provider")
    for name in settings.fallback_providers or ():
        check_name(name, "fallback_providers")
    for name, own in settings.providers.items():
        check_name(name, "providers")
        if own.dialects is not None:
            named_dialects(known_provider(name, "providers"), own.dialects)
    for model, targets in settings.model_map.items():
        for name in targets:
            check_name(name, f"model_map[{model!r}]")
    if settings.model_map:
        ModelResolver(settings).check_model_map()


def _checked(
    model: Any, messages: Any, given: Mapping[str, Any], function: str = "create"
) -> Request:
    """Return the checked request; messages and parameters are read once."""
    parameters, options = check(given, function)
    if not isinstance(model, str):
        raise MessageFormatError(f"model must be a str, not {type(model).__name__}", field="model")
    return Request(str.__str__(model), normalize(messages), parameters, options)


def planned(
    settings: Settings, access: Access, model: Any, messages: Any, given: Mapping[str, Any]
) -> list[PlannedCandidate]:
    """Return the candidates of a call without making it (dry run)."""
    request = _checked(model, messages, given, "plan")
    simulated = is_simulated(request, settings, access)
    today = datetime.now(timezone.utc).date()
    return show_plan(request, settings, access, today, simulated=simulated)


def _wants_usage(parameters: dict[str, Any]) -> bool:
    """Return whether the caller of a stream wants a last chunk with its usage."""
    options = parameters.get("stream_options") or {}
    return bool(options.get("include_usage"))


def _source(candidate: Candidate, request: WireRequest | None = None) -> ReplySource:
    """Return the source of a candidate's reply; the secrets are those of *request*."""
    return ReplySource(
        candidate.provider,
        candidate.model,
        candidate.dialect.dialect,
        () if request is None else RequestSecrets(candidate.endpoint, request),
        candidate.endpoint.base_url,
    )


def _key_error(candidate: Candidate, error: Exception) -> ConfigurationError:
    """Return the error for a fallback whose key callable failed."""
    if isinstance(error, ConfigurationError):
        return error
    return ConfigurationError(
        f"providers[{candidate.provider!r}]['api_key']: the callable failed with "
        f"{type(error).__name__}",
        key="api_key",
    )


class CompletionCall:
    """One completion call: makes its plan and steps, and turns replies and failures into outcomes.

    A driver carries out the `steps` and hands every reply or failure to `read` or `failed`.
    """

    def __init__(
        self,
        settings: Settings,
        access: Access,
        model: Any,
        messages: Any,
        given: Mapping[str, Any],
    ) -> None:
        self.started_s = self._attempted_s = time.monotonic()
        self._sent = 0
        self._settings = settings
        self.request = _checked(model, messages, given)
        self.simulated = is_simulated(self.request, settings, access)
        today = datetime.now(timezone.utc).date()
        self.plan: Plan = make_plan(self.request, settings, access, today, simulated=self.simulated)
        self.is_stream = bool(self.request.parameters.get("stream"))
        self._wants_usage = self.is_stream and _wants_usage(self.request.parameters)
        self._clock = SimulatedClock() if self.simulated else None
        for candidate in self.plan.candidates:
            if candidate.is_retired and not self.simulated:
                self._warn_of_retired(candidate)
        if self.plan.ineligible and self.plan.first_skipped is not None:
            logger.warning("%s", self.plan.first_skipped)
        self._asked: Optional[Candidate] = None
        # Whether the call goes through specado's own connections, which no mocking tool sees.
        self.uses_own_connections = False
        self.instrumentation = instrumentation_for(self)
        self._observers = Observers(settings.hooks, self.instrumentation)
        self.wire_limits = access.wire_limits(self.request.options.get("connect_timeout_seconds"))

    def _warn_of_retired(self, candidate: Candidate) -> None:
        facts = candidate.facts
        named = "fallback_models" in self.request.options
        if facts is None or (candidate.index and not named):
            return
        model = f"{facts.provider}/{facts.id}"
        if model not in _warned:
            _warned.add(model)
            text = f"{facts.provider} retired {facts.id!r} on {facts.deprecation_date}"
            today = datetime.now(timezone.utc).date()
            successor = candidate.endpoint.provider.successor(facts, today)
            if successor is not None:
                text += f"; use {successor!r} instead"
            warnings.warn(text, RetiredModelWarning, stacklevel=caller_stacklevel())

    def steps(self) -> Steps:
        """Return the generator of this call's effects."""
        settings, options = self._settings, self.request.options
        limits = CallLimits(
            options.get("timeout_seconds", settings.timeout_seconds),
            options.get("attempt_timeout_seconds", settings.attempt_timeout_seconds),
            settings.first_token_timeout_seconds if self.is_stream else None,
            options.get("max_retries", settings.max_retries),
            settings.fallback_on_content_policy,
        )
        clock = self._clock
        if clock is not None:  # a simulated call must not change the health of a real provider
            return attempts(self.plan, limits, clock.now, random.random)
        return attempts(
            self.plan, limits, time.monotonic, random.random, self.started_s, shared_health
        )

    def waits(self, delay_s: float) -> float:
        """Return the seconds to sleep for a wait of *delay_s*: 0.0 in a simulated call."""
        if self._clock is not None:
            self._clock.pass_time(delay_s)
            delay_s = 0.0
        self._attempted_s = time.monotonic() + delay_s
        return delay_s

    def request_of(
        self, candidate: Candidate, fetched: Secret | None = None
    ) -> WireRequest | ConfigurationError:
        """Return the HTTP request to a candidate, or an error if a fallback cannot be asked.

        *fetched* is a key that `fetched_key` gave. An exception from the key callable of the first
        candidate propagates unchanged.
        """
        try:
            request = candidate.wire_request(
                with_key=not self.simulated, is_stream=self.is_stream, fetched=fetched
            )
        except Exception as error:
            if candidate.fallback_index is None:
                raise
            return _key_error(candidate, error)
        self._asked = candidate
        return request

    def key_callable(self, candidate: Candidate) -> Secret | None:
        """Return the callable to ask for a candidate's key, `None` if there is none to ask."""
        return None if self.simulated else candidate.key_callable

    async def fetched_key(
        self, candidate: Candidate, source: Secret, timeout_s: float
    ) -> Secret | ConfigurationError:
        """Return the key that a callable gives, or an error if a fallback cannot be asked."""
        try:
            return await source.fetched(timeout_s)
        except Exception as error:
            if candidate.fallback_index is None:
                raise
            return _key_error(candidate, error)

    def read(self, candidate: Candidate, request: WireRequest, reply: WireReply) -> Outcome:
        """Return the outcome of a whole reply: a completion, a stream or an error."""
        source = _source(candidate, request)
        outcome = read_reply(
            source,
            reply,
            answer_tool=candidate.encoded.answer_tool,
            tool_names=candidate.encoded.tool_names,
            now_s=time.time(),
            stop_means_calls=self._stop_means_calls(candidate),
        )
        if isinstance(outcome, ProviderError):
            return self._attempted(candidate, outcome)
        if self.is_stream:
            whole = WholeReply(outcome, include_usage=self._wants_usage)
            return self.opened(candidate, self._stream_state(source, reply, whole))
        if self._settings.fallback_on_content_policy and any(
            choice.finish_reason == "content_filter" or choice.message.refusal
            for choice in outcome.choices
        ):
            return self._refused(
                candidate, source.facts_of(reply.status, reply.headers, reply.body)
            )
        self._attempted(candidate, None)
        return outcome

    def begin(
        self, candidate: Candidate, request: WireRequest, opened: OpenReply | AsyncOpenReply
    ) -> StreamState | None:
        """Return the state of the stream in an open reply, `None` for a reply that is no stream.

        Raises:
            TransportFailure: the content encoding is unknown.
        """
        route = candidate.dialect
        if not route.framing.is_stream(opened.status, opened.headers):
            return None
        source = _source(candidate, request)
        reader = source.dialect.stream_decoder(
            source.provider,
            source.model,
            int(time.time()),
            emulated=candidate.encoded.answer_tool is not None,
            include_usage=self._wants_usage,
            stop_means_calls=self._stop_means_calls(candidate),
            stream_end=route.stream_end,
            reply_id=opened.headers.get(source.dialect.reply_id_header, ""),
            max_frame_bytes=self._settings.max_frame_bytes,
            max_reply_bytes=self._settings.max_reply_bytes,
        )
        names = candidate.encoded.tool_names
        if names is not None:
            reader = RestoringDecoder(reader, names)
        return self._stream_state(source, opened, reader, opened)

    def _stop_means_calls(self, candidate: Candidate) -> bool:
        """Return whether a candidate that says `stop` beside tool calls means `tool_calls`.

        OpenAI documents `stop` where `tool_choice` names the function.
        """
        if not candidate.dialect.is_compatible or candidate.encoded.answer_tool is not None:
            return False
        choice = self.request.parameters.get("tool_choice")
        return not (isinstance(choice, dict) and choice.get("type") in ("function", "custom"))

    def opened(self, candidate: Candidate, state: StreamState) -> Outcome:
        """Return the outcome of a stream that is past its commit point or has failed before it.

        A stream that fails after its first content counts as committed, even if all its bytes
        came at once.
        """
        if state.error is not None and not state.is_committed:
            return self._attempted(candidate, state.error)
        if self._settings.fallback_on_content_policy and state.is_refusal:
            return self._refused(candidate, state.reply_facts())
        self._attempted(candidate, None)
        return state

    def _stream_state(
        self,
        source: ReplySource,
        reply: WireReply | OpenReply | AsyncOpenReply,
        reader: StreamDecoder | WholeReply,
        opened: OpenReply | AsyncOpenReply | None = None,
    ) -> StreamState:
        settings, options = self._settings, self.request.options
        return StreamState(
            reader,
            source,
            status=reply.status,
            headers=reply.headers,
            idle_timeout_s=options.get("idle_timeout_seconds", settings.idle_timeout_seconds),
            content_timeout_s=options.get(
                "content_timeout_seconds", settings.content_timeout_seconds
            ),
            max_frame_bytes=settings.max_frame_bytes,
            opened=opened,
        )

    def _refused(self, candidate: Candidate, of_reply: dict[str, Any]) -> ContentPolicyError:
        """Return the error for a model's refusal under `fallback_on_content_policy`."""
        text = f"the model refused (HTTP {of_reply['status_code']})"
        refusal = _source(candidate).error(ContentPolicyError, text, code="refusal", **of_reply)
        return self._attempted(candidate, refusal)

    def failed(
        self,
        candidate: Candidate,
        request: WireRequest,
        failure: TransportFailure,
        timeout_s: float,
    ) -> ProviderError:
        """Return the error for a request to which no usable reply came."""
        if failure.kind == "timeout" and self._clock is not None:
            self._clock.pass_time(timeout_s)
        return self._attempted(candidate, error_from_failure(_source(candidate, request), failure))

    def _attempted(self, candidate: Candidate, error: Error) -> Error:
        """Report a finished attempt to the observers; return its error."""
        self._asked = None
        self._sent += 1
        now_s = time.monotonic()
        duration_ms = (now_s - self._attempted_s) * 1000
        self._attempted_s = now_s
        self._observers.attempted(candidate, self._sent, duration_ms, error)
        return error

    def abandon(self) -> None:
        """Report an attempt without an outcome, if there is one, as cancelled or interrupted."""
        if self._asked is not None:
            abandoned = _source(self._asked).error(
                ProviderError,
                "the attempt was cancelled or interrupted",
                code="cancelled",
                attempts=self._sent + 1,
            )
            self._attempted(self._asked, abandoned)

    def conclude(self, result: Result) -> ChatCompletionResponse | StreamState:
        """Return the reply or stream with its metadata filled in, or raise the call's error."""
        history, ended = result
        skipped = self.plan.first_skipped if self.plan.ineligible else None
        if not isinstance(ended, Answer):
            error = ended if skipped is None else ended.with_addition(str(skipped))
            if isinstance(error, ProviderError):
                error = self._with_mock_hint(error)
                self._observers.failed(error)
            raise error
        reply = cast("Union[ChatCompletionResponse, StreamState]", ended.reply)
        candidate = ended.candidate
        if candidate.index:
            last = history.errors[-1] if history.errors else None
            why = metadata.not_asked(self.plan, history)[0].reason if last is None else last.message
            self._observers.fell_back(candidate, why, last)
        earlier_notes = self._add_metadata(reply.extensions, reply.headers, candidate, history)
        if isinstance(reply, StreamState):
            reply.commit(
                functools.partial(self._stream_ended, ended.attempt, candidate),
                earlier_errors=history.errors,
                earlier_notes=earlier_notes,
                skipped=None if skipped is None else str(skipped),
            )
        else:
            answered = candidate.facts_of(reply.model)
            known = reply.extensions.metadata
            known["cost"] = cost_of(reply, answered, history.errors)
            if "response_format" in self.request.parameters:
                self._check_bounds(candidate, reply)
            self._observers.replied(candidate, reply)
        return reply

    def _with_mock_hint(self, error: ProviderError) -> ProviderError:
        """Return *error*, with a hint where a test meant to mock a call that was really made."""
        if not self.uses_own_connections:
            return error
        # Imported here: most calls do not fail.
        from specado.calls.mock_tools import passed_by_tool

        tool = passed_by_tool()
        if tool is None:
            return error
        return error.with_addition(
            f"{tool} is active but does not see specado's own connections: give the client an "
            "http_client or async_http_client of httpx"
        )

    def _add_metadata(
        self,
        extensions: Extensions,
        headers: Mapping[str, str],
        candidate: Candidate,
        history: CallHistory,
    ) -> list[str]:
        """Add the call's metadata to a reply's own; return the notes on the attempts before."""
        known = metadata.of_call(
            self.plan, history, candidate, latency_ms=self._latency_ms(), simulated=self.simulated
        )
        earlier_notes: list[str] = known.get("reply_notes", [])
        encoding = ignored_encoding(headers) if "content-encoding" in headers else None
        if encoding is not None:
            note = f"content-encoding: {encoding!r} is no encoding, ignored"
            earlier_notes = [*earlier_notes, note]
        own = extensions.metadata
        if own:
            known.update(own)
        if earlier_notes:
            known["reply_notes"] = earlier_notes + own.get("reply_notes", [])
        request_id = candidate.dialect.dialect.request_id_in(headers)
        if request_id is not None:
            known["request_id"] = request_id
        extensions.fallback_triggered = candidate.index > 0
        extensions.attempts = history.attempts
        extensions.metadata = known
        return earlier_notes

    def _stream_ended(
        self, attempt: Attempt | None, candidate: Candidate, state: StreamState
    ) -> None:
        """Record health, cost and metadata at the end of a stream that the caller has got."""
        if attempt is not None:
            failed = None if state.error is None or is_abandoned(state.error) else state.error
            shared_health.settle(attempt, failed, time.monotonic())
        error, response = state.error, state.response()
        facts, is_whole = candidate.facts_of(response.model), error is None
        cost = cost_of(response, facts, state.earlier_errors, is_whole=is_whole)
        state.add_metadata(latency_ms=self._latency_ms(), cost=cost)
        if error is None:
            if "response_format" in self.request.parameters:
                self._check_bounds(candidate, response)
            self._observers.replied(candidate, response)
        else:
            self._observers.broke_off(candidate, state, error, is_abandoned=is_abandoned(error))

    def _check_bounds(self, candidate: Candidate, reply: ChatCompletionResponse) -> None:
        """Add a note for each bound of the requested JSON Schema that the answer breaks."""
        wanted = self.request.parameters["response_format"]
        # `extra_body`, which goes to the first candidate only, may replace the response format.
        added = self.request.options.get("extra_body") if candidate.index == 0 else None
        if not added or "response_format" not in added:
            metadata.note_broken_bounds(reply, wanted)

    def _latency_ms(self) -> float:
        return int((time.monotonic() - self.started_s) * 1e6) / 1000
