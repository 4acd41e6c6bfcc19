cdef bint is_plain(str text)
cdef str renamed(str text, Py_ssize_t limit)
cdef bint is_name(str text, Py_ssize_t limit)
