"""Every field of the official packages' request types as a path, and a request that has it.

A path is written as in `specado.losses.field`: `messages[user].content[text].text`.
"""

from __future__ import annotations

import collections.abc
import functools
import re
import types
import typing
from typing import Any, Optional

import typing_extensions
from anthropic.types.beta.message_create_params import (
    MessageCreateParamsNonStreaming as BetaRequest,
)
from anthropic.types.message_create_params import MessageCreateParamsStreaming as AnthropicRequest
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsStreaming as OpenAIRequest,
)
from typing_extensions import is_typeddict

__all__ = [
    "PNG",
    "AnthropicRequest",
    "BetaRequest",
    "OpenAIRequest",
    "example",
    "fields_of",
    "paths",
]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
WRAPPERS = (
    typing.Annotated,
    typing_extensions.Required,
    typing_extensions.NotRequired,
)
UNIONS = (typing.Union, getattr(types, "UnionType", typing.Union))  # 3.9 has no UnionType
LITERALS = (typing.Literal, typing_extensions.Literal)
CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
# What a field must hold where its type alone does not say: by how its path ends.
VALUES: list[tuple[str, Any]] = [
    (r"image_url\.url", "https://example.com/marker-url.png"),
    (r"source\[url\]\.url", "https://example.com/marker-url.png"),
    (r"file\.file_data", f"data:application/pdf;base64,{PNG}"),
    (r"input_audio\.data", PNG),
    (r"source\[base64\]\.data", PNG),
    (r"function\.arguments", '{"marker": 1}'),
    (r"\.schema", CLOSED),
    (r"\.(input_schema|parameters)", {"type": "object", "properties": {"a": {}}}),
    (r"(^|\.)(max_tokens|max_completion_tokens)", 4000),
    (r"budget_tokens", 2000),
    (r"image_url\.detail", "low"),
    (r"reasoning_effort", "high"),
    (r"tool_use\]\.caller", {"type": "code_execution_20250825", "tool_id": "marker-tool_id"}),
    (r"^response_format", {"type": "json_schema", "json_schema": {"name": "a", "schema": CLOSED}}),
    (r"temperature|top_p", 0.5),
    (r"stop|stop_sequences", ["marker-stop"]),
    (r"logit_bias", {"50256": 7}),
    (r"(^|\.)metadata", {"key": "marker-metadata"}),
    (r"(^|\.)(is_error|disable_parallel_tool_use|logprobs|store|stream)", True),
    (r"parallel_tool_calls", False),
    (r"(^|\.)n", 2),
    (r"top_logprobs", 3),
    (r"modalities", ["text", "audio"]),
    (r"allowed_tools\.tools", [{"type": "function", "function": {"name": "marker-name"}}]),
    (r"user_location\.approximate\.country", "US"),
]


def _plain(annotation: Any) -> Any:
    while typing.get_origin(annotation) in WRAPPERS:
        annotation = typing.get_args(annotation)[0]
    return annotation


def variants(annotation: Any) -> list[Any]:
    """Return the members of a union, a type that is none as the only one."""
    annotation = _plain(annotation)
    if typing.get_origin(annotation) in UNIONS:
        return [v for each in typing.get_args(annotation) for v in variants(each)]
    return [annotation]


@functools.cache
def fields_of(kind: Any) -> dict[str, Any]:
    return typing_extensions.get_type_hints(kind, include_extras=True)


def tag_of(kind: Any) -> Optional[tuple[str, str]]:
    """Return the member whose one value tells a variant from the others, and that value."""
    hints = fields_of(kind)
    for name in ("role", "type"):
        for option in variants(hints[name]) if name in hints else ():
            values = typing.get_args(option) if typing.get_origin(option) in LITERALS else ()
            if len(values) == 1 or (values and name == "type"):
                return name, values[0]
    return None


def is_required(kind: Any, name: str) -> bool:
    return typing.get_origin(fields_of(kind)[name]) is typing_extensions.Required


def item_of(annotation: Any) -> Any:
    """Return the type of a list's items, `None` for a type that is no list."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (list, collections.abc.Iterable) or "Sequence" in str(origin):
        return arguments[0]
    return None


def walk(annotation: Any, path: str = "", above: tuple[Any, ...] = ()) -> list[str]:
    """Return every field below *annotation*; a type inside itself is not entered again."""
    found = []
    options = variants(annotation)
    dicts = [option for option in options if is_typeddict(option)]
    for option in options:
        if is_typeddict(option):
            if option in above:
                continue
            tag = tag_of(option)
            start = path
            if len(dicts) > 1 and tag is not None:
                start = f"{path}[{tag[1]}]"
                found.append(start)
            for name, kind in fields_of(option).items():
                if tag is not None and name == tag[0]:
                    continue
                place = f"{start}.{name}" if start else name
                found += [place, *walk(kind, place, (*above, option))]
        elif item_of(option) is not None:
            inside = [each for each in variants(item_of(option)) if is_typeddict(each)]
            found += walk(item_of(option), path if len(inside) > 1 else f"{path}[]", above)
    return found


def paths(annotation: Any) -> list[str]:
    """Return the paths of all fields of a request's type."""
    return list(dict.fromkeys(walk(annotation)))


def _value(path: str) -> Any:
    for ending, value in VALUES:
        if re.search(rf"(?:{ending})$", re.sub(r"\[\]", "", path)):
            return value
    return None


def example(annotation: Any, target: str, path: str = "") -> Any:
    """Return a value of a type that holds the field *target*, and else what is required."""
    fixed = _value(path)
    options = variants(annotation)
    dicts = [option for option in options if is_typeddict(option)]
    inside = target.startswith((f"{path}.", f"{path}["))
    if fixed is not None and not inside and not (path == "metadata" and dicts):
        return fixed
    if dicts and (target.startswith(path) or not any(o is str for o in options)):
        return _dict_example(dicts, target, path)
    for option in options:
        item = item_of(option)
        if item is not None and target.startswith((f"{path}[", f"{path}.")):
            several = len([each for each in variants(item) if is_typeddict(each)]) > 1
            return [example(item, target, path if several else f"{path}[]")]
    return _leaf(options, target, path)


def _dict_example(dicts: list[Any], target: str, path: str) -> dict[str, Any]:
    chosen, start = dicts[0], path
    if len(dicts) > 1:
        for option in dicts:
            tag = tag_of(option)
            if tag is not None and f"{target}.".startswith(
                (f"{path}[{tag[1]}].", f"{path}[{tag[1]}][")
            ):
                chosen = option
                break
        tag = tag_of(chosen)
        start = f"{path}[{tag[1]}]" if tag is not None else path
    found = {}
    for name, kind in fields_of(chosen).items():
        place = f"{start}.{name}" if start else name
        wanted = target == place or target.startswith((f"{place}.", f"{place}["))
        if wanted or is_required(chosen, name):
            found[name] = example(kind, target, place)
    if not found:  # an empty object says nothing: its first field stands for it
        name, kind = next(iter(fields_of(chosen).items()))
        found[name] = example(kind, target, f"{start}.{name}")
    return found


def _leaf(options: list[Any], target: str, path: str) -> Any:
    for option in options:
        if typing.get_origin(option) in LITERALS:
            return typing.get_args(option)[0]
    for option in options:
        item = item_of(option)
        if item is not None:
            return [example(item, target, f"{path}[]")]
    if str in options:
        return f"marker-{path.rpartition('.')[2]}"
    for kind, value in ((bool, True), (int, 7), (float, 0.5)):
        if kind in options:
            return value
    return {"marker": "x"}
