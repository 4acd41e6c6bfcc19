"""Parts of the requests in `lossy_requests` and `lossy_anthropic`."""

from __future__ import annotations

from typing import Any, NamedTuple

from example_inputs import USER

SAID = {"role": "assistant", "content": "Hi"}
PDF = "data:application/pdf;base64,JVBERi0xLjQK"
PNG = "data:image/png;base64,iVBORw0KGgo="
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
STRICT = {"type": "function", "function": {"name": "f", "parameters": SCHEMA, "strict": True}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
ANSWER = {"role": "tool", "tool_call_id": "c1", "content": "done"}
CUSTOM = {"id": "c1", "type": "custom", "custom": {"name": "f", "input": "text"}}
TOOL = {"name": "f", "input_schema": SCHEMA}
USE = {"type": "tool_use", "id": "c1", "name": "f", "input": {}}
RANGED = {"type": "integer", "minimum": 1}
PHONE = {"type": "string", "format": "phone"}
THINKING = {"type": "thinking", "text": "hm", "signature": "s", "model": "claude-opus-4-5"}
# A stored answer: its thinking comes between its two texts.
STORED = {
    "type": "specado.native",
    "version": 1,
    "dialect": "anthropic_messages",
    "provider": "anthropic",
    "tag": "0",
    "model": "claude-opus-4-5",
    "blocks": [
        {"type": "text", "text": "a"},
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": "b"},
    ],
}
CACHE = {"type": "ephemeral"}
CACHED = {"type": "text", "text": "a", "cache_control": CACHE}
OPUS, SONNET, OLD, NEW = "claude-opus-4-5", "claude-sonnet-4-5", "claude-3-haiku", "claude-opus-5"


class Lost(NamedTuple):
    """A request that loses something: what it has, the model it goes to, and where."""

    request: dict[str, Any]
    to: str
    path: str


def messages(*given: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"messages": list(given), **more}


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return messages({"role": "user", "content": list(parts)})


def image(url: str, **more: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def schema_format(
    properties: dict[str, Any], *, strict: bool = True, shut: bool | None = False
) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    more = {} if shut is None else {"additionalProperties": shut}
    inner = {"name": "a", "strict": strict, "schema": {**schema, **more}}
    return {"type": "json_schema", "json_schema": inner}


def function(parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", "parameters": parameters, **more}}


def many_options(name: str, count: int) -> dict[str, Any]:
    """Return a strict function with *count* optional parameters."""
    schema = {
        "type": "object",
        "properties": {f"p{place}": {"type": "string"} for place in range(count)},
        "additionalProperties": False,
    }
    made = function(schema, strict=True)
    return {**made, "function": {**made["function"], "name": name}}


def file(**given: str) -> dict[str, Any]:
    return {"type": "file", "file": given}


def result(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = {"type": "tool_result", "tool_use_id": "c1", "content": list(blocks), **more}
    return messages(USER, {"role": "assistant", "content": [USE]},
                    {"role": "user", "content": [answer]}, tools=[TOOL])  # fmt: skip


def reasoning(**block: Any) -> dict[str, Any]:
    return messages(USER, {**SAID, "reasoning_details": [block]}, USER)


SOUND = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
