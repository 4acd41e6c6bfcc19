"""JSON Schemas in requests: serialised once a call, without keywords that a provider refuses.

Sources of the reduction. OpenAI: the "Structured outputs" guide's supported schemas, openai 3.54
(`lib/_pydantic.py`) and errors that users report. Anthropic: the "Structured outputs" guide's JSON
Schema limitations and anthropic 0.125.0 (`lib/_parse/_transform.py`). Read 2026-11-22. Only
keywords that are known to be refused are changed: all others are sent. The functions keep no
state: any number of threads may call them.
"""

cimport cython

from specado._core.json_writer cimport freeze, plain_copy, written
from specado._core.limits cimport MAX_DEPTH

import msgspec

from specado._core.json_writer import NotJson, dumps, locate
from specado._core.loss_rows import RESPONSE_FORMAT_BOUND, RESPONSE_FORMAT_HINT
from specado.errors import MessageFormatError

cdef frozenset ALTERNATIVES = frozenset({"anyOf", "oneOf", "allOf"})
# Anthropic compiles at most so many optional properties and unions.
cdef int MAX_OPTIONAL = 24
cdef int MAX_UNIONS = 16
cdef tuple DEFINITIONS = ("$defs", "definitions")
cdef frozenset SHAPES = frozenset({"type", "anyOf", "oneOf", "allOf", "$ref", "enum", "const"})
cdef frozenset OPENAI_FORMATS = frozenset({
    "date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid",
})
cdef frozenset OPENAI_REFUSED = frozenset({
    "allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas",
    "patternProperties", "propertyNames", "minProperties", "maxProperties",
    "unevaluatedProperties", "unevaluatedItems", "contains", "minContains", "maxContains",
    "uniqueItems", "minLength", "maxLength", "default",
})
# The refused keywords that are bounds of an answer, which a description can state instead.
cdef frozenset OPENAI_BOUNDS = OPENAI_REFUSED - {
    "allOf", "oneOf", "patternProperties", "default",
}
cdef frozenset ANTHROPIC_FORMATS = OPENAI_FORMATS | {"uri"}
cdef frozenset ANTHROPIC_REFUSED = frozenset({
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minLength", "maxLength", "pattern",
    "maxItems", "uniqueItems", "contains", "minContains", "maxContains", "prefixItems",
    "unevaluatedItems", "minProperties", "maxProperties", "propertyNames",
    "unevaluatedProperties", "dependentRequired", "dependentSchemas",
    "not", "if", "then", "else",
})


cdef bint is_object(dict schema):
    cdef object kind = schema.get("type")
    return "properties" in schema or kind == "object" or (
        isinstance(kind, (list, tuple)) and "object" in kind
    )


cdef bint is_shaped(dict schema):
    for name in schema:
        if name in SHAPES:
            return True
    return False


def openai_enforces(schema):
    """Return whether OpenAI's strict mode takes *schema* for an answer."""
    if not isinstance(schema, dict) or schema.get("type") != "object" or "anyOf" in schema:
        return False
    return strict_node(schema, 0)


cdef bint strict_node(object given, int depth) except -1:
    cdef dict schema
    if not isinstance(given, dict) or depth > MAX_DEPTH or not is_shaped(<dict>given):
        return False
    schema = <dict>given
    for name in schema:
        if name in OPENAI_REFUSED:
            return False
    if "$ref" in schema and len(schema) > 1:
        return False
    if "format" in schema and not is_openai_format(schema["format"]):
        return False
    if is_object(schema) and not strict_object(schema):
        return False
    if schema.get("type") == "array" and "items" not in schema:
        return False
    if "items" in schema and not strict_node(schema["items"], depth + 1):
        return False
    if "anyOf" in schema and not strict_nodes(schema["anyOf"], depth):
        return False
    for name in ("properties", *DEFINITIONS):
        if name in schema:
            children = schema[name]
            if not isinstance(children, dict) or not strict_nodes(
                list((<dict>children).values()), depth
            ):
                return False
    return True


cdef bint strict_nodes(object children, int depth) except -1:
    if not isinstance(children, (list, tuple)):
        return False
    for child in children:
        if not strict_node(child, depth + 1):
            return False
    return True


cdef bint strict_object(dict schema) except -1:
    cdef object properties = schema.get("properties")
    cdef object required = schema.get("required", [])
    if schema.get("additionalProperties") is not False:
        return False
    if not isinstance(properties, dict) or not isinstance(required, (list, tuple)):
        return False
    for name in required:
        if not isinstance(name, str) or name not in <dict>properties:
            return False
    return len(set(required)) == len(<dict>properties)


def openai_form(schema, str path not None):
    """Return the form of an answer's *schema* that OpenAI's strict mode takes, and the changes.

    That is `(form, moved)`: *form* is *schema* itself where nothing differs and None where it has
    no such form; *moved* is as in `anthropic_form`.
    """
    cdef OpenAIForm transform
    if openai_enforces(schema):
        return schema, []
    transform = OpenAIForm.__new__(OpenAIForm)
    transform.moved = []
    form = transform.node(schema, path, 0)
    if transform.refused or not transform.moved or not openai_enforces(form):
        return None, []
    return form, transform.moved


@cython.final
cdef class OpenAIForm:
    """Transformation of one schema to the form that OpenAI's strict mode accepts."""

    cdef list moved         # as `anthropic_form` returns it
    cdef bint refused       # whether it is nested too deep

    cdef object node(self, object given, str path, int depth):
        cdef dict made = {}
        cdef list hints = []
        if depth > MAX_DEPTH:
            self.refused = True
        if self.refused or not isinstance(given, dict):
            return given
        for name, value in (<dict>given).items():
            if (name == "properties" or name in DEFINITIONS) and isinstance(value, dict):
                made[name] = {
                    key: self.node(child, f"{path}.{name}.{key}", depth + 1)
                    for key, child in (<dict>value).items()
                }
            elif name == "items":
                made[name] = self.node(value, f"{path}.items", depth + 1)
            elif name == "anyOf" and isinstance(value, (list, tuple)):
                made[name] = [
                    self.node(child, f"{path}.anyOf[{place}]", depth + 1)
                    for place, child in enumerate(value)
                ]
            elif name in OPENAI_BOUNDS or (name == "format" and not is_openai_format(value)):
                hints.append(hint_of(name, value))
                self.moved.append((f"{path}.{name}", name, value, hints[-1]))
            else:
                made[name] = value
        if hints:
            describe(made, hints)
            if "$ref" in made:
                # Strict mode takes nothing besides a reference, not even a description.
                made["anyOf"] = [{"$ref": made.pop("$ref")}]
        return made


def complete_schema(given, str path not None):
    """Return *given* with `properties` in each object and `items` in each array, and their paths.

    That is `(form, added)`; *form* is *given* itself where nothing is added. *given* is a schema,
    or its JSON text as `msgspec.Raw`.
    """
    cdef list added = []
    if isinstance(given, msgspec.Raw):
        try:
            schema = msgspec.json.decode(given)
        except (msgspec.DecodeError, RecursionError):
            return given, []
        form = completed(schema, path, added, 0)
        return (form, added) if added else (given, added)
    form = completed(given, path, added, 0)
    return (form, added) if added else (given, added)


def complete_parameters(given, str path not None, *, bint strict=False):
    """Return the parameters of a function as `complete_schema` does, and with an object at the root.

    Parameters that are empty or null are those of a function without parameters, closed where they
    are *strict*.
    """
    cdef object schema = given
    if isinstance(given, msgspec.Raw):
        try:
            schema = msgspec.json.decode(given)
        except (msgspec.DecodeError, RecursionError):
            return given, []
    if not schema:
        closed = {"required": [], "additionalProperties": False} if strict else {}
        return {"type": "object", "properties": {}, **closed}, [path]
    if not isinstance(schema, dict) or not SHAPES.isdisjoint(<dict>schema):
        return complete_schema(given, path)
    form, added = complete_schema({"type": "object", **schema}, path)
    return form, [f"{path}.type", *added]


cdef object completed(object given, str path, list added, int depth):
    cdef dict made
    if not isinstance(given, dict) or depth > MAX_DEPTH:
        return given
    made = {}
    for name, value in (<dict>given).items():
        where = f"{path}.{name}"
        if (name == "properties" or name in DEFINITIONS) and isinstance(value, dict):
            made[name] = {
                key: completed(child, f"{where}.{key}", added, depth + 1)
                for key, child in (<dict>value).items()
            }
        elif name in ALTERNATIVES and isinstance(value, (list, tuple)):
            made[name] = [
                completed(child, f"{where}[{place}]", added, depth + 1)
                for place, child in enumerate(value)
            ]
        elif name == "items" or name == "additionalProperties" or name == "not":
            made[name] = completed(value, where, added, depth + 1)
        else:
            made[name] = value
    if has_type(made, "object") and "properties" not in made:
        made["properties"] = {}
        added.append(f"{path}.properties")
    if has_type(made, "array") and "items" not in made and "prefixItems" not in made:
        made["items"] = {}
        added.append(f"{path}.items")
    return made


cdef bint has_type(dict schema, str name):
    cdef object type_ = schema.get("type")
    return type_ == name or (isinstance(type_, (list, tuple)) and name in type_)


cdef bint is_openai_format(object value):
    return isinstance(value, str) and value in OPENAI_FORMATS


cdef str hint_of(object name, object value):
    # As JSON: what Python would say of True or None is no word of a schema.
    return f"{name}: {dumps(value).decode()}"


cdef int describe(dict made, list hints) except -1:
    cdef object described = made.get("description")
    hint = "{" + ", ".join(hints) + "}"
    made["description"] = f"{described}\n\n{hint}" if described else hint
    return 0


def row_of_moved(name, value):
    """Return the row for a keyword of an answer's schema that the provider does not enforce."""
    # Imported where it is used: few schemas have such a keyword.
    from specado.json_schema import is_checked

    return RESPONSE_FORMAT_BOUND if is_checked(name, value) else RESPONSE_FORMAT_HINT


@cython.final
cdef class AnthropicForm:
    """Transformation of one schema to the form that Anthropic enforces. One per schema."""

    cdef list moved         # as `anthropic_form` returns it
    cdef bint closed        # whether an object was closed
    cdef bint refused       # whether no form of it is enforced there
    cdef int optional
    cdef int unions
    cdef dict references    # definition (None: outside of any) -> definitions that it names
    cdef str definition     # the definition that is walked

    cdef dict refuse(self):
        self.refused = True
        return {}

    cdef dict node(self, object given, str path, int depth):
        cdef dict schema
        cdef dict made = {}
        cdef list hints = []
        if self.refused or not isinstance(given, dict) or depth > MAX_DEPTH:
            return self.refuse()
        schema = <dict>given
        if not is_shaped(schema) or ("oneOf" in schema and "anyOf" in schema):
            return self.refuse()
        for name, value in schema.items():
            if not isinstance(name, str) or name == "patternProperties":
                return self.refuse()
            if name == "properties" or name in DEFINITIONS:
                made[name] = self.named(value, f"{path}.{name}", name, depth)
            elif name == "items":
                made[name] = self.node(value, f"{path}.items", depth + 1)
            elif name == "anyOf" or name == "allOf":
                made[name] = self.each(value, f"{path}.{name}", depth)
            elif name == "oneOf":
                self.moved.append((f"{path}.oneOf", "oneOf", value, "anyOf"))
                made["anyOf"] = self.each(value, f"{path}.oneOf", depth)
            elif is_refused(<str>name, value):
                hints.append(hint_of(name, value))
                self.moved.append((f"{path}.{name}", name, value, hints[-1]))
            else:
                made[name] = value
        self.check(schema)
        if is_object(schema):
            self.close(schema, made)
        if hints:
            describe(made, hints)
        return made

    cdef dict named(self, object given, str path, str keyword, int depth):
        cdef dict made = {}
        cdef str around = self.definition
        if not isinstance(given, dict):
            return self.refuse()
        for name, value in (<dict>given).items():
            if not isinstance(name, str) or self.refused:
                return self.refuse()
            if depth == 0 and keyword != "properties":
                self.definition = f"#/{keyword}/{name}"
            made[name] = self.node(value, f"{path}.{name}", depth + 1)
            self.definition = around
        return made

    cdef list each(self, object given, str path, int depth):
        if not isinstance(given, (list, tuple)):
            self.refused = True
            return []
        return [self.node(child, f"{path}[{place}]", depth + 1)
                for place, child in enumerate(given)]

    cdef int check(self, dict schema) except -1:
        """Count references and unions; refuse keywords with a value that Anthropic refuses."""
        cdef object members = schema.get("enum")
        if "$ref" in schema:
            self.references.setdefault(self.definition, set()).add(str(schema["$ref"]))
        if isinstance(members, (list, tuple)):
            for member in members:
                if isinstance(member, (dict, list, tuple)):
                    self.refused = True
        if "anyOf" in schema or "oneOf" in schema or isinstance(schema.get("type"), (list, tuple)):
            self.unions += 1
        return 0

    cdef int close(self, dict schema, dict made) except -1:
        cdef object properties = schema.get("properties")
        cdef object required = schema.get("required") or ()
        cdef object extra = schema.get("additionalProperties", True)
        if extra is not False:
            # Closed, an object of any properties would always be empty.
            if not properties or extra is not True:
                self.refused = True
            self.closed = True
            made["additionalProperties"] = False
        if not isinstance(required, (list, tuple)):
            self.refused = True
        elif isinstance(properties, dict):
            wanted = {name for name in required if isinstance(name, str)}
            for name in <dict>properties:
                if name not in wanted:
                    self.optional += 1
        return 0

    cdef bint is_enforced(self, dict schema) except -1:
        """Return whether the schema is within the limits and no reference is circular."""
        cdef set known = {f"#/{part}/{name}" for part in DEFINITIONS
                          for name in (schema.get(part) or ())}
        cdef set done = set()
        cdef set before
        if self.refused or self.optional > MAX_OPTIONAL or self.unions > MAX_UNIONS:
            return False
        for named in self.references.values():
            if not named <= known:
                return False
        while True:
            before = set(done)
            for name in known:
                if self.references.get(name, set()) <= done:
                    done.add(name)
            if len(done) == len(known):
                return True
            if len(done) == len(before):
                return False  # some definition comes back to itself


cdef bint is_refused(str name, object value):
    if name == "format":
        return not isinstance(value, str) or value not in ANTHROPIC_FORMATS
    if name == "minItems":
        return isinstance(value, bool) or value not in (0, 1)
    return name in ANTHROPIC_REFUSED


def anthropic_form(schema, str path not None):
    """Return the form of *schema* that Anthropic enforces, and the changes.

    That is `(form, closed, moved)`: *form* is *schema* itself where nothing differs and None
    where it has no such form; *closed* says whether an object was closed; *moved* holds
    `(path, keyword, value, hint)` for each keyword that is not enforced, the hint what stands for
    it.
    """
    cdef AnthropicForm transform = AnthropicForm.__new__(AnthropicForm)
    transform.moved = []
    transform.references = {}
    form = transform.node(schema, path, 0)
    if transform.refused or not transform.is_enforced(form):
        return None, False, []
    if not transform.closed and not transform.moved:
        return schema, False, []
    return form, transform.closed, transform.moved


# Serialisation

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
