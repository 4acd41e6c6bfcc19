from specado._core.encoder cimport Encoder

cdef class CacheMarks:
    cdef list marks    # of CacheMark, in the order of the body

    cdef int add(self, Py_ssize_t start, Py_ssize_t end, str path, object value,
                 bint of_tool) except -1
    cdef int limit(self, Encoder encoder) except -1
    cdef int _shorten(self, Encoder encoder, list marks) except -1
