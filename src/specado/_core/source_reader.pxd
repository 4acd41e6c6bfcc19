from specado._core.conversation cimport Conversation, Details, Part

cdef class SourceReader:
    cdef Conversation conversation
    cdef str content_member  # the member of the request that has the conversation
    cdef dict parameters     # name -> `(row, neutral value)` if it is dropped, None if it is read
    cdef dict params         # the canonical parameters
    cdef dict places         # the paths of renamed parameters in the request
    cdef list losses         # (row id, path, before, after)
    cdef str model

    cdef object malformed(self, str path, str what)
    cdef str shown(self, object value, str path)
    cdef int lose(self, str row, str path, object before=*, object after=*) except -1
    cdef str text_of(self, object value, str path)
    cdef dict dict_of(self, object value, str path)
    cdef object frozen(self, object value, str path)
    cdef object written(self, object value, str path)
    cdef str counted(self, str text)
    cdef int add(self, int role, str name, str text, list parts, Details more, str path) except -1
    cdef int take_uri(self, Part part, str uri, str path) except -1
    cdef int check_keys(self, dict given, frozenset known, str path) except -1
    cdef int check_losses(self) except -1
