"""Rules of Bedrock's Converse that a request's shape cannot state, in Bedrock's words.

Source: the API reference, error texts in public reports, and recorded replies, read 2026-11-30.
Recorded requests that begin with the assistant, have two user messages in a row, a blank text or
an underscore in a document's name were answered: none of these is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from specado.simulator.bedrock_requests import refused
from specado.simulator.bedrock_signatures import is_genuine
from specado.simulator.schema_checks import anthropic_problem, malformed_problem

if TYPE_CHECKING:
    from specado.simulator.bedrock_models import FamilyRules
    from specado.simulator.models import ModelRules
    from specado.simulator.reply import SimulatedError

__all__ = ["asked_schema", "check_converse", "thinking_of"]

MOST_CACHE_POINTS = 4
LEAST_THINKING = 1024
_DOCUMENT_NAME = re.compile(r"(?:[\w\-()\[\]]|\s(?!\s))*", re.A)
_MEDIA = ("image", "document", "video", "audio")


def _unsupported(field: str) -> SimulatedError:
    return refused(f"This model doesn't support the {field} field. Remove {field} and try again.")


def _of_model(message: str) -> SimulatedError:
    """Return an error that comes from the model behind the API."""
    return refused(f"The model returned the following errors: {message}")


def thinking_of(request: dict[str, Any]) -> dict[str, Any] | None:
    """Return the model's thinking or reasoning setting where it is switched on."""
    extra = request.get("additionalModelRequestFields")
    if not isinstance(extra, dict):
        return None
    thinking = extra.get("thinking") or extra.get("reasoningConfig")
    if isinstance(thinking, dict) and thinking.get("type") in ("enabled", "adaptive"):
        return thinking
    return None


def asked_schema(request: dict[str, Any]) -> Any:
    """Return the JSON Schema of the answer, `None` if the request has none."""
    wanted = request.get("outputConfig", {}).get("textFormat")
    if wanted is None:
        return None
    try:
        return msgspec.json.decode(wanted["structure"]["jsonSchema"]["schema"])
    except msgspec.DecodeError:
        raise refused(
            "The value at outputConfig.textFormat.structure.jsonSchema.schema isn't valid JSON. "
            "Update the schema and try again."
        ) from None


def check_converse(request: dict[str, Any], rules: FamilyRules, limits: ModelRules) -> None:
    """Raise the `SimulatedError` that Bedrock would answer, if any."""
    messages = request.get("messages") or []
    if not messages:
        raise refused(
            "The messages field is empty. Add a Message object to the messages field and try again."
        )
    for place, message in enumerate(messages):
        _check_message(message, place, rules)
    _check_tool_turns(messages, request)
    _check_tools(request, rules)
    _check_inference(request, rules, limits)
    _check_format(request, rules)
    _check_cache_points(request, rules)
    if rules.family == "claude":
        _check_claude(request, messages, rules)


def _check_message(message: dict[str, Any], place: int, rules: FamilyRules) -> None:
    where = f"messages.{place}"
    if not message["content"]:
        raise refused(
            f"The content field in the Message object at {where} is empty. Add a ContentBlock "
            "object to the content field and try again."
        )
    names: set[str] = set()
    blocks = message["content"]
    for number, block in enumerate(blocks):
        kind, value = next(iter(block.items()))
        at = f"{where}.content.{number}"
        if kind in _MEDIA:
            _check_media(kind, value, at, rules)
        elif kind == "toolResult":
            _check_result(value, at, rules)
        elif kind == "reasoningContent":
            _check_reasoning(value, at, rules)
        if kind == "document":
            _check_document(value, names, blocks)
    kinds = [next(iter(block)) for block in blocks]
    if rules.result_alone and "toolResult" in kinds and set(kinds) != {"toolResult"}:
        raise _of_model(
            f"{where}: a message with toolResult blocks must not have other content blocks"
        )


def _check_document(value: dict[str, Any], names: set[str], blocks: list[dict[str, Any]]) -> None:
    if not _DOCUMENT_NAME.fullmatch(value["name"]):
        raise refused(
            "The document file name can only contain alphanumeric characters, whitespace "
            "characters, hyphens, parentheses, and square brackets. The name can't contain more "
            "than one consecutive whitespace character."
        )
    if value["name"] in names:
        raise refused(
            "Duplicate document names are not allowed. Rename the document and try again."
        )
    names.add(value["name"])
    if not any("text" in block for block in blocks):
        raise refused("Add a text block to the message when you include a document, and try again.")


def _check_media(kind: str, value: dict[str, Any], at: str, rules: FamilyRules) -> None:
    if kind not in rules.media:
        raise refused(
            f"This model doesn't support the {kind} content block that you provided. Update the "
            "content block and try again."
        )
    if "s3Location" in value["source"] and not rules.s3:
        if kind == "document":
            raise _of_model(f"{at}.document.source.type: Field required")
        raise refused("This model doesn't support the s3Uri field. Remove s3Uri and try again.")


def _check_result(value: dict[str, Any], at: str, rules: FamilyRules) -> None:
    for block in value["content"]:
        kind, inner = next(iter(block.items()))
        if kind not in _MEDIA:
            continue
        _check_media(kind, inner, at, rules)
        if rules.family == "nova" and kind != "image" and "s3Location" in inner["source"]:
            raise _of_model(
                f"Malformed input request: #/{at.replace('.', '/')}: extraneous key [toolResult] "
                "is not permitted, please reformat your input and try again."
            )
    if rules.family == "writer" and "status" in value:
        raise _unsupported("toolResult.status")


def _check_reasoning(value: dict[str, Any], at: str, rules: FamilyRules) -> None:
    text = value.get("reasoningText")
    if text is None:
        return
    signature = text.get("signature")
    if rules.family == "claude":
        if not signature:
            raise _of_model(f"{at}.thinking.signature: Field required")
        if not is_genuine(signature, text["text"]):
            raise _of_model(f"{at}: Invalid `signature` in `thinking` block")
    elif rules.family and signature:
        raise _unsupported("reasoningContent.reasoningText.signature")


def _ids(message: dict[str, Any] | None, kind: str) -> list[str]:
    """Return the ids of a message's tool calls or results."""
    if message is None:
        return []
    return [
        block[kind]["toolUseId"]
        for block in message["content"]
        if kind in block and block[kind].get("type") != "server_tool_use"
    ]


def _check_tool_turns(messages: list[dict[str, Any]], request: dict[str, Any]) -> None:
    before: dict[str, Any] | None = None
    for place, message in enumerate(messages):
        called, results = _ids(before, "toolUse"), _ids(message, "toolResult")
        missing = [one for one in called if one not in results]
        if missing:
            raise refused(
                f"Expected toolResult blocks at messages.{place}.content for the following Ids: "
                f"{', '.join(missing)}"
            )
        if len(results) > len(called) or any(one not in called for one in results):
            raise refused(
                f"The number of toolResult blocks at messages.{place}.content exceeds the number "
                "of toolUse blocks of previous turn."
            )
        before = message
    if "toolConfig" not in request and any(
        "toolUse" in block or "toolResult" in block
        for message in messages
        for block in message["content"]
    ):
        raise refused(
            "The toolConfig field must be defined when using toolUse and toolResult content blocks."
        )


def _check_tools(request: dict[str, Any], rules: FamilyRules) -> None:
    config = request.get("toolConfig")
    if config is None:
        return
    names: set[str] = set()
    for place, tool in enumerate(config["tools"]):
        spec = tool.get("toolSpec")
        if spec is None:
            continue
        name = spec["name"]
        if name in names:
            raise refused(
                f"The tool {name} is already defined at toolConfig.tools.{place}. Tool names must "
                "be unique."
            )
        names.add(name)
        schema = spec["inputSchema"]["json"]
        at = f"toolConfig.tools.{place}.toolSpec.inputSchema.json"
        if not isinstance(schema, dict) or schema.get("type") != "object":
            raise refused(f"The value at {at}.type must be one of the following: object.")
        problem = malformed_problem(schema)
        if problem is not None:
            raise _of_model(f"{at}: {problem}")
        if (
            spec.get("strict")
            and rules.family
            and not (rules.family == "claude" and rules.structured)
        ):
            raise _unsupported("toolConfig.tools.toolSpec.strict")
    choice = config.get("toolChoice")
    if choice is None:
        return
    kind = next(iter(choice))
    if kind not in rules.tool_choices:
        raise _unsupported(f"toolConfig.toolChoice.{kind}")
    if kind == "tool" and choice["tool"]["name"] not in names:
        raise refused(
            f"The tool {choice['tool']['name']} in toolConfig.toolChoice.tool isn't defined in "
            "toolConfig.tools."
        )


def _check_inference(request: dict[str, Any], rules: FamilyRules, limits: ModelRules) -> None:
    config = request.get("inferenceConfig", {})
    wanted, most = config.get("maxTokens"), limits.max_output_tokens
    if wanted is not None and most is not None and wanted > most:
        raise refused(
            f"The maximum tokens you requested exceeds the model limit of {most}. Try again with a "
            f"maximum tokens value that is lower than {most}."
        )
    stops = config.get("stopSequences") or ()
    if stops and rules.max_stops == 0:
        raise _unsupported("stopSequences")
    if rules.max_stops is not None and len(stops) > rules.max_stops:
        raise refused(
            f"The number of stop sequences exceeds the model limit of {rules.max_stops}. Remove "
            "stop sequences and try again."
        )
    for name in ("temperature", "topP"):
        if name in config and not rules.sampling:
            word = "top_p" if name == "topP" else name
            raise _of_model(f"`{word}` is deprecated for this model.")
    if not rules.temperature_with_top_p and "temperature" in config and "topP" in config:
        raise _of_model(
            "`temperature` and `top_p` cannot both be specified for this model. Please use only "
            "one."
        )


def _check_format(request: dict[str, Any], rules: FamilyRules) -> None:
    schema = asked_schema(request)
    if schema is None:
        return
    if not rules.structured:
        raise _unsupported("outputConfig.textFormat")
    problem = malformed_problem(schema)
    if problem is None and rules.family == "claude":
        problem = anthropic_problem(schema)
    if problem is not None:
        raise _of_model(f"output_config.format.schema: {problem}")


def _check_cache_points(request: dict[str, Any], rules: FamilyRules) -> None:
    blocks = [
        *(request.get("system") or ()),
        *(block for message in request["messages"] for block in message["content"]),
        *request.get("toolConfig", {}).get("tools", ()),
    ]
    points = [block["cachePoint"] for block in blocks if "cachePoint" in block]
    if any(point.get("ttl", "5m") not in rules.cache_ttls for point in points):
        raise refused(
            "You invoked an unsupported model or your request did not allow prompt caching. See "
            "the documentation for more information.",
            "AccessDeniedException",
            403,
        )
    if len(points) > MOST_CACHE_POINTS:
        raise _of_model(
            f"A maximum of {MOST_CACHE_POINTS} blocks with cache_control may be provided. Found "
            f"{len(points)}."
        )


def _check_claude(
    request: dict[str, Any], messages: list[dict[str, Any]], rules: FamilyRules
) -> None:
    last = messages[-1]
    if last["role"] == "assistant":
        if not rules.prefill:
            raise _of_model(
                "This model does not support assistant message prefill. The conversation must end "
                "with a user message."
            )
        text = last["content"][-1].get("text")
        if text is not None and text != text.rstrip():
            raise _of_model("messages: final assistant content cannot end with trailing whitespace")
    thinking = thinking_of(request)
    if thinking is not None:
        _check_thinking(request, messages, rules, thinking)


def _check_thinking(
    request: dict[str, Any],
    messages: list[dict[str, Any]],
    rules: FamilyRules,
    thinking: dict[str, Any],
) -> None:
    if thinking["type"] not in rules.thinking:
        raise _of_model(f'"thinking.type.{thinking["type"]}" is not supported for this model.')
    config = request.get("inferenceConfig", {})
    budget, most = thinking.get("budget_tokens"), config.get("maxTokens")
    if thinking["type"] == "enabled":
        if not isinstance(budget, int) or budget < LEAST_THINKING:
            raise _of_model(
                "thinking.enabled.budget_tokens: Input should be greater than or equal to "
                f"{LEAST_THINKING}"
            )
        if most is not None and most <= budget:
            raise _of_model("`max_tokens` must be greater than `thinking.budget_tokens`.")
    if config.get("temperature", 1) != 1:
        raise _of_model("`temperature` may only be set to 1 when thinking is enabled.")
    choice = request.get("toolConfig", {}).get("toolChoice", {"auto": {}})
    if "auto" not in choice:
        raise _of_model("Thinking may not be enabled when tool_choice forces tool use.")
    _check_thinking_turn(messages)


def _check_thinking_turn(messages: list[dict[str, Any]]) -> None:
    """Refuse a call of the current turn that has lost its thinking."""
    if not _ids(messages[-1], "toolResult"):
        return
    place = len(messages) - 2
    first = next(iter(messages[place]["content"][0]))
    if first != "reasoningContent":
        found = "tool_use" if first == "toolUse" else first
        raise _of_model(
            f"messages.{place}.content.0.type: Expected `thinking` or `redacted_thinking`, but "
            f"found `{found}`. When `thinking` is enabled, a final `assistant` message must start "
            "with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` "
            "blocks)."
        )
