"""Encoded replies, streams and errors of Gemini's API, read by Google's own client."""

from __future__ import annotations

import contextlib
import warnings

import pytest

from canonical_replies import MODEL, OTHER_CALL, answer, chunks_of, reply
from encoded_errors import ERRORS
from gemini_types import genai_types
from sockets import ScriptedServer
from specado._core import GeminiStreamEncoder, encode_gemini_reply
from specado._core.gemini.native import SIGNATURE_FORMAT
from specado.dialects.gemini.error_encoder import encode_gemini_error
from specado.types import FunctionCall, ReasoningBlock, ToolCall

SIGNATURE = "c2lnbmVk"
CALL = ToolCall("call_1", FunctionCall("get_weather", '{"city": "Paris"}'))
SIGNED = ReasoningBlock(
    "reasoning.encrypted", data=SIGNATURE, model=MODEL, id="call_1", format=SIGNATURE_FORMAT
)
THOUGHT = ReasoningBlock("reasoning.text", "Let me think.", model=MODEL, format=SIGNATURE_FORMAT)
ANSWER = reply(
    answer(
        "It is súnny 🌦\u2028.",
        "tool_calls",
        reasoning="Let me think.",
        reasoning_details=[THOUGHT, SIGNED],
        tool_calls=[CALL, OTHER_CALL],
    )
)


@contextlib.contextmanager
def client_of(body, status=200, **headers):
    """Run a server that gives one request this answer; yield a client of Google's for it."""
    types = genai_types()
    from google import genai

    def script(peer):
        peer.request()
        lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", "connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        peer.send("\r\n".join([*lines, "", ""]).encode() + body)

    with ScriptedServer(script) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the package itself
        options = types.HttpOptions(base_url=server.url, timeout=10_000)
        client = genai.Client(api_key="k", vertexai=False, http_options=options)
        try:
            yield client
        finally:
            client.close()


def parts_of(found):
    return found.candidates[0].content.parts


def test_googles_client_reads_a_reply():
    body = encode_gemini_reply(ANSWER)[0]
    with client_of(body, **{"content-type": "application/json"}) as client:
        found = client.models.generate_content(model="m", contents="Hello")

    thought, text, call, other = parts_of(found)
    assert (found.response_id, found.model_version) == ("chatcmpl-1", MODEL)
    assert (thought.thought, thought.text) == (True, "Let me think.")
    assert text.text == "It is súnny 🌦\u2028."
    assert (call.function_call.id, call.function_call.args) == ("call_1", {"city": "Paris"})
    assert call.thought_signature == b"signed"
    assert other.function_call.name == "get_time"
    assert found.candidates[0].finish_reason == "STOP"
    assert found.usage_metadata.total_token_count == 120
    assert found.usage_metadata.thoughts_token_count == 12


def test_googles_client_reads_a_stream():
    encoder = GeminiStreamEncoder()
    data = b"".join([encoder.encode(each) for each in chunks_of(ANSWER)]) + encoder.finish()
    with client_of(data, **{"content-type": "text/event-stream"}) as client:
        found = list(client.models.generate_content_stream(model="m", contents="Hello"))

    parts = [part for each in found for part in parts_of(each)]
    said = [part.text or "" for part in parts if not part.thought and not part.function_call]
    thought = [part.text or "" for part in parts if part.thought]
    calls = [part.function_call for part in parts if part.function_call]
    assert "".join(said) == "It is súnny 🌦\u2028."
    assert "".join(thought) == "Let me think."
    assert [(call.id, call.args) for call in calls] == [
        ("call_1", {"city": "Paris"}),
        ("call_2", {"zone": "CET"}),
    ]
    assert found[-1].candidates[0].finish_reason == "STOP"
    assert found[-1].usage_metadata.total_token_count == 120


@pytest.mark.parametrize(
    ("name", "kind"), [("rate limit", "ClientError"), ("server", "ServerError")]
)
def test_googles_client_raises_for_an_error(name, kind):
    genai_types()
    from google.genai import errors

    status, headers, body = encode_gemini_error(ERRORS[name])
    with client_of(body, status, **headers) as client, pytest.raises(
        getattr(errors, kind)
    ) as caught:  # fmt: skip
        client.models.generate_content(model="m", contents="Hello")

    assert caught.value.code == status
