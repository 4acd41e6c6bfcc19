"""Slow, obvious twins of the stream readers: whole bytes to frames, frames to a whole reply."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any, Optional

Frame = tuple[Optional[str], bytes]


def frames(data: bytes) -> list[Frame]:
    """Return the frames of a whole stream (WHATWG HTML, 9.2.6), the unfinished last one too."""
    found: list[Frame] = []
    name: Optional[str] = None
    lines: list[bytes] = []
    for line in [*re.split(rb"\r\n|\n|\r", data.removeprefix(b"\xef\xbb\xbf")), b""]:
        if line == b"":
            if lines:
                found.append((name, b"\n".join(lines)))
            name, lines = None, []
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            lines.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace") or None
    return found


def openai_reply(data: bytes) -> bytes:
    """Return the reply that the official package adds a stream up to, as JSON.

    It takes the usage from the last chunk, though that may have none; earlier versions of it
    leave the moderation out.
    """
    from openai.lib.streaming.chat import ChatCompletionStreamState
    from openai.types.chat import ChatCompletionChunk

    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    facts: dict[str, Any] = {}
    for _, frame in frames(data):
        if frame != b"[DONE]":
            state.handle_chunk(ChatCompletionChunk.model_validate_json(frame))
            chunk = json.loads(frame)
            facts.update({name: chunk[name] for name in ("usage", "moderation") if chunk.get(name)})
    return json.dumps({**state.current_completion_snapshot.to_dict(), **facts}).encode()


def anthropic_reply(data: bytes) -> bytes:
    """Return the message that the official package adds a stream up to, as JSON."""
    import httpx
    from anthropic.lib.streaming._beta_messages import accumulate_event

    options: dict[str, Any] = {"request_headers": httpx.Headers()}
    if "json_bufs" in inspect.signature(accumulate_event).parameters:
        options["json_bufs"] = {}  # since 1.0: the arguments of tools so far, kept by the caller
    message: Any = None
    for _, frame in frames(data):
        event = json.loads(frame)
        if event["type"] not in ("ping", "message_stop"):
            message = accumulate_event(event=event, current_snapshot=message, **options)
    return json.dumps(message.to_dict(mode="json", warnings=False)).encode()
