"""Request shapes of Bedrock's Converse and ConverseStream (simulated API), and their reader.

Source: the service model of botocore 1.44 (`bedrock-runtime`), read 2026-11-30. Rules that a shape
cannot state are in `bedrock_checks`.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Literal, Optional

import msgspec

from specado.simulator.reply import SimulatedError

__all__ = ["read_converse", "refused"]


def refused(message: str, name: str = "ValidationException", status: int = 400) -> SimulatedError:
    """Return Bedrock's error for a request that it does not take."""
    return SimulatedError(message, status=status, type=name)


class _Scalar(msgspec.Struct, frozen=True):
    """Type of a text, number or flag, and its bounds: of the length, or of the value."""

    kind: Literal["string", "integer", "float", "boolean", "blob", "document"]
    low: Optional[float] = None
    high: Optional[float] = None
    pattern: Optional[str] = None
    enum: tuple[str, ...] = ()


class _Field(msgspec.Struct, frozen=True):
    """Type of a member: a scalar or a shape, or a list or map of them with bounds of its size."""

    kind: str
    shape: Literal["one", "list", "map"] = "one"
    is_required: bool = False
    low: Optional[int] = None
    high: Optional[int] = None


def _enum(text: str) -> _Scalar:
    return _Scalar("string", enum=tuple(text.split()))


_SCALARS = {
    "text": _Scalar("string"),
    "filled": _Scalar("string", 1),
    "blob": _Scalar("blob"),
    "bytes": _Scalar("blob", 1),
    "bool": _Scalar("boolean"),
    "json": _Scalar("document"),
    "position": _Scalar("integer", 0),
    "share": _Scalar("float", 0, 1),
    "tokens": _Scalar("integer", 1),
    "path": _Scalar("string", 1, 256),
    "effort": _Scalar("string", 0, 16),
    "reference": _Scalar("string", 1, 128),
    "referenceType": _Scalar("string", 1, 64),
    "toolName": _Scalar("string", 1, 64, "[a-zA-Z0-9_-]+"),
    "toolUseId": _Scalar("string", 1, 64, "[a-zA-Z0-9_.:-]+"),
    "documentName": _Scalar("string", 1, 200),
    "accountId": _Scalar("string", pattern="[0-9]{12}"),
    "s3Uri": _Scalar("string", 1, 1024, r"s3://[a-z0-9][.\-a-z0-9]{1,61}[a-z0-9](/.*)?"),
    "guardrail": _Scalar(
        "string",
        0,
        2048,
        "(|([a-z0-9]+)|(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:guardrail/[a-z0-9]+))",
    ),
    "guardrailVersion": _Scalar("string", pattern="(|([1-9][0-9]{0,7})|(DRAFT))"),
    "project": _Scalar("string", 1, 2048),
    "metadata": _Scalar("string", 0, 256, r"[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}"),
    "role": _enum("user assistant system"),
    "audioFormat": _enum("mp3 opus wav aac flac mp4 ogg mkv mka x-aac m4a mpeg mpga pcm webm"),
    "documentFormat": _enum("pdf csv doc docx xls xlsx html txt md"),
    "imageFormat": _enum("png jpeg gif webp"),
    "videoFormat": _enum("mkv mov mp4 webm flv mpeg mpg wmv three_gp"),
    "cacheType": _enum("default"),
    "ttl": _enum("5m 1h"),
    "status": _enum("success error"),
    "useType": _enum("server_tool_use"),
    "textFormat": _enum("json_schema"),
    "latency": _enum("standard optimized"),
    "tier": _enum("priority default flex reserved"),
    "trace": _enum("enabled disabled enabled_full"),
    "processing": _enum("sync async"),
    "qualifier": _enum("grounding_source query guard_content"),
}
# `!` is a required member, `[…]` a list, `{…}` a map; after it stand the bounds of its size.
_SHAPES = {
    "ConverseRequest": {
        "messages": "[Message]",
        "system": "[SystemContentBlock]",
        "inferenceConfig": "InferenceConfiguration",
        "toolConfig": "ToolConfiguration",
        "guardrailConfig": "GuardrailConfiguration",
        "projectIdentifier": "project",
        "additionalModelRequestFields": "json",
        "promptVariables": "{PromptVariableValues}",
        "additionalModelResponseFieldPaths": "[path]0..10",
        "requestMetadata": "{metadata}1..16",
        "performanceConfig": "PerformanceConfiguration",
        "serviceTier": "ServiceTier",
        "outputConfig": "OutputConfig",
    },
    "Message": {"role": "role!", "content": "[ContentBlock]!"},
    "SystemContentBlock": {
        "text": "filled",
        "guardContent": "GuardrailConverseContentBlock",
        "cachePoint": "CachePointBlock",
    },
    "ContentBlock": {
        "text": "text",
        "image": "ImageBlock",
        "document": "DocumentBlock",
        "video": "VideoBlock",
        "audio": "AudioBlock",
        "toolUse": "ToolUseBlock",
        "toolResult": "ToolResultBlock",
        "guardContent": "GuardrailConverseContentBlock",
        "cachePoint": "CachePointBlock",
        "reasoningContent": "ReasoningContentBlock",
        "citationsContent": "CitationsContentBlock",
        "searchResult": "SearchResultBlock",
        "toolAddition": "ToolReferenceBlock",
        "toolRemoval": "ToolReferenceBlock",
    },
    "ImageBlock": {"format": "imageFormat!", "source": "MediaSource!", "error": "ErrorBlock"},
    "VideoBlock": {"format": "videoFormat!", "source": "MediaSource!"},
    "AudioBlock": {"format": "audioFormat!", "source": "MediaSource!", "error": "ErrorBlock"},
    "DocumentBlock": {
        "format": "documentFormat",
        "name": "documentName!",
        "source": "DocumentSource!",
        "context": "text",
        "citations": "CitationsConfig",
    },
    "MediaSource": {"bytes": "bytes", "s3Location": "S3Location"},
    "DocumentSource": {
        "bytes": "bytes",
        "s3Location": "S3Location",
        "text": "text",
        "content": "[TextBlock]",
    },
    "TextBlock": {"text": "text"},
    "S3Location": {"uri": "s3Uri!", "bucketOwner": "accountId"},
    "ErrorBlock": {"message": "text"},
    "CitationsConfig": {"enabled": "bool!"},
    "ToolUseBlock": {
        "toolUseId": "toolUseId!",
        "name": "toolName!",
        "input": "json!",
        "type": "useType",
    },
    "ToolResultBlock": {
        "toolUseId": "toolUseId!",
        "content": "[ToolResultContentBlock]!",
        "status": "status",
        "type": "text",
    },
    "ToolResultContentBlock": {
        "json": "json",
        "text": "text",
        "image": "ImageBlock",
        "document": "DocumentBlock",
        "video": "VideoBlock",
        "searchResult": "SearchResultBlock",
    },
    "GuardrailConverseContentBlock": {"text": "GuardrailText", "image": "GuardrailImage"},
    "GuardrailText": {"text": "text!", "qualifiers": "[qualifier]"},
    "GuardrailImage": {"format": "imageFormat!", "source": "GuardrailImageSource!"},
    "GuardrailImageSource": {"bytes": "bytes"},
    "CachePointBlock": {"type": "cacheType!", "ttl": "ttl"},
    "ReasoningContentBlock": {"reasoningText": "ReasoningTextBlock", "redactedContent": "blob"},
    "ReasoningTextBlock": {"text": "text!", "signature": "text"},
    "CitationsContentBlock": {"content": "[TextBlock]", "citations": "[Citation]"},
    "Citation": {
        "title": "text",
        "source": "text",
        "sourceContent": "[TextBlock]",
        "location": "CitationLocation",
    },
    "CitationLocation": {
        "web": "WebLocation",
        "documentChar": "DocumentLocation",
        "documentPage": "DocumentLocation",
        "documentChunk": "DocumentLocation",
        "searchResultLocation": "SearchResultLocation",
    },
    "WebLocation": {"url": "text", "domain": "text"},
    "DocumentLocation": {"documentIndex": "position", "start": "position", "end": "position"},
    "SearchResultLocation": {
        "searchResultIndex": "position",
        "start": "position",
        "end": "position",
    },
    "SearchResultBlock": {
        "source": "text!",
        "title": "text!",
        "content": "[SearchResultText]!",
        "citations": "CitationsConfig",
    },
    "SearchResultText": {"text": "text!"},
    "ToolReferenceBlock": {"tool": "ToolReference!"},
    "ToolReference": {"type": "referenceType", "name": "reference", "serverName": "reference"},
    "InferenceConfiguration": {
        "maxTokens": "tokens",
        "temperature": "share",
        "topP": "share",
        "stopSequences": "[filled]0..2500",
    },
    "ToolConfiguration": {"tools": "[Tool]!1..", "toolChoice": "ToolChoice"},
    "Tool": {
        "toolSpec": "ToolSpecification",
        "systemTool": "SystemTool",
        "cachePoint": "CachePointBlock",
    },
    "ToolSpecification": {
        "name": "toolName!",
        "description": "filled",
        "inputSchema": "ToolInputSchema!",
        "strict": "bool",
    },
    "ToolInputSchema": {"json": "json"},
    "SystemTool": {"name": "toolName!"},
    "ToolChoice": {"auto": "Nothing", "any": "Nothing", "tool": "NamedTool"},
    "Nothing": {},
    "NamedTool": {"name": "toolName!"},
    "GuardrailConfiguration": {
        "guardrailIdentifier": "guardrail",
        "guardrailVersion": "guardrailVersion",
        "trace": "trace",
        "streamProcessingMode": "processing",
    },
    "PromptVariableValues": {"text": "text"},
    "PerformanceConfiguration": {"latency": "latency"},
    "ServiceTier": {"type": "tier!"},
    "OutputConfig": {"textFormat": "OutputFormat", "effort": "effort"},
    "OutputFormat": {"type": "textFormat!", "structure": "OutputFormatStructure!"},
    "OutputFormatStructure": {"jsonSchema": "JsonSchemaDefinition"},
    "JsonSchemaDefinition": {"schema": "text!", "name": "text", "description": "text"},
}
# Shapes of which exactly one member must be given.
_UNIONS = frozenset(
    (
        "SystemContentBlock",
        "ContentBlock",
        "MediaSource",
        "DocumentSource",
        "TextBlock",
        "ToolResultContentBlock",
        "GuardrailConverseContentBlock",
        "GuardrailImageSource",
        "ReasoningContentBlock",
        "CitationLocation",
        "Tool",
        "ToolInputSchema",
        "ToolChoice",
        "PromptVariableValues",
        "OutputFormatStructure",
    )
)
_MOST_DEPTH = 100
_NOTATION = re.compile(r"(\[|\{)?(\w+)[\]}]?(!)?(?:(\d+)\.\.(\d*))?")


def _field(text: str) -> _Field:
    found = _NOTATION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    opening, kind, required, low, high = found.groups()
    shape: Any = {"[": "list", "{": "map"}.get(opening, "one")
    return _Field(
        kind, shape, required is not None, int(low) if low else None, int(high) if high else None
    )


_FIELDS = {
    shape: {name: _field(text) for name, text in members.items()}
    for shape, members in _SHAPES.items()
}
_JSON_KINDS = {
    str: "STRING_VALUE",
    int: "NUMBER_VALUE",
    float: "DECIMAL_VALUE",
    list: "START_ARRAY",
}


def _unlike(value: Any, wanted: str) -> SimulatedError:
    """Return the error for a value of another JSON type."""
    got = "TRUE_VALUE" if isinstance(value, bool) else _JSON_KINDS.get(type(value), "START_OBJECT")
    return refused(f"{got} can not be converted to {wanted}", "SerializationException")


class _Reader:
    """Checks a JSON body against the shapes and collects the broken constraints."""

    def __init__(self) -> None:
        self.broken: list[str] = []

    def structure(self, kind: str, value: Any, path: tuple[Any, ...]) -> dict[str, Any]:
        """Return *value* without its null members."""
        if len(path) > _MOST_DEPTH:
            raise RecursionError
        if not isinstance(value, dict):
            raise _unlike(value, "an Object")
        fields = _FIELDS[kind]
        unknown = next((name for name in value if name not in fields), None)
        if unknown is not None:
            where = "/".join(("#", *map(str, path)))
            raise refused(
                f"Malformed input request: {where}: extraneous key [{unknown}] is not permitted, "
                "please reformat your input and try again."
            )
        given = {name: member for name, member in value.items() if member is not None}
        if kind in _UNIONS and len(given) != 1:
            raise refused(
                f"{kind} object at {'.'.join(map(str, path))} must set one of the following keys: "
                f"{', '.join(fields)}."
            )
        for name, field in fields.items():
            if field.is_required and name not in given:
                self._break((*path, name), None, "Member must not be null")
        return {
            name: self._member(fields[name], member, (*path, name))
            for name, member in given.items()
        }

    def _member(self, field: _Field, value: Any, path: tuple[Any, ...]) -> Any:
        if field.shape == "one":
            return self._value(field.kind, value, path)
        self._check_size(field, value, path)
        if field.shape == "list":
            return [
                self._value(field.kind, item, (*path, place)) for place, item in enumerate(value)
            ]
        return {name: self._value(field.kind, item, (*path, name)) for name, item in value.items()}

    def _check_size(self, field: _Field, value: Any, path: tuple[Any, ...]) -> None:
        wanted = list if field.shape == "list" else dict
        if not isinstance(value, wanted):
            raise _unlike(value, "a List" if wanted is list else "a Map")
        if len(value) < (field.low or 0):
            self._break(
                path, value, f"Member must have length greater than or equal to {field.low}"
            )
        if field.high is not None and len(value) > field.high:
            self._break(path, value, f"Member must have length less than or equal to {field.high}")

    def _value(self, kind: str, value: Any, path: tuple[Any, ...]) -> Any:
        scalar = _SCALARS.get(kind)
        if scalar is None:
            return self.structure(kind, value, path)
        if scalar.kind == "document":
            return value
        if scalar.kind == "boolean":
            if not isinstance(value, bool):
                raise _unlike(value, "a Boolean")
        elif scalar.kind in ("integer", "float"):
            self._check_number(scalar, value, path)
        else:
            self._check_text(scalar, value, path)
        return value

    def _check_number(self, scalar: _Scalar, value: Any, path: tuple[Any, ...]) -> None:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole and not (scalar.kind == "float" and isinstance(value, float)):
            raise _unlike(value, "an Integer" if scalar.kind == "integer" else "a Float")
        if scalar.low is not None and value < scalar.low:
            self._break(
                path, value, f"Member must have value greater than or equal to {scalar.low}"
            )
        if scalar.high is not None and value > scalar.high:
            self._break(path, value, f"Member must have value less than or equal to {scalar.high}")

    def _check_text(self, scalar: _Scalar, value: Any, path: tuple[Any, ...]) -> None:
        if not isinstance(value, str):
            raise _unlike(value, "a String")
        size = len(value)
        if scalar.kind == "blob":
            try:
                size = len(base64.b64decode(value, validate=True))
            except (binascii.Error, ValueError):
                raise refused("Invalid base64 encoded string", "SerializationException") from None
        if scalar.enum and value not in scalar.enum:
            allowed = ", ".join(scalar.enum)
            self._break(path, value, f"Member must satisfy enum value set: [{allowed}]")
        if scalar.low is not None and size < scalar.low:
            self._break(
                path, value, f"Member must have length greater than or equal to {scalar.low:g}"
            )
        elif scalar.high is not None and size > scalar.high:
            self._break(
                path, value, f"Member must have length less than or equal to {scalar.high:g}"
            )
        elif scalar.pattern is not None and not re.fullmatch(scalar.pattern, value):
            self._break(
                path, value, f"Member must satisfy regular expression pattern: {scalar.pattern}"
            )

    def _break(self, path: tuple[Any, ...], value: Any, constraint: str) -> None:
        shown = "null" if value is None else f"'{value}'"
        where = ".".join(f"{step + 1}.member" if isinstance(step, int) else step for step in path)
        self.broken.append(f"Value {shown} at '{where}' failed to satisfy constraint: {constraint}")


def read_converse(body: bytes) -> dict[str, Any]:
    """Return the request in *body*; raises `SimulatedError` where its shape is wrong."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise refused(
            "Unable to parse the request body as JSON", "SerializationException"
        ) from None
    reader = _Reader()
    request = reader.structure("ConverseRequest", value, ())
    if reader.broken:
        many = len(reader.broken)
        counted = f"{many} validation error{'s' if many > 1 else ''} detected: "
        raise refused(counted + "; ".join(reader.broken))
    return request
