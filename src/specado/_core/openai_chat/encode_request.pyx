"""OpenAI chat request encoder (openai.types.chat 3.54, 2026-11-22).

The canonical form is this dialect's own, so that most of a request is written as it was given.
Members that a model is known to refuse are left out and reported by a row of `specado.losses.rows`.
"""

cimport cython

from specado._core.conversation cimport (
    AUDIO, DEVELOPER, FILE, IMAGE, OTHER, REFUSAL, SYSTEM, TEXT, TOOL, USER,
    Call, Conversation, Details, Part, Turn,
)
from specado._core.encoder cimport (
    Encoder, content_field, digest_of, is_name, name_of, renamed,
)
from specado._core.json_writer cimport exact

import msgspec

from specado._core.openai_chat.loss_rows import (
    AUDIO_OUTPUT, CACHE_CONTROL_OPENAI, CONTENT_JOINED, INPUT_AUDIO, INPUT_DOCUMENT, INPUT_IMAGE,
    LOGIT_BIAS_UNSUPPORTED, LOGPROBS_MODEL, LOGPROBS_THINKING, MAX_TOKENS_ABOVE_LIMIT,
    MAX_TOKENS_RENAMED, MAX_TOKENS_TWICE, MEDIA_MOVED, MEMBER_RANGE, MEMBER_REFUSED,
    MEMBER_RENAMED, MEMBER_VALUE, MESSAGE_NAME, N_LIMIT, N_ONE, PARALLEL_TOOL_CALLS_MANY,
    PARALLEL_TOOL_CALLS_NEVER,
    PARALLEL_TOOL_CALLS_UNSUPPORTED, PART_UNKNOWN_KEY, PENALTY_UNSUPPORTED, REASONING_EFFORT_LEVEL,
    REASONING_EFFORT_MEMBERS, REASONING_EFFORT_NONE, REASONING_EFFORT_OFF, REASONING_EFFORT_TOOLS,
    REASONING_EFFORT_UNSUPPORTED, REASONING_EMPTY, REASONING_FOREIGN, REASONING_OPENAI,
    RESPONSE_FORMAT_CONFLICT, RESPONSE_FORMAT_UNSUPPORTED, ROLE_SYSTEM_NAME, ROLE_UNKNOWN, SAMPLING_BOTH, SAMPLING_THINKING,
    SAMPLING_UNSUPPORTED, STOP_LIMIT, STOP_TOO_MANY, STOP_UNSUPPORTED, TOOLS_REASONING,
    TOOLS_UNSUPPORTED, TOOL_CALL_ID, TOOL_CALL_NAME, TOOL_CHOICE_REFUSED, TOOL_CHOICE_THINKING,
    TOOL_CUSTOM, TOOL_NAME, TOOL_SCHEMA_COMPLETED,
    TOOL_STRICT, WEB_SEARCH_MODEL,
)
from specado._core.loss_rows import NATIVE_FOREIGN, REASONING_EDITED
from specado._core.openai_chat.native import DIALECT, are_openrouters, extra_content_in
from specado._core.parameters import MAX_STOPS, nearest_effort
from specado._core.schema import complete_parameters, openai_form, row_of_moved
from specado.errors import MessageFormatError

cdef frozenset SAMPLING = frozenset({"temperature", "top_p"})
cdef frozenset PENALTIES = frozenset({"frequency_penalty", "presence_penalty"})
cdef frozenset AUDIO_PARAMETERS = frozenset({"modalities", "audio"})
cdef frozenset TOOL_PARAMETERS = frozenset({"tools", "tool_choice", "parallel_tool_calls"})
cdef frozenset LOGPROBS = frozenset({"logprobs", "top_logprobs"})
cdef frozenset USERS = frozenset({"user", "safety_identifier"})
# The rows of members that a server refuses, where the loss is not that of most.
cdef dict REFUSED_ROWS = {
    "audio": AUDIO_OUTPUT,
    "frequency_penalty": PENALTY_UNSUPPORTED,
    "logit_bias": LOGIT_BIAS_UNSUPPORTED,
    "logprobs": LOGPROBS_MODEL,
    "modalities": AUDIO_OUTPUT,
    "n": N_ONE,
    "parallel_tool_calls": PARALLEL_TOOL_CALLS_MANY,
    "presence_penalty": PENALTY_UNSUPPORTED,
    "reasoning_effort": REASONING_EFFORT_UNSUPPORTED,
    "response_format": RESPONSE_FORMAT_UNSUPPORTED,
    "stop": STOP_UNSUPPORTED,
    "temperature": SAMPLING_UNSUPPORTED,
    "tool_choice": TOOL_CHOICE_REFUSED,
    "tools": TOOLS_UNSUPPORTED,
    "top_logprobs": LOGPROBS_MODEL,
    "top_p": SAMPLING_UNSUPPORTED,
    "web_search_options": WEB_SEARCH_MODEL,
}
# The values that ask for nothing but what a server does without the member.
cdef dict NEUTRAL_VALUES = {
    "frequency_penalty": 0,
    "logit_bias": {},
    "logprobs": False,
    "modalities": ["text"],
    "n": 1,
    "parallel_tool_calls": True,
    "presence_penalty": 0,
    "response_format": {"type": "text"},
    "stop": [],
    "store": False,
    "temperature": 1,
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1,
}
cdef str MESSAGE_NAMES = "messages[].name"
cdef str ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@cython.final
cdef class OpenAIChatEncoder(Encoder):
    """Encoder of one chat-completions request: decides what the target takes, then writes.

    See `Encoder`. What is not known of the target's servers and its model passes unchanged.
    """

    cdef object rules     # the servers' `RequestRules`, None if nothing is known of them
    cdef list moved       # (turn, its place, its media's places) to write after the tool results
    cdef dict called      # given id -> name, of the calls that tool results may answer

    cdef bint toolless    # whether the tools are left out
    cdef bint is_nameless    # whether messages have no names
    cdef bint has_thoughts    # whether the content that is written has parts of reasoning
    cdef bint is_reasoning_content_sent    # whether the message has that member
    cdef object effort    # the reasoning effort to ask for, None to leave it out
    cdef bint reasons     # whether the target is known to reason with that effort
    cdef dict sent        # the parameters to send

    cdef object rule(self, str name):
        """Return a rule of the target's servers, `None` if it is not known."""
        return None if self.rules is None else getattr(self.rules, name)

    cdef int write(self) except -1:
        cdef Turn turn
        cdef Py_ssize_t decided
        cdef list on_parameters
        self.decide_tools()
        self.decide_effort()
        decided = len(self.losses)
        self.decide_parameters()
        if self.rule("changes_members"):
            self.adapt_members()
        # Losses are reported in the order of the body, where the messages come first.
        on_parameters = self.losses[decided:]
        del self.losses[decided:]
        self.out.literal(b'{"model":')
        self.field = "model"
        self.out.string(self.model)
        self.out.literal(b',"messages":[')
        self.index = 0
        for turn in self.conversation.turns:
            if self.moved is not None and turn.role != TOOL:
                self.write_moved()
            self.out.item()
            self.write_turn(turn)
            self.index += 1
        if self.moved is not None:
            self.write_moved()
        self.index = -1
        self.out.byte(b"]")
        for name, value in self.sent.items():
            self.member(<str>name, value)
        self.losses += on_parameters
        return self.out.byte(b"}")

    cdef int write_turn(self, Turn turn) except -1:
        self.field = "role"
        self.out.literal(b'{"role":')
        self.out.string(self.role_for(turn))
        self.field = "content"
        self.out.literal(b',"content":')
        thoughts = self.thoughts_in_content(turn.more)
        self.has_thoughts = bool(thoughts)
        if thoughts:
            self.write_with_thoughts(turn, thoughts)
        elif turn.text is not None:
            self.out.string(turn.text)
        elif turn.parts is not None and self.is_text_alone(turn):
            self.out.string(self.joined(turn))
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
            self.lose(ROLE_UNKNOWN, f"messages[{self.index}].role", turn.role_name, "user")
            return "user"
        if turn.role == SYSTEM or turn.role == DEVELOPER:
            only = self.trait("system_role")
            if only is not None and only != turn.role_name:
                self.lose(ROLE_SYSTEM_NAME, f"messages[{self.index}].role", turn.role_name, only)
                return only
        return turn.role_name

    cdef int write_parts(self, Turn turn) except -1:
        """Write the content parts, or an empty text where the target takes none."""
        cdef Part part
        cdef Py_ssize_t place = 0
        cdef Py_ssize_t start = self.out.size
        self.out.byte(b"[")
        for part in turn.parts:
            if self.is_taken(part, place):
                if self.is_misplaced(part, turn):
                    self.move(turn, place)
                else:
                    self.out.item()
                    self.write_part(part, place)
            place += 1
        if not self.out.just_opened():
            return self.out.byte(b"]")
        self.out.size = start
        return self.out.literal(b'""')

    # Reasoning in parts of the content, as Mistral and Databricks write it.

    cdef list thoughts_in_content(self, Details more):
        """Return the `(place, JSON)` of each part that is reasoning and goes to the target."""
        cdef object native
        cdef list found = []
        if more is None or self.target is None or not self.returns("content[].reasoning") or (
            self.rule("text_content_only") is True
        ):
            return None
        native = more.native
        if native is None:
            return more.reasoning_parts
        if native.dialect == DIALECT and more.reasoning == native.reasoning and (
            self.is_from_target(native)
        ):
            for block in native.blocks:
                if block.kind == "part":
                    found.append((block.values[0], msgspec.Raw(block.raw)))
        return found

    cdef int write_with_thoughts(self, Turn turn, list thoughts) except -1:
        """Write the content parts with those of reasoning in their places."""
        cdef dict thought_at = dict(thoughts)
        cdef list rest = turn.parts
        cdef Py_ssize_t at = 0
        cdef Py_ssize_t place
        if rest is None:
            rest = []
        self.out.byte(b"[")
        for place in range(len(rest) + len(thought_at)):
            if place in thought_at:
                self.field = content_field(place)
                self.out.item()
                self.out.value(thought_at.pop(place), 0)
                continue
            if at == len(rest):
                break
            if self.is_taken(rest[at], at):
                if self.is_misplaced(rest[at], turn):
                    self.move(turn, at)
                else:
                    self.out.item()
                    self.write_part(rest[at], at)
            at += 1
        for thought in thought_at.values():    # their places are behind a text that is one now
            self.out.item()
            self.out.value(thought, 0)
        if turn.text:
            self.out.item()
            self.out.literal(b'{"type":"text","text":')
            self.out.string(turn.text)
            self.out.byte(b"}")
        return self.out.byte(b"]")

    # A server that takes text only gets the texts of a list as one, a line for each.

    cdef bint is_text_alone(self, Turn turn) except -1:
        cdef Part part
        if self.rule("text_content_only") is not True:
            return False
        for part in turn.parts:
            if part.kind != TEXT and part.kind != REFUSAL:
                return False
        return True

    cdef str joined(self, Turn turn):
        cdef Part part
        cdef Py_ssize_t place = 0
        cdef list texts = []
        for part in turn.parts:
            texts.append(part.text)
            for name, value in (part.extra or {}).items():
                row = CACHE_CONTROL_OPENAI if name == "cache_control" else PART_UNKNOWN_KEY
                self.lose(row, f"messages[{self.index}].content[{place}].{name}", value)
            place += 1
        self.lose(CONTENT_JOINED, f"messages[{self.index}].content")
        return "\n".join(texts)

    # Media outside of user messages move to a user message after it, and after all tool results.

    cdef bint is_misplaced(self, Part part, Turn turn):
        return (
            (part.kind == IMAGE or part.kind == AUDIO or part.kind == FILE)
            and turn.role != USER and turn.role != OTHER
            and self.rule("media_in_user_messages_only") is True
        )

    cdef int move(self, Turn turn, Py_ssize_t place) except -1:
        self.lose(MEDIA_MOVED, f"messages[{self.index}].content[{place}]")
        if self.moved is None:
            self.moved = []
        if not self.moved or self.moved[-1][1] != self.index:
            self.moved.append((turn, self.index, []))
        (<list>self.moved[-1][2]).append(place)
        return 0

    cdef int write_moved(self) except -1:
        """Write the moved media as one user message, a line before each message's."""
        cdef Turn turn
        cdef Py_ssize_t now = self.index
        cdef list moved = self.moved
        self.moved = None
        self.out.item()
        self.out.literal(b'{"role":"user","content":[')
        for turn, self.index, places in moved:
            self.out.item()
            self.out.literal(b'{"type":"text","text":')
            self.out.string(self.owner_of(turn))
            self.out.byte(b"}")
            for place in places:
                self.out.item()
                self.write_part(turn.parts[place], place)
        self.index = now
        return self.out.literal(b"]}")

    cdef str owner_of(self, Turn turn):
        """Return the line that says whose media follow."""
        cdef str given
        if turn.role != TOOL:
            return f"From the {turn.role_name} message before:"
        given = turn.more.tool_call_id
        name = None if self.called is None else self.called.get(given)
        return f"From the result of the tool call {given}" + (f" ({name}):" if name else ":")

    cdef bint is_taken(self, Part part, Py_ssize_t place) except -1:
        """Report a part that the target is known not to take; return whether it does."""
        cdef str row = None
        if part.kind == IMAGE and self.lacks_input("Image"):
            row = INPUT_IMAGE
        elif part.kind == AUDIO and self.lacks_input("Audio"):
            row = INPUT_AUDIO
        elif part.kind == FILE and self.lacks_input("Document"):
            row = INPUT_DOCUMENT
        if row is not None:
            self.lose(row, f"messages[{self.index}].content[{place}]")
        return row is None

    cdef int write_part(self, Part part, Py_ssize_t place) except -1:
        self.field = f"content[{place}]"
        if part.kind == TEXT:
            self.out.literal(b'{"type":"text","text":')
            self.out.string(part.text)
        elif part.kind == REFUSAL:
            self.out.literal(b'{"type":"refusal","refusal":')
            self.out.string(part.text)
        elif part.kind == IMAGE:
            self.out.literal(b'{"type":"image_url","image_url":{"url":')
            self.out.string(part.text)
            self.optional(b"detail", part.detail)
            self.extra(part.media_extra, f"content[{place}].image_url")
            self.out.byte(b"}")
        elif part.kind == AUDIO:
            self.out.literal(b'{"type":"input_audio","input_audio":{"data":')
            self.out.string(part.text)
            self.optional(b"format", part.detail)
            self.extra(part.media_extra, f"content[{place}].input_audio")
            self.out.byte(b"}")
        else:
            self.write_file(part, place)
        self.extra(part.extra, f"content[{place}]")
        return self.out.byte(b"}")

    cdef int write_file(self, Part part, Py_ssize_t place) except -1:
        self.out.literal(b'{"type":"file","file":{')
        self.optional(b"file_data", part.text)
        self.optional(b"filename", part.detail)
        self.optional(b"file_id", part.file_id)
        self.extra(part.media_extra, f"content[{place}].file")
        return self.out.byte(b"}")

    cdef int optional(self, bytes name, str value) except -1:
        if value is not None:
            self.out.key(name)
            self.out.string(value)
        return 0

    cdef int extra(self, dict extra, str field) except -1:
        """Write the keys that no row names as they are; `cache_control` has one.

        *field* is their path in the message, "" for the message itself.
        """
        cdef str place
        if extra is None:
            return 0
        for name, value in extra.items():
            place = f"{field}.{name}" if field else name
            if name == "cache_control" and self.rule("cache_control") is False:
                self.lose(CACHE_CONTROL_OPENAI, f"messages[{self.index}].{place}", value)
                continue
            if name == "thinking_blocks" and not field and not self.returns("reasoning_details"):
                self.lose(REASONING_OPENAI, f"messages[{self.index}].{place}")
                continue
            if name == "extra_content" and not self.returns("tool_calls[].extra_content"):
                self.lose(NATIVE_FOREIGN, f"messages[{self.index}].{place}")
                continue
            self.field = place
            self.out.item()
            self.out.string(name)
            self.out.byte(b":")
            self.out.value(value, 0)
        return 0

    cdef int write_details(self, Details more) except -1:
        cdef Call call
        cdef Py_ssize_t place = 0
        self.field = "name"
        if self.is_nameless and more.name is not None:
            self.lose(MESSAGE_NAME, f"messages[{self.index}].name", more.name)
        else:
            self.optional(b"name", more.name)
        self.field = "tool_call_id"
        if more.tool_call_id is not None:
            self.optional(b"tool_call_id", self.answered_id(more.tool_call_id, "tool_call_id"))
        self.field = "refusal"
        self.optional(b"refusal", more.refusal)
        if more.calls is not None:
            self.begin_calls()
            if self.rule("media_in_user_messages_only") is True:
                self.called = {call.id: call.name for call in more.calls}
            self.out.literal(b',"tool_calls":[')
            for call in more.calls:
                self.out.item()
                self.write_call(call, f"tool_calls[{place}]", more.native)
                place += 1
            self.out.byte(b"]")
        if more.audio is not None:
            self.member("audio", more.audio)
        if more.function_call is not None:
            self.member("function_call", more.function_call)
        self.is_reasoning_content_sent = False
        if more.native is not None:
            self.write_native(more)
        elif more.reasoning is not None or more.reasoning_details is not None:
            self.write_reasoning(more)
        if (
            more.calls is not None
            and self.reasons
            and not self.is_reasoning_content_sent
            and self.trait("empty_reasoning") is True
        ):
            self.lose(REASONING_EMPTY, f"messages[{self.index}].reasoning", None, "")
            self.out.literal(b',"reasoning_content":""')
        return self.extra(more.extra, "")

    # Reasoning: members that OpenAI does not document, under the names that their server uses.

    cdef bint returns(self, str name):
        """Return whether the target takes back a member of its answers."""
        return self.target is not None and name in self.target.returns

    cdef int write_native(self, Details more) except -1:
        """Write the members that the target itself added to its answer, with the caller's edits."""
        cdef object native = more.native
        cdef str name
        cdef bint is_told = self.has_thoughts    # whether the reasoning's text is written
        if native.dialect != DIALECT:
            self.report_native(native)
            return self.lose_reasoning(more)
        if not self.is_from_target(native):
            for place, block in enumerate(native.blocks):
                if block.kind == "call_member":
                    self.lose(NATIVE_FOREIGN, f"messages[{self.index}].native.blocks[{place}]")
            return self.lose_reasoning(more)
        for block in native.blocks:
            if block.kind == "member" and more.reasoning is not None:
                name = block.values[0]
                if self.returns(name):
                    self.write_own_member(name, more.reasoning)
                    is_told = True
        if more.reasoning is not None and not is_told:
            self.lose(REASONING_OPENAI, f"messages[{self.index}].reasoning")
        if more.reasoning_details is not None:
            self.write_native_details(more)
        return 0

    cdef int write_native_details(self, Details more) except -1:
        """Write the blocks of `reasoning_details` that are unchanged, for the model they are of."""
        cdef object native = more.native
        cdef Py_ssize_t place = 0
        cdef list raws = []
        if not self.returns("reasoning_details"):
            return self.lose_details(more, REASONING_OPENAI)
        if native.model != self.model:
            return self.lose_details(more, REASONING_FOREIGN)
        for block in native.blocks:
            if block.kind == "reasoning":
                if more.kept is None or more.kept[place]:
                    raws.append(block.raw)
                place += 1
        if raws:
            self.out.key(b"reasoning_details")
            self.out.byte(b"[")
            self.out.literal(b",".join(raws))
            self.out.byte(b"]")
        return 0

    cdef int write_reasoning(self, Details more) except -1:
        """Write reasoning of a history that specado did not decode, as far as the target takes it."""
        cdef bint is_own = more.reasoning is not more.reasoning_content
        if not more.is_given:
            if self.has_thoughts:
                return self.lose_details(more, REASONING_OPENAI)
            return self.lose_reasoning(more)
        if more.reasoning_parts is not None and not self.has_thoughts:
            for place, _ in more.reasoning_parts:
                # As the caller has it, unlike the places of the parts that are read.
                path = f"messages[{self.index}].content[{place}]"
                self.losses.append((REASONING_OPENAI, path, None, None))
        if more.reasoning is not None:
            name = "reasoning" if is_own else "reasoning_content"
            if self.returns(name):
                self.write_own_member(name, more.reasoning)
                if is_own and self.returns("reasoning_content"):
                    self.write_own_member("reasoning_content", more.reasoning_content)
            else:
                self.lose(REASONING_OPENAI, f"messages[{self.index}].{name}")
        if more.reasoning_details is None or more.details_name == "thinking_blocks":
            return 0    # these are written, or not, with the other keys
        if not self.returns("reasoning_details") or not are_openrouters(more.given_details):
            return self.lose_details(more, REASONING_OPENAI)
        self.out.key(b"reasoning_details")
        self.out.value(more.given_details, 0)
        return 0

    cdef int write_own_member(self, str name, object value) except -1:
        """Write a member with reasoning, unless there is none."""
        if name == "reasoning_content" and value is not None:
            self.is_reasoning_content_sent = True
        self.optional(name.encode(), value)
        return 0

    cdef int lose_reasoning(self, Details more) except -1:
        """Report that reasoning is not sent."""
        if more.reasoning is not None:
            self.lose(REASONING_OPENAI, f"messages[{self.index}].reasoning")
        return self.lose_details(more, REASONING_OPENAI)

    cdef int lose_details(self, Details more, str row) except -1:
        cdef Py_ssize_t place
        if more.reasoning_details is not None:
            for place in range(len(more.reasoning_details)):
                self.lose(row, f"messages[{self.index}].reasoning_details[{place}]")
        return 0

    cdef str call_id(self, str given, str field):
        """Return a call's id as the target takes it, distinct from those before."""
        cdef object limit = self.rule("call_id_characters")
        cdef object length = self.rule("call_id_length")
        if length is not None:
            return self.opened_id(given, self.id_of_length(given, length), TOOL_CALL_ID, field)
        if limit is None or len(given) <= limit:
            return self.opened_id(given, given, TOOL_CALL_ID, field)
        return self.opened_id(given, renamed(given, limit), TOOL_CALL_ID, field)

    cdef str id_of_length(self, str given, Py_ssize_t length):
        """Return an id of ASCII letters and digits, as *given* if it is one and still free."""
        cdef str made = given
        cdef object number
        cdef Py_ssize_t turn = 0
        while not (
            len(made) == length and made.isascii() and made.isalnum()
            and made not in self.call_ids.written
        ):
            number = int(digest_of(f"{given!a} {turn}"), 16)
            made = ""
            while len(made) < length:
                number, place = divmod(number, len(ALPHANUMERIC))
                made += ALPHANUMERIC[place]
            turn += 1
        return made

    cdef int write_call(self, Call call, str field, object native) except -1:
        cdef str kind = "custom" if call.custom else "function"
        cdef str name
        self.field = field
        self.out.literal(b'{"id":')
        self.out.string(self.call_id(call.id, field))
        self.out.literal(b',"type":"custom","custom":{"name":' if call.custom
                         else b',"type":"function","function":{"name":')
        name = self.call_name(call.name, f"{field}.{kind}.name")
        self.out.string(name)
        self.out.literal(b',"input":' if call.custom else b',"arguments":')
        self.out.string(call.text if call.custom else self.arguments_of(call, field))
        self.extra(call.body_extra, f"{field}.{kind}")
        self.out.byte(b"}")
        if native is not None and native.dialect == DIALECT and self.is_from_target(native):
            self.write_call_member(call, name, field, native)
        self.extra(call.extra, field)
        return self.out.byte(b"}")

    cdef int write_call_member(self, Call call, str name, str field, object native) except -1:
        """Write what the target itself added to a call, if the call is still the same.

        *name* is the written one, as the target knows it.
        """
        for block in native.blocks:
            if block.kind != "call_member" or block.values[0] != call.id:
                continue
            if call.extra is not None and "extra_content" in call.extra:
                return 0    # the caller's own
            if block.values != (call.id, name, call.text):
                self.lose(REASONING_EDITED, f"messages[{self.index}].{field}")
            elif self.returns("tool_calls[].extra_content"):
                self.out.key(b"extra_content")
                self.out.literal(extra_content_in(block.raw))
            else:
                self.lose(NATIVE_FOREIGN, f"messages[{self.index}].{field}.extra_content")
        return 0

    # Decisions on parameters

    cdef int decide_effort(self) except -1:
        """Find the effort that the target takes, for this request's tools too."""
        cdef object wanted = self.params.get("reasoning_effort")
        cdef object levels = self.trait("reasoning_efforts")
        cdef object default = self.trait("default_effort")
        cdef object running
        self.effort = self.supported_effort(wanted, levels)
        running = self.effort if self.effort is not None else default
        if (
            self.params.get("tools")
            and not self.toolless
            and running != "none"
            and self.trait("tools_while_reasoning") is False
        ):
            if levels is None or "none" in levels:
                row = REASONING_EFFORT_OFF if wanted is None else REASONING_EFFORT_TOOLS
                self.lose(row, "reasoning_effort", wanted, "none")
                self.effort = None if default == "none" else "none"
                running = "none"
            else:
                self.lose(TOOLS_REASONING, "tools")
                self.toolless = True
        self.reasons = running is not None and running != "none"
        return 0

    cdef object supported_effort(self, object wanted, object levels):
        cdef object nearest
        if levels is None or not isinstance(wanted, str) or wanted in levels:
            return wanted
        if not levels:
            row = REASONING_EFFORT_NONE if wanted == "none" else REASONING_EFFORT_UNSUPPORTED
            self.lose(row, "reasoning_effort", wanted)
            return None
        nearest = nearest_effort(wanted, levels)
        if nearest is None:
            return wanted
        self.lose(REASONING_EFFORT_LEVEL, "reasoning_effort", wanted, nearest)
        return nearest

    cdef int decide_parameters(self) except -1:
        """Put the parameters that the target takes into `sent`, as it takes them."""
        self.sent = {}
        for name, value in self.params.items():
            self.decide_parameter(exact(name), value)
        if self.effort is not None and "reasoning_effort" not in self.params:
            self.decide_parameter("reasoning_effort", self.effort)
        return 0

    cdef int put_effort(self, dict members) except -1:
        """Put the members that ask for the effort in place of `reasoning_effort`."""
        for name, value in members.items():
            self.sent[name] = value
        if members.get("reasoning_effort") != self.effort or len(members) != 1:
            self.lose(REASONING_EFFORT_MEMBERS, "reasoning_effort", self.effort, members)
        return 0

    cdef int decide_parameter(self, str name, object value) except -1:
        if name == "max_tokens" or name == "max_completion_tokens":
            return self.decide_max_tokens(name, value)
        if self.toolless and name in TOOL_PARAMETERS:
            return 0
        if name == "reasoning_effort" or name == "tool_choice":
            value = self.effort if name == "reasoning_effort" else self.supported_choice(value)
            if value is None:
                return 0
            if name == "reasoning_effort":
                members = self.trait("effort_members")
                if members is not None and value in members:
                    return self.put_effort(members[value])
        elif name == "tools":
            value = self.supported_tools(value)
        elif name in USERS:
            value = self.supported_user(name, value)
        elif self.traits is not None:
            if self.refused(name, value):
                return 0
            if name == "response_format" and isinstance(value, dict):
                value = self.supported_format(<dict>value)
                if value is None:
                    return 0
            elif name == "stop" and isinstance(value, list):
                value = self.supported_stops(<list>value)
        elif name == "stop" and isinstance(value, list):
            value = self.supported_stops(<list>value)
        self.sent[name] = value
        return 0

    cdef list supported_stops(self, list given):
        """Return as many stop sequences as the target takes."""
        cdef object limit = self.rule("max_stops")
        cdef str row = STOP_LIMIT
        cdef Py_ssize_t place
        if limit is None and self.trait("stop") is True:
            limit, row = MAX_STOPS, STOP_TOO_MANY
        if limit is None or len(given) <= limit:
            return given
        for place in range(limit, len(given)):
            self.lose(row, f"stop[{place}]", given[place])
        return given[:limit]

    cdef object supported_user(self, str name, object value):
        """Return the id of an end user as the target takes it."""
        cdef object limit = self.rule("user_characters")
        if limit is None or not isinstance(value, str) or len(value) <= limit:
            return value
        return self.hashed(name, value)

    cdef dict supported_format(self, dict given):
        """Return a response format as the target takes it, `None` if it takes none of its kind."""
        kind = given.get("type")
        if (kind == "json_object" and self.lacks("json_mode")) or (
            kind == "json_schema" and self.trait("structured_output") is False
        ):
            self.lose(RESPONSE_FORMAT_UNSUPPORTED, "response_format", kind)
            return None
        if kind == "json_schema" and self.trait("schema_with_tools") is False and (
            self.params.get("tools") and not self.toolless
        ):
            self.lose(RESPONSE_FORMAT_CONFLICT, "response_format", kind)
            return None
        if kind == "json_schema" and self.trait("structured_output") is True:
            return self.strict_format(given)
        return given

    cdef dict strict_format(self, dict given):
        """Return a response format with its schema in the form that strict mode takes, if any."""
        cdef object inner = given.get("json_schema")
        if not isinstance(inner, dict) or (<dict>inner).get("strict") is not True:
            return given
        self.field = "response_format"
        form, moved = openai_form(
            (<dict>inner).get("schema"), "response_format.json_schema.schema"
        )
        if not moved:
            return given
        for place, name, value, hint in moved:
            self.lose(row_of_moved(name, value), place, value, hint)
        return {**given, "json_schema": {**<dict>inner, "schema": form}}

    cdef bint refused(self, str name, object value) except -1:
        """Report a parameter that the target does not take; return whether it is left out."""
        cdef str row = None
        cdef object limit
        cdef bint alone = self.reasons and self.trait("sampling_while_reasoning") is False
        if name in SAMPLING and value != 1:
            if self.trait("sampling") is False:
                row = SAMPLING_UNSUPPORTED
            elif alone:
                row = SAMPLING_THINKING
            elif name == "top_p" and self.trait("temperature_with_top_p") is False and (
                self.params.get("temperature") is not None
            ):
                row = SAMPLING_BOTH
        elif name == "logit_bias" and value and (self.trait("sampling") is False or alone):
            row = LOGIT_BIAS_UNSUPPORTED
        elif name in PENALTIES and value != 0 and self.trait("penalties") is False:
            row = PENALTY_UNSUPPORTED
        elif name in LOGPROBS and value:
            if self.trait("logprobs") is False:
                row = LOGPROBS_MODEL
            elif alone:
                row = LOGPROBS_THINKING
        elif name == "stop" and value and self.trait("stop") is False:
            row = STOP_UNSUPPORTED
        elif name in AUDIO_PARAMETERS and self.lacks_output("Audio"):
            if name == "audio" or "audio" in value:
                row = AUDIO_OUTPUT
        elif name == "web_search_options" and self.trait("web_search") is False:
            row = WEB_SEARCH_MODEL
        elif name == "parallel_tool_calls" and self.trait(name) is False:
            row = PARALLEL_TOOL_CALLS_UNSUPPORTED if value else PARALLEL_TOOL_CALLS_NEVER
        elif name == "n" and isinstance(value, int):
            limit = self.trait("max_choices")
            if limit is not None and value > limit:
                self.lose(N_LIMIT, name, value, limit)
                return True
        if row is None:
            return False
        self.lose(row, name, value)
        return True

    cdef int decide_max_tokens(self, str name, object value) except -1:
        cdef object limit = None if self.facts is None else self.facts.max_output_tokens
        cdef str path = name
        cdef object wanted = self.trait("max_tokens_parameter")
        if name == "max_tokens" and self.traits is not None and (
            self.params.get("max_completion_tokens") is not None
        ):
            return self.lose(MAX_TOKENS_TWICE, name, value)
        if wanted is not None and name != wanted:
            name = wanted
            self.lose(MAX_TOKENS_RENAMED, path, path, name)
        if limit is not None and isinstance(value, int) and value > limit:
            self.lose(MAX_TOKENS_ABOVE_LIMIT, path, value, limit)
            value = limit
        self.sent[name] = value
        return 0

    # What the servers of a compatible provider take, refuse and call by other names

    cdef int adapt_members(self) except -1:
        """Give the decided members the names and values that the servers take."""
        cdef dict names = self.rule("renamed_members")
        cdef dict words = self.rule("member_values")
        cdef dict ranges = self.rule("member_ranges")
        cdef object known = self.rule("members")
        cdef object refused = self.rule("refused_members")
        cdef dict adapted = {}
        cdef str sent
        self.is_nameless = MESSAGE_NAMES in refused
        for name, value in self.sent.items():
            sent = names.get(name, name)
            if sent in refused or (known is not None and sent not in known):
                if name not in NEUTRAL_VALUES or NEUTRAL_VALUES[name] != value:
                    self.lose(REFUSED_ROWS.get(name, MEMBER_REFUSED), name, value)
                continue
            if isinstance(value, str) and name in words and value in words[name]:
                self.lose(MEMBER_VALUE, name, value, words[name][value])
                value = words[name][value]
            elif name in ranges:
                value = self.in_range(name, value, ranges[name])
            if sent != name:
                self.lose(MEMBER_RENAMED, name, name, sent)
            adapted[sent] = value
        self.sent = adapted
        return 0

    cdef object in_range(self, str name, object value, tuple limits):
        """Return a number within the limits of the servers, reported if it is another."""
        if type(value) is not int and type(value) is not float:
            return value
        found = min(max(value, limits[0]), limits[1])
        if found == value:
            return value
        self.lose(MEMBER_RANGE, name, value, found)
        return found

    # Decisions on tools

    cdef int decide_tools(self) except -1:
        """Find whether any tool goes to the target."""
        cdef object tools = self.params.get("tools")
        if tools and self.lacks("function_calling") and self.lacks("tool_use"):
            self.lose(TOOLS_UNSUPPORTED, "tools")
            self.toolless = True
        elif tools and self.trait("custom_tools") is False and are_custom(tools):
            self.functions_alone(tools)
            self.toolless = True
        return 0

    cdef bint is_misnamed(self, str name):
        """Return whether the target refuses a tool's name."""
        cdef object limit = self.rule("tool_name_characters")
        return limit is not None and name is not None and not is_name(name, limit)

    cdef str call_name(self, str given, str field):
        """Return the name of a called tool in a form that the target takes."""
        cdef str made
        if not self.is_misnamed(given):
            return given
        made = self.short_name(given)
        self.lose(TOOL_CALL_NAME, f"messages[{self.index}].{field}", given, made)
        return made

    cdef object with_accepted_name(self, object tool, str path):
        """Return a tool, or the choice of one, with a name that the target takes."""
        cdef str name = name_of(tool)
        cdef str kind
        if not self.is_misnamed(name):
            return tool
        made = self.short_name(name)
        self.lose(TOOL_NAME, path, name, made)
        kind = "function" if isinstance((<dict>tool).get("function"), dict) else "custom"
        return {**tool, kind: {**(<dict>tool)[kind], "name": made}}

    cdef object supported_choice(self, object choice):
        """Return a choice of tools as the target takes it."""
        cdef object given
        if self.is_forced(choice) and (
            self.trait("forced_tool_choice") is False
            or (self.reasons and self.trait("forced_tool_choice_while_reasoning") is False)
        ):
            self.lose(TOOL_CHOICE_THINKING, "tool_choice", choice, "auto")
            return "auto"
        if not isinstance(choice, dict):
            return choice
        given = (<dict>choice).get("allowed_tools")
        tools = (<dict>given).get("tools") if isinstance(given, dict) else None
        if not isinstance(tools, list):
            return self.with_accepted_name(choice, "tool_choice")
        named = [
            self.with_accepted_name(tool, f"tool_choice.allowed_tools.tools[{place}]")
            for place, tool in enumerate(<list>tools)
        ]
        return {**choice, "allowed_tools": {**given, "tools": named}}

    cdef bint is_forced(self, object choice):
        return choice == "required" or (
            isinstance(choice, dict) and choice.get("type") != "allowed_tools"
        )

    cdef object supported_tools(self, object tools):
        """Return the tools as the target takes them."""
        if not isinstance(tools, list):
            return tools
        if self.trait("custom_tools") is False:
            return self.functions_alone(<list>tools)
        return [
            self.supported_tool(
                self.with_accepted_name(tool, f"tools[{place}]"), f"tools[{place}]"
            )
            for place, tool in enumerate(<list>tools)
        ]

    cdef list functions_alone(self, list tools):
        """Return the tools that are functions, as the target takes them."""
        cdef Py_ssize_t place = -1
        cdef list kept = []
        for tool in tools:
            place += 1
            if isinstance(tool, dict) and (<dict>tool).get("type") == "custom":
                self.lose(TOOL_CUSTOM, f"tools[{place}]", name_of(tool))
                continue
            kept.append(self.supported_tool(
                self.with_accepted_name(tool, f"tools[{place}]"), f"tools[{place}]"
            ))
        return kept

    cdef object supported_tool(self, object tool, str path):
        """Return a tool without the members that the target does not take."""
        cdef object function
        if not isinstance(tool, dict):
            return tool
        if "cache_control" in <dict>tool and self.rule("cache_control") is False:
            self.lose(CACHE_CONTROL_OPENAI, f"{path}.cache_control", tool["cache_control"])
            tool = {name: value for name, value in (<dict>tool).items() if name != "cache_control"}
        function = (<dict>tool).get("function")
        if isinstance(function, dict):
            given = (<dict>function).get("parameters")
            if given is not None and not isinstance(given, (dict, msgspec.Raw)):
                field = f"{path}.function.parameters"
                raise MessageFormatError(
                    f"{field}: must be a dict, not {type(given).__name__}", field=field
                )
            if self.rule("complete_schemas") is True:
                tool = self.with_complete_schema(<dict>tool, path)
                function = (<dict>tool)["function"]
        if (
            self.trait("strict_tools") is False
            and isinstance(function, dict)
            and function.get("strict")
        ):
            self.lose(TOOL_STRICT, f"{path}.function.strict", function["strict"])
            tool = {**tool, "function": {
                name: value for name, value in (<dict>function).items() if name != "strict"
            }}
        return tool

    cdef dict with_complete_schema(self, dict tool, str path):
        """Return a tool whose schema has the members that the target requires.

        A function without parameters may lack them, unless it is strict ("Function calling" guide
        of OpenAI, read 2026-11-30); `{}` and null are refused: "schema must be of type object".
        """
        cdef dict function = tool["function"]
        cdef bint is_strict = function.get("strict") is True
        if "parameters" not in function and not is_strict:
            return tool
        field = f"{path}.function.parameters"
        given = function.get("parameters")
        form, added = complete_parameters(given, field, strict=is_strict)
        if not added:
            return tool
        for place in added:
            after = "object" if place.endswith(".type") else "{}"
            self.lose(TOOL_SCHEMA_COMPLETED, place, None, after)
        return {**tool, "function": {**function, "parameters": form}}


cdef bint are_custom(object tools):
    """Return whether none of the tools is a function."""
    if not isinstance(tools, list):
        return False
    for tool in <list>tools:
        if not isinstance(tool, dict) or (<dict>tool).get("type") != "custom":
            return False
    return True


def encode_request(
    Conversation conversation not None, model, dict params not None, facts, rules=None,
    target=None,
):
    """Return `(body, losses, answer_tool, tool_names)`.

    *facts* is the target's `Model`, *rules* the `RequestRules` of its servers, *target* the
    provider at its address; None if not known.
    """
    cdef OpenAIChatEncoder encoder = OpenAIChatEncoder(conversation, model, params, facts)
    encoder.rules = rules
    encoder.target = target
    if facts is None and rules is not None:
        encoder.traits = rules.traits
    return encoder.encode()
