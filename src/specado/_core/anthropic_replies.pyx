"""Anthropic reply decoder (anthropic.types.Message 0.125.0, 2026-11-22)."""

from typing import Dict, List, Optional

import msgspec

from specado._core.repair import json_text, read_field, read_whole_numbers
from specado._core.replies import UNREADABLE, Notes, parse
from specado.errors import MalformedResponseError
from specado.types import (
    ChatCompletionResponse,
    Choice,
    CompletionTokensDetails,
    Extensions,
    FunctionCall,
    Message,
    PromptTokensDetails,
    ReasoningBlock,
    ToolCall,
    Usage,
)

# Where inference took place if nobody asked for a place (anthropic 0.125.0, 2026-11-22).
cdef tuple ANYWHERE = ("not_available", "global")
cdef tuple ALWAYS_TOLD = ("input_tokens", "output_tokens")
cdef tuple TOKENS = (*ALWAYS_TOLD, "cache_read_input_tokens", "cache_creation_input_tokens")
FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class _Caller(msgspec.Struct):
    type: str = ""


class _ServerToolUse(msgspec.Struct):
    web_search_requests: int = 0
    web_fetch_requests: int = 0


class _CacheCreation(msgspec.Struct):
    ephemeral_1h_input_tokens: int = 0


class Block(msgspec.Struct):
    type: str
    text: Optional[str] = None
    id: Optional[str] = None
    name: Optional[str] = None
    input: msgspec.Raw = msgspec.Raw(b"")
    thinking: Optional[str] = None
    signature: Optional[str] = None
    data: Optional[str] = None
    citations: msgspec.Raw = msgspec.Raw(b"")
    caller: Optional[_Caller] = None


class _OutputDetails(msgspec.Struct):
    thinking_tokens: Optional[int] = None


class TokenUsage(msgspec.Struct):
    input_tokens: Optional[int] = None
    output_tokens: Optional[int] = None
    cache_read_input_tokens: Optional[int] = None
    cache_creation_input_tokens: Optional[int] = None
    output_tokens_details: Optional[_OutputDetails] = None
    service_tier: Optional[str] = None
    server_tool_use: Optional[_ServerToolUse] = None
    cache_creation: Optional[_CacheCreation] = None
    inference_geo: Optional[str] = None
    iterations: Optional[List[msgspec.Raw]] = None


class AppliedEdits(msgspec.Struct):
    applied_edits: List[msgspec.Raw] = []


class Reply(msgspec.Struct):
    content: List[Block]
    id: str = ""
    model: str = ""
    stop_reason: Optional[str] = None
    stop_sequence: Optional[str] = None
    usage: Optional[TokenUsage] = None
    container: Optional[Dict[str, msgspec.Raw]] = None
    context_management: Optional[AppliedEdits] = None
    stop_details: Optional[Dict[str, msgspec.Raw]] = None


class _RawContent(msgspec.Struct):
    content: List[msgspec.Raw]


cdef object _decoder = msgspec.json.Decoder(Reply)
cdef object _raw_decoder = msgspec.json.Decoder(_RawContent)


def decode_reply(bytes body not None, str provider not None, str model not None, created):
    """Return the `ChatCompletionResponse` in *body* and notes on what has no place in it.

    *model* and *created* stand in where the reply names none. A body that is not JSON is a
    `MalformedResponseError` with code `not_json`, one without content `no_choice`.
    """
    notes = Notes()
    found = read_reply(body, notes)
    return reply_of(found, notes, provider, model, created, body), notes


def read_reply(bytes body not None, notes):
    """Return the `Reply` in *body*; *notes* names what was mended."""
    try:
        return _decoder.decode(body)
    except UNREADABLE:
        return _read_loosely(body, notes)


def reply_of(found, notes, str provider, str model, created, bytes body):
    """Return the `ChatCompletionResponse` that a `Reply` stands for."""
    id_, name, usage, stopped = found.id, found.model, found.usage, found.stop_reason
    if not (id_ and name and usage is not None):
        notes += [f"{each}: missing" for each in ("id", "model", "usage")
                  if not getattr(found, each) and each not in notes.repaired]
    finish = None
    if stopped is not None:
        finish = FINISH_REASONS.get(stopped)
        if stopped == "pause_turn":
            notes.append("stop_reason: pause_turn, the turn is not finished; read as stop")
        elif stopped == "stop_sequence" and found.stop_sequence is not None:
            notes.append(f"stop_sequence: {found.stop_sequence!r} ended the answer")
        elif finish is None:
            notes.append(f"stop_reason: {stopped!r} is not known, kept as it is")
            finish = stopped
    if found.container is not None:
        notes.append("container: left in response.raw")
    if found.context_management is not None and found.context_management.applied_edits:
        notes.append("context_management: left in response.raw")
    if found.stop_details is not None:
        notes.append("stop_details: left in response.raw")
    if usage is not None:
        _note_usage(usage, notes)
    name = name or model
    return ChatCompletionResponse(
        id_,
        name,
        [Choice(0, _message(found.content, name, notes), finish)],
        Extensions(provider),
        created,
        "chat.completion",
        usage_of(usage),
        None,
        _service_tier(usage),
        body,
        {},
        notes.usage_certainty,
    )


cdef int _note_usage(found, notes) except -1:
    """Note what the usage tells beside the tokens of the canonical one, and mend those.

    What else is billed, or dearer: web search, data residency, compaction (Anthropic's "Pricing"
    page, read 2026-11-22).
    """
    for name in TOKENS:
        count = getattr(found, name)
        if count is None:
            if name in ALWAYS_TOLD and f"usage.{name}" not in notes.repaired:
                notes.append(f"usage.{name}: missing, read as 0")
                notes.bill("unknown")
        elif count < 0:
            notes.append(f"usage.{name}: negative, read as 0")
            notes.bill("unknown")
            setattr(found, name, 0)
    tools = found.server_tool_use
    if tools is not None and (tools.web_search_requests or tools.web_fetch_requests):
        notes.append("usage.server_tool_use: left in response.raw")
        notes.bill("at_least")
    place = found.inference_geo
    if place is not None and place not in ANYWHERE:
        notes.append("usage.inference_geo: left in response.raw")
        notes.bill("at_least")
    if found.iterations:
        notes.append("usage.iterations: left in response.raw")
        notes.bill("at_least")
    return 0


cdef object _message(list blocks, str model, notes):
    """Return the assistant message that the content blocks stand for."""
    texts = []
    calls = None
    reasoning = None
    for place, block in enumerate(blocks):
        kind, text = block.type, block.text
        if kind == "text" and text is not None:
            texts.append(text)
            if len(block.citations) > len(b"null"):
                notes.append(f"content[{place}].citations: left in response.raw")
        elif kind == "tool_use" and block.id is not None and block.name is not None:
            if calls is None:
                calls = []
            arguments = bytes(block.input).decode() or "{}"
            if arguments == "null":
                arguments = "{}"
                notes.append(f"content[{place}].input: null, read as {arguments}")
            if block.caller is not None and block.caller.type != "direct":
                notes.append(f"content[{place}].caller: left in response.raw")
            calls.append(ToolCall(block.id, FunctionCall(block.name, arguments)))
        elif kind == "thinking" or kind == "redacted_thinking":
            if reasoning is None:
                reasoning = []
            reasoning.append(
                ReasoningBlock(kind, block.thinking, block.signature, block.data, model)
            )
        else:
            notes.append(f"content[{place}]: {kind}, left in response.raw")
    thoughts = None
    if reasoning is not None:
        thoughts = "".join(block.text for block in reasoning if block.text) or None
    return Message(
        "assistant",
        None if not texts else texts[0] if len(texts) == 1 else "".join(texts),
        None,
        calls,
        None,
        thoughts,
        reasoning,
    )


cdef object _service_tier(found):
    """Return the tier in OpenAI's words: theirs is "default" where Anthropic's is "standard"."""
    tier = None if found is None else found.service_tier
    return "default" if tier == "standard" else tier


def usage_of(found):
    """Return the usage in OpenAI's terms: cached tokens are a part of the prompt's."""
    if found is None:
        return None
    read = found.cache_read_input_tokens or 0
    written = found.cache_creation_input_tokens or 0
    kept = found.cache_creation
    prompt = (found.input_tokens or 0) + read + written
    completion = found.output_tokens or 0
    thinking = found.output_tokens_details
    return Usage(
        prompt,
        completion,
        prompt + completion,
        PromptTokensDetails(
            cached_tokens=read,
            cache_write_tokens=written,
            cache_write_1h_tokens=None if kept is None else kept.ephemeral_1h_input_tokens or None,
        )
        if read or written else None,
        CompletionTokensDetails(reasoning_tokens=thinking.thinking_tokens)
        if thinking is not None and thinking.thinking_tokens else None,
    )


def _read_loosely(bytes body, notes):
    """Return what is usable of a reply that is not quite as documented; *notes* names the rest."""
    data = parse(body, notes)
    if not isinstance(data, dict) or not isinstance(data.get("content"), list):
        raise MalformedResponseError("the reply has no content", code="no_choice")
    try:
        # As JSON text, so that a tool's input keeps its form.
        texts = _raw_decoder.decode(body).content
    except UNREADABLE:
        texts = [json_text(given) for given in data["content"]]
    blocks = []
    for place, text in enumerate(texts):
        try:
            blocks.append(msgspec.json.decode(text, type=Block))
        except UNREADABLE:
            notes.append(f"content[{place}]: not a content block, left out")
    if not blocks and data["content"]:
        raise MalformedResponseError("the reply has no usable content", code="no_choice")
    return Reply(
        content=blocks,
        **{
            name: read_field(data, name, type_, default, name, notes)
            for name, type_, default in (
                ("id", str, ""),
                ("model", str, ""),
                ("stop_reason", str, None),
                ("stop_sequence", str, None),
            )
        },
        usage=usage_loosely(data.get("usage"), notes),
    )


def usage_loosely(given, notes):
    cdef Py_ssize_t noted = len(notes)
    found = _usage_loosely(given, notes)
    if len(notes) > noted:
        notes.bill("unknown")
    return found


cdef object _usage_loosely(object given, notes):
    tokens = read_whole_numbers(
        given,
        TOKENS,
        "usage",
        notes,
    )
    if tokens is None:
        return None
    details = read_whole_numbers(
        given.get("output_tokens_details"), ("thinking_tokens",), "usage.output_tokens_details",
        notes,
    )
    kept = read_whole_numbers(
        given.get("cache_creation"), ("ephemeral_1h_input_tokens",), "usage.cache_creation", notes
    )
    return TokenUsage(
        **tokens,
        output_tokens_details=None if details is None else _OutputDetails(**details),
        cache_creation=None if kept is None else _CacheCreation(**kept),
    )
