from specado._core.anthropic_blocks cimport AnthropicBlocks
from specado._core.conversation cimport Turn

cdef class AnthropicTurns(AnthropicBlocks):
    cdef list turns          # the turns after the leading system ones
    cdef Py_ssize_t first    # how many system ones lead
    cdef Py_ssize_t end      # where the messages end that are sent
    cdef str instruction     # what response_format adds to the system text

    cdef int begin(self) except -1
    cdef int find_last(self) except -1
    cdef bint thinks_there(self, list reasoning)
    cdef int write_system(self) except -1
    cdef bint write_system_turn(self, Turn turn, bint first) except -1
    cdef int cache(self, Turn turn, Py_ssize_t mark) except -1
    cdef int side(self, Turn turn) except -1
    cdef int write_turns(self) except -1
    cdef bint is_blank(self, Turn turn)
    cdef bint write_group(self, list turns, Py_ssize_t start, Py_ssize_t end, Py_ssize_t offset,
           int side, bint first) except -1
    cdef int begin_turn(self, int side) except -1
    cdef bint is_simple(self, Turn turn)
    cdef bint write_simple(self, Turn turn, int side, Py_ssize_t index) except -1
    cdef int check_role(self, Turn turn, int side) except -1
    cdef int lose_names(self, Turn turn) except -1
    cdef bint write_content(self, Turn turn, bint first) except -1
    cdef bint write_result(self, Turn turn, bint first) except -1
