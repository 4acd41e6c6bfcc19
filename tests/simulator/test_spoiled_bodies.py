"""Bodies with a random value in them get an answer or a refusal, never a failure."""

from __future__ import annotations

import copy
import json

import hypothesis
import pytest
from hypothesis import strategies as st

from specado.simulator import handle

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["a"]}, "tree": {"$ref": "#/$defs/tree"}},
    "required": ["city"],
    "additionalProperties": False,
    "$defs": {"tree": {"type": "array", "items": {"anyOf": [{"type": "string"}]}}},
}
OPENAPI = {
    "type": "OBJECT",
    "properties": {"city": {"type": "STRING", "enum": ["a"]}},
    "required": ["city"],
}
BODIES = {
    "/v1/responses": {
        "model": "gpt-5",
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "sunny"},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": SCHEMA}],
        "tool_choice": {
            "type": "allowed_tools",
            "mode": "auto",
            "tools": [{"type": "function", "name": "f"}],
        },
        "text": {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}},
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "low", "summary": "auto"},
        "max_output_tokens": 100,
        "store": False,
    },
    "/v1beta/models/gemini-3-flash-preview:generateContent": {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Hello"}]},
            {
                "role": "model",
                "parts": [
                    {
                        "functionCall": {"name": "f", "args": {"a": 1}},
                        "thoughtSignature": "skip_thought_signature_validator",
                    }
                ],
            },
            {
                "role": "user",
                "parts": [{"functionResponse": {"name": "f", "response": {"output": "sunny"}}}],
            },
        ],
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "f", "parametersJsonSchema": SCHEMA},
                    {"name": "g", "parameters": OPENAPI},
                ]
            }
        ],
        "toolConfig": {
            "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f", "g"]}
        },
        "generationConfig": {
            "temperature": 1,
            "stopSequences": ["x"],
            "responseMimeType": "application/json",
            "responseJsonSchema": SCHEMA,
            "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "LOW"},
        },
    },
    "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse": {
        "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"text": "Hello"},
                    {
                        "document": {
                            "name": "a",
                            "format": "pdf",
                            "source": {"bytes": "JVBERi0="},
                        }
                    },
                ],
            },
            {
                "role": "assistant",
                "content": [{"toolUse": {"toolUseId": "c", "name": "f", "input": {}}}],
            },
            {
                "role": "user",
                "content": [{"toolResult": {"toolUseId": "c", "content": [{"text": "sunny"}]}}],
            },
        ],
        "toolConfig": {
            "tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": SCHEMA}}}],
            "toolChoice": {"auto": {}},
        },
        "inferenceConfig": {"maxTokens": 100, "temperature": 1, "stopSequences": ["x"]},
        "additionalModelRequestFields": {"top_k": 5},
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
        "outputConfig": {
            "textFormat": {
                "type": "json_schema",
                "structure": {"jsonSchema": {"schema": '{"type": "object"}'}},
            }
        },
    },
    "/mistral/v1/chat/completions": {
        "model": "mistral-large-latest",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
            {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}],
                "tool_calls": [
                    {
                        "id": "abcdefgh1",
                        "type": "function",
                        "function": {"name": "f", "arguments": "{}"},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "abcdefgh1", "content": "sunny"},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
        "tool_choice": "any",
        "random_seed": 7,
        "stop": ["x"],
    },
    "/deepseek/chat/completions": {
        "model": "deepseek-chat",
        "messages": [
            {"role": "user", "content": "Hello"},
            {
                "role": "assistant",
                "reasoning_content": "a",
                "tool_calls": [
                    {
                        "id": "c",
                        "type": "function",
                        "function": {"name": "f", "arguments": "{}"},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "c", "content": "sunny"},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
        "thinking": {"type": "enabled"},
        "response_format": {"type": "text"},
        "user_id": "ann",
    },
}
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**6),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "a", "object", "string", "$ref", "#/$defs/tree", "AUTO"]),
    st.sampled_from([[], {}, [None], [[]], [{}], {"a": []}, {"type": []}, [1, "a"]]),
)


def places(value, path=()):
    yield path
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for step, child in children:
        yield from places(child, (*path, step))


def spoiled(body, path, value, *, added):
    body = copy.deepcopy(body)
    if not path:
        return value
    *way, last = path
    parent = body
    for step in way:
        parent = parent[step]
    if added and isinstance(parent, dict):
        parent[f"{last}2"] = value
    else:
        parent[last] = value
    return body


@pytest.mark.parametrize("path", BODIES)
@hypothesis.given(data=st.data())
def test_a_random_value_in_a_body(path, data):
    body = BODIES[path]
    changes = data.draw(st.lists(st.sampled_from(list(places(body))), min_size=1, max_size=2))
    for place in changes:
        value = data.draw(VALUES)
        try:
            body = spoiled(body, place, value, added=data.draw(st.booleans()))
        except (KeyError, IndexError, TypeError):
            continue  # the first change has taken away the place of the second
    reply = handle("POST", path, {}, json.dumps(body).encode(), now_s=0)

    assert reply.status in (200, 400, 403, 404, 422)
    json.loads(reply.body)
