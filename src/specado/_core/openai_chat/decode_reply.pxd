cdef enum:
    REASONING_CONTENT = 1
    EXTRA_CONTENT = 2

cdef int members_in(bytes text) noexcept
