"""Repair of replies and events that deviate from Anthropic's documentation, each with a note.

A reply or an event as documented never comes here: its bytes are decoded straight to Structs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from specado._core.anthropic_messages.events import KNOWN_DELTAS, KNOWN_EVENTS, NO_INDEX
from specado._core.anthropic_messages.wire import (
    Block,
    CacheCreation,
    OutputDetails,
    RawContent,
    Reply,
    ServerToolUse,
    TokenUsage,
)
from specado._core.error_bodies import first_error
from specado._core.repair import json_text, read_field, read_whole_numbers, unread_members
from specado._core.replies import UNREADABLE, parse
from specado.errors import MalformedResponseError

if TYPE_CHECKING:
    from specado._core.replies import Notes

__all__ = ["TOKENS", "error_in", "repair_event", "repair_reply", "repair_usage"]

# The members of a usage that count tokens.
TOKENS = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)
_PARTS: dict[str, Any] = {
    "output_tokens_details": OutputDetails,
    "cache_creation": CacheCreation,
    "server_tool_use": ServerToolUse,
}
_NOTED_LENGTH = 60


def error_in(data: dict[str, Any]) -> Any:
    """Return the error that a reply or an event reports, beside its content or in it; else None.

    The error in the result of a server tool does not count: the answer itself did not fail.
    """
    message = data.get("message")
    places: list[Any] = [data, message, data.get("delta"), data.get("content_block")]
    for holder in (data, message):
        content = holder.get("content") if isinstance(holder, dict) else None
        places += content if isinstance(content, list) else [content]
    return first_error(
        error for place in places if isinstance(place, dict) for error in _errors_of(place)
    )


def _errors_of(place: dict[str, Any]) -> list[Any]:
    kind = str(place.get("type"))
    if kind.endswith("tool_result"):
        return []
    error = place.get("error")
    return [error or (place if kind == "error" else None)]


def repair_reply(body: bytes, notes: Notes) -> Reply:
    """Return the usable members of a reply; *notes* names the others.

    A body that is not JSON is a `MalformedResponseError` with code `not_json`, one without usable
    content `no_choice`.
    """
    data = parse(body, notes)
    if not isinstance(data, dict) or not isinstance(data.get("content"), list):
        raise MalformedResponseError("the reply has no content", code="no_choice")
    try:
        # As JSON text, so that a tool's input keeps its form.
        texts: list[Any] = list(msgspec.json.decode(body, type=RawContent).content)
    except UNREADABLE:
        texts = [json_text(given) for given in data["content"]]
    blocks = [
        block
        for place, text in enumerate(texts)
        if (block := _readable_block(text, f"content[{place}]", notes)) is not None
    ]
    if not blocks and data["content"]:
        raise MalformedResponseError("the reply has no usable content", code="no_choice")
    return Reply(
        content=blocks,
        id=read_field(data, "id", str, "", "id", notes),
        model=read_field(data, "model", str, "", "model", notes),
        stop_reason=read_field(data, "stop_reason", str, None, "stop_reason", notes),
        stop_sequence=read_field(data, "stop_sequence", str, None, "stop_sequence", notes),
        usage=repair_usage(data.get("usage"), notes),
    )


def _readable_block(text: str | msgspec.Raw, path: str, notes: Notes) -> Block | None:
    try:
        return msgspec.json.decode(text, type=Block)
    except UNREADABLE:
        pass
    try:
        members = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        if _has_wrong_id(msgspec.json.decode(text)):
            del members["id"]
        return msgspec.json.decode(msgspec.json.encode(members), type=Block)
    except UNREADABLE:
        notes.append(f"{path}: not a content block, left out")
        return None


def _has_wrong_id(block: dict[str, Any]) -> bool:
    """Return whether a block is a tool call without a usable id, which gets a new one."""
    return block.get("type") == "tool_use" and not isinstance(block.get("id", ""), str)


def repair_usage(given: Any, notes: Notes) -> TokenUsage | None:
    """Return the readable counts of a usage, `None` without any; the other members are noted.

    After a repair it is not known how much of the bill the counted tokens are.
    """
    if isinstance(given, dict):
        given = _documented_usage(given, notes)
        try:
            return msgspec.convert(given, TokenUsage)
        except msgspec.ValidationError:
            pass
    noted = len(notes)
    found = _readable_usage(given, notes)
    if len(notes) > noted:
        notes.bill("unknown")
    return found


def _documented_usage(given: dict[str, Any], notes: Notes) -> dict[str, Any]:
    """Return the documented members of a usage and of the objects in it."""
    notes.other_usage = unread_members(given, TokenUsage.__struct_fields__, "usage", notes)
    found = {name: value for name, value in given.items() if name not in notes.other_usage}
    for name, kind in _PARTS.items():
        part = found.get(name)
        if isinstance(part, dict):
            other = unread_members(part, kind.__struct_fields__, f"usage.{name}", notes)
            found[name] = {key: value for key, value in part.items() if key not in other}
    return found


def _readable_usage(given: Any, notes: Notes) -> TokenUsage | None:
    """Return a usage of which each part is read for itself."""
    tokens: dict[str, Any] | None = read_whole_numbers(given, TOKENS, "usage", notes)
    if tokens is None:
        return None
    parts: dict[str, Any] = {}
    for name, kind in _PARTS.items():
        counts = read_whole_numbers(given.get(name), kind.__struct_fields__, f"usage.{name}", notes)
        parts[name] = None if counts is None else kind(**counts)
    for name in ("service_tier", "inference_geo", "speed"):
        parts[name] = read_field(given, name, str, None, f"usage.{name}", notes)
    return TokenUsage(**tokens, **parts)


def repair_event(data: dict[str, Any], kind: Any, notes: Notes) -> bytes | None:
    """Return the JSON text of an event of type *kind*, `None` (noted) for an unknown one.

    *data* belongs to the function, which changes it.
    """
    if not isinstance(kind, str) or kind not in KNOWN_EVENTS:
        notes.append(f"{str(kind)[:_NOTED_LENGTH]}: not a known event, left out of the stream")
        return None
    if kind == "content_block_delta":
        delta = data.get("delta")
        given = delta.get("type") if isinstance(delta, dict) else None
        if not isinstance(given, str) or given not in KNOWN_DELTAS:
            notes.append(f"{str(given)[:_NOTED_LENGTH]}: not a known delta, left out of the stream")
            return None
    elif kind == "message_delta":
        data.pop("context_management", None)
    elif kind == "content_block_start":
        block = data.get("content_block")
        if isinstance(block, dict) and _has_wrong_id(block):
            del block["id"]
    data["type"] = kind
    data["index"] = read_field(data, "index", int, NO_INDEX, f"{kind}.index", notes)
    return msgspec.json.encode(data)
