"""Recorded calls to compatible providers, and how the official `openai` package reads the answers.

From pydantic/pydantic-ai (MIT), tests/**/cassettes, commit 4fda38988f.
"""

from __future__ import annotations

import gzip
import json
from typing import Any, NamedTuple, Optional

import httpx
import openai

from reference_files import REPOSITORY

__all__ = ["RECORDINGS", "Reading", "Recording", "official_reading", "texts_of"]

_FILE = REPOSITORY / "tests" / "data" / "recorded_family.jsonl.gz"


class Recording(NamedTuple):
    """One recorded call; `body` is the JSON of the answer, or the bytes of its events."""

    id: str
    provider: str
    model: str
    status: int
    is_stream: bool
    request: dict[str, Any]
    body: bytes


class Reading(NamedTuple):
    """What the official package finds in an answer."""

    id: str
    model: str
    text: str
    thoughts: str
    calls: list[tuple[str, str, str]]
    finish_reason: Optional[str]
    tokens: Optional[tuple[int, int, int]]


def _read() -> list[Recording]:
    found = []
    with gzip.open(_FILE, "rt", encoding="utf-8") as lines:
        for line in lines:
            given = json.loads(line)
            body = given["body"] if given["is_stream"] else json.dumps(given["body"])
            found.append(Recording(**{**given, "body": body.encode()}))
    return found


RECORDINGS = _read()


def texts_of(content: Any) -> tuple[str, str]:
    """Return the text and the reasoning of a content, which Mistral gives as a list of chunks."""
    if not isinstance(content, list):
        return content or "", ""
    text = "".join(chunk["text"] for chunk in content if chunk["type"] == "text")
    thoughts = "".join(
        part["text"]
        for chunk in content
        if chunk["type"] == "thinking"
        for part in chunk["thinking"]
    )
    return text, thoughts


def official_reading(recording: Recording) -> Reading:
    """Return what the official client reads from a recorded answer.

    Raises:
        openai.APIError: the answer is an error, or one ends its stream.
    """
    kind = "text/event-stream" if recording.is_stream else "application/json"

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            recording.status, headers={"content-type": kind}, content=recording.body
        )

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        official = openai.OpenAI(api_key="k", http_client=client, max_retries=0)
        create: Any = official.chat.completions.create
        if recording.is_stream:
            return _reading_of_chunks(list(create(model="m", messages=[], stream=True)))
        reply = create(model="m", messages=[])
    [choice] = reply.choices
    message = choice.message
    text, thoughts = texts_of(message.content)
    return Reading(
        reply.id,
        reply.model,
        text,
        thoughts + _reasoning(message),
        [
            # OpenRouter has been seen with null for no arguments.
            (call.id, call.function.name, call.function.arguments or "{}")
            for call in message.tool_calls or ()
        ],
        choice.finish_reason,
        _tokens(reply.usage),
    )


def _reading_of_chunks(chunks: list[Any]) -> Reading:
    text = thoughts = ""
    calls: dict[int, list[str]] = {}
    finish_reason = usage = None
    for chunk in chunks:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            own = texts_of(choice.delta.content)
            text, thoughts = text + own[0], thoughts + own[1] + _reasoning(choice.delta)
            finish_reason = choice.finish_reason or finish_reason
            for call in choice.delta.tool_calls or ():
                parts = calls.setdefault(call.index, ["", "", ""])
                parts[0] = call.id or parts[0]
                parts[1] += call.function.name or ""
                parts[2] += call.function.arguments or ""
    made = [(call[0], call[1], call[2]) for _, call in sorted(calls.items())]
    first = chunks[0]
    return Reading(first.id, first.model, text, thoughts, made, finish_reason, _tokens(usage))


def _reasoning(message: Any) -> str:
    return getattr(message, "reasoning", None) or getattr(message, "reasoning_content", None) or ""


def _tokens(usage: Any) -> Optional[tuple[int, int, int]]:
    if usage is None:
        return None
    return usage.prompt_tokens, usage.completion_tokens, usage.total_tokens
