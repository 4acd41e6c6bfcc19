"""OpenAI's error messages for a request body of the wrong type or shape.

Wording: error bodies that users of the API report, read 2026-11-22.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from specado.simulator.reply import SimulatedError

if TYPE_CHECKING:
    from specado.simulator.violations import Violation

__all__ = ["refusal_for"]

_TYPE_WORDS = {
    "str": "a string",
    "int": "an integer",
    "float": "a decimal",
    "bool": "a boolean",
    "object": "an object",
    "array": "an array",
    "null": "null",
}


def dotted(path: tuple[str | int, ...]) -> str:
    """Return *path* as OpenAI writes it: `messages[0].content`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def refusal_for(broken: Violation) -> SimulatedError:
    """Return the error that OpenAI gives for a body of the wrong shape."""
    where = dotted(broken.path)
    bound = broken.bound
    if broken.rule == "unknown_field":
        return SimulatedError(
            f"Unknown parameter: '{where}'.", param=where, code="unknown_parameter"
        )
    if broken.rule == "missing_field":
        if where == "model":
            return SimulatedError("you must provide a model parameter")
        return SimulatedError(
            f"Missing required parameter: '{where}'.",
            param=where,
            code="missing_required_parameter",
        )
    if broken.rule in ("below", "above"):
        return _out_of_range(broken, where)
    if broken.rule in ("too_short", "too_long"):
        return _wrong_length(broken, where)
    if broken.rule == "pattern":
        return SimulatedError(
            f"Invalid '{where}': string does not match pattern. Expected a string that matches "
            f"the pattern '{bound}'.",
            param=where,
            code="invalid_value",
        )
    if broken.rule == "unknown_value":
        quoted = [f"'{option}'" for option in broken.allowed]
        last = ", and " if len(quoted) > 2 else " and "
        options = last.join(filter(None, (", ".join(quoted[:-1]), *quoted[-1:])))
        return SimulatedError(
            f"Invalid value: {bound}. Supported values are: {options}.",
            param=where,
            code="invalid_value",
        )
    return _wrong_type(broken, where)


def _out_of_range(broken: Violation, where: str) -> SimulatedError:
    value, bound = broken.value, broken.bound
    # The field's type counts, not the value's: a temperature of -1 is a "decimal" (recorded).
    kind = "decimal" if "." in bound else "integer"
    below = broken.rule == "below"
    sign, edge = (">=", "below minimum") if below else ("<=", "above maximum")
    bound = bound[:-2] if bound.endswith(".0") else bound
    shown = "" if value is None else f", but got {value!r} instead"
    return SimulatedError(
        f"Invalid '{where}': {kind} {edge} value. Expected a value {sign} {bound}{shown}.",
        param=where,
        code=f"{kind}_{'below_min' if below else 'above_max'}_value",
    )


def _wrong_length(broken: Violation, where: str) -> SimulatedError:
    value, bound = broken.value, broken.bound
    if broken.rule == "too_short" and isinstance(value, list):
        return SimulatedError(
            f"Invalid '{where}': empty array. Expected an array with minimum length {bound}, but "
            "got an empty array instead.",
            param=where,
            code="empty_array",
        )
    kind = "array" if isinstance(value, list) else "object" if isinstance(value, dict) else "string"
    article = "a" if kind == "string" else "an"
    size = f", but got {article} {kind} with length {len(value)} instead" if value else ""
    way, edge = ("long", "maximum") if broken.rule == "too_long" else ("short", "minimum")
    return SimulatedError(
        f"Invalid '{where}': {kind} too {way}. Expected {article} {kind} with {edge} length "
        f"{bound}{size}.",
        param=where,
        code=f"{kind}_{'above_max' if way == 'long' else 'below_min'}_length",
    )


def _wrong_type(broken: Violation, where: str) -> SimulatedError:
    words = [word for word in broken.bound.split(" | ") if word != "null"]
    wanted = [_TYPE_WORDS.get(word, word) for word in words]
    choice = " or ".join(wanted) if len(wanted) < 2 else "one of " + " or ".join(wanted)
    got = _TYPE_WORDS.get(broken.got, "another type")
    return SimulatedError(
        f"Invalid type for '{where}': expected {choice}, but got {got} instead.",
        param=where,
        code="invalid_type",
    )
