"""The simulated OpenAI-compatible providers: paths, refusals, forms of replies and errors."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

import specado
from specado.simulator import handle
from specado.simulator.family import FAMILY
from specado.simulator.family_api import REASONING

EACH = pytest.mark.parametrize("name", FAMILY)
USER = {"role": "user", "content": "Hello"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
KEY = {"authorization": "Bearer any"}
ANSWER = "Simulated reply to: Hello"
MODEL = "llama-3.3-70b-versatile"  # served by each, listed by no manifest


def path(name: str) -> str:
    return f"/{name}{FAMILY[name].root}/chat/completions"


def ask(name: str, *messages: Any, url: str = "", **members: Any) -> Any:
    body = {"model": MODEL, "messages": list(messages) or [USER], **members}
    return handle(
        "POST", url or path(name), KEY, json.dumps(body).encode(), keys=True,
    )  # fmt: skip


def answer(name: str, *messages: Any, **members: Any) -> Any:
    reply = ask(name, *messages, **members)
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


def chunks(name: str, **members: Any) -> list[Any]:
    reply = ask(name, stream=True, **members)
    lines = reply.body.decode().split("\n\n")
    assert (lines[-2:] == ["data: [DONE]", ""]) is FAMILY[name].sends_done
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


@EACH
def test_the_official_client_reads_the_replies(name: str, server: Any) -> None:
    client = openai.OpenAI(base_url=server.base_url(name), api_key="k", max_retries=0)
    asked: Any = {"model": MODEL, "messages": [USER]}

    with client:
        whole = client.chat.completions.create(**asked)
        streamed = list(client.chat.completions.create(stream=True, **asked))

    assert whole.choices[0].message.content == ANSWER
    assert whole.usage is not None
    told = [choice.delta.content or "" for chunk in streamed for choice in chunk.choices]
    assert "".join(told) == ANSWER


@EACH
def test_a_provider_is_known_by_its_address_and_by_its_prefix(name: str) -> None:
    at_address = ask(name, url=f"{FAMILY[name].address}/chat/completions")

    assert at_address.body == ask(name).body
    assert ask(name, url=f"/{name}/chat/completion").status == 404


@pytest.mark.parametrize(
    ("name", "members", "status"),
    [
        *[("groq", each, 400) for each in (
            {"logit_bias": {"1": 1}}, {"logprobs": True}, {"top_logprobs": 2}, {"n": 2},
            {"messages": [{**USER, "name": "a"}]}, {"tools": [{"type": "custom"}]},
            {"messages": [{"role": "developer", "content": "a"}]},
        )],
        *[("mistral", each, 422) for each in (
            {"seed": 1}, {"store": False}, {"user": "a"}, {"logit_bias": {}},
            {"max_completion_tokens": 5}, {"stream_options": {"include_usage": True}},
        )],
        *[("mistral", each, 400) for each in (
            {"tools": []}, {"messages": [{"role": "developer", "content": "a"}]},
            {"messages": [USER, {"role": "tool", "tool_call_id": "call_1", "content": "a"}]},
        )],
        ("deepseek", {"messages": [{"role": "developer", "content": "a"}]}, 422),
        ("deepseek", {"response_format": SCHEMA}, 422),
        ("xai", {"logit_bias": {"1": 1}}, 400),
        ("cerebras", {"presence_penalty": 0.5}, 400),
        ("perplexity", {"tools": [TOOL]}, 400),
        ("zai", {"response_format": SCHEMA}, 400),
        ("zai", {"tools": [TOOL], "tool_choice": "required"}, 400),
    ],
)  # fmt: skip
def test_what_a_provider_refuses_is_refused(name: str, members: Any, status: int) -> None:
    reply = ask(name, **members)

    assert reply.status == status


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("groq", {"max_tokens": 5, "reasoning_format": "parsed", "n": 1}),
        ("mistral", {"random_seed": 1, "safe_prompt": True, "tools": [TOOL], "tool_choice": "any"}),
        ("deepseek", {"thinking": {"type": "disabled"}, "user_id": "a"}),
        ("openrouter", {"provider": {}, "models": ["a"], "transforms": [], "logit_bias": {}}),
        ("perplexity", {"search_mode": "web", "response_format": SCHEMA}),
        ("zai", {"do_sample": True, "tools": [TOOL], "tool_choice": "auto"}),
        ("ollama", {"keep_alive": 5}),
    ],
)
def test_a_providers_own_members_are_taken(name: str, members: Any) -> None:
    assert ask(name, **members).status == 200


@pytest.mark.parametrize(
    ("name", "asked", "told"),
    [
        ("groq", {"reasoning_effort": "low"}, {"reasoning": REASONING}),
        ("deepseek", {"thinking": {"type": "enabled"}}, {"reasoning_content": REASONING}),
        ("openrouter", {"reasoning": {"effort": "low"}}, {"reasoning": REASONING}),
        ("xai", {"reasoning_effort": "low"}, {"reasoning_content": REASONING}),
        ("cerebras", {"reasoning_effort": "low"}, {"reasoning": REASONING}),
        ("zai", {"thinking": {"type": "enabled"}}, {"reasoning_content": REASONING}),
        ("ollama", {"reasoning_effort": "low"}, {"reasoning": REASONING}),
        (
            "mistral",
            {"reasoning_effort": "high"},
            {"content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": REASONING}]},
                {"type": "text", "text": ANSWER},
            ]},
        ),
    ],
)  # fmt: skip
def test_reasoning_stands_where_the_provider_writes_it(name: str, asked: Any, told: Any) -> None:
    whole = answer(name, **asked)["choices"][0]["message"]
    deltas = [choice["delta"] for chunk in chunks(name, **asked) for choice in chunk["choices"]]

    assert {**whole, **told} == whole
    [member] = told
    written = [delta[member] for delta in deltas if delta.get(member)]
    assert written[0] == (told[member][:1] if name == "mistral" else REASONING)


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("groq", {"queue_time", "prompt_time", "completion_time", "total_time"}),
        ("mistral", {"num_cached_tokens"}),
        ("deepseek", {"prompt_cache_hit_tokens", "prompt_cache_miss_tokens"}),
        ("openrouter", {"cost", "cost_details", "is_byok"}),
        ("xai", {"num_sources_used"}),
        ("perplexity", {"search_context_size", "cost"}),
    ],
)
def test_a_usage_has_the_providers_members(name: str, members: set[str]) -> None:
    usage = answer(name)["usage"]

    assert members <= set(usage)
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_xais_reasoning_is_no_part_of_the_completion() -> None:
    usage = answer("xai", reasoning_effort="low")["usage"]

    assert usage["total_tokens"] == (
        usage["prompt_tokens"] + usage["completion_tokens"]
        + usage["completion_tokens_details"]["reasoning_tokens"]
    )  # fmt: skip


@pytest.mark.parametrize("name", ["groq", "mistral", "openrouter", "perplexity"])
def test_a_stream_has_its_usage_unasked(name: str) -> None:
    last = chunks(name)[-1]

    assert last["usage"]["total_tokens"] > 0
    is_joined = name in ("groq", "mistral")
    assert bool(last["choices"] and last["choices"][0]["finish_reason"]) is is_joined


@pytest.mark.parametrize("name", ["deepseek", "xai", "ollama"])
def test_a_stream_has_its_usage_on_request(name: str) -> None:
    asked = chunks(name, stream_options={"include_usage": True})

    assert asked[-1]["usage"]["total_tokens"] > 0
    assert all("usage" not in chunk for chunk in chunks(name))


def test_the_forms_of_one_provider_each() -> None:
    assert ask("openrouter", stream=True).body.startswith(b": OPENROUTER PROCESSING\n\n")
    assert answer("openrouter")["choices"][0]["native_finish_reason"] == "stop"
    assert answer("groq")["x_groq"] == {"id": "req_simulated"}
    assert answer("mistral", max_tokens=1)["choices"][0]["finish_reason"] == "model_length"
    assert answer("perplexity")["citations"] == ["https://example.com/"]
    assert all("message" in choice for chunk in chunks("perplexity") for choice in chunk["choices"])


def failed(name: str, model: str, **members: Any) -> tuple[int, Any]:
    body = json.dumps({"model": model, "messages": [USER], **members}).encode()
    reply = handle("POST", path(name), KEY, body, keys=True)
    return reply.status, json.loads(reply.body)


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("groq", 429, {"error": {"code": "insufficient_quota"}}),
        ("deepseek", 402, {"error": {"code": "invalid_request_error"}}),
        ("openrouter", 402, {"error": {"code": 402}, "user_id": "user_simulated"}),
        ("cerebras", 402, {"error": {"code": None}}),
        ("zai", 429, {"error": {"code": "1113"}}),
        ("xai", 429, {"code": "insufficient_quota"}),
        ("mistral", 429, {"object": "error"}),
    ],
)
def test_a_used_up_balance_is_told_as_the_provider_does(name: str, status: int, body: Any) -> None:
    found, told = failed(name, "quota-test-model")

    assert found == status
    for member, value in body.items():
        if isinstance(value, dict):
            assert {**told[member], **value} == told[member]
        else:
            assert told[member] == value


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("groq", 401, None),
        ("mistral", 401, {"detail": "Unauthorized"}),
        ("xai", 400, None),
        ("zai", 401, None),
        ("ollama", 200, None),
    ],
)
def test_a_wrong_key_is_told_as_the_provider_does(name: str, status: int, body: Any) -> None:
    given = json.dumps({"model": MODEL, "messages": [USER]}).encode()

    reply = handle(
        "POST", path(name), {"authorization": "Bearer wrong"}, given, keys=True,
    )  # fmt: skip

    assert reply.status == status
    if body is not None:
        assert json.loads(reply.body) == body


def test_groqs_stream_ends_with_a_named_error() -> None:
    body = json.dumps(
        {"model": "stream-error-test-model", "messages": [USER], "stream": True}
    ).encode()

    reply = handle("POST", path("groq"), KEY, body)

    assert b"event: error\ndata: {" in reply.body
    assert b"[DONE]" not in reply.body


def test_a_strict_server_names_the_member_that_it_does_not_know() -> None:
    reply = ask("mistral", seed=1)

    [detail] = json.loads(reply.body)["message"]["detail"]
    assert (detail["type"], detail["loc"]) == ("extra_forbidden", ["body", "seed"])


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://my.openai.azure.com/openai/v1/chat/completions", 200),
        ("https://my.services.ai.azure.com/openai/v1/chat/completions", 200),
        ("https://my.openai.azure.com/openai/deployments/d/chat/completions?api-version=1", 200),
        ("https://my.openai.azure.com/openai/deployments/d/chat/completions", 404),
        ("/azure/openai/deployments/d/chat/completions?api-version=1", 200),
        ("https://{host}/openai/v1/chat/completions", 200),
    ],
)
def test_the_addresses_of_azure(url: str, status: int) -> None:
    reply = ask("azure", url=url)

    assert reply.status == status
    if status == 200:
        assert "prompt_filter_results" in json.loads(reply.body)
    else:
        assert json.loads(reply.body)["error"]["code"] == "404"


def test_a_simulated_call_needs_no_host() -> None:
    reply = specado.Client({"simulate": True}).chat.completions.create(
        model="azure/a-deployment", messages="Hello"
    )

    assert reply.choices[0].message.content == ANSWER


STREAM_FAULTS = {
    "stream-error-test-model": specado.ServerError,
    "stream-overloaded-test-model": specado.OverloadedError,
    "stream-early-cut-test-model": specado.MalformedResponseError,
    "stream-late-error-test-model": specado.StreamInterruptedError,
    "stream-cut-test-model": specado.StreamInterruptedError,
    "stream-idle-test-model": specado.StreamInterruptedError,
    "stream-malformed-test-model": specado.StreamInterruptedError,
    "stream-unterminated-test-model": specado.StreamInterruptedError,
}
GOOD = ["bytewise", "crlf", "cr", "ping"]


@EACH
def test_streams_fail_as_their_names_say(name: str) -> None:
    client = specado.Client({"simulate": True, "max_retries": 0})

    def play(model: str) -> str:
        stream = client.chat.completions.create(
            model=f"{name}/{model}", messages="Hello", stream=True, fallback_models=[]
        )
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)

    for model, error in STREAM_FAULTS.items():
        with pytest.raises(error):
            play(model)
    assert {play(f"stream-{word}-test-model") for word in GOOD} == {ANSWER}
