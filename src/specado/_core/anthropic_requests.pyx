"""Anthropic request decoder: the whole request to the canonical form.

Every field of `anthropic.types.MessageCreateParams` 0.125.0 (2026-11-22) has a branch here; what
the canonical form cannot say is reported by a row of `specado.losses.rows`, with its path in the
request as it was given.
"""

cimport cython

from specado._core.anthropic_history cimport AnthropicHistory
from specado._core.conversation cimport ASSISTANT, USER, Conversation, Turn

from specado._core.schema import openai_enforces, openai_form
from specado._core.parameters import MAX_STOPS
from specado.errors import MessageFormatError

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
cdef class AnthropicReader(AnthropicHistory):
    """Reads one request; not for two threads at once."""

    cdef dict params
    cdef dict places         # where what has another name here stands in the request

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
                if value == "auto" or value == "standard_only":
                    params[name] = "auto" if value == "auto" else "default"
                else:
                    self.lose("service_tier", name, value)
            elif name == "output_config":
                self.read_output_config(self.dict_of(value, name))
            elif name == "output_format":
                self.read_format(self.dict_of(value, name), name)
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
            self.lose("stop.too_many", f"stop_sequences[{place}]", found[place])
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
                self.read_format(self.dict_of(value, "output_config.format"), "output_config.format")
            else:
                self.lose("param.unknown", f"output_config.{name}", value)
        return 0

    cdef int read_format(self, dict given, str path) except -1:
        if given.get("type") != "json_schema":
            raise self.wrong(f"{path}.type", f"must be json_schema, not {given.get('type')!r}")
        schema = self.written(self.dict_of(given.get("schema"), f"{path}.schema"), f"{path}.schema")
        self.check_keys(given, frozenset({"type", "schema"}), path)
        self.lose("anthropic.format_name", path, None, "response")
        if schema.get("type", "object") != "object":
            return self.lose("anthropic.format_root", f"{path}.schema", schema["type"])
        form, _ = openai_form(schema, f"{path}.schema")
        strict = form is not None
        self.places["response_format"] = self.places["response_format.json_schema"] = path
        self.params["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "response", "schema": schema, "strict": strict},
        }
        if not strict:
            self.lose("anthropic.format_strict", f"{path}.schema", True, False)
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
                    function["parameters"] = self.written(value, f"{path}.input_schema")
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
            if function.get("strict") and not openai_enforces(function.get("parameters")):
                self.lose("anthropic.tool_strict", f"{path}.strict", True, False)
                function["strict"] = False
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

    cdef int check_prefill(self, object messages) except -1:
        """Report an assistant message at the end: here it is the answer's beginning."""
        cdef Turn turn = self.found.turns[-1]
        if turn.role == ASSISTANT and messages[-1]["role"] == "assistant" and (
            turn.more is None or turn.more.calls is None
        ):
            self.lose("anthropic.prefill", f"messages[{len(messages) - 1}].content")
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
    reader.check_prefill(messages)
    for _, path, before, _ in reader.losses:
        reader.frozen(before, path)  # what is left out must have a JSON form too
    return reader.found, reader.params, reader.losses, reader.places
