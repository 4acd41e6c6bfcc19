"""Estimates the token count and price of a prompt, without a tokenizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from specado._core import Conversation
    from specado.catalog.lookup import Model

__all__ = ["estimated_price_usd", "estimated_tokens", "exceeds_window"]

# OpenAI's "What are tokens" puts English at about four characters a token; other scripts take
# more bytes a character, so the estimate counts bytes.
BYTES_PER_TOKEN = 4
# An image or a page costs some hundred to some thousand tokens with either provider.
TOKENS_PER_MEDIUM = 1000
# Tolerance: the estimate may be this much too high before a prompt counts as too long.
MARGIN = 0.25


def estimated_tokens(conversation: Conversation, body: bytes) -> int:
    """Return the estimated number of tokens of the prompt."""
    media = conversation.images + conversation.files + conversation.sounds
    size = conversation.characters if media else len(body)
    return size // BYTES_PER_TOKEN + media * TOKENS_PER_MEDIUM


def exceeds_window(tokens: int, window: int | None) -> bool:
    """Return whether a prompt of about *tokens* certainly exceeds the context window."""
    return window is not None and tokens * (1 - MARGIN) > window


def estimated_price_usd(tokens: int, facts: Model | None, today: date) -> float | None:
    """Return the price of a prompt of about *tokens*, without its answer; `None` if unknown."""
    if facts is None or facts.pricing is None:
        return None
    pricing = facts.pricing.on(today)
    long = pricing.long_context
    per_million = pricing.input
    if long is not None and tokens > long.above_tokens:
        per_million = long.input
    return None if per_million is None else tokens * per_million / 1_000_000
