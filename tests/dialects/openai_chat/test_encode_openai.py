"""The OpenAI dialect's requests, held against the twin, the package's types, and byte by byte."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations import MESSAGES, PARAMS
from official import problems
from reference_core import openai_body
from specado._core import MAX_DEPTH, dumps, encode_openai_request, normalize
from specado.catalog import lookup as catalog
from specado.dialects import registry
from specado.errors import MessageFormatError
from specado.settings import parameters as params

MODELS = ("gpt-3.5-turbo", "gpt-4", "gpt-4o", "o1", "gpt-5", "gpt-5.1")
FACTS = [None, *(catalog.find_model("openai", model) for model in MODELS)]
OWN = catalog.provider("openai").request_rules  # type: ignore[union-attr]
HELLO = [{"role": "user", "content": "Hello"}]


def encoded(
    messages: Any, parameters: Any = None, facts: Any = None, rules: Any = OWN
) -> tuple[bytes, list[Any]]:
    return encode_openai_request(normalize(messages), "m", parameters or {}, facts, rules)[:2]


def body(messages: Any, parameters: Any = None, facts: Any = None) -> Any:
    return json.loads(encoded(messages, parameters, facts)[0])


@pytest.mark.no_cover
@given(MESSAGES, PARAMS, st.sampled_from(FACTS), st.sampled_from([OWN, None]))
def test_core_and_twin_agree(messages: Any, parameters: Any, facts: Any, rules: Any) -> None:
    expected, losses = openai_body(messages, "m", parameters, facts, rules is OWN)

    found, reported = encoded(messages, parameters, facts, rules)

    assert json.loads(found) == expected
    assert sorted((row, path) for row, path, _, _ in reported) == sorted(losses)


@pytest.mark.parametrize(
    ("messages", "parameters"),
    [
        (HELLO, {}),
        (HELLO, {"temperature": 0.5, "stop": ["a"], "logit_bias": {50256: -100}, "seed": 3}),
        (
            [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}}]},  # noqa: E501
                {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},  # noqa: E501
                {"role": "tool", "tool_call_id": "c", "content": "1", "cache_control": {"type": "ephemeral"}},  # noqa: E501
            ],
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}, "cache_control": {"type": "ephemeral"}}], "tool_choice": "required"},  # noqa: E501
        ),
    ],
)  # fmt: skip
def test_bodies_are_what_the_package_types_say(messages: Any, parameters: Any) -> None:
    assert problems("openai-request", encoded(messages, parameters)[0]) == []


def test_the_usual_request_byte_by_byte() -> None:
    found, losses = encoded(HELLO, {"temperature": 0.7, "max_tokens": 5, "stream": True})

    assert found == (
        b'{"model":"m","messages":[{"role":"user","content":"Hello"}],'
        b'"temperature":0.7,"max_tokens":5,"stream":true}'
    )
    assert losses == []


def test_arguments_travel_as_the_same_text() -> None:
    arguments = '{"b":1,  "a": 123456789012345678901234567890, "b": 2 }'
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}

    found = body([{"role": "assistant", "content": None, "tool_calls": [call]}])

    assert found["messages"][0]["tool_calls"] == [call]


@pytest.mark.parametrize("code", [*range(0x20), 0x22, 0x5C, 0x7F, 0x80, 0x2028, 0xFFFF, 0x1D11E])
@pytest.mark.parametrize("before", range(10))
def test_every_character_is_escaped_as_json_wants(code: int, before: int) -> None:
    text = "x" * before + chr(code) + "y" * 9 + chr(code)

    found = encoded([{"role": "user", "content": text}])[0]

    assert json.loads(found)["messages"][0]["content"] == text
    assert all(byte >= 0x20 for byte in found)


@given(st.text(max_size=60))
def test_text_round_trips_or_is_refused(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        with pytest.raises(MessageFormatError, match="lone surrogate"):
            encoded([{"role": "user", "content": text}])
    else:
        assert body([{"role": "user", "content": text}])["messages"][0]["content"] == text


def test_the_same_leading_messages_give_the_same_leading_bytes() -> None:
    turns = [{"role": r, "content": f"{i}"} for i, r in enumerate(["user", "assistant"] * 3)]
    first = encoded(turns[:3], {"temperature": 1})[0]
    second = encoded(turns, {"temperature": 1})[0]

    assert second.startswith(first[: first.index(b"]")])


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"metadata": {"a": float("nan")}}, "metadata.a"),
        ({"metadata": {"a": [1, float("-inf")]}}, "metadata.a[1]"),
        ({"metadata": {"a": object()}}, "metadata.a"),
        ({"metadata": {(1,): 2}}, "metadata"),
        ({"user": "\ud800"}, "user"),
        ({"tools": [{"function": {"name": b"f"}}]}, "tools[0].function.name"),
        ({"seed": 10**5000}, "seed"),
    ],
)
def test_a_parameter_without_json_form_is_refused(parameters: Any, field: str) -> None:
    with pytest.raises(MessageFormatError) as caught:
        encoded(HELLO, parameters)

    assert (caught.value.index, caught.value.field) == (None, field)


def test_depth_is_bounded() -> None:
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = [value]

    assert body(HELLO, {"metadata": value})["metadata"] == value
    with pytest.raises(MessageFormatError, match="nested deeper than 200"):
        encoded(HELLO, {"metadata": [value]})
    for _ in range(100_000):
        value = [value]
    with pytest.raises(MessageFormatError, match="nested deeper than 200"):
        encoded(HELLO, {"metadata": value})


def test_large_text_and_large_numbers_pass() -> None:
    text = 'é"\n' * 400_000

    assert body([{"role": "user", "content": text}])["messages"][0]["content"] == text
    assert body(HELLO, {"seed": 10**40})["seed"] == 10**40
    assert body(HELLO, {"max_tokens": 10**30})["max_tokens"] == 10**30


def test_a_model_that_is_no_text_is_refused() -> None:
    with pytest.raises(MessageFormatError, match="model must be a str, not int"):
        encode_openai_request(normalize(HELLO), 5, {}, None)  # type: ignore[arg-type]


def test_extra_body_replaces_members_and_is_checked() -> None:
    conversation = normalize(HELLO)
    found = registry.encode(
        "openai_chat", conversation, "m", {"n": 2}, None, {"n": 3, "zz": {"a": 10**30}}
    ).body

    assert json.loads(found) == {"model": "m", "messages": HELLO, "n": 3, "zz": {"a": 10**30}}
    with pytest.raises(MessageFormatError) as caught:
        registry.encode("openai_chat", conversation, "m", {}, None, {"zz": [object()]})
    assert caught.value.field == "extra_body"


@pytest.mark.no_cover
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])), inner)))  # fmt: skip
def test_any_json_value_round_trips(value: Any) -> None:
    assert json.loads(dumps(value)) == value


NONSENSE = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=3) | st.just(object()),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["type", "function", "name", "json_schema", "a"]), inner)
    ),
    max_leaves=6,
)


@pytest.mark.no_cover
@given(st.dictionaries(st.sampled_from(sorted(params.PARAMETERS)), NONSENSE, max_size=3),
       st.sampled_from(["openai_chat", "anthropic_messages"]),
       st.sampled_from([*FACTS, catalog.find_model("anthropic", "claude-opus-5")])
)  # fmt: skip
def test_any_parameters_are_encoded_or_refused(given_: Any, dialect: str, facts: Any) -> None:
    with contextlib.suppress(MessageFormatError):
        parameters, _ = params.check(given_)
        json.loads(registry.encode(dialect, normalize("x"), "m", parameters, facts).body)
