"""What other extension modules may use of `capability`."""

cimport cython
from libc.string cimport memcmp

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    const char* PyUnicode_1BYTE_DATA(object text)


cdef inline dict as_dict(object value):
    return value if type(value) is dict else dict(value)


cdef inline bint spells(object key, const char* word, Py_ssize_t length) noexcept:
    """Tell whether *key*, a str of that many characters, is the ASCII *word*."""
    return (
        PyUnicode_IS_COMPACT_ASCII(key)
        and memcmp(PyUnicode_1BYTE_DATA(key), word, length) == 0
    )


cdef inline bint is_number(object value):
    return isinstance(value, float) or (isinstance(value, int) and type(value) is not bool)


@cython.final
cdef class Sections:
    cdef str prefix
    cdef bint strict
    cdef list ignored
    cdef dict modalities
    cdef dict configs
    cdef dict features
    cdef dict parameters
    cdef dict roles
    cdef object custom_roles
    cdef dict tokens
    cdef dict rates
    cdef dict messages
    cdef dict timeouts
    cdef dict extensions

    cdef int ignore(self, str path, object name) except -1
    cdef int ignore_others(self, dict section, frozenset known, str path) except -1
    cdef dict section(self, dict parent, str key, str path, Py_ssize_t* seen)
    cdef int check_flags(self, dict flags, frozenset known, str path) except -1
    cdef int check_roles(self, dict roles) except -1
    cdef int check_rates(self, dict rates) except -1
    cdef dict check_limits(self, dict limits, dict types, str path)
    cdef int check_parameters(self, dict parameters) except -1
    cdef int check_parameter(self, object name, dict stated) except -1
    cdef int check_modalities(self, dict modalities) except -1
    cdef int check_constraints(self, dict constraints) except -1
    cdef int check_extensions(self, dict stated) except -1

cdef Sections check(dict capability, str prefix, bint strict)
cdef object output_limit(Sections parts)
