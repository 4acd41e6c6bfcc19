"""Histories that a server would refuse as they stand: empty arguments, content that is a list."""

from __future__ import annotations

import json

import pytest

import specado

USER = {"role": "user", "content": "Hello"}
ANSWER = {"role": "tool", "tool_call_id": "c1", "content": "done"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
TEXT = {"type": "text", "text": "a"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


def told(found):
    return [(item.path, item.severity, item.message) for item in found.report.items]


@pytest.mark.parametrize("arguments", ["", " ", "\n\t ", "\u00a0"])
@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("to", ["openai/gpt-4o", "anthropic/claude-opus-4-5", "local/m"])
def test_empty_arguments_of_a_history_are_an_empty_object(to, as_text, arguments):
    specado.register_manifest({"name": "local", "base_url": "http://127.0.0.1:1/v1"})
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    called = {"role": "assistant", "content": None, "tool_calls": [call]}
    request = {"model": "gpt-4o", "messages": [USER, called, ANSWER], "tools": [TOOL]}

    found = specado.translate(json.dumps(request) if as_text else request, to)

    body = json.loads(found.body)
    if found.dialect == "openai_chat":
        assert body["messages"][1]["tool_calls"][0]["function"]["arguments"] == "{}"
    else:
        assert body["messages"][1]["content"][0]["input"] == {}
    path = "messages[1].tool_calls[0].function.arguments"
    said = (path, "None", "empty arguments are written as an empty object")
    assert said in told(found)


def test_the_input_of_a_custom_call_in_a_history_may_be_empty():
    custom = {"id": "c1", "type": "custom", "custom": {"name": "f", "input": ""}}
    called = {"role": "assistant", "content": None, "tool_calls": [custom]}
    request = {"model": "gpt-4o", "messages": [USER, called, ANSWER]}

    body = json.loads(specado.translate(request, "openai/gpt-4o").body)

    assert body["messages"][1]["tool_calls"] == [custom]


def plain_server(**rules):
    manifest = {"name": "plain", "base_url": "http://127.0.0.1:1/v1", "request_rules": rules}
    return f"{specado.register_manifest(manifest)}/m"


@pytest.mark.parametrize(
    ("content", "written"),
    [
        ([TEXT], "a"),
        ([TEXT, {"type": "text", "text": "b"}], "a\nb"),
        ("a", "a"),
    ],
)
@pytest.mark.parametrize("role", ["system", "user", "assistant"])
def test_a_server_that_takes_text_only_gets_text(role, content, written):
    request = {"model": "m", "messages": [{"role": role, "content": content}, USER]}

    found = specado.translate(request, plain_server(text_content_only=True))

    assert json.loads(found.body)["messages"][0] == {"role": role, "content": written}
    joined = "the server takes text only: the parts become one text"
    noted = [] if isinstance(content, str) else [("messages[0].content", "None", joined)]
    assert told(found) == noted


def test_the_content_of_a_tool_message_is_text_there_too():
    answer = {**ANSWER, "content": [TEXT]}
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    called = {"role": "assistant", "content": None, "tool_calls": [call]}
    request = {"model": "m", "messages": [USER, called, answer]}

    found = specado.translate(request, plain_server(text_content_only=True))

    assert json.loads(found.body)["messages"][2] == {**ANSWER, "content": "a"}


def test_what_a_text_part_has_beside_its_text_is_reported_where_it_is_lost():
    part = {**TEXT, "cache_control": {"type": "ephemeral"}, "zz": 1}
    request = {"model": "m", "messages": [{"role": "user", "content": [part]}]}

    found = specado.translate(request, plain_server(text_content_only=True))

    assert json.loads(found.body)["messages"] == [{"role": "user", "content": "a"}]
    assert [(path, severity) for path, severity, _ in told(found)] == [
        ("messages[0].content[0].cache_control", "Low"),
        ("messages[0].content[0].zz", "Medium"),
        ("messages[0].content", "None"),
    ]


@pytest.mark.parametrize("rules", [{}, {"text_content_only": False}, {"text_content_only": True}])
def test_media_and_servers_that_take_lists_get_the_list(rules):
    content = [TEXT, IMAGE] if rules.get("text_content_only") else [TEXT]
    request = {"model": "m", "messages": [{"role": "user", "content": content}]}

    found = specado.translate(request, plain_server(**rules))

    assert json.loads(found.body)["messages"] == request["messages"]
    assert told(found) == []
