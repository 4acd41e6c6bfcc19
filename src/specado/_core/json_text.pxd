cdef class JsonWriter:
    cdef char* data
    cdef Py_ssize_t size
    cdef Py_ssize_t capacity

    cdef int reserve(self, Py_ssize_t more) except -1
    cdef int raw(self, const char* text, Py_ssize_t length) except -1
    cdef int byte(self, char value) except -1
    cdef int string(self, str value) except -1
    cdef int value(self, object value, int depth) except -1
    cdef bytes finish(self)
