"""OpenAI chat reply and stream encoder: canonical form to bytes (openai 3.57, 2026-11-22).

`reasoning` and `reasoning_details`, which OpenAI's replies lack, are written under these names, as
OpenRouter's API has them: clients that do not know them skip them.
"""

cimport cython

from specado._core.json_writer cimport JsonWriter
from specado._core.reply_encoder cimport (
    BLOCK, CALL_CUSTOM, CALL_FUNCTION, CALL_ID, CALL_PIECE, CHOICE, CHOICE_INDEX, CHOICE_LOGPROBS,
    CHOICE_MESSAGE, CHOICE_REASON, CHUNK, CHUNK_CHOICE, CHUNK_CHOICES, CHUNK_CREATED, CHUNK_DELTA,
    CHUNK_FINGERPRINT, CHUNK_ID, CHUNK_INDEX, CHUNK_LOGPROBS, CHUNK_MODEL, CHUNK_REASON,
    CHUNK_TIER, CHUNK_USAGE, COMPLETION_TOKENS, DELTA, DELTA_ANNOTATIONS, DELTA_AUDIO,
    DELTA_CALLS, DELTA_CONTENT, DELTA_DETAILS, DELTA_REASONING, DELTA_REFUSAL, DELTA_ROLE,
    FUNCTION_ARGUMENTS, FUNCTION_CALL, FUNCTION_NAME, FUNCTION_PIECE, MESSAGE,
    MESSAGE_ANNOTATIONS, MESSAGE_AUDIO, MESSAGE_CALLS, MESSAGE_CONTENT, MESSAGE_DETAILS,
    MESSAGE_REASONING, MESSAGE_REFUSAL, MESSAGE_ROLE, PIECE_ARGUMENTS, PIECE_CUSTOM,
    PIECE_FUNCTION, PIECE_ID, PIECE_INDEX, PIECE_NAME, PROMPT_TOKENS, RESPONSE, RESPONSE_CHOICES,
    RESPONSE_CREATED, RESPONSE_FINGERPRINT, RESPONSE_ID, RESPONSE_MODEL, RESPONSE_TIER,
    RESPONSE_USAGE, TOOL_CALL, USAGE, USAGE_COMPLETION, USAGE_COMPLETION_DETAILS, USAGE_PROMPT,
    USAGE_PROMPT_DETAILS, USAGE_TOTAL, WRITTEN_1H,
)
from specado._core.reply_fields cimport (
    check,
    field,
    number,
    offset_of,
    same,
    taken,
    text_or_null,
)
from specado._core.openai_chat.loss_rows import (
    REPLY_CONTENT_PART, REPLY_FINISH_REASON, REPLY_ROLE, REPLY_SERVICE_TIER, REPLY_USAGE,
)
from specado.types import (
    FINISH_REASONS, ChatCompletionChunk, ChatCompletionResponse, CompletionTokensDetails,
)

# The service tiers of OpenAI's replies.
cdef frozenset TIERS = frozenset(["auto", "default", "flex", "scale", "priority", "fast"])
cdef frozenset REASONS = frozenset(FINISH_REASONS)
cdef tuple PROMPT_DETAILS = (
    "cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "text_tokens",
)
cdef tuple COMPLETION_DETAILS = tuple(CompletionTokensDetails.__struct_fields__)


cdef Py_ssize_t PIECE_TYPE = offset_of(CALL_PIECE, "type")


def encode_reply(reply):
    """Return a `ChatCompletionResponse` as the JSON body of OpenAI's API, and the losses.

    Extensions, headers and the raw body are not written. A text that UTF-8 cannot hold, a number
    that is not finite and the like are `NotJson`.
    """
    cdef JsonWriter out = JsonWriter()
    cdef list losses = []
    cdef Py_ssize_t place = 0
    check(reply, RESPONSE)
    out.literal(b'{"id":')
    out.string(<str?>field(reply, RESPONSE_ID))
    out.literal(b',"object":"chat.completion","created":')
    number(out, field(reply, RESPONSE_CREATED))
    out.literal(b',"model":')
    out.string(<str?>field(reply, RESPONSE_MODEL))
    out.literal(b',"choices":[')
    for choice in <list?>field(reply, RESPONSE_CHOICES):
        out.item()
        write_choice(out, choice, place, losses)
        place += 1
    out.literal(b'],"usage":')
    write_usage(out, field(reply, RESPONSE_USAGE), losses)
    write_facts(out, field(reply, RESPONSE_TIER), field(reply, RESPONSE_FINGERPRINT), losses)
    out.byte(b"}")
    return out.finish(), losses


cdef int write_facts(JsonWriter out, object tier, object fingerprint, list losses) except -1:
    """Write the service tier and the fingerprint, which OpenAI always sends."""
    if tier is not None and tier not in TIERS:
        losses.append((REPLY_SERVICE_TIER, "service_tier", tier, None))
        tier = None
    out.literal(b',"service_tier":')
    text_or_null(out, tier)
    out.literal(b',"system_fingerprint":')
    return text_or_null(out, fingerprint)


cdef int write_choice(JsonWriter out, object choice, Py_ssize_t place, list losses) except -1:
    check(choice, CHOICE)
    out.literal(b'{"index":')
    number(out, field(choice, CHOICE_INDEX))
    out.literal(b',"message":')
    write_message(out, field(choice, CHOICE_MESSAGE), place, losses)
    out.literal(b',"logprobs":')
    out.value(field(choice, CHOICE_LOGPROBS), 0)
    out.literal(b',"finish_reason":')
    reason = field(choice, CHOICE_REASON)
    if reason not in REASONS:
        losses.append((REPLY_FINISH_REASON, f"choices[{place}].finish_reason", reason, "stop"))
        reason = "stop"
    out.string(<str?>reason)
    out.byte(b"}")
    return 0


cdef int write_message(JsonWriter out, object message, Py_ssize_t place, list losses) except -1:
    check(message, MESSAGE)
    role = field(message, MESSAGE_ROLE)
    if role != "assistant":
        losses.append((REPLY_ROLE, f"choices[{place}].message.role", role, "assistant"))
    out.literal(b'{"role":"assistant","content":')
    content = field(message, MESSAGE_CONTENT)
    if type(content) is list:
        content = text_of_parts(content, f"choices[{place}].message.content", losses)
    text_or_null(out, content)
    out.literal(b',"refusal":')
    text_or_null(out, field(message, MESSAGE_REFUSAL))
    out.literal(b',"annotations":')
    out.value(field(message, MESSAGE_ANNOTATIONS), 0)
    reasoning = field(message, MESSAGE_REASONING)
    if reasoning is not None:
        out.key(b"reasoning")
        out.string(<str?>reasoning)
    details = field(message, MESSAGE_DETAILS)
    if details is not None:
        write_blocks(out, <list?>details)
    audio = field(message, MESSAGE_AUDIO)
    if audio is not None:
        out.key(b"audio")
        out.value(audio, 0)
    calls = field(message, MESSAGE_CALLS)
    if calls is not None:
        write_calls(out, <list?>calls)
    out.byte(b"}")
    return 0


cdef object text_of_parts(list parts, str path, list losses):
    """Return the text of content parts; OpenAI's answers have no other parts."""
    texts = []
    for place, part in enumerate(parts):
        text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
        if isinstance(text, str):
            texts.append(text)
        else:
            losses.append((REPLY_CONTENT_PART, f"{path}[{place}]", part, None))
    return "".join(texts)


cdef int write_blocks(JsonWriter out, list blocks) except -1:
    """Write reasoning blocks as the canonical form has them."""
    out.key(b"reasoning_details")
    out.byte(b"[")
    for block in blocks:
        check(block, BLOCK)
        out.item()
        out.literal(b'{"type":')
        out.string(<str?>block.type)
        for name in ("text", "signature", "data", "model", "id", "format", "summary"):
            value = getattr(block, name)
            if value is not None:
                out.item()
                out.string(name)
                out.byte(b":")
                out.string(<str?>value)
        if block.index is not None:
            out.key(b"index")
            out.value(block.index, 0)
        out.byte(b"}")
    return out.byte(b"]")


cdef int write_calls(JsonWriter out, list calls) except -1:
    cdef bint is_first = True
    out.key(b"tool_calls")
    out.byte(b"[")
    for call in calls:
        check(call, TOOL_CALL)
        out.literal(b'{"id":' if is_first else b',{"id":')
        is_first = False
        out.string(<str?>field(call, CALL_ID))
        custom = field(call, CALL_CUSTOM)
        if custom is not None:
            out.literal(b',"type":"custom","custom":')
            out.value(custom, 0)
        else:
            function = field(call, CALL_FUNCTION)
            check(function, FUNCTION_CALL)
            out.literal(b',"type":"function","function":{"name":')
            out.string(<str?>field(function, FUNCTION_NAME))
            out.literal(b',"arguments":')
            out.string(<str?>field(function, FUNCTION_ARGUMENTS))
            out.byte(b"}")
        out.byte(b"}")
    return out.byte(b"]")


cdef int write_usage(JsonWriter out, object usage, list losses) except -1:
    if usage is None:
        return out.raw(b"null", 4)
    check(usage, USAGE)
    out.literal(b'{"prompt_tokens":')
    number(out, field(usage, USAGE_PROMPT))
    out.literal(b',"completion_tokens":')
    number(out, field(usage, USAGE_COMPLETION))
    out.literal(b',"total_tokens":')
    number(out, field(usage, USAGE_TOTAL))
    details = field(usage, USAGE_PROMPT_DETAILS)
    if details is not None:
        check(details, PROMPT_TOKENS)
        out.key(b"prompt_tokens_details")
        write_counts(out, details, PROMPT_OFFSETS)
        count = field(details, WRITTEN_1H)
        if count is not None:
            path = "usage.prompt_tokens_details.cache_write_1h_tokens"
            losses.append((REPLY_USAGE, path, count, None))
    details = field(usage, USAGE_COMPLETION_DETAILS)
    if details is not None:
        check(details, COMPLETION_TOKENS)
        out.key(b"completion_tokens_details")
        write_counts(out, details, COMPLETION_OFFSETS)
    return out.byte(b"}")


cdef tuple counts_of(object type_, tuple names):
    """Return the offset of each count, and its name as JSON."""
    return tuple([(offset_of(type_, name), f'"{name}":'.encode()) for name in names])


cdef tuple PROMPT_OFFSETS = counts_of(PROMPT_TOKENS, PROMPT_DETAILS)
cdef tuple COMPLETION_OFFSETS = counts_of(COMPLETION_TOKENS, COMPLETION_DETAILS)


cdef int write_counts(JsonWriter out, object details, tuple offsets) except -1:
    """Write the counts of a breakdown that are known."""
    cdef Py_ssize_t offset
    out.byte(b"{")
    for each in offsets:
        offset = (<tuple>each)[0]
        count = field(details, offset)
        if count is not None:
            out.item()
            out.literal(<bytes>(<tuple>each)[1])
            number(out, count)
    return out.byte(b"}")


@cython.final
cdef class OpenAIStreamEncoder:
    """Writes canonical chunks as a stream of OpenAI's API (server-sent events).

    With *include_usage*, which the client asks for by `stream_options`, the last chunk has the
    usage and no choices, and every other chunk `"usage": null`. `losses` are those so far, each
    once. One per stream; not for two threads at once.
    """
    cdef readonly list losses
    cdef JsonWriter _out
    cdef bint _include_usage
    cdef object _usage
    cdef object _id, _model, _created, _fingerprint, _tier
    cdef bytes _head     # of every chunk's event, while the facts above are the same
    cdef set _lost       # rows with their paths, reported before

    def __cinit__(self, *, bint include_usage=False):
        self.losses = []
        self._out = JsonWriter()
        self._include_usage = include_usage
        self._lost = set()

    def encode(self, chunk):
        """Return the event of a `ChatCompletionChunk`; `b""` for one with only the usage.

        The usage is written by `finish`.
        """
        cdef JsonWriter out = self._out
        check(chunk, CHUNK)
        usage = field(chunk, CHUNK_USAGE)
        if usage is not None:
            self._usage = usage
        self._begin(chunk)
        choices = <list?>field(chunk, CHUNK_CHOICES)
        if not choices:
            return b""
        out.size = 0    # what an error left half written
        out.literal(self._head)
        for choice in choices:
            out.item()
            self._write_choice(choice)
        if self._include_usage:
            out.literal(b'],"usage":null}\n\n')
        else:
            out.literal(b"]}\n\n")
        return taken(out)

    def finish(self):
        """Return the events that end a whole stream: the usage, if it is wanted, and `[DONE]`."""
        cdef JsonWriter out = self._out
        cdef list losses = []
        out.size = 0
        if self._include_usage and self._usage is not None and self._head is not None:
            out.literal(self._head)
            out.literal(b'],"usage":')
            write_usage(out, self._usage, losses)
            out.literal(b"}\n\n")
            self._lose_all(losses)
        out.literal(b"data: [DONE]\n\n")
        return out.finish()

    def fail(self, bytes body not None):
        """Return the event of an error, whose *body* is that of `encode_openai_error`.

        The stream ends with it: nothing of it is whole, and no `[DONE]` follows.
        """
        return b"data: " + body + b"\n\n"

    cdef int _begin(self, chunk) except -1:
        """Write the members that all chunks of a stream share, anew where they change."""
        cdef JsonWriter out
        cdef list losses
        id_, model = field(chunk, CHUNK_ID), field(chunk, CHUNK_MODEL)
        created = field(chunk, CHUNK_CREATED)
        fingerprint, tier = field(chunk, CHUNK_FINGERPRINT), field(chunk, CHUNK_TIER)
        if (
            self._head is not None and same(id_, self._id) and same(model, self._model)
            and (created is self._created or created == self._created)
            and same(fingerprint, self._fingerprint) and same(tier, self._tier)
        ):
            return 0
        out = JsonWriter()
        losses = []
        out.literal(b'data: {"id":')
        out.string(<str?>id_)
        out.literal(b',"object":"chat.completion.chunk","created":')
        number(out, created)
        out.literal(b',"model":')
        out.string(<str?>model)
        write_facts(out, tier, fingerprint, losses)
        out.literal(b',"choices":[')
        self._head = out.finish()
        self._id, self._model, self._created = id_, model, created
        self._fingerprint, self._tier = fingerprint, tier
        return self._lose_all(losses)

    cdef int _write_choice(self, choice) except -1:
        cdef JsonWriter out = self._out
        check(choice, CHUNK_CHOICE)
        index = field(choice, CHUNK_INDEX)
        out.literal(b'{"index":')
        number(out, index)
        out.literal(b',"delta":{')
        self._write_delta(field(choice, CHUNK_DELTA), index)
        logprobs = field(choice, CHUNK_LOGPROBS)
        reason = field(choice, CHUNK_REASON)
        if logprobs is None and reason is None:
            return out.literal(b'},"logprobs":null,"finish_reason":null}')
        out.literal(b'},"logprobs":')
        out.value(logprobs, 0)
        out.literal(b',"finish_reason":')
        if reason is not None and reason not in REASONS:
            self._lose(REPLY_FINISH_REASON, f"choices[{index}].finish_reason", reason, "stop")
            reason = "stop"
        text_or_null(out, reason)
        return out.byte(b"}")

    cdef int _write_delta(self, delta, index) except -1:
        cdef JsonWriter out = self._out
        check(delta, DELTA)
        role = field(delta, DELTA_ROLE)
        if role is not None:
            if role != "assistant":
                self._lose(REPLY_ROLE, f"choices[{index}].delta.role", role, "assistant")
            out.key(b"role")
            out.literal(b'"assistant"')
        self._add_text(b"content", field(delta, DELTA_CONTENT))
        self._add_text(b"refusal", field(delta, DELTA_REFUSAL))
        self._add_text(b"reasoning", field(delta, DELTA_REASONING))
        details = field(delta, DELTA_DETAILS)
        if details is not None:
            write_blocks(out, <list?>details)
        annotations = field(delta, DELTA_ANNOTATIONS)
        if annotations is not None:
            out.key(b"annotations")
            out.value(annotations, 0)
        audio = field(delta, DELTA_AUDIO)
        if audio is not None:
            out.key(b"audio")
            out.value(audio, 0)
        calls = field(delta, DELTA_CALLS)
        if calls is not None:
            self._write_pieces(<list?>calls)
        return 0

    cdef int _add_text(self, bytes name, text) except -1:
        if text is not None:
            self._out.key(name)
            self._out.string(<str?>text)
        return 0

    cdef int _write_pieces(self, list pieces) except -1:
        """Write pieces of tool calls."""
        cdef JsonWriter out = self._out
        out.key(b"tool_calls")
        out.byte(b"[")
        for piece in pieces:
            check(piece, CALL_PIECE)
            out.item()
            out.literal(b'{"index":')
            number(out, field(piece, PIECE_INDEX))
            self._add_text(b"id", field(piece, PIECE_ID))
            self._add_text(b"type", field(piece, PIECE_TYPE))
            function = field(piece, PIECE_FUNCTION)
            if function is not None:
                self._write_function(function)
            custom = field(piece, PIECE_CUSTOM)
            if custom is not None:
                out.key(b"custom")
                out.value(custom, 0)
            out.byte(b"}")
        return out.byte(b"]")

    cdef int _write_function(self, function) except -1:
        cdef JsonWriter out = self._out
        check(function, FUNCTION_PIECE)
        out.literal(b',"function":{')
        self._add_text(b"name", field(function, PIECE_NAME))
        self._add_text(b"arguments", field(function, PIECE_ARGUMENTS))
        return out.byte(b"}")

    cdef int _lose_all(self, list losses) except -1:
        for row, path, before, after in losses:
            self._lose(row, path, before, after)
        return 0

    cdef int _lose(self, str row, str path, before, after) except -1:
        if (row, path) not in self._lost:
            self._lost.add((row, path))
            self.losses.append((row, path, before, after))
        return 0
