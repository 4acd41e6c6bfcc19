"""Replies of the simulator, encoded again in either dialect: the decoders read them alike."""

from __future__ import annotations

import json

import pytest

import official
import reference_streams
from specado._core import (
    AnthropicStreamEncoder,
    OpenAIStreamEncoder,
    decode_anthropic_reply,
    decode_openai_reply,
    encode_anthropic_reply,
    encode_openai_reply,
)
from specado.simulator import handle
from stream_readers import read

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
QUESTION = [{"role": "user", "content": "What is the wéather in Paris? 🌦"}]
OPENAI_TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}
OPENAI = {
    "text": {},
    "tool": {"tools": [OPENAI_TOOL], "tool_choice": "required"},
    "custom tool": {
        "tools": [{"type": "custom", "custom": {"name": "run"}}],
        "tool_choice": "required",
    },
    "choices": {"n": 3},
    "logprobs": {"logprobs": True, "top_logprobs": 2},
    "length": {"max_tokens": 3},
}
ANTHROPIC = {
    "text": {},
    "tool": {
        "tools": [{"name": "get_weather", "input_schema": SCHEMA}],
        "tool_choice": {"type": "any"},
    },
    "thinking": {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 3000},
    "length": {"max_tokens": 3},
}
DECODE = {"openai": decode_openai_reply, "anthropic": decode_anthropic_reply}
ENCODE = {"openai": encode_openai_reply, "anthropic": encode_anthropic_reply}
CASES = [("openai", name) for name in OPENAI] + [("anthropic", name) for name in ANTHROPIC]


def simulated(provider, name, **options):
    """Return the simulator's body for a request."""
    if provider == "openai":
        path = "/v1/chat/completions"
        request = {"model": "gpt-4o", "messages": QUESTION, **OPENAI[name], **options}
    else:
        path = "/v1/messages"
        request = {"model": "claude-sonnet-4-6", "max_tokens": 100, "messages": QUESTION}
        request = {**request, **ANTHROPIC[name], **options}
    headers = {"anthropic-version": "2023-06-01"}
    found = handle("POST", path, headers, json.dumps(request).encode())
    body = found.body if isinstance(found.body, bytes) else b"".join(found.body)
    assert found.status == 200, body
    return body


def decoded(provider, body):
    found, _ = DECODE[provider](body, provider, "m", 7)
    found.raw = b""
    return found


def encoded_stream(encoder, chunks):
    return b"".join([encoder.encode(each) for each in chunks]) + encoder.finish()


@pytest.mark.parametrize(("provider", "name"), CASES)
def test_a_reply_is_read_alike_in_its_own_dialect(provider, name):
    given = decoded(provider, simulated(provider, name))

    body, losses = ENCODE[provider](given)

    assert decoded(provider, body) == given
    assert [row for row, *_ in losses if row != "reply.created"] == []
    assert official.problems(f"{provider}-response", body) == []


@pytest.mark.parametrize(("provider", "name"), CASES)
def test_a_stream_is_read_alike_in_its_own_dialect(provider, name):
    options = {"stream_options": {"include_usage": True}} if provider == "openai" else {}
    data = simulated(provider, name, stream=True, **options)
    _, chunks = read(provider, data, include_usage=True)
    encoder = (
        OpenAIStreamEncoder(include_usage=True)
        if provider == "openai"
        else AnthropicStreamEncoder()
    )

    again = encoded_stream(encoder, chunks)

    found, expected = (read(provider, each)[0].response() for each in (again, data))
    if provider == "anthropic":
        expected[0].service_tier = None  # which the chunks do not have
    assert found == expected


@pytest.mark.parametrize(("provider", "name"), CASES)
def test_a_stream_in_the_other_dialect_adds_up_to_the_reply(provider, name):
    other = "anthropic" if provider == "openai" else "openai"
    options = {"stream_options": {"include_usage": True}} if provider == "openai" else {}
    data = simulated(provider, name, stream=True, **options)
    stream, chunks = read(provider, data, include_usage=True)
    encoder = (
        OpenAIStreamEncoder(include_usage=True) if other == "openai" else AnthropicStreamEncoder()
    )
    whole, _ = ENCODE[other](stream.response()[0])

    again = encoded_stream(encoder, chunks)
    found = read(other, again)[0].response()[0].choices[0]
    expected = decoded(other, whole).choices[0]

    assert found.finish_reason == expected.finish_reason
    assert found.message.text == expected.message.text
    assert found.message.reasoning == expected.message.reasoning
    assert found.message.tool_calls == expected.message.tool_calls
    frames = [frame for _, frame in reference_streams.frames(again) if frame != b"[DONE]"]
    kind = "anthropic-event" if other == "anthropic" else "openai-chunk"
    problems = [each for frame in frames for each in official.problems(kind, frame)]
    # OpenAI's types have no reasoning.
    assert [each for each in problems if ".reasoning" not in each] == []
