"""Message normalization: accepted and refused messages, error paths, snapshots."""

from __future__ import annotations

import collections
import contextlib
import copy
import enum
import json
import tracemalloc
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anthropic_core import encode_anthropic_request
from conversations import MESSAGES
from specado._core import MAX_DEPTH, encode_openai_request, normalize
from specado.errors import MessageFormatError
from specado.types import FunctionCall, Message, ReasoningBlock, ToolCall

PNG = "data:image/png;base64,iVBORw0KGgo="
LONE = "a\ud800b"


class Word(str):
    """A str subclass, as template engines and enums make them."""

    __slots__ = ()


class Kind(str, enum.Enum):
    IMAGE = "image_url"
    USER = "user"


class Stubborn:
    """Raises whatever is asked of it."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class Attributes:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


class Incomparable:
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("compared")


class HostileDict(dict):  # type: ignore[type-arg]
    def get(self, *_: Any) -> Any:
        raise RuntimeError("get")

    def items(self) -> Any:
        raise RuntimeError("items")


def nested(depth: int) -> Any:
    found: Any = 1
    for _ in range(depth):
        found = [found]
    return found


def user(*parts: Any, **extra: Any) -> list[Any]:
    return [{"role": "user", "content": list(parts), **extra}]


def calling(call: Any) -> list[Any]:
    return [{"role": "assistant", "content": None, "tool_calls": [call]}]


def body_of(messages: Any) -> Any:
    return json.loads(encode_openai_request(normalize(messages), "m", {}, None)[0])["messages"]


CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
ASKED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
HELLO = {"role": "user", "content": "Hello"}

# messages, index, field
BAD = {
    "no messages": ([], None, "messages"),
    "None": (None, None, "messages"),
    "a number": (5, None, "messages"),
    "bytes": (b"Hello", None, "messages"),
    "a bytearray": (bytearray(b"Hello"), None, "messages"),
    "one dict": (HELLO, None, "messages"),
    "one Message": (Message("user", "Hello"), None, "messages"),
    "an object that raises": (Attributes(), None, "messages"),
    "text in the list": ([HELLO, "Hello"], 1, None),
    "None in the list": ([HELLO, None], 1, None),
    "a stubborn message": ([HELLO, Stubborn()], 1, None),
    "no role": ([{"content": "x"}], 0, "role"),
    "role None": ([{"role": None, "content": "x"}], 0, "role"),
    "role a number": ([HELLO, {"role": 1, "content": "x"}], 1, "role"),
    "no content": ([{"role": "user"}], 0, "content"),
    "content None": ([{"role": "system", "content": None}], 0, "content"),
    "content a number": ([{"role": "user", "content": 5}], 0, "content"),
    "content bytes": ([{"role": "user", "content": b"x"}], 0, "content"),
    "content a dict": ([{"role": "user", "content": {}}], 0, "content"),
    "content no parts": (user(), 0, "content"),
    "assistant says nothing": ([{"role": "assistant", "content": None}], 0, "content"),
    "assistant calls nothing": (
        [{"role": "assistant", "content": None, "tool_calls": []}], 0, "content"),
    "name a number": ([{**HELLO, "name": 3}], 0, "name"),
    "refusal a list": ([{"role": "assistant", "content": "x", "refusal": []}], 0, "refusal"),
    "part None": (user(None), 0, "content[0]"),
    "part a number": (user("a", 5), 0, "content[1]"),
    "part without type": (user({"text": "x"}), 0, "content[0].type"),
    "part of unknown type": (user({"type": "video", "video": {}}), 0, "content[0].type"),
    "part type a list": (user({"type": []}), 0, "content[0].type"),
    "part type incomparable": (user({"type": Incomparable()}), 0, "content[0].type"),
    "text part without text": (user({"type": "text"}), 0, "content[0].text"),
    "text part of a number": (user({"type": "text", "text": 1}), 0, "content[0].text"),
    "refusal part": (user({"type": "refusal", "refusal": None}), 0, "content[0].refusal"),
    "image None": (user({"type": "image_url"}), 0, "content[0].image_url"),
    "image without url": (
        user({"type": "image_url", "image_url": {}}), 0, "content[0].image_url.url"),
    "image detail": (
        user({"type": "image_url", "image_url": {"url": "https://x", "detail": 1}}), 0,
        "content[0].image_url.detail"),
    "data URI without base64": (
        user({"type": "image_url", "image_url": {"url": "data:image/png,xx"}}), 0,
        "content[0].image_url.url"),
    "data URI without data": (
        user({"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}), 0,
        "content[0].image_url.url"),
    "data URI not base64": (
        user({"type": "image_url", "image_url": {"url": "data:image/png;base64,@@@@"}}), 0,
        "content[0].image_url.url"),
    "data URI whose media type has no end": (
        user({"type": "image_url", "image_url": {"url": f"data:{'a' * 188};base64,AAAA"}}), 0,
        "content[0].image_url.url"),
    "base64 cut short": (
        user({"type": "image_url", "image_url": {"url": PNG[:-1]}}), 0,
        "content[0].image_url.url"),
    "base64 padded within": (
        user({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==AAAA"}}), 0,
        "content[0].image_url.url"),
    "base64 with an é": (
        user({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAé"}}), 0,
        "content[0].image_url.url"),
    "audio without format": (
        user({"type": "input_audio", "input_audio": {"data": "AAAA"}}), 0,
        "content[0].input_audio.format"),
    "audio not base64": (
        user({"type": "input_audio", "input_audio": {"data": "x", "format": "wav"}}), 0,
        "content[0].input_audio.data"),
    "file of nothing": (user({"type": "file", "file": {}}), 0, "content[0].file"),
    "file a text": (user({"type": "file", "file": "x"}), 0, "content[0].file"),
    "file not base64": (
        user({"type": "file", "file": {"file_data": "%PDF"}}), 0, "content[0].file.file_data"),
    "calls a dict": (
        [{"role": "assistant", "content": "x", "tool_calls": {}}], 0, "tool_calls"),
    "call a text": (calling("f"), 0, "tool_calls[0]"),
    "call without id": (calling({**CALL, "id": None}), 0, "tool_calls[0].id"),
    "call type": (calling({**CALL, "type": "magic"}), 0, "tool_calls[0].type"),
    "call type a number": (calling({**CALL, "type": 1}), 0, "tool_calls[0].type"),
    "call without function": (calling({"id": "c1"}), 0, "tool_calls[0].function"),
    "call without name": (
        calling({"id": "c1", "function": {"arguments": "{}"}}), 0, "tool_calls[0].function.name"),
    "arguments an object": (
        calling({"id": "c1", "function": {"name": "f", "arguments": {}}}), 0,
        "tool_calls[0].function.arguments"),
    "custom without input": (
        calling({"id": "c1", "type": "custom", "custom": {"name": "f"}}), 0,
        "tool_calls[0].custom.input"),
    "result without id": ([ASKED, {"role": "tool", "content": "1"}], 1, "tool_call_id"),
    "result without call": (
        [HELLO, {"role": "tool", "content": "1", "tool_call_id": "c1"}], 1, "tool_call_id"),
    "result of another call": (
        [ASKED, {"role": "tool", "content": "1", "tool_call_id": "c2"}], 1, "tool_call_id"),
    "reasoning a text": (
        [{"role": "assistant", "content": "x", "reasoning_details": "hm"}], 0,
        "reasoning_details"),
    "reasoning of wrong types": (
        [Message("assistant", "x", reasoning_details=[ReasoningBlock("thinking", 5)])], 0,  # type: ignore[arg-type]
        "reasoning_details[0].text"),
    "reasoning a number": (
        [{"role": "assistant", "content": "x", "reasoning_details": [5]}], 0,
        "reasoning_details[0]"),
    "audio answer": ([{"role": "assistant", "content": "x", "audio": {}}], 0, "audio"),
    "NaN below an unknown key": (
        [{**HELLO, "zz": {"a": [1, float("nan")]}}], 0, "zz.a[1]"),
    "infinity in a part": (
        user({"type": "text", "text": "x", "zz": float("inf")}), 0, "content[0].zz"),
    "an object below an unknown key": ([{**HELLO, "zz": [object()]}], 0, "zz[0]"),
    "bytes below an unknown key": ([{**HELLO, "zz": b"x"}], 0, "zz"),
    "a lone surrogate below an unknown key": ([{**HELLO, "zz": [LONE]}], 0, "zz[0]"),
    "nested too deep": ([{**HELLO, "zz": nested(MAX_DEPTH + 1)}], 0, "zz"),
    "a key that is no text": ([{**HELLO, (1, 2): 3}], 0, None),
}  # fmt: skip


@pytest.mark.parametrize(("messages", "index", "field"), BAD.values(), ids=BAD)
def test_bad_input_is_refused_with_its_place(messages: Any, index: Any, field: Any) -> None:
    with pytest.raises(MessageFormatError) as caught:
        normalize(messages)

    error = caught.value
    assert error.index == index
    assert (error.field or "").startswith(field or "")
    if index is not None:
        assert str(error).startswith(f"Message format error: messages[{index}]")


@pytest.mark.parametrize("encode", [encode_openai_request, encode_anthropic_request])
@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"role": "user", "content": LONE}, "content"),
        ({"role": "user", "content": [{"type": "text", "text": LONE}]}, "content[0]"),
        (
            {"role": "assistant", "content": None, "tool_calls": [{**CALL, "id": LONE}]},
            "tool_calls[0]",
        ),
    ],
)
def test_a_lone_surrogate_is_refused_with_its_place(encode: Any, message: Any, field: str) -> None:
    conversation = normalize([HELLO, message])

    with pytest.raises(MessageFormatError, match=r"messages\[1\].*lone surrogate") as caught:
        encode(conversation, "m", {}, None)

    assert (caught.value.index, caught.value.field) == (1, field)


def test_endless_nesting_is_refused_and_the_path_is_cut() -> None:
    loop: list[Any] = []
    loop.append(loop)

    for deep in (nested(100_000), loop):
        with pytest.raises(MessageFormatError, match="nested deeper than 200") as caught:
            normalize([{**HELLO, "zz": deep}])
        assert len(str(caught.value)) < 300


def test_every_form_of_a_message_reads_the_same() -> None:
    plain = [{"role": "user", "content": "Hello"}]

    assert body_of("Hello") == plain
    assert body_of([Message("user", "Hello")]) == plain
    assert body_of(iter([HELLO])) == plain
    assert body_of((HELLO,)) == plain
    assert body_of([collections.OrderedDict(HELLO)]) == plain
    assert body_of([collections.defaultdict(str, HELLO)]) == plain
    assert body_of([HostileDict(HELLO)]) == plain
    assert body_of([{Word("role"): Word("user"), "content": Word("Hello")}]) == plain
    assert body_of([{"role": Kind.USER, "content": "Hello"}]) == plain


def test_subclasses_of_text_and_dict_are_plain_on_the_wire() -> None:
    part = HostileDict(type=Kind.IMAGE, image_url=HostileDict(url=Word(PNG)))
    message = {"role": "user", "content": [part], Word("zz"): {Word("a"): Word("b"), 5: 1.5}}

    assert body_of([message]) == [
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": PNG}}],
            "zz": {"a": "b", "5": 1.5},
        }
    ]


def test_calls_as_structs_and_dicts_read_the_same() -> None:
    expected = [{"role": "assistant", "content": None, "tool_calls": [CALL]}]
    function = {"name": "f", "arguments": "{}"}

    assert body_of([Message("assistant", None, tool_calls=[ToolCall("c1", FunctionCall("f", "{}"))])]) == expected  # fmt: skip # noqa: E501
    assert body_of([Message("assistant", None, tool_calls=[ToolCall("c1", function)])]) == expected  # type: ignore[arg-type]
    assert body_of(calling({"id": "c1", "function": function})) == expected


def test_unknown_keys_survive_at_every_level() -> None:
    call = {**CALL, "zz": 1, "function": {"name": "f", "arguments": "{}", "zz": [2]}}
    messages = [
        {**HELLO, "zz": {"a": None}},
        *user({"type": "image_url", "image_url": {"url": PNG, "zz": 1}, "zz": 2}),
        {"role": "assistant", "content": None, "tool_calls": [call]},
    ]

    assert body_of(messages) == messages


def test_numbers_of_what_a_conversation_holds() -> None:
    audio = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    file = {"type": "file", "file": {"file_id": "f"}}
    image = {"type": "image_url", "image_url": PNG}
    found = normalize([HELLO, *user("four", image, image, audio, file), ASKED])

    assert (len(found), found.characters) == (3, len("Hello") + len("four") + len("f{}"))
    assert (found.images, found.sounds, found.files) == (2, 1, 1)


@settings(max_examples=60, deadline=None)
@given(MESSAGES)
def test_a_conversation_is_a_snapshot_and_leaves_the_messages_alone(
    messages: list[dict[str, Any]],
) -> None:
    messages = copy.deepcopy(messages)
    before = msgspec.json.encode(messages)
    conversation = normalize(messages)
    first = encode_openai_request(conversation, "m", {}, None)

    assert msgspec.json.encode(messages) == before
    ruin(messages)
    assert encode_openai_request(conversation, "m", {}, None) == first


def ruin(value: Any) -> None:
    """Empty every dict and list in *value*, innermost first."""
    if isinstance(value, (dict, list)):
        for item in list(value.values() if isinstance(value, dict) else value):
            ruin(item)
        value.clear()


def test_a_struct_changed_later_does_not_reach_the_conversation() -> None:
    message = Message("user", "before")
    block = ReasoningBlock("thinking", "hm", "sig", None, "m")
    answer = Message("assistant", "x", reasoning_details=[block])
    conversation = normalize([message, answer])

    message.content = "after"
    block.text = "other"

    body = encode_anthropic_request(conversation, "m", {}, None)[0]
    assert b"before" in body
    assert b'"thinking":"hm"' in body


ANYTHING = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
        st.binary(max_size=3), st.sampled_from(list(Kind)), st.builds(Word, st.text(max_size=3)),
        st.builds(Stubborn), st.builds(Attributes), st.builds(Incomparable), st.just(object),
    ),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["role", "content", "type", "text", "image_url", "url", "tool_calls", "id", "function",
             "name", "arguments", "reasoning_details", "audio", "file", "file_data", "zz"]),
        inner | st.sampled_from(["user", "assistant", "tool", "text", "image_url", "file"]),
        max_size=5)
    | st.builds(HostileDict, st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.no_cover
@given(st.lists(st.one_of(ANYTHING, st.fixed_dictionaries({"role": ANYTHING, "content": ANYTHING}),
    st.fixed_dictionaries({"role": st.just("assistant"), "content": ANYTHING,
                           "tool_calls": ANYTHING}),
    st.fixed_dictionaries({"role": st.just("user"), "content": st.text(max_size=2),
                           "zz": ANYTHING})), min_size=1, max_size=2))  # fmt: skip
def test_whatever_is_given_is_read_or_refused(messages: Any) -> None:
    with contextlib.suppress(MessageFormatError):
        conversation = normalize(messages)
        for encode in (encode_openai_request, encode_anthropic_request):
            body = json.loads(encode(conversation, "m", {}, None)[0])

            assert body["model"] == "m"
            assert body["messages"]


def test_memory_does_not_grow() -> None:
    messages = [HELLO, {**ASKED, "zz": {"a": [1, 2.5, "é"]}}]

    def rounds(count: int) -> None:
        for _ in range(count):
            conversation = normalize(messages)
            encode_openai_request(conversation, "m", {"temperature": 0.5}, None)
            encode_anthropic_request(conversation, "m", {"temperature": 0.5}, None)

    rounds(1000)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        rounds(3000)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    assert grown < 20_000


def test_a_mapping_that_is_no_dict_is_read_as_one() -> None:
    body = encode_openai_request(normalize([MappingProxyType(HELLO)]), "gpt-4o", {}, None)[0]

    assert json.loads(body)["messages"] == [HELLO]
