"""Ids of the loss rows that the decoder of requests and the encoder of replies report."""

from __future__ import annotations

CONVERSATION_STORED = "conversation.stored"
FILE_ID = "file.id"
MESSAGES_BLANK = "messages.blank"
MESSAGE_ANNOTATIONS = "message.annotations"
PARAM_UNKNOWN = "param.unknown"
REPLY_ANNOTATIONS = "reply.annotations"
REPLY_AUDIO = "reply.audio"
REPLY_CHOICES = "reply.choices"
REPLY_FINGERPRINT = "reply.fingerprint"
REPLY_FINISH_REASON = "reply.finish_reason"
REPLY_LOGPROBS = "reply.logprobs"
REPLY_REASONING = "reply.reasoning"
REPLY_REASONING_CARRIED = "reply.reasoning_carried"
REPLY_REASONING_MODEL = "reply.reasoning_model"
REPLY_ROLE = "reply.role"
REPLY_SERVICE_TIER = "reply.service_tier"
REPLY_TOOL_CALL_PIECE = "reply.tool_call_piece"
REPLY_TOOL_USE = "reply.tool_use"
REPLY_USAGE = "reply.usage"
RESPONSES_CALL_OPTION = "responses.call_option"
RESPONSES_FILE_URL = "responses.file_url"
RESPONSES_INCLUDE = "responses.include"
RESPONSES_ITEM_FACTS = "responses.item_facts"
RESPONSES_ITEM_ORDER = "responses.item_order"
RESPONSES_PHASE = "responses.phase"
RESPONSES_PROMPT_CACHE = "responses.prompt_cache"
RESPONSES_REASONING_OPTION = "responses.reasoning_option"
RESPONSES_SERVER_ITEM = "responses.server_item"
RESPONSES_SERVER_TOOL = "responses.server_tool"
RESPONSES_TOOL_LOOSE = "responses.tool_loose"
RESPONSES_TOOL_OPTION = "responses.tool_option"
RESPONSES_TOOL_STRICT = "responses.tool_strict"
RESPONSES_WEB_SEARCH = "responses.web_search"
RESPONSES_WEB_SEARCH_OPTION = "responses.web_search_option"
TOOL_CHOICE_UNKNOWN = "tool_choice.unknown"
TOOL_CHOICE_WITHOUT_TOOLS = "tool_choice.without_tools"

ROW_IDS = (
    CONVERSATION_STORED,
    FILE_ID,
    MESSAGES_BLANK,
    MESSAGE_ANNOTATIONS,
    PARAM_UNKNOWN,
    REPLY_ANNOTATIONS,
    REPLY_AUDIO,
    REPLY_CHOICES,
    REPLY_FINGERPRINT,
    REPLY_FINISH_REASON,
    REPLY_LOGPROBS,
    REPLY_REASONING,
    REPLY_REASONING_CARRIED,
    REPLY_REASONING_MODEL,
    REPLY_ROLE,
    REPLY_SERVICE_TIER,
    REPLY_TOOL_CALL_PIECE,
    REPLY_TOOL_USE,
    REPLY_USAGE,
    RESPONSES_CALL_OPTION,
    RESPONSES_FILE_URL,
    RESPONSES_INCLUDE,
    RESPONSES_ITEM_FACTS,
    RESPONSES_ITEM_ORDER,
    RESPONSES_PHASE,
    RESPONSES_PROMPT_CACHE,
    RESPONSES_REASONING_OPTION,
    RESPONSES_SERVER_ITEM,
    RESPONSES_SERVER_TOOL,
    RESPONSES_TOOL_LOOSE,
    RESPONSES_TOOL_OPTION,
    RESPONSES_TOOL_STRICT,
    RESPONSES_WEB_SEARCH,
    RESPONSES_WEB_SEARCH_OPTION,
    TOOL_CHOICE_UNKNOWN,
    TOOL_CHOICE_WITHOUT_TOOLS,
)
