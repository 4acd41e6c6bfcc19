"""Repair of provider bodies that deviate from the documentation, each with a note."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec

from specado._core.json_writer import NotJson, dumps
from specado.errors import MalformedResponseError

if TYPE_CHECKING:
    from specado._core.replies import Notes

__all__ = ["json_text", "made_call_id", "read_field", "read_whole_numbers"]


def made_call_id() -> str:
    """Return an id for a tool call that came without one.

    It is random: in a conversation no other call has it, whichever reply that call came in.
    """
    return f"call_{os.urandom(12).hex()}"


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
