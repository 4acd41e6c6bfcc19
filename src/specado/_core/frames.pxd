cdef class FrameReader:
    cdef str event

    cdef int load(self, bytes data) except -1
    cdef bytes next(self)
    cdef bint has_rest(self) except -1
    cdef bytes last(self)

cdef class FrameDecoder(FrameReader):
    cdef bytes _input
    cdef Py_ssize_t _at, _next_lf, _next_cr
    cdef char* _line
    cdef Py_ssize_t _line_size, _line_capacity
    cdef bytes _data
    cdef list _more
    cdef str _named
    cdef bytes _name_text
    cdef str _name
    cdef Py_ssize_t _frame_size, _max_frame_bytes
    cdef bint _skip_lf, _begun
    cdef object _broken

    cdef bytes _frame(self)
    cdef int _read_line(self, const char* text, Py_ssize_t size) except -1
    cdef int _name_event(self, const char* text, Py_ssize_t size) except -1
    cdef int _keep(self, const char* text, Py_ssize_t size) except -1
    cdef int _check_size(self, Py_ssize_t size) except -1

cdef FrameReader frame_reader(str name, Py_ssize_t max_frame_bytes)
