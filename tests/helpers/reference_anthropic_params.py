"""The twin of the encoder for Anthropic messages: parameters and tools; see `reference_core`."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Optional

from reference_core import NATIVE, NO_COUNTERPART, SHARES, _Twin, is_name, renamed
from reference_schemas import enforced

Block = dict[str, Any]


def taken_name(name: str) -> str:
    return name if is_name(name, 128) else renamed(name, 64)


class AnthropicParamsTwin(_Twin):
    """Adds what does not depend on the messages; the rest is decided before."""

    effort: Optional[str]
    thinks: bool
    form: Any
    marks: list[tuple[Block, str]]

    def add_params(self, found: dict[str, Any], native: bool, emulated: bool) -> None:
        for name, value in self.params.items():
            row, neutral = NO_COUNTERPART.get(name, ("param.unknown", None))
            if name not in NATIVE and value != neutral:
                self.lose(row, name)
        self.add_sampling(found)
        stop = self.params.get("stop") or []
        stop = [stop] if isinstance(stop, str) else stop
        if stop and self.trait("stop") is False:
            self.lose("stop.unsupported", "stop")
            stop = []
        for place, text in enumerate(stop):
            if not text.strip():
                single = isinstance(self.params["stop"], str)
                self.lose("stop.blank", "stop" if single else f"stop[{place}]")
        if any(text.strip() for text in stop):
            found["stop_sequences"] = [text for text in stop if text.strip()]
        user, safe = self.params.get("user"), self.params.get("safety_identifier")
        if safe is not None and user not in (None, safe):
            self.lose("user.twice", "user")
        if user is not None or safe is not None:
            given, name = (user, "user") if safe is None else (safe, "safety_identifier")
            if len(given) > 512 or re.search(r"[^@\s]+@[^@\s]+\.[^@\s]+", given):
                self.lose("user.hashed", name)
                given = hashlib.sha256(given.encode()).hexdigest()
            found["metadata"] = {"user_id": given}
        tier = self.params.get("service_tier")
        if tier in ("auto", "default"):
            found["service_tier"] = "auto" if tier == "auto" else "standard_only"
        elif tier is not None:
            self.lose("service_tier", "service_tier")
        if "audio" in self.params.get("modalities", ()):
            self.lose("audio.output", "modalities")
        self.add_thinking(found, native)
        self.add_tools(found, emulated)
        if self.params.get("stream"):
            found["stream"] = True

    def add_sampling(self, found: dict[str, Any]) -> None:
        given = {n: self.params[n] for n in ("temperature", "top_p") if n in self.params}
        if self.trait("sampling") is False:
            for name, value in given.items():
                if value != 1:
                    self.lose("sampling.unsupported", name)
            return
        alone = self.thinks and self.trait("sampling_while_reasoning") is False
        if alone and given.get("temperature", 1) != 1:
            self.lose("sampling.thinking", "temperature")
            del given["temperature"]
        if alone and given.get("top_p", 1) < 0.95:
            self.lose("sampling.thinking", "top_p")
            del given["top_p"]
        if len(given) == 2 and self.trait("temperature_with_top_p") is False:
            if given["top_p"] != 1 and given["temperature"] == 1:
                del given["temperature"]
            else:
                if given["top_p"] != 1:
                    self.lose("sampling.both", "top_p")
                del given["top_p"]
        if given.get("temperature", 0) > 1:
            self.lose("temperature.above_one", "temperature")
            given["temperature"] = 1
        found.update(given)

    def add_thinking(self, found: dict[str, Any], native: bool) -> None:
        way = self.trait("thinking")
        config: dict[str, Any] = {}
        if self.effort is not None and way == "budget":
            room = max(found["max_tokens"] * SHARES[self.effort] // 100, 1024)
            budget = min(room, found["max_tokens"] - 1)
            found["thinking"] = {"type": "enabled", "budget_tokens": budget}
        elif self.effort is not None:
            if way == "adaptive":
                found["thinking"] = {"type": "adaptive"}
            config["effort"] = self.effort
        elif self.params.get("reasoning_effort") == "none" and way == "adaptive":
            found["thinking"] = {"type": "disabled"}
        if native:
            config["format"] = {"type": "json_schema", "schema": self.form}
        if config:
            found["output_config"] = config

    def add_tools(self, found: dict[str, Any], emulated: bool) -> None:
        tools = [self.tool(t, f"tools[{i}]") for i, t in enumerate(self.params.get("tools") or ())]
        if tools and self.without_tools():
            self.lose("tools.unsupported", "tools")
        choice = self.params.get("tool_choice")
        kept = [tool for tool in tools if tool is not None]
        if kept:
            found["tools"] = kept
            self.add_choice(found, choice)
            return
        if emulated:
            given = self.params["response_format"]["json_schema"]
            name = "structured_output"
            description = given.get("description") or "Give the answer in this form."
            found["tools"] = [{"name": name, "description": description,
                               "input_schema": {"type": "object", **given["schema"]}}]  # fmt: skip
            found["tool_choice"] = {"type": "tool", "name": name}
        else:
            called = {
                taken_name(call["function"]["name"]): {"type": "object"}
                for message in self.messages
                for call in message.get("tool_calls") or ()
            }
            if called:
                self.lose("tools.called", "tools")
                found["tools"] = [{"name": k, "input_schema": v} for k, v in called.items()]
                found["tool_choice"] = {"type": "none"}
        if choice not in (None, "none", "auto"):
            self.lose("tool_choice.without_tools", "tool_choice")

    def tool(self, tool: dict[str, Any], path: str) -> Optional[Block]:
        if tool.get("type", "function") != "function":
            self.lose("tool.custom", path)
            return None
        function = dict(tool["function"])
        found: Block = {"name": function.pop("name")}
        if not is_name(found["name"], 128):
            self.lose("tool.name", path)
            found["name"] = renamed(found["name"], 64)
        if function.get("description") is not None:
            found["description"] = function["description"]
        where = f"{path}.function.parameters"
        schema = self.input_schema(function.get("parameters"), where)
        found["input_schema"] = schema
        strict = function.get("strict")
        if strict is not None and self.trait("strict_tools") is True:
            found["strict"] = strict
            form = enforced(schema) if strict else None
            if strict and form is None:
                self.lose("tool.strict_schema", f"{path}.function.strict")
                found["strict"] = False
            elif form is not None:
                found["input_schema"] = form.form
                for place in [""] * form.closed + [place for _, place in form.said]:
                    self.lose("tool.hint", where + place)
        elif strict:
            self.lose("tool.strict", f"{path}.function.strict")
        if tool.get("cache_control") is not None:
            self.mark(found, tool["cache_control"], f"{path}.cache_control")
        for name in set(function) - {"description", "parameters", "strict"}:
            self.lose("param.unknown", f"{path}.function.{name}")
        for name in set(tool) - {"type", "function", "cache_control"}:
            self.lose("param.unknown", f"{path}.{name}")
        return found

    def input_schema(self, given: Any, path: str) -> dict[str, Any]:
        if not given:
            return {"type": "object", "properties": {}}
        if given.get("type", "object") != "object":
            self.lose("tool.schema", path)
            text = json.dumps(given, separators=(",", ":"), ensure_ascii=False)
            return {"type": "object", "description": text}
        made = {"type": "object", **given}
        hints = []
        for name in [name for name in made if name in ("oneOf", "anyOf", "allOf")]:
            self.lose("tool.hint", f"{path}.{name}")
            text = json.dumps(made.pop(name), separators=(",", ":"), ensure_ascii=False)
            hints.append(f"{name}: {text}")
        if hints:
            said = "{" + ", ".join(hints) + "}"
            before = made.get("description")
            made["description"] = f"{before}\n\n{said}" if before else said
        return made

    def add_choice(self, found: dict[str, Any], choice: Any) -> None:
        one = self.params.get("parallel_tool_calls") is False
        if one and self.trait("parallel_tool_calls") is False:
            self.lose("parallel_tool_calls.never", "parallel_tool_calls")
            one = False
        if isinstance(choice, dict) and not is_name(choice["function"]["name"], 128):
            self.lose("tool.name", "tool_choice")
        forced = choice == "required" or isinstance(choice, dict)
        thinks = self.thinks and self.trait("thinking") != "always"
        if forced and (thinks or self.trait("forced_tool_choice") is False):
            self.lose("tool_choice.thinking", "tool_choice")
            made: Block = {"type": "auto"}
        elif isinstance(choice, dict):
            made = {"type": "tool", "name": taken_name(choice["function"]["name"])}
        elif choice is None and not one:
            return
        else:
            made = {"type": {"required": "any", None: "auto"}.get(choice, choice)}
        if one and choice != "none":
            made["disable_parallel_tool_use"] = True
        found["tool_choice"] = made

    def mark(self, block: Block, control: Any, path: str) -> None:
        block["cache_control"] = control
        self.marks.append((block, path))

    def settle_cache(self) -> None:
        in_order = sorted(self.marks, key=lambda mark: not mark[1].startswith("tools["))
        for block, path in in_order[:-4]:
            self.lose("cache_control.most", path)
            del block["cache_control"]
        short = False
        for block, path in in_order[-4:]:
            if block["cache_control"].get("ttl") != "1h":
                short = True
            elif short:
                self.lose("cache_control.order", f"{path}.ttl")
                block["cache_control"] = {**block["cache_control"], "ttl": "5m"}
