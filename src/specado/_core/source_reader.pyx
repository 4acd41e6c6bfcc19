"""Base of the request decoders: checks of a request's values, its losses, its turns."""

from specado._core.conversation cimport Conversation, Details, Part, Turn
from specado._core.json_writer cimport freeze, plain_copy, written
from specado._core.normalize cimport is_base64, keep_uri

from specado._core.json_writer import NotJson, locate
from specado._core.loss_rows import PART_UNKNOWN_KEY
from specado.errors import MessageFormatError, type_and_beginning


cdef class SourceReader:
    """Reads one request of a dialect. One per request; not for two threads at once.

    The conversation shares the text of the request, and copies everything that a caller could
    change later.
    """

    def __cinit__(self):
        self.conversation = Conversation.__new__(Conversation)
        self.content_member = "messages"
        self.params = {}
        self.places = {}
        self.losses = []

    cdef object malformed(self, str path, str what):
        """Return the error of a malformed member at *path*."""
        cdef object index = None
        cdef str field = path
        if path.startswith("messages["):
            head, _, field = path.partition("]")
            index = int(head[9:])
            field = field.lstrip(".") or None
        return MessageFormatError(f"{path}: {what}", index=index, field=field)

    cdef str shown(self, object value, str path):
        """Return a value's type for an error; of a message's content also its beginning."""
        if path.startswith(f"{self.content_member}["):
            return type_and_beginning(value)
        return type(value).__name__

    cdef int lose(self, str row, str path, object before=None, object after=None) except -1:
        self.losses.append((row, path, before, after))
        return 0

    cdef str text_of(self, object value, str path):
        if type(value) is str:
            return value
        if isinstance(value, str):
            return str.__str__(value)
        raise self.malformed(path, f"must be a str, not {self.shown(value, path)}")

    cdef dict dict_of(self, object value, str path):
        if not isinstance(value, dict):
            raise self.malformed(path, f"must be a dict, not {self.shown(value, path)}")
        # A subclass may override its methods, and Cython does not compile it as a `dict`.
        return <dict>value if type(value) is dict else plain_copy(<dict>value)

    cdef object frozen(self, object value, str path):
        try:
            return freeze(value, 0)
        except NotJson as error:
            what = str(error)
            if error.value is not None:
                what = f"{self.shown(error.value, path)} has no JSON form"
            raise self.malformed(path + locate(value), what) from None

    cdef object written(self, object value, str path):
        """Return a schema together with its JSON text, written once for all candidates."""
        if not isinstance(value, dict):
            return self.frozen(value, path)
        try:
            return written(<dict>value)
        except NotJson as error:
            raise self.malformed(path + locate(value), str(error)) from None

    cdef str counted(self, str text):
        self.conversation.characters += len(text)
        return text

    cdef int add(self, int role, str name, str text, list parts, Details more, str path) except -1:
        cdef Turn turn = Turn.__new__(Turn)
        turn.role = role
        turn.role_name = name
        turn.text = text
        turn.parts = parts
        turn.more = more
        turn.origin = path
        self.conversation.turns.append(turn)
        return 0

    cdef int take_uri(self, Part part, str uri, str path) except -1:
        """Keep a URL or a data URI as a part's text; data that is not base64 is an error."""
        keep_uri(part, uri)
        if part.media is None:
            return 0
        if not part.start or not is_base64(part.text, part.start):
            raise self.malformed(path, "a data URI must read data:<media type>;base64,<data>")
        self.conversation.extra_bytes += len(part.text)
        return 0

    cdef int check_keys(self, dict given, frozenset known, str path) except -1:
        """Report the members that are not *known*, unless they are null."""
        for name in given:
            if name not in known and given[name] is not None:
                self.lose(PART_UNKNOWN_KEY, f"{path}.{name}", given[name])
        return 0

    cdef int check_losses(self) except -1:
        """Check that values which are left out have a JSON form too."""
        for _, path, before, _ in self.losses:
            self.frozen(before, path)
        return 0
