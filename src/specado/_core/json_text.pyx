"""JSON text: the growable buffer every encoder writes into."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy


cdef class JsonWriter:
    """A growable buffer. Owns its memory; one writer per body, not for two threads at once."""

    def __dealloc__(self):
        free(self.data)

    cdef int reserve(self, Py_ssize_t more) except -1:
        return 0

    cdef int raw(self, const char* text, Py_ssize_t length) except -1:
        return 0

    cdef int byte(self, char value) except -1:
        return 0

    cdef int string(self, str value) except -1:
        return 0

    cdef int value(self, object value, int depth) except -1:
        return 0

    cdef bytes finish(self):
        return PyBytes_FromStringAndSize(self.data, self.size)
