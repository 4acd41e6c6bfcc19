"""Common parts of the reply encoders: losses, the text of content parts, the end of a call."""

cimport cython
from cpython.unicode cimport PyUnicode_DATA, PyUnicode_GET_LENGTH, PyUnicode_KIND, PyUnicode_READ

from specado._core.loss_rows import REPLY_CONTENT_PART


@cython.final
cdef class Losses:
    """Collects the losses of one reply; with `seen`, for a stream, each loss is added once."""

    def __cinit__(self):
        self.reported = []

    cdef int add(self, str row, str path, before, after) except -1:
        if self.seen is not None:
            if (row, path) in self.seen:
                return 0
            self.seen.add((row, path))
        self.reported.append((row, path, before, after))
        return 0

    cdef int drop(self, str row, str path, value) except -1:
        """Report a value that is left out, unless there is none."""
        if value is not None:
            self.add(row, path, value, None)
        return 0


@cython.final
cdef class JsonProgress:
    """Follows the JSON text of a call's input, which comes in pieces.

    `is_whole` once its object has ended. One per call; not for two threads at once.
    """

    cdef int add(self, str text) except -1:
        cdef Py_ssize_t at
        cdef Py_UCS4 c
        cdef int kind = PyUnicode_KIND(text)
        cdef void* data = PyUnicode_DATA(text)
        for at in range(PyUnicode_GET_LENGTH(text)):
            c = PyUnicode_READ(kind, data, at)
            if self.in_string:
                if self.is_escaped:
                    self.is_escaped = False
                elif c == 0x5C:
                    self.is_escaped = True
                elif c == 0x22:
                    self.in_string = False
            elif c == 0x22:
                self.in_string = True
            elif c == 0x7B or c == 0x5B:
                self.depth += 1
            elif c == 0x7D or c == 0x5D:
                self.depth -= 1
                if self.depth == 0:
                    self.is_whole = True
        return 0


cdef str text_of_parts(list parts, str path, Losses losses):
    """Return the text of content parts; parts of another type are reported."""
    texts = []
    for place, part in enumerate(parts):
        text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
        if isinstance(text, str):
            texts.append(text)
        else:
            losses.add(REPLY_CONTENT_PART, f"{path}[{place}]", part, None)
    return "".join(texts)
