"""Frame decoders of streamed replies: split the bytes of a stream into server-sent events."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.string cimport memchr, memcmp, memcpy

from specado.errors import MalformedResponseError

cdef enum:
    LF = 10
    CR = 13
    COLON = 58
    SPACE = 32
    MIN_CAPACITY = 1024
    # A line buffer that grew past this is given back when its line is read.
    MAX_IDLE_CAPACITY = 65536


cdef class FrameReader:
    """Base of the frame decoders: splits a byte stream into frames (event name and data).

    A caller loads a piece of the stream, and takes frames by `next` until it returns None; at the
    end of the stream `last` returns the frame that the end completes. Each frame is a new bytes
    object. One reader per stream; not for two threads at once.
    """

    def feed(self, bytes data not None):
        """Return the frames that *data* completes, as `(event name or None, data)`.

        A frame larger than the limit is a `MalformedResponseError` with code `frame_too_large`,
        raised when the frames before it have been returned, and from then on.
        """
        found = []
        self.load(data)
        try:
            while (frame := self.next()) is not None:
                found.append((self.event, frame))
        except MalformedResponseError:
            if not found:
                raise
        return found

    def finish(self):
        """Return the frame at the end of the bytes that lacks its terminator, if there is one."""
        frame = self.last()
        return [] if frame is None else [(self.event, frame)]

    cdef int load(self, bytes data) except -1:
        """Take *data* in; all frames of the piece before it must have been taken."""
        raise NotImplementedError

    cdef bytes next(self):
        """Return the next frame's data, its name in `event`; None where the bytes end first."""
        raise NotImplementedError

    cdef bint has_rest(self) except -1:
        """Return whether the bytes so far end within a frame."""
        raise NotImplementedError

    cdef bytes last(self):
        """Return the data of the frame that the end of the bytes completes, None if none does."""
        raise NotImplementedError


@cython.final
cdef class FrameDecoder(FrameReader):
    """Server-sent events (SSE) parser (WHATWG HTML, 9.2.5 and 9.2.6, 2026-11-22).

    Lines end in LF, CR or CRLF and nowhere else; every byte is read a fixed number of times,
    however the stream is cut. Owns a buffer of the unfinished line, and the data of the frame so
    far. A frame's size is that of its `data` and `event` lines and the line being read.
    One decoder per stream; not for two threads at once.
    """

    def __cinit__(self, Py_ssize_t max_frame_bytes):
        self._max_frame_bytes = max_frame_bytes
        self._input = b""

    def __dealloc__(self):
        PyMem_Free(self._line)

    cdef int load(self, bytes data) except -1:
        if self._broken is not None:
            raise self._broken
        self._input = data
        self._at = 0
        self._next_lf = self._next_cr = -1
        return 0

    cdef bytes next(self):
        cdef const char* text = PyBytes_AS_STRING(self._input)
        cdef Py_ssize_t size = PyBytes_GET_SIZE(self._input)
        cdef Py_ssize_t start, end
        cdef const char* found
        cdef bint was_kept, is_blank
        if self._broken is not None:
            raise self._broken
        while True:
            if self._skip_lf and self._at < size:
                self._skip_lf = False
                if text[self._at] == LF:
                    self._at += 1
            if self._at >= size:
                return None
            start = self._at
            if self._next_lf < start:
                found = <const char*>memchr(text + start, LF, size - start)
                self._next_lf = size if found is NULL else found - text
            if self._next_cr < start:
                found = <const char*>memchr(text + start, CR, size - start)
                self._next_cr = size if found is NULL else found - text
            end = min(self._next_lf, self._next_cr)
            was_kept = self._line_size > 0
            if end == size or was_kept:
                self._keep(text + start, end - start)
            if end == size:
                self._at = size
                return None
            self._at = end + 1
            self._skip_lf = text[end] == CR
            if was_kept:
                is_blank = self._read_line(self._line, self._line_size)
                self._line_size = 0
                if self._line_capacity > MAX_IDLE_CAPACITY:
                    PyMem_Free(self._line)
                    self._line = NULL
                    self._line_capacity = 0
            else:
                is_blank = self._read_line(text + start, end - start)
            if is_blank and self._data is not None:
                return self._frame()

    cdef bint has_rest(self) except -1:
        return self._line_size > 0 or self._data is not None

    cdef bytes last(self):
        if self._broken is not None:
            raise self._broken
        if self._line_size:
            self._read_line(self._line, self._line_size)
            self._line_size = 0
        return None if self._data is None else self._frame()

    cdef bytes _frame(self):
        """Return the data read so far and begin the next frame."""
        cdef bytes data = self._data
        if self._more is not None:
            data = b"\n".join([data, *self._more])
            self._more = None
        self._data = None
        self.event = self._named
        self._named = None
        self._frame_size = 0
        return data

    cdef int _read_line(self, const char* text, Py_ssize_t size) except -1:
        """Read one whole line into the frame; return whether it is blank."""
        cdef Py_ssize_t value
        if not self._begun:
            self._begun = True
            if size >= 3 and memcmp(text, b"\xef\xbb\xbf", 3) == 0:
                text += 3
                size -= 3
        if size == 0:
            if self._data is None:
                self._named = None
                self._frame_size = 0
            return True
        self._check_size(size)
        if size >= 4 and memcmp(text, b"data", 4) == 0 and (size == 4 or text[4] == COLON):
            value = 4 if size == 4 else 6 if size > 5 and text[5] == SPACE else 5
            self._frame_size += size
            data = PyBytes_FromStringAndSize(text + value, size - value)
            if self._data is None:
                self._data = data
            elif self._more is None:
                self._more = [data]
            else:
                self._more.append(data)
        elif size >= 5 and memcmp(text, b"event", 5) == 0 and (size == 5 or text[5] == COLON):
            value = 5 if size == 5 else 7 if size > 6 and text[6] == SPACE else 6
            self._frame_size += size
            self._name_event(text + value, size - value)
        return False

    cdef int _name_event(self, const char* text, Py_ssize_t size) except -1:
        """Set the frame's event name; the last name is cached as text, since names repeat."""
        if size == 0:
            self._named = None
            return 0
        if (
            self._name_text is None
            or PyBytes_GET_SIZE(self._name_text) != size
            or memcmp(PyBytes_AS_STRING(self._name_text), text, size) != 0
        ):
            self._name_text = PyBytes_FromStringAndSize(text, size)
            self._name = self._name_text.decode("utf-8", "replace")
        self._named = self._name
        return 0

    cdef int _keep(self, const char* text, Py_ssize_t size) except -1:
        """Add to the line whose end has not come yet."""
        cdef Py_ssize_t wanted = self._line_size + size
        cdef Py_ssize_t capacity
        cdef char* grown
        self._check_size(wanted)
        if wanted > self._line_capacity:
            capacity = max(MIN_CAPACITY, 2 * self._line_capacity, wanted)
            grown = <char*>PyMem_Realloc(self._line, capacity)
            if grown is NULL:
                raise MemoryError()
            self._line = grown
            self._line_capacity = capacity
        memcpy(self._line + self._line_size, text, size)
        self._line_size = wanted
        return 0

    cdef int _check_size(self, Py_ssize_t size) except -1:
        if self._frame_size + size > self._max_frame_bytes:
            self._broken = MalformedResponseError(
                f"an event of the stream is larger than max_frame_bytes, {self._max_frame_bytes}",
                code="frame_too_large",
            )
            raise self._broken
        return 0


cdef FrameReader frame_reader(str name, Py_ssize_t max_frame_bytes):
    """Return a new reader for the framing called *name*: "sse"."""
    if name == "sse":
        return FrameDecoder(max_frame_bytes)
    raise ValueError(f"{name!r} is not a framing; known: sse")
