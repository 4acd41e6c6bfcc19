"""Makes the records of Gemini's answers that go back as they came (google-genai 3.6.1)."""

from __future__ import annotations

__all__ = ["DIALECT"]

DIALECT = "gemini"
