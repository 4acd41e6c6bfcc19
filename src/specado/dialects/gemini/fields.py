"""Field tables of Gemini requests: each field's counterpart and losses.

Source: `google.genai.types` (3.6.1, read 2026-11-30) and Google's API reference.
"""

from __future__ import annotations

__all__: list[str] = []
