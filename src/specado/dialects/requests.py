"""Requests as callers hold them, in a provider's own shape, read into the canonical form."""

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

# Parameters with the same name and type in both shapes.
_SAME_IN_ANTHROPIC = ("max_tokens", "temperature", "top_p", "stream", "service_tier")
# The others of Anthropic's that are read (anthropic.types 0.125.0, 2026-11-22).
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
    """A request in the canonical form.

    `losses` is what reading lost; `places` says where in the caller's request the parameters
    stand that are called otherwise there, `None` for a request that is canonical already.
    """

    model: str
    conversation: Any  # a Conversation
    parameters: dict[str, Any]
    losses: list[Any]  # of Reported
    places: Optional[dict[str, str]] = None

    def path(self, path: str) -> str:
        """Return where in the caller's request *path* of the canonical one comes from."""
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
    """Where the inputs of tools stand in a messages request."""

    messages: list[_Turn]


def as_dict(request: Any, dialect: str) -> dict[str, Any]:
    """Return a request of a dialect, given as a dict or as JSON text.

    From JSON text the inputs of tools, the members that *dialect* does not know and numbers past
    the range of floats are `msgspec.Raw`: they travel as they were written. Messages in OpenAI's
    shape may be a `Conversation`.

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
    """Return a request whose messages are a `Conversation`, `None` where that cannot be."""
    try:
        given = text.encode() if isinstance(text, str) else text
        read = read_messages(given)
        if read is None:
            return None
        conversation, start, end = read
        found = _decoded(given[:start] + b"[]" + given[end:])
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None  # who decodes the whole text tells what is wrong with it
    found["messages"] = conversation
    return found


def _decoded(text: Any) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.ValidationError:  # JSON, but for a number past the range of floats
        text = text.decode() if isinstance(text, bytes) else text
        return json.loads(text, parse_float=_number, parse_constant=_refuse_constant)


def _number(text: str) -> Any:
    number = float(text)
    return number if math.isfinite(number) else msgspec.Raw(text.encode())


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no value of JSON")


def plain(value: Any) -> Any:
    """Return a value of `as_dict` for a reader: what stands as it was written is read.

    A number past the range of floats, or what holds one, is text.
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
    """Put what is not *read* in as it stands in *text*; elsewhere a number is a float at most."""
    names = []
    for name in found:
        if name not in read:
            names.append(name)
        elif isinstance(found[name], msgspec.Raw):
            found[name] = float(bytes(found[name]))  # not finite: the check of it says so
    if not names:
        return
    given = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    try:
        changed = [name for name in names if dumps(found[name]) != bytes(given[name])]
    except NotJson:
        return  # too deep, or no text: the encoder says where
    for name in changed:
        found[name] = msgspec.Raw(bytes(given[name]))


def _keep_inputs(found: dict[str, Any], text: Any) -> None:
    """Put the inputs of tools in as they stand in *text*, the JSON that *found* was read from."""
    try:
        turns = msgspec.json.decode(text, type=_Inputs).messages
    except msgspec.ValidationError:
        return  # not of that form: the reader says what is wrong
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
