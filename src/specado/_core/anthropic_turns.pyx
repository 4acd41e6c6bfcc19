"""Anthropic request encoder: system text and turns.

Shapes from anthropic.types 0.125.0 (2026-11-22). Content without a counterpart, or in another
form, is reported by a row of `specado.losses.rows`.
"""

from specado._core.anthropic_blocks cimport AnthropicBlocks
from specado._core.conversation cimport (
    ASSISTANT, DEVELOPER, FUNCTION, OTHER, REFUSAL, SYSTEM, TEXT, TOOL, USER, Details, Part, Turn,
)
from specado._core.encoder cimport content_field, is_blank_text


cdef class AnthropicTurns(AnthropicBlocks):
    """Writes what a conversation is in a messages request.

    Its `conversation` is split by `begin`; consecutive messages of one side become one turn.
    """

    cdef int begin(self) except -1:
        """Find where the leading system messages end, and whether an assistant has the end."""
        cdef Turn turn
        self.first = 0
        self.end = len(self.conversation.turns)
        for turn in self.conversation.turns:
            if turn.role != SYSTEM and turn.role != DEVELOPER:
                break
            self.first += 1
        self.turns = self.conversation.turns[self.first:]
        self.find_last()
        return 0

    cdef int find_last(self) except -1:
        """Find the assistant message at the end; leave it out where it is refused."""
        cdef list said = self.conversation.turns
        cdef bint refused = self.trait("assistant_prefill") is False
        cdef Py_ssize_t at
        cdef Turn turn
        self.last = -1
        for at in range(len(said) - 1, self.first - 1, -1):
            turn = said[at]
            if self.is_blank(turn):
                continue
            if turn.role != ASSISTANT or (turn.more is not None and turn.more.calls is not None):
                break
            if not refused:
                self.last = at
                break
            self.end = at
        for self.index in range(self.end, len(said)):
            turn = said[self.index]
            if not self.is_blank(turn):
                self.lose("assistant.last", f"messages[{self.index}]")
            elif turn.role == FUNCTION:
                self.write_result(turn, True)
            else:
                self.write_content(turn, True)
        self.index = -1
        self.turns = said[self.first:self.end]
        return 0

    # System text.

    cdef int write_system(self) except -1:
        cdef Turn turn
        cdef Py_ssize_t at
        cdef Py_ssize_t count = self.first
        cdef Py_ssize_t mark = self.out.size
        cdef bint first = True
        if self.first and not self.turns:
            # Messages are required: system text alone becomes the user turn.
            for at in range(self.first):
                turn = self.conversation.turns[at]
                self.lose("system.alone", f"messages[{at}].role", turn.role_name, "user")
            count = 0
        if not count and self.instruction is None:
            return 0
        self.out.literal(b',"system":')
        if count == 1 and self.instruction is None:
            turn = self.conversation.turns[0]
            if self.is_simple(turn) and not is_blank_text(turn.text):
                self.index = 0
                self.field = "content"
                self.lose("system.top_level", "messages[0].role", turn.role_name, "system")
                self.lose_names(turn)
                return self.out.string(turn.text)
        self.out.byte(b"[")
        for self.index in range(count):
            turn = self.conversation.turns[self.index]
            self.lose("system.top_level", f"messages[{self.index}].role", turn.role_name, "system")
            first = self.write_system_turn(turn, first)
        self.index = -1
        if self.instruction is not None:
            self.block(first, b'{"type":"text","text":')
            first = False
            self.out.string(self.instruction)
            self.out.byte(b"}")
        if first:
            self.out.size = mark
            return 0
        return self.out.byte(b"]")

    cdef bint write_system_turn(self, Turn turn, bint first) except -1:
        """Write a system turn's content as text blocks; return whether none was written yet."""
        cdef Part part
        cdef Py_ssize_t place = 0
        cdef Py_ssize_t mark = self.out.size
        self.lose_names(turn)
        if turn.text is not None:
            first = self.write_text(turn.text, None, "content", first)
        for part in turn.parts or ():
            if part.kind == TEXT:
                first = self.write_text(part.text, part.extra, content_field(place), first)
            else:
                self.lose("system.part", f"messages[{self.index}].content[{place}]")
            place += 1
        self.cache(turn, mark)
        return first

    cdef int cache(self, Turn turn, Py_ssize_t mark) except -1:
        """Put a message's own `cache_control` on the last block written for it since *mark*."""
        cdef dict extra = None if turn.more is None else turn.more.extra
        if extra is None or extra.get("cache_control") is None:
            return 0
        if self.out.size == mark:
            return self.lose("cache_control.blank", f"messages[{self.index}].cache_control")
        if self.cached:
            return self.lose("cache_control.twice", f"messages[{self.index}].cache_control")
        self.field = "cache_control"
        self.out.size -= 1
        self.write_cache(extra["cache_control"], f"messages[{self.index}].cache_control")
        return self.out.byte(b"}")

    # Turns: consecutive messages of one side become one turn.

    cdef int side(self, Turn turn) except -1:
        """Return the role that a turn is written with: USER, ASSISTANT or SYSTEM."""
        if turn.role == ASSISTANT:
            return ASSISTANT
        if (
            (turn.role == SYSTEM or turn.role == DEVELOPER)
            and self.turns
            and self.trait("mid_conversation_system") is True
        ):
            return SYSTEM
        return USER

    cdef int write_turns(self) except -1:
        cdef list turns = self.turns
        cdef Py_ssize_t offset = self.first
        cdef Py_ssize_t start = 0
        cdef Py_ssize_t end
        cdef int side
        cdef bint first = True
        if not turns:
            turns = self.conversation.turns[:self.end]
            offset = 0
        while start < len(turns):
            side = self.side(turns[start])
            end = start + 1
            while end < len(turns) and (
                self.side(turns[end]) == side or self.is_blank(turns[end])
            ):
                end += 1
            first = self.write_group(turns, start, end, offset, side, first)
            start = end
        if first:
            self.index = offset
            self.lose("messages.blank", f"messages[{offset}]")
            self.out.literal(b'{"role":"user","content":""}')
        return 0

    cdef bint is_blank(self, Turn turn):
        """Return whether a turn has nothing that the API takes."""
        cdef Part part
        cdef bint media = self.side(turn) != SYSTEM
        if turn.role == TOOL or turn.role == FUNCTION:
            return turn.role == FUNCTION
        if turn.more is not None and media and (
            turn.more.calls is not None
            or self.thinks_there(turn.more.reasoning_details)
            or (turn.more.refusal is not None and not is_blank_text(turn.more.refusal))
        ):
            return False
        if turn.text is not None:
            return is_blank_text(turn.text)
        for part in turn.parts or ():
            if part.kind == TEXT or (part.kind == REFUSAL and media):
                if not is_blank_text(part.text):
                    return False
            elif media and not self.refuses(part):
                return False
        return True

    cdef bint thinks_there(self, list reasoning):
        """Return whether any block of an answer's reasoning can go back."""
        for item in reasoning or ():
            if self.refused_reasoning(item) is None:
                return True
        return False

    cdef bint write_group(self, list turns, Py_ssize_t start, Py_ssize_t end, Py_ssize_t offset,
                          int side, bint first) except -1:
        """Write turns[start:end] as one turn; return whether no turn was written yet."""
        cdef Turn turn = turns[start]
        cdef Py_ssize_t mark = self.out.size
        cdef Py_ssize_t at
        cdef bint empty = True
        cdef bint spoken = False
        cdef bint texted = False
        if not first:
            self.out.byte(b",")
        self.index = offset + start
        if end - start == 1 and self.is_simple(turn):
            self.check_role(turn, side)
            if not self.write_simple(turn, side, offset + start):
                return False
            self.out.size = mark
            return first
        self.begin_turn(side)
        self.out.byte(b"[")
        for at in range(start, end):
            turn = turns[at]
            self.index = offset + at
            if not self.is_blank(turn):
                if spoken and not (
                    turn.role == TOOL and (<Turn>turns[at - 1]).role == TOOL
                ):
                    self.lose("turns.merged", f"messages[{self.index}].role")
                spoken = True
                if turn.role != TOOL and turn.role != FUNCTION:
                    texted = True
                elif texted:
                    self.lose("tool.result_late", f"messages[{self.index}]")
            if turn.role == TOOL or turn.role == FUNCTION:
                empty = self.write_result(turn, empty)
        for at in range(start, end):
            turn = turns[at]
            self.index = offset + at
            self.check_role(turn, side)
            if turn.role != TOOL and turn.role != FUNCTION:
                empty = self.write_content(turn, empty)
        if empty:
            self.out.size = mark
            return first
        self.out.literal(b"]}")
        return False

    cdef int begin_turn(self, int side) except -1:
        if side == ASSISTANT:
            return self.out.literal(b'{"role":"assistant","content":')
        if side == SYSTEM:
            return self.out.literal(b'{"role":"system","content":')
        return self.out.literal(b'{"role":"user","content":')

    cdef bint is_simple(self, Turn turn):
        return turn.text is not None and turn.role != TOOL and turn.role != FUNCTION and (
            turn.more is None or (
                turn.more.calls is None and turn.more.reasoning_details is None
                and turn.more.reasoning is None and turn.more.refusal is None
                and turn.more.extra is None and turn.more.audio is None
                and turn.more.function_call is None
            )
        )

    cdef bint write_simple(self, Turn turn, int side, Py_ssize_t index) except -1:
        """Write a turn of one string; return whether there was nothing to write."""
        cdef str text = turn.text
        self.lose_names(turn)
        if is_blank_text(text):
            self.lose("text.blank", f"messages[{index}].content", text)
            return True
        self.field = "content"
        self.begin_turn(side)
        if index == self.last:
            text = self.check_last(text, "content")
        self.out.string(text)
        self.out.byte(b"}")
        return False

    cdef int check_role(self, Turn turn, int side) except -1:
        cdef bint later = side == USER and (turn.role == SYSTEM or turn.role == DEVELOPER)
        if (later or turn.role == OTHER) and not self.is_blank(turn):
            path = f"messages[{self.index}].role"
            if turn.role == OTHER:
                self.lose("role.unknown", path, turn.role_name, "user")
            elif self.turns:
                self.lose("system.later", path, turn.role_name, "user")
        return 0

    cdef int lose_names(self, Turn turn) except -1:
        cdef Details more = turn.more
        cdef str path
        if more is None or (
            more.name is None and more.audio is None and more.function_call is None
            and more.reasoning is None and more.extra is None
        ):
            return 0
        path = f"messages[{self.index}]"
        if more.name is not None and turn.role != FUNCTION:
            self.lose("message.name", f"{path}.name", more.name)
        if more.audio is not None:
            self.lose("assistant.audio", f"{path}.audio")
        if more.function_call is not None:
            self.lose("functions", f"{path}.function_call")
        if more.reasoning is not None and more.reasoning_details is None:
            self.lose("reasoning.unsigned", f"{path}.reasoning")
        return self.lose_keys(more.extra, "message.unknown_key", "")

    # What a turn holds. Each writer takes and returns whether the list is still empty.

    cdef bint write_content(self, Turn turn, bint first) except -1:
        cdef Part part
        cdef Py_ssize_t place = 0
        cdef Py_ssize_t mark = self.out.size
        if self.side(turn) == SYSTEM:
            return self.write_system_turn(turn, first)
        self.lose_names(turn)
        if turn.more is not None and turn.more.reasoning_details is not None:
            first = self.write_reasoning(turn.more.reasoning_details, first)
            mark = self.out.size  # a thinking block takes no cache_control
        if turn.text is not None:
            text = turn.text
            if self.index == self.last and not is_blank_text(text):
                text = self.check_last(text, "content")
            first = self.write_text(text, None, "content", first)
        for part in turn.parts or ():
            first = self.write_part(part, place, first)
            place += 1
        if turn.more is not None:
            if turn.more.refusal is not None:
                self.lose("assistant.refusal", f"messages[{self.index}].refusal")
                first = self.write_text(turn.more.refusal, None, "refusal", first)
            if turn.more.calls is not None:
                first = self.write_calls(turn.more.calls, first)
        self.cache(turn, mark)
        return first

    cdef bint write_result(self, Turn turn, bint first) except -1:
        """Write a tool message as a `tool_result` block."""
        cdef Part part
        cdef bint empty = True
        cdef Py_ssize_t place = 0
        if turn.role == FUNCTION or turn.more is None or turn.more.tool_call_id is None:
            self.lose("functions", f"messages[{self.index}]")
            return first
        self.lose_names(turn)
        self.field = "tool_call_id"
        self.block(first, b'{"type":"tool_result","tool_use_id":')
        self.out.string(self.call_id(turn.more.tool_call_id, "tool_call_id"))
        self.field = "content"
        if turn.text is not None:
            if not is_blank_text(turn.text):
                self.out.key(b"content")
                self.out.string(turn.text)
            elif turn.text:
                self.lose("text.blank", f"messages[{self.index}].content", turn.text)
        else:
            self.out.literal(b',"content":[')
            for part in turn.parts or ():
                empty = self.write_part(part, place, empty)
                place += 1
            self.out.byte(b"]")
        if turn.more.extra is not None:
            self.write_cache(turn.more.extra.get("cache_control"),
                             f"messages[{self.index}].cache_control")
        self.out.byte(b"}")
        return False
