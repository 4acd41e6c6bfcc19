"""Gemini reply and stream encoder: canonical form to bytes (google-genai 3.6.1, 2026-11-30).

A reply and each event of a stream are a `GenerateContentResponse`. A function call is
written whole, so a stream has its calls at its end; everything else is written immediately.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE

from specado._core.json_scan cimport Scan, skip_space, skip_value
from specado._core.json_writer cimport JsonWriter, bare_text
from specado._core.normalize cimport is_base64
from specado._core.reply_fields cimport (
    check,
    field,
    number,
    offset_of,
    taken,
)
from specado._core.replies cimport Pieces
from specado._core.reply_encoder cimport (
    BLOCK, CACHED_TOKENS, CALL_CUSTOM, CALL_FUNCTION, CALL_ID, CALL_PIECE, CHOICE, CHOICE_INDEX,
    CHOICE_LOGPROBS, CHOICE_MESSAGE, CHOICE_REASON, CHUNK, CHUNK_CHOICE, CHUNK_CHOICES,
    CHUNK_CREATED, CHUNK_DELTA, CHUNK_FINGERPRINT, CHUNK_ID, CHUNK_INDEX, CHUNK_LOGPROBS,
    CHUNK_MODEL, CHUNK_REASON, CHUNK_TIER, CHUNK_USAGE, COMPLETION_TOKENS, DELTA,
    DELTA_ANNOTATIONS, DELTA_AUDIO, DELTA_CALLS, DELTA_CONTENT, DELTA_DETAILS, DELTA_REASONING,
    DELTA_REFUSAL, DELTA_ROLE, FUNCTION_ARGUMENTS, FUNCTION_CALL, FUNCTION_NAME, FUNCTION_PIECE,
    Losses, MESSAGE, MESSAGE_ANNOTATIONS, MESSAGE_AUDIO, MESSAGE_CALLS, MESSAGE_CONTENT,
    MESSAGE_DETAILS, MESSAGE_NATIVE, MESSAGE_REASONING, MESSAGE_REFUSAL, MESSAGE_ROLE,
    PIECE_ARGUMENTS, PIECE_CUSTOM, PIECE_FUNCTION, PIECE_ID, PIECE_INDEX, PIECE_NAME,
    PROMPT_TOKENS, REASONING_TOKENS, RESPONSE, RESPONSE_CHOICES, RESPONSE_CREATED,
    RESPONSE_FINGERPRINT, RESPONSE_ID, RESPONSE_MODEL, RESPONSE_TIER, RESPONSE_USAGE, TOOL_CALL,
    USAGE, USAGE_COMPLETION, USAGE_COMPLETION_DETAILS, USAGE_PROMPT, USAGE_PROMPT_DETAILS,
    USAGE_TOTAL, text_of_parts,
)

import time

import msgspec

from specado._core.repair import made_call_id
from specado._core.gemini.finish_reasons import FINISH_REASONS
from specado._core.gemini.loss_rows import (
    REPLY_ANNOTATIONS, REPLY_ARGUMENTS, REPLY_AUDIO, REPLY_CUSTOM_CALL,
    REPLY_FINGERPRINT, REPLY_FINISH_REASON, REPLY_LOGPROBS, REPLY_REASONING,
    REPLY_REASONING_BLOCK, REPLY_REASONING_MODEL, REPLY_REFUSAL, REPLY_ROLE, REPLY_SERVICE_TIER,
    REPLY_TOOL_USE, REPLY_USAGE,
)
from specado._core.gemini.native import SIGNATURE_FORMAT
from specado._core.gemini.reply_members import grounding_of, logprobs_of, own_parts
from specado.types import ChatCompletionChunk, ChatCompletionResponse, Usage

cdef dict REASONS = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
}
# Gemini's own words that the canonical form keeps.
cdef frozenset OWN_REASONS = frozenset({
    word for word, meaning in FINISH_REASONS.items() if meaning == word
})
# Canonical service tiers in the API's words.
cdef dict TIERS = {"default": "standard", "flex": "flex", "priority": "priority"}
# The types of reasoning blocks that are read as text.
cdef frozenset THOUGHTS = frozenset({"thinking", "reasoning.text", "reasoning.summary"})


# Counts by modality: their offset, and the name of the modality.
cdef tuple PROMPT_MODALITIES = tuple([
    (offset_of(PROMPT_TOKENS, f"{name}_tokens"), name.upper())
    for name in ("text", "image", "audio")
])
cdef tuple COMPLETION_MODALITIES = tuple([
    (offset_of(COMPLETION_TOKENS, f"{name}_tokens"), name.upper()) for name in ("text", "audio")
])
# Counts without a counterpart in the API's usage: their offset and their path.
cdef tuple UNCOUNTED_PROMPT = tuple([
    (offset_of(PROMPT_TOKENS, name), f"usage.prompt_tokens_details.{name}")
    for name in ("cache_write_tokens", "cache_write_1h_tokens")
])
cdef tuple UNCOUNTED_COMPLETION = tuple([
    (offset_of(COMPLETION_TOKENS, name), f"usage.completion_tokens_details.{name}")
    for name in ("accepted_prediction_tokens", "rejected_prediction_tokens")
])


# Parts

cdef int write_text(JsonWriter out, object text, bint is_thought, object signature) except -1:
    """Write a text part, and a comma after it."""
    out.literal(b'{"text":')
    out.string(<str?>text)
    if is_thought:
        out.literal(b',"thought":true')
    write_signature(out, signature)
    return out.raw(b"},", 2)


cdef int write_signature(JsonWriter out, object signature) except -1:
    if signature is not None:
        out.key(b"thoughtSignature")
        out.string(<str?>signature)
    return 0


cdef int write_call(
    JsonWriter out, str id, str name, object arguments, object custom, object signature, str path,
    Losses losses,
) except -1:
    """Write a function call, its arguments as the JSON object that the model wrote."""
    cdef bytes text
    out.literal(b'{"functionCall":{"id":')
    out.string(id)
    out.key(b"name")
    out.string(name)
    out.key(b"args")
    if custom is not None:
        losses.add(REPLY_CUSTOM_CALL, f"{path}.custom.input", custom, {"input": custom})
        out.value({"input": custom}, 0)
    else:
        text = bare_text(<str?>arguments)
        if not text.strip():
            out.raw(b"{}", 2)
        elif is_object(text):
            # A line break would end the line of an event.
            is_broken = b"\n" in text or b"\r" in text
            out.literal(msgspec.json.format(text, indent=-1) if is_broken else text)
        else:
            made = {"arguments": arguments}
            losses.add(REPLY_ARGUMENTS, f"{path}.function.arguments", arguments, made)
            out.value(made, 0)
    out.byte(b"}")
    write_signature(out, signature)
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


cdef int end_parts(JsonWriter out, Py_ssize_t start) except -1:
    """End the list of parts that began at *start*: no comma after the last."""
    if out.size > start:
        out.size -= 1
    return out.literal(b'],"role":"model"}')


# Reasoning

cdef bint is_signature(object block):
    """Return whether a reasoning block is Gemini's signature of a call or a text."""
    return block.format == SIGNATURE_FORMAT and block.type == "reasoning.encrypted" and (
        type(block.data) is str
    )


cdef bint is_thought(object block):
    return block.type in THOUGHTS and (
        thought_text(block) != "" or usable(block.signature) is not None
    )


cdef str thought_text(object block):
    return block.text or block.summary or ""


cdef object usable(object signature):
    """Return a signature that is base64, as the API's are; None for another one."""
    if type(signature) is str and is_base64(<str>signature, 0):
        return signature
    return None


cdef object signature_of(object block, str path, Losses losses):
    """Return the signature of a thought; one that is not base64 is reported."""
    found = usable(block.signature)
    if found is None and block.signature is not None:
        losses.add(REPLY_REASONING_BLOCK, f"{path}.signature", block.signature, None)
    return found


cdef int note_origin(object block, object model, str path, Losses losses) except -1:
    if block.model is not None and block.model != model:
        losses.add(REPLY_REASONING_MODEL, f"{path}.model", block.model, model)
    return 0


cdef int write_thoughts(
    JsonWriter out, object reasoning, list details, object model, dict signatures, str path,
    Losses losses,
) except -1:
    """Write the thoughts of an answer, and add its signatures by the ids of their calls.

    The reasoning's text is written only where the blocks have none.
    """
    told = "".join([thought_text(block) for block in details if is_thought(block)])
    if reasoning and not told:
        write_text(out, reasoning, True, None)
    elif reasoning and reasoning != told:
        losses.add(REPLY_REASONING, f"{path}.reasoning", reasoning, told)
    for place, block in enumerate(details):
        check(block, BLOCK)
        where = f"{path}.reasoning_details[{place}]"
        note_origin(block, model, where, losses)
        if is_signature(block) and usable(block.data) is not None:
            signatures.setdefault(block.id, []).append(block.data)
        elif is_thought(block):
            write_text(out, thought_text(block), True, signature_of(block, where, losses))
        else:
            losses.add(REPLY_REASONING_BLOCK, where, block, None)
    return 0


cdef object take_signature(dict signatures, object call_id):
    """Return the signature of a call, or of the text by `None`; None without one."""
    found = signatures.get(call_id)
    return found.pop(0) if found else None


cdef int write_left_over(JsonWriter out, dict signatures) except -1:
    """Write signatures whose part is missing: an empty text part carries each."""
    for found in signatures.values():
        for signature in found:
            write_text(out, "", False, signature)
    return 0


# Whole replies

def encode_reply(reply):
    """Return a `ChatCompletionResponse` as the JSON body of Gemini's API, and the losses.

    Extensions, headers and the raw body are not written. A text that UTF-8 cannot hold, a number
    that is not finite and the like are `NotJson`.
    """
    cdef JsonWriter out = JsonWriter()
    cdef Losses losses = Losses()
    cdef list choices
    check(reply, RESPONSE)
    choices = <list?>field(reply, RESPONSE_CHOICES)
    losses.drop(REPLY_FINGERPRINT, "system_fingerprint", field(reply, RESPONSE_FINGERPRINT))
    model = field(reply, RESPONSE_MODEL)
    out.literal(b'{"candidates":[')
    for place, choice in enumerate(choices):
        if place:
            out.byte(b",")
        write_choice(out, choice, f"choices[{place}]", model, losses)
    out.byte(b"]")
    usage = field(reply, RESPONSE_USAGE)
    write_usage(out, usage, field(reply, RESPONSE_TIER), losses)
    write_facts(out, model, field(reply, RESPONSE_ID), field(reply, RESPONSE_CREATED))
    out.byte(b"}")
    return out.finish(), losses.reported


cdef int write_facts(JsonWriter out, object model, object id, object created) except -1:
    """Write the members that every reply and event has."""
    out.key(b"modelVersion")
    out.string(<str?>model)
    if created:
        out.key(b"createTime")
        out.string(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(created)))
    out.key(b"responseId")
    return out.string(<str?>id)


cdef int write_choice(
    JsonWriter out, object choice, str path, object model, Losses losses
) except -1:
    """Write an answer as a candidate."""
    check(choice, CHOICE)
    message = field(choice, CHOICE_MESSAGE)
    check(message, MESSAGE)
    write_content(out, message, model, f"{path}.message", losses)
    reason = reason_for(
        field(choice, CHOICE_REASON), bool(field(message, MESSAGE_CALLS)), path, losses
    )
    if reason is not None:
        out.key(b"finishReason")
        out.string(reason)
    out.key(b"index")
    number(out, field(choice, CHOICE_INDEX))
    annotations = field(message, MESSAGE_ANNOTATIONS)
    if annotations:
        content = field(message, MESSAGE_CONTENT)
        text = content if type(content) is str else message.text
        write_grounding(out, annotations, text, f"{path}.message.annotations", losses)
    logprobs = field(choice, CHOICE_LOGPROBS)
    if logprobs is not None:
        write_logprobs(out, logprobs, f"{path}.logprobs", losses)
    return out.byte(b"}")


cdef object reason_for(object reason, bint has_calls, str path, Losses losses):
    """Return Gemini's finish reason; it is STOP for an answer with calls too."""
    if reason is None:
        return None
    found = REASONS.get(reason)
    if reason in OWN_REASONS:
        return reason
    path = f"{path}.finish_reason"
    if found is None or (reason == "tool_calls" and not has_calls):
        found = "OTHER" if found is None else "STOP"
        losses.add(REPLY_FINISH_REASON, path, reason, found)
    elif reason == "stop" and has_calls:
        losses.add(REPLY_TOOL_USE, path, reason, found)
    return found


cdef int write_content(
    JsonWriter out, object message, object model, str path, Losses losses
) except -1:
    """Write the parts of a message: thoughts, text and function calls."""
    cdef dict signatures = {}
    cdef Py_ssize_t start
    role = field(message, MESSAGE_ROLE)
    if role != "assistant":
        losses.add(REPLY_ROLE, f"{path}.role", role, "assistant")
    losses.drop(REPLY_AUDIO, f"{path}.audio", field(message, MESSAGE_AUDIO))
    out.literal(b'{"content":{"parts":[')
    start = out.size
    if field(message, MESSAGE_NATIVE) is not None:
        parts = own_parts(message)
        if parts is not None:
            out.literal(b",".join(parts) + b",")
            return end_parts(out, start)
    reasoning, details = field(message, MESSAGE_REASONING), field(message, MESSAGE_DETAILS)
    if reasoning is not None or details is not None:
        write_thoughts(out, reasoning, details or [], model, signatures, path, losses)
    content = field(message, MESSAGE_CONTENT)
    if type(content) is list:
        content = text_of_parts(content, f"{path}.content", losses)
    if content:
        write_text(out, content, False, take_signature(signatures, None))
    refusal = field(message, MESSAGE_REFUSAL)
    if refusal:
        losses.add(REPLY_REFUSAL, f"{path}.refusal", refusal, refusal)
        write_text(out, refusal, False, None)
    calls = field(message, MESSAGE_CALLS)
    if calls is not None:
        for place, call in enumerate(<list?>calls):
            write_tool_call(out, call, signatures, f"{path}.tool_calls[{place}]", losses)
    if signatures:
        write_left_over(out, signatures)
    if out.size == start and content is not None:
        write_text(out, "", False, None)
    return end_parts(out, start)


cdef int write_tool_call(
    JsonWriter out, object call, dict signatures, str path, Losses losses
) except -1:
    check(call, TOOL_CALL)
    id = field(call, CALL_ID)
    signature = take_signature(signatures, id)
    custom = field(call, CALL_CUSTOM)
    if custom is not None:
        name, text = custom.get("name"), custom.get("input") or ""
        return write_call(out, <str?>id, <str?>name, None, text, signature, path, losses)
    function = field(call, CALL_FUNCTION)
    check(function, FUNCTION_CALL)
    name, text = field(function, FUNCTION_NAME), field(function, FUNCTION_ARGUMENTS)
    return write_call(out, <str?>id, <str?>name, text, None, signature, path, losses)


cdef int write_grounding(
    JsonWriter out, object annotations, str text, str path, Losses losses
) except -1:
    found, others = grounding_of(annotations, text)
    for place in others:
        losses.add(REPLY_ANNOTATIONS, f"{path}[{place}]", annotations[place], None)
    if found is not None:
        out.key(b"groundingMetadata")
        out.value(found, 0)
    return 0


cdef int write_logprobs(JsonWriter out, object logprobs, str path, Losses losses) except -1:
    """Write log probabilities of the answer's tokens; a refusal has none of its own here."""
    for name, tokens in logprobs.items():
        if tokens is None:
            continue
        if name == "content":
            out.key(b"logprobsResult")
            out.value(logprobs_of(tokens), 0)
        else:
            losses.add(REPLY_LOGPROBS, f"{path}.{name}", tokens, None)
    return 0


# Usage

cdef int write_usage(JsonWriter out, object usage, object tier, Losses losses) except -1:
    """Write token counts; Gemini counts thoughts apart from the candidates' tokens.

    The service tier is a member of the usage: without a usage it is not written.
    """
    cdef object name = None if usage is None else TIERS.get(tier)
    if tier is not None and name is None:
        losses.add(REPLY_SERVICE_TIER, "service_tier", tier, None)
    if usage is None:
        return 0
    check(usage, USAGE)
    prompt, completion = field(usage, USAGE_PROMPT), field(usage, USAGE_COMPLETION)
    details = field(usage, USAGE_COMPLETION_DETAILS)
    thoughts = 0
    if details is not None:
        check(details, COMPLETION_TOKENS)
        thoughts = field(details, REASONING_TOKENS) or 0
    total = field(usage, USAGE_TOTAL)
    is_beside = thoughts and total == prompt + completion + thoughts
    if is_beside or thoughts > completion:
        # The reasoning was counted beside the completion.
        losses.add(REPLY_USAGE, "usage.completion_tokens", completion, completion + thoughts)
    else:
        completion -= thoughts
    out.key(b"usageMetadata")
    out.literal(b'{"promptTokenCount":')
    number(out, prompt)
    prompt_details = field(usage, USAGE_PROMPT_DETAILS)
    if prompt_details is not None:
        check(prompt_details, PROMPT_TOKENS)
        write_count(out, b"cachedContentTokenCount", field(prompt_details, CACHED_TOKENS))
    write_count(out, b"candidatesTokenCount", completion)
    write_count(out, b"thoughtsTokenCount", thoughts)
    out.key(b"totalTokenCount")
    number(out, total)
    if prompt_details is not None:
        write_modalities(out, b"promptTokensDetails", prompt_details, PROMPT_MODALITIES)
        drop_counts(prompt_details, UNCOUNTED_PROMPT, losses)
    if details is not None:
        write_modalities(out, b"candidatesTokensDetails", details, COMPLETION_MODALITIES)
        drop_counts(details, UNCOUNTED_COMPLETION, losses)
    if name is not None:
        out.key(b"serviceTier")
        out.string(name)
    return out.byte(b"}")


cdef int write_count(JsonWriter out, bytes name, object count) except -1:
    """Write a count; zero is left out, as Gemini does."""
    if count:
        out.key(name)
        number(out, count)
    return 0


cdef int write_modalities(JsonWriter out, bytes name, object details, tuple counts) except -1:
    """Write the counts by modality."""
    cdef Py_ssize_t offset
    cdef bint is_open = False
    for each in counts:
        offset = (<tuple>each)[0]
        count = field(details, offset)
        if not count:
            continue
        if is_open:
            out.byte(b",")
        else:
            out.key(name)
            out.byte(b"[")
            is_open = True
        out.literal(b'{"modality":')
        out.string(<str>(<tuple>each)[1])
        out.key(b"tokenCount")
        number(out, count)
        out.byte(b"}")
    return out.byte(b"]") if is_open else 0


cdef int drop_counts(object details, tuple counts, Losses losses) except -1:
    """Report the counts that the API's usage has no place for; zeros say nothing."""
    cdef Py_ssize_t offset
    for each in counts:
        offset = (<tuple>each)[0]
        count = field(details, offset)
        if count:
            losses.add(REPLY_USAGE, <str>(<tuple>each)[1], count, None)
    return 0


# Streams

@cython.final
cdef class OpenCall:
    """A function call of a stream; it is written at the end."""
    cdef str id, name, path
    cdef Pieces text
    cdef bint is_custom


@cython.final
cdef class OpenChoice:
    """One answer of a stream: what its last event needs."""
    cdef object index, reason
    cdef str path
    cdef dict calls          # index of a call to its OpenCall
    cdef dict signatures     # id of a call to the signatures that wait for it
    cdef list annotations
    cdef Pieces text         # for the offsets of annotations
    cdef Pieces thought      # since the last block that repeated it
    cdef Py_ssize_t thought_length


@cython.final
cdef class GeminiStreamEncoder:
    """Writes canonical chunks as a stream of Gemini's API (server-sent events).

    Text and thoughts are written at once; function calls, citations, finish reasons and the usage
    are in the last event. `losses` has the losses so far, each once. One per stream; not for two
    threads at once.
    """
    cdef JsonWriter _out
    cdef Losses _losses
    cdef dict _choices       # index to its OpenChoice
    cdef bytes _tail         # of every event but the last
    cdef object _id, _model, _created, _usage, _tier

    def __cinit__(self):
        self._out = JsonWriter()
        self._losses = Losses()
        self._losses.seen = set()
        self._choices = {}

    @property
    def losses(self):
        return self._losses.reported

    def encode(self, chunk):
        """Return the event of a `ChatCompletionChunk`; `b""` if it brings nothing to write yet."""
        cdef JsonWriter out = self._out
        cdef Py_ssize_t start, written = 0
        check(chunk, CHUNK)
        out.size = 0    # what an error left half written
        if self._tail is None:
            self._start(chunk)
        usage = field(chunk, CHUNK_USAGE)
        if usage is not None:
            self._usage = usage
        tier = field(chunk, CHUNK_TIER)
        if tier is not None:
            self._tier = tier
        fingerprint = field(chunk, CHUNK_FINGERPRINT)
        if fingerprint is not None:
            self._losses.add(REPLY_FINGERPRINT, "system_fingerprint", fingerprint, None)
        out.literal(b'data: {"candidates":[')
        for choice in <list?>field(chunk, CHUNK_CHOICES):
            check(choice, CHUNK_CHOICE)
            start = out.size
            if written:
                out.byte(b",")
            if self._take(choice):
                written += 1
            else:
                out.size = start
        if not written:
            out.size = 0
            return b""
        out.literal(self._tail)
        return taken(out)

    def finish(self):
        """Return the event that ends a whole stream, with the finish reasons and the usage."""
        cdef JsonWriter out = self._out
        cdef OpenChoice choice
        out.size = 0
        if self._tail is None:
            self._start(CHUNK("", "", []))
        if not self._choices:
            self._open(0)
        out.literal(b'data: {"candidates":[')
        for place, index in enumerate(sorted(self._choices)):
            if place:
                out.byte(b",")
            self._end(self._choices[index])
        out.byte(b"]")
        write_usage(out, self._usage, self._tier, self._losses)
        write_facts(out, self._model, self._id, self._created)
        out.literal(b"}\r\n\r\n")
        return out.finish()

    def fail(self, bytes body not None):
        """Return the event of an error, whose *body* is that of `encode_gemini_error`.

        The stream ends with this event: its answers are incomplete.
        """
        return b"data: " + body + b"\r\n\r\n"

    cdef int _start(self, chunk) except -1:
        """Keep the facts that every event repeats."""
        cdef JsonWriter out = JsonWriter()
        self._id, self._model = field(chunk, CHUNK_ID), field(chunk, CHUNK_MODEL)
        self._created = field(chunk, CHUNK_CREATED)
        write_facts(out, self._model, self._id, self._created)
        self._tail = b"]," + out.finish() + b"}\r\n\r\n"
        return 0

    cdef OpenChoice _open(self, index):
        cdef OpenChoice choice = OpenChoice()
        choice.index = index
        choice.path = f"choices[{index}]"
        choice.calls = {}
        choice.signatures = {}
        choice.annotations = []
        choice.text = Pieces()
        choice.thought = Pieces()
        self._choices[index] = choice
        return choice

    cdef bint _take(self, given) except -1:
        """Write what a chunk adds to an answer as a candidate; return whether that is anything."""
        cdef JsonWriter out = self._out
        cdef OpenChoice choice = self._choices.get(field(given, CHUNK_INDEX))
        cdef Py_ssize_t start
        if choice is None:
            choice = self._open(field(given, CHUNK_INDEX))
        delta = field(given, CHUNK_DELTA)
        check(delta, DELTA)
        reason = field(given, CHUNK_REASON)
        if reason is not None:
            choice.reason = reason
        out.literal(b'{"content":{"parts":[')
        start = out.size
        signature = None
        reasoning, details = field(delta, DELTA_REASONING), field(delta, DELTA_DETAILS)
        if reasoning is not None or details is not None:
            self._add_thoughts(choice, reasoning, details or [])
            signature = take_signature(choice.signatures, None)
        text = field(delta, DELTA_CONTENT)
        if text or signature is not None:
            write_text(out, text or "", False, signature)
            if text:
                choice.text.add(<str?>text)
        calls = field(delta, DELTA_CALLS)
        if calls is not None:
            for piece in <list?>calls:
                self._add_piece(choice, piece)
        if (
            field(delta, DELTA_REFUSAL) is not None or field(delta, DELTA_ANNOTATIONS) is not None
            or field(delta, DELTA_AUDIO) is not None or field(delta, DELTA_ROLE) is not None
        ):
            self._take_rest(choice, delta)
        logprobs = field(given, CHUNK_LOGPROBS)
        if out.size == start and logprobs is None:
            return False
        end_parts(out, start)
        out.key(b"index")
        number(out, choice.index)
        if logprobs is not None:
            write_logprobs(out, logprobs, f"{choice.path}.logprobs", self._losses)
        out.byte(b"}")
        return True

    cdef int _take_rest(self, OpenChoice choice, delta) except -1:
        """Write a refusal, keep annotations, and report members without a counterpart."""
        path = f"{choice.path}.delta"
        role = field(delta, DELTA_ROLE)
        if role is not None and role != "assistant":
            self._losses.add(REPLY_ROLE, f"{path}.role", role, "assistant")
        refusal = field(delta, DELTA_REFUSAL)
        if refusal:
            self._losses.add(REPLY_REFUSAL, f"{path}.refusal", refusal, refusal)
            write_text(self._out, refusal, False, None)
        choice.annotations += field(delta, DELTA_ANNOTATIONS) or ()
        return self._losses.drop(REPLY_AUDIO, f"{path}.audio", field(delta, DELTA_AUDIO))

    cdef int _add_thoughts(self, OpenChoice choice, reasoning, list details) except -1:
        """Write a delta's reasoning, whose text and blocks may say the same, and keep signatures."""
        path = f"{choice.path}.delta.reasoning_details"
        if reasoning and reasoning not in [thought_text(block) for block in details]:
            self._write_thought(choice, <str?>reasoning, None)
            reasoning = None
        for block in details:
            check(block, BLOCK)
            note_origin(block, self._model, path, self._losses)
            if is_signature(block) and usable(block.data) is not None:
                choice.signatures.setdefault(block.id, []).append(block.data)
                continue
            if not is_thought(block):
                self._losses.add(REPLY_REASONING_BLOCK, path, block, None)
                continue
            text, signature = thought_text(block), signature_of(block, path, self._losses)
            if text != reasoning and self._repeats(choice, text):
                choice.thought, choice.thought_length = Pieces(), 0
                text = ""
            if text or signature is not None:
                self._write_thought(choice, text, signature)
        return 0

    cdef bint _repeats(self, OpenChoice choice, str text) except -1:
        """Return whether a block's text is the whole of the pieces before it."""
        # The lengths first: joining the pieces for each block would take quadratic time.
        return len(text) == choice.thought_length and text == choice.thought.whole()

    cdef int _write_thought(self, OpenChoice choice, str text, object signature) except -1:
        if text:
            choice.thought.add(text)
            choice.thought_length += len(text)
        return write_text(self._out, text, True, signature)

    cdef int _add_piece(self, OpenChoice choice, piece) except -1:
        """Add a piece to a function call."""
        cdef OpenCall call
        check(piece, CALL_PIECE)
        index = field(piece, PIECE_INDEX)
        call = choice.calls.get(index)
        custom, function = field(piece, PIECE_CUSTOM), field(piece, PIECE_FUNCTION)
        if call is None:
            call = OpenCall()
            call.text = Pieces()
            call.name = ""
            call.path = f"{choice.path}.delta.tool_calls[{index}]"
            call.is_custom = custom is not None
            choice.calls[index] = call
        if call.id is None:
            call.id = field(piece, PIECE_ID)
        name = text = None
        if function is not None:
            check(function, FUNCTION_PIECE)
            name, text = field(function, PIECE_NAME), field(function, PIECE_ARGUMENTS)
        elif custom is not None:
            name, text = custom.get("name"), custom.get("input")
        if name:
            call.name += <str?>name
        if text:
            call.text.add(<str?>text)
        return 0

    cdef int _end(self, OpenChoice choice) except -1:
        """Write the last candidate of an answer: its calls and its finish reason."""
        cdef JsonWriter out = self._out
        cdef OpenCall call
        cdef Py_ssize_t start
        out.literal(b'{"content":{"parts":[')
        start = out.size
        for call in choice.calls.values():
            text = call.text.whole()
            id = call.id or made_call_id()
            signature = take_signature(choice.signatures, call.id)
            custom = text if call.is_custom else None
            write_call(out, id, call.name, text, custom, signature, call.path, self._losses)
        write_left_over(out, choice.signatures)
        if out.size == start:
            write_text(out, "", False, None)
        end_parts(out, start)
        reason = reason_for(choice.reason, bool(choice.calls), choice.path, self._losses)
        if reason is None:
            # Without a reason the answer would not be whole.
            reason = "STOP"
            self._losses.add(REPLY_FINISH_REASON, f"{choice.path}.finish_reason", None, reason)
        out.key(b"finishReason")
        out.string(reason)
        out.key(b"index")
        number(out, choice.index)
        if choice.annotations:
            path = f"{choice.path}.delta.annotations"
            write_grounding(out, choice.annotations, choice.text.whole(), path, self._losses)
        return out.byte(b"}")
