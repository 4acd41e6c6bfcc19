"""Anthropic request encoder: tools, tool choice, structured output emulated by a tool.

Shapes from anthropic.types 0.125.0 (2026-11-22). What has no counterpart there, or another
form, is reported by a row of `specado.losses.rows`.
"""

from specado._core.anthropic_blocks cimport is_tool_name, taken_name
from specado._core.anthropic_turns cimport AnthropicTurns
from specado._core.conversation cimport Call, Turn
from specado._core.json_writer cimport exact

import msgspec

from specado._core.schema import anthropic_form, row_of_moved
from specado._core.emulation import EMULATION_TOOL
from specado._core.json_writer import dumps
from specado.errors import MessageFormatError

# Refused at the root of an input ("input_schema does not support oneOf, allOf, or anyOf at the
# top level"; error bodies that users report, 2026-11-22).
cdef frozenset ALTERNATIVES = frozenset({"oneOf", "anyOf", "allOf"})


cdef class AnthropicTools(AnthropicTurns):
    """Writes tools; `thinking` and `answer_tool` are decided before."""

    cdef dict schema_format(self):
        """Return the `json_schema` member of the response format that was asked for."""
        cdef object wanted = self.params["response_format"].get("json_schema")
        if not isinstance(wanted, dict):
            raise MessageFormatError(
                "response_format.json_schema: must be a dict with name and schema",
                field="response_format.json_schema",
            )
        return <dict>wanted

    cdef object schema_of(self):
        return self.schema_format().get("schema") or {"type": "object"}

    cdef int check_schema_format(self) except -1:
        """Report what stands beside a schema that is written."""
        cdef str path = "response_format.json_schema"
        cdef dict given = self.schema_format()
        for name, value in given.items():
            if value is None or name == "schema" or name == "strict":
                continue
            if name == "name":
                self.lose("response_format.name", f"{path}.name", value)
            elif name == "description":
                self.lose("response_format.description", f"{path}.description", value)
            else:
                self.lose("param.unknown", f"{path}.{name}", value)
        if given.get("strict") is not True:
            self.lose("response_format.strict", path, given.get("strict"), True)
        return 0

    cdef bint is_native(self) except -1:
        """Find the form of the schema that the target enforces; return whether there is one.

        Anthropic always enforces: what it refuses in a schema stands in its descriptions, as
        anthropic 0.125.0 puts it (`lib/_parse/_transform.py`).
        """
        cdef str path = "response_format.json_schema.schema"
        if self.trait("structured_output") is not True:
            return False
        self.field = "response_format"
        self.form, closed, moved = anthropic_form(self.schema_of(), path)
        if self.form is None:
            return False
        self.check_schema_format()
        if closed:
            self.lose("response_format.closed", path, None, False)
        for place, name, value, hint in moved:
            self.lose(row_of_moved(name, value), place, value, hint)
        return True

    cdef int write_tools(self) except -1:
        cdef object tools = self.params.get("tools")
        cdef object choice = self.params.get("tool_choice")
        cdef set allowed = None
        cdef bint first = True
        cdef Py_ssize_t mark = self.out.size
        if tools:
            self.field = "tools"
            if self.lacks("tool_use") and self.lacks("function_calling"):
                self.lose("tools.unsupported", "tools")
            allowed, choice = self.allowed_tools(choice)
            self.out.literal(b',"tools":[')
            for place, tool in enumerate(tools):
                first = self.write_tool(tool, place, allowed, first)
            if not first:
                self.out.byte(b"]")
                return self.write_tool_choice(choice)
            self.out.size = mark
        if self.answer_tool is not None:
            self.write_stand_in()
        else:
            self.write_called_tools()
        if choice is not None and choice != "none" and choice != "auto":
            self.lose("tool_choice.without_tools", "tool_choice", choice)
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
        self.lose("tool_choice.allowed", "tool_choice.allowed_tools", sorted(names))
        return names, "required" if given.get("mode") == "required" else "auto"

    cdef int write_stand_in(self) except -1:
        """Write the forced tool that stands in for structured output."""
        cdef object description = self.schema_format().get("description")
        self.field = "response_format"
        self.out.literal(b',"tools":[{"name":"')
        self.out.literal(EMULATION_TOOL.encode())
        self.out.literal(b'","description":')
        self.out.value(description or "Give the answer in this form.", 0)
        self.out.literal(b',"input_schema":')
        self.out.value(self.stand_in_schema(), 0)
        self.out.literal(b'}],"tool_choice":{"type":"tool","name":"')
        self.out.literal(EMULATION_TOOL.encode())
        return self.out.literal(b'"}')

    cdef int write_called_tools(self) except -1:
        """Name the tools that the history calls, for no further use.

        A request with `tool_use` or `tool_result` blocks and without tools is refused there.
        """
        cdef Turn turn
        cdef Call call
        cdef dict names = {}
        cdef bint first = True
        for turn in self.conversation.turns:
            if turn.more is not None and turn.more.calls is not None:
                for call in turn.more.calls:
                    names[taken_name(call.name)] = None
        if not names:
            return 0
        self.lose("tools.called", "tools", None, list(names))
        self.out.literal(b',"tools":[')
        for name in names:
            self.block(first, b'{"name":')
            first = False
            self.out.string(name)
            self.out.literal(b',"input_schema":{"type":"object"}}')
        return self.out.literal(b'],"tool_choice":{"type":"none"}')

    cdef bint write_tool(self, object tool, Py_ssize_t place, set allowed, bint first) except -1:
        cdef str path = f"tools[{place}]"
        cdef dict function
        kind = tool.get("type")
        if kind is not None and not (isinstance(kind, str) and kind == "function"):
            self.lose("tool.custom", path)
            return first
        found = tool.get("function")
        if not isinstance(found, dict) or not isinstance((<dict>found).get("name"), str):
            raise MessageFormatError(
                f"{path}.function: must be a dict with a name", field=f"{path}.function"
            )
        function = <dict>found
        if allowed is not None and function["name"] not in allowed:
            return first
        if not is_tool_name(exact(function["name"])):
            self.lose("tool.name", path, exact(function["name"]))
            return first
        self.block(first, b'{"name":')
        self.out.value(function["name"], 0)
        if function.get("description") is not None:
            self.out.key(b"description")
            self.out.value(function["description"], 0)
        schema, strict = self.enforced_input(function, f"{path}.function")
        self.out.key(b"input_schema")
        self.out.value(schema, 0)
        if strict is not None:
            self.out.key(b"strict")
            self.out.value(strict, 0)
        self.write_cache(tool.get("cache_control"), f"{path}.cache_control")
        for name in function:
            if name not in ("name", "description", "parameters", "strict"):
                self.lose("param.unknown", f"{path}.function.{name}", function[name])
        for name, value in tool.items():
            if name not in ("type", "function", "cache_control"):
                self.lose("param.unknown", f"{path}.{name}", value)
        self.out.byte(b"}")
        return False

    cdef tuple enforced_input(self, dict function, str path):
        """Return the schema of a function's input and `strict`, as they are taken there."""
        cdef object strict = function.get("strict")
        cdef object given = function.get("parameters")
        cdef object schema = self.input_schema(given, f"{path}.parameters")
        if strict is None or self.trait("strict_tools") is not True:
            if strict:
                self.lose("tool.strict", f"{path}.strict", True)
            return schema, None
        if not strict or isinstance(given, msgspec.Raw):
            return schema, strict
        form, closed, moved = anthropic_form(schema, f"{path}.parameters")
        if form is None:
            self.lose("tool.strict_schema", f"{path}.strict", True, False)
            return schema, False
        if closed:
            self.lose("tool.hint", f"{path}.parameters", None, False)
        for place, _, value, hint in moved:
            self.lose("tool.hint", place, value, hint)
        return form, strict

    cdef object input_schema(self, object given, str path):
        """Return the schema of an object, without alternatives at its root; `Raw` as it is."""
        cdef dict made
        cdef list hints = []
        if isinstance(given, msgspec.Raw):
            return given
        if not given:
            return {"type": "object", "properties": {}}
        if not isinstance(given, dict):
            raise MessageFormatError(
                f"{path}: must be a dict, not {type(given).__name__}", field=path
            )
        if (<dict>given).get("type", "object") != "object":
            self.lose("tool.schema", path, (<dict>given)["type"], "object")
            return {"type": "object", "description": dumps(given).decode()}
        made = {"type": "object"}
        for name, value in (<dict>given).items():
            if name in ALTERNATIVES:
                hints.append(f"{name}: {dumps(value).decode()}")
                self.lose("tool.hint", f"{path}.{name}", value, hints[-1])
            else:
                made[name] = value
        if hints:
            said = "{" + ", ".join(hints) + "}"
            described = made.get("description")
            made["description"] = f"{described}\n\n{said}" if described else said
        elif "type" in <dict>given:
            return given
        return made

    cdef object stand_in_schema(self):
        """Return the schema of a tool that stands in for an answer, `None` for another shape."""
        cdef object given = self.schema_of()
        if isinstance(given, msgspec.Raw):
            return given
        if not isinstance(given, dict) or (<dict>given).get("type", "object") != "object":
            return None
        for name in <dict>given:
            if name in ALTERNATIVES:
                return None
        return given if "type" in <dict>given else {"type": "object", **given}

    cdef int write_tool_choice(self, object choice) except -1:
        cdef object parallel = self.params.get("parallel_tool_calls")
        cdef bint one = parallel is False
        cdef object name = None
        cdef str kind = None
        if one and self.trait("parallel_tool_calls") is False:
            self.lose("parallel_tool_calls.never", "parallel_tool_calls", parallel)
            one = False
        if choice is None or choice == "auto":
            kind = "auto" if one or choice is not None else None
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
            if not is_tool_name(exact(name)):
                self.lose("tool.name", "tool_choice", exact(name))
                kind = "auto" if one else None
        else:
            self.lose("tool_choice.unknown", "tool_choice", choice)
            kind = "auto" if one else None
        if kind in ("any", "tool") and not self.may_force():
            self.lose("tool_choice.thinking", "tool_choice", choice)
            kind = "auto"
        if kind is None:
            return 0
        self.field = "tool_choice"
        self.out.literal(b',"tool_choice":{"type":')
        self.out.string(kind)
        if kind == "tool":
            self.out.key(b"name")
            self.out.value(name, 0)
        if one and kind != "none":
            self.out.literal(b',"disable_parallel_tool_use":true')
        return self.out.byte(b"}")

    cdef bint may_force(self):
        """Return whether a tool may be forced: a model that always thinks may allow it."""
        if self.thinking and self.trait("thinking") != "always":
            return False
        return self.trait("forced_tool_choice") is not False
