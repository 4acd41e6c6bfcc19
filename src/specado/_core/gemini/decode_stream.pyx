"""Gemini stream decoder: events to canonical chunks (google-genai 3.6.1, 2026-11-30).

Each event is a whole reply with the new parts. No event says that it is the last: a stream is whole
if every candidate has a finish reason and the bytes end cleanly. Old models state a finish
reason in every event, so the finish reason is delivered at the end.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memchr

from specado._core.gemini.decode_reply cimport (
    blocked, call_of, created_of, failure_of, finish_of, kind_of, tier_of, usage_of,
)
from specado._core.replies cimport Pieces, ReplyStream
from specado._core.reply_fields cimport field, offset_of

import msgspec

from specado._core.gemini.annotations import annotations_of, note_citations, note_grounding
from specado._core.gemini.decode_reply import needs_native
from specado._core.gemini.finish_reasons import FINISH_REASONS, STOP
from specado._core.gemini.logprobs import read_logprobs
from specado._core.gemini.native import (
    SIGNATURE_FORMAT, THOUGHT, compact, native_of, raw_parts, signature_block,
)
from specado._core.gemini.repair import add_partial_arguments, readable_reply
from specado._core.gemini.wire import FunctionCall as GivenCall
from specado._core.gemini.wire import NO_JSON, Candidate, Content, Part, Reply, TokenUsage
from specado._core.repair import KEEP_ALIVE_EVENTS, KEEP_ALIVE_NOTE, KEEP_ALIVES
from specado._core.replies import UNREADABLE, Notes, parse
from specado.errors import MalformedResponseError
from specado.types import (
    ChatCompletionChunk,
    ChatCompletionResponse,
    Choice,
    ChoiceDelta,
    ChoiceDeltaToolCall,
    ChoiceDeltaToolCallFunction,
    ChunkChoice,
    Extensions,
    Message,
    ReasoningBlock,
)

cdef enum:
    LF = 10
    OPEN_BRACE = 123
    OPEN_BRACKET = 91

cdef Py_ssize_t REPLY_CANDIDATES = offset_of(Reply, "candidates")
cdef Py_ssize_t REPLY_FEEDBACK = offset_of(Reply, "prompt_feedback")
cdef Py_ssize_t REPLY_USAGE = offset_of(Reply, "usage_metadata")
cdef Py_ssize_t REPLY_MODEL = offset_of(Reply, "model_version")
cdef Py_ssize_t REPLY_ID = offset_of(Reply, "response_id")
cdef Py_ssize_t REPLY_TIME = offset_of(Reply, "create_time")
cdef Py_ssize_t REPLY_ERROR = offset_of(Reply, "error")
cdef Py_ssize_t CANDIDATE_CONTENT = offset_of(Candidate, "content")
cdef Py_ssize_t CANDIDATE_REASON = offset_of(Candidate, "finish_reason")
cdef Py_ssize_t CANDIDATE_INDEX = offset_of(Candidate, "index")
cdef Py_ssize_t CANDIDATE_CITATIONS = offset_of(Candidate, "citation_metadata")
cdef Py_ssize_t CANDIDATE_GROUNDING = offset_of(Candidate, "grounding_metadata")
cdef Py_ssize_t CANDIDATE_URLS = offset_of(Candidate, "url_context_metadata")
cdef Py_ssize_t CANDIDATE_LOGPROBS = offset_of(Candidate, "logprobs_result")
cdef Py_ssize_t CONTENT_PARTS = offset_of(Content, "parts")
cdef Py_ssize_t PART_TEXT = offset_of(Part, "text")
cdef Py_ssize_t PART_THOUGHT = offset_of(Part, "thought")
cdef Py_ssize_t PART_SIGNATURE = offset_of(Part, "thought_signature")
cdef Py_ssize_t PART_CALL = offset_of(Part, "function_call")
cdef enum:
    MOST_COUNTS = 16
cdef tuple COUNT_NAMES = TokenUsage.__struct_fields__
# Where a usage keeps its members.
cdef Py_ssize_t[MOST_COUNTS] COUNT_OFFSETS
for _place, _name in enumerate(COUNT_NAMES):
    COUNT_OFFSETS[_place] = offset_of(TokenUsage, _name)

cdef object _decode = msgspec.json.Decoder(Reply).decode
cdef object CHUNK = ChatCompletionChunk
cdef object CHOICE = ChunkChoice
cdef object DELTA = ChoiceDelta


@cython.final
cdef class TextPieces:
    """A text or a thought that is being received. Belongs to one candidate."""
    cdef bint thought
    cdef Pieces pieces
    cdef object signature    # ends the text; None without one


@cython.final
cdef class CandidatePieces:
    """A candidate that is being received. Belongs to one stream."""
    cdef object index
    cdef list parts          # of TextPieces, and of the other `Part`s with their JSON
    cdef TextPieces text     # the last of them, if more text may follow
    cdef list calls          # of ToolCall
    cdef bint has_begun
    cdef str reason          # its finish reason, None before the first
    cdef str reason_message
    cdef list groundings, citations    # their JSON, None without one
    cdef dict logprobs
    cdef object open_call    # the `Part` of a call whose arguments come in pieces, None without one
    cdef dict arguments      # those so far


@cython.final
cdef class GeminiStream(ReplyStream):
    """Decodes one stream to chunks, and assembles the reply; see `ReplyStream`.

    It owns the pieces until the reply is assembled. One per stream; not for two threads at once.
    """
    cdef dict _candidates    # by index
    cdef CandidatePieces _last
    cdef object _usage       # the counts so far, None without any
    cdef object _feedback
    cdef str _id, _name
    cdef object _time
    cdef list _tail          # pieces after the events that are not an event; None before them
    cdef bint _is_inside     # whether the bytes so far end within a line
    cdef bint _has_error_event

    def __cinit__(self, *_args, **_options):
        self._candidates = {}
        self._id = ""
        self._name = self.model
        self._time = self.created

    def feed(self, bytes data not None):
        """Return the chunks that *data* completes; see `ReplyStream.feed`.

        An error may follow the events as plain JSON: it is kept until the end.
        """
        cdef Py_ssize_t begin
        if self._tail is None:
            begin = self._tail_start(data)
            if begin < 0:
                return ReplyStream.feed(self, data)
            self._tail = []
            found = ReplyStream.feed(self, data[:begin])
            self._keep_tail(data[begin:])
            return found
        self._keep_tail(data)
        return ReplyStream.feed(self, b"")

    def finish(self, *, bint is_clean=True):
        """Return the chunks that the end of the bytes completes; see `ReplyStream.finish`."""
        cdef list out = []
        if self._tail is not None and self.failure is None and self._broken is None:
            if not self._take_tail(out):
                return out
        return out + ReplyStream.finish(self, is_clean=is_clean)

    cdef int _keep_tail(self, bytes data) except -1:
        """Keep a piece of what follows the events; a failure is raised by the next `feed`."""
        try:
            self.keep_bytes(PyBytes_GET_SIZE(data))
        except MalformedResponseError as error:
            self._broken = error
        else:
            self._tail.append(data)
        return 0

    cdef Py_ssize_t _tail_start(self, bytes data) except -2:
        """Return where a line begins with an object or a list, -1 if none does."""
        cdef const char* text = PyBytes_AS_STRING(data)
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
        cdef Py_ssize_t at = 0
        cdef const char* found
        while at < size:
            if not self._is_inside and (text[at] == OPEN_BRACE or text[at] == OPEN_BRACKET):
                return at
            found = <const char*>memchr(text + at, LF, size - at)
            self._is_inside = found is NULL
            if found is NULL:
                break
            at = found - text + 1
        return -1

    cdef bint _take_tail(self, list out) except -1:
        """Read what follows the events: an error, or replies; return whether it is whole."""
        notes = Notes()
        try:
            data = parse(b"".join(self._tail), notes)
        except MalformedResponseError:
            return False    # cut off
        for item in data if isinstance(data, list) else [data]:
            if not isinstance(item, dict):
                return False
            if item.get("error"):
                self.fail(msgspec.json.encode(item))
                return False
            self.note("the events have no data: lines")
            self._take_reply(readable_reply(item, notes), msgspec.json.encode(item), out)
        self.note_all(notes)
        return True

    cdef int take(self, bytes frame, list out) except -1:
        try:
            found = _decode(frame)
        except UNREADABLE:
            return self._repair(frame, out)
        return self._take_reply(found, frame, out)

    cdef int _repair(self, bytes frame, list out) except -1:
        """Read the usable part of an event that deviates from the documentation."""
        cdef bytes text = frame.strip()
        if not text or text == b"[DONE]":
            return 0
        name = self.frames.event
        if name in KEEP_ALIVE_EVENTS or (name is None and text in KEEP_ALIVES):
            return self.note(KEEP_ALIVE_NOTE)
        if text.startswith(b"["):
            given = parse(text, Notes())
            if given and isinstance(given[0], dict) and given[0].get("error"):
                return self.fail(msgspec.json.encode(given[0]))
        data = self.read_object(frame)
        if data is None:
            return 0
        notes = Notes()
        found = readable_reply(data, notes)
        self.note_all(notes)
        return self._take_reply(found, frame, out)

    cdef int _take_reply(self, found, bytes frame, list out) except -1:
        """Read an event."""
        cdef list candidates = <list>field(found, REPLY_CANDIDATES)
        cdef Py_ssize_t place = 0
        cdef str text
        if field(found, REPLY_ERROR) is not NO_JSON or (
            self.frames.event is not None and self.frames.event == "error"
        ):
            return self.fail(frame)
        text = <str>field(found, REPLY_ID)
        if text:
            self._id = text
        text = <str>field(found, REPLY_MODEL)
        if text:
            self._name = text
        if field(found, REPLY_TIME) is not None:
            self._time = created_of(found, self.created)
        usage = field(found, REPLY_USAGE)
        if usage is not None:
            self._add_usage(usage)
        feedback = field(found, REPLY_FEEDBACK)
        if feedback is not None and not candidates and not self._candidates:
            failure = blocked(feedback)
            if failure is not None:
                self.failure = failure
                return 0
        for candidate in candidates:
            self._add_candidate(candidate, place, frame, out)
            place += 1
        return 0

    cdef int _add_usage(self, usage) except -1:
        """Keep the counts of a running usage, of which a later event may lack some."""
        cdef Py_ssize_t at
        if self._usage is not None:
            for at in range(len(COUNT_NAMES)):
                if field(usage, COUNT_OFFSETS[at]) is None:
                    value = field(self._usage, COUNT_OFFSETS[at])
                    if value is not None:
                        setattr(usage, COUNT_NAMES[at], value)
        self._usage = usage
        return 0

    cdef CandidatePieces _candidate_at(self, index):
        cdef CandidatePieces found
        if self._last is not None and self._last.index == index:
            return self._last
        found = self._candidates.get(index)
        if found is None:
            found = CandidatePieces()
            found.index = index
            found.parts = []
            found.calls = []
            self._candidates[index] = found
        self._last = found
        return found

    cdef int _add_candidate(self, given, Py_ssize_t place, bytes frame, list out) except -1:
        cdef CandidatePieces state
        cdef Py_ssize_t at = 0
        index = field(given, CANDIDATE_INDEX)
        state = self._candidate_at(place if index is None else index)
        content = field(given, CANDIDATE_CONTENT)
        if content is not None:
            for part in <list>field(content, CONTENT_PARTS):
                self._add_part(state, part, place, at, frame, out)
                at += 1
        if field(given, CANDIDATE_REASON) is not None:
            self._add_reason(state, given)
        raw = field(given, CANDIDATE_GROUNDING)
        if raw is not NO_JSON:
            self.keep_bytes(len(raw))
            if state.groundings is None:
                state.groundings = []
            state.groundings.append(bytes(raw))
        raw = field(given, CANDIDATE_CITATIONS)
        if raw is not NO_JSON:
            self.keep_bytes(len(raw))
            if state.citations is None:
                state.citations = []
            state.citations.append(bytes(raw))
        if field(given, CANDIDATE_URLS) is not NO_JSON:
            self.note(f"candidates[{state.index}].urlContextMetadata: left in response.raw")
        raw = field(given, CANDIDATE_LOGPROBS)
        if raw is not NO_JSON:
            self._add_logprobs(state, bytes(raw), out)
        return 0

    cdef int _add_reason(self, CandidatePieces state, given) except -1:
        """Keep a finish reason: the last one counts. That of a failure ends the stream."""
        state.reason = given.finish_reason
        state.reason_message = given.finish_message
        if type(FINISH_REASONS.get(state.reason, "")) is not str and len(self._candidates) == 1:
            self.failure = failure_of(state.reason, state.reason_message)
        return 0

    cdef int _add_logprobs(self, CandidatePieces state, bytes raw, list out) except -1:
        notes = Notes()
        self.keep_bytes(len(raw))
        path = f"candidates[{state.index}].logprobsResult"
        found = read_logprobs(raw, path, notes)
        self.note_all(notes)
        if found is None:
            return 0
        if state.logprobs is None:
            state.logprobs = {"content": [], "refusal": None}
        state.logprobs["content"] += found["content"]
        out.append(CHUNK(
            self._id, self._name, [CHOICE(state.index, DELTA(), None, found)], self._time
        ))
        return 0

    # Parts.

    cdef int _send(self, CandidatePieces state, delta, list out) except -1:
        if not state.has_begun:
            state.has_begun = True
            delta.role = "assistant"
        out.append(CHUNK(self._id, self._name, [CHOICE(state.index, delta)], self._time))
        return 0

    cdef int _add_part(self, CandidatePieces state, part, Py_ssize_t place, Py_ssize_t at,
                       bytes frame, list out) except -1:
        cdef str text = <str>field(part, PART_TEXT)
        cdef bint thought = field(part, PART_THOUGHT) is True
        signature = field(part, PART_SIGNATURE)
        if signature is not None:
            self.keep(signature)
        if field(part, PART_CALL) is not None:
            return self._add_call(state, part, place, at, frame, out)
        if text is None:
            return self._add_other(state, part, place, at, frame, out)
        if not text and signature is None:
            return 0
        if state.text is None or state.text.thought != thought or (
            # A signature belongs to its part: only a thought is signed at its end.
            signature is not None and not thought
        ):
            self._end_text(state, out)
            self._open_text(state, thought)
        if text:
            state.text.pieces.add(text)
            self.keep(text)
            if not self.has_content:
                self.begin(False)
            if thought:
                self._send(state, DELTA(reasoning=text), out)
            elif state.has_begun:
                out.append(CHUNK(
                    self._id, self._name, [CHOICE(state.index, DELTA(text))], self._time
                ))
            else:
                self._send(state, DELTA(text), out)
        if signature is not None:
            state.text.signature = signature
            self._close_text(state, out)
        return 0

    cdef int _open_text(self, CandidatePieces state, bint thought) except -1:
        state.text = TextPieces()
        state.text.thought = thought
        state.text.pieces = Pieces()
        state.parts.append(state.text)
        return 0

    cdef int _close_text(self, CandidatePieces state, list out) except -1:
        """End a text: a signature, or a whole thought, is a block of the reasoning."""
        cdef TextPieces text = state.text
        state.text = None
        if text.thought:
            return self._send(
                state, DELTA(reasoning_details=[self._thought(text)]), out
            )
        return self._send(
            state,
            DELTA(reasoning_details=[signature_block(text.signature, None, self._name)]),
            out,
        )

    cdef object _thought(self, TextPieces text):
        return ReasoningBlock(
            THOUGHT, text.pieces.whole(), text.signature, model=self._name,
            format=SIGNATURE_FORMAT,
        )

    cdef int _end_text(self, CandidatePieces state, list out) except -1:
        """End the text before a part of another kind, or the end of the stream."""
        if state.text is not None and state.text.thought:
            self._close_text(state, out)
        state.text = None
        return 0

    cdef bytes _raw_part(self, Py_ssize_t place, Py_ssize_t at, bytes frame):
        """Return the JSON of a part in an event."""
        cdef list raws = raw_parts(frame, place)
        return <bytes>raws[at] if at < len(raws) else b""

    cdef int _add_other(self, CandidatePieces state, part, Py_ssize_t place, Py_ssize_t at,
                        bytes frame, list out) except -1:
        """Keep a part that the chunks have no place for."""
        cdef str path = f"candidates[{state.index}].content.parts"
        self._end_text(state, out)
        raw = self._raw_part(place, at, frame)
        self.keep_bytes(len(raw))
        state.parts.append((part, raw))
        if part.thought_signature is not None:
            block = signature_block(part.thought_signature, None, self._name)
            self._send(state, DELTA(reasoning_details=[block]), out)
        return self.note(f"{path}: {kind_of(part)}, left in response.raw")

    cdef int _add_call(self, CandidatePieces state, part, Py_ssize_t place, Py_ssize_t at,
                       bytes frame, list out) except -1:
        given = part.function_call
        self._end_text(state, out)
        if state.open_call is not None or given.will_continue or len(given.partial_args):
            return self._continue_call(state, part, out)
        raw = self._raw_part(place, at, frame)
        return self._send_call(state, part, raw, out)

    cdef int _continue_call(self, CandidatePieces state, part, list out) except -1:
        """Add to a call whose arguments come in pieces; the last of them is empty."""
        given = part.function_call
        if state.open_call is None:
            state.open_call = part
            state.arguments = {}
        elif part.thought_signature is not None:
            state.open_call.thought_signature = part.thought_signature
        if len(given.partial_args):
            self.keep_bytes(len(given.partial_args))
            add_partial_arguments(state.arguments, bytes(given.partial_args))
        if given.will_continue:
            return 0
        whole = state.open_call
        state.open_call = None
        arguments = msgspec.Raw(msgspec.json.encode(state.arguments))
        call = GivenCall(whole.function_call.name, whole.function_call.id, arguments)
        made = {"functionCall": {"name": call.name, "args": arguments}}
        if call.id is not None:
            made["functionCall"]["id"] = call.id
        if whole.thought_signature is not None:
            made["thoughtSignature"] = whole.thought_signature
        signed = Part(function_call=call, thought_signature=whole.thought_signature)
        return self._send_call(state, signed, msgspec.json.encode(made), out)

    cdef int _send_call(self, CandidatePieces state, part, bytes raw, list out) except -1:
        cdef str path = f"candidates[{state.index}].content.parts[{len(state.parts)}]"
        notes = Notes()
        found = call_of(part, notes, path)
        self.note_all(notes)
        self.keep_bytes(len(raw))
        state.parts.append((part, raw))
        details = None
        if part.thought_signature is not None:
            details = [signature_block(
                part.thought_signature, None if found is None else found.id, self._name
            )]
        if found is None:
            return 0 if details is None else self._send(
                state, DELTA(reasoning_details=details), out
            )
        self.begin(False)
        function = ChoiceDeltaToolCallFunction(found.function.name, found.function.arguments)
        call = ChoiceDeltaToolCall(len(state.calls), found.id, function, "function")
        state.calls.append(found)
        return self._send(state, DELTA(tool_calls=[call], reasoning_details=details), out)

    # The end.

    cdef int end_of_bytes(self, list out) except -1:
        cdef CandidatePieces state
        cdef bint refusal = bool(self._candidates)
        if not self._candidates:
            return 0
        for state in self._candidates.values():
            if state.reason is None or FINISH_REASONS.get(state.reason) == "" or (
                state.open_call is not None
            ):
                return 0
        if self.stream_end == "finish_and_usage" and self._usage is None:
            return 0
        for state in self._candidates.values():
            self._finish(state, out)
            refusal = refusal and FINISH_REASONS.get(state.reason) == "content_filter"
        if self.include_usage and self._usage is not None:
            usage = usage_of(self._usage, Notes())
            out.append(CHUNK(
                self._id, self._name, [], self._time, usage=usage,
                service_tier=tier_of(self._usage),
            ))
        return self.end(refusal)

    cdef int _finish(self, CandidatePieces state, list out) except -1:
        """Deliver the annotations and the finish reason of a candidate."""
        self._end_text(state, out)
        delta = DELTA(annotations=self._annotations(state))
        if not state.has_begun:
            state.has_begun = True
            delta.role = "assistant"
        reason = finish_of(state.reason, bool(state.calls), f"candidates[{state.index}]", Notes())
        out.append(CHUNK(
            self._id, self._name, [CHOICE(state.index, delta, reason)], self._time
        ))
        return 0

    cdef object _annotations(self, CandidatePieces state):
        cdef TextPieces text
        if state.groundings is None and state.citations is None:
            return None
        content = []
        for part in state.parts:
            if type(part) is TextPieces:
                text = part
                if not text.thought:
                    content.append(text.pieces.whole())
        # The pieces of a text are parts of their own: places are counted in the whole text.
        return annotations_of(
            ["".join(content)], state.groundings or (), state.citations or ()
        )

    cdef tuple assemble(self):
        cdef CandidatePieces state
        notes = self.notes_so_far()
        choices = []
        for _, state in sorted(self._candidates.items()):
            choices.append(self._choice(state, notes))
        if self._candidates and not (self._id and self._usage is not None):
            notes += [f"{shown}: missing" for value, shown in (
                (self._id, "responseId"), (self._usage, "usageMetadata")
            ) if not value]
        usage = usage_of(self._usage, notes)
        return ChatCompletionResponse(
            self._id,
            self._name,
            choices,
            Extensions(self.provider),
            self._time,
            "chat.completion",
            usage,
            None,
            tier_of(self._usage),
            b"",
            {},
            notes.usage_certainty,
            notes.other_usage,
        ), notes

    cdef object _choice(self, CandidatePieces state, notes):
        """Return the choice that the pieces of a candidate add up to."""
        cdef list parts = []
        cdef list raws = []
        cdef list texts = []
        cdef list details = []
        cdef list thoughts = []
        cdef TextPieces text
        cdef Py_ssize_t calls = 0
        path = f"candidates[{state.index}]"
        for given in state.parts:
            if type(given) is TextPieces:
                text = given
                part = Part(text.pieces.whole(), text.thought, text.signature)
                raw = _text_part(part)
                if text.thought:
                    details.append(self._thought(text))
                    thoughts.append(part.text)
                else:
                    texts.append(part.text)
                    if text.signature is not None:
                        details.append(signature_block(text.signature, None, self._name))
            else:
                part, raw = given
                id_ = None
                if part.function_call is not None and part.function_call.name:
                    id_ = state.calls[calls].id
                    calls += 1
                if part.thought_signature is not None:
                    details.append(signature_block(part.thought_signature, id_, self._name))
            parts.append(part)
            raws.append(raw)
        content = "".join(texts)
        message = Message(
            "assistant", content if content or not state.calls else None, None,
            state.calls or None, None, "".join(thoughts) or None, details or None,
        )
        if self.is_over and b"" not in raws and needs_native(parts):
            message.native = native_of(parts, raws, message, self.provider, self._name)
        message.annotations = self._annotations(state)
        for raw in state.groundings or ():
            note_grounding(raw, f"{path}.groundingMetadata", notes)
        for raw in state.citations or ():
            note_citations(raw, f"{path}.citationMetadata", notes)
        reason = None
        if state.reason is not None:
            reason = finish_of(state.reason, bool(state.calls), path, notes)
            if state.reason_message and state.reason != STOP:
                notes.append(f"{path}.finishMessage: {state.reason_message[:200]}")
        if not self.is_over:
            reason = None
        return Choice(state.index, message, reason, state.logprobs)


cdef bytes _text_part(part):
    """Return the JSON of a text, as a reply that is no stream would have it."""
    made = {"text": part.text}
    if part.thought:
        made["thought"] = True
    if part.thought_signature is not None:
        made["thoughtSignature"] = part.thought_signature
    return msgspec.json.encode(made)
