"""Encodes and decodes Gemini requests."""

from __future__ import annotations

__all__ = ["NAME"]

NAME = "gemini"
