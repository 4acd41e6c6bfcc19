"""Write docs/fields.md: what becomes of every field of a request, from the tables of the code.

    python scripts/make_field_matrix.py

`tests/test_fields_page.py` holds the committed page to what this writes.
"""

from __future__ import annotations

from pathlib import Path

from specado.fields import ANTHROPIC_FIELDS, OPENAI_FIELDS, Field
from specado.losses import ROWS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "fields.md"

HEAD = """\
# Fields

What becomes of every field of a request on its way to the other provider. This page is generated
(`python scripts/make_field_matrix.py`) from the tables that the code runs and that tests hold
against the types of the official packages (openai 3.54, anthropic 0.125.0, read 2026-11-22).

A path names members with dots, `[]` the items of a list, `[name]` a variant by its `type` or
`role`.
A loss is met only where its case arises: [Losses](losses.md) explains code, kind and severity.
"""


def page() -> str:
    """Return the page's text."""
    parts = [
        HEAD,
        "## OpenAI chat completions to Anthropic messages\n",
        *_matrix(OPENAI_FIELDS),
        "\n## Anthropic messages to OpenAI chat completions\n",
        *_matrix(ANTHROPIC_FIELDS),
        "\n## At its own provider, where a model does not take it\n",
        *_at_home(),
        "\n## Losses\n",
        *_losses(),
    ]
    return "\n".join(parts) + "\n"


def _matrix(fields: dict[str, Field]) -> list[str]:
    lines = ["| field | becomes | may meet |", "|---|---|---|"]
    for path, field in fields.items():
        goes = f"`{field.to}`" if field.to is not None else "implied" if field.implied else "-"
        lines.append(f"| `{path}` | {goes} | {_named(field.rows)} |")
    return lines


def _at_home() -> list[str]:
    lines = ["| field | may meet |", "|---|---|"]
    for name, fields in (("OpenAI", OPENAI_FIELDS), ("Anthropic", ANTHROPIC_FIELDS)):
        lines += [
            f"| {name} `{path}` | {_named(field.at_home)} |"
            for path, field in fields.items()
            if field.at_home
        ]
    return lines


def _named(rows: tuple[str, ...]) -> str:
    return ", ".join(f"`{row}`" for row in rows) or "-"


def _losses() -> list[str]:
    lines = ["| row | code | kind | severity | why |", "|---|---|---|---|---|"]
    lines += [
        f"| `{name}` | {row.code} | {row.kind} | {row.severity} | {row.message} |"
        for name, row in ROWS.items()
    ]
    return lines


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
