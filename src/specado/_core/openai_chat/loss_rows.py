"""Ids of the loss rows that the OpenAI chat encoders report; `ROW_IDS` has all of them."""

AUDIO_OUTPUT = "audio.output"
CACHE_CONTROL_OPENAI = "cache_control.openai"
CONTENT_JOINED = "content.joined"
INPUT_AUDIO = "input.audio"
INPUT_DOCUMENT = "input.document"
INPUT_IMAGE = "input.image"
LOGIT_BIAS_UNSUPPORTED = "logit_bias.unsupported"
LOGPROBS_MODEL = "logprobs.model"
LOGPROBS_THINKING = "logprobs.thinking"
MAX_TOKENS_ABOVE_LIMIT = "max_tokens.above_limit"
MAX_TOKENS_RENAMED = "max_tokens.renamed"
MAX_TOKENS_TWICE = "max_tokens.twice"
MEDIA_MOVED = "media.moved"
MEMBER_RANGE = "member.range"
MEMBER_REFUSED = "member.refused"
MEMBER_RENAMED = "member.renamed"
MEMBER_VALUE = "member.value"
MESSAGE_NAME = "message.name"
N_LIMIT = "n.limit"
N_ONE = "n"
PARALLEL_TOOL_CALLS_MANY = "parallel_tool_calls.many"
PARALLEL_TOOL_CALLS_NEVER = "parallel_tool_calls.never"
PARALLEL_TOOL_CALLS_UNSUPPORTED = "parallel_tool_calls.unsupported"
PART_UNKNOWN_KEY = "part.unknown_key"
PENALTY_UNSUPPORTED = "penalty.unsupported"
REASONING_EFFORT_LEVEL = "reasoning_effort.level"
REASONING_EFFORT_MEMBERS = "reasoning_effort.members"
REASONING_EFFORT_NONE = "reasoning_effort.none"
REASONING_EFFORT_OFF = "reasoning_effort.off"
REASONING_EFFORT_TOOLS = "reasoning_effort.tools"
REASONING_EFFORT_UNSUPPORTED = "reasoning_effort.unsupported"
REASONING_EMPTY = "reasoning.empty"
REASONING_FOREIGN = "reasoning.foreign"
REASONING_OPENAI = "reasoning.openai"
REPLY_CONTENT_PART = "reply.content_part"
REPLY_FINISH_REASON = "reply.finish_reason"
REPLY_ROLE = "reply.role"
REPLY_SERVICE_TIER = "reply.service_tier"
REPLY_USAGE = "reply.usage"
RESPONSE_FORMAT_CONFLICT = "response_format.conflict"
RESPONSE_FORMAT_UNSUPPORTED = "response_format.unsupported"
ROLE_SYSTEM_NAME = "role.system_name"
ROLE_UNKNOWN = "role.unknown"
SAMPLING_BOTH = "sampling.both"
SAMPLING_THINKING = "sampling.thinking"
SAMPLING_UNSUPPORTED = "sampling.unsupported"
STOP_LIMIT = "stop.limit"
STOP_TOO_MANY = "stop.too_many"
STOP_UNSUPPORTED = "stop.unsupported"
TOOLS_REASONING = "tools.reasoning"
TOOLS_UNSUPPORTED = "tools.unsupported"
TOOL_CALL_ID = "tool_call.id"
TOOL_CALL_NAME = "tool_call.name"
TOOL_CHOICE_REFUSED = "tool_choice.refused"
TOOL_CHOICE_THINKING = "tool_choice.thinking"
TOOL_CUSTOM = "tool.custom"
TOOL_NAME = "tool.name"
TOOL_SCHEMA_COMPLETED = "tool.schema_completed"
TOOL_STRICT = "tool.strict"
WEB_SEARCH_MODEL = "web_search.model"

ROW_IDS = (
    AUDIO_OUTPUT,
    CACHE_CONTROL_OPENAI,
    CONTENT_JOINED,
    INPUT_AUDIO,
    INPUT_DOCUMENT,
    INPUT_IMAGE,
    LOGIT_BIAS_UNSUPPORTED,
    LOGPROBS_MODEL,
    LOGPROBS_THINKING,
    MAX_TOKENS_ABOVE_LIMIT,
    MAX_TOKENS_RENAMED,
    MAX_TOKENS_TWICE,
    MEDIA_MOVED,
    MEMBER_RANGE,
    MEMBER_REFUSED,
    MEMBER_RENAMED,
    MEMBER_VALUE,
    MESSAGE_NAME,
    N_LIMIT,
    N_ONE,
    PARALLEL_TOOL_CALLS_MANY,
    PARALLEL_TOOL_CALLS_NEVER,
    PARALLEL_TOOL_CALLS_UNSUPPORTED,
    PART_UNKNOWN_KEY,
    PENALTY_UNSUPPORTED,
    REASONING_EFFORT_LEVEL,
    REASONING_EFFORT_MEMBERS,
    REASONING_EFFORT_NONE,
    REASONING_EFFORT_OFF,
    REASONING_EFFORT_TOOLS,
    REASONING_EFFORT_UNSUPPORTED,
    REASONING_EMPTY,
    REASONING_FOREIGN,
    REASONING_OPENAI,
    REPLY_CONTENT_PART,
    REPLY_FINISH_REASON,
    REPLY_ROLE,
    REPLY_SERVICE_TIER,
    REPLY_USAGE,
    RESPONSE_FORMAT_CONFLICT,
    RESPONSE_FORMAT_UNSUPPORTED,
    ROLE_SYSTEM_NAME,
    ROLE_UNKNOWN,
    SAMPLING_BOTH,
    SAMPLING_THINKING,
    SAMPLING_UNSUPPORTED,
    STOP_LIMIT,
    STOP_TOO_MANY,
    STOP_UNSUPPORTED,
    TOOLS_REASONING,
    TOOLS_UNSUPPORTED,
    TOOL_CALL_ID,
    TOOL_CALL_NAME,
    TOOL_CHOICE_REFUSED,
    TOOL_CHOICE_THINKING,
    TOOL_CUSTOM,
    TOOL_NAME,
    TOOL_SCHEMA_COMPLETED,
    TOOL_STRICT,
    WEB_SEARCH_MODEL,
)
