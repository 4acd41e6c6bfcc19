from specado._core.streams cimport Pieces

cdef class CallPieces:
    cdef Py_ssize_t place
    cdef str id
    cdef str name           # None until it came
    cdef Pieces rest_of_name
    cdef Pieces arguments   # None until a piece came
    cdef bint is_custom

    cdef object whole(self, notes)

cdef class Thoughts:
    cdef str type
    cdef Pieces text        # None until a piece came
    cdef object signature
    cdef object data

cdef class ChoicePieces:
    cdef object index
    cdef str role
    cdef Pieces content     # this and the following two: None until a piece came
    cdef Pieces reasoning
    cdef Pieces refusal
    cdef object finish_reason
    cdef list calls         # of CallPieces, by place
    cdef dict call_at       # the server's index, and the id, to CallPieces
    cdef CallPieces stand_in
    cdef list thoughts
    cdef dict logprobs
    cdef list annotations
    cdef list sounds

    cdef bint add_thoughts(self, list blocks) except -1
    cdef int add_annotations(self, list annotations) except -1
    cdef int add_sound(self, dict sound) except -1
    cdef int add_logprobs(self, dict logprobs) except -1
    cdef object whole(self, notes)
