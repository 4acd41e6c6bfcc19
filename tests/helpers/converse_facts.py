"""Facts of a Bedrock Converse request in provider-neutral words; see `request_facts`."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import request_facts as common
from request_facts import Fact, given, one, same_id

if TYPE_CHECKING:
    from collections.abc import Iterator

MEDIA_TYPES = {
    "pdf": "application/pdf", "csv": "text/csv", "html": "text/html", "txt": "text/plain",
    "md": "text/markdown", "doc": "application/msword",
}  # fmt: skip
FIELDS = "additionalModelRequestFields"
TEXTS = ("csv", "html", "txt", "md")


def converse_facts(request: dict[str, Any]) -> Iterator[Fact]:
    if request.get("system"):
        yield one("side", "system", at="system")
        yield from _blocks(request["system"], "system", "")
    for index, message in enumerate(request.get("messages") or []):
        path = f"messages[{index}]"
        yield one("side", message["role"], at=f"{path}.role")
        yield from _blocks(message["content"], f"{path}.content", "")
        yield from common.others(message, path, "role", "content")
    yield one("side", "", at="")
    yield from _parameters(request)


def _blocks(blocks: list[Any], path: str, prefix: str) -> Iterator[Fact]:
    for place, block in enumerate(blocks):
        kind, value = next((name, value) for name, value in block.items() if value is not None)
        yield from _block(kind, value, f"{path}[{place}].{kind}", prefix)


def _block(kind: str, value: Any, path: str, prefix: str) -> Iterator[Fact]:
    if kind == "text":
        yield Fact((f"{prefix}text", value), (path,))
    elif kind == "json":
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        yield Fact((f"{prefix}text", text), (path,))
    elif kind == "cachePoint":
        yield from _cache(value, path)
    elif kind == "toolUse":
        said = json.dumps(value["input"], sort_keys=True)
        yield Fact(("call", same_id(value["toolUseId"]), value["name"], said), (path,))
        yield from common.others(value, path, "toolUseId", "name", "input")
    elif kind == "toolResult":
        yield from _result(value, path)
    elif kind == "reasoningContent":
        text = value.get("reasoningText")
        if text is None:
            yield Fact(("redacted", value["redactedContent"]), (path,))
        else:
            yield Fact(("thinking", text["text"], text.get("signature")), (path,))
    elif kind == "citationsContent":
        text = "".join(each["text"] for each in value["content"])
        yield Fact((f"{prefix}text", text), (path,))
        yield one("citations", value["citations"], at=f"{path}.citations")
    elif kind == "searchResult":
        yield one(f"{prefix}search result", value["title"], value["source"], at=path)
        for each in value["content"]:
            yield Fact((f"{prefix}text", each["text"]), (path,))
    elif kind == "guardContent":
        yield one("guard", at=path)
        yield from (
            _blocks([value], path, prefix)
            if "image" in value
            else [Fact((f"{prefix}text", value["text"]["text"]), (f"{path}.text",))]
        )
    else:
        yield from _medium(kind, value, path, prefix)


def _cache(point: dict[str, Any], path: str) -> Iterator[Fact]:
    ttl = {"ttl": point["ttl"]} if point.get("ttl") is not None else {}
    yield one("cache", {"type": "ephemeral", **ttl}, at=path)


def _result(result: dict[str, Any], path: str) -> Iterator[Fact]:
    hashed = same_id(result["toolUseId"])
    yield Fact(("result", hashed), (path,))
    if result.get("status") == "error":
        yield one("is_error", at=f"{path}.status")
    for fact in _blocks(result["content"], f"{path}.content", f"result {hashed} "):
        if fact.what[-1] == "" and str(fact.what[0]).endswith("text"):
            continue  # an empty result says nothing
        also = (f"{path}.status",) if result.get("status") == "error" else ()
        yield fact._replace(paths=(*fact.paths, path, *also))


def _medium(kind: str, value: Any, path: str, prefix: str) -> Iterator[Fact]:
    source = value.get("source") if isinstance(value, dict) else None
    if source is None or "s3Location" in source or kind == "video":
        yield one(f"{prefix}other {kind}", value, at=path)
        return
    data = source.get("bytes")
    if kind == "image":
        yield Fact((f"{prefix}image", f"data:image/{value['format']};base64,{data}"), (path,))
    elif kind == "audio":
        said = json.dumps({"data": data, "format": value["format"]}, sort_keys=True)
        yield Fact((f"{prefix}input_audio", said), (path,))
    else:
        yield from _document(value, path, prefix)


def _document(value: dict[str, Any], path: str, prefix: str) -> Iterator[Fact]:
    source = value["source"]
    if source.get("text") is not None:
        data = base64.b64encode(source["text"].encode()).decode()
    elif source.get("content") is not None:
        text = "".join(each["text"] for each in source["content"])
        data = base64.b64encode(text.encode()).decode()
    else:
        data = source["bytes"]
    media = MEDIA_TYPES[value.get("format", "txt")]
    yield Fact((f"{prefix}document", f"data:{media};base64,{data}"), (path,))
    yield one("title", value["name"], at=f"{path}.name")
    if value.get("citations"):
        yield one("citations", value["citations"], at=f"{path}.citations")
    if value.get("context"):
        yield one("key", "context", value["context"], at=f"{path}.context")


# Parameters.


def _parameters(request: dict[str, Any]) -> Iterator[Fact]:
    config = request.get("toolConfig") or {}
    has_tools = False
    for place, tool in enumerate(config.get("tools") or []):
        path = f"toolConfig.tools[{place}]"
        if "toolSpec" in tool:
            has_tools = True
            yield from _spec(tool["toolSpec"], f"{path}.toolSpec")
        elif "cachePoint" in tool:
            yield from _cache(tool["cachePoint"], f"{path}.cachePoint")
        elif tool["systemTool"]["name"] == "nova_grounding":
            yield one("param", "web_search_options", {}, at=f"{path}.systemTool")
        else:
            yield one("server tool", tool, at=f"{path}.systemTool")
    choice = config.get("toolChoice")
    if choice:
        kind = next(iter(choice))
        said = {"any": "required", "auto": "auto"}.get(kind) or f"tool {choice[kind]['name']}"
        yield from common._choice(said, has_tools, "toolConfig.toolChoice")
    for name, value in given(request.get("inferenceConfig") or {}):
        yield from _setting(name, value, f"inferenceConfig.{name}")
    yield from _output(request.get("outputConfig") or {})
    for name, value in given(request.get(FIELDS) or {}):
        yield from _family(name, value, f"{FIELDS}.{name}", has_tools)
    for name, value in given(
        request, "model", "modelId", "messages", "system", "toolConfig", "inferenceConfig",
        "outputConfig", FIELDS,
    ):  # fmt: skip
        yield from _other(name, value)


def _spec(spec: dict[str, Any], path: str) -> Iterator[Fact]:
    schema = (spec.get("inputSchema") or {}).get("json")
    yield common._tool(spec["name"], spec.get("description"), schema, path)
    if spec.get("strict"):
        yield one("strict", spec["name"], at=f"{path}.strict")
    yield from common.others(spec, path, "name", "description", "inputSchema", "strict")


def _setting(name: str, value: Any, path: str) -> Iterator[Fact]:
    names = {"maxTokens": "max_tokens", "temperature": "temperature", "topP": "top_p"}
    if name == "stopSequences":
        yield from common._stops(value, path)
    elif common.DEFAULTS.get(names.get(name, name)) != value:
        yield one("param", names.get(name, name), value, at=path)


def _output(config: dict[str, Any]) -> Iterator[Fact]:
    for name, value in given(config):
        path = f"outputConfig.{name}"
        if name == "effort":
            yield one("param", "effort", value, at=path)
        elif name == "textFormat":
            asked = value["structure"]["jsonSchema"]
            path = f"{path}.structure.jsonSchema"
            schema = common.text_of(json.loads(asked["schema"]))
            yield Fact(("param", "schema", schema), (f"{path}.schema", "outputConfig.textFormat"))
            for key, item in given(asked, "schema"):
                yield one("param", f"schema {key}", item, at=f"{path}.{key}")
        else:
            yield one("param", name, value, at=path)


def _family(name: str, value: Any, path: str, has_tools: bool) -> Iterator[Fact]:
    if name == "thinking":
        if value["type"] == "enabled":
            yield one("param", "budget", value["budget_tokens"], at=f"{path}.budget_tokens")
        else:
            said = ("effort", "none") if value["type"] == "disabled" else ("adaptive",)
            yield one("param", *said, at=path)
    elif name == "reasoning_effort":
        yield one("param", "effort", value, at=path)
    elif name == "output_config" and set(value) == {"effort"}:
        yield one("param", "effort", value["effort"], at=f"{path}.effort")
    elif name == "reasoningConfig":
        yield one("param", "effort", value.get("maxReasoningEffort", "none"), at=path)
    elif name == "tool_choice" and value.get("disable_parallel_tool_use") and has_tools:
        yield Fact(("param", "one call at a time"), (path, "toolConfig"))
    elif name == "inferenceConfig" and set(value) == {"topK"}:
        yield one("param", "topK", value["topK"], at=f"{path}.topK")
    elif name != "tool_choice":
        yield one("param", name, value, at=path)


def _other(name: str, value: Any) -> Iterator[Fact]:
    if name == "requestMetadata":
        if value:
            yield one("param", "metadata", value, at=name)
    elif name == "serviceTier":
        yield one("param", "service_tier", value["type"], at=f"{name}.type")
    elif name == "performanceConfig":
        if value.get("latency", "standard") != "standard":
            yield one("param", "latency", value["latency"], at=f"{name}.latency")
    elif value:
        yield one("param", name, value, at=name)
