from specado._core.conversation cimport Part
from specado._core.encoder cimport Encoder

cdef enum:
    RENAMED_ID = 64   # the most characters of an id or a name that is replaced

cdef dict IMAGE_TYPES        # an image's media type by each of its labels

cdef bint is_tool_name(str name)
cdef str accepted_id(str given)
cdef bint is_refused_user(str user)
cdef bint is_cache_control(object value)
cdef str reasoning_refusal(object block, str model)
cdef str media_refusal(Encoder encoder, Part part)
cdef str labelled_media_type(Part part)
cdef str data_media_type(Part part)
cdef bint is_image(str media)
cdef str file_text(Part part)
cdef bint is_pdf(str media)
