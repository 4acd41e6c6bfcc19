"""Validates an answer against the bounds of its JSON Schema.

A *bound* is a keyword beyond an answer's shape, such as `minimum`, `pattern`, `uniqueItems` or
`not`: providers enforce the shape (`type`, `properties`, `required`, `enum`, …) and few bounds.
The shape is checked here only to find the bounds that apply: the bounds of one of several
alternatives (`anyOf`, …) count where the value has its shape.

Only certain breaches are reported. Unknown things (a keyword, format or pattern that is not
checked, a reference out of the schema) are never a breach.

Source: JSON Schema 2020-12, core and validation (read 2026-11-30).
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, Callable, NamedTuple, Optional
from urllib.parse import unquote

from specado.json_schema.formats import FORMATS
from specado.json_schema.patterns import Pattern, compile_pattern

__all__ = ["AnswerCheck", "Breach", "check_answer", "check_value", "has_bounds", "is_checked"]

# Deeper nesting, of an answer or of references, is not checked.
MAX_DEPTH = 100
# So many places are checked, which takes a third of a second: more than any model writes at once.
MAX_VISITS = 100_000
# At most this many breaches are reported; one is enough to refuse an answer.
MAX_BREACHES = 100
# Longer whole numbers become decimals: Python reads them in quadratic time, or not at all.
MAX_WHOLE_DIGITS = 1000
# Digits of a number beyond which no multiple is computed.
MAX_DIGITS = 400
MAX_PATH = 200
MAX_SHOWN = 80
_PLAIN_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")

# Result of a value's check against a schema. The worst result of a schema's keywords counts.
HOLDS = 0
UNSURE = 1
BROKEN = 2  # only a bound is violated
MISFIT = 3  # the value has another shape

# Path of a value: the parent's path and the last step; `None` for the whole answer.
Place = Optional[tuple[Any, Any]]


class Breach(NamedTuple):
    """A violated bound of an answer.

    `path` is the path in the answer, "" for the whole answer; `bound` is the value of `keyword`.
    """

    path: str
    keyword: str
    bound: Any

    def __str__(self) -> str:
        bound = json.dumps(self.bound, default=str, separators=(", ", ": "))
        if len(bound) > MAX_SHOWN:
            bound = bound[:MAX_SHOWN] + "…"
        return f"{self.path or 'the answer'} breaks {self.keyword}: {bound}"


class AnswerCheck(NamedTuple):
    """Result of an answer's validation: the violated bounds, in the order of the answer.

    `is_whole` is false where the answer is too large, or nested too deep, to check all of it.
    """

    breaches: list[Breach]
    is_whole: bool


class _TooMuchError(Exception):
    """The answer is too large, or nested too deep, to go on."""


def check_answer(schema: Any, text: str) -> Optional[AnswerCheck]:
    """Return the bounds of *schema* that the JSON *text* breaks, `None` if it is not JSON."""
    try:
        value = json.loads(
            text, parse_float=Decimal, parse_int=_whole_number, parse_constant=_refuse_constant
        )
    except (ValueError, ArithmeticError):
        return None
    except RecursionError:
        return AnswerCheck([], is_whole=False)
    return check_value(schema, value)


def check_value(schema: Any, value: Any) -> AnswerCheck:
    """Return the bounds of *schema* that a value of plain JSON types breaks.

    Numbers may be `int`, `float` or `Decimal`; a float counts as the shortest decimal that
    decodes to the same float.
    """
    check = _Check(schema)
    breaches: list[Breach] = []
    is_whole = True
    try:
        check.visit(schema, value, None, breaches)
    except (_TooMuchError, RecursionError):
        is_whole = False
    return AnswerCheck(breaches[:MAX_BREACHES], is_whole and check.is_whole)


def has_bounds(schema: Any) -> bool:
    """Return whether *schema* may have a bound somewhere; a property of such a name counts too."""
    left = [schema]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            if not _BOUNDS.isdisjoint(node):
                return True
            left.extend(node.values())
        elif isinstance(node, (list, tuple)):
            left.extend(node)
    return False


def _whole_number(text: str) -> Any:
    return int(text) if len(text) <= MAX_WHOLE_DIGITS else Decimal(text)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no value of JSON")


# Values.


def _number(value: Any) -> Any:
    """Return a value that is a number exactly, `None` for any other."""
    kind = type(value)
    if kind is int:
        return value
    if kind is Decimal:
        return value if value.is_finite() else None
    if isinstance(value, float):
        found = Decimal(repr(float(value)))
        return found if found.is_finite() else None
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return None


def _count(value: Any) -> Optional[int]:
    """Return a whole number from 0 up, `None` for any other value."""
    number = _number(value)
    if number is None or number < 0 or not _is_whole(number) or number > 10**18:
        return None
    return int(number)


def _is_whole(number: Any) -> bool:
    if type(number) is int:
        return True
    return bool(number == number.to_integral_value())


def _is_type(value: Any, name: Any) -> Optional[bool]:
    """Return whether a value is of a type of JSON Schema, `None` for an unknown one."""
    if name == "string":
        return isinstance(value, str)
    if name == "object":
        return isinstance(value, dict)
    if name == "array":
        return isinstance(value, (list, tuple))
    if name == "null":
        return value is None
    if name == "boolean":
        return isinstance(value, bool)
    number = _number(value)
    if name == "number":
        return number is not None
    if name == "integer":
        return number is not None and _is_whole(number)
    return None


# Bounds whose value says all: what each makes of a value.


def _compared(holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any], int]:
    def check(bound: Any, value: Any) -> int:
        number = _number(value)
        if number is None:
            return HOLDS
        limit = _number(bound)
        if limit is None:
            return UNSURE
        return HOLDS if holds(number, limit) else BROKEN

    return check


def _counted(kinds: Any, *, most: bool) -> Callable[[Any, Any], int]:
    def check(bound: Any, value: Any) -> int:
        if not isinstance(value, kinds):
            return HOLDS
        limit = _count(bound)
        if limit is None:
            return UNSURE
        size = len(value)
        return HOLDS if (size <= limit if most else size >= limit) else BROKEN

    return check


def _multiple(bound: Any, value: Any) -> int:
    number = _number(value)
    if number is None:
        return HOLDS
    step = _number(bound)
    if step is None or step <= 0:
        return UNSURE
    if type(number) is int and type(step) is int:
        return HOLDS if number % step == 0 else BROKEN
    digits, divisor = Decimal(number).as_tuple(), Decimal(step).as_tuple()
    exponents = (int(digits.exponent), int(divisor.exponent))
    if max(*map(abs, exponents), len(digits.digits), len(divisor.digits)) > MAX_DIGITS:
        return UNSURE
    scale = 10 ** -min(*exponents, 0)
    whole, part = _scaled(number, scale), _scaled(step, scale)
    rest = whole % part
    away = min(rest, part - rest)
    # What binary arithmetic makes of a multiple (0.30000000000000004) is taken for one.
    is_near = away * 10**9 < part or away * 10**15 < abs(whole)
    return HOLDS if is_near else BROKEN


def _scaled(number: Any, scale: int) -> int:
    """Return *number* times *scale*, which is known to be whole."""
    top, bottom = Decimal(number).as_integer_ratio()
    return top * scale // bottom


def _formatted(bound: Any, value: Any) -> int:
    if not isinstance(value, str):
        return HOLDS
    check = FORMATS.get(bound) if isinstance(bound, str) else None
    if check is None:
        return UNSURE
    return HOLDS if check(value) else BROKEN


_SIMPLE: dict[str, Callable[[Any, Any], int]] = {
    "minimum": _compared(lambda number, limit: number >= limit),
    "maximum": _compared(lambda number, limit: number <= limit),
    "exclusiveMinimum": _compared(lambda number, limit: number > limit),
    "exclusiveMaximum": _compared(lambda number, limit: number < limit),
    "multipleOf": _multiple,
    "minLength": _counted((str,), most=False),
    "maxLength": _counted((str,), most=True),
    "minItems": _counted((list, tuple), most=False),
    "maxItems": _counted((list, tuple), most=True),
    "minProperties": _counted((dict,), most=False),
    "maxProperties": _counted((dict,), most=True),
    "format": _formatted,
}
# A value for which each simple bound that is well formed is sure.
_PROBES: dict[str, Any] = {
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), 0),
    **dict.fromkeys(("minLength", "maxLength", "format"), ""),
    **dict.fromkeys(("minItems", "maxItems"), ()),
    "minProperties": {},
    "maxProperties": {},
    "multipleOf": 0,
}
_WITH_SCHEMA = frozenset({"contains", "propertyNames", "not", "if", "then", "else"})
_BOUNDS = frozenset(
    {
        *_SIMPLE,
        *_WITH_SCHEMA,
        "pattern",
        "uniqueItems",
        "oneOf",
        "prefixItems",
        "minContains",
        "maxContains",
        "dependentRequired",
        "dependentSchemas",
    }
)
# Keywords that say something about a value which is not checked here.
_UNCHECKED = frozenset(
    {
        "unevaluatedItems",
        "unevaluatedProperties",
        "additionalItems",
        "dependencies",
        "$dynamicRef",
        "$recursiveRef",
    }
)
_SCHEMAS_BY_NAME = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_SCHEMA_LISTS = ("anyOf", "allOf", "oneOf", "prefixItems")
_SCHEMAS = ("items", "additionalProperties", *sorted(_WITH_SCHEMA))


def is_checked(keyword: str, bound: Any) -> bool:
    """Return whether every breach of a schema's keyword with the value *bound* is found."""
    return _is_checked(keyword, bound, 0)


def _is_checked(keyword: str, bound: Any, depth: int) -> bool:
    if keyword in _SIMPLE:
        return _SIMPLE[keyword](bound, _PROBES[keyword]) != UNSURE
    if keyword == "pattern":
        return isinstance(bound, str) and compile_pattern(bound) is not None
    if keyword == "uniqueItems":
        return isinstance(bound, bool)
    if keyword in ("minContains", "maxContains"):
        return _count(bound) is not None
    if keyword == "dependentRequired":
        return isinstance(bound, dict) and all(map(_is_list_of_text, bound.values()))
    if keyword in _BOUNDS:
        return all(_is_known(child, depth + 1) for child in _children(keyword, bound))
    return False


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)


def _children(keyword: str, value: Any) -> list[Any]:
    """Return the schemas that a keyword's value holds; `None` for an entry that is no schema."""
    if keyword in _SCHEMAS:
        return [value]
    if keyword in _SCHEMA_LISTS:
        return list(value) if isinstance(value, (list, tuple)) else [None]
    if keyword in _SCHEMAS_BY_NAME:
        return list(value.values()) if isinstance(value, dict) else [None]
    return []


def _is_known(schema: Any, depth: int) -> bool:
    """Return whether a schema inside of a bound has no keyword that is not checked."""
    if isinstance(schema, bool):
        return True
    if not isinstance(schema, dict) or depth > MAX_DEPTH:
        return False
    for keyword, value in schema.items():
        if keyword in _UNCHECKED or (keyword in _BOUNDS and not _is_checked(keyword, value, depth)):
            return False
        if keyword not in _BOUNDS and not all(
            _is_known(child, depth + 1) for child in _children(keyword, value)
        ):
            return False
    return True


class _Check:
    """Validation of one answer: its schema, and the state that all parts of it share."""

    def __init__(self, schema: Any) -> None:
        self._root = schema
        self._left = MAX_VISITS
        self._depth = 0
        self._patterns: dict[str, Optional[Pattern]] = {}
        self._targets: dict[str, Any] = {}
        dialect = schema.get("$schema") if isinstance(schema, dict) else None
        # Up to draft 7 keywords next to a reference do not count.
        self._alone = isinstance(dialect, str) and "draft-0" in dialect
        self.is_whole = True

    def _spend(self, visits: int) -> None:
        self._left -= visits
        if self._left < 0:
            raise _TooMuchError

    def visit(self, schema: Any, value: Any, place: Place, found: list[Breach]) -> int:
        """Return how *value* stands to *schema*; add the bounds that it breaks to *found*."""
        if isinstance(schema, bool):
            return HOLDS if schema else MISFIT
        if not isinstance(schema, dict) or ("$id" in schema and schema is not self._root):
            return UNSURE  # of an id of its own: references are read from there
        self._spend(1)
        if self._depth >= MAX_DEPTH or len(found) > MAX_BREACHES:
            raise _TooMuchError
        self._depth += 1
        if "$ref" in schema and self._alone:
            state = self._reference(schema["$ref"], value, place, found)
        else:
            state = self._keywords(schema, value, place, found)
        self._depth -= 1
        return state

    def _keywords(
        self, schema: dict[str, Any], value: Any, place: Place, found: list[Breach]
    ) -> int:
        state = HOLDS
        for keyword, bound in schema.items():
            simple = _SIMPLE.get(keyword)
            if simple is not None:
                stands = simple(bound, value)
                if stands == BROKEN:
                    found.append(Breach(_path(place), keyword, bound))
            elif keyword in _KEYWORDS:
                stands = _KEYWORDS[keyword](self, bound, value, place, found)
            else:
                stands = UNSURE if keyword in _UNCHECKED else HOLDS
            state = max(state, stands)
        if "if" in schema:
            state = max(state, self._conditional(schema, value, place, found))
        if isinstance(value, dict):
            state = max(state, self._members(schema, value, place, found))
        elif isinstance(value, (list, tuple)):
            state = max(state, self._elements(schema, value, place, found))
            if "contains" in schema:
                state = max(state, self._contains(schema, value, place, found))
        return state

    # What lies deeper.

    def _members(
        self, schema: dict[str, Any], value: dict[str, Any], place: Place, found: list[Breach]
    ) -> int:
        properties = schema.get("properties", {})
        patterns = schema.get("patternProperties", {})
        extra = schema.get("additionalProperties", True)
        if not isinstance(properties, dict) or not isinstance(patterns, dict):
            return UNSURE
        if extra is True and not properties and not patterns:
            return HOLDS
        state = HOLDS
        for name, item in value.items():
            schemas = [properties[name]] if name in properties else []
            for pattern, schema_there in patterns.items():
                matches = self._matches(pattern, name)
                if matches is not False:
                    schemas.append(schema_there if matches else None)
            if not schemas and extra is not True:
                schemas.append(extra)
            for each in schemas:
                state = max(state, self.visit(each, item, (place, name), found))
        return state

    def _elements(
        self, schema: dict[str, Any], value: Any, place: Place, found: list[Breach]
    ) -> int:
        first, rest = schema.get("prefixItems", ()), schema.get("items", True)
        if not isinstance(first, (list, tuple)) or isinstance(rest, (list, tuple)):
            return UNSURE
        state = HOLDS
        for index, item in enumerate(value if rest is not True else value[: len(first)]):
            where = (place, index)
            if index < len(first):
                stands = self._demanded("prefixItems", first[index], item, where, found)
            else:
                stands = self.visit(rest, item, where, found)
            state = max(state, stands)
        return state

    def _contains(
        self, schema: dict[str, Any], value: Any, place: Place, found: list[Breach]
    ) -> int:
        least, most = (
            _count(schema.get("minContains", 1)),
            _count(schema.get("maxContains", 10**18)),
        )
        if least is None or most is None:
            return UNSURE
        states = [self.visit(schema["contains"], item, place, []) for item in value]
        sure, possible = states.count(HOLDS), states.count(HOLDS) + states.count(UNSURE)
        keyword = None
        if possible < least:
            keyword = "minContains" if "minContains" in schema else "contains"
        elif sure > most:
            keyword = "maxContains"
        if keyword is not None:
            found.append(Breach(_path(place), keyword, schema[keyword]))
            return BROKEN
        return HOLDS if sure >= least and possible <= most else UNSURE

    def _conditional(
        self, schema: dict[str, Any], value: Any, place: Place, found: list[Breach]
    ) -> int:
        if "then" not in schema and "else" not in schema:
            return HOLDS
        met = self.visit(schema["if"], value, place, [])
        if met == UNSURE:
            return UNSURE
        keyword = "then" if met == HOLDS else "else"
        return self._demanded(keyword, schema.get(keyword, True), value, place, found)

    def _demanded(
        self, keyword: str, schema: Any, value: Any, place: Place, found: list[Breach]
    ) -> int:
        """Visit a schema that providers do not enforce: another shape breaks *keyword*."""
        state = self.visit(schema, value, place, found)
        if state == MISFIT:
            found.append(Breach(_path(place), keyword, schema))
            return BROKEN
        return state

    # Keywords, each by its value.

    def _reference(self, bound: Any, value: Any, place: Place, found: list[Breach]) -> int:
        if not isinstance(bound, str):
            return UNSURE
        if bound not in self._targets:
            self._targets[bound] = self._target(bound)
        return self.visit(self._targets[bound], value, place, found)

    def _target(self, reference: str) -> Any:
        """Return the schema that a reference leads to, `None` for another document's."""
        node = self._root
        head, _, rest = unquote(reference).partition("/")
        if head != "#":
            return None
        for step in rest.split("/") if rest else ():
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict) and (node is self._root or "$id" not in node):
                node = node.get(name)
            elif isinstance(node, (list, tuple)) and name.isdecimal() and int(name) < len(node):
                node = node[int(name)]
            else:
                return None
        return node

    def _type(self, bound: Any, value: Any, _place: Place, _found: list[Breach]) -> int:
        names = bound if isinstance(bound, (list, tuple)) else (bound,)
        fits = [_is_type(value, name) for name in names]
        if True in fits:
            return HOLDS
        return UNSURE if None in fits else MISFIT

    def _identity(self, value: Any, depth: int = 0) -> Any:
        """Return a hashable form of a value; values that are equal in JSON have equal forms."""
        self._spend(1)
        if depth > MAX_DEPTH:
            raise _TooMuchError
        if value is None or isinstance(value, (str, bool)):
            return type(value).__name__, value
        if isinstance(value, dict):
            members = ((name, self._identity(item, depth + 1)) for name, item in value.items())
            return "object", frozenset(members)
        if isinstance(value, (list, tuple)):
            return "array", tuple([self._identity(item, depth + 1) for item in value])
        return "number", _number(value)

    def _enum(self, bound: Any, value: Any, _place: Place, _found: list[Breach]) -> int:
        if not isinstance(bound, (list, tuple)):
            return UNSURE
        identity = self._identity(value)
        return HOLDS if any(self._identity(each) == identity for each in bound) else MISFIT

    def _const(self, bound: Any, value: Any, place: Place, found: list[Breach]) -> int:
        return self._enum([bound], value, place, found)

    def _required(self, bound: Any, value: Any, _place: Place, _found: list[Breach]) -> int:
        if not isinstance(value, dict):
            return HOLDS
        if not _is_list_of_text(bound):
            return UNSURE
        return HOLDS if all(name in value for name in bound) else MISFIT

    def _unique(self, bound: Any, value: Any, place: Place, found: list[Breach]) -> int:
        if not isinstance(value, (list, tuple)) or bound is False:
            return HOLDS
        if bound is not True:
            return UNSURE
        if len({self._identity(item) for item in value}) == len(value):
            return HOLDS
        found.append(Breach(_path(place), "uniqueItems", bound))
        return BROKEN

    def _matches(self, pattern: Any, text: str) -> Optional[bool]:
        if not isinstance(pattern, str):
            return None
        if pattern not in self._patterns:
            self._patterns[pattern] = compile_pattern(pattern)
        compiled = self._patterns[pattern]
        if compiled is None:
            return None
        matches = compiled.matches(text)
        if matches is None:
            self.is_whole = False
        return matches

    def _pattern(self, bound: Any, value: Any, place: Place, found: list[Breach]) -> int:
        matches = self._matches(bound, value) if isinstance(value, str) else True
        if matches is not False:
            return HOLDS if matches else UNSURE
        found.append(Breach(_path(place), "pattern", bound))
        return BROKEN

    def _names(self, bound: Any, value: Any, place: Place, found: list[Breach]) -> int:
        if not isinstance(value, dict):
            return HOLDS
        state = max((self.visit(bound, name, place, []) for name in value), default=HOLDS)
        if state <= UNSURE:
            return state
        found.append(Breach(_path(place), "propertyNames", bound))
        return BROKEN

    def _dependent_required(self, bound: Any, value: Any, place: Place, found: list[Breach]) -> int:
        if not isinstance(value, dict):
            return HOLDS
        if not isinstance(bound, dict) or not all(map(_is_list_of_text, bound.values())):
            return UNSURE
        for name, needed in bound.items():
            if name in value and not all(each in value for each in needed):
                found.append(Breach(_path(place), "dependentRequired", {name: needed}))
                return BROKEN
        return HOLDS

    def _dependent_schemas(self, bound: Any, value: Any, place: Place, found: list[Breach]) -> int:
        if not isinstance(value, dict):
            return HOLDS
        if not isinstance(bound, dict):
            return UNSURE
        state = HOLDS
        for name, schema in bound.items():
            if name in value:
                stands = self._demanded("dependentSchemas", schema, value, place, found)
                state = max(state, stands)
        return state

    # Several schemas for one value.

    def _all_of(self, bound: Any, value: Any, place: Place, found: list[Breach]) -> int:
        if not isinstance(bound, (list, tuple)):
            return UNSURE
        return max((self.visit(each, value, place, found) for each in bound), default=HOLDS)

    def _any_of(self, bound: Any, value: Any, place: Place, found: list[Breach]) -> int:
        if not isinstance(bound, (list, tuple)):
            return UNSURE
        tried = []
        for each in bound:
            broken: list[Breach] = []
            tried.append((self.visit(each, value, place, broken), broken))
            if tried[-1][0] == HOLDS:
                return HOLDS
        return self._none_of("anyOf", bound, tried, place, found)

    def _one_of(self, bound: Any, value: Any, place: Place, found: list[Breach]) -> int:
        if not isinstance(bound, (list, tuple)):
            return UNSURE
        tried = []
        for each in bound:
            broken: list[Breach] = []
            tried.append((self.visit(each, value, place, broken), broken))
        states = [state for state, _ in tried]
        if states.count(HOLDS) > 1:
            found.append(Breach(_path(place), "oneOf", bound))
            return BROKEN
        if states.count(HOLDS) == 1:
            return UNSURE if UNSURE in states else HOLDS
        return self._none_of("oneOf", bound, tried, place, found)

    def _none_of(
        self,
        keyword: str,
        bound: Any,
        tried: list[tuple[int, list[Breach]]],
        place: Place,
        found: list[Breach],
    ) -> int:
        """Return how a value stands to alternatives of which none is known to hold.

        A bound of one counts where the rest of that one matches, and of no other.
        """
        if any(state == UNSURE for state, _ in tried):
            return UNSURE
        near = [broken for state, broken in tried if state == BROKEN]
        if not near:
            return MISFIT
        found.extend(near[0] if len(near) == 1 else [Breach(_path(place), keyword, bound)])
        return BROKEN

    def _not(self, bound: Any, value: Any, place: Place, found: list[Breach]) -> int:
        state = self.visit(bound, value, place, [])
        if state != HOLDS:
            return UNSURE if state == UNSURE else HOLDS
        found.append(Breach(_path(place), "not", bound))
        return BROKEN


_KEYWORDS: dict[str, Callable[[_Check, Any, Any, Place, list[Breach]], int]] = {
    "$ref": _Check._reference,
    "type": _Check._type,
    "enum": _Check._enum,
    "const": _Check._const,
    "required": _Check._required,
    "uniqueItems": _Check._unique,
    "pattern": _Check._pattern,
    "propertyNames": _Check._names,
    "dependentRequired": _Check._dependent_required,
    "dependentSchemas": _Check._dependent_schemas,
    "allOf": _Check._all_of,
    "anyOf": _Check._any_of,
    "oneOf": _Check._one_of,
    "not": _Check._not,
}


def _path(place: Place) -> str:
    """Return a place as a path, such as `items[0].price`; a long one is cut."""
    steps = []
    while place is not None:
        place, step = place
        if isinstance(step, int):
            steps.append(f"[{step}]")
        elif _PLAIN_NAME.fullmatch(step):
            steps.append(f".{step}")
        else:
            steps.append(f"[{json.dumps(step)}]")
    path = "".join(reversed(steps)).removeprefix(".")
    return path if len(path) <= MAX_PATH else path[:MAX_PATH] + "…"
