"""The dialect `anthropic_messages`: a request read into the canonical form.

Every field of `anthropic.types.MessageCreateParams` 0.125.0 (2026-11-22) has a branch here; what
the canonical form cannot say is reported by a row of `specado.losses`, with its path in the
request as it was given.
"""

cimport cython

from specado._core.anthropic_contents cimport AnthropicContents
from specado._core.conversation cimport (
    ASSISTANT, SYSTEM, TEXT, TOOL, USER, Conversation, Details, Part, Turn,
)

from specado._core.anthropic_contents import SERVER_BLOCKS
from specado.errors import MessageFormatError

# OpenAI takes this many stop sequences (openai.types.chat 3.54, 2026-11-22).
MAX_STOPS = 4
# Top-level fields that have no counterpart: name -> row.
cdef dict UNSUPPORTED = {
    "container": "anthropic.container",
    "context_management": "anthropic.context_management",
    "mcp_servers": "anthropic.mcp_servers",
    "inference_geo": "anthropic.inference_geo",
    "speed": "anthropic.speed",
    "top_k": "anthropic.top_k",
    "cache_control": "cache_control.openai",
}


@cython.final
cdef class AnthropicReader(AnthropicContents):
    """Reads one request; not for two threads at once."""

    cdef dict params
    cdef dict places         # where what has another name here stands in the request
    cdef set open_calls

    # Turns.

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
            if self.dict_of(block, path).get("type") != "text":
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
                f"must be a str or a list of content blocks, not {type(content).__name__}",
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
            kind = self.dict_of(block, where).get("type")
            if kind == "text":
                parts.append(self.text_part(block, where))
            elif kind in SERVER_BLOCKS:
                self.lose("anthropic.server_block", where, kind)
            else:
                raise self.wrong(f"{where}.type", f"{kind!r} is not a block of a system message")
        if parts:
            self.add(SYSTEM, "system", None, parts, None, path)
        return 0

    cdef int read_user(self, object blocks, str path) except -1:
        """Tool results become tool messages; what else there is, one user message after them."""
        cdef list parts = []
        cdef list moved = []
        for place, block in enumerate(blocks):
            where = f"{path}.content[{place}]"
            kind = self.dict_of(block, where).get("type")
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
            frozenset({"type", "tool_use_id", "content", "is_error", "cache_control"}),
            path,
        )
        if isinstance(content, str):
            said = Part.__new__(Part)
            said.text = self.counted(content)
            texts.append(said)
        elif content is not None and not isinstance(content, (list, tuple)):
            raise self.wrong(f"{path}.content", "must be a str or a list of content blocks")
        else:
            for place, item in enumerate(content or ()):
                where = f"{path}.content[{place}]"
                kind = self.dict_of(item, where).get("type")
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
            kind = self.dict_of(block, where).get("type")
            if kind == "text":
                if calls:
                    self.lose("anthropic.block_order", where)
                parts.append(self.text_part(block, where))
            elif kind == "tool_use":
                calls.append(self.call_of(block, where))
            elif kind == "thinking" or kind == "redacted_thinking":
                reasoning.append(self.reasoning_of(block, kind, where))
                origins.append(where)
            elif kind in SERVER_BLOCKS:
                self.lose("anthropic.server_block", where, kind)
            else:
                raise self.wrong(
                    f"{where}.type", f"{kind!r} is not a content block of an assistant turn"
                )
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

    # Parameters.

    cdef int read_params(self, dict request) except -1:
        cdef dict params = self.params
        for name, value in request.items():
            if value is None or name in ("model", "messages", "system"):
                continue
            if name in ("max_tokens", "temperature", "top_p", "stream"):
                params[name] = value
            elif name in UNSUPPORTED:
                self.lose(UNSUPPORTED[name], name, value)
            elif name == "metadata":
                self.read_metadata(self.dict_of(value, name))
            elif name == "stop_sequences":
                self.read_stops(value)
            elif name == "service_tier":
                params[name] = "default" if value == "standard_only" else value
            elif name == "output_config":
                self.read_output_config(self.dict_of(value, name))
            elif name == "tools":
                self.read_tools(value)
            elif name == "tool_choice":
                self.read_tool_choice(self.dict_of(value, name))
            elif name != "thinking":
                self.lose("param.unknown", name, value)
        if request.get("thinking") is not None:
            self.read_thinking(self.dict_of(request["thinking"], "thinking"))
        if "tools" not in params:
            # OpenAI refuses either without tools.
            params.pop("parallel_tool_calls", None)
            choice = params.pop("tool_choice", None)
            if choice is not None and choice != "auto" and choice != "none":
                self.lose("tool_choice.without_tools", "tool_choice", request["tool_choice"])
        return 0

    cdef int read_metadata(self, dict metadata) except -1:
        for name, value in metadata.items():
            if name == "user_id":
                if value is not None:
                    self.params["user"] = self.text_of(value, "metadata.user_id")
                    self.places["user"] = "metadata.user_id"
            elif value is not None:
                self.lose("param.unknown", f"metadata.{name}", value)
        return 0

    cdef int read_stops(self, object stops) except -1:
        if isinstance(stops, str) or not isinstance(stops, (list, tuple)):
            raise self.wrong("stop_sequences", "must be a list of str")
        found = [self.text_of(stop, f"stop_sequences[{place}]") for place, stop in enumerate(stops)]
        for place in range(MAX_STOPS, len(found)):
            self.lose("anthropic.stops", f"stop_sequences[{place}]", found[place])
        if found:
            self.params["stop"] = found[:MAX_STOPS]
            self.places["stop"] = "stop_sequences"
        return 0

    cdef int read_output_config(self, dict config) except -1:
        for name, value in config.items():
            if value is None:
                continue
            if name == "effort":
                self.params["reasoning_effort"] = self.text_of(value, "output_config.effort")
                self.places["reasoning_effort"] = "output_config.effort"
            elif name == "format":
                schema = self.dict_of(value, "output_config.format").get("schema")
                self.check_keys(value, frozenset({"type", "schema"}), "output_config.format")
                self.lose("anthropic.format_name", "output_config.format", None, "response")
                self.places["response_format"] = "output_config.format"
                self.params["response_format"] = {
                    "type": "json_schema",
                    "json_schema": {
                        "name": "response",
                        "schema": self.frozen(schema, "output_config.format.schema"),
                        "strict": True,
                    },
                }
            else:
                self.lose("param.unknown", f"output_config.{name}", value)
        return 0

    cdef int read_thinking(self, dict thinking) except -1:
        kind = thinking.get("type")
        cdef object budget = thinking.get("budget_tokens")
        cdef object effort = self.params.get("reasoning_effort")
        for name, value in thinking.items():
            if name == "display" and value is not None:
                self.lose("anthropic.thinking_display", "thinking.display", value)
            elif name not in ("type", "budget_tokens", "display") and value is not None:
                self.lose("param.unknown", f"thinking.{name}", value)
        if kind == "disabled":
            if effort is not None:
                self.lose("anthropic.effort_disabled", "output_config.effort", effort, "none")
            self.params["reasoning_effort"] = "none"
            self.places["reasoning_effort"] = "thinking"
        elif kind == "enabled":
            if isinstance(budget, bool) or not isinstance(budget, int):
                raise self.wrong("thinking.budget_tokens", "must be a whole number of tokens")
            if effort is None:
                effort = effort_for(budget, self.params.get("max_tokens"))
                self.params["reasoning_effort"] = effort
                self.places["reasoning_effort"] = "thinking.budget_tokens"
            self.lose("anthropic.thinking_budget", "thinking.budget_tokens", budget, effort)
        elif kind == "adaptive":
            self.lose("anthropic.thinking_adaptive", "thinking", kind, None)
        else:
            raise self.wrong("thinking.type", f"must be enabled, adaptive or disabled, not {kind!r}")
        return 0

    cdef int read_tools(self, object tools) except -1:
        cdef list found = []
        if not isinstance(tools, (list, tuple)):
            raise self.wrong("tools", "must be a list of tools")
        for place, tool in enumerate(tools):
            path = f"tools[{place}]"
            if self.dict_of(tool, path).get("type") not in (None, "custom"):
                self.lose("anthropic.server_tool", path, tool["type"])
                continue
            function = {"name": self.text_of(tool.get("name"), f"{path}.name")}
            for name, value in tool.items():
                if name in ("type", "name") or value is None:
                    continue
                if name == "input_schema":
                    function["parameters"] = self.frozen(value, f"{path}.input_schema")
                elif name == "description":
                    function[name] = self.text_of(value, f"{path}.description")
                elif name == "strict":
                    if not isinstance(value, bool):
                        raise self.wrong(f"{path}.strict", "must be True or False")
                    function[name] = value
                elif name == "cache_control":
                    self.lose("cache_control.openai", f"{path}.cache_control", value)
                else:
                    self.lose("anthropic.tool_option", f"{path}.{name}", value)
            self.places[f"tools[{len(found)}]"] = path
            found.append({"type": "function", "function": function})
        if found:
            self.params["tools"] = found
        return 0

    cdef int read_tool_choice(self, dict choice) except -1:
        kind = choice.get("type")
        if kind == "tool":
            name = self.text_of(choice.get("name"), "tool_choice.name")
            self.params["tool_choice"] = {"type": "function", "function": {"name": name}}
        elif kind in ("auto", "any", "none"):
            self.params["tool_choice"] = "required" if kind == "any" else kind
        else:
            raise self.wrong("tool_choice.type", f"must be auto, any, tool or none, not {kind!r}")
        for name, value in choice.items():
            if name not in ("type", "name", "disable_parallel_tool_use") and value is not None:
                self.lose("param.unknown", f"tool_choice.{name}", value)
        if choice.get("disable_parallel_tool_use") is not None:
            self.params["parallel_tool_calls"] = not choice["disable_parallel_tool_use"]
            self.places["parallel_tool_calls"] = "tool_choice.disable_parallel_tool_use"
        return 0


def effort_for(budget, max_tokens):
    """Return the reasoning effort that a thinking budget of so many tokens stands for."""
    if not isinstance(budget, int) or not isinstance(max_tokens, int) or max_tokens <= 0:
        return "medium"
    share = budget / max_tokens
    if share <= 0.3:
        return "low"
    return "medium" if share <= 0.65 else "high"


def read_request(dict request not None):
    """Return `(conversation, params, losses, places)` of a messages request.

    *places* names where in *request* the parameters stand that are called otherwise there; turns,
    parts and calls know it themselves (`origin`). Raises `MessageFormatError` naming the path
    where the request is not well formed.
    """
    cdef AnthropicReader reader = AnthropicReader.__new__(AnthropicReader)
    reader.found = Conversation.__new__(Conversation)
    reader.found.turns = []
    reader.places = {}
    reader.params = {}
    reader.losses = []
    model = request.get("model")
    reader.model = model if isinstance(model, str) else ""
    messages = request.get("messages")
    if not isinstance(messages, (list, tuple)) or not messages:
        raise MessageFormatError("messages must be a list of at least one message",
                                 field="messages")
    reader.read_system(request.get("system"))
    for index, message in enumerate(messages):
        reader.read_message(message, index)
    reader.read_params(request)
    if not reader.found.turns:
        reader.lose("messages.blank", "messages")
        reader.add(USER, "user", "", None, None, "messages")
    return reader.found, reader.params, reader.losses, reader.places
