"""Registry of the dialects, and the encoding of a request body in one of them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from specado._core import Conversation, NotJson, dumps
from specado._core.loss_rows import ROW_IDS
from specado.catalog.lookup import NO_RULES, RequestRules
from specado.errors import MessageFormatError
from specado.losses.rows import check_row_ids

if TYPE_CHECKING:
    from specado.catalog.lookup import Model
    from specado.dialects.contract import Dialect, Encoded, ErrorTable, Target

__all__ = ["DIALECTS", "encode", "errors_of"]

# The only list of dialects: the folders in `specado.dialects`. The first is the dialect of a
# manifest that names none.
_NAMES = ("openai_chat", "anthropic_messages", "openai_responses", "gemini", "bedrock_converse")


class _Dialects(Mapping[str, "Dialect"]):
    """The dialects by name; each is imported when it is first used, and then in `loaded`."""

    def __init__(self) -> None:
        self.loaded: dict[str, Dialect] = {}

    def __getitem__(self, name: str) -> Dialect:
        found = self.loaded.get(name)
        if found is None:
            if name not in _NAMES:
                raise KeyError(name)
            module = importlib.import_module(f"specado.dialects.{name}.dialect")
            found = self.loaded.setdefault(name, module.DIALECT)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)

    def __contains__(self, name: object) -> bool:
        return name in _NAMES


DIALECTS = _Dialects()

check_row_ids(ROW_IDS, "specado._core.loss_rows")


def errors_of(name: str) -> ErrorTable:
    """Return the error table of a dialect, whose other modules are not imported for it."""
    table: ErrorTable = importlib.import_module(f"specado.dialects.{name}.errors").ERRORS
    return table


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
