"""A Gemini reply with any value replaced is read or refused, and what is read goes back."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import specado
from specado._core import GeminiStream, ReportedFailure, decode_gemini_reply
from specado.errors import MalformedResponseError

REPLY: dict[str, Any] = {
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [
                    {"text": "hm", "thought": True, "thoughtSignature": "czE="},
                    {"text": "Héllo", "thoughtSignature": "czI="},
                    {"functionCall": {"name": "f", "args": {"q": [1]}, "id": "i"}},
                    {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
                    {"executableCode": {"language": "PYTHON", "code": "1"}},
                ],
            },
            "finishReason": "STOP",
            "finishMessage": "m",
            "index": 0,
            "safetyRatings": [{"category": "c", "probability": "LOW"}],
            "citationMetadata": {"citations": [{"startIndex": 1, "endIndex": 3, "uri": "u"}]},
            "groundingMetadata": {
                "groundingChunks": [{"web": {"uri": "u", "title": "t"}}],
                "groundingSupports": [
                    {
                        "segment": {"startIndex": 1, "endIndex": 3, "partIndex": 1, "text": "é"},
                        "groundingChunkIndices": [0],
                    }
                ],
                "webSearchQueries": ["q"],
            },
            "logprobsResult": {"chosenCandidates": [{"token": "a", "logProbability": -1.0}]},
        }
    ],
    "promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "m"},
    "usageMetadata": {
        "promptTokenCount": 3,
        "candidatesTokenCount": 2,
        "thoughtsTokenCount": 1,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}],
        "serviceTier": "standard",
    },
    "createTime": "2026-11-30T10:00:00Z",
    "modelVersion": "gemini-x",
    "responseId": "r1",
}
NUMBERS = [-1, 0, 1.5, 10**30]
TEXTS = ["", "STOP", "SAFETY", "x", "\ud800"]
VALUES = st.sampled_from([None, True, *NUMBERS, *TEXTS, [], {}, [None], [[]], {"a": 1}])


@st.composite
def changed_replies(draw: Any) -> dict[str, Any]:
    """Return the reply with up to three of its values, at any depth, replaced or left out."""
    found = copy.deepcopy(REPLY)
    for _ in range(draw(st.integers(1, 3))):
        here: Any = found
        while True:
            places = list(here) if isinstance(here, dict) else list(range(len(here)))
            if not places:
                break
            place = draw(st.sampled_from(places))
            inner = here[place]
            if isinstance(inner, (dict, list)) and inner and draw(st.integers(0, 3)):
                here = inner
                continue
            if isinstance(here, dict) and draw(st.booleans()):
                del here[place]
            else:
                here[place] = copy.deepcopy(draw(VALUES))
            break
    return found


def check_answer(reply: specado.ChatCompletionResponse) -> None:
    """Check that the answers of a reply can be sent back, and told."""
    repr(reply)
    json.loads(reply.to_json())
    for choice in reply.choices:
        results = [
            {"role": "tool", "tool_call_id": call.id, "content": "done"}
            for call in choice.message.tool_calls or ()
        ]
        for message in (choice.message, choice.message.to_dict(native=True)):
            request = {"model": "gemini-3.5-flash", "messages": ["a", message, *results]}
            request["messages"][0] = {"role": "user", "content": "Hi"}
            sent = specado.translate(request, "gemini/gemini-3.5-flash")
            assert json.loads(sent.body)["contents"]


@given(changed_replies())
def test_a_changed_reply_is_read_or_refused(body: dict[str, Any]) -> None:
    try:
        reply, notes = decode_gemini_reply(json.dumps(body).encode(), "gemini", "m", 1)
    except (MalformedResponseError, ReportedFailure):
        return

    assert all(isinstance(note, str) for note in notes)
    check_answer(reply)


@given(st.lists(changed_replies(), min_size=1, max_size=3))
def test_a_changed_stream_is_read_or_refused(events: list[dict[str, Any]]) -> None:
    stream = GeminiStream("gemini", "m", 1, max_frame_bytes=10**6, max_reply_bytes=10**6)
    body = "".join(f"data: {json.dumps(event)}\r\n\r\n" for event in events).encode()
    try:
        chunks = stream.feed(body) + stream.feed(b"") + stream.finish()
    except MalformedResponseError:
        return

    repr(chunks)
    reply, notes = stream.response()
    assert all(isinstance(note, str) for note in notes)
    if stream.is_over:
        check_answer(reply)
