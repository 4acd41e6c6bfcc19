"""The dialect `anthropic_messages`: a request read into the canonical form.

Every field of `anthropic.types.MessageCreateParams` 0.125.0 (2026-11-22) and of its content
blocks has a branch here; what the canonical form cannot say is reported by a row of
`specado.losses`, with its path in the request as it was given.
"""

cimport cython

from specado._core.conversation cimport (
    ASSISTANT, FILE, IMAGE, SYSTEM, TEXT, TOOL, USER,
    Call, Conversation, Details, Part, Turn,
)
from specado._core.json_text cimport JsonWriter, freeze
from specado._core.normalize cimport is_base64

import msgspec

from specado._core.json_text import NotJson, locate
from specado.errors import MessageFormatError
from specado.types import ReasoningBlock

# OpenAI takes this many stop sequences (openai.types.chat 3.54, 2026-11-22).
MAX_STOPS = 4
cdef tuple SERVER_BLOCKS = (
    "server_tool_use", "web_search_tool_result", "web_fetch_tool_result",
    "code_execution_tool_result", "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result", "tool_search_tool_result", "mcp_tool_use",
    "mcp_tool_result", "container_upload", "search_result", "compaction", "advisor_tool_result",
    "tool_reference", "tool_addition", "tool_removal",
)
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
cdef frozenset SOURCE_KEYS = frozenset({
    "type", "media_type", "data", "url", "file_id", "content",
})
cdef frozenset REASONING_KEYS = frozenset({"type", "thinking", "signature", "data"})
cdef frozenset BLOCK_KEYS = frozenset({"type", "text", "cache_control", "citations"})


@cython.final
cdef class AnthropicReader:
    """Reads one request; not for two threads at once."""

    cdef Conversation found
    cdef dict params
    cdef dict places         # where what has another name here stands in the request
    cdef list losses         # (row id, path, before, after)
    cdef str model
    cdef str path            # what is being read
    cdef set open_calls

    cdef object wrong(self, str path, str what):
        cdef object index = None
        cdef str field = path
        if path.startswith("messages["):
            head, _, field = path.partition("]")
            index = int(head[9:])
            field = field.lstrip(".") or None
        return MessageFormatError(f"{path}: {what}", index=index, field=field)

    cdef int lose(self, str row, str path, object before=None, object after=None) except -1:
        self.losses.append((row, path, before, after))
        return 0

    cdef str text_of(self, object value, str path):
        if type(value) is str:
            return value
        if isinstance(value, str):
            return str.__str__(value)
        raise self.wrong(path, f"must be a str, not {type(value).__name__}")

    cdef dict dict_of(self, object value, str path):
        if not isinstance(value, dict):
            raise self.wrong(path, f"must be a dict, not {type(value).__name__}")
        return value

    cdef object frozen(self, object value, str path):
        try:
            return freeze(value, 0)
        except NotJson as error:
            raise self.wrong(path + locate(value), str(error)) from None

    cdef str json_of(self, object value, str path):
        """Return a tool's input as JSON text; `msgspec.Raw` as it stands."""
        cdef JsonWriter writer
        if isinstance(value, msgspec.Raw):
            return bytes(value).decode()
        writer = JsonWriter()
        try:
            writer.value(self.dict_of(value, path), 0)
        except NotJson as error:
            raise self.wrong(path + locate(value), str(error)) from None
        return writer.finish().decode()

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

    cdef str counted(self, str text):
        self.found.characters += len(text)
        return text

    cdef Part text_part(self, dict block, str path):
        cdef Part part = Part.__new__(Part)
        part.origin = path
        part.text = self.counted(self.text_of(block.get("text"), f"{path}.text"))
        if block.get("citations"):
            self.lose("anthropic.citations", f"{path}.citations", None)
        if block.get("cache_control") is not None:
            self.lose("cache_control.openai", f"{path}.cache_control", block["cache_control"])
        self.check_keys(block, BLOCK_KEYS, path)
        return part

    cdef int check_keys(self, dict block, frozenset known, str path) except -1:
        for name in block:
            if name not in known and block[name] is not None:
                self.lose("part.unknown_key", f"{path}.{name}", block[name])
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

    cdef Part user_part(self, dict block, object kind, str path):
        """Return the part that a block is, or `None` (reported) where there is none."""
        if kind == "text":
            return self.text_part(block, path)
        if kind == "image":
            return self.image_part(block, path)
        if kind == "document":
            return self.document_part(block, path)
        if kind in SERVER_BLOCKS:
            self.lose("anthropic.server_block", path, kind)
            return None
        raise self.wrong(f"{path}.type", f"{kind!r} is not a content block of a user turn")

    cdef int media_keys(self, dict block, tuple known, str path) except -1:
        if block.get("cache_control") is not None:
            self.lose("cache_control.openai", f"{path}.cache_control", block["cache_control"])
        for name, value in block.items():
            if name not in known and name != "cache_control" and value is not None:
                if name == "citations":
                    if self.dict_of(value, f"{path}.citations").get("enabled"):
                        self.lose("anthropic.citations", f"{path}.citations", value)
                else:
                    self.lose("part.unknown_key", f"{path}.{name}", value)
        return 0

    cdef str data_of(self, dict source, str path):
        data = self.text_of(source.get("data"), f"{path}.data")
        if not is_base64(data, 0):
            raise self.wrong(f"{path}.data", "the data is not base64")
        return data

    cdef Part image_part(self, dict block, str path):
        cdef Part part = Part.__new__(Part)
        cdef dict source = self.dict_of(block.get("source"), f"{path}.source")
        self.media_keys(block, ("type", "source"), path)
        self.check_keys(source, SOURCE_KEYS, f"{path}.source")
        part.kind = IMAGE
        part.origin = path
        kind = source.get("type")
        if kind == "base64":
            media = self.text_of(source.get("media_type"), f"{path}.source.media_type")
            part.text = f"data:{media};base64,{self.data_of(source, f'{path}.source')}"
        elif kind == "url":
            part.text = self.text_of(source.get("url"), f"{path}.source.url")
        elif kind == "file":
            self.lose("file.id", path, source.get("file_id"))
            return None
        else:
            raise self.wrong(f"{path}.source.type", f"{kind!r} is not a source of an image")
        self.found.images += 1
        return part

    cdef Part document_part(self, dict block, str path):
        cdef Part part = Part.__new__(Part)
        cdef dict source = self.dict_of(block.get("source"), f"{path}.source")
        kind = source.get("type")
        self.media_keys(block, ("type", "source", "title", "context"), path)
        self.check_keys(source, SOURCE_KEYS, f"{path}.source")
        part.origin = path
        if block.get("context") is not None:
            self.lose("anthropic.document_context", f"{path}.context", block["context"])
        if kind == "base64":
            media = self.text_of(source.get("media_type"), f"{path}.source.media_type")
            part.kind = FILE
            part.text = f"data:{media};base64,{self.data_of(source, f'{path}.source')}"
            part.detail = "document.pdf"
            if block.get("title") is not None:
                part.detail = self.text_of(block["title"], f"{path}.title")
            else:
                self.lose("anthropic.document_name", f"{path}.title", None, part.detail)
            self.found.files += 1
            return part
        if kind == "text":
            part.text = self.counted(self.text_of(source.get("data"), f"{path}.source.data"))
            self.lose("anthropic.document_text", path, "document", "text")
            return part
        if kind == "content":
            part.text = self.counted(self.texts_of(source.get("content"), f"{path}.source.content"))
            self.lose("anthropic.document_text", path, "document", "text")
            return part
        if kind == "url" or kind == "file":
            self.lose("anthropic.document_source", path, kind)
            return None
        raise self.wrong(f"{path}.source.type", f"{kind!r} is not a source of a document")

    cdef str texts_of(self, object content, str path):
        """Return the text of a string or of text blocks; report what else there is."""
        cdef list texts = []
        if isinstance(content, str):
            return content
        if not isinstance(content, (list, tuple)):
            raise self.wrong(path, "must be a str or a list of content blocks")
        for place, block in enumerate(content):
            where = f"{path}[{place}]"
            if self.dict_of(block, where).get("type") == "text":
                texts.append(self.text_of(block.get("text"), f"{where}.text"))
            else:
                self.lose("anthropic.server_block", where, block.get("type"))
        return "".join(texts)

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

    cdef object reasoning_of(self, dict block, str kind, str path):
        self.check_keys(block, REASONING_KEYS, path)
        if kind == "redacted_thinking":
            data = self.text_of(block.get("data"), f"{path}.data")
            return ReasoningBlock(kind, None, None, data, self.model)
        text = self.text_of(block.get("thinking"), f"{path}.thinking")
        signature = self.text_of(block.get("signature"), f"{path}.signature")
        return ReasoningBlock(kind, text, signature, None, self.model)

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

    cdef Call call_of(self, dict block, str path):
        cdef Call call = Call.__new__(Call)
        cdef object caller = block.get("caller")
        call.origin = path
        if caller is not None and self.dict_of(caller, f"{path}.caller").get("type") != "direct":
            self.lose("anthropic.server_block", f"{path}.caller", caller)
        call.id = self.text_of(block.get("id"), f"{path}.id")
        call.name = self.text_of(block.get("name"), f"{path}.name")
        call.text = self.counted(self.json_of(block.get("input"), f"{path}.input"))
        if block.get("cache_control") is not None:
            self.lose("cache_control.openai", f"{path}.cache_control", block["cache_control"])
        self.check_keys(
            block, frozenset({"type", "id", "name", "input", "cache_control", "caller"}), path
        )
        return call

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
