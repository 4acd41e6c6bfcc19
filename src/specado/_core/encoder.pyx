"""Base class of the request encoders of all dialects."""

cimport cython

from specado._core.conversation cimport Call, Conversation
from specado._core.json_scan cimport Scan, skip_value
from specado._core.json_writer cimport JsonWriter, bare_text, exact
from specado._core.reply_fields cimport field, offset_of

import json

import msgspec

from specado._core.json_writer import NotJson, locate
from specado._core.loss_rows import (
    NATIVE_FOREIGN, NATIVE_ORDER, TOOL_CALL_ARGUMENTS, TOOL_CALL_REPEATED_ID, USER_HASHED,
)
from specado._core.native import has_own_order, model_family
from specado.errors import MessageFormatError
from specado.types import NativeContent

cdef Py_ssize_t NATIVE_PROVIDER = offset_of(NativeContent, "provider")
cdef Py_ssize_t NATIVE_TAG = offset_of(NativeContent, "tag")


cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    const char* PyUnicode_1BYTE_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)


cdef enum:
    # So many of a message's calls and parts have their fields' names made beforehand.
    FEW = 16

# Bytes of a body besides its text, estimated; unused memory is given back.
cdef Py_ssize_t FEW_BYTES = 1000
cdef Py_ssize_t TURN_BYTES = 48

cdef tuple CALL_FIELDS = tuple([f"tool_calls[{place}]" for place in range(FEW)])
cdef tuple CONTENT_FIELDS = tuple([f"content[{place}]" for place in range(FEW)])


cdef str call_field(Py_ssize_t place):
    """Return the field of a message's call; *place* is not negative."""
    return CALL_FIELDS[place] if place < FEW else f"tool_calls[{place}]"


cdef str content_field(Py_ssize_t place):
    """Return the field of a content part; *place* is not negative."""
    return CONTENT_FIELDS[place] if place < FEW else f"content[{place}]"


@cython.final
cdef class CallIds:
    """Ids of the calls of one request: distinct over it, and the same on a call and its result.

    A new id depends only on the ids before it: the same leading messages give the same bytes.
    Belongs to one request; not for two threads at once.
    """

    def __cinit__(self):
        self.written = set()
        self.open = {}

    cdef int begin(self) except -1:
        """Begin the calls of a message: results answer those of the last message with calls."""
        self.open = {}
        return 0

    cdef tuple opened(self, str given, str accepted, str row):
        """Return the id to write for a call, and the loss row if it differs from *given*.

        The id is *accepted*, which is *given* in a form that the API takes (*row* is the loss if
        the two differ), or a new id if an earlier call already has *accepted*.
        """
        cdef str made = accepted
        cdef Py_ssize_t count = len(self.written)
        cdef tuple found
        while made in self.written:
            row = TOOL_CALL_REPEATED_ID
            made = renamed(f"{accepted} {count}", REPEATED_ID)
            count += 1
        self.written.add(made)
        found = (made, row)
        self.open.setdefault(given, []).append(found)
        return found

    cdef tuple answered(self, str given):
        """Return the written id of the call that a result answers, and the row as `opened` does.

        If several calls have the same id, the first result answers the first call.
        """
        cdef list calls = self.open.get(given)
        if not calls:
            return given, None
        return calls[0] if len(calls) == 1 else calls.pop(0)


cdef class Encoder:
    """Encoder of one request body for one target model; base of each dialect's encoder.

    Owns the writer until `encode` returns the body. One per body; not for two threads at once.
    """

    def __cinit__(self, Conversation conversation not None, model, dict params not None, facts):
        self.out = JsonWriter()
        self.out.reserve(
            FEW_BYTES + conversation.characters + conversation.extra_bytes
            + TURN_BYTES * len(conversation.turns)
        )
        self.conversation = conversation
        if not isinstance(model, str):
            raise MessageFormatError(
                f"model must be a str, not {type(model).__name__}", field="model"
            )
        self.model = exact(model)
        self.params = params
        self.facts = facts
        self.traits = None if facts is None else facts.traits
        self.losses = []
        self.index = -1
        self.field = ""

    cdef int lose(self, str row, str path, object before=None, object after=None) except -1:
        """Report a loss by its row in the table of losses."""
        if self.conversation.has_reasoning:
            path = self.conversation.given_path(path)
        self.losses.append((row, path, before, after))
        return 0

    cdef bint is_from_target(self, object native):
        """Return whether the target is the provider, at the address, that wrote an answer."""
        if self.target is None:
            return False
        if self.target_tag is None:
            self.target_provider, self.target_tag = self.target.provider, self.target.tag
            self.family = model_family(self.model)
        return (
            <str>field(native, NATIVE_TAG) == self.target_tag
            and <str>field(native, NATIVE_PROVIDER) == self.target_provider
        )

    cdef int report_native(self, object native) except -1:
        """Report what an answer in another dialect had beyond its canonical fields."""
        cdef Py_ssize_t place = 0
        for block in native.blocks:
            if block.kind in ("other", "call_member") or (block.kind == "text" and block.values[1]):
                self.lose(NATIVE_FOREIGN, f"messages[{self.index}].native.blocks[{place}]")
            place += 1
        if has_own_order(native):
            self.lose(NATIVE_ORDER, f"messages[{self.index}].native")
        return 0

    cdef int write(self) except -1:
        raise AssertionError("each dialect writes its own body")

    cdef object trait(self, str name):
        """Return a fact about the target, `None` if it is not known."""
        return None if self.traits is None else getattr(self.traits, name)

    cdef bint lacks(self, str feature):
        """Return whether the target is known to lack a feature."""
        return (
            self.facts is not None
            and self.facts.features is not None
            and feature not in self.facts.features
        )

    cdef bint lacks_input(self, str modality):
        """Return whether the target is known not to take an input modality."""
        return (
            self.facts is not None
            and self.facts.input_modalities is not None
            and modality not in self.facts.input_modalities
        )

    cdef bint lacks_output(self, str modality):
        """Return whether the target is known not to give an output modality."""
        return (
            self.facts is not None
            and self.facts.output_modalities is not None
            and modality not in self.facts.output_modalities
        )

    cdef int member(self, str name, object value) except -1:
        """Write `,"name":value` for a JSON value that the caller gave."""
        self.field = name
        self.out.key(bare_text(name) if name.isidentifier() else self.escaped(name))
        self.out.value(value, 0)
        return 0

    cdef bytes escaped(self, str name):
        cdef JsonWriter writer = JsonWriter()
        writer.string(name)
        return writer.finish()[1:-1]

    cdef int check(self, str field, object value) except -1:
        """Refuse a value without a JSON form that is left out here: elsewhere it would be sent."""
        cdef Py_ssize_t mark = self.out.size
        self.index = -1
        self.field = field
        self.out.value(value, 0)
        self.out.size = mark
        return 0

    def encode(self):
        """Return `(body, losses, answer_tool, tool_names)`.

        A loss is `(row id, path, before, after)`. *answer_tool* is the name of the forced tool
        whose input is the answer, where structured output is emulated by one; else `None`.
        *tool_names* has the caller's name of each renamed tool by the written one; `None` without
        one.
        """
        for row, path in self.conversation.changes:
            self.lose(row, path)
        try:
            self.write()
            for _, path, before, _ in self.losses:
                if before is not None and type(before) is not str:
                    self.check(path, before)
        except NotJson as error:
            raise self.refusal(error) from None
        return self.out.finish(), self.losses, self.answer_tool, self.tool_names

    cdef object refusal(self, object error):
        value = self.params.get(self.field) if self.index < 0 else None
        field = self.field + (locate(value) if value is not None else "")
        if self.index < 0:
            return MessageFormatError(f"{field}: {error}", field=field)
        return MessageFormatError(
            f"messages[{self.index}].{field}: {error}", index=self.index, field=field
        )

    # Ids of calls.

    cdef int begin_calls(self) except -1:
        """Begin the calls of a message."""
        if self.call_ids is None:
            self.call_ids = CallIds()
        return self.call_ids.begin()

    cdef str opened_id(self, str given, str accepted, str row, str field):
        """Return the id to write for a call, and report a changed id; see `CallIds`.

        *field* is where the call stands.
        """
        written, row = self.call_ids.opened(given, accepted, row)
        if written is not given:
            self.lose(row, f"messages[{self.index}].{field}.id", given, written)
        return written

    cdef str answered_id(self, str given, str field):
        """Return the id that the call of a result was written with."""
        if self.call_ids is None:
            return given
        written, row = self.call_ids.answered(given)
        if written != given:
            self.lose(row, f"messages[{self.index}].{field}", given, written)
        return written

    cdef str arguments_of(self, Call call, str field):
        """Return the arguments of a function's call, `{}` for empty ones, which APIs refuse.

        Some servers write `null` for none.
        """
        if not is_blank_text(call.text) and call.text.strip() != "null":
            return call.text
        self.lose(TOOL_CALL_ARGUMENTS, f"messages[{self.index}].{field}.function.arguments",
                  call.text, "{}")
        return "{}"

    cdef int write_arguments(self, Call call) except -1:
        """Write a call's arguments as they are, once they are known to be a JSON object."""
        cdef str text = self.arguments_of(call, self.field).strip(" \t\r\n")
        try:
            problem = None if is_json_object(text) else "not a JSON object"
        except ValueError:
            problem = "not JSON"
        if problem is not None:
            raise self.malformed(
                f"{self.field}.function.arguments",
                f"the arguments of call {call.id!r} ({call.name}) are {problem}",
            )
        if PyUnicode_IS_COMPACT_ASCII(text):
            return self.out.raw(PyUnicode_1BYTE_DATA(text), PyUnicode_GET_LENGTH(text))
        return self.out.literal(text.encode())

    cdef object malformed(self, str field, str problem):
        """Return the error of a malformed *field* of the message that is being written."""
        return MessageFormatError(f"messages[{self.index}].{field}: {problem}",
                                  index=self.index, field=field)

    # Names of tools, and ids of users.

    cdef str short_name(self, str given):
        """Return another name for a tool, one that no other tool of the request has.

        It is the same for the tool, its choice and its calls; replies get the given one again.
        """
        cdef str made
        cdef set taken
        if self.tool_names is None:
            self.tool_names = {}
            self.short_names = {}
        made = self.short_names.get(given)
        if made is not None:
            return made
        taken = {name_of(tool) for tool in self.params.get("tools") or ()}
        made = self.plain_name(given)
        while made in taken or made in self.tool_names:
            made = self.plain_name(f"{given} {made}")
        self.tool_names[made] = given
        self.short_names[given] = made
        return made

    cdef str plain_name(self, str given):
        """Return a name that the API takes, made of another one."""
        return renamed(given, RENAMED)

    cdef object hashed(self, str name, object value):
        """Return the SHA-256 of a user's id in hexadecimal digits, reported."""
        cdef str made = digest_of(value)
        if made is value:
            return value
        self.lose(USER_HASHED, name, value, made)
        return made


cdef str name_of(object tool):
    """Return the name in a tool, or in the choice of one; `None` without one."""
    cdef object body
    cdef object name
    if not isinstance(tool, dict):
        return None
    body = (<dict>tool).get("function")
    if not isinstance(body, dict):
        body = (<dict>tool).get("custom")
    name = (<dict>body).get("name") if isinstance(body, dict) else None
    return exact(name) if isinstance(name, str) else None


# Arguments of tool calls.

cdef bint is_json_object(str text) except -1:
    """Return whether *text* is a JSON object; raises `ValueError` for text that is not JSON."""
    if scans_as_object(text):
        return True
    try:
        found = msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        if "out of range" not in str(error):
            raise ValueError("not JSON") from None
        found = with_large_numbers(text)
    return isinstance(found, dict)


cdef bint scans_as_object(str text):
    """Return whether a scan finds a JSON object in ASCII; `False` may be wrong."""
    cdef Scan scan
    if not PyUnicode_IS_COMPACT_ASCII(text) or text[0] != u"{":
        return False
    scan.at = <const unsigned char*>PyUnicode_1BYTE_DATA(text)
    scan.end = scan.at + PyUnicode_GET_LENGTH(text)
    return skip_value(&scan, 0) and scan.at == scan.end


cdef object with_large_numbers(str text):
    """Return JSON whose numbers may be outside any float's range; other text is `ValueError`."""
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=refuse_constant)
    except RecursionError:
        raise ValueError("not JSON") from None


def refuse_constant(name):
    """Refuse `NaN` and `Infinity`, which Python's parser accepts."""
    raise ValueError(f"{name} is not JSON")


cdef bint is_same_json(str one, str other) except -1:
    """Return whether two texts are the same JSON but for white space, as in a stored record."""
    if one is None or one == other:
        return one is not None
    try:
        return normal_form(one) == normal_form(other)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False


cdef bytes normal_form(str text):
    return msgspec.json.encode(msgspec.json.decode(text))


# Names and ids of tools in a form that every provider accepts. The result depends only on the text:
# a call and its result get the same id in every request.

# Hexadecimal digits of the hash that keeps renamed texts apart.
cdef int DIGITS = 16


cdef inline bint is_plain_character(Py_UCS4 c):
    return u"a" <= c <= u"z" or u"A" <= c <= u"Z" or u"0" <= c <= u"9" or c == u"_" or c == u"-"


cdef bint is_plain(str text):
    """Return whether *text* is ASCII letters, digits, `_` and `-`, one at least."""
    cdef Py_UCS4 c
    for c in text:
        if not is_plain_character(c):
            return False
    return len(text) > 0


cdef bint is_name(str text, Py_ssize_t limit):
    """Return whether *text* is plain and has *limit* characters at most."""
    return len(text) <= limit and is_plain(text)


cdef str renamed(str text, Py_ssize_t limit):
    """Return a plain text of *limit* characters at most: the first of *text* and a hash of all.

    A text with a lone surrogate stays, for the writer to refuse.
    """
    cdef Py_UCS4 c
    cdef list kept = []
    # Imported where it is used: it loads OpenSSL, and hardly any name needs it.
    import hashlib

    try:
        digest = hashlib.sha256(text.encode()).hexdigest()
    except UnicodeEncodeError:
        return text
    for c in text[:limit - DIGITS - 1]:
        kept.append(c if is_plain_character(c) else u"_")
    return f"{''.join(kept)}-{digest[:DIGITS]}"


cdef str free_name(str given, object taken):
    """Return another name for a tool, one that is not in *taken*."""
    cdef str made = renamed(given, RENAMED)
    while made in taken:
        made = renamed(f"{given} {made}", RENAMED)
    return made


cdef str digest_of(str value):
    """Return a text's SHA-256 in hexadecimal digits; a text with a lone surrogate is unchanged."""
    import hashlib

    try:
        return hashlib.sha256(value.encode()).hexdigest()
    except UnicodeEncodeError:
        return value  # for the writer to refuse


# The first characters in base64 of each kind of file that providers tell by its first bytes.
cdef tuple FIRST_BYTES = (
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("JVBERi0", "application/pdf"),
)


cdef str true_media(str media, str text, Py_ssize_t start):
    """Return the media type that base64 data says by its first bytes, else *media*."""
    for first, found in FIRST_BYTES:
        if text.startswith(first, start):
            return found
    # RIFF, four bytes of size, WEBP: the size shares characters with the end of the first.
    if text.startswith("UklGR", start) and text[start + 11:start + 16] == "XRUJQ":
        return "image/webp"
    return media
