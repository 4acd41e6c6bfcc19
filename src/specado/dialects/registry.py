"""Registry of the dialects, and the encoding of a request body in one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from specado._core import Conversation, NotJson, dumps
from specado._core.loss_rows import ROW_IDS
from specado.catalog.lookup import NO_RULES, RequestRules
from specado.dialects import anthropic_messages, openai_chat, openai_responses
from specado.errors import MessageFormatError
from specado.losses.rows import check_row_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from specado.catalog.lookup import Model
    from specado.dialects.contract import Dialect, Encoded, Target

__all__ = ["DIALECTS", "encode"]

# The only list of dialects. The first is the dialect of a manifest that names none.
DIALECTS: dict[str, Dialect] = {
    each.name: each
    for each in (openai_chat.DIALECT, anthropic_messages.DIALECT, openai_responses.DIALECT)
}

check_row_ids(ROW_IDS, "specado._core.loss_rows")


def encode(
    dialect: str,
    conversation: Conversation,
    model: str,
    parameters: dict[str, Any],
    facts: Model | None,
    extra_body: Mapping[str, Any] | None = None,
    rules: RequestRules = NO_RULES,
    target: Target | None = None,
) -> Encoded:
    """Return the encoded request body for *target*; *extra_body* replaces or adds members.

    *rules* are those of the servers that get the request.

    Raises:
        MessageFormatError: the request holds a value that JSON cannot represent.
    """
    encoded = DIALECTS[dialect].encode_request(
        conversation, model, parameters, facts, rules, None, target
    )
    if not extra_body:
        return encoded
    try:
        added = dumps(dict(extra_body))
    except NotJson as error:
        raise MessageFormatError(f"extra_body: {error}", field="extra_body") from None
    members = _members(encoded.body)
    members.update(_members(added))
    return replace(encoded, body=msgspec.json.encode(members))


def _members(text: bytes) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
