"""Message normalization: Structs, dicts or a string to one checked `Conversation`.

The result holds nothing that the caller can change afterwards, so that every candidate of a
call is encoded from the same conversation. Invalid messages are reported here, before
anything is encoded, with the message's index and the field.
"""

from cpython.dict cimport PyDict_GetItemWithError
from cpython.ref cimport PyObject

from specado._core.conversation cimport (
    ASSISTANT, DEVELOPER, FUNCTION, OTHER, SYSTEM, TOOL, USER, Call, Conversation, Details, Turn,
)
from specado._core.json_text cimport exact, is_a
from specado._core.parts cimport PartReader

from collections.abc import Mapping

from specado.errors import MessageFormatError, type_and_beginning
from specado.types import FunctionCall, Message, ReasoningBlock, ToolCall

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
    "reasoning_details", "audio", "function_call",
})

# What a call with its result takes of a body beside its text, about.
cdef Py_ssize_t CALL_BYTES = 200


cdef class MessageReader(PartReader):
    """Reads one call's messages. Not for two threads at once."""

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
            turn.parts = self.read_parts(content)
        else:
            raise self.wrong(
                "content",
                "must be a str, a list of content parts or None, "
                f"not {type_and_beginning(content)}",
            )
        return self.keep(turn)

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
            if calls is not None:
                more.calls = self.read_calls(calls)
        if left:
            more.reasoning_details = self.read_reasoning(message.get("reasoning_details"))
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
        return found

    cdef int count_call(self, Call call) except -1:
        self.found.characters += len(call.name) + len(call.text)
        self.found.beside += CALL_BYTES
        return 0

    cdef str call_text(self, object value, Py_ssize_t place, str field, bint optional):
        """Return a text of a call; its path is made only where it is told."""
        if type(value) is str:
            return <str>value
        return self.text_of(value, f"tool_calls[{place}].{field}", optional)


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
