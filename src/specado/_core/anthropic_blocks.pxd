from specado._core.conversation cimport Call, Part
from specado._core.encoder cimport Encoder

cdef str family_of(str model)
cdef bint is_tool_name(str text)
cdef str taken_name(str name)

cdef class AnthropicBlocks(Encoder):
    cdef Py_ssize_t last     # the assistant message that ends the conversation, -1 if none does
    cdef list marks          # (start, end, path, value) of each cache_control in the body
    cdef bint cached         # whether the last block has a cache_control

    cdef int block(self, bint first, bytes start) except -1
    cdef bint write_text(self, str text, dict extra, str field, bint first) except -1
    cdef int lose_keys(self, dict extra, str row, str field) except -1
    cdef int block_extra(self, dict extra, str field) except -1
    cdef bint write_cache(self, object value, str path) except -1
    cdef int settle_cache(self) except -1
    cdef int order_cache(self, list marks) except -1
    cdef bint write_part(self, Part part, Py_ssize_t place, bint first) except -1
    cdef object bad(self, str field, str what)
    cdef str refused_row(self, Part part)
    cdef bint refuses(self, Part part)
    cdef int lose_media(self, Part part, str path) except -1
    cdef int write_image_source(self, Part part) except -1
    cdef int write_document_source(self, Part part, str path) except -1
    cdef str refused_reasoning(self, object item)
    cdef bint write_reasoning(self, list blocks, bint first) except -1
    cdef bint write_calls(self, list calls, bint first) except -1
    cdef str call_id(self, str given, str field)
    cdef str call_name(self, Call call)
    cdef int write_arguments(self, Call call) except -1
    cdef str check_last(self, str text, str field)
