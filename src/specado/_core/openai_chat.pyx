"""The dialect `openai_chat`: OpenAI's chat completions (openai.types.chat 3.54, 2026-11-22).

The canonical shape is this dialect's own, so that most of a request is written as it was given;
what a model is known not to take goes by the rows named in `specado.losses`.
"""

cimport cython

from specado._core.encoder cimport Encoder
from specado._core.json_text cimport exact
from specado._core.normalize cimport (
    AUDIO, DEVELOPER, FILE, IMAGE, OTHER, REFUSAL, SYSTEM, TEXT,
    Call, Conversation, Details, Part, Turn,
)

from typing import List, Optional, Union

import msgspec

from specado._core.json_text import dumps
from specado._core.replies import UNREADABLE, mended, parse, whole_numbers
from specado.errors import MalformedResponseError
from specado.types import (
    ChatCompletionResponse,
    Choice,
    CompletionTokensDetails,
    Extensions,
    FunctionCall,
    Message,
    PromptTokensDetails,
    ToolCall,
    Usage,
)

cdef tuple EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
cdef frozenset SAMPLING = frozenset({"temperature", "top_p"})
cdef frozenset PENALTIES = frozenset({"frequency_penalty", "presence_penalty"})
cdef frozenset LOGPROBS = frozenset({"logprobs", "top_logprobs"})


def nearest_effort(str wanted not None, levels):
    """Return the member of *levels* nearest to *wanted*; of two as near, the lower one."""
    if wanted not in EFFORTS:
        return None
    place = EFFORTS.index(wanted)
    known = [level for level in levels if level in EFFORTS]
    return min(known, key=lambda level: (abs(EFFORTS.index(level) - place), EFFORTS.index(level)),
               default=None)


@cython.final
cdef class OpenAIChatEncoder(Encoder):
    """Writes a chat-completions request."""

    cdef int write(self) except -1:
        cdef Turn turn
        self.field = "model"
        self.out.literal(b'{"model":')
        self.out.string(self.model)
        self.out.literal(b',"messages":[')
        self.index = 0
        for turn in self.conversation.turns:
            if self.index:
                self.out.byte(b",")
            self.write_turn(turn)
            self.index += 1
        self.index = -1
        self.out.byte(b"]")
        for name, value in self.params.items():
            self.write_param(exact(name), value)
        return self.out.byte(b"}")

    cdef int write_turn(self, Turn turn) except -1:
        self.field = "role"
        self.out.literal(b'{"role":')
        self.out.string(self.role_for(turn))
        self.field = "content"
        self.out.literal(b',"content":')
        if turn.text is not None:
            self.out.string(turn.text)
        elif turn.parts is None:
            self.out.literal(b"null")
        else:
            self.write_parts(turn)
        if turn.more is not None:
            self.write_details(turn.more)
        return self.out.byte(b"}")

    cdef str role_for(self, Turn turn):
        cdef object only
        if turn.role == OTHER:
            self.lose("role.unknown", f"messages[{self.index}].role", turn.role_name, "user")
            return "user"
        if turn.role == SYSTEM or turn.role == DEVELOPER:
            only = self.trait("system_role")
            if only is not None and only != turn.role_name:
                self.lose("role.system_name", f"messages[{self.index}].role", turn.role_name, only)
                return only
        return turn.role_name

    cdef int write_parts(self, Turn turn) except -1:
        cdef Part part
        cdef Py_ssize_t place = 0
        self.out.byte(b"[")
        for part in turn.parts:
            if place:
                self.out.byte(b",")
            self.write_part(part, place)
            place += 1
        return self.out.byte(b"]")

    cdef int write_part(self, Part part, Py_ssize_t place) except -1:
        self.field = f"content[{place}]"
        if part.kind == TEXT:
            self.out.literal(b'{"type":"text","text":')
            self.out.string(part.text)
        elif part.kind == REFUSAL:
            self.out.literal(b'{"type":"refusal","refusal":')
            self.out.string(part.text)
        elif part.kind == IMAGE:
            self.check_input("Image", "input.image", place)
            self.out.literal(b'{"type":"image_url","image_url":{"url":')
            self.out.string(part.text)
            self.optional(b"detail", part.detail)
            self.extra(part.media_extra, f"content[{place}].image_url")
            self.out.byte(b"}")
        elif part.kind == AUDIO:
            self.check_input("Audio", "input.audio", place)
            self.out.literal(b'{"type":"input_audio","input_audio":{"data":')
            self.out.string(part.text)
            self.optional(b"format", part.detail)
            self.extra(part.media_extra, f"content[{place}].input_audio")
            self.out.byte(b"}")
        else:
            self.check_input("Document", "input.document", place)
            self.write_file(part, place)
        self.extra(part.extra, f"content[{place}]")
        return self.out.byte(b"}")

    cdef int check_input(self, str modality, str row, Py_ssize_t place) except -1:
        if self.lacks_input(modality):
            self.lose(row, f"messages[{self.index}].content[{place}]")
        return 0

    cdef int write_file(self, Part part, Py_ssize_t place) except -1:
        cdef bint first = True
        self.out.literal(b'{"type":"file","file":{')
        for name, value in (
            ("file_data", part.text), ("filename", part.detail), ("file_id", part.file_id)
        ):
            if value is not None:
                if not first:
                    self.out.byte(b",")
                first = False
                self.out.string(name)
                self.out.byte(b":")
                self.out.string(value)
        self.extra(part.media_extra, f"content[{place}].file")
        return self.out.byte(b"}")

    cdef int optional(self, bytes name, str value) except -1:
        if value is not None:
            self.out.key(name)
            self.out.string(value)
        return 0

    cdef int extra(self, dict extra, str field) except -1:
        """Write the keys that no row names as they are; `cache_control` has one.

        *field* is where they stand in the message, "" for the message itself.
        """
        cdef str place
        if extra is None:
            return 0
        for name, value in extra.items():
            place = f"{field}.{name}" if field else name
            if name == "cache_control":
                self.lose("cache_control.openai", f"messages[{self.index}].{place}", value)
                continue
            self.field = place
            self.out.byte(b",")
            self.out.string(name)
            self.out.byte(b":")
            self.out.value(value, 0)
        return 0

    cdef int write_details(self, Details more) except -1:
        cdef Call call
        cdef Py_ssize_t place = 0
        self.field = "name"
        self.optional(b"name", more.name)
        self.field = "tool_call_id"
        self.optional(b"tool_call_id", more.tool_call_id)
        self.field = "refusal"
        self.optional(b"refusal", more.refusal)
        if more.calls is not None:
            self.out.literal(b',"tool_calls":[')
            for call in more.calls:
                if place:
                    self.out.byte(b",")
                self.write_call(call, f"tool_calls[{place}]")
                place += 1
            self.out.byte(b"]")
        if more.audio is not None:
            self.member("audio", more.audio)
        if more.function_call is not None:
            self.member("function_call", more.function_call)
        if more.reasoning is not None or more.reasoning_details is not None:
            self.lose("reasoning.openai", f"messages[{self.index}].reasoning")
        return self.extra(more.extra, "")

    cdef int write_call(self, Call call, str field) except -1:
        self.field = field
        self.out.literal(b'{"id":')
        self.out.string(call.id)
        if call.custom:
            self.out.literal(b',"type":"custom","custom":{"name":')
            self.out.string(call.name)
            self.out.literal(b',"input":')
        else:
            self.out.literal(b',"type":"function","function":{"name":')
            self.out.string(call.name)
            self.out.literal(b',"arguments":')
        self.out.string(call.text)
        self.extra(call.body_extra, f"{field}.custom" if call.custom else f"{field}.function")
        self.out.byte(b"}")
        self.extra(call.extra, field)
        return self.out.byte(b"}")

    cdef int write_param(self, str name, object value) except -1:
        if name == "max_tokens" or name == "max_completion_tokens":
            return self.write_max_tokens(name, value)
        if name == "tools":
            value = self.tools_without_cache_control(value)
        if self.facts is None:
            return self.member(name, value)
        if name in SAMPLING and self.trait("sampling") is False and value != 1:
            return self.lose("sampling.unsupported", name, value)
        if name in PENALTIES and self.trait("penalties") is False and value != 0:
            return self.lose("penalty.unsupported", name, value)
        if name in LOGPROBS and self.trait("logprobs") is False and value:
            return self.lose("logprobs.model", name, value)
        if name == "reasoning_effort":
            return self.write_effort(value)
        if name == "tools" and self.lacks("function_calling") and self.lacks("tool_use"):
            self.lose("tools.unsupported", name)
        elif name == "response_format" and isinstance(value, dict):
            kind = value.get("type")
            if kind == "json_object" and self.lacks("json_mode"):
                self.lose("response_format.unsupported", name, kind)
            elif kind == "json_schema" and self.trait("structured_output") is False:
                self.lose("response_format.unsupported", name, kind)
        return self.member(name, value)

    cdef object tools_without_cache_control(self, object tools):
        cdef list kept
        if not isinstance(tools, list):
            return tools
        kept = []
        for place, tool in enumerate(tools):
            if isinstance(tool, dict) and "cache_control" in <dict>tool:
                self.lose("cache_control.openai", f"tools[{place}].cache_control",
                          (<dict>tool)["cache_control"])
                tool = {name: value for name, value in (<dict>tool).items()
                        if name != "cache_control"}
            kept.append(tool)
        return kept

    cdef int write_max_tokens(self, str name, object value) except -1:
        cdef object wanted = self.trait("max_tokens_parameter")
        cdef object limit = None if self.facts is None else self.facts.max_output_tokens
        if wanted == "max_completion_tokens" and name == "max_tokens":
            if "max_completion_tokens" in self.params:
                return self.lose("max_tokens.twice", name, value)
            self.lose("max_tokens.renamed", name, name, wanted)
            name = wanted
        if limit is not None and isinstance(value, int) and value > limit:
            self.lose("max_tokens.above_limit", name, value, limit)
            value = limit
        return self.member(name, value)

    cdef int write_effort(self, object value) except -1:
        cdef object levels = self.trait("reasoning_efforts")
        cdef object nearest
        if levels is None or not isinstance(value, str) or value in levels:
            return self.member("reasoning_effort", value)
        if not levels:
            if value == "none":
                return 0
            return self.lose("reasoning_effort.unsupported", "reasoning_effort", value)
        nearest = nearest_effort(value, levels)
        if nearest is None:
            return self.member("reasoning_effort", value)
        self.lose("reasoning_effort.level", "reasoning_effort", value, nearest)
        return self.member("reasoning_effort", nearest)


def encode_request(Conversation conversation not None, model, dict params not None, facts):
    """Return a chat-completions body and its losses; *facts* is the target's `Model` or None."""
    return OpenAIChatEncoder(conversation, model, params, facts).encode()


class _Completion(msgspec.Struct):
    """A reply as OpenAI documents it."""

    choices: List[Choice]
    id: str = ""
    model: str = ""
    created: Union[int, float] = 0
    object: str = "chat.completion"
    usage: Optional[Usage] = None
    system_fingerprint: Optional[str] = None
    service_tier: Optional[str] = None


cdef object _decoder = msgspec.json.Decoder(_Completion)


def decode_reply(bytes body not None, str provider not None, str model not None, created):
    """Return the `ChatCompletionResponse` in *body* and notes on what was mended.

    *model* and *created* stand in where the reply names none. A body that is not JSON is a
    `MalformedResponseError` with code `not_json`, one without a usable choice `no_choice`.
    """
    notes = []
    if b'"reasoning_content"' in body:
        found = _read_loosely(body, notes)
    else:
        try:
            found = _decoder.decode(body)
        except UNREADABLE:
            found = _read_loosely(body, notes)
        else:
            if not _is_whole(found.choices):
                found = _read_loosely(body, notes)
    if not found.choices:
        raise MalformedResponseError("the reply has no choice", code="no_choice")
    if not (found.id and found.model and found.created and found.usage is not None):
        noted = "\n".join(["", *notes])
        notes += [f"{name}: missing" for name in ("id", "model", "created", "usage")
                  if not getattr(found, name) and f"\n{name}: " not in noted]
    if type(found.created) is float:
        notes.append("created: a float, read as a whole number of seconds")
        found.created = int(found.created)
    return ChatCompletionResponse(
        id=found.id,
        model=found.model or model,
        choices=found.choices,
        extensions=Extensions(provider),
        created=found.created or created,
        object="chat.completion",
        usage=found.usage,
        system_fingerprint=found.system_fingerprint,
        service_tier=found.service_tier,
        raw=body,
    ), notes


def _read_loosely(bytes body, list notes):
    """Return what is usable of a reply that is not quite as documented; *notes* names the rest."""
    data = parse(body, notes)
    if not isinstance(data, dict) or not isinstance(data.get("choices"), list):
        raise MalformedResponseError("the reply has no choices", code="no_choice")
    choices = []
    for place, given in enumerate(data["choices"]):
        choice = _choice_loosely(given, place, notes)
        if choice is not None:
            choices.append(choice)
    return _Completion(
        choices=choices,
        id=mended(data, "id", str, "", "id", notes),
        model=mended(data, "model", str, "", "model", notes),
        created=mended(data, "created", Union[int, float], 0, "created", notes),
        usage=_usage_loosely(data.get("usage"), notes),
        system_fingerprint=mended(data, "system_fingerprint", str, None, "system_fingerprint",
                                  notes),
        service_tier=mended(data, "service_tier", str, None, "service_tier", notes),
    )


cdef bint _is_whole(list choices):
    """Return whether every message has what its type cannot say: text, and calls of something."""
    for choice in choices:
        message = choice.message
        if type(message.content) is list:
            return False
        for call in message.tool_calls or ():
            if call.function is None and call.custom is None:
                return False
    return True


def _usage_loosely(given, list notes):
    """Return a `Usage`, with a note on each number that is missing or not whole."""
    tokens = whole_numbers(
        given, ("prompt_tokens", "completion_tokens", "total_tokens"), "usage", notes
    )
    if tokens is None:
        return None
    for name in ("prompt_tokens", "completion_tokens"):
        if name not in tokens:
            tokens[name] = 0
            notes.append(f"usage.{name}: missing, read as 0")
    if "total_tokens" not in tokens:
        tokens["total_tokens"] = tokens["prompt_tokens"] + tokens["completion_tokens"]
        notes.append("usage.total_tokens: missing, added up")
    for name, type_ in (("prompt_tokens_details", PromptTokensDetails),
                        ("completion_tokens_details", CompletionTokensDetails)):
        details = whole_numbers(given.get(name), type_.__struct_fields__, f"usage.{name}", notes)
        tokens[name] = None if details is None else type_(**details)
    return Usage(**tokens)


def _calls_loosely(given, str path, list notes):
    """Return the usable tool calls, `None` if there is none."""
    if given is None:
        return None
    if not isinstance(given, list):
        notes.append(f"{path}: {type(given).__name__} where a list is documented, read as None")
        return None
    calls = []
    for place, item in enumerate(given):
        call = _call_loosely(item, place, f"{path}[{place}]", notes)
        if call is None:
            notes.append(f"{path}[{place}]: not a tool call, left out")
        else:
            calls.append(call)
    return calls or None


def _call_loosely(given, Py_ssize_t place, str path, list notes):
    if not isinstance(given, dict):
        return None
    id_ = mended(given, "id", str, "", f"{path}.id", notes)
    if not id_:
        id_ = f"call_{place}"
        notes.append(f"{path}.id: missing, called {id_}")
    function = given.get("function")
    if not isinstance(function, dict):
        custom = given.get("custom")
        return ToolCall(id_, type="custom", custom=custom) if isinstance(custom, dict) else None
    if not isinstance(function.get("name"), str):
        return None
    arguments = function.get("arguments")
    if arguments is None:
        arguments = "{}"
        notes.append(f"{path}.function.arguments: missing, read as {arguments}")
    elif not isinstance(arguments, str):
        notes.append(
            f"{path}.function.arguments: {type(arguments).__name__} where text is documented, "
            "written as JSON text"
        )
        arguments = dumps(arguments).decode()
    return ToolCall(id_, FunctionCall(function["name"], arguments))


def _choice_loosely(given, Py_ssize_t place, list notes):
    """Return a `Choice`, or `None` (with a note) if there is no message in it."""
    path = f"choices[{place}]"
    if not isinstance(given, dict) or not isinstance(given.get("message"), dict):
        notes.append(f"{path}: no message, left out")
        return None
    message = given["message"]
    content = message.get("content")
    if isinstance(content, list):
        notes.append(f"{path}.message.content: a list of parts, its text joined")
        content = "".join(
            part.get("text") or "" for part in content
            if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    elif content is not None and not isinstance(content, str):
        notes.append(f"{path}.message.content: {type(content).__name__}, read as None")
        content = None
    where = f"{path}.message"
    calls = _calls_loosely(message.get("tool_calls"), f"{where}.tool_calls", notes)
    if calls is None and content is None and not any(
        message.get(name) for name in ("refusal", "reasoning", "reasoning_content", "audio")
    ) and "content" not in message:
        notes.append(f"{where}: neither content nor tool_calls, left out")
        return None
    if given.get("index") is None:
        notes.append(f"{path}.index: missing, read as {place}")
    reasoning = "reasoning" if message.get("reasoning") is not None else "reasoning_content"
    return Choice(
        index=mended(given, "index", int, place, f"{path}.index", notes),
        message=Message(
            role=mended(message, "role", str, "assistant", f"{where}.role", notes),
            content=content,
            tool_calls=calls,
            reasoning=mended(message, reasoning, str, None, f"{where}.{reasoning}", notes),
            refusal=mended(message, "refusal", str, None, f"{where}.refusal", notes),
            annotations=mended(message, "annotations", list, None, f"{where}.annotations", notes),
            audio=mended(message, "audio", dict, None, f"{where}.audio", notes),
        ),
        finish_reason=mended(given, "finish_reason", str, None, f"{path}.finish_reason", notes),
        logprobs=mended(given, "logprobs", dict, None, f"{path}.logprobs", notes),
    )
