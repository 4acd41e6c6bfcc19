"""Capability comparison: the capabilities that a second model lacks.

Two plain dicts in the documented capability structure come in, one plain dict goes out. Both are
checked whole before anything is compared, so that an error does not depend on the other side.
No state is kept; any number of threads may compare at once.
"""

cimport cython
from cpython.dict cimport PyDict_Next
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_GET_LENGTH

from specado._core.capability cimport (
    Sections,
    as_dict,
    check,
    is_number,
    output_limit,
    spells,
)

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
# feature -> severity of its loss, what the loss means, what to do about it
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
    """Collect what a comparison finds. Made and used within one call."""

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
    """Tell whether a *feature* that is not stated is there as a request parameter."""
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
cdef class Stated:
    """What a side states about one parameter. Made and used within one call."""

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


cdef int compare_parameter(Findings found, str name, Stated had, Stated has) except -1:
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
    cdef Stated had = Stated.__new__(Stated)
    cdef Stated has = Stated.__new__(Stated)
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
    """Return what a move from *source* to *target* loses, limits and adds.

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
