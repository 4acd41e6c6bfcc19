"""Canonical types of messages, replies and stream chunks: OpenAI's format as msgspec Structs.

Every provider's reply is decoded into these types. Messages may be given as these types, as dicts
of the same shape, or as one string. Field names are OpenAI's (`openai.types.chat`, 3.54,
2026-11-22); `reasoning` and `reasoning_details` have no OpenAI counterpart and are named as in
OpenRouter's API.
"""

from __future__ import annotations

import json
from typing import Any, Optional, Union

import msgspec

from specado.errors import MessageFormatError, type_and_beginning

__all__ = [
    "AttemptEvent",
    "ChatCompletionChunk",
    "ChatCompletionResponse",
    "Choice",
    "ChoiceDelta",
    "ChoiceDeltaToolCall",
    "ChoiceDeltaToolCallFunction",
    "ChunkChoice",
    "CompletionTokensDetails",
    "Extensions",
    "FallbackEvent",
    "FunctionCall",
    "Message",
    "NativeBlock",
    "NativeContent",
    "PromptTokensDetails",
    "ReasoningBlock",
    "ToolCall",
    "Usage",
]


# The finish reasons of OpenAI's replies.
FINISH_REASONS = ("stop", "length", "tool_calls", "content_filter", "function_call")
# The type and version of the entry of `reasoning_details` that holds a stored `NativeContent`.
NATIVE_ENTRY = "specado.native"
NATIVE_VERSION = 1


class FunctionCall(msgspec.Struct):
    """A function call by the model; `arguments` is JSON text as the model wrote it."""

    name: str
    arguments: str


class ToolCall(msgspec.Struct, omit_defaults=True):
    """One tool call of an assistant message."""

    id: str
    function: Optional[FunctionCall] = None
    type: str = "function"
    custom: Optional[dict[str, Any]] = None

    def to_dict(self) -> dict[str, Any]:
        """Return the call in OpenAI's shape."""
        data: dict[str, Any] = {"id": self.id, "type": self.type}
        if self.function is not None:
            data["function"] = {
                "name": self.function.name,
                "arguments": self.function.arguments,
            }
        if self.custom is not None:
            data["custom"] = self.custom
        return data


class ReasoningBlock(msgspec.Struct, omit_defaults=True):
    """One block of a model's reasoning, kept so that it can be sent back to the same model.

    `type` is `"thinking"` or `"redacted_thinking"`, from OpenRouter `"reasoning.text"`,
    `"reasoning.summary"` or `"reasoning.encrypted"`; `signature` and `data` are opaque; `model`
    is the model that made the block. `id`, `format`, `index` and `summary` are OpenRouter's.
    """

    type: str
    text: Optional[str] = None
    signature: Optional[str] = None
    data: Optional[str] = None
    model: Optional[str] = None
    id: Optional[str] = None
    format: Optional[str] = None
    index: Optional[int] = None
    summary: Optional[str] = None


class NativeBlock(msgspec.Struct, frozen=True):
    """One block of an answer as its provider wrote it.

    `kind` is `"text"`, `"call"`, `"reasoning"` or `"other"`, `raw` the block's JSON. `values` are
    those of the canonical fields that stand for the block: the text; the call's id, name and
    arguments; the fields of the `ReasoningBlock`. Edits are found by comparing with them.
    """

    kind: str
    raw: bytes
    values: tuple[Any, ...] = ()


class NativeContent(msgspec.Struct, frozen=True):
    """An answer's content as its provider wrote it, kept to be sent back unchanged.

    Attributes:
        dialect: the wire format of the blocks.
        provider: the provider's name.
        tag: a hash of the provider's address.
        model: the model that answered; in OpenAI's dialect the model that was asked.
        family: the model without the date in its id.
        blocks: the blocks in the order of the answer.
        reasoning: the canonical `reasoning` of the answer.
    """

    dialect: str
    provider: str
    tag: str
    model: str
    family: str
    blocks: tuple[NativeBlock, ...]
    reasoning: Optional[str] = None

    def kept_reasoning(
        self, text: Optional[str], blocks: Optional[list[Any]]
    ) -> Optional[list[bool]]:
        """Return which reasoning blocks a message still has, `None` if text and all blocks.

        *text* and *blocks* are the message's as they are now. A block goes with its text: where
        the two do not say the same any more, none is kept.
        """
        made = [block.values for block in self.blocks if block.kind == "reasoning"]
        left = [
            msgspec.structs.astuple(block)
            for block in blocks or ()
            if isinstance(block, ReasoningBlock)
        ]
        if left == made and text == self.reasoning:
            return None
        kept = []
        at = 0
        for values in made:
            found = values in left[at:]
            kept.append(found)
            if found:
                at = left.index(values, at) + 1
        told = "".join(values[1] or "" for values, is_kept in zip(made, kept) if is_kept)
        return kept if text == (told or None) else [False] * len(made)


class Message(msgspec.Struct):
    """A chat message.

    Args:
        role: `"system"`, `"developer"`, `"user"`, `"assistant"` or `"tool"`; any other name is
            sent as a user turn.
        content: text, a list of content parts in OpenAI's shape, or `None` (an assistant
            message that only calls tools).
        name: the author's name.
        tool_calls: the calls an assistant message makes.
        tool_call_id: the call that a tool message answers.
        reasoning: the model's reasoning as text.
        reasoning_details: the same as blocks, with what the provider needs to take it back.
        refusal: the refusal's text where the model refused.
        annotations: citations, as the provider gave them.
        audio: the model's audio answer, as the provider gave it.
        native: what the provider wrote, where the other fields cannot reproduce it; made by
            specado, and no part of comparisons.

    Raises:
        MessageFormatError: the role or the content has a wrong type.
    """

    role: str
    content: Union[str, list[Any], None]
    name: Optional[str] = None
    tool_calls: Optional[list[ToolCall]] = None
    tool_call_id: Optional[str] = None
    reasoning: Optional[str] = None
    reasoning_details: Optional[list[ReasoningBlock]] = None
    refusal: Optional[str] = None
    annotations: Optional[list[Any]] = None
    audio: Optional[dict[str, Any]] = None
    native: Optional[NativeContent] = None

    def __post_init__(self) -> None:
        kind = type(self.content)
        if type(self.role) is str and (kind is str or kind is list) and self.native is None:
            return  # as a rule
        if not isinstance(self.role, str):
            raise MessageFormatError(
                f"role must be a str, not {type_and_beginning(self.role)}", field="role"
            )
        if self.content is not None and not isinstance(self.content, (str, list)):
            raise MessageFormatError(
                "content must be a str, a list of content parts or None, "
                f"not {type_and_beginning(self.content)}",
                field="content",
            )
        if self.native is not None and type(self.native) is not NativeContent:
            raise MessageFormatError(
                f"native must be the NativeContent of a reply, not a {type(self.native).__name__}",
                field="native",
            )

    @property
    def text(self) -> str:
        """The text of the content, with its text parts joined; `""` if there is none."""
        if isinstance(self.content, str):
            return self.content
        return "".join(
            part.get("text") or ""
            for part in self.content or ()
            if isinstance(part, dict) and part.get("type") == "text"
        )

    def to_dict(self, *, native: bool = False) -> dict[str, Any]:
        """Return the message in OpenAI's shape, without the fields that are not set.

        That shape has no place for reasoning. With *native* an entry of `reasoning_details` holds
        what the provider wrote; the dict, or `Message(**dict)`, sends it back to the provider.
        """
        data: dict[str, Any] = {"role": self.role, "content": self.content}
        for name in ("name", "tool_call_id", "refusal", "annotations", "audio"):
            value = getattr(self, name)
            if value is not None:
                data[name] = value
        if self.tool_calls is not None:
            data["tool_calls"] = [
                call.to_dict() if isinstance(call, ToolCall) else call for call in self.tool_calls
            ]
        if native:
            # An entry that was read back is a dict.
            entries: list[Any] = [
                block
                for block in self.reasoning_details or ()
                if isinstance(block, dict) and block.get("type") == NATIVE_ENTRY
            ]
            if self.native is not None:
                entry = _entry_of(self, self.native)
                entries = [] if entry is None else [entry]
            if entries:
                data["reasoning_details"] = entries
        return data

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._shown_fields())

    # Instances can change.
    __hash__ = None  # type: ignore[assignment]

    def _shown_fields(self) -> tuple[str, ...]:
        """Return the names of the fields that are compared and shown: all but `native`."""
        return self.__struct_fields__[:-1]

    def __repr__(self) -> str:
        shown = [f"role={self.role!r}", f"content={self.content!r}"]
        shown += [
            f"{name}={value!r}"
            for name in self._shown_fields()[2:]
            if (value := getattr(self, name)) is not None
        ]
        return f"Message({', '.join(shown)})"


def _entry_of(message: Message, native: NativeContent) -> Optional[dict[str, Any]]:
    """Return the stored form of a message's record, without what the caller changed or removed."""
    kept = native.kept_reasoning(message.reasoning, message.reasoning_details)
    thoughts = iter(kept or ())
    texts = [block.values[0] for block in native.blocks if block.kind == "text"]
    is_whole = message.content == "".join(texts)
    # Without the name: the provider knows the tool by another where that is renamed.
    calls = [
        (call.id, (call.custom or {}).get("input"))
        if call.function is None
        else (call.id, call.function.arguments)
        for call in message.tool_calls or ()
        if isinstance(call, ToolCall)
    ]
    blocks: list[Any] = []
    for block in native.blocks:
        if block.kind == "reasoning":
            is_kept = kept is None or next(thoughts)
        elif block.kind == "text":
            words, is_cited = block.values[:2]
            is_kept = is_whole or (words in message.text and not is_cited)
        elif block.kind == "member":
            is_kept = False
            if message.reasoning is not None:
                blocks.append({block.values[0]: message.reasoning})
        elif block.kind == "part":
            is_kept = message.reasoning == native.reasoning
        else:
            is_kept = block.kind == "other" or (block.values[0], block.values[2]) in calls
        if is_kept:
            blocks.append(json.loads(block.raw))
    if not blocks:
        return None
    return {
        "type": NATIVE_ENTRY,
        "version": NATIVE_VERSION,
        "dialect": native.dialect,
        "provider": native.provider,
        "tag": native.tag,
        "model": native.model,
        "blocks": blocks,
    }


class PromptTokensDetails(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Breakdown of the prompt's tokens; each count is a part of `prompt_tokens`.

    `cache_write_1h_tokens`, of `cache_write_tokens` those that Anthropic keeps for an hour, is
    not in OpenAI's shape.
    """

    cached_tokens: Optional[int] = None
    cache_write_tokens: Optional[int] = None
    audio_tokens: Optional[int] = None
    image_tokens: Optional[int] = None
    text_tokens: Optional[int] = None
    cache_write_1h_tokens: Optional[int] = None


class CompletionTokensDetails(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Breakdown of the completion's tokens; each count is a part of `completion_tokens`.

    Some servers count the reasoning beside the completion: `total_tokens` is then the sum of
    prompt, completion and reasoning.
    """

    reasoning_tokens: Optional[int] = None
    audio_tokens: Optional[int] = None
    accepted_prediction_tokens: Optional[int] = None
    rejected_prediction_tokens: Optional[int] = None
    text_tokens: Optional[int] = None


class Usage(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Token usage of a reply; `total_tokens` is the sum of prompt and completion tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: Optional[PromptTokensDetails] = None
    completion_tokens_details: Optional[CompletionTokensDetails] = None

    def to_dict(self) -> dict[str, Any]:
        """Return the usage in OpenAI's shape, without the fields that are not set."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        data.get("prompt_tokens_details", {}).pop("cache_write_1h_tokens", None)
        return data


class Choice(msgspec.Struct):
    """One answer of a reply; a request with `n` has several.

    `finish_reason` is one of OpenAI's (`stop`, `length`, `tool_calls`, `content_filter`), or a word
    that only the server knows, as it came; `None` where the server gave none, or broke off.
    """

    index: int
    message: Message
    finish_reason: Optional[str] = None
    logprobs: Optional[dict[str, Any]] = None

    def to_dict(self) -> dict[str, Any]:
        """Return the choice in OpenAI's shape."""
        return {
            "index": self.index,
            "message": self.message.to_dict(),
            "finish_reason": self.finish_reason,
            "logprobs": self.logprobs,
        }


class Extensions(msgspec.Struct):
    """Metadata of a call: provider, attempts, fallback, losses, cost.

    `attempts` counts the requests that were sent. The keys of `metadata` are listed in
    the documentation ("Replies").
    """

    provider_used: str
    fallback_triggered: bool = False
    attempts: int = 1
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the extensions as plain JSON objects, the report of losses included."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data

    def __repr__(self) -> str:
        return (
            f"Extensions(provider_used={self.provider_used!r}, "
            f"fallback_triggered={self.fallback_triggered!r}, attempts={self.attempts!r})"
        )


class _Completion(msgspec.Struct):
    """Base of a whole reply and a chunk: their serialisation as OpenAI's JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the object in OpenAI's JSON shape, without specado's extensions."""
        shown: Any = self  # the fields are those of the classes below, in an order of their own
        data: dict[str, Any] = {
            "id": shown.id,
            "object": shown.object,
            "created": shown.created,
            "model": shown.model,
            "choices": [choice.to_dict() for choice in shown.choices],
        }
        if shown.usage is not None:
            data["usage"] = shown.usage.to_dict()
        for name in ("system_fingerprint", "service_tier"):
            value = getattr(shown, name)
            if value is not None:
                data[name] = value
        return data

    def to_json(self) -> str:
        """Return `to_dict()` as JSON text."""
        return msgspec.json.encode(self.to_dict()).decode()

    def model_dump(self) -> dict[str, Any]:
        """Return `to_dict()`; the name that users of the `openai` package know."""
        return self.to_dict()

    def model_dump_json(self) -> str:
        """Return `to_json()`; the name that users of the `openai` package know."""
        return self.to_json()


class ChatCompletionResponse(_Completion):
    """A chat completion in OpenAI's shape, from any provider.

    `model` is the model that answered; `created` is in seconds since the epoch. `raw` is the
    provider's body as it came and `headers` its headers, names in lower case. `usage_certainty`
    tells how much of the bill the tokens in `usage` are: "exact", "at_least" where the provider
    bills more than tokens, "unknown" where it left out a count or sent one that cannot be.
    `other_usage` has the members of the provider's usage that `usage` has no place for.
    """

    id: str
    model: str
    choices: list[Choice]
    extensions: Extensions
    created: int = 0
    object: str = "chat.completion"
    usage: Optional[Usage] = None
    system_fingerprint: Optional[str] = None
    service_tier: Optional[str] = None
    raw: bytes = b""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    usage_certainty: str = "exact"
    other_usage: dict[str, Any] = msgspec.field(default_factory=dict)

    def __repr__(self) -> str:
        return (
            f"ChatCompletionResponse(id={self.id!r}, model={self.model!r}, "
            f"provider_used={self.extensions.provider_used!r})"
        )


class ChoiceDeltaToolCallFunction(msgspec.Struct):
    """A piece of a streamed function call: the name in the first one, `arguments` in parts."""

    name: Optional[str] = None
    arguments: Optional[str] = None


class ChoiceDeltaToolCall(msgspec.Struct):
    """A piece of a streamed tool call; `index` is the call's number, from 0 in order."""

    index: int
    id: Optional[str] = None
    function: Optional[ChoiceDeltaToolCallFunction] = None
    type: Optional[str] = None
    custom: Optional[dict[str, Any]] = None

    def to_dict(self) -> dict[str, Any]:
        """Return the piece in OpenAI's shape, without the fields that are not set."""
        data: dict[str, Any] = {"index": self.index}
        for name in ("id", "type", "custom"):
            value = getattr(self, name)
            if value is not None:
                data[name] = value
        if self.function is not None:
            pieces = {"name": self.function.name, "arguments": self.function.arguments}
            data["function"] = {name: text for name, text in pieces.items() if text is not None}
        return data


class ChoiceDelta(msgspec.Struct):
    """The part of a message that a chunk adds; texts are concatenated in order.

    `reasoning_details` are whole blocks: the message has those of all chunks, in order.
    """

    content: Optional[str] = None
    role: Optional[str] = None
    tool_calls: Optional[list[ChoiceDeltaToolCall]] = None
    reasoning: Optional[str] = None
    reasoning_details: Optional[list[ReasoningBlock]] = None
    refusal: Optional[str] = None
    annotations: Optional[list[Any]] = None
    audio: Optional[dict[str, Any]] = None

    def to_dict(self) -> dict[str, Any]:
        """Return the delta in OpenAI's shape, without the fields that are not set."""
        data: dict[str, Any] = {}
        for name in ("role", "content", "refusal", "annotations", "audio"):
            value = getattr(self, name)
            if value is not None:
                data[name] = value
        if self.tool_calls is not None:
            data["tool_calls"] = [call.to_dict() for call in self.tool_calls]
        return data


class ChunkChoice(msgspec.Struct):
    """The part of one answer that a chunk adds."""

    index: int
    delta: ChoiceDelta
    finish_reason: Optional[str] = None
    logprobs: Optional[dict[str, Any]] = None

    def to_dict(self) -> dict[str, Any]:
        """Return the choice in OpenAI's shape."""
        return {
            "index": self.index,
            "delta": self.delta.to_dict(),
            "finish_reason": self.finish_reason,
            "logprobs": self.logprobs,
        }


class ChatCompletionChunk(_Completion):
    """One chunk of a streamed chat completion in OpenAI's shape, from any provider.

    `choices` is empty in the chunk that has only the usage.
    """

    id: str
    model: str
    choices: list[ChunkChoice]
    created: int = 0
    object: str = "chat.completion.chunk"
    usage: Optional[Usage] = None
    system_fingerprint: Optional[str] = None
    service_tier: Optional[str] = None


class AttemptEvent(msgspec.Struct, frozen=True):
    """Event for the hook `on_attempt`: an attempt was answered, failed or was abandoned.

    `number` counts the call's requests from 1; `error` is a `ProviderError`, `None` for an
    answer; its `code` is `cancelled` where the call was cancelled or interrupted meanwhile.
    """

    provider: str
    model: str
    number: int
    duration_ms: float
    error: Any = None


class FallbackEvent(msgspec.Struct, frozen=True):
    """Event for the hook `on_fallback`: another candidate than the first has answered."""

    provider: str
    model: str
    index: int
    reason: str
