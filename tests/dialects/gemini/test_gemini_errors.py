"""Error replies of Gemini: their classes, and the delays that their details ask for."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado

TYPE = "type.googleapis.com/google.rpc."
INVALID_KEY = {"@type": f"{TYPE}ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
LEAKED = "Your API key was reported as leaked. Please use another API key."
TOO_LONG = "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576)."
QUOTA = "You exceeded your current quota, please check your plan and billing details."


def retry(delay: str) -> dict[str, Any]:
    return {"@type": f"{TYPE}RetryInfo", "retryDelay": delay}


def quota(id_: str, **more: Any) -> dict[str, Any]:
    violation = {"quotaMetric": "generate_content_free_tier_requests", "quotaId": id_, **more}
    return {"@type": f"{TYPE}QuotaFailure", "violations": [violation]}


PER_MINUTE = quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", quotaValue="5")
PER_DAY = quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", quotaValue="20")
NONE_AT_ALL = quota("GenerateContentInputTokensPerModelPerMinute-FreeTier", quotaValue="0")


def error(status: int, word: str, message: str, *details: Any, code: Any = None) -> Any:
    found: dict[str, Any] = {
        "code": status if code is None else code, "message": message, "status": word,
    }  # fmt: skip
    if details:
        found["details"] = list(details)
    return specado.parse_error(status, {}, json.dumps({"error": found}), "gemini")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((400, "INVALID_ARGUMENT", "API key not valid.", INVALID_KEY), specado.AuthenticationError),
        ((400, "INVALID_ARGUMENT", "API key not valid."), specado.AuthenticationError),
        (
            (400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
            specado.AuthenticationError,
        ),
        ((400, "INVALID_ARGUMENT", TOO_LONG), specado.ContextLengthError),
        ((400, "INVALID_ARGUMENT", "Corrupted thought signature."), specado.InvalidRequestError),
        ((401, "UNAUTHENTICATED", "No credentials"), specado.AuthenticationError),
        ((403, "PERMISSION_DENIED", LEAKED), specado.AuthenticationError),
        ((402, "RESOURCE_EXHAUSTED", "Prepaid credit is used up"), specado.QuotaExceededError),
        ((404, "NOT_FOUND", "models/x is not found for API v1"), specado.ModelNotFoundError),
        ((429, "RESOURCE_EXHAUSTED", QUOTA, PER_MINUTE, retry("8s")), specado.RateLimitError),
        ((429, "RESOURCE_EXHAUSTED", QUOTA, PER_DAY, retry("8s")), specado.QuotaExceededError),
        ((429, "RESOURCE_EXHAUSTED", QUOTA, NONE_AT_ALL), specado.QuotaExceededError),
        ((429, "RESOURCE_EXHAUSTED", "Resource exhausted"), specado.RateLimitError),
        ((499, "CANCELLED", "The operation was cancelled."), specado.ServerError),
        ((500, "INTERNAL", "An internal error has occurred."), specado.ServerError),
        ((503, "UNAVAILABLE", "The model is overloaded."), specado.OverloadedError),
        ((504, "DEADLINE_EXCEEDED", "Deadline expired"), specado.ServerError),
    ],
)
def test_an_error_has_its_class(given: Any, expected: Any) -> None:
    assert type(error(*given)) is expected


def test_the_code_in_the_body_counts_before_the_status() -> None:
    found = error(500, "RESOURCE_EXHAUSTED", "Too many", code=429)

    assert type(found) is specado.RateLimitError


@pytest.mark.parametrize(
    ("details", "message", "expected"),
    [
        ([retry("48s")], "Too many", 48.0),
        ([PER_MINUTE, retry("0.5s")], "Too many", 0.5),
        ([], "Too many. Please retry in 12.25s.", 12.25),
        ([retry("soon")], "Too many", None),
        ([], "Too many", None),
    ],
)
def test_the_delay_is_in_the_details(details: Any, message: str, expected: Any) -> None:
    assert error(429, "RESOURCE_EXHAUSTED", message, *details).retry_after_s == expected


def test_a_retry_after_header_counts_before_the_details() -> None:
    body = json.dumps({"error": {"code": 429, "message": "m", "details": [retry("48s")]}})

    found = specado.parse_error(429, {"Retry-After": "3"}, body, "gemini")

    assert found.retry_after_s == 3.0


def test_an_error_may_stand_in_a_list() -> None:
    body = json.dumps([{"error": {"code": 503, "message": "Busy", "status": "UNAVAILABLE"}}])

    found = specado.parse_error(503, {}, body, "gemini")

    assert type(found) is specado.OverloadedError
    assert "Busy" in str(found)
    assert found.code == "UNAVAILABLE"


@pytest.mark.parametrize(
    "body",
    [
        "", "busy", "<html>", "[]", "{}", "[5]", '{"error": "busy"}', '{"error": {"details": [5]}}',
        '{"error": {"message": "m", "details": [{"violations": 5}, {"reason": 5}]}}',
        '{"error": {"message": "m", "code": 9.5}}', '{"detail": [{"loc": ["a"], "msg": "b"}]}',
    ],
)  # fmt: skip
def test_any_body_gives_the_class_of_the_status(body: str) -> None:
    assert type(specado.parse_error(429, {}, body, "gemini")) is specado.RateLimitError
