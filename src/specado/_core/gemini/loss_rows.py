"""Ids of the loss rows that the Gemini dialect reports, checked against the table of rows.

The encoder and the decoder import them by name, so that a wrong name is an error of the build.
"""

from __future__ import annotations

FILE_ID = "file.id"
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
INPUT_AUDIO = "input.audio"
INPUT_DOCUMENT = "input.document"
INPUT_IMAGE = "input.image"
LOGPROBS_MODEL = "logprobs.model"
MAX_TOKENS_ABOVE_LIMIT = "max_tokens.above_limit"
MESSAGES_BLANK = "messages.blank"
PARAM_UNKNOWN = "param.unknown"
PENALTY_UNSUPPORTED = "penalty.unsupported"
REASONING_EFFORT_LEVEL = "reasoning_effort.level"
REASONING_EFFORT_THINKING = "reasoning_effort.thinking"
REASONING_EFFORT_UNSUPPORTED = "reasoning_effort.unsupported"
REPLY_ANNOTATIONS = "reply.annotations"
REPLY_ARGUMENTS = "reply.arguments"
REPLY_AUDIO = "reply.audio"
REPLY_CONTENT_PART = "reply.content_part"
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
RESPONSE_FORMAT_CONFLICT = "response_format.conflict"
RESPONSE_FORMAT_UNSUPPORTED = "response_format.unsupported"
SAMPLING_UNSUPPORTED = "sampling.unsupported"
SERVICE_TIER = "service_tier"
STOP_TOO_MANY = "stop.too_many"
STOP_UNSUPPORTED = "stop.unsupported"
SYSTEM_PART = "system.part"
TOOL_CHOICE_WITHOUT_TOOLS = "tool_choice.without_tools"
TOOL_STRICT = "tool.strict"
WEB_SEARCH_MODEL = "web_search.model"

ROW_IDS: tuple[str, ...] = (
    FILE_ID,
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
    INPUT_AUDIO,
    INPUT_DOCUMENT,
    INPUT_IMAGE,
    LOGPROBS_MODEL,
    MAX_TOKENS_ABOVE_LIMIT,
    MESSAGES_BLANK,
    PARAM_UNKNOWN,
    PENALTY_UNSUPPORTED,
    REASONING_EFFORT_LEVEL,
    REASONING_EFFORT_THINKING,
    REASONING_EFFORT_UNSUPPORTED,
    REPLY_ANNOTATIONS,
    REPLY_ARGUMENTS,
    REPLY_AUDIO,
    REPLY_CONTENT_PART,
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
    RESPONSE_FORMAT_CONFLICT,
    RESPONSE_FORMAT_UNSUPPORTED,
    SAMPLING_UNSUPPORTED,
    SERVICE_TIER,
    STOP_TOO_MANY,
    STOP_UNSUPPORTED,
    SYSTEM_PART,
    TOOL_CHOICE_WITHOUT_TOOLS,
    TOOL_STRICT,
    WEB_SEARCH_MODEL,
)
