from specado._core.conversation cimport Turn
from specado._core.encoder cimport Encoder

cdef class RequestDecisions:
    cdef Py_ssize_t leading      # the number of system messages at the start
    cdef Py_ssize_t end          # from this message on all are left out
    cdef Py_ssize_t prefill      # the assistant message that ends the conversation, -1 without one
    cdef list turns              # the messages between `leading` and `end`, as they are written
    cdef list places             # the places of `turns` in the conversation, None if in order
    cdef list demoted            # later system messages that become user text, None without one
    cdef bint is_assumed         # whether the facts are those of the newest family
    cdef int optional            # optional properties in strict schemas so far
    cdef int unions              # the same of unions
    cdef int strict_tools        # and of strict tools
    cdef bint keeps_system       # whether a later system message keeps its role
    cdef object max_tokens
    cdef bint thinks             # whether the target thinks
    cdef str effort              # the reasoning effort to ask for, None for none
    cdef str instruction         # a text that response_format adds to the system text
    cdef object answer_schema    # the schema that the target enforces, None without one

    cdef int divide(self, Encoder encoder) except -1
    cdef int decide(self, Encoder encoder) except -1
    cdef Py_ssize_t place_of(self, Py_ssize_t at)
    cdef bint has_room_for(self, object schema, bint of_tool) except -1
    cdef int _place_system_turns(self, Encoder encoder) except -1
    cdef int written_role(self, Turn turn) except -1
    cdef bint is_blank(self, Encoder encoder, Turn turn) except -1
    cdef bint may_force_tool(self, Encoder encoder) except -1
    cdef int _decide_max_tokens(self, Encoder encoder) except -1
    cdef int _decide_thinking(self, Encoder encoder) except -1
    cdef bint _may_begin_thinking(self, Encoder encoder) except -1
    cdef int _decide_response_format(self, Encoder encoder) except -1
    cdef bint _decide_answer_schema(self, Encoder encoder) except -1

cdef tuple system_places(list roles)
cdef dict asked_format(Encoder encoder)
cdef object asked_schema(Encoder encoder)
