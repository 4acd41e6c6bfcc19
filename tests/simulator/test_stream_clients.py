"""Streams, read by the official packages' clients: they add up to the answer without `stream`."""

from __future__ import annotations

import asyncio

import anthropic
import openai
import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState

QUESTION = [{"role": "user", "content": "What is the wéather in Paris? 🌦"}]
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
    "required": ["city", "unit"],
    "additionalProperties": False,
}
FUNCTION = {"name": "get_weather", "parameters": SCHEMA, "strict": True}
FORMAT = {"name": "weather", "schema": SCHEMA, "strict": True}
OPENAI_REQUESTS = {
    "text": {},
    "tool": {"tools": [{"type": "function", "function": FUNCTION}], "tool_choice": "required"},
    "cut tool": {
        "tools": [{"type": "function", "function": FUNCTION}],
        "tool_choice": "required",
        "max_tokens": 6,
    },
    "choices": {"n": 3},
    "logprobs": {"logprobs": True, "top_logprobs": 2, "n": 2},
    "format": {"response_format": {"type": "json_schema", "json_schema": FORMAT}},
    "length": {"max_tokens": 3},
    "stop": {"stop": ["Paris"]},
    "nothing": {"stop": ["Simulated"]},
}
ANTHROPIC_REQUESTS = {
    "text": {},
    "tool": {
        "tools": [{"name": "get_weather", "input_schema": SCHEMA}],
        "tool_choice": {"type": "any"},
    },
    "cut tool": {
        "tools": [{"name": "get_weather", "input_schema": SCHEMA}],
        "tool_choice": {"type": "any"},
        "max_tokens": 6,
    },
    "tool without arguments": {
        "tools": [{"name": "get_weather", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "any"},
    },
    "thinking": {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 3000},
    "hidden thinking": {
        "thinking": {"type": "enabled", "budget_tokens": 1024, "display": "omitted"},
        "max_tokens": 3000,
    },
    "format": {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    "length": {"max_tokens": 3},
    "stop": {"stop_sequences": ["Paris"]},
    "nothing": {"stop_sequences": ["Simulated"]},
}
GOOD = [
    "slow-test-model",
    "stream-bytewise-test-model",
    "stream-crlf-test-model",
    "stream-cr-test-model",
    "stream-ping-test-model",
]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("specado.simulator.server.SLOW_REPLY_S", 0.01)


def openai_request(name):
    return {"model": "gpt-4o", "messages": QUESTION, **OPENAI_REQUESTS[name]}


def anthropic_request(name):
    base = {"model": "claude-sonnet-4-6", "max_tokens": 100, "messages": QUESTION}
    return {**base, **ANTHROPIC_REQUESTS[name]}


def openai_answer(completion):
    """What a completion says: a stream brings no annotations, and ids of its own."""
    found = []
    for choice in completion.model_dump(exclude_none=True)["choices"]:
        message = {"content": "", **choice["message"]}
        for call in message.get("tool_calls") or ():
            call.update(id="", index=0)
            call["function"].pop("parsed_arguments", None)
        message.pop("annotations", None)
        tokens = (choice.get("logprobs") or {}).get("content")
        found.append((choice["index"], choice["finish_reason"], message, tokens))
    return found


def anthropic_answer(message):
    """What a message says: the ids and signatures are of their own."""
    found = message.to_dict()
    for block in found["content"]:
        block.update({name: "" for name in ("id", "signature") if block.get(name)})
        block.pop("parsed_output", None)
    return {**found, "id": "", "parsed_output": None}


@pytest.mark.parametrize("name", OPENAI_REQUESTS)
def test_an_openai_stream_adds_up_to_the_answer(openai_client, name):
    request = openai_request(name)
    whole = openai_client.chat.completions.create(**request)
    options = {"include_usage": True}
    chunks = openai_client.chat.completions.create(**request, stream=True, stream_options=options)
    state = ChatCompletionStreamState()
    for chunk in chunks:
        state.handle_chunk(chunk)
    streamed = state.current_completion_snapshot

    assert openai_answer(streamed) == openai_answer(whole)
    assert streamed.usage == whole.usage
    assert streamed.model == whole.model


def test_openai_stream_helper(openai_client):
    request = openai_request("text")
    whole = openai_client.chat.completions.create(**request)
    options = {"include_usage": True}
    with openai_client.chat.completions.stream(**request, stream_options=options) as stream:
        events = [event.type for event in stream]
        final = stream.get_final_completion()

    assert openai_answer(final) == openai_answer(whole)
    assert events.count("content.delta") > 5
    assert events.count("content.done") == 1


def test_an_openai_stream_of_a_custom_tool(openai_client):
    tool = {"type": "custom", "custom": {"name": "run"}}
    request = {"model": "gpt-5", "messages": QUESTION, "tools": [tool], "tool_choice": "required"}
    whole = openai_client.chat.completions.create(**request)
    chunks = openai_client.chat.completions.create(**request, stream=True)
    calls = [
        call.to_dict()
        for chunk in chunks
        for choice in chunk.choices
        for call in choice.delta.tool_calls or ()
    ]

    assert calls[0]["type"] == "custom"
    assert calls[0]["custom"] == {"name": "run", "input": ""}
    assert {call["index"] for call in calls} == {0}
    said = "".join(call["custom"]["input"] for call in calls)
    assert said == whole.choices[0].message.tool_calls[0].custom.input


@pytest.mark.parametrize("model", GOOD)
def test_good_openai_streams_in_any_spelling(openai_client, model):
    chunks = openai_client.chat.completions.create(model=model, messages=QUESTION, stream=True)
    said = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]

    assert "".join(said) == "Simulated reply to: What is the wéather in Paris? 🌦"
    assert len(said) > 5


@pytest.mark.parametrize("name", ANTHROPIC_REQUESTS)
def test_an_anthropic_stream_adds_up_to_the_answer(anthropic_client, name):
    request = anthropic_request(name)
    whole = anthropic_client.messages.create(**request)
    with anthropic_client.messages.stream(**request) as stream:
        events = [event.type for event in stream]
        streamed = stream.get_final_message()

    assert anthropic_answer(streamed) == anthropic_answer(whole)
    assert events[-1] == "message_stop"


@pytest.mark.parametrize("model", GOOD)
def test_good_anthropic_streams_in_any_spelling(anthropic_client, model):
    request = {**anthropic_request("text"), "model": model}
    with anthropic_client.messages.stream(**request) as stream:
        said = list(stream.text_stream)

    assert "".join(said) == "Simulated reply to: What is the wéather in Paris? 🌦"
    assert len(said) > 3


def test_async_clients_read_many_streams_at_once(server):
    async def openai_text(client, number):
        messages = [{"role": "user", "content": f"number {number}"}]
        async with client.chat.completions.stream(model="gpt-4o", messages=messages) as stream:
            return (await stream.get_final_completion()).choices[0].message.content

    async def anthropic_text(client, number):
        messages = [{"role": "user", "content": f"number {number}"}]
        async with client.messages.stream(
            model="claude-sonnet-4-6", max_tokens=100, messages=messages
        ) as stream:
            return await stream.get_final_text()

    async def ask():
        async with (
            openai.AsyncOpenAI(api_key="k", base_url=server.openai_base_url) as one,
            anthropic.AsyncAnthropic(api_key="k", base_url=server.anthropic_base_url) as other,
        ):
            return await asyncio.gather(
                *(openai_text(one, number) for number in range(32)),
                *(anthropic_text(other, number) for number in range(32)),
            )

    assert asyncio.run(ask()) == [f"Simulated reply to: number {n}" for n in range(32)] * 2


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("stream-error-test-model", "The server had an error"),
        ("stream-late-error-test-model", "The server had an error"),
        ("stream-overloaded-test-model", "Our servers are currently overloaded"),
    ],
)
def test_openai_error_events_raise(openai_client, model, message):
    said = []
    chunks = openai_client.chat.completions.create(model=model, messages=QUESTION, stream=True)
    with pytest.raises(openai.APIError, match=message):
        said.extend(chunk.choices[0].delta.content for chunk in chunks)

    assert bool("".join(said)) == ("late" in model)


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("stream-error-test-model", "api_error"),
        ("stream-late-error-test-model", "api_error"),
        ("stream-overloaded-test-model", "overloaded_error"),
    ],
)
def test_anthropic_error_events_raise(anthropic_client, model, kind):
    said = []
    request = {**anthropic_request("text"), "model": model}
    with (
        anthropic_client.messages.stream(**request) as stream,
        pytest.raises(anthropic.APIStatusError) as caught,
    ):
        said.extend(stream.text_stream)

    assert caught.value.body["error"]["type"] == kind
    assert bool(said) == ("late" in model)
