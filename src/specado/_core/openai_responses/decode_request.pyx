"""Responses request decoder: a request of OpenAI's Responses API to the canonical form.

Every field of `openai.types.responses.ResponseCreateParams` 3.57 and every input item (2026-11-30)
has a branch here; members without a canonical form are reported by a row of
`specado.losses.rows`, with its path in the request as it was given.
"""

cimport cython

from specado._core.conversation cimport (
    ASSISTANT, DEVELOPER, FILE, IMAGE, REFUSAL, SYSTEM, TEXT, TOOL, USER, Call, Details, Part, Turn,
)
from specado._core.normalize cimport is_base64
from specado._core.source_reader cimport SourceReader

from specado._core.loss_rows import PART_UNKNOWN_KEY
from specado._core.openai_responses.carried import read_block
from specado._core.openai_responses.server_loss_rows import (
    FILE_ID, MESSAGES_BLANK, MESSAGE_ANNOTATIONS, PARAM_UNKNOWN,
    RESPONSES_CALL_OPTION, RESPONSES_FILE_URL, RESPONSES_INCLUDE, RESPONSES_ITEM_FACTS,
    RESPONSES_ITEM_ORDER, RESPONSES_PHASE, RESPONSES_PROMPT_CACHE, RESPONSES_REASONING_OPTION,
    RESPONSES_SERVER_ITEM, RESPONSES_SERVER_TOOL, CONVERSATION_STORED, RESPONSES_TOOL_LOOSE,
    RESPONSES_TOOL_OPTION, RESPONSES_TOOL_STRICT, RESPONSES_WEB_SEARCH,
    RESPONSES_WEB_SEARCH_OPTION, TOOL_CHOICE_UNKNOWN, TOOL_CHOICE_WITHOUT_TOOLS,
)
from specado._core.schema import openai_enforces

cdef dict ROLES = {"user": USER, "system": SYSTEM, "developer": DEVELOPER, "assistant": ASSISTANT}
# Members of items that only their own provider needs.
cdef frozenset ITEM_FACTS = frozenset({"id", "status"})
cdef frozenset CALL_OPTIONS = frozenset({"namespace", "caller", "async"})
cdef frozenset MESSAGE_KEYS = frozenset({"type", "role", "content", "phase"})
cdef frozenset REASONING_KEYS = frozenset({
    "type", "id", "status", "summary", "content", "encrypted_content",
})
cdef frozenset CALL_KEYS = frozenset({"type", "call_id", "name", "arguments"})
cdef frozenset CUSTOM_CALL_KEYS = frozenset({"type", "call_id", "name", "input"})
cdef frozenset OUTPUT_KEYS = frozenset({"type", "call_id", "output"})
cdef frozenset TEXT_KEYS = frozenset({"type", "text", "prompt_cache_breakpoint"})
cdef frozenset ANSWER_KEYS = frozenset({"type", "text", "annotations", "logprobs"})
cdef frozenset REFUSAL_KEYS = frozenset({"type", "refusal"})
cdef frozenset IMAGE_KEYS = frozenset({
    "type", "image_url", "file_id", "detail", "prompt_cache_breakpoint",
})
cdef frozenset FILE_KEYS = frozenset({
    "type", "file_data", "file_id", "file_url", "filename", "prompt_cache_breakpoint",
})
cdef frozenset ANSWER_TEXTS = frozenset({"output_text", "input_text", "text"})
# The parameters that the canonical form has under the same name, with the same values.
cdef frozenset SAME = frozenset({
    "temperature", "top_p", "stream", "parallel_tool_calls", "service_tier", "metadata", "user",
    "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "moderation", "store",
    "stream_options",
})
# Members of `prompt_cache_options` that chat completions do not have.
cdef frozenset CACHE_OPTIONS = frozenset({"comparison_response_id", "prewarm"})
# Members of `reasoning` without a canonical form, and the values that are no loss.
cdef dict REASONING_OPTIONS = {
    "summary": None, "generate_summary": None, "mode": "standard", "context": "auto",
}
# Members of function and custom tools without a canonical form, and the values that are no loss.
cdef dict TOOL_OPTIONS = {
    "defer_loading": False, "allowed_callers": ["direct"], "output_schema": None, "async": False,
}
cdef frozenset WEB_SEARCHES = frozenset({
    "web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11",
})
cdef str LOGPROBS = "message.output_text.logprobs"
cdef str ENCRYPTED = "reasoning.encrypted_content"
# Members that name a stored beginning of the conversation.
cdef tuple STORED = ("previous_response_id", "conversation", "prompt")
# A parameter that the field table does not have: its loss row, and the value that is no loss.
cdef tuple UNKNOWN = (PARAM_UNKNOWN, None)

cdef enum:
    # The order of an answer's content in the canonical form.
    NOTHING = 0
    REASONING = 1
    ANSWER = 2
    CALLS = 3


@cython.final
cdef class RequestReader(SourceReader):
    """Reads one Responses request. One per request; not for two threads at once.

    The items of an answer become one message as long as they come in the order that a message has:
    reasoning, text, calls.
    """

    cdef bint is_stored      # whether the provider stores the beginning of the conversation
    cdef dict callers        # the turn of each call's id
    # The answer that is being read: how far it has come, and its content.
    cdef int rank
    cdef str answer_path
    cdef list parts, calls, reasoning, origins

    # Items.

    cdef int read_input(self, object given) except -1:
        if isinstance(given, str):
            return self.add(USER, "user", self.counted(self.text_of(given, "input")), None, None,
                            "input")
        if given is None and self.is_stored:
            return 0
        if not isinstance(given, (list, tuple)):
            raise self.malformed("input", "must be a str or a list of input items")
        for place, item in enumerate(given):
            path = f"input[{place}]"
            self.read_item(self.dict_of(item, path), path)
        return self.end_answer()

    cdef int read_item(self, dict item, str path) except -1:
        kind = item.get("type")
        if kind is None and "role" not in item:
            kind = "item_reference"
        if kind is None or kind == "message":
            return self.read_message(item, path)
        if kind == "reasoning":
            return self.read_reasoning(item, path)
        if kind == "function_call" or kind == "custom_tool_call":
            return self.read_call(item, kind == "custom_tool_call", path)
        if kind == "function_call_output" or kind == "custom_tool_call_output":
            return self.read_output(item, path)
        if kind == "item_reference":
            return self.lose(CONVERSATION_STORED, path, kind)
        return self.lose(RESPONSES_SERVER_ITEM, path, self.text_of(kind, f"{path}.type"))

    cdef str kind_of(self, dict given, str path):
        """Return the `type` of a part or a tool, `None` without one."""
        kind = given.get("type")
        return None if kind is None else self.text_of(kind, f"{path}.type")

    cdef int check_item(self, dict item, frozenset known, str path) except -1:
        """Report the members of an item that are not read."""
        for name, value in item.items():
            if name in known or value is None:
                continue
            if name in ITEM_FACTS:
                self.lose(RESPONSES_ITEM_FACTS, f"{path}.{name}", value)
            elif name in CALL_OPTIONS:
                if value is not False and value != {"type": "direct"}:
                    self.lose(RESPONSES_CALL_OPTION, f"{path}.{name}", value)
            else:
                self.lose(PART_UNKNOWN_KEY, f"{path}.{name}", value)
        return 0

    cdef int read_message(self, dict item, str path) except -1:
        cdef object role = item.get("role")
        cdef object content = item.get("content")
        cdef list parts = []
        if not isinstance(role, str) or role not in ROLES:
            raise self.malformed(
                f"{path}.role", f"must be user, assistant, system or developer, not {role!r}"
            )
        self.check_item(item, MESSAGE_KEYS, path)
        if item.get("phase") is not None:
            self.lose(RESPONSES_PHASE, f"{path}.phase", item["phase"])
        if not isinstance(content, (str, list, tuple)):
            raise self.malformed(
                f"{path}.content",
                f"must be a str or a list of content parts, not {self.shown(content, path)}",
            )
        if role == "assistant":
            return self.read_answer(content, path)
        self.end_answer()
        if isinstance(content, str):
            text = self.counted(self.text_of(content, f"{path}.content"))
            return self.add(ROLES[role], role, text, None, None, path)
        parts = self.input_parts(content, f"{path}.content")
        return self.add(ROLES[role], role, None if parts else "", parts or None, None, path)

    cdef list input_parts(self, object given, str path):
        """Return content parts of the input; those without a canonical form are reported."""
        cdef list parts = []
        cdef Part part
        for place, item in enumerate(given):
            where = f"{path}[{place}]"
            item = self.dict_of(item, where)
            kind = self.kind_of(item, where)
            if kind == "input_text":
                part = self.text_part(item, where)
            elif kind == "input_image":
                part = self.image_part(item, where)
            elif kind == "input_file":
                part = self.file_part(item, where)
            else:
                raise self.malformed(
                    f"{where}.type",
                    f"{kind!r} is not an input part: input_text, input_image or input_file",
                )
            if part is not None:
                parts.append(part)
        return parts

    cdef Part new_part(self, dict given, frozenset known, str path):
        cdef Part part = Part.__new__(Part)
        part.origin = path
        if given.get("prompt_cache_breakpoint") is not None:
            found = self.frozen(given["prompt_cache_breakpoint"], f"{path}.prompt_cache_breakpoint")
            part.extra = {"prompt_cache_breakpoint": found}
        self.check_keys(given, known, path)
        return part

    cdef Part text_part(self, dict given, str path):
        cdef Part part = self.new_part(given, TEXT_KEYS, path)
        part.text = self.counted(self.text_of(given.get("text"), f"{path}.text"))
        return part

    cdef Part image_part(self, dict given, str path):
        cdef Part part = self.new_part(given, IMAGE_KEYS, path)
        if given.get("image_url") is None:
            if given.get("file_id") is None:
                raise self.malformed(path, "needs image_url or file_id")
            self.lose(FILE_ID, f"{path}.file_id", given["file_id"])
            return None
        part.kind = IMAGE
        self.take_uri(part, self.text_of(given["image_url"], f"{path}.image_url"),
                      f"{path}.image_url")
        if given.get("file_id") is not None:
            self.lose(FILE_ID, f"{path}.file_id", given["file_id"])
        if given.get("detail") is not None:
            part.detail = self.text_of(given["detail"], f"{path}.detail")
        self.conversation.images += 1
        return part

    cdef Part file_part(self, dict given, str path):
        cdef Part part = self.new_part(given, FILE_KEYS, path)
        if given.get("file_url") is not None:
            self.lose(RESPONSES_FILE_URL, f"{path}.file_url", given["file_url"])
        part.kind = FILE
        if given.get("file_data") is not None:
            data = self.text_of(given["file_data"], f"{path}.file_data")
            self.take_uri(part, data, f"{path}.file_data")
            if part.media is None and not is_base64(part.text, 0):
                raise self.malformed(f"{path}.file_data", "the data is not base64")
        if given.get("filename") is not None:
            part.detail = self.text_of(given["filename"], f"{path}.filename")
        if given.get("file_id") is not None:
            part.file_id = self.text_of(given["file_id"], f"{path}.file_id")
        if part.text is None and part.file_id is None:
            if given.get("file_url") is None:
                raise self.malformed(path, "needs file_data, file_id or file_url")
            return None
        self.conversation.files += 1
        return part

    # Answers.

    cdef int begin_answer(self, int rank, str path) except -1:
        """Start another message if this content cannot follow in the message that is being read."""
        if self.rank == CALLS and rank < CALLS:
            self.lose(RESPONSES_ITEM_ORDER, path)
        elif rank < self.rank or rank == self.rank == ANSWER:
            self.end_answer()
        if self.rank == NOTHING:
            self.answer_path = path
            self.parts, self.calls, self.reasoning = [], [], []
            self.origins = []
        self.rank = max(self.rank, rank)
        return 0

    cdef int end_answer(self) except -1:
        """Add the answer that was read as one assistant message."""
        cdef Details more = None
        cdef Turn turn
        if self.rank == NOTHING:
            return 0
        self.rank = NOTHING
        if self.calls or self.reasoning:
            more = Details.__new__(Details)
            more.calls = self.calls or None
            more.reasoning_details = self.reasoning or None
            more.origins = self.origins
        if self.reasoning:
            self.conversation.has_reasoning = True
        if len(self.parts) == 1 and (<Part>self.parts[0]).kind == TEXT:
            self.add(ASSISTANT, "assistant", (<Part>self.parts[0]).text, None, more,
                     self.answer_path)
        elif self.parts or more is not None:
            self.add(ASSISTANT, "assistant", None, self.parts or None, more, self.answer_path)
        else:
            return self.add(ASSISTANT, "assistant", "", None, None, self.answer_path)
        turn = self.conversation.turns[-1]
        for call in self.calls:
            self.callers[(<Call>call).id] = turn
        return 0

    cdef int read_answer(self, object content, str path) except -1:
        cdef Part part
        self.begin_answer(ANSWER, path)
        self.answer_path = path
        if isinstance(content, str):
            part = Part.__new__(Part)
            part.origin = path
            part.text = self.counted(self.text_of(content, f"{path}.content"))
            self.parts.append(part)
            return 0
        for place, item in enumerate(content):
            where = f"{path}.content[{place}]"
            item = self.dict_of(item, where)
            kind = self.kind_of(item, where)
            if kind == "refusal":
                self.parts.append(self.refusal_part(item, where))
            elif kind in ANSWER_TEXTS:
                self.parts.append(self.answer_part(item, where))
            else:
                raise self.malformed(
                    f"{where}.type",
                    f"{kind!r} is not a part of an answer: output_text or refusal",
                )
        return 0

    cdef Part refusal_part(self, dict given, str path):
        cdef Part part = Part.__new__(Part)
        part.kind = REFUSAL
        part.origin = path
        part.text = self.counted(self.text_of(given.get("refusal"), f"{path}.refusal"))
        self.check_keys(given, REFUSAL_KEYS, path)
        return part

    cdef Part answer_part(self, dict given, str path):
        cdef Part part = Part.__new__(Part)
        part.origin = path
        part.text = self.counted(self.text_of(given.get("text"), f"{path}.text"))
        if given.get("annotations"):
            self.lose(MESSAGE_ANNOTATIONS, f"{path}.annotations", given["annotations"])
        if given.get("logprobs"):
            self.lose(RESPONSES_ITEM_FACTS, f"{path}.logprobs", given["logprobs"])
        self.check_keys(given, ANSWER_KEYS, path)
        return part

    cdef int read_reasoning(self, dict item, str path) except -1:
        self.begin_answer(REASONING, path)
        self.check_keys(item, REASONING_KEYS, path)
        if item.get("status") is not None:
            self.lose(RESPONSES_ITEM_FACTS, f"{path}.status", item["status"])
        summary = self.reasoning_texts(item.get("summary"), f"{path}.summary")
        content = self.reasoning_texts(item.get("content"), f"{path}.content")
        data = item.get("encrypted_content")
        if data is not None:
            data = self.text_of(data, f"{path}.encrypted_content")
        id_ = item.get("id")
        if id_ is not None:
            id_ = self.text_of(id_, f"{path}.id")
        self.reasoning.append(read_block(id_, data, summary, content, self.model))
        self.origins.append(path)
        return 0

    cdef list reasoning_texts(self, object given, str path):
        cdef list texts = []
        if given is None:
            return texts
        if not isinstance(given, (list, tuple)):
            raise self.malformed(path, f"must be a list, not {self.shown(given, path)}")
        for place, part in enumerate(given):
            where = f"{path}[{place}]"
            part = self.dict_of(part, where)
            texts.append(self.text_of(part.get("text"), f"{where}.text"))
        return texts

    cdef int read_call(self, dict item, bint custom, str path) except -1:
        cdef Call call = Call.__new__(Call)
        self.begin_answer(CALLS, path)
        call.origin = path
        call.custom = custom
        call.id = self.text_of(item.get("call_id"), f"{path}.call_id")
        call.name = self.text_of(item.get("name"), f"{path}.name")
        name = "input" if custom else "arguments"
        call.text = self.counted(self.text_of(item.get(name), f"{path}.{name}"))
        self.check_item(item, CUSTOM_CALL_KEYS if custom else CALL_KEYS, path)
        self.calls.append(call)
        return 0

    cdef int read_output(self, dict item, str path) except -1:
        """Read the output of a call as a tool message, which follows the message with the call."""
        cdef Details more = Details.__new__(Details)
        cdef object output = item.get("output")
        cdef list parts = None
        cdef str text = None
        self.end_answer()
        if item.get("call_id") is None:    # of a call that only the provider knows
            return self.lose(RESPONSES_SERVER_ITEM, path, item.get("type"))
        more.tool_call_id = self.text_of(item["call_id"], f"{path}.call_id")
        if more.tool_call_id not in self.callers:
            if self.is_stored:  # it answers a call that the provider has
                return self.lose(CONVERSATION_STORED, path, item.get("type"))
            raise self.malformed(
                f"{path}.call_id", f"{more.tool_call_id!r} answers no call before it"
            )
        self.check_item(item, OUTPUT_KEYS | {"name"}, path)
        if item.get("name") is not None:
            self.lose(RESPONSES_CALL_OPTION, f"{path}.name", item["name"])
        if isinstance(output, str):
            text = self.counted(self.text_of(output, f"{path}.output"))
        elif isinstance(output, (list, tuple)):
            parts = self.input_parts(output, f"{path}.output") or None
            text = None if parts else ""
        else:
            raise self.malformed(f"{path}.output", "must be a str or a list of content parts")
        self.add(TOOL, "tool", text, parts, more, path)
        return self.place_output(self.callers[more.tool_call_id], path)

    cdef int place_output(self, Turn caller, str path) except -1:
        """Move the last turn, an output, behind the answer with its call and the outputs there."""
        cdef list turns = self.conversation.turns
        cdef Py_ssize_t at = len(turns) - 2
        while at >= 0 and (<Turn>turns[at]).role != ASSISTANT:
            at -= 1
        if at >= 0 and turns[at] is caller:
            return 0
        at = 0
        while turns[at] is not caller:
            at += 1
        at += 1
        while (<Turn>turns[at]).role == TOOL and at < len(turns) - 1:
            at += 1
        turns.insert(at, turns.pop())
        return self.lose(RESPONSES_ITEM_ORDER, path)

    # Parameters.

    cdef int read_params(self, dict request) except -1:
        for name, value in request.items():
            if value is None or name in ("model", "input", "instructions"):
                continue
            dropped = self.parameters.get(name, UNKNOWN)
            if dropped is not None:
                if value != dropped[1] or isinstance(value, bool) != isinstance(dropped[1], bool):
                    self.lose(dropped[0], name, value)
            elif name in SAME:
                self.params[name] = self.frozen(value, name)
            else:
                self.read_param(name, value)
        self.read_logprobs(request)
        self.check_tools(request)
        return 0

    cdef int read_param(self, str name, object value) except -1:
        if name == "max_output_tokens":
            self.put("max_completion_tokens", value, name)
        elif name == "reasoning":
            self.read_reasoning_options(self.dict_of(value, name))
        elif name == "text":
            self.read_text(self.dict_of(value, name))
        elif name == "tools":
            self.read_tools(value)
        elif name == "tool_choice":
            self.read_tool_choice(value)
        elif name == "prompt_cache_options":
            self.read_cache_options(self.dict_of(value, name))
        return 0

    cdef int put(self, str name, object value, str path) except -1:
        """Set a parameter that has another path in the request."""
        self.params[name] = value
        self.places[name] = path
        return 0

    cdef int read_logprobs(self, dict request) except -1:
        """Read `include` and `top_logprobs`, which both ask for log probabilities."""
        cdef object wanted = request.get("include")
        cdef object top = request.get("top_logprobs")
        if wanted is not None and not isinstance(wanted, (list, tuple)):
            raise self.malformed("include", "must be a list of str")
        for place, name in enumerate(wanted or ()):
            path = f"include[{place}]"
            if name == LOGPROBS:
                self.put("logprobs", True, path)
            elif self.text_of(name, path) != ENCRYPTED:
                self.lose(RESPONSES_INCLUDE, path, name)
        if top:
            self.params["top_logprobs"] = top
            if "logprobs" not in self.params:
                self.put("logprobs", True, "top_logprobs")
        return 0

    cdef int read_reasoning_options(self, dict given) except -1:
        for name, value in given.items():
            if value is None:
                continue
            path = f"reasoning.{name}"
            if name == "effort":
                self.put("reasoning_effort", self.text_of(value, path), path)
            elif name not in REASONING_OPTIONS:
                self.lose(PARAM_UNKNOWN, path, value)
            elif value != REASONING_OPTIONS[name]:
                self.lose(RESPONSES_REASONING_OPTION, path, value)
        return 0

    cdef int read_text(self, dict given) except -1:
        for name, value in given.items():
            if value is None:
                continue
            path = f"text.{name}"
            if name == "verbosity":
                self.put("verbosity", self.text_of(value, path), path)
            elif name == "format":
                self.read_format(self.dict_of(value, path), path)
            else:
                self.lose(PARAM_UNKNOWN, path, value)
        return 0

    cdef int read_format(self, dict given, str path) except -1:
        cdef dict schema = {}
        kind = given.get("type")
        if kind == "text":
            return 0
        if kind == "json_object":
            return self.put("response_format", {"type": kind}, path)
        if kind != "json_schema":
            return self.lose(PARAM_UNKNOWN, path, given)
        for name, value in given.items():
            if name == "type" or value is None:
                continue
            if name == "schema":
                value = self.dict_of(value, f"{path}.schema")
                schema[name] = self.written(value, f"{path}.schema")
            elif name == "name" or name == "description":
                schema[name] = self.text_of(value, f"{path}.{name}")
            elif name == "strict":
                schema[name] = self.flag_of(value, f"{path}.strict")
            else:
                self.lose(PART_UNKNOWN_KEY, f"{path}.{name}", value)
        if "name" not in schema or "schema" not in schema:
            raise self.malformed(path, "needs a name and a schema")
        self.places["response_format.json_schema"] = path
        return self.put("response_format", {"type": kind, "json_schema": schema}, path)

    cdef object flag_of(self, object value, str path):
        if not isinstance(value, bool):
            raise self.malformed(path, "must be True or False")
        return value

    cdef int read_cache_options(self, dict given) except -1:
        cdef dict options = {}
        for name, value in given.items():
            if value is None:
                continue
            path = f"prompt_cache_options.{name}"
            if name in CACHE_OPTIONS:
                self.lose(RESPONSES_PROMPT_CACHE, path, value)
            else:
                options[name] = self.frozen(value, path)
        if options:
            self.params["prompt_cache_options"] = options
        return 0

    # Tools.

    cdef int read_tools(self, object tools) except -1:
        cdef list found = []
        if not isinstance(tools, (list, tuple)):
            raise self.malformed("tools", "must be a list of tools")
        for place, tool in enumerate(tools):
            path = f"tools[{place}]"
            tool = self.dict_of(tool, path)
            kind = self.kind_of(tool, path)
            if kind == "function":
                made = self.function_tool(tool, path)
            elif kind == "custom":
                made = self.custom_tool(tool, path)
            elif kind in WEB_SEARCHES and "web_search_options" not in self.params:
                self.read_web_search(tool, path)
                continue
            else:
                self.lose(RESPONSES_SERVER_TOOL, path, self.text_of(kind, f"{path}.type"))
                continue
            self.places[f"tools[{len(found)}]"] = path
            found.append(made)
        if found:
            self.params["tools"] = found
        return 0

    cdef int lose_tool_member(self, str name, object value, str path) except -1:
        if name not in TOOL_OPTIONS:
            return self.lose(PART_UNKNOWN_KEY, f"{path}.{name}", value)
        if value != TOOL_OPTIONS[name]:
            self.lose(RESPONSES_TOOL_OPTION, f"{path}.{name}", value)
        return 0

    cdef dict function_tool(self, dict tool, str path):
        """Return a function tool; without `strict` it is strict where its schema allows that."""
        cdef dict function = {"name": self.text_of(tool.get("name"), f"{path}.name")}
        for name, value in tool.items():
            if name in ("type", "name") or value is None:
                continue
            if name == "parameters":
                value = self.dict_of(value, f"{path}.parameters")
                function[name] = self.written(value, f"{path}.parameters")
            elif name == "description":
                function[name] = self.text_of(value, f"{path}.description")
            elif name == "strict":
                function[name] = self.flag_of(value, f"{path}.strict")
            else:
                self.lose_tool_member(name, value, path)
        if "strict" not in function:
            is_strict = openai_enforces(function.get("parameters"))
            row = RESPONSES_TOOL_STRICT if is_strict else RESPONSES_TOOL_LOOSE
            self.lose(row, f"{path}.strict", None, is_strict)
            if is_strict:
                function["strict"] = True
        return {"type": "function", "function": function}

    cdef dict custom_tool(self, dict tool, str path):
        cdef dict custom = {"name": self.text_of(tool.get("name"), f"{path}.name")}
        for name, value in tool.items():
            if name in ("type", "name") or value is None:
                continue
            if name == "description":
                custom[name] = self.text_of(value, f"{path}.description")
            elif name == "format":
                custom[name] = self.tool_format(self.dict_of(value, f"{path}.format"), path)
            else:
                self.lose_tool_member(name, value, path)
        return {"type": "custom", "custom": custom}

    cdef dict tool_format(self, dict given, str path):
        """Return the format of a custom tool's input; a grammar has one more level there."""
        cdef dict found = self.frozen(given, f"{path}.format")
        if found.get("type") != "grammar":
            return found
        rest = {name: value for name, value in found.items() if name != "type"}
        return {"type": "grammar", "grammar": rest}

    cdef int read_web_search(self, dict tool, str path) except -1:
        """Read a web search tool as the parameter that chat completions have in its place."""
        cdef dict options = {}
        self.lose(RESPONSES_WEB_SEARCH, path, tool["type"], "web_search_options")
        for name, value in tool.items():
            if name == "type" or value is None:
                continue
            if name == "search_context_size":
                options[name] = self.text_of(value, f"{path}.{name}")
            elif name == "user_location":
                options[name] = self.location(self.dict_of(value, f"{path}.{name}"), path)
            else:
                self.lose(RESPONSES_WEB_SEARCH_OPTION, f"{path}.{name}", value)
        return self.put("web_search_options", options, path)

    cdef dict location(self, dict given, str path):
        cdef dict found = self.frozen(given, f"{path}.user_location")
        rest = {
            name: value for name, value in found.items() if name != "type" and value is not None
        }
        return {"type": "approximate", "approximate": rest}

    cdef int read_tool_choice(self, object choice) except -1:
        if isinstance(choice, str):
            if choice not in ("none", "auto", "required"):
                raise self.malformed(
                    "tool_choice", f"must be none, auto, required or a dict, not {choice!r}"
                )
            self.params["tool_choice"] = choice
            return 0
        choice = self.dict_of(choice, "tool_choice")
        kind = choice.get("type")
        if kind == "allowed_tools":
            return self.read_allowed_tools(choice)
        made = self.named_tool(choice, "tool_choice")
        if made is None:
            return self.lose(TOOL_CHOICE_UNKNOWN, "tool_choice", choice)
        self.places[f"tool_choice.{kind}"] = "tool_choice"
        self.params["tool_choice"] = made
        return self.check_keys(choice, frozenset({"type", "name"}), "tool_choice")

    cdef dict named_tool(self, dict given, str path):
        """Return the choice of a function or a custom tool, `None` for another."""
        kind = given.get("type")
        if kind != "function" and kind != "custom":
            return None
        return {"type": kind, kind: {"name": self.text_of(given.get("name"), f"{path}.name")}}

    cdef int read_allowed_tools(self, dict choice) except -1:
        cdef list found = []
        cdef object tools = choice.get("tools")
        if not isinstance(tools, (list, tuple)):
            raise self.malformed("tool_choice.tools", "must be a list of tools")
        for place, tool in enumerate(tools):
            path = f"tool_choice.tools[{place}]"
            made = self.named_tool(self.dict_of(tool, path), path)
            if made is None:
                self.lose(TOOL_CHOICE_UNKNOWN, path, tool)
            else:
                found.append(made)
        self.check_keys(choice, frozenset({"type", "mode", "tools"}), "tool_choice")
        self.places["tool_choice.allowed_tools"] = "tool_choice"
        mode = self.text_of(choice.get("mode"), "tool_choice.mode")
        self.params["tool_choice"] = {
            "type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": found},
        }
        return 0

    cdef int check_tools(self, dict request) except -1:
        """Leave out what chat completions refuse without tools."""
        if "tools" in self.params:
            return 0
        self.params.pop("parallel_tool_calls", None)
        choice = self.params.pop("tool_choice", None)
        if choice is not None and choice != "auto" and choice != "none":
            self.lose(TOOL_CHOICE_WITHOUT_TOOLS, "tool_choice", request["tool_choice"])
        return 0


def read_request(dict request not None, dict parameters not None):
    """Return `(conversation, params, losses, places)` of a Responses request.

    *parameters* are `FieldTable.parameters()` of the dialect's own fields. *places* maps each
    renamed parameter to its path in *request*; turns, parts and calls have their paths in `origin`.
    Raises `MessageFormatError` with the path of the malformed value.
    """
    cdef RequestReader reader = RequestReader.__new__(RequestReader)
    reader.content_member = "input"
    reader.parameters = parameters
    reader.callers = {}
    reader.is_stored = any([request.get(name) is not None for name in STORED])
    model = request.get("model")
    reader.model = model if isinstance(model, str) else ""
    instructions = request.get("instructions")
    if instructions is not None and instructions != "":
        text = reader.counted(reader.text_of(instructions, "instructions"))
        reader.add(SYSTEM, "system", text, None, None, "instructions")
    reader.read_input(request.get("input"))
    reader.read_params(request)
    if not reader.conversation.turns:
        reader.lose(MESSAGES_BLANK, "input" if request.get("input") is not None else "model")
        reader.add(USER, "user", "", None, None, "input")
    reader.check_losses()
    return reader.conversation, reader.params, reader.losses, reader.places
