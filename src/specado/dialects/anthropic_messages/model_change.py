"""Changes the model of an Anthropic messages request, and adapts the body to the new model.

Members that no loss row concerns, and unknown keys, are sent unchanged. So is every member that
the model is not known to refuse. Sources as for `specado.losses.rows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from specado._core import (
    AnthropicRequestRules,
    NotJson,
    dumps,
    effort_for,
    media_type_of,
    nearest_effort,
    places_of_roles,
    thinking_budget,
    user_to_send,
)
from specado._core.anthropic_messages.loss_rows import (
    ANTHROPIC_THINKING_BUDGET,
    ASSISTANT_LAST,
    IMAGE_HTTP,
    IMAGE_MEDIA_TYPE,
    INPUT_DOCUMENT,
    INPUT_IMAGE,
    MAX_TOKENS_ABOVE_LIMIT,
    MEDIA_TYPE_CORRECTED,
    PART_UNKNOWN_KEY,
    REASONING_EFFORT_HISTORY,
    REASONING_EFFORT_LEVEL,
    REASONING_EFFORT_NO_ROOM,
    REASONING_EFFORT_THINKING,
    REASONING_EFFORT_UNSUPPORTED,
    REASONING_FOREIGN,
    RESPONSE_FORMAT_UNSUPPORTED,
    SAMPLING_BOTH,
    SAMPLING_THINKING,
    SAMPLING_UNSUPPORTED,
    STOP_UNSUPPORTED,
    SYSTEM_LATER,
    SYSTEM_MOVED,
    TOOL_CALL_NAME,
    TOOL_CHOICE_THINKING,
    TOOL_NAME,
    TOOL_STRICT,
    TOOL_STRICT_LIMIT,
)
from specado._core.loss_rows import USER_HASHED
from specado.catalog.lookup import Traits
from specado.dialects.contract import Encoded
from specado.errors import MessageFormatError

if TYPE_CHECKING:
    from specado._core import Reported
    from specado.catalog.lookup import Model
    from specado.dialects.contract import DecodedRequest

__all__ = ["change_model"]

MIN_THINKING_BUDGET = 1024
# The lowest top_p that a model accepts while it thinks (Anthropic's "Extended thinking" guide,
# 2026-11-22).
MIN_TOP_P_WHILE_THINKING = 0.95
# The effort of a request that sets none (Anthropic's "Effort" guide, 2026-11-22).
DEFAULT_EFFORT = "high"
_THINKING = ("thinking", "redacted_thinking")
_MEDIA = {"image": ("Image", INPUT_IMAGE), "document": ("Document", INPUT_DOCUMENT)}
_IMAGE_KEYS = ("type", "source", "cache_control")


def change_model(source: DecodedRequest, model: str, facts: Model | None) -> Encoded:
    """Return the request of *source* adapted to *model*, and the losses."""
    body = {**source.native, "model": model}
    change = _ModelChange(body, facts)
    if facts is None:
        change.turns(foreign=False)
    else:
        _adapt(change, foreign=_family(source.model) != _family(model))
    change.accepted_tools()
    change.user()
    try:
        return Encoded(dumps(body), change.losses, None, change.tool_names or None)
    except NotJson as error:
        raise MessageFormatError(f"request: {error}", field="request") from None


def _adapt(change: _ModelChange, *, foreign: bool) -> None:
    """Adapt a body to the known model that it names.

    *foreign*: the body's thinking was written by another family of models.
    """
    change.limit()
    change.turns(foreign)
    change.thinking()
    change.effort()
    change.sampling()
    change.tools()
    change.answer_format()


def _family(model: str) -> str:
    """Return a model id without its date: a thinking signature is valid for this family."""
    head, _, date = model.rpartition("-")
    return head if len(date) == 8 and date.isdecimal() else model


def _behind_results(messages: Any) -> tuple[list[int], list[int]]:
    """Return an order of messages in which no system message separates a call and its result.

    The result is `(indexes in the new order, indexes of the moved messages)`.
    """
    places: list[int] = []
    waiting: list[int] = []
    moved: list[int] = []
    has_open_calls = False
    for index, message in enumerate(messages):
        if message["role"] == "system" and has_open_calls:
            waiting.append(index)
            continue
        places.append(index)
        if waiting:
            places, moved, waiting = places + waiting, moved + waiting, []
        content = message["content"]
        has_open_calls = not isinstance(content, str) and any(
            block["type"] == "tool_use" for block in content or ()
        )
    return places + waiting, moved


class _ModelChange:
    """Adapts one body in place; nested values belong to the caller and are copied first."""

    def __init__(self, body: dict[str, Any], facts: Model | None) -> None:
        self._body = body
        self._facts = facts
        self._traits = Traits() if facts is None else facts.traits
        names = [tool.get("name") for tool in body.get("tools") or ()]
        self._rules = AnthropicRequestRules(name for name in names if isinstance(name, str))
        self._declared: set[str] = set()  # the names of the tools so far
        self.losses: list[Reported] = []
        self._limited = False

    @property
    def tool_names(self) -> dict[str, str]:
        """Maps the written name of each renamed tool to the caller's name."""
        return self._rules.tool_names

    def _lose(self, row: str, path: str, before: Any = None, after: Any = None) -> None:
        self.losses.append((row, path, before, after))

    def _drop(self, row: str, name: str) -> None:
        self._lose(row, name, self._body.pop(name))

    def limit(self) -> None:
        most = None if self._facts is None else self._facts.max_output_tokens
        wanted = self._body.get("max_tokens")
        if most is not None and wanted is not None and wanted > most:
            self._lose(MAX_TOKENS_ABOVE_LIMIT, "max_tokens", wanted, most)
            self._body["max_tokens"] = most
            self._limited = True

    # Turns.

    def turns(self, foreign: bool) -> None:
        """Remove message content that the model refuses; *foreign* as for `_adapt`."""
        kept = []
        messages = self._body["messages"]
        order = self._order(messages)
        for index, role in order:
            message = messages[index]
            if role != message["role"]:
                self._lose(SYSTEM_LATER, f"messages[{index}].role", message["role"], role)
                message = {**message, "role": role}
            if isinstance(message["content"], (list, tuple)):
                path = f"messages[{index}].content"
                if any(block["type"] == "tool_use" for block in message["content"]):
                    self._rules.begin_calls()
                blocks = self._blocks(message["content"], path, foreign)
                if not blocks and message["content"]:
                    continue
                message = {**message, "content": blocks}
            if index == order[-1][0] and self._is_refused_prefill(message):
                self._lose(ASSISTANT_LAST, f"messages[{index}].content")
                continue
            kept.append(message)
        self._body["messages"] = kept

    def _order(self, messages: Any) -> list[tuple[int, str]]:
        """Return the places of the messages in the order to send, each with its role."""
        roles = [message["role"] for message in messages]
        takes_system = self._traits.mid_conversation_system is not False
        if takes_system:
            places, moved, demoted = places_of_roles(roles)
        else:
            places, moved = _behind_results(messages)
            demoted = [index for index, role in enumerate(roles) if role == "system"]
        for index in moved:
            self._lose(SYSTEM_MOVED, f"messages[{index}]")
        return [(index, "user" if index in demoted else roles[index]) for index in places]

    def _blocks(self, blocks: Any, path: str, foreign: bool) -> list[Any]:
        kept = []
        for place, given in enumerate(blocks):
            kind, where = given["type"], f"{path}[{place}]"
            if foreign and kind in _THINKING:
                self._lose(REASONING_FOREIGN, where, kind)
                continue
            block = given
            if kind in _MEDIA:
                block = self._medium(given, where, foreign)
            elif kind == "tool_use":
                block = self._call(given, where)
            elif kind == "tool_result":
                block = self._result(given, where, foreign)
            if block is not None:
                kept.append(block)
        return kept

    def _call(self, block: dict[str, Any], where: str) -> dict[str, Any]:
        """Return a tool call with an id and a name that the API takes."""
        id_, row = self._rules.call_id(block["id"])
        if id_ != block["id"]:
            self._lose(row, f"{where}.id", block["id"], id_)
        name = self._rules.tool_name(block["name"])
        if name != block["name"]:
            self._lose(TOOL_CALL_NAME, f"{where}.name", block["name"], name)
        return {**block, "id": id_, "name": name}

    def _result(self, block: dict[str, Any], where: str, foreign: bool) -> dict[str, Any]:
        """Return a tool's result with the id that its call has now."""
        given = block["tool_use_id"]
        id_, row = self._rules.answered_id(given)
        if row is not None and id_ != given:
            self._lose(row, f"{where}.tool_use_id", given, id_)
        block = {**block, "tool_use_id": id_}
        if isinstance(block.get("content"), (list, tuple)):
            block["content"] = self._blocks(block["content"], f"{where}.content", foreign)
        return block

    def _medium(self, block: dict[str, Any], where: str, foreign: bool) -> dict[str, Any] | None:
        """Return an image or a document as the API takes it, `None` where it does not."""
        source = block.get("source")
        source = source if isinstance(source, dict) else {}
        label, data, url = (source.get(name) for name in ("media_type", "data", "url"))
        if source.get("type") == "base64" and isinstance(label, str) and isinstance(data, str):
            kind, media = media_type_of(label, data)
            if kind is None and block["type"] == "image":
                self._lose(IMAGE_MEDIA_TYPE, where, label)
                return None
            block = self._labelled(block, kind or block["type"], media, where)
        modality, row = _MEDIA[block["type"]]
        if self._lacks_input(modality):
            self._lose(row, where, block["type"])
            return None
        if isinstance(url, str) and url[:7].lower() == "http://":
            self._lose(IMAGE_HTTP, where)
            return None
        if source.get("type") == "content" and isinstance(source.get("content"), (list, tuple)):
            inner = self._blocks(source["content"], f"{where}.source.content", foreign)
            return {**block, "source": {**source, "content": inner}}
        return block

    def _labelled(self, block: dict[str, Any], kind: str, media: str, where: str) -> dict[str, Any]:
        """Return a block with the type and the media type that its data has."""
        source = block["source"]
        if media != source["media_type"]:
            path = f"{where}.source.media_type"
            self._lose(MEDIA_TYPE_CORRECTED, path, source["media_type"], media)
            block = {**block, "source": {**source, "media_type": media}}
        if kind == block["type"]:
            return block
        kept = {**block, "type": kind}
        for name in block if kind == "image" else ():
            if name not in _IMAGE_KEYS:
                self._lose(PART_UNKNOWN_KEY, f"{where}.{name}", kept.pop(name))
        return kept

    def _lacks_input(self, modality: str) -> bool:
        known = None if self._facts is None else self._facts.input_modalities
        return known is not None and modality not in known

    def _is_refused_prefill(self, message: dict[str, Any]) -> bool:
        """Return whether the last message is a prefill that the model does not accept.

        An assistant message that ends in a server tool's block continues a paused answer instead.
        """
        if message["role"] != "assistant" or self._traits.assistant_prefill is not False:
            return False
        content = message["content"]
        if isinstance(content, str):
            return True
        return all(block["type"] in ("text", *_THINKING) for block in content)

    # Thinking.

    def thinking(self) -> None:
        given, kind = self._body.get("thinking") or {}, self._kind()
        way = self._traits.thinking
        if kind == "enabled":
            self._enabled(given)
        elif kind == "adaptive" and way == "budget":
            self._adaptive_to_budget(given)
        elif (kind == "adaptive" and way == "none") or (kind == "disabled" and way == "always"):
            self._lose(REASONING_EFFORT_UNSUPPORTED, "thinking", kind)
            del self._body["thinking"]
        if self._kind() == "enabled" and self._continues_without_thinking():
            self._drop(REASONING_EFFORT_HISTORY, "thinking")

    def _kind(self) -> str | None:
        given = self._body.get("thinking")
        return None if given is None else given["type"]

    def _thinks(self) -> bool:
        return self._kind() in ("enabled", "adaptive") or self._traits.thinking == "always"

    def _enabled(self, given: dict[str, Any]) -> None:
        way, budget = self._traits.thinking, given["budget_tokens"]
        path = "thinking.budget_tokens"
        # The 4.6 models, the only adaptive ones that take sampling parameters, still take a
        # budget (Anthropic's migration guide, read 2026-11-22).
        still = way == "adaptive" and self._traits.sampling is not False
        if way in (None, "budget") or still:
            room = self._body.get("max_tokens")
            if self._limited and room is not None and budget >= room:
                self._lose(REASONING_EFFORT_LEVEL, path, budget, room - 1)
                self._body["thinking"] = {**given, "budget_tokens": room - 1}
            return
        if way == "none":
            self._drop(REASONING_EFFORT_UNSUPPORTED, "thinking")
            return
        wanted = self._config().get("effort") or effort_for(budget, self._body.get("max_tokens"))
        self._lose(ANTHROPIC_THINKING_BUDGET, path, budget, wanted)
        rest = {name: value for name, value in given.items() if name != "budget_tokens"}
        self._body["thinking"] = {**rest, "type": "adaptive"}
        if self._traits.effort_parameter is not False:
            self._body["output_config"] = {**self._config(), "effort": wanted}

    def _adaptive_to_budget(self, given: dict[str, Any]) -> None:
        """Convert adaptive thinking to a token budget, sized by the effort."""
        room = self._body.get("max_tokens") or 0
        if room <= MIN_THINKING_BUDGET:
            self._drop(REASONING_EFFORT_NO_ROOM, "thinking")
            return
        effort = self._config().get("effort") or DEFAULT_EFFORT
        budget = thinking_budget(room, effort)
        self._lose(REASONING_EFFORT_THINKING, "thinking", "adaptive", budget)
        self._body["thinking"] = {**given, "type": "enabled", "budget_tokens": budget}

    def _continues_without_thinking(self) -> bool:
        """Return whether the request continues an answer that began without thinking.

        A model with a thinking budget refuses to think in such a continuation (after tool results
        or a prefill).
        """
        answered = False
        for message in reversed(self._body["messages"]):
            content = message["content"]
            kinds = [] if isinstance(content, str) else [block["type"] for block in content]
            if message["role"] == "assistant":
                answered = True
                if kinds and kinds[0] in _THINKING:
                    return False
            elif "tool_result" not in kinds:
                break
        return answered

    def _config(self) -> dict[str, Any]:
        return self._body.get("output_config") or {}

    def _without(self, name: str) -> None:
        rest = {key: value for key, value in self._config().items() if key != name}
        self._body["output_config"] = rest
        if not rest:
            del self._body["output_config"]

    def effort(self) -> None:
        wanted, path = self._config().get("effort"), "output_config.effort"
        if wanted is None:
            return
        if self._traits.effort_parameter is False:
            self._lose(REASONING_EFFORT_UNSUPPORTED, path, wanted)
            self._without("effort")
            return
        levels = [level for level in self._traits.reasoning_efforts or () if level != "none"]
        nearest = nearest_effort(wanted, levels)
        if nearest is not None and nearest != wanted:
            self._lose(REASONING_EFFORT_LEVEL, path, wanted, nearest)
            self._body["output_config"] = {**self._config(), "effort": nearest}

    # Sampling.

    def sampling(self) -> None:
        body, traits = self._body, self._traits
        if traits.sampling is False:
            self._drop_sampling(SAMPLING_UNSUPPORTED, least_top_p=1)
        elif self._thinks() and traits.sampling_while_reasoning is False:
            self._drop_sampling(SAMPLING_THINKING, least_top_p=MIN_TOP_P_WHILE_THINKING)
        both = body.get("temperature") is not None and body.get("top_p") is not None
        if both and traits.temperature_with_top_p is False:
            if body["top_p"] == 1:
                del body["top_p"]
            elif body["temperature"] == 1:
                del body["temperature"]
            else:
                self._drop(SAMPLING_BOTH, "top_p")
        if traits.stop is False and body.get("stop_sequences"):
            self._drop(STOP_UNSUPPORTED, "stop_sequences")

    def _drop_sampling(self, row: str, *, least_top_p: float) -> None:
        body = self._body
        if body.get("temperature") is not None and body["temperature"] != 1:
            self._drop(row, "temperature")
        if body.get("top_p") is not None and body["top_p"] < least_top_p:
            self._drop(row, "top_p")
        if body.get("top_k") is not None:
            self._drop(row, "top_k")

    # Tools and the answer's form.

    def tools(self) -> None:
        choice = self._body.get("tool_choice")
        if choice is not None and choice["type"] in ("any", "tool") and not self._may_force():
            self._lose(TOOL_CHOICE_THINKING, "tool_choice", choice, "auto")
            rest = {name: value for name, value in choice.items() if name != "name"}
            self._body["tool_choice"] = {**rest, "type": "auto"}
        if self._traits.strict_tools is False and self._body.get("tools"):
            self._body["tools"] = [
                self._unstrict(tool, f"tools[{place}].strict")
                for place, tool in enumerate(self._body["tools"])
            ]

    def accepted_tools(self) -> None:
        """Keep what the API takes of tools: their names, and strict ones together."""
        schema = (self._config().get("format") or self._body.get("output_format") or {}).get(
            "schema"
        )
        if schema is not None:
            self._rules.has_room_for(schema, of_tool=False)
        if self._body.get("tools"):
            self._body["tools"] = [
                self._accepted_tool(tool, f"tools[{place}]")
                for place, tool in enumerate(self._body["tools"])
            ]
        choice = self._body.get("tool_choice")
        if choice is not None and isinstance(choice.get("name"), str):
            self._body["tool_choice"] = self._named(choice, "tool_choice")

    def _accepted_tool(self, tool: dict[str, Any], path: str) -> dict[str, Any]:
        given = tool.get("name")
        if tool.get("type") not in (None, "custom") or not isinstance(given, str):
            return tool
        if given in self._declared:
            name = self._rules.another_tool_name(given)
            self._lose(TOOL_NAME, f"{path}.name", given, name)
            tool = {**tool, "name": name}
        else:
            self._declared.add(given)
            tool = self._named(tool, path)
        if tool.get("strict") and not self._rules.has_room_for(
            tool.get("input_schema"), of_tool=True
        ):
            self._lose(TOOL_STRICT_LIMIT, f"{path}.strict", True, False)
            tool = {**tool, "strict": False}
        return tool

    def _named(self, holder: dict[str, Any], path: str) -> dict[str, Any]:
        name = self._rules.tool_name(holder["name"])
        if name == holder["name"]:
            return holder
        self._lose(TOOL_NAME, f"{path}.name", holder["name"], name)
        return {**holder, "name": name}

    def user(self) -> None:
        """Hash a user's id that the API refuses."""
        metadata = self._body.get("metadata") or {}
        given = metadata.get("user_id")
        if not isinstance(given, str):
            return
        made = user_to_send(given)
        if made != given:
            self._lose(USER_HASHED, "metadata.user_id", given, made)
            self._body["metadata"] = {**metadata, "user_id": made}

    def _may_force(self) -> bool:
        return self._kind() != "enabled" and self._traits.forced_tool_choice is not False

    def _unstrict(self, tool: dict[str, Any], path: str) -> dict[str, Any]:
        if not tool.get("strict"):
            return tool
        self._lose(TOOL_STRICT, path, True)
        return {name: value for name, value in tool.items() if name != "strict"}

    def answer_format(self) -> None:
        if self._traits.structured_output is not False:
            return
        if self._config().get("format") is not None:
            self._lose(RESPONSE_FORMAT_UNSUPPORTED, "output_config.format", "json_schema")
            self._without("format")
        if self._body.get("output_format") is not None:
            self._lose(RESPONSE_FORMAT_UNSUPPORTED, "output_format", "json_schema")
            del self._body["output_format"]
