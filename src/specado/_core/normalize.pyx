"""Message normalization: Structs, dicts or a string to one checked `Conversation`.

The result holds nothing that the caller can change afterwards, so that every candidate of a
call is encoded from the same conversation. Invalid messages are reported here, before
anything is encoded, with the message's index and the field.
"""

from cpython.dict cimport PyDict_GetItemWithError
from cpython.ref cimport PyObject
from libc.string cimport memcmp

from specado._core.conversation cimport (
    ASSISTANT, AUDIO, DEVELOPER, FILE, FUNCTION, IMAGE, OTHER, REFUSAL, SYSTEM, TOOL, USER,
    Call, Conversation, Details, Part, Turn,
)
from specado._core.json_writer cimport exact, freeze, is_a
from specado._core.reply_fields cimport field, offset_of

from collections.abc import Mapping

from specado._core.json_writer import NotJson, locate
from specado._core.loss_rows import NATIVE_UNUSABLE, REASONING_EDITED
from specado._core.native import read_entry, reasoning_blocks
from specado._core.repair import REASONING_PARTS, given_place, text_of_reasoning
from specado.errors import MessageFormatError, type_and_beginning
from specado.types import (
    NATIVE_ENTRY, FunctionCall, Message, NativeBlock, NativeContent, ReasoningBlock, ToolCall,
)

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
    """Return whether *c* is one of the 64 characters of base64."""
    cdef unsigned char letter = c | 0x20
    return (
        <unsigned char>(letter - 0x61) < 26 or <unsigned char>(c - 0x30) < 10
        or c == 0x2B or c == 0x2F
    )


cdef inline bint _run_is_digits(const unsigned char* text) noexcept nogil:
    """Return whether `RUN` bytes are all base64; the constant lets the compiler use vectors."""
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


# Content parts

PART_TYPES = ("text", "image_url", "input_audio", "file", "refusal")
cdef frozenset IMAGE_KEYS = frozenset({"url", "detail"})
cdef frozenset AUDIO_KEYS = frozenset({"data", "format"})
cdef frozenset FILE_KEYS = frozenset({"file_data", "filename", "file_id"})
# Bytes of a part in a body besides its text, estimated.
cdef Py_ssize_t PART_BYTES = 80


cdef class PartReader:
    """Reader of content parts; knows the message's index for error messages.

    Base of `MessageReader`. One per call; not for two threads at once.
    """

    cdef object wrong(self, str field, str what):
        where = f"messages[{self.index}]" + (f".{field}" if field else "")
        return MessageFormatError(f"{where}: {what}", index=self.index, field=field or None)

    cdef str text_of(self, object value, str field, bint optional):
        """Return *value* as an exact `str`; a wrong type is an error naming the field."""
        if type(value) is str:
            return value
        if value is None and optional:
            return None
        if isinstance(value, str):
            return exact(value)
        raise self.wrong(field, f"must be a str, not {type_and_beginning(value)}")

    cdef object frozen(self, object value, str field):
        try:
            return freeze(value, 0)
        except NotJson as error:
            what = str(error)
            if error.value is not None:
                what = f"{type_and_beginning(error.value)} has no JSON form"
            raise self.wrong(field + locate(value), what) from None

    cdef dict read_extra(self, dict given, frozenset known, str field):
        cdef dict extra = None
        for name, value in given.items():
            if name in known:
                continue
            if not isinstance(name, str):
                raise self.wrong(field, f"a key of type {type(name).__name__}: keys are text")
            if extra is None:
                extra = {}
            name = self.frozen(name, field)
            extra[name] = self.frozen(value, f"{field}.{name}" if field else name)
        return extra

    cdef list read_parts(self, object parts, Turn turn):
        cdef list found = []
        cdef list taken = None if turn.more is None else turn.more.reasoning_parts
        for place, part in enumerate(parts):
            found.append(
                self.read_part(part, place if taken is None else given_place(place, taken))
            )
        if not found:
            raise self.wrong("content", "is an empty list: give at least one content part")
        return found

    cdef Part read_part(self, object given, Py_ssize_t place):
        cdef Part part = Part.__new__(Part)
        cdef dict source
        if isinstance(given, str):
            part.text = exact(given)
            self.count_part(part.text)
            return part
        if not isinstance(given, dict):
            raise self.wrong(
                f"content[{place}]",
                f"must be a dict with a type, not {type_and_beginning(given)}",
            )
        source = <dict>given
        kind = source.get("type")
        if isinstance(kind, str):
            kind = exact(kind)
        if type(kind) is str and kind == "text":
            text = source.get("text")
            part.text = (
                <str>text if type(text) is str
                else self.text_of(text, f"content[{place}].text", False)
            )
            self.count_part(part.text)
            if len(source) > 2:
                part.extra = self.read_extra(
                    source, frozenset({"type", "text"}), f"content[{place}]"
                )
            return part
        if type(kind) is str and kind == "image_url":
            self.count_part("")
            self.read_image(part, source.get("image_url"), place)
            if len(source) > 2:
                part.extra = self.read_extra(
                    source, frozenset({"type", "image_url"}), f"content[{place}]"
                )
            return part
        field = f"content[{place}]"
        if type(kind) is not str or kind not in PART_TYPES:
            shown = f"{kind!r:.80}" if type(kind) is str else f"a {type(kind).__name__}"
            raise self.wrong(
                f"{field}.type",
                f"{shown} is not a part type; known: {', '.join(PART_TYPES)}",
            )
        if kind == "refusal":
            part.kind = REFUSAL
            part.text = self.text_of(source.get("refusal"), f"{field}.refusal", False)
            self.count_part(part.text)
        else:
            self.count_part("")
            self.read_media(part, kind, source.get(kind), f"{field}.{kind}")
        if len(source) > 2:
            part.extra = self.read_extra(source, frozenset({"type", kind}), field)
        return part

    cdef int count_part(self, str text) except -1:
        self.found.characters += len(text)
        self.found.extra_bytes += PART_BYTES
        return 0

    cdef str refused_data(self, Part part, str text):
        """Store base64 data, a data URI or, of an image, any URL; return the error text."""
        keep_uri(part, text)
        if part.media is not None:
            if not part.start:
                return "a data URI must read data:<media type>;base64,<data>"
        elif part.kind == IMAGE:
            return None
        if not is_base64(part.text, part.start):
            return "the data is not base64"
        self.found.extra_bytes += len(part.text)
        return None

    cdef int read_data(self, Part part, str text, str field) except -1:
        cdef str what = self.refused_data(part, text)
        if what is not None:
            raise self.wrong(field, what)
        return 0

    cdef int read_image(self, Part part, object media, Py_ssize_t place) except -1:
        """Read an image part; paths are made only for error messages."""
        cdef object url = media
        cdef str what
        if isinstance(media, dict):
            url = (<dict>media).get("url")
        elif not isinstance(media, str):
            raise self.wrong(
                f"content[{place}].image_url", f"must be a dict, not {type_and_beginning(media)}"
            )
        if type(url) is not str:
            url = self.text_of(url, f"content[{place}].image_url.url", False)
        part.kind = IMAGE
        what = self.refused_data(part, <str>url)
        if what is not None:
            raise self.wrong(f"content[{place}].image_url.url", what)
        self.found.images += 1
        if isinstance(media, dict) and len(<dict>media) > 1:
            part.detail = self.text_of(
                (<dict>media).get("detail"), f"content[{place}].image_url.detail", True
            )
            part.media_extra = self.read_extra(
                <dict>media, IMAGE_KEYS, f"content[{place}].image_url"
            )
        return 0

    cdef int read_media(self, Part part, str kind, object media, str field) except -1:
        cdef frozenset known
        cdef dict source
        if not isinstance(media, dict):
            raise self.wrong(field, f"must be a dict, not {type_and_beginning(media)}")
        source = <dict>media
        if kind == "input_audio":
            part.kind = AUDIO
            known = AUDIO_KEYS
            self.read_data(part, self.text_of(source.get("data"), f"{field}.data", False),
                           f"{field}.data")
            part.detail = self.text_of(source.get("format"), f"{field}.format", False)
            self.found.sounds += 1
        else:
            part.kind = FILE
            known = FILE_KEYS
            part.text = self.text_of(source.get("file_data"), f"{field}.file_data", True)
            part.detail = self.text_of(source.get("filename"), f"{field}.filename", True)
            part.file_id = self.text_of(source.get("file_id"), f"{field}.file_id", True)
            if part.text is None and part.file_id is None:
                raise self.wrong(field, "needs file_data or file_id")
            if part.text is not None:
                self.read_data(part, part.text, f"{field}.file_data")
            self.found.files += 1
        if len(source) > 1:
            part.media_extra = self.read_extra(source, known, field)
        return 0


# Messages

cdef dict ROLES = {
    "system": SYSTEM,
    "developer": DEVELOPER,
    "user": USER,
    "assistant": ASSISTANT,
    "tool": TOOL,
    "function": FUNCTION,
}
cdef frozenset MESSAGE_KEYS = frozenset({
    "role", "content", "name", "tool_calls", "tool_call_id", "refusal", "reasoning",
    "reasoning_details", "audio", "function_call", "reasoning_content", "native",
})
cdef object BLOCK = ReasoningBlock
cdef tuple REASONING_FIELDS = ReasoningBlock.__struct_fields__
cdef enum:
    MOST_FIELDS = 16
# Where a `ReasoningBlock` keeps its fields.
cdef Py_ssize_t[MOST_FIELDS] REASONING_OFFSETS
for _place, _name in enumerate(REASONING_FIELDS):
    REASONING_OFFSETS[_place] = offset_of(ReasoningBlock, _name)
cdef Py_ssize_t NATIVE_BLOCKS = offset_of(NativeContent, "blocks")
cdef Py_ssize_t NATIVE_REASONING = offset_of(NativeContent, "reasoning")
cdef Py_ssize_t BLOCK_KIND = offset_of(NativeBlock, "kind")
cdef Py_ssize_t BLOCK_VALUES = offset_of(NativeBlock, "values")
# The texts of LiteLLM's `thinking_blocks` are under this name.
cdef str THINKING = "thinking"

# Bytes of a call and its result in a body besides their text, estimated.
cdef Py_ssize_t CALL_BYTES = 200


cdef class MessageReader(PartReader):
    """Reader of one call's messages into a `Conversation`. Not for two threads at once."""

    cdef int read(self, object message) except -1:
        if isinstance(message, dict):
            self.read_dict(<dict>message)
        elif is_a(message, Message):
            self.read_struct(message)
        elif is_a(message, Mapping):
            self.read_dict(dict(message))
        else:
            raise self.wrong(
                "",
                "must be a Message or a dict with role and content, "
                f"not {type_and_beginning(message)}",
            )
        return 0

    cdef Turn begin(self, object role):
        cdef Turn turn = Turn.__new__(Turn)
        turn.role_name = <str>role if type(role) is str else self.text_of(role, "role", False)
        # The names in a program's text are these very objects.
        if turn.role_name is "user":
            turn.role = USER
        elif turn.role_name is "assistant":
            turn.role = ASSISTANT
        else:
            turn.role = ROLES.get(turn.role_name, OTHER)
        return turn

    cdef int finish(self, Turn turn, object content) except -1:
        """Read the content and keep the turn."""
        if type(content) is str:
            turn.text = content
            self.found.characters += len(<str>content)
        elif content is None:
            if turn.role != ASSISTANT and turn.role != FUNCTION:
                raise self.wrong("content", f"is missing: a {turn.role_name} message needs one")
            if turn.role == ASSISTANT and not self.speaks(turn.more):
                raise self.wrong(
                    "content", "is missing: an assistant message needs content or tool_calls"
                )
        elif isinstance(content, str):
            turn.text = exact(content)
            self.found.characters += len(turn.text)
        elif isinstance(content, (list, tuple)):
            rest = self.without_reasoning(turn, content) if turn.role == ASSISTANT else content
            if content and not rest:
                return self.finish(turn, None)
            turn.parts = self.read_parts(rest, turn)
        else:
            raise self.wrong(
                "content",
                "must be a str, a list of content parts or None, "
                f"not {type_and_beginning(content)}",
            )
        return self.keep(turn)

    cdef object without_reasoning(self, Turn turn, object parts):
        """Return an assistant's parts without those that hold reasoning, which are kept apart."""
        cdef list thoughts = []
        cdef list kept = []
        cdef list rest = []
        for place, part in enumerate(parts):
            if not is_reasoning_part(part):
                rest.append(part)
            else:    # what is no JSON, or nested too deep, is refused first
                found = self.frozen(part, f"content[{place}]")
                thoughts.append(text_of_reasoning(found))
                kept.append((place, found))
        if not thoughts:
            return parts
        if turn.more is None:
            turn.more = Details.__new__(Details)
        turn.more.reasoning_parts = kept
        self.found.has_reasoning = True
        if turn.more.reasoning is None:
            turn.more.reasoning = "".join(thoughts) or None
            turn.more.is_given = False    # not under a name that a server would know
        return rest

    cdef int keep(self, Turn turn) except -1:
        """Keep a turn whose content is read, if it answers a call where it must."""
        if turn.role == TOOL:
            self.check_answer(turn)
        elif turn.role == ASSISTANT:
            if turn.more is not None and turn.more.calls is not None:
                self.open_calls = {call.id for call in turn.more.calls}
            else:
                self.open_calls = None
        self.found.turns.append(turn)
        return 0

    cdef bint speaks(self, Details more):
        return more is not None and (
            more.calls is not None
            or more.refusal is not None
            or more.audio is not None
            or more.function_call is not None
            or more.reasoning is not None
            or more.reasoning_details is not None
            or more.native is not None
        )

    cdef int check_answer(self, Turn turn) except -1:
        if turn.more is None or turn.more.tool_call_id is None:
            raise self.wrong("tool_call_id", "is missing: a tool message names the call it answers")
        if self.open_calls is None or turn.more.tool_call_id not in self.open_calls:
            raise self.wrong(
                "tool_call_id",
                f"{turn.more.tool_call_id!r} answers no call: the last assistant message "
                "before it made no tool call of that id",
            )
        return 0

    cdef int read_struct(self, object message) except -1:
        cdef Turn turn = self.begin(message.role)
        cdef Details more
        if (
            message.name is not None
            or message.tool_calls is not None
            or message.tool_call_id is not None
            or message.reasoning is not None
            or message.reasoning_details is not None
            or message.refusal is not None
            or message.audio is not None
            or message.annotations
            or message.native is not None
        ):
            more = turn.more = Details.__new__(Details)
            more.name = self.text_of(message.name, "name", True)
            more.tool_call_id = self.text_of(message.tool_call_id, "tool_call_id", True)
            more.refusal = self.text_of(message.refusal, "refusal", True)
            more.reasoning = self.text_of(message.reasoning, "reasoning", True)
            more.calls = self.read_calls(message.tool_calls)
            native = message.native
            if native is not None and has_reasoning_of(
                message.reasoning_details, more.reasoning, native
            ):
                more.native = native
                more.reasoning_details = reasoning_blocks(native)
                self.found.has_reasoning = True
            else:
                self.read_reasoning(more, message.reasoning_details, "reasoning_details")
                self.read_native(more, native)
            more.audio = self.read_audio(message.audio)
            if message.annotations:
                more.extra = {"annotations": self.frozen(message.annotations, "annotations")}
        return self.finish(turn, message.content)

    cdef int read_dict(self, dict message) except -1:
        cdef Turn turn
        cdef Details more
        cdef Py_ssize_t left = len(message)
        cdef object role = taken(message, "role", &left)
        cdef object content = taken(message, "content", &left)
        if role is None:
            raise self.wrong("role", "is missing")
        turn = self.begin(role)
        if left:
            call_id = taken(message, "tool_call_id", &left)
            calls = taken(message, "tool_calls", &left)
            more = turn.more = Details.__new__(Details)
            if left:
                more.name = self.text_of(taken(message, "name", &left), "name", True)
            more.tool_call_id = self.text_of(call_id, "tool_call_id", True)
            if left:
                more.refusal = self.text_of(taken(message, "refusal", &left), "refusal", True)
                more.reasoning = self.text_of(taken(message, "reasoning", &left), "reasoning", True)
                if more.reasoning is not None:
                    self.found.has_reasoning = more.is_given = True
            if calls is not None:
                more.calls = self.read_calls(calls)
        if left:
            self.read_reasoning(more, message.get("reasoning_details"), "reasoning_details")
            more.reasoning_content = self.text_of(
                message.get("reasoning_content"), "reasoning_content", True
            )
            if more.reasoning is None:
                more.reasoning = more.reasoning_content
            if more.reasoning_details is None and message.get("thinking_blocks") is not None:
                self.read_reasoning(more, message["thinking_blocks"], "thinking_blocks")
            more.is_given = True
            self.read_native(more, message.get("native"))
            more.audio = self.read_audio(message.get("audio"))
            if message.get("function_call") is not None:
                more.function_call = self.frozen(message["function_call"], "function_call")
            more.extra = self.read_extra(message, MESSAGE_KEYS, "")
        return self.finish(turn, content)

    cdef object read_audio(self, object audio):
        if audio is None:
            return None
        if not isinstance(audio, dict) or not isinstance(audio.get("id"), str):
            raise self.wrong("audio", "must be a dict with the id of an earlier audio answer")
        return {"id": audio["id"]}

    cdef int read_reasoning(self, Details more, object blocks, str name) except -1:
        """Read reasoning blocks, ours or OpenRouter's, or those of LiteLLM's `thinking_blocks`."""
        cdef dict given
        if blocks is None:
            return 0
        if not isinstance(blocks, (list, tuple)):
            raise self.wrong(name, f"must be a list, not {type(blocks).__name__}")
        cdef list found = []
        cdef list as_given = []
        for place, block in enumerate(blocks):
            field = f"{name}[{place}]"
            if is_a(block, ReasoningBlock):
                given = {each: getattr(block, each) for each in REASONING_FIELDS}
                given = {each: value for each, value in given.items() if value is not None}
            elif isinstance(block, dict):
                given = <dict>block
            else:
                raise self.wrong(
                    field, f"must be a ReasoningBlock or a dict, not {type(block).__name__}"
                )
            kind = self.text_of(given.get("type"), f"{field}.type", False)
            if kind == NATIVE_ENTRY:
                self.stored = given
                self.stored_path = f"messages[{self.index}].{field}"
                continue
            more.is_given = more.is_given or isinstance(block, dict)
            text = THINKING if name == "thinking_blocks" else "text"
            index = given.get("index")
            found.append(ReasoningBlock(
                kind,
                self.text_of(given.get(text), f"{field}.{text}", True),
                self.text_of(given.get("signature"), f"{field}.signature", True),
                self.text_of(given.get("data"), f"{field}.data", True),
                self.text_of(given.get("model"), f"{field}.model", True),
                self.text_of(given.get("id"), f"{field}.id", True),
                self.text_of(given.get("format"), f"{field}.format", True),
                index if type(index) is int else None,
                self.text_of(given.get("summary"), f"{field}.summary", True),
            ))
            as_given.append(self.frozen(given, field))
        more.reasoning_details = found or None
        more.given_details = as_given
        more.details_name = name
        return 0

    cdef int read_native(self, Details more, object native) except -1:
        """Read an answer's record, its own or a stored one; keep of its reasoning what is the same.

        A stored record tells the reasoning where the message itself has none.
        """
        cdef str path = self.stored_path
        if native is not None and type(native) is not NativeContent:
            native = None    # the JSON of a whole Message: only the stored form is read back
            self.found.changes.append((NATIVE_UNUSABLE, f"messages[{self.index}].native"))
        if native is None and self.stored is not None:
            native = read_entry(self.stored)
            if native is None:
                self.found.changes.append((NATIVE_UNUSABLE, path))
            elif more.reasoning is None and more.reasoning_details is None:
                more.reasoning = native.reasoning
                more.reasoning_details = reasoning_blocks(native)
        self.stored = None
        if native is not None:
            more.native = native
            self.compare_reasoning(more)
        if (
            native is not None or more.reasoning is not None or more.reasoning_details is not None
        ):
            self.found.has_reasoning = True
        return 0

    cdef int compare_reasoning(self, Details more) except -1:
        """Leave out the reasoning blocks that are no longer as the provider wrote them."""
        cdef list kept = more.native.kept_reasoning(more.reasoning, more.reasoning_details)
        cdef bint had_any = more.reasoning is not None or more.reasoning_details is not None
        if kept is None:
            return 0
        more.kept = kept
        made = reasoning_blocks(more.native)
        if made is None:    # there is only text, which may be another now
            if more.reasoning_details is None:
                return 0
            made = []
        elif more.reasoning == more.native.reasoning and True not in kept:
            more.reasoning = None    # its blocks were removed
        more.reasoning_details = [block for block, same in zip(made, kept) if same] or None
        if had_any and False in kept:
            self.found.changes.append(
                (REASONING_EDITED, f"messages[{self.index}].reasoning_details")
            )
        return 0

    cdef list read_calls(self, object calls):
        if calls is None:
            return None
        if not isinstance(calls, (list, tuple)):
            raise self.wrong("tool_calls", f"must be a list, not {type(calls).__name__}")
        cdef list found = []
        for place, call in enumerate(calls):
            found.append(self.read_call(call, place))
        return found or None

    cdef Call read_call(self, object call, Py_ssize_t place):
        cdef Call found = Call.__new__(Call)
        cdef dict given
        cdef dict source
        if isinstance(call, dict):
            given = <dict>call
        elif is_a(call, ToolCall):
            given = {"id": call.id, "type": call.type}
            given["custom" if call.type == "custom" else "function"] = (
                call.custom if call.type == "custom" else call.function
            )
        else:
            raise self.wrong(
                f"tool_calls[{place}]", f"must be a ToolCall or a dict, not {type(call).__name__}"
            )
        found.id = self.call_text(given.get("id"), place, "id", False)
        kind = self.call_text(given.get("type"), place, "type", True) or "function"
        if kind != "function" and kind != "custom":
            raise self.wrong(
                f"tool_calls[{place}].type", f"{kind!r} is not a call type: function or custom"
            )
        found.custom = kind == "custom"
        body = given.get(kind)
        if not isinstance(body, dict):
            if not is_a(body, FunctionCall):
                raise self.wrong(
                    f"tool_calls[{place}].{kind}", "must be a dict with the call's name and input"
                )
            body = {"name": body.name, "arguments": body.arguments}
        source = <dict>body
        if found.custom:
            found.name = self.call_text(source.get("name"), place, "custom.name", False)
            found.text = self.call_text(source.get("input"), place, "custom.input", False)
        else:
            found.name = self.call_text(source.get("name"), place, "function.name", False)
            found.text = self.call_text(source.get("arguments"), place, "function.arguments", False)
        if len(source) > 2:
            text_key = "input" if found.custom else "arguments"
            found.body_extra = self.read_extra(
                source, frozenset({"name", text_key}), f"tool_calls[{place}].{kind}"
            )
        self.count_call(found)
        if len(given) > 3 or (len(given) == 3 and "type" not in given):
            found.extra = self.read_extra(
                given, frozenset({"id", "type", kind}), f"tool_calls[{place}]"
            )
            if found.extra is not None and "extra_content" in found.extra:
                self.found.has_reasoning = True    # a signature of the reasoning
        return found

    cdef int count_call(self, Call call) except -1:
        self.found.characters += len(call.name) + len(call.text)
        self.found.extra_bytes += CALL_BYTES
        return 0

    cdef str call_text(self, object value, Py_ssize_t place, str field, bint optional):
        """Return a text of a call; its path is built only for an error message."""
        if type(value) is str:
            return <str>value
        return self.text_of(value, f"tool_calls[{place}].{field}", optional)


cdef bint has_reasoning_of(object blocks, str text, object native) except -1:
    """Return whether a message has the reasoning of its record, unchanged."""
    cdef Py_ssize_t count = 0
    cdef Py_ssize_t at
    cdef tuple values
    if not same(field(native, NATIVE_REASONING), text) or not (
        blocks is None or type(blocks) is list
    ):
        return False
    for block in <tuple>field(native, NATIVE_BLOCKS):
        if <str>field(block, BLOCK_KIND) != "reasoning":
            continue
        if blocks is None or count == len(<list>blocks):
            return False
        said = (<list>blocks)[count]
        if type(said) is not BLOCK:
            return False
        values = <tuple>field(block, BLOCK_VALUES)
        for at in range(len(values)):
            if not same(values[at], field(said, REASONING_OFFSETS[at])):
                return False
        count += 1
    return count == (0 if blocks is None else len(<list>blocks))


cdef inline bint same(object one, object other) except -1:
    return one is other or one == other


cdef object taken(dict given, str name, Py_ssize_t* left):
    """Return a member and count it off those *left*; `None` if it is missing, or none is left."""
    cdef PyObject* found
    if left[0] == 0:
        return None
    found = PyDict_GetItemWithError(given, name)
    if found == NULL:
        return None
    left[0] -= 1
    return <object>found


cdef object not_messages(object given):
    return MessageFormatError(
        f"messages must be a list of messages or one str, not {type_and_beginning(given)}",
        field="messages",
    )


cdef bint is_reasoning_part(object part):
    """Return whether a content part is reasoning; no method of the part runs."""
    cdef object kind
    if not isinstance(part, dict):
        return False
    kind = (<dict>part).get("type")
    return isinstance(kind, str) and exact(kind) in REASONING_PARTS


def normalize(messages):
    """Return the `Conversation` that *messages* stand for.

    *messages* is one string (a user turn) or an iterable of `Message`s and dicts in OpenAI's
    shape. Raises `MessageFormatError` naming the message's index and the field.
    """
    cdef MessageReader reader = MessageReader.__new__(MessageReader)
    reader.found = Conversation.__new__(Conversation)
    reader.found.turns = []
    if isinstance(messages, str):
        messages = ({"role": "user", "content": messages},)
    elif isinstance(messages, (dict, bytes, bytearray)) or is_a(messages, Message):
        raise not_messages(messages)
    try:
        given = iter(messages)
    except TypeError:
        raise not_messages(messages) from None
    for message in given:
        reader.read(message)
        reader.index += 1
    if not reader.found.turns:
        raise MessageFormatError("messages is empty: give at least one message", field="messages")
    return reader.found
