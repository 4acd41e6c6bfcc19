from collections.abc import Iterable
from typing import Any, Final, final

from specado.types import ChatCompletionChunk, ChatCompletionResponse

__all__ = [
    "MAX_DEPTH",
    "PART_TYPES",
    "AnthropicStream",
    "Conversation",
    "FrameDecoder",
    "NotJson",
    "OpenAIStream",
    "Reported",
    "check_capability",
    "compare_capabilities",
    "decode_anthropic_reply",
    "decode_openai_reply",
    "dumps",
    "encode_anthropic_request",
    "encode_openai_request",
    "error_facts",
    "normalize",
    "read_anthropic_request",
    "unwrap_emulated",
    "write_format_schema",
    "write_tool_schemas",
]

MAX_DEPTH: Final[int]
PART_TYPES: Final[tuple[str, ...]]
Reported = tuple[str, str, Any, Any]

class NotJson(Exception): ...  # noqa: N818 - what a value is, not a fault of ours

@final
class Conversation:
    @property
    def characters(self) -> int: ...
    @property
    def images(self) -> int: ...
    @property
    def files(self) -> int: ...
    @property
    def sounds(self) -> int: ...
    def __len__(self) -> int: ...
    def origin(self, index: int, name: str | None, place: int) -> str: ...

@final
class FrameDecoder:
    def __new__(cls, max_frame_bytes: int) -> FrameDecoder: ...
    def feed(self, data: bytes) -> list[tuple[str | None, bytes]]: ...
    def finish(self) -> list[tuple[str | None, bytes]]: ...

class _ReplyStream:
    @property
    def is_over(self) -> bool: ...
    @property
    def has_content(self) -> bool: ...
    @property
    def is_refusal(self) -> bool: ...
    @property
    def failure(self) -> bytes | None: ...
    def __init__(
        self,
        provider: str,
        model: str,
        created: int,
        *,
        emulated: bool = False,
        include_usage: bool = False,
        finish_reason_ends: bool = False,
        max_frame_bytes: int,
        max_reply_bytes: int,
    ) -> None: ...
    def feed(self, data: bytes) -> list[ChatCompletionChunk]: ...
    def finish(self) -> list[ChatCompletionChunk]: ...
    def response(self) -> tuple[ChatCompletionResponse, list[str]]: ...

@final
class AnthropicStream(_ReplyStream): ...

@final
class OpenAIStream(_ReplyStream): ...

def normalize(messages: str | Iterable[Any]) -> Conversation: ...
def read_anthropic_request(
    request: dict[str, Any],
) -> tuple[Conversation, dict[str, Any], list[Reported], dict[str, str]]: ...
def write_tool_schemas(tools: list[dict[str, Any]]) -> list[dict[str, Any]]: ...
def write_format_schema(wanted: dict[str, Any]) -> dict[str, Any]: ...
def dumps(value: Any) -> bytes: ...
def error_facts(body: bytes) -> tuple[str | None, str | None, str | None]: ...
def encode_openai_request(
    conversation: Conversation, model: str, params: dict[str, Any], facts: Any
) -> tuple[bytes, list[Reported]]: ...
def encode_anthropic_request(
    conversation: Conversation, model: str, params: dict[str, Any], facts: Any
) -> tuple[bytes, list[Reported]]: ...
def decode_openai_reply(
    body: bytes, provider: str, model: str, created: int
) -> tuple[ChatCompletionResponse, list[str]]: ...
def decode_anthropic_reply(
    body: bytes, provider: str, model: str, created: int
) -> tuple[ChatCompletionResponse, list[str]]: ...
def unwrap_emulated(reply: ChatCompletionResponse) -> None: ...
def compare_capabilities(source: Any, target: Any) -> dict[str, Any]: ...
def check_capability(capability: dict[str, Any], prefix: str) -> None: ...
