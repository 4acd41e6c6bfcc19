"""Cost of a reply in US dollars: the manifest's prices times the reply's token counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

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
    from specado.types import ChatCompletionResponse, Usage

__all__ = ["cost_of", "may_have_been_billed", "usd_of"]

# The service tiers (OpenAI's names) for which the listed prices hold.
_LISTED_TIERS = (None, "auto", "default", "standard")

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

    Args:
        reply: the reply.
        facts: the manifest's entry for the model that answered.
        earlier: the errors of the earlier attempts.
        is_whole: whether the reply is complete.
    """
    usage, pricing = reply.usage, None if facts is None else facts.pricing
    usd = None
    if (
        usage is not None
        and pricing is not None
        and reply.service_tier in _LISTED_TIERS
        and reply.usage_certainty != "unknown"
    ):
        usd = usd_of(usage, pricing)
    if usd is None:
        return {"usd": None, "certainty": "unknown"}
    may_be_more = (
        not is_whole
        or reply.usage_certainty == "at_least"
        or (facts is not None and facts.traits.web_search)
        or (earlier and any(map(may_have_been_billed, earlier)))
    )
    return {"usd": usd, "certainty": "at_least" if may_be_more else "exact"}


def usd_of(usage: Usage, pricing: Pricing) -> float | None:
    """Return the price of tokens in dollars, `None` if the price of some is unknown.

    Cached, cache-write and audio tokens are parts of the prompt's, reasoning and audio tokens parts
    of the completion's: each is counted once.
    """
    long = pricing.long_context
    rates = pricing if long is None or usage.prompt_tokens <= long.above_tokens else long
    prompt = usage.prompt_tokens_details or _NO_PROMPT_DETAILS
    completion = usage.completion_tokens_details or _NO_COMPLETION_DETAILS
    cached = prompt.cached_tokens or 0
    cache_written = prompt.cache_write_tokens or 0
    audio_prompt = prompt.audio_tokens or 0
    audio_completion = completion.audio_tokens or 0
    parts = [
        (usage.prompt_tokens - cached - cache_written - audio_prompt, rates.input),
        (usage.completion_tokens - audio_completion, rates.output),
    ]
    if cached or cache_written or audio_prompt or audio_completion:
        if audio_prompt and cached:  # how many cached tokens are audio is unknown
            return None
        cache_written_1h = prompt.cache_write_1h_tokens or 0
        parts += [
            (cached, rates.cached_input),
            (cache_written - cache_written_1h, rates.cache_write),
            (cache_written_1h, pricing.cache_write_1h if rates is pricing else None),
            (audio_prompt, pricing.audio_input),
            (audio_completion, pricing.audio_output),
        ]
    in_millionths = 0.0
    for tokens, price in parts:
        if tokens == 0:
            continue
        if tokens < 0 or price is None:
            return None
        in_millionths += tokens * price
    # A token of the cheapest model costs more than the last of these digits.
    return round(in_millionths / 1_000_000, 12)
