"""Decodes Bedrock Converse requests into the canonical form."""

from __future__ import annotations

import base64
from typing import Any, Optional

import msgspec

from specado._core import read_bedrock_request
from specado.dialects.bedrock_converse.requests import NAME
from specado.dialects.bedrock_converse.source_fields import SOURCE_MEMBERS, SOURCE_PARAMETERS
from specado.dialects.contract import DecodedRequest
from specado.dialects.request_text import checked_model, decode_json, read_request
from specado.settings.parameters import PARAMETERS

__all__ = ["decode_request"]

# Canonical parameters that hold a value of the request as it was given.
_CHECKED = frozenset(("max_tokens", "metadata", "stream", "temperature", "top_p"))
_NO_JSON = msgspec.Raw(b"")


class _Call(msgspec.Struct):
    """The raw input of a tool call."""

    input: msgspec.Raw = _NO_JSON


class _Item(msgspec.Struct):
    """The raw JSON in a tool's result."""

    json: msgspec.Raw = _NO_JSON


class _Result(msgspec.Struct):
    content: Optional[list[_Item]] = None


class _Block(msgspec.Struct):
    """The objects of a block that go on as the caller wrote them."""

    toolUse: Optional[_Call] = None  # noqa: N815 - names of the wire
    toolResult: Optional[_Result] = None  # noqa: N815


class _Message(msgspec.Struct):
    content: list[_Block]


class _Request(msgspec.Struct):
    """The part of a request that holds raw inputs and results."""

    messages: list[_Message]


def decode_request(request: Any) -> DecodedRequest:
    """Return a Converse request (a dict or JSON text) in the canonical form.

    The model stands in the URL, so it has no member in the body: it is given as `model`, or as
    `modelId` as in AWS's own packages, and whether the reply is streamed as `stream`. A dict may
    have bytes where JSON has base64, as in AWS's own packages too. In a request from JSON text
    the inputs of tool calls are raw JSON: they are sent unchanged.

    Raises:
        MessageFormatError: the request is not well formed.
        ConfigurationError: the request names no model.
    """
    given = read_request(request, SOURCE_MEMBERS, _decode)
    if isinstance(request, dict):
        given = _with_base64(given)
    named = given.get("model")
    hint = ": Bedrock's API has it in the address, here it is a member, 'model'"
    model = checked_model(given.get("modelId") if named is None else named, hint)
    conversation, parameters, losses, places = read_bedrock_request(given, SOURCE_PARAMETERS, model)
    places["parameters"] = ".inputSchema.json"
    for name in _CHECKED & parameters.keys():
        PARAMETERS[name](places.get(name, name), parameters[name])
    return DecodedRequest(NAME, given, model, conversation, parameters, losses, places)


def _with_base64(given: dict[str, Any]) -> dict[str, Any]:
    """Return a request whose messages and system text have base64 in place of bytes."""
    made = {name: _as_base64(given.get(name)) for name in ("messages", "system")}
    changed = {name: value for name, value in made.items() if value is not given.get(name)}
    return {**given, **changed} if changed else given


def _as_base64(value: Any, depth: int = 0) -> Any:
    """Return a value with base64 in place of bytes; it is itself if it has none.

    No bytes lie deeper than in a document of a tool's result; a request may be deeper.
    """
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if depth > _DEEPEST_BYTES:
        return value
    if isinstance(value, dict):
        made = {name: _as_base64(item, depth + 1) for name, item in value.items()}
        return value if all(made[name] is value[name] for name in value) else made
    if isinstance(value, (list, tuple)):
        items = [_as_base64(item, depth + 1) for item in value]
        return value if all(map(_is_same, items, value)) else items
    return value


# messages[0].content[0].toolResult.content[0].document.source.bytes
_DEEPEST_BYTES = 9


def _is_same(one: Any, other: Any) -> bool:
    return one is other


def _decode(text: Any) -> Any:
    found = decode_json(text)
    if isinstance(found, dict) and (b"toolUse" if isinstance(text, bytes) else "toolUse") in text:
        _keep_objects(found, text)  # the second look at the text is for calls and results only
    return found


def _keep_objects(found: dict[str, Any], text: Any) -> None:
    """Replace inputs and JSON results by their raw JSON in *text*, the source of *found*."""
    try:
        messages = msgspec.json.decode(text, type=_Request).messages
    except msgspec.ValidationError:
        return  # messages in another form, which is reported later
    for message, given_message in zip(messages, found["messages"]):
        for block, given in zip(message.content, given_message["content"]):
            if block.toolUse is not None and bytes(block.toolUse.input).startswith(b"{"):
                given["toolUse"]["input"] = block.toolUse.input
            if block.toolResult is not None:
                for place, item in enumerate(block.toolResult.content or ()):
                    if item.json is not _NO_JSON:
                        given["toolResult"]["content"][place]["json"] = item.json
