"""Values without a JSON form: refused even in members that are left out."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from example_inputs import CLAUDE, USER
from specado import MessageFormatError

TOOL = {"type": "function", "function": {"name": "f"}}
LOOP: dict[str, Any] = {}
LOOP["again"] = LOOP
DEEP: Any = json.loads('{"a":' * 300 + "1" + "}" * 300)
BAD = {"nan": float("nan"), "infinity": float("inf"), "cycle": LOOP, "deep": DEEP, "set": {1}}


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("metadata.a", lambda bad: {"metadata": {"a": bad}}),
        ("logit_bias.1", lambda bad: {"logit_bias": {"1": bad}}),
        ("audio.a", lambda bad: {"audio": {"a": bad}}),
        ("mood", lambda bad: {"mood": bad}),
        ("mood[0].a", lambda bad: {"mood": [{"a": bad}]}),
        ("stream_options.a", lambda bad: {"stream_options": {"a": bad}}),
        ("response_format.a", lambda bad: {"response_format": {"type": "text", "a": bad}}),
        (
            "response_format.json_schema.a",
            lambda bad: {"response_format": {"type": "grammar", "json_schema": {"a": bad}}},
        ),
        ("tool_choice.a", lambda bad: {"tools": [TOOL], "tool_choice": {"type": "zz", "a": bad}}),
        ("tools[0].zz", lambda bad: {"tools": [{**TOOL, "zz": bad}]}),
        ("tools[0].custom.a", lambda bad: {"tools": [{"type": "custom", "custom": {"a": bad}}]}),
    ],
)
def test_a_parameter_that_is_left_out_is_checked(field: str, given: Any, value: Any) -> None:
    request = {"model": "gpt-4o", "messages": [USER], **given(value)}

    with pytest.raises(MessageFormatError) as caught:
        specado.translate(request, CLAUDE)

    assert caught.value.field is not None
    assert caught.value.field.startswith(field)


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
@pytest.mark.parametrize("given", [{"tools": [{**TOOL, "cache_control": 0}]}, {"logit_bias": 0}])
def test_what_an_openai_model_does_not_take_is_checked(given: Any, value: Any) -> None:
    if "tools" in given:
        given = {"tools": [{**TOOL, "cache_control": {"a": value}}]}
    else:
        given = {"logit_bias": {"1": value}}

    with pytest.raises(MessageFormatError, match=r"cache_control|logit_bias"):
        specado.translate({"model": "gpt-5", "messages": [USER], **given}, "openai/gpt-5")


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("container", lambda bad: {"container": {"a": bad}}),
        ("zz", lambda bad: {"zz": bad}),
        ("metadata.b", lambda bad: {"metadata": {"b": bad}}),
    ],
)
def test_what_reading_leaves_out_is_checked(path: str, given: Any, value: Any) -> None:
    request = {"model": "claude-opus-4-5", "max_tokens": 9, "messages": [USER], **given(value)}

    with pytest.raises(MessageFormatError) as caught:
        specado.translate(request, "openai/gpt-4o", source="anthropic")

    assert str(caught.value).startswith(f"Message format error: {path}")


def test_nothing_is_sent_of_a_request_that_a_fallback_could_not_get() -> None:
    attempts: list[Any] = []
    client = specado.Client(
        {
            "simulate": True,
            "primary_provider": "anthropic",
            "fallback_provider": "openai",
            "hooks": {"on_attempt": attempts.append},
        }
    )

    with pytest.raises(MessageFormatError, match=r"metadata\.a: nan is not a JSON number"):
        client.chat.completions.create("claude-opus-4-5", "Hello", metadata={"a": float("nan")})

    assert attempts == []
