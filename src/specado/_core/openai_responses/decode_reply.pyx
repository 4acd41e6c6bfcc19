"""Responses reply decoder: a response to the canonical reply (openai.types 3.57, 2026-11-30)."""

import msgspec

from specado._core.json_writer import dumps
from specado._core.native import READERS
from specado._core.openai_responses.native import (
    DIALECT, FORMAT, native_of, raw_items, stored_blocks,
)
from specado._core.openai_responses.repair import repair_reply, repair_usage
from specado._core.openai_responses.wire import OtherReply, Reply
from specado._core.repair import json_text, made_call_id
from specado._core.replies import UNREADABLE, Notes, ReportedFailure, parse
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

# Why a response is incomplete. `steered`: another request has given it new input.
cdef dict INCOMPLETE = {
    "max_output_tokens": "length",
    "max_messages": "length",
    "content_filter": "content_filter",
    "steered": "stop",
}
# The states of a response that has not ended with an answer.
cdef tuple UNFINISHED = ("cancelled", "in_progress", "queued")
# The annotation that chat completions have too, as an object in a member of this name.
cdef str CITATION = "url_citation"
cdef tuple CALLS = ("function_call", "custom_tool_call")
# The text between the parts of one reasoning item.
PARAGRAPH = "\n\n"

cdef object _decode = msgspec.json.Decoder(Reply).decode
cdef object _decode_but_usage = msgspec.json.Decoder(OtherReply).decode


def decode_reply(bytes body not None, str provider not None, str model not None, created):
    """Return the `ChatCompletionResponse` in *body*, and notes on members without a place in it.

    *model* and *created* are the defaults of a reply without its own. A body that is not JSON is a
    `MalformedResponseError` with code `not_json`, one that is not a finished response `no_choice`.
    A failed response is a `ReportedFailure`. Threads may decode at the same time.
    """
    notes = Notes()
    found = read_reply(body, notes)
    failure = failure_of(found)
    if failure is not None:
        raise ReportedFailure(failure)
    check_finished(found.status)
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


cpdef failure_of(found):
    """Return the body of an error reply for a failed response, `None` for another one."""
    if found.error:
        return dumps({"error": found.error})
    if found.status == "failed":
        return b'{"error":{"message":"the response has failed"}}'
    return None


cpdef check_finished(status):
    """Refuse a response that has not ended with an answer."""
    if status in UNFINISHED:
        raise MalformedResponseError(
            f"the response is not finished: its status is {status!r}", code="no_choice"
        )


cpdef reply_of(
    found, notes, str provider, str model, created, bytes body, list raws=None, list thoughts=None,
):
    """Return a `Reply` as `ChatCompletionResponse`; *body* becomes its `raw`.

    *raws* has the JSON of each item, by default those in *body*. *thoughts* has the text of each
    reasoning item, by default its summary, or else its content.
    """
    id_, name, made, usage = found.id, found.model, found.created_at, found.usage
    if not (id_ and name and made and usage is not None):
        notes += [f"{each}: missing" for each in ("id", "model", "created_at", "usage")
                  if not getattr(found, each) and each not in notes.repaired]
    if found.input_transformations or found.moderation is not None or found.tool_usage:
        _note_members(found, notes)
    items = found.output
    message, logprobs = _message(items, model or name, notes, thoughts)
    if needs_native(items):
        message.native = native_of(
            items, raw_items(body) if raws is None else raws, message, provider, model or name
        )
    return ChatCompletionResponse(
        id_,
        name or model,
        [Choice(0, message, finish_of(found, message.tool_calls is not None, notes), logprobs)],
        Extensions(provider),
        int(made) or created,
        "chat.completion",
        usage_of(usage, notes),
        None,
        found.service_tier,
        body,
        {},
        notes.usage_certainty,
        notes.other_usage,
    )


cdef int _note_members(found, notes) except -1:
    """Note the members of a response without a canonical place."""
    for change in found.input_transformations or ():
        if isinstance(change, dict):
            notes.append(
                f"input_transformations: the server {change.get('action')} the "
                f"{change.get('type')} {change.get('id')} of the request: {change.get('reason')}"
            )
    if found.moderation is not None:
        notes.append("moderation: left in response.raw")
    for name, counts in (found.tool_usage or {}).items():
        if isinstance(counts, dict) and any(
            [type(count) is int and count > 0 for count in counts.values()]
        ):
            notes.append(f"tool_usage.{name}: not priced")
            notes.bill("at_least")
    return 0


cpdef finish_of(found, bint has_calls, notes):
    """Return the finish reason of a response, `None` where nothing tells it."""
    status = found.status
    if status is None or status == "completed" or status == "complete":
        if status != "completed" and "status" not in notes.repaired:
            notes.append(f"status: {status!r}, read as 'completed'")
        return "tool_calls" if has_calls else "stop"
    if status != "incomplete":
        notes.append(f"status: {status!r} is not known, kept as it is")
        return status
    reason = None if found.incomplete_details is None else found.incomplete_details.reason
    if reason is None:
        notes.append("incomplete_details.reason: missing")
        return None
    finish = INCOMPLETE.get(reason)
    if finish is None:
        notes.append(f"incomplete_details.reason: {reason!r} is not known, kept as it is")
        return reason
    if reason == "steered" or reason == "max_messages":
        notes.append(f"incomplete_details.reason: {reason!r}, read as {finish!r}")
    return finish


cdef tuple _message(list items, str model, notes, list thoughts):
    """Return the output items as an assistant message, and the log probabilities of its text."""
    cdef object only
    if len(items) == 1:
        only = _only_text(items[0])
        if only is not None:
            return Message("assistant", only), None
    return _whole_message(items, model, notes, thoughts)


cdef object _only_text(item):
    """Return the text of a message that is nothing else, `None` for another item."""
    parts = item.content
    if item.type != "message" or parts is None or len(<list>parts) != 1:
        return None
    part = (<list>parts)[0]
    if part.annotations or part.logprobs or part.refusal is not None:
        return None
    return part.text


cdef tuple _whole_message(list items, str model, notes, list thoughts):
    """Return any output items as `_message` does."""
    cdef list texts = []
    cdef list refusals = []
    cdef list annotations = []
    cdef list logprobs = []
    cdef list calls = []
    cdef list details = []
    cdef Py_ssize_t messages = 0
    cdef Py_ssize_t size = 0
    for place, item in enumerate(items):
        kind = item.type
        if kind == "message":
            messages += 1
            for at, part in enumerate(item.content or ()):
                if part.text is not None and part.type != "refusal":
                    if part.annotations:
                        cited = annotations_of(part.annotations, size)
                        if len(cited) != len(<list>part.annotations):
                            notes.append(
                                f"output[{place}].content[{at}].annotations: what is no object is "
                                "left out"
                            )
                        annotations += cited
                    if part.logprobs:
                        logprobs += part.logprobs
                    texts.append(part.text)
                    size += len(part.text)
                elif part.refusal is not None:
                    refusals.append(part.refusal)
                else:
                    notes.append(f"output[{place}].content[{at}]: {part.type}, left in response.raw")
        elif kind in CALLS and item.name is not None:
            calls.append(call_of(item, f"output[{place}]", notes))
        elif kind == "reasoning":
            text = reasoning_text(item) if thoughts is None else thoughts[len(details)]
            details.append(thought_of(item, text, model))
        else:
            notes.append(f"output[{place}]: {kind}, left in response.raw")
    if messages > 1:
        notes.append(f"output: {messages} messages, joined in content")
    return Message(
        "assistant",
        None if not texts else texts[0] if len(texts) == 1 else "".join(texts),
        None,
        calls or None,
        None,
        "".join([block.text for block in details if block.text]) or None,
        details or None,
        "".join(refusals) if refusals else None,
        annotations or None,
    ), {"content": logprobs, "refusal": None} if logprobs else None


def call_of(item, str path not None, notes):
    """Return the `ToolCall` in an item, which has a name; *path* is the item's, for notes."""
    id_ = item.call_id or item.id
    if not id_:
        id_ = made_call_id()
        notes.append(f"{path}.call_id: missing, made up")
    if item.namespace is not None:
        notes.append(f"{path}.namespace: left in response.raw")
    if item.type == "custom_tool_call":
        text = item.input if type(item.input) is str else json_text(item.input)
        return ToolCall(id_, None, "custom", {"name": item.name, "input": text})
    text = item.arguments
    if text is None or (type(text) is str and not text.strip()):
        notes.append(f"{path}.arguments: {'missing' if text is None else 'empty'}, read as {{}}")
        text = "{}"
    elif type(text) is not str:
        notes.append(f"{path}.arguments: no text, read as JSON")
        text = json_text(text)
    return ToolCall(id_, FunctionCall(item.name, text))


def reasoning_text(item):
    """Return the text of a reasoning item: its summary, or else its content; `None` without one."""
    for parts in (item.summary, item.content):
        found = PARAGRAPH.join([part.text for part in parts or () if part.text])
        if found:
            return found
    return None


def thought_of(item, text, str model):
    """Return a reasoning item as `ReasoningBlock`; *text* is what the message tells of it."""
    kind = "reasoning.text"
    if item.encrypted_content:
        kind = "reasoning.encrypted"
    elif item.summary:
        kind = "reasoning.summary"
    return ReasoningBlock(
        kind, text, None, item.encrypted_content or None, model, item.id, FORMAT
    )


def annotations_of(list given not None, Py_ssize_t shift):
    """Return the citations of a text as chat completions have them, the other annotations as given.

    *shift* is where the text begins in the content.
    """
    found = []
    for annotation in given:
        if not isinstance(annotation, dict):
            continue
        kind = annotation.get("type")
        cited = {name: value for name, value in annotation.items() if name != "type"}
        for name in ("start_index", "end_index"):
            if shift and type(cited.get(name)) is int:
                cited[name] += shift
        found.append({"type": kind, kind: cited} if kind == CITATION else {"type": kind, **cited})
    return found


cpdef needs_native(list items):
    """Return whether the canonical fields do not reproduce the items."""
    cdef bint has_text = False
    cdef bint has_call = False
    for item in items:
        kind = item.type
        if kind == "message":
            if has_text or has_call or item.phase is not None:
                return True
            for part in item.content or ():
                if part.annotations:
                    return True
            has_text = True
        elif kind in CALLS:
            if item.namespace is not None:
                return True
            has_call = True
        else:
            return True
    return False


def read_stored(list raws not None, str model not None):
    """Return the blocks of a stored record and the canonical reasoning; see `READERS`."""
    found = _decode(b'{"output":[' + b",".join(raws) + b"]}").output
    message, _ = _message(found, model, Notes(), None)
    return stored_blocks(found, raws, message), message.reasoning


READERS[DIALECT] = read_stored


cpdef usage_of(found, notes):
    """Return the canonical usage; the totals include the cached tokens and the reasoning's."""
    if found is None:
        return None
    prompt, completion = found.input_tokens, found.output_tokens
    if prompt is None or completion is None or prompt < 0 or completion < 0:
        _complete_usage(found, notes)
        prompt, completion = found.input_tokens or 0, found.output_tokens or 0
    details, parts = found.input_tokens_details, found.output_tokens_details
    return Usage(
        prompt,
        completion,
        prompt + completion if found.total_tokens is None else found.total_tokens,
        PromptTokensDetails(details.cached_tokens, details.cache_write_tokens)
        if details is not None else None,
        CompletionTokensDetails(parts.reasoning_tokens) if parts is not None else None,
    )


cdef int _complete_usage(found, notes) except -1:
    """Note the counts that are missing or negative, and read them as 0."""
    for name in ("input_tokens", "output_tokens"):
        count = getattr(found, name)
        if (count is None and f"usage.{name}" not in notes.repaired) or (count or 0) < 0:
            notes.append(f"usage.{name}: {'missing' if count is None else 'negative'}, read as 0")
            notes.bill("unknown")
            setattr(found, name, 0)
    return 0
