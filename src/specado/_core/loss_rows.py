"""Ids of the loss rows that code shared by the dialects reports; `ROW_IDS` has all of them."""

CACHE_CONTROL_MOST = "cache_control.most"
CACHE_CONTROL_ORDER = "cache_control.order"
NATIVE_FOREIGN = "native.foreign"
NATIVE_ORDER = "native.order"
NATIVE_UNUSABLE = "native.unusable"
PART_UNKNOWN_KEY = "part.unknown_key"
REASONING_EDITED = "reasoning.edited"
REASONING_REFUSED = "reasoning.refused"
REPLY_ANNOTATIONS = "reply.annotations"
REPLY_AUDIO = "reply.audio"
REPLY_CHOICES = "reply.choices"
REPLY_CONTENT_PART = "reply.content_part"
REPLY_CREATED = "reply.created"
REPLY_CUSTOM_CALL = "reply.custom_call"
REPLY_FINGERPRINT = "reply.fingerprint"
REPLY_LOGPROBS = "reply.logprobs"
REPLY_REASONING_BLOCK = "reply.reasoning_block"
REPLY_REASONING_MODEL = "reply.reasoning_model"
REPLY_REFUSAL = "reply.refusal"
REPLY_ROLE = "reply.role"
REPLY_TOOL_CALL_PIECE = "reply.tool_call_piece"
REPLY_USAGE = "reply.usage"
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
    REPLY_ANNOTATIONS,
    REPLY_AUDIO,
    REPLY_CHOICES,
    REPLY_CONTENT_PART,
    REPLY_CREATED,
    REPLY_CUSTOM_CALL,
    REPLY_FINGERPRINT,
    REPLY_LOGPROBS,
    REPLY_REASONING_BLOCK,
    REPLY_REASONING_MODEL,
    REPLY_REFUSAL,
    REPLY_ROLE,
    REPLY_TOOL_CALL_PIECE,
    REPLY_USAGE,
    RESPONSE_FORMAT_BOUND,
    RESPONSE_FORMAT_HINT,
    TOOL_CALL_ARGUMENTS,
    TOOL_CALL_REPEATED_ID,
    TOOL_HINT,
    TOOL_SCHEMA,
    USER_HASHED,
)
