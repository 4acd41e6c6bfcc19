"""Models that a provider's server lists, in whichever form it lists them.

OpenAI and servers like it answer with `data`, Google and Ollama with `models`, Databricks with
`endpoints`, and Together with a bare list.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Optional
from urllib.parse import urlencode

import msgspec

from specado.dialects.errors import ReplySource, error_from_failure, error_from_reply
from specado.dialects.registry import DIALECTS
from specado.endpoints.request import RequestSecrets, wire_request
from specado.errors import ConfigurationError, MalformedResponseError
from specado.transport import TransportFailure, WireReply, shared_transport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specado.catalog.lookup import Provider
    from specado.endpoints.access import Access

__all__ = ["ServedModel", "served_models"]

TIMEOUT_S = 30.0
# More pages than any provider has: a server that repeats its pages would never end.
MAX_PAGES = 50
_LISTS = ("data", "models", "endpoints")
# The members that tell a model's limits, by their paths: whose they are is said where only one
# provider has the name.
_CONTEXT_WINDOWS = (
    "context_window",
    "context_length",
    "max_context_length",
    "max_model_len",
    "max_input_tokens",
    "inputTokenLimit",
    "metadata.context_length",  # DeepInfra
    "meta.n_ctx",  # llama.cpp: as it was started
    "meta.n_ctx_train",
)
_OUTPUT_LIMITS = (
    "max_output_tokens",
    "max_completion_tokens",
    "outputTokenLimit",
    "top_provider.max_completion_tokens",  # OpenRouter
)


class ServedModel(msgspec.Struct, frozen=True):
    """A model as its server lists it; `listed` is the server's own entry."""

    id: str
    context_window: Optional[int]
    max_output_tokens: Optional[int]
    listed: dict[str, Any]


def served_models(provider: Provider, access: Access) -> list[ServedModel]:
    """Ask a provider's server for its models, and return them in its order.

    Raises:
        ConfigurationError: the key is missing, or the manifest names no list of models.
        ProviderError: the server cannot be reached, refuses, or answers with no list.
    """
    endpoint = access.endpoint(provider)
    if provider.models_path is None:
        raise ConfigurationError(
            f"the manifest of {provider.name!r} names no path at which its models are listed",
            key="provider",
        )
    if endpoint.missing is not None:
        raise ConfigurationError(endpoint.missing, key="api_key")
    found: dict[str, ServedModel] = {}
    query: dict[str, str] = {}
    for _ in range(MAX_PAGES):
        url = endpoint.base_url + provider.models_path + ("?" if query else "") + urlencode(query)
        request = wire_request(endpoint, url, b"", method="GET")
        source = ReplySource(
            provider.name,
            "models",
            DIALECTS[provider.dialect],
            RequestSecrets(endpoint, request),
            endpoint.base_url,
        )
        page = _page(access, source, request)
        known = len(found)
        for model in _listed(source, page):
            found.setdefault(model.id, model)
        query = _next_page(page)
        if not query or len(found) == known:
            break
    return list(found.values())


def _page(access: Access, source: ReplySource, request: Any) -> Any:
    """Return the decoded body of a server's reply, or raise the error that it reports."""
    transport = shared_transport(access.transport_settings)
    try:
        reply = transport.send(request, TIMEOUT_S, access.wire_limits())
    except TransportFailure as failure:
        raise error_from_failure(source, failure) from None
    if reply.status >= 300:
        raise error_from_reply(source, reply, datetime.now(timezone.utc))
    try:
        return msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _no_list(source, reply) from None


def _no_list(source: ReplySource, reply: WireReply | None = None) -> MalformedResponseError:
    facts = {} if reply is None else source.facts_of(reply.status, reply.headers)
    return source.error(MalformedResponseError, "the reply is no list of models", **facts)


def _listed(source: ReplySource, page: Any) -> Iterator[ServedModel]:
    entries = page
    if isinstance(page, dict):
        members = [name for name in _LISTS if name in page]
        if not members:
            raise _no_list(source)
        entries = page[members[0]] or ()  # an Ollama without models says null
    if not isinstance(entries, (list, tuple)):
        raise _no_list(source)
    for entry in entries:
        if isinstance(entry, dict):
            name = entry.get("id") or entry.get("name") or entry.get("model")
            if isinstance(name, str):
                yield ServedModel(
                    name.removeprefix("models/"),  # Google's collection
                    _number(entry, _CONTEXT_WINDOWS),
                    _number(entry, _OUTPUT_LIMITS),
                    entry,
                )


def _number(entry: dict[str, Any], paths: tuple[str, ...]) -> int | None:
    """Return the first positive whole number at one of the paths."""
    for path in paths:
        value: Any = entry
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def _next_page(page: Any) -> dict[str, str]:
    """Return the query of the next page, as Anthropic or Google name it; empty after the last."""
    if not isinstance(page, dict):
        return {}
    if page.get("has_more") is True and isinstance(page.get("last_id"), str):
        return {"after_id": page["last_id"]}
    token = page.get("nextPageToken")
    return {"pageToken": token} if isinstance(token, str) and token else {}
