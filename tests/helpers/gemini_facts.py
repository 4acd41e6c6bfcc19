"""Facts of a Gemini request in provider-neutral words; see `request_facts`.

Names in camelCase and in snake_case give the same facts, with paths as they are spelled. A call
without an id gets one by its place.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import request_facts
from request_facts import Fact, one, same_id
from specado._core.gemini.native import STAND_IN
from specado._core.gemini.openapi_schema import json_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

Members = dict[str, tuple[Any, str]]
SETTINGS = {
    "temperature": "temperature", "topP": "top_p", "seed": "seed", "candidateCount": "n",
    "presencePenalty": "presence_penalty", "frequencyPenalty": "frequency_penalty",
    "maxOutputTokens": "max_tokens", "logprobs": "top_logprobs",
}  # fmt: skip
NEUTRAL: dict[str, Any] = {
    "temperature": 1, "top_p": 1, "n": 1, "presence_penalty": 0, "frequency_penalty": 0,
    "top_logprobs": 0,
}  # fmt: skip
TIERS = {"standard": "default"}


def members(given: dict[str, Any], path: str) -> Members:
    """The members that say something by their camelCase names, each with its path."""
    found = {}
    for name, value in given.items():
        words = name.split("_")
        camel = words[0] + "".join(word.capitalize() for word in words[1:])
        if value is not None:
            found[camel] = (value, f"{path}.{name}" if path else name)
    return found


def listed(value: Any, path: str) -> list[tuple[Any, str]]:
    if not isinstance(value, list):
        return [(value, path)]
    return [(item, f"{path}[{place}]") for place, item in enumerate(value)]


def gemini_facts(request: dict[str, Any]) -> Iterator[Fact]:
    given = members(request, "")
    if "systemInstruction" in given:
        system, path = given["systemInstruction"]
        yield one("side", "system", at=path)
        for part, where in _parts(system, path):
            yield from _part(members(part, where), where, "")
    calls: list[list[str]] = []  # id and name, of those that wait for their result
    count = 0
    for content, path in listed(*given["contents"]):
        is_model = content.get("role") == "model"
        yield one("side", "assistant" if is_model else "user", at=path)
        for part, where in _parts(content, path):
            if "functionCall" in (known := members(part, where)):
                call = members(*known["functionCall"])
                count += 1
                id_ = call.get("id", (f"call {count}", ""))[0]
                calls.append([id_, call["name"][0]])
                said = json.dumps(call.get("args", ({}, ""))[0], sort_keys=True)
                yield Fact(("call", same_id(id_), call["name"][0], said), (where,))
                yield from _beside(known, "functionCall")
            elif "functionResponse" in known:
                yield from _result(known, where, calls)
            else:
                yield from _part(known, where, "")
    yield one("side", "", at="")
    yield from _parameters(given)


def _parts(content: Any, path: str) -> list[tuple[Any, str]]:
    if isinstance(content, str):
        return [({"text": content}, path)]
    parts = content.get("parts") if isinstance(content, dict) else content
    return listed(parts or [], f"{path}.parts" if isinstance(content, dict) else path)


def _beside(known: Members, *kinds: str) -> Iterator[Fact]:
    """What stands beside a part's data."""
    for name, (value, path) in known.items():
        if name == "thoughtSignature":
            if value == STAND_IN:
                continue
            yield one("signature", value.replace("-", "+").replace("_", "/"), at=path)
        elif name not in (*kinds, "thought"):
            yield one("key", name, value, at=path)


def _part(known: Members, path: str, prefix: str) -> Iterator[Fact]:
    if "text" in known or set(known) == {"thoughtSignature"}:
        text = known.get("text", ("", ""))[0]
        if known.get("thought", (False, ""))[0]:
            signature = known.get("thoughtSignature", (None, ""))[0]
            yield Fact(("thinking", text, signature), (path,))
            return
        if text or "thoughtSignature" not in known:
            yield Fact((f"{prefix}text", text), (path,))
        yield from _beside(known, "text")
        return
    if "inlineData" in known:
        yield from _inline(members(*known["inlineData"]), path, prefix)
    elif "fileData" in known:
        file = members(*known["fileData"])
        is_image = file.get("mimeType", ("", ""))[0].startswith("image/")
        uri = file["fileUri"][0]
        what = "image" if is_image and uri.startswith("http") else "stored file"
        yield Fact((f"{prefix}{what}", uri), (path,))
    else:
        yield one("server part", {name: value for name, (value, _) in known.items()}, at=path)
        return
    resolution = known.pop("mediaResolution", None)
    if resolution is not None:
        level = resolution[0]["level"].removeprefix("MEDIA_RESOLUTION_").lower()
        yield one("detail", {"ultra_high": "original"}.get(level, level), at=resolution[1])
    yield from _beside(known, "inlineData", "fileData")


def _inline(blob: Members, path: str, prefix: str) -> Iterator[Fact]:
    media, data = blob["mimeType"][0], blob["data"][0]
    if media.startswith("audio/"):
        kind = {"audio/wav": "wav", "audio/mp3": "mp3", "audio/mpeg": "mp3"}.get(media, media)
        said = json.dumps({"data": data, "format": kind}, sort_keys=True)
        yield Fact((f"{prefix}input_audio", said), (path,))
    else:
        what = "image" if media.startswith("image/") else "document"
        yield Fact((f"{prefix}{what}", f"data:{media};base64,{data}"), (path,))
    if "displayName" in blob:
        yield one("title", blob["displayName"][0], at=blob["displayName"][1])


def _result(known: Members, path: str, calls: list[list[str]]) -> Iterator[Fact]:
    result = members(*known["functionResponse"])
    name, id_ = result["name"][0], result.get("id", (None, ""))[0]
    same = [call for call in calls if call[0] == id_] or [call for call in calls if call[1] == name]
    calls.remove(same[0])
    hashed = same_id(same[0][0])
    yield Fact(("result", hashed), (path,))
    response, where = result.get("response", ({"output": ""}, path))
    text = response.get("output") if len(response) == 1 else None
    if not isinstance(text, str):
        text = json.dumps(response, separators=(",", ":"), ensure_ascii=False)
    if text:
        yield Fact((f"result {hashed} text", text), (where, path))
    for part, place in listed(*result.get("parts", ([], ""))):
        yield from _part(members(part, place), place, f"result {hashed} ")
    for name, (value, place) in result.items():
        if name not in ("name", "id", "response", "parts"):
            yield one("key", name, value, at=place)
    yield from _beside(known, "functionResponse")


# Parameters.


def _parameters(given: Members) -> Iterator[Fact]:
    names: dict[str, str] = {}  # of the functions, each with its path
    for tool, path in listed(*given.get("tools", ([], ""))):
        for name, (value, where) in members(tool, path).items():
            if name == "functionDeclarations":
                for function, place in listed(value, where):
                    names[function["name"]] = place
                    yield from _function(members(function, place), place)
            elif name in ("googleSearch", "googleSearchRetrieval"):
                yield one("param", "web_search_options", {}, at=where)
                for key, (item, place) in members(value, where).items():
                    yield one("key", key, item, at=place)
            else:
                yield one("server tool", name, value, at=where)
    if "toolConfig" in given:
        yield from _tool_config(members(*given["toolConfig"]), names)
    if "generationConfig" in given:
        yield from _settings(members(*given["generationConfig"]))
    for name, (value, path) in given.items():
        if name == "serviceTier":
            yield one("param", "service_tier", TIERS.get(value, value), at=path)
        elif name in ("store", "stream"):
            if value:
                yield one("param", name, value, at=path)
        elif value and name not in (
            "model", "contents", "systemInstruction", "tools", "toolConfig", "generationConfig",
        ):  # fmt: skip
            yield one("param", name, value, at=path)


def _function(function: Members, path: str) -> Iterator[Fact]:
    schema = None
    if "parameters" in function:
        schema = json_schema(function["parameters"][0])
    elif "parametersJsonSchema" in function:
        schema = function["parametersJsonSchema"][0]
    description = function.get("description", (None, ""))[0]
    yield request_facts._tool(function["name"][0], description, schema, path)
    for name, (value, where) in function.items():
        if name not in ("name", "description", "parameters", "parametersJsonSchema"):
            yield one("key", name, value, at=where)


def _tool_config(config: Members, names: dict[str, str]) -> Iterator[Fact]:
    for name, (value, path) in config.items():
        if name != "functionCallingConfig":
            yield one("key", name, value, at=path)
            continue
        calling = members(value, path)
        mode, where = calling.get("mode", ("AUTO", path))
        allowed = calling.get("allowedFunctionNames", ([], ""))[0]
        said: Any = {"ANY": "required", "NONE": "none"}.get(mode, "auto")
        if allowed and said != "none":
            tools = [{"type": "function", "function": {"name": each}} for each in sorted(allowed)]
            kind = "required" if mode == "ANY" else "auto"
            said = json.dumps(
                {"type": "allowed_tools", "allowed_tools": {"mode": kind, "tools": tools}},
                sort_keys=True,
            )
            if len(allowed) == 1 and mode == "ANY":
                said = f"tool {allowed[0]}"
        yield from request_facts._choice(said, bool(names), path)
        if mode == "VALIDATED":
            for each, place in names.items():
                yield Fact(("strict", each), (where, place))
        for key, (item, place) in calling.items():
            if item and key not in ("mode", "allowedFunctionNames"):
                yield one("key", key, item, at=place)


def _settings(settings: Members) -> Iterator[Fact]:
    for name, (value, path) in settings.items():
        if name == "responseLogprobs":
            if value:
                yield Fact(("param", "logprobs", True), (path,))
        elif name in SETTINGS:
            if NEUTRAL.get(SETTINGS[name]) != value:
                yield one("param", SETTINGS[name], value, at=path)
        elif name == "stopSequences":
            yield from request_facts._stops(value, path)
        elif name == "thinkingConfig":
            yield from _thinking(members(value, path))
        elif name in ("responseSchema", "responseJsonSchema"):
            schema = json_schema(value) if name == "responseSchema" else value
            yield one("param", "schema", schema, at=path)
            title = schema.get("title")
            if isinstance(title, str) and re.fullmatch("[a-zA-Z0-9_-]{1,64}", title):
                yield one("param", "schema name", title, at=path)
        elif name == "responseMimeType":
            if value == "application/json" and not {"responseSchema", "responseJsonSchema"} & set(
                settings
            ):
                yield one("param", "format", {"type": "json_object"}, at=path)
            elif value != "application/json" and value != "text/plain":
                yield one("param", "format", value, at=path)
        elif value and (name, value) != ("responseModalities", ["TEXT"]):
            yield one("param", name, value, at=path)


def _thinking(config: Members) -> Iterator[Fact]:
    for name, (value, path) in config.items():
        if name == "thinkingLevel":
            yield one("param", "effort", value.lower(), at=path)
        elif name == "thinkingBudget":
            yield one("param", "budget", value, at=path)
        elif value:
            yield one("param", name, value, at=path)
