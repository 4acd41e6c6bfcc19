"""Data URI parser (RFC 2397): media type, position of the data, base64 or not."""

from specado._core.conversation cimport Part

from libc.string cimport memcmp

cdef enum:
    RUN = 128
    BASE64_BYTES = 8    # of ";base64,"
    # A media type and its parameters are shorter than this.
    LONGEST_DATA_HEAD = 200

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    const char* PyUnicode_1BYTE_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)


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


cdef Py_ssize_t usual_start(str uri) noexcept:
    """Return where the data begins of a URI like `data:image/png;base64,…`, 0 for another one."""
    cdef const char* text
    cdef Py_ssize_t length = PyUnicode_GET_LENGTH(uri)
    cdef Py_ssize_t at = 5
    if not PyUnicode_IS_COMPACT_ASCII(uri) or length < at:
        return 0
    text = PyUnicode_1BYTE_DATA(uri)
    if memcmp(text, b"data:", at) != 0:
        return 0
    while at < length and at < LONGEST_DATA_HEAD - BASE64_BYTES and (
        b"a" <= text[at] <= b"z" or b"0" <= text[at] <= b"9" or text[at] == b"/"
    ):
        at += 1
    if at == 5 or length - at < BASE64_BYTES or memcmp(text + at, b";base64,", BASE64_BYTES) != 0:
        return 0
    return at + BASE64_BYTES


cdef int keep_uri(Part part, str uri) except -1:
    """Keep a URI as a part's text; of a data URI also its media type and where its data begins.

    It begins at 0 where it has none in base64.
    """
    cdef Py_ssize_t start = usual_start(uri)
    part.text = uri
    if start:
        part.media = uri[5:start - BASE64_BYTES]
        part.start = start
        return 0
    part.text = in_lower_case(uri)
    if part.text.startswith("data:"):
        part.media = media_type(part.text)
        part.start = data_start(part.text)
    return 0


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


cdef inline bint _is_digit(unsigned char c) noexcept nogil:
    """Whether *c* is one of the 64."""
    cdef unsigned char letter = c | 0x20
    return (
        <unsigned char>(letter - 0x61) < 26 or <unsigned char>(c - 0x30) < 10
        or c == 0x2B or c == 0x2F
    )


cdef inline bint _run_is_digits(const unsigned char* text) noexcept nogil:
    """Whether all of `RUN` bytes are of the 64; the compiler makes vector steps of it."""
    cdef unsigned char all = 1
    cdef unsigned char c
    cdef Py_ssize_t at
    for at in range(RUN):
        c = text[at]
        # Each range moved to begin at the least signed char, of which processors compare vectors;
        # "/" and the digits are neighbours.
        all &= (
            (<signed char>((c | 0x20) - 0x61 - 128) < 26 - 128)
            | (<signed char>(c - 0x2F - 128) < 11 - 128)
            | (c == 0x2B)
        )
    return all != 0


cdef bint is_base64(str text, Py_ssize_t start) except -1:
    """Return whether *text* from *start* on is base64 with padding, of one byte or more."""
    cdef Py_ssize_t length = PyUnicode_GET_LENGTH(text) - start
    cdef const unsigned char* data
    cdef Py_ssize_t at = 0
    if length <= 0 or length % 4 or not text.isascii():
        return False
    data = <const unsigned char*>PyUnicode_1BYTE_DATA(text) + start
    while at + RUN <= length and _run_is_digits(data + at):
        at += RUN
    while at < length and _is_digit(data[at]):
        at += 1
    # Where other bytes begin there may be padding, and nothing after it.
    return at == length or (data[at] == b"=" and (
        at == length - 1 or (at == length - 2 and data[at + 1] == b"=")
    ))
