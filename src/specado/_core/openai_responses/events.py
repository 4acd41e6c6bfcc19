"""Structs of the events in Responses streams (openai.types.responses 3.57, 2026-11-30)."""

from __future__ import annotations

from typing import Annotated, Any, Optional, Union

import msgspec

__all__ = [
    "KNOWN_EVENTS",
    "NO_INDEX",
    "AnnotationAdded",
    "ArgumentsDelta",
    "ArgumentsDone",
    "Beginning",
    "Completed",
    "ErrorEvent",
    "Event",
    "Failed",
    "Incomplete",
    "InputDelta",
    "InputDone",
    "ItemAdded",
    "ItemDone",
    "RefusalDelta",
    "RefusalDone",
    "ResponseEvent",
    "SummaryDelta",
    "SummaryDone",
    "TextDelta",
    "TextDone",
    "ThoughtDelta",
    "ThoughtDone",
]

# The index of an event that came without one: it concerns the item that began last.
NO_INDEX = -1

# Larger than any index, and small enough for the compiled decoder.
_MOST = 2**31
ItemIndex = Annotated[int, msgspec.Meta(ge=NO_INDEX, le=_MOST)]
PartIndex = Annotated[int, msgspec.Meta(ge=0, le=_MOST)]

NULL = msgspec.Raw(b"null")


class Beginning(msgspec.Struct):
    """The members of a response that are known when it begins."""

    id: str = ""
    model: str = ""
    created_at: Union[int, float] = 0


class ResponseEvent(msgspec.Struct):
    """Base of the events that hold the response so far."""

    response: msgspec.Raw = NULL


class Created(ResponseEvent, tag="response.created"):
    """The beginning of the stream."""


class Queued(ResponseEvent, tag="response.queued"):
    """The response waits for its turn."""


class InProgress(ResponseEvent, tag="response.in_progress"):
    """The model has begun."""


class Completed(ResponseEvent, tag="response.completed"):
    """The end, with the whole response."""


class Incomplete(ResponseEvent, tag="response.incomplete"):
    """The end of a response that was cut off, with all of it."""


class Failed(ResponseEvent, tag="response.failed"):
    """The end of a response that failed."""


class ErrorEvent(msgspec.Struct, tag="error"):
    """A failure in the middle of the stream."""


class ItemAdded(msgspec.Struct, tag="response.output_item.added"):
    """The beginning of an output item."""

    item: msgspec.Raw
    output_index: ItemIndex = NO_INDEX


class ItemDone(msgspec.Struct, tag="response.output_item.done"):
    """The end of an output item, with all of it."""

    item: msgspec.Raw
    output_index: ItemIndex = NO_INDEX


class _Piece(msgspec.Struct):
    """Base of the events that concern a part of an item."""

    output_index: ItemIndex = NO_INDEX
    item_id: Optional[str] = None


class TextDelta(_Piece, tag="response.output_text.delta"):
    """A piece of a message's text."""

    delta: str = ""
    content_index: PartIndex = 0
    logprobs: Optional[list[Any]] = None


class TextDone(_Piece, tag="response.output_text.done"):
    """The whole text of a part of a message."""

    text: str = ""
    content_index: PartIndex = 0


class AnnotationAdded(_Piece, tag="response.output_text.annotation.added"):
    """A citation of a message's text."""

    annotation: Optional[dict[str, Any]] = None
    content_index: PartIndex = 0


class RefusalDelta(_Piece, tag="response.refusal.delta"):
    """A piece of a refusal."""

    delta: str = ""
    content_index: PartIndex = 0


class RefusalDone(_Piece, tag="response.refusal.done"):
    """A whole refusal."""

    refusal: str = ""
    content_index: PartIndex = 0


class SummaryDelta(_Piece, tag="response.reasoning_summary_text.delta"):
    """A piece of the summary of the reasoning."""

    delta: str = ""
    summary_index: PartIndex = 0


class SummaryDone(_Piece, tag="response.reasoning_summary_text.done"):
    """A whole part of the summary of the reasoning."""

    text: str = ""
    summary_index: PartIndex = 0


class ThoughtDelta(_Piece, tag="response.reasoning_text.delta"):
    """A piece of the reasoning itself, which open models show."""

    delta: str = ""
    content_index: PartIndex = 0


class ThoughtDone(_Piece, tag="response.reasoning_text.done"):
    """A whole part of the reasoning itself."""

    text: str = ""
    content_index: PartIndex = 0


class ArgumentsDelta(_Piece, tag="response.function_call_arguments.delta"):
    """A piece of a function call's arguments."""

    delta: str = ""


class ArgumentsDone(_Piece, tag="response.function_call_arguments.done"):
    """The whole arguments of a function call."""

    arguments: str = ""


class InputDelta(_Piece, tag="response.custom_tool_call_input.delta"):
    """A piece of a custom call's input."""

    delta: str = ""


class InputDone(_Piece, tag="response.custom_tool_call_input.done"):
    """The whole input of a custom call."""

    input: str = ""


# Events that are no part of the answer, or repeat what others say: the traces of hosted tools, the
# begin and end of parts.
_SKIPPED = (
    "keepalive",
    "response.audio.delta",
    "response.audio.done",
    "response.audio.transcript.delta",
    "response.audio.transcript.done",
    "response.code_interpreter_call.completed",
    "response.code_interpreter_call.in_progress",
    "response.code_interpreter_call.interpreting",
    "response.code_interpreter_call_code.delta",
    "response.code_interpreter_call_code.done",
    "response.compaction.compacting",
    "response.content_part.added",
    "response.content_part.done",
    "response.file_search_call.completed",
    "response.file_search_call.in_progress",
    "response.file_search_call.searching",
    "response.image_generation_call.completed",
    "response.image_generation_call.generating",
    "response.image_generation_call.in_progress",
    "response.image_generation_call.partial_image",
    "response.mcp_call.completed",
    "response.mcp_call.failed",
    "response.mcp_call.in_progress",
    "response.mcp_call_arguments.delta",
    "response.mcp_call_arguments.done",
    "response.mcp_list_tools.completed",
    "response.mcp_list_tools.failed",
    "response.mcp_list_tools.in_progress",
    "response.reasoning_summary_part.added",
    "response.reasoning_summary_part.done",
    "response.shell_call_command.added",
    "response.shell_call_command.delta",
    "response.shell_call_command.done",
    "response.shell_call_output_content.delta",
    "response.shell_call_output_content.done",
    "response.web_search_call.completed",
    "response.web_search_call.in_progress",
    "response.web_search_call.searching",
)

_READ = (
    AnnotationAdded,
    ArgumentsDelta,
    ArgumentsDone,
    Completed,
    Created,
    ErrorEvent,
    Failed,
    InProgress,
    Incomplete,
    InputDelta,
    InputDone,
    ItemAdded,
    ItemDone,
    Queued,
    RefusalDelta,
    RefusalDone,
    SummaryDelta,
    SummaryDone,
    TextDelta,
    TextDone,
    ThoughtDelta,
    ThoughtDone,
)

_EVENTS = (
    *_READ,
    *(msgspec.defstruct(f"Skipped{place}", [], tag=tag) for place, tag in enumerate(_SKIPPED)),
)
Event: Any = Union[_EVENTS]
KNOWN_EVENTS = frozenset([str(each.__struct_config__.tag) for each in _READ]).union(_SKIPPED)
