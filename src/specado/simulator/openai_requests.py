"""Request types of OpenAI's `POST /v1/chat/completions` (simulated API).

Source: `openai.types.chat.completion_create_params` of openai 3.54 and the API reference,
2026-11-22. Rules that a type cannot state are in `openai_checks`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Optional, Union

import msgspec
from msgspec import Meta

from specado.simulator.violations import StrictObject

__all__ = ["CHAT_DECODER", "ChatRequest"]

ToolName = Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]+$", max_length=64)]
CallId = Annotated[str, Meta(max_length=40)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]
Bias = Annotated[int, Meta(ge=-100, le=100)]
Tokens = Annotated[int, Meta(ge=1)]


class CacheBreakpoint(StrictObject):
    mode: Literal["explicit"]
    ttl: Optional[Literal["30m", "12h"]] = None


class ImageUrl(StrictObject):
    url: str
    detail: Optional[Literal["auto", "low", "high", "original"]] = None


class InputAudio(StrictObject):
    data: str
    format: Literal["wav", "mp3"]


class FileReference(StrictObject):
    file_data: Optional[str] = None
    file_id: Optional[str] = None
    filename: Optional[str] = None


class TextPart(StrictObject, tag_field="type", tag="text"):
    text: str
    prompt_cache_breakpoint: Optional[CacheBreakpoint] = None


class RefusalPart(StrictObject, tag_field="type", tag="refusal"):
    refusal: str


class ImagePart(StrictObject, tag_field="type", tag="image_url"):
    image_url: ImageUrl
    prompt_cache_breakpoint: Optional[CacheBreakpoint] = None


class AudioPart(StrictObject, tag_field="type", tag="input_audio"):
    input_audio: InputAudio
    prompt_cache_breakpoint: Optional[CacheBreakpoint] = None


class FilePart(StrictObject, tag_field="type", tag="file"):
    file: FileReference
    prompt_cache_breakpoint: Optional[CacheBreakpoint] = None


TextContent = Union[str, Annotated[list[TextPart], Meta(min_length=1)]]


class SystemMessage(StrictObject, tag_field="role", tag="system"):
    content: TextContent
    name: Optional[str] = None


class DeveloperMessage(StrictObject, tag_field="role", tag="developer"):
    content: TextContent
    name: Optional[str] = None


class UserMessage(StrictObject, tag_field="role", tag="user"):
    content: Union[
        str, Annotated[list[Union[TextPart, ImagePart, AudioPart, FilePart]], Meta(min_length=1)]
    ]
    name: Optional[str] = None


class CalledFunction(StrictObject):
    name: ToolName
    arguments: str


class CalledCustom(StrictObject):
    name: ToolName
    input: str


class FunctionCallItem(StrictObject, tag_field="type", tag="function"):
    id: CallId
    function: CalledFunction


class CustomCallItem(StrictObject, tag_field="type", tag="custom"):
    id: CallId
    custom: CalledCustom


class AudioId(StrictObject):
    id: str


class AssistantMessage(StrictObject, tag_field="role", tag="assistant"):
    content: Union[str, Annotated[list[Union[TextPart, RefusalPart]], Meta(min_length=1)], None] = (
        None
    )
    refusal: Optional[str] = None
    name: Optional[str] = None
    audio: Optional[AudioId] = None
    tool_calls: Optional[
        Annotated[list[Union[FunctionCallItem, CustomCallItem]], Meta(min_length=1)]
    ] = None
    function_call: Optional[CalledFunction] = None
    # The API takes back what it sent, so a reply's message can go into the history as it is.
    annotations: Optional[list[dict[str, Any]]] = None


class ToolMessage(StrictObject, tag_field="role", tag="tool"):
    content: TextContent
    tool_call_id: str


class FunctionMessage(StrictObject, tag_field="role", tag="function"):
    content: Optional[str]
    name: str


AnyMessage = Union[
    SystemMessage, DeveloperMessage, UserMessage, AssistantMessage, ToolMessage, FunctionMessage
]


class FunctionDefinition(StrictObject):
    name: ToolName
    description: Optional[str] = None
    parameters: Optional[dict[str, Any]] = None
    strict: Optional[bool] = None


class Function(StrictObject):
    name: ToolName
    description: Optional[str] = None
    parameters: Optional[dict[str, Any]] = None


class CustomDefinition(StrictObject):
    name: ToolName
    description: Optional[str] = None
    format: Optional[dict[str, Any]] = None


class FunctionTool(StrictObject, tag_field="type", tag="function"):
    function: FunctionDefinition


class CustomTool(StrictObject, tag_field="type", tag="custom"):
    custom: CustomDefinition


class NamedFunction(StrictObject):
    name: str


class FunctionChoice(StrictObject, tag_field="type", tag="function"):
    function: NamedFunction


class CustomChoice(StrictObject, tag_field="type", tag="custom"):
    custom: NamedFunction


class AllowedTools(StrictObject):
    mode: Literal["auto", "required"]
    tools: list[dict[str, Any]]


class AllowedChoice(StrictObject, tag_field="type", tag="allowed_tools"):
    allowed_tools: AllowedTools


class JsonSchema(StrictObject):
    name: Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]+$", max_length=64)]
    description: Optional[str] = None
    schema: Optional[dict[str, Any]] = None
    strict: Optional[bool] = None


class TextFormat(StrictObject, tag_field="type", tag="text"):
    pass


class JsonObjectFormat(StrictObject, tag_field="type", tag="json_object"):
    pass


class JsonSchemaFormat(StrictObject, tag_field="type", tag="json_schema"):
    json_schema: JsonSchema


class StreamOptions(StrictObject):
    include_usage: Optional[bool] = None
    include_obfuscation: Optional[bool] = None


class Audio(StrictObject):
    format: Literal["wav", "aac", "mp3", "flac", "opus", "pcm16"]
    voice: Union[str, dict[str, Any]]


class Prediction(StrictObject, tag_field="type", tag="content"):
    content: Union[str, list[TextPart]]


class Moderation(StrictObject):
    model: str
    policy: Optional[dict[str, Any]] = None


class PromptCacheOptions(StrictObject):
    mode: Optional[Literal["implicit", "explicit"]] = None
    ttl: Optional[Literal["30m", "12h"]] = None


class ApproximateLocation(StrictObject):
    city: Optional[str] = None
    country: Optional[str] = None
    region: Optional[str] = None
    timezone: Optional[str] = None


class UserLocation(StrictObject, tag_field="type", tag="approximate"):
    approximate: ApproximateLocation


class WebSearchOptions(StrictObject):
    search_context_size: Optional[Literal["low", "medium", "high"]] = None
    user_location: Optional[UserLocation] = None


class ChatRequest(StrictObject):
    """The whole body; a field that is absent and one that is null mean the same."""

    model: str
    messages: Annotated[list[AnyMessage], Meta(min_length=1)]
    audio: Optional[Audio] = None
    frequency_penalty: Optional[Penalty] = None
    function_call: Union[Literal["none", "auto"], NamedFunction, None] = None
    functions: Optional[Annotated[list[Function], Meta(min_length=1, max_length=128)]] = None
    logit_bias: Optional[dict[str, Bias]] = None
    logprobs: Optional[bool] = None
    max_completion_tokens: Optional[Tokens] = None
    max_tokens: Optional[Tokens] = None
    metadata: Optional[
        Annotated[
            dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]],
            Meta(max_length=16),
        ]
    ] = None
    modalities: Optional[list[Literal["text", "audio"]]] = None
    moderation: Optional[Moderation] = None
    n: Optional[Annotated[int, Meta(ge=1, le=128)]] = None
    parallel_tool_calls: Optional[bool] = None
    prediction: Optional[Prediction] = None
    presence_penalty: Optional[Penalty] = None
    prompt_cache_key: Optional[str] = None
    prompt_cache_options: Optional[PromptCacheOptions] = None
    prompt_cache_retention: Optional[Literal["in_memory", "24h"]] = None
    reasoning_effort: Optional[
        Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
    ] = None
    response_format: Union[TextFormat, JsonObjectFormat, JsonSchemaFormat, None] = None
    safety_identifier: Optional[Annotated[str, Meta(max_length=64)]] = None
    seed: Optional[int] = None
    service_tier: Optional[Literal["auto", "default", "flex", "scale", "priority", "fast"]] = None
    stop: Union[str, Annotated[list[str], Meta(max_length=4)], None] = None
    store: Optional[bool] = None
    stream: Optional[bool] = None
    stream_options: Optional[StreamOptions] = None
    temperature: Optional[Annotated[float, Meta(ge=0, le=2)]] = None
    tool_choice: Union[
        Literal["none", "auto", "required"], FunctionChoice, CustomChoice, AllowedChoice, None
    ] = None
    tools: Optional[
        Annotated[list[Union[FunctionTool, CustomTool]], Meta(min_length=1, max_length=128)]
    ] = None
    top_logprobs: Optional[Annotated[int, Meta(ge=0, le=20)]] = None
    top_p: Optional[Annotated[float, Meta(ge=0, le=1)]] = None
    user: Optional[Annotated[str, Meta(max_length=64)]] = None
    verbosity: Optional[Literal["low", "medium", "high"]] = None
    web_search_options: Optional[WebSearchOptions] = None

    @property
    def stops(self) -> list[str]:
        """The stop sequences as a list."""
        if self.stop is None:
            return []
        return [self.stop] if isinstance(self.stop, str) else self.stop


CHAT_DECODER = msgspec.json.Decoder(ChatRequest)
