"""Request types of Anthropic's `POST /v1/messages` (simulated API).

Source: `anthropic.types.message_create_params` and its beta counterpart of anthropic 0.125.0,
2026-11-22, and of 2.14.0, 2026-11-30. Rules that a type cannot state are in `anthropic_checks`.
Results of server tools (`…_tool_result` blocks) are accepted without being checked.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Optional, Union

import msgspec
from msgspec import Meta

from specado.simulator.violations import StrictObject

__all__ = [
    "BETA_DECODER",
    "COUNT_DECODER",
    "MESSAGES_DECODER",
    "SAMPLING_DECODER",
    "SERVER_TOOL_FIELDS",
    "BetaMessagesRequest",
    "CountRequest",
    "MessagesRequest",
    "UserDefinedTool",
]

UseId = Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]+$", min_length=1)]
ToolName = Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]{1,128}$")]
CalledName = Annotated[str, Meta(min_length=1, max_length=200)]


class CacheControl(StrictObject, tag_field="type", tag="ephemeral"):
    ttl: Optional[Literal["5m", "1h"]] = None


class ContentBlock(StrictObject, tag_field="type"):
    """A content block; each names its `type`."""


class CachedBlock(ContentBlock, kw_only=True):
    cache_control: Optional[CacheControl] = None


class Base64Image(StrictObject, tag_field="type", tag="base64"):
    data: str
    media_type: Literal["image/jpeg", "image/png", "image/gif", "image/webp"]


class UrlSource(StrictObject, tag_field="type", tag="url"):
    url: str


class FileSource(StrictObject, tag_field="type", tag="file"):
    file_id: str


class Base64Pdf(StrictObject, tag_field="type", tag="base64"):
    data: str
    media_type: Literal["application/pdf"]


class PlainText(StrictObject, tag_field="type", tag="text"):
    data: str
    media_type: Literal["text/plain"]


class Citations(StrictObject):
    enabled: Optional[bool] = None


class ImageTransformations(StrictObject):
    oversized_image: Optional[Literal["downsize", "error"]] = None


class TextBlock(CachedBlock, tag="text"):
    text: str
    citations: Optional[list[dict[str, Any]]] = None


class ImageBlock(CachedBlock, tag="image"):
    source: Union[Base64Image, UrlSource, FileSource]
    transformations: Optional[ImageTransformations] = None


class ContentSource(StrictObject, tag_field="type", tag="content"):
    content: Union[str, list[Union[TextBlock, ImageBlock]]]


class DocumentBlock(CachedBlock, tag="document"):
    source: Union[Base64Pdf, PlainText, ContentSource, UrlSource, FileSource]
    citations: Optional[Citations] = None
    context: Optional[str] = None
    title: Optional[str] = None


class SearchResultBlock(CachedBlock, tag="search_result"):
    content: list[TextBlock]
    source: str
    title: str
    citations: Optional[Citations] = None


class ThinkingBlock(ContentBlock, tag="thinking"):
    signature: str
    thinking: str


class RedactedThinkingBlock(ContentBlock, tag="redacted_thinking"):
    data: str


class ToolUseBlock(CachedBlock, tag="tool_use"):
    id: UseId
    input: dict[str, Any]
    name: CalledName
    caller: Optional[dict[str, Any]] = None
    toolset_name: Optional[str] = None


class ToolReferenceBlock(CachedBlock, tag="tool_reference"):
    tool_name: str


class ToolResultBlock(CachedBlock, tag="tool_result"):
    tool_use_id: UseId
    content: Union[
        str,
        list[Union[TextBlock, ImageBlock, DocumentBlock, SearchResultBlock, ToolReferenceBlock]],
        None,
    ] = None
    is_error: Optional[bool] = None
    toolset_name: Optional[str] = None


class ServerToolUseBlock(CachedBlock, tag="server_tool_use"):
    id: str
    input: dict[str, Any]
    name: str
    caller: Optional[dict[str, Any]] = None


class McpToolUseBlock(CachedBlock, tag="mcp_tool_use"):
    id: str
    input: dict[str, Any]
    name: str
    server_name: str


class ServerResult(CachedBlock, kw_only=True):
    tool_use_id: str
    content: Any
    caller: Optional[dict[str, Any]] = None
    is_error: Optional[bool] = None


class WebSearchResult(ServerResult, tag="web_search_tool_result"): ...


class WebFetchResult(ServerResult, tag="web_fetch_tool_result"): ...


class CodeExecutionResult(ServerResult, tag="code_execution_tool_result"): ...


class BashResult(ServerResult, tag="bash_code_execution_tool_result"): ...


class TextEditorResult(ServerResult, tag="text_editor_code_execution_tool_result"): ...


class ToolSearchResult(ServerResult, tag="tool_search_tool_result"): ...


class AdvisorResult(ServerResult, tag="advisor_tool_result"): ...


class McpResult(ServerResult, tag="mcp_tool_result"): ...


class ContainerUpload(CachedBlock, tag="container_upload"):
    file_id: str


class Compaction(CachedBlock, tag="compaction"):
    content: Optional[str] = None
    encrypted_content: Optional[str] = None


class ToolAddition(CachedBlock, tag="tool_addition"):
    tool: dict[str, Any]


class ToolRemoval(CachedBlock, tag="tool_removal"):
    tool: dict[str, Any]


class FallbackBlock(ContentBlock, tag="fallback"):
    to: dict[str, Any]
    trigger: Optional[Any] = None


AnyBlock = Union[
    TextBlock,
    ImageBlock,
    DocumentBlock,
    SearchResultBlock,
    ThinkingBlock,
    RedactedThinkingBlock,
    ToolUseBlock,
    ToolResultBlock,
    ServerToolUseBlock,
    McpToolUseBlock,
    WebSearchResult,
    WebFetchResult,
    CodeExecutionResult,
    BashResult,
    TextEditorResult,
    ToolSearchResult,
    AdvisorResult,
    McpResult,
    ContainerUpload,
    Compaction,
    ToolAddition,
    ToolRemoval,
    FallbackBlock,
]


class InputMessage(StrictObject):
    role: Literal["user", "assistant", "system"]
    content: Union[str, list[AnyBlock]]


class UserDefinedTool(StrictObject):
    """A tool of the caller's own; `type` is `custom` or absent."""

    name: ToolName
    input_schema: dict[str, Any]
    type: Optional[Literal["custom"]] = None
    description: Optional[str] = None
    allowed_callers: Optional[list[str]] = None
    cache_control: Optional[CacheControl] = None
    defer_loading: Optional[bool] = None
    eager_input_streaming: Optional[bool] = None
    input_examples: Optional[list[dict[str, Any]]] = None
    strict: Optional[bool] = None


_COMMON = frozenset({"type", "name", "allowed_callers", "cache_control", "defer_loading", "strict"})
_EXAMPLES = _COMMON | {"input_examples"}
_DISPLAY = _EXAMPLES | {"display_height_px", "display_number", "display_width_px"}
_SEARCH = _COMMON | {"allowed_domains", "blocked_domains", "max_uses", "user_location"}
_FETCH = _COMMON | {
    "allowed_domains",
    "blocked_domains",
    "citations",
    "max_content_tokens",
    "max_uses",
}
_TOOLSET = frozenset({"type", "cache_control", "configs", "allowed_callers"})

SERVER_TOOL_FIELDS: dict[str, frozenset[str]] = {
    "advisor_20260301": _COMMON | {"caching", "max_tokens", "max_uses", "model"},
    "bash_20241022": _EXAMPLES,
    "bash_20250124": _EXAMPLES,
    "browser_toolset_20260801": _TOOLSET,
    "code_execution_20250522": _COMMON,
    "code_execution_20250825": _COMMON,
    "code_execution_20260120": _COMMON,
    "code_execution_20260521": _COMMON,
    "computer_20241022": _DISPLAY,
    "computer_20250124": _DISPLAY,
    "computer_20251124": _DISPLAY | {"enable_zoom"},
    "computer_toolset_20260801": _TOOLSET,
    "mcp_toolset": frozenset(
        {"type", "cache_control", "configs", "default_config", "mcp_server_name"}
    ),
    "memory_20250818": _EXAMPLES,
    "text_editor_20241022": _EXAMPLES,
    "text_editor_20250124": _EXAMPLES,
    "text_editor_20250429": _EXAMPLES,
    "text_editor_20250728": _EXAMPLES | {"max_characters"},
    "tool_search_tool_bm25_20251119": _COMMON,
    "tool_search_tool_regex_20251119": _COMMON,
    "web_fetch_20250910": _FETCH,
    "web_fetch_20260209": _FETCH,
    "web_fetch_20260309": _FETCH | {"use_cache"},
    "web_fetch_20260318": _FETCH | {"use_cache", "response_inclusion"},
    "web_search_20250305": _SEARCH,
    "web_search_20260209": _SEARCH,
    "web_search_20260318": _SEARCH | {"response_inclusion"},
}


class EnabledThinking(StrictObject, tag_field="type", tag="enabled"):
    budget_tokens: Annotated[int, Meta(ge=1024)]
    display: Optional[Literal["summarized", "omitted"]] = None


class AdaptiveThinking(StrictObject, tag_field="type", tag="adaptive"):
    display: Optional[Literal["summarized", "omitted"]] = None


class DisabledThinking(StrictObject, tag_field="type", tag="disabled"):
    pass


class BetweenToolsThinking(StrictObject, tag_field="type", tag="between_tools"):
    pass


class AutoChoice(StrictObject, tag_field="type", tag="auto"):
    disable_parallel_tool_use: Optional[bool] = None


class AnyChoice(StrictObject, tag_field="type", tag="any"):
    disable_parallel_tool_use: Optional[bool] = None


class NamedChoice(StrictObject, tag_field="type", tag="tool"):
    name: str
    disable_parallel_tool_use: Optional[bool] = None


class NoChoice(StrictObject, tag_field="type", tag="none"):
    pass


class Metadata(StrictObject):
    user_id: Optional[Annotated[str, Meta(max_length=512)]] = None


class JsonFormat(StrictObject, tag_field="type", tag="json_schema"):
    schema: dict[str, Any]


class OutputConfig(StrictObject):
    effort: Optional[Literal["low", "medium", "high", "xhigh", "max"]] = None
    format: Optional[JsonFormat] = None
    task_budget: Optional[dict[str, Any]] = None


class Diagnostics(StrictObject):
    previous_message_id: Optional[str] = None


class CountRequest(StrictObject):
    """The body of `POST /v1/messages/count_tokens`."""

    model: Annotated[str, Meta(min_length=1, max_length=256)]
    messages: list[InputMessage]
    cache_control: Optional[CacheControl] = None
    output_config: Optional[OutputConfig] = None
    system: Union[str, list[TextBlock], None] = None
    speed: Optional[Literal["standard", "fast"]] = None
    thinking: Union[
        EnabledThinking, AdaptiveThinking, DisabledThinking, BetweenToolsThinking, None
    ] = None
    tool_choice: Union[AutoChoice, AnyChoice, NamedChoice, NoChoice, None] = None
    tools: Optional[list[dict[str, Any]]] = None


class MessagesRequest(CountRequest, kw_only=True):
    """The whole body."""

    max_tokens: Annotated[int, Meta(ge=1)]
    container: Union[str, dict[str, Any], None] = None
    diagnostics: Optional[Diagnostics] = None
    inference_geo: Optional[str] = None
    metadata: Optional[Metadata] = None
    service_tier: Optional[Literal["auto", "standard_only"]] = None
    stop_sequences: Optional[list[str]] = None
    stream: Optional[bool] = None
    temperature: Optional[Annotated[float, Meta(ge=0, le=1)]] = None
    top_k: Optional[Annotated[int, Meta(ge=0)]] = None
    top_p: Optional[Annotated[float, Meta(ge=0, le=1)]] = None


class BetaMessagesRequest(MessagesRequest, kw_only=True):
    """The body of a request that names a beta; these fields are taken as they are."""

    billing_policy: Optional[dict[str, Any]] = None
    compaction: Optional[dict[str, Any]] = None
    context_management: Optional[dict[str, Any]] = None
    fallback_credit_token: Union[str, dict[str, Any], None] = None
    fallbacks: Union[list[dict[str, Any]], Literal["default"], None] = None
    mcp_servers: Optional[list[dict[str, Any]]] = None
    output_format: Optional[JsonFormat] = None
    thread: Optional[dict[str, Any]] = None


class Sampling(msgspec.Struct):
    """The sampling parameters of a body, without a check of their values; absent ones are unset."""

    temperature: Any = msgspec.UNSET
    top_p: Any = msgspec.UNSET
    top_k: Any = msgspec.UNSET


MESSAGES_DECODER = msgspec.json.Decoder(MessagesRequest)
BETA_DECODER = msgspec.json.Decoder(BetaMessagesRequest)
COUNT_DECODER = msgspec.json.Decoder(CountRequest)
SAMPLING_DECODER = msgspec.json.Decoder(Sampling)
