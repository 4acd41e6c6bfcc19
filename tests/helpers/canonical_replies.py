"""Canonical replies for the tests of encoders: examples, strategies, and their chunks."""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Optional

from hypothesis import strategies as st

from specado.types import (
    ChatCompletionChunk,
    ChatCompletionResponse,
    Choice,
    ChoiceDelta,
    ChoiceDeltaToolCall,
    ChoiceDeltaToolCallFunction,
    ChunkChoice,
    CompletionTokensDetails,
    Extensions,
    FunctionCall,
    Message,
    PromptTokensDetails,
    ReasoningBlock,
    ToolCall,
    Usage,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = "the-model"
SIGNED = ReasoningBlock("thinking", "Let me think.", "c2lnbmVk", None, MODEL)
REDACTED = ReasoningBlock("redacted_thinking", None, None, "ZGF0YQ==", MODEL)
CALL = ToolCall("call_1", FunctionCall("get_weather", '{"city": "Paris", "n": 1e400}'))
OTHER_CALL = ToolCall("call_2", FunctionCall("get_time", '{"zone":"CET"}'))
CUSTOM_CALL = ToolCall("call_3", type="custom", custom={"name": "run", "input": 'print("hi")'})
USAGE = Usage(
    90,
    30,
    120,
    PromptTokensDetails(cached_tokens=20, cache_write_tokens=10),
    CompletionTokensDetails(reasoning_tokens=12),
)
LOGPROBS = {
    "content": [{"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}],
    "refusal": None,
}
CITATION = {
    "type": "url_citation",
    "url_citation": {"start_index": 0, "end_index": 2, "title": "T", "url": "https://a.example"},
}
AUDIO = {"id": "audio_1", "data": "UklGRg==", "expires_at": 1_700_000_100, "transcript": "Hello"}


def reply(
    *choices: Choice,
    usage: Optional[Usage] = USAGE,
    created: int = 1_700_000_000,
    **facts: Any,
) -> ChatCompletionResponse:
    """Return a reply with these choices, by default one that says hello."""
    return ChatCompletionResponse(
        "chatcmpl-1",
        MODEL,
        list(choices) or [answer("Hello")],
        Extensions("openai"),
        created,
        usage=usage,
        **facts,
    )


def answer(
    content: Any = None, reason: Optional[str] = "stop", *, index: int = 0, **fields: Any
) -> Choice:
    """Return a choice with an assistant message; *logprobs* belongs to the choice."""
    logprobs = fields.pop("logprobs", None)
    role = fields.pop("role", "assistant")
    return Choice(index, Message(role, content, **fields), reason, logprobs)


def chunk(
    delta: Optional[ChoiceDelta] = None,
    reason: Optional[str] = None,
    *,
    index: int = 0,
    logprobs: Any = None,
    **facts: Any,
) -> ChatCompletionChunk:
    """Return a chunk with one choice, or none without a delta."""
    choices = [] if delta is None else [ChunkChoice(index, delta, reason, logprobs)]
    return ChatCompletionChunk("chatcmpl-1", MODEL, choices, 1_700_000_000, **facts)


def piece(
    place: int, id_: Optional[str] = None, name: Optional[str] = None, text: Optional[str] = None
) -> ChoiceDelta:
    """Return a delta with one piece of a function call."""
    function = ChoiceDeltaToolCallFunction(name, text)
    kind = None if id_ is None else "function"
    return ChoiceDelta(tool_calls=[ChoiceDeltaToolCall(place, id_, function, kind)])


def custom_piece(place: int, id_: Optional[str], **custom: str) -> ChoiceDelta:
    """Return a delta with one piece of a custom call."""
    kind = None if id_ is None else "custom"
    return ChoiceDelta(tool_calls=[ChoiceDeltaToolCall(place, id_, None, kind, custom)])


# Splitting a reply


def cut(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def chunks_of(whole: ChatCompletionResponse, size: int = 3) -> list[ChatCompletionChunk]:
    """Return chunks that add up to a reply; the pieces of parallel calls take turns."""
    facts = {"system_fingerprint": whole.system_fingerprint, "service_tier": whole.service_tier}
    made = []
    for choice in whole.choices:
        deltas = list(_deltas(choice.message, size))
        made += [chunk(delta, index=choice.index, **facts) for delta in deltas]
        made.append(
            chunk(
                ChoiceDelta(),
                choice.finish_reason,
                index=choice.index,
                logprobs=choice.logprobs,
                **facts,
            )
        )
    made.append(chunk(usage=whole.usage, **facts))
    for each in made:
        each.id, each.model, each.created = whole.id, whole.model, whole.created
    return made


def _deltas(message: Message, size: int) -> Iterator[ChoiceDelta]:
    yield ChoiceDelta("", "assistant")
    if message.reasoning_details is None:
        for text in cut(message.reasoning or "", size):
            yield ChoiceDelta(reasoning=text)
    for block in message.reasoning_details or ():
        for text in cut(block.text or "", size):
            yield ChoiceDelta(reasoning=text)
        yield ChoiceDelta(reasoning_details=[block])
    for text in cut(message.content or "", size):
        yield ChoiceDelta(text)
    for text in cut(message.refusal or "", size):
        yield ChoiceDelta(refusal=text)
    lanes = [_pieces(place, call, size) for place, call in enumerate(message.tool_calls or ())]
    for row in zip_longest(*lanes):
        yield from [delta for delta in row if delta is not None]
    if message.annotations is not None:
        yield ChoiceDelta(annotations=message.annotations)
    if message.audio is not None:
        yield ChoiceDelta(audio=message.audio)


def _pieces(place: int, call: ToolCall, size: int) -> Iterator[ChoiceDelta]:
    if call.custom is not None:
        yield custom_piece(place, call.id, name=call.custom["name"], input="")
        for text in cut(call.custom["input"], size):
            yield custom_piece(place, None, input=text)
        return
    assert call.function is not None
    yield piece(place, call.id, call.function.name, "")
    for text in cut(call.function.arguments, size):
        yield piece(place, text=text)


# Strategies

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
some_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
counts = st.none() | st.integers(0, 1 << 40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
json_objects = st.dictionaries(texts, json_values, max_size=3)
arguments = json_objects.map(json.dumps) | json_objects.map(
    lambda value: json.dumps(value, ensure_ascii=False, indent=1)
)
function_calls = st.builds(
    ToolCall, id=some_text, function=st.builds(FunctionCall, name=some_text, arguments=arguments)
)
custom_calls = st.builds(
    ToolCall,
    id=some_text,
    type=st.just("custom"),
    custom=st.fixed_dictionaries({"name": some_text, "input": texts}),
)
blocks = st.builds(
    ReasoningBlock, type=st.just("thinking"), text=some_text, signature=texts, model=st.just(MODEL)
) | st.builds(
    ReasoningBlock, type=st.just("redacted_thinking"), data=some_text, model=st.just(MODEL)
)
usages = st.builds(
    lambda prompt, read, written, completion, thinking: Usage(
        prompt + read + written,
        completion,
        prompt + read + written + completion,
        PromptTokensDetails(cached_tokens=read, cache_write_tokens=written),
        CompletionTokensDetails(reasoning_tokens=thinking),
    ),
    *[st.integers(0, 1 << 40)] * 5,
)
full_usages = st.builds(
    Usage,
    counts.map(lambda count: count or 0),
    counts.map(lambda count: count or 0),
    st.integers(0, 1 << 70),
    st.none() | st.builds(
        PromptTokensDetails,
        **dict.fromkeys(PromptTokensDetails.__struct_fields__[:-1], counts),
    ),
    st.none() | st.builds(
        CompletionTokensDetails,
        **dict.fromkeys(CompletionTokensDetails.__struct_fields__, counts),
    ),
)  # fmt: skip
