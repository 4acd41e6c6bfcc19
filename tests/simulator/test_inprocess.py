"""The simulator as a transport: faults cost no time, replies are whole."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json

import pytest

import official
from specado import register_manifest
from specado.simulator import (
    FAULT_MODELS,
    FAULTS,
    AsyncInProcessTransport,
    InProcessTransport,
)
from specado.transport import Limits, TransportFailure, WireRequest

MESSAGES = [{"role": "user", "content": "Hello"}]
FAILURES = {
    "timeout-test-model": ("timeout", True),
    "connection-refused-test-model": ("connect", False),
    "connection-reset-test-model": ("reset", True),
    "truncated-test-model": ("truncated", True),
}
OPENAI_ERRORS = {
    "rate-limit-test-model": (429, "requests", "rate_limit_exceeded"),
    "server-error-test-model": (500, "server_error", None),
    "auth-error-test-model": (401, "invalid_request_error", "invalid_api_key"),
    "permission-test-model": (
        403,
        "invalid_request_error",
        "unsupported_country_region_territory",
    ),
    "overloaded-test-model": (503, "server_error", None),
    "quota-test-model": (429, "insufficient_quota", "insufficient_quota"),
    "context-length-test-model": (400, "invalid_request_error", "context_length_exceeded"),
    "content-policy-test-model": (400, "invalid_request_error", "content_policy_violation"),
    "not-found-test-model": (404, "invalid_request_error", "model_not_found"),
}
ANTHROPIC_ERRORS = {
    "rate-limit-test-model": (429, "rate_limit_error"),
    "server-error-test-model": (500, "api_error"),
    "auth-error-test-model": (401, "authentication_error"),
    "permission-test-model": (403, "permission_error"),
    "overloaded-test-model": (529, "overloaded_error"),
    "quota-test-model": (400, "invalid_request_error"),
    "context-length-test-model": (400, "invalid_request_error"),
    "content-policy-test-model": (400, "invalid_request_error"),
    "not-found-test-model": (404, "not_found_error"),
}


def openai_request(model, url="https://api.openai.com/v1/chat/completions"):
    body = json.dumps({"model": model, "messages": MESSAGES}).encode()
    return WireRequest("POST", url, (("Authorization", "Bearer none"),), body)


def anthropic_request(model):
    body = json.dumps({"model": model, "max_tokens": 9, "messages": MESSAGES}).encode()
    headers = (("X-Api-Key", "none"), ("Anthropic-Version", "2023-06-01"))
    return WireRequest("POST", "https://api.anthropic.com/v1/messages", headers, body)


def send_async(request):
    return asyncio.run(AsyncInProcessTransport().send(request, 5.0, Limits()))


def send_sync(request):
    return InProcessTransport().send(request, 5.0, Limits())


@pytest.fixture(params=[send_sync, send_async], ids=["sync", "async"])
def send(request):
    return request.param


def test_replies_of_both_providers(send):
    openai, anthropic = send(openai_request("gpt-4")), send(anthropic_request("claude-3-opus"))

    assert (openai.status, anthropic.status) == (200, 200)
    assert official.problems("openai-response", openai.body) == []
    assert official.problems("anthropic-response", anthropic.body) == []
    assert openai.headers["x-request-id"].startswith("req_")
    assert anthropic.headers["request-id"].startswith("req_")


@pytest.mark.parametrize("model", FAILURES)
@pytest.mark.parametrize("request_for", [openai_request, anthropic_request])
def test_broken_exchanges_are_transport_failures(send, model, request_for):
    with pytest.raises(TransportFailure) as caught:
        send(request_for(model))

    assert (caught.value.kind, caught.value.sent) == FAILURES[model]


@pytest.mark.parametrize("model", OPENAI_ERRORS)
def test_openai_errors(send, model):
    reply = send(openai_request(model))
    error = json.loads(reply.body)["error"]

    assert official.problems("openai-error", reply.body) == []
    assert (reply.status, error["type"], error["code"]) == OPENAI_ERRORS[model]


@pytest.mark.parametrize("model", ANTHROPIC_ERRORS)
def test_anthropic_errors(send, model):
    reply = send(anthropic_request(model))
    error = json.loads(reply.body)["error"]

    assert official.problems("anthropic-error", reply.body) == []
    assert (reply.status, error["type"]) == ANTHROPIC_ERRORS[model]


@pytest.mark.parametrize("request_for", [openai_request, anthropic_request])
def test_rate_limits_say_how_long_to_wait(request_for):
    assert send_sync(request_for("rate-limit-test-model")).headers["retry-after"] == "1"


@pytest.mark.parametrize("request_for", [openai_request, anthropic_request])
def test_bodies_that_are_no_answer(request_for):
    gateway = send_sync(request_for("bad-gateway-test-model"))
    malformed = send_sync(request_for("malformed-test-model"))
    empty = send_sync(request_for("empty-test-model"))

    assert (gateway.status, gateway.headers["content-type"]) == (502, "text/html")
    assert malformed.status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(malformed.body)
    assert empty.status == 200
    assert not json.loads(empty.body).get("choices", json.loads(empty.body).get("content"))


def test_slow_comes_at_once():
    assert send_sync(openai_request("slow-test-model")).status == 200


def test_every_fault_is_covered_here_and_documented_in_its_name():
    others = {"bad-gateway-test-model", "malformed-test-model", "empty-test-model"}
    unstreamed = {name for name in FAULT_MODELS if not name.startswith("stream-")}

    assert unstreamed == {*FAILURES, *OPENAI_ERRORS, *others, "slow-test-model"}
    assert all(name.endswith("-test-model") and FAULTS[name].model == name for name in FAULTS)


def test_no_other_name_is_a_fault():
    reply = send_sync(openai_request("my-timeout-test-model"))

    assert reply.status == 404


def test_a_prompt_that_names_a_fault_model_is_no_fault():
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "timeout-test-model"}]}
    request = WireRequest(
        "POST", "https://api.openai.com/v1/chat/completions", (), json.dumps(body).encode()
    )

    assert send_sync(request).status == 200


@pytest.mark.parametrize(("model", "status"), [("gpt-4", 200), ("o1-mini", 200), ("gpt-none", 404)])
def test_models_of_the_manifest_answer_retired_ones_too(model, status):
    assert send_sync(openai_request(model)).status == status


def test_a_server_of_ones_own_has_the_models_of_its_manifest():
    register_manifest({"name": "open", "base_url": "http://open.test/v1"})
    register_manifest(
        {"name": "small", "base_url": "http://small.test/api", "models": {"tiny": {}}}
    )

    assert send_sync(openai_request("any", "http://open.test/v1/chat/completions")).status == 200
    small = "http://small.test/api/chat/completions"
    assert send_sync(openai_request("tiny", small)).status == 200
    assert send_sync(openai_request("any", small)).status == 404
    assert send_sync(openai_request("any")).status == 404


def test_a_reply_over_the_limit_is_refused():
    transport = InProcessTransport()

    with pytest.raises(TransportFailure) as caught:
        transport.send(openai_request("gpt-4o"), 5.0, Limits(max_reply_bytes=10))
    assert caught.value.kind == "too_large"
    cut = transport.send(openai_request("gpt-none"), 5.0, Limits(max_error_bytes=10))
    assert len(cut.body) == 10


def test_a_transport_may_be_shared_by_threads():
    transport = InProcessTransport()

    def ask(number):
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": str(number)}]}
        request = WireRequest("POST", "/v1/chat/completions", (), json.dumps(body).encode())
        reply = json.loads(transport.send(request, 5.0, Limits()).body)
        return reply["choices"][0]["message"]["content"]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(200))) == [
            f"Simulated reply to: {number}" for number in range(200)
        ]
