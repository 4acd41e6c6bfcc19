"""Limits of `cache_control` in Anthropic requests: number and order."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from specado.simulator import handle

CACHE = {"type": "ephemeral"}


def sent(messages: Any, **params: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    request = {"model": "gpt-4.1", "max_tokens": 9, "messages": messages, **params}
    found = specado.translate(request, "anthropic/claude-opus-4-5")
    reply = handle("POST", "/v1/messages", {"anthropic-version": "2023-06-01"}, found.body)

    assert reply.status == 200, reply.body
    return json.loads(found.body), [
        (item.code, item.path) for item in found.report.items if "cache_control" in item.path
    ]


def test_the_last_four_in_the_order_of_the_prompt_count() -> None:
    parts = [{"type": "text", "text": text, "cache_control": CACHE} for text in "abcd"]
    tools = [{"type": "function", "function": {"name": "f"}, "cache_control": CACHE}]
    system = {"role": "system", "content": "s", "cache_control": CACHE}

    body, losses = sent([system, {"role": "user", "content": parts}], tools=tools)

    assert losses == [
        ("Drop", "tools[0].cache_control"),
        ("Drop", "messages[0].cache_control"),
    ]
    assert body["messages"][0]["content"] == parts
    assert body["system"] == [{"type": "text", "text": "s"}]
    assert "cache_control" not in body["tools"][0]


@pytest.mark.parametrize("value", ["x", {"type": "zzz"}, {"type": "ephemeral", "ttl": "9h"}, 1])
def test_what_is_no_cache_control_is_left_out(value: Any) -> None:
    part = {"type": "text", "text": "a", "cache_control": value}

    body, losses = sent([{"role": "user", "content": [part]}])

    assert body["messages"][0]["content"] == [{"type": "text", "text": "a"}]
    assert losses == [("Drop", "messages[0].content[0].cache_control")]


def cached(text: str, ttl: str | None) -> dict[str, Any]:
    control = CACHE if ttl is None else {"type": "ephemeral", "ttl": ttl}
    return {"type": "text", "text": text, "cache_control": control}


def test_an_hour_after_five_minutes_becomes_five_minutes() -> None:
    tools = [{"type": "function", "function": {"name": "f"}, "cache_control": CACHE}]
    parts = [cached("a", "1h"), cached("b", None), cached("c", "1h")]

    body, losses = sent([{"role": "user", "content": parts}], tools=tools)

    assert body["messages"][0]["content"] == [
        cached("a", "5m"),
        cached("b", None),
        cached("c", "5m"),
    ]
    assert losses == [
        ("Clamp", "messages[0].content[0].cache_control.ttl"),
        ("Clamp", "messages[0].content[2].cache_control.ttl"),
    ]


def test_an_hour_before_five_minutes_stays() -> None:
    parts = [cached("a", "1h"), cached("b", "1h"), cached("c", "5m")]

    body, losses = sent([{"role": "user", "content": parts}])

    assert (body["messages"][0]["content"], losses) == (parts, [])


def test_only_the_controls_that_are_sent_have_an_order() -> None:
    parts = [cached("a", None), *(cached(text, "1h") for text in "bcde")]

    body, losses = sent([{"role": "user", "content": parts}])

    assert body["messages"][0]["content"] == [{"type": "text", "text": "a"}, *parts[1:]]
    assert losses == [("Drop", "messages[0].content[0].cache_control")]
