"""Reasoning in the form of Responses items, and other dialects' reasoning carried in such items.

A client returns a reasoning item unchanged, so its encrypted content can hold a block that only
another provider understands: the block's JSON in base64, after a prefix that no provider uses.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

import msgspec

from specado.types import ReasoningBlock

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FORMAT", "carried_block", "carry", "is_own", "read_block", "shown_text"]

# The format of the reasoning blocks of a Responses API, by OpenRouter's name.
FORMAT = "openai-responses-v1"
# The text between the parts of a summary.
PARAGRAPH = "\n\n"
_PREFIX = "specado.reasoning.1:"
# A carried block comes from a client and is not trusted.
MAX_CARRIED_CHARACTERS = 8 * 2**20
_KINDS = ("reasoning.encrypted", "reasoning.summary", "reasoning.text")

_decode_block = msgspec.json.Decoder(ReasoningBlock).decode


def is_own(block: ReasoningBlock) -> bool:
    """Return whether a Responses item holds every member of the block except its model."""
    return (
        block.format == FORMAT
        and block.type in _KINDS
        and block.type == _kind(block.data, block.type != "reasoning.text")
        and (block.signature, block.index, block.summary) == (None, None, None)
    )


def _kind(data: str | None, has_summary: bool) -> str:
    if data:
        return "reasoning.encrypted"
    return "reasoning.summary" if has_summary else "reasoning.text"


def shown_text(block: ReasoningBlock) -> str:
    """Return the text that a block shows, `""` without one."""
    return block.text or block.summary or ""


def carry(block: ReasoningBlock) -> str:
    """Return the encrypted content in which a client returns *block*."""
    return _PREFIX + base64.b64encode(msgspec.json.encode(block)).decode()


def read_block(
    id_: str | None,
    data: str | None,
    summary: Sequence[str],
    content: Sequence[str],
    model: str,
) -> ReasoningBlock:
    """Return the block of a reasoning item, or the block that it carries.

    *data* is its encrypted content; *summary* and *content* are the texts of its parts.
    """
    carried = carried_block(data)
    if carried is not None:
        return carried
    kind = _kind(data, bool(summary) or not content)
    text = PARAGRAPH.join(summary) or PARAGRAPH.join(content)
    return ReasoningBlock(kind, text or None, None, data or None, model, id_, FORMAT)


def carried_block(data: Any) -> ReasoningBlock | None:
    """Return the block that an item's encrypted content carries, `None` without one."""
    if not isinstance(data, str) or not data.startswith(_PREFIX):
        return None
    if len(data) > MAX_CARRIED_CHARACTERS:
        return None
    try:
        return _decode_block(base64.b64decode(data[len(_PREFIX) :], validate=True))
    except (msgspec.MsgspecError, binascii.Error, ValueError, RecursionError):
        return None
