from specado._core.encoder cimport Encoder

cdef object tool_input_schema(Encoder encoder, object given, str path)
cdef object answer_tool_schema(object given)
