"""The slow, obvious twin of the encoder for Anthropic messages; see `reference_core`."""

from __future__ import annotations

import base64
import re
from typing import Any, Optional

from reference_anthropic_params import AnthropicParamsTwin, Block, taken_name
from reference_core import KNOWN_KEYS, ROLES, Losses, arguments_of, nearest, renamed
from reference_schemas import enforced

LEADING = ("system", "developer")


class AnthropicTwin(AnthropicParamsTwin):
    """Everything is blocks; a turn of one text block may as well be a string."""

    def body(self, model: str) -> tuple[dict[str, Any], Losses]:
        self.model = model
        self.marks: list[tuple[Block, str]] = []
        self.last, self.end, self.alone = None, len(self.messages), False
        found: dict[str, Any] = {"model": model, "max_tokens": self.limit()}
        self.effort = self.thinking_effort(found["max_tokens"])
        self.thinks = self.trait("thinking") == "always" or self.effort is not None
        native, emulated, instruction = self.answer_format()
        lead = 0
        while lead < len(self.messages) and self.messages[lead]["role"] in LEADING:
            lead += 1
        self.find_last(lead)
        self.alone = lead == self.end
        if self.alone:
            for index in range(lead):
                self.lose("system.alone", f"messages[{index}].role")
            lead = 0
        system = [block for index in range(lead) for block in self.system(index)]
        if instruction:
            system.append({"type": "text", "text": instruction})
        if system:
            found["system"] = system
        found["messages"] = self.turns(lead)
        self.add_params(found, native, emulated)
        self.settle_cache()
        return found, self.losses

    # What depends on more than one parameter.

    def limit(self) -> int:
        limit = None if self.facts is None else self.facts.max_output_tokens
        wanted = self.params.get("max_completion_tokens")
        name = "max_tokens" if wanted is None else "max_completion_tokens"
        if wanted is not None and "max_tokens" in self.params:
            self.lose("max_tokens.twice", "max_tokens")
        if wanted is None:
            wanted = self.params.get("max_tokens")
        if wanted is None:
            self.lose("max_tokens.default", "max_tokens")
            if limit is None:
                return 4096
            return int(limit if self.params.get("stream") else min(limit, 21_333))
        if limit is not None and wanted > limit:
            self.lose("max_tokens.above_limit", name)
            return int(limit)
        return int(wanted)

    def thinking_effort(self, max_tokens: int) -> Optional[str]:
        wanted = self.params.get("reasoning_effort")
        way = self.trait("thinking")
        if wanted is None or (wanted == "none" and way == "adaptive"):
            return None
        if wanted == "none" and way != "always":
            self.lose("reasoning_effort.none", "reasoning_effort")
            return None
        by_effort = way in ("adaptive", "always")
        if wanted == "none" or not (way == "budget" or by_effort) or (
            by_effort and self.trait("effort_parameter") is False
        ):  # fmt: skip
            self.lose("reasoning_effort.unsupported", "reasoning_effort")
            return None
        if self.params.get("tools") and self.trait("tools_while_reasoning") is False:
            self.lose("reasoning_effort.tools", "reasoning_effort")
            return None
        if way == "budget" and max_tokens <= 1024:
            self.lose("reasoning_effort.no_room", "reasoning_effort")
            return None
        if way == "budget" and self.goes_on_without_thinking():
            self.lose("reasoning_effort.history", "reasoning_effort")
            return None
        if way != "budget":
            levels = [level for level in self.trait("reasoning_efforts") if level != "none"]
            level = nearest(wanted, levels or [wanted])
            if level != wanted:
                self.lose("reasoning_effort.level", "reasoning_effort")
                wanted = level
        self.lose("reasoning_effort.thinking", "reasoning_effort")
        return str(wanted)

    def goes_on_without_thinking(self) -> bool:
        """Whether the answer to the last user turn that holds no tool result has no thinking."""
        groups: list[list[dict[str, Any]]] = []
        for index, message in enumerate(self.messages):
            if self.is_blank(index):
                continue
            if groups and (groups[-1][0]["role"] == "assistant") == (
                message["role"] == "assistant"
            ):
                groups[-1].append(message)
            else:
                groups.append([message])
        answer = []
        while groups:
            group = groups.pop()
            if group[0]["role"] == "assistant":
                answer.append(group)
            elif not any(message["role"] == "tool" for message in group):
                break
        return bool(answer) and not any(
            self.kept_reasoning(group[0].get("reasoning_details") or []) for group in answer
        )

    def kept_reasoning(self, details: list[dict[str, Any]]) -> list[Block]:
        losses, self.losses = self.losses, []
        blocks = self.reasoning(details, "")
        self.losses = losses
        return blocks

    def answer_format(self) -> tuple[bool, bool, Optional[str]]:
        kind = (self.params.get("response_format") or {}).get("type", "text")
        if kind == "json_object":
            self.lose("response_format.json_object", "response_format")
            return False, False, "Answer with one JSON object and nothing else."
        if kind == "json_schema":
            native = self.native_schema()
            thinks = self.thinks and self.trait("thinking") != "always"
            free = not thinks and self.trait("forced_tool_choice") is not False
            if not native and (self.params.get("tools") or not free):
                self.lose("response_format.conflict", "response_format")
                return False, False, None
            root = self.params["response_format"]["json_schema"].get("schema") or {}
            if not native and (
                root.get("type", "object") != "object" or {"oneOf", "anyOf", "allOf"} & set(root)
            ):
                self.lose("response_format.unsupported", "response_format")
                return False, False, None
            if not native:
                self.lose("response_format.tool", "response_format")
            return native, not native, None
        if kind != "text":
            self.lose("response_format.unsupported", "response_format")
        return False, False, None

    def native_schema(self) -> bool:
        given = self.params["response_format"]["json_schema"]
        if self.trait("structured_output") is not True:
            return False
        found = enforced(given.get("schema") or {"type": "object"})
        if found is None:
            return False
        self.form = found.form
        self.lose_schema_keys()
        path = "response_format.json_schema.schema"
        if found.closed:
            self.lose("response_format.closed", path)
        for row, place in found.said:
            self.lose(row, path + place)
        return True

    def lose_schema_keys(self) -> None:
        path = "response_format.json_schema"
        given = self.params["response_format"]["json_schema"]
        for name in ("name", "description"):
            if given.get(name) is not None:
                self.lose(f"response_format.{name}", f"{path}.{name}")
        if not given.get("strict"):
            self.lose("response_format.strict", path)

    def find_last(self, lead: int) -> None:
        self.demoted: list[dict[str, Any]] = []
        self.alone = lead == self.end
        while True:
            spoken = [i for i in range(lead, self.end) if not self.is_blank(i)]
            message = self.messages[spoken[-1]] if spoken else {"role": "user"}
            if message["role"] != "assistant" or message.get("tool_calls"):
                break
            if self.trait("assistant_prefill") is not False:
                self.last = spoken[-1]
                break
            self.lose("assistant.last", f"messages[{spoken[-1]}]")
            for index in range(spoken[-1] + 1, self.end):
                self.blocks_of(index)
            self.end = spoken[-1]

    def is_blank(self, index: int) -> bool:
        """Whether a message has nothing that is sent."""
        reported, marked = len(self.losses), len(self.marks)
        ids, opened = list(self.ids), list(self.open)
        if self.messages[index]["role"] == "tool":
            return False
        blocks = self.blocks_of(index)
        del self.losses[reported:], self.marks[marked:]
        self.ids, self.open = ids, opened
        return not blocks

    def blocks_of(self, index: int) -> list[Block]:
        message = self.messages[index]
        in_place = self.side(message) == "system"
        return (self.system_blocks if in_place else self.blocks)(message, index)

    # Messages.

    def system(self, index: int) -> list[Block]:
        message = self.messages[index]
        self.lose("system.top_level", f"messages[{index}].role")
        return self.system_blocks(message, index)

    def system_blocks(self, message: dict[str, Any], index: int) -> list[Block]:
        self.lose_keys(message, index)
        blocks = []
        for place, part in enumerate(self.parts_of(message)):
            field = "content" if isinstance(message["content"], str) else f"content[{place}]"
            if part["type"] == "text":
                blocks += self.text(part["text"], f"messages[{index}].{field}", part)
            else:
                self.lose("system.part", f"messages[{index}].{field}")
        return self.cached(message, blocks, index)

    def parts_of(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        content = message.get("content")
        parts = [content] if isinstance(content, str) else content or []
        return [{"type": "text", "text": p} if isinstance(p, str) else p for p in parts]

    def text(self, text: str, path: str, part: Optional[dict[str, Any]] = None) -> list[Block]:
        if not text.strip():
            self.lose("text.blank", path)
            return []
        block = {"type": "text", "text": text}
        self.keep_cache(part or {}, block, path, {"type", "text", "refusal"})
        return [block]

    def keep_cache(self, source: dict[str, Any], block: Block, path: str, known: set[str]) -> None:
        for name, value in source.items():
            if name == "cache_control":
                self.mark(block, value, f"{path}.{name}")
            elif name == "prompt_cache_breakpoint":
                self.lose("prompt_cache", f"{path}.{name}")
            elif name not in known and value is not None:
                self.lose("part.unknown_key", f"{path}.{name}")

    def cached(self, message: dict[str, Any], blocks: list[Block], index: int) -> list[Block]:
        control = message.get("cache_control")
        takers = [block for block in blocks if not block["type"].endswith("thinking")]
        if control is not None and not takers:
            self.lose("cache_control.blank", f"messages[{index}].cache_control")
        elif control is not None:
            if "cache_control" in takers[-1]:
                self.lose("cache_control.twice", f"messages[{index}].cache_control")
            else:
                self.mark(takers[-1], control, f"messages[{index}].cache_control")
        return blocks

    def lose_keys(self, message: dict[str, Any], index: int) -> None:
        path = f"messages[{index}]"
        if message.get("name") is not None:
            self.lose("message.name", f"{path}.name")
        if message.get("audio") is not None:
            self.lose("assistant.audio", f"{path}.audio")
        if message.get("function_call") is not None:
            self.lose("functions", f"{path}.function_call")
        if message.get("reasoning") is not None and message.get("reasoning_details") is None:
            self.lose("reasoning.unsigned", f"{path}.reasoning")
        for name, value in message.items():
            if name == "annotations":
                if value:
                    self.lose("message.annotations", f"{path}.{name}")
            elif name not in KNOWN_KEYS and name != "cache_control" and value is not None:
                self.lose("message.unknown_key", f"{path}.{name}")

    def side(self, message: dict[str, Any]) -> str:
        if message["role"] == "assistant":
            return "assistant"
        in_place = self.trait("mid_conversation_system") is True and not self.alone
        in_place = in_place and not any(message is each for each in self.demoted)
        return "system" if in_place and message["role"] in LEADING else "user"

    def order(self, start: int) -> list[int]:
        """Return the messages in the order in which they are written."""
        indexes = list(range(start, self.end))
        spoken = [i for i in indexes if not self.is_blank(i)]
        late = [i for i in spoken if self.side(self.messages[i]) == "system"]
        others = [i for i in spoken if i not in late]
        follows: dict[int, list[int]] = {}
        for index in late:
            before = [i for i in others if i < index]
            at = len(before)
            while at < len(others) and self.messages[others[at]]["role"] != "assistant":
                at += 1
            if at == 0 or self.messages[others[at - 1]]["role"] == "assistant":
                self.demoted.append(self.messages[index])
            elif at > len(before):
                self.lose("system.moved", f"messages[{index}]")
            follows.setdefault(others[at - 1] if at else -1, []).append(index)
        made = [i for i in indexes if i not in spoken] + follows.get(-1, [])
        for index in others:
            made += [index, *follows.get(index, ())]
        return made

    def turns(self, start: int) -> list[Block]:
        groups: list[tuple[str, list[int]]] = []
        last = start
        for index in self.order(start):
            message = self.messages[index]
            if self.is_blank(index):
                self.blocks_of(index)
                continue
            before, last = self.messages[last], index
            side = self.side(message)
            if groups and groups[-1][0] == side:
                if not (message["role"] == "tool" == before["role"]):
                    self.lose("turns.merged", f"messages[{index}].role")
                groups[-1][1].append(index)
            else:
                groups.append((side, [index]))
        turns = [{"role": side, "content": self.turn(side, ids)} for side, ids in groups]
        turns = [turn for turn in turns if turn["content"]]
        if not turns:
            self.lose("messages.blank", f"messages[{start}]")
            return [{"role": "user", "content": ""}]
        return turns

    def turn(self, side: str, indexes: list[int]) -> list[Block]:
        results, others = [], []
        for index in indexes:
            message = self.messages[index]
            if message["role"] not in ROLES:
                self.lose("role.unknown", f"messages[{index}].role")
            elif side == "user" and message["role"] in LEADING and not self.alone:
                self.lose("system.later", f"messages[{index}].role")
            if message["role"] == "tool":
                if others:
                    self.lose("tool.result_late", f"messages[{index}]")
                results.append(self.result(message, index))
            elif side == "system":
                others += self.system_blocks(message, index)
            else:
                others += self.blocks(message, index)
        return results + others

    def result(self, message: dict[str, Any], index: int) -> Block:
        self.lose_keys(message, index)
        block: Block = {"type": "tool_result", "tool_use_id": self.answered(
            message["tool_call_id"], f"messages[{index}].tool_call_id")}  # fmt: skip
        content = message["content"]
        if isinstance(content, str):
            if content.strip():
                block["content"] = content
            elif content:
                self.lose("text.blank", f"messages[{index}].content")
        else:
            block["content"] = [
                found
                for place, part in enumerate(self.parts_of(message))
                for found in self.part(part, index, f"content[{place}]")
            ]
        if "cache_control" in message:
            self.mark(block, message["cache_control"], f"messages[{index}].cache_control")
        return block

    def blocks(self, message: dict[str, Any], index: int) -> list[Block]:
        self.lose_keys(message, index)
        path = f"messages[{index}]"
        blocks = self.reasoning(message.get("reasoning_details") or [], path)
        parts = self.parts_of(message)
        for place, part in enumerate(parts):
            field = "content" if isinstance(message["content"], str) else f"content[{place}]"
            if index == self.last and place == len(parts) - 1 and part["type"] == "text":
                text = part["text"].rstrip()
                if text and text != part["text"]:
                    self.lose("assistant.trailing_space", f"{path}.{field}")
                    part = {**part, "text": text}
            blocks += self.part(part, index, field)
        if message.get("refusal") is not None:
            self.lose("assistant.refusal", f"{path}.refusal")
            blocks += self.text(message["refusal"], f"{path}.refusal")
        if message.get("tool_calls"):
            self.open = []
        for place, call in enumerate(message.get("tool_calls") or ()):
            blocks.append(self.call(call, f"{path}.tool_calls[{place}]"))
        return self.cached(message, blocks, index)

    def call(self, call: dict[str, Any], path: str) -> Block:
        function = call["function"]
        made = self.call_id(call["id"], f"{path}.id")
        name = taken_name(function["name"])
        if name != function["name"]:
            self.lose("tool_call.name", f"{path}.function.name")
        block: Block = {"type": "tool_use", "id": made, "name": name}
        block["input"] = arguments_of(function["arguments"])
        if not function["arguments"].strip():
            self.lose("tool_call.arguments", f"{path}.function.arguments")
        for name, value in function.items():
            if name not in ("name", "arguments") and value is not None:
                self.lose("part.unknown_key", f"{path}.function.{name}")
        self.keep_cache(call, block, path, {"id", "type", "function"})
        return block

    def call_id(self, given: str, path: str) -> str:
        plain = re.fullmatch("[a-zA-Z0-9_-]+", given)
        return self.opened(given, given if plain else renamed(given, 64), path)

    def reasoning(self, details: list[dict[str, Any]], path: str) -> list[Block]:
        blocks: list[Block] = []
        for place, item in enumerate(details):
            if item.get("model") != self.model:
                self.lose("reasoning.foreign", f"{path}.reasoning_details[{place}]")
            elif item["type"] == "thinking" and item.get("signature") is not None:
                blocks.append({"type": "thinking", "thinking": item.get("text") or "",
                               "signature": item["signature"]})  # fmt: skip
            elif item["type"] == "redacted_thinking" and item.get("data") is not None:
                blocks.append({"type": "redacted_thinking", "data": item["data"]})
            else:
                self.lose("reasoning.unsigned", f"{path}.reasoning_details[{place}]")
        return blocks

    def part(self, part: dict[str, Any], index: int, field: str) -> list[Block]:
        path = f"messages[{index}].{field}"
        kind = part["type"]
        if kind == "text":
            return self.text(part["text"], path, part)
        if kind == "refusal":
            self.lose("assistant.refusal", path)
            return self.text(part["refusal"], path, part)
        if kind == "input_audio":
            self.lose("input.audio", path)
            return []
        if kind == "image_url":
            block = self.image(part["image_url"], path)
        else:
            block = self.document(part["file"], path)
        if block is None:
            return []
        self.keep_cache(part, block, path, {"type", kind})
        return [block]

    def image(self, image: dict[str, Any], path: str) -> Optional[Block]:
        if self.lacks("input_modalities", "Image"):
            return self.lose("input.image", path)
        url = image["url"]
        source = {"type": "url", "url": url}
        if url.startswith("data:"):
            media, data = url[5:].split(";base64,")
            if media not in ("image/jpeg", "image/png", "image/gif", "image/webp"):
                return self.lose("image.media_type", path)
            source = {"type": "base64", "media_type": media, "data": data}
        if image.get("detail") not in (None, "auto"):
            self.lose("image.detail", f"{path}.image_url.detail")
        return {"type": "image", "source": source}

    def document(self, file: dict[str, Any], path: str) -> Optional[Block]:
        if file.get("file_data") is None:
            return self.lose("file.id", path)
        if self.lacks("input_modalities", "Document"):
            return self.lose("input.document", path)
        head, _, data = file["file_data"].rpartition(";base64,")
        media = head[5:] or "application/pdf"
        source = {"type": "base64", "media_type": "application/pdf", "data": data}
        if media.startswith("text/"):
            self.lose("file.text", f"{path}.file.file_data")
            text = base64.b64decode(data).decode()
            source = {"type": "text", "media_type": "text/plain", "data": text}
        elif media != "application/pdf":
            return self.lose("file.media_type", path)
        block: Block = {"type": "document", "source": source}
        if file.get("filename") is not None:
            block["title"] = file["filename"]
        return block


def anthropic_body(
    messages: list[dict[str, Any]], model: str, params: dict[str, Any], facts: Any
) -> tuple[dict[str, Any], Losses]:
    return AnthropicTwin(messages, params, facts).body(model)
