"""Exports of the dialects' folders: a folder is imported when a name of it is first used.

A program that asks one provider needs one dialect; all of them together take longer to import than
the rest of the package.
"""

from __future__ import annotations

__all__ = ["EXPORTS", "FOLDERS"]

# The module and the name there of each exported name.
EXPORTS: dict[str, tuple[str, str]] = {
    "AnthropicRequestRules": ("anthropic_messages.request_rules", "RequestRules"),
    "AnthropicStream": ("anthropic_messages.decode_stream", "AnthropicStream"),
    "AnthropicStreamEncoder": ("anthropic_messages.encode_reply", "AnthropicStreamEncoder"),
    "BedrockStream": ("bedrock_converse.decode_stream", "BedrockStream"),
    "BedrockStreamEncoder": ("bedrock_converse.encode_reply", "BedrockStreamEncoder"),
    "GeminiStream": ("gemini.decode_stream", "GeminiStream"),
    "GeminiStreamEncoder": ("gemini.encode_reply", "GeminiStreamEncoder"),
    "OpenAIStream": ("openai_chat.decode_stream", "OpenAIStream"),
    "OpenAIStreamEncoder": ("openai_chat.encode_reply", "OpenAIStreamEncoder"),
    "ResponsesStream": ("openai_responses.decode_stream", "ResponsesStream"),
    "ResponsesStreamEncoder": ("openai_responses.encode_reply", "ResponsesStreamEncoder"),
    "decode_anthropic_reply": ("anthropic_messages.decode_reply", "decode_reply"),
    "decode_bedrock_reply": ("bedrock_converse.decode_reply", "decode_reply"),
    "decode_gemini_reply": ("gemini.decode_reply", "decode_reply"),
    "decode_openai_reply": ("openai_chat.decode_reply", "decode_reply"),
    "decode_responses_reply": ("openai_responses.decode_reply", "decode_reply"),
    "encode_anthropic_reply": ("anthropic_messages.encode_reply", "encode_reply"),
    "encode_anthropic_request": ("anthropic_messages.encode_request", "encode_request"),
    "encode_bedrock_reply": ("bedrock_converse.encode_reply", "encode_reply"),
    "encode_bedrock_request": ("bedrock_converse.encode_request", "encode_request"),
    "encode_gemini_reply": ("gemini.encode_reply", "encode_reply"),
    "encode_gemini_request": ("gemini.encode_request", "encode_request"),
    "encode_openai_reply": ("openai_chat.encode_reply", "encode_reply"),
    "encode_openai_request": ("openai_chat.encode_request", "encode_request"),
    "encode_responses_reply": ("openai_responses.encode_reply", "encode_reply"),
    "encode_responses_request": ("openai_responses.encode_request", "encode_request"),
    "media_type_of": ("anthropic_messages.request_rules", "media_type_of"),
    "places_of_roles": ("anthropic_messages.request_rules", "places_of_roles"),
    "read_anthropic_request": ("anthropic_messages.decode_request", "read_request"),
    "read_bedrock_request": ("bedrock_converse.decode_request", "read_request"),
    "read_gemini_request": ("gemini.decode_request", "read_request"),
    "read_messages": ("openai_chat.decode_request", "read_messages"),
    "read_responses_request": ("openai_responses.decode_request", "read_request"),
    "user_to_send": ("anthropic_messages.request_rules", "user_to_send"),
}

FOLDERS = frozenset(module.partition(".")[0] for module, _ in EXPORTS.values())
