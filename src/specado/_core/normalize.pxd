cdef Py_ssize_t data_start(str uri) except -1
cdef bint is_base64(str text, Py_ssize_t start) except -1
