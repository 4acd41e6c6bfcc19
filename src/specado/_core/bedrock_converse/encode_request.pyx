"""Bedrock request encoder: a conversation and its parameters to a Converse body.

Shapes from botocore 1.44.8 (`data/bedrock-runtime/2023-09-30`, read 2026-11-30). Content or
parameters without a counterpart, or with another form, are reported by a row of
`specado.losses.rows`. What differs by model is a trait in its manifest.
"""

cimport cython

from specado._core.bedrock_converse.media cimport Medium, document_name, medium_of
from specado._core.cache_marks cimport CacheMarks
from specado._core.conversation cimport (
    ASSISTANT, DEVELOPER, FILE, FUNCTION, IMAGE, OTHER, REFUSAL, SYSTEM, TEXT, TOOL, Call,
    Conversation, Details, Part, Turn,
)
from specado._core.encoder cimport (
    Encoder, call_field, content_field, is_blank_text, is_name, is_same_json, renamed,
)
from specado._core.json_writer cimport exact
from specado._core.tool_schemas cimport answer_tool_schema, tool_input_schema

import re

import msgspec

from specado._core.bedrock_converse.loss_rows import (
    ASSISTANT_AUDIO, ASSISTANT_LAST, ASSISTANT_REFUSAL, ASSISTANT_TRAILING_SPACE, AUDIO_OUTPUT,
    CACHE_CONTROL_BLANK, CACHE_CONTROL_MODEL, CACHE_CONTROL_POINT, CACHE_CONTROL_TWICE,
    CACHE_CONTROL_UNKNOWN, CONTENT_STAND_IN, DOCUMENT_NAME, DOCUMENT_TEXT, FILE_ID_BESIDE_DATA, FILE_NAME, FILE_TEXT,
    FUNCTIONS, IMAGE_DETAIL, MAX_TOKENS_ABOVE_LIMIT, MAX_TOKENS_DEFAULT, MAX_TOKENS_TWICE,
    MEDIA_MOVED, MEDIA_TYPE_CORRECTED, MESSAGES_BLANK, MESSAGE_ANNOTATIONS, MESSAGE_NAME,
    MESSAGE_UNKNOWN_KEY, METADATA_FORM, PARALLEL_TOOL_CALLS_MANY, PARALLEL_TOOL_CALLS_NEVER,
    PARAM_UNKNOWN, PART_UNKNOWN_KEY, PROMPT_CACHE, REASONING_EFFORT_HISTORY,
    REASONING_EFFORT_LEVEL, REASONING_EFFORT_NONE, REASONING_EFFORT_NO_ROOM,
    REASONING_EFFORT_THINKING, REASONING_EFFORT_TOOLS, REASONING_EFFORT_UNSUPPORTED,
    REASONING_ENDPOINT, REASONING_FOREIGN, REASONING_UNSIGNED, RESPONSE_FORMAT_CLOSED,
    RESPONSE_FORMAT_CONFLICT, RESPONSE_FORMAT_JSON_OBJECT, RESPONSE_FORMAT_STRICT,
    RESPONSE_FORMAT_TOOL, RESPONSE_FORMAT_UNSUPPORTED, ROLE_UNKNOWN, SAMPLING_BOTH,
    SAMPLING_THINKING, SAMPLING_UNSUPPORTED, SERVICE_TIER, STOP_BLANK, STOP_MODEL_MOST,
    STOP_UNSUPPORTED, STREAM_OPTIONS, SYSTEM_ALONE, SYSTEM_LATER, SYSTEM_PART, SYSTEM_TOP_LEVEL,
    TEMPERATURE_ABOVE_ONE, TEXT_BLANK, TOOLS_DECLARED, TOOLS_UNSUPPORTED, TOOLS_WITHHELD,
    TOOL_CALL_ID, TOOL_CALL_NAME, TOOL_CHOICE_ALLOWED, TOOL_CHOICE_MODEL, TOOL_CHOICE_NONE,
    TOOL_CHOICE_THINKING, TOOL_CHOICE_UNKNOWN, TOOL_CHOICE_WITHOUT_TOOLS, TOOL_CUSTOM,
    TOOL_CUSTOM_CALL, TOOL_NAME, TOOL_RESULT_ALONE, TOOL_RESULT_LATE, TOOL_RESULT_MISSING,
    TOOL_RESULT_TWICE, TOOL_STRICT, TOOL_STRICT_LIMIT, TOOL_STRICT_SCHEMA, TURNS_MERGED,
    WEB_SEARCH_GROUNDING, WEB_SEARCH_MODEL,
)
from specado._core.bedrock_converse.native import DIALECT, model_of_profile
from specado._core.emulation import EMULATION_TOOL
from specado._core.json_writer import dumps
from specado._core.loss_rows import NATIVE_FOREIGN, NATIVE_ORDER, TOOL_HINT
from specado._core.native import has_own_order, split_text
from specado._core.parameters import (
    BUDGET_SHARES, MIN_THINKING_BUDGET, nearest_effort, thinking_budget,
)
from specado._core.schema import anthropic_form, row_of_moved
from specado.errors import MessageFormatError

# A parameter that the field table does not have: its loss row, and the value that is no loss.
cdef tuple UNKNOWN = (PARAM_UNKNOWN, None)

# The longest name of a tool and id of a call: `[a-zA-Z0-9_-]{1,64}`, `[a-zA-Z0-9_.:-]{1,64}`.
cdef Py_ssize_t LONGEST_NAME = 64
cdef object CALL_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
cdef enum:
    RENAMED_ID = 64
    MAX_METADATA = 16
    MAX_STRICT_TOOLS = 20
# Request metadata: its keys and values.
cdef object METADATA_KEY = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{1,256}")
cdef object METADATA_VALUE = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}")
cdef tuple TIERS = ("default", "flex", "priority")
cdef str STAND_IN = "(empty)"
cdef str BESIDE_DOCUMENT = "See the attached document."
# The limit of a model whose own is not known, where thinking needs one.
cdef int UNKNOWN_MAX_TOKENS = 4096
# The most tokens of an answer that is not streamed: a longer one takes more than ten minutes.
cdef int MAX_TOKENS_WITHOUT_STREAM = 21_333
cdef str JSON_ONLY = "Answer with one JSON object and nothing else."


@cython.final
@cython.freelist(16)
cdef class OpenCall:
    """A call that waits for its result. Belongs to one encoder."""
    cdef str given      # the caller's id of it
    cdef str written    # as it is written
    cdef str row        # the loss row of a changed id, None for an unchanged one
    cdef str path


@cython.final
cdef class ConverseEncoder(Encoder):
    """Writes a Converse body. One per body; not for two threads at once.

    The system text comes first, then the messages, then the rest: the same leading messages give
    the same leading bytes. The model and the choice of a stream stand in the URL.
    """

    cdef dict parameters    # name -> `(row, neutral value)` if it is dropped, None if it is written
    cdef Py_ssize_t leading     # system messages at the start
    cdef Py_ssize_t end         # messages that are sent: all but the model's at the end, if refused
    cdef Py_ssize_t prefill     # the model's message at the end, -1 without one
    cdef bint is_alone          # whether there is only system text
    cdef bint has_content       # whether a message has content of the caller's
    cdef bint has_tool_blocks   # whether the history has calls or results
    cdef bint has_document, has_text    # of the message that is being written
    cdef bint has_changed_tools     # whether tools or tool_choice are not written whole
    cdef bint is_cached         # whether a cache point follows the last block
    cdef bint is_in_result      # whether a tool's result is being written, which has no cache point
    cdef tuple result_cache     # (value, path) of the last cache_control in it; None without one
    cdef CacheMarks cache_marks     # None without one
    cdef set document_names     # those written so far
    cdef list waiting_calls     # of OpenCall, those of the message before; None without any
    cdef list moved             # (message, place, Part) of media of tool results
    cdef object max_tokens      # None for the model's own
    cdef str max_tokens_name
    cdef bint thinks
    cdef str effort             # the reasoning effort to ask for, None for none
    cdef object answer_schema   # the schema that the model enforces, None without one
    cdef str instruction        # a text that response_format adds to the system text
    cdef int strict_tools
    cdef object choice          # the tool choice that is written
    cdef bint declares_tools    # whether toolConfig has a tool of the caller's

    cdef int write(self) except -1:
        self.divide()
        self.decide()
        self.out.byte(b"{")
        self.write_system()
        self.out.key(b"messages")
        self.out.byte(b"[")
        self.write_messages()
        self.out.byte(b"]")
        self.report_dropped()
        self.write_config()
        self.write_tool_config()
        self.write_output_config()
        self.write_additional()
        self.write_rest()
        if self.cache_marks is not None:
            self.cache_marks.limit(self)
        self.out.byte(b"}")
        return self.check_unwritten()

    cdef int divide(self) except -1:
        """Find the leading system messages, and the model's message at the end."""
        cdef list turns = self.conversation.turns
        cdef Turn turn
        self.leading = 0
        self.prefill = -1
        self.document_names = set()
        for turn in turns:
            if turn.role == TOOL or (turn.more is not None and turn.more.calls is not None):
                self.has_tool_blocks = True
        if self.trait("system_prompt") is not False:
            for turn in turns:
                if turn.role != SYSTEM and turn.role != DEVELOPER:
                    break
                self.leading += 1
        self.is_alone = self.leading == len(turns)
        self.end = len(turns)
        while self.end > max(self.leading, 1):
            turn = turns[self.end - 1]
            if turn.role != ASSISTANT or (turn.more is not None and turn.more.calls is not None):
                break
            if self.trait("assistant_prefill") is not False:
                self.prefill = self.end - 1
                break
            self.end -= 1
            self.index = self.end
            self.lose(ASSISTANT_LAST, f"messages[{self.end}]")
            self.lose_details(turn)
        self.index = -1
        return 0

    # Decisions that depend on several parameters.

    cdef int decide(self) except -1:
        self.decide_max_tokens()
        self.decide_thinking()
        return self.decide_format()

    cdef int decide_max_tokens(self) except -1:
        cdef object limit = None if self.facts is None else self.facts.max_output_tokens
        self.max_tokens = self.params.get("max_completion_tokens")
        self.max_tokens_name = "max_completion_tokens"
        if self.max_tokens is None:
            self.max_tokens = self.params.get("max_tokens")
            self.max_tokens_name = "max_tokens"
        elif self.params.get("max_tokens") is not None:
            self.lose(MAX_TOKENS_TWICE, "max_tokens", self.params["max_tokens"])
        if limit is not None and self.max_tokens is not None and self.max_tokens > limit:
            self.lose(MAX_TOKENS_ABOVE_LIMIT, self.max_tokens_name, self.max_tokens, limit)
            self.max_tokens = limit
        return 0

    cdef int decide_thinking(self) except -1:
        cdef object way = self.trait("thinking")
        cdef object effort = self.params.get("reasoning_effort")
        cdef object levels = self.trait("reasoning_efforts")
        cdef object nearest
        self.thinks = way == "always"
        if effort is None:
            return 0
        if way is None or way == "none" or way == "level":
            row = REASONING_EFFORT_UNSUPPORTED
            if effort == "none" and way == "none":
                row = REASONING_EFFORT_NONE
            return self.lose(row, "reasoning_effort", effort)
        if effort == "none":
            return self.decide_no_thinking(way, levels)
        if self.params.get("tools") and self.trait("tools_while_reasoning") is False:
            return self.lose(REASONING_EFFORT_TOOLS, "reasoning_effort", effort)
        if way == "budget":
            if effort not in BUDGET_SHARES:
                return self.lose(REASONING_EFFORT_UNSUPPORTED, "reasoning_effort", effort)
            return self.decide_budget(effort)
        if levels is None:
            levels = ("low", "medium", "high")
        nearest = nearest_effort(effort, [level for level in levels if level != "none"])
        if nearest is None or self.trait("effort_parameter") is False:
            return self.lose(REASONING_EFFORT_UNSUPPORTED, "reasoning_effort", effort)
        if nearest != effort:
            self.lose(REASONING_EFFORT_LEVEL, "reasoning_effort", effort, nearest)
        self.thinks = True
        self.effort = nearest
        return self.lose(REASONING_EFFORT_THINKING, "reasoning_effort", nearest, way)

    cdef int decide_no_thinking(self, str way, object levels) except -1:
        """Switch thinking off, where the model can."""
        if way == "always" or (way == "effort" and not (levels and "none" in levels)):
            return self.lose(REASONING_EFFORT_UNSUPPORTED, "reasoning_effort", "none")
        if way == "budget":
            return self.lose(REASONING_EFFORT_NONE, "reasoning_effort", "none")
        self.effort = "none"
        return 0

    cdef int decide_budget(self, str effort) except -1:
        """Decide the thinking budget, which is a part of the answer's tokens."""
        cdef object limit = None if self.facts is None else self.facts.max_output_tokens
        if self.max_tokens is not None and self.max_tokens <= MIN_THINKING_BUDGET:
            return self.lose(REASONING_EFFORT_NO_ROOM, "reasoning_effort", effort)
        if not self.may_begin_thinking():
            return self.lose(REASONING_EFFORT_HISTORY, "reasoning_effort", effort)
        if self.max_tokens is None:
            if limit is None:
                self.max_tokens = UNKNOWN_MAX_TOKENS
            elif self.params.get("stream"):
                self.max_tokens = limit
            else:
                self.max_tokens = min(limit, MAX_TOKENS_WITHOUT_STREAM)
            self.lose(MAX_TOKENS_DEFAULT, "max_tokens", None, self.max_tokens)
        self.thinks = True
        self.effort = effort
        return self.lose(REASONING_EFFORT_THINKING, "reasoning_effort", effort, "budget")

    cdef bint may_begin_thinking(self) except -1:
        """Return whether the request may think: it continues no answer that began without.

        Claude refuses to think in the continuation of an answer, after tool results or a prefill,
        that did not begin with thinking (Anthropic's "Extended thinking" guide, 2026-11-22).
        """
        cdef Turn turn
        cdef Py_ssize_t at
        for at in range(self.end - 1, self.leading - 1, -1):
            turn = self.conversation.turns[at]
            if turn.role == TOOL:
                continue
            if turn.role != ASSISTANT:
                return True
            if turn.more is not None and self.has_accepted_reasoning(turn.more):
                return True
            if at == 0 or (<Turn>self.conversation.turns[at - 1]).role not in (ASSISTANT, TOOL):
                return False
        return True

    cdef bint has_accepted_reasoning(self, Details more) except -1:
        for block in more.reasoning_details or ():
            if self.reasoning_refusal(block) is None:
                return True
        return False

    cdef int decide_format(self) except -1:
        cdef object wanted = self.params.get("response_format")
        cdef object kind = wanted.get("type") if isinstance(wanted, dict) else None
        if kind == "json_object":
            self.instruction = JSON_ONLY
            self.lose(RESPONSE_FORMAT_JSON_OBJECT, "response_format", kind, JSON_ONLY)
        elif kind == "json_schema":
            self.decide_schema(kind)
        elif wanted is not None and kind != "text":
            self.lose(RESPONSE_FORMAT_UNSUPPORTED, "response_format", kind)
        return 0

    cdef int decide_schema(self, str kind) except -1:
        """Find the form of the schema that the model enforces, or a forced tool in its place."""
        cdef str path = "response_format.json_schema"
        cdef object asked = self.asked_schema()
        if self.trait("structured_output") is True:
            self.field = "response_format"
            self.answer_schema, closed, moved = anthropic_form(asked, f"{path}.schema")
            if self.answer_schema is not None:
                if closed:
                    self.lose(RESPONSE_FORMAT_CLOSED, f"{path}.schema", None, False)
                for place, name, value, hint in moved:
                    self.lose(row_of_moved(name, value), place, value, hint)
                if self.asked_format().get("strict") is not True:
                    self.lose(RESPONSE_FORMAT_STRICT, path, self.asked_format().get("strict"), True)
                return 0
        if self.params.get("tools") or not self.may_force_tool():
            return self.lose(RESPONSE_FORMAT_CONFLICT, "response_format", kind)
        if answer_tool_schema(asked) is None:
            return self.lose(RESPONSE_FORMAT_UNSUPPORTED, "response_format", kind)
        self.answer_tool = EMULATION_TOOL
        return self.lose(RESPONSE_FORMAT_TOOL, "response_format", kind, EMULATION_TOOL)

    cdef bint may_force_tool(self) except -1:
        """Return whether a call of a tool may be forced: not while the model thinks."""
        cdef object choices = self.trait("tool_choices")
        if self.thinks and self.trait("thinking") != "always":
            return False
        if choices is not None and "tool" not in choices and "any" not in choices:
            return False
        return self.trait("forced_tool_choice") is not False

    cdef dict asked_format(self):
        """Return the `json_schema` member of the response format that was asked for."""
        cdef object wanted = self.params["response_format"].get("json_schema")
        if not isinstance(wanted, dict):
            raise MessageFormatError(
                "response_format.json_schema: must be a dict with name and schema",
                field="response_format.json_schema",
            )
        return <dict>wanted

    cdef object asked_schema(self):
        return self.asked_format().get("schema") or {"type": "object"}

    # Reports.

    cdef int lose_tool(self, str row, str path, object before=None, object after=None) except -1:
        """Report a loss in tools or tool_choice."""
        self.has_changed_tools = True
        return self.lose(row, path, before, after)

    cdef int lose_keys(self, dict extra, str row, str name_of_field) except -1:
        """Report the unknown keys of a message (*name_of_field* is empty then) or a part.

        Cache breakpoints are read where the block ends.
        """
        cdef str path
        if extra is None:
            return 0
        path = f"messages[{self.index}]" + (f".{name_of_field}" if name_of_field else "")
        for name, value in extra.items():
            if value is None or name == "cache_control" or (
                name == "thinking_blocks" and not name_of_field    # read as reasoning
            ):
                continue
            if name == "annotations" and not name_of_field:
                if value:
                    self.lose(MESSAGE_ANNOTATIONS, f"{path}.{name}")
            elif name == "prompt_cache_breakpoint":
                self.lose(PROMPT_CACHE, f"{path}.{name}", value)
            elif name == "extra_content":
                self.lose(NATIVE_FOREIGN, f"{path}.{name}")
            else:
                self.lose(row, f"{path}.{name}", value)
        return 0

    cdef int lose_details(self, Turn turn) except -1:
        """Report the keys of a message that have no counterpart."""
        cdef Details more = turn.more
        if more is None:
            return 0
        if more.name is not None and turn.role != FUNCTION:
            self.lose(MESSAGE_NAME, f"messages[{self.index}].name", more.name)
        if more.audio is not None:
            self.lose(ASSISTANT_AUDIO, f"messages[{self.index}].audio")
        if more.function_call is not None:
            self.lose(FUNCTIONS, f"messages[{self.index}].function_call")
        if more.reasoning is not None and more.reasoning_details is None:
            self.lose(REASONING_UNSIGNED, f"messages[{self.index}].reasoning")
        return self.lose_keys(more.extra, MESSAGE_UNKNOWN_KEY, "")

    # System text.

    cdef int write_system(self) except -1:
        cdef Turn turn
        cdef Py_ssize_t mark = self.out.size
        if self.is_alone and self.instruction is None:
            return 0
        self.out.literal(b'"system":[')
        if not self.is_alone:
            for self.index in range(self.leading):
                turn = self.conversation.turns[self.index]
                self.lose(SYSTEM_TOP_LEVEL, f"messages[{self.index}].role", turn.role_name,
                          "system")
                self.write_system_text(turn)
        self.index = -1
        if self.instruction is not None and self.trait("system_prompt") is not False:
            self.out.item()
            self.out.literal(b'{"text":')
            self.out.string(self.instruction)
            self.out.byte(b"}")
            self.instruction = None
        if self.out.just_opened():
            self.out.size = mark
            return 0
        return self.out.byte(b"]")

    cdef int write_system_text(self, Turn turn) except -1:
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

    # Messages: all between two of the model's are one message of the user.

    cdef int write_messages(self) except -1:
        cdef list turns = self.conversation.turns
        cdef Py_ssize_t at = 0 if self.is_alone else self.leading
        cdef Py_ssize_t end
        cdef bint is_models
        while at < self.end:
            is_models = (<Turn>turns[at]).role == ASSISTANT
            end = at + 1
            while end < self.end and ((<Turn>turns[end]).role == ASSISTANT) == is_models:
                end += 1
            if is_models:
                self.write_models_message(at, end)
            else:
                self.write_users_message(at, end)
            at = end
        self.index = -1
        if self.instruction is not None:    # there is no message of the user to put it in
            self.begin_message(b"user")
            self.write_block_text(self.instruction)
            self.out.literal(b"]}")
        if not self.has_content:
            self.lose(MESSAGES_BLANK, f"messages[{0 if self.is_alone else self.leading}]")
            if self.out.just_opened():
                self.begin_message(b"user")
                self.write_block_text(STAND_IN)
                self.out.literal(b"]}")
        return 0

    cdef int begin_message(self, bytes role) except -1:
        self.has_document = self.has_text = False
        self.out.item()
        self.out.literal(b'{"role":"')
        self.out.literal(role)
        return self.out.literal(b'","content":[')

    cdef int write_block_text(self, str text) except -1:
        self.out.item()
        self.out.literal(b'{"text":')
        self.out.string(text)
        return self.out.byte(b"}")

    cdef int end_message(self, Py_ssize_t start, Py_ssize_t mark, bint is_last) except -1:
        """End the message that began at *mark*: one without content gets a placeholder.

        The roles alternate, so only the last message may be left out.
        """
        if self.has_document and not self.has_text:
            self.lose(DOCUMENT_TEXT, f"messages[{start}]", None, BESIDE_DOCUMENT)
            self.write_block_text(BESIDE_DOCUMENT)
        if not self.out.just_opened():
            self.has_content = True
        elif is_last:
            self.out.size = mark
            return 0
        else:
            self.lose(CONTENT_STAND_IN, f"messages[{start}]", None, STAND_IN)
            self.write_block_text(STAND_IN)
        return self.out.literal(b"]}")

    cdef int write_users_message(self, Py_ssize_t start, Py_ssize_t end) except -1:
        """Write the messages turns[start:end]: tool results first, then the other content."""
        cdef list turns = self.conversation.turns
        cdef list results = []
        cdef Py_ssize_t mark = self.out.size
        cdef Py_ssize_t at
        cdef bint has_others = False
        cdef Turn turn
        for at in range(start, end):
            turn = turns[at]
            if turn.role == TOOL:
                if has_others:
                    self.lose(TOOL_RESULT_LATE, f"messages[{at}]")
                results.append(at)
            elif turn.role == FUNCTION:
                self.lose(FUNCTIONS, f"messages[{at}]")
            else:
                has_others = True
        self.begin_message(b"user")
        if results or self.waiting_calls is not None:
            self.write_results(results)
            has_others = has_others or self.instruction is not None
            if (has_others or self.moved is not None) and self.trait("results_alone") is True:
                self.lose(TOOL_RESULT_ALONE, f"messages[{start}]")
                self.end_message(start, mark, False)
                mark = self.out.size
                self.begin_message(b"user")
        if has_others or self.moved is not None:
            self.write_users_content(start, end, bool(results))
        return self.end_message(start, mark, end == self.end and self.has_content)

    cdef int write_users_content(self, Py_ssize_t start, Py_ssize_t end,
                                 bint is_merged) except -1:
        """Write the user's messages in turns[start:end], after media of tool results."""
        cdef Turn turn
        cdef Part part
        if self.instruction is not None:    # of a model without system text
            self.write_block_text(self.instruction)
            self.instruction = None
        for index, place, moved in self.moved or ():
            self.index = index
            part = moved
            self.write_medium(part, content_field(place))
        self.moved = None
        for self.index in range(start, end):
            turn = self.conversation.turns[self.index]
            if turn.role == TOOL or turn.role == FUNCTION:
                continue
            if is_merged and not is_blank(turn):
                self.lose(TURNS_MERGED, f"messages[{self.index}].role")
            is_merged = True
            self.report_role(turn)
            self.write_content(turn)
        return 0

    cdef int report_role(self, Turn turn) except -1:
        """Report a role that becomes the user's."""
        cdef str path
        if turn.role != OTHER and turn.role != SYSTEM and turn.role != DEVELOPER:
            return 0
        path = f"messages[{self.index}].role"
        if turn.role == OTHER:
            return self.lose(ROLE_UNKNOWN, path, turn.role_name, "user")
        return self.lose(
            SYSTEM_ALONE if self.is_alone else SYSTEM_LATER, path, turn.role_name, "user"
        )

    cdef int write_content(self, Turn turn) except -1:
        """Write the blocks of a message's content."""
        cdef Part part
        cdef Py_ssize_t place = 0
        cdef Py_ssize_t mark = self.out.size
        self.lose_details(turn)
        if turn.text is not None:
            self.write_text(self.last_text(turn.text, "content"), None, "content")
        for part in turn.parts or ():
            self.write_part(part, content_field(place))
            place += 1
        return self.write_message_cache(turn, mark)

    # Parts.

    cdef str last_text(self, str text, str name_of_field):
        """Return a text, that of a message at the end without trailing space, which is refused."""
        cdef str stripped
        if self.index != self.prefill or is_blank_text(text):
            return text
        stripped = text.rstrip()
        if stripped == text:
            return text
        self.lose(ASSISTANT_TRAILING_SPACE, f"messages[{self.index}].{name_of_field}")
        return stripped

    cdef int write_text(self, str text, dict extra, str name_of_field) except -1:
        self.field = name_of_field
        if is_blank_text(text):
            return self.lose(TEXT_BLANK, f"messages[{self.index}].{name_of_field}", text)
        self.is_cached = False
        self.has_text = True
        self.write_block_text(text)
        return self.end_block(extra, name_of_field)

    cdef int end_block(self, dict extra, str name_of_field) except -1:
        """Write a cache point after a block that asks for it; report its other keys."""
        cdef str path
        self.is_cached = False
        if extra is None:
            return 0
        path = f"messages[{self.index}].{name_of_field}.cache_control"
        if not self.is_in_result:
            self.is_cached = self.write_cache(extra.get("cache_control"), path, False)
        elif extra.get("cache_control") is not None:
            if self.result_cache is not None:
                self.lose(CACHE_CONTROL_TWICE, self.result_cache[1])
            self.result_cache = (extra["cache_control"], path)
        return self.lose_keys(extra, PART_UNKNOWN_KEY, name_of_field)

    cdef int write_part(self, Part part, str name_of_field) except -1:
        cdef Turn turn
        if part.kind == TEXT:
            text = part.text
            turn = self.conversation.turns[self.index]
            if self.index == self.prefill and part is turn.parts[-1]:
                text = self.last_text(text, name_of_field)
            return self.write_text(text, part.extra, name_of_field)
        if part.kind == REFUSAL:
            self.lose(ASSISTANT_REFUSAL, f"messages[{self.index}].{name_of_field}")
            return self.write_text(part.text, part.extra, name_of_field)
        return self.write_medium(part, name_of_field)

    cdef int write_medium(self, Part part, str name_of_field) except -1:
        cdef Medium medium = medium_of(self, part)
        cdef str path = f"messages[{self.index}].{name_of_field}"
        self.field = name_of_field
        if medium.uri is not None and part.kind == IMAGE and not medium.uri.startswith(
            ("https://", "http://", "s3://", "gs://")
        ):
            raise self.malformed(
                f"{name_of_field}.image_url.url", "must be an http(s) URL or a data URI"
            )
        if medium.row is not None:
            return self.lose(medium.row, path, medium.labelled)
        self.out.item()
        self.out.literal(b'{"')
        self.out.literal(medium.kind.encode())
        self.out.literal(b'":{"format":"')
        self.out.literal(medium.format.encode())
        self.out.byte(b'"')
        if medium.kind == "document":
            self.has_document = True
            self.write_document_name(part, medium, path)
        if medium.uri is not None:
            self.out.literal(b',"source":{"s3Location":{"uri":')
            self.out.string(medium.uri)
            self.out.literal(b"}}}}")
        else:
            self.report_type(part, medium, path)
            self.out.literal(b',"source":{"bytes":')
            self.out.plain_tail(part.text, part.start)
            self.out.literal(b"}}}")
        self.report_medium_details(part, medium, path)
        return self.end_block(part.extra, name_of_field)

    cdef int write_document_name(self, Part part, Medium medium, str path) except -1:
        cdef str given = part.detail if part.kind == FILE else None
        cdef str made = document_name(given, self.document_names)
        self.document_names.add(made)
        if given is None:
            self.lose(FILE_NAME, path, None, made)
        elif made != given:
            self.lose(DOCUMENT_NAME, f"{path}.file.filename", given, made)
        self.out.key(b"name")
        return self.out.string(made)

    cdef int report_type(self, Part part, Medium medium, str path) except -1:
        """Report data whose type is another than its label says."""
        if medium.is_text:
            return self.lose(FILE_TEXT, path, medium.labelled, "text/plain")
        if medium.media is not None and medium.media != medium.labelled and not (
            medium.labelled == "image/jpg" and medium.media == "image/jpeg"
        ):
            return self.lose(MEDIA_TYPE_CORRECTED, path, medium.labelled, medium.media)
        return 0

    cdef int report_medium_details(self, Part part, Medium medium, str path) except -1:
        """Report what a part says beside its data and has no counterpart."""
        cdef str name_of_field = path.partition(".")[2]
        if part.kind == IMAGE:
            if part.detail is not None and part.detail != "auto":
                self.lose(IMAGE_DETAIL, f"{path}.image_url.detail", part.detail)
            name_of_field += ".image_url"
        elif part.kind == FILE:
            if part.file_id is not None and part.text is not None:
                self.lose(FILE_ID_BESIDE_DATA, f"{path}.file.file_id", part.file_id)
            if part.detail is not None and medium.kind != "document":
                self.lose(PART_UNKNOWN_KEY, f"{path}.file.filename", part.detail)
            name_of_field += ".file"
        else:
            name_of_field += ".input_audio"
        return self.lose_keys(part.media_extra, PART_UNKNOWN_KEY, name_of_field)

    # The model's messages.

    cdef int write_models_message(self, Py_ssize_t start, Py_ssize_t end) except -1:
        cdef Turn turn
        cdef Py_ssize_t mark = self.out.size
        self.waiting_calls = None
        self.begin_message(b"assistant")
        for self.index in range(start, end):
            turn = self.conversation.turns[self.index]
            if self.index > start and not is_blank(turn):
                self.lose(TURNS_MERGED, f"messages[{self.index}].role")
            if turn.more is None:
                self.write_content(turn)
            else:
                self.write_answer(turn)
        return self.end_message(start, mark, end == self.end)

    cdef int write_answer(self, Turn turn) except -1:
        """Write a message of the model that has more than content."""
        cdef Details more = turn.more
        cdef Part part
        cdef Py_ssize_t place = 0
        cdef Py_ssize_t mark
        self.lose_details(turn)
        if more.calls is not None:
            self.begin_calls()
        if more.native is not None and self.write_native(turn):
            return 0
        self.write_reasoning(more)
        mark = self.out.size    # no cache point directly after reasoning
        if turn.text is not None and turn.text:
            self.write_text(self.last_text(turn.text, "content"), None, "content")
        for part in turn.parts or ():
            self.write_part(part, content_field(place))
            place += 1
        self.write_refusal(more)
        for place in range(0 if more.calls is None else len(more.calls)):
            self.write_call(more.calls[place], place, None)
        return self.write_message_cache(turn, mark)

    cdef int write_refusal(self, Details more) except -1:
        if more.refusal is not None:
            self.lose(ASSISTANT_REFUSAL, f"messages[{self.index}].refusal")
            self.write_text(more.refusal, None, "refusal")
        return 0

    # Reasoning.

    cdef str reasoning_refusal(self, object block):
        """Return the loss row of a reasoning block that the model does not accept, else None."""
        if block.model is None or model_of_profile(block.model) != model_of_profile(self.model):
            return REASONING_FOREIGN
        if block.type == "thinking" and block.signature is not None:
            return None
        if block.type == "redacted_thinking" and block.data is not None:
            return None
        return REASONING_UNSIGNED

    cdef int write_reasoning(self, Details more) except -1:
        """Write the reasoning blocks that the model accepts; report the others.

        Those of another provider's record are never accepted.
        """
        cdef Py_ssize_t place = 0
        cdef bint is_taken = more.native is None or self.is_from_target(more.native)
        cdef str row
        for block in more.reasoning_details or ():
            row = self.reasoning_refusal(block)
            if row is None and not is_taken:
                row = REASONING_ENDPOINT
            if row is not None:
                self.lose(row, f"messages[{self.index}].reasoning_details[{place}]",
                          block.model if row == REASONING_FOREIGN else None)
            else:
                self.field = f"reasoning_details[{place}]"
                self.write_thought(block)
            place += 1
        return 0

    cdef int write_thought(self, object block) except -1:
        self.out.item()
        if block.type == "redacted_thinking":
            self.out.literal(b'{"reasoningContent":{"redactedContent":')
            self.out.string(block.data)
            return self.out.literal(b"}}")
        self.out.literal(b'{"reasoningContent":{"reasoningText":{"text":')
        self.out.string(block.text or "")
        self.out.key(b"signature")
        self.out.string(block.signature)
        return self.out.literal(b"}}}")

    # Answers as the provider wrote them.

    cdef bint write_native(self, Turn turn) except -1:
        """Write the blocks of an answer as they came, with the caller's edits.

        Return `False` if nothing is written: the blocks are another dialect's, or no longer map to
        the content.
        """
        cdef Details more = turn.more
        cdef object native = more.native
        cdef bint is_own
        cdef list contents
        cdef list left
        cdef Py_ssize_t texts = 0
        cdef Py_ssize_t thoughts = 0
        cdef Py_ssize_t place = 0
        cdef Py_ssize_t mark = self.out.size
        if native.dialect != DIALECT:
            self.report_native(native)
            return False
        is_own = self.is_from_target(native)
        contents = contents_of_blocks(turn, native)
        if contents is None:
            if has_own_order(native):
                self.lose(NATIVE_ORDER, f"messages[{self.index}].native")
            return False
        left = list(range(0 if more.calls is None else len(more.calls)))
        for block in native.blocks:
            if block.kind == "reasoning":
                self.write_native_thought(more, block, thoughts, is_own)
                thoughts += 1
                mark = self.out.size
            elif block.kind == "text":
                self.write_native_text(turn, block, contents[texts], place, is_own)
                texts += 1
            elif block.kind == "call":
                self.write_native_call(more, block, left, is_own)
            elif is_own:
                self.write_raw(block.raw)
                mark = self.out.size
            else:
                self.lose(NATIVE_FOREIGN, f"messages[{self.index}].native.blocks[{place}]")
            place += 1
        self.write_refusal(more)
        for place in left:
            self.write_call(more.calls[place], place, None)
        self.write_message_cache(turn, mark)
        return True

    cdef int write_raw(self, bytes raw) except -1:
        """Write a block of a record."""
        self.is_cached = False
        self.out.item()
        return self.out.literal(raw)

    cdef int write_native_thought(self, Details more, object block, Py_ssize_t place,
                                  bint is_own) except -1:
        """Write the reasoning block at *place* among an answer's, if it is unchanged and accepted.

        One without a signature goes back to the model that wrote it.
        """
        cdef Py_ssize_t at = place
        cdef str row
        if more.kept is not None:
            if not more.kept[place]:
                return 0    # reported where the messages were read
            at = more.kept[:place].count(True)
        thought = more.reasoning_details[at]
        row = self.reasoning_refusal(thought)
        if row == REASONING_UNSIGNED and is_own:
            row = None
        elif row is None and not is_own:
            row = REASONING_ENDPOINT
        if row is not None:
            return self.lose(row, f"messages[{self.index}].reasoning_details[{at}]",
                             thought.model if row == REASONING_FOREIGN else None)
        return self.write_raw(block.raw)

    cdef int write_native_text(self, Turn turn, object block, object content, Py_ssize_t place,
                               bint is_own) except -1:
        """Write the current content of a text block: as it came, if the text is unchanged."""
        cdef str text = None
        cdef Part part
        cdef dict extra = None
        cdef str name_of_field = "content"
        if type(content) is str:
            text = content
        elif len(<list>content) == 1:
            part = turn.parts[content[0]]
            name_of_field = content_field(content[0])
            if part.kind == TEXT:
                text = part.text
                extra = part.extra
        if text is not None and text == block.values[0] and is_own and not is_blank_text(text):
            if self.index != self.prefill or not text[-1].isspace():
                self.has_text = True
                self.write_raw(block.raw)
                return self.end_block(extra, name_of_field)
        if block.values[1] and not is_own:
            self.lose(NATIVE_FOREIGN, f"messages[{self.index}].native.blocks[{place}]")
        if type(content) is not str:
            for at in content:
                self.write_part(turn.parts[at], content_field(at))
        elif not is_blank_text(content):
            self.write_text(self.last_text(content, "content"), None, "content")
        return 0

    cdef int write_native_call(self, Details more, object block, list left,
                               bint is_own) except -1:
        """Write the call of a block as it is now; one that the caller removed is not written."""
        cdef Call call
        cdef Py_ssize_t place
        for place in left:
            call = more.calls[place]
            if not call.custom and call.id == block.values[0]:
                left.remove(place)
                return self.write_call(call, place, block if is_own else None)
        return 0

    # Calls and results.

    cdef str accepted_name(self, str given):
        """Return the name of a tool, or its replacement: the same in specs, history and choice."""
        return given if is_name(given, LONGEST_NAME) else self.short_name(given)

    cdef int write_call(self, Call call, Py_ssize_t place, object block) except -1:
        """Write a call: as the provider wrote it in *block*, if that is given and is the same."""
        cdef str kind = "custom" if call.custom else "function"
        cdef str name
        cdef OpenCall found = OpenCall.__new__(OpenCall)
        self.field = call_field(place)
        found.given = call.id
        found.path = f"messages[{self.index}].{self.field}"
        accepted = call.id if CALL_ID.fullmatch(call.id) else renamed(call.id, RENAMED_ID)
        found.written, found.row = self.call_ids.opened(call.id, accepted, TOOL_CALL_ID)
        if found.written != call.id:
            self.lose(found.row, f"{found.path}.id", call.id, found.written)
        else:
            found.row = None
        if self.waiting_calls is None:
            self.waiting_calls = []
        self.waiting_calls.append(found)
        name = self.accepted_name(call.name)
        if name is not call.name:
            self.lose(TOOL_CALL_NAME, f"{found.path}.{kind}.name", call.name, name)
        if (
            block is not None and block.values[:2] == (found.written, name)
            and is_same_json(block.values[2], call.text) and call.body_extra is None
        ):
            self.write_raw(block.raw)
            return self.end_block(call.extra, self.field)
        self.out.item()
        self.out.literal(b'{"toolUse":{"toolUseId":')
        self.out.string(found.written)
        self.out.key(b"name")
        self.out.string(name)
        self.out.key(b"input")
        if call.custom:
            self.lose(TOOL_CUSTOM_CALL, f"{found.path}.custom.input")
            self.out.literal(b'{"input":')
            self.out.string(call.text)
            self.out.byte(b"}")
        else:
            self.write_arguments(call)
        if call.body_extra is not None:
            self.lose_keys(call.body_extra, PART_UNKNOWN_KEY, f"{self.field}.{kind}")
        self.out.literal(b"}}")
        return self.end_block(call.extra, self.field)

    cdef int write_results(self, list results) except -1:
        """Write the results of the calls before, in the order of the calls."""
        cdef OpenCall call
        cdef Turn turn
        cdef dict by_id = {}
        for at in results:
            turn = self.conversation.turns[at]
            by_id.setdefault(turn.more.tool_call_id, []).append(at)
        for call in self.waiting_calls or ():
            found = by_id.get(call.given)
            if found:
                self.index = found.pop(0)
                self.write_result(self.conversation.turns[self.index], call)
            else:
                self.lose(TOOL_RESULT_MISSING, call.path)
                self.begin_result(call)
                self.out.literal(b'{"text":"no result"}],"status":"error"}}')
        for rest in by_id.values():
            for at in rest:
                self.lose(TOOL_RESULT_TWICE, f"messages[{at}]")
        self.waiting_calls = None
        return 0

    cdef int begin_result(self, OpenCall call) except -1:
        self.is_cached = False
        self.out.item()
        self.out.literal(b'{"toolResult":{"toolUseId":')
        self.out.string(call.written)
        return self.out.literal(b',"content":[')

    cdef int write_result(self, Turn turn, OpenCall call) except -1:
        """Write a tool message as a block."""
        cdef Part part
        cdef Py_ssize_t place = 0
        cdef bint takes_media = self.trait("media_in_tool_results") is not False
        cdef bint has_text = self.has_text
        cdef bint has_document = self.has_document
        self.lose_details(turn)
        if call.row is not None:
            self.lose(call.row, f"messages[{self.index}].tool_call_id", call.given, call.written)
        self.begin_result(call)
        self.is_in_result = True
        self.result_cache = None
        if turn.text is not None and not is_blank_text(turn.text):
            self.field = "content"
            self.write_block_text(turn.text)
        for part in turn.parts or ():
            if part.kind == TEXT or part.kind == REFUSAL or takes_media:
                self.write_part(part, content_field(place))
            else:
                self.lose(MEDIA_MOVED, f"messages[{self.index}].{content_field(place)}")
                if self.moved is None:
                    self.moved = []
                self.moved.append((self.index, place, part))
            place += 1
        if self.out.just_opened():
            self.lose(CONTENT_STAND_IN, f"messages[{self.index}].content", turn.text, STAND_IN)
            self.write_block_text(STAND_IN)
        self.has_text, self.has_document = has_text, has_document
        self.is_in_result = False
        self.out.literal(b"]}}")
        return self.end_result(turn)

    cdef int end_result(self, Turn turn) except -1:
        """Write the cache point that a tool message, or a part of it, asks for."""
        cdef dict extra = None if turn.more is None else turn.more.extra
        cdef str path = f"messages[{self.index}].cache_control"
        if extra is not None and extra.get("cache_control") is not None:
            if self.result_cache is None:
                self.result_cache = (extra["cache_control"], path)
            else:
                self.lose(CACHE_CONTROL_TWICE, path)
        if self.result_cache is not None:
            self.write_cache(self.result_cache[0], self.result_cache[1], False)
        return 0

    # Cache points.

    cdef bint write_cache(self, object value, str path, bint of_tool) except -1:
        """Write the cache point for a `cache_control`; return whether there is one."""
        cdef Py_ssize_t start = self.out.size
        cdef object ttls = self.trait("cache_ttls")
        cdef str ttl
        if value is None:
            return False
        if not isinstance(value, dict) or value.get("type") != "ephemeral" or (
            value.get("ttl") not in (None, "5m", "1h")
        ):
            self.lose_cache(CACHE_CONTROL_UNKNOWN, path, value, of_tool)
            return False
        if ttls is not None and not ttls:
            self.lose_cache(CACHE_CONTROL_MODEL, path, value, of_tool)
            return False
        ttl = value.get("ttl")
        if ttl == "1h" and ttls is not None and "1h" not in ttls:
            self.lose_cache(CACHE_CONTROL_MODEL, f"{path}.ttl", "1h", of_tool)
            ttl = None
        self.lose_cache(CACHE_CONTROL_POINT, path, value, of_tool)
        self.out.literal(b',{"cachePoint":{"type":"default"')
        if ttl is not None:
            self.out.literal(b',"ttl":"1h"' if ttl == "1h" else b',"ttl":"5m"')
        self.out.literal(b"}}")
        if self.cache_marks is None:
            self.cache_marks = CacheMarks()
        self.cache_marks.add(
            start, self.out.size, path, value if ttl == value.get("ttl") else {}, of_tool
        )
        return True

    cdef int lose_cache(self, str row, str path, object value, bint of_tool) except -1:
        if of_tool:
            return self.lose_tool(row, path, value)
        return self.lose(row, path, value)

    cdef int write_message_cache(self, Turn turn, Py_ssize_t start) except -1:
        """Write a message's own cache point after the last block written since *start*."""
        cdef dict extra = None if turn.more is None else turn.more.extra
        cdef str path = f"messages[{self.index}].cache_control"
        if extra is None or extra.get("cache_control") is None:
            return 0
        if self.out.size == start:
            return self.lose(CACHE_CONTROL_BLANK, path)
        if self.is_cached:
            return self.lose(CACHE_CONTROL_TWICE, path)
        self.field = "cache_control"
        self.write_cache(extra["cache_control"], path, False)
        return 0

    # Parameters.

    cdef int put(self, bytes key, str name, object value) except -1:
        """Write a member of the JSON object that is open; *name* is that of the parameter."""
        self.field = name
        self.out.key(key)
        return self.out.value(value, 0)

    cdef int report_dropped(self) except -1:
        """Report the parameters without a counterpart, and the unknown ones."""
        for name, value in self.params.items():
            self.field = name
            dropped = self.parameters.get(name, UNKNOWN)
            if dropped is not None:
                row, neutral = dropped
                if value != neutral:
                    self.lose(row, name, value)
        modalities = self.params.get("modalities")
        if modalities is not None and "audio" in modalities:
            self.lose(AUDIO_OUTPUT, "modalities", modalities)
        options = self.params.get("stream_options")
        if isinstance(options, dict):
            for name, value in options.items():
                if name != "include_usage" and value is not None:  # usage is always sent
                    self.lose(STREAM_OPTIONS, f"stream_options.{name}", value)
        return 0

    cdef int check_unwritten(self) except -1:
        """Check the parameters that are not written whole, unless a loss holds their value."""
        if self.answer_schema is None and "response_format" in self.params:
            self.check("response_format", self.params["response_format"])
        if "tool_choice" in self.params:
            self.check("tool_choice", self.params["tool_choice"])
        if self.has_changed_tools and "tools" in self.params:
            self.check("tools", self.params["tools"])
        return 0

    cdef int write_config(self) except -1:
        cdef Py_ssize_t mark = self.out.size
        self.out.literal(b',"inferenceConfig":{')
        if self.max_tokens is not None:
            self.put(b"maxTokens", self.max_tokens_name, self.max_tokens)
        self.write_sampling()
        self.write_stop()
        if self.out.just_opened():
            self.out.size = mark
            return 0
        return self.out.byte(b"}")

    cdef int write_sampling(self) except -1:
        cdef object temperature = self.params.get("temperature")
        cdef object top_p = self.params.get("top_p")
        cdef str row = None
        if self.trait("sampling") is False:
            row = SAMPLING_UNSUPPORTED
        elif self.thinks and self.trait("sampling_while_reasoning") is False:
            row = SAMPLING_THINKING
        if row is not None:
            for name, value in (("temperature", temperature), ("top_p", top_p)):
                if value is not None and value != 1:
                    self.lose(row, name, value)
            return 0
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
            self.put(b"temperature", "temperature", temperature)
        return 0 if top_p is None else self.put(b"topP", "top_p", top_p)

    cdef int write_stop(self) except -1:
        cdef object stop = self.params.get("stop")
        cdef object most = self.trait("max_stops")
        cdef bint is_single = isinstance(stop, str)
        cdef list kept = []
        if stop is None:
            return 0
        if self.trait("stop") is False:
            return self.lose(STOP_UNSUPPORTED, "stop", stop)
        for place, text in enumerate([stop] if is_single else stop):
            path = "stop" if is_single else f"stop[{place}]"
            if is_blank_text(text):
                self.lose(STOP_BLANK, path, text)
            elif most is not None and len(kept) >= most:
                self.lose(STOP_MODEL_MOST, path, text)
            else:
                kept.append(text)
        return self.put(b"stopSequences", "stop", kept) if kept else 0

    # Tools.

    cdef int write_tool_config(self) except -1:
        cdef object tools = self.params.get("tools")
        cdef Py_ssize_t mark = self.out.size
        cdef set allowed = None
        self.choice = self.params.get("tool_choice")
        self.out.literal(b',"toolConfig":{"tools":[')
        if tools:
            self.field = "tools"
            if self.lacks("tool_use") and self.lacks("function_calling"):
                self.lose_tool(TOOLS_UNSUPPORTED, "tools")
            allowed = self.allowed_tools()
            if self.choice == "none" and not self.has_tool_blocks:
                self.lose_tool(TOOLS_WITHHELD, "tools")
            else:
                for place, tool in enumerate(tools):
                    self.write_tool(tool, f"tools[{place}]", allowed)
                self.declares_tools = not self.out.just_opened()
        if self.answer_tool is not None:
            self.write_answer_tool()
        elif not self.declares_tools and self.has_tool_blocks:
            self.write_called_tools()
        self.write_web_search()
        if self.out.just_opened():
            self.out.size = mark
        else:
            self.out.byte(b"]")
            if self.declares_tools:
                self.write_tool_choice()
            elif self.answer_tool is not None:
                self.write_answer_choice()
            self.out.byte(b"}")
        if not self.declares_tools and self.choice is not None and (
            self.choice != "none" and self.choice != "auto"
        ):
            self.lose_tool(TOOL_CHOICE_WITHOUT_TOOLS, "tool_choice", self.choice)
        return 0

    cdef int write_web_search(self) except -1:
        """Write the tool of the service's own that searches the web."""
        cdef object wanted = self.params.get("web_search_options")
        if wanted is None:
            return 0
        if self.trait("web_search") is not True:
            return self.lose(WEB_SEARCH_MODEL, "web_search_options", wanted)
        self.lose(WEB_SEARCH_GROUNDING, "web_search_options", wanted)
        self.out.item()
        return self.out.literal(b'{"systemTool":{"name":"nova_grounding"}}')

    cdef set allowed_tools(self):
        """Return the names that a choice of `allowed_tools` leaves, None for all.

        The choice becomes its mode.
        """
        cdef object given
        cdef set names = set()
        if not isinstance(self.choice, dict) or self.choice.get("type") != "allowed_tools":
            return None
        given = self.choice.get("allowed_tools")
        if not isinstance(given, dict) or not isinstance(given.get("tools"), list):
            raise MessageFormatError(
                "tool_choice.allowed_tools: must be a dict with mode and tools",
                field="tool_choice.allowed_tools",
            )
        for tool in given["tools"]:
            function = tool.get("function") if isinstance(tool, dict) else None
            if isinstance(function, dict) and isinstance(function.get("name"), str):
                names.add(exact(function["name"]))
        self.lose_tool(TOOL_CHOICE_ALLOWED, "tool_choice.allowed_tools", sorted(names))
        self.choice = "required" if given.get("mode") == "required" else "auto"
        return names

    cdef int write_tool(self, object tool, str path, set allowed) except -1:
        """Declare a function; *allowed* has the names of those that are sent, None for all."""
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
        self.out.item()
        self.out.literal(b'{"toolSpec":{"name":')
        self.out.string(made)
        description = function.get("description")
        if description is not None:
            if isinstance(description, str) and is_blank_text(description):
                self.lose_tool(TEXT_BLANK, f"{path}.function.description", description)
            else:
                self.out.key(b"description")
                self.out.value(description, 0)
        self.write_input_schema(function, f"{path}.function")
        self.out.literal(b"}}")
        self.write_cache(tool.get("cache_control"), f"{path}.cache_control", True)
        for name in function:
            if name not in ("name", "description", "parameters", "strict"):
                self.lose_tool(PARAM_UNKNOWN, f"{path}.function.{name}", function[name])
        for name, value in tool.items():
            if name not in ("type", "function", "cache_control"):
                self.lose_tool(PARAM_UNKNOWN, f"{path}.{name}", value)
        return 0

    cdef int write_input_schema(self, dict function, str path) except -1:
        """Write the schema of a function's input, and `strict` where the model enforces it."""
        cdef object given = function.get("parameters")
        cdef object schema = tool_input_schema(self, given, f"{path}.parameters")
        cdef bint is_strict = function.get("strict") is True
        if schema is not given:
            self.has_changed_tools = True
        if is_strict and self.trait("strict_tools") is not True:
            self.lose_tool(TOOL_STRICT, f"{path}.strict", True)
            is_strict = False
        if is_strict and not isinstance(schema, msgspec.Raw):
            form, closed, moved = anthropic_form(schema, f"{path}.parameters")
            if form is None:
                self.lose_tool(TOOL_STRICT_SCHEMA, f"{path}.strict", True, False)
                is_strict = False
            elif self.strict_tools == MAX_STRICT_TOOLS:
                self.lose_tool(TOOL_STRICT_LIMIT, f"{path}.strict", True, False)
                is_strict = False
            else:
                self.strict_tools += 1
                schema = form
                if closed:
                    self.lose_tool(TOOL_HINT, f"{path}.parameters", None, False)
                for place, name, value, hint in moved:
                    self.lose_tool(TOOL_HINT, place, value, hint)
        self.out.literal(b',"inputSchema":{"json":')
        self.out.value(schema, 0)
        self.out.byte(b"}")
        return self.out.literal(b',"strict":true') if is_strict else 0

    cdef int write_answer_tool(self) except -1:
        """Write the forced tool that emulates structured output; its input is the answer."""
        cdef object description = self.asked_format().get("description")
        self.field = "response_format"
        self.out.item()
        self.out.literal(b'{"toolSpec":{"name":')
        self.out.string(self.answer_tool)
        self.out.key(b"description")
        self.out.value(description or "Give the answer in this form.", 0)
        self.out.literal(b',"inputSchema":{"json":')
        self.out.value(answer_tool_schema(self.asked_schema()), 0)
        return self.out.literal(b"}}}")

    cdef int write_answer_choice(self) except -1:
        cdef object choices = self.trait("tool_choices")
        if choices is not None and "tool" not in choices:
            return self.out.literal(b',"toolChoice":{"any":{}}')
        self.out.literal(b',"toolChoice":{"tool":{"name":')
        self.out.string(self.answer_tool)
        return self.out.literal(b"}}")

    cdef int write_called_tools(self) except -1:
        """Declare the tools that the history calls, which the API requires."""
        cdef Turn turn
        cdef Call call
        cdef dict names = {}
        for turn in self.conversation.turns[:self.end]:
            if turn.more is not None and turn.more.calls is not None:
                for call in turn.more.calls:
                    names[self.accepted_name(call.name)] = None
        if not names:
            return 0
        self.lose_tool(TOOLS_DECLARED, "tools", None, list(names))
        for name in names:
            self.out.item()
            self.out.literal(b'{"toolSpec":{"name":')
            self.out.string(name)
            self.out.literal(b',"inputSchema":{"json":{"type":"object"}}}}')
        return 0

    cdef int write_tool_choice(self) except -1:
        """Write the choice of a tool, where the model takes one."""
        cdef object wanted = self.choice
        cdef object choices = self.trait("tool_choices")
        cdef str name = None
        cdef str kind
        if wanted is None or wanted == "none":
            self.choice = None
            return self.lose_tool(TOOL_CHOICE_NONE, "tool_choice", "none") if wanted else 0
        if wanted == "auto":
            kind = "auto"
        elif wanted == "required":
            kind = "any"
        elif isinstance(wanted, dict) and isinstance(wanted.get("function"), dict):
            given = wanted["function"].get("name")
            if not isinstance(given, str):
                raise MessageFormatError(
                    "tool_choice.function.name: must be the name of a tool",
                    field="tool_choice.function.name",
                )
            given = exact(given)
            name = self.accepted_name(given)
            if name is not given:
                self.lose_tool(TOOL_NAME, "tool_choice", given, name)
            kind = "tool"
        else:
            self.choice = None
            return self.lose_tool(TOOL_CHOICE_UNKNOWN, "tool_choice", wanted)
        if kind != "auto" and (
            self.trait("forced_tool_choice") is False
            or (self.thinks and self.trait("thinking") in ("budget", "adaptive"))
        ):
            self.lose_tool(TOOL_CHOICE_THINKING, "tool_choice", wanted)
            kind = "auto"
        if choices is not None and kind not in choices:
            if kind != "auto":
                self.lose_tool(TOOL_CHOICE_MODEL, "tool_choice", wanted)
            self.choice = None
            return 0
        self.choice = {"type": kind} if kind != "tool" else {"type": kind, "name": name}
        self.field = "tool_choice"
        if kind == "tool":
            self.out.literal(b',"toolChoice":{"tool":{"name":')
            self.out.string(name)
            return self.out.literal(b"}}")
        return self.out.literal(
            b',"toolChoice":{"any":{}}' if kind == "any" else b',"toolChoice":{"auto":{}}'
        )

    # The form of the answer, and what differs by the model's family.

    cdef int write_output_config(self) except -1:
        """Write the schema of the answer, which is JSON in a text there."""
        cdef dict asked
        if self.answer_schema is None:
            return 0
        asked = self.asked_format()
        self.field = "response_format"
        self.out.literal(b',"outputConfig":{"textFormat":{"type":"json_schema","structure":'
                         b'{"jsonSchema":{"schema":')
        self.out.string(dumps(self.answer_schema).decode())
        for name in ("name", "description"):
            if asked.get(name) is not None:
                self.out.key(name.encode())
                self.out.value(asked[name], 0)
        for name, value in asked.items():
            if value is not None and name not in ("name", "description", "schema", "strict"):
                self.lose(PARAM_UNKNOWN, f"response_format.json_schema.{name}", value)
        return self.out.literal(b"}}}}")

    cdef int write_additional(self) except -1:
        """Write `additionalModelRequestFields`: thinking, and one call at a time."""
        cdef Py_ssize_t mark = self.out.size
        self.out.literal(b',"additionalModelRequestFields":{')
        self.write_thinking()
        self.write_parallel()
        if self.out.just_opened():
            self.out.size = mark
            return 0
        return self.out.byte(b"}")

    cdef int write_thinking(self) except -1:
        cdef object way = self.trait("thinking")
        if self.effort is None:
            return 0
        if way == "effort":
            self.out.key(b"reasoning_effort")
            return self.out.string(self.effort)
        if way == "reasoning_config":
            self.out.key(b"reasoningConfig")
            if self.effort == "none":
                return self.out.literal(b'{"type":"disabled"}')
            self.out.literal(b'{"type":"enabled","maxReasoningEffort":')
            self.out.string(self.effort)
            return self.out.byte(b"}")
        if way == "budget":
            self.out.key(b"thinking")
            self.out.literal(b'{"type":"enabled","budget_tokens":')
            self.out.value(thinking_budget(self.max_tokens, self.effort), 0)
            return self.out.byte(b"}")
        if self.effort == "none":
            self.out.key(b"thinking")
            return self.out.literal(b'{"type":"disabled"}')
        if way == "adaptive":
            self.out.key(b"thinking")
            self.out.literal(b'{"type":"adaptive"}')
        self.out.key(b"output_config")
        self.out.literal(b'{"effort":')
        self.out.string(self.effort)
        return self.out.byte(b"}")

    cdef int write_parallel(self) except -1:
        """Forbid parallel calls where the model takes that."""
        cdef dict choice
        if self.params.get("parallel_tool_calls") is not False or not self.declares_tools:
            return 0
        if self.trait("parallel_tool_calls") is False:
            return self.lose(PARALLEL_TOOL_CALLS_NEVER, "parallel_tool_calls", False)
        if self.trait("parallel_tool_switch") is not True:
            return self.lose(PARALLEL_TOOL_CALLS_MANY, "parallel_tool_calls", False)
        choice = {"type": "auto"} if self.choice is None else dict(self.choice)
        choice["disable_parallel_tool_use"] = True
        return self.put(b"tool_choice", "parallel_tool_calls", choice)

    # The rest.

    cdef int write_rest(self) except -1:
        cdef object tier = self.params.get("service_tier")
        cdef object metadata = self.params.get("metadata")
        cdef dict kept = {}
        if isinstance(metadata, dict):
            for name, value in metadata.items():
                if len(kept) < MAX_METADATA and is_metadata(name, value):
                    kept[name] = value
                else:
                    self.lose(METADATA_FORM, f"metadata.{name}", value)
            if kept:
                self.put(b"requestMetadata", "metadata", kept)
        if tier is None or tier == "auto":
            return 0
        if tier not in TIERS:
            return self.lose(SERVICE_TIER, "service_tier", tier)
        self.out.literal(b',"serviceTier":{"type":')
        self.out.string(tier)
        return self.out.byte(b"}")


cdef bint is_metadata(object name, object value) except -1:
    """Return whether request metadata takes a member of `metadata`."""
    return (
        isinstance(name, str) and isinstance(value, str)
        and METADATA_KEY.fullmatch(name) is not None
        and METADATA_VALUE.fullmatch(value) is not None
    )


cdef bint is_blank(Turn turn) except -1:
    """Return whether a message has nothing to be written."""
    return turn.more is None and turn.text is not None and is_blank_text(turn.text)


cdef list contents_of_blocks(Turn turn, object native):
    """Return the current content for each text block, `None` if blocks and content do not map.

    The content is a text ("" for a removed one), or the indexes of the content parts.
    """
    cdef list texts = [block.values[0] for block in native.blocks if block.kind == "text"]
    cdef list spoken = [place for place in range(len(texts)) if texts[place]]
    cdef list contents = [""] * len(texts)
    if turn.text is None and turn.parts is None:
        return contents
    if turn.parts is not None:
        if len(spoken) == 1:
            contents[spoken[0]] = list(range(len(turn.parts)))
        elif len(spoken) == len(turn.parts):
            for at, place in enumerate(spoken):
                contents[place] = [at]
        else:
            return None
        return contents
    if not spoken:
        return None if turn.text else contents
    for place, text in zip(spoken, split_text([texts[at] for at in spoken], turn.text)):
        contents[place] = text
    return contents


def encode_request(
    Conversation conversation not None, model, dict params not None, facts,
    dict parameters not None, target=None,
):
    """Return `(body, losses, answer_tool, tool_names)`; *facts* is the target's `Model` or None.

    *parameters* are `FieldTable.parameters()` of the dialect's canonical fields. *target* is the
    provider at its address, None if it is not known.
    """
    cdef ConverseEncoder encoder = ConverseEncoder(conversation, model, params, facts)
    encoder.parameters = parameters
    encoder.target = target
    return encoder.encode()
