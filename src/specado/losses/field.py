"""Field tables of dialects: the counterpart of each request field, and its possible losses.

A dialect has two tables. `REQUEST_FIELDS` has the counterpart of each canonical field in the
dialect's requests, `SOURCE_FIELDS` that of each field of its requests in the canonical form.
Encoders and decoders get their lists of parameters from these tables, and `docs/fields.md` is
generated from them.

A path names members with dots, `[]` the items of a list, and `[name]` a variant by its `type` or
`role`: `messages[user].content[text].text`. `*` stands for anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from specado.losses.rows import check_row_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SAME", "Field", "FieldTable", "ParameterLoss"]

# As a counterpart: the field's own path.
SAME = "="
# Of a top-level field without a counterpart: the loss row, and the value that is no loss.
ParameterLoss = tuple[str, Any]


class Field(NamedTuple):
    """Translation of one field: its counterpart, and the loss rows that may be reported.

    `to` is the path of the counterpart, `SAME` for the field's own. Without a counterpart, the
    first of `rows` reports the loss, unless the value is `neutral`, or a request without the field
    means the same (`implied`; then `rows` name the exceptions).

    `rows` may be reported for any model, `model_rows` only for a model that is known to differ. In
    `SOURCE_FIELDS` the `model_rows` belong to a request that goes to another model of the same
    dialect. `whole`: the entry stands for all fields below it too.
    """

    to: Optional[str] = None
    rows: tuple[str, ...] = ()
    model_rows: tuple[str, ...] = ()
    neutral: Any = None
    whole: bool = False
    implied: bool = False

    @property
    def is_lost(self) -> bool:
        """True if a value of the field has no counterpart."""
        return self.to is None and not self.implied


class FieldTable(Mapping[str, Field]):
    """The entries of one direction of a dialect, by path. Immutable.

    Raises:
        ValueError: an entry names a row that `specado.losses.rows` does not have.
    """

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self._fields = dict(fields)
        for path, field in self._fields.items():
            check_row_ids((*field.rows, *field.model_rows), f"the field {path!r}")

    def __getitem__(self, path: str) -> Field:
        return self._fields[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def parameters(self) -> dict[str, Optional[ParameterLoss]]:
        """Return the top-level fields by name, `None` for a field with a counterpart.

        An implied field counts as one with a counterpart: the code of the dialect reads it.
        """
        return {
            path: (field.rows[0], field.neutral) if field.is_lost else None
            for path, field in self._fields.items()
            if path.isidentifier()
        }

    def variants(self, row: str) -> tuple[str, ...]:
        """Return the `type` of each variant that has no counterpart and is reported by *row*."""
        return tuple(
            path[path.rindex("[") + 1 : -1]
            for path, field in self._fields.items()
            if path.endswith("]") and field.to is None and field.rows == (row,)
        )
