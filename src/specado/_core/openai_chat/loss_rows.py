"""Ids of the loss rows that the OpenAI chat encoder reports; `ROW_IDS` has all of them."""

ROLE_UNKNOWN = "role.unknown"
ROLE_SYSTEM_NAME = "role.system_name"
INPUT_IMAGE = "input.image"
INPUT_AUDIO = "input.audio"
INPUT_DOCUMENT = "input.document"
CACHE_CONTROL_OPENAI = "cache_control.openai"
REASONING_OPENAI = "reasoning.openai"
TOOLS_UNSUPPORTED = "tools.unsupported"
TOOLS_REASONING = "tools.reasoning"
TOOL_STRICT = "tool.strict"
TOOL_NAME = "tool.name"
TOOL_CALL_NAME = "tool_call.name"
TOOL_CALL_ID = "tool_call.id"
TOOL_CHOICE_THINKING = "tool_choice.thinking"
PARALLEL_TOOL_CALLS_UNSUPPORTED = "parallel_tool_calls.unsupported"
PARALLEL_TOOL_CALLS_NEVER = "parallel_tool_calls.never"
WEB_SEARCH_MODEL = "web_search.model"
RESPONSE_FORMAT_UNSUPPORTED = "response_format.unsupported"
MAX_TOKENS_ABOVE_LIMIT = "max_tokens.above_limit"
MAX_TOKENS_RENAMED = "max_tokens.renamed"
MAX_TOKENS_TWICE = "max_tokens.twice"
SAMPLING_UNSUPPORTED = "sampling.unsupported"
SAMPLING_THINKING = "sampling.thinking"
SAMPLING_BOTH = "sampling.both"
PENALTY_UNSUPPORTED = "penalty.unsupported"
LOGIT_BIAS_UNSUPPORTED = "logit_bias.unsupported"
STOP_TOO_MANY = "stop.too_many"
STOP_UNSUPPORTED = "stop.unsupported"
LOGPROBS_MODEL = "logprobs.model"
LOGPROBS_THINKING = "logprobs.thinking"
REASONING_EFFORT_LEVEL = "reasoning_effort.level"
REASONING_EFFORT_NONE = "reasoning_effort.none"
REASONING_EFFORT_UNSUPPORTED = "reasoning_effort.unsupported"
REASONING_EFFORT_OFF = "reasoning_effort.off"
REASONING_EFFORT_TOOLS = "reasoning_effort.tools"
AUDIO_OUTPUT = "audio.output"

ROW_IDS = (
    ROLE_UNKNOWN,
    ROLE_SYSTEM_NAME,
    INPUT_IMAGE,
    INPUT_AUDIO,
    INPUT_DOCUMENT,
    CACHE_CONTROL_OPENAI,
    REASONING_OPENAI,
    TOOLS_UNSUPPORTED,
    TOOLS_REASONING,
    TOOL_STRICT,
    TOOL_NAME,
    TOOL_CALL_NAME,
    TOOL_CALL_ID,
    TOOL_CHOICE_THINKING,
    PARALLEL_TOOL_CALLS_UNSUPPORTED,
    PARALLEL_TOOL_CALLS_NEVER,
    WEB_SEARCH_MODEL,
    RESPONSE_FORMAT_UNSUPPORTED,
    MAX_TOKENS_ABOVE_LIMIT,
    MAX_TOKENS_RENAMED,
    MAX_TOKENS_TWICE,
    SAMPLING_UNSUPPORTED,
    SAMPLING_THINKING,
    SAMPLING_BOTH,
    PENALTY_UNSUPPORTED,
    LOGIT_BIAS_UNSUPPORTED,
    STOP_TOO_MANY,
    STOP_UNSUPPORTED,
    LOGPROBS_MODEL,
    LOGPROBS_THINKING,
    REASONING_EFFORT_LEVEL,
    REASONING_EFFORT_NONE,
    REASONING_EFFORT_UNSUPPORTED,
    REASONING_EFFORT_OFF,
    REASONING_EFFORT_TOOLS,
    AUDIO_OUTPUT,
)
