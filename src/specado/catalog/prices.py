"""Cost of a reply in US dollars: what the provider tells, else the manifest's prices times tokens.

A cost is "exact" only where nothing in the reply speaks against it.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Optional

from specado.catalog.lookup import provider as find_provider
from specado.errors import (
    ConnectionFailedError,
    ContentPolicyError,
    DeadlineExceededError,
    MalformedResponseError,
    ProviderError,
    ServerError,
    StreamInterruptedError,
)
from specado.types import CompletionTokensDetails, PromptTokensDetails

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specado.catalog.lookup import Model, Pricing
    from specado.catalog.manifests import FastPricing, LongContextPricing
    from specado.types import ChatCompletionResponse, Usage

__all__ = ["cost_of", "may_have_been_billed", "usd_of"]

# The service tiers (OpenAI's names, and Groq's usual one) for which the listed prices hold.
_LISTED_TIERS = (None, "auto", "default", "standard", "on_demand")
# The members of `usage` in which providers tell the price of a reply, and their units to the
# dollar: OpenRouter, Perplexity, xAI (their documentation, read 2026-11-30). A manifest may say
# otherwise.
_USAGE_COSTS = (("cost", 1.0), ("cost.total_cost", 1.0), ("cost_in_usd_ticks", 1e10))
_MUCH = 1e15  # a number above is no price

_NO_PROMPT_DETAILS = PromptTokensDetails()
_NO_COMPLETION_DETAILS = CompletionTokensDetails()


def may_have_been_billed(error: ProviderError) -> bool:
    """Return whether a failed attempt may have been billed."""
    if isinstance(error, ConnectionFailedError):
        return error.sent and not error.is_stale_connection
    if isinstance(error, DeadlineExceededError):
        return error.sent
    if isinstance(error, (ServerError, MalformedResponseError, StreamInterruptedError)):
        return True
    if isinstance(error, ContentPolicyError):  # a refusal that was a whole reply
        return error.status_code == 200
    return type(error) is ProviderError


def cost_of(
    reply: ChatCompletionResponse,
    facts: Optional[Model],
    earlier: Sequence[ProviderError] = (),
    *,
    is_whole: bool = True,
) -> dict[str, Any]:
    """Return the cost of a reply: `usd` (`None` if unknown) and its `certainty`.

    A price that the provider tells is taken; `source` is then the member of the reply.

    Args:
        reply: the reply.
        facts: the manifest's entry for the model that answered.
        earlier: the errors of the earlier attempts.
        is_whole: whether the reply is complete.
    """
    may_be_more = not is_whole or (bool(earlier) and any(map(may_have_been_billed, earlier)))
    told = _told_by_provider(reply) if reply.other_usage else None
    if told is not None:
        usd, source, is_all = told
        certainty = "exact" if is_all and not may_be_more else "at_least"
        return {"usd": usd, "certainty": certainty, "source": source}
    priced = _priced(reply, facts)
    if priced is None:
        return {"usd": None, "certainty": "unknown"}
    usd, is_all = priced
    return {"usd": usd, "certainty": "exact" if is_all and not may_be_more else "at_least"}


def _told_by_provider(reply: ChatCompletionResponse) -> tuple[float, str, bool] | None:
    """Return the price in a reply: dollars, the member that tells it, and whether it is all.

    OpenRouter's `cost` is all only where the upstream provider bills nothing of its own.
    """
    provider = find_provider(reply.extensions.provider_used)
    stated = None if provider is None else provider.usage_cost
    places = _USAGE_COSTS if stated is None else ((stated.member, stated.per_usd),)
    for member, per_usd in places:
        value: Any = reply.other_usage
        for name in member.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < _MUCH:
            is_all = member != "cost" or reply.other_usage.get("is_byok") is False
            return round(value / per_usd, 12), f"usage.{member}", is_all
    return None


def _priced(reply: ChatCompletionResponse, facts: Model | None) -> tuple[float, bool] | None:
    """Return the price of a reply's tokens, and whether they are all of the bill."""
    usage, pricing = reply.usage, None if facts is None else facts.pricing
    if (
        usage is None
        or facts is None
        or pricing is None
        or reply.service_tier not in _LISTED_TIERS
        or reply.usage_certainty == "unknown"
    ):
        return None
    is_all = reply.usage_certainty == "exact" and not _has_searched(reply, facts)
    uncounted = uncounted_tokens(usage)
    speed = reply.other_usage.get("speed")
    if uncounted < 0 or speed not in (None, "fast"):
        return None
    if speed == "fast":
        is_all = is_all and pricing.fast is not None
    if pricing.changes:
        pricing = pricing.on(_day_of(reply))
    usd = usd_of(usage, pricing, is_fast=speed == "fast")
    return None if usd is None else (usd, is_all and not uncounted)


def _has_searched(reply: ChatCompletionResponse, facts: Model) -> bool:
    """Return whether a reply may have cost the fee of a search, beside its tokens.

    A reply of a model that always searches the web may; any other reply only if it has citations.
    """
    if facts.traits.web_search:
        return True
    for choice in reply.choices:
        for each in choice.message.annotations or ():
            if isinstance(each, dict) and each.get("type") == "url_citation":
                return True
    return False


def _day_of(reply: ChatCompletionResponse) -> dt.date:
    """Return the day (UTC) on which a reply was made, today where it does not say so."""
    if reply.created > 0:
        try:
            return dt.datetime.fromtimestamp(reply.created, dt.timezone.utc).date()
        except (OverflowError, OSError, ValueError):
            pass
    return dt.datetime.now(dt.timezone.utc).date()


def uncounted_tokens(usage: Usage) -> int:
    """Return how many tokens of the total are neither prompt nor completion; 0 if they add up.

    Reasoning that is counted beside the completion, as xAI does, is part of it.
    """
    completed, details = usage.completion_tokens, usage.completion_tokens_details
    beside = usage.total_tokens - usage.prompt_tokens - completed
    reasoning = 0 if details is None else details.reasoning_tokens or 0
    if beside == 0:  # reasoning that the completion cannot hold is in no total
        return 0 if reasoning <= completed else reasoning - completed
    return 0 if beside == reasoning else beside


def _rates_of(
    usage: Usage, pricing: Pricing, *, is_fast: bool
) -> Pricing | LongContextPricing | FastPricing:
    """Return the prices of the whole request: of the fast mode, of a long prompt, or the usual."""
    long = pricing.long_context
    if is_fast and pricing.fast is not None:
        return pricing.fast
    if long is not None and usage.prompt_tokens > long.above_tokens:
        return long
    return pricing


def usd_of(usage: Usage, pricing: Pricing, *, is_fast: bool = False) -> float | None:
    """Return the price of tokens in dollars, `None` if the price of some is unknown.

    Cached, cache-write and audio tokens are parts of the prompt's, reasoning and audio tokens parts
    of the completion's: each is counted once. Reasoning beside the completion is added to it. With
    *is_fast* the prices of the fast mode hold, where the manifest has them.
    """
    rates: Pricing | LongContextPricing | FastPricing = pricing
    if is_fast or pricing.long_context is not None:
        rates = _rates_of(usage, pricing, is_fast=is_fast)
    prompt = usage.prompt_tokens_details or _NO_PROMPT_DETAILS
    completion = usage.completion_tokens_details or _NO_COMPLETION_DETAILS
    cached = prompt.cached_tokens or 0
    cache_written = prompt.cache_write_tokens or 0
    # Audio tokens at the price of text are counted as text: cached ones and long prompts too.
    costs_as_text = pricing.audio_input is not None and pricing.audio_input == pricing.input
    audio_prompt = 0 if costs_as_text else prompt.audio_tokens or 0
    audio_completion = completion.audio_tokens or 0
    prompted, completed = usage.prompt_tokens, usage.completion_tokens
    beside = usage.total_tokens - prompted - completed
    if beside > 0 and beside == completion.reasoning_tokens:
        completed += beside
    parts: Sequence[tuple[int, Optional[float]]] = ()
    if cached or cache_written or audio_prompt or audio_completion:
        if audio_prompt and cached:  # how many cached tokens are audio is unknown
            return None
        cache_written_1h = prompt.cache_write_1h_tokens or 0
        parts = (
            (cached, rates.cached_input),
            (cache_written - cache_written_1h, rates.cache_write),
            (cache_written_1h, getattr(rates, "cache_write_1h", None)),
            (audio_prompt, pricing.audio_input),
            (audio_completion, pricing.audio_output),
        )
        prompted -= cached + cache_written + audio_prompt
        completed -= audio_completion
    of_input, of_output = rates.input, rates.output
    if prompted < 0 or completed < 0:
        return None
    if (of_input is None and prompted) or (of_output is None and completed):
        return None
    in_millionths = prompted * (of_input or 0.0) + completed * (of_output or 0.0)
    for tokens, price in parts:
        if tokens == 0:
            continue
        if tokens < 0 or price is None:
            return None
        in_millionths += tokens * price
    usd = in_millionths / 1_000_000
    # A token of the cheapest model costs more than the last of these digits. A whole number of
    # millionths has six: the quotient is rounded as it is.
    return usd if in_millionths % 1 == 0 else round(usd, 12)
