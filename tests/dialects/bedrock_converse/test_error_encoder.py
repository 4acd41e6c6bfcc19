"""Errors for clients of Bedrock's API: status and name of each class, and the frames of streams."""

from __future__ import annotations

import json

import pytest

import official_bedrock
import specado
from encoded_errors import ERRORS
from specado._core import BedrockStreamEncoder
from specado.dialects.bedrock_converse.error_encoder import encode_bedrock_error as encode

TOO_LONG = "Input is too long for requested model"
# A text too long for a header.
LONG = "é" * 40_000


@pytest.mark.parametrize(
    ("name", "status", "word"),
    [
        ("authentication", 403, "UnrecognizedClientException"),
        ("permission", 403, "AccessDeniedException"),
        ("rate limit", 429, "ThrottlingException"),
        ("quota", 400, "ServiceQuotaExceededException"),
        ("overloaded", 503, "ServiceUnavailableException"),
        ("invalid", 400, "ValidationException"),
        ("unprocessable", 422, "ValidationException"),
        ("redirect", 400, "ValidationException"),
        ("model", 404, "ResourceNotFoundException"),
        ("context", 400, "ValidationException"),
        ("policy", 400, "ValidationException"),
        ("server", 500, "InternalServerException"),
        ("malformed", 502, "InternalServerException"),
        ("connection", 502, "InternalServerException"),
        ("deadline", 504, "ModelTimeoutException"),
        ("interrupted", 502, "ModelStreamErrorException"),
        ("unknown", 500, "InternalServerException"),
        ("configuration", 400, "ValidationException"),
        ("lossy", 400, "ValidationException"),
        ("message", 400, "ValidationException"),
        ("any other", 500, "InternalServerException"),
    ],
)
def test_each_class_has_its_status(name, status, word):
    found, headers, body = encode(ERRORS[name])

    assert (found, headers["x-amzn-errortype"], json.loads(body)["__type"]) == (status, word, word)


def test_a_long_prompt_is_named_as_clients_know_it():
    foreign = json.loads(encode(specado.ContextLengthError("openai/m: refused"))[2])
    own = json.loads(encode(specado.ContextLengthError(f"bedrock/m: {TOO_LONG}."))[2])

    assert foreign["message"] == f"{TOO_LONG}: openai/m: refused"
    assert own["message"] == f"bedrock/m: {TOO_LONG}."


def test_a_refused_prompt_is_named_as_clients_know_it():
    message = json.loads(encode(ERRORS["policy"])[2])["message"]

    assert message.startswith("This request has been blocked by our content filters: ")


def test_the_request_id_is_a_header():
    assert encode(ERRORS["server"])[1]["x-amzn-requestid"] == "req_1"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("rate limit", "throttlingException"),
        ("invalid", "validationException"),
        ("overloaded", "serviceUnavailableException"),
        ("interrupted", "modelStreamErrorException"),
        ("server", "internalServerException"),
        # A stream has no exception of this name: the frame is an error's.
        ("authentication", "UnrecognizedClientException"),
        ("model", "ResourceNotFoundException"),
    ],
)
def test_an_error_in_a_stream_has_its_frame(name, code):
    body = encode(ERRORS[name])[2]

    found = official_bedrock.events_of(BedrockStreamEncoder().fail(body))

    assert found.events == []
    assert found.error == (code, json.loads(body)["message"])


def test_a_message_too_long_for_a_header_is_cut():
    body = encode(specado.AuthenticationError(LONG))[2]

    found = official_bedrock.events_of(BedrockStreamEncoder().fail(body))

    assert found.error == ("UnrecognizedClientException", "é" * 32_767)
