"""Hold request bodies against `google-genai`'s models, strictly, and against rules they leave out.

The package refuses unknown members; what it does not check is checked here: one kind of data in
each part, roles, names, the order of calls and results, the subset of JSON Schema, ranges.
"""

from __future__ import annotations

import functools
import json
import re
import warnings
from typing import Any, Optional

import pytest

__all__ = ["problems"]

_KINDS = {
    "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode",
    "codeExecutionResult", "toolCall", "toolResponse",
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")
_SCHEMA_KEYWORDS = {
    "$id", "$defs", "$ref", "$anchor", "type", "format", "title", "description", "enum", "items",
    "prefixItems", "minItems", "maxItems", "minimum", "maximum", "anyOf", "oneOf", "properties",
    "additionalProperties", "required", "propertyOrdering",
}  # fmt: skip
_ENUMS = {
    "mode": {"AUTO", "ANY", "NONE", "VALIDATED"},
    "thinkingLevel": {"MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"},
    "serviceTier": {"flex", "standard", "priority"},
}
_MEDIA = re.compile(
    r"image/(png|jpeg|webp|heic|heif)|audio/(wav|mp3|aiff|aac|ogg|flac)|video/[\w-]+"
    r"|application/pdf|text/[\w-]+"
)


@functools.cache
def _model() -> Any:
    types = pytest.importorskip("google.genai.types", reason="google-genai needs Python 3.10")
    import pydantic

    class Body(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(extra="forbid")

        contents: list[types.Content]
        systemInstruction: Optional[types.Content] = None
        generationConfig: Optional[types.GenerationConfig] = None
        tools: Optional[list[types.Tool]] = None
        toolConfig: Optional[types.ToolConfig] = None
        safetySettings: Optional[list[types.SafetySetting]] = None
        cachedContent: Optional[str] = None
        labels: Optional[dict[str, str]] = None
        serviceTier: Optional[types.ServiceTier] = None
        store: Optional[bool] = None

    return Body


def problems(body: bytes) -> list[str]:
    """Return what is wrong with the body of a `generateContent` request."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # an unknown word of an enumeration only warns
        try:
            _model().model_validate_json(body)
        except Exception as error:  # noqa: BLE001 - pydantic's, or the warning
            return [str(error)]
    data = json.loads(body)
    found = _snake_members(data, "")
    found += _in_contents(data["contents"])
    for part in data.get("systemInstruction", {}).get("parts", ()):
        if set(part) != {"text"} or not part["text"]:
            found.append("systemInstruction: text only")
    found += _in_config(data.get("generationConfig", {}))
    found += _in_tools(data)
    return found


def _snake_members(value: Any, path: str) -> list[str]:
    """Return the members in snake case, but for those that are the caller's own."""
    if isinstance(value, list):
        return [each for item in value for each in _snake_members(item, path)]
    if not isinstance(value, dict):
        return []
    found = []
    for name, item in value.items():
        if "_" in name:
            found.append(f"{path}.{name}: snake case")
        if name not in ("args", "response", "parametersJsonSchema", "responseJsonSchema", "labels"):
            found += _snake_members(item, f"{path}.{name}")
    return found


def _in_contents(contents: list[Any]) -> list[str]:
    found = [] if contents else ["contents: none"]
    waiting: list[str] = []
    for place, content in enumerate(contents):
        where = f"contents[{place}]"
        if content.get("role") not in ("user", "model"):
            found.append(f"{where}.role: {content.get('role')!r}")
        if not content.get("parts"):
            found.append(f"{where}.parts: none")
        for part in content["parts"]:
            found += _in_part(part, where, content["role"])
        results = [
            part["functionResponse"]["name"]
            for part in content["parts"]
            if "functionResponse" in part
        ]
        if results != waiting:
            found.append(f"{where}: results {results} for calls {waiting}")
        waiting = [
            part["functionCall"]["name"] for part in content["parts"] if "functionCall" in part
        ]
    return found


def _in_part(part: dict[str, Any], where: str, role: str) -> list[str]:
    kinds = _KINDS & part.keys()
    found = [] if len(kinds) == 1 else [f"{where}: a part of {sorted(kinds)}"]
    if part.get("text") == "" and "thoughtSignature" not in part:
        found.append(f"{where}: an empty text")
    call, result = part.get("functionCall"), part.get("functionResponse")
    if call is not None and (role != "model" or not isinstance(call.get("args"), dict)):
        found.append(f"{where}: a call of the {role} with {call.get('args')!r}")
    if result is not None and (role != "user" or not isinstance(result.get("response"), dict)):
        found.append(f"{where}: a result of the {role} with {result.get('response')!r}")
    named = call or result
    if named is not None and not _NAME.fullmatch(named["name"]):
        found.append(f"{where}: the name {named['name']!r}")
    for medium in (part, *(result or {}).get("parts", ())):
        data = medium.get("inlineData") or medium.get("fileData")
        if data is not None and not _MEDIA.fullmatch(data["mimeType"]):
            found.append(f"{where}: the media type {data['mimeType']!r}")
    return found


def _in_config(config: dict[str, Any]) -> list[str]:
    found = []
    if not 0 <= config.get("temperature", 0) <= 2:
        found.append("temperature")
    if not 0 < len(config.get("stopSequences", "s")) <= 5:
        found.append("stopSequences")
    if not 1 <= config.get("candidateCount", 1) <= 8:
        found.append("candidateCount")
    thinking = config.get("thinkingConfig", {})
    if "thinkingLevel" in thinking and "thinkingBudget" in thinking:
        found.append("thinkingConfig: both a level and a budget")
    if thinking.get("thinkingLevel", "LOW") not in _ENUMS["thinkingLevel"]:
        found.append("thinkingLevel")
    if "responseJsonSchema" in config:
        found += _in_schema(config["responseJsonSchema"], "responseJsonSchema")
        if config.get("responseMimeType") != "application/json":
            found.append("responseMimeType: missing beside a schema")
    if "logprobs" in config and not config.get("responseLogprobs"):
        found.append("logprobs: without responseLogprobs")
    return found


def _in_tools(data: dict[str, Any]) -> list[str]:
    found = []
    names = set()
    for tool in data.get("tools", ()):
        for function in tool.get("functionDeclarations", ()):
            names.add(function["name"])
            if not _NAME.fullmatch(function["name"]):
                found.append(f"tools: the name {function['name']!r}")
            schema = function.get("parametersJsonSchema")
            if schema is not None:
                found += _in_schema(schema, function["name"])
                if schema.get("type") != "object":
                    found.append(f"tools: {function['name']} takes no object")
    if "toolConfig" in data:
        calling = data["toolConfig"]["functionCallingConfig"]
        if not names:
            found.append("toolConfig: without functions")
        if calling["mode"] not in _ENUMS["mode"]:
            found.append("toolConfig: mode")
        if not set(calling.get("allowedFunctionNames", ())) <= names:
            found.append("toolConfig: a name that is not declared")
        if "allowedFunctionNames" in calling and calling["mode"] not in ("ANY", "VALIDATED"):
            found.append("toolConfig: names without mode ANY")
    if data.get("serviceTier", "flex") not in _ENUMS["serviceTier"]:
        found.append("serviceTier")
    return found


def _in_schema(schema: Any, where: str) -> list[str]:
    if isinstance(schema, list):
        return [each for item in schema for each in _in_schema(item, where)]
    if not isinstance(schema, dict):
        return []
    found = [f"{where}: {name}" for name in schema if name not in _SCHEMA_KEYWORDS]
    if "$ref" in schema and any(not name.startswith("$") for name in schema):
        found.append(f"{where}: members beside $ref")
    for name, value in schema.items():
        if name in ("properties", "$defs"):
            found += [each for item in value.values() for each in _in_schema(item, where)]
        elif name in ("items", "additionalProperties", "anyOf", "oneOf", "prefixItems"):
            found += _in_schema(value, where)
    return found
