"""Errors for clients of OpenAI's API: status and type of each class."""

from __future__ import annotations

import json

import pytest

from encoded_errors import ERRORS
from specado.dialects.openai_chat.error_encoder import encode_openai_error as encode


@pytest.mark.parametrize(
    ("name", "status", "type_", "code", "param"),
    [
        ("authentication", 401, "invalid_request_error", "invalid_api_key", None),
        ("permission", 403, "permission_error", None, None),
        ("rate limit", 429, "requests", "rate_limit_exceeded", None),
        ("quota", 429, "insufficient_quota", "insufficient_quota", None),
        ("overloaded", 503, "server_error", "server_is_overloaded", None),
        ("invalid", 400, "invalid_request_error", "unknown_value", None),
        ("unprocessable", 422, "invalid_request_error", None, None),
        ("redirect", 400, "invalid_request_error", None, None),
        ("model", 404, "invalid_request_error", "model_not_found", None),
        ("context", 400, "invalid_request_error", "context_length_exceeded", None),
        ("policy", 400, "invalid_request_error", "content_policy_violation", None),
        ("server", 500, "server_error", None, None),
        ("malformed", 502, "server_error", None, None),
        ("connection", 502, "server_error", None, None),
        ("deadline", 504, "server_error", None, None),
        ("interrupted", 502, "server_error", None, None),
        ("unknown", 500, "server_error", None, None),
        ("configuration", 400, "invalid_request_error", None, "temperature"),
        ("lossy", 400, "invalid_request_error", None, None),
        ("message", 400, "invalid_request_error", None, "messages[2].content[1].type"),
        ("whole message", 400, "invalid_request_error", None, "messages[2]"),
        ("argument", 400, "invalid_request_error", None, "messages"),
        ("any other", 500, "server_error", None, None),
    ],
)
def test_each_class_has_its_status_type_code_and_parameter(name, status, type_, code, param):
    found, _, body = encode(ERRORS[name])

    error = json.loads(body)["error"]
    assert (found, error["type"], error["code"], error["param"]) == (status, type_, code, param)
