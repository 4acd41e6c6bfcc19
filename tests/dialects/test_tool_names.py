"""Tool names that a provider refuses: the tool is left out, the rest is accepted."""

from __future__ import annotations

import json
from typing import Any

import pytest

import specado
from example_inputs import USER
from specado.simulator import handle

LONG = "f" * 65
SCHEMA = {"type": "object"}


def tool(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA}}


def choice(*names: str, mode: str = "auto") -> dict[str, Any]:
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


def sent(to: str, **params: Any) -> tuple[dict[str, Any], list[tuple[str, str, Any]]]:
    found = specado.translate({"model": "gpt-4.1", "messages": [USER], **params}, to)
    path = found.url.partition(".com")[2]
    reply = handle("POST", path, {"anthropic-version": "2023-06-01"}, found.body)

    assert reply.status == 200, reply.body
    losses = [
        (item.severity, item.path, item.before)
        for item in found.report.items
        if "name" in item.message
    ]
    return json.loads(found.body), losses


@pytest.mark.parametrize("name", [LONG, "a.b", "é", "", "a b", "a\n"])
def test_openai_gets_no_tool_whose_name_it_refuses(name: str) -> None:
    body, losses = sent("openai/gpt-4.1", tools=[tool("g"), tool(name)])

    assert body["tools"] == [tool("g")]
    assert losses == [("High", "tools[1]", name)]


@pytest.mark.parametrize("name", ["f" * 129, "a.b", "é", ""])
def test_anthropic_gets_no_tool_whose_name_it_refuses(name: str) -> None:
    body, losses = sent("anthropic/claude-opus-4-5", tools=[tool("g"), tool(name)])

    assert [each["name"] for each in body["tools"]] == ["g"]
    assert losses == [("High", "tools[1]", name)]


def test_a_name_that_only_openai_finds_too_long_goes_to_anthropic() -> None:
    body, losses = sent("anthropic/claude-opus-4-5", tools=[tool(LONG)])

    assert ([each["name"] for each in body["tools"]], losses) == ([LONG], [])


@pytest.mark.parametrize("to", ["openai/gpt-4.1", "anthropic/claude-opus-4-5"])
def test_without_a_tool_that_is_left_nothing_is_said_of_tools(to: str) -> None:
    body, losses = sent(to, tools=[tool("a.b")], tool_choice="auto", parallel_tool_calls=False)

    assert {"tools", "tool_choice", "parallel_tool_calls"} & set(body) == set()
    assert losses == [("High", "tools[0]", "a.b")]


@pytest.mark.parametrize("to", ["openai/gpt-4.1", "anthropic/claude-opus-4-5"])
def test_a_tool_that_is_left_out_is_not_forced(to: str) -> None:
    forced = {"type": "function", "function": {"name": "a.b"}}

    body, losses = sent(to, tools=[tool("g"), tool("a.b")], tool_choice=forced)

    assert "tool_choice" not in body
    assert losses == [("High", "tools[1]", "a.b"), ("High", "tool_choice", "a.b")]


def test_a_tool_that_is_left_out_is_not_among_the_allowed() -> None:
    body, losses = sent(
        "openai/gpt-4.1", tools=[tool("g"), tool("a.b")], tool_choice=choice("a.b", "g")
    )

    assert body["tool_choice"] == choice("g")
    assert losses[1:] == [("High", "tool_choice.allowed_tools.tools[0]", "a.b")]


def test_where_no_allowed_tool_is_left_none_is_called() -> None:
    body, _ = sent("openai/gpt-4.1", tools=[tool("g"), tool("a.b")], tool_choice=choice("a.b"))

    assert body["tool_choice"] == "none"


@pytest.mark.parametrize("to", ["openai/gpt-4.1", "anthropic/claude-opus-4-5"])
def test_calls_of_such_a_tool_in_the_history_are_renamed(to: str) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "a.b", "arguments": "{}"}}
    history = [
        USER,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "r"},
    ]

    body, losses = sent(to, messages=history)

    text = json.dumps(body)
    assert "a_b-" in text
    assert "a.b" not in text
    assert ("None", "messages[1].tool_calls[0].function.name", "a.b") in losses


def test_nothing_is_known_of_other_servers() -> None:
    request = {"model": "m", "messages": [USER], "tools": [tool("a.b")]}

    found = specado.translate(request, "openai/unheard-of")

    assert json.loads(found.body)["tools"] == [tool("a.b")]
