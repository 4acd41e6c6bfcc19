"""Capability dicts: reading and validation.

A capability is checked whole, in a fixed order, so that the first wrong value is the one named.
Keys that the structure does not have are collected and otherwise ignored: dicts of newer versions
and of other systems have more. No state is kept; any number of threads may check at once.
"""

cimport cython
from cpython.dict cimport PyDict_Next
from cpython.float cimport PyFloat_AS_DOUBLE
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_GET_LENGTH

cdef dict EMPTY = {}
cdef tuple NOTHING = ()

cdef frozenset SECTIONS = frozenset((
    "version", "modalities", "features", "parameters", "roles", "constraints", "extensions",
))
cdef frozenset MODALITIES = frozenset(("input", "output", "configs"))
cdef frozenset CONFIGS = frozenset(("image", "audio", "video", "document"))
# In these sections other names of the section's type are taken too.
cdef frozenset FEATURES = frozenset((
    "function_calling", "tool_use", "json_mode", "structured_output", "streaming", "vision",
    "reasoning", "parallel_tool_calls", "prompt_caching", "logprobs", "multiple_responses",
    "stop_sequences", "seed_support",
))
cdef frozenset PARAMETERS = frozenset((
    "temperature", "top_p", "top_k", "max_tokens", "frequency_penalty", "presence_penalty",
    "repetition_penalty", "stop", "n", "seed", "logit_bias", "logprobs", "reasoning_effort",
))
cdef frozenset ROLES = frozenset(("system", "user", "assistant", "tool", "function"))
cdef frozenset RATES = frozenset((
    "requests_per_minute", "requests_per_hour", "requests_per_day", "tokens_per_minute",
    "tokens_per_hour", "tokens_per_day", "max_concurrent_requests",
))
cdef frozenset CONSTRAINTS = frozenset(("tokens", "rate_limits", "messages", "timeouts"))
# What these sections hold: name -> type.
cdef dict TOKENS = {
    "max_context_window": float, "max_input_tokens": float, "max_output_tokens": float,
    "max_tokens_per_message": float, "encoding": str,
}
cdef dict MESSAGES = {
    "max_messages_per_conversation": float, "max_message_length": float,
    "min_messages_required": float, "max_system_message_length": float,
    "allow_empty_messages": bool, "allow_consecutive_same_role": bool,
}
cdef dict TIMEOUTS = {
    "max_request_timeout_seconds": float, "default_timeout_seconds": float,
    "stream_timeout_seconds": float, "connection_timeout_seconds": float,
}


cdef object refuse(str prefix, str path, str wanted, object value):
    return ValueError(f"{prefix}{path} must be {wanted}, not {type(value).__name__}")


cdef inline int check_name(object name, str prefix, str path) except -1:
    if not isinstance(name, str):
        raise ValueError(f"{prefix}{path}: names must be str, not {type(name).__name__}")
    return 0


cdef int check_number(object value, str prefix, str path, object name) except -1:
    cdef int overflow = 0
    if value is None:
        return 0
    if isinstance(value, float):
        if PyFloat_AS_DOUBLE(value) != PyFloat_AS_DOUBLE(value):
            raise ValueError(f"{prefix}{path}.{name} must be a number, not nan")
    elif isinstance(value, int) and type(value) is not bool:
        PyLong_AsLongLongAndOverflow(value, &overflow)
        if overflow:
            raise ValueError(f"{prefix}{path}.{name} must fit 64 bits")
    else:
        raise refuse(prefix, f"{path}.{name}", "a number", value)
    return 0


cdef int check_texts(object values, str prefix, str path) except -1:
    if values is None:
        return 0
    if not isinstance(values, (list, tuple)):
        raise refuse(prefix, path, "a list of str", values)
    for value in values:
        if not isinstance(value, str):
            raise refuse(prefix, path, "a list of str", value)
    return 0


@cython.final
@cython.freelist(8)
cdef class Sections:
    """The parts of a capability dict, checked. Made and used within one call.

    `ignored` has the paths of the keys that the structure does not have, None where there are
    none. A *strict* one refuses a value of a wrong type under any name in an open section; else
    such a value counts as an unknown key where the name is none that is known.
    """

    cdef int ignore(self, str path, object name) except -1:
        if self.ignored is None:
            self.ignored = []
        self.ignored.append(f"{path}{name}")
        return 0

    cdef int ignore_others(self, dict section, frozenset known, str path) except -1:
        """Note the keys of *section* that are not *known*."""
        for name, value in section.items():
            if value is not None and name not in known:
                self.ignore(path, name)
        return 0

    cdef dict section(self, dict parent, str key, str path, Py_ssize_t* seen):
        """Return the dict at *key*, an empty one where it is absent or None; count it if not."""
        value = parent.get(key)
        if value is None:
            return EMPTY
        if not isinstance(value, dict):
            raise refuse(self.prefix, path, "a dict", value)
        seen[0] += 1
        return as_dict(value)

    cdef int check_flags(self, dict flags, frozenset known, str path) except -1:
        cdef Py_ssize_t place = 0
        cdef PyObject* name_at
        cdef PyObject* value_at
        while PyDict_Next(flags, &place, &name_at, &value_at):
            if isinstance(<object>name_at, str) and (
                type(<object>value_at) is bool or <object>value_at is None
            ):
                continue
            name = <object>name_at
            value = <object>value_at
            check_name(name, self.prefix, path)
            if self.strict or name in known:
                raise refuse(self.prefix, f"{path}.{name}", "True or False", value)
            self.ignore(path + ".", name)
        return 0

    cdef int check_roles(self, dict roles) except -1:
        self.custom_roles = roles.get("custom_roles")
        if self.custom_roles is None:
            self.custom_roles = NOTHING
            return self.check_flags(roles, ROLES, "roles")
        check_texts(self.custom_roles, self.prefix, "roles.custom_roles")
        self.roles = {name: value for name, value in roles.items() if name != "custom_roles"}
        return self.check_flags(self.roles, ROLES, "roles")

    cdef int check_rates(self, dict rates) except -1:
        for name, value in rates.items():
            check_name(name, self.prefix, "constraints.rate_limits")
            if value is None:
                continue
            if self.strict or name in RATES:
                check_number(value, self.prefix, "constraints.rate_limits", name)
            elif not is_number(value):
                self.ignore("constraints.rate_limits.", name)
        return 0

    cdef dict check_limits(self, dict limits, dict types, str path):
        """Return the *limits* that *types* names, checked; numbers have the type float there."""
        cdef bint others = False
        for name, value in limits.items():
            wanted = types.get(name)
            if wanted is None:
                others = True
                if value is not None:
                    self.ignore(path + ".", name)
            elif wanted is float:
                check_number(value, self.prefix, path, name)
            elif value is not None and not isinstance(value, wanted):
                raise refuse(
                    self.prefix, f"{path}.{name}",
                    "a str" if wanted is str else "True or False", value,
                )
        if others:
            return {name: value for name, value in limits.items() if name in types}
        return limits

    cdef int check_parameters(self, dict parameters) except -1:
        for name, value in parameters.items():
            check_name(name, self.prefix, "parameters")
            if value is None:
                continue
            if isinstance(value, dict):
                self.check_parameter(name, as_dict(value))
            elif self.strict or name in PARAMETERS:
                raise refuse(self.prefix, f"parameters.{name}", "a dict", value)
            else:
                self.ignore("parameters.", name)
        return 0

    cdef int check_parameter(self, object name, dict stated) except -1:
        cdef Py_ssize_t length, place = 0
        cdef PyObject* key_at
        cdef PyObject* entry_at
        # Borrowed: nothing in the loop runs code of others that could change the dict.
        while PyDict_Next(stated, &place, &key_at, &entry_at):
            if <object>entry_at is None or type(<object>key_at) is not str:
                continue
            entry = <object>entry_at
            # Told apart by length first; keys read from JSON are not interned.
            length = PyUnicode_GET_LENGTH(<object>key_at)
            if length == 3 and (
                spells(<object>key_at, "min", 3) or spells(<object>key_at, "max", 3)
            ):
                if type(entry) is not float or PyFloat_AS_DOUBLE(entry) != PyFloat_AS_DOUBLE(entry):
                    check_number(entry, self.prefix, "parameters." + name, <object>key_at)
            elif length == 9 and spells(<object>key_at, "supported", 9):
                if type(entry) is not bool:
                    raise refuse(
                        self.prefix, f"parameters.{name}.supported", "True or False", entry
                    )
            elif length == 6 and spells(<object>key_at, "values", 6):
                check_texts(entry, self.prefix, f"parameters.{name}.values")
            elif length != 7 or not spells(<object>key_at, "default", 7):
                self.ignore(f"parameters.{name}.", <object>key_at)
        return 0

    cdef int check_modalities(self, dict modalities) except -1:
        cdef Py_ssize_t seen = 0
        given = modalities.get("input")
        if given is not None:
            check_texts(given, self.prefix, "modalities.input")
            seen += 1
        given = modalities.get("output")
        if given is not None:
            check_texts(given, self.prefix, "modalities.output")
            seen += 1
        self.configs = self.section(modalities, "configs", "modalities.configs", &seen)
        for name, config in self.configs.items():
            if config is None or isinstance(config, dict):
                continue
            if name in CONFIGS:
                raise refuse(self.prefix, f"modalities.configs.{name}", "a dict", config)
            self.ignore("modalities.configs.", name)
        if seen != len(modalities):
            self.ignore_others(modalities, MODALITIES, "modalities.")
        return 0

    cdef int check_constraints(self, dict constraints) except -1:
        cdef Py_ssize_t seen = 0
        cdef dict given = self.section(constraints, "tokens", "constraints.tokens", &seen)
        self.tokens = self.check_limits(given, TOKENS, "constraints.tokens")
        self.rates = self.section(constraints, "rate_limits", "constraints.rate_limits", &seen)
        self.check_rates(self.rates)
        self.messages = self.timeouts = EMPTY
        if seen != len(constraints):
            given = self.section(constraints, "messages", "constraints.messages", &seen)
            self.messages = self.check_limits(given, MESSAGES, "constraints.messages")
            given = self.section(constraints, "timeouts", "constraints.timeouts", &seen)
            self.timeouts = self.check_limits(given, TIMEOUTS, "constraints.timeouts")
            self.ignore_others(constraints, CONSTRAINTS, "constraints.")
        return 0

    cdef int check_extensions(self, dict stated) except -1:
        """Keep the extensions that are there; `custom` and `experimental` hold more of them."""
        cdef dict names
        cdef Py_ssize_t seen = 0
        cdef bint all_there = True
        for name, value in stated.items():
            check_name(name, self.prefix, "extensions")
            if value is None or value is False or name == "custom" or name == "experimental":
                all_there = False
        self.extensions = stated
        if all_there:
            return 0
        names = {
            name: True for name, value in stated.items()
            if value is not None and value is not False
            and name != "custom" and name != "experimental"
        }
        custom = self.section(stated, "custom", "extensions.custom", &seen)
        for name, value in custom.items():
            check_name(name, self.prefix, "extensions.custom")
            if value is not None and value is not False:
                names[name] = True
        experimental = stated.get("experimental")
        check_texts(experimental, self.prefix, "extensions.experimental")
        for name in experimental or NOTHING:
            names[name] = True
        self.extensions = names
        return 0


cdef Sections check(dict capability, str prefix, bint strict):
    """Raise ValueError, naming the field, for the first value of a wrong type."""
    cdef Sections parts = Sections.__new__(Sections)
    cdef Py_ssize_t seen = 0
    parts.prefix = prefix
    parts.strict = strict
    version = capability.get("version")
    if version is not None:
        if not isinstance(version, str):
            raise refuse(prefix, "version", "a str", version)
        seen += 1
    parts.modalities = parts.section(capability, "modalities", "modalities", &seen)
    parts.check_modalities(parts.modalities)
    parts.features = parts.section(capability, "features", "features", &seen)
    parts.check_flags(parts.features, FEATURES, "features")
    parts.parameters = parts.section(capability, "parameters", "parameters", &seen)
    parts.check_parameters(parts.parameters)
    parts.roles = parts.section(capability, "roles", "roles", &seen)
    parts.check_roles(parts.roles)
    parts.check_constraints(parts.section(capability, "constraints", "constraints", &seen))
    parts.check_extensions(parts.section(capability, "extensions", "extensions", &seen))
    if seen != len(capability):
        parts.ignore_others(capability, SECTIONS, "")
    return parts


cdef object output_limit(Sections parts):
    """Return the most output tokens: the stated limit, else the parameter's maximum."""
    limit = parts.tokens.get("max_output_tokens")
    if limit is None:
        parameter = parts.parameters.get("max_tokens")
        if parameter is not None:
            limit = parameter.get("max")
    return limit


def check_capability(dict capability not None, str prefix not None):
    """Raise ValueError, with *prefix* before the field's path, if a value has a wrong type."""
    check(capability, prefix, True)
