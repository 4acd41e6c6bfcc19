from specado._core.anthropic_turns cimport AnthropicTurns

cdef class AnthropicTools(AnthropicTurns):
    cdef bint thinking       # whether the request asks for thinking
    cdef object form         # the schema as it is enforced there, None if it is not

    cdef dict schema_format(self)
    cdef object schema_of(self)
    cdef int check_schema_format(self) except -1
    cdef bint is_native(self) except -1
    cdef int write_tools(self) except -1
    cdef tuple allowed_tools(self, object choice)
    cdef int write_stand_in(self) except -1
    cdef int write_called_tools(self) except -1
    cdef bint write_tool(self, object tool, Py_ssize_t place, set allowed, bint first) except -1
    cdef tuple enforced_input(self, dict function, str path)
    cdef object input_schema(self, object given, str path)
    cdef object stand_in_schema(self)
    cdef int write_tool_choice(self, object choice) except -1
    cdef bint may_force(self)
