"""Reads the token counts of servers that count otherwise than OpenAI documents, each with a note.

A `usage` as documented never comes here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from specado._core.repair import read_whole_numbers, unread_members
from specado._core.replies import UNREADABLE, parse
from specado.types import CompletionTokensDetails, PromptTokensDetails, Usage

if TYPE_CHECKING:
    from specado._core.replies import Notes

__all__ = ["read_usage", "read_usage_text"]

_decode = msgspec.json.Decoder(Usage).decode

_DETAILS: tuple[tuple[str, Any], ...] = (
    ("prompt_tokens_details", PromptTokensDetails),
    ("completion_tokens_details", CompletionTokensDetails),
)
# Other servers' names of a count in the details, at the top of `usage`: DeepSeek, Moonshot and
# Together, Mistral, and proxies to Anthropic; Perplexity and SGLang (their pages, 2026-11-30).
_CACHED = (
    "prompt_cache_hit_tokens",
    "cached_tokens",
    "num_cached_tokens",
    "cache_read_input_tokens",
)
_OTHER_NAMES = (
    *(("prompt_tokens_details", "cached_tokens", name) for name in _CACHED),
    ("prompt_tokens_details", "cache_write_tokens", "cache_creation_input_tokens"),
    ("completion_tokens_details", "reasoning_tokens", "reasoning_tokens"),
)
_NOT_CACHED = "prompt_cache_miss_tokens"
_READ = frozenset((*Usage.__struct_fields__, _NOT_CACHED, *(name for _, _, name in _OTHER_NAMES)))


def read_usage_text(text: bytes, notes: Notes) -> Usage | None:
    """Return the `Usage` in JSON text, `None` without one; see `read_usage`."""
    if not text:
        return None
    try:
        return _decode(text)
    except UNREADABLE:
        return read_usage(parse(text, notes), notes)


def read_usage(given: Any, notes: Notes) -> Usage | None:
    """Return a `Usage`, with a note on each count that is missing, odd or under another name."""
    noted = len(notes)
    found = read_whole_numbers(given, ("prompt_tokens", "completion_tokens"), "usage", notes)
    if len(notes) > noted:
        notes.bill("unknown")
    if not isinstance(given, dict):
        return None
    total = read_whole_numbers(given, ("total_tokens",), "usage", notes)  # prices nothing
    if found is None and total is None:
        return None
    tokens: dict[str, Any] = {**(found or {}), **(total or {})}
    for name in ("prompt_tokens", "completion_tokens"):
        if name not in tokens:
            tokens[name] = 0
            notes.append(f"usage.{name}: missing, read as 0")
            notes.bill("unknown")
    if "total_tokens" not in tokens:
        tokens["total_tokens"] = tokens["prompt_tokens"] + tokens["completion_tokens"]
        notes.append("usage.total_tokens: missing, added up")
    details = _details(given, notes)
    for name, kind in _DETAILS:
        tokens[name] = kind(**details[name]) if details[name] else None
    notes.other_usage = unread_members(given, _READ, "usage", notes)
    return Usage(**tokens)


def _details(given: dict[str, Any], notes: Notes) -> dict[str, dict[str, int]]:
    """Return the counts of the details, by whatever name the server gives them."""
    found = {}
    noted = len(notes)
    for name, kind in _DETAILS:
        read = kind.__struct_fields__
        found[name] = read_whole_numbers(given.get(name), read, f"usage.{name}", notes) or {}
    others = read_whole_numbers(given, tuple(name for *_, name in _OTHER_NAMES), "usage", notes)
    if len(notes) > noted:
        notes.bill("unknown")
    for group, member, name in _OTHER_NAMES:
        count, known = (others or {}).get(name, 0), found[group].get(member, 0)
        if count and known and count != known:
            notes.append(f"usage.{name}: {count}, where {group}.{member} is {known}")
            notes.bill("at_least")
        elif count and not known:
            notes.append(f"usage.{name}: read as {group}.{member}")
        if count > known:
            found[group][member] = count
    cached = found["prompt_tokens_details"].get("cached_tokens", 0)
    missed, prompt = given.get(_NOT_CACHED), given.get("prompt_tokens")
    if missed is not None and isinstance(prompt, int) and missed != prompt - cached:
        notes.append(f"usage.{_NOT_CACHED}: {missed}, which does not add up")
        notes.bill("at_least")
    for name, kind in _DETAILS:
        more = given.get(name)
        if isinstance(more, dict):
            unread_members(more, kind.__struct_fields__, f"usage.{name}", notes)
    return found
