"""JSON Schema validation of answers, without a dependency: reports the bounds they violate.

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
