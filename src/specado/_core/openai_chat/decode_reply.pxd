cdef bint has_reasoning_content(bytes text)
cdef bint has_error(bytes text)
