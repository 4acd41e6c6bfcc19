"""Field table of Bedrock requests as a source: each field's canonical counterpart and losses.

Source: botocore 1.44.8 (`data/bedrock-runtime/2023-09-30`, read 2026-11-30).
"""

from __future__ import annotations

from specado.losses.field import SAME, Field, FieldTable

__all__ = ["SOURCE_FIELDS", "SOURCE_MEMBERS", "SOURCE_PARAMETERS"]

_BLOCKS = "messages[].content[]"
_CONTENT = "messages[].content"
_USER = "messages[user].content"
_CALL = "messages[assistant].tool_calls[function]"
_RESULT = f"{_BLOCKS}.toolResult"
_SPEC = "toolConfig.tools[].toolSpec"
_FORMAT = "outputConfig.textFormat"
_SCHEMA = f"{_FORMAT}.structure.jsonSchema"
_FAMILY = "additionalModelRequestFields."
_S3 = "bedrock.s3"
_CACHE_ROWS = ("bedrock.cache_point", "bedrock.cache_point_alone")
_GUARD = Field(_CONTENT, ("bedrock.guard_content",), whole=True)
_BLOCK = Field(None, ("bedrock.block",), whole=True)
_DOCUMENT_ROWS = ("bedrock.document_text", "bedrock.document_context", "bedrock.citations", _S3)

# The canonical counterpart of each field of a Converse request.
SOURCE_FIELDS = FieldTable(
    {
        # Part of the URL: a caller of `translate` writes them beside the body's members.
        "model": Field(SAME, ("bedrock.prompt",)),
        "modelId": Field("model", ("bedrock.prompt",)),
        "stream": Field(SAME),
        # Messages.
        "messages": Field("messages", ("messages.blank", "bedrock.prefill")),
        "messages[].role": Field("messages[].role"),
        "messages[].content": Field(_CONTENT, ("bedrock.block_order",)),
        f"{_BLOCKS}.text": Field(_CONTENT),
        f"{_BLOCKS}.image": Field(f"{_USER}[image_url]", (_S3, "bedrock.block"), whole=True),
        f"{_BLOCKS}.document": Field(f"{_USER}[file]", _DOCUMENT_ROWS, whole=True),
        f"{_BLOCKS}.audio": Field(
            f"{_USER}[input_audio]", ("bedrock.audio_format", _S3, "bedrock.block"), whole=True
        ),
        f"{_BLOCKS}.video": Field(None, ("bedrock.video",), whole=True),
        f"{_BLOCKS}.toolUse": Field(_CALL, ("bedrock.block",)),
        f"{_BLOCKS}.toolUse.toolUseId": Field(f"{_CALL}.id"),
        f"{_BLOCKS}.toolUse.name": Field(f"{_CALL}.function.name"),
        f"{_BLOCKS}.toolUse.input": Field(f"{_CALL}.function.arguments", whole=True),
        f"{_BLOCKS}.toolUse.type": Field(rows=("bedrock.block",), implied=True),
        _RESULT: Field("messages[tool]", ("bedrock.block",)),
        f"{_RESULT}.toolUseId": Field("messages[tool].tool_call_id"),
        f"{_RESULT}.content": Field("messages[tool].content"),
        f"{_RESULT}.content[].text": Field("messages[tool].content"),
        f"{_RESULT}.content[].json": Field(
            "messages[tool].content", ("bedrock.result_json",), whole=True
        ),
        f"{_RESULT}.content[].image": Field(
            f"{_USER}[image_url]", ("bedrock.result_media", _S3), whole=True
        ),
        f"{_RESULT}.content[].document": Field(
            f"{_USER}[file]", ("bedrock.result_media", *_DOCUMENT_ROWS), whole=True
        ),
        f"{_RESULT}.content[].video": Field(None, ("bedrock.video",), whole=True),
        f"{_RESULT}.content[].searchResult": Field(
            "messages[tool].content", ("bedrock.search_result", "bedrock.citations"), whole=True
        ),
        f"{_RESULT}.status": Field("messages[tool].content", ("bedrock.result_status",)),
        f"{_RESULT}.type": Field(implied=True),
        f"{_BLOCKS}.guardContent": _GUARD,
        f"{_BLOCKS}.cachePoint": Field(f"{_CONTENT}[].cache_control", _CACHE_ROWS, whole=True),
        f"{_BLOCKS}.reasoningContent": Field(
            "messages[assistant].reasoning_details", ("bedrock.block",), whole=True
        ),
        f"{_BLOCKS}.citationsContent": Field(_CONTENT, ("bedrock.citations",), whole=True),
        f"{_BLOCKS}.searchResult": Field(
            _CONTENT, ("bedrock.search_result", "bedrock.citations"), whole=True
        ),
        f"{_BLOCKS}.toolAddition": _BLOCK,
        f"{_BLOCKS}.toolRemoval": _BLOCK,
        "(another key of a block)": Field(None, ("part.unknown_key",)),
        "system": Field("messages[system].content"),
        "system[].text": Field("messages[system].content"),
        "system[].guardContent": Field(
            "messages[system].content", ("bedrock.guard_content",), whole=True
        ),
        "system[].cachePoint": Field(
            "messages[system].content[].cache_control", _CACHE_ROWS, whole=True
        ),
        # Tools.
        "toolConfig": Field("tools"),
        "toolConfig.tools": Field("tools"),
        _SPEC: Field("tools[function]"),
        f"{_SPEC}.name": Field("tools[function].function.name"),
        f"{_SPEC}.description": Field("tools[function].function.description"),
        f"{_SPEC}.inputSchema": Field("tools[function].function.parameters"),
        f"{_SPEC}.inputSchema.json": Field("tools[function].function.parameters", whole=True),
        f"{_SPEC}.strict": Field("tools[function].function.strict", ("bedrock.tool_strict",)),
        "toolConfig.tools[].systemTool": Field(
            "web_search_options", ("bedrock.system_tool",), whole=True
        ),
        "toolConfig.tools[].cachePoint": Field("tools[].cache_control", _CACHE_ROWS, whole=True),
        "toolConfig.toolChoice": Field("tool_choice", ("tool_choice.without_tools",)),
        "toolConfig.toolChoice.auto": Field("tool_choice", whole=True),
        "toolConfig.toolChoice.any": Field("tool_choice", whole=True),
        "toolConfig.toolChoice.tool": Field("tool_choice[function]"),
        "toolConfig.toolChoice.tool.name": Field("tool_choice[function].function.name"),
        # The answer's form and length, and sampling.
        "inferenceConfig": Field(implied=True),
        "inferenceConfig.maxTokens": Field("max_tokens"),
        "inferenceConfig.temperature": Field("temperature"),
        "inferenceConfig.topP": Field("top_p"),
        "inferenceConfig.stopSequences": Field("stop", ("stop.too_many",)),
        "outputConfig": Field("response_format"),
        _FORMAT: Field("response_format[json_schema]"),
        f"{_FORMAT}.type": Field("response_format[json_schema].type"),
        f"{_FORMAT}.structure": Field("response_format[json_schema].json_schema"),
        _SCHEMA: Field("response_format[json_schema].json_schema"),
        f"{_SCHEMA}.schema": Field(
            "response_format[json_schema].json_schema.schema",
            ("bedrock.format_root", "bedrock.format_strict"),
        ),
        f"{_SCHEMA}.name": Field(
            "response_format[json_schema].json_schema.name", ("bedrock.format_name",)
        ),
        f"{_SCHEMA}.description": Field("response_format[json_schema].json_schema.description"),
        "outputConfig.effort": Field(
            "reasoning_effort", ("bedrock.effort_disabled", "bedrock.effort_twice")
        ),
        # What differs by the model's family.
        "additionalModelRequestFields": Field(implied=True),
        f"{_FAMILY}thinking": Field(
            "reasoning_effort",
            ("bedrock.thinking_budget", "bedrock.thinking_adaptive"),
            whole=True,
        ),
        f"{_FAMILY}reasoning_config": Field(
            "reasoning_effort",
            ("bedrock.thinking_budget", "bedrock.thinking_adaptive"),
            whole=True,
        ),
        f"{_FAMILY}reasoning_effort": Field("reasoning_effort", ("bedrock.effort_twice",)),
        f"{_FAMILY}reasoningConfig": Field(
            "reasoning_effort", ("bedrock.model_field",), whole=True
        ),
        f"{_FAMILY}output_config": Field("reasoning_effort", ("bedrock.model_field",), whole=True),
        f"{_FAMILY}top_k": Field(None, ("bedrock.top_k",)),
        f"{_FAMILY}topK": Field(None, ("bedrock.top_k",)),
        f"{_FAMILY}inferenceConfig": Field(
            None, ("bedrock.top_k", "bedrock.model_field"), whole=True
        ),
        f"{_FAMILY}tool_choice": Field("parallel_tool_calls", ("bedrock.model_field",), whole=True),
        "(another member of additionalModelRequestFields)": Field(None, ("bedrock.model_field",)),
        "additionalModelResponseFieldPaths": Field(None, ("bedrock.response_fields",), whole=True),
        # The rest.
        "guardrailConfig": Field(None, ("bedrock.guardrail",), whole=True),
        "promptVariables": Field(None, ("bedrock.prompt",), whole=True),
        "requestMetadata": Field("metadata", whole=True),
        "performanceConfig": Field(rows=("bedrock.performance",), implied=True),
        "performanceConfig.latency": Field(rows=("bedrock.performance",), implied=True),
        "serviceTier": Field("service_tier", ("service_tier",)),
        "serviceTier.type": Field("service_tier", ("service_tier",)),
        "projectIdentifier": Field(None, ("bedrock.project",)),
        "(another parameter)": Field(None, ("param.unknown",)),
    }
)

# What the decoder does with each member: `None`, or the loss row of one that it drops.
SOURCE_PARAMETERS = SOURCE_FIELDS.parameters()
# Members that the decoder knows; those of JSON text that it does not know stay raw JSON.
SOURCE_MEMBERS = frozenset(SOURCE_PARAMETERS)
