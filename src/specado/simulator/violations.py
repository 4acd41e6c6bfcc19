"""Parses decoder errors into violations (rule, path, value), for each API's error messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Optional, TypeVar, Union

import msgspec
from msgspec import inspect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Broken", "StrictObject", "Violation", "first_violation", "read"]

_T = TypeVar("_T")
_AT = re.compile(
    r"^(?P<what>.*?)(?: - at `(?P<path>\$.*)`| - at `key` in `(?P<keys>\$.*)`)?$", re.S
)
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]|\[\.\.\.\]")
_RULES = (
    ("unknown_field", re.compile(r"^Object contains unknown field `(.*)`$", re.S)),
    ("missing_field", re.compile(r"^Object missing required field `(.*)`$", re.S)),
    ("wrong_type", re.compile(r"^Expected `(.*)`, got `(.*)`$", re.S)),
    ("below", re.compile(r"^Expected `(?:int|float|int \| float).*` >=? (.*)$", re.S)),
    ("above", re.compile(r"^Expected `(?:int|float|int \| float).*` <=? (.*)$", re.S)),
    ("too_short", re.compile(r"^Expected `.*` of length >= (\d+)$", re.S)),
    ("too_long", re.compile(r"^Expected `.*` of length <= (\d+)$", re.S)),
    ("pattern", re.compile(r"^Expected `str` matching regex '(.*)'$", re.S)),
    ("unknown_value", re.compile(r"^Invalid (?:enum )?value (.*)$", re.S)),
)


class StrictObject(msgspec.Struct, forbid_unknown_fields=True):
    """A JSON object that may have only the fields of its type."""


class Violation(msgspec.Struct, frozen=True):
    """One violated rule of a request body.

    `path` leads to the value (for an unknown or missing field: to that field; for an entry of a
    map: to the map); `bound` is the bound, pattern, expected types or field name; `value` what
    stood there, `None` if unknown; `got` its JSON type; `allowed` the values that may stand there.
    """

    rule: str
    path: tuple[Union[str, int], ...]
    bound: str
    value: Optional[Any] = None
    got: str = ""
    allowed: tuple[Any, ...] = ()


class Broken(Exception):  # noqa: N818 - becomes the provider's answer
    """A body that cannot be decoded: not JSON (`violation` is `None`), or of the wrong shape.

    `data` is the body as plain JSON values.
    """

    def __init__(self, violation: Violation | None = None, data: Any = None) -> None:
        super().__init__()
        self.violation = violation
        self.data = data


def read(body: bytes, decoder: msgspec.json.Decoder[_T]) -> _T:
    """Return *body* as the decoder's type, or raise `Broken`."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        wrong = error
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Broken from None
    try:
        # The decoder stops at the first violation; the text after it may not be valid JSON.
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Broken from None
    raise Broken(first_violation(wrong, data, decoder.type), data)


def value_at(data: Any, path: Sequence[str | int]) -> Any:
    """Return the value at *path* in decoded JSON, `None` if there is none."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(data, list) or step >= len(data):
                return None
            data = data[step]
        else:
            if not isinstance(data, dict):
                return None
            data = data.get(step)
    return data


def first_violation(error: msgspec.ValidationError, data: Any, type_: Any) -> Violation:
    """Return the rule that *error* names; *data* is the body as plain JSON, *type_* its type."""
    found = _AT.match(str(error))
    what = found["what"] if found else str(error)
    where = (found["path"] or found["keys"] or "") if found else ""
    path: tuple[str | int, ...] = tuple(
        int(step[2]) if step[2] else step[1] for step in _STEP.finditer(where) if step[1] or step[2]
    )
    in_map = "[...]" in where or bool(found and found["keys"])
    value = None if in_map else value_at(data, path)
    for rule, pattern in _RULES:
        if matched := pattern.match(what):
            bound = matched[1]
            if rule in ("unknown_field", "missing_field"):
                path = (*path, bound)
            got = matched[2] if rule == "wrong_type" else ""
            allowed = _allowed(type_, path, data) if rule == "unknown_value" else ()
            return Violation(rule, path, bound, value, got, allowed)
    return Violation("other", path, what, value)


def _allowed(type_: Any, path: tuple[str | int, ...], data: Any) -> tuple[Any, ...]:
    """Return the values that *type_* allows at *path*: an enumeration, or the tags of a union."""
    level = [inspect.type_info(type_)]
    for step in path:
        deeper: list[Any] = []
        for node in _alternatives(level):
            if isinstance(step, int):
                if isinstance(node, inspect.ListType):
                    deeper.append(node.item_type)
            elif isinstance(node, inspect.StructType):
                tag = data.get(node.tag_field) if isinstance(data, dict) else None
                if step != node.tag_field and node.tag not in (None, tag):
                    continue
                if node.tag_field == step:
                    deeper.append(inspect.LiteralType((node.tag,)))
                deeper += [field.type for field in node.fields if field.encode_name == step]
        level = deeper
        data = value_at(data, (step,))
    values = [
        value
        for node in _alternatives(level)
        if isinstance(node, inspect.LiteralType)
        for value in node.values
    ]
    return tuple(dict.fromkeys(values))


def _alternatives(nodes: list[Any]) -> Iterator[Any]:
    for node in nodes:
        if isinstance(node, inspect.UnionType):
            yield from _alternatives(list(node.types))
        elif isinstance(node, inspect.Metadata):
            yield from _alternatives([node.type])
        else:
            yield node
