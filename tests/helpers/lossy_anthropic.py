"""The smallest requests of Anthropic's API that lose each row of `specado.losses.rows`."""

from __future__ import annotations

from example_inputs import USER
from lossy_parts import (
    SAID,
    SCHEMA,
    TOOL,
    USE,
    Lost,
    messages,
    result,
    user,
)

FROM_ANTHROPIC: dict[str, Lost] = {
    "anthropic.block_order": Lost(
        messages(
            USER,
            {"role": "assistant", "content": [USE, {"type": "text", "text": "a"}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1"}]},
            tools=[TOOL],
        ),
        "gpt-4o",
        "messages[1].content[1]",
    ),
    "anthropic.citations": Lost(
        user({"type": "text", "text": "a", "citations": [{"type": "char_location"}]}),
        "gpt-4o",
        "messages[0].content[0].citations",
    ),
    "anthropic.container": Lost(messages(USER, container="c"), "gpt-4o", "container"),
    "anthropic.context_management": Lost(
        messages(USER, context_management={"edits": []}), "gpt-4o", "context_management"
    ),
    "anthropic.document_context": Lost(
        user(
            {
                "type": "document",
                "context": "c",
                "source": {"type": "text", "media_type": "text/plain", "data": "a"},
            }
        ),
        "gpt-4o",
        "messages[0].content[0].context",
    ),
    "anthropic.document_name": Lost(
        user(
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"},
            }
        ),
        "gpt-4o",
        "messages[0].content[0].title",
    ),
    "anthropic.document_source": Lost(
        user(
            {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
            {"type": "text", "text": "a"},
        ),
        "gpt-4o",
        "messages[0].content[0]",
    ),
    "anthropic.document_text": Lost(
        user(
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "a"},
            }
        ),
        "gpt-4o",
        "messages[0].content[0]",
    ),
    "anthropic.effort_disabled": Lost(
        messages(USER, thinking={"type": "disabled"}, output_config={"effort": "low"}),
        "gpt-5.1",
        "output_config.effort",
    ),
    "anthropic.format_strict": Lost(
        messages(
            USER, output_config={"format": {"type": "json_schema", "schema": {"type": "object"}}}
        ),
        "gpt-4o",
        "output_config.format.schema",
    ),
    "anthropic.format_name": Lost(
        messages(USER, output_config={"format": {"type": "json_schema", "schema": SCHEMA}}),
        "gpt-4o",
        "output_config.format",
    ),
    "anthropic.image_transformations": Lost(
        user(
            {
                "type": "image",
                "source": {"type": "url", "url": "https://example.com/a.png"},
                "transformations": {"oversized_image": "error"},
            }
        ),
        "gpt-4o",
        "messages[0].content[0].transformations",
    ),
    "anthropic.inference_geo": Lost(messages(USER, inference_geo="us"), "gpt-4o", "inference_geo"),
    "anthropic.is_error": Lost(
        result({"type": "text", "text": "a"}, is_error=True),
        "gpt-4o",
        "messages[2].content[0].is_error",
    ),
    "anthropic.mcp_servers": Lost(
        messages(USER, mcp_servers=[{"type": "url"}]), "gpt-4o", "mcp_servers"
    ),
    "anthropic.prefill": Lost(messages(USER, SAID), "gpt-4o", "messages[1].content"),
    "anthropic.result_media": Lost(
        result({"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}),
        "gpt-4o",
        "messages[2].content[0].content[0]",
    ),
    "anthropic.search_result": Lost(
        user({"type": "search_result", "title": "t", "source": "s", "content": []}),
        "gpt-4o",
        "messages[0].content[0]",
    ),
    "anthropic.server_block": Lost(
        user({"type": "container_upload", "file_id": "f"}, {"type": "text", "text": "a"}),
        "gpt-4o",
        "messages[0].content[0]",
    ),
    "anthropic.server_tool": Lost(
        messages(USER, tools=[{"type": "web_search_20250305", "name": "web_search"}]),
        "gpt-4o",
        "tools[0]",
    ),
    "anthropic.speed": Lost(messages(USER, speed="fast"), "gpt-4o", "speed"),
    "anthropic.thinking_adaptive": Lost(
        messages(USER, thinking={"type": "adaptive"}), "gpt-5", "thinking"
    ),
    "anthropic.thinking_budget": Lost(
        messages(USER, thinking={"type": "enabled", "budget_tokens": 1024}),
        "gpt-5",
        "thinking.budget_tokens",
    ),
    "anthropic.thinking_display": Lost(
        messages(USER, thinking={"type": "adaptive", "display": "omitted"}),
        "gpt-5",
        "thinking.display",
    ),
    "anthropic.tool_option": Lost(
        messages(USER, tools=[{**TOOL, "defer_loading": True}]), "gpt-4o", "tools[0].defer_loading"
    ),
    "anthropic.toolset": Lost(
        result({"type": "text", "text": "a"}, toolset_name="computer"),
        "gpt-4o",
        "messages[2].content[0].toolset_name",
    ),
    "anthropic.tool_strict": Lost(
        messages(USER, tools=[{"name": "f", "input_schema": {"type": "object"}, "strict": True}]),
        "gpt-4o",
        "tools[0].strict",
    ),
    "anthropic.format_root": Lost(
        messages(
            USER,
            output_config={
                "format": {"type": "json_schema", "schema": {"type": "array", "items": SCHEMA}}
            },
        ),
        "gpt-4o",
        "output_config.format.schema",
    ),
    "anthropic.top_k": Lost(messages(USER, top_k=5), "gpt-4o", "top_k"),
}
