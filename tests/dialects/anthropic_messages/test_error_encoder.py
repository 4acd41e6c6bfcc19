"""Errors for clients of Anthropic's API: status and type of each class."""

from __future__ import annotations

import json

import pytest

import specado
from encoded_errors import ERRORS
from specado.dialects.anthropic_messages.error_encoder import encode_anthropic_error as encode


@pytest.mark.parametrize(
    ("name", "status", "type_"),
    [
        ("authentication", 401, "authentication_error"),
        ("permission", 403, "permission_error"),
        ("rate limit", 429, "rate_limit_error"),
        ("quota", 402, "billing_error"),
        ("overloaded", 529, "overloaded_error"),
        ("invalid", 400, "invalid_request_error"),
        ("unprocessable", 422, "invalid_request_error"),
        ("redirect", 400, "invalid_request_error"),
        ("model", 404, "not_found_error"),
        ("context", 400, "invalid_request_error"),
        ("policy", 400, "invalid_request_error"),
        ("server", 500, "api_error"),
        ("malformed", 502, "api_error"),
        ("connection", 502, "api_error"),
        ("deadline", 504, "timeout_error"),
        ("interrupted", 502, "api_error"),
        ("unknown", 500, "api_error"),
        ("configuration", 400, "invalid_request_error"),
        ("lossy", 400, "invalid_request_error"),
        ("message", 400, "invalid_request_error"),
        ("whole message", 400, "invalid_request_error"),
        ("argument", 400, "invalid_request_error"),
        ("any other", 500, "api_error"),
    ],
)
def test_each_class_has_its_status_and_type(name, status, type_):
    found, _, body = encode(ERRORS[name])

    assert (found, json.loads(body)["error"]["type"]) == (status, type_)


@pytest.mark.parametrize(
    ("kind", "wording"),
    [
        (specado.ContextLengthError, "prompt is too long"),
        (specado.ContentPolicyError, "Output blocked by content filtering policy"),
    ],
)
def test_a_message_begins_as_clients_know_it(kind, wording):
    foreign = json.loads(encode(kind("openai/m: refused"))[2])["error"]["message"]
    own = json.loads(encode(kind(f"anthropic/m: {wording}"))[2])["error"]["message"]

    assert foreign == f"{wording}: openai/m: refused"
    assert own == f"anthropic/m: {wording}"


def test_the_request_id_is_in_header_and_body():
    _, headers, body = encode(ERRORS["server"])

    assert headers["request-id"] == json.loads(body)["request_id"] == "req_1"
