"""Rules of request parameters that several dialects share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "BUDGET_SHARES",
    "EFFORTS",
    "MAX_STOPS",
    "MIN_THINKING_BUDGET",
    "effort_for",
    "nearest_effort",
    "thinking_budget",
]

# Reasoning efforts, the lowest first.
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
# The canonical form is OpenAI's, and takes this many stop sequences (openai.types.chat 3.54,
# 2026-11-22).
MAX_STOPS = 4
# The lowest thinking budget of Claude (anthropic 0.125.0, 2026-11-22).
MIN_THINKING_BUDGET = 1024
# Thousandths of max_tokens that may go into thinking, by effort.
BUDGET_SHARES = {
    "minimal": 100,
    "low": 200,
    "medium": 500,
    "high": 800,
    "xhigh": 900,
    "max": 950,
}


def nearest_effort(wanted: str, levels: Iterable[str]) -> str | None:
    """Return the member of *levels* nearest to *wanted*; of two as near, the lower one.

    None if *wanted* or all of *levels* are unknown efforts.
    """
    if wanted not in EFFORTS:
        return None
    rank = EFFORTS.index(wanted)
    known = [EFFORTS.index(level) for level in levels if level in EFFORTS]
    if not known:
        return None
    return EFFORTS[min(known, key=lambda other: (abs(other - rank), other))]


def thinking_budget(max_tokens: int, effort: str) -> int:
    """Return the tokens of *max_tokens*, over 1,024, that an effort gives to thinking.

    An effort that is not known counts as the highest.
    """
    # In thousandths: a share of any whole number, however large.
    share = max_tokens * BUDGET_SHARES.get(effort, BUDGET_SHARES["max"]) // 1000
    return min(max(share, MIN_THINKING_BUDGET), max_tokens - 1)


def effort_for(budget: Any, max_tokens: Any) -> str:
    """Return the reasoning effort for a thinking budget of so many tokens."""
    if not isinstance(budget, int) or not isinstance(max_tokens, int) or max_tokens <= 0:
        return "medium"
    share = budget / max_tokens
    if share <= 0.3:
        return "low"
    return "medium" if share <= 0.65 else "high"
