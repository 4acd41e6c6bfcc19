"""Hold bodies against the types of Google's `google-genai` package, which refuse unknown members.

The package needs Python 3.10: where it is missing, the test that asks is skipped. What its types do
not check is checked here: one kind of data a part, known roles and enum values.
"""

from __future__ import annotations

import functools
import json
import warnings
from typing import Any

import pytest

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


def request_problems(body: Any) -> list[str]:
    """Return what is wrong with the body of a request."""
    data = _loaded(body)
    found = _typed(_request_type(), data)
    for place, content in enumerate(data.get("contents") or ()):
        if content.get("role") not in ("user", "model"):
            found.append(f"contents.{place}.role: {content.get('role')!r}")
        found += _part_problems(content.get("parts") or (), f"contents.{place}")
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

    types = genai_types()
    members = {
        "contents": (list[types.Content], ...),
        "systemInstruction": (types.Content, None),
        "generationConfig": (types.GenerationConfig, None),
        "tools": (list[types.Tool], None),
        "toolConfig": (types.ToolConfig, None),
        "safetySettings": (list[types.SafetySetting], None),
        "cachedContent": (str, None),
        "labels": (dict[str, str], None),
        "serviceTier": (str, None),
        "store": (bool, None),
    }
    return pydantic.create_model(
        "GeminiRequest", __config__=pydantic.ConfigDict(extra="forbid"), **members
    )
