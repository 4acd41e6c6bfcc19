"""Registry of the dialects, and the encoding of a request body in one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from specado._core import Conversation, NotJson, dumps
from specado._core.loss_rows import ROW_IDS
from specado.catalog.lookup import NO_RULES, RequestRules
from specado.dialects import anthropic_messages, gemini, openai_chat, openai_responses
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
    for each in (
        openai_chat.DIALECT,
        anthropic_messages.DIALECT,
        openai_responses.DIALECT,
        gemini.DIALECT,
    )
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

    An object for one of the dialect's `nested_members` is merged into the member that the request
    has. *rules* are those of the servers that get the request.

    Raises:
        MessageFormatError: the request holds a value that JSON cannot represent.
    """
    if facts is not None and facts.by_dialect:
        facts = facts.in_dialect(dialect)
    is_stored = extra_body.get("store") if extra_body else None
    if is_stored is not None and "store" in DIALECTS[dialect].parameters:
        # Other members of the request may depend on `store`.
        parameters = {**parameters, "store": is_stored}
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
    given = _members(added)
    for name in DIALECTS[dialect].nested_members.intersection(members, given):
        given[name] = _merged(members[name], given[name])
    members.update(given)
    return replace(encoded, body=msgspec.json.encode(members))


def _merged(first: msgspec.Raw, second: msgspec.Raw) -> msgspec.Raw:
    """Return two JSON objects merged; *second* takes precedence."""
    try:
        members, added = _members(first), _members(second)
    except msgspec.ValidationError:
        return second  # one is not an object: *second* replaces *first*
    for name, value in added.items():
        members[name] = _merged(members[name], value) if name in members else value
    return msgspec.Raw(msgspec.json.encode(members))


def _members(text: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
