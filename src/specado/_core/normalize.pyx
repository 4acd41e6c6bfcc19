"""Messages as Structs, dicts or one string, read once into one checked canonical form.

The result holds nothing that the caller can change afterwards, so that every candidate of a
call is encoded from the same conversation. What is wrong with a message is told here, before
anything is encoded, with the message's index and the field.
"""

cimport cython

from specado._core.conversation cimport (
    ASSISTANT, AUDIO, DEVELOPER, FILE, FUNCTION, IMAGE, OTHER, REFUSAL, SYSTEM, TEXT, TOOL, USER,
    Call, Conversation, Details, Part, Turn,
)
from specado._core.data_uris cimport data_start, in_lower_case, is_base64
from specado._core.json_text cimport exact, freeze, is_a

from collections.abc import Mapping

from specado._core.json_text import NotJson, locate
from specado.errors import MessageFormatError
from specado.types import FunctionCall, Message, ReasoningBlock, ToolCall

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
            return exact(value)
        raise self.wrong(field, f"must be a str, not {type(value).__name__}")

    cdef object frozen(self, object value, str field):
        try:
            return freeze(value, 0)
        except NotJson as error:
            raise self.wrong(field + locate(value), str(error)) from None

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
                f"not {type(message).__name__}",
            )
        return 0

    cdef Turn begin(self, object role):
        cdef Turn turn = Turn.__new__(Turn)
        turn.role_name = self.text_of(role, "role", False)
        # The names in a program's text are these very objects.
        if turn.role_name is "user":
            turn.role = USER
        elif turn.role_name is "assistant":
            turn.role = ASSISTANT
        else:
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
            turn.text = exact(content)
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
            or message.annotations
        ):
            more = turn.more = Details.__new__(Details)
            more.name = self.text_of(message.name, "name", True)
            more.tool_call_id = self.text_of(message.tool_call_id, "tool_call_id", True)
            more.refusal = self.text_of(message.refusal, "refusal", True)
            more.reasoning = self.text_of(message.reasoning, "reasoning", True)
            more.calls = self.read_calls(message.tool_calls)
            more.reasoning_details = self.read_reasoning(message.reasoning_details)
            more.audio = self.read_audio(message.audio)
            if message.annotations:
                more.extra = {"annotations": self.frozen(message.annotations, "annotations")}
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
            name = self.frozen(name, field)
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
        cdef dict given
        for place, block in enumerate(blocks):
            field = f"reasoning_details[{place}]"
            if is_a(block, ReasoningBlock):
                given = {name: getattr(block, name) for name in ReasoningBlock.__struct_fields__}
            elif isinstance(block, dict):
                given = <dict>block
            else:
                raise self.wrong(
                    field, f"must be a ReasoningBlock or a dict, not {type(block).__name__}"
                )
            found.append(ReasoningBlock(
                self.text_of(given.get("type"), f"{field}.type", False),
                self.text_of(given.get("text"), f"{field}.text", True),
                self.text_of(given.get("signature"), f"{field}.signature", True),
                self.text_of(given.get("data"), f"{field}.data", True),
                self.text_of(given.get("model"), f"{field}.model", True),
            ))
        return found

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
        if is_a(call, ToolCall):
            given = {"id": call.id, "type": call.type}
            given["custom" if call.type == "custom" else "function"] = (
                call.custom if call.type == "custom" else call.function
            )
        elif isinstance(call, dict):
            given = <dict>call
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
        if is_a(body, FunctionCall):
            body = {"name": body.name, "arguments": body.arguments}
        if not isinstance(body, dict):
            raise self.wrong(
                f"tool_calls[{place}].{kind}", "must be a dict with the call's name and input"
            )
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
        self.found.characters += len(found.name) + len(found.text)
        if len(given) > 3 or (len(given) == 3 and "type" not in given):
            found.extra = self.read_extra(
                given, frozenset({"id", "type", kind}), f"tool_calls[{place}]"
            )
        return found

    cdef str call_text(self, object value, Py_ssize_t place, str field, bint optional):
        """Return a text of a call; its path is made only where it is told."""
        if type(value) is str:
            return <str>value
        return self.text_of(value, f"tool_calls[{place}].{field}", optional)

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
            part.text = exact(given)
            self.found.characters += len(part.text)
            return part
        if not isinstance(given, dict):
            raise self.wrong(f"content[{place}]", f"must be a dict with a type, not {type(given).__name__}")
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
            self.found.characters += len(part.text)
            if len(source) > 2:
                part.extra = self.read_extra(
                    source, frozenset({"type", "text"}), f"content[{place}]"
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
            self.found.characters += len(part.text)
        else:
            self.read_media(part, kind, source.get(kind), f"{field}.{kind}")
        if len(source) > 2:
            part.extra = self.read_extra(source, frozenset({"type", kind}), field)
        return part

    cdef str data_of(self, str text, str field):
        """Return base64 data or a data URI, checked."""
        cdef Py_ssize_t start = 0
        text = in_lower_case(text)
        if text.startswith("data:"):
            start = data_start(text)
            if not start:
                raise self.wrong(field, "a data URI must read data:<media type>;base64,<data>")
        if not is_base64(text, start):
            raise self.wrong(field, "the data is not base64")
        return text

    cdef int read_media(self, Part part, str kind, object media, str field) except -1:
        cdef frozenset known
        cdef dict source
        if kind == "image_url" and isinstance(media, str):
            media = {"url": media}
        if not isinstance(media, dict):
            raise self.wrong(field, f"must be a dict, not {type(media).__name__}")
        source = <dict>media
        if kind == "image_url":
            part.kind = IMAGE
            known = IMAGE_KEYS
            part.text = in_lower_case(self.text_of(source.get("url"), f"{field}.url", False))
            if part.text.startswith("data:"):
                part.text = self.data_of(part.text, f"{field}.url")
            part.detail = self.text_of(source.get("detail"), f"{field}.detail", True)
            self.found.images += 1
        elif kind == "input_audio":
            part.kind = AUDIO
            known = AUDIO_KEYS
            part.text = self.text_of(source.get("data"), f"{field}.data", False)
            part.text = self.data_of(part.text, f"{field}.data")
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
                part.text = self.data_of(part.text, f"{field}.file_data")
            self.found.files += 1
        if len(source) > 1:
            part.media_extra = self.read_extra(source, known, field)
        return 0


cdef object not_messages(object given):
    return MessageFormatError(
        f"messages must be a list of messages or one str, not {type(given).__name__}",
        field="messages",
    )


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
