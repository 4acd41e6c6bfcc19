from specado._core.conversation cimport Part
from specado._core.encoder cimport Encoder

cdef class Medium:
    cdef str row         # the loss row of a medium that is not sent, None for one that is
    cdef str media       # its media type in the API's spelling
    cdef str labelled    # the type that the caller gave; None for an address without one
    cdef str uri         # its address, None for data
    cdef bint is_assumed # whether its type is unknown and assumed
    cdef bint is_text

cdef Medium medium_of(Encoder encoder, Part part, object schemes)
