from specado._core.conversation cimport Call, Details, Turn
from specado._core.parts cimport PartReader

cdef class MessageReader(PartReader):
    cdef set open_calls     # ids that the last assistant turn with calls waits for

    cdef int read(self, object message) except -1
    cdef Turn begin(self, object role)
    cdef int finish(self, Turn turn, object content) except -1
    cdef int keep(self, Turn turn) except -1
    cdef bint speaks(self, Details more)
    cdef int check_answer(self, Turn turn) except -1
    cdef int read_struct(self, object message) except -1
    cdef int read_dict(self, dict message) except -1
    cdef object read_audio(self, object audio)
    cdef list read_reasoning(self, object blocks)
    cdef list read_calls(self, object calls)
    cdef Call read_call(self, object call, Py_ssize_t place)
    cdef int count_call(self, Call call) except -1
    cdef str call_text(self, object value, Py_ssize_t place, str field, bint optional)
