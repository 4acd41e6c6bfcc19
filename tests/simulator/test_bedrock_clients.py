"""AWS's own `boto3` package against the simulator's socket."""

from __future__ import annotations

import contextlib

import pytest

boto3 = pytest.importorskip("boto3", reason="boto3 needs Python 3.10 or newer")

from botocore.config import Config  # noqa: E402
from botocore.eventstream import ChecksumMismatch  # noqa: E402
from botocore.exceptions import (  # noqa: E402
    ClientError,
    ConnectionClosedError,
    EventStreamError,
)
from urllib3.exceptions import ProtocolError  # noqa: E402

from specado.simulator.bedrock_signatures import (  # noqa: E402
    ACCESS_KEY_ID,
    SECRET_ACCESS_KEY,
)

QUESTION = "What is the weather in Paris? It has been raining for days."
ANSWER = f"Simulated reply to: {QUESTION}"
MESSAGES = [{"role": "user", "content": [{"text": QUESTION}]}]
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "us.amazon.nova-2-lite-v1:0"
GPT = "openai.gpt-oss-120b-1:0"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/mi1dadi0g15f"
MODELS = [CLAUDE, NOVA, GPT, PROFILE, "qwen.qwen3-32b-v1:0", "us.deepseek.r1-v1:0"]
TOOL = {
    "toolSpec": {
        "name": "get_weather",
        "inputSchema": {
            "json": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            }
        },
    }
}
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
ERRORS = {
    "rate-limit-test-model": ("ThrottlingException", 429),
    "server-error-test-model": ("InternalServerException", 500),
    "auth-error-test-model": ("UnrecognizedClientException", 403),
    "permission-test-model": ("AccessDeniedException", 403),
    "overloaded-test-model": ("ServiceUnavailableException", 503),
    "quota-test-model": ("ServiceQuotaExceededException", 400),
    "context-length-test-model": ("ValidationException", 400),
    "not-found-test-model": ("ValidationException", 400),
    "bad-gateway-test-model": ("502", 502),
}
STREAM_ERRORS = {
    "stream-error-test-model": "internalServerException",
    "stream-overloaded-test-model": "serviceUnavailableException",
    "stream-late-error-test-model": "modelStreamErrorException",
}
GOOD = [
    "slow-test-model",
    "stream-bytewise-test-model",
    "stream-crlf-test-model",
    "stream-cr-test-model",
    "stream-ping-test-model",
]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("specado.simulator.server.SLOW_REPLY_S", 0.01)


def client_of(server, key_id=ACCESS_KEY_ID, secret=SECRET_ACCESS_KEY, **options):
    return boto3.Session().client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=server.bedrock_base_url,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=1),
        **options,
    )


@pytest.fixture(scope="module")
def bedrock(server):
    client = client_of(server)
    yield client
    client.close()


def streamed(client, model, messages=MESSAGES, **request):
    """Return the text, the calls' arguments and the names of a stream's events."""
    reply = client.converse_stream(modelId=model, messages=messages, **request)
    text, arguments, names = "", "", []
    with contextlib.closing(reply["stream"]) as events:
        for event in events:
            ((name, value),) = event.items()
            names.append(name)
            delta = value.get("delta", {})
            text += delta.get("text", "")
            arguments += delta.get("toolUse", {}).get("input", "")
    return text, arguments, names


@pytest.mark.parametrize("model", MODELS)
def test_a_whole_answer(bedrock, model):
    reply = bedrock.converse(modelId=model, messages=MESSAGES, system=[{"text": "Be brief."}])

    assert reply["output"]["message"]["content"][-1] == {"text": ANSWER}
    assert reply["stopReason"] == "end_turn"
    usage = reply["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]


@pytest.mark.parametrize("model", [*MODELS, *GOOD])
def test_a_stream_adds_up(bedrock, model):
    text, _, names = streamed(bedrock, model)

    assert text == ANSWER
    assert names[0] == "messageStart"
    assert names[-2:] == ["messageStop", "metadata"]
    assert "contentBlockStart" not in names


@pytest.mark.parametrize("model", [CLAUDE, NOVA, PROFILE])
def test_a_tool_round_trip(bedrock, model):
    config = {"tools": [TOOL], "toolChoice": {"any": {}}}
    asked = bedrock.converse(modelId=model, messages=MESSAGES, toolConfig=config)
    message = asked["output"]["message"]
    ((use,),) = [[block["toolUse"] for block in message["content"] if "toolUse" in block]]
    result = {"toolUseId": use["toolUseId"], "content": [{"json": {"rain": True}}]}
    answered = bedrock.converse(
        modelId=model,
        messages=[*MESSAGES, message, {"role": "user", "content": [{"toolResult": result}]}],
        toolConfig={"tools": [TOOL]},
    )

    assert asked["stopReason"] == "tool_use"
    assert use["name"] == "get_weather"
    assert list(use["input"]) == ["city"]
    assert (
        answered["output"]["message"]["content"][-1]["text"] == 'The tool answered: {"rain":true}'
    )


def test_a_streamed_call(bedrock):
    choice = {"tool": {"name": "get_weather"}}
    text, arguments, names = streamed(
        bedrock, CLAUDE, toolConfig={"tools": [TOOL], "toolChoice": choice}
    )

    assert text == ""
    assert arguments.startswith('{"city":')
    assert names[1] == "contentBlockStart"


def test_thinking_comes_first_and_goes_back_signed(bedrock):
    reply = bedrock.converse(
        modelId=CLAUDE, messages=MESSAGES, additionalModelRequestFields=THINKING
    )
    message = reply["output"]["message"]
    thought = message["content"][0]["reasoningContent"]["reasoningText"]
    again = [*MESSAGES, message, {"role": "user", "content": [{"text": "And now?"}]}]
    second = bedrock.converse(modelId=CLAUDE, messages=again, additionalModelRequestFields=THINKING)
    thought["text"] += " Changed."

    assert second["output"]["message"]["content"][1]["text"] == "Simulated reply 2 to: And now?"
    with pytest.raises(ClientError, match="Invalid `signature` in `thinking` block"):
        bedrock.converse(modelId=CLAUDE, messages=again)


def test_reasoning_of_other_families_has_no_signature(bedrock):
    reply = bedrock.converse(modelId=GPT, messages=MESSAGES)
    message = reply["output"]["message"]
    thought = message["content"][0]["reasoningContent"]["reasoningText"]

    assert list(thought) == ["text"]
    thought["signature"] = "c2lnbmVk"
    with pytest.raises(ClientError, match=r"doesn't support the reasoningContent.*signature field"):
        bedrock.converse(modelId=GPT, messages=[*MESSAGES, message, *MESSAGES])


@pytest.mark.parametrize("model", ERRORS)
@pytest.mark.parametrize("method", ["converse", "converse_stream"])
def test_errors(bedrock, model, method):
    with pytest.raises(ClientError) as caught:
        getattr(bedrock, method)(modelId=model, messages=MESSAGES)

    error = caught.value.response
    assert (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == ERRORS[model]


@pytest.mark.parametrize("model", STREAM_ERRORS)
def test_errors_within_a_stream_are_exception_frames(bedrock, model):
    with pytest.raises(EventStreamError) as caught:
        streamed(bedrock, model)

    assert caught.value.response["Error"]["Code"] == STREAM_ERRORS[model]


def test_a_guardrail_answers(bedrock):
    reply = bedrock.converse(modelId="content-policy-test-model", messages=MESSAGES)

    assert reply["stopReason"] == "guardrail_intervened"
    assert reply["output"]["message"]["content"] == [
        {"text": "Sorry, the model cannot answer this question."}
    ]


def test_broken_exchanges(bedrock):
    with pytest.raises(ConnectionClosedError):
        bedrock.converse(modelId="connection-reset-test-model", messages=MESSAGES)
    with pytest.raises(ChecksumMismatch):
        streamed(bedrock, "stream-malformed-test-model")
    for model in ("stream-cut-test-model", "stream-early-cut-test-model"):
        with pytest.raises(ProtocolError):
            streamed(bedrock, model)


def test_an_unterminated_stream_is_not_noticed(bedrock):
    text, _, names = streamed(bedrock, "stream-unterminated-test-model")

    assert (text, names[-1]) == (ANSWER, "messageStop")


def test_access(server):
    refused = {
        (ACCESS_KEY_ID, "another secret"): "InvalidSignatureException",
        ("wrong", "any"): "UnrecognizedClientException",
    }
    for (key_id, secret), name in refused.items():
        client = client_of(server, key_id, secret)
        with pytest.raises(ClientError) as caught:
            client.converse(modelId=CLAUDE, messages=MESSAGES)
        client.close()
        assert caught.value.response["Error"]["Code"] == name
    for options in ({}, {"aws_session_token": "token"}):
        client = client_of(server, **options)
        assert client.converse(modelId=PROFILE, messages=MESSAGES)["stopReason"] == "end_turn"
        client.close()
