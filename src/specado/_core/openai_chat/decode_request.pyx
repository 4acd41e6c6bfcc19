"""Fast decoder of OpenAI messages from a request's JSON text, without dicts in between.

Only what most messages have is read here. Other messages go through a decoder. Invalid JSON
and invalid messages are left to the decoder of the whole text, so that errors have one source.
"""

cimport cython

from specado._core.conversation cimport Call, Conversation, Details, Part, Turn
from specado._core.json_scan cimport (
    Scan, is_plain_ascii, skip_space, skip_text, skip_value, skip_word, take,
)
from specado._core.normalize cimport MessageReader

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.string cimport memchr, memcmp, memcpy

import msgspec

from specado.errors import MessageFormatError

cdef extern from "Python.h":
    str PyUnicode_New(Py_ssize_t length, Py_UCS4 largest)
    char* PyUnicode_1BYTE_DATA(object text)

cdef object decode = msgspec.json.decode

cdef enum:
    ROLE = 1
    CONTENT = 2
    TOOL_CALL_ID = 4
    TOOL_CALLS = 8
    NAME = 16
    REFUSAL = 32
    ID = 64
    TYPE = 128
    FUNCTION = 256
    ARGUMENTS = 512
    TEXT = 1024
    IMAGE_URL = 2048
    URL = 4096
    DETAIL = 8192


@cython.final
cdef class TextReader(MessageReader):
    """Reader of the messages in a request's JSON text.

    A method that returns `False` or `None` leaves the text to the ordinary decoder. The scan
    points into the text, which the caller keeps alive. Not for two threads at once.
    """

    cdef Scan scan
    cdef str said   # the text that was read last
    cdef int seen   # the member whose name was read last
    cdef bint ended   # whether the object is over whose member was looked for last

    cdef bint find_messages(self, bytes text, list place) except -1:
        """Read a request; put where its messages begin and end into *place*."""
        cdef const unsigned char* start = <const unsigned char*>PyBytes_AS_STRING(text)
        cdef const unsigned char* name
        cdef Py_ssize_t length
        self.scan.at = start
        self.scan.end = start + PyBytes_GET_SIZE(text)
        if not take(&self.scan, b"{"):
            return False
        while True:
            skip_space(&self.scan)
            name = self.scan.at
            length = self.skip_name()
            if length < 0 or not take(&self.scan, b":"):
                return False
            skip_space(&self.scan)
            if length == 8 and memcmp(name + 1, b"messages", 8) == 0:
                place.append(self.scan.at - start)
                if len(place) > 1 or not self.read_messages():
                    return False
                place.append(self.scan.at - start)
            elif not skip_value(&self.scan, 0):
                return False
            if take(&self.scan, b"}"):
                break
            if not take(&self.scan, b","):
                return False
        skip_space(&self.scan)
        return self.scan.at == self.scan.end and len(place) == 2

    cdef Py_ssize_t skip_name(self) noexcept:
        """Pass a string of plain ASCII, as names are; return its length, -1 if it is another."""
        cdef const unsigned char* start = self.scan.at + 1
        cdef const unsigned char* end
        if self.scan.at == self.scan.end or self.scan.at[0] != b'"':
            return -1
        end = <const unsigned char*>memchr(start, b'"', self.scan.end - start)
        if end == NULL or not is_plain_ascii(start, end - start):
            return -1
        self.scan.at = end + 1
        return end - start

    cdef bint read_messages(self) except -1:
        if not take(&self.scan, b"["):
            return False
        while True:
            skip_space(&self.scan)
            if not self.read_message():
                return False
            self.index += 1
            if take(&self.scan, b"]"):
                return True
            if not take(&self.scan, b","):
                return False

    cdef bint read_message(self) except -1:
        cdef const unsigned char* start = self.scan.at
        cdef Conversation found = self.found
        cdef Py_ssize_t characters = found.characters
        cdef Py_ssize_t extra_bytes = found.extra_bytes
        cdef Py_ssize_t images = found.images
        if self.read_usual():
            return True
        found.characters = characters
        found.extra_bytes = extra_bytes
        found.images = images
        self.scan.at = start
        if not skip_value(&self.scan, 0):
            return False
        self.read(decode(<bytes>start[:self.scan.at - start]))
        return True

    cdef bint read_usual(self) except -1:
        """Read a message that has nothing but the usual members."""
        cdef int members = 0
        cdef Details more = None
        cdef str role = None
        cdef str text = None
        cdef list parts = None
        while self.next_member(&members):
            if more is None and self.seen != ROLE and self.seen != CONTENT:
                more = Details.__new__(Details)
            if self.seen == ROLE:
                role = self.role()
                if role is None:
                    return False
            elif self.seen == CONTENT:
                if self.scan.at[0] == b"[":
                    parts = self.parts()
                    if parts is None:
                        return False
                elif self.read_text(True):
                    text = self.said
                else:
                    return False
            elif self.seen == TOOL_CALLS:
                more.calls = self.calls()
                if more.calls is None:
                    return False
            elif not self.read_text(True):
                return False
            elif self.seen == TOOL_CALL_ID:
                more.tool_call_id = self.said
            elif self.seen == NAME:
                more.name = self.said
            elif self.seen == REFUSAL:
                more.refusal = self.said
            else:
                return False
        if not self.ended or role is None:
            return False
        return self.add(self.begin(role), more, text, parts)

    cdef bint add(self, Turn turn, Details more, str text, list parts) except -1:
        turn.more = more
        if parts is None:
            self.finish(turn, text)
        else:
            turn.parts = parts
            self.keep(turn)
        return True

    cdef bint next_member(self, int* members) except -1:
        """Go to the value of an object's next member; return whether there is one.

        If not, `ended` tells whether the object did: a name that is not known, or comes again, is
        none.
        """
        cdef const unsigned char* name
        cdef Py_ssize_t length
        self.ended = False
        if not take(&self.scan, b"," if members[0] else b"{"):
            self.ended = members[0] != 0 and take(&self.scan, b"}")
            return False
        skip_space(&self.scan)
        name = self.scan.at + 1
        length = self.skip_name()
        self.seen = member_of(name, length)
        if not self.seen or members[0] & self.seen or not take(&self.scan, b":"):
            return False
        members[0] |= self.seen
        skip_space(&self.scan)
        return self.scan.at < self.scan.end

    cdef str role(self):
        if skip_word(&self.scan, b'"user"', 6):
            return "user"
        if skip_word(&self.scan, b'"assistant"', 11):
            return "assistant"
        if skip_word(&self.scan, b'"tool"', 6):
            return "tool"
        return self.said if self.read_text(False) else None

    cdef bint read_text(self, bint optional) except -1:
        """Read a string into `said`, or null if it is *optional*; return whether it is one."""
        cdef const unsigned char* start = self.scan.at
        cdef Py_ssize_t length
        if start[0] != b'"':
            self.said = None
            return optional and skip_word(&self.scan, b"null", 4)
        length = self.skip_name()
        if length >= 0:
            self.said = PyUnicode_New(length, 127)
            memcpy(PyUnicode_1BYTE_DATA(self.said), start + 1, length)
            return True
        self.scan.at = start
        if not skip_text(&self.scan):
            return False
        self.said = unescaped(start, self.scan.at - start)
        return True

    cdef list parts(self):
        cdef list found = []
        cdef Part part
        self.scan.at += 1
        while True:
            part = self.part(len(found))
            if part is None:
                return None
            found.append(part)
            if take(&self.scan, b"]"):
                return found
            if not take(&self.scan, b","):
                return None

    cdef Part part(self, Py_ssize_t place):
        cdef Part part = Part.__new__(Part)
        cdef int members = 0
        cdef str kind = None
        cdef str text = None
        cdef str url = None
        while self.next_member(&members):
            if self.seen == IMAGE_URL:
                url = self.image_url(part)
                if url is None:
                    return None
            elif not self.read_text(False):
                return None
            elif self.seen == TYPE:
                kind = self.said
            elif self.seen == TEXT:
                text = self.said
            else:
                return None
        if not self.ended:
            return None
        if members == (TYPE | TEXT) and kind == "text":
            part.text = text
            self.count_part(text)
            return part
        if members == (TYPE | IMAGE_URL) and kind == "image_url":
            self.count_part("")
            self.read_image(part, url, place)
            return part
        return None

    cdef str image_url(self, Part part):
        """Return the URL of an image, whose detail becomes the part's."""
        cdef int members = 0
        cdef str url = None
        while self.next_member(&members):
            if not self.read_text(self.seen == DETAIL):
                return None
            if self.seen == URL:
                url = self.said
            elif self.seen == DETAIL:
                part.detail = self.said
            else:
                return None
        return url if self.ended else None

    cdef list calls(self):
        cdef list found = []
        cdef Call call
        if self.scan.at[0] != b"[":
            return None
        self.scan.at += 1
        while True:
            call = self.call()
            if call is None:
                return None
            found.append(call)
            if take(&self.scan, b"]"):
                return found
            if not take(&self.scan, b","):
                return None

    cdef Call call(self):
        cdef Call call = Call.__new__(Call)
        cdef int members = 0
        while self.next_member(&members):
            if self.seen == ID and self.read_text(False):
                call.id = self.said
            elif self.seen == TYPE and skip_word(&self.scan, b'"function"', 10):
                continue
            elif self.seen != FUNCTION or not self.read_function(call):
                return None
        if not self.ended or call.id is None or call.text is None:
            return None
        self.count_call(call)
        return call

    cdef bint read_function(self, Call call) except -1:
        cdef int members = 0
        while self.next_member(&members):
            if not self.read_text(False):
                return False
            if self.seen == NAME:
                call.name = self.said
            elif self.seen == ARGUMENTS:
                call.text = self.said
            else:
                return False
        return self.ended and call.name is not None and call.text is not None


cdef int member_of(const unsigned char* name, Py_ssize_t length) noexcept nogil:
    """Return which of the usual members a name is, 0 for none."""
    if length == 2:
        return ID if memcmp(name, b"id", 2) == 0 else 0
    if length == 3:
        return URL if memcmp(name, b"url", 3) == 0 else 0
    if length == 4:
        if memcmp(name, b"role", 4) == 0:
            return ROLE
        if memcmp(name, b"type", 4) == 0:
            return TYPE
        if memcmp(name, b"text", 4) == 0:
            return TEXT
        return NAME if memcmp(name, b"name", 4) == 0 else 0
    if length == 6:
        return DETAIL if memcmp(name, b"detail", 6) == 0 else 0
    if length == 7:
        if memcmp(name, b"content", 7) == 0:
            return CONTENT
        return REFUSAL if memcmp(name, b"refusal", 7) == 0 else 0
    if length == 8:
        return FUNCTION if memcmp(name, b"function", 8) == 0 else 0
    if length == 9:
        if memcmp(name, b"arguments", 9) == 0:
            return ARGUMENTS
        return IMAGE_URL if memcmp(name, b"image_url", 9) == 0 else 0
    if length == 10:
        return TOOL_CALLS if memcmp(name, b"tool_calls", 10) == 0 else 0
    if length == 12:
        return TOOL_CALL_ID if memcmp(name, b"tool_call_id", 12) == 0 else 0
    return 0


cdef str unescaped(const unsigned char* quoted, Py_ssize_t length):
    """Return the text that a scanned JSON string of *length* bytes stands for."""
    cdef const unsigned char* at = quoted + 1
    cdef const unsigned char* end = quoted + length - 1
    cdef const unsigned char* escape = <const unsigned char*>memchr(at, 0x5C, end - at)
    cdef bytes room
    cdef char* written
    cdef Py_ssize_t run
    if escape == NULL:
        return PyUnicode_DecodeUTF8(<const char*>at, end - at, NULL)
    room = PyBytes_FromStringAndSize(NULL, length)
    written = PyBytes_AS_STRING(room)
    while True:
        run = (end if escape == NULL else escape) - at
        memcpy(written, at, run)
        written += run
        if escape == NULL:
            break
        if escape[1] == b"u":
            return decode(<bytes>quoted[:length])
        written[0] = meant_by(escape[1])
        written += 1
        at = escape + 2
        escape = <const unsigned char*>memchr(at, 0x5C, end - at)
    return PyUnicode_DecodeUTF8(PyBytes_AS_STRING(room), written - PyBytes_AS_STRING(room), NULL)


cdef char meant_by(unsigned char letter) noexcept nogil:
    """Return the character that a backslash and a letter stand for."""
    if letter == b"n":
        return 0x0A
    if letter == b"r":
        return 0x0D
    if letter == b"t":
        return 0x09
    if letter == b"b":
        return 0x08
    if letter == b"f":
        return 0x0C
    return <char>letter


def read_messages(bytes text not None):
    """Return the `Conversation` in a request's text, and where its messages begin and end.

    Of the rest of *text* nothing is known but where it ends. `None` says that the text has to
    be decoded: something in it is not right, or not usual.
    """
    cdef TextReader reader = TextReader.__new__(TextReader)
    cdef list place = []
    reader.found = Conversation.__new__(Conversation)
    reader.found.turns = []
    try:
        if not reader.find_messages(text, place):
            return None
    except (MessageFormatError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return reader.found, place[0], place[1]
