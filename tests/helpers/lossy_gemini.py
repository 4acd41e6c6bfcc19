"""The smallest requests of Gemini's API that lose each row of `specado.losses.rows`."""

from __future__ import annotations

from typing import Any

from lossy_parts import SCHEMA, Lost

GPT = "gpt-4o"
DECLARED = {"name": "f", "parametersJsonSchema": SCHEMA}
TOOLS = [{"functionDeclarations": [DECLARED]}]
CALLED = {"role": "model", "parts": [{"functionCall": {"id": "c1", "name": "f", "args": {}}}]}


def contents(*given: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"contents": list(given), **more}


def user(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a request in which the user says something before *parts*."""
    return contents({"role": "user", "parts": [{"text": "Hello"}, *parts]}, **more)


def configured(**settings: Any) -> dict[str, Any]:
    return user(generationConfig=settings)


def answered(result: dict[str, Any], call: dict[str, Any] = CALLED) -> dict[str, Any]:
    """Return a request in which a function's result answers a call."""
    parts = [{"functionResponse": {"name": "f", **result}}]
    hello = {"role": "user", "parts": [{"text": "Hello"}]}
    return contents(hello, call, {"role": "user", "parts": parts}, tools=TOOLS)


def inline(media: str, **more: Any) -> dict[str, Any]:
    return {"inlineData": {"mimeType": media, "data": "AAAA"}, **more}


PART = "contents[0].parts[1]"
TWICE = {
    "role": "model",
    "parts": [{"functionCall": {"id": id_, "name": "f", "args": {}}} for id_ in ("c1", "c2")],
}
UNNAMED = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}
LOOSE = {"type": "object", "patternProperties": {"^a": {"type": "string"}}}
OUTPUT = {"response": {"output": "done"}}
VALIDATED = {"functionCallingConfig": {"mode": "VALIDATED"}}

FROM_GEMINI: dict[str, Lost] = {
    "gemini.audio_format": Lost(user(inline("audio/flac")), "gpt-4o-audio-preview", PART),
    "gemini.cached_content": Lost(user(cachedContent="cachedContents/a"), GPT, "cachedContent"),
    "gemini.call_id": Lost(answered(OUTPUT, UNNAMED), GPT, "contents[1].parts[0].functionCall"),
    "gemini.call_order": Lost(
        contents(
            {"role": "user", "parts": [{"text": "Hello"}]},
            TWICE,
            {
                "role": "user",
                "parts": [{"functionResponse": {"name": "f", **OUTPUT}} for _ in range(2)],
            },
            tools=TOOLS,
        ),
        GPT,
        "contents[2].parts[0].functionResponse",
    ),
    "gemini.file_name": Lost(user(inline("application/pdf")), GPT, f"{PART}.inlineData"),
    "gemini.file_uri": Lost(
        user({"fileData": {"fileUri": "https://a.example/b.pdf", "mimeType": "application/pdf"}}),
        GPT,
        PART,
    ),
    "gemini.format_name": Lost(
        configured(responseJsonSchema=SCHEMA), GPT, "generationConfig.responseJsonSchema"
    ),
    "gemini.format_root": Lost(
        configured(responseSchema={"type": "ARRAY", "items": {"type": "STRING"}}),
        GPT,
        "generationConfig.responseSchema",
    ),
    "gemini.format_strict": Lost(
        configured(responseJsonSchema=LOOSE), GPT, "generationConfig.responseJsonSchema"
    ),
    "gemini.generation": Lost(
        configured(imageConfig={"aspectRatio": "1:1"}), GPT, "generationConfig.imageConfig"
    ),
    "gemini.include_thoughts": Lost(
        configured(thinkingConfig={"includeThoughts": True}),
        GPT,
        "generationConfig.thinkingConfig.includeThoughts",
    ),
    "gemini.labels": Lost(user(labels={"team": "a"}), GPT, "labels"),
    "gemini.media_resolution": Lost(
        configured(mediaResolution="MEDIA_RESOLUTION_LOW"),
        GPT,
        "generationConfig.mediaResolution",
    ),
    "gemini.modalities": Lost(
        configured(responseModalities=["TEXT", "IMAGE"]),
        GPT,
        "generationConfig.responseModalities",
    ),
    "gemini.model_armor": Lost(
        user(modelArmorConfig={"promptTemplateName": "t"}), GPT, "modelArmorConfig"
    ),
    "gemini.model_media": Lost(
        contents(
            {"role": "user", "parts": [{"text": "Draw"}]},
            {"role": "model", "parts": [inline("image/png")]},
            {"role": "user", "parts": [{"text": "More"}]},
        ),
        GPT,
        "contents[1].parts[0]",
    ),
    "gemini.part_option": Lost(
        user({"text": "Hi", "partMetadata": {"a": 1}}), GPT, f"{PART}.partMetadata"
    ),
    "gemini.result": Lost(
        answered({"id": "c1", "response": {"sum": 3}}),
        GPT,
        "contents[2].parts[0].functionResponse.response",
    ),
    "gemini.result_media": Lost(
        answered({"id": "c1", **OUTPUT, "parts": [inline("image/png")]}),
        GPT,
        "contents[2].parts[0].functionResponse.parts[0]",
    ),
    "gemini.routing": Lost(
        configured(routingConfig={"autoMode": {}}), GPT, "generationConfig.routingConfig"
    ),
    "gemini.safety_settings": Lost(
        user(
            safetySettings=[
                {"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "BLOCK_NONE"},
            ]
        ),
        GPT,
        "safetySettings",
    ),
    "gemini.schema": Lost(
        user(
            tools=[
                {
                    "functionDeclarations": [
                        {
                            "name": "f",
                            "parameters": {
                                "type": "OBJECT",
                                "properties": {"a": {"type": "STRING", "nullable": True}},
                            },
                        }
                    ]
                }
            ]
        ),
        GPT,
        "tools[0].functionDeclarations[0].parameters",
    ),
    "gemini.search_option": Lost(
        user(tools=[{"googleSearch": {"excludeDomains": ["a.example"]}}]),
        "gpt-4o-search-preview",
        "tools[0].googleSearch.excludeDomains",
    ),
    "gemini.server_part": Lost(
        contents(
            {"role": "user", "parts": [{"text": "Hello"}]},
            {
                "role": "model",
                "parts": [
                    {"text": "So:"},
                    {"executableCode": {"language": "PYTHON", "code": "1"}},
                ],
            },
            {"role": "user", "parts": [{"text": "More"}]},
        ),
        GPT,
        "contents[1].parts[1]",
    ),
    "gemini.server_tool": Lost(user(tools=[{"codeExecution": {}}]), GPT, "tools[0].codeExecution"),
    "gemini.thinking_budget": Lost(
        configured(thinkingConfig={"thinkingBudget": 2000}),
        "gpt-5.1",
        "generationConfig.thinkingConfig.thinkingBudget",
    ),
    "gemini.tool_option": Lost(
        user(tools=[{"functionDeclarations": [{**DECLARED, "behavior": "BLOCKING"}]}]),
        GPT,
        "tools[0].functionDeclarations[0].behavior",
    ),
    "gemini.tool_strict": Lost(
        user(
            tools=[{"functionDeclarations": [{"name": "f", "parametersJsonSchema": LOOSE}]}],
            toolConfig=VALIDATED,
        ),
        GPT,
        "tools[0].functionDeclarations[0]",
    ),
    "gemini.top_k": Lost(configured(topK=5), GPT, "generationConfig.topK"),
    "gemini.validated": Lost(
        user(tools=TOOLS, toolConfig=VALIDATED), GPT, "toolConfig.functionCallingConfig.mode"
    ),
    "gemini.video": Lost(user(inline("video/mp4")), GPT, PART),
}
