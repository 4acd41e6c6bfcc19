"""The simulated Bedrock: what it refuses and in which words, and recorded requests."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from bedrock_recordings import REQUESTS
from specado.simulator import FAULT_MODELS, handle

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-pro-v1:0"
LLAMA = "us.meta.llama4-maverick-17b-instruct-v1:0"
ASK = {"role": "user", "content": [{"text": "What is the weather?"}]}
TOOL = {"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}
CALL = {
    "role": "assistant",
    "content": [{"toolUse": {"toolUseId": "t1", "name": "f", "input": {}}}],
}
RESULT = {"toolResult": {"toolUseId": "t1", "content": [{"text": "rain"}]}}
DONE = [ASK, CALL, {"role": "user", "content": [RESULT]}]
PDF = {"format": "pdf", "source": {"bytes": "JVBERi0="}}
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}


def ask(model, *, stream=False, headers=None, keys=False, now_s=0.0, **members):
    body = json.dumps({"messages": [ASK], **members}).encode()
    end = "converse-stream" if stream else "converse"
    path = f"/model/{quote(model, safe='')}/{end}"
    return handle("POST", path, headers or {}, body, now_s=now_s, keys=keys)


def error_of(reply):
    """Return the exception's name, the status and the message of an error."""
    return dict(reply.headers)["x-amzn-errortype"], reply.status, json.loads(reply.body)["message"]


def with_block(**block):
    return {"messages": [{"role": "user", "content": [{"text": "See."}, block]}]}


@pytest.mark.parametrize("recorded", REQUESTS, ids=lambda recorded: recorded.id)
def test_recorded_requests_get_the_recorded_status(recorded):
    reply = handle("POST", recorded.path, {}, json.dumps(recorded.body).encode(), now_s=0)

    assert reply.status == recorded.status, reply.body
    assert (reply.stream is not None) == (recorded.is_stream and recorded.status == 200)


REFUSED = {
    "an unknown member": (
        CLAUDE,
        {"max_tokens": 9},
        (
            "Malformed input request: #: extraneous key [max_tokens] is not permitted, please "
            "reformat your input and try again."
        ),
    ),
    "no messages": (
        CLAUDE,
        {"messages": []},
        "The messages field is empty. Add a Message object to the messages field and try again.",
    ),
    "an empty message": (
        CLAUDE,
        {"messages": [{"role": "user", "content": []}]},
        (
            "The content field in the Message object at messages.0 is empty. Add a ContentBlock "
            "object to the content field and try again."
        ),
    ),
    "a text as system": (
        CLAUDE,
        {"system": "Be brief."},
        "STRING_VALUE can not be converted to a List",
    ),
    "an empty system text": (
        CLAUDE,
        {"system": [{"text": ""}]},
        (
            "1 validation error detected: Value '' at 'system.1.member.text' failed to satisfy "
            "constraint: Member must have length greater than or equal to 1"
        ),
    ),
    "a name of a tool in the history": (
        CLAUDE,
        {
            "messages": [
                ASK,
                {
                    "role": "assistant",
                    "content": [{"toolUse": {"toolUseId": "t1", "name": "$READ", "input": {}}}],
                },
                DONE[2],
            ],
            "toolConfig": {"tools": [TOOL]},
        },
        (
            "1 validation error detected: Value '$READ' at 'messages.2.member.content.1.member."
            "toolUse.name' failed to satisfy constraint: Member must satisfy regular expression "
            "pattern: [a-zA-Z0-9_-]+"
        ),
    ),
    "two wrong numbers": (
        CLAUDE,
        {"inferenceConfig": {"maxTokens": 0, "temperature": 1.5}},
        (
            "2 validation errors detected: Value '0' at 'inferenceConfig.maxTokens' failed to "
            "satisfy constraint: Member must have value greater than or equal to 1; Value '1.5' at "
            "'inferenceConfig.temperature' failed to satisfy constraint: Member must have value "
            "less than or equal to 1"
        ),
    ),
    "no tools": (
        CLAUDE,
        {"toolConfig": {"tools": []}},
        (
            "1 validation error detected: Value '[]' at 'toolConfig.tools' failed to satisfy "
            "constraint: Member must have length greater than or equal to 1"
        ),
    ),
    "a block of two kinds": (
        CLAUDE,
        {"messages": [{"role": "user", "content": [{"text": "a", "cachePoint": {}}]}]},
        (
            "ContentBlock object at messages.0.content.0 must set one of the following keys: text, "
            "image, document, video, audio, toolUse, toolResult, guardContent, cachePoint, "
            "reasoningContent, citationsContent, searchResult, toolAddition, toolRemoval."
        ),
    ),
    "tool blocks without toolConfig": (
        CLAUDE,
        {"messages": DONE},
        "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
    ),
    "a call without its result": (
        CLAUDE,
        {"messages": [ASK, CALL, ASK], "toolConfig": {"tools": [TOOL]}},
        "Expected toolResult blocks at messages.2.content for the following Ids: t1",
    ),
    "results in two messages": (
        CLAUDE,
        {"messages": [*DONE, DONE[2]], "toolConfig": {"tools": [TOOL]}},
        (
            "The number of toolResult blocks at messages.3.content exceeds the number of toolUse "
            "blocks of previous turn."
        ),
    ),
    "a choice that the family has not": (
        LLAMA,
        {"toolConfig": {"tools": [TOOL], "toolChoice": {"any": {}}}},
        (
            "This model doesn't support the toolConfig.toolChoice.any field. Remove "
            "toolConfig.toolChoice.any and try again."
        ),
    ),
    "a name of a document with a dot": (
        CLAUDE,
        with_block(document={"name": "a.pdf", **PDF}),
        (
            "The document file name can only contain alphanumeric characters, whitespace "
            "characters, hyphens, parentheses, and square brackets. The name can't contain more "
            "than one consecutive whitespace character."
        ),
    ),
    "a document without a text": (
        CLAUDE,
        {"messages": [{"role": "user", "content": [{"document": {"name": "a", **PDF}}]}]},
        "Add a text block to the message when you include a document, and try again.",
    ),
    "a result beside a text": (
        LLAMA,
        {
            "messages": [ASK, CALL, {"role": "user", "content": [RESULT, {"text": "Go on."}]}],
            "toolConfig": {"tools": [TOOL]},
        },
        (
            "The model returned the following errors: messages.2: a message with toolResult blocks "
            "must not have other content blocks"
        ),
    ),
    "temperature beside topP": (
        CLAUDE,
        {"inferenceConfig": {"temperature": 0.5, "topP": 0.5}},
        (
            "The model returned the following errors: `temperature` and `top_p` cannot both be "
            "specified for this model. Please use only one."
        ),
    ),
    "a forced call while thinking": (
        CLAUDE,
        {
            "additionalModelRequestFields": THINKING,
            "toolConfig": {"tools": [TOOL], "toolChoice": {"any": {}}},
        },
        (
            "The model returned the following errors: Thinking may not be enabled when tool_choice "
            "forces tool use."
        ),
    ),
    "a call of this turn without its thinking": (
        CLAUDE,
        {
            "messages": DONE,
            "additionalModelRequestFields": THINKING,
            "toolConfig": {"tools": [TOOL]},
        },
        (
            "The model returned the following errors: messages.1.content.0.type: Expected "
            "`thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, "
            "a final `assistant` message must start with a thinking block (preceeding the lastmost "
            "set of `tool_use` and `tool_result` blocks)."
        ),
    ),
    "a format that is not JSON": (
        CLAUDE,
        {
            "outputConfig": {
                "textFormat": {
                    "type": "json_schema",
                    "structure": {"jsonSchema": {"schema": "{"}},
                }
            }
        },
        (
            "The value at outputConfig.textFormat.structure.jsonSchema.schema isn't valid JSON. "
            "Update the schema and try again."
        ),
    ),
    "a model that does not exist": (
        "us.amazon.nova-micro-v1:O",
        {},
        "The provided model identifier is invalid.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    model, members, message = REFUSED[case]
    name, status, told = error_of(ask(model, **members))

    assert (told, status) == (message, 400)
    assert name in ("ValidationException", "SerializationException")


def test_only_claude_and_nova_have_cache_points():
    members = {"system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}]}

    assert ask(CLAUDE, **members).status == ask(NOVA, **members).status == 200
    assert error_of(ask(LLAMA, **members))[:2] == ("AccessDeniedException", 403)
    many = {"system": [{"cachePoint": {"type": "default"}}] * 5}
    assert "A maximum of 4 blocks" in error_of(ask(CLAUDE, **many))[2]


def test_what_recorded_requests_had_is_taken():
    reply = {"role": "assistant", "content": [{"text": "Hello"}]}
    name = with_block(document={"name": "my_file", **PDF})

    assert ask(CLAUDE, messages=[reply, ASK]).status == 200
    assert ask(CLAUDE, messages=[ASK, ASK]).status == 200
    assert ask(CLAUDE, messages=[{"role": "user", "content": [{"text": " "}]}]).status == 200
    assert ask(CLAUDE, **name).status == 200


def test_claude_takes_the_signatures_of_anthropics_own_api():
    asked = {"model": "claude-sonnet-4-5", "max_tokens": 2000, "messages": [{"role": "user"}]}
    asked["messages"][0]["content"] = "Hello"
    asked["thinking"] = THINKING["thinking"]
    headers = {"anthropic-version": "2023-06-01"}
    reply = handle("POST", "/v1/messages", headers, json.dumps(asked).encode())
    thought = json.loads(reply.body)["content"][0]
    text = {"text": thought["thinking"], "signature": thought["signature"]}
    block = {"reasoningContent": {"reasoningText": text}}
    answered = {"role": "assistant", "content": [block, {"text": "Hi"}]}

    assert ask(CLAUDE, messages=[ASK, answered, ASK]).status == 200
    text["signature"] = "c2lnbmVk"
    assert "Invalid `signature`" in error_of(ask(CLAUDE, messages=[ASK, answered, ASK]))[2]


def test_the_end_of_an_answer():
    stops = {"inferenceConfig": {"stopSequences": ["to:"]}}
    wanted = {"additionalModelResponseFieldPaths": ["/stop_sequence"]}
    claude = json.loads(ask(CLAUDE, **stops, **wanted).body)
    cut = json.loads(ask(CLAUDE, inferenceConfig={"maxTokens": 2}).body)

    assert claude["stopReason"] == "stop_sequence"
    assert claude["additionalModelResponseFields"] == {"stop_sequence": "to:"}
    assert json.loads(ask(NOVA, **stops).body)["stopReason"] == "end_turn"
    assert (cut["stopReason"], cut["usage"]["outputTokens"]) == ("max_tokens", 2)


def test_an_answer_by_a_schema():
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    schema["additionalProperties"] = False
    spec = {"jsonSchema": {"schema": json.dumps(schema)}}
    members = {"outputConfig": {"textFormat": {"type": "json_schema", "structure": spec}}}
    content = json.loads(ask(CLAUDE, **members).body)["output"]["message"]["content"]

    assert isinstance(json.loads(content[0]["text"])["a"], int)
    assert "outputConfig.textFormat" in error_of(ask(NOVA, **members))[2]


SIGNED = (
    "AWS4-HMAC-SHA256 Credential=AKID/20261201/us-east-1/bedrock/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64
)
NOW_S = 1796083200.0
DATED = {"host": "localhost", "x-amz-date": "20261201T000000Z"}
ACCESS = {
    "a bearer key": ({"authorization": "Bearer key"}, None),
    "a signature": ({"authorization": SIGNED, **DATED}, None),
    "nothing": ({}, "MissingAuthenticationTokenException"),
    "a wrong key": ({"authorization": "Bearer wrong"}, "AccessDeniedException"),
    "no signature": ({"authorization": SIGNED[:60], **DATED}, "IncompleteSignatureException"),
    "no date": ({"authorization": SIGNED, "host": "localhost"}, "IncompleteSignatureException"),
    "an old date": (
        {"authorization": SIGNED, "host": "localhost", "x-amz-date": "20261201T001000Z"},
        "InvalidSignatureException",
    ),
    "another service": (
        {"authorization": SIGNED.replace("/bedrock/", "/bedrock-runtime/"), **DATED},
        "InvalidSignatureException",
    ),
    "an unsigned host": (
        {"authorization": SIGNED.replace("host;", ""), **DATED},
        "InvalidSignatureException",
    ),
    "an unsigned token": (
        {"authorization": SIGNED, **DATED, "x-amz-security-token": "t"},
        "InvalidSignatureException",
    ),
}


@pytest.mark.parametrize("case", ACCESS)
def test_access(case):
    headers, refused = ACCESS[case]
    reply = ask(NOVA, headers=headers, keys=True, now_s=NOW_S)

    if refused is None:
        assert reply.status == 200
    else:
        assert error_of(reply)[:2] == (refused, 403)


def test_every_fault_has_an_answer():
    without = {"connection-refused-test-model", "connection-reset-test-model", "timeout-test-model"}
    cut = {("truncated-test-model", True), ("stream-stall-test-model", True)}
    for model in FAULT_MODELS - without:
        for stream in (False, True):
            reply = ask(model, stream=stream)
            assert reply.status in (200, 400, 403, 429, 500, 502, 503)
            assert bool(reply.body) == ((model, stream) not in cut), model


def test_the_list_of_models():
    reply = handle("GET", "/foundation-models", {}, b"", now_s=0)

    assert reply.status == 200
    assert "modelSummaries" in json.loads(reply.body)
