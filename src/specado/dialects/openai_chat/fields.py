"""Field table of OpenAI chat completions requests: each field's counterpart and losses.

Source: `openai.types.chat.CompletionCreateParams` (3.54, read 2026-11-22).
"""

from __future__ import annotations

from specado.losses.field import Field

__all__ = ["OPENAI_FIELDS"]

_SYSTEM = ("system.top_level", "system.later", "system.alone")
_BLOCK = "messages[].content"

OPENAI_FIELDS: dict[str, Field] = {
    "model": Field("model"),
    # Messages.
    "messages": Field(
        "messages", ("turns.merged", "role.unknown", "messages.blank"), ("role.unknown",)
    ),
    "messages[system]": Field("system", _SYSTEM, ("role.system_name",)),
    "messages[system].content": Field("system", ("system.part",)),
    "messages[system].content[].text": Field("system[].text", ("text.blank",)),
    "messages[system].name": Field(None, ("message.name",)),
    "messages[developer]": Field("system", _SYSTEM, ("role.system_name",)),
    "messages[developer].content": Field("system", ("system.part",)),
    "messages[developer].content[].text": Field("system[].text", ("text.blank",)),
    "messages[developer].name": Field(None, ("message.name",)),
    "messages[user]": Field("messages[user]"),
    "messages[user].content": Field(_BLOCK),
    "messages[user].content[text]": Field(f"{_BLOCK}[text]"),
    "messages[user].content[text].text": Field(f"{_BLOCK}[text].text", ("text.blank",)),
    "messages[user].content[image_url]": Field(
        f"{_BLOCK}[image]", ("input.image",), ("input.image",)
    ),
    "messages[user].content[image_url].image_url": Field(f"{_BLOCK}[image].source"),
    "messages[user].content[image_url].image_url.url": Field(
        f"{_BLOCK}[image].source", ("image.media_type",)
    ),
    "messages[user].content[image_url].image_url.detail": Field(None, ("image.detail",)),
    "messages[user].content[input_audio]": Field(
        None, ("input.audio",), ("input.audio",), whole=True
    ),
    "messages[user].content[file]": Field(
        f"{_BLOCK}[document]", ("input.document",), ("input.document",)
    ),
    "messages[user].content[file].file": Field(f"{_BLOCK}[document].source"),
    "messages[user].content[file].file.file_data": Field(
        f"{_BLOCK}[document].source[base64].data", ("file.media_type", "file.text")
    ),
    "messages[user].content[file].file.file_id": Field(None, ("file.id", "file.id_beside_data")),
    "messages[user].content[file].file.filename": Field(f"{_BLOCK}[document].title"),
    "messages[user].name": Field(None, ("message.name",)),
    "messages[assistant]": Field("messages[assistant]", ("assistant.last",)),
    "messages[assistant].content": Field(_BLOCK, ("assistant.trailing_space",)),
    "messages[assistant].content[text]": Field(f"{_BLOCK}[text]"),
    "messages[assistant].content[text].text": Field(f"{_BLOCK}[text].text", ("text.blank",)),
    "messages[assistant].content[refusal]": Field(
        f"{_BLOCK}[text]", ("assistant.refusal",), whole=True
    ),
    "messages[assistant].refusal": Field(f"{_BLOCK}[text].text", ("assistant.refusal",)),
    "messages[assistant].name": Field(None, ("message.name",)),
    "messages[assistant].audio": Field(None, ("assistant.audio",), whole=True),
    "messages[assistant].annotations": Field(None, ("message.annotations",)),
    "messages[assistant].reasoning": Field(None, ("reasoning.unsigned",), ("reasoning.openai",)),
    "messages[assistant].reasoning_details": Field(
        f"{_BLOCK}[thinking]", ("reasoning.foreign", "reasoning.unsigned"), ("reasoning.openai",)
    ),
    "messages[assistant].function_call": Field(None, ("functions",), whole=True),
    "messages[assistant].tool_calls": Field(f"{_BLOCK}[tool_use]", ("tools.called",)),
    "messages[assistant].tool_calls[function]": Field(f"{_BLOCK}[tool_use]"),
    "messages[assistant].tool_calls[function].id": Field(
        f"{_BLOCK}[tool_use].id", ("tool_call.id",), ("tool_call.id",)
    ),
    "messages[assistant].tool_calls[function].function": Field(f"{_BLOCK}[tool_use]"),
    "messages[assistant].tool_calls[function].function.name": Field(
        f"{_BLOCK}[tool_use].name", ("tool_call.name",), ("tool_call.name",)
    ),
    "messages[assistant].tool_calls[function].function.arguments": Field(
        f"{_BLOCK}[tool_use].input"
    ),
    "messages[assistant].tool_calls[custom]": Field(f"{_BLOCK}[tool_use]"),
    "messages[assistant].tool_calls[custom].id": Field(
        f"{_BLOCK}[tool_use].id", ("tool_call.id",), ("tool_call.id",)
    ),
    "messages[assistant].tool_calls[custom].custom": Field(f"{_BLOCK}[tool_use]"),
    "messages[assistant].tool_calls[custom].custom.name": Field(
        f"{_BLOCK}[tool_use].name", ("tool_call.name",), ("tool_call.name",)
    ),
    "messages[assistant].tool_calls[custom].custom.input": Field(
        f"{_BLOCK}[tool_use].input.input", ("tool.custom_call",)
    ),
    "messages[tool]": Field(f"{_BLOCK}[tool_result]", ("tool.result_late",)),
    "messages[tool].content": Field(f"{_BLOCK}[tool_result].content"),
    "messages[tool].content[].text": Field(f"{_BLOCK}[tool_result].content[text].text"),
    "messages[tool].tool_call_id": Field(
        f"{_BLOCK}[tool_result].tool_use_id", ("tool_call.id",), ("tool_call.id",)
    ),
    "messages[function]": Field(None, ("functions",), whole=True),
    "(another key of a message)": Field(None, ("message.unknown_key",)),
    "(another key of a part)": Field(None, ("part.unknown_key",)),
    "*.cache_control": Field(
        "*.cache_control",
        (
            "cache_control.blank",
            "cache_control.twice",
            "cache_control.most",
            "cache_control.order",
            "cache_control.unknown",
        ),
        ("cache_control.openai",),
        whole=True,
    ),
    "*.prompt_cache_breakpoint": Field(None, ("prompt_cache",), whole=True),
    # Tools.
    "tools": Field(
        "tools",
        ("tools.unsupported",),
        ("tools.unsupported", "tools.reasoning", "reasoning_effort.off"),
    ),
    "tools[function]": Field("tools"),
    "tools[function].function": Field("tools"),
    "tools[function].function.name": Field("tools[].name", ("tool.name",), ("tool.name",)),
    "tools[function].function.description": Field("tools[].description"),
    "tools[function].function.parameters": Field(
        "tools[].input_schema", ("tool.hint", "tool.schema")
    ),
    "tools[function].function.strict": Field(
        "tools[].strict", ("tool.strict", "tool.strict_schema"), ("tool.strict",)
    ),
    "tools[custom]": Field(None, ("tool.custom",), whole=True),
    "tool_choice": Field(
        "tool_choice",
        ("tool_choice.thinking", "tool_choice.without_tools"),
        ("tool_choice.thinking",),
    ),
    "tool_choice[allowed_tools]": Field("tools", ("tool_choice.allowed",), whole=True),
    "tool_choice[function]": Field("tool_choice"),
    "tool_choice[function].function": Field("tool_choice"),
    "tool_choice[function].function.name": Field("tool_choice.name"),
    "tool_choice[custom]": Field(None, ("tool_choice.unknown",), whole=True),
    "parallel_tool_calls": Field(
        "tool_choice.disable_parallel_tool_use",
        ("parallel_tool_calls.never",),
        ("parallel_tool_calls.unsupported", "parallel_tool_calls.never"),
    ),
    "functions": Field(None, ("functions",), whole=True),
    "function_call": Field(None, ("functions",), whole=True),
    "web_search_options": Field(None, ("web_search",), ("web_search.model",), whole=True),
    # The answer's form and length.
    "response_format": Field(
        "output_config.format",
        ("response_format.conflict", "response_format.unsupported"),
        ("response_format.unsupported",),
    ),
    "response_format[text]": Field(implied=True, whole=True),
    "response_format[json_object]": Field("system", ("response_format.json_object",), whole=True),
    "response_format[json_schema]": Field("output_config.format", ("response_format.tool",)),
    "response_format[json_schema].json_schema": Field("output_config.format"),
    "response_format[json_schema].json_schema.name": Field(None, ("response_format.name",)),
    "response_format[json_schema].json_schema.description": Field(
        None, ("response_format.description",)
    ),
    "response_format[json_schema].json_schema.schema": Field(
        "output_config.format.schema",
        ("response_format.closed", "response_format.bound", "response_format.hint"),
        ("response_format.bound", "response_format.hint"),
    ),
    "response_format[json_schema].json_schema.strict": Field(
        None, ("response_format.strict",), implied=True
    ),
    "max_tokens": Field(
        "max_tokens",
        ("max_tokens.default", "max_tokens.above_limit", "max_tokens.twice"),
        ("max_tokens.renamed", "max_tokens.above_limit", "max_tokens.twice"),
    ),
    "max_completion_tokens": Field(
        "max_tokens",
        ("max_tokens.default", "max_tokens.above_limit"),
        ("max_tokens.above_limit",),
    ),
    "stop": Field(
        "stop_sequences",
        ("stop.blank", "stop.unsupported"),
        ("stop.unsupported", "stop.too_many"),
    ),
    "n": Field(None, ("n",)),
    "verbosity": Field(None, ("verbosity",)),
    "modalities": Field(None, ("audio.output",), ("audio.output",)),
    "audio": Field(None, ("audio.output",), whole=True),
    "prediction": Field(None, ("prediction",), whole=True),
    "logprobs": Field(None, ("logprobs",), ("logprobs.model", "logprobs.thinking")),
    "top_logprobs": Field(None, ("logprobs",), ("logprobs.model", "logprobs.thinking")),
    # Sampling and reasoning.
    "temperature": Field(
        "temperature",
        ("temperature.above_one", "sampling.unsupported", "sampling.thinking"),
        ("sampling.unsupported", "sampling.thinking"),
    ),
    "top_p": Field(
        "top_p",
        ("sampling.unsupported", "sampling.thinking", "sampling.both"),
        ("sampling.unsupported", "sampling.thinking", "sampling.both"),
    ),
    "frequency_penalty": Field(None, ("penalty",), ("penalty.unsupported",)),
    "presence_penalty": Field(None, ("penalty",), ("penalty.unsupported",)),
    "seed": Field(None, ("seed",)),
    "logit_bias": Field(None, ("logit_bias",), ("logit_bias.unsupported",)),
    "reasoning_effort": Field(
        "thinking",
        (
            "reasoning_effort.thinking",
            "reasoning_effort.level",
            "reasoning_effort.none",
            "reasoning_effort.unsupported",
            "reasoning_effort.no_room",
            "reasoning_effort.history",
            "reasoning_effort.tools",
        ),
        (
            "reasoning_effort.level",
            "reasoning_effort.none",
            "reasoning_effort.unsupported",
            "reasoning_effort.tools",
        ),
    ),
    # The rest.
    "stream": Field("stream"),
    "stream_options": Field(implied=True),
    "stream_options.include_usage": Field(implied=True),
    "stream_options.include_obfuscation": Field(None, ("stream_options",)),
    "user": Field("metadata.user_id", ("user.twice",)),
    "safety_identifier": Field("metadata.user_id"),
    "metadata": Field(None, ("metadata",)),
    "store": Field(None, ("store",)),
    "service_tier": Field("service_tier", ("service_tier",)),
    "prompt_cache_key": Field(None, ("prompt_cache",)),
    "prompt_cache_options": Field(None, ("prompt_cache",), whole=True),
    "prompt_cache_retention": Field(None, ("prompt_cache",)),
    "moderation": Field(None, ("moderation",), whole=True),
    "(another parameter)": Field(None, ("param.unknown",)),
}
