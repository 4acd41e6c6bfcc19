"""Error replies over a socket: class, number of attempts, fallback."""

from __future__ import annotations

import json

import pytest

import fault_scripts as f
import sockets
from specado import (
    AuthenticationError,
    Client,
    ContentPolicyError,
    ContextLengthError,
    InvalidRequestError,
    MalformedResponseError,
    ModelNotFoundError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)

USUAL = {"openai": "gpt-4.1", "anthropic": "claude-sonnet-4-6"}
OTHER = {"openai": "anthropic", "anthropic": "openai"}
AGAIN, ON, OVER = "again, then another", "another at once", "over"


def openai(type_, code=None, message="what happened"):
    return {"error": {"message": message, "type": type_, "param": None, "code": code}}


def anthropic(type_, message="what happened", **more):
    return {"type": "error", "error": {"type": type_, "message": message, **more}}


BLOCKED = openai("image_generation_user_error", "moderation_blocked")
COUNTRY = openai(None, "unsupported_country_region_territory")
EMPTY = openai("insufficient_quota", "credit_balance_exhausted")
FULL = openai("service_unavailable_error", "server_is_overloaded")
SPEND = anthropic("rate_limit_error", details={"error_code": "enforced_spend_limit_reached"})
LONG = "prompt is too long: 200001 tokens > 200000 maximum"
REACHED = "You have reached your specified API usage limits."
# (dialect, status, body, class, what follows); one retry is allowed. The other model's window
# is larger than that of Anthropic's.
TABLE = [
    ("openai", 400, openai("invalid_request_error"), InvalidRequestError, OVER),
    ("openai", 400, openai(None, "context_length_exceeded"), ContextLengthError, OVER),
    ("openai", 400, BLOCKED, ContentPolicyError, OVER),
    ("openai", 400, openai(None, "content_policy_violation"), ContentPolicyError, OVER),
    ("openai", 401, openai("invalid_request_error", "invalid_api_key"), AuthenticationError, OVER),
    ("openai", 402, {}, QuotaExceededError, ON),
    ("openai", 403, COUNTRY, AuthenticationError, OVER),
    ("openai", 404, openai("invalid_request_error", "model_not_found"), ModelNotFoundError, OVER),
    ("openai", 408, {}, ServerError, AGAIN),
    ("openai", 409, {}, ServerError, AGAIN),
    ("openai", 413, {}, InvalidRequestError, OVER),
    ("openai", 418, {}, InvalidRequestError, OVER),
    ("openai", 422, {}, InvalidRequestError, OVER),
    ("openai", 429, openai("requests", "rate_limit_exceeded"), RateLimitError, AGAIN),
    ("openai", 429, openai("insufficient_quota", "insufficient_quota"), QuotaExceededError, ON),
    ("openai", 429, EMPTY, QuotaExceededError, ON),
    ("openai", 429, openai("rate_limit_error", "slow_down"), OverloadedError, AGAIN),
    ("openai", 500, openai("server_error"), ServerError, AGAIN),
    ("openai", 502, {}, ServerError, AGAIN),
    ("openai", 503, FULL, OverloadedError, AGAIN),
    ("openai", 504, {}, ServerError, AGAIN),
    ("openai", 599, openai("brand_new", "brand_new"), ServerError, AGAIN),
    ("openai", 200, openai("server_error", "rate_limit_exceeded"), RateLimitError, AGAIN),
    ("openai", 200, openai("brand_new", "brand_new"), MalformedResponseError, ON),
    ("anthropic", 400, anthropic("invalid_request_error"), InvalidRequestError, OVER),
    ("anthropic", 400, anthropic("invalid_request_error", LONG), ContextLengthError, ON),
    ("anthropic", 400, anthropic("invalid_request_error", REACHED), QuotaExceededError, ON),
    ("anthropic", 401, anthropic("authentication_error"), AuthenticationError, OVER),
    ("anthropic", 402, anthropic("billing_error"), QuotaExceededError, ON),
    ("anthropic", 403, anthropic("permission_error"), AuthenticationError, OVER),
    ("anthropic", 404, anthropic("not_found_error"), ModelNotFoundError, OVER),
    ("anthropic", 409, anthropic("conflict_error"), ServerError, AGAIN),
    ("anthropic", 413, anthropic("request_too_large"), InvalidRequestError, OVER),
    ("anthropic", 429, anthropic("rate_limit_error"), RateLimitError, AGAIN),
    ("anthropic", 429, SPEND, QuotaExceededError, ON),
    ("anthropic", 500, anthropic("api_error"), ServerError, AGAIN),
    ("anthropic", 504, anthropic("timeout_error"), ServerError, AGAIN),
    ("anthropic", 529, anthropic("overloaded_error"), OverloadedError, AGAIN),
    ("anthropic", 503, anthropic("brand_new"), OverloadedError, AGAIN),
]  # fmt: skip


pytestmark = pytest.mark.usefixtures("no_backoff")


def ask(dialect, url, other_url, *, fallback):
    config = {
        "primary_provider": dialect,
        "fallback_provider": OTHER[dialect],
        "simulate": False,
        "max_retries": 1,
        "providers": {
            dialect: {"api_key": "key-one", "base_url": url},
            OTHER[dialect]: {"api_key": "key-two", "base_url": other_url},
        },
    }
    others = [USUAL[OTHER[dialect]]] if fallback else []
    return Client(config).chat.completions.create(
        USUAL[dialect], "hi", max_tokens=9, fallback_models=others
    )


@pytest.mark.parametrize(("dialect", "status", "body", "kind", "follows"), TABLE)
def test_an_error_reply(dialect, status, body, kind, follows):
    attempts = 2 if follows == AGAIN else 1
    reply = sockets.answers(sockets.reply(json.dumps(body).encode(), status, f.JSON))
    well = f.OTHER_REPLY if dialect == "openai" else f.REPLY
    with (
        sockets.ScriptedServer(reply) as server,
        sockets.ScriptedServer(reply) as another,
        sockets.ScriptedServer(sockets.answers(well)) as other,
    ):
        with pytest.raises(ProviderError) as caught:
            ask(dialect, server.url, other.url, fallback=False)
        if follows == OVER:
            with pytest.raises(kind):
                ask(dialect, another.url, other.url, fallback=True)
        else:
            found = ask(dialect, another.url, other.url, fallback=True)
            assert found.extensions.provider_used == OTHER[dialect]
            assert found.extensions.attempts == attempts + 1

    error = caught.value
    assert type(error) is kind
    assert (error.status_code, error.attempts, len(error.errors)) == (status, *[attempts] * 2)
    assert (len(server.requests), len(another.requests)) == (attempts, attempts)
    assert len(other.requests) == (follows != OVER)
