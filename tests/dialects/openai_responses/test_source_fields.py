"""Fields of Responses requests: each has an entry in the field table that decoding follows."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from openai.types.responses.response_create_params import ResponseCreateParamsStreaming

import official
import specado
from field_tables import SOURCE_TABLES, entry_for, find_field
from request_fields import example, paths
from specado.losses.rows import ROWS

TABLE = SOURCE_TABLES["openai_responses"]
PATHS = paths(ResponseCreateParamsStreaming)
# The fields that have an entry of their own; those below a lost one say nothing more.
# `status` stands in the other form of a message, which a request with it alone does not have.
OWN = [path for path in PATHS if path in TABLE and path != "input[message].status"]
HELLO = {"role": "user", "content": "Hello"}
TOOL = {"type": "function", "name": "marker-name", "parameters": {}, "strict": False}
CALL = {"type": "function_call", "call_id": "marker-call_id", "name": "f", "arguments": "{}"}
CUSTOM_CALL = {"type": "custom_tool_call", "call_id": "marker-call_id", "name": "f", "input": "a"}
CALLS = {"function_call_output": CALL, "custom_tool_call_output": CUSTOM_CALL}
OUTPUT = {"call_id": "marker-call_id", "output": "done"}
DATA = "data:application/pdf;base64,JVBERg=="
# Values that the type alone does not say, and values that are none.
VALUES = {
    "truncation": "auto",
    "context_management": [{"type": "compaction"}],
    "background": True,
    "include": ["file_search_call.results"],
    "reasoning.mode": "pro",
    "reasoning.context": "all_turns",
    "top_logprobs": 3,
    "max_output_tokens": 4000,
}


def set_at(request: dict[str, Any], path: str, value: Any) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        request = request[parent]
    request[name] = value


def request_with(path: str) -> dict[str, Any]:
    """Return a request that has the field, and around it what makes it well formed."""
    request: dict[str, Any] = example(ResponseCreateParamsStreaming, path)
    if path in VALUES:
        set_at(request, path, VALUES[path])
    items = request.get("input")
    items = [items] if isinstance(items, str) else items or []
    items = [HELLO if isinstance(item, str) else item for item in items]
    for item in items:
        for part in _parts(item):
            if part.get("type") == "input_file":
                part["file_data"] = DATA
            elif part.get("type") == "input_image" and "file_id" not in part:
                part["image_url"] = "https://a.example/marker-image_url"
        if item.get("type") in CALLS:
            item["call_id"] = "marker-call_id"
        if "caller" in item and "[direct]" not in path:
            item["caller"] = {"type": "program", "caller_id": "marker-caller_id"}
    for tool in request.get("tools") or ():
        if "allowed_callers" in tool:
            tool["allowed_callers"] = ["programmatic"]
    kinds = [item.get("type") for item in items]
    before = [CALLS[kind] for kind in kinds if kind in CALLS]
    after = [
        {"type": f"{kind}_output", **OUTPUT}
        for kind in kinds
        if kind in ("function_call", "custom_tool_call")
    ]
    request["input"] = [HELLO, *before, *items, *after]
    request["model"] = "gpt-5-search-api" if "web_search" in path else "gpt-4o"
    if path.startswith(("tool_choice", "parallel_tool_calls")):
        request["tools"] = [TOOL]
    return request


def _parts(item: dict[str, Any]) -> list[dict[str, Any]]:
    found = item.get("content", item.get("output"))
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def pattern_of(path: str) -> str:
    return re.sub(r"\[[^\]]*\]", "", path)


def is_reported(report: specado.LossinessReport, rows: tuple[str, ...], path: str) -> bool:
    texts = {(ROWS[row].code, ROWS[row].message) for row in rows}
    wanted = pattern_of(path)
    for item in report.items:
        found = pattern_of(item.path)
        near = f"{wanted}.".startswith(f"{found}.") or f"{found}.".startswith(f"{wanted}.")
        if near and (item.code, item.message) in texts:
            return True
    return False


def test_every_field_has_an_entry() -> None:
    assert [path for path in PATHS if find_field(TABLE, path) is None] == []


def test_every_entry_names_a_field() -> None:
    named = [path for path in TABLE if not path.startswith(("(", "*"))]

    assert [path for path in named if path not in PATHS] == []


def test_a_lost_field_has_a_row() -> None:
    assert [path for path, field in TABLE.items() if field.is_lost and not field.rows] == []


@pytest.mark.parametrize("path", OWN)
def test_a_field_goes_to_chat_completions_as_the_table_says(path: str) -> None:
    request = request_with(path)
    entry = entry_for(TABLE, path)

    sent = specado.translate(request, f"openai_chat/{request['model']}", source="openai_responses")

    assert official.problems("openai-request", sent.body) == []
    if entry.is_lost:
        assert is_reported(sent.report, entry.rows, path)
    marker = f"marker-{path.rpartition('.')[2]}"
    if not entry.is_lost and not entry.implied and marker in json.dumps(request):
        assert marker in sent.body.decode() or is_reported(sent.report, entry.rows, path)
