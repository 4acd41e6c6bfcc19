"""Canonical form of a conversation, from which every dialect's encoder writes.

Its parts hold only text and frozen copies, so that they form no reference cycles: they are not
tracked by the garbage collector, which thousands of them would trigger.
"""

cimport cython


@cython.final
@cython.no_gc
@cython.freelist(256)
cdef class Part:
    """One content part. Immutable once read."""


@cython.final
@cython.no_gc
@cython.freelist(256)
cdef class Call:
    """One tool call of an assistant turn. Immutable once read."""


@cython.final
@cython.no_gc
@cython.freelist(256)
cdef class Details:
    """Members of a message beyond role and content. Immutable once read."""


@cython.final
@cython.no_gc
@cython.freelist(1024)
cdef class Turn:
    """One message in canonical form. Immutable once read."""


@cython.final
cdef class Conversation:
    """Checked messages of one call, which owns all their text; threads may share it."""

    def __cinit__(self):
        self.turns = []
        self.changes = []

    def __len__(self):
        return len(self.turns)

    def origin(self, Py_ssize_t index, name, Py_ssize_t place):
        """Return the path of a turn, or of one of its parts, in the request that it was read from.

        *name* is `None` for the turn itself, else `content`, `tool_calls` or
        `reasoning_details`, and *place* the place there.
        """
        cdef Turn turn = self.turns[index]
        if name == "content" and turn.parts is not None:
            return (<Part?>turn.parts[place]).origin or turn.origin
        if name == "tool_calls" and turn.more is not None and turn.more.calls is not None:
            return (<Call?>turn.more.calls[place]).origin or turn.origin
        if name == "reasoning_details" and turn.more is not None and turn.more.origins is not None:
            return turn.more.origins[place]
        return turn.origin
