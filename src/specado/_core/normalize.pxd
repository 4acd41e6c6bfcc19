from specado._core.conversation cimport Call, Conversation, Details, Part, Turn

cdef int keep_uri(Part part, str uri) except -1
cdef bint is_base64(str text, Py_ssize_t start) except -1

cdef class PartReader:
    cdef Conversation found
    cdef Py_ssize_t index   # of the message that is read

    cdef object wrong(self, str field, str what)
    cdef str text_of(self, object value, str field, bint optional)
    cdef object frozen(self, object value, str field)
    cdef dict read_extra(self, dict given, frozenset known, str field)
    cdef list read_parts(self, object parts, Turn turn)
    cdef Part read_part(self, object given, Py_ssize_t place)
    cdef int count_part(self, str text) except -1
    cdef int read_data(self, Part part, str text, str field) except -1
    cdef str refused_data(self, Part part, str text)
    cdef int read_image(self, Part part, object media, Py_ssize_t place) except -1
    cdef int read_media(self, Part part, str kind, object media, str field) except -1

cdef class MessageReader(PartReader):
    cdef dict stored        # the record in the message that is read, None without one
    cdef str stored_path
    cdef set open_calls     # ids that the last assistant turn with calls waits for

    cdef int read(self, object message) except -1
    cdef Turn begin(self, object role)
    cdef int finish(self, Turn turn, object content) except -1
    cdef object without_reasoning(self, Turn turn, object parts)
    cdef int keep(self, Turn turn) except -1
    cdef bint speaks(self, Details more)
    cdef int check_answer(self, Turn turn) except -1
    cdef int read_struct(self, object message) except -1
    cdef int read_dict(self, dict message) except -1
    cdef object read_audio(self, object audio)
    cdef int read_reasoning(self, Details more, object blocks, str name) except -1
    cdef int read_native(self, Details more, object native) except -1
    cdef int compare_reasoning(self, Details more) except -1
    cdef list read_calls(self, object calls)
    cdef Call read_call(self, object call, Py_ssize_t place)
    cdef int count_call(self, Call call) except -1
    cdef str call_text(self, object value, Py_ssize_t place, str field, bint optional)
