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
