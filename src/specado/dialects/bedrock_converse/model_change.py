"""Changes the model of a Bedrock Converse request, and adapts the body to the new model.

Unknown members, members without a loss row, and every member that the model is not known to refuse
are sent unchanged. Sources as for `specado.losses.rows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from specado._core import NotJson, dumps, effort_for, nearest_effort, thinking_budget
from specado._core.bedrock_converse.loss_rows import (
    ASSISTANT_LAST,
    BEDROCK_THINKING_BUDGET,
    CACHE_CONTROL_MODEL,
    INPUT_AUDIO,
    INPUT_DOCUMENT,
    INPUT_IMAGE,
    INPUT_VIDEO,
    MAX_TOKENS_ABOVE_LIMIT,
    REASONING_EFFORT_NO_ROOM,
    REASONING_EFFORT_THINKING,
    REASONING_EFFORT_UNSUPPORTED,
    REASONING_FOREIGN,
    RESPONSE_FORMAT_UNSUPPORTED,
    SAMPLING_BOTH,
    SAMPLING_THINKING,
    SAMPLING_UNSUPPORTED,
    STOP_MODEL_MOST,
    STOP_UNSUPPORTED,
    SYSTEM_LATER,
    TOOL_CHOICE_MODEL,
    TOOL_RESULT_ALONE,
    TOOL_STRICT,
    WEB_SEARCH_MODEL,
)
from specado._core.bedrock_converse.native import model_of_profile
from specado._core.parameters import MIN_THINKING_BUDGET
from specado.catalog.lookup import NO_RULES, Traits
from specado.dialects.contract import Encoded
from specado.errors import MessageFormatError

if TYPE_CHECKING:
    from specado._core import Reported
    from specado.catalog.lookup import Model, RequestRules
    from specado.dialects.contract import DecodedRequest

__all__ = ["change_model"]

# Parts of the URL, and no members of the body.
_OF_THE_URL = ("model", "modelId", "stream")
_FIELDS = "additionalModelRequestFields"
# The member of a medium's block, its modality, and the row of a medium that the model lacks.
_MEDIA = {
    "image": ("Image", INPUT_IMAGE),
    "document": ("Document", INPUT_DOCUMENT),
    "video": ("Video", INPUT_VIDEO),
    "audio": ("Audio", INPUT_AUDIO),
}
# The members of the family's fields that ask for reasoning, by the way in which models take it.
_REASONING = {
    "thinking": ("budget", "adaptive"),
    "reasoning_config": ("budget",),
    "output_config": ("adaptive", "always"),
    "reasoning_effort": ("effort",),
    "reasoningConfig": ("reasoning_config",),
}
_LEVELS = ("low", "medium", "high")


def change_model(
    source: DecodedRequest,
    model: str,
    facts: Model | None,
    rules: RequestRules = NO_RULES,  # noqa: ARG001 - Bedrock's servers have none
) -> Encoded:
    """Return the request of *source* adapted to a model, and the losses."""
    body = {name: value for name, value in source.native.items() if name not in _OF_THE_URL}
    change = _ModelChange(body, facts)
    change.messages(is_foreign=model_of_profile(source.model) != model_of_profile(model))
    change.system()
    change.tools()
    change.config()
    change.answer_format()
    change.reasoning()
    try:
        return Encoded(dumps(body), change.losses)
    except NotJson as error:
        raise MessageFormatError(f"request: {error}", field="request") from None


class _ModelChange:
    """Adapts one body in place; nested values belong to the caller and are copied first."""

    def __init__(self, body: dict[str, Any], facts: Model | None) -> None:
        self._body = body
        self._facts = facts
        self._traits = Traits() if facts is None else facts.traits
        self.losses: list[Reported] = []

    def _lose(self, row: str, path: str, before: Any = None, after: Any = None) -> None:
        self.losses.append((row, path, before, after))

    def _put(self, name: str, value: Any) -> None:
        """Replace a member of the body; without a value it is removed."""
        if value:
            self._body[name] = value
        else:
            self._body.pop(name, None)

    # Messages.

    def messages(self, is_foreign: bool) -> None:
        """Remove content that the model refuses; *is_foreign*: another model wrote the answers."""
        kept: list[Any] = []
        given = self._body.get("messages") or []
        for index, message in enumerate(given):
            path = f"messages[{index}].content"
            blocks = self._blocks(message["content"], path, is_foreign)
            if not blocks and message["content"]:
                continue
            if index == len(given) - 1 and self._is_refused_prefill(message):
                self._lose(ASSISTANT_LAST, path)
                continue
            kept += self._turns({**message, "content": blocks}, path)
        if given:
            self._body["messages"] = kept

    def _blocks(self, blocks: Any, path: str, is_foreign: bool) -> list[Any]:
        kept: list[dict[str, Any] | None] = []
        for place, block in enumerate(blocks):
            where = f"{path}[{place}]"
            if is_foreign and "reasoningContent" in block:
                self._lose(REASONING_FOREIGN, f"{where}.reasoningContent")
            elif block.get("toolResult") is not None:
                result = block["toolResult"]
                content = self._blocks(result["content"], f"{where}.toolResult.content", False)
                kept.append({**block, "toolResult": {**result, "content": content}})
            elif not self._is_refused(block, where):
                kept.append(self._cached(block, where))
        return [block for block in kept if block is not None]

    def _is_refused(self, block: dict[str, Any], where: str) -> bool:
        """Return whether a block is a medium that the model is known not to take."""
        known = None if self._facts is None else self._facts.input_modalities
        for name, (modality, row) in _MEDIA.items():
            if known is not None and modality not in known and block.get(name) is not None:
                self._lose(row, f"{where}.{name}", name)
                return True
        return False

    def _cached(self, block: dict[str, Any], where: str) -> dict[str, Any] | None:
        """Return a block as it is, a cache point as the model takes it; `None` if it does not."""
        point, ttls = block.get("cachePoint"), self._traits.cache_ttls
        if point is None or ttls is None:
            return block
        path = f"{where}.cachePoint"
        if not ttls:
            self._lose(CACHE_CONTROL_MODEL, path, point)
            return None
        if point.get("ttl") is not None and point["ttl"] not in ttls:
            self._lose(CACHE_CONTROL_MODEL, f"{path}.ttl", point["ttl"])
            point = {name: value for name, value in point.items() if name != "ttl"}
        return {**block, "cachePoint": point}

    def _is_refused_prefill(self, message: dict[str, Any]) -> bool:
        if message["role"] != "assistant" or self._traits.assistant_prefill is not False:
            return False
        return not any(block.get("toolUse") for block in message["content"])

    def _turns(self, message: dict[str, Any], path: str) -> list[Any]:
        """Return a message, in two where its tool results must stand alone."""
        blocks = message["content"]
        results = [block for block in blocks if block.get("toolResult")]
        if self._traits.results_alone is not True or not results or len(results) == len(blocks):
            return [message]
        self._lose(TOOL_RESULT_ALONE, path)
        others = [block for block in blocks if not block.get("toolResult")]
        return [{**message, "content": results}, {**message, "content": others}]

    def system(self) -> None:
        """Adapt the system text; a model that takes none gets it as the user's."""
        given = self._body.get("system")
        if not given:
            return
        kept = self._blocks(given, "system", False)
        self._put("system", kept)
        if self._traits.system_prompt is not False:
            return
        self._lose(SYSTEM_LATER, "system", "system", "user")
        del self._body["system"]
        messages = self._body.get("messages") or []
        if messages and messages[0]["role"] == "user":
            first = {**messages[0], "content": [*kept, *messages[0]["content"]]}
            self._body["messages"] = [first, *messages[1:]]
        else:
            self._body["messages"] = [{"role": "user", "content": kept}, *messages]

    # Tools.

    def tools(self) -> None:
        """Adapt the tools and their choice."""
        config = self._body.get("toolConfig")
        if not config:
            return
        made = dict(config)
        kept = []
        for place, tool in enumerate(config.get("tools") or ()):
            found = self._tool(tool, f"toolConfig.tools[{place}]")
            if found is not None:
                kept.append(found)
        made["tools"] = kept
        choices, choice = self._traits.tool_choices, config.get("toolChoice")
        if choice and choices is not None and not set(choice) & set(choices):
            if "auto" not in choice:
                self._lose(TOOL_CHOICE_MODEL, "toolConfig.toolChoice", choice)
            del made["toolChoice"]
        self._put("toolConfig", made if kept else None)

    def _tool(self, tool: dict[str, Any], path: str) -> dict[str, Any] | None:
        system = tool.get("systemTool")
        if system is not None and self._traits.web_search is False:
            self._lose(WEB_SEARCH_MODEL, f"{path}.systemTool", system.get("name"))
            return None
        spec = tool.get("toolSpec")
        if spec is not None and spec.get("strict") and self._traits.strict_tools is False:
            self._lose(TOOL_STRICT, f"{path}.toolSpec.strict", True)
            rest = {name: value for name, value in spec.items() if name != "strict"}
            return {**tool, "toolSpec": rest}
        return self._cached(tool, path)

    # Settings.

    def config(self) -> None:
        """Adapt the length of the answer and its sampling."""
        given = self._body.get("inferenceConfig")
        if not given:
            return
        config = dict(given)
        most = None if self._facts is None else self._facts.max_output_tokens
        wanted = config.get("maxTokens")
        if most is not None and wanted is not None and wanted > most:
            self._lose(MAX_TOKENS_ABOVE_LIMIT, "inferenceConfig.maxTokens", wanted, most)
            config["maxTokens"] = most
        self._stops(config)
        self._sampling(config)
        self._put("inferenceConfig", config)

    def _drop(self, config: dict[str, Any], row: str, *names: str) -> None:
        """Drop settings that the request has."""
        for name in names:
            if config.get(name) is not None:
                self._lose(row, f"inferenceConfig.{name}", config.pop(name))

    def _stops(self, config: dict[str, Any]) -> None:
        stops, most = config.get("stopSequences"), self._traits.max_stops
        if self._traits.stop is False:
            self._drop(config, STOP_UNSUPPORTED, "stopSequences")
        elif stops and most is not None and len(stops) > most:
            for place in range(most, len(stops)):
                self._lose(STOP_MODEL_MOST, f"inferenceConfig.stopSequences[{place}]", stops[place])
            config["stopSequences"] = stops[:most]

    def _sampling(self, config: dict[str, Any]) -> None:
        traits = self._traits
        if traits.sampling is False:
            self._drop(config, SAMPLING_UNSUPPORTED, "temperature", "topP")
        elif self._thinks() and traits.sampling_while_reasoning is False:
            self._drop(config, SAMPLING_THINKING, "temperature", "topP")
        elif traits.temperature_with_top_p is False and config.get("temperature") is not None:
            self._drop(config, SAMPLING_BOTH, "topP")

    def answer_format(self) -> None:
        """Drop the schema of the answer where the model cannot enforce one."""
        given = self._body.get("outputConfig")
        if given and given.get("textFormat") and self._traits.structured_output is False:
            self._lose(RESPONSE_FORMAT_UNSUPPORTED, "outputConfig.textFormat", "json_schema")
            rest = {name: value for name, value in given.items() if name != "textFormat"}
            self._put("outputConfig", rest)

    # Reasoning: its members differ by the model's family.

    def _thinks(self) -> bool:
        given = self._body.get(_FIELDS) or {}
        if self._traits.thinking == "always":
            return True
        return self._effort(given) not in (None, "none")

    def _effort(self, given: dict[str, Any]) -> Any:
        """Return the effort that the family's fields ask for, `None` if they ask for none."""
        thinking = given.get("thinking") or given.get("reasoning_config") or {}
        nova = given.get("reasoningConfig") or {}
        if "disabled" in (thinking.get("type"), nova.get("type")):
            return "none"
        effort = (
            given.get("reasoning_effort")
            or nova.get("maxReasoningEffort")
            or (given.get("output_config") or {}).get("effort")
        )
        if effort is None and thinking.get("type") == "adaptive":
            return "high"
        if effort is None and thinking.get("budget_tokens") is not None:
            config = self._body.get("inferenceConfig") or {}
            return effort_for(thinking["budget_tokens"], config.get("maxTokens"))
        return effort

    def reasoning(self) -> None:
        """Express the wanted reasoning in the members that the model's family takes."""
        given, way = self._body.get(_FIELDS), self._traits.thinking
        if not given or way is None:
            return
        refused = [name for name in given if way not in _REASONING.get(name, (way,))]
        if not refused:
            return
        effort = self._effort(given)
        kept = {name: value for name, value in given.items() if name not in refused}
        path = f"{_FIELDS}.{refused[0]}"
        made = None if effort is None else self._written(effort, way)
        if made is not None:
            row = REASONING_EFFORT_THINKING
            if refused[0] in ("thinking", "reasoning_config"):
                row = BEDROCK_THINKING_BUDGET
            self._lose(row, path, given[refused[0]], made)
        elif way == "budget" and effort != "none":
            self._lose(REASONING_EFFORT_NO_ROOM, path, given[refused[0]])
        elif effort != "none" or way == "always":
            self._lose(REASONING_EFFORT_UNSUPPORTED, path, given[refused[0]])
        self._put(_FIELDS, {**kept, **(made or {})})

    def _written(self, effort: str, way: str) -> dict[str, Any] | None:
        """Return the members that ask for an effort in a family's way, `None` if it has none."""
        levels = self._traits.reasoning_efforts or _LEVELS
        nearest = nearest_effort(effort, [level for level in levels if level != "none"])
        if way == "budget":
            most = (self._body.get("inferenceConfig") or {}).get("maxTokens") or 0
            if effort == "none" or most <= MIN_THINKING_BUDGET:
                return None
            budget = thinking_budget(most, effort)
            return {"thinking": {"type": "enabled", "budget_tokens": budget}}
        if effort == "none":
            if way == "adaptive":
                return {"thinking": {"type": "disabled"}}
            return {"reasoningConfig": {"type": "disabled"}} if way == "reasoning_config" else None
        if nearest is None:
            return None
        if way == "adaptive":
            return {"thinking": {"type": "adaptive"}, "output_config": {"effort": nearest}}
        if way == "always":
            return {"output_config": {"effort": nearest}}
        if way == "effort":
            return {"reasoning_effort": nearest}
        if way == "reasoning_config":
            return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": nearest}}
        return None
