"""JSON Schema validation without a dependency: the bounds of a schema that an answer breaks.

`checks` validates a value against a schema, `patterns` and `formats` implement the keywords
`pattern` and `format`.
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
