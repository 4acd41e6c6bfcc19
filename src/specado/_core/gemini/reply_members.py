"""Writes recorded parts, citations and log probabilities in Gemini's form (google-genai 3.6.1).

An unchanged reply that Gemini wrote is sent part by part as it came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import astuple

from specado._core.gemini.native import DIALECT, SIGNATURE

if TYPE_CHECKING:
    from specado.types import Message

__all__ = ["grounding_of", "logprobs_of", "own_parts"]


def own_parts(message: Message) -> list[bytes] | None:
    """Return the JSON of the parts that Gemini wrote, `None` without any, or if they changed."""
    native = message.native
    if native is None or native.dialect != DIALECT or message.refusal:
        return None
    found: dict[str, list[Any]] = {"text": [], "call": [], "reasoning": [], "other": []}
    parts = []
    signature = b""
    for block in native.blocks:
        # Beyond the canonical values a call's has its own id.
        found[block.kind].append(block.values[:3] if block.kind == "call" else block.values)
        if block.kind == "reasoning" and block.values[0] == SIGNATURE:
            # The signature of the part after it.
            signature = b"," + block.raw[1:-1]
            continue
        raw = _with_id(block.raw, block.values[0]) if block.kind == "call" else block.raw
        parts.append(raw[:-1] + signature + b"}")
        signature = b""
    calls = [
        (call.id, call.function.name, call.function.arguments) if call.function else ()
        for call in message.tool_calls or ()
    ]
    is_same = (
        "".join(text for text, _ in found["text"]) == message.text
        and found["call"] == calls
        and found["reasoning"] == [astuple(block) for block in message.reasoning_details or ()]
        and message.reasoning == native.reasoning
    )
    return parts if is_same else None


def _with_id(raw: bytes, call_id: str) -> bytes:
    """Return the JSON of a call that has its id: older models give none."""
    part = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    call = msgspec.json.decode(part["functionCall"], type=dict[str, msgspec.Raw])
    if "id" in call:
        return raw
    given = {"id": msgspec.Raw(msgspec.json.encode(call_id)), **call}
    return msgspec.json.encode({**part, "functionCall": given})


def grounding_of(annotations: list[Any], text: str) -> tuple[dict[str, Any] | None, list[int]]:
    """Return `groundingMetadata` for the citations of *text*, and the places of other annotations.

    A citation's offsets count characters; Gemini's count the bytes of the text in UTF-8.
    """
    chunks: list[dict[str, Any]] = []
    supports: list[dict[str, Any]] = []
    others = []
    for place, annotation in enumerate(annotations):
        cited = _citation_of(annotation)
        if cited is None:
            others.append(place)
            continue
        chunk = {"web": {"uri": cited["url"], "title": cited.get("title") or ""}}
        if chunk not in chunks:
            chunks.append(chunk)
        start, end = cited.get("start_index"), cited.get("end_index")
        if not (isinstance(start, int) and isinstance(end, int) and 0 <= start <= end):
            continue
        segment = {
            "startIndex": len(text[:start].encode("utf-8", "replace")),
            "endIndex": len(text[:end].encode("utf-8", "replace")),
            "text": text[start:end],
        }
        if not supports or supports[-1]["segment"] != segment:
            supports.append({"segment": segment, "groundingChunkIndices": []})
        supports[-1]["groundingChunkIndices"].append(chunks.index(chunk))
    if not chunks:
        return None, others
    found: dict[str, Any] = {"groundingChunks": chunks}
    if supports:
        found["groundingSupports"] = supports
    return found, others


def _citation_of(annotation: Any) -> dict[str, Any] | None:
    """Return the citation of an address in an annotation of OpenAI's form, `None` for another."""
    if not isinstance(annotation, dict) or annotation.get("type") != "url_citation":
        return None
    cited = annotation.get("url_citation")
    if not isinstance(cited, dict) or not isinstance(cited.get("url"), str):
        return None
    return cited


def logprobs_of(tokens: list[Any]) -> dict[str, Any]:
    """Return `logprobsResult` for tokens in OpenAI's form."""
    found: dict[str, Any] = {"chosenCandidates": [_candidate_of(token) for token in tokens]}
    if any(token.get("top_logprobs") for token in tokens):
        found["topCandidates"] = [
            {"candidates": [_candidate_of(other) for other in token.get("top_logprobs") or ()]}
            for token in tokens
        ]
    return found


def _candidate_of(token: dict[str, Any]) -> dict[str, Any]:
    return {"token": token.get("token"), "logProbability": token.get("logprob")}
