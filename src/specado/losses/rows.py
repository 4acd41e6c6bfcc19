"""Table of loss rows: id, code, kind, severity and message of each possible loss.

`kind` is *contract* (the answer's correctness depends on it) or *tuning* (it only tunes the
answer). Severity `None` is a note: expressed differently, with the same meaning.

Sources of the rows, read 2026-11-22: the types that openai 3.54 and anthropic 0.125.0 ship, and
the providers' API references.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ROWS", "Row", "check_row_ids"]


class Row(msgspec.Struct, frozen=True):
    """One possible loss of a translation."""

    code: str
    kind: str
    severity: str
    message: str


ROWS: dict[str, Row] = {
    # Messages and roles.
    "system.top_level": Row("Relocate", "tuning", "None", "leading system text goes to `system`"),
    "system.later": Row("Relocate", "tuning", "Low", "a later system message becomes user text"),
    "system.moved": Row(
        "Relocate", "tuning", "Low", "moved to the next place where the API takes system messages"
    ),
    "system.alone": Row(
        "Relocate", "tuning", "Low", "system text without a conversation becomes the user turn"
    ),
    "system.part": Row("Unsupported", "contract", "High", "system content takes text only"),
    "role.unknown": Row("Relocate", "tuning", "Medium", "an unknown role becomes a user turn"),
    "role.system_name": Row("Relocate", "tuning", "None", "the model's name for the system role"),
    "turns.merged": Row(
        "Relocate", "tuning", "None", "consecutive messages of one role become one turn"
    ),
    "messages.blank": Row("Unsupported", "contract", "High", "the conversation has no text"),
    "message.name": Row("Drop", "tuning", "Low", "messages carry no author's name"),
    "message.annotations": Row("Drop", "tuning", "None", "an answer's citations are not sent back"),
    "message.unknown_key": Row("Drop", "contract", "Medium", "the API does not know the key"),
    "text.blank": Row("Drop", "tuning", "None", "blank text is refused, so it is removed"),
    "assistant.last": Row(
        "Unsupported", "contract", "High", "the model takes no assistant message at the end"
    ),
    "assistant.trailing_space": Row(
        "Drop", "tuning", "None", "white space at the end of the last assistant text is refused"
    ),
    "assistant.refusal": Row("Relocate", "tuning", "None", "a refusal becomes plain text"),
    "assistant.audio": Row(
        "Unsupported", "contract", "High", "an audio answer cannot be sent back"
    ),
    # Content parts.
    "content.joined": Row(
        "Relocate", "tuning", "None", "the server takes text only: the parts become one text"
    ),
    "part.unknown_key": Row("Drop", "contract", "Medium", "the key is not known there"),
    "input.image": Row("Unsupported", "contract", "Critical", "the model takes no images"),
    "input.audio": Row("Unsupported", "contract", "Critical", "the model takes no audio"),
    "input.document": Row("Unsupported", "contract", "Critical", "the model takes no documents"),
    "input.video": Row("Unsupported", "contract", "Critical", "the model takes no video"),
    "image.detail": Row("Drop", "tuning", "Low", "images have no level of detail"),
    "image.media_type": Row(
        "Unsupported", "contract", "High", "images are JPEG, PNG, GIF or WebP there"
    ),
    "image.http": Row("Unsupported", "contract", "High", "URLs are fetched by https only"),
    "media_type.corrected": Row(
        "Relocate", "tuning", "None", "the media type that the data's first bytes say"
    ),
    "media.moved": Row(
        "Relocate", "tuning", "Low", "media stand in user messages only: moved to one after it"
    ),
    "file.id": Row(
        "Unsupported", "contract", "High", "the file is stored with another provider: send its data"
    ),
    "file.id_beside_data": Row("Drop", "tuning", "None", "the file's data is sent instead"),
    "file.media_type": Row("Unsupported", "contract", "High", "documents are PDF or text there"),
    "file.text": Row("Relocate", "tuning", "None", "the file's text is sent as plain text"),
    "file.name": Row("Default", "tuning", "None", "a file that is sent as data has a name there"),
    "cache_control.openai": Row(
        "Drop", "tuning", "Low", "prompt caching cannot be controlled; cached input may cost more"
    ),
    "cache_control.blank": Row("Drop", "tuning", "Low", "there is nothing to cache"),
    "cache_control.most": Row(
        "Drop", "tuning", "Low", "at most four cache breakpoints: the last four are kept"
    ),
    "cache_control.order": Row(
        "Clamp", "tuning", "Low", "a 1-hour breakpoint after a 5-minute one becomes a 5-minute one"
    ),
    "cache_control.unknown": Row(
        "Drop", "tuning", "Low", "the API does not know this form of cache_control"
    ),
    "cache_control.twice": Row(
        "Conflict", "tuning", "None", "the last block's own cache_control is kept"
    ),
    "reasoning.openai": Row("Drop", "tuning", "Low", "reasoning cannot be sent back"),
    "reasoning.empty": Row(
        "Default", "tuning", "None", "empty: the servers want some beside a tool call"
    ),
    "reasoning.unsigned": Row("Drop", "tuning", "Low", "reasoning without a signature"),
    "reasoning.foreign": Row(
        "Drop", "tuning", "Low", "reasoning is valid only for the model family that produced it"
    ),
    "reasoning.edited": Row(
        "Drop", "tuning", "Low", "reasoning that was changed or is not complete cannot go back"
    ),
    "reasoning.refused": Row(
        "Drop", "tuning", "Low", "the provider refused its signature: sent again without it"
    ),
    "native.foreign": Row("Drop", "tuning", "Low", "only the provider that wrote it takes it back"),
    "native.order": Row(
        "Relocate", "tuning", "Low", "the order of an answer's text, reasoning and calls is lost"
    ),
    "native.unusable": Row(
        "Drop", "tuning", "None", "not a stored answer that could go back: ignored"
    ),
    # Tools.
    "tools.unsupported": Row("Unsupported", "contract", "High", "the model has no tools"),
    "tools.reasoning": Row(
        "Unsupported",
        "contract",
        "High",
        "the model has no tools while it reasons, as it always does",
    ),
    "tools.called": Row(
        "Default",
        "tuning",
        "None",
        "every tool used in the history must be declared; sent with `tool_choice: none`",
    ),
    "tool.custom": Row("Unsupported", "contract", "High", "tools take JSON input only"),
    "tool.custom_call": Row(
        "Emulate", "tuning", "Low", "its text becomes a member of a JSON input"
    ),
    "tool.strict": Row("Drop", "tuning", "Low", "the model does not enforce tool schemas"),
    "tool.name": Row(
        "Relocate",
        "tuning",
        "None",
        "the name is changed to an allowed form; replies have the given one",
    ),
    "tool_call.name": Row("Relocate", "tuning", "None", "the name is changed to an allowed form"),
    "tool_call.id": Row(
        "Relocate", "tuning", "None", "the call's id is changed to an allowed form"
    ),
    "tool_call.arguments": Row(
        "Default", "tuning", "None", "empty arguments are written as an empty object"
    ),
    "tool_call.repeated_id": Row(
        "Relocate", "tuning", "None", "an earlier call has the id: changed on the call and result"
    ),
    "tool.schema_completed": Row(
        "Default", "tuning", "None", "a schema's objects have properties, its arrays items there"
    ),
    "strict.default": Row(
        "Default", "tuning", "None", "written as false: strict is the default there"
    ),
    "tool.strict_limit": Row(
        "Drop",
        "tuning",
        "Low",
        "not enforced: the request's strict schemas would have more than 20 tools, 24 optional "
        "properties or 16 unions",
    ),
    "tool.strict_schema": Row("Drop", "tuning", "Low", "the schema is not enforced"),
    "tool.hint": Row("Emulate", "tuning", "Low", "not enforced: moved to the schema's description"),
    "tool.schema": Row("Emulate", "contract", "Medium", "the input schema must be an object"),
    "tool.result_late": Row(
        "Relocate", "tuning", "Low", "tool results come before the other content of their turn"
    ),
    "tool_choice.thinking": Row(
        "Unsupported",
        "contract",
        "High",
        "a tool cannot be forced on this model, or while it thinks",
    ),
    "tool_choice.unknown": Row(
        "Unsupported", "contract", "High", "the API has no such tool choice"
    ),
    "tool_choice.refused": Row("Drop", "contract", "High", "the servers take no tool choice"),
    "tool_choice.allowed": Row("Emulate", "tuning", "Low", "only the allowed tools are sent"),
    "tool_choice.without_tools": Row("Drop", "contract", "High", "there are no tools to choose"),
    "parallel_tool_calls.unsupported": Row(
        "Drop", "tuning", "Low", "the model calls one tool at a time"
    ),
    "parallel_tool_calls.never": Row(
        "Drop", "tuning", "None", "the model never calls tools in parallel"
    ),
    "functions": Row("Unsupported", "contract", "High", "use tools instead of functions"),
    "web_search": Row("Unsupported", "contract", "High", "no web search by this parameter"),
    "web_search.tool": Row(
        "Relocate", "tuning", "None", "a tool there, which the model may use or not"
    ),
    "web_search.model": Row("Unsupported", "contract", "High", "the model does not search the web"),
    # Structured output.
    "response_format.tool": Row(
        "Emulate", "tuning", "Low", "the schema is emulated by a forced tool call"
    ),
    "response_format.json_object": Row(
        "Emulate", "tuning", "Low", "JSON mode is emulated by an instruction"
    ),
    "response_format.conflict": Row(
        "Unsupported",
        "contract",
        "High",
        "no schema together with tools or thinking on this model",
    ),
    "response_format.name": Row("Drop", "tuning", "None", "a schema has no name there"),
    "response_format.description": Row(
        "Drop", "tuning", "Low", "a schema has no description there"
    ),
    "response_format.strict": Row(
        "Emulate", "tuning", "None", "the schema is always enforced there"
    ),
    # An answer that obeys the narrower schema obeys the wider one too.
    "response_format.closed": Row(
        "Emulate", "tuning", "Low", "properties that the schema does not name are forbidden"
    ),
    # A note: the reply is checked against the keyword.
    "response_format.bound": Row(
        "Emulate",
        "tuning",
        "None",
        "not enforced, but checked on the reply: moved to the schema's description",
    ),
    "response_format.hint": Row(
        "Emulate",
        "tuning",
        "Low",
        "neither enforced nor checked on the reply: moved to the schema's description",
    ),
    "response_format.unsupported": Row(
        "Unsupported", "contract", "Medium", "the model has no such response format"
    ),
    # Length.
    "max_tokens.default": Row("Default", "tuning", "None", "a limit is required there"),
    "max_tokens.above_limit": Row("Clamp", "tuning", "Medium", "the model's limit is lower"),
    "max_tokens.below_limit": Row("Clamp", "tuning", "Low", "16 is the lowest limit there"),
    "max_tokens.renamed": Row("Relocate", "tuning", "None", "the model's name for the limit"),
    "max_tokens.twice": Row(
        "Conflict", "tuning", "Low", "max_completion_tokens was given too and takes precedence"
    ),
    # Sampling.
    "temperature.above_one": Row("Clamp", "tuning", "Low", "1 is the highest temperature there"),
    "sampling.unsupported": Row("Drop", "tuning", "Low", "the model takes no sampling parameters"),
    "sampling.thinking": Row("Conflict", "tuning", "Low", "not while the model thinks"),
    "sampling.both": Row("Conflict", "tuning", "Low", "temperature or top_p, not both"),
    "penalty": Row("Drop", "tuning", "Low", "there are no penalties"),
    "penalty.unsupported": Row("Drop", "tuning", "Low", "the model takes no penalties"),
    "seed": Row("Drop", "tuning", "Low", "there is no seed"),
    "logit_bias": Row("Drop", "tuning", "Low", "tokens cannot be biased"),
    "logit_bias.unsupported": Row("Drop", "tuning", "Low", "the model takes no logit bias"),
    "stop": Row("Unsupported", "contract", "Medium", "there are no stop sequences"),
    "stop.blank": Row(
        "Drop", "contract", "Medium", "a stop sequence of white space only is refused there"
    ),
    "stop.limit": Row("Drop", "contract", "Medium", "the servers take fewer stop sequences"),
    "stop.too_many": Row("Drop", "contract", "Medium", "the API takes at most four stop sequences"),
    "stop.unsupported": Row("Drop", "contract", "Medium", "the model takes no stop sequences"),
    "n": Row("Unsupported", "contract", "High", "one answer a request"),
    "logprobs": Row("Unsupported", "contract", "Medium", "there are no log probabilities"),
    "logprobs.model": Row("Unsupported", "contract", "Medium", "the model gives none"),
    "logprobs.thinking": Row("Conflict", "contract", "Medium", "none while the model reasons"),
    # Reasoning.
    "reasoning_effort.thinking": Row("Emulate", "tuning", "None", "expressed as thinking"),
    "reasoning_effort.members": Row(
        "Emulate", "tuning", "None", "expressed by the members that the servers have for it"
    ),
    "reasoning_effort.level": Row(
        "Clamp", "tuning", "Low", "the nearest level that the model supports"
    ),
    "reasoning_effort.none": Row(
        "Drop", "tuning", "None", "the model does not reason unless asked to"
    ),
    "reasoning_effort.unsupported": Row("Drop", "tuning", "Low", "the model has no such setting"),
    "reasoning_effort.off": Row(
        "Default", "tuning", "Low", "switched off: the model takes tools only without reasoning"
    ),
    # Contract: the caller asked for reasoning, and another API of the provider may give it.
    "reasoning_effort.tools": Row(
        "Conflict", "contract", "Medium", "the model takes tools only without reasoning"
    ),
    "reasoning_effort.no_room": Row(
        "Drop", "tuning", "Low", "max_tokens leaves no room for thinking (1,024 at least)"
    ),
    "reasoning_effort.history": Row(
        "Conflict",
        "tuning",
        "Low",
        "an answer that began without thinking must continue without it",
    ),
    # Bedrock.
    "audio.container": Row(
        "Unsupported", "contract", "High", "the API does not know the sound's format"
    ),
    "document.format": Row(
        "Unsupported",
        "contract",
        "High",
        "documents are PDF, CSV, Word, Excel, HTML, text or Markdown there",
    ),
    "document.name": Row(
        "Relocate", "tuning", "Low", "the document's name is changed to one that is allowed and new"
    ),
    "document.text": Row(
        "Default", "tuning", "None", "a message with a document has text there: one is added"
    ),
    "content.stand_in": Row(
        "Default", "tuning", "None", 'a message has content there: "(empty)" is sent'
    ),
    "cache_control.point": Row(
        "Relocate", "tuning", "None", "expressed as a cache point after the block"
    ),
    "cache_control.model": Row(
        "Drop", "tuning", "Low", "the model has no such cache points; cached input may cost more"
    ),
    "tools.declared": Row(
        "Default",
        "tuning",
        "Low",
        "the tools used in the history are declared there: the model may call them",
    ),
    "tools.withheld": Row(
        "Emulate", "tuning", "None", "no tool may be called: the tools are not sent"
    ),
    "tool_choice.none": Row(
        "Drop", "contract", "High", "the history needs the tools, and the model may call them"
    ),
    "tool_choice.model": Row(
        "Unsupported", "contract", "High", "the model takes no such tool choice"
    ),
    "tool.result_alone": Row(
        "Relocate", "tuning", "None", "tool results have a message of their own on this model"
    ),
    "stop.model_most": Row(
        "Drop", "contract", "Medium", "more stop sequences than the model takes"
    ),
    "metadata.form": Row(
        "Drop", "tuning", "Low", "request metadata has at most 16 short texts of plain characters"
    ),
    "web_search.grounding": Row(
        "Emulate",
        "tuning",
        "Low",
        "sent as the tool nova_grounding, without context size and user location",
    ),
    # Requests to Gemini.
    "system.instruction": Row(
        "Relocate", "tuning", "None", "leading system text goes to `systemInstruction`"
    ),
    "image.format": Row(
        "Unsupported", "contract", "High", "images are PNG, JPEG, WebP, HEIC or HEIF there"
    ),
    "image.resolution": Row("Emulate", "tuning", "Low", "expressed as a media resolution"),
    "media.uri": Row(
        "Relocate", "tuning", "None", "an image's URL is sent as a file's URI with its media type"
    ),
    "media.uri_type": Row(
        "Default", "tuning", "Low", "the URL names no media type: sent as image/jpeg"
    ),
    "media.uri_unsupported": Row(
        "Unsupported", "contract", "High", "the provider does not fetch this URL: send the data"
    ),
    "audio.format": Row(
        "Unsupported", "contract", "High", "sounds are WAV, MP3, AIFF, AAC, Ogg or FLAC there"
    ),
    "file.unnamed": Row("Drop", "tuning", "None", "a file has no name there"),
    "reasoning.endpoint": Row(
        "Drop", "tuning", "Low", "reasoning is valid only at the endpoint that produced it"
    ),
    "reasoning.stand_in": Row(
        "Emulate",
        "tuning",
        "Low",
        "a call of another model has no thought signature: Google's documented placeholder is sent",
    ),
    "tool.annotation": Row(
        "Relocate", "tuning", "None", "moved to the schema's description, where the model reads it"
    ),
    "tool.result_missing": Row(
        "Default",
        "tuning",
        "Low",
        "every call needs a result: one that says it is missing is added",
    ),
    "tool.result_twice": Row("Unsupported", "contract", "High", "a call has only one result there"),
    "tool.strict_mode": Row(
        "Emulate", "tuning", "None", "expressed as a calling mode that enforces every tool's schema"
    ),
    "tool.strict_all": Row(
        "Emulate", "tuning", "Low", "the schemas of the tools that are not strict are enforced too"
    ),
    "parallel_tool_calls.many": Row(
        "Drop", "contract", "Medium", "the model may still call several tools at once"
    ),
    "web_search.google": Row(
        "Emulate", "tuning", "Low", "sent as Google Search, without context size and user location"
    ),
    "web_search.tools": Row(
        "Unsupported", "contract", "High", "no web search by this parameter beside tools"
    ),
    "response_format.titled": Row(
        "Relocate", "tuning", "None", "written as the schema's title and description"
    ),
    "stop.most": Row("Drop", "contract", "Medium", "the API takes at most five stop sequences"),
    "n.limit": Row(
        "Unsupported",
        "contract",
        "High",
        "more answers than the model gives, or than one in a stream",
    ),
    "user.none": Row("Drop", "tuning", "Low", "requests have no field for the end user"),
    "metadata.none": Row("Drop", "tuning", "Low", "requests have no metadata"),
    "prompt_cache.implicit": Row(
        "Drop", "tuning", "Low", "caching is automatic, or explicit by `cachedContent`"
    ),
    # Features of Anthropic's requests that the canonical form lacks.
    "anthropic.citations": Row("Drop", "contract", "Medium", "there are no citations"),
    "anthropic.block_order": Row(
        "Relocate", "tuning", "Low", "an answer's text comes before its tool calls"
    ),
    "anthropic.container": Row("Unsupported", "contract", "High", "there are no containers"),
    "anthropic.context_management": Row(
        "Unsupported", "contract", "High", "the context is not managed by the provider"
    ),
    "anthropic.document_context": Row("Drop", "contract", "Medium", "documents have no context"),
    "anthropic.document_name": Row("Default", "tuning", "None", "a file has a name there"),
    "anthropic.document_source": Row(
        "Unsupported", "contract", "High", "documents travel as data only"
    ),
    "anthropic.document_text": Row("Relocate", "tuning", "Low", "a text document becomes text"),
    "anthropic.effort_disabled": Row(
        "Conflict", "tuning", "Low", "without thinking there is no effort"
    ),
    "anthropic.format_name": Row("Default", "tuning", "None", "a schema has a name there"),
    "anthropic.image_transformations": Row(
        "Drop", "tuning", "Low", "the handling of large images cannot be chosen"
    ),
    "anthropic.inference_geo": Row(
        "Unsupported", "contract", "High", "the place of inference cannot be chosen"
    ),
    "anthropic.is_error": Row("Relocate", "contract", "Medium", "expressed in the result's text"),
    "anthropic.mcp_servers": Row("Unsupported", "contract", "High", "there are no MCP servers"),
    "anthropic.prefill": Row(
        "Relocate",
        "contract",
        "High",
        "the model answers the last message instead of continuing it",
    ),
    "anthropic.result_media": Row(
        "Relocate", "tuning", "Low", "tool results hold text only: moved to the user turn"
    ),
    "anthropic.search_result": Row(
        "Relocate", "tuning", "Low", "a search result becomes text: title, source, content"
    ),
    # Contract: the caller relied on the form of the answer, which is no longer enforced.
    "anthropic.format_strict": Row(
        "Unsupported", "contract", "Medium", "strict mode refuses the schema: it is not enforced"
    ),
    "anthropic.server_block": Row(
        "Unsupported",
        "contract",
        "High",
        "the output of a provider's server tools has no counterpart",
    ),
    "anthropic.server_tool": Row(
        "Unsupported", "contract", "High", "a provider's server tools have no counterpart"
    ),
    "anthropic.speed": Row("Drop", "tuning", "Low", "there is no such speed"),
    "anthropic.thinking_adaptive": Row(
        "Emulate", "tuning", "None", "the model decides by itself how long to reason"
    ),
    "anthropic.thinking_budget": Row(
        "Emulate", "tuning", "None", "expressed as a reasoning effort"
    ),
    # Features of Gemini's requests that the canonical form lacks.
    "gemini.audio_format": Row("Unsupported", "contract", "Critical", "audio is WAV or MP3 there"),
    "gemini.cached_content": Row(
        "Unsupported", "contract", "Critical", "a part of the prompt is stored with Google"
    ),
    "gemini.call_id": Row("Default", "tuning", "None", "a call without an id gets one"),
    "gemini.call_order": Row(
        "Relocate", "tuning", "Low", "a result without an id answers the first call of its name"
    ),
    "gemini.file_name": Row("Default", "tuning", "None", "a file has a name there"),
    "gemini.file_uri": Row(
        "Unsupported", "contract", "High", "only images may be sent by their URL"
    ),
    "gemini.format_name": Row("Default", "tuning", "None", "a schema has a name there"),
    "gemini.format_root": Row(
        "Unsupported", "contract", "Medium", "the schema of an answer must be an object there"
    ),
    "gemini.format_strict": Row(
        "Unsupported", "contract", "Medium", "strict mode refuses the schema: it is not enforced"
    ),
    "gemini.generation": Row("Drop", "tuning", "Low", "generation has no such setting"),
    "gemini.include_thoughts": Row(
        "Drop", "tuning", "Low", "reasoning cannot be requested in the reply"
    ),
    "gemini.labels": Row("Drop", "tuning", "Low", "requests have no billing labels"),
    "gemini.media_resolution": Row(
        "Drop", "tuning", "Low", "the level of detail is set for each image: low, high or original"
    ),
    "gemini.modalities": Row("Unsupported", "contract", "Critical", "answers have text only"),
    "gemini.model_armor": Row(
        "Unsupported", "contract", "High", "there are no Model Armor templates"
    ),
    "gemini.model_media": Row(
        "Unsupported", "contract", "High", "an answer's media cannot be sent back"
    ),
    "gemini.part_option": Row("Drop", "tuning", "Low", "parts have no such option"),
    "gemini.result": Row("Relocate", "tuning", "None", "a tool's result is sent as JSON text"),
    "gemini.result_media": Row(
        "Relocate", "tuning", "Low", "tool results hold text only: moved to the user turn"
    ),
    "gemini.routing": Row(
        "Unsupported", "contract", "High", "the provider does not choose the model"
    ),
    "gemini.safety_settings": Row(
        "Drop", "contract", "Medium", "the thresholds of safety filters cannot be set"
    ),
    "gemini.schema": Row(
        "Relocate", "tuning", "None", "a schema in OpenAPI's form becomes a JSON Schema"
    ),
    "gemini.search_option": Row("Drop", "tuning", "Low", "a web search has no such option"),
    "gemini.server_part": Row(
        "Unsupported", "contract", "High", "the output of Google's own tools has no counterpart"
    ),
    "gemini.server_tool": Row(
        "Unsupported", "contract", "High", "Google's own tools have no counterpart"
    ),
    "gemini.thinking_budget": Row("Emulate", "tuning", "Low", "expressed as a reasoning effort"),
    "gemini.tool_option": Row("Drop", "tuning", "Low", "tools have no such option"),
    "gemini.tool_strict": Row(
        "Drop", "tuning", "Low", "strict mode refuses the schema: it is not enforced"
    ),
    "gemini.top_k": Row("Drop", "tuning", "Low", "there is no top_k"),
    "gemini.validated": Row(
        "Emulate", "tuning", "Low", "every tool whose schema can be enforced is strict"
    ),
    "gemini.video": Row("Unsupported", "contract", "Critical", "there is no video"),
    "anthropic.thinking_display": Row("Drop", "tuning", "Low", "reasoning is not shown"),
    "anthropic.tool_option": Row("Drop", "tuning", "Low", "tools have no such option"),
    "anthropic.toolset": Row("Drop", "contract", "Medium", "tools belong to no set"),
    "anthropic.tool_strict": Row(
        "Drop", "tuning", "Low", "strict mode refuses the schema: it is not enforced"
    ),
    "anthropic.format_root": Row(
        "Unsupported", "contract", "Medium", "the schema of an answer must be an object there"
    ),
    "anthropic.top_k": Row("Drop", "tuning", "Low", "there is no top_k"),
    # Features of Bedrock's requests that the canonical form lacks.
    "bedrock.audio_format": Row("Unsupported", "contract", "Critical", "audio is WAV or MP3 there"),
    "bedrock.block": Row(
        "Unsupported", "contract", "High", "there is no counterpart of such a content block"
    ),
    "bedrock.block_order": Row(
        "Relocate", "tuning", "Low", "an answer's text comes before its tool calls"
    ),
    "bedrock.cache_point": Row(
        "Relocate", "tuning", "None", "expressed as the `cache_control` of the block before"
    ),
    "bedrock.cache_point_alone": Row(
        "Drop", "tuning", "Low", "there is nothing to cache before the cache point"
    ),
    "bedrock.citations": Row("Drop", "tuning", "Low", "there are no citations"),
    "bedrock.document_context": Row("Drop", "contract", "Medium", "documents have no context"),
    "bedrock.document_text": Row("Relocate", "tuning", "Low", "a text document becomes text"),
    "bedrock.effort_disabled": Row(
        "Conflict", "tuning", "Low", "without thinking there is no effort"
    ),
    "bedrock.effort_twice": Row(
        "Conflict", "tuning", "Low", "a request has one effort: the first counts"
    ),
    "bedrock.format_name": Row("Default", "tuning", "None", "a schema has a name there"),
    "bedrock.format_root": Row(
        "Unsupported", "contract", "Medium", "the schema of an answer must be an object there"
    ),
    "bedrock.format_strict": Row(
        "Unsupported", "contract", "Medium", "strict mode refuses the schema: it is not enforced"
    ),
    "bedrock.guard_content": Row(
        "Unsupported", "contract", "High", "the content goes on, but no guardrail examines it"
    ),
    "bedrock.guardrail": Row("Unsupported", "contract", "High", "there are no guardrails"),
    "bedrock.model_field": Row(
        "Drop", "contract", "Medium", "a member for the model's family has no counterpart"
    ),
    "bedrock.performance": Row("Drop", "tuning", "Low", "there is no such latency"),
    "bedrock.prefill": Row(
        "Relocate",
        "contract",
        "High",
        "the model answers the last message instead of continuing it",
    ),
    "bedrock.project": Row("Drop", "tuning", "Low", "requests belong to no project"),
    "bedrock.prompt": Row("Unsupported", "contract", "Critical", "the prompt is stored with AWS"),
    "bedrock.response_fields": Row(
        "Drop", "contract", "Medium", "replies have no fields of the model's own"
    ),
    "bedrock.result_json": Row(
        "Relocate", "tuning", "None", "a tool's result is sent as JSON text"
    ),
    "bedrock.result_media": Row(
        "Relocate", "tuning", "Low", "tool results hold text only: moved to the user turn"
    ),
    "bedrock.result_status": Row("Emulate", "tuning", "Low", "expressed in the result's text"),
    "bedrock.s3": Row("Unsupported", "contract", "High", "the medium lies in S3: send its data"),
    "bedrock.search_result": Row(
        "Relocate", "tuning", "Low", "a search result becomes text: title, source, content"
    ),
    "bedrock.system_tool": Row(
        "Unsupported", "contract", "High", "AWS's own tools have no counterpart"
    ),
    "bedrock.thinking_adaptive": Row(
        "Emulate", "tuning", "None", "the model decides by itself how long to reason"
    ),
    "bedrock.thinking_budget": Row("Emulate", "tuning", "Low", "expressed as a reasoning effort"),
    "bedrock.tool_strict": Row(
        "Drop", "tuning", "Low", "strict mode refuses the schema: it is not enforced"
    ),
    "bedrock.top_k": Row("Drop", "tuning", "Low", "there is no top_k"),
    "bedrock.video": Row("Unsupported", "contract", "Critical", "there is no video"),
    # From OpenAI's Responses requests.
    "responses.background": Row(
        "Unsupported", "contract", "High", "requests do not run in the background"
    ),
    "responses.call_option": Row(
        "Drop", "contract", "Medium", "calls and their results have no such member"
    ),
    "responses.file_url": Row(
        "Unsupported", "contract", "High", "files are sent as data or by their id"
    ),
    "responses.include": Row("Drop", "tuning", "Low", "replies have no such part"),
    "responses.item_facts": Row(
        "Drop", "tuning", "None", "only the provider that made an item needs its id and status"
    ),
    "responses.item_order": Row(
        "Relocate",
        "tuning",
        "Low",
        "an answer's reasoning and text come before its calls, the results right after them",
    ),
    "responses.max_tool_calls": Row(
        "Drop", "contract", "Medium", "the number of calls cannot be limited"
    ),
    "responses.phase": Row("Drop", "tuning", "Low", "messages have no phase"),
    "responses.prompt_cache": Row(
        "Drop", "tuning", "Low", "prompt caching has no such option; cached input may cost more"
    ),
    "responses.reasoning_option": Row("Drop", "tuning", "Low", "reasoning has no such setting"),
    "responses.server_item": Row(
        "Unsupported", "contract", "High", "items of a provider's own tools have no counterpart"
    ),
    "responses.server_tool": Row(
        "Unsupported", "contract", "High", "a provider's hosted tools have no counterpart"
    ),
    "responses.tool_loose": Row(
        "Default", "tuning", "Low", "not strict: the API's default, strict mode, refuses the schema"
    ),
    "responses.tool_option": Row("Drop", "tuning", "Low", "tools have no such option"),
    "responses.tool_strict": Row(
        "Default", "tuning", "None", "strict, which is the default of the Responses API"
    ),
    "responses.truncation": Row(
        "Drop", "contract", "Medium", "a conversation that is too long is not shortened"
    ),
    "responses.web_search": Row(
        "Relocate", "tuning", "None", "sent as the parameter web_search_options"
    ),
    "responses.web_search_option": Row(
        "Drop", "contract", "Medium", "web search has no such option there"
    ),
    # Others.
    "audio.output": Row("Unsupported", "contract", "Critical", "there is no audio output"),
    "model.assumed": Row(
        "Default", "tuning", "None", "no manifest has the model: the newest family's rules"
    ),
    "user.hashed": Row(
        "Relocate", "tuning", "Low", "the id is too long or names a person: its SHA-256 is sent"
    ),
    "user.twice": Row(
        "Conflict", "tuning", "Low", "safety_identifier was given too and takes precedence"
    ),
    "service_tier": Row("Drop", "tuning", "Low", "there is no such service tier"),
    "stream_options": Row("Drop", "tuning", "Low", "streams have no such option"),
    "store": Row("Drop", "tuning", "Low", "replies are not stored"),
    "store.default": Row(
        "Default",
        "tuning",
        "None",
        "written as false: storing is the default there",
    ),
    "conversation.stored": Row(
        "Unsupported",
        "contract",
        "Critical",
        "the conversation, or a part of it, is stored with the provider that was asked first",
    ),
    "metadata": Row("Drop", "tuning", "Low", "requests carry no metadata but a user id"),
    "prediction": Row("Drop", "tuning", "Low", "there is no predicted output"),
    "prompt_cache": Row("Drop", "tuning", "Low", "prompt caching is controlled by cache_control"),
    "verbosity": Row("Drop", "tuning", "Low", "there is no verbosity"),
    "moderation": Row("Drop", "contract", "Medium", "there is no moderation in the request"),
    "member.refused": Row("Drop", "tuning", "Low", "the servers refuse the member"),
    "member.renamed": Row("Relocate", "tuning", "None", "the servers' name for the member"),
    "member.value": Row("Relocate", "tuning", "None", "the servers' word for the value"),
    "member.range": Row("Clamp", "tuning", "Low", "the nearest value that the servers take"),
    "param.unknown": Row("Drop", "contract", "Medium", "the API does not know the parameter"),
    # Replies. The path of such a row leads into the canonical reply, or its chunk.
    "reply.choices": Row("Unsupported", "contract", "High", "one answer a reply"),
    "reply.content_part": Row("Unsupported", "contract", "High", "answers have text parts only"),
    "reply.role": Row("Relocate", "tuning", "None", "an answer's author is the assistant"),
    "reply.refusal": Row("Relocate", "tuning", "None", "a refusal becomes text"),
    "reply.annotations": Row("Drop", "contract", "Medium", "answers have no such annotations"),
    "reply.audio": Row("Unsupported", "contract", "Critical", "answers have no audio"),
    "reply.logprobs": Row("Unsupported", "contract", "Medium", "there are no log probabilities"),
    "reply.reasoning": Row(
        "Conflict", "tuning", "Low", "the text of the reasoning blocks takes precedence"
    ),
    "reply.reasoning_unsigned": Row(
        "Default", "tuning", "Low", "reasoning without a signature cannot be sent back"
    ),
    "reply.reasoning_block": Row(
        "Drop", "tuning", "Low", "reasoning blocks of this type have no counterpart"
    ),
    "reply.reasoning_carried": Row(
        "Relocate", "tuning", "None", "another API's reasoning is sent as encrypted content"
    ),
    "reply.reasoning_model": Row("Drop", "tuning", "Low", "reasoning does not name its model"),
    "reply.custom_call": Row(
        "Emulate", "tuning", "Low", "the text of a custom call becomes a member of a JSON input"
    ),
    "reply.arguments": Row(
        "Emulate", "contract", "High", "arguments that are not a JSON object become a member of one"
    ),
    "reply.tool_call_piece": Row(
        "Drop", "contract", "High", "the call's name or input was complete before"
    ),
    "reply.tool_use": Row(
        "Relocate", "tuning", "None", "an answer with tool calls has its own stop reason"
    ),
    "reply.finish_reason": Row(
        "Default", "contract", "Medium", "the API has no such reason for the end"
    ),
    "reply.id": Row("Drop", "tuning", "None", "a reply's id stands in a header"),
    "reply.model": Row("Drop", "tuning", "None", "replies do not name their model"),
    "reply.created": Row("Drop", "tuning", "None", "replies carry no time of creation"),
    "reply.fingerprint": Row("Drop", "tuning", "None", "replies carry no system fingerprint"),
    "reply.service_tier": Row("Drop", "tuning", "Low", "the API has no such service tier"),
    "reply.usage": Row("Drop", "tuning", "Low", "the usage has no such count"),
    "reply.usage_cached": Row(
        "Clamp", "tuning", "Low", "more tokens were cached than the prompt has"
    ),
    "reply.usage_missing": Row("Default", "tuning", "Low", "token counts are required: zero"),
}


def check_row_ids(row_ids: Iterable[str], where: str) -> None:
    """Refuse loss row ids that the table lacks; called when the module that names them is imported.

    *where* names the place of the ids, for the error.

    Raises:
        ValueError: the table has no row with one of these ids.
    """
    unknown = [row_id for row_id in row_ids if row_id not in ROWS]
    if unknown:
        raise ValueError(f"{where} names loss rows that specado.losses.rows lacks: {unknown}")
