"""Inputs that many tests share: keys for both shipped providers, a user message, a model."""

from __future__ import annotations

from typing import Any

KEYS: dict[str, Any] = {
    "providers": {"openai": {"api_key": "key-one"}, "anthropic": {"api_key": "key-two"}}
}
USER: dict[str, Any] = {"role": "user", "content": "Hello"}
CLAUDE = "anthropic/claude-opus-4-5"
