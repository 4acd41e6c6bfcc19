# JSON scanner: finds the end of a value in JSON text without decoding it. Inline functions only.
#
# A scan passes only valid JSON. Some valid JSON is left to a decoder: escaped lone surrogates and
# values nested deeper than MAX_DEPTH. A scan does not check that the text is UTF-8.
# A `Scan` points into memory of its caller, who keeps it alive; any thread may own one.

from libc.string cimport memchr, memcmp

from specado._core.limits cimport MAX_DEPTH

cdef struct Scan:
    const unsigned char* at
    const unsigned char* end


cdef enum:
    RUN = 32
    LONG_RUN = 128


cdef inline bint is_plain_byte(unsigned char c) noexcept nogil:
    """Return whether a byte needs no escape in a JSON string."""
    return c >= 0x20 and c != 0x22 and c != 0x5C


cdef inline bint _are_plain(const unsigned char* text, Py_ssize_t count) noexcept nogil:
    """Return whether *count* bytes are plain; a constant *count* lets the compiler use vectors."""
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
    # The rest together with bytes that were seen: one step instead of one for each byte.
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
    """Return whether *count* bytes are plain and ASCII: signed, all others are below the space."""
    cdef unsigned char found = 0
    cdef Py_ssize_t at
    for at in range(count):
        found |= (text[at] < 0x20) | (text[at] == 0x22) | (text[at] == 0x5C)
    return found == 0


cdef inline bint is_plain_ascii(const unsigned char* text, Py_ssize_t length) noexcept nogil:
    """Return whether all bytes are plain and ASCII."""
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


cdef inline bint skip_word(Scan* scan, const char* word, Py_ssize_t length) noexcept nogil:
    if scan.end - scan.at < length or memcmp(scan.at, word, length) != 0:
        return False
    scan.at += length
    return True


cdef inline bint skip_text(Scan* scan) noexcept nogil:
    """Pass a string from its quotation mark on."""
    cdef const unsigned char* quote = scan.at
    scan.at += 1
    while True:
        if quote < scan.at:
            quote = <const unsigned char*>memchr(scan.at, 0x22, scan.end - scan.at)
            if quote == NULL:
                return False
        scan.at += plain_run(scan.at, quote - scan.at)
        if scan.at == quote:
            scan.at += 1
            return True
        if scan.at[0] < 0x20:
            return False
        scan.at += 1
        if not _skip_escape(scan):
            return False


cdef inline bint _skip_escape(Scan* scan) noexcept nogil:
    """Pass what follows a backslash."""
    cdef int unit
    if scan.at == scan.end:
        return False
    scan.at += 1
    if scan.at[-1] != 0x75:
        return memchr(b'"\\/bfnrt', scan.at[-1], 8) != NULL
    unit = _skip_unit(scan)
    if 0xD800 <= unit <= 0xDBFF:
        return skip_word(scan, b"\\u", 2) and 0xDC00 <= _skip_unit(scan) <= 0xDFFF
    return unit >= 0 and not 0xDC00 <= unit <= 0xDFFF


cdef inline int _skip_unit(Scan* scan) noexcept nogil:
    """Pass four hexadecimal digits; return the UTF-16 code unit that they stand for, or -1."""
    cdef int unit = 0
    cdef Py_ssize_t at
    cdef unsigned char letter
    if scan.end - scan.at < 4:
        return -1
    for at in range(4):
        letter = scan.at[at] | 0x20
        if 0x30 <= scan.at[at] <= 0x39:
            unit = unit * 16 + (scan.at[at] - 0x30)
        elif 0x61 <= letter <= 0x66:
            unit = unit * 16 + (letter - 0x61 + 10)
        else:
            return -1
    scan.at += 4
    return unit


cdef inline bint skip_value(Scan* scan, int depth) noexcept nogil:
    """Pass space and a value; return whether it is one."""
    cdef unsigned char c
    skip_space(scan)
    if scan.at == scan.end or depth > MAX_DEPTH:
        return False
    c = scan.at[0]
    if c == 0x22:
        return skip_text(scan)
    if c == 0x7B or c == 0x5B:
        return _skip_items(scan, c == 0x7B, depth)
    if c == 0x74:
        return skip_word(scan, b"true", 4)
    if c == 0x66:
        return skip_word(scan, b"false", 5)
    if c == 0x6E:
        return skip_word(scan, b"null", 4)
    return _skip_number(scan)


cdef inline bint _skip_items(Scan* scan, bint named, int depth) noexcept nogil:
    """Pass an object (*named*) or an array."""
    cdef unsigned char closing = 0x7D if named else 0x5D
    scan.at += 1
    if take(scan, closing):
        return True
    while True:
        if named:
            skip_space(scan)
            if scan.at == scan.end or scan.at[0] != 0x22 or not skip_text(scan):
                return False
            if not take(scan, 0x3A):
                return False
        if not skip_value(scan, depth + 1):
            return False
        if take(scan, closing):
            return True
        if not take(scan, 0x2C):
            return False


cdef inline bint _skip_digits(Scan* scan) noexcept nogil:
    """Pass one digit or more."""
    cdef const unsigned char* start = scan.at
    while scan.at < scan.end and 0x30 <= scan.at[0] <= 0x39:
        scan.at += 1
    return scan.at > start


cdef inline bint _skip_number(Scan* scan) noexcept nogil:
    cdef const unsigned char* start
    if scan.at[0] == 0x2D:
        scan.at += 1
    start = scan.at
    if not _skip_digits(scan) or (start[0] == 0x30 and scan.at - start > 1):
        return False
    if scan.at < scan.end and scan.at[0] == 0x2E:
        scan.at += 1
        if not _skip_digits(scan):
            return False
    if scan.at < scan.end and scan.at[0] | 0x20 == 0x65:
        scan.at += 1
        if scan.at < scan.end and (scan.at[0] == 0x2B or scan.at[0] == 0x2D):
            scan.at += 1
        return _skip_digits(scan)
    return True
