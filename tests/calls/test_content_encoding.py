"""A reply whose `content-encoding` is no encoding: its body counts as it came, with a note."""

from __future__ import annotations

import asyncio

import pytest

import sockets
from played_streams import CALLERS, client, play, streamed

NOTE = "content-encoding: 'utf-8' is no encoding, ignored"
HEADER = "Content-Encoding: utf-8\r\n"
REPLY = (
    b'{"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0,'
    b'"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}'
)
CHUNK = (
    b'data: {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": '
    b'[{"index": 0, "delta": {"content": "Hello"}, "finish_reason": "stop"}]}\n\n'
)


@pytest.mark.parametrize("caller", CALLERS)
def test_a_reply_with_a_word_that_is_no_encoding_is_noted(caller):
    reply = sockets.reply(REPLY, headers=HEADER + "Content-Type: application/json\r\n")
    with sockets.ScriptedServer(sockets.answers(reply)) as server:
        completions = client(server.url).chat.completions
        if caller == "async":
            found = asyncio.run(completions.create_async("gpt-4.1", "Hi"))
        else:
            found = completions.create("gpt-4.1", "Hi")

    assert found.choices[0].message.content == "Hello"
    assert NOTE in found.extensions.metadata["reply_notes"]


@pytest.mark.parametrize("caller", CALLERS)
def test_a_stream_with_a_word_that_is_no_encoding_is_noted(caller):
    reply = streamed(CHUNK, b"data: [DONE]\n\n", headers=HEADER)
    with sockets.ScriptedServer(sockets.answers(reply)) as server:
        played = play(client(server.url), caller)

    assert played.error is None
    assert NOTE in played.stream.extensions.metadata["reply_notes"]
