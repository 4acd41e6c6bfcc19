"""Facts of a request of the Responses API, in the words of `request_facts`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import request_facts as common
from request_facts import Fact, one

if TYPE_CHECKING:
    from collections.abc import Iterator

# Values that say the same as none.
NEUTRAL = {
    **common.DEFAULTS,
    "truncation": "disabled",
    "background": False,
    "reasoning.mode": "standard",
    "reasoning.context": "auto",
}
# Members of content parts that are facts of their own.
KNOWN = (
    "type", "text", "refusal", "image_url", "file_data", "file_id", "file_url", "filename",
)  # fmt: skip
CALLS = ("function_call", "custom_tool_call")
SEARCHES = ("web_search", "web_search_preview")


def responses_facts(request: dict[str, Any]) -> Iterator[Fact]:
    if request.get("instructions"):
        yield one("side", "system", at="instructions")
        yield Fact(("text", request["instructions"]), ("instructions",))
    given = request.get("input") or []
    if isinstance(given, str):
        yield one("side", "user", at="input")
        yield Fact(("text", given), ("input",))
        given = []
    for place, item in enumerate(given):
        yield from _item(item, f"input[{place}]")
    yield one("side", "", at="")
    tools = request.get("tools") or []
    choice = request.get("tool_choice")
    # The tools that are not allowed may be left out in its place.
    also = ("tool_choice",) if isinstance(choice, dict) and "mode" in choice else ()
    for place, tool in enumerate(tools):
        for fact in _tool(tool, f"tools[{place}]"):
            yield fact._replace(paths=(*fact.paths, *also))
    yield from _parameters(request, any(tool["type"] in ("function", "custom") for tool in tools))


def _item(item: dict[str, Any], path: str) -> Iterator[Fact]:
    kind = item.get("type", "message" if "role" in item else "item_reference")
    if kind == "message":
        yield from _message(item, path)
    elif kind in CALLS:
        yield one("side", "assistant", at=path)
        id_, name = common.same_id(item["call_id"]), item["name"]
        if kind == "function_call":
            yield Fact(("call", id_, name, common.arguments(item["arguments"])), (path,))
        else:
            yield Fact(("custom call", id_, name, item["input"]), (path,))
        yield from _others(item, path, "type", "call_id", "name", "arguments", "input")
    elif kind in ("function_call_output", "custom_tool_call_output"):
        yield one("side", "user", at=path)
        id_ = common.same_id(item["call_id"])
        yield Fact(("result", id_), (path,))
        yield from _content(item["output"], f"{path}.output", f"result {id_} ")
        yield from _others(item, path, "type", "call_id", "output")
    elif kind == "reasoning":
        yield one("side", "assistant", at=path)
        texts = [part["text"] for part in [*item["summary"], *(item.get("content") or [])]]
        said = ("encrypted", item.get("id"), item.get("encrypted_content"), "\n\n".join(texts))
        yield Fact(said, (path,))
        yield from _others(item, path, "type", "id", "encrypted_content", "summary", "content")
    else:
        yield one("side", "assistant", at=path)
        yield one("server block", item, at=path)


def _others(item: dict[str, Any], path: str, *known: str) -> Iterator[Fact]:
    for name, value in common.given(item, *known):
        if value not in ({"type": "direct"}, False):
            yield one("key", name, value, at=f"{path}.{name}")


def _message(item: dict[str, Any], path: str) -> Iterator[Fact]:
    role = item["role"]
    yield one("side", common.SIDES.get(role, "user"), at=f"{path}.role")
    yield from _content(item["content"], f"{path}.content", "", path)
    yield from _others(item, path, "type", "role", "content")


def _content(content: Any, path: str, prefix: str, whole: str = "") -> Iterator[Fact]:
    if isinstance(content, str):
        if content or not prefix:
            yield Fact((f"{prefix}text", content), (whole or path,))
        return
    for place, part in enumerate(content):
        where, kind = f"{path}[{place}]", part["type"]
        if kind in ("input_text", "output_text"):
            yield Fact((f"{prefix}text", part["text"]), (where,))
        elif kind == "refusal":
            yield Fact(("refusal", part["refusal"]), (where,))
        elif kind == "input_image":
            yield from _image(part, where, prefix)
        else:
            yield from _file(part, where, prefix)
        for name, value in common.given(part, *KNOWN):
            if value != [] and (kind, name) != ("input_image", "detail"):
                yield one("key", name, value, at=f"{where}.{name}")


def _image(part: dict[str, Any], path: str, prefix: str) -> Iterator[Fact]:
    if part.get("image_url") is not None:
        yield Fact((f"{prefix}image", common._uri(part["image_url"])), (path,))
        if part.get("detail", "auto") != "auto":
            yield one("detail", part["detail"], at=f"{path}.detail")
    if part.get("file_id") is not None:
        yield Fact((f"{prefix}stored image", part["file_id"]), (f"{path}.file_id",))


def _file(part: dict[str, Any], path: str, prefix: str) -> Iterator[Fact]:
    has_content = False
    if part.get("file_data") is not None:
        has_content = True
        data = part["file_data"]
        data = data if data.startswith("data:") else f"data:application/pdf;base64,{data}"
        yield Fact((f"{prefix}document", data), (path,))
        if part.get("file_id") is not None:
            yield one("file beside data", part["file_id"], at=f"{path}.file_id")
    elif part.get("file_id") is not None:
        has_content = True
        yield Fact((f"{prefix}file", part["file_id"]), (f"{path}.file_id",))
    if part.get("file_url") is not None:
        yield Fact((f"{prefix}file at", part["file_url"]), (f"{path}.file_url",))
    if part.get("filename") is not None:
        at = (f"{path}.filename",) if has_content else (f"{path}.file_url",)
        yield Fact(("title", part["filename"]), at)


def _tool(tool: dict[str, Any], path: str) -> Iterator[Fact]:
    kind = tool["type"]
    if kind == "function":
        name = tool["name"]
        yield common._tool(name, tool.get("description"), tool.get("parameters"), path)
        if tool.get("strict"):
            yield one("strict", name, at=f"{path}.strict")
        yield from _others(tool, path, "type", "name", "description", "parameters", "strict")
    elif kind == "custom":
        custom = {key: tool[key] for key in ("name", "description") if key in tool}
        if tool.get("format") is not None:
            form = dict(tool["format"])
            if form["type"] == "grammar":
                form = {"type": form.pop("type"), "grammar": form}
            custom["format"] = form
        yield one("other tool", {"type": kind, "custom": custom}, at=path)
        yield from _others(tool, path, "type", "name", "description", "format")
    elif kind in SEARCHES:
        options: dict[str, Any] = {}
        if tool.get("search_context_size") is not None:
            options["search_context_size"] = tool["search_context_size"]
        if tool.get("user_location") is not None:
            place = dict(common.given(tool["user_location"], "type"))
            options["user_location"] = {"type": "approximate", "approximate": place}
        yield one("param", "web_search_options", options, at=path)
        yield from _others(tool, path, "type", "search_context_size", "user_location")
    else:
        yield one("server tool", tool, at=path)


def _parameters(request: dict[str, Any], has_tools: bool) -> Iterator[Fact]:
    for name, value in common.given(request, "model", "input", "instructions", "tools"):
        if name in NEUTRAL and value == NEUTRAL[name]:
            continue
        if name == "max_output_tokens":
            yield one("param", "max_tokens", value, at=name)
        elif name in ("user", "safety_identifier"):
            yield one("param", "user", value, at=name)
        elif name == "text":
            yield from _text(value)
        elif name == "reasoning":
            yield from _reasoning(value)
        elif name == "include":
            yield from _include(value)
        elif name == "tool_choice":
            yield from common._choice(_choice(value), has_tools, name)
        elif name == "parallel_tool_calls":
            if has_tools and request.get("tool_choice") != "none":
                yield Fact(("param", "one call at a time"), (name, "tools"))
        elif name == "stream_options":
            for key, each in common.given(value):
                yield one("param", "stream option", key, each, at=f"{name}.{key}")
        elif name == "prompt_cache_options":
            yield from common.cache_options(value)
        else:
            yield one("param", name, value, at=name)
            if name == "top_logprobs":
                yield Fact(("param", "logprobs", True), (name,))


def _text(text: dict[str, Any]) -> Iterator[Fact]:
    for name, value in common.given(text):
        path = f"text.{name}"
        if name == "verbosity":
            if value != "medium":
                yield one("param", name, value, at=path)
        elif name == "format":
            yield from _format(value, path)
        else:
            yield one("param", path, value, at=path)


def _format(wanted: dict[str, Any], path: str) -> Iterator[Fact]:
    kind = wanted["type"]
    if kind == "json_schema":
        yield one("param", "schema", wanted["schema"], at=path)
        if not wanted.get("strict"):
            yield one("param", "loose schema", at=f"{path}.strict")
        for name, value in common.given(wanted, "type", "schema", "strict"):
            yield one("param", f"schema {name}", value, at=f"{path}.{name}")
    elif kind != "text":
        yield one("param", "format", wanted, at=path)


def _reasoning(reasoning: dict[str, Any]) -> Iterator[Fact]:
    for name, value in common.given(reasoning):
        path = f"reasoning.{name}"
        if name == "effort":
            yield one("param", "effort", value, at=path)
        elif value != NEUTRAL.get(path):
            yield one("param", path, value, at=path)


def _include(names: list[str]) -> Iterator[Fact]:
    for place, name in enumerate(names):
        if name == "message.output_text.logprobs":
            yield Fact(("param", "logprobs", True), (f"include[{place}]",))
        elif name != "reasoning.encrypted_content":
            yield one("param", f"include {name}", at=f"include[{place}]")


def _choice(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value["type"] == "function":
        return f"tool {value['name']}"
    if value["type"] == "custom":
        return common.text_of({"type": "custom", "custom": {"name": value["name"]}})
    if value["type"] == "allowed_tools":
        tools = [
            {"type": each["type"], each["type"]: {"name": each["name"]}} for each in value["tools"]
        ]
        tools = sorted(tools, key=common.text_of)  # their order says nothing
        allowed = {"mode": value["mode"], "tools": tools}
        return common.text_of({"type": "allowed_tools", "allowed_tools": allowed})
    return json.dumps(value, sort_keys=True)
