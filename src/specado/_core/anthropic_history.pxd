from specado._core.conversation cimport Call, Conversation, Details, Part, Turn

cdef class AnthropicHistory:
    cdef Conversation found
    cdef list losses         # (row id, path, before, after)
    cdef str model
    cdef set open_calls

    cdef object wrong(self, str path, str what)
    cdef int lose(self, str row, str path, object before=*, object after=*) except -1
    cdef str text_of(self, object value, str path)
    cdef dict dict_of(self, object value, str path)
    cdef object frozen(self, object value, str path)
    cdef str json_of(self, object value, str path)
    cdef int add(self, int role, str name, str text, list parts, Details more, str path) except -1
    cdef int read_system(self, object system) except -1
    cdef str counted(self, str text)
    cdef Part text_part(self, dict block, str path)
    cdef int check_keys(self, dict block, frozenset known, str path) except -1
    cdef int read_message(self, object message, Py_ssize_t index) except -1
    cdef int read_later_system(self, object blocks, str path) except -1
    cdef int read_user(self, object blocks, str path) except -1
    cdef Part user_part(self, dict block, object kind, str path)
    cdef int media_keys(self, dict block, tuple known, str path) except -1
    cdef str data_of(self, dict source, str path)
    cdef Part image_part(self, dict block, str path)
    cdef Part document_part(self, dict block, str path)
    cdef str texts_of(self, object content, str path)
    cdef int read_result(self, dict block, str path, list moved) except -1
    cdef int read_assistant(self, object blocks, str path) except -1
    cdef object reasoning_of(self, dict block, str kind, str path)
    cdef int add_assistant(self, list parts, list calls, list reasoning, list origins, str path) except -1
    cdef list parts_of(self, Turn turn)
    cdef Call call_of(self, dict block, str path)
