"""Registry of the dialects, and the encoding of a request body in one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from specado._core import (
    AnthropicStream,
    Conversation,
    NotJson,
    OpenAIStream,
    decode_anthropic_reply,
    decode_openai_reply,
    dumps,
    encode_anthropic_request,
    encode_openai_request,
)
from specado.dialects.contract import Dialect, Encoded
from specado.errors import (
    MessageFormatError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from specado.catalog.lookup import Model


__all__ = ["DIALECTS", "encode"]


DIALECTS: dict[str, Dialect] = {
    "openai_chat": Dialect(encode_openai_request, decode_openai_reply, OpenAIStream),
    "anthropic_messages": Dialect(
        encode_anthropic_request, decode_anthropic_reply, AnthropicStream
    ),
}


def encode(
    dialect: str,
    conversation: Conversation,
    model: str,
    parameters: dict[str, Any],
    facts: Model | None,
    extra_body: Mapping[str, Any] | None = None,
) -> Encoded:
    """Return the encoded request body; *extra_body* replaces or adds top-level members.

    Raises:
        MessageFormatError: the request holds a value that JSON cannot represent.
    """
    body, losses, answer_tool = DIALECTS[dialect].encode(conversation, model, parameters, facts)
    if extra_body:
        try:
            added = dumps(dict(extra_body))
        except NotJson as error:
            raise MessageFormatError(f"extra_body: {error}", field="extra_body") from None
        members = _members(body)
        members.update(_members(added))
        body = msgspec.json.encode(members)
    return Encoded(body, losses, answer_tool)


def _members(text: bytes) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
