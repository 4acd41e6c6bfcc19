"""Repair of provider bodies that deviate from the documentation, each with a note."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import msgspec

from specado._core.json_writer import NotJson, dumps
from specado.errors import MalformedResponseError

if TYPE_CHECKING:
    from collections.abc import Collection

    from specado._core.replies import Notes

__all__ = [
    "KEEP_ALIVES",
    "KEEP_ALIVE_EVENTS",
    "KEEP_ALIVE_NOTE",
    "REASONING_MEMBERS",
    "REASONING_PARTS",
    "given_place",
    "is_reasoning_part",
    "json_text",
    "made_call_id",
    "read_field",
    "read_whole_numbers",
    "text_of_reasoning",
    "unread_members",
]

# Keep-alive events of gateways, by their data and by their name; comments are no events.
KEEP_ALIVES = frozenset(
    (b"null", b"{}", b"[]", b'""', b"ping", b"keepalive", b"keep-alive", b"heartbeat")
)
KEEP_ALIVE_EVENTS = frozenset(("ping", "keepalive", "keep-alive", "heartbeat"))
KEEP_ALIVE_NOTE = "a keep-alive event: left out of the stream"

# The types of content parts that hold reasoning, and the members with its text.
REASONING_PARTS = ("thinking", "reasoning")
REASONING_MEMBERS = ("thinking", "reasoning", "summary", "content", "text")


# Names of what providers bill beside the tokens that are read, or at other prices.
_BILLED = re.compile("token|tier|speed|request|quer|search|source|tool")
_NOT_BILLED = re.compile("cost|time|latency")
# The words for the tier and the speed that the listed prices are for.
_USUAL = ("", "auto", "default", "standard", "on_demand", "none")


def made_call_id() -> str:
    """Return an id for a tool call that came without one.

    It is random: in a conversation no other call has it, whichever reply that call came in.
    """
    return f"call_{os.urandom(12).hex()}"


def is_reasoning_part(part: Any) -> bool:
    """Return whether a part of an assistant's content is reasoning, as Mistral's models write."""
    return isinstance(part, dict) and part.get("type") in REASONING_PARTS


def given_place(place: int, reasoning_parts: list[tuple[int, Any]]) -> int:
    """Return where a part stood before those of reasoning were taken from its list."""
    for at, _ in reasoning_parts:
        place += at <= place
    return place


def text_of_reasoning(value: Any) -> str:
    """Return the text of a reasoning part, which may be a list of parts again."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        return "".join(text_of_reasoning(item) for item in value)
    if isinstance(value, dict):
        return "".join(text_of_reasoning(value.get(name)) for name in REASONING_MEMBERS)
    return ""


def json_text(value: Any) -> str:
    """Return a decoded value as JSON text; one nested too deep is a `MalformedResponseError`."""
    try:
        text: bytes = dumps(value)
    except NotJson as error:
        raise MalformedResponseError(f"the reply is {error}", code="not_json") from None
    return text.decode()


def read_field(
    data: dict[str, Any], name: str, type_: Any, default: Any, path: str, notes: Notes
) -> Any:
    """Return a field converted to its type, else its default with a note.

    A whole number may be written as a float or as text.
    """
    value = data.get(name)
    if value is None:
        return default
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError:
        pass
    if type_ is int and isinstance(value, (float, str)):
        try:
            found = msgspec.convert(value, int, strict=False)
        except msgspec.ValidationError:
            pass
        else:
            notes.repair(path, f"a {type(value).__name__}, read as a whole number")
            return found
    notes.repair(
        path, f"{type(value).__name__} where another type is documented, read as {default!r}"
    )
    return default


def read_whole_numbers(
    value: Any, names: tuple[str, ...], path: str, notes: Notes
) -> dict[str, int] | None:
    """Return the named members of *value* that are whole numbers, repaired; None without any."""
    if value is None:
        return None
    if not isinstance(value, dict):
        notes.repair(path, f"{type(value).__name__} where another type is documented, read as None")
        return None
    found = {name: read_field(value, name, int, None, f"{path}.{name}", notes) for name in names}
    return {name: number for name, number in found.items() if number is not None} or None


def unread_members(
    given: dict[str, Any], read: Collection[str], path: str, notes: Notes
) -> dict[str, Any]:
    """Return the members of a usage that are not among the *read* ones.

    One that names what may be billed is noted: the tokens are then not the whole bill.
    """
    found = {name: value for name, value in given.items() if name not in read}
    for name, value in found.items():
        certainty = _certainty_beside(name, value)
        if certainty is not None:
            notes.append(f"{path}.{name}: not priced")
            notes.bill(certainty)
    return found


def _certainty_beside(name: str, value: Any) -> str | None:
    """Return how certain tokens are as the bill, beside a member; `None` where it is none of it."""
    if not value or value is True:
        return None
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else (("", item) for item in value)
        found = {_certainty_beside(f"{name}.{key}", item) for key, item in items}
        return next((each for each in ("unknown", "at_least") if each in found), None)
    word = name.lower()  # Google's names are camelCase
    if not _BILLED.search(word) or _NOT_BILLED.search(word):
        return None
    if isinstance(value, str):  # a tier or a mode, which may be cheaper too
        return None if value in _USUAL else "unknown"
    return "at_least"
