"""Fast decoder of JSON text: agrees with an ordinary JSON decoder."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import specado
from specado._core import read_messages

PNG = "data:image/png;base64,iVBORw0KGgo="
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": "\\"b\\""}'}}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "done"}
IMAGE = {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}}
USUAL = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": 'Hi\n\t"there" \\ / é \u2028 😀', "name": "ann"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    RESULT,
    {"role": "user", "content": [{"type": "text", "text": "What is it?"}, IMAGE]},
    {"role": "assistant", "content": "", "refusal": "No.", "tool_calls": [CALL, CALL]},
    {**RESULT, "content": [{"type": "text", "text": "x"}]},
]


def request(messages: Any, **more: Any) -> dict[str, Any]:
    return {"model": "gpt-4.1", "max_tokens": 9, "messages": messages, **more}


def outcome(text: Any, to: str = "openai/gpt-4.1") -> Any:
    """Return a translation's body and report, or its error's class, text and place."""
    try:
        made = specado.translate(text, to)
    except specado.SpecadoError as error:
        return type(error), str(error), getattr(error, "index", None)
    return made.body, made.report.to_dict()


def decoded_outcome(text: Any, to: str = "openai/gpt-4.1") -> Any:
    with patch("specado.dialects.openai_chat.requests.read_messages", return_value=None):
        return outcome(text, to)


@pytest.mark.parametrize("to", ["openai/gpt-4.1", "anthropic/claude-opus-4-5"])
@pytest.mark.parametrize("ascii_only", [True, False], ids=["escaped", "as UTF-8"])
@pytest.mark.parametrize("indent", [None, 2], ids=["on one line", "indented"])
def test_usual_messages_are_read_from_their_text(
    to: str, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(request(USUAL), ensure_ascii=ascii_only, indent=indent)

    read = read_messages(text.encode())

    assert read is not None
    assert len(read[0]) == len(USUAL)
    assert outcome(text, to) == decoded_outcome(text, to) == outcome(request(USUAL), to)


def test_the_place_of_the_messages_is_told() -> None:
    text = b' {"a":[{"messages":[]},"]"], "messages" : [{"role":"user","content":"q"}] ,"b":1}\n'

    found = read_messages(text)

    assert found is not None
    assert text[found[1] : found[2]] == b'[{"role":"user","content":"q"}]'


UNUSUAL = {
    "audio": {"role": "assistant", "audio": {"id": "a1"}},
    "cached": {"role": "user", "content": "q", "cache_control": {"type": "ephemeral"}},
    "file": {"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]},
    "bare text part": {"role": "user", "content": ["q"]},
    "bare URL": {"role": "user", "content": [{"type": "image_url", "image_url": "https://x.y"}]},
    "part with more": {"role": "user", "content": [{"type": "text", "text": "q", "zz": [1.5, {}]}]},
    "two places for a text": {"role": "user", "content": [{**IMAGE, "text": "q"}]},
    "custom call": {
        "role": "assistant",
        "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "f", "input": "x"}}],
    },
    "no calls": {"role": "assistant", "content": "q", "tool_calls": []},
    "null calls": {"role": "assistant", "content": "q", "tool_calls": None},
    "call without a type": {"role": "assistant", "tool_calls": [{**CALL, "type": None}]},
    "a role of its own": {"role": "critic", "content": "q"},
    "legacy function": {"role": "function", "name": "f", "content": None},
}


@pytest.mark.parametrize("message", UNUSUAL.values(), ids=UNUSUAL)
@pytest.mark.parametrize("to", ["openai/gpt-4.1", "anthropic/claude-opus-4-5"])
def test_an_unusual_message_is_decoded_by_itself(message: dict[str, Any], to: str) -> None:
    given = request([{"role": "user", "content": "q"}, message, {"role": "user", "content": "r"}])
    text = json.dumps(given)

    assert read_messages(text.encode()) is not None
    assert outcome(text, to) == decoded_outcome(text, to) == outcome(given, to)


HOSTILE = {
    "empty": b"",
    "null": b"null",
    "no messages": b'{"model":"m"}',
    "empty messages": b'{"model":"m","messages":[]}',
    "messages twice": b'{"messages":[{"role":"user","content":"a"}],"model":"m",'
    b'"messages":[{"role":"user","content":"b"}]}',
    "messages by an escape": b'{"model":"m","mess\\u0061ges":[{"role":"user","content":"b"}]}',
    "both": b'{"model":"m","messages":[{"role":"user","content":"a"}],'
    b'"mess\\u0061ges":[{"role":"user","content":"b"}]}',
    "content twice": b'{"model":"m","messages":[{"role":"user","content":"a","content":"b"}]}',
    "content by an escape": b'{"model":"m","messages":[{"role":"user","content":"a",'
    b'"c\\u006fntent":"b"}]}',
    "a brace in a name": b'{"model":"m","messages":[{"role":"user","content":"a","x}\\n":1}]}',
    "text after the end": b'{"model":"m","messages":[{"role":"user","content":"a"}]} x',
    "a comma too many": b'{"model":"m","messages":[{"role":"user","content":"a",}]}',
    "another comma": b'{"model":"m","messages":[{"role":"user","content":"a"},]}',
    "a comma first": b'{"model":"m","messages":[{,"role":"user","content":"a"}]}',
    "no colon": b'{"model":"m","messages":[{"role" "user","content":"a"}]}',
    "cut short": b'{"model":"m","messages":[{"role":"user","content":"a',
    "cut in an escape": b'{"model":"m","messages":[{"role":"user","content":"a\\',
    "cut in a number": b'{"model":"m","messages":[{"role":"user","content":"a"}],"n":-',
    "not UTF-8": b'{"model":"m","messages":[{"role":"user","content":"\xff\xfe"}]}',
    "a surrogate in UTF-8": b'{"model":"m","messages":[{"role":"user","content":"\xed\xa0\x80"}]}',
    "a lone surrogate": b'{"model":"m","messages":[{"role":"user","content":"\\ud800 x"}]}',
    "a pair": b'{"model":"m","messages":[{"role":"user","content":"\\ud83d\\ude00"}]}',
    "a wrong escape": b'{"model":"m","messages":[{"role":"user","content":"\\x41"}]}',
    "a short escape": b'{"model":"m","messages":[{"role":"user","content":"\\u12"}]}',
    "a control character": b'{"model":"m","messages":[{"role":"user","content":"a\nb"}]}',
    "a NUL": b'{"model":"m","messages":[{"role":"user","content":"a\\u0000b"}]}',
    "not a number": b'{"model":"m","messages":[{"role":"user","content":"a","x":NaN}]}',
    "zeros first": b'{"model":"m","messages":[{"role":"user","content":"a","x":01}]}',
    "a number past floats": b'{"model":"m","messages":[{"role":"user","content":"a","x":1e400}]}',
    "such a number beside": b'{"model":"m","x":1e400,"messages":[{"role":"user","content":"a"}]}',
    "a huge number": b'{"model":"m","messages":[{"role":"user","content":"a","x":'
    + b"9" * 400
    + b"}]}",
    "deep": b'{"model":"m","messages":[{"role":"user","content":"a","x":'
    + b"[" * 150
    + b"]" * 150
    + b"}]}",
    "too deep": b'{"model":"m","messages":' + b"[" * 100_000,
    "a wrong image": b'{"model":"m","messages":[{"role":"user","content":[{"type":"image_url",'
    b'"image_url":{"url":"data:image/png;base64,@@"}}]}]}',
    "an answer to no call": b'{"model":"m","messages":[{"role":"tool","tool_call_id":"c",'
    b'"content":"a"}]}',
    "a wrong parameter too": b'{"model":"m","n":"x","messages":[{"role":"user","content":7}]}',
    "wrong JSON behind a wrong message": b'{"model":"m","messages":[{"role":"user"}],"n":}',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_not_usual_is_as_a_decoder_reads_it(text: bytes) -> None:
    assert outcome(text) == decoded_outcome(text)


def test_text_with_a_lone_surrogate_is_refused_as_before() -> None:
    text = '{"model":"m","messages":[{"role":"user","content":"\ud800"}]}'

    assert outcome(text) == decoded_outcome(text)


texts = st.text(max_size=40) | st.sampled_from(["user", "assistant", "tool", "c1", PNG, "{}", "é"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["url", "id", "name", "type", "zz"]), inner, max_size=3)
    ),
    max_leaves=6,
)
parts = st.sampled_from([IMAGE, {"type": "text", "text": "q"}]) | st.dictionaries(
    st.sampled_from(["type", "text", "image_url", "cache_control"]),
    st.sampled_from(["text", "image_url", {"url": PNG}, "https://x.y"]) | anything,
    max_size=4,
)
messages = st.sampled_from(USUAL + list(UNUSUAL.values())) | st.dictionaries(
    st.sampled_from(["role", "content", "tool_calls", "tool_call_id", "name", "refusal", "zz"]),
    st.sampled_from(["user", "assistant", "tool", [CALL], "c1"]) | st.lists(parts) | anything,
    max_size=5,
)


@given(
    st.lists(messages, max_size=5),
    st.dictionaries(st.sampled_from(["zz", "n", "tools", "stop"]), anything, max_size=2),
    st.booleans(),
    st.sampled_from([None, 1]),
)
def test_any_messages_are_as_a_decoder_reads_them(
    given: list[Any], more: dict[str, Any], ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(request(given, **more), ensure_ascii=ascii_only, indent=indent)
    if not ascii_only:
        text = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")

    for to in ("openai/gpt-4.1", "anthropic/claude-opus-4-5"):
        assert outcome(text, to) == decoded_outcome(text, to)


SOUND = json.dumps(request(USUAL)).encode()


@given(
    st.integers(0, len(SOUND)),
    st.integers(0, 3),
    st.sampled_from([*(bytes([byte]) for byte in b'"\\{}[],:u0 \n\x00\xc3\xff'), b"null", b""]),
)
@example(len(SOUND) - 1, 1, b"")
def test_text_changed_anywhere_is_as_a_decoder_reads_it(at: int, cut: int, put: bytes) -> None:
    text = SOUND[:at] + put + SOUND[at + cut :]

    assert outcome(text) == decoded_outcome(text)


def test_every_beginning_of_a_text_is_refused() -> None:
    for end in range(len(SOUND)):
        assert read_messages(SOUND[:end]) is None
