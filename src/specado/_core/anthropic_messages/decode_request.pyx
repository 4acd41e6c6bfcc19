"""Anthropic request decoder: a messages request to the canonical form.

Every field of `anthropic.types.MessageCreateParams` 0.125.0 and every content block (2026-11-22)
has a branch here; content without a canonical form is reported by a row of `specado.losses.rows`,
with its path in the request as it was given.
"""

cimport cython

from specado._core.conversation cimport (
    ASSISTANT, FILE, IMAGE, SYSTEM, TEXT, TOOL, USER, Call, Details, Part, Turn,
)
from specado._core.normalize cimport is_base64, keep_uri
from specado._core.json_writer cimport JsonWriter, freeze
from specado._core.source_reader cimport SourceReader

import msgspec

from specado._core.anthropic_messages.loss_rows import (
    ANTHROPIC_BLOCK_ORDER, ANTHROPIC_CITATIONS, ANTHROPIC_DOCUMENT_CONTEXT,
    ANTHROPIC_DOCUMENT_NAME, ANTHROPIC_DOCUMENT_SOURCE, ANTHROPIC_DOCUMENT_TEXT,
    ANTHROPIC_EFFORT_DISABLED, ANTHROPIC_FORMAT_NAME, ANTHROPIC_FORMAT_ROOT,
    ANTHROPIC_FORMAT_STRICT, ANTHROPIC_IMAGE_TRANSFORMATIONS, ANTHROPIC_IS_ERROR,
    ANTHROPIC_PREFILL, ANTHROPIC_RESULT_MEDIA, ANTHROPIC_SEARCH_RESULT, ANTHROPIC_SERVER_BLOCK,
    ANTHROPIC_SERVER_TOOL, ANTHROPIC_THINKING_ADAPTIVE, ANTHROPIC_THINKING_BUDGET,
    ANTHROPIC_THINKING_DISPLAY, ANTHROPIC_TOOLSET, ANTHROPIC_TOOL_OPTION, ANTHROPIC_TOOL_STRICT,
    FILE_ID, MESSAGES_BLANK, PARAM_UNKNOWN, PART_UNKNOWN_KEY, SERVICE_TIER,
    STOP_TOO_MANY, TOOL_CHOICE_WITHOUT_TOOLS,
)
from specado._core.schema import openai_enforces, openai_form
from specado._core.json_writer import NotJson, locate
from specado._core.parameters import MAX_STOPS, effort_for
from specado.errors import MessageFormatError
from specado.types import ReasoningBlock

cdef frozenset SOURCE_KEYS = frozenset({
    "type", "media_type", "data", "url", "file_id", "content",
})
cdef frozenset REASONING_KEYS = frozenset({"type", "thinking", "signature", "data"})
cdef frozenset CALL_KEYS = frozenset({
    "type", "id", "name", "input", "cache_control", "caller", "toolset_name",
})
cdef frozenset BLOCK_KEYS = frozenset({"type", "text", "cache_control", "citations"})
# A parameter that the field table does not have: its loss row, and the value that is no loss.
cdef tuple UNKNOWN = (PARAM_UNKNOWN, None)


@cython.final
cdef class RequestReader(SourceReader):
    """Reads one messages request. One per request; not for two threads at once."""

    cdef tuple server_blocks  # types of the blocks that are dropped
    cdef set open_calls      # the ids that a tool result may answer

    cdef str json_of(self, object value, str path):
        """Return a tool's input as JSON text; `msgspec.Raw` stays as it is."""
        cdef JsonWriter writer
        if isinstance(value, msgspec.Raw):
            return bytes(value).decode()
        writer = JsonWriter()
        try:
            writer.value(self.dict_of(value, path), 0)
        except NotJson as error:
            raise self.malformed(path + locate(value), str(error)) from None
        return writer.finish().decode()

    cdef Part text_part(self, dict block, str path):
        cdef Part part = Part.__new__(Part)
        part.origin = path
        part.text = self.counted(self.text_of(block.get("text"), f"{path}.text"))
        if block.get("citations"):
            self.lose(ANTHROPIC_CITATIONS, f"{path}.citations", None)
        part.extra = self.cache_of(block, path)
        self.check_keys(block, BLOCK_KEYS, path)
        return part

    cdef dict cache_of(self, dict block, str path):
        """Return the `cache_control` of a block as a canonical key, `None` without one."""
        if block.get("cache_control") is None:
            return None
        try:
            return {"cache_control": freeze(block["cache_control"], 0)}
        except NotJson as error:
            raise self.malformed(f"{path}.cache_control", str(error)) from None

    cdef Part user_part(self, dict block, object kind, str path):
        """Return a user's block as a part; `None` (reported) if it has no canonical form."""
        if kind == "image":
            return self.image_part(block, path)
        if kind == "document":
            return self.document_part(block, path)
        return self.said_part(block, kind, path, "a user turn")

    cdef Part said_part(self, dict block, object kind, str path, str place):
        """Return a block that any turn may have as text; `None` (reported) for another."""
        if kind == "text":
            return self.text_part(block, path)
        if kind == "search_result":
            return self.search_part(block, path)
        if kind in self.server_blocks:
            self.lose(ANTHROPIC_SERVER_BLOCK, path, kind)
            return None
        raise self.malformed(f"{path}.type", f"{kind!r} is not a content block of {place}")

    cdef Part search_part(self, dict block, str path):
        """Return a search result as text: its title, its source, an empty line, its texts."""
        cdef Part part = Part.__new__(Part)
        cdef Part said
        cdef list lines = [
            self.text_of(block.get("title"), f"{path}.title"),
            self.text_of(block.get("source"), f"{path}.source"),
        ]
        cdef object content = block.get("content")
        self.media_keys(block, ("type", "title", "source", "content"), path)
        part.origin = path
        if not isinstance(content, (list, tuple)):
            raise self.malformed(f"{path}.content", "must be a list of text blocks")
        if content:
            lines.append("")
        for place, item in enumerate(content):
            where = f"{path}.content[{place}]"
            item = self.dict_of(item, where)
            if item.get("type") != "text":
                raise self.malformed(f"{where}.type", "a search result holds text blocks only")
            said = self.text_part(item, where)
            lines.append(said.text)
            if said.extra is not None:
                part.extra, part.origin = said.extra, where
        if block.get("cache_control") is not None:
            part.extra, part.origin = self.cache_of(block, path), path
        part.text = "\n".join(lines)
        self.conversation.characters += len(<str>lines[0]) + len(<str>lines[1])
        self.lose(ANTHROPIC_SEARCH_RESULT, path, "search_result", "text")
        return part

    cdef int media_keys(self, dict block, tuple known, str path) except -1:
        for name, value in block.items():
            if name not in known and name != "cache_control" and value is not None:
                if name == "citations":
                    if self.dict_of(value, f"{path}.citations").get("enabled"):
                        self.lose(ANTHROPIC_CITATIONS, f"{path}.citations", value)
                elif name == "transformations":
                    self.lose(ANTHROPIC_IMAGE_TRANSFORMATIONS, f"{path}.{name}", value)
                else:
                    self.lose(PART_UNKNOWN_KEY, f"{path}.{name}", value)
        return 0

    cdef str data_of(self, dict source, str path):
        data = self.text_of(source.get("data"), f"{path}.data")
        if not is_base64(data, 0):
            raise self.malformed(f"{path}.data", "the data is not base64")
        return data

    cdef int take_data(self, Part part, str media, dict source, str path) except -1:
        cdef str data = self.data_of(source, f"{path}.source")
        keep_uri(part, f"data:{media};base64,{data}")
        part.start = len(part.text) - len(data)  # a media type may have a comma too
        self.conversation.extra_bytes += len(part.text)
        return 0

    cdef Part image_part(self, dict block, str path):
        cdef Part part = Part.__new__(Part)
        cdef dict source = self.dict_of(block.get("source"), f"{path}.source")
        self.media_keys(block, ("type", "source"), path)
        part.extra = self.cache_of(block, path)
        self.check_keys(source, SOURCE_KEYS, f"{path}.source")
        part.kind = IMAGE
        part.origin = path
        kind = source.get("type")
        if kind == "base64":
            media = self.text_of(source.get("media_type"), f"{path}.source.media_type")
            self.take_data(part, media, source, path)
        elif kind == "url":
            part.text = self.text_of(source.get("url"), f"{path}.source.url")
        elif kind == "file":
            self.lose(FILE_ID, path, source.get("file_id"))
            return None
        else:
            raise self.malformed(f"{path}.source.type", f"{kind!r} is not a source of an image")
        self.conversation.images += 1
        return part

    cdef Part document_part(self, dict block, str path):
        cdef Part part = Part.__new__(Part)
        cdef dict source = self.dict_of(block.get("source"), f"{path}.source")
        kind = source.get("type")
        self.media_keys(block, ("type", "source", "title", "context"), path)
        part.extra = self.cache_of(block, path)
        self.check_keys(source, SOURCE_KEYS, f"{path}.source")
        part.origin = path
        if block.get("context") is not None:
            self.lose(ANTHROPIC_DOCUMENT_CONTEXT, f"{path}.context", block["context"])
        if kind == "base64":
            media = self.text_of(source.get("media_type"), f"{path}.source.media_type")
            part.kind = FILE
            self.take_data(part, media, source, path)
            part.detail = "document.pdf"
            if block.get("title") is not None:
                part.detail = self.text_of(block["title"], f"{path}.title")
            else:
                self.lose(ANTHROPIC_DOCUMENT_NAME, f"{path}.title", None, part.detail)
            self.conversation.files += 1
            return part
        if kind == "text":
            part.text = self.counted(self.text_of(source.get("data"), f"{path}.source.data"))
            self.lose(ANTHROPIC_DOCUMENT_TEXT, path, "document", "text")
            return part
        if kind == "content":
            part.text = self.counted(self.texts_of(source.get("content"), f"{path}.source.content"))
            self.lose(ANTHROPIC_DOCUMENT_TEXT, path, "document", "text")
            return part
        if kind == "url" or kind == "file":
            self.lose(ANTHROPIC_DOCUMENT_SOURCE, path, kind)
            return None
        raise self.malformed(f"{path}.source.type", f"{kind!r} is not a source of a document")

    cdef str texts_of(self, object content, str path):
        """Return the text of a string or of content blocks; report blocks that are no text."""
        cdef list texts = []
        if isinstance(content, str):
            return content
        if not isinstance(content, (list, tuple)):
            raise self.malformed(path, "must be a str or a list of content blocks")
        for place, block in enumerate(content):
            where = f"{path}[{place}]"
            block = self.dict_of(block, where)
            part = self.user_part(block, block.get("type"), where)
            if part is None:
                continue
            if (<Part>part).kind == TEXT:
                texts.append((<Part>part).text)
            else:
                self.lose(ANTHROPIC_DOCUMENT_SOURCE, where, block.get("type"))
        return "".join(texts)

    cdef object reasoning_of(self, dict block, str kind, str path):
        self.check_keys(block, REASONING_KEYS, path)
        if kind == "redacted_thinking":
            data = self.text_of(block.get("data"), f"{path}.data")
            return ReasoningBlock(kind, None, None, data, self.model)
        text = self.text_of(block.get("thinking"), f"{path}.thinking")
        signature = self.text_of(block.get("signature"), f"{path}.signature")
        return ReasoningBlock(kind, text, signature, None, self.model)

    cdef Call call_of(self, dict block, str path):
        cdef Call call = Call.__new__(Call)
        cdef object caller = block.get("caller")
        call.origin = path
        if caller is not None and self.dict_of(caller, f"{path}.caller").get("type") != "direct":
            self.lose(ANTHROPIC_SERVER_BLOCK, f"{path}.caller", caller)
        call.id = self.text_of(block.get("id"), f"{path}.id")
        call.name = self.text_of(block.get("name"), f"{path}.name")
        call.text = self.counted(self.json_of(block.get("input"), f"{path}.input"))
        call.extra = self.cache_of(block, path)
        if block.get("toolset_name") is not None:
            self.lose(ANTHROPIC_TOOLSET, f"{path}.toolset_name", block["toolset_name"])
        self.check_keys(block, CALL_KEYS, path)
        return call

    # Messages.

    cdef int read_system(self, object system) except -1:
        cdef list parts = []
        if system is None:
            return 0
        if isinstance(system, str):
            if system:
                self.add(SYSTEM, "system", self.counted(system), None, None, "system")
            return 0
        if not isinstance(system, (list, tuple)):
            raise self.malformed("system", "must be a str or a list of text blocks")
        for place, block in enumerate(system):
            path = f"system[{place}]"
            block = self.dict_of(block, path)
            if block.get("type") != "text":
                raise self.malformed(f"{path}.type", "system takes text blocks only")
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
            raise self.malformed(f"{path}.role", f"must be user, assistant or system, not {role!r}")
        if isinstance(content, str):
            if role == "assistant":
                return self.read_assistant([{"type": "text", "text": content}], path)
            kind = USER if role == "user" else SYSTEM
            return self.add(kind, role, self.counted(content), None, None, path)
        if not isinstance(content, (list, tuple)):
            raise self.malformed(
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
        """Read tool results as tool messages, and other blocks as one user message after them."""
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
        """Read a `tool_result` as a tool message; its media are added to *moved*.

        They become part of the user message after it, behind a line that says whose they are.
        """
        cdef Details more = Details.__new__(Details)
        cdef list texts = []
        cdef list media = []
        cdef Part said
        cdef object content = block.get("content")
        more.tool_call_id = self.text_of(block.get("tool_use_id"), f"{path}.tool_use_id")
        if self.open_calls is None or more.tool_call_id not in self.open_calls:
            raise self.malformed(
                f"{path}.tool_use_id", f"{more.tool_call_id!r} answers no tool_use before it"
            )
        more.extra = self.cache_of(block, path)
        self.check_keys(
            block,
            frozenset(
                {"type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name"}
            ),
            path,
        )
        if block.get("toolset_name") is not None:
            self.lose(ANTHROPIC_TOOLSET, f"{path}.toolset_name", block["toolset_name"])
        if isinstance(content, str):
            said = Part.__new__(Part)
            said.text = self.counted(content)
            texts.append(said)
        elif content is not None and not isinstance(content, (list, tuple)):
            raise self.malformed(f"{path}.content", "must be a str or a list of content blocks")
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
                    self.lose(ANTHROPIC_RESULT_MEDIA, where, kind, "user turn")
                    media.append(part)
            if media:
                said = Part.__new__(Part)
                said.text = self.counted(f"From the result of the tool call {more.tool_call_id}:")
                moved += [said, *media]
        if block.get("is_error"):
            self.lose(ANTHROPIC_IS_ERROR, f"{path}.is_error", True, "text")
            if not texts:
                texts.append(Part.__new__(Part))
                (<Part>texts[0]).text = ""
            said = texts[0]
            said.text = "Error: " + said.text
        if len(texts) > 1 or (texts and (<Part>texts[0]).extra is not None):
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
                        self.lose(ANTHROPIC_BLOCK_ORDER, where)
                    parts.append(part)
        return self.add_assistant(parts, calls, reasoning, origins, path)

    cdef int add_assistant(self, list parts, list calls, list reasoning, list origins,
                           str path) except -1:
        """Add an assistant message, or continue the one before: the API joins them too."""
        cdef Turn turn
        cdef Details more = None
        if self.conversation.turns and (<Turn>self.conversation.turns[-1]).role == ASSISTANT:
            turn = self.conversation.turns.pop()
            path = turn.origin
            if parts and turn.more is not None and turn.more.calls is not None:
                self.lose(ANTHROPIC_BLOCK_ORDER, (<Part>parts[0]).origin)
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
        if len(parts) == 1 and (<Part>parts[0]).extra is None:  # the content is the text itself
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

    # Parameters.

    cdef int read_params(self, dict request) except -1:
        cdef dict params = self.params
        for name, value in request.items():
            if value is None or name in ("model", "messages", "system"):
                continue
            dropped = self.parameters.get(name, UNKNOWN)
            if dropped is not None:
                self.lose(dropped[0], name, value)
            elif name in ("max_tokens", "temperature", "top_p", "stream"):
                params[name] = value
            elif name == "metadata":
                self.read_metadata(self.dict_of(value, name))
            elif name == "stop_sequences":
                self.read_stops(value)
            elif name == "service_tier":
                if value == "auto" or value == "standard_only":
                    params[name] = "auto" if value == "auto" else "default"
                else:
                    self.lose(SERVICE_TIER, name, value)
            elif name == "output_config":
                self.read_output_config(self.dict_of(value, name))
            elif name == "output_format":
                self.read_format(self.dict_of(value, name), name)
            elif name == "tools":
                self.read_tools(value)
            elif name == "tool_choice":
                self.read_tool_choice(self.dict_of(value, name))
        if request.get("thinking") is not None:
            self.read_thinking(self.dict_of(request["thinking"], "thinking"))
        if "tools" not in params:
            # OpenAI refuses either without tools.
            params.pop("parallel_tool_calls", None)
            choice = params.pop("tool_choice", None)
            if choice is not None and choice != "auto" and choice != "none":
                self.lose(TOOL_CHOICE_WITHOUT_TOOLS, "tool_choice", request["tool_choice"])
        return 0

    cdef int read_metadata(self, dict metadata) except -1:
        for name, value in metadata.items():
            if name == "user_id":
                if value is not None:
                    self.params["user"] = self.text_of(value, "metadata.user_id")
                    self.places["user"] = "metadata.user_id"
            elif value is not None:
                self.lose(PARAM_UNKNOWN, f"metadata.{name}", value)
        return 0

    cdef int read_stops(self, object stops) except -1:
        if isinstance(stops, str) or not isinstance(stops, (list, tuple)):
            raise self.malformed("stop_sequences", "must be a list of str")
        found = [self.text_of(stop, f"stop_sequences[{place}]") for place, stop in enumerate(stops)]
        for place in range(MAX_STOPS, len(found)):
            self.lose(STOP_TOO_MANY, f"stop_sequences[{place}]", found[place])
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
                path = "output_config.format"
                self.read_format(self.dict_of(value, path), path)
            else:
                self.lose(PARAM_UNKNOWN, f"output_config.{name}", value)
        return 0

    cdef int read_format(self, dict given, str path) except -1:
        if given.get("type") != "json_schema":
            raise self.malformed(f"{path}.type", f"must be json_schema, not {given.get('type')!r}")
        schema = self.written(self.dict_of(given.get("schema"), f"{path}.schema"), f"{path}.schema")
        self.check_keys(given, frozenset({"type", "schema"}), path)
        self.lose(ANTHROPIC_FORMAT_NAME, path, None, "response")
        if schema.get("type", "object") != "object":
            return self.lose(ANTHROPIC_FORMAT_ROOT, f"{path}.schema", schema["type"])
        form, _ = openai_form(schema, f"{path}.schema")
        strict = form is not None
        for member in ("", ".json_schema", ".json_schema.name", ".json_schema.strict"):
            self.places["response_format" + member] = path
        self.params["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "response", "schema": schema, "strict": strict},
        }
        if not strict:
            self.lose(ANTHROPIC_FORMAT_STRICT, f"{path}.schema", True, False)
        return 0

    cdef int read_thinking(self, dict thinking) except -1:
        kind = thinking.get("type")
        cdef object budget = thinking.get("budget_tokens")
        cdef object effort = self.params.get("reasoning_effort")
        for name, value in thinking.items():
            if name == "display" and value is not None:
                self.lose(ANTHROPIC_THINKING_DISPLAY, "thinking.display", value)
            elif name not in ("type", "budget_tokens", "display") and value is not None:
                self.lose(PARAM_UNKNOWN, f"thinking.{name}", value)
        if kind == "disabled":
            if effort is not None:
                self.lose(ANTHROPIC_EFFORT_DISABLED, "output_config.effort", effort, "none")
            self.params["reasoning_effort"] = "none"
            self.places["reasoning_effort"] = "thinking"
        elif kind == "enabled":
            if isinstance(budget, bool) or not isinstance(budget, int):
                raise self.malformed("thinking.budget_tokens", "must be a whole number of tokens")
            if effort is None:
                effort = effort_for(budget, self.params.get("max_tokens"))
                self.params["reasoning_effort"] = effort
                self.places["reasoning_effort"] = "thinking.budget_tokens"
            self.lose(ANTHROPIC_THINKING_BUDGET, "thinking.budget_tokens", budget, effort)
        elif kind == "adaptive":
            self.lose(ANTHROPIC_THINKING_ADAPTIVE, "thinking", kind, None)
        else:
            raise self.malformed(
                "thinking.type", f"must be enabled, adaptive or disabled, not {kind!r}"
            )
        return 0

    cdef int read_tools(self, object tools) except -1:
        cdef list found = []
        if not isinstance(tools, (list, tuple)):
            raise self.malformed("tools", "must be a list of tools")
        for place, tool in enumerate(tools):
            path = f"tools[{place}]"
            if self.dict_of(tool, path).get("type") not in (None, "custom"):
                self.lose(ANTHROPIC_SERVER_TOOL, path, tool["type"])
                continue
            function = {"name": self.text_of(tool.get("name"), f"{path}.name")}
            cache = None
            for name, value in tool.items():
                if name in ("type", "name") or value is None:
                    continue
                if name == "input_schema":
                    function["parameters"] = self.written(value, f"{path}.input_schema")
                elif name == "description":
                    function[name] = self.text_of(value, f"{path}.description")
                elif name == "strict":
                    if not isinstance(value, bool):
                        raise self.malformed(f"{path}.strict", "must be True or False")
                    function[name] = value
                elif name == "cache_control":
                    cache = self.cache_of(tool, path)
                else:
                    self.lose(ANTHROPIC_TOOL_OPTION, f"{path}.{name}", value)
            if function.get("strict") and not openai_enforces(function.get("parameters")):
                self.lose(ANTHROPIC_TOOL_STRICT, f"{path}.strict", True, False)
                function["strict"] = False
            self.places[f"tools[{len(found)}]"] = path
            found.append({"type": "function", "function": function, **(cache or {})})
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
            raise self.malformed(
                "tool_choice.type", f"must be auto, any, tool or none, not {kind!r}"
            )
        for name, value in choice.items():
            if name not in ("type", "name", "disable_parallel_tool_use") and value is not None:
                self.lose(PARAM_UNKNOWN, f"tool_choice.{name}", value)
        if choice.get("disable_parallel_tool_use") is not None:
            self.params["parallel_tool_calls"] = not choice["disable_parallel_tool_use"]
            self.places["parallel_tool_calls"] = "tool_choice.disable_parallel_tool_use"
        return 0

    cdef int check_prefill(self, object messages) except -1:
        """Report an assistant message at the end: for Anthropic it is the answer's beginning."""
        cdef Turn turn = self.conversation.turns[-1]
        if turn.role == ASSISTANT and messages[-1]["role"] == "assistant" and (
            turn.more is None or turn.more.calls is None
        ):
            self.lose(ANTHROPIC_PREFILL, f"messages[{len(messages) - 1}].content")
        return 0


def read_request(dict request not None, dict parameters not None, tuple server_blocks not None):
    """Return `(conversation, params, losses, places)` of a messages request.

    *parameters* are `FieldTable.parameters()` of the dialect's own fields, *server_blocks* the
    types of the content blocks that are dropped as the output of the provider's tools. *places*
    maps each renamed parameter to its path in *request*; turns, parts and calls have their paths
    in `origin`. Raises `MessageFormatError` with the path of the malformed value.
    """
    cdef RequestReader reader = RequestReader.__new__(RequestReader)
    reader.parameters = parameters
    reader.server_blocks = server_blocks
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
    if not reader.conversation.turns:
        reader.lose(MESSAGES_BLANK, "messages")
        reader.add(USER, "user", "", None, None, "messages")
    reader.check_prefill(messages)
    reader.check_losses()
    return reader.conversation, reader.params, reader.losses, reader.places
