from specado._core.encoder cimport Encoder
from specado._core.normalize cimport Call, Part, Turn

cdef class AnthropicTurns(Encoder):
    cdef list turns          # the turns after the leading system ones
    cdef Py_ssize_t first    # how many system ones lead
    cdef Py_ssize_t last     # the assistant message that ends the conversation, -1 if none does
    cdef bint cached         # whether the last block has a cache_control
    cdef str instruction     # what response_format adds to the system text

    cdef int begin(self) except -1
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
    cdef str check_last(self, str text, str field)
    cdef int check_role(self, Turn turn, int side) except -1
    cdef int lose_names(self, Turn turn) except -1
    cdef int block(self, bint first, bytes start) except -1
    cdef bint write_content(self, Turn turn, bint first) except -1
    cdef bint write_text(self, str text, dict extra, str field, bint first) except -1
    cdef int lose_keys(self, dict extra, str row, str field) except -1
    cdef int block_extra(self, dict extra, str field) except -1
    cdef bint write_part(self, Part part, Py_ssize_t place, bint first) except -1
    cdef object bad(self, str field, str what)
    cdef tuple data_uri(self, str uri)
    cdef int write_image_source(self, str url, str field) except -1
    cdef int write_document_source(self, str data, str field) except -1
    cdef bint write_reasoning(self, list blocks, bint first) except -1
    cdef bint write_calls(self, list calls, bint first) except -1
    cdef int write_arguments(self, Call call) except -1
    cdef bint write_result(self, Turn turn, bint first) except -1
