"""The error class for each documented error reply, whichever dialect it comes in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specado.dialects.contract import ErrorFacts
from specado.dialects.errors import classify, error_table
from specado.dialects.registry import DIALECTS
from specado.errors import (
    AuthenticationError,
    ContentPolicyError,
    ContextLengthError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)

# OpenAI's "Error codes" guide and Anthropic's "Errors" page, read 2026-11-22.
DOCUMENTED = [
    (401, "invalid_request_error", "invalid_api_key", "", AuthenticationError),
    (401, "authentication_error", None, "", AuthenticationError),
    (401, "invalid_request_error", None, "You must be a member of an organization", AuthenticationError),  # noqa: E501
    (403, None, "unsupported_country_region_territory", "", AuthenticationError),
    (403, "permission_error", None, "", AuthenticationError),
    (429, "requests", "rate_limit_exceeded", "", RateLimitError),
    (429, "tokens", "rate_limit_exceeded", "", RateLimitError),
    (429, "rate_limit_error", None, "", RateLimitError),
    (429, None, None, "", RateLimitError),
    (429, "insufficient_quota", "insufficient_quota", "", QuotaExceededError),
    (429, "insufficient_quota", None, "", QuotaExceededError),
    (429, "rate_limit_error", None, "This would exceed your spend limit", QuotaExceededError),
    (429, "insufficient_quota", "credit_balance_exhausted", "", QuotaExceededError),
    (429, "insufficient_quota", "organization_spend_limit_exceeded", "", QuotaExceededError),
    (429, "insufficient_quota", "project_spend_limit_exceeded", "", QuotaExceededError),
    (429, "insufficient_quota", "organization_usage_limit_exceeded", "", QuotaExceededError),
    (429, "rate_limit_error", "enforced_spend_limit_reached", "", QuotaExceededError),
    (429, "rate_limit_error", "slow_down", "", OverloadedError),
    (400, "invalid_request_error", None, "You have reached your specified API usage limits.", QuotaExceededError),  # noqa: E501
    (400, "invalid_request_error", None, "You have reached your specified workspace API usage limits.", QuotaExceededError),  # noqa: E501
    (402, None, None, "", QuotaExceededError),
    (402, "billing_error", None, "", QuotaExceededError),
    (400, "invalid_request_error", None, "Your credit balance is too low", QuotaExceededError),
    (429, None, "billing_hard_limit_reached", "", QuotaExceededError),
    (500, "server_error", None, "", ServerError),
    (500, "api_error", None, "", ServerError),
    (502, None, None, "Bad gateway", ServerError),
    (504, "timeout_error", None, "", ServerError),
    (408, None, None, "", ServerError),
    (409, None, None, "", ServerError),
    (409, "conflict_error", None, "", ServerError),
    (None, "conflict_error", None, "", ServerError),
    (None, "timeout_error", None, "", ServerError),
    (None, "server_error", "vector_store_timeout", "", ServerError),
    (503, "service_unavailable_error", "server_is_overloaded", "", OverloadedError),
    (None, "service_unavailable_error", "server_is_overloaded", "", OverloadedError),
    (503, "server_error", None, "overloaded", OverloadedError),
    (503, None, "slow_down", "", OverloadedError),
    (529, "overloaded_error", None, "", OverloadedError),
    (None, "overloaded_error", None, "", OverloadedError),
    (None, "api_error", None, "", ServerError),
    (None, "invalid_request_error", None, "", InvalidRequestError),
    (404, "invalid_request_error", "model_not_found", "", ModelNotFoundError),
    (404, "not_found_error", None, "", ModelNotFoundError),
    (404, None, None, "", ModelNotFoundError),
    (400, "invalid_request_error", "context_length_exceeded", "", ContextLengthError),
    (400, "invalid_request_error", None, "prompt is too long: 200001 tokens", ContextLengthError),
    (400, "invalid_request_error", None, "This model's maximum context length is 5", ContextLengthError),  # noqa: E501
    (400, None, "content_policy_violation", "", ContentPolicyError),
    (400, "invalid_request_error", None, "Output blocked by content filtering policy", ContentPolicyError),  # noqa: E501
    (400, "image_generation_user_error", "moderation_blocked", "", ContentPolicyError),
    (400, None, "image_content_policy_violation", "", ContentPolicyError),
    (400, None, "bio_policy", "", ContentPolicyError),
    (400, None, "misalignment_policy_violation", "", ContentPolicyError),
    (400, "invalid_request_error", "invalid_prompt", "", ContentPolicyError),
    (403, "invalid_request_error", "unsupported_country", "", AuthenticationError),
    (401, "invalid_request_error", "ip_not_authorized", "", AuthenticationError),
    (400, "invalid_request_error", "invalid_service_tier", "", InvalidRequestError),
    (400, "invalid_request_error", None, "", InvalidRequestError),
    (413, "request_too_large", None, "", InvalidRequestError),
    (422, None, None, "", InvalidRequestError),
    (302, None, None, "", InvalidRequestError),
    (418, None, None, "", InvalidRequestError),
    (599, None, None, "", ServerError),
    (200, None, None, "", ProviderError),
    (None, None, None, "", ProviderError),
    (None, "brand_new_error", "brand_new", "", ProviderError),
]  # fmt: skip


# A gateway that speaks one dialect passes on the errors of a provider that speaks the other.
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("status", "type_", "code", "message", "expected"), DOCUMENTED)
def test_each_documented_error_has_its_class_in_every_dialect(
    status: Any, type_: Any, code: Any, message: str, expected: type, dialect: str
) -> None:
    assert classify(status, ErrorFacts(type_, code, message), error_table(dialect)) is expected


@given(
    st.sampled_from(sorted(DIALECTS)),
    st.none() | st.integers(),
    st.none() | st.text(),
    st.none() | st.text(),
    st.none() | st.text(),
)
def test_any_error_has_a_class(
    dialect: str, status: Any, type_: Any, code: Any, message: Any
) -> None:
    found = classify(status, ErrorFacts(type_, code, message), error_table(dialect))

    assert issubclass(found, ProviderError)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (b'{"details":{"error_code":"spend_limit"}}', "spend_limit"),
        (b'{"details":{"error_code":1001}}', "1001"),
        (b'{"code":"own","details":{"error_code":"other"}}', "own"),
        (b'{"details":{"error_code":true}}', None),
        (b'{"details":{"error_code":null}}', None),
        (b'{"details":{}}', None),
        (b'{"details":"enforced_spend_limit_reached"}', None),
        (b"{}", None),
    ],
)
def test_anthropics_errors_have_their_code_in_the_details(error: bytes, code: str) -> None:
    body = b'{"type":"error","error":' + error + b',"request_id":"req_1"}'

    facts = DIALECTS["anthropic_messages"].decode_error(429, {}, body)

    assert facts.code == code
    assert facts.request_id == "req_1"


def test_the_details_of_other_dialects_errors_are_not_read() -> None:
    body = b'{"error":{"message":"no","details":{"error_code":"enforced_spend_limit_reached"}}}'

    facts = DIALECTS["openai_chat"].decode_error(429, {}, body)

    assert facts == ErrorFacts(message="no")


@pytest.mark.parametrize(
    "body", [b"", b"no JSON", b"\xff", b"[]", b'{"error":[]}', b'{"error":' + b"[" * 100_000]
)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_any_error_body_gives_facts(dialect: str, body: bytes) -> None:
    assert DIALECTS[dialect].decode_error(500, {}, body) == ErrorFacts()
