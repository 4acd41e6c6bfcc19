"""Requests to Gemini: bodies that Google's own types accept, and what each field becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import conversations
import official_gemini
import specado

OLD, PRO, NEW = "gemini-2.5-flash", "gemini-2.5-pro", "gemini-3.5-flash"
MODELS = [OLD, PRO, NEW, "gemini-4-hydrogen", "gemini-1.5-flash", "gemini-flash-latest", "gemma-3"]
USER = {"role": "user", "content": "Hello"}
PNG = "iVBORw0KGgo="
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
STAND_IN = "skip_thought_signature_validator"


def function(name: str = "f", **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA, **more}}


def calling(*ids: str, content: Any = None) -> dict[str, Any]:
    return {
        "role": "assistant",
        "content": content,
        "tool_calls": [
            {"id": id_, "type": "function", "function": {"name": f"f_{id_}", "arguments": "{}"}}
            for id_ in ids
        ],
    }


def result(id_: str, content: Any = "done") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": content}


def translated(*messages: Any, model: str = NEW, **params: Any) -> specado.Translation:
    request = {"model": model, "messages": list(messages) or [USER], **params}
    found = specado.translate(request, f"gemini/{model}")
    assert official_gemini.problems(found.body) == []
    return found


def body(*messages: Any, model: str = NEW, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(translated(*messages, model=model, **params).body)
    return found


def lost(*messages: Any, model: str = NEW, **params: Any) -> list[tuple[str, str, str]]:
    report = translated(*messages, model=model, **params).report
    return [(item.severity, item.code, item.path) for item in report.items]


def parts(*content: Any, model: str = NEW) -> list[Any]:
    return list(body({"role": "user", "content": list(content)}, model=model)["contents"][0]["parts"])


def config(model: str = NEW, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = body(model=model, **params).get("generationConfig", {})
    return found


@settings(max_examples=250)
@given(conversations.MESSAGES, conversations.PARAMS, st.sampled_from(MODELS))
def test_every_body_is_as_google_documents_it(
    messages: list[Any], params: dict[str, Any], model: str
) -> None:
    sent = specado.translate({"model": model, "messages": messages, **params}, f"gemini/{model}")

    found = official_gemini.problems(sent.body)
    # The caller's own mistake, which the provider reports.
    found = [each for each in found if each != "toolConfig: a name that is not declared"]
    if any(item.message == "the conversation has no text" for item in sent.report.items):
        assert found == ["contents[0]: an empty text"]
    else:
        assert found == []
