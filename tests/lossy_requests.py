"""For every row of the table of losses a request that loses it, and the model it goes to."""

from __future__ import annotations

from typing import Any, NamedTuple

USER = {"role": "user", "content": "Hello"}
SAID = {"role": "assistant", "content": "Hi"}
PDF = "data:application/pdf;base64,JVBERi0xLjQK"
PNG = "data:image/png;base64,iVBORw0KGgo="
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
STRICT = {"type": "function", "function": {"name": "f", "parameters": SCHEMA, "strict": True}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
ANSWER = {"role": "tool", "tool_call_id": "c1", "content": "done"}
CUSTOM = {"id": "c1", "type": "custom", "custom": {"name": "f", "input": "text"}}
TOOL = {"name": "f", "input_schema": SCHEMA}
USE = {"type": "tool_use", "id": "c1", "name": "f", "input": {}}
RANGED = {"type": "integer", "minimum": 1}
THINKING = {"type": "thinking", "text": "hm", "signature": "s", "model": "claude-opus-4-5"}
CACHE = {"type": "ephemeral"}
CACHED = {"type": "text", "text": "a", "cache_control": CACHE}
OPUS, SONNET, OLD, NEW = "claude-opus-4-5", "claude-sonnet-4-5", "claude-3-haiku", "claude-opus-5"


class Lost(NamedTuple):
    """A request that loses something: what it has, the model it goes to, and where."""

    request: dict[str, Any]
    to: str
    path: str


def messages(*given: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"messages": list(given), **more}


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return messages({"role": "user", "content": list(parts)})


def image(url: str, **more: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def schema_format(
    properties: dict[str, Any], *, strict: bool = True, shut: bool | None = False
) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    more = {} if shut is None else {"additionalProperties": shut}
    inner = {"name": "a", "strict": strict, "schema": {**schema, **more}}
    return {"type": "json_schema", "json_schema": inner}


def function(parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", "parameters": parameters, **more}}


def file(**given: str) -> dict[str, Any]:
    return {"type": "file", "file": given}


def result(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = {"type": "tool_result", "tool_use_id": "c1", "content": list(blocks), **more}
    return messages(USER, {"role": "assistant", "content": [USE]},
                    {"role": "user", "content": [answer]}, tools=[TOOL])  # fmt: skip


def reasoning(**block: Any) -> dict[str, Any]:
    return messages(USER, {**SAID, "reasoning_details": [block]}, USER)


SOUND = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}

FROM_OPENAI: dict[str, Lost] = {
    "system.top_level": Lost(
        messages({"role": "system", "content": "s"}, USER), OPUS, "messages[0].role"
    ),
    "system.later": Lost(
        messages(USER, {"role": "system", "content": "s"}), OPUS, "messages[1].role"
    ),
    "system.alone": Lost(messages({"role": "system", "content": "s"}), OPUS, "messages[0].role"),
    "system.part": Lost(
        messages({"role": "system", "content": [image(PNG)]}, USER), OPUS, "messages[0].content[0]"
    ),
    "role.unknown": Lost(
        messages({"role": "critic", "content": "a"}), "gpt-4o", "messages[0].role"
    ),
    "turns.merged": Lost(messages(USER, USER), OPUS, "messages[1].role"),
    "messages.blank": Lost(messages({"role": "user", "content": " "}), OPUS, "messages[0]"),
    "message.name": Lost(messages({**USER, "name": "Ann"}), OPUS, "messages[0].name"),
    "message.annotations": Lost(
        messages(USER, {**SAID, "annotations": [{"url": "u"}]}, USER),
        OPUS,
        "messages[1].annotations",
    ),
    "message.unknown_key": Lost(messages({**USER, "mood": 1}), OPUS, "messages[0].mood"),
    "text.blank": Lost(
        messages(USER, {"role": "user", "content": " "}), OPUS, "messages[1].content"
    ),
    "assistant.last": Lost(messages(USER, SAID), NEW, "messages[1]"),
    "assistant.trailing_space": Lost(
        messages(USER, {"role": "assistant", "content": "Hi "}), OPUS, "messages[1].content"
    ),
    "assistant.refusal": Lost(
        messages(USER, {"role": "assistant", "content": None, "refusal": "no"}, USER),
        OPUS,
        "messages[1].refusal",
    ),
    "assistant.audio": Lost(
        messages(USER, {"role": "assistant", "content": "Hi", "audio": {"id": "a"}}, USER),
        OPUS,
        "messages[1].audio",
    ),
    "part.unknown_key": Lost(
        user({"type": "text", "text": "a", "mood": 1}), OPUS, "messages[0].content[0].mood"
    ),
    "input.image": Lost(user(image(PNG)), "gpt-4", "messages[0].content[0]"),
    "input.audio": Lost(user(SOUND, {"type": "text", "text": "a"}), OPUS, "messages[0].content[0]"),
    "input.document": Lost(user(file(file_data=PDF)), "gpt-4", "messages[0].content[0]"),
    "image.detail": Lost(
        user(image(PNG, detail="low")), OPUS, "messages[0].content[0].image_url.detail"
    ),
    "image.media_type": Lost(
        user(image("data:image/tiff;base64,AAAA"), {"type": "text", "text": "a"}),
        OPUS,
        "messages[0].content[0]",
    ),
    "file.id": Lost(
        user(file(file_id="f"), {"type": "text", "text": "a"}),
        OPUS,
        "messages[0].content[0]",
    ),
    "file.id_beside_data": Lost(
        user(file(file_id="f", file_data=PDF)), OPUS, "messages[0].content[0].file.file_id"
    ),
    "file.media_type": Lost(
        user(file(file_data="data:application/zip;base64,AAAA"), {"type": "text", "text": "a"}),
        OPUS,
        "messages[0].content[0]",
    ),
    "file.text": Lost(
        user(file(file_data="data:text/csv;base64,YSxiCg==")),
        OPUS,
        "messages[0].content[0].file.file_data",
    ),
    "cache_control.openai": Lost(
        messages({**USER, "cache_control": CACHE}), "gpt-4o", "messages[0].cache_control"
    ),
    "cache_control.blank": Lost(
        messages(USER, {"role": "user", "content": "", "cache_control": CACHE}),
        OPUS,
        "messages[1].cache_control",
    ),
    "cache_control.most": Lost(user(*[CACHED] * 5), OPUS, "messages[0].content[0].cache_control"),
    "cache_control.unknown": Lost(
        messages({**USER, "cache_control": {"type": "lasting"}}), OPUS, "messages[0].cache_control"
    ),
    "cache_control.twice": Lost(
        messages({"role": "user", "content": [CACHED], "cache_control": CACHE}),
        OPUS,
        "messages[0].cache_control",
    ),
    "reasoning.openai": Lost(
        messages(USER, {**SAID, "reasoning": "hm"}, USER), "gpt-5", "messages[1].reasoning"
    ),
    "reasoning.unsigned": Lost(
        reasoning(type="thinking", text="hm", model=OPUS), OPUS, "messages[1].reasoning_details[0]"
    ),
    "reasoning.foreign": Lost(reasoning(**THINKING), SONNET, "messages[1].reasoning_details[0]"),
    "tools.unsupported": Lost(messages(USER, tools=[FUNCTION]), "gpt-5-chat", "tools"),
    "tools.reasoning": Lost(messages(USER, tools=[FUNCTION]), "gpt-6-astra", "tools"),
    "tools.called": Lost(messages(USER, CALLED, ANSWER), OPUS, "tools"),
    "tool.custom": Lost(
        messages(USER, tools=[{"type": "custom", "custom": {"name": "f"}}]), OPUS, "tools[0]"
    ),
    "tool.custom_call": Lost(
        messages(USER, {**CALLED, "tool_calls": [CUSTOM]}, ANSWER),
        OPUS,
        "messages[1].tool_calls[0].custom.input",
    ),
    "tool.strict": Lost(messages(USER, tools=[STRICT]), OLD, "tools[0].function.strict"),
    "tool_call.id": Lost(
        messages(
            USER,
            {**CALLED, "tool_calls": [{**CALL, "id": "functions.f:0"}]},
            {**ANSWER, "tool_call_id": "functions.f:0"},
        ),
        OPUS,
        "messages[1].tool_calls[0].id",
    ),
    "tool.strict_schema": Lost(
        messages(USER, tools=[function({"properties": {"a": {}}}, strict=True)]),
        OPUS,
        "tools[0].function.strict",
    ),
    "tool.hint": Lost(
        messages(USER, tools=[function({"anyOf": [SCHEMA, {"type": "object"}]})]),
        OPUS,
        "tools[0].function.parameters.anyOf",
    ),
    "tool.schema": Lost(
        messages(USER, tools=[function({"type": "array", "items": SCHEMA})]),
        OPUS,
        "tools[0].function.parameters",
    ),
    "tool.result_late": Lost(
        messages(USER, CALLED, USER, ANSWER, tools=[FUNCTION]), OPUS, "messages[3]"
    ),
    "tool_choice.thinking": Lost(
        messages(USER, tools=[FUNCTION], tool_choice="required", reasoning_effort="high"),
        OPUS,
        "tool_choice",
    ),
    "tool_choice.unknown": Lost(
        messages(USER, tools=[FUNCTION], tool_choice={"type": "custom", "custom": {"name": "f"}}),
        OPUS,
        "tool_choice",
    ),
    "tool_choice.allowed": Lost(
        messages(
            USER,
            tools=[FUNCTION],
            tool_choice={
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [FUNCTION]},
            },
        ),
        OPUS,
        "tool_choice.allowed_tools",
    ),
    "tool_choice.without_tools": Lost(messages(USER, tool_choice="required"), OPUS, "tool_choice"),
    "parallel_tool_calls.unsupported": Lost(
        messages(USER, tools=[FUNCTION], parallel_tool_calls=True), "o3", "parallel_tool_calls"
    ),
    "parallel_tool_calls.never": Lost(
        messages(USER, tools=[FUNCTION], parallel_tool_calls=False), "o3", "parallel_tool_calls"
    ),
    "functions": Lost(messages(USER, functions=[{"name": "f"}]), OPUS, "functions"),
    "web_search": Lost(messages(USER, web_search_options={}), OPUS, "web_search_options"),
    "web_search.model": Lost(messages(USER, web_search_options={}), "gpt-4o", "web_search_options"),
    "response_format.closed": Lost(
        messages(USER, response_format=schema_format({"a": {"type": "string"}}, shut=None)),
        OPUS,
        "response_format.json_schema.schema",
    ),
    "response_format.keyword": Lost(
        messages(USER, response_format=schema_format({"a": RANGED}, strict=True)),
        OPUS,
        "response_format.json_schema.schema.properties.a.minimum",
    ),
    "response_format.hint": Lost(
        messages(USER, response_format=schema_format({"a": RANGED}, strict=False)),
        OPUS,
        "response_format.json_schema.schema.properties.a.minimum",
    ),
    "response_format.tool": Lost(messages(USER, response_format=FORMAT), OLD, "response_format"),
    "response_format.json_object": Lost(
        messages(USER, response_format={"type": "json_object"}), OPUS, "response_format"
    ),
    "response_format.conflict": Lost(
        messages(USER, response_format=FORMAT, tools=[FUNCTION]), OLD, "response_format"
    ),
    "response_format.unsupported": Lost(
        messages(USER, response_format=FORMAT), "gpt-4", "response_format"
    ),
    "response_format.name": Lost(
        messages(USER, response_format=FORMAT), OPUS, "response_format.json_schema.name"
    ),
    "response_format.description": Lost(
        messages(
            USER,
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "a", "description": "b", "schema": SCHEMA},
            },
        ),
        OPUS,
        "response_format.json_schema.description",
    ),
    "response_format.strict": Lost(
        messages(
            USER,
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "a", "strict": False, "schema": SCHEMA},
            },
        ),
        OPUS,
        "response_format.json_schema",
    ),
    "max_tokens.default": Lost(messages(USER), OPUS, "max_tokens"),
    "max_tokens.above_limit": Lost(messages(USER, max_tokens=10**6), OPUS, "max_tokens"),
    "max_tokens.renamed": Lost(messages(USER, max_tokens=9), "gpt-5", "max_tokens"),
    "max_tokens.twice": Lost(
        messages(USER, max_tokens=9, max_completion_tokens=9), "gpt-4o", "max_tokens"
    ),
    "temperature.above_one": Lost(messages(USER, temperature=1.5), OPUS, "temperature"),
    "sampling.unsupported": Lost(messages(USER, temperature=0.5), "gpt-5", "temperature"),
    "sampling.thinking": Lost(
        messages(USER, temperature=0.5, reasoning_effort="low"), "gpt-5.1", "temperature"
    ),
    "sampling.both": Lost(messages(USER, temperature=0.5, top_p=0.5), OPUS, "top_p"),
    "penalty": Lost(messages(USER, presence_penalty=1), OPUS, "presence_penalty"),
    "penalty.unsupported": Lost(messages(USER, frequency_penalty=1), "o3", "frequency_penalty"),
    "seed": Lost(messages(USER, seed=1), OPUS, "seed"),
    "logit_bias": Lost(messages(USER, logit_bias={"1": 1}), OPUS, "logit_bias"),
    "logit_bias.unsupported": Lost(messages(USER, logit_bias={"1": 1}), "gpt-5", "logit_bias"),
    "stop.blank": Lost(messages(USER, stop=["\n", "END"]), OPUS, "stop[0]"),
    "stop.too_many": Lost(messages(USER, stop=list("abcde")), "gpt-4o", "stop[4]"),
    "stop.unsupported": Lost(messages(USER, stop=["END"]), "o3", "stop"),
    "n": Lost(messages(USER, n=2), OPUS, "n"),
    "logprobs": Lost(messages(USER, logprobs=True), OPUS, "logprobs"),
    "logprobs.model": Lost(messages(USER, logprobs=True), "gpt-5", "logprobs"),
    "logprobs.thinking": Lost(messages(USER, logprobs=True), "gpt-5.6", "logprobs"),
    "reasoning_effort.thinking": Lost(
        messages(USER, reasoning_effort="low"), OPUS, "reasoning_effort"
    ),
    "reasoning_effort.level": Lost(
        messages(USER, reasoning_effort="minimal"), "o3", "reasoning_effort"
    ),
    "reasoning_effort.none": Lost(
        messages(USER, reasoning_effort="none"), "gpt-4o", "reasoning_effort"
    ),
    "reasoning_effort.unsupported": Lost(
        messages(USER, reasoning_effort="low"), "gpt-4o", "reasoning_effort"
    ),
    "reasoning_effort.off": Lost(messages(USER, tools=[FUNCTION]), "gpt-5.6", "reasoning_effort"),
    "reasoning_effort.tools": Lost(
        messages(USER, tools=[FUNCTION], reasoning_effort="low"), "gpt-5.4", "reasoning_effort"
    ),
    "reasoning_effort.no_room": Lost(
        messages(USER, reasoning_effort="low", max_tokens=9), OPUS, "reasoning_effort"
    ),
    "reasoning_effort.history": Lost(
        messages(USER, CALLED, ANSWER, reasoning_effort="high", tools=[FUNCTION], max_tokens=8000),
        OPUS,
        "reasoning_effort",
    ),
    "audio.output": Lost(
        messages(USER, modalities=["text", "audio"], audio={"voice": "ash", "format": "wav"}),
        OPUS,
        "modalities",
    ),
    "user.twice": Lost(messages(USER, user="a", safety_identifier="b"), OPUS, "user"),
    "service_tier": Lost(messages(USER, service_tier="flex"), OPUS, "service_tier"),
    "store": Lost(messages(USER, store=True), OPUS, "store"),
    "stream_options": Lost(
        messages(USER, stream_options={"include_obfuscation": True}),
        OPUS,
        "stream_options.include_obfuscation",
    ),
    "metadata": Lost(messages(USER, metadata={"a": "b"}), OPUS, "metadata"),
    "prediction": Lost(
        messages(USER, prediction={"type": "content", "content": "a"}), OPUS, "prediction"
    ),
    "prompt_cache": Lost(messages(USER, prompt_cache_key="k"), OPUS, "prompt_cache_key"),
    "verbosity": Lost(messages(USER, verbosity="low"), OPUS, "verbosity"),
    "moderation": Lost(messages(USER, moderation={"model": "m"}), OPUS, "moderation"),
    "param.unknown": Lost(messages(USER, mood=1), OPUS, "mood"),
}

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
