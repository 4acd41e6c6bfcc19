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


class Dialect(msgspec.Struct, frozen=True):
    """One wire format: its request encoder, reply decoder and stream decoder."""

    encode: Callable[
        [Conversation, str, dict[str, Any], Optional[Model]],
        tuple[bytes, list[Reported], Optional[str]],
    ]
    decode: Callable[[bytes, str, str, int], tuple[ChatCompletionResponse, list[str]]]
    stream: Callable[..., Union[OpenAIStream, AnthropicStream]]


class Encoded(msgspec.Struct, frozen=True):
    """An encoded request body, the losses of its translation, and where the answer comes.

    *answer_tool* is the name of the forced tool whose input is the answer, where structured output
    is emulated by one; else `None`.
    """

    body: bytes
    losses: list[Reported]
    answer_tool: Optional[str] = None
