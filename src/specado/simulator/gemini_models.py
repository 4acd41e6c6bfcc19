"""Rules of Gemini's models by generation, and the models that answer beside the manifests'.

Source: Google's "Thinking", "Thought signatures", "Function calling" and "Models" pages, and
recorded requests, read 2026-11-30.
"""

from __future__ import annotations

import re
from typing import Optional

import msgspec

__all__ = ["SERVED", "GeminiRules", "gemini_rules"]

# Models that recorded requests of 2025 and 2026 named; the manifests may list more of them.
SERVED = (
    "gemini-1.5-flash",
    "gemini-2.0-flash",
    "gemini-2.0-flash-exp",
    "gemini-2.0-flash-lite",
    "gemini-2.5-flash",
    "gemini-2.5-flash-image",
    "gemini-2.5-flash-lite",
    "gemini-2.5-pro",
    "gemini-2.5-pro-preview-03-25",
    "gemini-3-flash-preview",
    "gemini-3-pro-preview",
    "gemini-3.1-flash-lite",
    "gemini-3.5-flash",
    "gemini-3.6-flash",
)
_NAME = re.compile(r"gemini-(\d+)(?:\.(\d+))?-(pro|flash-lite|flash|)")
# Whether 0 (no thinking) is allowed, and the least and the most tokens.
_BUDGETS = {"pro": (False, 128, 32768), "flash": (True, 0, 24576), "flash-lite": (True, 512, 24576)}
# The levels of a model that no manifest lists.
_LEVELS = {"pro": ("LOW", "MEDIUM", "HIGH")}
_MOST_LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")


class GeminiRules(msgspec.Struct, frozen=True):
    """Rules of a generation of models: the thinking that it takes.

    `budget` has the allowed thinking budgets: whether 0 is allowed, the least and the most tokens.
    `levels` are the thinking levels. A model without either does not think.
    """

    version: tuple[int, int]
    budget: Optional[tuple[bool, int, int]] = None
    levels: tuple[str, ...] = ()
    thinks_by_default: bool = False
    ends_with_user: bool = False

    @property
    def is_newest(self) -> bool:
        """True if the model is of Gemini 3 or later.

        From then on the calls of the current turn must have their thought signatures, a function
        response takes media, JSON may be asked for beside functions, and penalties are refused.
        """
        return self.version >= (3, 0)

    @property
    def thinks(self) -> bool:
        """True if the model can think."""
        return self.budget is not None


def gemini_rules(model: str, efforts: Optional[tuple[str, ...]] = None) -> GeminiRules:
    """Return the rules of a model by its name; one without a number is of the newest.

    *efforts* are the levels that the manifest knows, in its words.
    """
    found = _NAME.match(model)
    version = (int(found[1]), int(found[2] or 0)) if found else (3, 5)
    line = (found[3] if found else "") or "flash"
    if version < (2, 5) or "-image" in model or "-tts" in model:
        return GeminiRules(version)
    if version < (3, 0):
        return GeminiRules(version, _BUDGETS[line], (), line != "flash-lite")
    levels: tuple[str, ...] = _LEVELS.get(line, _MOST_LEVELS)
    if efforts is not None:
        levels = tuple(level.upper() for level in efforts)
    return GeminiRules(
        version,
        (False, 1, 32768),  # still taken, for compatibility; thinking cannot be left off
        levels,
        thinks_by_default=True,
        # Since Gemini 3.6 Flash and 3.5 Flash-Lite (langchain-ai/langchain-google#1897, 2026-07).
        ends_with_user=version >= (3, 6) or (version >= (3, 5) and line == "flash-lite"),
    )
