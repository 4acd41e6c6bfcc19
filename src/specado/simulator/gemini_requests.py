"""Request messages of Google's `generateContent` (simulated API), read as protobuf's JSON.

Source: google-genai 3.6 (`types`) and the API reference, 2026-11-30. Names may be in camel case or
in snake case, an object may stand for a list of one, and null is the same as absent: recorded
requests with each were answered. Rules that a message cannot state are in `gemini_checks`.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Literal, Optional

import msgspec

from specado.simulator.reply import SimulatedError

__all__ = ["Backend", "decoded_bytes", "invalid_argument", "read_message", "snake_case"]

Backend = Literal["studio", "vertex"]

_ENUMS = {
    "Behavior": ("UNSPECIFIED", "BLOCKING", "NON_BLOCKING"),
    "HarmBlockMethod": ("HARM_BLOCK_METHOD_UNSPECIFIED", "SEVERITY", "PROBABILITY"),
    "HarmBlockThreshold": (
        "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
        "BLOCK_LOW_AND_ABOVE",
        "BLOCK_MEDIUM_AND_ABOVE",
        "BLOCK_ONLY_HIGH",
        "BLOCK_NONE",
        "OFF",
    ),
    "HarmCategory": (
        "HARM_CATEGORY_UNSPECIFIED",
        "HARM_CATEGORY_HARASSMENT",
        "HARM_CATEGORY_HATE_SPEECH",
        "HARM_CATEGORY_SEXUALLY_EXPLICIT",
        "HARM_CATEGORY_DANGEROUS_CONTENT",
        "HARM_CATEGORY_CIVIC_INTEGRITY",
        "HARM_CATEGORY_JAILBREAK",
        "HARM_CATEGORY_IMAGE_HATE",
        "HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT",
        "HARM_CATEGORY_IMAGE_HARASSMENT",
        "HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT",
    ),
    "Language": ("LANGUAGE_UNSPECIFIED", "PYTHON"),
    "MediaResolution": (
        "MEDIA_RESOLUTION_UNSPECIFIED",
        "MEDIA_RESOLUTION_LOW",
        "MEDIA_RESOLUTION_MEDIUM",
        "MEDIA_RESOLUTION_HIGH",
        "MEDIA_RESOLUTION_ULTRA_HIGH",
    ),
    "Modality": ("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO", "VIDEO"),
    "Mode": ("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"),
    "Outcome": (
        "OUTCOME_UNSPECIFIED",
        "OUTCOME_OK",
        "OUTCOME_FAILED",
        "OUTCOME_DEADLINE_EXCEEDED",
    ),
    "Scheduling": ("SCHEDULING_UNSPECIFIED", "SILENT", "WHEN_IDLE", "INTERRUPT"),
    "ServiceTier": ("UNSPECIFIED", "FLEX", "STANDARD", "PRIORITY"),
    "ThinkingLevel": (
        "THINKING_LEVEL_UNSPECIFIED",
        "MINIMAL",
        "LOW",
        "MEDIUM",
        "HIGH",
        "XHIGH",
    ),
    "ToolType": (
        "TOOL_TYPE_UNSPECIFIED",
        "GOOGLE_SEARCH_WEB",
        "GOOGLE_SEARCH_IMAGE",
        "URL_CONTEXT",
        "GOOGLE_MAPS",
        "FILE_SEARCH",
        "MEDIA_PROCESSING",
    ),
    "Type": (
        "TYPE_UNSPECIFIED",
        "STRING",
        "NUMBER",
        "INTEGER",
        "BOOLEAN",
        "ARRAY",
        "OBJECT",
        "NULL",
    ),
}
# A field's type is a scalar, `any` or `struct` (plain JSON), an enumeration or a message;
# `[…]` is a list of it, `{…}` a map. After `@` stand the backends that know the field, where not
# all do: `vertex`, `studio`, or `not-vertex-v1`.
_MESSAGES = {
    "GenerateContentRequest": {
        "contents": "[Content]",
        "systemInstruction": "Content",
        "tools": "[Tool]",
        "toolConfig": "ToolConfig",
        "safetySettings": "[SafetySetting]",
        "generationConfig": "GenerationConfig",
        "cachedContent": "string",
        "labels": "{string}@vertex",
        "serviceTier": "ServiceTier",
        "store": "bool@studio",
        "modelArmorConfig": "ModelArmorConfig@vertex",
        "continuationToken": "bytes",
        "outputConfig": "struct@vertex",
        "model": "string",
    },
    "CountTokensRequest": {
        "contents": "[Content]",
        "generateContentRequest": "GenerateContentRequest@studio",
        "systemInstruction": "Content@vertex",
        "tools": "[Tool]@vertex",
        "generationConfig": "GenerationConfig@vertex",
        "model": "string",
    },
    "ModelArmorConfig": {"promptTemplateName": "string", "responseTemplateName": "string"},
    "Content": {"role": "string", "parts": "[Part]"},
    "Part": {
        "text": "string",
        "inlineData": "Blob",
        "fileData": "FileData",
        "functionCall": "FunctionCall",
        "functionResponse": "FunctionResponse",
        "executableCode": "ExecutableCode",
        "codeExecutionResult": "CodeExecutionResult",
        "toolCall": "ToolCall@studio",
        "toolResponse": "ToolResponse@studio",
        "thought": "bool",
        "thoughtSignature": "bytes",
        "videoMetadata": "VideoMetadata",
        "mediaResolution": "PartMediaResolution",
        "partMetadata": "struct@studio",
    },
    "Blob": {"mimeType": "string", "data": "bytes", "displayName": "string@vertex"},
    "FileData": {"mimeType": "string", "fileUri": "string", "displayName": "string@vertex"},
    "FunctionCall": {
        "id": "string@not-vertex-v1",
        "name": "string",
        "args": "struct",
        "partialArgs": "any@vertex",
        "willContinue": "bool@vertex",
    },
    "FunctionResponse": {
        "id": "string@not-vertex-v1",
        "name": "string",
        "response": "struct",
        "parts": "[FunctionResponsePart]",
        "willContinue": "bool@studio",
        "scheduling": "Scheduling",
    },
    "FunctionResponsePart": {
        "inlineData": "FunctionResponseBlob",
        "fileData": "FunctionResponseFileData",
        "mediaResolution": "PartMediaResolution",
        "videoMetadata": "VideoMetadata",
    },
    "FunctionResponseBlob": {"mimeType": "string", "data": "bytes", "displayName": "string"},
    "FunctionResponseFileData": {
        "mimeType": "string",
        "fileUri": "string",
        "displayName": "string",
    },
    "ExecutableCode": {"id": "string", "language": "Language", "code": "string"},
    "CodeExecutionResult": {"id": "string", "outcome": "Outcome", "output": "string"},
    "ToolCall": {"id": "string", "toolType": "ToolType", "args": "struct"},
    "ToolResponse": {"id": "string", "toolType": "ToolType", "response": "struct"},
    "VideoMetadata": {"startOffset": "string", "endOffset": "string", "fps": "float"},
    "PartMediaResolution": {"level": "MediaResolution", "numTokens": "int32"},
    "Tool": {
        "functionDeclarations": "[FunctionDeclaration]",
        "googleSearch": "struct",
        "googleSearchRetrieval": "struct",
        "urlContext": "struct",
        "codeExecution": "struct",
        "computerUse": "struct",
        "fileSearch": "struct@studio",
        "googleMaps": "struct",
        "mcpServers": "[any]@studio",
        "retrieval": "struct@vertex",
        "enterpriseWebSearch": "struct@vertex",
        "exaAiSearch": "struct@vertex",
        "parallelAiSearch": "struct@vertex",
    },
    "FunctionDeclaration": {
        "name": "string",
        "description": "string",
        "behavior": "Behavior@studio",
        "parameters": "Schema",
        "parametersJsonSchema": "any",
        "response": "Schema",
        "responseJsonSchema": "any",
    },
    "Schema": {
        "type": "Type",
        "format": "string",
        "title": "string",
        "description": "string",
        "nullable": "bool",
        "enum": "[string]",
        "items": "Schema",
        "maxItems": "int64",
        "minItems": "int64",
        "properties": "{Schema}",
        "required": "[string]",
        "minProperties": "int64",
        "maxProperties": "int64",
        "minimum": "float",
        "maximum": "float",
        "minLength": "int64",
        "maxLength": "int64",
        "pattern": "string",
        "example": "any",
        "anyOf": "[Schema]",
        "propertyOrdering": "[string]",
        "default": "any",
        "additionalProperties": "any@vertex",
        "ref": "string@vertex",
        "defs": "{Schema}@vertex",
    },
    "ToolConfig": {
        "functionCallingConfig": "FunctionCallingConfig",
        "retrievalConfig": "struct",
        "includeServerSideToolInvocations": "bool@studio",
    },
    "FunctionCallingConfig": {
        "mode": "Mode",
        "allowedFunctionNames": "[string]",
        "streamFunctionCallArguments": "bool@vertex",
    },
    "SafetySetting": {
        "category": "HarmCategory",
        "threshold": "HarmBlockThreshold",
        "method": "HarmBlockMethod@vertex",
    },
    "GenerationConfig": {
        "temperature": "float",
        "topP": "float",
        "topK": "int32",
        "seed": "int32",
        "presencePenalty": "float",
        "frequencyPenalty": "float",
        "candidateCount": "int32",
        "maxOutputTokens": "int32",
        "stopSequences": "[string]",
        "responseLogprobs": "bool",
        "logprobs": "int32",
        "responseMimeType": "string",
        "responseSchema": "Schema",
        "responseJsonSchema": "any",
        "responseFormat": "any",
        "responseModalities": "[Modality]",
        "speechConfig": "struct",
        "imageConfig": "struct",
        "mediaResolution": "MediaResolution",
        "audioTranscriptionConfig": "struct",
        "translationConfig": "struct",
        "thinkingConfig": "ThinkingConfig",
        "enableEnhancedCivicAnswers": "bool@studio",
        "audioTimestamp": "bool@vertex",
        "routingConfig": "struct@vertex",
        "modelSelectionConfig": "struct@vertex",
        "enableAffectiveDialog": "bool@vertex",
    },
    "ThinkingConfig": {
        "includeThoughts": "bool",
        "thinkingBudget": "int32",
        "thinkingLevel": "ThinkingLevel",
    },
}
# The members of which a part may have one only.
PART_DATA = (
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
)
_CAMEL = re.compile(r"_([a-z0-9])")
_UPPER = re.compile(r"[A-Z]")
# JSON Schema's names are written with a `$`, protobuf's are not.
_DOLLAR = {"$ref": "ref", "$defs": "defs"}
_PACKAGES = {
    "studio": "google.ai.generativelanguage.v1beta",
    "vertex": "google.cloud.aiplatform.v1beta1",
}
_MOST_DEPTH = 100


def snake_case(name: str) -> str:
    """Return a field's name as Google's error messages write it."""
    return _UPPER.sub(lambda found: f"_{found[0].lower()}", name)


def invalid_argument(
    message: str, violations: Optional[list[tuple[str, str]]] = None
) -> SimulatedError:
    """Return Google's error for a request that it does not take."""
    details: tuple[dict[str, Any], ...] = ()
    if violations:
        listed = [{"field": where, "description": what} for where, what in violations]
        details = (
            {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": listed},
        )
    return SimulatedError(message, type="INVALID_ARGUMENT", details=details)


def decoded_bytes(text: str) -> bytes | None:
    """Decode base64 *text* of either alphabet; `None` if it is not base64."""
    plain = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


class _Field(msgspec.Struct, frozen=True):
    """Type of a field, and the backends that know it."""

    kind: str
    shape: Literal["one", "list", "map"] = "one"
    only: str = ""


def _field(text: str) -> _Field:
    kind, _, only = text.partition("@")
    if kind[0] == "[":
        return _Field(kind[1:-1], "list", only)
    if kind[0] == "{":
        return _Field(kind[1:-1], "map", only)
    return _Field(kind, "one", only)


_FIELDS = {
    message: {name: _field(text) for name, text in fields.items()}
    for message, fields in _MESSAGES.items()
}


class _Reader:
    """Reads a JSON body as a message and collects what is wrong with it."""

    def __init__(self, backend: Backend, version: str) -> None:
        self.backend = backend
        self.is_vertex_v1 = backend == "vertex" and version == "v1"
        self.violations: list[tuple[str, str]] = []

    def message(self, kind: str, value: Any, where: str, depth: int = 0) -> dict[str, Any]:
        """Return *value* with its members' names in camel case."""
        if depth > _MOST_DEPTH:
            raise RecursionError
        if not isinstance(value, dict):
            self._wrong(where, f"type.googleapis.com/{_PACKAGES[self.backend]}.{kind}", value)
            return {}
        fields = _FIELDS[kind]
        made: dict[str, Any] = {}
        for given, member in value.items():
            name = _DOLLAR.get(given) or _CAMEL.sub(lambda found: found[1].upper(), given)
            field = fields.get(name)
            if field is None or not self._knows(field):
                self._unknown(given, where, "Cannot find field.")
            elif member is not None:
                path = f"{where}.{snake_case(name)}" if where else snake_case(name)
                made[name] = self._member(field, member, path, (given, where), depth)
        if kind == "Part":
            self._check_one_of(made, where)
        return made

    def _check_one_of(self, part: dict[str, Any], where: str) -> None:
        given = [name for name in PART_DATA if name in part]
        for name in given[1:]:
            self.violations.append(
                (
                    where,
                    (
                        f"Invalid value at '{where}' (oneof), oneof field 'data' is already set. "
                        f"Cannot set '{name}'"
                    ),
                )
            )

    def _knows(self, field: _Field) -> bool:
        if field.only == "not-vertex-v1":
            return not self.is_vertex_v1
        return field.only in ("", self.backend)

    def _member(
        self, field: _Field, value: Any, path: str, named: tuple[str, str], depth: int
    ) -> Any:
        if field.shape == "list":
            values = value if isinstance(value, list) else [value]
            return [
                self._value(field.kind, item, f"{path}[{place}]", depth)
                for place, item in enumerate(values)
            ]
        if field.shape == "map":
            if not isinstance(value, dict):
                self._wrong(path, "Map", value)
                return {}
            return {
                name: self._value(field.kind, item, f"{path}[{place}].value", depth)
                for place, (name, item) in enumerate(value.items())
            }
        if isinstance(value, list) and field.kind != "any":
            self._unknown(*named, "Proto field is not repeating, cannot start list.")
            return None
        return self._value(field.kind, value, path, depth)

    def _value(self, kind: str, value: Any, path: str, depth: int) -> Any:
        if kind in _FIELDS:
            return self.message(kind, value, path, depth + 1)
        if kind in _ENUMS:
            return self._enumerated(kind, value, path)
        if kind == "any":
            return value
        if kind == "struct":
            if not isinstance(value, dict):
                self._wrong(path, "type.googleapis.com/google.protobuf.Struct", value)
                return {}
            return value
        made = _SCALARS[kind](value)
        if made is None:
            self._wrong(path, f"TYPE_{kind.upper()}", value)
        return made

    def _enumerated(self, kind: str, value: Any, path: str) -> Any:
        names = _ENUMS[kind]
        if isinstance(value, str) and value.upper() in names:
            return value.upper()
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
            return names[value]
        self._wrong(path, f"type.googleapis.com/{_PACKAGES[self.backend]}.{kind}", value)
        return names[0]

    def _unknown(self, name: str, where: str, why: str) -> None:
        at = f" at '{where}'" if where else ""
        text = f'Invalid JSON payload received. Unknown name "{name}"{at}: {why}'
        self.violations.append((where, text))

    def _wrong(self, path: str, kind: str, value: Any) -> None:
        shown = msgspec.json.encode(value).decode()
        if kind == "TYPE_BYTES" and isinstance(value, str):
            shown = f"Base64 decoding failed for {shown}"
        elif isinstance(value, dict) and kind.startswith("TYPE_"):
            shown = "Starting an object on a scalar field"
        text = f"Invalid value at '{path}' ({kind}), {shown}"
        self.violations.append((path, text))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _bytes(value: Any) -> str | None:
    return value if isinstance(value, str) and decoded_bytes(value) is not None else None


def _bool(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _integer(value: Any) -> int | None:
    made = _number(value)
    return int(made) if made is not None and made == int(made) else None


_SCALARS: dict[str, Any] = {
    "string": _text,
    "bytes": _bytes,
    "bool": _bool,
    "float": _number,
    "int32": _integer,
    "int64": _integer,
}


def read_message(kind: str, body: bytes, backend: Backend, version: str) -> dict[str, Any]:
    """Return the message of type *kind* in *body*, its names in camel case.

    Raises the `SimulatedError` that Google answers to a body of another form, with every
    violation in it.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = "Invalid JSON payload received. Unexpected end of string. Expected a value."
        raise invalid_argument(text, [("", text)]) from None
    reader = _Reader(backend, version)
    made = reader.message(kind, value, "")
    if reader.violations:
        raise invalid_argument("\n".join(what for _, what in reader.violations), reader.violations)
    return made
