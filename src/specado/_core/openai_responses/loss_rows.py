"""Ids of the loss rows that the Responses encoders report; `ROW_IDS` has all of them."""

from __future__ import annotations

ASSISTANT_AUDIO = "assistant.audio"
ASSISTANT_REFUSAL = "assistant.refusal"
AUDIO_OUTPUT = "audio.output"
CACHE_CONTROL_OPENAI = "cache_control.openai"
CONTENT_JOINED = "content.joined"
FILE_NAME = "file.name"
FUNCTIONS = "functions"
INPUT_AUDIO = "input.audio"
INPUT_DOCUMENT = "input.document"
INPUT_IMAGE = "input.image"
INPUT_VIDEO = "input.video"
LOGPROBS_MODEL = "logprobs.model"
LOGPROBS_THINKING = "logprobs.thinking"
MAX_TOKENS_ABOVE_LIMIT = "max_tokens.above_limit"
MAX_TOKENS_BELOW_LIMIT = "max_tokens.below_limit"
MAX_TOKENS_TWICE = "max_tokens.twice"
MESSAGE_ANNOTATIONS = "message.annotations"
MESSAGE_NAME = "message.name"
MESSAGE_UNKNOWN_KEY = "message.unknown_key"
PARALLEL_TOOL_CALLS_NEVER = "parallel_tool_calls.never"
PARALLEL_TOOL_CALLS_UNSUPPORTED = "parallel_tool_calls.unsupported"
PARAM_UNKNOWN = "param.unknown"
PART_UNKNOWN_KEY = "part.unknown_key"
REASONING_EFFORT_LEVEL = "reasoning_effort.level"
REASONING_EFFORT_NONE = "reasoning_effort.none"
REASONING_EFFORT_UNSUPPORTED = "reasoning_effort.unsupported"
REASONING_FOREIGN = "reasoning.foreign"
REASONING_OPENAI = "reasoning.openai"
RESPONSE_FORMAT_UNSUPPORTED = "response_format.unsupported"
ROLE_SYSTEM_NAME = "role.system_name"
ROLE_UNKNOWN = "role.unknown"
SAMPLING_BOTH = "sampling.both"
SAMPLING_THINKING = "sampling.thinking"
SAMPLING_UNSUPPORTED = "sampling.unsupported"
STORE_DEFAULT = "store.default"
STREAM_OPTIONS = "stream_options"
STRICT_DEFAULT = "strict.default"
TOOLS_UNSUPPORTED = "tools.unsupported"
TOOL_CALL_ID = "tool_call.id"
TOOL_CALL_NAME = "tool_call.name"
TOOL_CHOICE_THINKING = "tool_choice.thinking"
TOOL_CUSTOM = "tool.custom"
TOOL_NAME = "tool.name"
TOOL_SCHEMA_COMPLETED = "tool.schema_completed"
TOOL_STRICT = "tool.strict"
WEB_SEARCH_TOOL = "web_search.tool"

ROW_IDS = (
    ASSISTANT_AUDIO,
    ASSISTANT_REFUSAL,
    AUDIO_OUTPUT,
    CACHE_CONTROL_OPENAI,
    CONTENT_JOINED,
    FILE_NAME,
    FUNCTIONS,
    INPUT_AUDIO,
    INPUT_DOCUMENT,
    INPUT_IMAGE,
    INPUT_VIDEO,
    LOGPROBS_MODEL,
    LOGPROBS_THINKING,
    MAX_TOKENS_ABOVE_LIMIT,
    MAX_TOKENS_BELOW_LIMIT,
    MAX_TOKENS_TWICE,
    MESSAGE_ANNOTATIONS,
    MESSAGE_NAME,
    MESSAGE_UNKNOWN_KEY,
    PARALLEL_TOOL_CALLS_NEVER,
    PARALLEL_TOOL_CALLS_UNSUPPORTED,
    PARAM_UNKNOWN,
    PART_UNKNOWN_KEY,
    REASONING_EFFORT_LEVEL,
    REASONING_EFFORT_NONE,
    REASONING_EFFORT_UNSUPPORTED,
    REASONING_FOREIGN,
    REASONING_OPENAI,
    RESPONSE_FORMAT_UNSUPPORTED,
    ROLE_SYSTEM_NAME,
    ROLE_UNKNOWN,
    SAMPLING_BOTH,
    SAMPLING_THINKING,
    SAMPLING_UNSUPPORTED,
    STORE_DEFAULT,
    STREAM_OPTIONS,
    STRICT_DEFAULT,
    TOOLS_UNSUPPORTED,
    TOOL_CALL_ID,
    TOOL_CALL_NAME,
    TOOL_CHOICE_THINKING,
    TOOL_CUSTOM,
    TOOL_NAME,
    TOOL_SCHEMA_COMPLETED,
    TOOL_STRICT,
    WEB_SEARCH_TOOL,
)
