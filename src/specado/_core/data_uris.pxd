cdef Py_ssize_t data_start(str uri) except -1
cdef str media_type(str uri)
cdef str in_lower_case(str uri)
cdef bint is_base64(str text, Py_ssize_t start) except -1
