"""A role or a type that is no text is a clear error of the request, whatever it is instead."""

from __future__ import annotations

from typing import Any

import pytest

import specado

NO_TEXTS = ([], {}, ["user"], {"a": 1}, 1, True)


def with_value(where: str, value: Any) -> dict[str, Any]:
    request: dict[str, Any] = {"model": "gpt-5.4", "input": [{"role": "user", "content": "Hello"}]}
    if where == "input[0].role":
        request["input"][0]["role"] = value
    elif where == "input[0].type":
        request["input"][0]["type"] = value
    elif where == "input[0].content[0].type":
        request["input"][0]["content"] = [{"type": value, "text": "Hello"}]
    elif where == "input[1].content[0].type":
        answer = {"role": "assistant", "content": [{"type": value, "text": "Hello"}]}
        request["input"].append(answer)
    else:
        request["tools"] = [{"type": value, "name": "f", "parameters": None}]
    return request


@pytest.mark.parametrize("value", NO_TEXTS, ids=repr)
@pytest.mark.parametrize(
    "where",
    [
        "input[0].role",
        "input[0].type",
        "input[0].content[0].type",
        "input[1].content[0].type",
        "tools[0].type",
    ],
)
@pytest.mark.parametrize("target", ["openai_chat", "anthropic", "gemini"])
def test_a_role_or_type_that_is_no_text_is_refused(where: str, value: Any, target: str) -> None:
    with pytest.raises(specado.MessageFormatError, match=r"role|type"):
        specado.translate(with_value(where, value), target, source="openai_responses")
