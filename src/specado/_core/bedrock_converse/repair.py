"""Repair of replies and events that deviate from Bedrock's documentation, each with a note.

A reply or an event that follows the documentation is decoded straight to Structs, without this
module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from specado._core.bedrock_converse.wire import (
    Block,
    CacheDetail,
    Output,
    Performance,
    Reply,
    ReplyMessage,
    Tier,
    TokenUsage,
)
from specado._core.repair import json_text, read_field, read_whole_numbers, unread_members
from specado._core.replies import UNREADABLE, parse
from specado.errors import MalformedResponseError

if TYPE_CHECKING:
    from specado._core.replies import Notes

__all__ = ["COUNTS", "repair_event", "repair_reply", "repair_usage"]

# The members of a usage that count tokens, by the names of their fields.
COUNTS = {
    "input_tokens": "inputTokens",
    "output_tokens": "outputTokens",
    "total_tokens": "totalTokens",
    "cache_read_input_tokens": "cacheReadInputTokens",
    "cache_write_input_tokens": "cacheWriteInputTokens",
}
_TWINS = ("cacheReadInputTokenCount", "cacheWriteInputTokenCount")
_USAGE = (*COUNTS.values(), *_TWINS, "cacheDetails", "serverToolUsage")


def repair_reply(body: bytes, notes: Notes) -> Reply:
    """Return the usable members of a reply; *notes* names the others.

    A body that is not JSON is a `MalformedResponseError` with code `not_json`, one that is not
    a reply `no_choice`.
    """
    data = parse(body, notes)
    output = data.get("output") if isinstance(data, dict) else None
    message = output.get("message") if isinstance(output, dict) else None
    if not isinstance(message, dict):
        raise MalformedResponseError("the reply has no message", code="no_choice")
    given = message.get("content")
    if isinstance(given, str):
        notes.repair("output.message.content", "a str, read as a text block")
        given = [{"text": given}]
    blocks = []
    for place, each in enumerate(given if isinstance(given, list) else ()):
        found = _block(each, f"output.message.content[{place}]", notes)
        if found is not None:
            blocks.append(found)
    made = Reply(
        Output(ReplyMessage(blocks)),
        read_field(data, "stopReason", str, None, "stopReason", notes),
        repair_usage(data.get("usage"), notes),
        read_field(data, "serviceTier", Tier, None, "serviceTier", notes),
        read_field(data, "performanceConfig", Performance, None, "performanceConfig", notes),
    )
    for name, shown in (
        ("additional_model_response_fields", "additionalModelResponseFields"),
        ("trace", "trace"),
    ):
        if data.get(shown) is not None:
            setattr(made, name, msgspec.Raw(json_text(data[shown]).encode()))
    return made


def _block(given: Any, path: str, notes: Notes) -> Block | None:
    try:
        return msgspec.json.decode(json_text(given), type=Block)
    except UNREADABLE:
        pass
    # A call whose other members are as documented keeps its input as it is.
    use = given.get("toolUse") if isinstance(given, dict) else None
    if isinstance(use, dict) and isinstance(use.get("name"), str):
        repaired = {"name": use["name"], "input": use.get("input")}
        if isinstance(use.get("toolUseId"), (str, int)):
            repaired["toolUseId"] = str(use["toolUseId"])
        notes.repair(f"{path}.toolUse", "not as documented, read as far as it is")
        return msgspec.json.decode(json_text({"toolUse": repaired}), type=Block)
    notes.append(f"{path}: not a content block, left out")
    return None


def repair_usage(given: Any, notes: Notes) -> TokenUsage | None:
    """Return the readable counts of a usage, `None` without any; the other members are noted.

    After a repair it is not known how much of the bill the counted tokens are.
    """
    if isinstance(given, dict):
        notes.other_usage = unread_members(given, _USAGE, "usage", notes)
        given = {name: value for name, value in given.items() if name not in notes.other_usage}
        try:
            return msgspec.convert(given, TokenUsage)
        except msgspec.ValidationError:
            pass
    noted = len(notes)
    counts = read_whole_numbers(given, tuple(COUNTS.values()), "usage", notes)
    if counts is None:
        found = None
    else:
        fields: dict[str, Any] = {name: counts.get(shown) for name, shown in COUNTS.items()}
        fields["cache_details"] = read_field(
            given, "cacheDetails", list[CacheDetail], None, "usage.cacheDetails", notes
        )
        found = TokenUsage(**fields)
    if len(notes) > noted:
        notes.bill("unknown")
    return found


def repair_event(name: str, data: dict[str, Any], notes: Notes) -> bytes | None:
    """Return an event in the documented form, as JSON; `None` if nothing of it is usable."""
    index = read_field(data, "contentBlockIndex", int, 0, f"{name}.contentBlockIndex", notes)
    if name == "contentBlockDelta":
        delta = data.get("delta")
        if not isinstance(delta, dict):
            notes.append(f"{name}: without a delta, left out of the stream")
            return None
        use = delta.get("toolUse")
        if isinstance(use, dict) and not isinstance(use.get("input", ""), str):
            notes.repair(f"{name}.delta.toolUse.input", "no str, read as its JSON text")
            delta = {"toolUse": {"input": json_text(use["input"])}}
        made: dict[str, Any] = {"contentBlockIndex": index, "delta": delta}
    elif name == "contentBlockStart":
        use = data.get("start")
        made = {"contentBlockIndex": index, "start": use if isinstance(use, dict) else {}}
    elif name == "contentBlockStop":
        made = {"contentBlockIndex": index}
    elif name == "messageStart":
        made = {}
    elif name == "messageStop":
        made = {"stopReason": read_field(data, "stopReason", str, None, "stopReason", notes)}
    elif name == "metadata":
        made = {"usage": data.get("usage")}
    else:
        notes.append(f"{name}: an unknown event, left out of the stream")
        return None
    return json_text(made).encode()
