"""Errors for the clients of each dialect: valid, without keys, and read back as their class."""

from __future__ import annotations

import datetime as dt
import json

import pytest

import gemini_types
import official
import official_bedrock
import specado
from encoded_errors import ERRORS, KEY, LOSSY, provider_error
from specado.dialects.errors import ReplySource, error_from_reply
from specado.dialects.registry import DIALECTS
from specado.transport import WireReply

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.timezone.utc)
OFFICIAL = {
    "openai_chat": "openai-error",
    "anthropic_messages": "anthropic-error",
    "openai_responses": "openai-error",
}
# Errors with a status that clients retry, although a repeat cannot succeed.
ADVISED = {
    "openai_chat": ["quota", "interrupted", "unknown", "any other"],
    "anthropic_messages": ["interrupted", "unknown", "any other"],
    "openai_responses": ["quota", "interrupted", "unknown", "any other"],
    "gemini": ["interrupted", "unknown", "any other"],
    "bedrock_converse": ["interrupted", "unknown", "any other"],
}
# A gateway's own troubles with a provider are a server's error for its client.
READ_AS = {
    "malformed": specado.ServerError,
    "connection": specado.ServerError,
    "deadline": specado.ServerError,
    "interrupted": specado.ServerError,
    "unknown": specado.ServerError,
}
OF_PROVIDERS = [name for name in ERRORS if isinstance(ERRORS[name], specado.ProviderError)]


def message_in(body):
    """Return the message in an error's body."""
    found = json.loads(body)
    return found.get("error", found)["message"]


@pytest.fixture(params=DIALECTS)
def dialect(request):
    return DIALECTS[request.param]


@pytest.mark.parametrize("name", ERRORS)
def test_a_body_is_valid_by_the_official_types(dialect, name):
    status, headers, body = dialect.encode_error(ERRORS[name])

    if dialect.name == "gemini":
        assert gemini_types.error_problems(body) == []
    elif dialect.name == "bedrock_converse":
        told = official_bedrock.reply_of(body, status, headers)["Error"]
        assert told == {"Code": headers["x-amzn-errortype"], "Message": message_in(body)}
    else:
        assert official.problems(OFFICIAL[dialect.name], body) == []
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("name", ERRORS)
def test_no_key_is_in_an_error(dialect, name):
    status, headers, body = dialect.encode_error(ERRORS[name])

    assert KEY not in f"{status} {headers} {body!r}"


@pytest.mark.parametrize("name", OF_PROVIDERS)
def test_an_error_is_read_back_as_its_class(dialect, name):
    given = ERRORS[name]
    source = ReplySource(dialect.provider, "m", dialect)
    status, headers, body = dialect.encode_error(given)

    found = error_from_reply(source, WireReply(status, headers, body), NOW)

    assert type(found) is READ_AS.get(name, type(given))
    assert found.request_id == "req_1"
    assert found.retry_after_s == given.retry_after_s


def test_the_delay_to_wait_is_a_header(dialect):
    _, headers, _ = dialect.encode_error(ERRORS["rate limit"])

    assert headers["retry-after"] == "2"
    assert headers["retry-after-ms"] == "1250"
    assert "x-should-retry" not in headers


def test_a_client_is_advised_not_to_repeat_what_cannot_succeed(dialect):
    advised = [name for name in ERRORS if "x-should-retry" in dialect.encode_error(ERRORS[name])[1]]

    assert advised == ADVISED[dialect.name]


def test_a_refused_translation_lists_its_losses(dialect):
    message = message_in(dialect.encode_error(LOSSY)[2])

    assert "High  Unsupported  n: one answer a request (2 -> None)" in message
    assert "Low   Drop         seed: there is no seed (7 -> None)" in message


@pytest.mark.parametrize("request_id", ["req\r\nx-evil: 1", "é", "r" * 201, ""])
def test_a_request_id_that_is_no_header_is_left_out(dialect, request_id):
    error = provider_error(specado.ServerError, request_id=request_id)

    _, headers, body = dialect.encode_error(error)

    assert not {"request-id", "x-request-id", "x-amzn-requestid"} & set(headers)
    assert "request_id" not in json.loads(body)


def test_text_that_utf_8_cannot_hold_is_replaced(dialect):
    _, _, body = dialect.encode_error(specado.ConfigurationError("a\ud800b", key="\ud800"))

    assert message_in(body) == "a?b"
