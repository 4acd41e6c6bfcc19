"""The field tables of all dialects, and the lookup of a path in such a table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Optional

from specado.dialects.registry import DIALECTS
from specado.losses.field import SAME, Field, FieldTable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["REQUEST_TABLES", "SOURCE_TABLES", "counterpart", "entry_for", "find_field"]

REQUEST_TABLES: dict[str, FieldTable] = {
    name: dialect.request_fields for name, dialect in DIALECTS.items()
}
SOURCE_TABLES: dict[str, FieldTable] = {
    name: dialect.source_fields for name, dialect in DIALECTS.items()
}


def find_field(fields: Mapping[str, Field], path: str) -> Optional[str]:
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


def entry_for(fields: Mapping[str, Field], path: str) -> Field:
    """Return the entry for *path*, which the table must have."""
    found = find_field(fields, path)
    assert found is not None, f"{path} has no entry"
    return fields[found]


def counterpart(field: Field, path: str) -> Optional[str]:
    """Return the counterpart of the field at *path*, `None` without one."""
    return path if field.to == SAME else field.to
