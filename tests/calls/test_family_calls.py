"""Calls to shipped compatible providers over a socket, answered with what was recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest

import sockets
import specado
from family_recordings import RECORDINGS, Recording, official_reading
from played_streams import CALLERS, EVENT_STREAM, HELLO, play, streamed
from specado.catalog.lookup import provider
from stream_readers import sse

ANSWERED = ("groq", "mistral", "deepseek", "openrouter")
JSON = "Content-Type: application/json\r\n"


def client_of(name: str, url: str) -> specado.Client:
    return specado.Client(
        {
            "simulate": False,
            "primary_provider": name,
            "enable_fallback": False,
            "max_retries": 0,
            "timeout_seconds": 10,
            "providers": {name: {"api_key": "sk-own-key", "base_url": url}},
        }
    )


def first(name: str, *, is_stream: bool = False, status: int = 200) -> Recording:
    return next(
        each
        for each in RECORDINGS
        if each.provider == name and each.is_stream is is_stream and each.status == status
    )


def body_of(request: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.partition(b"\r\n\r\n")[2])
    return found


@pytest.mark.parametrize("name", ANSWERED)
def test_a_call_is_answered(name: str) -> None:
    recording = first(name)

    with (
        sockets.ScriptedServer(
            sockets.answers(sockets.reply(recording.body, headers=JSON))
        ) as server,
        client_of(name, server.url) as client,
    ):
        reply = client.chat.completions.create(f"{name}/m", "Hello")

    [request] = server.requests
    head = request.partition(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"post /chat/completions http/1.1")
    assert b"authorization: bearer sk-own-key" in head
    assert body_of(request)["model"] == "m"
    assert reply.extensions.provider_used == name
    assert (reply.choices[0].message.content or "") == official_reading(recording).text


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("name", ["groq", "mistral", "openrouter"])
def test_a_stream_is_answered(name: str, caller: str) -> None:
    recording = next(
        each
        for each in RECORDINGS
        if each.provider == name and each.is_stream and b"event: error" not in each.body
        and b'"error"' not in each.body
    )  # fmt: skip
    official = official_reading(recording)

    with (
        sockets.ScriptedServer(
            sockets.answers(sockets.chunked(recording.body, headers=EVENT_STREAM))
        ) as server,
        client_of(name, server.url) as client,
    ):
        played = play(client, caller, f"{name}/{recording.model}", "Hello")

    assert played.error is None
    assert played.text == official.text
    usage = played.stream.response().usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == official.tokens
    [request] = server.requests
    assert ("stream_options" in body_of(request)) is provider(name).dialects[0].stream_usage


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(
    ("name", "is_whole"), [("perplexity", True), ("huggingface", True), ("xai", False)]
)
def test_a_stream_may_end_with_its_finish_reason(name: str, caller: str, is_whole: bool) -> None:
    events = sse(*HELLO[:-1], done=False)

    with (
        sockets.ScriptedServer(sockets.answers(streamed(events))) as server,
        client_of(name, server.url) as client,
    ):
        played = play(client, caller, f"{name}/m", "Hello")

    assert played.text == "Hello"
    assert (played.error is None) is is_whole


def test_an_error_has_its_class() -> None:
    recording = first("groq", status=404)

    with (
        sockets.ScriptedServer(
            sockets.answers(sockets.reply(recording.body, status=404, headers=JSON))
        ) as server,
        client_of("groq", server.url) as client,
        pytest.raises(specado.ModelNotFoundError, match="does not exist or you do not have access"),
    ):
        client.chat.completions.create("groq/non-existent", "Hello")
