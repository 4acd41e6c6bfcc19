cdef class Losses:
    cdef list reported
    cdef set seen
    cdef int add(self, str row, str path, before, after) except -1
    cdef int drop(self, str row, str path, value) except -1

cdef class JsonProgress:
    cdef Py_ssize_t depth
    cdef bint in_string, is_escaped, is_whole
    cdef int add(self, str text) except -1

cdef str text_of_parts(list parts, str path, Losses losses)
