"""Requests that the provider would refuse are refused, in its words."""

from __future__ import annotations

import json

import pytest

import official
from example_inputs import USER
from specado.simulator import handle

FUNCTION = {"type": "function", "function": {"name": "look_up"}}
CALL = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
OBJECT = {"type": "object"}
TOOL = {"name": "look_up", "input_schema": {"type": "object"}}
USE = {
    "role": "assistant",
    "content": [{"type": "tool_use", "id": "t1", "name": "look_up", "input": {}}],
}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "found"}
CACHED = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
THINKING = {"type": "enabled", "budget_tokens": 1024}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"


def parts(*parts):
    return {"messages": [{"role": "user", "content": list(parts)}]}


def image(url):
    return parts({"type": "image_url", "image_url": {"url": url}})


def source(**source):
    return parts({"type": "image", "source": source})


def closed(properties):
    made = {"type": "object", "properties": properties, "required": list(properties)}
    return {**made, "additionalProperties": False}


def strict(properties):
    inner = {"name": "a", "strict": True, "schema": closed(properties)}
    return {"type": "json_schema", "json_schema": inner}


def answer(properties):
    return {"output_config": {"format": {"type": "json_schema", "schema": closed(properties)}}}


def strict_tools(count, optional=0):
    properties = {f"p{place}": {"type": "string"} for place in range(optional)}
    schema = {**closed(properties), "required": []}
    return [{"name": f"f{place}", "strict": True, "input_schema": schema} for place in range(count)]


def ask_openai(changes, headers=None):
    body = {"model": "gpt-4o", "messages": [USER], **changes}
    body = {name: value for name, value in body.items() if value is not ...}
    return handle("POST", "/v1/chat/completions", headers or {}, json.dumps(body).encode())


def ask_anthropic(changes, version="2023-06-01", path="/v1/messages"):
    body = {"model": "claude-sonnet-4-5", "max_tokens": 2000, "messages": [USER], **changes}
    body = {name: value for name, value in body.items() if value is not ...}
    headers = {"anthropic-version": version}
    return handle("POST", path, headers, json.dumps(body).encode())


OPENAI = [
    ({"colour": 1}, "colour", "Unknown parameter: 'colour'."),
    ({"messages": ...}, "messages", "Missing required parameter: 'messages'."),
    ({"model": ...}, None, "you must provide a model parameter"),
    ({"messages": []}, "messages", "Invalid 'messages': empty array. Expected an array with"),
    (
        {"messages": [{"role": "robot", "content": "a"}]},
        "messages[0].role",
        (
            "Invalid value: 'robot'. Supported values are: 'system', 'developer', 'user', "
            "'assistant', 'tool', and 'function'."
        ),
    ),
    (
        {"messages": [{"role": "user", "content": 5}]},
        "messages[0].content",
        (
            "Invalid type for 'messages[0].content': expected one of a string or an array, but got "
            "an integer instead."
        ),
    ),
    (
        {"temperature": 2.5},
        "temperature",
        (
            "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got "
            "2.5 instead."
        ),
    ),
    ({"n": 0}, "n", "Invalid 'n': integer below minimum value. Expected a value >= 1, but got 0"),
    ({"n": 129}, "n", "Invalid 'n': integer above maximum value."),
    ({"top_p": 1.5}, "top_p", "Invalid 'top_p': decimal above maximum value."),
    ({"max_tokens": 0}, "max_tokens", "Invalid 'max_tokens': integer below minimum value."),
    ({"max_tokens": 10**7}, "max_tokens", "max_tokens is too large: 10000000. This model supports"),
    ({"max_tokens": 5, "max_completion_tokens": 5}, "max_tokens", "Setting 'max_tokens' and"),
    ({"stop": ["a"] * 5}, "stop", "Invalid 'stop': array too long. Expected an array with maximum"),
    ({"logit_bias": {"1": 200}}, "logit_bias", "Invalid 'logit_bias': integer above maximum"),
    ({"metadata": {"a": 1}}, "metadata", "Invalid type for 'metadata': expected a string"),
    ({"tools": []}, "tools", "Invalid 'tools': empty array."),
    (
        {"model": "gpt-5.6", "tools": [FUNCTION]},
        "reasoning_effort",
        "Function tools with reasoning_effort are not supported for gpt-5.6 in /v1/chat/",
    ),
    ({"tool_choice": "auto"}, "tool_choice", "Invalid value for 'tool_choice': 'tool_choice' is"),
    ({"parallel_tool_calls": True}, "parallel_tool_calls", "Invalid value for 'parallel_tool_c"),
    (
        {"tools": [{"type": "function", "function": {"name": "a b"}}]},
        "tools[0].function.name",
        (
            "Invalid 'tools[0].function.name': string does not match pattern. Expected a string "
            "that matches the pattern '^[a-zA-Z0-9_-]+$'."
        ),
    ),
    (
        {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "b"}}},
        "tool_choice",
        "Tool choice 'b' not found in 'tools' parameter.",
    ),
    ({"response_format": {"type": "json_object"}}, "messages", "'messages' must contain the word"),
    (
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {
                    "name": "a",
                    "strict": True,
                    "schema": {"type": "object", "properties": {"b": {"type": "string"}}},
                },
            }
        },
        "response_format",
        "Invalid schema for response_format 'a': In context=(), 'additionalProperties' is required",
    ),
    (
        {"response_format": strict({"b": {"type": "string", "minLength": 1}})},
        "response_format",
        (
            "Invalid schema for response_format 'a': In context=('properties', 'b'), 'minLength' "
            "is not permitted."
        ),
    ),
    (
        {"response_format": strict({"b": {"type": "object", "additionalProperties": False}})},
        "response_format",
        (
            "Invalid schema for response_format 'a': In context=('properties', 'b'), object schema "
            "missing properties."
        ),
    ),
    ({"web_search_options": {}}, "web_search_options", "Web search options not supported with th"),
    (
        {"messages": [USER, {"role": "tool", "tool_call_id": "c1", "content": "a"}]},
        "messages.[1].role",
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message",
    ),
    (
        {"messages": [USER, {"role": "assistant", "tool_calls": [CALL]}, USER]},
        "messages.[2].role",
        (
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: c1"
        ),
    ),
    (
        {"messages": [USER, {"role": "assistant", "content": None}]},
        "messages.[1].content",
        "Invalid value for 'content': expected a string, got null.",
    ),
    (image("ftp://a"), "messages[0].content[0].image_url.url", "Invalid 'messages[0].content[0]"),
    (image("data:image/png;base64,@"), "messages[0].content[0].image_url.url", "Invalid base64 im"),
    (image("data:image/tiff;base64,AAAA"), "messages[0].content[0].image_url.url", "Invalid MIME"),
    (
        {**image(f"data:image/png;base64,{PNG}"), "model": "gpt-3.5-turbo"},
        "messages.[0].content.[0].type",
        "Invalid content type. image_url is only supported by certain models.",
    ),
    ({"stream_options": {}}, "stream_options", "The 'stream_options' parameter is only allowed"),
    ({"top_logprobs": 2}, "top_logprobs", "Invalid value for 'top_logprobs': 'logprobs' must be"),
    ({"modalities": ["audio"]}, "audio", "Missing required parameter: 'audio'."),
    (
        {"model": "gpt-5", "max_tokens": 5},
        "max_tokens",
        (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead."
        ),
    ),
    (
        {"model": "gpt-5", "temperature": 0.5},
        "temperature",
        (
            "Unsupported value: 'temperature' does not support 0.5 with this model. Only the "
            "default (1) value is supported."
        ),
    ),
    (
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]},
        "tools[0].function.parameters",
        (
            "Invalid schema for function 'f': schema must be a JSON Schema of 'type: \"object\"', "
            "got 'type: \"None\"'."
        ),
    ),
    (
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": OBJECT}}]},
        "tools[0].function.parameters",
        "Invalid schema for function 'f': In context=(), object schema missing properties.",
    ),
    (
        {
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "f",
                        "parameters": {**OBJECT, "properties": {"a": {"type": "array"}}},
                    },
                }
            ]
        },
        "tools[0].function.parameters",
        "Invalid schema for function 'f': In context=('properties', 'a'), array schema missing ite",
    ),
    (
        {"messages": [USER, {"role": "assistant", "content": None, "tool_calls": [CALL, CALL]}]},
        "messages.[1].tool_calls",
        "Duplicate value for 'tool_call_id' of 'c1' in message[1].",
    ),
    ({"user": "u" * 65}, "user", "Invalid 'user': string too long. Expected a string with max"),
]
ANTHROPIC = [
    (
        {"messages": [USER, {**USE, "content": USE["content"] * 2}], "tools": [TOOL]},
        "messages.1.content.1: `tool_use` ids must be unique",
    ),
    (
        source(type="url", url="http://x.org/a.png"),
        "messages.0.content.0.image.source.url.url: Onl",
    ),
    ({"metadata": {"user_id": "a@b.org"}}, "metadata.user_id: user_id appears to contain an email"),
    ({"metadata": {"user_id": "+49 30 1234"}}, "metadata.user_id: user_id appears to contain a ph"),
    ({"tools": strict_tools(21)}, "Too many strict tools (21)."),
    (
        {"tools": strict_tools(2, optional=13)},
        "Schemas contains too many optional parameters (26)",
    ),
    ({"n": 2}, "n: Extra inputs are not permitted"),
    ({"context_management": {}}, "context_management: Extra inputs are not permitted"),
    ({"max_tokens": ...}, "max_tokens: Field required"),
    ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
    (
        {"max_tokens": 10**7},
        (
            "max_tokens: 10000000 > 64000, which is the maximum allowed number of output tokens "
            "for claude-sonnet-4-5"
        ),
    ),
    ({"temperature": 1.5}, "temperature: Input should be less than or equal to 1"),
    ({"temperature": 0.5, "top_p": 0.5}, "`temperature` and `top_p` cannot both be specified for"),
    ({"messages": []}, "messages: at least one message is required"),
    ({"messages": [{"role": "tool", "content": "a"}]}, 'messages: Unexpected role "tool".'),
    ({"messages": [{"role": "system", "content": "a"}, USER]}, 'messages: Unexpected role "syste'),
    (
        {"messages": [USER, {"role": "system", "content": "a"}, USER]},
        'messages: Unexpected role "system". The Messages API accepts a top-level `system`',
    ),
    ({"messages": [{"role": "user", "content": ""}]}, "messages.0: user messages must have non-em"),
    (parts({"type": "text", "text": ""}), "messages: text content blocks must be non-empty"),
    (parts({"type": "text", "text": " "}), "messages: text content blocks must contain non-white"),
    (parts({"type": "text", "text": "a", "b": 1}), "messages.0.content.0.text.b: Extra inputs are"),
    (parts({"type": "video"}), "messages.0.content.0: Input tag 'video' found using 'type' does"),
    (parts(RESULT), "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks"),
    (
        {"messages": [USER, USE, USER]},
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1.",
    ),
    (
        {
            "messages": [
                USER,
                USE,
                {"role": "user", "content": [{"type": "text", "text": "a"}, RESULT]},
            ]
        },
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1.",
    ),
    (
        {"messages": [{**USE, "role": "user"}]},
        "messages.0: `tool_use` blocks can only be in `assistant` messages",
    ),
    (
        {"messages": [USER, {"role": "assistant", "content": "a "}]},
        "messages: final assistant content cannot end with trailing whitespace",
    ),
    (
        {"model": "claude-opus-4-6", "messages": [USER, {"role": "assistant", "content": "a"}]},
        "This model does not support assistant message prefill.",
    ),
    ({"tools": [{**TOOL, "name": "a b"}]}, "tools.0.custom.name: String should match pattern '^[a"),
    ({"tools": [{"name": "a"}]}, "tools.0.custom.input_schema: Field required"),
    ({"tools": [{"name": "a", "input_schema": {}}]}, "tools.0.custom.input_schema.type: Field req"),
    ({"tools": [TOOL, TOOL]}, "tools: Tool names must be unique."),
    (
        {"tools": [{"type": "web_search_20250305", "name": "w", "a": 1}]},
        "tools.0.web_search_202503",
    ),
    ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "b"}}, "Tool 'b' not found in prov"),
    ({"tool_choice": {"type": "any"}}, "tool_choice may only be specified while providing tools."),
    (
        {"messages": [USER, USE, {"role": "user", "content": [RESULT]}]},
        "Requests which include `tool_use` or `tool_result` blocks must define tools.",
    ),
    (
        {"thinking": {**THINKING, "budget_tokens": 9}},
        "thinking.enabled.budget_tokens: Input should",
    ),
    ({"thinking": THINKING, "max_tokens": 1024}, "`max_tokens` must be greater than `thinking.bu"),
    ({"thinking": THINKING, "temperature": 0.5}, "`temperature` may only be set to 1 when thinkin"),
    (
        {"thinking": THINKING, "tools": [TOOL], "tool_choice": {"type": "any"}},
        "Thinking may not be enabled when tool_choice forces tool use.",
    ),
    (
        {
            "thinking": THINKING,
            "tools": [TOOL],
            "messages": [USER, USE, {"role": "user", "content": [RESULT]}],
        },
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_u",
    ),
    (
        {"thinking": THINKING, "messages": [USER, {"role": "assistant", "content": "a"}]},
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`.",
    ),
    ({"thinking": {"type": "adaptive"}}, "adaptive thinking is not supported on this model"),
    ({"output_config": {"effort": "low"}}, "This model does not support the effort parameter."),
    (
        answer({"b": {"type": "integer", "minimum": 1}}),
        "output_config.format.schema: For 'integer' type, property 'minimum' is not supported",
    ),
    (
        answer({"b": {"type": "array", "items": {"type": "string"}, "minItems": 8}}),
        (
            "output_config.format.schema: For 'array' type, 'minItems' values other than 0 or 1 "
            "are not supported"
        ),
    ),
    (
        answer({"b": {"type": "object"}}),
        (
            "output_config.format.schema: For 'object' type, 'additionalProperties' must be "
            "explicitly set to false"
        ),
    ),
    ({"stop_sequences": [" "]}, "stop_sequences: each stop sequence must contain non-whitespace"),
    ({"system": [CACHED] * 5}, "A maximum of 4 blocks with cache_control may be provided. Found 5"),
    (
        {"system": [CACHED, {**CACHED, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
        "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block.",
    ),
    (
        source(type="base64", media_type="image/bmp", data=PNG),
        (
            "messages.0.content.0.image.source.base64.media_type: Input should be 'image/gif', "
            "'image/jpeg', 'image/png' or 'image/webp'"
        ),
    ),
    (
        source(type="base64", media_type="image/jpeg", data=PNG),
        (
            "messages.0.content.0.image.source.base64: The image was specified using the "
            "image/jpeg media type, but the image appears to be a image/png image"
        ),
    ),
    (source(type="base64", media_type="image/png", data="@"), "messages.0.content.0.image.source."),
    (source(type="url", url="file:///a"), "messages.0.content.0.image.source.url.url: Only HTTPS"),
    (
        parts(
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"},
            }
        ),
        "messages.0.content.0.document.source.base64.data: The PDF specified was not valid.",
    ),
]


@pytest.mark.parametrize(("changes", "param", "message"), OPENAI)
def test_openai_refuses(changes, param, message):
    reply = ask_openai(changes)
    error = json.loads(reply.body)["error"]

    assert reply.status == 400
    assert official.problems("openai-error", reply.body) == []
    assert error["message"].startswith(message)
    assert error["param"] == param


@pytest.mark.parametrize(("changes", "message"), ANTHROPIC)
def test_anthropic_refuses(changes, message):
    reply = ask_anthropic(changes)
    error = json.loads(reply.body)["error"]

    assert reply.status == 400
    assert official.problems("anthropic-error", reply.body) == []
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith(message)


@pytest.mark.parametrize(
    ("roles", "accepted"),
    [
        (["user", "system"], True),
        (["user", "system", "assistant", "user"], True),
        (["user", "system", "user"], False),
        (["user", "assistant", "system", "user"], False),
        (["user", "assistant", "system"], False),
        (["user", "system", "system"], True),
    ],
)
def test_a_later_system_message_follows_a_user_and_precedes_an_assistant(roles, accepted):
    messages = [{"role": role, "content": "a"} for role in roles]

    reply = ask_anthropic({"model": "claude-opus-4-8", "messages": messages})

    assert reply.status == (200 if accepted else 400)
    assert accepted or b"`system` messages must follow a `user` message" in reply.body


def test_a_system_message_between_a_call_and_its_result_is_refused():
    rule = {"role": "system", "content": "a"}
    messages = [USER, USE, rule, {"role": "user", "content": [RESULT]}]

    reply = ask_anthropic({"model": "claude-opus-4-8", "messages": messages, "tools": [TOOL]})

    assert reply.status == 400


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "We could not parse the JSON body of your request."),
        (b"{", "We could not parse the JSON body of your request."),
        (b'{"model": "\xff"}', "We could not parse the JSON body of your request."),
        (b"[]", "Invalid type for '': expected an object"),
        (b"[" * 100_000, "The request body is nested too deeply."),
        (b'{"a":' * 100_000, "The request body is nested too deeply."),
    ],
)
def test_what_is_not_a_json_object_is_refused(body, message):
    reply = handle("POST", "/v1/chat/completions", {}, body)

    assert reply.status == 400
    assert json.loads(reply.body)["error"]["message"].startswith(message)


@pytest.mark.parametrize("depth", [200, 300, 900, 5000])
def test_deep_schemas_neither_crash_nor_hang(depth):
    schema = '{"type":"object","properties":{"a":' * depth + "{}" + "}}" * depth
    openai = (
        '{"model":"gpt-4o","messages":[{"role":"user","content":"look"}],"tools":[{"type":'
        f'"function","function":{{"name":"look","parameters":{schema}}}}}]}}'
    )
    anthropic = (
        '{"model":"claude-sonnet-4-5","max_tokens":9,"messages":[{"role":"user","content":"look"}'
        f'],"tools":[{{"name":"look","input_schema":{schema}}}]}}'
    )

    assert handle("POST", "/v1/chat/completions", {}, openai.encode()).status in (200, 400)
    headers = {"anthropic-version": "2023-06-01"}
    assert handle("POST", "/v1/messages", headers, anthropic.encode()).status in (200, 400)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "kind"),
    [
        ("POST", "/v1/completions", {}, 404, "openai-error"),
        ("POST", "/chat/completions", {}, 404, "openai-error"),
        ("GET", "/v1/models/", {}, 404, "openai-error"),
        ("GET", "/v1/models/gpt-none", {}, 404, "openai-error"),
        (
            "GET",
            "/v1/models/claude-none",
            {"anthropic-version": "2023-06-01"},
            404,
            "anthropic-error",
        ),
        ("GET", "/", {"x-api-key": "k"}, 404, "anthropic-error"),
        ("GET", "/v1/chat/completions", {}, 405, "openai-error"),
        ("GET", "/v1/messages", {}, 405, "anthropic-error"),
        ("DELETE", "/v1/models/gpt-4o", {}, 405, "openai-error"),
        ("POST", "/v1/messages", {}, 400, "anthropic-error"),
        ("POST", "/v1/messages", {"anthropic-version": "2020-01-01"}, 400, "anthropic-error"),
        ("POST", "/v1/messages/batches", {}, 404, "anthropic-error"),
        ("POST", "/v1/complete", {}, 404, "anthropic-error"),
        ("POST", "/v1/embeddings", {}, 404, "openai-error"),
    ],
)
def test_wrong_addresses_methods_and_versions(method, path, headers, status, kind):
    reply = handle(method, path, headers, b"")

    assert reply.status == status
    assert official.problems(kind, reply.body) == []
    assert ("allow" in dict(reply.headers)) == (status == 405)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/embeddings", {}),
        ("/v1/responses/compact", {}),
        ("/v1/messages/batches", {"anthropic-version": "2026-10-21"}),
    ],
)
def test_an_address_that_is_not_served_names_those_that_are(path, headers):
    reply = handle("POST", path, headers, b"{}")

    message = json.loads(reply.body)["error"]["message"]
    assert reply.status == 404
    assert f"POST {path}" in message
    assert message.endswith(
        "The simulator serves POST /v1/chat/completions, POST /v1/responses, "
        "GET /v1/responses/{id}, DELETE /v1/responses/{id}, POST /v1/conversations, "
        "POST /v1/messages, POST /v1/messages/count_tokens, GET /v1/models, GET /v1/models/{id}, "
        "POST /v1beta/models/{id}:generateContent, "
        "POST /v1beta/models/{id}:streamGenerateContent, POST /v1beta/models/{id}:countTokens, "
        "GET /v1beta/models, GET /v1beta/models/{id}, POST /model/{id}/converse, "
        "POST /model/{id}/converse-stream, GET /foundation-models, "
        "POST /{provider}/…/chat/completions."
    )


PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0x"}
DOCUMENT = {"type": "document", "source": PDF}
CITED = {
    "type": "text",
    "text": "a",
    "citations": [
        {
            "type": "char_location",
            "cited_text": "a",
            "document_index": 0,
            "document_title": None,
            "start_char_index": 0,
            "end_char_index": 1,
        }
    ],
}
FOUND = {"type": "search_result", "source": "s", "title": "t", "content": [CITED]}
SINCE_2026_10_21 = [
    ({"temperature": 1.0}, "temperature: Extra inputs are not permitted"),
    ({"temperature": None}, "temperature: Extra inputs are not permitted"),
    ({"temperature": "hot"}, "temperature: Extra inputs are not permitted"),
    ({"top_p": 0.5}, "top_p: Extra inputs are not permitted"),
    ({"top_k": 5}, "top_k: Extra inputs are not permitted"),
    (
        {"messages": [USER, {"role": "assistant", "content": [DOCUMENT]}, USER]},
        "messages.1.content.0: `document` blocks can only be in `user` messages",
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, CITED]}]},
        "messages.0.content.1.text.citations: `citations` can only be in `assistant` messages",
    ),
    (
        {"messages": [{"role": "user", "content": [FOUND]}]},
        (
            "messages.0.content.0.search_result.content.0.text.citations: `citations` can only be "
            "in `assistant` messages"
        ),
    ),
    (
        {"messages": [USER, USE, {"role": "user", "content": [{**RESULT, "content": [FOUND]}]}]},
        (
            "messages.2.content.0.tool_result.content.0.search_result.content.0.text.citations: "
            "`citations` can only be in `assistant` messages"
        ),
    ),
]


@pytest.mark.parametrize(("changes", "message"), SINCE_2026_10_21)
def test_what_anthropic_refuses_since_2026_10_21(changes, message):
    reply = ask_anthropic({"tools": [TOOL], **changes}, "2026-10-21")

    assert reply.status == 400
    assert official.problems("anthropic-error", reply.body) == []
    assert json.loads(reply.body)["error"]["type"] == "invalid_request_error"
    assert json.loads(reply.body)["error"]["message"] == message


@pytest.mark.parametrize(
    "changes", [changes for changes, _ in SINCE_2026_10_21 if changes.get("temperature") != "hot"]
)
def test_the_version_before_takes_it(changes):
    assert ask_anthropic({"tools": [TOOL], **changes}).status == 200


@pytest.mark.parametrize("changes", [changes for changes, _ in SINCE_2026_10_21[5:]])
def test_token_counts_refuse_the_same_content(changes):
    body = {"max_tokens": ..., "tools": [TOOL], **changes}

    assert ask_anthropic(body, "2026-10-21", "/v1/messages/count_tokens").status == 400
    assert ask_anthropic(body, path="/v1/messages/count_tokens").status == 200


@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
@pytest.mark.parametrize(
    "changes",
    [
        {"diagnostics": {"previous_message_id": None}},
        {"speed": "fast"},
        {"thinking": {"type": "between_tools"}},
    ],
)
def test_fields_of_the_newest_package_are_taken(changes, version):
    reply = ask_anthropic(changes, version)

    assert reply.status == 200
    assert json.loads(reply.body)["content"][0]["text"] == "Simulated reply to: Hello"


@pytest.mark.parametrize(
    "content",
    [
        [{"role": "user", "content": [{**DOCUMENT, "citations": {"enabled": True}}]}],
        [USER, {"role": "assistant", "content": [CITED]}, USER],
        [{"role": "user", "content": [{"type": "text", "text": "a", "citations": []}]}],
        [USER, USE, {"role": "user", "content": [{**RESULT, "content": [DOCUMENT]}]}],
    ],
)
def test_the_rest_is_taken_by_both_versions(content):
    for version in ("2023-06-01", "2026-10-21"):
        assert ask_anthropic({"messages": content, "tools": [TOOL]}, version).status == 200


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/models", {}, 401),
        ("/v1/models", {"authorization": "Bearer wrong"}, 401),
        ("/v1/models", {"authorization": "Basic a2V5"}, 401),
        ("/v1/models", {"authorization": "Bearer anything"}, 200),
        ("/v1/models", {"anthropic-version": "2023-06-01"}, 401),
        ("/v1/models", {"anthropic-version": "2023-06-01", "x-api-key": "wrong"}, 401),
        ("/v1/models", {"anthropic-version": "2023-06-01", "x-api-key": "anything"}, 200),
        ("/v1/models", {"anthropic-version": "2026-10-21", "x-api-key": "anything"}, 200),
        ("/v1/models", {"anthropic-version": "2026-10-21", "authorization": "Bearer any"}, 200),
        ("/v1/models", {"anthropic-version": "2026-10-21", "authorization": "Bearer wrong"}, 401),
        ("/v1/models", {"anthropic-version": "2023-06-01", "authorization": "Bearer any"}, 200),
        ("/v1/assistants", {}, 404),
        ("/v1/assistants", {"anthropic-version": "2026-10-21"}, 404),
    ],
)
def test_keys_where_they_are_asked_for(path, headers, status):
    reply = handle("GET", path, headers, b"", keys=True)
    kind = "anthropic" if "anthropic-version" in headers else "openai"

    assert reply.status == status
    expected = "models" if status == 200 else "error"
    assert official.problems(f"{kind}-{expected}", reply.body) == []


def test_a_body_over_the_limit_is_refused():
    openai = handle("POST", "/v1/chat/completions", {}, b" " * 32_000_001)
    anthropic = handle(
        "POST", "/v1/messages", {"anthropic-version": "2023-06-01"}, b" " * 32_000_001
    )

    assert (openai.status, anthropic.status) == (413, 413)
    assert official.problems("openai-error", openai.body) == []
    # The package's types do not list this one; Anthropic's "Errors" page does (2026-11-22).
    assert json.loads(anthropic.body)["error"]["type"] == "request_too_large"


def test_a_prompt_over_the_context_window_is_refused():
    openai = ask_openai({"messages": [{"role": "user", "content": "a" * 600_000}]})
    anthropic = ask_anthropic({"messages": [{"role": "user", "content": "a" * 900_000}]})

    assert json.loads(openai.body)["error"]["code"] == "context_length_exceeded"
    assert json.loads(anthropic.body)["error"]["message"].startswith("prompt is too long: 2250")
