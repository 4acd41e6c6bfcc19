"""Data URIs (RFC 2397): where their data begins, and whether it is base64."""

cimport cython

cdef extern from "Python.h":
    const char* PyUnicode_1BYTE_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)

# A media type and its parameters are shorter than this.
cdef Py_ssize_t LONGEST_DATA_HEAD = 200


cdef Py_ssize_t data_start(str uri) except -1:
    """Return where the data of a `data:<media type>;base64,…` URI begins, 0 if it is not one."""
    cdef Py_ssize_t comma = uri.find(",", 0, LONGEST_DATA_HEAD)
    if comma < 0 or not uri[:comma].endswith(";base64") or not media_type(uri):
        return 0
    return comma + 1


cdef str media_type(str uri):
    """Return the media type of a data URI, without its parameters."""
    cdef str head = uri[5:LONGEST_DATA_HEAD].partition(",")[0]
    return head.partition(";")[0].strip().lower()


cdef str in_lower_case(str uri):
    """Return *uri* with its scheme, and a data URI's `;base64`, in lower case.

    Either case is well formed, but not every server knows it (RFC 3986, section 3.1).
    """
    cdef Py_ssize_t end = uri.find(":", 0, len("https:"))
    cdef str head = uri[:max(end, 0)]
    if head.lower() == "data":
        end = max(uri.find(",", 0, LONGEST_DATA_HEAD), 0)
        head = uri[:end]
        if head[-7:].lower() == ";base64":
            head = f"data{head[4:-7]};base64"
    else:
        head = head.lower()
    return uri if uri.startswith(head) else head + uri[end:]


@cython.boundscheck(False)  # every byte read lies below the length that was asked for
cdef bint is_base64(str text, Py_ssize_t start) except -1:
    """Return whether *text* from *start* on is base64 with padding, of one byte or more."""
    cdef Py_ssize_t length = PyUnicode_GET_LENGTH(text) - start
    cdef const unsigned char* data
    cdef Py_ssize_t at
    cdef unsigned char c
    if length <= 0 or length % 4 or not text.isascii():
        return False
    data = <const unsigned char*>PyUnicode_1BYTE_DATA(text) + start
    for at in range(length):
        c = data[at]
        if not (
            b"a" <= c <= b"z" or b"A" <= c <= b"Z" or b"0" <= c <= b"9" or c == b"+" or c == b"/"
        ):
            return c == b"=" and (
                at == length - 1 or (at == length - 2 and data[at + 1] == b"=")
            )
    return True
