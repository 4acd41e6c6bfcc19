"""Recorded calls to compatible providers: their requests are taken, their answers read.

What a provider answered with 200 is sent to it as it was; what it answered is read as the
official `openai` package reads it.
"""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

import specado
from family_recordings import RECORDINGS, Reading, Recording, official_reading
from stream_readers import cut, read

ANSWERS = [each for each in RECORDINGS if each.status == 200 and not each.is_stream]
STREAMS = [each for each in RECORDINGS if each.is_stream]
REFUSED = [each for each in RECORDINGS if each.status != 200]
# An error within each ends it: its class.
FAILED_STREAMS = {
    "00959aac599b58c4": specado.InvalidRequestError,
    "dffd9b94c8701c65": specado.InvalidRequestError,
    "c6f924d7a37d9779": specado.ContextLengthError,
}
WHOLE_STREAMS = [each for each in STREAMS if each.id not in FAILED_STREAMS]
BROKEN_STREAMS = [each for each in STREAMS if each.id in FAILED_STREAMS]
# What is no request in OpenAI's form: an answer of no part, a file by its URL, a video.
NOT_CANONICAL = {"c2c58d4a0136819a", "12c086b66fa45466", "12dd2cb190420ffa"}
REQUESTS = [each for each in RECORDINGS if each.status == 200 and each.id not in NOT_CANONICAL]


def ids(recordings: list[Recording]) -> list[str]:
    return [f"{each.provider}-{each.id}" for each in recordings]


def reading_of(reply: Any) -> Reading:
    """Return what specado finds in an answer."""
    [choice] = reply.choices
    message, usage = choice.message, reply.usage
    return Reading(
        reply.id,
        reply.model,
        message.content or "",
        message.reasoning or "",
        [
            (call.id, call.function.name, call.function.arguments)
            for call in message.tool_calls or ()
        ],
        choice.finish_reason,
        (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens),
    )


@pytest.mark.parametrize("recording", REQUESTS, ids=ids(REQUESTS))
def test_what_a_provider_took_is_sent_as_it_was(recording: Recording) -> None:
    found = specado.translate(recording.request, f"{recording.provider}/{recording.model}")

    assert json.loads(found.body) == recording.request
    assert found.report.items == []


@pytest.mark.parametrize("recording", ANSWERS, ids=ids(ANSWERS))
def test_an_answer_is_read_as_the_official_package_reads_it(recording: Recording) -> None:
    reply = specado.parse_response(recording.body, recording.provider)

    assert reading_of(reply) == official_reading(recording)


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize("recording", WHOLE_STREAMS, ids=ids(WHOLE_STREAMS))
def test_a_stream_is_read_as_the_official_package_reads_it(recording: Recording, size: int) -> None:
    pieces = cut(recording.body, range(size, len(recording.body), size))

    stream, chunks = read("openai", pieces, include_usage=True)

    official = official_reading(recording)
    assert stream.is_over
    reply, _ = stream.response()
    assert reading_of(reply) == official
    told = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(each.delta.content or "" for each in told) == official.text
    assert "".join(each.delta.reasoning or "" for each in told) == official.thoughts
    # OpenRouter repeats the reason in the chunk that has the usage.
    assert {each.finish_reason for each in told if each.finish_reason} == {official.finish_reason}


@pytest.mark.parametrize("recording", BROKEN_STREAMS, ids=ids(BROKEN_STREAMS))
def test_an_error_in_a_stream_ends_it(recording: Recording) -> None:
    stream, _ = read("openai", recording.body)

    assert not stream.is_over
    error = specado.parse_error(200, {}, stream.failure, recording.provider)
    assert type(error) is FAILED_STREAMS[recording.id]
    with pytest.raises(openai.APIError) as official:
        official_reading(recording)
    assert official.value.message in str(error)


CLASSES = {
    ("groq", 400): specado.InvalidRequestError,
    ("groq", 404): specado.ModelNotFoundError,
    ("openrouter", 429): specado.RateLimitError,
}


@pytest.mark.parametrize("recording", REFUSED, ids=ids(REFUSED))
def test_an_error_has_its_class(recording: Recording) -> None:
    error = specado.parse_error(recording.status, {}, recording.body, recording.provider)

    assert type(error) is CLASSES[recording.provider, recording.status]
    assert json.loads(recording.body)["error"]["message"][:60] in str(error)
