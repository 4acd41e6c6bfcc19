"""Anthropic reply and stream encoder: canonical form to bytes (anthropic 0.125.0, 2026-11-22).

A message has one answer and no log probabilities, audio or annotations; what it cannot hold is
reported.
"""

cimport cython

import msgspec

from specado._core.block_stream cimport (
    THINKING, BlockStreamEncoder, drop_counts, is_object, note_origin,
)
from specado._core.json_writer cimport JsonWriter, bare_text
from specado._core.reply_fields cimport check, field, number, offset_of, text_or_null
from specado._core.reply_encoder cimport (
    BLOCK, CACHED_TOKENS, CALL_CUSTOM, CALL_FUNCTION, CALL_ID, CHOICE, CHOICE_LOGPROBS,
    CHOICE_MESSAGE, CHOICE_REASON, CHUNK_ID, CHUNK_TIER, COMPLETION_TOKENS, FUNCTION_ARGUMENTS,
    FUNCTION_CALL, FUNCTION_NAME, Losses, MESSAGE, MESSAGE_ANNOTATIONS, MESSAGE_AUDIO,
    MESSAGE_CALLS, MESSAGE_CONTENT, MESSAGE_DETAILS, MESSAGE_REASONING, MESSAGE_REFUSAL,
    MESSAGE_ROLE, PROMPT_TOKENS, REASONING_TOKENS, RESPONSE, RESPONSE_CHOICES, RESPONSE_CREATED,
    RESPONSE_FINGERPRINT, RESPONSE_ID, RESPONSE_MODEL, RESPONSE_TIER, RESPONSE_USAGE, TOOL_CALL,
    USAGE, USAGE_COMPLETION, USAGE_COMPLETION_DETAILS, USAGE_PROMPT, USAGE_PROMPT_DETAILS,
    USAGE_TOTAL, WRITTEN_1H, WRITTEN_TOKENS, text_of_parts,
)
from specado._core.anthropic_messages.loss_rows import (
    REPLY_ARGUMENTS, REPLY_FINISH_REASON, REPLY_REASONING, REPLY_REASONING_UNSIGNED,
    REPLY_SERVICE_TIER, REPLY_TOOL_USE, REPLY_USAGE_CACHED, REPLY_USAGE_MISSING,
)
from specado._core.loss_rows import (
    REPLY_ANNOTATIONS, REPLY_AUDIO, REPLY_CHOICES, REPLY_CREATED, REPLY_CUSTOM_CALL,
    REPLY_FINGERPRINT, REPLY_LOGPROBS, REPLY_REASONING_BLOCK, REPLY_REFUSAL, REPLY_ROLE,
    REPLY_USAGE,
)

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


@cython.final
cdef class AnthropicStreamEncoder(BlockStreamEncoder):
    """Writes canonical chunks as a stream of Anthropic's API; see `BlockStreamEncoder`."""
    cdef bytes _text_head        # of every delta of the open text block

    def fail(self, bytes body not None):
        """Return the event of an error, whose *body* is that of `encode_anthropic_error`.

        The stream ends with it: nothing of it is whole, and no `message_stop` follows.
        """
        return b"event: error\ndata: " + body + b"\n\n"

    cdef int start_stream(self, chunk) except -1:
        """Write `message_start`; most streams learn the usage at their end only."""
        cdef JsonWriter out = self._out
        self._tier = field(chunk, CHUNK_TIER)
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

    cdef int end_stream(self) except -1:
        """Write the stop reason and the usage."""
        cdef JsonWriter out = self._out
        reason = stop_reason(self._reason, bool(self._calls), self._has_refusal, self._losses)
        out.literal(b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":')
        text_or_null(out, reason)
        out.literal(b',"stop_sequence":null},"usage":')
        self._write_usage()
        return out.literal(b'}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n')

    cdef int take_tier(self, tier) except -1:
        if tier != self._tier:
            self._losses.add(REPLY_SERVICE_TIER, "service_tier", tier, None)
        return 0

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

    cdef int start_text(self) except -1:
        self._open_block(b'{"type":"text","text":""}')
        self._text_head = (
            b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":'
            b'{"type":"text_delta","text":' % self._index
        )
        return 0

    cdef int write_text(self, str text) except -1:
        cdef JsonWriter out = self._out
        out.literal(self._text_head)
        out.string(text)
        return out.raw(b"}}\n\n", 4)

    cdef int start_thinking(self) except -1:
        return self._open_block(b'{"type":"thinking","thinking":"","signature":""}')

    cdef int write_thought(self, str text) except -1:
        return self._write_delta(b'{"type":"thinking_delta","thinking":', text)

    cdef int write_signature(self, str signature) except -1:
        return self._write_delta(b'{"type":"signature_delta","signature":', signature)

    cdef bint write_redacted(self, str data) except -1:
        cdef JsonWriter out = self._out
        self._write_start()
        out.literal(b'{"type":"redacted_thinking","data":')
        out.string(data)
        out.raw(b"}}\n\n", 4)
        return True

    cdef int start_tool_use(self, str id, str name) except -1:
        cdef JsonWriter out = self._out
        self._write_start()
        out.literal(b'{"type":"tool_use","id":')
        out.string(id)
        out.key(b"name")
        out.string(name)
        return out.literal(b',"input":{}}}\n\n')

    cdef int write_input(self, str text) except -1:
        return self._write_delta(b'{"type":"input_json_delta","partial_json":', text)

    cdef int stop_block(self) except -1:
        cdef JsonWriter out = self._out
        if self._open.kind == THINKING and not self._open.has_input:
            path = "choices[0].delta.reasoning"
            self._losses.add(REPLY_REASONING_UNSIGNED, path, None, None)
        out.literal(b'event: content_block_stop\ndata: {"type":"content_block_stop","index":')
        number(out, self._index)
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
