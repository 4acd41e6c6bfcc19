"""What becomes of each field of both providers' requests: the table behind the field matrix.

A path names members with dots, `[]` the items of a list, and `[name]` the variant of a union by
its `type` or `role`; `*` stands for anything. An entry with `whole` stands for all that is below
it too. Fields: `openai.types.chat` 3.54 and
`anthropic.types` 0.125.0, read 2026-11-22; the rows are those of `specado.loss_rows`.
"""

from __future__ import annotations

from specado.fields.anthropic import ANTHROPIC_FIELDS
from specado.fields.field import Field, find_field
from specado.fields.openai import OPENAI_FIELDS

__all__ = ["ANTHROPIC_FIELDS", "OPENAI_FIELDS", "Field", "find_field"]
