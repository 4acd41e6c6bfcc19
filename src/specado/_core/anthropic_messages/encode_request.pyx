"""Anthropic request encoder: a conversation and its parameters to a messages body.

Shapes from anthropic.types 0.125.0 (2026-11-22). Content or parameters without a counterpart, or
with another form, are reported by a row of `specado.losses.rows`.
"""

cimport cython

from specado._core.anthropic_messages.accepted_forms cimport (
    accepted_id, data_media_type, file_text, is_cache_control, is_image,
    is_pdf, is_refused_user, is_tool_name, labelled_media_type, media_refusal, reasoning_refusal,
)
from specado._core.anthropic_messages.request_decisions cimport (
    RequestDecisions, asked_format, asked_schema,
)
from specado._core.cache_marks cimport CacheMarks
from specado._core.conversation cimport (
    ASSISTANT, DEVELOPER, FUNCTION, IMAGE, OTHER, REFUSAL, SYSTEM, TEXT, TOOL, USER, Call,
    Conversation, Details, Part, Turn,
)
from specado._core.encoder cimport (
    Encoder, call_field, content_field, is_blank_text, is_plain, is_same_json,
)
from specado._core.json_writer cimport exact
from specado._core.reply_fields cimport field, offset_of
from specado._core.tool_schemas cimport answer_tool_schema, tool_input_schema

import msgspec

from specado._core.anthropic_messages.loss_rows import (
    ASSISTANT_AUDIO, ASSISTANT_LAST, ASSISTANT_REFUSAL, ASSISTANT_TRAILING_SPACE, AUDIO_OUTPUT,
    CACHE_CONTROL_BLANK, CACHE_CONTROL_TWICE, CACHE_CONTROL_UNKNOWN, FILE_ID, FILE_ID_BESIDE_DATA,
    FILE_MEDIA_TYPE, FILE_TEXT, FUNCTIONS, IMAGE_DETAIL, IMAGE_MEDIA_TYPE, MEDIA_TYPE_CORRECTED,
    MESSAGES_BLANK,
    MESSAGE_ANNOTATIONS, MESSAGE_NAME, MESSAGE_UNKNOWN_KEY, MODEL_ASSUMED, PARALLEL_TOOL_CALLS_NEVER,
    PARAM_UNKNOWN, PART_UNKNOWN_KEY, PROMPT_CACHE, REASONING_FOREIGN, REASONING_UNSIGNED,
    ROLE_UNKNOWN, SAMPLING_BOTH, SAMPLING_THINKING, SAMPLING_UNSUPPORTED, SERVICE_TIER, STOP_BLANK,
    STOP_UNSUPPORTED, STREAM_OPTIONS, SYSTEM_ALONE, SYSTEM_LATER, SYSTEM_PART, SYSTEM_TOP_LEVEL,
    TEMPERATURE_ABOVE_ONE, TEXT_BLANK, TOOLS_CALLED, TOOLS_UNSUPPORTED, TOOL_CALL_ID,
    TOOL_CALL_NAME, TOOL_CHOICE_ALLOWED, TOOL_CHOICE_THINKING, TOOL_CHOICE_UNKNOWN,
    TOOL_CHOICE_WITHOUT_TOOLS, TOOL_CUSTOM, TOOL_CUSTOM_CALL, TOOL_HINT, TOOL_NAME,
    TOOL_RESULT_LATE, TOOL_STRICT, TOOL_STRICT_LIMIT, TOOL_STRICT_SCHEMA, TURNS_MERGED, USER_TWICE,
)
from specado._core.anthropic_messages.native import DIALECT
from specado._core.loss_rows import NATIVE_FOREIGN, NATIVE_ORDER
from specado._core.native import has_own_order, split_text
from specado._core.parameters import thinking_budget
from specado._core.schema import anthropic_form
from specado.errors import MessageFormatError
from specado.types import NativeBlock, NativeContent

cdef Py_ssize_t NATIVE_FAMILY = offset_of(NativeContent, "family")
cdef Py_ssize_t NATIVE_BLOCKS = offset_of(NativeContent, "blocks")
cdef Py_ssize_t BLOCK_KIND = offset_of(NativeBlock, "kind")
cdef Py_ssize_t BLOCK_RAW = offset_of(NativeBlock, "raw")
cdef Py_ssize_t BLOCK_VALUES = offset_of(NativeBlock, "values")

# A parameter that the field table does not have: its loss row, and the value that is no loss.
cdef tuple UNKNOWN = (PARAM_UNKNOWN, None)


@cython.final
cdef class MessagesEncoder(Encoder):
    """Writes a messages request. One per body; not for two threads at once.

    The order of members is model, system, messages, then the rest: the same leading messages
    give the same leading bytes. Only the last turn may change when another message follows and
    joins it: its string becomes a text block, which means the same to a prompt cache.
    """

    cdef dict parameters    # name -> `(row, neutral value)` if it is dropped, None if it is written
    cdef RequestDecisions decided
    cdef CacheMarks cache_marks    # None without one
    cdef bint is_cached            # whether the last block has a cache_control
    cdef bint is_assumed           # whether the facts are those of the newest family
    cdef bint has_changed_tools    # whether tools or tool_choice are not written whole

    cdef int write(self) except -1:
        self.decided = RequestDecisions.__new__(RequestDecisions)
        self.decided.is_assumed = self.is_assumed
        if self.is_assumed:
            self.lose(MODEL_ASSUMED, "model", self.model, self.facts.id)
        self.decided.divide(self)
        self.report_left_out()
        self.decided.decide(self)
        self.field = "model"
        self.out.literal(b'{"model":')
        self.out.string(self.model)
        self.write_system()
        self.out.literal(b',"messages":[')
        self.write_turns()
        self.index = -1
        self.out.literal(b'],"max_tokens":')
        self.out.value(self.decided.max_tokens, 0)
        self.write_params()
        if self.cache_marks is not None:
            self.cache_marks.limit(self)
        return self.out.byte(b"}")

    # Reports.

    cdef int lose_tool(self, str row, str path, object before=None, object after=None) except -1:
        """Report a loss in tools or tool_choice."""
        self.has_changed_tools = True
        return self.lose(row, path, before, after)

    cdef int lose_keys(self, dict extra, str row, str field) except -1:
        """Report the unknown keys of a message (*field* is empty then) or a part; not `None`."""
        cdef str path
        if extra is None:
            return 0
        path = f"messages[{self.index}]" + (f".{field}" if field else "")
        for name, value in extra.items():
            if name == "annotations" and not field:
                if value:
                    self.lose(MESSAGE_ANNOTATIONS, f"{path}.{name}")
            elif name == "prompt_cache_breakpoint" and value is not None:
                self.lose(PROMPT_CACHE, f"{path}.{name}", value)
            elif name == "extra_content" and value is not None:
                self.lose(NATIVE_FOREIGN, f"{path}.{name}")
            elif name == "thinking_blocks" and not field:
                pass    # read as reasoning
            elif name != "cache_control" and value is not None:
                self.lose(row, f"{path}.{name}", value)
        return 0

    cdef int lose_details(self, Turn turn) except -1:
        """Report the keys of a message that have no counterpart."""
        cdef Details more = turn.more
        cdef str path
        if more is None or (
            more.name is None and more.audio is None and more.function_call is None
            and more.reasoning is None and more.extra is None
        ):
            return 0
        path = f"messages[{self.index}]"
        if more.name is not None and turn.role != FUNCTION:
            self.lose(MESSAGE_NAME, f"{path}.name", more.name)
        if more.audio is not None:
            self.lose(ASSISTANT_AUDIO, f"{path}.audio")
        if more.function_call is not None:
            self.lose(FUNCTIONS, f"{path}.function_call")
        if more.reasoning is not None and more.reasoning_details is None:
            self.lose(REASONING_UNSIGNED, f"{path}.reasoning")
        return self.lose_keys(more.extra, MESSAGE_UNKNOWN_KEY, "")

    cdef int report_left_out(self) except -1:
        """Report the messages at the end that are not sent."""
        cdef list turns = self.conversation.turns
        cdef Turn turn
        for self.index in range(self.decided.end, len(turns)):
            turn = turns[self.index]
            if not self.decided.is_blank(self, turn):
                self.lose(ASSISTANT_LAST, f"messages[{self.index}]")
            elif turn.role == FUNCTION:
                self.write_result(turn)
            else:
                self.write_content(turn)
        self.index = -1
        return 0

    # System text.

    cdef int write_system(self) except -1:
        cdef Turn turn
        cdef Py_ssize_t at
        cdef Py_ssize_t count = self.decided.leading
        cdef Py_ssize_t mark = self.out.size
        cdef str instruction = self.decided.instruction
        if count and not self.decided.turns:
            # Messages are required: system text alone becomes the user turn.
            for at in range(count):
                turn = self.conversation.turns[at]
                self.lose(SYSTEM_ALONE, f"messages[{at}].role", turn.role_name, "user")
            count = 0
        if not count and instruction is None:
            return 0
        self.out.literal(b',"system":')
        if count == 1 and instruction is None:
            turn = self.conversation.turns[0]
            if is_plain_text(turn) and not is_blank_text(turn.text):
                self.index = 0
                self.field = "content"
                self.lose(SYSTEM_TOP_LEVEL, "messages[0].role", turn.role_name, "system")
                self.lose_details(turn)
                return self.out.string(turn.text)
        self.out.byte(b"[")
        for self.index in range(count):
            turn = self.conversation.turns[self.index]
            self.lose(SYSTEM_TOP_LEVEL, f"messages[{self.index}].role", turn.role_name, "system")
            self.write_system_blocks(turn)
        self.index = -1
        if instruction is not None:
            self.block(b'{"type":"text","text":')
            self.out.string(instruction)
            self.out.byte(b"}")
        if self.out.just_opened():
            self.out.size = mark
            return 0
        return self.out.byte(b"]")

    cdef int write_system_blocks(self, Turn turn) except -1:
        """Write a system message's content as text blocks."""
        cdef Part part
        cdef Py_ssize_t place = 0
        cdef Py_ssize_t mark = self.out.size
        self.lose_details(turn)
        if turn.text is not None:
            self.write_text(turn.text, None, "content")
        for part in turn.parts or ():
            if part.kind == TEXT:
                self.write_text(part.text, part.extra, content_field(place))
            else:
                self.lose(SYSTEM_PART, f"messages[{self.index}].content[{place}]")
            place += 1
        return self.write_message_cache(turn, mark)

    # Turns: consecutive messages of one role become one turn.

    cdef int write_turns(self) except -1:
        cdef RequestDecisions decided = self.decided
        cdef list turns = decided.turns
        cdef bint is_alone = not turns    # system text alone is the user turn
        cdef Py_ssize_t start = 0
        cdef Py_ssize_t end
        cdef int role
        if is_alone:
            turns = self.conversation.turns[:decided.end]
        while start < len(turns):
            role = decided.written_role(turns[start])
            end = start + 1
            while end < len(turns) and (
                decided.written_role(turns[end]) == role or decided.is_blank(self, turns[end])
            ):
                end += 1
            self.write_turn(turns, start, end, role)
            start = end
        if self.out.just_opened():
            self.index = 0 if is_alone else decided.leading
            self.lose(MESSAGES_BLANK, f"messages[{self.index}]")
            self.out.literal(b'{"role":"user","content":""}')
        return 0

    cdef Py_ssize_t place_of(self, Py_ssize_t at):
        """Return the place in the conversation of a message that is written."""
        return self.decided.place_of(at) if self.decided.turns else at

    cdef int write_turn(self, list turns, Py_ssize_t start, Py_ssize_t end, int role) except -1:
        """Write the messages turns[start:end] as one turn, or nothing if all are blank."""
        cdef Turn turn = turns[start]
        cdef Py_ssize_t mark = self.out.size
        cdef Py_ssize_t at
        self.index = self.place_of(start)
        self.out.item()
        if end - start == 1 and is_plain_text(turn):
            self.report_role(turn, role)
            if not self.write_plain_turn(turn, role):
                self.out.size = mark
            return 0
        self.begin_turn(role)
        self.out.byte(b"[")
        self.write_results(turns, start, end)
        for at in range(start, end):
            turn = turns[at]
            self.index = self.place_of(at)
            self.report_role(turn, role)
            if turn.role != TOOL and turn.role != FUNCTION:
                self.write_content(turn)
        if self.out.just_opened():
            self.out.size = mark
            return 0
        return self.out.literal(b"]}")

    cdef int write_results(self, list turns, Py_ssize_t start, Py_ssize_t end) except -1:
        """Write the tool results of a turn, which come before its other content."""
        cdef Turn turn
        cdef Py_ssize_t at
        cdef bint has_content = False
        cdef bint has_others = False    # whether content other than tool results came before
        for at in range(start, end):
            turn = turns[at]
            self.index = self.place_of(at)
            if not self.decided.is_blank(self, turn):
                if has_content and not (
                    turn.role == TOOL and (<Turn>turns[at - 1]).role == TOOL
                ):
                    self.lose(TURNS_MERGED, f"messages[{self.index}].role")
                has_content = True
                if turn.role != TOOL and turn.role != FUNCTION:
                    has_others = True
                elif has_others:
                    self.lose(TOOL_RESULT_LATE, f"messages[{self.index}]")
            if turn.role == TOOL or turn.role == FUNCTION:
                self.write_result(turn)
        return 0

    cdef int begin_turn(self, int role) except -1:
        if role == ASSISTANT:
            return self.out.literal(b'{"role":"assistant","content":')
        if role == SYSTEM:
            return self.out.literal(b'{"role":"system","content":')
        return self.out.literal(b'{"role":"user","content":')

    cdef bint write_plain_turn(self, Turn turn, int role) except -1:
        """Write a turn of one string; return whether there was text to write."""
        cdef str text = turn.text
        self.lose_details(turn)
        if is_blank_text(text):
            self.lose(TEXT_BLANK, f"messages[{self.index}].content", text)
            return False
        self.field = "content"
        self.begin_turn(role)
        if self.index == self.decided.prefill:
            text = self.prefill_text(text, "content")
        self.out.string(text)
        self.out.byte(b"}")
        return True

    cdef int report_role(self, Turn turn, int role) except -1:
        """Report a role that becomes the user's."""
        cdef bint is_later = role == USER and (turn.role == SYSTEM or turn.role == DEVELOPER)
        if (is_later or turn.role == OTHER) and not self.decided.is_blank(self, turn):
            path = f"messages[{self.index}].role"
            if turn.role == OTHER:
                self.lose(ROLE_UNKNOWN, path, turn.role_name, "user")
            elif self.decided.turns:
                self.lose(SYSTEM_LATER, path, turn.role_name, "user")
        return 0

    cdef int write_content(self, Turn turn) except -1:
        """Write the blocks of a message that is no tool result."""
        cdef Part part
        cdef Details more = turn.more
        cdef Py_ssize_t place = 0
        cdef Py_ssize_t mark = self.out.size
        if self.decided.written_role(turn) == SYSTEM:
            return self.write_system_blocks(turn)
        self.lose_details(turn)
        if more is not None and more.native is not None and self.write_native(turn):
            return 0
        if more is not None and more.reasoning_details is not None:
            self.write_reasoning(more.reasoning_details)
            mark = self.out.size  # a thinking block takes no cache_control
        if turn.text is not None:
            text = turn.text
            if self.index == self.decided.prefill and not is_blank_text(text):
                text = self.prefill_text(text, "content")
            self.write_text(text, None, "content")
        for part in turn.parts or ():
            self.write_part(part, place)
            place += 1
        if more is not None:
            if more.refusal is not None:
                self.lose(ASSISTANT_REFUSAL, f"messages[{self.index}].refusal")
                self.write_text(more.refusal, None, "refusal")
            if more.calls is not None:
                self.write_calls(more.calls)
        return self.write_message_cache(turn, mark)

    # Answers as their provider wrote them.

    cdef bint write_native(self, Turn turn) except -1:
        """Write an answer's blocks as they came, with the caller's edits.

        Return `False` if nothing is written: they are another dialect's, or do not map to the
        content any more.
        """
        cdef Details more = turn.more
        cdef object native = more.native
        cdef bint is_own = self.is_from_target(native)
        cdef list contents
        cdef dict calls = {}
        cdef Py_ssize_t mark = self.out.size
        cdef Py_ssize_t texts = 0
        cdef Py_ssize_t thoughts = 0
        cdef Py_ssize_t place
        if native.dialect != DIALECT:
            self.report_native(native)
            return False
        if is_own and self.is_unchanged(turn, native):
            if more.calls is not None:
                self.begin_calls()
                for place in range(len(more.calls)):
                    self.call_id((<Call>more.calls[place]).id, call_field(place))
            for block in native.blocks:
                self.block(<bytes>field(block, BLOCK_RAW))
            return True
        contents = self.contents_of_blocks(turn, native)
        if contents is None:
            if has_own_order(native):
                self.lose(NATIVE_ORDER, f"messages[{self.index}].native")
            return False
        if more.calls is not None:
            self.begin_calls()
            for place in range(len(more.calls)):
                calls.setdefault((<Call>more.calls[place]).id, []).append(place)
        for place, block in enumerate(native.blocks):
            kind = block.kind
            if kind == "text":
                self.write_native_text(turn, block, contents[texts], place, is_own)
                texts += 1
            elif kind == "call":
                if calls.get(block.values[0]):
                    found = calls[block.values[0]].pop(0)
                    self.write_call(more.calls[found], found, block if is_own else None)
            elif kind == "reasoning":
                self.write_thought(more, block, thoughts, is_own)
                thoughts += 1
                mark = self.out.size    # a thinking block takes no cache_control
            elif is_own:
                self.block(block.raw)
                mark = self.out.size
            else:
                self.lose(NATIVE_FOREIGN, f"messages[{self.index}].native.blocks[{place}]")
        if more.refusal is not None:
            self.lose(ASSISTANT_REFUSAL, f"messages[{self.index}].refusal")
            self.write_text(more.refusal, None, "refusal")
        for found in sorted([found for places in calls.values() for found in places]):
            self.write_call(more.calls[found], found, None)
        self.write_message_cache(turn, mark)
        return True

    cdef bint is_unchanged(self, Turn turn, object native) except -1:
        """Return whether an answer goes back to its provider and model with nothing changed.

        `False` may be wrong: what is rare, several texts for instance, is compared by block.
        """
        cdef Details more = turn.more
        cdef Py_ssize_t count = 0 if more.calls is None else len(more.calls)
        cdef Py_ssize_t calls = 0
        cdef set ids = set()
        cdef bint has_text = False
        cdef Call call
        cdef tuple values
        cdef str kind
        if (
            more.kept is not None or more.extra is not None or more.refusal is not None
            or turn.parts is not None or self.index == self.decided.prefill
            or <str>field(native, NATIVE_FAMILY) != self.family
        ):
            return False
        for block in <tuple>field(native, NATIVE_BLOCKS):
            kind = <str>field(block, BLOCK_KIND)
            values = <tuple>field(block, BLOCK_VALUES)
            if kind == "call":
                if calls == count:
                    return False
                call = more.calls[calls]
                calls += 1
                if (
                    call.id != <str>values[0] or call.name != <str>values[1]
                    or call.text != <str>values[2] or call.extra is not None
                    or call.body_extra is not None or call.custom
                    or not is_plain(call.id) or not is_tool_name(call.name) or call.id in ids
                    or (self.call_ids is not None and call.id in self.call_ids.written)
                ):
                    return False
                ids.add(call.id)
            elif kind == "text":
                if has_text or turn.text is None or turn.text != <str>values[0] or (
                    is_blank_text(turn.text)
                ):
                    return False
                has_text = True
        return calls == count and (has_text or not turn.text)

    cdef list contents_of_blocks(self, Turn turn, object native):
        """Return what stands now in the place of each text block, `None` where they do not map.

        A text, which is "" for a removed one, or the places of the content parts.
        """
        cdef list texts = [block.values[0] for block in native.blocks if block.kind == "text"]
        cdef Py_ssize_t count = len(texts)
        cdef list contents
        if turn.text is None and turn.parts is None:
            return [""] * count
        if turn.parts is not None:
            if count == 1:
                return [list(range(len(turn.parts)))]
            if count != len(turn.parts):
                return None
            return [[place] for place in range(count)]
        if not count:
            return None if turn.text else []
        contents = [turn.text] if count == 1 else split_text(texts, turn.text)
        if self.index == self.decided.prefill and not is_blank_text(turn.text):
            for place in range(count - 1, -1, -1):
                if not is_blank_text(contents[place]):
                    contents[place] = self.prefill_text(contents[place], "content")
                    break
        return contents

    cdef int write_native_text(self, Turn turn, object block, object content, Py_ssize_t place,
                               bint is_own) except -1:
        """Write what stands in the place of a text block: the block itself, if it is the same."""
        cdef Part part = None
        cdef str text
        if type(content) is str:
            text = content
            if not text and block.values[0]:
                return 0    # removed
        elif len(<list>content) == 1:
            part = turn.parts[content[0]]
            text = part.text if part.kind == TEXT else None
        else:
            text = None
        if text is None or text != block.values[0] or is_blank_text(text) or not is_own or (
            part is not None and part is turn.parts[-1] and self.index == self.decided.prefill
        ):
            if block.values[1] and not is_own:
                self.lose(NATIVE_FOREIGN, f"messages[{self.index}].native.blocks[{place}]")
            if type(content) is str:
                return self.write_text(content, None, "content")
            for at in content:
                self.write_part(turn.parts[at], at)
            return 0
        self.field = "content" if part is None else content_field(content[0])
        self.block(block.raw[:-1])
        self.write_extra(None if part is None else part.extra, self.field)
        return self.out.byte(b"}")

    cdef int write_thought(self, Details more, object block, Py_ssize_t place,
                           bint is_own) except -1:
        """Write the thinking block at *place* among an answer's, if it is unchanged and accepted.

        Without a signature only the provider that wrote it gets it.
        """
        cdef Py_ssize_t at = place
        cdef str row
        if more.kept is not None:
            if not more.kept[place]:
                return 0    # reported where the messages were read
            at = more.kept[:place].count(True)
        thought = more.reasoning_details[at]
        row = reasoning_refusal(thought, self.model)
        if row is not None and not (is_own and row == REASONING_UNSIGNED):
            return self.lose(row, f"messages[{self.index}].reasoning_details[{at}]",
                             thought.model if row == REASONING_FOREIGN else None)
        return self.block(block.raw)

    cdef int write_result(self, Turn turn) except -1:
        """Write a tool message as a `tool_result` block."""
        cdef Part part
        cdef Py_ssize_t place = 0
        if turn.role == FUNCTION or turn.more is None or turn.more.tool_call_id is None:
            return self.lose(FUNCTIONS, f"messages[{self.index}]")
        self.lose_details(turn)
        self.field = "tool_call_id"
        self.block(b'{"type":"tool_result","tool_use_id":')
        self.out.string(self.answered_id(turn.more.tool_call_id, "tool_call_id"))
        self.field = "content"
        if turn.text is not None:
            if not is_blank_text(turn.text):
                self.out.key(b"content")
                self.out.string(turn.text)
            elif turn.text:
                self.lose(TEXT_BLANK, f"messages[{self.index}].content", turn.text)
        else:
            self.out.literal(b',"content":[')
            for part in turn.parts or ():
                self.write_part(part, place)
                place += 1
            self.out.byte(b"]")
        if turn.more.extra is not None:
            self.write_cache(turn.more.extra.get("cache_control"),
                             f"messages[{self.index}].cache_control", False)
        return self.out.byte(b"}")

    # Blocks.

    cdef int block(self, bytes start) except -1:
        """Begin a content block, or another element of a list, with its first bytes."""
        self.is_cached = False
        self.out.item()
        return self.out.literal(start)

    cdef int write_text(self, str text, dict extra, str field) except -1:
        if is_blank_text(text):
            return self.lose(TEXT_BLANK, f"messages[{self.index}].{field}", text)
        self.field = field
        self.block(b'{"type":"text","text":')
        self.out.string(text)
        self.write_extra(extra, field)
        return self.out.byte(b"}")

    cdef int write_extra(self, dict extra, str field) except -1:
        """Write a part's `cache_control`; report every other key."""
        if extra is None:
            return 0
        self.is_cached = self.write_cache(
            extra.get("cache_control"), f"messages[{self.index}].{field}.cache_control", False
        )
        return self.lose_keys(extra, PART_UNKNOWN_KEY, field)

    cdef str prefill_text(self, str text, str field):
        """Return the text of a prefill without its trailing space, which the API refuses."""
        cdef str stripped = text.rstrip()
        if stripped != text:
            self.lose(ASSISTANT_TRAILING_SPACE, f"messages[{self.index}].{field}")
        return stripped

    cdef int write_part(self, Part part, Py_ssize_t place) except -1:
        cdef str field = content_field(place)
        cdef str path
        cdef str row
        cdef Turn turn
        self.field = field
        if part.kind == TEXT:
            text = part.text
            if self.index == self.decided.prefill and not is_blank_text(text):
                turn = self.conversation.turns[self.index]
                if place == len(turn.parts) - 1:
                    text = self.prefill_text(text, field)
            return self.write_text(text, part.extra, field)
        path = f"messages[{self.index}].{field}"
        if part.kind == REFUSAL:
            self.lose(ASSISTANT_REFUSAL, path)
            return self.write_text(part.text, part.extra, field)
        row = media_refusal(self, part)
        if row is not None:
            return self.lose_media(part, row, path)
        self.write_medium(part, path)
        if part.media_extra is not None:
            self.lose_keys(part.media_extra, PART_UNKNOWN_KEY,
                           f"{field}.image_url" if part.kind == IMAGE else f"{field}.file")
        self.write_extra(part.extra, field)
        return self.out.byte(b"}")

    cdef int lose_media(self, Part part, str row, str path) except -1:
        """Report a medium that is left out."""
        if row == IMAGE_MEDIA_TYPE or row == FILE_MEDIA_TYPE:
            return self.lose(row, path, part.media)
        return self.lose(row, path, part.file_id if row == FILE_ID else None)

    cdef int write_medium(self, Part part, str path) except -1:
        """Begin the block of an image or a file, by what its data is."""
        cdef str media = None
        if part.kind == IMAGE and part.media is None:
            self.write_image_url(part)
        else:
            media = data_media_type(part)
            if media != labelled_media_type(part):
                field = "image_url.url" if part.kind == IMAGE else "file.file_data"
                self.lose(MEDIA_TYPE_CORRECTED, f"{path}.{field}", part.media, media)
            if is_image(media):
                self.block(b'{"type":"image","source":{"type":"base64","media_type":')
                self.out.string(media)
                self.out.literal(b',"data":')
                self.out.plain_tail(part.text, part.start)
                self.out.byte(b"}")
            else:
                self.write_document(part, media, path)
        return self.write_medium_details(part, media, path)

    cdef int write_image_url(self, Part part) except -1:
        if not part.text.startswith("https://"):
            raise self.malformed(
                f"{self.field}.image_url.url", "must be an http(s) URL or a data URI"
            )
        self.block(b'{"type":"image","source":{"type":"url","url":')
        self.out.string(part.text)
        return self.out.byte(b"}")

    cdef int write_document(self, Part part, str media, str path) except -1:
        """Begin a document block: its source, a PDF or a text."""
        if is_pdf(media):
            self.block(b'{"type":"document","source":'
                       b'{"type":"base64","media_type":"application/pdf","data":')
            self.out.plain_tail(part.text, part.start)
        else:
            self.lose(FILE_TEXT, f"{path}.file.file_data", media, "text/plain")
            self.block(b'{"type":"document","source":'
                       b'{"type":"text","media_type":"text/plain","data":')
            self.out.string(file_text(part))
        return self.out.byte(b"}")

    cdef int write_medium_details(self, Part part, str media, str path) except -1:
        """Write or report what a part says beside its data: an image's detail, a file's name."""
        if part.kind == IMAGE:
            if part.detail is not None and part.detail != "auto":
                self.lose(IMAGE_DETAIL, f"{path}.image_url.detail", part.detail)
            return 0
        if part.file_id is not None:
            self.lose(FILE_ID_BESIDE_DATA, f"{path}.file.file_id", part.file_id)
        if part.detail is not None:
            if is_image(media):
                return self.lose(PART_UNKNOWN_KEY, f"{path}.file.filename", part.detail)
            self.out.key(b"title")
            self.out.string(part.detail)
        return 0

    cdef int write_reasoning(self, list blocks) except -1:
        """Write the thinking blocks that the target accepts; report the others."""
        cdef Py_ssize_t place = 0
        cdef str path
        cdef str row
        for block in blocks:
            path = f"messages[{self.index}].reasoning_details[{place}]"
            self.field = f"reasoning_details[{place}]"
            place += 1
            row = reasoning_refusal(block, self.model)
            if row is not None:
                self.lose(row, path, block.model if row == REASONING_FOREIGN else None)
                continue
            if block.type == "thinking":
                self.block(b'{"type":"thinking","thinking":')
                self.out.string(block.text or "")
                self.out.key(b"signature")
                self.out.string(block.signature)
            else:
                self.block(b'{"type":"redacted_thinking","data":')
                self.out.string(block.data)
            self.out.byte(b"}")
        return 0

    # Calls.

    cdef int write_calls(self, list calls) except -1:
        cdef Py_ssize_t place
        self.begin_calls()
        for place in range(len(calls)):
            self.write_call(calls[place], place, None)
        return 0

    cdef int write_call(self, Call call, Py_ssize_t place, object block) except -1:
        """Write a call: as the provider wrote it in *block*, if that is given and is the same."""
        cdef str name
        cdef str id_
        self.field = call_field(place)
        id_ = self.call_id(call.id, self.field)
        name = self.call_name(call)
        if (
            block is not None and block.values[:2] == (id_, name) and not call.custom
            and is_same_json(block.values[2], call.text) and call.body_extra is None
        ):
            self.block(block.raw[:-1])
            self.write_extra(call.extra, self.field)
            return self.out.byte(b"}")
        self.block(b'{"type":"tool_use","id":')
        self.out.string(id_)
        self.out.key(b"name")
        self.out.string(name)
        self.out.key(b"input")
        if call.custom:
            self.lose(TOOL_CUSTOM_CALL, f"messages[{self.index}].{self.field}.custom.input")
            self.out.literal(b'{"input":')
            self.out.string(call.text)
            self.out.byte(b"}")
        else:
            self.write_arguments(call)
        if call.body_extra is not None:
            kind = "custom" if call.custom else "function"
            self.lose_keys(call.body_extra, PART_UNKNOWN_KEY, f"{self.field}.{kind}")
        self.write_extra(call.extra, self.field)
        return self.out.byte(b"}")

    cdef str call_id(self, str given, str field):
        """Return a call's id as the API takes it: `^[a-zA-Z0-9_-]+$` (2026-11-22), and distinct."""
        return self.opened_id(given, accepted_id(given), TOOL_CALL_ID, field)

    cdef str accepted_name(self, str given):
        """Return the name of a tool, or its replacement."""
        return given if is_tool_name(given) else self.short_name(given)

    cdef str call_name(self, Call call):
        """Return the name of the tool that was called, or its replacement."""
        cdef str accepted = self.accepted_name(call.name)
        if accepted is not call.name:
            kind = "custom" if call.custom else "function"
            self.lose(TOOL_CALL_NAME, f"messages[{self.index}].{self.field}.{kind}.name",
                      call.name, accepted)
        return accepted

    # cache_control.

    cdef bint write_cache(self, object value, str path, bint of_tool) except -1:
        """Write the `cache_control` of a block or a tool; return whether there is one."""
        cdef Py_ssize_t start = self.out.size
        if value is None:
            return False
        if not is_cache_control(value):
            if of_tool:
                self.lose_tool(CACHE_CONTROL_UNKNOWN, path, value)
            else:
                self.lose(CACHE_CONTROL_UNKNOWN, path, value)
            return False
        self.out.key(b"cache_control")
        self.out.value(value, 0)
        if self.cache_marks is None:
            self.cache_marks = CacheMarks()
        self.cache_marks.add(start, self.out.size, path, value, of_tool)
        return True

    cdef int write_message_cache(self, Turn turn, Py_ssize_t start) except -1:
        """Write a message's own `cache_control` into the last block written since *start*."""
        cdef dict extra = None if turn.more is None else turn.more.extra
        if extra is None or extra.get("cache_control") is None:
            return 0
        if self.out.size == start:
            return self.lose(CACHE_CONTROL_BLANK, f"messages[{self.index}].cache_control")
        if self.is_cached:
            return self.lose(CACHE_CONTROL_TWICE, f"messages[{self.index}].cache_control")
        self.field = "cache_control"
        self.out.size -= 1  # the block's closing brace
        self.write_cache(extra["cache_control"], f"messages[{self.index}].cache_control", False)
        return self.out.byte(b"}")

    # Parameters.

    cdef int write_params(self) except -1:
        self.report_dropped()
        self.write_sampling()
        self.write_stop()
        self.write_user()
        self.write_service_tier()
        self.report_modalities()
        self.report_stream_options()
        self.write_thinking()
        self.write_tools()
        if self.params.get("stream"):
            self.out.literal(b',"stream":true')
        return self.check_unwritten()

    cdef int report_dropped(self) except -1:
        """Report the parameters without a counterpart, and the unknown ones."""
        for name, value in self.params.items():
            self.field = name
            dropped = self.parameters.get(name, UNKNOWN)
            if dropped is not None:
                row, neutral = dropped
                if value != neutral:
                    self.lose(row, name, value)
        return 0

    cdef int check_unwritten(self) except -1:
        """Check the parameters that are not written whole, where their losses do not hold them."""
        if self.decided.answer_schema is None and "response_format" in self.params:
            self.check("response_format", self.params["response_format"])
        if "tool_choice" in self.params:
            self.check("tool_choice", self.params["tool_choice"])
        if self.has_changed_tools and "tools" in self.params:
            self.check("tools", self.params["tools"])
        return 0

    cdef int write_sampling(self) except -1:
        cdef object temperature = self.params.get("temperature")
        cdef object top_p = self.params.get("top_p")
        if self.trait("sampling") is False:
            if temperature is not None and temperature != 1:
                self.lose(SAMPLING_UNSUPPORTED, "temperature", temperature)
            if top_p is not None and top_p != 1:
                self.lose(SAMPLING_UNSUPPORTED, "top_p", top_p)
            return 0
        if self.decided.thinks and self.trait("sampling_while_reasoning") is False:
            if temperature is not None and temperature != 1:
                self.lose(SAMPLING_THINKING, "temperature", temperature)
                temperature = None
            if top_p is not None and top_p < 0.95:
                self.lose(SAMPLING_THINKING, "top_p", top_p)
                top_p = None
        if temperature is not None and top_p is not None and (
            self.trait("temperature_with_top_p") is False
        ):
            if temperature == 1 and top_p != 1:
                temperature = None
            else:
                if top_p != 1:
                    self.lose(SAMPLING_BOTH, "top_p", top_p)
                top_p = None
        if temperature is not None:
            if temperature > 1:
                self.lose(TEMPERATURE_ABOVE_ONE, "temperature", temperature, 1)
                temperature = 1
            self.member("temperature", temperature)
        if top_p is not None:
            self.member("top_p", top_p)
        return 0

    cdef int write_stop(self) except -1:
        cdef object stop = self.params.get("stop")
        cdef bint single = isinstance(stop, str)
        cdef list kept = []
        if stop is None:
            return 0
        if self.trait("stop") is False:
            return self.lose(STOP_UNSUPPORTED, "stop", stop)
        if single:
            stop = [stop]
        for place, text in enumerate(stop):
            if not is_blank_text(text):
                kept.append(text)
            else:
                self.lose(STOP_BLANK, "stop" if single else f"stop[{place}]", text)
        if kept:
            self.field = "stop"
            self.out.key(b"stop_sequences")
            self.out.value(kept, 0)
        return 0

    cdef int write_user(self) except -1:
        cdef object user = self.params.get("safety_identifier")
        cdef str name = "user" if user is None else "safety_identifier"
        if user is None:
            user = self.params.get("user")
        elif self.params.get("user") is not None and self.params["user"] != user:
            self.lose(USER_TWICE, "user", self.params["user"])
        if user is not None:
            if isinstance(user, str) and is_refused_user(user):
                user = self.hashed(name, user)
            self.field = "user"
            self.out.literal(b',"metadata":{"user_id":')
            self.out.value(user, 0)
            self.out.byte(b"}")
        return 0

    cdef int write_service_tier(self) except -1:
        cdef object tier = self.params.get("service_tier")
        if tier == "auto":
            self.out.literal(b',"service_tier":"auto"')
        elif tier == "default":
            self.out.literal(b',"service_tier":"standard_only"')
        elif tier is not None:
            self.lose(SERVICE_TIER, "service_tier", tier)
        return 0

    cdef int report_modalities(self) except -1:
        cdef object modalities = self.params.get("modalities")
        if modalities is not None and "audio" in modalities:
            self.lose(AUDIO_OUTPUT, "modalities", modalities)
        return 0

    cdef int report_stream_options(self) except -1:
        cdef object options = self.params.get("stream_options")
        if isinstance(options, dict):
            for name, value in options.items():
                if name != "include_usage" and value is not None:  # usage is always sent
                    self.lose(STREAM_OPTIONS, f"stream_options.{name}", value)
        return 0

    cdef int write_thinking(self) except -1:
        """Write `thinking` and `output_config`: the effort and the schema of the answer."""
        cdef object way = self.trait("thinking")
        cdef str effort = self.decided.effort
        if effort is not None:
            if way == "budget":
                self.out.literal(b',"thinking":{"type":"enabled","budget_tokens":')
                self.out.value(thinking_budget(self.decided.max_tokens, effort), 0)
                self.out.byte(b"}")
                effort = None
            elif way == "adaptive":
                self.out.literal(b',"thinking":{"type":"adaptive"}')
        elif self.params.get("reasoning_effort") == "none" and way == "adaptive":
            self.out.literal(b',"thinking":{"type":"disabled"}')
        if effort is None and self.decided.answer_schema is None:
            return 0
        self.out.literal(b',"output_config":{')
        if effort is not None:
            self.out.key(b"effort")
            self.out.string(effort)
        if self.decided.answer_schema is not None:
            self.field = "response_format"
            self.out.key(b"format")
            self.out.literal(b'{"type":"json_schema","schema":')
            self.out.value(self.decided.answer_schema, 0)
            self.out.byte(b"}")
        return self.out.byte(b"}")

    # Tools.

    cdef int write_tools(self) except -1:
        cdef object tools = self.params.get("tools")
        cdef object choice = self.params.get("tool_choice")
        cdef set allowed = None
        cdef Py_ssize_t mark = self.out.size
        if tools:
            self.field = "tools"
            if self.lacks("tool_use") and self.lacks("function_calling"):
                self.lose_tool(TOOLS_UNSUPPORTED, "tools")
            allowed, choice = self.allowed_tools(choice)
            self.out.literal(b',"tools":[')
            for place, tool in enumerate(tools):
                self.write_tool(tool, f"tools[{place}]", allowed)
            if not self.out.just_opened():
                self.out.byte(b"]")
                return self.write_tool_choice(choice)
            self.out.size = mark
        if self.answer_tool is not None:
            self.write_answer_tool()
        else:
            self.write_called_tools()
        if choice is not None and choice != "none" and choice != "auto":
            self.lose_tool(TOOL_CHOICE_WITHOUT_TOOLS, "tool_choice", choice)
        return 0

    cdef tuple allowed_tools(self, object choice):
        """Return the names that a choice of `allowed_tools` leaves (None: all), and its mode."""
        cdef object given
        cdef set names = set()
        if not isinstance(choice, dict) or choice.get("type") != "allowed_tools":
            return None, choice
        given = choice.get("allowed_tools")
        if not isinstance(given, dict) or not isinstance(given.get("tools"), list):
            raise MessageFormatError(
                "tool_choice.allowed_tools: must be a dict with mode and tools",
                field="tool_choice.allowed_tools",
            )
        for tool in given["tools"]:
            function = tool.get("function") if isinstance(tool, dict) else None
            if isinstance(function, dict) and isinstance(function.get("name"), str):
                names.add(function["name"])
        self.lose_tool(TOOL_CHOICE_ALLOWED, "tool_choice.allowed_tools", sorted(names))
        return names, "required" if given.get("mode") == "required" else "auto"

    cdef int write_answer_tool(self) except -1:
        """Write the forced tool that emulates structured output; its input is the answer."""
        cdef object description = asked_format(self).get("description")
        cdef bytes name = self.answer_tool.encode()
        self.field = "response_format"
        self.out.literal(b',"tools":[{"name":"')
        self.out.literal(name)
        self.out.literal(b'","description":')
        self.out.value(description or "Give the answer in this form.", 0)
        self.out.literal(b',"input_schema":')
        self.out.value(answer_tool_schema(asked_schema(self)), 0)
        self.out.literal(b'}],"tool_choice":{"type":"tool","name":"')
        self.out.literal(name)
        return self.out.literal(b'"}')

    cdef int write_called_tools(self) except -1:
        """Declare the tools that the history calls, with `tool_choice` "none".

        The API refuses a request with `tool_use` or `tool_result` blocks and without tools.
        """
        cdef Turn turn
        cdef Call call
        cdef dict names = {}
        for turn in self.conversation.turns:
            if turn.more is not None and turn.more.calls is not None:
                for call in turn.more.calls:
                    names[self.accepted_name(call.name)] = None
        if not names:
            return 0
        self.lose_tool(TOOLS_CALLED, "tools", None, list(names))
        self.out.literal(b',"tools":[')
        for name in names:
            self.block(b'{"name":')
            self.out.string(name)
            self.out.literal(b',"input_schema":{"type":"object"}}')
        return self.out.literal(b'],"tool_choice":{"type":"none"}')

    cdef int write_tool(self, object tool, str path, set allowed) except -1:
        """Write a function that may be called; *allowed* has their names, None for all."""
        cdef dict function
        kind = tool.get("type")
        if kind is not None and not (isinstance(kind, str) and kind == "function"):
            return self.lose_tool(TOOL_CUSTOM, path)
        found = tool.get("function")
        if not isinstance(found, dict) or not isinstance((<dict>found).get("name"), str):
            raise MessageFormatError(
                f"{path}.function: must be a dict with a name", field=f"{path}.function"
            )
        function = <dict>found
        if allowed is not None and function["name"] not in allowed:
            return 0
        given = exact(function["name"])
        made = self.accepted_name(given)
        if made is not given:
            self.lose_tool(TOOL_NAME, path, given, made)
        self.block(b'{"name":')
        self.out.string(made)
        if function.get("description") is not None:
            self.out.key(b"description")
            self.out.value(function["description"], 0)
        self.write_input_schema(function, f"{path}.function")
        self.write_cache(tool.get("cache_control"), f"{path}.cache_control", True)
        for name in function:
            if name not in ("name", "description", "parameters", "strict"):
                self.lose_tool(PARAM_UNKNOWN, f"{path}.function.{name}", function[name])
        for name, value in tool.items():
            if name not in ("type", "function", "cache_control"):
                self.lose_tool(PARAM_UNKNOWN, f"{path}.{name}", value)
        return self.out.byte(b"}")

    cdef int write_input_schema(self, dict function, str path) except -1:
        """Write the schema of a function's input, and `strict` where the target enforces it."""
        cdef object given = function.get("parameters")
        cdef object strict = function.get("strict")
        cdef object schema = tool_input_schema(self, given, f"{path}.parameters")
        if schema is not given:
            self.has_changed_tools = True
        if strict is not None and self.trait("strict_tools") is not True:
            if strict:
                self.lose_tool(TOOL_STRICT, f"{path}.strict", True)
            strict = None
        elif strict and not isinstance(given, msgspec.Raw):
            form, closed, moved = anthropic_form(schema, f"{path}.parameters")
            if form is None:
                self.lose_tool(TOOL_STRICT_SCHEMA, f"{path}.strict", True, False)
                strict = False
            elif not self.decided.has_room_for(form, True):
                self.lose_tool(TOOL_STRICT_LIMIT, f"{path}.strict", True, False)
                strict = False
            else:
                schema = form
                if closed:
                    self.lose_tool(TOOL_HINT, f"{path}.parameters", None, False)
                for place, _, value, hint in moved:
                    self.lose_tool(TOOL_HINT, place, value, hint)
        self.out.key(b"input_schema")
        self.out.value(schema, 0)
        if strict is not None:
            self.out.key(b"strict")
            self.out.value(strict, 0)
        return 0

    cdef int write_tool_choice(self, object choice) except -1:
        cdef object parallel = self.params.get("parallel_tool_calls")
        cdef bint only_one = parallel is False
        cdef object name = None
        cdef str kind = None
        if only_one and self.trait("parallel_tool_calls") is False:
            self.lose(PARALLEL_TOOL_CALLS_NEVER, "parallel_tool_calls", parallel)
            only_one = False
        if choice is None or choice == "auto":
            kind = "auto" if only_one or choice is not None else None
        elif choice == "none":
            kind = "none"
        elif choice == "required":
            kind = "any"
        elif isinstance(choice, dict) and isinstance(choice.get("function"), dict):
            kind = "tool"
            name = choice["function"].get("name")
            if not isinstance(name, str):
                raise MessageFormatError(
                    "tool_choice.function.name: must be the name of a tool",
                    field="tool_choice.function.name",
                )
            given = exact(name)
            name = self.accepted_name(given)
            if name is not given:
                self.lose_tool(TOOL_NAME, "tool_choice", given, name)
        else:
            self.lose_tool(TOOL_CHOICE_UNKNOWN, "tool_choice", choice)
            kind = "auto" if only_one else None
        if kind in ("any", "tool") and not self.decided.may_force_tool(self):
            self.lose_tool(TOOL_CHOICE_THINKING, "tool_choice", choice)
            kind = "auto"
        if kind is None:
            return 0
        self.field = "tool_choice"
        self.out.literal(b',"tool_choice":{"type":')
        self.out.string(kind)
        if kind == "tool":
            self.out.key(b"name")
            self.out.value(name, 0)
        if only_one and kind != "none":
            self.out.literal(b',"disable_parallel_tool_use":true')
        return self.out.byte(b"}")


cdef bint is_plain_text(Turn turn) noexcept:
    """Return whether a message is a role and a string, without more than a name."""
    cdef Details more = turn.more
    return turn.text is not None and turn.role != TOOL and turn.role != FUNCTION and (
        more is None or (
            more.calls is None and more.reasoning_details is None and more.reasoning is None
            and more.refusal is None and more.extra is None and more.audio is None
            and more.function_call is None and more.native is None
        )
    )


def encode_request(
    Conversation conversation not None, model, dict params not None, facts,
    dict parameters not None, bint is_assumed=False, target=None,
):
    """Return `(body, losses, answer_tool, tool_names)`; *facts* is the target's `Model` or None.

    With *is_assumed* the facts are those of the newest family, for a model that is not known.
    *parameters* are `FieldTable.parameters()` of the dialect's canonical fields. *target* is the
    provider at its address, None if it is not known.
    """
    cdef MessagesEncoder encoder = MessagesEncoder(conversation, model, params, facts)
    encoder.parameters = parameters
    encoder.is_assumed = is_assumed
    encoder.target = target
    return encoder.encode()
