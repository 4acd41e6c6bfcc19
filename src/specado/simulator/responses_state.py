"""State of the simulated Responses API: stored responses, encrypted reasoning content."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import threading
from typing import Any, Literal, Optional

import msgspec

__all__ = [
    "STORED",
    "ResponseStore",
    "StoredResponse",
    "family_of",
    "follows_reasoning",
    "item_id",
    "seal_problem",
    "seal_reasoning",
]

MAX_KEPT = 1000
# Fernet's version byte and the high bytes of a time stamp: OpenAI's tokens begin "gAAAAA".
_PREFIX = b"\x80\x00\x00\x00\x00"
_SECRET = b"specado simulator"
_FAMILY = re.compile(r"(?:gpt|o)-?\d+")
_ITEM_ID = re.compile(r"(?:rs|msg|fc|ctc)_sim_([0-9a-f]{24})(\d\d)(r?)")

Problem = Literal["unreadable", "item", "organization", "model"]


class StoredResponse(msgspec.Struct, frozen=True):
    """A response as it was answered, and the whole history that ends with its output."""

    reply: dict[str, Any]
    history: tuple[dict[str, Any], ...]


class ResponseStore:
    """The newest `MAX_KEPT` responses of this process, and conversations by their ids.

    Thread-safe. A response's id is made from its request: the same request is kept once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._responses: dict[str, StoredResponse] = {}
        self._conversations: dict[str, tuple[dict[str, Any], ...]] = {}
        self._made = 0

    def keep(self, response_id: str, response: StoredResponse) -> None:
        """Keep a response; the oldest one is dropped when there are too many."""
        with self._lock:
            self._responses.pop(response_id, None)
            self._responses[response_id] = response
            if len(self._responses) > MAX_KEPT:
                del self._responses[next(iter(self._responses))]

    def find(self, response_id: str) -> StoredResponse | None:
        """Return a response, `None` where it was not stored."""
        return self._responses.get(response_id)

    def drop(self, response_id: str) -> bool:
        """Delete a response; return whether there was one."""
        with self._lock:
            return self._responses.pop(response_id, None) is not None

    def item(self, wanted: str) -> dict[str, Any] | None:
        """Return an output item of a stored response by its id."""
        with self._lock:
            kept = list(self._responses.values())
        for response in reversed(kept):
            for item in response.reply["output"]:
                if item.get("id") == wanted:
                    found: dict[str, Any] = item
                    return found
        return None

    def begin_conversation(self, items: tuple[dict[str, Any], ...]) -> str:
        """Return the id of a new conversation that holds *items*."""
        with self._lock:
            self._made += 1
            made = f"conv_sim_{self._made:048}"
            self._conversations[made] = items
            if len(self._conversations) > MAX_KEPT:
                del self._conversations[next(iter(self._conversations))]
            return made

    def conversation(self, wanted: str) -> tuple[dict[str, Any], ...] | None:
        """Return the items of a conversation, `None` if there is none."""
        return self._conversations.get(wanted)

    def extend_conversation(self, wanted: str, items: tuple[dict[str, Any], ...]) -> None:
        """Replace the items of a conversation that exists."""
        with self._lock:
            if wanted in self._conversations:
                self._conversations[wanted] = items


STORED = ResponseStore()


def family_of(model: str) -> str:
    """Return the family of models that can read each other's encrypted reasoning."""
    found = _FAMILY.match(model)
    return found[0] if found else model


def item_id(prefix: str, mark: str, place: int, *, follows_reasoning: bool = False) -> str:
    """Return the id of the output item at *place*; the id records whether reasoning precedes it."""
    return f"{prefix}_sim_{mark}{place:02}{'r' if follows_reasoning else ''}"


def follows_reasoning(made: str) -> Optional[str]:
    """Return the id of the reasoning item that must precede the item *made*, if one must."""
    found = _ITEM_ID.fullmatch(made)
    if found is None or not found[3]:
        return None
    return item_id("rs", found[1], int(found[2]) - 1)


def _mark(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def seal_reasoning(made_id: str, account: str, model: str) -> str:
    """Return the encrypted content of a reasoning item, bound to item, account and family."""
    bound = _mark(made_id) + _mark(account) + _mark(family_of(model))
    checked = hashlib.blake2b(bound, key=_SECRET, digest_size=32).digest()
    # As long as real encrypted reasoning.
    filling = hashlib.shake_256(checked).digest(128)
    return base64.urlsafe_b64encode(_PREFIX + bound + checked + filling).decode()


def seal_problem(content: str, made_id: str | None, account: str, model: str) -> Problem | None:
    """Return why an encrypted content cannot be used here, `None` if it can."""
    try:
        data = base64.b64decode(content, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return "unreadable"
    bound, checked = data[5:29], data[29:61]
    whole = len(data) == 189 and data.startswith(_PREFIX)
    made = hashlib.blake2b(bound, key=_SECRET, digest_size=32).digest()
    if not whole or checked != made or data[61:] != hashlib.shake_256(checked).digest(128):
        return "unreadable"
    if bound[8:16] != _mark(account):
        return "organization"
    if made_id is not None and bound[:8] != _mark(made_id):
        return "item"
    return None if bound[16:] == _mark(family_of(model)) else "model"
