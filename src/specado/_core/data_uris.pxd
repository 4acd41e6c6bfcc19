from specado._core.conversation cimport Part

cdef int keep_uri(Part part, str uri) except -1
cdef bint is_base64(str text, Py_ssize_t start) except -1
