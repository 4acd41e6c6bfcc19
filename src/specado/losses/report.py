"""Loss report of a translation, and the losses that each strictness refuses.

An encoder reports tuples `(row id, path, before, after)`; `specado.losses.rows` has the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Union

import msgspec

from specado.losses.rows import ROWS, check_row_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "SEVERITIES",
    "Loss",
    "LossinessReport",
    "RefusedLoss",
    "refusal",
    "refuses",
    "report_of",
]

SEVERITIES = ("None", "Low", "Medium", "High", "Critical")
# Loss types in the terms of `compare_capabilities`: row -> (kind, name; "" for the path of the
# loss). The types of all other rows follow from their codes.
_KINDS = {
    "input.image": ("MissingModality", "input_Image"),
    "input.audio": ("MissingModality", "input_Audio"),
    "input.document": ("MissingModality", "input_Document"),
    "audio.output": ("MissingModality", "output_Audio"),
    "system.later": ("MissingRole", "system_role"),
    "system.alone": ("MissingRole", "system_role"),
    "role.unknown": ("MissingRole", ""),
    "functions": ("MissingRole", "function_role"),
    "param.unknown": ("MissingExtension", ""),
    "message.unknown_key": ("MissingExtension", ""),
    "part.unknown_key": ("MissingExtension", ""),
    "max_tokens.above_limit": ("TokenLimitExceeded", ""),
}
check_row_ids(_KINDS, __name__)
# Control characters are escaped: text of a request must not control the terminal.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
# A printed report shows at most this many losses, the worst ones; `items` holds all.
MAX_SHOWN_ITEMS = 100
_HEADINGS = ("Severity", "Code", "Where", "What", "Before", "After")


class Loss(msgspec.Struct, frozen=True):
    """One thing that a translation dropped, changed or expressed differently.

    `path` is a JSON path into the caller's request; `before` and `after` are the values there and
    in the translated request, `None` where they are not known.
    """

    code: str
    path: str
    message: str
    before: Any
    after: Any
    severity: str
    kind: str

    def __str__(self) -> str:
        return f"{self.severity} {self.code} {self.path}: {self.message}{_change(self)}"


class LossinessReport(msgspec.Struct, frozen=True):
    """Losses of a request's translation for one candidate; shaped as `compare_capabilities`.

    `is_lossy` is true from severity `Low` up; `items` holds notes too.
    """

    is_lossy: bool
    severity: str
    lossiness_types: list[Union[str, dict[str, str]]]
    details: list[str]
    recommendations: list[str]
    items: list[Loss]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON objects."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data

    def __str__(self) -> str:
        if not self.items:
            return "nothing lost"
        head = f"{self.severity} loss" if self.is_lossy else "nothing lost"
        items, more = _worst(self.items)
        severity = max(len(_word(item)) for item in items)
        code = max(len(item.code) for item in items)
        lines = [
            f"  {_word(item):<{severity}}  {item.code:<{code}}  "
            f"{item.path}: {item.message}{_change(item)}".translate(_CONTROLS)
            for item in items
        ]
        return "\n".join([head, *lines] + ([f"  {more}"] if more else []))

    def __getitem__(self, name: str) -> Any:
        """Return a field by its name, as in the dict that `compare_capabilities` returns."""
        if name not in self.__struct_fields__:
            raise KeyError(name)
        return getattr(self, name)

    def _repr_html_(self) -> str:
        """Return the report as a table, for notebooks."""
        head = f"{self.severity} loss" if self.is_lossy else "nothing lost"
        if not self.items:
            return f"<p><b>{head}</b></p>"
        # Imported here, as `reprlib` below: few reports are shown, fewer as HTML.
        import html

        items, more = _worst(self.items)
        rows = [
            (_word(item), item.code, item.path, item.message, _shown(item.before),
             _shown(item.after))
            for item in items
        ]  # fmt: skip
        cells = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in rows
        )
        titles = "".join(f"<th>{title}</th>" for title in _HEADINGS)
        return (
            f"<table><caption><b>{head}</b></caption>"
            f"<thead><tr>{titles}</tr></thead><tbody>{cells}</tbody></table>"
            + (f"<p>{more}</p>" if more else "")
        )


def _worst(items: list[Loss]) -> tuple[list[Loss], str]:
    """Return the worst losses, in order, and a text on how many more there are."""
    more = len(items) - MAX_SHOWN_ITEMS
    if more <= 0:
        return items, ""
    places = sorted(range(len(items)), key=lambda at: -SEVERITIES.index(items[at].severity))
    shown = [items[at] for at in sorted(places[:MAX_SHOWN_ITEMS])]
    return shown, f"… and {more:,} more, none of them worse: see items"


def _word(item: Loss) -> str:
    return "note" if item.severity == "None" else item.severity


def _change(item: Loss) -> str:
    if item.before is None and item.after is None:
        return ""
    return f" ({_short(item.before)} -> {_short(item.after)})"


def _short(value: Any) -> str:
    import reprlib

    shown = reprlib.Repr()
    shown.maxstring = shown.maxother = shown.maxlong = 60
    shown.maxdict = shown.maxlist = 4
    shown.maxlevel = 3
    return shown.repr(value)


def _shown(value: Any) -> str:
    return "" if value is None else _short(value)


def report_of(reported: Sequence[tuple[str, str, Any, Any]]) -> LossinessReport:
    """Return the loss report for the tuples of an encoder."""
    items = []
    for row_id, path, before, after in reported:
        row = ROWS[row_id]
        items.append(Loss(row.code, path, row.message, before, after, row.severity, row.kind))
    severity = max((item.severity for item in items), key=SEVERITIES.index, default="None")
    lossy = [item for item in items if item.severity != "None"]
    return LossinessReport(
        is_lossy=bool(lossy),
        severity=severity,
        lossiness_types=_types_of(reported),
        details=[str(item) for item in lossy],
        recommendations=list(dict.fromkeys(_advice(item) for item in lossy)),
        items=items,
    )


def _types_of(
    reported: Sequence[tuple[str, str, Any, Any]],
) -> list[Union[str, dict[str, str]]]:
    """Return the distinct loss types in the terms of `compare_capabilities`."""
    found: list[Union[str, dict[str, str]]] = []
    for row_id, path, before, _ in reported:
        if ROWS[row_id].severity == "None":
            continue
        constrained = ROWS[row_id].code in ("Clamp", "Conflict", "Default")
        usual = "ConstrainedParameter" if constrained else "MissingFeature"
        kind, name = _KINDS.get(row_id, (usual, ""))
        if row_id == "role.unknown":
            name = f"{before}_role"
        each = kind if kind == "TokenLimitExceeded" else {kind: name or path}
        if each not in found:
            found.append(each)
    return found


def _advice(item: Loss) -> str:
    if item.kind == "contract":
        return f"Leave out {item.path}, or choose a model that takes it."
    return f"Check that the answer does not depend on {item.path}."


def refuses(strictness: str, reported: Sequence[tuple[str, str, Any, Any]]) -> Optional[str]:
    """Return the id of the first row that *strictness* refuses, `None` if it refuses none.

    `strict` refuses any loss of severity `Low` or more, `warn` such a loss of kind contract,
    `coerce` nothing.
    """
    if strictness == "coerce":
        return None
    for row_id, _, _, _ in reported:
        row = ROWS[row_id]
        if row.severity != "None" and (strictness == "strict" or row.kind == "contract"):
            return row_id
    return None


class RefusedLoss(msgspec.Struct, frozen=True):
    """The loss for which a candidate is refused, as text with its path.

    `setting` is the strictest setting that would accept the candidate.
    """

    text: str
    setting: str


def refusal(
    strictness: str, reported: Sequence[tuple[str, str, Any, Any]]
) -> Optional[RefusedLoss]:
    """Return the loss for which *strictness* refuses a candidate, `None` if it accepts it."""
    row_id, setting = refuses("warn", reported), "strictness='coerce'"
    if row_id is None and strictness == "strict":
        row_id, setting = refuses("strict", reported), "strictness='warn'"
    if row_id is None or strictness == "coerce":
        return None
    path = next(path for each, path, _, _ in reported if each == row_id)
    return RefusedLoss(f"{path}: {ROWS[row_id].message}", setting)
