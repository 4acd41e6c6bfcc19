"""Ids of the loss rows that the Anthropic dialect reports, checked against the table of rows.

The encoder and the decoder import them by name, so that a wrong name is an error of the build.
"""

from __future__ import annotations

ANTHROPIC_BLOCK_ORDER = "anthropic.block_order"
ANTHROPIC_CITATIONS = "anthropic.citations"
ANTHROPIC_DOCUMENT_CONTEXT = "anthropic.document_context"
ANTHROPIC_DOCUMENT_NAME = "anthropic.document_name"
ANTHROPIC_DOCUMENT_SOURCE = "anthropic.document_source"
ANTHROPIC_DOCUMENT_TEXT = "anthropic.document_text"
ANTHROPIC_EFFORT_DISABLED = "anthropic.effort_disabled"
ANTHROPIC_FORMAT_NAME = "anthropic.format_name"
ANTHROPIC_FORMAT_ROOT = "anthropic.format_root"
ANTHROPIC_FORMAT_STRICT = "anthropic.format_strict"
ANTHROPIC_IMAGE_TRANSFORMATIONS = "anthropic.image_transformations"
ANTHROPIC_IS_ERROR = "anthropic.is_error"
ANTHROPIC_PREFILL = "anthropic.prefill"
ANTHROPIC_RESULT_MEDIA = "anthropic.result_media"
ANTHROPIC_SEARCH_RESULT = "anthropic.search_result"
ANTHROPIC_SERVER_BLOCK = "anthropic.server_block"
ANTHROPIC_SERVER_TOOL = "anthropic.server_tool"
ANTHROPIC_THINKING_ADAPTIVE = "anthropic.thinking_adaptive"
ANTHROPIC_THINKING_BUDGET = "anthropic.thinking_budget"
ANTHROPIC_THINKING_DISPLAY = "anthropic.thinking_display"
ANTHROPIC_TOOLSET = "anthropic.toolset"
ANTHROPIC_TOOL_OPTION = "anthropic.tool_option"
ANTHROPIC_TOOL_STRICT = "anthropic.tool_strict"
ASSISTANT_AUDIO = "assistant.audio"
ASSISTANT_LAST = "assistant.last"
ASSISTANT_REFUSAL = "assistant.refusal"
ASSISTANT_TRAILING_SPACE = "assistant.trailing_space"
AUDIO_OUTPUT = "audio.output"
CACHE_CONTROL_BLANK = "cache_control.blank"
CACHE_CONTROL_TWICE = "cache_control.twice"
CACHE_CONTROL_UNKNOWN = "cache_control.unknown"
FILE_ID = "file.id"
FILE_ID_BESIDE_DATA = "file.id_beside_data"
FILE_MEDIA_TYPE = "file.media_type"
FILE_TEXT = "file.text"
FUNCTIONS = "functions"
IMAGE_DETAIL = "image.detail"
IMAGE_HTTP = "image.http"
IMAGE_MEDIA_TYPE = "image.media_type"
INPUT_AUDIO = "input.audio"
INPUT_DOCUMENT = "input.document"
INPUT_IMAGE = "input.image"
MAX_TOKENS_ABOVE_LIMIT = "max_tokens.above_limit"
MAX_TOKENS_DEFAULT = "max_tokens.default"
MAX_TOKENS_TWICE = "max_tokens.twice"
MEDIA_TYPE_CORRECTED = "media_type.corrected"
MESSAGES_BLANK = "messages.blank"
MESSAGE_ANNOTATIONS = "message.annotations"
MESSAGE_NAME = "message.name"
MESSAGE_UNKNOWN_KEY = "message.unknown_key"
MODEL_ASSUMED = "model.assumed"
PARALLEL_TOOL_CALLS_NEVER = "parallel_tool_calls.never"
PARAM_UNKNOWN = "param.unknown"
PART_UNKNOWN_KEY = "part.unknown_key"
PROMPT_CACHE = "prompt_cache"
REASONING_EFFORT_HISTORY = "reasoning_effort.history"
REASONING_EFFORT_LEVEL = "reasoning_effort.level"
REASONING_EFFORT_NONE = "reasoning_effort.none"
REASONING_EFFORT_NO_ROOM = "reasoning_effort.no_room"
REASONING_EFFORT_THINKING = "reasoning_effort.thinking"
REASONING_EFFORT_TOOLS = "reasoning_effort.tools"
REASONING_EFFORT_UNSUPPORTED = "reasoning_effort.unsupported"
REASONING_FOREIGN = "reasoning.foreign"
REASONING_UNSIGNED = "reasoning.unsigned"
REPLY_ARGUMENTS = "reply.arguments"
REPLY_FINISH_REASON = "reply.finish_reason"
REPLY_REASONING = "reply.reasoning"
REPLY_REASONING_UNSIGNED = "reply.reasoning_unsigned"
REPLY_SERVICE_TIER = "reply.service_tier"
REPLY_TOOL_USE = "reply.tool_use"
REPLY_USAGE_CACHED = "reply.usage_cached"
REPLY_USAGE_MISSING = "reply.usage_missing"
RESPONSE_FORMAT_CLOSED = "response_format.closed"
RESPONSE_FORMAT_CONFLICT = "response_format.conflict"
RESPONSE_FORMAT_DESCRIPTION = "response_format.description"
RESPONSE_FORMAT_JSON_OBJECT = "response_format.json_object"
RESPONSE_FORMAT_NAME = "response_format.name"
RESPONSE_FORMAT_STRICT = "response_format.strict"
RESPONSE_FORMAT_TOOL = "response_format.tool"
RESPONSE_FORMAT_UNSUPPORTED = "response_format.unsupported"
ROLE_UNKNOWN = "role.unknown"
SAMPLING_BOTH = "sampling.both"
SAMPLING_THINKING = "sampling.thinking"
SAMPLING_UNSUPPORTED = "sampling.unsupported"
SERVICE_TIER = "service_tier"
STOP_BLANK = "stop.blank"
STOP_TOO_MANY = "stop.too_many"
STOP_UNSUPPORTED = "stop.unsupported"
STREAM_OPTIONS = "stream_options"
SYSTEM_ALONE = "system.alone"
SYSTEM_LATER = "system.later"
SYSTEM_MOVED = "system.moved"
SYSTEM_PART = "system.part"
SYSTEM_TOP_LEVEL = "system.top_level"
TEMPERATURE_ABOVE_ONE = "temperature.above_one"
TEXT_BLANK = "text.blank"
TOOLS_CALLED = "tools.called"
TOOLS_UNSUPPORTED = "tools.unsupported"
TOOL_CALL_ID = "tool_call.id"
TOOL_CALL_NAME = "tool_call.name"
TOOL_CHOICE_ALLOWED = "tool_choice.allowed"
TOOL_CHOICE_THINKING = "tool_choice.thinking"
TOOL_CHOICE_UNKNOWN = "tool_choice.unknown"
TOOL_CHOICE_WITHOUT_TOOLS = "tool_choice.without_tools"
TOOL_CUSTOM = "tool.custom"
TOOL_CUSTOM_CALL = "tool.custom_call"
TOOL_HINT = "tool.hint"
TOOL_NAME = "tool.name"
TOOL_RESULT_LATE = "tool.result_late"
TOOL_STRICT = "tool.strict"
TOOL_STRICT_LIMIT = "tool.strict_limit"
TOOL_STRICT_SCHEMA = "tool.strict_schema"
TURNS_MERGED = "turns.merged"
USER_TWICE = "user.twice"

ROW_IDS = (
    ANTHROPIC_BLOCK_ORDER,
    ANTHROPIC_CITATIONS,
    ANTHROPIC_DOCUMENT_CONTEXT,
    ANTHROPIC_DOCUMENT_NAME,
    ANTHROPIC_DOCUMENT_SOURCE,
    ANTHROPIC_DOCUMENT_TEXT,
    ANTHROPIC_EFFORT_DISABLED,
    ANTHROPIC_FORMAT_NAME,
    ANTHROPIC_FORMAT_ROOT,
    ANTHROPIC_FORMAT_STRICT,
    ANTHROPIC_IMAGE_TRANSFORMATIONS,
    ANTHROPIC_IS_ERROR,
    ANTHROPIC_PREFILL,
    ANTHROPIC_RESULT_MEDIA,
    ANTHROPIC_SEARCH_RESULT,
    ANTHROPIC_SERVER_BLOCK,
    ANTHROPIC_SERVER_TOOL,
    ANTHROPIC_THINKING_ADAPTIVE,
    ANTHROPIC_THINKING_BUDGET,
    ANTHROPIC_THINKING_DISPLAY,
    ANTHROPIC_TOOLSET,
    ANTHROPIC_TOOL_OPTION,
    ANTHROPIC_TOOL_STRICT,
    ASSISTANT_AUDIO,
    ASSISTANT_LAST,
    ASSISTANT_REFUSAL,
    ASSISTANT_TRAILING_SPACE,
    AUDIO_OUTPUT,
    CACHE_CONTROL_BLANK,
    CACHE_CONTROL_TWICE,
    CACHE_CONTROL_UNKNOWN,
    FILE_ID,
    FILE_ID_BESIDE_DATA,
    FILE_MEDIA_TYPE,
    FILE_TEXT,
    FUNCTIONS,
    IMAGE_DETAIL,
    IMAGE_HTTP,
    IMAGE_MEDIA_TYPE,
    INPUT_AUDIO,
    INPUT_DOCUMENT,
    INPUT_IMAGE,
    MAX_TOKENS_ABOVE_LIMIT,
    MAX_TOKENS_DEFAULT,
    MAX_TOKENS_TWICE,
    MEDIA_TYPE_CORRECTED,
    MESSAGES_BLANK,
    MESSAGE_ANNOTATIONS,
    MESSAGE_NAME,
    MESSAGE_UNKNOWN_KEY,
    MODEL_ASSUMED,
    PARALLEL_TOOL_CALLS_NEVER,
    PARAM_UNKNOWN,
    PART_UNKNOWN_KEY,
    PROMPT_CACHE,
    REASONING_EFFORT_HISTORY,
    REASONING_EFFORT_LEVEL,
    REASONING_EFFORT_NONE,
    REASONING_EFFORT_NO_ROOM,
    REASONING_EFFORT_THINKING,
    REASONING_EFFORT_TOOLS,
    REASONING_EFFORT_UNSUPPORTED,
    REASONING_FOREIGN,
    REASONING_UNSIGNED,
    REPLY_ARGUMENTS,
    REPLY_FINISH_REASON,
    REPLY_REASONING,
    REPLY_REASONING_UNSIGNED,
    REPLY_SERVICE_TIER,
    REPLY_TOOL_USE,
    REPLY_USAGE_CACHED,
    REPLY_USAGE_MISSING,
    RESPONSE_FORMAT_CLOSED,
    RESPONSE_FORMAT_CONFLICT,
    RESPONSE_FORMAT_DESCRIPTION,
    RESPONSE_FORMAT_JSON_OBJECT,
    RESPONSE_FORMAT_NAME,
    RESPONSE_FORMAT_STRICT,
    RESPONSE_FORMAT_TOOL,
    RESPONSE_FORMAT_UNSUPPORTED,
    ROLE_UNKNOWN,
    SAMPLING_BOTH,
    SAMPLING_THINKING,
    SAMPLING_UNSUPPORTED,
    SERVICE_TIER,
    STOP_BLANK,
    STOP_TOO_MANY,
    STOP_UNSUPPORTED,
    STREAM_OPTIONS,
    SYSTEM_ALONE,
    SYSTEM_LATER,
    SYSTEM_MOVED,
    SYSTEM_PART,
    SYSTEM_TOP_LEVEL,
    TEMPERATURE_ABOVE_ONE,
    TEXT_BLANK,
    TOOLS_CALLED,
    TOOLS_UNSUPPORTED,
    TOOL_CALL_ID,
    TOOL_CALL_NAME,
    TOOL_CHOICE_ALLOWED,
    TOOL_CHOICE_THINKING,
    TOOL_CHOICE_UNKNOWN,
    TOOL_CHOICE_WITHOUT_TOOLS,
    TOOL_CUSTOM,
    TOOL_CUSTOM_CALL,
    TOOL_HINT,
    TOOL_NAME,
    TOOL_RESULT_LATE,
    TOOL_STRICT,
    TOOL_STRICT_LIMIT,
    TOOL_STRICT_SCHEMA,
    TURNS_MERGED,
    USER_TWICE,
)
