from cpython.ref cimport PyObject

cdef class JsonWriter:
    cdef PyObject* body      # a bytes object, not yet seen by anybody else
    cdef char* data
    cdef Py_ssize_t size
    cdef Py_ssize_t capacity

    cdef int reserve(self, Py_ssize_t more) except -1
    cdef int _resize(self, Py_ssize_t size) except -1
    cdef int raw(self, const char* text, Py_ssize_t length) except -1
    cdef int literal(self, bytes text) except -1
    cdef int byte(self, char value) except -1
    cdef int string(self, str value) except -1
    cdef int plain_tail(self, str value, Py_ssize_t start) except -1
    cdef int integer(self, long long value) except -1
    cdef int value(self, object value, int depth) except -1
    cdef int key(self, bytes name) except -1
    cdef int item(self) except -1
    cdef bint just_opened(self) noexcept
    cdef int _quoted(self, const char* text, Py_ssize_t length) except -1
    cdef int _escape(self, unsigned char c) except -1
    cdef int _integer_of_any_size(self, object value) except -1
    cdef int _float(self, double value) except -1
    cdef int _member_name(self, object name) except -1
    cdef bytes finish(self)

cdef class WrittenDict(dict):
    cdef bytes text

cdef dict plain_copy(dict given)
cdef WrittenDict written(dict value)
cdef object freeze(object value, int depth)
cdef object bare_text(str value)
cdef str exact(object value)
cdef bint is_a(object value, object kind)
