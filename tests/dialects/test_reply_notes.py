"""Parts of Responses' and Gemini's replies that are left out or missing are noted."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from specado._core import GeminiStream


def notes_of(body: dict[str, Any], dialect: str) -> list[str]:
    metadata = specado.parse_response(body, dialect).extensions.metadata
    return metadata.get("reply_notes", [])


def gemini(**candidate: Any) -> dict[str, Any]:
    content = {"role": "model", "parts": [{"text": "Hello"}]}
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    found = {"content": content, "finishReason": "STOP", "index": 0, **candidate}
    return {
        "candidates": [{name: value for name, value in found.items() if value is not None}],
        "usageMetadata": usage,
        "modelVersion": "gemini-3.5-flash",
        "responseId": "r1",
    }


def test_a_whole_answer_without_a_finish_reason_is_noted() -> None:
    assert notes_of(gemini(), "gemini") == []
    assert notes_of(gemini(finishReason=None), "gemini") == ["candidates[0].finishReason: missing"]


@pytest.mark.parametrize(
    ("citations", "note"),
    [
        ("none", "not as documented"),
        ({"citations": [1]}, "not as documented"),
        ({"citations": [{"startIndex": 0, "endIndex": 2}]}, "without an address"),
    ],
)
def test_citations_that_cannot_be_shown_are_noted(citations: Any, note: str) -> None:
    body = gemini(citationMetadata=citations)
    stream = GeminiStream(
        "gemini", "gemini-3.5-flash", 0, max_frame_bytes=10_000, max_reply_bytes=10_000
    )
    stream.feed(b"data: " + json.dumps(body).encode() + b"\n\n")
    stream.finish()

    for notes in (notes_of(body, "gemini"), stream.response()[1]):
        (found,) = notes
        assert found.startswith("candidates[0].citationMetadata: ")
        assert note in found


def test_annotations_of_responses_that_are_no_objects_are_noted() -> None:
    part = {"type": "output_text", "text": "Hello", "annotations": [1], "logprobs": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    body = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "gpt-5.4",
        "output": [{**message, "content": [part]}],
        "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
    }

    (note,) = notes_of(body, "openai_responses")

    assert note == "output[0].content[0].annotations: what is no object is left out"
