"""Answers kept as their provider wrote them: stored records, and the edits that callers made.

`Message.native` holds such a record. The encoder of its dialect sends the blocks back as they
came. A block whose canonical fields the caller changed or removed never goes back as it was.
"""

from __future__ import annotations

import importlib
from typing import Any, Callable, Optional

import msgspec

from specado._core.exports import FOLDERS
from specado._core.json_writer import NotJson, dumps
from specado.types import NATIVE_VERSION, NativeBlock, NativeContent, ReasoningBlock

__all__ = [
    "BOUND_RECORDS",
    "READERS",
    "has_own_order",
    "is_bound",
    "model_family",
    "read_entry",
    "reasoning_blocks",
    "split_text",
]

# Bounds of a stored record, which may come from anyone.
MAX_STORED_BLOCKS = 1000
MAX_STORED_BYTES = 8 * 2**20
MAX_NAME_CHARACTERS = 500

# Reads the JSON of a dialect's stored blocks: takes the blocks and the model, and returns the
# record's blocks and the canonical reasoning. Raises `ValueError`, or `msgspec.MsgspecError` (which
# is one in newer releases only), for blocks that are not those of an answer. Each dialect's folder
# enters its own.
READERS: dict[str, Callable[[list[bytes], str], tuple[tuple[NativeBlock, ...], Optional[str]]]] = {}

# Dialects whose signatures or item ids bind texts and calls to the reasoning before them: if the
# reasoning cannot be sent, the whole record is left out. Each dialect's folder adds its name.
BOUND_RECORDS: set[str] = set()

# The order that the canonical fields have.
_ORDER = {"reasoning": 0, "text": 1, "call": 2}


def model_family(model: str) -> str:
    """Return a model id without its date: a thinking signature is valid for this family."""
    head, _, tail = model.rpartition("-")
    return head if head and len(tail) == 8 and tail.isdigit() else model


def _import_folder(dialect: str) -> None:
    """Import a dialect's folder, which enters its reader: a record may come before any reply."""
    if dialect not in READERS and dialect in FOLDERS:
        importlib.import_module(f"specado._core.{dialect}.decode_reply")


def is_bound(dialect: str) -> bool:
    """Return whether a dialect's records go back whole or not at all; see `BOUND_RECORDS`."""
    _import_folder(dialect)
    return dialect in BOUND_RECORDS


def read_entry(entry: dict[str, Any]) -> NativeContent | None:
    """Return the record in a stored entry of `reasoning_details`, `None` if it is not usable."""
    version, blocks = entry.get("version"), entry.get("blocks")
    names = [entry.get(name) for name in ("dialect", "provider", "tag", "model")]
    if type(version) is not int or version != NATIVE_VERSION:
        return None
    if not all(isinstance(name, str) and len(name) <= MAX_NAME_CHARACTERS for name in names):
        return None
    if not isinstance(blocks, (list, tuple)) or not 0 < len(blocks) <= MAX_STORED_BLOCKS:
        return None
    dialect, provider, tag, model = [str(name) for name in names]
    _import_folder(dialect)
    reader = READERS.get(dialect)
    if reader is None or not all(isinstance(block, dict) for block in blocks):
        return None
    try:
        raws = [dumps(block) for block in blocks]
        if sum(map(len, raws)) > MAX_STORED_BYTES:
            return None
        read, reasoning = reader(raws, model)
    except (NotJson, ValueError, RecursionError, msgspec.MsgspecError):
        return None
    return NativeContent(dialect, provider, tag, model, model_family(model), read, reasoning)


def reasoning_blocks(native: NativeContent) -> list[ReasoningBlock] | None:
    """Return the canonical reasoning blocks of a record, `None` without any."""
    values = [block.values for block in native.blocks if block.kind == "reasoning"]
    return [ReasoningBlock(*each) for each in values] or None


def has_own_order(native: NativeContent) -> bool:
    """Return whether the order of the blocks is another than that of the canonical fields."""
    places = [_ORDER[block.kind] for block in native.blocks if block.kind in _ORDER]
    return places != sorted(places) or places.count(_ORDER["text"]) > 1


def split_text(texts: list[str], content: str) -> list[str]:
    """Return the parts of an edited *content* for blocks that had *texts*; "" where removed.

    Blocks that did not change keep their text; the first of the others has the rest.
    """
    parts = [""] * len(texts)
    first, last = 0, len(texts)
    while first < last and content.startswith(texts[first]):
        parts[first] = texts[first]
        content = content[len(texts[first]) :]
        first += 1
    while last > first and texts[last - 1] and content.endswith(texts[last - 1]):
        last -= 1
        parts[last] = texts[last]
        content = content[: -len(texts[last])]
    if first < last:
        parts[first] = content
    elif first < len(parts):
        parts[first] = content + parts[first]  # added before a block that did not change
    else:
        parts[-1] += content
    return parts
