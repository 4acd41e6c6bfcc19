"""Changes the model of a Responses request, and adapts the body to the new model.

Unknown members, members without a loss row, and every member that the model is not known to refuse
are sent unchanged. Sources as for `specado.losses.rows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from specado._core import NotJson, dumps, nearest_effort
from specado._core.openai_responses.carried import carried_block, is_own
from specado._core.openai_responses.loss_rows import (
    INPUT_DOCUMENT,
    INPUT_IMAGE,
    LOGPROBS_MODEL,
    LOGPROBS_THINKING,
    MAX_TOKENS_ABOVE_LIMIT,
    PARALLEL_TOOL_CALLS_NEVER,
    PARALLEL_TOOL_CALLS_UNSUPPORTED,
    REASONING_EFFORT_LEVEL,
    REASONING_EFFORT_NONE,
    REASONING_EFFORT_UNSUPPORTED,
    REASONING_FOREIGN,
    RESPONSE_FORMAT_UNSUPPORTED,
    SAMPLING_THINKING,
    SAMPLING_UNSUPPORTED,
    TOOL_STRICT,
    TOOLS_UNSUPPORTED,
)
from specado._core.openai_responses.native import family_of
from specado._core.openai_responses.server_loss_rows import (
    RESPONSES_INCLUDE,
    RESPONSES_REASONING_OPTION,
)
from specado.dialects.contract import Encoded
from specado.errors import MessageFormatError

if TYPE_CHECKING:
    from specado._core import Reported
    from specado.catalog.lookup import Model
    from specado.dialects.contract import DecodedRequest
    from specado.types import ReasoningBlock

__all__ = ["change_model"]

ENCRYPTED = "reasoning.encrypted_content"
LOGPROBS = "message.output_text.logprobs"
_MEDIA = {"input_image": ("Image", INPUT_IMAGE), "input_file": ("Document", INPUT_DOCUMENT)}
# The items whose ids belong to the reasoning before them.
_FOLLOWERS = ("message", "function_call", "custom_tool_call")


def change_model(source: DecodedRequest, model: str, facts: Model | None) -> Encoded:
    """Return the request of *source* adapted to *model*, and the losses."""
    body = {**source.native, "model": model}
    change = _ModelChange(body, facts)
    change.items(family_of(source.model))
    if facts is not None:
        change.effort()
        change.reasoning_options()
        change.sampling()
        change.probabilities()
        change.limit()
        change.tools()
        change.answer_format()
    try:
        return Encoded(dumps(body), change.losses)
    except NotJson as error:
        raise MessageFormatError(f"request: {error}", field="request") from None


class _ModelChange:
    """Adapts one body in place; nested values belong to the caller and are copied first."""

    def __init__(self, body: dict[str, Any], facts: Model | None) -> None:
        self._body = body
        self._facts = facts
        self.losses: list[Reported] = []

    def _lose(self, row: str, path: str, before: Any = None, after: Any = None) -> None:
        self.losses.append((row, path, before, after))

    def _trait(self, name: str) -> Any:
        return None if self._facts is None else getattr(self._facts.traits, name)

    # Items.

    def items(self, family: str) -> None:
        """Remove what the model refuses: media, and reasoning of another family than *family*."""
        given = self._body.get("input")
        if not isinstance(given, (list, tuple)):
            return
        found: list[dict[str, Any]] = []
        has_ids = True  # whether the reasoning stands as the provider wrote it
        for place, item in enumerate(given):
            path = f"input[{place}]"
            if item.get("type") != "reasoning":
                found.append(self._item(item, path))
                continue
            kept = self._reasoning(item, path, family)
            has_ids = has_ids and kept is item
            if kept is not None:
                found.append(kept)
        if not has_ids:
            found = [_without_id(item) for item in found]
        if found != list(given):
            self._body["input"] = found

    def _reasoning(self, item: dict[str, Any], path: str, family: str) -> dict[str, Any] | None:
        """Return a reasoning item as the provider wrote it, `None` if another one did."""
        block = carried_block(item.get("encrypted_content"))
        if block is None:
            if family == family_of(self._body["model"]):
                return item
        elif is_own(block) and family_of(block.model or "") == family_of(self._body["model"]):
            return _item_of(block)
        self._lose(REASONING_FOREIGN, path, "reasoning")
        return None

    def _item(self, item: dict[str, Any], path: str) -> dict[str, Any]:
        name = "output" if "output" in item else "content"
        parts = item.get(name)
        if not isinstance(parts, (list, tuple)) or self._facts is None:
            return item
        kept = []
        for place, part in enumerate(parts):
            modality, row = _MEDIA.get(part.get("type"), ("", ""))
            if row and self._lacks_input(modality):
                self._lose(row, f"{path}.{name}[{place}]", part["type"])
            else:
                kept.append(part)
        return item if len(kept) == len(parts) else {**item, name: kept}

    def _lacks_input(self, modality: str) -> bool:
        known = None if self._facts is None else self._facts.input_modalities
        return known is not None and modality not in known

    # Parameters.

    def _member(self, name: str) -> dict[str, Any]:
        return self._body.get(name) or {}

    def _set(self, name: str, member: str, value: Any) -> None:
        """Set a member of a parameter, or remove it with `None`."""
        rest = {key: each for key, each in self._member(name).items() if key != member}
        self._body[name] = rest if value is None else {**rest, member: value}
        if not self._body[name]:
            del self._body[name]

    def effort(self) -> None:
        wanted, levels = self._member("reasoning").get("effort"), self._trait("reasoning_efforts")
        if wanted is None or levels is None or wanted in levels:
            return
        path = "reasoning.effort"
        if not levels:
            is_none = wanted == "none"
            self._lose(REASONING_EFFORT_NONE if is_none else REASONING_EFFORT_UNSUPPORTED, path,
                       wanted)  # fmt: skip
            self._set("reasoning", "effort", None)
            return
        nearest = nearest_effort(wanted, levels)
        if nearest is not None and nearest != wanted:
            self._lose(REASONING_EFFORT_LEVEL, path, wanted, nearest)
            self._set("reasoning", "effort", nearest)

    def reasoning_options(self) -> None:
        """Leave out what only a model that reasons takes, where the model is known not to."""
        if self._trait("reasoning_efforts") not in ((), []):
            return
        for name, value in self._member("reasoning").items():
            if name != "effort" and value is not None:
                self._lose(RESPONSES_REASONING_OPTION, f"reasoning.{name}", value)
                self._set("reasoning", name, None)
        self._exclude(ENCRYPTED, RESPONSES_INCLUDE)

    def _exclude(self, name: str, row: str) -> None:
        """Leave out what a reply would have had by *name* in `include`."""
        names = self._body.get("include") or ()
        if name in names:
            self._lose(row, f"include[{names.index(name)}]", name)
            self._body["include"] = [each for each in names if each != name]
            if not self._body["include"]:
                del self._body["include"]

    def probabilities(self) -> None:
        row = None
        if self._trait("logprobs") is False:
            row = LOGPROBS_MODEL
        elif self._reasons() and self._trait("sampling_while_reasoning") is False:
            row = LOGPROBS_THINKING
        if row is None:
            return
        self._exclude(LOGPROBS, row)
        if self._body.get("top_logprobs"):
            self._lose(row, "top_logprobs", self._body.pop("top_logprobs"))

    def _reasons(self) -> bool:
        effort = self._member("reasoning").get("effort") or self._trait("default_effort")
        return effort is not None and effort != "none"

    def sampling(self) -> None:
        row = None
        if self._trait("sampling") is False:
            row = SAMPLING_UNSUPPORTED
        elif self._reasons() and self._trait("sampling_while_reasoning") is False:
            row = SAMPLING_THINKING
        for name in ("temperature", "top_p"):
            value = self._body.get(name)
            if row is not None and value is not None:
                del self._body[name]
                if value != 1:
                    self._lose(row, name, value)

    def limit(self) -> None:
        most = None if self._facts is None else self._facts.max_output_tokens
        wanted = self._body.get("max_output_tokens")
        if most is not None and wanted is not None and wanted > most:
            self._lose(MAX_TOKENS_ABOVE_LIMIT, "max_output_tokens", wanted, most)
            self._body["max_output_tokens"] = most

    def _lacks(self, feature: str) -> bool:
        known = None if self._facts is None else self._facts.features
        return known is not None and feature not in known

    def tools(self) -> None:
        if self._body.get("tools") and self._lacks("function_calling") and self._lacks("tool_use"):
            self._lose(TOOLS_UNSUPPORTED, "tools")
            for name in ("tools", "tool_choice", "parallel_tool_calls"):
                self._body.pop(name, None)
        many = self._body.get("parallel_tool_calls")
        if many is not None and self._trait("parallel_tool_calls") is False:
            row = PARALLEL_TOOL_CALLS_UNSUPPORTED if many else PARALLEL_TOOL_CALLS_NEVER
            self._lose(row, "parallel_tool_calls", self._body.pop("parallel_tool_calls"))
        if self._trait("strict_tools") is not False or not self._body.get("tools"):
            return
        tools = []
        for place, tool in enumerate(self._body["tools"]):
            if tool.get("type") == "function" and tool.get("strict"):
                self._lose(TOOL_STRICT, f"tools[{place}].strict", True, False)
                tool = {**tool, "strict": False}
            tools.append(tool)
        self._body["tools"] = tools

    def answer_format(self) -> None:
        kind = (self._member("text").get("format") or {}).get("type")
        if (kind == "json_schema" and self._trait("structured_output") is False) or (
            kind == "json_object" and self._lacks("json_mode")
        ):
            self._lose(RESPONSE_FORMAT_UNSUPPORTED, "text.format", kind)
            self._set("text", "format", None)


def _item_of(block: ReasoningBlock) -> dict[str, Any]:
    """Return the item of a block of this API."""
    summary = [] if block.text is None else [{"type": "summary_text", "text": block.text}]
    return {
        "type": "reasoning",
        "id": block.id,
        "summary": summary,
        "encrypted_content": block.data,
    }


def _without_id(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item without its id, which is refused where its reasoning is not sent."""
    if item.get("type") not in _FOLLOWERS or item.get("id") is None:
        return item
    return {name: value for name, value in item.items() if name != "id"}
