from specado._core.conversation cimport Turn
from specado._core.encoder cimport Encoder

cdef class RequestDecisions:
    cdef Py_ssize_t leading      # the number of system messages at the start
    cdef Py_ssize_t end          # from this message on all are left out
    cdef Py_ssize_t prefill      # the assistant message that ends the conversation, -1 without one
    cdef list turns              # the messages between `leading` and `end`
    cdef bint keeps_system       # whether a later system message keeps its role
    cdef object max_tokens
    cdef bint thinks             # whether the target thinks
    cdef str effort              # the reasoning effort to ask for, None for none
    cdef str instruction         # a text that response_format adds to the system text
    cdef object answer_schema    # the schema that the target enforces, None without one

    cdef int divide(self, Encoder encoder) except -1
    cdef int decide(self, Encoder encoder) except -1
    cdef int written_role(self, Turn turn) except -1
    cdef bint is_blank(self, Encoder encoder, Turn turn) except -1
    cdef bint may_force_tool(self, Encoder encoder) except -1
    cdef int _decide_max_tokens(self, Encoder encoder) except -1
    cdef int _decide_thinking(self, Encoder encoder) except -1
    cdef bint _may_begin_thinking(self, Encoder encoder) except -1
    cdef int _decide_response_format(self, Encoder encoder) except -1
    cdef bint _decide_answer_schema(self, Encoder encoder) except -1

cdef dict asked_format(Encoder encoder)
cdef object asked_schema(Encoder encoder)
