"""The canonical form of a conversation: what is read once and every dialect writes from."""

cimport cython


@cython.final
@cython.freelist(64)
cdef class Part:
    """One content part. Immutable once read."""


@cython.final
@cython.freelist(16)
cdef class Call:
    """One tool call of an assistant turn. Immutable once read."""


@cython.final
@cython.freelist(16)
cdef class Details:
    """What a message has beyond role and content. Immutable once read."""


@cython.final
@cython.freelist(256)
cdef class Turn:
    """One message in canonical form. Immutable once read."""


@cython.final
cdef class Conversation:
    """The messages of one call, checked; threads may share it."""

    def __len__(self):
        return len(self.turns)

    def origin(self, Py_ssize_t index, str name, Py_ssize_t place):
        """Return where a turn stands in a request of another dialect.

        *name* and *place* ask for one of its content parts, calls or reasoning blocks.
        """
        cdef Turn turn = self.turns[index]
        cdef object found = None
        if name == "content":
            found = (<Part>turn.parts[place]).origin
        elif name == "tool_calls":
            found = (<Call>turn.more.calls[place]).origin
        elif name == "reasoning_details":
            found = turn.more.origins[place]
        return found or turn.origin
