"""Names of tools that a provider refuses: changed in the request, given back in the reply."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

import specado
from example_inputs import USER
from specado.simulator import handle

LONG = "f" * 65
SCHEMA = {"type": "object", "properties": {}}
BOTH = ["openai/gpt-4.1", "anthropic/claude-opus-4-5"]


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


def names_in(body: dict[str, Any]) -> list[str]:
    return [each.get("function", each)["name"] for each in body["tools"]]


@pytest.mark.parametrize(
    ("to", "name"),
    [(to, name) for to in BOTH for name in (LONG, "f" * 129, "a.b", "é", "", "a b", "a\n")],
)
def test_a_name_that_is_refused_is_changed_and_noted(to: str, name: str) -> None:
    body, losses = sent(to, tools=[tool("g"), tool(name)])

    kept, made = names_in(body)
    assert kept == "g"
    assert re.fullmatch("[a-zA-Z0-9_-]{1,128}", made)
    taken = name == LONG and to.startswith("anthropic")
    assert (made == name) == taken
    assert losses == ([] if taken else [("None", "tools[1]", name)])


def test_names_that_begin_alike_stay_distinct() -> None:
    body, _ = sent("openai/gpt-4.1", tools=[tool(LONG + "a"), tool(LONG + "b")])

    first, second = names_in(body)
    assert first != second
    assert len(first) == len(second) == 64


@pytest.mark.parametrize("to", BOTH)
def test_a_changed_name_is_no_other_tools(to: str) -> None:
    made = names_in(sent(to, tools=[tool("a.b")])[0])[0]

    found = names_in(sent(to, tools=[tool("a.b"), tool(made)])[0])

    assert found[1] == made
    assert found[0] != made


@pytest.mark.parametrize("to", BOTH)
def test_tool_choice_and_history_have_the_name_of_the_tool(to: str) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "a.b", "arguments": "{}"}}
    history = [
        USER,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "r"},
    ]
    forced = {"type": "function", "function": {"name": "a.b"}}

    body, losses = sent(to, messages=history, tools=[tool("g"), tool("a.b")], tool_choice=forced)

    made = names_in(body)[1]
    assert json.dumps(body).count(made) == 3
    assert "a.b" not in json.dumps(body)
    assert [path for _, path, _ in losses] == (
        ["messages[1].tool_calls[0].function.name", "tools[1]", "tool_choice"]
    )


def test_the_allowed_tools_have_the_names_of_the_tools() -> None:
    body, losses = sent(
        "openai/gpt-4.1", tools=[tool("g"), tool("a.b")], tool_choice=choice("a.b", "g")
    )

    assert body["tool_choice"] == choice(names_in(body)[1], "g")
    assert losses[1:] == [("None", "tool_choice.allowed_tools.tools[0]", "a.b")]


@pytest.mark.parametrize("to", BOTH)
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


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("to", BOTH)
def test_replies_have_the_callers_names(to: str, stream: bool) -> None:
    client = specado.Client({"simulate": True})
    name = "files." + "f" * 130
    forced = {"type": "function", "function": {"name": name}}
    asked: dict[str, Any] = {"tools": [tool("g"), tool(name)], "tool_choice": forced}

    if stream:
        chunks = client.chat.completions.create(model=to, messages=[USER], stream=True, **asked)
        called = [
            call.function.name
            for chunk in chunks
            for each in chunk.choices
            for call in each.delta.tool_calls or ()
            if call.function is not None and call.function.name
        ]
        reply = chunks.response()
        assert called == [name]
    else:
        reply = client.chat.completions.create(model=to, messages=[USER], **asked)

    (call,) = reply.choices[0].message.tool_calls
    assert call.function.name == name


def test_a_limit_of_openais_servers_holds_for_a_model_that_is_not_known() -> None:
    request = {"model": "m", "messages": [USER], "tools": [tool("a.b")]}

    found = specado.translate(request, "openai/unheard-of")

    assert names_in(json.loads(found.body)) == ["a_b-2e7336dc8eba87ef"]
