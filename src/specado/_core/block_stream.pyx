"""Streams of content blocks that come one after another: common part of two dialects' encoders.

While a tool call is open, whatever belongs after it waits.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE

from collections import deque

from specado._core.json_scan cimport Scan, skip_space, skip_value
from specado._core.json_writer cimport JsonWriter
from specado._core.reply_fields cimport check, field, taken
from specado._core.replies cimport Pieces
from specado._core.reply_encoder cimport (
    BLOCK, CALL_PIECE, CHUNK, CHUNK_CHOICE, CHUNK_CHOICES, CHUNK_CREATED, CHUNK_DELTA,
    CHUNK_FINGERPRINT, CHUNK_INDEX, CHUNK_LOGPROBS, CHUNK_MODEL, CHUNK_REASON, CHUNK_TIER,
    CHUNK_USAGE, DELTA, DELTA_ANNOTATIONS, DELTA_AUDIO, DELTA_CALLS, DELTA_CONTENT, DELTA_DETAILS,
    DELTA_REASONING, DELTA_REFUSAL, DELTA_ROLE, FUNCTION_PIECE, JsonProgress, Losses,
    PIECE_ARGUMENTS, PIECE_CUSTOM, PIECE_FUNCTION, PIECE_ID, PIECE_INDEX, PIECE_NAME,
)
from specado._core.loss_rows import (
    REPLY_ANNOTATIONS, REPLY_AUDIO, REPLY_CHOICES, REPLY_CREATED, REPLY_CUSTOM_CALL,
    REPLY_FINGERPRINT, REPLY_LOGPROBS, REPLY_REASONING_BLOCK, REPLY_REASONING_MODEL,
    REPLY_REFUSAL, REPLY_ROLE, REPLY_TOOL_CALL_PIECE, REPLY_USAGE,
)
from specado._core.repair import made_call_id
from specado.types import ChatCompletionChunk


@cython.final
cdef class OpenBlock:
    """A content block of a stream: the one being written, or one that waits for it to end.

    `text` is the unwritten text of a tool call; `thoughts` has the texts and reasoning blocks of
    a thinking block that waits, in order.
    """

    def __cinit__(self):
        self.progress = JsonProgress()


cdef class BlockStreamEncoder:
    """Writes canonical chunks as content blocks; a dialect writes their beginnings and pieces.

    The first choice of the stream is written. Text and thinking go on at once; a tool call's
    block begins with its first piece of input. While the input of an open call is incomplete,
    whatever belongs to other blocks waits, in order. `losses` are those so far, each once. One
    per stream; not for two threads at once.
    """

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
        if tier is not None:
            self.take_tier(tier)
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
        self._out.size = 0
        if not self._is_started:
            self._start(ChatCompletionChunk("", "", []))
        self._write_waiting(True)
        self._close()
        self.end_stream()
        return self._out.finish()

    cdef int _start(self, chunk) except -1:
        self._is_started = True
        self._model = field(chunk, CHUNK_MODEL)
        self._losses.drop(REPLY_CREATED, "created", field(chunk, CHUNK_CREATED) or None)
        return self.start_stream(chunk)

    # What a dialect writes.

    cdef int start_stream(self, chunk) except -1:
        """Write the first event."""
        raise NotImplementedError

    cdef int end_stream(self) except -1:
        """Write the last events, after all blocks."""
        raise NotImplementedError

    cdef int take_tier(self, tier) except -1:
        """Take the service tier of a chunk."""
        raise NotImplementedError

    cdef int start_text(self) except -1:
        """Write the beginning of a text block."""
        return 0

    cdef int write_text(self, str text) except -1:
        """Write a piece of the open text block."""
        raise NotImplementedError

    cdef int start_thinking(self) except -1:
        """Write the beginning of a thinking block."""
        return 0

    cdef int write_thought(self, str text) except -1:
        """Write a piece of the open thinking block."""
        raise NotImplementedError

    cdef int write_signature(self, str signature) except -1:
        """Write the signature of the open thinking block."""
        raise NotImplementedError

    cdef bint write_redacted(self, str data) except -1:
        """Write the content of a block of encrypted thinking; return whether it has that form."""
        raise NotImplementedError

    cdef bint is_signed(self, block) except -1:
        """Return whether a reasoning block has a signature that is written."""
        return block.type == "thinking" and block.signature is not None

    cdef int start_tool_use(self, str id, str name) except -1:
        """Write the beginning of a tool call."""
        raise NotImplementedError

    cdef int write_input(self, str text) except -1:
        """Write a piece of the open call's input."""
        raise NotImplementedError

    cdef int stop_block(self) except -1:
        """Write the end of the open block."""
        raise NotImplementedError

    # Content.

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
        return self.write_text(text)

    cdef int _open_text(self) except -1:
        self._close()
        self._open = OpenBlock()
        self._open.kind = TEXT
        return self.start_text()

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
        text = block.text
        note_origin(block, self._model, path, self._losses)
        if block.type == "redacted_thinking" and block.data is not None:
            self._close()
            if self.write_redacted(<str?>block.data):
                self._open = OpenBlock()
                return self._close()
            self._losses.add(REPLY_REASONING_BLOCK, path, block, None)
            return 0
        is_signed = self.is_signed(block)
        if not text and not is_signed:
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
        if is_signed:
            if not self._is_thinking():
                self._open_thinking()
            self.write_signature(<str?>block.signature)
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
        return self.write_thought(text)

    cdef int _open_thinking(self) except -1:
        self._close()
        self._open = OpenBlock()
        self._open.kind = THINKING
        self._thought = Pieces()
        self._thought_length = 0
        return self.start_thinking()

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
            return self.write_input(text)
        inner = JsonWriter()
        inner.string(text)
        text = inner.finish()[1:-1].decode()
        if not call.has_input:
            text = '{"input":"' + text
            call.has_input = True
        return self.write_input(text)

    cdef int _start_call(self, OpenBlock call) except -1:
        if call.is_started:
            return 0
        call.is_started = True
        if call.is_custom:
            self._losses.add(REPLY_CUSTOM_CALL, call.path, call.name, call.name)
        return self.start_tool_use(call.id, call.name)

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
                self.write_text(block.text.whole())
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
        cdef OpenBlock block = self._open
        if block is None:
            return 0
        if block.kind == CALL:
            self._start_call(block)
            if block.is_custom:
                self.write_input('"}' if block.has_input else '{"input":""}')
        block.is_closed = True
        self.stop_block()
        self._open = None
        self._index += 1
        return 0


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


cdef int note_origin(object block, object model, str path, Losses losses) except -1:
    if block.model is not None and block.model != model:
        losses.add(REPLY_REASONING_MODEL, f"{path}.model", block.model, model)
    return 0


cdef int drop_counts(object details, tuple counts, Losses losses) except -1:
    """Report the counts that the API's usage has no place for; zeros say nothing."""
    cdef Py_ssize_t offset
    for each in counts:
        offset = (<tuple>each)[0]
        count = field(details, offset)
        if count:
            losses.add(REPLY_USAGE, <str>(<tuple>each)[1], count, None)
    return 0
