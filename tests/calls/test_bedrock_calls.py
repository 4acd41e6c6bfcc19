"""Calls to servers that speak Bedrock's Converse format: streams of frames over sockets."""

from __future__ import annotations

import json
from typing import Any

import pytest

import sockets
import specado
from bedrock_frames import event, exception, frame, text_stream
from played_streams import CALLERS, Played, play
from specado import Client

pytestmark = pytest.mark.usefixtures("no_backoff")
KIND = "Content-Type: application/vnd.amazon.eventstream\r\nx-amzn-RequestId: r1\r\n"
EACH_CALLER = pytest.mark.parametrize("caller", CALLERS)
WHOLE = text_stream("Hel", "lo")
BEGUN = event("messageStart", role="assistant") + event(
    "contentBlockDelta", contentBlockIndex=0, delta={"text": "Hel"}
)
MODEL = "converse/us.amazon.nova-micro-v1:0"


def client(server: sockets.ScriptedServer, **config: Any) -> Client:
    manifest = {"name": "converse", "base_url": server.url, "dialect": "bedrock_converse"}
    specado.register_manifest({**manifest, "models": {}})
    return Client(
        {
            "simulate": False,
            "primary_provider": "converse",
            "enable_fallback": False,
            "max_retries": 1,
            **config,
        }
    )


def streamed(*pieces: bytes) -> bytes:
    return sockets.chunked(*pieces, headers=KIND)


def played(caller: str, *replies: bytes, **config: Any) -> tuple[Played, sockets.ScriptedServer]:
    with sockets.ScriptedServer(sockets.answers(*replies)) as server:
        return play(client(server, **config), caller, MODEL, "Hi"), server


@EACH_CALLER
def test_a_stream_of_frames_is_read(caller: str) -> None:
    pieces = [WHOLE[at : at + 50] for at in range(0, len(WHOLE), 50)]

    found, server = played(caller, streamed(*pieces))

    assert (found.text, found.error) == ("Hello", None)
    assert {chunk.id for chunk in found.chunks} == {"r1"}
    reply = found.stream.response()
    assert (reply.id, reply.choices[0].message.content) == ("r1", "Hello")
    assert reply.usage.total_tokens == 5
    [request] = server.requests
    assert request.startswith(b"POST /model/us.amazon.nova-micro-v1%3A0/converse-stream HTTP/1.1")
    assert json.loads(request.partition(b"\r\n\r\n")[2]) == {
        "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
        "inferenceConfig": {"maxTokens": 200},
    }


@EACH_CALLER
@pytest.mark.parametrize("begin", [b"", event("messageStart", role="assistant")])
def test_an_exception_before_content_is_retried(caller: str, begin: bytes) -> None:
    busy = exception("throttlingException", message="Too many requests")

    found, server = played(caller, streamed(begin + busy), streamed(WHOLE))

    assert (found.text, found.error) == ("Hello", None)
    assert len(server.requests) == 2


@EACH_CALLER
def test_an_exception_that_no_retry_helps_is_raised(caller: str) -> None:
    bad = exception("validationException", message="prompt is too long: 9 tokens > 8 maximum")

    with pytest.raises(specado.ContextLengthError) as raised:
        played(caller, streamed(bad), streamed(WHOLE))

    assert raised.value.request_id == "r1"


@EACH_CALLER
@pytest.mark.parametrize(
    ("end", "cause"),
    [
        (exception("modelStreamErrorException", message="x"), specado.ServerError),
        (exception("throttlingException", message="Slow down"), specado.RateLimitError),
        (frame(b"", (":error-code", "InternalFailure"), (":message-type", "error")),
         specado.ServerError),
        (b"", None),
        (WHOLE[-200:-9], None),
        (b"\x00" * 20, specado.MalformedResponseError),
    ],
)  # fmt: skip
def test_what_ends_a_stream_after_content_interrupts_it(
    caller: str, end: bytes, cause: Any
) -> None:
    found, server = played(caller, streamed(BEGUN + end))

    assert found.text == "Hel"
    assert found.error is not None
    assert found.error.partial.choices[0].message.content == "Hel"
    if cause is not None:
        assert type(found.error.errors[-1]) is cause
    assert len(server.requests) == 1


@EACH_CALLER
def test_a_stream_without_its_metadata_is_interrupted(caller: str) -> None:
    cut = WHOLE[: WHOLE.index(b"metadata") - 27]

    found, _ = played(caller, streamed(cut))

    assert found.text == "Hello"
    assert found.error is not None


@EACH_CALLER
def test_an_error_instead_of_a_stream_has_its_class(caller: str) -> None:
    body = json.dumps({"message": "The provided model identifier is invalid."}).encode()
    headers = "x-amzn-ErrorType: ValidationException:http://a\r\nx-amzn-RequestId: r2\r\n"

    with pytest.raises(specado.ModelNotFoundError) as raised:
        played(caller, sockets.reply(body, 400, headers))

    assert raised.value.request_id == "r2"


def test_a_whole_reply_has_the_id_of_its_header() -> None:
    message = {"role": "assistant", "content": [{"text": "Hello"}]}
    usage = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
    body = json.dumps(
        {"output": {"message": message}, "stopReason": "end_turn", "usage": usage}
    ).encode()
    answer = sockets.reply(body, headers="x-amzn-RequestId: r3\r\n")

    with sockets.ScriptedServer(sockets.answers(answer)) as server:
        found = client(server).chat.completions.create(MODEL, "Hi")

        assert (found.id, found.choices[0].message.content) == ("r3", "Hello")
        assert server.requests[0].startswith(b"POST /model/us.amazon.nova-micro-v1%3A0/converse ")
    assert found.extensions.metadata["dialect"] == "bedrock_converse"


def test_a_renamed_tool_has_its_given_name_in_the_stream() -> None:
    def answer(peer: sockets.Peer) -> None:
        body = json.loads(peer.request().partition(b"\r\n\r\n")[2])
        name = body["toolConfig"]["tools"][0]["toolSpec"]["name"]
        start = {"toolUse": {"toolUseId": "t", "name": name}}
        begun = event("contentBlockStart", contentBlockIndex=0, start=start)
        rest = event("messageStop", stopReason="tool_use") + event(
            "metadata", usage={"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
        )
        peer.send(streamed(event("messageStart", role="assistant") + begun + rest))

    tool = {"type": "function", "function": {"name": "$READ", "parameters": {"type": "object"}}}
    with sockets.ScriptedServer(answer) as server:
        found = play(client(server), "sync", MODEL, "Hi", tools=[tool])

    [call] = found.stream.response().choices[0].message.tool_calls
    assert (call.function.name, call.function.arguments) == ("$READ", "{}")


def test_a_refused_signature_is_left_out_of_a_second_request() -> None:
    told = {"reasoningText": {"text": "hm", "signature": "s"}}
    message = {"role": "assistant", "content": [{"reasoningContent": told}, {"text": "Hello"}]}
    usage = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
    body = {"output": {"message": message}, "stopReason": "end_turn", "usage": usage}
    answer = sockets.reply(json.dumps(body).encode())
    refusal = {"message": "messages.1.content.0: Invalid `signature` in `thinking` block"}
    refused = sockets.reply(
        json.dumps(refusal).encode(), 400, "x-amzn-ErrorType: ValidationException\r\n"
    )

    with sockets.ScriptedServer(sockets.answers(answer, refused, answer)) as server:
        asking = client(server)
        first = asking.chat.completions.create(MODEL, "Hi").choices[0].message
        turns = [{"role": "user", "content": "Hi"}, first, {"role": "user", "content": "And?"}]
        asking.chat.completions.create(MODEL, turns)

    sent = [json.loads(each.partition(b"\r\n\r\n")[2])["messages"] for each in server.requests]
    assert sent[1][1] == message
    assert sent[2][1] == {"role": "assistant", "content": [{"text": "Hello"}]}
