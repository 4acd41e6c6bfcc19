"""Responses request encoder: a conversation and its parameters to the body of a request.

Shapes from openai.types.responses 3.57 (2026-11-30). Content or parameters without a counterpart,
or with another form, are reported by a row of `specado.losses.rows`.
"""

cimport cython

from specado._core.conversation cimport (
    ASSISTANT, AUDIO, DEVELOPER, FILE, FUNCTION, IMAGE, OTHER, REFUSAL, SYSTEM, TEXT, TOOL, USER,
    Call, Conversation, Details, Part, Turn,
)
from specado._core.encoder cimport (
    Encoder, call_field, content_field, is_blank_text, is_name, name_of, renamed, true_media,
)
from specado._core.json_writer cimport exact
from specado._core.reply_fields cimport field, offset_of

import msgspec

from specado._core.loss_rows import (
    NATIVE_FOREIGN, NATIVE_ORDER, REASONING_EDITED,
)
from specado._core.native import has_own_order, split_text
from specado._core.openai_responses.loss_rows import (
    ASSISTANT_AUDIO, ASSISTANT_REFUSAL, AUDIO_OUTPUT, CACHE_CONTROL_OPENAI, CONTENT_JOINED,
    FILE_NAME, FUNCTIONS, INPUT_AUDIO, INPUT_DOCUMENT, INPUT_IMAGE, INPUT_VIDEO, LOGPROBS_MODEL,
    LOGPROBS_THINKING, MAX_TOKENS_ABOVE_LIMIT, MAX_TOKENS_BELOW_LIMIT, MAX_TOKENS_TWICE,
    MESSAGE_ANNOTATIONS, MESSAGE_NAME, MESSAGE_UNKNOWN_KEY, PARALLEL_TOOL_CALLS_NEVER,
    PARALLEL_TOOL_CALLS_UNSUPPORTED, PARAM_UNKNOWN, PART_UNKNOWN_KEY, REASONING_EFFORT_LEVEL,
    REASONING_EFFORT_NONE, REASONING_EFFORT_UNSUPPORTED, REASONING_FOREIGN, REASONING_OPENAI,
    RESPONSE_FORMAT_UNSUPPORTED, ROLE_SYSTEM_NAME, ROLE_UNKNOWN, SAMPLING_BOTH, SAMPLING_THINKING,
    SAMPLING_UNSUPPORTED, STORE_DEFAULT, STREAM_OPTIONS, STRICT_DEFAULT, TOOLS_UNSUPPORTED,
    TOOL_CALL_ID, TOOL_CALL_NAME, TOOL_CHOICE_THINKING, TOOL_CUSTOM, TOOL_NAME,
    TOOL_SCHEMA_COMPLETED, TOOL_STRICT, WEB_SEARCH_TOOL,
)
from specado._core.openai_responses.native import (
    DIALECT, FORMAT, family_of, id_of_item, without_nulls,
)
from specado._core.parameters import nearest_effort
from specado._core.schema import complete_parameters, openai_form, row_of_moved
from specado.errors import MessageFormatError
from specado.types import NativeBlock, NativeContent

cdef Py_ssize_t NATIVE_FAMILY = offset_of(NativeContent, "family")
cdef Py_ssize_t NATIVE_BLOCKS = offset_of(NativeContent, "blocks")
cdef Py_ssize_t BLOCK_KIND = offset_of(NativeBlock, "kind")
cdef Py_ssize_t BLOCK_RAW = offset_of(NativeBlock, "raw")
cdef Py_ssize_t BLOCK_VALUES = offset_of(NativeBlock, "values")

cdef enum:
    # The least that `max_output_tokens` may be.
    LEAST_TOKENS = 16
    # The place of `data`, the encrypted content, among the fields of a `ReasoningBlock`.
    DATA = 3

# A parameter that the field table does not have: its loss row, and the value that is no loss.
cdef tuple UNKNOWN = (PARAM_UNKNOWN, None)
# Parameters with the same name and form in a Responses request, in the order of the body.
cdef tuple SAME = (
    "service_tier", "metadata", "prompt_cache_key", "prompt_cache_options",
    "prompt_cache_retention", "moderation",
)
cdef tuple USERS = ("user", "safety_identifier")
# The members of an answer's target that take its reasoning back without its encrypted form.
cdef frozenset REASONING_MEMBERS = frozenset({"reasoning", "reasoning_content"})
# The file types that have a name of their own; a file that is sent as data has one there.
cdef dict FILE_NAMES = {"application/pdf": "file.pdf", "text/plain": "file.txt"}


@cython.final
cdef class ResponsesEncoder(Encoder):
    """Writes a Responses request. One per body; not for two threads at once.

    The order of members is model, input, then the rest: the same leading messages give the same
    leading bytes. A value is sent unless the target's servers or its model are known to refuse it.
    """

    cdef dict parameters    # name -> `(row, neutral value)` if it is dropped, None if it is written
    cdef object rules       # the servers' `RequestRules`, None if nothing is known of them
    cdef str own_family     # of the target, None until it is asked for
    cdef set custom_ids     # given ids of the calls of custom tools, None without one
    cdef str effort         # the reasoning effort to ask for, None to leave it out
    cdef bint reasons       # whether the target is known to reason with that effort
    cdef bint cites         # whether the annotations of an answer are written with its items

    cdef object rule(self, str name):
        """Return a rule of the target's servers, `None` if it is not known."""
        return None if self.rules is None else getattr(self.rules, name)

    cdef int write(self) except -1:
        cdef Turn turn
        self.field = "model"
        self.out.literal(b'{"model":')
        self.out.string(self.model)
        self.out.literal(b',"input":[')
        self.index = 0
        for turn in self.conversation.turns:
            self.write_turn(turn)
            self.index += 1
        self.index = -1
        self.out.byte(b"]")
        self.write_params()
        return self.out.byte(b"}")

    # Messages.

    cdef int write_turn(self, Turn turn) except -1:
        if turn.role == ASSISTANT:
            return self.write_answer(turn)
        if turn.role == TOOL or turn.role == FUNCTION:
            return self.write_result(turn)
        self.begin_message(turn)
        self.field = "content"
        if turn.text is not None:
            self.out.string(turn.text)
        elif turn.parts is None:
            self.out.literal(b'""')
        else:
            self.write_parts(turn)
        if turn.more is not None:
            self.lose_details(turn)
        return self.out.byte(b"}")

    cdef int begin_message(self, Turn turn) except -1:
        """Begin a message of the user or the system, up to its content."""
        cdef object only
        cdef int role = turn.role
        self.out.item()
        if role == OTHER:
            self.lose(ROLE_UNKNOWN, f"messages[{self.index}].role", turn.role_name, "user")
        elif role != USER:
            only = self.trait("system_role")
            if only is not None and only != turn.role_name:
                self.lose(ROLE_SYSTEM_NAME, f"messages[{self.index}].role", turn.role_name, only)
                role = SYSTEM if only == "system" else DEVELOPER
        if role == SYSTEM:
            return self.out.literal(b'{"role":"system","content":')
        if role == DEVELOPER:
            return self.out.literal(b'{"role":"developer","content":')
        return self.out.literal(b'{"role":"user","content":')

    cdef int lose_details(self, Turn turn) except -1:
        """Report the keys of a message that have no counterpart."""
        cdef Details more = turn.more
        cdef str path = f"messages[{self.index}]"
        if more.name is not None and turn.role != FUNCTION:
            self.lose(MESSAGE_NAME, f"{path}.name", more.name)
        if more.audio is not None:
            self.lose(ASSISTANT_AUDIO, f"{path}.audio")
        if more.function_call is not None:
            self.lose(FUNCTIONS, f"{path}.function_call")
        self.lose_keys(more.extra, MESSAGE_UNKNOWN_KEY, "")
        self.cites = False
        return 0

    cdef int lose_keys(self, dict extra, str row, str field) except -1:
        """Report the keys that are not written; *field* is "" for the message itself."""
        cdef str path
        if extra is None:
            return 0
        path = f"messages[{self.index}]" + (f".{field}" if field else "")
        for name, value in extra.items():
            if value is None or (name == "thinking_blocks" and not field):
                pass    # nothing, or read as reasoning
            elif name == "cache_control":
                self.lose(CACHE_CONTROL_OPENAI, f"{path}.{name}", value)
            elif name == "annotations" and not field:
                if value and not self.cites:
                    self.lose(MESSAGE_ANNOTATIONS, f"{path}.{name}")
            elif name == "extra_content":
                self.lose(NATIVE_FOREIGN, f"{path}.{name}")
            else:
                self.lose(row, f"{path}.{name}", value)
        return 0

    # Content parts.

    cdef int write_parts(self, Turn turn) except -1:
        """Write the content parts, or an empty text where the target takes none."""
        cdef Part part
        cdef Py_ssize_t place = 0
        cdef Py_ssize_t start = self.out.size
        self.out.byte(b"[")
        for part in turn.parts:
            self.write_part(part, place)
            place += 1
        if not self.out.just_opened():
            return self.out.byte(b"]")
        self.out.size = start
        return self.out.literal(b'""')

    cdef int write_part(self, Part part, Py_ssize_t place) except -1:
        cdef str row = None
        self.field = content_field(place)
        if part.kind == AUDIO:
            row = INPUT_AUDIO
        elif part.kind == IMAGE and self.lacks_input("Image"):
            row = INPUT_IMAGE
        elif part.kind == FILE:
            row = self.file_refusal(part)
        if row is not None:
            return self.lose(row, f"messages[{self.index}].{self.field}")
        self.out.item()
        if part.kind == IMAGE:
            self.write_image(part)
        elif part.kind == FILE:
            self.write_file(part)
        else:
            if part.kind == REFUSAL:
                self.lose(ASSISTANT_REFUSAL, f"messages[{self.index}].{self.field}")
            self.out.literal(b'{"type":"input_text","text":')
            self.out.string(part.text)
        if part.extra is not None:
            self.write_part_extra(part)
        return self.out.byte(b"}")

    cdef int write_part_extra(self, Part part) except -1:
        """Write a part's `prompt_cache_breakpoint`; report every other key."""
        cdef dict extra = part.extra
        cdef object mark = extra.get("prompt_cache_breakpoint")
        if mark is not None:
            self.out.key(b"prompt_cache_breakpoint")
            self.out.value(mark, 0)
            extra = {
                name: value for name, value in extra.items() if name != "prompt_cache_breakpoint"
            }
        return self.lose_keys(extra, PART_UNKNOWN_KEY, self.field)

    cdef str file_refusal(self, Part part):
        """Return the row of a file that the target does not take, `None` if it does."""
        if part.media is not None:
            if part.media.startswith("audio/"):
                return INPUT_AUDIO
            if part.media.startswith("video/"):
                return INPUT_VIDEO
        return INPUT_DOCUMENT if self.lacks_input("Document") else None

    cdef int write_image(self, Part part) except -1:
        self.out.literal(b'{"type":"input_image","image_url":')
        self.out.string(part.text)
        self.out.literal(b',"detail":')
        self.out.string("auto" if part.detail is None else part.detail)
        return self.lose_keys(part.media_extra, PART_UNKNOWN_KEY, f"{self.field}.image_url")

    cdef int write_file(self, Part part) except -1:
        """Begin the part of a file: data as a data URI, with a name."""
        cdef str media = part.media
        cdef str name = part.detail
        self.out.literal(b'{"type":"input_file"')
        if part.text is not None:
            if media is None:
                media = true_media(None, part.text, 0)
            if name is None:
                name = FILE_NAMES.get(media, "file")
                self.lose(FILE_NAME, f"messages[{self.index}].{self.field}.file.filename", None,
                          name)
        if name is not None:
            self.out.key(b"filename")
            self.out.string(name)
        if part.text is not None:
            self.out.key(b"file_data")
            if part.media is None and media is not None:
                self.out.string(f"data:{media};base64,{part.text}")
            else:
                self.out.string(part.text)
        if part.file_id is not None:
            self.out.key(b"file_id")
            self.out.string(part.file_id)
        return self.lose_keys(part.media_extra, PART_UNKNOWN_KEY, f"{self.field}.file")

    # Answers.

    cdef int write_answer(self, Turn turn) except -1:
        """Write an assistant message as items: its reasoning, its text and its calls."""
        cdef Details more = turn.more
        cdef str text = turn.text
        cdef str id_ = None     # of the message, which needs one after reasoning
        if more is None and text is not None:
            return self.write_text(text, None, "content")
        if more is not None:
            if more.native is not None and self.write_native(turn):
                return self.lose_details(turn)
            self.lose_details(turn)
        if turn.parts is not None:
            text = self.joined(turn.parts, 0, len(turn.parts))
        if more is None:
            return self.write_text(text or "", None, "content")
        if more.reasoning is not None or more.reasoning_details is not None:
            id_ = self.write_reasoning(more, text)
        if text or (more.calls is None and more.refusal is None):
            if id_ is None:
                self.write_text(text or "", None, "content")
            else:
                self.write_message(id_, text or "", None)
        if more.refusal is not None:
            self.write_refusal(more.refusal)
        return self.write_calls(more.calls) if more.calls is not None else 0

    cdef int write_text(self, str text, str phase, str field) except -1:
        self.field = field
        self.out.item()
        self.out.literal(b'{"role":"assistant","content":')
        self.out.string(text)
        if phase is not None:
            self.out.key(b"phase")
            self.out.string(phase)
        return self.out.byte(b"}")

    cdef int write_message(self, str id_, str text, str phase) except -1:
        """Write a text in the form of an answer's item, which alone may follow reasoning."""
        self.field = "content"
        self.out.item()
        self.out.literal(b'{"type":"message","id":')
        self.out.string(id_)
        self.out.literal(b',"status":"completed","role":"assistant","content":'
                         b'[{"type":"output_text","text":')
        self.out.string(text)
        self.out.literal(b',"annotations":[]}]')
        if phase is not None:
            self.out.key(b"phase")
            self.out.string(phase)
        return self.out.byte(b"}")

    cdef int write_refusal(self, str text) except -1:
        self.lose(ASSISTANT_REFUSAL, f"messages[{self.index}].refusal")
        return self.write_text(text, None, "refusal")

    cdef str joined(self, list parts, Py_ssize_t start, Py_ssize_t end):
        """Return the texts of an answer's parts as one, the form that an answer has there."""
        cdef Part part
        cdef list texts = []
        cdef Py_ssize_t place
        for place in range(start, end):
            part = parts[place]
            if part.kind == TEXT or part.kind == REFUSAL:
                texts.append(part.text)
                if part.kind == REFUSAL:
                    self.lose(ASSISTANT_REFUSAL, f"messages[{self.index}].content[{place}]")
            else:
                row = INPUT_IMAGE if part.kind == IMAGE else INPUT_DOCUMENT
                self.lose(INPUT_AUDIO if part.kind == AUDIO else row,
                          f"messages[{self.index}].content[{place}]")
            self.lose_keys(part.extra, PART_UNKNOWN_KEY, content_field(place))
        if len(texts) > 1:
            self.lose(CONTENT_JOINED, f"messages[{self.index}].content")
        return "".join(texts)

    # Calls and their results.

    cdef int write_calls(self, list calls) except -1:
        cdef Py_ssize_t place
        self.open_answer(calls)
        for place in range(len(calls)):
            self.write_call(calls[place], place)
        return 0

    cdef int open_answer(self, list calls) except -1:
        """Note the calls of an answer, which the results after it are of."""
        cdef Call call
        self.begin_calls()
        self.custom_ids = None
        for call in calls:
            if call.custom:
                if self.custom_ids is None:
                    self.custom_ids = set()
                self.custom_ids.add(call.id)
        return 0

    cdef int write_call(self, Call call, Py_ssize_t place) except -1:
        cdef str name
        cdef str id_
        self.field = call_field(place)
        id_ = self.call_id(call.id, self.field)
        name = self.call_name(call)
        self.out.item()
        self.out.literal(b'{"type":"custom_tool_call","call_id":' if call.custom
                         else b'{"type":"function_call","call_id":')
        self.out.string(id_)
        self.out.key(b"name")
        self.out.string(name)
        if call.custom:
            self.out.key(b"input")
            self.out.string(call.text)
        else:
            self.out.key(b"arguments")
            self.out.string(self.arguments_of(call, self.field))
        self.lose_call_keys(call)
        return self.out.byte(b"}")

    cdef int lose_call_keys(self, Call call) except -1:
        if call.body_extra is not None:
            kind = "custom" if call.custom else "function"
            self.lose_keys(call.body_extra, PART_UNKNOWN_KEY, f"{self.field}.{kind}")
        return self.lose_keys(call.extra, PART_UNKNOWN_KEY, self.field)

    cdef str call_id(self, str given, str field):
        """Return a call's id as the target takes it, distinct from those before."""
        cdef object limit = self.rule("call_id_characters")
        if limit is None or len(given) <= limit:
            return self.opened_id(given, given, TOOL_CALL_ID, field)
        return self.opened_id(given, renamed(given, limit), TOOL_CALL_ID, field)

    cdef str accepted_name(self, str given):
        """Return the name of a tool, or its replacement."""
        cdef object limit = self.rule("tool_name_characters")
        return given if limit is None or is_name(given, limit) else self.short_name(given)

    cdef str call_name(self, Call call):
        """Return the name of the tool that was called, or its replacement."""
        cdef str accepted = self.accepted_name(call.name)
        if accepted is not call.name:
            kind = "custom" if call.custom else "function"
            self.lose(TOOL_CALL_NAME, f"messages[{self.index}].{self.field}.{kind}.name",
                      call.name, accepted)
        return accepted

    cdef int write_result(self, Turn turn) except -1:
        """Write a tool message as the output of its call."""
        cdef str given = None if turn.more is None else turn.more.tool_call_id
        if turn.role == FUNCTION or given is None:
            return self.lose(FUNCTIONS, f"messages[{self.index}]")
        self.field = "tool_call_id"
        self.out.item()
        if self.custom_ids is not None and given in self.custom_ids:
            self.out.literal(b'{"type":"custom_tool_call_output","call_id":')
        else:
            self.out.literal(b'{"type":"function_call_output","call_id":')
        self.out.string(self.answered_id(given, "tool_call_id"))
        self.field = "content"
        self.out.key(b"output")
        if turn.text is not None:
            self.out.string(turn.text)
        elif turn.parts is None:
            self.out.literal(b'""')
        else:
            self.write_parts(turn)
        self.lose_details(turn)
        return self.out.byte(b"}")

    # Reasoning of answers that specado did not decode, or whose record is gone.

    cdef str family_of_target(self):
        if self.own_family is None:
            self.own_family = family_of(self.model)
        return self.own_family

    cdef bint is_own(self, object native):
        return native.dialect == DIALECT and self.is_from_target(native)

    cdef str write_reasoning(self, Details more, str text):
        """Write the encrypted reasoning that the target may have written; report the other.

        Return the id for a message after it, `None` if nothing is written.
        """
        cdef bint is_followed = bool(text) or (more.calls is not None and more.refusal is None)
        cdef Py_ssize_t place = 0
        cdef str found = None
        if more.reasoning_details is None:
            self.lose(REASONING_OPENAI, f"messages[{self.index}].reasoning")
            return None
        for block in more.reasoning_details:
            self.field = f"reasoning_details[{place}]"
            row = self.reasoning_refusal(block)
            if more.native is not None and not self.is_own(more.native):
                row = REASONING_FOREIGN
            elif row is None and not is_followed:
                row = REASONING_OPENAI    # refused without an item after it
            if row is not None:
                self.lose(row, f"messages[{self.index}].{self.field}",
                          block.model if row == REASONING_FOREIGN else None)
            else:
                self.out.item()
                self.out.literal(b'{"type":"reasoning","id":')
                self.out.string(block.id)
                self.out.literal(b',"summary":[],"encrypted_content":')
                self.out.string(block.data)
                self.out.byte(b"}")
                found = "msg_" + block.id.removeprefix("rs_")
            place += 1
        return found

    cdef str reasoning_refusal(self, object block):
        """Return the row of a reasoning block that cannot go back, `None` if it can."""
        if block.format is not None and block.format != FORMAT:
            return REASONING_FOREIGN
        if block.type != "reasoning.encrypted" or not block.data or not block.id:
            return REASONING_OPENAI
        if block.model is None:
            return REASONING_FOREIGN if block.format is None else None
        return None if family_of(block.model) == self.family_of_target() else REASONING_FOREIGN

    # Answers as their provider wrote them. The server checks that a reasoning item is followed by
    # the item that came with it, and that such an item with its id has its reasoning before it.

    cdef bint write_native(self, Turn turn) except -1:
        """Write an answer's items as they came, with the caller's edits.

        Return `False` if nothing is written: the items are another dialect's, or no longer map to
        the content.
        """
        cdef Details more = turn.more
        cdef object native = more.native
        cdef bint is_own = self.is_own(native)
        cdef list contents
        cdef Py_ssize_t place
        if native.dialect != DIALECT:
            self.report_native(native)
            return False
        if is_own and self.is_unchanged(turn, native):
            if more.calls is not None:
                self.open_answer(more.calls)
                for place in range(len(more.calls)):
                    self.call_id((<Call>more.calls[place]).id, call_field(place))
            for block in native.blocks:
                self.write_raw(<bytes>field(block, BLOCK_RAW))
            self.cites = True
            return True
        contents = self.contents_of_blocks(turn, native)
        if contents is None:
            if has_own_order(native):
                self.lose(NATIVE_ORDER, f"messages[{self.index}].native")
            return False
        self.write_items(turn, contents, is_own)
        return True

    cdef int write_raw(self, bytes raw) except -1:
        """Write an item as it came, without null members: servers refuse those they wrote."""
        self.out.item()
        return self.out.literal(without_nulls(raw) if b"null" in raw else raw)

    cdef bint is_unchanged(self, Turn turn, object native) except -1:
        """Return whether an answer goes back to its provider and model with nothing changed.

        A wrong `False` costs only time: rare forms, such as several texts, are compared by block.
        """
        cdef Details more = turn.more
        cdef Py_ssize_t count = 0 if more.calls is None else len(more.calls)
        cdef Py_ssize_t calls = 0
        cdef bint has_text = False
        cdef bint is_waiting = False    # whether an item must follow
        cdef tuple values
        cdef str kind
        if (
            more.kept is not None or more.refusal is not None or turn.parts is not None
            or <str>field(native, NATIVE_FAMILY) != self.family_of_target()
        ):
            return False
        for block in <tuple>field(native, NATIVE_BLOCKS):
            kind = <str>field(block, BLOCK_KIND)
            values = <tuple>field(block, BLOCK_VALUES)
            is_waiting = kind == "reasoning"
            if kind == "call":
                if calls == count or not self.is_same_call(more.calls[calls], values):
                    return False
                calls += 1
            elif kind == "text":
                if has_text or turn.text is None or turn.text != <str>values[0]:
                    return False
                has_text = True
            elif is_waiting and values[DATA] is None:
                return False
        return calls == count and not is_waiting and (has_text or not turn.text)

    cdef bint is_same_call(self, Call call, tuple values) except -1:
        """Return whether a call is the one that the provider wrote, with an id of its own."""
        return (
            call.id == values[0] and call.text == values[2]
            and self.accepted_name(call.name) == values[1]    # the name that the server knows
            and call.extra is None and call.body_extra is None
            and (self.call_ids is None or call.id not in self.call_ids.written)
        )

    cdef list contents_of_blocks(self, Turn turn, object native):
        """Return the current content for each message item, `None` if items and content do not map.

        The content is a text ("" for a removed one), or the indexes of the content parts.
        """
        cdef list texts = [block.values[0] for block in native.blocks if block.kind == "text"]
        cdef Py_ssize_t count = len(texts)
        if turn.text is None and turn.parts is None:
            return [""] * count
        if turn.parts is not None:
            if count == 1:
                return [(0, len(turn.parts))]
            if count != len(turn.parts):
                return None
            return [(place, place + 1) for place in range(count)]
        if not count:
            return None if turn.text else []
        return [turn.text] if count == 1 else split_text(texts, turn.text)

    cdef int write_items(self, Turn turn, list contents, bint is_own) except -1:
        """Write the items that are left of an answer, each as it came or in its canonical form."""
        cdef Details more = turn.more
        cdef dict calls = self.left_calls(more)
        cdef list waiting = []    # reasoning items, until the item after them is written
        cdef bint has_ids = True    # whether the reasoning before an item is there
        cdef Py_ssize_t texts = 0
        cdef Py_ssize_t thoughts = 0
        cdef Py_ssize_t place
        for place, block in enumerate(more.native.blocks):
            kind = block.kind
            if kind == "reasoning":
                has_ids = self.may_go_back(more, block, thoughts, is_own)
                thoughts += 1
                if has_ids:
                    waiting.append(block.raw)
                else:
                    self.lose_waiting(waiting)
                continue
            if kind == "text":
                content = contents[texts]
                texts += 1
                is_left = content != "" or not block.values[0]
            elif kind == "call":
                found = calls.get(block.values[0])
                is_left = bool(found)
            else:
                is_left = is_own and has_ids
                if not is_left:
                    self.lose(NATIVE_FOREIGN, f"messages[{self.index}].native.blocks[{place}]")
            if not is_left:
                has_ids = has_ids and not waiting
                self.lose_waiting(waiting)
                continue
            follows = bool(waiting)
            self.write_waiting(waiting)
            if kind == "text":
                self.write_native_text(turn, block, content, place, is_own and has_ids, follows)
            elif kind == "call":
                self.write_native_call(more.calls, found.pop(0), block, is_own and has_ids)
            else:
                self.write_raw(block.raw)
        if more.refusal is None and any(calls.values()):
            self.write_waiting(waiting)
        self.lose_waiting(waiting)
        if more.refusal is not None:
            self.write_refusal(more.refusal)
        for found in sorted([found for places in calls.values() for found in places]):
            self.write_call(more.calls[found], found)
        return 0

    cdef dict left_calls(self, Details more):
        """Return the places of the calls that an answer still has, by their id."""
        cdef dict found = {}
        cdef Py_ssize_t place
        if more.calls is not None:
            self.open_answer(more.calls)
            for place in range(len(more.calls)):
                found.setdefault((<Call>more.calls[place]).id, []).append(place)
        return found

    cdef int write_waiting(self, list waiting) except -1:
        for raw in waiting:
            self.write_raw(raw)
        waiting.clear()
        return 0

    cdef int lose_waiting(self, list waiting) except -1:
        """Leave out reasoning whose item is gone, which the server refuses."""
        if waiting:
            self.lose(REASONING_EDITED, f"messages[{self.index}].reasoning_details")
        waiting.clear()
        return 0

    cdef bint may_go_back(self, Details more, object block, Py_ssize_t place,
                          bint is_own) except -1:
        """Return whether the reasoning item at *place* among an answer's goes back as it came.

        Without its encrypted content only a provider whose manifest says so takes it back.
        """
        cdef Py_ssize_t at = place
        cdef str row = None
        if more.kept is not None:
            if not more.kept[place]:
                return False    # reported where the messages were read
            at = more.kept[:place].count(True)
        if not is_own or more.native.family != self.family_of_target():
            row = REASONING_FOREIGN
        elif block.values[DATA] is None and REASONING_MEMBERS.isdisjoint(self.target.returns):
            row = REASONING_OPENAI
        if row is not None:
            self.lose(row, f"messages[{self.index}].reasoning_details[{at}]",
                      more.native.model if row == REASONING_FOREIGN else None)
        return row is None

    cdef int write_native_text(self, Turn turn, object block, object content, Py_ssize_t place,
                               bint is_own, bint follows) except -1:
        """Write the current content of a message item: as it came, if the text is unchanged.

        *follows*: the item comes after reasoning, so a changed text keeps the item's form and id.
        """
        cdef str text
        cdef Part part
        if type(content) is str:
            text = content
        else:
            text = self.joined(turn.parts, content[0], content[1])
        if is_own and text == block.values[0]:
            self.cites = self.cites or block.values[1]
            return self.write_raw(block.raw)
        if block.values[1] and not is_own:
            self.lose(NATIVE_FOREIGN, f"messages[{self.index}].native.blocks[{place}]")
        id_ = id_of_item(block.raw) if follows else None
        if id_ is not None:
            return self.write_message(id_, text, block.values[2])
        return self.write_text(text, block.values[2], "content")

    cdef int write_native_call(self, list calls, Py_ssize_t place, object block,
                               bint is_own) except -1:
        """Write a call: the item itself, if it is the same."""
        cdef Call call = calls[place]
        self.field = call_field(place)
        if is_own and self.is_same_call(call, block.values):
            self.call_id(call.id, self.field)
            return self.write_raw(block.raw)
        return self.write_call(call, place)

    # Parameters.

    cdef int write_params(self) except -1:
        self.report_dropped()
        self.decide_effort()
        self.write_limit()
        self.write_sampling()
        self.write_form()
        self.write_include()
        self.write_tools()
        for name in USERS:
            self.write_user(name)
        for name in SAME:
            if self.params.get(name) is not None:
                self.member(name, self.params[name])
        return self.write_transfer()

    cdef int report_dropped(self) except -1:
        """Report the parameters without a counterpart, and the unknown ones."""
        cdef object modalities = self.params.get("modalities")
        for name, value in self.params.items():
            self.field = name
            dropped = self.parameters.get(name, UNKNOWN)
            if dropped is not None:
                row, neutral = dropped
                if value != neutral:
                    self.lose(row, name, value)
        if modalities is not None and "audio" in modalities:
            self.lose(AUDIO_OUTPUT, "modalities", modalities)
        return 0

    cdef int write_limit(self) except -1:
        """Write `max_output_tokens`, within the limits of the API and the model."""
        cdef object value = self.params.get("max_completion_tokens")
        cdef object other = self.params.get("max_tokens")
        cdef object limit = None if self.facts is None else self.facts.max_output_tokens
        cdef str path = "max_tokens" if value is None else "max_completion_tokens"
        if value is None:
            value = other
        elif other is not None:
            self.lose(MAX_TOKENS_TWICE, "max_tokens", other)
        if value is None:
            return 0
        if limit is not None and value > limit:
            self.lose(MAX_TOKENS_ABOVE_LIMIT, path, value, limit)
            value = limit
        elif value < LEAST_TOKENS:
            self.lose(MAX_TOKENS_BELOW_LIMIT, path, value, LEAST_TOKENS)
            value = LEAST_TOKENS
        self.field = path
        self.out.key(b"max_output_tokens")
        return self.out.value(value, 0)

    cdef int write_sampling(self) except -1:
        for name in ("temperature", "top_p"):
            value = self.params.get(name)
            if value is None:
                continue
            row = None
            if value == 1:
                pass    # as without it
            elif self.trait("sampling") is False:
                row = SAMPLING_UNSUPPORTED
            elif self.reasons and self.trait("sampling_while_reasoning") is False:
                row = SAMPLING_THINKING
            elif name == "top_p" and self.trait("temperature_with_top_p") is False and (
                self.params.get("temperature") is not None
            ):
                row = SAMPLING_BOTH
            if row is None:
                self.member(name, value)
            else:
                self.lose(row, name, value)
        return 0

    # Reasoning, the form of the answer, and what comes with it.

    cdef int decide_effort(self) except -1:
        """Find the effort that the target takes, and whether it reasons."""
        cdef object wanted = self.params.get("reasoning_effort")
        cdef object levels = self.trait("reasoning_efforts")
        cdef object found = wanted
        if isinstance(wanted, str) and levels is not None and wanted not in levels:
            if not levels:
                row = REASONING_EFFORT_NONE if wanted == "none" else REASONING_EFFORT_UNSUPPORTED
                self.lose(row, "reasoning_effort", wanted)
                found = None
            else:
                found = nearest_effort(wanted, levels) or wanted
                if found != wanted:
                    self.lose(REASONING_EFFORT_LEVEL, "reasoning_effort", wanted, found)
        self.effort = None if found is None else exact(found)
        running = self.effort if self.effort is not None else self.trait("default_effort")
        self.reasons = running is not None and running != "none"
        return 0

    cdef int write_form(self) except -1:
        """Write `reasoning` and `text`: the effort, the answer's format and its verbosity."""
        cdef object wanted = self.params.get("response_format")
        cdef object verbosity = self.params.get("verbosity")
        cdef Py_ssize_t start
        if self.effort is not None:
            self.field = "reasoning_effort"
            self.out.literal(b',"reasoning":{"effort":')
            self.out.string(self.effort)
            self.out.byte(b"}")
        if wanted is None and verbosity is None:
            return 0
        start = self.out.size
        self.out.literal(b',"text":{')
        if wanted is not None:
            self.write_format(<dict?>wanted)
        if verbosity is not None:
            self.member("verbosity", verbosity)
        if self.out.just_opened():
            self.out.size = start
            return 0
        return self.out.byte(b"}")

    cdef int write_format(self, dict wanted) except -1:
        """Write the format of the answer; that of a schema lies flat beside its type."""
        cdef object kind = wanted.get("type")
        cdef object inner = wanted.get("json_schema")
        cdef object strict
        if (kind == "json_object" and self.lacks("json_mode")) or (
            kind == "json_schema" and self.trait("structured_output") is False
        ):
            self.lose(RESPONSE_FORMAT_UNSUPPORTED, "response_format", kind)
            return self.check("response_format", wanted)
        self.field = "response_format"
        if kind != "json_schema" or not isinstance(inner, dict):
            self.out.key(b"format")
            return self.out.value(wanted, 0)
        strict = (<dict>inner).get("strict")
        if strict is None:
            self.lose(STRICT_DEFAULT, "response_format.json_schema.strict", None, False)
            strict = False
        self.out.literal(b',"format":{"type":"json_schema"' if not self.out.just_opened()
                         else b'"format":{"type":"json_schema"')
        for name, value in (<dict>inner).items():
            if name == "schema" and value is not None and strict is True:
                value = self.strict_schema(value)
            if name == "strict" or value is None:
                continue
            if name not in ("name", "description", "schema"):
                self.lose(PARAM_UNKNOWN, f"response_format.json_schema.{name}", value)
                continue
            self.out.key(bytes(name, "ascii"))
            self.out.value(value, 0)
        self.out.key(b"strict")
        self.out.value(strict, 0)
        return self.out.byte(b"}")

    cdef object strict_schema(self, object given):
        """Return an answer's schema in the form that strict mode takes, if any."""
        if self.trait("structured_output") is not True:
            return given
        form, moved = openai_form(given, "response_format.json_schema.schema")
        for place, name, value, hint in moved:
            self.lose(row_of_moved(name, value), place, value, hint)
        return form if moved else given

    cdef int write_include(self) except -1:
        """Write `include`, which asks for log probabilities and encrypted reasoning."""
        cdef object count = self.params.get("top_logprobs")
        cdef bint wants = bool(self.params.get("logprobs")) or bool(count)
        cdef str row = None
        cdef bint has_hidden = (
            self.params.get("store") is not True    # which excludes it
            and (self.reasons or (self.effort is None and self.may_reason()))
        )
        if wants:
            if self.trait("logprobs") is False:
                row = LOGPROBS_MODEL
            elif self.reasons and self.trait("sampling_while_reasoning") is False:
                row = LOGPROBS_THINKING
            if row is not None:
                for name in ("logprobs", "top_logprobs"):
                    if self.params.get(name):
                        self.lose(row, name, self.params[name])
                wants = False
        if not wants and not has_hidden:
            return 0
        self.out.literal(b',"include":[')
        if has_hidden:
            self.out.literal(b'"reasoning.encrypted_content"')
        if wants:
            self.out.item()
            self.out.literal(b'"message.output_text.logprobs"')
        self.out.byte(b"]")
        if wants and count:
            self.member("top_logprobs", count)
        return 0

    cdef bint may_reason(self):
        """Return whether the model is known to reason, with an effort that is not known."""
        return bool(self.trait("reasoning_efforts")) and self.trait("default_effort") is None

    # Tools.

    cdef int write_tools(self) except -1:
        cdef object tools = self.params.get("tools")
        cdef object choice = self.params.get("tool_choice")
        cdef object search = self.params.get("web_search_options")
        cdef Py_ssize_t start = self.out.size
        cdef bint is_toolless = (
            bool(tools) and self.lacks("function_calling") and self.lacks("tool_use")
        )
        if is_toolless:
            self.lose(TOOLS_UNSUPPORTED, "tools")
            self.check("tools", tools)
            tools = choice = None
        self.out.literal(b',"tools":[')
        for place, tool in enumerate(tools or ()):
            if self.trait("custom_tools") is False and (<dict?>tool).get("type") == "custom":
                self.lose(TOOL_CUSTOM, f"tools[{place}]", name_of(tool))
                continue
            self.out.item()
            self.write_tool(<dict?>tool, f"tools[{place}]")
        if search is not None:
            self.write_search(<dict?>search)
        if not self.out.just_opened():
            self.out.byte(b"]")
        else:
            self.out.size = start
            if tools:    # none of them is a function
                is_toolless, choice = True, None
        if not is_toolless:
            self.write_parallel()
        return self.write_choice(choice) if choice is not None else 0

    cdef int write_parallel(self) except -1:
        cdef object value = self.params.get("parallel_tool_calls")
        if value is None:
            return 0
        if self.trait("parallel_tool_calls") is False:
            row = PARALLEL_TOOL_CALLS_UNSUPPORTED if value else PARALLEL_TOOL_CALLS_NEVER
            return self.lose(row, "parallel_tool_calls", value)
        return self.member("parallel_tool_calls", value)

    cdef int write_tool(self, dict tool, str path) except -1:
        """Write a tool, whose members lie flat beside its type; a hosted tool is written as given."""
        cdef object kind = tool.get("type")
        self.field = "tools"
        if kind is not None and kind != "function" and kind != "custom":
            return self.out.value(tool, 0)
        kind = "function" if kind is None else kind
        body = tool.get(kind)
        if not isinstance(body, dict) or not isinstance((<dict>body).get("name"), str):
            raise MessageFormatError(
                f"{path}.{kind}: must be a dict with a name", field=f"{path}.{kind}"
            )
        name = exact((<dict>body)["name"])
        accepted = self.accepted_name(name)
        if accepted is not name:
            self.lose(TOOL_NAME, path, name, accepted)
        self.out.literal(b'{"type":"function","name":' if kind == "function"
                         else b'{"type":"custom","name":')
        self.out.string(accepted)
        if (<dict>body).get("description") is not None:
            self.out.key(b"description")
            self.out.value(body["description"], 0)
        if kind == "function":
            self.write_function(<dict>body, f"{path}.function")
        else:
            self.write_custom_format(<dict>body, f"{path}.custom")
        for key, value in tool.items():
            if key != "type" and key != kind and value is not None:
                row = CACHE_CONTROL_OPENAI if key == "cache_control" else PARAM_UNKNOWN
                self.lose(row, f"{path}.{key}", value)
        return self.out.byte(b"}")

    cdef int write_function(self, dict function, str path) except -1:
        """Write the schema of a function's input, and whether it is enforced."""
        cdef object given = function.get("parameters")
        cdef object strict = function.get("strict")
        if given is not None and not isinstance(given, (dict, msgspec.Raw)):
            raise MessageFormatError(
                f"{path}.parameters: must be a dict, not {type(given).__name__}",
                field=f"{path}.parameters",
            )
        if strict is None:
            self.lose(STRICT_DEFAULT, f"{path}.strict", None, False)
            strict = False
        elif strict and self.trait("strict_tools") is False:
            self.lose(TOOL_STRICT, f"{path}.strict", strict)
            strict = False
        if given is not None and self.rule("complete_schemas") is True:
            given, added = complete_parameters(given, f"{path}.parameters", strict=strict is True)
            for place in added:
                after = "object" if place.endswith(".type") else "{}"
                self.lose(TOOL_SCHEMA_COMPLETED, place, None, after)
        self.out.key(b"parameters")
        if given is None:    # a function without arguments
            self.out.literal(
                b'{"type":"object","properties":{},"required":[],"additionalProperties":false}'
            )
        else:
            self.out.value(given, 0)
        self.out.key(b"strict")
        self.out.value(strict, 0)
        return self.lose_tool_keys(function, ("name", "description", "parameters", "strict"), path)

    cdef int write_custom_format(self, dict custom, str path) except -1:
        """Write the format of a custom tool's input; a grammar lies flat beside its type."""
        cdef object given = custom.get("format")
        cdef object grammar
        if given is not None:
            grammar = (<dict>given).get("grammar") if isinstance(given, dict) else None
            if isinstance(grammar, dict):
                given = {"type": "grammar", **<dict>grammar}
            self.out.key(b"format")
            self.out.value(given, 0)
        return self.lose_tool_keys(custom, ("name", "description", "format"), path)

    cdef int lose_tool_keys(self, dict given, tuple written, str path) except -1:
        for name, value in given.items():
            if name not in written and value is not None:
                self.lose(PARAM_UNKNOWN, f"{path}.{name}", value)
        return 0

    cdef int write_search(self, dict options) except -1:
        """Write the options of a web search as a tool."""
        cdef object place = options.get("user_location")
        self.lose(WEB_SEARCH_TOOL, "web_search_options", None, "web_search")
        self.field = "web_search_options"
        self.out.item()
        self.out.literal(b'{"type":"web_search"')
        if isinstance(place, dict):
            approximate = (<dict>place).get("approximate")
            if isinstance(approximate, dict):
                place = {"type": "approximate", **<dict>approximate}
            self.out.key(b"user_location")
            self.out.value(place, 0)
        if options.get("search_context_size") is not None:
            self.out.key(b"search_context_size")
            self.out.value(options["search_context_size"], 0)
        for name, value in options.items():
            if name not in ("user_location", "search_context_size") and value is not None:
                self.lose(PARAM_UNKNOWN, f"web_search_options.{name}", value)
        return self.out.byte(b"}")

    cdef int write_choice(self, object choice) except -1:
        cdef bint is_forced = choice == "required" or (
            isinstance(choice, dict) and choice.get("type") != "allowed_tools"
        )
        if is_forced and (
            self.trait("forced_tool_choice") is False
            or (self.reasons and self.trait("forced_tool_choice_while_reasoning") is False)
        ):
            self.lose(TOOL_CHOICE_THINKING, "tool_choice", choice, "auto")
            choice = "auto"
        elif isinstance(choice, dict):
            choice = self.flat_choice(<dict>choice)
        return self.member("tool_choice", choice)

    cdef dict flat_choice(self, dict choice):
        """Return a choice of tools, whose members lie flat beside its type."""
        cdef object given = choice.get("allowed_tools")
        if not isinstance(given, dict):
            return self.flat_name(choice, "tool_choice")
        tools = (<dict>given).get("tools")
        if not isinstance(tools, (list, tuple)):
            raise MessageFormatError(
                "tool_choice.allowed_tools: must be a dict with mode and tools",
                field="tool_choice.allowed_tools",
            )
        flat = [
            self.flat_name(<dict>tool, f"tool_choice.allowed_tools.tools[{place}]")
            if isinstance(tool, dict) else tool
            for place, tool in enumerate(tools)
        ]
        return {"type": "allowed_tools", "mode": given.get("mode", "auto"), "tools": flat}

    cdef dict flat_name(self, dict tool, str path):
        """Return the choice of a tool by its name; one of a hosted tool as given."""
        cdef str name = name_of(tool)
        if name is None:
            return tool
        accepted = self.accepted_name(name)
        if accepted is not name:
            self.lose(TOOL_NAME, path, name, accepted)
        kind = "function" if isinstance(tool.get("function"), dict) else "custom"
        return {"type": kind, "name": accepted}

    # The rest.

    cdef int write_user(self, str name) except -1:
        cdef object user = self.params.get(name)
        cdef object limit = self.rule("user_characters")
        if user is None:
            return 0
        if limit is not None and isinstance(user, str) and len(user) > limit:
            user = self.hashed(name, user)
        return self.member(name, user)

    cdef int write_transfer(self) except -1:
        """Write `store`, whose default is true in the API, and the options of the stream."""
        cdef object options = self.params.get("stream_options")
        cdef object hidden = None
        if isinstance(options, dict):
            hidden = (<dict>options).get("include_obfuscation")
            for name, value in (<dict>options).items():
                if name not in ("include_usage", "include_obfuscation") and value is not None:
                    self.lose(STREAM_OPTIONS, f"stream_options.{name}", value)
        if self.params.get("store") is None:
            self.lose(STORE_DEFAULT, "store", None, False)
            self.out.literal(b',"store":false')
        else:
            self.member("store", self.params["store"])
        if self.params.get("stream"):
            self.out.literal(b',"stream":true')
            if hidden is not None:
                self.member("stream_options", {"include_obfuscation": hidden})
        return 0


def encode_request(
    Conversation conversation not None, model, dict params not None, facts,
    dict parameters not None, rules=None, target=None,
):
    """Return `(body, losses, answer_tool, tool_names)`; *facts* is the target's `Model` or None.

    *parameters* are `FieldTable.parameters()` of the dialect's canonical fields, *rules* the
    `RequestRules` of its servers, *target* the provider at its address; None if not known.
    """
    cdef ResponsesEncoder encoder = ResponsesEncoder(conversation, model, params, facts)
    encoder.parameters = parameters
    encoder.rules = rules
    encoder.target = target
    if facts is None and rules is not None:
        encoder.traits = rules.traits
    return encoder.encode()
