"""Messages as Structs, dicts or one string, read once into one checked canonical form.

The result holds nothing that the caller can change afterwards, so that every candidate of a
call is encoded from the same conversation. What is wrong with a message is told here, before
anything is encoded, with the message's index and the field.
"""

cimport cython

from specado._core.json_text cimport freeze

from specado._core.json_text import NotJson, locate
from specado.errors import MessageFormatError
from specado.types import FunctionCall, Message, ReasoningBlock, ToolCall

import msgspec

cdef dict ROLES = {
    "system": SYSTEM,
    "developer": DEVELOPER,
    "user": USER,
    "assistant": ASSISTANT,
    "tool": TOOL,
    "function": FUNCTION,
}
PART_TYPES = ("text", "image_url", "input_audio", "file", "refusal")
cdef frozenset IMAGE_KEYS = frozenset({"url", "detail"})
cdef frozenset AUDIO_KEYS = frozenset({"data", "format"})
cdef frozenset FILE_KEYS = frozenset({"file_data", "filename", "file_id"})
cdef frozenset MESSAGE_KEYS = frozenset({
    "role", "content", "name", "tool_calls", "tool_call_id", "refusal", "reasoning",
    "reasoning_details", "audio", "function_call",
})


@cython.final
@cython.freelist(64)
cdef class Part:
    """One content part. Immutable once read."""


@cython.final
@cython.freelist(16)
cdef class Call:
    """One tool call of an assistant turn. Immutable once read."""


@cython.final
@cython.freelist(16)
cdef class Details:
    """What a message has beyond role and content. Immutable once read."""


@cython.final
@cython.freelist(256)
cdef class Turn:
    """One message in canonical form. Immutable once read."""


@cython.final
cdef class Conversation:
    """The messages of one call, checked; threads may share it."""

    def __len__(self):
        return len(self.turns)


@cython.final
cdef class _Reader:
    """Reads one call's messages; keeps the place for error messages."""

    cdef Conversation found
    cdef Py_ssize_t index
    cdef set open_calls     # ids that the last assistant turn with calls waits for

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
            return str.__str__(value)
        raise self.wrong(field, f"must be a str, not {type(value).__name__}")

    cdef object frozen(self, object value, str field):
        try:
            return freeze(value, 0)
        except NotJson as error:
            raise self.wrong(field + locate(value), str(error)) from None

    cdef int read(self, object message) except -1:
        if type(message) is Message or isinstance(message, Message):
            self.read_struct(message)
        elif isinstance(message, dict):
            self.read_dict(message)
        else:
            raise self.wrong(
                "",
                "must be a Message or a dict with role and content, "
                f"not {type(message).__name__}",
            )
        return 0

    cdef Turn begin(self, object role):
        cdef Turn turn = Turn.__new__(Turn)
        turn.role_name = self.text_of(role, "role", False)
        turn.role = ROLES.get(turn.role_name, OTHER)
        return turn

    cdef int finish(self, Turn turn, object content) except -1:
        """Read the content, check what hangs together, and keep the turn."""
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
            turn.text = str.__str__(content)
            self.found.characters += len(turn.text)
        elif isinstance(content, (list, tuple)):
            turn.parts = self.read_parts(content)
        else:
            raise self.wrong(
                "content",
                f"must be a str, a list of content parts or None, not {type(content).__name__}",
            )
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
        ):
            more = turn.more = Details.__new__(Details)
            more.name = self.text_of(message.name, "name", True)
            more.tool_call_id = self.text_of(message.tool_call_id, "tool_call_id", True)
            more.refusal = self.text_of(message.refusal, "refusal", True)
            more.reasoning = self.text_of(message.reasoning, "reasoning", True)
            more.calls = self.read_calls(message.tool_calls)
            more.reasoning_details = self.read_reasoning(message.reasoning_details)
            more.audio = self.read_audio(message.audio)
        return self.finish(turn, message.content)

    cdef int read_dict(self, dict message) except -1:
        cdef Turn turn
        cdef Details more
        cdef object role = message.get("role")
        if role is None:
            raise self.wrong("role", "is missing")
        turn = self.begin(role)
        if len(message) > 2 or (len(message) == 2 and "content" not in message):
            more = Details.__new__(Details)
            more.name = self.text_of(message.get("name"), "name", True)
            more.tool_call_id = self.text_of(message.get("tool_call_id"), "tool_call_id", True)
            more.refusal = self.text_of(message.get("refusal"), "refusal", True)
            more.reasoning = self.text_of(message.get("reasoning"), "reasoning", True)
            more.calls = self.read_calls(message.get("tool_calls"))
            more.reasoning_details = self.read_reasoning(message.get("reasoning_details"))
            more.audio = self.read_audio(message.get("audio"))
            if message.get("function_call") is not None:
                more.function_call = self.frozen(message["function_call"], "function_call")
            more.extra = self.read_extra(message, MESSAGE_KEYS, "")
            turn.more = more
        return self.finish(turn, message.get("content"))

    cdef dict read_extra(self, dict given, frozenset known, str field):
        cdef dict extra = None
        for name, value in given.items():
            if name in known:
                continue
            if not isinstance(name, str):
                raise self.wrong(field, f"a key of type {type(name).__name__}: keys are text")
            if extra is None:
                extra = {}
            extra[name] = self.frozen(value, f"{field}.{name}" if field else name)
        return extra

    cdef object read_audio(self, object audio):
        if audio is None:
            return None
        if not isinstance(audio, dict) or not isinstance(audio.get("id"), str):
            raise self.wrong("audio", "must be a dict with the id of an earlier audio answer")
        return {"id": audio["id"]}

    cdef list read_reasoning(self, object blocks):
        if blocks is None:
            return None
        if not isinstance(blocks, (list, tuple)):
            raise self.wrong(
                "reasoning_details", f"must be a list, not {type(blocks).__name__}"
            )
        cdef list found = []
        for place, block in enumerate(blocks):
            field = f"reasoning_details[{place}]"
            if isinstance(block, ReasoningBlock):
                found.append(msgspec.structs.replace(block))
                continue
            try:
                found.append(msgspec.convert(block, ReasoningBlock))
            except msgspec.ValidationError as error:
                raise self.wrong(field, str(error)) from None
        return found

    cdef list read_calls(self, object calls):
        if calls is None:
            return None
        if not isinstance(calls, (list, tuple)):
            raise self.wrong("tool_calls", f"must be a list, not {type(calls).__name__}")
        cdef list found = []
        for place, call in enumerate(calls):
            found.append(self.read_call(call, f"tool_calls[{place}]"))
        return found or None

    cdef Call read_call(self, object call, str field):
        cdef Call found = Call.__new__(Call)
        cdef dict given
        if isinstance(call, ToolCall):
            given = call.to_dict()
        elif isinstance(call, dict):
            given = <dict>call
        else:
            raise self.wrong(field, f"must be a ToolCall or a dict, not {type(call).__name__}")
        found.id = self.text_of(given.get("id"), f"{field}.id", False)
        found.custom = given.get("type") == "custom"
        kind = "custom" if found.custom else "function"
        body = given.get(kind)
        if isinstance(body, FunctionCall):
            body = {"name": body.name, "arguments": body.arguments}
        if not isinstance(body, dict):
            raise self.wrong(f"{field}.{kind}", "must be a dict with the call's name and input")
        text_key = "input" if found.custom else "arguments"
        found.name = self.text_of(body.get("name"), f"{field}.{kind}.name", False)
        found.text = self.text_of(body.get(text_key), f"{field}.{kind}.{text_key}", False)
        self.found.characters += len(found.name) + len(found.text)
        if len(given) > 3 or (len(given) == 3 and "type" not in given):
            found.extra = self.read_extra(given, frozenset({"id", "type", kind}), field)
        return found

    cdef list read_parts(self, object parts):
        cdef list found = []
        for place, part in enumerate(parts):
            found.append(self.read_part(part, place))
        if not found:
            raise self.wrong("content", "is an empty list: give at least one content part")
        return found

    cdef Part read_part(self, object given, Py_ssize_t place):
        cdef Part part = Part.__new__(Part)
        cdef dict source
        if isinstance(given, str):
            part.text = str.__str__(given)
            self.found.characters += len(part.text)
            return part
        field = f"content[{place}]"
        if not isinstance(given, dict):
            raise self.wrong(field, f"must be a dict with a type, not {type(given).__name__}")
        source = <dict>given
        kind = source.get("type")
        if kind == "text":
            part.text = self.text_of(source.get("text"), f"{field}.text", False)
            self.found.characters += len(part.text)
            if len(source) > 2:
                part.extra = self.read_extra(source, frozenset({"type", "text"}), field)
            return part
        if not isinstance(kind, str) or kind not in PART_TYPES:
            raise self.wrong(
                f"{field}.type",
                f"{kind!r} is not a part type; known: {', '.join(PART_TYPES)}",
            )
        if kind == "refusal":
            part.kind = REFUSAL
            part.text = self.text_of(source.get("refusal"), f"{field}.refusal", False)
            self.found.characters += len(part.text)
        else:
            self.read_media(part, kind, source.get(kind), f"{field}.{kind}")
        if len(source) > 2:
            part.extra = self.read_extra(source, frozenset({"type", kind}), field)
        return part

    cdef int read_media(self, Part part, str kind, object media, str field) except -1:
        cdef frozenset known
        if kind == "image_url" and isinstance(media, str):
            media = {"url": media}
        if not isinstance(media, dict):
            raise self.wrong(field, f"must be a dict, not {type(media).__name__}")
        if kind == "image_url":
            part.kind = IMAGE
            known = IMAGE_KEYS
            part.text = self.text_of(media.get("url"), f"{field}.url", False)
            part.detail = self.text_of(media.get("detail"), f"{field}.detail", True)
            self.found.images += 1
        elif kind == "input_audio":
            part.kind = AUDIO
            known = AUDIO_KEYS
            part.text = self.text_of(media.get("data"), f"{field}.data", False)
            part.detail = self.text_of(media.get("format"), f"{field}.format", False)
            self.found.sounds += 1
        else:
            part.kind = FILE
            known = FILE_KEYS
            part.text = self.text_of(media.get("file_data"), f"{field}.file_data", True)
            part.detail = self.text_of(media.get("filename"), f"{field}.filename", True)
            part.file_id = self.text_of(media.get("file_id"), f"{field}.file_id", True)
            if part.text is None and part.file_id is None:
                raise self.wrong(field, "needs file_data or file_id")
            self.found.files += 1
        if len(media) > 1:
            part.media_extra = self.read_extra(media, known, field)
        return 0


def normalize(messages):
    """Return the `Conversation` that *messages* stand for.

    *messages* is one string (a user turn) or an iterable of `Message`s and dicts in OpenAI's
    shape. Raises `MessageFormatError` naming the message's index and the field.
    """
    cdef _Reader reader = _Reader.__new__(_Reader)
    reader.found = Conversation.__new__(Conversation)
    reader.found.turns = []
    if isinstance(messages, str):
        messages = ({"role": "user", "content": messages},)
    elif isinstance(messages, (dict, Message, bytes)) or not hasattr(messages, "__iter__"):
        raise MessageFormatError(
            "messages must be a list of messages or one str, "
            f"not {type(messages).__name__}",
            field="messages",
        )
    for message in messages:
        reader.read(message)
        reader.index += 1
    if not reader.found.turns:
        raise MessageFormatError("messages is empty: give at least one message", field="messages")
    return reader.found
