r"""Linear-time matcher of ECMA-262 regular expressions, for the JSON Schema keyword `pattern`.

A pattern becomes a nondeterministic automaton, which is run as a deterministic one that is built
on the way: no pattern of a caller and no text of a model can make it hang, as a backtracking
matcher may. Not supported are lookahead, lookbehind, backreferences and word boundaries, which an
automaton cannot express; properties of Unicode (`\p{…}`); and patterns that are invalid with the
flag `u`, which JSON Schema recommends. Characters are code points.

Sources: ECMA-262, section 22.2 (Regular Expression Objects); JSON Schema 2020-12 core, section 6.4
(read 2026-11-30).
"""

from __future__ import annotations

from typing import Any, Optional

__all__ = ["Pattern", "compile_pattern"]

# A pattern with more characters, counted repetitions written out, is not supported.
MAX_SIZE = 10_000
MAX_DEPTH = 50
# Limit on the cost of all matches of one compiled pattern: a new step costs the number of parts
# that it visits; this many known steps cost as much as one part.
MAX_COST = 500_000
KNOWN_STEPS = 16

Ranges = tuple[tuple[int, int], ...]
Node = tuple[Any, ...]  # (kind, …): a node of the syntax tree
LAST = 0x10FFFF
_DIGITS: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
# WhiteSpace and LineTerminator of ECMA-262, sections 12.2 and 12.3.
_SPACE: Ranges = (
    (0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
    (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)  # fmt: skip
_LINE_ENDS: Ranges = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
_CONTROLS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
_HEX = frozenset("0123456789abcdefABCDEF")


class _UnsupportedError(Exception):
    """The pattern is invalid in ECMA-262, too large, or beyond a finite automaton."""


def _others(ranges: Ranges) -> Ranges:
    """Return the ranges of all characters that are not in *ranges*."""
    found = []
    start = 0
    for low, high in sorted(ranges):
        if low > start:
            found.append((start, low - 1))
        start = max(start, high + 1)
    if start <= LAST:
        found.append((start, LAST))
    return tuple(found)


_CLASSES: dict[str, Ranges] = {
    "d": _DIGITS, "D": _others(_DIGITS), "w": _WORD, "W": _others(_WORD),
    "s": _SPACE, "S": _others(_SPACE),
}  # fmt: skip
_ANY = _others(_LINE_ENDS)


class _Reader:
    """Parser of patterns to a syntax tree with the nodes set, all, one, repeat, begin, end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def read(self) -> Node:
        node = self._alternatives()
        if self._at < len(self._text):
            raise _UnsupportedError
        return node

    def _next(self) -> str:
        """Take the next character; "" at the end."""
        found = self._text[self._at : self._at + 1]
        self._at += 1
        return found

    def _takes(self, text: str) -> bool:
        if not self._text.startswith(text, self._at):
            return False
        self._at += len(text)
        return True

    def _alternatives(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _UnsupportedError
        found = [self._sequence()]
        while self._takes("|"):
            found.append(self._sequence())
        self._depth -= 1
        return found[0] if len(found) == 1 else ("one", found)

    def _sequence(self) -> Node:
        found = []
        while self._text[self._at : self._at + 1] not in ("", "|", ")"):
            found.append(self._term())
        return ("all", found)

    def _term(self) -> Node:
        character = self._next()
        if character == "^":
            return ("begin",)
        if character == "$":
            return ("end",)
        if character == "(":
            self._begin_group()
            node = self._alternatives()
            if not self._takes(")"):
                raise _UnsupportedError
        elif character == ".":
            node = ("set", _ANY)
        elif character == "[":
            node = ("set", self._class())
        elif character == "\\":
            node = ("set", self._escape(in_class=False))
        elif character in "*+?{}]":
            raise _UnsupportedError
        else:
            node = ("set", self._literal(character))
        return self._repeated(node)

    def _begin_group(self) -> None:
        if self._takes("?:") or not self._takes("?"):
            return
        if not self._takes("<") or self._text[self._at : self._at + 1] in ("=", "!", ""):
            raise _UnsupportedError
        end = self._text.find(">", self._at)
        if end < 0 or not self._text[self._at : end].isidentifier():
            raise _UnsupportedError
        self._at = end + 1

    def _literal(self, character: str) -> Ranges:
        code = ord(character)
        if 0xD800 <= code <= 0xDFFF:
            raise _UnsupportedError
        return ((code, code),)

    def _repeated(self, node: Node) -> Node:
        least: int
        most: Optional[int]
        if self._takes("*"):
            least, most = 0, None
        elif self._takes("+"):
            least, most = 1, None
        elif self._takes("?"):
            least, most = 0, 1
        elif self._takes("{"):
            least, most = self._counts()
        else:
            return node
        self._takes("?")  # a lazy one matches the same texts
        return ("repeat", node, least, most)

    def _counts(self) -> tuple[int, Optional[int]]:
        least = self._number()
        most: Optional[int] = least
        if self._takes(","):
            most = None if self._text.startswith("}", self._at) else self._number()
        if not self._takes("}") or (most is not None and most < least):
            raise _UnsupportedError
        return least, most

    def _number(self) -> int:
        start = self._at
        while self._text[self._at : self._at + 1] in tuple("0123456789"):
            self._at += 1
        digits = self._text[start : self._at]
        if not digits or len(digits) > 9:
            raise _UnsupportedError
        return int(digits)

    def _escape(self, *, in_class: bool) -> Ranges:
        """Return the node of an escape sequence, whose backslash has been read."""
        character = self._next()
        if character in _CLASSES:
            return _CLASSES[character]
        if character in _CONTROLS:
            code = _CONTROLS[character]
        elif character == "b" and in_class:
            code = 8
        elif character == "0" and not self._text[self._at : self._at + 1].isdecimal():
            code = 0
        elif character == "x":
            code = self._hex(2)
        elif character == "u":
            code = self._unicode()
        elif character == "c":
            letter = self._next()
            if not (letter.isascii() and letter.isalpha()):
                raise _UnsupportedError
            code = ord(letter) % 32
        elif not character or character.isalnum() or not character.isascii():
            raise _UnsupportedError
        else:
            code = ord(character)
        return ((code, code),)

    def _hex(self, digits: int) -> int:
        text = self._text[self._at : self._at + digits]
        if len(text) != digits or not _HEX.issuperset(text):
            raise _UnsupportedError
        self._at += digits
        return int(text, 16)

    def _unicode(self) -> int:
        if self._takes("{"):
            end = self._text.find("}", self._at)
            if not 0 < end - self._at <= 8:
                raise _UnsupportedError
            code = self._hex(end - self._at)
            self._at += 1
        else:
            code = self._hex(4)
            if 0xD800 <= code <= 0xDBFF and self._takes("\\u"):
                low = self._hex(4)
                if not 0xDC00 <= low <= 0xDFFF:
                    raise _UnsupportedError
                return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
        if 0xD800 <= code <= 0xDFFF or code > LAST:
            raise _UnsupportedError
        return code

    def _class(self) -> Ranges:
        negated = self._takes("^")
        found: list[tuple[int, int]] = []
        while not self._takes("]"):
            low = self._class_atom()
            if self._text.startswith("-", self._at) and not self._text.startswith("-]", self._at):
                self._at += 1
                high = self._class_atom()
                if len(low) > 1 or len(high) > 1 or low[0][0] != low[0][1] or high[0] < low[0]:
                    raise _UnsupportedError
                if high[0][0] != high[0][1]:
                    raise _UnsupportedError
                low = ((low[0][0], high[0][0]),)
            found.extend(low)
        return _others(tuple(found)) if negated else tuple(found)

    def _class_atom(self) -> Ranges:
        character = self._next()
        if not character:
            raise _UnsupportedError
        return self._escape(in_class=True) if character == "\\" else self._literal(character)


def _size(node: Node) -> int:
    """Return how many states a node takes; more than `MAX_SIZE` are not supported."""
    kind = node[0]
    size = 1
    if kind in ("all", "one"):
        size = 1 + sum(_size(child) for child in node[1])
    elif kind == "repeat":
        copies = node[2] + 1 if node[3] is None else node[3]
        size = 1 + copies * (1 + _size(node[1]))
    if size > MAX_SIZE:
        raise _UnsupportedError
    return size


class _State:
    """A state of the deterministic automaton: a set of states of the nondeterministic one."""

    __slots__ = ("accepts", "ends", "following", "members")

    def __init__(self, members: frozenset[int], accepts: bool) -> None:
        self.members = members
        self.accepts = accepts
        self.ends: Optional[bool] = None  # whether it accepts at the end of a text, once known
        self.following: dict[str, _State] = {}


# ("set", ranges, next) | ("fork", next, other) | ("begin", next) | ("end", next) | ("match",)
_Part = tuple[Any, ...]


class Pattern:
    """A compiled pattern. Not for two threads at once: it grows as it matches."""

    def __init__(self, node: Node) -> None:
        self._parts: list[_Part] = [("match",)]
        self._start = self._build(node, 0)
        self._left = MAX_COST
        self._known: dict[frozenset[int], _State] = {}
        self._begin = self._closed([self._start], at_begin=True)

    # Thompson's construction, from the end of the pattern to its beginning.

    def _add(self, part: _Part) -> int:
        self._parts.append(part)
        return len(self._parts) - 1

    def _build(self, node: Node, following: int) -> int:
        """Return the state from which *node* leads to *following*."""
        kind = node[0]
        if kind == "set":
            return self._add(("set", node[1], following))
        if kind in ("begin", "end"):
            return self._add((kind, following))
        if kind == "all":
            for child in reversed(node[1]):
                following = self._build(child, following)
            return following
        if kind == "one":
            entry = self._build(node[1][-1], following)
            for child in reversed(node[1][:-1]):
                entry = self._add(("fork", self._build(child, following), entry))
            return entry
        _, child, least, most = node
        entry = following
        if most is None:
            entry = self._add(("fork", following, following))
            self._parts[entry] = ("fork", self._build(child, entry), following)
        else:
            for _ in range(most - least):
                entry = self._add(("fork", self._build(child, entry), following))
        for _ in range(least):
            entry = self._build(child, entry)
        return entry

    def _closed(self, entries: list[int], *, at_begin: bool = False) -> _State:
        """Return the state for *entries* and all that is reached from there without a character."""
        members, accepts = self._reached(entries, at_begin=at_begin, at_end=False)
        found = self._known.get(members)
        if found is None or found.accepts is not accepts:
            found = self._known[members] = _State(members, accepts)
        return found

    def _reached(
        self, entries: list[int], *, at_begin: bool, at_end: bool
    ) -> tuple[frozenset[int], bool]:
        """Return the epsilon closure: states that take a character, and whether it accepts."""
        seen: set[int] = set()
        members = []
        left = list(entries)
        accepts = False
        while left:
            place = left.pop()
            if place in seen:
                continue
            seen.add(place)
            part = self._parts[place]
            kind = part[0]
            if kind == "match":
                accepts = True
            elif kind == "fork":
                left.extend(part[1:])
            elif kind == "begin":
                if at_begin:
                    left.append(part[1])
            elif kind == "end" and at_end:
                left.append(part[1])
            else:
                members.append(place)
        self._left -= len(seen)
        return frozenset(members), accepts

    def matches(self, text: str) -> Optional[bool]:
        """Return whether the pattern matches anywhere in *text*.

        `None` where that costs too much: more than is left after the texts before.
        """
        self._left -= 1 + len(text) // KNOWN_STEPS
        state = self._begin
        for character in text:
            if state.accepts:
                return True
            following = state.following.get(character)
            if following is None:
                self._left -= len(state.members)
                if self._left < 0:
                    return None
                following = self._step(state, character)
            state = following
        if state.accepts:
            return True
        if self._left < 0:
            return None
        if not text:
            return self._reached([self._start], at_begin=True, at_end=True)[1]
        if state.ends is None:
            state.ends = self._reached(list(state.members), at_begin=False, at_end=True)[1]
        return state.ends

    def _step(self, state: _State, character: str) -> _State:
        code = ord(character)
        entries = [self._start]  # the match may begin here, too
        for place in state.members:
            part = self._parts[place]
            if part[0] == "set" and _holds(part[1], code):
                entries.append(part[2])
        following = self._closed(entries)
        state.following[character] = following
        return following


def _holds(ranges: Ranges, code: int) -> bool:
    return any(low <= code <= high for low, high in ranges)


def compile_pattern(text: str) -> Optional[Pattern]:
    """Return a compiled pattern, `None` for one that is not supported."""
    if len(text) > MAX_SIZE:
        return None
    try:
        node = _Reader(text).read()
        _size(node)
    except _UnsupportedError:
        return None
    return Pattern(node)
