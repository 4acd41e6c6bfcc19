"""Conversations in OpenAI's shape to translate, and what an Anthropic body holds of one."""

from __future__ import annotations

import base64
import json
from typing import Any

__all__ = ["LARGE_COUNT", "huge_messages", "reply", "request", "what_is_in"]

TEXT = "The quick brown fox jumps over the lazy dog; then it rests. " * 5 + "Why does it rest so?"
IMAGE_BYTES = 9_000
TOOL_COUNT = 8
MODEL = "gpt-4o"
LARGE_COUNT = 30_000  # messages of a request of 10 MB
REPLY_TEXT = "It rests because it is tired. "
REPLY = (
    '{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"gpt-4o",'
    '"choices":[{"index":0,"message":{"role":"assistant","content":"TEXT",'
    '"refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],'
    '"usage":{"prompt_tokens":90,"completion_tokens":80,"total_tokens":170,'
    '"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},'
    '"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}},'
    '"service_tier":"default","system_fingerprint":"fp_1"}'
)
HUGE_WORDS = 20_000_000  # five bytes each


def request(count: int, *, rich: bool = False) -> dict[str, Any]:
    """Return a request of *count* messages; *rich* has tools, their results and images."""
    system = [{"role": "system", "content": "You are a helpful assistant."}] if count > 1 else []
    left = count - len(system)
    turns = _rich(left) if rich else _plain(left)
    asked: dict[str, Any] = {"model": MODEL, "max_tokens": 1000, "messages": [*system, *turns]}
    if rich:
        asked["tools"] = [_tool(place) for place in range(TOOL_COUNT)]
    return asked


def reply(length: int) -> bytes:
    """Return OpenAI's reply with a text of *length* characters."""
    text = REPLY_TEXT * (length // len(REPLY_TEXT) + 1)
    return REPLY.replace("TEXT", text[:length]).encode()


def huge_messages() -> list[dict[str, Any]]:
    """Return one message of 100 MB."""
    return [{"role": "user", "content": "word " * HUGE_WORDS}]


def _plain(count: int) -> list[dict[str, Any]]:
    roles = ("user", "assistant")
    return [{"role": roles[place % 2], "content": TEXT} for place in range(count)]


def _rich(count: int) -> list[dict[str, Any]]:
    """Return turns in rounds of nine: parallel calls, their results, a single call, an image."""
    turns: list[dict[str, Any]] = []
    while len(turns) < count:
        at = len(turns)
        image = base64.b64encode(bytes((at + place) % 256 for place in range(IMAGE_BYTES)))
        source = {"url": "data:image/png;base64," + image.decode()}
        turns += [
            {"role": "user", "content": TEXT},
            {"role": "assistant", "content": TEXT, "tool_calls": [_call(at), _call(at + 1)]},
            {"role": "tool", "tool_call_id": f"call_{at}", "content": TEXT},
            {"role": "tool", "tool_call_id": f"call_{at + 1}", "content": TEXT},
            {"role": "assistant", "content": TEXT, "tool_calls": [_call(at + 2)]},
            {"role": "tool", "tool_call_id": f"call_{at + 2}", "content": TEXT},
            {"role": "assistant", "content": TEXT},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": TEXT},
                    {"type": "image_url", "image_url": source},
                ],
            },
            {"role": "assistant", "content": TEXT},
        ]
    return turns[:count]


def _call(number: int) -> dict[str, Any]:
    arguments = json.dumps({"city": "Paris", "days": 3, "note": TEXT[:120]})
    name = f"tool_{number % TOOL_COUNT}"
    function = {"name": name, "arguments": arguments}
    return {"id": f"call_{number}", "type": "function", "function": function}


def _tool(number: int) -> dict[str, Any]:
    properties = {
        "city": {"type": "string", "description": "A city."},
        "days": {"type": "integer", "description": "How many days."},
        "note": {"type": "string"},
    }
    parameters = {"type": "object", "properties": properties, "required": ["city"]}
    function = {
        "name": f"tool_{number}",
        "description": "Looks something up for a city.",
        "parameters": parameters,
    }
    return {"type": "function", "function": function}


def what_is_in(body: Any) -> dict[str, int]:
    """Return how much of a conversation an Anthropic body holds; *body* is a dict or JSON."""
    held = json.loads(body) if isinstance(body, (bytes, str)) else body
    counts = dict.fromkeys(["characters", "images", "tool_calls", "tool_results", "tools"], 0)
    counts["tools"] = len(held.get("tools") or ())
    for content in (held.get("system"), *(each["content"] for each in held["messages"])):
        _count(content, counts)
    return counts


def _count(content: Any, counts: dict[str, int]) -> None:
    """Add what is in *content*; white space is not counted, some sides join texts with it."""
    if isinstance(content, str):
        counts["characters"] += len("".join(content.split()))
        return
    for block in content or ():
        kind = block["type"]
        if kind == "text":
            _count(block["text"], counts)
        elif kind == "image":
            counts["images"] += 1
        elif kind == "tool_use":
            counts["tool_calls"] += 1
        elif kind == "tool_result":
            counts["tool_results"] += 1
            _count(block["content"], counts)
