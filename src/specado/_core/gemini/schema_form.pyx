"""The form of a JSON Schema in Gemini's `parametersJsonSchema` and `responseJsonSchema`.

These members take a subset of JSON Schema; other keywords are ignored and not refused. They move
to the description, where the model reads them. Source: Google's API reference of
`GenerationConfig.responseJsonSchema` (read 2026-11-30). Functions without state.
"""

cimport cython

from specado._core.limits cimport MAX_DEPTH

import msgspec

from specado._core.json_writer import dumps

cdef frozenset KEPT = frozenset({
    "$id", "$defs", "$ref", "$anchor", "type", "format", "title", "description", "enum", "items",
    "prefixItems", "minItems", "maxItems", "minimum", "maximum", "anyOf", "oneOf", "properties",
    "additionalProperties", "required", "propertyOrdering",
})
# Keywords without meaning for the answer and for the model, which are removed.
cdef frozenset MEANINGLESS = frozenset({"$schema", "$comment", "$vocabulary"})
# Keywords that describe a value and do not limit it.
ANNOTATIONS = frozenset({
    "default", "examples", "example", "deprecated", "readOnly", "writeOnly",
})
cdef str OLD_DEFINITIONS = "#/definitions/"
cdef str DEFINITIONS = "#/$defs/"


@cython.final
cdef class GeminiForm:
    """Transformation of one schema. One per schema."""

    cdef list moved    # as `gemini_form` returns it

    cdef object node(self, object given, str path, int depth):
        cdef dict made = {}
        cdef list hints = []
        if not isinstance(given, dict) or depth > MAX_DEPTH:
            return given
        for name, value in (<dict>given).items():
            where = f"{path}.{name}"
            if name in ("properties", "$defs", "definitions") and isinstance(value, dict):
                made["$defs" if name == "definitions" else name] = {
                    key: self.node(child, f"{where}.{key}", depth + 1)
                    for key, child in (<dict>value).items()
                }
            elif name in ("items", "additionalProperties"):
                made[name] = self.node(value, where, depth + 1)
            elif name in ("anyOf", "oneOf", "prefixItems") and isinstance(value, (list, tuple)):
                made[name] = self.each(value, where, depth)
            elif name == "allOf" and is_one_of_one(value) and "anyOf" not in <dict>given:
                made["anyOf"] = self.each(value, where, depth)
            elif name == "$ref":
                made[name] = moved_reference(value)
            elif name == "const" and is_enum([value]) and "enum" not in <dict>given:
                made["enum"] = [value]
            elif is_kept(name, value):
                made[name] = value
            elif name not in MEANINGLESS:
                hints.append(f"{name}: {dumps(value).decode()}")
                self.moved.append((where, name, value, hints[-1]))
        if hints:
            described = made.get("description")
            hint = "{" + ", ".join(hints) + "}"
            made["description"] = f"{described}\n\n{hint}" if described else hint
        if "$ref" in made and has_siblings(made):
            # Only $-keys may stand beside a reference.
            made["anyOf"] = [{"$ref": made.pop("$ref")}]
        return made

    cdef list each(self, object given, str path, int depth):
        return [
            self.node(child, f"{path}[{place}]", depth + 1) for place, child in enumerate(given)
        ]


cdef bint is_kept(object name, object value):
    if name == "enum":
        return is_enum(value)
    return name in KEPT


cdef bint is_enum(object value):
    """Return whether all members of an enumeration are text or numbers."""
    if not isinstance(value, (list, tuple)):
        return False
    for member in value:
        if isinstance(member, bool) or not isinstance(member, (str, int, float)):
            return False
    return True


cdef bint is_one_of_one(object value):
    return isinstance(value, (list, tuple)) and len(value) == 1


cdef object moved_reference(object value):
    """Return a reference to the place where definitions are written."""
    if isinstance(value, str) and value.startswith(OLD_DEFINITIONS):
        return DEFINITIONS + value[len(OLD_DEFINITIONS):]
    return value


cdef bint has_siblings(dict schema):
    for name in schema:
        if not isinstance(name, str) or not name.startswith("$"):
            return True
    return False


cdef bint is_taken(object given, int depth) except -1:
    """Return whether the API takes a schema as it is."""
    cdef dict schema
    if not isinstance(given, dict):
        return True
    if depth > MAX_DEPTH:
        return False
    schema = <dict>given
    for name, value in schema.items():
        if not is_kept(name, value):
            return False
        if name == "properties" or name == "$defs":
            if isinstance(value, dict):
                for child in (<dict>value).values():
                    if not is_taken(child, depth + 1):
                        return False
        elif name == "items" or name == "additionalProperties":
            if not is_taken(value, depth + 1):
                return False
        elif name == "anyOf" or name == "oneOf" or name == "prefixItems":
            if isinstance(value, (list, tuple)):
                for child in value:
                    if not is_taken(child, depth + 1):
                        return False
    if "$ref" in schema and (has_siblings(schema) or moved_reference(
            schema["$ref"]) is not schema["$ref"]):
        return False
    return True


def gemini_form(schema, str path not None):
    """Return the form of *schema* that the API takes, and the keywords that it ignores.

    That is `(form, moved)`: *form* is *schema* itself where nothing differs; *moved* holds
    `(path, keyword, value, hint)` for each keyword that moved to a description. *schema* is a
    schema, or its JSON text as `msgspec.Raw`.
    """
    cdef GeminiForm transform
    given = schema
    if isinstance(schema, msgspec.Raw):
        try:
            given = msgspec.json.decode(schema)
        except (msgspec.DecodeError, RecursionError):
            return schema, []
    if is_taken(given, 0):
        return schema, []
    transform = GeminiForm.__new__(GeminiForm)
    transform.moved = []
    return transform.node(given, path, 0), transform.moved
