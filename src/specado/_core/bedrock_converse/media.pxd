from specado._core.conversation cimport Part
from specado._core.encoder cimport Encoder

cdef class Medium:
    cdef str row         # the loss row of a medium that is not sent, None for one that is
    cdef str kind        # the member of its block: image, document, video or audio
    cdef str format      # its format in the API's spelling
    cdef str media       # its media type by the first bytes of its data
    cdef str labelled    # the type, the address or the format that the caller gave
    cdef str uri         # its address, None for data
    cdef bint is_text    # whether it is a text file of a type that the API has no word for

cdef Medium medium_of(Encoder encoder, Part part)
cdef str document_name(str given, object taken)
