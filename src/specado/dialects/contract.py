"""Contract of a dialect: the functions that translate its wire format."""

from __future__ import annotations

from typing import Any, Callable, Optional, Union

import msgspec

from specado._core import (
    AnthropicStream,
    Conversation,
    OpenAIStream,
    Reported,
)
from specado.catalog.lookup import Model
from specado.types import ChatCompletionResponse

__all__ = ["Dialect", "Encoded"]


# The row that tells that a forced tool stands in for structured output.
EMULATION_ROW = "response_format.tool"


class Dialect(msgspec.Struct, frozen=True):
    """One wire format: how a request is written, and a reply or a stream is read."""

    encode: Callable[
        [Conversation, str, dict[str, Any], Optional[Model]], tuple[bytes, list[Reported]]
    ]
    decode: Callable[[bytes, str, str, int], tuple[ChatCompletionResponse, list[str]]]
    stream: Callable[..., Union[OpenAIStream, AnthropicStream]]


class Encoded(msgspec.Struct, frozen=True):
    """A request body and what its translation reported."""

    body: bytes
    losses: list[Reported]

    @property
    def emulated(self) -> bool:
        """Whether the answer comes as the call of a stand-in tool."""
        losses = self.losses
        return bool(losses) and any(reported[0] == EMULATION_ROW for reported in losses)
