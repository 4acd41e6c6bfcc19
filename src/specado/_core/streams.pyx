"""Base class of the stream decoders of all dialects: limits, notes, failures, end."""

from cpython.unicode cimport PyUnicode_GET_LENGTH, PyUnicode_KIND

from specado._core.json_text import NotJson, dumps
from specado._core.replies import Notes, parse
from specado._core.sse cimport FrameDecoder
from specado.errors import MalformedResponseError

cdef enum:
    MAX_NOTES = 100
    PIECES_JOINED_AT_ONCE = 1024


cdef class Pieces:
    """Text that comes piece by piece; pieces are joined as they add up, to keep memory near it."""

    def __cinit__(self):
        self._recent = []

    cdef int add(self, str text) except -1:
        self._recent.append(text)
        if len(self._recent) == PIECES_JOINED_AT_ONCE:
            if self._joined is None:
                self._joined = []
            self._joined.append("".join(self._recent))
            self._recent = []
        return 0

    cdef str whole(self):
        """Return the text so far."""
        if self._joined is None:
            return "".join(self._recent)
        return "".join(self._joined) + "".join(self._recent)


cdef class ReplyStream:
    """The chunks in the bytes of a stream, and the reply that they add up to.

    *model* and *created* stand in where the stream names none. With *emulated* the input of the
    stand-in tool for structured output is content. With *finish_reason_ends* a stream whose
    choices all have a finish reason is whole without a terminal event. One per stream; not for
    two threads at once.
    """

    def __cinit__(
        self,
        str provider not None,
        str model not None,
        created,
        *,
        bint emulated=False,
        bint include_usage=False,
        bint finish_reason_ends=False,
        Py_ssize_t max_frame_bytes,
        Py_ssize_t max_reply_bytes,
    ):
        self.frames = FrameDecoder(max_frame_bytes)
        self.provider = provider
        self.model = model
        self.created = created
        self.emulated = emulated
        self.include_usage = include_usage
        self.finish_reason_ends = finish_reason_ends
        self._max_reply_bytes = max_reply_bytes
        self._notes = {}
        self._facts = Notes()

    def feed(self, bytes data not None):
        """Return the chunks that *data* completes; nothing after the end or a failure is read.

        What cannot be read is a `MalformedResponseError` (code `not_json`, `frame_too_large`,
        `too_large` or `no_choice`), raised when the chunks before it have been returned, and
        from then on.
        """
        cdef list out = []
        cdef bytes frame
        if self._broken is not None:
            raise self._broken
        if self.is_over or self.failure is not None:
            return out
        try:
            self.frames.load(data)
            while not self.is_over and self.failure is None:
                frame = self.frames.next()
                if frame is None:
                    break
                self.take(frame, out)
        except MalformedResponseError as error:
            self._broken = error
            if not out:
                raise
        return out

    def finish(self):
        """Return the chunks that the end of the bytes completes.

        An event that it cuts off in the middle is left out: such a stream is not over.
        """
        cdef list out = []
        cdef bytes frame
        if self._broken is not None:
            raise self._broken
        if self.is_over or self.failure is not None:
            return out
        try:
            frame = self.frames.last()
            if frame is not None:
                try:
                    self.take(frame, out)
                except MalformedResponseError as error:
                    if error.code != "not_json":
                        raise
            if not self.is_over and self.failure is None:
                self.end_of_bytes(out)
        except MalformedResponseError as error:
            self._broken = error
            if not out:
                raise
        return out

    def response(self):
        """Return the `ChatCompletionResponse` that the chunks so far add up to, and its notes."""
        reply, notes = self.assemble()
        return reply, [
            note.replace("left in response.raw", "left out of the stream")
            for note in dict.fromkeys([*self._notes, *notes])
        ]

    cdef int take(self, bytes frame, list out) except -1:
        """Read one event's data; the event's name is `frames.event`."""
        raise NotImplementedError

    cdef int end_of_bytes(self, list out) except -1:
        """End the stream if it needs no terminal event."""
        raise NotImplementedError

    cdef tuple assemble(self):
        """Return the reply so far and the notes that assembling it made."""
        raise NotImplementedError

    cdef int begin(self, bint refusal) except -1:
        """Note that content has come."""
        if not self.has_content:
            self.has_content = True
            self.is_refusal = refusal
        return 0

    cdef int end(self, bint refusal) except -1:
        """Note that the stream is whole, its answer *refusal* if nothing else came."""
        self.begin(refusal)
        self.is_over = True
        return 0

    cdef int keep(self, str text) except -1:
        """Count text that is kept for the reply."""
        return self.keep_bytes(PyUnicode_GET_LENGTH(text) * PyUnicode_KIND(text))

    cdef int keep_bytes(self, Py_ssize_t size) except -1:
        self._kept_bytes += size
        if self._kept_bytes > self._max_reply_bytes:
            raise MalformedResponseError(
                f"the streamed reply is larger than max_reply_bytes, {self._max_reply_bytes}",
                code="too_large",
            )
        return 0

    cdef int note(self, str text) except -1:
        """Note once what was mended or left out."""
        if len(self._notes) < MAX_NOTES:
            self._notes[text] = None
        return 0

    cdef int note_all(self, object notes) except -1:
        """Take over the `Notes` on one event."""
        if notes:
            if len(self._notes) < MAX_NOTES:
                self._facts.add_facts(notes.mended, "exact")
            self._facts.bill(notes.usage_certainty)
            for text in notes:
                self.note(text)
        return 0

    cdef object notes_so_far(self):
        """Return new `Notes` with those so far."""
        notes = Notes(self._notes)
        notes.add_facts(self._facts.mended, self._facts.usage_certainty)
        return notes

    cdef int fail(self, bytes frame) except -1:
        """Take an error event, in whatever form, as `failure`."""
        try:
            data = parse(frame, [])
        except MalformedResponseError:
            data = frame.decode("utf-8", "replace")
        if isinstance(data, dict) and data.get("error"):
            self.failure = frame
        else:
            try:
                self.failure = dumps({"error": data})
            except NotJson:
                self.failure = dumps({"error": frame.decode("utf-8", "replace")})
        return 0

    cdef dict read_object(self, bytes frame):
        """Return an event's data as plain objects, None for an empty one."""
        if not frame.strip():
            return None
        notes = Notes()
        try:
            data = parse(frame, notes)
        except MalformedResponseError:
            data = None
        if not isinstance(data, dict):
            raise MalformedResponseError(
                "an event of the stream is not a JSON object", code="not_json"
            )
        self.note_all(notes)
        return data
