"""Errors for clients of Anthropic's API: status, type, headers; no key is in them."""

from __future__ import annotations

import datetime as dt
import json

import pytest

import official
import specado
from encoded_errors import ERRORS, KEY, LOSSY, provider_error
from specado.dialects.anthropic_messages.error_encoder import encode_anthropic_error as encode
from specado.dialects.errors import ReplySource, error_from_reply
from specado.dialects.registry import DIALECTS
from specado.transport import WireReply

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.timezone.utc)
SOURCE = ReplySource("anthropic", "m", DIALECTS["anthropic_messages"])
REQUEST_ID = "request-id"
ADVISED = ["interrupted", "unknown", "any other"]


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


@pytest.mark.parametrize("name", ERRORS)
def test_a_body_is_valid_by_the_official_types(name):
    _, headers, body = encode(ERRORS[name])

    assert official.problems("anthropic-error", body) == []
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
