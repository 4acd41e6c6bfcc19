"""The candidates of one call: encoded, judged, in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

import msgspec

from specado.endpoints import Access, Endpoint, wire_request
from specado.errors import ConfigurationError, LossyTranslationError, SpecadoError
from specado.losses import ROWS, LossinessReport, refuses, report_of
from specado.routing.candidates import Route, routes
from specado.translation import Encoded, encode

if TYPE_CHECKING:
    from datetime import date

    from specado._core import Conversation
    from specado.capabilities import Model
    from specado.config import Settings
    from specado.transport import WireRequest

__all__ = ["Candidate", "Plan", "Request", "Skipped", "make_plan"]


class Request(NamedTuple):
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


class Candidate(msgspec.Struct, frozen=True):
    """One provider and model that may be asked, with the body that would be sent.

    `index` is its place among the call's routes; 0 is the one the caller meant.
    """

    index: int
    endpoint: Endpoint
    model: str
    facts: Optional[Any]  # a capabilities.Model
    encoded: Encoded
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
        if all(ROWS[row].severity == "None" for row, _, _, _ in self.encoded.losses):
            return None
        return report_of(self.encoded.losses)

    @property
    def context_window(self) -> int | None:
        """The model's context window in tokens, if known."""
        facts: Model | None = self.facts
        return None if facts is None else facts.context_window

    def wire_request(self, *, with_key: bool = True) -> WireRequest:
        """Return the request as it goes out; without its key no callable is asked for one."""
        endpoint = self.endpoint if with_key else self.endpoint._replace(api_key=None)
        return wire_request(
            endpoint, self.model, self.encoded.body, self.extra_headers, self.extra_query
        )

    def __repr__(self) -> str:
        return f"Candidate({self.provider}/{self.model})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # msgspec's own shows the headers
        return [("provider", self.provider), ("model", self.model)]


class Plan(msgspec.Struct, frozen=True):
    """The eligible candidates in order, what was skipped, and whom the call was meant for."""

    candidates: list[Candidate]
    skipped: list[Skipped]
    primary_provider: str
    fallback_provider: Optional[str]


def make_plan(
    request: Request, settings: Settings, access: Access, today: date, *, simulated: bool
) -> Plan:
    """Return the plan of a call. Nothing is sent.

    Raises:
        ConfigurationError: the first candidate has no credentials.
        LossyTranslationError: the strictness refuses every candidate.
        MessageFormatError: the request is not well formed.
    """
    fallback_models = request.options.get("fallback_models")
    found = routes(request.model, settings, fallback_models, today)
    strictness = request.options.get("strictness", settings.strictness)
    candidates: list[Candidate] = []
    skipped: list[Skipped] = []
    refused: list[tuple[Candidate, str]] = []
    for index, route in enumerate(found):
        candidate = _candidate(route, request, access, index, simulated=simulated)
        if isinstance(candidate, Skipped):
            skipped.append(candidate)
            continue
        row = refuses(strictness, candidate.encoded.losses)
        if row is None:
            candidates.append(candidate)
        else:
            refused.append((candidate, row))
            reason = f"strictness {strictness!r} refuses a loss: {_loss_text(candidate, row)}"
            skipped.append(Skipped(candidate.provider, candidate.model, reason))
    if not candidates:
        raise _refusal(refused, strictness)
    following = found[1].provider.name if len(found) > 1 else None
    return Plan(candidates, skipped, found[0].provider.name, following)


def _candidate(
    route: Route, request: Request, access: Access, index: int, *, simulated: bool
) -> Candidate | Skipped:
    provider = route.provider
    if route.model is None:
        reason = f"no model of {provider.name!r} is known to stand in: name one in model_map"
        return Skipped(provider.name, None, reason)
    try:
        endpoint = access.endpoint(provider)
        if endpoint.missing is not None and not simulated:
            raise ConfigurationError(endpoint.missing, key="api_key")
    except ConfigurationError as error:
        if index == 0:
            raise
        return Skipped(provider.name, route.model, error.message)
    try:
        encoded = encode(
            provider.dialect,
            request.conversation,
            route.model,
            request.parameters,
            route.facts,
            request.options.get("extra_body") if index == 0 else None,
        )
    except SpecadoError as error:
        if index == 0:
            raise
        return Skipped(provider.name, route.model, error.message)
    own = request.options if index == 0 else {}
    return Candidate(
        index=index,
        endpoint=endpoint,
        model=route.model,
        facts=route.facts,
        encoded=encoded,
        extra_headers=own.get("extra_headers", ()),
        extra_query=own.get("extra_query"),
    )


def _loss_text(candidate: Candidate, row: str) -> str:
    path = next(path for row_id, path, _, _ in candidate.encoded.losses if row_id == row)
    return f"{path}: {ROWS[row].message}"


def _refusal(refused: list[tuple[Candidate, str]], strictness: str) -> LossyTranslationError:
    """Return the error for a call whose every candidate is refused."""
    candidate, row = refused[0]
    milder = "coerce"
    if strictness == "strict" and not refuses("warn", candidate.encoded.losses):
        milder = "warn"
    setting = f"strictness={milder!r}"
    return LossyTranslationError(
        f"{candidate.provider}/{candidate.model}: {_loss_text(candidate, row)}; "
        f"{setting} would let the request through",
        report=report_of(candidate.encoded.losses),
        setting=setting,
    )
