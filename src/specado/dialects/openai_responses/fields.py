"""Field tables of OpenAI Responses requests: each field's counterpart and losses.

Source: `openai.types.responses.ResponseCreateParams` (3.57, read 2026-11-30).
"""

from __future__ import annotations

from specado.dialects.openai_responses.source_fields import SOURCE_FIELDS
from specado.losses.field import SAME, Field, FieldTable

__all__ = ["REQUEST_FIELDS", "REQUEST_PARAMETERS", "SOURCE_FIELDS"]

_PARTS = "input[].content"
_CALL = "input[function_call]"
_CUSTOM_CALL = "input[custom_tool_call]"
_OUTPUT = "input[function_call_output]"
_NAME = Field(None, ("message.name",))
_SYSTEM = Field("input", model_rows=("role.system_name",))
_ID = ("tool_call.repeated_id",)
_LOGPROBS = ("logprobs.model", "logprobs.thinking")
_USER = Field(SAME, model_rows=("user.hashed",))
_DEFAULT_STRICT = ("strict.default",)

# What becomes of each canonical field in a Responses request.
REQUEST_FIELDS = FieldTable(
    {
        "model": Field(SAME),
        # Messages.
        "messages": Field("input", ("role.unknown",)),
        "messages[system]": _SYSTEM,
        "messages[system].content": Field(_PARTS),
        "messages[system].content[].text": Field(f"{_PARTS}[input_text].text"),
        "messages[system].name": _NAME,
        "messages[developer]": _SYSTEM,
        "messages[developer].content": Field(_PARTS),
        "messages[developer].content[].text": Field(f"{_PARTS}[input_text].text"),
        "messages[developer].name": _NAME,
        "messages[user]": Field("input"),
        "messages[user].content": Field(_PARTS),
        "messages[user].content[text]": Field(f"{_PARTS}[input_text]"),
        "messages[user].content[text].text": Field(f"{_PARTS}[input_text].text"),
        "messages[user].content[image_url]": Field(
            f"{_PARTS}[input_image]", model_rows=("input.image",)
        ),
        "messages[user].content[image_url].image_url": Field(f"{_PARTS}[input_image]"),
        "messages[user].content[image_url].image_url.url": Field(
            f"{_PARTS}[input_image].image_url"
        ),
        "messages[user].content[image_url].image_url.detail": Field(
            f"{_PARTS}[input_image].detail"
        ),
        "messages[user].content[input_audio]": Field(None, ("input.audio",), whole=True),
        "messages[user].content[file]": Field(
            f"{_PARTS}[input_file]", model_rows=("input.document",)
        ),
        "messages[user].content[file].file": Field(f"{_PARTS}[input_file]"),
        "messages[user].content[file].file.file_data": Field(
            f"{_PARTS}[input_file].file_data", ("input.video",)
        ),
        "messages[user].content[file].file.file_id": Field(f"{_PARTS}[input_file].file_id"),
        "messages[user].content[file].file.filename": Field(
            f"{_PARTS}[input_file].filename", ("file.name",)
        ),
        "messages[user].name": _NAME,
        "messages[assistant]": Field("input"),
        "messages[assistant].content": Field("input[assistant].content", ("content.joined",)),
        "messages[assistant].content[text]": Field("input[assistant].content"),
        "messages[assistant].content[text].text": Field("input[assistant].content"),
        "messages[assistant].content[refusal]": Field(
            "input[assistant].content", ("assistant.refusal",), whole=True
        ),
        "messages[assistant].refusal": Field("input[assistant].content", ("assistant.refusal",)),
        "messages[assistant].name": _NAME,
        "messages[assistant].audio": Field(None, ("assistant.audio",), whole=True),
        "messages[assistant].annotations": Field(None, ("message.annotations",)),
        "messages[assistant].reasoning": Field(None, ("reasoning.openai",)),
        "messages[assistant].reasoning_details": Field(
            "input[reasoning]",
            (
                "reasoning.foreign",
                "reasoning.openai",
                "reasoning.edited",
                "reasoning.refused",
                "native.foreign",
                "native.order",
                "native.unusable",
            ),
        ),
        "messages[assistant].function_call": Field(None, ("functions",), whole=True),
        "messages[assistant].tool_calls": Field("input"),
        "messages[assistant].tool_calls[function]": Field(_CALL),
        "messages[assistant].tool_calls[function].id": Field(
            f"{_CALL}.call_id", _ID, model_rows=("tool_call.id",)
        ),
        "messages[assistant].tool_calls[function].function": Field(_CALL),
        "messages[assistant].tool_calls[function].function.name": Field(
            f"{_CALL}.name", model_rows=("tool_call.name",)
        ),
        "messages[assistant].tool_calls[function].function.arguments": Field(
            f"{_CALL}.arguments", ("tool_call.arguments",)
        ),
        "messages[assistant].tool_calls[custom]": Field(_CUSTOM_CALL),
        "messages[assistant].tool_calls[custom].id": Field(
            f"{_CUSTOM_CALL}.call_id", _ID, model_rows=("tool_call.id",)
        ),
        "messages[assistant].tool_calls[custom].custom": Field(_CUSTOM_CALL),
        "messages[assistant].tool_calls[custom].custom.name": Field(
            f"{_CUSTOM_CALL}.name", model_rows=("tool_call.name",)
        ),
        "messages[assistant].tool_calls[custom].custom.input": Field(f"{_CUSTOM_CALL}.input"),
        "messages[tool]": Field(_OUTPUT),
        "messages[tool].content": Field(f"{_OUTPUT}.output"),
        "messages[tool].content[].text": Field(f"{_OUTPUT}.output[input_text].text"),
        "messages[tool].tool_call_id": Field(
            f"{_OUTPUT}.call_id", _ID, model_rows=("tool_call.id",)
        ),
        "messages[function]": Field(None, ("functions",), whole=True),
        "(another key of a message)": Field(None, ("message.unknown_key",)),
        "(another key of a part)": Field(None, ("part.unknown_key",)),
        "*.cache_control": Field(None, ("cache_control.openai",), whole=True),
        "*.prompt_cache_breakpoint": Field(SAME, whole=True),
        # Tools.
        "tools": Field(SAME, model_rows=("tools.unsupported", "tool.custom")),
        "tools[function]": Field(SAME),
        "tools[function].function": Field("tools[function]"),
        "tools[function].function.name": Field("tools[function].name", model_rows=("tool.name",)),
        "tools[function].function.description": Field("tools[function].description"),
        "tools[function].function.parameters": Field(
            "tools[function].parameters", model_rows=("tool.schema_completed",)
        ),
        "tools[function].function.strict": Field(
            "tools[function].strict", _DEFAULT_STRICT, model_rows=("tool.strict",)
        ),
        "tools[custom]": Field(SAME),
        "tools[custom].custom": Field("tools[custom]"),
        "tools[custom].custom.name": Field("tools[custom].name", model_rows=("tool.name",)),
        "tools[custom].custom.description": Field("tools[custom].description"),
        "tools[custom].custom.format": Field("tools[custom].format", whole=True),
        "tool_choice": Field(SAME, model_rows=("tool_choice.thinking",)),
        "tool_choice[allowed_tools]": Field(SAME, model_rows=("tool.name",)),
        "tool_choice[allowed_tools].allowed_tools": Field("tool_choice[allowed_tools]"),
        "tool_choice[allowed_tools].allowed_tools.mode": Field("tool_choice[allowed_tools].mode"),
        "tool_choice[allowed_tools].allowed_tools.tools": Field("tool_choice[allowed_tools].tools"),
        "tool_choice[function]": Field(SAME),
        "tool_choice[function].function": Field("tool_choice[function]"),
        "tool_choice[function].function.name": Field(
            "tool_choice[function].name", model_rows=("tool.name",)
        ),
        "tool_choice[custom]": Field(SAME),
        "tool_choice[custom].custom": Field("tool_choice[custom]"),
        "tool_choice[custom].custom.name": Field(
            "tool_choice[custom].name", model_rows=("tool.name",)
        ),
        "parallel_tool_calls": Field(
            SAME, model_rows=("parallel_tool_calls.unsupported", "parallel_tool_calls.never")
        ),
        "functions": Field(None, ("functions",), whole=True),
        "function_call": Field(None, ("functions",), whole=True),
        "web_search_options": Field("tools[web_search]", ("web_search.tool",)),
        "web_search_options.search_context_size": Field("tools[web_search].search_context_size"),
        "web_search_options.user_location": Field("tools[web_search].user_location", whole=True),
        # The answer's form and length.
        "response_format": Field("text.format", model_rows=("response_format.unsupported",)),
        "response_format[text]": Field("text.format[text]", whole=True),
        "response_format[json_object]": Field("text.format[json_object]", whole=True),
        "response_format[json_schema]": Field("text.format[json_schema]"),
        "response_format[json_schema].json_schema": Field("text.format[json_schema]"),
        "response_format[json_schema].json_schema.name": Field("text.format[json_schema].name"),
        "response_format[json_schema].json_schema.description": Field(
            "text.format[json_schema].description"
        ),
        "response_format[json_schema].json_schema.schema": Field(
            "text.format[json_schema].schema",
            model_rows=("response_format.bound", "response_format.hint"),
        ),
        "response_format[json_schema].json_schema.strict": Field(
            "text.format[json_schema].strict", _DEFAULT_STRICT
        ),
        "max_tokens": Field(
            "max_output_tokens",
            ("max_tokens.below_limit", "max_tokens.twice"),
            model_rows=("max_tokens.above_limit",),
        ),
        "max_completion_tokens": Field(
            "max_output_tokens",
            ("max_tokens.below_limit",),
            model_rows=("max_tokens.above_limit",),
        ),
        "stop": Field(None, ("stop",)),
        "n": Field(None, ("n",), neutral=1),
        "verbosity": Field("text.verbosity"),
        "modalities": Field(rows=("audio.output",), implied=True),
        "audio": Field(None, ("audio.output",), whole=True),
        "prediction": Field(None, ("prediction",), whole=True),
        "logprobs": Field("include", model_rows=_LOGPROBS),
        "top_logprobs": Field(SAME, model_rows=_LOGPROBS),
        # Sampling and reasoning.
        "temperature": Field(SAME, model_rows=("sampling.unsupported", "sampling.thinking")),
        "top_p": Field(
            SAME, model_rows=("sampling.unsupported", "sampling.thinking", "sampling.both")
        ),
        "frequency_penalty": Field(None, ("penalty",), neutral=0),
        "presence_penalty": Field(None, ("penalty",), neutral=0),
        "seed": Field(None, ("seed",)),
        "logit_bias": Field(None, ("logit_bias",), neutral={}),
        "reasoning_effort": Field(
            "reasoning.effort",
            model_rows=(
                "reasoning_effort.level",
                "reasoning_effort.none",
                "reasoning_effort.unsupported",
            ),
        ),
        # The rest.
        "stream": Field(SAME),
        "stream_options": Field(SAME, ("stream_options",)),
        "stream_options.include_usage": Field(implied=True),
        "stream_options.include_obfuscation": Field(SAME),
        "user": _USER,
        "safety_identifier": _USER,
        "metadata": Field(SAME),
        "store": Field(SAME, ("store.default",)),
        "service_tier": Field(SAME),
        "prompt_cache_key": Field(SAME),
        "prompt_cache_options": Field(SAME, whole=True),
        "prompt_cache_retention": Field(SAME),
        "moderation": Field(SAME, whole=True),
        "(another parameter)": Field(None, ("param.unknown",)),
    }
)

REQUEST_PARAMETERS = REQUEST_FIELDS.parameters()
