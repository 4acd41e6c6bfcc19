"""OpenAI chat request encoder: tools, tool choice, names of tools.

Members that a model is known to refuse are reported by rows of `specado.losses.rows`.
"""

from specado._core.encoder cimport Encoder
from specado._core.json_text cimport exact
from specado._core.names cimport is_name, renamed

import msgspec

from specado.errors import MessageFormatError

# The longest name of a tool (openai.types.shared.function_definition 3.54, 2026-11-22).
cdef Py_ssize_t LONGEST_NAME = 64


cdef class OpenAITools(Encoder):
    """Writes tools; other servers' limits are not known, so that names pass there."""

    cdef int decide_tools(self) except -1:
        """Find whether any tool goes to the target; report those whose names it refuses."""
        cdef object tools = self.params.get("tools")
        cdef Py_ssize_t refused = 0
        if not tools:
            return 0
        if self.lacks("function_calling") and self.lacks("tool_use"):
            self.lose("tools.unsupported", "tools")
            self.toolless = True
        elif isinstance(tools, list):
            for place, tool in enumerate(<list>tools):
                if self.is_misnamed(tool):
                    self.lose("tool.name", f"tools[{place}]", name_of(tool))
                    self.check("tools", tool)
                    refused += 1
            self.toolless = refused == len(<list>tools)
        return 0

    cdef bint is_misnamed(self, object tool):
        """Return whether a tool, or the choice of one, has a name that is refused there."""
        cdef object name
        if self.facts is None:
            return False
        name = name_of(tool)
        return name is not None and not is_name(<str>name, LONGEST_NAME)

    cdef str call_name(self, str given, str field):
        """Return the name of the tool that was called, as it is taken there."""
        cdef str name_there
        if self.facts is None or is_name(given, LONGEST_NAME):
            return given
        name_there = renamed(given, LONGEST_NAME)
        self.lose("tool_call.name", f"messages[{self.index}].{field}", given, name_there)
        return name_there

    cdef object choice_there(self, object choice):
        """Return a choice of tools without those left out, `None` if nothing is left of it."""
        cdef object given
        cdef list kept = []
        if self.is_misnamed(choice):
            self.lose("tool.name", "tool_choice", name_of(choice))
            return None
        if self.is_forced(choice) and self.trait("forced_tool_choice") is False:
            self.lose("tool_choice.thinking", "tool_choice", choice, "auto")
            return "auto"
        given = (<dict>choice).get("allowed_tools") if isinstance(choice, dict) else None
        tools = (<dict>given).get("tools") if isinstance(given, dict) else None
        if not isinstance(tools, list):
            return choice
        for place, tool in enumerate(<list>tools):
            if self.is_misnamed(tool):
                path = f"tool_choice.allowed_tools.tools[{place}]"
                self.lose("tool.name", path, name_of(tool))
            else:
                kept.append(tool)
        if len(kept) == len(<list>tools):
            return choice
        return {**choice, "allowed_tools": {**given, "tools": kept}} if kept else "none"

    cdef bint is_forced(self, object choice):
        return choice == "required" or (
            isinstance(choice, dict) and choice.get("type") != "allowed_tools"
        )

    cdef int write_tools(self, object tools) except -1:
        cdef list kept
        if isinstance(tools, list):
            kept = []
            for place, tool in enumerate(tools):
                if not self.is_misnamed(tool):
                    kept.append(self.tool_there(tool, f"tools[{place}]"))
            tools = kept
        return self.member("tools", tools)

    cdef object tool_there(self, object tool, str path):
        """Return a tool without what the target does not take."""
        cdef object function
        if not isinstance(tool, dict):
            return tool
        if "cache_control" in <dict>tool:
            self.lose("cache_control.openai", f"{path}.cache_control", tool["cache_control"])
            tool = {name: value for name, value in (<dict>tool).items() if name != "cache_control"}
        function = (<dict>tool).get("function")
        if isinstance(function, dict):
            given = (<dict>function).get("parameters")
            if given is not None and not isinstance(given, (dict, msgspec.Raw)):
                field = f"{path}.function.parameters"
                raise MessageFormatError(
                    f"{field}: must be a dict, not {type(given).__name__}", field=field
                )
        if (
            self.trait("strict_tools") is False
            and isinstance(function, dict)
            and function.get("strict")
        ):
            self.lose("tool.strict", f"{path}.function.strict", function["strict"])
            tool = {**tool, "function": {
                name: value for name, value in (<dict>function).items() if name != "strict"
            }}
        return tool


cdef str name_of(object tool):
    """Return the name in a tool, or in the choice of one; `None` without one."""
    cdef object body
    cdef object name
    if not isinstance(tool, dict):
        return None
    body = (<dict>tool).get("function")
    if not isinstance(body, dict):
        body = (<dict>tool).get("custom")
    name = (<dict>body).get("name") if isinstance(body, dict) else None
    return exact(name) if isinstance(name, str) else None
