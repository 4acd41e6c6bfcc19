from specado._core.anthropic_content cimport AnthropicContent
from specado._core.conversation cimport Details, Turn

cdef class AnthropicHistory(AnthropicContent):
    cdef set open_calls      # the ids that a tool result may answer

    cdef int add(self, int role, str name, str text, list parts, Details more, str path) except -1
    cdef int read_system(self, object system) except -1
    cdef int read_message(self, object message, Py_ssize_t index) except -1
    cdef int read_later_system(self, object blocks, str path) except -1
    cdef int read_user(self, object blocks, str path) except -1
    cdef int read_result(self, dict block, str path, list moved) except -1
    cdef int read_assistant(self, object blocks, str path) except -1
    cdef int add_assistant(self, list parts, list calls, list reasoning, list origins, str path) except -1
    cdef list parts_of(self, Turn turn)
