"""Plan of one call: its candidates in order, each encoded and checked when its turn comes."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional

import msgspec
from msgspec.structs import replace

from specado._core import Conversation, frozen_parameters
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
from specado.routing.candidates import ModelResolver, Route, choose_model, routes
from specado.routing.dialect_routes import (
    CONVERSATION_STORED,
    DialectRoute,
    binding_member,
    dialect_routes,
    sent_parameters,
    spoken_dialects,
    written_in_one,
)
from specado.routing.estimate import estimated_price_usd, estimated_tokens, exceeds_window
from specado.routing.health import Deployment

if TYPE_CHECKING:
    from datetime import date

    from specado.catalog.lookup import Model, Provider, RequestRules
    from specado.settings.client_settings import Settings
    from specado.settings.secrets import Secret
    from specado.transport import WireRequest

__all__ = [
    "NOT_ENCODED",
    "Candidate",
    "Ineligible",
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


class Request(msgspec.Struct, frozen=True):
    """The checked arguments of one call."""

    model: str
    conversation: Conversation
    parameters: dict[str, Any]
    options: dict[str, Any]

    def __repr__(self) -> str:  # the options may hold keys in headers
        return f"Request(model={self.model!r}, {len(self.conversation)} messages)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("model", self.model)]


class Skipped(msgspec.Struct, frozen=True):
    """A candidate that is not asked, and the reason."""

    provider: str
    model: Optional[str]
    reason: str

    def __str__(self) -> str:
        name = self.provider if self.model is None else f"{self.provider}/{self.model}"
        return f"{name} was not asked: {self.reason}"


# In place of the body of a candidate that is not judged yet.
NOT_ENCODED = Encoded(b"", [])


class Candidate(msgspec.Struct):
    """One provider and model that may be asked, with the body that would be sent.

    `index` is its place among the call's routes; 0 is the one the caller meant. `deployment` is
    the identity under which the process remembers how attempts went. The plan writes `encoded`
    when the candidate's turn comes, in one of the `dialects`, and chooses the model of an open
    route. A candidate belongs to one call and is not shared by threads.
    """

    index: int
    endpoint: Endpoint
    model: str  # "" where the route is open
    facts: Optional[Any]  # a capabilities.Model
    encoded: Encoded
    deployment: Deployment
    dialects: tuple[DialectRoute, ...]  # in order of preference
    dialect: DialectRoute  # of these, that of the body
    is_retired: bool = False
    extra_headers: tuple[tuple[str, str], ...] = ()
    extra_query: Optional[Mapping[str, str]] = None

    @property
    def is_encoded(self) -> bool:
        """True once the candidate's body is encoded."""
        return self.encoded is not NOT_ENCODED

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
        """The loss report of the candidate's body, `None` without a loss."""
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
        """Return the catalog's facts about the model that a reply names."""
        return self.endpoint.provider.find(answered) or self.facts

    @property
    def key_callable(self) -> Secret | None:
        """The callable that gives the key of each request; `None` where none is to be asked."""
        found = self.endpoint.key_callable
        if found is None or self.endpoint.flow.key_headers(self.extra_headers):
            return None
        return found

    def renew_key(self) -> bool:
        """Return whether the next request may have another key than one that has expired."""
        found = self.key_callable
        return found is not None and found.renew()

    def wire_request(
        self, *, with_key: bool = True, is_stream: bool = False, fetched: Secret | None = None
    ) -> WireRequest:
        """Return the request as it goes out; without its key no callable is asked for one.

        *fetched* is a key that the callable has already given for it.
        """
        endpoint = self.endpoint if with_key else self.endpoint.without_key()
        if fetched is not None:
            endpoint = endpoint.with_fetched(fetched)
        url = self.dialect.stream_url if is_stream else self.dialect.url
        return wire_request(endpoint, url, self.encoded.body, self.extra_headers, self.extra_query)

    def __repr__(self) -> str:
        return f"Candidate({self.provider}/{self.model})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # msgspec's own shows the headers
        return [("provider", self.provider), ("model", self.model)]


class Ineligible(msgspec.Struct, frozen=True):
    """The reason why a candidate is not eligible; `error` is raised where no candidate is left."""

    skipped: Skipped
    error: Optional[SpecadoError] = None
    lacks_key: bool = False


class Plan(msgspec.Struct):
    """The candidates of a call in order, each checked for eligibility when its turn comes.

    `candidates` are those that may be asked: judged to be eligible, or not judged yet. The first
    of them is judged. `ineligible` has the others by their index. A plan belongs to one call and
    is not shared by threads.
    """

    candidates: list[Candidate]
    ineligible: dict[int, Ineligible]
    primary_provider: str
    fallback_provider: Optional[str]
    judge: Optional[_Judge] = None

    @property
    def skipped(self) -> list[Skipped]:
        """The candidates that were judged and are not asked, in order."""
        found = self.ineligible
        return [found[index].skipped for index in sorted(found)] if found else []

    @property
    def first_skipped(self) -> Skipped | None:
        """The candidate that the call was meant for, if it is not asked; its text says why."""
        first = self.ineligible.get(0)
        return None if first is None else first.skipped

    def is_eligible(self, candidate: Candidate) -> bool:
        """Return whether a candidate may be asked, now that its turn has come.

        Its body is written here. One that may not be asked is no candidate any more.
        """
        if candidate.encoded is not NOT_ENCODED or self.judge is None:
            return True
        found = self.judge.judge(candidate)
        if found is None:
            return True
        self.candidates.remove(candidate)
        self.ineligible[candidate.index] = found
        return False

    def leave_out_signed(self, candidate: Candidate) -> bool:
        """Write a candidate's body without signed and encrypted content.

        Return whether that changed it, and the strictness lets it.
        """
        return self.judge is not None and self.judge.leave_out_signed(candidate)

    def choose_model(self, candidate: Candidate) -> None:
        """Give a candidate of an open route its model, now that its turn has come."""
        if self.judge is not None and not candidate.model:
            self.judge.choose_model(candidate)


class _KnownRoutes(msgspec.Struct, frozen=True):
    """The routes of any call that names the same models, and the candidates to copy for each.

    `candidates` is empty where one of the routes has none, for a reason that is made each time.
    """

    routes: Sequence[Route]
    candidates: tuple[Candidate, ...] = ()


class PlannedCandidate(msgspec.Struct, frozen=True):
    """A candidate in the result of `plan`: eligibility, losses, estimated tokens and price.

    `dialect` is the name of the wire format that the request is written in, `None` where it could
    not be. `reasons` say why it is not eligible. `losses` is `None` where the request could not be
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
    dialect: Optional[str] = None


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
    known = _known_routes(request, settings, access, today, simulated=simulated)
    plan, judge = _unjudged(known, request, settings, access, today, simulated=simulated)
    if plan.ineligible:
        first = plan.ineligible.get(0)
        if first is not None and first.error is not None:
            raise first.error
    if judge.stored is not None:
        judge.forbid_others(plan)
    candidates = plan.candidates
    while candidates and not plan.is_eligible(candidates[0]):
        pass
    if not candidates:
        refused = [plan.ineligible[index].error for index in range(len(known.routes))]
        raise _plainest([error for error in refused if error is not None])
    if request.parameters and (len(candidates) > 1 or request.conversation.has_reasoning):
        judge.keep_parameters()
    return plan


def show_plan(
    request: Request, settings: Settings, access: Access, today: date, *, simulated: bool
) -> list[PlannedCandidate]:
    """Return every candidate of a call in order, eligible or not. Nothing is sent.

    Raises:
        MessageFormatError: the request is not well formed.
    """
    known = _known_routes(request, settings, access, today, simulated=simulated)
    plan, _ = _unjudged(known, request, settings, access, today, simulated=simulated)
    candidates = {candidate.index: candidate for candidate in plan.candidates}
    for candidate in candidates.values():
        plan.is_eligible(candidate)
    return [
        _shown(route, candidates.get(index), plan.ineligible.get(index), request, today)
        for index, route in enumerate(known.routes)
    ]


def _shown(
    route: Route,
    candidate: Candidate | None,
    ineligible: Ineligible | None,
    request: Request,
    today: date,
) -> PlannedCandidate:
    model, facts, losses = route.model, route.facts, None
    dialect = tokens = price = None
    if candidate is not None:
        model, facts = candidate.model, candidate.facts
        if candidate.is_encoded:
            dialect = candidate.dialect.name
            losses = report_of(candidate.encoded.losses)
            tokens = estimated_tokens(request.conversation, candidate.encoded.body)
            price = estimated_price_usd(tokens, facts, today)
    return PlannedCandidate(
        provider=route.provider.name,
        model=model,
        eligible=ineligible is None,
        reasons=[] if ineligible is None else [ineligible.skipped.reason],
        losses=losses,
        estimated_tokens=tokens,
        estimated_price_usd=price,
        dialect=dialect,
    )


def _unjudged(
    known: _KnownRoutes,
    request: Request,
    settings: Settings,
    access: Access,
    today: date,
    *,
    simulated: bool,
) -> tuple[Plan, _Judge]:
    """Return the plan of a call before any body is written, and what judges its candidates.

    Without a body only those are ineligible that have no model, no credentials, or a model that
    was retired and that nobody named.
    """
    found, options = known.routes, request.options
    ineligible: dict[int, Ineligible] = {}
    if known.candidates:
        # A Struct's own copy: `copy.copy` takes five times as long to find it.
        candidates = [each.__copy__() for each in known.candidates]  # type: ignore[attr-defined]
    else:
        candidates = _candidates(found, access, ineligible, simulated=simulated)
        first = ineligible.get(0)
        if first is not None and first.lacks_key:
            reason = first.skipped.reason + _keys_elsewhere(found, settings, access)
            ineligible[0] = _ineligible(found[0], reason, ConfigurationError(reason, key="api_key"))
    strictness, stored = settings.strictness, None
    if options:
        strictness = options.get("strictness", strictness)
        stored = binding_member(found[0].dialects, options.get("extra_body"))
        if candidates and candidates[0].index == 0:
            # The first only: other providers may not know the extra headers and query.
            _add_own(candidates[0], options)
    judge = _Judge(request, strictness, found[0].facts, today, access, request.parameters, stored)
    following = found[1].provider.name if len(found) > 1 else None
    return Plan(candidates, ineligible, found[0].provider.name, following, judge), judge


def _candidates(
    found: Sequence[Route],
    access: Access,
    ineligible: dict[int, Ineligible],
    *,
    simulated: bool,
) -> list[Candidate]:
    """Return the candidates of routes; why there is none for a route is added to *ineligible*."""
    candidates = []
    for index, route in enumerate(found):
        each = _candidate(route, index, access, simulated=simulated)
        if isinstance(each, Candidate):
            candidates.append(each)
        else:
            ineligible[index] = each
    return candidates


def _add_own(candidate: Candidate, options: dict[str, Any]) -> None:
    """Give the first candidate the headers and the query of the call."""
    extra_headers = options.get("extra_headers", ())
    if extra_headers:
        endpoint, deployment = candidate.endpoint, candidate.deployment
        account = endpoint.account.with_headers(extra_headers, endpoint.provider.authentication)
        candidate.deployment = replace(deployment, account=account)
        candidate.extra_headers = extra_headers
    candidate.extra_query = options.get("extra_query")


def _keys_elsewhere(found: Sequence[Route], settings: Settings, access: Access) -> str:
    """Return what to say of keys for providers that are no candidates of the call."""
    asked = {route.provider.name for route in found}
    lookup = ModelResolver(settings, access.has_own_address)
    by_prefix = not lookup.takes_ids_whole(lookup.primary)
    said = ""
    for provider in catalog.outlines():
        held_in = None if provider.name in asked else key_setting(provider, settings)
        if held_in is not None:
            name = provider.name
            way = f"say {name}/…" if by_prefix else f"set primary_provider to {name!r}"
            said += f"; {held_in} is set: {way}"
    return said


def call_routes(
    request: Request, settings: Settings, access: Access, today: date
) -> Sequence[Route]:
    """Return the call's routes."""
    return _known_routes(request, settings, access, today, simulated=False).routes


def _known_routes(
    request: Request, settings: Settings, access: Access, today: date, *, simulated: bool
) -> _KnownRoutes:
    """Return a call's routes; those that are the same for every request are looked up once."""
    named = request.options.get("fallback_models")
    key = (
        request.model,
        named if named is None else tuple(named),
        today,
        catalog.registrations(),
        simulated,
    )
    known: _KnownRoutes | None = access.known_routes.get(key)
    if known is None:
        lookup = ModelResolver(settings, access.has_own_address)
        found = routes(request.model, settings, named, today, None, lookup)
        try:
            found = [route.at(access) for route in found]
        except ConfigurationError:
            # Not cached: the endpoint is looked up again for each candidate, whose error is shown.
            return _KnownRoutes(found)
        ineligible: dict[int, Ineligible] = {}
        candidates = _candidates(found, access, ineligible, simulated=simulated)
        known = _KnownRoutes(found, () if ineligible else tuple(candidates))
        if len(access.known_routes) >= MAX_KNOWN_ROUTES:
            access.known_routes.clear()
        access.known_routes[key] = known
    return known


def _candidate(
    route: Route, index: int, access: Access, *, simulated: bool
) -> Candidate | Ineligible:
    """Return a route's candidate, without its body, or why there is none."""
    facts = route.facts
    if route.model is None and not route.is_open:
        reason = (
            f"no model of {route.provider.name!r} is known as a fallback: name one in model_map"
        )
        return _ineligible(route, reason)
    if facts is not None and route.is_retired and not route.named:
        return _ineligible(route, f"{facts.id!r} was retired on {facts.deprecation_date}")
    if route.endpoint is None:
        try:
            route = route.at(access)
        except ConfigurationError as error:
            # Without its traceback, whose frames would keep all of the call alive in a cycle.
            return _ineligible(route, error.message, error.with_traceback(None))
    endpoint, deployment = route.endpoint, route.deployment
    if endpoint is None or deployment is None:
        raise LookupError(f"{route.provider.name!r} has no endpoint")
    if endpoint.missing is not None and not simulated:
        missing = ConfigurationError(endpoint.missing, key="api_key")
        return _ineligible(route, missing.message, missing, lacks_key=True)
    return Candidate(
        index,
        endpoint,
        route.model or "",
        facts,
        NOT_ENCODED,
        deployment,
        route.dialects,
        route.dialects[0],
        route.is_retired,
    )


def _ineligible(
    route: Route, reason: str, error: SpecadoError | None = None, *, lacks_key: bool = False
) -> Ineligible:
    return Ineligible(Skipped(route.provider.name, route.model, reason), error, lacks_key)


class _Judge(msgspec.Struct):
    """Encodes the bodies of one call's candidates and checks which of them are eligible.

    `asked` are the facts of the model that the call was meant for, `None` if they are not known.
    `stored` is the member of `extra_body` that keeps the conversation with the first candidate.
    """

    request: Request
    strictness: str
    asked: Optional[Any]  # a catalog.Model
    today: Any  # a date
    access: Access
    parameters: dict[str, Any]
    stored: Optional[str] = None
    # The losses of the request, by facts: models with the same facts are weighed once.
    weights: dict[Any, tuple[int, int]] = {}

    def keep_parameters(self) -> None:
        """Copy the parameters, so that later changes by the caller have no effect."""
        self.parameters = frozen_parameters(self.parameters)

    def judge(self, candidate: Candidate) -> Ineligible | None:
        """Write a candidate's body; return why it is not eligible, `None` if it is.

        Raises:
            MessageFormatError: the first candidate has no such request; the others are ineligible.
        """
        if not candidate.model:
            self.choose_model(candidate)
        try:
            if len(candidate.dialects) == 1:
                candidate.encoded = self._encoded(candidate, candidate.dialect)
            else:
                candidate.dialect, candidate.encoded = written_in_one(
                    candidate.dialects,
                    self.parameters,
                    self.request.options.get("extra_body") if candidate.index == 0 else None,
                    self.request.conversation.native_dialect(),
                    functools.partial(self._encoded, candidate),
                )
        except SpecadoError as error:
            if candidate.index == 0:
                raise
            # Without its traceback, as above.
            return self._ineligible(candidate, error.message, error.with_traceback(None))
        if self.stored is not None:
            candidate.encoded = self._without_stored(candidate, candidate.encoded)
        body, losses = candidate.encoded.body, candidate.encoded.losses
        facts = candidate.facts
        if facts is not None:
            tokens = estimated_tokens(self.request.conversation, body)
            if exceeds_window(tokens, facts.context_window):
                reason = (
                    f"the prompt has about {tokens:,} tokens, the context window of "
                    f"{candidate.model!r} {candidate.context_window:,}"
                )
                too_long = ContextLengthError(
                    f"{candidate.provider}/{candidate.model}: {reason}",
                    provider=candidate.provider,
                    model=candidate.model,
                    attempts=0,
                    sent=False,
                )
                return self._ineligible(candidate, reason, too_long)
        refused = refusal(self.strictness, losses) if losses else None
        if refused is not None:
            return self._refused(candidate, candidate.encoded, refused)
        return None

    def forbid_others(self, plan: Plan) -> None:
        """Take the fallbacks out of a plan that lack what the first provider has stored.

        No body has to be written to know it, and the first candidate may take all of the time.
        """
        for candidate in plan.candidates[:]:
            encoded = self._without_stored(candidate, NOT_ENCODED)
            refused = refusal(self.strictness, encoded.losses)
            if refused is not None:
                plan.candidates.remove(candidate)
                plan.ineligible[candidate.index] = self._refused(candidate, encoded, refused)

    def _without_stored(self, candidate: Candidate, encoded: Encoded) -> Encoded:
        """Return a fallback's body with the loss of what the first provider has stored."""
        if candidate.index == 0:
            return encoded
        value = self.request.options["extra_body"][self.stored]
        loss = (CONVERSATION_STORED, f"extra_body.{self.stored}", value, None)
        return replace(encoded, losses=[loss, *encoded.losses])

    def _refused(self, candidate: Candidate, encoded: Encoded, refused: RefusedLoss) -> Ineligible:
        """Return why a candidate is not eligible whose loss the strictness refuses."""
        reason = f"strictness {self.strictness!r} refuses a loss: {refused.text}"
        return self._ineligible(candidate, reason, _lossy(candidate, encoded, refused))

    def choose_model(self, candidate: Candidate) -> None:
        """Give the candidate of an open route the model that loses least of the request."""
        provider = candidate.endpoint.provider
        found = choose_model(provider, self.asked, self.today, self._weigh)
        candidate.model, candidate.facts = found.id, found
        candidate.dialects = dialect_routes(
            provider, found.id, found, candidate.endpoint, self.access
        )
        candidate.dialect = candidate.dialects[0]
        candidate.deployment = replace(candidate.deployment, model=found.id)

    def leave_out_signed(self, candidate: Candidate) -> bool:
        """See `Plan.leave_out_signed`."""
        conversation = self.request.conversation.without_signed()
        if conversation is None:
            return False
        encoded = self._encoded(candidate, candidate.dialect, conversation)
        if self.stored is not None:
            encoded = self._without_stored(candidate, encoded)
        if encoded.body == candidate.encoded.body or refusal(self.strictness, encoded.losses):
            return False
        candidate.encoded = encoded
        return True

    def _encoded(
        self,
        candidate: Candidate,
        dialect: DialectRoute,
        conversation: Optional[Conversation] = None,
    ) -> Encoded:
        return encode(
            dialect.name,
            conversation or self.request.conversation,
            candidate.model,
            sent_parameters(self.parameters, may_ask_for_usage=dialect.stream_usage),
            candidate.facts,
            self.request.options.get("extra_body") if candidate.index == 0 else None,
            candidate.endpoint.request_rules,
            dialect.target,
        )

    @staticmethod
    def _ineligible(candidate: Candidate, reason: str, error: SpecadoError) -> Ineligible:
        return Ineligible(Skipped(candidate.provider, candidate.model or None, reason), error)

    def _weigh(self, provider: Provider, model: Model) -> tuple[int, int]:
        """Return (worst severity, number of losses) of the request at *model*."""
        dialect = spoken_dialects(provider, model, self.access)[0].name
        rules = self.access.endpoint(provider).request_rules
        facts = (
            dialect,
            model.in_dialect(dialect).traits,
            model.features,
            model.input_modalities,
            model.max_output_tokens,
            provider.name,  # which has its rules
        )
        found = self.weights.get(facts)
        if found is None:
            found = self.weights[facts] = self._weighed(dialect, model, rules)
        return found

    def _weighed(self, dialect: str, model: Model, rules: RequestRules) -> tuple[int, int]:
        try:
            encoded = encode(
                dialect,
                self.request.conversation,
                model.id,
                self.parameters,
                model,
                rules=rules,
            )
        except SpecadoError:  # `judge` reports it, if this model is chosen
            return len(SEVERITIES), 0
        severities = [SEVERITIES.index(ROWS[row].severity) for row, _, _, _ in encoded.losses]
        lossy = [severity for severity in severities if severity]
        return max(lossy, default=0), len(lossy)


def _lossy(candidate: Candidate, encoded: Encoded, refused: RefusedLoss) -> LossyTranslationError:
    """Return the error for a candidate that the strictness refuses."""
    return LossyTranslationError(
        f"{candidate.provider}/{candidate.model}: {refused.text}; "
        f"{refused.setting} would let the request through",
        report=report_of(encoded.losses),
        setting=refused.setting,
    )


def _plainest(errors: list[SpecadoError]) -> SpecadoError:
    """Return the first error; of lossy translations the first that `strictness='warn'` accepts."""
    first = errors[0]
    if not isinstance(first, LossyTranslationError):
        return first
    lossy = [error for error in errors if isinstance(error, LossyTranslationError)]
    return next((error for error in lossy if error.setting == "strictness='warn'"), first)
