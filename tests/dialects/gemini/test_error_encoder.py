"""Errors for clients of Gemini's API: status and name of each class, and the details."""

from __future__ import annotations

import json

import pytest

import specado
from encoded_errors import ERRORS
from specado.dialects.gemini.error_encoder import encode_gemini_error as encode

TOO_LONG = "The input token count exceeds the maximum number of tokens allowed"


@pytest.mark.parametrize(
    ("name", "status", "word"),
    [
        ("authentication", 401, "UNAUTHENTICATED"),
        ("permission", 403, "PERMISSION_DENIED"),
        ("rate limit", 429, "RESOURCE_EXHAUSTED"),
        ("quota", 402, "RESOURCE_EXHAUSTED"),
        ("overloaded", 503, "UNAVAILABLE"),
        ("invalid", 400, "INVALID_ARGUMENT"),
        ("unprocessable", 422, "INVALID_ARGUMENT"),
        ("redirect", 400, "INVALID_ARGUMENT"),
        ("model", 404, "NOT_FOUND"),
        ("context", 400, "INVALID_ARGUMENT"),
        ("policy", 400, "INVALID_ARGUMENT"),
        ("server", 500, "INTERNAL"),
        ("malformed", 502, "INTERNAL"),
        ("connection", 502, "INTERNAL"),
        ("deadline", 504, "DEADLINE_EXCEEDED"),
        ("interrupted", 502, "INTERNAL"),
        ("unknown", 500, "INTERNAL"),
        ("configuration", 400, "INVALID_ARGUMENT"),
        ("lossy", 400, "INVALID_ARGUMENT"),
        ("message", 400, "INVALID_ARGUMENT"),
        ("any other", 500, "INTERNAL"),
    ],
)
def test_each_class_has_its_status(name, status, word):
    found, _, body = encode(ERRORS[name])

    error = json.loads(body)["error"]
    assert (found, error["code"], error["status"]) == (status, status, word)


def test_the_delay_to_wait_is_in_the_details():
    error = json.loads(encode(ERRORS["rate limit"])[2])["error"]

    assert error["details"] == [
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.25s"}
    ]


def test_a_refused_prompt_has_its_reason():
    error = json.loads(encode(ERRORS["policy"])[2])["error"]

    assert error["details"] == [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "PROMPT_BLOCKED"}
    ]


def test_a_long_prompt_is_named_as_clients_know_it():
    foreign = json.loads(encode(specado.ContextLengthError("openai/m: refused"))[2])
    own = json.loads(encode(specado.ContextLengthError(f"gemini/m: {TOO_LONG} (9)."))[2])

    assert foreign["error"]["message"] == f"{TOO_LONG}: openai/m: refused"
    assert own["error"]["message"] == f"gemini/m: {TOO_LONG} (9)."


def test_the_request_id_is_a_header():
    assert encode(ERRORS["server"])[1]["x-request-id"] == "req_1"
