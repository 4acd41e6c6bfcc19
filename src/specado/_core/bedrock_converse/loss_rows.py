"""Ids of the loss rows that the Bedrock dialect reports, checked against the table of rows.

The encoder and the decoder import them by name, so that a wrong name is an error of the build.
"""

from __future__ import annotations

ASSISTANT_AUDIO = "assistant.audio"
ASSISTANT_LAST = "assistant.last"
ASSISTANT_REFUSAL = "assistant.refusal"
ASSISTANT_TRAILING_SPACE = "assistant.trailing_space"
AUDIO_CONTAINER = "audio.container"
AUDIO_OUTPUT = "audio.output"
BEDROCK_AUDIO_FORMAT = "bedrock.audio_format"
BEDROCK_BLOCK = "bedrock.block"
BEDROCK_BLOCK_ORDER = "bedrock.block_order"
BEDROCK_CACHE_POINT = "bedrock.cache_point"
BEDROCK_CACHE_POINT_ALONE = "bedrock.cache_point_alone"
BEDROCK_CITATIONS = "bedrock.citations"
BEDROCK_DOCUMENT_CONTEXT = "bedrock.document_context"
BEDROCK_DOCUMENT_TEXT = "bedrock.document_text"
BEDROCK_EFFORT_DISABLED = "bedrock.effort_disabled"
BEDROCK_EFFORT_TWICE = "bedrock.effort_twice"
BEDROCK_FORMAT_NAME = "bedrock.format_name"
BEDROCK_FORMAT_ROOT = "bedrock.format_root"
BEDROCK_FORMAT_STRICT = "bedrock.format_strict"
BEDROCK_GUARDRAIL = "bedrock.guardrail"
BEDROCK_GUARD_CONTENT = "bedrock.guard_content"
BEDROCK_MODEL_FIELD = "bedrock.model_field"
BEDROCK_PERFORMANCE = "bedrock.performance"
BEDROCK_PREFILL = "bedrock.prefill"
BEDROCK_PROJECT = "bedrock.project"
BEDROCK_PROMPT = "bedrock.prompt"
BEDROCK_RESPONSE_FIELDS = "bedrock.response_fields"
BEDROCK_RESULT_JSON = "bedrock.result_json"
BEDROCK_RESULT_MEDIA = "bedrock.result_media"
BEDROCK_RESULT_STATUS = "bedrock.result_status"
BEDROCK_S3 = "bedrock.s3"
BEDROCK_SEARCH_RESULT = "bedrock.search_result"
BEDROCK_SYSTEM_TOOL = "bedrock.system_tool"
BEDROCK_THINKING_ADAPTIVE = "bedrock.thinking_adaptive"
BEDROCK_THINKING_BUDGET = "bedrock.thinking_budget"
BEDROCK_TOOL_STRICT = "bedrock.tool_strict"
BEDROCK_TOP_K = "bedrock.top_k"
BEDROCK_VIDEO = "bedrock.video"
CACHE_CONTROL_BLANK = "cache_control.blank"
CACHE_CONTROL_MODEL = "cache_control.model"
CACHE_CONTROL_POINT = "cache_control.point"
CACHE_CONTROL_TWICE = "cache_control.twice"
CACHE_CONTROL_UNKNOWN = "cache_control.unknown"
CONTENT_STAND_IN = "content.stand_in"
DOCUMENT_FORMAT = "document.format"
DOCUMENT_NAME = "document.name"
DOCUMENT_TEXT = "document.text"
FILE_ID = "file.id"
FILE_ID_BESIDE_DATA = "file.id_beside_data"
FILE_NAME = "file.name"
FILE_TEXT = "file.text"
FUNCTIONS = "functions"
IMAGE_DETAIL = "image.detail"
IMAGE_MEDIA_TYPE = "image.media_type"
INPUT_AUDIO = "input.audio"
INPUT_DOCUMENT = "input.document"
INPUT_IMAGE = "input.image"
INPUT_VIDEO = "input.video"
MAX_TOKENS_ABOVE_LIMIT = "max_tokens.above_limit"
MAX_TOKENS_DEFAULT = "max_tokens.default"
MAX_TOKENS_TWICE = "max_tokens.twice"
MEDIA_MOVED = "media.moved"
MEDIA_TYPE_CORRECTED = "media_type.corrected"
MEDIA_URI_UNSUPPORTED = "media.uri_unsupported"
MESSAGES_BLANK = "messages.blank"
MESSAGE_ANNOTATIONS = "message.annotations"
MESSAGE_NAME = "message.name"
MESSAGE_UNKNOWN_KEY = "message.unknown_key"
METADATA_FORM = "metadata.form"
PARALLEL_TOOL_CALLS_MANY = "parallel_tool_calls.many"
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
REASONING_ENDPOINT = "reasoning.endpoint"
REASONING_FOREIGN = "reasoning.foreign"
REASONING_UNSIGNED = "reasoning.unsigned"
REPLY_ARGUMENTS = "reply.arguments"
REPLY_FINISH_REASON = "reply.finish_reason"
REPLY_ID = "reply.id"
REPLY_MODEL = "reply.model"
REPLY_REASONING = "reply.reasoning"
REPLY_SERVICE_TIER = "reply.service_tier"
REPLY_TOOL_USE = "reply.tool_use"
REPLY_USAGE_CACHED = "reply.usage_cached"
REPLY_USAGE_MISSING = "reply.usage_missing"
RESPONSE_FORMAT_CLOSED = "response_format.closed"
RESPONSE_FORMAT_CONFLICT = "response_format.conflict"
RESPONSE_FORMAT_JSON_OBJECT = "response_format.json_object"
RESPONSE_FORMAT_STRICT = "response_format.strict"
RESPONSE_FORMAT_TOOL = "response_format.tool"
RESPONSE_FORMAT_UNSUPPORTED = "response_format.unsupported"
ROLE_UNKNOWN = "role.unknown"
SAMPLING_BOTH = "sampling.both"
SAMPLING_THINKING = "sampling.thinking"
SAMPLING_UNSUPPORTED = "sampling.unsupported"
SERVICE_TIER = "service_tier"
STOP_BLANK = "stop.blank"
STOP_MODEL_MOST = "stop.model_most"
STOP_TOO_MANY = "stop.too_many"
STOP_UNSUPPORTED = "stop.unsupported"
STREAM_OPTIONS = "stream_options"
SYSTEM_ALONE = "system.alone"
SYSTEM_LATER = "system.later"
SYSTEM_PART = "system.part"
SYSTEM_TOP_LEVEL = "system.top_level"
TEMPERATURE_ABOVE_ONE = "temperature.above_one"
TEXT_BLANK = "text.blank"
TOOLS_DECLARED = "tools.declared"
TOOLS_UNSUPPORTED = "tools.unsupported"
TOOLS_WITHHELD = "tools.withheld"
TOOL_CALL_ID = "tool_call.id"
TOOL_CALL_NAME = "tool_call.name"
TOOL_CHOICE_ALLOWED = "tool_choice.allowed"
TOOL_CHOICE_MODEL = "tool_choice.model"
TOOL_CHOICE_NONE = "tool_choice.none"
TOOL_CHOICE_THINKING = "tool_choice.thinking"
TOOL_CHOICE_UNKNOWN = "tool_choice.unknown"
TOOL_CHOICE_WITHOUT_TOOLS = "tool_choice.without_tools"
TOOL_CUSTOM = "tool.custom"
TOOL_CUSTOM_CALL = "tool.custom_call"
TOOL_NAME = "tool.name"
TOOL_RESULT_ALONE = "tool.result_alone"
TOOL_RESULT_LATE = "tool.result_late"
TOOL_RESULT_MISSING = "tool.result_missing"
TOOL_RESULT_TWICE = "tool.result_twice"
TOOL_STRICT = "tool.strict"
TOOL_STRICT_LIMIT = "tool.strict_limit"
TOOL_STRICT_SCHEMA = "tool.strict_schema"
TURNS_MERGED = "turns.merged"
WEB_SEARCH_GROUNDING = "web_search.grounding"
WEB_SEARCH_MODEL = "web_search.model"

ROW_IDS = (
    ASSISTANT_AUDIO,
    ASSISTANT_LAST,
    ASSISTANT_REFUSAL,
    ASSISTANT_TRAILING_SPACE,
    AUDIO_CONTAINER,
    AUDIO_OUTPUT,
    BEDROCK_AUDIO_FORMAT,
    BEDROCK_BLOCK,
    BEDROCK_BLOCK_ORDER,
    BEDROCK_CACHE_POINT,
    BEDROCK_CACHE_POINT_ALONE,
    BEDROCK_CITATIONS,
    BEDROCK_DOCUMENT_CONTEXT,
    BEDROCK_DOCUMENT_TEXT,
    BEDROCK_EFFORT_DISABLED,
    BEDROCK_EFFORT_TWICE,
    BEDROCK_FORMAT_NAME,
    BEDROCK_FORMAT_ROOT,
    BEDROCK_FORMAT_STRICT,
    BEDROCK_GUARDRAIL,
    BEDROCK_GUARD_CONTENT,
    BEDROCK_MODEL_FIELD,
    BEDROCK_PERFORMANCE,
    BEDROCK_PREFILL,
    BEDROCK_PROJECT,
    BEDROCK_PROMPT,
    BEDROCK_RESPONSE_FIELDS,
    BEDROCK_RESULT_JSON,
    BEDROCK_RESULT_MEDIA,
    BEDROCK_RESULT_STATUS,
    BEDROCK_S3,
    BEDROCK_SEARCH_RESULT,
    BEDROCK_SYSTEM_TOOL,
    BEDROCK_THINKING_ADAPTIVE,
    BEDROCK_THINKING_BUDGET,
    BEDROCK_TOOL_STRICT,
    BEDROCK_TOP_K,
    BEDROCK_VIDEO,
    CACHE_CONTROL_BLANK,
    CACHE_CONTROL_MODEL,
    CACHE_CONTROL_POINT,
    CACHE_CONTROL_TWICE,
    CACHE_CONTROL_UNKNOWN,
    CONTENT_STAND_IN,
    DOCUMENT_FORMAT,
    DOCUMENT_NAME,
    DOCUMENT_TEXT,
    FILE_ID,
    FILE_ID_BESIDE_DATA,
    FILE_NAME,
    FILE_TEXT,
    FUNCTIONS,
    IMAGE_DETAIL,
    IMAGE_MEDIA_TYPE,
    INPUT_AUDIO,
    INPUT_DOCUMENT,
    INPUT_IMAGE,
    INPUT_VIDEO,
    MAX_TOKENS_ABOVE_LIMIT,
    MAX_TOKENS_DEFAULT,
    MAX_TOKENS_TWICE,
    MEDIA_MOVED,
    MEDIA_TYPE_CORRECTED,
    MEDIA_URI_UNSUPPORTED,
    MESSAGES_BLANK,
    MESSAGE_ANNOTATIONS,
    MESSAGE_NAME,
    MESSAGE_UNKNOWN_KEY,
    METADATA_FORM,
    PARALLEL_TOOL_CALLS_MANY,
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
    REASONING_ENDPOINT,
    REASONING_FOREIGN,
    REASONING_UNSIGNED,
    REPLY_ARGUMENTS,
    REPLY_FINISH_REASON,
    REPLY_ID,
    REPLY_MODEL,
    REPLY_REASONING,
    REPLY_SERVICE_TIER,
    REPLY_TOOL_USE,
    REPLY_USAGE_CACHED,
    REPLY_USAGE_MISSING,
    RESPONSE_FORMAT_CLOSED,
    RESPONSE_FORMAT_CONFLICT,
    RESPONSE_FORMAT_JSON_OBJECT,
    RESPONSE_FORMAT_STRICT,
    RESPONSE_FORMAT_TOOL,
    RESPONSE_FORMAT_UNSUPPORTED,
    ROLE_UNKNOWN,
    SAMPLING_BOTH,
    SAMPLING_THINKING,
    SAMPLING_UNSUPPORTED,
    SERVICE_TIER,
    STOP_BLANK,
    STOP_MODEL_MOST,
    STOP_TOO_MANY,
    STOP_UNSUPPORTED,
    STREAM_OPTIONS,
    SYSTEM_ALONE,
    SYSTEM_LATER,
    SYSTEM_PART,
    SYSTEM_TOP_LEVEL,
    TEMPERATURE_ABOVE_ONE,
    TEXT_BLANK,
    TOOLS_DECLARED,
    TOOLS_UNSUPPORTED,
    TOOLS_WITHHELD,
    TOOL_CALL_ID,
    TOOL_CALL_NAME,
    TOOL_CHOICE_ALLOWED,
    TOOL_CHOICE_MODEL,
    TOOL_CHOICE_NONE,
    TOOL_CHOICE_THINKING,
    TOOL_CHOICE_UNKNOWN,
    TOOL_CHOICE_WITHOUT_TOOLS,
    TOOL_CUSTOM,
    TOOL_CUSTOM_CALL,
    TOOL_NAME,
    TOOL_RESULT_ALONE,
    TOOL_RESULT_LATE,
    TOOL_RESULT_MISSING,
    TOOL_RESULT_TWICE,
    TOOL_STRICT,
    TOOL_STRICT_LIMIT,
    TOOL_STRICT_SCHEMA,
    TURNS_MERGED,
    WEB_SEARCH_GROUNDING,
    WEB_SEARCH_MODEL,
)
