"""OpenAI chat stream decoder (openai.types.chat.ChatCompletionChunk 3.54, 2026-11-22).

A chunk as documented is decoded straight to the Struct that is delivered. One that lacks common
fields takes a second, lenient decoder; any other is repaired in Python (`repair`).
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memcmp

from specado._core.openai_chat.decode_reply cimport (
    EXTRA_CONTENT, REASONING_CONTENT, members_in,
)
from specado._core.replies cimport Pieces, ReplyStream, has_error

import msgspec

from specado._core.emulation import EMULATION_TOOL, unwrap_emulated
from specado._core.finish_reasons import (
    OPENAI_REASONS,
    failure_body,
    meaning_of,
    stop_beside_calls,
)
from specado._core.openai_chat.decode_reply import reply_of
from specado._core.openai_chat.native import (
    added_to_calls,
    native_of_pieces,
    unread_members_of_details,
)
from specado._core.openai_chat.repair import (
    NO_INDEX,
    add_chunk_reasoning,
    error_in,
    is_error_event,
    repair_chunk,
)
from specado._core.repair import (
    KEEP_ALIVE_EVENTS,
    KEEP_ALIVE_NOTE,
    KEEP_ALIVES,
    is_reasoning_part,
    made_call_id,
)
from specado._core.openai_chat.usage import read_usage, read_usage_text
from specado._core.openai_chat.wire import Completion, LenientChunk
from specado._core.replies import UNREADABLE, Notes
from specado.errors import MalformedResponseError
from specado.types import (
    NATIVE_ENTRY,
    ChatCompletionChunk,
    Choice,
    ChoiceDelta,
    ChoiceDeltaToolCall,
    ChoiceDeltaToolCallFunction,
    ChunkChoice,
    FunctionCall,
    Message,
    ReasoningBlock,
    ToolCall,
)

cdef object _decode = msgspec.json.Decoder(ChatCompletionChunk).decode
cdef object _decode_leniently = msgspec.json.Decoder(LenientChunk).decode
cdef bytes DONE = b"[DONE]"
cdef str OBJECT = "chat.completion.chunk"


@cython.final
cdef class CallPieces:
    """Pieces of one tool call; `place` is its index in the delivered chunks."""

    cdef Py_ssize_t place
    cdef str id
    cdef str name           # None until it came
    cdef Pieces rest_of_name
    cdef Pieces arguments   # None until a piece came
    cdef bint is_custom
    cdef bint has_arguments     # a piece that is more than white space came
    cdef object extra_content   # its JSON, None without it

    cdef object whole(self, notes):
        """Return the `ToolCall` that the pieces add up to, None (with a note) without a name."""
        path = f"tool_calls[{self.place}]"
        if not self.name:
            notes.append(f"{path}: not a tool call, left out")
            return None
        name = self.name + (_text_of(self.rest_of_name) or "")
        text = _text_of(self.arguments)
        if self.is_custom:
            custom = {"name": name, "input": text or ""}
            return ToolCall(self.id, type="custom", custom=custom)
        if not text or text.isspace() or text == "null":
            said = "missing" if text is None else text.strip() or "empty"
            text = "{}"
            notes.append(f"{path}.function.arguments: {said}, read as {text}")
        return ToolCall(self.id, FunctionCall(name, text))


@cython.final
cdef class ReasoningPieces:
    """Pieces of one block of `reasoning_details`."""

    cdef str type
    cdef Pieces text        # None until a piece came
    cdef Pieces summary     # None until a piece came
    cdef object signature
    cdef object data
    cdef object id, format, index
    cdef dict unread        # the other members, the last value of each; None without any

    cdef bint is_of(self, block):
        """Return whether *block* is another piece: no signature or data ended this one."""
        return (
            self.type == block.type and self.signature is None and self.data is None
            and block.data is None
            and (block.index is None or self.index is None or block.index == self.index)
            and (block.id is None or self.id is None or block.id == self.id)
        )

    cdef int add_unread(self, dict members) except -1:
        """Keep members that are not read; a null replaces none."""
        if self.unread is None:
            self.unread = {}
        for name, value in members.items():
            if value is not None or name not in self.unread:
                self.unread[name] = value
        return 0

    cdef object whole(self):
        return ReasoningBlock(
            self.type, _text_of(self.text), self.signature, self.data, None, self.id, self.format,
            self.index, _text_of(self.summary),
        )


@cython.final
cdef class ChoicePieces:
    """Pieces of one choice. Owned by its stream."""

    cdef object index
    cdef str role
    cdef Pieces content     # this and the following two: None until a piece came
    cdef Pieces reasoning
    cdef Pieces refusal
    cdef object finish_reason
    cdef list calls         # of CallPieces, by place
    cdef dict call_at       # the server's index, and the id, to CallPieces
    cdef CallPieces emulation_call
    cdef list thoughts
    cdef list thought_parts     # pieces of parts of the content that are reasoning, as they came
    cdef bint has_late_thought  # whether one came behind text
    cdef set reasoning_names    # of the texts of reasoning; None until one came
    cdef dict logprobs
    cdef list annotations
    cdef list sounds

    cdef bint add_thoughts(self, list blocks, list unread) except -1:
        """Join pieces of reasoning blocks, which end with a signature; return if one has any.

        *unread* has the members of each that are not read, and is empty where none has any.
        """
        cdef ReasoningPieces last
        cdef bint has_any = False
        cdef Py_ssize_t place = -1
        if self.thoughts is None:
            self.thoughts = []
        for block in blocks:
            place += 1
            last = self.thoughts[-1] if self.thoughts else None
            if block.type == NATIVE_ENTRY:
                continue    # no server may give one
            if last is None or not last.is_of(block):
                last = ReasoningPieces()
                last.type = block.type
                self.thoughts.append(last)
            if block.text is not None:
                if last.text is None:
                    last.text = Pieces()
                last.text.add(block.text)
            if block.summary is not None:
                if last.summary is None:
                    last.summary = Pieces()
                last.summary.add(block.summary)
            last.signature = block.signature
            last.data = block.data
            last.id = block.id if last.id is None else last.id
            last.format = block.format if last.format is None else last.format
            last.index = block.index if last.index is None else last.index
            if unread and unread[place]:
                last.add_unread(unread[place])
            if block.text or block.data or block.summary:
                has_any = True
        return has_any

    cdef int add_annotations(self, list annotations) except -1:
        if self.annotations is None:
            self.annotations = []
        self.annotations.extend(annotations)
        return 0

    cdef int add_sound(self, dict sound) except -1:
        if self.sounds is None:
            self.sounds = []
        self.sounds.append(sound)
        return 0

    cdef int add_logprobs(self, dict logprobs) except -1:
        if self.logprobs is None:
            self.logprobs = {}
        for name, value in logprobs.items():
            kept = self.logprobs.get(name)
            if isinstance(kept, list) and isinstance(value, list):
                kept.extend(value)
            elif kept is None:
                self.logprobs[name] = list(value) if isinstance(value, list) else value
        return 0

    cdef object whole(self, notes):
        """Return the `Choice` that the pieces add up to."""
        cdef CallPieces call
        cdef ReasoningPieces block
        calls = []
        for call in self.calls or ():
            found = call.whole(notes)
            if found is not None:
                calls.append(found)
        details = None
        content, refusal = _text_of(self.content), _text_of(self.refusal)
        if not content and (refusal or calls):
            content = None  # as in a reply that is no stream: the first delta's is empty
        if self.thoughts is not None:
            details = [block.whole() for block in self.thoughts] or None
        return Choice(
            index=self.index,
            message=Message(
                role=self.role or "assistant",
                content=content,
                tool_calls=calls or None,
                reasoning=_text_of(self.reasoning),
                reasoning_details=details,
                refusal=refusal,
                annotations=self.annotations,
                audio=None if self.sounds is None else _sound_of(self.sounds),
            ),
            finish_reason=self.finish_reason,
            logprobs=self.logprobs,
        )


    cdef object native(self, message, str provider, str model):
        """Return the record of the answer, None where its server added no members."""
        cdef CallPieces call
        cdef dict extra = {}
        for call in self.calls or ():
            if call.extra_content is not None:
                extra[call.id] = call.extra_content
        if self.reasoning_names is None and message.reasoning_details is None and not extra:
            return None
        parts = None if self.has_late_thought else self.thought_parts
        return native_of_pieces(
            message, self.reasoning_names or (), parts or (), self.unread_members(), extra,
            provider, model,
        )

    cdef int add_parts(self, list content) except -1:
        """Keep the parts of a list of content that are reasoning; call it before text is added."""
        cdef bint has_text = self.content is not None and self.content.whole() != ""
        for part in content:
            if not is_reasoning_part(part):
                has_text = has_text or not (isinstance(part, dict) and part.get("text") == "")
                continue
            self.has_late_thought = self.has_late_thought or has_text
            if self.thought_parts is None:
                self.thought_parts = []
            self.thought_parts.append(part)
        return 0

    cdef list unread_members(self):
        """Return the members of each reasoning block that are not read."""
        cdef ReasoningPieces block
        cdef list found = []
        for block in self.thoughts or ():
            found.append(block.unread or {})
        return found


cdef object _text_of(Pieces pieces):
    return None if pieces is None else pieces.whole()


cdef dict _sound_of(list sounds):
    """Return the audio answer that the pieces add up to: texts are joined, the rest is the last."""
    whole = {}
    for name in dict.fromkeys([name for piece in sounds for name in piece]):
        values = [piece[name] for piece in sounds if piece.get(name) is not None]
        if name in ("data", "transcript") and all([isinstance(value, str) for value in values]):
            whole[name] = "".join(values)
        else:
            whole[name] = values[-1] if values else None
    return whole


cdef bint tells_result(bytes frame) except -1:
    """Return whether a chunk without content has a member that says whether the answer failed."""
    return b'"base_resp"' in frame or b'"errors"' in frame or b'"status"' in frame


@cython.final
cdef class OpenAIStream(ReplyStream):
    """Stream decoder of OpenAI's dialect; see `ReplyStream`."""

    cdef dict _choices
    cdef ChoicePieces _last
    cdef object _id, _name, _created, _usage, _fingerprint, _tier
    cdef bytes _frame       # the event that is read
    cdef int _members       # which members it has, by `members_in`
    cdef bint _has_moderation
    cdef bint _is_lenient   # a chunk lacked fields, so that the next ones will, too

    def __cinit__(self, *_args, **_options):
        self._choices = {}
        self._id = self._name = ""
        self._created = 0

    cdef int take(self, bytes frame, list out) except -1:
        if PyBytes_GET_SIZE(frame) == 6 and memcmp(PyBytes_AS_STRING(frame), b"[DONE]", 6) == 0:
            return self._end()
        if self.frames.event is not None:
            if self.frames.event == "error":
                return self.fail(frame)
            if self.frames.event in KEEP_ALIVE_EVENTS:
                return self._leave_out()
        if has_error(frame) and self.take_error(frame, error_in):
            return 0
        chunk = None
        if not self._is_lenient:
            try:
                chunk = _decode(frame)
            except UNREADABLE:
                pass
        if chunk is None:
            chunk = self._lenient_chunk(frame)
        self._members = members_in(frame)
        if chunk is None or (
            self._members & REASONING_CONTENT and not add_chunk_reasoning(chunk, frame)
        ):
            self._take_repaired(frame, out)
        else:
            self._deliver(chunk, frame, out)
        if self._members & EXTRA_CONTENT:
            self._add_extra_content(frame)
        return 0

    cdef int _add_extra_content(self, bytes frame) except -1:
        """Keep what the server added to calls, beside what the chunks tell."""
        cdef ChoicePieces state
        cdef CallPieces call
        self.keep_bytes(PyBytes_GET_SIZE(frame))
        for index, server_index, id_, added in added_to_calls(frame):
            state = self._choices.get(index)
            if state is not None and state.calls:
                call = state.call_at.get(id_) if id_ else state.call_at.get(server_index)
                if call is None:
                    call = state.calls[-1]
                call.extra_content = added
        return 0

    cdef int _leave_out(self) except -1:
        return self.note(KEEP_ALIVE_NOTE)

    cdef object _lenient_chunk(self, bytes frame):
        """Return a chunk that lacks common fields, None for an event that needs more repair."""
        cdef list choices = []
        cdef Py_ssize_t place = 0
        try:
            found = _decode_leniently(frame)
        except UNREADABLE:
            return None
        for given in found.choices:
            index = given.index
            if index is None:
                index = place
                self.note(f"choices[{place}].index: missing, read as {place}")
            choices.append(ChunkChoice(
                index, self._lenient_delta(given.delta, place), given.finish_reason, given.logprobs
            ))
            place += 1
        self._is_lenient = True
        return ChatCompletionChunk(
            found.id or "", found.model or "", choices, found.created or 0, OBJECT,
            self._usage_in(bytes(found.usage)), found.system_fingerprint, found.service_tier,
        )

    cdef object _usage_in(self, bytes text):
        notes = Notes()
        usage = read_usage_text(text, notes)
        self.note_all(notes)
        return usage

    cdef object _lenient_delta(self, given, Py_ssize_t place):
        """Return a delta whose tool calls without an index have `NO_INDEX`."""
        cdef list calls = None
        if given is None:
            return ChoiceDelta()
        if given.tool_calls is not None:
            calls = []
            for call in given.tool_calls:
                index = call.index
                if index is None:
                    index = NO_INDEX
                    path = f"choices[{place}].delta.tool_calls[{len(calls)}]"
                    self.note(f"{path}.index: missing, known from the call's id")
                calls.append(ChoiceDeltaToolCall(
                    index, call.id, call.function, call.type, call.custom
                ))
        return ChoiceDelta(
            given.content, given.role, calls or None, given.reasoning, given.reasoning_details,
            given.refusal, given.annotations, given.audio,
        )

    cdef int _take_repaired(self, bytes frame, list out) except -1:
        """Read an event that is no chunk, or a chunk that is not as documented."""
        notes = Notes()
        text = frame.strip()
        if text == DONE:
            return self._end()
        if not text or text in KEEP_ALIVES:
            return self._leave_out() if text else 0
        data = self.read_object(frame)
        if "choices" not in data and data.get("usage") is None:
            if self.take_error(frame, error_in):
                return 0
            if is_error_event(data, frame):
                return self.fail(frame)
            return self.note("an event without choices: left out of the stream")
        chunk = repair_chunk(data, notes)
        self.note_all(notes)
        if chunk.choices:
            self._keep_parts(chunk.choices, data["choices"], PyBytes_GET_SIZE(frame))
        return self._deliver(chunk, frame, out)

    cdef int _keep_parts(self, list choices, list given, Py_ssize_t frame_size) except -1:
        """Keep the parts of a chunk's content that are reasoning, which go back as they came."""
        for choice, found in zip(choices, [each for each in given if isinstance(each, dict)]):
            delta = found.get("delta")
            if isinstance(delta, dict) and isinstance(delta.get("content"), list):
                self.keep_bytes(frame_size)
                self._choice_at(choice.index, frame_size).add_parts(delta["content"])
        return 0

    cdef int _deliver(self, chunk, bytes frame, list out) except -1:
        """Add a chunk to the reply, complete it and hand it on."""
        cdef list choices = chunk.choices
        cdef Py_ssize_t place = 0
        usage = chunk.usage
        self._frame = frame
        if not choices:
            if tells_result(frame) and self.take_error(frame, error_in):
                return 0
            self._read_facts(chunk, frame)
            if usage is None:
                self._read_usage_elsewhere(frame)
            else:
                self._usage = usage
                if self.include_usage:
                    self._name_chunk(chunk)
                    out.append(chunk)
            return 0
        for choice in choices:
            reason = choice.finish_reason
            if reason is not None:
                if tells_result(frame) and self.take_error(frame, error_in):
                    return 0
                if reason not in OPENAI_REASONS and not self._read_reason(choice):
                    self.failure = failure_body(reason)
                    return 0
                self._read_facts(chunk, frame)
                if usage is None:
                    self._read_usage_elsewhere(frame)
            self._add(choice, place, PyBytes_GET_SIZE(frame))
            place += 1
        if usage is not None:
            self._usage = usage
            if not self.include_usage:
                chunk.usage = None
        self._name_chunk(chunk)
        out.append(chunk)
        return 0

    cdef int _read_usage_elsewhere(self, bytes frame) except -1:
        """Read the usage that Groq (in `x_groq`) or Moonshot (in the choice) sends in a last chunk."""
        if b'"usage"' not in frame:
            return 0
        data = self.read_object(frame)
        places = [("x_groq", data.get("x_groq"))]
        given = data.get("choices")
        if isinstance(given, list):
            places += [(f"choices[{place}]", each) for place, each in enumerate(given)]
        for path, holder in places:
            if isinstance(holder, dict) and isinstance(holder.get("usage"), dict):
                notes = Notes()
                self._usage = read_usage(holder["usage"], notes)
                self.note_all(notes)
                return self.note(f"{path}.usage: read as usage")
        return 0

    cdef int _name_chunk(self, chunk) except -1:
        """Fill the missing members of a chunk from the chunks before it."""
        given = chunk.id
        if not self._id:
            self._read_facts(chunk, b"")
        if not given:
            chunk.id = self._id
        if not chunk.model:
            chunk.model = self._name or self.model
        if not chunk.created:
            chunk.created = self._created or self.created
        chunk.object = OBJECT
        return 0

    cdef int _read_facts(self, chunk, bytes frame) except -1:
        """Record the members of a chunk that belong to the whole reply."""
        self._id = self._id or chunk.id
        self._name = self._name or chunk.model
        self._created = self._created or chunk.created
        if chunk.system_fingerprint is not None:
            self._fingerprint = chunk.system_fingerprint
        if chunk.service_tier is not None:
            self._tier = chunk.service_tier
        if b'"moderation"' in frame:
            self._has_moderation = True
        return 0

    cdef int _add(self, choice, Py_ssize_t place, Py_ssize_t frame_size) except -1:
        """Add the content of a chunk's choice, the one at *place*."""
        cdef ChoicePieces state = self._last
        index = choice.index
        if state is None or state.index != index:
            state = self._choice_at(index, frame_size)
        delta = choice.delta
        text = delta.content
        if text is not None:
            if state.content is None:
                state.content = Pieces()
            if text:
                state.content.add(text)
                self.keep(text)
                if not self.has_content:
                    self.begin(False)
        if delta.tool_calls is not None:
            self._add_calls(state, delta, frame_size)
        if delta.reasoning is not None:
            self._add_reasoning(state, delta.reasoning)
            self._name_reasoning(state)
        if delta.refusal is not None:
            self._add_refusal(state, delta.refusal)
        if delta.reasoning_details is not None:
            self.keep_bytes(frame_size)
            unread = unread_members_of_details(self._frame)
            if state.add_thoughts(
                delta.reasoning_details, unread[place] if place < len(unread) else []
            ):
                self.begin(False)
        if delta.role is not None and state.role is None:
            state.role = delta.role
        if delta.annotations is not None:
            self.keep_bytes(frame_size)
            state.add_annotations(delta.annotations)
        if delta.audio is not None:
            self.keep_bytes(frame_size)
            state.add_sound(delta.audio)
            self.begin(False)
        if choice.logprobs is not None:
            self.keep_bytes(frame_size)
            state.add_logprobs(choice.logprobs)
        reason = choice.finish_reason
        if reason is not None:
            self._add_finish(state, choice, reason)
        return 0

    cdef ChoicePieces _choice_at(self, index, Py_ssize_t frame_size):
        cdef ChoicePieces state = self._choices.get(index)
        if state is None:
            self.keep_bytes(frame_size)
            state = ChoicePieces()
            state.index = index
            self._choices[index] = state
        self._last = state
        return state

    cdef bint _read_reason(self, choice) except -1:
        """Read a finish reason that is none of OpenAI's; return False for that of a failure."""
        reason = choice.finish_reason
        meaning = meaning_of(reason)
        if meaning is None:
            self.note(f"choices[{choice.index}].finish_reason: {reason!r} is not known, kept as it is")
        elif not isinstance(meaning, str):
            return False
        else:
            choice.finish_reason = meaning or None
            self.note(
                f"choices[{choice.index}].finish_reason: {reason!r}, read as "
                f"{choice.finish_reason!r}"
            )
        return True

    cdef bint _means_calls(self, ChoicePieces state) except -1:
        """Return, with a note, whether `stop` means `tool_calls` for a choice."""
        if not self.stop_means_calls or not state.calls or state.emulation_call is not None:
            return False
        self.note(stop_beside_calls(state.index))
        return True

    cdef int _add_finish(self, ChoicePieces state, choice, reason) except -1:
        if reason == "function_call":
            self.note(f"choices[{state.index}].message.function_call: left in response.raw")
        if reason == "tool_calls" and state.emulation_call is not None and len(state.calls) == 1:
            choice.finish_reason = "stop"
        if state.calls is not None and state.finish_reason is None:
            self._complete_calls(state, choice.delta)
        if reason == "stop" and self._means_calls(state):
            choice.finish_reason = reason = "tool_calls"
        state.finish_reason = reason
        return 0

    cdef int _complete_calls(self, ChoicePieces state, delta) except -1:
        """Add to a choice's last delta the arguments of calls to which none came."""
        cdef CallPieces call
        for call in state.calls:
            if call.is_custom or call.has_arguments:
                continue
            if call is state.emulation_call:
                delta.content = (delta.content or "") + "{}"
                continue
            piece = ChoiceDeltaToolCall(call.place, function=ChoiceDeltaToolCallFunction(None, "{}"))
            if delta.tool_calls is None:
                delta.tool_calls = []
            delta.tool_calls.append(piece)
        return 0

    cdef int _add_reasoning(self, ChoicePieces state, str text) except -1:
        if state.reasoning is None:
            state.reasoning = Pieces()
        if text:
            state.reasoning.add(text)
            self.keep(text)
            self.begin(False)
        return 0

    cdef int _name_reasoning(self, ChoicePieces state) except -1:
        """Keep the names under which the text of the reasoning comes; a null is none."""
        if state.reasoning_names is None:
            state.reasoning_names = set()
        if len(state.reasoning_names) == 2:
            return 0
        if not self._members & REASONING_CONTENT:
            # Else it comes in parts of the content, under no name.
            if state.reasoning_names or b'"reasoning":' in self._frame or (
                b'"reasoning" :' in self._frame
            ):
                state.reasoning_names.add("reasoning")
            return 0
        for name in ("reasoning", "reasoning_content"):
            start = f'"{name}":'.encode()
            if start + b'"' in self._frame or start + b' "' in self._frame:
                state.reasoning_names.add(name)
        return 0

    cdef int _add_refusal(self, ChoicePieces state, str text) except -1:
        if state.refusal is None:
            state.refusal = Pieces()
        if text:
            state.refusal.add(text)
            self.keep(text)
            self.begin(True)
        return 0

    cdef int _add_calls(self, ChoicePieces state, delta, Py_ssize_t frame_size) except -1:
        """Add pieces of tool calls and give them stable indexes."""
        cdef CallPieces call
        cdef list delivered = []
        for piece in delta.tool_calls:
            call = self._call_of(state, piece, frame_size)
            piece.index = call.place
            text = None
            function = piece.function
            if function is not None:
                text = function.arguments
                if not self._add_name(call, function.name):
                    function.name = None
            elif piece.custom is not None:
                call.is_custom = True
                text = piece.custom.get("input")
                if not self._add_name(call, piece.custom.get("name")):
                    piece.custom.pop("name", None)
            if isinstance(text, str):
                if call.arguments is None:
                    call.arguments = Pieces()
                if text:
                    call.arguments.add(text)
                    self.keep(text)
                    if not call.has_arguments:
                        call.has_arguments = not text.isspace()
            if call is not state.emulation_call:
                self.begin(False)
                delivered.append(piece)
            elif text:
                self.begin(False)
                delta.content = (delta.content or "") + text
        delta.tool_calls = delivered or None
        return 0

    cdef bint _add_name(self, CallPieces call, name) except -1:
        """Add to the name, which comes once or in pieces; return whether it is more than before."""
        if not isinstance(name, str) or not name:
            return False
        if call.name is None:
            call.name = name
        elif call.rest_of_name is None and call.name == name:
            return False
        else:
            if call.rest_of_name is None:
                call.rest_of_name = Pieces()
            call.rest_of_name.add(name)
        self.keep(name)
        return True

    cdef CallPieces _call_of(self, ChoicePieces state, piece, Py_ssize_t frame_size):
        """Return the call that a piece belongs to: a new id with a name is a new call."""
        cdef CallPieces call = None
        id_ = piece.id or ""
        is_named = piece.custom is not None or (
            piece.function is not None and bool(piece.function.name)
        )
        if state.calls is None:
            state.calls = []
            state.call_at = {}
        if piece.index >= 0:
            call = state.call_at.get(piece.index)
        elif id_:
            call = state.call_at.get(id_)
        elif not is_named and state.calls:
            call = state.calls[-1]
        if call is not None and not (id_ and id_ != call.id and is_named):
            return call
        self.keep_bytes(frame_size)
        call = CallPieces()
        call.place = len(state.calls)
        if not id_:
            id_ = piece.id = made_call_id()
            self.note(f"tool_calls[{call.place}].id: missing, called {id_}")
        call.id = id_
        if piece.type is None:
            piece.type = "function" if piece.custom is None else "custom"
        state.calls.append(call)
        state.call_at[piece.index] = state.call_at[id_] = call
        if self.emulated and is_named and piece.function is not None:
            if state.emulation_call is None and piece.function.name == EMULATION_TOOL:
                state.emulation_call = call
        return call

    cdef int _end(self) except -1:
        cdef ChoicePieces state
        if not self._choices:
            raise MalformedResponseError("the stream has no choice", code="no_choice")
        for state in self._choices.values():
            # Calls that came after the finish reason.
            if state.finish_reason == "stop" and self._means_calls(state):
                state.finish_reason = "tool_calls"
            elif state.finish_reason is None:
                self.note(f"choices[{state.index}].finish_reason: missing")
        return self.end(any([
            state.finish_reason == "content_filter" for state in self._choices.values()
        ]))

    cdef int end_of_bytes(self, list out) except -1:
        cdef ChoicePieces state
        if not self._choices or self.stream_end in ("", "sentinel", "terminal_event"):
            return 0
        for state in self._choices.values():
            if state.finish_reason is None:
                return 0
        if self.stream_end != "finish_reason" and self._usage is None:
            return 0
        if self.stream_end == "unknown":
            self.note("no [DONE]: finish reason, usage and a clean end stand for it")
        return self._end()

    cdef tuple assemble(self):
        cdef ChoicePieces state
        notes = self.notes_so_far()
        choices = []
        for index in sorted(self._choices):
            state = self._choices[index]
            choice = state.whole(notes)
            if self.is_over:
                choice.message.native = state.native(
                    choice.message, self.provider, self.model or self._name
                )
            choices.append(choice)
        found = Completion(
            choices=choices or [Choice(0, Message("assistant", None))],
            id=self._id,
            model=self._name,
            created=self._created,
            usage=self._usage,
            system_fingerprint=self._fingerprint,
            service_tier=self._tier,
            moderation={} if self._has_moderation else None,
        )
        reply = reply_of(found, notes, self.provider, self.model, self.created, b"")
        if self.emulated:
            unwrap_emulated(reply)
        return reply, notes
