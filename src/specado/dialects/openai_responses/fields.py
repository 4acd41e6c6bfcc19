"""Field tables of OpenAI Responses requests: each field's counterpart and losses.

Source: `openai.types.responses.ResponseCreateParams` (3.57, read 2026-11-30).
"""

from __future__ import annotations

from specado.losses.field import SAME, Field, FieldTable

__all__ = ["REQUEST_FIELDS", "REQUEST_PARAMETERS", "SOURCE_FIELDS"]

# What becomes of each canonical field in a Responses request.
REQUEST_FIELDS = FieldTable(
    {
        "model": Field(SAME),
    }
)

# What becomes of each field of a Responses request in the canonical form.
SOURCE_FIELDS = FieldTable({})

REQUEST_PARAMETERS = REQUEST_FIELDS.parameters()
