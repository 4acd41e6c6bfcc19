"""Capability dicts: reading and checking them.

A capability is checked whole, in a fixed order, so that the first wrong value is the one named.
No state is kept; any number of threads may check at once.
"""

cimport cython
from cpython.float cimport PyFloat_AS_DOUBLE
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.unicode cimport PyUnicode_GET_LENGTH

cdef dict EMPTY = {}


cdef object refuse(str prefix, str path, str wanted, object value):
    return ValueError(f"{prefix}{path} must be {wanted}, not {type(value).__name__}")


cdef dict section(dict parent, str key, str prefix, str path):
    """Return the dict at *key*, an empty one where it is absent or None."""
    value = parent.get(key)
    if value is None:
        return EMPTY
    if not isinstance(value, dict):
        raise refuse(prefix, path, "a dict", value)
    return as_dict(value)


cdef inline int check_name(object name, str prefix, str path) except -1:
    if not isinstance(name, str):
        raise ValueError(f"{prefix}{path}: names must be str, not {type(name).__name__}")
    return 0


cdef int check_number(object value, str prefix, str path, object name) except -1:
    cdef int overflow = 0
    if value is None:
        return 0
    if isinstance(value, float):
        if PyFloat_AS_DOUBLE(value) != PyFloat_AS_DOUBLE(value):
            raise ValueError(f"{prefix}{path}.{name} must be a number, not nan")
    elif isinstance(value, int) and type(value) is not bool:
        PyLong_AsLongLongAndOverflow(value, &overflow)
        if overflow:
            raise ValueError(f"{prefix}{path}.{name} must fit 64 bits")
    else:
        raise refuse(prefix, f"{path}.{name}", "a number", value)
    return 0


cdef int check_flags(dict flags, str prefix, str path) except -1:
    for name, value in flags.items():
        check_name(name, prefix, path)
        if value is not None and type(value) is not bool:
            raise refuse(prefix, f"{path}.{name}", "True or False", value)
    return 0


cdef int check_numbers(dict numbers, str prefix, str path) except -1:
    for name, value in numbers.items():
        check_name(name, prefix, path)
        check_number(value, prefix, path, name)
    return 0


cdef int check_texts(object values, str prefix, str path) except -1:
    if values is None:
        return 0
    if not isinstance(values, (list, tuple)):
        raise refuse(prefix, path, "a list of str", values)
    for value in values:
        if not isinstance(value, str):
            raise refuse(prefix, path, "a list of str", value)
    return 0


cdef int check_parameters(dict parameters, str prefix) except -1:
    cdef Py_ssize_t length
    for name, value in parameters.items():
        check_name(name, prefix, "parameters")
        if value is None:
            continue
        if not isinstance(value, dict):
            raise refuse(prefix, f"parameters.{name}", "a dict", value)
        for key, entry in as_dict(value).items():
            if entry is None or type(key) is not str:
                continue
            # Told apart by length first: keys read from JSON are not interned, so that each
            # comparison of equal keys reads both.
            length = PyUnicode_GET_LENGTH(key)
            if length == 3:
                if type(entry) is float and PyFloat_AS_DOUBLE(entry) == PyFloat_AS_DOUBLE(entry):
                    continue
                if <str>key == "min" or <str>key == "max":
                    check_number(entry, prefix, f"parameters.{name}", key)
            elif length == 9:
                if type(entry) is not bool and <str>key == "supported":
                    raise refuse(prefix, f"parameters.{name}.supported", "True or False", entry)
            elif length == 6:
                if <str>key == "values":
                    check_texts(entry, prefix, f"parameters.{name}.values")
    return 0


@cython.final
@cython.freelist(8)
cdef class Sections:
    """The parts of a capability dict, checked. Made and used within one call."""


cdef Sections check(dict capability, str prefix):
    """Raise ValueError, naming the field, for the first value of a wrong type."""
    cdef Sections parts = Sections.__new__(Sections)
    cdef dict constraints
    version = capability.get("version")
    if version is not None and not isinstance(version, str):
        raise refuse(prefix, "version", "a str", version)
    parts.modalities = section(capability, "modalities", prefix, "modalities")
    check_texts(parts.modalities.get("input"), prefix, "modalities.input")
    check_texts(parts.modalities.get("output"), prefix, "modalities.output")
    section(parts.modalities, "configs", prefix, "modalities.configs")
    parts.features = section(capability, "features", prefix, "features")
    check_flags(parts.features, prefix, "features")
    parts.parameters = section(capability, "parameters", prefix, "parameters")
    check_parameters(parts.parameters, prefix)
    parts.roles = section(capability, "roles", prefix, "roles")
    check_flags(parts.roles, prefix, "roles")
    constraints = section(capability, "constraints", prefix, "constraints")
    parts.tokens = section(constraints, "tokens", prefix, "constraints.tokens")
    check_numbers(parts.tokens, prefix, "constraints.tokens")
    parts.rates = section(constraints, "rate_limits", prefix, "constraints.rate_limits")
    check_numbers(parts.rates, prefix, "constraints.rate_limits")
    parts.extensions = section(capability, "extensions", prefix, "extensions")
    for name in parts.extensions:
        check_name(name, prefix, "extensions")
    return parts


cdef object output_limit(Sections parts):
    """Return the most output tokens: the stated limit, else the parameter's maximum."""
    limit = parts.tokens.get("max_output_tokens")
    if limit is None:
        parameter = parts.parameters.get("max_tokens")
        if parameter is not None and parameter.get("supported") is not False:
            limit = parameter.get("max")
    return limit


def check_capability(dict capability not None, str prefix not None):
    """Raise ValueError, with *prefix* before the field's path, if a value has a wrong type."""
    check(capability, prefix)
