"""Anthropic's error messages for a request body of the wrong type or shape.

Wording: error bodies that users of the API report, read 2026-11-22.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from specado.simulator.reply import SimulatedError

if TYPE_CHECKING:
    from specado.simulator.violations import Violation

__all__ = ["refusal_for"]

_TYPE_WORDS = {
    "str": "a valid string",
    "int": "a valid integer",
    "float": "a valid number",
    "bool": "a valid boolean",
    "object": "a valid dictionary",
    "array": "a valid list",
}


def dotted(path: tuple[str | int, ...], data: Any) -> str:
    """Return *path* as Anthropic writes it, with each block's type: `messages.0.content.1.text`."""
    words: list[str] = []
    for place, step in enumerate(path):
        words.append(str(step))
        if isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        elif isinstance(data, dict) and isinstance(step, str):
            data = data.get(step)
        else:
            data = None
        if isinstance(data, dict) and place + 1 < len(path) and path[place + 1] != "type":
            kind = data.get("type", "custom" if words[0] == "tools" and place == 1 else None)
            if isinstance(kind, str):
                words.append(kind)
    return ".".join(words)


def refusal_for(broken: Violation, data: Any) -> SimulatedError:
    """Return the error that Anthropic gives for a body of the wrong shape."""
    where, bound = dotted(broken.path, data), broken.bound
    if broken.rule == "unknown_field":
        return SimulatedError(f"{where}: Extra inputs are not permitted")
    if broken.rule == "missing_field":
        return SimulatedError(f"{where}: Field required")
    if broken.rule in ("below", "above"):
        bound = bound[:-2] if bound.endswith(".0") else bound
        way = "greater" if broken.rule == "below" else "less"
        return SimulatedError(f"{where}: Input should be {way} than or equal to {bound}")
    if broken.rule in ("too_short", "too_long"):
        way = "least" if broken.rule == "too_short" else "most"
        unit = "character" if isinstance(broken.value, str) else "item"
        plural = "" if bound == "1" else "s"
        return SimulatedError(
            f"{where}: {_noun(broken.value)} should have at {way} {bound} {unit}{plural}"
        )
    if broken.rule == "pattern":
        return SimulatedError(f"{where}: String should match pattern '{bound}'")
    if broken.rule == "unknown_value":
        if broken.path[-1:] == ("role",):
            return SimulatedError(
                f'messages: Unexpected role "{broken.value}". Allowed roles are "user" or '
                '"assistant"'
            )
        quoted = [f"'{value}'" for value in broken.allowed]
        if broken.path[-1:] == ("type",):
            where = dotted(broken.path[:-1], data)
            return SimulatedError(
                f"{where}: Input tag {bound} found using 'type' does not match any of the expected "
                f"tags: {', '.join(quoted)}"
            )
        options = " or ".join(filter(None, (", ".join(quoted[:-1]), *quoted[-1:])))
        return SimulatedError(f"{where}: Input should be {options}")
    wanted = [_TYPE_WORDS.get(word, word) for word in bound.split(" | ") if word != "null"]
    return SimulatedError(f"{where}: Input should be {' or '.join(wanted)}" if wanted else where)


def _noun(value: Any) -> str:
    return "String" if isinstance(value, str) else "List"
