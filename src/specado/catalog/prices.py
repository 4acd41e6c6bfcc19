"""What a reply cost, in US dollars, by its manifest's prices and the tokens it counts."""

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
    from collections.abc import Iterable, Sequence

    from specado.catalog.lookup import Model, Pricing
    from specado.types import ChatCompletionResponse, Usage

__all__ = ["cost_of", "may_have_been_billed", "usd_of"]

# The tiers that the listed prices are for, in OpenAI's words.
_LISTED_TIERS = (None, "auto", "default", "standard")
# What a provider bills beside the tokens or dearer, as the notes of a reply name it. Source:
# Anthropic's "Pricing" page: web search, data residency, compaction; read 2026-11-22.
_DEARER = frozenset({"usage.server_tool_use", "usage.inference_geo", "usage.iterations"})
_HARMLESS = "usage.total_tokens"

_NO_PROMPT_DETAILS = PromptTokensDetails()
_NO_COMPLETION_DETAILS = CompletionTokensDetails()


def may_have_been_billed(error: ProviderError) -> bool:
    """Return whether an attempt that failed may have cost something all the same."""
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
    """Return a reply's `usd`, `None` where it is not known, and how certain that is.

    Args:
        reply: what was answered, with its notes in its metadata.
        facts: what is known of the model that answered.
        earlier: the errors of the attempts before.
        is_whole: whether nothing of the reply is missing.
    """
    usage, pricing = reply.usage, None if facts is None else facts.pricing
    told = reply.extensions.metadata.get("reply_notes")
    notes = _notes_on_usage(told) if told else ()
    usd = None
    if (
        usage is not None
        and pricing is not None
        and reply.service_tier in _LISTED_TIERS
        and _DEARER.issuperset(notes)
    ):
        usd = usd_of(usage, pricing)
    if usd is None:
        return {"usd": None, "certainty": "unknown"}
    may_be_more = (
        not is_whole
        or notes
        or (facts is not None and facts.traits.web_search)
        or (earlier and any(map(may_have_been_billed, earlier)))
    )
    return {"usd": usd, "certainty": "at_least" if may_be_more else "exact"}


def _notes_on_usage(notes: Iterable[str]) -> list[str]:
    """Return the names of what a reply's usage tells otherwise than as tokens, or wrongly."""
    names = [note.partition(":")[0] for note in notes]
    return [name for name in names if name.startswith("usage") and name != _HARMLESS]


def usd_of(usage: Usage, pricing: Pricing) -> float | None:
    """Return the price of tokens in dollars, `None` where the price of some is not known.

    Cached, written and audio tokens are parts of the prompt's, reasoning and audio tokens parts
    of the completion's: each is counted once.
    """
    long = pricing.long_context
    rates = pricing if long is None or usage.prompt_tokens <= long.above_tokens else long
    prompt = usage.prompt_tokens_details or _NO_PROMPT_DETAILS
    completion = usage.completion_tokens_details or _NO_COMPLETION_DETAILS
    cached = prompt.cached_tokens or 0
    written = prompt.cache_write_tokens or 0
    heard = prompt.audio_tokens or 0
    spoken = completion.audio_tokens or 0
    parts = [
        (usage.prompt_tokens - cached - written - heard, rates.input),
        (usage.completion_tokens - spoken, rates.output),
    ]
    if cached or written or heard or spoken:
        if heard and cached:  # how many of the cached ones are audio is not told
            return None
        written_1h = prompt.cache_write_1h_tokens or 0
        parts += [
            (cached, rates.cached_input),
            (written - written_1h, rates.cache_write),
            (written_1h, pricing.cache_write_1h if rates is pricing else None),
            (heard, pricing.audio_input),
            (spoken, pricing.audio_output),
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
