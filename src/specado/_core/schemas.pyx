"""Serialises the JSON Schemas in a request's parameters once for all candidates of a call."""

from specado._core.json_text cimport freeze, plain_copy, written

from specado._core.json_text import NotJson, locate
from specado.errors import MessageFormatError


def write_tool_schemas(list tools not None):
    """Return *tools*, a list of dicts, with every function's parameters written.

    The given dicts stay as they are.

    Raises:
        MessageFormatError: a function's parameters have no JSON form; its field is their path.
    """
    cdef list made = []
    for place, tool in enumerate(tools):
        made.append(with_schema(tool, "function", "parameters", f"tools[{place}]"))
    return made


def write_format_schema(wanted not None):
    """Return *wanted*, a response format, with its schema written; as `write_tool_schemas`."""
    return with_schema(wanted, "json_schema", "schema", "response_format")


def frozen_parameters(dict parameters not None):
    """Return *parameters* with copies of dicts and lists, which later changes do not reach.

    A written schema keeps its JSON text. A value without a JSON form stays as it is.
    """
    cdef dict made = None
    for name, value in parameters.items():
        if isinstance(value, (dict, list)):
            if made is None:
                made = plain_copy(parameters)
            try:
                made[name] = freeze(value, 0)
            except NotJson:
                pass  # an encoder that meets it refuses it, or sends nothing of it
    return parameters if made is None else made


cdef dict with_schema(object given, str name, str key, str path):
    """Return a dict whose member *key* of the member *name* is written."""
    # The casts: subclasses of dict may come, whose methods may say something else.
    cdef dict outer = <dict>given
    cdef object found = outer.get(name)
    cdef dict inner
    if not isinstance(found, dict) or not isinstance((<dict>found).get(key), dict):
        return outer
    inner = plain_copy(<dict>found)
    inner[key] = schema_written(<dict>inner[key], f"{path}.{name}.{key}")
    outer = plain_copy(outer)
    outer[name] = inner
    return outer


cdef object schema_written(dict schema, str path):
    try:
        return written(schema)
    except NotJson as error:
        field = path + locate(schema)
        raise MessageFormatError(f"{field}: {error}", field=field) from None
