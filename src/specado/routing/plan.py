"""The candidates of one call: encoded, judged, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional

import msgspec
from msgspec.structs import replace

from specado._core import Conversation
from specado.catalog import lookup as catalog
from specado.dialects.contract import Encoded
from specado.dialects.registry import encode
from specado.endpoints.access import Access, key_setting
from specado.endpoints.endpoint import Endpoint
from specado.endpoints.request import wire_request
from specado.errors import (
    ConfigurationError,
    ContextLengthError,
    LossyTranslationError,
    SpecadoError,
)
from specado.losses.report import SEVERITIES, LossinessReport, RefusedLoss, refusal, report_of
from specado.losses.rows import ROWS
from specado.routing.candidates import ModelResolver, Route, routes
from specado.routing.estimate import estimated_price_usd, estimated_tokens, exceeds_window
from specado.routing.health import Deployment

if TYPE_CHECKING:
    from datetime import date

    from specado.catalog.lookup import Model, Provider
    from specado.settings.client_settings import Settings
    from specado.transport import WireRequest

__all__ = [
    "Candidate",
    "Plan",
    "PlannedCandidate",
    "Request",
    "Skipped",
    "call_routes",
    "make_plan",
    "show_plan",
]

# Of one client; models are few, but their names come from callers.
MAX_KNOWN_ROUTES = 256
_NO_OPTIONS: dict[str, Any] = {}


class Request(msgspec.Struct, frozen=True):
    """What a caller asked for, checked."""

    model: str
    conversation: Conversation
    parameters: dict[str, Any]
    options: dict[str, Any]

    def __repr__(self) -> str:  # the options may hold keys in headers
        return f"Request(model={self.model!r}, {len(self.conversation)} messages)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("model", self.model)]


class Skipped(msgspec.Struct, frozen=True):
    """A candidate that is not tried, and why."""

    provider: str
    model: Optional[str]
    reason: str

    def __str__(self) -> str:
        name = self.provider if self.model is None else f"{self.provider}/{self.model}"
        return f"{name} was not asked: {self.reason}"


class Candidate(msgspec.Struct, frozen=True):
    """One provider and model that may be asked, with the body that would be sent.

    `index` is its place among the call's routes; 0 is the one the caller meant. `deployment` is
    the identity under which the process remembers how attempts went.
    """

    index: int
    endpoint: Endpoint
    model: str
    facts: Optional[Any]  # a capabilities.Model
    encoded: Encoded
    deployment: Deployment
    is_retired: bool = False
    extra_headers: tuple[tuple[str, str], ...] = ()
    extra_query: Optional[Mapping[str, str]] = None

    @property
    def fallback_index(self) -> int | None:
        """The place among the fallbacks, from 0; `None` for the first candidate."""
        return self.index - 1 if self.index else None

    @property
    def provider(self) -> str:
        """The provider's name."""
        return self.endpoint.provider.name

    @property
    def report(self) -> LossinessReport | None:
        """What the request loses on its way there, `None` if nothing."""
        losses = self.encoded.losses
        if not losses or all(ROWS[row].severity == "None" for row, _, _, _ in losses):
            return None
        return report_of(losses)

    @property
    def context_window(self) -> int | None:
        """The model's context window in tokens, if known."""
        facts: Model | None = self.facts
        return None if facts is None else facts.context_window

    def facts_of(self, answered: str) -> Model | None:
        """Return what is known of the model that answered, by the name that its reply gives."""
        return self.endpoint.provider.find(answered) or self.facts

    def wire_request(self, *, with_key: bool = True) -> WireRequest:
        """Return the request as it goes out; without its key no callable is asked for one."""
        endpoint = self.endpoint if with_key else self.endpoint.without_key()
        return wire_request(
            endpoint, self.model, self.encoded.body, self.extra_headers, self.extra_query
        )

    def __repr__(self) -> str:
        return f"Candidate({self.provider}/{self.model})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # msgspec's own shows the headers
        return [("provider", self.provider), ("model", self.model)]


class EvaluatedRoute(msgspec.Struct, frozen=True):
    """A route and what became of it: a candidate, or the reason why it is none."""

    route: Route
    candidate: Optional[Candidate]
    reason: Optional[str] = None
    error: Optional[SpecadoError] = None  # what to raise where no candidate is left
    lacks_key: bool = False


class Plan(msgspec.Struct, frozen=True):
    """The eligible candidates in order, what was skipped, and whom the call was meant for."""

    candidates: list[Candidate]
    skipped: list[Skipped]
    primary_provider: str
    fallback_provider: Optional[str]

    @property
    def first_skipped(self) -> Skipped | None:
        """The candidate that the call was meant for, if it is not asked; its text says why."""
        return self.skipped[0] if self.skipped and self.candidates[0].index else None


class PlannedCandidate(msgspec.Struct, frozen=True):
    """A candidate as `plan` shows it.

    `reasons` tell why it is not eligible. `losses` is `None` where the request could not be
    translated. `estimated_tokens` is the prompt's size by rule of thumb, `estimated_price_usd`
    its price in dollars without the answer's; `None` where they are not known.
    """

    provider: str
    model: Optional[str]
    eligible: bool
    reasons: list[str]
    losses: Optional[LossinessReport]
    estimated_tokens: Optional[int]
    estimated_price_usd: Optional[float]


def make_plan(
    request: Request, settings: Settings, access: Access, today: date, *, simulated: bool
) -> Plan:
    """Return the plan of a call. Nothing is sent.

    Raises:
        ConfigurationError: the first candidate has no credentials.
        LossyTranslationError: the strictness refuses every candidate.
        ContextLengthError: the request is too long for every candidate.
        MessageFormatError: the request is not well formed.
    """
    judged = _judge_all(request, settings, access, today, simulated=simulated)
    first = judged[0]
    if first.candidate is None and first.error is not None:
        raise first.error
    candidates = [each.candidate for each in judged if each.reason is None and each.candidate]
    if not candidates:
        raise _plainest([each.error for each in judged if each.error is not None])
    skipped = [
        Skipped(each.route.provider.name, each.route.model, each.reason)
        for each in judged
        if each.reason is not None
    ]
    following = judged[1].route.provider.name if len(judged) > 1 else None
    return Plan(candidates, skipped, first.route.provider.name, following)


def show_plan(
    request: Request, settings: Settings, access: Access, today: date, *, simulated: bool
) -> list[PlannedCandidate]:
    """Return every candidate of a call in order, eligible or not. Nothing is sent.

    Raises:
        MessageFormatError: the request is not well formed.
    """
    shown = []
    for each in _judge_all(request, settings, access, today, simulated=simulated):
        candidate = each.candidate
        tokens = None
        if candidate is not None:
            tokens = estimated_tokens(request.conversation, candidate.encoded.body)
        shown.append(
            PlannedCandidate(
                provider=each.route.provider.name,
                model=each.route.model,
                eligible=each.reason is None,
                reasons=[] if each.reason is None else [each.reason],
                losses=None if candidate is None else report_of(candidate.encoded.losses),
                estimated_tokens=tokens,
                estimated_price_usd=None
                if tokens is None
                else estimated_price_usd(tokens, each.route.facts),
            )
        )
    return shown


def _judge_all(
    request: Request, settings: Settings, access: Access, today: date, *, simulated: bool
) -> list[EvaluatedRoute]:
    found = call_routes(request, settings, access, today)
    strictness = request.options.get("strictness", settings.strictness)
    judged = [
        _judge(route, index, request, access, strictness, simulated=simulated)
        for index, route in enumerate(found)
    ]
    first = judged[0]
    if first.lacks_key and first.reason is not None:
        reason = first.reason + _keys_elsewhere(found, settings, access)
        judged[0] = replace(first, reason=reason, error=ConfigurationError(reason, key="api_key"))
    return judged


def _keys_elsewhere(found: Sequence[Route], settings: Settings, access: Access) -> str:
    """Return what to say of keys for providers that are no candidates of the call."""
    asked = {route.provider.name for route in found}
    lookup = ModelResolver(settings, access.has_own_address)
    by_prefix = not lookup.takes_ids_whole(lookup.primary)
    said = ""
    for name in catalog.list_providers():
        provider = catalog.provider(name)
        if provider is None or name in asked:
            continue
        held_in = key_setting(provider, settings)
        if held_in is not None:
            way = f"say {name}/…" if by_prefix else f"set primary_provider to {name!r}"
            said += f"; {held_in} is set: {way}"
    return said


def call_routes(
    request: Request, settings: Settings, access: Access, today: date
) -> Sequence[Route]:
    """Return the call's routes; those that are the same for every request are looked up once."""
    named = request.options.get("fallback_models")
    key = (
        request.model,
        named if named is None else tuple(named),
        today,
        catalog.registrations(),
    )
    found: Sequence[Route] | None = access.known_routes.get(key)
    if found is None:
        scale = _Scale(request)
        lookup = ModelResolver(settings, access.has_own_address)
        found = routes(request.model, settings, named, today, scale.weigh, lookup)
        if not scale.was_used:
            if len(access.known_routes) >= MAX_KNOWN_ROUTES:
                access.known_routes.clear()
            access.known_routes[key] = found
    return found


def _judge(
    route: Route,
    index: int,
    request: Request,
    access: Access,
    strictness: str,
    *,
    simulated: bool,
) -> EvaluatedRoute:
    """Return a route's candidate, and the reason why it is not eligible if there is one."""
    provider, facts = route.provider, route.facts
    if route.model is None:
        reason = f"no model of {provider.name!r} is known to stand in: name one in model_map"
        return EvaluatedRoute(route, None, reason)
    if facts is not None and route.is_retired and not route.named:
        return EvaluatedRoute(route, None, f"{facts.id!r} was retired on {facts.deprecation_date}")
    try:
        endpoint = access.endpoint(provider)
        if endpoint.missing is not None and not simulated:
            missing = ConfigurationError(endpoint.missing, key="api_key")
            return EvaluatedRoute(route, None, missing.message, missing, lacks_key=True)
        candidate = _candidate(route, endpoint, request, index)
    except SpecadoError as error:
        if index == 0 and not isinstance(error, ConfigurationError):
            raise
        # Without its traceback, whose frames would keep all of the call alive in a cycle.
        return EvaluatedRoute(route, None, error.message, error.with_traceback(None))
    body, losses = candidate.encoded.body, candidate.encoded.losses
    tokens = estimated_tokens(request.conversation, body)
    if facts is not None and exceeds_window(tokens, facts.context_window):
        reason = (
            f"the prompt has about {tokens:,} tokens, the context window of {route.model!r} "
            f"{candidate.context_window:,}"
        )
        too_long = ContextLengthError(
            f"{provider.name}/{route.model}: {reason}",
            provider=provider.name,
            model=route.model,
            attempts=0,
            sent=False,
        )
        return EvaluatedRoute(route, candidate, reason, too_long)
    refused = refusal(strictness, losses) if losses else None
    if refused is not None:
        reason = f"strictness {strictness!r} refuses a loss: {refused.text}"
        return EvaluatedRoute(route, candidate, reason, _lossy(candidate, refused))
    return EvaluatedRoute(route, candidate)


def _candidate(route: Route, endpoint: Endpoint, request: Request, index: int) -> Candidate:
    model = route.model or request.model
    parameters = request.parameters
    if parameters.get("stream"):
        parameters = _with_usage(parameters, route.provider)
    # The first candidate alone: what is extra there may not exist at another provider.
    own = request.options if index == 0 else _NO_OPTIONS
    encoded = encode(
        route.provider.dialect,
        request.conversation,
        model,
        parameters,
        route.facts,
        own.get("extra_body"),
    )
    extra_headers = own.get("extra_headers", ())
    account = endpoint.account
    if extra_headers:
        account = account.with_headers(extra_headers, route.provider.authentication)
    return Candidate(
        index,
        endpoint,
        model,
        route.facts,
        encoded,
        Deployment(route.provider.name, account, model),
        route.is_retired,
        extra_headers,
        own.get("extra_query"),
    )


def _with_usage(parameters: dict[str, Any], provider: Provider) -> dict[str, Any]:
    """Return a stream's parameters that ask for its usage where the provider can give it."""
    options = dict(parameters.get("stream_options") or {})
    options.pop("include_usage", None)
    if provider.stream_usage:
        options["include_usage"] = True
    streamed = {**parameters, "stream_options": options}
    if not options:
        del streamed["stream_options"]
    return streamed


class _Scale:
    """Weighs what one request loses at models; those with the same facts are weighed once."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._known: dict[Any, tuple[int, int]] = {}
        self.was_used = False

    def weigh(self, provider: Provider, model: Model) -> tuple[int, int]:
        """Return (worst severity, number of losses) of the request at *model*."""
        self.was_used = True
        facts = (
            provider.dialect,
            model.traits,
            model.features,
            model.input_modalities,
            model.max_output_tokens,
        )
        found = self._known.get(facts)
        if found is None:
            found = self._known[facts] = self._weigh(provider, model)
        return found

    def _weigh(self, provider: Provider, model: Model) -> tuple[int, int]:
        request = self._request
        encoded = encode(
            provider.dialect, request.conversation, model.id, request.parameters, model
        )
        severities = [SEVERITIES.index(ROWS[row].severity) for row, _, _, _ in encoded.losses]
        lossy = [severity for severity in severities if severity]
        return max(lossy, default=0), len(lossy)


def _lossy(candidate: Candidate, refused: RefusedLoss) -> LossyTranslationError:
    """Return the error for a candidate that the strictness refuses."""
    return LossyTranslationError(
        f"{candidate.provider}/{candidate.model}: {refused.text}; "
        f"{refused.setting} would let the request through",
        report=report_of(candidate.encoded.losses),
        setting=refused.setting,
    )


def _plainest(errors: list[SpecadoError]) -> SpecadoError:
    """Return the first error, or of losses the first that the mildest change lets through."""
    first = errors[0]
    if not isinstance(first, LossyTranslationError):
        return first
    lossy = [error for error in errors if isinstance(error, LossyTranslationError)]
    return next((error for error in lossy if error.setting == "strictness='warn'"), first)
