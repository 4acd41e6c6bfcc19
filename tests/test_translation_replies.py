"""`parse_response` and `parse_error`: replies of calls made elsewhere."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest

import specado
from specado import errors
from specado.errors import ConfigurationError, MessageFormatError, ProviderError

COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 5,
    "model": "gpt-4o-2024-08-06",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi"},
            "finish_reason": "stop",
            "logprobs": None,
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 2},
}
REPLIES = {"openai": COMPLETION, "anthropic": MESSAGE}
FORMS = [
    lambda reply: reply,
    json.dumps,
    lambda reply: json.dumps(reply).encode(),
    lambda reply: memoryview(json.dumps(reply).encode()),
]


# Replies


@pytest.mark.parametrize("form", FORMS, ids=["dict", "text", "bytes", "memoryview"])
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_reply_is_read_in_every_form(provider: str, form: Any) -> None:
    found = specado.parse_response(form(REPLIES[provider]), provider)

    assert found.choices[0].message.content == "Hi"
    assert found.choices[0].finish_reason == "stop"
    assert (found.id, found.model) == (REPLIES[provider]["id"], REPLIES[provider]["model"])
    assert found.usage is not None
    assert found.usage.total_tokens == 3
    assert found.extensions.provider_used == provider
    assert found.extensions.metadata == {}
    assert json.loads(found.raw) == REPLIES[provider]


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ({"container": {"id": "c", "expires_at": "t"}}, "container: left in response.raw"),
        (
            {"context_management": {"applied_edits": [{"type": "x"}]}},
            "context_management: left in response.raw",
        ),
        ({"context_management": {"applied_edits": []}}, None),
        ({"stop_details": {"type": "refusal"}}, "stop_details: left in response.raw"),
        ({"content": [*MESSAGE["content"], {"type": "zz"}]}, "content[1]: zz, left in response"),
        (
            {"content": [{"type": "tool_use", "id": "t", "name": "f", "input": {},
                          "caller": {"type": "code_execution_20250825", "tool_id": "s"}}]},
            "content[0].caller: left in response.raw",
        ),
        (
            {"content": [{"type": "tool_use", "id": "t", "name": "f", "input": {},
                          "caller": {"type": "direct"}}]},
            None,
        ),
        ({"stop_reason": "pause_turn"}, "stop_reason: pause_turn"),
    ],
)  # fmt: skip
def test_what_an_answer_of_anthropics_cannot_say_is_noted(
    more: dict[str, Any], note: str | None
) -> None:
    metadata = specado.parse_response({**MESSAGE, **more}, "anthropic").extensions.metadata

    assert_noted(metadata, note)


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ({"server_tool_use": {"web_search_requests": 1}}, "usage.server_tool_use"),
        ({"server_tool_use": {"web_search_requests": 0}}, None),
        ({"cache_creation": {"ephemeral_1h_input_tokens": 5}}, None),
        ({"cache_creation": {"ephemeral_5m_input_tokens": 5}}, None),
        ({"inference_geo": "us"}, "usage.inference_geo"),
        ({"inference_geo": "global"}, None),
        ({"iterations": [{"type": "message"}]}, "usage.iterations"),
        ({"iterations": []}, None),
    ],
)
def test_what_usage_cannot_say_is_noted(more: dict[str, Any], note: str | None) -> None:
    reply = {**MESSAGE, "usage": {**MESSAGE["usage"], **more}}

    assert_noted(specado.parse_response(reply, "anthropic").extensions.metadata, note)


def assert_noted(metadata: dict[str, Any], note: str | None) -> None:
    if note is None:
        assert metadata == {}
    else:
        (found,) = metadata["reply_notes"]
        assert found.startswith(note)


def test_what_openais_answer_has_beside_is_noted() -> None:
    metadata = specado.parse_response(
        {**COMPLETION, "moderation": {}}, "openai"
    ).extensions.metadata

    assert metadata == {"reply_notes": ["moderation: left in response.raw"]}


def test_a_call_of_the_old_kind_is_noted() -> None:
    message = {"role": "assistant", "content": None, "function_call": {"name": "f"}}
    choice = {"index": 0, "message": message, "finish_reason": "function_call"}

    found = specado.parse_response({**COMPLETION, "choices": [choice]}, "openai")

    assert found.extensions.metadata["reply_notes"] == [
        "choices[0].message.function_call: left in response.raw"
    ]


@pytest.mark.parametrize(
    ("tier", "expected"), [("standard", "default"), ("priority", "priority"), (None, None)]
)
def test_anthropics_tier_is_told_in_openais_words(tier: Any, expected: Any) -> None:
    reply = {**MESSAGE, "usage": {**MESSAGE["usage"], "service_tier": tier}}

    assert specado.parse_response(reply, "anthropic").service_tier == expected


def test_numbers_in_a_calls_input_keep_their_text() -> None:
    text = json.dumps({**MESSAGE, "content": [
        {"type": "tool_use", "id": "t", "name": "f", "input": {"x": 1}}]})  # fmt: skip
    exact = '{"a": 123456789012345678901234567890,  "b":1.0e5}'

    found = specado.parse_response(text.replace('{"x": 1}', exact), "anthropic")

    calls = found.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].function is not None
    assert calls[0].function.arguments == exact


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b"<html>", "not_json"),
        ("{", "not_json"),
        ("\ud800", "not_json"),
        (b"\xff\xfe", "not_json"),
        ("null", "no_choice"),
        ("[]", "no_choice"),
        ({}, "no_choice"),
        ({"choices": [], "content": 5}, "no_choice"),
        ({"choices": [5], "content": [5]}, "no_choice"),
        (b"[" * 100_000, "not_json"),
    ],
)
def test_a_malformed_reply_is_an_error(provider: str, body: Any, code: str) -> None:
    with pytest.raises(errors.MalformedResponseError) as caught:
        specado.parse_response(body, provider)

    assert (caught.value.code, caught.value.provider) == (code, provider)


@pytest.mark.parametrize(
    ("provider", "body", "kind"),
    [
        ("openai", {"error": {"type": "server_error", "message": "x"}}, errors.ServerError),
        ("openai", {"error": {"code": "insufficient_quota"}}, errors.QuotaExceededError),
        (
            "anthropic",
            {"type": "error", "error": {"type": "overloaded_error", "message": "x"}},
            errors.OverloadedError,
        ),
    ],
)
def test_an_error_where_a_reply_was_expected_is_raised(
    provider: str, body: Any, kind: type[ProviderError]
) -> None:
    with pytest.raises(kind):
        specado.parse_response(body, provider)


@pytest.mark.parametrize("body", [None, 5, [COMPLETION]])
def test_a_body_is_bytes_text_or_a_dict(body: Any) -> None:
    with pytest.raises(MessageFormatError, match="body must be bytes, text or a dict"):
        specado.parse_response(body, "openai")


@pytest.mark.parametrize("parse", [
    lambda: specado.parse_response({}, "nobody"),
    lambda: specado.parse_error(500, {}, b"", "nobody"),
])  # fmt: skip
def test_the_provider_must_be_known(parse: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse()

    assert caught.value.key == "provider"


# Errors


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (401, {"code": "invalid_api_key"}, errors.AuthenticationError),
        (403, {"type": "permission_error"}, errors.AuthenticationError),
        (429, {"type": "rate_limit_error"}, errors.RateLimitError),
        (429, {"code": "insufficient_quota"}, errors.QuotaExceededError),
        (402, {"type": "billing_error"}, errors.QuotaExceededError),
        (529, {"type": "overloaded_error"}, errors.OverloadedError),
        (503, {"type": "server_error"}, errors.OverloadedError),
        (400, {"type": "invalid_request_error"}, errors.InvalidRequestError),
        (413, {"type": "request_too_large"}, errors.InvalidRequestError),
        (404, {"code": "model_not_found"}, errors.ModelNotFoundError),
        (400, {"code": "context_length_exceeded"}, errors.ContextLengthError),
        (
            400,
            {"type": "invalid_request_error", "message": "prompt is too long: 9 > 8"},
            errors.ContextLengthError,
        ),
        (400, {"code": "content_policy_violation"}, errors.ContentPolicyError),
        (400, {"code": "moderation_blocked"}, errors.ContentPolicyError),
        (400, {"code": "cyber_policy_violation"}, errors.ContentPolicyError),
        (500, {"type": "api_error"}, errors.ServerError),
        (418, {"type": "zz"}, errors.InvalidRequestError),
        (599, {"type": "zz"}, errors.ServerError),
        (301, {}, errors.InvalidRequestError),
    ],
)
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_an_error_gets_its_class(
    provider: str, status: int, error: dict[str, Any], kind: type[ProviderError]
) -> None:
    found = specado.parse_error(status, {}, {"type": "error", "error": error}, provider)

    assert type(found) is kind
    assert (found.status_code, found.provider) == (status, provider)
    assert found.code == (error.get("code") or error.get("type"))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": "3"}, 3.0),
        ({"RETRY-AFTER": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 31 Dec 2025 00:00:00 GMT"}, 0.0),
        ({"retry-after": 7}, 7.0),
    ],
)
def test_the_wait_is_what_the_headers_ask_for(headers: Any, expected: float | None) -> None:
    assert specado.parse_error(429, headers, b"", "openai").retry_after_s == expected


def test_a_wait_may_be_a_date() -> None:
    then = datetime.now(timezone.utc) + timedelta(hours=1)

    found = specado.parse_error(429, {"retry-after": format_datetime(then)}, b"", "openai")

    assert found.retry_after_s is not None
    assert 3500 < found.retry_after_s <= 3600


@pytest.mark.parametrize("name", ["x-request-id", "request-id", "Request-Id"])
def test_the_request_id_is_kept(name: str) -> None:
    assert specado.parse_error(500, {name: "req_1"}, b"", "anthropic").request_id == "req_1"


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({}, {"type": "error", "error": {"type": "zz"}, "request_id": "req_2"}, "req_2"),
        ({"request-id": "req_1"}, {"request_id": "req_2"}, "req_1"),
        ({}, {"request_id": 5}, None),
        ({}, b'{"request_id": "\xff"}', None),
        ({}, "[" * 10**5, None),
    ],
)
def test_the_request_id_may_be_in_the_body(headers: Any, body: Any, expected: str | None) -> None:
    assert specado.parse_error(500, headers, body, "anthropic").request_id == expected


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (500, None, True),
        (500, "false", False),
        (429, "false", False),
        (500, "true", True),
        (500, "zz", True),
        (400, "true", False),
        (400, None, False),
    ],
)
def test_what_the_provider_says_of_a_retry_counts(
    status: int, said: str | None, expected: bool
) -> None:
    headers = {} if said is None else {"x-should-retry": said}

    assert specado.parse_error(status, headers, b"", "openai").retryable is expected


@pytest.mark.parametrize("body", [b"", "", {}, b"<html>bad</html>", b"\xff", "x" * 10**6, "[[[["])
def test_any_body_makes_an_error(body: Any) -> None:
    found = specado.parse_error(502, {}, body, "openai")

    assert isinstance(found, errors.ServerError)
    assert len(str(found)) < 700


def test_a_key_that_is_echoed_is_masked() -> None:
    message = "wrong key: sk-proj-abcdefghijklmnopqrstuvwx"
    body = {"error": {"message": message, "code": "sk-abcdefgh12345678"}}

    found = specado.parse_error(401, {}, body, "openai")

    assert "abcdefgh" not in str(found) + repr(found) + str(found.code)


def test_long_messages_are_cut() -> None:
    found = specado.parse_error(400, {}, {"error": {"message": "m" * 5000}}, "openai")

    assert str(found).count("m") < 520


@pytest.mark.parametrize("value", [float("nan"), "\ud800", {1, 2}])
def test_what_has_no_json_form_is_refused_between_equal_dialects(value: object) -> None:
    request = {"model": "claude-opus-4-5", "max_tokens": 9, "messages": [], "container": value}
    request["messages"] = [{"role": "user", "content": "Hello"}]

    with pytest.raises(specado.MessageFormatError, match="container: "):
        specado.translate(request, "anthropic", source="anthropic")
    with pytest.raises(specado.MessageFormatError, match="body: "):
        specado.parse_response({"id": value}, "openai")


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "3"},
        [("Retry-After", "3")],
        ((b"Retry-After", b"3"),),
        iter([["retry-after", 3]]),
    ],
)
def test_headers_may_be_pairs(headers: Any) -> None:
    assert specado.parse_error(429, headers, None, "openai").retry_after_s == 3.0


def test_there_may_be_no_headers_and_no_body() -> None:
    found = specado.parse_error(500, None, None, "openai")

    assert type(found) is errors.ServerError
    assert "the reply has no body" in str(found)


@pytest.mark.parametrize("status", ["500", None, True, 500.0])
def test_a_status_is_a_whole_number(status: Any) -> None:
    with pytest.raises(MessageFormatError, match="status must be an HTTP status such as 429, not"):
        specado.parse_error(status, {}, b"", "openai")


@pytest.mark.parametrize("headers", [5, "retry-after: 3", [1], [("a", "b", "c")]])
def test_headers_of_a_wrong_type_are_refused(headers: Any) -> None:
    with pytest.raises(MessageFormatError, match="headers must be a mapping of names to values"):
        specado.parse_error(500, headers, b"", "openai")


def test_a_body_of_a_wrong_type_is_refused() -> None:
    with pytest.raises(MessageFormatError, match="body must be bytes, text or a dict, not int"):
        specado.parse_error(500, {}, 5, "openai")  # type: ignore[arg-type]


ONE = {"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}}
LISTS: list[tuple[Any, type[ProviderError]]] = [
    ([ONE], errors.RateLimitError),
    ((ONE,), errors.RateLimitError),
    ([{}, ONE], errors.RateLimitError),
    ([ONE["error"]], errors.RateLimitError),
    ([{"error": "maximum context length is 8192 tokens"}], errors.ContextLengthError),
    (["maximum context length is 8192 tokens"], errors.ContextLengthError),
    ([[ONE]], errors.RateLimitError),
    ([], errors.InvalidRequestError),
]


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
@pytest.mark.parametrize(("body", "kind"), LISTS)
def test_an_error_body_may_be_a_list(body: Any, kind: type[ProviderError], provider: str) -> None:
    text = json.dumps(body)

    found = [specado.parse_error(400, {}, form, provider) for form in (body, text, text.encode())]
    assert [type(error) for error in found] == [kind] * 3
    assert len({str(error) for error in found}) == 1


LONG = "look_" + "x" * 140


@pytest.mark.parametrize("to", ["openai/gpt-5.4", "anthropic/claude-opus-4-8"])
@pytest.mark.parametrize("source", ["openai", "anthropic"])
def test_a_reply_has_the_callers_names_of_tools_with_the_request(to: str, source: str) -> None:
    tool: dict[str, Any] = {"type": "function", "function": {"name": LONG}}
    if source == "anthropic":
        tool = {"name": LONG, "input_schema": {"type": "object"}}
    messages = [{"role": "user", "content": "u"}]
    request = {"model": "m", "max_tokens": 9, "messages": messages, "tools": [tool]}
    translation = specado.translate(request, to, source=source)
    (sent, given), *_ = translation.tool_names.items()
    reply = called_by(to.partition("/")[0], sent)

    plain = specado.parse_response(reply, to.partition("/")[0])
    restored = specado.parse_response(reply, to.partition("/")[0], request=translation)

    assert given == LONG
    assert name_in(plain) == sent
    assert name_in(restored) == LONG
    assert sent in restored.raw.decode()


def name_in(reply: Any) -> str:
    return str(reply.choices[0].message.tool_calls[0].function.name)


def called_by(provider: str, name: str, text: str = "{}") -> dict[str, Any]:
    """Return a reply that calls a tool."""
    if provider == "openai":
        call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": text}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
        return {**COMPLETION, "choices": [choice]}
    use = {"type": "tool_use", "id": "c1", "name": name, "input": json.loads(text)}
    facts = {"id": "m", "type": "message", "role": "assistant", "model": "claude-opus-4-8"}
    usage = {"input_tokens": 1, "output_tokens": 1}
    return {**facts, "content": [use], "stop_reason": "tool_use", "usage": usage}


def test_a_request_without_renamed_tools_changes_nothing_of_its_reply() -> None:
    request = {"model": "gpt-5.4", "messages": [{"role": "user", "content": "u"}]}
    translation = specado.translate(request, "openai")

    assert translation.tool_names == {}
    reply = specado.parse_response(COMPLETION, "openai", request=translation)
    assert reply == specado.parse_response(COMPLETION, "openai")


def test_an_emulated_answer_is_content_with_the_request() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    answer_format = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    messages = [{"role": "user", "content": "u"}]
    request = {"model": "gpt-5.4", "messages": messages, "response_format": answer_format}
    translation = specado.translate(request, "anthropic/claude-opus-4-0")
    name = json.loads(translation.body)["tools"][0]["name"]

    reply = called_by("anthropic", name, '{"a": 1}')
    choice = specado.parse_response(reply, "anthropic", request=translation).choices[0]

    assert json.loads(choice.message.content or "") == {"a": 1}
    assert choice.message.tool_calls is None
    assert choice.finish_reason == "stop"
