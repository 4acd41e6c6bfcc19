"""AWS event stream framing (`application/vnd.amazon.eventstream`): frame reader and writer.

A frame: its size and that of its headers (u32, big-endian), the CRC-32 of these 8 bytes, the
headers, the payload, the CRC-32 of everything before. A header: the size of its name (u8), the
name, a type (u8), the value. Source: "Event stream encoding" of Amazon Transcribe's guide and
botocore 1.44.8 (`eventstream.py`, `data/bedrock-runtime`), read 2026-11-30.
"""

cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint32_t
from libc.string cimport memcmp, memcpy

from specado._core.frames cimport FrameReader

from specado.errors import MalformedResponseError

cdef enum:
    PRELUDE = 12    # the two sizes and their checksum
    CHECKSUM = 4
    MAX_HEADERS_BYTES = 131072    # botocore's limit
    STRING = 7      # the type of a header that is a text
    # Bytes that were read are dropped from the buffer when there are so many.
    MAX_IDLE_BYTES = 65536

# The size of a header's value by its type; -1: a u16 says it.
cdef int[10] VALUE_SIZES = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16]

# The CRC-32 of each byte (the polynomial of IEEE 802.3, reversed), filled once.
cdef uint32_t[256] CHECKSUMS


cdef int fill_checksums() except -1:
    cdef uint32_t value
    cdef int byte
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ 0xEDB88320 if value & 1 else value >> 1
        CHECKSUMS[byte] = value
    return 0


fill_checksums()


@cython.boundscheck(False)  # an index is one byte
@cython.wraparound(False)
cdef uint32_t crc32(const unsigned char* text, Py_ssize_t size) noexcept:
    """Return the CRC-32 of *size* bytes."""
    cdef uint32_t value = 0xFFFFFFFF
    cdef Py_ssize_t at
    for at in range(size):
        value = CHECKSUMS[(value ^ text[at]) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


cdef inline uint32_t u32(const unsigned char* text) noexcept:
    return (
        (<uint32_t>text[0] << 24) | (<uint32_t>text[1] << 16) | (<uint32_t>text[2] << 8) | text[3]
    )


cdef inline void put_u32(unsigned char* text, uint32_t value) noexcept:
    text[0] = value >> 24
    text[1] = value >> 16 & 0xFF
    text[2] = value >> 8 & 0xFF
    text[3] = value & 0xFF


@cython.final
cdef class EventStreamReader(FrameReader):
    """Reads the frames of an AWS event stream; verifies both checksums of each.

    After `next`, `kind` is the frame's message type (`event`, `exception` or `error`) and `event`
    the type of the event or the exception, or the code of the error. A frame that is damaged, or
    no frame at all, is a `MalformedResponseError` with code `damaged_frame`, one larger than the
    limit with code `frame_too_large`. Owns the bytes that are not read yet.
    One reader per stream; not for two threads at once.
    """

    def __cinit__(self, Py_ssize_t max_frame_bytes):
        self._max_frame_bytes = max_frame_bytes
        self._bytes = bytearray()
        self._checked = -1

    cdef int load(self, bytes data) except -1:
        if self._broken is not None:
            raise self._broken
        if self._at > MAX_IDLE_BYTES or self._at == PyByteArray_GET_SIZE(self._bytes):
            del self._bytes[:self._at]
            self._at = 0
            self._checked = -1
        self._bytes += data
        return 0

    cdef bytes next(self):
        cdef Py_ssize_t left = PyByteArray_GET_SIZE(self._bytes) - self._at
        cdef Py_ssize_t size
        cdef const unsigned char* text
        if self._broken is not None:
            raise self._broken
        if left < PRELUDE:
            return None
        size = self._frame_size()
        if left < size:
            return None
        text = <const unsigned char*>PyByteArray_AS_STRING(self._bytes) + self._at
        self._at += size
        return self._frame(text, size)

    cdef bint has_rest(self) except -1:
        return self._at < PyByteArray_GET_SIZE(self._bytes)

    cdef bytes last(self):
        if self._broken is not None:
            raise self._broken
        return None    # a frame says its size: the end of the bytes completes none

    cdef Py_ssize_t _frame_size(self) except -1:
        """Return the size of the frame whose first 12 bytes are there."""
        cdef const unsigned char* text = (
            <const unsigned char*>PyByteArray_AS_STRING(self._bytes) + self._at
        )
        cdef Py_ssize_t size = u32(text)
        cdef Py_ssize_t headers_size = u32(text + 4)
        if self._checked == self._at:
            return size
        if crc32(text, PRELUDE - CHECKSUM) != u32(text + PRELUDE - CHECKSUM):
            raise self._damaged("the checksum of its sizes is wrong")
        if headers_size > MAX_HEADERS_BYTES or PRELUDE + headers_size + CHECKSUM > size:
            raise self._damaged("its headers have an impossible size")
        if size > self._max_frame_bytes:
            self._broken = MalformedResponseError(
                f"an event of the stream is larger than max_frame_bytes, {self._max_frame_bytes}",
                code="frame_too_large",
            )
            raise self._broken
        self._checked = self._at
        return size

    cdef bytes _frame(self, const unsigned char* text, Py_ssize_t size):
        """Return the payload of a whole frame, and read its headers."""
        cdef Py_ssize_t headers_size = u32(text + 4)
        cdef Py_ssize_t start = PRELUDE + headers_size
        if crc32(text, size - CHECKSUM) != u32(text + size - CHECKSUM):
            raise self._damaged("its checksum is wrong")
        self._read_headers(text + PRELUDE, headers_size)
        return PyBytes_FromStringAndSize(<const char*>text + start, size - CHECKSUM - start)

    cdef int _read_headers(self, const unsigned char* text, Py_ssize_t size) except -1:
        """Read the message type, and the name that goes with it."""
        cdef const unsigned char* end = text + size
        cdef const unsigned char* name
        cdef Py_ssize_t name_size, value_size
        cdef int type_
        self.kind = self.event = self.error_message = None
        while text < end:
            name_size = text[0]
            name = text + 1
            text = name + name_size
            if end - text < 1:
                raise self._damaged("a header has no value")
            type_ = text[0]
            text += 1
            if type_ > 9:
                raise self._damaged(f"a header is of the unknown type {type_}")
            value_size = VALUE_SIZES[type_]
            if value_size < 0:
                if end - text < 2:
                    raise self._damaged("a header has no value")
                value_size = (text[0] << 8) | text[1]
                text += 2
            if value_size > end - text:
                raise self._damaged("a header's value is cut off")
            if type_ == STRING and name_size > 0 and name[0] == b":":
                value = (<const char*>text)[:value_size].decode("utf-8", "replace")
                if is_name(name, name_size, b":message-type"):
                    self.kind = value
                elif (
                    is_name(name, name_size, b":event-type")
                    or is_name(name, name_size, b":exception-type")
                    or is_name(name, name_size, b":error-code")
                ):
                    self.event = value
                elif is_name(name, name_size, b":error-message"):
                    self.error_message = value
            text += value_size
        return 0

    cdef object _damaged(self, str problem):
        self._broken = MalformedResponseError(
            f"an event of the stream is no frame of an AWS event stream, or damaged: {problem}",
            code="damaged_frame",
        )
        return self._broken


cdef inline bint is_name(const unsigned char* name, Py_ssize_t size, bytes wanted):
    return size == PyBytes_GET_SIZE(wanted) and memcmp(
        name, PyBytes_AS_STRING(wanted), size
    ) == 0


cdef bytes event_frame(list headers, bytes payload):
    """Return a frame; *headers* are pairs of a name and a text, both bytes."""
    cdef list parts = [b""]
    cdef Py_ssize_t size
    cdef bytes made
    cdef unsigned char* text
    for name, value in headers:
        parts.append(bytes((len(name),)) + name + b"\x07" + len(value).to_bytes(2, "big") + value)
    head = b"".join(parts)
    size = PRELUDE + len(head) + len(payload) + CHECKSUM
    made = PyBytes_FromStringAndSize(NULL, size)
    # Nobody else has seen the new object yet: its bytes may be written.
    text = <unsigned char*>PyBytes_AS_STRING(made)
    put_u32(text, size)
    put_u32(text + 4, len(head))
    put_u32(text + 8, crc32(text, 8))
    memcpy(text + PRELUDE, PyBytes_AS_STRING(head), PyBytes_GET_SIZE(head))
    memcpy(text + PRELUDE + PyBytes_GET_SIZE(head), PyBytes_AS_STRING(payload),
           PyBytes_GET_SIZE(payload))
    put_u32(text + size - CHECKSUM, crc32(text, size - CHECKSUM))
    return made
