"""Ids of the loss rows that code shared by the dialects reports; `ROW_IDS` has all of them."""

CACHE_CONTROL_MOST = "cache_control.most"
CACHE_CONTROL_ORDER = "cache_control.order"
NATIVE_FOREIGN = "native.foreign"
NATIVE_ORDER = "native.order"
NATIVE_UNUSABLE = "native.unusable"
PART_UNKNOWN_KEY = "part.unknown_key"
REASONING_EDITED = "reasoning.edited"
REASONING_REFUSED = "reasoning.refused"
REPLY_CONTENT_PART = "reply.content_part"
RESPONSE_FORMAT_BOUND = "response_format.bound"
RESPONSE_FORMAT_HINT = "response_format.hint"
TOOL_CALL_ARGUMENTS = "tool_call.arguments"
TOOL_CALL_REPEATED_ID = "tool_call.repeated_id"
TOOL_HINT = "tool.hint"
TOOL_SCHEMA = "tool.schema"
USER_HASHED = "user.hashed"

ROW_IDS = (
    CACHE_CONTROL_MOST,
    CACHE_CONTROL_ORDER,
    NATIVE_FOREIGN,
    NATIVE_ORDER,
    NATIVE_UNUSABLE,
    PART_UNKNOWN_KEY,
    REASONING_EDITED,
    REASONING_REFUSED,
    REPLY_CONTENT_PART,
    RESPONSE_FORMAT_BOUND,
    RESPONSE_FORMAT_HINT,
    TOOL_CALL_ARGUMENTS,
    TOOL_CALL_REPEATED_ID,
    TOOL_HINT,
    TOOL_SCHEMA,
    USER_HASHED,
)
