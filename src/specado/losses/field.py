"""Entry of a dialect's field table, and the lookup of a path in such a table."""

from __future__ import annotations

import re
from typing import NamedTuple, Optional

__all__ = ["Field", "find_field"]


class Field(NamedTuple):
    """A request field's counterpart in the other dialect, and its possible loss rows.

    `to` is `None` where there is no counterpart: then a row reports the loss, unless the field's
    meaning is `implied` there. `at_home` are the rows that models of the field's own dialect may
    cause. `whole`: the entry stands for all fields below it too.
    """

    to: Optional[str] = None
    rows: tuple[str, ...] = ()
    at_home: tuple[str, ...] = ()
    whole: bool = False
    implied: bool = False


def find_field(fields: dict[str, Field], path: str) -> Optional[str]:
    """Return the path of the entry for *path*, `None` if there is none.

    The entry with the same path comes first, then a `whole` entry above it without a counterpart,
    then a `whole` entry with one.
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
