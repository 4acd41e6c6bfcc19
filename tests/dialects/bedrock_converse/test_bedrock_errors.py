"""Error replies and exceptions of Bedrock: their classes, by name and by message."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from bedrock_facts import own
from bedrock_frames import event, exception, frame
from specado._core import BedrockStream
from specado.dialects.bedrock_converse.errors import decode_error

TOO_LONG = [
    "Input is too long for requested model.",
    "The model returned the following errors: prompt is too long: 210000 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
    "too many total text bytes: 9 > 8",
    "Too many input tokens. Max input tokens: 128000, request input token count: 130000",
    "Input Tokens Exceeded: Number of input tokens exceeds maximum length.",
    "This model's maximum context length is 131072 tokens.",
]
NO_PROFILE = (
    "Invocation of model ID a with on-demand throughput isn\u2019t supported. Retry your request "
    "with the ID or ARN of an inference profile that contains this model."
)
CASES = [
    (403, "UnrecognizedClientException", "The token is invalid.", specado.AuthenticationError),
    (403, "InvalidSignatureException", "The signature expired.", specado.AuthenticationError),
    (403, "MissingAuthenticationToken", "Missing", specado.AuthenticationError),
    (403, "ExpiredTokenException", "The token has expired", specado.AuthenticationError),
    (400, "IncompleteSignature", "Incomplete", specado.AuthenticationError),
    (400, "RequestExpired", "The request has expired", specado.AuthenticationError),
    (403, "AccessDeniedException", "User: arn is not authorized", specado.AuthenticationError),
    (
        403, "AccessDeniedException",
        "You don't have access to the model with the specified model ID.",
        specado.ModelNotFoundError,
    ),
    (404, "ResourceNotFoundException", "Could not resolve the model", specado.ModelNotFoundError),
    (
        404, "ResourceNotFoundException",
        "Model use case details have not been submitted for this account.",
        specado.ModelNotFoundError,
    ),
    (
        400, "ValidationException", "The provided model identifier is invalid.",
        specado.ModelNotFoundError,
    ),
    (400, "ValidationException", NO_PROFILE, specado.ModelNotFoundError),
    (400, "ValidationException", "A conversation must start with", specado.InvalidRequestError),
    (400, "ValidationException", "An invalid token in a field", specado.InvalidRequestError),
    (400, "SerializationException", "Unexpected token", specado.InvalidRequestError),
    (429, "ThrottlingException", "Too many requests", specado.RateLimitError),
    (429, "ThrottlingException", "Too many tokens per day", specado.QuotaExceededError),
    (429, "ModelNotReadyException", "Model is not ready", specado.OverloadedError),
    (400, "ServiceQuotaExceededException", "Quota", specado.QuotaExceededError),
    (408, "ModelTimeoutException", "Took too long", specado.ServerError),
    (424, "ModelErrorException", "The model failed", specado.ServerError),
    (500, "InternalServerException", "Failure", specado.ServerError),
    (503, "ServiceUnavailableException", "Bedrock is unable", specado.OverloadedError),
    *[(400, "ValidationException", text, specado.ContextLengthError) for text in TOO_LONG],
]  # fmt: skip


@pytest.mark.parametrize("namespace", ["{}", "{}:http://internal.amazon.com/coral/com.amazon/"])
@pytest.mark.parametrize(("status", "name", "message", "expected"), CASES)
def test_an_error_has_its_class(
    status: int, name: str, message: str, expected: Any, namespace: str
) -> None:
    headers = {"x-amzn-errortype": namespace.format(name), "x-amzn-requestid": "r1"}

    error = specado.parse_error(status, headers, json.dumps({"message": message}), own())

    assert type(error) is expected
    assert (error.code, error.request_id) == (name, "r1")
    assert message[:60] in str(error)


@pytest.mark.parametrize(
    "body",
    [
        {"__type": "ThrottlingException", "message": "Slow down"},
        {"__type": "com.amazon.coral.availability#ThrottlingException", "Message": "Slow down"},
    ],
)
def test_the_name_may_stand_in_the_body(body: Any) -> None:
    error = specado.parse_error(400, {}, json.dumps(body), own())

    assert type(error) is specado.RateLimitError
    assert "Slow down" in str(error)


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        (429, specado.RateLimitError),
        (400, specado.InvalidRequestError),
        (500, specado.ServerError),
        (503, specado.OverloadedError),
        (403, specado.ServerError),  # of the service at the model, not of the caller
        (None, specado.ServerError),
        ("soon", specado.ServerError),
    ],
)
def test_an_error_of_the_model_has_the_class_of_the_models_status(
    original: Any, expected: Any
) -> None:
    body = {"message": "failed", "originalStatusCode": original, "resourceName": "m"}

    error = specado.parse_error(
        424, {"x-amzn-errortype": "ModelErrorException"}, json.dumps(body), own()
    )

    assert type(error) is expected


@pytest.mark.parametrize("body", ["", "busy", "<html>", "[]", "{}", "[5]", '{"message": 5}'])
def test_any_body_gives_the_class_of_the_status(body: str) -> None:
    assert type(specado.parse_error(429, {}, body, own())) is specado.RateLimitError


@pytest.mark.parametrize(
    ("name", "members", "expected"),
    [
        ("throttlingException", {}, specado.RateLimitError),
        ("modelStreamErrorException", {"originalStatusCode": 429}, specado.RateLimitError),
        ("modelStreamErrorException", {}, specado.ServerError),
        ("internalServerException", {}, specado.ServerError),
        ("serviceUnavailableException", {}, specado.OverloadedError),
        ("validationException", {}, specado.InvalidRequestError),
        ("validationException", {"message": TOO_LONG[0]}, specado.ContextLengthError),
    ],
)
def test_an_exception_in_a_stream_has_its_class(name: str, members: Any, expected: Any) -> None:
    stream = BedrockStream("bedrock", "m", 1, max_frame_bytes=10_000, max_reply_bytes=10_000)
    stream.feed(event("messageStart", role="assistant"))
    stream.feed(exception(name, **{"message": "It failed.", **members}))

    error = specado.parse_error(200, {}, stream.failure, own())

    assert type(error) is expected
    assert error.code in (name, "429")
    assert members.get("message", "It failed.") in str(error)
    assert not stream.has_content


def test_an_error_frame_has_its_code_and_message() -> None:
    stream = BedrockStream("bedrock", "m", 1, max_frame_bytes=10_000, max_reply_bytes=10_000)
    stream.feed(
        frame(
            b"",
            (":error-code", "InternalServerException"),
            (":error-message", "It broke."),
            (":message-type", "error"),
        )
    )

    error = specado.parse_error(200, {}, stream.failure, own())

    assert type(error) is specado.ServerError
    assert "It broke." in str(error)


def test_a_header_names_the_error_before_the_body() -> None:
    facts = decode_error(400, {"x-amzn-errortype": "A:http://a"}, b'{"__type": "B", "message": ""}')

    assert facts.type == "A"
