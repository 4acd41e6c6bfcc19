"""Request types of OpenAI's `POST /v1/responses` (simulated API).

Source: `openai.types.responses.response_create_params` of openai 3.57 and the API reference,
2026-11-30. Rules that a type cannot state are in `responses_checks`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Optional, Union

import msgspec
from msgspec import Meta

from specado.simulator.openai_requests import (
    CacheBreakpoint,
    Moderation,
    PromptCacheOptions,
    TextFormat,
    Tokens,
    ToolName,
)
from specado.simulator.openai_wording import refusal_for
from specado.simulator.violations import StrictObject, Violation, first_violation

__all__ = ["RESPONSES_DECODER", "ResponsesRequest", "read_choice", "read_item", "read_tool"]

CallId = Annotated[str, Meta(min_length=1, max_length=64)]
Status = Literal["in_progress", "completed", "incomplete"]
# Items of the API's hosted tools, and others that only the API understands: the client returns them
# unchanged, and the simulator does not read their members.
OTHER_ITEMS = (
    "additional_tools",
    "apply_patch_call",
    "apply_patch_call_output",
    "code_interpreter_call",
    "compaction",
    "compaction_trigger",
    "computer_call",
    "computer_call_output",
    "configuration_update",
    "file_search_call",
    "image_generation_call",
    "local_shell_call",
    "local_shell_call_output",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "mcp_list_tools",
    "program",
    "program_output",
    "shell_call",
    "shell_call_output",
    "tool_search_call",
    "tool_search_output",
    "web_search_call",
)
HOSTED_TOOLS = (
    "apply_patch",
    "code_interpreter",
    "computer",
    "computer_use_preview",
    "file_search",
    "image_generation",
    "local_shell",
    "mcp",
    "namespace",
    "programmatic_tool_calling",
    "shell",
    "tool_search",
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "web_search_preview_2025_03_11",
)


class InputText(StrictObject, tag_field="type", tag="input_text"):
    text: str
    prompt_cache_breakpoint: Optional[CacheBreakpoint] = None


class InputImage(StrictObject, tag_field="type", tag="input_image"):
    detail: Optional[Literal["auto", "low", "high", "original"]] = None
    image_url: Optional[str] = None
    file_id: Optional[str] = None
    prompt_cache_breakpoint: Optional[CacheBreakpoint] = None


class InputFile(StrictObject, tag_field="type", tag="input_file"):
    detail: Optional[Literal["auto", "low", "high"]] = None
    file_data: Optional[str] = None
    file_id: Optional[str] = None
    file_url: Optional[str] = None
    filename: Optional[str] = None
    prompt_cache_breakpoint: Optional[CacheBreakpoint] = None


class OutputText(StrictObject, tag_field="type", tag="output_text"):
    text: str
    annotations: Optional[list[dict[str, Any]]] = None
    logprobs: Optional[list[dict[str, Any]]] = None


class Refusal(StrictObject, tag_field="type", tag="refusal"):
    refusal: str


InputPart = Union[InputText, InputImage, InputFile]


class Message(StrictObject, tag_field="type", tag="message"):
    role: Literal["user", "assistant", "system", "developer"]
    content: Union[str, list[Union[InputText, InputImage, InputFile, OutputText, Refusal]]]
    id: Optional[str] = None
    status: Optional[Status] = None
    phase: Optional[Literal["commentary", "final_answer"]] = None


class FunctionCall(StrictObject, tag_field="type", tag="function_call"):
    call_id: CallId
    name: ToolName
    arguments: str
    id: Optional[str] = None
    status: Optional[Status] = None
    namespace: Optional[str] = None
    caller: Optional[dict[str, Any]] = None
    is_async: Optional[bool] = msgspec.field(default=None, name="async")


class FunctionCallOutput(StrictObject, tag_field="type", tag="function_call_output"):
    call_id: CallId
    output: Union[str, list[InputPart]]
    id: Optional[str] = None
    status: Optional[Status] = None
    name: Optional[str] = None
    namespace: Optional[str] = None
    caller: Optional[dict[str, Any]] = None


class CustomCall(StrictObject, tag_field="type", tag="custom_tool_call"):
    call_id: CallId
    name: ToolName
    input: str
    id: Optional[str] = None
    status: Optional[Status] = None
    namespace: Optional[str] = None
    caller: Optional[dict[str, Any]] = None
    is_async: Optional[bool] = msgspec.field(default=None, name="async")


class CustomCallOutput(StrictObject, tag_field="type", tag="custom_tool_call_output"):
    call_id: CallId
    output: Union[str, list[InputPart]]
    id: Optional[str] = None
    status: Optional[Status] = None
    caller: Optional[dict[str, Any]] = None


class SummaryText(StrictObject, tag_field="type", tag="summary_text"):
    text: str


class ReasoningItem(StrictObject, tag_field="type", tag="reasoning"):
    summary: list[SummaryText]
    id: Optional[str] = None
    encrypted_content: Optional[str] = None
    content: Optional[list[dict[str, Any]]] = None
    status: Optional[Status] = None


class ItemReference(StrictObject, tag_field="type", tag="item_reference"):
    id: str


class OtherItem(msgspec.Struct):
    """An item that the simulator does not read any further; `kind` is its type."""

    kind: str
    id: Optional[str] = None


InputItem = Union[
    Message,
    FunctionCall,
    FunctionCallOutput,
    CustomCall,
    CustomCallOutput,
    ReasoningItem,
    ItemReference,
    OtherItem,
]
_ITEMS: dict[str, Any] = {
    "message": Message,
    "function_call": FunctionCall,
    "function_call_output": FunctionCallOutput,
    "custom_tool_call": CustomCall,
    "custom_tool_call_output": CustomCallOutput,
    "reasoning": ReasoningItem,
    "item_reference": ItemReference,
}


class FunctionTool(StrictObject, tag_field="type", tag="function"):
    name: ToolName
    description: Optional[str] = None
    parameters: Optional[dict[str, Any]] = None
    strict: Optional[bool] = None
    defer_loading: Optional[bool] = None
    allowed_callers: Optional[list[Literal["direct", "programmatic"]]] = None
    output_schema: Optional[dict[str, Any]] = None
    is_async: Optional[bool] = msgspec.field(default=None, name="async")


class CustomTool(StrictObject, tag_field="type", tag="custom"):
    name: ToolName
    description: Optional[str] = None
    format: Optional[dict[str, Any]] = None
    defer_loading: Optional[bool] = None
    allowed_callers: Optional[list[Literal["direct", "programmatic"]]] = None
    is_async: Optional[bool] = msgspec.field(default=None, name="async")


class HostedTool(msgspec.Struct):
    """A tool that the API runs itself, or a group of tools; the simulated model never calls it."""

    kind: str


_TOOLS: dict[str, Any] = {"function": FunctionTool, "custom": CustomTool}


class FunctionChoice(StrictObject, tag_field="type", tag="function"):
    name: str


class CustomChoice(StrictObject, tag_field="type", tag="custom"):
    name: str


class AllowedChoice(StrictObject, tag_field="type", tag="allowed_tools"):
    mode: Literal["auto", "required"]
    tools: list[dict[str, Any]]


class JsonObjectFormat(StrictObject, tag_field="type", tag="json_object"):
    pass


class JsonSchemaFormat(StrictObject, tag_field="type", tag="json_schema"):
    name: Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]+$", max_length=64)]
    schema: dict[str, Any]
    description: Optional[str] = None
    strict: Optional[bool] = None


class TextConfig(StrictObject):
    format: Union[TextFormat, JsonObjectFormat, JsonSchemaFormat, None] = None
    verbosity: Optional[Literal["low", "medium", "high"]] = None


class Reasoning(StrictObject):
    effort: Optional[Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]] = None
    summary: Optional[Literal["auto", "concise", "detailed"]] = None
    generate_summary: Optional[Literal["auto", "concise", "detailed"]] = None
    context: Optional[Literal["auto", "current_turn", "all_turns"]] = None
    mode: Optional[Literal["standard", "pro"]] = None


class StreamOptions(StrictObject):
    include_obfuscation: Optional[bool] = None


class StoredPrompt(StrictObject):
    id: str
    variables: Optional[dict[str, Any]] = None
    version: Optional[str] = None


class ConversationId(StrictObject):
    id: str


Include = Literal[
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
]


class ResponsesRequest(StrictObject):
    """The whole body; a field that is absent and one that is null mean the same.

    `input`, `tools` and an object as `tool_choice` are read by `read_item`, `read_tool` and
    `responses_checks`.
    """

    model: Optional[str] = None
    input: Union[str, list[dict[str, Any]], None] = None
    access_programs: Optional[dict[str, Any]] = None
    background: Optional[bool] = None
    background_options: Optional[dict[str, Any]] = None
    context_management: Optional[list[dict[str, Any]]] = None
    conversation: Union[str, ConversationId, None] = None
    image: Optional[dict[str, Any]] = None
    include: Optional[list[Include]] = None
    instructions: Optional[str] = None
    max_output_tokens: Optional[Annotated[int, Meta(ge=16)]] = None
    max_tool_calls: Optional[Tokens] = None
    metadata: Optional[
        Annotated[
            dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]],
            Meta(max_length=16),
        ]
    ] = None
    moderation: Optional[Moderation] = None
    parallel_tool_calls: Optional[bool] = None
    previous_response_id: Optional[str] = None
    prompt: Optional[StoredPrompt] = None
    prompt_cache_key: Optional[str] = None
    prompt_cache_options: Optional[PromptCacheOptions] = None
    prompt_cache_retention: Optional[Literal["in_memory", "24h"]] = None
    reasoning: Optional[Reasoning] = None
    safety_identifier: Optional[Annotated[str, Meta(max_length=64)]] = None
    service_tier: Optional[
        Literal["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"]
    ] = None
    store: Optional[bool] = None
    stream: Optional[bool] = None
    stream_options: Optional[StreamOptions] = None
    temperature: Optional[Annotated[float, Meta(ge=0, le=2)]] = None
    text: Optional[TextConfig] = None
    tool_choice: Union[Literal["none", "auto", "required"], dict[str, Any], None] = None
    tools: Optional[Annotated[list[dict[str, Any]], Meta(max_length=128)]] = None
    top_logprobs: Optional[Annotated[int, Meta(ge=0, le=20)]] = None
    top_p: Optional[Annotated[float, Meta(ge=0, le=1)]] = None
    truncation: Optional[Literal["auto", "disabled"]] = None
    user: Optional[str] = None

    @property
    def has_encrypted_reasoning(self) -> bool:
        """True if reasoning items shall come with their encrypted content."""
        return "reasoning.encrypted_content" in (self.include or ())

    @property
    def is_stored(self) -> bool:
        """True if the response is kept, as it is by default."""
        return self.store is not False

    @property
    def conversation_id(self) -> str | None:
        """The id of the conversation, however it is given."""
        if isinstance(self.conversation, ConversationId):
            return self.conversation.id
        return self.conversation


RESPONSES_DECODER = msgspec.json.Decoder(ResponsesRequest)


def read_item(item: dict[str, Any], place: int) -> InputItem:
    """Return an input item as its type; raises the `SimulatedError` for one of the wrong shape."""
    usual = "message" if "role" in item or "content" in item else "item_reference"
    kind = item.get("type") or usual
    if kind in OTHER_ITEMS:
        made_id = item.get("id")
        return OtherItem(kind, made_id if isinstance(made_id, str) else None)
    made: InputItem = _read({**item, "type": kind}, kind, _ITEMS, OTHER_ITEMS, ("input", place))
    return made


def read_tool(tool: dict[str, Any], place: int) -> FunctionTool | CustomTool | HostedTool:
    """Return a tool as its type; raises the `SimulatedError` for one of the wrong shape."""
    kind = tool.get("type")
    if kind in HOSTED_TOOLS:
        return HostedTool(kind)
    made: FunctionTool | CustomTool = _read(tool, kind, _TOOLS, HOSTED_TOOLS, ("tools", place))
    return made


CHOICES: dict[str, Any] = {
    "function": FunctionChoice,
    "custom": CustomChoice,
    "allowed_tools": AllowedChoice,
}


def read_choice(choice: dict[str, Any]) -> FunctionChoice | CustomChoice | AllowedChoice | None:
    """Return a tool choice as its type, `None` for that of a hosted tool."""
    kind = choice.get("type")
    if kind in HOSTED_TOOLS:
        return None
    made: FunctionChoice | CustomChoice | AllowedChoice = _read(
        choice, kind, CHOICES, HOSTED_TOOLS, ("tool_choice",)
    )
    return made


def _read(
    value: dict[str, Any],
    kind: Any,
    types: dict[str, Any],
    others: tuple[str, ...],
    where: tuple[str | int, ...],
) -> Any:
    if kind is None:
        raise refusal_for(Violation("missing_field", (*where, "type"), "type"))
    type_ = types.get(kind) if isinstance(kind, str) else None
    if type_ is None:
        allowed = (*types, *others)
        shown = f"'{kind}'"
        raise refusal_for(Violation("unknown_value", (*where, "type"), shown, kind, "", allowed))
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        found = first_violation(error, value, type_)
        raise refusal_for(msgspec.structs.replace(found, path=(*where, *found.path))) from None
