"""Slow, obvious twins of the request encoders: messages as dicts to a dict and what it loses.

They are written from the documentation of the wire, and expect messages that are well formed.
A loss is `(row id, path)`.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Optional

from reference_schemas import opened, strict_rows

EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]
SHARES = {"minimal": 10, "low": 20, "medium": 50, "high": 80, "xhigh": 90, "max": 95}
ROLES = ["system", "developer", "user", "assistant", "tool", "function"]
KNOWN_KEYS = {
    "role", "content", "name", "tool_calls", "tool_call_id", "refusal", "reasoning",
    "reasoning_details", "audio", "function_call",
}  # fmt: skip
NATIVE = {
    "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "user",
    "safety_identifier", "tools", "tool_choice", "parallel_tool_calls", "response_format",
    "reasoning_effort", "modalities", "service_tier", "stream", "stream_options",
}  # fmt: skip
NO_COUNTERPART = {
    "n": ("n", 1), "seed": ("seed", None), "frequency_penalty": ("penalty", 0),
    "presence_penalty": ("penalty", 0), "logit_bias": ("logit_bias", {}),
    "logprobs": ("logprobs", False), "top_logprobs": ("logprobs", 0),
    "audio": ("audio.output", None),
    "store": ("store", False), "metadata": ("metadata", {}), "prediction": ("prediction", None),
    "prompt_cache_key": ("prompt_cache", None), "prompt_cache_retention": ("prompt_cache", None),
    "prompt_cache_options": ("prompt_cache", None), "verbosity": ("verbosity", None),
    "web_search_options": ("web_search", None), "moderation": ("moderation", None),
    "functions": ("functions", None), "function_call": ("functions", None),
}  # fmt: skip

Losses = list[tuple[str, str]]


def nearest(wanted: str, levels: Any) -> Optional[str]:
    ranked = [(abs(EFFORTS.index(level) - EFFORTS.index(wanted)), EFFORTS.index(level), level)
              for level in levels]  # fmt: skip
    return min(ranked)[2] if ranked else None


def renamed(text: str, limit: int) -> str:
    kept = re.sub("[^a-zA-Z0-9_-]", "_", text[: limit - 17])
    return f"{kept}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def is_name(text: str, limit: int) -> bool:
    return re.fullmatch("[a-zA-Z0-9_-]+", text) is not None and len(text) <= limit


class _Twin:
    def __init__(self, messages: list[dict[str, Any]], params: dict[str, Any], facts: Any) -> None:
        self.messages = messages
        self.params = params
        self.facts = facts
        self.losses: Losses = []
        self.ids: list[str] = []
        self.open: list[tuple[str, str, str]] = []

    def opened(self, given: str, accepted: str, path: str) -> str:
        """Return the id of a call: no call before has it."""
        row, made, count = "tool_call.id", accepted, len(self.ids)
        while made in self.ids:
            row = "tool_call.repeated_id"
            made = renamed(f"{accepted} {count}", 40)
            count += 1
        self.ids.append(made)
        self.open.append((given, made, row))
        if made != given:
            self.lose(row, path)
        return made

    def answered(self, given: str, path: str) -> str:
        found = [each for each in self.open if each[0] == given]
        if len(found) > 1:
            self.open.remove(found[0])
        _, made, row = found[0]
        if made != given:
            self.lose(row, path)
        return made

    def lose(self, row: str, path: str) -> None:
        self.losses.append((row, path))

    def trait(self, name: str) -> Any:
        return None if self.facts is None else getattr(self.facts.traits, name)

    def lacks(self, kind: str, name: str) -> bool:
        known = None if self.facts is None else getattr(self.facts, kind)
        return known is not None and name not in known

    def without_tools(self) -> bool:
        return self.lacks("features", "function_calling") and self.lacks("features", "tool_use")


class OpenAITwin(_Twin):
    """The canonical shape is this dialect's own: what no row changes stays."""

    def __init__(
        self, messages: list[dict[str, Any]], params: dict[str, Any], facts: Any, own: bool
    ) -> None:
        super().__init__(messages, params, facts)
        self.own = own  # whether the servers are OpenAI's

    def body(self, model: str) -> tuple[dict[str, Any], Losses]:
        found: dict[str, Any] = {"model": model}
        found["messages"] = self.all_messages()
        self.effort = self.effort_there()
        for name, value in self.params.items():
            self.param(found, name, value)
        if self.effort is not None:
            found["reasoning_effort"] = self.effort
        return found, self.losses

    def effort_there(self) -> Any:
        name = "reasoning_effort"
        levels, default = self.trait("reasoning_efforts"), self.trait("default_effort")
        effort = self.params.get(name)
        if effort is not None and levels is not None and effort not in levels:
            row = "level" if levels else "none" if effort == "none" else "unsupported"
            self.lose(f"{name}.{row}", name)
            effort = nearest(effort, levels)
        running = default if effort is None else effort
        tools = self.params.get("tools") or []
        self.toolless = bool(tools) and self.without_tools()
        if self.toolless:
            self.lose("tools.unsupported", "tools")
        elif (
            self.params.get("tools")
            and running != "none"
            and self.trait("tools_while_reasoning") is False
        ):
            if levels is not None and "none" not in levels:
                self.lose("tools.reasoning", "tools")
                self.toolless = True
            else:
                self.lose(f"{name}.{'off' if effort is None else 'tools'}", name)
                effort, running = (None if default == "none" else "none"), "none"
        self.reasons = running not in (None, "none")
        return effort

    def all_messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        moved: list[Any] = []
        for index, message in enumerate(self.messages):
            if moved and message["role"] != "tool":
                found.append({"role": "user", "content": moved})
                moved = []
            written = self.message(message, index)
            parts = written["content"]
            if self.own and isinstance(parts, list) and message["role"] in ROLES[:2] + ROLES[3:]:
                media = [part for part in parts if part["type"] in ("image_url", "file")]
                written["content"] = [part for part in parts if part not in media] or ""
                if media:
                    moved += [{"type": "text", "text": self.owner(message, index)}, *media]
                    for place, part in enumerate(message["content"]):
                        if self.cleaned(part, None) in media:
                            self.lose("media.moved", f"messages[{index}].content[{place}]")
            found.append(written)
        return found + ([{"role": "user", "content": moved}] if moved else [])

    def owner(self, message: dict[str, Any], index: int) -> str:
        if message["role"] != "tool":
            return f"From the {message['role']} message before:"
        calls = [
            call
            for each in self.messages[:index]
            for call in each.get("tool_calls") or ()
            if call["id"] == message["tool_call_id"]
        ]
        name = calls[-1]["function"]["name"]
        return f"From the result of the tool call {message['tool_call_id']} ({name}):"

    def message(self, message: dict[str, Any], index: int) -> dict[str, Any]:
        path = f"messages[{index}]"
        found = {"role": self.role(message["role"], path), "content": message.get("content")}
        acts = any(message.get(name) is not None for name in
                   ("tool_calls", "refusal", "audio", "function_call"))  # fmt: skip
        if found["content"] is None and not acts:
            found["content"] = ""
        if isinstance(found["content"], list):
            parts = [
                self.part(part, f"{path}.content[{place}]")
                for place, part in enumerate(found["content"])
            ]
            found["content"] = [part for part in parts if part is not None] or ""
        for name, value in message.items():
            if name in ("role", "content") or (name in KNOWN_KEYS and value is None):
                continue
            if name == "cache_control" and self.own:
                self.lose("cache_control.openai", f"{path}.cache_control")
            elif name in ("reasoning", "reasoning_details"):
                places = [""] if name == "reasoning" else [f"[{i}]" for i in range(len(value))]
                for place in places:
                    self.lose("reasoning.openai", f"{path}.{name}{place}")
            elif name == "tool_calls":
                self.open = []
                found[name] = [
                    self.call(call, f"{path}.tool_calls[{place}]")
                    for place, call in enumerate(value)
                ]
            elif name == "tool_call_id":
                found[name] = self.answered(value, f"{path}.tool_call_id")
            else:
                found[name] = value
        return found

    def call(self, call: dict[str, Any], path: str) -> dict[str, Any]:
        found = {**self.cleaned(call, path), "id": self.call_id(call["id"], f"{path}.id")}
        name = call["function"]["name"]
        if self.is_misnamed(call):
            self.lose("tool_call.name", f"{path}.function.name")
            found["function"] = {**call["function"], "name": renamed(name, 64)}
        if not found["function"]["arguments"].strip():
            self.lose("tool_call.arguments", f"{path}.function.arguments")
            found["function"] = {**found["function"], "arguments": "{}"}
        return found

    def is_misnamed(self, tool: Any) -> bool:
        if not self.own or not isinstance(tool, dict):
            return False
        body = tool.get("function") or tool.get("custom")
        return not is_name(body["name"], 64)

    def call_id(self, given: str, path: str) -> str:
        taken = not self.own or len(given) <= 40
        return self.opened(given, given if taken else renamed(given, 40), path)

    def cleaned(self, given: Any, path: Optional[str]) -> Any:
        if not self.own or not isinstance(given, dict):
            return given
        if "cache_control" in given and path is not None:
            self.lose("cache_control.openai", f"{path}.cache_control")
        return {name: value for name, value in given.items() if name != "cache_control"}

    def role(self, role: str, path: str) -> str:
        if role not in ROLES:
            self.lose("role.unknown", f"{path}.role")
            return "user"
        only = self.trait("system_role")
        if role in ("system", "developer") and only not in (None, role):
            self.lose("role.system_name", f"{path}.role")
            return str(only)
        return role

    def part(self, part: Any, path: str) -> Optional[dict[str, Any]]:
        if isinstance(part, str):
            return {"type": "text", "text": part}
        needs = {
            "image_url": ("Image", "input.image"),
            "input_audio": ("Audio", "input.audio"),
            "file": ("Document", "input.document"),
        }.get(part["type"])
        if needs is not None and self.lacks("input_modalities", needs[0]):
            self.lose(needs[1], path)
            return None
        return self.cleaned(part, path)

    def param(self, found: dict[str, Any], name: str, value: Any) -> None:
        if name in ("max_tokens", "max_completion_tokens"):
            return self.limit(found, name, value)
        if name == "reasoning_effort":
            return None
        if self.toolless and name in ("tools", "tool_choice", "parallel_tool_calls"):
            return None
        alone = self.reasons and self.trait("sampling_while_reasoning") is False
        sampling = self.trait("sampling") is False
        both = self.trait("temperature_with_top_p") is False and "temperature" in self.params
        refused = {
            "temperature": ("sampling.unsupported" if sampling else
                            "sampling.thinking" if alone else None, 1),
            "top_p": ("sampling.unsupported" if sampling else "sampling.thinking" if alone else
                      "sampling.both" if both else None, 1),
            "logit_bias": ("logit_bias.unsupported" if sampling or alone else None, {}),
            "frequency_penalty": (self.refusing("penalties", "penalty.unsupported"), 0),
            "presence_penalty": (self.refusing("penalties", "penalty.unsupported"), 0),
            "logprobs": (self.refusing("logprobs", "logprobs.model") or
                         ("logprobs.thinking" if alone else None), False),
            "top_logprobs": (self.refusing("logprobs", "logprobs.model") or
                             ("logprobs.thinking" if alone else None), 0),
            "stop": (self.refusing("stop", "stop.unsupported"), []),
            "web_search_options": (self.refusing("web_search", "web_search.model"), None),
            "parallel_tool_calls": (
                self.refusing("parallel_tool_calls", "parallel_tool_calls.unsupported" if value else
                              "parallel_tool_calls.never"), None),
        }  # fmt: skip
        row, neutral = refused.get(name, (None, None))
        if row is not None and value != neutral:
            return self.lose(row, name)
        if name in ("user", "safety_identifier") and self.own and len(value) > 64:
            self.lose("user.hashed", name)
            value = hashlib.sha256(value.encode()).hexdigest()
        if name == "tool_choice" and self.trait("forced_tool_choice") is False:
            if value not in ("none", "auto"):
                self.lose("tool_choice.thinking", name)
                value = "auto"
            elif self.is_misnamed(value):
                value = self.with_name(value, name)
        elif name == "tool_choice" and self.is_misnamed(value):
            value = self.with_name(value, name)
        elif name == "tools":
            value = [self.tool(tool, f"tools[{place}]") for place, tool in enumerate(value)]
        elif name == "stop" and isinstance(value, list) and self.trait("stop"):
            for place, _ in enumerate(value[4:], 4):
                self.lose("stop.too_many", f"stop[{place}]")
            value = value[:4]
        elif name == "modalities" and "audio" in value:
            if self.lacks("output_modalities", "Audio"):
                return self.lose("audio.output", name)
        elif name == "response_format" and (
            (value["type"] == "json_object" and self.lacks("features", "json_mode"))
            or (value["type"] == "json_schema" and self.trait("structured_output") is False)
        ):
            return self.lose("response_format.unsupported", name)
        elif name == "response_format" and self.trait("structured_output"):
            value = self.answer_format(value)
        found[name] = value
        return None

    def answer_format(self, value: dict[str, Any]) -> dict[str, Any]:
        inner = value.get("json_schema", {})
        if inner.get("strict") is not True or not strict_rows(inner["schema"]):
            return value
        for row, place in strict_rows(inner["schema"]):
            self.lose(row, f"response_format.json_schema.schema{place}")
        return {**value, "json_schema": {**inner, "schema": opened(inner["schema"])}}

    def with_name(self, tool: dict[str, Any], path: str) -> dict[str, Any]:
        self.lose("tool.name", path)
        kind = "function" if "function" in tool else "custom"
        return {**tool, kind: {**tool[kind], "name": renamed(tool[kind]["name"], 64)}}

    def refusing(self, trait: str, row: str) -> Optional[str]:
        return row if self.trait(trait) is False else None

    def tool(self, tool: dict[str, Any], path: str) -> dict[str, Any]:
        tool = self.cleaned(tool, path)
        if self.is_misnamed(tool):
            tool = self.with_name(tool, path)
        function = tool.get("function", {})
        if self.own and ("parameters" in function or function.get("strict")):
            made, rows = parameters_of(function, f"{path}.function.parameters")
            tool = {**tool, "function": {**function, "parameters": made}}
            self.losses += rows
        elif self.own and tool.get("function", {}).get("strict") is True:
            self.lose("tool.schema_completed", f"{path}.function.parameters")
            closed = {"required": [], "additionalProperties": False}
            tool = {**tool, "function": {
                **tool["function"],
                "parameters": {"type": "object", "properties": {}, **closed},
            }}  # fmt: skip
        if self.trait("strict_tools") is False and tool.get("function", {}).get("strict"):
            self.lose("tool.strict", f"{path}.function.strict")
            function = {k: v for k, v in tool["function"].items() if k != "strict"}
            tool = {**tool, "function": function}
        return tool

    def limit(self, found: dict[str, Any], name: str, value: int) -> None:
        limit = None if self.facts is None else self.facts.max_output_tokens
        wanted = name
        if name == "max_tokens" and self.facts is not None:
            if "max_completion_tokens" in self.params:
                return self.lose("max_tokens.twice", name)
            if self.trait("max_tokens_parameter") == "max_completion_tokens":
                self.lose("max_tokens.renamed", name)
                wanted = "max_completion_tokens"
        if limit is not None and value > limit:
            self.lose("max_tokens.above_limit", name)
            value = limit
        found[wanted] = value
        return None


# The members that say what a schema is; without one it is an object's.
SHAPES = {"type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"}


def parameters_of(function: dict[str, Any], path: str) -> tuple[Any, Losses]:
    """Return a function's parameters in OpenAI's documented form, and what was added."""
    given = function.get("parameters")
    if not given:
        closed = {"required": [], "additionalProperties": False} if function.get("strict") else {}
        return {"type": "object", "properties": {}, **closed}, [("tool.schema_completed", path)]
    rows: Losses = []
    if isinstance(given, dict) and not SHAPES & given.keys():
        rows.append(("tool.schema_completed", f"{path}.type"))
        given = {"type": "object", **given}
    return completed(given, path, rows), rows


def completed(schema: Any, path: str, rows: Losses) -> Any:
    """Return a tool's schema with the members that OpenAI requires."""
    if not isinstance(schema, dict):
        return schema
    made = dict(schema)
    for name in ("properties", "$defs"):
        if name in made:
            made[name] = {
                key: completed(value, f"{path}.{name}.{key}", rows)
                for key, value in made[name].items()
            }
    for name in ("anyOf", "oneOf", "allOf"):
        if name in made:
            made[name] = [
                completed(value, f"{path}.{name}[{place}]", rows)
                for place, value in enumerate(made[name])
            ]
    for name in ("items", "additionalProperties"):
        if name in made:
            made[name] = completed(made[name], f"{path}.{name}", rows)
    for kind, name in (("object", "properties"), ("array", "items")):
        if made.get("type") == kind and name not in made:
            made[name] = {}
            rows.append(("tool.schema_completed", f"{path}.{name}"))
    return made


def openai_body(
    messages: list[dict[str, Any]], model: str, params: dict[str, Any], facts: Any, own: bool = True
) -> tuple[dict[str, Any], Losses]:
    return OpenAITwin(messages, params, facts, own).body(model)


def plain_blocks(body: dict[str, Any]) -> dict[str, Any]:
    """Return a messages body with every string content as the one text block that it stands for."""

    def blocks(content: Any) -> Any:
        return [{"type": "text", "text": content}] if isinstance(content, str) else content

    found = dict(body)
    if "system" in found:
        found["system"] = blocks(found["system"])
    found["messages"] = [{**turn, "content": blocks(turn["content"])} for turn in found["messages"]]
    return found


def arguments_of(text: str) -> Any:
    return json.loads(text) if text.strip() else {}
