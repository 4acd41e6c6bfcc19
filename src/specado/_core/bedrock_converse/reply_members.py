"""Blocks of an answer that Bedrock wrote, which are sent as they came while it is unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import astuple

from specado._core.bedrock_converse.native import DIALECT

if TYPE_CHECKING:
    from specado.types import Message

__all__ = ["own_blocks"]


def own_blocks(message: Message) -> list[bytes] | None:
    """Return the JSON of the blocks that Bedrock wrote, `None` without any, or if they changed."""
    native = message.native
    if native is None or native.dialect != DIALECT or message.refusal:
        return None
    found: dict[str, list[Any]] = {"text": [], "call": [], "reasoning": [], "other": []}
    for block in native.blocks:
        found[block.kind].append(block.values)
    calls = [
        (call.id, call.function.name, call.function.arguments) if call.function else ()
        for call in message.tool_calls or ()
    ]
    is_same = (
        "".join(text for text, _ in found["text"]) == message.text
        and found["call"] == calls
        and found["reasoning"] == [astuple(block) for block in message.reasoning_details or ()]
        and message.reasoning == native.reasoning
    )
    return [block.raw for block in native.blocks] if is_same else None
