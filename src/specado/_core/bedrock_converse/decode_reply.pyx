"""Bedrock reply decoder: a Converse reply to the canonical reply (botocore 1.44.8, 2026-11-30)."""

import msgspec

from specado._core.bedrock_converse.native import (
    citations_of, is_call, kind_of, native_of, raw_blocks, reasoning_block,
)
from specado._core.bedrock_converse.repair import repair_reply, repair_usage
from specado._core.bedrock_converse.wire import NO_JSON, OtherReply, Reply
from specado._core.finish_reasons import failure_body, meaning_of
from specado._core.repair import made_call_id
from specado._core.replies import UNREADABLE, Notes, ReportedFailure, parse
from specado.errors import MalformedResponseError
from specado.types import (
    ChatCompletionResponse,
    Choice,
    Extensions,
    FunctionCall,
    Message,
    PromptTokensDetails,
    ToolCall,
    Usage,
)

cdef object _decode = msgspec.json.Decoder(Reply).decode
cdef object _decode_but_usage = msgspec.json.Decoder(OtherReply).decode

FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}


def decode_reply(bytes body not None, str provider not None, str model not None, created):
    """Return the `ChatCompletionResponse` in *body*, and notes on members without a place in it.

    A reply has no id (that is a header's), no model and no time: *model* and *created* are used. A
    body that is not JSON is a `MalformedResponseError` with code `not_json`, one without a message
    `no_choice`. An answer that failed is a `ReportedFailure`. The result shares no object with
    another reply; threads may decode at the same time.
    """
    notes = Notes()
    found = read_reply(body, notes)
    if found.output is None or found.output.message is None:
        raise MalformedResponseError("the reply has no message", code="no_choice")
    if is_failure(found.stop_reason):
        raise ReportedFailure(failure_body(found.stop_reason, "stopReason"))
    if found.stop_reason is None and "stopReason" not in notes.repaired:
        notes.append("stopReason: missing")
    return reply_of(found, found.output.message.content, None, notes, provider, model, created, body)


def read_reply(bytes body not None, notes):
    """Return the `Reply` in *body*; *notes* names the repairs."""
    try:
        return _decode(body)
    except UNREADABLE:
        pass
    try:
        found = _decode_but_usage(body)
    except UNREADABLE:
        return repair_reply(body, notes)
    given = bytes(found.usage)
    found.usage = repair_usage(parse(given, notes), notes) if given else None
    return found


def is_failure(stop_reason):
    """Return whether a stop reason says that the answer failed."""
    if stop_reason is None or stop_reason in FINISH_REASONS:
        return False
    meaning = meaning_of(stop_reason)
    return meaning is not None and not isinstance(meaning, str)


def finish_reason_of(stop_reason, notes):
    """Return OpenAI's finish reason for a stop reason; a reason of another vendor is noted."""
    finish = FINISH_REASONS.get(stop_reason)
    if finish is not None:
        return finish
    meaning = meaning_of(stop_reason)
    if meaning is None:
        notes.append(f"stopReason: {stop_reason!r} is not known, kept as it is")
        return stop_reason
    finish = meaning or None
    notes.append(f"stopReason: {stop_reason!r}, read as {finish!r}")
    return finish


def reply_of(
    found, list blocks not None, list raws, notes, str provider, str model, created, bytes body,
):
    """Return a `Reply` with these *blocks* as `(ChatCompletionResponse, notes)`.

    *body* becomes its `raw`. *raws* has the JSON of each block, by default those in *body*; an
    empty list makes no record of the answer.
    """
    finish = None if found.stop_reason is None else finish_reason_of(found.stop_reason, notes)
    message = message_of(blocks, model, notes)
    if needs_native(blocks):
        if raws is None:
            raws = raw_blocks(body)
        message.native = native_of(blocks, raws, message, provider, model)
    note_members(found, notes)
    if found.usage is None:
        notes.append("usage: missing")
    usage = usage_of(found.usage, notes)
    return ChatCompletionResponse(
        "",
        model,
        [Choice(0, message, finish)],
        Extensions(provider),
        created,
        "chat.completion",
        usage,
        None,
        None if found.service_tier is None else found.service_tier.type or None,
        body,
        {},
        notes.usage_certainty,
        notes.other_usage,
    ), notes


cdef int note_members(found, notes) except -1:
    """Note the members of a reply that have no canonical form, and those that change its price."""
    if found.trace is not NO_JSON:
        notes.append("trace: left in response.raw")
    extra = bytes(found.additional_model_response_fields)
    if extra and extra != b"null":
        given = parse(extra, notes)
        sequence = given.get("stop_sequence") if isinstance(given, dict) else None
        if found.stop_reason == "stop_sequence" and isinstance(sequence, str):
            notes.append(f"stop_sequence: {sequence!r} ended the answer")
        if not isinstance(given, dict) or set(given) != {"stop_sequence"}:
            notes.append("additionalModelResponseFields: left in response.raw")
    speed = found.performance_config
    if speed is not None and speed.latency != "standard":
        notes.append(f"performanceConfig.latency: {speed.latency}, not priced")
        notes.bill("unknown")
        notes.other_usage = {**notes.other_usage, "latency": speed.latency}
    return 0


cdef object message_of(list blocks, str model, notes):
    """Return the content blocks as an assistant message."""
    texts = []
    calls = None
    details = None
    annotations = None
    length = 0
    for place, block in enumerate(blocks):
        text = block.text
        if text is None and block.citations_content is not NO_JSON:
            text, citations = citations_of(block)
            found = annotations_of(citations, length, length + len(text), place, notes)
            if found:
                annotations = found if annotations is None else annotations + found
        if text is not None:
            texts.append(text)
            length += len(text)
        elif block.reasoning_content is not None:
            if details is None:
                details = []
            details.append(reasoning_block(block.reasoning_content, model))
        elif is_call(block):
            if calls is None:
                calls = []
            calls.append(call_of(block.tool_use, place, notes))
        else:
            kind = kind_of(block) or "an unknown block"
            notes.append(f"output.message.content[{place}]: {kind}, left in response.raw")
    thoughts = None
    if details is not None:
        thoughts = "".join([block.text for block in details if block.text]) or None
    content = "".join(texts)
    return Message(
        "assistant",
        content if content or calls is None else None,
        None,
        calls,
        None,
        thoughts,
        details,
        None,
        annotations,
    )


def call_of(use, Py_ssize_t place, notes):
    """Return a call, with an id made up where it has none."""
    path = f"output.message.content[{place}].toolUse"
    id_ = use.tool_use_id
    if not id_:
        id_ = made_call_id()
        notes.append(f"{path}.toolUseId: missing, called {id_}")
    arguments = bytes(use.input).decode()
    if not arguments or arguments == "null" or arguments == '""':
        if arguments:
            notes.append(f"{path}.input: {arguments}, read as {{}}")
        arguments = "{}"
    elif not arguments.startswith("{"):
        notes.append(f"{path}.input: not an object, kept as JSON text")
    return ToolCall(id_, FunctionCall(use.name, arguments))


def annotations_of(list citations, Py_ssize_t start, Py_ssize_t end, Py_ssize_t place, notes):
    """Return the annotations of a text at content[start:end]: its citations of web pages."""
    made = []
    others = 0
    for citation in citations:
        location = citation.get("location")
        web = location.get("web") if isinstance(location, dict) else None
        url = web.get("url") if isinstance(web, dict) else None
        if not isinstance(url, str):
            others += 1
            continue
        title = citation.get("title")
        made.append({
            "type": "url_citation",
            "url_citation": {
                "start_index": start,
                "end_index": end,
                "url": url,
                "title": title if isinstance(title, str) else "",
            },
        })
    if others:
        notes.append(f"output.message.content[{place}].citationsContent: "
                     "citations of documents, left in response.raw")
    return made


def needs_native(list blocks not None):
    """Return whether the canonical fields do not reproduce the blocks of an answer."""
    cdef bint has_text = False
    cdef bint has_call = False
    for block in blocks:
        if block.text is not None:
            if not block.text:
                continue
            if has_text or has_call:
                return True
            has_text = True
        elif is_call(block):
            has_call = True
        else:
            return True
    return False


def usage_of(found, notes):
    """Return the canonical usage, whose prompt includes the cached tokens; note what it lacks."""
    if found is None:
        return None
    read = found.cache_read_input_tokens
    if read is None:
        read = found.cache_read_input_token_count or 0
    written = found.cache_write_input_tokens
    if written is None:
        written = found.cache_write_input_token_count or 0
    for name, value in (("inputTokens", found.input_tokens), ("outputTokens", found.output_tokens)):
        if value is None:
            notes.append(f"usage.{name}: missing, read as 0")
            notes.bill("unknown")
    counts = [found.input_tokens or 0, read, written, found.output_tokens or 0]
    if min(counts) < 0:
        notes.append("usage: a negative count, read as 0")
        notes.bill("unknown")
        counts = [max(each, 0) for each in counts]
    given, read, written, completion = counts
    prompt = given + read + written
    if found.total_tokens is not None and found.total_tokens != prompt + completion:
        notes.append(f"usage.totalTokens: {found.total_tokens}, not the sum of its parts")
        notes.bill("unknown")
    if found.server_tool_usage and max(found.server_tool_usage.values()) > 0:
        notes.append("usage.serverToolUsage: not priced")
        notes.bill("at_least")
    details = None
    if read or written:
        hour = sum([
            each.input_tokens for each in found.cache_details or () if each.ttl == "1h"
        ])
        details = PromptTokensDetails(
            cached_tokens=read, cache_write_tokens=written, cache_write_1h_tokens=hour or None
        )
    return Usage(prompt, completion, prompt + completion, details)
