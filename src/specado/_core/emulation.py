"""Structured output emulated by a forced tool call, for a model without structured output.

The encoder declares one tool whose input schema is the schema of the answer, and forces its call.
The decoders turn the call's arguments back into content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specado.types import ChatCompletionResponse

__all__ = ["EMULATION_TOOL", "unwrap_emulated"]

# The name of the forced tool.
EMULATION_TOOL = "structured_output"


def unwrap_emulated(reply: ChatCompletionResponse) -> None:
    """Turn the call of the forced tool into the content of its message, in place."""
    for choice in reply.choices:
        calls = choice.message.tool_calls
        function = calls[0].function if calls and len(calls) == 1 else None
        if function is not None and function.name == EMULATION_TOOL:
            choice.message.content = function.arguments
            choice.message.tool_calls = None
            choice.message.native = None
            if choice.finish_reason == "tool_calls":
                choice.finish_reason = "stop"
