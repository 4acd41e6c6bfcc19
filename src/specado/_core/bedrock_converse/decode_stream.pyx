"""Bedrock stream decoder: Converse events to canonical chunks (botocore 1.44.8, 2026-11-30).

A stream is whole if it has `messageStop` and then `metadata`, which is its last event. Exceptions
come as frames of their own, also as the first one of a reply with status 200.
"""

cimport cython

from specado._core.event_stream cimport EventStreamReader
from specado._core.replies cimport Pieces, ReplyStream
from specado._core.reply_fields cimport field, offset_of

from typing import Optional

import msgspec

from specado._core.bedrock_converse.decode_reply import (
    annotations_of, call_of, finish_reason_of, is_failure, reply_of, usage_of,
)
from specado._core.bedrock_converse.native import SERVER_TOOL, reasoning_block
from specado._core.bedrock_converse.repair import repair_event, repair_usage
from specado._core.bedrock_converse.wire import (
    EVENTS, NO_JSON, Block, BlockDelta, BlockStart, BlockStop, Delta, MessageStart, MessageStop,
    Metadata, Reasoning, ReasoningText, Reply, TokenUsage, ToolUse,
)
from specado._core.emulation import EMULATION_TOOL, unwrap_emulated
from specado._core.finish_reasons import failure_body, stop_beside_calls
from specado._core.replies import UNREADABLE, Notes, parse
from specado.errors import MalformedResponseError
from specado.types import (
    ChatCompletionChunk,
    ChoiceDelta,
    ChoiceDeltaToolCall,
    ChoiceDeltaToolCallFunction,
    ChunkChoice,
)

cdef Py_ssize_t DELTA_INDEX = offset_of(BlockDelta, "content_block_index")
cdef Py_ssize_t DELTA_DELTA = offset_of(BlockDelta, "delta")
cdef Py_ssize_t DELTA_TEXT = offset_of(Delta, "text")

cdef dict DECODERS = {
    name: msgspec.json.Decoder(kind).decode for name, kind in EVENTS.items()
}
cdef object _decode_delta = msgspec.json.Decoder(BlockDelta).decode
cdef object _decode_usage = msgspec.json.Decoder(Optional[TokenUsage]).decode
cdef object CHUNK = ChatCompletionChunk
cdef object CHOICE = ChunkChoice
cdef object DELTA = ChoiceDelta

# The kinds of the blocks of a stream.
cdef str TEXT = "text"
cdef str REASONING = "reasoning"
cdef str REDACTED = "redacted"
cdef str CALL = "call"
cdef str OTHER = "other"

cdef enum:
    NO_CALL = -1


@cython.final
cdef class BlockPieces:
    """A content block that is being received. Belongs to one stream."""
    cdef object index
    cdef str kind
    cdef Pieces pieces        # its text, its input, or its encrypted data
    cdef str signature        # of reasoning; None without one
    cdef object use           # the `ToolUse` of a call's start
    cdef Py_ssize_t call      # its place among the calls
    cdef bint is_answer       # whether it is the call that emulates structured output
    cdef bint has_input       # whether more than space came
    cdef bint is_closed
    cdef list citations       # of dicts; None without one
    cdef Py_ssize_t start     # where its text begins in the content
    cdef dict others          # members of a block without a canonical form; None without any


@cython.final
cdef class BedrockStream(ReplyStream):
    """Decodes one stream to chunks, and assembles the reply; see `ReplyStream`.

    It owns the pieces until the reply is assembled. One per stream; not for two threads at once.
    """
    cdef list _blocks
    cdef dict _block_of      # by index
    cdef BlockPieces _last
    cdef Py_ssize_t _calls, _length
    cdef bint _has_begun, _has_answer_call
    cdef object _stop        # the `MessageStop`, None before it
    cdef object _metadata    # the last event, None before it
    cdef object _usage

    def __cinit__(self, *_args, **options):
        self.frames = EventStreamReader(options["max_frame_bytes"])
        self._blocks = []
        self._block_of = {}

    cdef int take(self, bytes frame, list out) except -1:
        cdef EventStreamReader reader = <EventStreamReader>self.frames
        cdef str name = reader.event
        cdef str text
        if reader.kind == "exception" or reader.kind == "error":
            return self._take_failure(reader, frame)
        if name == "contentBlockDelta":
            try:
                found = _decode_delta(frame)
            except UNREADABLE:
                return self._repair(name, frame, out)
            delta = field(found, DELTA_DELTA)
            text = <str>field(delta, DELTA_TEXT)
            if text is not None:
                return self._add_text(self._block_at(field(found, DELTA_INDEX), TEXT), text, out)
            return self._add(field(found, DELTA_INDEX), delta, frame, out)
        decode = DECODERS.get(name)
        if decode is None:
            return self._repair(name, frame, out)
        try:
            found = decode(frame)
        except UNREADABLE:
            return self._repair(name, frame, out)
        return self._take_event(found, frame, out)

    cdef int _take_event(self, found, bytes frame, list out) except -1:
        """Read an event other than a delta."""
        kind = type(found)
        if kind is BlockStart:
            return self._start_block(found, frame, out)
        if kind is BlockStop:
            return self._close(self._block_of.get(found.content_block_index), out)
        if kind is MessageStop:
            return self._stop_message(found, out)
        if kind is Metadata:
            return self._end(found, out)
        if kind is MessageStart:
            return self._begin_message(out)
        delta = found.delta
        if delta.text is not None:
            return self._add_text(self._block_at(found.content_block_index, TEXT), delta.text, out)
        return self._add(found.content_block_index, delta, frame, out)

    cdef int _repair(self, str name, bytes frame, list out) except -1:
        """Read the usable part of an event that deviates from the documentation, or is unknown."""
        data = self.read_object(frame)
        if data is None:
            return 0
        notes = Notes()
        repaired = repair_event(name or "an event without a name", data, notes)
        self.note_all(notes)
        if repaired is None:
            return 0
        try:
            found = DECODERS[name](repaired)
        except UNREADABLE:
            return self.note(f"{name}: not as documented, left out of the stream")
        return self._take_event(found, repaired, out)

    cdef int _take_failure(self, EventStreamReader reader, bytes frame) except -1:
        """Take an exception or an error as `failure`: its name, and what its payload says."""
        cdef dict made = {}
        try:
            given = parse(frame, []) if frame.strip() else {}
        except MalformedResponseError:
            given = {"message": frame.decode("utf-8", "replace")}
        if isinstance(given, dict):
            made.update(given)
        made["__type"] = reader.event or reader.kind or "unknown"
        if reader.error_message is not None:
            made["message"] = reader.error_message
        self.failure = msgspec.json.encode(made)
        return 0

    # Blocks.

    cdef int _send(self, delta, list out, reason=None) except -1:
        if not self._has_begun:
            self._has_begun = True
            delta.role = "assistant"
        out.append(CHUNK(self.reply_id, self.model, [CHOICE(0, delta, reason)], self.created))
        return 0

    cdef int _begin_message(self, list out) except -1:
        if self._has_begun:
            return self.note("messageStart: a second one, left out of the stream")
        return self._send(DELTA(""), out)

    cdef BlockPieces _block_at(self, index, str kind):
        """Return the open block with this index; begin one of this kind if there is none.

        Blocks of text and reasoning have no event that begins them.
        """
        cdef BlockPieces found = self._last
        if found is not None and found.index == index:
            return found
        found = self._block_of.get(index)
        if found is None:
            found = BlockPieces()
            found.index = index
            found.kind = kind
            found.pieces = Pieces()
            found.call = NO_CALL
            found.start = self._length
            self._blocks.append(found)
            self._block_of[index] = found
        self._last = found
        return found

    cdef int _start_block(self, found, bytes frame, list out) except -1:
        """Begin a block that has an event of its own: a call, a result of a server's tool."""
        cdef BlockPieces block
        if found.content_block_index in self._block_of:
            return self.note("contentBlockStart: a second one, left out of the stream")
        self.keep_bytes(len(frame))
        use = found.start.tool_use
        if use is not None and use.name and use.type != SERVER_TOOL:
            block = self._block_at(found.content_block_index, CALL)
            return self._open_call(block, use, out)
        block = self._block_at(found.content_block_index, OTHER)
        block.others = parse(frame, Notes()).get("start") or {}
        return 0

    cdef int _open_call(self, BlockPieces block, use, list out) except -1:
        notes = Notes()
        place = len(self._blocks) - 1
        made = call_of(ToolUse(use.tool_use_id, use.name), place, notes)
        self.note_all(notes)
        use.tool_use_id = made.id
        use.input = NO_JSON
        block.use = use
        block.call = self._calls
        self._calls += 1
        if self.emulated and not self._has_answer_call and use.name == EMULATION_TOOL:
            block.is_answer = self._has_answer_call = True
            return 0
        self.begin(False)
        call = ChoiceDeltaToolCall(
            block.call, made.id, ChoiceDeltaToolCallFunction(use.name, ""), "function"
        )
        return self._send(DELTA(tool_calls=[call]), out)

    cdef int _add_text(self, BlockPieces block, str text, list out) except -1:
        if block.kind is not TEXT or block.is_closed:
            return self.note(f"contentBlockDelta: text in a block of {block.kind}, left out")
        if not text:
            return 0
        block.pieces.add(text)
        self._length += len(text)
        self.keep(text)
        if self.emulated:
            return 0    # sent at the end, unless the forced tool is called
        if not self.has_content:
            self.begin(False)
        if not self._has_begun:
            return self._send(DELTA(text), out)
        out.append(CHUNK(self.reply_id, self.model, [CHOICE(0, DELTA(text))], self.created))
        return 0

    cdef int _add(self, index, delta, bytes frame, list out) except -1:
        """Add a piece other than text."""
        cdef BlockPieces block
        if delta.reasoning_content is not None:
            return self._add_reasoning(index, delta.reasoning_content, out)
        if delta.tool_use is not None:
            block = self._block_of.get(index)
            if block is None:
                return self.note("contentBlockDelta: of a call without a start, left out")
            return self._add_input(block, delta.tool_use.input, out)
        self.keep_bytes(len(frame))
        if delta.citation is not NO_JSON:
            block = self._block_at(index, TEXT)
            citation = parse(bytes(delta.citation), Notes())
            if block.kind is not TEXT or not isinstance(citation, dict):
                return self.note("contentBlockDelta: a citation of no text, left out")
            if block.citations is None:
                block.citations = []
            block.citations.append(citation)
            return 0
        return self._add_other(index, frame)

    cdef int _add_other(self, index, bytes frame) except -1:
        """Add to a block that has no canonical form: pieces of a list are put together."""
        cdef BlockPieces block = self._block_of.get(index)
        given = parse(frame, Notes()).get("delta")
        if (block is not None and block.kind is not OTHER) or not isinstance(given, dict) or (
            not any([isinstance(value, (list, dict)) for value in given.values()])
        ):
            return self.note("contentBlockDelta: an unknown one, left out of the stream")
        block = self._block_at(index, OTHER)
        if block.others is None:
            block.others = {}
        for name, value in given.items():
            if isinstance(value, list):    # the content of a tool's result
                whole = block.others.setdefault(name, {})
                if isinstance(whole, dict):
                    whole["content"] = [*whole.get("content", ()), *value]
            elif isinstance(value, dict):
                whole = block.others.setdefault(name, {})
                if isinstance(whole, dict):
                    whole.update(value)
        return 0

    cdef int _add_reasoning(self, index, given, list out) except -1:
        cdef bint is_redacted = given.redacted_content is not None
        cdef BlockPieces block = self._block_at(index, REDACTED if is_redacted else REASONING)
        if block.is_closed or block.kind is not (REDACTED if is_redacted else REASONING):
            return self.note(f"contentBlockDelta: reasoning in a block of {block.kind}, left out")
        if is_redacted:
            self.keep(given.redacted_content)
            self.begin(False)
            block.pieces.add(given.redacted_content)
            return 0
        if given.signature:
            self.keep(given.signature)
            self.begin(False)
            block.signature = (block.signature or "") + given.signature
        if given.text:
            self.keep(given.text)
            self.begin(False)
            block.pieces.add(given.text)
            return self._send(DELTA(reasoning=given.text), out)
        return 0

    cdef int _add_input(self, BlockPieces block, given, list out) except -1:
        """Add to a tool's input; the input of the forced tool is content."""
        cdef str text = given if isinstance(given, str) else bytes(given).decode()
        self.keep(text)
        if block.kind is OTHER and block.others is not None and "toolUse" in block.others:
            block.pieces.add(text)
            return 0
        if block.kind is not CALL or block.is_closed:
            return self.note(f"contentBlockDelta: input in a block of {block.kind}, left out")
        if not text:
            return 0
        block.pieces.add(text)
        if not block.has_input:
            block.has_input = not text.isspace()
        self.begin(False)
        if block.is_answer:
            return self._send(DELTA(text), out)
        call = ChoiceDeltaToolCall(block.call, None, ChoiceDeltaToolCallFunction(None, text))
        return self._send(DELTA(tool_calls=[call]), out)

    cdef int _close(self, BlockPieces block, list out) except -1:
        """End a block: send its reasoning, or `{}` for a call without input."""
        if block is None or block.is_closed:
            return 0
        if block.kind is REASONING or block.kind is REDACTED:
            made = reasoning_block(_reasoning(block), self.model)
            self._send(DELTA(reasoning_details=[made]), out)
        elif block.kind is CALL and not block.has_input:
            block.pieces = Pieces()    # at most space came
            self._add_input(block, "{}", out)
        block.is_closed = True
        return 0

    # The end.

    cdef int _stop_message(self, found, list out) except -1:
        """Read the event with the stop reason; the usage follows."""
        if self._stop is not None:
            return self.note("messageStop: a second one, left out of the stream")
        if found.stop_reason is None:
            self.note("messageStop.stopReason: missing")
        if is_failure(found.stop_reason):
            self.failure = failure_body(found.stop_reason, "stopReason")
            return 0
        self._stop = found
        self._close_all(out)
        notes = Notes()
        delta = DELTA(annotations=self._annotations(notes))
        self._send(delta, out, self._finish_reason(notes))
        return 0 if self._metadata is None else self._finish_stream(out)

    cdef int _close_all(self, list out) except -1:
        """End every block; send the text that was kept in case the forced tool is called."""
        cdef BlockPieces block
        for block in self._blocks:
            self._close(block, out)
        if self.emulated and not self._has_answer_call:
            text = "".join([
                block.pieces.whole() for block in self._blocks if block.kind is TEXT
            ])
            if text:
                self.begin(False)
                self._send(DELTA(text), out)
        return 0

    cdef object _annotations(self, notes):
        cdef BlockPieces block
        cdef list found = []
        cdef Py_ssize_t place = 0
        for block in self._blocks:
            if block.citations is not None:
                end = block.start + len(block.pieces.whole())
                found += annotations_of(block.citations, block.start, end, place, notes)
            place += 1
        return found or None

    cdef object _finish_reason(self, notes):
        """Return OpenAI's finish reason, None without a stop reason."""
        if self._stop is None or self._stop.stop_reason is None:
            return None
        reason = finish_reason_of(self._stop.stop_reason, notes)
        if reason == "tool_calls" and self._has_answer_call and self._calls == 1:
            return "stop"
        if reason == "stop" and self.stop_means_calls and self._calls and (
            not self._has_answer_call
        ):
            self.note(stop_beside_calls(0))
            return "tool_calls"
        return reason

    cdef int _end(self, found, list out) except -1:
        """Read the last event; without a stop reason before it the stream is not whole."""
        notes = Notes()
        self._metadata = found
        given = bytes(found.usage)
        try:
            self._usage = _decode_usage(given) if given else None
        except UNREADABLE:
            self._usage = repair_usage(parse(given, notes), notes)
        self.note_all(notes)
        if self._stop is None:
            return self.note("metadata: before messageStop")
        return self._finish_stream(out)

    cdef int _finish_stream(self, list out) except -1:
        if self.include_usage and self._usage is not None:
            tier = None if self._metadata is None else self._metadata.service_tier
            out.append(CHUNK(
                self.reply_id, self.model, [], self.created, usage=usage_of(self._usage, Notes()),
                service_tier=None if tier is None else tier.type or None,
            ))
        return self.end(self._stop.stop_reason in ("guardrail_intervened", "content_filtered"))

    cdef int end_of_bytes(self, list out) except -1:
        # A clean end says nothing: only the setting of another server makes `messageStop` enough.
        if self._stop is not None and self.stream_end == "finish_reason":
            self._finish_stream(out)
        return 0

    cdef tuple assemble(self):
        cdef BlockPieces block
        notes = self.notes_so_far()
        found = Reply(usage=self._usage)
        if self._stop is not None:
            found.stop_reason = self._stop.stop_reason
            found.additional_model_response_fields = self._stop.additional_model_response_fields
        if self._metadata is not None:
            found.service_tier = self._metadata.service_tier
            found.performance_config = self._metadata.performance_config
            found.trace = self._metadata.trace
        blocks = [_whole(block) for block in self._blocks]
        raws = [_raw(block) for block in self._blocks] if self.is_over else []
        reply, notes = reply_of(
            found, blocks, raws, notes, self.provider, self.model, self.created, b""
        )
        reply.id = self.reply_id
        if self.emulated:
            unwrap_emulated(reply)
        choice = reply.choices[0]
        if choice.finish_reason is not None:
            choice.finish_reason = self._finish_reason(Notes())
        return reply, notes


cdef object _reasoning(BlockPieces block):
    """Return the reasoning of a block with its joined pieces."""
    if block.kind is REDACTED:
        return Reasoning(redacted_content=block.pieces.whole())
    return Reasoning(ReasoningText(block.pieces.whole(), block.signature))


cdef object _input_of(BlockPieces block):
    text = block.pieces.whole()
    return msgspec.Raw(text.encode() if not text.isspace() and text else b"{}")


cdef object _whole(BlockPieces block):
    """Return the content block that the pieces add up to."""
    if block.kind is TEXT:
        if block.citations is None:
            return Block(block.pieces.whole())
        return Block(citations_content=msgspec.Raw(_citations(block)))
    if block.kind is REASONING or block.kind is REDACTED:
        return Block(reasoning_content=_reasoning(block))
    if block.kind is CALL:
        use = ToolUse(block.use.tool_use_id, block.use.name, _input_of(block), block.use.type)
        return Block(tool_use=use)
    return _readable_other(block)


cdef object _readable_other(BlockPieces block):
    try:
        return msgspec.json.decode(_raw(block), type=Block)
    except UNREADABLE:
        return Block()


cdef bytes _citations(BlockPieces block):
    return msgspec.json.encode({
        "content": [{"text": block.pieces.whole()}], "citations": block.citations,
    })


cdef bytes _raw(BlockPieces block):
    """Return the content block's JSON, as a reply that is no stream would have it.

    `b""` for a call whose input is no JSON.
    """
    if block.kind is TEXT:
        if block.citations is None:
            return msgspec.json.encode({"text": block.pieces.whole()})
        return b'{"citationsContent":' + _citations(block) + b"}"
    if block.kind is REDACTED:
        return msgspec.json.encode(
            {"reasoningContent": {"redactedContent": block.pieces.whole()}}
        )
    if block.kind is REASONING:
        made = {"text": block.pieces.whole()}
        if block.signature is not None:
            made["signature"] = block.signature
        return msgspec.json.encode({"reasoningContent": {"reasoningText": made}})
    try:
        if block.kind is CALL:
            use = {"toolUseId": block.use.tool_use_id, "name": block.use.name,
                   "input": msgspec.json.decode(_input_of(block))}
            if block.use.type is not None and block.use.type != "tool_use":
                use["type"] = block.use.type
            return msgspec.json.encode({"toolUse": use})
        made = dict(block.others or {})
        if isinstance(made.get("toolUse"), dict):
            made["toolUse"] = {**made["toolUse"], "input": msgspec.json.decode(_input_of(block))}
        return msgspec.json.encode(made)
    except UNREADABLE:
        return b""
