"""Base of the reply and stream decoders of all dialects: notes, limits, failures, end."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_GET_LENGTH, PyUnicode_KIND
from libc.math cimport isfinite
from libc.string cimport memcmp

from specado._core.frames cimport frame_reader
from specado._core.limits cimport MAX_DEPTH

import json

import msgspec

from specado._core.json_writer import NotJson, dumps
from specado.errors import MalformedResponseError

# The exceptions of msgspec for a body that is not JSON, not UTF-8, or nested too deep.
UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)

# From the most certain to the least.
cdef tuple CERTAINTIES = ("exact", "at_least", "unknown")

cdef frozenset NOTHING = frozenset()

cdef enum:
    MAX_NOTES = 100
    PIECES_JOINED_AT_ONCE = 1024

cdef object _decode = msgspec.json.Decoder().decode


class ReportedFailure(Exception):
    """The error that a reply of a successful status reports; `body` is that of an error reply."""

    def __init__(self, body):
        super().__init__("the reply reports an error")
        self.body = body


cdef class Notes(list):
    """Texts on repairs of a reply and members left out of it, and facts for code that decides.

    `repaired` has the paths of the fields that were not as documented. `usage_certainty` tells how
    much of the provider's bill the counted tokens are: "exact", "at_least" where it has more
    than tokens, "unknown" where a count was repaired. `other_usage` has the members of the
    provider's usage that are not read. Owned by one reply.
    """

    cdef set _repaired       # `None` without any, as a rule
    cdef readonly str usage_certainty
    cdef public dict other_usage

    def __cinit__(self):
        self.usage_certainty = "exact"
        self.other_usage = {}

    @property
    def repaired(self):
        return NOTHING if self._repaired is None else self._repaired

    def repair(self, str path not None, str text not None):
        """Note a repair of the field at *path*."""
        if self._repaired is None:
            self._repaired = set()
        self._repaired.add(path)
        self.append(f"{path}: {text}")

    def bill(self, str certainty not None):
        """Note how much of the bill the tokens are; the least certain counts."""
        if CERTAINTIES.index(certainty) > CERTAINTIES.index(self.usage_certainty):
            self.usage_certainty = certainty

    def add_facts(self, repaired not None, str usage_certainty not None):
        """Add the repairs and the certainty of earlier notes."""
        if repaired:
            self._repaired = {*self.repaired, *repaired}
        self.bill(usage_certainty)


def parse(bytes body not None, notes):
    """Return *body* as plain objects; a body that is not JSON is a `MalformedResponseError`.

    A body that only Python's own decoder reads (a number out of range, NaN, a lone surrogate)
    is repaired, with a note.
    """
    try:
        return _decode(body)
    except UNREADABLE:
        pass
    try:
        found = _as_json(json.loads(body.decode(), parse_constant=_null), 0)
    except (ValueError, RecursionError):
        raise MalformedResponseError("the reply is not JSON", code="not_json") from None
    notes.append("not quite JSON: numbers out of range are null, lone surrogates U+FFFD")
    return found


def _null(_text):
    return None


cdef object _as_json(object value, int depth):
    """Return a decoded value as JSON could have held it."""
    if depth > MAX_DEPTH:
        raise ValueError("nested too deep")
    if type(value) is str:
        return (<str>value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if type(value) is float:
        return value if isfinite(<double>value) else None
    if type(value) is list:
        return [_as_json(item, depth + 1) for item in <list>value]
    if type(value) is dict:
        return {
            _as_json(name, depth + 1): _as_json(item, depth + 1)
            for name, item in (<dict>value).items()
        }
    return value


cdef bint has_error(bytes text):
    """Return whether `"error"` is in the text, as a name or a whole string.

    A search of Horspool's (1980), which every reply and chunk pays for.
    """
    cdef const char* begin = PyBytes_AS_STRING(text)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(text)
    cdef Py_ssize_t last = 6  # where the searched text may end
    cdef char found
    while last < size:
        found = begin[last]
        if found == b'"':
            if memcmp(begin + last - 6, b'"error"', 7) == 0:
                return True
            last += 6
        elif found == b"r":
            last += 1
        elif found == b"o":
            last += 2
        elif found == b"e":
            last += 5
        else:
            last += 7
    return False


def check_for_error(bytes body not None, error_in not None):
    """Raise the `ReportedFailure` that a reply's *body* holds, if it holds one.

    *error_in* returns the error in a reply of a dialect, or in an event of its streams, else None.
    """
    try:
        data = parse(body, [])
    except MalformedResponseError:
        return
    error = error_in(data) if isinstance(data, dict) else None
    if error is not None:
        raise ReportedFailure(failure_of(error, data, body))


cdef bytes failure_of(error, dict data, bytes body):
    """Return the body of an error reply for an *error* in *data*: *body* where it has that form."""
    if data.get("error") is error and not isinstance(data.get("message"), dict):
        return body     # else the answer's message would be read as that of the error
    try:
        return dumps({"error": error})
    except NotJson:
        return body


cdef class Pieces:
    """Buffer of text that arrives in pieces; joins them at times, to bound the memory overhead.

    Not for two threads at once.
    """

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
    """Stream decoder: bytes to chunks, and to the reply that the chunks add up to.

    *model* and *created* are the defaults of a stream that names none. With *emulated* the input
    of the forced tool that emulates structured output is content. *stop_means_calls*: `stop` beside
    tool calls is read as `tool_calls`. *stream_end* is what proves that the stream is whole, as
    `MakeStreamDecoder` says, and *reply_id* the id of a reply that names none. *framing* cuts the bytes into events. One decoder per stream; not for
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
        bint stop_means_calls=False,
        str stream_end="",
        str reply_id not None="",
        str framing="sse",
        Py_ssize_t max_frame_bytes,
        Py_ssize_t max_reply_bytes,
    ):
        self.frames = frame_reader(framing, max_frame_bytes)
        self.provider = provider
        self.model = model
        self.created = created
        self.emulated = emulated
        self.include_usage = include_usage
        self.stop_means_calls = stop_means_calls
        self.stream_end = stream_end
        self.reply_id = reply_id
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

    def finish(self, *, bint is_clean=True):
        """Return the chunks that the end of the bytes completes.

        An event that it cuts off in the middle is left out: such a stream is not over. Neither is
        one that needs no terminal event, unless its end *is_clean*: marked, and not only a closed
        connection.
        """
        cdef list out = []
        cdef bytes frame
        cdef bint is_cut
        if self._broken is not None:
            raise self._broken
        if self.is_over or self.failure is not None:
            return out
        try:
            is_cut = self.frames.has_rest()
            frame = self.frames.last()
            if frame:
                is_cut = False
                try:
                    self.take(frame, out)
                except MalformedResponseError as error:
                    if error.code != "not_json":
                        raise
                    is_cut = True
            if is_clean and not is_cut and not self.is_over and self.failure is None:
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
        """Count the size of text in the reply, to enforce `max_reply_bytes`."""
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
        """Add a note, unless it is there already."""
        if len(self._notes) < MAX_NOTES:
            self._notes[text] = None
        return 0

    cdef int note_all(self, object notes) except -1:
        """Take over the `Notes` on one event."""
        if notes.other_usage:
            self._facts.other_usage = notes.other_usage
        if notes:
            if len(self._notes) < MAX_NOTES:
                self._facts.add_facts(notes.repaired, "exact")
            self._facts.bill(notes.usage_certainty)
            for text in notes:
                self.note(text)
        return 0

    cdef object notes_so_far(self):
        """Return new `Notes` with those so far."""
        notes = Notes(self._notes)
        notes.add_facts(self._facts.repaired, self._facts.usage_certainty)
        notes.other_usage = self._facts.other_usage
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

    cdef bint take_error(self, bytes frame, error_in) except -1:
        """Take the error that an event reports beside its content; return whether it does."""
        try:
            data = self.read_object(frame)
        except MalformedResponseError:
            return False
        error = None if data is None else error_in(data)
        if error is None:
            return False
        self.failure = failure_of(error, data, frame)
        return True

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
