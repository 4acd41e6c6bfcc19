"""Encodes and decodes OpenAI chat completions requests; this dialect is the canonical form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

import msgspec

from specado._core import Conversation, encode_openai_request, normalize, read_messages
from specado.dialects.contract import DecodedRequest, Encoded, Target
from specado.dialects.request_text import checked_model, decode_json, read_request
from specado.errors import MessageFormatError
from specado.settings.parameters import PARAMETERS

if TYPE_CHECKING:
    from specado.catalog.lookup import Model, RequestRules

__all__ = ["decode_request", "encode_request"]

NAME = "openai_chat"
MEMBERS = frozenset({"model", "messages", *PARAMETERS})


def encode_request(
    conversation: Conversation,
    model: str,
    parameters: dict[str, Any],
    facts: Optional[Model],
    rules: RequestRules,
    source: Optional[DecodedRequest] = None,  # noqa: ARG001 - the canonical form lacks nothing
    target: Optional[Target] = None,
) -> Encoded:
    """Return the encoded request body; see `specado.dialects.contract.EncodeRequest`."""
    return Encoded(*encode_openai_request(conversation, model, parameters, facts, rules, target))


def decode_request(request: Any) -> DecodedRequest:
    """Return a chat completions request (a dict or JSON text) in the canonical form.

    The messages of a dict may be a `Conversation`.

    Raises:
        MessageFormatError: the request is not well formed.
        ConfigurationError: the request names no model.
    """
    given = read_request(request, MEMBERS, _decode)
    parameters: dict[str, Any] = {}
    for name, value in given.items():
        if not isinstance(name, str):
            raise MessageFormatError(f"request: the key {name!r} is not text", field="request")
        if name in ("model", "messages") or value is None:
            continue
        check = PARAMETERS.get(name)
        parameters[name] = value if check is None else check(name, value)
    if "messages" not in given:
        raise MessageFormatError("request: messages is missing", field="messages")
    messages = given["messages"]
    conversation = messages if isinstance(messages, Conversation) else normalize(messages)
    model = checked_model(given.get("model"))
    return DecodedRequest(NAME, given, model, conversation, parameters, [])


def _decode(text: Any) -> Any:
    """Return decoded JSON text; its messages are a `Conversation` where they can be read as one."""
    try:
        given = text.encode() if isinstance(text, str) else text
        read = read_messages(given)
        if read is not None:
            conversation, start, end = read
            found = decode_json(given[:start] + b"[]" + given[end:])
            found["messages"] = conversation
            return found
    except (msgspec.DecodeError, ValueError, RecursionError):
        pass  # decoding the whole text reports the error
    return decode_json(text)
