"""Ids of the loss rows that code shared by the dialects reports; `ROW_IDS` has all of them."""

RESPONSE_FORMAT_BOUND = "response_format.bound"
RESPONSE_FORMAT_HINT = "response_format.hint"

ROW_IDS = (
    RESPONSE_FORMAT_BOUND,
    RESPONSE_FORMAT_HINT,
)
