"""Hold bodies against the types that the official `openai` and `anthropic` packages ship.

The packages themselves check nothing when they read a reply (`construct`), and their request
types are `TypedDict`s that nothing checks at run time. Here both are checked strictly: no
coercion, no unknown field, every item of a list. `problems(kind, value)` gives what is wrong.
"""

from __future__ import annotations

import collections.abc
import functools
import json
import os
import types
import typing
from typing import Any

import anthropic.types
import anthropic.types.beta
import openai.types.chat
import openai.types.chat.chat_completion_chunk
import openai.types.completion_usage
import openai.types.responses
import pydantic
import typing_extensions

KINDS = (
    "openai-request",
    "openai-response",
    "openai-chunk",
    "openai-error",
    "openai-models",
    "responses-request",
    "responses-response",
    "responses-event",
    "anthropic-request",
    "anthropic-beta-request",
    "anthropic-count-request",
    "anthropic-response",
    "anthropic-beta-response",
    "anthropic-event",
    "anthropic-beta-event",
    "anthropic-count-response",
    "anthropic-error",
    "anthropic-models",
)
STRICT = pydantic.ConfigDict(extra="forbid", strict=True)
# What today's APIs send and older releases of the packages have no fields for: openai 2.48, the
# last for Python 3.9, and anthropic 0.125.
_NEWER_COUNTS = {"cache_write_tokens", "image_tokens", "text_tokens"} - set(
    openai.types.completion_usage.PromptTokensDetails.model_fields
)
_NEWER_FIELDS = {
    "openai-response": _NEWER_COUNTS,
    "openai-chunk": _NEWER_COUNTS
    | ({"obfuscation"} - set(openai.types.chat.ChatCompletionChunk.model_fields))
    | ({"audio"} - set(openai.types.chat.chat_completion_chunk.ChoiceDelta.model_fields)),
    "anthropic-models": {"lifecycle", "deprecated_at", "retires_at", "line"}
    - set(anthropic.types.ModelInfo.model_fields),
}
# Parameters of the packages' methods that travel as headers, with the header's name as alias.
SENT_AS_HEADERS = frozenset({"betas", "user_profile_id", "workspace_id"})


def problems(kind: str, value: Any) -> list[str]:
    """Return what is wrong with *value* (JSON text, bytes or plain values) as a *kind*."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}; known: {', '.join(KINDS)}")
    text = value if isinstance(value, (str, bytes)) else json.dumps(value)
    try:
        data = json.loads(text)
    except ValueError as error:
        return [f"not JSON: {error}"]
    found = _typed(kind, text, data)
    extra = _EXTRA_RULES.get(kind)
    return found + (extra(data) if extra is not None and isinstance(data, dict) else [])


def _typed(kind: str, text: str | bytes, data: Any) -> list[str]:
    streaming = isinstance(data, dict) and data.get("stream") is True
    adapter = _adapter(kind, streaming=streaming)
    try:
        read = adapter.validate_json(text, strict=True)
    except pydantic.ValidationError as error:
        return [
            f"{'.'.join(map(str, row['loc'])) or '(whole)'}: {row['msg']}"
            for row in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    newer = _NEWER_FIELDS.get(kind, ())
    return [
        f"{path}: unknown field"
        for path in _unknown_fields(read, "")
        if path.rpartition(".")[2] not in newer
    ]


@functools.cache
def _adapter(kind: str, *, streaming: bool) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(_TYPES[kind](streaming))


def _openai_request(streaming: bool) -> Any:
    from openai.types.chat import completion_create_params as params

    return _strict(
        params.CompletionCreateParamsStreaming
        if streaming
        else params.CompletionCreateParamsNonStreaming
    )


def _responses_request(streaming: bool) -> Any:
    from openai.types.responses import response_create_params as params

    return _strict(
        params.ResponseCreateParamsStreaming
        if streaming
        else params.ResponseCreateParamsNonStreaming
    )


def _anthropic_request(streaming: bool) -> Any:
    from anthropic.types import message_create_params as params

    return _strict(
        params.MessageCreateParamsStreaming if streaming else params.MessageCreateParamsNonStreaming
    )


def _anthropic_beta_request(streaming: bool) -> Any:
    from anthropic.types.beta import message_create_params as params

    return _strict(
        params.MessageCreateParamsStreaming if streaming else params.MessageCreateParamsNonStreaming
    )


def _count_request(_streaming: bool) -> Any:
    from anthropic.types import message_count_tokens_params as params

    return _strict(params.MessageCountTokensParams)


class _OpenAIError(pydantic.BaseModel):
    model_config = STRICT
    message: str
    type: str
    param: typing.Optional[str]
    code: typing.Optional[str]


class _OpenAIErrorBody(pydantic.BaseModel):
    """OpenAI's package has no type for its error bodies; the API reference shows this one."""

    model_config = STRICT
    error: _OpenAIError


class _OpenAIModels(pydantic.BaseModel):
    model_config = STRICT
    object: typing.Literal["list"]
    data: list[openai.types.Model]


class _Ping(pydantic.BaseModel):
    """Anthropic's package skips pings; its "Streaming" page shows this one."""

    model_config = STRICT
    type: typing.Literal["ping"]


def _event(events: Any) -> Any:
    """Return *events*, an annotated union, with pings and errors, told apart by `type`."""
    union = typing.get_args(events)[0]
    return typing.Annotated[
        typing.Union[union, _Ping, anthropic.types.ErrorResponse],
        pydantic.Field(discriminator="type"),
    ]


class _AnthropicModels(pydantic.BaseModel):
    model_config = STRICT
    data: list[anthropic.types.ModelInfo]
    has_more: bool
    first_id: typing.Optional[str]
    last_id: typing.Optional[str]


_TYPES: dict[str, typing.Callable[[bool], Any]] = {
    "openai-request": _openai_request,
    "openai-response": lambda _: openai.types.chat.ChatCompletion,
    "openai-chunk": lambda _: openai.types.chat.ChatCompletionChunk,
    "openai-error": lambda _: _OpenAIErrorBody,
    "openai-models": lambda _: _OpenAIModels,
    "responses-request": _responses_request,
    "responses-response": lambda _: openai.types.responses.Response,
    "responses-event": lambda _: openai.types.responses.ResponseStreamEvent,
    "anthropic-request": _anthropic_request,
    "anthropic-beta-request": _anthropic_beta_request,
    "anthropic-count-request": _count_request,
    "anthropic-response": lambda _: anthropic.types.Message,
    "anthropic-beta-response": lambda _: anthropic.types.beta.BetaMessage,
    "anthropic-event": lambda _: _event(anthropic.types.RawMessageStreamEvent),
    "anthropic-beta-event": lambda _: _event(anthropic.types.beta.BetaRawMessageStreamEvent),
    "anthropic-count-response": lambda _: anthropic.types.MessageTokensCount,
    "anthropic-error": lambda _: anthropic.types.ErrorResponse,
    "anthropic-models": lambda _: _AnthropicModels,
}


def _openai_response_rules(data: dict[str, Any]) -> list[str]:
    found = [
        f"{name}: always sent, missing"
        for name in ("usage", "system_fingerprint")
        if name not in data
    ]
    for place, choice in enumerate(data.get("choices") or ()):
        where = f"choices.{place}"
        message = choice.get("message") or {}
        found += [
            f"{where}.message.{name}: always sent, missing"
            for name in ("content", "refusal", "annotations")
            if name not in message
        ]
        if choice.get("index") != place:
            found.append(f"{where}.index: {choice.get('index')} in place {place}")
        if message.get("content") is None and not message.get("tool_calls"):
            found.append(f"{where}.message: neither content nor tool calls")
    usage = data.get("usage") or {}
    if usage and usage["total_tokens"] != usage["prompt_tokens"] + usage["completion_tokens"]:
        found.append("usage.total_tokens: not the sum")
    return found


def _openai_chunk_rules(data: dict[str, Any]) -> list[str]:
    found = [
        f"{name}: always sent, missing"
        for name in ("service_tier", "system_fingerprint")
        if name not in data
    ]
    return found + [
        f"choices.{place}.{name}: always sent, missing"
        for place, choice in enumerate(data.get("choices") or ())
        for name in ("logprobs", "finish_reason")
        if name not in choice
    ]


def _anthropic_response_rules(data: dict[str, Any]) -> list[str]:
    found = [
        f"{name}: always sent, missing"
        for name in ("stop_reason", "stop_sequence")
        if name not in data
    ]
    blocks = data.get("content") or []
    uses = any(isinstance(block, dict) and block.get("type") == "tool_use" for block in blocks)
    if data.get("stop_reason") == "tool_use" and not uses:
        found.append("stop_reason: tool_use without a tool_use block")
    if data.get("stop_reason") == "stop_sequence" and not data.get("stop_sequence"):
        found.append("stop_sequence: not named")
    return found


_EXTRA_RULES: dict[str, typing.Callable[[dict[str, Any]], list[str]]] = {
    "openai-response": _openai_response_rules,
    "openai-chunk": _openai_chunk_rules,
    "anthropic-response": _anthropic_response_rules,
    "anthropic-beta-response": _anthropic_response_rules,
}


def _unknown_fields(value: Any, path: str) -> typing.Iterator[str]:
    """Yield the paths of the fields that the response models have let through."""
    if isinstance(value, pydantic.BaseModel):
        for name in value.model_extra or {}:
            yield f"{path}{name}"
        for name in value.model_fields_set & set(type(value).model_fields):
            yield from _unknown_fields(getattr(value, name), f"{path}{name}.")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _unknown_fields(item, f"{path}{name}.")
    elif isinstance(value, (list, tuple)):
        for place, item in enumerate(value):
            yield from _unknown_fields(item, f"{path}{place}.")


_UNIONS = (typing.Union, getattr(types, "UnionType", typing.Union))
_WRAPPERS = (typing_extensions.Required, typing_extensions.NotRequired)


@functools.cache
def _strict_dict(type_: Any) -> Any:
    """Return a strict twin of a `TypedDict`: a model that forbids what the dict does not name."""
    hints = typing_extensions.get_type_hints(type_, include_extras=True)
    config = getattr(type_, "__pydantic_config__", None) or {}
    required = type_.__required_keys__
    fields: dict[str, Any] = {}
    for name, hint in hints.items():
        if name in SENT_AS_HEADERS:
            continue
        made = _strict(hint)
        if name in required or _is_required(hint):
            fields[name] = typing_extensions.Required[made]
        else:
            fields[name] = typing_extensions.NotRequired[made]
    twin = typing_extensions.TypedDict(type_.__name__, fields)
    twin.__pydantic_config__ = {**STRICT, **config}
    return twin


def _is_required(hint: Any) -> bool:
    if typing.get_origin(hint) is typing.Annotated:
        hint = typing.get_args(hint)[0]
    return typing.get_origin(hint) is typing_extensions.Required


def _strict(type_: Any) -> Any:
    """Return *type_* with every `TypedDict` in it strict and every iterable a list."""
    if typing_extensions.is_typeddict(type_):
        return _strict_dict(type_)
    origin, arguments = typing.get_origin(type_), typing.get_args(type_)
    if origin is None:
        return type_
    if origin in _WRAPPERS or origin is typing.Annotated:
        return _strict(arguments[0])
    if origin in _UNIONS:
        kept = [_strict(argument) for argument in arguments if _may_be_json(argument)]
        return typing.Union[tuple(kept)]
    name = getattr(origin, "__name__", "")
    if name == "SequenceNotStr" or origin in (
        collections.abc.Iterable,
        collections.abc.Sequence,
        list,
    ):
        return list[_strict(arguments[0])]
    if origin in (dict, collections.abc.Mapping):
        return dict[arguments[0], _strict(arguments[1])]
    return type_


def _may_be_json(type_: Any) -> bool:
    """Whether JSON can stand for *type_*: files, paths and response models cannot."""
    origin = typing.get_origin(type_) or type_
    if origin is typing.Annotated:
        return _may_be_json(typing.get_args(type_)[0])
    if origin in _UNIONS:
        return any(_may_be_json(argument) for argument in typing.get_args(type_))
    if not isinstance(origin, type):
        return True
    return not issubclass(origin, (pydantic.BaseModel, os.PathLike, typing.IO))
