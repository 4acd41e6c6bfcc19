"""Replies of the simulator: valid by the official types, and deterministic."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import official
from specado.simulator import handle
from specado.simulator.schema_example import example

QUESTION = {"role": "user", "content": "What is the weather in Paris?"}
SYSTEM = {"role": "system", "content": "Answer in one word, as JSON."}
VERSION = {"anthropic-version": "2023-06-01"}
WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 12},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        "days": {"type": "integer", "minimum": 3, "maximum": 10},
    },
    "required": ["city", "unit", "days"],
    "additionalProperties": False,
}
FUNCTION = {"type": "function", "function": {"name": "get_weather", "parameters": WEATHER}}
CUSTOM = {"type": "custom", "custom": {"name": "shell"}}
TOOL = {"name": "get_weather", "input_schema": WEATHER}
CALLED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    ],
}
ANSWERED = {"role": "tool", "tool_call_id": "c1", "content": "sunny"}
JSON_SCHEMA = {"type": "json_schema", "json_schema": {"name": "weather", "schema": WEATHER}}
THINKING = {"type": "enabled", "budget_tokens": 1024}


def openai(**changes):
    body = {"model": "gpt-4o", "messages": [QUESTION], **changes}
    reply = handle("POST", "/v1/chat/completions", {}, json.dumps(body).encode(), now_s=1000)
    assert reply.status == 200, reply.body
    assert official.problems("openai-response", reply.body) == []
    return json.loads(reply.body)


def anthropic(**changes):
    body = {"model": "claude-sonnet-4-5", "max_tokens": 2000, "messages": [QUESTION], **changes}
    reply = handle("POST", "/v1/messages", VERSION, json.dumps(body).encode())
    assert reply.status == 200, reply.body
    assert official.problems("anthropic-response", reply.body) == []
    return json.loads(reply.body)


def test_openai_reply_in_full():
    assert openai() == {
        "id": "chatcmpl-sim-73eb0d92ef39eb3c8e572dae",
        "object": "chat.completion",
        "created": 1000,
        "model": "gpt-4o",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Simulated reply to: What is the weather in Paris?",
                    "refusal": None,
                    "annotations": [],
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 12,
            "completion_tokens": 13,
            "total_tokens": 25,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": "fp_simulated",
    }


def test_anthropic_reply_in_full():
    assert anthropic() == {
        "id": "msg_sim_c1e29c31f709f91fad753d81",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": "Simulated reply to: What is the weather in Paris?"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": None,
        "usage": {
            "input_tokens": 12,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 13,
            "output_tokens_details": {"thinking_tokens": 0},
            "service_tier": "standard",
            "inference_geo": "not_available",
        },
    }


def test_the_same_request_gets_the_same_reply_and_another_one_another_id():
    assert openai() == openai()
    assert openai()["id"] != openai(seed=1)["id"]
    assert anthropic() == anthropic()
    assert anthropic()["id"] != anthropic(top_k=1)["id"]


@pytest.mark.parametrize(
    ("changes", "content", "finish_reason"),
    [
        ({"max_tokens": 2}, "Simulat", "length"),
        ({"max_completion_tokens": 2}, "Simulat", "length"),
        ({"stop": "weather"}, "Simulated reply to: What is the ", "stop"),
        ({"stop": ["Paris", "What"]}, "Simulated reply to: ", "stop"),
        (
            {"messages": [SYSTEM, QUESTION, {"role": "assistant", "content": "Sun"}, QUESTION]},
            None,
            "stop",
        ),
        ({"messages": [QUESTION, CALLED, ANSWERED], "tools": [FUNCTION]}, None, "stop"),
        ({"tools": [FUNCTION], "tool_choice": "none"}, None, "stop"),
        ({"model": "gpt-5", "reasoning_effort": "low"}, None, "stop"),
        (
            {"service_tier": "auto", "store": False, "metadata": {"a": "b"}, "user": "u"},
            None,
            "stop",
        ),
    ],
)
def test_openai_text(changes, content, finish_reason):
    choice = openai(**changes)["choices"][0]

    assert choice["finish_reason"] == finish_reason
    if content is not None:
        assert choice["message"]["content"].startswith(content)
        assert len(choice["message"]["content"]) <= len(content) + 1


def test_openai_several_choices_differ():
    contents = [choice["message"]["content"] for choice in openai(n=3)["choices"]]

    assert len(set(contents)) == 3


def test_openai_logprobs():
    content = openai(logprobs=True, top_logprobs=3)["choices"][0]["logprobs"]["content"]

    assert "".join(token["token"] for token in content).startswith("Simulated reply")
    assert {len(token["top_logprobs"]) for token in content} == {3}


@pytest.mark.parametrize(
    ("choice", "finish_reason"),
    [
        ("auto", "tool_calls"),
        ("required", "tool_calls"),
        ({"type": "function", "function": {"name": "get_weather"}}, "stop"),
    ],
)
def test_openai_tool_calls_obey_the_schema(choice, finish_reason):
    answer = openai(tools=[FUNCTION], tool_choice=choice)["choices"][0]
    call = answer["message"]["tool_calls"][0]

    assert answer["finish_reason"] == finish_reason
    assert answer["message"]["content"] is None
    assert json.loads(call["function"]["arguments"]) == {
        "city": "exampleexamp",
        "unit": "celsius",
        "days": 3,
    }


def test_openai_auto_calls_no_tool_that_is_not_spoken_of():
    message = openai(tools=[CUSTOM])["choices"][0]["message"]

    assert "tool_calls" not in message


def test_openai_custom_tool():
    message = openai(tools=[CUSTOM], tool_choice="required")["choices"][0]["message"]

    assert message["tool_calls"][0]["custom"]["name"] == "shell"


def test_openai_structured_output():
    content = openai(response_format=JSON_SCHEMA)["choices"][0]["message"]["content"]

    assert json.loads(content) == {"city": "exampleexamp", "unit": "celsius", "days": 3}


def test_openai_json_object():
    content = openai(messages=[SYSTEM, QUESTION], response_format={"type": "json_object"})

    assert json.loads(content["choices"][0]["message"]["content"]) == {
        "answer": "Simulated: What is the weather in Paris?"
    }


@pytest.mark.parametrize(
    ("changes", "stop_reason", "stop_sequence"),
    [
        ({}, "end_turn", None),
        ({"max_tokens": 2}, "max_tokens", None),
        ({"stop_sequences": ["Paris", "reply"]}, "stop_sequence", "reply"),
        ({"system": "Be brief."}, "end_turn", None),
        ({"system": [{"type": "text", "text": "Be brief."}]}, "end_turn", None),
        ({"messages": [QUESTION, {"role": "assistant", "content": "It is"}]}, "end_turn", None),
        ({"tools": [TOOL], "tool_choice": {"type": "none"}}, "end_turn", None),
        ({"tools": [TOOL], "tool_choice": {"type": "any"}}, "tool_use", None),
        ({"tools": [TOOL]}, "tool_use", None),
        ({"tools": [TOOL], "max_tokens": 4}, "max_tokens", None),
        ({"thinking": THINKING}, "end_turn", None),
        ({"model": "claude-opus-4-7", "thinking": {"type": "adaptive"}}, "end_turn", None),
    ],
)
def test_anthropic_stop_reasons(changes, stop_reason, stop_sequence):
    reply = anthropic(**changes)

    assert (reply["stop_reason"], reply["stop_sequence"]) == (stop_reason, stop_sequence)


def test_anthropic_thinking_may_be_omitted():
    shown = anthropic(thinking=THINKING)["content"][0]
    hidden = anthropic(thinking={**THINKING, "display": "omitted"})["content"][0]

    assert shown["thinking"] == "The user says: What is the weather in Paris?"
    assert (hidden["thinking"], bool(hidden["signature"])) == ("", True)


def test_anthropic_structured_output():
    schema = {**WEATHER, "properties": {"unit": WEATHER["properties"]["unit"]}}
    reply = anthropic(output_config={"format": {"type": "json_schema", "schema": schema}})

    assert json.loads(reply["content"][0]["text"])["unit"] == "celsius"


def test_images_are_counted():
    part = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    reply = openai(messages=[{"role": "user", "content": [{"type": "text", "text": "See"}, part]}])

    assert reply["choices"][0]["message"]["content"].endswith("to: See (with 1 attachment)")
    assert reply["usage"]["prompt_tokens"] > 700


def test_beta_fields_are_taken_with_a_beta_header():
    body = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 9,
        "messages": [QUESTION],
        "context_management": {"edits": []},
    }
    reply = handle(
        "POST", "/v1/messages", {**VERSION, "anthropic-beta": "x"}, json.dumps(body).encode()
    )

    assert reply.status == 200


PRINTABLE = st.characters(exclude_categories=("C", "Z"), include_characters=" ")
TEXT = st.text(PRINTABLE, min_size=1, max_size=40).filter(lambda text: text.strip() != "")
USERS = st.builds(lambda text: {"role": "user", "content": text}, TEXT)
TURN = st.tuples(USERS, st.builds(lambda text: {"role": "assistant", "content": text}, TEXT))
TURNS = st.lists(TURN, max_size=3).map(
    lambda turns: [message for turn in turns for message in turn]
)
OPENAI_REQUESTS = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["gpt-4o", "gpt-4.1", "gpt-3.5-turbo"]),
        "messages": st.builds(lambda turns, last: [*turns, last], TURNS, USERS),
    },
    optional={
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "n": st.integers(1, 4),
        "max_tokens": st.integers(1, 4000),
        "stop": st.one_of(TEXT, st.lists(TEXT, max_size=4)),
        "seed": st.integers(-(2**31), 2**31),
        "logprobs": st.booleans(),
        "tools": st.just([{**FUNCTION}]),
        "user": TEXT,
    },
)
ANTHROPIC_REQUESTS = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["claude-sonnet-4-5", "claude-3-haiku", "claude-opus-4-7"]),
        "max_tokens": st.integers(1, 4000),
        "messages": st.builds(lambda turns, last: [*turns, last], TURNS, USERS),
    },
    optional={
        "system": TEXT,
        "stop_sequences": st.lists(TEXT, max_size=5),
        "tools": st.just([TOOL]),
        "metadata": st.fixed_dictionaries({"user_id": TEXT}),
    },
)


@given(OPENAI_REQUESTS)
def test_any_valid_openai_request_is_answered_validly(request):
    assert official.problems("openai-request", request) == []

    openai(**request)


@given(ANTHROPIC_REQUESTS)
def test_any_valid_anthropic_request_is_answered_validly(request):
    assert official.problems("anthropic-request", request) == []

    anthropic(**request)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["model", "messages", "role", "content", "type", "text", "tools", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from(["/v1/chat/completions", "/v1/messages", "/v1/messages/count_tokens"]))
def test_anything_else_gets_a_valid_error(value, path):
    reply = handle("POST", path, VERSION, json.dumps(value).encode())
    kind = "openai" if path.endswith("completions") else "anthropic"

    assert reply.status in (400, 404)
    assert official.problems(f"{kind}-error", reply.body) == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "format": "date"}, "2026-01-31"),
        ({"type": "string", "maxLength": 3}, "exa"),
        ({"type": ["null", "integer"]}, 1),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 0.5}, 0.25),
        ({"type": "integer", "multipleOf": 5, "minimum": 12}, 15),
        ({"type": "number", "minimum": 1e308, "multipleOf": 1e-308}, 1),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"type": "array", "items": {"enum": [1, 2]}, "minItems": 2, "uniqueItems": True}, [1, 2]),
        ({"type": "array", "prefixItems": [{"const": 1}], "items": False}, [1]),
        ({"anyOf": [{"type": "null"}, {"type": "boolean"}]}, True),
        ({"allOf": [{"required": ["a"]}, {"properties": {"a": {"const": 2}}}]}, {"a": 2}),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}, "example"),
        ({"type": "object", "minProperties": 1}, {"key1": "example"}),
        ({"type": "string", "default": "given"}, "given"),
        ({}, {}),
        (True, {}),
    ],
)
def test_examples_of_schemas(schema, value):
    assert example(schema) == value


def test_schemas_that_refer_to_themselves_end():
    node = {
        "type": "object",
        "properties": {
            "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
            "also": {"type": "array", "items": {"$ref": "#"}, "minItems": 90},
        },
        "required": ["next", "also"],
    }

    assert set(example(node)) == {"next", "also"}
    assert example({"$ref": "#"}) == {}
