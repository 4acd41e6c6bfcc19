"""Anthropic reply and stream encoder: canonical form to bytes (anthropic 0.125.0, 2026-11-22).

A message has one answer and no log probabilities, audio or annotations; what it cannot hold is
reported. Its content blocks come one after another, in a stream too: while a tool call is open,
whatever belongs after it waits.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE

from collections import deque

import msgspec

from specado._core.json_scan cimport Scan, skip_space, skip_value
from specado._core.json_writer cimport JsonWriter, bare_text
from specado._core.reply_fields cimport (
    check,
    field,
    number,
    offset_of,
    taken,
    text_or_null,
)
from specado._core.replies cimport Pieces
from specado._core.reply_encoder cimport (
    BLOCK, CACHED_TOKENS, CALL_CUSTOM, CALL_FUNCTION, CALL_ID, CALL_PIECE, CHOICE,
    CHOICE_LOGPROBS, CHOICE_MESSAGE, CHOICE_REASON, CHUNK, CHUNK_CHOICE, CHUNK_CHOICES,
    CHUNK_CREATED, CHUNK_DELTA, CHUNK_FINGERPRINT, CHUNK_ID, CHUNK_INDEX, CHUNK_LOGPROBS,
    CHUNK_MODEL, CHUNK_REASON, CHUNK_TIER, CHUNK_USAGE, COMPLETION_TOKENS, DELTA,
    DELTA_ANNOTATIONS, DELTA_AUDIO, DELTA_CALLS, DELTA_CONTENT, DELTA_DETAILS, DELTA_REASONING,
    DELTA_REFUSAL, DELTA_ROLE, FUNCTION_ARGUMENTS, FUNCTION_CALL, FUNCTION_NAME, FUNCTION_PIECE,
    JsonProgress, Losses, MESSAGE, MESSAGE_ANNOTATIONS, MESSAGE_AUDIO, MESSAGE_CALLS,
    MESSAGE_CONTENT, MESSAGE_DETAILS, MESSAGE_REASONING, MESSAGE_REFUSAL, MESSAGE_ROLE,
    PIECE_ARGUMENTS, PIECE_CUSTOM, PIECE_FUNCTION, PIECE_ID, PIECE_INDEX, PIECE_NAME,
    PROMPT_TOKENS, REASONING_TOKENS, RESPONSE, RESPONSE_CHOICES, RESPONSE_CREATED,
    RESPONSE_FINGERPRINT, RESPONSE_ID, RESPONSE_MODEL, RESPONSE_TIER, RESPONSE_USAGE, TOOL_CALL,
    USAGE, USAGE_COMPLETION, USAGE_COMPLETION_DETAILS, USAGE_PROMPT, USAGE_PROMPT_DETAILS,
    USAGE_TOTAL, WRITTEN_1H, WRITTEN_TOKENS, text_of_parts,
)
from specado._core.repair import made_call_id
from specado._core.anthropic_messages.loss_rows import (
    REPLY_ANNOTATIONS, REPLY_ARGUMENTS, REPLY_AUDIO, REPLY_CHOICES,
    REPLY_CREATED, REPLY_CUSTOM_CALL, REPLY_FINGERPRINT, REPLY_FINISH_REASON, REPLY_LOGPROBS,
    REPLY_REASONING, REPLY_REASONING_BLOCK, REPLY_REASONING_MODEL, REPLY_REASONING_UNSIGNED,
    REPLY_REFUSAL, REPLY_ROLE, REPLY_SERVICE_TIER, REPLY_TOOL_CALL_PIECE, REPLY_TOOL_USE,
    REPLY_USAGE, REPLY_USAGE_CACHED, REPLY_USAGE_MISSING,
)
from specado.types import ChatCompletionChunk, ChatCompletionResponse

cdef dict STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
# Canonical service tiers of the API's own words; "standard" is "default" in OpenAI's.
cdef dict TIERS = {"default": "standard", "priority": "priority", "batch": "batch"}


# Counts without a counterpart in the API's usage: their offset and their path.
cdef tuple UNCOUNTED_PROMPT = tuple([
    (offset_of(PROMPT_TOKENS, name), f"usage.prompt_tokens_details.{name}")
    for name in ("audio_tokens", "image_tokens", "text_tokens")
])
cdef tuple UNCOUNTED_COMPLETION = tuple([
    (offset_of(COMPLETION_TOKENS, name), f"usage.completion_tokens_details.{name}")
    for name in (
        "audio_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens", "text_tokens",
    )
])


def encode_reply(reply):
    """Return a `ChatCompletionResponse` as the JSON body of Anthropic's API, and the losses.

    Extensions, headers and the raw body are not written. A text that UTF-8 cannot hold, a number
    that is not finite and the like are `NotJson`.
    """
    cdef JsonWriter out = JsonWriter()
    cdef Losses losses = Losses()
    cdef list choices
    check(reply, RESPONSE)
    choices = <list?>field(reply, RESPONSE_CHOICES)
    if not choices:
        raise ValueError("a reply without a choice has no form in Anthropic's API")
    check(choices[0], CHOICE)
    for place in range(1, len(choices)):
        losses.add(REPLY_CHOICES, f"choices[{place}]", choices[place], None)
    losses.drop(REPLY_CREATED, "created", field(reply, RESPONSE_CREATED) or None)
    losses.drop(REPLY_FINGERPRINT, "system_fingerprint", field(reply, RESPONSE_FINGERPRINT))
    losses.drop(REPLY_LOGPROBS, "choices[0].logprobs", field(choices[0], CHOICE_LOGPROBS))
    model = field(reply, RESPONSE_MODEL)
    message = field(choices[0], CHOICE_MESSAGE)
    out.literal(b'{"id":')
    out.string(<str?>field(reply, RESPONSE_ID))
    out.literal(b',"type":"message","role":"assistant","model":')
    out.string(<str?>model)
    out.literal(b',"content":[')
    check(message, MESSAGE)
    write_content(out, message, model, losses)
    out.literal(b'],"stop_reason":')
    reason = stop_reason(
        field(choices[0], CHOICE_REASON), bool(field(message, MESSAGE_CALLS)),
        bool(field(message, MESSAGE_REFUSAL)), losses,
    )
    text_or_null(out, reason)
    out.literal(b',"stop_sequence":null,"usage":')
    usage = field(reply, RESPONSE_USAGE)
    if usage is None:
        losses.add(REPLY_USAGE_MISSING, "usage", None, 0)
    write_usage(out, usage, losses)
    tier = tier_of(field(reply, RESPONSE_TIER), losses)
    if tier is not None:
        # The last brace of the usage opens again.
        out.size -= 1
        out.key(b"service_tier")
        out.string(tier)
        out.byte(b"}")
    out.byte(b"}")
    return out.finish(), losses.reported


cdef object tier_of(object tier, Losses losses):
    """Return a service tier in Anthropic's words, None (with a loss) if there is none."""
    if tier is None:
        return None
    found = TIERS.get(tier)
    if found is None:
        losses.add(REPLY_SERVICE_TIER, "service_tier", tier, None)
    return found


cdef object stop_reason(object reason, bint has_calls, bint has_refusal, Losses losses):
    """Return the stop reason: of an answer with calls `tool_use`, of a refusal `refusal`."""
    if reason == "stop" and not (has_refusal or has_calls):
        return "end_turn"
    path = "choices[0].finish_reason"
    if reason == "stop" and has_refusal:
        return "refusal"    # reported as `reply.refusal`
    if reason == "stop":
        losses.add(REPLY_TOOL_USE, path, reason, "tool_use")
        return "tool_use"
    if reason is None:
        return None
    found = STOP_REASONS.get(reason)
    if found is None or (found == "tool_use" and not has_calls):
        found = "tool_use" if has_calls else "end_turn"
        losses.add(REPLY_FINISH_REASON, path, reason, found)
    return found


cdef int write_content(JsonWriter out, object message, object model, Losses losses) except -1:
    """Write the content blocks of a message: thinking, text and tool calls."""
    cdef Py_ssize_t start = out.size
    role = field(message, MESSAGE_ROLE)
    if role != "assistant":
        losses.add(REPLY_ROLE, "choices[0].message.role", role, "assistant")
    reasoning, details = field(message, MESSAGE_REASONING), field(message, MESSAGE_DETAILS)
    if reasoning is not None or details is not None:
        write_thinking(out, reasoning, details or [], model, losses)
    content = field(message, MESSAGE_CONTENT)
    if type(content) is list:
        content = text_of_parts(content, "choices[0].message.content", losses)
    if content:
        write_text(out, content)
    refusal = field(message, MESSAGE_REFUSAL)
    if refusal:
        losses.add(REPLY_REFUSAL, "choices[0].message.refusal", refusal, refusal)
        write_text(out, refusal)
    losses.drop(REPLY_ANNOTATIONS, "choices[0].message.annotations",
                field(message, MESSAGE_ANNOTATIONS) or None)
    losses.drop(REPLY_AUDIO, "choices[0].message.audio", field(message, MESSAGE_AUDIO))
    calls = field(message, MESSAGE_CALLS)
    if calls is not None:
        for place, call in enumerate(<list?>calls):
            write_call(out, call, place, losses)
    if out.size > start:
        out.size -= 1    # the comma after the last block
    return 0


cdef int write_text(JsonWriter out, object text) except -1:
    out.literal(b'{"type":"text","text":')
    out.string(<str?>text)
    return out.raw(b"},", 2)


cdef int write_thought(JsonWriter out, object text, object signature) except -1:
    out.literal(b'{"type":"thinking","thinking":')
    out.string(<str?>text)
    out.literal(b',"signature":')
    out.string(<str?>signature)
    return out.raw(b"},", 2)


cdef int write_thinking(
    JsonWriter out, object reasoning, list details, object model, Losses losses
) except -1:
    """Write the reasoning blocks; the reasoning's text only where they have none."""
    path = "choices[0].message"
    text = "".join([block.text or "" for block in details])
    if reasoning and not text:
        losses.add(REPLY_REASONING_UNSIGNED, f"{path}.reasoning", reasoning, reasoning)
        write_thought(out, reasoning, "")
    elif reasoning and reasoning != text:
        losses.add(REPLY_REASONING, f"{path}.reasoning", reasoning, text)
    for place, block in enumerate(details):
        check(block, BLOCK)
        where = f"{path}.reasoning_details[{place}]"
        note_origin(block, model, where, losses)
        if block.type == "redacted_thinking" and block.data is not None:
            out.literal(b'{"type":"redacted_thinking","data":')
            out.string(<str?>block.data)
            out.raw(b"},", 2)
        elif block.type == "thinking" and block.signature is not None:
            write_thought(out, block.text or "", block.signature)
        elif block.text:
            losses.add(REPLY_REASONING_UNSIGNED, where, block, block.text)
            write_thought(out, block.text, "")
        else:
            losses.add(REPLY_REASONING_BLOCK, where, block, None)
    return 0


cdef int note_origin(object block, object model, str path, Losses losses) except -1:
    if block.model is not None and block.model != model:
        losses.add(REPLY_REASONING_MODEL, f"{path}.model", block.model, model)
    return 0


cdef int write_call(JsonWriter out, object call, object place, Losses losses) except -1:
    """Write a tool call, its input as the JSON object that the model wrote."""
    cdef bytes text
    check(call, TOOL_CALL)
    out.literal(b'{"type":"tool_use","id":')
    out.string(<str?>field(call, CALL_ID))
    out.key(b"name")
    custom = field(call, CALL_CUSTOM)
    if custom is not None:
        path = f"choices[0].message.tool_calls[{place}].custom.input"
        losses.add(REPLY_CUSTOM_CALL, path, custom.get("input"), {"input": custom.get("input")})
        out.string(<str?>custom.get("name"))
        out.key(b"input")
        out.value({"input": custom.get("input")}, 0)
        return out.raw(b"},", 2)
    function = field(call, CALL_FUNCTION)
    check(function, FUNCTION_CALL)
    arguments = field(function, FUNCTION_ARGUMENTS)
    out.string(<str?>field(function, FUNCTION_NAME))
    out.key(b"input")
    text = bare_text(<str?>arguments)
    if not text:
        out.raw(b"{}", 2)
    elif is_object(text):
        out.literal(text)
    else:
        path = f"choices[0].message.tool_calls[{place}].function.arguments"
        losses.add(REPLY_ARGUMENTS, path, arguments, {"arguments": arguments})
        out.value({"arguments": arguments}, 0)
    return out.raw(b"},", 2)


cdef bint is_object(bytes text):
    """Return whether *text* is a JSON object."""
    cdef Scan scan
    scan.at = <const unsigned char*>PyBytes_AS_STRING(text)
    scan.end = scan.at + PyBytes_GET_SIZE(text)
    skip_space(&scan)
    if scan.at == scan.end or scan.at[0] != c"{" or not skip_value(&scan, 0):
        return False
    skip_space(&scan)
    return scan.at == scan.end


cdef int write_usage(JsonWriter out, object usage, Losses losses) except -1:
    """Write token counts; cached tokens are no part of the input's here."""
    if usage is None:
        return out.literal(b'{"input_tokens":0,"output_tokens":0}')
    check(usage, USAGE)
    prompt, completion = field(usage, USAGE_PROMPT), field(usage, USAGE_COMPLETION)
    total = field(usage, USAGE_TOTAL)
    if total != prompt + completion:
        losses.add(REPLY_USAGE, "usage.total_tokens", total, None)
    details = field(usage, USAGE_PROMPT_DETAILS)
    if details is None:
        out.literal(b'{"input_tokens":')
        number(out, prompt)
        out.literal(b',"cache_creation_input_tokens":0,"cache_read_input_tokens":0')
    else:
        write_input_tokens(out, prompt, details, losses)
    out.literal(b',"output_tokens":')
    number(out, completion)
    details = field(usage, USAGE_COMPLETION_DETAILS)
    if details is not None:
        check(details, COMPLETION_TOKENS)
        thinking = field(details, REASONING_TOKENS)
        if thinking:
            out.literal(b',"output_tokens_details":{"thinking_tokens":')
            number(out, thinking)
            out.byte(b"}")
        drop_counts(details, UNCOUNTED_COMPLETION, losses)
    return out.byte(b"}")


cdef int write_input_tokens(
    JsonWriter out, object prompt, object details, Losses losses
) except -1:
    """Write the prompt's tokens: neither in the cache, written to it, or read from it."""
    check(details, PROMPT_TOKENS)
    read = field(details, CACHED_TOKENS) or 0
    written = field(details, WRITTEN_TOKENS) or 0
    if read + written > prompt:
        losses.add(REPLY_USAGE_CACHED, "usage.prompt_tokens", prompt, read + written)
    out.literal(b'{"input_tokens":')
    number(out, max(prompt - read - written, 0))
    out.literal(b',"cache_creation_input_tokens":')
    number(out, written)
    out.literal(b',"cache_read_input_tokens":')
    number(out, read)
    hour = field(details, WRITTEN_1H)
    if hour:
        out.literal(b',"cache_creation":{"ephemeral_5m_input_tokens":')
        number(out, max(written - hour, 0))
        out.literal(b',"ephemeral_1h_input_tokens":')
        number(out, hour)
        out.byte(b"}")
    return drop_counts(details, UNCOUNTED_PROMPT, losses)


cdef int drop_counts(object details, tuple counts, Losses losses) except -1:
    """Report the counts that the API's usage has no place for; zeros say nothing."""
    cdef Py_ssize_t offset
    for each in counts:
        offset = (<tuple>each)[0]
        count = field(details, offset)
        if count:
            losses.add(REPLY_USAGE, <str>(<tuple>each)[1], count, None)
    return 0


cdef enum:
    NONE = 0
    TEXT = 1
    THINKING = 2
    CALL = 3


@cython.final
cdef class OpenBlock:
    """A content block of a stream: the one being written, or one that waits for it to end.

    `text` is the unwritten text of a tool call; `thoughts` has the texts and reasoning blocks of
    a thinking block that waits, in order.
    """
    cdef int kind
    cdef str id, name, path
    cdef Pieces text
    cdef list thoughts
    cdef bint is_custom, is_started, is_closed, has_input
    cdef JsonProgress progress   # of the input of a call

    def __cinit__(self):
        self.progress = JsonProgress()


@cython.final
cdef class AnthropicStreamEncoder:
    """Writes canonical chunks as a stream of Anthropic's API (server-sent events).

    The first choice of the stream is written. Text and thinking go on at once; a tool call's
    block begins with its first piece of input. While the input of an open call is incomplete,
    whatever belongs to other blocks waits, in order. `losses` are those so far, each once. One
    per stream; not for two threads at once.
    """
    cdef JsonWriter _out
    cdef Losses _losses
    cdef bytes _text_head        # of every delta of the open text block
    cdef OpenBlock _open
    cdef object _waiting         # a deque of OpenBlock
    cdef dict _calls             # index of a call to its OpenBlock
    cdef Py_ssize_t _index       # of the next block
    cdef bint _is_started, _has_refusal, _adds_details
    cdef object _choice, _model, _usage, _reason, _tier
    cdef Pieces _thought         # the text of the open thinking block
    cdef Py_ssize_t _thought_length

    def __cinit__(self):
        self._out = JsonWriter()
        self._losses = Losses()
        self._losses.seen = set()
        self._waiting = deque()
        self._calls = {}

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
        if not self._is_started:
            self._start(chunk)
        tier = field(chunk, CHUNK_TIER)
        if tier is not None and tier != self._tier:
            self._losses.add(REPLY_SERVICE_TIER, "service_tier", tier, None)
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
        """Return the events that end a whole stream, with the stop reason and the usage."""
        cdef JsonWriter out = self._out
        out.size = 0
        if not self._is_started:
            self._start(CHUNK("", "", []))
        self._write_waiting(True)
        self._close()
        reason = stop_reason(self._reason, bool(self._calls), self._has_refusal, self._losses)
        out.literal(b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":')
        text_or_null(out, reason)
        out.literal(b',"stop_sequence":null},"usage":')
        self._write_usage()
        out.literal(b'}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n')
        return out.finish()

    def fail(self, bytes body not None):
        """Return the event of an error, whose *body* is that of `encode_anthropic_error`.

        The stream ends with it: nothing of it is whole, and no `message_stop` follows.
        """
        return b"event: error\ndata: " + body + b"\n\n"

    cdef int _start(self, chunk) except -1:
        """Write `message_start`; most streams learn the usage at their end only."""
        cdef JsonWriter out = self._out
        self._is_started = True
        self._model = field(chunk, CHUNK_MODEL)
        self._tier = field(chunk, CHUNK_TIER)
        created = field(chunk, CHUNK_CREATED)
        self._losses.drop(REPLY_CREATED, "created", created or None)
        out.literal(b'event: message_start\ndata: {"type":"message_start","message":{"id":')
        out.string(<str?>field(chunk, CHUNK_ID))
        out.literal(b',"type":"message","role":"assistant","model":')
        out.string(<str?>self._model)
        out.literal(b',"content":[],"stop_reason":null,"stop_sequence":null,"usage":')
        write_usage(out, self._usage, Losses())
        tier = tier_of(self._tier, self._losses)
        if tier is not None:
            out.size -= 1    # the last brace of the usage opens again
            out.key(b"service_tier")
            out.string(tier)
            out.byte(b"}")
        return out.raw(b"}}\n\n", 4)

    cdef int _write_usage(self) except -1:
        """Write the counts at the end; how long the cache keeps tokens has no place there."""
        cdef JsonWriter out = self._out
        usage = self._usage
        if usage is None:
            self._losses.add(REPLY_USAGE_MISSING, "usage", None, 0)
        else:
            details = usage.prompt_tokens_details
            if details is not None and details.cache_write_1h_tokens:
                path = "usage.prompt_tokens_details.cache_write_1h_tokens"
                self._losses.add(REPLY_USAGE, path, details.cache_write_1h_tokens, None)
                details = msgspec.structs.replace(details, cache_write_1h_tokens=None)
                usage = msgspec.structs.replace(usage, prompt_tokens_details=details)
        return write_usage(out, usage, self._losses)

    cdef int _take(self, choice) except -1:
        """Write the content that a chunk adds to the answer."""
        delta = field(choice, CHUNK_DELTA)
        check(delta, DELTA)
        text = field(delta, DELTA_CONTENT)
        reason = field(choice, CHUNK_REASON)
        if reason is not None:
            self._reason = reason
        logprobs = field(choice, CHUNK_LOGPROBS)
        if logprobs is not None:
            self._losses.add(REPLY_LOGPROBS, "choices[0].logprobs", logprobs, None)
        reasoning, details = field(delta, DELTA_REASONING), field(delta, DELTA_DETAILS)
        if reasoning is not None or details is not None:
            self._add_thoughts(reasoning, details)
        if text:
            self._add_text(<str?>text)
        calls = field(delta, DELTA_CALLS)
        if calls is not None:
            for piece in <list?>calls:
                self._add_piece(piece)
        if (
            field(delta, DELTA_REFUSAL) is not None or field(delta, DELTA_ANNOTATIONS) is not None
            or field(delta, DELTA_AUDIO) is not None or field(delta, DELTA_ROLE) is not None
        ):
            self._take_rest(delta)
        return 0

    cdef int _take_rest(self, delta) except -1:
        """Write a refusal, and report members that a message cannot hold."""
        path = "choices[0].delta"
        role = field(delta, DELTA_ROLE)
        if role is not None and role != "assistant":
            self._losses.add(REPLY_ROLE, f"{path}.role", role, "assistant")
        refusal = field(delta, DELTA_REFUSAL)
        if refusal:
            self._has_refusal = True
            self._losses.add(REPLY_REFUSAL, f"{path}.refusal", refusal, refusal)
            self._add_text(<str?>refusal)
        self._losses.drop(REPLY_ANNOTATIONS, f"{path}.annotations",
                          field(delta, DELTA_ANNOTATIONS) or None)
        self._losses.drop(REPLY_AUDIO, f"{path}.audio", field(delta, DELTA_AUDIO))
        return 0

    # Text

    cdef int _add_text(self, str text) except -1:
        cdef OpenBlock block
        if self._open is None or self._open.kind != TEXT:
            if self._must_wait():
                block = self._last_waiting(TEXT)
                return block.text.add(text)
            self._open_text()
        return self._write_text(text)

    cdef int _write_text(self, str text) except -1:
        cdef JsonWriter out = self._out
        out.literal(self._text_head)
        out.string(text)
        return out.raw(b"}}\n\n", 4)

    cdef int _open_text(self) except -1:
        self._close()
        self._open = OpenBlock()
        self._open.kind = TEXT
        self._open_block(b'{"type":"text","text":""}')
        self._text_head = (
            b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":'
            b'{"type":"text_delta","text":' % self._index
        )
        return 0

    # Thinking

    cdef int _add_thoughts(self, reasoning, details) except -1:
        """Write a delta's reasoning text and blocks, which may say the same."""
        cdef OpenBlock block
        if (self._open is None or self._open.kind != THINKING) and self._must_wait():
            block = self._last_waiting(THINKING)
            block.thoughts.append((reasoning, details))
            return 0
        return self._write_thoughts(reasoning, details)

    cdef int _write_thoughts(self, reasoning, details) except -1:
        if reasoning:
            self._adds_details = False
            self._write_thought(<str?>reasoning)
        if details is not None:
            for each in <list?>details:
                check(each, BLOCK)
                self._add_detail(each, reasoning)
        return 0

    cdef int _add_detail(self, block, reasoning) except -1:
        """Write a reasoning block, or the piece of one, that is not written as text yet."""
        path = "choices[0].delta.reasoning_details"
        text, kind = block.text, block.type
        note_origin(block, self._model, path, self._losses)
        if kind == "redacted_thinking" and block.data is not None:
            self._close()
            self._open = OpenBlock()
            self._open.kind = NONE
            self._open_redacted(<str?>block.data)
            return self._close()
        if not text and (kind != "thinking" or block.signature is None):
            self._losses.add(REPLY_REASONING_BLOCK, path, block, None)
            return 0
        # The lengths first: joining the pieces for each block would take quadratic time.
        is_whole = (
            text and not self._adds_details and self._is_thinking()
            and len(text) == self._thought_length and text == self._thought.whole()
        )
        if text and text != reasoning and not is_whole:
            self._adds_details = True
            self._write_thought(<str?>text)
        if kind == "thinking" and block.signature is not None:
            if not self._is_thinking():
                self._open_thinking()
            self._write_delta(b'{"type":"signature_delta","signature":', <str?>block.signature)
            self._open.has_input = True
            return self._close()
        if is_whole and not reasoning:
            return self._close()
        return 0

    cdef bint _is_thinking(self):
        return self._open is not None and self._open.kind == THINKING

    cdef int _write_thought(self, str text) except -1:
        if not self._is_thinking():
            self._open_thinking()
        self._thought.add(text)
        self._thought_length += len(text)
        return self._write_delta(b'{"type":"thinking_delta","thinking":', text)

    cdef int _open_thinking(self) except -1:
        self._close()
        self._open = OpenBlock()
        self._open.kind = THINKING
        self._thought = Pieces()
        self._thought_length = 0
        return self._open_block(b'{"type":"thinking","thinking":"","signature":""}')

    cdef int _open_redacted(self, str data) except -1:
        cdef JsonWriter out = self._out
        self._write_start()
        out.literal(b'{"type":"redacted_thinking","data":')
        out.string(data)
        return out.raw(b"}}\n\n", 4)

    # Tool calls

    cdef int _add_piece(self, piece) except -1:
        """Take a piece of a tool call: write it if the call is open or may be, else keep it."""
        cdef OpenBlock call
        check(piece, CALL_PIECE)
        index = field(piece, PIECE_INDEX)
        call = self._calls.get(index)
        custom, function = field(piece, PIECE_CUSTOM), field(piece, PIECE_FUNCTION)
        if call is None:
            call = OpenBlock()
            call.kind = CALL
            call.text = Pieces()
            call.path = f"choices[0].delta.tool_calls[{index}]"
            call.id = field(piece, PIECE_ID) or made_call_id()
            call.name = ""
            call.is_custom = custom is not None
            self._calls[index] = call
            if self._must_wait():
                self._waiting.append(call)
            else:
                self._close()
                self._open = call
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

    cdef int _add_name(self, OpenBlock call, str name) except -1:
        """Add to a name, which a few servers send in pieces."""
        if call.is_started:
            self._losses.add(REPLY_TOOL_CALL_PIECE, f"{call.path}.name", name, None)
        else:
            call.name += name
        return 0

    cdef int _add_input(self, OpenBlock call, str text) except -1:
        if call.is_closed:
            if text.strip():
                self._losses.add(REPLY_TOOL_CALL_PIECE, f"{call.path}.arguments", text, None)
            return 0
        if not call.is_custom:
            call.progress.add(text)
        if call is self._open:
            return self._write_input(call, text)
        return call.text.add(text)

    cdef int _write_input(self, OpenBlock call, str text) except -1:
        """Write a piece of an open call's input; a custom tool's is a member of an object."""
        cdef JsonWriter inner
        self._start_call(call)
        if not call.is_custom:
            call.has_input = True
            return self._write_delta(b'{"type":"input_json_delta","partial_json":', text)
        inner = JsonWriter()
        inner.string(text)
        text = inner.finish()[1:-1].decode()
        if not call.has_input:
            text = '{"input":"' + text
            call.has_input = True
        return self._write_delta(b'{"type":"input_json_delta","partial_json":', text)

    cdef int _start_call(self, OpenBlock call) except -1:
        cdef JsonWriter out = self._out
        if call.is_started:
            return 0
        call.is_started = True
        if call.is_custom:
            self._losses.add(REPLY_CUSTOM_CALL, call.path, call.name, call.name)
        self._write_start()
        out.literal(b'{"type":"tool_use","id":')
        out.string(call.id)
        out.key(b"name")
        out.string(call.name)
        return out.literal(b',"input":{}}}\n\n')

    # Blocks one after another

    cdef bint _must_wait(self) except -1:
        """Return whether another block must wait; what waited before is written if it can be."""
        if self._waiting:
            self._write_waiting(False)
        return bool(self._waiting) or (
            self._open is not None and self._open.kind == CALL and not self._open.progress.is_whole
        )

    cdef OpenBlock _last_waiting(self, int kind):
        """Return the last block that waits, a new one unless it is of this kind."""
        cdef OpenBlock block = self._waiting[-1] if self._waiting else None
        if block is None or block.kind != kind:
            block = OpenBlock()
            block.kind = kind
            block.text = Pieces()
            block.thoughts = []
            self._waiting.append(block)
        return block

    cdef int _write_waiting(self, bint is_end) except -1:
        """Write the blocks that wait, up to a call whose input is incomplete; all at the end."""
        cdef OpenBlock block
        while self._waiting and (is_end or self._open is None or self._open.progress.is_whole):
            block = self._waiting.popleft()
            if block.kind == TEXT:
                self._open_text()
                self._write_text(block.text.whole())
            elif block.kind == THINKING:
                for reasoning, details in block.thoughts:
                    self._write_thoughts(reasoning, details)
            else:
                self._close()
                self._open = block
                text = block.text.whole()
                if text:
                    self._write_input(block, text)
                continue
            self._close()
        return 0

    cdef int _close(self) except -1:
        """End the open block."""
        cdef JsonWriter out = self._out
        cdef OpenBlock block = self._open
        if block is None:
            return 0
        if block.kind == CALL:
            self._start_call(block)
            if block.is_custom:
                end = '"}' if block.has_input else '{"input":""}'
                self._write_delta(b'{"type":"input_json_delta","partial_json":', end)
        elif block.kind == THINKING and not block.has_input:
            path = "choices[0].delta.reasoning"
            self._losses.add(REPLY_REASONING_UNSIGNED, path, None, None)
        block.is_closed = True
        self._open = None
        out.literal(b'event: content_block_stop\ndata: {"type":"content_block_stop","index":')
        number(out, self._index)
        self._index += 1
        return out.raw(b"}\n\n", 3)

    cdef int _open_block(self, bytes block) except -1:
        """Write `content_block_start` of a block that is written empty."""
        self._write_start()
        self._out.literal(block)
        return self._out.raw(b"}\n\n", 3)

    cdef int _write_start(self) except -1:
        self._out.literal(
            b'event: content_block_start\ndata: {"type":"content_block_start","index":'
        )
        number(self._out, self._index)
        return self._out.literal(b',"content_block":')

    cdef int _write_delta(self, bytes delta, str text) except -1:
        cdef JsonWriter out = self._out
        out.literal(b'event: content_block_delta\ndata: {"type":"content_block_delta","index":')
        number(out, self._index)
        out.literal(b',"delta":')
        out.literal(delta)
        out.string(text)
        return out.raw(b"}}\n\n", 4)
