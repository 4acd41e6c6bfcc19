"""Decodes error bodies that hold an `error` object, a form that several dialects share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

import msgspec

from specado._core import error_facts
from specado.dialects.contract import ErrorFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["decode_error_object"]


class _Identified(msgspec.Struct):
    request_id: str


def decode_error_object(_status: int, _headers: Mapping[str, str], body: bytes) -> ErrorFacts:
    """Return the facts in a body such as `{"error": {"type", "code", "message"}, "request_id"}`.

    Any body gives facts; those that it lacks are `None`.
    """
    type_, code, message = error_facts(body)
    return ErrorFacts(type_, code, message, request_id=_request_id_in(body))


def _request_id_in(body: bytes) -> Optional[str]:
    try:
        return msgspec.json.decode(body, type=_Identified).request_id
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
