cdef bint has_reasoning_content(bytes text)
cdef bint has_error(bytes text)
cdef bint has_extra_content(bytes text)
