"""Thought signatures of the simulated Gemini: made for a part, and checked when they come back."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from specado.simulator.gemini_requests import decoded_bytes

if TYPE_CHECKING:
    from specado.simulator.gemini_requests import Backend

__all__ = ["STAND_INS", "is_genuine", "sign_part"]

# Placeholders that a history from another model may have instead of a signature (Google's
# "Thought signatures" page, read 2026-11-30).
STAND_INS = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")
_SECRET = b"specado simulator"
_PREFIX = b"\x0a"
_MARK_BYTES = 12


def _checked(mark: bytes, part: dict[str, Any], backend: Backend) -> bytes:
    """Return the data that binds a signature to the service and the called function."""
    call = part.get("functionCall")
    bound = f"call {call.get('name')}" if call is not None else "text"
    text = f"{backend} {bound}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(mark + text, key=_SECRET, digest_size=32).digest()


def sign_part(part: dict[str, Any], mark: str, backend: Backend) -> str:
    """Return the signature of a part of the answer *mark*."""
    begin = bytes.fromhex(mark)[:_MARK_BYTES]
    return base64.b64encode(_PREFIX + begin + _checked(begin, part, backend)).decode()


def is_genuine(signature: str, part: dict[str, Any], backend: Backend) -> bool:
    """Return whether a signature is one that `sign_part` made for such a part."""
    data = decoded_bytes(signature) or b""
    mark = data[1 : 1 + _MARK_BYTES]
    return data == _PREFIX + mark + _checked(mark, part, backend)
