"""Provider manifests: their schema, checked and decoded into Structs.

The folder `providers` holds the shipped manifests, one JSON file for each provider; a new file is
a new provider. Each fact in them carries its source and date. A file is read at its first use;
`catalog.index` answers what is asked of all providers.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional, TypeVar, get_args
from urllib.parse import urlsplit

import msgspec
import orjson
from msgspec import Meta, Struct

from specado._core import check_capability
from specado.errors import (
    AuthenticationError,
    ConfigurationError,
    ContentPolicyError,
    ContextLengthError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from specado.settings.validators import HEADER_NAME, closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "ERROR_CLASSES",
    "NO_ERRORS",
    "NO_RULES",
    "Authentication",
    "CloudAddress",
    "Endpoints",
    "Evidence",
    "FastPricing",
    "LongContextPricing",
    "Model",
    "OptionalHeader",
    "PriceChange",
    "Pricing",
    "Provider",
    "ProviderDialect",
    "ProviderErrors",
    "RequestRules",
    "Traits",
    "UsageCost",
    "Verification",
    "build_provider",
    "check_dialects_are_known",
    "is_shipped",
    "read_shipped",
]

# Stands for the host in the base URL of a provider that has no default address.
NO_HOST = "{host}"

FOLDER = Path(__file__).parent / "providers"

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LOCATION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ERROR_STATUS = re.compile(r"[45]\d\d")
_VISIBLE = re.compile(r"[\x20-\x7e]*")
_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "x-api-key", "x-goog-api-key"}
)
# The classes of errors that a provider may report, by name.
ERROR_CLASSES: dict[str, type[ProviderError]] = {
    each.__name__: each
    for each in (
        AuthenticationError,
        ContentPolicyError,
        ContextLengthError,
        InvalidRequestError,
        ModelNotFoundError,
        OverloadedError,
        QuotaExceededError,
        RateLimitError,
        ServerError,
    )
}
_SHORTHAND = ("name", "base_url", "api_key_env")
_T = TypeVar("_T")


class Traits(Struct, frozen=True, forbid_unknown_fields=True):
    """Facts about a model's API that its dialect's encoder needs.

    `None` means unknown: the value is sent. `reasoning_efforts` holds the levels that a request
    may ask for, `()` for a model that does not reason; "none" is a level where reasoning can be
    switched off. A model that takes both the system and the developer role has no `system_role`.

    `thinking` is how a request asks for reasoning: "budget" by tokens, "level" by one of Gemini's
    levels, "effort" and "reasoning_config" by a level in a member of Bedrock's
    `additionalModelRequestFields`.
    `signed_calls`: the calls of the current turn must have their thought signatures.
    `media_in_tool_results`: a tool's result takes images and files. `schema_with_tools`: the form
    of the answer may be given beside tools. `media_resolution`: an image's resolution may be
    chosen. `max_choices` is the largest `n`. `custom_tools`: tools need not be functions.
    `forced_tool_choice_while_reasoning`: a tool may be forced on a model that is to reason.
    `effort_members` has the members that a chat-completions request has in place of
    `reasoning_effort`, by level; its levels are then those of `reasoning_efforts`.
    `empty_reasoning`: an answer with calls has an empty `reasoning_content` where it has none, if
    the model is to reason.

    Of models on Bedrock: `system_prompt`: system text is taken. `tool_choices`: the choices of a
    tool that a request may name ("auto", "any", "tool"), `()` for none. `parallel_tool_switch`:
    parallel calls can be forbidden. `cache_ttls`: how long a cache point may keep the prompt, `()`
    without cache points. `max_stops` is the largest number of stop sequences. `results_alone`: a
    message with tool results has nothing else.
    """

    max_tokens_parameter: Optional[Literal["max_tokens", "max_completion_tokens"]] = None
    system_role: Optional[Literal["system", "developer"]] = None
    sampling: Optional[bool] = None
    temperature_with_top_p: Optional[bool] = None
    sampling_while_reasoning: Optional[bool] = None
    penalties: Optional[bool] = None
    logprobs: Optional[bool] = None
    stop: Optional[bool] = None
    reasoning_efforts: Optional[tuple[str, ...]] = None
    default_effort: Optional[str] = None
    effort_parameter: Optional[bool] = None
    thinking: Optional[
        Literal["none", "budget", "level", "adaptive", "always", "effort", "reasoning_config"]
    ] = None
    tools_while_reasoning: Optional[bool] = None
    forced_tool_choice: Optional[bool] = None
    forced_tool_choice_while_reasoning: Optional[bool] = None
    parallel_tool_calls: Optional[bool] = None
    strict_tools: Optional[bool] = None
    structured_output: Optional[bool] = None
    web_search: Optional[bool] = None
    mid_conversation_system: Optional[bool] = None
    assistant_prefill: Optional[bool] = None
    signed_calls: Optional[bool] = None
    media_in_tool_results: Optional[bool] = None
    schema_with_tools: Optional[bool] = None
    media_resolution: Optional[bool] = None
    max_choices: Optional[int] = None
    custom_tools: Optional[bool] = None
    effort_members: Optional[dict[str, dict[str, Any]]] = None
    empty_reasoning: Optional[bool] = None
    system_prompt: Optional[bool] = None
    tool_choices: Optional[tuple[str, ...]] = None
    parallel_tool_switch: Optional[bool] = None
    cache_ttls: Optional[tuple[str, ...]] = None
    max_stops: Optional[int] = None
    results_alone: Optional[bool] = None

    def __hash__(self) -> int:  # by some of the fields: a dict has no hash
        return hash((self.system_role, self.thinking, self.sampling, self.reasoning_efforts))


class LongContextPricing(Struct, frozen=True, forbid_unknown_fields=True):
    """The prices of a whole request whose prompt has more than `above_tokens` tokens."""

    above_tokens: int
    input: Optional[float] = None
    output: Optional[float] = None
    cached_input: Optional[float] = None
    cache_write: Optional[float] = None


class FastPricing(Struct, frozen=True, forbid_unknown_fields=True):
    """The prices of a reply in Anthropic's fast mode, with their source and date."""

    source: str
    date: str
    input: Optional[float] = None
    output: Optional[float] = None
    cached_input: Optional[float] = None
    cache_write: Optional[float] = None
    cache_write_1h: Optional[float] = None


class PriceChange(Struct, frozen=True, forbid_unknown_fields=True):
    """The prices from a day (ISO) on, announced by the provider, with their source and date."""

    from_date: str
    source: str
    date: str
    input: Optional[float] = None
    output: Optional[float] = None
    cached_input: Optional[float] = None
    cache_write: Optional[float] = None


class Pricing(Struct, frozen=True, forbid_unknown_fields=True):
    """A model's prices, in US dollars per million tokens; `None` where not known.

    `changes` has the prices that the provider has announced for later days.
    """

    input: Optional[float] = None
    output: Optional[float] = None
    cached_input: Optional[float] = None
    cache_write: Optional[float] = None
    cache_write_1h: Optional[float] = None
    audio_input: Optional[float] = None
    audio_output: Optional[float] = None
    long_context: Optional[LongContextPricing] = None
    fast: Optional[FastPricing] = None
    changes: tuple[PriceChange, ...] = ()

    def on(self, day: dt.date) -> Pricing:
        """Return the prices on a day: a change replaces the prices that it names.

        Audio at the price of text stays at it.
        """
        found = self
        for change in self.changes:
            if change.from_date <= day.isoformat():
                own = {
                    name: getattr(change, name)
                    for name in ("input", "output", "cached_input", "cache_write")
                    if getattr(change, name) is not None
                }
                if found.audio_input == found.input and "input" in own:
                    own["audio_input"] = own["input"]
                found = msgspec.structs.replace(found, **own)
        return found


class Model(Struct, frozen=True):
    """One model of one provider; a fact of `None` is unknown, and refuses nothing.

    `dialects` are those of the provider's dialects that serve the model, `None` if all do.
    `by_dialect` has the model as a dialect serves it where its traits are others there.
    `deprecation_date` (ISO) is the day on which the provider stops serving the model, `successor`
    the model that the provider recommends instead, and `general` whether the model may be
    chosen as the fallback for another provider's model.
    """

    provider: str
    id: str
    aliases: tuple[str, ...] = ()
    general: bool = False
    release_date: Optional[str] = None
    deprecation_date: Optional[str] = None
    successor: Optional[str] = None
    context_window: Optional[int] = None
    max_output_tokens: Optional[int] = None
    pricing: Optional[Pricing] = None
    features: Optional[frozenset[str]] = None
    input_modalities: Optional[frozenset[str]] = None
    output_modalities: Optional[frozenset[str]] = None
    traits: Traits = Traits()
    capabilities: bytes = b"{}"
    dialects: Optional[tuple[str, ...]] = None
    by_dialect: dict[str, Model] = {}

    def __repr__(self) -> str:
        return f"Model(provider={self.provider!r}, id={self.id!r})"

    def in_dialect(self, dialect: str) -> Model:
        """Return the model with its traits in one of the provider's dialects."""
        return self.by_dialect.get(dialect, self)

    def hosted_by(self, provider: str) -> Model:
        """Return the model as another provider hosts it, at its own price and for its own time."""
        return msgspec.structs.replace(
            self,
            provider=provider,
            general=False,
            pricing=None,
            deprecation_date=None,
            successor=None,
            by_dialect={name: each.hosted_by(provider) for name, each in self.by_dialect.items()},
        )

    def is_retired(self, today: dt.date) -> bool:
        """Return whether the provider has stopped serving the model by *today*."""
        return self.deprecation_date is not None and self.deprecation_date <= today.isoformat()

    def status(self, today: dt.date) -> str:
        """Return "current", "deprecated" (a last day is announced) or "retired"."""
        if self.deprecation_date is None:
            return "current"
        return "retired" if self.is_retired(today) else "deprecated"

    def price(self) -> float | None:
        """Return dollars for a million tokens in and a million out, `None` if not known."""
        pricing = self.pricing
        if pricing is None or pricing.input is None or pricing.output is None:
            return None
        return pricing.input + pricing.output


class UsageCost(Struct, frozen=True, forbid_unknown_fields=True):
    """The member of `usage` in which a provider tells its own price of a reply, and its unit.

    `per_usd` is how many of the member's units are a US dollar.
    """

    member: str
    per_usd: float = 1.0
    source: Optional[str] = None
    date: Optional[str] = None


class OptionalHeader(Struct, frozen=True, forbid_unknown_fields=True):
    """A header that is sent if its environment variable is set."""

    name: str
    env: Optional[str] = None


class Authentication(Struct, frozen=True, forbid_unknown_fields=True):
    """Authentication of a provider: a key in the header or query parameter `name`, or none.

    The kind `google` takes a key, or an access token of Google Cloud in the header Authorization;
    the kind `key_or_token` a key or another access token there, also from a variable of
    `token_env`; the kind `aws` a key, or a signature by credentials of AWS for the `service`.
    `env` names the environment variables that may hold the key, in order; `headers` go with
    every request and hold no secret. `ambient_env` names variables that belong to the ambient
    credentials of a cloud account. The variable `base_url_env` holds another base URL, `host_env`
    the server's host alone (`box`, `box:8080`, `https://box/prefix`), in place of the base URL's.
    """

    kind: Literal["header", "query", "none", "google", "key_or_token", "aws"] = "header"
    name: str = "Authorization"
    prefix: str = "Bearer "
    env: tuple[str, ...] = ()
    ambient_env: tuple[str, ...] = ()
    token_env: tuple[str, ...] = ()
    base_url_env: Optional[str] = None
    host_env: Optional[str] = None
    optional_headers: tuple[OptionalHeader, ...] = ()
    headers: dict[str, str] = {}
    service: str = ""


class CloudAddress(Struct, frozen=True, forbid_unknown_fields=True):
    """Address of a cloud's API, which depends on a location, and its paths on a project too.

    `base_urls` has the base URL of each location with a URL of its own, and at the key "*" the base
    URL of all others, in which `{location}` stands for the location. `project_env` and
    `location_env` are the environment variables that may name project and location, in order. A
    cloud without a `default_location` must be given one, and one without `project_env` has no
    projects in its paths. `resource_names`: an id may be the name of a resource (`arn:aws:…/…`),
    whose last segment is the id of its model.
    """

    base_urls: dict[str, str]
    default_location: Optional[str] = None
    project_env: tuple[str, ...] = ()
    location_env: tuple[str, ...] = ()
    resource_names: bool = False

    def base_url(self, location: str) -> str:
        """Return the base URL of a location."""
        found = self.base_urls.get(location) or self.base_urls["*"]
        return found.replace("{location}", location)

    def has_host(self, host: str) -> bool:
        """Return whether a host is that of one of the locations."""
        return self._location_of(host) is not None

    def location_at(self, base_url: str) -> str | None:
        """Return the location that an address names in its host, `None` without one."""
        return self._location_of(urlsplit(base_url).hostname or "") or None

    def _location_of(self, host: str) -> str | None:
        """Return the location of a host, `None` if it is the host of none."""
        for location, each in self.base_urls.items():
            before, placeholder, after = (urlsplit(each).hostname or "").partition("{location}")
            middle = host[len(before) : len(host) - len(after)] if placeholder else ""
            if host == before + middle + after and (not placeholder or _LOCATION.fullmatch(middle)):
                return middle or location
        return None


class Endpoints(Struct, frozen=True, forbid_unknown_fields=True):
    """Base URL and paths of a provider's API.

    In a path `{model}` stands for the model's id, and `{parent}` for the path of a cloud's project
    and location; `{parent}` is empty with an API key, which belongs to one project. A base URL with
    `{host}` for its host is none yet: a setting or a variable must give it. `self_hosted`: its
    users run the servers, so that what the manifest says of them holds at every address; so it
    does with `{host}`. `left_out` are ends of a given base URL that the paths have themselves. With
    `version_parameter` requests may name a version of the API in this query parameter, which a
    setting or a variable of `version_env` gives.
    """

    base_url: str
    chat: Optional[str] = None
    models: Optional[str] = None
    cloud: Optional[CloudAddress] = None
    self_hosted: bool = False
    left_out: tuple[str, ...] = ()
    version_parameter: Optional[str] = None
    version_env: tuple[str, ...] = ()


class Evidence(Struct, frozen=True, forbid_unknown_fields=True):
    """Evidence that facts of a manifest hold, and the day on which it was looked at.

    "recording": real traffic; "documentation": the provider's own; "reported": others' code or
    reports alone, which does not verify them.
    """

    by: Literal["recording", "documentation", "reported"]
    source: str
    date: str


class Verification(Struct, frozen=True, forbid_unknown_fields=True):
    """Evidence for the parts of a manifest; a part without any is not verified."""

    address: Optional[Evidence] = None
    requests: Optional[Evidence] = None
    replies: Optional[Evidence] = None
    errors: Optional[Evidence] = None
    models: Optional[Evidence] = None


StreamEnd = Literal["sentinel", "terminal_event", "finish_reason", "finish_and_usage"]
_STREAM_ENDS = ("sentinel", "terminal_event", "finish_reason", "finish_and_usage")
ReturnedMember = Literal[
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    "content[].reasoning",
    "tool_calls[].extra_content",
]


class ProviderDialect(Struct, frozen=True, forbid_unknown_fields=True):
    """One dialect of a provider: its name, and the paths and stream options of the provider.

    `path` is added to the base URL, `stream_path` instead of it for a stream; the placeholders are
    those of `Endpoints`. Without a path the dialect's usual one holds. `stream_end` is what proves
    that a stream is whole: the dialect's sentinel or terminal event, or the finish reason, alone or
    with the usage, and a clean end. `stream_usage`: a stream may be asked for its usage. `returns`:
    the members of its answers that it takes back, beside OpenAI's; by default all.
    `versioned_path` is the path of requests that name a dated version of the API.
    """

    name: str
    path: Optional[str] = None
    stream_path: Optional[str] = None
    stream_end: Optional[StreamEnd] = None
    stream_usage: bool = True
    returns: Optional[tuple[ReturnedMember, ...]] = None
    versioned_path: Optional[str] = None


class RequestRules(Struct, frozen=True, forbid_unknown_fields=True):
    """Limits that a provider's servers put on a request, whatever its model.

    `None` means unknown: the value is sent as it is. `cache_control`: whether messages, parts and
    tools may carry it. `media_in_user_messages_only` and `complete_schemas`: whether images, sounds
    and files stand in user messages only, and whether an object's schema must have `properties`
    and an array's `items`. `text_content_only`: whether a content must be text, so that a list of
    texts becomes one. `media_uri_schemes` are the URI schemes that the servers fetch, such as
    "https" and "gs". `unknown_members` are paths of members in the dialect's requests that these
    servers refuse, such as `labels` or `tools[].fileSearch`. The other rules limit the characters
    of a tool's name, a tool call's id and an end user's id; a limit on the name also limits it to
    ASCII letters, digits, `_` and `-`.

    The others are those of OpenAI-compatible servers. `members` are the only top-level members that
    they take, `refused_members` some that they do not (`messages[].name` too); by the names that
    are sent. `renamed_members` has their name of a member, `member_values` their word for a text
    value of a member, both with the same meaning; `member_ranges` the least and the greatest number
    of a member. `call_id_length`: a tool call's id is so many ASCII letters and digits.
    `max_stops`: the most stop sequences. `traits` hold for every model, unless its own say
    otherwise.
    """

    cache_control: Optional[bool] = None
    media_in_user_messages_only: Optional[bool] = None
    complete_schemas: Optional[bool] = None
    text_content_only: Optional[bool] = None
    tool_name_characters: Optional[Annotated[int, Meta(ge=32)]] = None
    call_id_characters: Optional[Annotated[int, Meta(ge=32)]] = None
    user_characters: Optional[Annotated[int, Meta(ge=64)]] = None
    media_uri_schemes: Optional[tuple[str, ...]] = None
    unknown_members: tuple[str, ...] = ()
    members: Optional[frozenset[str]] = None
    refused_members: frozenset[str] = frozenset()
    renamed_members: dict[str, str] = {}
    member_values: dict[str, dict[str, str]] = {}
    member_ranges: dict[str, tuple[float, float]] = {}
    call_id_length: Optional[Annotated[int, Meta(ge=6, le=64)]] = None
    max_stops: Optional[Annotated[int, Meta(ge=1)]] = None
    traits: Optional[Traits] = None

    @property
    def changes_members(self) -> bool:
        """True if a top-level member of a request may have to be left out or changed."""
        return self.members is not None or bool(
            self.refused_members or self.renamed_members or self.member_values or self.member_ranges
        )


NO_RULES = RequestRules()


class ErrorMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """An error that only the words of its message tell: part of it, in lower case, and its class.

    Of errors with the HTTP status `status`, or of any.
    """

    words: str
    error: str = msgspec.field(name="class")
    status: Optional[int] = None


class ProviderErrors(Struct, frozen=True, forbid_unknown_fields=True):
    """Errors of a provider that the tables of the dialects do not tell: names of error classes.

    By code or type, by HTTP status, and by the words of the message. They count before the tables.
    """

    codes: dict[str, str] = {}
    statuses: dict[str, str] = {}
    messages: tuple[ErrorMessage, ...] = ()


NO_ERRORS = ProviderErrors()


class Provider(Struct, frozen=True):
    """One provider: its address, its dialects, how to authenticate, and its models by id.

    The first of the `dialects` is the default.

    `ids_have_slashes`: the ids of its models have slashes (`meta-llama/llama-4`). As primary
    provider it takes every id with a slash as it is, even if the id begins with another provider's
    name. `usage_cost` is `None` where the manifest says nothing of it. `hosts_others`: it serves
    models of other makers (or of its own maker's first provider, as Vertex AI does): a bare id that
    another provider lists too means that provider. The server lists its models at `models_path`.
    `facts_of` names the provider whose models the deployments here are taken for, where they have
    the same name. The members before it are those of `Endpoints`.
    """

    name: str
    title: str
    dialects: tuple[ProviderDialect, ...]
    base_url: str
    authentication: Authentication
    models: dict[str, Model]
    fallback_for: dict[str, str]
    ids_have_slashes: bool
    by_alias: dict[str, Model]
    request_rules: RequestRules = NO_RULES
    usage_cost: Optional[UsageCost] = None
    cloud: Optional[CloudAddress] = None
    hosts_others: bool = False
    errors: ProviderErrors = NO_ERRORS
    models_path: Optional[str] = None
    self_hosted: bool = False
    left_out: tuple[str, ...] = ()
    version_parameter: Optional[str] = None
    version_env: tuple[str, ...] = ()
    facts_of: Optional[str] = None

    def __repr__(self) -> str:
        return f"Provider(name={self.name!r}, base_url={self.base_url!r})"

    @property
    def dialect(self) -> str:
        """The name of the default dialect."""
        return self.dialects[0].name

    def rules_at(self, base_url: str) -> RequestRules:
        """Return what is known of the servers at an address: the provider's own, or nothing."""
        if self.request_rules is NO_RULES or self.is_at(base_url):
            return self.request_rules
        return NO_RULES

    def is_at(self, base_url: str) -> bool:
        """Return whether the servers at an address are the provider's own.

        A subdomain of the manifest's host is the provider's own too (`eu.api.openai.com`), and
        every address of one whose users run the servers.
        """
        if self.self_hosted or base_url == self.base_url:
            return True
        own = urlsplit(self.base_url).hostname
        host = (urlsplit(base_url).hostname or "").rstrip(".")  # a full name may end with a dot
        if self.cloud is not None and self.cloud.has_host(host):
            return True
        return host == own or host.endswith(f".{own}")

    def find(self, model_id: str) -> Model | None:
        """Return the model that an id or an alias names, `None` if this provider has none."""
        found = self.models.get(model_id) or self.by_alias.get(model_id)
        if found is None and self.cloud is not None and self.cloud.resource_names:
            resource, _, last = model_id.rpartition("/")
            return self.find(last) if ":" in resource else None
        return found

    def with_facts_of(self, other: Provider) -> Provider:
        """Return the provider with the models of another, as far as they are the same here.

        What the other charges, and when it retires a model, is unknown here. Which of the models
        there are is, too: none of them is chosen as a fallback.
        """
        borrowed = {name: each.hosted_by(self.name) for name, each in other.models.items()}
        models = {**borrowed, **self.models}
        return msgspec.structs.replace(self, models=models, by_alias=_aliases(models))

    def counterpart(self, model_id: str, original: Model | None = None) -> str | None:
        """Return the id of the model that the manifest names as fallback for another provider's.

        *original* is *model_id* in the other provider's manifest, so that a dated id finds the
        entry of the undated one.
        """
        found = self.fallback_for.get(model_id)
        if found is None and original is not None:
            found = self.fallback_for.get(original.id)
        return found

    def successor(self, model: Model, today: dt.date) -> str | None:
        """Return the id of the model to use instead of a retired *model* of this provider.

        The successor that the manifest states, unless it is retired too; else the current general
        model nearest in price (the cheapest, where *model* has no price). `None` if there is none.
        """
        stated = None if model.successor is None else self.find(model.successor)
        if stated is not None and not stated.is_retired(today):
            return stated.id
        wanted = model.price() or 0.0
        priced = [
            (abs(price - wanted), each.id)
            for each in self.models.values()
            if each.general and each.status(today) == "current"
            for price in (each.price(),)
            if price is not None
        ]
        return min(priced, default=(0.0, None))[1]


class _ModelEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON object of a model in a manifest."""

    name: Optional[str] = None
    version: Optional[str] = None
    aliases: tuple[str, ...] = ()
    status: Optional[str] = None
    general: bool = False
    release_date: Optional[str] = None
    deprecation_date: Optional[str] = None
    successor: Optional[str] = None
    pricing: Optional[Pricing] = None
    capabilities: Optional[dict[str, Any]] = None
    traits: Traits = Traits()
    traits_by_dialect: dict[str, Traits] = {}
    dialects: Optional[tuple[str, ...]] = None
    source: Optional[str] = None
    date: Optional[str] = None


@functools.lru_cache(maxsize=256)
def is_shipped(name: str) -> bool:
    """Return whether there is a shipped manifest of that name."""
    return _NAME.fullmatch(name) is not None and (FOLDER / f"{name}.json").is_file()


def read_shipped(name: str) -> bytes | None:
    """Return the JSON text of a shipped manifest, `None` if there is none of that name."""
    return (FOLDER / f"{name}.json").read_bytes() if is_shipped(name) else None


def _fail(path: str, problem: str) -> ConfigurationError:
    return ConfigurationError(f"manifest: {path} {problem}", key=path)


def _convert(value: Any, wanted: type[_T], path: str) -> _T:
    """Return *value* as a *wanted* Struct, or raise an error that names the path."""
    try:
        return msgspec.convert(value, wanted, strict=True)
    except msgspec.ValidationError as error:
        problem, _, inner = str(error).partition(" - at `")
        where = path + inner.rstrip("`").lstrip("$").replace("[...]", "[]")
        raise _fail(where, f"is not right: {problem[0].lower()}{problem[1:]}") from None


def _section(manifest: dict[str, Any], key: str) -> dict[str, Any]:
    value = manifest.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _fail(key, f"must be a dict, not {type(value).__name__}")
    for name in value:
        if not isinstance(name, str):
            raise _fail(key, f"must have str keys, not {type(name).__name__}")
    return value


_SECTIONS = ("info", "dialect", "authentication", "endpoints", "models", "fallback_for")
_KEYS = (
    *_SECTIONS,
    "request_rules",
    "dialects",
    "stream_end",
    "stream_usage",
    "returns",
    "ids_have_slashes",
    "hosts_others",
    "facts_of",
    "usage_cost",
    "errors",
    "verification",
)


def normalise(
    manifest: dict[str, Any], name: str | None, default_dialect: str
) -> tuple[str, dict[str, Any]]:
    """Return a provider's name and its manifest with the shorthand keys expanded.

    `name`, `base_url` and `api_key_env` at the top are short for `info.name`,
    `endpoints.base_url` and `authentication.env`. A manifest that names no dialect gets
    *default_dialect*.
    """
    for key in manifest:
        if key not in _KEYS and key not in _SHORTHAND:
            near = closest(key, _KEYS + _SHORTHAND)
            hint = f"; did you mean {near!r}?" if near else f"; known: {', '.join(_KEYS)}"
            raise _fail(str(key), f"is not a key of a manifest{hint}")
    full = {key: manifest[key] for key in _KEYS if manifest.get(key) is not None}
    info = {**_section(manifest, "info")}
    endpoints = {**_section(manifest, "endpoints")}
    authentication = {**_section(manifest, "authentication")}
    title = info.setdefault("name", manifest.get("name") or name)
    if not isinstance(title, str) or not title:
        raise _fail("name", "is missing: give the provider's name")
    info.setdefault("version", "1.0.0")
    if manifest.get("base_url") is not None:
        endpoints["base_url"] = manifest["base_url"]
    if manifest.get("api_key_env") is not None:
        given = manifest["api_key_env"]
        authentication["env"] = [given] if isinstance(given, str) else given
    if "env" not in authentication and "authentication" not in full:
        # A server that names no key, such as one on this machine, needs none.
        authentication.setdefault("kind", "none")
    full.update(info=info, endpoints=endpoints, authentication=authentication)
    if "dialects" not in full:
        full.setdefault("dialect", default_dialect)
    full["models"] = {**_section(manifest, "models")}
    full["fallback_for"] = {**_section(manifest, "fallback_for")}
    chosen = name if name is not None else title.lower()
    if not _NAME.fullmatch(chosen):
        raise _fail(
            "name", f"{chosen!r} cannot be a provider's name: use a-z, 0-9, '_', '.' and '-'"
        )
    return chosen, full


def build_provider(name: str, manifest: dict[str, Any]) -> Provider:
    """Return the checked Provider that a full manifest describes.

    Raises:
        ConfigurationError: something is missing or wrong; the message names its path.
    """
    endpoints = _convert(manifest["endpoints"], Endpoints, "endpoints")
    dialects = _dialects(manifest, endpoints)
    names = tuple(each.name for each in dialects)
    ids_have_slashes = _true_or_false(manifest, "ids_have_slashes", default=False)
    rules = _request_rules(manifest)
    models = {
        key: _build_model(name, key, entry, names, rules.traits)
        for key, entry in manifest["models"].items()
    }
    provider = Provider(
        name=name,
        title=manifest["info"]["name"],
        dialects=dialects,
        base_url=_base_url(endpoints.base_url),
        authentication=_authentication(manifest["authentication"]),
        models=models,
        fallback_for=_convert(manifest["fallback_for"], dict[str, str], "fallback_for"),
        ids_have_slashes=ids_have_slashes,
        by_alias=_aliases(models),
        request_rules=rules,
        usage_cost=_usage_cost(manifest.get("usage_cost")),
        cloud=_cloud(endpoints.cloud),
        models_path=endpoints.models,
        self_hosted=endpoints.self_hosted or NO_HOST in endpoints.base_url,
        left_out=endpoints.left_out,
        version_parameter=endpoints.version_parameter,
        version_env=endpoints.version_env,
        facts_of=_facts_of(manifest.get("facts_of")),
        hosts_others=_true_or_false(manifest, "hosts_others", default=endpoints.cloud is not None),
        errors=_errors(manifest.get("errors")),
    )
    _check_path(endpoints.models, "endpoints.models")
    _check_verification(manifest.get("verification"))
    for original, target in provider.fallback_for.items():
        if models and provider.find(target) is None:
            raise _fail(f"fallback_for.{original}", f"{target!r} is not in models")
    for model in models.values():
        if model.successor is not None and provider.find(model.successor) is None:
            raise _fail(f"models.{model.id}.successor", f"{model.successor!r} is not in models")
    return provider


def _request_rules(manifest: dict[str, Any]) -> RequestRules:
    stated = manifest.get("request_rules")
    if stated is None:
        return NO_RULES
    rules = _convert(stated, RequestRules, "request_rules")
    for name, (least, most) in rules.member_ranges.items():
        if not least <= most:
            raise _fail(f"request_rules.member_ranges.{name}", "must be [least, greatest]")
    if rules.traits is not None:
        rules = msgspec.structs.replace(rules, traits=_with_levels(rules.traits))
    return rules


def _with_levels(traits: Traits) -> Traits:
    """Return *traits* with the levels of `effort_members` as those of the model."""
    if traits.effort_members is None or traits.reasoning_efforts is not None:
        return traits
    return msgspec.structs.replace(traits, reasoning_efforts=tuple(traits.effort_members))


def _errors(value: Any) -> ProviderErrors:
    if value is None:
        return NO_ERRORS
    found = _convert(value, ProviderErrors, "errors")
    named = [
        *((f"codes.{code}", name) for code, name in found.codes.items()),
        *((f"statuses.{status}", name) for status, name in found.statuses.items()),
        *((f"messages[{place}].class", each.error) for place, each in enumerate(found.messages)),
    ]
    for where, name in named:
        if name not in ERROR_CLASSES:
            near = closest(name, ERROR_CLASSES)
            hint = f"; did you mean {near!r}?" if near else ""
            raise _fail(
                f"errors.{where}", f"{name!r} is not one of {', '.join(ERROR_CLASSES)}{hint}"
            )
    for status in found.statuses:
        if not _ERROR_STATUS.fullmatch(status):
            raise _fail("errors.statuses", f"{status!r} must be an HTTP status such as 403")
    for place, each in enumerate(found.messages):
        if not each.words or each.words != each.words.lower():
            raise _fail(f"errors.messages[{place}].words", "must be text in lower case")
    return found


def _usage_cost(value: Any) -> UsageCost | None:
    if value is None:
        return None
    found = _convert(value, UsageCost, "usage_cost")
    if not 0 < found.per_usd < float("inf"):
        raise _fail("usage_cost.per_usd", "must be a number above 0")
    return found


def _facts_of(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise _fail("facts_of", f"must be the name of a provider, not {value!r}")
    return value


def _check_verification(value: Any) -> None:
    if value is None:
        return
    parts = _convert(value, Verification, "verification")
    for name, evidence in msgspec.structs.asdict(parts).items():
        if evidence is not None:
            _check_date(evidence.date, f"verification.{name}.date")


# The keys of the short form, for a manifest with one dialect; the full form has them in a list.
_SHORT_FORM = ("dialect", "stream_end", "stream_usage", "returns")


def _dialects(manifest: dict[str, Any], endpoints: Endpoints) -> tuple[ProviderDialect, ...]:
    """Return the dialects of a manifest: those it lists, or the one of the short form."""
    listed = manifest.get("dialects")
    if listed is None:
        return (_dialect_in_short(manifest, endpoints),)
    for key in _SHORT_FORM:
        if key in manifest:
            name = "name" if key == "dialect" else key
            raise _fail(key, f"is given in addition to dialects: use dialects[].{name} instead")
    if endpoints.chat is not None:
        raise _fail(
            "endpoints.chat", "is given in addition to dialects: use dialects[].path instead"
        )
    if not isinstance(listed, list) or not listed:
        raise _fail("dialects", "must be a list of at least one dialect")
    found: dict[str, ProviderDialect] = {}
    for place, entry in enumerate(listed):
        where = f"dialects[{place}]"
        one = _convert(entry, ProviderDialect, where)
        if one.name in found:
            raise _fail(f"{where}.name", f"{one.name!r} is listed twice")
        _check_path(one.path, f"{where}.path")
        _check_path(one.stream_path, f"{where}.stream_path")
        _check_path(one.versioned_path, f"{where}.versioned_path")
        found[one.name] = one
    return tuple(found.values())


def _dialect_in_short(manifest: dict[str, Any], endpoints: Endpoints) -> ProviderDialect:
    name, stream_end = manifest.get("dialect"), manifest.get("stream_end")
    if not isinstance(name, str):
        raise _fail("dialect", f"must be the name of a dialect, not {name!r}")
    _check_path(endpoints.chat, "endpoints.chat")
    if stream_end is not None and stream_end not in _STREAM_ENDS:
        known = ", ".join(map(repr, _STREAM_ENDS))
        raise _fail("stream_end", f"{stream_end!r} is not known; known: {known}")
    return ProviderDialect(
        name,
        endpoints.chat,
        None,
        stream_end,
        _true_or_false(manifest, "stream_usage", default=True),
        _returns(manifest),
    )


def _returns(manifest: dict[str, Any]) -> tuple[ReturnedMember, ...] | None:
    given = manifest.get("returns")
    if given is None:
        return None
    if not isinstance(given, list):
        raise _fail("returns", f"must be a list, not {type(given).__name__}")
    for place, name in enumerate(given):
        if name not in get_args(ReturnedMember):
            known = ", ".join(get_args(ReturnedMember))
            raise _fail(f"returns[{place}]", f"{name!r} is not known; known: {known}")
    return tuple(given)


def _check_path(path: str | None, where: str) -> None:
    if path is None:
        return
    if not path.startswith("/") or not path.isascii() or any(c.isspace() for c in path):
        raise _fail(where, f"{path!r} must be a path that begins with '/'")
    fixed = path.replace("{model}", "").replace("{parent}", "")
    if "{" in fixed or "}" in fixed:
        raise _fail(where, f"{path!r} may hold no placeholder but {{model}} and {{parent}}")


def check_dialects_are_known(provider: Provider, known: Sequence[str]) -> None:
    """Refuse a provider with a dialect that is not one of the *known* ones.

    Raises:
        ConfigurationError: a dialect is not known; the message names the nearest.
    """
    for place, each in enumerate(provider.dialects):
        if each.name not in known:
            where = "dialect" if len(provider.dialects) == 1 else f"dialects[{place}].name"
            near = closest(each.name, known)
            hint = f"; did you mean {near!r}?" if near else ""
            raise _fail(where, f"{each.name!r} is not known; known: {', '.join(known)}{hint}")


def _true_or_false(manifest: dict[str, Any], key: str, *, default: bool) -> bool:
    value = manifest.get(key, default)
    if not isinstance(value, bool):
        raise _fail(key, f"must be true or false, not {value!r}")
    return value


def _base_url(text: str, placeholder: str = NO_HOST) -> str:
    """Return a base URL without its final slash; one that could leak a key is refused."""
    shown = "endpoints.base_url"
    if not text.isascii() or any(not c.isprintable() or c == " " for c in text):
        raise _fail(shown, "may hold only visible ASCII characters")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise _fail(shown, f"is not a URL: {error}") from None
    if parts.scheme not in ("http", "https", "http+unix") or not host:
        raise _fail(shown, "must begin with http:// or https:// and name a host")
    is_part = NO_HOST in text and host != NO_HOST
    if is_part or "{" in text.replace(placeholder, "", 1):
        raise _fail(shown, f"may hold no placeholder but {NO_HOST} for the whole host")
    if parts.username is not None or parts.query or parts.fragment:
        raise _fail(shown, "may hold no user name, password, query or fragment")
    return text.rstrip("/")


def _cloud(cloud: CloudAddress | None) -> CloudAddress | None:
    """Return the checked address of a cloud, its base URLs without their final slash."""
    if cloud is None:
        return None
    where = "endpoints.cloud"
    if "*" not in cloud.base_urls:
        raise _fail(f"{where}.base_urls", "must have a base URL for '*', any other location")
    for variable in (*cloud.project_env, *cloud.location_env):
        if not _ENVIRONMENT_NAME.fullmatch(variable):
            raise _fail(where, f"{variable!r} is not the name of an environment variable")
    return msgspec.structs.replace(
        cloud,
        base_urls={name: _base_url(url, "{location}") for name, url in cloud.base_urls.items()},
    )


def _authentication(value: dict[str, Any]) -> Authentication:
    authentication = _convert(value, Authentication, "authentication")
    headers = [*authentication.headers, *(one.name for one in authentication.optional_headers)]
    if authentication.kind in ("header", "google", "key_or_token"):
        headers.append(authentication.name)
    for header in headers:
        if not HEADER_NAME.fullmatch(header):
            raise _fail("authentication", f"{header!r} is not a header's name")
    for header, text in authentication.headers.items():
        if header.lower() in _SECRET_HEADERS:
            raise _fail(
                f"authentication.headers.{header}",
                "would hold a key: name the variable that holds it in authentication.env",
            )
        if not _VISIBLE.fullmatch(text):
            raise _fail(f"authentication.headers.{header}", "must be visible ASCII")
    if not _VISIBLE.fullmatch(authentication.prefix):
        raise _fail("authentication.prefix", "must be visible ASCII")
    addresses = filter(None, (authentication.base_url_env, authentication.host_env))
    keys = (*authentication.env, *authentication.token_env, *authentication.ambient_env)
    for variable in (*keys, *addresses):
        if not _ENVIRONMENT_NAME.fullmatch(variable):
            # Not quoted: what stands here by mistake may be the key itself.
            raise _fail("authentication.env", "must name environment variables, not hold a key")
    return authentication


def _build_model(
    provider: str,
    model_id: str,
    value: Any,
    dialects: tuple[str, ...],
    common: Traits | None,
) -> Model:
    path = f"models.{model_id}"
    if not model_id or not model_id.isprintable() or " " in model_id:
        raise _fail("models", f"{model_id!r} cannot be a model's id")
    entry = _convert(value, _ModelEntry, path)
    if entry.dialects is not None and not entry.dialects:
        raise _fail(f"{path}.dialects", "is empty: name at least one dialect, or leave it out")
    _check_dialect_names(entry.dialects or (), dialects, f"{path}.dialects")
    _check_dialect_names(entry.traits_by_dialect, dialects, f"{path}.traits_by_dialect")
    _check_date(entry.release_date, f"{path}.release_date")
    _check_date(entry.deprecation_date, f"{path}.deprecation_date")
    for place, change in enumerate(entry.pricing.changes if entry.pricing else ()):
        _check_date(change.from_date, f"{path}.pricing.changes[{place}].from_date")
    traits = entry.traits if common is None else _with_traits(common, entry.traits)
    traits = _with_levels(traits)
    stated = entry.capabilities or {}
    try:
        check_capability(stated, f"{path}.capabilities.")
    except ValueError as error:
        raise ConfigurationError(f"manifest: {error}", key=path) from None
    tokens = (stated.get("constraints") or {}).get("tokens") or {}
    features = stated.get("features")
    modalities = stated.get("modalities") or {}
    inputs, outputs = modalities.get("input"), modalities.get("output")
    model = Model(
        provider=provider,
        id=model_id,
        aliases=entry.aliases,
        general=entry.general,
        release_date=entry.release_date,
        deprecation_date=entry.deprecation_date,
        successor=entry.successor,
        context_window=_tokens(tokens, "max_context_window", path),
        max_output_tokens=_tokens(tokens, "max_output_tokens", path),
        pricing=entry.pricing,
        features=None if features is None else frozenset(k for k, has in features.items() if has),
        input_modalities=None if inputs is None else frozenset(inputs),
        output_modalities=None if outputs is None else frozenset(outputs),
        traits=traits,
        capabilities=orjson.dumps(stated),
        dialects=entry.dialects,
    )
    if not entry.traits_by_dialect:
        return model
    by_dialect = {
        name: msgspec.structs.replace(model, traits=_with_traits(traits, own))
        for name, own in entry.traits_by_dialect.items()
    }
    return msgspec.structs.replace(model, by_dialect=by_dialect)


def _check_date(date: str | None, where: str) -> None:
    if date is None:
        return
    try:
        canonical = dt.date.fromisoformat(date).isoformat()
    except ValueError:
        canonical = None
    if canonical != date:
        raise _fail(where, f"{date!r} must be a date such as 2026-11-22")


def _check_dialect_names(names: Iterable[str], dialects: tuple[str, ...], where: str) -> None:
    for name in names:
        if name not in dialects:
            raise _fail(
                where,
                f"{name!r} is not a dialect of the provider; it speaks: {', '.join(dialects)}",
            )


def _with_traits(traits: Traits, own: Traits) -> Traits:
    """Return *traits* with the values that *own* states in place of theirs."""
    stated = {name: each for name, each in msgspec.structs.asdict(own).items() if each is not None}
    return msgspec.structs.replace(traits, **stated)


def _tokens(tokens: dict[str, Any], key: str, path: str) -> int | None:
    value = tokens.get(key)
    if value is not None and (not isinstance(value, int) or value <= 0):
        raise _fail(
            f"{path}.capabilities.constraints.tokens.{key}", "must be a whole number above 0"
        )
    return value


def _aliases(models: dict[str, Model]) -> dict[str, Model]:
    by_alias: dict[str, Model] = {}
    for model in models.values():
        for alias in model.aliases:
            if alias in models or alias in by_alias:
                raise _fail(f"models.{model.id}.aliases", f"{alias!r} names another model too")
            by_alias[alias] = model
    return by_alias
