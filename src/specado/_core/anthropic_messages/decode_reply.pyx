"""Anthropic reply decoder: a message to the canonical reply (anthropic 0.125.0, 2026-11-22)."""

from specado._core.replies cimport has_error

import msgspec

from specado._core.anthropic_messages.native import (
    DIALECT, native_of, raw_blocks, stored_blocks,
)
from specado._core.anthropic_messages.repair import TOKENS, error_in, repair_reply, repair_usage
from specado._core.anthropic_messages.wire import OtherReply, Reply
from specado._core.finish_reasons import failure_body, meaning_of
from specado._core.native import READERS
from specado._core.repair import made_call_id
from specado._core.replies import (
    UNREADABLE, Notes, ReportedFailure, check_for_error, parse,
)
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

# The `inference_geo` of a request without one (anthropic 0.125.0, 2026-11-22).
cdef tuple ANYWHERE = ("not_available", "global")
# The counts that every usage has.
cdef tuple REQUIRED_TOKENS = ("input_tokens", "output_tokens")
FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}

cdef object _decode = msgspec.json.Decoder(Reply).decode
cdef object _decode_but_usage = msgspec.json.Decoder(OtherReply).decode


def decode_reply(bytes body not None, str provider not None, str model not None, created):
    """Return the `ChatCompletionResponse` in *body*, and notes on members without a place in it.

    *model* and *created* are the defaults of a reply without its own. A body that is not JSON is a
    `MalformedResponseError` with code `not_json`, one without content `no_choice`. A reply that
    reports an error, also beside or in its content, is a `ReportedFailure`. The result shares no
    object with another reply; threads may decode at the same time.
    """
    notes = Notes()
    if has_error(body):
        check_for_error(body, error_in)
    found = read_reply(body, notes)
    if is_failure(found.stop_reason):
        raise ReportedFailure(failure_body(found.stop_reason, "stop_reason"))
    return reply_of(found, notes, provider, model, created, body), notes


cpdef read_reply(bytes body, notes):
    """Return the `Reply` in *body*; *notes* names the repairs."""
    try:
        return _decode(body)
    except UNREADABLE:
        pass
    try:
        found = _decode_but_usage(body)
    except UNREADABLE:
        return repair_reply(body, notes)
    found.usage = repair_usage(parse(bytes(found.usage), notes), notes)
    return found


cpdef is_failure(stop_reason):
    """Return whether a stop reason says that the answer failed."""
    if stop_reason is None or stop_reason in FINISH_REASONS:
        return False
    meaning = meaning_of(stop_reason)
    return meaning is not None and not isinstance(meaning, str)


cpdef finish_reason_of(stop_reason, notes):
    """Return OpenAI's finish reason for a stop reason; a reason of another vendor is noted."""
    finish = FINISH_REASONS.get(stop_reason)
    if finish is not None:
        if stop_reason == "pause_turn":
            notes.append("stop_reason: pause_turn, the turn is not finished; read as stop")
        return finish
    meaning = meaning_of(stop_reason)
    if meaning is None:
        notes.append(f"stop_reason: {stop_reason!r} is not known, kept as it is")
        return stop_reason
    finish = meaning or None
    notes.append(f"stop_reason: {stop_reason!r}, read as {finish!r}")
    return finish


cpdef reply_of(
    found, notes, str provider, str model, created, bytes body, list raws=None,
    bint is_whole=True,
):
    """Return a `Reply` as `ChatCompletionResponse`; *body* becomes its `raw`.

    *raws* has the JSON of each content block, by default those in *body*. The reply of a stream
    that is not complete (`is_whole` is false) needs no stop reason.
    """
    id_, name, usage, stopped = found.id, found.model, found.usage, found.stop_reason
    if not (id_ and name and usage is not None):
        notes += [f"{each}: missing" for each in ("id", "model", "usage")
                  if not getattr(found, each) and each not in notes.repaired]
    finish = None
    if stopped is not None:
        finish = finish_reason_of(stopped, notes)
        if stopped == "stop_sequence" and found.stop_sequence is not None:
            notes.append(f"stop_sequence: {found.stop_sequence!r} ended the answer")
    elif is_whole and "stop_reason" not in notes.repaired:
        notes.append("stop_reason: missing")
    if found.container is not None:
        notes.append("container: left in response.raw")
    if found.context_management is not None and found.context_management.applied_edits:
        notes.append("context_management: left in response.raw")
    if found.stop_details is not None:
        notes.append("stop_details: left in response.raw")
    if usage is not None:
        _note_usage(usage, notes)
    name = name or model
    named = [place for place, block in enumerate(found.content)
             if name_call(block, place, notes)]
    message = _message(found.content, name, notes)
    if needs_native(found.content):
        if raws is None:
            raws = raw_blocks(body, found.content, named)
        message.native = native_of(found.content, raws, message, provider, name)
    return ChatCompletionResponse(
        id_,
        name,
        [Choice(0, message, finish)],
        Extensions(provider),
        created,
        "chat.completion",
        usage_of(usage),
        None,
        _service_tier(usage),
        body,
        {},
        notes.usage_certainty,
        notes.other_usage,
    )


cdef int _note_usage(found, notes) except -1:
    """Note the members of a usage without a canonical one, and correct its counts.

    Some are billed in addition to the tokens or raise their price: web search, data residency,
    compaction (Anthropic's "Pricing" page, read 2026-11-22).
    """
    for name in TOKENS:
        count = getattr(found, name)
        if count is None:
            if name in REQUIRED_TOKENS and f"usage.{name}" not in notes.repaired:
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
    if found.speed is not None and found.speed != "standard":
        notes.other_usage = {**notes.other_usage, "speed": found.speed}
    if found.iterations:
        notes.append("usage.iterations: left in response.raw")
        notes.bill("at_least")
    return 0


cpdef name_call(block, Py_ssize_t place, notes):
    """Give a tool call that came without an id a new one; return whether it did."""
    if block.id or block.type != "tool_use":
        return False
    block.id = made_call_id()
    notes.append(f"content[{place}].id: missing, called {block.id}")
    return True


cdef object _message(list blocks, str model, notes):
    """Return the content blocks as an assistant message."""
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
            arguments = input_text(bytes(block.input))
            if not arguments:
                arguments = "{}"
                if len(block.input):
                    said = "null" if bytes(block.input) == b"null" else "empty"
                    notes.append(f"content[{place}].input: {said}, read as {arguments}")
            elif not arguments.startswith("{"):
                notes.append(f"content[{place}].input: not an object, kept as JSON text")
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


def input_text(bytes given not None):
    """Return a tool's input as JSON text, `""` for an empty one: null, blank text, an empty list."""
    if given == b"null" or (given[:1] == b"[" and not given[1:-1].strip()) or (given[:1] == b'"' and not msgspec.json.decode(given).strip()):
        return ""
    return given.decode()


cpdef needs_native(list blocks):
    """Return whether the canonical fields do not reproduce the blocks or the edits of reasoning."""
    cdef bint has_text = False
    cdef bint has_call = False
    for block in blocks:
        kind = block.type
        if kind == "text":
            if has_text or has_call or len(block.citations) > len(b"null"):
                return True
            has_text = True
        elif kind == "tool_use":
            if block.caller is not None and block.caller.type != "direct":
                return True
            has_call = True
        else:
            return True
    return False


def read_stored(list raws not None, str model not None):
    """Return the blocks of a stored record and the canonical reasoning; see `READERS`."""
    found = _decode(b'{"content":[' + b",".join(raws) + b"]}").content
    message = _message(found, model, Notes())
    return stored_blocks(found, raws, message), message.reasoning


READERS[DIALECT] = read_stored


cdef object _service_tier(found):
    """Return the service tier by OpenAI's name: Anthropic's "standard" is its "default"."""
    tier = None if found is None else found.service_tier
    return "default" if tier == "standard" else tier


cpdef usage_of(found):
    """Return the canonical usage, in which the prompt's tokens include the cached ones."""
    if found is None:
        return None
    read = found.cache_read_input_tokens or 0
    written = found.cache_creation_input_tokens or 0
    created = found.cache_creation
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
            cache_write_1h_tokens=(
                None if created is None else created.ephemeral_1h_input_tokens or None
            ),
        )
        if read or written else None,
        CompletionTokensDetails(reasoning_tokens=thinking.thinking_tokens)
        if thinking is not None and thinking.thinking_tokens else None,
    )
