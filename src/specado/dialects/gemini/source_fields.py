"""Field table of Gemini requests as a source: each field's canonical counterpart and losses.

Source: `google.genai.types` (3.6.1, read 2026-11-30) and Google's API reference.
"""

from __future__ import annotations

from specado.losses.field import SAME, Field, FieldTable

__all__ = ["SETTINGS", "SOURCE_FIELDS", "SOURCE_MEMBERS", "SOURCE_PARAMETERS"]

_PARTS = "contents[].parts[]"
_USER = "messages[user].content"
_CALL = "messages[assistant].tool_calls[function]"
_CONFIG = "generationConfig."
_FUNCTION = "tools[].functionDeclarations[]"
_SERVER_PART = Field(None, ("gemini.server_part",), whole=True)
_SERVER_TOOL = Field(None, ("gemini.server_tool",), whole=True)
_PART_OPTION = Field(None, ("gemini.part_option",), whole=True)
_GENERATION = Field(None, ("gemini.generation",), whole=True)
_SCHEMA = "response_format[json_schema].json_schema.schema"
_FORMAT_ROWS = (
    "gemini.format_name",
    "gemini.format_strict",
    "gemini.format_root",
    "response_format.closed",
)
_MEDIA_ROWS = ("gemini.video", "gemini.audio_format", "gemini.model_media")

# The canonical counterpart of each field of a `generateContent` request.
SOURCE_FIELDS = FieldTable(
    {
        # Part of the URL: a caller of `translate` writes them beside the body's members.
        "model": Field(SAME),
        "stream": Field(SAME),
        # Messages.
        "contents": Field("messages", ("messages.blank", "native.order")),
        "contents[].role": Field("messages[].role"),
        "contents[].parts": Field("messages[].content"),
        f"{_PARTS}.text": Field("messages[].content"),
        f"{_PARTS}.thought": Field("messages[assistant].reasoning_details"),
        f"{_PARTS}.thoughtSignature": Field("messages[assistant].reasoning_details"),
        f"{_PARTS}.functionCall": Field(_CALL),
        f"{_PARTS}.functionCall.id": Field(f"{_CALL}.id", ("gemini.call_id",)),
        f"{_PARTS}.functionCall.name": Field(f"{_CALL}.function.name"),
        f"{_PARTS}.functionCall.args": Field(f"{_CALL}.function.arguments", whole=True),
        f"{_PARTS}.functionCall.partialArgs": Field(None, ("part.unknown_key",), whole=True),
        f"{_PARTS}.functionCall.willContinue": Field(None, ("part.unknown_key",)),
        f"{_PARTS}.functionResponse": Field("messages[tool]"),
        f"{_PARTS}.functionResponse.id": Field(
            "messages[tool].tool_call_id", ("gemini.call_order",)
        ),
        f"{_PARTS}.functionResponse.name": Field("messages[tool].tool_call_id"),
        f"{_PARTS}.functionResponse.response": Field(
            "messages[tool].content", ("gemini.result",), whole=True
        ),
        f"{_PARTS}.functionResponse.parts": Field(_USER, ("gemini.result_media",), whole=True),
        f"{_PARTS}.functionResponse.scheduling": Field(None, ("part.unknown_key",)),
        f"{_PARTS}.functionResponse.willContinue": Field(None, ("part.unknown_key",)),
        f"{_PARTS}.inlineData": Field(_USER, _MEDIA_ROWS),
        f"{_PARTS}.inlineData.data": Field(_USER),
        f"{_PARTS}.inlineData.mimeType": Field(_USER),
        f"{_PARTS}.inlineData.displayName": Field(
            f"{_USER}[file].file.filename", ("gemini.file_name", "part.unknown_key")
        ),
        f"{_PARTS}.fileData": Field(
            f"{_USER}[image_url]", ("file.id", "gemini.file_uri", *_MEDIA_ROWS)
        ),
        f"{_PARTS}.fileData.fileUri": Field(f"{_USER}[image_url].image_url.url"),
        f"{_PARTS}.fileData.mimeType": Field(implied=True),
        f"{_PARTS}.fileData.displayName": Field(None, ("part.unknown_key",)),
        f"{_PARTS}.executableCode": _SERVER_PART,
        f"{_PARTS}.codeExecutionResult": _SERVER_PART,
        f"{_PARTS}.toolCall": _SERVER_PART,
        f"{_PARTS}.toolResponse": _SERVER_PART,
        f"{_PARTS}.mediaResolution": Field(
            f"{_USER}[image_url].image_url.detail",
            ("gemini.media_resolution", "gemini.part_option"),
            whole=True,
        ),
        f"{_PARTS}.audioMetadata": _PART_OPTION,
        f"{_PARTS}.audioTranscription": _PART_OPTION,
        f"{_PARTS}.documentMetadata": _PART_OPTION,
        f"{_PARTS}.mediaProcessing": _PART_OPTION,
        f"{_PARTS}.partMetadata": _PART_OPTION,
        f"{_PARTS}.speechMetadata": _PART_OPTION,
        f"{_PARTS}.spreadsheetMetadata": _PART_OPTION,
        f"{_PARTS}.videoMetadata": _PART_OPTION,
        "(another key of a part)": Field(None, ("part.unknown_key",)),
        "systemInstruction": Field("messages[system].content"),
        "systemInstruction.role": Field(implied=True),
        "systemInstruction.parts": Field("messages[system].content", ("system.part",), whole=True),
        # Tools.
        "tools": Field(SAME),
        "tools[].functionDeclarations": Field("tools[function]"),
        f"{_FUNCTION}.name": Field("tools[function].function.name"),
        f"{_FUNCTION}.description": Field("tools[function].function.description"),
        f"{_FUNCTION}.parameters": Field(
            "tools[function].function.parameters", ("gemini.schema",), whole=True
        ),
        f"{_FUNCTION}.parametersJsonSchema": Field(
            "tools[function].function.parameters", whole=True
        ),
        f"{_FUNCTION}.response": Field(None, ("gemini.tool_option",), whole=True),
        f"{_FUNCTION}.responseJsonSchema": Field(None, ("gemini.tool_option",), whole=True),
        f"{_FUNCTION}.behavior": Field(None, ("gemini.tool_option",)),
        "tools[].googleSearch": Field("web_search_options", ("gemini.search_option",), whole=True),
        "tools[].googleSearchRetrieval": Field(
            "web_search_options", ("gemini.search_option",), whole=True
        ),
        **{
            f"tools[].{name}": _SERVER_TOOL
            for name in (
                "codeExecution",
                "computerUse",
                "enterpriseWebSearch",
                "exaAiSearch",
                "fileSearch",
                "googleMaps",
                "mcpServers",
                "parallelAiSearch",
                "retrieval",
                "urlContext",
            )
        },
        "toolConfig": Field("tool_choice"),
        "toolConfig.functionCallingConfig": Field("tool_choice"),
        "toolConfig.functionCallingConfig.mode": Field(
            "tool_choice",
            ("gemini.validated", "gemini.tool_strict", "tool_choice.without_tools"),
        ),
        "toolConfig.functionCallingConfig.allowedFunctionNames": Field(
            "tool_choice[allowed_tools]"
        ),
        "toolConfig.functionCallingConfig.streamFunctionCallArguments": Field(
            None, ("gemini.tool_option",)
        ),
        "toolConfig.retrievalConfig": Field(None, ("gemini.tool_option",), whole=True),
        "toolConfig.includeServerSideToolInvocations": Field(None, ("gemini.tool_option",)),
        # The answer's form and length.
        "generationConfig": Field(implied=True),
        f"{_CONFIG}maxOutputTokens": Field("max_tokens"),
        f"{_CONFIG}stopSequences": Field("stop", ("stop.too_many",)),
        f"{_CONFIG}candidateCount": Field("n"),
        f"{_CONFIG}responseMimeType": Field("response_format", ("response_format.unsupported",)),
        f"{_CONFIG}responseSchema": Field(_SCHEMA, ("gemini.schema", *_FORMAT_ROWS), whole=True),
        f"{_CONFIG}responseJsonSchema": Field(_SCHEMA, _FORMAT_ROWS, whole=True),
        f"{_CONFIG}responseFormat": Field(None, ("response_format.unsupported",), whole=True),
        f"{_CONFIG}responseModalities": Field(rows=("gemini.modalities",), implied=True),
        f"{_CONFIG}responseLogprobs": Field("logprobs"),
        f"{_CONFIG}logprobs": Field("top_logprobs"),
        # Sampling and reasoning.
        f"{_CONFIG}temperature": Field("temperature"),
        f"{_CONFIG}topP": Field("top_p"),
        f"{_CONFIG}topK": Field(None, ("gemini.top_k",)),
        f"{_CONFIG}seed": Field("seed"),
        f"{_CONFIG}presencePenalty": Field("presence_penalty"),
        f"{_CONFIG}frequencyPenalty": Field("frequency_penalty"),
        f"{_CONFIG}thinkingConfig": Field("reasoning_effort"),
        f"{_CONFIG}thinkingConfig.includeThoughts": Field(None, ("gemini.include_thoughts",)),
        f"{_CONFIG}thinkingConfig.thinkingBudget": Field(
            "reasoning_effort", ("gemini.thinking_budget",)
        ),
        f"{_CONFIG}thinkingConfig.thinkingLevel": Field("reasoning_effort"),
        # Media in the prompt or the answer, and the backend.
        f"{_CONFIG}mediaResolution": Field(None, ("gemini.media_resolution",)),
        f"{_CONFIG}routingConfig": Field(None, ("gemini.routing",), whole=True),
        f"{_CONFIG}modelSelectionConfig": Field(None, ("gemini.routing",), whole=True),
        **{
            _CONFIG + name: _GENERATION
            for name in (
                "audioTimestamp",
                "audioTranscriptionConfig",
                "enableAffectiveDialog",
                "enableEnhancedCivicAnswers",
                "imageConfig",
                "speechConfig",
                "translationConfig",
            )
        },
        "(another member of generationConfig)": Field(None, ("param.unknown",)),
        # The rest.
        "safetySettings": Field(None, ("gemini.safety_settings",), whole=True),
        "cachedContent": Field(None, ("gemini.cached_content",)),
        "labels": Field(None, ("gemini.labels",), ("param.unknown",), whole=True),
        "serviceTier": Field("service_tier", ("service_tier",)),
        "store": Field(SAME),
        "modelArmorConfig": Field(None, ("gemini.model_armor",), whole=True),
        "continuationToken": Field(None, ("param.unknown",)),
        "outputConfig": Field(None, ("param.unknown",), whole=True),
        "(another parameter)": Field(None, ("param.unknown",)),
    }
)

# What the decoder does with each member: `None`, or the loss row of one that it drops.
SOURCE_PARAMETERS = SOURCE_FIELDS.parameters()
# The same of the members of `generationConfig`.
SETTINGS = FieldTable(
    {
        path[len(_CONFIG) :]: field
        for path, field in SOURCE_FIELDS.items()
        if path.startswith(_CONFIG)
    }
).parameters()


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


# Members that the decoder knows; those of JSON text that it does not know stay raw JSON.
SOURCE_MEMBERS = frozenset(
    spelled for name in SOURCE_PARAMETERS for spelled in (name, _snake(name))
)
