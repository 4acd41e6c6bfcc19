"""Dialect contract: the functions that translate a wire format to and from canonical form."""

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


# The loss row of structured output that is emulated by a forced tool call.
EMULATION_ROW = "response_format.tool"


class Dialect(msgspec.Struct, frozen=True):
    """One wire format: its request encoder, reply decoder and stream decoder."""

    encode: Callable[
        [Conversation, str, dict[str, Any], Optional[Model]], tuple[bytes, list[Reported]]
    ]
    decode: Callable[[bytes, str, str, int], tuple[ChatCompletionResponse, list[str]]]
    stream: Callable[..., Union[OpenAIStream, AnthropicStream]]


class Encoded(msgspec.Struct, frozen=True):
    """An encoded request body and the losses of its translation."""

    body: bytes
    losses: list[Reported]

    @property
    def emulated(self) -> bool:
        """Whether structured output is emulated: the answer comes as a forced tool call."""
        losses = self.losses
        return bool(losses) and any(reported[0] == EMULATION_ROW for reported in losses)
