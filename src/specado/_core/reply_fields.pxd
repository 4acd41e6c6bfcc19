"""Inline functions of the reply encoders: fields of Structs by their offset, numbers, buffers.

A Struct keeps its fields as slots, which `__slots__` of any class are too: a pointer at an offset
that the member descriptor knows. Reading 20 fields of a chunk so takes 20 ns, by name 0.4 us.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_Compare

from specado._core.json_writer cimport JsonWriter

cdef extern from *:
    """
    #include <structmember.h>
    static Py_ssize_t specado_offset_of(PyObject *descriptor) {
        if (!Py_IS_TYPE(descriptor, &PyMemberDescr_Type)) return -1;
        return ((PyMemberDescrObject *)descriptor)->d_member->offset;
    }
    static int specado_refuse(PyObject *value, PyObject *type) {
        PyErr_Format(PyExc_TypeError, "%s expected, not %s",
                     ((PyTypeObject *)type)->tp_name, Py_TYPE(value)->tp_name);
        return -1;
    }
    static inline int specado_check(PyObject *value, PyObject *type) {
        if (PyObject_TypeCheck(value, (PyTypeObject *)type)) return 0;
        return specado_refuse(value, type);
    }
    static inline PyObject *specado_field(PyObject *value, Py_ssize_t offset) {
        PyObject *found = *(PyObject **)((char *)value + offset);
        if (found == NULL) PyErr_SetString(PyExc_AttributeError, "a field was deleted");
        else Py_INCREF(found);
        return found;
    }
    """
    Py_ssize_t specado_offset_of(PyObject* descriptor)
    # Refuse an object of another type: its offsets differ.
    int check "specado_check"(object value, object type_) except -1
    # Return a field of a Struct whose type was checked.
    object field "specado_field"(object value, Py_ssize_t offset)
    long long PyLong_AsLongLongAndOverflow(object value, int* overflow) except? -1

cdef enum:
    DIGITS = 20
    MAX_IDLE_CAPACITY = 65536


cdef inline Py_ssize_t offset_of(object type_, str name) except -1:
    """Return where a Struct of *type_* keeps the field *name*."""
    descriptor = type_.__dict__[name]
    cdef Py_ssize_t found = specado_offset_of(<PyObject*>descriptor)
    if found < 0:
        raise TypeError(f"{type_.__name__}.{name} is not a slot")
    return found


cdef inline bint same(object one, object other) except -1:
    """Return whether two values, each text or None, are equal."""
    if one is other:
        return True
    if type(one) is not str or type(other) is not str:
        return False
    return PyUnicode_Compare(one, other) == 0


cdef inline int number(JsonWriter out, object value) except -1:
    """Write a whole number; another value as it is."""
    cdef char digits[DIGITS]
    cdef int at = DIGITS
    cdef int overflow = 0
    cdef long long found
    if type(value) is not int:
        return out.value(value, 0)
    found = PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow or found < 0:
        return out.value(value, 0)
    while True:
        at -= 1
        digits[at] = <char>(48 + found % 10)
        found //= 10
        if found == 0:
            break
    return out.raw(digits + at, DIGITS - at)


cdef inline int text_or_null(JsonWriter out, object value) except -1:
    if value is None:
        return out.raw(b"null", 4)
    return out.string(<str?>value)


cdef inline bytes taken(JsonWriter out):
    """Return the written bytes; a small buffer is reused for the next."""
    if out.capacity > MAX_IDLE_CAPACITY:
        return out.finish()
    made = PyBytes_FromStringAndSize(out.data, out.size)
    out.size = 0
    return made
