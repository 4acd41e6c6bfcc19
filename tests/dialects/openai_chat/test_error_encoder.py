"""Errors for clients of OpenAI's API: status, type, headers; no key is in them."""

from __future__ import annotations

import datetime as dt
import json

import pytest

import official
import specado
from encoded_errors import ERRORS, KEY, LOSSY, provider_error
from specado.dialects.errors import ReplySource, error_from_reply
from specado.dialects.openai_chat.error_encoder import encode_openai_error as encode
from specado.dialects.registry import DIALECTS
from specado.transport import WireReply

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.timezone.utc)
SOURCE = ReplySource("openai", "m", DIALECTS["openai_chat"])
REQUEST_ID = "x-request-id"
ADVISED = ["quota", "interrupted", "unknown", "any other"]


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


@pytest.mark.parametrize("name", ERRORS)
def test_a_body_is_valid_by_the_official_types(name):
    _, headers, body = encode(ERRORS[name])

    assert official.problems("openai-error", body) == []
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("name", ERRORS)
def test_no_key_is_in_an_error(name):
    status, headers, body = encode(ERRORS[name])

    assert KEY not in f"{status} {headers} {body!r}"


# A gateway's own troubles with a provider are a server's error for its client.
READ_AS = {
    "malformed": specado.ServerError,
    "connection": specado.ServerError,
    "deadline": specado.ServerError,
    "interrupted": specado.ServerError,
    "unknown": specado.ServerError,
}
OF_PROVIDERS = [name for name in ERRORS if isinstance(ERRORS[name], specado.ProviderError)]


@pytest.mark.parametrize("name", OF_PROVIDERS)
def test_an_error_is_read_back_as_its_class(name):
    given = ERRORS[name]
    status, headers, body = encode(given)

    found = error_from_reply(SOURCE, WireReply(status, headers, body), NOW)

    assert type(found) is READ_AS.get(name, type(given))
    assert found.request_id == "req_1"
    assert found.retry_after_s == given.retry_after_s


def test_the_delay_to_wait_is_a_header():
    _, headers, _ = encode(ERRORS["rate limit"])

    assert headers["retry-after"] == "2"
    assert headers["retry-after-ms"] == "1250"
    assert "x-should-retry" not in headers


def test_a_client_is_advised_not_to_repeat_what_cannot_succeed():
    advised = [name for name in ERRORS if "x-should-retry" in encode(ERRORS[name])[1]]

    assert advised == ADVISED


def test_a_refused_translation_lists_its_losses():
    message = json.loads(encode(LOSSY)[2])["error"]["message"]

    assert "High  Unsupported  n: one answer a request (2 -> None)" in message
    assert "Low   Drop         seed: there is no seed (7 -> None)" in message


@pytest.mark.parametrize("request_id", ["req\r\nx-evil: 1", "é", "r" * 201, ""])
def test_a_request_id_that_is_no_header_is_left_out(request_id):
    error = provider_error(specado.ServerError, request_id=request_id)

    _, headers, body = encode(error)

    assert REQUEST_ID not in headers
    assert "request_id" not in json.loads(body)


def test_text_that_utf_8_cannot_hold_is_replaced():
    _, _, body = encode(specado.ConfigurationError("a\ud800b", key="\ud800"))

    assert json.loads(body)["error"]["message"] == "a?b"
