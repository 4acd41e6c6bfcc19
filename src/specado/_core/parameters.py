"""Rules of request parameters that several dialects share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["EFFORTS", "MAX_STOPS", "nearest_effort"]

# Reasoning efforts, the lowest first.
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
# The canonical form is OpenAI's, and takes this many stop sequences (openai.types.chat 3.54,
# 2026-11-22).
MAX_STOPS = 4


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
