"""Reads the log probabilities of a candidate in OpenAI's form (google-genai 3.6.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from specado._core.replies import Notes

__all__ = ["read_logprobs"]


class _Token(msgspec.Struct, rename="camel"):
    token: str = ""
    log_probability: float = 0.0


class _Tokens(msgspec.Struct):
    candidates: list[_Token] = []


class _Result(msgspec.Struct, rename="camel"):
    """The chosen token of each step, and the most probable tokens of each step."""

    chosen_candidates: list[_Token] = []
    top_candidates: list[_Tokens] = []


_decode = msgspec.json.Decoder(_Result).decode


def read_logprobs(raw: bytes, path: str, notes: Notes) -> dict[str, Any] | None:
    """Return a `logprobsResult` as the `logprobs` of a choice, `None` (noted) if unreadable."""
    try:
        found = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        notes.append(f"{path}: not as documented, left in response.raw")
        return None
    content = []
    for place, chosen in enumerate(found.chosen_candidates):
        top = found.top_candidates[place].candidates if place < len(found.top_candidates) else []
        content.append({**_entry(chosen), "top_logprobs": [_entry(each) for each in top]})
    return {"content": content, "refusal": None}


def _entry(given: _Token) -> dict[str, Any]:
    return {
        "token": given.token,
        "logprob": given.log_probability,
        "bytes": list(given.token.encode()),
    }
