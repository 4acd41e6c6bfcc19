"""Errors that the manifest of a provider states count before the tables of the dialects."""

from __future__ import annotations

import json

import pytest

import specado

ERRORS = {
    "codes": {"1300": "ContentPolicyError", "token_limit": "ContextLengthError"},
    "statuses": {"403": "QuotaExceededError"},
    "messages": [
        {"words": "incorrect api key", "class": "AuthenticationError", "status": 400},
        {"words": "try later", "class": "OverloadedError"},
    ],
}


def error(status, body, errors=ERRORS):
    specado.register_manifest(
        {"name": "other", "base_url": "https://llm.example/v1", "errors": errors}, replace=True
    )
    return specado.parse_error(status, None, json.dumps(body), "other")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": {"code": "1300", "message": "No"}}, specado.ContentPolicyError),
        (400, {"error": {"type": "token_limit", "message": "No"}}, specado.ContextLengthError),
        (403, {"error": {"message": "No"}}, specado.QuotaExceededError),
        (403, {"error": {"code": "invalid_api_key"}}, specado.AuthenticationError),
        (400, {"error": "Incorrect API key provided: x"}, specado.AuthenticationError),
        (404, {"error": {"message": "Incorrect API key"}}, specado.ModelNotFoundError),
        (500, {"error": {"message": "Busy, try LATER"}}, specado.OverloadedError),
        (429, {"error": {"message": "Slow down"}}, specado.RateLimitError),
    ],
)
def test_the_class_is_the_stated_one(status, body, expected):
    assert type(error(status, body)) is expected


@pytest.mark.parametrize(
    ("errors", "problem"),
    [
        (
            {"codes": {"x": "RateLimit"}},
            "errors.codes.x 'RateLimit' is not one of .*RateLimitError",
        ),
        ({"statuses": {"x": "ServerError"}}, "errors.statuses 'x'"),
        ({"messages": [{"words": "Busy", "class": "ServerError"}]}, "words"),
        ({"messages": [{"words": "busy", "class": "KeyError"}]}, r"messages\[0\].class"),
    ],
)
def test_wrong_errors_are_named(errors, problem):
    with pytest.raises(specado.ConfigurationError, match=problem):
        error(400, {}, errors)
