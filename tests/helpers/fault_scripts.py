"""Faults of a server below HTTP and in it, as scripts of `sockets.ScriptedServer`; no verdicts."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
from typing import TYPE_CHECKING

import sockets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sockets import Peer, Script

JSON = "Content-Type: application/json\r\n"
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4.1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "from the first"},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4},
    }
).encode()
REPLY = sockets.reply(ANSWER, headers=JSON)
HEAD_BYTES = REPLY.index(b"\r\n\r\n") + 4
CHUNKED = sockets.chunked(ANSWER[:50], ANSWER[50:], headers=JSON)
OTHER_ANSWER = json.dumps(
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-6",
        "content": [{"type": "text", "text": "from the second"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 3},
    }
).encode()
OTHER_REPLY = sockets.reply(OTHER_ANSWER, headers=JSON)


def resets_at(count: int) -> Script:
    """Send *count* bytes of the answer, then reset."""
    return sockets.answers_then_closes(REPLY[:count], reset=True)


def closes_at(count: int, reply: bytes = REPLY) -> Script:
    """Send *count* bytes of the answer, then close."""
    return sockets.answers_then_closes(reply[:count])


def resets_at_once(peer: Peer) -> None:
    """Accept and reset, before a byte is read."""
    peer.reset()


def closes_at_once(peer: Peer) -> None:
    """Accept and close."""
    peer.close()


def says(data: bytes) -> Script:
    """Answer every request with *data*, and keep the connection open."""
    return sockets.answers(data)


def delays(seconds: float, at: int = 0, reply: bytes = REPLY) -> Script:
    """Fall silent for *seconds* before byte *at* of the reply."""

    def script(peer: Peer) -> None:
        while True:
            peer.request()
            peer.send(reply[:at])
            peer.pause(seconds)
            peer.send(reply[at:])

    return script


def drips(start: int, every_s: float = 0.02, reply: bytes = REPLY) -> Script:
    """Send the reply from byte *start* on a byte at a time."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(reply[:start])
        for place in range(start, len(reply)):
            peer.send(reply[place : place + 1])
            peer.pause(every_s)

    return script


def repeats(data: bytes, every_s: float = 0.0) -> Script:
    """Send *data* again and again, until nobody reads."""

    def script(peer: Peer) -> None:
        peer.request()
        while True:
            peer.send(data)
            peer.pause(every_s)

    return script


def once_then(first: bytes, script: Script) -> Script:
    """Answer one request with *first*, the next ones as *script* does."""

    def both(peer: Peer) -> None:
        peer.request()
        peer.send(first)
        script(peer)

    return both


def bomb(size: int) -> bytes:
    """Return gzip data that expands to *size* zeros."""
    return gzip.compress(bytes(size), 9)


@contextlib.contextmanager
def hanging_url() -> Iterator[str]:
    """Give a URL whose listener's queue is full: a connection there hangs."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
