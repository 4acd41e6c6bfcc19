"""Arguments of calls to Anthropic: any JSON object is passed on unchanged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anthropic_core import encode_anthropic_request
from specado import MessageFormatError
from specado._core import normalize


def body_with(arguments: str) -> bytes:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    asked = [{"role": "user", "content": "q"}, {"role": "assistant", "tool_calls": [call]}]
    body: bytes = encode_anthropic_request(normalize(asked), "m", {}, None)[0]
    return body


def is_object(text: str) -> bool:
    """Return whether *text* is a JSON object without lone surrogates, by the standard library."""

    def refuse(name: str) -> Any:
        raise ValueError(name)

    try:
        pairs = json.loads(
            text, parse_constant=refuse, parse_int=str, parse_float=str, object_pairs_hook=list
        )
        json.dumps(pairs, ensure_ascii=False).encode()
    except ValueError:
        return False
    return text.strip(" \t\r\n").startswith("{")


SOUND = [
    "{}",
    '{ "a" : [ ] }',
    '{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\\ud7ff"}',
    '{"a":-0,"b":-0.10,"c":1E+5,"d":1e-400,"e":123456789012345678901234567890}',
    '{"a":true,"b":false,"c":null,"a":1}',
    '{"é":"é\u2028😀"}',
    '{"":{"":[[],{},""]}}',
    '{"a":' + "[" * 150 + "]" * 150 + "}",
    '{"long":"' + "x" * 31 + "\\n" + "y" * 64 + '"}',
]


@pytest.mark.parametrize("arguments", SOUND)
def test_any_spelling_of_an_object_is_passed_on(arguments: str) -> None:
    body = body_with(f"\r\n {arguments}\t")

    assert b'"input":' + arguments.encode() + b"}]" in body


WRONG = [
    '{"a":01}',
    '{"a":1.}',
    '{"a":.5}',
    '{"a":+1}',
    '{"a":-}',
    '{"a":1e}',
    '{"a":Infinity}',
    '{"a":tru}',
    '{"a" 1}',
    '{"a":1,}',
    "{,}",
    "{a:1}",
    "{'a':1}",
    '{"a":[1,]}',
    '{"a":[1}',
    '{"a":"\\x"}',
    '{"a":"\\u12g4"}',
    '{"a":"\\ud800"}',
    '{"a":"\\udc00"}',
    '{"a":"\\ud800\\u0041"}',
    '{"a":"\x1f"}',
    '{"a":"\ud800"}',
    '{"a":"}',
    '{"a":"\\',
    "{}\x00",
    "{}x",
    '{"a":1}}',
    "\ufeff{}",
    "\xa0{}",
]


@pytest.mark.parametrize("arguments", WRONG)
def test_what_is_no_object_is_refused(arguments: str) -> None:
    with pytest.raises(MessageFormatError, match="the arguments of call 'c1'"):
        body_with(arguments)


PIECES = st.sampled_from(
    [*'{}[]:,"\\ \n-0123.eEu', "\\u", "d83d", "\\ude00", '"a":', "true", "null", "é", "NaN", "\x1f"]
)


@given(st.sampled_from(SOUND), st.integers(0, 80), st.integers(0, 3), st.lists(PIECES, max_size=3))
def test_changed_arguments_are_passed_on_if_they_are_an_object(
    sound: str, at: int, cut: int, put: list[str]
) -> None:
    arguments = sound[:at] + "".join(put) + sound[at + cut :]

    if is_object(arguments):
        assert arguments.strip(" \t\r\n").encode() in body_with(arguments)
    elif arguments.strip(" \t\r\n"):
        with pytest.raises(MessageFormatError, match="the arguments of call 'c1'"):
            body_with(arguments)
