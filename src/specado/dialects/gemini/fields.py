"""Field table of canonical requests in Gemini's form: each field's counterpart and losses.

Source: `google.genai.types` (3.6.1, read 2026-11-30) and Google's API reference.
"""

from __future__ import annotations

from specado.losses.field import SAME, Field, FieldTable

__all__ = ["REQUEST_FIELDS", "REQUEST_PARAMETERS"]

_SYSTEM = ("system.instruction", "system.later", "system.alone")
_PARTS = "contents[].parts"
_CONFIG = "generationConfig"
_CALL = f"{_PARTS}[functionCall].functionCall"
_RESULT = f"{_PARTS}[functionResponse].functionResponse"
_MEDIA = ("media.uri", "media.uri_type", "media_type.corrected")
_MEDIA_MODEL = ("media.uri_unsupported",)

# The counterpart of each canonical field in a `generateContent` request.
REQUEST_FIELDS = FieldTable(
    {
        "model": Field("(the URL)", model_rows=("model.assumed",)),
        # Messages.
        "messages": Field("contents", ("turns.merged", "role.unknown", "messages.blank")),
        "messages[system]": Field("systemInstruction", _SYSTEM),
        "messages[system].content": Field("systemInstruction.parts", ("system.part",)),
        "messages[system].content[].text": Field("systemInstruction.parts[].text", ("text.blank",)),
        "messages[system].name": Field(None, ("message.name",)),
        "messages[developer]": Field("systemInstruction", _SYSTEM),
        "messages[developer].content": Field("systemInstruction.parts", ("system.part",)),
        "messages[developer].content[].text": Field(
            "systemInstruction.parts[].text", ("text.blank",)
        ),
        "messages[developer].name": Field(None, ("message.name",)),
        "messages[user]": Field("contents[user]"),
        "messages[user].content": Field(_PARTS),
        "messages[user].content[text]": Field(f"{_PARTS}[text]"),
        "messages[user].content[text].text": Field(f"{_PARTS}[text].text", ("text.blank",)),
        "messages[user].content[image_url]": Field(
            f"{_PARTS}[inlineData]", model_rows=("input.image",)
        ),
        "messages[user].content[image_url].image_url": Field(f"{_PARTS}[inlineData].inlineData"),
        "messages[user].content[image_url].image_url.url": Field(
            f"{_PARTS}[inlineData].inlineData.data",
            ("image.format", "image.http", *_MEDIA),
            model_rows=_MEDIA_MODEL,
        ),
        "messages[user].content[image_url].image_url.detail": Field(
            None, ("image.detail",), model_rows=("image.resolution",)
        ),
        "messages[user].content[input_audio]": Field(
            f"{_PARTS}[inlineData]", model_rows=("input.audio",)
        ),
        "messages[user].content[input_audio].input_audio": Field(
            f"{_PARTS}[inlineData].inlineData"
        ),
        "messages[user].content[input_audio].input_audio.data": Field(
            f"{_PARTS}[inlineData].inlineData.data"
        ),
        "messages[user].content[input_audio].input_audio.format": Field(
            f"{_PARTS}[inlineData].inlineData.mimeType", ("audio.format",)
        ),
        "messages[user].content[file]": Field(
            f"{_PARTS}[inlineData]", model_rows=("input.document", "input.video")
        ),
        "messages[user].content[file].file": Field(f"{_PARTS}[inlineData].inlineData"),
        "messages[user].content[file].file.file_data": Field(
            f"{_PARTS}[inlineData].inlineData.data",
            ("file.media_type", "file.text", "media_type.corrected"),
        ),
        "messages[user].content[file].file.file_id": Field(
            f"{_PARTS}[fileData].fileData.fileUri",
            ("file.id", "file.id_beside_data", *_MEDIA),
            model_rows=_MEDIA_MODEL,
        ),
        "messages[user].content[file].file.filename": Field(None, ("file.unnamed",)),
        "messages[user].name": Field(None, ("message.name",)),
        "messages[assistant]": Field("contents[model]", model_rows=("assistant.last",)),
        "messages[assistant].content": Field(_PARTS),
        "messages[assistant].content[text]": Field(f"{_PARTS}[text]"),
        "messages[assistant].content[text].text": Field(f"{_PARTS}[text].text", ("text.blank",)),
        "messages[assistant].content[refusal]": Field(
            f"{_PARTS}[text]", ("assistant.refusal",), whole=True
        ),
        "messages[assistant].refusal": Field(f"{_PARTS}[text].text", ("assistant.refusal",)),
        "messages[assistant].name": Field(None, ("message.name",)),
        "messages[assistant].audio": Field(None, ("assistant.audio",), whole=True),
        "messages[assistant].annotations": Field(None, ("message.annotations",)),
        "messages[assistant].reasoning": Field(None, ("reasoning.unsigned",)),
        "messages[assistant].reasoning_details": Field(
            f"{_PARTS}[].thoughtSignature",
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
            model_rows=("reasoning.stand_in",),
        ),
        "messages[assistant].function_call": Field(None, ("functions",), whole=True),
        "messages[assistant].tool_calls": Field(
            f"{_PARTS}[functionCall]", ("tool.result_missing",)
        ),
        "messages[assistant].tool_calls[function]": Field(
            f"{_PARTS}[functionCall]", model_rows=("reasoning.stand_in",)
        ),
        # Calls and results belong together by their order; only the provider's own ids go back.
        "messages[assistant].tool_calls[function].id": Field(implied=True),
        "messages[assistant].tool_calls[function].function": Field(_CALL),
        "messages[assistant].tool_calls[function].function.name": Field(
            f"{_CALL}.name", ("tool_call.name",)
        ),
        "messages[assistant].tool_calls[function].function.arguments": Field(
            f"{_CALL}.args", ("tool_call.arguments",)
        ),
        "messages[assistant].tool_calls[custom]": Field(f"{_PARTS}[functionCall]"),
        "messages[assistant].tool_calls[custom].id": Field(implied=True),
        "messages[assistant].tool_calls[custom].custom": Field(_CALL),
        "messages[assistant].tool_calls[custom].custom.name": Field(
            f"{_CALL}.name", ("tool_call.name",)
        ),
        "messages[assistant].tool_calls[custom].custom.input": Field(
            f"{_CALL}.args.input", ("tool.custom_call",)
        ),
        "messages[tool]": Field(
            f"{_PARTS}[functionResponse]", ("tool.result_late", "tool.result_twice")
        ),
        "messages[tool].content": Field(
            f"{_RESULT}.response.output", ("content.joined", "media.moved")
        ),
        "messages[tool].content[].text": Field(f"{_RESULT}.response.output"),
        "messages[tool].tool_call_id": Field(f"{_RESULT}.name"),
        "messages[function]": Field(None, ("functions",), whole=True),
        "*.cache_control": Field(None, ("cache_control.openai",), whole=True),
        "*.prompt_cache_breakpoint": Field(None, ("prompt_cache.implicit",), whole=True),
        "(another key of a message)": Field(None, ("message.unknown_key",)),
        "(another key of a part)": Field(None, ("part.unknown_key",)),
        # Tools.
        "tools": Field(SAME, model_rows=("tools.unsupported",)),
        "tools[function]": Field("tools[].functionDeclarations[]"),
        "tools[function].function": Field("tools[].functionDeclarations[]"),
        "tools[function].function.name": Field(
            "tools[].functionDeclarations[].name", ("tool.name",)
        ),
        "tools[function].function.description": Field("tools[].functionDeclarations[].description"),
        "tools[function].function.parameters": Field(
            "tools[].functionDeclarations[].parametersJsonSchema",
            ("tool.annotation", "tool.hint", "tool.schema"),
        ),
        "tools[function].function.strict": Field(
            "toolConfig.functionCallingConfig.mode",
            ("tool.strict_mode", "tool.strict_all"),
            model_rows=("tool.strict",),
        ),
        "tools[custom]": Field(None, ("tool.custom",), whole=True),
        "tool_choice": Field(
            "toolConfig.functionCallingConfig.mode",
            ("tool_choice.without_tools",),
            model_rows=("tool_choice.thinking",),
        ),
        "tool_choice[allowed_tools]": Field(
            "toolConfig.functionCallingConfig.allowedFunctionNames",
            ("tool_choice.allowed",),
            whole=True,
        ),
        "tool_choice[function]": Field("toolConfig.functionCallingConfig"),
        "tool_choice[function].function": Field("toolConfig.functionCallingConfig"),
        "tool_choice[function].function.name": Field(
            "toolConfig.functionCallingConfig.allowedFunctionNames", ("tool.name",)
        ),
        "tool_choice[custom]": Field(None, ("tool_choice.unknown",), whole=True),
        "parallel_tool_calls": Field(
            None,
            ("parallel_tool_calls.many",),
            model_rows=("parallel_tool_calls.never",),
            implied=True,
        ),
        "functions": Field(None, ("functions",), whole=True),
        "function_call": Field(None, ("functions",), whole=True),
        "web_search_options": Field(
            "tools[].googleSearch",
            ("web_search.google", "web_search.tools"),
            model_rows=("web_search.model",),
            whole=True,
        ),
        # The answer's form and length.
        "response_format": Field(
            f"{_CONFIG}.responseMimeType",
            ("response_format.unsupported",),
            model_rows=("response_format.conflict",),
        ),
        "response_format[text]": Field(whole=True, implied=True),
        "response_format[json_object]": Field(f"{_CONFIG}.responseMimeType", whole=True),
        "response_format[json_schema]": Field(f"{_CONFIG}.responseJsonSchema"),
        "response_format[json_schema].json_schema": Field(f"{_CONFIG}.responseJsonSchema"),
        "response_format[json_schema].json_schema.name": Field(
            f"{_CONFIG}.responseJsonSchema.title", ("response_format.titled",)
        ),
        "response_format[json_schema].json_schema.description": Field(
            f"{_CONFIG}.responseJsonSchema.description", ("response_format.titled",)
        ),
        "response_format[json_schema].json_schema.schema": Field(
            f"{_CONFIG}.responseJsonSchema",
            ("tool.annotation", "response_format.bound", "response_format.hint"),
        ),
        "response_format[json_schema].json_schema.strict": Field(
            None, ("response_format.strict",), implied=True
        ),
        "max_tokens": Field(
            f"{_CONFIG}.maxOutputTokens",
            ("max_tokens.twice",),
            model_rows=("max_tokens.above_limit",),
        ),
        "max_completion_tokens": Field(
            f"{_CONFIG}.maxOutputTokens", model_rows=("max_tokens.above_limit",)
        ),
        "stop": Field(
            f"{_CONFIG}.stopSequences", ("stop.blank", "stop.most"), ("stop.unsupported",)
        ),
        "n": Field(f"{_CONFIG}.candidateCount", ("n.limit",)),
        "verbosity": Field(None, ("verbosity",)),
        "modalities": Field(f"{_CONFIG}.responseModalities", ("audio.output",)),
        "audio": Field(None, ("audio.output",), whole=True),
        "prediction": Field(None, ("prediction",), whole=True),
        "logprobs": Field(f"{_CONFIG}.responseLogprobs", model_rows=("logprobs.model",)),
        "top_logprobs": Field(f"{_CONFIG}.logprobs", model_rows=("logprobs.model",)),
        # Sampling and reasoning.
        "temperature": Field(f"{_CONFIG}.temperature", model_rows=("sampling.unsupported",)),
        "top_p": Field(f"{_CONFIG}.topP", model_rows=("sampling.unsupported",)),
        "frequency_penalty": Field(
            f"{_CONFIG}.frequencyPenalty", model_rows=("penalty.unsupported",)
        ),
        "presence_penalty": Field(
            f"{_CONFIG}.presencePenalty", model_rows=("penalty.unsupported",)
        ),
        "seed": Field(f"{_CONFIG}.seed"),
        "logit_bias": Field(None, ("logit_bias",), neutral={}),
        "reasoning_effort": Field(
            f"{_CONFIG}.thinkingConfig",
            ("reasoning_effort.unsupported",),
            model_rows=(
                "reasoning_effort.thinking",
                "reasoning_effort.level",
                "reasoning_effort.none",
            ),
        ),
        # The rest.
        "stream": Field("(the URL)"),
        "stream_options": Field(implied=True),
        "stream_options.include_usage": Field(implied=True),
        "stream_options.include_obfuscation": Field(None, ("stream_options",)),
        "user": Field(None, ("user.none",)),
        "safety_identifier": Field(None, ("user.none",)),
        "metadata": Field(None, ("metadata.none",), neutral={}),
        "store": Field(None, ("store",), neutral=False),
        "service_tier": Field("serviceTier", ("service_tier",)),
        "prompt_cache_key": Field(None, ("prompt_cache.implicit",)),
        "prompt_cache_options": Field(None, ("prompt_cache.implicit",), whole=True),
        "prompt_cache_retention": Field(None, ("prompt_cache.implicit",)),
        "moderation": Field(None, ("moderation",), whole=True),
        "(another parameter)": Field(None, ("param.unknown",)),
    }
)

# What the encoder does with each parameter: `None`, or the loss row of one that it drops.
REQUEST_PARAMETERS = REQUEST_FIELDS.parameters()
