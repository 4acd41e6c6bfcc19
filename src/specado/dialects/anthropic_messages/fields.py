"""Field table of Anthropic messages requests: each field's counterpart and losses.

Source: `anthropic.types.MessageCreateParams` (0.125.0, read 2026-11-22).
"""

from __future__ import annotations

from specado.losses.field import Field

__all__ = ["ANTHROPIC_FIELDS"]

_PART = "messages[user].content"
_CALL = "messages[assistant].tool_calls[function]"
_SERVER_BLOCK = Field(None, ("anthropic.server_block",), whole=True)

ANTHROPIC_FIELDS: dict[str, Field] = {
    "model": Field("model"),
    # Messages.
    "messages": Field("messages"),
    "messages[].role": Field("messages[].role"),
    "messages[].content": Field(
        "messages[].content", ("anthropic.block_order", "anthropic.prefill")
    ),
    "messages[].content[text]": Field("messages[].content"),
    "messages[].content[text].text": Field("messages[].content"),
    "messages[].content[image]": Field(f"{_PART}[image_url]", ("input.image",)),
    "messages[].content[image].source": Field(f"{_PART}[image_url].image_url.url"),
    "messages[].content[image].source[base64]": Field(
        f"{_PART}[image_url].image_url.url", whole=True
    ),
    "messages[].content[image].source[url]": Field(f"{_PART}[image_url].image_url.url", whole=True),
    "messages[].content[image].source[file]": Field(None, ("file.id",), whole=True),
    "messages[].content[image].transformations": Field(
        None, ("anthropic.image_transformations",), whole=True
    ),
    "messages[].content[document]": Field(f"{_PART}[file]", ("input.document",)),
    "messages[].content[document].source": Field(f"{_PART}[file].file.file_data"),
    "messages[].content[document].source[base64]": Field(
        f"{_PART}[file].file.file_data", whole=True
    ),
    "messages[].content[document].source[text]": Field(
        "messages[user].content", ("anthropic.document_text",), whole=True
    ),
    "messages[].content[document].source[content]": Field(
        "messages[user].content", ("anthropic.document_text",), whole=True
    ),
    "messages[].content[document].source[content].content[image]": Field(
        None, ("anthropic.document_source", "file.id"), whole=True
    ),
    "messages[].content[document].source[url]": Field(
        None, ("anthropic.document_source",), whole=True
    ),
    "messages[].content[document].source[file]": Field(
        None, ("anthropic.document_source",), whole=True
    ),
    "messages[].content[document].title": Field(
        f"{_PART}[file].file.filename", ("anthropic.document_name",)
    ),
    "messages[].content[document].context": Field(None, ("anthropic.document_context",)),
    "messages[].content[search_result]": Field(
        "messages[].content", ("anthropic.search_result",), whole=True
    ),
    "messages[].content[thinking]": Field(None, ("reasoning.openai",), whole=True),
    "messages[].content[redacted_thinking]": Field(None, ("reasoning.openai",), whole=True),
    "messages[].content[tool_use]": Field(_CALL),
    "messages[].content[tool_use].id": Field(f"{_CALL}.id", ("tool_call.id",)),
    "messages[].content[tool_use].name": Field(f"{_CALL}.function.name", ("tool_call.name",)),
    "messages[].content[tool_use].input": Field(f"{_CALL}.function.arguments"),
    "messages[].content[tool_use].caller": Field(None, ("anthropic.server_block",), whole=True),
    "messages[].content[tool_use].caller[direct]": Field(implied=True, whole=True),
    "messages[].content[tool_use].toolset_name": Field(None, ("anthropic.toolset",)),
    "messages[].content[tool_result]": Field("messages[tool]"),
    "messages[].content[tool_result].tool_use_id": Field(
        "messages[tool].tool_call_id", ("tool_call.id",)
    ),
    "messages[].content[tool_result].content": Field("messages[tool].content"),
    "messages[].content[tool_result].content[text]": Field("messages[tool].content"),
    "messages[].content[tool_result].content[text].text": Field("messages[tool].content"),
    "messages[].content[tool_result].content[image]": Field(
        f"{_PART}[image_url]", ("anthropic.result_media", "file.id"), whole=True
    ),
    "messages[].content[tool_result].content[image].transformations": Field(
        None, ("anthropic.image_transformations",), whole=True
    ),
    "messages[].content[tool_result].content[document]": Field(
        "messages",
        ("anthropic.result_media", "anthropic.document_text", "anthropic.document_source"),
        whole=True,
    ),
    "messages[].content[tool_result].content[document].context": Field(
        None, ("anthropic.document_context",)
    ),
    "messages[].content[tool_result].content[search_result]": Field(
        "messages[tool].content", ("anthropic.search_result",), whole=True
    ),
    "messages[].content[tool_result].content[tool_reference]": _SERVER_BLOCK,
    "messages[].content[tool_result].content[browser_state]": _SERVER_BLOCK,
    "messages[].content[tool_result].is_error": Field(
        "messages[tool].content", ("anthropic.is_error",)
    ),
    "messages[].content[tool_result].toolset_name": Field(None, ("anthropic.toolset",)),
    **{
        f"messages[].content[{name}]": _SERVER_BLOCK
        for name in (
            "server_tool_use",
            "web_search_tool_result",
            "web_fetch_tool_result",
            "code_execution_tool_result",
            "bash_code_execution_tool_result",
            "text_editor_code_execution_tool_result",
            "tool_search_tool_result",
            "container_upload",
            "advisor_tool_result",
            "mcp_tool_use",
            "mcp_tool_result",
            "compaction",
            "tool_addition",
            "tool_removal",
            "fallback",
        )
    },
    "system": Field("messages[system].content"),
    "system[].text": Field("messages[system].content"),
    "*.cache_control": Field(None, ("cache_control.openai",), whole=True),
    "*.citations": Field(None, ("anthropic.citations",), whole=True),
    "(another key of a block)": Field(None, ("part.unknown_key",)),
    # Tools.
    "tools": Field("tools"),
    "tools[custom]": Field("tools[function]"),
    "tools[custom].name": Field("tools[function].function.name"),
    "tools[custom].description": Field("tools[function].function.description"),
    "tools[custom].input_schema": Field("tools[function].function.parameters", whole=True),
    "tools[custom].strict": Field("tools[function].function.strict", ("anthropic.tool_strict",)),
    "tools[custom].allowed_callers": Field(None, ("anthropic.tool_option",)),
    "tools[custom].defer_loading": Field(None, ("anthropic.tool_option",)),
    "tools[custom].eager_input_streaming": Field(None, ("anthropic.tool_option",)),
    "tools[custom].input_examples": Field(None, ("anthropic.tool_option",)),
    # The type of every tool but custom ones has an underscore.
    "tools[*_*]": Field(None, ("anthropic.server_tool",), whole=True),
    "tool_choice": Field("tool_choice", ("tool_choice.without_tools",)),
    "tool_choice[auto]": Field("tool_choice"),
    "tool_choice[any]": Field("tool_choice"),
    "tool_choice[none]": Field("tool_choice"),
    "tool_choice[tool]": Field("tool_choice[function]"),
    "tool_choice[tool].name": Field("tool_choice[function].function.name"),
    **{
        f"tool_choice[{kind}].disable_parallel_tool_use": Field("parallel_tool_calls")
        for kind in ("auto", "any", "tool")
    },
    # The answer's form and length.
    "max_tokens": Field("max_tokens", ("max_tokens.renamed", "max_tokens.above_limit")),
    "stop_sequences": Field("stop", ("stop.too_many", "stop.unsupported")),
    "output_config": Field(implied=True),
    "output_config.format": Field("response_format", ("anthropic.format_name",)),
    "output_config.format.schema": Field(
        "response_format[json_schema].json_schema.schema",
        (
            "response_format.bound",
            "response_format.hint",
            "anthropic.format_strict",
            "anthropic.format_root",
        ),
    ),
    "output_config.effort": Field("reasoning_effort", ("anthropic.effort_disabled",)),
    "output_config.task_budget": Field(None, ("param.unknown",), whole=True),
    "output_format": Field("response_format", whole=True),
    # Sampling and reasoning.
    "temperature": Field("temperature", ("sampling.unsupported", "sampling.thinking")),
    "top_p": Field("top_p", ("sampling.unsupported", "sampling.thinking", "sampling.both")),
    "top_k": Field(None, ("anthropic.top_k",)),
    "thinking": Field("reasoning_effort"),
    "thinking[enabled]": Field("reasoning_effort", ("anthropic.thinking_budget",)),
    "thinking[enabled].budget_tokens": Field("reasoning_effort", ("anthropic.thinking_budget",)),
    "thinking[enabled].display": Field(None, ("anthropic.thinking_display",)),
    "thinking[adaptive]": Field(None, ("anthropic.thinking_adaptive",)),
    "thinking[adaptive].display": Field(None, ("anthropic.thinking_display",)),
    "thinking[disabled]": Field("reasoning_effort", ("anthropic.effort_disabled",)),
    # The rest.
    "stream": Field("stream"),
    "metadata": Field("user"),
    "metadata.user_id": Field("user"),
    "service_tier": Field("service_tier", ("service_tier",)),
    "cache_control": Field(None, ("cache_control.openai",), whole=True),
    "container": Field(None, ("anthropic.container",), whole=True),
    "context_management": Field(None, ("anthropic.context_management",), whole=True),
    "mcp_servers": Field(None, ("anthropic.mcp_servers",), whole=True),
    "inference_geo": Field(None, ("anthropic.inference_geo",)),
    "speed": Field(None, ("anthropic.speed",)),
    "diagnostics": Field(None, ("param.unknown",), whole=True),
    "fallbacks": Field(None, ("param.unknown",), whole=True),
    "fallback_credit_token": Field(None, ("param.unknown",)),
    "(another parameter)": Field(None, ("param.unknown",)),
}
