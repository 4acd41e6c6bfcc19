from specado._core.frames cimport FrameReader

cdef bint has_error(bytes text)

cdef class Pieces:
    cdef list _recent
    cdef list _joined
    cdef int add(self, str text) except -1
    cdef str whole(self)

cdef class ReplyStream:
    cdef FrameReader frames
    cdef readonly bint is_over
    cdef readonly bint has_content
    cdef readonly bint is_refusal
    cdef readonly bytes failure
    cdef str provider, model
    cdef object created
    cdef bint emulated, include_usage, stop_means_calls
    cdef str stream_end
    cdef str reply_id        # the id in a header, for a dialect whose replies have none
    cdef Py_ssize_t _kept_bytes, _max_reply_bytes
    cdef dict _notes
    cdef object _facts       # `Notes` without texts: the repairs and the certainty so far
    cdef object _broken

    cdef int take(self, bytes frame, list out) except -1
    cdef int end_of_bytes(self, list out) except -1
    cdef tuple assemble(self)
    cdef int begin(self, bint refusal) except -1
    cdef int end(self, bint refusal) except -1
    cdef int keep(self, str text) except -1
    cdef int keep_bytes(self, Py_ssize_t size) except -1
    cdef int note(self, str text) except -1
    cdef int note_all(self, object notes) except -1
    cdef object notes_so_far(self)
    cdef int fail(self, bytes frame) except -1
    cdef bint take_error(self, bytes frame, error_in) except -1
    cdef dict read_object(self, bytes frame)
