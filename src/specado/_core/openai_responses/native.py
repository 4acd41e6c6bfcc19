"""Records of Responses answers, which are sent back to the API as they came (openai 3.57)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Optional

import msgspec
from msgspec.structs import astuple

from specado._core.native import BOUND_RECORDS, model_family
from specado._core.openai_responses.wire import RawOutput
from specado.types import NativeBlock, NativeContent

if TYPE_CHECKING:
    from specado._core.openai_responses.wire import Item
    from specado.types import Message, ToolCall

__all__ = [
    "DIALECT",
    "FORMAT",
    "family_of",
    "id_of_item",
    "is_refusal",
    "native_of",
    "raw_items",
    "stored_blocks",
    "without_nulls",
]

DIALECT = "openai_responses"
BOUND_RECORDS.add(DIALECT)  # the ids of messages and calls belong to the reasoning before them
# The format of its reasoning blocks, by OpenRouter's name.
FORMAT = "openai-responses-v1"

# OpenAI's snapshots end in a date: gpt-5-2025-08-07.
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")

# The types of an answer's items beside messages, calls and reasoning
# (`openai.types.responses.ResponseOutputItem` 3.57, read 2026-11-30).
_HOSTED_ITEMS = frozenset(
    {
        "additional_tools",
        "apply_patch_call",
        "apply_patch_call_output",
        "code_interpreter_call",
        "compaction",
        "computer_call",
        "computer_call_output",
        "file_search_call",
        "image_generation_call",
        "local_shell_call",
        "local_shell_call_output",
        "mcp_approval_request",
        "mcp_call",
        "mcp_list_tools",
        "program",
        "program_output",
        "shell_call",
        "shell_call_output",
        "tool_search_call",
        "tool_search_output",
        "web_search_call",
    }
)


class _Message(msgspec.Struct):
    """The id and the author of a message; that of a stored one must be the assistant."""

    id: Optional[str] = None
    role: str = ""


def family_of(model: str) -> str:
    """Return a model id without its date: encrypted reasoning is valid for this family."""
    return _SNAPSHOT.sub("", model_family(model))


def raw_items(body: bytes) -> list[bytes]:
    """Return the JSON of each output item in a reply's *body*; none where it is not readable."""
    try:
        return [bytes(raw) for raw in msgspec.json.decode(body, type=RawOutput).output]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []


def id_of_item(raw: bytes) -> str | None:
    """Return the id of a message from its JSON, `None` without one."""
    return msgspec.json.decode(raw, type=_Message).id


def is_refusal(item: Item) -> bool:
    """Return whether a message has a refusal, which goes back as text."""
    return any(part.refusal is not None for part in item.content or ())


def native_of(
    items: list[Item], raws: list[bytes], message: Message, provider: str, model: str
) -> NativeContent | None:
    """Return the record of an answer; *raws* is the JSON of its *items*, `None` without it."""
    if len(raws) != len(items) or b"" in raws or any(map(is_refusal, items)):
        return None
    made = _native_blocks(items, raws, message)
    if made is None:
        return None
    return NativeContent(DIALECT, provider, "", model, family_of(model), made, message.reasoning)


def without_nulls(raw: bytes) -> bytes:
    """Return the JSON of an item without its null members."""
    members = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    kept = {name: value for name, value in members.items() if bytes(value) != b"null"}
    return raw if len(kept) == len(members) else msgspec.json.encode(kept)


def _native_blocks(
    items: list[Item], raws: list[bytes], message: Message
) -> tuple[NativeBlock, ...] | None:
    """Return the blocks, `None` where the message does not have the calls of the items."""
    calls, thoughts = iter(message.tool_calls or ()), iter(message.reasoning_details or ())
    made = []
    for item, raw in zip(items, raws):
        if item.type == "message":
            parts = item.content or ()
            text = "".join(part.text or "" for part in parts)
            is_cited = any(part.annotations for part in parts)
            made.append(NativeBlock("text", raw, (text, is_cited, item.phase)))
        elif item.type in ("function_call", "custom_tool_call"):
            call = next(calls, None)
            if call is None:
                return None
            made.append(NativeBlock("call", raw, _values_of(call)))
        elif item.type == "reasoning":
            made.append(NativeBlock("reasoning", raw, astuple(next(thoughts))))
        else:
            made.append(NativeBlock("other", raw, (item.type,)))
    return tuple(made)


def _values_of(call: ToolCall) -> tuple[Any, ...]:
    if call.function is not None:
        return call.id, call.function.name, call.function.arguments
    custom = call.custom or {}
    return call.id, custom.get("name"), custom.get("input")


def stored_blocks(
    items: list[Item], raws: list[bytes], message: Message
) -> tuple[NativeBlock, ...]:
    """Return the blocks of a stored record, which may come from anyone.

    Raises:
        ValueError: one is not a well-formed item of an answer.
    """
    for item, raw in zip(items, raws):
        if not _is_of_an_answer(item, raw):
            raise ValueError(f"{item.type} is not a well-formed item of an answer")
    made = _native_blocks(items, raws, message)
    if made is None:
        raise ValueError("a call is not well-formed")
    return made


def _is_of_an_answer(item: Item, raw: bytes) -> bool:
    if item.type == "message":
        is_assistant = msgspec.json.decode(raw, type=_Message).role == "assistant"
        parts = item.content or []
        is_text = all(part.type == "output_text" and part.text is not None for part in parts)
        return is_assistant and is_text and item.id is not None
    if item.type == "reasoning":
        return item.id is not None and item.summary is not None
    if item.type == "function_call":
        return None not in (item.call_id, item.name) and isinstance(item.arguments, str)
    if item.type == "custom_tool_call":
        return None not in (item.call_id, item.name) and isinstance(item.input, str)
    return item.type in _HOSTED_ITEMS
