"""Field table of canonical requests in Bedrock's Converse form: counterparts and losses.

Source: botocore 1.44.8 (`data/bedrock-runtime/2023-09-30`) and AWS's API reference, read
2026-11-30.
"""

from __future__ import annotations

from specado.losses.field import SAME, Field, FieldTable

__all__ = ["REQUEST_FIELDS", "REQUEST_PARAMETERS"]

_SYSTEM = ("system.top_level", "system.later", "system.alone")
_BLOCKS = "messages[].content[]"
_CALL = f"{_BLOCKS}.toolUse"
_RESULT = f"{_BLOCKS}.toolResult"
_IMAGE = f"{_BLOCKS}.image"
_AUDIO = f"{_BLOCKS}.audio"
_FILE = f"{_BLOCKS}.document"
_SPEC = "toolConfig.tools[].toolSpec"
_CONFIG = "inferenceConfig"
_MORE = "additionalModelRequestFields"
_SCHEMA = "outputConfig.textFormat.structure.jsonSchema"
_CACHE = (
    "cache_control.point",
    "cache_control.blank",
    "cache_control.most",
    "cache_control.order",
    "cache_control.twice",
    "cache_control.unknown",
)

# The counterpart of each canonical field in a Converse request.
REQUEST_FIELDS = FieldTable(
    {
        "model": Field("(the URL)"),
        # Messages.
        "messages": Field(
            SAME, ("turns.merged", "role.unknown", "messages.blank", "content.stand_in")
        ),
        "messages[system]": Field("system", _SYSTEM),
        "messages[system].content": Field("system", ("system.part",)),
        "messages[system].content[].text": Field("system[].text", ("text.blank",)),
        "messages[system].name": Field(None, ("message.name",)),
        "messages[developer]": Field("system", _SYSTEM),
        "messages[developer].content": Field("system", ("system.part",)),
        "messages[developer].content[].text": Field("system[].text", ("text.blank",)),
        "messages[developer].name": Field(None, ("message.name",)),
        "messages[user]": Field("messages[user]"),
        "messages[user].content": Field(_BLOCKS, ("document.text",)),
        "messages[user].content[text]": Field(_BLOCKS),
        "messages[user].content[text].text": Field(f"{_BLOCKS}.text", ("text.blank",)),
        "messages[user].content[image_url]": Field(_IMAGE, model_rows=("input.image",)),
        "messages[user].content[image_url].image_url": Field(_IMAGE),
        "messages[user].content[image_url].image_url.url": Field(
            f"{_IMAGE}.source",
            ("image.media_type", "media.uri_unsupported", "media_type.corrected"),
        ),
        "messages[user].content[image_url].image_url.detail": Field(None, ("image.detail",)),
        "messages[user].content[input_audio]": Field(_AUDIO, model_rows=("input.audio",)),
        "messages[user].content[input_audio].input_audio": Field(_AUDIO),
        "messages[user].content[input_audio].input_audio.data": Field(f"{_AUDIO}.source.bytes"),
        "messages[user].content[input_audio].input_audio.format": Field(
            f"{_AUDIO}.format", ("audio.container",)
        ),
        "messages[user].content[file]": Field(_FILE, model_rows=("input.document", "input.video")),
        "messages[user].content[file].file": Field(_FILE),
        "messages[user].content[file].file.file_data": Field(
            f"{_FILE}.source.bytes", ("document.format", "file.text", "media_type.corrected")
        ),
        "messages[user].content[file].file.file_id": Field(
            f"{_FILE}.source.s3Location.uri", ("file.id", "file.id_beside_data")
        ),
        "messages[user].content[file].file.filename": Field(
            f"{_FILE}.name", ("document.name", "file.name")
        ),
        "messages[user].name": Field(None, ("message.name",)),
        "messages[assistant]": Field(
            "messages[assistant]",
            ("assistant.trailing_space",),
            model_rows=("assistant.last",),
        ),
        "messages[assistant].content": Field(_BLOCKS),
        "messages[assistant].content[text]": Field(_BLOCKS),
        "messages[assistant].content[text].text": Field(f"{_BLOCKS}.text", ("text.blank",)),
        "messages[assistant].content[refusal]": Field(
            f"{_BLOCKS}.text", ("assistant.refusal",), whole=True
        ),
        "messages[assistant].refusal": Field(f"{_BLOCKS}.text", ("assistant.refusal",)),
        "messages[assistant].name": Field(None, ("message.name",)),
        "messages[assistant].audio": Field(None, ("assistant.audio",), whole=True),
        "messages[assistant].annotations": Field(None, ("message.annotations",)),
        "messages[assistant].reasoning": Field(None, ("reasoning.unsigned",)),
        "messages[assistant].reasoning_details": Field(
            f"{_BLOCKS}.reasoningContent",
            (
                "reasoning.foreign",
                "reasoning.unsigned",
                "reasoning.endpoint",
                "reasoning.edited",
                "reasoning.refused",
                "native.foreign",
                "native.order",
                "native.unusable",
            ),
        ),
        "messages[assistant].function_call": Field(None, ("functions",), whole=True),
        "messages[assistant].tool_calls": Field(_CALL, ("tool.result_missing",)),
        "messages[assistant].tool_calls[function]": Field(_CALL),
        "messages[assistant].tool_calls[function].id": Field(
            f"{_CALL}.toolUseId", ("tool_call.id", "tool_call.repeated_id")
        ),
        "messages[assistant].tool_calls[function].function": Field(_CALL),
        "messages[assistant].tool_calls[function].function.name": Field(
            f"{_CALL}.name", ("tool_call.name",)
        ),
        "messages[assistant].tool_calls[function].function.arguments": Field(
            f"{_CALL}.input", ("tool_call.arguments",)
        ),
        "messages[assistant].tool_calls[custom]": Field(_CALL),
        "messages[assistant].tool_calls[custom].id": Field(
            f"{_CALL}.toolUseId", ("tool_call.id", "tool_call.repeated_id")
        ),
        "messages[assistant].tool_calls[custom].custom": Field(_CALL),
        "messages[assistant].tool_calls[custom].custom.name": Field(
            f"{_CALL}.name", ("tool_call.name",)
        ),
        "messages[assistant].tool_calls[custom].custom.input": Field(
            f"{_CALL}.input.input", ("tool.custom_call",)
        ),
        "messages[tool]": Field(
            _RESULT,
            ("tool.result_late", "tool.result_twice"),
            model_rows=("tool.result_alone",),
        ),
        "messages[tool].content": Field(
            f"{_RESULT}.content", ("content.stand_in",), model_rows=("media.moved",)
        ),
        "messages[tool].content[].text": Field(f"{_RESULT}.content[].text", ("text.blank",)),
        "messages[tool].tool_call_id": Field(
            f"{_RESULT}.toolUseId", ("tool_call.id", "tool_call.repeated_id")
        ),
        "messages[function]": Field(None, ("functions",), whole=True),
        "*.cache_control": Field(
            f"{_BLOCKS}.cachePoint", _CACHE, model_rows=("cache_control.model",), whole=True
        ),
        "*.prompt_cache_breakpoint": Field(None, ("prompt_cache",), whole=True),
        "(another key of a message)": Field(None, ("message.unknown_key",)),
        "(another key of a part)": Field(None, ("part.unknown_key",)),
        # Tools.
        "tools": Field(
            "toolConfig.tools",
            ("tools.declared", "tools.withheld"),
            model_rows=("tools.unsupported",),
        ),
        "tools[function]": Field(_SPEC),
        "tools[function].function": Field(_SPEC),
        "tools[function].function.name": Field(f"{_SPEC}.name", ("tool.name",)),
        "tools[function].function.description": Field(f"{_SPEC}.description", ("text.blank",)),
        "tools[function].function.parameters": Field(
            f"{_SPEC}.inputSchema.json", ("tool.hint", "tool.schema")
        ),
        "tools[function].function.strict": Field(
            f"{_SPEC}.strict",
            ("tool.strict",),
            model_rows=("tool.strict_schema", "tool.strict_limit"),
        ),
        "tools[custom]": Field(None, ("tool.custom",), whole=True),
        "tool_choice": Field(
            "toolConfig.toolChoice",
            ("tool_choice.without_tools", "tool_choice.none"),
            model_rows=("tool_choice.thinking", "tool_choice.model"),
        ),
        "tool_choice[allowed_tools]": Field(
            "toolConfig.tools", ("tool_choice.allowed",), whole=True
        ),
        "tool_choice[function]": Field("toolConfig.toolChoice.tool"),
        "tool_choice[function].function": Field("toolConfig.toolChoice.tool"),
        "tool_choice[function].function.name": Field(
            "toolConfig.toolChoice.tool.name", ("tool.name",)
        ),
        "tool_choice[custom]": Field(None, ("tool_choice.unknown",), whole=True),
        "parallel_tool_calls": Field(
            f"{_MORE}.tool_choice",
            ("parallel_tool_calls.many",),
            model_rows=("parallel_tool_calls.never",),
            implied=True,
        ),
        "functions": Field(None, ("functions",), whole=True),
        "function_call": Field(None, ("functions",), whole=True),
        "web_search_options": Field(
            "toolConfig.tools[].systemTool",
            ("web_search.model",),
            model_rows=("web_search.grounding",),
            whole=True,
        ),
        # The answer's form and length.
        "response_format": Field(
            _SCHEMA,
            ("response_format.unsupported", "response_format.conflict"),
        ),
        "response_format[text]": Field(whole=True, implied=True),
        "response_format[json_object]": Field(
            "system[].text", ("response_format.json_object",), whole=True
        ),
        "response_format[json_schema]": Field(_SCHEMA, ("response_format.tool",)),
        "response_format[json_schema].json_schema": Field(_SCHEMA),
        "response_format[json_schema].json_schema.name": Field(f"{_SCHEMA}.name"),
        "response_format[json_schema].json_schema.description": Field(f"{_SCHEMA}.description"),
        "response_format[json_schema].json_schema.schema": Field(
            f"{_SCHEMA}.schema",
            model_rows=("response_format.closed", "response_format.bound", "response_format.hint"),
        ),
        "response_format[json_schema].json_schema.strict": Field(
            None, ("response_format.strict",), implied=True
        ),
        "max_tokens": Field(
            f"{_CONFIG}.maxTokens",
            ("max_tokens.twice",),
            model_rows=("max_tokens.above_limit", "max_tokens.default"),
        ),
        "max_completion_tokens": Field(
            f"{_CONFIG}.maxTokens", model_rows=("max_tokens.above_limit",)
        ),
        "stop": Field(
            f"{_CONFIG}.stopSequences",
            ("stop.blank",),
            model_rows=("stop.model_most", "stop.unsupported"),
        ),
        "n": Field(None, ("n",), neutral=1),
        "verbosity": Field(None, ("verbosity",)),
        "modalities": Field(None, ("audio.output",), implied=True),
        "audio": Field(None, ("audio.output",), whole=True),
        "prediction": Field(None, ("prediction",), whole=True),
        "logprobs": Field(None, ("logprobs",), neutral=False),
        "top_logprobs": Field(None, ("logprobs",), neutral=0),
        # Sampling and reasoning.
        "temperature": Field(
            f"{_CONFIG}.temperature",
            ("temperature.above_one",),
            model_rows=("sampling.unsupported", "sampling.thinking"),
        ),
        "top_p": Field(
            f"{_CONFIG}.topP",
            model_rows=("sampling.unsupported", "sampling.thinking", "sampling.both"),
        ),
        "frequency_penalty": Field(None, ("penalty",), neutral=0),
        "presence_penalty": Field(None, ("penalty",), neutral=0),
        "seed": Field(None, ("seed",)),
        "logit_bias": Field(None, ("logit_bias",), neutral={}),
        "reasoning_effort": Field(
            f"{_MORE}.thinking",
            ("reasoning_effort.unsupported",),
            model_rows=(
                "reasoning_effort.thinking",
                "reasoning_effort.level",
                "reasoning_effort.none",
                "reasoning_effort.no_room",
                "reasoning_effort.history",
                "reasoning_effort.tools",
            ),
        ),
        # The rest.
        "stream": Field("(the URL)"),
        "stream_options": Field(implied=True),
        "stream_options.include_usage": Field(implied=True),
        "stream_options.include_obfuscation": Field(None, ("stream_options",)),
        "user": Field(None, ("user.none",)),
        "safety_identifier": Field(None, ("user.none",)),
        "metadata": Field("requestMetadata", ("metadata.form",)),
        "store": Field(None, ("store",), neutral=False),
        "service_tier": Field("serviceTier.type", ("service_tier",)),
        "prompt_cache_key": Field(None, ("prompt_cache",)),
        "prompt_cache_options": Field(None, ("prompt_cache",), whole=True),
        "prompt_cache_retention": Field(None, ("prompt_cache",)),
        "moderation": Field(None, ("moderation",), whole=True),
        "(another parameter)": Field(None, ("param.unknown",)),
    }
)

# What the encoder does with each parameter: `None`, or the loss row of one that it drops.
REQUEST_PARAMETERS = REQUEST_FIELDS.parameters()
