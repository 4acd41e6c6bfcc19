"""OpenAI's two dialects: which one a request is written in, and when no fallback may follow."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

import specado
from specado.errors import RateLimitError

CHAT, RESPONSES = "openai_chat", "openai_responses"
PATHS = {"/v1/chat/completions": CHAT, "/v1/responses": RESPONSES}
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
KEYS = {"openai": {"api_key": "any-key"}, "anthropic": {"api_key": "any-key"}}

CHAT_REPLY = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5.6",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    ],
}
TEXT = {"type": "output_text", "text": "Hi", "annotations": []}
SAID = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
REASONED = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
CALLED = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "f",
    "arguments": "{}",
    "status": "completed",
}
USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 30},
    "output_tokens": 50,
    "output_tokens_details": {"reasoning_tokens": 40},
    "total_tokens": 150,
}


def response(*output: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": "gpt-5.6",
        "output": [*output, {**SAID, "content": [TEXT]}],
        "usage": USAGE,
        **more,
    }


class OpenAI:
    """Answers of OpenAI's two APIs, and what was asked."""

    def __init__(self, *replies: Any) -> None:
        self.replies = list(replies)
        self.dialects: list[str] = []
        self.bodies: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.dialects.append(PATHS.get(request.url.path, request.url.path))
        self.bodies.append(json.loads(request.content))
        reply = self.replies.pop(0) if self.replies else None
        if reply is None:
            reply = response() if self.dialects[-1] == RESPONSES else CHAT_REPLY
        status = reply.pop("status_code", 200)
        return httpx.Response(status, json=reply)


def client(server: OpenAI, **config: Any) -> specado.Client:
    return specado.Client(
        {"simulate": False, "max_retries": 0, "providers": KEYS, **config},
        http_client=httpx.Client(transport=httpx.MockTransport(server)),
    )


def ask(server: OpenAI, model: str = "openai/gpt-5.6", **given: Any) -> Any:
    config = given.pop("config", {})
    messages = given.pop("messages", "Hello")
    return client(server, **config).chat.completions.create(model, messages, **given)


def planned(model: str = "openai/gpt-5.6", **given: Any) -> list[specado.PlannedCandidate]:
    config = {"providers": KEYS, **given.pop("config", {})}
    found = specado.Client(config).chat.completions
    return found.plan(model, given.pop("messages", "Hello"), **given)


# The choice


@pytest.mark.parametrize(
    ("model", "given", "expected"),
    [
        ("gpt-5.6", {}, CHAT),
        ("gpt-5.6", {"tools": TOOLS}, CHAT),
        ("gpt-5.6", {"reasoning_effort": "high"}, CHAT),
        ("gpt-5.6", {"tools": TOOLS, "reasoning_effort": "none"}, CHAT),
        ("gpt-5.6", {"tools": TOOLS, "reasoning_effort": "high"}, RESPONSES),
        ("gpt-6-astra", {"tools": TOOLS}, RESPONSES),
        ("gpt-5", {"tools": TOOLS, "reasoning_effort": "high"}, CHAT),
        ("gpt-5.5-pro", {}, RESPONSES),
        ("gpt-5.3-codex", {}, RESPONSES),
        ("gpt-5-search-api", {}, CHAT),
        ("gpt-5.6", {"extra_body": {"include": []}}, RESPONSES),
        ("gpt-5.6", {"extra_body": {"previous_response_id": "resp_1"}}, RESPONSES),
        ("gpt-5.6", {"extra_body": {"store": True}}, RESPONSES),
        ("gpt-5.6", {"extra_body": {"store": False}}, CHAT),
        ("gpt-5.6", {"store": True}, CHAT),
        ("gpt-5.6", {"extra_body": {"prompt": {"id": "p"}, "seed": 1}}, RESPONSES),
        ("a-model-of-tomorrow", {"tools": TOOLS, "reasoning_effort": "high"}, CHAT),
    ],
)
def test_the_request_goes_in_the_dialect_that_takes_all_of_it(
    model: str, given: dict[str, Any], expected: str
) -> None:
    server = OpenAI()

    reply = ask(server, f"openai/{model}", **given)

    assert server.dialects == [expected]
    assert reply.extensions.metadata["dialect"] == expected
    assert reply.choices[0].message.content == "Hi"


def test_tools_with_reasoning_lose_nothing_in_the_other_dialect() -> None:
    server = OpenAI()

    reply = ask(server, tools=TOOLS, reasoning_effort="high", strictness="strict")

    assert server.bodies[0]["reasoning"]["effort"] == "high"
    assert [tool["name"] for tool in server.bodies[0]["tools"]] == ["f"]
    assert "lossiness" not in reply.extensions.metadata


def test_at_another_address_tools_with_reasoning_are_refused() -> None:
    own = {"openai": {"api_key": "k", "base_url": "https://gateway.example/v1"}}
    both = {"openai": {**own["openai"], "dialects": [CHAT, RESPONSES]}}
    given = {"tools": TOOLS, "reasoning_effort": "high"}

    (only_chat,) = planned(config={"providers": own}, **given)
    (either,) = planned(config={"providers": both}, **given)

    assert (only_chat.eligible, only_chat.dialect) == (False, CHAT)
    assert "takes tools only without reasoning" in only_chat.reasons[0]
    assert (either.eligible, either.dialect) == (True, RESPONSES)


def test_an_answer_keeps_the_conversation_in_its_dialect() -> None:
    server = OpenAI(response(REASONED, CALLED))
    first = ask(server, tools=TOOLS, reasoning_effort="high").choices[0].message
    result = {"role": "tool", "tool_call_id": "call_1", "content": "ok"}

    ask(server, messages=[{"role": "user", "content": "Hello"}, first, result], tools=TOOLS)

    assert server.dialects == [RESPONSES, RESPONSES]
    kinds = [item.get("type") for item in server.bodies[1]["input"]]
    assert kinds[1:] == ["reasoning", "function_call", "message", "function_call_output"]
    assert server.bodies[1]["input"][1]["encrypted_content"] == "gAAA"


# What is stored with one provider


@pytest.mark.parametrize(
    "extra_body",
    [
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"prompt": {"id": "pmpt_1"}},
        {"store": True},
    ],
)
def test_a_member_that_names_what_is_stored_forbids_every_other_candidate(
    extra_body: dict[str, Any],
) -> None:
    given = {"fallback_models": ["openai/gpt-5.4", "anthropic/claude-opus-4-8"]}

    first, *others = planned(extra_body=extra_body, **given)

    (name,) = extra_body
    assert (first.eligible, first.dialect) == (True, RESPONSES)
    for other in others:
        assert not other.eligible
        assert "stored with the provider that was asked first" in other.reasons[0]
        assert other.losses is not None
        shown = [(item.path, item.kind, item.severity) for item in other.losses.items]
        assert shown[0] == (f"extra_body.{name}", "contract", "Critical")


def test_a_stored_conversation_that_fails_is_sent_to_no_fallback() -> None:
    limited = {"error": {"message": "slow down", "code": "rate_limit_exceeded"}, "status_code": 429}
    server = OpenAI(dict(limited), dict(limited))
    given = {
        "extra_body": {"previous_response_id": "resp_1"},
        "fallback_models": ["anthropic/claude-opus-4-8"],
    }

    with pytest.raises(RateLimitError):
        ask(server, **given)

    assert server.dialects == [RESPONSES]


def test_the_metadata_names_the_candidates_that_a_stored_conversation_forbids() -> None:
    server = OpenAI()

    reply = ask(
        server,
        extra_body={"previous_response_id": "resp_1"},
        fallback_models=["anthropic/claude-opus-4-8", "openai/gpt-5.4"],
    )

    skipped = reply.extensions.metadata["skipped"]
    assert [(each["provider"], each["model"]) for each in skipped] == [
        ("anthropic", "claude-opus-4-8"),
        ("openai", "gpt-5.4"),
    ]
    assert "extra_body.previous_response_id" in skipped[0]["reason"]
    assert len(server.bodies) == 1


def test_coerce_reports_what_another_candidate_lacks() -> None:
    limited = {"error": {"message": "slow down", "code": "rate_limit_exceeded"}, "status_code": 429}
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-4-8",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    server = OpenAI(limited, message)

    reply = ask(
        server,
        extra_body={"previous_response_id": "resp_1"},
        fallback_models=["anthropic/claude-opus-4-8"],
        strictness="coerce",
    )

    items = reply.extensions.metadata["lossiness"].items
    assert ("extra_body.previous_response_id", "Critical") in [(i.path, i.severity) for i in items]


def test_a_false_or_null_member_permits_other_candidates() -> None:
    found = planned(
        extra_body={"store": False, "previous_response_id": None},
        fallback_models=["anthropic/claude-opus-4-8"],
    )

    assert [candidate.eligible for candidate in found] == [True, True]


# The repeat without encrypted content


INVALID = {"message": "bad item", "code": "invalid_encrypted_content"}


@pytest.mark.parametrize(
    "refused",
    [
        {"error": INVALID, "status_code": 400},
        {
            "error": {"message": "The encrypted content gAAA could not be verified."},
            "status_code": 400,
        },
        response(status="failed", error=INVALID),
    ],
    ids=["code", "message", "failed answer"],
)
def test_a_refused_encrypted_item_is_left_out_once(refused: dict[str, Any]) -> None:
    refused = dict(refused)
    server = OpenAI(response(REASONED, CALLED), refused)
    one = client(server)
    given = {"tools": TOOLS, "reasoning_effort": "high"}
    hello = {"role": "user", "content": "Hello"}
    result = {"role": "tool", "tool_call_id": "call_1", "content": "ok"}
    first = one.chat.completions.create("openai/gpt-5.6", [hello], **given).choices[0].message

    reply = one.chat.completions.create("openai/gpt-5.6", [hello, first, result], **given)

    kinds = [[item.get("type") for item in body["input"]] for body in server.bodies]
    assert "reasoning" in kinds[1]
    assert "reasoning" not in kinds[2]
    assert kinds[2].count("function_call") == 1
    assert not any("id" in item for item in server.bodies[2]["input"])
    assert reply.extensions.attempts == 2
    items = reply.extensions.metadata["lossiness"].items
    assert ("messages[1]", "Low") in [(item.path, item.severity) for item in items]


def test_a_second_refusal_is_the_error() -> None:
    refused = {"error": {"message": "x", "code": "invalid_encrypted_content"}, "status_code": 400}
    server = OpenAI(response(REASONED), dict(refused), dict(refused))
    one = client(server)
    hello = {"role": "user", "content": "Hello"}
    given = {"tools": TOOLS, "reasoning_effort": "high"}
    first = one.chat.completions.create("openai/gpt-5.6", [hello], **given).choices[0].message

    with pytest.raises(specado.InvalidRequestError):
        one.chat.completions.create("openai/gpt-5.6", [hello, first, hello], **given)

    assert len(server.bodies) == 3


# The price


def test_the_cost_counts_cached_written_and_reasoning_tokens_once() -> None:
    reply = ask(OpenAI(), tools=TOOLS, reasoning_effort="high")

    # gpt-5.6: 4 in, 0.4 cached, 5 written (1.25 times as much), 20 out, a million tokens each
    expected = (50 * 4 + 20 * 0.4 + 30 * 5 + 50 * 20) / 1_000_000
    assert reply.extensions.metadata["cost"] == {"usd": expected, "certainty": "exact"}
