"""Field tables of Anthropic messages requests: each field's counterpart and losses.

Source: `anthropic.types.MessageCreateParams` (0.125.0, read 2026-11-22).
"""

from __future__ import annotations

from specado.losses.field import SAME, Field, FieldTable

__all__ = [
    "REQUEST_FIELDS",
    "REQUEST_PARAMETERS",
    "SERVER_BLOCKS",
    "SOURCE_FIELDS",
    "SOURCE_MEMBERS",
    "SOURCE_PARAMETERS",
]

_SYSTEM = ("system.top_level", "system.later", "system.alone")
_SYSTEM_PLACE = ("system.moved",)
_BLOCK = "messages[].content"

# What becomes of each canonical field in a messages request.
REQUEST_FIELDS = FieldTable(
    {
        "model": Field(SAME, model_rows=("model.assumed",)),
        # Messages.
        "messages": Field(SAME, ("turns.merged", "role.unknown", "messages.blank")),
        "messages[system]": Field("system", _SYSTEM, _SYSTEM_PLACE),
        "messages[system].content": Field("system", ("system.part",)),
        "messages[system].content[].text": Field("system[].text", ("text.blank",)),
        "messages[system].name": Field(None, ("message.name",)),
        "messages[developer]": Field("system", _SYSTEM, _SYSTEM_PLACE),
        "messages[developer].content": Field("system", ("system.part",)),
        "messages[developer].content[].text": Field("system[].text", ("text.blank",)),
        "messages[developer].name": Field(None, ("message.name",)),
        "messages[user]": Field(SAME),
        "messages[user].content": Field(_BLOCK),
        "messages[user].content[text]": Field(f"{_BLOCK}[text]"),
        "messages[user].content[text].text": Field(f"{_BLOCK}[text].text", ("text.blank",)),
        "messages[user].content[image_url]": Field(f"{_BLOCK}[image]", model_rows=("input.image",)),
        "messages[user].content[image_url].image_url": Field(f"{_BLOCK}[image].source"),
        "messages[user].content[image_url].image_url.url": Field(
            f"{_BLOCK}[image].source", ("image.media_type", "image.http", "media_type.corrected")
        ),
        "messages[user].content[image_url].image_url.detail": Field(None, ("image.detail",)),
        "messages[user].content[input_audio]": Field(None, ("input.audio",), whole=True),
        "messages[user].content[file]": Field(
            f"{_BLOCK}[document]", model_rows=("input.document",)
        ),
        "messages[user].content[file].file": Field(f"{_BLOCK}[document].source"),
        "messages[user].content[file].file.file_data": Field(
            f"{_BLOCK}[document].source[base64].data",
            ("file.media_type", "file.text", "media_type.corrected"),
        ),
        "messages[user].content[file].file.file_id": Field(
            None, ("file.id", "file.id_beside_data")
        ),
        "messages[user].content[file].file.filename": Field(f"{_BLOCK}[document].title"),
        "messages[user].name": Field(None, ("message.name",)),
        "messages[assistant]": Field(SAME, model_rows=("assistant.last",)),
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
        "messages[assistant].reasoning": Field(None, ("reasoning.unsigned",)),
        "messages[assistant].reasoning_details": Field(
            f"{_BLOCK}[thinking]",
            (
                "reasoning.foreign",
                "reasoning.unsigned",
                "reasoning.edited",
                "reasoning.refused",
                "native.foreign",
                "native.order",
                "native.unusable",
            ),
        ),
        "messages[assistant].function_call": Field(None, ("functions",), whole=True),
        "messages[assistant].tool_calls": Field(f"{_BLOCK}[tool_use]", ("tools.called",)),
        "messages[assistant].tool_calls[function]": Field(f"{_BLOCK}[tool_use]"),
        "messages[assistant].tool_calls[function].id": Field(
            f"{_BLOCK}[tool_use].id", ("tool_call.id", "tool_call.repeated_id")
        ),
        "messages[assistant].tool_calls[function].function": Field(f"{_BLOCK}[tool_use]"),
        "messages[assistant].tool_calls[function].function.name": Field(
            f"{_BLOCK}[tool_use].name", ("tool_call.name",)
        ),
        "messages[assistant].tool_calls[function].function.arguments": Field(
            f"{_BLOCK}[tool_use].input", ("tool_call.arguments",)
        ),
        "messages[assistant].tool_calls[custom]": Field(f"{_BLOCK}[tool_use]"),
        "messages[assistant].tool_calls[custom].id": Field(
            f"{_BLOCK}[tool_use].id", ("tool_call.id", "tool_call.repeated_id")
        ),
        "messages[assistant].tool_calls[custom].custom": Field(f"{_BLOCK}[tool_use]"),
        "messages[assistant].tool_calls[custom].custom.name": Field(
            f"{_BLOCK}[tool_use].name", ("tool_call.name",)
        ),
        "messages[assistant].tool_calls[custom].custom.input": Field(
            f"{_BLOCK}[tool_use].input.input", ("tool.custom_call",)
        ),
        "messages[tool]": Field(f"{_BLOCK}[tool_result]", ("tool.result_late",)),
        "messages[tool].content": Field(f"{_BLOCK}[tool_result].content"),
        "messages[tool].content[].text": Field(f"{_BLOCK}[tool_result].content[text].text"),
        "messages[tool].tool_call_id": Field(
            f"{_BLOCK}[tool_result].tool_use_id", ("tool_call.id", "tool_call.repeated_id")
        ),
        "messages[function]": Field(None, ("functions",), whole=True),
        "(another key of a message)": Field(None, ("message.unknown_key",)),
        "(another key of a part)": Field(None, ("part.unknown_key",)),
        "*.cache_control": Field(
            SAME,
            (
                "cache_control.blank",
                "cache_control.twice",
                "cache_control.most",
                "cache_control.order",
                "cache_control.unknown",
            ),
            whole=True,
        ),
        "*.prompt_cache_breakpoint": Field(None, ("prompt_cache",), whole=True),
        # Tools.
        "tools": Field(SAME, model_rows=("tools.unsupported",)),
        "tools[function]": Field("tools"),
        "tools[function].function": Field("tools"),
        "tools[function].function.name": Field("tools[].name", ("tool.name",)),
        "tools[function].function.description": Field("tools[].description"),
        "tools[function].function.parameters": Field(
            "tools[].input_schema", ("tool.hint", "tool.schema")
        ),
        "tools[function].function.strict": Field(
            "tools[].strict",
            ("tool.strict",),
            model_rows=("tool.strict_schema", "tool.strict_limit"),
        ),
        "tools[custom]": Field(None, ("tool.custom",), whole=True),
        "tool_choice": Field(
            SAME, ("tool_choice.without_tools",), model_rows=("tool_choice.thinking",)
        ),
        "tool_choice[allowed_tools]": Field("tools", ("tool_choice.allowed",), whole=True),
        "tool_choice[function]": Field("tool_choice"),
        "tool_choice[function].function": Field("tool_choice"),
        "tool_choice[function].function.name": Field("tool_choice.name", ("tool.name",)),
        "tool_choice[custom]": Field(None, ("tool_choice.unknown",), whole=True),
        "parallel_tool_calls": Field(
            "tool_choice.disable_parallel_tool_use", model_rows=("parallel_tool_calls.never",)
        ),
        "functions": Field(None, ("functions",), whole=True),
        "function_call": Field(None, ("functions",), whole=True),
        "web_search_options": Field(None, ("web_search",), whole=True),
        # The answer's form and length.
        "response_format": Field(
            "output_config.format", ("response_format.conflict", "response_format.unsupported")
        ),
        "response_format[text]": Field(whole=True, implied=True),
        "response_format[json_object]": Field(
            "system", ("response_format.json_object",), whole=True
        ),
        "response_format[json_schema]": Field("output_config.format", ("response_format.tool",)),
        "response_format[json_schema].json_schema": Field("output_config.format"),
        "response_format[json_schema].json_schema.name": Field(
            None, model_rows=("response_format.name",)
        ),
        "response_format[json_schema].json_schema.description": Field(
            None, model_rows=("response_format.description",)
        ),
        "response_format[json_schema].json_schema.schema": Field(
            "output_config.format.schema",
            model_rows=("response_format.closed", "response_format.bound", "response_format.hint"),
        ),
        "response_format[json_schema].json_schema.strict": Field(
            None, model_rows=("response_format.strict",), implied=True
        ),
        "max_tokens": Field(
            SAME, ("max_tokens.default", "max_tokens.twice"), model_rows=("max_tokens.above_limit",)
        ),
        "max_completion_tokens": Field(
            "max_tokens", ("max_tokens.default",), model_rows=("max_tokens.above_limit",)
        ),
        "stop": Field("stop_sequences", ("stop.blank",), model_rows=("stop.unsupported",)),
        "n": Field(None, ("n",), neutral=1),
        "verbosity": Field(None, ("verbosity",)),
        "modalities": Field(rows=("audio.output",), implied=True),
        "audio": Field(None, ("audio.output",), whole=True),
        "prediction": Field(None, ("prediction",), whole=True),
        "logprobs": Field(None, ("logprobs",), neutral=False),
        "top_logprobs": Field(None, ("logprobs",), neutral=0),
        # Sampling and reasoning.
        "temperature": Field(
            SAME,
            ("temperature.above_one",),
            model_rows=("sampling.unsupported", "sampling.thinking"),
        ),
        "top_p": Field(
            SAME, model_rows=("sampling.unsupported", "sampling.thinking", "sampling.both")
        ),
        "frequency_penalty": Field(None, ("penalty",), neutral=0),
        "presence_penalty": Field(None, ("penalty",), neutral=0),
        "seed": Field(None, ("seed",)),
        "logit_bias": Field(None, ("logit_bias",), neutral={}),
        "reasoning_effort": Field(
            "thinking",
            ("reasoning_effort.none", "reasoning_effort.unsupported"),
            model_rows=(
                "reasoning_effort.thinking",
                "reasoning_effort.level",
                "reasoning_effort.no_room",
                "reasoning_effort.history",
                "reasoning_effort.tools",
            ),
        ),
        # The rest.
        "stream": Field(SAME),
        "stream_options": Field(implied=True),
        "stream_options.include_usage": Field(implied=True),
        "stream_options.include_obfuscation": Field(None, ("stream_options",)),
        "user": Field("metadata.user_id", ("user.twice", "user.hashed")),
        "safety_identifier": Field("metadata.user_id", ("user.hashed",)),
        "metadata": Field(None, ("metadata",), neutral={}),
        "store": Field(None, ("store",), neutral=False),
        "service_tier": Field(SAME, ("service_tier",)),
        "prompt_cache_key": Field(None, ("prompt_cache",)),
        "prompt_cache_options": Field(None, ("prompt_cache",), whole=True),
        "prompt_cache_retention": Field(None, ("prompt_cache",)),
        "moderation": Field(None, ("moderation",), whole=True),
        "(another parameter)": Field(None, ("param.unknown",)),
    }
)

_PART = "messages[user].content"
_CALL = "messages[assistant].tool_calls[function]"
_SERVER_BLOCK = Field(None, ("anthropic.server_block",), whole=True)
_REASONING = Field(
    "messages[assistant].reasoning_details", model_rows=("reasoning.foreign",), whole=True
)
_IMAGE_ROWS = ("input.image", "image.http", "image.media_type")
_MEDIA_TYPE = Field(f"{_PART}[image_url].image_url.url", model_rows=("media_type.corrected",))
_UNSENT_TYPE = Field(None, ("anthropic.document_source",), ("media_type.corrected",))
_IN_DOCUMENT = "source[content].content[image].source[base64]"
_IN_RESULT = "messages[].content[tool_result].content"
_KEY = ("part.unknown_key",)
_ID_ROWS = ("tool_call.id", "tool_call.repeated_id")
_SAMPLING = ("sampling.unsupported", "sampling.thinking")

# What becomes of each field of a messages request in the canonical form.
SOURCE_FIELDS = FieldTable(
    {
        "model": Field(SAME),
        # Messages.
        "messages": Field(SAME, model_rows=("system.moved",)),
        "messages[].role": Field(SAME, model_rows=("system.later",)),
        "messages[].content": Field(
            SAME, ("anthropic.block_order", "anthropic.prefill"), ("assistant.last",)
        ),
        "messages[].content[text]": Field("messages[].content"),
        "messages[].content[text].text": Field("messages[].content"),
        "messages[].content[image]": Field(f"{_PART}[image_url]", model_rows=_IMAGE_ROWS),
        "messages[].content[image].source": Field(f"{_PART}[image_url].image_url.url"),
        "messages[].content[image].source[base64]": Field(
            f"{_PART}[image_url].image_url.url", whole=True
        ),
        "messages[].content[image].source[base64].media_type": _MEDIA_TYPE,
        "messages[].content[image].source[url]": Field(
            f"{_PART}[image_url].image_url.url", whole=True
        ),
        "messages[].content[image].source[file]": Field(None, ("file.id",), whole=True),
        "messages[].content[image].transformations": Field(
            None, ("anthropic.image_transformations",), whole=True
        ),
        "messages[].content[document]": Field(
            f"{_PART}[file]", model_rows=("input.document", "image.http")
        ),
        "messages[].content[document].source": Field(f"{_PART}[file].file.file_data"),
        "messages[].content[document].source[base64]": Field(
            f"{_PART}[file].file.file_data", whole=True
        ),
        "messages[].content[document].source[base64].media_type": _MEDIA_TYPE._replace(
            to=f"{_PART}[file].file.file_data"
        ),
        "messages[].content[document].source[text]": Field(
            "messages[user].content", ("anthropic.document_text",), whole=True
        ),
        "messages[].content[document].source[content]": Field(
            "messages[user].content", ("anthropic.document_text",), whole=True
        ),
        "messages[].content[document].source[content].content[image]": Field(
            None, ("anthropic.document_source", "file.id"), _IMAGE_ROWS, whole=True
        ),
        f"messages[].content[document].{_IN_DOCUMENT}.media_type": _UNSENT_TYPE,
        "messages[].content[document].source[url]": Field(
            None, ("anthropic.document_source",), whole=True
        ),
        "messages[].content[document].source[file]": Field(
            None, ("anthropic.document_source",), whole=True
        ),
        "messages[].content[document].title": Field(
            f"{_PART}[file].file.filename", ("anthropic.document_name",), _KEY
        ),
        "messages[].content[document].context": Field(None, ("anthropic.document_context",), _KEY),
        "messages[].content[document].citations": Field(
            None, ("anthropic.citations",), _KEY, whole=True
        ),
        "messages[].content[search_result]": Field(
            "messages[].content", ("anthropic.search_result",), whole=True
        ),
        "messages[].content[thinking]": _REASONING,
        "messages[].content[redacted_thinking]": _REASONING,
        "messages[].content[tool_use]": Field(_CALL),
        "messages[].content[tool_use].id": Field(f"{_CALL}.id", model_rows=_ID_ROWS),
        "messages[].content[tool_use].name": Field(
            f"{_CALL}.function.name", model_rows=("tool_call.name",)
        ),
        "messages[].content[tool_use].input": Field(f"{_CALL}.function.arguments"),
        "messages[].content[tool_use].caller": Field(None, ("anthropic.server_block",), whole=True),
        "messages[].content[tool_use].caller[direct]": Field(implied=True, whole=True),
        "messages[].content[tool_use].toolset_name": Field(None, ("anthropic.toolset",)),
        "messages[].content[tool_result]": Field("messages[tool]"),
        "messages[].content[tool_result].tool_use_id": Field(
            "messages[tool].tool_call_id", model_rows=_ID_ROWS
        ),
        "messages[].content[tool_result].content": Field("messages[tool].content"),
        "messages[].content[tool_result].content[text]": Field("messages[tool].content"),
        "messages[].content[tool_result].content[text].text": Field("messages[tool].content"),
        "messages[].content[tool_result].content[image]": Field(
            f"{_PART}[image_url]",
            ("anthropic.result_media", "file.id"),
            _IMAGE_ROWS,
            whole=True,
        ),
        "messages[].content[tool_result].content[image].source[base64].media_type": _MEDIA_TYPE,
        "messages[].content[tool_result].content[image].transformations": Field(
            None, ("anthropic.image_transformations",), whole=True
        ),
        "messages[].content[tool_result].content[document]": Field(
            "messages",
            ("anthropic.result_media", "anthropic.document_text", "anthropic.document_source"),
            ("input.document", "image.http"),
            whole=True,
        ),
        f"{_IN_RESULT}[document].{_IN_DOCUMENT}": Field(
            None, ("anthropic.document_source",), _IMAGE_ROWS, whole=True
        ),
        f"{_IN_RESULT}[document].{_IN_DOCUMENT}.media_type": _UNSENT_TYPE,
        "messages[].content[tool_result].content[document].title": Field(
            f"{_PART}[file].file.filename", model_rows=_KEY
        ),
        "messages[].content[tool_result].content[document].context": Field(
            None, ("anthropic.document_context",), _KEY
        ),
        "messages[].content[tool_result].content[document].citations": Field(
            None, ("anthropic.citations",), _KEY, whole=True
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
        "*.cache_control": Field(SAME, whole=True),
        "*.citations": Field(None, ("anthropic.citations",), whole=True),
        "(another key of a block)": Field(None, ("part.unknown_key",)),
        # Tools.
        "tools": Field(SAME),
        "tools[custom]": Field("tools[function]"),
        "tools[custom].name": Field("tools[function].function.name", model_rows=("tool.name",)),
        "tools[custom].description": Field("tools[function].function.description"),
        "tools[custom].input_schema": Field("tools[function].function.parameters", whole=True),
        "tools[custom].strict": Field(
            "tools[function].function.strict",
            ("anthropic.tool_strict",),
            ("tool.strict", "tool.strict_limit"),
        ),
        "tools[custom].allowed_callers": Field(None, ("anthropic.tool_option",)),
        "tools[custom].defer_loading": Field(None, ("anthropic.tool_option",)),
        "tools[custom].eager_input_streaming": Field(None, ("anthropic.tool_option",)),
        "tools[custom].input_examples": Field(None, ("anthropic.tool_option",)),
        # The type of every tool but custom ones has an underscore.
        "tools[*_*]": Field(None, ("anthropic.server_tool",), whole=True),
        "tool_choice": Field(SAME, ("tool_choice.without_tools",), ("tool_choice.thinking",)),
        "tool_choice[auto]": Field("tool_choice"),
        "tool_choice[any]": Field("tool_choice"),
        "tool_choice[none]": Field("tool_choice"),
        "tool_choice[tool]": Field("tool_choice[function]"),
        "tool_choice[tool].name": Field(
            "tool_choice[function].function.name", model_rows=("tool.name",)
        ),
        **{
            f"tool_choice[{kind}].disable_parallel_tool_use": Field("parallel_tool_calls")
            for kind in ("auto", "any", "tool")
        },
        # The answer's form and length.
        "max_tokens": Field(SAME, model_rows=("max_tokens.above_limit",)),
        "stop_sequences": Field("stop", ("stop.too_many",), ("stop.unsupported",)),
        "output_config": Field(implied=True),
        "output_config.format": Field(
            "response_format", ("anthropic.format_name",), ("response_format.unsupported",)
        ),
        "output_config.format.schema": Field(
            "response_format[json_schema].json_schema.schema",
            ("anthropic.format_strict", "anthropic.format_root"),
        ),
        "output_config.effort": Field(
            "reasoning_effort",
            ("anthropic.effort_disabled",),
            ("reasoning_effort.unsupported", "reasoning_effort.level"),
        ),
        "output_config.task_budget": Field(None, ("param.unknown",), whole=True),
        "output_format": Field(
            "response_format",
            ("anthropic.format_name", "anthropic.format_strict", "anthropic.format_root"),
            ("response_format.unsupported",),
            whole=True,
        ),
        # Sampling and reasoning.
        "temperature": Field(SAME, model_rows=_SAMPLING),
        "top_p": Field(SAME, model_rows=(*_SAMPLING, "sampling.both")),
        "top_k": Field(None, ("anthropic.top_k",), _SAMPLING),
        "thinking": Field(
            "reasoning_effort",
            model_rows=(
                "reasoning_effort.unsupported",
                "reasoning_effort.history",
                "reasoning_effort.thinking",
                "reasoning_effort.no_room",
            ),
        ),
        "thinking[enabled]": Field("reasoning_effort", ("anthropic.thinking_budget",)),
        "thinking[enabled].budget_tokens": Field(
            "reasoning_effort",
            ("anthropic.thinking_budget",),
            ("anthropic.thinking_budget", "reasoning_effort.level"),
        ),
        "thinking[enabled].display": Field(None, ("anthropic.thinking_display",)),
        "thinking[adaptive]": Field(None, ("anthropic.thinking_adaptive",)),
        "thinking[adaptive].display": Field(None, ("anthropic.thinking_display",)),
        "thinking[disabled]": Field("reasoning_effort", ("anthropic.effort_disabled",)),
        # The rest.
        "stream": Field(SAME),
        "metadata": Field("user"),
        "metadata.user_id": Field("user", model_rows=("user.hashed",)),
        "service_tier": Field(SAME, ("service_tier",)),
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
)

# What encoder and decoder do with each parameter: `None`, or the loss row of one that they drop.
REQUEST_PARAMETERS = REQUEST_FIELDS.parameters()
SOURCE_PARAMETERS = SOURCE_FIELDS.parameters()
# Members that the decoder knows; those of JSON text that it does not know stay raw JSON.
SOURCE_MEMBERS = frozenset(
    name for name, dropped in SOURCE_PARAMETERS.items() if dropped != ("param.unknown", None)
)
# Content blocks that the decoder drops: the output of the provider's own tools.
SERVER_BLOCKS = SOURCE_FIELDS.variants("anthropic.server_block")
