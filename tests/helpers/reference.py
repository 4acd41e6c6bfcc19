"""The slow, obvious twins of the compiled core: what it must agree with, errors included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Optional

if TYPE_CHECKING:
    from collections.abc import Iterator

SEVERITIES = ["None", "Low", "Medium", "High", "Critical"]
TOOLS = ["function_calling", "tool_use"]
USUAL_ROLES = ["system", "user", "assistant"]
NO_TOOLS = (
    "High",
    "The target cannot call tools.",
    "Choose a target that can call tools, or take the tools out of the request.",
)
FEATURES = {
    "function_calling": NO_TOOLS,
    "tool_use": NO_TOOLS,
    "json_mode": (
        "Medium",
        "The target has no JSON mode: nothing enforces that a reply is valid JSON.",
        "Ask for JSON in the prompt and check that the reply parses.",
    ),
    "vision": (
        "Medium",
        "The target does not understand images.",
        "Describe images in text, or send requests with images to another model.",
    ),
    "structured_output": (
        "Low",
        "The target does not enforce a JSON schema.",
        "Check replies against the schema after they arrive.",
    ),
    "streaming": (
        "Low",
        "The target does not stream replies.",
        "Ask for whole replies instead of streams.",
    ),
    "reasoning": (
        "Low",
        "The target does not reason before it answers.",
        "Ask for the steps of the answer in the prompt.",
    ),
    "parallel_tool_calls": (
        "Low",
        "The target makes one tool call at a time.",
        "Expect more turns where several tools are needed.",
    ),
    "prompt_caching": (
        "Low",
        "The target does not cache prompts.",
        "Expect to pay the full price for repeated prompts.",
    ),
}
ROLES = {
    "system": (
        "Medium",
        "The target takes no system messages.",
        "Put system instructions at the start of the first user message.",
    ),
    "function": (
        "Low",
        "The target takes no function messages.",
        "Send results of functions as tool messages.",
    ),
}


class Finding(NamedTuple):
    """One thing that a comparison found; what does not apply is None."""

    severity: str = "None"
    missing: Optional[str] = None
    constrained: Optional[dict[str, Any]] = None
    additional: Optional[str] = None
    kind: Any = None
    detail: Optional[str] = None
    advice: Optional[str] = None


def expect(value: Any, types: tuple[type, ...], wanted: str, path: str) -> None:
    if isinstance(value, bool) and bool not in types:
        raise ValueError(f"{path} must be {wanted}, not bool")
    if not isinstance(value, types):
        raise ValueError(f"{path} must be {wanted}, not {type(value).__name__}")


def expect_number(value: Any, path: str) -> None:
    expect(value, (int, float), "a number", path)
    if value != value:
        raise ValueError(f"{path} must be a number, not nan")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError(f"{path} must fit 64 bits")


def expect_texts(value: Any, path: str) -> None:
    expect(value, (list, tuple), "a list of str", path)
    for item in value:
        expect(item, (str,), "a list of str", path)


def read_section(parent: dict[Any, Any], key: str, path: str) -> dict[Any, Any]:
    value = parent.get(key)
    if value is None:
        return {}
    expect(value, (dict,), "a dict", path)
    return dict(value)


SECTIONS = [
    "version",
    "modalities",
    "features",
    "parameters",
    "roles",
    "constraints",
    "extensions",
]
FEATURE_NAMES = [*FEATURES, "logprobs", "multiple_responses", "stop_sequences", "seed_support"]
AS_PARAMETERS = {
    "logprobs": "logprobs",
    "multiple_responses": "n",
    "stop_sequences": "stop",
    "seed_support": "seed",
}
PARAMETERS = [
    *("temperature", "top_p", "top_k", "max_tokens", "frequency_penalty", "presence_penalty"),
    *("repetition_penalty", "stop", "n", "seed", "logit_bias", "logprobs", "reasoning_effort"),
]
RATES = [
    *("requests_per_minute", "requests_per_hour", "requests_per_day"),
    *("tokens_per_minute", "tokens_per_hour", "tokens_per_day", "max_concurrent_requests"),
]
TOKENS = {
    "max_context_window": float,
    "max_input_tokens": float,
    "max_output_tokens": float,
    "max_tokens_per_message": float,
    "encoding": str,
}
MESSAGES = {
    "max_messages_per_conversation": float,
    "max_message_length": float,
    "min_messages_required": float,
    "max_system_message_length": float,
    "allow_empty_messages": bool,
    "allow_consecutive_same_role": bool,
}
TIMEOUTS = {
    "max_request_timeout_seconds": float,
    "default_timeout_seconds": float,
    "stream_timeout_seconds": float,
    "connection_timeout_seconds": float,
}


def named_entries(section: dict[Any, Any], path: str) -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        if not isinstance(name, str):
            raise ValueError(f"{path}: names must be str, not {type(name).__name__}")
        yield name, value


def read_flags(
    flags: dict[Any, Any], key: str, side: Side, known: list[str]
) -> dict[str, bool | None]:
    found = {}
    for name, value in named_entries(flags, f"{side.prefix}{key}"):
        if value is not None and not isinstance(value, bool) and name not in known:
            side.ignored.append(f"{key}.{name}")
            continue
        if value is not None:
            expect(value, (bool,), "True or False", f"{side.prefix}{key}.{name}")
        found[name] = value
    return found


def read_rates(parent: dict[Any, Any], side: Side) -> dict[str, Any]:
    path = "constraints.rate_limits"
    rates = {}
    section = read_section(parent, "rate_limits", side.prefix + path)
    for name, value in named_entries(section, side.prefix + path):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value is None:
            continue
        if name not in RATES and not number:
            side.ignored.append(f"{path}.{name}")
            continue
        if name in RATES:
            expect_number(value, f"{side.prefix}{path}.{name}")
        rates[name] = value
    return rates


def read_limits(
    parent: dict[Any, Any], key: str, side: Side, types: dict[str, type]
) -> dict[str, Any]:
    path = f"constraints.{key}"
    limits = {}
    for name, value in read_section(parent, key, side.prefix + path).items():
        if value is None:
            continue
        if name not in types:
            side.ignored.append(f"{path}.{name}")
            continue
        if types[name] is float:
            expect_number(value, f"{side.prefix}{path}.{name}")
        elif types[name] is str:
            expect(value, (str,), "a str", f"{side.prefix}{path}.{name}")
        else:
            expect(value, (bool,), "True or False", f"{side.prefix}{path}.{name}")
        limits[name] = value
    return limits


def read_parameters(capability: dict[Any, Any], side: Side) -> dict[str, dict[str, Any]]:
    parameters = {}
    section = read_section(capability, "parameters", side.prefix + "parameters")
    for name, value in named_entries(section, side.prefix + "parameters"):
        if value is None:
            continue
        path = f"{side.prefix}parameters.{name}"
        if not isinstance(value, dict) and name not in PARAMETERS:
            side.ignored.append(f"parameters.{name}")
            continue
        expect(value, (dict,), "a dict", path)
        for key, entry in value.items():
            if entry is None or not isinstance(key, str):
                continue
            if key == "supported":
                expect(entry, (bool,), "True or False", f"{path}.supported")
            elif key in ("min", "max"):
                expect_number(entry, f"{path}.{key}")
            elif key == "values":
                expect_texts(entry, f"{path}.values")
            elif key != "default":
                side.ignored.append(f"parameters.{name}.{key}")
        parameters[name] = dict(value)
    return parameters


def ignore_others(section: dict[Any, Any], path: str, side: Side, known: list[str]) -> None:
    for name, value in section.items():
        if name not in known and value is not None:
            side.ignored.append(f"{path}{name}")


class Side(NamedTuple):
    """Which of the two dicts is read, and its keys that are not of the structure."""

    prefix: str
    ignored: list[str]


class Capability:
    """A capability dict, read and checked whole."""

    def __init__(self, capability: Any, which: str) -> None:
        side = Side(f"Invalid {which} capability: ", [])
        prefix = side.prefix
        if capability.get("version") is not None:
            expect(capability["version"], (str,), "a str", prefix + "version")
        self.modalities, self.configs = self.read_modalities(capability, side)
        features = read_section(capability, "features", prefix + "features")
        self.stated_features = read_flags(features, "features", side, FEATURE_NAMES)
        self.features = [name for name, has in self.stated_features.items() if has]
        self.parameters = read_parameters(capability, side)
        self.roles = self.read_roles(capability, side)
        constraints = read_section(capability, "constraints", prefix + "constraints")
        self.tokens = read_limits(constraints, "tokens", side, TOKENS)
        self.rates = read_rates(constraints, side)
        self.messages = read_limits(constraints, "messages", side, MESSAGES)
        self.timeouts = read_limits(constraints, "timeouts", side, TIMEOUTS)
        ignore_others(
            constraints, "constraints.", side, ["tokens", "rate_limits", "messages", "timeouts"]
        )
        self.extensions = self.read_extensions(capability, side)
        ignore_others(capability, "", side, SECTIONS)
        self.ignored = side.ignored

    @staticmethod
    def read_modalities(capability: Any, side: Side) -> tuple[dict[str, list[str]], dict[Any, Any]]:
        modalities = read_section(capability, "modalities", side.prefix + "modalities")
        found = {}
        for way in ("input", "output"):
            names = modalities.get(way)
            if names is None:
                names = ["Text"]
            expect_texts(names, f"{side.prefix}modalities.{way}")
            found[way] = list(dict.fromkeys(names))
        configs = read_section(modalities, "configs", side.prefix + "modalities.configs")
        for name, value in configs.items():
            if name in ("image", "audio", "video", "document"):
                if value is not None:
                    expect(value, (dict,), "a dict", f"{side.prefix}modalities.configs.{name}")
            elif value is not None and not isinstance(value, dict):
                side.ignored.append(f"modalities.configs.{name}")
        ignore_others(modalities, "modalities.", side, ["input", "output", "configs"])
        return found, configs

    @staticmethod
    def read_roles(capability: Any, side: Side) -> list[str]:
        flags = read_section(capability, "roles", side.prefix + "roles")
        custom = flags.pop("custom_roles", None)
        if custom is not None:
            expect_texts(custom, side.prefix + "roles.custom_roles")
        roles = read_flags(flags, "roles", side, [*USUAL_ROLES, "tool", "function"])
        roles.update(dict.fromkeys(custom or (), True))
        found = [role for role in USUAL_ROLES if roles.get(role) in (None, True)]
        return found + [role for role, has in roles.items() if has and role not in USUAL_ROLES]

    @staticmethod
    def read_extensions(capability: Any, side: Side) -> list[str]:
        prefix = side.prefix + "extensions"
        stated = read_section(capability, "extensions", prefix)
        named = list(named_entries(stated, prefix))
        custom = read_section(stated, "custom", prefix + ".custom")
        named = [pair for pair in named if pair[0] not in ("custom", "experimental")]
        named += named_entries(custom, prefix + ".custom")
        found = [name for name, value in named if value is not None and value is not False]
        if stated.get("experimental") is not None:
            expect_texts(stated["experimental"], prefix + ".experimental")
            found += stated["experimental"]
        return list(dict.fromkeys(found))

    def output_limit(self) -> Any:
        if "max_output_tokens" in self.tokens:
            return self.tokens["max_output_tokens"]
        return self.parameters.get("max_tokens", {}).get("max")

    def has_parameter(self, feature: str) -> bool:
        """Whether a feature that is not stated is there as a parameter that is taken."""
        parameter = self.parameters.get(AS_PARAMETERS.get(feature, ""), {"supported": False})
        if self.stated_features.get(feature) is not None or parameter.get("supported") is False:
            return False
        most = parameter.get("max")
        return feature != "multiple_responses" or most is None or most > 1


def missing(kind: str, name: str, severity: str, detail: str, advice: str) -> Finding:
    return Finding(severity, missing=name, kind={kind: name}, detail=detail, advice=advice)


def constrained(
    name: str, severity: str, kind: Any, values: tuple[Any, Any], major: bool
) -> Finding:
    entry = {
        "capability": name,
        "source_value": values[0],
        "target_value": values[1],
        "impact": "Major" if major else "Minor",
    }
    return Finding(severity, constrained=entry, kind=kind)


def unknown(what: str) -> Finding:
    return Finding(detail=f"The target does not state {what}: not compared.")


def compare_modalities(source: Capability, target: Capability) -> Iterator[Finding]:
    for way in ("input", "output"):
        had, has = source.modalities[way], target.modalities[way]
        for name in had:
            if name not in has and way == "input":
                detail = f"The target takes no {name} input."
                advice = f"Turn {name} input into text, or send such requests to another model."
                yield missing("MissingModality", f"input_{name}", "Critical", detail, advice)
            elif name not in has:
                detail = f"The target gives no {name} output."
                advice = f"Send requests for {name} output to another model."
                yield missing("MissingModality", f"output_{name}", "Critical", detail, advice)
        for name in has:
            if name not in had:
                yield Finding(additional=f"{way}_{name}")


def compare_configs(source: Capability, target: Capability) -> Iterator[Finding]:
    for modality, config in source.configs.items():
        other = target.configs.get(modality)
        if config is not None and other is not None and config != other:
            yield Finding(detail=f"The configs of {modality} differ: not compared.")


def lacking(names: list[str], others: list[str]) -> list[str]:
    """Return the features that others lack; the two names for tools are one."""
    lost = [name for name in names if name not in others]
    if any(tool in others for tool in TOOLS):
        return [name for name in lost if name not in TOOLS]
    tools = [name for name in lost if name in TOOLS]
    return [name for name in lost if name not in tools[1:]]


def compare_features(source: Capability, target: Capability) -> Iterator[Finding]:
    for name in lacking(source.features, target.features):
        if target.has_parameter(name):
            continue
        severity, detail, advice = FEATURES.get(
            name,
            (
                "Low",
                f"The target does not have the feature {name}.",
                f"Check whether your requests rely on {name}.",
            ),
        )
        yield missing("MissingFeature", name, severity, detail, advice)
    for name in lacking(target.features, source.features):
        if not source.has_parameter(name):
            yield Finding(additional=name)


def compare_roles(source: Capability, target: Capability) -> Iterator[Finding]:
    def miss(role: str) -> Finding:
        severity, detail, advice = ROLES.get(
            role,
            (
                "Low",
                f"The target takes no {role} messages.",
                f"Send {role} messages under another role.",
            ),
        )
        return missing("MissingRole", f"{role}_role", severity, detail, advice)

    for role in source.roles:
        if role not in target.roles:
            yield miss(role)
    for role in target.roles:
        if role not in source.roles:
            yield Finding(additional=f"{role}_role")


def compare_tokens(
    name: str, severity: str, words: tuple[str, str], had: Any, has: Any
) -> Iterator[Finding]:
    if had is None:
        return
    if has is None:
        yield unknown(name)
    elif has < had:
        yield constrained(name, severity, "TokenLimitExceeded", (had, has), has * 2 < had)
        yield Finding(
            detail=f"The target's {words[0]} is {has} tokens, the source's {had}.",
            advice=f"{words[1]} at most {has} tokens.",
        )


def compare_range(name: str, had: dict[str, Any], has: dict[str, Any]) -> Iterator[Finding]:
    low, high = had.get("min"), had.get("max")
    floor, ceiling = has.get("min"), has.get("max")
    if low is not None and floor is None:
        yield unknown(f"{name}.min")
    if high is not None and ceiling is None:
        yield unknown(f"{name}.max")
    higher = low is not None and floor is not None and floor > low
    lower = high is not None and ceiling is not None and ceiling < high
    if not higher and not lower:
        return
    major = False
    if None not in (low, high, floor, ceiling):
        major = (min(high, ceiling) - max(low, floor)) * 2 < high - low
    ranges = ({"min": low, "max": high}, {"min": floor, "max": ceiling})
    yield constrained(name, "Medium", {"ConstrainedParameter": name}, ranges, major)
    if higher:
        yield Finding(
            detail=f"The target takes {name} from {floor} up, the source from {low}.",
            advice=f"Keep {name} at {floor} or more.",
        )
    if lower:
        yield Finding(
            detail=f"The target takes {name} up to {ceiling}, the source up to {high}.",
            advice=f"Keep {name} at {ceiling} or less.",
        )


def compare_values(name: str, had: list[str] | None, has: list[str] | None) -> Iterator[Finding]:
    if had is None:
        return
    if has is None:
        yield unknown(f"{name}.values")
        return
    lost = [value for value in had if value not in has]
    if lost:
        major = (len(had) - len(lost)) * 2 < len(had)
        values = (list(had), list(has))
        yield constrained(name, "Medium", {"ConstrainedParameter": name}, values, major)
        yield Finding(
            detail=f"The target does not take {name} {', '.join(lost)}.",
            advice=f"Use one of these for {name}: {', '.join(has)}.",
        )


def compare_parameters(source: Capability, target: Capability) -> Iterator[Finding]:
    for name, had in source.parameters.items():
        has = target.parameters.get(name)
        taken = had.get("supported") is not False
        if has is None:
            if taken:
                yield unknown(name)
        elif has.get("supported") is False:
            if taken:
                kind = {"ConstrainedParameter": name}
                yield constrained(name, "Medium", kind, (True, False), True)
                yield Finding(
                    detail=f"The target does not take {name}.",
                    advice=f"Leave {name} out of requests to the target.",
                )
        elif not taken:
            yield Finding(additional=name)
        else:
            if name == "max_tokens":
                yield from compare_range(name, {**had, "max": None}, {**has, "max": None})
            else:
                yield from compare_range(name, had, has)
            yield from compare_values(name, had.get("values"), has.get("values"))


def compare_rates(source: Capability, target: Capability) -> Iterator[Finding]:
    for name, had in source.rates.items():
        has = target.rates.get(name)
        if has is None:
            yield unknown(name)
        elif has < had:
            yield constrained(name, "Low", "RateLimitReduced", (had, has), has * 2 < had)
            yield Finding(
                detail=f"The target allows {has} {name}, the source {had}.",
                advice=f"Keep within {has} {name} on the target.",
            )


def compare_other_tokens(source: Capability, target: Capability) -> Iterator[Finding]:
    for name, had in source.tokens.items():
        has = target.tokens.get(name)
        if name == "max_input_tokens":
            yield from compare_tokens(name, "Low", ("longest input", "Send"), had, has)
        elif name == "max_tokens_per_message":
            words = ("longest message", "Keep each message to")
            yield from compare_tokens(name, "Low", words, had, has)
        elif name == "encoding" and has is not None and has != had:
            detail = (
                f"The target counts tokens in {has}, the source in {had}: the numbers are not "
                "alike."
            )
            yield Finding(detail=detail)


def compare_limits(source: dict[str, Any], target: dict[str, Any]) -> Iterator[Finding]:
    for name, had in source.items():
        has = target.get(name)
        if had is False:
            continue
        if has is None:
            yield unknown(name)
            continue
        narrower, major = has < had, has * 2 < had
        if name.startswith("min_"):
            narrower, major = has > had, has > had * 2
        if narrower:
            yield constrained(name, "Low", {"ConstrainedParameter": name}, (had, has), major)
            yield Finding(
                detail=f"The target's {name} is {has}, the source's {had}.",
                advice=f"Keep to the target's {name}: {has}.",
            )


def compare_extensions(source: Capability, target: Capability) -> Iterator[Finding]:
    for name in source.extensions:
        if name not in target.extensions:
            detail = f"The target does not have the extension {name}."
            advice = f"Do without the extension {name} on the target."
            yield missing("MissingExtension", name, "Low", detail, advice)
    for name in target.extensions:
        if name not in source.extensions:
            yield Finding(additional=name)


def compare_capabilities(source: Any, target: Any) -> dict[str, Any]:
    for side, given in (("source", source), ("target", target)):
        if not isinstance(given, dict):
            raise TypeError(
                f"compare_capabilities: {side} must be a dict, not {type(given).__name__}"
            )
    one, other = Capability(source, "source"), Capability(target, "target")
    window = ("context window", "Keep prompt and reply together to")
    limits = [capability.tokens.get("max_context_window") for capability in (one, other)]
    findings = [
        *compare_modalities(one, other),
        *compare_configs(one, other),
        *compare_features(one, other),
        *compare_roles(one, other),
        *compare_tokens("context_window", "High", window, *limits),
        *compare_tokens(
            "max_tokens",
            "Medium",
            ("longest reply", "Ask for"),
            one.output_limit(),
            other.output_limit(),
        ),
        *compare_other_tokens(one, other),
        *compare_parameters(one, other),
        *compare_rates(one, other),
        *compare_limits(one.messages, other.messages),
        *compare_limits(one.timeouts, other.timeouts),
        *compare_extensions(one, other),
        *(Finding(detail=f"The source's {p} is an unknown key: ignored.") for p in one.ignored),
        *(Finding(detail=f"The target's {p} is an unknown key: ignored.") for p in other.ignored),
    ]
    kinds: list[Any] = []
    for finding in findings:
        if finding.kind is not None and finding.kind not in kinds:
            kinds.append(finding.kind)
    worst = max((SEVERITIES.index(finding.severity) for finding in findings), default=0)
    return {
        "missing_capabilities": [f.missing for f in findings if f.missing is not None],
        "constrained_capabilities": [f.constrained for f in findings if f.constrained is not None],
        "additional_capabilities": [f.additional for f in findings if f.additional is not None],
        "lossiness_report": {
            "is_lossy": worst > 0,
            "severity": SEVERITIES[worst],
            "details": [f.detail for f in findings if f.detail is not None],
            "recommendations": [f.advice for f in findings if f.advice is not None],
            "lossiness_types": kinds,
        },
    }
