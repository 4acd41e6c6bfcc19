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


def named_entries(section: dict[Any, Any], path: str) -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        if not isinstance(name, str):
            raise ValueError(f"{path}: names must be str, not {type(name).__name__}")
        yield name, value


def read_flags(capability: dict[Any, Any], key: str, prefix: str) -> dict[str, bool | None]:
    flags = {}
    for name, value in named_entries(read_section(capability, key, prefix + key), prefix + key):
        if value is not None:
            expect(value, (bool,), "True or False", f"{prefix}{key}.{name}")
        flags[name] = value
    return flags


def read_numbers(parent: dict[Any, Any], key: str, path: str) -> dict[str, Any]:
    numbers = {}
    for name, value in named_entries(read_section(parent, key, path), path):
        if value is not None:
            expect_number(value, f"{path}.{name}")
            numbers[name] = value
    return numbers


def read_parameters(capability: dict[Any, Any], prefix: str) -> dict[str, dict[str, Any]]:
    parameters = {}
    section = read_section(capability, "parameters", prefix + "parameters")
    for name, value in named_entries(section, prefix + "parameters"):
        if value is None:
            continue
        path = f"{prefix}parameters.{name}"
        expect(value, (dict,), "a dict", path)
        for key, entry in value.items():
            if entry is None:
                continue
            if key == "supported":
                expect(entry, (bool,), "True or False", f"{path}.supported")
            elif key in ("min", "max"):
                expect_number(entry, f"{path}.{key}")
            elif key == "values":
                expect_texts(entry, f"{path}.values")
        parameters[name] = dict(value)
    return parameters


class Capability:
    """A capability dict, read and checked whole."""

    def __init__(self, capability: Any, side: str) -> None:
        prefix = f"Invalid {side} capability: "
        if capability.get("version") is not None:
            expect(capability["version"], (str,), "a str", prefix + "version")
        modalities = read_section(capability, "modalities", prefix + "modalities")
        self.modalities = {}
        for way in ("input", "output"):
            names = modalities.get(way)
            if names is None:
                names = ["Text"]
            expect_texts(names, f"{prefix}modalities.{way}")
            self.modalities[way] = list(dict.fromkeys(names))
        read_section(modalities, "configs", prefix + "modalities.configs")
        self.features = [
            name for name, has in read_flags(capability, "features", prefix).items() if has
        ]
        self.parameters = read_parameters(capability, prefix)
        roles = read_flags(capability, "roles", prefix)
        self.roles = [role for role in USUAL_ROLES if roles.get(role) in (None, True)]
        self.roles += [role for role, has in roles.items() if has and role not in USUAL_ROLES]
        constraints = read_section(capability, "constraints", prefix + "constraints")
        self.tokens = read_numbers(constraints, "tokens", prefix + "constraints.tokens")
        self.rates = read_numbers(constraints, "rate_limits", prefix + "constraints.rate_limits")
        extensions = read_section(capability, "extensions", prefix + "extensions")
        named = named_entries(extensions, prefix + "extensions")
        self.extensions = [
            name for name, value in named if value is not None and value is not False
        ]

    def output_limit(self) -> Any:
        if "max_output_tokens" in self.tokens:
            return self.tokens["max_output_tokens"]
        parameter = self.parameters.get("max_tokens", {})
        return None if parameter.get("supported") is False else parameter.get("max")


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


def lacking(names: list[str], others: list[str]) -> list[str]:
    """Return the features that others lack; the two names for tools are one."""
    lost = [name for name in names if name not in others]
    if any(tool in others for tool in TOOLS):
        return [name for name in lost if name not in TOOLS]
    tools = [name for name in lost if name in TOOLS]
    return [name for name in lost if name not in tools[1:]]


def compare_features(source: Capability, target: Capability) -> Iterator[Finding]:
    for name in lacking(source.features, target.features):
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
        *compare_parameters(one, other),
        *compare_rates(one, other),
        *compare_extensions(one, other),
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
