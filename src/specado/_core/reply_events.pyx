"""Callbacks of the HTTP parser for one reply; compiled, since a reply has some twenty headers."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeASCII, PyUnicode_DecodeLatin1

cdef enum:
    SHORT = 64  # a longer name is made lower by Python


cdef class ReplyEvents:
    """Collects a reply: `status` and `headers` (names in lower case, repeated ones joined) once
    `has_head`, the body's `pieces` as they come.

    `refusal` says why a callback refused the reply: httptools tells only that one did.
    `can_reuse` tells, once it `is_complete`, whether another request may follow. Who feeds the
    parser adds up in `idle_bytes` what comes; a piece of the body begins it anew. The methods
    `on_…` are what httptools calls; `parser` is its parser, which refers back: a cycle until it
    is dropped.
    """
    cdef public object parser
    cdef readonly int status
    cdef readonly dict headers
    cdef readonly list pieces
    cdef readonly str refusal
    cdef readonly bint has_head
    cdef public bint is_complete
    cdef public bint can_reuse
    cdef public Py_ssize_t idle_bytes
    cdef bint _is_interim

    def __cinit__(self):
        self.headers = {}
        self.pieces = []

    def on_message_begin(self):
        """Refuse what follows a whole reply: nobody asked for it."""
        if self.is_complete:
            self._refuse("bytes after the reply")

    def on_header(self, bytes name not None, bytes value not None):
        """Keep a header, its value as Latin-1 (RFC 9110, 5.5); trailers are passed over."""
        cdef str key, text, before
        if self.has_head:
            return
        key = _lowered(name)
        text = _stripped(value)
        before = self.headers.get(key)
        self.headers[key] = text if before is None else f"{before}, {text}"

    def on_headers_complete(self):
        """Take the head of an interim reply, or of the reply."""
        cdef int status = self.parser.get_status_code()
        self._is_interim = status < 200
        if self._is_interim:
            if status == 101:  # nobody asked for another protocol
                self._refuse("it switches to another protocol (status 101)")
            self.idle_bytes = 0
            self.headers = {}
            return
        if self.headers.get("transfer-encoding", "chunked").lower() != "chunked":
            self._refuse("its transfer-encoding is not chunked")
        self.status = status
        self.has_head = True

    def on_body(self, bytes data not None):
        """Keep a piece of the body."""
        self.idle_bytes = 0
        self.pieces.append(data)

    def on_message_complete(self):
        """Note the end of the reply."""
        if not self._is_interim:
            self.is_complete = True
            self.can_reuse = self.parser.should_keep_alive()

    cdef _refuse(self, str why):
        self.refusal = why
        raise ValueError(why)


cdef str _lowered(bytes name):
    cdef char short_name[SHORT]
    cdef const char* given = PyBytes_AS_STRING(name)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(name)
    cdef Py_ssize_t place
    cdef char c
    if size > SHORT:
        return name.decode("ascii").lower()
    for place in range(size):
        c = given[place]
        short_name[place] = c + 32 if c"A" <= c <= c"Z" else c
    return PyUnicode_DecodeASCII(short_name, size, NULL)


cdef str _stripped(bytes value):
    cdef const char* first = PyBytes_AS_STRING(value)
    cdef const char* last = first + PyBytes_GET_SIZE(value)
    while first < last and (first[0] == c" " or first[0] == c"\t"):
        first += 1
    while first < last and (last[-1] == c" " or last[-1] == c"\t"):
        last -= 1
    return PyUnicode_DecodeLatin1(first, last - first, NULL)
