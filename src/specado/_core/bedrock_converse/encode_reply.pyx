"""Bedrock reply and stream encoder: canonical form to bytes (botocore 1.44.8, 2026-11-30).

A Converse reply has one answer, and neither an id, a model nor a time; what it cannot hold is
reported. A stream is a sequence of frames of AWS's event stream.
"""

cimport cython

from specado._core.block_stream cimport (
    BlockStreamEncoder, drop_counts, is_object, note_origin,
)
from specado._core.event_stream cimport event_frame
from specado._core.json_writer cimport JsonWriter, bare_text
from specado._core.normalize cimport is_base64
from specado._core.reply_fields cimport check, field, number, offset_of, taken
from specado._core.reply_encoder cimport (
    BLOCK, CACHED_TOKENS, CALL_CUSTOM, CALL_FUNCTION, CALL_ID, CHOICE, CHOICE_LOGPROBS,
    CHOICE_MESSAGE, CHOICE_REASON, CHUNK_ID, COMPLETION_TOKENS, FUNCTION_ARGUMENTS, FUNCTION_CALL,
    FUNCTION_NAME, Losses, MESSAGE, MESSAGE_ANNOTATIONS, MESSAGE_AUDIO, MESSAGE_CALLS,
    MESSAGE_CONTENT, MESSAGE_DETAILS, MESSAGE_NATIVE, MESSAGE_REASONING, MESSAGE_REFUSAL,
    MESSAGE_ROLE, PROMPT_TOKENS, RESPONSE, RESPONSE_CHOICES, RESPONSE_CREATED,
    RESPONSE_FINGERPRINT, RESPONSE_ID, RESPONSE_MODEL, RESPONSE_TIER, RESPONSE_USAGE, TOOL_CALL,
    USAGE, USAGE_COMPLETION, USAGE_COMPLETION_DETAILS, USAGE_PROMPT, USAGE_PROMPT_DETAILS,
    USAGE_TOTAL, WRITTEN_1H, WRITTEN_TOKENS, text_of_parts,
)

import msgspec

from specado._core.bedrock_converse.loss_rows import (
    REPLY_ARGUMENTS, REPLY_FINISH_REASON, REPLY_ID, REPLY_MODEL, REPLY_REASONING,
    REPLY_SERVICE_TIER, REPLY_TOOL_USE, REPLY_USAGE_CACHED, REPLY_USAGE_MISSING,
)
from specado._core.bedrock_converse.reply_members import own_blocks
from specado._core.loss_rows import (
    REPLY_ANNOTATIONS, REPLY_AUDIO, REPLY_CHOICES, REPLY_CREATED, REPLY_CUSTOM_CALL,
    REPLY_FINGERPRINT, REPLY_LOGPROBS, REPLY_REASONING_BLOCK, REPLY_REFUSAL, REPLY_ROLE,
    REPLY_USAGE,
)

cdef dict STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "content_filtered",
}
cdef frozenset TIERS = frozenset({"default", "flex", "priority", "reserved"})
# The exceptions that a stream has events for.
cdef frozenset EXCEPTIONS = frozenset({
    "InternalServerException", "ModelStreamErrorException", "ServiceUnavailableException",
    "ThrottlingException", "ValidationException",
})
# Counts without a counterpart in the API's usage: their offset and their path.
cdef tuple UNCOUNTED_PROMPT = tuple([
    (offset_of(PROMPT_TOKENS, name), f"usage.prompt_tokens_details.{name}")
    for name in ("audio_tokens", "image_tokens", "text_tokens")
])
cdef tuple UNCOUNTED_COMPLETION = tuple([
    (offset_of(COMPLETION_TOKENS, name), f"usage.completion_tokens_details.{name}")
    for name in (
        "audio_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens",
        "reasoning_tokens", "text_tokens",
    )
])


# Whole replies

def encode_reply(reply):
    """Return a `ChatCompletionResponse` as the JSON body of Bedrock's Converse API, and the losses.

    Extensions, headers and the raw body are not written. A text that UTF-8 cannot hold, a number
    that is not finite and the like are `NotJson`.
    """
    cdef JsonWriter out = JsonWriter()
    cdef Losses losses = Losses()
    cdef list choices
    check(reply, RESPONSE)
    choices = <list?>field(reply, RESPONSE_CHOICES)
    if not choices:
        raise ValueError("a reply without a choice has no form in Bedrock's API")
    check(choices[0], CHOICE)
    for place in range(1, len(choices)):
        losses.add(REPLY_CHOICES, f"choices[{place}]", choices[place], None)
    model = field(reply, RESPONSE_MODEL)
    losses.drop(REPLY_ID, "id", field(reply, RESPONSE_ID) or None)
    losses.drop(REPLY_MODEL, "model", model or None)
    losses.drop(REPLY_CREATED, "created", field(reply, RESPONSE_CREATED) or None)
    losses.drop(REPLY_FINGERPRINT, "system_fingerprint", field(reply, RESPONSE_FINGERPRINT))
    losses.drop(REPLY_LOGPROBS, "choices[0].logprobs", field(choices[0], CHOICE_LOGPROBS))
    message = field(choices[0], CHOICE_MESSAGE)
    check(message, MESSAGE)
    # A reply has metrics, but the time that Bedrock took is not known here.
    out.literal(b'{"metrics":{"latencyMs":0},"output":{"message":{"content":[')
    write_content(out, message, model, losses)
    out.literal(b'],"role":"assistant"}},"stopReason":')
    out.string(stop_reason(
        field(choices[0], CHOICE_REASON), bool(field(message, MESSAGE_CALLS)), losses
    ))
    out.key(b"usage")
    write_usage(out, field(reply, RESPONSE_USAGE), losses)
    write_tier(out, field(reply, RESPONSE_TIER), losses)
    out.byte(b"}")
    return out.finish(), losses.reported


cdef int write_tier(JsonWriter out, object tier, Losses losses) except -1:
    """Write the service tier, as the last member of a reply or of the last event."""
    if tier is None:
        return 0
    if tier not in TIERS:
        losses.add(REPLY_SERVICE_TIER, "service_tier", tier, None)
        return 0
    out.literal(b',"serviceTier":{"type":')
    out.string(tier)
    return out.byte(b"}")


cdef str stop_reason(object reason, bint has_calls, Losses losses):
    """Return the stop reason, which every answer has: `tool_use` for an answer with calls."""
    cdef object found = STOP_REASONS.get(reason)
    path = "choices[0].finish_reason"
    if reason == "stop" and has_calls:
        losses.add(REPLY_TOOL_USE, path, reason, "tool_use")
        return "tool_use"
    if found is None or (found == "tool_use" and not has_calls):
        found = "tool_use" if has_calls else "end_turn"
        losses.add(REPLY_FINISH_REASON, path, reason, found)
    return found


cdef int write_content(JsonWriter out, object message, object model, Losses losses) except -1:
    """Write the content blocks of a message: reasoning, text and tool calls."""
    cdef Py_ssize_t start = out.size
    path = "choices[0].message"
    role = field(message, MESSAGE_ROLE)
    if role != "assistant":
        losses.add(REPLY_ROLE, f"{path}.role", role, "assistant")
    losses.drop(REPLY_AUDIO, f"{path}.audio", field(message, MESSAGE_AUDIO))
    if field(message, MESSAGE_NATIVE) is not None:
        blocks = own_blocks(message)
        if blocks is not None:
            return out.literal(b",".join(blocks))
    reasoning, details = field(message, MESSAGE_REASONING), field(message, MESSAGE_DETAILS)
    if reasoning is not None or details is not None:
        write_reasoning(out, reasoning, details or [], model, losses)
    content = field(message, MESSAGE_CONTENT)
    if type(content) is list:
        content = text_of_parts(content, f"{path}.content", losses)
    if content:
        write_text(out, content)
    refusal = field(message, MESSAGE_REFUSAL)
    if refusal:
        losses.add(REPLY_REFUSAL, f"{path}.refusal", refusal, refusal)
        write_text(out, refusal)
    annotations = field(message, MESSAGE_ANNOTATIONS)
    losses.drop(REPLY_ANNOTATIONS, f"{path}.annotations", annotations or None)
    calls = field(message, MESSAGE_CALLS)
    if calls is not None:
        for place, call in enumerate(<list?>calls):
            write_call(out, call, f"{path}.tool_calls[{place}]", losses)
    if out.size > start:
        out.size -= 1    # the comma after the last block
    return 0


cdef int write_text(JsonWriter out, object text) except -1:
    out.literal(b'{"text":')
    out.string(<str?>text)
    return out.raw(b"},", 2)


cdef int write_thought(JsonWriter out, object text, object signature) except -1:
    out.literal(b'{"reasoningContent":{"reasoningText":{"text":')
    out.string(<str?>text)
    if signature is not None:
        out.key(b"signature")
        out.string(<str?>signature)
    return out.literal(b"}}},")


cdef int write_reasoning(
    JsonWriter out, object reasoning, list details, object model, Losses losses
) except -1:
    """Write the reasoning blocks; the reasoning's text only where they have none."""
    path = "choices[0].message"
    text = "".join([text_of(block) for block in details])
    if reasoning and not text:
        write_thought(out, reasoning, None)
    elif reasoning and reasoning != text:
        losses.add(REPLY_REASONING, f"{path}.reasoning", reasoning, text)
    for place, block in enumerate(details):
        check(block, BLOCK)
        where = f"{path}.reasoning_details[{place}]"
        note_origin(block, model, where, losses)
        if is_redacted(block):
            out.literal(b'{"reasoningContent":{"redactedContent":')
            out.string(<str?>block.data)
            out.literal(b"}},")
            continue
        signature = block.signature if is_signed(block, where, losses) else None
        if signature is not None or text_of(block):
            write_thought(out, text_of(block), signature)
        elif block.signature is None:
            losses.add(REPLY_REASONING_BLOCK, where, block, None)
    return 0


cdef str text_of(object block):
    return block.text or block.summary or ""


cdef bint is_redacted(object block):
    """Return whether a block is encrypted reasoning that the API can hold: base64 data."""
    return block.type == "redacted_thinking" and type(block.data) is str and (
        is_base64(<str>block.data, 0)
    )


cdef bint is_signed(object block, str path, Losses losses) except -1:
    """Return whether a block has a signature; one of another API has another meaning."""
    if block.signature is None:
        return False
    if block.type != "thinking":
        losses.add(REPLY_REASONING_BLOCK, f"{path}.signature", block.signature, None)
        return False
    return True


cdef int write_call(JsonWriter out, object call, str path, Losses losses) except -1:
    """Write a tool call, its input as the JSON object that the model wrote."""
    cdef bytes text
    check(call, TOOL_CALL)
    out.literal(b'{"toolUse":{"toolUseId":')
    out.string(<str?>field(call, CALL_ID))
    out.key(b"name")
    custom = field(call, CALL_CUSTOM)
    if custom is not None:
        made = {"input": custom.get("input")}
        losses.add(REPLY_CUSTOM_CALL, f"{path}.custom.input", custom.get("input"), made)
        out.string(<str?>custom.get("name"))
        out.key(b"input")
        out.value(made, 0)
        return out.literal(b"}},")
    function = field(call, CALL_FUNCTION)
    check(function, FUNCTION_CALL)
    arguments = field(function, FUNCTION_ARGUMENTS)
    out.string(<str?>field(function, FUNCTION_NAME))
    out.key(b"input")
    text = bare_text(<str?>arguments)
    if not text.strip():
        out.raw(b"{}", 2)
    elif is_object(text):
        out.literal(text)
    else:
        made = {"arguments": arguments}
        losses.add(REPLY_ARGUMENTS, f"{path}.function.arguments", arguments, made)
        out.value(made, 0)
    return out.literal(b"}},")


# Usage

cdef int write_usage(JsonWriter out, object usage, Losses losses) except -1:
    """Write token counts; the input excludes cached tokens, the total includes them."""
    if usage is None:
        losses.add(REPLY_USAGE_MISSING, "usage", None, 0)
        return out.literal(b'{"inputTokens":0,"outputTokens":0,"totalTokens":0}')
    check(usage, USAGE)
    prompt, completion = field(usage, USAGE_PROMPT), field(usage, USAGE_COMPLETION)
    total = field(usage, USAGE_TOTAL)
    details = field(usage, USAGE_PROMPT_DETAILS)
    read = written = hour = 0
    if details is not None:
        check(details, PROMPT_TOKENS)
        read = field(details, CACHED_TOKENS) or 0
        written = field(details, WRITTEN_TOKENS) or 0
        hour = field(details, WRITTEN_1H) or 0
        drop_counts(details, UNCOUNTED_PROMPT, losses)
    if read + written > prompt:
        losses.add(REPLY_USAGE_CACHED, "usage.prompt_tokens", prompt, read + written)
        prompt = read + written
    if total != prompt + completion:
        losses.add(REPLY_USAGE, "usage.total_tokens", total, prompt + completion)
    if read or written:
        out.literal(b'{"cacheReadInputTokens":')
        number(out, read)
        out.key(b"cacheWriteInputTokens")
        number(out, written)
        if hour:
            write_cache_details(out, written, hour)
        out.key(b"inputTokens")
    else:
        out.literal(b'{"inputTokens":')
    number(out, prompt - read - written)
    out.key(b"outputTokens")
    number(out, completion)
    out.key(b"totalTokens")
    number(out, prompt + completion)
    details = field(usage, USAGE_COMPLETION_DETAILS)
    if details is not None:
        check(details, COMPLETION_TOKENS)
        drop_counts(details, UNCOUNTED_COMPLETION, losses)
    return out.byte(b"}")


cdef int write_cache_details(JsonWriter out, object written, object hour) except -1:
    """Write how long the cache keeps the tokens that were written to it."""
    out.literal(b',"cacheDetails":[')
    if written > hour:
        out.literal(b'{"inputTokens":')
        number(out, written - hour)
        out.literal(b',"ttl":"5m"},')
    out.literal(b'{"inputTokens":')
    number(out, hour)
    return out.literal(b',"ttl":"1h"}]')


# Streams

cdef list event_headers(bytes name):
    """Return the headers of an event's frame."""
    return [
        (b":event-type", name),
        (b":content-type", b"application/json"),
        (b":message-type", b"event"),
    ]

cdef list MESSAGE_START = event_headers(b"messageStart")
cdef list BLOCK_START = event_headers(b"contentBlockStart")
cdef list BLOCK_DELTA = event_headers(b"contentBlockDelta")
cdef list BLOCK_STOP = event_headers(b"contentBlockStop")
cdef list MESSAGE_STOP = event_headers(b"messageStop")
cdef list METADATA = event_headers(b"metadata")


@cython.final
cdef class BedrockStreamEncoder(BlockStreamEncoder):
    """Writes canonical chunks as a stream of Bedrock's ConverseStream; see `BlockStreamEncoder`.

    Only tool calls have an event that begins them. The usage is in the last event.
    """
    cdef JsonWriter _payload

    def __cinit__(self):
        self._payload = JsonWriter()

    def fail(self, bytes body not None):
        """Return the frame of an error, whose *body* is that of `encode_bedrock_error`.

        The stream ends with this frame: its answer is incomplete.
        """
        cdef JsonWriter out = JsonWriter()
        given = msgspec.json.decode(body)
        name, message = given["__type"], given["message"]
        if name not in EXCEPTIONS:
            return event_frame([
                (b":error-code", name.encode()),
                (b":error-message", short_text(message)),
                (b":message-type", b"error"),
            ], b"")
        out.literal(b'{"message":')
        out.string(message)
        out.byte(b"}")
        return event_frame([
            (b":exception-type", (name[0].lower() + name[1:]).encode()),
            (b":content-type", b"application/json"),
            (b":message-type", b"exception"),
        ], out.finish())

    cdef int start_stream(self, chunk) except -1:
        self._losses.drop(REPLY_ID, "id", field(chunk, CHUNK_ID) or None)
        self._losses.drop(REPLY_MODEL, "model", self._model or None)
        self._payload.size = 0    # what an error left half written
        self._payload.literal(b'{"role":"assistant"')
        return self._send(MESSAGE_START)

    cdef int end_stream(self) except -1:
        """Write the stop reason, and after it the usage."""
        cdef JsonWriter payload = self._payload
        payload.size = 0
        payload.literal(b'{"stopReason":')
        payload.string(stop_reason(self._reason, bool(self._calls), self._losses))
        self._send(MESSAGE_STOP)
        payload.literal(b'{"metrics":{"latencyMs":0},"usage":')
        write_usage(payload, self._usage, self._losses)
        write_tier(payload, self._tier, self._losses)
        return self._send(METADATA)

    cdef int take_tier(self, tier) except -1:
        self._tier = tier
        return 0

    cdef int write_text(self, str text) except -1:
        return self._write_delta(b'{"text":', text, b"}")

    cdef int write_thought(self, str text) except -1:
        return self._write_delta(b'{"reasoningContent":{"text":', text, b"}}")

    cdef int write_signature(self, str signature) except -1:
        return self._write_delta(b'{"reasoningContent":{"signature":', signature, b"}}")

    cdef bint write_redacted(self, str data) except -1:
        if not is_base64(data, 0):
            return False
        self._write_delta(b'{"reasoningContent":{"redactedContent":', data, b"}}")
        return True

    cdef bint is_signed(self, block) except -1:
        return is_signed(block, "choices[0].delta.reasoning_details", self._losses)

    cdef int start_tool_use(self, str id, str name) except -1:
        cdef JsonWriter payload = self._payload
        self._begin_payload()
        payload.literal(b',"start":{"toolUse":{"name":')
        payload.string(name)
        payload.key(b"toolUseId")
        payload.string(id)
        payload.raw(b"}}", 2)
        return self._send(BLOCK_START)

    cdef int write_input(self, str text) except -1:
        return self._write_delta(b'{"toolUse":{"input":', text, b"}}")

    cdef int stop_block(self) except -1:
        self._begin_payload()
        return self._send(BLOCK_STOP)

    cdef int _begin_payload(self) except -1:
        """Write the index of the block, the first member of its events."""
        self._payload.size = 0
        self._payload.literal(b'{"contentBlockIndex":')
        return number(self._payload, self._index)

    cdef int _write_delta(self, bytes head, str text, bytes tail) except -1:
        cdef JsonWriter payload = self._payload
        self._begin_payload()
        payload.literal(b',"delta":')
        payload.literal(head)
        payload.string(text)
        payload.literal(tail)
        return self._send(BLOCK_DELTA)

    cdef int _send(self, list headers) except -1:
        """End the payload, and write its frame."""
        self._payload.byte(b"}")
        return self._out.literal(event_frame(headers, taken(self._payload)))


cdef bytes short_text(str text):
    """Return a text that fits into a header: at most 65,535 bytes."""
    return text.encode()[:65_535].decode("utf-8", "ignore").encode()
