"""Ids of the loss rows that the Gemini dialect reports, checked against the table of rows.

The encoder and the decoder import them by name, so that a wrong name is an error of the build.
"""

from __future__ import annotations

ASSISTANT_AUDIO = "assistant.audio"
ASSISTANT_LAST = "assistant.last"
ASSISTANT_REFUSAL = "assistant.refusal"
AUDIO_FORMAT = "audio.format"
AUDIO_OUTPUT = "audio.output"
CACHE_CONTROL_OPENAI = "cache_control.openai"
CONTENT_JOINED = "content.joined"
FILE_ID = "file.id"
FILE_ID_BESIDE_DATA = "file.id_beside_data"
FILE_MEDIA_TYPE = "file.media_type"
FILE_UNNAMED = "file.unnamed"
FILE_TEXT = "file.text"
FUNCTIONS = "functions"
GEMINI_AUDIO_FORMAT = "gemini.audio_format"
GEMINI_CALL_ID = "gemini.call_id"
GEMINI_CALL_ORDER = "gemini.call_order"
GEMINI_FILE_NAME = "gemini.file_name"
GEMINI_FILE_URI = "gemini.file_uri"
GEMINI_FORMAT_NAME = "gemini.format_name"
GEMINI_FORMAT_ROOT = "gemini.format_root"
GEMINI_FORMAT_STRICT = "gemini.format_strict"
GEMINI_INCLUDE_THOUGHTS = "gemini.include_thoughts"
GEMINI_MEDIA_RESOLUTION = "gemini.media_resolution"
GEMINI_MODALITIES = "gemini.modalities"
GEMINI_MODEL_MEDIA = "gemini.model_media"
GEMINI_PART_OPTION = "gemini.part_option"
GEMINI_RESULT = "gemini.result"
GEMINI_RESULT_MEDIA = "gemini.result_media"
GEMINI_SCHEMA = "gemini.schema"
GEMINI_SEARCH_OPTION = "gemini.search_option"
GEMINI_SERVER_PART = "gemini.server_part"
GEMINI_SERVER_TOOL = "gemini.server_tool"
GEMINI_THINKING_BUDGET = "gemini.thinking_budget"
GEMINI_TOOL_OPTION = "gemini.tool_option"
GEMINI_TOOL_STRICT = "gemini.tool_strict"
GEMINI_VALIDATED = "gemini.validated"
GEMINI_VIDEO = "gemini.video"
IMAGE_DETAIL = "image.detail"
IMAGE_FORMAT = "image.format"
IMAGE_HTTP = "image.http"
IMAGE_RESOLUTION = "image.resolution"
INPUT_AUDIO = "input.audio"
INPUT_DOCUMENT = "input.document"
INPUT_IMAGE = "input.image"
INPUT_VIDEO = "input.video"
LOGPROBS_MODEL = "logprobs.model"
MAX_TOKENS_ABOVE_LIMIT = "max_tokens.above_limit"
MAX_TOKENS_TWICE = "max_tokens.twice"
MEDIA_MOVED = "media.moved"
MEDIA_TYPE_CORRECTED = "media_type.corrected"
MEDIA_URI = "media.uri"
MEDIA_URI_TYPE = "media.uri_type"
MEDIA_URI_UNSUPPORTED = "media.uri_unsupported"
MESSAGES_BLANK = "messages.blank"
MESSAGE_ANNOTATIONS = "message.annotations"
MESSAGE_NAME = "message.name"
MESSAGE_UNKNOWN_KEY = "message.unknown_key"
MODEL_ASSUMED = "model.assumed"
N_LIMIT = "n.limit"
PARALLEL_TOOL_CALLS_MANY = "parallel_tool_calls.many"
PARALLEL_TOOL_CALLS_NEVER = "parallel_tool_calls.never"
PARAM_UNKNOWN = "param.unknown"
PART_UNKNOWN_KEY = "part.unknown_key"
PENALTY_UNSUPPORTED = "penalty.unsupported"
PROMPT_CACHE_IMPLICIT = "prompt_cache.implicit"
REASONING_EFFORT_LEVEL = "reasoning_effort.level"
REASONING_EFFORT_NONE = "reasoning_effort.none"
REASONING_EFFORT_THINKING = "reasoning_effort.thinking"
REASONING_EFFORT_UNSUPPORTED = "reasoning_effort.unsupported"
REASONING_ENDPOINT = "reasoning.endpoint"
REASONING_FOREIGN = "reasoning.foreign"
REASONING_STAND_IN = "reasoning.stand_in"
REASONING_UNSIGNED = "reasoning.unsigned"
REPLY_ANNOTATIONS = "reply.annotations"
REPLY_ARGUMENTS = "reply.arguments"
REPLY_AUDIO = "reply.audio"
REPLY_CUSTOM_CALL = "reply.custom_call"
REPLY_FINGERPRINT = "reply.fingerprint"
REPLY_FINISH_REASON = "reply.finish_reason"
REPLY_LOGPROBS = "reply.logprobs"
REPLY_REASONING = "reply.reasoning"
REPLY_REASONING_BLOCK = "reply.reasoning_block"
REPLY_REASONING_MODEL = "reply.reasoning_model"
REPLY_REFUSAL = "reply.refusal"
REPLY_ROLE = "reply.role"
REPLY_SERVICE_TIER = "reply.service_tier"
REPLY_TOOL_USE = "reply.tool_use"
REPLY_USAGE = "reply.usage"
RESPONSE_FORMAT_CLOSED = "response_format.closed"
RESPONSE_FORMAT_CONFLICT = "response_format.conflict"
RESPONSE_FORMAT_STRICT = "response_format.strict"
RESPONSE_FORMAT_TITLED = "response_format.titled"
RESPONSE_FORMAT_UNSUPPORTED = "response_format.unsupported"
ROLE_UNKNOWN = "role.unknown"
SAMPLING_UNSUPPORTED = "sampling.unsupported"
SERVICE_TIER = "service_tier"
STOP_BLANK = "stop.blank"
STOP_MOST = "stop.most"
STOP_TOO_MANY = "stop.too_many"
STOP_UNSUPPORTED = "stop.unsupported"
STREAM_OPTIONS = "stream_options"
SYSTEM_ALONE = "system.alone"
SYSTEM_INSTRUCTION = "system.instruction"
SYSTEM_LATER = "system.later"
SYSTEM_PART = "system.part"
TEXT_BLANK = "text.blank"
TOOLS_UNSUPPORTED = "tools.unsupported"
TOOL_ANNOTATION = "tool.annotation"
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
TOOL_RESULT_MISSING = "tool.result_missing"
TOOL_RESULT_TWICE = "tool.result_twice"
TOOL_SCHEMA = "tool.schema"
TOOL_STRICT = "tool.strict"
TOOL_STRICT_ALL = "tool.strict_all"
TOOL_STRICT_MODE = "tool.strict_mode"
TURNS_MERGED = "turns.merged"
WEB_SEARCH_GOOGLE = "web_search.google"
WEB_SEARCH_MODEL = "web_search.model"
WEB_SEARCH_TOOLS = "web_search.tools"

ROW_IDS = (
    ASSISTANT_AUDIO,
    ASSISTANT_LAST,
    ASSISTANT_REFUSAL,
    AUDIO_FORMAT,
    AUDIO_OUTPUT,
    CACHE_CONTROL_OPENAI,
    CONTENT_JOINED,
    FILE_ID,
    FILE_ID_BESIDE_DATA,
    FILE_MEDIA_TYPE,
    FILE_UNNAMED,
    FILE_TEXT,
    FUNCTIONS,
    GEMINI_AUDIO_FORMAT,
    GEMINI_CALL_ID,
    GEMINI_CALL_ORDER,
    GEMINI_FILE_NAME,
    GEMINI_FILE_URI,
    GEMINI_FORMAT_NAME,
    GEMINI_FORMAT_ROOT,
    GEMINI_FORMAT_STRICT,
    GEMINI_INCLUDE_THOUGHTS,
    GEMINI_MEDIA_RESOLUTION,
    GEMINI_MODALITIES,
    GEMINI_MODEL_MEDIA,
    GEMINI_PART_OPTION,
    GEMINI_RESULT,
    GEMINI_RESULT_MEDIA,
    GEMINI_SCHEMA,
    GEMINI_SEARCH_OPTION,
    GEMINI_SERVER_PART,
    GEMINI_SERVER_TOOL,
    GEMINI_THINKING_BUDGET,
    GEMINI_TOOL_OPTION,
    GEMINI_TOOL_STRICT,
    GEMINI_VALIDATED,
    GEMINI_VIDEO,
    IMAGE_DETAIL,
    IMAGE_FORMAT,
    IMAGE_HTTP,
    IMAGE_RESOLUTION,
    INPUT_AUDIO,
    INPUT_DOCUMENT,
    INPUT_IMAGE,
    INPUT_VIDEO,
    LOGPROBS_MODEL,
    MAX_TOKENS_ABOVE_LIMIT,
    MAX_TOKENS_TWICE,
    MEDIA_MOVED,
    MEDIA_TYPE_CORRECTED,
    MEDIA_URI,
    MEDIA_URI_TYPE,
    MEDIA_URI_UNSUPPORTED,
    MESSAGES_BLANK,
    MESSAGE_ANNOTATIONS,
    MESSAGE_NAME,
    MESSAGE_UNKNOWN_KEY,
    MODEL_ASSUMED,
    N_LIMIT,
    PARALLEL_TOOL_CALLS_MANY,
    PARALLEL_TOOL_CALLS_NEVER,
    PARAM_UNKNOWN,
    PART_UNKNOWN_KEY,
    PENALTY_UNSUPPORTED,
    PROMPT_CACHE_IMPLICIT,
    REASONING_EFFORT_LEVEL,
    REASONING_EFFORT_NONE,
    REASONING_EFFORT_THINKING,
    REASONING_EFFORT_UNSUPPORTED,
    REASONING_ENDPOINT,
    REASONING_FOREIGN,
    REASONING_STAND_IN,
    REASONING_UNSIGNED,
    REPLY_ANNOTATIONS,
    REPLY_ARGUMENTS,
    REPLY_AUDIO,
    REPLY_CUSTOM_CALL,
    REPLY_FINGERPRINT,
    REPLY_FINISH_REASON,
    REPLY_LOGPROBS,
    REPLY_REASONING,
    REPLY_REASONING_BLOCK,
    REPLY_REASONING_MODEL,
    REPLY_REFUSAL,
    REPLY_ROLE,
    REPLY_SERVICE_TIER,
    REPLY_TOOL_USE,
    REPLY_USAGE,
    RESPONSE_FORMAT_CLOSED,
    RESPONSE_FORMAT_CONFLICT,
    RESPONSE_FORMAT_STRICT,
    RESPONSE_FORMAT_TITLED,
    RESPONSE_FORMAT_UNSUPPORTED,
    ROLE_UNKNOWN,
    SAMPLING_UNSUPPORTED,
    SERVICE_TIER,
    STOP_BLANK,
    STOP_MOST,
    STOP_TOO_MANY,
    STOP_UNSUPPORTED,
    STREAM_OPTIONS,
    SYSTEM_ALONE,
    SYSTEM_INSTRUCTION,
    SYSTEM_LATER,
    SYSTEM_PART,
    TEXT_BLANK,
    TOOLS_UNSUPPORTED,
    TOOL_ANNOTATION,
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
    TOOL_RESULT_MISSING,
    TOOL_RESULT_TWICE,
    TOOL_SCHEMA,
    TOOL_STRICT,
    TOOL_STRICT_ALL,
    TOOL_STRICT_MODE,
    TURNS_MERGED,
    WEB_SEARCH_GOOGLE,
    WEB_SEARCH_MODEL,
    WEB_SEARCH_TOOLS,
)
