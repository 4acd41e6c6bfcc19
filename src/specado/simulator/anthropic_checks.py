"""Validation of Anthropic requests beyond their types, with Anthropic's error messages.

Wording: error bodies that users of the API report, read 2026-11-22.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

import msgspec

from specado.simulator.anthropic_requests import (
    SERVER_TOOL_FIELDS,
    AdaptiveThinking,
    AnyChoice,
    Base64Image,
    Base64Pdf,
    CountRequest,
    DocumentBlock,
    EnabledThinking,
    ImageBlock,
    InputMessage,
    MessagesRequest,
    NamedChoice,
    RedactedThinkingBlock,
    SearchResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    UrlSource,
    UserDefinedTool,
)
from specado.simulator.anthropic_wording import refusal_for
from specado.simulator.reply import SimulatedError
from specado.simulator.schema_checks import anthropic_problem, compiled_problem
from specado.simulator.violations import first_violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from specado.simulator.models import ModelRules

__all__ = ["check_count_request", "check_messages_request", "check_stricter_content"]

MAX_CACHE_BREAKPOINTS = 4
MAX_STRICT_TOOLS = 20
_PERSONAL = (
    ("an email address", re.compile(r"[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9.-]+")),
    ("a phone number", re.compile(r"\+?[\d\s()-]{7,}")),
)
_MAGIC = {
    "image/png": (b"\x89PNG",),
    "image/jpeg": (b"\xff\xd8",),
    "image/gif": (b"GIF8",),
    "image/webp": (b"RIFF",),
}
_THINKING = (ThinkingBlock, RedactedThinkingBlock)
_TOOLSETS = ("mcp_toolset", "browser_toolset_20260801", "computer_toolset_20260801")


def check_count_request(request: CountRequest, rules: ModelRules) -> list[UserDefinedTool]:
    """Return the caller's own tools; raise `SimulatedError` where Anthropic would refuse."""
    tools = _check_tools(request)
    _check_system(request)
    _check_turns(request.messages, rules)
    if not request.tools and _has_tool_blocks(request.messages):
        raise SimulatedError(
            "Requests which include `tool_use` or `tool_result` blocks must define tools."
        )
    _check_cache(request)
    effort = request.output_config.effort if request.output_config is not None else None
    if effort is not None and rules.efforts is not None and effort not in rules.efforts:
        if not rules.efforts:
            raise SimulatedError("This model does not support the effort parameter.")
        raise SimulatedError(
            f"This model does not support effort level '{effort}'. Supported levels: "
            f"{', '.join(sorted(rules.efforts))}."
        )
    return tools


def _has_tool_blocks(messages: list[InputMessage]) -> bool:
    return any(
        isinstance(block, (ToolUseBlock, ToolResultBlock))
        for message in messages
        for block in _blocks(message)
    )


def check_messages_request(request: MessagesRequest, rules: ModelRules) -> list[UserDefinedTool]:
    """Return the caller's own tools; raise `SimulatedError` where Anthropic would refuse."""
    limit = rules.max_output_tokens
    if limit is not None and request.max_tokens > limit:
        raise SimulatedError(
            f"max_tokens: {request.max_tokens} > {limit}, which is the maximum allowed number of "
            f"output tokens for {rules.id}"
        )
    for stop in request.stop_sequences or ():
        if not stop.strip():
            raise SimulatedError("stop_sequences: each stop sequence must contain non-whitespace")
    _check_user(request)
    _check_sampling(request, rules)
    tools = check_count_request(request, rules)
    _check_thinking(request, rules)
    forced = isinstance(request.tool_choice, (AnyChoice, NamedChoice))
    if forced and not rules.forced_tool_choice:
        raise SimulatedError("tool_choice forces tool use is not compatible with this model.")
    wanted = request.output_config
    if wanted is not None and wanted.format is not None:
        if not rules.structured_output:
            raise SimulatedError(
                "output_config.format: This model does not support structured outputs."
            )
        problem = anthropic_problem(wanted.format.schema)
        if problem is not None:
            raise SimulatedError(f"output_config.format.schema: {problem}")
    _check_strict_tools(request, tools)
    return tools


def _check_user(request: MessagesRequest) -> None:
    user = None if request.metadata is None else request.metadata.user_id
    for kind, pattern in _PERSONAL:
        if user is not None and pattern.fullmatch(user):
            raise SimulatedError(f"metadata.user_id: user_id appears to contain {kind}")


def _check_strict_tools(request: MessagesRequest, tools: list[UserDefinedTool]) -> None:
    """Refuse strict schemas that are too much together, that of the answer included."""
    strict = [tool.input_schema for tool in tools if tool.strict]
    if len(strict) > MAX_STRICT_TOOLS:
        raise SimulatedError(
            f"Too many strict tools ({len(strict)}). The maximum number of strict tools is "
            f"{MAX_STRICT_TOOLS}."
        )
    wanted = request.output_config
    if wanted is not None and wanted.format is not None:
        strict.append(wanted.format.schema)
    problem = compiled_problem(strict)
    if problem is not None:
        raise SimulatedError(problem)


def check_stricter_content(messages: list[InputMessage]) -> None:
    """Raise `SimulatedError` for content that the API refuses since version 2026-10-21.

    Documents stand in user messages only, and what the user says is not cited: neither directly
    nor in search results. No page shows the errors' words; these are in the manner of the others.
    """
    for place, message in enumerate(messages):
        for number, block in enumerate(_blocks(message)):
            where = f"messages.{place}.content.{number}"
            if message.role == "assistant" and isinstance(block, DocumentBlock):
                raise SimulatedError(f"{where}: `document` blocks can only be in `user` messages")
            if message.role != "user":
                continue
            _refuse_citations(block, where)
            if isinstance(block, ToolResultBlock) and isinstance(block.content, list):
                for inner, part in enumerate(block.content):
                    if isinstance(part, SearchResultBlock):
                        _refuse_citations(part, f"{where}.tool_result.content.{inner}")


def _refuse_citations(block: Any, where: str) -> None:
    if isinstance(block, TextBlock) and block.citations:
        raise SimulatedError(
            f"{where}.text.citations: `citations` can only be in `assistant` messages"
        )
    if isinstance(block, SearchResultBlock):
        for inner, part in enumerate(block.content):
            _refuse_citations(part, f"{where}.search_result.content.{inner}")


def _check_sampling(request: MessagesRequest, rules: ModelRules) -> None:
    if not rules.takes_sampling:
        for name in ("temperature", "top_p", "top_k"):
            value = getattr(request, name)
            if value is not None and (name == "top_k" or value != 1):
                raise SimulatedError(f"`{name}` is deprecated for this model.")
    both = request.temperature is not None and request.top_p is not None
    if both and not rules.temperature_with_top_p:
        raise SimulatedError(
            "`temperature` and `top_p` cannot both be specified for this model. Please use only "
            "one."
        )


def _check_thinking(request: MessagesRequest, rules: ModelRules) -> None:
    thinking = request.thinking
    if isinstance(thinking, EnabledThinking):
        if not rules.budget_thinking:
            raise SimulatedError(
                '"thinking.type.enabled" is not supported for this model. Use '
                '"thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
            )
        if thinking.budget_tokens >= request.max_tokens:
            raise SimulatedError("`max_tokens` must be greater than `thinking.budget_tokens`.")
        _check_begins_thinking(request.messages)
    elif isinstance(thinking, AdaptiveThinking):
        if not rules.adaptive_thinking:
            raise SimulatedError("adaptive thinking is not supported on this model")
    else:
        return
    if request.temperature is not None and request.temperature != 1:
        raise SimulatedError("`temperature` may only be set to 1 when thinking is enabled.")
    if request.top_k is not None:
        raise SimulatedError("`top_k` must be unset when thinking is enabled.")
    forced = isinstance(request.tool_choice, (AnyChoice, NamedChoice))
    if forced and isinstance(thinking, EnabledThinking):
        raise SimulatedError("Thinking may not be enabled when tool_choice forces tool use.")


def _check_begins_thinking(messages: list[InputMessage]) -> None:
    """Refuse an answer that goes on, after tool results or a prefill, and has no thinking.

    Models that decide by themselves when to think take it (Anthropic's "Extended thinking" and
    "Adaptive thinking" guides, read 2026-11-22).
    """
    answer: list[tuple[int, InputMessage]] = []
    for place in range(len(messages) - 1, -1, -1):
        message = messages[place]
        if message.role == "assistant":
            answer.append((place, message))
        elif not any(isinstance(block, ToolResultBlock) for block in _blocks(message)):
            break
    found = [(place, (_blocks(message) or [None])[0]) for place, message in answer]
    if not found or any(isinstance(first, _THINKING) for _, first in found):
        return
    place, first = found[0]
    kind = "text" if first is None else type(first).__struct_config__.tag
    raise SimulatedError(
        f"messages.{place}.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
        f"`{kind}`. When `thinking` is enabled, a final `assistant` message must start with a "
        "thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). To "
        "avoid this requirement, disable `thinking`."
    )


def _check_tools(request: CountRequest) -> list[UserDefinedTool]:
    own: list[UserDefinedTool] = []
    names: set[str] = set()
    for place, tool in enumerate(request.tools or ()):
        kind = tool.get("type")
        if kind is None or kind == "custom":
            own.append(_own_tool(tool, place))
        else:
            _check_server_tool(tool, kind, place)
        name = tool.get("name")
        if name is not None:
            if name in names:
                raise SimulatedError("tools: Tool names must be unique.")
            names.add(name)
    if isinstance(request.tool_choice, NamedChoice) and request.tool_choice.name not in names:
        raise SimulatedError(f"Tool '{request.tool_choice.name}' not found in provided tools")
    forced = isinstance(request.tool_choice, (AnyChoice, NamedChoice))
    if forced and not request.tools:
        raise SimulatedError("tool_choice may only be specified while providing tools.")
    return own


def _own_tool(tool: dict[str, Any], place: int) -> UserDefinedTool:
    try:
        made = msgspec.convert(tool, UserDefinedTool)
    except msgspec.ValidationError as error:
        found = first_violation(error, tool, UserDefinedTool)
        data = {"tools": [None] * place + [tool]}
        moved = msgspec.structs.replace(found, path=("tools", place, *found.path))
        raise refusal_for(moved, data) from None
    if made.input_schema.get("type") != "object":
        problem = (
            "Field required" if "type" not in made.input_schema else "Input should be 'object'"
        )
        raise SimulatedError(f"tools.{place}.custom.input_schema.type: {problem}")
    if not made.input_schema.keys().isdisjoint(("oneOf", "allOf", "anyOf")):
        raise SimulatedError(
            f"tools.{place}.custom.input_schema: input_schema does not support oneOf, allOf, or "
            "anyOf at the top level"
        )
    unenforced = anthropic_problem(made.input_schema) if made.strict else None
    if unenforced is not None:
        raise SimulatedError(f"tools.{place}.custom.input_schema: {unenforced}")
    return made


def _check_server_tool(tool: dict[str, Any], kind: Any, place: int) -> None:
    fields = SERVER_TOOL_FIELDS.get(kind) if isinstance(kind, str) else None
    if fields is None:
        raise SimulatedError(
            f"tools.{place}: Input tag '{kind}' found using 'type' does not match any of the "
            "expected tags"
        )
    for name in tool:
        if name not in fields:
            raise SimulatedError(f"tools.{place}.{kind}.{name}: Extra inputs are not permitted")
    if kind not in _TOOLSETS and not isinstance(tool.get("name"), str):
        raise SimulatedError(f"tools.{place}.{kind}.name: Field required")


def _blocks(message: InputMessage) -> list[Any]:
    content = message.content
    return content if isinstance(content, list) else []


def _check_system(request: CountRequest) -> None:
    if isinstance(request.system, list) and not all(block.text for block in request.system):
        raise SimulatedError("system: text content blocks must be non-empty")


def _check_turns(messages: list[InputMessage], rules: ModelRules) -> None:
    if not messages:
        raise SimulatedError("messages: at least one message is required")
    if rules.system_turns and messages[0].role != "system":
        _check_system_turns(messages)
    _check_ids(messages)
    last = len(messages) - 1
    waiting: list[str] = []
    asked_at = 0
    before = "user"
    for place, message in enumerate(messages):
        role = message.role
        if role == "system" and (place == 0 or not rules.system_turns):
            raise SimulatedError(
                'messages: Unexpected role "system". The Messages API accepts a top-level '
                '`system` parameter, not "system" as an input message role.'
            )
        if not message.content and not (place == last and role == "assistant"):
            raise SimulatedError(f"messages.{place}: {role} messages must have non-empty content")
        if role == "assistant" and waiting and before != "assistant":
            _unanswered(waiting, asked_at)
        if isinstance(message.content, list):
            _check_blocks(message, place, waiting, asked_at)
            if role == "assistant":
                uses = [block.id for block in message.content if isinstance(block, ToolUseBlock)]
                waiting = [*waiting, *uses] if before == "assistant" else uses
                asked_at = place
        elif role == "user" and waiting:
            _unanswered(waiting, asked_at)
        if role != "system":
            before = role
    if waiting:
        _unanswered(waiting, asked_at)
    if messages[last].role == "assistant":
        _check_prefill(messages[last], rules)


def _check_system_turns(messages: list[InputMessage]) -> None:
    """Refuse system messages elsewhere than after a user turn and before an assistant's or the end.

    Several in a row are taken, as recordings show. No page shows the error's words; these are in
    the manner of the others.
    """
    before = "user"
    for place, message in enumerate(messages):
        if message.role != "system":
            before = message.role
            continue
        follows = messages[place + 1].role if place + 1 < len(messages) else "assistant"
        if before != "user" or follows == "user":
            raise SimulatedError(
                f"messages.{place}: `system` messages must follow a `user` message and be last or "
                "be followed by an `assistant` message"
            )


def _check_ids(messages: list[InputMessage]) -> None:
    """Refuse two calls of one id in an answer; recordings show that another answer may have it."""
    for place, message in enumerate(messages):
        seen: set[str] = set()
        for number, block in enumerate(_blocks(message)):
            if not isinstance(block, ToolUseBlock):
                continue
            if block.id in seen:
                raise SimulatedError(
                    f"messages.{place}.content.{number}: `tool_use` ids must be unique"
                )
            seen.add(block.id)


def _unanswered(waiting: list[str], asked_at: int) -> None:
    raise SimulatedError(
        f"messages.{asked_at}: `tool_use` ids were found without `tool_result` blocks immediately "
        f"after: {', '.join(waiting)}. Each `tool_use` block must have a corresponding "
        "`tool_result` block in the next message."
    )


def _check_blocks(message: InputMessage, place: int, waiting: list[str], asked_at: int) -> None:
    for number, block in enumerate(_blocks(message)):
        where = f"messages.{place}.content.{number}"
        if isinstance(block, ToolResultBlock):
            if message.role != "user":
                raise SimulatedError(
                    f"messages.{place}: `tool_result` blocks can only be in `user` messages"
                )
            if block.tool_use_id not in waiting:
                raise SimulatedError(
                    f"{where}: unexpected `tool_use_id` found in `tool_result` blocks: "
                    f"{block.tool_use_id}. Each `tool_result` block must have a corresponding "
                    "`tool_use` block in the previous message."
                )
            waiting.remove(block.tool_use_id)
            if isinstance(block.content, list):
                for inner, part in enumerate(block.content):
                    _check_media(part, f"{where}.tool_result.content.{inner}")
            continue
        if waiting and message.role == "user":
            _unanswered(waiting, asked_at)
        if isinstance(block, ToolUseBlock):
            if message.role != "assistant":
                raise SimulatedError(
                    f"messages.{place}: `tool_use` blocks can only be in `assistant` messages"
                )
        elif isinstance(block, TextBlock):
            if not block.text:
                raise SimulatedError("messages: text content blocks must be non-empty")
            if not block.text.strip():
                raise SimulatedError(
                    "messages: text content blocks must contain non-whitespace text"
                )
        else:
            _check_media(block, where)


def _check_prefill(message: InputMessage, rules: ModelRules) -> None:
    if not rules.prefill:
        raise SimulatedError(
            "This model does not support assistant message prefill. The conversation must end "
            "with a user message."
        )
    if isinstance(message.content, str):
        text = message.content
    else:
        text = getattr(message.content[-1], "text", "") if message.content else ""
    if text != text.rstrip():
        raise SimulatedError(
            "messages: final assistant content cannot end with trailing whitespace"
        )


def _check_media(block: Any, where: str) -> None:
    if not isinstance(block, (ImageBlock, DocumentBlock)):
        return
    source = block.source
    kind = "image" if isinstance(block, ImageBlock) else "document"
    if isinstance(source, UrlSource):
        if not source.url.startswith("https://"):
            raise SimulatedError(f"{where}.{kind}.source.url.url: Only HTTPS URLs are supported.")
    elif isinstance(source, (Base64Image, Base64Pdf)):
        try:
            decoded = base64.b64decode(source.data, validate=True)
        except (binascii.Error, ValueError):
            raise SimulatedError(f"{where}.{kind}.source.base64: invalid base64 data") from None
        if isinstance(source, Base64Pdf):
            if not decoded.startswith(b"%PDF"):
                raise SimulatedError(
                    f"{where}.{kind}.source.base64.data: The PDF specified was not valid."
                )
        elif not decoded:
            raise SimulatedError(f"{where}.{kind}.source.base64: image cannot be empty")
        else:
            _check_magic(decoded, source.media_type, f"{where}.{kind}.source.base64")


def _check_magic(decoded: bytes, media_type: str, where: str) -> None:
    for kind, marks in _MAGIC.items():
        if decoded.startswith(marks):
            if kind == media_type:
                return
            raise SimulatedError(
                f"{where}: The image was specified using the {media_type} media type, but the "
                f"image appears to be a {kind} image"
            )
    raise SimulatedError("Could not process image")


def _cached(request: CountRequest) -> Iterator[Any]:
    """Yield every cache breakpoint, in the order of the prompt: tools, system, messages."""
    for tool in request.tools or ():
        cache = tool.get("cache_control")
        if isinstance(cache, dict):
            yield cache.get("ttl")
    blocks: list[Any] = list(request.system) if isinstance(request.system, list) else []
    for message in request.messages:
        for block in _blocks(message):
            if isinstance(block, ToolResultBlock) and isinstance(block.content, list):
                blocks += block.content
            blocks.append(block)
    for block in blocks:
        control = getattr(block, "cache_control", None)
        if control is not None:
            yield control.ttl
    if request.cache_control is not None:
        yield request.cache_control.ttl


def _check_cache(request: CountRequest) -> None:
    ttls = list(_cached(request))
    if len(ttls) > MAX_CACHE_BREAKPOINTS:
        raise SimulatedError(
            f"A maximum of {MAX_CACHE_BREAKPOINTS} blocks with cache_control may be provided. "
            f"Found {len(ttls)}."
        )
    short = False
    for ttl in ttls:
        if ttl == "1h" and short:
            raise SimulatedError(
                "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control "
                "block. Note that blocks are processed in the following order: `tools`, `system`, "
                "`messages`."
            )
        short = short or ttl != "1h"
