"""Selects the dialect of a request among those that the provider's endpoint accepts.

The first rule that applies selects the dialect:

1. Only one dialect knows a member of `extra_body` that names something stored with the provider.
2. Only one dialect knows another member of `extra_body`.
3. Only one dialect knows a parameter.
4. An earlier answer is sent back as it came: the dialect of the last one.
5. The first dialect, unless it has a contract loss that another dialect lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Optional
from urllib.parse import quote, urlsplit

import msgspec
from msgspec.structs import replace

from specado.catalog import lookup as catalog
from specado.dialects.contract import Dialect, Target
from specado.dialects.framing import FRAMINGS, Framing
from specado.dialects.registry import DIALECTS
from specado.dialects.replies import address_tag
from specado.errors import ConfigurationError, SpecadoError
from specado.losses.report import SEVERITIES
from specado.losses.rows import ROWS, check_row_ids
from specado.settings.validators import closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from specado.catalog.lookup import Model, Provider, ProviderDialect
    from specado.dialects.contract import Encoded
    from specado.endpoints.access import Access
    from specado.endpoints.endpoint import Endpoint

__all__ = [
    "CONVERSATION_STORED",
    "DialectRoute",
    "binding_member",
    "contract_loss",
    "dialect_routes",
    "in_order_of_create",
    "known_only_to_one",
    "named_dialects",
    "sent_parameters",
    "spoken_dialects",
    "target_of",
    "written_in_one",
]

# The members of its answers that a server takes back whose manifest does not say it.
RETURNED = frozenset(
    {
        "reasoning",
        "reasoning_content",
        "reasoning_details",
        "content[].reasoning",
        "tool_calls[].extra_content",
    }
)

# The loss of a candidate that lacks what the first candidate's provider has stored.
CONVERSATION_STORED = "conversation.stored"
check_row_ids((CONVERSATION_STORED,), "specado.routing.dialect_routes")

_NAMED_BY_CREATE = ("temperature", "max_tokens", "stream")


class DialectRoute(msgspec.Struct, frozen=True):
    """A dialect in which a model of an endpoint can be asked, with its URLs and stream format.

    `is_compatible`: the server is another one than that whose API defines the dialect.
    `own_members` and `own_parameters` are those that no other dialect of the endpoint knows;
    `selecting` are the parameters that only one of its dialects knows.
    """

    name: str
    dialect: Dialect
    url: str
    stream_url: str
    framing: Framing
    stream_usage: bool = True
    stream_end: str = ""
    is_compatible: bool = False
    target: Optional[Target] = None
    own_members: frozenset[str] = frozenset()
    own_parameters: frozenset[str] = frozenset()
    selecting: frozenset[str] = frozenset()


def named_dialects(provider: Provider, names: Sequence[str]) -> tuple[ProviderDialect, ...]:
    """Return the dialects of a provider that its setting `dialects` names, in that order.

    Raises:
        ConfigurationError: the provider does not speak one of them.
    """
    known = {each.name: each for each in provider.dialects}
    for place, name in enumerate(names):
        if name not in known:
            key = f"providers[{provider.name!r}]['dialects'][{place}]"
            near = closest(name, known)
            hint = f"; did you mean {near!r}?" if near else ""
            raise ConfigurationError(
                f"{key}: {name!r} is not a dialect of {provider.name!r}; it speaks: "
                f"{', '.join(known)}{hint}",
                key=key,
            )
    return tuple(known[name] for name in names)


def spoken_dialects(
    provider: Provider, facts: Model | None, access: Access
) -> tuple[ProviderDialect, ...]:
    """Return the dialects in which a provider's model may be asked, in order of preference.

    Those of the setting `dialects`, else those of the manifest, narrowed to the model's. With an
    address of its own and without the setting, a provider has only the manifest's first, for every
    model, unless its users run the servers anyway. A setting that names none of the model's
    dialects is taken as it is.
    """
    listed, own = provider.dialects, access.own_dialects(provider)
    if own is not None:
        listed = named_dialects(provider, own)
    elif len(listed) > 1 and not provider.self_hosted and access.has_own_address(provider):
        return listed[:1]
    if facts is None or facts.dialects is None or len(listed) == 1:
        return listed
    return tuple(each for each in listed if each.name in facts.dialects) or listed


def dialect_routes(
    provider: Provider, model: str, facts: Model | None, endpoint: Endpoint, access: Access
) -> tuple[DialectRoute, ...]:
    """Return the dialects of a route, in order of preference.

    Raises:
        ConfigurationError: the setting `dialects` names one that the provider does not speak.
    """
    found = tuple(
        _dialect_route(each, provider, model, endpoint)
        for each in spoken_dialects(provider, facts, access)
    )
    return _with_own_names(found)


def target_of(provider: Provider, spoken: ProviderDialect, base_url: str) -> Target:
    """Return the target of requests to a provider at an address.

    Facts of a manifest are those of its own servers: another may take back what it likes.
    """
    returns = spoken.returns if provider.is_at(base_url) else None
    return Target(
        provider.name, address_tag(base_url), RETURNED if returns is None else frozenset(returns)
    )


def _dialect_route(
    spoken: ProviderDialect, provider: Provider, model: str, endpoint: Endpoint
) -> DialectRoute:
    dialect, base_url = DIALECTS[spoken.name], endpoint.base_url
    is_compatible = not _defines(provider, dialect, base_url)
    path = spoken.path or dialect.path(model, False)
    stream_path = spoken.stream_path or spoken.path or dialect.path(model, True)
    if endpoint.api_version:
        path = _versioned(path, spoken, provider, endpoint.api_version)
        stream_path = _versioned(stream_path, spoken, provider, endpoint.api_version)
    return DialectRoute(
        spoken.name,
        dialect,
        base_url + _filled(path, model, endpoint.parent),
        base_url + _filled(stream_path, model, endpoint.parent),
        FRAMINGS[dialect.framing],
        spoken.stream_usage,
        spoken.stream_end or ("unknown" if is_compatible else ""),
        is_compatible,
        target_of(provider, spoken, base_url),
    )


def _defines(provider: Provider, dialect: Dialect, base_url: str) -> bool:
    """Return whether a provider at *base_url* is the one whose API defines the dialect."""
    return (
        provider.name == dialect.provider
        and not catalog.is_registered(provider.name)
        and urlsplit(base_url).hostname == urlsplit(provider.base_url).hostname
    )


def _versioned(path: str, spoken: ProviderDialect, provider: Provider, version: str) -> str:
    """Return the path of requests that name a version of the API, in their query.

    A dated version has paths of its own; a word such as "preview" goes with the usual ones.
    """
    if version[:1].isdigit() and spoken.versioned_path is not None:
        path = spoken.versioned_path
    return f"{path}{'&' if '?' in path else '?'}{provider.version_parameter}={version}"


def _filled(path: str, model: str, parent: str) -> str:
    """Return a path with its placeholders filled."""
    if "{" not in path:
        return path
    return path.replace("{parent}", parent).replace("{model}", quote(model, safe=""))


def known_only_to_one(
    dialects: Sequence[DialectRoute],
    parameters: Iterable[str],
    extra_body: Optional[Mapping[str, Any]],
) -> DialectRoute | None:
    """Return the one dialect that knows a member of *extra_body* or, failing that, a parameter.

    `None` where every member is known to several or to none, or where two select different ones.
    """
    if extra_body:
        found = [each for each in dialects if _binding(each, extra_body)]
        if len(found) != 1:
            found = [each for each in dialects if not each.own_members.isdisjoint(extra_body)]
        if found:
            return found[0] if len(found) == 1 else None
    chosen = None
    for each in dialects:
        if not each.own_parameters.isdisjoint(parameters):
            if chosen is not None:
                return None
            chosen = each
    return chosen


def _with_own_names(routes: tuple[DialectRoute, ...]) -> tuple[DialectRoute, ...]:
    """Return the routes with the members and parameters that only one of their dialects knows."""
    if len(routes) == 1:
        return routes
    dialects = [each.dialect for each in routes]
    found = []
    for route in routes:
        others = [each for each in dialects if each is not route.dialect]
        found.append(
            replace(
                route,
                own_members=route.dialect.members.difference(*(each.members for each in others)),
                own_parameters=route.dialect.parameters.difference(
                    *(each.parameters for each in others)
                ),
            )
        )
    selecting = frozenset().union(*(each.own_parameters for each in found))
    return tuple(replace(each, selecting=selecting) for each in found)


def _binding(route: DialectRoute, extra_body: Mapping[str, Any]) -> str | None:
    """Return a member of *extra_body* that keeps the conversation with the provider, if any."""
    for name in extra_body:
        if name in route.dialect.binding_members and extra_body[name] not in (None, False):
            return name
    return None


def binding_member(
    dialects: Sequence[DialectRoute], extra_body: Optional[Mapping[str, Any]]
) -> str | None:
    """Return the member of *extra_body* that keeps a conversation with the first candidate.

    What it names is stored with that provider. *dialects* are the candidate's. `None` if there is
    no such member.
    """
    if not extra_body:
        return None
    return next(filter(None, (_binding(each, extra_body) for each in dialects)), None)


def written_in_one(
    dialects: Sequence[DialectRoute],
    parameters: Iterable[str],
    extra_body: Optional[Mapping[str, Any]],
    native: Optional[str],
    write: Callable[[DialectRoute], Encoded],
) -> tuple[DialectRoute, Encoded]:
    """Return the dialect of several that a request selects, and the body that *write* makes in it.

    Without one it is the first without a contract loss, else that where the loss is least.
    *native*, the dialect of earlier answers, which go back as they came, counts as the first.
    """
    if extra_body or not dialects[0].selecting.isdisjoint(parameters):
        chosen = known_only_to_one(dialects, parameters, extra_body)
        if chosen is not None:
            return chosen, write(chosen)
    if native is not None:
        dialects = sorted(dialects, key=lambda each: each.name != native)
    best: tuple[tuple[int, int], DialectRoute, Encoded] | None = None
    inexpressible: SpecadoError | None = None
    for dialect in dialects:
        try:
            encoded = write(dialect)
        except SpecadoError as error:
            inexpressible = inexpressible or error.with_traceback(None)
            continue
        if not encoded.losses:
            return dialect, encoded
        loss = contract_loss(encoded)
        if best is None or loss < best[0]:
            best = loss, dialect, encoded
        if not loss[1]:
            break
    if best is None:
        raise inexpressible or ValueError("no dialects")
    return best[1:]


def sent_parameters(parameters: dict[str, Any], *, may_ask_for_usage: bool) -> dict[str, Any]:
    """Return the parameters as they are written: a stream asks for its usage where it may."""
    if not parameters.get("stream"):
        return parameters
    options = dict(parameters.get("stream_options") or {})
    options.pop("include_usage", None)
    if may_ask_for_usage:
        options["include_usage"] = True
    streamed = {**parameters, "stream_options": options}
    if not options:
        del streamed["stream_options"]
    return streamed


def in_order_of_create(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters as a call would have them: those that `create` names come first."""
    first = {name: parameters[name] for name in _NAMED_BY_CREATE if name in parameters}
    return {**first, **parameters} if first else parameters


# The severity of each contract loss, to be compared.
_CONTRACT = {
    name: SEVERITIES.index(row.severity)
    for name, row in ROWS.items()
    if row.kind == "contract" and row.severity != "None"
}


def contract_loss(encoded: Encoded) -> tuple[int, int]:
    """Return the worst severity of a body's contract losses and their number, to be compared."""
    severities = [_CONTRACT[loss[0]] for loss in encoded.losses if loss[0] in _CONTRACT]
    return max(severities, default=0), len(severities)
