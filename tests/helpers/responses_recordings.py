"""Recorded replies of Responses APIs, and how the official `openai` package reads them."""

from __future__ import annotations

import functools
import gzip
import json
from typing import Any, NamedTuple, Optional

import httpx
import openai

from reference_files import REPOSITORY

__all__ = ["RECORDINGS", "Reading", "Recording", "official_reading"]

_FILE = REPOSITORY / "tests" / "data" / "recorded_responses_replies.jsonl.gz"


class Recording(NamedTuple):
    """One recorded reply; `body` is its JSON, or the bytes of its events."""

    id: str
    model: str
    status: int
    is_stream: bool
    body: bytes


class Reading(NamedTuple):
    """What the official package finds in a reply."""

    id: str
    model: str
    status: Optional[str]
    text: str
    refusal: str
    calls: list[tuple[str, str, str]]
    thoughts: list[tuple[str, list[str], Optional[str]]]
    citations: list[tuple[str, int, int]]
    tokens: tuple[int, int, int, int, int]


def _read() -> list[Recording]:
    found = []
    with gzip.open(_FILE, "rt", encoding="utf-8") as lines:
        for line in lines:
            given = json.loads(line)
            is_stream = "sse" in given
            body = given["sse"] if is_stream else json.dumps(given["json"])
            found.append(
                Recording(given["id"], given["model"], given["status"], is_stream, body.encode())
            )
    return found


RECORDINGS = _read()


def official_reading(recording: Recording) -> Reading:
    """Return what the official client reads from a recording."""
    kind = "text/event-stream" if recording.is_stream else "application/json"

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            recording.status, headers={"content-type": kind}, content=recording.body
        )

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        official = openai.OpenAI(api_key="k", http_client=client, max_retries=0)
        create = functools.partial(official.responses.create, model=recording.model, input="x")
        if not recording.is_stream:
            return _reading(create())
        *events, last = create(stream=True)
    response: Any = getattr(last, "response", None)
    assert response is not None, last
    found = _reading(response)
    # Each event has its own encryption of the reasoning: that of the item's end was delivered.
    data = [
        event.item.encrypted_content
        for event in events
        if event.type == "response.output_item.done" and event.item.type == "reasoning"
    ]
    thoughts = [(id_, texts, made) for (id_, texts, _), made in zip(found.thoughts, data)]
    return found._replace(thoughts=thoughts)


def _reading(response: Any) -> Reading:
    texts, refusals, calls, thoughts, citations = [], [], [], [], []
    for item in response.output:
        if item.type == "message":
            for part in item.content:
                if part.type == "refusal":
                    refusals.append(part.refusal)
                    continue
                start = sum(map(len, texts))
                texts.append(part.text)
                citations += [
                    (each.url, each.start_index + start, each.end_index + start)
                    for each in part.annotations or ()
                    if each.type == "url_citation"
                ]
        elif item.type in ("function_call", "custom_tool_call"):
            said = item.arguments if item.type == "function_call" else item.input
            calls.append((item.call_id, item.name, said))
        elif item.type == "reasoning":
            summary = [part.text for part in item.summary]
            thoughts.append((item.id, summary, item.encrypted_content))
    usage = response.usage
    tokens = (
        usage.input_tokens,
        usage.output_tokens,
        usage.total_tokens,
        usage.input_tokens_details.cached_tokens,
        usage.output_tokens_details.reasoning_tokens,
    )
    return Reading(
        response.id,
        response.model,
        response.status,
        "".join(texts),
        "".join(refusals),
        calls,
        thoughts,
        citations,
        tokens,
    )
