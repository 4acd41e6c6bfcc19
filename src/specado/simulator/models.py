"""Models of the simulated providers, and the rules of each, from the manifests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Optional

import msgspec

from specado.catalog import lookup as catalog
from specado.simulator.faults import FAULT_MODELS

__all__ = ["ListedModel", "ModelLookup", "ModelRules", "find_listed", "find_rules", "listed_models"]


class ListedModel(msgspec.Struct, frozen=True):
    """A row of `GET /v1/models`.

    `created` is in seconds since the epoch, `retires` the date of the retirement.
    """

    id: str
    created: int
    lifecycle: Literal["active", "deprecated", "retired"]
    retires: Optional[dt.date] = None
    max_input_tokens: Optional[int] = None
    max_output_tokens: Optional[int] = None


class ModelRules(msgspec.Struct, frozen=True):
    """Validation rules of one model; the defaults refuse nothing.

    `refused_roles` are OpenAI's message roles; `unsupported` request parameters that the model
    refuses; `features` what it can do; `efforts` the levels of reasoning effort. `None` is unknown.
    `is_served` is false where the provider serves the model at another of its APIs only.
    """

    id: str
    max_output_tokens: Optional[int] = None
    context_window: Optional[int] = None
    takes_max_tokens: bool = True
    takes_sampling: bool = True
    sampling_while_reasoning: bool = True
    tools_while_reasoning: bool = True
    default_effort: Optional[str] = None
    temperature_with_top_p: bool = True
    refused_roles: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()
    features: Optional[frozenset[str]] = None
    web_search_options: bool = True
    efforts: Optional[tuple[str, ...]] = None
    prefill: bool = True
    system_turns: bool = True
    budget_thinking: bool = True
    adaptive_thinking: bool = True
    forced_tool_choice: bool = True
    structured_output: bool = True
    is_served: bool = True

    def lacks(self, feature: str) -> bool:
        """Return whether the model is known not to have *feature*."""
        return self.features is not None and feature not in self.features


ModelLookup = Callable[[str, str, str], Optional[ModelRules]]

# Models that OpenAI no longer serves and no manifest names, which still answer here. o1-mini took
# neither a system nor a developer message (OpenAI's "Reasoning" guide of 2024-12).
_BYGONE = {
    ("openai_chat", "gpt-4.5-preview"): ModelRules("gpt-4.5-preview", web_search_options=False),
    ("openai_chat", "o1-mini"): ModelRules(
        "o1-mini",
        takes_max_tokens=False,
        takes_sampling=False,
        refused_roles=("system", "developer"),
        web_search_options=False,
    ),
}
# OpenAI serves its models at both of its APIs.
_OPENAI = ("openai_chat", "openai_responses")
# The shipped providers whose models the simulated APIs list, beside those of registered ones.
_LISTED = frozenset({"anthropic", "gemini", "openai", "vertex"})
_OPENAI_SWITCHES = (("stop", ("stop",)), ("parallel_tool_calls", ("parallel_tool_calls",)))
_UNSAMPLED = ("logprobs", "top_logprobs")

# Cache of the rules made from a model's entry, with that entry: a manifest that is
# registered anew brings a new entry.
_made: dict[tuple[str, str, str], tuple[catalog.Model, ModelRules]] = {}


def find_rules(dialect: str, model: str, url: str = "") -> ModelRules | None:
    """Return the rules for *model*, `None` if the provider does not have it.

    The provider is the one whose address *url* begins with, else any that speaks *dialect*. A
    provider whose manifest names no models has every model.
    """
    if model in FAULT_MODELS:
        return ModelRules(model)
    names = _names(dialect)
    addressed = False
    for outline in catalog.outlines():
        if _speaks(outline, names) and outline.base_url and url.startswith(outline.base_url):
            addressed = True
            provider = catalog.provider(outline.name)
            if provider is None or not provider.models:
                return ModelRules(model)
            found = provider.find(model)
            if found is not None:
                return _rules(dialect, found.in_dialect(dialect))
            if provider.facts_of is not None:  # its deployments have any name
                return ModelRules(model)
    if not addressed:
        for outline in catalog.providers_with(model):
            found = catalog.find_model(outline.name, model)
            if found is not None and _speaks(outline, names):
                return _rules(dialect, found.in_dialect(dialect))
    return _BYGONE.get((dialect, model))


def _names(dialect: str) -> tuple[str, ...]:
    return _OPENAI if dialect in _OPENAI else (dialect,)


def _speaks(outline: catalog.ProviderOutline, dialects: Sequence[str]) -> bool:
    return any(each in dialects for each in outline.dialects)


def _rules(dialect: str, model: catalog.Model) -> ModelRules:
    key = (dialect, model.provider, model.id)
    kept = _made.get(key)
    if kept is None or kept[0] is not model:
        made = _anthropic if dialect == "anthropic_messages" else _openai
        rules = made(model)
        if model.dialects is not None and dialect not in model.dialects:
            rules = msgspec.structs.replace(rules, is_served=False)
        kept = (model, rules)
        _made[key] = kept
    return kept[1]


def _openai(model: catalog.Model) -> ModelRules:
    traits = model.traits
    refused: tuple[str, ...] = ()
    if traits.system_role is not None:
        refused = ("developer",) if traits.system_role == "system" else ("system",)
    roles: Any = msgspec.json.decode(model.capabilities).get("roles") or {}
    if roles.get("system") is False:
        refused = ("system", "developer")
    unsupported = [
        name
        for trait, names in _OPENAI_SWITCHES
        if getattr(traits, trait) is False
        for name in names
    ]
    if traits.logprobs is False:
        unsupported += _UNSAMPLED
    return ModelRules(
        model.id,
        max_output_tokens=model.max_output_tokens,
        context_window=model.context_window,
        takes_max_tokens=traits.max_tokens_parameter != "max_completion_tokens",
        takes_sampling=traits.sampling is not False,
        sampling_while_reasoning=traits.sampling_while_reasoning is not False,
        tools_while_reasoning=traits.tools_while_reasoning is not False,
        default_effort=traits.default_effort,
        refused_roles=refused,
        unsupported=tuple(unsupported),
        features=model.features,
        web_search_options=traits.web_search is not False,
        efforts=traits.reasoning_efforts,
        structured_output=traits.structured_output is not False,
    )


def _anthropic(model: catalog.Model) -> ModelRules:
    traits = model.traits
    efforts = tuple(level for level in traits.reasoning_efforts or () if level != "none")
    sampling = traits.sampling is not False
    # The 4.6 models, the only adaptive ones that take sampling parameters, still take a budget
    # (Anthropic's migration guide, read 2026-11-22).
    budget = traits.thinking in (None, "budget") or (traits.thinking == "adaptive" and sampling)
    return ModelRules(
        model.id,
        max_output_tokens=model.max_output_tokens,
        context_window=model.context_window,
        takes_sampling=sampling,
        temperature_with_top_p=traits.temperature_with_top_p is not False,
        features=model.features,
        efforts=() if traits.effort_parameter is False else efforts or None,
        prefill=traits.assistant_prefill is not False,
        system_turns=traits.mid_conversation_system is not False,
        budget_thinking=budget,
        adaptive_thinking=traits.thinking in (None, "adaptive", "always"),
        forced_tool_choice=traits.forced_tool_choice is not False,
        structured_output=traits.structured_output is not False,
    )


def _listed(model: catalog.Model, model_id: str, today: dt.date) -> ListedModel:
    released = dt.date.fromisoformat(model.release_date or "1970-01-01")
    midnight = dt.datetime.combine(released, dt.time(), dt.timezone.utc)
    retires = dt.date.fromisoformat(model.deprecation_date) if model.deprecation_date else None
    lifecycle: Literal["active", "deprecated", "retired"] = "active"
    if retires is not None:
        lifecycle = "retired" if model.is_retired(today) else "deprecated"
    return ListedModel(
        model_id,
        int(midnight.timestamp()),
        lifecycle,
        retires,
        model.context_window,
        model.max_output_tokens,
    )


def _today(now_s: float) -> dt.date:
    return dt.datetime.fromtimestamp(now_s, dt.timezone.utc).date()


def _listing(dialect: str) -> Iterator[catalog.Provider]:
    for outline in catalog.outlines():
        name = outline.name
        if _speaks(outline, _names(dialect)) and (name in _LISTED or catalog.is_registered(name)):
            provider = catalog.provider(name)
            if provider is not None:
                yield provider


def listed_models(dialect: str, now_s: float) -> list[ListedModel]:
    """Return the models that are served at *now_s* by the providers that speak *dialect*."""
    today = _today(now_s)
    return [
        _listed(model, model.id, today)
        for provider in _listing(dialect)
        for model in provider.models.values()
        if not model.is_retired(today)
    ]


def find_listed(dialect: str, wanted: str, now_s: float) -> ListedModel | None:
    """Return one model's row at *now_s*, by id or alias."""
    for provider in _listing(dialect):
        found = provider.find(wanted)
        if found is not None:
            return _listed(found, wanted, _today(now_s))
    return None
