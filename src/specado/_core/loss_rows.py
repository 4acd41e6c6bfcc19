"""Ids of the loss rows that code shared by the dialects reports; `ROW_IDS` has all of them."""

RESPONSE_FORMAT_BOUND = "response_format.bound"
RESPONSE_FORMAT_HINT = "response_format.hint"
TOOL_CALL_ARGUMENTS = "tool_call.arguments"
TOOL_CALL_REPEATED_ID = "tool_call.repeated_id"
USER_HASHED = "user.hashed"

ROW_IDS = (
    RESPONSE_FORMAT_BOUND,
    RESPONSE_FORMAT_HINT,
    TOOL_CALL_ARGUMENTS,
    TOOL_CALL_REPEATED_ID,
    USER_HASHED,
)
