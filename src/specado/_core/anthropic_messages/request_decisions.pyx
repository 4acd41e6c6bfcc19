"""Decisions of an Anthropic request that depend on several messages, parameters or facts.

They are made before the body is written. Rules from Anthropic's guides and anthropic 0.125.0
(2026-11-22).
"""

cimport cython

from specado._core.anthropic_messages.accepted_forms cimport media_refusal, reasoning_refusal
from specado._core.conversation cimport (
    ASSISTANT, DEVELOPER, FUNCTION, REFUSAL, SYSTEM, TEXT, TOOL, USER, Part, Turn,
)
from specado._core.encoder cimport Encoder, is_blank_text
from specado._core.tool_schemas cimport answer_tool_schema

from specado._core.anthropic_messages.loss_rows import (
    MAX_TOKENS_ABOVE_LIMIT, MAX_TOKENS_DEFAULT, MAX_TOKENS_TWICE, PARAM_UNKNOWN,
    REASONING_EFFORT_HISTORY, REASONING_EFFORT_LEVEL, REASONING_EFFORT_NONE,
    REASONING_EFFORT_NO_ROOM, REASONING_EFFORT_THINKING, REASONING_EFFORT_TOOLS,
    REASONING_EFFORT_UNSUPPORTED, RESPONSE_FORMAT_CLOSED, RESPONSE_FORMAT_CONFLICT,
    RESPONSE_FORMAT_DESCRIPTION, RESPONSE_FORMAT_JSON_OBJECT, RESPONSE_FORMAT_NAME,
    RESPONSE_FORMAT_STRICT, RESPONSE_FORMAT_TOOL, RESPONSE_FORMAT_UNSUPPORTED, SYSTEM_MOVED,
)
from specado._core.anthropic_messages.native import DIALECT
from specado._core.schema import anthropic_form, row_of_moved
from specado._core.emulation import EMULATION_TOOL
from specado._core.parameters import BUDGET_SHARES, MIN_THINKING_BUDGET, nearest_effort
from specado.errors import MessageFormatError

UNKNOWN_MODEL_MAX_TOKENS = 4096
# What Anthropic compiles for one request at most.
cdef enum:
    MAX_STRICT_TOOLS = 20
    MAX_OPTIONAL = 24
    MAX_UNIONS = 16
# Above this the API wants a stream: a reply may take longer than ten minutes (anthropic 0.125.0).
MAX_TOKENS_WITHOUT_STREAM = 21_333


@cython.final
cdef class RequestDecisions:
    """The decided facts of one request; `divide` comes first, then `decide`.

    It owns no memory of the conversation, which never changes. Belongs to one encoder; not for two
    threads at once.
    """

    cdef int divide(self, Encoder encoder) except -1:
        """Find the leading system messages, and the assistant messages at the end.

        An assistant message at the end is a prefill, the beginning of the answer; where the target
        refuses prefills, the message and all after it are left out (`end`).
        """
        cdef list turns = encoder.conversation.turns
        cdef Py_ssize_t count = len(turns)
        cdef bint is_refused = encoder.trait("assistant_prefill") is False
        cdef Py_ssize_t at
        cdef Turn turn
        self.leading = 0
        self.prefill = -1
        self.end = count
        for turn in turns:
            if turn.role != SYSTEM and turn.role != DEVELOPER:
                break
            self.leading += 1
        self.keeps_system = (
            self.leading < count and encoder.trait("mid_conversation_system") is True
        )
        for at in range(count - 1, self.leading - 1, -1):
            turn = turns[at]
            if self.is_blank(encoder, turn):
                continue
            if turn.role != ASSISTANT or (turn.more is not None and turn.more.calls is not None):
                break
            if not is_refused:
                self.prefill = at
                break
            self.end = at
        self.turns = turns[self.leading:self.end]
        if self.keeps_system:
            self._place_system_turns(encoder)
        return 0

    cdef int _place_system_turns(self, Encoder encoder) except -1:
        """Move later system messages to the places where the API takes them.

        A message without such a place becomes user text (`demoted`).
        """
        cdef Turn turn
        cdef list roles = []
        for turn in self.turns:
            if self.is_blank(encoder, turn):
                roles.append("")
            elif turn.role == SYSTEM or turn.role == DEVELOPER:
                roles.append("system")
            else:
                roles.append("assistant" if turn.role == ASSISTANT else "user")
        places, moved, demoted = system_places(roles)
        if demoted:
            self.demoted = [self.turns[at] for at in demoted]
        for at in moved:
            encoder.lose(SYSTEM_MOVED, f"messages[{self.leading + at}]")
        if places != list(range(len(places))):
            self.turns, self.places = [self.turns[at] for at in places], places
        return 0

    cdef Py_ssize_t place_of(self, Py_ssize_t at):
        """Return the place in the conversation of a message of `turns`."""
        return self.leading + (at if self.places is None else <Py_ssize_t>self.places[at])

    cdef int decide(self, Encoder encoder) except -1:
        """Decide max_tokens, thinking and the form of the answer; report the changes."""
        if not self.turns:
            self.keeps_system = False
        self._decide_max_tokens(encoder)
        self._decide_thinking(encoder)
        return self._decide_response_format(encoder)

    # Messages.

    cdef int written_role(self, Turn turn) except -1:
        """Return the role that a message is written with: USER, ASSISTANT or SYSTEM."""
        if turn.role == ASSISTANT:
            return ASSISTANT
        if self.keeps_system and (turn.role == SYSTEM or turn.role == DEVELOPER) and (
            self.demoted is None or turn not in self.demoted
        ):
            return SYSTEM
        return USER

    cdef bint is_blank(self, Encoder encoder, Turn turn) except -1:
        """Return whether a message has no content that the API accepts."""
        cdef Part part
        cdef bint has_media
        if turn.role == TOOL or turn.role == FUNCTION:
            return turn.role == FUNCTION
        has_media = self.written_role(turn) != SYSTEM
        if turn.more is not None and has_media and (
            turn.more.calls is not None
            or has_accepted_reasoning(turn.more.reasoning_details, encoder.model)
            or (turn.more.refusal is not None and not is_blank_text(turn.more.refusal))
            or (turn.more.native is not None and has_own_blocks(encoder, turn.more.native))
        ):
            return False
        if turn.text is not None:
            return is_blank_text(turn.text)
        for part in turn.parts or ():
            if part.kind == TEXT or (part.kind == REFUSAL and has_media):
                if not is_blank_text(part.text):
                    return False
            elif has_media and media_refusal(encoder, part) is None:
                return False
        return True

    # max_tokens.

    cdef int _decide_max_tokens(self, Encoder encoder) except -1:
        cdef object limit = None if encoder.facts is None else encoder.facts.max_output_tokens
        cdef dict params = encoder.params
        cdef object wanted = params.get("max_completion_tokens")
        cdef str name = "max_completion_tokens"
        if wanted is None:
            wanted = params.get("max_tokens")
            name = "max_tokens"
        elif params.get("max_tokens") is not None:
            encoder.lose(MAX_TOKENS_TWICE, "max_tokens", params["max_tokens"])
        if wanted is None:
            if limit is None:
                wanted = UNKNOWN_MODEL_MAX_TOKENS
            elif params.get("stream"):
                wanted = limit
            else:
                wanted = min(limit, MAX_TOKENS_WITHOUT_STREAM)
            encoder.lose(MAX_TOKENS_DEFAULT, "max_tokens", None, wanted)
        elif limit is not None and wanted > limit and not self.is_assumed:
            encoder.lose(MAX_TOKENS_ABOVE_LIMIT, name, wanted, limit)
            wanted = limit
        self.max_tokens = wanted
        return 0

    # Thinking.

    cdef int _decide_thinking(self, Encoder encoder) except -1:
        cdef object way = encoder.trait("thinking")
        cdef object effort = encoder.params.get("reasoning_effort")
        cdef object nearest
        self.thinks = way == "always"
        if effort is None:
            return 0
        if effort == "none":
            if way == "always":
                encoder.lose(REASONING_EFFORT_UNSUPPORTED, "reasoning_effort", effort)
            elif way != "adaptive":
                encoder.lose(REASONING_EFFORT_NONE, "reasoning_effort", effort)
            return 0
        if way is None or way == "none" or effort not in BUDGET_SHARES or (
            way != "budget" and encoder.trait("effort_parameter") is False
        ):
            return encoder.lose(REASONING_EFFORT_UNSUPPORTED, "reasoning_effort", effort)
        if encoder.params.get("tools") and encoder.trait("tools_while_reasoning") is False:
            return encoder.lose(REASONING_EFFORT_TOOLS, "reasoning_effort", effort)
        if way == "budget":
            if self.max_tokens <= MIN_THINKING_BUDGET:
                return encoder.lose(REASONING_EFFORT_NO_ROOM, "reasoning_effort", effort)
            if not self._may_begin_thinking(encoder):
                return encoder.lose(REASONING_EFFORT_HISTORY, "reasoning_effort", effort)
        else:
            levels = encoder.trait("reasoning_efforts") or ()
            nearest = nearest_effort(effort, [level for level in levels if level != "none"])
            if nearest is not None and nearest != effort:
                encoder.lose(REASONING_EFFORT_LEVEL, "reasoning_effort", effort, nearest)
                effort = nearest
        self.thinks = True
        self.effort = effort
        return encoder.lose(REASONING_EFFORT_THINKING, "reasoning_effort", effort, way)

    cdef bint _may_begin_thinking(self, Encoder encoder) except -1:
        """Return whether the request may think: it continues no answer that began without.

        A model with a thinking budget refuses to think in the continuation of an answer, after
        tool results or a prefill, that did not begin with thinking (Anthropic's "Extended
        thinking" guide, read 2026-11-22).
        """
        cdef Turn turn
        cdef bint answers = False      # whether the message before is an assistant's
        cdef bint continues = False    # whether the answer before waits for what tools return
        cdef bint thinks = True        # whether the answer that continues began with thinking
        for turn in self.turns:
            if self.is_blank(encoder, turn):
                continue
            if turn.role != ASSISTANT:
                continues = turn.role == TOOL or (continues and not answers)
                answers = False
            elif not answers:
                thinks = (continues and thinks) or (
                    turn.more is not None
                    and has_accepted_reasoning(turn.more.reasoning_details, encoder.model)
                )
                answers = True
        return thinks or not (continues or answers)

    cdef bint may_force_tool(self, Encoder encoder) except -1:
        """Return whether a call of a tool may be forced: not while the target thinks.

        A model that always thinks may allow it.
        """
        if self.thinks and encoder.trait("thinking") != "always":
            return False
        return encoder.trait("forced_tool_choice") is not False

    cdef bint has_room_for(self, object schema, bint of_tool) except -1:
        """Count a strict schema if the request's limits leave room for it; return whether they do.

        Anthropic compiles the strict schemas of a request together, that of the answer too
        ("Structured outputs" guide, read 2026-11-22).
        """
        optional, unions = compiled_parts(schema)
        if (
            self.optional + optional > MAX_OPTIONAL or self.unions + unions > MAX_UNIONS
            or self.strict_tools + of_tool > MAX_STRICT_TOOLS
        ):
            return False
        self.optional += optional
        self.unions += unions
        self.strict_tools += of_tool
        return True

    # The form of the answer.

    cdef int _decide_response_format(self, Encoder encoder) except -1:
        cdef object wanted = encoder.params.get("response_format")
        cdef object kind = wanted.get("type") if isinstance(wanted, dict) else None
        if kind == "json_object":
            self.instruction = "Answer with one JSON object and nothing else."
            encoder.lose(RESPONSE_FORMAT_JSON_OBJECT, "response_format", kind, self.instruction)
        elif kind == "json_schema":
            if self._decide_answer_schema(encoder):
                return 0
            if encoder.params.get("tools") or not self.may_force_tool(encoder):
                encoder.lose(RESPONSE_FORMAT_CONFLICT, "response_format", kind)
            elif answer_tool_schema(asked_schema(encoder)) is None:
                encoder.lose(RESPONSE_FORMAT_UNSUPPORTED, "response_format", kind)
            else:
                encoder.answer_tool = EMULATION_TOOL
                encoder.lose(RESPONSE_FORMAT_TOOL, "response_format", kind, EMULATION_TOOL)
        elif wanted is not None and kind != "text":
            encoder.lose(RESPONSE_FORMAT_UNSUPPORTED, "response_format", kind)
        return 0

    cdef bint _decide_answer_schema(self, Encoder encoder) except -1:
        """Find the form of the schema that the target enforces; return whether there is one.

        Anthropic always enforces; keywords that it refuses move into the descriptions, as
        anthropic 0.125.0 moves them (`lib/_parse/_transform.py`).
        """
        cdef str path = "response_format.json_schema.schema"
        if encoder.trait("structured_output") is not True:
            return False
        encoder.field = "response_format"
        self.answer_schema, closed, moved = anthropic_form(asked_schema(encoder), path)
        if self.answer_schema is None:
            return False
        self.has_room_for(self.answer_schema, False)
        report_format_members(encoder)
        if closed:
            encoder.lose(RESPONSE_FORMAT_CLOSED, path, None, False)
        for place, name, value, hint in moved:
            encoder.lose(row_of_moved(name, value), place, value, hint)
        return True


cdef tuple system_places(list roles):
    """Return where the API takes messages of these roles: `(places, moved, demoted)`.

    *roles* are "user", "assistant", "system" or "" for a blank message. The API takes a system
    message after a user turn with its tool results, and before an assistant turn or the end.
    *places* has the indexes of *roles* in the new order, *moved* the indexes of moved messages, and
    *demoted* those of system messages without an allowed place, which become user text. None passes
    an assistant turn, so that what is written before one does not depend on what follows it.
    """
    cdef list places = []
    cdef list waiting = []    # the indexes of system messages not placed yet
    cdef list moved = []      # those that a later message now precedes
    cdef list demoted = []
    cdef bint follows_user = False
    for at, role in enumerate(roles):
        if not role:
            # After the waiting system messages: a blank message must not separate other turns.
            (waiting if waiting else places).append(at)
            continue
        if role == "system":
            waiting.append(at)
            continue
        if role == "assistant":
            if not follows_user:
                demoted += [place for place in waiting if roles[place]]
            places += waiting
            waiting = []
        else:
            moved += [place for place in waiting if roles[place] and place not in moved]
        follows_user = role != "assistant"
        places.append(at)
    if not follows_user:
        demoted += [at for at in waiting if roles[at]]
    places += waiting
    return places, moved, demoted


cdef tuple compiled_parts(object schema):
    """Return the numbers of optional properties and of unions in a schema with enforced form."""
    cdef dict given
    cdef Py_ssize_t optional = 0
    cdef Py_ssize_t unions = 0
    cdef list waiting = [schema]
    while waiting:
        found = waiting.pop()
        if not isinstance(found, dict):
            continue
        given = <dict>found
        if "anyOf" in given or isinstance(given.get("type"), (list, tuple)):
            unions += 1
        required = given.get("required") or ()
        for keyword in ("properties", "$defs", "definitions"):
            members = given.get(keyword)
            if isinstance(members, dict):
                waiting += (<dict>members).values()
                if keyword == "properties":
                    optional += sum([name not in required for name in <dict>members])
        waiting.append(given.get("items"))
        for keyword in ("anyOf", "allOf"):
            if isinstance(given.get(keyword), (list, tuple)):
                waiting += given[keyword]
    return optional, unions


cdef bint has_accepted_reasoning(list blocks, str model) except -1:
    """Return whether *model* accepts any of an answer's reasoning blocks."""
    for block in blocks or ():
        if reasoning_refusal(block, model) is None:
            return True
    return False


cdef bint has_own_blocks(Encoder encoder, object native) except -1:
    """Return whether an answer has blocks, of server tools, that only its provider takes back."""
    if native.dialect != DIALECT or not encoder.is_from_target(native):
        return False
    for block in native.blocks:
        if block.kind == "other":
            return True
    return False


cdef dict asked_format(Encoder encoder):
    """Return the `json_schema` member of the response format that was asked for."""
    cdef object wanted = encoder.params["response_format"].get("json_schema")
    if not isinstance(wanted, dict):
        raise MessageFormatError(
            "response_format.json_schema: must be a dict with name and schema",
            field="response_format.json_schema",
        )
    return <dict>wanted


cdef object asked_schema(Encoder encoder):
    """Return the schema of the answer that was asked for."""
    return asked_format(encoder).get("schema") or {"type": "object"}


cdef int report_format_members(Encoder encoder) except -1:
    """Report the members of the response format that are not written with the schema."""
    cdef str path = "response_format.json_schema"
    cdef dict given = asked_format(encoder)
    for name, value in given.items():
        if value is None or name == "schema" or name == "strict":
            continue
        if name == "name":
            encoder.lose(RESPONSE_FORMAT_NAME, f"{path}.name", value)
        elif name == "description":
            encoder.lose(RESPONSE_FORMAT_DESCRIPTION, f"{path}.description", value)
        else:
            encoder.lose(PARAM_UNKNOWN, f"{path}.{name}", value)
    if given.get("strict") is not True:
        encoder.lose(RESPONSE_FORMAT_STRICT, path, given.get("strict"), True)
    return 0
