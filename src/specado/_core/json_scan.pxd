cdef struct Scan:
    const unsigned char* at
    const unsigned char* end


cdef enum:
    RUN = 32


cdef inline bint is_plain_byte(unsigned char c) noexcept nogil:
    """Whether a byte stands for itself in a JSON string."""
    return c >= 0x20 and c != 0x22 and c != 0x5C


cdef inline bint _run_is_plain(const unsigned char* text) noexcept nogil:
    """Whether all of `RUN` bytes are plain; the compiler makes a few vector steps of it."""
    cdef unsigned char found = 0
    cdef Py_ssize_t at
    for at in range(RUN):
        found |= (text[at] < 0x20) | (text[at] == 0x22) | (text[at] == 0x5C)
    return found == 0


cdef inline Py_ssize_t plain_run(const unsigned char* text, Py_ssize_t length) noexcept nogil:
    """Return how many of the first bytes are plain."""
    cdef Py_ssize_t at = 0
    while at + RUN <= length and _run_is_plain(text + at):
        at += RUN
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


cdef inline bint _run_is_plain_ascii(const signed char* text) noexcept nogil:
    """Whether all of `RUN` bytes are plain and ASCII, which as signed ones are not below space."""
    cdef unsigned char found = 0
    cdef Py_ssize_t at
    for at in range(RUN):
        found |= (text[at] < 0x20) | (text[at] == 0x22) | (text[at] == 0x5C)
    return found == 0


cdef inline Py_ssize_t plain_ascii_run(const unsigned char* text, Py_ssize_t length) noexcept nogil:
    """Return how many of the first bytes are plain and ASCII."""
    cdef Py_ssize_t at = 0
    while at + RUN <= length and _run_is_plain_ascii(<const signed char*>text + at):
        at += RUN
    while at < length and is_plain_byte(text[at]) and text[at] < 0x80:
        at += 1
    return at


cdef bint skip_text(Scan* scan) noexcept nogil
cdef bint skip_word(Scan* scan, const char* word, Py_ssize_t length) noexcept nogil
cdef bint skip_value(Scan* scan, int depth) noexcept nogil
