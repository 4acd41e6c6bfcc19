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
)
_NAME = re.compile(r"gemini-(\d+)(?:\.(\d+))?-(pro|flash-lite|flash)")
# A budget of 0 leaves off thinking; the others are the least and the most tokens.
_BUDGETS = {"pro": (False, 128, 32768), "flash": (True, 0, 24576), "flash-lite": (True, 512, 24576)}
_LEVELS = {
    "pro": ("LOW", "MEDIUM", "HIGH", "XHIGH"),
    "flash": ("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"),
    "flash-lite": ("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"),
}


class GeminiRules(msgspec.Struct, frozen=True):
    """What a generation of models takes.

    `budget` is what a thinking budget may be: whether 0, and from how many tokens to how many;
    `levels` are the thinking levels. A model without either does not think. `is_signed`: the calls
    of the current turn must have their thought signatures. `is_newest` stands for Gemini 3 and
    later: no penalties, media in function responses, JSON beside functions.
    """

    version: tuple[int, int]
    budget: Optional[tuple[bool, int, int]] = None
    levels: tuple[str, ...] = ()
    thinks_by_default: bool = False

    @property
    def is_newest(self) -> bool:
        """Whether the model is of Gemini 3 or later."""
        return self.version >= (3, 0)

    @property
    def thinks(self) -> bool:
        """Whether the model can think."""
        return self.budget is not None


def gemini_rules(model: str) -> GeminiRules:
    """Return the rules of a model by its name; one without a number is of the newest."""
    found = _NAME.match(model)
    version = (int(found[1]), int(found[2] or 0)) if found else (3, 5)
    line = found[3] if found else "flash"
    if version < (2, 5) or "-image" in model or "-tts" in model:
        return GeminiRules(version)
    if version < (3, 0):
        return GeminiRules(version, _BUDGETS[line], (), line != "flash-lite")
    # Budgets are still taken, for compatibility; thinking cannot be left off.
    return GeminiRules(version, (False, 1, 32768), _LEVELS[line], thinks_by_default=True)
