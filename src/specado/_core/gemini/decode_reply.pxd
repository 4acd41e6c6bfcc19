cdef object finish_of(str reason, bint has_call, str path, notes)
cdef object failure_of(str reason, str message)
cdef object blocked(object feedback)
cdef object usage_of(found, notes)
cdef object tier_of(found)
cdef Py_ssize_t created_of(found, created) except? -1
cdef object call_of(part, notes, str path)
cdef str kind_of(part)
