"""What other extension modules may use of `capability`."""

cdef inline dict as_dict(object value):
    return value if type(value) is dict else dict(value)


cdef class Sections:
    cdef dict modalities
    cdef dict features
    cdef dict parameters
    cdef dict roles
    cdef dict tokens
    cdef dict rates
    cdef dict extensions

cdef Sections check(dict capability, str prefix)
cdef object output_limit(Sections parts)
