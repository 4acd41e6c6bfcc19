"""Hold bodies against the types of Google's `google-genai` package, which refuse unknown members.

The package needs Python 3.10: where it is missing, the test that asks is skipped. What its types do
not check is checked here: one kind of data a part, known roles and enum values.
"""

from __future__ import annotations

import functools
import json
import types
import typing
import warnings
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = {
    "text", "functionCall", "functionResponse", "inlineData", "fileData", "executableCode",
    "codeExecutionResult", "toolCall", "toolResponse",
}  # fmt: skip
# What the API sends and the types of google-genai 3.6.1 lack; its client leaves it out.
NEWER_COUNTS = {"serviceTier"}


def genai_types() -> Any:
    """Return the module `google.genai.types`; skip the test where it is missing."""
    __tracebackhide__ = True
    return pytest.importorskip("google.genai.types", reason="google-genai needs Python 3.10")


def response_problems(body: Any) -> list[str]:
    """Return what is wrong with a reply, or an event of a stream."""
    data = _loaded(body)
    usage = data.get("usageMetadata") or {}
    known = {name: value for name, value in usage.items() if name not in NEWER_COUNTS}
    strict = {**data, "usageMetadata": known} if "usageMetadata" in data else data
    found = _typed(genai_types().GenerateContentResponse, strict)
    if not data.get("candidates"):
        found.append("candidates: none")
    for place, candidate in enumerate(data.get("candidates") or ()):
        content = candidate.get("content") or {}
        if content.get("role") != "model":
            found.append(f"candidates.{place}.content.role: {content.get('role')!r}")
        found += _part_problems(content.get("parts") or (), f"candidates.{place}.content")
    return found


def error_problems(body: Any) -> list[str]:
    """Return what is wrong with the body of an error (`google.rpc.Status` in JSON)."""
    data = _loaded(body)
    error = data.get("error")
    if set(data) != {"error"} or not isinstance(error, dict):
        return ["error: not the only member"]
    wanted = {"code": int, "message": str, "status": str}
    found = [name for name, kind in wanted.items() if type(error.get(name)) is not kind]
    found += [name for name in error if name not in (*wanted, "details")]
    return found + [
        f"details.{place}"
        for place, detail in enumerate(error.get("details", ()))
        if not detail.get("@type", "").startswith("type.googleapis.com/google.rpc.")
    ]


def _loaded(body: Any) -> Any:
    return json.loads(body) if isinstance(body, (str, bytes)) else body


def _part_problems(parts: Any, path: str) -> list[str]:
    return [
        f"{path}.parts.{place}: has {sorted(KINDS & set(part))}"
        for place, part in enumerate(parts)
        if len(KINDS & set(part)) != 1
    ]


def _typed(kind: Any, data: Any) -> list[str]:
    import pydantic

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of an unknown enum value
        try:
            kind.model_validate(data)
        except pydantic.ValidationError as error:
            return [
                f"{'.'.join(map(str, row['loc']))}: {row['msg']}"
                for row in error.errors(include_url=False, include_context=False)
            ]
        except UserWarning as warning:
            return [str(warning)]
    return []


@functools.cache
def _request_type() -> Any:
    """Return a type of the whole body, which the package has in private only."""
    import pydantic

    google = genai_types()
    members: Any = {
        "contents": (list[google.Content], ...),
        "systemInstruction": (google.Content, None),
        "generationConfig": (google.GenerationConfig, None),
        "tools": (list[google.Tool], None),
        "toolConfig": (google.ToolConfig, None),
        "safetySettings": (list[google.SafetySetting], None),
        "cachedContent": (str, None),
        "labels": (dict[str, str], None),
        "serviceTier": (str, None),
        "store": (bool, None),
        "modelArmorConfig": (google.ModelArmorConfig, None),
        "continuationToken": (str, None),
        "outputConfig": (google.GenerationOutputConfig, None),
    }
    return pydantic.create_model(
        "GeminiRequest", __config__=pydantic.ConfigDict(extra="forbid"), **members
    )


def request_paths() -> list[str]:
    """Return the path of every field of a request, as `specado.losses.field` writes paths."""
    return list(dict.fromkeys(_walk(_request_type(), "", ())))


def _walk(kind: Any, path: str, above: tuple[Any, ...]) -> Iterator[str]:
    import pydantic

    if typing.get_origin(kind) in (typing.Union, getattr(types, "UnionType", typing.Union)):
        kinds = [each for each in typing.get_args(kind) if each is not type(None)]
        for each in kinds:
            yield from _walk(each, path, above)
    elif typing.get_origin(kind) is list:
        yield from _walk(typing.get_args(kind)[0], f"{path}[]", above)
    elif isinstance(kind, type) and issubclass(kind, pydantic.BaseModel) and kind not in above:
        for name, field in kind.model_fields.items():
            place = f"{path}.{field.alias or name}" if path else field.alias or name
            yield place
            yield from _walk(field.annotation, place, (*above, kind))


def example(kind: Any) -> Any:
    """Return a value of a field's type."""
    import enum

    import pydantic

    arguments = [each for each in typing.get_args(kind) if each is not type(None)]
    origin = typing.get_origin(kind)
    if origin is list:
        return [example(arguments[0])]
    if origin is dict:
        return {"a": "b"}
    if arguments:
        return example(arguments[0])
    if not isinstance(kind, type):
        return {"a": "b"}
    if issubclass(kind, enum.Enum):
        return list(kind)[-1].value
    if issubclass(kind, pydantic.BaseModel):
        first = list(kind.model_fields.items())[:1]
        return {field.alias or name: example(field.annotation) for name, field in first}
    values: dict[type, Any] = {bool: True, int: 7, float: 0.5, bytes: "AAAA", str: "marker"}
    return next((value for known, value in values.items() if issubclass(kind, known)), {"a": "b"})


def type_at(path: str) -> Any:
    """Return the type of the field at a path."""
    kind: Any = _request_type()
    for step in path.replace("[]", "").split("."):
        kind = next(
            field.annotation
            for name, field in _model_in(kind).model_fields.items()
            if (field.alias or name) == step
        )
    return kind


def _model_in(kind: Any) -> Any:
    """Return the model in a type: itself, the items of a list, or what may be missing."""
    import pydantic

    if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
        return kind
    return next(found for each in typing.get_args(kind) if (found := _model_in(each)) is not None)
