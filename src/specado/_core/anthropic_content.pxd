from specado._core.conversation cimport Call, Conversation, Part

cdef class AnthropicContent:
    cdef Conversation found
    cdef list losses         # (row id, path, before, after)
    cdef str model

    cdef object wrong(self, str path, str what)
    cdef str shown(self, object value, str path)
    cdef int lose(self, str row, str path, object before=*, object after=*) except -1
    cdef str text_of(self, object value, str path)
    cdef dict dict_of(self, object value, str path)
    cdef object written(self, object value, str path)
    cdef object frozen(self, object value, str path)
    cdef str json_of(self, object value, str path)
    cdef str counted(self, str text)
    cdef Part text_part(self, dict block, str path)
    cdef int check_keys(self, dict block, frozenset known, str path) except -1
    cdef Part user_part(self, dict block, object kind, str path)
    cdef Part said_part(self, dict block, object kind, str path, str place)
    cdef Part search_part(self, dict block, str path)
    cdef int media_keys(self, dict block, tuple known, str path) except -1
    cdef str data_of(self, dict source, str path)
    cdef int take_data(self, Part part, str media, dict source, str path) except -1
    cdef Part image_part(self, dict block, str path)
    cdef Part document_part(self, dict block, str path)
    cdef str texts_of(self, object content, str path)
    cdef object reasoning_of(self, dict block, str kind, str path)
    cdef Call call_of(self, dict block, str path)
