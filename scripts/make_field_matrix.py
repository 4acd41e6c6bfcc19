"""Write docs/fields.md from the tables of fields and losses.

    python scripts/make_field_matrix.py

The same tables give the same bytes: a change in what becomes of a field is a change in the diff.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from specado.dialects.anthropic_messages.fields import ANTHROPIC_FIELDS
from specado.dialects.openai_chat.fields import OPENAI_FIELDS
from specado.losses.rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from specado.losses.field import Field

DESTINATION = Path(__file__).parent.parent / "docs" / "fields.md"
NOWHERE = "*nowhere*"
HEAD = """\
# What becomes of each field

Every field of both providers' requests, and its translation; generated from the tables that the
tests check against the code. [Losses](losses.md) explains codes, kinds and severities.

A path names members with dots, `[]` the items of a list, and `[name]` a variant by its `type` or
`role`. The first line of a field names its counterpart; the lines below it are its possible losses.
`=` means the same name, *nowhere* that there is no counterpart, *implied* that leaving the field
out means the same. A field that a model is not known to refuse is sent.
"""
TO_ANTHROPIC = """\
## Canonical to Anthropic

The canonical form is OpenAI's chat completions, with `reasoning` and `cache_control` beside.
"""
TO_OPENAI = """\
## Canonical to OpenAI

Every field is sent unchanged, except where the model does not support it:
"""
FROM_ANTHROPIC = """\
## Anthropic to canonical

On the way to OpenAI the losses of the section above come after these.
"""
TITLES = ("field", "becomes", "code", "kind", "severity", "note")


def page() -> str:
    """Return the text of docs/fields.md."""
    own = {path: field for path, field in OPENAI_FIELDS.items() if field.at_home}
    sections = [
        HEAD,
        TO_ANTHROPIC,
        table(OPENAI_FIELDS),
        TO_OPENAI,
        table(own, at_home=True),
        FROM_ANTHROPIC,
        table(ANTHROPIC_FIELDS),
    ]
    return "\n".join(sections)


def table(fields: dict[str, Field], *, at_home: bool = False) -> str:
    """Return the Markdown table of *fields*."""
    lines = [line(TITLES), line("---" for _ in TITLES)]
    for path, field in fields.items():
        lines += map(line, field_lines(path, field, at_home=at_home))
    return "\n".join(lines) + "\n"


def field_lines(path: str, field: Field, *, at_home: bool) -> Iterator[tuple[str, ...]]:
    """Give a field's lines: where it goes, and what may be lost on the way."""
    shown = path if path.startswith("(") else f"`{path}`"
    if field.whole:
        shown += " and below"
    becomes = "=" if at_home else goes_to(path, field)
    losses = [ROWS[row] for row in (field.at_home if at_home else field.rows)]
    cells = [(row.code, row.kind, row.severity, row.message) for row in losses]
    if becomes == NOWHERE and cells:
        yield (shown, becomes, *cells.pop(0))
    else:
        yield (shown, becomes, "", "", "", "")
    for cell in cells:
        yield ("", "", *cell)


def goes_to(path: str, field: Field) -> str:
    if field.to is None:
        return "*implied*" if field.implied and not field.rows else NOWHERE
    return "=" if field.to == path else f"`{field.to}`"


def line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    DESTINATION.write_text(page(), encoding="utf-8")
