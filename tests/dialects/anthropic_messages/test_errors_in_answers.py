"""Errors beside or in an answer of Anthropic's dialect: the answer failed, whole and streamed."""

from __future__ import annotations

from typing import Any

import pytest

import specado
from specado.errors import (
    ContextLengthError,
    OverloadedError,
    ProviderError,
    RateLimitError,
    ServerError,
)
from stream_readers import named, read

ERRORS: list[tuple[Any, type[ProviderError]]] = [
    ({"type": "overloaded_error", "message": "no"}, OverloadedError),
    ({"type": "rate_limit_error", "message": "no"}, RateLimitError),
    ({"type": "invalid_request_error", "message": "prompt is too long"}, ContextLengthError),
    ({"code": 502, "message": "no"}, ServerError),
    ({"code": "429", "message": "no"}, RateLimitError),
    ({"message": "Model is overloaded"}, OverloadedError),
    ("rate limit exceeded", RateLimitError),
]
HI = {"type": "text", "text": "Hi"}
USAGE = {"input_tokens": 1, "output_tokens": 1}
EMPTY = [None, "", {}, False, {"type": None, "message": ""}]


def message(*content: Any, **more: Any) -> dict[str, Any]:
    facts = {"id": "m", "type": "message", "role": "assistant", "model": "claude-opus-4-8"}
    return {**facts, "content": list(content), "stop_reason": "end_turn", "usage": USAGE, **more}


def in_whole_replies(error: Any) -> list[dict[str, Any]]:
    found = [
        message(HI, error=error),
        message(error=error),
        message(HI, type="error", error=error),
        message({**HI, "error": error}),
        message({"type": "thinking", "thinking": "a", "signature": "s", "error": error}, HI),
        message(HI, {"type": "tool_use", "id": "t", "name": "f", "input": {}, "error": error}),
        message(HI, {"type": "error", "error": error}),
        message({"type": "error", "error": error}),
        message(content={"type": "error", "error": error}),
    ]
    if isinstance(error, dict) and not str(error.get("type")).endswith("_error"):
        found.append(message(HI, {**error, "type": "error"}))
    return found


def events(**changes: Any) -> list[dict[str, Any]]:
    """Return the events of a stream; *changes* are members to add, by the event's name."""
    start = {**message(), "stop_reason": None, **changes.pop("message", {})}
    found: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": USAGE},
        {"type": "message_stop"},
    ]
    return [{**each, **changes.get(each["type"], {})} for each in found]


def in_streams(error: Any) -> list[list[dict[str, Any]]]:
    text = {"type": "text", "text": ""}
    names = [event["type"] for event in events()]
    return [
        *(events(**{name: {"error": error}}) for name in names),
        events(message={"error": error}),
        events(message={"content": [{"type": "error", "error": error}]}),
        events(content_block_start={"content_block": {"type": "error", "error": error}}),
        events(content_block_start={"content_block": {**text, "error": error}}),
        events(content_block_delta={"delta": {"type": "error", "error": error}}),
        events(message_delta={"delta": {"stop_reason": None, "error": error}}),
        events(message_delta={"delta": {"stop_reason": "end_turn", "error": error}}),
    ]


@pytest.mark.parametrize(("error", "kind"), ERRORS)
def test_an_error_beside_or_in_a_whole_answer_is_an_error(
    error: Any, kind: type[ProviderError]
) -> None:
    for body in in_whole_replies(error):
        with pytest.raises(ProviderError) as caught:
            specado.parse_response(body, "anthropic")
        assert type(caught.value) is kind, body
        assert caught.value.status_code == 200


@pytest.mark.parametrize(("error", "kind"), ERRORS)
def test_an_error_in_any_event_is_the_streams_failure(
    error: Any, kind: type[ProviderError]
) -> None:
    for given in in_streams(error):
        stream, _ = read("anthropic", named(*given))

        assert stream.failure is not None, given
        assert type(specado.parse_error(200, {}, stream.failure, "anthropic")) is kind, given
        assert not stream.is_over


@pytest.mark.parametrize("error", EMPTY)
def test_an_empty_error_is_not_an_error(error: Any) -> None:
    beside = {"error": error}
    reply = specado.parse_response(message({**HI, **beside}, error=error), "anthropic")
    names = [event["type"] for event in events()]
    stream, _ = read("anthropic", named(*events(**dict.fromkeys(names, beside))))

    assert reply.choices[0].message.content == "Hi"
    assert stream.is_over
    assert stream.failure is None
    assert stream.response()[0].choices[0].message.content == "Hi"


RESULT = {
    "type": "web_search_tool_result",
    "tool_use_id": "s1",
    "content": {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"},
}


@pytest.mark.parametrize(
    "block",
    [
        {"type": "tool_use", "id": "t", "name": "f", "input": {"error": "no", "type": "error"}},
        {"type": "text", "text": 'say "error": {"code": 500}'},
        {"type": "text", "text": "error"},
        RESULT,
        {**RESULT, "error": {"message": "the tool's own"}},
        {"type": "mcp_tool_result", "tool_use_id": "s1", "is_error": True, "error": "no"},
    ],
)
def test_words_about_errors_within_an_answer_are_no_error(block: Any) -> None:
    reply = specado.parse_response(message(HI, block), "anthropic")
    start = events(content_block_start={"content_block": block})
    stream, _ = read("anthropic", named(*start[:2], *start[3:]))

    assert (reply.choices[0].message.text or "").startswith("Hi")
    assert stream.is_over
    assert stream.failure is None
