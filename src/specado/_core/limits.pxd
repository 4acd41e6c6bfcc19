# Limits of the compiled core, each stated once. `json_writer` publishes them to Python.

cdef enum:
    # Nested lists and objects of a JSON value that is written, read or transformed. Deeper values
    # are refused or left to msgspec, which refuses those that would overflow the stack.
    MAX_DEPTH = 200
