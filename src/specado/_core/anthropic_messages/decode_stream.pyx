"""Anthropic stream decoder: events to canonical chunks (anthropic 0.125.0, 2026-11-22)."""

cimport cython

from typing import Optional

import msgspec

from specado._core.anthropic_messages.decode_reply import (
    finish_reason_of,
    input_text,
    is_failure,
    name_call,
    needs_native,
    read_reply,
    reply_of,
    usage_of,
)
from specado._core.anthropic_messages.events import (
    BlockDelta,
    BlockStart,
    BlockStop,
    CitationsDelta,
    ErrorEvent,
    Event,
    InputDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
)
from specado._core.anthropic_messages.native import raw_block
from specado._core.anthropic_messages.repair import error_in, repair_event, repair_usage
from specado._core.anthropic_messages.wire import Block, Reply, TokenUsage
from specado._core.emulation import EMULATION_TOOL, unwrap_emulated
from specado._core.finish_reasons import failure_body, meaning_of, stop_beside_calls
from specado._core.repair import (
    KEEP_ALIVE_EVENTS,
    KEEP_ALIVE_NOTE,
    KEEP_ALIVES,
    read_field,
)
from specado._core.replies import UNREADABLE, Notes, parse
from specado._core.replies cimport Pieces, ReplyStream, has_error
from specado.errors import MalformedResponseError
from specado.types import (
    ChatCompletionChunk,
    ChoiceDelta,
    ChoiceDeltaToolCall,
    ChoiceDeltaToolCallFunction,
    ChunkChoice,
    ReasoningBlock,
)

cdef enum:
    NO_INDEX = -1

cdef object _decode = msgspec.json.Decoder(Event).decode
cdef object TEXT_DELTA = TextDelta
cdef object BLOCK_DELTA = BlockDelta
cdef object CHUNK = ChatCompletionChunk
cdef object CHOICE = ChunkChoice
cdef object DELTA = ChoiceDelta


@cython.final
cdef class BlockPieces:
    """A content block that is being received: its pieces so far. Belongs to one stream."""
    cdef object block
    cdef str kind
    cdef Pieces pieces      # its text, thinking or input
    cdef Pieces signature
    cdef bytes start        # the event that began it, None without one
    cdef list citations     # the events that added a citation, None without one
    cdef Py_ssize_t call    # a tool call's index; NO_INDEX for others
    cdef bint is_answer     # whether its input is the emulated structured output
    cdef bint has_pieces
    cdef bint is_closed


@cython.final
cdef class AnthropicStream(ReplyStream):
    """Decodes one stream to chunks, and assembles the reply; see `ReplyStream`.

    It owns the pieces until the reply is assembled. One per stream; not for two threads at once.
    """
    cdef object _found      # the Reply without its content, None before it began
    cdef list _blocks       # of BlockPieces, in order of appearance
    cdef dict _block_of     # the server's index to BlockPieces
    cdef BlockPieces _last
    cdef object _last_index
    cdef Py_ssize_t _calls
    cdef bint _has_answer_call, _is_finished
    cdef str _name
    cdef object _id

    def __cinit__(self, *_args, **_options):
        self._blocks = []
        self._block_of = {}
        self._last_index = NO_INDEX
        self._name = self.model
        self._id = ""

    cdef int take(self, bytes frame, list out) except -1:
        cdef BlockPieces block
        if has_error(frame) and self.take_error(frame, error_in):
            return 0
        try:
            event = _decode(frame)
        except UNREADABLE:
            return self._repair(frame, out)
        if type(event) is BLOCK_DELTA:
            block = self._block_at(event.index)
            if block is None:
                block = self._open_for(event, out)
            delta = event.delta
            if type(delta) is TEXT_DELTA and block is not None and block.kind == "text":
                return self._add_text(block, delta.text, out)
            return self._add(block, delta, frame, out)
        return self._take_event(event, frame, out)

    cdef int _take_event(self, event, bytes frame, list out) except -1:
        """Read an event that is no piece of a block."""
        kind = type(event)
        if kind is BlockStart:
            self._open(event.content_block, event.index, len(frame), out)
            self._last.start = frame
            return 0
        if kind is BlockStop:
            return self._close(self._block_at(event.index), out)
        if kind is MessageStart:
            return self._start(bytes(event.message), out)
        if kind is MessageDelta:
            return self._finish_message(event, out)
        if kind is MessageStop:
            return self._end(out)
        if kind is ErrorEvent:
            return self.fail(frame)
        return 0

    cdef int _repair(self, bytes frame, list out) except -1:
        """Read the usable part of an event that deviates from the documentation, or is unknown."""
        if self.frames.event is not None and self.frames.event == "error":
            return self.fail(frame)
        text = frame.strip()
        if not text or text == b"[DONE]":
            return 0
        name = self.frames.event
        if name in KEEP_ALIVE_EVENTS or (name is None and text in KEEP_ALIVES):
            return self.note(KEEP_ALIVE_NOTE)
        data = self.read_object(frame)
        if data is None:
            return 0
        kind = data.get("type") or self.frames.event
        if kind == "error" or data.get("error"):
            return self.fail(frame)
        notes = Notes()
        repaired = repair_event(data, kind, notes)
        self.note_all(notes)
        if repaired is None:
            return 0
        try:
            event = _decode(repaired)
        except UNREADABLE:
            return self.note(f"{kind}: not as documented, left out of the stream")
        if type(event) is BLOCK_DELTA:
            return self.take(repaired, out)
        return self._take_event(event, repaired, out)

    cdef BlockPieces _block_at(self, index):
        if index == self._last_index or index == NO_INDEX:
            return self._last
        return self._block_of.get(index)

    cdef int _send(self, delta, finish_reason, list out) except -1:
        out.append(CHUNK(self._id, self._name, [CHOICE(0, delta, finish_reason)], self.created))
        return 0

    cdef int _start(self, bytes body, list out) except -1:
        """Read the message that the stream begins with."""
        notes = Notes()
        if self._found is not None:
            return self.note("message_start: a second one, left out of the stream")
        try:
            self._found = read_reply(body, notes)
        except MalformedResponseError:
            data = parse(body, notes)
            data = {**data, "content": []} if isinstance(data, dict) else {"content": []}
            self._found = read_reply(msgspec.json.encode(data), notes)
        self.note_all(notes)
        self._id = self._found.id
        self._name = self._found.model or self.model
        if self._fail_by(self._found.stop_reason):
            self._found.stop_reason = None
            return 0
        self._send(DELTA("", "assistant"), None, out)
        for place, block in enumerate(self._found.content):
            self._open(block, place, len(body), out)
        return 0

    cdef int _open(self, given, index, Py_ssize_t frame_size, list out) except -1:
        """Begin a content block."""
        cdef BlockPieces block = BlockPieces()
        self.keep_bytes(frame_size)
        if index == NO_INDEX:
            index = len(self._blocks)
        block.block = given
        block.kind = given.type
        block.pieces = Pieces()
        block.signature = Pieces()
        block.call = NO_INDEX
        self._blocks.append(block)
        self._block_of[index] = self._last = block
        self._last_index = index
        if block.kind == "text":
            if given.text:
                self._add_text(block, given.text, out)
            given.text = ""
        elif block.kind == "thinking":
            if given.thinking:
                self._add_thinking(block, given.thinking, out)
            if given.signature:
                block.signature.add(given.signature)
        elif block.kind == "redacted_thinking":
            self.begin(False)
            self._send_thought(block, out)
        elif block.kind == "tool_use" and given.name is not None:
            self._name_call(given)
            self._open_call(block, out)
        return 0

    cdef int _name_call(self, given) except -1:
        """Give an id to a call that came without one."""
        notes = Notes()
        name_call(given, len(self._blocks) - 1, notes)
        return self.note_all(notes)

    cdef int _open_call(self, BlockPieces block, list out) except -1:
        block.call = self._calls
        self._calls += 1
        if self.emulated and not self._has_answer_call and block.block.name == EMULATION_TOOL:
            block.is_answer = self._has_answer_call = True
            return 0
        self.begin(False)
        function = ChoiceDeltaToolCallFunction(block.block.name, "")
        call = ChoiceDeltaToolCall(block.call, block.block.id, function, "function")
        return self._send(DELTA(tool_calls=[call]), None, out)

    cdef BlockPieces _open_for(self, event, list out):
        """Begin the missing block of a delta; return None where its type is not clear."""
        kind = type(event.delta)
        if kind is TextDelta:
            block = Block("text", text="")
        elif kind is ThinkingDelta or kind is SignatureDelta:
            block = Block("thinking", thinking="")
        else:
            return None
        self.note(f"content_block_start: missing for a {block.type} block")
        self._open(block, event.index, 0, out)
        return self._last

    cdef int _add_text(self, BlockPieces block, str text, list out) except -1:
        if not text:
            return 0
        block.pieces.add(text)
        self.keep(text)
        if self.emulated:
            return 0   # sent by `_close_all`, unless the forced tool is called
        if not self.has_content:
            self.begin(False)
        out.append(CHUNK(self._id, self._name, [CHOICE(0, DELTA(text))], self.created))
        return 0

    cdef int _add_thinking(self, BlockPieces block, str text, list out) except -1:
        if not text:
            return 0
        block.pieces.add(text)
        self.keep(text)
        self.begin(False)
        return self._send(DELTA(reasoning=text), None, out)

    cdef int _add_input(self, BlockPieces block, str text, list out) except -1:
        """Add to a tool's input; the input of the forced tool is content."""
        if not text:
            return 0
        block.pieces.add(text)
        if not block.has_pieces:
            block.has_pieces = not text.isspace()
        self.keep(text)
        self.begin(False)
        if block.is_answer:
            return self._send(DELTA(text), None, out)
        call = ChoiceDeltaToolCall(block.call, None, ChoiceDeltaToolCallFunction(None, text))
        return self._send(DELTA(tool_calls=[call]), None, out)

    cdef int _add(self, BlockPieces block, delta, bytes frame, list out) except -1:
        """Add a piece other than the text of a text block."""
        kind = type(delta)
        if block is None or block.is_closed:
            return self.note(f"{kind.__struct_config__.tag}: of no open block, left out")
        if kind is ThinkingDelta and block.kind == "thinking":
            return self._add_thinking(block, delta.thinking, out)
        if kind is SignatureDelta and block.kind == "thinking":
            self.keep(delta.signature)
            if delta.signature:
                block.signature.add(delta.signature)
                self.begin(False)
            return 0
        if kind is InputDelta and block.call != NO_INDEX:
            return self._add_input(block, delta.partial_json, out)
        if kind is InputDelta and block.kind not in ("text", "thinking"):
            self.keep(delta.partial_json)   # of a server tool: the block is noted as a whole
            block.pieces.add(delta.partial_json)
            block.has_pieces = True
            return 0
        if kind is CitationsDelta and block.kind == "text":
            self.keep_bytes(len(frame))
            block.block.citations = msgspec.Raw(b"[null]")
            if block.citations is None:
                block.citations = []
            block.citations.append(frame)
            return 0
        return self.note(f"{kind.__struct_config__.tag}: in a {block.kind} block, left out")

    cdef int _close(self, BlockPieces block, list out) except -1:
        """End a block: send its thinking, or the input that came with its start."""
        if block is None or block.is_closed:
            return 0
        if block.kind == "thinking":
            self._send_thought(block, out)
        elif block.call != NO_INDEX and not block.has_pieces:
            block.pieces = Pieces()   # at most white space came
            self._add_input(block, _input_of(block), out)
        block.is_closed = True
        return 0

    cdef int _send_thought(self, BlockPieces block, list out) except -1:
        given = _whole(block)
        thought = ReasoningBlock(
            given.type, given.thinking, given.signature, given.data, self._name
        )
        return self._send(DELTA(reasoning_details=[thought]), None, out)

    cdef int _finish_message(self, event, list out) except -1:
        """Read the stop reason and the usage of the message."""
        notes = Notes()
        given = parse(bytes(event.delta), notes)
        given = given if isinstance(given, dict) else {}
        found = self._begun()
        reason = read_field(given, "stop_reason", str, None, "stop_reason", notes)
        if reason is not None and meaning_of(reason) != "" and not self._fail_by(reason):
            found.stop_reason = reason
        sequence = read_field(given, "stop_sequence", str, None, "stop_sequence", notes)
        if sequence is not None:
            found.stop_sequence = sequence
        for name in ("container", "stop_details"):
            if given.get(name) is not None:
                setattr(found, name, {})
        if event.context_management is not None:
            found.context_management = event.context_management
        self._add_usage(found, bytes(event.usage), notes)
        self.note_all(notes)
        if found.stop_reason is None or self._is_finished or self.failure is not None:
            return 0
        self._close_all(out)
        self._is_finished = True
        return self._send(DELTA(), self._finish_reason(found.stop_reason), out)

    cdef bint _fail_by(self, stop_reason) except -1:
        """Fail if a stop reason says that the answer did; return whether it does."""
        if not is_failure(stop_reason):
            return False
        self.failure = failure_body(stop_reason, "stop_reason")
        return True

    cdef object _finish_reason(self, stop_reason):
        """Return OpenAI's word for a stop reason."""
        notes = Notes()
        reason = finish_reason_of(stop_reason, notes)
        if reason == "tool_calls" and self._has_answer_call and self._calls == 1:
            return "stop"
        if reason == "stop" and self._means_calls():
            return "tool_calls"
        return reason

    cdef bint _means_calls(self) except -1:
        """Return, with a note, whether `stop` means `tool_calls`."""
        if not self.stop_means_calls or not self._calls or self._has_answer_call:
            return False
        self.note(stop_beside_calls(0))
        return True

    cdef int _close_all(self, list out) except -1:
        """End every block; send the text that was buffered in case the forced tool is called."""
        cdef BlockPieces block
        for block in self._blocks:
            self._close(block, out)
        if self.emulated and not self._has_answer_call and not self._is_finished:
            text = "".join([
                block.pieces.whole() for block in self._blocks if block.kind == "text"
            ])
            if text:
                self.begin(False)
                self._send(DELTA(text), None, out)
        return 0

    cdef int _add_usage(self, found, bytes body, notes) except -1:
        """Replace counts by those of a `message_delta`: totals, of which some may be missing."""
        try:
            usage = msgspec.json.decode(body, type=Optional[TokenUsage])
        except UNREADABLE:
            usage = repair_usage(parse(body, notes), notes)
        if usage is None:
            return 0
        if found.usage is None:
            found.usage = usage
            return 0
        for name in usage.__struct_fields__:
            value = getattr(usage, name)
            if value is not None:
                setattr(found.usage, name, value)
        return 0

    cdef object _begun(self):
        """Return the message so far, an empty one if no event began it."""
        if self._found is None:
            self._found = Reply([])
        return self._found

    cdef int _end(self, list out) except -1:
        if self._found is None and not self._blocks:
            raise MalformedResponseError("the stream has no message", code="no_choice")
        found = self._begun()
        self._close_all(out)
        if self.include_usage and found.usage is not None:
            out.append(CHUNK(self._id, self._name, [], self.created, usage=usage_of(found.usage)))
        return self.end(found.stop_reason == "refusal")

    cdef int end_of_bytes(self, list out) except -1:
        if self.stream_end in ("finish_reason", "finish_and_usage") and self._is_finished:
            self._end(out)
        return 0

    cdef tuple assemble(self):
        notes = self.notes_so_far()
        found = msgspec.structs.replace(
            Reply([]) if self._found is None else self._found,
            content=[_whole(block) for block in self._blocks],
        )
        raws = None
        if self.is_over and needs_native(found.content):
            raws = [_raw(block) for block in self._blocks]
        reply = reply_of(
            found, notes, self.provider, self.model, self.created, b"", raws, is_whole=self.is_over
        )
        if self.emulated:
            unwrap_emulated(reply)
        choice = reply.choices[0]
        if choice.finish_reason == "stop" and self._means_calls():
            choice.finish_reason = "tool_calls"
        return reply, notes


cdef bytes _raw(BlockPieces block):
    """Return the content block's JSON, as a reply that is no stream would have it."""
    whole = _whole(block)
    if block.has_pieces and block.call == NO_INDEX:
        text = block.pieces.whole()
        try:
            msgspec.json.decode(text)
        except UNREADABLE:
            text = "{}"
        whole = msgspec.structs.replace(whole, input=msgspec.Raw(text.encode()))
    return raw_block(block.start, whole, block.citations or ())


cdef str _input_of(BlockPieces block):
    """Return a tool's input as JSON text."""
    if block.has_pieces:
        return block.pieces.whole()
    return input_text(bytes(block.block.input)) or "{}"


cdef object _whole(BlockPieces block):
    """Return the content block with its joined pieces."""
    if block.kind == "text":
        return msgspec.structs.replace(block.block, text=block.pieces.whole())
    if block.kind == "thinking":
        return msgspec.structs.replace(
            block.block, thinking=block.pieces.whole(),
            signature=block.signature.whole() or block.block.signature,
        )
    if block.call != NO_INDEX:
        return msgspec.structs.replace(
            block.block, input=msgspec.Raw(_input_of(block).encode())
        )
    return block.block
