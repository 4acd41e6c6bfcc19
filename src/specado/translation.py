"""Offline translation: `translate`, `parse_response` and `parse_error`; nothing is sent."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Optional, Union

import msgspec
from msgspec.structs import replace

from specado._core import NotJson, dumps
from specado.catalog.lookup import (
    ProviderDialect,
    find_model,
    is_registered,
    list_providers,
    unknown_provider,
)
from specado.catalog.lookup import provider as provider_of
from specado.dialects.errors import ReplySource, error_from_reply
from specado.dialects.registry import DIALECTS
from specado.dialects.replies import BYTE_ORDER_MARK, add_tag, read_reply
from specado.dialects.request_text import checked_model, plain
from specado.endpoints.access import Access, address_of
from specado.endpoints.request import preview
from specado.errors import (
    ConfigurationError,
    LossyTranslationError,
    MessageFormatError,
    ProviderError,
)
from specado.losses.report import LossinessReport, refusal, report_of
from specado.routing.candidates import ModelResolver, counterpart_route, known_provider
from specado.routing.dialect_routes import (
    dialect_routes,
    in_order_of_create,
    sent_parameters,
    spoken_dialects,
    target_of,
    written_in_one,
)
from specado.settings.client_settings import ProviderSettings, Settings
from specado.settings.validators import STRICTNESSES, closest, invalid_value, one_of
from specado.transport import WireReply

if TYPE_CHECKING:
    from specado._core import Reported
    from specado.catalog.lookup import Model, Provider
    from specado.dialects.contract import DecodedRequest, Encoded, Target
    from specado.routing.dialect_routes import DialectRoute
    from specado.types import ChatCompletionResponse

__all__ = ["Translation", "parse_error", "parse_response", "translate"]


# The URL of a provider depends only on the environment, not on a client's settings.
_DEFAULTS = Settings()
_check_strictness = one_of(*STRICTNESSES)


class Translation:
    """A translated request: URL, headers and body for one provider, and the loss report.

    Attributes:
        provider: the provider's name.
        model: the model that would be asked there.
        dialect: the name of the wire format of the body.
        body: the exact bytes.
        tool_names: maps the name of each renamed tool in the body to the caller's name.
    """

    __slots__ = (
        "_answer_tool",
        "_is_stream",
        "_provider",
        "_report",
        "_reported",
        "_was_text",
        "body",
        "dialect",
        "model",
        "provider",
        "tool_names",
    )

    def __init__(
        self,
        provider: Provider,
        model: str,
        dialect: str,
        encoded: Encoded,
        reported: list[Reported],
        *,
        was_text: bool,
        is_stream: bool,
    ) -> None:
        self.provider = provider.name
        self.dialect = dialect
        self.model = model
        self.body = encoded.body
        self.tool_names = encoded.tool_names or {}
        self._answer_tool = encoded.answer_tool
        self._provider = provider
        self._reported = reported
        self._was_text = was_text
        self._is_stream = is_stream
        self._report: Optional[LossinessReport] = None

    @property
    def url(self) -> str:
        """The URL, by the current environment."""
        return self._preview()[0]

    @property
    def headers(self) -> dict[str, str]:
        """The HTTP headers, without secrets."""
        return self._preview()[1]

    def _preview(self) -> tuple[str, dict[str, str]]:
        access = Access(_DEFAULTS)
        provider, model = self._provider, self.model
        endpoint = access.endpoint(provider)
        found = dialect_routes(provider, model, provider.find(model), endpoint, access)
        route = next((each for each in found if each.name == self.dialect), found[0])
        return preview(endpoint, route.stream_url if self._is_stream else route.url)

    @property
    def report(self) -> LossinessReport:
        """The loss report of the translation."""
        if self._report is None:
            self._report = _report(self._reported, was_text=self._was_text)
        return self._report

    def __repr__(self) -> str:
        return f"Translation({self.provider}/{self.model}, {len(self.body)} bytes)"


def translate(
    request: Any,
    to: str,
    *,
    source: str = "openai",
    model: Optional[str] = None,
    strictness: str = "coerce",
    dialect: Optional[str] = None,
) -> Translation:
    """Return *request* translated for *to*, with the loss report. Nothing is sent.

    Args:
        request: a dict, or JSON text, in the shape of *source*'s API.
        to: name of a provider, or provider and model (`anthropic/claude-opus-4-5`). The name of a
            dialect stands for the provider that defines it, asked in that dialect.
        source: the provider whose API the request is written for, or the name of a dialect.
        model: the target model; by default chosen as for a fallback, without comparing losses.
        strictness: `strict`, `warn` or `coerce`, as for a call.
        dialect: which of the target's dialects to use; by default chosen as for a call.

    Raises:
        ConfigurationError: a provider, its dialect or a counterpart of the model is not known.
        LossyTranslationError: *strictness* refuses a loss.
        MessageFormatError: the request is not well formed.
    """
    _check_strictness("strictness", strictness)
    origin = _named(source, "source")
    if not isinstance(to, str):
        allowed = "a provider's name, as in 'anthropic', or 'anthropic/<model>'"
        raise invalid_value("to", to, allowed)
    name, _, named = to.partition("/")
    provider = _speaking(_named(name, "to"), dialect)
    decoded = _without_prefix(DIALECTS[origin.dialect].decode_request(request), origin)
    if model:
        named = ModelResolver(_DEFAULTS).id_at(provider, model, "model")
    target = named or _counterpart(decoded.model, origin, provider)
    facts = find_model(provider.name, target)
    chosen, encoded = _written(decoded, provider, target, facts)
    reported = decoded.losses_with(encoded.losses, chosen)
    found = Translation(
        provider,
        target,
        chosen,
        encoded,
        reported,
        was_text=not isinstance(request, dict),
        is_stream=bool(decoded.parameters.get("stream")),
    )
    _refuse_losses(found, reported, strictness)
    return found


def _named(name: str, key: str) -> Provider:
    """Return a provider by its name, or by that of a dialect: the one that defines it.

    With a dialect's name the provider has only that dialect.
    """
    dialect = DIALECTS.get(name) if provider_of(name) is None else None
    if dialect is None:
        return known_provider(name, key)
    provider = known_provider(dialect.provider, key)
    spoken = next((each for each in provider.dialects if each.name == name), ProviderDialect(name))
    return replace(provider, dialects=(spoken,))


def _speaking(provider: Provider, dialect: Optional[str]) -> Provider:
    """Return a provider that has only the dialect that is asked for, if one is.

    Raises:
        ConfigurationError: the provider does not speak it.
    """
    if dialect is None:
        return provider
    known = [each.name for each in provider.dialects]
    if dialect not in known:
        near = closest(dialect, known) if isinstance(dialect, str) else None
        hint = f"; did you mean {near!r}?" if near else ""
        raise ConfigurationError(
            f"dialect: {dialect!r} is not a dialect of {provider.name!r}; it speaks: "
            f"{', '.join(known)}{hint}",
            key="dialect",
        )
    spoken = tuple(each for each in provider.dialects if each.name == dialect)
    return replace(provider, dialects=spoken)


def _written(
    decoded: DecodedRequest, provider: Provider, model: str, facts: Model | None
) -> tuple[str, Encoded]:
    """Return the dialect of a request at a provider, chosen as for a call, and the body in it.

    A request in a form that the canonical one is not keeps it where the provider speaks it.
    """
    base_url = _base_url(provider)
    rules = provider.rules_at(base_url)
    has_reasoning = decoded.conversation.has_reasoning

    def write(spoken: ProviderDialect | DialectRoute) -> Encoded:
        parameters = sent_parameters(
            in_order_of_create(decoded.parameters), may_ask_for_usage=spoken.stream_usage
        )
        target = _target(provider, spoken.name, base_url) if has_reasoning else None
        served = None if facts is None else facts.in_dialect(spoken.name)
        return DIALECTS[spoken.name].encode_request(
            decoded.conversation, model, parameters, served, rules, decoded, target
        )

    access = Access(_DEFAULTS)
    listed = spoken_dialects(provider, facts, access)
    own = None
    if decoded.places is not None:
        own = next((each for each in listed if each.name == decoded.dialect), None)
    if own is not None or len(listed) == 1:
        spoken = own or listed[0]
        return spoken.name, write(spoken)
    several = dialect_routes(provider, model, facts, access.endpoint(provider), access)
    route, encoded = written_in_one(
        several, decoded.parameters, None, decoded.conversation.native_dialect(), write
    )
    return route.name, encoded


def _base_url(provider: Provider) -> str:
    """Return the address of a provider by the current environment."""
    return address_of(provider, ProviderSettings())


def _target(provider: Provider, dialect: str, base_url: str) -> Target:
    """Return the target of requests to a provider in one of its dialects."""
    spoken = next(each for each in provider.dialects if each.name == dialect)
    return target_of(provider, spoken, base_url)


def _refuse_losses(found: Translation, reported: list[Reported], strictness: str) -> None:
    """Raise if *strictness* refuses one of the *reported* losses of a translation."""
    refused = refusal(strictness, reported)
    if refused is not None:
        raise LossyTranslationError(
            f"{found.provider}/{found.model}: {refused.text}; {refused.setting} would let the "
            "request through",
            report=found.report,
            setting=refused.setting,
        )


def _report(reported: list[Reported], *, was_text: bool) -> LossinessReport:
    """Return the loss report; raw JSON of a request that came as text is decoded first."""
    if was_text:
        reported = [
            (row, path, plain(before), plain(after)) for row, path, before, after in reported
        ]
    return report_of(reported)


def _without_prefix(decoded: DecodedRequest, origin: Provider) -> DecodedRequest:
    """Return a request with the prefix of *origin* removed from its model."""
    model = decoded.model
    if not model.startswith(f"{origin.name}/") or origin.find(model):
        return decoded
    return replace(decoded, model=checked_model(model[len(origin.name) + 1 :]))


def _counterpart(model: str, origin: Provider, provider: Provider) -> str:
    prefix, _, rest = model.partition("/")
    named = provider_of(prefix) if rest else None
    # A model id of *origin* that has a slash is no prefix of another provider.
    if named is not None and origin.models and origin.find(model) is None:
        origin, model = named, rest
    if provider.name == origin.name:
        return model
    if rest and named is None and not _may_be_its_own(model, origin, provider):
        said = unknown_provider(prefix, list_providers(), f"/{rest}")
        raise ConfigurationError(
            f"request: model {model!r}: {prefix!r} is not a provider; {said}; or name the model to "
            f"ask, as in to='{provider.name}/…'",
            key="model",
        )
    today = datetime.now(timezone.utc).date()
    found = counterpart_route(model, origin.find(model), provider, today).model
    if found is None:
        raise ConfigurationError(
            f"no model of {provider.name!r} is known as counterpart of {model!r}: name one, as in "
            f"to='{provider.name}/…'",
            key="to",
        )
    return found


def _may_be_its_own(model: str, origin: Provider, provider: Provider) -> bool:
    """Return whether an id with a slash may be an id of *origin*, or *provider* lists it."""
    return (
        not origin.models
        or origin.ids_have_slashes
        or origin.find(model) is not None
        or provider.find(model) is not None
        or provider.counterpart(model) is not None
    )


def _body_of(body: Any, kinds: tuple[type, ...] = (dict,)) -> bytes:
    if isinstance(body, str):
        return body.encode("utf-8", "surrogatepass")
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if isinstance(body, kinds):
        try:
            return dumps(body)
        except NotJson as error:
            raise MessageFormatError(f"body: {error}", field="body") from None
    raise MessageFormatError(
        f"body must be bytes, text or a dict, not {type(body).__name__}", field="body"
    )


def parse_response(
    body: Any,
    provider: str,
    *,
    dialect: Optional[str] = None,
    request: Optional[Translation] = None,
) -> ChatCompletionResponse:
    """Return the completion in the *body* of a provider's reply (bytes, text or a dict).

    Args:
        body: the reply's body.
        provider: the name of the provider that sent it, or of a dialect, as for `translate`.
        dialect: the dialect of the reply; by default that of *request*, else recognised by the
            reply's members among the provider's dialects.
        request: what `translate` returned for the request. The reply then has the caller's names
            of tools that were renamed, and the answer of a tool that emulates structured output.

    Raises:
        MalformedResponseError: the body is not JSON, or has no usable answer.
        ProviderError: the body is an error's; the class says which.
        ConfigurationError: the provider is not registered, or does not speak the dialect.
    """
    reply = WireReply(200, {}, _body_of(body))
    if dialect is None and request is not None:
        dialect = request.dialect
    source = _source(provider, dialect, reply.body)
    if request is not None:
        source = replace(source, model=request.model)
    is_compatible = source.provider != source.dialect.provider or is_registered(source.provider)
    answer_tool = None if request is None else request._answer_tool
    found = read_reply(
        source,
        reply,
        answer_tool=answer_tool,
        tool_names=None if request is None else request.tool_names,
        now_s=time.time(),
        stop_means_calls=is_compatible and answer_tool is None,
    )
    if isinstance(found, ProviderError):
        raise found
    if any(choice.message.native is not None for choice in found.choices):
        add_tag(found, _base_url(_named(provider, "provider")))
    return found


def parse_error(
    status: int,
    headers: Union[Mapping[str, Any], Iterable[tuple[str, Any]], None],
    body: Any,
    provider: str,
    *,
    dialect: Optional[str] = None,
) -> ProviderError:
    """Return the error that a provider's reply reports, with its class and retry delay.

    *headers* is a mapping or pairs of name and value; the body is bytes, text, a dict or a list,
    `None` for an empty one. *provider* may also be the name of a dialect, and *dialect* names one
    of the provider's.

    Raises:
        ConfigurationError: the provider is not registered, or does not speak the dialect.
        MessageFormatError: the status is no number, or the headers or the body have a wrong type.
    """
    source = _source(provider, dialect)
    if isinstance(status, bool) or not isinstance(status, int):
        raise MessageFormatError(
            f"status must be an HTTP status such as 429, not a {type(status).__name__}",
            field="status",
        )
    # Gemini's compatible endpoint answers with a list that holds the error.
    given = b"" if body is None else _body_of(body, (dict, list, tuple))
    reply = WireReply(status, _lowered(headers), given)
    return error_from_reply(source, reply, datetime.now(timezone.utc))


def _source(provider: str, dialect: Optional[str], body: bytes = b"") -> ReplySource:
    """Return the source of a provider's reply whose model is not known.

    The dialect is recognised by the reply's *body*.
    """
    known = _speaking(_named(provider, "provider"), dialect)
    return ReplySource(known.name, "", DIALECTS[_dialect_of(body, known)])


def _dialect_of(body: bytes, provider: Provider) -> str:
    """Recognise the dialect of a reply by its members; the provider's first if none matches."""
    if len(provider.dialects) > 1:
        try:
            members = _members(body.removeprefix(BYTE_ORDER_MARK))
        except (msgspec.DecodeError, RecursionError):
            members = {}
        for each in provider.dialects:
            if not DIALECTS[each.name].reply_members.isdisjoint(members):
                return each.name
    return provider.dialect


_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _lowered(headers: Any) -> dict[str, str]:
    """Return headers with lower-case names; of equal names the last counts."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    try:
        return {_text(name).lower(): _text(value) for name, value in pairs}
    except (TypeError, ValueError):
        raise MessageFormatError(
            "headers must be a mapping of names to values, or pairs of them", field="headers"
        ) from None


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
