"""Answers that failed are no success: what a call makes of errors within replies and streams."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

import sockets
from played_streams import OTHER_TEXT, other, play, streamed
from specado import Client, register_manifest
from specado.errors import (
    ContentPolicyError,
    ContextLengthError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)

EACH_CALLER = pytest.mark.parametrize("caller", ["sync", "async"])
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
BAD_GATEWAY = {"code": 502, "message": "Bad gateway"}
CALL = {
    "index": 0,
    "id": "c1",
    "type": "function",
    "function": {"name": "f", "arguments": "{}"},
}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
NAMED = {"type": "function", "function": {"name": "f"}}


def whole(reason: Any = "stop", text: Any = "Hi", **choice: Any) -> bytes:
    given = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": reason}
    facts = {"id": "c1", "model": "m", "created": 5, "usage": USAGE}
    return json.dumps({**facts, "choices": [{**given, **choice}]}).encode()


def json_reply(body: bytes, status: int = 200) -> bytes:
    return sockets.reply(body, status, headers="Content-Type: application/json\r\n")


def event(text: Any = None, reason: Any = None, **more: Any) -> bytes:
    delta: dict[str, Any] = more.pop("delta", {} if text is None else {"content": text})
    choices = [{"index": 0, "delta": delta, "finish_reason": reason, **more.pop("choice", {})}]
    data = {"id": "c1", "model": "m", "created": 5, "choices": choices, **more}
    return b"data: " + json.dumps(data).encode() + b"\n\n"


END = b"data: " + json.dumps({"choices": [], "usage": USAGE}).encode() + b"\n\n"
DONE = b"data: [DONE]\n\n"


def client(url: str, elsewhere: str | None = None, **settings: Any) -> Client:
    register_manifest({"name": "local", "base_url": url})
    providers = {}
    if elsewhere is not None:
        providers = {"anthropic": {"api_key": "k", "base_url": elsewhere}}
        settings["fallback_providers"] = ["anthropic"]
        settings["model_map"] = {"local/m": {"anthropic": "claude-haiku-4-5"}}
    usual = {"simulate": False, "enable_fallback": elsewhere is not None, "max_retries": 0}
    return Client({**usual, "providers": providers, **settings})


@pytest.mark.parametrize(
    "body",
    [
        whole("error", error=BAD_GATEWAY),
        whole("network_error"),
        whole("stop", "", error=BAD_GATEWAY),
        json.dumps({"error": BAD_GATEWAY, **json.loads(whole())}).encode(),
    ],
)
def test_a_failed_whole_answer_is_retried(body: bytes) -> None:
    script = sockets.answers(json_reply(body), json_reply(whole()))
    with sockets.ScriptedServer(script) as server:
        one = client(server.url, max_retries=1)
        reply = one.chat.completions.create("local/m", "Hi")

    assert reply.choices[0].message.content == "Hi"
    assert reply.extensions.attempts == 2
    assert len(server.requests) == 2


def test_a_failed_whole_answer_is_an_error_of_its_class() -> None:
    body = whole("error", error={"code": 429, "message": "slow down"})
    with sockets.ScriptedServer(sockets.answers(json_reply(body))) as server:
        one = client(server.url)
        with pytest.raises(RateLimitError) as caught:
            one.chat.completions.create("local/m", "Hi")

    assert caught.value.status_code == 200
    assert "slow down" in str(caught.value)


@EACH_CALLER
@pytest.mark.parametrize(
    "bad",
    [
        event("", "error", error=BAD_GATEWAY),
        event("", None, choice={"error": BAD_GATEWAY}),
        event(None, "network_error"),
        event("", "length") + event(error=BAD_GATEWAY),
        b'data: {"error": "the model crashed"}\n\n',
        b'data: {"message": "busy", "code": 503}\n\n',
    ],
)
def test_a_stream_that_fails_before_its_content_goes_to_the_next_candidate(
    bad: bytes, caller: str
) -> None:
    with (
        sockets.ScriptedServer(sockets.answers(streamed(bad, DONE))) as server,
        sockets.ScriptedServer(sockets.answers(other())) as elsewhere,
    ):
        played = play(client(server.url, elsewhere.url), caller, "local/m", "Hi")

    assert (played.text, played.error) == (OTHER_TEXT, None)
    assert played.stream.extensions.fallback_triggered


@EACH_CALLER
@pytest.mark.parametrize(
    "bad",
    [
        event("", "error", error=BAD_GATEWAY),
        event("", None, choice={"error": BAD_GATEWAY}),
        event(None, "abort"),
        event(None, "length") + event(error=BAD_GATEWAY),
        event(None, "stop") + END + event(error=BAD_GATEWAY),
        b"event: error\ndata: boom\n\n",
    ],
)
def test_a_stream_that_fails_after_content_is_interrupted(bad: bytes, caller: str) -> None:
    answer = streamed(event("Hel"), bad, DONE)
    with (
        sockets.ScriptedServer(sockets.answers(answer)) as server,
        sockets.ScriptedServer(sockets.answers(other())) as elsewhere,
    ):
        played = play(client(server.url, elsewhere.url), caller, "local/m", "Hi")

    assert played.text == "Hel"
    assert type(played.error) is StreamInterruptedError
    assert played.error.partial.choices[0].message.content == "Hel"
    assert elsewhere.requests == []


def test_null_events_do_not_break_a_stream() -> None:
    null = b"data: null\n\n"
    answer = streamed(null, event("Hel"), null, event("lo"), null, event(None, "stop"), END, DONE)
    with sockets.ScriptedServer(sockets.answers(answer)) as server:
        played = play(client(server.url), "sync", "local/m", "Hi")

    assert (played.text, played.error) == ("Hello", None)
    notes = played.stream.response().extensions.metadata["reply_notes"]
    assert notes == ["a keep-alive event: left out of the stream"]


def calling(reason: str = "stop") -> bytes:
    message = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    return whole(reason, message=message)


@EACH_CALLER
@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize(
    ("choice", "expected"),
    [(None, "tool_calls"), ("auto", "tool_calls"), ("required", "tool_calls"), (NAMED, "stop")],
)
def test_stop_beside_tool_calls_of_a_compatible_server(
    choice: Any, expected: str, is_stream: bool, caller: str
) -> None:
    answer = json_reply(calling())
    if is_stream:
        answer = streamed(event(delta={"tool_calls": [CALL]}), event(None, "stop"), END, DONE)
    given = {"tools": TOOLS, **({} if choice is None else {"tool_choice": choice})}
    with sockets.ScriptedServer(sockets.answers(answer)) as server:
        one = client(server.url)
        if is_stream:
            played = play(one, caller, "local/m", "Hi", **given)
            reply = played.stream.response()
            assert played.chunks[-1].choices[0].finish_reason == expected
        else:
            reply = one.chat.completions.create("local/m", "Hi", **given)

    notes = reply.extensions.metadata.get("reply_notes", [])
    assert reply.choices[0].finish_reason == expected
    assert any("'stop' beside tool calls" in note for note in notes) == (expected != "stop")


def at_openai(answer: httpx.Response) -> Client:
    """Return a client whose requests to OpenAI's own address *answer* gets."""
    transport = httpx.MockTransport(lambda _request: answer)
    return Client(
        {"providers": {"openai": {"api_key": "k"}}, "enable_fallback": False, "max_retries": 0},
        http_client=httpx.Client(transport=transport),
    )


def test_stop_beside_tool_calls_stays_at_openais_own_address() -> None:
    one = at_openai(httpx.Response(200, content=calling()))

    reply = one.chat.completions.create("openai/gpt-4.1", "Hi", tools=TOOLS)

    assert reply.choices[0].finish_reason == "stop"


def test_provider_openai_at_another_host_is_a_compatible_server() -> None:
    with sockets.ScriptedServer(sockets.answers(json_reply(calling()))) as server:
        one = Client({"providers": {"openai": {"api_key": "k", "base_url": server.url}}})
        reply = one.chat.completions.create("openai/gpt-4.1", "Hi", tools=TOOLS)

    assert reply.choices[0].finish_reason == "tool_calls"


PROVEN = (event("Hi"), event(None, "stop"), END)
STREAM = "HTTP/1.1 200 Fine\r\nContent-Type: text/event-stream\r\n"


@EACH_CALLER
def test_an_unknown_servers_stream_without_a_sentinel_ends_with_finish_reason_and_usage(
    caller: str,
) -> None:
    with sockets.ScriptedServer(sockets.answers(streamed(*PROVEN))) as server:
        played = play(client(server.url), caller, "local/m", "Hi")

    assert (played.text, played.error) == ("Hi", None)
    reply = played.stream.response()
    assert reply.usage.total_tokens == 3
    assert reply.extensions.metadata["reply_notes"] == [
        "no [DONE]: finish reason, usage and a clean end stand for it"
    ]


@EACH_CALLER
@pytest.mark.parametrize("stream_end", [None, "finish_reason", "finish_and_usage"])
@pytest.mark.parametrize(
    "answer",
    [
        f"{STREAM}Connection: close\r\n\r\n".encode() + b"".join(PROVEN),  # ends by closing alone
        f"{STREAM}Content-Length: 9999\r\n\r\n".encode() + b"".join(PROVEN),
        streamed(*PROVEN)[: -len(b"0\r\n\r\n")],
        streamed(PROVEN[0], PROVEN[2]),  # no finish reason
    ],
)
def test_a_closed_connection_or_a_cut_never_ends_a_stream(
    answer: bytes, stream_end: str | None, caller: str
) -> None:
    with sockets.ScriptedServer(sockets.answers_then_closes(answer)) as server:
        one = client(server.url)
        if stream_end is not None:
            register_manifest({"name": "local", "base_url": server.url, "stream_end": stream_end})
        played = play(one, caller, "local/m", "Hi")

    assert played.text == "Hi"
    assert played.error.code == "truncated"


def test_a_manifest_may_ask_for_the_sentinel_and_openai_always_sends_it() -> None:
    with sockets.ScriptedServer(sockets.answers(streamed(*PROVEN))) as server:
        one = client(server.url)
        register_manifest({"name": "local", "base_url": server.url, "stream_end": "sentinel"})
        strict = play(one, "sync", "local/m", "Hi")
    headers = {"content-type": "text/event-stream"}
    answer = httpx.Response(200, headers=headers, content=b"".join(PROVEN))
    own = play(at_openai(answer), "sync", "openai/gpt-4.1", "Hi")

    assert strict.error.code == "truncated"
    assert own.error.code == "truncated"


# As Azure documents a filtered answer: the choice has no message.
FILTERED = json.dumps(
    {
        "id": "c1",
        "model": "gpt-4.1",
        "created": 5,
        "choices": [
            {
                "index": 0,
                "finish_reason": "content_filter",
                "content_filter_results": {"hate": {"filtered": True, "severity": "high"}},
            }
        ],
        "usage": USAGE,
    }
).encode()


def test_a_filtered_choice_without_a_message_is_a_reply_or_an_error_by_the_setting() -> None:
    with sockets.ScriptedServer(sockets.answers(json_reply(FILTERED))) as server:
        reply = client(server.url).chat.completions.create("local/m", "Hi")
        with pytest.raises(ContentPolicyError):
            client(server.url, fallback_on_content_policy=True).chat.completions.create(
                "local/m", "Hi"
            )

    assert reply.choices[0].finish_reason == "content_filter"
    assert reply.choices[0].message.content is None
    assert reply.to_dict()["choices"][0]["finish_reason"] == "content_filter"


def test_a_context_overflow_of_a_local_server_is_a_context_length_error() -> None:
    body = b'{"error": {"code": 400, "type": "exceed_context_size_error", "message": "too long"}}'
    with (
        sockets.ScriptedServer(sockets.answers(json_reply(body, 400))) as server,
        pytest.raises(ContextLengthError),
    ):
        client(server.url).chat.completions.create("local/m", "Hi")


def test_an_error_that_nobody_defines_goes_to_the_next_candidate_too() -> None:
    with (
        sockets.ScriptedServer(sockets.answers(json_reply(b'{"error": "boom"}'))) as server,
        sockets.ScriptedServer(sockets.answers(other())) as elsewhere,
    ):
        stream = play(client(server.url, elsewhere.url), "sync", "local/m", "Hi")

    assert (stream.text, stream.error) == (OTHER_TEXT, None)


def test_a_failed_answer_without_a_retry_is_a_server_error() -> None:
    with (
        sockets.ScriptedServer(sockets.answers(json_reply(whole("error")))) as server,
        pytest.raises(ServerError),
    ):
        client(server.url).chat.completions.create("local/m", "Hi")
