"""Input schemas of tools in the form that Claude takes: an object without alternatives at its root.

A limit that is not in the documentation comes from error bodies that users report (2026-11-22).
"""

from specado._core.encoder cimport Encoder

import msgspec

from specado._core.json_writer import dumps
from specado._core.loss_rows import TOOL_HINT, TOOL_SCHEMA
from specado.errors import MessageFormatError

# Refused at the root of an input schema ("input_schema does not support oneOf, allOf, or anyOf at
# the top level").
cdef frozenset ALTERNATIVES = frozenset({"oneOf", "anyOf", "allOf"})


cdef object tool_input_schema(Encoder encoder, object given, str path):
    """Return *given* as an object's schema without alternatives at its root; report changes.

    `msgspec.Raw` stays as it is. *path* names the schema in the caller's request.
    """
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
        encoder.lose(TOOL_SCHEMA, path, (<dict>given)["type"], "object")
        return {"type": "object", "description": dumps(given).decode()}
    made = {"type": "object"}
    for name, value in (<dict>given).items():
        if name in ALTERNATIVES:
            hints.append(f"{name}: {dumps(value).decode()}")
            encoder.lose(TOOL_HINT, f"{path}.{name}", value, hints[-1])
        else:
            made[name] = value
    if hints:
        hint = "{" + ", ".join(hints) + "}"
        described = made.get("description")
        made["description"] = f"{described}\n\n{hint}" if described else hint
    elif "type" in <dict>given:
        return given
    return made


cdef object answer_tool_schema(object given):
    """Return an answer's schema as the input schema of a tool, `None` if it has another shape."""
    if isinstance(given, msgspec.Raw):
        return given
    if not isinstance(given, dict) or (<dict>given).get("type", "object") != "object":
        return None
    for name in <dict>given:
        if name in ALTERNATIVES:
            return None
    return given if "type" in <dict>given else {"type": "object", **given}
