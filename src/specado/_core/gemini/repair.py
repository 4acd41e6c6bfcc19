"""Repair of replies and events that deviate from Gemini's documentation, each with a note.

A reply or an event that follows the documentation is decoded straight to Structs, without this
module.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from specado._core.gemini.wire import (
    Candidate,
    Content,
    Part,
    PromptFeedback,
    Reply,
    TokenCount,
    TokenUsage,
)
from specado._core.repair import json_text, read_field, read_whole_numbers, unread_members
from specado._core.replies import UNREADABLE, parse
from specado.errors import MalformedResponseError

if TYPE_CHECKING:
    from specado._core.replies import Notes

__all__ = ["COUNTS", "add_partial_arguments", "readable_reply", "repair_reply", "repair_usage"]

# The members of a usage that count tokens, by the names of their fields.
COUNTS = {
    "prompt_token_count": "promptTokenCount",
    "cached_content_token_count": "cachedContentTokenCount",
    "candidates_token_count": "candidatesTokenCount",
    "thoughts_token_count": "thoughtsTokenCount",
    "tool_use_prompt_token_count": "toolUsePromptTokenCount",
    "total_token_count": "totalTokenCount",
}
_DETAILS = (
    "promptTokensDetails",
    "cacheTokensDetails",
    "candidatesTokensDetails",
    "thoughtsTokensDetails",
    "toolUsePromptTokensDetails",
)
_WORDS = ("trafficType", "serviceTier")
_USAGE = (*COUNTS.values(), *_DETAILS, *_WORDS)
# The members of a candidate that are kept as JSON, by the names of their fields.
_RAW_MEMBERS = {
    "safety_ratings": "safetyRatings",
    "citation_metadata": "citationMetadata",
    "grounding_metadata": "groundingMetadata",
    "url_context_metadata": "urlContextMetadata",
    "logprobs_result": "logprobsResult",
}
# A step of a path such as `$.items[0].name`.
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\['([^']*)'\]")
MAX_PLACES = 1000


def repair_reply(body: bytes, notes: Notes) -> Reply:
    """Return the usable members of a reply; *notes* names the others.

    A body that is not JSON is a `MalformedResponseError` with code `not_json`, one that is not
    a reply `no_choice`. A list with an error, as at the end of some streams, is read as the error.
    """
    data = parse(body, notes)
    if isinstance(data, list) and data and isinstance(data[0], dict) and data[0].get("error"):
        data = data[0]
    if not isinstance(data, dict):
        raise MalformedResponseError("the reply has no candidates", code="no_choice")
    return readable_reply(data, notes)


def readable_reply(data: dict[str, Any], notes: Notes) -> Reply:
    """Return the usable members of a reply or an event, given as plain objects."""
    if data.get("error"):
        return Reply(error=msgspec.Raw(json_text(data["error"]).encode()))
    given = data.get("candidates")
    candidates = []
    for place, each in enumerate(given if isinstance(given, list) else ()):
        if isinstance(each, dict):
            candidates.append(_candidate(each, f"candidates[{place}]", notes))
        else:
            notes.append(f"candidates[{place}]: not a candidate, left out")
    if given and not candidates:
        raise MalformedResponseError("the reply has no usable candidate", code="no_choice")
    return Reply(
        candidates=candidates,
        prompt_feedback=_feedback(data.get("promptFeedback"), notes),
        usage_metadata=repair_usage(data.get("usageMetadata"), notes),
        model_version=read_field(data, "modelVersion", str, "", "modelVersion", notes),
        response_id=read_field(data, "responseId", str, "", "responseId", notes),
        create_time=read_field(data, "createTime", str, None, "createTime", notes),
    )


def _candidate(data: dict[str, Any], path: str, notes: Notes) -> Candidate:
    content = read_field(data, "content", dict, None, f"{path}.content", notes)
    parts = []
    if content is not None:
        given = read_field(content, "parts", list, [], f"{path}.content.parts", notes)
        found = [
            _part(each, f"{path}.content.parts[{place}]", notes) for place, each in enumerate(given)
        ]
        parts = [part for part in found if part is not None]
    made = Candidate(
        content=Content(parts),
        finish_reason=read_field(data, "finishReason", str, None, f"{path}.finishReason", notes),
        finish_message=read_field(data, "finishMessage", str, None, f"{path}.finishMessage", notes),
        index=read_field(data, "index", int, None, f"{path}.index", notes),
    )
    for name, shown in _RAW_MEMBERS.items():
        if data.get(shown) is not None:
            setattr(made, name, msgspec.Raw(json_text(data[shown]).encode()))
    return made


def _part(given: Any, path: str, notes: Notes) -> Part | None:
    try:
        return msgspec.json.decode(json_text(given), type=Part)
    except UNREADABLE:
        notes.append(f"{path}: not a part, left out")
        return None


def _feedback(given: Any, notes: Notes) -> PromptFeedback | None:
    if not isinstance(given, dict):
        return None
    names = {"block_reason": "blockReason", "block_reason_message": "blockReasonMessage"}
    return PromptFeedback(
        **{
            name: read_field(given, shown, str, None, f"promptFeedback.{shown}", notes)
            for name, shown in names.items()
        }
    )


def repair_usage(given: Any, notes: Notes) -> TokenUsage | None:
    """Return the readable counts of a usage, `None` without any; the other members are noted.

    After a repair it is not known how much of the bill the counted tokens are.
    """
    if isinstance(given, dict):
        notes.other_usage = unread_members(given, _USAGE, "usageMetadata", notes)
        given = {name: value for name, value in given.items() if name not in notes.other_usage}
        try:
            return msgspec.convert(given, TokenUsage)
        except msgspec.ValidationError:
            pass
    noted = len(notes)
    found = _readable_usage(given, notes)
    if len(notes) > noted:
        notes.bill("unknown")
    return found


def _readable_usage(given: Any, notes: Notes) -> TokenUsage | None:
    """Return a usage of which each member is read for itself."""
    counts = read_whole_numbers(given, tuple(COUNTS.values()), "usageMetadata", notes)
    if counts is None:
        return None
    fields: dict[str, Any] = {name: counts.get(shown) for name, shown in COUNTS.items()}
    details = [
        read_field(given, name, list[TokenCount], None, f"usageMetadata.{name}", notes)
        for name in _DETAILS
    ]
    words = [read_field(given, name, str, None, f"usageMetadata.{name}", notes) for name in _WORDS]
    return TokenUsage(*fields.values(), *details, *words)


def add_partial_arguments(arguments: dict[str, Any], raw: bytes) -> None:
    """Add the `partialArgs` of a streamed call to its *arguments*; texts are continued.

    Vertex AI sends them on request (`streamFunctionCallArguments`): each has a path such as
    `$.items[0].name`, and one value. Pieces of another form are left out.
    """
    try:
        pieces = msgspec.json.decode(raw)
    except UNREADABLE:
        return
    for piece in pieces if isinstance(pieces, list) else ():
        if not isinstance(piece, dict) or not isinstance(piece.get("jsonPath"), str):
            continue
        steps: list[Any] = [
            int(found[2]) if found[2] else found[1] or found[3] or ""
            for found in _STEP.finditer(piece["jsonPath"])
        ]
        if steps:
            _put(arguments, steps, piece)


def _put(place: Any, steps: list[Any], piece: dict[str, Any]) -> None:
    """Put the value of a piece to where *steps* lead; objects and lists are made on the way."""
    for at, step in enumerate(steps):
        is_last = at == len(steps) - 1
        if isinstance(place, list):
            if not isinstance(step, int) or step > MAX_PLACES:
                return
            place += [None] * (step + 1 - len(place))
            found = place[step]
        elif isinstance(place, dict) and isinstance(step, str):
            found = place.get(step)
        else:
            return
        if is_last:
            place[step] = _joined(found, piece)
        elif found is None:
            place[step] = [] if isinstance(steps[at + 1], int) else {}
        place = place[step]


def _joined(found: Any, piece: dict[str, Any]) -> Any:
    if "stringValue" in piece:
        text = str(piece["stringValue"])
        return found + text if isinstance(found, str) else text
    for name in ("numberValue", "boolValue"):
        if name in piece:
            return piece[name]
    return found
