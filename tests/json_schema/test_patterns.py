"""`pattern` of JSON Schema: regular expressions of ECMA-262, in linear time."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specado.json_schema.patterns import compile_pattern


def matches(pattern: str, text: str) -> Any:
    compiled = compile_pattern(pattern)
    assert compiled is not None, pattern
    return compiled.matches(text)


@pytest.mark.parametrize(
    ("pattern", "taken", "refused"),
    [
        ("", ["", "a"], []),
        ("b", ["b", "abc"], ["", "a"]),
        ("^b", ["b", "bc"], ["ab"]),
        ("b$", ["b", "ab"], ["ba", "b\n"]),
        ("^$", [""], ["a", "\n"]),
        ("$^", [""], ["a"]),
        ("a^b", [], ["ab", ""]),
        ("^a|b$", ["ax", "xb"], ["xa", "bx"]),
        ("^(a|b)+$", ["abba"], ["", "abc"]),
        ("^(?:ab)*$", ["", "abab"], ["aba"]),
        ("^(?<year>[0-9]{4})-(?<month>[0-9]{2})$", ["2026-11"], ["2026-1"]),
        ("^a{2}$", ["aa"], ["a", "aaa"]),
        ("^a{2,}$", ["aa", "aaaa"], ["a"]),
        ("^a{1,3}?$", ["a", "aaa"], ["", "aaaa"]),
        ("^a{0}b$", ["b"], ["ab"]),
        ("^(a*)*$", ["", "aaa"], ["b"]),
        ("^[a-z]+(-[a-z]+)*$", ["a", "a-b-c"], ["a-", "-a", "a--b"]),
        ("^[^a-c]$", ["d", "\n"], ["a", "b"]),
        ("^[]$", [], ["", "a"]),
        ("^[^]$", ["a", "\n", "😀"], [""]),
        ("^[a\\-z]$", ["a", "-", "z"], ["b"]),
        ("^[-a]$|^[z-]$", ["-", "a", "z"], ["b"]),
        ("^[\\d_]$", ["5", "_"], ["٣"]),
        ("^[\\b]$", ["\x08"], ["b"]),
        ("^\\d+$", ["123"], ["١٢٣", ""]),
        ("^\\w$", ["a", "_", "9"], ["é", "-"]),
        ("^\\W$", ["é", "-"], ["a"]),
        ("^\\s$", [" ", "\n", "\u00a0", "\ufeff", "\u2028"], ["\x1c", "\x85", "a"]),
        ("^\\S$", ["\x1c", "\x85", "a"], ["\u3000"]),
        ("^[\\S]$", ["a"], [" "]),
        ("^.$", ["a", "\x85", "😀"], ["\n", "\r", "\u2028", "\u2029"]),
        ("^\\u0041\\x42\\u{43}\\cA\\0\\/$", ["ABC\x01\x00/"], ["ABC"]),
        ("^\\uD83D\\uDE00$", ["😀"], ["\ufffd"]),
        ("^[😀-😂]$", ["😁"], ["😅"]),
        ("^\\t\\n\\v\\f\\r$", ["\t\n\x0b\x0c\r"], [""]),
        ("^\\@\\.\\$$", ["@.$"], ["@a$"]),
        ("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", ["ada@example.com"], ["ada@example", "@example.com"]),
    ],
)
def test_a_pattern_means_what_it_means_in_ecmascript(
    pattern: str, taken: list[str], refused: list[str]
) -> None:
    compiled = compile_pattern(pattern)
    assert compiled is not None

    assert [text for text in taken if compiled.matches(text) is not True] == []
    assert [text for text in refused if compiled.matches(text) is not False] == []


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?i:a)", "(?P<a>b)", "(?i)a", "(?<1>a)", "(?<a",
        "(a)\\1", "(?<a>b)\\k<a>", "\\ba", "\\B", "\\p{L}", "\\P{L}", "\\A", "\\Z", "\\z", "\\e",
        "(", ")", "a)", "[", "[a", "[z-a]", "[\\d-z]", "[a-\\d]", "]", "{", "}", "a{", "a{,2}",
        "a{3,2}", "a{x}", "*", "+a", "a**", "a*+", "a++", "a?+", "^*", "\\", "\\u", "\\u12",
        "\\u{}", "\\u{110000}", "\\uD83D", "\\uD83D\\u0041", "\\xg0", "\\c1", "\\01", "[\\B]",
        "\ud800", "a{1000000000}", "((a{100}){100}){100}", "(" * 60 + ")" * 60, "a" * 20_000,
        "\\é",
    ],
)  # fmt: skip
def test_what_ecmascript_refuses_or_an_automaton_cannot_do_is_not_supported(pattern: str) -> None:
    assert compile_pattern(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^(a+)+$", "a" * 50_000 + "b"),
        ("^(a|a)*$", "a" * 50_000 + "b"),
        ("^(.*)*x$", "a" * 50_000),
        (".*a.*b.*c.*d", "abc" * 20_000),
        ("^(a?){50}a{50}$", "a" * 49),
    ],
)
def test_a_pattern_that_hangs_a_backtracking_matcher_is_answered(pattern: str, text: str) -> None:
    assert matches(pattern, text) is False


def test_what_costs_too_much_is_not_answered() -> None:
    compiled = compile_pattern("[a-z]{5,4000}x")
    assert compiled is not None

    assert compiled.matches("abc" * 10_000) is None
    assert compiled.matches("abcdex") is None  # nor is anything after it


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "\\d", "^", "$", "\\.", "x"])


def several(inner: Any) -> Any:
    return (
        st.lists(inner, min_size=1, max_size=3).map("".join)
        | st.lists(inner, min_size=1, max_size=3).map(lambda found: f"({'|'.join(found)})")
        | st.builds(
            lambda node, count: f"(?:{node}){count}",
            inner,
            st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}", "*?"]),
        )
    )


@given(st.recursive(ATOMS, several, max_leaves=8), st.text("ab1.x\n", max_size=8))
def test_where_python_means_the_same_it_says_the_same(pattern: str, text: str) -> None:
    same = pattern.replace("$", "\\Z")  # which Python takes before a last line end, too

    expected = re.search(same, text) is not None

    assert matches(pattern, text) is expected
