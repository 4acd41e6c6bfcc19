"""Bedrock for a program with an HTTP client of its own: requests, replies and errors."""

from __future__ import annotations

import json

import pytest

import specado
from lossy_bedrock import said, turns

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
REPLY = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 3, "outputTokens": 1, "totalTokens": 4},
    "metrics": {"latencyMs": 9},
}
# The same request in each dialect.
REQUESTS = {
    "openai_chat": {"model": "m", "messages": [{"role": "user", "content": "Hello"}]},
    "openai_responses": {"model": "m", "input": "Hello", "store": False},
    "anthropic_messages": {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "Hello"}],
    },
    "gemini": {"model": "m", "contents": "Hello"},
    "bedrock_converse": {"model": "m", **turns(said({"text": "Hello"}))},
}


@pytest.mark.parametrize("source", REQUESTS)
def test_a_request_of_each_dialect_goes_to_bedrock_and_its_reply_comes_back(source: str) -> None:
    made = specado.translate(REQUESTS[source], f"bedrock/{MODEL}", source=source)
    reply = specado.parse_response(json.dumps(REPLY).encode(), "bedrock", request=made)

    assert json.loads(made.body)["messages"] == [said({"text": "Hello"})]
    assert made.url.endswith(f"/model/{MODEL.replace(':', '%3A')}/converse")
    message = reply.choices[0].message
    assert (message.content, reply.model, reply.usage.total_tokens) == ("Hi", MODEL, 4)


@pytest.mark.parametrize("to", ["openai", "anthropic", "gemini", "bedrock"])
def test_a_streamed_request_of_bedrock_asks_each_provider_for_a_stream(to: str) -> None:
    request = {**REQUESTS["bedrock_converse"], "stream": True}

    made = specado.translate(request, to, source="bedrock_converse", model="m")

    in_url = "streamGenerateContent" in made.url or made.url.endswith("/converse-stream")
    assert in_url or json.loads(made.body)["stream"] is True


def test_an_error_has_its_class_by_the_header_or_the_body() -> None:
    headers = {"x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/"}

    by_header = specado.parse_error(429, headers, b'{"message":"Slow down"}', "bedrock")
    by_body = specado.parse_error(
        400, {}, b'{"__type":"ValidationException","message":"Input is too long"}', "bedrock"
    )

    assert type(by_header) is specado.RateLimitError
    assert type(by_body) is specado.InvalidRequestError
