"""Facts of a request in provider-neutral words, for comparisons: slow and obvious.

`facts(provider, request)` reads a request of a provider or dialect into a list of `Fact`s in order.
Two requests mean the same when their facts are equal. Every member of a request is a fact or a
part of one, unknown members too; what is documented as meaning the same gives the same facts:

- a string and one text block; consecutive messages of one side; `system` and `developer`;
- null and absent; a parameter's default and absent; `user` and `safety_identifier`;
- `max_tokens` and `max_completion_tokens`; one stop sequence and a list of one;
- an empty tool result and none; arguments that are not there and `{}`;
- `reasoning` beside `reasoning_details`, whose text it is.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

SIDES = {"system": "system", "developer": "system", "assistant": "assistant"}
DEFAULTS: dict[str, Any] = {
    "temperature": 1, "top_p": 1, "n": 1, "frequency_penalty": 0, "presence_penalty": 0,
    "logit_bias": {}, "logprobs": False, "top_logprobs": 0, "store": False, "metadata": {},
    "stream": False, "service_tier": "auto", "parallel_tool_calls": True, "verbosity": "medium",
    "modalities": ["text"],
}  # fmt: skip
# Parameters of which two say the same.
SAID_ONCE = (("param", "user"), ("param", "logprobs"), ("param", "effort"))
NO_PARAMETERS = {"type": "object", "properties": {}}
CLOSED_NO_PARAMETERS = {**NO_PARAMETERS, "required": [], "additionalProperties": False}


class Fact(NamedTuple):
    """One thing said, and where; `paths` are JSON paths, the first one the nearest.

    `side` is who says it and `role_path` where that stands; a parameter has none.
    """

    what: tuple[Any, ...]
    paths: tuple[str, ...]
    side: str = ""
    role_path: str = ""


def facts(provider: str, request: dict[str, Any]) -> list[Fact]:
    # Those modules need the functions of this one.
    from converse_facts import converse_facts
    from gemini_facts import gemini_facts
    from responses_facts import responses_facts

    readers = {
        "anthropic": _anthropic,
        "bedrock_converse": converse_facts,
        "gemini": gemini_facts,
        "openai_responses": responses_facts,
    }
    found = readers.get(provider, _openai)(request)
    said: list[Fact] = []
    side = role_path = ""
    for fact in found:
        if fact.what[0] == "side":
            side, role_path = fact.what[1], fact.paths[0]
            continue
        same = fact.what[:2] in SAID_ONCE and fact.what in [each.what for each in said]
        if same:
            at = [each.what for each in said].index(fact.what)
            said[at] = said[at]._replace(paths=(*said[at].paths, *fact.paths))
        else:
            said.append(fact._replace(side=side, role_path=role_path))
    return said


def one(*what: Any, at: str) -> Fact:
    """A fact whose JSON values are text, so that equal facts are equal tuples."""
    return Fact(tuple(text_of(value) for value in what), (at,))


def text_of(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return json.dumps(value, sort_keys=True)
    return ("number", value) if isinstance(value, (int, float)) else value


def given(source: dict[str, Any], *known: str) -> Iterator[tuple[str, Any]]:
    """The members that no name in *known* covers and that are not null."""
    for name, value in source.items():
        if name not in known and value is not None:
            yield name, value


def others(source: dict[str, Any], path: str, *known: str) -> Iterator[Fact]:
    for name, value in given(source, *known):
        if name == "cache_control":
            continue
        at = f"{path}.{name}" if path else name
        yield one("key", name, value, at=at)


def cache(source: dict[str, Any], path: str) -> Iterator[Fact]:
    if source.get("cache_control") is not None:
        yield one("cache", source["cache_control"], at=f"{path}.cache_control")


def arguments(text: str) -> Any:
    return json.dumps(json.loads(text.strip(" \t\r\n") or "{}"), sort_keys=True)


def cache_options(options: dict[str, Any]) -> Iterator[Fact]:
    for name, value in given(options):
        yield one("param", f"prompt_cache_options {name}", value, at=f"prompt_cache_options.{name}")


# OpenAI's requests.


def _openai(request: dict[str, Any]) -> Iterator[Fact]:
    for index, message in enumerate(request["messages"]):
        yield from _openai_message(message, f"messages[{index}]")
    yield one("side", "", at="")
    tools = request.get("tools") or []
    for place, tool in enumerate(tools):
        yield from _openai_tool(tool, f"tools[{place}]")
    for name, value in given(request, "model", "messages", "tools", "stream_options"):
        if name in DEFAULTS and value == DEFAULTS[name]:
            continue
        if name in ("max_completion_tokens", "max_tokens"):
            yield one("param", "max_tokens", value, at=name)
        elif name in ("user", "safety_identifier"):
            yield one("param", "user", value, at=name)
        elif name == "stop":
            yield from _stops(value, name)
        elif name == "response_format":
            yield from _openai_format(value)
        elif name == "reasoning_effort":
            yield one("param", "effort", value, at=name)
        elif name == "tool_choice":
            yield from _choice(_openai_choice(value), bool(tools), name)
        elif name == "parallel_tool_calls":
            if tools and request.get("tool_choice") != "none":
                yield Fact(("param", "one call at a time"), (name, "tools"))
        elif name == "prompt_cache_options":
            yield from cache_options(value)
        elif name == "logprobs":
            yield Fact(("param", name, value), (name,))
        elif name == "top_logprobs":
            yield one("param", name, value, at=name)
            yield Fact(("param", "logprobs", True), (name,))
        else:
            yield one("param", name, value, at=name)
    for name, value in given(request.get("stream_options") or {}, "include_usage"):
        yield one("param", "stream option", name, value, at=f"stream_options.{name}")


def _openai_message(message: dict[str, Any], path: str) -> Iterator[Fact]:
    role = message["role"]
    side = SIDES.get(role, "user")
    yield one("side", side, at=f"{path}.role")
    if role not in (*SIDES, "user", "tool", "function"):
        yield Fact(("role", role), (f"{path}.role", f"{path}.content"))
    prefix = ""
    if role == "tool":
        prefix = f"result {same_id(message['tool_call_id'])} "
        yield Fact(("result", same_id(message["tool_call_id"])), (path,))
    elif role == "function":
        yield one("key", "function", at=path)
    if message.get("name") is not None and role != "function":
        yield one("name", message["name"], at=f"{path}.name")
    blocks = message.get("reasoning_details") or []
    for place, block in enumerate(blocks):
        yield _thought(block.get("type"), block, f"{path}.reasoning_details[{place}]", "text")
    if message.get("reasoning") is not None and message.get("reasoning_details") is None:
        yield Fact(("thinking", message["reasoning"], None), (f"{path}.reasoning",))
    for fact in _openai_content(message.get("content"), f"{path}.content", prefix):
        # What a result says is said of its call: another id of that is another fact.
        where = (f"{path}.tool_call_id",) if role == "tool" else ()
        yield fact._replace(paths=(*fact.paths, *where))
    if message.get("refusal") is not None:
        yield one("refusal", message["refusal"], at=f"{path}.refusal")
    for place, call in enumerate(message.get("tool_calls") or []):
        yield from _openai_call(call, f"{path}.tool_calls[{place}]")
    yield from cache(message, path)
    yield from others(
        message, path, "role", "content", "name", "tool_call_id", "tool_calls", "refusal",
        "reasoning", "reasoning_details",
    )  # fmt: skip


def _thought(kind: Any, block: dict[str, Any], path: str, text: str) -> Fact:
    if kind == "redacted_thinking":
        return Fact(("redacted", block.get("data")), (path,))
    return Fact(("thinking", block.get(text) or "", block.get("signature")), (path,))


def _openai_content(content: Any, path: str, prefix: str) -> Iterator[Fact]:
    if isinstance(content, str):
        if content or not prefix:
            yield Fact((f"{prefix}text", content), (path,))
        return
    for place, part in enumerate(content or []):
        where = f"{path}[{place}]"
        part = {"type": "text", "text": part} if isinstance(part, str) else part
        kind = part["type"]
        if kind == "text":
            yield Fact((f"{prefix}text", part["text"]), (where,))
        elif kind == "refusal":
            yield Fact(("refusal", part["refusal"]), (where,))
        elif kind == "image_url":
            image = part["image_url"]
            image = {"url": image} if isinstance(image, str) else image
            yield Fact((f"{prefix}image", _uri(image["url"])), (where,))
            if image.get("detail", "auto") != "auto":
                yield one("detail", image["detail"], at=f"{where}.image_url.detail")
            yield from others(image, f"{where}.image_url", "url", "detail")
        elif kind == "file":
            yield from _openai_file(part["file"], where, prefix)
        else:
            yield Fact((f"{prefix}{kind}", json.dumps(part[kind], sort_keys=True)), (where,))
        yield from others(part, where, "type", kind)
        yield from cache(part, where)


def _openai_file(file: dict[str, Any], path: str, prefix: str) -> Iterator[Fact]:
    if file.get("file_data") is None:
        yield Fact((f"{prefix}file", file["file_id"]), (f"{path}.file.file_id",))
    else:
        data = file["file_data"]
        data = data if data.startswith("data:") else f"data:application/pdf;base64,{data}"
        yield Fact((f"{prefix}document", data), (path,))
        if file.get("file_id") is not None:
            yield one("file beside data", file["file_id"], at=f"{path}.file.file_id")
    if file.get("filename") is not None:
        yield one("title", file["filename"], at=f"{path}.file.filename")
    yield from others(file, f"{path}.file", "file_data", "file_id", "filename")


def same_id(given: str) -> str:
    """Return what a call's id and its renamed form have in common: the hash of the one given."""
    renamed = re.fullmatch("[a-zA-Z0-9_-]*-([0-9a-f]{16})", given)
    return renamed[1] if renamed else hashlib.sha256(given.encode()).hexdigest()[:16]


def _uri(url: str) -> str:
    return url.replace("data:image/jpg;", "data:image/jpeg;")


def _openai_call(call: dict[str, Any], path: str) -> Iterator[Fact]:
    kind = call.get("type", "function")
    body = call[kind]
    if kind == "custom":
        yield Fact(("custom call", same_id(call["id"]), body["name"], body["input"]), (path,))
    else:
        said = arguments(body["arguments"])
        yield Fact(("call", same_id(call["id"]), body["name"], said), (path,))
    yield from others(body, f"{path}.{kind}", "name", "arguments", "input")
    yield from others(call, path, "id", "type", kind)
    yield from cache(call, path)


def _openai_tool(tool: dict[str, Any], path: str) -> Iterator[Fact]:
    function = tool.get("function")
    if tool.get("type", "function") != "function" or function is None:
        yield one("other tool", tool, at=path)
        return
    name = function["name"]
    yield _tool(name, function.get("description"), function.get("parameters"), path)
    if function.get("strict"):
        yield one("strict", name, at=f"{path}.function.strict")
    yield from others(function, f"{path}.function", "name", "description", "parameters", "strict")
    yield from others(tool, path, "type", "function")
    yield from cache(tool, path)


def _tool(name: str, description: Any, schema: Any, path: str) -> Fact:
    if schema == CLOSED_NO_PARAMETERS:
        schema = None
    schema = json.dumps(in_plain_form(schema or NO_PARAMETERS), sort_keys=True)
    return Fact(("tool", name, description, schema), (path,))


def in_plain_form(schema: Any) -> Any:
    """Return a schema with a lone alternative in place of its list, and an enum for a const."""
    if isinstance(schema, list):
        return [in_plain_form(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: in_plain_form(value) for name, value in schema.items()}
    if "const" in made and "enum" not in made:
        made["enum"] = [made.pop("const")]
    for name in ("allOf", "anyOf"):
        found = made.get(name)
        if isinstance(found, list) and len(found) == 1 and isinstance(found[0], dict):
            del made[name]
            made = {**found[0], **made}
    return made


def _openai_choice(value: Any) -> Any:
    if isinstance(value, dict) and isinstance(value.get("function"), dict):
        return f"tool {value['function']['name']}"
    if isinstance(value, dict) and isinstance(value.get("allowed_tools"), dict):
        allowed = value["allowed_tools"]
        tools = sorted(allowed.get("tools") or (), key=text_of)  # their order says nothing
        value = {**value, "allowed_tools": {**allowed, "tools": tools}}
    return text_of(value)


def _choice(value: Any, tools: bool, path: str) -> Iterator[Fact]:
    if value != "auto" and (tools or value != "none"):
        yield Fact(("param", "tool_choice", value), (path, "tools"))


def _stops(value: Any, path: str) -> Iterator[Fact]:
    texts = [value] if isinstance(value, str) else value
    for place, text in enumerate(texts):
        at = path if isinstance(value, str) else f"{path}[{place}]"
        yield one("stop", text, at=at)


def _openai_format(wanted: dict[str, Any]) -> Iterator[Fact]:
    kind = wanted.get("type")
    if kind == "json_schema":
        path = "response_format.json_schema"
        inner = wanted["json_schema"]
        yield one("param", "schema", inner.get("schema") or {"type": "object"},
                  at="response_format")  # fmt: skip
        if not inner.get("strict"):
            yield one("param", "loose schema", at=f"{path}.strict")
        for name, value in given(inner, "schema", "strict"):
            yield one("param", f"schema {name}", value, at=f"{path}.{name}")
        yield from others(wanted, "response_format", "type", "json_schema")
    elif kind != "text":
        yield one("param", "format", wanted, at="response_format")


# Anthropic's requests.


def _anthropic(request: dict[str, Any]) -> Iterator[Fact]:
    system = request.get("system")
    if system:
        yield one("side", "system", at="system")
        yield from _blocks(system, "system")
    for index, message in enumerate(request["messages"]):
        path = f"messages[{index}]"
        yield one("side", message["role"], at=f"{path}.role")
        yield from _blocks(message["content"], f"{path}.content")
        yield from others(message, path, "role", "content")
    yield one("side", "", at="")
    tools = request.get("tools") or []
    for place, tool in enumerate(tools):
        yield from _anthropic_tool(tool, f"tools[{place}]")
    for name, value in given(request, "model", "messages", "system", "tools"):
        if name in DEFAULTS and name != "metadata" and value == DEFAULTS[name]:
            continue
        if name == "stop_sequences":
            yield from _stops(value, name)
        elif name == "metadata":
            for key, item in given(value):
                said = "user" if key == "user_id" else f"metadata {key}"
                yield one("param", said, item, at=f"metadata.{key}")
        elif name == "service_tier":
            yield one("param", name, "default", at=name)
        elif name == "output_config":
            yield from _output_config(value)
        elif name == "thinking":
            yield from _thinking(value)
        elif name == "tool_choice":
            yield from _anthropic_choice(value, bool(tools))
        else:
            yield one("param", name, value, at=name)


def _blocks(content: Any, path: str, prefix: str = "", whole: str = "") -> Iterator[Fact]:
    """The facts of a content; *whole* is its place where its parts are reported with it."""
    if isinstance(content, str):
        if content or not prefix:
            yield Fact((f"{prefix}text", content), (whole or path,))
        return
    for place, block in enumerate(content or []):
        yield from _block(block, f"{path}[{place}]", prefix, whole)


def _block(block: dict[str, Any], path: str, prefix: str, whole: str) -> Iterator[Fact]:
    kind = block["type"]
    known = ["type"]
    if kind == "text":
        known += ["text", "citations"]
        yield Fact((f"{prefix}text", block["text"]), (path, whole) if whole else (path,))
        if block.get("citations"):
            yield one("citations", block["citations"], at=f"{path}.citations")
    elif kind == "image":
        known += ["source"]
        source = block["source"]
        said = source.get("url") or source.get("file_id")
        if source["type"] == "base64":
            said = _uri(f"data:{source['media_type']};base64,{source['data']}")
        what = "image file" if source["type"] == "file" else "image"
        yield Fact((f"{prefix}{what}", said), (path,))
    elif kind == "document":
        known += ["source", "title", "citations"]
        yield from _document(block, path, prefix)
    elif kind == "search_result":
        known += ["source", "title", "content", "citations"]
        yield one(f"{prefix}search result", block["title"], block["source"], at=path)
        yield from _blocks(block["content"], f"{path}.content", prefix, path)
        if (block.get("citations") or {}).get("enabled"):
            yield one("citations", block["citations"], at=f"{path}.citations")
    elif kind == "tool_use":
        known += ["id", "name", "input", "caller"]
        said = json.dumps(block["input"], sort_keys=True)
        yield Fact(("call", same_id(block["id"]), block["name"], said), (path,))
        if (block.get("caller") or {"type": "direct"}) != {"type": "direct"}:
            yield one("caller", block["caller"], at=f"{path}.caller")
    elif kind == "tool_result":
        known += ["tool_use_id", "content", "is_error"]
        yield Fact(("result", same_id(block["tool_use_id"])), (path,))
        if block.get("is_error"):
            yield one("is_error", at=f"{path}.is_error")
        inner = f"result {same_id(block['tool_use_id'])} "
        whole = path if block.get("is_error") else ""
        yield from _blocks(block.get("content"), f"{path}.content", inner, whole)
    elif kind in ("thinking", "redacted_thinking"):
        known += ["thinking", "signature", "data"]
        yield _thought(kind, block, path, "thinking")
    else:
        known += list(block)
        yield one("server block", block, at=path)
    yield from others(block, path, *known)
    yield from cache(block, path)


def _document(block: dict[str, Any], path: str, prefix: str) -> Iterator[Fact]:
    source = block["source"]
    if source["type"] == "base64":
        said = f"data:{source['media_type']};base64,{source['data']}"
        yield Fact((f"{prefix}document", said), (path,))
    elif source["type"] == "text":
        data = base64.b64encode(source["data"].encode()).decode()
        yield Fact((f"{prefix}document", f"data:text/plain;base64,{data}"), (path,))
    else:
        yield one(f"{prefix}other document", source, at=f"{path}.source")
    if block.get("title") is not None:
        yield one("title", block["title"], at=f"{path}.title")
    if (block.get("citations") or {}).get("enabled"):
        yield one("citations", block["citations"], at=f"{path}.citations")


def _anthropic_tool(tool: dict[str, Any], path: str) -> Iterator[Fact]:
    if tool.get("type") not in (None, "custom"):
        yield one("server tool", tool, at=path)
        return
    name = tool["name"]
    yield _tool(name, tool.get("description"), tool["input_schema"], path)
    if tool.get("strict"):
        yield one("strict", name, at=f"{path}.strict")
    yield from others(tool, path, "type", "name", "description", "input_schema", "strict")
    yield from cache(tool, path)


def _anthropic_choice(choice: dict[str, Any], tools: bool) -> Iterator[Fact]:
    kind = choice["type"]
    said = {"any": "required", "tool": f"tool {choice.get('name')}"}.get(kind, kind)
    yield from _choice(said, tools, "tool_choice")
    if choice.get("disable_parallel_tool_use") and tools and kind != "none":
        at = ("tool_choice.disable_parallel_tool_use", "tools")
        yield Fact(("param", "one call at a time"), at)
    yield from others(choice, "tool_choice", "type", "name", "disable_parallel_tool_use")


def _output_config(config: dict[str, Any]) -> Iterator[Fact]:
    for name, value in given(config):
        path = f"output_config.{name}"
        if name == "effort":
            yield one("param", "effort", value, at=path)
        elif name == "format":
            yield one("param", "schema", value["schema"], at=path)
            yield from others(value, path, "type", "schema")
        else:
            yield one("param", f"output_config {name}", value, at=path)


def _thinking(thinking: dict[str, Any]) -> Iterator[Fact]:
    kind = thinking["type"]
    if kind == "disabled":
        yield one("param", "effort", "none", at="thinking")
    elif kind == "enabled":
        yield one("param", "budget", thinking["budget_tokens"], at="thinking.budget_tokens")
    else:
        yield one("param", kind, at="thinking")
    yield from others(thinking, "thinking", "type", "budget_tokens")
