"""Recorded replies of Gemini, and how the official `google-genai` package reads them."""

from __future__ import annotations

import base64
import functools
import gzip
import json
from typing import Any, NamedTuple, Optional

import httpx
import pytest

from reference_files import REPOSITORY

__all__ = ["RECORDINGS", "Answer", "Reading", "Recording", "official_reading"]

_FILE = REPOSITORY / "tests" / "data" / "recorded_gemini_replies.jsonl.gz"


class Recording(NamedTuple):
    """One recorded reply; `body` is its indented JSON, or the bytes of its events."""

    id: str
    provider: str
    model: str
    status: int
    is_stream: bool
    body: bytes


class Answer(NamedTuple):
    """What the official package finds in a candidate; signatures as their bytes."""

    text: str
    thoughts: str
    calls: list[tuple[Optional[str], str, dict[str, Any]]]
    signatures: list[bytes]
    finish: Optional[str]


class Reading(NamedTuple):
    """What the official package finds in a reply."""

    id: str
    model: str
    answers: dict[int, Answer]
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    reasoning_tokens: int


def _read() -> list[Recording]:
    found = []
    with gzip.open(_FILE, "rt", encoding="utf-8") as lines:
        for line in lines:
            given = json.loads(line)
            is_stream = "sse" in given
            # Google's servers indent whole replies.
            body = given["sse"] if is_stream else json.dumps(given["json"], indent=2)
            found.append(
                Recording(
                    given["id"],
                    given["provider"],
                    given["model"],
                    given["status"],
                    is_stream,
                    body.encode(),
                )
            )
    return found


RECORDINGS = _read()


@functools.cache
def official_reading(recording: Recording) -> Reading:
    """Return what the official client reads from a recording; skips where it is missing."""
    genai = pytest.importorskip("google.genai", reason="google-genai needs Python 3.10")
    kind = "text/event-stream" if recording.is_stream else "application/json"

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            recording.status, headers={"content-type": kind}, content=recording.body
        )

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        models = genai.Client(
            api_key="k", http_options={"httpx_client": client, "base_url": "https://gemini.example"}
        ).models
        if recording.is_stream:
            chunks = list(models.generate_content_stream(model="m", contents="Hi"))
        else:
            chunks = [models.generate_content(model="m", contents="Hi")]
    return _reading(chunks)


def _reading(chunks: list[Any]) -> Reading:
    answers: dict[int, Answer] = {}
    counts: dict[str, int] = {}
    for chunk in chunks:
        for place, candidate in enumerate(chunk.candidates or ()):
            index = place if candidate.index is None else candidate.index
            answers[index] = _added(answers.get(index), candidate)
        given = dict(chunk.usage_metadata or ())
        counts.update({name: value for name, value in given.items() if isinstance(value, int)})
    thoughts = counts.get("thoughts_token_count", 0)
    return Reading(
        next((chunk.response_id for chunk in reversed(chunks) if chunk.response_id), ""),
        next((chunk.model_version for chunk in reversed(chunks) if chunk.model_version), ""),
        answers,
        counts.get("prompt_token_count", 0) + counts.get("tool_use_prompt_token_count", 0),
        counts.get("candidates_token_count", 0) + thoughts,
        counts.get("cached_content_token_count", 0),
        thoughts,
    )


def _added(found: Optional[Answer], candidate: Any) -> Answer:
    text, thoughts, calls, signatures, finish = found or ("", "", [], [], None)
    parts = candidate.content.parts if candidate.content is not None else None
    for part in parts or ():
        if part.text is not None:
            text += "" if part.thought else part.text
            thoughts += part.text if part.thought else ""
        if part.function_call is not None:
            call = part.function_call
            calls = [*calls, (call.id, call.name, call.args or {})]
        if part.thought_signature is not None:
            signatures = [*signatures, part.thought_signature]
    if candidate.finish_reason is not None:
        finish = candidate.finish_reason.value
    return Answer(text, thoughts, calls, signatures, finish)


def signature_bytes(text: str) -> bytes:
    """Return the bytes of a signature's base64 text."""
    return base64.b64decode(text)
