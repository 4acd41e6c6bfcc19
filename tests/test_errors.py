"""The error tree, its messages, its round trips, and the table that gives an error its class."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raised_errors import full, raise_one
from specado import errors
from specado.errors import (
    AuthenticationError,
    ConfigurationError,
    ContentPolicyError,
    ContextLengthError,
    DeadlineExceededError,
    InvalidRequestError,
    LossyTranslationError,
    MessageFormatError,
    ModelNotFoundError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    SpecadoError,
    classify,
    redact,
)

TREE = sorted(
    (
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, SpecadoError)
    ),
    key=lambda kind: kind.__name__,
)
PREFIXES = {
    ConfigurationError: "Configuration error: ",
    MessageFormatError: "Message format error: ",
    ProviderError: "Provider error: ",
}
BUILT_IN = [
    (ConfigurationError, ValueError),
    (MessageFormatError, TypeError),
    (ProviderError, RuntimeError),
    (DeadlineExceededError, TimeoutError),
]


@pytest.mark.parametrize(("kind", "built_in"), BUILT_IN)
def test_the_documented_built_in_classes_are_bases(kind: type, built_in: type) -> None:
    assert issubclass(kind, (built_in, SpecadoError))
    assert issubclass(kind, built_in)


@pytest.mark.parametrize("kind", TREE)
def test_every_message_begins_with_its_prefix(kind: type[SpecadoError]) -> None:
    prefix = next((text for base, text in PREFIXES.items() if issubclass(kind, base)), "")

    error = kind("what happened")

    assert str(error) == f"{prefix}what happened"
    assert error.message == "what happened"


def attempted(provider: str, model: str = "m") -> ProviderError:
    return ServerError("failed", provider=provider, model=model)


@pytest.mark.parametrize(
    ("errors_before", "facts", "routing_failed"),
    [
        ([], {}, False),
        ([attempted("a")], {}, False),
        ([attempted("a"), attempted("a")], {}, False),
        ([attempted("a"), attempted("b")], {}, True),
        ([attempted("a"), attempted("a", "other")], {}, True),
        ([], {"attempts": 0}, True),
        ([attempted("a")], {"attempts": 1}, False),
    ],
)
@pytest.mark.parametrize("kind", [each for each in TREE if issubclass(each, ProviderError)])
def test_routing_failed_where_several_candidates_were_asked_or_none(
    kind: type[ProviderError], errors_before: Any, facts: Any, routing_failed: bool
) -> None:
    error = kind("what happened", errors=tuple(errors_before), **facts)

    is_said = routing_failed and kind is not errors.StreamInterruptedError
    said = "Routing failed: " if is_said else ""
    assert (
        str(error)
        == str(pickle.loads(pickle.dumps(error)))
        == (f"Provider error: {said}what happened")
    )
    assert error.message == "what happened"


def facts_of(error: Any) -> Any:
    facts = {name: value for name, value in vars(error).items() if name != "errors"}
    return type(error), error.args, facts, [str(inner) for inner in error.errors]


@pytest.mark.parametrize("kind", TREE)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_errors_survive_pickle(kind: type[SpecadoError], protocol: int) -> None:
    error = full(kind)

    assert facts_of(pickle.loads(pickle.dumps(error, protocol))) == facts_of(error)


@pytest.mark.parametrize("kind", TREE)
def test_errors_survive_copies(kind: type[SpecadoError]) -> None:
    error = full(kind)

    assert facts_of(copy.copy(error)) == facts_of(error)
    assert facts_of(copy.deepcopy(error)) == facts_of(error)


def test_errors_survive_a_process_pool() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for kind in (DeadlineExceededError, LossyTranslationError, MessageFormatError):
            error = pool.submit(raise_one, kind).exception(60)

            assert facts_of(error) == facts_of(full(kind))


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


@pytest.mark.parametrize(("status", "type_", "code", "message", "expected"), DOCUMENTED)
def test_each_documented_error_has_its_class(
    status: Any, type_: Any, code: Any, message: str, expected: type
) -> None:
    assert classify(status, type_, code, message) is expected


@given(
    st.none() | st.integers(),
    st.none() | st.text(),
    st.none() | st.text(),
    st.text(),
)
def test_any_error_has_a_class(status: Any, type_: Any, code: Any, message: str) -> None:
    assert issubclass(classify(status, type_, code, message), ProviderError)


@pytest.mark.parametrize(
    ("text", "secrets", "expected"),
    [
        ("Incorrect API key provided: sk-abcd1234", [], "Incorrect API key provided: ***"),
        ("sk-ant-api03-aa_bb-cc", [], "***"),
        ("sk-proj-****wxyz.", [], "***"),
        ("Authorization: Bearer abc.def", [], "Authorization: Bearer ***"),
        ("key is hunter2!", ["hunter2"], "key is ***!"),
        ("abcdef abc", ["abc", "abcdef"], "*** ***"),
        ("nothing here, task-1234 asks", ["", None], "nothing here, task-1234 asks"),
    ],
)
def test_keys_are_masked(text: str, secrets: Any, expected: str) -> None:
    assert redact(text, secrets) == expected
