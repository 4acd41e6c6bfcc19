"""The validator against the official types: accepts valid bodies, refuses others."""

from __future__ import annotations

import pytest

import official

OPENAI = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
ANTHROPIC = {"model": "claude", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi", "refusal": None, "annotations": []},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    "system_fingerprint": None,
}
CHUNK = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "gpt-4o",
    "choices": [{"index": 0, "delta": {"content": "Hi"}, "logprobs": None, "finish_reason": None}],
    "service_tier": "default",
    "system_fingerprint": None,
}
DELTA = {
    "type": "content_block_delta",
    "index": 0,
    "delta": {"type": "text_delta", "text": "Hi"},
}
OPENAI_ERROR = {"error": {"message": "no", "type": "server_error", "param": None, "code": None}}
ANTHROPIC_ERROR = {
    "type": "error",
    "error": {"type": "api_error", "message": "no"},
    "request_id": "req_1",
}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("openai-request", OPENAI),
        ("openai-request", {**OPENAI, "stream": True, "stop": ["a"]}),
        ("openai-response", COMPLETION),
        ("openai-chunk", CHUNK),
        ("openai-error", OPENAI_ERROR),
        ("anthropic-event", DELTA),
        ("anthropic-beta-event", DELTA),
        ("anthropic-event", {"type": "ping"}),
        ("anthropic-event", ANTHROPIC_ERROR),
        ("anthropic-request", ANTHROPIC),
        ("anthropic-beta-request", {**ANTHROPIC, "context_management": {"edits": []}}),
        ("anthropic-count-request", {"model": "claude", "messages": ANTHROPIC["messages"]}),
        ("anthropic-response", MESSAGE),
        ("anthropic-count-response", {"input_tokens": 3}),
        ("anthropic-error", ANTHROPIC_ERROR),
    ],
)
def test_what_is_right_passes(kind, value):
    assert official.problems(kind, value) == []


@pytest.mark.parametrize(
    ("kind", "value", "where"),
    [
        ("openai-request", {**OPENAI, "colour": 1}, "colour"),
        ("openai-request", {**OPENAI, "n": "1"}, "n"),
        ("openai-request", {**OPENAI, "stop": [1]}, "stop"),
        ("openai-request", {"model": "gpt-4o"}, "messages"),
        ("openai-request", {**OPENAI, "messages": [{"role": "user"}]}, "messages.0"),
        ("openai-response", {**COMPLETION, "colour": 1}, "colour"),
        ("openai-response", {**COMPLETION, "created": "1"}, "created"),
        ("openai-response", {**COMPLETION, "choices": [{}]}, "choices.0"),
        ("openai-chunk", {**CHUNK, "colour": 1}, "colour"),
        ("openai-chunk", {**CHUNK, "choices": [{"index": 0, "delta": {}}]}, "choices.0.logprobs"),
        ("openai-chunk", {**CHUNK, "object": "chat.completion"}, "object"),
        ("anthropic-event", {**DELTA, "index": "0"}, "content_block_delta.index"),
        ("anthropic-event", {**DELTA, "colour": 1}, "colour"),
        ("anthropic-event", {"type": "content_block_stop"}, "content_block_stop.index"),
        ("openai-error", {"error": {"message": "no"}}, "error.type"),
        ("anthropic-request", {**ANTHROPIC, "n": 2}, "n"),
        ("anthropic-request", {**ANTHROPIC, "user_profile_id": "a"}, "user_profile_id"),
        ("anthropic-request", {**ANTHROPIC, "context_management": {}}, "context_management"),
        ("anthropic-request", {**ANTHROPIC, "stop_sequences": [5]}, "stop_sequences"),
        ("anthropic-response", {**MESSAGE, "usage": {}}, "usage.input_tokens"),
        ("anthropic-response", {**MESSAGE, "stop_reason": "tool_use"}, "stop_reason"),
        ("anthropic-error", {"type": "error", "error": {"type": "zz", "message": ""}}, "error"),
        ("openai-request", "{", "not JSON"),
        ("openai-request", "[]", "(whole)"),
    ],
)
def test_what_is_wrong_is_named(kind, value, where):
    found = official.problems(kind, value)

    assert any(problem.startswith(where) for problem in found), found


def test_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="openai-request"):
        official.problems("openai", {})
