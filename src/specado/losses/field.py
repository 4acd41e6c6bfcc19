"""One field of a request, and how a path finds it in a table of them."""

from __future__ import annotations

import re
from typing import NamedTuple, Optional

__all__ = ["Field", "find_field"]


class Field(NamedTuple):
    """Where a field goes, and the rows of losses that it may meet.

    `to` is `None` where there is no counterpart: a row tells, unless what it says is `implied`
    there. `at_home` are the rows that models of the field's own API may bring.
    """

    to: Optional[str] = None
    rows: tuple[str, ...] = ()
    at_home: tuple[str, ...] = ()
    whole: bool = False
    implied: bool = False


def find_field(fields: dict[str, Field], path: str) -> Optional[str]:
    """Return the path of the entry that stands for *path*, `None` if there is none.

    That is its own, else one that loses the whole that it lies in, else one that keeps it.
    """
    if path in fields:
        return path
    above = [entry for entry in fields if fields[entry].whole and _is_above(entry, path)]
    return min(
        above,
        key=lambda entry: (fields[entry].to is not None, entry.startswith("*"), -len(entry)),
        default=None,
    )


def _is_above(entry: str, path: str) -> bool:
    anything = ".*" if entry.startswith("*") else r"[^\]]*"
    return bool(re.match(rf"{re.escape(entry)}(?=[.\[]|$)".replace(r"\*", anything), path))
