"""JSON Schema without a dependency: which bounds of a schema an answer breaks.

`checks` holds a value against a schema, `patterns` and `formats` are what `pattern` and `format`
mean there.
"""

from __future__ import annotations

from specado.json_schema.checks import (
    AnswerCheck,
    Breach,
    check_answer,
    check_value,
    has_bounds,
    is_checked,
)

__all__ = ["AnswerCheck", "Breach", "check_answer", "check_value", "has_bounds", "is_checked"]
