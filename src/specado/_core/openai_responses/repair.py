"""Repair of Responses replies and events that deviate from the documentation, each with a note.

A reply or an event that follows the documentation is decoded straight to Structs, without this
module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from specado._core.openai_responses.events import NO_INDEX
from specado._core.openai_responses.wire import (
    IncompleteDetails,
    InputTokensDetails,
    Item,
    OutputTokensDetails,
    RawOutput,
    Reply,
    TokenUsage,
)
from specado._core.repair import json_text, read_field, read_whole_numbers, unread_members
from specado._core.replies import UNREADABLE, parse
from specado.errors import MalformedResponseError

if TYPE_CHECKING:
    from specado._core.replies import Notes

__all__ = ["readable_item", "repair_event", "repair_reply", "repair_usage"]

TOKENS = ("input_tokens", "output_tokens", "total_tokens")
_PARTS: dict[str, Any] = {
    "input_tokens_details": InputTokensDetails,
    "output_tokens_details": OutputTokensDetails,
}


def repair_reply(body: bytes, notes: Notes) -> Reply:
    """Return the usable members of a reply; *notes* names the others.

    A body that is not JSON is a `MalformedResponseError` with code `not_json`, one without output
    `no_choice`.
    """
    data = parse(body, notes)
    has_failed = isinstance(data, dict) and (data.get("error") or data.get("status") == "failed")
    output = data.get("output") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not (has_failed or isinstance(output, list)):
        raise MalformedResponseError("the reply has no output", code="no_choice")
    reason = data.get("incomplete_details")
    tools = data.get("tool_usage")
    return Reply(
        output=_readable_items(body, output, notes) if isinstance(output, list) else [],
        id=read_field(data, "id", str, "", "id", notes),
        model=read_field(data, "model", str, "", "model", notes),
        created_at=read_field(data, "created_at", int, 0, "created_at", notes),
        status=read_field(data, "status", str, None, "status", notes),
        error=data.get("error"),
        incomplete_details=IncompleteDetails(
            read_field(reason, "reason", str, None, "incomplete_details.reason", notes)
        )
        if isinstance(reason, dict)
        else None,
        usage=repair_usage(data.get("usage"), notes),
        service_tier=read_field(data, "service_tier", str, None, "service_tier", notes),
        tool_usage=tools if isinstance(tools, dict) else None,
    )


def _readable_items(body: bytes, given: list[Any], notes: Notes) -> list[Item]:
    try:
        # As JSON text, so that the arguments of calls keep their form.
        texts: list[Any] = list(msgspec.json.decode(body, type=RawOutput).output)
    except UNREADABLE:
        texts = [json_text(item) for item in given]
    found = [readable_item(text, f"output[{place}]", notes) for place, text in enumerate(texts)]
    usable = [item for item in found if item is not None]
    if texts and not usable:
        raise MalformedResponseError("the reply has no usable output", code="no_choice")
    return usable


def readable_item(text: str | bytes | msgspec.Raw, path: str, notes: Notes) -> Item | None:
    """Return an output item, `None` with a note for one that is not readable."""
    try:
        return msgspec.json.decode(text, type=Item)
    except UNREADABLE:
        pass
    notes.append(f"{path}: not an output item, left out")
    return None


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
    found: dict[str, Any] | None = read_whole_numbers(given, TOKENS, "usage", notes)
    if found is not None:
        for name, kind in _PARTS.items():
            counts = read_whole_numbers(
                given.get(name), kind.__struct_fields__, f"usage.{name}", notes
            )
            found[name] = None if counts is None else kind(**counts)
    if len(notes) > noted:
        notes.bill("unknown")
    return None if found is None else TokenUsage(**found)


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


def repair_event(data: dict[str, Any], kind: str, notes: Notes) -> bytes:
    """Return the JSON text of an event of type *kind* with indexes, text and lists of its type.

    *data* belongs to the function, which changes it.
    """
    data["type"] = kind
    for name in ("output_index", "content_index", "summary_index"):
        if name in data:
            default = NO_INDEX if name == "output_index" else 0
            data[name] = read_field(data, name, int, default, f"{kind}.{name}", notes)
    for name in ("delta", "text", "arguments", "input", "refusal"):
        if name in data and not isinstance(data[name], str):
            value = data[name]
            data[name] = "" if value is None else json_text(value)
    if not isinstance(data.get("item_id", ""), str):
        del data["item_id"]
    if not isinstance(data.get("logprobs", []), list):
        del data["logprobs"]
    return json_text(data).encode()
