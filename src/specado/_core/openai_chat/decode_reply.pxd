cdef bint has_reasoning_content(bytes text)
