from specado._core.conversation cimport Conversation, Part

cdef class PartReader:
    cdef Conversation found
    cdef Py_ssize_t index   # of the message that is read

    cdef object wrong(self, str field, str what)
    cdef str text_of(self, object value, str field, bint optional)
    cdef object frozen(self, object value, str field)
    cdef dict read_extra(self, dict given, frozenset known, str field)
    cdef list read_parts(self, object parts)
    cdef Part read_part(self, object given, Py_ssize_t place)
    cdef int count_part(self, str text) except -1
    cdef int read_data(self, Part part, str text, str field) except -1
    cdef str refused_data(self, Part part, str text)
    cdef int read_image(self, Part part, object media, Py_ssize_t place) except -1
    cdef int read_media(self, Part part, str kind, object media, str field) except -1
