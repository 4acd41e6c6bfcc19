"""Validates capability dicts, and compares two: what the second model lacks, limits or adds.

Plain dicts in the documented capability structure come in, one plain dict goes out. Both are
checked whole before anything is compared, in a fixed order, so that the first wrong value is the
one named. Keys that the structure does not have are collected and otherwise ignored: dicts of
newer versions and of other systems have more. No state is kept; any number of threads may compare
at once.
"""

cimport cython
from cpython.dict cimport PyDict_Next
from cpython.float cimport PyFloat_AS_DOUBLE
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_GET_LENGTH
from libc.string cimport memcmp

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    const char* PyUnicode_1BYTE_DATA(object text)


cdef inline dict as_dict(object value):
    return value if type(value) is dict else dict(value)


cdef inline bint spells(object key, const char* word, Py_ssize_t length) noexcept:
    """Return whether *key*, a str of that many characters, is the ASCII *word*."""
    return (
        PyUnicode_IS_COMPACT_ASCII(key)
        and memcmp(PyUnicode_1BYTE_DATA(key), word, length) == 0
    )


cdef inline bint is_number(object value):
    return isinstance(value, float) or (isinstance(value, int) and type(value) is not bool)


cdef dict EMPTY = {}
cdef tuple NO_NAMES = ()

cdef frozenset SECTIONS = frozenset((
    "version", "modalities", "features", "parameters", "roles", "constraints", "extensions",
))
cdef frozenset MODALITIES = frozenset(("input", "output", "configs"))
cdef frozenset CONFIGS = frozenset(("image", "audio", "video", "document"))
# In these sections other names of the section's type are taken too.
cdef frozenset KNOWN_FEATURES = frozenset((
    "function_calling", "tool_use", "json_mode", "structured_output", "streaming", "vision",
    "reasoning", "parallel_tool_calls", "prompt_caching", "logprobs", "multiple_responses",
    "stop_sequences", "seed_support",
))
cdef frozenset PARAMETERS = frozenset((
    "temperature", "top_p", "top_k", "max_tokens", "frequency_penalty", "presence_penalty",
    "repetition_penalty", "stop", "n", "seed", "logit_bias", "logprobs", "reasoning_effort",
))
cdef frozenset KNOWN_ROLES = frozenset(("system", "user", "assistant", "tool", "function"))
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

    cdef str prefix
    cdef bint strict
    cdef list ignored
    cdef dict modalities
    cdef dict configs
    cdef dict features
    cdef dict parameters
    cdef dict roles
    cdef object custom_roles
    cdef dict tokens
    cdef dict rates
    cdef dict messages
    cdef dict timeouts
    cdef dict extensions

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
            self.custom_roles = NO_NAMES
            return self.check_flags(roles, KNOWN_ROLES, "roles")
        check_texts(self.custom_roles, self.prefix, "roles.custom_roles")
        self.roles = {name: value for name, value in roles.items() if name != "custom_roles"}
        return self.check_flags(self.roles, KNOWN_ROLES, "roles")

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
            # Compared by length first; keys read from JSON are not interned.
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
        for name in experimental or NO_NAMES:
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
    parts.check_flags(parts.features, KNOWN_FEATURES, "features")
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


# Comparison

cdef enum Severity:
    NOTHING
    LOW
    MEDIUM
    HIGH
    CRITICAL

cdef tuple SEVERITIES = ("None", "Low", "Medium", "High", "Critical")
cdef tuple TEXT_ONLY = ("Text",)
cdef tuple USUAL_ROLES = ("system", "user", "assistant")

cdef tuple NO_TOOLS = (
    HIGH, "The target cannot call tools.",
    "Choose a target that can call tools, or take the tools out of the request.",
)
# feature -> severity of its loss, effect of the loss, recommendation
cdef dict FEATURES = {
    "function_calling": NO_TOOLS,
    "tool_use": NO_TOOLS,
    "json_mode": (
        MEDIUM, "The target has no JSON mode: nothing enforces that a reply is valid JSON.",
        "Ask for JSON in the prompt and check that the reply parses.",
    ),
    "vision": (
        MEDIUM, "The target does not understand images.",
        "Describe images in text, or send requests with images to another model.",
    ),
    "structured_output": (
        LOW, "The target does not enforce a JSON schema.",
        "Check replies against the schema after they arrive.",
    ),
    "streaming": (
        LOW, "The target does not stream replies.",
        "Ask for whole replies instead of streams.",
    ),
    "reasoning": (
        LOW, "The target does not reason before it answers.",
        "Ask for the steps of the answer in the prompt.",
    ),
    "parallel_tool_calls": (
        LOW, "The target makes one tool call at a time.",
        "Expect more turns where several tools are needed.",
    ),
    "prompt_caching": (
        LOW, "The target does not cache prompts.",
        "Expect to pay the full price for repeated prompts.",
    ),
}
# Features that are request parameters too: one that a side does not state is there if it takes
# the parameter.
cdef dict AS_PARAMETERS = {
    "logprobs": "logprobs", "multiple_responses": "n", "stop_sequences": "stop",
    "seed_support": "seed",
}
cdef dict ROLES = {
    "system": (
        MEDIUM, "The target takes no system messages.",
        "Put system instructions at the start of the first user message.",
    ),
    "function": (
        LOW, "The target takes no function messages.",
        "Send results of functions as tool messages.",
    ),
}


@cython.final
@cython.freelist(8)
cdef class Findings:
    """Results of a comparison as they are found. Made and used within one call."""

    cdef list missing
    cdef list constrained
    cdef list additional
    cdef list details
    cdef list recommendations
    cdef list types
    cdef int worst
    cdef bint token_limit
    cdef bint rate_limit

    def __cinit__(self):
        self.missing = []
        self.constrained = []
        self.additional = []
        self.details = []
        self.recommendations = []
        self.types = []
        self.worst = NOTHING
        self.token_limit = self.rate_limit = False

    cdef int advise(self, str detail, str recommendation) except -1:
        self.details.append(detail)
        self.recommendations.append(recommendation)
        return 0

    cdef int lose(self, int severity, str kind, str name, str detail, str advice) except -1:
        """Note an ability that the target lacks."""
        if severity > self.worst:
            self.worst = severity
        self.missing.append(name)
        self.types.append({kind: name})
        return self.advise(detail, advice)

    cdef int limit(
        self, int severity, str name, object source, object target, bint major
    ) except -1:
        """Note an ability that the target has within narrower limits; its type is the caller's."""
        if severity > self.worst:
            self.worst = severity
        self.constrained.append({
            "capability": name,
            "source_value": source,
            "target_value": target,
            "impact": "Major" if major else "Minor",
        })
        return 0

    cdef int unknown(self, str what) except -1:
        self.details.append("The target does not state " + what + ": not compared.")
        return 0

    cdef int ignored(self, str side, list paths) except -1:
        if paths is not None:
            for path in paths:
                self.details.append(f"The {side}'s {path} is an unknown key: ignored.")
        return 0

    cdef dict result(self):
        return {
            "missing_capabilities": self.missing,
            "constrained_capabilities": self.constrained,
            "additional_capabilities": self.additional,
            "lossiness_report": {
                "is_lossy": self.worst > NOTHING,
                "severity": SEVERITIES[self.worst],
                "details": self.details,
                "recommendations": self.recommendations,
                "lossiness_types": self.types,
            },
        }


cdef int compare_modalities(Findings found, dict source, dict target, str way) except -1:
    """Compare the modalities of one way, `input` or `output`; none stated means text only."""
    cdef str name
    had = source.get(way)
    has = target.get(way)
    if had is None:
        had = TEXT_ONLY
    if has is None:
        has = TEXT_ONLY
    if had == has:
        return 0
    for modality in had:
        if modality not in has:
            name = f"{way}_{modality}"
            if name in found.missing:
                continue
            if way == "input":
                found.lose(
                    CRITICAL, "MissingModality", name,
                    f"The target takes no {modality} input.",
                    f"Turn {modality} input into text, or send such requests to another model.",
                )
            else:
                found.lose(
                    CRITICAL, "MissingModality", name,
                    f"The target gives no {modality} output.",
                    f"Send requests for {modality} output to another model.",
                )
    for modality in has:
        if modality not in had:
            name = f"{way}_{modality}"
            if name not in found.additional:
                found.additional.append(name)
    return 0


cdef int compare_configs(Findings found, dict source, dict target) except -1:
    """Note where both describe a modality differently; their terms are not fixed."""
    for modality, config in source.items():
        if config is not None:
            other = target.get(modality)
            if other is not None and other != config:
                found.details.append(f"The configs of {modality} differ: not compared.")
    return 0


cdef bint is_parameter(object feature, dict features, dict parameters) except -1:
    """Return whether a *feature* that is not listed exists as a request parameter."""
    cdef dict stated
    parameter = AS_PARAMETERS.get(feature)
    if parameter is None or features.get(feature) is not None:
        return False
    entry = parameters.get(parameter)
    if entry is None:
        return False
    stated = as_dict(entry)
    if stated.get("supported") is False:
        return False
    most = stated.get("max")
    return parameter != "n" or most is None or most > 1


cdef int compare_features(Findings found, Sections had, Sections has) except -1:
    """Compare features; `function_calling` and `tool_use` are one ability under two names."""
    cdef dict source = had.features
    cdef dict target = has.features
    cdef bint had_tools = source.get("function_calling") is True or source.get("tool_use") is True
    cdef bint has_tools = target.get("function_calling") is True or target.get("tool_use") is True
    cdef bint tools_told = had_tools and has_tools
    for name, value in source.items():
        if value is not True or target.get(name) is True:
            continue
        if name == "function_calling" or name == "tool_use":
            if tools_told:
                continue
            tools_told = True
        known = FEATURES.get(name)
        if known is None and is_parameter(name, target, has.parameters):
            continue
        if known is None:
            found.lose(
                LOW, "MissingFeature", name,
                f"The target does not have the feature {name}.",
                f"Check whether your requests rely on {name}.",
            )
        else:
            severity, detail, advice = <tuple>known
            found.lose(severity, "MissingFeature", name, detail, advice)
    tools_told = had_tools
    for name, value in target.items():
        if value is not True or source.get(name) is True:
            continue
        if name == "function_calling" or name == "tool_use":
            if tools_told:
                continue
            tools_told = True
        if not is_parameter(name, source, had.parameters):
            found.additional.append(name)
    return 0


cdef inline bint takes_usual(dict roles, object role):
    value = roles.get(role)
    return value is None or value is True


cdef inline bint is_usual(object role):
    return role == "system" or role == "user" or role == "assistant"


cdef int miss_role(Findings found, str role) except -1:
    known = ROLES.get(role)
    if known is None:
        return found.lose(
            LOW, "MissingRole", role + "_role",
            f"The target takes no {role} messages.",
            f"Send {role} messages under another role.",
        )
    severity, detail, advice = <tuple>known
    return found.lose(severity, "MissingRole", role + "_role", detail, advice)


cdef dict all_roles(Sections side):
    """Return roles to whether they are taken, those of `custom_roles` too."""
    cdef dict roles
    if not side.custom_roles:
        return side.roles
    roles = dict(side.roles)
    for name in side.custom_roles:
        roles[name] = True
    return roles


cdef int compare_roles(Findings found, dict source, dict target) except -1:
    """Compare roles; system, user and assistant are there unless said otherwise."""
    for role in USUAL_ROLES:
        if takes_usual(source, role):
            if not takes_usual(target, role):
                miss_role(found, role)
        elif takes_usual(target, role):
            found.additional.append(f"{role}_role")
    for role, value in source.items():
        if value is True and target.get(role) is not True and not is_usual(role):
            miss_role(found, f"{role}")
    for role, value in target.items():
        if value is True and source.get(role) is not True and not is_usual(role):
            found.additional.append(f"{role}_role")
    return 0


cdef bint compare_values(Findings found, str name, object had, object has) except -1:
    """Compare the values that a parameter takes; return whether some are lost."""
    cdef list kept
    if has is None:
        found.unknown(name + ".values")
        return False
    kept = [value for value in had if value in has]
    if len(kept) == len(had):
        return False
    found.limit(MEDIUM, name, list(had), list(has), len(kept) * 2 < len(had))
    lost = ", ".join([value for value in had if value not in has])
    found.advise(
        f"The target does not take {name} {lost}.",
        f"Use one of these for {name}: {', '.join(has)}.",
    )
    return True


cdef bint compare_range(
    Findings found, str name, object low, object high, object floor, object ceiling
) except -1:
    """Compare a parameter's range; return whether the target's is narrower."""
    cdef bint higher = False
    cdef bint lower = False
    cdef bint major = False
    if low is not None:
        if floor is None:
            found.unknown(name + ".min")
        else:
            higher = floor > low
    if high is not None:
        if ceiling is None:
            found.unknown(name + ".max")
        else:
            lower = ceiling < high
    if not higher and not lower:
        return False
    if low is not None and high is not None and floor is not None and ceiling is not None:
        major = (min(high, ceiling) - max(low, floor)) * 2 < high - low
    found.limit(
        MEDIUM, name, {"min": low, "max": high}, {"min": floor, "max": ceiling}, major
    )
    if higher:
        found.advise(
            f"The target takes {name} from {floor} up, the source from {low}.",
            f"Keep {name} at {floor} or more.",
        )
    if lower:
        found.advise(
            f"The target takes {name} up to {ceiling}, the source up to {high}.",
            f"Keep {name} at {ceiling} or less.",
        )
    return True


@cython.final
@cython.freelist(8)
cdef class ParameterRange:
    """Range or values that one model takes for a parameter. Made and used within one call."""

    cdef bint taken
    cdef object low
    cdef object high
    cdef object values

    cdef int read(self, dict entry) except -1:
        """Take the facts in one pass: a lookup of a key costs more, as JSON interns none."""
        cdef Py_ssize_t length, place = 0
        cdef PyObject* key_at
        cdef PyObject* value_at
        self.taken = True
        self.low = self.high = self.values = None
        # Borrowed: nothing in the loop runs code of others that could change the dict.
        while PyDict_Next(entry, &place, &key_at, &value_at):
            if type(<object>key_at) is not str:
                continue
            length = PyUnicode_GET_LENGTH(<object>key_at)
            if length == 3:
                if spells(<object>key_at, "min", 3):
                    self.low = <object>value_at
                elif spells(<object>key_at, "max", 3):
                    self.high = <object>value_at
            elif length == 9:
                if spells(<object>key_at, "supported", 9):
                    self.taken = <object>value_at is not False
            elif length == 6 and spells(<object>key_at, "values", 6):
                self.values = <object>value_at
        return 0


cdef int compare_parameter(
    Findings found, str name, ParameterRange had, ParameterRange has
) except -1:
    """Compare a parameter that both state and take."""
    cdef bint narrower
    if name == "max_tokens":
        # The maximum is a token limit: compared there.
        narrower = compare_range(found, name, had.low, None, has.low, None)
    else:
        narrower = compare_range(found, name, had.low, had.high, has.low, has.high)
    if had.values is not None:
        narrower = compare_values(found, name, had.values, has.values) or narrower
    if narrower:
        found.types.append({"ConstrainedParameter": name})
    return 0


cdef int compare_parameters(Findings found, dict source, dict target) except -1:
    """Compare request parameters; one that the target does not state is unknown there."""
    cdef str name
    cdef ParameterRange had = ParameterRange.__new__(ParameterRange)
    cdef ParameterRange has = ParameterRange.__new__(ParameterRange)
    for key, value in source.items():
        if not isinstance(value, dict):
            continue
        had.read(as_dict(value))
        other = target.get(key)
        name = key if type(key) is str else f"{key}"
        if not isinstance(other, dict):
            if had.taken:
                found.unknown(name)
            continue
        has.read(as_dict(other))
        if has.taken:
            if had.taken:
                compare_parameter(found, name, had, has)
            else:
                found.additional.append(name)
        elif had.taken:
            found.limit(MEDIUM, name, True, False, True)
            found.types.append({"ConstrainedParameter": name})
            found.advise(
                f"The target does not take {name}.", f"Leave {name} out of requests to the target."
            )
    return 0


cdef int compare_tokens(
    Findings found, int severity, str name, str what, str advice, object had, object has
) except -1:
    if had is None:
        return 0
    if has is None:
        return found.unknown(name)
    if has < had:
        found.limit(severity, name, had, has, has * 2 < had)
        if not found.token_limit:
            found.token_limit = True
            found.types.append("TokenLimitExceeded")
        found.advise(
            f"The target's {what} is {has} tokens, the source's {had}.",
            f"{advice} at most {has} tokens.",
        )
    return 0


cdef int compare_other_tokens(Findings found, dict source, dict target) except -1:
    for name, had in source.items():
        if name == "max_input_tokens":
            compare_tokens(
                found, LOW, "max_input_tokens", "longest input", "Send", had, target.get(name)
            )
        elif name == "max_tokens_per_message":
            compare_tokens(
                found, LOW, "max_tokens_per_message", "longest message", "Keep each message to",
                had, target.get(name),
            )
        elif name == "encoding" and had is not None:
            has = target.get(name)
            if has is not None and has != had:
                found.details.append(
                    f"The target counts tokens in {has}, the source in {had}: "
                    "the numbers are not alike."
                )
    return 0


cdef int compare_rates(Findings found, dict source, dict target) except -1:
    for name, had in source.items():
        if not is_number(had):
            continue
        has = target.get(name)
        if not is_number(has):
            found.unknown(f"{name}")
        elif has < had:
            found.limit(LOW, f"{name}", had, has, has * 2 < had)
            if not found.rate_limit:
                found.rate_limit = True
                found.types.append("RateLimitReduced")
            found.advise(
                f"The target allows {has} {name}, the source {had}.",
                f"Keep within {has} {name} on the target.",
            )
    return 0


cdef int compare_limits(Findings found, dict source, dict target) except -1:
    """Compare limits of messages or times: permissions, least values and greatest values."""
    cdef str name
    cdef bint narrower, major
    for key, had in source.items():
        if had is None or had is False:
            continue
        name = f"{key}"
        has = target.get(key)
        if has is None:
            found.unknown(name)
            continue
        if had is True:
            narrower = major = has is False
        elif name.startswith("min_"):
            narrower = has > had
            major = has > had * 2
        else:
            narrower = has < had
            major = has * 2 < had
        if narrower:
            found.limit(LOW, name, had, has, major)
            found.types.append({"ConstrainedParameter": name})
            found.advise(
                f"The target's {name} is {has}, the source's {had}.",
                f"Keep to the target's {name}: {has}.",
            )
    return 0


cdef int compare_extensions(Findings found, dict source, dict target) except -1:
    for name in source:
        if name not in target:
            found.lose(
                LOW, "MissingExtension", f"{name}",
                f"The target does not have the extension {name}.",
                f"Do without the extension {name} on the target.",
            )
    for name in target:
        if name not in source:
            found.additional.append(name)
    return 0


def compare_capabilities(object source, object target):
    """Return the losses, limits and additions of a move from *source* to *target*.

    Both are dicts in the capability structure, partial ones too: an absent feature is False,
    absent system, user and assistant roles are True, modalities are text only, and absent
    numbers and parameters are unknown. A key that the structure does not have is ignored, and
    `details` says so. Neither is changed, and the result shares nothing with them.

    Raises:
        TypeError: an argument is not a dict.
        ValueError: a value inside has a wrong type; the message names the field.
    """
    for side, given in (("source", source), ("target", target)):
        if not isinstance(given, dict):
            raise TypeError(
                f"compare_capabilities: {side} must be a dict, not {type(given).__name__}"
            )
    cdef Sections had = check(as_dict(source), "Invalid source capability: ", False)
    cdef Sections has = check(as_dict(target), "Invalid target capability: ", False)
    cdef Findings found = Findings.__new__(Findings)
    compare_modalities(found, had.modalities, has.modalities, "input")
    compare_modalities(found, had.modalities, has.modalities, "output")
    compare_configs(found, had.configs, has.configs)
    compare_features(found, had, has)
    compare_roles(found, all_roles(had), all_roles(has))
    compare_tokens(
        found, HIGH, "context_window", "context window", "Keep prompt and reply together to",
        had.tokens.get("max_context_window"), has.tokens.get("max_context_window"),
    )
    compare_tokens(
        found, MEDIUM, "max_tokens", "longest reply", "Ask for",
        output_limit(had), output_limit(has),
    )
    compare_other_tokens(found, had.tokens, has.tokens)
    compare_parameters(found, had.parameters, has.parameters)
    compare_rates(found, had.rates, has.rates)
    compare_limits(found, had.messages, has.messages)
    compare_limits(found, had.timeouts, has.timeouts)
    compare_extensions(found, had.extensions, has.extensions)
    found.ignored("source", had.ignored)
    found.ignored("target", has.ignored)
    return found.result()
