"""Anthropic request decoder: messages to the canonical form.

What the canonical form cannot say is reported by a row of `specado.losses.rows`, with its path in the
request as it was given.
"""

from specado._core.anthropic_content cimport AnthropicContent
from specado._core.conversation cimport (
    ASSISTANT, SYSTEM, TEXT, TOOL, USER, Details, Part, Turn,
)


cdef class AnthropicHistory(AnthropicContent):
    """Reads the messages of one request; not for two threads at once."""

    cdef int add(self, int role, str name, str text, list parts, Details more, str path) except -1:
        cdef Turn turn = Turn.__new__(Turn)
        turn.role = role
        turn.role_name = name
        turn.text = text
        turn.parts = parts
        turn.more = more
        turn.origin = path
        self.found.turns.append(turn)
        return 0

    cdef int read_system(self, object system) except -1:
        cdef list parts = []
        if system is None:
            return 0
        if isinstance(system, str):
            if system:
                self.add(SYSTEM, "system", self.counted(system), None, None, "system")
            return 0
        if not isinstance(system, (list, tuple)):
            raise self.wrong("system", "must be a str or a list of text blocks")
        for place, block in enumerate(system):
            path = f"system[{place}]"
            block = self.dict_of(block, path)
            if block.get("type") != "text":
                raise self.wrong(f"{path}.type", "system takes text blocks only")
            parts.append(self.text_part(block, path))
        if parts:
            self.add(SYSTEM, "system", None, parts, None, "system")
        return 0

    cdef int read_message(self, object message, Py_ssize_t index) except -1:
        cdef str path = f"messages[{index}]"
        cdef dict given = self.dict_of(message, path)
        cdef object content = given.get("content")
        cdef object role = given.get("role")
        self.check_keys(given, frozenset({"role", "content"}), path)
        if role not in ("user", "assistant", "system"):
            raise self.wrong(f"{path}.role", f"must be user, assistant or system, not {role!r}")
        if isinstance(content, str):
            if role == "assistant":
                return self.read_assistant([{"type": "text", "text": content}], path)
            kind = USER if role == "user" else SYSTEM
            return self.add(kind, role, self.counted(content), None, None, path)
        if not isinstance(content, (list, tuple)):
            raise self.wrong(
                f"{path}.content",
                f"must be a str or a list of content blocks, not {self.shown(content, path)}",
            )
        if role == "assistant":
            return self.read_assistant(content, path)
        if role == "system":
            return self.read_later_system(content, path)
        return self.read_user(content, path)

    cdef int read_later_system(self, object blocks, str path) except -1:
        cdef list parts = []
        for place, block in enumerate(blocks):
            where = f"{path}.content[{place}]"
            block = self.dict_of(block, where)
            part = self.said_part(block, block.get("type"), where, "a system message")
            if part is not None:
                parts.append(part)
        if parts:
            self.add(SYSTEM, "system", None, parts, None, path)
        return 0

    cdef int read_user(self, object blocks, str path) except -1:
        """Tool results become tool messages; what else there is, one user message after them."""
        cdef list parts = []
        cdef list moved = []
        for place, block in enumerate(blocks):
            where = f"{path}.content[{place}]"
            block = self.dict_of(block, where)
            kind = block.get("type")
            if kind == "tool_result":
                self.read_result(block, where, moved)
            else:
                part = self.user_part(block, kind, where)
                if part is not None:
                    parts.append(part)
        parts = moved + parts
        if parts:
            self.add(USER, "user", None, parts, None, path)
        return 0

    cdef int read_result(self, dict block, str path, list moved) except -1:
        """Write a `tool_result` as a tool message; its images go to the user turn after it."""
        cdef Details more = Details.__new__(Details)
        cdef list texts = []
        cdef Part said
        cdef object content = block.get("content")
        more.tool_call_id = self.text_of(block.get("tool_use_id"), f"{path}.tool_use_id")
        if self.open_calls is None or more.tool_call_id not in self.open_calls:
            raise self.wrong(
                f"{path}.tool_use_id", f"{more.tool_call_id!r} answers no tool_use before it"
            )
        if block.get("cache_control") is not None:
            self.lose("cache_control.openai", f"{path}.cache_control", block["cache_control"])
        self.check_keys(
            block,
            frozenset(
                {"type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name"}
            ),
            path,
        )
        if block.get("toolset_name") is not None:
            self.lose("anthropic.toolset", f"{path}.toolset_name", block["toolset_name"])
        if isinstance(content, str):
            said = Part.__new__(Part)
            said.text = self.counted(content)
            texts.append(said)
        elif content is not None and not isinstance(content, (list, tuple)):
            raise self.wrong(f"{path}.content", "must be a str or a list of content blocks")
        else:
            for place, item in enumerate(content or ()):
                where = f"{path}.content[{place}]"
                item = self.dict_of(item, where)
                kind = item.get("type")
                part = self.user_part(item, kind, where)
                if part is None:
                    continue
                if (<Part>part).kind == TEXT:
                    texts.append(part)
                else:
                    self.lose("anthropic.result_media", where, kind, "user turn")
                    moved.append(part)
        if block.get("is_error"):
            self.lose("anthropic.is_error", f"{path}.is_error", True, "text")
            if not texts:
                texts.append(Part.__new__(Part))
                (<Part>texts[0]).text = ""
            said = texts[0]
            said.text = "Error: " + said.text
        if len(texts) > 1:
            return self.add(TOOL, "tool", None, texts, more, path)
        return self.add(TOOL, "tool", (<Part>texts[0]).text if texts else "", None, more, path)

    cdef int read_assistant(self, object blocks, str path) except -1:
        cdef list parts = []
        cdef list calls = []
        cdef list reasoning = []
        cdef list origins = []
        for place, block in enumerate(blocks):
            where = f"{path}.content[{place}]"
            block = self.dict_of(block, where)
            kind = block.get("type")
            if kind == "tool_use":
                calls.append(self.call_of(block, where))
            elif kind == "thinking" or kind == "redacted_thinking":
                reasoning.append(self.reasoning_of(block, kind, where))
                origins.append(where)
            else:
                part = self.said_part(block, kind, where, "an assistant turn")
                if part is not None:
                    if calls:
                        self.lose("anthropic.block_order", where)
                    parts.append(part)
        return self.add_assistant(parts, calls, reasoning, origins, path)

    cdef int add_assistant(self, list parts, list calls, list reasoning, list origins,
                           str path) except -1:
        """Add an assistant turn, or go on with the one before: there they are one turn."""
        cdef Turn turn
        cdef Details more = None
        if self.found.turns and (<Turn>self.found.turns[-1]).role == ASSISTANT:
            turn = self.found.turns.pop()
            path = turn.origin
            if parts and turn.more is not None and turn.more.calls is not None:
                self.lose("anthropic.block_order", (<Part>parts[0]).origin)
            parts = self.parts_of(turn) + parts
            if turn.more is not None:
                calls = (turn.more.calls or []) + calls
                reasoning = (turn.more.reasoning_details or []) + reasoning
                origins = (turn.more.origins or []) + origins
        self.open_calls = {call.id for call in calls}
        if calls or reasoning:
            more = Details.__new__(Details)
            more.calls = calls or None
            more.reasoning_details = reasoning or None
            more.origins = origins
        if len(parts) == 1:  # one text alone is the content itself
            return self.add(ASSISTANT, "assistant", (<Part>parts[0]).text, None, more, path)
        if parts or more is not None:
            self.add(ASSISTANT, "assistant", None, parts or None, more, path)
        return 0

    cdef list parts_of(self, Turn turn):
        cdef Part part
        if turn.text is None:
            return turn.parts or []
        part = Part.__new__(Part)
        part.text = turn.text
        part.origin = turn.origin
        return [part]
