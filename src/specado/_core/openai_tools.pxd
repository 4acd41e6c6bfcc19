from specado._core.encoder cimport Encoder

cdef class OpenAITools(Encoder):
    cdef bint toolless       # whether the tools are left out

    cdef int decide_tools(self) except -1
    cdef bint is_misnamed(self, object tool)
    cdef str call_name(self, str given, str field)
    cdef object choice_there(self, object choice)
    cdef bint is_forced(self, object choice)
    cdef int write_tools(self, object tools) except -1
    cdef object tool_there(self, object tool, str path)
