"""Responses reply and stream encoder: canonical form to bytes (openai 3.57, 2026-11-30).

A reply has one answer. Its reasoning, text and calls become output items in this order; an answer
of a Responses API with recorded items is written as it came. In a stream a message or a reasoning
item ends where another item begins, and a call where its input is complete.
"""

cimport cython

import json

import msgspec

from specado._core.json_writer cimport JsonWriter
from specado._core.reply_encoder cimport (
    BLOCK, CACHED_TOKENS, CALL_CUSTOM, CALL_FUNCTION, CALL_ID, CALL_PIECE, CHOICE,
    CHOICE_LOGPROBS, CHOICE_MESSAGE, CHOICE_REASON, CHUNK, CHUNK_CHOICE, CHUNK_CHOICES,
    CHUNK_CREATED, CHUNK_DELTA, CHUNK_FINGERPRINT, CHUNK_ID, CHUNK_INDEX, CHUNK_LOGPROBS,
    CHUNK_MODEL, CHUNK_REASON, CHUNK_TIER, CHUNK_USAGE, COMPLETION_TOKENS, DELTA,
    DELTA_ANNOTATIONS, DELTA_AUDIO, DELTA_CALLS, DELTA_CONTENT, DELTA_DETAILS, DELTA_REASONING,
    DELTA_REFUSAL, DELTA_ROLE, FUNCTION_ARGUMENTS, FUNCTION_CALL, FUNCTION_NAME, FUNCTION_PIECE,
    JsonProgress, Losses, MESSAGE, MESSAGE_ANNOTATIONS, MESSAGE_AUDIO, MESSAGE_CALLS,
    MESSAGE_CONTENT, MESSAGE_DETAILS, MESSAGE_NATIVE, MESSAGE_REASONING, MESSAGE_REFUSAL,
    MESSAGE_ROLE, PIECE_ARGUMENTS, PIECE_CUSTOM, PIECE_FUNCTION, PIECE_ID, PIECE_INDEX,
    PIECE_NAME, PROMPT_TOKENS, REASONING_TOKENS, RESPONSE, RESPONSE_CHOICES, RESPONSE_CREATED,
    RESPONSE_FINGERPRINT, RESPONSE_ID, RESPONSE_MODEL, RESPONSE_TIER, RESPONSE_USAGE, TOOL_CALL,
    USAGE, USAGE_COMPLETION, USAGE_COMPLETION_DETAILS, USAGE_PROMPT, USAGE_PROMPT_DETAILS,
    USAGE_TOTAL, WRITTEN_TOKENS, text_of_parts,
)
from specado._core.reply_fields cimport (
    check,
    field,
    number,
    offset_of,
    taken,
    text_or_null,
)
from specado._core.replies cimport Pieces
from specado._core.openai_responses.carried import carry, is_own, shown_text
from specado._core.openai_responses.server_loss_rows import (
    REPLY_ANNOTATIONS, REPLY_AUDIO, REPLY_CHOICES, REPLY_FINGERPRINT, REPLY_FINISH_REASON,
    REPLY_LOGPROBS, REPLY_REASONING, REPLY_REASONING_CARRIED, REPLY_REASONING_MODEL, REPLY_ROLE,
    REPLY_SERVICE_TIER, REPLY_TOOL_CALL_PIECE, REPLY_TOOL_USE, REPLY_USAGE,
)
from specado._core.repair import made_call_id
from specado.types import ChatCompletionChunk, ChatCompletionResponse

# The dialect of the records whose items are written as they came.
cdef str DIALECT = "openai_responses"
# The finish reasons of replies whose status is not `completed`, and why they are incomplete.
cdef dict INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
cdef frozenset TIERS = frozenset({
    "auto", "default", "flex", "scale", "priority", "fast", "ultrafast",
})
# The codes of a failed response (`openai.types.responses.ResponseError`).
cdef frozenset FAILURES = frozenset({
    "server_error", "rate_limit_exceeded", "invalid_prompt", "data_residency_mismatch",
    "bio_policy", "misalignment_policy_violation", "vector_store_timeout", "invalid_image",
    "invalid_image_format", "invalid_base64_image", "invalid_image_url", "image_too_large",
    "image_too_small", "image_parse_error", "image_content_policy_violation",
    "invalid_image_mode", "image_file_too_large", "unsupported_image_media_type",
    "empty_image_file", "failed_to_download_image", "image_file_not_found",
})
# The members that each kind of annotation has in a Responses reply.
cdef dict ANNOTATIONS = {
    "file_citation": ("file_id", "filename", "index"),
    "container_file_citation": (
        "container_id", "end_index", "file_id", "filename", "start_index",
    ),
    "file_path": ("file_id", "index"),
}
# The longest part of a reply's id in the ids of its items, which have 64 characters at most.
cdef Py_ssize_t MAX_STEM = 48


# Counts without a counterpart in the API's usage: their offset and their path.
cdef tuple UNCOUNTED_PROMPT = tuple([
    (offset_of(PROMPT_TOKENS, name), f"usage.prompt_tokens_details.{name}")
    for name in (
        "audio_tokens", "image_tokens", "text_tokens", "cache_write_1h_tokens",
    )
])
cdef tuple UNCOUNTED_COMPLETION = tuple([
    (offset_of(COMPLETION_TOKENS, name), f"usage.completion_tokens_details.{name}")
    for name in (
        "audio_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens", "text_tokens",
    )
])

cdef str stem_of(str id_):
    """Return what a reply's id adds to the ids of its items."""
    return id_.rpartition("_")[2][:MAX_STEM] if id_.startswith("resp_") else id_[:MAX_STEM]


def encode_reply(reply):
    """Return a `ChatCompletionResponse` as the JSON body of the Responses API, and the losses.

    Extensions, headers, the raw body and the members that repeat the request are not written. A
    text that UTF-8 cannot hold, a number that is not finite and the like are `NotJson`.
    """
    cdef JsonWriter out = JsonWriter()
    cdef Losses losses = Losses()
    cdef Ending ending
    cdef list choices
    check(reply, RESPONSE)
    choices = <list?>field(reply, RESPONSE_CHOICES)
    if not choices:
        raise ValueError("a reply without a choice has no form in the Responses API")
    check(choices[0], CHOICE)
    for place in range(1, len(choices)):
        losses.add(REPLY_CHOICES, f"choices[{place}]", choices[place], None)
    losses.drop(REPLY_FINGERPRINT, "system_fingerprint", field(reply, RESPONSE_FINGERPRINT))
    message = field(choices[0], CHOICE_MESSAGE)
    check(message, MESSAGE)
    ending = ending_of(
        field(choices[0], CHOICE_REASON), bool(field(message, MESSAGE_CALLS)), losses
    )
    id_ = <str?>field(reply, RESPONSE_ID)
    model = <str?>field(reply, RESPONSE_MODEL)
    items = items_of(choices[0], message, stem_of(id_), model, ending, losses)
    write_response(
        out, id_, model, field(reply, RESPONSE_CREATED), ending, items,
        tier_of(field(reply, RESPONSE_TIER), losses), field(reply, RESPONSE_USAGE), losses,
    )
    return out.finish(), losses.reported


# The parts of a response.

@cython.final
cdef class Ending:
    """The status of a response and why it is incomplete, as JSON."""
    cdef bytes status, details
    cdef bint is_incomplete

    @staticmethod
    cdef Ending of(str status, object reason):
        cdef Ending found = Ending()
        found.is_incomplete = status == "incomplete"
        found.status = status.encode()
        found.details = b"null" if reason is None else b'{"reason":"%s"}' % reason.encode()
        return found


cdef Ending IN_PROGRESS = Ending.of("in_progress", None)
cdef Ending FAILED = Ending.of("failed", None)


cdef Ending ending_of(object reason, bint has_calls, Losses losses):
    """Return the status for a finish reason."""
    path = "choices[0].finish_reason"
    if reason == "stop" and has_calls:
        losses.add(REPLY_TOOL_USE, path, reason, "tool_calls")
    elif reason in INCOMPLETE:
        return Ending.of("incomplete", INCOMPLETE[reason])
    elif reason is None or reason == "incomplete":
        if reason is None:
            losses.add(REPLY_FINISH_REASON, path, None, "incomplete")
        return Ending.of("incomplete", None)
    elif reason != "stop" and (reason != "tool_calls" or not has_calls):
        losses.add(REPLY_FINISH_REASON, path, reason, "tool_calls" if has_calls else "stop")
    return Ending.of("completed", None)


cdef object tier_of(object tier, Losses losses):
    """Return a service tier, None (with a loss) if the API has no such one."""
    if tier is not None and tier not in TIERS:
        losses.add(REPLY_SERVICE_TIER, "service_tier", tier, None)
        return None
    return tier


cdef int write_response(
    JsonWriter out, str id_, str model, object created, Ending ending, list items, object tier,
    object usage, Losses losses, bytes error=b"null",
) except -1:
    """Write a response object; *items* is the JSON of its output items."""
    out.literal(b'{"id":')
    out.string(id_)
    out.literal(b',"object":"response","created_at":')
    number(out, created)
    out.literal(b',"status":"')
    out.literal(ending.status)
    out.literal(b'","error":')
    out.literal(error)
    out.literal(b',"incomplete_details":')
    out.literal(ending.details)
    out.literal(b',"instructions":null,"max_output_tokens":null,"model":')
    out.string(model)
    out.literal(b',"output":[')
    out.literal(b",".join(items))
    out.literal(
        b'],"parallel_tool_calls":true,"previous_response_id":null,"reasoning":{"effort":null,'
        b'"summary":null},"service_tier":'
    )
    text_or_null(out, tier)
    out.literal(
        b',"temperature":null,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],'
        b'"top_p":null,"truncation":"disabled","usage":'
    )
    write_usage(out, usage, losses)
    return out.literal(b',"user":null,"metadata":{}}')


cdef int write_usage(JsonWriter out, object usage, Losses losses) except -1:
    if usage is None:
        return out.raw(b"null", 4)
    check(usage, USAGE)
    out.literal(b'{"input_tokens":')
    number(out, field(usage, USAGE_PROMPT))
    cached = written = reasoning = 0
    details = field(usage, USAGE_PROMPT_DETAILS)
    if details is not None:
        check(details, PROMPT_TOKENS)
        cached = field(details, CACHED_TOKENS) or 0
        written = field(details, WRITTEN_TOKENS) or 0
        drop_counts(details, UNCOUNTED_PROMPT, losses)
    out.literal(b',"input_tokens_details":{"cache_write_tokens":')
    number(out, written)
    out.literal(b',"cached_tokens":')
    number(out, cached)
    out.literal(b'},"output_tokens":')
    number(out, field(usage, USAGE_COMPLETION))
    details = field(usage, USAGE_COMPLETION_DETAILS)
    if details is not None:
        check(details, COMPLETION_TOKENS)
        reasoning = field(details, REASONING_TOKENS) or 0
        drop_counts(details, UNCOUNTED_COMPLETION, losses)
    out.literal(b',"output_tokens_details":{"reasoning_tokens":')
    number(out, reasoning)
    out.literal(b'},"total_tokens":')
    number(out, field(usage, USAGE_TOTAL))
    return out.byte(b"}")


cdef int drop_counts(object details, tuple counts, Losses losses) except -1:
    """Report the counts that the API's usage has no place for; zeros say nothing."""
    cdef Py_ssize_t offset
    for each in counts:
        offset = (<tuple>each)[0]
        count = field(details, offset)
        if count:
            losses.add(REPLY_USAGE, <str>(<tuple>each)[1], count, None)
    return 0


# Items of a whole reply.

cdef list items_of(
    object choice, object message, str stem, str model, Ending ending, Losses losses
):
    """Return the JSON of each output item of an answer."""
    cdef list items
    role = field(message, MESSAGE_ROLE)
    if role != "assistant":
        losses.add(REPLY_ROLE, "choices[0].message.role", role, "assistant")
    losses.drop(REPLY_AUDIO, "choices[0].message.audio", field(message, MESSAGE_AUDIO))
    native = field(message, MESSAGE_NATIVE)
    if native is not None and native.dialect == DIALECT and is_unchanged(message, native):
        return [block.raw for block in native.blocks]
    items = reasoning_items(message, stem, model, losses)
    add_message(items, choice, message, stem, ending, losses)
    for call in <list?>(field(message, MESSAGE_CALLS) or []):
        items.append(call_item(call, f"{stem}_{len(items)}", b"completed"))
    if ending.is_incomplete and items and items[-1].endswith(COMPLETED_AT_END):
        items[-1] = items[-1][:-len(COMPLETED_AT_END)] + b',"status":"incomplete"}'
    return items


# How the items end that have a status.
cdef bytes COMPLETED_AT_END = b',"status":"completed"}'


cdef bint is_unchanged(object message, object native) except -1:
    """Return whether a message says what the items in its record say."""
    texts = []
    calls = []
    is_cited = False
    for block in native.blocks:
        if block.kind == "text":
            texts.append(block.values[0])
            is_cited = is_cited or block.values[1]
        elif block.kind == "call":
            calls.append(block.values)
    return (
        message.content == ("".join(texts) if texts else None)
        and not message.refusal
        and (not is_cited or bool(message.annotations))
        and calls == [call_values(call) for call in message.tool_calls or ()]
        and native.kept_reasoning(message.reasoning, message.reasoning_details) is None
    )


cdef tuple call_values(object call):
    """Return the id, the name and the input of a call."""
    if call.custom is not None:
        return call.id, call.custom.get("name"), call.custom.get("input")
    return call.id, call.function.name, call.function.arguments


cdef list reasoning_items(object message, str stem, str model, Losses losses):
    """Return the JSON of the reasoning items: of each block, or of the text without blocks."""
    cdef list items = []
    reasoning, details = field(message, MESSAGE_REASONING), field(message, MESSAGE_DETAILS)
    path = "choices[0].message"
    if not details:
        if reasoning:
            items.append(reasoning_item(f"rs_{stem}_0", reasoning, False, None))
        return items
    text = "".join([shown_text(block) for block in details])
    if reasoning and reasoning != text:
        losses.add(REPLY_REASONING, f"{path}.reasoning", reasoning, text)
    for place, block in enumerate(<list?>details):
        check(block, BLOCK)
        where = f"{path}.reasoning_details[{place}]"
        if is_own(block) and block.id:
            note_origin(block, model, where, losses)
            items.append(own_item(block))
        else:
            losses.add(REPLY_REASONING_CARRIED, where, block, None)
            items.append(
                reasoning_item(f"rs_{stem}_{place}", shown_text(block), False, carry(block))
            )
    return items


cdef int note_origin(object block, object model, str path, Losses losses) except -1:
    if block.model is not None and block.model != model:
        losses.add(REPLY_REASONING_MODEL, f"{path}.model", block.model, model)
    return 0


cdef bytes own_item(object block):
    """Return the reasoning item that a block came from."""
    return reasoning_item(block.id, block.text, block.type == "reasoning.text", block.data)


cdef bytes reasoning_item(str id_, object text, bint is_content, object data):
    """Return a reasoning item with its text as a summary, or as content where it had no other."""
    cdef JsonWriter out = JsonWriter()
    out.literal(b'{"id":')
    out.string(id_)
    out.literal(b',"type":"reasoning","summary":[')
    if is_content:
        out.literal(b'],"content":[')
    if text:
        out.literal(b'{"type":"reasoning_text","text":' if is_content
                    else b'{"type":"summary_text","text":')
        out.string(<str?>text)
        out.byte(b"}")
    out.byte(b"]")
    if data:
        out.literal(b',"encrypted_content":')
        out.string(<str?>data)
    out.byte(b"}")
    return out.finish()


cdef int add_message(
    list items, object choice, object message, str stem, Ending ending, Losses losses
) except -1:
    """Add the item of a message's text and refusal, if it has any."""
    cdef list parts = []
    content = field(message, MESSAGE_CONTENT)
    if type(content) is list:
        content = text_of_parts(content, "choices[0].message.content", losses)
    annotations = field(message, MESSAGE_ANNOTATIONS) or []
    logprobs = field(choice, CHOICE_LOGPROBS)
    if content:
        flat = flat_annotations(annotations, 0, "choices[0].message.annotations", losses)
        found = logprobs_of(logprobs, "choices[0].logprobs", losses)
        parts.append(text_part(content, flat, found))
    else:
        losses.drop(REPLY_ANNOTATIONS, "choices[0].message.annotations", annotations or None)
        losses.drop(REPLY_LOGPROBS, "choices[0].logprobs", logprobs)
    refusal = field(message, MESSAGE_REFUSAL)
    if refusal:
        parts.append(refusal_part(refusal))
    if parts:
        items.append(message_item(f"msg_{stem}_{len(items)}", parts, b"completed"))
    return 0


cdef bytes message_item(str id_, list parts, bytes status):
    cdef JsonWriter out = JsonWriter()
    out.literal(b'{"id":')
    out.string(id_)
    out.literal(b',"type":"message","role":"assistant","content":[')
    out.literal(b",".join(parts))
    out.literal(b'],"status":"')
    out.literal(status)
    out.literal(b'"}')
    return out.finish()


cdef bytes text_part(object text, list annotations, list logprobs):
    cdef JsonWriter out = JsonWriter()
    out.literal(b'{"type":"output_text","annotations":')
    out.value(annotations, 0)
    out.literal(b',"logprobs":')
    out.value(logprobs, 0)
    out.literal(b',"text":')
    out.string(<str?>text)
    out.byte(b"}")
    return out.finish()


cdef bytes refusal_part(object text):
    cdef JsonWriter out = JsonWriter()
    out.literal(b'{"type":"refusal","refusal":')
    out.string(<str?>text)
    out.byte(b"}")
    return out.finish()


cdef bytes call_item(object call, str name, bytes status):
    """Return the item of a call; *name* is what its id has beside the prefix of its kind."""
    check(call, TOOL_CALL)
    custom = field(call, CALL_CUSTOM)
    if custom is not None:
        return written_call(
            f"ctc_{name}", field(call, CALL_ID), custom.get("name"), custom.get("input"), True,
            status,
        )
    function = field(call, CALL_FUNCTION)
    check(function, FUNCTION_CALL)
    return written_call(
        f"fc_{name}", field(call, CALL_ID), field(function, FUNCTION_NAME),
        field(function, FUNCTION_ARGUMENTS), False, status,
    )


cdef bytes written_call(
    str id_, object call_id, object name, object text, bint is_custom, bytes status
):
    """Return a call's item; that of a custom call has no status."""
    cdef JsonWriter out = JsonWriter()
    out.literal(b'{"id":')
    out.string(id_)
    out.literal(b',"type":"custom_tool_call","call_id":' if is_custom
                else b',"type":"function_call","call_id":')
    out.string(<str?>call_id)
    out.literal(b',"name":')
    out.string(<str?>name)
    out.literal(b',"input":' if is_custom else b',"arguments":')
    out.string(<str?>text)
    if not is_custom:
        out.literal(b',"status":"')
        out.literal(status)
        out.byte(b'"')
    out.byte(b"}")
    return out.finish()


# Annotations and log probabilities.

cdef list flat_annotations(list annotations, Py_ssize_t start, str path, Losses losses):
    """Return citations as the API has them; those that it lacks are reported.

    *start* is where the text of the item begins in the content, from which chat counts.
    """
    cdef list found = []
    for place, annotation in enumerate(annotations):
        flat = flat_annotation(annotation, start)
        if flat is None:
            losses.add(REPLY_ANNOTATIONS, f"{path}[{place}]", annotation, None)
        else:
            found.append(flat)
    return found


cdef dict flat_annotation(object annotation, Py_ssize_t start):
    """Return a citation of a URL with one level less; `None` for one that the API lacks."""
    if not isinstance(annotation, dict):
        return None
    kind = annotation.get("type")
    if kind in ANNOTATIONS:
        names = ANNOTATIONS[kind]
        return annotation if set(annotation) == {"type", *names} else None
    cited = annotation.get("url_citation") if kind == "url_citation" else None
    if not isinstance(cited, dict) or set(cited) != {"start_index", "end_index", "title", "url"}:
        return None
    first, last = cited["start_index"], cited["end_index"]
    if type(first) is not int or type(last) is not int or first < start:
        return None
    return {
        "type": "url_citation", "start_index": first - start, "end_index": last - start,
        "title": cited["title"], "url": cited["url"],
    }


cdef list logprobs_of(object given, str path, Losses losses):
    """Return the log probabilities of the text's tokens; those of a refusal have no place."""
    if given is None:
        return []
    losses.drop(REPLY_LOGPROBS, f"{path}.refusal", given.get("refusal"))
    return [
        {**with_bytes(token), "top_logprobs": [
            with_bytes(each) for each in token.get("top_logprobs") or ()
        ]}
        for token in given.get("content") or ()
    ]


cdef dict with_bytes(dict token):
    """Return a token with its bytes, which chat completions may leave out."""
    found = token.get("bytes")
    if found is None:
        found = list(token["token"].encode("utf-8", "replace"))
    return {"token": token["token"], "bytes": found, "logprob": token["logprob"]}


cdef list event_logprobs(list tokens):
    """Return log probabilities as the events of a stream have them, without bytes."""
    return [
        {
            "token": token["token"],
            "logprob": token["logprob"],
            "top_logprobs": [
                {"token": each["token"], "logprob": each["logprob"]}
                for each in token["top_logprobs"]
            ],
        }
        for token in tokens
    ]


# Streams.

cdef enum:
    NONE = 0
    TEXT = 1
    REFUSAL = 2


@cython.final
cdef class OpenMessage:
    """The message item of a stream that is being written."""
    cdef Py_ssize_t index    # of the item in the output
    cdef str id
    cdef list parts          # the JSON of the parts that are complete
    cdef int kind            # of the part that is being written
    cdef Pieces text
    cdef list annotations, logprobs
    cdef bytes head          # of the events of the open text part's deltas


@cython.final
cdef class OpenReasoning:
    """The reasoning item of a stream that is being written."""
    cdef Py_ssize_t index
    cdef str id
    cdef Pieces text
    cdef bint has_text
    cdef bint is_pieced      # whether blocks added text beside the reasoning


@cython.final
cdef class OpenCall:
    """A call of a stream; its item begins with its input, so that its name is complete."""
    cdef Py_ssize_t index
    cdef str id, call_id, name, path
    cdef Pieces text
    cdef JsonProgress progress
    cdef bint is_custom, is_started, is_closed


@cython.final
cdef class ResponsesStreamEncoder:
    """Writes canonical chunks as a stream of the Responses API (server-sent events).

    The first choice of the stream is written. Pieces of several calls may alternate: their
    items are then open at the same time, and differ by their index. `losses` has each loss once.
    One per stream; not for two threads at once.
    """
    cdef JsonWriter _out
    cdef Losses _losses
    cdef OpenMessage _message
    cdef OpenReasoning _reasoning
    cdef dict _calls             # index of a call to its OpenCall
    cdef list _items             # the JSON of the items, None for those that are open
    cdef Py_ssize_t _sequence    # number of the next event
    cdef Py_ssize_t _written     # characters of text in earlier messages
    cdef bint _is_started
    cdef object _choice, _id, _stem, _model, _created, _usage, _reason, _tier

    def __cinit__(self):
        self._out = JsonWriter()
        self._losses = Losses()
        self._losses.seen = set()
        self._calls = {}
        self._items = []

    @property
    def losses(self):
        return self._losses.reported

    def encode(self, chunk):
        """Return the events of a `ChatCompletionChunk`; `b""` if it brings nothing to write yet."""
        cdef JsonWriter out = self._out
        check(chunk, CHUNK)
        out.size = 0    # what an error left half written
        usage = field(chunk, CHUNK_USAGE)
        if usage is not None:
            self._usage = usage
        tier = field(chunk, CHUNK_TIER)
        if tier is not None:
            self._tier = tier_of(tier, self._losses)
        if not self._is_started:
            self._start(chunk)
        fingerprint = field(chunk, CHUNK_FINGERPRINT)
        if fingerprint is not None:
            self._losses.add(REPLY_FINGERPRINT, "system_fingerprint", fingerprint, None)
        for choice in <list?>field(chunk, CHUNK_CHOICES):
            check(choice, CHUNK_CHOICE)
            index = field(choice, CHUNK_INDEX)
            if self._choice is None:
                self._choice = index
            if index == self._choice:
                self._take(choice)
            else:
                self._losses.add(REPLY_CHOICES, f"choices[{index}]", choice, None)
        return taken(out) if out.size else b""

    def finish(self):
        """Return the events that end a whole stream: those of open items, and the response."""
        cdef JsonWriter out = self._out
        cdef Ending ending
        out.size = 0
        if not self._is_started:
            self._start(CHUNK("", "", []))
        ending = ending_of(self._reason, bool(self._calls), self._losses)
        self._close_all(b"incomplete" if ending.is_incomplete else b"completed")
        self._event_with_response(b"incomplete" if ending.is_incomplete else b"completed", ending,
                                  b"null")
        return out.finish()

    def fail(self, bytes body not None):
        """Return the events of an error, whose *body* is that of `encode_responses_error`.

        They are an `error` and, if the response had begun, `response.failed` with the complete
        items. The stream ends with them: the response is incomplete.
        """
        cdef JsonWriter out = self._out
        error = json.loads(body)["error"]
        out.size = 0
        self._event(b"error")
        out.literal(b',"code":')
        text_or_null(out, error.get("code"))
        out.literal(b',"message":')
        out.string(error["message"])
        out.literal(b',"param":')
        text_or_null(out, error.get("param"))
        self._end_event()
        if self._is_started:
            code = error.get("code")
            failure = {
                "code": code if code in FAILURES else "server_error", "message": error["message"],
            }
            self._items = [item for item in self._items if item is not None]
            self._event_with_response(b"failed", FAILED, msgspec.json.encode(failure))
        return out.finish()

    # Events

    cdef int _event(self, bytes name) except -1:
        """Begin an event."""
        cdef JsonWriter out = self._out
        out.literal(b"event: ")
        out.literal(name)
        out.literal(b'\ndata: {"type":"')
        out.literal(name)
        return out.byte(b'"')

    cdef int _end_event(self) except -1:
        cdef JsonWriter out = self._out
        out.literal(b',"sequence_number":')
        out.integer(self._sequence)
        self._sequence += 1
        return out.raw(b"}\n\n", 3)

    cdef int _event_with_response(self, bytes name, Ending ending, bytes error) except -1:
        cdef JsonWriter out = self._out
        self._event(b"response." + name)
        out.literal(b',"response":')
        write_response(out, self._id, self._model, self._created, ending, self._items, self._tier,
                       self._usage, self._losses, error)
        return self._end_event()

    cdef int _item_event(self, bytes name, Py_ssize_t index, str id_) except -1:
        """Begin an event about the content of an item."""
        cdef JsonWriter out = self._out
        self._event(name)
        out.literal(b',"item_id":')
        out.string(id_)
        out.literal(b',"output_index":')
        return out.integer(index)

    cdef int _whole_item(self, bytes name, Py_ssize_t index, bytes item) except -1:
        """Write an event with a whole item."""
        cdef JsonWriter out = self._out
        self._event(name)
        out.literal(b',"output_index":')
        out.integer(index)
        out.literal(b',"item":')
        out.literal(item)
        return self._end_event()

    cdef Py_ssize_t _new_item(self) except -1:
        self._items.append(None)
        return len(self._items) - 1

    cdef int _done(self, Py_ssize_t index, bytes item) except -1:
        self._items[index] = item
        return self._whole_item(b"response.output_item.done", index, item)

    cdef int _start(self, chunk) except -1:
        """Write `response.created` and `response.in_progress`."""
        self._is_started = True
        self._id = <str?>field(chunk, CHUNK_ID)
        self._stem = stem_of(self._id)
        self._model = <str?>field(chunk, CHUNK_MODEL)
        self._created = field(chunk, CHUNK_CREATED)
        usage, self._usage = self._usage, None    # known at the end only
        self._event_with_response(b"created", IN_PROGRESS, b"null")
        self._event_with_response(b"in_progress", IN_PROGRESS, b"null")
        self._usage = usage
        return 0

    cdef int _take(self, choice) except -1:
        """Write the content that a chunk adds to the answer."""
        delta = field(choice, CHUNK_DELTA)
        check(delta, DELTA)
        reason = field(choice, CHUNK_REASON)
        if reason is not None:
            self._reason = reason
        reasoning, details = field(delta, DELTA_REASONING), field(delta, DELTA_DETAILS)
        if reasoning is not None or details is not None:
            self._add_thoughts(reasoning, details)
        text, logprobs = field(delta, DELTA_CONTENT), field(choice, CHUNK_LOGPROBS)
        if text:
            self._add_text(<str?>text, logprobs)
        elif logprobs is not None:
            self._add_logprobs(logprobs)
        refusal = field(delta, DELTA_REFUSAL)
        if refusal:
            self._add_refusal(<str?>refusal)
        calls = field(delta, DELTA_CALLS)
        if calls is not None:
            for piece in <list?>calls:
                self._add_piece(piece)
        if (
            field(delta, DELTA_ANNOTATIONS) is not None or field(delta, DELTA_AUDIO) is not None
            or field(delta, DELTA_ROLE) is not None
        ):
            self._take_rest(delta)
        return 0

    cdef int _take_rest(self, delta) except -1:
        """Write annotations, and report members that a message cannot hold."""
        path = "choices[0].delta"
        role = field(delta, DELTA_ROLE)
        if role is not None and role != "assistant":
            self._losses.add(REPLY_ROLE, f"{path}.role", role, "assistant")
        self._losses.drop(REPLY_AUDIO, f"{path}.audio", field(delta, DELTA_AUDIO))
        annotations = field(delta, DELTA_ANNOTATIONS)
        if annotations:
            self._add_annotations(<list?>annotations, f"{path}.annotations")
        return 0

    # Messages

    cdef int _open_part(self, int kind) except -1:
        """Open a part of a message, and the message's item if none is open."""
        cdef OpenMessage message = self._message
        cdef JsonWriter out = self._out
        if message is None:
            self._close_others()
            message = self._message = OpenMessage()
            message.index = self._new_item()
            message.id = f"msg_{self._stem}_{message.index}"
            message.parts = []
            self._whole_item(b"response.output_item.added", message.index,
                             message_item(message.id, [], b"in_progress"))
        elif message.kind == kind:
            return 0
        else:
            self._close_part()
        message.kind = kind
        message.text = Pieces()
        message.annotations, message.logprobs = [], []
        self._item_event(b"response.content_part.added", message.index, message.id)
        self._write_part(text_part("", [], []) if kind == TEXT else refusal_part(""))
        message.head = self._delta_head(message)
        return 0

    cdef bytes _delta_head(self, OpenMessage message):
        """Return what all events of a text part's deltas begin with."""
        cdef JsonWriter out = JsonWriter()
        out.literal(
            b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta",'
            b'"item_id":'
        )
        out.string(message.id)
        out.literal(b',"output_index":')
        out.integer(message.index)
        out.literal(b',"content_index":')
        out.integer(len(message.parts))
        out.literal(b',"logprobs":')
        return out.finish()

    cdef int _write_part(self, bytes part) except -1:
        cdef JsonWriter out = self._out
        out.literal(b',"content_index":')
        out.integer(len(self._message.parts))
        out.literal(b',"part":')
        out.literal(part)
        return self._end_event()

    cdef int _add_text(self, str text, logprobs) except -1:
        cdef JsonWriter out = self._out
        cdef OpenMessage message = self._message
        cdef list tokens
        if message is None or message.kind != TEXT:
            self._open_part(TEXT)
            message = self._message
        out.literal(message.head)
        if logprobs is None:
            out.raw(b"[]", 2)
        else:
            tokens = logprobs_of(logprobs, "choices[0].logprobs", self._losses)
            message.logprobs += tokens
            out.value(event_logprobs(tokens), 0)
        out.literal(b',"delta":')
        out.string(text)
        message.text.add(text)
        return self._end_event()

    cdef int _add_logprobs(self, logprobs) except -1:
        """Keep log probabilities that come without text for the end of the text."""
        cdef OpenMessage message = self._message
        path = "choices[0].logprobs"
        if message is None or message.kind != TEXT:
            return self._losses.add(REPLY_LOGPROBS, path, logprobs, None)
        message.logprobs += logprobs_of(logprobs, path, self._losses)
        return 0

    cdef int _add_annotations(self, list annotations, str path) except -1:
        cdef JsonWriter out = self._out
        cdef OpenMessage message = self._message
        if message is None or message.kind != TEXT:
            return self._losses.add(REPLY_ANNOTATIONS, path, annotations, None)
        for flat in flat_annotations(annotations, self._written, path, self._losses):
            self._item_event(b"response.output_text.annotation.added", message.index, message.id)
            out.literal(b',"content_index":')
            out.integer(len(message.parts))
            out.literal(b',"annotation_index":')
            out.integer(len(message.annotations))
            out.literal(b',"annotation":')
            out.value(flat, 0)
            self._end_event()
            message.annotations.append(flat)
        return 0

    cdef int _add_refusal(self, str text) except -1:
        cdef JsonWriter out = self._out
        cdef OpenMessage message
        self._open_part(REFUSAL)
        message = self._message
        self._item_event(b"response.refusal.delta", message.index, message.id)
        out.literal(b',"content_index":')
        out.integer(len(message.parts))
        out.literal(b',"delta":')
        out.string(text)
        message.text.add(text)
        return self._end_event()

    cdef int _close_part(self) except -1:
        """End the open part of the message."""
        cdef JsonWriter out = self._out
        cdef OpenMessage message = self._message
        cdef str text = message.text.whole()
        is_text = message.kind == TEXT
        self._item_event(
            b"response.output_text.done" if is_text else b"response.refusal.done",
            message.index, message.id,
        )
        out.literal(b',"content_index":')
        out.integer(len(message.parts))
        if is_text:
            out.literal(b',"logprobs":')
            out.value(event_logprobs(message.logprobs), 0)
        out.literal(b',"text":' if is_text else b',"refusal":')
        out.string(text)
        self._end_event()
        if is_text:
            part = text_part(text, message.annotations, message.logprobs)
            self._written += len(text)
        else:
            part = refusal_part(text)
        self._item_event(b"response.content_part.done", message.index, message.id)
        self._write_part(part)
        message.parts.append(part)
        message.kind = NONE
        return 0

    cdef int _close_message(self, bytes status) except -1:
        cdef OpenMessage message = self._message
        if message is None:
            return 0
        self._close_part()
        self._message = None
        return self._done(message.index, message_item(message.id, message.parts, status))

    # Reasoning

    cdef int _add_thoughts(self, reasoning, details) except -1:
        """Write a delta's reasoning text and blocks, which may say the same."""
        if reasoning:
            self._write_thought(<str?>reasoning)
        if details is not None:
            for block in <list?>details:
                check(block, BLOCK)
                self._add_block(block, reasoning)
        return 0

    cdef int _add_block(self, block, reasoning) except -1:
        """Write a reasoning block, or the piece of one, whose text may be written already."""
        cdef OpenReasoning item = self._reasoning
        cdef str text = shown_text(block)
        if not text and block.data is None and block.signature is None and block.id is None:
            return 0
        if item is None and not text and is_own(block) and block.id:
            return self._write_own(block)
        is_written = text == reasoning or (
            item is not None and not item.is_pieced and text == item.text.whole()
        )
        if text and not is_written:
            self._write_thought(text)
            self._reasoning.is_pieced = True
        if text and block.data is None and block.signature is None and not is_own(block):
            return 0    # it may be the piece of a block
        if self._reasoning is None:
            self._open_reasoning()
        return self._close_reasoning(block)

    cdef int _write_own(self, block) except -1:
        """Write a block without text as the item that it came from."""
        self._close_others()
        index = self._new_item()
        note_origin(block, self._model, "choices[0].delta.reasoning_details", self._losses)
        added = reasoning_item(block.id, None, False, None)
        self._whole_item(b"response.output_item.added", index, added)
        return self._done(index, own_item(block))

    cdef int _open_reasoning(self) except -1:
        cdef OpenReasoning item
        self._close_others()
        item = self._reasoning = OpenReasoning()
        item.index = self._new_item()
        item.id = f"rs_{self._stem}_{item.index}"
        item.text = Pieces()
        return self._whole_item(b"response.output_item.added", item.index,
                                reasoning_item(item.id, None, False, None))

    cdef int _write_thought(self, str text) except -1:
        cdef JsonWriter out = self._out
        cdef OpenReasoning item = self._reasoning
        if item is None:
            self._open_reasoning()
            item = self._reasoning
        if not item.has_text:
            if not text:
                return 0
            item.has_text = True
            self._summary_event(b"response.reasoning_summary_part.added", item)
            out.literal(b',"part":{"type":"summary_text","text":""}')
            self._end_event()
        item.text.add(text)
        self._summary_event(b"response.reasoning_summary_text.delta", item)
        out.literal(b',"delta":')
        out.string(text)
        return self._end_event()

    cdef int _summary_event(self, bytes name, OpenReasoning item) except -1:
        self._item_event(name, item.index, item.id)
        return self._out.literal(b',"summary_index":0')

    cdef int _close_reasoning(self, block) except -1:
        """End the reasoning item; it carries *block*, whose id it could not have."""
        cdef JsonWriter out = self._out
        cdef OpenReasoning item = self._reasoning
        cdef str text
        if item is None:
            return 0
        self._reasoning = None
        text = item.text.whole()
        if item.has_text:
            self._summary_event(b"response.reasoning_summary_text.done", item)
            out.literal(b',"text":')
            out.string(text)
            self._end_event()
            self._summary_event(b"response.reasoning_summary_part.done", item)
            out.literal(b',"part":{"type":"summary_text","text":')
            out.string(text)
            out.byte(b"}")
            self._end_event()
        data = None
        if block is not None:
            if item.is_pieced and text:
                block = msgspec.structs.replace(block, text=text)
            path = "choices[0].delta.reasoning_details"
            self._losses.add(REPLY_REASONING_CARRIED, path, block, None)
            data = carry(block)
        return self._done(item.index, reasoning_item(item.id, text, False, data))

    # Calls

    cdef int _add_piece(self, piece) except -1:
        """Take a piece of a call."""
        cdef OpenCall call
        check(piece, CALL_PIECE)
        call = self._calls.get(field(piece, PIECE_INDEX))
        custom, function = field(piece, PIECE_CUSTOM), field(piece, PIECE_FUNCTION)
        if call is None:
            call = self._new_call(piece, custom is not None)
        name = text = None
        if function is not None:
            check(function, FUNCTION_PIECE)
            name, text = field(function, PIECE_NAME), field(function, PIECE_ARGUMENTS)
        elif custom is not None:
            name, text = custom.get("name"), custom.get("input")
        if name:
            self._add_name(call, name)
        if text:
            self._add_input(call, text)
        return 0

    cdef OpenCall _new_call(self, piece, bint is_custom):
        """Begin a call; those before it whose input is complete end."""
        cdef OpenCall call
        self._close_others()
        call = OpenCall()
        call.index = self._new_item()
        call.id = f"{'ctc' if is_custom else 'fc'}_{self._stem}_{call.index}"
        call.call_id = field(piece, PIECE_ID) or made_call_id()
        call.name = ""
        call.path = f"choices[0].delta.tool_calls[{field(piece, PIECE_INDEX)}]"
        call.text = Pieces()
        call.progress = JsonProgress()
        call.is_custom = is_custom
        self._calls[field(piece, PIECE_INDEX)] = call
        return call

    cdef int _add_name(self, OpenCall call, str name) except -1:
        """Add to a name, which a few servers send in pieces."""
        if call.is_started:
            return self._losses.add(REPLY_TOOL_CALL_PIECE, f"{call.path}.name", name, None)
        call.name += name
        return 0

    cdef int _add_input(self, OpenCall call, str text) except -1:
        cdef JsonWriter out = self._out
        if call.is_closed:
            if text.strip():
                self._losses.add(REPLY_TOOL_CALL_PIECE, f"{call.path}.arguments", text, None)
            return 0
        self._start_call(call)
        if not call.is_custom:
            call.progress.add(text)
        call.text.add(text)
        self._item_event(
            b"response.custom_tool_call_input.delta" if call.is_custom
            else b"response.function_call_arguments.delta",
            call.index, call.id,
        )
        out.literal(b',"delta":')
        out.string(text)
        return self._end_event()

    cdef int _start_call(self, OpenCall call) except -1:
        if call.is_started:
            return 0
        call.is_started = True
        return self._whole_item(
            b"response.output_item.added", call.index,
            written_call(call.id, call.call_id, call.name, "", call.is_custom, b"in_progress"),
        )

    cdef int _close_call(self, OpenCall call, bytes status) except -1:
        cdef JsonWriter out = self._out
        cdef str text = call.text.whole()
        self._start_call(call)
        call.is_closed = True
        self._item_event(
            b"response.custom_tool_call_input.done" if call.is_custom
            else b"response.function_call_arguments.done",
            call.index, call.id,
        )
        out.literal(b',"input":' if call.is_custom else b',"arguments":')
        out.string(text)
        self._end_event()
        item = written_call(call.id, call.call_id, call.name, text, call.is_custom, status)
        return self._done(call.index, item)

    # Items one after another

    cdef int _close_others(self) except -1:
        """End what is complete before another item begins, and begin the items before it."""
        cdef OpenCall call
        self._close_message(b"completed")
        self._close_reasoning(None)
        for each in self._calls.values():
            call = each
            if call.progress.is_whole and not call.is_closed:
                self._close_call(call, b"completed")
            else:
                self._start_call(call)
        return 0

    cdef int _close_all(self, bytes status) except -1:
        """End all items; the last one has the *status*."""
        cdef OpenCall call
        last = len(self._items) - 1
        self._close_message(status)
        self._close_reasoning(None)
        for each in self._calls.values():
            call = each
            if not call.is_closed:
                self._close_call(call, status if call.index == last else b"completed")
        return 0
