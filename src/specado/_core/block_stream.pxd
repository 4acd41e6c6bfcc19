from specado._core.json_writer cimport JsonWriter
from specado._core.replies cimport Pieces
from specado._core.reply_encoder cimport JsonProgress, Losses

cdef enum BlockKind:
    TEXT = 1
    THINKING = 2
    CALL = 3

cdef class OpenBlock:
    cdef int kind
    cdef str id, name, path
    cdef Pieces text
    cdef list thoughts
    cdef bint is_custom, is_started, is_closed, has_input
    cdef JsonProgress progress   # of the input of a call

cdef class BlockStreamEncoder:
    cdef JsonWriter _out
    cdef Losses _losses
    cdef OpenBlock _open
    cdef object _waiting         # a deque of OpenBlock
    cdef dict _calls             # index of a call to its OpenBlock
    cdef Py_ssize_t _index       # of the next block
    cdef bint _is_started, _has_refusal, _adds_details
    cdef object _choice, _model, _usage, _reason, _tier
    cdef Pieces _thought         # the text of the open thinking block
    cdef Py_ssize_t _thought_length

    cdef int _start(self, chunk) except -1

    # What a dialect writes.
    cdef int start_stream(self, chunk) except -1
    cdef int end_stream(self) except -1
    cdef int take_tier(self, tier) except -1
    cdef int start_text(self) except -1
    cdef int write_text(self, str text) except -1
    cdef int start_thinking(self) except -1
    cdef int write_thought(self, str text) except -1
    cdef int write_signature(self, str signature) except -1
    cdef bint write_redacted(self, str data) except -1
    cdef bint is_signed(self, block) except -1
    cdef int start_tool_use(self, str id, str name) except -1
    cdef int write_input(self, str text) except -1
    cdef int stop_block(self) except -1

    cdef int _take(self, choice) except -1
    cdef int _take_rest(self, delta) except -1
    cdef int _add_text(self, str text) except -1
    cdef int _open_text(self) except -1
    cdef int _add_thoughts(self, reasoning, details) except -1
    cdef int _write_thoughts(self, reasoning, details) except -1
    cdef int _add_detail(self, block, reasoning) except -1
    cdef bint _is_thinking(self)
    cdef int _write_thought(self, str text) except -1
    cdef int _open_thinking(self) except -1
    cdef int _add_piece(self, piece) except -1
    cdef int _add_name(self, OpenBlock call, str name) except -1
    cdef int _add_input(self, OpenBlock call, str text) except -1
    cdef int _write_input(self, OpenBlock call, str text) except -1
    cdef int _start_call(self, OpenBlock call) except -1
    cdef bint _must_wait(self) except -1
    cdef OpenBlock _last_waiting(self, int kind)
    cdef int _write_waiting(self, bint is_end) except -1
    cdef int _close(self) except -1

cdef bint is_object(bytes text)
cdef int note_origin(object block, object model, str path, Losses losses) except -1
cdef int drop_counts(object details, tuple counts, Losses losses) except -1
