"""A function whose schema refers to a definition is declared by that definition."""

from __future__ import annotations

import json

import specado

NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
REFERRING = {"$ref": "#/$defs/Node", "$defs": {"Node": NODE}}
MODEL = "gemini/gemini-3.5-flash"


def test_a_root_that_is_a_reference_is_written_as_its_definition() -> None:
    function = {"name": "f", "parameters": REFERRING}
    request = {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "Hello"}],
        "tools": [{"type": "function", "function": function}],
    }

    found = specado.translate(request, MODEL)

    (tool,) = json.loads(found.body)["tools"]
    assert tool["functionDeclarations"][0]["parametersJsonSchema"] == {
        **NODE,
        "$defs": {"Node": NODE},
    }


def test_the_simulator_takes_such_a_call() -> None:
    client = specado.Client({"simulate": True})
    tools = [{"type": "function", "function": {"name": "f", "parameters": REFERRING}}]

    reply = client.chat.completions.create(MODEL, "Hello", tools=tools)

    assert reply.extensions.provider_used == "gemini"
