"""The dialect `openai_chat`: OpenAI's chat completions (openai.types.chat 3.54, 2026-11-22).

The canonical shape is this dialect's own, so that most of a request is written as it was given;
what a model is known not to take goes by the rows named in `specado.losses`.
"""

cimport cython

from specado._core.conversation cimport (
    AUDIO, DEVELOPER, FILE, IMAGE, OTHER, REFUSAL, SYSTEM, TEXT,
    Call, Conversation, Details, Part, Turn,
)
from specado._core.encoder cimport Encoder
from specado._core.json_text cimport exact

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
            # Without content and calls the message says nothing, and null is refused.
            self.out.literal(b"null" if self.acts(turn.more) else b'""')
        else:
            self.write_parts(turn)
        if turn.more is not None:
            self.write_details(turn.more)
        return self.out.byte(b"}")

    cdef bint acts(self, Details more):
        return more is not None and (
            more.calls is not None
            or more.refusal is not None
            or more.audio is not None
            or more.function_call is not None
        )

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
        if more.reasoning is not None:
            self.lose("reasoning.openai", f"messages[{self.index}].reasoning")
        if more.reasoning_details is not None:
            for place in range(len(more.reasoning_details)):
                self.lose("reasoning.openai",
                          f"messages[{self.index}].reasoning_details[{place}]")
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
        cdef str given = name
        if wanted == "max_completion_tokens" and name == "max_tokens":
            if "max_completion_tokens" in self.params:
                return self.lose("max_tokens.twice", name, value)
            self.lose("max_tokens.renamed", name, name, wanted)
            name = wanted
        if limit is not None and isinstance(value, int) and value > limit:
            self.lose("max_tokens.above_limit", given, value, limit)
            value = limit
        return self.member(name, value)

    cdef int write_effort(self, object value) except -1:
        cdef object levels = self.trait("reasoning_efforts")
        cdef object nearest
        if levels is None or not isinstance(value, str) or value in levels:
            return self.member("reasoning_effort", value)
        if not levels:
            if value == "none":
                return self.lose("reasoning_effort.none", "reasoning_effort", value)
            return self.lose("reasoning_effort.unsupported", "reasoning_effort", value)
        nearest = nearest_effort(value, levels)
        if nearest is None:
            return self.member("reasoning_effort", value)
        self.lose("reasoning_effort.level", "reasoning_effort", value, nearest)
        return self.member("reasoning_effort", nearest)


def encode_request(Conversation conversation not None, model, dict params not None, facts):
    """Return a chat-completions body and its losses; *facts* is the target's `Model` or None."""
    return OpenAIChatEncoder(conversation, model, params, facts).encode()
