from specado._core.frames cimport FrameReader

cdef class EventStreamReader(FrameReader):
    cdef readonly str kind        # the message type: event, exception or error; None in front of one
    cdef readonly str error_message   # of an error
    cdef bytearray _bytes
    cdef Py_ssize_t _at, _max_frame_bytes
    cdef Py_ssize_t _checked      # where the frame begins whose sizes were checked, -1 without one
    cdef object _broken

    cdef Py_ssize_t _frame_size(self) except -1
    cdef bytes _frame(self, const unsigned char* text, Py_ssize_t size)
    cdef int _read_headers(self, const unsigned char* text, Py_ssize_t size) except -1
    cdef object _damaged(self, str problem)

cdef bytes event_frame(list headers, bytes payload)
