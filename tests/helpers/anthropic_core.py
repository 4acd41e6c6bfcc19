"""The compiled encoder and decoder of Anthropic requests, with the dialect's field tables."""

from __future__ import annotations

from typing import Any

from specado import _core
from specado.dialects.anthropic_messages.fields import (
    REQUEST_PARAMETERS,
    SERVER_BLOCKS,
    SOURCE_PARAMETERS,
)

__all__ = ["encode_anthropic_request", "read_anthropic_request"]


def encode_anthropic_request(
    conversation: Any, model: Any, params: dict[str, Any], facts: Any
) -> tuple[bytes, list[Any]]:
    return _core.encode_anthropic_request(conversation, model, params, facts, REQUEST_PARAMETERS)


def read_anthropic_request(request: dict[str, Any]) -> Any:
    return _core.read_anthropic_request(request, SOURCE_PARAMETERS, SERVER_BLOCKS)
