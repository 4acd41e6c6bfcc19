"""Decodes a request in a provider's format (dict or JSON text) into the canonical form."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Optional, Union

import msgspec

from specado._core import (
    Conversation,
    NotJson,
    dumps,
    normalize,
    read_anthropic_request,
    read_messages,
)
from specado.errors import ConfigurationError, MessageFormatError
from specado.settings.parameters import PARAMETERS

__all__ = ["READERS", "SourceRequest", "as_dict", "plain"]

# Parameters with the same name and type in both dialects.
_SAME_IN_ANTHROPIC = ("max_tokens", "temperature", "top_p", "stream", "service_tier")
# All members of Anthropic's requests that are read (anthropic.types 0.125.0, 2026-11-22).
_ANTHROPIC = frozenset({
    "model", "messages", "system", "cache_control", "container", "context_management",
    "inference_geo", "mcp_servers", "metadata", "output_config", "speed", "stop_sequences",
    "thinking", "tool_choice", "tools", "top_k", *_SAME_IN_ANTHROPIC,
})  # fmt: skip
_READ = {
    "openai_chat": frozenset({"model", "messages", *PARAMETERS}),
    "anthropic_messages": _ANTHROPIC,
}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TURN = re.compile(r"messages\[(\d+)\](?:\.(content|tool_calls|reasoning_details)\[(\d+)\])?.*")
_TOOL = re.compile(r"(tools\[\d+\])(?:\.function)?(.*)")
_PARAMETER = re.compile(r"(response_format\.json_schema|\w+)(.*)")


class SourceRequest(msgspec.Struct, frozen=True):
    """A decoded request in the canonical form.

    `losses` are the losses of decoding. `places` maps canonical parameters with another name in the
    caller's request to their path there; it is `None` for a request in canonical form.
    """

    model: str
    conversation: Any  # a Conversation
    parameters: dict[str, Any]
    losses: list[Any]  # of Reported
    places: Optional[dict[str, str]] = None

    def path(self, path: str) -> str:
        """Return the path in the caller's request that a canonical *path* was decoded from."""
        if self.places is None:
            return path
        found = _TURN.fullmatch(path)
        if found is not None:
            index, name, place = found.groups()
            origin: str = self.conversation.origin(int(index), name, int(place or 0))
            return origin
        found = _TOOL.fullmatch(path) or _PARAMETER.fullmatch(path)
        if found is None or found.group(1) not in self.places:
            return path
        return self.places[found.group(1)] + found.group(2)


class _Block(msgspec.Struct):
    input: msgspec.Raw = msgspec.Raw(b"")


class _Turn(msgspec.Struct):
    content: Union[str, list[_Block], None] = None


class _Inputs(msgspec.Struct):
    """The part of a messages request that holds the raw inputs of tool calls."""

    messages: list[_Turn]


def as_dict(request: Any, dialect: str) -> dict[str, Any]:
    """Return a request of a dialect, given as a dict or as JSON text.

    In a request from JSON text the inputs of tool calls, the members that *dialect* does not know
    and numbers outside the range of floats are `msgspec.Raw`: they are sent unchanged. OpenAI's
    messages may be a `Conversation`.

    Raises:
        MessageFormatError: it is not a JSON object.
    """
    if isinstance(request, dict):
        return request
    if not isinstance(request, (str, bytes, bytearray)):
        raise MessageFormatError(
            f"request must be a dict or JSON text, not {type(request).__name__}", field="request"
        )
    if isinstance(request, str):
        request = request.removeprefix("\ufeff")
    else:
        request = bytes(request).removeprefix(BYTE_ORDER_MARK)
    try:
        found = _openai_request(request) if dialect == "openai_chat" else None
        if found is None:
            found = _decoded(request)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise MessageFormatError(f"request is not JSON: {error}", field="request") from None
    if not isinstance(found, dict):
        raise MessageFormatError("request must be a JSON object", field="request")
    if dialect == "anthropic_messages":
        _keep_inputs(found, request)
    _keep_members(found, request, _READ[dialect])
    return found


def _openai_request(text: Any) -> Any:
    """Return a request whose messages are a `Conversation`, `None` if they cannot be read so."""
    try:
        given = text.encode() if isinstance(text, str) else text
        read = read_messages(given)
        if read is None:
            return None
        conversation, start, end = read
        found = _decoded(given[:start] + b"[]" + given[end:])
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None  # decoding the whole text reports the error
    found["messages"] = conversation
    return found


def _decoded(text: Any) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.ValidationError:  # valid JSON with a number outside the range of floats
        text = text.decode() if isinstance(text, bytes) else text
        return json.loads(text, parse_float=_number, parse_constant=_refuse_constant)


def _number(text: str) -> Any:
    number = float(text)
    return number if math.isfinite(number) else msgspec.Raw(text.encode())


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no value of JSON")


def plain(value: Any) -> Any:
    """Return a value of `as_dict` with each `msgspec.Raw` decoded, to be shown in a report.

    A number outside the range of floats, or a value that holds one, becomes text.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, msgspec.Raw):
        try:
            return msgspec.json.decode(value)
        except msgspec.ValidationError:
            return bytes(value).decode()
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def _keep_members(found: dict[str, Any], text: Any, read: frozenset[str]) -> None:
    """Replace members that are not *read* by their raw JSON; make other raw numbers floats."""
    names = []
    for name in found:
        if name not in read:
            names.append(name)
        elif isinstance(found[name], msgspec.Raw):
            found[name] = float(bytes(found[name]))  # not finite: its check refuses it
    if not names:
        return
    given = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    try:
        changed = [name for name in names if dumps(found[name]) != bytes(given[name])]
    except NotJson:
        return  # too deep, or a key that is no text: the encoder reports it
    for name in changed:
        found[name] = msgspec.Raw(bytes(given[name]))


def _keep_inputs(found: dict[str, Any], text: Any) -> None:
    """Replace the inputs of tool calls by their raw JSON in *text*, the source of *found*."""
    try:
        turns = msgspec.json.decode(text, type=_Inputs).messages
    except msgspec.ValidationError:
        return  # another form: the decoder reports the error
    for turn, message in zip(turns, found["messages"]):
        if isinstance(turn.content, list):
            for block, given in zip(turn.content, message["content"]):
                if given.get("type") == "tool_use" and isinstance(given.get("input"), dict):
                    given["input"] = block.input


def _read_openai(request: dict[str, Any]) -> SourceRequest:
    parameters: dict[str, Any] = {}
    for name, value in request.items():
        if not isinstance(name, str):
            raise MessageFormatError(f"request: the key {name!r} is not text", field="request")
        if name in ("model", "messages") or value is None:
            continue
        check = PARAMETERS.get(name)
        parameters[name] = value if check is None else check(name, value)
    if "messages" not in request:
        raise MessageFormatError("request: messages is missing", field="messages")
    messages = request["messages"]
    conversation = messages if isinstance(messages, Conversation) else normalize(messages)
    return SourceRequest(_model(request), conversation, parameters, [])


def _read_anthropic(request: dict[str, Any]) -> SourceRequest:
    for name in _SAME_IN_ANTHROPIC:
        if request.get(name) is not None:
            PARAMETERS[name](name, request[name])
    conversation, parameters, losses, places = read_anthropic_request(dict(request))
    return SourceRequest(_model(request), conversation, parameters, losses, places)


def _model(request: dict[str, Any]) -> str:
    model = request.get("model")
    if not isinstance(model, str) or not model.strip():
        raise ConfigurationError("request: model is missing, or not text", key="model")
    return model


READERS = {"openai_chat": _read_openai, "anthropic_messages": _read_anthropic}
