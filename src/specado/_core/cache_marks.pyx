"""Limits of the cache breakpoints in a body for Claude, applied once the body is written.

Their number and their order in the prompt are known only then.
"""

cimport cython
from libc.string cimport memcpy, memmove

from specado._core.encoder cimport Encoder

from specado._core.loss_rows import CACHE_CONTROL_MOST, CACHE_CONTROL_ORDER

# "A maximum of 4 blocks with cache_control may be provided" (2026-11-22).
cdef int MOST = 4
cdef bytes HOUR = b'"ttl":"1h"'


@cython.final
cdef class CacheMark:
    """A written `cache_control`; it is data[start:end] of the writer."""

    cdef Py_ssize_t start
    cdef Py_ssize_t end
    cdef str path
    cdef object value
    cdef bint of_tool    # whether a tool has it, not a message


@cython.final
cdef class CacheMarks:
    """The `cache_control`s of one body. Belongs to one encoder; not for two threads at once."""

    def __cinit__(self):
        self.marks = []

    cdef int add(self, Py_ssize_t start, Py_ssize_t end, str path, object value,
                 bint of_tool) except -1:
        """Remember a member that was written at data[start:end], with the comma before it."""
        cdef CacheMark mark = CacheMark.__new__(CacheMark)
        mark.start = start
        mark.end = end
        mark.path = path
        mark.value = value
        mark.of_tool = of_tool
        self.marks.append(mark)
        return 0

    cdef int limit(self, Encoder encoder) except -1:
        """Remove the first of too many marks from the body, in the order of the prompt."""
        cdef list marks
        cdef list removed
        cdef CacheMark mark
        if len(self.marks) < 2:
            return 0
        # Tools come first in the prompt, and last in the body.
        marks = [mark for mark in self.marks if mark.of_tool] + [
            mark for mark in self.marks if not mark.of_tool
        ]
        self._shorten(encoder, marks[-MOST:])
        removed = marks[:-MOST]
        for mark in sorted(removed, key=start_of, reverse=True):
            memmove(encoder.out.data + mark.start, encoder.out.data + mark.end,
                    encoder.out.size - mark.end)
            encoder.out.size -= mark.end - mark.start
        for mark in removed:
            encoder.lose(CACHE_CONTROL_MOST, mark.path, mark.value)
        return 0

    cdef int _shorten(self, Encoder encoder, list marks) except -1:
        """Shorten to five minutes each hour of caching that follows a shorter one.

        "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block", in the
        order tools, system, messages (error bodies that users report, 2026-11-22).
        """
        cdef bint has_short = False
        cdef CacheMark mark
        cdef Py_ssize_t at
        for mark in marks:
            if mark.value.get("ttl") != "1h":
                has_short = True
            elif has_short:
                at = mark.start + encoder.out.data[mark.start:mark.end].index(HOUR)
                memcpy(encoder.out.data + at + len(HOUR) - 3, b"5m", 2)
                encoder.lose(CACHE_CONTROL_ORDER, f"{mark.path}.ttl", "1h", "5m")
        return 0


def start_of(CacheMark mark not None):
    """Return where a mark begins in the body."""
    return mark.start
