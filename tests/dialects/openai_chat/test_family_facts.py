"""What the shipped manifests of compatible providers say of requests, fact by fact.

Each case names what shows it in the manifest's `verification`; a fact that is changed turns one
of them red.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from family_recordings import RECORDINGS
from specado.catalog.lookup import provider

USER = {"role": "user", "content": "Hello"}
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CUSTOM = {"type": "custom", "custom": {"name": "grep"}}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "s", "schema": {"type": "object", "properties": {}}},
}
FORCED = {"tools": [FUNCTION], "tool_choice": "required"}
NOTE, LOW, MEDIUM, HIGH = (
    ("tuning", "None"),
    ("tuning", "Low"),
    ("contract", "Medium"),
    ("contract", "High"),
)


def sent(target: str, **request: Any) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    """Return the members that go to *target* beside model and messages, and the losses."""
    found = specado.translate({"model": "m", "messages": [USER], **request}, target)
    body = json.loads(found.body)
    del body["model"]
    if "messages" not in request:
        assert body.pop("messages") == [USER]
    return body, [(item.path, item.kind, item.severity) for item in found.report.items]


# (model, members of the request, members that are sent, losses: path, kind, severity)
CASES = [
    ("groq/m", {"logit_bias": {"5": 1}}, {}, [("logit_bias", *LOW)]),
    (
        "groq/m",
        {"logprobs": True, "top_logprobs": 2},
        {},
        [("logprobs", *MEDIUM), ("top_logprobs", *MEDIUM)],
    ),
    ("groq/m", {"n": 1}, {"n": 1}, []),
    ("groq/m", {"n": 2}, {}, [("n", *HIGH)]),
    (
        "groq/m",
        {"tools": [FUNCTION, CUSTOM]},
        {"tools": [FUNCTION]},
        [("tools[1]", *HIGH)],
    ),
    ("groq/m", {"tools": [CUSTOM], "tool_choice": "required"}, {}, [("tools[0]", *HIGH)]),
    (
        "groq/openai/gpt-oss-120b",
        {"reasoning_effort": "none"},
        {"reasoning_effort": "low"},
        [("reasoning_effort", *LOW)],
    ),
    ("groq/openai/gpt-oss-120b", {"reasoning_effort": "high"}, {"reasoning_effort": "high"}, []),
    ("groq/qwen/qwen3-32b", {"reasoning_effort": "none"}, {"reasoning_effort": "none"}, []),
    (
        "groq/qwen/qwen3-32b",
        {"reasoning_effort": "medium"},
        {"reasoning_effort": "default"},
        [("reasoning_effort", *NOTE)],
    ),
    ("mistral/m", {"seed": 7}, {"random_seed": 7}, [("seed", *NOTE)]),
    (
        "mistral/m",
        {"max_completion_tokens": 9},
        {"max_tokens": 9},
        [("max_completion_tokens", *NOTE)],
    ),
    (
        "mistral/m",
        FORCED,
        {"tools": [FUNCTION], "tool_choice": "any"},
        [("tool_choice", *NOTE)],
    ),
    ("mistral/m", {"user": "ann"}, {}, [("user", *LOW)]),
    ("mistral/m", {"store": True}, {}, [("store", *LOW)]),
    ("mistral/m", {"logit_bias": {"5": 1}}, {}, [("logit_bias", *LOW)]),
    ("mistral/m", {"stream": True}, {"stream": True}, []),
    ("mistral/m", {"top_k": 5, "safe_prompt": True}, {"top_k": 5, "safe_prompt": True}, []),
    ("deepseek/m", {"user": "ann"}, {"user_id": "ann"}, [("user", *NOTE)]),
    (
        "deepseek/m",
        {"max_completion_tokens": 9},
        {"max_tokens": 9},
        [("max_completion_tokens", *NOTE)],
    ),
    (
        "deepseek/m",
        {"reasoning_effort": "none"},
        {"thinking": {"type": "disabled"}},
        [("reasoning_effort", *NOTE)],
    ),
    ("deepseek/m", {"reasoning_effort": "max"}, {"reasoning_effort": "max"}, []),
    (
        "deepseek/m",
        FORCED,
        {"tools": [FUNCTION], "tool_choice": "auto"},
        [("tool_choice", *HIGH)],
    ),
    (
        "deepseek/m",
        {**FORCED, "reasoning_effort": "none"},
        {**FORCED, "thinking": {"type": "disabled"}},
        [("reasoning_effort", *NOTE)],
    ),
    ("deepseek/m", {"response_format": SCHEMA}, {}, [("response_format", *MEDIUM)]),
    (
        "deepseek/m",
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_object"}},
        [],
    ),
    (
        "openrouter/m",
        {"reasoning_effort": "high"},
        {"reasoning": {"effort": "high"}},
        [("reasoning_effort", *NOTE)],
    ),
    ("openrouter/m", {"max_completion_tokens": 9}, {"max_completion_tokens": 9}, []),
    (
        "openrouter/m",
        {"transforms": ["middle-out"], "provider": {"only": ["xai"]}},
        {"transforms": ["middle-out"], "provider": {"only": ["xai"]}},
        [],
    ),
    ("xai/grok-4.3", {"logit_bias": {"5": 1}}, {}, [("logit_bias", *LOW)]),
    (
        "xai/grok-4.5",
        {"reasoning_effort": "none"},
        {"reasoning_effort": "low"},
        [("reasoning_effort", *LOW)],
    ),
    ("xai/grok-4.5", {"stop": ["a"]}, {}, [("stop", *MEDIUM)]),
    ("xai/grok-4.5", {"presence_penalty": 1}, {}, [("presence_penalty", *LOW)]),
    ("xai/grok-4.20-non-reasoning", {"stop": ["a"]}, {"stop": ["a"]}, []),
    ("xai/grok-4.20-reasoning", {"reasoning_effort": "high"}, {}, [("reasoning_effort", *LOW)]),
    ("ollama/m", {"user": "ann"}, {}, [("user", *LOW)]),
    (
        "ollama/m",
        FORCED,
        {"tools": [FUNCTION], "tool_choice": "auto"},
        [("tool_choice", *HIGH)],
    ),
    ("perplexity/sonar", {"tools": [FUNCTION]}, {}, [("tools", *HIGH)]),
    ("zai/glm-5.3", {"stop": ["a", "b"]}, {"stop": ["a"]}, [("stop[1]", *MEDIUM)]),
    (
        "zai/glm-4.6",
        {"reasoning_effort": "none"},
        {"thinking": {"type": "disabled"}},
        [("reasoning_effort", *NOTE)],
    ),
    (
        "zai/glm-5.3",
        FORCED,
        {"tools": [FUNCTION], "tool_choice": "auto"},
        [("tool_choice", *HIGH)],
    ),
    ("moonshot/kimi-k3", {"temperature": 0.5}, {}, [("temperature", *LOW)]),
    ("moonshot/kimi-k3", {"temperature": 1}, {"temperature": 1}, []),
    (
        "moonshot/kimi-k2.6",
        {"reasoning_effort": "none"},
        {"thinking": {"type": "disabled"}},
        [("reasoning_effort", *NOTE)],
    ),
    (
        "moonshot/kimi-k2.6",
        FORCED,
        {"tools": [FUNCTION], "tool_choice": "auto"},
        [("tool_choice", *HIGH)],
    ),
    ("moonshot/kimi-k3", FORCED, FORCED, []),
    (
        "dashscope/qwen-plus",
        {"reasoning_effort": "none"},
        {"enable_thinking": False},
        [("reasoning_effort", *NOTE)],
    ),
    (
        "cerebras/gpt-oss-120b",
        {"reasoning_effort": "none"},
        {"reasoning_effort": "low"},
        [("reasoning_effort", *LOW)],
    ),
    ("cerebras/m", {"max_tokens": 9}, {"max_completion_tokens": 9}, [("max_tokens", *NOTE)]),
]


@pytest.mark.parametrize(("target", "request_members", "members", "losses"), CASES)
def test_a_request_goes_as_the_servers_take_it(target, request_members, members, losses):
    assert sent(target, **request_members) == (members, losses)


@pytest.mark.parametrize("name", ["groq", "mistral", "deepseek", "xai", "zai", "moonshot"])
def test_a_developer_message_is_a_system_message(name):
    developer = {"role": "developer", "content": "Be brief"}

    body, losses = sent(f"{name}/m", messages=[developer, USER])

    assert body == {"messages": [{**developer, "role": "system"}, USER]}
    assert losses == [("messages[0].role", *NOTE)]


@pytest.mark.parametrize("name", ["groq", "mistral"])
def test_a_message_has_no_name(name):
    body, losses = sent(f"{name}/m", messages=[{**USER, "name": "Ann"}])

    assert (body, losses) == ({"messages": [USER]}, [("messages[0].name", *LOW)])


def test_mistral_gets_call_ids_of_nine_characters():
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turns = [
        USER,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "1"},
    ]

    body, _ = sent("mistral/m", messages=turns, tools=[FUNCTION])

    made = body["messages"][1]["tool_calls"][0]["id"]
    assert len(made) == 9
    assert made.isalnum()
    assert body["messages"][2]["tool_call_id"] == made


# The member in which a provider's own reasoning goes back to it, and a recording that has some.
RETURNED = [
    ("groq", "reasoning", {"reasoning"}),
    ("deepseek", "reasoning_content", {"reasoning_content"}),
    ("openrouter", "reasoning_details", {"reasoning_details"}),
]


def answers_with_reasoning(name):
    for each in RECORDINGS:
        if each.provider == name and each.status == 200 and not each.is_stream:
            message = specado.parse_response(each.body, name).choices[0].message
            if message.reasoning_details or (message.reasoning and name != "openrouter"):
                yield each, message


@pytest.mark.parametrize(("name", "member", "taken"), RETURNED)
def test_reasoning_goes_back_in_the_providers_member(name, member, taken):
    [(recording, message), *_] = answers_with_reasoning(name)

    found = specado.translate(
        {"model": "m", "messages": [USER, message, USER]}, f"{name}/{recording.model}"
    )

    given = json.loads(recording.body)["choices"][0]["message"]
    own = json.loads(found.body)["messages"][1]
    assert own[member] == given[member]
    assert {key for key in own if key.startswith("reasoning")} <= taken
    assert found.report.items == []


def test_mistrals_reasoning_goes_back_as_chunks():
    [(recording, message), *_] = answers_with_reasoning("mistral")

    found = specado.translate(
        {"model": "m", "messages": [USER, message, USER]}, f"mistral/{recording.model}"
    )

    given = json.loads(recording.body)["choices"][0]["message"]
    assert json.loads(found.body)["messages"][1] == {
        "role": "assistant",
        "content": given["content"],
    }


@pytest.mark.parametrize(
    ("name", "status", "error", "kind"),
    [
        ("groq", 498, {"message": "Flex tier capacity exceeded"}, specado.OverloadedError),
        ("openrouter", 402, {"code": 402, "message": "No."}, specado.QuotaExceededError),
        ("deepseek", 402, {"message": "Insufficient Balance"}, specado.QuotaExceededError),
        ("moonshot", 403, {"message": "Top up your account"}, specado.QuotaExceededError),
        ("zai", 429, {"code": "1113", "message": "No package"}, specado.QuotaExceededError),
        ("dashscope", 400, {"code": "Arrearage", "message": "No"}, specado.QuotaExceededError),
    ],
)
def test_an_error_has_the_class_that_the_provider_means(name, status, error, kind):
    body = json.dumps({"error": error}).encode()

    assert type(specado.parse_error(status, {}, body, name)) is kind


def test_a_wrong_key_of_xai_is_an_authentication_error():
    body = {"code": "Client specified an invalid argument", "error": "Incorrect API key provided"}

    error = specado.parse_error(400, {}, json.dumps(body).encode(), "xai")

    assert type(error) is specado.AuthenticationError


@pytest.mark.parametrize(
    ("name", "asked"), [("groq", False), ("mistral", False), ("deepseek", True)]
)
def test_usage_of_a_stream_is_asked_for_where_it_does_not_come_anyway(name, asked):
    [dialect, *_] = provider(name).dialects

    assert dialect.stream_usage is asked
