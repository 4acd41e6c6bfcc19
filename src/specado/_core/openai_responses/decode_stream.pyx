"""Responses stream decoder: events to canonical chunks (openai.types 3.57, 2026-11-30).

The events name their item by `output_index`. The last event holds the whole response: content
that the pieces lacked is delivered too, and a note reports where the two differ.
"""

cimport cython

import msgspec

from specado._core.openai_responses.decode_reply import (
    PARAGRAPH, annotations_of, call_of, failure_of, finish_of, needs_native, read_reply, reply_of,
    thought_of, usage_of,
)
from specado._core.openai_responses.events import (
    KNOWN_EVENTS, AnnotationAdded, ArgumentsDelta, ArgumentsDone, Beginning, Completed, ErrorEvent,
    Event, Failed, Incomplete, InputDelta, InputDone, ItemAdded, ItemDone, RefusalDelta,
    RefusalDone, ResponseEvent, SummaryDelta, SummaryDone, TextDelta, TextDone, ThoughtDelta,
    ThoughtDone,
)
from specado._core.openai_responses.native import raw_items
from specado._core.openai_responses.repair import readable_item, repair_event
from specado._core.openai_responses.wire import ContentPart, Item, Reply
from specado._core.repair import KEEP_ALIVE_EVENTS, KEEP_ALIVE_NOTE, KEEP_ALIVES, made_call_id
from specado._core.replies import UNREADABLE, Notes, parse
from specado._core.replies cimport Pieces, ReplyStream
from specado.errors import MalformedResponseError
from specado.types import (
    ChatCompletionChunk, ChoiceDelta, ChoiceDeltaToolCall, ChoiceDeltaToolCallFunction,
    ChunkChoice,
)

cdef enum:
    NO_INDEX = -1

# The kinds of an item's parts: text and refusals of a message, the summary and the content of
# reasoning, the arguments or the input of a call.
cdef enum PartKind:
    TEXT = 0
    REFUSAL = 1
    SUMMARY = 2
    THOUGHT = 3
    INPUT = 4

cdef tuple CALLS = ("function_call", "custom_tool_call")
cdef object _decode = msgspec.json.Decoder(Event).decode
cdef object _decode_beginning = msgspec.json.Decoder(Beginning).decode
cdef object TEXT_DELTA = TextDelta
cdef object CHUNK = ChatCompletionChunk
cdef object CHOICE = ChunkChoice
cdef object DELTA = ChoiceDelta

# How each event of a piece, or of a whole part, is read: the kind of the part, the event's member
# with the text, and the one with the part's index, `None` where an item has one such part.
cdef dict PIECES = {
    TextDelta: (TEXT, "delta", "content_index"),
    RefusalDelta: (REFUSAL, "delta", "content_index"),
    SummaryDelta: (SUMMARY, "delta", "summary_index"),
    ThoughtDelta: (THOUGHT, "delta", "content_index"),
    ArgumentsDelta: (INPUT, "delta", None),
    InputDelta: (INPUT, "delta", None),
}
cdef dict WHOLES = {
    TextDone: (TEXT, "text", "content_index"),
    RefusalDone: (REFUSAL, "refusal", "content_index"),
    SummaryDone: (SUMMARY, "text", "summary_index"),
    ThoughtDone: (THOUGHT, "text", "content_index"),
    ArgumentsDone: (INPUT, "arguments", None),
    InputDone: (INPUT, "input", None),
}
cdef tuple TERMINAL = (Completed, Incomplete, Failed)
# The type of an item whose beginning is missing, by the event that names it.
cdef dict TYPES = {
    TEXT: "message", REFUSAL: "message", SUMMARY: "reasoning", THOUGHT: "reasoning",
}


@cython.final
cdef class PartPieces:
    """One part of an item that is being received: its pieces so far. Belongs to one stream."""
    cdef int kind
    cdef Py_ssize_t at      # its index among the parts of its kind
    cdef Py_ssize_t start   # of a text: where it begins in the content
    cdef Pieces pieces
    cdef bint has_pieces


@cython.final
cdef class ItemPieces:
    """One output item that is being received. Belongs to one stream."""
    cdef object index       # the server's
    cdef str kind           # the type of the item
    cdef object id          # its first id, None without one
    cdef object item        # the `Item` as it came last
    cdef bytes raw          # its JSON, None until it is whole
    cdef list parts         # of PartPieces
    cdef PartPieces last    # the part that a piece came for last
    cdef list annotations   # those that came in events
    cdef str call_id, name  # of a call whose beginning was sent
    cdef Py_ssize_t call    # its index, NO_INDEX for others
    cdef int thought_kind   # the kind of the parts of reasoning that are sent, NO_INDEX before one
    cdef bint has_thought   # whether a piece of reasoning was sent
    cdef bint is_changed    # whether the whole item differs from what was sent

    cdef PartPieces part(self, int kind, Py_ssize_t at):
        """Return a part by its kind and index, None before it began."""
        cdef PartPieces part = self.last
        if part is not None and part.kind == kind and part.at == at:
            return part
        for part in self.parts:
            if part.kind == kind and part.at == at:
                return part
        return None

    cdef str text_of(self, int kind):
        """Return the text of the parts of reasoning of a kind, in the order of their indexes."""
        cdef PartPieces part
        cdef list found = []
        for part in self.parts:
            if part.kind == kind:
                found.append((part.at, part.pieces.whole()))
        found.sort()
        return PARAGRAPH.join([text for _, text in found if text])

    cdef str thought(self):
        """Return the text of the reasoning as it was sent, None without any."""
        return None if self.thought_kind == NO_INDEX else self.text_of(self.thought_kind) or None


@cython.final
cdef class ResponsesStream(ReplyStream):
    """Decodes one stream to chunks, and assembles the reply; see `ReplyStream`.

    It owns the pieces until the reply is assembled. One per stream; not for two threads at once.
    """
    cdef object _found      # the Reply of the terminal event without its output, None before
    cdef list _items        # of ItemPieces, in order of appearance
    cdef dict _item_of      # the server's index to ItemPieces
    cdef ItemPieces _last
    cdef object _last_index
    cdef Py_ssize_t _calls, _text_size
    cdef list _logprobs
    cdef bint _is_announced
    cdef str _name
    cdef object _id, _usage

    def __cinit__(self, *_args, **_options):
        self._items = []
        self._item_of = {}
        self._last_index = NO_INDEX
        self._name = self.model
        self._id = ""

    cdef int take(self, bytes frame, list out) except -1:
        cdef ItemPieces item
        cdef PartPieces part
        try:
            event = _decode(frame)
        except UNREADABLE:
            return self._repair(frame, out)
        if type(event) is not TEXT_DELTA:
            return self._take_event(event, frame, out)
        item = self._item_at(event)
        if item is None or event.logprobs:
            return self._take_event(event, frame, out)
        part = item.part(TEXT, event.content_index)
        if part is None:
            part = self._new_part(item, TEXT, event.content_index)
        return self._add_text(part, event.delta, None, out)

    cdef int _take_event(self, event, bytes frame, list out) except -1:
        cdef ItemPieces item
        kind = type(event)
        if kind in PIECES:
            return self._take_piece(event, PIECES[kind], frame, out)
        if kind in WHOLES:
            part_kind, name, index = WHOLES[kind]
            item = self._item_for(event, part_kind, out)
            if item is None:
                return 0
            at = 0 if index is None else getattr(event, index)
            return self._complete(item, part_kind, at, getattr(event, name), out)
        if kind is ItemAdded:
            return self._open(event, out)
        if kind is ItemDone:
            return self._close(event, len(frame), out)
        if kind is AnnotationAdded:
            item = self._item_for(event, TEXT, out)
            if event.annotation is not None:
                self.keep_bytes(len(frame))
                self._cite(item, event.content_index, [event.annotation], out)
            return 0
        if kind is ErrorEvent:
            return self.fail(frame)
        if kind in TERMINAL:
            return self._terminate(event, out)
        if issubclass(kind, ResponseEvent):
            return self._begin(bytes(event.response), out)
        return 0

    cdef int _repair(self, bytes frame, list out) except -1:
        """Read the usable part of an event that deviates from the documentation, or is unknown."""
        cdef str name = self.frames.event
        if name == "error":
            return self.fail(frame)
        text = frame.strip()
        if not text or text == b"[DONE]":
            return 0
        if name in KEEP_ALIVE_EVENTS or (name is None and text in KEEP_ALIVES):
            return self.note(KEEP_ALIVE_NOTE)
        data = self.read_object(frame)
        kind = data.get("type")
        if not kind or type(kind) is not str:
            kind = name
        if kind == "error" or (kind not in KNOWN_EVENTS and data.get("error")):
            return self.fail(frame)
        if kind not in KNOWN_EVENTS:
            return self.note(f"{str(kind)[:60]}: not a known event, left out of the stream")
        notes = Notes()
        repaired = repair_event(data, kind, notes)
        self.note_all(notes)
        try:
            event = _decode(repaired)
        except UNREADABLE:
            return self.note(f"{kind}: not as documented, left out of the stream")
        return self._take_event(event, repaired, out)

    cdef int _send(self, delta, finish_reason, list out) except -1:
        out.append(CHUNK(self._id, self._name, [CHOICE(0, delta, finish_reason)], self.created))
        return 0

    cdef int _begin(self, bytes body, list out) except -1:
        """Read the response that the stream begins with."""
        if self._is_announced:
            return 0
        try:
            found = _decode_beginning(body)
        except UNREADABLE:
            found = Beginning()
        self._id = found.id
        self._name = found.model or self.model
        self.created = int(found.created_at) or self.created
        return self._announce(out)

    cdef int _announce(self, list out) except -1:
        if not self._is_announced:
            self._is_announced = True
            self._send(DELTA("", "assistant"), None, out)
        return 0

    # Items.

    cdef ItemPieces _item_at(self, event):
        """Return the item of an event, None before it began; without an index the last one."""
        cdef ItemPieces item = self._last
        cdef ItemPieces named
        index = event.output_index
        if index != NO_INDEX and index != self._last_index:
            item = self._item_of.get(index)
        id_ = event.item_id
        if id_ is None or item is None or item.id is None or id_ == item.id:
            return item
        # Some servers give every event another id, others every item the same index.
        named = self._item_named(id_)
        return item if named is None else named

    cdef ItemPieces _item_named(self, id_):
        """Return the item with an id, None without one."""
        cdef ItemPieces item
        for item in self._items:
            if item.id is not None and item.id == id_:
                return item
        return None

    cdef ItemPieces _item_for(self, event, int kind, list out):
        """Return the item of an event for a part of a *kind*; None where its type is not clear."""
        cdef ItemPieces item = self._item_at(event)
        if item is not None:
            self._last, self._last_index = item, item.index
            return item
        if kind not in TYPES:
            self.note("output_item.added: missing for a call")
            return None
        self.note(f"output_item.added: missing for a {TYPES[kind]}")
        return self._new_item(Item(TYPES[kind], event.item_id), event.output_index, out)

    cdef ItemPieces _new_item(self, given, index, list out):
        """Begin an output item."""
        cdef ItemPieces item = ItemPieces()
        self._announce(out)
        if index == NO_INDEX:
            index = len(self._items)
        item.index = index
        item.item = given
        item.kind = given.type
        item.id = given.id
        item.parts = []
        item.annotations = []
        item.call = item.thought_kind = NO_INDEX
        self._items.append(item)
        self._item_of[index] = self._last = item
        self._last_index = index
        if item.kind in CALLS and given.name is not None:
            self._open_call(item, out)
        return item

    cdef int _open(self, event, list out) except -1:
        """Begin the item of an event; its text comes in pieces, or at its end."""
        cdef ItemPieces item
        notes = Notes()
        given = readable_item(event.item, f"output[{event.output_index}]", notes)
        self.note_all(notes)
        if given is None:
            return 0
        item = self._item_of.get(event.output_index)
        if item is not None and item.kind == given.type and (given.id is None or given.id == item.id):
            return 0    # told twice
        self.keep_bytes(len(event.item))
        self._new_item(given, event.output_index, out)
        return 0

    cdef int _open_call(self, ItemPieces item, list out) except -1:
        cdef object function = None
        cdef object custom = None
        item.call = self._calls
        self._calls += 1
        item.call_id = item.item.call_id or item.item.id or made_call_id()
        item.name = item.item.name
        self.begin(False)
        if item.kind == "function_call":
            function = ChoiceDeltaToolCallFunction(item.name, "")
        else:
            custom = {"name": item.name, "input": ""}
        kind = "function" if custom is None else "custom"
        call = ChoiceDeltaToolCall(item.call, item.call_id, function, kind, custom)
        return self._send(DELTA(tool_calls=[call]), None, out)

    cdef int _close(self, event, Py_ssize_t size, list out) except -1:
        """End the item of an event, which has all of it."""
        cdef ItemPieces item
        notes = Notes()
        given = readable_item(event.item, f"output[{event.output_index}]", notes)
        self.note_all(notes)
        if given is None:
            return 0
        self.keep_bytes(size)
        index = event.output_index
        item = self._item_named(given.id)
        if item is None or item.kind != given.type:
            item = self._last if index == NO_INDEX else self._item_of.get(index)
            if item is not None and item.raw is not None and item.id != given.id:
                item = None    # another one at the same index
        if item is None or item.kind != given.type:
            item = self._new_item(given, index, out)
        return self._take_whole(item, given, bytes(event.item), out)

    cdef int _take_whole(self, ItemPieces item, given, bytes raw, list out) except -1:
        """Take an item that is whole: send what its pieces lacked.

        The first whole form is kept: each has its own encryption of the same reasoning.
        """
        cdef bint was_whole = item.raw is not None
        if not was_whole or (given.encrypted_content and not item.item.encrypted_content):
            item.item, item.raw = given, raw
        if item.kind == "message":
            for at, part in enumerate(given.content or ()):
                if part.refusal is not None:
                    self._complete(item, REFUSAL, at, part.refusal, out)
                elif part.text is not None:
                    self._complete(item, TEXT, at, part.text, out)
                    self._cite_rest(item, given, at, out)
        elif item.kind == "reasoning":
            self._complete_thought(item, given, out)
            if not was_whole:
                self.begin(False)
                thought = thought_of(given, item.thought(), self.model or self._name)
                self._send(DELTA(reasoning_details=[thought]), None, out)
        elif item.kind in CALLS and given.name is not None:
            if item.call == NO_INDEX:
                item.parts, item.last = [], None    # its pieces had no name to be sent with
                self._open_call(item, out)
            self._complete_call(item, given, out)
        return 0

    cdef int _complete_thought(self, ItemPieces item, given, list out) except -1:
        """Send what the pieces of reasoning lacked: of its summary, or else of its content."""
        cdef int kind = item.thought_kind
        if kind == NO_INDEX:
            has_summary = any([part.text for part in given.summary or ()])
            kind = SUMMARY if has_summary else THOUGHT
        parts = given.summary if kind == SUMMARY else given.content
        for at, part in enumerate(parts or ()):
            if part.text:
                self._complete(item, kind, at, part.text, out)
        return 0

    cdef int _complete_call(self, ItemPieces item, given, list out) except -1:
        cdef PartPieces part = item.part(INPUT, 0)
        notes = Notes()
        call = call_of(given, f"output[{item.index}]", notes)
        text = call.custom["input"] if call.function is None else call.function.arguments
        if part is not None and not part.has_pieces and text:
            part.pieces = Pieces()   # at most white space came
        return self._complete(item, INPUT, 0, text, out)

    # Parts.

    cdef PartPieces _new_part(self, ItemPieces item, int kind, Py_ssize_t at):
        cdef PartPieces part = PartPieces()
        part.kind = kind
        part.at = at
        part.pieces = Pieces()
        part.start = self._text_size
        item.parts.append(part)
        item.last = part
        return part

    cdef int _take_piece(self, event, tuple form, bytes frame, list out) except -1:
        """Read a piece of a part."""
        cdef PartPieces part
        cdef ItemPieces item
        kind, name, index = form
        item = self._item_for(event, kind, out)
        if item is None:
            return 0
        at = 0 if index is None else getattr(event, index)
        part = item.part(kind, at)
        if part is None:
            part = self._new_part(item, kind, at)
        text = getattr(event, name)
        if kind == TEXT:
            if event.logprobs:
                self.keep_bytes(len(frame))
            return self._add_text(part, text, event.logprobs or None, out)
        return self._add(item, part, text, out)

    cdef int _add_text(self, PartPieces part, str text, list logprobs, list out) except -1:
        if not text and logprobs is None:
            return 0
        part.pieces.add(text)
        self._text_size += len(text)
        self.keep(text)
        if not self.has_content:
            self.begin(False)
        if logprobs is None:
            out.append(CHUNK(self._id, self._name, [CHOICE(0, DELTA(text))], self.created))
            return 0
        if self._logprobs is None:
            self._logprobs = []
        self._logprobs += logprobs
        choice = CHOICE(0, DELTA(text), None, {"content": logprobs, "refusal": None})
        out.append(CHUNK(self._id, self._name, [choice], self.created))
        return 0

    cdef int _add(self, ItemPieces item, PartPieces part, str text, list out) except -1:
        """Add a piece that is no text of a message."""
        cdef bint begins = not part.has_pieces
        if not text:
            return 0
        part.pieces.add(text)
        self.keep(text)
        if begins:
            part.has_pieces = part.kind != INPUT or not text.isspace()
        if part.kind == INPUT:
            return self._add_input(item, text, out)
        self.begin(part.kind == REFUSAL)
        if part.kind == REFUSAL:
            return self._send(DELTA(refusal=text), None, out)
        if item.thought_kind == NO_INDEX:
            item.thought_kind = part.kind
        elif item.thought_kind != part.kind:
            return self.note("reasoning and a summary of it: the later is left out of the stream")
        if begins and item.has_thought:
            text = PARAGRAPH + text
        item.has_thought = True
        return self._send(DELTA(reasoning=text), None, out)

    cdef int _add_input(self, ItemPieces item, str text, list out) except -1:
        cdef object function = None
        cdef object custom = None
        if item.call == NO_INDEX:
            return 0    # a hosted tool's, or of a call that has no name yet
        if item.kind == "function_call":
            function = ChoiceDeltaToolCallFunction(None, text)
        else:
            custom = {"input": text}
        call = ChoiceDeltaToolCall(item.call, None, function, None, custom)
        return self._send(DELTA(tool_calls=[call]), None, out)

    cdef int _complete(self, ItemPieces item, int kind, Py_ssize_t at, str whole,
                       list out) except -1:
        """Send what the pieces of a part lack of the *whole* text."""
        cdef PartPieces part = item.part(kind, at)
        cdef str sent
        if part is None:
            if not whole and kind != TEXT:
                return 0
            part = self._new_part(item, kind, at)
        sent = part.pieces.whole()
        if sent == whole:
            return 0
        if not whole.startswith(sent):
            item.is_changed = True
            return self.note(f"output[{item.index}]: the pieces differ from the whole, kept")
        if kind == TEXT:
            return self._add_text(part, whole[len(sent):], None, out)
        return self._add(item, part, whole[len(sent):], out)

    cdef int _cite(self, ItemPieces item, Py_ssize_t at, list given, list out) except -1:
        """Send citations of a text."""
        cdef PartPieces part = item.part(TEXT, at)
        item.annotations += given
        found = annotations_of(given, self._text_size if part is None else part.start)
        return self._send(DELTA(annotations=found), None, out) if found else 0

    cdef int _cite_rest(self, ItemPieces item, given, Py_ssize_t at, list out) except -1:
        """Send the citations of a whole message that no event told."""
        cdef Py_ssize_t before = 0
        for part in given.content[:at]:
            before += len(part.annotations or ())
        rest = (given.content[at].annotations or [])[max(len(item.annotations) - before, 0):]
        return self._cite(item, at, rest, out) if rest else 0

    # The end.

    cdef int _terminate(self, event, list out) except -1:
        """Read the whole response that ends the stream; without it the stream is not whole."""
        body = bytes(event.response)
        name = type(event).__struct_config__.tag
        if body == b"null":
            return self.note(f"{name}: without the response, left out of the stream")
        notes = Notes()
        found = self._whole_response(body, notes)
        if found.status in (None, "in_progress", "queued") or type(event) is Failed:
            if found.status != "failed":
                notes.repair("status", f"{found.status!r} at the end, read as that of {name}")
            found.status = name.rpartition(".")[2]
        self.failure = failure_of(found)
        if self.failure is not None:
            return 0
        if found.status == "cancelled":
            raise MalformedResponseError("the response was cancelled", code="no_choice")
        self._begin(body, out)
        self._take_output(found.output, raw_items(body), out)
        found.output = []
        self._found = found
        self._usage = usage_of(found.usage, notes)
        self.note_all(notes)
        finish = finish_of(found, self._calls > 0, Notes())
        self._send(DELTA(), finish, out)
        if self.include_usage and self._usage is not None:
            out.append(CHUNK(self._id, self._name, [], self.created, usage=self._usage))
        return self.end(finish == "content_filter")

    cdef object _whole_response(self, bytes body, notes):
        """Return the `Reply` in a terminal event, which may lack its output."""
        try:
            return read_reply(body, notes)
        except MalformedResponseError as error:
            if error.code != "no_choice":
                raise
        data = parse(body, notes)
        if not isinstance(data, dict):
            raise MalformedResponseError("the stream ends without a response", code="no_choice")
        notes.append("output: missing at the end")
        return read_reply(msgspec.json.encode({**data, "output": []}), notes)

    cdef int _take_output(self, list given, list raws, list out) except -1:
        """Take the items of the whole response: the nth of a type is the nth that was streamed."""
        cdef ItemPieces item
        cdef dict streamed = {}
        for item in self._items:
            streamed.setdefault(item.kind, []).append(item)
        if len(raws) != len(given):
            raws = [b""] * len(given)
        for whole, raw in zip(given, raws):
            same = streamed.get(whole.type)
            item = same.pop(0) if same else None
            if item is None:
                item = self._new_item(whole, NO_INDEX, out)
            if item.raw != raw:
                self._take_whole(item, whole, raw, out)
        for kind, left in streamed.items():
            if left:
                self.note(f"the whole response lacks {len(left)} streamed items: {kind}")
        return 0

    cdef int end_of_bytes(self, list out) except -1:
        return 0    # only a terminal event proves that a response is whole

    cdef tuple assemble(self):
        cdef ItemPieces item
        cdef list items = sorted(self._items, key=index_of)
        cdef bint is_same = self.is_over
        notes = self.notes_so_far()
        found = self._found
        if found is None:
            found = Reply([], self._id, self._name, self.created, "completed")
        found = msgspec.structs.replace(found, output=[whole_of(item) for item in items])
        for item in items:
            is_same = is_same and item.raw is not None and not item.is_changed
        raws = []
        if is_same and needs_native(found.output):
            raws = [item.raw for item in items]
        thoughts = [item.thought() for item in items if item.kind == "reasoning"]
        reply = reply_of(
            found, notes, self.provider, self.model, self.created, b"", raws, thoughts
        )
        choice = reply.choices[0]
        if self._found is None:
            choice.finish_reason = None
        if self._logprobs is not None:
            choice.logprobs = {"content": self._logprobs, "refusal": None}
        return reply, notes


def index_of(ItemPieces item not None):
    """Return the server's index of an item."""
    return item.index


cdef object whole_of(ItemPieces item):
    """Return the item as it was sent."""
    cdef PartPieces part
    if item.kind in CALLS and item.call != NO_INDEX:
        part = item.part(INPUT, 0)
        text = "" if part is None else part.pieces.whole()
        return msgspec.structs.replace(
            item.item, call_id=item.call_id, name=item.name, arguments=text, input=text
        )
    if item.kind != "message" or (item.raw is not None and not item.is_changed):
        return item.item
    parts = []
    annotations = item.annotations    # with the first text: their places are kept
    for part in item.parts:
        if part.kind == TEXT:
            parts.append(ContentPart("output_text", part.pieces.whole(), None, annotations))
            annotations = None
        elif part.kind == REFUSAL:
            parts.append(ContentPart("refusal", None, part.pieces.whole()))
    return msgspec.structs.replace(item.item, content=parts)
