"""Every canonical request field goes to Gemini as the field table says, or is reported."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

import official_gemini
import specado
from example_inputs import USER
from field_tables import REQUEST_TABLES, entry_for
from request_fields import CLOSED, OpenAIRequest, example, paths
from specado.losses.rows import ROWS

TABLE = REQUEST_TABLES["gemini"]
PATHS = paths(OpenAIRequest)
MODELS = ["gemini-2.5-flash", "gemini-3.5-flash"]
CALL = {"id": "marker-id", "type": "function", "function": {"name": "f", "arguments": "{}"}}
FUNCTION = {"type": "function", "function": {"name": "marker-name", "parameters": {}}}
PNG = "data:image/png;base64,iVBORw0KGgo="
PDF = "data:application/pdf;base64,JVBERi0xLjQK"
MARKER = re.compile(r'"(marker-[^"]*)"')


def request_with(path: str) -> dict[str, Any]:
    """Return a well-formed request with the field at *path*."""
    request: dict[str, Any] = example(OpenAIRequest, path)
    message = request["messages"][0]
    if not path.startswith("messages["):
        message = USER
    before: list[Any] = []
    if message["role"] == "tool":
        before = [USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}]
        message["tool_call_id"] = "marker-id"
    elif message["role"] == "assistant":
        before = [USER]
        message.setdefault("content", None)
        if not {"tool_calls", "audio", "refusal", "function_call"} & message.keys():
            message["content"] = message["content"] or "Hello"
    elif path.startswith("messages[user].content[file]") and not path.endswith("file_id"):
        message["content"][0]["file"]["file_data"] = PDF
    elif path.startswith("messages[user].content[image_url]"):
        message["content"][0]["image_url"]["url"] = PNG
    answers = [
        {"role": "tool", "tool_call_id": call["id"], "content": "done"}
        for call in message.get("tool_calls", ())
    ]
    request["messages"] = [*before, message, *(answers or [USER])]
    if path.startswith(("tool_choice", "parallel_tool_calls")):
        request["tools"] = [FUNCTION]
    if path == "service_tier":
        request["service_tier"] = "flex"
    if path.startswith("response_format[json_schema].json_schema"):
        request["response_format"]["json_schema"].setdefault("schema", CLOSED)
    return request


def without_variants(path: str) -> str:
    return re.sub(r"\[[^\]]*\]", "", path)


def is_near(one: str, other: str) -> bool:
    """Return whether one path is the other, or above or below it."""
    one, other = without_variants(one), without_variants(other)
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("path", PATHS)
def test_a_canonical_field_goes_where_the_table_says(path: str, model: str) -> None:
    request = {**request_with(path), "model": model}
    entry = entry_for(TABLE, path)
    allowed = {ROWS[row].message for row in (*entry.rows, *entry.model_rows)}

    sent = specado.translate(request, f"gemini/{model}")

    assert official_gemini.problems(sent.body) == []
    near = {item.message for item in sent.report.items if is_near(item.path, path)}
    if entry.is_lost:
        assert near & allowed
    elif entry.to is not None:
        members = re.findall(r"\w+", entry.to.rpartition("[]")[2])
        text = sent.body.decode() + sent.url
        is_written = entry.to == "(the URL)" or all(f'"{name}"' in text for name in members)
        assert is_written or near & allowed


@pytest.mark.parametrize("path", PATHS)
def test_no_text_of_a_request_is_lost_silently(path: str) -> None:
    request = {**request_with(path), "model": MODELS[1]}
    markers = set(MARKER.findall(json.dumps(request))) - {"marker-id"}

    sent = specado.translate(request, f"gemini/{MODELS[1]}")

    reported = json.dumps([[str(item.before), item.path] for item in sent.report.items])
    missing = {each for each in markers if each not in sent.body.decode() + reported}
    for marker in missing:
        assert any(is_near(item.path, path) for item in sent.report.items), marker
