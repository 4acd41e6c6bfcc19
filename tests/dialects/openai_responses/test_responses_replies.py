"""Whole replies of the Responses dialect: as documented, and as servers like it send them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from specado._core import ReportedFailure, decode_responses_reply, error_facts
from specado.dialects.errors import classify, error_table
from specado.dialects.registry import DIALECTS
from specado.errors import (
    AuthenticationError,
    ContentPolicyError,
    ContextLengthError,
    InvalidRequestError,
    MalformedResponseError,
    ModelNotFoundError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from specado.types import CompletionTokensDetails, PromptTokensDetails, Usage

USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 15,
}
TEXT = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Hello.", "annotations": [], "logprobs": []}],
}


REMOVED = (
    "input_transformations: the server removed the reasoning rs_1 of the request: model_mismatch"
)


def body(*items: Any, **more: Any) -> dict[str, Any]:
    made = {"id": "resp_1", "object": "response", "created_at": 3, "model": "m-1", "error": None}
    return {**made, "status": "completed", "output": list(items), "usage": USAGE, **more}


def decoded(data: Any) -> tuple[Any, list[str]]:
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    return decode_responses_reply(text, "openai", "asked-for", 7)


def call(**more: Any) -> dict[str, Any]:
    made = {"id": "fc_1", "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    return {**made, **more}


def without(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in names}


def test_a_reply() -> None:
    reply, notes = decoded(body(TEXT, service_tier="default"))

    assert (reply.id, reply.model, reply.created, reply.service_tier) == (
        "resp_1",
        "m-1",
        3,
        "default",
    )
    assert reply.choices[0].message.content == "Hello."
    assert reply.choices[0].finish_reason == "stop"
    assert reply.choices[0].logprobs is None
    assert reply.usage == Usage(10, 5, 15, PromptTokensDetails(4, 0), CompletionTokensDetails(2))
    assert reply.usage_certainty == "exact"
    assert notes == []


@pytest.mark.parametrize(
    ("changes", "notes"),
    [
        ({"created_at": 3.5}, []),
        ({"status": None}, ["status: None, read as 'completed'"]),
        ({"status": "complete"}, ["status: 'complete', read as 'completed'"]),
        ({"created_at": "3"}, ["created_at: a str, read as a whole number"]),
        ({"moderation": {"flagged": False}}, ["moderation: left in response.raw"]),
        ({"service_tier": 1}, ["service_tier: int where another type is documented, read as None"]),
        (
            {
                "input_transformations": [
                    {
                        "id": "rs_1",
                        "type": "reasoning",
                        "action": "removed",
                        "reason": "model_mismatch",
                    }
                ]
            },
            [REMOVED],
        ),
    ],
)
def test_what_deviates_is_noted(changes: Any, notes: list[str]) -> None:
    reply, found = decoded(body(TEXT, **changes))

    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == ("Hello.", "stop")
    assert reply.created == 3
    assert found == notes


def test_what_is_missing_is_noted() -> None:
    reply, notes = decoded({"output": [TEXT], "status": "completed"})

    assert (reply.id, reply.model, reply.created, reply.usage) == ("", "asked-for", 7, None)
    assert notes == ["id: missing", "model: missing", "created_at: missing", "usage: missing"]


@pytest.mark.parametrize(
    ("items", "content", "note"),
    [
        ([TEXT, TEXT], "Hello.Hello.", "output: 2 messages, joined in content"),
        ([5, TEXT], "Hello.", "output[0]: not an output item, left out"),
        ([{"no": "type"}, TEXT], "Hello.", "output[0]: not an output item, left out"),
        ([{"type": "zz"}, TEXT], "Hello.", "output[0]: zz, left in response.raw"),
        ([call(name=None), TEXT], "Hello.", "output[0]: function_call, left in response.raw"),
        (
            [{**TEXT, "content": [{"type": "zz"}]}],
            None,
            "output[0].content[0]: zz, left in response.raw",
        ),
    ],
)
def test_items_that_are_no_part_of_the_message(items: Any, content: Any, note: str) -> None:
    reply, notes = decoded(body(*items))

    assert reply.choices[0].message.content == content
    assert notes == [note]


@pytest.mark.parametrize(
    ("item", "arguments", "notes"),
    [
        (call(), "{}", []),
        (call(arguments=""), "{}", ["output[0].arguments: empty, read as {}"]),
        (call(arguments=None), "{}", ["output[0].arguments: missing, read as {}"]),
        (call(arguments={"a": 1}), '{"a":1}', ["output[0].arguments: no text, read as JSON"]),
        (call(namespace="n"), "{}", ["output[0].namespace: left in response.raw"]),
    ],
)
def test_calls(item: Any, arguments: str, notes: list[str]) -> None:
    reply, found = decoded(body(item))
    (made,) = reply.choices[0].message.tool_calls

    assert (made.id, made.function.name, made.function.arguments) == ("c", "f", arguments)
    assert reply.choices[0].finish_reason == "tool_calls"
    assert found == notes


def test_calls_without_an_id_get_one() -> None:
    items = [call(call_id=None), call(call_id=None, id=None), call(call_id="", id="")]
    reply, notes = decoded(body(*items))
    ids = [each.id for each in reply.choices[0].message.tool_calls]

    assert ids[0] == "fc_1"
    assert len(set(ids)) == 3
    assert notes == ["output[1].call_id: missing, made up", "output[2].call_id: missing, made up"]


# Usage.


@pytest.mark.parametrize(
    ("changes", "tokens", "notes", "certainty"),
    [
        ({}, (10, 5, 15), [], "exact"),
        ({"total_tokens": None}, (10, 5, 15), [], "exact"),
        ({"input_tokens": None}, (0, 5, 15), ["usage.input_tokens: missing, read as 0"], "unknown"),
        ({"output_tokens": -1}, (10, 0, 15), ["usage.output_tokens: negative, read as 0"],
         "unknown"),
        ({"cost": 0.5, "is_byok": False, "cost_details": {"upstream_inference_cost": 1}},
         (10, 5, 15), [], "exact"),
        ({"cost_in_usd_ticks": 5 * 10**9}, (10, 5, 15), [], "exact"),
        ({"num_sources_used": 3}, (10, 5, 15), ["usage.num_sources_used: not priced"], "at_least"),
        ({"num_sources_used": 0}, (10, 5, 15), [], "exact"),
    ],
)  # fmt: skip
def test_usage(changes: Any, tokens: Any, notes: Any, certainty: str) -> None:
    reply, found = decoded(body(TEXT, usage={**USAGE, **changes}))
    usage = reply.usage

    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == tokens
    assert found == notes
    assert reply.usage_certainty == certainty
    extra = {name: value for name, value in changes.items() if name not in USAGE}
    assert reply.other_usage == extra


def test_usage_of_other_types() -> None:
    reply, notes = decoded(body(TEXT, usage={**USAGE, "output_tokens": "5", "total_tokens": []}))

    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (10, 5)
    assert notes == [
        "usage.output_tokens: a str, read as a whole number",
        "usage.total_tokens: list where another type is documented, read as None",
    ]
    assert reply.usage_certainty == "unknown"


def test_hosted_tools_are_billed_beside_the_tokens() -> None:
    used = {"web_search": {"num_requests": 2}, "image_gen": {"input_tokens": 0}}
    reply, notes = decoded(body(TEXT, tool_usage=used))

    assert notes == ["tool_usage.web_search: not priced"]
    assert reply.usage_certainty == "at_least"


# What is no answer.


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"<html>", "not_json"),
        (b"", "not_json"),
        (b"[]", "no_choice"),
        (b"{}", "no_choice"),
        (b'{"output": 5}', "no_choice"),
        (b'{"output": [5]}', "no_choice"),
        (json.dumps(body(status="in_progress")).encode(), "no_choice"),
        (json.dumps(body(status="queued")).encode(), "no_choice"),
        (json.dumps(body(TEXT, status="cancelled")).encode(), "no_choice"),
    ],
)
def test_what_is_no_answer_is_malformed(text: bytes, code: str) -> None:
    with pytest.raises(MalformedResponseError) as caught:
        decoded(text)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        (
            body(status="failed", error={"code": "server_error", "message": "m"}),
            "server_error",
            "m",
        ),
        (body(TEXT, error={"code": "bio_policy", "message": "m"}), "bio_policy", "m"),
        (body(error="went wrong"), None, "went wrong"),
        (body(status="failed"), None, "the response has failed"),
        ({"status": "failed", "error": {"code": "c", "message": "m"}}, "c", "m"),
        ({"error": {"code": "c", "message": "m"}, "usage": 5}, "c", "m"),
    ],
)
def test_a_failed_response_is_an_error(given: Any, code: Any, message: str) -> None:
    with pytest.raises(ReportedFailure) as caught:
        decoded(given)

    assert error_facts(caught.value.body)[1:] == (code, message)


# Errors. A failed response has the status 200.

_IMAGES = (
    "invalid_image",
    "invalid_image_format",
    "invalid_base64_image",
    "invalid_image_url",
    "image_too_large",
    "image_too_small",
    "image_parse_error",
    "invalid_image_mode",
    "image_file_too_large",
    "unsupported_image_media_type",
    "empty_image_file",
    "failed_to_download_image",
    "image_file_not_found",
)
CODES: list[tuple[int, Any, type[ProviderError]]] = [
    (200, "server_error", ServerError),
    (200, "rate_limit_exceeded", RateLimitError),
    (200, "invalid_prompt", ContentPolicyError),
    (200, "bio_policy", ContentPolicyError),
    (200, "misalignment_policy_violation", ContentPolicyError),
    (200, "image_content_policy_violation", ContentPolicyError),
    (200, "data_residency_mismatch", InvalidRequestError),
    (200, "vector_store_timeout", ServerError),
    (200, "server_is_overloaded", OverloadedError),
    (200, "insufficient_quota", QuotaExceededError),
    *((200, code, InvalidRequestError) for code in _IMAGES),
    (400, "invalid_encrypted_content", InvalidRequestError),
    (400, "model_not_found", ModelNotFoundError),
    (400, "context_length_exceeded", ContextLengthError),
    (400, "unsupported_file", InvalidRequestError),
    (400, "decimal_below_min_value", InvalidRequestError),
    (400, None, InvalidRequestError),
    (401, "invalid_api_key", AuthenticationError),
    (429, "rate_limit_exceeded", RateLimitError),
    (429, "insufficient_quota", QuotaExceededError),
    (500, "server_error", ServerError),
    (503, None, OverloadedError),
]


@pytest.mark.parametrize(("status", "code", "kind"), CODES)
def test_errors_have_the_class_of_their_code(
    status: int, code: Any, kind: type[ProviderError]
) -> None:
    error = {"code": code, "message": "m", "param": None, "type": "invalid_request_error"}
    if status == 200:
        del error["type"]
    text = json.dumps({"error": error}).encode()
    facts = DIALECTS["openai_responses"].decode_error(status, {}, text)

    assert facts.message == "m"
    assert classify(status, facts, error_table("openai_responses")) is kind
