"""JSON writer: a growable buffer of JSON text, which all encoders use."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE, _PyBytes_Resize
from cpython.mem cimport PyMem_Free
from cpython.ref cimport PyObject, Py_XDECREF
from cpython.unicode cimport PyUnicode_AsUTF8String
from libc.math cimport isfinite
from libc.stdio cimport snprintf
from libc.string cimport memcpy

from specado._core.json_scan cimport plain_run
from specado._core.limits cimport MAX_DEPTH as DEPTH_LIMIT

import msgspec

cdef extern from "Python.h":
    PyObject* PyBytes_FromStringAndSize(const char* text, Py_ssize_t length) except NULL
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    const char* PyUnicode_1BYTE_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    char* PyOS_double_to_string(double value, char format_code, int precision, int flags,
                                int* kind) except NULL
    void Py_SET_SIZE(PyObject* value, Py_ssize_t size)
    const int Py_DTSF_ADD_DOT_0

cdef enum:
    FIRST_CAPACITY = 1024
    LARGE = 65536
    INTEGER_DIGITS = 24
    LOCATED_STEPS = 16

MAX_DEPTH = DEPTH_LIMIT

cdef const char* HEX = b"0123456789abcdef"


class NotJson(Exception):
    """A value that JSON cannot hold; the text says why.

    `value` is what has a type without a JSON form, where that is the reason.
    """

    value = None


cdef object no_json_form(object value):
    error = NotJson(f"a value of type {type(value).__name__} has no JSON form")
    error.value = value
    return error


cdef Py_ssize_t room_for(Py_ssize_t wanted, Py_ssize_t capacity) noexcept nogil:
    """Return a capacity of *wanted* or more; large ones are of few sizes, to fit again."""
    cdef Py_ssize_t step = LARGE // 4
    if wanted < LARGE:
        return max(wanted, capacity * 2, <Py_ssize_t>FIRST_CAPACITY)
    wanted = max(wanted, capacity + capacity // 4)
    while step * 16 <= wanted:
        step *= 2
    return (wanted + step - 1) // step * step


cdef object bare_text(str value):
    """Return *value* as UTF-8 bytes; a lone surrogate is `NotJson`."""
    try:
        return PyUnicode_AsUTF8String(value)
    except UnicodeEncodeError as error:
        raise NotJson(
            f"a lone surrogate (U+{ord(value[error.start]):04X}) at character {error.start}: "
            "it has no UTF-8 form"
        ) from None


cdef str exact(object value):
    """Return a str, or an instance of a subclass of it, as a plain `str`."""
    return <str>value if type(value) is str else str.__str__(value)


cdef bint is_a(object value, object kind):
    """Return `isinstance(value, kind)` without asking *value*, whose `__class__` may raise."""
    return type(value) is kind or issubclass(type(value), kind)


cdef object plain_struct(object value):
    """Return a Struct as plain values; a value without a JSON form is `NotJson`."""
    try:
        return msgspec.to_builtins(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotJson(str(error)) from None


@cython.final
cdef class WrittenDict(dict):
    """A dict with its JSON text, which is written instead of it; made by `written`."""


@cython.final
cdef class JsonWriter:
    """A growable buffer of JSON text, in the bytes object that it becomes.

    One writer per body; not for two threads at once.
    """

    def __dealloc__(self):
        Py_XDECREF(self.body)

    cdef int reserve(self, Py_ssize_t more) except -1:
        cdef Py_ssize_t wanted = self.size + more
        cdef Py_ssize_t capacity
        if wanted <= self.capacity:
            return 0
        capacity = room_for(wanted, self.capacity)
        if self.body == NULL:
            self.body = PyBytes_FromStringAndSize(NULL, capacity)
        else:
            self._resize(capacity)
        self.data = PyBytes_AS_STRING(<object>self.body)
        self.capacity = capacity
        return 0

    cdef int _resize(self, Py_ssize_t size) except -1:
        # On failure the object is gone, and `body` is NULL.
        self.capacity = 0
        _PyBytes_Resize(&self.body, size)
        return 0

    cdef int raw(self, const char* text, Py_ssize_t length) except -1:
        self.reserve(length)
        memcpy(self.data + self.size, text, length)
        self.size += length
        return 0

    cdef int literal(self, bytes text) except -1:
        return self.raw(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))

    cdef int byte(self, char value) except -1:
        self.reserve(1)
        self.data[self.size] = value
        self.size += 1
        return 0

    # Commas belong to the writer: a list or an object has just begun where the last byte opens it,
    # since a text inside a string is never the last thing written.

    cdef bint just_opened(self) noexcept:
        """Return whether nothing was written since a list or an object began."""
        cdef char last
        if self.size == 0:
            return True
        last = self.data[self.size - 1]
        return last == b"[" or last == b"{"

    cdef int item(self) except -1:
        """Begin a list element or an object member: write a comma unless it is the first."""
        return 0 if self.just_opened() else self.byte(b",")

    cdef int key(self, bytes name) except -1:
        """Begin an object member: write `"name":`, with a comma before all but the first.

        *name* needs no escape.
        """
        cdef Py_ssize_t length = PyBytes_GET_SIZE(name)
        cdef char* data
        self.reserve(length + 4)
        data = self.data + self.size
        if not self.just_opened():
            data[0] = b","
            data += 1
        data[0] = b'"'
        memcpy(data + 1, PyBytes_AS_STRING(name), length)
        data[length + 1] = b'"'
        data[length + 2] = b":"
        self.size = data + length + 3 - self.data
        return 0

    cdef int string(self, str value) except -1:
        cdef bytes encoded
        if value is None:
            raise TypeError("text is needed, not None")
        if PyUnicode_IS_COMPACT_ASCII(value):
            self._quoted(PyUnicode_1BYTE_DATA(value), PyUnicode_GET_LENGTH(value))
        else:
            # Not PyUnicode_AsUTF8AndSize: it would keep the UTF-8 in the caller's string.
            encoded = bare_text(value)
            self._quoted(PyBytes_AS_STRING(encoded), PyBytes_GET_SIZE(encoded))
        return 0

    cdef int plain_tail(self, str value, Py_ssize_t start) except -1:
        """Write *value* from character *start* on as a JSON string, of which nothing needs escapes.

        It is a data URI, say, whose data was checked.
        """
        cdef Py_ssize_t length = PyUnicode_GET_LENGTH(value) - start
        if not PyUnicode_IS_COMPACT_ASCII(value):
            return self.string(value[start:])
        self.reserve(length + 2)
        self.data[self.size] = b'"'
        memcpy(self.data + self.size + 1, PyUnicode_1BYTE_DATA(value) + start, length)
        self.data[self.size + length + 1] = b'"'
        self.size += length + 2
        return 0

    cdef int _quoted(self, const char* text, Py_ssize_t length) except -1:
        cdef Py_ssize_t done = 0
        cdef Py_ssize_t at = 0
        cdef unsigned char c
        self.reserve(length + 2)
        self.data[self.size] = b'"'
        self.size += 1
        while True:
            at += plain_run(<const unsigned char*>text + at, length - at)
            if at == length:
                break
            c = text[at]
            self.raw(text + done, at - done)
            self._escape(c)
            at += 1
            done = at
        self.reserve(length - done + 1)
        memcpy(self.data + self.size, text + done, length - done)
        self.size += length - done
        self.data[self.size] = b'"'
        self.size += 1
        return 0

    cdef int _escape(self, unsigned char c) except -1:
        cdef char short = 0
        if c == 0x22 or c == 0x5C:
            short = <char>c
        elif c == 0x0A:
            short = b"n"
        elif c == 0x0D:
            short = b"r"
        elif c == 0x09:
            short = b"t"
        elif c == 0x08:
            short = b"b"
        elif c == 0x0C:
            short = b"f"
        self.reserve(6)
        self.data[self.size] = b"\\"
        if short:
            self.data[self.size + 1] = short
            self.size += 2
            return 0
        memcpy(self.data + self.size + 1, b"u00", 3)
        self.data[self.size + 4] = HEX[c >> 4]
        self.data[self.size + 5] = HEX[c & 15]
        self.size += 6
        return 0

    cdef int integer(self, long long value) except -1:
        self.reserve(INTEGER_DIGITS)
        self.size += snprintf(self.data + self.size, INTEGER_DIGITS, b"%lld", value)
        return 0

    cdef int _integer_of_any_size(self, object value) except -1:
        try:
            return self.literal(int.__repr__(value).encode())
        except ValueError as error:
            raise NotJson(str(error)) from None

    cdef int _float(self, double value) except -1:
        cdef char* text
        if not isfinite(value):
            raise NotJson(f"{value} is not a JSON number")
        text = PyOS_double_to_string(value, b"r", 0, Py_DTSF_ADD_DOT_0, NULL)
        try:
            self.literal(<bytes>text)
        finally:
            PyMem_Free(text)
        return 0

    cdef int value(self, object value, int depth) except -1:
        """Write any JSON value: None, bool, int, float, str, dict, list, tuple or a Struct."""
        if isinstance(value, str):
            return self.string(exact(value))
        if value is None:
            return self.raw(b"null", 4)
        if value is True:
            return self.raw(b"true", 4)
        if value is False:
            return self.raw(b"false", 5)
        if isinstance(value, int):
            return self._integer_of_any_size(value)
        if isinstance(value, float):
            return self._float(value)
        if depth >= DEPTH_LIMIT:
            raise NotJson(f"nested deeper than {MAX_DEPTH} levels")
        if type(value) is WrittenDict and (<WrittenDict>value).text is not None:
            return self.literal((<WrittenDict>value).text)
        if isinstance(value, dict):
            self.byte(b"{")
            # The cast: a subclass may override items().
            for name, item in (<dict>value).items():
                self.item()
                self._member_name(name)
                self.value(item, depth + 1)
            return self.byte(b"}")
        if isinstance(value, (list, tuple)):
            self.byte(b"[")
            for item in list.__iter__(value) if isinstance(value, list) else tuple.__iter__(value):
                self.item()
                self.value(item, depth + 1)
            return self.byte(b"]")
        if is_a(value, msgspec.Raw):
            return self.literal(bytes(value))
        if is_a(value, msgspec.Struct):
            return self.value(plain_struct(value), depth)
        raise no_json_form(value)

    cdef int _member_name(self, object name) except -1:
        if isinstance(name, str):
            self.string(exact(name))
        elif isinstance(name, int) and not isinstance(name, bool):
            # As json.dumps: {50256: -100} is how a logit_bias is often written.
            self.byte(b'"')
            self._integer_of_any_size(name)
            self.byte(b'"')
        else:
            raise NotJson(f"a key of type {type(name).__name__}: keys are text")
        return self.byte(b":")

    cdef bytes finish(self):
        """Return what was written; the writer is empty then."""
        self.reserve(0 if self.body != NULL else 1)
        if self.capacity < LARGE or self.capacity - self.size > self.capacity // 4:
            self._resize(self.size)
        else:
            # A large block keeps its size, for malloc to hand it to the next body: of blocks cut
            # to measure each next one is too large, and the kernel has to clear new pages for it.
            Py_SET_SIZE(self.body, self.size)
            self.data[self.size] = 0
        body = <bytes>self.body
        Py_XDECREF(self.body)
        self.body = NULL
        self.data = NULL
        self.size = self.capacity = 0
        return body


cdef object freeze(object value, int depth):
    """Return a copy of a JSON value that later changes by the caller do not reach.

    What JSON cannot hold is `NotJson`.
    """
    if value is None or value is True or value is False or isinstance(value, int):
        return value
    if isinstance(value, str):
        if not (<str>value).isascii():
            bare_text(exact(value))
        return exact(value)
    if isinstance(value, float):
        if not isfinite(<double>value):
            raise NotJson(f"{<double>value} is not a JSON number")
        return <double>value
    if depth >= DEPTH_LIMIT:
        raise NotJson(f"nested deeper than {MAX_DEPTH} levels")
    if type(value) is WrittenDict:
        return frozen_written(<WrittenDict>value, depth)
    if isinstance(value, dict):
        return {_name_of(name): freeze(item, depth + 1) for name, item in (<dict>value).items()}
    if isinstance(value, list):
        return [freeze(item, depth + 1) for item in <list>value]
    if isinstance(value, tuple):
        return [freeze(item, depth + 1) for item in <tuple>value]
    if is_a(value, msgspec.Raw):
        return msgspec.Raw(bytes(value))
    if is_a(value, msgspec.Struct):
        return freeze(plain_struct(value), depth)
    raise no_json_form(value)


cdef WrittenDict frozen_written(WrittenDict value, int depth):
    """Return a copy of a dict with its JSON text, in which nothing deeper is shared."""
    cdef WrittenDict made = WrittenDict()
    for name, item in value.items():
        made[_name_of(name)] = freeze(item, depth + 1)
    made.text = value.text
    return made


cdef object _name_of(object name):
    if isinstance(name, str):
        return freeze(name, 0)
    if isinstance(name, int) and not isinstance(name, bool):
        return name
    raise NotJson(f"a key of type {type(name).__name__}: keys are text")


cdef dict plain_copy(dict given):
    """Return a copy that is a `dict` itself; not by methods, which a subclass may steer."""
    return {name: value for name, value in given.items()}


cdef WrittenDict written(dict value):
    """Return a copy of *value* that knows its JSON text; what has none is `NotJson`.

    What lies deeper is shared: the text is as *value* was, whatever becomes of it.
    """
    cdef JsonWriter writer
    cdef WrittenDict made
    if type(value) is WrittenDict:
        return <WrittenDict>value
    writer = JsonWriter()
    writer.value(value, 0)
    made = WrittenDict()
    for name, item in value.items():
        made[name] = item
    made.text = writer.finish()
    return made


def locate(value):
    """Return the JSON path of the first thing in *value* that has no JSON form, `""` for itself.

    The slow second look after an encoder refused a value. A long path is cut.
    """
    steps = []
    while len(steps) < LOCATED_STEPS:
        for step, item in _members(value):
            try:
                dumps(item)
            except NotJson:
                steps.append(step)
                value = item
                break
        else:
            return "".join(steps)
    return "".join(steps) + "…"


cdef list _members(object value):
    """Return the steps into a dict or list, each with what lies there."""
    if isinstance(value, dict):
        return [
            (f".{exact(name)}" if isinstance(name, str) else f"[a {type(name).__name__}]", item)
            for name, item in (<dict>value).items()
        ]
    if isinstance(value, list):
        return [(f"[{index}]", item) for index, item in enumerate(<list>value)]
    if isinstance(value, tuple):
        return [(f"[{index}]", item) for index, item in enumerate(<tuple>value)]
    return []


def dumps(value):
    """Return *value* as JSON bytes; a value without a JSON form is `NotJson`."""
    cdef JsonWriter writer = JsonWriter()
    writer.value(value, 0)
    return writer.finish()
