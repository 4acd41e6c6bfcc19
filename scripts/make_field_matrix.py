"""Write docs/fields.md from the field tables of all dialects and the table of loss rows.

    python scripts/make_field_matrix.py

The same tables give the same bytes: a change in what becomes of a field is a change in the diff.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from specado.dialects.registry import DIALECTS
from specado.losses.field import SAME
from specado.losses.rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import ModuleType

    from specado.losses.field import Field, FieldTable

    # The cells of the losses of each field, by its path.
    Losses = dict[str, list[tuple[str, str, str, str, str]]]

DESTINATION = Path(__file__).parent.parent / "docs" / "fields.md"
HEAD = """\
# What becomes of each field

Every request is translated through one canonical form: OpenAI's chat completions, with
`reasoning`, `reasoning_details`, `annotations` and `cache_control` added. For each dialect (wire
format) this page lists what becomes of each canonical field in its requests, and what becomes of
each field of its requests in the canonical form. The page is generated from the tables that the
encoders and decoders use; the tests check them against the fields of the official packages.

- A path names members with dots, `[]` the items of a list, and `[name]` a variant by its `type` or
  `role`. `*` stands for anything.
- The first line of a field names what it becomes: `=` is the same path, *nothing* means that it has
  no counterpart, *implied* that a request without the field means the same.
- The other cells, and the lines below, are the losses that may be reported. [Losses](losses.md)
  explains codes, kinds and severities.
- *models*: `all` where the wire format itself causes the loss, `some` where only a model that is
  known to differ causes it. A field that a model is not known to refuse is sent.
"""
TO = "### Canonical form to `{name}`\n"
FROM = """\
### `{name}` to canonical form

On the way to a provider, the losses of the first table of its dialect come after these.
"""
WITHIN = """\
### `{name}` to another model of `{name}`

The fields that are not listed are sent unchanged.
"""
IDENTICAL = "Every field keeps its path and its value.\n"
EXCEPTIONS = "Every field keeps its path and its value, except for these:\n\n"
TITLES = ("field", "becomes", "code", "kind", "severity", "models", "loss")


def page() -> str:
    """Return the text of docs/fields.md."""
    sections = [HEAD]
    for name in DIALECTS:
        sections += dialect_sections(
            name, importlib.import_module(f"specado.dialects.{name}.fields")
        )
    return "\n".join(sections)


def dialect_sections(name: str, fields: ModuleType) -> Iterator[str]:
    """Yield the sections of one dialect; *fields* is the module that names their source."""
    request, source = DIALECTS[name].request_fields, DIALECTS[name].source_fields
    checked = (fields.__doc__ or "").partition("Source: ")[2].strip()
    yield f"## `{name}`\n\nThe fields are those of {checked}\n"
    yield TO.format(name=name)
    yield listed(request, {path: losses(field) for path, field in request.items()})
    yield FROM.format(name=name)
    yield listed(source, {path: losses(field, of_models=False) for path, field in source.items()})
    changed = {path: field._replace(to=SAME) for path, field in source.items() if field.model_rows}
    if changed:
        yield WITHIN.format(name=name)
        yield table(changed, {path: losses(field, of_all=False) for path, field in changed.items()})


def losses(
    field: Field, *, of_all: bool = True, of_models: bool = True
) -> list[tuple[str, str, str, str, str]]:
    """Return the cells of a field's losses: code, kind, severity, models, message."""
    found = [(row, "all") for row in field.rows if of_all]
    found += [(row, "some") for row in field.model_rows if of_models]
    return [
        (ROWS[row].code, ROWS[row].kind, ROWS[row].severity, models, ROWS[row].message)
        for row, models in found
    ]


def listed(fields: FieldTable, lost: Losses) -> str:
    """Return a table of *fields*; a rule for all fields is a sentence before it."""
    entries = {path: field for path, field in fields.items() if path != "*"}
    if not entries:
        return IDENTICAL
    return ("" if "*" not in fields else EXCEPTIONS) + table(entries, lost)


def table(fields: Mapping[str, Field], lost: Losses) -> str:
    """Return the Markdown table of *fields* and of what may be *lost* of each."""
    lines = [line(TITLES), line("---" for _ in TITLES)]
    for path, field in fields.items():
        shown = path if path.startswith("(") else f"`{path}`"
        if field.whole:
            shown += " and below"
        first, *rest = [("", "", "", "", ""), *lost[path]]
        if field.to is None and rest:
            first = rest.pop(0)
        lines.append(line((shown, becomes(field), *first)))
        lines += [line(("", "", *cells)) for cells in rest]
    return "\n".join(lines) + "\n"


def becomes(field: Field) -> str:
    """Return the counterpart of a field as the page shows it."""
    if field.to is None:
        return "*implied*" if field.implied else "*nothing*"
    return "=" if field.to == SAME else f"`{field.to}`"


def line(cells: Iterable[str]) -> str:
    """Return one line of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    DESTINATION.write_text(page(), encoding="utf-8")
