"""The smallest requests of OpenAI's Responses API that lose each row of `specado.losses.rows`."""

from __future__ import annotations

from typing import Any

from lossy_parts import SCHEMA, Lost

__all__ = ["FROM_RESPONSES"]

_TO = "openai_chat/gpt-4o"
HELLO = {"role": "user", "content": "Hello"}
CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "done"}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}
TOOL = {"type": "function", "name": "f", "parameters": SCHEMA, "strict": True}
SEARCH = {"type": "web_search"}
SEARCHES = "openai_chat/gpt-5-search-api"


def items(*given: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"input": [HELLO, *given], **more}


def said(*parts: dict[str, Any]) -> dict[str, Any]:
    return items({"role": "user", "content": list(parts)})


FROM_RESPONSES: dict[str, Lost] = {
    "conversation.stored": Lost(items(previous_response_id="resp_1"), _TO, "previous_response_id"),
    "responses.background": Lost(items(background=True), _TO, "background"),
    "responses.call_option": Lost(
        items({**CALL, "namespace": "n"}, OUTPUT), _TO, "input[1].namespace"
    ),
    "responses.file_url": Lost(
        said({"type": "input_file", "file_url": "https://a.example/b.pdf"}),
        _TO,
        "input[1].content[0].file_url",
    ),
    "responses.include": Lost(items(include=["file_search_call.results"]), _TO, "include[0]"),
    "responses.item_facts": Lost(items({**CALL, "id": "fc_1"}, OUTPUT), _TO, "input[1].id"),
    "responses.item_order": Lost(
        items(CALL, {"role": "assistant", "content": "a"}, OUTPUT), _TO, "input[2]"
    ),
    "responses.max_tool_calls": Lost(items(max_tool_calls=2), _TO, "max_tool_calls"),
    "responses.phase": Lost(
        items({"role": "assistant", "content": "a", "phase": "commentary"}, HELLO),
        _TO,
        "input[1].phase",
    ),
    "responses.prompt_cache": Lost(
        items(prompt_cache_options={"mode": "explicit", "prewarm": True}),
        _TO,
        "prompt_cache_options.prewarm",
    ),
    "responses.reasoning_option": Lost(
        items(reasoning={"summary": "auto"}), _TO, "reasoning.summary"
    ),
    "responses.server_item": Lost(
        items({"type": "compaction", "encrypted_content": "x"}), _TO, "input[1]"
    ),
    "responses.server_tool": Lost(
        items(tools=[{"type": "file_search", "vector_store_ids": ["vs_1"]}]), _TO, "tools[0]"
    ),
    "responses.tool_loose": Lost(
        items(tools=[{"type": "function", "name": "f", "parameters": {"type": "object"}}]),
        _TO,
        "tools[0].strict",
    ),
    "responses.tool_option": Lost(
        items(tools=[{**TOOL, "defer_loading": True}]), _TO, "tools[0].defer_loading"
    ),
    "responses.tool_strict": Lost(
        items(tools=[{"type": "function", "name": "f", "parameters": SCHEMA}]),
        _TO,
        "tools[0].strict",
    ),
    "responses.truncation": Lost(items(truncation="auto"), _TO, "truncation"),
    "responses.web_search": Lost(items(tools=[SEARCH]), SEARCHES, "tools[0]"),
    "responses.web_search_option": Lost(
        items(tools=[{**SEARCH, "filters": {"allowed_domains": ["a.example"]}}]),
        SEARCHES,
        "tools[0].filters",
    ),
}
