cdef struct Scan:
    const unsigned char* at
    const unsigned char* end


cdef enum:
    RUN = 32
    LONG_RUN = 128


cdef inline bint is_plain_byte(unsigned char c) noexcept nogil:
    """Whether a byte stands for itself in a JSON string."""
    return c >= 0x20 and c != 0x22 and c != 0x5C


cdef inline bint _are_plain(const unsigned char* text, Py_ssize_t count) noexcept nogil:
    """Whether so many bytes are plain; of a constant *count* the compiler makes vector steps."""
    cdef unsigned char found = 0
    cdef Py_ssize_t at
    for at in range(count):
        found |= (text[at] < 0x20) | (text[at] == 0x22) | (text[at] == 0x5C)
    return found == 0


cdef inline Py_ssize_t plain_run(const unsigned char* text, Py_ssize_t length) noexcept nogil:
    """Return how many of the first bytes are plain."""
    cdef Py_ssize_t at = 0
    while at + LONG_RUN <= length and _are_plain(text + at, LONG_RUN):
        at += LONG_RUN
    while at + RUN <= length and _are_plain(text + at, RUN):
        at += RUN
    # What is left, with some that was seen: one step instead of one for each byte.
    if length >= RUN and length - at < RUN and _are_plain(text + length - RUN, RUN):
        return length
    while at < length and is_plain_byte(text[at]):
        at += 1
    return at


cdef inline void skip_space(Scan* scan) noexcept nogil:
    while scan.at < scan.end and (
        scan.at[0] == 0x20 or scan.at[0] == 0x0A or scan.at[0] == 0x0D or scan.at[0] == 0x09
    ):
        scan.at += 1


cdef inline bint take(Scan* scan, unsigned char wanted) noexcept nogil:
    """Pass space and the byte *wanted*; return whether it is there."""
    skip_space(scan)
    if scan.at == scan.end or scan.at[0] != wanted:
        return False
    scan.at += 1
    return True


cdef inline bint _are_plain_ascii(const signed char* text, Py_ssize_t count) noexcept nogil:
    """Whether so many bytes are plain and ASCII: as signed ones the others are below space."""
    cdef unsigned char found = 0
    cdef Py_ssize_t at
    for at in range(count):
        found |= (text[at] < 0x20) | (text[at] == 0x22) | (text[at] == 0x5C)
    return found == 0


cdef inline bint is_plain_ascii(const unsigned char* text, Py_ssize_t length) noexcept nogil:
    """Whether all bytes are plain and ASCII."""
    cdef const signed char* data = <const signed char*>text
    cdef Py_ssize_t at = 0
    while at + LONG_RUN <= length:
        if not _are_plain_ascii(data + at, LONG_RUN):
            return False
        at += LONG_RUN
    while at + RUN <= length:
        if not _are_plain_ascii(data + at, RUN):
            return False
        at += RUN
    if length >= RUN:
        return _are_plain_ascii(data + length - RUN, RUN)
    return _are_plain_ascii(data, length)


cdef bint skip_text(Scan* scan) noexcept nogil
cdef bint skip_word(Scan* scan, const char* word, Py_ssize_t length) noexcept nogil
cdef bint skip_value(Scan* scan, int depth) noexcept nogil
